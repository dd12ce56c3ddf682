/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The match service against whoever does not play by the rules. */

#include "raw-peer.h"

#include "hole-punch/wire/hp-stun.h"

#include <string.h>

/* Before the cookie */

/* No stranger ever gets more than it sent, whatever it sends; but for STUN,
 * which has a limit of its own. */
static void
test_amplification (World *world, gconstpointer data)
{
  for (guint i = 0; i < 20000; i++)
    {
      guint8 bytes[300];
      gsize length = g_rand_int_range (world->chance, 1, sizeof bytes);
      HpAddress from = make_address ("203.0.113.1:1");

      world_fill (world, bytes, length);
      from.port = 1 + i % 60000;
      from.ip[3] = i % 200;
      /* Mostly of types that are answered by something */
      if (i % 4 != 0)
        bytes[0] = HP_PACKET_HELLO + i % 8;
      if (i % 16 == 1 && length > 2)
        bytes[1] = HP_PROTOCOL_VERSION;
      if (bytes[0] <= 3)
        continue;
      bytes_to_strangers = datagrams_to_strangers = 0;
      world_inject (world, &from, bytes, length);
      g_assert_cmpuint (bytes_to_strangers, <=, length);
      g_assert_cmpuint (datagrams_to_strangers, <=, 1);
      world->now += MS;
    }
  g_assert_cmpuint (world_statistics (world).peers, ==, 0);
  g_assert_cmpuint (world_statistics (world).handshakes, ==, 0);
  g_assert_cmpint (hp_match_service_get_deadline (world->service), ==,
                   G_MAXINT64);
}

static void
test_hello (World *world, gconstpointer data)
{
  Raw *raw = raw_add (world, "203.0.113.1:1000");
  guint8 bytes[HP_HELLO_MIN_SIZE + 10];
  gsize length = write_hello (bytes, sizeof bytes);
  g_autofree Flying *answer = NULL;

  g_assert_cmpuint (length, ==, HP_HELLO_MIN_SIZE);
  raw_inject (raw, bytes, length - 1);
  g_assert_null (raw_take (raw));
  g_assert_cmpuint (world_statistics (world).dropped_malformed, ==, 1);
  raw_inject (raw, bytes, length);
  answer = raw_take (raw);
  g_assert_nonnull (answer);
  g_assert_cmpuint (answer->length, <=, length);
  /* Nothing is kept. */
  g_assert_cmpint (hp_match_service_get_deadline (world->service), ==,
                   G_MAXINT64);
  g_assert_cmpuint (world_statistics (world).cookies, ==, 1);
}

static void
test_wrong_cookie (World *world, gconstpointer data)
{
  Raw *raw = raw_add (world, "203.0.113.1:1000");

  raw_get_cookie (raw);
  /* Somebody else's address, then an old cookie */
  raw->address.port++;
  raw_initiate (raw);
  g_assert_null (raw_take (raw));
  raw->address.port--;
  world_run (world, 3 * HP_COOKIE_ROTATION);
  raw_initiate (raw);
  g_assert_null (raw_take (raw));
  g_assert_cmpuint (world_statistics (world).dropped_ticket, ==, 2);
  g_assert_cmpuint (world_statistics (world).handshakes, ==, 0);
  /* The one before the present one is good. */
  raw_get_cookie (raw);
  world_run (world, HP_COOKIE_ROTATION);
  raw_initiate (raw);
  g_assert_true (raw_take_response (raw));
}

static void
test_unknown (World *world, gconstpointer data)
{
  Raw *raw = raw_add (world, "203.0.113.1:1000");
  guint8 bytes[60] = { HP_PACKET_DATA_0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 5 };
  HpUnknown unknown;
  Flying *answer;
  guint answers = 0;

  for (guint i = 0; i < 100; i++)
    raw_inject (raw, bytes, sizeof bytes);
  while ((answer = raw_take (raw)) != NULL)
    {
      g_assert_true (hp_packet_parse_unknown (&unknown, answer->bytes,
                                              answer->length));
      g_assert_cmpuint (unknown.receiver_index, ==, 0x01020304);
      g_assert_cmpuint (unknown.number, ==, 5);
      g_free (answer);
      answers++;
    }
  g_assert_cmpuint (answers, ==, 10);
  g_assert_cmpuint (world_statistics (world).dropped_unknown, ==, 100);
}

static void
test_stun (World *world, gconstpointer data)
{
  const guint8 transaction[HP_STUN_TRANSACTION_SIZE] = { 1, 2, 3 };
  Raw *raw = raw_add (world, "203.0.113.1:1000");
  Raw *other = raw_add (world, "203.0.114.1:1000");
  guint8 request[HP_STUN_MAX_SIZE];
  gsize length
      = hp_stun_create_request (transaction, request, sizeof request);
  g_autofree Flying *answer = NULL;
  HpAddress mapped;

  for (guint i = 0; i < 50; i++)
    raw_inject (raw, request, length);
  g_assert_cmpuint (raw->inbox->len, ==, world->config.max_stun_per_second);
  answer = raw_take (raw);
  g_assert_true (hp_stun_consume_response (transaction, answer->bytes,
                                           answer->length, &mapped));
  g_assert_true (hp_address_equal (&mapped, &raw->address));
  raw_inject (other, request, length);
  g_assert_cmpuint (other->inbox->len, ==, 1);
  g_assert_cmpuint (world_statistics (world).stun_answers, ==, 6);
}

/* The handshake */

static void
test_one_response (World *world, gconstpointer data)
{
  Raw *raw = raw_add (world, "203.0.113.1:1000");
  guint8 token[HP_TOKEN_SIZE] = { 3 };
  guint8 again[HP_INITIATION_MAX_SIZE];
  g_autofree Flying *first = NULL;
  g_autofree Flying *second = NULL;
  HpResponse a;
  HpResponse b;
  gsize length;

  raw_get_cookie (raw);
  raw_initiate (raw);
  length = hp_handshake_write_initiation (raw->handshake, token, again,
                                          sizeof again);
  raw_inject (raw, again, length);
  first = raw_take (raw);
  second = raw_take (raw);
  g_assert_true (
      hp_packet_parse_response (&a, first->bytes, first->length));
  g_assert_true (
      hp_packet_parse_response (&b, second->bytes, second->length));
  g_assert_cmpmem (first->bytes, a.core_length, second->bytes,
                   b.core_length);
  g_assert_cmpmem (b.echoed_token, HP_TOKEN_SIZE, token, HP_TOKEN_SIZE);
  g_assert_cmpuint (first->length, <=, raw->initiation_length);
  g_assert_cmpuint (world_statistics (world).handshakes, ==, 1);
  /* Not a word more before a DATA has opened; then it is forgotten. */
  world_run (world, 60 * SECOND);
  g_assert_null (raw_take (raw));
  g_assert_cmpint (hp_match_service_get_deadline (world->service), ==,
                   G_MAXINT64);
  g_assert_cmpuint (world_statistics (world).peers, ==, 0);
}

static void
test_forged_initiation (World *world, gconstpointer data)
{
  Raw *raw = raw_add (world, "203.0.113.1:1000");
  const guint8 initiator = 0;
  HpInitiation initiation;
  guint8 digest[HP_HASH_SIZE];
  guint8 forged[HP_INITIATION_MAX_SIZE];

  raw_get_cookie (raw);
  raw_initiate (raw);
  g_assert_true (raw_take_response (raw));
  g_assert_true (hp_packet_parse_initiation (&initiation, raw->initiation,
                                             raw->initiation_length));
  for (gsize i = 0; i < raw->initiation_length; i++)
    {
      memcpy (forged, raw->initiation, raw->initiation_length);
      forged[i] ^= 0x40;
      raw_inject (raw, forged, raw->initiation_length);
      g_assert_null (raw_take (raw));
      world->now += 100 * MS;
    }
  g_assert_cmpuint (world_statistics (world).handshakes, ==, 1);
  g_assert_cmpuint (world_statistics (world).dropped_ticket, >, 100);
  /* With a cookie of one's own the MAC can be right, and Noise still knows. */
  raw_get_cookie (raw);
  raw_initiate (raw);
  g_assert_true (raw_take_response (raw));
  memcpy (forged, raw->initiation, raw->initiation_length);
  forged[initiation.core_length - 1] ^= 1;
  hp_crypto_hmac (digest, raw->cookie.cookie, HP_COOKIE_SIZE,
                  (const HpHashPart[]){ { &initiator, 1 },
                                        { forged, initiation.mac_length } },
                  2);
  memcpy (forged + initiation.mac_length, digest, HP_MAC_SIZE);
  g_assert_cmpuint (world_statistics (world).dropped_forged, ==, 0);
  raw_inject (raw, forged, raw->initiation_length);
  g_assert_null (raw_take (raw));
  g_assert_cmpuint (world_statistics (world).dropped_forged, ==, 1);
  g_assert_cmpuint (world_statistics (world).handshakes, ==, 2);
}

/* A replayed INITIATION makes a session that nobody can use, and ends none. */
static gboolean
keep_initiation (gpointer user_data, const Flying *flying)
{
  Flying *kept = user_data;

  if (flying->to_server && flying->bytes[0] == HP_PACKET_INITIATION)
    *kept = *flying;
  return TRUE;
}

static void
test_replayed_initiation (World *world, gconstpointer data)
{
  WorldClient *client = world_add_client (world);
  Flying kept = { 0 };

  world->tap = keep_initiation;
  world->tap_data = &kept;
  world_connect (world, client);
  hp_match_client_register (client->client, "wq", 0, world->now);
  g_assert_true (world_await_registered (world, client, SECOND));
  g_assert_cmpuint (kept.length, >, 0);
  for (guint i = 0; i < 5; i++)
    world_inject (world, &client->address, kept.bytes, kept.length);
  g_assert_cmpuint (world_statistics (world).handshakes, ==, 2);
  world_run (world, 120 * SECOND);
  g_assert_true (hp_match_client_is_registered (client->client));
  g_assert_cmpuint (client_count (client, HP_MATCH_EVENT_CONNECTED), ==, 1);
  g_assert_cmpuint (client_count (client, HP_MATCH_EVENT_LOST), ==, 0);
  g_assert_cmpuint (world_statistics (world).peers, ==, 1);
}

/* Sessions */

static void
test_forged_data (World *world, gconstpointer data)
{
  Raw *raw = raw_add_connected (world, "203.0.113.1:1000");
  HpFrame frame = make_register (5, "wq", 0);
  guint8 packet[HP_DATAGRAM_SIZE_DEFAULT];
  guint8 forged[HP_DATAGRAM_SIZE_DEFAULT];
  gsize length = raw_seal (raw, packet, &frame, 0);

  for (gsize i = 1; i < length; i++)
    {
      memcpy (forged, packet, length);
      forged[i] ^= 1 << (i % 8);
      raw_inject (raw, forged, length);
    }
  g_assert_cmpuint (world_statistics (world).registers, ==, 0);
  g_assert_cmpuint (world_statistics (world).dropped_forged, >, 20);
  /* Nothing has changed: the true one still opens, once. */
  raw_inject (raw, packet, length);
  g_assert_cmpuint (world_statistics (world).registers, ==, 1);
  raw_inject (raw, packet, length);
  g_assert_cmpuint (world_statistics (world).registers, ==, 1);
  g_assert_cmpuint (world_statistics (world).dropped_replayed, ==, 1);
}

/* Somebody on the way copies a packet and is faster with it: all that it gets
 * is a challenge, no larger than the packet, which it cannot answer. */
static void
test_copied_packet (World *world, gconstpointer data)
{
  Raw *raw = raw_add_connected (world, "203.0.113.1:1000");
  Raw *thief = raw_add (world, "203.0.113.66:6666");
  HpFrame frame = { .type = HP_FRAME_PING };
  guint8 packet[HP_DATAGRAM_SIZE_DEFAULT];
  gsize length = raw_seal (raw, packet, &frame, 16);
  g_autofree Flying *stolen = NULL;

  world_inject (world, &thief->address, packet, length);
  raw_inject (raw, packet, length);
  stolen = raw_take (thief);
  g_assert_nonnull (stolen);
  g_assert_cmpuint (stolen->length, <=, length);
  g_assert_null (raw_take (thief));
  /* The answer went where the session is. */
  g_assert_cmpuint (raw_take_frame (raw, &frame), ==, HP_FRAME_OBSERVED);
  g_assert_true (
      hp_address_equal (&frame.observed.address, &raw->address));
  /* Played back to the server from there it is nothing. */
  world_inject (world, &thief->address, stolen->bytes, stolen->length);
  frame = (HpFrame){ .type = HP_FRAME_PING };
  raw_send (raw, &frame);
  g_assert_cmpuint (raw_take_frame (raw, &frame), ==, HP_FRAME_OBSERVED);
  g_assert_true (
      hp_address_equal (&frame.observed.address, &raw->address));
}

static void
test_move (World *world, gconstpointer data)
{
  Raw *raw = raw_add_connected (world, "203.0.113.1:1000");
  Raw *moved = raw_add (world, "203.0.113.2:2000");
  HpFrame frame = { .type = HP_FRAME_PING };
  guint8 packet[HP_DATAGRAM_SIZE_DEFAULT];
  guint8 token[HP_TOKEN_SIZE];
  g_autofree Flying *challenge = NULL;
  HpReader reader;
  guint64 number;
  guint8 *plain;
  gsize length;

  /* Too small a packet earns no challenge. */
  length = raw_seal (raw, packet, &frame, 0);
  world_inject (world, &moved->address, packet, length);
  g_assert_null (raw_take (moved));
  g_assert_cmpuint (raw_take_frame (raw, &frame), ==, HP_FRAME_OBSERVED);

  frame = (HpFrame){ .type = HP_FRAME_PING };
  raw_send_from (raw, &frame, &moved->address);
  challenge = raw_take (moved);
  g_assert_nonnull (challenge);
  g_assert_cmpint (hp_session_open (raw->session, challenge->bytes,
                                    challenge->length, world->now, &number,
                                    &plain, &length), ==, HP_OPEN_OK);
  hp_reader_init (&reader, plain, length);
  g_assert_true (hp_frame_parse (&frame, &reader));
  g_assert_cmpuint (frame.type, ==, HP_FRAME_PATH_CHALLENGE);
  memcpy (token, frame.token, HP_TOKEN_SIZE);
  g_ptr_array_set_size (raw->inbox, 0);

  /* A wrong token, and the right one from elsewhere, move nothing. */
  frame.type = HP_FRAME_PATH_RESPONSE;
  frame.token[0] ^= 1;
  raw_send_from (raw, &frame, &moved->address);
  memcpy (frame.token, token, HP_TOKEN_SIZE);
  raw_send (raw, &frame);
  frame = (HpFrame){ .type = HP_FRAME_PING };
  raw_send (raw, &frame);
  g_assert_cmpuint (raw_take_frame (raw, &frame), ==, HP_FRAME_OBSERVED);
  g_assert_true (
      hp_address_equal (&frame.observed.address, &raw->address));

  frame = (HpFrame){ .type = HP_FRAME_PATH_RESPONSE };
  memcpy (frame.token, token, HP_TOKEN_SIZE);
  g_ptr_array_set_size (moved->inbox, 0);
  raw_send_from (raw, &frame, &moved->address);
  g_clear_pointer (&challenge, g_free);
  challenge = raw_take (moved);
  /* It is challenged once more, for the packet came before it was proven. */
  g_assert_nonnull (challenge);
  g_clear_pointer (&challenge, g_free);
  challenge = raw_take (moved);
  g_assert_nonnull (challenge);
  g_assert_cmpint (hp_session_open (raw->session, challenge->bytes,
                                    challenge->length, world->now, &number,
                                    &plain, &length), ==, HP_OPEN_OK);
  hp_reader_init (&reader, plain, length);
  g_assert_true (hp_frame_parse (&frame, &reader));
  g_assert_cmpuint (frame.type, ==, HP_FRAME_OBSERVED);
  g_assert_true (
      hp_address_equal (&frame.observed.address, &moved->address));
}

static void
assert_closed (Raw *raw, HpCloseCode code)
{
  HpFrame frame;

  g_assert_cmpuint (raw_take_frame (raw, &frame), ==, HP_FRAME_CLOSE);
  g_assert_cmpuint (frame.close.code, ==, code);
}

static void
test_malformed_frames (World *world, gconstpointer data)
{
  HpFrame chunk = { .type = HP_FRAME_CHUNK };

  /* A stream has no place here. */
  chunk.chunk.stream = HP_STREAM_NUMBER (0, HP_STREAM_BYTES);
  for (guint i = 0; i < 30; i++)
    {
      g_autofree char *address = g_strdup_printf ("203.0.%u.1:1000", i);
      Raw *raw = raw_add_connected (world, address);
      guint8 packet[200];
      gsize length = 1 + g_rand_int_range (world->chance, 0, 100);

      if (i == 0)
        {
          raw_send (raw, &chunk);
        }
      else
        {
          world_fill (world, packet + HP_DATA_HEADER_SIZE, length);
          packet[HP_DATA_HEADER_SIZE] = 0x30 + i;
          raw_inject (raw, packet,
                      hp_session_seal (raw->session, packet, length,
                                       world->now));
        }
      assert_closed (raw, HP_CLOSE_PROTOCOL);
    }
  g_assert_cmpuint (world_statistics (world).peers, ==, 0);
  g_assert_cmpuint (world_statistics (world).dropped_malformed, ==, 30);
}

static void
test_request_numbers (World *world, gconstpointer data)
{
  Raw *raw = raw_add_connected (world, "203.0.113.1:1000");
  HpFrame frame = make_register (100, "wq", 0);

  raw_send (raw, &frame);
  g_assert_cmpuint (raw_take_frame (raw, &frame), ==, HP_FRAME_REGISTERED);
  g_assert_cmpuint (frame.registered.request, ==, 100);
  g_assert_cmpuint (frame.registered.lifetime, ==, 120);
  /* Late ones */
  frame = make_register (99, "other", 0);
  raw_send (raw, &frame);
  frame = make_register (50, "wq", 0);
  frame.type = HP_FRAME_UNREGISTER;
  raw_send (raw, &frame);
  g_assert_null (raw_take (raw));
  g_assert_cmpuint (world_statistics (world).registrations, ==, 1);
  /* Repeated: the same answer, no question */
  frame = make_register (100, "wq", 0);
  raw_send (raw, &frame);
  g_assert_cmpuint (raw_take_frame (raw, &frame), ==, HP_FRAME_REGISTERED);
  g_assert_cmpuint (world_count (world, HP_SERVICE_EVENT_CLAIM), ==, 1);
  frame = make_register (101, "wq", 0);
  frame.type = HP_FRAME_UNREGISTER;
  raw_send (raw, &frame);
  g_assert_cmpuint (raw_take_frame (raw, &frame), ==, HP_FRAME_REGISTERED);
  g_assert_cmpuint (frame.registered.lifetime, ==, 0);
  g_assert_cmpuint (world_statistics (world).registrations, ==, 0);

  frame = make_ask (1000, "nobody");
  raw_send (raw, &frame);
  g_assert_cmpuint (raw_take_frame (raw, &frame), ==, HP_FRAME_REFUSED);
  frame = make_ask (999, "nobody");
  raw_send (raw, &frame);
  g_assert_cmpuint (raw_take_frame (raw, &frame), ==, HP_FRAME_REFUSED);
  frame = make_ask (900, "nobody");
  raw_send (raw, &frame);
  g_assert_null (raw_take (raw));
}

/* Only the callee's REPLY counts. */
static void
test_foreign_reply (World *world, gconstpointer data)
{
  Raw *callee = raw_add_connected (world, "203.0.113.1:1000");
  Raw *caller = raw_add_connected (world, "203.0.114.1:1000");
  Raw *thief = raw_add_connected (world, "203.0.115.1:1000");
  HpFrame frame = make_register (1, "wq", 0);
  guint64 number;

  raw_send (callee, &frame);
  g_assert_cmpuint (raw_take_frame (callee, &frame), ==,
                    HP_FRAME_REGISTERED);
  frame = make_ask (1, "wq");
  raw_send (caller, &frame);
  g_assert_null (raw_take (caller));
  g_assert_cmpuint (raw_take_frame (callee, &frame), ==, HP_FRAME_INTRODUCE);
  number = frame.introduction.ticket.number;

  frame = (HpFrame){ .type = HP_FRAME_REPLY };
  frame.reply.ticket_number = number;
  frame.reply.accept = TRUE;
  raw_send (thief, &frame);
  raw_send (caller, &frame);
  g_assert_null (raw_take (caller));
  frame.reply.ticket_number++;
  raw_send (callee, &frame);
  g_assert_null (raw_take (caller));
  frame.reply.ticket_number--;
  raw_send (callee, &frame);
  g_assert_cmpuint (raw_take_frame (caller, &frame), ==, HP_FRAME_ANSWER);
  g_assert_cmpuint (raw_take_frame (caller, &frame), ==, HP_FRAME_ANSWER);
  /* The first word holds. */
  frame = (HpFrame){ .type = HP_FRAME_REPLY };
  frame.reply.ticket_number = number;
  raw_send (callee, &frame);
  g_assert_null (raw_take (caller));
}

/* A stranger's address as a candidate: without its proof, with another's, and
 * with one that is too old */
static void
test_aimed_probes (World *world, gconstpointer data)
{
  Raw *callee = raw_add_connected (world, "203.0.113.1:1000");
  Raw *caller = raw_add_connected (world, "203.0.114.1:1000");
  Raw *second = raw_add (world, "203.0.114.2:3000");
  HpAddress victim = make_address ("192.0.2.200:53");
  HpFrame frame = make_register (1, "wq", HP_REGISTER_OPEN);
  HpFrame got;

  raw_send (callee, &frame);
  g_assert_cmpuint (raw_take_frame (callee, &got), ==, HP_FRAME_REGISTERED);
  raw_get_cookie (second);
  frame = make_ask (1, "wq");
  hp_candidates_add (&frame.ask.candidates, &victim,
                     HP_CANDIDATE_SERVER_REFLEXIVE, NULL);
  victim.port++;
  hp_candidates_add (&frame.ask.candidates, &victim, HP_CANDIDATE_MAPPED,
                     second->cookie.cookie);
  hp_candidates_add (&frame.ask.candidates, &second->address,
                     HP_CANDIDATE_MAPPED, second->cookie.cookie);
  raw_send (caller, &frame);
  g_assert_cmpuint (raw_take_frame (callee, &got), ==, HP_FRAME_INTRODUCE);
  g_assert_cmpuint (got.introduction.candidates.n_candidates, ==, 2);
  g_assert_true (hp_candidates_contain (&got.introduction.candidates,
                                        &caller->address));
  g_assert_true (hp_candidates_contain (&got.introduction.candidates,
                                        &second->address));
  world_run (world, 3 * HP_COOKIE_ROTATION);
  raw_connect (callee);
  raw_connect (caller);
  raw_send (callee, (HpFrame[]){ make_register (1, "wq", 1) });
  g_assert_cmpuint (raw_take_frame (callee, &got), ==, HP_FRAME_REGISTERED);
  frame.ask.request = 2;
  raw_send (caller, &frame);
  g_assert_cmpuint (raw_take_frame (callee, &got), ==, HP_FRAME_INTRODUCE);
  g_assert_cmpuint (got.introduction.candidates.n_candidates, ==, 1);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func)                                                       \
  g_test_add ("/match-attacks/" name, World, NULL, raw_set_up, func,          \
              raw_tear_down)
  ADD ("amplification", test_amplification);
  ADD ("hello", test_hello);
  ADD ("wrong-cookie", test_wrong_cookie);
  ADD ("unknown", test_unknown);
  ADD ("stun", test_stun);
  ADD ("one-response", test_one_response);
  ADD ("forged-initiation", test_forged_initiation);
  ADD ("replayed-initiation", test_replayed_initiation);
  ADD ("forged-data", test_forged_data);
  ADD ("copied-packet", test_copied_packet);
  ADD ("move", test_move);
  ADD ("malformed-frames", test_malformed_frames);
  ADD ("request-numbers", test_request_numbers);
  ADD ("foreign-reply", test_foreign_reply);
  ADD ("aimed-probes", test_aimed_probes);
  return g_test_run ();
}
