/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One connection to Redis: words out, replies in, in the order of the words.
 * Nothing blocks: GIO finds the address and connects (RFC 8305) and, for
 * rediss://, does the TLS; hiredis formats and parses.
 *
 * Of hiredis neither its asynchronous half nor its GLib adapter is used: the
 * former resolves names with getaddrinfo(), has no TLS before 1.0, and aborts
 * the program by assert() on a reply that it did not expect; the latter writes
 * to an eventfd for each command, spins when the other side hangs up while
 * nothing is awaited, and reads from what a callback may have freed.
 *
 * What is sent has a deadline. A reply that comes after it is passed over; when
 * there is none for twice that time, the connection is given up. When nothing
 * is sent for a while, a PING is, so that the loss of the other side is noted.
 *
 * For one thread; callbacks run in the context, which is then also the thread's
 * default one. They may close the connection. */

#pragma once

#include "hole-punch/hp-redis-reply-private.h"
#include "hole-punch/hp-redis-uri-private.h"

typedef struct _HpRedisConnection HpRedisConnection;

typedef struct
{
  const void *bytes;
  gsize length;
} HpRedisWord;

/* Exactly once: with a reply, or with an error when there is none */
typedef void (*HpRedisReplyFunc) (const HpRedisReply *reply,
                                  const GError *error, gpointer user_data);

typedef struct
{
  /* It is over, and not by hp_redis_connection_close(); comes before the errors
   * of what is under way. The owner still has to close. */
  void (*failed) (gpointer owner, const GError *error);
  /* A message of a channel that is subscribed to */
  void (*received) (gpointer owner, const void *bytes, gsize length);
} HpRedisConnectionHooks;

/* Connects; what is sent meanwhile waits. @timeout: µs. @uri: outlives it. */
HpRedisConnection *hp_redis_connection_new (
    const HpRedisUri *uri, GMainContext *context, gint64 timeout,
    const HpRedisConnectionHooks *hooks, gpointer owner);
/* Ends it and gives up the reference; what is under way gets @reason. */
void hp_redis_connection_close (HpRedisConnection *self, const GError *reason);

/* @func: may be NULL */
void hp_redis_connection_send (HpRedisConnection *self, guint n_words,
                               const HpRedisWord words[],
                               HpRedisReplyFunc func, gpointer user_data);
/* All that no reply came for, those past their deadline too */
guint hp_redis_connection_get_waiting (HpRedisConnection *self);
