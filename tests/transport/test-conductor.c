/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The conductor, packet by packet: what it puts into them, and what it makes of
 * those that come. */

#include "conductor.h"

static void
test_not_started (void)
{
  HpTransportConfig config = { .max_message_size = 100 };
  HpParameters theirs = HP_PARAMETERS_INIT;
  Conductor self = { .now = 1000 };

  self.transport = hp_transport_new (&config, self.now);
  conductor_send_message (&self, HP_STREAM_ORDERED, 100);
  conductor_send_message (&self, HP_STREAM_ORDERED, 1001);
  hp_transport_ping (self.transport);
  g_assert_null (conductor_next (&self));
  g_assert_cmpint (hp_transport_get_deadline (self.transport, self.now), ==,
                   G_MAXINT64);
  theirs.max_message_size = 1000;
  theirs.max_data = 1000;
  hp_transport_set_remote_parameters (self.transport, &theirs);
  conductor_assert_event (&self, HP_TRANSPORT_EVENT_FAILED, 8);
  g_assert_cmpstr (conductor_next (&self), ==, "08 ");
  hp_transport_free (self.transport);
}

static void
test_parameters (Conductor *self, gconstpointer data)
{
  HpParameters ours = HP_PARAMETERS_INIT;

  ours.max_datagram_size = 1234;
  hp_transport_get_parameters (self->transport, &ours);
  g_assert_cmpuint (ours.max_datagram_size, ==, 1234);
  g_assert_cmpuint (ours.max_message_size, ==, 1 << 20);
  g_assert_cmpuint (ours.max_data, ==, 4 << 20);
  g_assert_cmpuint (ours.max_stream_data, ==, 65536);
  g_assert_cmpuint (ours.max_ack_delay, ==, 25000);
}

static void
test_delivery (Conductor *self, gconstpointer data)
{
  HpTransportStatistics statistics;
  guint64 stream = conductor_send_message (self, HP_STREAM_ORDERED, 2000);

  g_assert_cmpuint (hp_transport_get_queued_bytes (self->transport), ==, 2000);
  g_assert_cmpint (hp_transport_get_waiting_since (self->transport), ==, 0);
  g_assert_cmpuint (conductor_flush (self), ==, 3);
  g_assert_cmpint (hp_transport_get_waiting_since (self->transport), ==,
                   self->now);
  g_assert_cmpint (hp_transport_get_round_trip (self->transport), ==, -1);
  self->now += 50 * MS;
  conductor_receive_ack (self, 0, 1);
  g_assert_cmpint (hp_transport_get_round_trip (self->transport), ==, 50 * MS);
  g_assert_cmpint (hp_transport_get_waiting_since (self->transport), ==,
                   self->now);
  conductor_assert_no_event (self);
  conductor_receive_ack (self, 0, 2);
  conductor_assert_event (self, HP_TRANSPORT_EVENT_DELIVERED, stream);
  conductor_receive_ack (self, 0, 2);
  conductor_assert_no_event (self);
  g_assert_cmpint (hp_transport_get_waiting_since (self->transport), ==, 0);
  g_assert_cmpint (hp_transport_get_deadline (self->transport, self->now), ==,
                   G_MAXINT64);
  hp_transport_get_statistics (self->transport, &statistics);
  g_assert_cmpuint (statistics.bytes_sent, ==, 2000);
  g_assert_cmpuint (statistics.bytes_resent, ==, 0);
  g_assert_cmpuint (statistics.messages_sent, ==, 1);
  g_assert_cmpuint (statistics.bytes_in_flight, ==, 0);
}

static void
test_acks (Conductor *self, gconstpointer data)
{
  conductor_receive_ping (self, 5);
  g_assert_cmpint (hp_transport_get_deadline (self->transport, self->now), ==,
                   G_MAXINT64);
  g_assert_cmpstr (conductor_next (self), ==, "02 "); /* a gap: at once */
  conductor_receive_ping (self, 6);
  g_assert_null (conductor_next (self));
  g_assert_cmpint (hp_transport_get_deadline (self->transport, self->now), ==,
                   self->now + 25 * MS);
  self->now += 25 * MS;
  hp_transport_expire (self->transport, self->now);
  g_assert_cmpstr (conductor_next (self), ==, "02 ");
  g_assert_null (conductor_next (self));
  conductor_receive_ping (self, 7);
  conductor_receive_ping (self, 8);
  g_assert_true (conductor_write_packet (self, SIZE, TRUE));
  /* One that can wait goes along with something else. */
  conductor_receive_ping (self, 9);
  conductor_send_message (self, HP_STREAM_ORDERED, 0);
  g_assert_cmpstr (conductor_next (self), ==, "02 08 ");
}

/* Packets that carry but ACKs leave no trace, and are not waited for. */
static void
test_ack_only_state (Conductor *self, gconstpointer data)
{
  for (guint64 i = 0; i < 1000; i++)
    {
      conductor_receive_ping (self, 2 * i + 1);
      g_assert_true (conductor_write_packet (self, SIZE, i % 2));
    }
  g_assert_cmpuint (self->transport->loss.ring.capacity, ==, 0);
  g_assert_cmpuint (self->transport->path.in_flight, ==, 0);
  g_assert_cmpint (hp_transport_get_waiting_since (self->transport), ==, 0);
  g_assert_cmpuint (self->transport->acks.received.n_ranges, ==, 64);
}

/* Once the other side has our ACK older numbers are told no more. */
static void
test_ack_confirmed (Conductor *self, gconstpointer data)
{
  for (guint64 i = 0; i < 20; i++)
    conductor_receive_ping (self, 2 * i);
  hp_transport_ping (self->transport);
  g_assert_cmpstr (conductor_next (self), ==, "02 01 ");
  g_assert_cmpuint (self->transport->acks.received.n_ranges, ==, 20);
  conductor_receive_ack (self, 0, 0);
  g_assert_cmpuint (self->transport->acks.received.n_ranges, ==, 1);
}

static void
test_ping (Conductor *self, gconstpointer data)
{
  hp_transport_ping (self->transport);
  g_assert_false (conductor_write_packet (self, SIZE, TRUE));
  g_assert_cmpstr (conductor_next (self), ==, "01 ");
  g_assert_null (conductor_next (self));
  g_assert_cmpint (hp_transport_get_waiting_since (self->transport), ==,
                   self->now);
  conductor_receive_ack (self, 0, 0);
  g_assert_cmpint (hp_transport_get_waiting_since (self->transport), ==, 0);
  /* No PING where something else will do, but one when the window is full */
  hp_transport_ping (self->transport);
  conductor_send_message (self, HP_STREAM_ORDERED, 100000);
  g_assert_cmpstr (conductor_next (self), ==, "08 ");
  conductor_flush (self);
  hp_transport_ping (self->transport);
  g_assert_cmpstr (conductor_next (self), ==, "01 ");
}

static void
test_queue (Conductor *self, gconstpointer data)
{
  /* Whatever its size, when there is no other */
  g_assert_true (hp_transport_can_queue (self->transport, 1 << 20));
  conductor_send_message (self, HP_STREAM_ORDERED, 0);
  g_assert_false (hp_transport_can_queue (self->transport, 100000));
  g_assert_true (hp_transport_can_queue (self->transport, 99000));
  for (guint i = 0; i < 400; i++)
    conductor_send_message (self, HP_STREAM_ORDERED, 0);
  /* Empty ones take memory, too. */
  g_assert_false (hp_transport_can_queue (self->transport, 0));
}

static void
test_stop (Conductor *self, gconstpointer data)
{
  HpFrame stop = { .type = HP_FRAME_STOP, .reset = { .stream = 0 } };

  g_assert_false (
      hp_transport_receive_frame (self->transport, &stop, 0, self->now));
  conductor_send_message (self, HP_STREAM_ORDERED, 100);
  g_assert_cmpstr (conductor_next (self), ==, "08 ");
  conductor_receive (self, &stop, 0);
  conductor_assert_event (self, HP_TRANSPORT_EVENT_FAILED, 0);
  g_assert_cmpstr (conductor_next (self), ==, "02 10 ");
  conductor_receive_ack (self, 0, 1);
  conductor_assert_no_event (self);
}

/* A small datagram with little room, a huge one with much */
static void
test_datagram_sizes (Conductor *self, gconstpointer data)
{
  hp_transport_set_path (self->transport, 0, 512, self->now);
  conductor_send_message (self, HP_STREAM_ORDERED, 30000);
  for (guint64 i = 0; i < 100; i++)
    conductor_receive_ping (self, 2 * i);
  g_assert_true (conductor_write_packet (self, SIZE, FALSE));
  g_assert_cmpuint (self->length, <=, 512 - OVERHEAD);
  hp_transport_set_path (self->transport, 1, HP_DATAGRAM_SIZE_MAX, self->now);
  g_assert_cmpuint (conductor_flush (self), ==, 1);
  g_assert_cmpuint (self->length, >, 29000);
}

/* Taking a message frees what another waits for: nothing else may ever come
 * that would have a packet pulled. */
static void
test_taking (Conductor *self, gconstpointer data)
{
  const guint64 total = 1 << 20;
  g_autofree guint8 *bytes = g_malloc0 (total);
  HpFrame frame = { .type = HP_FRAME_CHUNK };
  HpTransportEvent event;

  frame.chunk.total = total;
  frame.chunk.bytes = (HpBytes){ bytes, 65536 };
  frame.chunk.stream = HP_STREAM_NUMBER (0, HP_STREAM_UNORDERED);
  conductor_receive (self, &frame, 0);
  conductor_flush (self);
  frame.chunk.stream = HP_STREAM_NUMBER (1, HP_STREAM_UNORDERED);
  conductor_receive (self, &frame, 1);
  frame.chunk.stream = HP_STREAM_NUMBER (0, HP_STREAM_UNORDERED);
  frame.chunk.offset = 65536;
  frame.chunk.fin = TRUE;
  frame.chunk.bytes.length = total - 65536;
  conductor_receive (self, &frame, 2);
  conductor_receive_ping (self, 3);
  conductor_flush (self);
  g_assert_cmpint (hp_transport_get_deadline (self->transport, self->now), >,
                   self->now);

  g_assert_true (hp_transport_next_event (self->transport, &event));
  g_assert_cmpint (event.type, ==, HP_TRANSPORT_EVENT_MESSAGE);
  g_bytes_unref (event.message);
  g_assert_cmpint (hp_transport_get_deadline (self->transport, self->now), <=,
                   self->now);
  g_assert_true (conductor_write_packet (self, SIZE, FALSE));
  g_assert_cmpint (hp_transport_get_deadline (self->transport, self->now), >,
                   self->now);
}

#define ADD(name, function)                                                    \
  g_test_add ("/transport/conductor/" name, Conductor, NULL, conductor_set_up, \
              function, conductor_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/transport/conductor/not-started", test_not_started);
  ADD ("parameters", test_parameters);
  ADD ("delivery", test_delivery);
  ADD ("acks", test_acks);
  ADD ("ack-only-state", test_ack_only_state);
  ADD ("ack-confirmed", test_ack_confirmed);
  ADD ("ping", test_ping);
  ADD ("queue", test_queue);
  ADD ("stop", test_stop);
  ADD ("datagram-sizes", test_datagram_sizes);
  ADD ("taking", test_taking);
  return g_test_run ();
}
