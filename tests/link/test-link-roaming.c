/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Links whose paths come and go: relays, NATs that forget, networks that
 * change, machines that sleep.
 */

#include "link-pair.h"

#include <string.h>

#define ROUND_TRIP (50 * MS)
#define RELAY "198.51.100.7:50000"

static void
chat (Pair *pair, guint n)
{
  guint i;

  for (i = 0; i < n; i++)
    {
      node_send (&pair->a, HP_STREAM_ORDERED, 3000);
      node_send (&pair->b, HP_STREAM_ORDERED, 3000);
      node_pump (&pair->a);
      node_pump (&pair->b);
      pair_run_for (pair, 20 * MS);
    }
}

static void
assert_all_came (Pair *pair)
{
  g_assert_true (pair_run_until_delivered (pair, 10 * SECOND));
  node_assert_received_all (&pair->a);
  node_assert_received_all (&pair->b);
}

static void
assert_rank (Pair *pair, HpPathRank rank)
{
  g_assert_cmpint (hp_link_get_path_rank (pair->a.link), ==, rank);
  g_assert_cmpint (hp_link_get_path_rank (pair->b.link), ==, rank);
}

/* Relays */

static gboolean
only_relays (gpointer user_data, SimHost *from, const HpOutgoing *outgoing)
{
  const gboolean *is_blocked = user_data;
  HpAddress relayed;

  g_assert_true (hp_address_parse (&relayed, RELAY));
  return !*is_blocked
         || (from->n_relays > 0
             && outgoing->route.socket == from->relays[0].socket)
         || hp_address_equal (&outgoing->route.remote, &relayed);
}

static Pair *
pair_new_relayed (guint64 seed, gboolean of_callee)
{
  Pair *pair = pair_new (seed, SIM_PORT_RESTRICTED, SIM_PORT_RESTRICTED);

  pair->recovers = TRUE;
  pair->tells_nat = TRUE;
  node_add_relay (of_callee ? &pair->b : &pair->a, RELAY, 20 * MS);
  return pair;
}

/* No way but the relay at first: data flows over it; when direct packets get
 * through, they are found and taken, and nothing is lost or comes twice */
static void
test_relayed_then_direct (gconstpointer data)
{
  g_autoptr (Pair) pair = pair_new_relayed (1, GPOINTER_TO_INT (data));
  gboolean is_blocked = TRUE;
  gint64 begin = pair->world->now;
  guint i;

  pair->world->filter = only_relays;
  pair->world->filter_data = &is_blocked;
  pair_connect (pair);
  g_assert_cmpint (pair->world->now - begin, <=, 500 * MS);
  assert_rank (pair, HP_PATH_RELAYED);
  chat (pair, 50);
  pair_run_for (pair, 60 * SECOND);
  assert_rank (pair, HP_PATH_RELAYED);
  /* At a growing interval, and the one who does it is the initiator */
  g_assert_cmpuint (pair->a.n_relayed, >=, 2);
  g_assert_cmpuint (pair->a.n_relayed, <=, 6);
  g_assert_cmpuint (pair->b.n_relayed, ==, 0);

  is_blocked = FALSE;
  for (i = 0; i < 3000 && hp_link_get_path_rank (pair->b.link)
                               == HP_PATH_RELAYED; i++)
    chat (pair, 1);
  assert_rank (pair, HP_PATH_DIRECT);
  chat (pair, 20);
  assert_all_came (pair);
  g_assert_cmpuint (pair->a.n_silent + pair->b.n_silent, ==, 0);
}

/* Direct is possible from the start: it is what is used, soon */
static void
test_direct_beside_relay (gconstpointer data)
{
  g_autoptr (Pair) pair = pair_new_relayed (2, GPOINTER_TO_INT (data));

  pair_connect (pair);
  chat (pair, 20);
  assert_rank (pair, HP_PATH_DIRECT);
  assert_all_came (pair);
  g_assert_cmpuint (pair->a.n_relayed, ==, 0);
}

/* The relay is lost while it is used, and there is nothing else; then the way
 * is free */
static void
test_relay_removed (void)
{
  g_autoptr (Pair) pair = pair_new_relayed (3, FALSE);
  gboolean is_blocked = TRUE;

  pair->world->filter = only_relays;
  pair->world->filter_data = &is_blocked;
  pair_connect (pair);
  chat (pair, 10);
  is_blocked = FALSE;
  hp_link_remove_relay (pair->a.link, pair->a.host->relays[0].socket,
                        pair->world->now);
  node_pump (&pair->a);
  chat (pair, 10);
  g_assert_true (pair_run_until_ready (pair, 5 * SECOND));
  chat (pair, 10);
  assert_rank (pair, HP_PATH_DIRECT);
  assert_all_came (pair);
}

static void
test_relay_only (void)
{
  g_autoptr (Pair) pair = pair_new (4, SIM_FULL_CONE, SIM_FULL_CONE);

  pair->recovers = TRUE;
  pair->a.relay_only = TRUE;
  node_renew (&pair->a, pair->b.keys.public_key);
  node_add_relay (&pair->a, RELAY, 20 * MS);
  pair->world->filter = only_relays;
  pair->world->filter_data = &(gboolean){ TRUE };
  pair_connect (pair);
  pair->world->filter = NULL;
  chat (pair, 20);
  pair_run_for (pair, 60 * SECOND);
  assert_rank (pair, HP_PATH_RELAYED);
  g_assert_cmpuint (pair->a.n_relayed, ==, 0);
  assert_all_came (pair);
}

typedef struct
{
  const SimHost *hidden;
  guint n_shown; /* sent from where nobody is to see it */
  gsize length;
  guint8 bytes[2048]; /* a DATA that has not come through */
} Spy;

static gboolean
spy (gpointer user_data, SimHost *from, const HpOutgoing *outgoing)
{
  Spy *self = user_data;

  if (from == self->hidden)
    self->n_shown += outgoing->route.socket == 0;
  else if (self->length == 0 && outgoing->bytes[0] == HP_PACKET_DATA_0)
    {
      self->length = outgoing->length;
      memcpy (self->bytes, outgoing->bytes, outgoing->length);
      return FALSE;
    }
  return TRUE;
}

/* The other side guesses where we are, and gets no answer there */
static void
test_not_confirmed (void)
{
  g_autoptr (Pair) pair = pair_new (4, SIM_FULL_CONE, SIM_FULL_CONE);
  Spy watching = { .hidden = pair->a.host };
  HpDatagram guess = { .bytes = watching.bytes };

  pair->a.relay_only = TRUE;
  node_renew (&pair->a, pair->b.keys.public_key);
  node_add_relay (&pair->a, RELAY, 20 * MS);
  pair->world->filter = spy;
  pair->world->filter_data = &watching;
  pair_connect (pair);
  chat (pair, 5);
  watching.length = 0;
  chat (pair, 5);
  g_assert_cmpuint (watching.length, >, 0);
  guess.length = watching.length;
  g_assert_true (hp_address_parse (&guess.route.remote, "192.0.2.66:4000"));
  hp_link_receive (pair->a.link, &guess, pair->world->now);
  node_pump (&pair->a);
  pair_run_for (pair, 5 * SECOND);
  g_assert_cmpuint (watching.n_shown, ==, 0);
  assert_rank (pair, HP_PATH_RELAYED);
}

/* NATs that forget */

/* Both talk for @time: the longest that either hears nothing */
static gint64
measure_pause (Pair *pair, gint64 time)
{
  Node *nodes[2] = { &pair->a, &pair->b };
  gint64 until = pair->world->now + time;
  gint64 heard_at[2] = { pair->world->now, pair->world->now };
  guint64 n_heard[2] = { pair->a.n_received, pair->b.n_received };
  gint64 longest = 0;
  guint i;

  while (pair->world->now < until)
    {
      for (i = 0; i < 2; i++)
        {
          node_send (nodes[i], HP_STREAM_ORDERED, 100);
          node_pump (nodes[i]);
        }
      pair_run_for (pair, 10 * MS);
      for (i = 0; i < 2; i++)
        {
          if (nodes[i]->n_received != n_heard[i])
            heard_at[i] = pair->world->now;
          n_heard[i] = nodes[i]->n_received;
          longest = MAX (longest, pair->world->now - heard_at[i]);
        }
    }
  g_test_message ("pause %.0f ms", longest / 1000.0);
  return longest;
}

/* What the other side still sends knocks early: the NAT takes its own port for
 * it, and only a fresh socket helps */
static void
test_reboot (gconstpointer data)
{
  gboolean of_responder = GPOINTER_TO_INT (data);
  g_autoptr (Pair) pair = pair_new (5, SIM_PORT_RESTRICTED,
                                    SIM_PORT_RESTRICTED);
  gint64 pause;

  pair->recovers = TRUE;
  pair->tells_nat = TRUE;
  pair_connect (pair);
  chat (pair, 20);
  assert_all_came (pair);
  sim_nat_flush (of_responder ? pair->nat_b : pair->nat_a, pair->world, FALSE);
  /* The other one speaks first */
  node_send (of_responder ? &pair->a : &pair->b, HP_STREAM_ORDERED, 3000);
  node_pump (of_responder ? &pair->a : &pair->b);
  pair_run_for (pair, ROUND_TRIP / 2 + MS);
  pause = measure_pause (pair, 10 * SECOND);
  g_assert_cmpint (pause, <=, 2 * SECOND);
  chat (pair, 20);
  assert_all_came (pair);
  pair_run_for (pair, 120 * SECOND);
  assert_rank (pair, HP_PATH_DIRECT);
  chat (pair, 5);
  assert_all_came (pair);
}

/* Nobody says anything for longer than a mapping lives */
static void
test_short_lifetime (void)
{
  g_autoptr (Pair) pair = pair_new (6, SIM_PORT_RESTRICTED,
                                    SIM_PORT_RESTRICTED);
  gint64 pause;

  pair->nat_a->idle_lifetime = pair->nat_b->idle_lifetime = 20 * SECOND;
  pair->nat_a->remaps = pair->nat_b->remaps = TRUE;
  pair_connect (pair);
  chat (pair, 10);
  pair_run_for (pair, 30 * SECOND);
  pause = measure_pause (pair, 10 * SECOND);
  g_assert_cmpint (pause, <=, ROUND_TRIP);
  g_assert_cmpuint (pair->a.n_silent + pair->b.n_silent, ==, 0);
}

/* Mappings that die, whatever flows */
static void
test_absolute_lifetime (gconstpointer data)
{
  gboolean of_both = GPOINTER_TO_INT (data);
  g_autoptr (Pair) pair = pair_new (7, SIM_PORT_RESTRICTED,
                                    SIM_PORT_RESTRICTED);
  gint64 pause;

  pair->recovers = TRUE;
  pair->nat_a->trap = pair->nat_b->trap = FALSE;
  pair->nat_a->absolute_lifetime = 60 * SECOND;
  pair->nat_b->absolute_lifetime = of_both ? 70 * SECOND : 0;
  pair->nat_a->remaps = pair->nat_b->remaps = TRUE;
  pair_connect (pair);
  pause = measure_pause (pair, 300 * SECOND);
  /* It is noticed within half a second, and nobody is told of an interruption */
  g_assert_cmpint (pause, <=, 800 * MS);
  g_assert_cmpuint (pair->a.n_failing + pair->b.n_failing, >, 0);
  g_assert_cmpuint (pair->a.n_silent + pair->b.n_silent, ==, 0);
  assert_all_came (pair);
}

/* The path answers again before anything came of it: that is told, so that the
 * question to the match server can end; and the next time counts as well */
static void
test_failing_in_vain (void)
{
  g_autoptr (Pair) pair = pair_new (8, SIM_PORT_RESTRICTED,
                                    SIM_PORT_RESTRICTED);

  pair_connect (pair);
  chat (pair, 20);
  for (guint i = 1; i <= 3; i++)
    {
      pair->b.host->is_cut = TRUE;
      node_send (&pair->a, HP_STREAM_ORDERED, 1000);
      node_pump (&pair->a);
      pair_run_for (pair, 700 * MS);
      g_assert_cmpuint (pair->a.n_failing, ==, i);
      g_assert_cmpuint (pair->a.n_path, ==, i - 1);
      pair->b.host->is_cut = FALSE;
      g_assert_true (pair_run_until_delivered (pair, SECOND));
      g_assert_cmpuint (pair->a.n_path, ==, i);
      pair_run_for (pair, 3 * SECOND);
    }
  /* Nobody waits for anything */
  pair->b.host->is_cut = TRUE;
  pair_run_for (pair, 700 * MS);
  g_assert_cmpuint (pair->a.n_failing, ==, 3);
  g_assert_cmpuint (pair->a.n_silent, ==, 0);
}

/* Another network, and the system tells of it */
static void
test_address_change (gconstpointer data)
{
  gboolean is_idle = GPOINTER_TO_INT (data);
  g_autoptr (Pair) pair = pair_new (8, SIM_PORT_RESTRICTED,
                                    SIM_PORT_RESTRICTED);
  SimNat *elsewhere = sim_world_add_nat (pair->world, SIM_PORT_RESTRICTED,
                                         TRUE, "203.0.113.77:0");
  gint64 begin, pause;

  pair->recovers = TRUE;
  pair->tells_nat = TRUE;
  pair_connect (pair);
  chat (pair, 20);
  begin = pair->world->now;
  sim_host_move (pair->a.host, elsewhere, "192.168.77.9:4222");
  hp_link_check_paths (pair->a.link, TRUE, pair->world->now);
  node_pump (&pair->a);
  if (is_idle)
    pair_run_for (pair, SECOND);
  pause = measure_pause (pair, 10 * SECOND);
  g_assert_cmpint (pair->a.silent_at - begin, <=, 500 * MS);
  g_assert_cmpint (pause, <=, SECOND);
  assert_all_came (pair);
}

/* The machine of a sleeps: its clock has gone on, it has not */
static void
test_suspended (gconstpointer data)
{
  gint64 time = GPOINTER_TO_INT (data) * SECOND;
  g_autoptr (Pair) pair = pair_new (9, SIM_PORT_RESTRICTED,
                                    SIM_PORT_RESTRICTED);
  gint64 pause;

  pair->recovers = TRUE;
  pair_connect (pair);
  chat (pair, 20);
  assert_all_came (pair);
  pair_run_for (pair, 3 * SECOND);
  /* Both sleep, so that nothing has happened when they wake up */
  pair->world->now += time;
  pause = measure_pause (pair, 10 * SECOND);
  g_assert_cmpint (pause, <=, 3 * ROUND_TRIP);
  g_assert_cmpuint (pair->a.n_silent + pair->b.n_silent, ==, 0);
  assert_all_came (pair);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/link-roaming/relayed-then-direct/caller",
                        GINT_TO_POINTER (FALSE), test_relayed_then_direct);
  g_test_add_data_func ("/link-roaming/relayed-then-direct/callee",
                        GINT_TO_POINTER (TRUE), test_relayed_then_direct);
  g_test_add_data_func ("/link-roaming/direct-beside-relay/caller",
                        GINT_TO_POINTER (FALSE), test_direct_beside_relay);
  g_test_add_data_func ("/link-roaming/direct-beside-relay/callee",
                        GINT_TO_POINTER (TRUE), test_direct_beside_relay);
  g_test_add_func ("/link-roaming/relay-removed", test_relay_removed);
  g_test_add_func ("/link-roaming/relay-only", test_relay_only);
  g_test_add_func ("/link-roaming/not-confirmed", test_not_confirmed);
  g_test_add_data_func ("/link-roaming/reboot/initiator",
                        GINT_TO_POINTER (FALSE), test_reboot);
  g_test_add_data_func ("/link-roaming/reboot/responder",
                        GINT_TO_POINTER (TRUE), test_reboot);
  g_test_add_func ("/link-roaming/short-lifetime", test_short_lifetime);
  g_test_add_data_func ("/link-roaming/absolute-lifetime/one",
                        GINT_TO_POINTER (FALSE), test_absolute_lifetime);
  g_test_add_data_func ("/link-roaming/absolute-lifetime/both",
                        GINT_TO_POINTER (TRUE), test_absolute_lifetime);
  g_test_add_func ("/link-roaming/failing-in-vain", test_failing_in_vain);
  g_test_add_data_func ("/link-roaming/address-change/talking",
                        GINT_TO_POINTER (FALSE), test_address_change);
  g_test_add_data_func ("/link-roaming/address-change/idle",
                        GINT_TO_POINTER (TRUE), test_address_change);
  g_test_add_data_func ("/link-roaming/suspended/short", GINT_TO_POINTER (20),
                        test_suspended);
  g_test_add_data_func ("/link-roaming/suspended/long", GINT_TO_POINTER (600),
                        test_suspended);
  return g_test_run ();
}
