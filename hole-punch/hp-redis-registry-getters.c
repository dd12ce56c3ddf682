/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-redis-registry-private.h"

/**
 * hp_redis_registry_get_uri:
 * @self: a #HpRedisRegistry
 *
 * Gets #HpRedisRegistry:uri. It may hold a password.
 *
 * Returns: (transfer none) (nullable): where Redis is
 *
 * Since: 1.0
 */
const char *
hp_redis_registry_get_uri (HpRedisRegistry *self)
{
  g_return_val_if_fail (HP_IS_REDIS_REGISTRY (self), NULL);

  return self->uri;
}

/**
 * hp_redis_registry_get_key_prefix:
 * @self: a #HpRedisRegistry
 *
 * Gets #HpRedisRegistry:key-prefix.
 *
 * Returns: (transfer none): what all keys begin with
 *
 * Since: 1.0
 */
const char *
hp_redis_registry_get_key_prefix (HpRedisRegistry *self)
{
  g_return_val_if_fail (HP_IS_REDIS_REGISTRY (self), NULL);

  return self->key_prefix;
}

/**
 * hp_redis_registry_get_server_name:
 * @self: a #HpRedisRegistry
 *
 * Gets #HpRedisRegistry:server-name.
 *
 * Returns: (transfer none): the name of this match server
 *
 * Since: 1.0
 */
const char *
hp_redis_registry_get_server_name (HpRedisRegistry *self)
{
  g_return_val_if_fail (HP_IS_REDIS_REGISTRY (self), NULL);

  return self->server_name;
}

/**
 * hp_redis_registry_get_timeout:
 * @self: a #HpRedisRegistry
 *
 * Gets #HpRedisRegistry:timeout.
 *
 * Returns: milliseconds
 *
 * Since: 1.0
 */
guint
hp_redis_registry_get_timeout (HpRedisRegistry *self)
{
  g_return_val_if_fail (HP_IS_REDIS_REGISTRY (self), 0);

  return self->timeout;
}

/**
 * hp_redis_registry_get_connected:
 * @self: a #HpRedisRegistry
 *
 * Gets #HpRedisRegistry:connected.
 *
 * Returns: whether Redis answers
 *
 * Since: 1.0
 */
gboolean
hp_redis_registry_get_connected (HpRedisRegistry *self)
{
  g_return_val_if_fail (HP_IS_REDIS_REGISTRY (self), FALSE);

  return self->store != NULL && hp_redis_store_is_connected (self->store);
}

/**
 * hp_redis_registry_get_max_in_flight:
 * @self: a #HpRedisRegistry
 *
 * Gets #HpRedisRegistry:max-in-flight.
 *
 * Returns: a number of requests
 *
 * Since: 1.0
 */
guint
hp_redis_registry_get_max_in_flight (HpRedisRegistry *self)
{
  g_return_val_if_fail (HP_IS_REDIS_REGISTRY (self), 0);

  return self->limits.max_in_flight;
}

/**
 * hp_redis_registry_set_max_in_flight:
 * @self: a #HpRedisRegistry
 * @max_in_flight: a number of requests, at least 1
 *
 * Sets #HpRedisRegistry:max-in-flight. Requests that are under way stay.
 *
 * Since: 1.0
 */
void
hp_redis_registry_set_max_in_flight (HpRedisRegistry *self,
                                     guint max_in_flight)
{
  g_return_if_fail (HP_IS_REDIS_REGISTRY (self));
  g_return_if_fail (max_in_flight > 0);

  if (max_in_flight == self->limits.max_in_flight)
    return;
  self->limits.max_in_flight = max_in_flight;
  g_object_notify (G_OBJECT (self), "max-in-flight");
}

/**
 * hp_redis_registry_get_presence_lifetime:
 * @self: a #HpRedisRegistry
 *
 * Gets #HpRedisRegistry:presence-lifetime.
 *
 * Returns: seconds
 *
 * Since: 1.0
 */
guint
hp_redis_registry_get_presence_lifetime (HpRedisRegistry *self)
{
  g_return_val_if_fail (HP_IS_REDIS_REGISTRY (self), 0);

  return self->limits.presence_lifetime;
}

/**
 * hp_redis_registry_set_presence_lifetime:
 * @self: a #HpRedisRegistry
 * @presence_lifetime: seconds, at least 1
 *
 * Sets #HpRedisRegistry:presence-lifetime, for claims from now on.
 *
 * Since: 1.0
 */
void
hp_redis_registry_set_presence_lifetime (HpRedisRegistry *self,
                                         guint presence_lifetime)
{
  g_return_if_fail (HP_IS_REDIS_REGISTRY (self));
  g_return_if_fail (presence_lifetime > 0);

  if (presence_lifetime == self->limits.presence_lifetime)
    return;
  self->limits.presence_lifetime = presence_lifetime;
  g_object_notify (G_OBJECT (self), "presence-lifetime");
}
