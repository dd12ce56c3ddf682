/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Client and service against each other: registering and the registry. */

#include "match-world.h"

#include <string.h>

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

/* Registering */

static void
test_register (World *world, gconstpointer data)
{
  WorldClient *client = world_add_registered (world, "wq", HP_REGISTER_OPEN);
  HpServiceEvent *event = world_find (world, HP_SERVICE_EVENT_REGISTERED);

  g_assert_true (hp_match_client_is_connected (client->client));
  g_assert_true (hp_address_equal (
      hp_match_client_get_observed (client->client), &client->address));
  g_assert_true (hp_address_equal (
      hp_match_client_get_server (client->client), &world->server));
  g_assert_cmpint (hp_match_client_get_round_trip (client->client), ==,
                   40 * MS);
  g_assert_cmpstr (event->id, ==, "wq");
  g_assert_true (event->first_time);
  g_assert_true (hp_address_equal (&event->address, &client->address));
  assert_key (event->public_key, client);
  g_assert_cmpuint (client_count (client, HP_MATCH_EVENT_REGISTERED), ==, 1);
  g_assert_cmpuint (client_count (client, HP_MATCH_EVENT_OBSERVED), ==, 1);
}

/* HELLO, INITIATION, the first DATA: three round trips, and no more packets
 * than that needs. */
static void
test_economy (World *world, gconstpointer data)
{
  WorldClient *client = world_add_registered (world, "wq", 0);

  g_assert_cmpuint (client->sent, ==, 3);
  world_run (world, 60 * SECOND);
  /* Three to five PINGs, a refresh (with a PING) */
  g_assert_cmpuint (client->sent, <=, 3 + 5 + 1);
  g_assert_cmpuint (client->sent, >=, 3 + 3 + 1);
}

static void
test_refresh (World *world, gconstpointer data)
{
  WorldClient *client = world_add_registered (world, "wq", 0);

  world_run (world, 1800 * SECOND);
  g_assert_true (hp_match_client_is_registered (client->client));
  g_assert_cmpuint (world_statistics (world).registrations, ==, 1);
  g_assert_cmpuint (world_statistics (world).peers, ==, 1);
  g_assert_cmpuint (world_statistics (world).handshakes, ==, 1);
  g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_EXPIRED), ==, 0);
  g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_REGISTERED), >=, 44);
  g_assert_false (
      world_find (world, HP_SERVICE_EVENT_REGISTERED)->first_time);
  g_assert_cmpuint (client_count (client, HP_MATCH_EVENT_CONNECTED), ==, 1);
  g_assert_cmpuint (client_count (client, HP_MATCH_EVENT_LOST), ==, 0);
}

static void
test_expire (World *world, gconstpointer data)
{
  WorldClient *client = world_add_registered (world, "wq", 0);

  client->is_cut_off = TRUE;
  world_run (world, 119 * SECOND);
  g_assert_cmpuint (world_statistics (world).registrations, ==, 1);
  world_run (world, 2 * SECOND);
  g_assert_cmpuint (world_statistics (world).registrations, ==, 0);
  g_assert_cmpuint (world_statistics (world).peers, ==, 0);
  g_assert_cmpstr (world_find (world, HP_SERVICE_EVENT_EXPIRED)->id, ==,
                   "wq");
  g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_RELEASE), ==, 0);
  g_assert_cmpuint (client_count (client, HP_MATCH_EVENT_LOST), ==, 1);
  g_assert_false (hp_match_client_is_connected (client->client));

  /* Back again, it finds its way by itself. */
  client->is_cut_off = FALSE;
  g_assert_true (world_await_registered (world, client, 10 * SECOND));
  g_assert_cmpuint (client_count (client, HP_MATCH_EVENT_LOST), ==, 1);
}

static void
assert_registration_refused (World *world, WorldClient *client,
                             HpRefusedCode code)
{
  g_assert_true (world_await_event (
      world, client, HP_MATCH_EVENT_REGISTRATION_REFUSED, 10 * SECOND));
  g_assert_cmpint (
      client_find (client, HP_MATCH_EVENT_REGISTRATION_REFUSED)->code, ==,
      code);
  g_assert_false (hp_match_client_is_registered (client->client));
}

static void
test_taken (World *world, gconstpointer data)
{
  WorldClient *holder = world_add_registered (world, "wq", 0);
  WorldClient *other = world_add_connected (world);

  hp_match_client_register (other->client, "wq", 0, world->now);
  assert_registration_refused (world, other, HP_REFUSED_ID_TAKEN);
  /* Ownership outlives presence. */
  holder->is_cut_off = TRUE;
  world_run (world, 300 * SECOND);
  client_forget (other);
  hp_match_client_register (other->client, "wq", 0, world->now);
  assert_registration_refused (world, other, HP_REFUSED_ID_TAKEN);
  /* Another id is free, and one peer has one id. */
  hp_match_client_register (other->client, "wq2", 0, world->now);
  g_assert_true (world_await_registered (world, other, SECOND));
  hp_match_client_register (other->client, "wq3", 0, world->now);
  g_assert_false (hp_match_client_is_registered (other->client));
  g_assert_true (world_await_registered (world, other, SECOND));
  g_assert_cmpuint (world_statistics (world).registrations, ==, 1);
  g_assert_cmpstr (world_find (world, HP_SERVICE_EVENT_EXPIRED)->id, ==,
                   "wq2");
}

static void
test_ephemeral_is_there (World *world, gconstpointer data)
{
  WorldClient *holder
      = world_add_registered (world, "wq", HP_REGISTER_EPHEMERAL);
  WorldClient *other = world_add_connected (world);
  gint64 start = world->now;

  hp_match_client_register (other->client, "wq", HP_REGISTER_EPHEMERAL,
                            world->now);
  assert_registration_refused (world, other, HP_REFUSED_ID_TAKEN);
  g_assert_cmpint (world->now - start, <, 200 * MS);
  g_assert_true (hp_match_client_is_registered (holder->client));
  g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_EXPIRED), ==, 0);
}

static void
test_ephemeral_is_silent (World *world, gconstpointer data)
{
  WorldClient *holder
      = world_add_registered (world, "wq", HP_REGISTER_EPHEMERAL);
  WorldClient *other = world_add_connected (world);
  WorldClient *third = world_add_connected (world);
  gint64 start = world->now;

  holder->is_cut_off = TRUE;
  hp_match_client_register (other->client, "wq", HP_REGISTER_EPHEMERAL,
                            world->now);
  world_run (world, SECOND);
  hp_match_client_register (third->client, "wq", HP_REGISTER_EPHEMERAL,
                            world->now);
  g_assert_true (world_await_registered (world, other, 5 * SECOND));
  g_assert_cmpint (world->now - start, >=, 3 * SECOND);
  g_assert_cmpint (world->now - start, <, 3500 * MS);
  /* Who came second does not displace who came first. */
  assert_registration_refused (world, third, HP_REFUSED_ID_TAKEN);
  g_assert_true (hp_match_client_is_registered (other->client));
  g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_RELEASE), ==, 1);
  g_assert_cmpuint (world_statistics (world).registrations, ==, 1);

  /* The holder wakes up: its session is gone, and its id. */
  holder->is_cut_off = FALSE;
  client_forget (holder);
  hp_match_client_check (holder->client, world->now);
  assert_registration_refused (world, holder, HP_REFUSED_ID_TAKEN);
}

static void
test_ephemeral_released (World *world, gconstpointer data)
{
  WorldClient *holder
      = world_add_registered (world, "wq", HP_REGISTER_EPHEMERAL);
  WorldClient *other = world_add_connected (world);

  hp_match_client_register (holder->client, NULL, 0, world->now);
  world_run (world, SECOND);
  g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_EXPIRED), ==, 1);
  g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_RELEASE), ==, 1);
  g_assert_false (hp_match_client_is_registered (holder->client));
  g_assert_true (hp_match_client_is_connected (holder->client));
  hp_match_client_register (other->client, "wq", 0, world->now);
  g_assert_true (world_await_registered (world, other, SECOND));
  g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_RELEASE), ==, 1);
}

/* UNREGISTER is repeated until it was heard. */
static void
test_unregister_with_loss (World *world, gconstpointer data)
{
  WorldClient *holder = world_add_registered (world, "wq", 0);

  world->loss_percent = 100;
  hp_match_client_register (holder->client, NULL, 0, world->now);
  world_run (world, 2 * SECOND);
  g_assert_cmpuint (world_statistics (world).registrations, ==, 1);
  world->loss_percent = 0;
  world_run (world, 2 * SECOND);
  g_assert_cmpuint (world_statistics (world).registrations, ==, 0);
  g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_EXPIRED), ==, 1);
}

static void
test_close (World *world, gconstpointer data)
{
  WorldClient *client
      = world_add_registered (world, "wq", HP_REGISTER_EPHEMERAL);

  hp_match_client_close (client->client, world->now);
  world_run (world, SECOND);
  g_assert_cmpuint (world_statistics (world).peers, ==, 0);
  g_assert_cmpuint (world_statistics (world).registrations, ==, 0);
  g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_EXPIRED), ==, 1);
  g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_RELEASE), ==, 1);
  g_assert_cmpint (hp_match_client_get_deadline (client->client), ==,
                   G_MAXINT64);
}

/* The registry */

static void
test_registry_fails (World *world, gconstpointer data)
{
  WorldClient *client = world_add_connected (world);

  world->mood = REGISTRY_FAILS;
  hp_match_client_register (client->client, "wq", 0, world->now);
  assert_registration_refused (world, client, HP_REFUSED_TEMPORARY);
  world->mood = REGISTRY_SILENT;
  client_forget (client);
  /* A question has a deadline. */
  world_run (world, 11 * SECOND);
  assert_registration_refused (world, client, HP_REFUSED_TEMPORARY);
  /* It goes on trying by itself. */
  world->mood = REGISTRY_ANSWERS;
  g_assert_true (world_await_registered (world, client, 33 * SECOND));
  /* What was granted holds while the registry is away. */
  world->mood = REGISTRY_FAILS;
  world_run (world, 50 * SECOND);
  g_assert_true (hp_match_client_is_registered (client->client));
}

/* For a whole day: refreshed again and again, but nothing new. */
static void
test_registry_away (World *world, gconstpointer data)
{
  WorldClient *client = world_add_registered (world, "wq", 0);
  WorldClient *other = world_add_connected (world);
  guint64 registers;

  for (RegistryMood mood = REGISTRY_FAILS; mood <= REGISTRY_SILENT; mood++)
    {
      world->mood = mood;
      client_forget (client);
      client_forget (other);
      registers = world_statistics (world).unclaimed_refreshes;
      hp_match_client_register (other->client, "new", 0, world->now);
      world_run (world, 3600 * SECOND);
      g_assert_true (hp_match_client_is_registered (client->client));
      g_assert_false (hp_match_client_is_registered (other->client));
      g_assert_cmpuint (world_statistics (world).registrations, ==, 1);
      g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_EXPIRED), ==, 0);
      g_assert_cmpuint (world_statistics (world).unclaimed_refreshes, >=,
                        registers + 3600 / 120);
      assert_registration_refused (world, other, HP_REFUSED_TEMPORARY);
    }
  g_assert_cmpuint (world_statistics (world).registry_failures, >,
                    world_statistics (world).unclaimed_refreshes);
  /* Another id instead of the one that it has is new. */
  world->mood = REGISTRY_FAILS;
  client_forget (client);
  hp_match_client_register (client->client, "else", 0, world->now);
  assert_registration_refused (world, client, HP_REFUSED_TEMPORARY);
  world->mood = REGISTRY_ANSWERS;
  g_assert_true (world_await_registered (world, other, 60 * SECOND));
}

static void
test_registry_delay (World *world, gconstpointer data)
{
  WorldClient *callee;
  WorldClient *caller;

  world->registry_delay = 300 * MS;
  callee = world_add_registered (world, "wq", HP_REGISTER_OPEN);
  caller = world_add_connected (world);
  world_ask (world, caller, "wq");
  g_assert_true (
      world_await_event (world, caller, HP_MATCH_EVENT_ANSWER, SECOND));
  /* One question each, however often it was repeated meanwhile; none about
   * whoever is here. */
  g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_CLAIM), ==, 1);
  g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_LOOKUP), ==, 0);
  g_assert_cmpuint (client_count (callee, HP_MATCH_EVENT_REGISTERED), ==, 1);
  client_forget (caller);
  world_assert_refused (world, caller, world_ask (world, caller, "nobody"),
                        HP_REFUSED_UNKNOWN_ID);
  g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_LOOKUP), ==, 1);

  /* An answer that comes after the deadline is passed over. */
  world->registry_delay = 6 * SECOND;
  client_forget (caller);
  world_assert_refused (world, caller, world_ask (world, caller, "nobody"),
                        HP_REFUSED_TEMPORARY);
  world_run (world, 10 * SECOND);
  g_assert_cmpuint (client_count (caller, HP_MATCH_EVENT_ASK_REFUSED), ==, 1);
}

static void
test_authorization (World *world, gconstpointer data)
{
  WorldClient *callee = world_add_registered (world, "wq", HP_REGISTER_OPEN);
  WorldClient *other = world_add_connected (world);
  guint asked;

  world->denies = TRUE;
  hp_match_service_set_asks_registration (world->service, TRUE);
  hp_match_service_set_asks_introduction (world->service, TRUE);
  hp_match_client_register (other->client, "other", 0, world->now);
  assert_registration_refused (world, other, HP_REFUSED_POLICY);
  g_assert_false (g_hash_table_contains (world->registry, "other"));
  world_assert_refused (world, other, world_ask (world, other, "wq"),
                        HP_REFUSED_POLICY);
  client_forget (other);
  /* The same for an id that nobody has: it tells nothing. */
  world_assert_refused (world, other, world_ask (world, other, "nobody"),
                  HP_REFUSED_POLICY);
  g_assert_cmpuint (client_count (callee, HP_MATCH_EVENT_INTRODUCED), ==, 0);
  /* A refresh is no question. */
  asked = world_count (world, HP_SERVICE_EVENT_AUTHORIZE_REGISTRATION);
  world_run (world, 100 * SECOND);
  g_assert_true (hp_match_client_is_registered (callee->client));
  g_assert_cmpuint (
      world_count (world, HP_SERVICE_EVENT_AUTHORIZE_REGISTRATION), ==,
      asked);

  world->denies = FALSE;
  world_ask (world, other, "wq");
  g_assert_true (
      world_await_event (world, other, HP_MATCH_EVENT_ANSWER, SECOND));
}

/* Who may register has changed. */
static void
test_review (World *world, gconstpointer data)
{
  WorldClient *client = world_add_registered (world, "wq", 0);

  hp_match_service_set_asks_registration (world->service, TRUE);
  world->config.review++;
  hp_match_service_set_config (world->service, &world->config);
  world_run (world, 200 * SECOND);
  g_assert_cmpuint (
      world_count (world, HP_SERVICE_EVENT_AUTHORIZE_REGISTRATION), ==, 1);
  g_assert_true (hp_match_client_is_registered (client->client));

  world->denies = TRUE;
  world->config.review++;
  hp_match_service_set_config (world->service, &world->config);
  world_run (world, 45 * SECOND);
  g_assert_false (hp_match_client_is_registered (client->client));
  g_assert_cmpuint (world_statistics (world).registrations, ==, 0);
  g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_EXPIRED), ==, 1);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func)                                                       \
  g_test_add ("/match-registering/" name, World, NULL, set_up, func, tear_down)
  ADD ("register", test_register);
  ADD ("economy", test_economy);
  ADD ("refresh", test_refresh);
  ADD ("expire", test_expire);
  ADD ("taken", test_taken);
  ADD ("ephemeral-is-there", test_ephemeral_is_there);
  ADD ("ephemeral-is-silent", test_ephemeral_is_silent);
  ADD ("ephemeral-released", test_ephemeral_released);
  ADD ("unregister-with-loss", test_unregister_with_loss);
  ADD ("close", test_close);
  ADD ("registry-fails", test_registry_fails);
  ADD ("registry-away", test_registry_away);
  ADD ("registry-delay", test_registry_delay);
  ADD ("authorization", test_authorization);
  ADD ("review", test_review);
  return g_test_run ();
}
