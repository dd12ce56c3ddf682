/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Real sockets on the loopback, a match server in the same process, and
 * functions that wait: await_…() runs the thread-default context until what
 * they wait for has come, and fails the test after half a minute.
 */

#pragma once

#include "hole-punch/hole-punch.h"

/* Runs the context until @condition */
#define AWAIT(condition)                                                       \
  G_STMT_START                                                                 \
  {                                                                            \
    GSource *await_watchdog = await_begin (#condition);                        \
    while (!(condition))                                                       \
      g_main_context_iteration (g_main_context_get_thread_default (), TRUE);   \
    await_end (await_watchdog);                                                \
  }                                                                            \
  G_STMT_END

GSource *await_begin (const char *what);
void await_end (GSource *watchdog);
/* Runs the context for so long */
void await_time (guint milliseconds);

/* A started one on 127.0.0.1 (or @address) and any free port */
HpMatchServer *test_server_new (const char *address);
/* Its host and port, as HpPeer:match-server takes it */
char *test_server_get_name (HpMatchServer *server);
guint test_server_get_port (HpMatchServer *server);
void test_server_free (HpMatchServer *server);

/* Not started */
HpPeer *test_peer_new (HpMatchServer *server, const char *id);
/* Started */
HpPeer *test_peer_new_started (HpMatchServer *server, const char *id);
/* Closes, drops the reference, and wants it to be the last */
void test_peer_free (HpPeer *peer);
/* Where @peer is on the loopback */
GSocketAddress *test_peer_get_address (HpPeer *peer, const char *ip);
const char *test_peer_get_fingerprint (HpPeer *peer);

gboolean await_start (HpPeer *peer, GError **error);
void await_close (HpPeer *peer);
HpConnection *await_connect (HpPeer *peer, const char *target, GError **error);
HpConnection *await_connect_to_address (HpPeer *peer, GSocketAddress *address,
                                        const char *fingerprint,
                                        GError **error);
gboolean await_send (HpConnection *connection, GBytes *message, GError **error);
gboolean await_send_full (HpConnection *connection, GBytes *message,
                          HpMessageFlags flags, gint64 lifetime,
                          GError **error);
gboolean await_send_to (HpPeer *peer, const char *target, GBytes *message,
                        GError **error);
void await_close_connection (HpConnection *connection);
/* @peer's connection to @other, once it is there; (transfer none) */
HpConnection *await_connection (HpPeer *peer, HpPeer *other);

/* For GAsyncReadyCallback: keeps the result for g_task_propagate… by hand */
typedef struct
{
  GAsyncResult *result;
  guint n_calls;
} TestResult;
void test_result_take (GObject *source, GAsyncResult *result,
                       gpointer test_result);
void test_result_clear (TestResult *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TestResult, test_result_clear)

/* Counts emissions, and keeps the last object and message */
typedef struct
{
  guint n;
  GPtrArray *messages; /* GBytes */
} TestCounter;
void test_counter_init (TestCounter *self);
void test_counter_clear (TestCounter *self);
/* Of any signal or notify; @instance must outlive the counter or die before */
void test_counter_on_message (HpPeer *peer, HpConnection *connection,
                              GBytes *message, gpointer counter);
void test_counter_on_notify (GObject *object, GParamSpec *pspec,
                             gpointer counter);

/* @size bytes that differ by @seed */
GBytes *test_bytes_new (gsize size, guint8 seed);
guint test_count_descriptors (void);
