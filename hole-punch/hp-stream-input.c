/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-stream-private.h"

#define HP_TYPE_STREAM_INPUT (hp_stream_input_get_type ())
G_DECLARE_FINAL_TYPE (HpStreamInput, hp_stream_input, HP, STREAM_INPUT,
                      GInputStream)

struct _HpStreamInput
{
  GInputStream parent_instance;

  HpPipe *pipe;
};

static void pollable_init (GPollableInputStreamInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (
    HpStreamInput, hp_stream_input, G_TYPE_INPUT_STREAM,
    G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_INPUT_STREAM, pollable_init))

static gssize
hp_stream_input_read (GInputStream *stream, void *buffer, gsize count,
                      GCancellable *cancellable, GError **error)
{
  HpStreamInput *self = HP_STREAM_INPUT (stream);

  for (;;)
    {
      g_autoptr (GError) failure = NULL;
      gssize n = hp_pipe_read (self->pipe, buffer, count, &failure);

      if (n >= 0)
        return n;
      if (!g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return -1;
        }
      if (!hp_pipe_wait (self->pipe, HP_PIPE_READABLE, cancellable, error))
        return -1;
    }
}

static gboolean
hp_stream_input_close (GInputStream *stream, GCancellable *cancellable,
                       GError **error)
{
  hp_pipe_close_input (HP_STREAM_INPUT (stream)->pipe);
  return TRUE;
}

static void
hp_stream_input_close_async (GInputStream *stream, int io_priority,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (stream, cancellable, callback,
                                       user_data);

  g_task_set_source_tag (task, hp_stream_input_close_async);
  g_task_set_priority (task, io_priority);
  hp_pipe_close_input (HP_STREAM_INPUT (stream)->pipe);
  g_task_return_boolean (task, TRUE);
}

static gboolean
hp_stream_input_close_finish (GInputStream *stream, GAsyncResult *result,
                              GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
hp_stream_input_finalize (GObject *object)
{
  hp_pipe_unref (HP_STREAM_INPUT (object)->pipe);
  G_OBJECT_CLASS (hp_stream_input_parent_class)->finalize (object);
}

static gboolean
hp_stream_input_is_readable (GPollableInputStream *stream)
{
  return hp_pipe_is_ready (HP_STREAM_INPUT (stream)->pipe, HP_PIPE_READABLE);
}

static GSource *
hp_stream_input_create_source (GPollableInputStream *stream,
                               GCancellable *cancellable)
{
  g_autoptr (GSource) child = hp_pipe_create_source (
      HP_STREAM_INPUT (stream)->pipe, HP_PIPE_READABLE);

  return g_pollable_source_new_full (stream, child, cancellable);
}

static gssize
hp_stream_input_read_nonblocking (GPollableInputStream *stream, void *buffer,
                                  gsize count, GError **error)
{
  return hp_pipe_read (HP_STREAM_INPUT (stream)->pipe, buffer, count, error);
}

static void
pollable_init (GPollableInputStreamInterface *iface)
{
  iface->is_readable = hp_stream_input_is_readable;
  iface->create_source = hp_stream_input_create_source;
  iface->read_nonblocking = hp_stream_input_read_nonblocking;
}

static void
hp_stream_input_class_init (HpStreamInputClass *klass)
{
  GInputStreamClass *input_class = G_INPUT_STREAM_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = hp_stream_input_finalize;
  /* read_async stays GIO's own: that of a pollable stream takes no thread. */
  input_class->read_fn = hp_stream_input_read;
  input_class->close_fn = hp_stream_input_close;
  input_class->close_async = hp_stream_input_close_async;
  input_class->close_finish = hp_stream_input_close_finish;
}

static void
hp_stream_input_init (HpStreamInput *self)
{
}

GInputStream *
hp_stream_input_new (HpPipe *pipe)
{
  HpStreamInput *self = g_object_new (HP_TYPE_STREAM_INPUT, NULL);

  self->pipe = hp_pipe_ref (pipe);
  return G_INPUT_STREAM (self);
}
