/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Links between which larger datagrams vanish without a word. */

#include "link-pair.h"

#define ETHERNET 1472

typedef struct
{
  gsize carries;
  gsize largest; /* that was sent … */
  HpAddress to;  /* … to this host; NONE: to any */
  guint n_too_large;
  SimHost *muted; /* of whom only so many datagrams more are carried */
  guint n_left;
} Way;

static gboolean
is_carried (gpointer user_data, SimHost *from, const HpOutgoing *outgoing)
{
  Way *self = user_data;

  if (from == self->muted && self->n_left-- == 0)
    {
      self->n_left = 0;
      return FALSE;
    }
  if (self->to.family == HP_ADDRESS_NONE
      || hp_address_same_host (&self->to, &outgoing->route.remote))
    self->largest = MAX (self->largest, outgoing->length);
  if (outgoing->length <= self->carries)
    return TRUE;
  self->n_too_large++;
  return FALSE;
}

static Pair *
create_pair (Way *way, gsize datagram_size, gsize max_datagram_size)
{
  Pair *pair = pair_new (1, SIM_PORT_RESTRICTED, SIM_OPEN);
  Node *nodes[] = { &pair->a, &pair->b };

  for (guint i = 0; i < G_N_ELEMENTS (nodes); i++)
    {
      nodes[i]->datagram_size = datagram_size;
      nodes[i]->max_datagram_size = max_datagram_size;
      nodes[i]->interface_size = ETHERNET;
    }
  node_renew (&pair->a, pair->b.keys.public_key);
  node_renew (&pair->b, pair->a.keys.public_key);
  pair->world->filter = is_carried;
  pair->world->filter_data = way;
  return pair;
}

static gsize
get_size (const Node *node)
{
  return hp_link_get_datagram_size (node->link);
}

static void
transfer (Pair *pair)
{
  node_send (&pair->a, HP_STREAM_ORDERED, 500000);
  node_send (&pair->b, HP_STREAM_UNORDERED, 500000);
  g_assert_true (pair_run_until_delivered (pair, 30 * SECOND));
  node_assert_received_all (&pair->a);
  node_assert_received_all (&pair->b);
}

static void
test_found (void)
{
  const gsize carried[] = { 1024, 1372, 1472, 9000 };

  for (guint i = 0; i < G_N_ELEMENTS (carried); i++)
    {
      Way way = { .carries = carried[i] };
      g_autoptr (Pair) pair = create_pair (&way, 1024, 65507);

      pair_connect (pair);
      pair_run_for (pair, SECOND);
      /* Nothing is tried for its own sake. */
      g_assert_cmpuint (way.largest, <=, 1024);
      transfer (pair);
      g_assert_cmpuint (get_size (&pair->a), ==, MIN (carried[i], ETHERNET));
      g_assert_cmpuint (get_size (&pair->b), ==, MIN (carried[i], ETHERNET));
      /* Of both */
      g_assert_cmpuint (way.n_too_large, <=, 22);
      g_assert_cmpuint (way.largest, ==, ETHERNET);
    }
}

static void
test_limits (void)
{
  const struct
  {
    gsize base, max, interface, found;
  } cases[] = {
    { 1024, 1024, ETHERNET, 1024 }, { 1024, 600, ETHERNET, 1024 },
    { 1024, 1300, ETHERNET, 1300 }, { 1024, 65507, 1300, 1300 },
    { 1024, 65507, 0, 1024 },       { 1200, 1200, ETHERNET, 1200 },
    { 1400, 65507, 1300, 1400 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      Way way = { .carries = 65507 };
      g_autoptr (Pair) pair
          = create_pair (&way, cases[i].base, cases[i].max);

      pair->a.interface_size = pair->b.interface_size = cases[i].interface;
      pair_connect (pair);
      transfer (pair);
      g_assert_cmpuint (get_size (&pair->a), ==, cases[i].found);
      g_assert_cmpuint (get_size (&pair->b), ==, cases[i].found);
      g_assert_cmpuint (way.largest, ==, cases[i].found);
    }
}

/* The path is the same, but narrower: another way behind a router, say. */
static void
test_black_hole (void)
{
  const gsize bases[] = { 1024, ETHERNET };

  for (guint i = 0; i < G_N_ELEMENTS (bases); i++)
    {
      Way way = { .carries = ETHERNET };
      g_autoptr (Pair) pair = create_pair (&way, bases[i], 65507);

      pair_connect (pair);
      transfer (pair);
      g_assert_cmpuint (get_size (&pair->a), ==, ETHERNET);
      node_send (&pair->a, HP_STREAM_ORDERED, 3000000);
      node_pump (&pair->a);
      pair_run_for (pair, 50 * MS);
      g_assert_cmpuint (pair->a.n_delivered, <, pair->a.n_sent);

      way.carries = 1272;
      g_assert_true (pair_run_until_delivered (pair, 30 * SECOND));
      node_assert_received_all (&pair->b);
      g_assert_cmpuint (get_size (&pair->a), <=, 1272);
      g_assert_cmpuint (get_size (&pair->a), >=, 1252);
      /* What is small went to and fro all the time. */
      g_assert_cmpuint (pair->a.n_silent + pair->b.n_silent, ==, 0);
    }
}

/* Set too large for the path */
static void
test_base_too_large (void)
{
  Way way = { .carries = 1372 };
  g_autoptr (Pair) pair = create_pair (&way, ETHERNET, ETHERNET);

  pair_connect (pair);
  transfer (pair);
  g_assert_cmpuint (get_size (&pair->a), ==, 1372);
  g_assert_cmpuint (get_size (&pair->b), ==, 1372);
  g_assert_cmpuint (pair->a.n_silent + pair->b.n_silent, ==, 0);
}

/* Another network begins with what all carry. */
static void
test_path_change (void)
{
  Way way = { .carries = ETHERNET };
  g_autoptr (Pair) pair = create_pair (&way, 1024, 65507);
  SimNat *elsewhere;

  pair_connect (pair);
  transfer (pair);
  g_assert_cmpuint (get_size (&pair->a), ==, ETHERNET);
  elsewhere = sim_world_add_nat (pair->world, SIM_PORT_RESTRICTED, TRUE,
                                 "203.0.113.77:0");
  sim_host_move (pair->a.host, elsewhere, "192.168.77.9:4222");
  hp_link_check_paths (pair->a.link, FALSE, pair->world->now);
  way.carries = 1252;
  way.largest = 0;
  node_send (&pair->a, HP_STREAM_ORDERED, 8);
  g_assert_true (pair_run_until_delivered (pair, 10 * SECOND));
  g_assert_cmpuint (pair->b.n_path, >=, 1);
  /* The one who moved sees the same path, whose NAT is another. */
  g_assert_cmpuint (get_size (&pair->b), ==, 1024);
  transfer (pair);
  g_assert_cmpuint (get_size (&pair->a), ==, 1252);
  g_assert_cmpuint (get_size (&pair->b), ==, 1252);
}

/* Whoever said the first words from a new address may have used another's. */
static void
test_unproven (void)
{
  Way way = { .carries = ETHERNET };
  g_autoptr (Pair) pair = create_pair (&way, 1024, 65507);
  SimNat *elsewhere;

  pair_connect (pair);
  elsewhere = sim_world_add_nat (pair->world, SIM_PORT_RESTRICTED, TRUE,
                                 "203.0.113.77:0");
  sim_host_move (pair->a.host, elsewhere, "192.168.77.9:4222");
  way.muted = pair->a.host;
  way.n_left = 4;
  way.to = elsewhere->public_address;
  node_send (&pair->a, HP_STREAM_ORDERED, 4000);
  node_send (&pair->b, HP_STREAM_ORDERED, 100000);
  node_pump (&pair->a);
  pair_run_for (pair, SECOND);
  g_assert_cmpuint (pair->b.n_path, >=, 1);
  g_assert_cmpuint (way.largest, ==, 1024);
}

/* The keepalive of a path that is not used has no reason to be large. */
static void
test_idle (void)
{
  Way way = { .carries = ETHERNET };
  g_autoptr (Pair) pair = create_pair (&way, 1024, 65507);

  pair_connect (pair);
  for (guint i = 0; i < 100; i++)
    {
      node_send (&pair->a, HP_STREAM_ORDERED, 500);
      node_send (&pair->b, HP_STREAM_ORDERED, 900);
      g_assert_true (pair_run_until_delivered (pair, SECOND));
      pair_run_for (pair, SECOND);
    }
  g_assert_cmpuint (way.largest, <, 1024);
  g_assert_cmpuint (get_size (&pair->a), ==, 1024);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/link/mtu/found", test_found);
  g_test_add_func ("/link/mtu/limits", test_limits);
  g_test_add_func ("/link/mtu/black-hole", test_black_hole);
  g_test_add_func ("/link/mtu/base-too-large", test_base_too_large);
  g_test_add_func ("/link/mtu/path-change", test_path_change);
  g_test_add_func ("/link/mtu/unproven", test_unproven);
  g_test_add_func ("/link/mtu/idle", test_idle);
  return g_test_run ();
}
