/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The settings and figures of a peer, one function each; what bounds memory is
 * in hp-peer-limits.c */

#include "hole-punch/hp-peer-private.h"

#include <string.h>

#include "hole-punch/hp-peer-links-private.h"
#include "hole-punch/hp-peer-match-private.h"

static gboolean
refuse_when_active (HpPeer *self, const char *property)
{
  if (hp_peer_get_private (self)->state == HP_PEER_IDLE)
    return FALSE;
  g_warning ("HpPeer:%s cannot change while the peer is started", property);
  return TRUE;
}

static const char *
null_if_empty (const char *text)
{
  return text != NULL && *text != '\0' ? text : NULL;
}

static void
set_uint (HpPeer *self, guint *setting, guint value, const char *property)
{
  if (*setting == value)
    return;
  *setting = value;
  g_object_notify (G_OBJECT (self), property);
}

/**
 * hp_peer_get_id:
 * @self: a #HpPeer
 *
 * Gets #HpPeer:id.
 *
 * Returns: (transfer none) (nullable): an id
 *
 * Since: 1.0
 */
const char *
hp_peer_get_id (HpPeer *self)
{
  g_return_val_if_fail (HP_IS_PEER (self), NULL);

  return hp_peer_get_private (self)->id;
}

/**
 * hp_peer_set_id:
 * @self: a #HpPeer
 * @id: (nullable): an id, %NULL or the empty string for none
 *
 * Sets #HpPeer:id. While the peer is started, a text that cannot be an id is
 * refused with a warning; before, it makes hp_peer_start_async() fail.
 *
 * Since: 1.0
 */
void
hp_peer_set_id (HpPeer *self, const char *id)
{
  HpPeerPrivate *priv;

  g_return_if_fail (HP_IS_PEER (self));

  priv = hp_peer_get_private (self);
  id = null_if_empty (id);
  if (g_strcmp0 (priv->id, id) == 0)
    return;
  if (hp_peer_is_active (self) && id != NULL
      && !hp_id_is_valid (id, strlen (id)))
    {
      g_warning ("HpPeer:id: “%s” cannot be an id", id);
      return;
    }

  g_free (priv->id);
  priv->id = g_strdup (id);
  g_object_notify (G_OBJECT (self), "id");
  if (!hp_peer_is_active (self))
    return;
  for (guint i = 0; i < priv->matches->len; i++)
    hp_peer_match_register (priv->matches->pdata[i]);
  hp_peer_update_presence (self);
}

/**
 * hp_peer_get_match_server:
 * @self: a #HpPeer
 *
 * Gets #HpPeer:match-server.
 *
 * Returns: (transfer none) (nullable): one or several match servers
 *
 * Since: 1.0
 */
const char *
hp_peer_get_match_server (HpPeer *self)
{
  g_return_val_if_fail (HP_IS_PEER (self), NULL);

  return hp_peer_get_private (self)->match_server;
}

/**
 * hp_peer_set_match_server:
 * @self: a #HpPeer
 * @match_server: (nullable): one or several match servers, %NULL or the empty
 *   string for none
 *
 * Sets #HpPeer:match-server. While the peer is started, a text that names no
 * match server is refused with a warning; before, it makes
 * hp_peer_start_async() fail.
 *
 * A host with several addresses is several servers behind one name: the peer
 * has a session with one of them, by chance. When that says good-bye, the peer
 * is with another within half a second or, without another, asks the same one
 * again within two. When it dies in silence, the peer notices within
 * #HpPeer:keepalive-interval and two seconds. The name is resolved again until
 * one of its addresses answers. Connections to other peers are not touched.
 * Such servers must have the same #HpMatchServer:identity, and share their
 * registrations (#HpMatchServer:registry).
 *
 * Of several hosts, separated by commas, nothing needs to be the same: the peer
 * is registered at each of them, so that it is not missed while one is away.
 *
 * Since: 1.0
 */
void
hp_peer_set_match_server (HpPeer *self, const char *match_server)
{
  HpPeerPrivate *priv;
  g_autoptr (GPtrArray) names = NULL;
  g_autoptr (GError) error = NULL;

  g_return_if_fail (HP_IS_PEER (self));

  priv = hp_peer_get_private (self);
  match_server = null_if_empty (match_server);
  if (g_strcmp0 (priv->match_server, match_server) == 0)
    return;
  names = hp_server_names_parse (match_server, &error);
  if (hp_peer_is_active (self) && names == NULL)
    {
      g_warning ("HpPeer:match-server: %s", error->message);
      return;
    }

  g_free (priv->match_server);
  priv->match_server = g_strdup (match_server);
  g_object_notify (G_OBJECT (self), "match-server");
  if (hp_peer_is_active (self))
    hp_peer_replace_matches (self, names);
}

/**
 * hp_peer_get_identity:
 * @self: a #HpPeer
 *
 * Gets #HpPeer:identity.
 *
 * Returns: (transfer none): an identity
 *
 * Since: 1.0
 */
HpIdentity *
hp_peer_get_identity (HpPeer *self)
{
  g_return_val_if_fail (HP_IS_PEER (self), NULL);

  return hp_peer_get_private (self)->identity;
}

/**
 * hp_peer_set_identity:
 * @self: a #HpPeer
 * @identity: an identity
 *
 * Sets #HpPeer:identity. Refused with a warning while the peer is started.
 *
 * Since: 1.0
 */
void
hp_peer_set_identity (HpPeer *self, HpIdentity *identity)
{
  HpPeerPrivate *priv;

  g_return_if_fail (HP_IS_PEER (self));
  g_return_if_fail (HP_IS_IDENTITY (identity));

  priv = hp_peer_get_private (self);
  if (priv->identity == identity || refuse_when_active (self, "identity"))
    return;
  g_set_object (&priv->identity, identity);
  g_object_notify (G_OBJECT (self), "identity");
}

/**
 * hp_peer_get_port:
 * @self: a #HpPeer
 *
 * Gets #HpPeer:port.
 *
 * Returns: a UDP port, 0: any free one
 *
 * Since: 1.0
 */
guint
hp_peer_get_port (HpPeer *self)
{
  g_return_val_if_fail (HP_IS_PEER (self), 0);

  return hp_peer_get_private (self)->port;
}

/**
 * hp_peer_set_port:
 * @self: a #HpPeer
 * @port: a UDP port, 0: any free one
 *
 * Sets #HpPeer:port. Refused with a warning while the peer is started.
 *
 * Since: 1.0
 */
void
hp_peer_set_port (HpPeer *self, guint port)
{
  HpPeerPrivate *priv;

  g_return_if_fail (HP_IS_PEER (self));
  g_return_if_fail (port <= G_MAXUINT16);

  priv = hp_peer_get_private (self);
  if (priv->port != port && !refuse_when_active (self, "port"))
    set_uint (self, &priv->port, port, "port");
}

/**
 * hp_peer_get_datagram_size:
 * @self: a #HpPeer
 *
 * Gets #HpPeer:datagram-size.
 *
 * Returns: bytes of UDP payload
 *
 * Since: 1.0
 */
guint
hp_peer_get_datagram_size (HpPeer *self)
{
  g_return_val_if_fail (HP_IS_PEER (self), 0);

  return hp_peer_get_private (self)->datagram_size;
}

/**
 * hp_peer_set_datagram_size:
 * @self: a #HpPeer
 * @datagram_size: bytes of UDP payload, 512 to 65507
 *
 * Sets #HpPeer:datagram-size, for connections yet to come.
 *
 * Since: 1.0
 */
void
hp_peer_set_datagram_size (HpPeer *self, guint datagram_size)
{
  HpPeerPrivate *priv;

  g_return_if_fail (HP_IS_PEER (self));
  g_return_if_fail (datagram_size >= HP_DATAGRAM_SIZE_MIN
                    && datagram_size <= HP_DATAGRAM_SIZE_MAX);

  priv = hp_peer_get_private (self);
  set_uint (self, &priv->datagram_size, datagram_size, "datagram-size");
}

/**
 * hp_peer_get_max_datagram_size:
 * @self: a #HpPeer
 *
 * Gets #HpPeer:max-datagram-size.
 *
 * Returns: bytes of UDP payload, or 0: what the interface carries
 *
 * Since: 1.0
 */
guint
hp_peer_get_max_datagram_size (HpPeer *self)
{
  g_return_val_if_fail (HP_IS_PEER (self), 0);

  return hp_peer_get_private (self)->max_datagram_size;
}

/**
 * hp_peer_set_max_datagram_size:
 * @self: a #HpPeer
 * @max_datagram_size: bytes of UDP payload, up to 65507, or 0: what the
 *   interface carries
 *
 * Sets #HpPeer:max-datagram-size, for connections yet to come.
 *
 * Since: 1.0
 */
void
hp_peer_set_max_datagram_size (HpPeer *self, guint max_datagram_size)
{
  HpPeerPrivate *priv;

  g_return_if_fail (HP_IS_PEER (self));
  g_return_if_fail (max_datagram_size <= HP_DATAGRAM_SIZE_MAX);

  priv = hp_peer_get_private (self);
  set_uint (self, &priv->max_datagram_size, max_datagram_size,
            "max-datagram-size");
}

/**
 * hp_peer_get_keepalive_interval:
 * @self: a #HpPeer
 *
 * Gets #HpPeer:keepalive-interval.
 *
 * Returns: seconds
 *
 * Since: 1.0
 */
guint
hp_peer_get_keepalive_interval (HpPeer *self)
{
  g_return_val_if_fail (HP_IS_PEER (self), 0);

  return hp_peer_get_private (self)->keepalive_interval;
}

/**
 * hp_peer_set_keepalive_interval:
 * @self: a #HpPeer
 * @seconds: seconds, 1 to 3600
 *
 * Sets #HpPeer:keepalive-interval.
 *
 * Since: 1.0
 */
void
hp_peer_set_keepalive_interval (HpPeer *self, guint seconds)
{
  HpPeerPrivate *priv;

  g_return_if_fail (HP_IS_PEER (self));
  g_return_if_fail (seconds >= 1 && seconds <= HP_PEER_MAX_SECONDS);

  priv = hp_peer_get_private (self);
  for (guint i = 0; hp_peer_is_active (self) && i < priv->matches->len; i++)
    hp_peer_match_set_keepalive_interval (priv->matches->pdata[i], seconds);
  set_uint (self, &priv->keepalive_interval, seconds, "keepalive-interval");
}

/**
 * hp_peer_get_connect_timeout:
 * @self: a #HpPeer
 *
 * Gets #HpPeer:connect-timeout.
 *
 * Returns: seconds
 *
 * Since: 1.0
 */
guint
hp_peer_get_connect_timeout (HpPeer *self)
{
  g_return_val_if_fail (HP_IS_PEER (self), 0);

  return hp_peer_get_private (self)->connect_timeout;
}

/**
 * hp_peer_set_connect_timeout:
 * @self: a #HpPeer
 * @seconds: seconds, 1 to 3600
 *
 * Sets #HpPeer:connect-timeout, for calls yet to come.
 *
 * Since: 1.0
 */
void
hp_peer_set_connect_timeout (HpPeer *self, guint seconds)
{
  HpPeerPrivate *priv;

  g_return_if_fail (HP_IS_PEER (self));
  g_return_if_fail (seconds >= 1 && seconds <= HP_PEER_MAX_SECONDS);

  priv = hp_peer_get_private (self);
  set_uint (self, &priv->connect_timeout, seconds, "connect-timeout");
}

/**
 * hp_peer_get_max_nat_entries:
 * @self: a #HpPeer
 *
 * Gets #HpPeer:max-nat-entries.
 *
 * Returns: a number of NAT entries
 *
 * Since: 1.0
 */
guint
hp_peer_get_max_nat_entries (HpPeer *self)
{
  g_return_val_if_fail (HP_IS_PEER (self), 0);

  return hp_peer_links_get_max_nat_entries ();
}

/**
 * hp_peer_set_max_nat_entries:
 * @self: a #HpPeer
 * @max_nat_entries: a number of NAT entries, 1 to 65535
 *
 * Sets #HpPeer:max-nat-entries, for all peers of the process.
 *
 * Since: 1.0
 */
void
hp_peer_set_max_nat_entries (HpPeer *self, guint max_nat_entries)
{
  g_return_if_fail (HP_IS_PEER (self));
  g_return_if_fail (max_nat_entries >= 1
                    && max_nat_entries <= HP_PEER_MAX_NAT_ENTRIES);

  if (hp_peer_links_get_max_nat_entries () == max_nat_entries)
    return;
  hp_peer_links_set_max_nat_entries (max_nat_entries);
  g_object_notify (G_OBJECT (self), "max-nat-entries");
}

/**
 * hp_peer_get_direct_calls:
 * @self: a #HpPeer
 *
 * Gets #HpPeer:direct-calls.
 *
 * Returns: %TRUE if direct calls are answered
 *
 * Since: 1.0
 */
gboolean
hp_peer_get_direct_calls (HpPeer *self)
{
  g_return_val_if_fail (HP_IS_PEER (self), FALSE);

  return hp_peer_get_private (self)->direct_calls;
}

/**
 * hp_peer_set_direct_calls:
 * @self: a #HpPeer
 * @direct_calls: %TRUE to answer direct calls
 *
 * Sets #HpPeer:direct-calls.
 *
 * Since: 1.0
 */
void
hp_peer_set_direct_calls (HpPeer *self, gboolean direct_calls)
{
  HpPeerPrivate *priv;

  g_return_if_fail (HP_IS_PEER (self));

  priv = hp_peer_get_private (self);
  direct_calls = !!direct_calls;
  if (priv->direct_calls == direct_calls)
    return;
  priv->direct_calls = direct_calls;
  g_object_notify (G_OBJECT (self), "direct-calls");
}

/**
 * hp_peer_get_registered:
 * @self: a #HpPeer
 *
 * Gets #HpPeer:registered.
 *
 * Returns: %TRUE if the id can be called
 *
 * Since: 1.0
 */
gboolean
hp_peer_get_registered (HpPeer *self)
{
  g_return_val_if_fail (HP_IS_PEER (self), FALSE);

  return hp_peer_get_private (self)->registered;
}

/**
 * hp_peer_get_local_address:
 * @self: a #HpPeer
 *
 * Gets #HpPeer:local-address.
 *
 * Returns: (transfer none) (nullable): an address
 *
 * Since: 1.0
 */
GSocketAddress *
hp_peer_get_local_address (HpPeer *self)
{
  g_return_val_if_fail (HP_IS_PEER (self), NULL);

  return hp_peer_get_private (self)->local_address;
}

/**
 * hp_peer_get_public_address:
 * @self: a #HpPeer
 *
 * Gets #HpPeer:public-address.
 *
 * Returns: (transfer none) (nullable): an address
 *
 * Since: 1.0
 */
GSocketAddress *
hp_peer_get_public_address (HpPeer *self)
{
  g_return_val_if_fail (HP_IS_PEER (self), NULL);

  return hp_peer_get_private (self)->public_address;
}

/**
 * hp_peer_get_connections:
 * @self: a #HpPeer
 *
 * Gets #HpPeer:connections.
 *
 * Returns: (transfer none): a list of #HpConnection
 *
 * Since: 1.0
 */
GListModel *
hp_peer_get_connections (HpPeer *self)
{
  g_return_val_if_fail (HP_IS_PEER (self), NULL);

  return G_LIST_MODEL (hp_peer_get_private (self)->connections);
}
