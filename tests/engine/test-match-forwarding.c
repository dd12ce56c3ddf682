/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Introductions between services: what the clients see is what they would see
 * of one service. */

#include "match-cluster.h"

#include "hole-punch/engine/hp-match-message.h"

#include <string.h>

static void
assert_one_introduction (Cluster *cluster, guint caller, guint callee)
{
  World *worlds = cluster->worlds;

  g_assert_cmpuint (world_count (worlds + caller,
                                 HP_SERVICE_EVENT_INTRODUCED), ==, 1);
  g_assert_cmpuint (world_statistics (worlds + caller).introductions, ==, 1);
  g_assert_cmpuint (world_statistics (worlds + caller).asks, ==, 1);
  g_assert_cmpuint (world_count (worlds + callee,
                                 HP_SERVICE_EVENT_INTRODUCED), ==, 0);
  g_assert_cmpuint (world_statistics (worlds + callee).introductions, ==, 0);
  g_assert_cmpuint (world_statistics (worlds + callee).asks, ==, 0);
}

static void
test_open (void)
{
  g_autoptr (Cluster) cluster = cluster_new (2, g_test_rand_int ());
  WorldClient *callee
      = cluster_add_registered (cluster, 1, "wq", HP_REGISTER_OPEN);
  WorldClient *caller = cluster_add_client (cluster, 0);
  HpMatchEvent *introduced;
  HpServiceEvent *told;
  HpMatchEvent *answer;
  guint64 request;
  gint64 start;

  caller->latency = 90 * MS;
  world_connect (caller->world, caller);
  hp_match_client_register (caller->client, "me", 0, cluster->now);
  g_assert_true (cluster_await (cluster, caller, HP_MATCH_EVENT_REGISTERED,
                                2 * SECOND));
  start = cluster->now;
  request = cluster_ask (caller, "wq");
  g_assert_true (
      cluster_await (cluster, caller, HP_MATCH_EVENT_ANSWER, SECOND));
  /* One round trip, and one between the services */
  g_assert_cmpint (cluster->now - start, <=, 195 * MS);
  cluster_run (cluster, 50 * MS);
  answer = client_find (caller, HP_MATCH_EVENT_ANSWER);
  introduced = client_find (callee, HP_MATCH_EVENT_INTRODUCED);
  g_assert_nonnull (introduced);
  /* It is sent twice, in case one is lost; an ANSWER is told only once. */
  g_assert_true (introduced->introduction.repeated);
  g_assert_cmpuint (client_count (caller, HP_MATCH_EVENT_ANSWER), ==, 1);
  introduced--;
  g_assert_cmpint (introduced->type, ==, HP_MATCH_EVENT_INTRODUCED);
  g_assert_false (introduced->introduction.needs_reply);
  g_assert_false (introduced->introduction.repeated);
  g_assert_cmpuint (answer->request, ==, request);
  assert_same_ticket (answer, introduced);
  assert_key (answer->introduction.public_key, callee);
  assert_key (introduced->introduction.public_key, caller);
  g_assert_cmpstr (answer->introduction.id, ==, "wq");
  g_assert_cmpstr (introduced->introduction.id, ==, "me");
  g_assert_cmpstr (introduced->introduction.wanted_id, ==, "wq");
  g_assert_true (hp_address_equal (&answer->introduction.observed,
                                   &callee->address));
  g_assert_true (hp_address_equal (&introduced->introduction.observed,
                                   &caller->address));
  g_assert_true (hp_candidates_contain (
      &introduced->introduction.candidates, &caller->address));
  g_assert_true (hp_candidates_contain (&answer->introduction.candidates,
                                        &callee->address));
  g_assert_cmpint (ABS (answer->introduction.start_at
                        - introduced->introduction.start_at), <=, 5 * MS);
  assert_one_introduction (cluster, 0, 1);
  told = world_find (cluster->worlds, HP_SERVICE_EVENT_INTRODUCED);
  assert_key (told->public_key, caller);
  assert_key (told->callee_key, callee);
  g_assert_cmpstr (told->id, ==, "me");
  g_assert_cmpstr (told->wanted_id, ==, "wq");
  g_assert_true (hp_address_equal (&told->address, &caller->address));
}

/* Who is introduced is known, wherever the callee is. */
static void
test_is_known (void)
{
  g_autoptr (Cluster) cluster = cluster_new (2, g_test_rand_int ());
  WorldClient *caller = cluster_add_connected (cluster, 0);
  World *world = cluster->worlds;

  cluster_add_registered (cluster, 1, "wq", HP_REGISTER_OPEN);
  hp_match_client_request_relays (caller->client, cluster->now);
  cluster_run (cluster, 100 * MS);
  g_assert_false (world_find (world, HP_SERVICE_EVENT_RELAYS)->is_known);
  cluster_ask (caller, "wq");
  g_assert_true (
      cluster_await (cluster, caller, HP_MATCH_EVENT_ANSWER, SECOND));
  hp_match_client_request_relays (caller->client, cluster->now);
  cluster_run (cluster, 30 * SECOND);
  g_assert_true (world_find (world, HP_SERVICE_EVENT_RELAYS)->is_known);
}

/* Whoever is here is found without asking, and so while nobody can be asked. */
static void
test_local (void)
{
  g_autoptr (Cluster) cluster = cluster_new (2, g_test_rand_int ());
  WorldClient *caller = cluster_add_connected (cluster, 0);
  WorldClient *callee
      = cluster_add_registered (cluster, 0, "here", HP_REGISTER_OPEN);

  cluster_add_registered (cluster, 1, "there", HP_REGISTER_OPEN);
  cluster->is_down = TRUE;
  cluster_ask (caller, "here");
  g_assert_true (
      cluster_await (cluster, caller, HP_MATCH_EVENT_ANSWER, SECOND));
  hp_match_client_ask (caller->client, NULL, callee->config.local.public_key,
                       cluster->now);
  cluster_run (cluster, SECOND);
  g_assert_cmpuint (client_count (caller, HP_MATCH_EVENT_ANSWER), ==, 2);
  g_assert_cmpuint (world_count (cluster->worlds, HP_SERVICE_EVENT_LOOKUP),
                    ==, 0);
  cluster_assert_refused (cluster, caller, cluster_ask (caller, "there"),
                          HP_REFUSED_TEMPORARY);
  g_assert_cmpuint (world_statistics (cluster->worlds).forwarded, ==, 0);
}

static void
test_reply (gconstpointer tells_holder)
{
  g_autoptr (Cluster) cluster = cluster_new (2, g_test_rand_int ());
  WorldClient *caller = cluster_add_connected (cluster, 0);
  WorldClient *callee = cluster_add_client (cluster, 1);
  HpMatchEvent *introduced;
  HpMatchEvent *answer;
  guint64 sent;

  cluster->tells_holder = GPOINTER_TO_INT (tells_holder);
  callee->latency = 70 * MS;
  world_connect (callee->world, callee);
  hp_match_client_register (callee->client, "wq", 0, cluster->now);
  g_assert_true (cluster_await (cluster, callee, HP_MATCH_EVENT_REGISTERED,
                                2 * SECOND));
  cluster_ask (caller, "wq");
  /* Longer than a place may take to answer */
  cluster_run (cluster, 8 * SECOND);
  g_assert_cmpuint (client_count (caller, HP_MATCH_EVENT_ANSWER), ==, 0);
  g_assert_cmpuint (client_count (caller, HP_MATCH_EVENT_ASK_REFUSED), ==, 0);
  g_assert_cmpuint (world_statistics (cluster->worlds).introductions, ==, 0);
  g_assert_cmpuint (cluster->sent[HP_MATCH_MESSAGE_RINGING], >=, 1);
  introduced = client_find (callee, HP_MATCH_EVENT_INTRODUCED);
  g_assert_true (introduced->introduction.needs_reply);
  /* Each repeated ASK is another INTRODUCE. */
  g_assert_cmpuint (client_count (callee, HP_MATCH_EVENT_INTRODUCED), >=, 8);
  hp_match_client_reply (callee->client,
                         introduced->introduction.ticket.number, TRUE,
                         cluster->now);
  g_assert_true (
      cluster_await (cluster, caller, HP_MATCH_EVENT_ANSWER, 100 * MS));
  cluster_run (cluster, 100 * MS);
  answer = client_find (caller, HP_MATCH_EVENT_ANSWER);
  introduced = client_find (callee, HP_MATCH_EVENT_INTRODUCED);
  assert_same_ticket (answer, introduced);
  g_assert_true (introduced->introduction.repeated);
  g_assert_false (introduced->introduction.needs_reply);
  g_assert_cmpint (ABS (answer->introduction.start_at
                        - introduced->introduction.start_at), <=, 5 * MS);
  hp_match_client_stop_asking (caller->client, answer->request);
  cluster_run (cluster, 5 * SECOND);
  assert_one_introduction (cluster, 0, 1);
  g_assert_cmpuint (client_count (caller, HP_MATCH_EVENT_ANSWER), ==, 1);
  /* The REPLY was understood: it is not repeated. */
  sent = callee->sent;
  cluster_run (cluster, 10 * SECOND);
  g_assert_cmpuint (callee->sent, <=, sent + 1);
}

/* Unknown ones, those who refuse, and those the directory is wrong about read
 * alike. */
static void
test_refused (void)
{
  static const char *const ids[] = { "nobody", "refuses", "gone" };
  g_autoptr (Cluster) cluster = cluster_new (2, g_test_rand_int ());
  WorldClient *refuses = cluster_add_registered (cluster, 1, "refuses", 0);
  WorldClient *caller = cluster_add_connected (cluster, 0);
  WorldSizes sizes = { 0, G_MAXSIZE, caller->address };

  g_hash_table_insert (cluster->ids, g_strdup ("gone"),
                       GUINT_TO_POINTER (2));
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    {
      HpMatchEvent *introduced;
      guint64 request;

      client_forget (caller);
      hp_match_client_check (caller->client, cluster->now);
      cluster_run (cluster, SECOND);
      cluster->worlds[0].tap = world_measure;
      cluster->worlds[0].tap_data = &sizes;
      request = cluster_ask (caller, ids[i]);
      if (i == 1)
        {
          g_assert_true (cluster_await (
              cluster, refuses, HP_MATCH_EVENT_INTRODUCED, SECOND));
          introduced = client_find (refuses, HP_MATCH_EVENT_INTRODUCED);
          hp_match_client_reply (refuses->client,
                                 introduced->introduction.ticket.number,
                                 FALSE, cluster->now);
        }
      cluster_assert_refused (cluster, caller, request,
                              HP_REFUSED_UNKNOWN_ID);
      cluster_run (cluster, SECOND);
      cluster->worlds[0].tap = NULL;
      g_assert_cmpuint (sizes.largest, ==, sizes.smallest);
      g_assert_cmpuint (client_count (caller, HP_MATCH_EVENT_ANSWER), ==, 0);
    }
  g_assert_cmpuint (cluster->sent[HP_MATCH_MESSAGE_REFUSED], ==, 1);
}

/* However far the two services are from each other, both sides begin at one
 * moment, once the way is known. */
static void
test_start (gconstpointer flags)
{
  static const guint latencies[][2]
      = { { 20, 20 }, { 60, 5 }, { 5, 60 }, { 50, 60 } };

  for (guint i = 0; i < G_N_ELEMENTS (latencies); i++)
    {
      g_autoptr (Cluster) cluster = cluster_new (2, g_test_rand_int ());
      WorldClient *caller = cluster_add_client (cluster, 0);
      WorldClient *callee = cluster_add_client (cluster, 1);
      HpMatchEvent *introduced;
      HpMatchEvent *answer;
      guint64 request;

      cluster->latency = 50 * MS;
      caller->latency = latencies[i][0] * MS;
      callee->latency = latencies[i][1] * MS;
      world_connect (caller->world, caller);
      world_connect (callee->world, callee);
      hp_match_client_register (callee->client, "wq",
                                GPOINTER_TO_UINT (flags), cluster->now);
      cluster_run (cluster, 2 * SECOND);
      g_assert_cmpuint (caller->world->n_clients, ==, 1);
      request = cluster_ask (caller, "wq");
      cluster_run (cluster, SECOND);
      hp_match_client_stop_asking (caller->client, request);
      cluster_run (cluster, SECOND);
      client_forget (caller);
      client_forget (callee);
      cluster_ask (caller, "wq");
      g_assert_true (cluster_await (cluster, callee,
                                    HP_MATCH_EVENT_INTRODUCED, SECOND));
      introduced = client_find (callee, HP_MATCH_EVENT_INTRODUCED);
      if (introduced->introduction.needs_reply)
        hp_match_client_reply (callee->client,
                               introduced->introduction.ticket.number, TRUE,
                               cluster->now);
      g_assert_true (
          cluster_await (cluster, caller, HP_MATCH_EVENT_ANSWER, SECOND));
      cluster_run (cluster, 300 * MS);
      answer = client_find (caller, HP_MATCH_EVENT_ANSWER);
      for (guint n = 0; n < callee->events->len; n++)
        {
          introduced = &g_array_index (callee->events, HpMatchEvent, n);
          if (introduced->type == HP_MATCH_EVENT_INTRODUCED
              && !introduced->introduction.needs_reply)
            break;
        }
      g_assert_false (introduced->introduction.needs_reply);
      g_assert_cmpint (ABS (answer->introduction.start_at
                            - introduced->introduction.start_at), <=, 5 * MS);
    }
}

static void
test_nobody_replies (void)
{
  g_autoptr (Cluster) cluster = cluster_new (2, g_test_rand_int ());
  WorldClient *caller = cluster_add_connected (cluster, 0);
  gint64 start = cluster->now;

  cluster_add_registered (cluster, 1, "wq", 0);
  start = cluster->now;
  cluster_assert_refused (cluster, caller, cluster_ask (caller, "wq"),
                          HP_REFUSED_UNKNOWN_ID);
  g_assert_cmpint (cluster->now - start, >=, 30 * SECOND);
  g_assert_cmpint (cluster->now - start, <, 31 * SECOND);
}

/* A place that says nothing is not one where nobody is. */
static void
test_dead_place (void)
{
  g_autoptr (Cluster) cluster = cluster_new (2, g_test_rand_int ());
  WorldClient *caller = cluster_add_connected (cluster, 0);
  WorldClient *callee
      = cluster_add_registered (cluster, 1, "wq", HP_REGISTER_OPEN);
  gint64 start = cluster->now;
  guint64 received;

  cluster->is_dead[1] = TRUE;
  cluster_assert_refused (cluster, caller, cluster_ask (caller, "wq"),
                          HP_REFUSED_TEMPORARY);
  g_assert_cmpint (cluster->now - start, >=, 5 * SECOND);
  g_assert_cmpint (cluster->now - start, <, 6 * SECOND);
  g_assert_cmpuint (cluster->sent[HP_MATCH_MESSAGE_CALL], >=, 5);
  /* What comes after it changes nothing. */
  cluster->is_dead[1] = FALSE;
  cluster->is_dead[0] = TRUE;
  client_forget (caller);
  cluster_ask (caller, "wq");
  g_assert_true (cluster_await (cluster, callee, HP_MATCH_EVENT_INTRODUCED,
                                SECOND));
  cluster_run (cluster, 6 * SECOND);
  g_assert_cmpuint (client_count (caller, HP_MATCH_EVENT_ASK_REFUSED), ==, 1);
  g_assert_cmpuint (cluster->sent[HP_MATCH_MESSAGE_ACCEPTED], >=, 1);
  g_assert_cmpuint (cluster->last->bytes[1], ==, HP_MATCH_MESSAGE_ACCEPTED);
  received = caller->received;
  cluster_deliver (cluster, 1, 0, cluster->last->bytes,
                   cluster->last->length);
  cluster_run (cluster, 100 * MS);
  g_assert_cmpuint (caller->received, ==, received);
  g_assert_cmpuint (client_count (caller, HP_MATCH_EVENT_ANSWER), ==, 0);
  g_assert_cmpuint (world_statistics (cluster->worlds).introductions, ==, 0);
  /* All is well again. */
  cluster->is_dead[0] = FALSE;
  cluster_ask (caller, "wq");
  g_assert_true (
      cluster_await (cluster, caller, HP_MATCH_EVENT_ANSWER, SECOND));
}

/* A fifth of all messages and a tenth of all datagrams are lost; not by
 * another chance each time, since an ask gives up after five seconds. */
static void
test_losses (gconstpointer flags)
{
  for (guint round = 0; round < 10; round++)
    {
      g_autoptr (Cluster) cluster = cluster_new (2, 100 + 10 * round);
      WorldClient *caller = cluster_add_connected (cluster, 0);
      WorldClient *callee = cluster_add_registered (
          cluster, 1, "wq", GPOINTER_TO_UINT (flags));
      HpMatchEvent *introduced;

      cluster->loss_percent = 20;
      cluster->worlds[0].loss_percent = cluster->worlds[1].loss_percent = 10;
      cluster_ask (caller, "wq");
      g_assert_true (cluster_await (
          cluster, callee, HP_MATCH_EVENT_INTRODUCED, 20 * SECOND));
      introduced = client_find (callee, HP_MATCH_EVENT_INTRODUCED);
      if (introduced->introduction.needs_reply)
        hp_match_client_reply (callee->client,
                               introduced->introduction.ticket.number, TRUE,
                               cluster->now);
      g_assert_true (cluster_await (cluster, caller, HP_MATCH_EVENT_ANSWER,
                                    20 * SECOND));
      cluster_run (cluster, 5 * SECOND);
      introduced = client_find (callee, HP_MATCH_EVENT_INTRODUCED);
      g_assert_false (introduced->introduction.needs_reply);
      assert_same_ticket (client_find (caller, HP_MATCH_EVENT_ANSWER),
                          introduced);
      assert_one_introduction (cluster, 0, 1);
    }
}

static void
test_by_key (void)
{
  g_autoptr (Cluster) cluster = cluster_new (2, g_test_rand_int ());
  WorldClient *caller = cluster_add_connected (cluster, 0);
  WorldClient *nameless = cluster_add_connected (cluster, 1);
  guint8 nobody[HP_KEY_SIZE] = { 1 };
  HpMatchEvent *event;

  hp_match_client_ask (caller->client, NULL,
                       nameless->config.local.public_key, cluster->now);
  g_assert_true (cluster_await (cluster, nameless, HP_MATCH_EVENT_INTRODUCED,
                                SECOND));
  event = client_find (nameless, HP_MATCH_EVENT_INTRODUCED);
  g_assert_cmpstr (event->introduction.wanted_id, ==, "");
  g_assert_true (event->introduction.needs_reply);
  hp_match_client_reply (nameless->client,
                         event->introduction.ticket.number, TRUE,
                         cluster->now);
  g_assert_true (
      cluster_await (cluster, caller, HP_MATCH_EVENT_ANSWER, SECOND));
  event = client_find (caller, HP_MATCH_EVENT_ANSWER);
  assert_key (event->introduction.public_key, nameless);
  g_assert_cmpstr (event->introduction.id, ==, "");

  cluster_assert_refused (cluster, caller,
                          hp_match_client_ask (caller->client, NULL, nobody,
                                               cluster->now),
                          HP_REFUSED_UNKNOWN_ID);
}

static void
test_authorization (void)
{
  g_autoptr (Cluster) cluster = cluster_new (2, g_test_rand_int ());
  WorldClient *caller = cluster_add_connected (cluster, 0);

  cluster_add_registered (cluster, 1, "wq", HP_REGISTER_OPEN);
  hp_match_service_set_asks_introduction (cluster->worlds[0].service, TRUE);
  /* Whom the callee's server would refuse, it is not its business. */
  hp_match_service_set_asks_introduction (cluster->worlds[1].service, TRUE);
  cluster->worlds[0].denies = cluster->worlds[1].denies = TRUE;
  cluster_assert_refused (cluster, caller, cluster_ask (caller, "wq"),
                          HP_REFUSED_POLICY);
  g_assert_cmpuint (world_count (cluster->worlds, HP_SERVICE_EVENT_LOOKUP),
                    ==, 0);
  g_assert_cmpuint (world_statistics (cluster->worlds).forwarded, ==, 0);
  cluster->worlds[0].denies = FALSE;
  cluster_ask (caller, "wq");
  g_assert_true (
      cluster_await (cluster, caller, HP_MATCH_EVENT_ANSWER, SECOND));
}

/* All of three with all, at once */
static void
test_three (void)
{
  g_autoptr (Cluster) cluster = cluster_new (3, g_test_rand_int ());
  static const char *const ids[] = { "a", "b", "c" };
  WorldClient *clients[3];

  cluster->tells_holder = TRUE;
  for (guint i = 0; i < 3; i++)
    clients[i]
        = cluster_add_registered (cluster, i, ids[i], HP_REGISTER_OPEN);
  for (guint i = 0; i < 9; i++)
    if (i / 3 != i % 3)
      cluster_ask (clients[i / 3], ids[i % 3]);
  cluster_run (cluster, 2 * SECOND);
  for (guint i = 0; i < 3; i++)
    {
      g_assert_cmpuint (
          client_count (clients[i], HP_MATCH_EVENT_ANSWER), ==, 2);
      g_assert_cmpuint (
          world_statistics (cluster->worlds + i).introductions, ==, 2);
    }
  client_forget (clients[0]);
  cluster_assert_refused (cluster, clients[0], cluster_ask (clients[0], "a"),
                          HP_REFUSED_UNKNOWN_ID);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add_func ("/match-forwarding/" name, func)
#define ADD_WITH(name, func, data)                                            \
  g_test_add_data_func ("/match-forwarding/" name, GINT_TO_POINTER (data),    \
                        func)
  ADD ("open", test_open);
  ADD ("is-known", test_is_known);
  ADD ("local", test_local);
  ADD_WITH ("reply", test_reply, FALSE);
  ADD_WITH ("reply-with-key", test_reply, TRUE);
  ADD_WITH ("start-open", test_start, HP_REGISTER_OPEN);
  ADD_WITH ("start-reply", test_start, 0);
  ADD ("refused", test_refused);
  ADD ("nobody-replies", test_nobody_replies);
  ADD ("dead-place", test_dead_place);
  ADD_WITH ("losses-open", test_losses, HP_REGISTER_OPEN);
  ADD_WITH ("losses-reply", test_losses, 0);
  ADD ("by-key", test_by_key);
  ADD ("authorization", test_authorization);
  ADD ("three", test_three);
  return g_test_run ();
}
