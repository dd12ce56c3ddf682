/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The conductor, packet by packet: a transport whose packets the test reads,
 * and writes the answers to.
 */

#include "hole-punch/transport/hp-transport-private.h"

#include <string.h>

#define MS G_TIME_SPAN_MILLISECOND
#define OVERHEAD 29
#define SIZE 1024

typedef struct
{
  HpTransport *transport;
  guint64 number; /* of the next packet */
  gint64 now;
  guint8 packet[HP_DATAGRAM_SIZE_MAX];
  gsize length;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  HpTransportConfig config
      = { .max_message_size = 1 << 20, .max_queued = 100000,
          .congestion = &hp_congestion_new_reno };
  HpParameters theirs = HP_PARAMETERS_INIT;

  self->now = G_TIME_SPAN_HOUR;
  self->number = 0;
  self->transport = hp_transport_new (&config, self->now);
  theirs.max_data = 1 << 22;
  theirs.max_message_size = 1 << 20;
  hp_transport_set_remote_parameters (self->transport, &theirs);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  hp_transport_free (self->transport);
}

static gboolean
write_packet (Fixture *self, gsize size, gboolean ack_only)
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

/* The types of the frames of the next packet, in hexadecimal; NULL: none */
static const char *
next (Fixture *self)
{
  static char types[1024];
  HpReader reader;

  if (!write_packet (self, SIZE, FALSE))
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

/* Sends all that may be sent now; how many packets */
static guint
flush (Fixture *self)
{
  guint n = 0;

  while (write_packet (self, self->transport->path.datagram_size, FALSE))
    n++;
  return n;
}

static void
receive (Fixture *self, const HpFrame *frame, guint64 number)
{
  g_assert_true (hp_transport_receive_frame (self->transport, frame, number,
                                             self->now));
  hp_transport_packet_received (self->transport, number,
                                hp_frame_is_ack_eliciting (frame->type),
                                HP_ECN_NOT_ECT, self->now);
}

static void
receive_ping (Fixture *self, guint64 number)
{
  HpFrame frame = { .type = HP_FRAME_PING };

  receive (self, &frame, number);
}

static void
receive_ack (Fixture *self, guint64 first, guint64 last)
{
  HpFrame frame = {
    .type = HP_FRAME_ACK,
    .ack = { .largest = last,
             .n_ranges = 1,
             .ranges = { { first, last + 1 } } },
  };

  g_assert_true (hp_transport_receive_frame (self->transport, &frame, 0,
                                             self->now));
}

static guint64
send_message (Fixture *self, HpStreamKind kind, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (size), size);

  return hp_transport_send_message (self->transport, kind, bytes, 0,
                                    self->now);
}

static void
send_control (Fixture *self, gsize size)
{
  g_autofree guint8 *frame = g_malloc0 (size);
  g_autoptr (GBytes) bytes = NULL;

  /* PADDING does for a frame that is opaque here. */
  bytes = g_bytes_new (frame, size);
  hp_transport_send_control (self->transport, bytes);
}

static void
assert_event (Fixture *self, HpTransportEventType type, guint64 stream)
{
  HpTransportEvent event;

  g_assert_true (hp_transport_next_event (self->transport, &event));
  g_assert_cmpint (event.type, ==, type);
  g_assert_cmpuint (event.stream, ==, stream);
  g_clear_pointer (&event.message, g_bytes_unref);
}

static void
assert_no_event (Fixture *self)
{
  HpTransportEvent event;

  g_assert_false (hp_transport_next_event (self->transport, &event));
}

static void
test_not_started (void)
{
  HpTransportConfig config = { .max_message_size = 100 };
  HpParameters theirs = HP_PARAMETERS_INIT;
  Fixture self = { .now = 1000 };

  self.transport = hp_transport_new (&config, self.now);
  send_message (&self, HP_STREAM_ORDERED, 100);
  send_message (&self, HP_STREAM_ORDERED, 1001);
  hp_transport_ping (self.transport);
  g_assert_null (next (&self));
  g_assert_cmpint (hp_transport_get_deadline (self.transport, self.now), ==,
                   G_MAXINT64);
  theirs.max_message_size = 1000;
  theirs.max_data = 1000;
  hp_transport_set_remote_parameters (self.transport, &theirs);
  assert_event (&self, HP_TRANSPORT_EVENT_FAILED, 8);
  g_assert_cmpstr (next (&self), ==, "08 ");
  hp_transport_free (self.transport);
}

static void
test_parameters (Fixture *self, gconstpointer data)
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
test_delivery (Fixture *self, gconstpointer data)
{
  HpTransportStatistics statistics;
  guint64 stream = send_message (self, HP_STREAM_ORDERED, 2000);

  g_assert_cmpuint (hp_transport_get_queued_bytes (self->transport), ==,
                    2000);
  g_assert_cmpint (hp_transport_get_waiting_since (self->transport), ==, 0);
  g_assert_cmpuint (flush (self), ==, 3);
  g_assert_cmpint (hp_transport_get_waiting_since (self->transport), ==,
                   self->now);
  g_assert_cmpint (hp_transport_get_round_trip (self->transport), ==, -1);
  self->now += 50 * MS;
  receive_ack (self, 0, 1);
  g_assert_cmpint (hp_transport_get_round_trip (self->transport), ==, 50 * MS);
  g_assert_cmpint (hp_transport_get_waiting_since (self->transport), ==,
                   self->now);
  assert_no_event (self);
  receive_ack (self, 0, 2);
  assert_event (self, HP_TRANSPORT_EVENT_DELIVERED, stream);
  receive_ack (self, 0, 2);
  assert_no_event (self);
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
test_acks (Fixture *self, gconstpointer data)
{
  receive_ping (self, 5);
  g_assert_cmpint (hp_transport_get_deadline (self->transport, self->now), ==,
                   G_MAXINT64);
  g_assert_cmpstr (next (self), ==, "02 "); /* a gap: at once */
  receive_ping (self, 6);
  g_assert_null (next (self));
  g_assert_cmpint (hp_transport_get_deadline (self->transport, self->now), ==,
                   self->now + 25 * MS);
  self->now += 25 * MS;
  hp_transport_expire (self->transport, self->now);
  g_assert_cmpstr (next (self), ==, "02 ");
  g_assert_null (next (self));
  receive_ping (self, 7);
  receive_ping (self, 8);
  g_assert_true (write_packet (self, SIZE, TRUE));
  /* One that can wait goes along with something else. */
  receive_ping (self, 9);
  send_message (self, HP_STREAM_ORDERED, 0);
  g_assert_cmpstr (next (self), ==, "02 08 ");
}

/* Packets that carry but ACKs leave no trace, and are not waited for. */
static void
test_ack_only_state (Fixture *self, gconstpointer data)
{
  for (guint64 i = 0; i < 1000; i++)
    {
      receive_ping (self, 2 * i + 1);
      g_assert_true (write_packet (self, SIZE, i % 2));
    }
  g_assert_cmpuint (self->transport->loss.ring.capacity, ==, 0);
  g_assert_cmpuint (self->transport->path.in_flight, ==, 0);
  g_assert_cmpint (hp_transport_get_waiting_since (self->transport), ==, 0);
  g_assert_cmpuint (self->transport->acks.received.n_ranges, ==, 64);
}

/* Once the other side has our ACK older numbers are told no more. */
static void
test_ack_confirmed (Fixture *self, gconstpointer data)
{
  for (guint64 i = 0; i < 20; i++)
    receive_ping (self, 2 * i);
  hp_transport_ping (self->transport);
  g_assert_cmpstr (next (self), ==, "02 01 ");
  g_assert_cmpuint (self->transport->acks.received.n_ranges, ==, 20);
  receive_ack (self, 0, 0);
  g_assert_cmpuint (self->transport->acks.received.n_ranges, ==, 1);
}

static void
test_ping (Fixture *self, gconstpointer data)
{
  hp_transport_ping (self->transport);
  g_assert_false (write_packet (self, SIZE, TRUE));
  g_assert_cmpstr (next (self), ==, "01 ");
  g_assert_null (next (self));
  g_assert_cmpint (hp_transport_get_waiting_since (self->transport), ==,
                   self->now);
  receive_ack (self, 0, 0);
  g_assert_cmpint (hp_transport_get_waiting_since (self->transport), ==, 0);
  /* No PING where something else will do, but one when the window is full */
  hp_transport_ping (self->transport);
  send_message (self, HP_STREAM_ORDERED, 100000);
  g_assert_cmpstr (next (self), ==, "08 ");
  flush (self);
  hp_transport_ping (self->transport);
  g_assert_cmpstr (next (self), ==, "01 ");
}

static void
test_window (Fixture *self, gconstpointer data)
{
  send_message (self, HP_STREAM_ORDERED, 60000);
  /* 10 datagrams, and then only when an ACK comes */
  g_assert_cmpuint (flush (self), ==, 10);
  self->now += 400 * MS;
  g_assert_cmpuint (flush (self), ==, 0);
  receive_ack (self, 0, 1);
  g_assert_cmpuint (flush (self), ==, 4);
}

static void
test_pacing (Fixture *self, gconstpointer data)
{
  guint n = 0;
  gint64 start;

  send_message (self, HP_STREAM_ORDERED, 60000);
  flush (self);
  self->now += 400 * MS;
  receive_ack (self, 0, 9);
  /* A burst of 10 has been saved up; the rest comes bit by bit. */
  n = flush (self);
  g_assert_cmpuint (n, ==, 10);
  start = self->now;
  for (; n < 20; n++)
    {
      gint64 deadline
          = hp_transport_get_deadline (self->transport, self->now);

      g_assert_cmpint (deadline, >, self->now);
      g_assert_cmpint (deadline, <, self->now + 17 * MS);
      self->now = deadline;
      hp_transport_expire (self->transport, self->now);
      g_assert_cmpuint (flush (self), ==, 1);
    }
  /* A window of 20 in a round trip of 400 ms, times 5/4 */
  g_assert_cmpint (self->now - start, >, 155 * MS);
  g_assert_cmpint (self->now - start, <, 165 * MS);
}

static void
test_control (Fixture *self, gconstpointer data)
{
  send_message (self, HP_STREAM_ORDERED, 3000);
  send_control (self, 300);
  send_control (self, 1000); /* fits in no packet of this size */
  send_control (self, 20);
  receive_ping (self, 0);
  g_assert_cmpstr (next (self), ==, "02 00 08 ");
  for (guint i = 0; i < 3; i++)
    g_assert_cmpstr (next (self), ==, "08 ");
  g_assert_null (next (self));
  self->now += 50 * MS;
  receive_ack (self, 1, 3);
  g_assert_cmpstr (next (self), ==, "00 08 ");
  hp_transport_set_path (self->transport, 0, 1200, self->now);
  g_assert_true (write_packet (self, 1200, FALSE));
  g_assert_cmpuint (self->length, ==, 1000);
  g_assert_false (write_packet (self, 1200, FALSE));
}

/* On a path of its own nothing is known, and nothing is blamed on it. */
static void
test_new_path (Fixture *self, gconstpointer data)
{
  HpTransportStatistics statistics;

  send_message (self, HP_STREAM_ORDERED, 60000);
  g_assert_cmpuint (flush (self), ==, 10);
  self->now += 100 * MS;
  receive_ack (self, 0, 0);
  hp_transport_set_path (self->transport, 1, 1200, self->now);
  g_assert_cmpint (hp_transport_get_round_trip (self->transport), ==, -1);
  hp_transport_get_statistics (self->transport, &statistics);
  g_assert_cmpuint (statistics.congestion_window, ==, 12000);
  g_assert_cmpuint (statistics.bytes_in_flight, ==, 0);
  g_assert_cmpuint (flush (self), ==, 10);
  g_assert_cmpuint (self->length, ==, 1200 - OVERHEAD);

  self->now += 40 * MS;
  receive_ack (self, 10, 12);
  hp_transport_get_statistics (self->transport, &statistics);
  g_assert_cmpuint (statistics.packets_lost, ==, 9);
  g_assert_cmpuint (statistics.congestion_window, ==, 12000 + 3 * 1200);
  g_assert_cmpuint (statistics.bytes_in_flight, ==, 7 * 1200);
  g_assert_cmpint (hp_transport_get_round_trip (self->transport), ==, 40 * MS);
  self->now += 100 * MS; /* for the pacer's sake */
  g_assert_cmpuint (flush (self), ==, 6);
  hp_transport_get_statistics (self->transport, &statistics);
  g_assert_cmpuint (statistics.bytes_resent, >, 6 * 1100);
}

/* With nothing new to send, a probe finds out what the old path lost. */
static void
test_new_path_probe (Fixture *self, gconstpointer data)
{
  send_message (self, HP_STREAM_ORDERED, 500);
  g_assert_cmpstr (next (self), ==, "08 ");
  self->now += 100 * MS;
  hp_transport_set_path (self->transport, 1, SIZE, self->now);
  g_assert_cmpstr (next (self), ==, "01 ");
  g_assert_null (next (self));
  self->now += 30 * MS;
  receive_ack (self, 1, 1);
  g_assert_cmpstr (next (self), ==, "08 ");
  receive_ack (self, 2, 2);
  assert_event (self, HP_TRANSPORT_EVENT_DELIVERED, 0);
}

static void
test_timeout (Fixture *self, gconstpointer data)
{
  gint64 deadline;

  send_message (self, HP_STREAM_UNORDERED, 100);
  send_message (self, HP_STREAM_UNRELIABLE, 100);
  g_assert_cmpstr (next (self), ==, "08 08 ");
  deadline = hp_transport_get_deadline (self->transport, self->now);
  g_assert_cmpint (deadline, ==,
                   self->now
                       + hp_transport_get_probe_timeout (self->transport));
  self->now = deadline;
  hp_transport_expire (self->transport, self->now);
  /* Two probes: the reliable one again, and a PING */
  g_assert_cmpstr (next (self), ==, "08 ");
  g_assert_cmpstr (next (self), ==, "01 ");
  g_assert_null (next (self));
  assert_no_event (self);
  self->now += 10 * MS;
  receive_ack (self, 1, 2);
  assert_event (self, HP_TRANSPORT_EVENT_DELIVERED, 1);
  assert_event (self, HP_TRANSPORT_EVENT_FAILED, 10);
  g_assert_cmpstr (next (self), ==, "10 ");
}

static void
test_lost_credit (Fixture *self, gconstpointer data)
{
  g_autofree guint8 *zeros = g_malloc0 (200000);
  HpFrame frame = {
    .type = HP_FRAME_CHUNK,
    .chunk = { .stream = 0, .total = 200000, .bytes = { zeros, 1000 } },
  };

  receive (self, &frame, 0);
  g_assert_cmpstr (next (self), ==, "02 13 ");
  for (guint i = 0; i < 3; i++)
    {
      hp_transport_ping (self->transport);
      g_assert_cmpstr (next (self), ==, "01 ");
    }
  self->now += 10 * MS;
  receive_ack (self, 1, 3);
  g_assert_cmpstr (next (self), ==, "13 ");
  frame.chunk = (HpChunkFrame){
    .stream = 0, .offset = 1000, .fin = TRUE, .bytes = { zeros, 199000 }
  };
  receive (self, &frame, 1);
  assert_event (self, HP_TRANSPORT_EVENT_MESSAGE, 0);
  g_assert_cmpuint (hp_transport_get_receive_memory (self->transport), ==, 0);
}

static void
test_queue (Fixture *self, gconstpointer data)
{
  /* Whatever its size, when there is no other */
  g_assert_true (hp_transport_can_queue (self->transport, 1 << 20));
  send_message (self, HP_STREAM_ORDERED, 0);
  g_assert_false (hp_transport_can_queue (self->transport, 100000));
  g_assert_true (hp_transport_can_queue (self->transport, 99000));
  for (guint i = 0; i < 400; i++)
    send_message (self, HP_STREAM_ORDERED, 0);
  /* Empty ones take memory, too. */
  g_assert_false (hp_transport_can_queue (self->transport, 0));
}

static void
test_stop (Fixture *self, gconstpointer data)
{
  HpFrame stop = { .type = HP_FRAME_STOP, .reset = { .stream = 0 } };

  g_assert_false (hp_transport_receive_frame (self->transport, &stop, 0,
                                              self->now));
  send_message (self, HP_STREAM_ORDERED, 100);
  g_assert_cmpstr (next (self), ==, "08 ");
  receive (self, &stop, 0);
  assert_event (self, HP_TRANSPORT_EVENT_FAILED, 0);
  g_assert_cmpstr (next (self), ==, "02 10 ");
  receive_ack (self, 0, 1);
  assert_no_event (self);
}

/* A small datagram with little room, a huge one with much */
static void
test_datagram_sizes (Fixture *self, gconstpointer data)
{
  hp_transport_set_path (self->transport, 0, 512, self->now);
  send_message (self, HP_STREAM_ORDERED, 30000);
  for (guint64 i = 0; i < 100; i++)
    receive_ping (self, 2 * i);
  g_assert_true (write_packet (self, SIZE, FALSE));
  g_assert_cmpuint (self->length, <=, 512 - OVERHEAD);
  hp_transport_set_path (self->transport, 1, HP_DATAGRAM_SIZE_MAX, self->now);
  g_assert_cmpuint (flush (self), ==, 1);
  g_assert_cmpuint (self->length, >, 29000);
}

/* Taking a message frees what another waits for: nothing else may ever come
 * that would have a packet pulled. */
static void
test_taking (Fixture *self, gconstpointer data)
{
  const guint64 total = 1 << 20;
  g_autofree guint8 *bytes = g_malloc0 (total);
  HpFrame frame = { .type = HP_FRAME_CHUNK };
  HpTransportEvent event;

  frame.chunk.total = total;
  frame.chunk.bytes = (HpBytes){ bytes, 65536 };
  frame.chunk.stream = HP_STREAM_NUMBER (0, HP_STREAM_UNORDERED);
  receive (self, &frame, 0);
  flush (self);
  frame.chunk.stream = HP_STREAM_NUMBER (1, HP_STREAM_UNORDERED);
  receive (self, &frame, 1);
  frame.chunk.stream = HP_STREAM_NUMBER (0, HP_STREAM_UNORDERED);
  frame.chunk.offset = 65536;
  frame.chunk.fin = TRUE;
  frame.chunk.bytes.length = total - 65536;
  receive (self, &frame, 2);
  receive_ping (self, 3);
  flush (self);
  g_assert_cmpint (hp_transport_get_deadline (self->transport, self->now), >,
                   self->now);

  g_assert_true (hp_transport_next_event (self->transport, &event));
  g_assert_cmpint (event.type, ==, HP_TRANSPORT_EVENT_MESSAGE);
  g_bytes_unref (event.message);
  g_assert_cmpint (hp_transport_get_deadline (self->transport, self->now), <=,
                   self->now);
  g_assert_true (write_packet (self, SIZE, FALSE));
  g_assert_cmpint (hp_transport_get_deadline (self->transport, self->now), >,
                   self->now);
}

static void
test_free_in_flight (Fixture *self, gconstpointer data)
{
  for (guint i = 0; i < 50; i++)
    {
      send_message (self, i % 3, i * 700);
      send_control (self, 10 * i + 1);
    }
  flush (self);
  hp_transport_cancel_message (self->transport, 0, self->now);
  receive_ack (self, 7, 8);
  flush (self);
}

#define ADD(name, function)                                                   \
  g_test_add ("/transport/conductor/" name, Fixture, NULL, set_up, function,  \
              tear_down)

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
  ADD ("window", test_window);
  ADD ("pacing", test_pacing);
  ADD ("control", test_control);
  ADD ("new-path", test_new_path);
  ADD ("new-path-probe", test_new_path_probe);
  ADD ("timeout", test_timeout);
  ADD ("lost-credit", test_lost_credit);
  ADD ("queue", test_queue);
  ADD ("stop", test_stop);
  ADD ("datagram-sizes", test_datagram_sizes);
  ADD ("taking", test_taking);
  ADD ("free-in-flight", test_free_in_flight);
  return g_test_run ();
}
