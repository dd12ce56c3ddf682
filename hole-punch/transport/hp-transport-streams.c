/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-transport-private.h"

static void
on_event (gpointer user_data, HpByteStream *stream, HpTransportEventType type,
          guint64 value)
{
  HpTransportEvent *event
      = hp_transport_push_event (user_data, type, stream->number);

  if (type == HP_TRANSPORT_EVENT_STREAM_ACKED)
    {
      event->length = value;
      stream->acked = event;
    }
  else
    event->code = value;
}

void
hp_transport_init_streams (HpTransport *self)
{
  guint64 window = self->receiving.credit.window;

  self->pool.size = MAX (self->config.max_receive_window, window) - window;
  hp_byte_streams_init (&self->streams, &self->sending, &self->pool, on_event,
                        self);
}

gboolean
hp_transport_is_stream_frame (const HpFrame *frame)
{
  switch (frame->type)
    {
    case HP_FRAME_CHUNK:
      return HP_STREAM_KIND (frame->chunk.stream) == HP_STREAM_BYTES;
    case HP_FRAME_RESET:
    case HP_FRAME_STOP:
      return HP_STREAM_KIND (frame->reset.stream) == HP_STREAM_BYTES;
    case HP_FRAME_MAX_STREAM_DATA:
      return HP_STREAM_KIND (frame->max.stream) == HP_STREAM_BYTES;
    case HP_FRAME_MAX_STREAMS:
      return TRUE;
    default:
      return FALSE;
    }
}

gboolean
hp_transport_receive_stream_frame (HpTransport *self, const HpFrame *frame,
                                   gint64 now)
{
  if (frame->type == HP_FRAME_CHUNK)
    return hp_byte_streams_receive_chunk (&self->streams, &frame->chunk, now);
  if (frame->type == HP_FRAME_RESET)
    return hp_byte_streams_receive_reset (
        &self->streams, frame->reset.stream, frame->reset.code,
        frame->reset.final_size, now);
  if (frame->type == HP_FRAME_STOP)
    return hp_byte_streams_receive_stop (&self->streams, frame->reset.stream,
                                         frame->reset.code, now);
  if (frame->type == HP_FRAME_MAX_STREAM_DATA)
    return hp_byte_streams_receive_max (&self->streams, frame->max.stream,
                                        frame->max.maximum, now);
  hp_byte_streams_receive_max_streams (&self->streams, frame->max.maximum);
  return TRUE;
}

void
hp_transport_bytes_acked (gpointer user_data, guint64 number, guint64 length)
{
  HpTransport *self = user_data;

  hp_byte_streams_bytes_acked (&self->streams, number, length);
}

void
hp_transport_bytes_ended (gpointer user_data, guint64 number,
                          gboolean was_reset)
{
  HpTransport *self = user_data;

  hp_byte_streams_bytes_ended (&self->streams, number, was_reset);
}

guint64
hp_transport_open_stream (HpTransport *self, gint64 now)
{
  g_assert (self->started);
  self->now = now;
  return hp_byte_streams_open (&self->streams, now)->number;
}

void
hp_transport_stream_set_weight (HpTransport *self, guint64 stream,
                                guint weight)
{
  HpByteStream *found = hp_byte_streams_lookup (&self->streams, stream);

  g_assert (weight >= 1 && weight <= HP_STREAM_WEIGHT_MAX);
  if (found != NULL)
    found->sending->own_flow.weight = weight;
}

void
hp_transport_stream_write (HpTransport *self, guint64 stream, GBytes *bytes,
                           gint64 now)
{
  HpByteStream *found = hp_byte_streams_lookup (&self->streams, stream);

  self->now = now;
  if (found != NULL)
    hp_byte_streams_write (&self->streams, found, bytes);
}

void
hp_transport_stream_finish (HpTransport *self, guint64 stream, gint64 now)
{
  HpByteStream *found = hp_byte_streams_lookup (&self->streams, stream);

  self->now = now;
  if (found != NULL)
    hp_byte_streams_finish (&self->streams, found);
}

void
hp_transport_stream_reset (HpTransport *self, guint64 stream, HpResetCode code,
                           gint64 now)
{
  HpByteStream *found = hp_byte_streams_lookup (&self->streams, stream);

  self->now = now;
  if (found != NULL)
    hp_byte_streams_reset (&self->streams, found, code);
}

void
hp_transport_stream_stop (HpTransport *self, guint64 stream, HpResetCode code,
                          gint64 now)
{
  HpByteStream *found = hp_byte_streams_lookup (&self->streams, stream);

  self->now = now;
  if (found != NULL)
    hp_byte_streams_stop (&self->streams, found, code);
}

GBytes *
hp_transport_stream_read (HpTransport *self, guint64 stream, gboolean *at_end)
{
  HpByteStream *found = hp_byte_streams_lookup (&self->streams, stream);

  *at_end = FALSE;
  return found != NULL ? hp_byte_streams_read (&self->streams, found, at_end)
                       : NULL;
}

void
hp_transport_stream_consume (HpTransport *self, guint64 stream, gsize length,
                             gint64 now)
{
  HpByteStream *found = hp_byte_streams_lookup (&self->streams, stream);

  self->now = now;
  if (found != NULL)
    hp_byte_streams_consume (&self->streams, found, length,
                             self->path.round_trip.smoothed, now);
}
