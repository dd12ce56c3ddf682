/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-match-server-private.h"

static GParamSpec *properties[HP_MATCH_SERVER_N_PROPERTIES];

void
hp_match_server_notify (HpMatchServer *self, HpMatchServerProperty property)
{
  g_object_notify_by_pspec (G_OBJECT (self), properties[property]);
}

static void
get_property (GObject *object, guint property_id, GValue *value,
              GParamSpec *pspec)
{
  HpMatchServer *self = HP_MATCH_SERVER (object);
  HpMatchServerPrivate *priv = hp_match_server_get_private (self);

  switch ((HpMatchServerProperty) property_id)
    {
    case HP_MATCH_SERVER_PROP_LISTEN_ADDRESS:
      g_value_set_string (value, priv->listen_address);
      break;
    case HP_MATCH_SERVER_PROP_PORT:
      g_value_set_uint (value, hp_match_server_get_port (self));
      break;
    case HP_MATCH_SERVER_PROP_IDENTITY:
      g_value_set_object (value, priv->identity);
      break;
    case HP_MATCH_SERVER_PROP_REGISTRY:
      g_value_set_object (value, priv->registry);
      break;
    case HP_MATCH_SERVER_PROP_WORKERS:
      g_value_set_uint (value, priv->n_workers);
      break;
    case HP_MATCH_SERVER_PROP_REGISTRATION_LIFETIME:
    case HP_MATCH_SERVER_PROP_MAX_PEERS:
    case HP_MATCH_SERVER_PROP_MAX_HANDSHAKES_PER_SECOND:
    case HP_MATCH_SERVER_PROP_MAX_ASKS_PER_MINUTE:
    case HP_MATCH_SERVER_PROP_MAX_TOTAL_HANDSHAKES_PER_SECOND:
    case HP_MATCH_SERVER_PROP_MAX_REGISTRATIONS_PER_NETWORK:
    case HP_MATCH_SERVER_PROP_MAX_STUN_PER_SECOND:
      g_value_set_uint (value,
                        *hp_match_server_get_limit (priv, property_id));
      break;
    case HP_MATCH_SERVER_PROP_SECOND_PORT:
      g_value_set_int (value, hp_match_server_get_second_port (self));
      break;
    case HP_MATCH_SERVER_PROP_SECOND_ADDRESS:
      g_value_set_string (value, priv->second_address);
      break;
    case HP_MATCH_SERVER_PROP_TURN_SERVERS:
      g_value_set_boxed (value, priv->turn_servers);
      break;
    case HP_MATCH_SERVER_PROP_TURN_SECRET:
      g_value_set_string (value, priv->turn_secret);
      break;
    case HP_MATCH_SERVER_PROP_TURN_LIFETIME:
      g_value_set_uint (value, priv->turn_lifetime);
      break;
    case HP_MATCH_SERVER_PROP_LOCAL_ADDRESS:
      g_value_set_object (value, priv->local_address);
      break;
    case HP_MATCH_SERVER_PROP_STATISTICS:
      g_value_take_object (value, hp_match_server_get_statistics (self));
      break;
    }
}

static void
set_property (GObject *object, guint property_id, const GValue *value,
              GParamSpec *pspec)
{
  HpMatchServer *self = HP_MATCH_SERVER (object);

  switch ((HpMatchServerProperty) property_id)
    {
    case HP_MATCH_SERVER_PROP_LISTEN_ADDRESS:
      hp_match_server_set_listen_address (self, g_value_get_string (value));
      break;
    case HP_MATCH_SERVER_PROP_PORT:
      hp_match_server_set_port (self, g_value_get_uint (value));
      break;
    case HP_MATCH_SERVER_PROP_IDENTITY:
      hp_match_server_set_identity (self, g_value_get_object (value));
      break;
    case HP_MATCH_SERVER_PROP_REGISTRY:
      hp_match_server_set_registry (self, g_value_get_object (value));
      break;
    case HP_MATCH_SERVER_PROP_WORKERS:
      hp_match_server_set_workers (self, g_value_get_uint (value));
      break;
    case HP_MATCH_SERVER_PROP_REGISTRATION_LIFETIME:
    case HP_MATCH_SERVER_PROP_MAX_PEERS:
    case HP_MATCH_SERVER_PROP_MAX_HANDSHAKES_PER_SECOND:
    case HP_MATCH_SERVER_PROP_MAX_ASKS_PER_MINUTE:
    case HP_MATCH_SERVER_PROP_MAX_TOTAL_HANDSHAKES_PER_SECOND:
    case HP_MATCH_SERVER_PROP_MAX_REGISTRATIONS_PER_NETWORK:
    case HP_MATCH_SERVER_PROP_MAX_STUN_PER_SECOND:
      hp_match_server_set_limit (self, property_id, g_value_get_uint (value));
      break;
    case HP_MATCH_SERVER_PROP_SECOND_PORT:
      hp_match_server_set_second_port (self, g_value_get_int (value));
      break;
    case HP_MATCH_SERVER_PROP_SECOND_ADDRESS:
      hp_match_server_set_second_address (self, g_value_get_string (value));
      break;
    case HP_MATCH_SERVER_PROP_TURN_SERVERS:
      hp_match_server_set_turn_servers (self, g_value_get_boxed (value));
      break;
    case HP_MATCH_SERVER_PROP_TURN_SECRET:
      hp_match_server_set_turn_secret (self, g_value_get_string (value));
      break;
    case HP_MATCH_SERVER_PROP_TURN_LIFETIME:
      hp_match_server_set_turn_lifetime (self, g_value_get_uint (value));
      break;
    case HP_MATCH_SERVER_PROP_LOCAL_ADDRESS:
    case HP_MATCH_SERVER_PROP_STATISTICS:
      g_assert_not_reached ();
    }
}

static void
install_settings (void)
{
  const GParamFlags flags
      = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

  /**
   * HpMatchServer:listen-address:
   *
   * The IP address to listen on, %NULL all there are, of IPv4 and IPv6. Cannot
   * be changed while the server runs.
   *
   * Since: 1.0
   */
  properties[HP_MATCH_SERVER_PROP_LISTEN_ADDRESS]
      = g_param_spec_string ("listen-address", "Listen address",
                             "IP address to listen on", NULL, flags);
  /**
   * HpMatchServer:port:
   *
   * The UDP port to listen on, 0 any free one; while the server runs, the one
   * that it has. Cannot be changed while the server runs.
   *
   * Since: 1.0
   */
  properties[HP_MATCH_SERVER_PROP_PORT]
      = g_param_spec_uint ("port", "Port", "UDP port to listen on", 0,
                           G_MAXUINT16, HP_DEFAULT_PORT, flags);
  /**
   * HpMatchServer:identity:
   *
   * The key pair of the server. If there is none when the server starts, it
   * makes one, and keeps it. Cannot be changed while the server runs.
   *
   * Since: 1.0
   */
  properties[HP_MATCH_SERVER_PROP_IDENTITY]
      = g_param_spec_object ("identity", "Identity", "Key pair of the server",
                             HP_TYPE_IDENTITY, flags);
  /**
   * HpMatchServer:registry:
   *
   * Where the server keeps who holds which id. If there is none when the server
   * starts, it makes a #HpMemoryRegistry, and keeps it. Cannot be changed while
   * the server runs.
   *
   * Since: 1.0
   */
  properties[HP_MATCH_SERVER_PROP_REGISTRY]
      = g_param_spec_object ("registry", "Registry", "Who holds which id",
                             HP_TYPE_REGISTRY, flags);
  /**
   * HpMatchServer:workers:
   *
   * How many threads serve, at most 64. With 1 there is none besides the
   * caller's, and everything happens in the #GMainContext that is the
   * thread-default one there. With more, each has a thread of its own and a
   * share of the peers: by the network that they come from, a /24 of IPv4 or a
   * /48 of IPv6. Signals and the registry are used in the caller's context all
   * the same. That takes Linux to choose among several sockets
   * (SO_ATTACH_REUSEPORT_CBPF, Linux 4.6). 0 is as many as the machine has
   * processors, or 1 where the system cannot. Cannot be changed while the
   * server runs.
   *
   * Since: 1.0
   */
  properties[HP_MATCH_SERVER_PROP_WORKERS]
      = g_param_spec_uint ("workers", "Workers", "Threads that serve", 0,
                           HP_MATCH_MAX_WORKERS, 1, flags);
}

static void
install_readings (void)
{
  /**
   * HpMatchServer:local-address:
   *
   * What the server is bound to, %NULL when it is not running. Its IP address
   * is the unspecified one when the server listens on all there are.
   *
   * Since: 1.0
   */
  properties[HP_MATCH_SERVER_PROP_LOCAL_ADDRESS] = g_param_spec_object (
      "local-address", "Local address", "What the server is bound to",
      G_TYPE_SOCKET_ADDRESS,
      G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  /**
   * HpMatchServer:statistics: (transfer full)
   *
   * What the server has done since it was started, as of now; when it is not
   * running, as of its end. Not notified: ask when you want to know.
   *
   * Since: 1.0
   */
  properties[HP_MATCH_SERVER_PROP_STATISTICS] = g_param_spec_object (
      "statistics", "Statistics", "What the server has done so far",
      HP_TYPE_SERVER_STATISTICS,
      G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
}

void
hp_match_server_install_properties (GObjectClass *object_class)
{
  object_class->get_property = get_property;
  object_class->set_property = set_property;
  install_settings ();
  hp_match_server_install_limits (properties);
  hp_match_server_install_network (properties);
  install_readings ();
  g_object_class_install_properties (
      object_class, HP_MATCH_SERVER_N_PROPERTIES, properties);
}

void
hp_match_server_init_properties (HpMatchServerPrivate *priv)
{
  priv->port = HP_DEFAULT_PORT;
  priv->n_workers = 1;
  priv->last_statistics.registry_healthy = TRUE;
  hp_match_server_init_network (priv);
  hp_match_server_init_limits (priv);
}

gboolean
hp_match_server_may_change (HpMatchServer *self,
                            HpMatchServerProperty property)
{
  if (hp_match_server_get_private (self)->run == NULL)
    return TRUE;
  g_critical ("HpMatchServer:%s cannot be changed while the server runs: call "
              "hp_match_server_stop() first",
              properties[property]->name);
  return FALSE;
}

/**
 * hp_match_server_get_listen_address:
 * @self: a #HpMatchServer
 *
 * Gets #HpMatchServer:listen-address.
 *
 * Returns: (transfer none) (nullable): an IP address
 *
 * Since: 1.0
 */
const char *
hp_match_server_get_listen_address (HpMatchServer *self)
{
  g_return_val_if_fail (HP_IS_MATCH_SERVER (self), NULL);

  return hp_match_server_get_private (self)->listen_address;
}

/**
 * hp_match_server_set_listen_address:
 * @self: a #HpMatchServer
 * @listen_address: (nullable): an IP address, or %NULL
 *
 * Sets #HpMatchServer:listen-address. Not while the server runs.
 *
 * Since: 1.0
 */
void
hp_match_server_set_listen_address (HpMatchServer *self,
                                    const char *listen_address)
{
  HpMatchServerPrivate *priv;

  g_return_if_fail (HP_IS_MATCH_SERVER (self));

  priv = hp_match_server_get_private (self);
  if (g_strcmp0 (listen_address, priv->listen_address) == 0
      || !hp_match_server_may_change (self,
                                      HP_MATCH_SERVER_PROP_LISTEN_ADDRESS))
    return;
  g_free (priv->listen_address);
  priv->listen_address = g_strdup (listen_address);
  hp_match_server_notify (self, HP_MATCH_SERVER_PROP_LISTEN_ADDRESS);
}

/**
 * hp_match_server_get_port:
 * @self: a #HpMatchServer
 *
 * Gets #HpMatchServer:port.
 *
 * Returns: a UDP port, 0 any free one
 *
 * Since: 1.0
 */
guint
hp_match_server_get_port (HpMatchServer *self)
{
  HpMatchServerPrivate *priv;

  g_return_val_if_fail (HP_IS_MATCH_SERVER (self), 0);

  priv = hp_match_server_get_private (self);
  if (priv->run != NULL)
    return hp_match_run_get_address (priv->run)->port;
  return priv->port;
}

/**
 * hp_match_server_set_port:
 * @self: a #HpMatchServer
 * @port: a UDP port, 0 any free one
 *
 * Sets #HpMatchServer:port. Not while the server runs.
 *
 * Since: 1.0
 */
void
hp_match_server_set_port (HpMatchServer *self, guint port)
{
  HpMatchServerPrivate *priv;

  g_return_if_fail (HP_IS_MATCH_SERVER (self));
  g_return_if_fail (port <= G_MAXUINT16);

  priv = hp_match_server_get_private (self);
  if (port == hp_match_server_get_port (self)
      || !hp_match_server_may_change (self, HP_MATCH_SERVER_PROP_PORT))
    return;
  priv->port = port;
  hp_match_server_notify (self, HP_MATCH_SERVER_PROP_PORT);
}

/**
 * hp_match_server_get_identity:
 * @self: a #HpMatchServer
 *
 * Gets #HpMatchServer:identity.
 *
 * Returns: (transfer none) (nullable): an identity, %NULL before the first
 *   start if none was set
 *
 * Since: 1.0
 */
HpIdentity *
hp_match_server_get_identity (HpMatchServer *self)
{
  g_return_val_if_fail (HP_IS_MATCH_SERVER (self), NULL);

  return hp_match_server_get_private (self)->identity;
}

/**
 * hp_match_server_set_identity:
 * @self: a #HpMatchServer
 * @identity: (nullable) (transfer none): an #HpIdentity, %NULL: the server
 *   makes one
 *
 * Sets #HpMatchServer:identity. Not while the server runs.
 *
 * Since: 1.0
 */
void
hp_match_server_set_identity (HpMatchServer *self, HpIdentity *identity)
{
  HpMatchServerPrivate *priv;

  g_return_if_fail (HP_IS_MATCH_SERVER (self));
  g_return_if_fail (identity == NULL || HP_IS_IDENTITY (identity));

  priv = hp_match_server_get_private (self);
  if (identity == priv->identity
      || !hp_match_server_may_change (self, HP_MATCH_SERVER_PROP_IDENTITY))
    return;
  g_set_object (&priv->identity, identity);
  hp_match_server_notify (self, HP_MATCH_SERVER_PROP_IDENTITY);
}

/**
 * hp_match_server_get_registry:
 * @self: a #HpMatchServer
 *
 * Gets #HpMatchServer:registry.
 *
 * Returns: (transfer none) (nullable): a registry, %NULL before the first
 *   start if none was set
 *
 * Since: 1.0
 */
HpRegistry *
hp_match_server_get_registry (HpMatchServer *self)
{
  g_return_val_if_fail (HP_IS_MATCH_SERVER (self), NULL);

  return hp_match_server_get_private (self)->registry;
}

/**
 * hp_match_server_set_registry:
 * @self: a #HpMatchServer
 * @registry: (nullable) (transfer none): a #HpRegistry, %NULL: the server
 *   makes one
 *
 * Sets #HpMatchServer:registry. Not while the server runs.
 *
 * Since: 1.0
 */
void
hp_match_server_set_registry (HpMatchServer *self, HpRegistry *registry)
{
  HpMatchServerPrivate *priv;

  g_return_if_fail (HP_IS_MATCH_SERVER (self));
  g_return_if_fail (registry == NULL || HP_IS_REGISTRY (registry));

  priv = hp_match_server_get_private (self);
  if (registry == priv->registry
      || !hp_match_server_may_change (self, HP_MATCH_SERVER_PROP_REGISTRY))
    return;
  g_set_object (&priv->registry, registry);
  hp_match_server_notify (self, HP_MATCH_SERVER_PROP_REGISTRY);
}

/**
 * hp_match_server_get_workers:
 * @self: a #HpMatchServer
 *
 * Gets #HpMatchServer:workers.
 *
 * Returns: a number of threads, 0 as many as there are processors
 *
 * Since: 1.0
 */
guint
hp_match_server_get_workers (HpMatchServer *self)
{
  g_return_val_if_fail (HP_IS_MATCH_SERVER (self), 1);

  return hp_match_server_get_private (self)->n_workers;
}

/**
 * hp_match_server_set_workers:
 * @self: a #HpMatchServer
 * @workers: a number of threads, at most 64, 0 as many as there are processors
 *
 * Sets #HpMatchServer:workers. Not while the server runs.
 *
 * Since: 1.0
 */
void
hp_match_server_set_workers (HpMatchServer *self, guint workers)
{
  HpMatchServerPrivate *priv;

  g_return_if_fail (HP_IS_MATCH_SERVER (self));
  g_return_if_fail (workers <= HP_MATCH_MAX_WORKERS);

  priv = hp_match_server_get_private (self);
  if (workers == priv->n_workers
      || !hp_match_server_may_change (self, HP_MATCH_SERVER_PROP_WORKERS))
    return;
  priv->n_workers = workers;
  hp_match_server_notify (self, HP_MATCH_SERVER_PROP_WORKERS);
}

/**
 * hp_match_server_get_local_address:
 * @self: a #HpMatchServer
 *
 * Gets #HpMatchServer:local-address.
 *
 * Returns: (transfer none) (nullable): an address
 *
 * Since: 1.0
 */
GSocketAddress *
hp_match_server_get_local_address (HpMatchServer *self)
{
  g_return_val_if_fail (HP_IS_MATCH_SERVER (self), NULL);

  return hp_match_server_get_private (self)->local_address;
}

/**
 * hp_match_server_get_statistics:
 * @self: a #HpMatchServer
 *
 * Gets #HpMatchServer:statistics.
 *
 * Returns: (transfer full): a new #HpServerStatistics
 *
 * Since: 1.0
 */
HpServerStatistics *
hp_match_server_get_statistics (HpMatchServer *self)
{
  HpMatchServerPrivate *priv;
  HpServerStatisticsValues values;

  g_return_val_if_fail (HP_IS_MATCH_SERVER (self), NULL);

  priv = hp_match_server_get_private (self);
  values = priv->last_statistics;
  if (priv->run != NULL)
    hp_match_run_get_statistics (priv->run, &values);
  return hp_server_statistics_new_private (&values);
}
