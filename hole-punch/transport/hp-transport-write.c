/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Composing packets: an ACK, then frames of other floors, then what frees or
 * tells credit, then bytes of messages.
 */

#include "hole-punch/transport/hp-transport-private.h"

gboolean
hp_transport_has_content (const HpTransport *self)
{
  return self->control.queue.length > 0 || self->receiving.news.length > 0
         || hp_receive_credit_is_due (&self->receiving.credit)
         || hp_send_queue_has_more (&self->sending);
}

/* A frame fits whole or is not there. */
static gboolean
write_frame (HpWriter *writer, const HpFrame *frame)
{
  HpWriter before = *writer;

  hp_frame_write (frame, writer);
  if (hp_writer_ok (writer))
    return TRUE;
  *writer = before;
  return FALSE;
}

static gboolean
write_ack (HpTransport *self, HpWriter *writer, gint64 now)
{
  HpFrame frame;

  frame.type = HP_FRAME_ACK;
  for (guint n = HP_MAX_ACK_RANGES; n > 0; n /= 2)
    {
      hp_ack_tracker_fill (&self->acks, &frame.ack, n, now);
      if (write_frame (writer, &frame))
        return TRUE;
    }
  return FALSE;
}

static void
write_control (HpTransport *self, HpWriter *writer)
{
  HpControl *control;

  while ((control = hp_control_queue_next (&self->control,
                                           hp_writer_left (writer))))
    {
      gsize length;
      gconstpointer data = g_bytes_get_data (control->frame, &length);

      hp_writer_bytes (writer, data, length);
      hp_sent_ring_add_record (&self->loss.ring, HP_RECORD_CONTROL,
                               hp_control_queue_sent (&self->control, control),
                               0, 0);
    }
}

/* MAX_DATA, MAX_STREAM_DATA and STOP */
static gboolean
write_credit (HpTransport *self, HpWriter *writer)
{
  HpSentRing *ring = &self->loss.ring;
  HpReceiveCredit *credit = &self->receiving.credit;
  HpReceiveStream *stream;
  HpFrame frame;

  if (hp_receive_credit_is_due (credit))
    {
      frame.type = HP_FRAME_MAX_DATA;
      frame.max.maximum = credit->consumed + credit->window;
      if (!write_frame (writer, &frame))
        return FALSE;
      hp_sent_ring_add_record (ring, HP_RECORD_MAX_DATA, NULL,
                               hp_receive_credit_tell (credit), 0);
    }
  while ((stream = hp_receive_queue_next_news (&self->receiving)))
    {
      gboolean refused = stream->state == HP_RECEIVE_REFUSED;

      if (refused)
        {
          frame.type = HP_FRAME_STOP;
          frame.reset.stream = stream->number;
          frame.reset.code = HP_RESET_TOO_LARGE;
        }
      else
        {
          frame.type = HP_FRAME_MAX_STREAM_DATA;
          frame.max.stream = stream->number;
          frame.max.maximum = stream->assembler.limit;
        }
      if (!write_frame (writer, &frame))
        return FALSE;
      hp_sent_ring_add_record (ring,
                               refused ? HP_RECORD_STOP
                                       : HP_RECORD_MAX_STREAM_DATA,
                               NULL, stream->number, 0);
      hp_receive_queue_news_sent (&self->receiving, stream);
    }
  return TRUE;
}

static gboolean
write_resets (HpTransport *self, HpWriter *writer)
{
  HpSendStream *stream;
  HpFrame frame;

  while ((stream = hp_send_queue_next_reset (&self->sending)))
    {
      frame.type = HP_FRAME_RESET;
      frame.reset.stream = stream->number;
      frame.reset.code = stream->reset_code;
      frame.reset.final_size = stream->final_size;
      if (!write_frame (writer, &frame))
        return FALSE;
      hp_sent_ring_add_record (&self->loss.ring, HP_RECORD_RESET,
                               hp_send_stream_ref (stream), 0, 0);
      hp_send_queue_reset_sent (&self->sending, stream);
    }
  return TRUE;
}

static void
write_chunks (HpTransport *self, HpWriter *writer)
{
  HpSendChunk chunk;
  HpFrame frame;

  while (hp_send_queue_next_chunk (&self->sending, hp_writer_left (writer),
                                   &chunk))
    {
      HpSendStream *stream = chunk.stream;
      gsize before = writer->offset;
      gsize length = chunk.end - chunk.start - (chunk.fin ? 1 : 0);

      frame.type = HP_FRAME_CHUNK;
      frame.chunk = (HpChunkFrame){
        .stream = stream->number,
        .offset = chunk.start,
        .fin = chunk.fin,
        .total = chunk.start == 0 ? stream->length : 0,
        .bytes = { length > 0 ? stream->data + chunk.start : NULL, length },
      };
      if (!write_frame (writer, &frame))
        break;
      hp_sent_ring_add_record (&self->loss.ring, HP_RECORD_CHUNK,
                               hp_send_stream_ref (stream), chunk.start,
                               chunk.end);
      if (chunk.is_lost)
        self->statistics.bytes_resent += length;
      else
        self->statistics.bytes_sent += length;
      hp_send_queue_chunk_sent (&self->sending, &chunk,
                                writer->offset - before);
    }
}

static void
write_content (HpTransport *self, HpWriter *writer)
{
  write_control (self, writer);
  if (write_credit (self, writer) && write_resets (self, writer))
    write_chunks (self, writer);
}

static gboolean
write_ping (HpWriter *writer)
{
  HpFrame frame;

  frame.type = HP_FRAME_PING;
  return write_frame (writer, &frame);
}

/* All that is to be acknowledged; TRUE if there is some */
static gboolean
write_eliciting (HpTransport *self, HpWriter *writer, gint64 now)
{
  gboolean has_window
      = hp_path_control_has_window (&self->path)
        && hp_sent_ring_get_length (&self->loss.ring) < HP_SENT_RING_MAX;
  gboolean may_send
      = self->n_probes > 0
        || (has_window && hp_pacer_get_time (&self->path.pacer, now) <= now);

  if (may_send)
    write_content (self, writer);
  if (hp_sent_ring_has_new_records (&self->loss.ring))
    return TRUE;
  if (may_send && has_window)
    hp_path_control_app_limited (&self->path, self->loss.ring.tail);
  return (self->n_probes > 0 || self->wants_ping) && write_ping (writer);
}

static void
commit (HpTransport *self, guint64 number, gsize size, gboolean has_ack,
        gint64 now)
{
  HpSentPacket *packet = hp_loss_sent (&self->loss, number, size, now);

  packet->has_ack = has_ack;
  packet->largest_reported = self->acks.largest;
  hp_path_control_sent (&self->path, packet, now);
  self->wants_ping = FALSE;
  if (self->n_probes > 0)
    self->n_probes--;
  if (self->waiting_since == 0)
    self->waiting_since = now;
}

gboolean
hp_transport_write_packet (HpTransport *self, HpWriter *writer, guint64 number,
                           gsize overhead, gboolean ack_only, gint64 now)
{
  HpWriter limited = *writer;
  gboolean has_ack;
  gboolean eliciting;

  g_assert (hp_writer_ok (writer));
  self->wants_pull = FALSE;
  if (!self->started || overhead >= self->path.datagram_size)
    return FALSE;

  limited.capacity = MIN (limited.capacity,
                          self->path.datagram_size - overhead);
  if (limited.offset >= limited.capacity)
    return FALSE;
  has_ack = hp_ack_tracker_has_news (&self->acks)
            && write_ack (self, &limited, now);
  eliciting = !ack_only && write_eliciting (self, &limited, now);
  /* An ACK that can wait does not go alone. */
  if (!eliciting && !(has_ack && hp_ack_tracker_is_due (&self->acks)))
    return FALSE;

  writer->offset = limited.offset;
  if (has_ack)
    hp_ack_tracker_sent (&self->acks);
  if (eliciting)
    commit (self, number, writer->offset + overhead, has_ack, now);
  self->statistics.packets_sent++;
  return TRUE;
}

void
hp_transport_write_last_ack (HpTransport *self, HpWriter *writer, gint64 now)
{
  HpWriter tried = *writer;

  if (self->started && hp_ack_tracker_has_news (&self->acks)
      && write_ack (self, &tried, now))
    *writer = tried;
}
