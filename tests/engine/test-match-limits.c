/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The match service against too much, the match client against what is
 * forged. */

#include "raw-peer.h"

#include <string.h>

/* Limits */

static void
test_handshake_limit (World *world, gconstpointer data)
{
  Raw *raw = raw_add (world, "203.0.113.1:1000");
  Raw *other = raw_add (world, "203.0.114.1:1000");

  raw_get_cookie (raw);
  for (guint i = 0; i < 80; i++)
    raw_initiate (raw);
  g_assert_cmpuint (world_statistics (world).handshakes, ==, 50);
  g_assert_cmpuint (world_statistics (world).dropped_rate_limited, ==, 30);
  raw_connect (other);
  world_run (world, SECOND);
  g_ptr_array_set_size (raw->inbox, 0);
  raw_initiate (raw);
  g_assert_true (raw_take_response (raw));
}

static void
test_ask_limit (World *world, gconstpointer data)
{
  Raw *raw = raw_add_connected (world, "203.0.113.1:1000");
  HpFrame frame;

  for (guint i = 1; i <= 60; i++)
    {
      frame = make_ask (i, "nobody");
      raw_send (raw, &frame);
      g_assert_cmpuint (raw_take_frame (raw, &frame), ==, HP_FRAME_REFUSED);
      g_assert_cmpuint (frame.refused.code, ==, HP_REFUSED_UNKNOWN_ID);
      /* Repeats do not count. */
      world->now += i % 20 == 0 ? 30 * MS : 0;
      frame = make_ask (i, "nobody");
      raw_send (raw, &frame);
      g_assert_cmpuint (raw_take_frame (raw, &frame), ==,
                        i % 20 == 0 ? HP_FRAME_REFUSED : 0);
    }
  frame = make_ask (61, "nobody");
  raw_send (raw, &frame);
  g_assert_cmpuint (raw_take_frame (raw, &frame), ==, HP_FRAME_REFUSED);
  g_assert_cmpuint (frame.refused.code, ==, HP_REFUSED_RATE_LIMITED);
  g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_LOOKUP), ==, 60);
  /* A second later there is one more. */
  world_run (world, SECOND);
  frame = make_ask (62, "nobody");
  raw_send (raw, &frame);
  g_assert_cmpuint (raw_take_frame (raw, &frame), ==, HP_FRAME_REFUSED);
  g_assert_cmpuint (frame.refused.code, ==, HP_REFUSED_UNKNOWN_ID);
}

/* A repeated ASK reaches the callee, so there is a limit of these as well. */
static void
test_repeat_limit (World *world, gconstpointer data)
{
  Raw *callee = raw_add_connected (world, "203.0.113.1:1000");
  Raw *caller = raw_add_connected (world, "203.0.114.1:1000");
  HpFrame frame = make_register (1, "wq", HP_REGISTER_OPEN);

  raw_send (callee, &frame);
  g_assert_cmpuint (raw_take_frame (callee, &frame), ==,
                    HP_FRAME_REGISTERED);
  frame = make_ask (1, "wq");
  for (guint i = 0; i < 10000; i++)
    {
      raw_send (caller, &frame);
      world->now += 2 * MS;
    }
  /* The first one is answered twice. */
  g_assert_cmpuint (callee->inbox->len, ==, 42);
  g_assert_cmpuint (caller->inbox->len, ==, 42);
}

/* Each REPLY with other candidates is told to the caller. */
static void
test_reply_limit (World *world, gconstpointer data)
{
  Raw *callee = raw_add_connected (world, "203.0.113.1:1000");
  Raw *caller = raw_add_connected (world, "203.0.114.1:1000");
  HpFrame frame = make_register (1, "wq", 0);
  guint64 ticket;

  raw_send (callee, &frame);
  g_assert_cmpuint (raw_take_frame (callee, &frame), ==,
                    HP_FRAME_REGISTERED);
  frame = make_ask (1, "wq");
  raw_send (caller, &frame);
  g_assert_cmpuint (raw_take_frame (callee, &frame), ==, HP_FRAME_INTRODUCE);
  ticket = frame.introduction.ticket.number;
  for (guint i = 0; i < 10000; i++)
    {
      frame = (HpFrame){ .type = HP_FRAME_REPLY };
      frame.reply.ticket_number = ticket;
      frame.reply.accept = TRUE;
      frame.reply.suites = HP_SUITE_BIT (HP_SUITE_CHACHA_POLY);
      frame.reply.candidates.n_candidates = 1;
      frame.reply.candidates.candidates[0].kind = HP_CANDIDATE_HOST;
      g_assert_true (hp_address_parse (
          &frame.reply.candidates.candidates[0].address,
          i % 2 == 0 ? "10.0.0.1:1" : "10.0.0.2:1"));
      raw_send (callee, &frame);
      world->now += 2 * MS;
    }
  /* The first one is answered twice. */
  g_assert_cmpuint (caller->inbox->len, ==, 42);
  g_assert_cmpuint (callee->inbox->len, ==, 42);
}

/* A new session is no way around it. */
static void
test_ask_limit_by_identity (World *world, gconstpointer data)
{
  Raw *raw = raw_add_connected (world, "203.0.113.1:1000");
  HpFrame frame;

  for (guint i = 0; i < 60; i++)
    {
      frame = make_ask (1 + i, "nobody");
      raw_send (raw, &frame);
      g_assert_cmpuint (raw_take_frame (raw, &frame), ==, HP_FRAME_REFUSED);
    }
  raw_connect (raw);
  frame = make_ask (1000, "nobody");
  raw_send (raw, &frame);
  g_assert_cmpuint (raw_take_frame (raw, &frame), ==, HP_FRAME_REFUSED);
  g_assert_cmpuint (frame.refused.code, ==, HP_REFUSED_RATE_LIMITED);
}

static void
test_register_limit (World *world, gconstpointer data)
{
  Raw *raw = raw_add_connected (world, "203.0.113.1:1000");
  HpFrame frame;
  guint registered = 0;

  for (guint i = 0; i < 50; i++)
    {
      frame = make_register (1 + i, "wq", 0);
      raw_send (raw, &frame);
      registered
          += raw_take_frame (raw, &frame) == HP_FRAME_REGISTERED;
    }
  g_assert_cmpuint (frame.refused.code, ==, HP_REFUSED_RATE_LIMITED);
  g_assert_cmpuint (registered, ==, 30);
  g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_CLAIM), ==, 30);
}

/* What REGISTER is answered */
static guint
try_register (Raw *raw, guint64 request, const char *id)
{
  HpFrame frame = make_register (request, id, 0);

  raw_send (raw, &frame);
  return raw_take_frame (raw, &frame) == HP_FRAME_REGISTERED
             ? 0
             : frame.refused.code;
}

static void
test_network_limit (World *world, gconstpointer data)
{
  HpFrame frame = { .type = HP_FRAME_UNREGISTER };
  Raw *peers[5];
  Raw *other;

  world->config.max_registrations_per_network = 3;
  hp_match_service_set_config (world->service, &world->config);
  for (guint i = 0; i < G_N_ELEMENTS (peers); i++)
    {
      g_autofree char *address = g_strdup_printf ("203.0.113.%u:1", 1 + i);
      g_autofree char *id = g_strdup_printf ("peer %u", i);

      peers[i] = raw_add_connected (world, address);
      g_assert_cmpuint (try_register (peers[i], 1, id), ==,
                        i < 3 ? 0 : HP_REFUSED_RATE_LIMITED);
    }
  g_assert_cmpuint (world_statistics (world).dropped_rate_limited, ==, 2);
  g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_CLAIM), ==, 3);
  /* A refresh is none more, nor is another id instead. */
  g_assert_cmpuint (try_register (peers[0], 2, "peer 0"), ==, 0);
  g_assert_cmpuint (try_register (peers[0], 3, "peer 00"), ==, 0);
  other = raw_add_connected (world, "203.0.114.1:1");
  g_assert_cmpuint (try_register (other, 1, "other"), ==, 0);
  /* Nor is a newer session of the same peer. */
  raw_connect (peers[1]);
  g_assert_cmpuint (try_register (peers[1], 1, "peer 1"), ==, 0);
  g_assert_cmpuint (try_register (peers[3], 2, "peer 3"), ==,
                    HP_REFUSED_RATE_LIMITED);
  /* Who goes makes room, but for one only. */
  frame.reg.request = 2;
  frame.reg.id = (HpBytes){ (const guint8 *) "peer 1", 6 };
  raw_send (peers[1], &frame);
  g_assert_cmpuint (raw_take_frame (peers[1], &frame), ==,
                    HP_FRAME_REGISTERED);
  g_assert_cmpuint (try_register (peers[3], 3, "peer 3"), ==, 0);
  g_assert_cmpuint (try_register (peers[4], 2, "peer 4"), ==,
                    HP_REFUSED_RATE_LIMITED);
  world_run (world, 200 * SECOND);
  g_assert_cmpuint (world_statistics (world).registrations, ==, 0);
  for (guint i = 0; i < 4; i++)
    {
      g_autofree char *id = g_strdup_printf ("late %u", i);

      raw_connect (peers[i]);
      g_assert_cmpuint (try_register (peers[i], 1, id), ==,
                        i < 3 ? 0 : HP_REFUSED_RATE_LIMITED);
    }
}

/* Each id that somebody had stays its own for long: nobody is to try on as many
 * as there are. */
static void
test_new_ids (World *world, gconstpointer data)
{
  Raw *peer;

  world->config.max_registrations_per_network = 1;
  hp_match_service_set_config (world->service, &world->config);
  peer = raw_add_connected (world, "203.0.113.1:1");
  for (guint i = 0; i < 6; i++)
    {
      g_autofree char *id = g_strdup_printf ("id %u", i);

      g_assert_cmpuint (try_register (peer, 1 + i, id), ==,
                        i < 4 ? 0 : HP_REFUSED_RATE_LIMITED);
    }
  g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_CLAIM), ==, 4);
  /* What it has it keeps. */
  g_assert_cmpuint (try_register (peer, 7, "id 3"), ==, 0);
  peer = raw_add_connected (world, "203.0.114.1:1");
  g_assert_cmpuint (try_register (peer, 1, "id 6"), ==, 0);
}

/* As long as the registry has not answered, too */
static void
test_network_limit_under_way (World *world, gconstpointer data)
{
  Raw *peers[3];
  HpFrame frame;

  world->config.max_registrations_per_network = 2;
  hp_match_service_set_config (world->service, &world->config);
  world->registry_delay = SECOND;
  for (guint i = 0; i < G_N_ELEMENTS (peers); i++)
    {
      g_autofree char *address = g_strdup_printf ("203.0.113.%u:1", 1 + i);
      g_autofree char *id = g_strdup_printf ("peer %u", i);

      peers[i] = raw_add_connected (world, address);
      frame = make_register (1, id, 0);
      raw_send (peers[i], &frame);
      g_assert_cmpuint (raw_take_frame (peers[i], &frame), ==,
                        i < 2 ? 0 : HP_FRAME_REFUSED);
    }
  /* One that is refused in the end has never counted. */
  world->mood = REGISTRY_FAILS;
  world_run (world, 2 * SECOND);
  world->mood = REGISTRY_ANSWERS;
  world->registry_delay = 0;
  g_assert_cmpuint (world_statistics (world).registrations, ==, 0);
  g_assert_cmpuint (try_register (peers[2], 2, "peer 2"), ==, 0);
  g_assert_cmpuint (world_statistics (world).registry_failures, ==, 2);
}

/* Roaming takes it along, from where it was to where it is. */
static void
roam (World *world, Raw *raw, const char *address)
{
  HpFrame frame = { .type = HP_FRAME_PING };

  raw->address = make_address (address);
  raw_send (raw, &frame);
  while (raw_take_frame (raw, &frame) != HP_FRAME_PATH_CHALLENGE)
    ;
  frame.type = HP_FRAME_PATH_RESPONSE;
  raw_send (raw, &frame);
  g_ptr_array_set_size (raw->inbox, 0);
}

static void
test_network_limit_and_roaming (World *world, gconstpointer data)
{
  Raw *roamer = raw_add_connected (world, "203.0.113.1:1");
  Raw *here = raw_add_connected (world, "203.0.113.2:1");
  Raw *there = raw_add_connected (world, "203.0.114.2:1");

  world->config.max_registrations_per_network = 1;
  hp_match_service_set_config (world->service, &world->config);
  g_assert_cmpuint (try_register (roamer, 1, "roamer"), ==, 0);
  g_assert_cmpuint (try_register (here, 1, "here"), ==,
                    HP_REFUSED_RATE_LIMITED);
  roam (world, roamer, "203.0.114.1:1");
  g_assert_cmpuint (try_register (here, 2, "here"), ==, 0);
  g_assert_cmpuint (try_register (there, 1, "there"), ==,
                    HP_REFUSED_RATE_LIMITED);
  g_assert_cmpuint (try_register (roamer, 2, "roamer"), ==, 0);
}

static void
test_full (World *world, gconstpointer data)
{
  HpFrame frame = { .type = HP_FRAME_PING };
  Raw *last;
  Raw *half;

  world->config.max_peers = 5;
  hp_match_service_set_config (world->service, &world->config);
  half = raw_add (world, "203.0.1.1:1");
  raw_get_cookie (half);
  raw_initiate (half);
  for (guint i = 0; i < 5; i++)
    {
      g_autofree char *address = g_strdup_printf ("203.0.%u.1:1", 10 + i);

      raw_add_connected (world, address);
    }
  /* Who never came back with a DATA had to make room. */
  g_assert_cmpuint (world_statistics (world).peers, ==, 5);
  g_assert_true (raw_take_response (half));
  raw_send (half, &frame);
  g_assert_cmpuint (world_statistics (world).peers, ==, 5);
  /* And those who are there stay. */
  last = raw_add (world, "203.0.2.1:1");
  raw_get_cookie (last);
  raw_initiate (last);
  g_assert_null (raw_take (last));
  g_assert_cmpuint (world_statistics (world).dropped_full, ==, 1);
  raw_send (raws[1], &frame);
  g_assert_cmpuint (raw_take_frame (raws[1], &frame), ==,
                    HP_FRAME_OBSERVED);
  /* A silent one makes room in the end. */
  world_run (world, 121 * SECOND);
  raw_connect (last);
}

/* The client */

static void
to_client (World *world, WorldClient *client, const HpAddress *from,
           guint8 *bytes, gsize length)
{
  HpDatagram datagram = { .route = { 0, client->address, *from },
                          .bytes = bytes,
                          .length = length };

  hp_match_client_receive (client->client, &datagram, world->now);
}

static WorldClient *
add_client (World *world)
{
  WorldClient *client = world_add_client (world);

  world_connect (world, client);
  hp_match_client_register (client->client, "wq", 0, world->now);
  g_assert_true (world_await_registered (world, client, SECOND));
  return client;
}

static gboolean
keep_index (gpointer user_data, const Flying *flying)
{
  if (flying->to_server)
    g_assert_true (flying->bytes[0] == HP_PACKET_HELLO
                   || flying->bytes[0] == HP_PACKET_INITIATION
                   || hp_packet_get_receiver (flying->bytes, flying->length,
                                              user_data));
  return TRUE;
}

/* On the way somebody reads the index and cries UNKNOWN all the time. */
static void
test_false_unknown (World *world, gconstpointer data)
{
  HpUnknown unknown = { 0 };
  WorldClient *client;
  guint8 bytes[HP_UNKNOWN_SIZE];
  HpWriter writer;
  guint64 sent;

  world->tap = keep_index;
  world->tap_data = &unknown.receiver_index;
  client = add_client (world);
  hp_writer_init (&writer, bytes, sizeof bytes);
  hp_packet_write_unknown (&unknown, &writer);
  sent = client->sent;
  for (guint i = 0; i < 1000; i++)
    {
      to_client (world, client, &world->server, bytes, sizeof bytes);
      world_run (world, 10 * MS);
    }
  g_assert_cmpuint (client->sent - sent, >=, 5);
  g_assert_cmpuint (client->sent - sent, <=, 12);
  g_assert_true (hp_match_client_is_registered (client->client));
  g_assert_cmpuint (world_statistics (world).handshakes, ==, 1);
  g_assert_cmpuint (client_count (client, HP_MATCH_EVENT_LOST), ==, 0);
}

static void
test_garbage_to_client (World *world, gconstpointer data)
{
  WorldClient *client = add_client (world);
  WorldClient *beginner = world_add_client (world);

  world->service_is_down = TRUE;
  world_connect (world, beginner);
  world_run (world, 10 * MS);
  for (guint i = 0; i < 20000; i++)
    {
      guint8 bytes[200];
      gsize length = g_rand_int_range (world->chance, 1, sizeof bytes);

      world_fill (world, bytes, length);
      bytes[0] = HP_PACKET_HELLO + i % 8;
      if (length > 10 && i % 2)
        {
          /* Its own indexes */
          bytes[1] = bytes[2] = bytes[8] = bytes[9] = 0;
          bytes[3] = bytes[10] = 1000 >> 8;
          bytes[4] = 1000 & 0xff;
        }
      to_client (world, client, &world->server, bytes, length);
      world_fill (world, bytes + 1, length - 1);
      to_client (world, beginner, &world->server, bytes, length);
    }
  world->service_is_down = FALSE;
  world_run (world, 20 * SECOND);
  g_assert_true (hp_match_client_is_registered (client->client));
  g_assert_true (hp_match_client_is_connected (beginner->client));
  g_assert_cmpuint (client_count (client, HP_MATCH_EVENT_LOST), ==, 0);
  g_assert_cmpuint (client_count (client, HP_MATCH_EVENT_CONNECTED), ==, 1);
  g_assert_cmpuint (client_count (beginner, HP_MATCH_EVENT_WRONG_KEY), ==, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func)                                                       \
  g_test_add ("/match-limits/" name, World, NULL, raw_set_up, func,           \
              raw_tear_down)
  ADD ("handshake-limit", test_handshake_limit);
  ADD ("ask-limit", test_ask_limit);
  ADD ("repeat-limit", test_repeat_limit);
  ADD ("ask-limit-by-identity", test_ask_limit_by_identity);
  ADD ("register-limit", test_register_limit);
  ADD ("network-limit", test_network_limit);
  ADD ("network-limit-under-way", test_network_limit_under_way);
  ADD ("new-ids", test_new_ids);
  ADD ("reply-limit", test_reply_limit);
  ADD ("network-limit-and-roaming", test_network_limit_and_roaming);
  ADD ("full", test_full);
  ADD ("false-unknown", test_false_unknown);
  ADD ("garbage-to-client", test_garbage_to_client);
  return g_test_run ();
}
