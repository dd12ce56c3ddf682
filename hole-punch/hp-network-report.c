/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-network-report-private.h"

/**
 * SECTION:hp-network-report
 * @title: HpNetworkReport
 * @short_description: What a peer's network is good for
 *
 * What hp_peer_check_network_async() finds out: what the NAT is like, which
 * servers answer, and what that means for connections. #HpPeer:network-report
 * is the newest one, which a call that fails leaves as well: then
 * #HpNetworkReport:attempts tells what was tried.
 *
 * hp_network_report_to_string() is what support wants to be told. It contains
 * addresses, but neither passwords nor keys.
 *
 * An object is a snapshot: its properties do not change any more.
 */

/**
 * HpNetworkReport:
 *
 * What a network is good for.
 *
 * Since: 1.0
 */

G_DEFINE_FINAL_TYPE (HpNetworkReport, hp_network_report, G_TYPE_OBJECT)

typedef enum
{
  PROP_PROSPECTS = 1,
  PROP_SUMMARY,
  PROP_NAT,
  PROP_HAIRPIN,
  PROP_UDP_BLOCKED,
  PROP_HAS_IPV6,
  PROP_PUBLIC_ADDRESSES,
  PROP_LOCAL_ADDRESSES,
  PROP_PORT_MAPPING,
  PROP_MAPPED_ADDRESS,
  PROP_MATCH_SERVERS,
  PROP_STUN_SERVERS,
  PROP_RELAYS,
  PROP_ATTEMPTS,
} HpNetworkReportProperty;

static GParamSpec *properties[PROP_ATTEMPTS + 1];

static void
hp_network_report_finalize (GObject *object)
{
  HpNetworkReport *self = HP_NETWORK_REPORT (object);

  g_free (self->summary);
  g_clear_object (&self->nat);
  g_strfreev (self->public_addresses);
  g_strfreev (self->local_addresses);
  g_free (self->port_mapping);
  g_clear_object (&self->mapped_address);
  g_clear_object (&self->match_servers);
  g_clear_object (&self->stun_servers);
  g_clear_object (&self->relays);
  g_strfreev (self->attempts);
  G_OBJECT_CLASS (hp_network_report_parent_class)->finalize (object);
}

static void
hp_network_report_get_property (GObject *object, guint property_id,
                                GValue *value, GParamSpec *pspec)
{
  HpNetworkReport *self = HP_NETWORK_REPORT (object);

  switch ((HpNetworkReportProperty) property_id)
    {
    case PROP_PROSPECTS:
      g_value_set_enum (value, self->prospects);
      break;
    case PROP_SUMMARY:
      g_value_set_string (value, self->summary);
      break;
    case PROP_NAT:
      g_value_set_object (value, self->nat);
      break;
    case PROP_HAIRPIN:
      g_value_set_enum (value, hp_network_report_get_hairpin (self));
      break;
    case PROP_UDP_BLOCKED:
      g_value_set_boolean (value, self->udp_blocked);
      break;
    case PROP_HAS_IPV6:
      g_value_set_boolean (value, self->has_ipv6);
      break;
    case PROP_PUBLIC_ADDRESSES:
      g_value_set_boxed (value, self->public_addresses);
      break;
    case PROP_LOCAL_ADDRESSES:
      g_value_set_boxed (value, self->local_addresses);
      break;
    case PROP_PORT_MAPPING:
      g_value_set_string (value, self->port_mapping);
      break;
    case PROP_MAPPED_ADDRESS:
      g_value_set_object (value, self->mapped_address);
      break;
    case PROP_MATCH_SERVERS:
      g_value_set_object (value, self->match_servers);
      break;
    case PROP_STUN_SERVERS:
      g_value_set_object (value, self->stun_servers);
      break;
    case PROP_RELAYS:
      g_value_set_object (value, self->relays);
      break;
    case PROP_ATTEMPTS:
      g_value_set_boxed (value, self->attempts);
      break;
    }
}

#define FACT (G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)

static void
install_meaning (void)
{
  /**
   * HpNetworkReport:prospects:
   *
   * What all of it means for connections.
   *
   * Since: 1.0
   */
  properties[PROP_PROSPECTS] = g_param_spec_enum (
      "prospects", "Prospects", "What the network is good for",
      HP_TYPE_PROSPECTS, HP_PROSPECTS_UNKNOWN, FACT);
  /**
   * HpNetworkReport:summary:
   *
   * The same in words: a sentence or a few.
   *
   * Since: 1.0
   */
  properties[PROP_SUMMARY] = g_param_spec_string (
      "summary", "Summary", "What it means, in words", NULL, FACT);
}

static void
install_facts (void)
{
  /**
   * HpNetworkReport:nat:
   *
   * What is known of the NATs; %NULL: nothing is. Ports in it are those of the
   * check.
   *
   * Since: 1.0
   */
  properties[PROP_NAT] = g_param_spec_object (
      "nat", "NAT", "What is known of the NATs", HP_TYPE_NAT_INFO, FACT);
  /**
   * HpNetworkReport:hairpin:
   *
   * Whether peers behind the same NAT reach each other by their public
   * addresses.
   *
   * Since: 1.0
   */
  properties[PROP_HAIRPIN] = g_param_spec_enum (
      "hairpin", "Hairpin", "Whether the NAT turns datagrams round",
      HP_TYPE_NAT_HAIRPIN, HP_NAT_HAIRPIN_UNKNOWN, FACT);
  /**
   * HpNetworkReport:udp-blocked:
   *
   * Whether nobody who was asked by UDP has answered. If somebody has by TCP or
   * TLS it is certain that UDP does not pass; otherwise those who were asked
   * may be down as well.
   *
   * Since: 1.0
   */
  properties[PROP_UDP_BLOCKED] = g_param_spec_boolean (
      "udp-blocked", "UDP blocked", "Whether UDP does not pass", FALSE, FACT);
  /**
   * HpNetworkReport:has-ipv6:
   *
   * Whether the Internet is reached by IPv6, too: a match server has seen the
   * peer so.
   *
   * Since: 1.0
   */
  properties[PROP_HAS_IPV6] = g_param_spec_boolean (
      "has-ipv6", "Has IPv6", "Whether there is IPv6", FALSE, FACT);
}

static void
install_addresses (void)
{
  /**
   * HpNetworkReport:public-addresses:
   *
   * As what match servers see this machine, an address of each family, without
   * ports.
   *
   * Since: 1.0
   */
  properties[PROP_PUBLIC_ADDRESSES] = g_param_spec_boxed (
      "public-addresses", "Public addresses",
      "Addresses as match servers see them",
      G_TYPE_STRV, FACT);
  /**
   * HpNetworkReport:local-addresses:
   *
   * The addresses of this machine that peers in the same network are told,
   * without ports.
   *
   * Since: 1.0
   */
  properties[PROP_LOCAL_ADDRESSES] = g_param_spec_boxed (
      "local-addresses", "Local addresses", "Addresses of this machine",
      G_TYPE_STRV, FACT);
  /**
   * HpNetworkReport:port-mapping:
   *
   * The protocol by which the router was asked to forward a port, and does:
   * `pcp`, `nat-pmp` or `upnp`; %NULL: it does not.
   *
   * Since: 1.0
   */
  properties[PROP_PORT_MAPPING] = g_param_spec_string (
      "port-mapping", "Port mapping", "How the router forwards a port",
      NULL, FACT);
  /**
   * HpNetworkReport:mapped-address:
   *
   * The address and port that the router forwards; %NULL: none, or another NAT
   * is between that and the Internet.
   *
   * Since: 1.0
   */
  properties[PROP_MAPPED_ADDRESS] = g_param_spec_object (
      "mapped-address", "Mapped address", "What the router forwards",
      G_TYPE_SOCKET_ADDRESS, FACT);
}

static void
install_lists (void)
{
  /**
   * HpNetworkReport:match-servers:
   *
   * A list of #HpServerReport.
   *
   * Since: 1.0
   */
  properties[PROP_MATCH_SERVERS] = g_param_spec_object (
      "match-servers", "Match servers", "The match servers",
      G_TYPE_LIST_MODEL, FACT);
  /**
   * HpNetworkReport:stun-servers:
   *
   * A list of #HpServerReport.
   *
   * Since: 1.0
   */
  properties[PROP_STUN_SERVERS] = g_param_spec_object (
      "stun-servers", "STUN servers", "The STUN servers",
      G_TYPE_LIST_MODEL, FACT);
  /**
   * HpNetworkReport:relays:
   *
   * A list of #HpServerReport: the TURN servers, once for each transport that
   * is to be tried.
   *
   * Since: 1.0
   */
  properties[PROP_RELAYS] = g_param_spec_object (
      "relays", "Relays", "The TURN servers", G_TYPE_LIST_MODEL, FACT);
  /**
   * HpNetworkReport:attempts:
   *
   * What a call that failed has tried, and why each came to nothing, a sentence
   * each. Empty after a check.
   *
   * Since: 1.0
   */
  properties[PROP_ATTEMPTS] = g_param_spec_boxed (
      "attempts", "Attempts", "What the call that failed has tried",
      G_TYPE_STRV, FACT);
}

static void
hp_network_report_class_init (HpNetworkReportClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = hp_network_report_finalize;
  object_class->get_property = hp_network_report_get_property;
  install_meaning ();
  install_facts ();
  install_addresses ();
  install_lists ();
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
hp_network_report_init (HpNetworkReport *self)
{
  self->summary = g_strdup ("Nothing is known.");
  self->public_addresses = g_new0 (char *, 1);
  self->local_addresses = g_new0 (char *, 1);
  self->attempts = g_new0 (char *, 1);
  self->match_servers = g_list_store_new (HP_TYPE_SERVER_REPORT);
  self->stun_servers = g_list_store_new (HP_TYPE_SERVER_REPORT);
  self->relays = g_list_store_new (HP_TYPE_SERVER_REPORT);
}

/**
 * hp_network_report_get_prospects:
 * @self: a #HpNetworkReport
 *
 * Gets #HpNetworkReport:prospects.
 *
 * Returns: what the network is good for
 *
 * Since: 1.0
 */
HpProspects
hp_network_report_get_prospects (HpNetworkReport *self)
{
  g_return_val_if_fail (HP_IS_NETWORK_REPORT (self), HP_PROSPECTS_UNKNOWN);

  return self->prospects;
}

/**
 * hp_network_report_get_summary:
 * @self: a #HpNetworkReport
 *
 * Gets #HpNetworkReport:summary.
 *
 * Returns: (transfer none) (nullable): a text
 *
 * Since: 1.0
 */
const char *
hp_network_report_get_summary (HpNetworkReport *self)
{
  g_return_val_if_fail (HP_IS_NETWORK_REPORT (self), NULL);

  return self->summary;
}

/**
 * hp_network_report_get_nat:
 * @self: a #HpNetworkReport
 *
 * Gets #HpNetworkReport:nat.
 *
 * Returns: (transfer none) (nullable): facts about NATs
 *
 * Since: 1.0
 */
HpNatInfo *
hp_network_report_get_nat (HpNetworkReport *self)
{
  g_return_val_if_fail (HP_IS_NETWORK_REPORT (self), NULL);

  return self->nat;
}

/**
 * hp_network_report_get_hairpin:
 * @self: a #HpNetworkReport
 *
 * Gets #HpNetworkReport:hairpin.
 *
 * Returns: whether datagrams are turned round
 *
 * Since: 1.0
 */
HpNatHairpin
hp_network_report_get_hairpin (HpNetworkReport *self)
{
  g_return_val_if_fail (HP_IS_NETWORK_REPORT (self), HP_NAT_HAIRPIN_UNKNOWN);

  return self->nat != NULL ? hp_nat_info_get_hairpin (self->nat)
                           : HP_NAT_HAIRPIN_UNKNOWN;
}

/**
 * hp_network_report_get_udp_blocked:
 * @self: a #HpNetworkReport
 *
 * Gets #HpNetworkReport:udp-blocked.
 *
 * Returns: whether UDP does not pass
 *
 * Since: 1.0
 */
gboolean
hp_network_report_get_udp_blocked (HpNetworkReport *self)
{
  g_return_val_if_fail (HP_IS_NETWORK_REPORT (self), FALSE);

  return self->udp_blocked;
}

/**
 * hp_network_report_get_has_ipv6:
 * @self: a #HpNetworkReport
 *
 * Gets #HpNetworkReport:has-ipv6.
 *
 * Returns: whether there is IPv6
 *
 * Since: 1.0
 */
gboolean
hp_network_report_get_has_ipv6 (HpNetworkReport *self)
{
  g_return_val_if_fail (HP_IS_NETWORK_REPORT (self), FALSE);

  return self->has_ipv6;
}

/**
 * hp_network_report_get_public_addresses:
 * @self: a #HpNetworkReport
 *
 * Gets #HpNetworkReport:public-addresses.
 *
 * Returns: (transfer none) (array zero-terminated=1): addresses
 *
 * Since: 1.0
 */
const char *const *
hp_network_report_get_public_addresses (HpNetworkReport *self)
{
  g_return_val_if_fail (HP_IS_NETWORK_REPORT (self), NULL);

  return (const char *const *) self->public_addresses;
}

/**
 * hp_network_report_get_local_addresses:
 * @self: a #HpNetworkReport
 *
 * Gets #HpNetworkReport:local-addresses.
 *
 * Returns: (transfer none) (array zero-terminated=1): addresses
 *
 * Since: 1.0
 */
const char *const *
hp_network_report_get_local_addresses (HpNetworkReport *self)
{
  g_return_val_if_fail (HP_IS_NETWORK_REPORT (self), NULL);

  return (const char *const *) self->local_addresses;
}

/**
 * hp_network_report_get_port_mapping:
 * @self: a #HpNetworkReport
 *
 * Gets #HpNetworkReport:port-mapping.
 *
 * Returns: (transfer none) (nullable): a protocol
 *
 * Since: 1.0
 */
const char *
hp_network_report_get_port_mapping (HpNetworkReport *self)
{
  g_return_val_if_fail (HP_IS_NETWORK_REPORT (self), NULL);

  return self->port_mapping;
}

/**
 * hp_network_report_get_mapped_address:
 * @self: a #HpNetworkReport
 *
 * Gets #HpNetworkReport:mapped-address.
 *
 * Returns: (transfer none) (nullable): an address and port
 *
 * Since: 1.0
 */
GSocketAddress *
hp_network_report_get_mapped_address (HpNetworkReport *self)
{
  g_return_val_if_fail (HP_IS_NETWORK_REPORT (self), NULL);

  return self->mapped_address;
}

/**
 * hp_network_report_get_match_servers:
 * @self: a #HpNetworkReport
 *
 * Gets #HpNetworkReport:match-servers.
 *
 * Returns: (transfer none): a list of #HpServerReport
 *
 * Since: 1.0
 */
GListModel *
hp_network_report_get_match_servers (HpNetworkReport *self)
{
  g_return_val_if_fail (HP_IS_NETWORK_REPORT (self), NULL);

  return G_LIST_MODEL (self->match_servers);
}

/**
 * hp_network_report_get_stun_servers:
 * @self: a #HpNetworkReport
 *
 * Gets #HpNetworkReport:stun-servers.
 *
 * Returns: (transfer none): a list of #HpServerReport
 *
 * Since: 1.0
 */
GListModel *
hp_network_report_get_stun_servers (HpNetworkReport *self)
{
  g_return_val_if_fail (HP_IS_NETWORK_REPORT (self), NULL);

  return G_LIST_MODEL (self->stun_servers);
}

/**
 * hp_network_report_get_relays:
 * @self: a #HpNetworkReport
 *
 * Gets #HpNetworkReport:relays.
 *
 * Returns: (transfer none): a list of #HpServerReport
 *
 * Since: 1.0
 */
GListModel *
hp_network_report_get_relays (HpNetworkReport *self)
{
  g_return_val_if_fail (HP_IS_NETWORK_REPORT (self), NULL);

  return G_LIST_MODEL (self->relays);
}

/**
 * hp_network_report_get_attempts:
 * @self: a #HpNetworkReport
 *
 * Gets #HpNetworkReport:attempts.
 *
 * Returns: (transfer none) (array zero-terminated=1): sentences
 *
 * Since: 1.0
 */
const char *const *
hp_network_report_get_attempts (HpNetworkReport *self)
{
  g_return_val_if_fail (HP_IS_NETWORK_REPORT (self), NULL);

  return (const char *const *) self->attempts;
}
