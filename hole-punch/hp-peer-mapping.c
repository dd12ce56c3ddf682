/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-peer-mapping-private.h"

#include "hole-punch/hp-peer-links-private.h"
#include "hole-punch/hp-peer-match-private.h"
#include "hole-punch/hp-peer-relay-private.h"

#define SETTING                                                                \
  (G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS)
#define FIGURE                                                                 \
  (G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS)

/* What there is */

const HpAddress *
hp_peer_port_mapping_get_external (HpPeer *peer)
{
  HpPortMapping *mapping = hp_peer_get_private (peer)->mapping;

  return mapping != NULL ? hp_port_mapping_get_external (mapping) : NULL;
}

const char *
hp_peer_port_mapping_get_protocol (HpPeer *peer)
{
  HpPortMapping *mapping = hp_peer_get_private (peer)->mapping;

  return mapping != NULL ? hp_port_mapping_get_protocol (mapping) : NULL;
}

const HpAddress *
hp_peer_mapping_get_candidate (HpPeer *peer)
{
  const HpAddress *external = hp_peer_port_mapping_get_external (peer);

  return external != NULL
                 && hp_address_get_scope (external) == HP_SCOPE_GLOBAL
             ? external
             : NULL;
}

static void
update_mapped_address (HpPeer *peer)
{
  HpPeerPrivate *priv = hp_peer_get_private (peer);
  const HpAddress *mapped = hp_peer_mapping_get_candidate (peer);

  if (mapped == NULL && priv->mapped_address == NULL)
    return;
  g_clear_object (&priv->mapped_address);
  if (mapped != NULL)
    priv->mapped_address = hp_address_to_socket_address (mapped);
  g_object_notify (G_OBJECT (peer), "mapped-address");
}

static void
on_changed (gpointer user_data)
{
  HpPeer *peer = user_data;
  HpPeerPrivate *priv = hp_peer_get_private (peer);

  for (guint i = 0; i < priv->matches->len; i++)
    hp_peer_match_tell_candidates (priv->matches->pdata[i]);
  hp_peer_links_offer_candidates (peer);
  /* Last: a handler may close the peer */
  update_mapped_address (peer);
}

static void
on_closed (gpointer user_data)
{
  HpPeer *peer = user_data;
  HpPeerPrivate *priv = hp_peer_get_private (peer);

  g_clear_pointer (&priv->mapping, hp_port_mapping_free);
  if (priv->state == HP_PEER_CLOSING && priv->links->len == 0)
    hp_peer_links_gone (peer);
  else
    hp_peer_mapping_consider (peer);
}

/* Whether to ask */

static gboolean
has_private_source (HpEndpoint *endpoint, const HpAddress *server)
{
  HpAddress source;

  return server->family == HP_ADDRESS_IPV4
         && hp_address_get_scope (server) == HP_SCOPE_GLOBAL
         && hp_endpoint_get_source (endpoint, server, &source)
         && hp_address_is_private (&source);
}

static gboolean
sees_nat (HpEndpoint *endpoint, const HpPeerMatch *match)
{
  const HpAddress *observed = hp_match_client_get_observed (match->client);
  const HpAddress *server = hp_match_client_get_server (match->client);
  HpAddress source;

  if (observed == NULL)
    {
      for (guint i = 0; i < match->n_addresses; i++)
        if (has_private_source (endpoint, &match->addresses[i]))
          return TRUE;
      return FALSE;
    }
  return server != NULL && observed->family == HP_ADDRESS_IPV4
         && hp_match_client_get_socket (match->client) == 0
         && hp_endpoint_get_source (endpoint, server, &source)
         && !hp_address_same_host (&source, observed);
}

static gboolean
is_behind_nat (HpPeer *peer)
{
  HpPeerPrivate *priv = hp_peer_get_private (peer);

  for (guint i = 0; i < priv->matches->len; i++)
    if (sees_nat (priv->endpoint, priv->matches->pdata[i]))
      return TRUE;
  return FALSE;
}

void
hp_peer_mapping_consider (HpPeer *peer)
{
  HpPeerPrivate *priv = hp_peer_get_private (peer);
  HpPortMappingConfig config = {
    .context = priv->context,
    .random = hp_crypto_random,
    .with_upnp = TRUE,
    .changed = on_changed,
    .closed = on_closed,
    .user_data = peer,
  };

  if (!hp_peer_is_active (peer) || priv->mapping != NULL
      || !priv->port_mapping || hp_peer_relay_is_only (peer)
      || !is_behind_nat (peer))
    return;
  config.port = hp_endpoint_get_address (priv->endpoint)->port;
  priv->mapping = hp_port_mapping_new (&config);
}

void
hp_peer_mapping_network_changed (HpPeer *peer)
{
  HpPortMapping *mapping = hp_peer_get_private (peer)->mapping;

  if (mapping != NULL)
    hp_port_mapping_network_changed (mapping);
  else
    hp_peer_mapping_consider (peer);
}

void
hp_peer_mapping_check (HpPeer *peer)
{
  HpPortMapping *mapping = hp_peer_get_private (peer)->mapping;

  if (mapping != NULL)
    hp_port_mapping_check (mapping);
}

void
hp_peer_mapping_stop (HpPeer *peer)
{
  HpPortMapping *mapping = hp_peer_get_private (peer)->mapping;

  if (mapping == NULL)
    return;
  hp_port_mapping_close (mapping);
  update_mapped_address (peer);
}

gboolean
hp_peer_mapping_is_gone (HpPeer *peer)
{
  return hp_peer_get_private (peer)->mapping == NULL;
}

/* The properties */

GParamSpec *
hp_peer_port_mapping_spec (void)
{
  /**
   * HpPeer:port-mapping:
   *
   * Whether the peer asks its gateway for a port that leads to it, by PCP,
   * NAT-PMP or UPnP, when it is behind a NAT: others reach it there whatever
   * the NAT does otherwise. The port is kept for as long as the peer is
   * started, and given back when it is closed. See #HpPeer:mapped-address for
   * what came of it.
   *
   * Nothing is asked for with %HP_RELAY_POLICY_RELAY_ONLY, nor before a match
   * server has been found. A change takes effect at once.
   *
   * Since: 1.0
   */
  return g_param_spec_boolean ("port-mapping", "Port mapping",
                               "Whether to ask the gateway for a port", TRUE,
                               SETTING);
}

GParamSpec *
hp_peer_mapped_address_spec (void)
{
  /**
   * HpPeer:mapped-address:
   *
   * The public address and port that the gateway has given to the peer, see
   * #HpPeer:port-mapping; %NULL: none so far, or one that the Internet cannot
   * reach, since there is a further NAT.
   *
   * Since: 1.0
   */
  return g_param_spec_object ("mapped-address", "Mapped address",
                              "Address that the gateway has given",
                              G_TYPE_SOCKET_ADDRESS, FIGURE);
}

/**
 * hp_peer_get_port_mapping:
 * @self: a #HpPeer
 *
 * Gets #HpPeer:port-mapping.
 *
 * Returns: %TRUE if the gateway is asked for a port
 *
 * Since: 1.0
 */
gboolean
hp_peer_get_port_mapping (HpPeer *self)
{
  g_return_val_if_fail (HP_IS_PEER (self), FALSE);

  return hp_peer_get_private (self)->port_mapping;
}

/**
 * hp_peer_set_port_mapping:
 * @self: a #HpPeer
 * @port_mapping: %TRUE to ask the gateway for a port
 *
 * Sets #HpPeer:port-mapping.
 *
 * Since: 1.0
 */
void
hp_peer_set_port_mapping (HpPeer *self, gboolean port_mapping)
{
  HpPeerPrivate *priv;

  g_return_if_fail (HP_IS_PEER (self));

  priv = hp_peer_get_private (self);
  port_mapping = !!port_mapping;
  if (priv->port_mapping == port_mapping)
    return;
  priv->port_mapping = port_mapping;
  if (port_mapping)
    hp_peer_mapping_consider (self);
  else if (hp_peer_is_active (self))
    hp_peer_mapping_stop (self);
  g_object_notify (G_OBJECT (self), "port-mapping");
}

/**
 * hp_peer_get_mapped_address:
 * @self: a #HpPeer
 *
 * Gets #HpPeer:mapped-address.
 *
 * Returns: (transfer none) (nullable): an address
 *
 * Since: 1.0
 */
GSocketAddress *
hp_peer_get_mapped_address (HpPeer *self)
{
  g_return_val_if_fail (HP_IS_PEER (self), NULL);

  return hp_peer_get_private (self)->mapped_address;
}
