/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What of two links is marked ECT(0). */

#include "hole-punch/link/hp-link-private.h"
#include "hole-punch/transport/hp-path-ecn.h"
#include "link-pair.h"

typedef struct
{
  Pair *pair;
  gboolean drops;
  guint n_marked[2]; /* sent by a and by b */
} Way;

static gboolean
check (gpointer user_data, SimHost *from, const HpOutgoing *outgoing)
{
  Way *self = user_data;
  gboolean is_b = from == self->pair->b.host;
  const HpLink *link = is_b ? self->pair->b.link : self->pair->a.link;

  if (outgoing->ecn == HP_ECN_NOT_ECT)
    return TRUE;
  g_assert_cmpint (outgoing->ecn, ==, HP_ECN_ECT_0);
  g_assert_true (outgoing->bytes[0] == HP_PACKET_DATA_0
                 || outgoing->bytes[0] == HP_PACKET_DATA_1);
  g_assert_true (hp_route_equal (&outgoing->route, &link->path->route));
  g_assert_true (link->path->is_proven);
  self->n_marked[is_b]++;
  return !self->drops;
}

static Pair *
create_pair (Way *way)
{
  Pair *pair = pair_new (1, SIM_PORT_RESTRICTED, SIM_OPEN);

  way->pair = pair;
  pair->world->filter = check;
  pair->world->filter_data = way;
  pair_connect (pair);
  return pair;
}

static void
transfer (Pair *pair)
{
  node_send (&pair->a, HP_STREAM_ORDERED, 300000);
  node_send (&pair->b, HP_STREAM_UNORDERED, 300000);
  g_assert_true (pair_run_until_delivered (pair, 30 * SECOND));
  node_assert_received_all (&pair->a);
  node_assert_received_all (&pair->b);
}

static void
test_marked (void)
{
  Way way = { 0 };
  g_autoptr (Pair) pair = create_pair (&way);

  transfer (pair);
  g_assert_cmpuint (way.n_marked[0], >, 200);
  g_assert_cmpuint (way.n_marked[1], >, 200);
}

/* The responder follows to an address that is not proven yet. */
static void
test_rebinding (void)
{
  Way way = { 0 };
  g_autoptr (Pair) pair = create_pair (&way);
  guint before;

  transfer (pair);
  node_send (&pair->b, HP_STREAM_ORDERED, 300000);
  node_pump (&pair->b);
  sim_nat_flush (pair->nat_a, pair->world, TRUE);
  transfer (pair);
  g_assert_cmpuint (pair->b.n_path, >, 0);
  /* It has been found to carry marks again. */
  before = way.n_marked[1];
  transfer (pair);
  g_assert_cmpuint (way.n_marked[1] - before, >, 250);
}

static void
test_dropped (void)
{
  Way way = { .drops = TRUE };
  g_autoptr (Pair) pair = create_pair (&way);

  transfer (pair);
  for (guint i = 0; i < G_N_ELEMENTS (way.n_marked); i++)
    {
      g_assert_cmpuint (way.n_marked[i], >=, HP_PATH_ECN_MAX_LOST);
      /* A first path may be given up for another. */
      g_assert_cmpuint (way.n_marked[i], <=, 2 * HP_PATH_ECN_TESTS);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/link-ecn/marked", test_marked);
  g_test_add_func ("/link-ecn/rebinding", test_rebinding);
  g_test_add_func ("/link-ecn/dropped", test_dropped);
  return g_test_run ();
}
