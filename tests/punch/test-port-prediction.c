/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/nat/hp-port-prediction.h"

/* What is known of the method: 256 × 256 64 %, 256 × 1024 98.3 %, 385 squared
 * 90 %, 502 squared 98 %; in a block of 512 or 2048, 45 and 90 squared 98 % */
static void
test_odds (void)
{
  guint n = HP_N_NAT_PORTS;
  guint count;

  g_assert_cmpfloat_with_epsilon (hp_port_odds (256, 256, n), 0.64, 0.005);
  g_assert_cmpfloat_with_epsilon (hp_port_odds (256, 1024, n), 0.983, 0.001);
  g_assert_cmpfloat_with_epsilon (hp_port_odds (385, 385, n), 0.90, 0.003);
  g_assert_cmpfloat_with_epsilon (hp_port_odds (502, 502, n), 0.98, 0.001);
  g_assert_cmpfloat (hp_port_odds (45, 45, 512), >=, HP_PORT_ODDS);
  g_assert_cmpfloat (hp_port_odds (90, 90, 2048), >=, HP_PORT_ODDS);
  g_assert_cmpfloat (hp_port_odds (0, 90, 2048), ==, 0);
  g_assert_cmpfloat (hp_port_odds (4, 7, 10), ==, 1);

  count = hp_port_odds_to_count (n);
  g_assert_cmpuint (count, <=, 502);
  g_assert_cmpfloat (hp_port_odds (count, count, n), >=, HP_PORT_ODDS);
  g_assert_cmpfloat (hp_port_odds (count - 1, count - 1, n), <,
                     HP_PORT_ODDS);
  g_assert_cmpuint (hp_port_odds_to_count (512), <=, 45);
  g_assert_cmpuint (hp_port_odds_to_count (2048), <=, 90);
  g_assert_cmpuint (hp_port_odds_to_count (1), ==, 1);
}

/* None twice, none left out, and no two seeds alike */
static void
test_permutation (void)
{
  static const guint sizes[] = { 1, 2, 45, 512, HP_N_NAT_PORTS, 65536 };
  guint same = 0;
  guint i, j;

  for (i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree guint8 *seen = g_new0 (guint8, sizes[i]);

      for (j = 0; j < sizes[i]; j++)
        {
          guint value = hp_port_permute (j, sizes[i], 7 + i);

          g_assert_cmpuint (value, <, sizes[i]);
          g_assert_cmpuint (seen[value]++, ==, 0);
        }
    }
  for (i = 0; i < 1000; i++)
    same += hp_port_permute (i, 512 * 100, 1)
            == hp_port_permute (i, 512 * 100, 2);
  g_assert_cmpuint (same, <, 10);
}

static void
test_sequence (void)
{
  HpNatFacts facts = { .port = 65534, .step = 1 };

  g_assert_cmpuint (hp_port_predict (&facts, 1), ==, 65535);
  g_assert_cmpuint (hp_port_predict (&facts, 2), ==, 1024);
  facts.step = 0;
  g_assert_cmpuint (hp_port_predict (&facts, 1), ==, 65535);
  facts.step = -2;
  facts.port = 1025;
  g_assert_cmpuint (hp_port_predict (&facts, 1), ==, 65535);
  facts.step = 8;
  g_assert_cmpuint (hp_port_predict (&facts, 3), ==, 1049);
  g_assert_cmpuint (hp_port_predict (&facts, -1), ==, 65529);
}

static void
test_window (void)
{
  HpNatFacts facts = { .port = 5000, .step = 1 };
  gint first, last, first_later, last_later;

  hp_port_predict_window (&facts, 10 * G_TIME_SPAN_SECOND, 12, &first, &last);
  g_assert_cmpint (first, ==, 1);
  g_assert_cmpint (last, >=, 12);
  g_assert_cmpint (last, <=, 24);

  /* With drift the middle moves and the window widens */
  facts.drift = 50;
  facts.age = 1000;
  hp_port_predict_window (&facts, 0, 12, &first, &last);
  g_assert_cmpint (first, <=, 50 - 21);
  g_assert_cmpint (last, >=, 50 + 21 + 12);
  g_assert_cmpint (last - first, <=, 96);
  hp_port_predict_window (&facts, 4 * G_TIME_SPAN_SECOND, 12, &first_later,
                          &last_later);
  g_assert_cmpint (first_later, >, last);
  g_assert_cmpint (last_later - first_later, >, last - first);
}

static void
test_block (void)
{
  HpNatFacts facts = { .first_port = 10000, .last_port = 10479 };
  guint16 first;
  guint n;

  g_assert_true (hp_port_get_block (&facts, &first, &n));
  g_assert_cmpuint (first, <, 10000);
  g_assert_cmpuint (first + n, >, 10480);
  g_assert_cmpuint (n, <=, 560);
  facts.first_port = 1024;
  facts.last_port = 65535;
  g_assert_true (hp_port_get_block (&facts, &first, &n));
  g_assert_cmpuint (first, ==, 1024);
  g_assert_cmpuint (n, ==, HP_N_NAT_PORTS);
  facts.first_port = 0;
  g_assert_false (hp_port_get_block (&facts, &first, &n));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/port-prediction/odds", test_odds);
  g_test_add_func ("/port-prediction/permutation", test_permutation);
  g_test_add_func ("/port-prediction/sequence", test_sequence);
  g_test_add_func ("/port-prediction/window", test_window);
  g_test_add_func ("/port-prediction/block", test_block);
  return g_test_run ();
}
