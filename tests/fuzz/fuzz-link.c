/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A link and, in the place of its peer, the input: the first byte says how far
 * they come (both handshakes of which the link can be a part, the session
 * there or not), the rest is steps of time, of datagrams as they are, and of
 * frames that the peer seals. What the link sends must open and parse, it must
 * come to rest after each step, and nothing may come after its end.
 */

#include "fuzz.h"

#include <string.h>

#include "hole-punch/link/hp-link.h"

#define MS G_TIME_SPAN_MILLISECOND
#define LINK_INDEX 10
#define PEER_INDEX 99

typedef struct
{
  guint64 seed;
  HpRandom random;
  gint64 now;
  HpKeyPair local, remote;
  HpTicket ticket;
  HpLink *link;
  gboolean is_initiator; /* the link */
  HpHandshake *handshake; /* the peer's, when it initiates */
  HpSession *session;     /* the peer's */
  gboolean is_closed;
  gboolean has_challenge;
  guint8 challenge[HP_TOKEN_SIZE]; /* the link's last one, and where it went */
  HpRoute challenged;
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

/* Public ones, and every fourth a private one */
static HpRoute
get_route (guint which)
{
  HpRoute route = { 0 };

  route.remote.family = HP_ADDRESS_IPV4;
  route.remote.port = 4000 + which / 16;
  memcpy (route.remote.ip, which % 4 == 3 ? "\xc0\xa8\x01" : "\xc0\x00\x02",
          3);
  route.remote.ip[3] = 1 + which % 16;
  return route;
}

/* What the link says */

static void
take_response (World *self, const HpOutgoing *outgoing)
{
  HpHandshakeResult result;

  if (self->handshake == NULL || self->session != NULL)
    return;
  g_assert_cmpint (hp_handshake_consume_response (
                       self->handshake, outgoing->bytes, outgoing->length,
                       HP_REPLAY_WINDOW_PEER, self->now, &result,
                       &self->session),
                   ==, HP_HANDSHAKE_OK);
}

static void
take_data (World *self, const HpOutgoing *outgoing)
{
  HpReader reader;
  guint64 number;
  guint8 *plain;
  gsize length;

  g_assert_nonnull (self->session);
  g_assert_cmpint (hp_session_open (self->session, outgoing->bytes,
                                    outgoing->length, self->now, &number,
                                    &plain, &length),
                   ==, HP_OPEN_OK);
  g_assert_cmpuint (length, >, 0);
  hp_reader_init (&reader, plain, length);
  while (hp_reader_left (&reader) > 0)
    {
      HpFrame frame;

      g_assert_true (hp_frame_parse (&frame, &reader));
      if (frame.type != HP_FRAME_PATH_CHALLENGE)
        continue;
      self->has_challenge = TRUE;
      self->challenged = outgoing->route;
      memcpy (self->challenge, frame.token, HP_TOKEN_SIZE);
    }
}

static void
take_datagram (World *self, const HpOutgoing *outgoing)
{
  g_assert_cmpuint (outgoing->length, >, 0);
  g_assert_cmpuint (outgoing->length, <=,
                    hp_link_get_datagram_size (self->link));
  if (outgoing->bytes[0] == HP_PACKET_RESPONSE)
    take_response (self, outgoing);
  else if (outgoing->bytes[0] == HP_PACKET_DATA_0
           || outgoing->bytes[0] == HP_PACKET_DATA_1)
    take_data (self, outgoing);
}

static void
pump (World *self)
{
  guint8 buffer[HP_DATAGRAM_SIZE_DEFAULT];
  HpOutgoing outgoing = { .bytes = buffer, .capacity = sizeof buffer };
  HpLinkEvent event;
  guint n = 0;

  while (hp_link_pull (self->link, &outgoing, self->now))
    {
      g_assert_cmpuint (++n, <, 10000);
      take_datagram (self, &outgoing);
    }
  while (hp_link_next_event (self->link, &event))
    {
      g_assert_false (self->is_closed);
      if (event.type == HP_LINK_EVENT_MESSAGE)
        g_bytes_unref (event.transport.message);
      else if (event.type == HP_LINK_EVENT_CLOSED)
        self->is_closed = TRUE;
    }
  g_assert_cmpint (hp_link_get_state (self->link) == HP_LINK_CLOSED, ==,
                   self->is_closed);
}

static void
advance (World *self, gint64 time)
{
  gint64 until = self->now + time;
  guint n = 0;

  while (hp_link_get_deadline (self->link, self->now) <= until)
    {
      self->now = MAX (self->now,
                       hp_link_get_deadline (self->link, self->now));
      g_assert_cmpuint (++n, <, 100000);
      hp_link_expire (self->link, self->now);
      pump (self);
    }
  self->now = until;
}

/* What the input says */

static void
receive (World *self, const HpRoute *route, guint8 *bytes, gsize length)
{
  HpDatagram datagram
      = { .route = *route, .bytes = bytes, .length = length,
          .ecn = length % 4 };

  hp_link_receive (self->link, &datagram, self->now);
  pump (self);
}

static void
seal (World *self, const HpRoute *route, const guint8 *plain, gsize length)
{
  guint8 packet[HP_DATAGRAM_SIZE_DEFAULT];

  if (self->session == NULL)
    return;
  memcpy (packet + HP_DATA_HEADER_SIZE, plain, length);
  length = hp_session_seal (self->session, packet, length, self->now);
  receive (self, route, packet, length);
}

static void
answer_challenge (World *self)
{
  guint8 plain[1 + HP_TOKEN_SIZE] = { HP_FRAME_PATH_RESPONSE };

  if (!self->has_challenge)
    return;
  memcpy (plain + 1, self->challenge, HP_TOKEN_SIZE);
  seal (self, &self->challenged, plain, sizeof plain);
}

static void
introduce (World *self, guint which)
{
  HpIntroduction introduction = {
    .ticket = self->ticket,
    .is_caller = self->is_initiator == (which % 2 == 0),
    .suites = HP_SUITE_BIT (HP_SUITE_CHACHA_POLY),
    .start_at = self->now + (which % 3) * 20 * MS,
    .punch = which % 8 != 7,
  };

  introduction.ticket.number += which;
  for (guint i = 0; i <= which % 4; i++)
    {
      HpRoute route = get_route (i * which);

      hp_candidates_add (&introduction.candidates, &route.remote,
                         HP_CANDIDATE_SERVER_REFLEXIVE, NULL);
    }
  hp_link_introduce (self->link, &introduction, self->now);
  pump (self);
}

static void
send_message (World *self, guint which)
{
  g_autofree guint8 *data = g_malloc0 (1 + which * 300);
  g_autoptr (GBytes) bytes = g_bytes_new (data, 1 + which * 300);

  hp_link_send_message (self->link, which % 2, bytes, 0, self->now);
  pump (self);
}

static void
use_stream (World *self, guint which)
{
  HpTransport *transport = hp_link_get_stream_transport (self->link);
  guint64 number = HP_STREAM_NUMBER (which % 3, HP_STREAM_BYTES)
                   | (which % 2) << 2;
  g_autoptr (GBytes) bytes = g_bytes_new_static ("hello", 5);
  GBytes *read;
  gboolean at_end;

  if (transport == NULL)
    return;
  switch (which / 4)
    {
    case 0:
      hp_transport_open_stream (transport, self->now);
      break;
    case 1:
      hp_transport_stream_write (transport, number, bytes, self->now);
      break;
    case 2:
      hp_transport_stream_finish (transport, number, self->now);
      break;
    case 3:
      hp_transport_stream_reset (transport, number, HP_RESET_CANCELLED,
                                 self->now);
      break;
    case 4:
      hp_transport_stream_stop (transport, number, HP_RESET_CANCELLED,
                                self->now);
      break;
    default:
      read = hp_transport_stream_read (transport, number, &at_end);
      g_clear_pointer (&read, g_bytes_unref);
      hp_transport_stream_consume (transport, number, which * 10, self->now);
    }
  pump (self);
}

static void
do_other (World *self, guint which)
{
  HpWireCandidates candidates = { 0 };
  HpRoute route = get_route (which);

  switch (which % 6)
    {
    case 0:
      hp_link_check_paths (self->link, FALSE, self->now);
      break;
    case 1:
      hp_candidates_add (&candidates, &route.remote, HP_CANDIDATE_HOST, NULL);
      hp_link_offer_candidates (self->link, &candidates, self->now);
      break;
    case 2:
      hp_link_accept (self->link, self->now);
      break;
    case 3:
      if (which == 3)
        hp_link_close (self->link, HP_CLOSE_NORMAL, "end", self->now);
      break;
    default:
      answer_challenge (self);
      break;
    }
  pump (self);
}

static void
step (World *self, HpReader *reader)
{
  guint8 kind = hp_reader_u8 (reader);
  HpRoute route = get_route (kind >> 3);
  guint8 bytes[256];
  gsize length;

  switch (kind & 7)
    {
    case 0:
    case 1:
    case 2:
      length = hp_reader_u8 (reader);
      hp_reader_copy (reader, bytes, length);
      if (hp_reader_ok (reader) && (kind & 7) == 2)
        receive (self, &route, bytes, length);
      else if (hp_reader_ok (reader))
        seal (self, &route, bytes, length);
      break;
    case 3:
      advance (self, (gint64) (kind >> 3) * (kind >> 3) * 5 * MS);
      break;
    case 4:
      send_message (self, kind >> 3);
      break;
    case 5:
      introduce (self, kind >> 3);
      break;
    case 6:
      use_stream (self, kind >> 3);
      break;
    default:
      do_other (self, kind >> 3);
      break;
    }
}

/* The genuine beginning */

static gsize
write_parameters (guint8 *buffer, gsize capacity)
{
  HpParameters parameters = HP_PARAMETERS_INIT;
  HpWriter writer;

  parameters.max_data = 1 << 20;
  parameters.max_message_size = 1 << 20;
  parameters.max_streams = 2;
  hp_writer_init (&writer, buffer, capacity);
  hp_parameters_write (&parameters, &writer);
  return writer.offset;
}

static void
respond_to_link (World *self)
{
  guint8 buffer[HP_DATAGRAM_SIZE_DEFAULT];
  HpOutgoing outgoing = { .bytes = buffer, .capacity = sizeof buffer };
  guint8 parameters[HP_MAX_PARAMETERS_SIZE];
  gsize length = write_parameters (parameters, sizeof parameters);
  static const guint8 token[HP_TOKEN_SIZE] = "token";
  guint8 response[HP_RESPONSE_MAX_SIZE];
  guint8 public_key[HP_KEY_SIZE];
  HpHandshakeResult result;
  HpInitiation initiation;
  HpKeptResponse kept;

  g_assert_true (hp_link_pull (self->link, &outgoing, self->now));
  g_assert_true (hp_packet_parse_initiation (&initiation, buffer,
                                             outgoing.length));
  g_assert_cmpint (
      hp_handshake_respond (&initiation, buffer, &self->ticket, &self->remote,
                            NULL, PEER_INDEX, parameters, length,
                            HP_REPLAY_WINDOW_PEER, &self->random, self->now,
                            public_key, &result, &kept, &self->session),
      ==, HP_HANDSHAKE_OK);
  length = hp_handshake_write_response (&kept, initiation.token, token,
                                        response, sizeof response);
  receive (self, &outgoing.route, response, length);
  g_assert_cmpint (hp_link_get_state (self->link), ==, HP_LINK_READY);
}

static void
initiate_to_link (World *self)
{
  guint8 parameters[HP_MAX_PARAMETERS_SIZE];
  gsize length = write_parameters (parameters, sizeof parameters);
  static const guint8 token[HP_TOKEN_SIZE] = "token";
  static const guint8 ping[] = { HP_FRAME_PING };
  guint8 initiation[HP_INITIATION_MAX_SIZE];
  HpRoute route = get_route (0);

  self->handshake = hp_handshake_new (
      HP_SUITE_CHACHA_POLY, &self->ticket, &self->remote,
      self->local.public_key, PEER_INDEX, parameters, length, &self->random);
  length = hp_handshake_write_initiation (self->handshake, token, initiation,
                                          sizeof initiation);
  receive (self, &route, initiation, length);
  g_assert_nonnull (self->session);
  seal (self, &route, ping, sizeof ping);
  answer_challenge (self);
  g_assert_cmpint (hp_link_get_state (self->link), ==, HP_LINK_READY);
}

static void
world_init (World *self, guint8 kind)
{
  static const guint8 secret[HP_TICKET_SECRET_SIZE] = "secret";
  HpLinkConfig config = {
    .has_remote_public = TRUE,
    .index = LINK_INDEX,
    .suites = HP_SUITE_BIT (HP_SUITE_CHACHA_POLY),
    .datagram_size = HP_DATAGRAM_SIZE_DEFAULT,
    .max_datagram_size = HP_DATAGRAM_SIZE_DEFAULT,
    .max_message_size = 1 << 20,
    .keepalive_interval = 15 * G_TIME_SPAN_SECOND,
  };

  memset (self, 0, sizeof *self);
  self->random = (HpRandom){ fill, &self->seed };
  self->now = G_TIME_SPAN_SECOND;
  hp_crypto_generate_key_pair (&self->local, &self->random);
  hp_crypto_generate_key_pair (&self->remote, &self->random);
  hp_ticket_init (&self->ticket, 5, secret, sizeof secret);
  self->is_initiator = kind & 1;
  config.local = self->local;
  config.random = self->random;
  memcpy (config.remote_public, self->remote.public_key, HP_KEY_SIZE);
  self->link = hp_link_new (&config, self->now);
}

static void
world_clear (World *self)
{
  hp_link_free (self->link);
  g_clear_pointer (&self->handshake, hp_handshake_free);
  g_clear_pointer (&self->session, hp_session_free);
}

static void
begin (World *self)
{
  HpIntroduction introduction = {
    .ticket = self->ticket,
    .is_caller = self->is_initiator,
    .suites = HP_SUITE_BIT (HP_SUITE_CHACHA_POLY),
    .start_at = self->now,
  };
  HpRoute route = get_route (0);

  hp_candidates_add (&introduction.candidates, &route.remote,
                     HP_CANDIDATE_SERVER_REFLEXIVE, NULL);
  hp_link_introduce (self->link, &introduction, self->now);
  if (self->is_initiator)
    respond_to_link (self);
  else
    initiate_to_link (self);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  HpReader reader;
  World world;
  guint8 kind;

  hp_reader_init (&reader, data, size);
  kind = hp_reader_u8 (&reader);
  world_init (&world, kind);
  if (kind & 2)
    begin (&world);
  while (hp_reader_left (&reader) > 0)
    step (&world, &reader);
  advance (&world, 100 * G_TIME_SPAN_SECOND);
  world_clear (&world);
  return 0;
}
