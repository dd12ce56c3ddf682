/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What another service may send, be it broken or greedy; and peers that come,
 * go and move between services. */

#include "match-cluster.h"

#include "hole-punch/engine/hp-match-message.h"

#include <string.h>

/* As many asks and visits as a small service remembers */
#define MOST 1024

/* Messages */

static void
make_call (HpMatchMessage *message, guint caller, guint64 request,
           const char *wanted_id)
{
  memset (message, 0, sizeof *message);
  message->type = HP_MATCH_MESSAGE_CALL;
  memset (message->caller, 0x55, HP_KEY_SIZE);
  memcpy (message->caller, &caller, sizeof caller);
  message->request = request;
  message->frame.type = HP_FRAME_INTRODUCE;
  memcpy (message->frame.introduction.public_key, message->caller,
          HP_KEY_SIZE);
  message->frame.introduction.observed = make_address ("203.0.113.1:1");
  message->frame.introduction.wanted_id
      = (HpBytes){ (const guint8 *) wanted_id, strlen (wanted_id) };
}

static void
deliver_from (Cluster *cluster, const HpMatchMessage *message, guint from,
              guint to)
{
  guint8 bytes[HP_MATCH_MESSAGE_MAX_SIZE];

  cluster_deliver (cluster, from, to, bytes,
                   hp_match_message_write (message, bytes, sizeof bytes));
  cluster_run (cluster, 0);
}

static void
deliver (Cluster *cluster, const HpMatchMessage *message, guint to)
{
  deliver_from (cluster, message, 1 - to, to);
}

/* What the service at @from answered last */
static void
read_last (Cluster *cluster, guint from, HpMatchMessage *message)
{
  g_assert_nonnull (cluster->last);
  g_assert_cmpuint (cluster->last->from, ==, from);
  g_assert_true (hp_match_message_parse (message, cluster->last->bytes,
                                         cluster->last->length));
}

/* The largest that there can be fits. */
static void
test_largest (void)
{
  guint8 bytes[HP_MATCH_MESSAGE_MAX_SIZE];
  char id[HP_ID_MAX_SIZE + 1];
  HpMatchMessage message;
  HpMatchMessage parsed;
  HpFrame *frame = &message.frame;
  gsize length;

  memset (id, 'x', sizeof id);
  id[HP_ID_MAX_SIZE] = '\0';
  make_call (&message, 1, HP_VARINT_MAX, id);
  message.has_callee = TRUE;
  frame->introduction.flags = HP_VARINT_MAX;
  frame->introduction.id = frame->introduction.wanted_id;
  frame->introduction.round_trip = HP_VARINT_MAX;
  frame->introduction.observed = make_address ("[2001:db8::1]:1");
  frame->introduction.nat = (HpNatFacts){
    .mapping = HP_WIRE_MAPPING_ADDRESS_DEPENDENT,
    .allocation = HP_WIRE_ALLOCATION_SEQUENTIAL,
    .step = G_MAXINT16,
    .drift = G_MAXUINT16,
    .port = G_MAXUINT16,
    .age = G_MAXUINT32,
    .first_port = 1,
    .last_port = G_MAXUINT16,
  };
  for (guint i = 0; i < HP_MAX_CANDIDATES; i++)
    {
      HpAddress address = make_address ("[2001:db8::2]:9");

      address.port += i;
      g_assert_true (hp_candidates_add (&frame->introduction.candidates,
                                        &address, HP_CANDIDATE_MAPPED, NULL));
    }
  length = hp_match_message_write (&message, bytes, sizeof bytes);
  g_assert_true (hp_match_message_parse (&parsed, bytes, length));
  g_assert_cmpuint (parsed.request, ==, HP_VARINT_MAX);
  g_assert_cmpuint (parsed.frame.introduction.wanted_id.length, ==,
                    HP_ID_MAX_SIZE);
  g_assert_cmpuint (parsed.frame.introduction.candidates.n_candidates, ==,
                    HP_MAX_CANDIDATES);
}

static guint64
get_malformed (Cluster *cluster, guint place)
{
  return world_statistics (cluster->worlds + place).dropped_malformed;
}

/* Cut off anywhere, with something behind it, or changed in any byte */
static void
test_malformed (void)
{
  g_autoptr (Cluster) cluster = cluster_new (2, g_test_rand_int ());
  WorldClient *callee
      = cluster_add_registered (cluster, 1, "wq", HP_REGISTER_OPEN);
  WorldClient *caller = cluster_add_connected (cluster, 0);
  guint8 bytes[HP_MATCH_MESSAGE_MAX_SIZE];
  gsize length;

  cluster_ask (caller, "wq");
  g_assert_true (
      cluster_await (cluster, caller, HP_MATCH_EVENT_ANSWER, SECOND));
  cluster_run (cluster, 50 * MS);
  for (guint to = 0; to < 2; to++)
    {
      HpMatchMessage call;
      guint64 before = get_malformed (cluster, to);

      if (to == 1)
        {
          make_call (&call, 1, 1, "wq");
          length = hp_match_message_write (&call, bytes, sizeof bytes);
        }
      else
        {
          length = cluster->last->length;
          memcpy (bytes, cluster->last->bytes, length);
          g_assert_cmpuint (bytes[1], ==, HP_MATCH_MESSAGE_ACCEPTED);
        }
      for (gsize i = 0; i <= length; i++)
        {
          g_autofree guint8 *copy = g_malloc (length + 1);

          memcpy (copy, bytes, length);
          copy[length] = 0;
          cluster_deliver (cluster, 1 - to, to, copy,
                           i < length ? i : length + 1);
        }
      g_assert_cmpuint (get_malformed (cluster, to), ==, before + length + 1);
      for (gsize i = 0; i < length; i++)
        {
          g_autofree guint8 *copy = g_memdup2 (bytes, length);

          copy[i] ^= 1 << g_test_rand_int_range (0, 8);
          cluster_deliver (cluster, 1 - to, to, copy, length);
        }
    }
  cluster_run (cluster, SECOND);
  /* No client was told what it could not read. */
  for (guint i = 0; i < 2; i++)
    g_assert_cmpuint (world_count (cluster->worlds + i,
                                   HP_SERVICE_EVENT_LEFT), ==, 0);
  client_forget (callee);
  cluster_ask (caller, "wq");
  g_assert_true (
      cluster_await (cluster, callee, HP_MATCH_EVENT_INTRODUCED, SECOND));
}

/* Well formed as a frame, but not what a message is to say */
static void
test_senseless (void)
{
  g_autoptr (Cluster) cluster = cluster_new (2, g_test_rand_int ());
  WorldClient *callee
      = cluster_add_registered (cluster, 1, "wq", HP_REGISTER_OPEN);
  HpMatchMessage message;
  guint64 before = get_malformed (cluster, 1);

  make_call (&message, 1, 1, "wq");
  message.frame.introduction.observed = (HpAddress){ 0 };
  deliver (cluster, &message, 1);
  message.frame.introduction.observed = make_address ("224.0.0.1:1");
  deliver (cluster, &message, 1);
  make_call (&message, 1, 1, "wq");
  message.frame.introduction.public_key[0] ^= 1;
  deliver (cluster, &message, 1);
  make_call (&message, 1, 1, "");
  deliver (cluster, &message, 1);
  make_call (&message, 1, 1, "wq");
  message.frame.type = HP_FRAME_ANSWER;
  deliver (cluster, &message, 1);
  message.type = HP_MATCH_MESSAGE_ACCEPTED;
  message.request = 2;
  deliver (cluster, &message, 1);
  g_assert_cmpuint (get_malformed (cluster, 1), ==, before + 6);
  /* The key is not the holder's; it calls itself. */
  make_call (&message, 1, 1, "wq");
  message.has_callee = TRUE;
  deliver (cluster, &message, 1);
  read_last (cluster, 1, &message);
  g_assert_cmpint (message.type, ==, HP_MATCH_MESSAGE_GONE);
  make_call (&message, 1, 2, "wq");
  memcpy (message.caller, callee->config.local.public_key, HP_KEY_SIZE);
  memcpy (message.frame.introduction.public_key, message.caller, HP_KEY_SIZE);
  deliver (cluster, &message, 1);
  read_last (cluster, 1, &message);
  g_assert_cmpint (message.type, ==, HP_MATCH_MESSAGE_REFUSED);
  g_assert_cmpuint (message.request, ==, 2);
  cluster_run (cluster, SECOND);
  g_assert_cmpuint (client_count (callee, HP_MATCH_EVENT_INTRODUCED), ==, 0);
  /* The right one is heard. */
  make_call (&message, 1, 3, "wq");
  message.has_callee = TRUE;
  memcpy (message.callee, callee->config.local.public_key, HP_KEY_SIZE);
  deliver (cluster, &message, 1);
  cluster_run (cluster, SECOND);
  g_assert_cmpuint (client_count (callee, HP_MATCH_EVENT_INTRODUCED), >, 0);
}

/* Nobody asked for them, or for somebody else */
static void
test_unasked_outcomes (void)
{
  g_autoptr (Cluster) cluster = cluster_new (2, g_test_rand_int ());
  WorldClient *callee = cluster_add_registered (cluster, 1, "wq", 0);
  WorldClient *caller = cluster_add_connected (cluster, 0);
  HpMatchMessage outcome;
  guint64 request = hp_match_client_ask (
      caller->client, NULL, callee->config.local.public_key, cluster->now);

  cluster_run (cluster, SECOND);
  g_assert_cmpuint (client_count (caller, HP_MATCH_EVENT_ANSWER), ==, 0);
  make_call (&outcome, 1, request, "wq");
  outcome.type = HP_MATCH_MESSAGE_ACCEPTED;
  outcome.frame.type = HP_FRAME_ANSWER;
  outcome.frame.introduction.request = request;
  deliver (cluster, &outcome, 0); /* the caller is unknown */
  memcpy (outcome.caller, caller->config.local.public_key, HP_KEY_SIZE);
  deliver (cluster, &outcome, 0); /* another callee */
  memcpy (outcome.frame.introduction.public_key, outcome.caller, HP_KEY_SIZE);
  deliver (cluster, &outcome, 0); /* the caller itself */
  outcome.request = outcome.frame.introduction.request = request + 1;
  memcpy (outcome.frame.introduction.public_key,
          callee->config.local.public_key, HP_KEY_SIZE);
  deliver (cluster, &outcome, 0); /* another request */
  cluster_run (cluster, SECOND);
  g_assert_cmpuint (client_count (caller, HP_MATCH_EVENT_ANSWER), ==, 0);
  g_assert_cmpuint (world_statistics (cluster->worlds).introductions, ==, 0);
  /* As it should be */
  outcome.request = outcome.frame.introduction.request = request;
  deliver (cluster, &outcome, 0);
  cluster_run (cluster, 100 * MS);
  g_assert_cmpuint (client_count (caller, HP_MATCH_EVENT_ANSWER), ==, 1);
  /* What was answered cannot be refused, nor be counted again. */
  outcome.type = HP_MATCH_MESSAGE_REFUSED;
  outcome.code = HP_REFUSED_POLICY;
  deliver (cluster, &outcome, 0);
  outcome.type = HP_MATCH_MESSAGE_RINGING;
  deliver (cluster, &outcome, 0);
  outcome.type = HP_MATCH_MESSAGE_ACCEPTED;
  for (guint i = 0; i < 10; i++)
    deliver (cluster, &outcome, 0);
  cluster_run (cluster, 100 * MS);
  g_assert_cmpuint (client_count (caller, HP_MATCH_EVENT_ASK_REFUSED), ==, 0);
  g_assert_cmpuint (world_statistics (cluster->worlds).refused, ==, 0);
  g_assert_cmpuint (world_statistics (cluster->worlds).introductions, ==, 1);
  g_assert_cmpuint (world_count (cluster->worlds,
                                 HP_SERVICE_EVENT_INTRODUCED), ==, 1);
}

/* Limits */

/* Each CALL costs the callee an INTRODUCE. */
static void
test_repeat_limit (void)
{
  g_autoptr (Cluster) cluster = cluster_new (2, g_test_rand_int ());
  WorldClient *callee
      = cluster_add_registered (cluster, 1, "wq", HP_REGISTER_OPEN);
  HpMatchMessage call;

  make_call (&call, 1, 1, "wq");
  for (guint i = 0; i < 1000; i++)
    deliver (cluster, &call, 1);
  cluster_run (cluster, SECOND);
  g_assert_cmpuint (client_count (callee, HP_MATCH_EVENT_INTRODUCED), <=, 42);
  g_assert_cmpuint (cluster->sent[HP_MATCH_MESSAGE_ACCEPTED], <=, 44);
  g_assert_cmpuint (
      world_statistics (cluster->worlds + 1).dropped_rate_limited, >=, 950);
}

/* Visits that wait are kept, those that are over make room. */
static void
test_full (void)
{
  g_autoptr (Cluster) cluster = cluster_new (2, g_test_rand_int ());
  HpMatchMessage message;
  guint64 ticket;

  cluster_add_registered (cluster, 1, "open", HP_REGISTER_OPEN);
  cluster_add_registered (cluster, 1, "asks", 0);
  for (guint i = 0; i < 3 * MOST; i++)
    {
      make_call (&message, i, 1, i % 2 ? "open" : "nobody");
      deliver (cluster, &message, 1);
    }
  read_last (cluster, 1, &message);
  g_assert_cmpint (message.type, ==, HP_MATCH_MESSAGE_ACCEPTED);
  g_assert_cmpuint (world_statistics (cluster->worlds + 1).dropped_full, ==,
                    0);
  for (guint i = 0; i < MOST; i++)
    {
      make_call (&message, i, 2, "asks");
      deliver (cluster, &message, 1);
    }
  g_assert_cmpuint (cluster->sent[HP_MATCH_MESSAGE_RINGING], ==, MOST);
  make_call (&message, MOST, 2, "asks");
  deliver (cluster, &message, 1);
  read_last (cluster, 1, &message);
  g_assert_cmpint (message.type, ==, HP_MATCH_MESSAGE_REFUSED);
  g_assert_cmpint (message.code, ==, HP_REFUSED_TEMPORARY);
  g_assert_cmpuint (world_statistics (cluster->worlds + 1).dropped_full, >, 0);
  /* In time there is room again; a ticket does not depend on the memory. */
  cluster_run (cluster, 31 * SECOND);
  make_call (&message, 7, 1, "open");
  deliver (cluster, &message, 1);
  read_last (cluster, 1, &message);
  g_assert_cmpint (message.type, ==, HP_MATCH_MESSAGE_ACCEPTED);
  ticket = message.frame.introduction.ticket.number;
  cluster_run (cluster, 31 * SECOND);
  make_call (&message, 7, 1, "open");
  deliver (cluster, &message, 1);
  read_last (cluster, 1, &message);
  g_assert_cmpint (message.type, ==, HP_MATCH_MESSAGE_ACCEPTED);
  g_assert_cmpuint (message.frame.introduction.ticket.number, ==, ticket);
}

/* Nothing is begun by one that takes its leave. */
static void
test_closing (void)
{
  g_autoptr (Cluster) cluster = cluster_new (2, g_test_rand_int ());
  HpMatchMessage call;

  cluster_add_registered (cluster, 1, "wq", HP_REGISTER_OPEN);
  hp_match_service_close (cluster->worlds[1].service, cluster->now);
  make_call (&call, 1, 1, "wq");
  deliver (cluster, &call, 1);
  cluster_run (cluster, SECOND);
  g_assert_cmpuint (cluster->sent[HP_MATCH_MESSAGE_ACCEPTED], ==, 0);
  g_assert_cmpuint (world_statistics (cluster->worlds + 1).peers, ==, 0);
}

/* Coming, going, moving */

/* The same identity, at another service */
static WorldClient *
add_twin (Cluster *cluster, guint place, WorldClient *twin, const char *id,
          guint flags)
{
  WorldClient *client = cluster_add_client (cluster, place);

  hp_match_client_free (client->client);
  client->config.local = twin->config.local;
  client->client = hp_match_client_new (&client->config);
  world_connect (client->world, client);
  if (id != NULL)
    hp_match_client_register (client->client, id, flags, cluster->now);
  cluster_run (cluster, SECOND);
  g_assert_true (hp_match_client_is_connected (client->client));
  return client;
}

static void
test_whereabouts (void)
{
  g_autoptr (Cluster) cluster = cluster_new (2, g_test_rand_int ());
  World *world = cluster->worlds;
  WorldClient *client = cluster_add_connected (cluster, 0);
  WorldClient *silent = cluster_add_connected (cluster, 0);

  g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_ARRIVED), ==, 2);
  assert_key (world_find (world, HP_SERVICE_EVENT_ARRIVED)->public_key,
              silent);
  /* A newer one of the same identity is no leaving. */
  add_twin (cluster, 0, client, NULL, 0);
  g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_ARRIVED), ==, 3);
  cluster_run (cluster, 100 * SECOND);
  g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_LEFT), ==, 0);
  silent->is_cut_off = TRUE;
  cluster_run (cluster, 130 * SECOND);
  g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_LEFT), ==, 1);
  assert_key (world_find (world, HP_SERVICE_EVENT_LEFT)->public_key, silent);
  g_assert_cmpuint (g_hash_table_size (cluster->keys), ==, 1);
}

static void
test_replaced (void)
{
  g_autoptr (Cluster) cluster = cluster_new (3, g_test_rand_int ());
  const guint flags = HP_REGISTER_OPEN | HP_REGISTER_EPHEMERAL;
  WorldClient *caller = cluster_add_connected (cluster, 0);
  WorldClient *before = cluster_add_registered (cluster, 1, "wq", flags);
  WorldClient *after = add_twin (cluster, 2, before, "wq", flags);
  World *old = cluster->worlds + 1;
  HpServiceEvent *event = world_find (old, HP_SERVICE_EVENT_EXPIRED);

  /* The directory learns of it; the id is still its own. */
  g_assert_nonnull (event);
  g_assert_true (event->replaced);
  g_assert_cmpstr (event->id, ==, "wq");
  g_assert_cmpuint (world_count (old, HP_SERVICE_EVENT_RELEASE), ==, 0);
  g_assert_cmpuint (world_count (old, HP_SERVICE_EVENT_LEFT), ==, 0);
  g_assert_cmpuint (world_statistics (old).peers, ==, 0);
  g_assert_cmpuint (world_statistics (old).registrations, ==, 0);
  /* It is told as if the newer one were here, and does not come back. */
  g_assert_false (hp_match_client_is_connected (before->client));
  cluster_ask (caller, "wq");
  g_assert_true (
      cluster_await (cluster, caller, HP_MATCH_EVENT_ANSWER, SECOND));
  cluster_run (cluster, 100 * MS);
  g_assert_nonnull (client_find (after, HP_MATCH_EVENT_INTRODUCED));
  g_assert_null (client_find (before, HP_MATCH_EVENT_INTRODUCED));
  /* Unknown ones do no harm, and the replaced one is forgotten in time. */
  hp_match_service_replace_session (old->service,
                                    caller->config.local.public_key,
                                    cluster->now);
  cluster_run (cluster, 70 * SECOND);
  g_assert_cmpuint (world_count (old, HP_SERVICE_EVENT_LEFT), ==, 0);
  g_assert_cmpuint (g_hash_table_size (cluster->keys), ==, 2);
  g_assert_true (hp_match_client_is_registered (after->client));
}

/* While its ASK is under way, a caller comes to another service, which calls
 * again: the visit is the same, and what becomes of it is told there. */
static void
test_caller_moves (void)
{
  g_autoptr (Cluster) cluster = cluster_new (3, g_test_rand_int ());
  WorldClient *callee = cluster_add_registered (cluster, 1, "wq", 0);
  HpMatchMessage message;
  HpMatchEvent *introduced;

  make_call (&message, 1, 5, "wq");
  deliver (cluster, &message, 1);
  cluster_run (cluster, 100 * MS);
  g_assert_cmpuint (cluster->last->to, ==, 0);
  deliver_from (cluster, &message, 2, 1);
  cluster_run (cluster, 100 * MS);
  g_assert_cmpuint (cluster->last->to, ==, 2);
  introduced = client_find (callee, HP_MATCH_EVENT_INTRODUCED);
  hp_match_client_reply (callee->client,
                         introduced->introduction.ticket.number, TRUE,
                         cluster->now);
  cluster_run (cluster, 100 * MS);
  g_assert_cmpuint (cluster->last->to, ==, 2);
  read_last (cluster, 1, &message);
  g_assert_cmpint (message.type, ==, HP_MATCH_MESSAGE_ACCEPTED);
  g_assert_cmpuint (message.frame.introduction.ticket.number, ==,
                    introduced->introduction.ticket.number);
  /* Of who is gone nothing more can be said. */
  hp_match_client_close (callee->client, cluster->now);
  cluster_run (cluster, SECOND);
  make_call (&message, 1, 5, "wq");
  deliver_from (cluster, &message, 2, 1);
  read_last (cluster, 1, &message);
  g_assert_cmpint (message.type, ==, HP_MATCH_MESSAGE_GONE);
}

/* While it is asked, the callee comes to another service of the same server,
 * with the REPLY to its old ticket. */
static void
test_callee_moves (void)
{
  g_autoptr (Cluster) cluster = cluster_new (3, g_test_rand_int ());
  WorldClient *caller = cluster_add_connected (cluster, 0);
  WorldClient *callee;
  WorldClient *moved;
  guint64 ticket;

  cluster_share_seed (cluster);
  callee = cluster_add_registered (cluster, 1, "wq", 0);
  cluster_ask (caller, "wq");
  g_assert_true (cluster_await (cluster, callee, HP_MATCH_EVENT_INTRODUCED,
                                SECOND));
  ticket = client_find (callee, HP_MATCH_EVENT_INTRODUCED)
               ->introduction.ticket.number;
  moved = add_twin (cluster, 2, callee, "wq", 0);
  g_assert_true (cluster_await (cluster, moved, HP_MATCH_EVENT_INTRODUCED,
                                3 * SECOND));
  g_assert_cmpuint (client_find (moved, HP_MATCH_EVENT_INTRODUCED)
                        ->introduction.ticket.number, ==, ticket);
  g_assert_cmpuint (cluster->sent[HP_MATCH_MESSAGE_GONE], ==, 1);
  hp_match_client_reply (moved->client, ticket, TRUE, cluster->now);
  g_assert_true (
      cluster_await (cluster, caller, HP_MATCH_EVENT_ANSWER, SECOND));
  cluster_run (cluster, SECOND);
  assert_same_ticket (client_find (caller, HP_MATCH_EVENT_ANSWER),
                      client_find (moved, HP_MATCH_EVENT_INTRODUCED));
  g_assert_cmpuint (world_statistics (cluster->worlds).asks, ==, 1);
  g_assert_cmpuint (world_statistics (cluster->worlds).introductions, ==, 1);
}

/* The directory is behind, and every answer comes several times. */
static void
test_gone (void)
{
  g_autoptr (Cluster) cluster = cluster_new (3, g_test_rand_int ());
  WorldClient *caller = cluster_add_connected (cluster, 0);
  g_autofree guint8 *gone = NULL;
  gsize length;

  cluster_add_registered (cluster, 2, "wq", 0);
  g_hash_table_insert (cluster->ids, g_strdup ("wq"), GUINT_TO_POINTER (2));
  cluster_ask (caller, "wq");
  while (cluster->sent[HP_MATCH_MESSAGE_GONE] == 0)
    cluster_run (cluster, MS);
  g_hash_table_insert (cluster->ids, g_strdup ("wq"), GUINT_TO_POINTER (3));
  length = cluster->last->length;
  gone = g_memdup2 (cluster->last->bytes, length);
  for (guint i = 0; i < 10; i++)
    {
      cluster_run (cluster, MS);
      cluster_deliver (cluster, 1, 0, gone, length);
    }
  cluster_run (cluster, SECOND);
  g_assert_cmpuint (client_count (caller, HP_MATCH_EVENT_ASK_REFUSED), ==, 0);
  g_assert_cmpuint (world_count (cluster->worlds, HP_SERVICE_EVENT_LOOKUP),
                    ==, 2);
  g_assert_cmpuint (cluster->sent[HP_MATCH_MESSAGE_RINGING], >, 0);
}

/* It comes to the callee's service: there are an ask and a visit with one
 * ticket then, and a REPLY is for both. */
static void
test_caller_comes (void)
{
  g_autoptr (Cluster) cluster = cluster_new (2, g_test_rand_int ());
  WorldClient *callee = cluster_add_registered (cluster, 1, "wq", 0);
  HpMatchEvent *introduced;
  HpMatchMessage message;
  guint64 ticket;
  HpFrame frame;
  Raw *raw;

  raw_listen (cluster->worlds + 1);
  raw = raw_add_connected (cluster->worlds + 1, "203.0.113.1:1000");
  make_call (&message, 1, 5, "wq");
  memcpy (message.caller, raw->pair.public_key, HP_KEY_SIZE);
  memcpy (message.frame.introduction.public_key, message.caller, HP_KEY_SIZE);
  deliver (cluster, &message, 1);
  cluster_run (cluster, 100 * MS);
  frame = make_ask (5, "wq");
  raw_send (raw, &frame);
  cluster_run (cluster, 100 * MS);
  introduced = client_find (callee, HP_MATCH_EVENT_INTRODUCED);
  ticket = introduced->introduction.ticket.number;
  g_assert_true (introduced->introduction.repeated);
  hp_match_client_reply (callee->client, ticket, TRUE, cluster->now);
  cluster_run (cluster, 100 * MS);
  read_last (cluster, 1, &message);
  g_assert_cmpint (message.type, ==, HP_MATCH_MESSAGE_ACCEPTED);
  g_assert_cmpuint (message.frame.introduction.ticket.number, ==, ticket);
  g_assert_cmpuint (raw_take_frame (raw, &frame), ==, HP_FRAME_ANSWER);
  g_assert_cmpuint (frame.introduction.ticket.number, ==, ticket);
  raw_forget ();
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add_func ("/match-messages/" name, func)
  ADD ("largest", test_largest);
  ADD ("malformed", test_malformed);
  ADD ("senseless", test_senseless);
  ADD ("unasked-outcomes", test_unasked_outcomes);
  ADD ("repeat-limit", test_repeat_limit);
  ADD ("full", test_full);
  ADD ("closing", test_closing);
  ADD ("whereabouts", test_whereabouts);
  ADD ("replaced", test_replaced);
  ADD ("caller-moves", test_caller_moves);
  ADD ("caller-comes", test_caller_comes);
  ADD ("callee-moves", test_callee_moves);
  ADD ("gone", test_gone);
  return g_test_run ();
}
