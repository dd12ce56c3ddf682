/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/nat/hp-ladder.h"
#include "hole-punch/nat/hp-puncher.h"

#include <string.h>

#define N_KINDS (6 * 4 * 5)

static HpNatFacts
nth_kind (guint n)
{
  HpNatFacts facts = {
    .mapping = n % 6, .filtering = n / 6 % 4, .allocation = n / 24,
  };

  return facts;
}

/* Whatever both sides are, they climb the same ladder at the same time, and
 * one aims where the other opens */
static void
test_mirror (void)
{
  guint a, b, i;

  for (a = 0; a < N_KINDS; a++)
    for (b = 0; b < N_KINDS; b++)
      {
        HpNatFacts here = nth_kind (a), there = nth_kind (b);
        HpLadder ours, theirs;

        hp_ladder_choose (&ours, &here, &there, (a + b) & 1);
        hp_ladder_choose (&theirs, &there, &here, !((a + b) & 1));
        g_assert_cmpuint (ours.n_steps, >=, 1);
        g_assert_cmpuint (ours.n_steps, ==, theirs.n_steps);
        for (i = 0; i < ours.n_steps; i++)
          {
            g_assert_cmpint (ours.steps[i].rung, ==, theirs.steps[i].rung);
            g_assert_cmpint (ours.steps[i].at, ==, theirs.steps[i].at);
            g_assert_cmpint (ours.steps[i].lasts, ==,
                             theirs.steps[i].lasts);
            g_assert_cmpint (ours.steps[i].opens, !=, theirs.steps[i].opens);
          }
        g_assert_cmpint (hp_ladder_get_end (&ours), <=, HP_PUNCH_TIMEOUT);
      }
}

static void
parse (const char *kind, HpNatFacts *facts)
{
  static const char mappings[] = "?npiaA", filters[] = "?iap",
                    allocations[] = "?psbr";

  *facts = (HpNatFacts){
    .mapping = strchr (mappings, kind[0]) - mappings,
    .filtering = strchr (filters, kind[1]) - filters,
    .allocation = strchr (allocations, kind[2]) - allocations,
  };
}

/* "rung, " each, those where we open with a star */
static char *
choose (const char *local, const char *remote)
{
  GString *text = g_string_new (NULL);
  HpNatFacts facts[2];
  HpLadder ladder;
  guint i;

  parse (local, &facts[0]);
  parse (remote, &facts[1]);
  hp_ladder_choose (&ladder, &facts[0], &facts[1], TRUE);
  for (i = 0; i < ladder.n_steps; i++)
    g_string_append_printf (text, "%s%s%s", i > 0 ? ", " : "",
                            hp_rung_get_name (ladder.steps[i].rung),
                            ladder.steps[i].opens ? "*" : "");
  return g_string_free (text, FALSE);
}

static void
test_pairs (void)
{
  /* Mapping, filtering and allocation of both, by their first letters; A is
   * by address and port */
  static const struct
  {
    const char *local, *remote, *ladder;
  } pairs[] = {
    { "npr", "ipr", "straight*" },
    { "n?p", "n?p", "straight*" },
    { "n?p", "ipp", "straight*, fresh socket*" },
    { "ipp", "ipp", "straight*, fresh socket*" },
    { "ipp", "ips", "straight*" },
    { "???", "???", "straight*, fresh socket*" },
    { "Aps", "iir", "dial*, port prediction*, birthday*" },
    { "iar", "Apr", "dial, birthday" },
    { "n?r", "Apr", "dial, birthday" },
    { "i?p", "Apr", "dial, birthday" },
    { "ipp", "Aps", "port prediction, birthday" },
    { "Apb", "ipp", "port block*, birthday*" },
    { "ap?", "ipp", "birthday*" },
    { "Apr", "Apr", "straight*" },
    { "Aps", "Apr", "straight*" },
    { "Aps", "Aps", "mutual port prediction*" },
    { "aar", "Apr", "birthday*" },
    { "Aar", "Apr", "straight*" },
    { "Apr", "aas", "port prediction, birthday" },
    { "Aar", "Aib", "port block, birthday" },
    { "ppp", "ips", "straight*, birthday*" },
    { "pps", "ppr", "straight*, port prediction*" },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      g_autofree char *ladder = choose (pairs[i].local, pairs[i].remote);

      g_assert_cmpstr (ladder, ==, pairs[i].ladder);
    }
}

/* When the second rung of a pair begins: nobody is made to wait for what cannot
 * help any more */
static void
test_times (void)
{
  static const struct
  {
    const char *local, *remote;
    guint at; /* ms */
  } pairs[] = {
    /* One entry more: soon; hundreds: later */
    { "ipp", "ipp", 400 }, { "n?p", "ipp", 400 }, { "ppr", "ipr", 2000 },
    /* It is known that dialling works, and that it may */
    { "iap", "Apr", 1500 }, { "n?p", "Apr", 500 }, { "i?p", "Apr", 500 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      HpNatFacts facts[2];
      HpLadder ladder;

      parse (pairs[i].local, &facts[0]);
      parse (pairs[i].remote, &facts[1]);
      hp_ladder_choose (&ladder, &facts[0], &facts[1], TRUE);
      g_assert_cmpuint (ladder.n_steps, >=, 2);
      g_assert_cmpint (ladder.steps[1].at, ==,
                       pairs[i].at * G_TIME_SPAN_MILLISECOND);
    }
}

/* A fresh socket does not let the dear methods begin earlier */
static void
test_dear_later (void)
{
  HpNatFacts unknown = { 0 }, half_known;
  HpLadder ladder;

  parse ("p?p", &half_known);
  hp_ladder_choose (&ladder, &unknown, &half_known, TRUE);
  g_assert_cmpuint (ladder.n_steps, ==, 3);
  g_assert_cmpint (ladder.steps[2].rung, ==, HP_RUNG_BIRTHDAY);
  g_assert_cmpint (ladder.steps[2].at, >=, 3 * G_TIME_SPAN_SECOND);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ladder/mirror", test_mirror);
  g_test_add_func ("/ladder/pairs", test_pairs);
  g_test_add_func ("/ladder/times", test_times);
  g_test_add_func ("/ladder/dear-later", test_dear_later);
  return g_test_run ();
}
