/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The first byte says what the rest is: an INITIATION to a responder, a
 * RESPONSE to an initiator - as it is, or laid (exclusive or) over a genuine
 * one - with the MAC put right, so that Noise gets to see it; or the steps of
 * a network between two sessions whose keys change.
 *
 * Nobody can forge: whatever opens must be what the other side wrote. And
 * whatever does not must leave all as it was.
 */

#include "fuzz.h"

#include <string.h>

#include "hole-punch/secure/hp-handshake.h"

#define INDEX_A 1
#define INDEX_B 2
#define NOW G_TIME_SPAN_SECOND
#define ANY_SUITE 0xffff
#define MAX_KEPT 32

typedef struct
{
  guint8 bytes[600];
  gsize length;
} Packet;

/* The same in every run */
typedef struct
{
  guint64 seed;
  HpRandom random;
  HpSuite suite;
  HpKeyPair a;
  HpKeyPair b;
  HpTicket ticket;
  HpHandshake *initiator;
  HpKeptResponse kept;
  HpSession *session;
} World;

static void
fill (gpointer user_data, guint8 *bytes, gsize length)
{
  guint64 *seed = user_data;

  for (gsize i = 0; i < length; i++)
    {
      *seed = *seed * G_GUINT64_CONSTANT (6364136223846793005) + 1;
      bytes[i] = *seed >> 56;
    }
}

static void
world_init (World *self, HpSuite suite)
{
  guint8 secret[32];

  memset (self, 0, sizeof *self);
  self->random = (HpRandom){ fill, &self->seed };
  self->suite = suite;
  hp_crypto_generate_key_pair (&self->a, &self->random);
  hp_crypto_generate_key_pair (&self->b, &self->random);
  hp_random_fill (&self->random, secret, sizeof secret);
  hp_ticket_init (&self->ticket, 5, secret, sizeof secret);
  self->initiator = hp_handshake_new (suite, &self->ticket, &self->a,
                                      self->b.public_key, INDEX_A,
                                      (const guint8 *) "parameters", 10,
                                      &self->random);
}

static void
world_clear (World *self)
{
  g_clear_pointer (&self->initiator, hp_handshake_free);
  g_clear_pointer (&self->session, hp_session_free);
}

static void
put_mac_right (const World *world, guint8 role, Packet *packet)
{
  guint8 digest[HP_HASH_SIZE];
  HpHashPart parts[] = { { &role, 1 }, { packet->bytes, 0 } };

  if (packet->length < HP_MAC_SIZE)
    return;
  parts[1].length = packet->length - HP_MAC_SIZE;
  hp_crypto_hmac (digest, world->ticket.secret, world->ticket.secret_length,
                  parts, G_N_ELEMENTS (parts));
  memcpy (packet->bytes + parts[1].length, digest, HP_MAC_SIZE);
}

/* What the reader has left, alone or laid over @genuine, whose length two
 * bytes change */
static Packet
read_packet (HpReader *reader, const Packet *genuine)
{
  Packet packet = { .length = 0 };
  gsize left;

  if (genuine != NULL)
    {
      packet = *genuine;
      packet.length ^= hp_reader_u16 (reader);
      packet.length = MIN (packet.length, sizeof packet.bytes);
    }
  left = MIN (hp_reader_left (reader), sizeof packet.bytes);
  for (gsize i = 0; i < left; i++)
    packet.bytes[i] ^= hp_reader_u8 (reader);
  if (genuine == NULL)
    packet.length = left;
  return packet;
}

static Packet
write_initiation (const World *world)
{
  static const guint8 token[HP_TOKEN_SIZE] = "token A";
  Packet packet = { .length = 0 };

  packet.length = hp_handshake_write_initiation (
      world->initiator, token, packet.bytes, sizeof packet.bytes);
  return packet;
}

static Packet
write_response (const World *world)
{
  static const guint8 token[HP_TOKEN_SIZE] = "token B";
  Packet packet = { .length = 0 };

  packet.length = hp_handshake_write_response (
      &world->kept, token, token, packet.bytes, sizeof packet.bytes);
  return packet;
}

static HpHandshakeVerdict
respond (World *world, const Packet *packet)
{
  HpInitiation initiation;
  HpHandshakeResult result;
  HpHandshakeVerdict verdict;
  guint8 remote[HP_KEY_SIZE];

  if (!hp_packet_parse_initiation (&initiation, packet->bytes,
                                   packet->length))
    return HP_HANDSHAKE_MALFORMED;
  verdict = hp_handshake_check_initiation (&initiation, packet->bytes,
                                           &world->ticket, ANY_SUITE);
  if (verdict != HP_HANDSHAKE_OK)
    return verdict;
  g_clear_pointer (&world->session, hp_session_free);
  return hp_handshake_respond (
      &initiation, packet->bytes, &world->ticket, &world->b, NULL, INDEX_B,
      (const guint8 *) "ours", 4, HP_REPLAY_WINDOW_SERVER, &world->random, NOW,
      remote, &result, &world->kept, &world->session);
}

static HpHandshakeVerdict
consume (World *world, const Packet *packet)
{
  HpHandshakeResult result;

  g_clear_pointer (&world->session, hp_session_free);
  return hp_handshake_consume_response (
      world->initiator, packet->bytes, packet->length, HP_REPLAY_WINDOW_SERVER,
      NOW, &result, &world->session);
}

/* Equal but for what only the MAC protects: the reserved byte, the sender's
 * index, and what comes after the core */
static gboolean
is_same_core (const Packet *packet, const Packet *genuine, gsize trailer)
{
  return packet->length == genuine->length
         && memcmp (packet->bytes, genuine->bytes, 3) == 0
         && memcmp (packet->bytes + 8, genuine->bytes + 8,
                    genuine->length - trailer - 8)
                == 0;
}

static void
fuzz_initiation (HpReader *reader, HpSuite suite, gboolean laid_over)
{
  World world;
  Packet genuine, packet;
  HpHandshakeVerdict verdict;

  world_init (&world, suite);
  genuine = write_initiation (&world);
  packet = read_packet (reader, laid_over ? &genuine : NULL);
  put_mac_right (&world, 0, &packet);
  verdict = respond (&world, &packet);
  g_assert_true (
      (verdict == HP_HANDSHAKE_OK)
      == is_same_core (&packet, &genuine, HP_INITIATION_TRAILER_SIZE));
  g_assert_cmpint (respond (&world, &genuine), ==, HP_HANDSHAKE_OK);
  world_clear (&world);
}

static void
fuzz_response (HpReader *reader, HpSuite suite, gboolean laid_over)
{
  World world;
  Packet genuine, packet;
  HpHandshakeVerdict verdict;

  world_init (&world, suite);
  genuine = write_initiation (&world);
  g_assert_cmpint (respond (&world, &genuine), ==, HP_HANDSHAKE_OK);
  genuine = write_response (&world);
  packet = read_packet (reader, laid_over ? &genuine : NULL);
  put_mac_right (&world, 1, &packet);
  verdict = consume (&world, &packet);
  g_assert_true (
      (verdict == HP_HANDSHAKE_OK)
      == is_same_core (&packet, &genuine, HP_RESPONSE_TRAILER_SIZE));
  if (verdict != HP_HANDSHAKE_OK)
    g_assert_cmpint (consume (&world, &genuine), ==, HP_HANDSHAKE_OK);
  world_clear (&world);
}

/* A sends to B; what B must make of each packet follows from when it was
 * sealed. */
typedef struct
{
  HpSession *a;
  HpSession *b;
  gint64 now;
  Packet kept[MAX_KEPT]; /* a ring, by number */
  guint phases[MAX_KEPT];
  gboolean is_opened[MAX_KEPT];
  guint phase_sent;
  guint phase_opened;
  gint64 old_until;
} Network;

static void
network_seal (Network *self, gsize length)
{
  guint64 number = hp_session_get_next_number (self->a);
  Packet *packet = &self->kept[number % MAX_KEPT];

  memset (packet->bytes + HP_DATA_HEADER_SIZE, number & 0xff, length);
  packet->length = hp_session_seal (self->a, packet->bytes, length, self->now);
  if ((packet->bytes[0] & 1) != (self->phase_sent & 1))
    self->phase_sent++;
  self->phases[number % MAX_KEPT] = self->phase_sent;
  self->is_opened[number % MAX_KEPT] = FALSE;
}

static HpOpenVerdict
network_open (Network *self, Packet packet, guint64 *number)
{
  guint8 *plain;
  gsize length;
  HpOpenVerdict verdict = hp_session_open (
      self->b, packet.bytes, packet.length, self->now, number, &plain, &length);

  if (verdict == HP_OPEN_OK)
    for (gsize i = 0; i < length; i++)
      g_assert_cmpuint (plain[i], ==, *number & 0xff);
  return verdict;
}

static void
network_deliver (Network *self, guint which)
{
  const guint phase = self->phases[which];
  gboolean can_open = phase == self->phase_opened
                      || phase == self->phase_opened + 1
                      || (phase + 1 == self->phase_opened
                          && self->now < self->old_until);
  guint64 number;
  HpOpenVerdict verdict;

  if (self->kept[which].length == 0)
    return;
  verdict = network_open (self, self->kept[which], &number);
  if (self->is_opened[which])
    g_assert_cmpint (verdict, ==, HP_OPEN_REPLAYED);
  else
    g_assert_cmpint (verdict, ==, can_open ? HP_OPEN_OK : HP_OPEN_FORGED);
  if (verdict != HP_OPEN_OK)
    return;
  self->is_opened[which] = TRUE;
  if (phase > self->phase_opened)
    {
      self->phase_opened = phase;
      self->old_until = self->now + G_TIME_SPAN_SECOND;
    }
}

static void
network_forge (Network *self, guint which, guint at, guint8 mask)
{
  Packet packet = self->kept[which];
  guint64 number;

  if (packet.length == 0 || mask == 0)
    return;
  packet.bytes[at % packet.length] ^= mask;
  g_assert_cmpint (network_open (self, packet, &number), !=, HP_OPEN_OK);
}

static void
network_step (Network *self, HpReader *reader)
{
  guint8 step = hp_reader_u8 (reader);
  guint which = (step >> 3) % MAX_KEPT;
  Packet packet;
  guint64 number;
  guint at;

  switch (step & 7)
    {
    case 0:
    case 1:
      network_seal (self, step >> 3);
      break;
    case 2:
      hp_session_update_keys (self->a, self->now);
      break;
    case 3:
    case 4:
      network_deliver (self, which);
      break;
    case 5:
      at = hp_reader_u8 (reader);
      network_forge (self, which, at, hp_reader_u8 (reader));
      break;
    case 6:
      self->now += (step >> 3) * 100 * G_TIME_SPAN_MILLISECOND;
      break;
    default:
      packet = (Packet){ .length = hp_reader_u8 (reader) };
      hp_reader_copy (reader, packet.bytes, packet.length);
      if (packet.length >= 5)
        memcpy (packet.bytes + 1, "\0\0\0\2", 4);
      if (hp_reader_ok (reader))
        g_assert_cmpint (network_open (self, packet, &number), !=, HP_OPEN_OK);
      break;
    }
}

static void
fuzz_sessions (HpReader *reader, HpSuite suite, gboolean is_sharing)
{
  static const guint8 first[HP_KEY_SIZE] = { 1 }, second[HP_KEY_SIZE] = { 2 };
  g_autoptr (HpSessionCiphers) ciphers = hp_session_ciphers_new ();
  Network *network = g_new0 (Network, 1);

  network->now = NOW;
  network->a = hp_session_new (suite, TRUE, first, second, INDEX_A, INDEX_B,
                               HP_REPLAY_WINDOW_SERVER, NOW);
  network->b = hp_session_new (suite, FALSE, first, second, INDEX_B, INDEX_A,
                               HP_REPLAY_WINDOW_SERVER, NOW);
  hp_session_set_key_grace (network->b, G_TIME_SPAN_SECOND);
  if (is_sharing)
    {
      hp_session_share_ciphers (network->a, ciphers);
      hp_session_share_ciphers (network->b, ciphers);
    }
  while (hp_reader_left (reader) > 0)
    network_step (network, reader);
  hp_session_free (network->a);
  hp_session_free (network->b);
  g_free (network);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  HpReader reader;
  guint8 kind;
  HpSuite suite;

  hp_reader_init (&reader, data, size);
  kind = hp_reader_u8 (&reader);
  suite = kind & 8 ? HP_SUITE_AES_GCM : HP_SUITE_CHACHA_POLY;
  switch (kind & 7)
    {
    case 0:
    case 1:
      fuzz_initiation (&reader, suite, kind & 1);
      break;
    case 2:
    case 3:
      fuzz_response (&reader, suite, kind & 1);
      break;
    default:
      fuzz_sessions (&reader, suite, kind & 1);
      break;
    }
  return 0;
}
