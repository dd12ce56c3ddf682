/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-ack-tracker.h"

#define MS G_TIME_SPAN_MILLISECOND

typedef struct
{
  HpAckTracker acks;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  hp_ack_tracker_init (&self->acks);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  hp_ack_tracker_clear (&self->acks);
}

static void
test_every_second (Fixture *self, gconstpointer data)
{
  HpAckTracker *acks = &self->acks;

  hp_ack_tracker_received (acks, 0, TRUE, HP_ECN_NOT_ECT, 1000);
  g_assert_true (hp_ack_tracker_has_news (acks));
  g_assert_false (hp_ack_tracker_is_due (acks));
  g_assert_cmpint (acks->deadline, ==, 1000 + 25 * MS);
  hp_ack_tracker_received (acks, 1, TRUE, HP_ECN_NOT_ECT, 2000);
  g_assert_true (hp_ack_tracker_is_due (acks));
  hp_ack_tracker_sent (acks);
  g_assert_false (hp_ack_tracker_has_news (acks));
  g_assert_false (hp_ack_tracker_is_due (acks));
  g_assert_cmpint (acks->deadline, ==, G_MAXINT64);
}

/* In a fast flow eight a round trip, every sixteenth packet at least; when
 * it becomes slow every second again */
static void
test_fast (Fixture *self, gconstpointer data)
{
  HpAckTracker *acks = &self->acks;
  guint64 number = 0;
  guint n_acks = 0;
  gint64 now = 0;

  hp_ack_tracker_set_round_trip (acks, 40 * MS);
  for (; now < 200 * MS; now += MS / 2)
    {
      hp_ack_tracker_received (acks, number++, TRUE, HP_ECN_NOT_ECT, now);
      hp_ack_tracker_expire (acks, now);
      if (hp_ack_tracker_is_due (acks))
        {
          hp_ack_tracker_sent (acks);
          n_acks += now >= 40 * MS;
        }
      g_assert_cmpuint (acks->unreported, <=, 10);
    }
  g_assert_cmpuint (n_acks, >=, 30);
  g_assert_cmpuint (n_acks, <=, 36);
  /* The last ones do not wait for more than such a part of it. */
  hp_ack_tracker_sent (acks);
  hp_ack_tracker_received (acks, number++, TRUE, HP_ECN_NOT_ECT, now);
  g_assert_cmpint (acks->deadline, ==, now + 5 * MS);
  hp_ack_tracker_sent (acks);
  for (now += 100 * MS; now < 1000 * MS; now += 50 * MS)
    {
      hp_ack_tracker_received (acks, number++, TRUE, HP_ECN_NOT_ECT, now);
      hp_ack_tracker_received (acks, number++, TRUE, HP_ECN_NOT_ECT, now);
      g_assert_true (hp_ack_tracker_is_due (acks));
      hp_ack_tracker_sent (acks);
    }
  for (guint i = 0; i < 1000; i++)
    hp_ack_tracker_received (acks, number++, TRUE, HP_ECN_NOT_ECT,
                             now + 20 * i);
  g_assert_cmpuint (acks->every, ==, HP_ACK_EVERY_MAX);
}

static void
test_delay (Fixture *self, gconstpointer data)
{
  HpAckTracker *acks = &self->acks;

  hp_ack_tracker_received (acks, 0, TRUE, HP_ECN_NOT_ECT, 1000);
  hp_ack_tracker_expire (acks, 1000 + 25 * MS - 1);
  g_assert_false (hp_ack_tracker_is_due (acks));
  hp_ack_tracker_expire (acks, 1000 + 25 * MS);
  g_assert_true (hp_ack_tracker_is_due (acks));
  /* It rings once. */
  g_assert_cmpint (acks->deadline, ==, G_MAXINT64);
}

static void
test_gap (Fixture *self, gconstpointer data)
{
  HpAckTracker *acks = &self->acks;

  hp_ack_tracker_received (acks, 0, TRUE, HP_ECN_NOT_ECT, 0);
  hp_ack_tracker_sent (acks);
  hp_ack_tracker_received (acks, 2, TRUE, HP_ECN_NOT_ECT, 0);
  g_assert_true (hp_ack_tracker_is_due (acks));
  hp_ack_tracker_sent (acks);
  /* What fills the gap comes out of order. */
  hp_ack_tracker_received (acks, 1, TRUE, HP_ECN_NOT_ECT, 0);
  g_assert_true (hp_ack_tracker_is_due (acks));
  hp_ack_tracker_sent (acks);
  hp_ack_tracker_received (acks, 3, TRUE, HP_ECN_NOT_ECT, 0);
  g_assert_false (hp_ack_tracker_is_due (acks));
}

static void
test_not_eliciting (Fixture *self, gconstpointer data)
{
  HpAckTracker *acks = &self->acks;
  HpAckFrame ack;

  for (guint i = 0; i < 100; i++)
    hp_ack_tracker_received (acks, 2 * i, FALSE, HP_ECN_NOT_ECT, 0);
  g_assert_false (hp_ack_tracker_has_news (acks));
  g_assert_false (hp_ack_tracker_is_due (acks));
  g_assert_cmpint (acks->deadline, ==, G_MAXINT64);
  g_assert_cmpuint (acks->received.n_ranges, ==, HP_MAX_ACK_RANGES);
  /* They are reported nonetheless, and do not look like a gap. */
  hp_ack_tracker_received (acks, 199, TRUE, HP_ECN_NOT_ECT, 0);
  hp_ack_tracker_fill (acks, &ack, 64, 0);
  g_assert_cmpuint (ack.ranges[0].start, ==, 198);
}

static void
test_repeated (Fixture *self, gconstpointer data)
{
  HpAckTracker *acks = &self->acks;

  hp_ack_tracker_received (acks, 0, TRUE, HP_ECN_NOT_ECT, 0);
  hp_ack_tracker_received (acks, 0, TRUE, HP_ECN_NOT_ECT, 0);
  g_assert_false (hp_ack_tracker_is_due (acks));
}

static void
test_fill (Fixture *self, gconstpointer data)
{
  HpAckTracker *acks = &self->acks;
  HpAckFrame ack;

  for (guint64 number = 0; number < 400; number++)
    if (number % 4 != 3)
      hp_ack_tracker_received (acks, number, TRUE, HP_ECN_NOT_ECT, number);
  hp_ack_tracker_fill (acks, &ack, HP_MAX_ACK_RANGES, 1000);
  g_assert_cmpuint (ack.largest, ==, 398);
  g_assert_cmpuint (ack.delay, ==, 1000 - 398);
  g_assert_cmpuint (ack.n_ranges, ==, 64);
  g_assert_cmpuint (ack.ranges[0].start, ==, 396);
  g_assert_cmpuint (ack.ranges[0].end, ==, 399);
  g_assert_cmpuint (ack.ranges[63].start, ==, 396 - 63 * 4);
  hp_ack_tracker_fill (acks, &ack, 2, 1000);
  g_assert_cmpuint (ack.n_ranges, ==, 2);
}

static void
test_confirmed (Fixture *self, gconstpointer data)
{
  HpAckTracker *acks = &self->acks;
  HpAckFrame ack;

  for (guint64 number = 0; number < 20; number += 2)
    hp_ack_tracker_received (acks, number, TRUE, HP_ECN_NOT_ECT, 0);
  hp_ack_tracker_confirmed (acks, 14);
  hp_ack_tracker_fill (acks, &ack, 64, 0);
  g_assert_cmpuint (ack.n_ranges, ==, 3);
  g_assert_cmpuint (ack.ranges[2].start, ==, 14);
  hp_ack_tracker_confirmed (acks, 18);
  hp_ack_tracker_fill (acks, &ack, 64, 0);
  g_assert_cmpuint (ack.n_ranges, ==, 1);
  g_assert_cmpuint (ack.largest, ==, 18);
  /* The next in order is no gap. */
  hp_ack_tracker_sent (acks);
  hp_ack_tracker_received (acks, 19, TRUE, HP_ECN_NOT_ECT, 0);
  g_assert_false (hp_ack_tracker_is_due (acks));
}

/* Each that came once, whatever it was; of congestion the sender hears soon. */
static void
test_marks (Fixture *self, gconstpointer data)
{
  HpAckTracker *acks = &self->acks;
  HpAckFrame ack;

  hp_ack_tracker_received (acks, 0, TRUE, HP_ECN_NOT_ECT, 0);
  hp_ack_tracker_fill (acks, &ack, 64, 0);
  g_assert_false (ack.has_marks);
  hp_ack_tracker_sent (acks);

  hp_ack_tracker_received (acks, 1, TRUE, HP_ECN_CE, 0);
  g_assert_true (hp_ack_tracker_is_due (acks));
  hp_ack_tracker_sent (acks);
  hp_ack_tracker_received (acks, 1, TRUE, HP_ECN_CE, 0);
  g_assert_false (hp_ack_tracker_has_news (acks));
  hp_ack_tracker_received (acks, 2, TRUE, HP_ECN_CE, 0);
  g_assert_false (hp_ack_tracker_is_due (acks));
  hp_ack_tracker_received (acks, 3, FALSE, HP_ECN_ECT_0, 0);
  hp_ack_tracker_received (acks, 4, FALSE, HP_ECN_ECT_1, 0);
  g_assert_false (hp_ack_tracker_is_due (acks));
  hp_ack_tracker_received (acks, 5, FALSE, HP_ECN_ECT_0, 0);
  hp_ack_tracker_received (acks, 5, FALSE, HP_ECN_ECT_0, 0);
  hp_ack_tracker_fill (acks, &ack, 64, 0);
  g_assert_true (ack.has_marks);
  g_assert_cmpuint (ack.marks.ect_0, ==, 2);
  g_assert_cmpuint (ack.marks.ect_1, ==, 1);
  g_assert_cmpuint (ack.marks.ce, ==, 2);
}

#define ADD(name, function)                                                   \
  g_test_add ("/transport/ack-tracker/" name, Fixture, NULL, set_up,          \
              function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("every-second", test_every_second);
  ADD ("fast", test_fast);
  ADD ("delay", test_delay);
  ADD ("gap", test_gap);
  ADD ("not-eliciting", test_not_eliciting);
  ADD ("repeated", test_repeated);
  ADD ("fill", test_fill);
  ADD ("confirmed", test_confirmed);
  ADD ("marks", test_marks);
  return g_test_run ();
}
