/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Streams in other threads than their connection's, which runs the peers and
 * nothing else: blocking calls, and sources in other contexts
 */

#include "stream-world.h"

#define MIB (1024 * 1024)

/* A thread, for whose end the main context runs */

typedef struct
{
  GThread *thread;
  void (*run) (gpointer user_data);
  gpointer user_data;
  int is_over;
} Worker;

static gpointer
work (gpointer user_data)
{
  Worker *self = user_data;

  self->run (self->user_data);
  g_atomic_int_set (&self->is_over, TRUE);
  g_main_context_wakeup (NULL);
  return NULL;
}

static void
worker_start (Worker *self, void (*run) (gpointer user_data),
              gpointer user_data)
{
  *self = (Worker){ .run = run, .user_data = user_data };
  self->thread = g_thread_new ("worker", work, self);
}

static void
worker_await (Worker *self)
{
  AWAIT (g_atomic_int_get (&self->is_over));
  g_thread_join (self->thread);
}

/* Blocking both ways: a sends, b sends it back, c receives it */

typedef struct
{
  Pair pair;
  GBytes *sent;
  GByteArray *received;
} Talk;

static void
run_writer (gpointer user_data)
{
  Talk *self = user_data;
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  gsize size, n, done = 0;
  const guint8 *data = g_bytes_get_data (self->sent, &size);
  GError *error = NULL;

  while (done < size)
    {
      gsize most = g_rand_boolean (rand) ? 100 : 300000;
      gsize count = g_rand_int_range (rand, 1, most);

      count = MIN (count, size - done);
      g_output_stream_write_all (self->pair.near_output, data + done, count, &n,
                                 NULL, &error);
      g_assert_no_error (error);
      done += n;
    }
  /* All of it has arrived then. */
  g_output_stream_close (self->pair.near_output, NULL, &error);
  g_assert_no_error (error);
}

static void
run_echo (gpointer user_data)
{
  Talk *self = user_data;
  guint8 buffer[20000];
  gssize n;
  GError *error = NULL;

  while ((n = g_input_stream_read (self->pair.far_input, buffer, sizeof buffer,
                                   NULL, &error))
         > 0)
    {
      g_output_stream_write_all (self->pair.far_output, buffer, n, NULL, NULL,
                                 &error);
      g_assert_no_error (error);
    }
  g_assert_no_error (error);
  g_io_stream_close (G_IO_STREAM (self->pair.far), NULL, &error);
  g_assert_no_error (error);
}

static void
run_reader (gpointer user_data)
{
  Talk *self = user_data;
  guint8 buffer[30000];
  gssize n;
  GError *error = NULL;

  while ((n = g_input_stream_read (self->pair.near_input, buffer, sizeof buffer,
                                   NULL, &error))
         > 0)
    g_byte_array_append (self->received, buffer, n);
  g_assert_no_error (error);
}

static void
test_blocking (World *world, gconstpointer data)
{
  Talk talk = { .sent = test_bytes_new (12 * MIB + 5, 3),
                .received = g_byte_array_new () };
  Worker workers[3];

  pair_open (&talk.pair, world);
  worker_start (workers, run_writer, &talk);
  worker_start (workers + 1, run_echo, &talk);
  worker_start (workers + 2, run_reader, &talk);
  for (guint i = 0; i < 3; i++)
    worker_await (workers + i);
  g_assert_cmpmem (talk.received->data, talk.received->len,
                   g_bytes_get_data (talk.sent, NULL),
                   g_bytes_get_size (talk.sent));
  pair_clear (&talk.pair);
  g_bytes_unref (talk.sent);
  g_byte_array_unref (talk.received);
}

/* A byte there and back, while nothing else happens that would wake anybody */

#define N_PINGS 300

static void
run_ping (gpointer user_data)
{
  Pair *pair = user_data;
  char byte = 0;
  GError *error = NULL;

  for (guint i = 0; i < N_PINGS; i++)
    {
      g_output_stream_write_all (pair->near_output, &byte, 1, NULL, NULL,
                                 &error);
      g_assert_no_error (error);
      g_input_stream_read_all (pair->near_input, &byte, 1, NULL, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpint (byte, ==, (char) (i + 1));
    }
}

static void
run_pong (gpointer user_data)
{
  Pair *pair = user_data;
  char byte;
  GError *error = NULL;

  for (guint i = 0; i < N_PINGS; i++)
    {
      g_input_stream_read_all (pair->far_input, &byte, 1, NULL, NULL, &error);
      g_assert_no_error (error);
      byte++;
      g_output_stream_write_all (pair->far_output, &byte, 1, NULL, NULL,
                                 &error);
      g_assert_no_error (error);
    }
}

static void
test_ping (World *world, gconstpointer data)
{
  gint64 since, each;
  Worker ping, pong;
  Pair pair;

  pair_open (&pair, world);
  since = g_get_monotonic_time ();
  worker_start (&ping, run_ping, &pair);
  worker_start (&pong, run_pong, &pair);
  worker_await (&ping);
  worker_await (&pong);
  each = (g_get_monotonic_time () - since) / N_PINGS;
  /* By accident it would be woken by the timers of acknowledgements: 50 ms. */
  g_test_message ("%" G_GINT64_FORMAT " microseconds there and back", each);
  g_assert_cmpint (each, <, 20000);
  pair_clear (&pair);
}

/* A blocked read or write, and what ends it */

typedef struct
{
  GInputStream *input;
  GOutputStream *output; /* one of them */
  GCancellable *cancellable;
  GError *error;
} Blocked;

static void
run_blocked (gpointer user_data)
{
  Blocked *self = user_data;
  g_autofree guint8 *buffer = g_malloc0 (100000);
  gssize n;

  do
    n = self->input != NULL
            ? g_input_stream_read (self->input, buffer, 1, self->cancellable,
                                   &self->error)
            : g_output_stream_write (self->output, buffer, 100000,
                                     self->cancellable, &self->error);
  while (n > 0);
}

typedef enum
{
  BY_CANCELLABLE,
  BY_CLOSING,
  BY_OTHER_SIDE,
  BY_CONNECTION,
  N_ENDS,
} End;

static void
check_blocked (World *world, End end, const int *codes)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Blocked reading = { .cancellable = cancellable };
  Blocked writing = { .cancellable = cancellable };
  Worker reader, writer;
  Pair pair;

  pair_open (&pair, world);
  reading.input = pair.near_input;
  writing.output = pair.near_output;
  worker_start (&reader, run_blocked, &reading);
  worker_start (&writer, run_blocked, &writing);
  await_time (30);
  g_assert_false (g_atomic_int_get (&reader.is_over));
  g_assert_false (g_atomic_int_get (&writer.is_over));

  switch (end)
    {
    case BY_CANCELLABLE:
      g_cancellable_cancel (cancellable);
      break;
    case BY_CLOSING:
      /* In the owner's thread it does not wait, and both are in use. */
      g_assert_true (g_io_stream_close (G_IO_STREAM (pair.near), NULL, NULL));
      break;
    case BY_OTHER_SIDE:
      g_clear_object (&pair.far);
      break;
    case BY_CONNECTION:
      await_close_connection (world->far);
      break;
    case N_ENDS:
      g_assert_not_reached ();
    }

  worker_await (&reader);
  worker_await (&writer);
  g_assert_error (reading.error, G_IO_ERROR, codes[0]);
  g_assert_error (writing.error, G_IO_ERROR, codes[1]);
  g_clear_error (&reading.error);
  g_clear_error (&writing.error);
  g_clear_object (&pair.far);
  g_assert_finalize_object (pair.near);
}

static void
test_blocked (World *world, gconstpointer data)
{
  const int codes[N_ENDS][2] = {
    [BY_CANCELLABLE] = { G_IO_ERROR_CANCELLED, G_IO_ERROR_CANCELLED },
    [BY_CLOSING] = { G_IO_ERROR_CLOSED, G_IO_ERROR_CLOSED },
    [BY_OTHER_SIDE] = { G_IO_ERROR_CONNECTION_CLOSED, G_IO_ERROR_BROKEN_PIPE },
    [BY_CONNECTION] = { G_IO_ERROR_CLOSED, G_IO_ERROR_CLOSED },
  };
  End end = GPOINTER_TO_UINT (data);

  check_blocked (world, end, codes[end]);
}

/* Closed while another thread writes: what was written is what arrives. */

typedef struct
{
  GOutputStream *output;
  GBytes *bytes;
  int has_begun;
  gssize n_written;
} LastWrite;

static void
run_last_write (gpointer user_data)
{
  LastWrite *self = user_data;
  g_autoptr (GError) error = NULL;
  gsize size;
  gconstpointer bytes = g_bytes_get_data (self->bytes, &size);

  g_atomic_int_set (&self->has_begun, TRUE);
  self->n_written
      = g_output_stream_write (self->output, bytes, size, NULL, &error);
  if (self->n_written < 0)
    {
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
      self->n_written = 0;
    }
}

static void
test_close_meanwhile (World *world, gconstpointer data)
{
  g_autoptr (GBytes) bytes = test_bytes_new (2 * MIB, 5);

  for (guint i = 0; i < 40; i++)
    {
      LastWrite last = { .bytes = bytes };
      g_autoptr (GBytes) received = NULL;
      Worker writer;
      Pair pair;
      GError *error = NULL;

      pair_open (&pair, world);
      last.output = pair.near_output;
      worker_start (&writer, run_last_write, &last);
      while (!g_atomic_int_get (&last.has_begun))
        g_thread_yield ();
      g_usleep (i * 10);
      g_assert_true (g_io_stream_close (G_IO_STREAM (pair.near), NULL, NULL));
      worker_await (&writer);
      received = await_read_all (pair.far_input, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (g_bytes_get_size (received), ==, last.n_written);
      pair_clear (&pair);
    }
}

/* Asynchronous calls and sources in a thread with a context of its own */

typedef struct
{
  Pair pair;
  GBytes *sent;
  gsize n_written;
  GMainLoop *loop;
  guint n_woken;
} Polled;

static gboolean
on_writable (GObject *stream, gpointer user_data)
{
  Polled *self = user_data;
  gsize size;
  const guint8 *data = g_bytes_get_data (self->sent, &size);
  gssize n;
  GError *error = NULL;

  self->n_woken++;
  n = g_pollable_output_stream_write_nonblocking (
      G_POLLABLE_OUTPUT_STREAM (stream), data + self->n_written,
      MIN (size - self->n_written, 10000), NULL, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    {
      g_clear_error (&error);
      return G_SOURCE_CONTINUE;
    }
  g_assert_no_error (error);
  self->n_written += n;
  if (self->n_written < size)
    return G_SOURCE_CONTINUE;
  g_assert_true (g_output_stream_close (self->pair.near_output, NULL, &error));
  g_assert_no_error (error);
  g_main_loop_quit (self->loop);
  return G_SOURCE_REMOVE;
}

static void
run_polled (gpointer user_data)
{
  Polled *self = user_data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GSource) source = NULL;
  g_autoptr (GSource) unused = NULL;

  g_main_context_push_thread_default (context);
  self->loop = g_main_loop_new (context, FALSE);
  source = g_pollable_output_stream_create_source (
      G_POLLABLE_OUTPUT_STREAM (self->pair.near_output), NULL);
  /* One that is never attached */
  unused = g_pollable_output_stream_create_source (
      G_POLLABLE_OUTPUT_STREAM (self->pair.near_output), NULL);
  g_source_set_callback (source, G_SOURCE_FUNC (on_writable), self, NULL);
  g_source_attach (source, context);
  g_main_loop_run (self->loop);
  g_main_loop_unref (self->loop);
  g_main_context_pop_thread_default (context);
}

static void
run_async_reader (gpointer user_data)
{
  Polled *self = user_data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GBytes) received = NULL;
  GError *error = NULL;

  g_main_context_push_thread_default (context);
  received = await_read_all (self->pair.far_input, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (received, NULL),
                   g_bytes_get_size (received),
                   g_bytes_get_data (self->sent, NULL),
                   g_bytes_get_size (self->sent));
  g_main_context_pop_thread_default (context);
}

static void
test_other_contexts (World *world, gconstpointer data)
{
  Polled polled = { .sent = test_bytes_new (20 * MIB, 9) };
  Worker writer, reader;

  pair_open (&polled.pair, world);
  worker_start (&writer, run_polled, &polled);
  worker_start (&reader, run_async_reader, &polled);
  worker_await (&writer);
  worker_await (&reader);
  /* Once for each write, and not much more: it does not spin. */
  g_test_message ("woken %u times", polled.n_woken);
  g_assert_cmpuint (polled.n_woken, <, 3 * (20 * MIB / 10000));
  pair_clear (&polled.pair);
  g_bytes_unref (polled.sent);
}

/* Nothing to read: nobody is woken for nothing */

static gboolean
on_readable (GObject *stream, gpointer n)
{
  char byte;
  GError *error = NULL;

  ++*(guint *) n;
  g_pollable_input_stream_read_nonblocking (G_POLLABLE_INPUT_STREAM (stream),
                                            &byte, 1, NULL, &error);
  g_clear_error (&error);
  return G_SOURCE_CONTINUE;
}

static void
test_idle_source (World *world, gconstpointer data)
{
  g_autoptr (GSource) source = NULL;
  g_autoptr (GBytes) bytes = test_bytes_new (5, 1);
  guint n = 0;
  Pair pair;

  pair_open (&pair, world);
  source = g_pollable_input_stream_create_source (
      G_POLLABLE_INPUT_STREAM (pair.near_input), NULL);
  g_source_set_callback (source, G_SOURCE_FUNC (on_readable), &n, NULL);
  g_source_attach (source, NULL);
  await_time (50);
  g_assert_cmpuint (n, ==, 0);
  await_write (pair.far_output, bytes);
  await_time (100);
  g_assert_cmpuint (n, >=, 5);
  g_assert_cmpuint (n, <=, 6);
  g_source_destroy (source);
  g_clear_pointer (&source, g_source_unref);
  pair_clear (&pair);
}

/* Sources that come and go while bytes do */

typedef struct
{
  Pair pair;
  gsize n_received;
  gsize size;
} Churn;

static gboolean
on_churn_readable (GObject *stream, gpointer is_woken)
{
  *(gboolean *) is_woken = TRUE;
  return G_SOURCE_REMOVE;
}

static void
run_churn (gpointer user_data)
{
  Churn *self = user_data;
  GPollableInputStream *input = G_POLLABLE_INPUT_STREAM (self->pair.far_input);
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autofree guint8 *buffer = g_malloc (3000);

  while (self->n_received < self->size)
    {
      g_autoptr (GSource) dropped
          = g_pollable_input_stream_create_source (input, NULL);
      g_autoptr (GSource) source
          = g_pollable_input_stream_create_source (input, NULL);
      gboolean is_woken = FALSE;
      gssize n;
      GError *error = NULL;

      g_source_set_callback (dropped, G_SOURCE_FUNC (on_churn_readable),
                             &is_woken, NULL);
      g_source_attach (dropped, context);
      g_main_context_iteration (context, FALSE);
      g_source_destroy (dropped);

      is_woken = FALSE;
      g_source_set_callback (source, G_SOURCE_FUNC (on_churn_readable),
                             &is_woken, NULL);
      g_source_attach (source, context);
      while (!is_woken)
        g_main_context_iteration (context, TRUE);
      while ((n = g_pollable_input_stream_read_nonblocking (
                  input, buffer, 3000, NULL, &error))
             > 0)
        self->n_received += n;
      if (n < 0)
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
      g_clear_error (&error);
    }
}

static void
test_churn (World *world, gconstpointer data)
{
  Churn churn = { .size = 3 * MIB };
  g_autoptr (GBytes) sent = test_bytes_new (churn.size, 1);
  Worker worker;

  pair_open (&churn.pair, world);
  worker_start (&worker, run_churn, &churn);
  for (gsize i = 0; i < churn.size;)
    {
      g_autoptr (GBytes) piece = g_bytes_new_from_bytes (
          sent, i, MIN (churn.size - i, 1 + i % 9000));

      await_write (churn.pair.near_output, piece);
      i += g_bytes_get_size (piece);
    }
  worker_await (&worker);
  g_assert_cmpuint (churn.n_received, ==, churn.size);
  pair_clear (&churn.pair);
}

/* The last reference goes in a thread, here and there */

static void
run_drop (gpointer stream)
{
  GInputStream *input = g_io_stream_get_input_stream (stream);
  GOutputStream *output = g_io_stream_get_output_stream (stream);
  char byte;
  GError *error = NULL;

  if (!g_output_stream_write_all (output, "!", 1, NULL, NULL, &error))
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE);
  g_clear_error (&error);
  /* Unless the other side was so quick to give it up that that came first */
  if (g_input_stream_read (input, &byte, 1, NULL, &error) < 0)
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED);
  else
    g_assert_cmpint (byte, ==, '!');
  g_clear_error (&error);
  g_object_unref (stream);
}

static void
test_drop (World *world, gconstpointer data)
{
  Worker workers[20];
  GError *error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (workers); i += 2)
    {
      HpStream *near = await_open (world->near, &error);

      g_assert_no_error (error);
      worker_start (workers + i, run_drop, near);
      worker_start (workers + i + 1, run_drop, await_opened (world));
    }
  for (guint i = 0; i < G_N_ELEMENTS (workers); i++)
    worker_await (workers + i);
}

/* All at once: streams of several threads while the connection dies */

static void
run_until_end (gpointer stream)
{
  GOutputStream *output = g_io_stream_get_output_stream (stream);
  GInputStream *input = g_io_stream_get_input_stream (stream);
  g_autofree guint8 *buffer = g_malloc0 (50000);
  GError *error = NULL;

  while (g_output_stream_write_all (output, buffer, 1 + (buffer[0]++ << 7),
                                    NULL, NULL, &error)
         && g_input_stream_read (input, buffer + 1, 20000, NULL, &error) > 0)
    ;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  g_io_stream_close (stream, NULL, NULL);
  g_object_unref (stream);
}

static void
test_connection_dies (World *world, gconstpointer data)
{
  Worker workers[12];
  GError *error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (workers); i += 2)
    {
      HpStream *near = await_open (world->near, &error);

      g_assert_no_error (error);
      worker_start (workers + i, run_until_end, near);
      worker_start (workers + i + 1, run_until_end, await_opened (world));
    }
  await_time (100);
  await_close_connection (world->near);
  for (guint i = 0; i < G_N_ELEMENTS (workers); i++)
    worker_await (workers + i);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(path, data, test)                                                  \
  g_test_add ("/stream-threads/" path, World, GUINT_TO_POINTER (data),         \
              world_set_up, test, world_tear_down)

  ADD ("blocking", 0, test_blocking);
  ADD ("ping", 0, test_ping);
  ADD ("blocked/cancelled", BY_CANCELLABLE, test_blocked);
  ADD ("blocked/closed", BY_CLOSING, test_blocked);
  ADD ("blocked/other-side", BY_OTHER_SIDE, test_blocked);
  ADD ("blocked/connection", BY_CONNECTION, test_blocked);
  ADD ("closed-meanwhile", 0, test_close_meanwhile);
  ADD ("other-contexts", 0, test_other_contexts);
  ADD ("idle-source", 0, test_idle_source);
  ADD ("churn", 0, test_churn);
  ADD ("drop", 0, test_drop);
  ADD ("connection-dies", 0, test_connection_dies);
  return g_test_run ();
}
