/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Bulk through an HpStream, as a program would that copies a file */

#include "bench-peer.h"

#define BUFFER_SIZE (256 * 1024)

typedef struct
{
  HpConnection *connection;
  HpStream *stream;
  guint8 *buffer;
} Reader;

static void
reader_free (Reader *self)
{
  g_object_unref (self->connection);
  g_object_unref (self->stream);
  g_free (self->buffer);
  g_free (self);
}

static void
on_closed (GObject *stream, GAsyncResult *result, gpointer user_data)
{
  /* The caller may have gone already */
  g_io_stream_close_finish (G_IO_STREAM (stream), result, NULL);
  reader_free (user_data);
}

static void
on_read (GObject *input, GAsyncResult *result, gpointer user_data)
{
  Reader *self = user_data;
  g_autoptr (GError) error = NULL;
  gssize n
      = g_input_stream_read_finish (G_INPUT_STREAM (input), result, &error);

  if (n > 0)
    {
      bench_count_bulk (bench_get_count (self->connection), n);
      g_input_stream_read_async (G_INPUT_STREAM (input), self->buffer,
                                 BUFFER_SIZE, G_PRIORITY_DEFAULT, NULL,
                                 on_read, self);
      return;
    }
  if (n < 0)
    g_warning ("a stream: %s", error->message);
  g_io_stream_close_async (G_IO_STREAM (self->stream), G_PRIORITY_DEFAULT, NULL,
                           on_closed, self);
}

void
bench_read_stream (HpConnection *connection, HpStream *stream)
{
  Reader *self = g_new (Reader, 1);

  *self = (Reader) {
    .connection = g_object_ref (connection),
    .stream = g_object_ref (stream),
    .buffer = g_malloc (BUFFER_SIZE),
  };
  g_input_stream_read_async (
      g_io_stream_get_input_stream (G_IO_STREAM (stream)), self->buffer,
      BUFFER_SIZE, G_PRIORITY_DEFAULT, NULL, on_read, self);
}

static void
on_result (GObject *object, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

static GAsyncResult *
await (GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return *result;
}

static HpStream *
await_stream (HpConnection *connection)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  HpStream *stream;

  hp_connection_open_stream_async (connection, NULL, on_result, &result);
  stream = hp_connection_open_stream_finish (connection, await (&result),
                                             &error);
  if (stream == NULL)
    g_error ("%s", error->message);
  return stream;
}

static void
await_written (GOutputStream *output, GBytes *piece)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  gsize size;
  gconstpointer bytes = g_bytes_get_data (piece, &size);

  g_output_stream_write_all_async (output, bytes, size, G_PRIORITY_DEFAULT,
                                   NULL, on_result, &result);
  if (!g_output_stream_write_all_finish (output, await (&result), NULL,
                                         &error))
    g_error ("%s", error->message);
}

void
bench_write_stream (HpConnection *connection, GBytes *piece, guint64 size)
{
  g_autoptr (HpStream) stream = await_stream (connection);
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (stream));
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (stream));
  g_autoptr (GAsyncResult) closed = NULL;
  g_autoptr (GAsyncResult) read = NULL;
  g_autoptr (GError) error = NULL;
  char byte;

  for (guint64 sent = 0; sent < size; sent += g_bytes_get_size (piece))
    await_written (output, piece);
  g_output_stream_close_async (output, G_PRIORITY_DEFAULT, NULL, on_result,
                               &closed);
  if (!g_output_stream_close_finish (output, await (&closed), &error))
    g_error ("%s", error->message);
  /* The reader closes when it has come to the end */
  g_input_stream_read_async (input, &byte, 1, G_PRIORITY_DEFAULT, NULL,
                             on_result, &read);
  if (g_input_stream_read_finish (input, await (&read), &error) != 0)
    g_error ("the stream did not end as it should");
}
