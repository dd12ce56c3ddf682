/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How long it takes from the question to a usable connection when every
 * twentieth datagram is lost, those to and from the match server too: over many
 * runs, as a distribution.
 *
 *     a ── ASK ──▸ server            repeated after 1.5 round trips, 3, 6 …
 *     a ◂── ANSWER ── server ── INTRODUCE ──▸ b      twice the first time
 *     a ◂── punches ──▸ b
 */

#include "link-pair.h"

#define N_RUNS 400
#define DELAY (20 * MS)
#define ROUND_TRIP (2 * DELAY)
#define MAX_REPEAT SECOND

typedef struct
{
  const char *name;
  SimNatKind a, b;
  gboolean has_relay;
} Case;

static const Case cases[] = {
  { "open", SIM_OPEN, SIM_OPEN, FALSE },
  { "firewall/port-restricted", SIM_FIREWALL, SIM_PORT_RESTRICTED, FALSE },
  { "full-cone/port-restricted", SIM_FULL_CONE, SIM_PORT_RESTRICTED, FALSE },
  { "port-restricted", SIM_PORT_RESTRICTED, SIM_PORT_RESTRICTED, FALSE },
  { "port-restricted/relay", SIM_PORT_RESTRICTED, SIM_PORT_RESTRICTED, TRUE },
  { "full-cone/relay", SIM_FULL_CONE, SIM_PORT_RESTRICTED, TRUE },
};

static int
compare (gconstpointer a, gconstpointer b)
{
  gint64 left = *(const gint64 *) a;
  gint64 right = *(const gint64 *) b;

  return left < right ? -1 : left > right;
}

static gint64
get_percentile (gint64 *times, guint n, guint percent)
{
  qsort (times, n, sizeof *times, compare);
  return times[MIN (n * percent / 100, n - 1)];
}

static gboolean
is_carried (Pair *pair, gdouble loss, guint copies)
{
  gboolean is_carried = FALSE;

  while (copies-- > 0)
    is_carried |= sim_world_chance (pair->world) >= loss;
  return is_carried;
}

/* How late ANSWER and INTRODUCE are, compared with the first that could come */
static void
draw_lateness (Pair *pair, gdouble loss, Script *script)
{
  gboolean has_answer = FALSE, has_introduce = FALSE;
  gint64 interval = ROUND_TRIP * 3 / 2;
  guint copies = 2;
  gint64 at = 0;

  while (!has_answer || !has_introduce)
    {
      gboolean is_asked = is_carried (pair, loss, 1);

      if (!has_answer)
        script->late_a = at;
      if (!has_introduce)
        script->late_b = at;
      if (is_asked)
        {
          has_answer |= is_carried (pair, loss, copies);
          has_introduce |= is_carried (pair, loss, copies);
          copies = 1;
        }
      at += interval;
      interval = MIN (2 * interval, MAX_REPEAT);
    }
}

/* From the question on, in microseconds; to a direct path as well */
static void
run_once (const Case *what, guint64 seed, gdouble loss, gint64 *usable,
          gint64 *direct)
{
  g_autoptr (Pair) pair = pair_new (seed, what->a, what->b);
  Script script = { 0 };
  /* The question has arrived at the server */
  gint64 begin = pair->world->now - DELAY;

  pair->tells_nat = TRUE;
  pair->recovers = TRUE;
  pair->world->quality.delay = DELAY;
  draw_lateness (pair, loss, &script);
  if (what->has_relay)
    node_add_relay (&pair->a, "198.51.100.9:50000", MS);
  pair->world->quality.loss = loss;
  pair_introduce (pair, &pair->a, &script);

  while (pair->a.ready_at == 0 && pair->world->now < begin + 10 * SECOND)
    pair_run_for (pair, MS);
  g_assert_cmpint (pair->a.ready_at, >, 0);
  *usable = pair->a.ready_at - begin;
  while (hp_link_get_path_rank (pair->a.link) == HP_PATH_RELAYED
         && pair->world->now < begin + 10 * SECOND)
    pair_run_for (pair, MS);
  *direct = pair->world->now - begin;
}

static void
test_case (gconstpointer data)
{
  const Case *what = &cases[GPOINTER_TO_UINT (data) / 2];
  gdouble loss = GPOINTER_TO_UINT (data) % 2 == 0 ? 0 : 0.05;
  guint n_runs = loss == 0 ? 10 : N_RUNS;
  gint64 usable[N_RUNS], direct[N_RUNS];
  gint64 median, late;

  for (guint i = 0; i < n_runs; i++)
    run_once (what, 1 + i * 104729, loss, &usable[i], &direct[i]);
  median = get_percentile (usable, n_runs, 50);
  late = get_percentile (usable, n_runs, 95);
  g_test_message ("%s, loss %.0f %%: median %.0f ms, p95 %.0f, p99 %.0f, "
                  "at most %.0f; direct: p95 %.0f, p99 %.0f, at most %.0f",
                  what->name, 100 * loss, median / 1000.0, late / 1000.0,
                  get_percentile (usable, n_runs, 99) / 1000.0,
                  get_percentile (usable, n_runs, 100) / 1000.0,
                  get_percentile (direct, n_runs, 95) / 1000.0,
                  get_percentile (direct, n_runs, 99) / 1000.0,
                  get_percentile (direct, n_runs, 100) / 1000.0);
  g_assert_cmpint (median, <=, 100 * MS);
  g_assert_cmpint (late, <=, loss == 0 ? 150 * MS : 250 * MS);
  g_assert_cmpint (get_percentile (direct, n_runs, 95), <=, 400 * MS);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < 2 * G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *name
          = g_strdup_printf ("/link-loss/%s%s", cases[i / 2].name,
                             i % 2 == 0 ? "/none" : "/lossy");

      g_test_add_data_func (name, GUINT_TO_POINTER (i), test_case);
    }
  return g_test_run ();
}
