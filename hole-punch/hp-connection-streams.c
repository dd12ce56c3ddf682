/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-connection-streams-private.h"

#include "hole-punch/hp-stream-private.h"

/* How much the output of one stream may hold */
#define MAX_BOUND (32 * 1024 * 1024)

typedef struct
{
  guint64 number;
  HpPipe *pipe;
  HpPipeNews news;
  gboolean has_news;
  GList told_link;
} HpLane;

typedef struct
{
  HpStreams *streams;
  GTask *task;
  GSource *cancel_source; /* NULL: cannot be cancelled */
  GList waiting_link;
} HpOpening;

/* Lanes */

static void
lane_free (gpointer data)
{
  HpLane *lane = data;

  g_assert (!lane->has_news);
  hp_pipe_set_lane (lane->pipe, NULL);
  hp_pipe_unref (lane->pipe);
  g_free (lane);
}

static void
on_orders (gpointer user_data)
{
  HpStreams *self = user_data;

  self->wake (self->connection);
}

/* The stream is all there is of it outside; the lane lasts until it ended. */
static HpStream *
add_lane (HpStreams *self, guint64 number)
{
  HpLane *lane = g_new0 (HpLane, 1);

  if (self->gate == NULL)
    {
      self->gate = hp_pipe_gate_new (self->context, on_orders, self);
      self->lanes = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL,
                                           lane_free);
    }
  lane->number = number;
  lane->pipe = hp_pipe_new (self->gate);
  lane->news = (HpPipeNews){ .received = G_QUEUE_INIT };
  lane->told_link.data = lane;
  hp_pipe_set_lane (lane->pipe, lane);
  g_hash_table_insert (self->lanes, &lane->number, lane);
  return hp_stream_new_private (self->connection, lane->pipe);
}

static void
mark (HpStreams *self, HpLane *lane)
{
  if (lane->has_news)
    return;
  lane->has_news = TRUE;
  g_queue_push_tail_link (&self->told, &lane->told_link);
}

static void
tell (HpStreams *self, HpLane *lane)
{
  lane->has_news = FALSE;
  g_queue_unlink (&self->told, &lane->told_link);
  hp_pipe_tell (lane->pipe, &lane->news);
}

/* Events */

static void
read_lane (HpStreams *self, HpLane *lane)
{
  HpTransport *transport = hp_link_get_stream_transport (self->link);
  GBytes *bytes;

  if (transport == NULL)
    return;
  while ((bytes = hp_transport_stream_read (transport, lane->number,
                                            &lane->news.at_end))
         != NULL)
    g_queue_push_tail (&lane->news.received, bytes);
}

static void
set_error (GError **to, const char *message)
{
  if (*to == NULL)
    *to = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED,
                               message);
}

static void
handle_lane (HpStreams *self, HpLane *lane, const HpTransportEvent *event)
{
  mark (self, lane);
  switch (event->type)
    {
    case HP_TRANSPORT_EVENT_STREAM_READABLE:
      read_lane (self, lane);
      break;
    case HP_TRANSPORT_EVENT_STREAM_ACKED:
      lane->news.acked += event->length;
      break;
    case HP_TRANSPORT_EVENT_STREAM_SENT:
      lane->news.sent = TRUE;
      break;
    case HP_TRANSPORT_EVENT_STREAM_RESET:
      lane->news.reset = TRUE;
      set_error (&lane->news.input_error, "The other peer gave up the stream");
      break;
    case HP_TRANSPORT_EVENT_STREAM_STOPPED:
      lane->news.stopped = TRUE;
      set_error (&lane->news.output_error,
                 "The other peer does not read the stream any more");
      break;
    case HP_TRANSPORT_EVENT_STREAM_ENDED:
      tell (self, lane);
      g_hash_table_remove (self->lanes, &lane->number);
      break;
    case HP_TRANSPORT_EVENT_STREAM_OPENED:
    case HP_TRANSPORT_EVENT_MESSAGE:
    case HP_TRANSPORT_EVENT_DELIVERED:
    case HP_TRANSPORT_EVENT_FAILED:
      g_assert_not_reached ();
    }
}

void
hp_streams_handle (HpStreams *self, const HpTransportEvent *event)
{
  HpLane *lane;

  if (event->type == HP_TRANSPORT_EVENT_STREAM_OPENED)
    {
      g_queue_push_tail (&self->announced, add_lane (self, event->stream));
      return;
    }
  lane = self->lanes != NULL
             ? g_hash_table_lookup (self->lanes, &event->stream)
             : NULL;
  if (lane != NULL)
    handle_lane (self, lane, event);
}

/* Twice what the network holds: one half travels while the other one waits to
 * be sent again, or for its turn. */
static gsize
get_bound (HpStreams *self)
{
  HpLinkStatistics statistics;

  hp_link_get_statistics (self->link, &statistics);
  return CLAMP (2 * statistics.transport.congestion_window, HP_PIPE_BOUND,
                MAX_BOUND);
}

void
hp_streams_flush (HpStreams *self)
{
  gsize bound = 0;
  HpLane *lane;

  while ((lane = g_queue_peek_head (&self->told)) != NULL)
    {
      if (lane->news.acked > 0 && bound == 0)
        bound = get_bound (self);
      if (lane->news.acked > 0)
        lane->news.bound = bound;
      tell (self, lane);
    }
}

/* Orders */

static void
serve_lane (HpTransport *transport, guint64 number, HpPipeOrders *orders,
            gint64 now)
{
  GBytes *bytes;

  if (orders->weight != 0)
    hp_transport_stream_set_weight (transport, number, orders->weight);
  while ((bytes = g_queue_pop_head (&orders->written)) != NULL)
    {
      hp_transport_stream_write (transport, number, bytes, now);
      g_bytes_unref (bytes);
    }
  if (orders->finish)
    hp_transport_stream_finish (transport, number, now);
  if (orders->reset)
    hp_transport_stream_reset (transport, number, HP_RESET_CANCELLED, now);
  if (orders->consumed > 0)
    hp_transport_stream_consume (transport, number, orders->consumed, now);
  if (orders->stop)
    hp_transport_stream_stop (transport, number, HP_RESET_CANCELLED, now);
}

void
hp_streams_serve (HpStreams *self, gint64 now)
{
  HpPipe *pipe;

  if (self->gate == NULL)
    return;
  while ((pipe = hp_pipe_gate_pop (self->gate)) != NULL)
    {
      HpTransport *transport = hp_link_get_stream_transport (self->link);
      HpLane *lane = hp_pipe_get_lane (pipe);
      HpPipeOrders orders;

      hp_pipe_take_orders (pipe, &orders);
      if (lane != NULL && transport != NULL)
        serve_lane (transport, lane->number, &orders, now);
      g_queue_clear_full (&orders.written, (GDestroyNotify) g_bytes_unref);
      hp_pipe_unref (pipe);
    }
}

/* Opening */

static GTask *
take_opening (HpOpening *opening)
{
  GTask *task = opening->task;

  g_queue_unlink (&opening->streams->waiting, &opening->waiting_link);
  if (opening->cancel_source != NULL)
    {
      g_source_destroy (opening->cancel_source);
      g_source_unref (opening->cancel_source);
    }
  g_free (opening);
  return task;
}

static gboolean
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  g_autoptr (GTask) task = take_opening (user_data);

  g_task_return_error_if_cancelled (task);
  return G_SOURCE_REMOVE;
}

static void
open_now (HpStreams *self, HpTransport *transport, GTask *task, gint64 now)
{
  guint64 number = hp_transport_open_stream (transport, now);

  g_task_return_pointer (task, add_lane (self, number), g_object_unref);
  self->wake (self->connection);
}

void
hp_streams_open (HpStreams *self, GTask *task, gint64 now)
{
  HpTransport *transport = hp_link_get_stream_transport (self->link);
  GCancellable *cancellable = g_task_get_cancellable (task);
  HpOpening *opening;

  if (transport != NULL)
    {
      open_now (self, transport, task, now);
      g_object_unref (task);
      return;
    }

  opening = g_new0 (HpOpening, 1);
  opening->streams = self;
  opening->task = task;
  opening->waiting_link.data = opening;
  g_queue_push_tail_link (&self->waiting, &opening->waiting_link);
  if (cancellable != NULL)
    {
      opening->cancel_source = g_cancellable_source_new (cancellable);
      g_source_set_static_name (opening->cancel_source, "hp-stream-cancelled");
      g_source_set_callback (opening->cancel_source,
                             G_SOURCE_FUNC (on_cancelled), opening, NULL);
      g_source_attach (opening->cancel_source, self->context);
    }
}

void
hp_streams_ready (HpStreams *self, gint64 now)
{
  HpTransport *transport;

  while (self->waiting.length > 0
         && (transport = hp_link_get_stream_transport (self->link)) != NULL)
    {
      g_autoptr (GTask)
          task = take_opening (g_queue_peek_head (&self->waiting));

      open_now (self, transport, task, now);
    }
}

HpStream *
hp_streams_pop_announced (HpStreams *self)
{
  return g_queue_pop_head (&self->announced);
}

void
hp_streams_clear_announced (HpStreams *self)
{
  g_queue_clear_full (&self->announced, g_object_unref);
}

/* Life */

void
hp_streams_init (HpStreams *self, HpConnection *connection, HpLink *link,
                 GMainContext *context, HpStreamsWake wake)
{
  *self = (HpStreams){ .link = link,
                       .context = context,
                       .wake = wake,
                       .connection = connection };
  g_queue_init (&self->told);
  g_queue_init (&self->waiting);
  g_queue_init (&self->announced);
}

static void
fail_lanes (HpStreams *self, const GError *error)
{
  GHashTableIter iter;
  gpointer lane;

  g_hash_table_iter_init (&iter, self->lanes);
  while (g_hash_table_iter_next (&iter, NULL, &lane))
    {
      HpPipeNews *news = &((HpLane *) lane)->news;

      mark (self, lane);
      if (news->input_error == NULL)
        news->input_error = g_error_copy (error);
      if (news->output_error == NULL)
        news->output_error = g_error_copy (error);
    }
  hp_streams_flush (self);
}

void
hp_streams_end (HpStreams *self, const GError *error)
{
  hp_streams_clear_announced (self);
  while (self->waiting.length > 0)
    {
      g_autoptr (GTask)
          task = take_opening (g_queue_peek_head (&self->waiting));

      g_task_return_error (task, g_error_copy (error));
    }
  if (self->gate == NULL)
    return;
  fail_lanes (self, error);
  g_clear_pointer (&self->lanes, g_hash_table_unref);
  hp_pipe_gate_close (self->gate);
  g_clear_pointer (&self->gate, hp_pipe_gate_unref);
}

void
hp_streams_clear (HpStreams *self)
{
  g_autoptr (GError) error = NULL;

  if (self->context == NULL)
    return;
  g_assert (self->waiting.length == 0);
  error = g_error_new (G_IO_ERROR, G_IO_ERROR_CLOSED,
                       "The connection was closed");
  hp_streams_end (self, error);
}
