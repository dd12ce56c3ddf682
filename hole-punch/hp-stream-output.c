/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-stream-private.h"

#define HP_TYPE_STREAM_OUTPUT (hp_stream_output_get_type ())
G_DECLARE_FINAL_TYPE (HpStreamOutput, hp_stream_output, HP, STREAM_OUTPUT,
                      GOutputStream)

struct _HpStreamOutput
{
  GOutputStream parent_instance;

  HpPipe *pipe;
  gboolean in_dispose;
};

static void pollable_init (GPollableOutputStreamInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (
    HpStreamOutput, hp_stream_output, G_TYPE_OUTPUT_STREAM,
    G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_OUTPUT_STREAM, pollable_init))

/* Writing */

/* TRUE: room may be there now, try again */
static gboolean
wait_for_room (HpStreamOutput *self, GError *failure, GCancellable *cancellable,
               GError **error)
{
  if (!g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  g_error_free (failure);
  return hp_pipe_wait (self->pipe, HP_PIPE_WRITABLE, cancellable, error);
}

static gssize
hp_stream_output_write (GOutputStream *stream, const void *buffer, gsize count,
                        GCancellable *cancellable, GError **error)
{
  HpStreamOutput *self = HP_STREAM_OUTPUT (stream);
  gssize n;
  GError *failure = NULL;

  while ((n = hp_pipe_write (self->pipe, buffer, count, &failure)) < 0)
    {
      if (!wait_for_room (self, g_steal_pointer (&failure), cancellable, error))
        return -1;
    }
  return n;
}

static gboolean
write_bytes (HpStreamOutput *self, GBytes *bytes, GCancellable *cancellable,
             GError **error)
{
  GError *failure = NULL;

  while (!hp_pipe_write_bytes (self->pipe, bytes, &failure))
    {
      if (!wait_for_room (self, g_steal_pointer (&failure), cancellable, error))
        return FALSE;
    }
  return TRUE;
}

/* Ready, besides, when @cancellable is cancelled */
static GSource *
create_source (HpPipe *pipe, HpPipeCondition condition,
               GCancellable *cancellable)
{
  GSource *source = hp_pipe_create_source (pipe, condition);

  if (cancellable != NULL)
    {
      g_autoptr (GSource) child = g_cancellable_source_new (cancellable);

      g_source_set_dummy_callback (child);
      g_source_add_child_source (source, child);
    }
  return source;
}

/* Closing */

gboolean
hp_stream_wait_sent (HpPipe *pipe, GCancellable *cancellable, GError **error)
{
  if (!hp_pipe_is_ready (pipe, HP_PIPE_SENT))
    {
      if (!hp_pipe_can_wait (pipe))
        return TRUE;
      if (!hp_pipe_wait (pipe, HP_PIPE_SENT, cancellable, error))
        return FALSE;
    }
  return !hp_pipe_get_output_error (pipe, error);
}

static gboolean
on_sent (gpointer user_data)
{
  GTask *task = user_data;
  GError *error = NULL;

  if (hp_pipe_get_output_error (g_task_get_task_data (task), &error))
    g_task_return_error (task, error);
  else
    /* Woken without cause only by being cancelled, which wins */
    g_task_return_boolean (task, TRUE);
  return G_SOURCE_REMOVE;
}

void
hp_stream_return_when_sent (HpPipe *pipe, GTask *task)
{
  g_autoptr (GSource) source = create_source (pipe, HP_PIPE_SENT,
                                              g_task_get_cancellable (task));

  g_task_set_task_data (task, hp_pipe_ref (pipe),
                        (GDestroyNotify) hp_pipe_unref);
  g_task_attach_source (task, source, on_sent);
  g_object_unref (task);
}

static gboolean
hp_stream_output_close (GOutputStream *stream, GCancellable *cancellable,
                        GError **error)
{
  HpStreamOutput *self = HP_STREAM_OUTPUT (stream);

  hp_pipe_close_output (self->pipe);
  return self->in_dispose
         || hp_stream_wait_sent (self->pipe, cancellable, error);
}

static void
hp_stream_output_close_async (GOutputStream *stream, int io_priority,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data)
{
  HpStreamOutput *self = HP_STREAM_OUTPUT (stream);
  GTask *task = g_task_new (stream, cancellable, callback, user_data);

  g_task_set_source_tag (task, hp_stream_output_close_async);
  g_task_set_priority (task, io_priority);
  hp_pipe_close_output (self->pipe);
  hp_stream_return_when_sent (self->pipe, task);
}

static gboolean
hp_stream_output_close_finish (GOutputStream *stream, GAsyncResult *result,
                               GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* Splicing. GIO's own goes in steps of 8 KiB, of which each is a thread's task
 * when it comes from a file. What is read here is what is sent: no copy. */

typedef struct
{
  GInputStream *source;
  GOutputStreamSpliceFlags flags;
  GBytes *bytes; /* waits for room */
  gssize n_done;
  GError *error; /* the first one */
} Splice;

static void
splice_free (gpointer data)
{
  Splice *splice = data;

  g_object_unref (splice->source);
  g_clear_pointer (&splice->bytes, g_bytes_unref);
  g_clear_error (&splice->error);
  g_free (splice);
}

static gssize
hp_stream_output_splice (GOutputStream *stream, GInputStream *source,
                         GOutputStreamSpliceFlags flags,
                         GCancellable *cancellable, GError **error)
{
  HpStreamOutput *self = HP_STREAM_OUTPUT (stream);
  gssize done = 0;

  for (;;)
    {
      g_autoptr (GBytes) bytes = g_input_stream_read_bytes (
          source, HP_PIPE_SEGMENT, cancellable, error);

      if (bytes != NULL && g_bytes_get_size (bytes) == 0)
        break;
      if (bytes == NULL || !write_bytes (self, bytes, cancellable, error))
        {
          done = -1;
          error = NULL;
          break;
        }
      done += (gssize) g_bytes_get_size (bytes);
    }

  if (flags & G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE)
    g_input_stream_close (source, cancellable, NULL);
  if (flags & G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET)
    {
      /* What holds it pending is this very splice, which is over. */
      g_output_stream_clear_pending (stream);
      if (!g_output_stream_close (stream, cancellable, error))
        done = -1;
    }
  return done;
}

static void splice_read (GTask *task);
static void splice_write (GTask *task);

static void
splice_return (GTask *task)
{
  Splice *splice = g_task_get_task_data (task);

  if (splice->error != NULL)
    g_task_return_error (task, g_steal_pointer (&splice->error));
  else
    g_task_return_int (task, splice->n_done);
  g_object_unref (task);
}

static void
on_target_closed (GObject *object, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Splice *splice = g_task_get_task_data (task);

  g_output_stream_close_finish (G_OUTPUT_STREAM (object), result,
                                splice->error == NULL ? &splice->error : NULL);
  splice_return (task);
}

static void
close_target (GTask *task)
{
  GOutputStream *stream = g_task_get_source_object (task);
  Splice *splice = g_task_get_task_data (task);

  if (!(splice->flags & G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET))
    {
      splice_return (task);
      return;
    }
  g_output_stream_clear_pending (stream);
  g_output_stream_close_async (stream, g_task_get_priority (task),
                               g_task_get_cancellable (task), on_target_closed,
                               task);
}

static void
on_source_closed (GObject *object, GAsyncResult *result, gpointer user_data)
{
  g_input_stream_close_finish (G_INPUT_STREAM (object), result, NULL);
  close_target (user_data);
}

static void
splice_end (GTask *task)
{
  Splice *splice = g_task_get_task_data (task);

  if (splice->flags & G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE)
    g_input_stream_close_async (splice->source, g_task_get_priority (task),
                                g_task_get_cancellable (task), on_source_closed,
                                task);
  else
    close_target (task);
}

static gboolean
on_splice_room (gpointer user_data)
{
  GTask *task = user_data;
  Splice *splice = g_task_get_task_data (task);

  if (g_cancellable_set_error_if_cancelled (g_task_get_cancellable (task),
                                            &splice->error))
    splice_end (task);
  else
    splice_write (task);
  return G_SOURCE_REMOVE;
}

static void
splice_write (GTask *task)
{
  HpStreamOutput *self = g_task_get_source_object (task);
  Splice *splice = g_task_get_task_data (task);

  if (hp_pipe_write_bytes (self->pipe, splice->bytes, &splice->error))
    {
      splice->n_done += (gssize) g_bytes_get_size (splice->bytes);
      g_clear_pointer (&splice->bytes, g_bytes_unref);
      splice_read (task);
    }
  else if (g_error_matches (splice->error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    {
      g_autoptr (GSource) source = create_source (
          self->pipe, HP_PIPE_WRITABLE, g_task_get_cancellable (task));

      g_clear_error (&splice->error);
      g_task_attach_source (task, source, on_splice_room);
    }
  else
    {
      splice_end (task);
    }
}

static void
on_splice_read (GObject *object, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Splice *splice = g_task_get_task_data (task);

  splice->bytes = g_input_stream_read_bytes_finish (G_INPUT_STREAM (object),
                                                    result, &splice->error);
  if (splice->bytes == NULL || g_bytes_get_size (splice->bytes) == 0)
    splice_end (task);
  else
    splice_write (task);
}

static void
splice_read (GTask *task)
{
  Splice *splice = g_task_get_task_data (task);

  g_input_stream_read_bytes_async (splice->source, HP_PIPE_SEGMENT,
                                   g_task_get_priority (task),
                                   g_task_get_cancellable (task),
                                   on_splice_read, task);
}

static void
hp_stream_output_splice_async (GOutputStream *stream, GInputStream *source,
                               GOutputStreamSpliceFlags flags, int io_priority,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (stream, cancellable, callback, user_data);
  Splice *splice = g_new0 (Splice, 1);

  g_task_set_source_tag (task, hp_stream_output_splice_async);
  g_task_set_priority (task, io_priority);
  splice->source = g_object_ref (source);
  splice->flags = flags;
  g_task_set_task_data (task, splice, splice_free);
  splice_read (task);
}

static gssize
hp_stream_output_splice_finish (GOutputStream *stream, GAsyncResult *result,
                                GError **error)
{
  return g_task_propagate_int (G_TASK (result), error);
}

/* GPollableOutputStream */

static gboolean
hp_stream_output_is_writable (GPollableOutputStream *stream)
{
  return hp_pipe_is_ready (HP_STREAM_OUTPUT (stream)->pipe, HP_PIPE_WRITABLE);
}

static GSource *
hp_stream_output_create_source (GPollableOutputStream *stream,
                                GCancellable *cancellable)
{
  g_autoptr (GSource) child = hp_pipe_create_source (
      HP_STREAM_OUTPUT (stream)->pipe, HP_PIPE_WRITABLE);

  return g_pollable_source_new_full (stream, child, cancellable);
}

static gssize
hp_stream_output_write_nonblocking (GPollableOutputStream *stream,
                                    const void *buffer, gsize count,
                                    GError **error)
{
  return hp_pipe_write (HP_STREAM_OUTPUT (stream)->pipe, buffer, count, error);
}

static void
pollable_init (GPollableOutputStreamInterface *iface)
{
  iface->is_writable = hp_stream_output_is_writable;
  iface->create_source = hp_stream_output_create_source;
  iface->write_nonblocking = hp_stream_output_write_nonblocking;
}

/* Life */

static void
hp_stream_output_dispose (GObject *object)
{
  /* GOutputStream closes itself, and must not block for that. */
  HP_STREAM_OUTPUT (object)->in_dispose = TRUE;
  G_OBJECT_CLASS (hp_stream_output_parent_class)->dispose (object);
}

static void
hp_stream_output_finalize (GObject *object)
{
  hp_pipe_unref (HP_STREAM_OUTPUT (object)->pipe);
  G_OBJECT_CLASS (hp_stream_output_parent_class)->finalize (object);
}

static void
hp_stream_output_class_init (HpStreamOutputClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GOutputStreamClass *output_class = G_OUTPUT_STREAM_CLASS (klass);

  object_class->dispose = hp_stream_output_dispose;
  object_class->finalize = hp_stream_output_finalize;
  /* write_async stays GIO's own: that of a pollable stream takes no thread. */
  output_class->write_fn = hp_stream_output_write;
  output_class->splice = hp_stream_output_splice;
  output_class->close_fn = hp_stream_output_close;
  output_class->splice_async = hp_stream_output_splice_async;
  output_class->splice_finish = hp_stream_output_splice_finish;
  output_class->close_async = hp_stream_output_close_async;
  output_class->close_finish = hp_stream_output_close_finish;
}

static void
hp_stream_output_init (HpStreamOutput *self)
{
}

GOutputStream *
hp_stream_output_new (HpPipe *pipe)
{
  HpStreamOutput *self = g_object_new (HP_TYPE_STREAM_OUTPUT, NULL);

  self->pipe = hp_pipe_ref (pipe);
  return G_OUTPUT_STREAM (self);
}
