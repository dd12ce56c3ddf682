/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-pacer.h"

#define SECOND G_TIME_SPAN_SECOND

static void
test_burst (void)
{
  HpPacer pacer;

  hp_pacer_init (&pacer, 1000, 5);
  hp_pacer_set_rate (&pacer, 100000, 1000, 5);
  for (guint i = 0; i < HP_PACER_BURST; i++)
    {
      g_assert_cmpint (hp_pacer_get_time (&pacer, 5), ==, 5);
      hp_pacer_sent (&pacer, 1000, 5);
    }
  /* 1000 bytes at 100,000 a second */
  g_assert_cmpint (hp_pacer_get_time (&pacer, 5), ==, 5 + SECOND / 100);
  g_assert_cmpint (hp_pacer_get_time (&pacer, 5 + SECOND / 100), ==,
                   5 + SECOND / 100);
  /* However long nothing is sent, no more than the burst is saved up. */
  for (guint i = 0; i < HP_PACER_BURST; i++)
    hp_pacer_sent (&pacer, 1000, 100 * SECOND);
  g_assert_cmpint (hp_pacer_get_time (&pacer, 100 * SECOND), >, 100 * SECOND);
}

static void
test_rate (void)
{
  const guint64 rate = 12345678;
  gint64 now = 17;
  gint64 start;
  guint64 sent = 0;
  HpPacer pacer;

  hp_pacer_init (&pacer, 1200, now);
  hp_pacer_set_rate (&pacer, rate, 1200, now);
  while (hp_pacer_get_time (&pacer, now) <= now)
    hp_pacer_sent (&pacer, 1200, now);
  start = now;
  while (now < start + SECOND)
    {
      now = hp_pacer_get_time (&pacer, now);
      hp_pacer_sent (&pacer, 1200, now);
      sent += 1200;
    }
  g_assert_cmpuint (sent, <, rate + rate / 100);
  g_assert_cmpuint (sent, >, rate - rate / 50);
}

/* A timer that comes a millisecond late costs nothing at a high rate. */
static void
test_late_timer (void)
{
  const guint64 rate = 125000000;
  gint64 now = 0;
  guint64 sent = 0;
  HpPacer pacer;

  hp_pacer_init (&pacer, 1200, now);
  hp_pacer_set_rate (&pacer, rate, 1200, now);
  for (; now < SECOND; now += G_TIME_SPAN_MILLISECOND)
    while (hp_pacer_get_time (&pacer, now) <= now)
      {
        hp_pacer_sent (&pacer, 1200, now);
        sent += 1200;
      }
  g_assert_cmpuint (sent, >, rate - rate / 50);
}

static guint64
send_every (gint64 period, guint64 rate, gboolean is_awaited)
{
  guint64 sent = 0;
  HpPacer pacer;

  hp_pacer_init (&pacer, 1200, 0);
  hp_pacer_set_rate (&pacer, rate, 1200, 0);
  for (gint64 now = 0; now < SECOND; now += period)
    {
      while (hp_pacer_get_time (&pacer, now) <= now)
        {
          hp_pacer_sent (&pacer, 1200, now);
          sent += 1200;
        }
      hp_pacer_set_awaited (&pacer, is_awaited, now);
    }
  return sent;
}

/* A sender that waits for the pacer and gets the processor late catches up; one
 * that had nothing to send does not burst. */
static void
test_catch_up (void)
{
  const guint64 rate = 125000000;

  g_assert_cmpuint (send_every (7 * G_TIME_SPAN_MILLISECOND, rate, TRUE), >,
                    rate - rate / 50);
  g_assert_cmpuint (send_every (7 * G_TIME_SPAN_MILLISECOND, rate, FALSE), <,
                    rate / 3);
  g_assert_cmpuint (send_every (50 * G_TIME_SPAN_MILLISECOND, rate, TRUE), <,
                    rate / 5);
}

/* A limit of what goes at once, and half a millisecond's worth waited for */
static void
test_burst_max (void)
{
  const guint64 rate = 100000000;
  guint64 sent = 0;
  gint64 now = 0;
  HpPacer pacer;

  hp_pacer_init (&pacer, 1000, now);
  hp_pacer_set_burst_max (&pacer, 60000);
  hp_pacer_set_rate (&pacer, rate, 1000, now);
  for (guint i = 0; now < SECOND; i++)
    {
      guint64 burst = 0;

      for (; hp_pacer_get_time (&pacer, now) <= now; burst += 1000)
        hp_pacer_sent (&pacer, 1000, now);
      g_assert_cmpuint (burst, <=, 60000);
      if (i > 0)
        g_assert_cmpuint (burst, >=, 29000);
      sent += burst;
      now = hp_pacer_get_time (&pacer, now);
    }
  g_assert_cmpuint (sent, >, rate - rate / 50);
  g_assert_cmpuint (sent, <, rate + rate / 50);
}

/* What the window held up does not go all at once then. */
static void
test_forfeit (void)
{
  guint n = 0;
  HpPacer pacer;

  hp_pacer_init (&pacer, 1000, 0);
  hp_pacer_set_rate (&pacer, 1000000, 1000, 0);
  hp_pacer_forfeit (&pacer, SECOND);
  for (; hp_pacer_get_time (&pacer, SECOND) <= SECOND; n++)
    hp_pacer_sent (&pacer, 1000, SECOND);
  g_assert_cmpuint (n, ==, 4);
}

static void
test_probe_debt (void)
{
  HpPacer pacer;

  hp_pacer_init (&pacer, 1000, 0);
  hp_pacer_set_rate (&pacer, 1000, 1000, 0);
  for (guint i = 0; i < HP_PACER_BURST + 3; i++)
    hp_pacer_sent (&pacer, 1000, 0);
  g_assert_cmpint (hp_pacer_get_time (&pacer, 0), ==, 4 * SECOND);
  /* And then it may, though nothing was sent or set meanwhile */
  g_assert_cmpint (hp_pacer_get_time (&pacer, 4 * SECOND), ==, 4 * SECOND);
}

static void
test_derived_rate (void)
{
  g_assert_cmpuint (hp_pacer_derive_rate (10000, SECOND / 10), ==, 125000);
  /* No division by nothing, no overflow */
  g_assert_cmpuint (hp_pacer_derive_rate (1 << 30, 0), >, 0);
}

static void
test_extremes (void)
{
  HpPacer pacer;

  hp_pacer_init (&pacer, 65507, 0);
  hp_pacer_set_rate (&pacer, G_MAXUINT64, 65507, 0);
  hp_pacer_sent (&pacer, 65507, G_MAXINT64 / 2);
  g_assert_cmpint (hp_pacer_get_time (&pacer, G_MAXINT64 / 2), ==,
                   G_MAXINT64 / 2);
  hp_pacer_set_rate (&pacer, 0, 65507, G_MAXINT64 / 2);
  for (guint i = 0; i < 40; i++)
    hp_pacer_sent (&pacer, 65507, G_MAXINT64 / 2);
  g_assert_cmpint (hp_pacer_get_time (&pacer, G_MAXINT64 / 2), >,
                   G_MAXINT64 / 2);
  /* A clock that stands or steps back takes nothing away. */
  g_assert_cmpint (hp_pacer_get_time (&pacer, 0), >, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/transport/pacer/burst", test_burst);
  g_test_add_func ("/transport/pacer/rate", test_rate);
  g_test_add_func ("/transport/pacer/late-timer", test_late_timer);
  g_test_add_func ("/transport/pacer/catch-up", test_catch_up);
  g_test_add_func ("/transport/pacer/burst-max", test_burst_max);
  g_test_add_func ("/transport/pacer/forfeit", test_forfeit);
  g_test_add_func ("/transport/pacer/probe-debt", test_probe_debt);
  g_test_add_func ("/transport/pacer/derived-rate", test_derived_rate);
  g_test_add_func ("/transport/pacer/extremes", test_extremes);
  return g_test_run ();
}
