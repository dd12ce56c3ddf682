/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(HP_INSIDE) && !defined(HP_COMPILATION)
#error "Only <hole-punch/hole-punch.h> can be included directly."
#endif

#include <hole-punch/hp-types.h>

G_BEGIN_DECLS

/**
 * HP_DEFAULT_PORT:
 *
 * The UDP port of a match server unless another one is given.
 *
 * Since: 1.0
 */
#define HP_DEFAULT_PORT 4222

/**
 * SECTION:hp-enums
 * @title: Enumerations
 * @short_description: Kinds of paths, states, flags of messages
 *
 * Values that several classes share.
 */

/**
 * HpPathKind:
 * @HP_PATH_KIND_NONE: there is no path (yet, or any more)
 * @HP_PATH_KIND_LAN: both peers are on one network, or one machine
 * @HP_PATH_KIND_DIRECT: through the NATs, straight to the other peer
 * @HP_PATH_KIND_MAPPED: through a port that a router was asked to map
 * @HP_PATH_KIND_RELAYED: through a relay
 *
 * How datagrams reach the other peer. In the order of preference.
 *
 * Since: 1.0
 */
typedef enum
{
  HP_PATH_KIND_NONE,
  HP_PATH_KIND_LAN,
  HP_PATH_KIND_DIRECT,
  HP_PATH_KIND_MAPPED,
  HP_PATH_KIND_RELAYED,
} HpPathKind;

#define HP_TYPE_PATH_KIND (hp_path_kind_get_type ())
HP_AVAILABLE_IN_ALL
GType hp_path_kind_get_type (void) G_GNUC_CONST;

/**
 * HpRelayPolicy:
 * @HP_RELAY_POLICY_DIRECT_ONLY: never through a relay
 * @HP_RELAY_POLICY_ALLOW_RELAY: through a relay where, and as long as, there is
 *   no direct path
 * @HP_RELAY_POLICY_RELAY_ONLY: never but through a relay, so that neither other
 *   peers nor those whom they ask learn this peer's addresses: only its relay
 *   does. A match server learns them only if it is to lend the relay; to know
 *   nothing either it must not be needed for that (see #HpPeer:turn-servers)
 *
 * Whether a peer's connections go through a relay (#HpPeer:relay-policy).
 *
 * Since: 1.0
 */
typedef enum
{
  HP_RELAY_POLICY_DIRECT_ONLY,
  HP_RELAY_POLICY_ALLOW_RELAY,
  HP_RELAY_POLICY_RELAY_ONLY,
} HpRelayPolicy;

#define HP_TYPE_RELAY_POLICY (hp_relay_policy_get_type ())
HP_AVAILABLE_IN_ALL
GType hp_relay_policy_get_type (void) G_GNUC_CONST;

/**
 * HpConnectionState:
 * @HP_CONNECTION_STATE_CONNECTING: no path to the peer has been found yet
 * @HP_CONNECTION_STATE_CONNECTED: messages flow
 * @HP_CONNECTION_STATE_INTERRUPTED: the path fell silent and another one is
 *   looked for; messages are kept and go on by themselves
 * @HP_CONNECTION_STATE_CLOSED: the connection has ended
 *
 * What a connection is doing.
 *
 * Since: 1.0
 */
typedef enum
{
  HP_CONNECTION_STATE_CONNECTING,
  HP_CONNECTION_STATE_CONNECTED,
  HP_CONNECTION_STATE_INTERRUPTED,
  HP_CONNECTION_STATE_CLOSED,
} HpConnectionState;

#define HP_TYPE_CONNECTION_STATE (hp_connection_state_get_type ())
HP_AVAILABLE_IN_ALL
GType hp_connection_state_get_type (void) G_GNUC_CONST;

/**
 * HpMessageFlags:
 * @HP_MESSAGE_FLAGS_NONE: reliable, and delivered in the order of sending
 * @HP_MESSAGE_FLAGS_UNORDERED: reliable, but delivered as soon as it is whole
 * @HP_MESSAGE_FLAGS_UNRELIABLE: sent once, never again, delivered as soon as it
 *   is whole, or not at all
 *
 * How a message is to be delivered.
 *
 * Since: 1.0
 */
typedef enum /*< flags >*/
{
  HP_MESSAGE_FLAGS_NONE = 0,
  HP_MESSAGE_FLAGS_UNORDERED = 1 << 0,
  HP_MESSAGE_FLAGS_UNRELIABLE = 1 << 1,
} HpMessageFlags;

#define HP_TYPE_MESSAGE_FLAGS (hp_message_flags_get_type ())
HP_AVAILABLE_IN_ALL
GType hp_message_flags_get_type (void) G_GNUC_CONST;

/**
 * HpNatMapping:
 * @HP_NAT_MAPPING_UNKNOWN: not known
 * @HP_NAT_MAPPING_NONE: there is no NAT: others see the peer's own address
 * @HP_NAT_MAPPING_PORT_INDEPENDENT: the same address and port toward two ports
 *   of one host; whether toward other hosts, too, is not known, since only one
 *   could be asked
 * @HP_NAT_MAPPING_ENDPOINT_INDEPENDENT: the same toward everybody
 * @HP_NAT_MAPPING_ADDRESS_DEPENDENT: another port toward each host
 * @HP_NAT_MAPPING_ADDRESS_AND_PORT_DEPENDENT: another port toward each port of
 *   each host; such a NAT is also called symmetric
 *
 * As what a NAT shows a peer to others (RFC 4787, section 4.1).
 *
 * Since: 1.0
 */
typedef enum
{
  HP_NAT_MAPPING_UNKNOWN,
  HP_NAT_MAPPING_NONE,
  HP_NAT_MAPPING_PORT_INDEPENDENT,
  HP_NAT_MAPPING_ENDPOINT_INDEPENDENT,
  HP_NAT_MAPPING_ADDRESS_DEPENDENT,
  HP_NAT_MAPPING_ADDRESS_AND_PORT_DEPENDENT,
} HpNatMapping;

#define HP_TYPE_NAT_MAPPING (hp_nat_mapping_get_type ())
HP_AVAILABLE_IN_ALL
GType hp_nat_mapping_get_type (void) G_GNUC_CONST;

/**
 * HpNatFiltering:
 * @HP_NAT_FILTERING_UNKNOWN: not known
 * @HP_NAT_FILTERING_ENDPOINT_INDEPENDENT: what anybody sends comes in
 * @HP_NAT_FILTERING_ADDRESS_DEPENDENT: what hosts send that the peer has sent
 *   to
 * @HP_NAT_FILTERING_ADDRESS_AND_PORT_DEPENDENT: what comes from addresses and
 *   ports that the peer has sent to
 *
 * What a NAT or firewall lets in (RFC 4787, section 5).
 *
 * Since: 1.0
 */
typedef enum
{
  HP_NAT_FILTERING_UNKNOWN,
  HP_NAT_FILTERING_ENDPOINT_INDEPENDENT,
  HP_NAT_FILTERING_ADDRESS_DEPENDENT,
  HP_NAT_FILTERING_ADDRESS_AND_PORT_DEPENDENT,
} HpNatFiltering;

#define HP_TYPE_NAT_FILTERING (hp_nat_filtering_get_type ())
HP_AVAILABLE_IN_ALL
GType hp_nat_filtering_get_type (void) G_GNUC_CONST;

/**
 * HpNatAllocation:
 * @HP_NAT_ALLOCATION_UNKNOWN: not known
 * @HP_NAT_ALLOCATION_PRESERVED: the port that the peer itself uses
 * @HP_NAT_ALLOCATION_SEQUENTIAL: the one after the last that was given
 * @HP_NAT_ALLOCATION_BLOCK: any out of a block of them
 * @HP_NAT_ALLOCATION_RANDOM: any
 *
 * Which port a NAT gives to something new.
 *
 * Since: 1.0
 */
typedef enum
{
  HP_NAT_ALLOCATION_UNKNOWN,
  HP_NAT_ALLOCATION_PRESERVED,
  HP_NAT_ALLOCATION_SEQUENTIAL,
  HP_NAT_ALLOCATION_BLOCK,
  HP_NAT_ALLOCATION_RANDOM,
} HpNatAllocation;

#define HP_TYPE_NAT_ALLOCATION (hp_nat_allocation_get_type ())
HP_AVAILABLE_IN_ALL
GType hp_nat_allocation_get_type (void) G_GNUC_CONST;

/**
 * HpNatHairpin:
 * @HP_NAT_HAIRPIN_UNKNOWN: not known
 * @HP_NAT_HAIRPIN_NO: they do not
 * @HP_NAT_HAIRPIN_YES: they do
 *
 * Whether two peers behind one NAT reach each other by their public addresses
 * (RFC 4787, section 6).
 *
 * Since: 1.0
 */
typedef enum
{
  HP_NAT_HAIRPIN_UNKNOWN,
  HP_NAT_HAIRPIN_NO,
  HP_NAT_HAIRPIN_YES,
} HpNatHairpin;

#define HP_TYPE_NAT_HAIRPIN (hp_nat_hairpin_get_type ())
HP_AVAILABLE_IN_ALL
GType hp_nat_hairpin_get_type (void) G_GNUC_CONST;

/**
 * HpServerKind:
 * @HP_SERVER_KIND_MATCH: a match server (#HpPeer:match-server)
 * @HP_SERVER_KIND_STUN: a STUN server (#HpPeer:stun-servers)
 * @HP_SERVER_KIND_RELAY: a TURN server, of the user's own
 *   (#HpPeer:turn-servers) or lent by a match server
 *
 * What a server is there for.
 *
 * Since: 1.0
 */
typedef enum
{
  HP_SERVER_KIND_MATCH,
  HP_SERVER_KIND_STUN,
  HP_SERVER_KIND_RELAY,
} HpServerKind;

#define HP_TYPE_SERVER_KIND (hp_server_kind_get_type ())
HP_AVAILABLE_IN_ALL
GType hp_server_kind_get_type (void) G_GNUC_CONST;

/**
 * HpProspects:
 * @HP_PROSPECTS_UNKNOWN: what the NAT does is not known
 * @HP_PROSPECTS_NONE: nobody can be reached: no match server can, or UDP does
 *   not pass and there is no relay
 * @HP_PROSPECTS_RELAYED: only by relay
 * @HP_PROSPECTS_MANY: direct connections work with many, namely those whose NAT
 *   shows the same address to everybody; with others by relay, if there is one
 * @HP_PROSPECTS_ALMOST_ALL: direct connections work with almost everybody
 *
 * What a network is good for (#HpNetworkReport:prospects), the better the
 * higher.
 *
 * Since: 1.0
 */
typedef enum
{
  HP_PROSPECTS_UNKNOWN,
  HP_PROSPECTS_NONE,
  HP_PROSPECTS_RELAYED,
  HP_PROSPECTS_MANY,
  HP_PROSPECTS_ALMOST_ALL,
} HpProspects;

#define HP_TYPE_PROSPECTS (hp_prospects_get_type ())
HP_AVAILABLE_IN_ALL
GType hp_prospects_get_type (void) G_GNUC_CONST;

G_END_DECLS
