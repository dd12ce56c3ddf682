/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-enums.h"

G_DEFINE_ENUM_TYPE (
    HpPathKind, hp_path_kind,
    G_DEFINE_ENUM_VALUE (HP_PATH_KIND_NONE, "none"),
    G_DEFINE_ENUM_VALUE (HP_PATH_KIND_LAN, "lan"),
    G_DEFINE_ENUM_VALUE (HP_PATH_KIND_DIRECT, "direct"),
    G_DEFINE_ENUM_VALUE (HP_PATH_KIND_MAPPED, "mapped"),
    G_DEFINE_ENUM_VALUE (HP_PATH_KIND_RELAYED, "relayed"))

G_DEFINE_ENUM_TYPE (
    HpRelayPolicy, hp_relay_policy,
    G_DEFINE_ENUM_VALUE (HP_RELAY_POLICY_DIRECT_ONLY, "direct-only"),
    G_DEFINE_ENUM_VALUE (HP_RELAY_POLICY_ALLOW_RELAY, "allow-relay"),
    G_DEFINE_ENUM_VALUE (HP_RELAY_POLICY_RELAY_ONLY, "relay-only"))

G_DEFINE_ENUM_TYPE (
    HpConnectionState, hp_connection_state,
    G_DEFINE_ENUM_VALUE (HP_CONNECTION_STATE_CONNECTING, "connecting"),
    G_DEFINE_ENUM_VALUE (HP_CONNECTION_STATE_CONNECTED, "connected"),
    G_DEFINE_ENUM_VALUE (HP_CONNECTION_STATE_INTERRUPTED, "interrupted"),
    G_DEFINE_ENUM_VALUE (HP_CONNECTION_STATE_CLOSED, "closed"))

G_DEFINE_FLAGS_TYPE (
    HpMessageFlags, hp_message_flags,
    G_DEFINE_ENUM_VALUE (HP_MESSAGE_FLAGS_NONE, "none"),
    G_DEFINE_ENUM_VALUE (HP_MESSAGE_FLAGS_UNORDERED, "unordered"),
    G_DEFINE_ENUM_VALUE (HP_MESSAGE_FLAGS_UNRELIABLE, "unreliable"))

G_DEFINE_ENUM_TYPE (
    HpNatMapping, hp_nat_mapping,
    G_DEFINE_ENUM_VALUE (HP_NAT_MAPPING_UNKNOWN, "unknown"),
    G_DEFINE_ENUM_VALUE (HP_NAT_MAPPING_NONE, "none"),
    G_DEFINE_ENUM_VALUE (HP_NAT_MAPPING_PORT_INDEPENDENT, "port-independent"),
    G_DEFINE_ENUM_VALUE (HP_NAT_MAPPING_ENDPOINT_INDEPENDENT,
                         "endpoint-independent"),
    G_DEFINE_ENUM_VALUE (HP_NAT_MAPPING_ADDRESS_DEPENDENT, "address-dependent"),
    G_DEFINE_ENUM_VALUE (HP_NAT_MAPPING_ADDRESS_AND_PORT_DEPENDENT,
                         "address-and-port-dependent"))

G_DEFINE_ENUM_TYPE (
    HpNatFiltering, hp_nat_filtering,
    G_DEFINE_ENUM_VALUE (HP_NAT_FILTERING_UNKNOWN, "unknown"),
    G_DEFINE_ENUM_VALUE (HP_NAT_FILTERING_ENDPOINT_INDEPENDENT,
                         "endpoint-independent"),
    G_DEFINE_ENUM_VALUE (HP_NAT_FILTERING_ADDRESS_DEPENDENT,
                         "address-dependent"),
    G_DEFINE_ENUM_VALUE (HP_NAT_FILTERING_ADDRESS_AND_PORT_DEPENDENT,
                         "address-and-port-dependent"))

G_DEFINE_ENUM_TYPE (
    HpNatAllocation, hp_nat_allocation,
    G_DEFINE_ENUM_VALUE (HP_NAT_ALLOCATION_UNKNOWN, "unknown"),
    G_DEFINE_ENUM_VALUE (HP_NAT_ALLOCATION_PRESERVED, "preserved"),
    G_DEFINE_ENUM_VALUE (HP_NAT_ALLOCATION_SEQUENTIAL, "sequential"),
    G_DEFINE_ENUM_VALUE (HP_NAT_ALLOCATION_BLOCK, "block"),
    G_DEFINE_ENUM_VALUE (HP_NAT_ALLOCATION_RANDOM, "random"))

G_DEFINE_ENUM_TYPE (
    HpNatHairpin, hp_nat_hairpin,
    G_DEFINE_ENUM_VALUE (HP_NAT_HAIRPIN_UNKNOWN, "unknown"),
    G_DEFINE_ENUM_VALUE (HP_NAT_HAIRPIN_NO, "no"),
    G_DEFINE_ENUM_VALUE (HP_NAT_HAIRPIN_YES, "yes"))

G_DEFINE_ENUM_TYPE (
    HpServerKind, hp_server_kind,
    G_DEFINE_ENUM_VALUE (HP_SERVER_KIND_MATCH, "match"),
    G_DEFINE_ENUM_VALUE (HP_SERVER_KIND_STUN, "stun"),
    G_DEFINE_ENUM_VALUE (HP_SERVER_KIND_RELAY, "relay"))

G_DEFINE_ENUM_TYPE (
    HpProspects, hp_prospects,
    G_DEFINE_ENUM_VALUE (HP_PROSPECTS_UNKNOWN, "unknown"),
    G_DEFINE_ENUM_VALUE (HP_PROSPECTS_NONE, "none"),
    G_DEFINE_ENUM_VALUE (HP_PROSPECTS_RELAYED, "relayed"),
    G_DEFINE_ENUM_VALUE (HP_PROSPECTS_MANY, "many"),
    G_DEFINE_ENUM_VALUE (HP_PROSPECTS_ALMOST_ALL, "almost-all"))
