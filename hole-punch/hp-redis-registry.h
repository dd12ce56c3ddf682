/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(HP_INSIDE) && !defined(HP_COMPILATION)
#error "Only <hole-punch/hole-punch.h> can be included directly."
#endif

#include <hole-punch/hp-registry.h>

G_BEGIN_DECLS

#define HP_TYPE_REDIS_REGISTRY (hp_redis_registry_get_type ())
HP_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (HpRedisRegistry, hp_redis_registry, HP, REDIS_REGISTRY,
                      GObject)

HP_AVAILABLE_IN_ALL
HpRedisRegistry *hp_redis_registry_new (const char *uri);
HP_AVAILABLE_IN_ALL
const char *hp_redis_registry_get_uri (HpRedisRegistry *self);
HP_AVAILABLE_IN_ALL
const char *hp_redis_registry_get_key_prefix (HpRedisRegistry *self);
HP_AVAILABLE_IN_ALL
const char *hp_redis_registry_get_server_name (HpRedisRegistry *self);
HP_AVAILABLE_IN_ALL
guint hp_redis_registry_get_timeout (HpRedisRegistry *self);
HP_AVAILABLE_IN_ALL
gboolean hp_redis_registry_get_connected (HpRedisRegistry *self);
HP_AVAILABLE_IN_ALL
guint hp_redis_registry_get_max_in_flight (HpRedisRegistry *self);
HP_AVAILABLE_IN_ALL
void hp_redis_registry_set_max_in_flight (HpRedisRegistry *self,
                                          guint max_in_flight);
HP_AVAILABLE_IN_ALL
guint hp_redis_registry_get_presence_lifetime (HpRedisRegistry *self);
HP_AVAILABLE_IN_ALL
void hp_redis_registry_set_presence_lifetime (HpRedisRegistry *self,
                                              guint presence_lifetime);

G_END_DECLS
