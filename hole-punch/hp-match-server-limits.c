/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-match-server-private.h"

/* Limits may change at any time. */
static void
set_limit (HpMatchServer *self, guint *limit, guint value,
           HpMatchServerProperty property)
{
  HpMatchServerPrivate *priv = hp_match_server_get_private (self);

  if (value == *limit)
    return;
  *limit = value;
  if (priv->run != NULL)
    hp_match_run_set_limits (priv->run, &priv->limits);
  hp_match_server_notify (self, property);
}

/**
 * hp_match_server_get_registration_lifetime:
 * @self: a #HpMatchServer
 *
 * Gets #HpMatchServer:registration-lifetime.
 *
 * Returns: seconds
 *
 * Since: 1.0
 */
guint
hp_match_server_get_registration_lifetime (HpMatchServer *self)
{
  g_return_val_if_fail (HP_IS_MATCH_SERVER (self), 0);

  return hp_match_server_get_private (self)->limits.registration_lifetime;
}

/**
 * hp_match_server_set_registration_lifetime:
 * @self: a #HpMatchServer
 * @seconds: seconds, from 1 to 86400
 *
 * Sets #HpMatchServer:registration-lifetime.
 *
 * Since: 1.0
 */
void
hp_match_server_set_registration_lifetime (HpMatchServer *self, guint seconds)
{
  HpMatchServerPrivate *priv;

  g_return_if_fail (HP_IS_MATCH_SERVER (self));
  g_return_if_fail (seconds >= 1 && seconds <= HP_MAX_REGISTRATION_LIFETIME);

  priv = hp_match_server_get_private (self);
  set_limit (self, &priv->limits.registration_lifetime, seconds,
             HP_MATCH_SERVER_PROP_REGISTRATION_LIFETIME);
}

/**
 * hp_match_server_get_max_peers:
 * @self: a #HpMatchServer
 *
 * Gets #HpMatchServer:max-peers.
 *
 * Returns: a number of peers
 *
 * Since: 1.0
 */
guint
hp_match_server_get_max_peers (HpMatchServer *self)
{
  g_return_val_if_fail (HP_IS_MATCH_SERVER (self), 0);

  return hp_match_server_get_private (self)->limits.max_peers;
}

/**
 * hp_match_server_set_max_peers:
 * @self: a #HpMatchServer
 * @max_peers: a number of peers, from 1 to 10000000
 *
 * Sets #HpMatchServer:max-peers.
 *
 * Since: 1.0
 */
void
hp_match_server_set_max_peers (HpMatchServer *self, guint max_peers)
{
  HpMatchServerPrivate *priv;

  g_return_if_fail (HP_IS_MATCH_SERVER (self));
  g_return_if_fail (max_peers >= 1 && max_peers <= HP_MAX_MAX_PEERS);

  priv = hp_match_server_get_private (self);
  set_limit (self, &priv->limits.max_peers, max_peers,
             HP_MATCH_SERVER_PROP_MAX_PEERS);
}

/**
 * hp_match_server_get_max_handshakes_per_second:
 * @self: a #HpMatchServer
 *
 * Gets #HpMatchServer:max-handshakes-per-second.
 *
 * Returns: a number of handshakes
 *
 * Since: 1.0
 */
guint
hp_match_server_get_max_handshakes_per_second (HpMatchServer *self)
{
  g_return_val_if_fail (HP_IS_MATCH_SERVER (self), 0);

  return hp_match_server_get_private (self)->limits.max_handshakes_per_second;
}

/**
 * hp_match_server_set_max_handshakes_per_second:
 * @self: a #HpMatchServer
 * @max_handshakes: a number of handshakes, from 1 to 1000000
 *
 * Sets #HpMatchServer:max-handshakes-per-second.
 *
 * Since: 1.0
 */
void
hp_match_server_set_max_handshakes_per_second (HpMatchServer *self,
                                               guint max_handshakes)
{
  HpMatchServerPrivate *priv;

  g_return_if_fail (HP_IS_MATCH_SERVER (self));
  g_return_if_fail (max_handshakes >= 1 && max_handshakes <= HP_MAX_RATE);

  priv = hp_match_server_get_private (self);
  set_limit (self, &priv->limits.max_handshakes_per_second, max_handshakes,
             HP_MATCH_SERVER_PROP_MAX_HANDSHAKES_PER_SECOND);
}

/**
 * hp_match_server_get_max_asks_per_minute:
 * @self: a #HpMatchServer
 *
 * Gets #HpMatchServer:max-asks-per-minute.
 *
 * Returns: a number of questions
 *
 * Since: 1.0
 */
guint
hp_match_server_get_max_asks_per_minute (HpMatchServer *self)
{
  g_return_val_if_fail (HP_IS_MATCH_SERVER (self), 0);

  return hp_match_server_get_private (self)->limits.max_asks_per_minute;
}

/**
 * hp_match_server_set_max_asks_per_minute:
 * @self: a #HpMatchServer
 * @max_asks: a number of questions, from 1 to 1000000
 *
 * Sets #HpMatchServer:max-asks-per-minute.
 *
 * Since: 1.0
 */
void
hp_match_server_set_max_asks_per_minute (HpMatchServer *self, guint max_asks)
{
  HpMatchServerPrivate *priv;

  g_return_if_fail (HP_IS_MATCH_SERVER (self));
  g_return_if_fail (max_asks >= 1 && max_asks <= HP_MAX_RATE);

  priv = hp_match_server_get_private (self);
  set_limit (self, &priv->limits.max_asks_per_minute, max_asks,
             HP_MATCH_SERVER_PROP_MAX_ASKS_PER_MINUTE);
}
