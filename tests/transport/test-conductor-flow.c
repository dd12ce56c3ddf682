/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The conductor, packet by packet: when it may send, and what it does when
 * nothing comes back. */

#include "conductor.h"

/* Who acknowledges what cannot have come is found out; who says what came is
 * not. */
static void
test_skipped_number (Conductor *self, gconstpointer data)
{
  const struct
  {
    HpAckFrame ack;
    gboolean is_honest;
  } cases[] = {
    { { .largest = 9, .n_ranges = 1, .ranges = { { 0, 10 } } }, FALSE },
    { { .largest = 5, .n_ranges = 1, .ranges = { { 5, 6 } } }, FALSE },
    { { .largest = 9, .n_ranges = 2, .ranges = { { 8, 10 }, { 4, 6 } } },
      FALSE },
    { { .largest = 9, .n_ranges = 2, .ranges = { { 6, 10 }, { 0, 5 } } },
      TRUE },
    { { .largest = 4, .n_ranges = 1, .ranges = { { 0, 5 } } }, TRUE },
  };

  hp_transport_skip_number (self->transport, 5);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      HpFrame frame = { .type = HP_FRAME_ACK, .ack = cases[i].ack };

      g_assert_cmpint (
          hp_transport_receive_frame (self->transport, &frame, 0, self->now),
          ==, cases[i].is_honest);
    }
  /* Forgotten when there were some more */
  for (guint64 number = 100; number < 100 + HP_SKIPPED_NUMBERS; number++)
    hp_transport_skip_number (self->transport, number);
  conductor_receive_ack (self, 5, 5);
}

static void
test_window (Conductor *self, gconstpointer data)
{
  conductor_send_message (self, HP_STREAM_ORDERED, 60000);
  /* 10 datagrams, and then only when an ACK comes */
  g_assert_cmpuint (conductor_flush (self), ==, 10);
  self->now += 400 * MS;
  g_assert_cmpuint (conductor_flush (self), ==, 0);
  conductor_receive_ack (self, 0, 1);
  g_assert_cmpuint (conductor_flush (self), ==, 4);
}

static void
test_pacing (Conductor *self, gconstpointer data)
{
  guint n = 0;
  gint64 start;

  conductor_send_message (self, HP_STREAM_ORDERED, 60000);
  conductor_flush (self);
  self->now += 400 * MS;
  conductor_receive_ack (self, 0, 9);
  /* A burst of 10 has been saved up; the rest comes bit by bit. */
  n = conductor_flush (self);
  g_assert_cmpuint (n, ==, 10);
  start = self->now;
  for (; n < 20; n++)
    {
      gint64 deadline = hp_transport_get_deadline (self->transport, self->now);

      g_assert_cmpint (deadline, >, self->now);
      g_assert_cmpint (deadline, <, self->now + 17 * MS);
      self->now = deadline;
      hp_transport_expire (self->transport, self->now);
      g_assert_cmpuint (conductor_flush (self), ==, 1);
    }
  /* A window of 20 in a round trip of 400 ms, times 5/4 */
  g_assert_cmpint (self->now - start, >, 155 * MS);
  g_assert_cmpint (self->now - start, <, 165 * MS);
}

static void
test_control (Conductor *self, gconstpointer data)
{
  conductor_send_message (self, HP_STREAM_ORDERED, 3000);
  conductor_send_control (self, 300);
  conductor_send_control (self, 1000); /* fits in no packet of this size */
  conductor_send_control (self, 20);
  conductor_receive_ping (self, 0);
  g_assert_cmpstr (conductor_next (self), ==, "02 00 08 ");
  for (guint i = 0; i < 3; i++)
    g_assert_cmpstr (conductor_next (self), ==, "08 ");
  g_assert_null (conductor_next (self));
  self->now += 50 * MS;
  conductor_receive_ack (self, 1, 3);
  g_assert_cmpstr (conductor_next (self), ==, "00 08 ");
  hp_transport_set_path (self->transport, 0, 1200, self->now);
  g_assert_true (conductor_write_packet (self, 1200, FALSE));
  g_assert_cmpuint (self->length, ==, 1000);
  g_assert_false (conductor_write_packet (self, 1200, FALSE));
}

/* On a path of its own nothing is known, and nothing is blamed on it. */
static void
test_new_path (Conductor *self, gconstpointer data)
{
  HpTransportStatistics statistics;

  conductor_send_message (self, HP_STREAM_ORDERED, 60000);
  g_assert_cmpuint (conductor_flush (self), ==, 10);
  self->now += 100 * MS;
  conductor_receive_ack (self, 0, 0);
  hp_transport_set_path (self->transport, 1, 1200, self->now);
  g_assert_cmpint (hp_transport_get_round_trip (self->transport), ==, -1);
  hp_transport_get_statistics (self->transport, &statistics);
  g_assert_cmpuint (statistics.congestion_window, ==, 12000);
  g_assert_cmpuint (statistics.bytes_in_flight, ==, 0);
  g_assert_cmpuint (conductor_flush (self), ==, 10);
  g_assert_cmpuint (self->length, ==, 1200 - OVERHEAD);

  self->now += 40 * MS;
  conductor_receive_ack (self, 10, 12);
  hp_transport_get_statistics (self->transport, &statistics);
  g_assert_cmpuint (statistics.packets_lost, ==, 9);
  g_assert_cmpuint (statistics.congestion_window, ==, 12000 + 3 * 1200);
  g_assert_cmpuint (statistics.bytes_in_flight, ==, 7 * 1200);
  g_assert_cmpint (hp_transport_get_round_trip (self->transport), ==, 40 * MS);
  self->now += 100 * MS; /* for the pacer's sake */
  g_assert_cmpuint (conductor_flush (self), ==, 6);
  hp_transport_get_statistics (self->transport, &statistics);
  g_assert_cmpuint (statistics.bytes_resent, >, 6 * 1100);
}

/* With nothing new to send, a probe finds out what the old path lost. */
static void
test_new_path_probe (Conductor *self, gconstpointer data)
{
  conductor_send_message (self, HP_STREAM_ORDERED, 500);
  g_assert_cmpstr (conductor_next (self), ==, "08 ");
  self->now += 100 * MS;
  hp_transport_set_path (self->transport, 1, SIZE, self->now);
  g_assert_cmpstr (conductor_next (self), ==, "01 ");
  g_assert_null (conductor_next (self));
  self->now += 30 * MS;
  conductor_receive_ack (self, 1, 1);
  g_assert_cmpstr (conductor_next (self), ==, "08 ");
  conductor_receive_ack (self, 2, 2);
  conductor_assert_event (self, HP_TRANSPORT_EVENT_DELIVERED, 0);
}

static void
test_timeout (Conductor *self, gconstpointer data)
{
  gint64 deadline;

  conductor_send_message (self, HP_STREAM_UNORDERED, 100);
  conductor_send_message (self, HP_STREAM_UNRELIABLE, 100);
  g_assert_cmpstr (conductor_next (self), ==, "08 08 ");
  deadline = hp_transport_get_deadline (self->transport, self->now);
  g_assert_cmpint (deadline, ==,
                   self->now
                       + hp_transport_get_probe_timeout (self->transport));
  self->now = deadline;
  hp_transport_expire (self->transport, self->now);
  /* Two probes: the reliable one again, and a PING */
  g_assert_cmpstr (conductor_next (self), ==, "08 ");
  g_assert_cmpstr (conductor_next (self), ==, "01 ");
  g_assert_null (conductor_next (self));
  conductor_assert_no_event (self);
  self->now += 10 * MS;
  conductor_receive_ack (self, 1, 2);
  conductor_assert_event (self, HP_TRANSPORT_EVENT_DELIVERED, 1);
  conductor_assert_event (self, HP_TRANSPORT_EVENT_FAILED, 10);
  g_assert_cmpstr (conductor_next (self), ==, "10 ");
}

static void
test_lost_credit (Conductor *self, gconstpointer data)
{
  g_autofree guint8 *zeros = g_malloc0 (200000);
  HpFrame frame = {
    .type = HP_FRAME_CHUNK,
    .chunk = { .stream = 0, .total = 200000, .bytes = { zeros, 1000 } },
  };

  conductor_receive (self, &frame, 0);
  g_assert_cmpstr (conductor_next (self), ==, "02 13 ");
  for (guint i = 0; i < 3; i++)
    {
      hp_transport_ping (self->transport);
      g_assert_cmpstr (conductor_next (self), ==, "01 ");
    }
  self->now += 10 * MS;
  conductor_receive_ack (self, 1, 3);
  g_assert_cmpstr (conductor_next (self), ==, "13 ");
  frame.chunk = (HpChunkFrame){
    .stream = 0, .offset = 1000, .fin = TRUE, .bytes = { zeros, 199000 }
  };
  conductor_receive (self, &frame, 1);
  conductor_assert_event (self, HP_TRANSPORT_EVENT_MESSAGE, 0);
  g_assert_cmpuint (hp_transport_get_receive_memory (self->transport), ==, 0);
}

static void
test_free_in_flight (Conductor *self, gconstpointer data)
{
  for (guint i = 0; i < 50; i++)
    {
      conductor_send_message (self, i % 3, i * 700);
      conductor_send_control (self, 10 * i + 1);
    }
  conductor_flush (self);
  hp_transport_cancel_message (self->transport, 0, self->now);
  conductor_receive_ack (self, 7, 8);
  conductor_flush (self);
}

#define ADD(name, function)                                                    \
  g_test_add ("/transport/conductor/" name, Conductor, NULL, conductor_set_up, \
              function, conductor_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("skipped-number", test_skipped_number);
  ADD ("window", test_window);
  ADD ("pacing", test_pacing);
  ADD ("control", test_control);
  ADD ("new-path", test_new_path);
  ADD ("new-path-probe", test_new_path_probe);
  ADD ("timeout", test_timeout);
  ADD ("lost-credit", test_lost_credit);
  ADD ("free-in-flight", test_free_in_flight);
  return g_test_run ();
}
