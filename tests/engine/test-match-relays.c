/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Client and service against each other: relays that the server lends, and how
 * old what it passes on of NATs is. */

#include "match-world.h"
#include "raw-peer.h"

#include <string.h>

static const HpNatFacts random_ports = {
  .mapping = HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT,
  .allocation = HP_WIRE_ALLOCATION_RANDOM,
  .port = 4711,
  .age = 100,
};

static const HpMatchRelays two_relays = {
  .lifetime = 600,
  .n_relays = 2,
  .uris = { "turn:192.0.2.1", "turns:turn.example.org:443" },
  .username = "1700000600:abcd",
  .password = "secret",
};

static void
set_up (World *world, gconstpointer data)
{
  world_set_up (world, g_test_rand_int ());
}

static void
tear_down (World *world, gconstpointer data)
{
  world_tear_down (world);
}

/* What a callee told when it registered is in the first ANSWER, as old as it is
 * by then. */
static void
test_age (World *world, gconstpointer data)
{
  WorldClient *callee = world_add_connected (world);
  WorldClient *caller = world_add_connected (world);
  const HpNatFacts *told;

  hp_match_client_set_nat (callee->client, &random_ports, world->now);
  hp_match_client_register (callee->client, "wq", HP_REGISTER_OPEN,
                            world->now);
  world_run (world, 3 * SECOND);
  world_ask (world, caller, "wq");
  g_assert_true (
      world_await_event (world, caller, HP_MATCH_EVENT_ANSWER, 45 * MS));
  told = &client_find (caller, HP_MATCH_EVENT_ANSWER)->introduction.nat;
  g_assert_true (hp_nat_facts_same_kind (told, &random_ports));
  g_assert_cmpuint (told->port, ==, 4711);
  g_assert_cmpuint (told->age, >=, 3000);
  g_assert_cmpuint (told->age, <, 3200);
}

static void
test_relays (World *world, gconstpointer data)
{
  WorldClient *client = world_add_connected (world);
  const HpLentRelays *lent;
  HpServiceEvent *event;

  world->relays = &two_relays;
  world->loss_percent = 30;
  hp_match_client_request_relays (client->client, world->now);
  g_assert_true (world_await_event (world, client, HP_MATCH_EVENT_RELAYS,
                                    20 * SECOND));
  lent = hp_match_client_get_relays (client->client);
  g_assert_cmpuint (lent->lifetime, ==, 600);
  g_assert_cmpuint (lent->n_relays, ==, 2);
  g_assert_cmpstr (lent->relays[0].uri, ==, "turn:192.0.2.1");
  g_assert_cmpstr (lent->relays[1].uri, ==, "turns:turn.example.org:443");
  g_assert_cmpstr (lent->relays[1].username, ==, "1700000600:abcd");
  g_assert_cmpstr (lent->relays[1].password, ==, "secret");
  event = world_find (world, HP_SERVICE_EVENT_RELAYS);
  assert_key (event->public_key, client);
  g_assert_false (event->is_known);
}

/* Who has registered, or was introduced */
static void
test_known (World *world, gconstpointer data)
{
  WorldClient *callee = world_add_registered (world, "wq", HP_REGISTER_OPEN);
  WorldClient *caller = world_add_connected (world);
  HpServiceEvent *event;

  world->relays = &two_relays;
  hp_match_client_request_relays (callee->client, world->now);
  world_run (world, SECOND);
  event = world_find (world, HP_SERVICE_EVENT_RELAYS);
  g_assert_true (event->is_known);
  g_assert_cmpstr (event->id, ==, "wq");

  world_assert_refused (world, caller, world_ask (world, caller, "nobody"),
                        HP_REFUSED_UNKNOWN_ID);
  hp_match_client_request_relays (caller->client, world->now);
  world_run (world, SECOND);
  g_assert_false (world_find (world, HP_SERVICE_EVENT_RELAYS)->is_known);
  world_ask (world, caller, "wq");
  world_run (world, SECOND);
  hp_match_client_request_relays (caller->client, world->now);
  world_run (world, SECOND);
  g_assert_true (world_find (world, HP_SERVICE_EVENT_RELAYS)->is_known);
}

static void
test_no_relays (World *world, gconstpointer data)
{
  WorldClient *client = world_add_connected (world);

  hp_match_client_request_relays (client->client, world->now);
  g_assert_true (world_await_event (world, client, HP_MATCH_EVENT_RELAYS,
                                    SECOND));
  g_assert_cmpuint (hp_match_client_get_relays (client->client)->n_relays, ==,
                    0);
  g_assert_cmpuint (world_statistics (world).refused, ==, 1);
}

/* Only relays are to be seen, and there is none any more: we go on talking with
 * the server, which may lend another one, but nobody is told of the address
 * that it sees. */
static void
test_held (World *world, gconstpointer data)
{
  WorldClient *callee = world_add_registered (world, "wq", HP_REGISTER_OPEN);
  WorldClient *caller = world_add_connected (world);

  client_forget (callee);
  hp_match_client_set_relay_only (callee->client, TRUE, TRUE, world->now);
  g_assert_true (
      world_await_event (world, callee, HP_MATCH_EVENT_CONNECTED, SECOND));
  world_run (world, SECOND);
  world_assert_refused (world, caller, world_ask (world, caller, "wq"),
                        HP_REFUSED_UNKNOWN_ID);
  g_assert_cmpuint (client_count (callee, HP_MATCH_EVENT_INTRODUCED), ==, 0);

  hp_match_client_set_relay_only (callee->client, FALSE, FALSE, world->now);
  world_restart_service (world, FALSE);
  g_assert_true (world_await_registered (world, callee, 60 * SECOND));
}

static guint8
request (Raw *raw, guint64 number, HpFrame *answer)
{
  HpFrame frame = { .type = HP_FRAME_RELAY_REQUEST };

  frame.relay_request.request = number;
  raw_send (raw, &frame);
  return raw_take_frame (raw, answer);
}

/* Numbers are counted, not repeats of them. */
static void
test_limit (World *world, gconstpointer data)
{
  Raw *raw = raw_add_connected (world, "203.0.113.5:5000");
  Raw *other = raw_add_connected (world, "203.0.113.6:5000");
  HpFrame answer;

  world->relays = &two_relays;
  for (guint i = 0; i < 30; i++)
    g_assert_cmpuint (request (raw, 1, &answer), ==, HP_FRAME_RELAYS);
  g_assert_cmpuint (answer.relays.request, ==, 1);
  for (guint i = 2; i <= 10; i++)
    g_assert_cmpuint (request (raw, i, &answer), ==, HP_FRAME_RELAYS);
  g_assert_cmpuint (request (raw, 11, &answer), ==, HP_FRAME_REFUSED);
  g_assert_cmpint (answer.refused.code, ==, HP_REFUSED_RATE_LIMITED);
  g_assert_cmpuint (answer.refused.request, ==, 11);
  g_assert_cmpuint (request (other, 1, &answer), ==, HP_FRAME_RELAYS);
}

/* However long they are, they fit one datagram. */
static void
test_long (World *world, gconstpointer data)
{
  g_autofree char *host = g_strnfill (HP_RELAY_TEXT_MAX_SIZE - 5, 'x');
  g_autofree char *uri = g_strconcat ("turn:", host, NULL);
  g_autofree char *text = g_strnfill (HP_RELAY_TEXT_MAX_SIZE, 'y');
  HpMatchRelays relays = { .lifetime = 1, .n_relays = 4, .username = "",
                           .password = "" };
  Raw *raw = raw_add_connected (world, "203.0.113.5:5000");
  HpFrame answer;

  for (guint i = 0; i < 4; i++)
    relays.uris[i] = uri;
  world->relays = &relays;
  g_assert_cmpuint (request (raw, 1, &answer), ==, HP_FRAME_RELAYS);
  g_assert_cmpuint (answer.relays.n_relays, ==, 4);
  relays.username = relays.password = text;
  g_assert_cmpuint (request (raw, 2, &answer), ==, HP_FRAME_RELAYS);
  g_assert_cmpuint (answer.relays.n_relays, ==, 1);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func)                                                       \
  g_test_add ("/match-relays/" name, World, NULL, set_up, func, tear_down)
#define ADD_RAW(name, func)                                                   \
  g_test_add ("/match-relays/" name, World, NULL, raw_set_up, func,           \
              raw_tear_down)
  ADD ("age", test_age);
  ADD ("relays", test_relays);
  ADD ("known", test_known);
  ADD ("held", test_held);
  ADD ("no-relays", test_no_relays);
  ADD_RAW ("limit", test_limit);
  ADD_RAW ("long", test_long);
  return g_test_run ();
}
