/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Hundreds of runs, each made by its seed: NATs, a bad network, both sides
 * talking, mappings that change, hosts that move, keys that are renewed. The
 * owner of a link does what a peer does: when a link is silent it asks for an
 * introduction. In the end both are connected by the session that they began
 * with, and every message has come once.
 *
 *   --seed N    runs that one alone, and says what was sent
 *   --seeds N   runs so many
 */

#include "link-pair.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_SEEDS 300

static guint64 first_seed = 1;
static guint64 n_seeds = DEFAULT_SEEDS;
static gboolean verbose;

typedef struct
{
  Pair *pair;
  guint seen_silent; /* SILENT events of both that were acted on */
  gint64 introduced_at;
  guint n_moves;
  guint64 sent_at_update[2]; /* messages, plus one */
} Run;

static guint
pick (SimWorld *world, guint below)
{
  return sim_world_chance (world) * below;
}

static gboolean
is_strict (SimNatKind kind)
{
  return kind == SIM_FIREWALL || kind == SIM_PORT_RESTRICTED
         || sim_nat_kind_is_symmetric (kind);
}

static Pair *
create_pair (guint64 seed)
{
  g_autoptr (SimWorld) chooser = sim_world_new (seed * 7919 + 1);
  SimNatKind kind_a = pick (chooser, SIM_N_KINDS);
  SimNatKind kind_b = pick (chooser, SIM_N_KINDS);
  SimQuality *quality;
  Pair *pair;

  if ((sim_nat_kind_is_symmetric (kind_a) && is_strict (kind_b))
      || (sim_nat_kind_is_symmetric (kind_b) && is_strict (kind_a)))
    kind_a = SIM_FULL_CONE;
  pair = pair_new (seed, kind_a, kind_b);
  pair->nat_a->trap = pair->nat_b->trap = FALSE;

  quality = &pair->world->quality;
  quality->delay = (1 + pick (chooser, 150)) * MS;
  quality->jitter = pick (chooser, 3) * pick (chooser, 30) * MS;
  quality->loss = pick (chooser, 4) * pick (chooser, 100) / 1000.0;
  quality->duplication = pick (chooser, 2) * pick (chooser, 20) / 100.0;
  quality->corruption = pick (chooser, 2) * pick (chooser, 10) / 100.0;
  pair->world->verbose = verbose;
  return pair;
}

/* Asks for an introduction when a link is silent, not more often than each
 * three seconds */
static void
tend (Run *self)
{
  Pair *pair = self->pair;
  guint n_silent = pair->a.n_silent + pair->b.n_silent;

  if (n_silent == self->seen_silent
      || pair->world->now - self->introduced_at < 3 * SECOND)
    return;
  self->seen_silent = n_silent;
  self->introduced_at = pair->world->now;
  pair_introduce (pair,
                  hp_link_get_state (pair->a.link) == HP_LINK_SILENT
                      ? &pair->a
                      : &pair->b,
                  NULL);
}

static void
move (Run *self)
{
  Pair *pair = self->pair;
  Node *node = pick (pair->world, 2) ? &pair->a : &pair->b;
  SimNatKind kind = node->host->nats[0]->kind;
  g_autofree char *outside = g_strdup_printf ("203.0.113.%u:0",
                                              50 + ++self->n_moves);
  g_autofree char *inside
      = g_strdup_printf ("192.168.%u.5:5000", 50 + self->n_moves);

  if (kind == SIM_OPEN || kind == SIM_FIREWALL)
    kind = SIM_FULL_CONE;
  sim_host_move (node->host,
                 sim_world_add_nat (pair->world, kind, FALSE, outside),
                 inside);
  if (pick (pair->world, 2))
    {
      hp_link_check_paths (node->link, FALSE, pair->world->now);
      node_pump (node);
    }
}

/* Never twice before the other side has seen the first: in earnest an hour
 * lies between them */
static void
update_keys (Run *self, Node *node)
{
  guint64 *sent = &self->sent_at_update[node == &self->pair->b];

  if (*sent != 0 && node->n_delivered < *sent)
    return;
  *sent = node->n_sent + 1;
  hp_link_update_keys (node->link, self->pair->world->now);
}

static void
do_something (Run *self)
{
  Pair *pair = self->pair;
  SimWorld *world = pair->world;
  Node *node = pick (world, 2) ? &pair->a : &pair->b;

  switch (pick (world, 40))
    {
    case 0:
      sim_nat_flush (pick (world, 2) ? pair->nat_a : pair->nat_b, world,
                     TRUE);
      break;
    case 1:
      if (self->n_moves < 3)
        move (self);
      break;
    case 2:
      update_keys (self, node);
      break;
    case 3:
      hp_link_check_paths (node->link, pick (world, 2), world->now);
      break;
    case 4:
      pair_introduce (pair, node, NULL);
      break;
    case 5:
      node->host->is_cut = !node->host->is_cut;
      break;
    case 6:
      node_send (node, HP_STREAM_ORDERED, 20000 + pick (world, 100000));
      break;
    default:
      node_send (node, pick (world, 2), 8 + pick (world, 5000));
      break;
    }
  node_pump (&pair->a);
  node_pump (&pair->b);
}

static void
connect_both (Run *self)
{
  Pair *pair = self->pair;
  SimWorld *world = pair->world;
  Script script = { .lead = pick (world, 50) * MS,
                    .late_a = pick (world, 2) * pick (world, 200) * MS,
                    .late_b = pick (world, 2) * pick (world, 200) * MS };

  pair_introduce (pair, pick (world, 2) ? &pair->a : &pair->b, &script);
  if (pick (world, 3) == 0)
    {
      pair_run_for (pair, pick (world, 300) * MS);
      pair_introduce (pair, pick (world, 2) ? &pair->a : &pair->b, NULL);
    }
  g_assert_true (pair_run_until_ready (pair, 10 * SECOND));
}

static void
finish (Run *self)
{
  Pair *pair = self->pair;
  Node *closer = pick (pair->world, 2) ? &pair->a : &pair->b;
  guint i;

  /* Peace returns */
  pair->a.host->is_cut = pair->b.host->is_cut = FALSE;
  pair->world->quality.jitter = 0;
  pair->world->quality.loss = 0;
  pair->world->quality.corruption = 0;
  for (i = 0; i < 100 && !pair_run_until_delivered (pair, SECOND / 2); i++)
    tend (self);
  node_assert_received_all (&pair->a);
  node_assert_received_all (&pair->b);
  /* Long enough for a dead path to be found out */
  for (i = 0; i < 40 && (i < 20 || !pair_run_until_ready (pair, 1)); i++)
    {
      pair_run_for (pair, SECOND / 2);
      tend (self);
    }
  g_assert_true (pair_run_until_ready (pair, 1));
  g_assert_cmpuint (pair->a.n_confirmed, ==, 1);
  g_assert_cmpuint (pair->b.n_confirmed, ==, 1);
  g_assert_cmpuint (pair->a.n_ready, ==, 1);
  g_assert_cmpuint (pair->b.n_ready, ==, 1);

  hp_link_close (closer->link, HP_CLOSE_NORMAL, "end", pair->world->now);
  node_pump (closer);
  pair_run_for (pair, 2 * SECOND);
  g_assert_cmpint (pair_get_other (pair, closer)->closed_by, ==,
                   HP_LINK_CLOSED_BY_REMOTE);
}

static guint64
run_scenario (guint64 seed)
{
  g_autoptr (Pair) pair = create_pair (seed);
  Run run = { .pair = pair };
  guint n = 50 + pick (pair->world, 100);
  guint i;

  connect_both (&run);
  for (i = 0; i < n; i++)
    {
      do_something (&run);
      pair_run_for (pair, pick (pair->world, 200) * MS);
      tend (&run);
      if (pair->a.host->is_cut && pick (pair->world, 4) == 0)
        pair->a.host->is_cut = FALSE;
      if (pair->b.host->is_cut && pick (pair->world, 4) == 0)
        pair->b.host->is_cut = FALSE;
    }
  finish (&run);
  return pair->world->trace;
}

static void
test_scenarios (void)
{
  guint64 seed;

  for (seed = first_seed; seed < first_seed + n_seeds; seed++)
    {
      if (!g_test_quiet () || verbose)
        g_test_message ("seed %" G_GUINT64_FORMAT, seed);
      run_scenario (seed);
    }
}

static void
test_same_trace (void)
{
  guint64 seed;

  for (seed = 1; seed <= 5; seed++)
    {
      guint64 trace = run_scenario (seed);

      g_assert_cmpuint (run_scenario (seed), ==, trace);
      g_assert_cmpuint (run_scenario (seed + 100), !=, trace);
    }
}

int
main (int argc, char **argv)
{
  const GOptionEntry options[] = {
    { "seed", 0, 0, G_OPTION_ARG_INT64, &first_seed, "Run this one", "N" },
    { "seeds", 0, 0, G_OPTION_ARG_INT64, &n_seeds, "Run so many", "N" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  /* Before GLib takes its own --seed for it */
  g_option_context_add_main_entries (context, options, NULL);
  g_option_context_set_ignore_unknown_options (context, TRUE);
  g_option_context_set_help_enabled (context, FALSE);
  first_seed = 0;
  g_option_context_parse (context, &argc, &argv, &error);
  g_assert_no_error (error);
  if (first_seed != 0)
    {
      n_seeds = 1;
      verbose = TRUE;
    }
  else
    first_seed = 1;
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/link-scenarios/run", test_scenarios);
  g_test_add_func ("/link-scenarios/same-trace", test_same_trace);
  return g_test_run ();
}
