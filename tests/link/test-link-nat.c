/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Links behind NATs: punching, paths, silence. */

#include "link-pair.h"

#include <string.h>

#define START (35 * MS)
#define ROUND_TRIP (50 * MS)

static const char *kind_names[SIM_N_KINDS] = {
  "open",           "firewall",        "full-cone", "address-restricted",
  "port-restricted", "symmetric",  "sequential", "block",
};

static gboolean
is_strict (SimNatKind kind)
{
  return kind == SIM_FIREWALL || kind == SIM_PORT_RESTRICTED
         || sim_nat_kind_is_symmetric (kind);
}

/* Straight, with nothing known of the NATs */
static gboolean
is_possible (SimNatKind a, SimNatKind b)
{
  return !(sim_nat_kind_is_symmetric (a) && is_strict (b))
         && !(sim_nat_kind_is_symmetric (b) && is_strict (a));
}

static void
test_pair (gconstpointer data)
{
  SimNatKind kind_a = GPOINTER_TO_UINT (data) / SIM_N_KINDS;
  SimNatKind kind_b = GPOINTER_TO_UINT (data) % SIM_N_KINDS;
  g_autoptr (Pair) pair = pair_new (1, kind_a, kind_b);
  gint64 begin = pair->world->now;

  node_send (&pair->a, HP_STREAM_ORDERED, 2000);
  node_send (&pair->b, HP_STREAM_ORDERED, 2000);
  pair_introduce (pair, &pair->a, NULL);
  if (!is_possible (kind_a, kind_b))
    {
      g_assert_false (pair_run_until_ready (pair, 11 * SECOND));
      g_assert_cmpint (pair->a.closed_by, ==, HP_LINK_CLOSED_UNREACHABLE);
      g_assert_cmpint (pair->b.closed_by, ==, HP_LINK_CLOSED_UNREACHABLE);
      return;
    }

  g_assert_true (pair_run_until_ready (pair, 11 * SECOND));
  if (!sim_nat_kind_is_symmetric (kind_a)
      && !sim_nat_kind_is_symmetric (kind_b))
    {
      g_assert_cmpint (pair->a.ready_at - begin, ==, START + ROUND_TRIP);
      g_assert_cmpint (pair->b.ready_at - begin, ==,
                       START + ROUND_TRIP * 3 / 2);
    }
  else
    /* The other's packet must come first, to tell the port */
    g_assert_cmpint (pair->b.ready_at - begin, <=, START + 3 * ROUND_TRIP);
  g_assert_true (pair_run_until_delivered (pair, SECOND));
  pair_run_for (pair, 60 * SECOND);
  node_assert_received_all (&pair->a);
  node_assert_received_all (&pair->b);
  g_assert_cmpuint (pair->a.n_silent + pair->b.n_silent, ==, 0);
}

static gboolean
drop_openers (gpointer user_data, SimHost *from, const HpOutgoing *outgoing)
{
  return outgoing->ttl == 0;
}

/* The callee starts 60 ms after the caller, whose check has knocked by then */
static void
test_early_knock (gconstpointer data)
{
  gboolean openers = GPOINTER_TO_INT (data);
  g_autoptr (Pair) pair = pair_new (2, SIM_PORT_RESTRICTED,
                                    SIM_PORT_RESTRICTED);
  Script script = { .lead = 10 * MS, .skew_b = 60 * MS };

  if (!openers)
    pair->world->filter = drop_openers;
  pair_introduce (pair, &pair->a, &script);
  g_assert_cmpint (pair_run_until_ready (pair, 11 * SECOND), ==, openers);
  if (!openers)
    g_assert_cmpint (pair->a.closed_by, ==, HP_LINK_CLOSED_UNREACHABLE);
}

/* INTRODUCE and ANSWER come at very different times */
static void
test_late_word (gconstpointer data)
{
  gint64 late = GPOINTER_TO_INT (data) * MS;
  guint i;

  for (i = 0; i < 2; i++)
    {
      g_autoptr (Pair) pair = pair_new (3, SIM_ADDRESS_RESTRICTED,
                                        SIM_ADDRESS_RESTRICTED);
      Script script = { .lead = 10 * MS };

      /* No trap: what is late is not spoiled here */
      pair->nat_a->trap = pair->nat_b->trap = FALSE;
      if (i == 0)
        script.late_a = late;
      else
        script.late_b = late;
      pair_introduce (pair, &pair->a, &script);
      g_assert_true (pair_run_until_ready (pair, 8 * SECOND));
      g_assert_cmpint (pair->b.ready_at - pair->world->now, <=,
                       late + SECOND + 3 * ROUND_TRIP);
    }
}

/* Rebinding */

static void
chat (Pair *pair, guint n)
{
  guint i;

  for (i = 0; i < n; i++)
    {
      node_send (&pair->a, HP_STREAM_ORDERED, 3000);
      node_send (&pair->b, HP_STREAM_UNORDERED, 3000);
      node_pump (&pair->a);
      node_pump (&pair->b);
      pair_run_for (pair, 20 * MS);
    }
}

/* One side's NAT gives new ports while both talk; the other side is open, so
 * that it can be followed without a new introduction */
static void
test_rebinding (gconstpointer data)
{
  gboolean of_responder = GPOINTER_TO_INT (data);
  g_autoptr (Pair) pair
      = of_responder ? pair_new (4, SIM_OPEN, SIM_PORT_RESTRICTED)
                     : pair_new (4, SIM_PORT_RESTRICTED, SIM_OPEN);
  Node *other = of_responder ? &pair->a : &pair->b;
  gint64 begin;

  pair_connect (pair);
  chat (pair, 20);
  begin = pair->world->now;
  sim_nat_flush (of_responder ? pair->nat_b : pair->nat_a, pair->world, TRUE);
  chat (pair, 20);

  /* Half a round trip for the first packet by the new mapping, one for the
   * challenge (the initiator asks before it moves) */
  g_assert_cmpuint (other->n_path, ==, 1);
  g_assert_cmpint (other->path_at - begin, <=,
                   20 * MS + ROUND_TRIP * (of_responder ? 3 : 1) / 2);
  g_assert_true (pair_run_until_delivered (pair, 5 * SECOND));
  node_assert_received_all (&pair->a);
  node_assert_received_all (&pair->b);
  g_assert_cmpuint (pair->a.n_silent + pair->b.n_silent, ==, 0);
}

/* … while nobody says anything: the consent challenges find out */
static void
test_idle_rebinding (gconstpointer data)
{
  gboolean of_responder = GPOINTER_TO_INT (data);
  g_autoptr (Pair) pair
      = of_responder ? pair_new (5, SIM_OPEN, SIM_PORT_RESTRICTED)
                     : pair_new (5, SIM_PORT_RESTRICTED, SIM_OPEN);
  Node *other = of_responder ? &pair->a : &pair->b;

  pair_connect (pair);
  pair_run_for (pair, 20 * SECOND);
  sim_nat_flush (of_responder ? pair->nat_b : pair->nat_a, pair->world, TRUE);
  pair_run_for (pair, 12 * SECOND);
  g_assert_cmpuint (other->n_path, >=, 1);
  g_assert_cmpint (hp_link_get_state (pair->a.link), ==, HP_LINK_READY);
  g_assert_cmpint (hp_link_get_state (pair->b.link), ==, HP_LINK_READY);

  node_send (&pair->a, HP_STREAM_ORDERED, 10000);
  node_send (&pair->b, HP_STREAM_ORDERED, 10000);
  g_assert_true (pair_run_until_delivered (pair, SECOND));
}

/* Two strict NATs, one flushed: nothing gets through until both are introduced
 * again; then the same session goes on */
static void
test_reintroduction (gconstpointer data)
{
  gboolean moves = GPOINTER_TO_INT (data);
  g_autoptr (Pair) pair = pair_new (6, SIM_PORT_RESTRICTED,
                                    SIM_PORT_RESTRICTED);
  SimNat *elsewhere = sim_world_add_nat (pair->world, SIM_PORT_RESTRICTED,
                                         TRUE, "203.0.113.77:0");
  gint64 begin;
  guint i;

  /* What a still sends to b would knock early, and only a fresh socket helps
   * against that */
  pair->nat_a->trap = pair->nat_b->trap = FALSE;
  pair_connect (pair);
  chat (pair, 20);
  node_send (&pair->a, HP_STREAM_ORDERED, 300000);
  node_send (&pair->b, HP_STREAM_ORDERED, 300000);
  node_pump (&pair->a);
  node_pump (&pair->b);
  pair_run_for (pair, 100 * MS);
  g_assert_cmpuint (pair->a.n_delivered, <, pair->a.n_sent);

  begin = pair->world->now;
  if (moves)
    sim_host_move (pair->a.host, elsewhere, "192.168.77.9:4222");
  else
    sim_nat_flush (pair->nat_a, pair->world, TRUE);
  for (i = 0; i < 20; i++)
    {
      node_send (&pair->a, HP_STREAM_ORDERED, 2000);
      node_send (&pair->b, HP_STREAM_ORDERED, 2000);
    }
  pair_run_for (pair, 4 * SECOND);
  g_assert_cmpuint (pair->a.n_silent, >=, 1);
  g_assert_cmpuint (pair->b.n_silent, >=, 1);
  g_assert_cmpint (pair->a.silent_at - begin, <=, 3 * SECOND);

  begin = pair->world->now;
  pair_introduce (pair, &pair->b, NULL);
  g_assert_true (pair_run_until_ready (pair, 2 * SECOND));
  g_assert_cmpint (pair->world->now - begin, <=, START + 2 * ROUND_TRIP);
  g_assert_true (pair_run_until_delivered (pair, 10 * SECOND));
  node_assert_received_all (&pair->a);
  node_assert_received_all (&pair->b);
  g_assert_cmpuint (pair->a.n_confirmed, ==, 1);
  g_assert_cmpuint (pair->b.n_confirmed, ==, 1);
  pair_run_for (pair, 60 * SECOND);
  g_assert_cmpint (hp_link_get_state (pair->a.link), ==, HP_LINK_READY);
  g_assert_cmpint (hp_link_get_state (pair->b.link), ==, HP_LINK_READY);
}

/* Only one side has noticed: the other, idle, asks its path as soon as it is
 * introduced, and what it then says takes the new one */
static void
test_one_sided_silence (gconstpointer data)
{
  gboolean of_responder = GPOINTER_TO_INT (data);
  g_autoptr (Pair) pair = pair_new (18, SIM_PORT_RESTRICTED,
                                    SIM_PORT_RESTRICTED);
  Node *moved = of_responder ? &pair->b : &pair->a;
  Node *idle = pair_get_other (pair, moved);
  gint64 begin;

  pair->nat_a->trap = pair->nat_b->trap = FALSE;
  pair_connect (pair);
  /* Just asked: it will not find out by itself for a while */
  do
    pair_run_for (pair, 100 * MS);
  while (hp_link_get_deadline (idle->link, pair->world->now)
         < pair->world->now + 3 * SECOND);
  sim_nat_flush (moved->host->nats[0], pair->world, TRUE);
  node_send (moved, HP_STREAM_ORDERED, 100);
  node_pump (moved);
  while (moved->n_silent == 0)
    pair_run_for (pair, 10 * MS);
  g_assert_cmpuint (idle->n_silent, ==, 0);

  begin = pair->world->now;
  pair_introduce (pair, moved, NULL);
  pair_run_for (pair, START);
  node_send (idle, HP_STREAM_ORDERED, 100);
  g_assert_true (pair_run_until_delivered (pair, 2 * SECOND));
  g_assert_cmpint (pair->world->now - begin, <=, 700 * MS);
}

/* An introduction of two that have a good path disturbs nothing */
static void
test_needless_introduction (void)
{
  g_autoptr (Pair) pair = pair_new (7, SIM_PORT_RESTRICTED,
                                    SIM_PORT_RESTRICTED);

  pair_connect (pair);
  chat (pair, 10);
  pair_introduce (pair, &pair->a, NULL);
  chat (pair, 20);
  pair_run_for (pair, 20 * SECOND);
  g_assert_true (pair_run_until_delivered (pair, SECOND));
  g_assert_cmpuint (pair->a.n_path + pair->b.n_path, ==, 0);
  g_assert_cmpuint (pair->a.n_silent + pair->b.n_silent, ==, 0);
}

/* Silence */

static void
test_silence_and_back (gconstpointer data)
{
  gint64 gone = GPOINTER_TO_INT (data) * SECOND;
  g_autoptr (Pair) pair = pair_new (8, SIM_PORT_RESTRICTED,
                                    SIM_PORT_RESTRICTED);

  pair_connect (pair);
  chat (pair, 10);
  pair->b.host->is_cut = TRUE;
  chat (pair, 10);
  pair_run_for (pair, gone);
  g_assert_cmpint (hp_link_get_state (pair->a.link), ==, HP_LINK_SILENT);
  g_assert_cmpint (hp_link_get_state (pair->b.link), ==, HP_LINK_SILENT);
  /* Every five seconds the owner is told */
  g_assert_cmpuint (pair->a.n_silent, >=, gone / (6 * SECOND));
  g_assert_cmpuint (pair->a.n_silent, <=, 1 + gone / (5 * SECOND));

  pair->b.host->is_cut = FALSE;
  g_assert_true (pair_run_until_ready (pair, 1200 * MS));
  g_assert_cmpuint (pair->a.n_ready, ==, 1);
  g_assert_cmpuint (pair->a.n_path, >=, 1);
  /* What was in flight is found lost at once, whatever the timeouts grew to */
  g_assert_true (pair_run_until_delivered (pair, 6 * ROUND_TRIP));
  node_assert_received_all (&pair->a);
  node_assert_received_all (&pair->b);
}

/* Consent: nothing is sent after 30 s without an answer; closed after 60 s of
 * silence */
static void
test_consent_expires (void)
{
  g_autoptr (Pair) pair = pair_new (9, SIM_PORT_RESTRICTED,
                                    SIM_PORT_RESTRICTED);
  gint64 begin;
  guint sent;

  pair_connect (pair);
  pair_run_for (pair, SECOND);
  begin = pair->world->now;
  pair->b.host->is_cut = TRUE;
  node_send (&pair->a, HP_STREAM_ORDERED, 100000);
  node_pump (&pair->a);
  pair_run_for (pair, HP_CONSENT_EXPIRY);
  g_assert_cmpint (hp_link_get_state (pair->a.link), ==, HP_LINK_SILENT);
  sent = pair->a.n_pulled;
  pair_run_for (pair, 30 * SECOND);
  g_assert_cmpuint (pair->a.n_pulled, ==, sent);
  pair_run_for (pair, 10 * SECOND);
  g_assert_cmpint (pair->a.closed_by, ==, HP_LINK_CLOSED_SILENT);
  g_assert_cmpint (pair->a.closed_at - pair->a.silent_at, ==,
                   HP_LINK_SILENT_TIMEOUT);
  g_assert_cmpint (pair->a.silent_at - begin, <=, 3 * SECOND);
}

/* An idle path is asked every five seconds, give or take, no more */
static void
test_idle_traffic (void)
{
  g_autoptr (Pair) pair = pair_new (10, SIM_PORT_RESTRICTED,
                                    SIM_PORT_RESTRICTED);
  guint before_a, before_b, n_a, n_b;

  pair_connect (pair);
  pair_run_for (pair, 15 * SECOND);
  before_a = pair->a.n_pulled;
  before_b = pair->b.n_pulled;
  pair_run_for (pair, 100 * SECOND);
  n_a = pair->a.n_pulled - before_a;
  n_b = pair->b.n_pulled - before_b;
  /* Every six seconds at the latest either side sends something to the other
   * one … */
  g_assert_cmpuint (n_a, >=, 100 / 6);
  g_assert_cmpuint (n_b, >=, 100 / 6);
  /* … and three datagrams ask for both sides' consent and answer: a challenge;
   * its answer, with a challenge and an ACK; the answer to that. Every four
   * seconds at the earliest. */
  g_assert_cmpuint (n_a + n_b, >=, 3 * 100 / 6);
  g_assert_cmpuint (n_a + n_b, <=, 3 * 100 / 4);
}

/* Better paths */

static void
add_host_candidates (Node *node)
{
  guint i;

  for (i = 0; i < node->host->n_addresses; i++)
    hp_candidates_add (&node->host_candidates, &node->host->addresses[i],
                       HP_CANDIDATE_HOST, NULL);
}

static void
test_same_lan (void)
{
  g_autoptr (Pair) pair = pair_new_same_lan (11, SIM_PORT_RESTRICTED);

  add_host_candidates (&pair->a);
  add_host_candidates (&pair->b);
  pair_connect (pair);
  node_assert_route (&pair->a, "192.168.1.3:4333");
  node_assert_route (&pair->b, "192.168.1.2:4222");
  pair_run_for (pair, 30 * SECOND);
  g_assert_cmpuint (pair->a.n_path + pair->b.n_path, ==, 0);
}

/* Each learns the other's address within the LAN only inside the session */
static void
test_trickled_lan (gconstpointer data)
{
  gboolean by_responder = GPOINTER_TO_INT (data);
  g_autoptr (Pair) pair = pair_new_same_lan (12, SIM_FULL_CONE);
  Node *teller = by_responder ? &pair->b : &pair->a;

  pair_connect (pair);
  node_assert_route (&pair->a, "203.0.113.1:4333");
  chat (pair, 5);
  add_host_candidates (teller);
  hp_link_offer_candidates (teller->link, &teller->host_candidates,
                            pair->world->now);
  chat (pair, 20);
  node_assert_route (&pair->a, "192.168.1.3:4333");
  node_assert_route (&pair->b, "192.168.1.2:4222");
  g_assert_cmpuint (pair->a.n_path, ==, 1);
  g_assert_cmpuint (pair->b.n_path, ==, 1);
  g_assert_true (pair_run_until_delivered (pair, 5 * SECOND));
  node_assert_received_all (&pair->a);
  node_assert_received_all (&pair->b);
  pair_run_for (pair, 60 * SECOND);
  node_assert_route (&pair->a, "192.168.1.3:4333");
  g_assert_cmpuint (pair->a.n_silent + pair->b.n_silent, ==, 0);
}

/* A private address of another network, where somebody else may sit */
static void
test_foreign_lan (void)
{
  g_autoptr (Pair) pair = pair_new (13, SIM_PORT_RESTRICTED,
                                    SIM_PORT_RESTRICTED);

  add_host_candidates (&pair->a);
  add_host_candidates (&pair->b);
  pair_connect (pair);
  node_assert_route (&pair->a, "203.0.113.2:4333");
  pair_run_for (pair, 10 * SECOND);
  node_assert_route (&pair->a, "203.0.113.2:4333");
}

/* Both families; IPv4 takes much longer: the initiator goes to IPv6, whichever
 * answered first, and both stay there */
static void
test_two_families (gconstpointer data)
{
  gboolean cut_fast = GPOINTER_TO_INT (data);
  g_autoptr (Pair) pair = pair_new (14, SIM_PORT_RESTRICTED,
                                    SIM_PORT_RESTRICTED);
  SimNat *v6_a = sim_world_add_nat (pair->world, SIM_FIREWALL, TRUE, NULL);
  SimNat *v6_b = sim_world_add_nat (pair->world, SIM_FIREWALL, TRUE, NULL);

  sim_host_add_address (pair->a.host, v6_a, "[2001:db8:1::2]:4222");
  sim_host_add_address (pair->b.host, v6_b, "[2001:db8:2::2]:4333");
  pair->nat_a->delay = 40 * MS;
  pair_connect (pair);
  pair_run_for (pair, 2 * SECOND);
  node_assert_route (&pair->a, "[2001:db8:2::2]:4333");
  node_assert_route (&pair->b, "[2001:db8:1::2]:4222");
  if (!cut_fast)
    return;

  /* The other path was kept to fall back on */
  chat (pair, 5);
  v6_b->kind = SIM_SYMMETRIC; /* of no address: nothing arrives */
  chat (pair, 100);
  g_assert_true (pair_run_until_delivered (pair, 10 * SECOND));
  node_assert_route (&pair->a, "203.0.113.2:4333");
  g_assert_cmpuint (pair->a.n_path, >=, 1);
  node_assert_received_all (&pair->a);
  node_assert_received_all (&pair->b);
}

/* Unproven paths */

typedef struct
{
  Pair *pair;
  HpAddress victim;
  guint n_redirected;
  guint n_to_victim;
  gboolean is_active;
} Redirector;

/* Somebody on the way takes the initiator's datagrams and sends them on from
 * a victim's address */
static gboolean
redirect (gpointer user_data, SimHost *from, const HpOutgoing *outgoing)
{
  Redirector *self = user_data;
  HpDatagram datagram = { .length = outgoing->length };
  guint8 copy[HP_DATAGRAM_SIZE_MAX];

  if (hp_address_equal (&outgoing->route.remote, &self->victim))
    {
      self->n_to_victim++;
      return FALSE;
    }
  if (!self->is_active || from != self->pair->a.host)
    return TRUE;
  self->n_redirected++;
  memcpy (copy, outgoing->bytes, outgoing->length);
  datagram.bytes = copy;
  datagram.route.remote = self->victim;
  hp_link_receive (self->pair->b.link, &datagram, self->pair->world->now);
  return FALSE;
}

static void
test_unproven_budget (void)
{
  g_autoptr (Pair) pair = pair_new (15, SIM_OPEN, SIM_OPEN);
  Redirector redirector = { .pair = pair };

  g_assert_true (hp_address_parse (&redirector.victim, "198.51.100.99:53"));
  pair_connect (pair);
  chat (pair, 10);
  pair->world->filter = redirect;
  pair->world->filter_data = &redirector;
  redirector.is_active = TRUE;
  chat (pair, 40);
  pair_run_for (pair, SECOND);
  g_assert_cmpuint (redirector.n_redirected, >=, 20);
  g_assert_cmpuint (redirector.n_to_victim, >, 0);
  g_assert_cmpuint (redirector.n_to_victim, <=, HP_UNPROVEN_DATAGRAMS);

  /* When it stops, the old path is there still */
  redirector.is_active = FALSE;
  g_assert_true (pair_run_until_delivered (pair, 10 * SECOND));
  node_assert_route (&pair->b, "198.18.1.2:4222");
  node_assert_received_all (&pair->b);
}

/* Datagrams that somebody copies and sends on from elsewhere, ahead of the
 * true ones, lead nobody away for long */
static gboolean
copy_ahead (gpointer user_data, SimHost *from, const HpOutgoing *outgoing)
{
  Redirector *self = user_data;
  Node *to = from == self->pair->a.host ? &self->pair->b : &self->pair->a;
  HpDatagram datagram = { .length = outgoing->length };
  guint8 copy[HP_DATAGRAM_SIZE_MAX];

  if (hp_address_equal (&outgoing->route.remote, &self->victim))
    {
      self->n_to_victim++;
      return FALSE;
    }
  if (!self->is_active || ++self->n_redirected % 5 != 0)
    return TRUE;
  memcpy (copy, outgoing->bytes, outgoing->length);
  datagram.bytes = copy;
  datagram.route.remote = self->victim;
  hp_link_receive (to->link, &datagram, self->pair->world->now);
  return TRUE;
}

static void
test_copies_ahead (void)
{
  g_autoptr (Pair) pair = pair_new (16, SIM_OPEN, SIM_OPEN);
  Redirector redirector = { .pair = pair };

  g_assert_true (hp_address_parse (&redirector.victim, "198.51.100.99:53"));
  pair_connect (pair);
  pair->world->filter = copy_ahead;
  pair->world->filter_data = &redirector;
  redirector.is_active = TRUE;
  chat (pair, 50);
  g_assert_cmpuint (redirector.n_redirected, >, 100);
  redirector.is_active = FALSE;
  g_assert_true (pair_run_until_delivered (pair, 10 * SECOND));
  node_assert_received_all (&pair->a);
  node_assert_received_all (&pair->b);
  node_assert_route (&pair->a, "198.18.2.2:4333");
  node_assert_route (&pair->b, "198.18.1.2:4222");
}

/* The network below changes; the addresses stay */
static void
test_check_paths (void)
{
  g_autoptr (Pair) pair = pair_new (17, SIM_PORT_RESTRICTED, SIM_OPEN);
  gint64 begin;

  pair_connect (pair);
  pair_run_for (pair, 10 * SECOND);
  sim_nat_flush (pair->nat_a, pair->world, TRUE);
  begin = pair->world->now;
  hp_link_check_paths (pair->a.link, FALSE, pair->world->now);
  node_pump (&pair->a);
  pair_run_for (pair, ROUND_TRIP);
  g_assert_cmpuint (pair->b.n_path, ==, 1);
  g_assert_cmpint (pair->b.path_at - begin, ==, ROUND_TRIP / 2);
  g_assert_cmpuint (pair->a.n_silent, ==, 0);
}

int
main (int argc, char **argv)
{
  guint i;

  g_test_init (&argc, &argv, NULL);
  for (i = 0; i < SIM_N_KINDS * SIM_N_KINDS; i++)
    {
      g_autofree char *name
          = g_strdup_printf ("/link-nat/pair/%s/%s",
                             kind_names[i / SIM_N_KINDS],
                             kind_names[i % SIM_N_KINDS]);

      g_test_add_data_func (name, GUINT_TO_POINTER (i), test_pair);
    }
  g_test_add_data_func ("/link-nat/early-knock/with-openers",
                        GINT_TO_POINTER (TRUE), test_early_knock);
  g_test_add_data_func ("/link-nat/early-knock/without",
                        GINT_TO_POINTER (FALSE), test_early_knock);
  for (i = 100; i <= 4000; i *= 3)
    {
      g_autofree char *name = g_strdup_printf ("/link-nat/late-word/%u", i);

      g_test_add_data_func (name, GUINT_TO_POINTER (i), test_late_word);
    }
  g_test_add_data_func ("/link-nat/rebinding/initiator",
                        GINT_TO_POINTER (FALSE), test_rebinding);
  g_test_add_data_func ("/link-nat/rebinding/responder",
                        GINT_TO_POINTER (TRUE), test_rebinding);
  g_test_add_data_func ("/link-nat/idle-rebinding/initiator",
                        GINT_TO_POINTER (FALSE), test_idle_rebinding);
  g_test_add_data_func ("/link-nat/idle-rebinding/responder",
                        GINT_TO_POINTER (TRUE), test_idle_rebinding);
  g_test_add_data_func ("/link-nat/reintroduction/flushed",
                        GINT_TO_POINTER (FALSE), test_reintroduction);
  g_test_add_data_func ("/link-nat/reintroduction/moved",
                        GINT_TO_POINTER (TRUE), test_reintroduction);
  g_test_add_data_func ("/link-nat/one-sided-silence/initiator",
                        GINT_TO_POINTER (FALSE), test_one_sided_silence);
  g_test_add_data_func ("/link-nat/one-sided-silence/responder",
                        GINT_TO_POINTER (TRUE), test_one_sided_silence);
  g_test_add_func ("/link-nat/reintroduction/needless",
                   test_needless_introduction);
  g_test_add_data_func ("/link-nat/silence/short", GINT_TO_POINTER (6),
                        test_silence_and_back);
  g_test_add_data_func ("/link-nat/silence/long", GINT_TO_POINTER (25),
                        test_silence_and_back);
  g_test_add_func ("/link-nat/silence/consent-expires", test_consent_expires);
  g_test_add_func ("/link-nat/idle-traffic", test_idle_traffic);
  g_test_add_func ("/link-nat/same-lan", test_same_lan);
  g_test_add_data_func ("/link-nat/trickled-lan/initiator",
                        GINT_TO_POINTER (FALSE), test_trickled_lan);
  g_test_add_data_func ("/link-nat/trickled-lan/responder",
                        GINT_TO_POINTER (TRUE), test_trickled_lan);
  g_test_add_func ("/link-nat/foreign-lan", test_foreign_lan);
  g_test_add_data_func ("/link-nat/two-families/faster",
                        GINT_TO_POINTER (FALSE), test_two_families);
  g_test_add_data_func ("/link-nat/two-families/fallback",
                        GINT_TO_POINTER (TRUE), test_two_families);
  g_test_add_func ("/link-nat/unproven/budget", test_unproven_budget);
  g_test_add_func ("/link-nat/unproven/copies-ahead", test_copies_ahead);
  g_test_add_func ("/link-nat/check-paths", test_check_paths);
  return g_test_run ();
}
