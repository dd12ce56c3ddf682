/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-peer-report-private.h"

#include <string.h>

#include "hole-punch/hp-nat-info-private.h"
#include "hole-punch/hp-peer-mapping-private.h"
#include "hole-punch/hp-peer-nat-private.h"
#include "hole-punch/hp-peer-relay-private.h"
#include "hole-punch/hp-server-report-private.h"
#include "hole-punch/io/hp-interfaces.h"
#include "hole-punch/nat/hp-candidate.h"

/* Ports are nobody's business: those of a check are gone after it. */
static void
add_host (GPtrArray *hosts, const HpAddress *address)
{
  g_autoptr (GSocketAddress) socket = hp_address_to_socket_address (address);
  g_autofree char *host = g_inet_address_to_string (
      g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (socket)));

  if (!g_ptr_array_find_with_equal_func (hosts, host, g_str_equal, NULL))
    g_ptr_array_add (hosts, g_steal_pointer (&host));
}

static void
collect_addresses (HpPeer *peer, HpNetworkReportValues *values)
{
  HpPeerPrivate *priv = hp_peer_get_private (peer);
  HpAddress addresses[HP_MAX_HOST_CANDIDATES];
  guint n = hp_interfaces_list (addresses, G_N_ELEMENTS (addresses), 1, TRUE);
  HpAddress address;

  for (guint i = 0; i < n; i++)
    add_host (values->local_addresses, &addresses[i]);
  for (guint i = 0; i < priv->matches->len; i++)
    {
      HpPeerMatch *match = priv->matches->pdata[i];

      if (hp_match_client_get_public (match->client, HP_ADDRESS_IPV4, &address))
        add_host (values->public_addresses, &address);
      if (hp_match_client_get_public (match->client, HP_ADDRESS_IPV6, &address))
        add_host (values->public_addresses, &address);
    }
  if (priv->nat_info != NULL && values->public_addresses->len == 0
      && hp_nat_info_get_public_address (priv->nat_info) != NULL
      && hp_address_from_socket_address (
          &address, hp_nat_info_get_public_address (priv->nat_info)))
    add_host (values->public_addresses, &address);
}

static void
collect_mapping (HpPeer *peer, HpNetworkReportValues *values)
{
  const HpAddress *mapped = hp_peer_mapping_get_candidate (peer);

  values->port_mapping = g_strdup (hp_peer_port_mapping_get_protocol (peer));
  if (mapped != NULL)
    values->mapped_address = hp_address_to_socket_address (mapped);
}

/* Match servers */

static char *
name_server (const char *host, guint port)
{
  return strchr (host, ':') != NULL ? g_strdup_printf ("[%s]:%u", host, port)
                                    : g_strdup_printf ("%s:%u", host, port);
}

static void
collect_match (HpPeerMatch *match, HpNetworkReportValues *values)
{
  g_autofree char *name = name_server (match->name->host, match->name->port);
  HpServerReportValues server = {
    .kind = HP_SERVER_KIND_MATCH,
    .name = name,
    .reachable = hp_match_client_is_connected (match->client),
    .round_trip_time = -1,
    .transport = "UDP",
  };

  if (match->n_addresses > 0)
    server.address = match->addresses[0];
  if (server.reachable)
    {
      server.address = *hp_match_client_get_server (match->client);
      server.round_trip_time = hp_match_client_get_round_trip (match->client);
      if (hp_match_client_get_socket (match->client) != 0)
        server.transport = "relay";
    }
  if (match->error != NULL)
    server.problem = match->error->message;
  else if (!server.reachable)
    server.problem = match->n_addresses > 0 ? "it does not answer"
                                            : "its name is not resolved";
  g_ptr_array_add (values->servers, hp_server_report_new (&server));
}

/* Relays */

char *
hp_peer_report_name_relay (const HpRelayServer *server)
{
  g_autofree char *name = name_server (server->host, server->port);

  return g_strdup_printf (
      "%s:%s?transport=%s",
      server->transport == HP_RELAY_TLS ? "turns" : "turn", name,
      server->transport == HP_RELAY_UDP ? "udp" : "tcp");
}

static void
collect_relay (HpPeer *peer, HpNetworkReportValues *values)
{
  const HpRelay *relay = hp_peer_relay_get_ready (peer);
  g_autofree char *name = NULL;
  HpServerReportValues server = { .kind = HP_SERVER_KIND_RELAY };

  if (relay == NULL)
    return;
  name = hp_peer_report_name_relay (hp_relay_get_server (relay));
  server.name = name;
  server.transport
      = hp_relay_transport_get_name (hp_relay_get_transport (relay));
  server.reachable = TRUE;
  server.round_trip_time = hp_relay_get_round_trip (relay);
  g_ptr_array_add (values->servers, hp_server_report_new (&server));
}

void
hp_peer_report_collect (HpPeer *peer, HpNetworkReportValues *values)
{
  HpPeerPrivate *priv = hp_peer_get_private (peer);

  hp_network_report_values_init (values);
  values->relay_policy = priv->relay_policy;
  if (priv->nat_info != NULL)
    values->nat = g_object_ref (priv->nat_info);
  collect_addresses (peer, values);
  collect_mapping (peer, values);
  for (guint i = 0; i < priv->matches->len; i++)
    collect_match (priv->matches->pdata[i], values);
  collect_relay (peer, values);
}

/* The newest one */

void
hp_peer_report_set (HpPeer *peer, HpNetworkReport *report)
{
  HpPeerPrivate *priv = hp_peer_get_private (peer);

  g_clear_object (&priv->network_report);
  priv->network_report = report;
}

void
hp_peer_report_failure (HpPeer *peer, GPtrArray *attempts)
{
  HpNetworkReportValues values;

  hp_peer_report_collect (peer, &values);
  if (attempts != NULL)
    {
      g_ptr_array_unref (values.attempts);
      values.attempts = attempts;
    }
  hp_peer_report_set (peer, hp_network_report_new (&values));
}

GParamSpec *
hp_peer_network_report_spec (void)
{
  /**
   * HpPeer:network-report:
   *
   * The newest report on the network: of hp_peer_check_network_async(), or of
   * the last start or call that failed, with what was tried in
   * #HpNetworkReport:attempts; %NULL: there was neither.
   *
   * Since: 1.0
   */
  return g_param_spec_object (
      "network-report", "Network report", "The newest report on the network",
      HP_TYPE_NETWORK_REPORT,
      G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
}

/**
 * hp_peer_get_network_report:
 * @self: a #HpPeer
 *
 * Gets #HpPeer:network-report.
 *
 * Returns: (transfer none) (nullable): the newest report, or %NULL
 *
 * Since: 1.0
 */
HpNetworkReport *
hp_peer_get_network_report (HpPeer *self)
{
  g_return_val_if_fail (HP_IS_PEER (self), NULL);

  return hp_peer_get_private (self)->network_report;
}
