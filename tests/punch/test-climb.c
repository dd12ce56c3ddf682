/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Each rung against pairs of NATs that need it, over many seeds: as often as
 * the sums say, and never above the budget. */

#include "punch-pair.h"

#include <string.h>

#define MS G_TIME_SPAN_MILLISECOND

#define KIND(m, f, a, ...) \
  { \
    .mapping = HP_WIRE_MAPPING_##m, .filtering = HP_WIRE_FILTERING_##f, \
    .allocation = HP_WIRE_ALLOCATION_##a, __VA_ARGS__ \
  }
#define SYMMETRIC(a, ...) \
  KIND (ADDRESS_AND_PORT_DEPENDENT, ADDRESS_AND_PORT_DEPENDENT, a, \
        __VA_ARGS__)

static const PairNatKind cone
    = KIND (ENDPOINT_INDEPENDENT, ADDRESS_AND_PORT_DEPENDENT, PRESERVED);
static const PairNatKind restricted
    = KIND (ENDPOINT_INDEPENDENT, ADDRESS_DEPENDENT, RANDOM);
static const PairNatKind symmetric = SYMMETRIC (RANDOM);
static const PairNatKind carrier = SYMMETRIC (RANDOM, .n_nats = 2);
static const PairNatKind loose_symmetric
    = KIND (ADDRESS_AND_PORT_DEPENDENT, ADDRESS_DEPENDENT, RANDOM);
static const PairNatKind loose_by_address
    = KIND (ADDRESS_DEPENDENT, ADDRESS_DEPENDENT, RANDOM);
static const PairNatKind block
    = SYMMETRIC (BLOCK, .first_port = 20000, .block = 512);
static const PairNatKind calm = SYMMETRIC (SEQUENTIAL, .step = 1);
static const PairNatKind steps = SYMMETRIC (SEQUENTIAL, .step = -2);
static const PairNatKind busy
    = SYMMETRIC (SEQUENTIAL, .step = 1, .drift = 50);
static const PairNatKind by_address
    = KIND (ADDRESS_DEPENDENT, ADDRESS_AND_PORT_DEPENDENT, SEQUENTIAL,
            .step = 1, .drift = 5);

typedef struct
{
  guint n_connected;
  guint n_rung;       /* … by the rung that is to do it */
  guint n_entries[2]; /* the most, where the rung that is to do it did */
  guint n_sent[2];
  guint burst;
  gint64 median, longest;
} Tally;

static gdouble
in_ms (gint64 time)
{
  return (gdouble) time / MS;
}

static gint
compare_times (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return (x > y) - (x < y);
}

static void
add_up (Tally *tally, const PairResult *result, HpRung rung, guint budget)
{
  guint i;

  tally->n_connected += result->is_connected;
  tally->n_rung += result->is_connected && result->rung == rung;
  tally->burst = MAX (tally->burst, result->most_in_burst);
  for (i = 0; i < 2; i++)
    {
      g_assert_cmpuint (result->n_entries[i], <=, budget);
      /* Only the winner's socket stays */
      g_assert_cmpuint (result->n_open[i], <=, 1);
      if (result->rung != rung)
        continue;
      tally->n_entries[i] = MAX (tally->n_entries[i], result->n_entries[i]);
      tally->n_sent[i] = MAX (tally->n_sent[i], result->n_sent[i]);
    }
}

static void
run_many (const PairNatKind *a, const PairNatKind *b, PairSettings settings,
          HpRung rung, guint n, Tally *tally)
{
  guint budget
      = settings.budget != 0 ? settings.budget : HP_NAT_BUDGET_DEFAULT;
  g_autofree gint64 *times = g_new0 (gint64, n);
  guint i;

  memset (tally, 0, sizeof *tally);
  for (i = 0; i < n; i++)
    {
      PairResult result;

      settings.random = 1000 + i;
      pair_run (i % 2 ? a : b, i % 2 ? b : a, &settings, &result);
      add_up (tally, &result, rung, budget);
      times[i] = result.is_connected ? result.time : G_MAXINT64;
      if (!result.is_connected && g_test_verbose ())
        g_test_message ("seed %u:\n%s\n—\n%s", settings.random,
                        result.reports[0], result.reports[1]);
      pair_result_clear (&result);
    }
  qsort (times, n, sizeof *times, compare_times);
  tally->median = tally->n_connected > 0
                      ? times[tally->n_connected / 2] : -MS;
  tally->longest = tally->n_connected > 0 ? times[tally->n_connected - 1] : 0;
  g_test_message ("%s: %u of %u (%u so), median %.0f ms, longest %.0f ms, "
                  "entries %u/%u, datagrams %u/%u, burst %u",
                  hp_rung_get_name (rung), tally->n_connected, n,
                  tally->n_rung, in_ms (tally->median),
                  in_ms (tally->longest), tally->n_entries[0],
                  tally->n_entries[1], tally->n_sent[0], tally->n_sent[1],
                  tally->burst);
}

static void
assert_share (guint part, guint n, gdouble share)
{
  g_assert_cmpfloat ((gdouble) part / n, >=, share);
}

static void
test_straight (void)
{
  PairSettings settings = { .skew = 8 * MS };
  Tally tally;

  run_many (&cone, &cone, settings, HP_RUNG_STRAIGHT, 100, &tally);
  g_assert_cmpuint (tally.n_rung, ==, 100);
  g_assert_cmpint (tally.longest, <=, 100 * MS);
  g_assert_cmpuint (tally.n_sent[0] + tally.n_sent[1], <, 16);
  g_assert_cmpuint (tally.n_entries[0], ==, 1);
  run_many (&restricted, &symmetric, settings, HP_RUNG_DIAL, 100, &tally);
  g_assert_cmpuint (tally.n_rung, ==, 100);
  g_assert_cmpint (tally.longest, <=, 150 * MS);
}

static void
test_birthday (void)
{
  PairSettings settings = { .skew = 8 * MS };
  Tally tally;

  run_many (&cone, &symmetric, settings, HP_RUNG_BIRTHDAY, 1000, &tally);
  assert_share (tally.n_rung, 1000, 0.97);
  /* The probes come at a pace, not at once */
  g_assert_cmpuint (tally.burst, <=, 2);
  g_assert_cmpuint (tally.n_entries[0], >=, 500);
  g_assert_cmpint (tally.longest, <=, 10 * G_TIME_SPAN_SECOND);
  g_assert_cmpint (tally.median, <=, 1000 * MS);

  settings.loss = 0.05;
  run_many (&cone, &symmetric, settings, HP_RUNG_BIRTHDAY, 500, &tally);
  assert_share (tally.n_rung, 500, 0.97);
  settings.loss = 0;
  run_many (&cone, &carrier, settings, HP_RUNG_BIRTHDAY, 500, &tally);
  assert_share (tally.n_rung, 500, 0.97);
  run_many (&loose_by_address, &symmetric, settings, HP_RUNG_BIRTHDAY, 500,
            &tally);
  assert_share (tally.n_rung, 500, 0.97);
  run_many (&loose_symmetric, &loose_symmetric, settings, HP_RUNG_BIRTHDAY,
            500, &tally);
  assert_share (tally.n_rung, 500, 0.97);
}

/* The application takes its time; or half the sockets cannot be opened */
static void
test_birthday_handicapped (void)
{
  PairSettings settings = { .late = 900 * MS };
  Tally tally;

  run_many (&cone, &symmetric, settings, HP_RUNG_BIRTHDAY, 300, &tally);
  assert_share (tally.n_connected, 300, 0.95);
  settings.late = 0;
  settings.sockets = 250;
  run_many (&cone, &symmetric, settings, HP_RUNG_BIRTHDAY, 300, &tally);
  assert_share (tally.n_connected, 300, 0.80);
  g_assert_cmpuint (tally.n_connected, <, 290);
  settings.sockets = G_MAXUINT;
  run_many (&cone, &symmetric, settings, HP_RUNG_BIRTHDAY, 50, &tally);
  g_assert_cmpuint (tally.n_connected, <, 5);
}

static void
test_budget (void)
{
  PairSettings settings = { .budget = 308 };
  Tally tally;
  PairResult result;

  /* A smaller volley */
  run_many (&cone, &symmetric, settings, HP_RUNG_BIRTHDAY, 2000, &tally);
  assert_share (tally.n_connected, 2000, 0.73);
  assert_share (2000 - tally.n_connected, 2000, 0.20);
  /* Not even that */
  settings.budget = 60;
  pair_run (&cone, &symmetric, &settings, &result);
  g_assert_false (result.is_connected);
  g_assert_nonnull (strstr (result.reports[0], "too few NAT entries"));
  g_assert_cmpuint (result.n_entries[0], <, 10);
  pair_result_clear (&result);
  run_many (&cone, &calm, settings, HP_RUNG_SEQUENTIAL, 100, &tally);
  g_assert_cmpuint (tally.n_rung, ==, 100);
}

static void
test_block (void)
{
  PairSettings settings = { .skew = 8 * MS };
  Tally tally;

  run_many (&cone, &block, settings, HP_RUNG_BLOCK, 1000, &tally);
  assert_share (tally.n_rung, 1000, 0.97);
  g_assert_cmpuint (tally.n_entries[0], <=, 60);
  g_assert_cmpuint (tally.n_entries[1], <=, 60);
  settings.loss = 0.05;
  run_many (&cone, &block, settings, HP_RUNG_BLOCK, 500, &tally);
  assert_share (tally.n_connected, 500, 0.985);
}

static void
test_sequential (void)
{
  PairSettings settings = { .skew = 8 * MS, .age = 1000 * MS };
  Tally tally;

  run_many (&cone, &calm, settings, HP_RUNG_SEQUENTIAL, 300, &tally);
  g_assert_cmpuint (tally.n_rung, ==, 300);
  g_assert_cmpuint (tally.n_entries[0], <=, 40);
  run_many (&cone, &steps, settings, HP_RUNG_SEQUENTIAL, 300, &tally);
  g_assert_cmpuint (tally.n_rung, ==, 300);
  run_many (&cone, &by_address, settings, HP_RUNG_SEQUENTIAL, 300, &tally);
  g_assert_cmpuint (tally.n_rung, ==, 300);

  run_many (&cone, &busy, settings, HP_RUNG_SEQUENTIAL, 1000, &tally);
  assert_share (tally.n_rung, 1000, 0.99);
  g_assert_cmpint (tally.median, <=, 300 * MS);
  g_assert_cmpuint (tally.n_entries[0], <=, 110);
  settings.age = 5000 * MS;
  run_many (&cone, &busy, settings, HP_RUNG_SEQUENTIAL, 500, &tally);
  assert_share (tally.n_rung, 500, 0.99);
  settings.loss = 0.05;
  run_many (&cone, &busy, settings, HP_RUNG_SEQUENTIAL, 500, &tally);
  assert_share (tally.n_rung, 500, 0.99);
}

static void
test_pair (void)
{
  PairSettings settings = { .skew = 8 * MS, .age = 400 * MS };
  Tally tally;

  run_many (&calm, &calm, settings, HP_RUNG_PAIR, 300, &tally);
  g_assert_cmpuint (tally.n_rung, ==, 300);
  run_many (&calm, &steps, settings, HP_RUNG_PAIR, 300, &tally);
  g_assert_cmpuint (tally.n_rung, ==, 300);
  run_many (&busy, &busy, settings, HP_RUNG_PAIR, 300, &tally);
  assert_share (tally.n_rung, 300, 0.95);
  run_many (&by_address, &busy, settings, HP_RUNG_PAIR, 300, &tally);
  assert_share (tally.n_rung, 300, 0.95);
  run_many (&by_address, &by_address, settings, HP_RUNG_PAIR, 300, &tally);
  assert_share (tally.n_rung, 300, 0.95);
}

/* No entries, no datagrams are wasted on what cannot be crossed */
static void
test_hopeless (void)
{
  PairSettings settings = { 0 };
  Tally tally;

  run_many (&symmetric, &symmetric, settings, HP_RUNG_STRAIGHT, 20, &tally);
  g_assert_cmpuint (tally.n_connected, ==, 0);
  run_many (&loose_symmetric, &symmetric, settings, HP_RUNG_STRAIGHT, 20,
            &tally);
  g_assert_cmpuint (tally.n_connected, ==, 0);
  g_assert_cmpuint (tally.n_entries[0], <=, 2);
  g_assert_cmpuint (tally.n_sent[0], <, 50);
}

/* The first packet comes before the other side has sent anything, and its NAT
 * gives away the port: fresh sockets at ports agreed on help, and nothing
 * else */
static void
test_early_knock (void)
{
  PairNatKind trapped = cone;
  PairSettings settings = { .early_knock = TRUE };
  PairResult result;
  Tally tally;

  trapped.trap = TRUE;
  pair_run (&trapped, &trapped, &settings, &result);
  g_assert_false (result.is_connected);
  pair_result_clear (&result);
  settings.fresh = 40000;
  run_many (&trapped, &trapped, settings, HP_RUNG_FRESH, 100, &tally);
  g_assert_cmpuint (tally.n_rung, ==, 100);
  /* Together and with openers there is no trap */
  settings.early_knock = FALSE;
  settings.fresh = 0;
  run_many (&trapped, &trapped, settings, HP_RUNG_STRAIGHT, 100, &tally);
  g_assert_cmpuint (tally.n_rung, ==, 100);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/climb/straight", test_straight);
  g_test_add_func ("/climb/birthday", test_birthday);
  g_test_add_func ("/climb/birthday-handicapped", test_birthday_handicapped);
  g_test_add_func ("/climb/budget", test_budget);
  g_test_add_func ("/climb/block", test_block);
  g_test_add_func ("/climb/sequential", test_sequential);
  g_test_add_func ("/climb/pair", test_pair);
  g_test_add_func ("/climb/hopeless", test_hopeless);
  g_test_add_func ("/climb/early-knock", test_early_knock);
  return g_test_run ();
}
