/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "test-utils.h"

#include <string.h>

#define MIB (1024 * 1024)

typedef struct
{
  HpMatchServer *server;
  HpPeer *callee, *caller;
  HpConnection *connection; /* the caller's */
  HpConnection *other;      /* the callee's */
  TestCounter received;     /* by the callee */
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  GError *error = NULL;

  test_counter_init (&self->received);
  self->server = test_server_new (NULL);
  self->callee = test_peer_new (self->server, "wq");
  hp_peer_set_max_message_size (self->callee, 16 * MIB);
  await_start (self->callee, &error);
  g_assert_no_error (error);
  g_signal_connect (self->callee, "message-received",
                    G_CALLBACK (test_counter_on_message), &self->received);
  self->caller = test_peer_new (self->server, NULL);
  self->connection = await_connect (self->caller, "wq", &error);
  g_assert_no_error (error);
  self->other = g_object_ref (await_connection (self->callee, self->caller));
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  test_peer_free (self->caller);
  test_peer_free (self->callee);
  g_assert_finalize_object (self->connection);
  g_assert_finalize_object (self->other);
  test_server_free (self->server);
  test_counter_clear (&self->received);
}

static void
test_sizes (Fixture *self, gconstpointer data)
{
  const gsize sizes[] = { 0,    1,       2,       900,   1023,    1024,
                          1025, 4096,    10240,   65535, 65536,   65537,
                          MIB,  MIB + 1, 5 * MIB, 0,     16 * MIB };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GBytes) message = test_bytes_new (sizes[i], i);
      GError *error = NULL;

      await_send (self->connection, message, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (self->received.n, ==, i + 1);
      g_assert_true (
          g_bytes_equal (self->received.messages->pdata[i], message));
    }
}

static void
test_order (Fixture *self, gconstpointer data)
{
  g_autoptr (GBytes) last = NULL;
  GError *error = NULL;

  /* Larger and smaller ones by turns arrive in the order of sending */
  for (guint i = 0; i < 200; i++)
    {
      g_autoptr (GBytes)
          message = test_bytes_new (i % 3 == 0 ? 20000 + i : i, i);

      g_assert_true (
          hp_connection_send_message (self->connection, message, &error));
      g_assert_no_error (error);
    }
  AWAIT (self->received.n == 200);
  for (guint i = 0; i < 200; i++)
    {
      g_autoptr (GBytes)
          message = test_bytes_new (i % 3 == 0 ? 20000 + i : i, i);

      g_assert_true (
          g_bytes_equal (self->received.messages->pdata[i], message));
    }
  AWAIT (hp_connection_get_queued_bytes (self->connection) == 0);
}

static gboolean
has_message (TestCounter *counter, GBytes *message)
{
  for (guint i = 0; i < counter->messages->len; i++)
    {
      if (g_bytes_equal (counter->messages->pdata[i], message))
        return TRUE;
    }
  return FALSE;
}

/* A small one is not held up by a large one before it */
static void
test_unordered (Fixture *self, gconstpointer data)
{
  g_autoptr (GBytes) large = test_bytes_new (8 * MIB, 1);
  g_autoptr (GBytes) small = test_bytes_new (100, 2);
  g_auto (TestResult) result = { 0 };
  GError *error = NULL;

  hp_connection_send_message_full_async (self->connection, large,
                                         HP_MESSAGE_FLAGS_UNORDERED, 0, NULL,
                                         test_result_take, &result);
  await_send_full (self->connection, small, HP_MESSAGE_FLAGS_UNORDERED, 0,
                   &error);
  g_assert_no_error (error);
  g_assert_cmpuint (self->received.n, ==, 1);
  g_assert_true (has_message (&self->received, small));
  g_assert_null (result.result);
  AWAIT (result.result != NULL);
  g_assert_true (hp_connection_send_message_full_finish (
      self->connection, result.result, &error));
  g_assert_cmpuint (result.n_calls, ==, 1);
  g_assert_true (has_message (&self->received, large));
  g_clear_object (&result.result);
}

static void
test_unreliable (Fixture *self, gconstpointer data)
{
  g_autoptr (GBytes) small = test_bytes_new (500, 1);
  g_autoptr (GBytes) large = test_bytes_new (4 * MIB, 2);
  g_autoptr (GBytes) late = test_bytes_new (4 * MIB, 3);
  GError *error = NULL;

  await_send_full (self->connection, small, HP_MESSAGE_FLAGS_UNRELIABLE,
                   10 * G_TIME_SPAN_SECOND, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (self->received.n, ==, 1);
  g_assert_true (has_message (&self->received, small));

  /* One that waits behind another longer than it lives */
  g_assert_true (hp_connection_send_message (self->connection, large, &error));
  await_send_full (self->connection, late, HP_MESSAGE_FLAGS_UNRELIABLE, 1,
                   &error);
  g_assert_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_EXPIRED);
  g_clear_error (&error);
  AWAIT (self->received.n == 2);
  g_assert_true (has_message (&self->received, large));
  g_assert_false (has_message (&self->received, late));
}

static void
test_cancel (Fixture *self, gconstpointer data)
{
  g_autoptr (GBytes) first = test_bytes_new (8 * MIB, 1);
  g_autoptr (GBytes) second = test_bytes_new (100, 2);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (TestResult) result = { 0 };
  g_auto (TestResult) at_once = { 0 };
  GError *error = NULL;

  hp_connection_send_message_async (self->connection, first, cancellable,
                                    test_result_take, &result);
  await_time (5);
  g_cancellable_cancel (cancellable);
  AWAIT (result.result != NULL);
  g_assert_false (hp_connection_send_message_finish (self->connection,
                                                     result.result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);

  /* The gap in the order is filled: the next one arrives */
  await_send (self->connection, second, &error);
  g_assert_no_error (error);
  g_assert_true (has_message (&self->received, second));
  g_assert_cmpuint (result.n_calls, ==, 1);
  AWAIT (hp_connection_get_queued_bytes (self->connection) == 0);

  hp_connection_send_message_async (self->connection, second, cancellable,
                                    test_result_take, &at_once);
  AWAIT (at_once.result != NULL);
  g_assert_false (hp_connection_send_message_finish (self->connection,
                                                     at_once.result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_clear_object (&result.result);
  g_clear_object (&at_once.result);
}

static void
count_sent (GObject *connection, GAsyncResult *result, gpointer counter)
{
  GError *error = NULL;

  hp_connection_send_message_finish (HP_CONNECTION (connection), result,
                                     &error);
  g_assert_no_error (error);
  ((TestCounter *) counter)->n++;
}

/* The non-waiting call says so; the waiting one waits, in order, and those
 * that wait can be cancelled */
static void
test_back_pressure (Fixture *self, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GBytes) message = test_bytes_new (MIB, 1);
  g_autoptr (GBytes) unwanted = test_bytes_new (MIB, 2);
  g_auto (TestResult) cancelled = { 0 };
  TestCounter sent = { 0 };
  GError *error = NULL;
  guint n = 0;

  while (hp_connection_send_message (self->connection, message, &error))
    {
      n++;
      g_assert_cmpuint (hp_connection_get_queued_bytes (self->connection), ==,
                        n * MIB);
      g_assert_cmpuint (n, <, 4096);
    }
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  g_clear_error (&error);
  g_assert_cmpuint (n, >, 0);

  hp_connection_send_message_async (self->connection, message, NULL, count_sent,
                                    &sent);
  hp_connection_send_message_async (self->connection, unwanted, cancellable,
                                    test_result_take, &cancelled);
  hp_connection_send_message_async (self->connection, message, NULL, count_sent,
                                    &sent);
  g_assert_cmpuint (hp_connection_get_queued_bytes (self->connection), ==,
                    (n + 3) * MIB);
  g_cancellable_cancel (cancellable);
  AWAIT (sent.n == 2);
  g_assert_cmpuint (cancelled.n_calls, ==, 1);
  g_assert_cmpuint (self->received.n, ==, n + 2);
  g_assert_false (has_message (&self->received, unwanted));
  g_assert_true (
      hp_connection_send_message (self->connection, message, &error));
  g_clear_object (&cancelled.result);
}

static void
test_too_large (Fixture *self, gconstpointer data)
{
  g_autoptr (GBytes) large = test_bytes_new (16 * MIB + 1, 1);
  GError *error = NULL;

  /* Known at once, since the other side has told its limit */
  g_assert_false (hp_connection_send_message (self->connection, large, &error));
  g_assert_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_MESSAGE_TOO_LARGE);
  g_clear_error (&error);
  await_send (self->connection, large, &error);
  g_assert_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_MESSAGE_TOO_LARGE);
  g_clear_error (&error);
  /* The other way the limit is another */
  await_send (self->other, large, &error);
  g_assert_no_error (error);
}

/* Nothing is known of the other side yet: it comes to light on the way */
static void
test_too_large_unknown (Fixture *self, gconstpointer data)
{
  HpPeer *second = test_peer_new (self->server, NULL);
  g_autoptr (GBytes) large = test_bytes_new (16 * MIB + 1, 1);
  GError *error = NULL;

  await_send_to (second, "wq", large, &error);
  g_assert_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_MESSAGE_TOO_LARGE);
  g_clear_error (&error);
  test_peer_free (second);
}

/* Both ways at once, large ones */
static void
test_both_ways (Fixture *self, gconstpointer data)
{
  g_autoptr (GBytes) there = test_bytes_new (10 * MIB, 1);
  g_autoptr (GBytes) back = test_bytes_new (10 * MIB, 2);
  TestCounter sent = { 0 };
  TestCounter returned;

  test_counter_init (&returned);
  g_signal_connect (self->caller, "message-received",
                    G_CALLBACK (test_counter_on_message), &returned);
  hp_connection_send_message_async (self->connection, there, NULL, count_sent,
                                    &sent);
  hp_connection_send_message_async (self->other, back, NULL, count_sent, &sent);
  AWAIT (sent.n == 2);
  g_assert_true (has_message (&self->received, there));
  g_assert_true (has_message (&returned, back));
  g_signal_handlers_disconnect_by_data (self->caller, &returned);
  test_counter_clear (&returned);
}

/* Messages of one peer to one target arrive in the order of sending, though
 * the first of them has to start and connect */
static void
test_sends_in_order (Fixture *self, gconstpointer data)
{
  HpPeer *second = test_peer_new (self->server, NULL);
  TestResult results[20] = { { NULL, 0 } };

  for (guint i = 0; i < 20; i++)
    {
      g_autoptr (GBytes) message = test_bytes_new (i + 1, i);

      hp_peer_send_message_async (second, "wq", message, NULL, test_result_take,
                                  &results[i]);
    }
  AWAIT (results[19].result != NULL);
  g_assert_cmpuint (self->received.n, ==, 20);
  for (guint i = 0; i < 20; i++)
    {
      g_assert_true (
          hp_peer_send_message_finish (second, results[i].result, NULL));
      g_assert_cmpuint (g_bytes_get_size (self->received.messages->pdata[i]),
                        ==, i + 1);
      test_result_clear (&results[i]);
    }
  g_assert_cmpuint (g_list_model_get_n_items (hp_peer_get_connections (second)),
                    ==, 1);
  test_peer_free (second);
}

static void
greet (HpPeer *peer, HpConnection *connection, gpointer user_data)
{
  g_autoptr (GBytes) message = test_bytes_new (100, 9);

  g_assert_true (hp_connection_send_message (connection, message, NULL));
}

static void
on_greeting (HpConnection *connection, GBytes *message, gpointer counter)
{
  ((TestCounter *) counter)->n++;
}

/* The callee speaks first: a handler that is attached when the connection is
 * there misses nothing, even one turn of the context later */
static void
test_first_message (Fixture *self, gconstpointer data)
{
  HpPeer *second = test_peer_new (self->server, NULL);
  g_autoptr (HpConnection) connection = NULL;
  TestCounter counter = { 0 };
  GError *error = NULL;

  g_signal_connect (self->callee, "peer-resolved", G_CALLBACK (greet), NULL);
  connection = await_connect (second, "wq", &error);
  g_assert_no_error (error);
  g_main_context_iteration (NULL, FALSE);
  g_signal_connect (connection, "message-received", G_CALLBACK (on_greeting),
                    &counter);
  AWAIT (counter.n == 1);
  test_peer_free (second);
  g_assert_finalize_object (g_steal_pointer (&connection));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(path, func)                                                        \
  g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  ADD ("/messages/sizes", test_sizes);
  ADD ("/messages/order", test_order);
  ADD ("/messages/unordered", test_unordered);
  ADD ("/messages/unreliable", test_unreliable);
  ADD ("/messages/cancel", test_cancel);
  ADD ("/messages/back-pressure", test_back_pressure);
  ADD ("/messages/too-large", test_too_large);
  ADD ("/messages/too-large-unknown", test_too_large_unknown);
  ADD ("/messages/both-ways", test_both_ways);
  ADD ("/messages/sends-in-order", test_sends_in_order);
  ADD ("/messages/first-message", test_first_message);
#undef ADD
  return g_test_run ();
}
