/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Client and service against each other: asking, replying, candidates. */

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

/* Introductions */

static void
test_open (World *world, gconstpointer data)
{
  WorldClient *callee = world_add_registered (world, "wq", HP_REGISTER_OPEN);
  WorldClient *caller = world_add_client (world);
  HpMatchEvent *answer;
  HpMatchEvent *introduced;
  guint64 request;
  gint64 start;

  caller->latency = 90 * MS;
  world_connect (world, caller);
  hp_match_client_register (caller->client, "me", 0, world->now);
  g_assert_true (world_await_registered (world, caller, 2 * SECOND));
  start = world->now;
  request = world_ask (world, caller, "wq");
  g_assert_true (
      world_await_event (world, caller, HP_MATCH_EVENT_ANSWER, SECOND));
  /* In one round trip */
  g_assert_cmpint (world->now - start, <=, 190 * MS);
  answer = client_find (caller, HP_MATCH_EVENT_ANSWER);
  /* It is sent twice, in case one is lost; an ANSWER is told only once. */
  introduced = client_find (callee, HP_MATCH_EVENT_INTRODUCED);
  g_assert_nonnull (introduced);
  g_assert_true (introduced->introduction.repeated);
  introduced--;
  g_assert_cmpint (introduced->type, ==, HP_MATCH_EVENT_INTRODUCED);
  g_assert_cmpuint (client_count (caller, HP_MATCH_EVENT_ANSWER), ==, 1);
  g_assert_cmpuint (answer->request, ==, request);
  g_assert_false (answer->introduction.needs_reply);
  g_assert_false (introduced->introduction.needs_reply);
  g_assert_false (introduced->introduction.repeated);
  assert_same_ticket (answer, introduced);
  assert_key (answer->introduction.public_key, callee);
  assert_key (introduced->introduction.public_key, caller);
  g_assert_cmpstr (answer->introduction.id, ==, "wq");
  g_assert_cmpstr (introduced->introduction.id, ==, "me");
  g_assert_cmpstr (introduced->introduction.wanted_id, ==, "wq");
  g_assert_true (hp_address_equal (&answer->introduction.observed,
                                   &callee->address));
  g_assert_cmpuint (introduced->introduction.candidates.n_candidates, ==, 1);
  g_assert_true (hp_address_equal (
      &introduced->introduction.candidates.candidates[0].address,
      &caller->address));
  /* Both start in the same instant, whoever is farther away. */
  g_assert_cmpint (ABS (answer->introduction.start_at
                        - introduced->introduction.start_at), <=, MS);
  g_assert_cmpint (answer->introduction.start_at, >=, start + 180 * MS);
}

static void
test_repeats (World *world, gconstpointer data)
{
  WorldClient *callee = world_add_registered (world, "wq", HP_REGISTER_OPEN);
  WorldClient *caller = world_add_connected (world);
  guint64 request = world_ask (world, caller, "wq");
  guint64 first;
  guint introduced;

  world_run (world, 5 * SECOND);
  /* Told once, though repeated: nothing is new. */
  g_assert_cmpuint (client_count (caller, HP_MATCH_EVENT_ANSWER), ==, 1);
  introduced = client_count (callee, HP_MATCH_EVENT_INTRODUCED);
  g_assert_cmpuint (introduced, >=, 5);
  first = client_find (caller, HP_MATCH_EVENT_ANSWER)
              ->introduction.ticket.number;
  g_assert_cmpuint (client_find (callee, HP_MATCH_EVENT_INTRODUCED)
                        ->introduction.ticket.number, ==, first);
  g_assert_true (client_find (callee, HP_MATCH_EVENT_INTRODUCED)
                     ->introduction.repeated);
  g_assert_cmpuint (world_statistics (world).introductions, ==, 1);
  g_assert_cmpuint (world_statistics (world).asks, ==, 1);
  /* Nobody is asked about whoever is here. */
  g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_LOOKUP), ==, 0);
  g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_INTRODUCED), ==, 1);

  hp_match_client_stop_asking (caller->client, request);
  world_run (world, SECOND);
  introduced = client_count (callee, HP_MATCH_EVENT_INTRODUCED);
  world_run (world, 10 * SECOND);
  g_assert_cmpuint (client_count (callee, HP_MATCH_EVENT_INTRODUCED), ==,
                    introduced);
  /* Another ASK is another introduction. */
  world_ask (world, caller, "wq");
  world_run (world, SECOND);
  g_assert_cmpuint (client_find (caller, HP_MATCH_EVENT_ANSWER)
                        ->introduction.ticket.number, !=, first);
}

/* An ASK whose INTRODUCE was lost, long after the server forgot it */
static void
test_same_ticket_later (World *world, gconstpointer data)
{
  WorldClient *callee = world_add_registered (world, "wq", HP_REGISTER_OPEN);
  WorldClient *caller = world_add_connected (world);
  guint64 first;

  world_ask (world, caller, "wq");
  world_run (world, SECOND);
  first = client_find (caller, HP_MATCH_EVENT_ANSWER)
              ->introduction.ticket.number;
  world_run (world, 45 * SECOND);
  g_assert_cmpuint (world_statistics (world).asks, ==, 2);
  g_assert_cmpuint (client_count (caller, HP_MATCH_EVENT_ANSWER), ==, 1);
  g_assert_cmpuint (client_find (callee, HP_MATCH_EVENT_INTRODUCED)
                        ->introduction.ticket.number, ==, first);
}

/* Two at once, and numbers in any order */
static void
test_several_asks (World *world, gconstpointer data)
{
  WorldClient *a = world_add_registered (world, "a", HP_REGISTER_OPEN);
  WorldClient *b = world_add_registered (world, "b", HP_REGISTER_OPEN);
  WorldClient *caller = world_add_connected (world);

  world->jitter = 100 * MS;
  for (guint i = 0; i < 10; i++)
    world_ask (world, caller, i % 2 ? "a" : "b");
  world_run (world, 2 * SECOND);
  g_assert_cmpuint (client_count (caller, HP_MATCH_EVENT_ANSWER), ==, 10);
  g_assert_nonnull (client_find (a, HP_MATCH_EVENT_INTRODUCED));
  g_assert_nonnull (client_find (b, HP_MATCH_EVENT_INTRODUCED));
}

/* Unknown, absent and refusing callees read alike, to the byte. */
static void
test_refused_reads_like_unknown (World *world, gconstpointer data)
{
  static const char *const ids[] = { "nobody", "absent", "refuses", "keyed" };
  WorldClient *refuses = world_add_registered (world, "refuses", 0);
  WorldClient *absent
      = world_add_registered (world, "absent", HP_REGISTER_OPEN);
  WorldClient *caller = world_add_connected (world);
  WorldSizes sizes = { 0, G_MAXSIZE, caller->address };

  absent->is_cut_off = TRUE;
  world_run (world, 130 * SECOND);
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    {
      HpMatchEvent *introduced;
      guint64 request;

      client_forget (caller);
      client_forget (refuses);
      /* No PING and OBSERVED in between */
      hp_match_client_check (caller->client, world->now);
      world_run (world, SECOND);
      world->tap = world_measure;
      world->tap_data = &sizes;
      request = i == 3 ? hp_match_client_ask (
                    caller->client, NULL, refuses->config.local.public_key,
                    world->now)
                       : world_ask (world, caller, ids[i]);
      if (i >= 2)
        {
          g_assert_true (world_await_event (
              world, refuses, HP_MATCH_EVENT_INTRODUCED, SECOND));
          introduced = client_find (refuses, HP_MATCH_EVENT_INTRODUCED);
          g_assert_true (introduced->introduction.needs_reply);
          hp_match_client_reply (refuses->client,
                                 introduced->introduction.ticket.number,
                                 FALSE, world->now);
        }
      world_assert_refused (world, caller, request, HP_REFUSED_UNKNOWN_ID);
      world_run (world, SECOND);
      world->tap = NULL;
      g_assert_cmpuint (sizes.largest, ==, sizes.smallest);
      g_assert_cmpuint (client_count (caller, HP_MATCH_EVENT_ANSWER), ==, 0);
    }
}

static void
test_nobody_replies (World *world, gconstpointer data)
{
  WorldClient *callee = world_add_registered (world, "wq", 0);
  WorldClient *caller = world_add_connected (world);
  gint64 start = world->now;

  world_assert_refused (world, caller, world_ask (world, caller, "wq"),
                  HP_REFUSED_UNKNOWN_ID);
  g_assert_cmpint (world->now - start, >=, 30 * SECOND);
  g_assert_cmpint (world->now - start, <, 31 * SECOND);
  g_assert_nonnull (client_find (callee, HP_MATCH_EVENT_INTRODUCED));
}

static void
test_reply (World *world, gconstpointer data)
{
  WorldClient *callee = world_add_client (world);
  WorldClient *caller = world_add_connected (world);
  HpMatchEvent *introduced;
  HpMatchEvent *answer;
  gint64 start;

  callee->latency = 70 * MS;
  world_connect (world, callee);
  hp_match_client_register (callee->client, "wq", 0, world->now);
  g_assert_true (world_await_registered (world, callee, 2 * SECOND));
  world_ask (world, caller, "wq");
  world_run (world, 4 * SECOND);
  /* An application may think about it; nothing is told meanwhile. */
  g_assert_cmpuint (client_count (caller, HP_MATCH_EVENT_ANSWER), ==, 0);
  g_assert_cmpuint (world_statistics (world).introductions, ==, 0);
  introduced = client_find (callee, HP_MATCH_EVENT_INTRODUCED);
  g_assert_true (introduced->introduction.needs_reply);
  start = world->now;
  hp_match_client_reply (callee->client,
                         introduced->introduction.ticket.number, TRUE,
                         world->now);
  /* Half a round trip each */
  g_assert_true (world_await_event (world, caller, HP_MATCH_EVENT_ANSWER,
                                    100 * MS));
  world_run (world, 200 * MS);
  answer = client_find (caller, HP_MATCH_EVENT_ANSWER);
  introduced = client_find (callee, HP_MATCH_EVENT_INTRODUCED);
  assert_same_ticket (answer, introduced);
  g_assert_true (introduced->introduction.repeated);
  g_assert_false (introduced->introduction.needs_reply);
  g_assert_cmpint (ABS (answer->introduction.start_at
                        - introduced->introduction.start_at), <=, MS);
  g_assert_cmpint (answer->introduction.start_at, >=, start + 140 * MS);
  g_assert_cmpuint (world_statistics (world).introductions, ==, 1);
  /* The REPLY was understood: it is not repeated. */
  start = callee->sent;
  hp_match_client_stop_asking (
      caller->client, client_find (caller, HP_MATCH_EVENT_ANSWER)->request);
  world_run (world, 5 * SECOND);
  g_assert_cmpuint (callee->sent, <=, start + 1);
}

static void
test_by_key (World *world, gconstpointer data)
{
  WorldClient *open = world_add_registered (world, "open", HP_REGISTER_OPEN);
  WorldClient *nameless = world_add_connected (world);
  WorldClient *caller = world_add_connected (world);
  guint8 nobody[HP_KEY_SIZE] = { 1 };
  HpMatchEvent *event;

  hp_match_client_ask (caller->client, NULL, open->config.local.public_key,
                       world->now);
  g_assert_true (
      world_await_event (world, caller, HP_MATCH_EVENT_ANSWER, SECOND));
  event = client_find (open, HP_MATCH_EVENT_INTRODUCED);
  g_assert_cmpstr (event->introduction.wanted_id, ==, "");
  g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_LOOKUP), ==, 0);

  /* Whoever has no id decides itself. */
  client_forget (caller);
  hp_match_client_ask (caller->client, NULL,
                       nameless->config.local.public_key, world->now);
  g_assert_true (world_await_event (
      world, nameless, HP_MATCH_EVENT_INTRODUCED, SECOND));
  event = client_find (nameless, HP_MATCH_EVENT_INTRODUCED);
  g_assert_true (event->introduction.needs_reply);
  hp_match_client_reply (nameless->client,
                         event->introduction.ticket.number, TRUE, world->now);
  g_assert_true (
      world_await_event (world, caller, HP_MATCH_EVENT_ANSWER, SECOND));

  world_assert_refused (world, caller,
                  hp_match_client_ask (caller->client, NULL, nobody,
                                       world->now),
                  HP_REFUSED_UNKNOWN_ID);
  client_forget (caller);
  world_assert_refused (world, caller,
                  hp_match_client_ask (caller->client, NULL,
                                       caller->config.local.public_key,
                                       world->now),
                  HP_REFUSED_UNKNOWN_ID);
}

/* Candidates */

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

static gboolean
has_candidate (const HpMatchEvent *event, const char *text)
{
  HpAddress address = make_address (text);

  return hp_candidates_contain (&event->introduction.candidates, &address);
}

static void
test_host_candidates (World *world, gconstpointer data)
{
  WorldClient *callee = world_add_registered (world, "wq", HP_REGISTER_OPEN);
  WorldClient *near = world_add_client (world);
  WorldClient *far = world_add_connected (world);

  /* Behind the same NAT */
  near->address = callee->address;
  near->address.port = 50000;
  world_connect (world, near);
  g_assert_true (world_await_event (world, near, HP_MATCH_EVENT_CONNECTED,
                                    SECOND));
  /* The second one would be a stranger's: it has no proof. */
  set_hosts (callee, "192.168.1.2:40000", "203.0.113.9:9");
  set_hosts (near, "192.168.1.3:50000", "203.0.113.8:9");
  set_hosts (far, "192.168.1.4:60000", "203.0.113.7:9");

  world_ask (world, near, "wq");
  world_run (world, SECOND);
  g_assert_true (has_candidate (client_find (near, HP_MATCH_EVENT_ANSWER),
                                "192.168.1.2:40000"));
  /* The first ANSWER did not know of it: the callee's REPLY told. */
  g_assert_cmpuint (client_count (near, HP_MATCH_EVENT_ANSWER), ==, 2);
  g_assert_true (client_find (near, HP_MATCH_EVENT_ANSWER)
                     ->introduction.repeated);
  g_assert_true (has_candidate (
      client_find (callee, HP_MATCH_EVENT_INTRODUCED), "192.168.1.3:50000"));
  g_assert_false (has_candidate (
      client_find (callee, HP_MATCH_EVENT_INTRODUCED), "203.0.113.8:9"));

  client_forget (callee);
  world_ask (world, far, "wq");
  world_run (world, SECOND);
  g_assert_cmpuint (client_find (far, HP_MATCH_EVENT_ANSWER)
                        ->introduction.candidates.n_candidates, ==, 1);
  for (guint i = 0; i < callee->events->len; i++)
    g_assert_false (
        has_candidate (&g_array_index (callee->events, HpMatchEvent, i),
                       "192.168.1.4:60000"));
}

static void
test_both_families (World *world, gconstpointer data)
{
  HpAddress servers[2] = { world->server, world->server_ipv6 };
  WorldClient *callee = world_add_client (world);
  WorldClient *caller = world_add_client (world);
  HpAddress wanted;
  HpMatchEvent *event;

  hp_match_client_set_addresses (callee->client, servers, 2, world->now);
  hp_match_client_set_addresses (caller->client, servers, 2, world->now);
  hp_match_client_register (callee->client, "wq", HP_REGISTER_OPEN,
                            world->now);
  world_run (world, 400 * SECOND);
  g_assert_true (hp_match_client_is_registered (callee->client));
  /* The one that was tried first won. */
  g_assert_true (hp_address_equal (
      hp_match_client_get_server (caller->client), &world->server));
  world_ask (world, caller, "wq");
  world_run (world, SECOND);
  event = client_find (callee, HP_MATCH_EVENT_INTRODUCED);
  wanted = caller->address_ipv6;
  g_assert_true (hp_candidates_contain (&event->introduction.candidates,
                                        &wanted));
  g_assert_true (hp_candidates_contain (&event->introduction.candidates,
                                        &caller->address));
  event = client_find (caller, HP_MATCH_EVENT_ANSWER);
  g_assert_true (hp_candidates_contain (&event->introduction.candidates,
                                        &callee->address_ipv6));
}

/* One family does not work at all: the other one serves, at once. */
static gboolean
drop_ipv4 (gpointer user_data, const Flying *flying)
{
  return flying->to.family != HP_ADDRESS_IPV4;
}

static void
test_broken_family (World *world, gconstpointer data)
{
  HpAddress servers[2] = { world->server, world->server_ipv6 };
  WorldClient *client = world_add_client (world);

  world->tap = drop_ipv4;
  hp_match_client_set_addresses (client->client, servers, 2, world->now);
  hp_match_client_register (client->client, "wq", 0, world->now);
  g_assert_true (world_await_registered (world, client, 300 * MS));
  g_assert_true (hp_address_equal (
      hp_match_client_get_server (client->client), &world->server_ipv6));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func)                                                       \
  g_test_add ("/match-introducing/" name, World, NULL, set_up, func, tear_down)
  ADD ("open", test_open);
  ADD ("repeats", test_repeats);
  ADD ("same-ticket-later", test_same_ticket_later);
  ADD ("several-asks", test_several_asks);
  ADD ("refused-reads-like-unknown", test_refused_reads_like_unknown);
  ADD ("nobody-replies", test_nobody_replies);
  ADD ("reply", test_reply);
  ADD ("by-key", test_by_key);
  ADD ("host-candidates", test_host_candidates);
  ADD ("both-families", test_both_families);
  ADD ("broken-family", test_broken_family);
  return g_test_run ();
}
