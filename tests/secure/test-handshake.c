/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/secure/hp-handshake.h"
#include "tests/secure/secure-test.h"

#include <string.h>

#define INDEX_A 0xa1a2a3a4
#define INDEX_B 0xb1b2b3b4
#define NOW (50 * G_TIME_SPAN_SECOND)
#define ANY_SUITE                                                             \
  (HP_SUITE_BIT (HP_SUITE_AES_GCM) | HP_SUITE_BIT (HP_SUITE_CHACHA_POLY))

typedef struct
{
  guint8 bytes[512];
  gsize length;
} Packet;

/* A calls B, with a ticket of an introduction. */
typedef struct
{
  guint64 seed;
  HpRandom random;
  HpSuite suite;
  HpTicket ticket;
  HpKeyPair a;
  HpKeyPair b;
  HpHandshake *initiator;
  HpKeptResponse kept;
  HpSession *session_a;
  HpSession *session_b;
} Fixture;

static const guint8 token_1[HP_TOKEN_SIZE] = "token 1";
static const guint8 token_2[HP_TOKEN_SIZE] = "token 2";
static const guint8 own_1[HP_TOKEN_SIZE] = "own   1";
static const guint8 own_2[HP_TOKEN_SIZE] = "own   2";
static const guint8 parameters_a[] = "parameters of A";
static const guint8 parameters_b[] = "those of B";

static void
start (Fixture *self)
{
  g_clear_pointer (&self->initiator, hp_handshake_free);
  self->initiator = hp_handshake_new (
      self->suite, &self->ticket, &self->a, self->b.public_key, INDEX_A,
      parameters_a, sizeof parameters_a, &self->random);
  g_assert_nonnull (self->initiator);
}

static void
set_up (Fixture *self, gconstpointer user_data)
{
  const HpSuite *suite = user_data;
  guint8 secret[32];

  self->suite = *suite;
  self->seed = *suite;
  self->random = secure_test_random (&self->seed);
  hp_crypto_generate_key_pair (&self->a, &self->random);
  hp_crypto_generate_key_pair (&self->b, &self->random);
  hp_random_fill (&self->random, secret, sizeof secret);
  hp_ticket_init (&self->ticket, 77, secret, sizeof secret);
  start (self);
}

static void
tear_down (Fixture *self, gconstpointer user_data)
{
  g_clear_pointer (&self->initiator, hp_handshake_free);
  g_clear_pointer (&self->session_a, hp_session_free);
  g_clear_pointer (&self->session_b, hp_session_free);
}

static Packet
write_initiation (Fixture *self, const guint8 *token)
{
  Packet packet;

  packet.length = hp_handshake_write_initiation (
      self->initiator, token, packet.bytes, HP_INITIATION_MAX_SIZE);
  return packet;
}

static Packet
write_response (Fixture *self, const guint8 *echoed, const guint8 *own)
{
  Packet packet;

  packet.length = hp_handshake_write_response (
      &self->kept, echoed, own, packet.bytes, HP_RESPONSE_MAX_SIZE);
  return packet;
}

/* All that a responder does */
static HpHandshakeVerdict
respond_with (Fixture *self, const Packet *packet, const HpTicket *ticket,
              guint16 suites, const HpKeyPair *local, const guint8 *expected)
{
  HpInitiation initiation;
  HpHandshakeResult result;
  HpHandshakeVerdict verdict;
  HpSession *session = NULL;
  guint8 remote[HP_KEY_SIZE];

  if (!hp_packet_parse_initiation (&initiation, packet->bytes,
                                   packet->length))
    return HP_HANDSHAKE_MALFORMED;
  verdict = hp_handshake_check_initiation (&initiation, packet->bytes, ticket,
                                           suites);
  if (verdict != HP_HANDSHAKE_OK)
    return verdict;
  verdict = hp_handshake_respond (
      &initiation, packet->bytes, ticket, local, expected, INDEX_B,
      parameters_b, sizeof parameters_b, HP_REPLAY_WINDOW_PEER, &self->random,
      NOW, remote, &result, &self->kept, &session);
  if (verdict != HP_HANDSHAKE_OK)
    {
      g_assert_null (session);
      return verdict;
    }
  g_assert_cmpmem (remote, HP_KEY_SIZE, self->a.public_key, HP_KEY_SIZE);
  g_assert_cmpmem (result.parameters, result.parameters_length, parameters_a,
                   sizeof parameters_a);
  g_clear_pointer (&self->session_b, hp_session_free);
  self->session_b = session;
  return verdict;
}

static HpHandshakeVerdict
respond (Fixture *self, const Packet *packet)
{
  return respond_with (self, packet, &self->ticket, ANY_SUITE, &self->b,
                       self->a.public_key);
}

static HpHandshakeVerdict
consume (Fixture *self, const Packet *packet, HpHandshakeResult *result)
{
  HpSession *session = NULL;
  HpHandshakeVerdict verdict = hp_handshake_consume_response (
      self->initiator, packet->bytes, packet->length, HP_REPLAY_WINDOW_PEER,
      NOW, result, &session);

  g_assert_true ((session != NULL) == (verdict == HP_HANDSHAKE_OK));
  if (session != NULL)
    {
      g_clear_pointer (&self->session_a, hp_session_free);
      self->session_a = session;
    }
  return verdict;
}

static void
assert_data_passes (HpSession *from, HpSession *to)
{
  guint8 packet[HP_DATA_OVERHEAD + 4];
  guint8 *plain;
  guint64 number;
  gsize length;

  memcpy (packet + HP_DATA_HEADER_SIZE, "data", 4);
  length = hp_session_seal (from, packet, 4, NOW);
  g_assert_cmpint (hp_session_open (to, packet, length, NOW, &number, &plain,
                                    &length),
                   ==, HP_OPEN_OK);
  g_assert_cmpmem (plain, length, "data", 4);
}

static void
finish (Fixture *self)
{
  HpHandshakeResult result;
  Packet response = write_response (self, token_1, own_1);

  g_assert_cmpint (consume (self, &response, &result), ==, HP_HANDSHAKE_OK);
  assert_data_passes (self->session_a, self->session_b);
  assert_data_passes (self->session_b, self->session_a);
}

static void
test_success (Fixture *self, gconstpointer user_data)
{
  Packet initiation = write_initiation (self, token_1);
  Packet response;
  HpHandshakeResult result;
  HpSession *sessions[2];

  g_assert_cmpuint (hp_handshake_get_local_index (self->initiator), ==,
                    INDEX_A);
  g_assert_cmpint (respond (self, &initiation), ==, HP_HANDSHAKE_OK);
  response = write_response (self, token_1, own_1);
  g_assert_cmpuint (response.length, <=, initiation.length);
  g_assert_cmpint (consume (self, &response, &result), ==, HP_HANDSHAKE_OK);
  g_assert_cmpmem (result.parameters, result.parameters_length, parameters_b,
                   sizeof parameters_b);
  g_assert_cmpmem (result.echoed_token, HP_TOKEN_SIZE, token_1, HP_TOKEN_SIZE);
  g_assert_cmpmem (result.own_token, HP_TOKEN_SIZE, own_1, HP_TOKEN_SIZE);

  sessions[0] = self->session_a;
  sessions[1] = self->session_b;
  for (guint i = 0; i < 2; i++)
    {
      g_assert_cmpint (hp_session_is_initiator (sessions[i]), ==, i == 0);
      g_assert_cmpint (hp_session_get_suite (sessions[i]), ==, self->suite);
      g_assert_cmpuint (hp_session_get_local_index (sessions[i]), ==,
                        i == 0 ? INDEX_A : INDEX_B);
      g_assert_cmpuint (hp_session_get_remote_index (sessions[i]), ==,
                        i == 0 ? INDEX_B : INDEX_A);
      assert_data_passes (sessions[i], sessions[!i]);
    }
  for (guint i = 0; i < 10; i++)
    {
      hp_session_update_keys (sessions[i % 2], NOW);
      assert_data_passes (sessions[i % 2], sessions[!(i % 2)]);
    }
}

/* Many paths: one core, one RESPONSE, tokens of each path */
static void
test_repeated (Fixture *self, gconstpointer user_data)
{
  Packet first = write_initiation (self, token_1);
  Packet second = write_initiation (self, token_2);
  HpInitiation parsed;
  HpHandshakeResult result;
  Packet response_1, response_2, changed;

  g_assert_cmpuint (first.length, ==, second.length);
  g_assert_true (
      hp_packet_parse_initiation (&parsed, second.bytes, second.length));
  g_assert_cmpmem (first.bytes, parsed.core_length, second.bytes,
                   parsed.core_length);
  g_assert_cmpmem (parsed.token, HP_TOKEN_SIZE, token_2, HP_TOKEN_SIZE);
  g_assert_cmpint (respond (self, &first), ==, HP_HANDSHAKE_OK);
  g_assert_true (
      hp_handshake_is_repeated (&self->kept, &parsed, second.bytes));
  response_1 = write_response (self, token_1, own_1);
  response_2 = write_response (self, token_2, own_2);
  g_assert_cmpmem (response_1.bytes, self->kept.core_length, response_2.bytes,
                   self->kept.core_length);

  /* Before one is consumed none is a repetition. */
  g_assert_cmpint (hp_handshake_check_repeated_response (
                       self->initiator, response_2.bytes, response_2.length,
                       &result),
                   ==, HP_HANDSHAKE_FORGED);
  g_assert_cmpint (consume (self, &response_1, &result), ==, HP_HANDSHAKE_OK);
  g_assert_cmpint (hp_handshake_check_repeated_response (
                       self->initiator, response_2.bytes, response_2.length,
                       &result),
                   ==, HP_HANDSHAKE_OK);
  g_assert_cmpmem (result.echoed_token, HP_TOKEN_SIZE, token_2, HP_TOKEN_SIZE);
  g_assert_cmpmem (result.own_token, HP_TOKEN_SIZE, own_2, HP_TOKEN_SIZE);
  /* It makes no second session. */
  g_assert_cmpint (consume (self, &response_2, &result), ==,
                   HP_HANDSHAKE_FORGED);

  changed = response_2;
  changed.bytes[changed.length - 1] ^= 1;
  g_assert_cmpint (hp_handshake_check_repeated_response (
                       self->initiator, changed.bytes, changed.length,
                       &result),
                   ==, HP_HANDSHAKE_WRONG_TICKET);
  /* Another answer to the same INITIATION, as from a second responder */
  g_assert_cmpint (respond (self, &first), ==, HP_HANDSHAKE_OK);
  changed = write_response (self, token_2, own_2);
  g_assert_cmpint (hp_handshake_check_repeated_response (
                       self->initiator, changed.bytes, changed.length,
                       &result),
                   ==, HP_HANDSHAKE_FORGED);

  /* A new handshake is no repetition. */
  start (self);
  first = write_initiation (self, token_1);
  g_assert_true (
      hp_packet_parse_initiation (&parsed, first.bytes, first.length));
  g_assert_false (
      hp_handshake_is_repeated (&self->kept, &parsed, first.bytes));
}

static void
append_mac (const HpTicket *ticket, guint8 role, Packet *packet)
{
  guint8 digest[HP_HASH_SIZE];
  gsize length = packet->length - HP_MAC_SIZE;
  HpHashPart parts[] = { { &role, 1 }, { packet->bytes, length } };

  hp_crypto_hmac (digest, ticket->secret, ticket->secret_length, parts, 2);
  memcpy (packet->bytes + length, digest, HP_MAC_SIZE);
}

/* Changed on the way: by one who does not know the ticket's secret, and by one
 * who does (@with_mac), as does whoever saw a cookie go by. */
static void
flip_bits_of_initiation (Fixture *self, gboolean with_mac)
{
  const Packet genuine = write_initiation (self, token_1);
  const HpKeptResponse before = self->kept;
  const guint64 seed = self->seed;
  HpInitiation parsed;

  g_assert_true (
      hp_packet_parse_initiation (&parsed, genuine.bytes, genuine.length));
  for (gsize bit = 0; bit < 8 * genuine.length; bit++)
    {
      Packet changed = genuine;

      /* The Noise message alone is beyond him; index and token are not bound
       * (a wrong one makes a session that nothing comes through), nor is the
       * byte that says nothing. */
      if (with_mac
          && (bit / 8 >= parsed.core_length || (bit / 8 >= 3 && bit / 8 < 8)))
        continue;
      changed.bytes[bit / 8] ^= 1 << bit % 8;
      if (with_mac)
        append_mac (&self->ticket, 0, &changed);
      g_assert_cmpint (respond (self, &changed), !=, HP_HANDSHAKE_OK);
    }
  g_assert_cmpmem (&before, sizeof before, &self->kept, sizeof before);
  g_assert_cmpuint (seed, ==, self->seed);
  g_assert_null (self->session_b);
}

static void
test_changed_initiation (Fixture *self, gconstpointer user_data)
{
  const Packet genuine = write_initiation (self, token_1);

  flip_bits_of_initiation (self, FALSE);
  flip_bits_of_initiation (self, TRUE);
  for (gsize length = 0; length < genuine.length; length++)
    {
      Packet changed = genuine;

      changed.length = length;
      g_assert_cmpint (respond (self, &changed), !=, HP_HANDSHAKE_OK);
      if (length < HP_MAC_SIZE)
        continue;
      append_mac (&self->ticket, 0, &changed);
      g_assert_cmpint (respond (self, &changed), !=, HP_HANDSHAKE_OK);
    }
  for (guint more = 1; more < 200; more++)
    {
      Packet changed = genuine;

      memset (changed.bytes + changed.length, 0, more);
      changed.length += more;
      append_mac (&self->ticket, 0, &changed);
      g_assert_cmpint (respond (self, &changed), !=, HP_HANDSHAKE_OK);
    }
  g_assert_cmpint (respond (self, &genuine), ==, HP_HANDSHAKE_OK);
  finish (self);
}

static void
test_changed_response (Fixture *self, gconstpointer user_data)
{
  const Packet initiation = write_initiation (self, token_1);
  HpHandshakeResult result;
  HpResponse parsed;
  Packet genuine;

  g_assert_cmpint (respond (self, &initiation), ==, HP_HANDSHAKE_OK);
  genuine = write_response (self, token_1, own_1);
  g_assert_true (
      hp_packet_parse_response (&parsed, genuine.bytes, genuine.length));
  for (gsize bit = 0; bit < 8 * genuine.length; bit++)
    {
      Packet changed = genuine;

      changed.bytes[bit / 8] ^= 1 << bit % 8;
      g_assert_cmpint (consume (self, &changed, &result), !=,
                       HP_HANDSHAKE_OK);
      if (bit / 8 >= parsed.core_length || (bit / 8 >= 3 && bit / 8 < 8))
        continue;
      append_mac (&self->ticket, 1, &changed);
      g_assert_cmpint (consume (self, &changed, &result), !=,
                       HP_HANDSHAKE_OK);
    }
  for (gsize length = 0; length < genuine.length + 150; length++)
    {
      Packet changed = genuine;

      if (length == genuine.length)
        continue;
      changed.length = length;
      g_assert_cmpint (consume (self, &changed, &result), !=,
                       HP_HANDSHAKE_OK);
      if (length < HP_MAC_SIZE)
        continue;
      append_mac (&self->ticket, 1, &changed);
      g_assert_cmpint (consume (self, &changed, &result), !=,
                       HP_HANDSHAKE_OK);
    }
  g_assert_null (self->session_a);
  finish (self);
}

static void
test_wrong_ticket (Fixture *self, gconstpointer user_data)
{
  const Packet initiation = write_initiation (self, token_1);
  const HpTicket right = self->ticket;
  HpTicket other = right;
  Packet packet;
  HpHandshakeResult result;

  other.secret[31] ^= 1;
  g_assert_cmpint (respond_with (self, &initiation, &other, ANY_SUITE,
                                 &self->b, NULL),
                   ==, HP_HANDSHAKE_WRONG_TICKET);
  hp_ticket_init (&other, 78, right.secret, 32);
  g_assert_cmpint (respond_with (self, &initiation, &other, ANY_SUITE,
                                 &self->b, NULL),
                   ==, HP_HANDSHAKE_WRONG_TICKET);
  hp_ticket_init (&other, 77, right.secret, 16);
  g_assert_cmpint (respond_with (self, &initiation, &other, ANY_SUITE,
                                 &self->b, NULL),
                   ==, HP_HANDSHAKE_WRONG_TICKET);

  /* Even with the MAC redone the prologue binds the ticket. */
  other.secret_length = 32;
  other.secret[0] ^= 1;
  packet = initiation;
  append_mac (&other, 0, &packet);
  g_assert_cmpint (respond_with (self, &packet, &other, ANY_SUITE, &self->b,
                                 NULL),
                   ==, HP_HANDSHAKE_FORGED);
  /* With the responder's role an INITIATION is nobody's. */
  packet = initiation;
  append_mac (&right, 1, &packet);
  g_assert_cmpint (respond (self, &packet), ==, HP_HANDSHAKE_WRONG_TICKET);

  g_assert_cmpint (respond (self, &initiation), ==, HP_HANDSHAKE_OK);
  self->kept.ticket = other;
  packet = write_response (self, token_1, own_1);
  g_assert_cmpint (consume (self, &packet, &result), ==,
                   HP_HANDSHAKE_WRONG_TICKET);
  self->kept.ticket = right;
  packet = write_response (self, token_1, own_1);
  append_mac (&right, 0, &packet);
  g_assert_cmpint (consume (self, &packet, &result), ==,
                   HP_HANDSHAKE_WRONG_TICKET);
  finish (self);
}

static void
test_wrong_version (Fixture *self, gconstpointer user_data)
{
  const Packet initiation = write_initiation (self, token_1);
  const HpSuite other_suite = HP_SUITE_AES_GCM + HP_SUITE_CHACHA_POLY
                              - self->suite;
  Packet packet = initiation;
  HpHandshakeResult result;

  packet.bytes[1] = HP_PROTOCOL_VERSION + 1;
  append_mac (&self->ticket, 0, &packet);
  g_assert_cmpint (respond (self, &packet), ==, HP_HANDSHAKE_WRONG_VERSION);
  packet = initiation;
  for (guint suite = 0; suite < 256; suite++)
    {
      packet.bytes[2] = suite;
      append_mac (&self->ticket, 0, &packet);
      if (suite != self->suite)
        g_assert_cmpint (respond (self, &packet), ==,
                         suite == other_suite ? HP_HANDSHAKE_FORGED
                                              : HP_HANDSHAKE_WRONG_VERSION);
    }
  /* A suite that this side did not offer */
  g_assert_cmpint (respond_with (self, &initiation, &self->ticket,
                                 HP_SUITE_BIT (other_suite), &self->b, NULL),
                   ==, HP_HANDSHAKE_WRONG_VERSION);

  g_assert_cmpint (respond (self, &initiation), ==, HP_HANDSHAKE_OK);
  packet = write_response (self, token_1, own_1);
  packet.bytes[1]++;
  append_mac (&self->ticket, 1, &packet);
  g_assert_cmpint (consume (self, &packet, &result), ==,
                   HP_HANDSHAKE_WRONG_VERSION);
  packet = write_response (self, token_1, own_1);
  packet.bytes[2] = other_suite;
  append_mac (&self->ticket, 1, &packet);
  g_assert_cmpint (consume (self, &packet, &result), ==,
                   HP_HANDSHAKE_WRONG_VERSION);
  finish (self);
}

static void
test_wrong_identity (Fixture *self, gconstpointer user_data)
{
  const Packet initiation = write_initiation (self, token_1);
  HpKeyPair other;

  hp_crypto_generate_key_pair (&other, &self->random);
  /* Not the caller that the introduction named */
  g_assert_cmpint (respond_with (self, &initiation, &self->ticket, ANY_SUITE,
                                 &self->b, other.public_key),
                   ==, HP_HANDSHAKE_WRONG_IDENTITY);
  /* Not for this callee */
  g_assert_cmpint (respond_with (self, &initiation, &self->ticket, ANY_SUITE,
                                 &other, NULL),
                   ==, HP_HANDSHAKE_FORGED);
  g_assert_null (self->session_b);
  /* Whoever it is */
  g_assert_cmpint (respond_with (self, &initiation, &self->ticket, ANY_SUITE,
                                 &self->b, NULL),
                   ==, HP_HANDSHAKE_OK);
  finish (self);
}

/* A RESPONSE for another of our handshakes, or to another INITIATION */
static void
test_other_handshake (Fixture *self, gconstpointer user_data)
{
  const Packet initiation = write_initiation (self, token_1);
  Packet response;
  HpHandshakeResult result;

  g_assert_cmpint (respond (self, &initiation), ==, HP_HANDSHAKE_OK);
  response = write_response (self, token_1, own_1);
  response.bytes[8] ^= 1;
  append_mac (&self->ticket, 1, &response);
  g_assert_cmpint (consume (self, &response, &result), ==,
                   HP_HANDSHAKE_MALFORMED);
  response = write_response (self, token_1, own_1);
  start (self);
  g_assert_cmpint (consume (self, &response, &result), ==,
                   HP_HANDSHAKE_FORGED);
}

/* No answer is larger than its question. */
static void
test_sizes (Fixture *self, gconstpointer user_data)
{
  guint8 ours[HP_MAX_PARAMETERS_SIZE] = { 0 };

  for (gsize i = 0; i <= sizeof ours; i += 16)
    for (gsize j = 0; j <= sizeof ours; j += 4)
      {
        g_autoptr (HpHandshake) initiator = hp_handshake_new (
            self->suite, &self->ticket, &self->a, self->b.public_key, INDEX_A,
            ours, i, &self->random);
        g_autoptr (HpSession) session = NULL;
        guint8 remote[HP_KEY_SIZE];
        HpInitiation initiation;
        HpHandshakeResult result;
        HpHandshakeVerdict verdict;
        Packet packet, response;

        packet.length = hp_handshake_write_initiation (
            initiator, token_1, packet.bytes, sizeof packet.bytes);
        g_assert_cmpuint (packet.length, <=, HP_INITIATION_MAX_SIZE);
        g_assert_true (hp_packet_parse_initiation (&initiation, packet.bytes,
                                                   packet.length));
        verdict = hp_handshake_respond (
            &initiation, packet.bytes, &self->ticket, &self->b, NULL, INDEX_B,
            ours, j, HP_REPLAY_WINDOW_SERVER, &self->random, NOW, remote,
            &result, &self->kept, &session);
        if (verdict != HP_HANDSHAKE_OK)
          {
            g_assert_cmpint (verdict, ==, HP_HANDSHAKE_MALFORMED);
            g_assert_cmpuint (j, >, i + 40);
            continue;
          }
        response = write_response (self, token_1, own_1);
        g_assert_cmpuint (response.length, <=, packet.length);
      }
}

static void
test_unusable_key (Fixture *self, gconstpointer user_data)
{
  const guint8 zeros[HP_KEY_SIZE] = { 0 };

  g_assert_null (hp_handshake_new (self->suite, &self->ticket, &self->a, zeros,
                                   INDEX_A, NULL, 0, &self->random));
}

static void
add (const char *path, void (*function) (Fixture *, gconstpointer))
{
  static const char *names[] = { "aes-gcm", "chacha-poly" };

  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *full
          = g_strconcat ("/handshake/", path, "/", names[i], NULL);

      g_test_add (full, Fixture, &secure_test_suites[i], set_up, function,
                  tear_down);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("success", test_success);
  add ("repeated", test_repeated);
  add ("changed-initiation", test_changed_initiation);
  add ("changed-response", test_changed_response);
  add ("wrong-ticket", test_wrong_ticket);
  add ("wrong-version", test_wrong_version);
  add ("wrong-identity", test_wrong_identity);
  add ("other-handshake", test_other_handshake);
  add ("sizes", test_sizes);
  add ("unusable-key", test_unusable_key);
  return g_test_run ();
}
