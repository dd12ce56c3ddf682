/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Streams in one thread: what arrives, how they end */

#include "stream-world.h"

#define MIB (1024 * 1024)

static void
assert_equal (GBytes *a, GBytes *b)
{
  g_assert_cmpmem (g_bytes_get_data (a, NULL), g_bytes_get_size (a),
                   g_bytes_get_data (b, NULL), g_bytes_get_size (b));
}

/* Both ways at once */

typedef struct
{
  HpStream *stream;
  GInputStream *input;
  GOutputStream *output;
  guint8 buffer[10000];
  gsize n_echoed;
  gboolean is_over;
} Echo;

static void echo_read (Echo *self);

static void
on_echo_closed (GObject *stream, GAsyncResult *result, gpointer user_data)
{
  Echo *self = user_data;
  GError *error = NULL;

  g_output_stream_close_finish (self->output, result, &error);
  g_assert_no_error (error);
  self->is_over = TRUE;
}

static void
on_echo_written (GObject *stream, GAsyncResult *result, gpointer user_data)
{
  Echo *self = user_data;
  gsize n = 0;
  GError *error = NULL;

  g_output_stream_write_all_finish (self->output, result, &n, &error);
  g_assert_no_error (error);
  self->n_echoed += n;
  echo_read (self);
}

static void
on_echo_read (GObject *stream, GAsyncResult *result, gpointer user_data)
{
  Echo *self = user_data;
  GError *error = NULL;
  gssize n = g_input_stream_read_finish (self->input, result, &error);

  g_assert_no_error (error);
  if (n == 0)
    g_output_stream_close_async (self->output, G_PRIORITY_DEFAULT, NULL,
                                 on_echo_closed, self);
  else
    g_output_stream_write_all_async (self->output, self->buffer, n,
                                     G_PRIORITY_DEFAULT, NULL, on_echo_written,
                                     self);
}

static void
echo_read (Echo *self)
{
  g_input_stream_read_async (self->input, self->buffer, sizeof self->buffer,
                             G_PRIORITY_DEFAULT, NULL, on_echo_read, self);
}

static void
test_echo (World *world, gconstpointer data)
{
  const gsize sizes[] = { 0, 1, 1000, 4095, 4096, 65536, 300000, 9 * MIB + 7 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GBytes) sent = test_bytes_new (sizes[i], i);
      g_autoptr (GInputStream) memory = g_memory_input_stream_new_from_bytes (
          sent);
      g_autoptr (GBytes) received = NULL;
      g_autofree Echo *echo = g_new0 (Echo, 1);
      g_auto (TestResult) spliced = { 0 };
      GError *error = NULL;
      Pair pair;

      pair_open (&pair, world);
      echo->input = pair.far_input;
      echo->output = pair.far_output;
      echo_read (echo);
      g_output_stream_splice_async (
          pair.near_output, memory,
          G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE
              | G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET,
          G_PRIORITY_DEFAULT, NULL, test_result_take, &spliced);
      received = await_read_all (pair.near_input, &error);
      g_assert_no_error (error);
      assert_equal (received, sent);
      AWAIT (spliced.result != NULL && echo->is_over);
      g_assert_cmpint (g_output_stream_splice_finish (
                           pair.near_output, spliced.result, &error),
                       ==, sizes[i]);
      g_assert_no_error (error);
      g_assert_true (g_output_stream_is_closed (pair.near_output));
      g_assert_cmpuint (echo->n_echoed, ==, sizes[i]);
      pair_clear (&pair);
    }
}

/* Many small writes in one callback arrive as they are, and soon. */
static void
test_small_writes (World *world, gconstpointer data)
{
  g_autoptr (GByteArray) all = g_byte_array_new ();
  g_autoptr (GBytes) expected = NULL;
  Pair pair;
  GError *error = NULL;

  pair_open (&pair, world);
  for (guint i = 0; i < 3000; i++)
    {
      g_autoptr (GBytes) piece = test_bytes_new (i % 97 == 0 ? 5000 : i % 50,
                                                 i);
      gsize n = 0;

      g_byte_array_append (all, g_bytes_get_data (piece, NULL),
                           g_bytes_get_size (piece));
      g_output_stream_write_all (pair.near_output,
                                 g_bytes_get_data (piece, NULL),
                                 g_bytes_get_size (piece), &n, NULL, &error);
      g_assert_no_error (error);
    }
  expected = g_byte_array_free_to_bytes (g_steal_pointer (&all));
  await_read_exactly (pair.far_input, expected);
  pair_clear (&pair);
}

static void
test_half_close (World *world, gconstpointer data)
{
  g_autoptr (GBytes) question = test_bytes_new (10000, 1);
  g_autoptr (GBytes) answer = test_bytes_new (12000, 2);
  g_autoptr (GBytes) got = NULL;
  g_autoptr (GBytes) got_answer = NULL;
  GError *error = NULL;
  Pair pair;

  pair_open (&pair, world);
  await_write (pair.near_output, question);
  g_assert_true (await_close_output (pair.near_output, &error));
  g_assert_no_error (error);
  got = await_read_all (pair.far_input, &error);
  g_assert_no_error (error);
  assert_equal (got, question);

  /* The other half lives on. */
  await_write (pair.far_output, answer);
  await_close_stream (pair.far, &error);
  g_assert_no_error (error);
  got_answer = await_read_all (pair.near_input, &error);
  g_assert_no_error (error);
  assert_equal (got_answer, answer);

  g_assert_cmpint (g_output_stream_write (pair.near_output, "x", 1, NULL,
                                          &error),
                   ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  await_close_stream (pair.near, &error);
  g_assert_no_error (error);
  pair_clear (&pair);
}

/* The other side stops reading: to write is an error, and only that */
static void
test_stop (World *world, gconstpointer data)
{
  g_autoptr (GBytes) much = test_bytes_new (20 * MIB, 1);
  g_autoptr (GBytes) back = test_bytes_new (1000, 2);
  GError *error = NULL;
  Pair pair;

  pair_open (&pair, world);
  g_assert_true (await_close_input (pair.far_input, &error));
  g_assert_no_error (error);
  g_assert_false (await_write_full (pair.near_output, much, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE);
  g_clear_error (&error);
  g_assert_false (await_close_output (pair.near_output, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED);
  g_clear_error (&error);

  await_write (pair.far_output, back);
  await_read_exactly (pair.near_input, back);
  g_assert_null (await_read (pair.far_input, 10, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  pair_clear (&pair);
}

/* Dropped without being closed: never an end */
static void
test_dropped (World *world, gconstpointer data)
{
  g_autoptr (GBytes) bytes = test_bytes_new (5000, 1);
  GError *error = NULL;
  Pair pair;

  pair_open (&pair, world);
  await_write (pair.near_output, bytes);
  await_read_exactly (pair.far_input, bytes);
  g_assert_finalize_object (pair.near);
  g_assert_null (await_read (pair.far_input, 10, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED);
  g_clear_error (&error);
  AWAIT (await_write_full (pair.far_output, bytes, NULL, &error) == FALSE);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE);
  g_clear_error (&error);
  g_assert_finalize_object (pair.far);
}

/* Dropped with one half closed: what was closed is delivered. */
static void
test_dropped_when_closed (World *world, gconstpointer data)
{
  g_autoptr (GBytes) bytes = test_bytes_new (1500000, 1);
  g_autoptr (GBytes) got = NULL;
  GError *error = NULL;
  gsize n;
  Pair pair;

  pair_open (&pair, world);
  g_output_stream_write_all (pair.near_output, g_bytes_get_data (bytes, NULL),
                             g_bytes_get_size (bytes), &n, NULL, &error);
  g_assert_no_error (error);
  /* In the peer's thread this does not wait. */
  g_assert_true (g_output_stream_close (pair.near_output, NULL, &error));
  g_assert_no_error (error);
  g_assert_finalize_object (pair.near);
  got = await_read_all (pair.far_input, &error);
  g_assert_no_error (error);
  assert_equal (got, bytes);
  g_assert_finalize_object (pair.far);
}

/* A half outlives its stream only as an object. */
static void
test_half_alone (World *world, gconstpointer data)
{
  g_autoptr (GInputStream) input = NULL;
  g_autoptr (GOutputStream) output = NULL;
  GError *error = NULL;
  Pair pair;

  pair_open (&pair, world);
  input = g_object_ref (pair.near_input);
  output = g_object_ref (pair.near_output);
  pair_clear (&pair);
  g_assert_null (await_read (input, 1, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_assert_nonnull (strstr (error->message, "nobody held it"));
  g_clear_error (&error);
  g_assert_cmpint (g_output_stream_write (output, "x", 1, NULL, &error), ==,
                   -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_assert_nonnull (strstr (error->message, "nobody held it"));
  g_clear_error (&error);
}

/* Nobody takes it */
static void
test_not_taken (World *world, gconstpointer data)
{
  g_autoptr (HpStream) stream = NULL;
  GInputStream *input;
  GError *error = NULL;

  g_signal_handlers_disconnect_by_data (world->callee, world);
  stream = await_open (world->near, &error);
  g_assert_no_error (error);
  input = g_io_stream_get_input_stream (G_IO_STREAM (stream));
  g_assert_null (await_read (input, 10, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED);
  g_clear_error (&error);
}

/* A task that nobody finishes does not keep a stream. */
static void
on_ignored (GObject *source, GAsyncResult *result, gpointer n)
{
  ++*(guint *) n;
}

static void
test_not_finished (World *world, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  guint n = 0;
  g_auto (TestResult) cancelled = { 0 };
  g_autoptr (HpStream) far = NULL;
  GError *error = NULL;

  hp_connection_open_stream_async (world->near, NULL, on_ignored, &n);
  AWAIT (n == 1);
  far = await_opened (world);
  g_assert_null (await_read (
      g_io_stream_get_input_stream (G_IO_STREAM (far)), 1, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED);
  g_clear_error (&error);

  g_cancellable_cancel (cancellable);
  hp_connection_open_stream_async (world->near, cancellable, test_result_take,
                                   &cancelled);
  AWAIT (cancelled.result != NULL);
  g_assert_null (hp_connection_open_stream_finish (world->near,
                                                   cancelled.result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
}

/* The connection ends: what was received is read, then its error */
static void
test_connection_closed (World *world, gconstpointer data)
{
  g_autoptr (GBytes) bytes = test_bytes_new (10000, 1);
  g_autoptr (GBytes) much = test_bytes_new (64 * MIB, 1);
  g_auto (TestResult) reading = { 0 };
  g_auto (TestResult) writing = { 0 };
  g_auto (TestResult) closing = { 0 };
  guint8 byte;
  GError *error = NULL;
  Pair pair, other;

  pair_open (&pair, world);
  pair_open (&other, world);
  await_write (pair.near_output, bytes);
  await_close_output (pair.near_output, &error);
  g_assert_no_error (error);

  g_input_stream_read_async (pair.near_input, &byte, 1, G_PRIORITY_DEFAULT,
                             NULL, test_result_take, &reading);
  g_output_stream_write_all_async (
      pair.far_output, g_bytes_get_data (much, NULL), g_bytes_get_size (much),
      G_PRIORITY_DEFAULT, NULL, test_result_take, &writing);
  await_write (other.far_output, bytes);
  g_io_stream_close_async (G_IO_STREAM (other.far), G_PRIORITY_DEFAULT, NULL,
                           test_result_take, &closing);
  await_close_connection (world->near);

  AWAIT (reading.result != NULL && writing.result != NULL
         && closing.result != NULL);
  g_input_stream_read_finish (pair.near_input, reading.result, NULL);
  g_assert_false (g_output_stream_write_all_finish (
      pair.far_output, writing.result, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  AWAIT (hp_connection_get_state (world->far) == HP_CONNECTION_STATE_CLOSED);

  /* It had arrived, and nobody had read it yet. */
  await_read_exactly (pair.far_input, bytes);
  g_assert_null (await_open (world->near, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_cmpint (g_output_stream_write (other.near_output, "x", 1, NULL,
                                          &error),
                   ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_null (await_read (other.far_input, 1, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  test_result_clear (&closing);
  pair_clear (&pair);
  pair_clear (&other);
}

static void
test_cancel (World *world, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GBytes) much = test_bytes_new (64 * MIB, 1);
  g_autoptr (GInputStream) memory = g_memory_input_stream_new_from_bytes (much);
  g_auto (TestResult) reading = { 0 };
  g_auto (TestResult) splicing = { 0 };
  g_auto (TestResult) closing = { 0 };
  guint8 byte;
  GError *error = NULL;
  Pair pair;

  pair_open (&pair, world);
  g_input_stream_read_async (pair.near_input, &byte, 1, G_PRIORITY_DEFAULT,
                             cancellable, test_result_take, &reading);
  g_output_stream_splice_async (pair.near_output, memory,
                                G_OUTPUT_STREAM_SPLICE_NONE, G_PRIORITY_DEFAULT,
                                cancellable, test_result_take, &splicing);
  await_time (50);
  g_assert_null (reading.result);
  g_assert_null (splicing.result);
  g_cancellable_cancel (cancellable);
  AWAIT (reading.result != NULL && splicing.result != NULL);
  g_assert_cmpint (g_input_stream_read_finish (pair.near_input, reading.result,
                                               &error),
                   ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_cmpint (g_output_stream_splice_finish (pair.near_output,
                                                  splicing.result, &error),
                   ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);

  /* Nobody reads, so to close would take for ever; it is closed all the same */
  g_cancellable_reset (cancellable);
  g_io_stream_close_async (G_IO_STREAM (pair.near), G_PRIORITY_DEFAULT,
                           cancellable, test_result_take, &closing);
  await_time (20);
  g_assert_null (closing.result);
  g_cancellable_cancel (cancellable);
  AWAIT (closing.result != NULL);
  g_assert_false (g_io_stream_close_finish (G_IO_STREAM (pair.near),
                                            closing.result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_true (g_io_stream_is_closed (G_IO_STREAM (pair.near)));
  test_result_clear (&closing);
  pair_clear (&pair);
}

/* A writer whom nobody reads is held up with little more than a window. */
static void
test_back_pressure (World *world, gconstpointer data)
{
  g_autofree guint8 *chunk = g_malloc0 (100000);
  GPollableOutputStream *output;
  gsize n = 0, m = 0;
  gssize step;
  GError *error = NULL;
  Pair pair;

  pair_open (&pair, world);
  output = G_POLLABLE_OUTPUT_STREAM (pair.near_output);
  for (guint i = 0; i < 20; i++)
    {
      while ((step = g_pollable_output_stream_write_nonblocking (
                  output, chunk, 100000, NULL, &error))
             > 0)
        n += step;
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
      g_clear_error (&error);
      g_assert_false (g_pollable_output_stream_is_writable (output));
      await_time (10);
    }
  g_test_message ("%" G_GSIZE_FORMAT " KiB written, none read", n / 1024);
  g_assert_cmpuint (n, >=, MIB);
  g_assert_cmpuint (n, <, 80 * MIB);

  /* In its own thread it does not block. */
  g_assert_cmpint (g_output_stream_write (pair.near_output, chunk, 1, NULL,
                                          &error),
                   ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  g_clear_error (&error);
  g_assert_cmpint (g_input_stream_read (pair.near_input, chunk, 1, NULL,
                                        &error),
                   ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  g_clear_error (&error);

  /* Read, it goes on. */
  while (m < n)
    {
      g_autoptr (GBytes) bytes = await_read (pair.far_input, MIB, &error);

      g_assert_no_error (error);
      g_assert_cmpuint (g_bytes_get_size (bytes), >, 0);
      m += g_bytes_get_size (bytes);
    }
  g_assert_cmpuint (m, ==, n);
  AWAIT (g_pollable_output_stream_is_writable (output));
  pair_clear (&pair);
}

/* More at once than are let in */
static void
test_many (World *world, gconstpointer data)
{
  enum
  {
    N = 700
  };
  g_autoptr (GPtrArray) near = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  GError *error = NULL;

  for (guint i = 0; i < N; i++)
    {
      HpStream *stream = await_open (world->near, &error);
      GOutputStream *output;
      guint32 word[100] = { i };

      g_assert_no_error (error);
      g_ptr_array_add (near, stream);
      output = g_io_stream_get_output_stream (G_IO_STREAM (stream));
      g_assert_cmpint (g_output_stream_write (output, word, sizeof word, NULL,
                                              &error),
                       ==, sizeof word);
      g_assert_true (g_io_stream_close (G_IO_STREAM (stream), NULL, &error));
      g_assert_no_error (error);
    }
  for (guint i = 0; i < N; i++)
    {
      g_autoptr (HpStream) far = await_opened (world);
      g_autoptr (GBytes) bytes = await_read_all (
          g_io_stream_get_input_stream (G_IO_STREAM (far)), &error);
      guint32 word;

      g_assert_no_error (error);
      g_assert_cmpuint (g_bytes_get_size (bytes), ==, 400);
      word = *(const guint32 *) g_bytes_get_data (bytes, NULL);
      g_assert_cmpuint (word, <, N);
      g_assert_true (g_hash_table_add (seen, GUINT_TO_POINTER (word + 1)));
      await_close_stream (far, NULL);
    }
}

/* From the inside of callbacks */

static void
on_read_then_drop (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Pair *pair = user_data;
  GError *error = NULL;

  g_input_stream_read_finish (G_INPUT_STREAM (source), result, &error);
  g_assert_no_error (error);
  g_clear_object (&pair->far);
}

static void
test_drop_in_callback (World *world, gconstpointer data)
{
  g_autoptr (GBytes) bytes = test_bytes_new (100, 1);
  GError *error = NULL;
  guint8 byte;
  Pair pair;

  pair_open (&pair, world);
  g_input_stream_read_async (pair.far_input, &byte, 1, G_PRIORITY_DEFAULT, NULL,
                             on_read_then_drop, &pair);
  await_write (pair.near_output, bytes);
  AWAIT (pair.far == NULL);
  g_assert_null (await_read (pair.near_input, 1, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED);
  g_clear_error (&error);
  g_assert_finalize_object (pair.near);
}

static void
on_opened_then_close (HpConnection *connection, HpStream *stream, gpointer n)
{
  ++*(guint *) n;
  hp_connection_close_async (connection, NULL, NULL, NULL);
}

static void
test_close_in_opened (World *world, gconstpointer data)
{
  g_autoptr (HpStream) stream = NULL;
  GError *error = NULL;
  guint n = 0;

  g_signal_connect (world->far, "stream-opened",
                    G_CALLBACK (on_opened_then_close), &n);
  stream = await_open (world->near, &error);
  g_assert_no_error (error);
  g_assert_null (await_read (
      g_io_stream_get_input_stream (G_IO_STREAM (stream)), 1, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_cmpuint (n, ==, 1);
}

/* Before the connection is there, and after */
static void
on_resolved (HpPeer *peer, HpConnection *connection, gpointer result)
{
  hp_connection_open_stream_async (connection, NULL, test_result_take, result);
}

static void
test_open_early (World *world, gconstpointer data)
{
  g_auto (TestResult) result = { 0 };
  HpPeer *early = test_peer_new (world->server, NULL);
  g_autoptr (HpConnection) connection = NULL;
  g_autoptr (HpStream) near = NULL;
  g_autoptr (HpStream) far = NULL;
  GError *error = NULL;

  g_signal_connect (early, "peer-resolved", G_CALLBACK (on_resolved), &result);
  connection = await_connect (early, "wq", &error);
  g_assert_no_error (error);
  AWAIT (result.result != NULL);
  near = hp_connection_open_stream_finish (connection, result.result, &error);
  g_assert_no_error (error);
  far = await_opened (world);
  g_clear_object (&near);
  g_clear_object (&far);
  g_clear_object (&result.result);
  g_clear_object (&connection);
  test_peer_free (early);
}

static void
test_bare (void)
{
  g_autoptr (HpStream) stream = g_object_new (HP_TYPE_STREAM, NULL);
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (stream));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (stream));
  guint8 byte = 0;
  GError *error = NULL;

  g_assert_null (hp_stream_get_connection (stream));
  g_assert_cmpuint (hp_stream_get_weight (stream), ==, 16);
  hp_stream_set_weight (stream, 256);
  g_assert_cmpuint (hp_stream_get_weight (stream), ==, 256);
  g_assert_cmpint (g_input_stream_read (input, &byte, 1, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_cmpint (g_output_stream_write (output, &byte, 1, NULL, &error), ==,
                   -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_null (await_read (input, 1, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_false (await_close_stream (stream, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(path, test)                                                        \
  g_test_add ("/streams/" path, World, NULL, world_set_up, test,               \
              world_tear_down)

  ADD ("echo", test_echo);
  ADD ("small-writes", test_small_writes);
  ADD ("half-close", test_half_close);
  ADD ("stop", test_stop);
  ADD ("dropped", test_dropped);
  ADD ("dropped-when-closed", test_dropped_when_closed);
  ADD ("half-alone", test_half_alone);
  ADD ("not-taken", test_not_taken);
  ADD ("not-finished", test_not_finished);
  ADD ("connection-closed", test_connection_closed);
  ADD ("cancel", test_cancel);
  ADD ("back-pressure", test_back_pressure);
  ADD ("many", test_many);
  ADD ("drop-in-callback", test_drop_in_callback);
  ADD ("close-in-opened", test_close_in_opened);
  ADD ("open-early", test_open_early);
  g_test_add_func ("/streams/bare", test_bare);
  return g_test_run ();
}
