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
         || self->streams.news.length > 0
         || hp_receive_credit_is_due (&self->receiving.credit)
         || hp_receive_credit_is_due (&self->streams.streams)
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

/* MAX_DATA or MAX_STREAMS */
static gboolean
write_maximum (HpTransport *self, HpWriter *writer, HpFrameType type,
               HpReceiveCredit *credit)
{
  HpFrame frame; /* large: nothing is done to it in vain, for every packet */

  if (!hp_receive_credit_is_due (credit))
    return TRUE;
  frame.type = type;
  frame.max.maximum = hp_receive_credit_get_maximum (credit);
  if (!write_frame (writer, &frame))
    return FALSE;
  hp_sent_ring_add_record (&self->loss.ring,
                           type == HP_FRAME_MAX_DATA ? HP_RECORD_MAX_DATA
                                                     : HP_RECORD_MAX_STREAMS,
                           NULL, hp_receive_credit_tell (credit), 0);
  return TRUE;
}

static gboolean
write_stop (HpTransport *self, HpWriter *writer, guint64 stream, guint64 code)
{
  HpFrame frame = { .type = HP_FRAME_STOP };

  frame.reset.stream = stream;
  frame.reset.code = code;
  if (!write_frame (writer, &frame))
    return FALSE;
  hp_sent_ring_add_record (&self->loss.ring, HP_RECORD_STOP, NULL, stream, 0);
  return TRUE;
}

static gboolean
write_max_stream_data (HpTransport *self, HpWriter *writer, guint64 stream,
                       guint64 maximum)
{
  HpFrame frame = { .type = HP_FRAME_MAX_STREAM_DATA };

  frame.max.stream = stream;
  frame.max.maximum = maximum;
  if (!write_frame (writer, &frame))
    return FALSE;
  hp_sent_ring_add_record (&self->loss.ring, HP_RECORD_MAX_STREAM_DATA, NULL,
                           stream, 0);
  return TRUE;
}

static gboolean
write_news_of_messages (HpTransport *self, HpWriter *writer)
{
  HpReceiveStream *stream;

  while ((stream = hp_receive_queue_next_news (&self->receiving)))
    {
      if (!(stream->state == HP_RECEIVE_REFUSED
                ? write_stop (self, writer, stream->number, HP_RESET_TOO_LARGE)
                : write_max_stream_data (self, writer, stream->number,
                                         stream->assembler.limit)))
        return FALSE;
      hp_receive_queue_news_sent (&self->receiving, stream);
    }
  return TRUE;
}

static gboolean
write_news_of_streams (HpTransport *self, HpWriter *writer)
{
  HpByteStream *stream;

  while ((stream = hp_byte_streams_next_news (&self->streams)))
    {
      HpReceiveCredit *credit = &stream->reader.credit;

      if (!(stream->is_stopped
                ? write_stop (self, writer, stream->number, stream->stop_code)
                : write_max_stream_data (
                    self, writer, stream->number,
                    hp_receive_credit_get_maximum (credit))))
        return FALSE;
      hp_byte_streams_news_sent (&self->streams, stream);
    }
  return TRUE;
}

/* What gives credit, and refuses */
static gboolean
write_credit (HpTransport *self, HpWriter *writer)
{
  return write_maximum (self, writer, HP_FRAME_MAX_DATA,
                        &self->receiving.credit)
         && write_maximum (self, writer, HP_FRAME_MAX_STREAMS,
                           &self->streams.streams)
         && write_news_of_messages (self, writer)
         && write_news_of_streams (self, writer);
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

      frame.type = HP_FRAME_CHUNK;
      frame.chunk = (HpChunkFrame){
        .stream = stream->number,
        .offset = chunk.start,
        .fin = chunk.fin,
        .total = chunk.start == 0 ? stream->length : 0,
        .bytes = { chunk.data, chunk.length },
      };
      if (!write_frame (writer, &frame))
        break;
      hp_sent_ring_add_record (&self->loss.ring, HP_RECORD_CHUNK,
                               hp_send_stream_ref (stream), chunk.start,
                               chunk.end);
      if (chunk.is_lost)
        self->statistics.bytes_resent += chunk.length;
      else
        self->statistics.bytes_sent += chunk.length;
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

static gboolean
is_window_open (const HpTransport *self)
{
  return hp_path_control_has_window (&self->path)
         && hp_sent_ring_get_length (&self->loss.ring) < HP_SENT_RING_MAX;
}

/* All that is to be acknowledged; TRUE if there is some */
static gboolean
write_eliciting (HpTransport *self, HpWriter *writer, gint64 now)
{
  gboolean has_window = is_window_open (self);
  gboolean may_send
      = self->n_probes > 0
        || (has_window && hp_pacer_get_time (&self->path.pacer, now) <= now);

  if (may_send)
    write_content (self, writer);
  if (hp_sent_ring_has_new_records (&self->loss.ring))
    return TRUE;
  if (may_send && has_window)
    hp_path_control_app_limited (&self->path, now);
  else if (has_window)
    hp_pacer_set_awaited (&self->path.pacer, TRUE, now);
  return (self->n_probes > 0 || self->wants_ping) && write_ping (writer);
}

/* What asks whether the path still lives is to arrive where marked packets do
 * not. */
static gboolean
may_mark (HpTransport *self, guint64 number)
{
  return hp_path_ecn_is_wanted (&self->ecn, self->may_mark, self->path.epoch,
                                number)
         && self->loss.n_probes == 0;
}

static void
commit (HpTransport *self, guint64 number, gsize size, gboolean has_ack,
        gint64 now)
{
  HpSentPacket *packet = hp_loss_sent (&self->loss, number, size, now);

  self->is_marked = may_mark (self, number);
  packet->is_marked = self->is_marked;
  if (self->is_marked)
    hp_path_ecn_sent (&self->ecn);
  packet->has_ack = has_ack;
  packet->largest_reported = self->acks.largest;
  hp_path_control_sent (&self->path, packet, now);
  hp_path_mtu_sent (&self->mtu, size);
  self->wants_ping = FALSE;
  if (self->n_probes > 0)
    self->n_probes--;
  if (self->waiting_since == 0)
    self->waiting_since = now;
}

/* Nothing but a size, so that its loss costs nothing. It may exceed the window
 * by what it is larger than other packets: once, where a window is no larger
 * than that. */
static gboolean
write_mtu_probe (HpTransport *self, HpWriter *writer, guint64 number,
                 gsize overhead, gint64 now)
{
  gsize size = hp_path_mtu_get_probe (&self->mtu, now);
  HpFrame padding;
  HpSentPacket *packet;

  if (size == 0 || writer->capacity + overhead < size
      || self->n_probes > 0 || !is_window_open (self)
      || hp_pacer_get_time (&self->path.pacer, now) > now
      || !write_ping (writer))
    return FALSE;
  padding.type = HP_FRAME_PADDING;
  padding.padding_length = size - overhead - writer->offset;
  hp_frame_write (&padding, writer);
  g_assert (hp_writer_ok (writer));

  packet = hp_loss_sent (&self->loss, number, size, now);
  packet->is_mtu_probe = TRUE;
  hp_path_control_sent (&self->path, packet, now);
  hp_path_mtu_probe_sent (&self->mtu);
  if (self->waiting_since == 0)
    self->waiting_since = now;
  self->statistics.packets_sent++;
  return TRUE;
}

/* Bytes of the next datagram. The second of two that ask whether the path still
 * lives is small: should only that one arrive, the path has become narrower. */
static gsize
get_size (const HpTransport *self)
{
  if (self->n_probes == 1 && self->loss.n_probes > 0)
    return hp_path_mtu_get_fallback (&self->mtu);
  return self->path.datagram_size;
}

/* Nothing to say: found out for less than by trying, after each packet */
static gboolean
is_idle (HpTransport *self, gboolean ack_only, gint64 now)
{
  if (hp_ack_tracker_is_due (&self->acks) || self->n_probes > 0
      || self->wants_ping || hp_transport_has_content (self))
    return FALSE;
  if (!ack_only && is_window_open (self)
      && hp_pacer_get_time (&self->path.pacer, now) <= now)
    hp_path_control_app_limited (&self->path, now);
  return TRUE;
}

gboolean
hp_transport_is_idle (HpTransport *self, gint64 now)
{
  if (hp_path_mtu_get_probe (&self->mtu, now) != 0
      || !is_idle (self, FALSE, now))
    return FALSE;
  self->wants_pull = FALSE;
  return TRUE;
}

gboolean
hp_transport_write_packet (HpTransport *self, HpWriter *writer, guint64 number,
                           gsize overhead, gboolean ack_only, gint64 now)
{
  HpWriter limited = *writer;
  gsize size = get_size (self);
  gboolean has_ack;
  gboolean eliciting;

  g_assert (hp_writer_ok (writer));
  self->wants_pull = FALSE;
  self->is_marked = FALSE;
  if (!self->started || overhead >= size)
    return FALSE;
  self->goes_alone
      = !ack_only && write_mtu_probe (self, writer, number, overhead, now);
  if (self->goes_alone)
    return TRUE;

  self->goes_alone = size < self->path.datagram_size;
  limited.capacity = MIN (limited.capacity, size - overhead);
  if (limited.offset >= limited.capacity || is_idle (self, ack_only, now))
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

static gboolean
try_ack (HpTransport *self, HpWriter *writer, gint64 now)
{
  HpWriter tried = *writer;

  if (!self->started || !hp_ack_tracker_has_news (&self->acks)
      || !write_ack (self, &tried, now))
    return FALSE;
  *writer = tried;
  return TRUE;
}

void
hp_transport_write_last_ack (HpTransport *self, HpWriter *writer, gint64 now)
{
  try_ack (self, writer, now);
}

void
hp_transport_write_early_ack (HpTransport *self, HpWriter *writer, gint64 now)
{
  if (try_ack (self, writer, now))
    hp_ack_tracker_sent (&self->acks);
}
