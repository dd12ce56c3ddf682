/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The match service in a flood: who is registered stays served, and nothing
 * grows beyond its bound. */

#include "match-crowd.h"

#include <string.h>

#define N_PEOPLE 100
#define MOST_TOGETHER 50

typedef struct
{
  Crowd crowd;
  guint8 initiation[HP_INITIATION_MAX_SIZE];
  gsize length;
  HpInitiation parsed;
} Flood;

static void
set_limit (Flood *self)
{
  self->crowd.config.max_total_handshakes_per_second = MOST_TOGETHER;
  hp_match_service_set_config (self->crowd.service, &self->crowd.config);
}

/* Of somebody new, for whoever has @cookie */
static void
make_initiation (Flood *self, const guint8 cookie[HP_COOKIE_SIZE])
{
  const guint8 token[HP_TOKEN_SIZE] = { 1 };
  g_autoptr (HpHandshake) handshake = NULL;
  HpTicket ticket;
  HpKeyPair pair;

  hp_crypto_generate_key_pair (&pair, &self->crowd.config.random);
  hp_ticket_init (&ticket, 0, cookie, HP_COOKIE_SIZE);
  handshake = hp_handshake_new (
      HP_SUITE_CHACHA_POLY, &ticket, &pair,
      self->crowd.config.local.public_key, 7, NULL, 0,
      &self->crowd.config.random);
  self->length = hp_handshake_write_initiation (
      handshake, token, self->initiation, sizeof self->initiation);
  g_assert_true (hp_packet_parse_initiation (&self->parsed, self->initiation,
                                             self->length));
}

static void
set_up (Flood *self, gconstpointer data)
{
  const guint8 nobodys_cookie[HP_COOKIE_SIZE] = { 1 };

  crowd_set_up (&self->crowd, N_PEOPLE, HP_SUITE_CHACHA_POLY);
  set_limit (self);
  make_initiation (self, nobodys_cookie);
  for (guint i = 0; i < N_PEOPLE; i++)
    {
      Person *person = self->crowd.people + i;
      char id[HP_ID_MAX_SIZE + 1];

      g_snprintf (id, sizeof id, "peer-%u", i);
      crowd_connect (&self->crowd, person);
      crowd_register (&self->crowd, person, id, HP_REGISTER_OPEN);
    }
  g_assert_cmpuint (self->crowd.registered, ==, N_PEOPLE);
}

static void
tear_down (Flood *self, gconstpointer data)
{
  crowd_tear_down (&self->crowd);
}

static HpServiceStatistics
get_statistics (Flood *self)
{
  HpServiceStatistics statistics;

  hp_match_service_get_statistics (self->crowd.service, &statistics);
  return statistics;
}

/* Each in a network of its own */
static HpAddress
make_source (guint number)
{
  return (HpAddress){ .family = HP_ADDRESS_IPV4,
                      .port = 1024 + number % 60000,
                      .ip = { 100 + (number >> 16), number >> 8, number, 1 } };
}

/* With the source's own cookie: the MAC is right, and only the Noise in it
 * shows, after an X25519, that it is worth nothing. */
static void
send_forged (Flood *self, const HpAddress *source)
{
  const guint8 initiator = 0;
  guint8 bytes[HP_INITIATION_MAX_SIZE];
  guint8 digest[HP_HASH_SIZE];

  crowd_get_cookie (&self->crowd, source);
  memcpy (bytes, self->initiation, self->length);
  hp_random_fill (&self->crowd.config.random,
                  bytes + self->parsed.core_length - 8, 8);
  hp_crypto_hmac (digest, self->crowd.cookie, HP_COOKIE_SIZE,
                  (const HpHashPart[]){ { &initiator, 1 },
                                        { bytes, self->parsed.mac_length } },
                  2);
  memcpy (bytes + self->parsed.mac_length, digest, HP_MAC_SIZE);
  crowd_inject (&self->crowd, source, bytes, self->length);
}

/* Everybody is heard, and can register and be asked for. */
static void
assert_served (Flood *self)
{
  Crowd *crowd = &self->crowd;
  Person *caller
      = crowd->people + g_rand_int_range (crowd->chance, 0, N_PEOPLE);
  Person *callee
      = crowd->people + (caller->number + 1) % N_PEOPLE;
  guint64 observed = crowd->observed;
  guint64 registered = crowd->registered;
  guint64 answered = crowd->answered;
  char id[HP_ID_MAX_SIZE + 1];

  crowd_ping (crowd, caller);
  g_assert_cmpuint (crowd->observed, ==, observed + 1);
  memcpy (id, callee->id, sizeof id);
  crowd_register (crowd, callee, id, HP_REGISTER_OPEN);
  g_assert_cmpuint (crowd->registered, ==, registered + 1);
  crowd_ask (crowd, caller, id);
  g_assert_cmpuint (crowd->answered, >, answered);
}

/* Thousands of networks, each far below its own limit */
static void
test_handshakes (Flood *self, gconstpointer data)
{
  const guint n_sources = 3000;
  const guint seconds = 3;

  for (guint i = 0; i < n_sources; i++)
    {
      HpAddress source = make_source (i);

      send_forged (self, &source);
      crowd_advance (&self->crowd, seconds * SECOND / n_sources);
      if (i % 100 == 0)
        assert_served (self);
    }
  g_assert_cmpuint (get_statistics (self).handshakes, ==, 0);
  g_assert_cmpuint (get_statistics (self).dropped_forged, >=,
                    seconds * MOST_TOGETHER);
  g_assert_cmpuint (get_statistics (self).dropped_forged, <=,
                    (seconds + 1) * MOST_TOGETHER + 1);
  g_assert_cmpuint (get_statistics (self).dropped_rate_limited, ==,
                    n_sources - get_statistics (self).dropped_forged);
  /* When it is over, a newcomer comes in. */
  crowd_advance (&self->crowd, SECOND);
  crowd_shake_hands (&self->crowd, self->crowd.people);
  g_assert_cmpuint (get_statistics (self).handshakes, ==, 1);
}

/* One network does not use up what is for all. */
static void
test_one_network (Flood *self, gconstpointer data)
{
  HpAddress source = make_source (1);

  self->crowd.config.max_handshakes_per_second = 10;
  set_limit (self);
  for (guint i = 0; i < 1000; i++)
    send_forged (self, &source);
  g_assert_cmpuint (get_statistics (self).dropped_forged, ==, 10);
  g_assert_cmpuint (get_statistics (self).dropped_rate_limited, ==, 990);
  for (guint i = 0; i < MOST_TOGETHER - 10; i++)
    {
      source = make_source (2 + i);
      send_forged (self, &source);
    }
  g_assert_cmpuint (get_statistics (self).dropped_forged, ==, MOST_TOGETHER);
}

/* Good ones, which nobody ever follows up: no more of them wait than the limit
 * lets in, and all are gone after ten seconds. */
static void
test_half_open (Flood *self, gconstpointer data)
{
  const HpMatchSessions *sessions = &self->crowd.service->sessions;

  for (guint i = 0; i < 400; i++)
    {
      HpAddress source = make_source (i);

      crowd_get_cookie (&self->crowd, &source);
      make_initiation (self, self->crowd.cookie);
      crowd_inject (&self->crowd, &source, self->initiation, self->length);
      crowd_advance (&self->crowd, 5 * MS);
    }
  g_assert_cmpuint (hp_match_sessions_count_state (
                        sessions, HP_MATCH_SESSION_UNCONFIRMED),
                    <=, MIN (3 * MOST_TOGETHER + 1,
                             self->crowd.config.max_peers - N_PEOPLE));
  g_assert_cmpuint (hp_match_sessions_count_state (
                        sessions, HP_MATCH_SESSION_UNCONFIRMED),
                    >=, MOST_TOGETHER);
  assert_served (self);
  crowd_advance (&self->crowd, 11 * SECOND);
  g_assert_cmpuint (hp_match_sessions_count (sessions), ==, N_PEOPLE);
}

/* 100,000 sources that do not exist: HELLO, an INITIATION with a cookie that is
 * not theirs, DATA of no session. Nothing is kept of any. */
static void
test_spoofed (Flood *self, gconstpointer data)
{
  Crowd *crowd = &self->crowd;
  const HpMatchService *service = crowd->service;
  guint sessions = hp_match_sessions_count (&service->sessions);

  for (guint i = 0; i < 100000; i++)
    {
      HpAddress source = make_source (i);
      guint8 bytes[HP_INITIATION_MAX_SIZE] = { HP_PACKET_DATA_0 };

      hp_random_fill (&crowd->config.random, bytes + 1, 63);
      bytes[5] &= 0x3f; /* a packet number */
      if (i % 4 == 0)
        crowd_get_cookie (crowd, &source);
      else if (i % 4 == 1)
        crowd_inject (crowd, &source, memcpy (bytes, self->initiation,
                                              self->length),
                      self->length);
      else
        crowd_inject (crowd, &source, bytes, 64);
      if (i % 1000 == 0)
        {
          assert_served (self);
          crowd_advance (crowd, 20 * MS);
        }
    }
  g_assert_cmpuint (hp_match_sessions_count (&service->sessions), ==,
                    sessions);
  g_assert_cmpuint (get_statistics (self).handshakes, ==, 0);
  g_assert_cmpuint (get_statistics (self).cookies, ==, 25000);
  g_assert_cmpuint (get_statistics (self).dropped_ticket, ==, 25000);
  g_assert_cmpuint (get_statistics (self).dropped_unknown, >, 49000);
}

/* While nothing can be sent, strangers get but half of what may wait. */
static void
test_jam (Flood *self, gconstpointer data)
{
  Crowd *crowd = &self->crowd;
  guint64 observed = crowd->observed;

  crowd->is_jammed = TRUE;
  for (guint i = 0; i < 10000; i++)
    {
      HpAddress source = make_source (i);

      crowd_get_cookie (crowd, &source);
    }
  g_assert_cmpuint (get_statistics (self).cookies, <, 5000);
  g_assert_cmpuint (get_statistics (self).dropped_full, ==,
                    10000 - get_statistics (self).cookies);
  for (guint i = 0; i < N_PEOPLE; i++)
    crowd_ping (crowd, crowd->people + i);
  crowd->is_jammed = FALSE;
  crowd_ping (crowd, crowd->people);
  g_assert_cmpuint (crowd->observed, ==, observed + N_PEOPLE + 1);
}

/* Each with its own cookie, twice, while nothing can be sent */
static void
inject_jammed (Flood *self, guint n)
{
  Crowd *crowd = &self->crowd;

  crowd->is_jammed = TRUE;
  for (guint i = 0; i < n; i++)
    {
      HpAddress source = make_source (i);
      guint8 cookie[HP_COOKIE_SIZE];

      hp_cookie_jar_create (&crowd->service->jar, &source, cookie);
      make_initiation (self, cookie);
      crowd_inject (crowd, &source, self->initiation, self->length);
      crowd_inject (crowd, &source, self->initiation, self->length);
    }
}

/* Handshakes take long: they wait until all others have had their answers, and
 * leave one at a time. */
static void
test_turns (Flood *self, gconstpointer data)
{
  const guint n = 20;
  Crowd *crowd = &self->crowd;
  guint8 bytes[1500];
  HpOutgoing outgoing = { .bytes = bytes, .capacity = sizeof bytes };
  guint count = 0;

  inject_jammed (self, n);
  crowd_ping (crowd, crowd->people);
  g_assert_cmpuint (get_statistics (self).handshakes, ==, 0);
  g_assert_true (hp_match_service_pull (crowd->service, &outgoing,
                                        crowd->now));
  g_assert_true (hp_address_equal (&outgoing.route.remote,
                                   &crowd->people[0].address));
  g_assert_cmpuint (get_statistics (self).handshakes, ==, 0);
  while (hp_match_service_get_deadline (crowd->service) <= crowd->now)
    {
      g_assert_true (hp_match_service_pull (crowd->service, &outgoing,
                                            crowd->now));
      g_assert_true (outgoing.is_last);
      g_assert_cmpuint (bytes[0], ==, HP_PACKET_RESPONSE);
      count++;
    }
  g_assert_cmpuint (count, ==, 2 * n);
  g_assert_cmpuint (get_statistics (self).handshakes, ==, n);
}

/* Those whose turn would not come in time need not wait for it. */
static void
test_queue (Flood *self, gconstpointer data)
{
  self->crowd.config.max_total_handshakes_per_second = 10000;
  hp_match_service_set_config (self->crowd.service, &self->crowd.config);
  inject_jammed (self, 600);
  g_assert_cmpuint (self->crowd.service->initiations.length, ==, 512);
  g_assert_cmpuint (get_statistics (self).dropped_full, ==, 2 * 600 - 512);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func)                                                       \
  g_test_add ("/match-floods/" name, Flood, NULL, set_up, func, tear_down)
  ADD ("handshakes", test_handshakes);
  ADD ("one-network", test_one_network);
  ADD ("half-open", test_half_open);
  ADD ("spoofed", test_spoofed);
  ADD ("jam", test_jam);
  ADD ("turns", test_turns);
  ADD ("queue", test_queue);
  return g_test_run ();
}
