/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-transport-private.h"

#include "hole-punch/base/hp-buffer.h"

#define MAX_QUEUED_DEFAULT (64 * 1024 * 1024)
/* Of events that were taken */
#define MAX_SPARE_EVENTS 4

typedef struct
{
  GList link;
  HpTransportEvent event;
  HpReceivedMessage received; /* MESSAGE */
} Event;

static Event *
push_event (HpTransport *self, HpTransportEventType type, guint64 stream)
{
  GList *spare = g_queue_pop_head_link (&self->spare_events);
  Event *event = spare != NULL ? spare->data : g_new (Event, 1);

  *event = (Event){ 0 };
  event->event.type = type;
  event->event.stream = stream;
  event->link.data = event;
  g_queue_push_tail_link (&self->events, &event->link);
  return event;
}

HpTransportEvent *
hp_transport_push_event (HpTransport *self, HpTransportEventType type,
                         guint64 stream)
{
  return &push_event (self, type, stream)->event;
}

static void
drop_event (HpTransport *self, Event *event)
{
  if (self->spare_events.length < MAX_SPARE_EVENTS)
    g_queue_push_head_link (&self->spare_events, &event->link);
  else
    g_free (event);
}

static void
on_message (gpointer user_data, const HpReceivedMessage *message)
{
  HpTransport *self = user_data;
  Event *event = push_event (self, HP_TRANSPORT_EVENT_MESSAGE,
                             message->number);

  event->event.message = message->bytes;
  event->received = *message;
  self->statistics.messages_received++;
}

static void
on_delivered (gpointer user_data, guint64 handle)
{
  HpTransport *self = user_data;

  push_event (self, HP_TRANSPORT_EVENT_DELIVERED, handle);
  self->statistics.messages_sent++;
}

static void
on_failed (gpointer user_data, guint64 handle, HpSendFailure failure)
{
  push_event (user_data, HP_TRANSPORT_EVENT_FAILED, handle)->event.failure
      = failure;
}

static const HpSendObserver send_observer = {
  .delivered = on_delivered,
  .failed = on_failed,
  .bytes_acked = hp_transport_bytes_acked,
  .bytes_ended = hp_transport_bytes_ended,
};

static void
forget_record (HpRecord *record)
{
  if (record->object == NULL)
    return;
  if (record->type == HP_RECORD_CONTROL)
    hp_control_unref (record->object);
  else
    hp_send_stream_unref (record->object);
  record->object = NULL;
}

static void
record_acked (HpTransport *self, const HpRecord *record)
{
  switch (record->type)
    {
    case HP_RECORD_CHUNK:
      hp_send_queue_chunk_acked (&self->sending, record->object,
                                 record->start, record->end);
      break;
    case HP_RECORD_RESET:
      hp_send_queue_reset_acked (&self->sending, record->object);
      break;
    case HP_RECORD_CONTROL:
      hp_control_queue_acked (&self->control, record->object);
      break;
    case HP_RECORD_STOP:
    case HP_RECORD_MAX_DATA:
    case HP_RECORD_MAX_STREAM_DATA:
    case HP_RECORD_MAX_STREAMS:
      break;
    }
}

/* To be sent again. @probing: it is just taking long. */
static void
record_lost (HpTransport *self, const HpRecord *record, gboolean probing)
{
  switch (record->type)
    {
    case HP_RECORD_CHUNK:
      if (probing)
        hp_send_queue_chunk_probe (&self->sending, record->object,
                                   record->start, record->end);
      else
        hp_send_queue_chunk_lost (&self->sending, record->object,
                                  record->start, record->end);
      break;
    case HP_RECORD_RESET:
      hp_send_queue_reset_lost (&self->sending, record->object);
      break;
    case HP_RECORD_CONTROL:
      hp_control_queue_lost (&self->control, record->object);
      break;
    case HP_RECORD_STOP:
    case HP_RECORD_MAX_STREAM_DATA:
      if (HP_STREAM_KIND (record->start) == HP_STREAM_BYTES)
        hp_byte_streams_news_lost (&self->streams, record->start);
      else
        hp_receive_queue_news_lost (&self->receiving, record->start);
      break;
    case HP_RECORD_MAX_DATA:
      hp_receive_credit_lost (&self->receiving.credit, record->start);
      break;
    case HP_RECORD_MAX_STREAMS:
      hp_receive_credit_lost (&self->streams.streams, record->start);
      break;
    }
}

static void
on_packet_acked (gpointer user_data, const HpSentPacket *packet)
{
  HpTransport *self = user_data;

  hp_path_control_acked (&self->path, packet, self->now);
  hp_transport_path_acked (self, packet);
  if (packet->has_ack)
    hp_ack_tracker_confirmed (&self->acks, packet->largest_reported);
  for (guint i = 0; i < packet->n_records; i++)
    {
      HpRecord *record = hp_sent_ring_get_record (&self->loss.ring, packet, i);

      record_acked (self, record);
      forget_record (record);
    }
}

static void
on_packet_lost (gpointer user_data, const HpSentPacket *packet)
{
  HpTransport *self = user_data;

  self->statistics.packets_lost += !packet->is_mtu_probe;
  hp_path_control_lost (&self->path, packet, self->now);
  hp_transport_path_lost (self, packet);
  for (guint i = 0; i < packet->n_records; i++)
    {
      HpRecord *record = hp_sent_ring_get_record (&self->loss.ring, packet, i);

      record_lost (self, record, FALSE);
      forget_record (record);
    }
}

static void
on_persistent_congestion (gpointer user_data)
{
  HpTransport *self = user_data;

  hp_path_control_persistent (&self->path, self->now);
}

static void
on_packet_spurious (gpointer user_data, const HpSentPacket *packet)
{
  HpTransport *self = user_data;

  hp_path_control_spurious (&self->path, packet, self->now);
}

static const HpLossObserver loss_observer = {
  .acked = on_packet_acked,
  .lost = on_packet_lost,
  .spurious = on_packet_spurious,
  .persistent = on_persistent_congestion,
};

HpTransport *
hp_transport_new (const HpTransportConfig *config, gint64 now)
{
  HpTransport *self = g_new0 (HpTransport, 1);

  hp_buffer_ref_unused ();
  self->config = *config;
  self->config.max_message_size
      = MIN (config->max_message_size, HP_MAX_MESSAGE_SIZE_LIMIT);
  if (config->max_queued == 0)
    self->config.max_queued = MAX_QUEUED_DEFAULT;
  if (config->congestion == NULL)
    self->config.congestion = &hp_congestion_bbr;
  if (config->max_receive_window == 0)
    self->config.max_receive_window = HP_MAX_RECEIVE_WINDOW_DEFAULT;
  if (config->receive_window == 0)
    self->config.receive_window = MIN (HP_RECEIVE_WINDOW_DEFAULT,
                                       self->config.max_receive_window);
  self->now = now;
  hp_path_control_init (&self->path, self->config.congestion,
                        HP_DATAGRAM_SIZE_DEFAULT, now);
  hp_path_mtu_init (&self->mtu, HP_DATAGRAM_SIZE_DEFAULT);
  hp_loss_init (&self->loss, &loss_observer, self, &self->path.round_trip);
  hp_ack_tracker_init (&self->acks);
  hp_send_queue_init (&self->sending, &send_observer, self);
  hp_receive_queue_init (&self->receiving, self->config.receive_window,
                         self->config.max_message_size, on_message, self);
  hp_transport_init_streams (self);
  return self;
}

static void
clear_events (HpTransport *self)
{
  GList *link;

  while ((link = g_queue_pop_head_link (&self->events)) != NULL)
    {
      g_autofree Event *event = link->data;

      g_clear_pointer (&event->event.message, g_bytes_unref);
    }
  while ((link = g_queue_pop_head_link (&self->spare_events)) != NULL)
    g_free (link->data);
}

static void
forget_sent (HpTransport *self)
{
  const HpSentRing *ring = &self->loss.ring;

  for (guint64 at = ring->head; at < ring->tail; at++)
    {
      const HpSentPacket *packet = hp_sent_ring_get (ring, at);

      for (guint i = 0; i < packet->n_records; i++)
        forget_record (hp_sent_ring_get_record (ring, packet, i));
    }
}

void
hp_transport_free (HpTransport *self)
{
  forget_sent (self);
  hp_loss_clear (&self->loss);
  hp_byte_streams_clear (&self->streams);
  hp_send_queue_clear (&self->sending);
  hp_receive_queue_clear (&self->receiving);
  hp_control_queue_clear (&self->control);
  hp_ack_tracker_clear (&self->acks);
  hp_path_control_clear (&self->path);
  clear_events (self);
  hp_buffer_unref_unused ();
  g_free (self);
}

void
hp_transport_get_parameters (HpTransport *self, HpParameters *ours)
{
  ours->max_message_size = self->config.max_message_size;
  ours->max_data = self->receiving.credit.window;
  ours->max_stream_data = HP_STREAM_INITIAL_CREDIT;
  ours->max_ack_delay = HP_MAX_ACK_DELAY;
  ours->receive_buffer = self->config.receive_buffer;
  ours->max_streams = self->streams.streams.told;
}

void
hp_transport_set_responder (HpTransport *self)
{
  g_assert (!self->started);
  self->is_responder = TRUE;
}

void
hp_transport_set_remote_parameters (HpTransport *self,
                                    const HpParameters *theirs)
{
  g_assert (!self->started);
  self->started = TRUE;
  self->loss.max_ack_delay = theirs->max_ack_delay;
  hp_path_control_set_receive_buffer (&self->path, theirs->receive_buffer);
  hp_send_queue_start (&self->sending, theirs);
  hp_byte_streams_start (&self->streams, self->is_responder, theirs);
}

guint64
hp_transport_send_message (HpTransport *self, HpStreamKind kind, GBytes *bytes,
                           gint64 expires_at, gint64 now)
{
  g_assert (kind < HP_N_MESSAGE_KINDS);
  self->now = now;
  return hp_send_queue_add (&self->sending, kind, bytes, expires_at);
}

void
hp_transport_cancel_message (HpTransport *self, guint64 stream, gint64 now)
{
  self->now = now;
  hp_send_queue_cancel (&self->sending, stream);
}

void
hp_transport_send_control (HpTransport *self, GBytes *frame)
{
  g_assert (g_bytes_get_size (frame) <= HP_CONTROL_MAX_SIZE);
  hp_control_queue_add (&self->control, frame);
}

gsize
hp_transport_get_queued_bytes (const HpTransport *self)
{
  return self->sending.queued_bytes;
}

gboolean
hp_transport_can_queue (const HpTransport *self, gsize length)
{
  guint64 held = self->sending.queued_bytes
                 + hp_send_queue_get_n_streams (&self->sending)
                       * HP_STREAM_OPEN_COST;

  return held == 0 || held + length <= self->config.max_queued;
}

void
hp_transport_ping (HpTransport *self)
{
  self->wants_ping = TRUE;
}

void
hp_transport_skip_number (HpTransport *self, guint64 number)
{
  self->skipped[self->n_skipped++ % HP_SKIPPED_NUMBERS] = number;
}

static gboolean
is_pretended (const HpTransport *self, const HpAckFrame *ack)
{
  guint n = MIN (self->n_skipped, HP_SKIPPED_NUMBERS);

  for (guint i = 0; i < n; i++)
    for (guint j = 0; j < ack->n_ranges; j++)
      if (self->skipped[i] >= ack->ranges[j].start
          && self->skipped[i] < ack->ranges[j].end)
        return TRUE;
  return FALSE;
}

static void
receive_ack (HpTransport *self, const HpAckFrame *ack, gint64 now)
{
  if (!hp_loss_acknowledge (&self->loss, ack, now))
    return;
  hp_transport_take_marks (self, ack);
  hp_transport_take_narrower_path (self);
  self->n_probes = 0;
  self->waiting_since = self->loss.n_outstanding > 0 ? now : 0;
  hp_path_control_ack_end (&self->path, now);
  hp_ack_tracker_set_round_trip (&self->acks, self->path.round_trip.smoothed);
}

gboolean
hp_transport_receive_frame (HpTransport *self, const HpFrame *frame,
                            guint64 number, gint64 now)
{
  self->now = now;
  if (hp_transport_is_stream_frame (frame))
    return hp_transport_receive_stream_frame (self, frame, now);
  if (frame->type == HP_FRAME_CHUNK)
    return hp_receive_queue_chunk (&self->receiving, &frame->chunk);
  if (frame->type == HP_FRAME_ACK)
    {
      if (is_pretended (self, &frame->ack))
        return FALSE;
      receive_ack (self, &frame->ack, now);
    }
  else if (frame->type == HP_FRAME_RESET)
    return hp_receive_queue_reset (&self->receiving, frame->reset.stream,
                                   frame->reset.final_size);
  else if (frame->type == HP_FRAME_STOP)
    return hp_send_queue_receive_stop (&self->sending, frame->reset.stream,
                                       frame->reset.code);
  else if (frame->type == HP_FRAME_MAX_DATA)
    hp_send_schedule_raise_max_data (&self->sending.schedule,
                                     frame->max.maximum);
  else if (frame->type == HP_FRAME_MAX_STREAM_DATA)
    return hp_send_queue_receive_max (&self->sending, frame->max.stream,
                                      frame->max.maximum);
  return TRUE;
}

void
hp_transport_packet_received (HpTransport *self, guint64 number,
                              gboolean ack_eliciting, HpEcn ecn, gint64 now)
{
  self->now = now;
  self->statistics.packets_received++;
  hp_ack_tracker_received (&self->acks, number, ack_eliciting, ecn, now);
}

gint64
hp_transport_get_deadline (const HpTransport *self, gint64 now)
{
  gint64 deadline, loss, expiry;

  if (self->wants_pull)
    return now;
  loss = hp_loss_get_deadline (&self->loss);
  expiry = hp_send_queue_get_expiry (&self->sending);
  deadline = MIN (self->acks.deadline, MIN (loss, expiry));
  /* What may go now is for hp_transport_write_packet(), not for a timer. */
  if (self->started && hp_transport_has_content (self)
      && hp_path_control_has_window (&self->path))
    {
      gint64 paced = hp_pacer_get_time (&self->path.pacer, now);

      if (paced > now)
        deadline = MIN (deadline, paced);
    }
  return deadline;
}

/* RFC 9002, section 6.2.4: new data if there is some, else what has waited
 * longest */
static void
probe (HpTransport *self)
{
  const HpSentPacket *oldest = hp_loss_get_oldest (&self->loss);

  self->n_probes = self->loss.n_probes <= 2 ? 2 : 1;
  if (oldest == NULL || hp_transport_has_content (self))
    return;
  for (guint i = 0; i < oldest->n_records; i++)
    record_lost (self, hp_sent_ring_get_record (&self->loss.ring, oldest, i),
                 TRUE);
}

gint64
hp_transport_get_expiry (const HpTransport *self)
{
  return hp_send_queue_get_expiry (&self->sending);
}

void
hp_transport_expire (HpTransport *self, gint64 now)
{
  self->now = now;
  hp_ack_tracker_expire (&self->acks, now);
  hp_send_queue_expire (&self->sending, now);
  if (hp_loss_expire (&self->loss, now))
    probe (self);
  hp_transport_take_narrower_path (self);
  /* A lost PING is not sent again, and nothing waits for it. */
  if (self->loss.n_outstanding == 0 && !hp_transport_has_content (self))
    self->waiting_since = 0;
  hp_path_control_update_pacer (&self->path, now);
}

gboolean
hp_transport_next_event (HpTransport *self, HpTransportEvent *event)
{
  GList *link = g_queue_pop_head_link (&self->events);
  Event *next;

  if (link == NULL)
    return FALSE;
  next = link->data;
  *event = next->event;
  if (event->type == HP_TRANSPORT_EVENT_MESSAGE)
    {
      hp_receive_queue_consume (&self->receiving, &next->received);
      hp_receive_credit_tune (&self->receiving.credit, &self->pool,
                              self->path.round_trip.smoothed, self->now);
      self->wants_pull = self->receiving.news.length > 0
                         || hp_receive_credit_is_due (&self->receiving.credit);
    }
  else if (event->type == HP_TRANSPORT_EVENT_STREAM_ACKED)
    {
      HpByteStream *stream
          = hp_byte_streams_lookup (&self->streams, event->stream);

      if (stream != NULL)
        stream->acked = NULL;
    }
  drop_event (self, next);
  return TRUE;
}

gboolean
hp_transport_has_event (const HpTransport *self)
{
  return self->events.length > 0;
}

gint64
hp_transport_get_round_trip (const HpTransport *self)
{
  return hp_rtt_is_measured (&self->path.round_trip)
             ? self->path.round_trip.smoothed
             : -1;
}

gint64
hp_transport_get_probe_timeout (const HpTransport *self)
{
  return hp_rtt_get_probe_timeout (&self->path.round_trip,
                                   self->loss.max_ack_delay);
}

gint64
hp_transport_get_waiting_since (const HpTransport *self)
{
  return self->waiting_since;
}

void
hp_transport_get_statistics (const HpTransport *self,
                             HpTransportStatistics *statistics)
{
  const HpPathControl *path = &self->path;

  *statistics = self->statistics;
  statistics->bytes_received
      = self->receiving.bytes_received + self->streams.bytes_received;
  statistics->congestion_window = path->class->get_window (path->congestion);
  statistics->bytes_in_flight = path->in_flight;
}

gsize
hp_transport_get_receive_memory (const HpTransport *self)
{
  return self->receiving.memory + self->streams.memory;
}
