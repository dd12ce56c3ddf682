/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Messages between match services, twice: as they are, where what parses must
 * be written again as it came; and to a service with a callee and a caller
 * whose ASK is under way, which must go on, and answer what parses itself.
 */

#include "fuzz.h"

#include <string.h>

#include "hole-punch/engine/hp-match-message.h"
#include "hole-punch/engine/hp-match-service.h"

#define SECOND G_TIME_SPAN_SECOND
#define REQUEST 5

typedef struct
{
  guint64 seed;
  HpRandom random;
  gint64 now;
  HpMatchService *service;
  HpKeyPair server;
  HpKeyPair pair; /* of the peer: it is callee and caller */
  HpRoute route;
  HpCookiePacket cookie;
  HpHandshake *handshake;
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
check_codec (const guint8 *bytes, gsize length)
{
  guint8 again[HP_MATCH_MESSAGE_MAX_SIZE];
  HpMatchMessage message;
  HpMatchMessage parsed;
  gsize size;

  if (!hp_match_message_parse (&message, bytes, length))
    return;
  size = hp_match_message_write (&message, again, sizeof again);
  g_assert_true (hp_match_message_parse (&parsed, again, size));
  g_assert_cmpint (parsed.type, ==, message.type);
  g_assert_cmpuint (parsed.request, ==, message.request);
  g_assert_cmpuint (parsed.time, ==, message.time);
  g_assert_cmpmem (parsed.caller, HP_KEY_SIZE, message.caller, HP_KEY_SIZE);
}

static void
take (World *self, const HpOutgoing *outgoing)
{
  HpHandshakeResult result;
  guint64 number;
  HpReader reader;
  HpFrame frame;
  guint8 *plain;
  gsize length;

  if (outgoing->bytes[0] == HP_PACKET_COOKIE)
    {
      g_assert_true (hp_packet_parse_cookie (&self->cookie, outgoing->bytes,
                                             outgoing->length));
    }
  else if (outgoing->bytes[0] == HP_PACKET_RESPONSE)
    {
      g_assert_cmpint (hp_handshake_consume_response (
                           self->handshake, outgoing->bytes,
                           outgoing->length, 128, self->now, &result,
                           &self->session),
                       ==, HP_HANDSHAKE_OK);
    }
  else
    {
      g_assert_cmpint (hp_session_open (self->session, outgoing->bytes,
                                        outgoing->length, self->now, &number,
                                        &plain, &length),
                       ==, HP_OPEN_OK);
      hp_reader_init (&reader, plain, length);
      while (hp_reader_left (&reader) > 0)
        g_assert_true (hp_frame_parse (&frame, &reader));
    }
}

static void
pump (World *self)
{
  static const HpMatchPlace place = { "elsewhere", 1 };
  guint8 bytes[2000];
  HpOutgoing outgoing = { .bytes = bytes, .capacity = sizeof bytes };
  HpMatchMessage message;
  HpServiceEvent event;

  while (hp_match_service_next_event (self->service, &event))
    {
      if (event.type == HP_SERVICE_EVENT_CLAIM)
        hp_match_service_answer_claim (self->service, event.handle,
                                       event.public_key, 0, self->now);
      else if (event.type == HP_SERVICE_EVENT_LOOKUP)
        hp_match_service_answer_lookup (self->service, event.handle, NULL,
                                        &place, 0, self->now);
      else if (event.type == HP_SERVICE_EVENT_FORWARD)
        g_assert_true (hp_match_message_parse (&message, event.message,
                                               event.length));
    }
  while (hp_match_service_pull (self->service, &outgoing, self->now))
    take (self, &outgoing);
}

static void
to_service (World *self, guint8 *bytes, gsize length)
{
  HpDatagram datagram
      = { .route = self->route, .bytes = bytes, .length = length };

  hp_match_service_receive (self->service, &datagram, self->now);
  pump (self);
}

static void
send_frame (World *self, const HpFrame *frame)
{
  guint8 packet[HP_DATAGRAM_SIZE_DEFAULT];
  HpWriter writer;

  hp_writer_init (&writer, packet + HP_DATA_HEADER_SIZE, 600);
  hp_frame_write (frame, &writer);
  to_service (self, packet,
              hp_session_seal (self->session, packet, writer.offset,
                               self->now));
}

static void
connect_peer (World *self)
{
  guint8 bytes[HP_INITIATION_MAX_SIZE] = { 0 };
  HpHello hello = { .version = HP_PROTOCOL_VERSION };
  HpWriter writer;
  HpTicket ticket;

  hp_writer_init (&writer, bytes, sizeof bytes);
  hp_packet_write_hello (&hello, &writer);
  to_service (self, bytes, writer.offset);
  hp_ticket_init (&ticket, 0, self->cookie.cookie, HP_COOKIE_SIZE);
  self->handshake = hp_handshake_new (
      HP_SUITE_CHACHA_POLY, &ticket, &self->pair, self->server.public_key,
      100, NULL, 0, &self->random);
  to_service (self, bytes,
              hp_handshake_write_initiation (self->handshake,
                                             hello.transaction, bytes,
                                             sizeof bytes));
  g_assert_nonnull (self->session);
}

/* A peer that is registered, and asks for one that is elsewhere */
static void
start (World *self, gboolean is_open)
{
  HpMatchServiceConfig config = {
    .suites = HP_SUITE_BIT (HP_SUITE_CHACHA_POLY),
    .random = self->random,
    .registration_lifetime = 120 * SECOND,
    .max_peers = 4,
    .max_handshakes_per_second = 10,
    .max_asks_per_minute = 30,
    .max_stun_per_second = 5,
  };
  HpFrame frame = { .type = HP_FRAME_REGISTER };

  hp_crypto_generate_key_pair (&self->server, &self->random);
  hp_crypto_generate_key_pair (&self->pair, &self->random);
  config.local = self->server;
  g_assert_true (hp_address_parse (&self->route.remote, "192.0.2.9:4000"));
  self->service = hp_match_service_new (&config, self->now);
  connect_peer (self);
  frame.reg.request = 1;
  frame.reg.flags = is_open ? HP_REGISTER_OPEN : 0;
  frame.reg.id = (HpBytes){ (const guint8 *) "wq", 2 };
  send_frame (self, &frame);
  frame = (HpFrame){ .type = HP_FRAME_ASK };
  frame.ask.request = REQUEST;
  frame.ask.target = (HpBytes){ (const guint8 *) "far", 3 };
  send_frame (self, &frame);
}

/* The input has no keys: whom it is about it says by a byte. */
static gsize
make_message (World *self, HpReader *reader, guint8 *bytes, gsize capacity)
{
  guint8 what = hp_reader_u8 (reader);
  gsize length
      = MIN (hp_reader_u8 (reader) + (what & 0x80 ? 256 : 0),
             MIN (hp_reader_left (reader), capacity));

  hp_reader_copy (reader, bytes, length);
  if (length >= 2 && (what & 1))
    bytes[0] = HP_MATCH_MESSAGE_VERSION;
  if (length >= 2 && (what & 2))
    bytes[1] = 1 + bytes[1] % HP_MATCH_MESSAGE_GONE;
  if (length >= 2 + HP_KEY_SIZE && (what & 4))
    memcpy (bytes + 2, self->pair.public_key, HP_KEY_SIZE);
  if (length >= 3 + HP_KEY_SIZE && (what & 8))
    bytes[2 + HP_KEY_SIZE] = REQUEST;
  return length;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const HpMatchPlace from = { "elsewhere", 1 };
  World world = { .now = SECOND };
  guint8 bytes[HP_MATCH_MESSAGE_MAX_SIZE];
  HpReader reader;

  check_codec (data, size);
  world.random = (HpRandom){ fill, &world.seed };
  hp_reader_init (&reader, data, size);
  start (&world, hp_reader_u8 (&reader) & 1);
  while (hp_reader_left (&reader) > 0)
    {
      gsize length = make_message (&world, &reader, bytes, sizeof bytes);

      hp_match_service_receive_message (world.service, &from, bytes, length,
                                        world.now);
      pump (&world);
      world.now += SECOND;
      hp_match_service_expire (world.service, world.now);
      pump (&world);
    }
  world.now += 300 * SECOND;
  hp_match_service_expire (world.service, world.now);
  pump (&world);
  hp_match_service_free (world.service);
  hp_handshake_free (world.handshake);
  hp_session_free (world.session);
  return 0;
}
