/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/secure/hp-cookie.h"
#include "tests/secure/secure-test.h"

#include <string.h>

/* The beginning of an epoch */
#define START (7 * HP_COOKIE_ROTATION)

/* Addresses that differ from the first by as little as can be */
static const char *addresses[] = {
  "192.0.2.1:4222",      "192.0.2.1:4223",      "192.0.2.2:4222",
  "[2001:db8::1]:4222",  "[2001:db8::2]:4222",  "[2001:db8::1]:4223",
  "[c000:201::]:4222",
};

typedef struct
{
  guint64 seed;
  HpRandom random;
  HpCookieJar jar;
} Fixture;

static void
set_up (Fixture *self, gconstpointer user_data)
{
  self->seed = 1;
  self->random = secure_test_random (&self->seed);
  hp_cookie_jar_init (&self->jar, &self->random, START);
}

static void
tear_down (Fixture *self, gconstpointer user_data)
{
  hp_cookie_jar_clear (&self->jar);
  g_assert_cmpuint (self->jar.secrets[0][0], ==, 0);
}

static HpAddress
get_address (guint i)
{
  HpAddress address;

  g_assert_true (hp_address_parse (&address, addresses[i]));
  return address;
}

static void
test_rotation (Fixture *self, gconstpointer user_data)
{
  const HpAddress address = get_address (0);
  guint8 first[HP_COOKIE_SIZE], second[HP_COOKIE_SIZE];
  gint64 now = START;

  hp_cookie_jar_create (&self->jar, &address, first);
  now += HP_COOKIE_ROTATION - 1;
  hp_cookie_jar_rotate (&self->jar, now);
  hp_cookie_jar_create (&self->jar, &address, second);
  g_assert_cmpmem (first, sizeof first, second, sizeof second);

  now += 1;
  hp_cookie_jar_rotate (&self->jar, now);
  hp_cookie_jar_create (&self->jar, &address, second);
  g_assert_cmpint (memcmp (first, second, sizeof first), !=, 0);
  g_assert_true (hp_cookie_jar_check (&self->jar, &address, first));
  g_assert_true (hp_cookie_jar_check (&self->jar, &address, second));

  now += HP_COOKIE_ROTATION;
  hp_cookie_jar_rotate (&self->jar, now);
  g_assert_false (hp_cookie_jar_check (&self->jar, &address, first));
  g_assert_true (hp_cookie_jar_check (&self->jar, &address, second));
  /* As if nobody had come by for long: nothing that old is accepted. */
  hp_cookie_jar_create (&self->jar, &address, second);
  now += 2 * HP_COOKIE_ROTATION;
  hp_cookie_jar_rotate (&self->jar, now);
  g_assert_false (hp_cookie_jar_check (&self->jar, &address, second));
}

static void
test_addresses (Fixture *self, gconstpointer user_data)
{
  for (guint i = 0; i < G_N_ELEMENTS (addresses); i++)
    for (guint j = 0; j < G_N_ELEMENTS (addresses); j++)
      {
        const HpAddress made_for = get_address (i);
        const HpAddress shown_by = get_address (j);
        guint8 cookie[HP_COOKIE_SIZE], token[HP_TOKEN_SIZE];

        hp_cookie_jar_create (&self->jar, &made_for, cookie);
        g_assert_cmpint (hp_cookie_jar_check (&self->jar, &shown_by, cookie),
                         ==, i == j);
        hp_cookie_jar_create_token (&self->jar, 5, &made_for, token);
        g_assert_cmpint (
            hp_cookie_jar_check_token (&self->jar, 5, &shown_by, token), ==,
            i == j);
        g_assert_false (
            hp_cookie_jar_check_token (&self->jar, 6, &shown_by, token));
      }
}

static void
test_changed (Fixture *self, gconstpointer user_data)
{
  const HpAddress address = get_address (3);
  guint8 cookie[HP_COOKIE_SIZE], token[HP_TOKEN_SIZE];
  Fixture other = { .seed = 2 };

  hp_cookie_jar_create (&self->jar, &address, cookie);
  for (guint bit = 0; bit < 8 * sizeof cookie; bit++)
    {
      cookie[bit / 8] ^= 1 << bit % 8;
      g_assert_false (hp_cookie_jar_check (&self->jar, &address, cookie));
      cookie[bit / 8] ^= 1 << bit % 8;
    }
  hp_cookie_jar_create_token (&self->jar, 9, &address, token);
  for (guint bit = 0; bit < 8 * sizeof token; bit++)
    {
      token[bit / 8] ^= 1 << bit % 8;
      g_assert_false (
          hp_cookie_jar_check_token (&self->jar, 9, &address, token));
      token[bit / 8] ^= 1 << bit % 8;
    }
  /* Another server's */
  other.random = secure_test_random (&other.seed);
  hp_cookie_jar_init (&other.jar, &other.random, START);
  g_assert_false (hp_cookie_jar_check (&other.jar, &address, cookie));
}

static void
test_token_rotation (Fixture *self, gconstpointer user_data)
{
  const HpAddress address = get_address (1);
  guint8 token[HP_TOKEN_SIZE];

  hp_cookie_jar_create_token (&self->jar, 9, &address, token);
  hp_cookie_jar_rotate (&self->jar, START + HP_COOKIE_ROTATION);
  g_assert_true (
      hp_cookie_jar_check_token (&self->jar, 9, &address, token));
  hp_cookie_jar_rotate (&self->jar, START + 2 * HP_COOKIE_ROTATION);
  g_assert_false (
      hp_cookie_jar_check_token (&self->jar, 9, &address, token));
}

/* Two that were begun at different times agree on everything, as long as they
 * have the seed in common. */
static void
test_shared (Fixture *self, gconstpointer user_data)
{
  const HpAddress address = get_address (3);
  HpCookieJar early, late, other;
  guint8 seed[HP_KEY_SIZE] = { 1, 2, 3 };
  guint8 cookie[HP_COOKIE_SIZE], token[HP_TOKEN_SIZE];
  gint64 now = START + 5 * HP_COOKIE_ROTATION + 1;

  hp_cookie_jar_init_shared (&early, seed, START);
  hp_cookie_jar_init_shared (&late, seed, now);
  seed[31] ^= 1;
  hp_cookie_jar_init_shared (&other, seed, now);
  hp_cookie_jar_rotate (&early, now);
  hp_cookie_jar_create (&early, &address, cookie);
  hp_cookie_jar_create_token (&late, 9, &address, token);
  g_assert_true (hp_cookie_jar_check (&late, &address, cookie));
  g_assert_true (hp_cookie_jar_check_token (&early, 9, &address, token));
  g_assert_false (hp_cookie_jar_check (&other, &address, cookie));
  g_assert_false (hp_cookie_jar_check_token (&other, 9, &address, token));
  /* The one before is in common, too. */
  now += HP_COOKIE_ROTATION;
  hp_cookie_jar_rotate (&late, now);
  hp_cookie_jar_init_shared (&early, late.seed, now);
  g_assert_true (hp_cookie_jar_check (&late, &address, cookie));
  g_assert_true (hp_cookie_jar_check (&early, &address, cookie));
}

/* INITIATION with a cookie as its ticket, before and after rotations */
static void
test_initiation (Fixture *self, gconstpointer user_data)
{
  const HpAddress address = get_address (0), other = get_address (1);
  const guint16 suites = HP_SUITE_BIT (HP_SUITE_CHACHA_POLY);
  g_autoptr (HpHandshake) handshake = NULL;
  HpKeyPair client, server;
  guint8 cookie[HP_COOKIE_SIZE], token[HP_TOKEN_SIZE] = { 0 };
  guint8 bytes[HP_INITIATION_MAX_SIZE];
  HpInitiation initiation;
  HpTicket ticket, found;
  gsize length;

  hp_crypto_generate_key_pair (&client, &self->random);
  hp_crypto_generate_key_pair (&server, &self->random);
  hp_cookie_jar_create (&self->jar, &address, cookie);
  hp_ticket_init (&ticket, 0, cookie, sizeof cookie);
  handshake = hp_handshake_new (HP_SUITE_CHACHA_POLY, &ticket, &client,
                                server.public_key, 1, NULL, 0, &self->random);
  length = hp_handshake_write_initiation (handshake, token, bytes,
                                          sizeof bytes);
  g_assert_true (hp_packet_parse_initiation (&initiation, bytes, length));

  for (guint rotations = 0; rotations < 3; rotations++)
    {
      g_assert_cmpint (
          hp_cookie_jar_check_initiation (&self->jar, &address, &initiation,
                                          bytes, suites, &found),
          ==, rotations < 2 ? HP_HANDSHAKE_OK : HP_HANDSHAKE_WRONG_TICKET);
      if (rotations < 2)
        {
          g_assert_cmpuint (found.number, ==, 0);
          g_assert_cmpmem (found.secret, found.secret_length, cookie,
                           sizeof cookie);
        }
      g_assert_cmpint (
          hp_cookie_jar_check_initiation (&self->jar, &other, &initiation,
                                          bytes, suites, &found),
          ==, HP_HANDSHAKE_WRONG_TICKET);
      g_assert_cmpint (
          hp_cookie_jar_check_initiation (&self->jar, &address, &initiation,
                                          bytes,
                                          HP_SUITE_BIT (HP_SUITE_AES_GCM),
                                          &found),
          ==, HP_HANDSHAKE_WRONG_VERSION);
      hp_cookie_jar_rotate (&self->jar,
                            START + (rotations + 1) * HP_COOKIE_ROTATION);
    }
}

static void
test_hello_proof (void)
{
  const guint8 key[HP_KEY_SIZE] = { 1 }, other_key[HP_KEY_SIZE] = { 2 };
  HpHello hello = { .version = 1, .transaction = "12345678" };
  guint8 bytes[HP_HELLO_MIN_SIZE];
  guint8 digest[HP_HASH_SIZE], expected[HP_HASH_SIZE];
  HpHashPart parts[] = { { "hole-punch hello", 16 }, { key, sizeof key } };
  HpHashPart before;
  HpWriter writer;

  hp_writer_init (&writer, bytes, sizeof bytes);
  hp_packet_write_hello (&hello, &writer);
  g_assert_true (hp_packet_parse_hello (&hello, bytes, sizeof bytes));
  /* Zeros prove nothing. */
  g_assert_false (hp_hello_check_proof (key, &hello, bytes));
  hp_hello_create_proof (key, bytes, hello.mac_length,
                         bytes + hello.mac_length);
  g_assert_true (hp_packet_parse_hello (&hello, bytes, sizeof bytes));
  g_assert_true (hp_hello_check_proof (key, &hello, bytes));
  g_assert_false (hp_hello_check_proof (other_key, &hello, bytes));

  hp_crypto_sha256_parts (digest, parts, G_N_ELEMENTS (parts));
  before = (HpHashPart){ bytes, hello.mac_length };
  hp_crypto_hmac (expected, digest, sizeof digest, &before, 1);
  g_assert_cmpmem (expected, HP_MAC_SIZE, hello.proof, HP_MAC_SIZE);

  for (gsize bit = 0; bit < 8 * (hello.mac_length + HP_MAC_SIZE); bit++)
    {
      bytes[bit / 8] ^= 1 << bit % 8;
      g_assert_false (hp_packet_parse_hello (&hello, bytes, sizeof bytes)
                      && hp_hello_check_proof (key, &hello, bytes));
      bytes[bit / 8] ^= 1 << bit % 8;
    }
}

static void
test_ticket (void)
{
  const guint8 keys[4][HP_KEY_SIZE] = { { 1 }, { 2 }, { 3 }, { 4 } };
  /* Server secret, caller, callee, request; the first four differ in one each
   * from the last, the next is the caller called back. */
  static const guint inputs[][4] = {
    { 3, 1, 2, 9 }, { 0, 3, 2, 9 }, { 0, 1, 3, 9 },
    { 0, 1, 2, 8 }, { 0, 2, 1, 9 }, { 0, 1, 2, 9 },
  };
  HpTicket tickets[G_N_ELEMENTS (inputs)];
  HpTicket again;
  guint64 number;

  for (gsize i = 0; i < G_N_ELEMENTS (inputs); i++)
    {
      hp_ticket_derive (&tickets[i], keys[inputs[i][0]], keys[inputs[i][1]],
                        keys[inputs[i][2]], inputs[i][3]);
      g_assert_cmpuint (tickets[i].secret_length, ==, 32);
      g_assert_cmpuint (tickets[i].number, !=, 0);
      for (gsize j = 0; j < i; j++)
        {
          g_assert_cmpuint (tickets[i].number, !=, tickets[j].number);
          g_assert_cmpint (
              memcmp (tickets[i].secret, tickets[j].secret, 32), !=, 0);
        }
      /* The number, which all may see, says nothing of the secret. */
      number = GUINT64_TO_BE (tickets[i].number);
      g_assert_cmpint (memcmp (&number, tickets[i].secret, 8), !=, 0);
      hp_ticket_derive (&again, keys[inputs[i][0]], keys[inputs[i][1]],
                        keys[inputs[i][2]], inputs[i][3]);
      g_assert_cmpuint (again.number, ==, tickets[i].number);
      g_assert_cmpmem (again.secret, 32, tickets[i].secret, 32);
    }
}

static void
add (const char *path, void (*function) (Fixture *, gconstpointer))
{
  g_test_add (path, Fixture, NULL, set_up, function, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("/cookie/rotation", test_rotation);
  add ("/cookie/addresses", test_addresses);
  add ("/cookie/changed", test_changed);
  add ("/cookie/token-rotation", test_token_rotation);
  add ("/cookie/shared", test_shared);
  add ("/cookie/initiation", test_initiation);
  g_test_add_func ("/cookie/hello-proof", test_hello_proof);
  g_test_add_func ("/cookie/ticket", test_ticket);
  return g_test_run ();
}
