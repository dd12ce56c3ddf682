/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A match server knocks where it is asked to, and nowhere else:
 *
 *   192.0.2.1:4222  192.0.2.1:4223     the server's places
 *   192.0.2.9:4222  192.0.2.9:4223
 *   203.0.113.5:5000                   the peer's session
 *   203.0.113.5:6000                   another socket of it
 */

#include "match-world.h"
#include "raw-peer.h"

#include "hole-punch/wire/hp-stun.h"

#include <string.h>

static const guint8 transaction[HP_STUN_TRANSACTION_SIZE] = "transaction";

static void
set_places (World *world, gboolean with_other_host)
{
  HpMatchPlaces places = { .hosts = { world->server },
                           .ports = { 4222, 4223 },
                           .second_sockets = { 1, 3 } };

  if (with_other_host)
    places.hosts[1] = make_address ("192.0.2.9:4222");
  hp_match_service_set_places (world->service, &places);
}

/* At @at, with its proof */
static HpFrame
make_knock (Raw *at, guint64 flags)
{
  HpFrame frame = { .type = HP_FRAME_KNOCK };

  raw_get_cookie (at);
  frame.knock.address = at->address;
  frame.knock.flags = flags;
  memcpy (frame.knock.proof, at->cookie.cookie, HP_PROOF_SIZE);
  memcpy (frame.knock.transaction, transaction, sizeof transaction);
  return frame;
}

/* What the server says that it did; -1: nothing */
static int
ask (Raw *raw, const HpFrame *knock)
{
  HpFrame answer;

  raw_send (raw, knock);
  if (raw_take_frame (raw, &answer) != HP_FRAME_KNOCKED)
    return -1;
  g_assert_cmpmem (answer.knocked.transaction, HP_STUN_TRANSACTION_SIZE,
                   knock->knock.transaction, HP_STUN_TRANSACTION_SIZE);
  return answer.knocked.flags;
}

/* Came at @at, next, from there */
static void
assert_knock (Raw *at, const char *from)
{
  g_autofree Flying *flying = raw_take (at);
  HpAddress expected = make_address (from);
  guint8 told[HP_STUN_TRANSACTION_SIZE];

  g_assert_nonnull (flying);
  g_assert_true (
      hp_stun_consume_indication (told, flying->bytes, flying->length));
  g_assert_cmpmem (told, sizeof told, transaction, sizeof transaction);
  g_assert_true (hp_address_equal (&flying->from, &expected));
}

static void
test_places (World *world, gconstpointer data)
{
  Raw *raw = raw_add_connected (world, "203.0.113.5:5000");
  Raw *at = raw_add (world, "203.0.113.5:6000");
  HpFrame knock = make_knock (at, HP_KNOCK_SAME);

  set_places (world, TRUE);
  g_assert_cmpint (ask (raw, &knock), ==, HP_KNOCK_SAME);
  assert_knock (at, "192.0.2.1:4222");
  knock.knock.flags = HP_KNOCK_OTHER_PORT;
  g_assert_cmpint (ask (raw, &knock), ==, HP_KNOCK_OTHER_PORT);
  assert_knock (at, "192.0.2.1:4223");
  knock.knock.flags = HP_KNOCK_OTHER_HOST;
  g_assert_cmpint (ask (raw, &knock), ==, HP_KNOCK_OTHER_HOST);
  assert_knock (at, "192.0.2.9:4223");
  /* What is not known yet is left out. */
  knock.knock.flags = 0xff;
  g_assert_cmpint (ask (raw, &knock), ==, 7);
  assert_knock (at, "192.0.2.1:4222");
  assert_knock (at, "192.0.2.1:4223");
  assert_knock (at, "192.0.2.9:4223");
  g_assert_null (raw_take (at));
  g_assert_cmpuint (datagrams_to_strangers, ==, 0);
}

/* A server says what it cannot do. */
static void
test_fewer_places (World *world, gconstpointer data)
{
  Raw *raw = raw_add_connected (world, "203.0.113.5:5000");
  Raw *at = raw_add (world, "203.0.113.5:6000");
  HpFrame knock = make_knock (at, 7);

  g_assert_cmpint (ask (raw, &knock), ==, HP_KNOCK_SAME);
  set_places (world, FALSE);
  g_assert_cmpint (ask (raw, &knock), ==, HP_KNOCK_SAME | HP_KNOCK_OTHER_PORT);
}

/* Only at what the asker has proven; of course not at others' */
static void
test_proof (World *world, gconstpointer data)
{
  Raw *raw = raw_add_connected (world, "203.0.113.5:5000");
  Raw *at = raw_add (world, "203.0.113.5:6000");
  Raw *victim = raw_add (world, "198.18.0.1:53");
  HpFrame knock = make_knock (at, 7);

  set_places (world, TRUE);
  knock.knock.address = victim->address;
  g_assert_cmpint (ask (raw, &knock), ==, 0);
  g_assert_null (raw_take (victim));
  knock.knock.address = at->address;
  knock.knock.address.port++;
  g_assert_cmpint (ask (raw, &knock), ==, 0);
  memset (knock.knock.proof, 0, HP_PROOF_SIZE);
  knock.knock.address = at->address;
  g_assert_cmpint (ask (raw, &knock), ==, 0);
  g_assert_null (raw_take (at));
  g_assert_cmpuint (datagrams_to_strangers, ==, 0);

  /* A proof grows old. */
  knock = make_knock (at, HP_KNOCK_SAME);
  world_run (world, 30 * SECOND);
  g_assert_cmpint (ask (raw, &knock), ==, HP_KNOCK_SAME);
  for (guint i = 0; i < 10; i++)
    {
      world_run (world, 30 * SECOND);
      raw_send (raw, &(HpFrame){ .type = HP_FRAME_PING });
    }
  g_ptr_array_set_size (raw->inbox, 0);
  g_assert_cmpint (ask (raw, &knock), ==, 0);
}

/* All the knocks are no larger than the least that asks for them. */
static void
test_size (World *world, gconstpointer data)
{
  Raw *raw = raw_add_connected (world, "203.0.113.5:5000");
  Raw *at = raw_add (world, "203.0.113.5:6000");
  HpFrame knock = make_knock (at, 7);
  guint8 packet[HP_DATAGRAM_SIZE_DEFAULT];
  gsize asked = raw_seal (raw, packet, &knock, 0);
  gsize knocked = 0;

  set_places (world, TRUE);
  raw_inject (raw, packet, asked);
  for (guint i = 0; i < 3; i++)
    {
      g_autofree Flying *flying = raw_take (at);

      knocked += flying->length;
    }
  g_assert_cmpuint (knocked, <=, asked);
}

static void
test_limit (World *world, gconstpointer data)
{
  Raw *raw = raw_add_connected (world, "203.0.113.5:5000");
  Raw *other = raw_add_connected (world, "198.51.100.77:5000");
  Raw *at = raw_add (world, "203.0.113.5:6000");
  HpFrame knock = make_knock (at, HP_KNOCK_SAME);
  guint n = 0;

  while (ask (raw, &knock) == HP_KNOCK_SAME)
    g_assert_cmpuint (++n, <, 100);
  g_assert_cmpuint (n, ==, 30);
  g_assert_cmpint (ask (other, &knock), ==, HP_KNOCK_SAME);
  world_run (world, 10 * SECOND);
  g_assert_cmpint (ask (raw, &knock), ==, HP_KNOCK_SAME);
}

/* The client's side */
static void
test_client (World *world, gconstpointer data)
{
  WorldClient *client = world_add_connected (world);
  Raw *at = raw_add (world, "203.0.113.5:6000");
  HpFrame knock = make_knock (at, HP_KNOCK_SAME);
  HpMatchEvent *event;

  set_places (world, TRUE);
  g_assert_true (hp_match_client_ask_knock (client->client, &knock));
  /* One at a time */
  g_assert_false (hp_match_client_ask_knock (client->client, &knock));
  g_assert_true (
      world_await_event (world, client, HP_MATCH_EVENT_KNOCKED, SECOND));
  event = client_find (client, HP_MATCH_EVENT_KNOCKED);
  g_assert_cmpuint (event->knocked_from, ==, HP_KNOCK_SAME);
  g_assert_cmpmem (event->transaction, HP_STUN_TRANSACTION_SIZE, transaction,
                   HP_STUN_TRANSACTION_SIZE);
  assert_knock (at, "192.0.2.1:4222");

  /* Once, and not again in the next session */
  client_forget (client);
  world_run (world, 5 * SECOND);
  g_assert_null (raw_take (at));
  g_assert_true (hp_match_client_ask_knock (client->client, &knock));
  hp_match_client_close (client->client, world->now);
  g_assert_false (hp_match_client_ask_knock (client->client, &knock));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func)                                                       \
  g_test_add ("/match-knocking/" name, World, NULL, raw_set_up, func,         \
              raw_tear_down)
  ADD ("places", test_places);
  ADD ("fewer-places", test_fewer_places);
  ADD ("proof", test_proof);
  ADD ("size", test_size);
  ADD ("limit", test_limit);
  ADD ("client", test_client);
  return g_test_run ();
}
