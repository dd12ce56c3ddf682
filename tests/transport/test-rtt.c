/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-rtt.h"

#define MS G_TIME_SPAN_MILLISECOND

static void
test_first_sample (void)
{
  HpRtt rtt;

  hp_rtt_init (&rtt);
  g_assert_false (hp_rtt_is_measured (&rtt));
  g_assert_cmpint (hp_rtt_get_probe_timeout (&rtt, 25 * MS), ==,
                   333 * MS + 4 * (333 * MS / 2) + 25 * MS);
  /* The first one is taken as it is, whatever delay is claimed. */
  hp_rtt_add_sample (&rtt, 100 * MS, 25 * MS, 25 * MS, 7);
  g_assert_true (hp_rtt_is_measured (&rtt));
  g_assert_cmpint (rtt.smoothed, ==, 100 * MS);
  g_assert_cmpint (rtt.variation, ==, 50 * MS);
  g_assert_cmpint (rtt.minimum, ==, 100 * MS);
  g_assert_cmpint (rtt.first_sample_at, ==, 7);
  g_assert_cmpint (hp_rtt_get_probe_timeout (&rtt, 25 * MS), ==, 325 * MS);
}

static void
test_smoothing (void)
{
  HpRtt rtt;

  hp_rtt_init (&rtt);
  hp_rtt_add_sample (&rtt, 100 * MS, 0, 25 * MS, 1);
  hp_rtt_add_sample (&rtt, 180 * MS, 0, 25 * MS, 2);
  g_assert_cmpint (rtt.variation, ==, (3 * 50 * MS + 80 * MS) / 4);
  g_assert_cmpint (rtt.smoothed, ==, 110 * MS);
  g_assert_cmpint (rtt.first_sample_at, ==, 1);
  hp_rtt_add_sample (&rtt, 80 * MS, 0, 25 * MS, 3);
  g_assert_cmpint (rtt.minimum, ==, 80 * MS);
  g_assert_cmpint (rtt.latest, ==, 80 * MS);
}

static void
test_ack_delay (void)
{
  HpRtt rtt;

  hp_rtt_init (&rtt);
  hp_rtt_add_sample (&rtt, 100 * MS, 0, 25 * MS, 1);
  hp_rtt_add_sample (&rtt, 120 * MS, 20 * MS, 25 * MS, 2);
  g_assert_cmpint (rtt.smoothed, ==, 100 * MS);
  /* No more than the greatest delay is believed, however large */
  hp_rtt_add_sample (&rtt, 125 * MS, G_MAXUINT64, 25 * MS, 3);
  g_assert_cmpint (rtt.smoothed, ==, 100 * MS);
  /* and none that takes it below the minimum. */
  hp_rtt_add_sample (&rtt, 108 * MS, 20 * MS, 25 * MS, 4);
  g_assert_cmpint (rtt.smoothed, ==, 101 * MS);
}

static void
test_loss_delay (void)
{
  HpRtt rtt;

  hp_rtt_init (&rtt);
  hp_rtt_add_sample (&rtt, 80 * MS, 0, 0, 1);
  g_assert_cmpint (hp_rtt_get_loss_delay (&rtt), ==, 90 * MS);
  hp_rtt_add_sample (&rtt, 160 * MS, 0, 0, 2);
  g_assert_cmpint (hp_rtt_get_loss_delay (&rtt), ==, 180 * MS);
  hp_rtt_init (&rtt);
  hp_rtt_add_sample (&rtt, 0, 0, 0, 1);
  g_assert_cmpint (hp_rtt_get_loss_delay (&rtt), ==, HP_RTT_GRANULARITY);
  g_assert_cmpint (hp_rtt_get_probe_timeout (&rtt, 0), ==,
                   1 + HP_RTT_GRANULARITY);
}

static void
test_suggestion (void)
{
  HpRtt rtt;

  hp_rtt_init (&rtt);
  hp_rtt_suggest (&rtt, 40 * MS);
  g_assert_false (hp_rtt_is_measured (&rtt));
  g_assert_cmpint (hp_rtt_get_probe_timeout (&rtt, 0), ==, 120 * MS);
  hp_rtt_suggest (&rtt, -5);
  g_assert_cmpint (rtt.smoothed, ==, HP_RTT_GRANULARITY);
  hp_rtt_add_sample (&rtt, 100 * MS, 0, 0, 1);
  g_assert_cmpint (rtt.smoothed, ==, 100 * MS);
  hp_rtt_suggest (&rtt, 40 * MS);
  g_assert_cmpint (rtt.smoothed, ==, 100 * MS);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/transport/rtt/first-sample", test_first_sample);
  g_test_add_func ("/transport/rtt/smoothing", test_smoothing);
  g_test_add_func ("/transport/rtt/ack-delay", test_ack_delay);
  g_test_add_func ("/transport/rtt/loss-delay", test_loss_delay);
  g_test_add_func ("/transport/rtt/suggestion", test_suggestion);
  return g_test_run ();
}
