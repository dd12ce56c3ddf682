/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-busy-poll.h"

#define WORK 4   /* µs until an answer is on its way */
#define WAKE 40  /* µs until somebody who sleeps has noticed */
#define NOTICE 1 /* somebody who looks */

/* On an invented clock */
typedef struct
{
  HpBusyPoll poll;
  guint turn;
  gint64 now;
  gint64 until;  /* of its look; 0: it sleeps */
  gint64 looked; /* µs, all told */
  guint n_asked, n_looks;
} Talker;

static void
ask (Talker *self)
{
  self->now++;
  self->until = hp_busy_poll_asked (&self->poll, self->turn, self->now);
  self->n_asked++;
  self->n_looks += self->until != 0;
}

/* What was sent at @at is noticed; @in_turns: of the loop, 1 if it was there
 * when that came round */
static void
hear (Talker *self, gint64 at, guint in_turns)
{
  gint64 asked_at = self->now;
  gboolean is_asleep = at > self->until;

  if (self->until != 0 && in_turns > 1)
    self->looked += MIN (at, self->until) - asked_at;
  self->now = at + (is_asleep ? WAKE : NOTICE);
  self->turn += in_turns;
  hp_busy_poll_heard (&self->poll, self->turn, self->now);
}

/* Answers that come @gap µs after the question, whatever this one does */
static void
converse (Talker *self, guint n, gint64 gap)
{
  for (guint i = 0; i < n; i++)
    {
      ask (self);
      hear (self, self->now + gap, 10);
    }
}

static double
compute_cost (const Talker *self)
{
  return (double) self->looked / self->n_asked;
}

/* Over the internet it never looks. */
static void
test_slow (void)
{
  Talker talker = { 0 };

  converse (&talker, 10000, HP_BUSY_POLL_QUICK + 1);
  g_assert_cmpuint (talker.n_looks, ==, 0);
  /* Nor when quick answers are the exception. */
  for (guint i = 0; i < 1000; i++)
    {
      converse (&talker, HP_BUSY_POLL_MIN_PATIENCE - 1, 6);
      converse (&talker, 1, 1000);
    }
  g_assert_cmpuint (talker.n_looks, ==, 0);
}

/* Two who talk by turns, each awakened by the other: µs of one round trip */
static gint64
talk (Talker *one, Talker *other)
{
  gint64 begun;

  ask (one);
  begun = one->now;
  hear (other, one->now, 10);
  other->now += WORK;
  ask (other);
  hear (one, other->now, 10);
  one->now += WORK;
  return one->now - begun;
}

static void
talk_often (Talker *one, Talker *other, guint n)
{
  for (guint i = 0; i < n; i++)
    talk (one, other);
}

static void
check_both_awake (Talker *one, Talker *other, guint n)
{
  for (guint i = 0; i < n; i++)
    g_assert_cmpint (talk (one, other), <, 2 * WORK + 10);
}

static void
hold_up (Talker *held, Talker *one, Talker *other)
{
  held->now += 1000;
  talk_often (one, other, 2);
  check_both_awake (one, other, 10);
}

/* Both are awake before long, and stay it, also if one of them has talked with
 * others before. */
static void
check_pair (guint lead, guint most)
{
  Talker one = { 0 };
  Talker other = { 0 };

  converse (&one, lead, 100);
  other.now = one.now;
  talk_often (&one, &other, most);
  check_both_awake (&one, &other, 1000);
  hold_up (&one, &one, &other);
  hold_up (&other, &one, &other);
}

static void
test_pair (void)
{
  for (guint lead = 0; lead < 2 * HP_BUSY_POLL_MIN_VAIN; lead++)
    check_pair (lead, 2 * HP_BUSY_POLL_MIN_PATIENCE);
  for (guint lead = 0; lead < 2 * HP_BUSY_POLL_MAX_VAIN; lead++)
    check_pair (lead, HP_BUSY_POLL_MAX_PATIENCE);
}

/* Quick answers of somebody who sleeps in between: a look in two is in vain.
 * That soon ends, and what it costs is next to nothing. */
static void
test_alone (void)
{
  Talker talker = { 0 };

  converse (&talker, 100 * HP_BUSY_POLL_MAX_PATIENCE, WAKE + WORK);
  g_assert_cmpuint (talker.n_looks, >, 100);
  g_assert_cmpfloat (compute_cost (&talker), <, 1.5);
}

/* Nothing is quick any more: one look of each kind */
static void
test_in_vain (void)
{
  Talker talker = { 0 };

  converse (&talker, 8 * HP_BUSY_POLL_MIN_PATIENCE, 6);
  talker = (Talker){ .poll = talker.poll, .now = talker.now };
  converse (&talker, 4 * HP_BUSY_POLL_MIN_VAIN, 100000);
  g_assert_cmpint (talker.looked, ==, HP_BUSY_POLL_SHORT + HP_BUSY_POLL_LONG);
  talker.n_looks = 0;
  converse (&talker, 1000, 100000);
  g_assert_cmpuint (talker.n_looks, ==, 0);
}

/* With one processor for both: the answer is there when the question has been
 * sent, and nobody need look. */
static void
test_there_before (void)
{
  Talker talker = { 0 };
  guint left;

  converse (&talker, HP_BUSY_POLL_MIN_PATIENCE, 6);
  left = talker.poll.n_left;
  g_assert_cmpuint (left, >, 0);
  for (guint i = 0; i < 100; i++)
    {
      ask (&talker);
      hear (&talker, talker.now, 1);
    }
  g_assert_cmpuint (talker.poll.n_left, ==, left);
  g_assert_cmpuint (talker.poll.n_vain, ==, 0);
  /* In the turn after that it would have slept. Turns start over, too. */
  talker.turn = G_MAXUINT - 1;
  ask (&talker);
  hear (&talker, talker.now + 5, 2);
  g_assert_cmpuint (talker.poll.n_left, ==, left - 1);
}

/* All but the first ones: a round that was good is followed by another. */
static void
test_rounds (void)
{
  Talker talker = { 0 };

  converse (&talker, 20 * HP_BUSY_POLL_MIN_PATIENCE, 6);
  g_assert_cmpuint (talker.n_looks, ==,
                    talker.n_asked - HP_BUSY_POLL_MIN_PATIENCE);
}

/* Who failed often comes back to it, and then begins afresh. */
static void
test_recovers (void)
{
  Talker talker = { 0 };

  converse (&talker, 10 * HP_BUSY_POLL_MAX_PATIENCE, WAKE + WORK);
  converse (&talker, HP_BUSY_POLL_MAX_PATIENCE + 4 * HP_BUSY_POLL_MAX_VAIN, 6);
  g_assert_cmpuint (talker.poll.n_failed, ==, 0);
  g_assert_cmpuint (talker.poll.n_left, >, 0);
}

/* Whoever says one thing after the other gets no answers, nor does whoever only
 * listens. */
static void
test_one_way (void)
{
  Talker speaker = { 0 };
  Talker listener = { 0 };

  for (guint i = 0; i < 1000; i++)
    {
      speaker.now += 30;
      ask (&speaker);
      hear (&listener, listener.now + 30, 10);
    }
  g_assert_cmpuint (speaker.n_looks, ==, 0);
  /* Of what comes after an answer nothing is one. */
  ask (&listener);
  for (guint i = 0; i < 2 * HP_BUSY_POLL_MIN_PATIENCE; i++)
    {
      listener.now += 5;
      hp_busy_poll_heard (&listener.poll, listener.turn, listener.now);
    }
  ask (&listener);
  g_assert_cmpuint (listener.n_looks, ==, 0);
  /* A look that is over when the next thing is said was in vain; one that goes
   * on is the same. */
  converse (&speaker, HP_BUSY_POLL_MIN_PATIENCE, 6);
  g_assert_cmpuint (speaker.poll.n_left, >, 0);
  ask (&speaker);
  speaker.now++;
  g_assert_cmpint (
      hp_busy_poll_asked (&speaker.poll, speaker.turn, speaker.now), ==,
      speaker.until);
  for (guint i = 0; i < 2; i++)
    {
      speaker.now += HP_BUSY_POLL_LONG;
      ask (&speaker);
    }
  g_assert_cmpint (speaker.until, ==, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/busy-poll/slow", test_slow);
  g_test_add_func ("/busy-poll/pair", test_pair);
  g_test_add_func ("/busy-poll/alone", test_alone);
  g_test_add_func ("/busy-poll/in-vain", test_in_vain);
  g_test_add_func ("/busy-poll/there-before", test_there_before);
  g_test_add_func ("/busy-poll/rounds", test_rounds);
  g_test_add_func ("/busy-poll/recovers", test_recovers);
  g_test_add_func ("/busy-poll/one-way", test_one_way);
  return g_test_run ();
}
