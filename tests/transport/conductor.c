/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "conductor.h"

#include <string.h>

void
conductor_set_up (Conductor *self, gconstpointer data)
{
  HpTransportConfig config = { .max_message_size = 1 << 20,
                               .max_queued = 100000,
                               .congestion = &hp_congestion_new_reno };
  HpParameters theirs = HP_PARAMETERS_INIT;

  self->now = G_TIME_SPAN_HOUR;
  self->number = 0;
  self->transport = hp_transport_new (&config, self->now);
  theirs.max_data = 1 << 22;
  theirs.max_message_size = 1 << 20;
  hp_transport_set_remote_parameters (self->transport, &theirs);
}

void
conductor_tear_down (Conductor *self, gconstpointer data)
{
  hp_transport_free (self->transport);
}

gboolean
conductor_write_packet (Conductor *self, gsize size, gboolean ack_only)
{
  HpWriter writer;

  hp_writer_init (&writer, self->packet, size - OVERHEAD);
  if (!hp_transport_write_packet (self->transport, &writer, self->number,
                                  OVERHEAD, ack_only, self->now))
    return FALSE;
  g_assert_true (hp_writer_ok (&writer));
  self->length = writer.offset;
  self->number++;
  return TRUE;
}

const char *
conductor_next (Conductor *self)
{
  static char types[1024];
  HpReader reader;

  if (!conductor_write_packet (self, SIZE, FALSE))
    return NULL;
  types[0] = '\0';
  hp_reader_init (&reader, self->packet, self->length);
  while (hp_reader_left (&reader) > 0)
    {
      gsize end = strlen (types);
      HpFrame frame;

      g_assert_true (hp_frame_parse (&frame, &reader));
      g_snprintf (types + end, sizeof types - end, "%02x ", frame.type);
    }
  return types;
}

guint
conductor_flush (Conductor *self)
{
  guint n = 0;

  while (
      conductor_write_packet (self, self->transport->path.datagram_size, FALSE))
    n++;
  return n;
}

void
conductor_receive (Conductor *self, const HpFrame *frame, guint64 number)
{
  g_assert_true (
      hp_transport_receive_frame (self->transport, frame, number, self->now));
  hp_transport_packet_received (self->transport, number,
                                hp_frame_is_ack_eliciting (frame->type),
                                HP_ECN_NOT_ECT, self->now);
}

void
conductor_receive_ping (Conductor *self, guint64 number)
{
  HpFrame frame = { .type = HP_FRAME_PING };

  conductor_receive (self, &frame, number);
}

void
conductor_receive_ack (Conductor *self, guint64 first, guint64 last)
{
  HpFrame frame = {
    .type = HP_FRAME_ACK,
    .ack = { .largest = last,
             .n_ranges = 1,
             .ranges = { { first, last + 1 } } },
  };

  g_assert_true (
      hp_transport_receive_frame (self->transport, &frame, 0, self->now));
}

guint64
conductor_send_message (Conductor *self, HpStreamKind kind, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (size), size);

  return hp_transport_send_message (self->transport, kind, bytes, 0, self->now);
}

void
conductor_send_control (Conductor *self, gsize size)
{
  g_autofree guint8 *frame = g_malloc0 (size);
  g_autoptr (GBytes) bytes = NULL;

  /* PADDING does for a frame that is opaque here. */
  bytes = g_bytes_new (frame, size);
  hp_transport_send_control (self->transport, bytes);
}

void
conductor_assert_event (Conductor *self, HpTransportEventType type,
                        guint64 stream)
{
  HpTransportEvent event;

  g_assert_true (hp_transport_next_event (self->transport, &event));
  g_assert_cmpint (event.type, ==, type);
  g_assert_cmpuint (event.stream, ==, stream);
  g_clear_pointer (&event.message, g_bytes_unref);
}

void
conductor_assert_no_event (Conductor *self)
{
  HpTransportEvent event;

  g_assert_false (hp_transport_next_event (self->transport, &event));
}
