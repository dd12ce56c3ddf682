/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Every kind of NAT against every other, with what both know of themselves: who
 * gets through, how fast, and how many NAT entries it takes.
 */

#include "link-pair.h"

#define ENTRIES 512
#define START (35 * MS)
#define ROUND_TRIP (50 * MS)

typedef struct
{
  const char *name;
  SimNatKind kind;
  gboolean remaps;
  guint foreign;
} Shape;

static const Shape shapes[] = {
  { "open", SIM_OPEN, FALSE, 0 },
  { "firewall", SIM_FIREWALL, FALSE, 0 },
  { "full-cone", SIM_FULL_CONE, FALSE, 0 },
  { "address-restricted", SIM_ADDRESS_RESTRICTED, FALSE, 0 },
  { "port-restricted", SIM_PORT_RESTRICTED, FALSE, 0 },
  { "remapped", SIM_PORT_RESTRICTED, TRUE, 0 },
  { "sequential", SIM_SEQUENTIAL, FALSE, 0 },
  { "sequential-busy", SIM_SEQUENTIAL, FALSE, 50 },
  { "block", SIM_BLOCK, FALSE, 0 },
  { "random", SIM_SYMMETRIC, FALSE, 0 },
};

typedef struct
{
  guint n_runs, n_ready, most_entries;
  gint64 slowest;
} Result;

static gboolean
is_dependent (const Shape *shape)
{
  return sim_nat_kind_is_symmetric (shape->kind);
}

/* It looks at the port that a packet comes from */
static gboolean
is_strict (const Shape *shape)
{
  return shape->kind != SIM_OPEN && shape->kind != SIM_FULL_CONE
         && shape->kind != SIM_ADDRESS_RESTRICTED;
}

/* Per cent of the runs that must get through */
static guint
get_expected (const Shape *a, const Shape *b)
{
  if (!is_dependent (a) && !is_dependent (b))
    return 100;
  if (is_dependent (a) && is_dependent (b))
    return 0;
  return is_strict (is_dependent (a) ? b : a) ? 80 : 100;
}

static void
shape_nat (SimNat *nat, const Shape *shape)
{
  nat->remaps = shape->remaps;
  nat->foreign = shape->foreign;
}

static void
run_once (guint64 seed, const Shape *a, const Shape *b, Result *result)
{
  g_autoptr (Pair) pair = pair_new (seed, a->kind, b->kind);
  HpNatBudget budgets[2];
  gint64 begin = pair->world->now;
  gint64 ready;

  hp_nat_budget_init (&budgets[0], ENTRIES, begin);
  hp_nat_budget_init (&budgets[1], ENTRIES, begin);
  pair->a.budget = &budgets[0];
  pair->b.budget = &budgets[1];
  node_renew (&pair->a, pair->b.keys.public_key);
  node_renew (&pair->b, pair->a.keys.public_key);
  shape_nat (pair->nat_a, a);
  shape_nat (pair->nat_b, b);
  pair->tells_nat = TRUE;
  node_send (&pair->a, HP_STREAM_ORDERED, 3000);
  node_send (&pair->b, HP_STREAM_ORDERED, 3000);
  pair_introduce (pair, &pair->a, NULL);

  result->n_runs++;
  if (pair_run_until_ready (pair, 12 * SECOND))
    {
      ready = MAX (pair->a.ready_at, pair->b.ready_at) - begin;
      result->n_ready++;
      result->slowest = MAX (result->slowest, ready);
      g_assert_true (pair_run_until_delivered (pair, 2 * SECOND));
      pair_run_for (pair, 3 * SECOND);
      node_assert_received_all (&pair->a);
      node_assert_received_all (&pair->b);
      /* What was opened for it is closed again, but for the path in use and the
       * two to fall back on */
      g_assert_cmpuint (g_hash_table_size (pair->a.host->sockets), <=, 3);
      g_assert_cmpuint (g_hash_table_size (pair->b.host->sockets), <=, 3);
    }
  /* The entry toward the match server is not punching's, and what the bucket is
   * refilled with meanwhile is little */
  result->most_entries = MAX (result->most_entries, pair->nat_a->n_entries);
  result->most_entries = MAX (result->most_entries, pair->nat_b->n_entries);
}

static void
test_pair (gconstpointer data)
{
  const Shape *a = &shapes[GPOINTER_TO_UINT (data) / G_N_ELEMENTS (shapes)];
  const Shape *b = &shapes[GPOINTER_TO_UINT (data) % G_N_ELEMENTS (shapes)];
  guint expected = get_expected (a, b);
  guint n_runs = is_dependent (a) != is_dependent (b) ? 5 : 2;
  Result result = { 0 };
  guint64 seed;

  for (seed = 1; seed <= n_runs; seed++)
    run_once (seed * 7919, a, b, &result);
  g_test_message ("%s – %s: %u of %u, at most %.0f ms, %u entries", a->name,
                  b->name, result.n_ready, result.n_runs,
                  result.slowest / 1000.0, result.most_entries);
  g_assert_cmpuint (result.most_entries, <=, ENTRIES + 1 + 12 * ENTRIES / 120);
  g_assert_cmpuint (100 * result.n_ready, >=, expected * result.n_runs);
  if (expected == 100)
    g_assert_cmpint (result.slowest, <=, START + 3 * ROUND_TRIP);
}

int
main (int argc, char **argv)
{
  guint i;

  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions ();
  for (i = 0; i < G_N_ELEMENTS (shapes) * G_N_ELEMENTS (shapes); i++)
    {
      g_autofree char *name = g_strdup_printf (
          "/link-matrix/%s/%s", shapes[i / G_N_ELEMENTS (shapes)].name,
          shapes[i % G_N_ELEMENTS (shapes)].name);

      g_test_add_data_func (name, GUINT_TO_POINTER (i), test_pair);
    }
  return g_test_run ();
}
