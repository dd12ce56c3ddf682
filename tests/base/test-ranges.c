/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/base/hp-ranges.h"

#include <string.h>

/* The naive model: one byte for each number */
#define SPACE 200

static void
check_order (const HpRanges *ranges)
{
  for (guint i = 0; i < ranges->n_ranges; i++)
    {
      g_assert_cmpuint (ranges->ranges[i].start, <, ranges->ranges[i].end);
      if (i > 0)
        g_assert_cmpuint (ranges->ranges[i - 1].end, <,
                          ranges->ranges[i].start);
    }
}

static void
check_against_model (const HpRanges *ranges, const guint8 *model)
{
  guint64 total = 0;
  guint64 missing = SPACE;

  check_order (ranges);
  for (guint64 i = SPACE; i-- > 0;)
    {
      if (model[i])
        total++;
      else
        missing = i;
      g_assert_cmpint (hp_ranges_contains (ranges, i), ==, model[i]);
      g_assert_cmpuint (hp_ranges_first_missing (ranges, i), ==, missing);
    }
  g_assert_cmpuint (hp_ranges_total (ranges), ==, total);
}

static void
check_covers (const HpRanges *ranges, const guint8 *model, guint64 start,
              guint64 end)
{
  gboolean covered = TRUE;

  for (guint64 i = start; i < end; i++)
    covered = covered && model[i];
  g_assert_cmpint (hp_ranges_covers (ranges, start, end), ==, covered);
}

static guint64
model_set (guint8 *model, guint64 start, guint64 end, guint8 value)
{
  guint64 changed = 0;

  for (guint64 i = start; i < end; i++)
    {
      changed += model[i] != value;
      model[i] = value;
    }
  return changed;
}

static void
model_keep_highest (guint8 *model, guint most)
{
  guint n_ranges = 0;

  for (guint64 i = SPACE; i-- > 0;)
    {
      if (model[i] && (i + 1 == SPACE || !model[i + 1]))
        n_ranges++;
      if (n_ranges > most)
        model[i] = 0;
    }
}

static void
test_against_model (void)
{
  for (guint round = 0; round < 200; round++)
    {
      HpRanges ranges = HP_RANGES_INIT;
      guint8 model[SPACE + 1] = { 0 };

      for (guint step = 0; step < 100; step++)
        {
          guint64 start = g_test_rand_int_range (0, SPACE);
          guint64 end = start
                        + g_test_rand_int_range (
                            0, MIN (SPACE - (int) start, 30) + 1);
          int what = g_test_rand_int_range (0, 100);

          if (what < 55)
            g_assert_cmpuint (hp_ranges_add (&ranges, start, end), ==,
                              model_set (model, start, end, 1));
          else if (what < 97)
            {
              hp_ranges_remove (&ranges, start, end);
              model_set (model, start, end, 0);
            }
          else
            {
              guint most = g_test_rand_int_range (0, 8);

              hp_ranges_keep_highest (&ranges, most);
              model_keep_highest (model, most);
            }
          check_against_model (&ranges, model);
          check_covers (&ranges, model, start, end);
        }
      hp_ranges_clear (&ranges);
    }
}

static void
test_empty (void)
{
  HpRanges ranges = HP_RANGES_INIT;

  g_assert_cmpuint (hp_ranges_add (&ranges, 5, 5), ==, 0);
  hp_ranges_remove (&ranges, 0, 100);
  hp_ranges_keep_highest (&ranges, 0);
  g_assert_cmpuint (ranges.n_ranges, ==, 0);
  g_assert_false (hp_ranges_contains (&ranges, 0));
  g_assert_true (hp_ranges_covers (&ranges, 3, 3));
  g_assert_false (hp_ranges_covers (&ranges, 3, 4));
  g_assert_cmpuint (hp_ranges_first_missing (&ranges, 7), ==, 7);
  g_assert_cmpuint (hp_ranges_total (&ranges), ==, 0);
  hp_ranges_clear (&ranges);
}

static void
test_joins (void)
{
  HpRanges ranges = HP_RANGES_INIT;

  for (guint64 i = 0; i < 10; i++)
    g_assert_cmpuint (hp_ranges_add (&ranges, 10 * i, 10 * i + 5), ==, 5);
  g_assert_cmpuint (ranges.n_ranges, ==, 10);
  /* Touching joins as well as overlapping. */
  g_assert_cmpuint (hp_ranges_add (&ranges, 5, 10), ==, 5);
  g_assert_cmpuint (ranges.n_ranges, ==, 9);
  g_assert_cmpuint (hp_ranges_add (&ranges, 2, 92), ==, 40);
  g_assert_cmpuint (ranges.n_ranges, ==, 1);
  g_assert_true (hp_ranges_covers (&ranges, 0, 95));
  hp_ranges_clear (&ranges);
}

/* The largest numbers there are: nothing wraps round. */
static void
test_extremes (void)
{
  HpRanges ranges = HP_RANGES_INIT;

  g_assert_cmpuint (hp_ranges_add (&ranges, 0, 1), ==, 1);
  g_assert_cmpuint (
      hp_ranges_add (&ranges, G_MAXUINT64 - 10, G_MAXUINT64), ==, 10);
  g_assert_true (hp_ranges_contains (&ranges, G_MAXUINT64 - 1));
  g_assert_false (hp_ranges_contains (&ranges, G_MAXUINT64));
  g_assert_true (hp_ranges_first_missing (&ranges, G_MAXUINT64 - 3)
                 == G_MAXUINT64);
  g_assert_true (hp_ranges_first_missing (&ranges, G_MAXUINT64)
                 == G_MAXUINT64);
  hp_ranges_remove (&ranges, G_MAXUINT64 - 5, G_MAXUINT64);
  g_assert_cmpuint (hp_ranges_total (&ranges), ==, 6);
  hp_ranges_remove (&ranges, 0, G_MAXUINT64);
  g_assert_cmpuint (ranges.n_ranges, ==, 0);
  hp_ranges_clear (&ranges);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ranges/empty", test_empty);
  g_test_add_func ("/ranges/joins", test_joins);
  g_test_add_func ("/ranges/extremes", test_extremes);
  g_test_add_func ("/ranges/against-model", test_against_model);
  return g_test_run ();
}
