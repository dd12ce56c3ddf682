/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A peer's properties about relays. */

#include "hole-punch/hp-peer-relay-private.h"

#define SETTING                                                                \
  (G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS)

GParamSpec *
hp_peer_turn_servers_spec (void)
{
  /**
   * HpPeer:turn-servers:
   *
   * The TURN servers (RFC 8656) that relay for this peer where no direct path
   * is found, one or several separated by commas. Each is a URI as in RFC 7065,
   * with the user's name and password before the host:
   * `turn:USER:PASSWORD@HOST:PORT?transport=udp`. The port is 3478 unless
   * another one is given, 5349 with `turns:`.
   *
   * `turn:` is UDP, and TCP if that is not answered; with `?transport=udp` or
   * `?transport=tcp` it is only that. `turns:` is TLS over TCP, whose
   * certificate is verified: see #HpPeer:turn-tls-database. All that are given
   * are tried until one lets the peer in, UDP first, TLS last. What has a
   * meaning in a URI, as `:`, `@`, `/` and `,`, is percent-encoded in names and
   * passwords (`%3A`, `%40`, `%2F`, `%2C`).
   *
   * Nothing is allocated at a server before somebody is called or calls. It is
   * only asked in advance, over UDP, what that will need to be known: when the
   * peer starts, and every half minute behind a NAT that often needs a relay.
   *
   * %NULL: the match server is asked for some. A change while the peer is
   * started is for the next time that a relay is needed.
   *
   * Since: 1.0
   */
  return g_param_spec_string ("turn-servers", "TURN servers",
                              "Servers that relay for this peer", NULL,
                              SETTING);
}

GParamSpec *
hp_peer_relay_policy_spec (void)
{
  /**
   * HpPeer:relay-policy:
   *
   * Whether connections may go through a relay, or must. Cannot change while
   * the peer is started.
   *
   * Since: 1.0
   */
  return g_param_spec_enum ("relay-policy", "Relay policy",
                            "Whether to go through a relay",
                            HP_TYPE_RELAY_POLICY, HP_RELAY_POLICY_ALLOW_RELAY,
                            SETTING);
}

GParamSpec *
hp_peer_turn_tls_database_spec (void)
{
  /**
   * HpPeer:turn-tls-database:
   *
   * The certificates that a TURN server's is verified with when it is reached
   * by TLS; %NULL: those that the system trusts. A change is for the next time
   * that a relay is needed.
   *
   * Since: 1.0
   */
  return g_param_spec_object ("turn-tls-database", "TURN TLS database",
                              "Certificates that TURN servers are verified "
                              "with",
                              G_TYPE_TLS_DATABASE, SETTING);
}

/**
 * hp_peer_get_turn_servers:
 * @self: a #HpPeer
 *
 * Gets #HpPeer:turn-servers.
 *
 * Returns: (transfer none) (nullable): one or several TURN servers
 *
 * Since: 1.0
 */
const char *
hp_peer_get_turn_servers (HpPeer *self)
{
  g_return_val_if_fail (HP_IS_PEER (self), NULL);

  return hp_peer_get_private (self)->turn_servers;
}

/**
 * hp_peer_set_turn_servers:
 * @self: a #HpPeer
 * @turn_servers: (nullable): one or several TURN servers, %NULL or the empty
 *   string for none
 *
 * Sets #HpPeer:turn-servers. While the peer is started, a text that names no
 * TURN server is refused with a warning; before, it makes hp_peer_start_async()
 * fail with %G_IO_ERROR_INVALID_ARGUMENT.
 *
 * Since: 1.0
 */
void
hp_peer_set_turn_servers (HpPeer *self, const char *turn_servers)
{
  HpPeerPrivate *priv;
  g_autoptr (GPtrArray) servers = NULL;
  g_autoptr (GError) error = NULL;

  g_return_if_fail (HP_IS_PEER (self));

  priv = hp_peer_get_private (self);
  if (turn_servers != NULL && *turn_servers == '\0')
    turn_servers = NULL;
  if (g_strcmp0 (priv->turn_servers, turn_servers) == 0)
    return;
  servers = hp_relay_servers_parse (turn_servers, &error);
  if (hp_peer_is_active (self) && servers == NULL)
    {
      g_warning ("HpPeer:turn-servers: %s", error->message);
      return;
    }
  g_free (priv->turn_servers);
  priv->turn_servers = g_strdup (turn_servers);
  hp_peer_relay_prepare (self);
  g_object_notify (G_OBJECT (self), "turn-servers");
}

/**
 * hp_peer_get_relay_policy:
 * @self: a #HpPeer
 *
 * Gets #HpPeer:relay-policy.
 *
 * Returns: whether to go through a relay
 *
 * Since: 1.0
 */
HpRelayPolicy
hp_peer_get_relay_policy (HpPeer *self)
{
  g_return_val_if_fail (HP_IS_PEER (self), HP_RELAY_POLICY_ALLOW_RELAY);

  return hp_peer_get_private (self)->relay_policy;
}

/**
 * hp_peer_set_relay_policy:
 * @self: a #HpPeer
 * @policy: whether to go through a relay
 *
 * Sets #HpPeer:relay-policy. Refused with a warning while the peer is started.
 *
 * Since: 1.0
 */
void
hp_peer_set_relay_policy (HpPeer *self, HpRelayPolicy policy)
{
  HpPeerPrivate *priv;

  g_return_if_fail (HP_IS_PEER (self));

  priv = hp_peer_get_private (self);
  if (priv->relay_policy == policy)
    return;
  if (hp_peer_is_active (self))
    {
      g_warning ("HpPeer:relay-policy cannot change while the peer is "
                 "started");
      return;
    }
  priv->relay_policy = policy;
  g_object_notify (G_OBJECT (self), "relay-policy");
}

/**
 * hp_peer_get_turn_tls_database:
 * @self: a #HpPeer
 *
 * Gets #HpPeer:turn-tls-database.
 *
 * Returns: (transfer none) (nullable): certificates, %NULL for the system's
 *
 * Since: 1.0
 */
GTlsDatabase *
hp_peer_get_turn_tls_database (HpPeer *self)
{
  g_return_val_if_fail (HP_IS_PEER (self), NULL);

  return hp_peer_get_private (self)->turn_tls_database;
}

/**
 * hp_peer_set_turn_tls_database:
 * @self: a #HpPeer
 * @database: (nullable): certificates, %NULL for the system's
 *
 * Sets #HpPeer:turn-tls-database.
 *
 * Since: 1.0
 */
void
hp_peer_set_turn_tls_database (HpPeer *self, GTlsDatabase *database)
{
  g_return_if_fail (HP_IS_PEER (self));
  g_return_if_fail (database == NULL || G_IS_TLS_DATABASE (database));

  if (!g_set_object (&hp_peer_get_private (self)->turn_tls_database, database))
    return;
  hp_peer_relay_prepare (self);
  g_object_notify (G_OBJECT (self), "turn-tls-database");
}
