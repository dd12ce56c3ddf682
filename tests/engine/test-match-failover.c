/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Match clients leave servers that are gone, and come back to them: how soon,
 * and how many at a time.
 */

#include "failover-world.h"

static const guint ONE[] = { 0 };
static const guint ALL[] = { 0, 1, 2 };

/* Unanswered PINGs take 1.75 s; then come up to two HELLOs in vain, 50 ms
 * apart, and three round trips */
#define NOTICED_WITHIN (2000 * MS)
#define KEEPALIVE (15 * SECOND)

static void
print_slots (const char *what, const guint *slots, gint64 duration)
{
  GString *text = g_string_new (NULL);
  guint per_second = SECOND / TOWN_SLOT;

  for (gint64 slot = 0; slot <= duration / TOWN_SLOT; slot += per_second)
    {
      guint sum = 0;

      for (guint i = 0; i < per_second; i++)
        sum += slots[slot + i];
      g_string_append_printf (text, " %u", sum);
    }
  g_test_message ("%s, by the second:%s; peak in 100 ms: %u", what, text->str,
                  town_peak (slots));
  g_string_free (text, TRUE);
}

/* Stampedes: a thousand clients of one server that restarts */

static void
test_restart_with_farewell (void)
{
  gint64 took;
  Town town;

  town_set_up (&town, 1000, FALSE, 50);
  town_connect (&town, ONE, 1);
  town_await_registered (&town, SECOND);
  town_run (&town, 30 * SECOND);

  town_mark (&town);
  town_drain (&town, 0);
  town_run (&town, 300 * MS);
  g_assert_cmpuint (town_count_registered (&town), ==, 0);
  town_restart (&town, 0);
  took = town_await_registered (&town, 10 * SECOND);
  print_slots ("after CLOSE, handshakes", town.handshakes, took);
  g_test_message ("all are back after %.2f s", took / 1e6);
  /* 50 each on the average of two seconds; those whose first HELLO came while
   * there was nobody, besides */
  g_assert_cmpuint (town_peak (town.handshakes), <=, 150);
  g_assert_cmpint (took, <=, 3 * SECOND);
  town_tear_down (&town);
}

static void
test_killed_and_restarted (void)
{
  gint64 took;
  Town town;

  town_set_up (&town, 1000, FALSE, 50);
  /* They have all come at the same instant. */
  town_connect (&town, ONE, 1);
  town_await_registered (&town, SECOND);
  town_run (&town, 3 * SECOND);

  town_mark (&town);
  town_restart (&town, 0);
  town_run (&town, 500 * MS);
  took = 500 * MS;
  while (town.servers[0].service != NULL
         && took < 30 * SECOND)
    {
      HpServiceStatistics statistics;

      hp_match_service_get_statistics (town.servers[0].service, &statistics);
      if (statistics.registrations == town.n_clients)
        break;
      town_run (&town, 100 * MS);
      took += 100 * MS;
    }
  print_slots ("after a kill, handshakes", town.handshakes, took);
  g_test_message ("all are back after %.2f s", took / 1e6);
  /* 7 each on the average of a keepalive interval */
  g_assert_cmpuint (town_peak (town.handshakes), <=, 30);
  g_assert_cmpint (took, <=, KEEPALIVE + NOTICED_WITHIN);
  /* So quickly that nobody was told */
  for (guint i = 0; i < town.n_clients; i++)
    g_assert_cmpuint (town.clients[i].n_lost, ==, 0);
  town_tear_down (&town);
}

/* As above, but it stays away for a minute: they wait for it, not in step */
static void
test_long_outage (void)
{
  guint64 hellos;
  gint64 took;
  Town town;

  town_set_up (&town, 1000, FALSE, 50);
  town_connect (&town, ONE, 1);
  town_await_registered (&town, SECOND);
  town.servers[0].mood = TOWN_DOWN;
  town_run (&town, 60 * SECOND);
  g_assert_cmpuint (town_count_registered (&town), ==, 0);
  hellos = town.servers[0].hellos;
  town_run (&town, 20 * SECOND);
  /* One in four seconds each, give or take */
  hellos = town.servers[0].hellos - hellos;
  g_assert_cmpuint (hellos, >, 4 * town.n_clients);
  g_assert_cmpuint (hellos, <, 6 * town.n_clients);

  town_mark (&town);
  town_restart (&town, 0);
  took = town_await_registered (&town, 10 * SECOND);
  print_slots ("after a long outage, handshakes", town.handshakes, took);
  g_test_message ("all are back after %.2f s", took / 1e6);
  g_assert_cmpuint (town_peak (town.handshakes), <=, 80);
  g_assert_cmpint (took, <=, 6 * SECOND);
  town_tear_down (&town);
}

/* Three hundred behind one NAT, where the server allows fifty handshakes in a
 * second: nobody is left out, and nobody hammers. */
static void
test_limited (void)
{
  gint64 took;
  Town town;

  town_set_up (&town, 300, TRUE, 50);
  town_connect (&town, ONE, 1);
  took = town_await_registered (&town, 60 * SECOND);
  print_slots ("limited, handshakes", town.handshakes, took);
  g_test_message ("all are there after %.2f s, with %" G_GUINT64_FORMAT
                  " INITIATIONs and %" G_GUINT64_FORMAT " HELLOs",
                  took / 1e6, town.servers[0].initiations,
                  town.servers[0].hellos);
  g_assert_cmpint (took, <=, 30 * SECOND);
  g_assert_cmpuint (town.servers[0].initiations, <, 10 * town.n_clients);
  town_tear_down (&town);
}

/* A server that cannot make handshakes is asked less and less, but is found
 * again. */
static void
test_busy (void)
{
  guint64 initiations;
  gint64 took;
  Town town;

  town_set_up (&town, 100, FALSE, 50);
  town.servers[0].mood = TOWN_BUSY;
  town_connect (&town, ONE, 1);
  town_run (&town, 240 * SECOND);
  initiations = town.servers[0].initiations;
  town_run (&town, 120 * SECOND);
  initiations = town.servers[0].initiations - initiations;
  /* Four in some 35 seconds each */
  g_assert_cmpuint (initiations, >, 5 * town.n_clients);
  g_assert_cmpuint (initiations, <, 25 * town.n_clients);
  town.servers[0].mood = TOWN_UP;
  took = town_await_registered (&town, 70 * SECOND);
  g_test_message ("all are there after %.2f s", took / 1e6);
  town_tear_down (&town);
}

/* Several addresses */

/* One that never answers costs nothing but its turn; the others share. */
static void
test_dead_address (void)
{
  Town town;

  town_set_up (&town, 200, FALSE, 500);
  town.servers[1].mood = TOWN_DOWN;
  town_connect (&town, ALL, 3);
  g_assert_cmpint (town_await_registered (&town, SECOND), <=,
                   50 * MS + 8 * TOWN_LATENCY);
  g_assert_cmpuint (town_count_at (&town, 0), >, 60);
  g_assert_cmpuint (town_count_at (&town, 2), >, 60);
  town_tear_down (&town);
}

static void
test_server_dies (void)
{
  guint n_there, n_others;
  gint64 died_at, took = 0;
  Town town;

  town_set_up (&town, 300, FALSE, 500);
  town_connect (&town, ALL, 3);
  town_await_registered (&town, SECOND);
  town_run (&town, 30 * SECOND);
  n_there = town_count_at (&town, 0);
  n_others = town_count_at (&town, 1);
  g_assert_cmpuint (n_there, >, 60);

  town.servers[0].mood = TOWN_DOWN;
  died_at = town.now;
  while (town_count_at (&town, 0) > 0
         || town_count_registered (&town) < town.n_clients)
    {
      g_assert_cmpint (town.now - died_at, <, KEEPALIVE + NOTICED_WITHIN);
      town_run (&town, 50 * MS);
    }
  took = town.now - died_at;
  g_test_message ("all have left after %.2f s", took / 1e6);
  /* Not all to the same one, and nobody was told of a loss. */
  g_assert_cmpuint (town_count_at (&town, 1), >, n_others + n_there / 4);
  for (guint i = 0; i < town.n_clients; i++)
    g_assert_cmpuint (town.clients[i].n_lost, ==, 0);
  town_tear_down (&town);
}

static void
test_drained (void)
{
  gint64 took;
  Town town;

  town_set_up (&town, 300, FALSE, 500);
  town_connect (&town, ALL, 3);
  town_await_registered (&town, SECOND);
  town_run (&town, 30 * SECOND);
  town.servers[0].hellos = 0;
  town_mark (&town);
  town_drain (&town, 0);
  town_run (&town, 2 * TOWN_LATENCY);
  took = town_await_registered (&town, SECOND);
  print_slots ("after CLOSE to others, handshakes", town.handshakes, took);
  g_test_message ("all are elsewhere after %.2f s", took / 1e6);
  g_assert_cmpint (took, <=, 700 * MS);
  g_assert_cmpuint (town_count_at (&town, 0), ==, 0);
  g_assert_cmpuint (town.servers[0].hellos, ==, 0);
  town_tear_down (&town);
}

/* It has restarted at once: its clients stay with it, so that all servers keep
 * their share. */
static void
test_restarted_among_others (void)
{
  guint n_there;
  Town town;

  town_set_up (&town, 150, FALSE, 500);
  town_connect (&town, ALL, 3);
  town_await_registered (&town, SECOND);
  town_run (&town, 3 * SECOND);
  n_there = town_count_at (&town, 0);
  town_restart (&town, 0);
  town_run (&town, KEEPALIVE + NOTICED_WITHIN);
  g_assert_cmpuint (town_count_registered (&town), ==, 150);
  g_assert_cmpuint (town_count_at (&town, 0), ==, n_there);
  town_tear_down (&town);
}

/* A COOKIE, and then nothing: that server is left for another. */
static void
test_busy_among_others (void)
{
  gint64 took;
  Town town;

  town_set_up (&town, 100, FALSE, 500);
  town.servers[0].mood = TOWN_BUSY;
  town_connect (&town, ALL, 3);
  took = town_await_registered (&town, 5 * SECOND);
  g_test_message ("all are elsewhere after %.2f s", took / 1e6);
  g_assert_cmpint (took, <=, 3700 * MS);
  g_assert_cmpint (took, >, SECOND);
  town_tear_down (&town);
}

/* All are down, one after the other comes back. */
static void
test_all_down (void)
{
  Town town;

  town_set_up (&town, 50, FALSE, 500);
  town_connect (&town, ALL, 3);
  town_await_registered (&town, SECOND);
  for (guint i = 0; i < 3; i++)
    town_drain (&town, i);
  town_run (&town, 40 * SECOND);
  g_assert_cmpuint (town_count_registered (&town), ==, 0);
  town_restart (&town, 2);
  g_assert_cmpint (town_await_registered (&town, 10 * SECOND), <=,
                   6 * SECOND);
  g_assert_cmpuint (town_count_at (&town, 2), ==, 50);
  town_tear_down (&town);
}

/* The server dies as it is asked: the next one answers. */
static void
test_dies_while_asked (void)
{
  HpAddress addresses[2];
  gint64 asked_at;
  Town town;

  town_set_up (&town, 2, FALSE, 500);
  addresses[0] = town.servers[0].address;
  addresses[1] = town.servers[1].address;
  hp_match_client_register (town.clients[0].client, "c0", HP_REGISTER_OPEN,
                            town.now);
  hp_match_client_register (town.clients[1].client, "c1", HP_REGISTER_OPEN,
                            town.now);
  hp_match_client_set_addresses (town.clients[1].client, addresses + 1, 1,
                                 town.now);
  town_run (&town, SECOND);
  town.servers[1].mood = TOWN_DOWN;
  hp_match_client_set_addresses (town.clients[0].client, addresses, 2,
                                 town.now);
  town_await_registered (&town, SECOND);
  town.servers[1].mood = TOWN_UP;
  town_run (&town, 20 * SECOND);
  g_assert_true (town_is_at (&town, 0, 0));
  g_assert_true (town_is_at (&town, 1, 1));

  town.servers[0].mood = TOWN_DOWN;
  asked_at = town.now;
  (void) hp_match_client_ask (town.clients[0].client, "c1", NULL, town.now);
  town_run (&town, 8 * SECOND);
  g_assert_cmpint (town.clients[0].answered_at, >, asked_at);
  g_test_message ("answered after %.2f s",
                  (town.clients[0].answered_at - asked_at) / 1e6);
  /* Silence counts from two seconds on. */
  g_assert_cmpint (town.clients[0].answered_at - asked_at, <,
                   2 * SECOND + NOTICED_WITHIN + 500 * MS);
  g_assert_true (town_is_at (&town, 0, 1));
  town_tear_down (&town);
}

/* Only through a relay: there, too, the next address gets its turn. */
static void
test_dead_address_by_relay (void)
{
  for (guint dead = 0; dead < 2; dead++)
    {
      static const guint two[] = { 0, 1 };
      HpAddress relayed;
      Town town;

      town_set_up (&town, 1, FALSE, 500);
      town.servers[dead].mood = TOWN_DOWN;
      relayed = town.clients[0].address;
      relayed.port++;
      hp_match_client_set_relay_only (town.clients[0].client, TRUE, FALSE,
                                      town.now);
      hp_match_client_add_relay (town.clients[0].client, 1, &relayed,
                                 town.now);
      town_connect (&town, two, 2);
      town_await_registered (&town, 3 * SECOND);
      g_assert_true (town_is_at (&town, 0, 1 - dead));
      town_tear_down (&town);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add_func ("/match-failover/" name, func)
  ADD ("restart-with-farewell", test_restart_with_farewell);
  ADD ("killed-and-restarted", test_killed_and_restarted);
  ADD ("long-outage", test_long_outage);
  ADD ("limited", test_limited);
  ADD ("busy", test_busy);
  ADD ("dead-address", test_dead_address);
  ADD ("server-dies", test_server_dies);
  ADD ("drained", test_drained);
  ADD ("restarted-among-others", test_restarted_among_others);
  ADD ("busy-among-others", test_busy_among_others);
  ADD ("all-down", test_all_down);
  ADD ("dies-while-asked", test_dies_while_asked);
  ADD ("dead-address-by-relay", test_dead_address_by_relay);
  return g_test_run ();
}
