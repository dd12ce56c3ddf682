/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-loss.h"

#include <string.h>

#define MS G_TIME_SPAN_MILLISECOND
#define SECOND G_TIME_SPAN_SECOND

typedef struct
{
  HpRtt rtt;
  HpLoss loss;
  GString *told; /* "a7 l3 p ": acknowledged 7, lost 3, persistent */
  guint64 records;
} Fixture;

static void
on_acked (gpointer user_data, const HpSentPacket *packet)
{
  Fixture *self = user_data;

  g_string_append_printf (self->told, "a%" G_GUINT64_FORMAT " ",
                          packet->number);
  for (guint i = 0; i < packet->n_records; i++)
    self->records
        += hp_sent_ring_get_record (&self->loss.ring, packet, i)->start;
}

static void
on_lost (gpointer user_data, const HpSentPacket *packet)
{
  Fixture *self = user_data;

  g_string_append_printf (self->told, "l%" G_GUINT64_FORMAT " ",
                          packet->number);
}

static void
on_persistent (gpointer user_data)
{
  Fixture *self = user_data;

  g_string_append (self->told, "p ");
}

static void
on_spurious (gpointer user_data, const HpSentPacket *packet)
{
  Fixture *self = user_data;

  g_string_append_printf (self->told, "s%" G_GUINT64_FORMAT " ",
                          packet->number);
}

static const HpLossObserver observer = {
  .spurious = on_spurious,
  .acked = on_acked,
  .lost = on_lost,
  .persistent = on_persistent,
};

static void
set_up (Fixture *self, gconstpointer data)
{
  hp_rtt_init (&self->rtt);
  hp_loss_init (&self->loss, &observer, self, &self->rtt);
  self->loss.max_ack_delay = 25 * MS;
  self->told = g_string_new (NULL);
  self->records = 0;
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  hp_loss_clear (&self->loss);
  g_string_free (self->told, TRUE);
}

static void
sent (Fixture *self, guint64 number, gint64 now)
{
  hp_sent_ring_add_record (&self->loss.ring, HP_RECORD_MAX_DATA, NULL, number,
                           0);
  hp_loss_sent (&self->loss, number, 1000, now);
}

/* Acknowledges @first to @last; what is told, is compared and forgotten. */
static void
ack (Fixture *self, guint64 first, guint64 last, gint64 now,
     const char *expected)
{
  HpAckFrame frame = {
    .largest = last,
    .n_ranges = 1,
    .ranges = { { first, last + 1 } },
  };

  hp_loss_acknowledge (&self->loss, &frame, now);
  g_assert_cmpstr (self->told->str, ==, expected);
  g_string_truncate (self->told, 0);
}

static void
test_in_order (Fixture *self, gconstpointer data)
{
  for (guint64 i = 0; i < 5; i++)
    sent (self, i, i);
  ack (self, 0, 3, 50 * MS, "a0 a1 a2 a3 ");
  g_assert_cmpint (self->rtt.latest, ==, 50 * MS - 3);
  g_assert_cmpuint (self->records, ==, 0 + 1 + 2 + 3);
  ack (self, 0, 3, 51 * MS, "");
  ack (self, 0, 4, 52 * MS, "a4 ");
  g_assert_cmpuint (hp_sent_ring_get_length (&self->loss.ring), ==, 0);
  g_assert_cmpint (hp_loss_get_deadline (&self->loss), ==, G_MAXINT64);
}

static void
test_packet_threshold (Fixture *self, gconstpointer data)
{
  for (guint64 i = 0; i < 6; i++)
    sent (self, i, 0);
  ack (self, 2, 2, 50 * MS, "a2 ");
  ack (self, 3, 3, 50 * MS, "a3 l0 ");
  ack (self, 4, 4, 50 * MS, "a4 l1 ");
  g_assert_cmpuint (self->loss.n_outstanding, ==, 1);
  /* Too late: it is being sent again, and is not news but for the
   * controller. */
  ack (self, 0, 4, 50 * MS, "s0 s1 ");
  ack (self, 0, 4, 50 * MS, "");
}

/* Once the path was seen to reorder only time tells what is lost. */
static void
test_reordering (Fixture *self, gconstpointer data)
{
  for (guint64 i = 0; i < 10; i++)
    sent (self, i, i);
  ack (self, 1, 1, 50 * MS, "a1 ");
  ack (self, 0, 1, 51 * MS, "a0 ");
  ack (self, 9, 9, 52 * MS, "a9 ");
  g_assert_cmpint (hp_loss_get_deadline (&self->loss), >, 56 * MS);
  ack (self, 2, 8, 53 * MS, "a2 a3 a4 a5 a6 a7 a8 ");
}

/* Each round trip with one that was lost too soon makes it wait longer, up to
 * twice the round trip; 16 with real losses only make it forget that. */
static void
test_patience (Fixture *self, gconstpointer data)
{
  gint64 delay = 0;
  gint64 now = 0;
  guint64 number = 0;

  for (guint i = 0; i < 10; i++, number += 2, now += SECOND)
    {
      gint64 deadline;
      g_autofree char *lost
          = g_strdup_printf ("l%" G_GUINT64_FORMAT " ", number);
      g_autofree char *came
          = g_strdup_printf ("s%" G_GUINT64_FORMAT " ", number);

      sent (self, number, now);
      sent (self, number + 1, now);
      hp_loss_acknowledge (
          &self->loss,
          &(HpAckFrame){ .largest = number + 1, .n_ranges = 1,
                         .ranges = { { number + 1, number + 2 } } },
          now + 80 * MS);
      g_string_truncate (self->told, 0);
      deadline = hp_loss_get_deadline (&self->loss);
      g_assert_cmpint (deadline - now, >=, delay);
      g_assert_cmpint (deadline - now, <=, 180 * MS);
      delay = deadline - now;
      /* As long as something is outstanding, what is lost is remembered. */
      sent (self, 1000 + number, deadline - 1);
      hp_loss_expire (&self->loss, deadline);
      g_assert_cmpstr (self->told->str, ==, lost);
      g_string_truncate (self->told, 0);
      ack (self, number, number + 1, deadline + MS, came);
      hp_loss_acknowledge (
          &self->loss,
          &(HpAckFrame){ .largest = 1000 + number, .n_ranges = 1,
                         .ranges = { { 1000 + number, 1001 + number } } },
          deadline + 80 * MS);
      number = 1000 + number;
    }
  g_assert_cmpint (delay, >, 150 * MS);
  for (guint i = 0; i < 16; i++, number += 2, now += SECOND)
    {
      sent (self, number + 10, now);
      sent (self, number + 11, now);
      hp_loss_acknowledge (
          &self->loss,
          &(HpAckFrame){ .largest = number + 11, .n_ranges = 1,
                         .ranges = { { number + 11, number + 12 } } },
          now + 80 * MS);
      hp_loss_expire (&self->loss, hp_loss_get_deadline (&self->loss));
    }
  g_assert_cmpuint (self->loss.patience, ==, 0);
}

/* An ACK that says again what older ones said costs nothing for that, and
 * whatever is new in it is found, in any order and with foreign numbers among
 * ours. */
static void
test_repeated_ranges (Fixture *self, gconstpointer data)
{
  guint64 acked = 0;
  HpAckFrame frame = { 0 };

  for (guint64 i = 0; i < 1000; i++)
    sent (self, 2 * i, 0);
  self->loss.is_reordering = TRUE;
  /* Each range grows at one end, or meets the next. */
  for (guint i = 0; i < 20; i++)
    {
      frame.n_ranges = 0;
      for (gint j = 9; j >= 0; j--)
        frame.ranges[frame.n_ranges++]
            = (HpRange){ 200 * j + 90 - 4 * i, 200 * j + 110 + 4 * i };
      frame.largest = frame.ranges[0].end - 1;
      g_string_truncate (self->told, 0);
      self->records = 0;
      g_assert_true (
          hp_loss_acknowledge (&self->loss, &frame, 50 * MS + i));
      for (const char *at = self->told->str; (at = strchr (at, 'a')); at++)
        acked++;
      g_assert_false (
          hp_loss_acknowledge (&self->loss, &frame, 50 * MS + i));
      g_assert_cmpuint (self->loss.n_outstanding, ==, 1000 - acked);
      g_assert_cmpuint (acked, ==, 10 * (10 + 4 * i));
    }
  /* An ACK of numbers not used yet is no news of what they will be. */
  frame.n_ranges = 1;
  frame.largest = 2010;
  frame.ranges[0] = (HpRange){ 10, 2011 };
  g_assert_true (hp_loss_acknowledge (&self->loss, &frame, 60 * MS));
  g_assert_cmpuint (self->loss.n_outstanding, ==, 5);
  sent (self, 2000, 60 * MS);
  g_assert_true (hp_loss_acknowledge (&self->loss, &frame, 60 * MS));
  g_assert_cmpuint (self->loss.n_outstanding, ==, 5);
}

/* Gaps between numbers are packets of others; they say nothing. */
static void
test_threshold_with_gaps (Fixture *self, gconstpointer data)
{
  sent (self, 10, 0);
  sent (self, 20, 0);
  sent (self, 30, 0);
  sent (self, 40, 0);
  ack (self, 11, 30, 50 * MS, "a20 a30 ");
  ack (self, 31, 45, 50 * MS, "a40 l10 ");
  /* The largest was none of ours: no round trip from it */
  g_assert_cmpint (self->rtt.latest, ==, 50 * MS);
}

static void
test_foreign_numbers (Fixture *self, gconstpointer data)
{
  HpAckFrame frame = {
    .largest = 100,
    .n_ranges = 4,
    .ranges = { { 90, 101 }, { 50, 61 }, { 5, 10 }, { 0, 3 } },
  };

  g_assert_false (hp_loss_acknowledge (&self->loss, &frame, 5));
  sent (self, 4, 0);
  g_assert_false (hp_loss_acknowledge (&self->loss, &frame, 5));
  sent (self, 55, 0);
  g_assert_true (hp_loss_acknowledge (&self->loss, &frame, 5));
  g_assert_false (hp_rtt_is_measured (&self->rtt));
}

static void
test_time_threshold (Fixture *self, gconstpointer data)
{
  sent (self, 0, 0);
  sent (self, 1, 8 * MS);
  ack (self, 1, 1, 88 * MS, "a1 ");
  /* 9/8 of 80 ms after it was sent */
  g_assert_cmpint (hp_loss_get_deadline (&self->loss), ==, 90 * MS);
  g_assert_false (hp_loss_expire (&self->loss, 90 * MS - 1));
  g_assert_cmpstr (self->told->str, ==, "");
  g_assert_false (hp_loss_expire (&self->loss, 90 * MS));
  g_assert_cmpstr (self->told->str, ==, "l0 ");
  g_assert_cmpint (hp_loss_get_deadline (&self->loss), ==, G_MAXINT64);
}

static void
test_probe_timeout (Fixture *self, gconstpointer data)
{
  gint64 timeout;
  gint64 at;

  sent (self, 0, 0);
  ack (self, 0, 0, 100 * MS, "a0 ");
  timeout = hp_rtt_get_probe_timeout (&self->rtt, 25 * MS);
  sent (self, 1, 200 * MS);
  sent (self, 2, 210 * MS);
  at = 210 * MS + timeout;
  g_assert_cmpint (hp_loss_get_deadline (&self->loss), ==, at);
  g_assert_false (hp_loss_expire (&self->loss, at - 1));
  g_assert_true (hp_loss_expire (&self->loss, at));
  /* Backoff, though no probe could be sent; and no packet is lost by it. */
  g_assert_cmpint (hp_loss_get_deadline (&self->loss), ==, at + 2 * timeout);
  sent (self, 3, at + 1);
  g_assert_cmpint (hp_loss_get_deadline (&self->loss), ==,
                   at + 1 + 2 * timeout);
  g_assert_cmpstr (self->told->str, ==, "");
  /* An answer to the probe: the two before it are lost by time. */
  ack (self, 3, 3, at + 100 * MS, "a3 l1 l2 ");
  g_assert_cmpuint (self->loss.n_probes, ==, 0);
}

static void
test_backoff_ends (Fixture *self, gconstpointer data)
{
  gint64 now = 0;

  sent (self, 0, now);
  for (guint i = 0; i < 100; i++)
    {
      gint64 next = hp_loss_get_deadline (&self->loss);

      g_assert_cmpint (next, >, now);
      g_assert_cmpint (next - now, <=, HP_PROBE_PERIOD_MAX);
      now = next;
      g_assert_true (hp_loss_expire (&self->loss, now));
    }
}

/* Gives a round trip of 100 ms: probe timeout 325 ms, falling */
static void
measure (Fixture *self)
{
  sent (self, 0, 0);
  ack (self, 0, 0, 100 * MS, "a0 ");
}

static void
test_persistent (Fixture *self, gconstpointer data)
{
  measure (self);
  sent (self, 1, 200 * MS);
  sent (self, 2, 600 * MS);
  sent (self, 3, 1400 * MS);
  sent (self, 4, 1500 * MS);
  ack (self, 4, 4, 1600 * MS, "a4 l1 l2 l3 p ");
}

static void
test_not_persistent (Fixture *self, gconstpointer data)
{
  measure (self);
  /* One acknowledged among the lost */
  sent (self, 1, 200 * MS);
  sent (self, 2, 600 * MS);
  ack (self, 2, 2, 700 * MS, "a2 l1 ");
  sent (self, 3, 1400 * MS);
  sent (self, 4, 1500 * MS);
  ack (self, 4, 4, 1600 * MS, "a4 l3 ");
  /* A short time */
  sent (self, 5, 2000 * MS);
  sent (self, 6, 2200 * MS);
  sent (self, 7, 2300 * MS);
  ack (self, 7, 7, 2500 * MS, "a7 l5 l6 ");
}

static void
test_not_persistent_unmeasured (Fixture *self, gconstpointer data)
{
  sent (self, 0, 0);
  sent (self, 1, 20000 * MS);
  sent (self, 2, 20100 * MS);
  ack (self, 2, 2, 20200 * MS, "a2 l0 l1 ");
}

static void
test_new_path (Fixture *self, gconstpointer data)
{
  measure (self);
  sent (self, 1, 200 * MS);
  sent (self, 2, 2000 * MS);
  hp_rtt_init (&self->rtt);
  hp_loss_set_path (&self->loss, 1);
  sent (self, 3, 2100 * MS);
  /* Packets of the old path measure nothing here, are lost as others, and
   * are no sign of persistent congestion. */
  ack (self, 2, 2, 2150 * MS, "a2 l1 ");
  g_assert_false (hp_rtt_is_measured (&self->rtt));
  ack (self, 3, 3, 2160 * MS, "a3 ");
  g_assert_cmpint (self->rtt.latest, ==, 60 * MS);
}

/* The rings grow while their heads stand anywhere. */
static void
test_growth (Fixture *self, gconstpointer data)
{
  guint64 next = 0;
  guint64 acked = 0;
  guint64 sum = 0;

  for (guint round = 0; round < 50; round++)
    {
      for (guint i = 0; i < 37 + round; i++, next++)
        {
          sent (self, 3 * next, next);
          sum += 3 * next;
        }
      for (guint i = 0; i < 31; i++, acked++)
        {
          HpAckFrame frame = {
            .largest = 3 * acked,
            .n_ranges = 1,
            .ranges = { { 3 * acked, 3 * acked + 1 } },
          };

          g_assert_true (hp_loss_acknowledge (&self->loss, &frame, next));
        }
      g_assert_cmpuint (hp_sent_ring_get_length (&self->loss.ring), ==,
                        next - acked);
    }
  g_string_truncate (self->told, 0);
  for (; acked < next; acked++)
    {
      HpAckFrame frame = {
        .largest = 3 * acked,
        .n_ranges = 1,
        .ranges = { { 3 * acked, 3 * acked + 1 } },
      };

      g_assert_true (hp_loss_acknowledge (&self->loss, &frame, next));
    }
  g_assert_cmpuint (self->records, ==, sum);
}

#define ADD(name, function)                                                   \
  g_test_add ("/transport/loss/" name, Fixture, NULL, set_up, function,       \
              tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("in-order", test_in_order);
  ADD ("packet-threshold", test_packet_threshold);
  ADD ("reordering", test_reordering);
  ADD ("patience", test_patience);
  ADD ("repeated-ranges", test_repeated_ranges);
  ADD ("threshold-with-gaps", test_threshold_with_gaps);
  ADD ("foreign-numbers", test_foreign_numbers);
  ADD ("time-threshold", test_time_threshold);
  ADD ("probe-timeout", test_probe_timeout);
  ADD ("backoff-ends", test_backoff_ends);
  ADD ("persistent", test_persistent);
  ADD ("not-persistent", test_not_persistent);
  ADD ("not-persistent-unmeasured", test_not_persistent_unmeasured);
  ADD ("new-path", test_new_path);
  ADD ("growth", test_growth);
  return g_test_run ();
}
