/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What match servers have in common in Redis: keys, scripts, messages. Without
 * hiredis there is another one of the same interface, which cannot be made. */

#pragma once

#include "hole-punch/hp-registry-request.h"

typedef struct _HpRedisStore HpRedisStore;

typedef enum
{
  HP_REDIS_CLAIM,
  HP_REDIS_LOOKUP,
  HP_REDIS_RELEASE,
  HP_REDIS_LOOKUP_KEY,
  HP_REDIS_POST,
} HpRedisQuestion;

typedef struct
{
  const char *uri;
  const char *key_prefix;
  const char *server_name;
  guint timeout; /* ms */
} HpRedisStoreConfig;

typedef struct
{
  guint max_in_flight;
  guint presence_lifetime; /* s */
} HpRedisStoreLimits;

typedef struct
{
  void (*connected_changed) (gpointer owner);
  void (*received) (gpointer owner, const void *bytes, gsize length);
} HpRedisStoreHooks;

/* Connects from the thread's default context. Fails only with what will not
 * get better. @limits: outlives it; may change. */
HpRedisStore *hp_redis_store_new (const HpRedisStoreConfig *config,
                                  const HpRedisStoreLimits *limits,
                                  const HpRedisStoreHooks *hooks,
                                  gpointer owner, GError **error);
/* All that is under way gets an error; no hook is called any more. */
void hp_redis_store_close (HpRedisStore *self);
/* Answers, now or later */
void hp_redis_store_handle (HpRedisStore *self, HpRedisQuestion question,
                            HpRegistryRequest *request);
gboolean hp_redis_store_is_connected (HpRedisStore *self);
