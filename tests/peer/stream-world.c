/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "stream-world.h"

static void
on_stream_opened (HpPeer *peer, HpConnection *connection, HpStream *stream,
                  gpointer user_data)
{
  World *self = user_data;

  g_assert_true (hp_stream_get_connection (stream) == connection);
  g_queue_push_tail (&self->opened, g_object_ref (stream));
}

void
world_set_up (World *self, gconstpointer data)
{
  GError *error = NULL;

  self->descriptors = test_count_descriptors ();
  g_queue_init (&self->opened);
  self->server = test_server_new (NULL);
  self->callee = test_peer_new_started (self->server, "wq");
  g_signal_connect (self->callee, "stream-opened",
                    G_CALLBACK (on_stream_opened), self);
  self->caller = test_peer_new (self->server, NULL);
  self->near = await_connect (self->caller, "wq", &error);
  g_assert_no_error (error);
  self->far = g_object_ref (await_connection (self->callee, self->caller));
}

void
world_tear_down (World *self, gconstpointer data)
{
  g_queue_clear_full (&self->opened, g_object_unref);
  test_peer_free (self->caller);
  test_peer_free (self->callee);
  g_assert_finalize_object (self->near);
  g_assert_finalize_object (self->far);
  test_server_free (self->server);
  /* An idle thread of GIO's pool may have a context of its own. */
  g_assert_cmpuint (test_count_descriptors (), <=, self->descriptors + 8);
}

HpStream *
await_open (HpConnection *connection, GError **error)
{
  g_auto (TestResult) result = { 0 };

  hp_connection_open_stream_async (connection, NULL, test_result_take, &result);
  AWAIT (result.result != NULL);
  return hp_connection_open_stream_finish (connection, result.result, error);
}

HpStream *
await_opened (World *world)
{
  AWAIT (world->opened.length > 0);
  return g_queue_pop_head (&world->opened);
}

void
pair_open (Pair *self, World *world)
{
  GError *error = NULL;

  self->near = await_open (world->near, &error);
  g_assert_no_error (error);
  g_assert_true (hp_stream_get_connection (self->near) == world->near);
  self->far = await_opened (world);
  g_assert_true (hp_stream_get_connection (self->far) == world->far);
  self->near_input = g_io_stream_get_input_stream (G_IO_STREAM (self->near));
  self->near_output = g_io_stream_get_output_stream (G_IO_STREAM (self->near));
  self->far_input = g_io_stream_get_input_stream (G_IO_STREAM (self->far));
  self->far_output = g_io_stream_get_output_stream (G_IO_STREAM (self->far));
}

void
pair_clear (Pair *self)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_finalize_object (self->near);
  g_assert_finalize_object (self->far);
}

gboolean
await_write_full (GOutputStream *output, GBytes *bytes,
                  GCancellable *cancellable, GError **error)
{
  g_auto (TestResult) result = { 0 };
  gsize n = 0;

  g_output_stream_write_all_async (
      output, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
      G_PRIORITY_DEFAULT, cancellable, test_result_take, &result);
  AWAIT (result.result != NULL);
  return g_output_stream_write_all_finish (output, result.result, &n, error);
}

void
await_write (GOutputStream *output, GBytes *bytes)
{
  GError *error = NULL;

  await_write_full (output, bytes, NULL, &error);
  g_assert_no_error (error);
}

GBytes *
await_read (GInputStream *input, gsize count, GError **error)
{
  g_auto (TestResult) result = { 0 };

  g_input_stream_read_bytes_async (input, count, G_PRIORITY_DEFAULT, NULL,
                                   test_result_take, &result);
  AWAIT (result.result != NULL);
  return g_input_stream_read_bytes_finish (input, result.result, error);
}

void
await_read_exactly (GInputStream *input, GBytes *expected)
{
  g_auto (TestResult) result = { 0 };
  gsize size = g_bytes_get_size (expected);
  g_autofree guint8 *buffer = g_malloc (size);
  gsize n = 0;
  GError *error = NULL;

  g_input_stream_read_all_async (input, buffer, size, G_PRIORITY_DEFAULT, NULL,
                                 test_result_take, &result);
  AWAIT (result.result != NULL);
  g_input_stream_read_all_finish (input, result.result, &n, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (buffer, n, g_bytes_get_data (expected, NULL), size);
}

gssize
await_splice (GOutputStream *output, GInputStream *input,
              GOutputStreamSpliceFlags flags, GCancellable *cancellable,
              GError **error)
{
  g_auto (TestResult) result = { 0 };

  g_output_stream_splice_async (output, input, flags, G_PRIORITY_DEFAULT,
                                cancellable, test_result_take, &result);
  AWAIT (result.result != NULL);
  return g_output_stream_splice_finish (output, result.result, error);
}

GBytes *
await_read_all (GInputStream *input, GError **error)
{
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();

  if (await_splice (memory, input, G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, NULL,
                    error)
      < 0)
    return NULL;
  return g_memory_output_stream_steal_as_bytes (
      G_MEMORY_OUTPUT_STREAM (memory));
}

gboolean
await_close_output (GOutputStream *output, GError **error)
{
  g_auto (TestResult) result = { 0 };

  g_output_stream_close_async (output, G_PRIORITY_DEFAULT, NULL,
                               test_result_take, &result);
  AWAIT (result.result != NULL);
  return g_output_stream_close_finish (output, result.result, error);
}

gboolean
await_close_input (GInputStream *input, GError **error)
{
  g_auto (TestResult) result = { 0 };

  g_input_stream_close_async (input, G_PRIORITY_DEFAULT, NULL, test_result_take,
                              &result);
  AWAIT (result.result != NULL);
  return g_input_stream_close_finish (input, result.result, error);
}

gboolean
await_close_stream (HpStream *stream, GError **error)
{
  g_auto (TestResult) result = { 0 };

  g_io_stream_close_async (G_IO_STREAM (stream), G_PRIORITY_DEFAULT, NULL,
                           test_result_take, &result);
  AWAIT (result.result != NULL);
  return g_io_stream_close_finish (G_IO_STREAM (stream), result.result, error);
}
