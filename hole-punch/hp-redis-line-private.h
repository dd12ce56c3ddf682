/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Keeps a connection to Redis up: connects, introduces itself (AUTH, SELECT,
 * CLIENT SETNAME, then PING or SUBSCRIBE), and when it is lost connects again,
 * after delays that grow and are jittered, so that many servers do not come
 * back all at once. The name is resolved anew each time: after a failover it
 * may be another machine's.
 *
 *   coming up ──▸ up ──▸ down ──▸ up …
 *       └────────────────▴
 *
 * What is sent while it first comes up waits for it; while it is down, there is
 * the error that told why. */

#pragma once

#include "hole-punch/hp-redis-connection-private.h"

typedef struct _HpRedisLine HpRedisLine;

typedef struct
{
  /* Comes up, or goes down */
  void (*changed) (gpointer owner);
  void (*received) (gpointer owner, const void *bytes, gsize length);
} HpRedisLineHooks;

/* @channel: to subscribe to; NULL: a line for commands. @uri: outlives it. */
HpRedisLine *hp_redis_line_new (const HpRedisUri *uri, GMainContext *context,
                                gint64 timeout, const char *client_name,
                                const char *channel,
                                const HpRedisLineHooks *hooks,
                                gpointer owner);
/* What is under way gets G_IO_ERROR_CLOSED. */
void hp_redis_line_free (HpRedisLine *self);

gboolean hp_redis_line_is_up (HpRedisLine *self);
/* Why nothing can be sent; NULL: it can */
const GError *hp_redis_line_get_error (HpRedisLine *self);
/* Only when there is no error */
void hp_redis_line_send (HpRedisLine *self, guint n_words,
                         const HpRedisWord words[], HpRedisReplyFunc func,
                         gpointer user_data);
guint hp_redis_line_get_waiting (HpRedisLine *self);
/* Gives the connection up, and makes another one */
void hp_redis_line_restart (HpRedisLine *self, const GError *reason);
