/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/secure/hp-replay-window.h"

/* A step adds a number, or expects it to be refused. */
typedef struct
{
  guint64 number;
  gboolean fresh;
} Step;

#define FAR (G_GUINT64_CONSTANT (1) << 40)

static const struct
{
  const char *name;
  guint size;
  Step steps[12];
  guint n_steps;
} cases[] = {
  { "in order", 128, { { 0, TRUE }, { 0, FALSE }, { 1, TRUE }, { 2, TRUE },
                       { 1, FALSE }, { 2, FALSE }, { 0, FALSE } }, 7 },
  { "does not begin at zero", 128, { { 1000, TRUE }, { 1000, FALSE },
                                     { 999, TRUE }, { 999, FALSE } }, 4 },
  { "reordered", 128, { { 5, TRUE }, { 3, TRUE }, { 4, TRUE }, { 0, TRUE },
                        { 5, FALSE }, { 3, FALSE }, { 4, FALSE },
                        { 0, FALSE }, { 1, TRUE } }, 9 },
  { "edge of 128", 128, { { 200, TRUE }, { 73, TRUE }, { 72, FALSE },
                          { 73, FALSE }, { 201, TRUE }, { 73, FALSE },
                          { 74, TRUE } }, 7 },
  { "edge of 128 at a block's end", 128, { { 127, TRUE }, { 0, TRUE },
                                           { 128, TRUE }, { 0, FALSE },
                                           { 1, TRUE }, { 191, TRUE },
                                           { 63, FALSE }, { 64, TRUE } }, 8 },
  { "edge of 8192", 8192, { { 9000, TRUE }, { 809, TRUE }, { 808, FALSE },
                            { 809, FALSE }, { 9001, TRUE },
                            { 809, FALSE }, { 810, TRUE } }, 7 },
  { "a jump clears all", 128, { { 3, TRUE }, { 3 + 64 * 3, TRUE },
                                { 3 + 64 * 2, TRUE }, { 3 + 64, FALSE },
                                { FAR, TRUE }, { FAR - 127, TRUE },
                                { FAR - 128, FALSE }, { FAR - 64, TRUE },
                                { FAR, FALSE }, { 3, FALSE } }, 10 },
  { "the ring's length", 8192, { { 5, TRUE }, { 5 + 8192 + 64, TRUE },
                                 { 5 + 8192, TRUE }, { 5 + 64, FALSE },
                                 { 5 + 65, TRUE } }, 5 },
  { "the end", 128, { { G_MAXUINT64 - 1, TRUE }, { G_MAXUINT64, FALSE },
                      { G_MAXUINT64 - 1, FALSE },
                      { G_MAXUINT64 - 128, TRUE },
                      { G_MAXUINT64 - 129, FALSE } }, 5 },
};

static void
test_cases (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (HpReplayWindow) window = hp_replay_window_new (cases[i].size);
      guint64 next = 0;

      g_test_message ("%s", cases[i].name);
      g_assert_cmpuint (hp_replay_window_get_next (window), ==, 0);
      for (guint j = 0; j < cases[i].n_steps; j++)
        {
          const Step *step = &cases[i].steps[j];

          g_test_message ("%" G_GUINT64_FORMAT, step->number);
          g_assert_cmpint (hp_replay_window_check (window, step->number), ==,
                           step->fresh);
          if (!step->fresh)
            continue;
          hp_replay_window_add (window, step->number);
          next = MAX (next, step->number + 1);
          g_assert_cmpuint (hp_replay_window_get_next (window), ==, next);
        }
    }
}

/* Against the plain definition: a set of all that was seen */
static void
test_model (gconstpointer user_data)
{
  const guint size = GPOINTER_TO_UINT (user_data);
  g_autoptr (GRand) rand = g_rand_new_with_seed (size);
  g_autoptr (HpReplayWindow) window = hp_replay_window_new (size);
  g_autofree guint8 *seen = g_malloc0 (1 << 20);
  guint64 next = 0;
  guint n_fresh = 0;

  for (guint i = 0; i < 300000; i++)
    {
      guint64 base = g_rand_int_range (rand, 0, 5000) == 0
                         ? next + g_rand_int_range (rand, 0, 3 * size)
                         : next + 1;
      guint64 back = g_rand_int_range (rand, 0, 4) == 0
                         ? 0
                         : g_rand_int_range (rand, 0, size + size / 8);
      guint64 number = base - MIN (base, back);
      gboolean fresh;

      if (number >= 1 << 20)
        break;
      fresh = !seen[number] && (number >= next || next - number <= size);
      g_assert_cmpint (hp_replay_window_check (window, number), ==, fresh);
      if (!fresh)
        continue;
      hp_replay_window_add (window, number);
      seen[number] = TRUE;
      next = MAX (next, number + 1);
      n_fresh++;
    }
  g_assert_cmpuint (n_fresh, >, 1000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/replay-window/cases", test_cases);
  g_test_add_data_func ("/replay-window/model/128", GUINT_TO_POINTER (128),
                        test_model);
  g_test_add_data_func ("/replay-window/model/8192", GUINT_TO_POINTER (8192),
                        test_model);
  return g_test_run ();
}
