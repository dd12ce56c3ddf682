/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What each side knows of its NATs reaches the other: with the introduction,
 * and again when it changes while both try to reach each other. */

#include "match-world.h"

#include <string.h>

static const HpNatFacts busy
    = { .mapping = HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT,
        .allocation = HP_WIRE_ALLOCATION_SEQUENTIAL,
        .step = 1,
        .drift = 50,
        .port = 40000,
        .first_port = 39990,
        .last_port = 40000 };
static const HpNatFacts home
    = { .mapping = HP_WIRE_MAPPING_ENDPOINT_INDEPENDENT,
        .allocation = HP_WIRE_ALLOCATION_PRESERVED,
        .port = 5000,
        .first_port = 5000,
        .last_port = 5000 };

static void
test_open (void)
{
  World world;
  WorldClient *callee, *caller;
  HpMatchEvent *event;
  HpNatFacts fresh = busy;

  world_set_up (&world, 1);
  callee = world_add_registered (&world, "wq", HP_REGISTER_OPEN);
  caller = world_add_connected (&world);
  /* Told to the server by another REGISTER, before anybody asks */
  hp_match_client_set_nat (callee->client, &busy, world.now);
  hp_match_client_set_nat (caller->client, &home, world.now);
  world_run (&world, 2 * SECOND);
  client_forget (callee);

  world_ask (&world, caller, "wq");
  g_assert_true (
      world_await_event (&world, caller, HP_MATCH_EVENT_ANSWER, SECOND));
  event = client_find (caller, HP_MATCH_EVENT_ANSWER);
  g_assert_true (hp_nat_facts_same_kind (&event->introduction.nat, &busy));
  g_assert_cmpuint (event->introduction.nat.drift, ==, 50);
  g_assert_cmpuint (event->introduction.nat.port, ==, 40000);
  /* Two seconds, and the way */
  g_assert_cmpuint (event->introduction.nat.age, >=, 1950);
  g_assert_cmpuint (event->introduction.nat.age, <=, 2200);

  g_assert_true (
      world_await_event (&world, callee, HP_MATCH_EVENT_INTRODUCED, SECOND));
  event = client_find (callee, HP_MATCH_EVENT_INTRODUCED);
  g_assert_true (hp_nat_facts_same_kind (&event->introduction.nat, &home));

  /* A fresh look at the NAT: told at once, to the caller … */
  client_forget (caller);
  client_forget (callee);
  fresh.port = 40150;
  hp_match_client_set_nat (callee->client, &fresh, world.now);
  world_run (&world, 100 * MS);
  event = client_find (caller, HP_MATCH_EVENT_ANSWER);
  g_assert_nonnull (event);
  g_assert_true (event->introduction.repeated);
  g_assert_cmpuint (event->introduction.nat.port, ==, 40150);
  g_assert_cmpuint (event->introduction.nat.age, <, 200);

  /* … and to the callee */
  client_forget (callee);
  fresh.port = 40160;
  hp_match_client_set_nat (caller->client, &fresh, world.now);
  world_run (&world, 100 * MS);
  event = client_find (callee, HP_MATCH_EVENT_INTRODUCED);
  g_assert_nonnull (event);
  g_assert_true (event->introduction.repeated);
  g_assert_cmpuint (event->introduction.nat.port, ==, 40160);

  /* The same again is no news. */
  client_forget (caller);
  client_forget (callee);
  world_run (&world, 3 * SECOND);
  client_forget (callee);
  hp_match_client_set_nat (caller->client, &fresh, world.now);
  world_run (&world, 50 * MS);
  g_assert_cmpuint (client_count (caller, HP_MATCH_EVENT_ANSWER), ==, 0);
  world_tear_down (&world);
}

static void
test_with_reply (void)
{
  World world;
  WorldClient *callee, *caller;
  HpMatchEvent *event;

  world_set_up (&world, 2);
  callee = world_add_registered (&world, "wq", 0);
  caller = world_add_connected (&world);
  hp_match_client_set_nat (callee->client, &home, world.now);
  hp_match_client_set_nat (caller->client, &busy, world.now);
  world_run (&world, SECOND);

  world_ask (&world, caller, "wq");
  g_assert_true (
      world_await_event (&world, callee, HP_MATCH_EVENT_INTRODUCED, SECOND));
  event = client_find (callee, HP_MATCH_EVENT_INTRODUCED);
  g_assert_true (event->introduction.needs_reply);
  g_assert_true (hp_nat_facts_same_kind (&event->introduction.nat, &busy));
  hp_match_client_reply (callee->client, event->introduction.ticket.number,
                         TRUE, world.now);
  g_assert_true (
      world_await_event (&world, caller, HP_MATCH_EVENT_ANSWER, SECOND));
  event = client_find (caller, HP_MATCH_EVENT_ANSWER);
  g_assert_true (hp_nat_facts_same_kind (&event->introduction.nat, &home));
  world_tear_down (&world);
}

/* Who refuses tells nothing of itself, not even later. */
static void
test_refused (void)
{
  World world;
  WorldClient *callee, *caller;
  HpMatchEvent *event;
  guint64 request;

  world_set_up (&world, 3);
  callee = world_add_registered (&world, "wq", 0);
  caller = world_add_connected (&world);
  request = world_ask (&world, caller, "wq");
  g_assert_true (
      world_await_event (&world, callee, HP_MATCH_EVENT_INTRODUCED, SECOND));
  event = client_find (callee, HP_MATCH_EVENT_INTRODUCED);
  hp_match_client_reply (callee->client, event->introduction.ticket.number,
                         FALSE, world.now);
  world_assert_refused (&world, caller, request, HP_REFUSED_UNKNOWN_ID);
  hp_match_client_set_nat (callee->client, &home, world.now);
  world_run (&world, SECOND);
  g_assert_cmpuint (client_count (caller, HP_MATCH_EVENT_ANSWER), ==, 0);
  world_tear_down (&world);
}

/* What is found out while a REGISTER is not yet answered waits for that, so that
 * nobody is asked twice whether it is allowed; of a refused one nothing comes. */
static void
test_while_registering (void)
{
  World world;
  WorldClient *callee, *caller, *other;
  HpMatchEvent *event;

  world_set_up (&world, 4);
  callee = world_add_connected (&world);
  other = world_add_connected (&world);
  caller = world_add_connected (&world);
  world.registry_delay = 300 * MS;
  hp_match_client_register (callee->client, "wq", HP_REGISTER_OPEN,
                            world.now);
  /* Said for the third time: the fourth will be too late. */
  world_run (&world, 200 * MS);
  hp_match_client_set_nat (callee->client, &busy, world.now);
  world_run (&world, 50 * MS);
  g_assert_cmpuint (world_count (&world, HP_SERVICE_EVENT_CLAIM), ==, 1);
  g_assert_true (world_await_registered (&world, callee, SECOND));
  /* Before long, and without being asked */
  world_run (&world, 600 * MS);
  callee->is_cut_off = TRUE;
  world_ask (&world, caller, "wq");
  g_assert_true (
      world_await_event (&world, caller, HP_MATCH_EVENT_ANSWER, SECOND));
  event = client_find (caller, HP_MATCH_EVENT_ANSWER);
  g_assert_true (hp_nat_facts_same_kind (&event->introduction.nat, &busy));
  world_run (&world, SECOND);

  hp_match_client_register (other->client, "wq", 0, world.now);
  world_run (&world, 100 * MS);
  hp_match_client_set_nat (other->client, &home, world.now);
  g_assert_true (world_await_event (
      &world, other, HP_MATCH_EVENT_REGISTRATION_REFUSED, SECOND));
  world_run (&world, 10 * SECOND);
  g_assert_cmpuint (
      client_count (other, HP_MATCH_EVENT_REGISTRATION_REFUSED), ==, 1);
  world_tear_down (&world);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/match-facts/open", test_open);
  g_test_add_func ("/match-facts/with-reply", test_with_reply);
  g_test_add_func ("/match-facts/refused", test_refused);
  g_test_add_func ("/match-facts/while-registering", test_while_registering);
  return g_test_run ();
}
