/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Client and service against each other: losses, restarts, moves, and all of
 * it together. */

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

/* Troubles */

/* Half of all round trips are lost, and a HELLO is repeated each 4 s in the
 * end: one in ten million takes longer. */
#define PATIENCE (100 * SECOND)

static void
run_with_loss (guint32 seed)
{
  World world;
  WorldClient *callee;
  WorldClient *caller;

  world_set_up (&world, seed);
  world.loss_percent = 30;
  world.jitter = 30 * MS;
  callee = world_add_client (&world);
  caller = world_add_client (&world);
  world_connect (&world, callee);
  world_connect (&world, caller);
  hp_match_client_register (callee->client, "wq",
                            seed % 2 ? HP_REGISTER_OPEN : 0, world.now);
  g_assert_true (world_await_registered (&world, callee, PATIENCE));
  hp_match_client_ask (caller->client, "wq", NULL, world.now);
  g_assert_true (world_await_event (&world, callee,
                                    HP_MATCH_EVENT_INTRODUCED, PATIENCE));
  hp_match_client_reply (callee->client,
                         client_find (callee, HP_MATCH_EVENT_INTRODUCED)
                             ->introduction.ticket.number,
                         TRUE, world.now);
  g_assert_true (world_await_event (&world, caller, HP_MATCH_EVENT_ANSWER,
                                    PATIENCE));
  world_run (&world, 5 * SECOND);
  g_assert_false (client_find (callee, HP_MATCH_EVENT_INTRODUCED)
                      ->introduction.needs_reply);
  assert_same_ticket (client_find (caller, HP_MATCH_EVENT_ANSWER),
                      client_find (callee, HP_MATCH_EVENT_INTRODUCED));
  /* A lost PING or two is nothing. */
  world_run (&world, 600 * SECOND);
  g_assert_cmpuint (world_count (&world, HP_SERVICE_EVENT_EXPIRED), ==, 0);
  world_tear_down (&world);
}

static void
test_loss (void)
{
  for (guint32 seed = 0; seed < 60; seed++)
    run_with_loss (seed);
}

static void
test_restart (World *world, gconstpointer data)
{
  WorldClient *callee = world_add_registered (world, "wq", HP_REGISTER_OPEN);
  WorldClient *caller = world_add_connected (world);
  gint64 start;

  world_run (world, 7 * SECOND);
  client_forget (callee);
  world_restart_service (world, FALSE);
  start = world->now;
  while (world_statistics (world).registrations == 0
         && world->now < start + 60 * SECOND)
    world_run (world, 100 * MS);
  /* A keepalive interval and a few seconds */
  g_assert_cmpint (world->now - start, <, 19 * SECOND);
  world_run (world, SECOND);
  g_assert_true (hp_match_client_is_registered (callee->client));
  /* So quickly that nobody needed to know */
  g_assert_cmpuint (client_count (callee, HP_MATCH_EVENT_LOST), ==, 0);
  world_run (world, 20 * SECOND);
  world_ask (world, caller, "wq");
  g_assert_true (
      world_await_event (world, caller, HP_MATCH_EVENT_ANSWER, SECOND));
}

/* A caller asks while the server is just back: it does not wait for the next
 * keepalive. */
static void
test_restart_while_asking (World *world, gconstpointer data)
{
  WorldClient *callee = world_add_registered (world, "wq", HP_REGISTER_OPEN);
  WorldClient *caller = world_add_connected (world);
  gint64 start;

  world_restart_service (world, FALSE);
  hp_match_client_check (callee->client, world->now);
  start = world->now;
  world_ask (world, caller, "wq");
  while (client_find (caller, HP_MATCH_EVENT_ANSWER) == NULL
         && world->now < start + 20 * SECOND)
    {
      world_run (world, 50 * MS);
      if (client_find (caller, HP_MATCH_EVENT_ASK_REFUSED) != NULL)
        {
          client_forget (caller);
          world_ask (world, caller, "wq");
        }
    }
  g_assert_cmpint (world->now - start, <, 5 * SECOND);
}

static void
test_server_away (World *world, gconstpointer data)
{
  WorldClient *client = world_add_registered (world, "wq", 0);

  world->service_is_down = TRUE;
  world_run (world, 100 * SECOND);
  g_assert_cmpuint (client_count (client, HP_MATCH_EVENT_LOST), ==, 1);
  g_assert_false (hp_match_client_is_connected (client->client));
  world->service_is_down = FALSE;
  world_restart_service (world, FALSE);
  g_assert_true (world_await_registered (world, client, 6 * SECOND));
}

/* A short outage: the old session is back before a new one was needed. */
static void
test_short_outage (World *world, gconstpointer data)
{
  WorldClient *client = world_add_registered (world, "wq", 0);

  world_run (world, 16 * SECOND);
  client->is_deaf = TRUE;
  hp_match_client_check (client->client, world->now);
  world_run (world, 300 * MS);
  client->is_deaf = FALSE;
  world_run (world, 30 * SECOND);
  g_assert_cmpuint (world_statistics (world).handshakes, ==, 1);
  g_assert_cmpuint (client_count (client, HP_MATCH_EVENT_LOST), ==, 0);
  g_assert_true (hp_match_client_is_registered (client->client));
}

static void
test_wrong_key (World *world, gconstpointer data)
{
  WorldClient *client = world_add_registered (world, "wq", 0);
  WorldClient *pinned = world_add_client (world);
  HpMatchClientConfig config = pinned->config;

  /* First seen, then changed */
  world_restart_service (world, TRUE);
  world_run (world, 60 * SECOND);
  g_assert_cmpuint (client_count (client, HP_MATCH_EVENT_WRONG_KEY), ==, 1);
  g_assert_false (hp_match_client_is_connected (client->client));
  g_assert_cmpuint (world_statistics (world).handshakes, ==, 0);

  /* Pinned to another one */
  config.has_server_key = TRUE;
  memset (config.server_key, 7, HP_KEY_SIZE);
  hp_match_client_free (pinned->client);
  pinned->client = hp_match_client_new (&config);
  world_connect (world, pinned);
  g_assert_true (world_await_event (world, pinned, HP_MATCH_EVENT_WRONG_KEY,
                                    SECOND));
  /* Pinned to the right one */
  memcpy (config.server_key, world->config.local.public_key, HP_KEY_SIZE);
  hp_match_client_free (pinned->client);
  pinned->client = hp_match_client_new (&config);
  world_connect (world, pinned);
  g_assert_true (world_await_event (world, pinned, HP_MATCH_EVENT_CONNECTED,
                                    SECOND));
}

static void
test_address_change (World *world, gconstpointer data)
{
  WorldClient *callee = world_add_registered (world, "wq", HP_REGISTER_OPEN);
  WorldClient *caller = world_add_connected (world);

  callee->address = make_address ("203.0.113.50:12345");
  hp_match_client_check (callee->client, world->now);
  world_run (world, 500 * MS);
  /* Within a round trip or two, over the same session */
  g_assert_cmpuint (world_statistics (world).handshakes, ==, 2);
  g_assert_true (hp_address_equal (
      hp_match_client_get_observed (callee->client), &callee->address));
  g_assert_cmpuint (client_count (callee, HP_MATCH_EVENT_OBSERVED), ==, 2);
  world_ask (world, caller, "wq");
  g_assert_true (
      world_await_event (world, caller, HP_MATCH_EVENT_ANSWER, SECOND));
  g_assert_true (
      hp_address_equal (&client_find (caller, HP_MATCH_EVENT_ANSWER)
                             ->introduction.observed,
                        &callee->address));
  g_assert_nonnull (client_find (callee, HP_MATCH_EVENT_INTRODUCED));
}

/* Two programs with one identity: the newer one stays, and they do not
 * displace each other for ever. */
static void
test_replaced (World *world, gconstpointer data)
{
  WorldClient *older = world_add_registered (world, "wq", HP_REGISTER_OPEN);
  WorldClient *newer = world_add_client (world);

  newer->config.local = older->config.local;
  hp_match_client_free (newer->client);
  newer->client = hp_match_client_new (&newer->config);
  world_connect (world, newer);
  hp_match_client_register (newer->client, "wq", HP_REGISTER_OPEN,
                            world->now);
  g_assert_true (world_await_registered (world, newer, SECOND));
  world_run (world, 600 * SECOND);
  g_assert_cmpuint (client_count (older, HP_MATCH_EVENT_LOST), ==, 1);
  g_assert_false (hp_match_client_is_connected (older->client));
  g_assert_true (hp_match_client_is_registered (newer->client));
  g_assert_cmpuint (client_count (newer, HP_MATCH_EVENT_LOST), ==, 0);
  g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_EXPIRED), ==, 0);
  g_assert_cmpuint (world_statistics (world).handshakes, ==, 2);
  /* When it is told to, it comes back. */
  hp_match_client_check (older->client, world->now);
  g_assert_true (world_await_registered (world, older, 2 * SECOND));
  world_run (world, SECOND);
  g_assert_false (hp_match_client_is_connected (newer->client));
}

/* The CLOSE to the older one is lost: its next PING earns another. */
static gboolean
drop_to_first (gpointer user_data, const Flying *flying)
{
  return !hp_address_equal (&flying->to, user_data);
}

static void
test_replaced_with_loss (World *world, gconstpointer data)
{
  WorldClient *older = world_add_registered (world, "wq", 0);
  WorldClient *newer = world_add_client (world);

  newer->config.local = older->config.local;
  hp_match_client_free (newer->client);
  newer->client = hp_match_client_new (&newer->config);
  world->tap = drop_to_first;
  world->tap_data = &older->address;
  world_connect (world, newer);
  world_run (world, SECOND);
  world->tap = NULL;
  world_run (world, 120 * SECOND);
  g_assert_false (hp_match_client_is_connected (older->client));
  g_assert_true (hp_match_client_is_connected (newer->client));
  g_assert_cmpuint (world_statistics (world).handshakes, ==, 2);
}

static void
test_going_away (World *world, gconstpointer data)
{
  WorldClient *a = world_add_registered (world, "a", 0);
  WorldClient *b = world_add_registered (world, "b", 0);

  hp_match_service_close (world->service, world->now);
  world_run (world, 100 * MS);
  g_assert_cmpuint (client_count (a, HP_MATCH_EVENT_LOST), ==, 1);
  g_assert_cmpuint (client_count (b, HP_MATCH_EVENT_LOST), ==, 1);
  g_assert_cmpuint (world_statistics (world).peers, ==, 0);
  world_restart_service (world, FALSE);
  g_assert_true (world_await_registered (world, a, 3 * SECOND));
  g_assert_true (world_await_registered (world, b, 3 * SECOND));
  /* Not before a moment had passed */
  g_assert_cmpuint (world_statistics (world).handshakes, ==, 2);
}

static gboolean
drop_first_words (gpointer user_data, const Flying *flying)
{
  return !flying->to_server || (flying->bytes[0] | 1) != HP_PACKET_DATA_1;
}

/* Whoever has come but has not been heard of yet */
static void
test_going_away_early (World *world, gconstpointer data)
{
  WorldClient *client = world_add_client (world);

  world->tap = drop_first_words;
  world_connect (world, client);
  g_assert_true (world_await_event (world, client, HP_MATCH_EVENT_CONNECTED,
                                    SECOND));
  g_assert_cmpuint (world_statistics (world).peers, ==, 0);
  hp_match_service_close (world->service, world->now);
  world_run (world, 100 * MS);
  g_assert_cmpuint (client_count (client, HP_MATCH_EVENT_LOST), ==, 1);
  g_assert_false (hp_match_client_is_connected (client->client));
}

static void
do_anything (World *world)
{
  WorldClient *client
      = world->clients + g_rand_int_range (world->chance, 0, 4);
  g_autofree char *id = g_strdup_printf (
      "id%d", g_rand_int_range (world->chance, 0, 5));

  switch (g_rand_int_range (world->chance, 0, 10))
    {
    case 0:
      world_restart_service (world, FALSE);
      break;
    case 1:
      client->is_cut_off = !client->is_cut_off;
      break;
    case 2:
      client->address.port = g_rand_int_range (world->chance, 1, 65536);
      break;
    case 3:
      world->mood = g_rand_int_range (world->chance, 0, 3);
      break;
    case 4:
      world->loss_percent = g_rand_int_range (world->chance, 0, 60);
      break;
    case 5:
      hp_match_client_check (client->client, world->now);
      break;
    case 6:
      world_connect (world, client);
      break;
    case 7:
      world->registry_delay
          = g_rand_int_range (world->chance, 0, 2) * 200 * MS;
      break;
    default:
      hp_match_client_ask (client->client, id, NULL, world->now);
      break;
    }
}

/* Whatever happens, in whatever order: nothing breaks, and when it is over
 * everybody is where he should be. */
static void
run_chaos (guint32 seed)
{
  World world;

  world_set_up (&world, seed);
  world.jitter = 50 * MS;
  for (guint i = 0; i < 4; i++)
    {
      WorldClient *client = world_add_client (&world);
      g_autofree char *id = g_strdup_printf ("id%u", i);

      world_connect (&world, client);
      hp_match_client_register (client->client, id,
                                i % 2 ? HP_REGISTER_OPEN
                                      : HP_REGISTER_EPHEMERAL,
                                world.now);
    }
  for (guint i = 0; i < 60; i++)
    {
      do_anything (&world);
      for (guint k = 0; k < 4; k++)
        {
          HpMatchEvent *event = client_find (world.clients + k,
                                             HP_MATCH_EVENT_INTRODUCED);

          if (event != NULL)
            hp_match_client_reply (world.clients[k].client,
                                   event->introduction.ticket.number,
                                   g_rand_boolean (world.chance), world.now);
        }
      world_run (&world, g_rand_int_range (world.chance, 0, 5000) * MS);
    }
  world.loss_percent = 0;
  world.mood = REGISTRY_ANSWERS;
  for (guint i = 0; i < 4; i++)
    world.clients[i].is_cut_off = FALSE;
  world_run (&world, 60 * SECOND);
  for (guint i = 0; i < 4; i++)
    g_assert_true (
        hp_match_client_is_registered (world.clients[i].client));
  g_assert_cmpuint (world_statistics (&world).registrations, ==, 4);
  world_tear_down (&world);
}

static void
test_chaos (void)
{
  guint n = g_test_slow () ? 2000 : 40;

  for (guint32 seed = 0; seed < n; seed++)
    run_chaos (seed);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func)                                                       \
  g_test_add ("/match-troubles/" name, World, NULL, set_up, func, tear_down)
  ADD ("restart", test_restart);
  ADD ("restart-while-asking", test_restart_while_asking);
  ADD ("server-away", test_server_away);
  ADD ("short-outage", test_short_outage);
  ADD ("wrong-key", test_wrong_key);
  ADD ("address-change", test_address_change);
  ADD ("replaced", test_replaced);
  ADD ("replaced-with-loss", test_replaced_with_loss);
  ADD ("going-away", test_going_away);
  ADD ("going-away-early", test_going_away_early);
  g_test_add_func ("/match-troubles/loss", test_loss);
  g_test_add_func ("/match-troubles/chaos", test_chaos);
  return g_test_run ();
}
