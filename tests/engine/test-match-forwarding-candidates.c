/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Which candidates pass between two services: the same as at one. */

#include "match-cluster.h"

#include "hole-punch/engine/hp-match-message.h"

#include <string.h>

static gboolean
was_told (WorldClient *client, HpMatchEventType type, const char *text)
{
  HpAddress address = make_address (text);

  for (guint i = 0; i < client->events->len; i++)
    {
      HpMatchEvent *event
          = &g_array_index (client->events, HpMatchEvent, i);

      if (event->type == type
          && hp_candidates_contain (&event->introduction.candidates,
                                    &address))
        return TRUE;
    }
  return FALSE;
}

static void
set_hosts (WorldClient *client, const char *a, const char *b)
{
  HpWireCandidates hosts = { 0 };
  HpAddress address = make_address (a);

  hp_candidates_add (&hosts, &address, HP_CANDIDATE_HOST, NULL);
  address = make_address (b);
  hp_candidates_add (&hosts, &address, HP_CANDIDATE_HOST, NULL);
  hp_match_client_set_candidates (client->client, &hosts);
}

static void
test_host_candidates (void)
{
  g_autoptr (Cluster) cluster = cluster_new (3, g_test_rand_int ());
  WorldClient *callee
      = cluster_add_registered (cluster, 1, "wq", HP_REGISTER_OPEN);
  WorldClient *near = cluster_add_client (cluster, 0);
  WorldClient *far = cluster_add_connected (cluster, 2);

  /* Behind the same NAT, but with another server */
  near->address = callee->address;
  near->address.port = 50000;
  world_connect (near->world, near);
  g_assert_true (
      cluster_await (cluster, near, HP_MATCH_EVENT_CONNECTED, SECOND));
  set_hosts (callee, "192.168.1.2:40000", "203.0.113.9:9");
  set_hosts (near, "192.168.1.3:50000", "203.0.113.8:9");
  set_hosts (far, "192.168.1.4:60000", "203.0.113.7:9");

  cluster_ask (near, "wq");
  cluster_run (cluster, SECOND);
  g_assert_true (was_told (near, HP_MATCH_EVENT_ANSWER, "192.168.1.2:40000"));
  g_assert_true (
      was_told (callee, HP_MATCH_EVENT_INTRODUCED, "192.168.1.3:50000"));
  /* The first ANSWER did not know of it: the callee's REPLY told. */
  g_assert_cmpuint (client_count (near, HP_MATCH_EVENT_ANSWER), ==, 2);
  g_assert_true (
      client_find (near, HP_MATCH_EVENT_ANSWER)->introduction.repeated);
  cluster_ask (far, "wq");
  cluster_run (cluster, SECOND);
  g_assert_true (client_count (far, HP_MATCH_EVENT_ANSWER) > 0);
  g_assert_false (was_told (far, HP_MATCH_EVENT_ANSWER, "192.168.1.2:40000"));
  g_assert_false (
      was_told (callee, HP_MATCH_EVENT_INTRODUCED, "192.168.1.4:60000"));
  /* Without a proof */
  g_assert_false (
      was_told (callee, HP_MATCH_EVENT_INTRODUCED, "203.0.113.8:9"));
  g_assert_false (
      was_told (callee, HP_MATCH_EVENT_INTRODUCED, "203.0.113.7:9"));
  g_assert_false (was_told (near, HP_MATCH_EVENT_ANSWER, "203.0.113.9:9"));
}

/* Told at once, not only when the caller asks again */
static void
test_news (void)
{
  g_autoptr (Cluster) cluster = cluster_new (2, g_test_rand_int ());
  WorldClient *callee
      = cluster_add_registered (cluster, 1, "wq", HP_REGISTER_OPEN);
  WorldClient *caller = cluster_add_client (cluster, 0);
  guint calls;

  caller->address = callee->address;
  caller->address.port = 50000;
  world_connect (caller->world, caller);
  cluster_ask (caller, "wq");
  cluster_run (cluster, 5 * SECOND);
  /* Right after a repeat of the ASK */
  for (calls = cluster->sent[HP_MATCH_MESSAGE_CALL];
       cluster->sent[HP_MATCH_MESSAGE_CALL] == calls;)
    cluster_run (cluster, MS);
  cluster_run (cluster, 100 * MS);
  calls = cluster->sent[HP_MATCH_MESSAGE_CALL];
  set_hosts (callee, "192.168.1.2:40000", "192.168.1.3:40000");
  hp_match_client_tell_candidates (callee->client, cluster->now);
  cluster_run (cluster, 50 * MS);
  g_assert_true (
      was_told (caller, HP_MATCH_EVENT_ANSWER, "192.168.1.2:40000"));
  g_assert_cmpuint (cluster->sent[HP_MATCH_MESSAGE_CALL], ==, calls);
}

/* The other family's address has a proof, of the own server, which another one
 * could not check. */
static void
test_proofs (void)
{
  g_autoptr (Cluster) cluster = cluster_new (2, g_test_rand_int ());
  World *worlds = cluster->worlds;
  WorldClient *callee = cluster_add_client (cluster, 1);
  WorldClient *caller = cluster_add_client (cluster, 0);
  HpMatchEvent *event;

  for (guint i = 0; i < 2; i++)
    {
      HpAddress servers[2] = { worlds[i].server, worlds[i].server_ipv6 };

      hp_match_client_set_addresses (worlds[i].clients[0].client, servers, 2,
                                     cluster->now);
    }
  hp_match_client_register (callee->client, "wq", HP_REGISTER_OPEN,
                            cluster->now);
  cluster_run (cluster, 10 * SECOND);
  cluster_ask (caller, "wq");
  cluster_run (cluster, SECOND);
  event = client_find (callee, HP_MATCH_EVENT_INTRODUCED);
  g_assert_true (hp_candidates_contain (&event->introduction.candidates,
                                        &caller->address_ipv6));
  g_assert_true (hp_candidates_contain (&event->introduction.candidates,
                                        &caller->address));
  event = client_find (caller, HP_MATCH_EVENT_ANSWER);
  g_assert_true (hp_candidates_contain (&event->introduction.candidates,
                                        &callee->address_ipv6));
}

/* One that its own service does not know goes no farther. */
static void
test_false_proof (void)
{
  g_autoptr (Cluster) cluster = cluster_new (2, g_test_rand_int ());
  WorldClient *callee
      = cluster_add_registered (cluster, 1, "wq", HP_REGISTER_OPEN);
  HpAddress stranger = make_address ("203.0.113.9:9");
  guint8 proof[HP_PROOF_SIZE] = { 1 };
  HpFrame frame;
  Raw *raw;

  raw_listen (cluster->worlds);
  raw = raw_add_connected (cluster->worlds, "203.0.113.1:1000");
  frame = make_ask (1, "wq");
  hp_candidates_add (&frame.ask.candidates, &stranger,
                     HP_CANDIDATE_SERVER_REFLEXIVE, proof);
  raw_send (raw, &frame);
  g_assert_true (cluster_await (cluster, callee, HP_MATCH_EVENT_INTRODUCED,
                                SECOND));
  g_assert_false (was_told (callee, HP_MATCH_EVENT_INTRODUCED,
                            "203.0.113.9:9"));
  g_assert_true (was_told (callee, HP_MATCH_EVENT_INTRODUCED,
                           "203.0.113.1:1000"));
  raw_forget ();
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func)                                                       \
  g_test_add_func ("/match-forwarding-candidates/" name, func)
  ADD ("host-candidates", test_host_candidates);
  ADD ("news", test_news);
  ADD ("proofs", test_proofs);
  ADD ("false-proof", test_false_proof);
  return g_test_run ();
}
