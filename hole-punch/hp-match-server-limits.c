/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-match-server-private.h"

#define DEFAULT_REGISTRATION_LIFETIME 120
#define DEFAULT_MAX_PEERS 100000
#define DEFAULT_MAX_HANDSHAKES_PER_SECOND 100
#define DEFAULT_MAX_ASKS_PER_MINUTE 60
#define DEFAULT_MAX_TOTAL_HANDSHAKES_PER_SECOND 2000
#define DEFAULT_MAX_REGISTRATIONS_PER_NETWORK 10000
#define DEFAULT_MAX_STUN_PER_SECOND 400

/* Where it is, of each property that is a limit */
static const gsize offsets[HP_MATCH_SERVER_N_PROPERTIES] = {
  [HP_MATCH_SERVER_PROP_REGISTRATION_LIFETIME]
  = G_STRUCT_OFFSET (HpMatchLimits, registration_lifetime),
  [HP_MATCH_SERVER_PROP_MAX_PEERS]
  = G_STRUCT_OFFSET (HpMatchLimits, max_peers),
  [HP_MATCH_SERVER_PROP_MAX_HANDSHAKES_PER_SECOND]
  = G_STRUCT_OFFSET (HpMatchLimits, max_handshakes_per_second),
  [HP_MATCH_SERVER_PROP_MAX_ASKS_PER_MINUTE]
  = G_STRUCT_OFFSET (HpMatchLimits, max_asks_per_minute),
  [HP_MATCH_SERVER_PROP_MAX_TOTAL_HANDSHAKES_PER_SECOND]
  = G_STRUCT_OFFSET (HpMatchLimits, max_total_handshakes_per_second),
  [HP_MATCH_SERVER_PROP_MAX_REGISTRATIONS_PER_NETWORK]
  = G_STRUCT_OFFSET (HpMatchLimits, max_registrations_per_network),
  [HP_MATCH_SERVER_PROP_MAX_STUN_PER_SECOND]
  = G_STRUCT_OFFSET (HpMatchLimits, max_stun_per_second),
};

void
hp_match_server_install_limits (GParamSpec **properties)
{
  const GParamFlags flags
      = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

  /**
   * HpMatchServer:registration-lifetime:
   *
   * For how many seconds a registered peer counts as present without being
   * heard of. Present peers refresh their registration in time by themselves.
   * Its id stays its own for much longer, a month, if its identity is one that
   * was saved. May be changed at any time, for registrations from then on.
   *
   * Since: 1.0
   */
  properties[HP_MATCH_SERVER_PROP_REGISTRATION_LIFETIME] = g_param_spec_uint (
      "registration-lifetime", "Registration lifetime",
      "Seconds of presence without a refresh", 1, HP_MAX_REGISTRATION_LIFETIME,
      DEFAULT_REGISTRATION_LIFETIME, flags);
  /**
   * HpMatchServer:max-peers:
   *
   * The most peers at a time; further ones are not answered. A peer takes some
   * hundred bytes. May be changed at any time; nobody is sent away.
   *
   * Since: 1.0
   */
  properties[HP_MATCH_SERVER_PROP_MAX_PEERS]
      = g_param_spec_uint ("max-peers", "Max peers", "Most peers at a time", 1,
                           HP_MAX_MAX_PEERS, DEFAULT_MAX_PEERS, flags);
  /**
   * HpMatchServer:max-handshakes-per-second:
   *
   * The most handshakes, which are what costs a server most, that one network
   * (a /24 of IPv4, a /48 of IPv6) may begin each second. May be changed at any
   * time.
   *
   * Since: 1.0
   */
  properties[HP_MATCH_SERVER_PROP_MAX_HANDSHAKES_PER_SECOND]
      = g_param_spec_uint ("max-handshakes-per-second",
                           "Max handshakes per second",
                           "Most handshakes of one network each second", 1,
                           HP_MAX_RATE, DEFAULT_MAX_HANDSHAKES_PER_SECOND,
                           flags);
  /**
   * HpMatchServer:max-asks-per-minute:
   *
   * How often one identity may ask for other peers, each minute; one network (a
   * /24 of IPv4, a /48 of IPv6) may ten times as often. May be changed at any
   * time.
   *
   * Since: 1.0
   */
  properties[HP_MATCH_SERVER_PROP_MAX_ASKS_PER_MINUTE]
      = g_param_spec_uint ("max-asks-per-minute", "Max asks per minute",
                           "Most questions of one identity each minute", 1,
                           HP_MAX_RATE, DEFAULT_MAX_ASKS_PER_MINUTE, flags);
  /**
   * HpMatchServer:max-total-handshakes-per-second:
   *
   * The most handshakes that all networks together may begin each second, for
   * each worker: however many there are that want one, there is time left for
   * the peers that are there. May be changed at any time.
   *
   * Since: 1.0
   */
  properties[HP_MATCH_SERVER_PROP_MAX_TOTAL_HANDSHAKES_PER_SECOND]
      = g_param_spec_uint ("max-total-handshakes-per-second",
                           "Max total handshakes per second",
                           "Most handshakes of all networks each second",
                           1, HP_MAX_RATE,
                           DEFAULT_MAX_TOTAL_HANDSHAKES_PER_SECOND, flags);
  /**
   * HpMatchServer:max-registrations-per-network:
   *
   * The most ids that the peers of one network (a /24 of IPv4, a /48 of IPv6)
   * may have registered at a time, for each worker. May be changed at any time;
   * nobody is sent away.
   *
   * Since: 1.0
   */
  properties[HP_MATCH_SERVER_PROP_MAX_REGISTRATIONS_PER_NETWORK]
      = g_param_spec_uint ("max-registrations-per-network",
                           "Max registrations per network",
                           "Most registered ids of one network",
                           1, HP_MAX_MAX_PEERS,
                           DEFAULT_MAX_REGISTRATIONS_PER_NETWORK, flags);
  /**
   * HpMatchServer:max-stun-per-second:
   *
   * The most STUN Binding requests (RFC 8489) of one network (a /24 of IPv4, a
   * /48 of IPv6) that are answered each second. Twenty peers that start at once
   * behind one address, whose NAT gives every question another port, ask 400
   * times. May be changed at any time.
   *
   * Since: 1.0
   */
  properties[HP_MATCH_SERVER_PROP_MAX_STUN_PER_SECOND]
      = g_param_spec_uint ("max-stun-per-second",
                           "Max STUN per second",
                           "Most answers to STUN for one network each second",
                           1, HP_MAX_RATE,
                           DEFAULT_MAX_STUN_PER_SECOND, flags);
}

void
hp_match_server_init_limits (HpMatchServerPrivate *priv)
{
  priv->limits = (HpMatchLimits){
    .registration_lifetime = DEFAULT_REGISTRATION_LIFETIME,
    .max_peers = DEFAULT_MAX_PEERS,
    .max_handshakes_per_second = DEFAULT_MAX_HANDSHAKES_PER_SECOND,
    .max_asks_per_minute = DEFAULT_MAX_ASKS_PER_MINUTE,
    .max_total_handshakes_per_second
    = DEFAULT_MAX_TOTAL_HANDSHAKES_PER_SECOND,
    .max_registrations_per_network
    = DEFAULT_MAX_REGISTRATIONS_PER_NETWORK,
    .max_stun_per_second = DEFAULT_MAX_STUN_PER_SECOND,
  };
}

guint *
hp_match_server_get_limit (HpMatchServerPrivate *priv,
                           HpMatchServerProperty property)
{
  return &G_STRUCT_MEMBER (guint, &priv->limits, offsets[property]);
}

void
hp_match_server_set_limit (HpMatchServer *self, HpMatchServerProperty property,
                           guint value)
{
  HpMatchServerPrivate *priv = hp_match_server_get_private (self);
  guint *limit = hp_match_server_get_limit (priv, property);

  if (value == *limit)
    return;
  *limit = value;
  if (priv->run != NULL)
    hp_match_run_set_limits (priv->run, &priv->limits);
  hp_match_server_notify (self, property);
}

/**
 * hp_match_server_review_registrations:
 * @self: a #HpMatchServer
 *
 * Has everybody who is registered authorized anew, by
 * #HpMatchServer::authorize-registration, with the next refresh of the
 * registration, which is within a third of
 * #HpMatchServer:registration-lifetime. Who is not allowed any more is no
 * longer registered. For when who may register has changed; else a registration
 * is authorized once, however often it is refreshed.
 *
 * Since: 1.0
 */
void
hp_match_server_review_registrations (HpMatchServer *self)
{
  HpMatchServerPrivate *priv;

  g_return_if_fail (HP_IS_MATCH_SERVER (self));

  priv = hp_match_server_get_private (self);
  priv->limits.review++;
  if (priv->run != NULL)
    hp_match_run_set_limits (priv->run, &priv->limits);
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
  g_return_if_fail (HP_IS_MATCH_SERVER (self));
  g_return_if_fail (seconds >= 1 && seconds <= HP_MAX_REGISTRATION_LIFETIME);

  hp_match_server_set_limit (self, HP_MATCH_SERVER_PROP_REGISTRATION_LIFETIME,
                             seconds);
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
  g_return_if_fail (HP_IS_MATCH_SERVER (self));
  g_return_if_fail (max_peers >= 1 && max_peers <= HP_MAX_MAX_PEERS);

  hp_match_server_set_limit (self, HP_MATCH_SERVER_PROP_MAX_PEERS, max_peers);
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
  g_return_if_fail (HP_IS_MATCH_SERVER (self));
  g_return_if_fail (max_handshakes >= 1 && max_handshakes <= HP_MAX_RATE);

  hp_match_server_set_limit (
      self, HP_MATCH_SERVER_PROP_MAX_HANDSHAKES_PER_SECOND,
      max_handshakes);
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
  g_return_if_fail (HP_IS_MATCH_SERVER (self));
  g_return_if_fail (max_asks >= 1 && max_asks <= HP_MAX_RATE);

  hp_match_server_set_limit (self, HP_MATCH_SERVER_PROP_MAX_ASKS_PER_MINUTE,
                             max_asks);
}

/**
 * hp_match_server_get_max_total_handshakes_per_second:
 * @self: a #HpMatchServer
 *
 * Gets #HpMatchServer:max-total-handshakes-per-second.
 *
 * Returns: a number of handshakes
 *
 * Since: 1.0
 */
guint
hp_match_server_get_max_total_handshakes_per_second (HpMatchServer *self)
{
  g_return_val_if_fail (HP_IS_MATCH_SERVER (self), 0);

  return hp_match_server_get_private (self)
      ->limits.max_total_handshakes_per_second;
}

/**
 * hp_match_server_set_max_total_handshakes_per_second:
 * @self: a #HpMatchServer
 * @max_handshakes: a number of handshakes, from 1 to 1000000
 *
 * Sets #HpMatchServer:max-total-handshakes-per-second.
 *
 * Since: 1.0
 */
void
hp_match_server_set_max_total_handshakes_per_second (
    HpMatchServer *self, guint max_handshakes)
{
  g_return_if_fail (HP_IS_MATCH_SERVER (self));
  g_return_if_fail (max_handshakes >= 1 && max_handshakes <= HP_MAX_RATE);

  hp_match_server_set_limit (
      self, HP_MATCH_SERVER_PROP_MAX_TOTAL_HANDSHAKES_PER_SECOND,
      max_handshakes);
}

/**
 * hp_match_server_get_max_registrations_per_network:
 * @self: a #HpMatchServer
 *
 * Gets #HpMatchServer:max-registrations-per-network.
 *
 * Returns: a number of registrations
 *
 * Since: 1.0
 */
guint
hp_match_server_get_max_registrations_per_network (HpMatchServer *self)
{
  g_return_val_if_fail (HP_IS_MATCH_SERVER (self), 0);

  return hp_match_server_get_private (self)
      ->limits.max_registrations_per_network;
}

/**
 * hp_match_server_set_max_registrations_per_network:
 * @self: a #HpMatchServer
 * @max_registrations: a number of registrations, from 1 to 10000000
 *
 * Sets #HpMatchServer:max-registrations-per-network.
 *
 * Since: 1.0
 */
void
hp_match_server_set_max_registrations_per_network (
    HpMatchServer *self, guint max_registrations)
{
  g_return_if_fail (HP_IS_MATCH_SERVER (self));
  g_return_if_fail (max_registrations >= 1
                    && max_registrations <= HP_MAX_MAX_PEERS);

  hp_match_server_set_limit (
      self, HP_MATCH_SERVER_PROP_MAX_REGISTRATIONS_PER_NETWORK,
      max_registrations);
}

/**
 * hp_match_server_get_max_stun_per_second:
 * @self: a #HpMatchServer
 *
 * Gets #HpMatchServer:max-stun-per-second.
 *
 * Returns: a number of answers
 *
 * Since: 1.0
 */
guint
hp_match_server_get_max_stun_per_second (HpMatchServer *self)
{
  g_return_val_if_fail (HP_IS_MATCH_SERVER (self), 0);

  return hp_match_server_get_private (self)
      ->limits.max_stun_per_second;
}

/**
 * hp_match_server_set_max_stun_per_second:
 * @self: a #HpMatchServer
 * @max_answers: a number of answers, from 1 to 1000000
 *
 * Sets #HpMatchServer:max-stun-per-second.
 *
 * Since: 1.0
 */
void
hp_match_server_set_max_stun_per_second (
    HpMatchServer *self, guint max_answers)
{
  g_return_if_fail (HP_IS_MATCH_SERVER (self));
  g_return_if_fail (max_answers >= 1 && max_answers <= HP_MAX_RATE);

  hp_match_server_set_limit (self, HP_MATCH_SERVER_PROP_MAX_STUN_PER_SECOND,
                             max_answers);
}
