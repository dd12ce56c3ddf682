/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* In place of hp-redis-store.c where there is no hiredis */

#include "hole-punch/hp-redis-store-private.h"

HpRedisStore *
hp_redis_store_new (const HpRedisStoreConfig *config,
                    const HpRedisStoreLimits *limits,
                    const HpRedisStoreHooks *hooks, gpointer owner,
                    GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
               "hole-punch was built without Redis (hiredis)");
  return NULL;
}

void
hp_redis_store_close (HpRedisStore *self)
{
  g_assert_not_reached ();
}

void
hp_redis_store_handle (HpRedisStore *self, HpRedisQuestion question,
                       HpRegistryRequest *request)
{
  g_assert_not_reached ();
}

gboolean
hp_redis_store_is_connected (HpRedisStore *self)
{
  g_assert_not_reached ();
}
