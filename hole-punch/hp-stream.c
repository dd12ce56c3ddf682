/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-stream-private.h"

#include "hole-punch/hp-connection.h"

/**
 * SECTION:hp-stream
 * @title: HpStream
 * @short_description: Bytes to and from a peer
 *
 * A stream is a #GIOStream through the NATs: bytes both ways, all of them and
 * in order, as many as you like. One side opens it by
 * hp_connection_open_stream_async(), the other gets it from
 * #HpConnection::stream-opened or #HpPeer::stream-opened. A connection carries
 * as many streams as you want; none waits for another one's lost datagrams, and
 * #HpStream:weight shares the connection out among them.
 *
 * Whatever speaks over a #GIOStream can speak over it: #GDBusConnection,
 * #GDataInputStream, g_io_stream_splice_async(), an HTTP server. To send a
 * file, splice it into the output half; then only a window of it is in memory.
 *
 * # Threads # {#stream-threads}
 *
 * A connection belongs to its peer's thread, but its streams may be used from
 * any: the asynchronous functions and the pollable sources work in whatever
 * main context they are used in, and the blocking functions in any thread but
 * the peer's own. There, where to block would be to wait for oneself, they do
 * what can be done at once and otherwise fail with %G_IO_ERROR_WOULD_BLOCK, as
 * those of a non-blocking socket. For the others to get on, the peer's main
 * context has to run.
 *
 * # Closing # {#stream-closing}
 *
 * Each half ends by itself. To close the output half says that all has been
 * written: the other side reads it, and then the end (a read of 0 bytes). To
 * close the input half tells the other side to write no more, and it gets
 * %G_IO_ERROR_CONNECTION_CLOSED (alias %G_IO_ERROR_BROKEN_PIPE) if it does.
 * g_io_stream_close() does both.
 *
 * To close the output half, or the stream, takes until the other side has
 * received everything and acknowledged it; when g_io_stream_close_async() is
 * done, the program may end and nothing is lost. (In the peer's thread
 * g_io_stream_close() cannot wait: it returns at once, and the rest is
 * delivered as long as the connection is there.) If it is cancelled, it goes on
 * all the same, and just is not waited for. A write only means that the bytes
 * are on their way. At most some MiB of them are, twice what the network holds
 * of them; then writes wait. The same way, what is not read holds the other
 * side up.
 *
 * A stream whose last reference is dropped before it was closed is given up:
 * the other side's reads fail with %G_IO_ERROR_CONNECTION_CLOSED, also of what
 * had arrived and was not read yet, so that a half of something is never taken
 * for all of it. So it happens to a stream that nobody takes from
 * #HpConnection::stream-opened.
 *
 * # When the connection ends # {#stream-end}
 *
 * What has been received can still be read. After that, and for all writes,
 * the error is what ended the connection: %G_IO_ERROR_CLOSED when one of the
 * sides closed it, or the error of #HpConnection::closed. A stream is closed
 * before its connection, or it is cut off.
 */

/**
 * HpStream:
 *
 * Bytes to and from a peer, as a #GIOStream whose halves are a
 * #GPollableInputStream and a #GPollableOutputStream.
 *
 * Since: 1.0
 */

struct _HpStream
{
  GIOStream parent_instance;

  HpConnection *connection; /* NULL: made by nobody who has one */
  HpPipe *pipe;
  GInputStream *input;
  GOutputStream *output;
  gboolean in_dispose;
};

G_DEFINE_FINAL_TYPE (HpStream, hp_stream, G_TYPE_IO_STREAM)

typedef enum
{
  PROP_CONNECTION = 1,
  PROP_WEIGHT,
} HpStreamProperty;

static GParamSpec *properties[PROP_WEIGHT + 1];

/* Other than GIO's, it does not close in good order what nobody has closed. */
static void
hp_stream_dispose (GObject *object)
{
  HpStream *self = HP_STREAM (object);

  self->in_dispose = TRUE;
  hp_pipe_abandon (self->pipe);
  G_OBJECT_CLASS (hp_stream_parent_class)->dispose (object);
}

static void
hp_stream_finalize (GObject *object)
{
  HpStream *self = HP_STREAM (object);

  g_object_unref (self->input);
  g_object_unref (self->output);
  hp_pipe_unref (self->pipe);
  g_clear_object (&self->connection);
  G_OBJECT_CLASS (hp_stream_parent_class)->finalize (object);
}

static void
hp_stream_get_property (GObject *object, guint property_id, GValue *value,
                        GParamSpec *pspec)
{
  HpStream *self = HP_STREAM (object);

  switch ((HpStreamProperty) property_id)
    {
    case PROP_CONNECTION:
      g_value_set_object (value, self->connection);
      break;
    case PROP_WEIGHT:
      g_value_set_uint (value, hp_stream_get_weight (self));
      break;
    }
}

static void
hp_stream_set_property (GObject *object, guint property_id, const GValue *value,
                        GParamSpec *pspec)
{
  HpStream *self = HP_STREAM (object);

  switch ((HpStreamProperty) property_id)
    {
    case PROP_CONNECTION:
      g_assert_not_reached ();
    case PROP_WEIGHT:
      hp_stream_set_weight (self, g_value_get_uint (value));
      break;
    }
}

static GInputStream *
hp_stream_get_input_stream (GIOStream *stream)
{
  return HP_STREAM (stream)->input;
}

static GOutputStream *
hp_stream_get_output_stream (GIOStream *stream)
{
  return HP_STREAM (stream)->output;
}

static gboolean
hp_stream_close (GIOStream *stream, GCancellable *cancellable, GError **error)
{
  HpStream *self = HP_STREAM (stream);

  hp_pipe_close_output (self->pipe);
  hp_pipe_close_input (self->pipe);
  if (self->in_dispose)
    return TRUE;

  /* A half that is in use fails to, and then finds its pipe closed. */
  g_input_stream_close (self->input, NULL, NULL);
  g_output_stream_close (self->output, cancellable, NULL);
  return hp_stream_wait_sent (self->pipe, cancellable, error);
}

static void
hp_stream_close_async (GIOStream *stream, int io_priority,
                       GCancellable *cancellable, GAsyncReadyCallback callback,
                       gpointer user_data)
{
  HpStream *self = HP_STREAM (stream);
  GTask *task = g_task_new (stream, cancellable, callback, user_data);

  g_task_set_source_tag (task, hp_stream_close_async);
  g_task_set_priority (task, io_priority);
  hp_pipe_close_output (self->pipe);
  hp_pipe_close_input (self->pipe);
  g_input_stream_close (self->input, NULL, NULL);
  hp_stream_return_when_sent (self->pipe, task);
}

static gboolean
hp_stream_close_finish (GIOStream *stream, GAsyncResult *result, GError **error)
{
  HpStream *self = HP_STREAM (stream);

  /* So that the half knows too; unless cancelled, it does not wait. */
  if (hp_pipe_is_ready (self->pipe, HP_PIPE_SENT))
    g_output_stream_close (self->output, NULL, NULL);
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
hp_stream_class_init (HpStreamClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GIOStreamClass *stream_class = G_IO_STREAM_CLASS (klass);

  object_class->dispose = hp_stream_dispose;
  object_class->finalize = hp_stream_finalize;
  object_class->get_property = hp_stream_get_property;
  object_class->set_property = hp_stream_set_property;
  stream_class->get_input_stream = hp_stream_get_input_stream;
  stream_class->get_output_stream = hp_stream_get_output_stream;
  stream_class->close_fn = hp_stream_close;
  stream_class->close_async = hp_stream_close_async;
  stream_class->close_finish = hp_stream_close_finish;

  /**
   * HpStream:connection:
   *
   * The connection that carries the stream.
   *
   * Since: 1.0
   */
  properties[PROP_CONNECTION] = g_param_spec_object (
      "connection", "Connection", "What carries the stream", HP_TYPE_CONNECTION,
      G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  /**
   * HpStream:weight:
   *
   * The stream's share of the connection, in proportion to that of other
   * streams and messages that have something to send at the same time: from 1
   * to 256. Every message has 16.
   *
   * Since: 1.0
   */
  properties[PROP_WEIGHT] = g_param_spec_uint (
      "weight", "Weight", "Share of the connection", 1, 256, 16,
      G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
take_pipe (HpStream *self, HpPipe *pipe)
{
  g_clear_object (&self->input);
  g_clear_object (&self->output);
  g_clear_pointer (&self->pipe, hp_pipe_unref);
  self->pipe = pipe;
  self->input = hp_stream_input_new (pipe);
  self->output = hp_stream_output_new (pipe);
}

static void
hp_stream_init (HpStream *self)
{
  take_pipe (self, hp_pipe_new (NULL));
}

HpStream *
hp_stream_new_private (HpConnection *connection, HpPipe *pipe)
{
  HpStream *self = g_object_new (HP_TYPE_STREAM, NULL);

  self->connection = g_object_ref (connection);
  take_pipe (self, hp_pipe_ref (pipe));
  return self;
}

/**
 * hp_stream_get_connection:
 * @self: a #HpStream
 *
 * Gets #HpStream:connection. It may be held by the stream longer than it is
 * open; as everything of a connection, it is for its peer's thread.
 *
 * Returns: (transfer none) (nullable): the connection; %NULL only of an object
 *   that no #HpConnection has handed out
 *
 * Since: 1.0
 */
HpConnection *
hp_stream_get_connection (HpStream *self)
{
  g_return_val_if_fail (HP_IS_STREAM (self), NULL);

  return self->connection;
}

/**
 * hp_stream_get_weight:
 * @self: a #HpStream
 *
 * Gets #HpStream:weight.
 *
 * Returns: 1 to 256
 *
 * Since: 1.0
 */
guint
hp_stream_get_weight (HpStream *self)
{
  g_return_val_if_fail (HP_IS_STREAM (self), 0);

  return hp_pipe_get_weight (self->pipe);
}

/**
 * hp_stream_set_weight:
 * @self: a #HpStream
 * @weight: 1 to 256
 *
 * Sets #HpStream:weight of what this side sends, at any time and in any thread.
 *
 * Since: 1.0
 */
void
hp_stream_set_weight (HpStream *self, guint weight)
{
  g_return_if_fail (HP_IS_STREAM (self));
  g_return_if_fail (weight >= 1 && weight <= 256);

  if (hp_pipe_set_weight (self->pipe, weight))
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_WEIGHT]);
}
