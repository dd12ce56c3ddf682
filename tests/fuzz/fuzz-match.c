/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Both halves of matching. The first byte says which: a match service with
 * two peers that seal what the input says, and a registry that answers as
 * it says; or a match client whose server is the input. The rest is steps of
 * time, of datagrams as they are, of frames that are sealed, and of what a
 * user does. All that they send must open and parse, nothing may go to where
 * no proof came from that is larger than what came, and they must come to rest
 * after each step.
 */

#include "fuzz.h"

#include <string.h>

#include "hole-punch/engine/hp-match-client.h"
#include "hole-punch/engine/hp-match-service.h"

#define MS G_TIME_SPAN_MILLISECOND
#define SECOND G_TIME_SPAN_SECOND
#define N_PEERS 2
#define MAX_HANDLES 16
#define CLIENT_INDEX 500

typedef struct
{
  HpKeyPair pair;
  HpRoute route;
  HpHandshake *handshake;
  HpSession *session;
} Peer;

typedef struct
{
  guint64 seed;
  HpRandom random;
  gint64 now;
  HpKeyPair local;
  Peer peers[N_PEERS]; /* of the service; the client's server is the first */

  HpMatchService *service;
  HpCookiePacket cookie;
  guint64 handles[MAX_HANDLES];
  guint n_handles;
  guint64 ticket; /* of the last INTRODUCE */
  gboolean was_introduced;
  gsize came;     /* the length of the datagram that is answered now */
  gsize knocks;   /* the lengths of those that it made leave */
  HpRoute from;

  HpMatchClient *client;
  HpKeptResponse kept;
  guint64 request;
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

static HpRoute
get_route (guint which)
{
  HpRoute route = { 0 };

  route.remote.family = HP_ADDRESS_IPV4;
  route.remote.port = 4000 + which / 8;
  memcpy (route.remote.ip, "\xc0\x00\x02", 3);
  route.remote.ip[3] = 1 + which % 8;
  return route;
}

static void
check_frames (World *self, const guint8 *plain, gsize length)
{
  HpReader reader;
  HpFrame frame;

  g_assert_cmpuint (length, >, 0);
  hp_reader_init (&reader, plain, length);
  while (hp_reader_left (&reader) > 0)
    {
      g_assert_true (hp_frame_parse (&frame, &reader));
      if (frame.type == HP_FRAME_INTRODUCE)
        self->ticket = frame.introduction.ticket.number;
      if (frame.type == HP_FRAME_INTRODUCE)
        self->was_introduced = TRUE;
      if (frame.type == HP_FRAME_ASK)
        self->request = frame.ask.request;
      if (frame.type == HP_FRAME_REGISTER)
        self->request = frame.reg.request;
    }
}

static void
check_data (World *self, const HpOutgoing *outgoing)
{
  guint32 index;

  g_assert_true (
      hp_packet_get_receiver (outgoing->bytes, outgoing->length, &index));
  for (guint i = 0; i < N_PEERS; i++)
    {
      HpSession *session = self->peers[i].session;
      guint64 number;
      guint8 *plain;
      gsize length;

      if (session == NULL || hp_session_get_local_index (session) != index)
        continue;
      g_assert_cmpint (hp_session_open (session, outgoing->bytes,
                                        outgoing->length, self->now, &number,
                                        &plain, &length),
                       ==, HP_OPEN_OK);
      check_frames (self, plain, length);
    }
}

/* The service */

/* Only to where there is proof, and never more than asked for it */
static void
check_knock (World *self, const HpOutgoing *outgoing)
{
  self->knocks += outgoing->length;
  g_assert_cmpuint (self->knocks, <=, self->came);
  g_assert_true (hp_address_equal (&outgoing->route.remote,
                                   &self->cookie.observed));
}

static void
take_from_service (World *self, const HpOutgoing *outgoing)
{
  guint8 transaction[HP_STUN_TRANSACTION_SIZE];
  HpHandshakeResult result;
  gboolean is_known = FALSE;

  g_assert_cmpuint (outgoing->length, >, 0);
  for (guint i = 0; i < N_PEERS; i++)
    {
      Peer *peer = self->peers + i;
      gboolean is_its
          = hp_address_equal (&outgoing->route.remote, &peer->route.remote);

      is_known |= is_its && peer->session != NULL;
      if (is_its && outgoing->bytes[0] == HP_PACKET_RESPONSE
          && peer->session == NULL)
        g_assert_cmpint (hp_handshake_consume_response (
                             peer->handshake, outgoing->bytes,
                             outgoing->length, 128, self->now, &result,
                             &peer->session),
                         ==, HP_HANDSHAKE_OK);
    }
  if (outgoing->bytes[0] == HP_PACKET_COOKIE)
    g_assert_true (hp_packet_parse_cookie (&self->cookie, outgoing->bytes,
                                           outgoing->length));
  if (outgoing->bytes[0] == HP_PACKET_DATA_0
      || outgoing->bytes[0] == HP_PACKET_DATA_1)
    check_data (self, outgoing);
  if (hp_stun_consume_indication (transaction, outgoing->bytes,
                                  outgoing->length))
    check_knock (self, outgoing);
  if (!is_known && outgoing->bytes[0] >= HP_PACKET_HELLO
      && hp_address_equal (&outgoing->route.remote, &self->from.remote))
    g_assert_cmpuint (outgoing->length, <=, self->came);
}

static void
pump_service (World *self)
{
  guint8 bytes[2000];
  HpOutgoing outgoing = { .bytes = bytes, .capacity = sizeof bytes };
  HpServiceEvent event;
  guint n = 0;

  while (hp_match_service_next_event (self->service, &event))
    if (event.handle != 0 && self->n_handles < MAX_HANDLES)
      self->handles[self->n_handles++] = event.handle;
  while (hp_match_service_pull (self->service, &outgoing, self->now))
    {
      g_assert_cmpuint (++n, <, 10000);
      take_from_service (self, &outgoing);
    }
}

static void
to_service (World *self, const HpRoute *route, guint8 *bytes, gsize length)
{
  HpDatagram datagram
      = { .route = *route, .bytes = bytes, .length = length };

  self->came = length;
  self->knocks = 0;
  self->from = *route;
  hp_match_service_receive (self->service, &datagram, self->now);
  pump_service (self);
}

static void
seal_to_service (World *self, Peer *peer, const HpRoute *route,
                 const guint8 *plain, gsize length)
{
  guint8 packet[HP_DATAGRAM_SIZE_DEFAULT];

  memcpy (packet + HP_DATA_HEADER_SIZE, plain, length);
  length = hp_session_seal (peer->session, packet, length, self->now);
  to_service (self, route, packet, length);
}

static void
connect_peer (World *self, guint which)
{
  Peer *peer = self->peers + which;
  guint8 bytes[HP_INITIATION_MAX_SIZE] = { 0 };
  HpHello hello = { .version = HP_PROTOCOL_VERSION };
  HpWriter writer;
  HpTicket ticket;

  hp_crypto_generate_key_pair (&peer->pair, &self->random);
  peer->route = get_route (which);
  hp_writer_init (&writer, bytes, sizeof bytes);
  hp_packet_write_hello (&hello, &writer);
  to_service (self, &peer->route, bytes, writer.offset);
  hp_ticket_init (&ticket, 0, self->cookie.cookie, HP_COOKIE_SIZE);
  peer->handshake = hp_handshake_new (
      HP_SUITE_CHACHA_POLY, &ticket, &peer->pair, self->local.public_key,
      100 + which, NULL, 0, &self->random);
  to_service (self, &peer->route, bytes,
              hp_handshake_write_initiation (peer->handshake, hello.transaction,
                                             bytes, sizeof bytes));
  g_assert_nonnull (peer->session);
  bytes[0] = HP_FRAME_PING;
  seal_to_service (self, peer, &peer->route, bytes, 1);
}

static void
start_service (World *self)
{
  HpMatchServiceConfig config = {
    .local = self->local,
    .suites = HP_SUITE_BIT (HP_SUITE_CHACHA_POLY),
    .random = self->random,
    .registration_lifetime = 120 * SECOND,
    .max_peers = 4,
    .max_handshakes_per_second = 10,
    .max_asks_per_minute = 30,
    .max_stun_per_second = 5,
  };
  HpMatchPlaces places = { .hosts = { get_route (0).remote,
                                      get_route (1).remote },
                           .ports = { 4000, 4001 } };

  self->service = hp_match_service_new (&config, self->now);
  hp_match_service_set_places (self->service, &places);
  for (guint i = 0; i < N_PEERS; i++)
    connect_peer (self, i);
}

static void
advance_service (World *self, gint64 time)
{
  gint64 until = self->now + time;
  guint n = 0;

  while (hp_match_service_get_deadline (self->service) <= until)
    {
      self->now
          = MAX (self->now, hp_match_service_get_deadline (self->service));
      g_assert_cmpuint (++n, <, 10000);
      hp_match_service_expire (self->service, self->now);
      pump_service (self);
    }
  self->now = until;
}

static void
answer_question (World *self, guint which)
{
  const guint8 *holder
      = which % 8 == 7 ? NULL : self->peers[which % N_PEERS].pair.public_key;
  HpRefusedCode code = which % 16 == 5 ? HP_REFUSED_TEMPORARY : 0;
  guint64 *slot;
  guint64 handle;

  if (self->n_handles == 0)
    return;
  slot = self->handles + which % self->n_handles;
  handle = *slot;
  *slot = self->handles[self->n_handles - 1];
  self->n_handles--;
  hp_match_service_authorize (self->service, handle, which % 4 != 3,
                              self->now);
  /* Whichever it is an answer to */
  hp_match_service_answer_claim (self->service, handle, holder, code,
                                 self->now);
  hp_match_service_answer_lookup (self->service, handle, holder, NULL, code,
                                  self->now);
  pump_service (self);
}

/* The proof is of the first port only. */
static void
make_knock (World *self, guint which, HpFrame *frame)
{
  memset (frame, 0, sizeof *frame);
  frame->type = HP_FRAME_KNOCK;
  frame->knock.address = self->cookie.observed;
  frame->knock.address.port += which / 4 % 2;
  frame->knock.flags = which / 8;
  memcpy (frame->knock.proof, self->cookie.cookie, HP_PROOF_SIZE);
}

/* Well-formed requests about few ids, so that they meet */
static void
make_request (World *self, guint which, HpFrame *frame)
{
  static const char *const ids[] = { "a", "b", "c", "d" };
  HpBytes id = { (const guint8 *) ids[which / 8 % 4], 1 };

  memset (frame, 0, sizeof *frame);
  switch (which % 4)
    {
    case 0:
      frame->type = HP_FRAME_REGISTER;
      frame->reg.request = ++self->request;
      frame->reg.flags = which / 32 % 4;
      frame->reg.id = id;
      break;
    case 1:
      frame->type = HP_FRAME_ASK;
      frame->ask.request = ++self->request - which / 128;
      frame->ask.by_key = which / 64 % 2;
      frame->ask.target = id;
      if (frame->ask.by_key)
        frame->ask.target
            = (HpBytes){ self->peers[which % N_PEERS].pair.public_key,
                         HP_KEY_SIZE };
      break;
    case 2:
      frame->type = HP_FRAME_REPLY;
      frame->reply.ticket_number = self->ticket;
      frame->reply.accept = which / 4 % 2;
      break;
    default:
      frame->type = HP_FRAME_UNREGISTER;
      frame->reg.request = ++self->request;
      frame->reg.id = id;
      if (which / 64 == 3)
        make_knock (self, which, frame);
      break;
    }
}

static void
step_service (World *self, guint8 what, guint8 which, guint8 *bytes,
              gsize length)
{
  Peer *peer = self->peers + which % N_PEERS;
  HpRoute elsewhere = get_route (which);
  HpWriter writer;
  HpFrame frame;

  switch (what % 7)
    {
    case 0:
      to_service (self, &elsewhere, bytes, length);
      break;
    case 1:
      seal_to_service (self, peer, &peer->route, bytes, length);
      break;
    case 2:
      seal_to_service (self, peer, &elsewhere, bytes, length);
      break;
    case 3:
      make_request (self, what / 7 + which, &frame);
      hp_writer_init (&writer, bytes, 256);
      hp_frame_write (&frame, &writer);
      seal_to_service (self, peer, &peer->route, bytes, writer.offset);
      break;
    case 4:
      answer_question (self, which);
      break;
    case 5:
      advance_service (self, which * 100 * MS);
      break;
    case 6:
      hp_match_service_set_asks_registration (self->service, which & 1);
      hp_match_service_set_asks_introduction (self->service, which & 2);
      if (which == 255)
        hp_match_service_close (self->service, self->now);
      pump_service (self);
      break;
    }
}

/* The client */

static void to_client (World *self, const HpRoute *route, guint8 *bytes,
                       gsize length);

static void
answer_hello (World *self, const HpOutgoing *outgoing)
{
  HpCookiePacket cookie = { .version = HP_PROTOCOL_VERSION,
                            .suites = HP_SUITE_BIT (HP_SUITE_CHACHA_POLY),
                            .has_public_key = TRUE,
                            .observed = get_route (77).remote };
  guint8 bytes[HP_HELLO_MIN_SIZE];
  HpWriter writer;
  HpHello hello;

  g_assert_true (
      hp_packet_parse_hello (&hello, outgoing->bytes, outgoing->length));
  memcpy (cookie.transaction, hello.transaction, HP_TRANSACTION_SIZE);
  memcpy (cookie.public_key, self->local.public_key, HP_KEY_SIZE);
  hp_writer_init (&writer, bytes, sizeof bytes);
  hp_packet_write_cookie (&cookie, &writer);
  to_client (self, &outgoing->route, bytes, writer.offset);
}

static void
answer_initiation (World *self, const HpOutgoing *outgoing)
{
  Peer *server = self->peers;
  guint8 cookie[HP_COOKIE_SIZE] = { 0 };
  guint8 remote_public[HP_KEY_SIZE];
  guint8 bytes[HP_RESPONSE_MAX_SIZE];
  HpHandshakeResult result;
  HpInitiation initiation;
  HpTicket ticket;

  g_assert_true (hp_packet_parse_initiation (&initiation, outgoing->bytes,
                                             outgoing->length));
  hp_ticket_init (&ticket, 0, cookie, sizeof cookie);
  g_clear_pointer (&server->session, hp_session_free);
  g_assert_cmpint (hp_handshake_respond (
                       &initiation, outgoing->bytes, &ticket, &self->local,
                       NULL, 77, NULL, 0, 128, &self->random, self->now,
                       remote_public, &result, &self->kept,
                       &server->session),
                   ==, HP_HANDSHAKE_OK);
  to_client (self, &outgoing->route, bytes,
             hp_handshake_write_response (&self->kept, initiation.token,
                                          cookie, bytes, sizeof bytes));
}

static void
take_from_client (World *self, const HpOutgoing *outgoing)
{
  HpSession *session = self->peers[0].session;
  guint64 number;
  guint8 *plain;
  gsize length;

  if (outgoing->bytes[0] == HP_PACKET_HELLO)
    {
      answer_hello (self, outgoing);
    }
  else if (outgoing->bytes[0] == HP_PACKET_INITIATION)
    {
      answer_initiation (self, outgoing);
    }
  else
    {
      g_assert_nonnull (session);
      g_assert_cmpuint (outgoing->length, >=, 38);
      g_assert_cmpint (hp_session_open (session, outgoing->bytes,
                                        outgoing->length, self->now, &number,
                                        &plain, &length),
                       ==, HP_OPEN_OK);
      check_frames (self, plain, length);
    }
}

static void
pump_client (World *self)
{
  guint8 bytes[HP_DATAGRAM_SIZE_DEFAULT];
  HpOutgoing outgoing = { .bytes = bytes, .capacity = sizeof bytes };
  HpMatchEvent event;
  guint n = 0;

  while (hp_match_client_pull (self->client, &outgoing, self->now))
    {
      g_assert_cmpuint (++n, <, 1000);
      take_from_client (self, &outgoing);
    }
  while (hp_match_client_next_event (self->client, &event))
    if (event.type == HP_MATCH_EVENT_INTRODUCED)
      self->ticket = event.introduction.ticket.number;
}

static void
to_client (World *self, const HpRoute *route, guint8 *bytes, gsize length)
{
  HpDatagram datagram
      = { .route = *route, .bytes = bytes, .length = length };

  hp_match_client_receive (self->client, &datagram, self->now);
}

static void
start_client (World *self)
{
  HpMatchClientConfig config = {
    .local = self->local,
    .index = CLIENT_INDEX,
    .suites = HP_SUITE_BIT (HP_SUITE_CHACHA_POLY),
    .keepalive_interval = 15 * SECOND,
    .random = self->random,
  };
  HpAddress server = get_route (0).remote;

  hp_crypto_generate_key_pair (&config.local, &self->random);
  self->client = hp_match_client_new (&config);
  hp_match_client_set_addresses (self->client, &server, 1, self->now);
  pump_client (self);
  pump_client (self);
  g_assert_true (hp_match_client_is_connected (self->client));
}

static void
advance_client (World *self, gint64 time)
{
  gint64 until = self->now + time;
  guint n = 0;

  while (hp_match_client_get_deadline (self->client) <= until)
    {
      self->now
          = MAX (self->now, hp_match_client_get_deadline (self->client));
      g_assert_cmpuint (++n, <, 10000);
      hp_match_client_expire (self->client, self->now);
      pump_client (self);
    }
  self->now = until;
}

static void
use_client (World *self, guint8 which)
{
  HpAddress servers[2] = { get_route (which / 8).remote, get_route (0).remote };

  switch (which % 8)
    {
    case 0:
      hp_match_client_register (self->client, which & 8 ? "a" : "b",
                                which / 16 % 4, self->now);
      break;
    case 1:
      hp_match_client_register (self->client, NULL, 0, self->now);
      break;
    case 2:
      self->request
          = hp_match_client_ask (self->client, "c", NULL, self->now);
      break;
    case 3:
      self->request = hp_match_client_ask (
          self->client, NULL, self->local.public_key, self->now);
      break;
    case 4:
      hp_match_client_stop_asking (self->client, self->request);
      break;
    case 5:
      hp_match_client_reply (self->client, self->ticket, which & 8,
                             self->now);
      break;
    case 6:
      hp_match_client_check (self->client, self->now);
      break;
    case 7:
      hp_match_client_set_addresses (self->client, servers, 2, self->now);
      if (which == 255)
        hp_match_client_close (self->client, self->now);
      break;
    }
}

/* What a server says, about what was asked for */
static void
make_answer (World *self, guint8 which, HpFrame *frame)
{
  memset (frame, 0, sizeof *frame);
  switch (which % 4)
    {
    case 0:
      frame->type = HP_FRAME_REGISTERED;
      frame->registered.request = self->request;
      frame->registered.lifetime = which / 4;
      break;
    case 1:
      frame->type = HP_FRAME_REFUSED;
      frame->refused.request = self->request;
      frame->refused.code = which / 4;
      break;
    case 2:
      frame->type = HP_FRAME_ANSWER;
      frame->introduction.request = self->request;
      frame->introduction.ticket.number = which / 16;
      memcpy (frame->introduction.public_key, self->local.public_key,
              HP_KEY_SIZE);
      break;
    default:
      frame->type = HP_FRAME_INTRODUCE;
      frame->introduction.flags = which / 4 % 2;
      frame->introduction.ticket.number = which / 8 % 4;
      break;
    }
}

static void
step_client (World *self, guint8 what, guint8 which, guint8 *bytes,
             gsize length)
{
  HpSession *session = self->peers[0].session;
  guint8 packet[HP_DATAGRAM_SIZE_DEFAULT];
  HpRoute route = get_route (which);
  HpWriter writer;
  HpFrame frame;

  switch (what % 5)
    {
    case 0:
      to_client (self, &route, bytes, length);
      break;
    case 1:
      memcpy (packet + HP_DATA_HEADER_SIZE, bytes, length);
      to_client (self, &route, packet,
                 hp_session_seal (session, packet, length, self->now));
      break;
    case 2:
      make_answer (self, which, &frame);
      hp_writer_init (&writer, packet + HP_DATA_HEADER_SIZE, 500);
      hp_frame_write (&frame, &writer);
      to_client (self, &route, packet,
                 hp_session_seal (session, packet, writer.offset, self->now));
      break;
    case 3:
      use_client (self, which);
      break;
    case 4:
      advance_client (self, which * 100 * MS);
      break;
    }
  pump_client (self);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  World world = { .now = SECOND, .request = 10 };
  guint8 bytes[256];
  HpReader reader;
  gboolean is_client;

  world.random = (HpRandom){ fill, &world.seed };
  hp_crypto_generate_key_pair (&world.local, &world.random);
  hp_reader_init (&reader, data, size);
  is_client = hp_reader_u8 (&reader) & 1;
  if (is_client)
    start_client (&world);
  else
    start_service (&world);
  while (hp_reader_left (&reader) > 0)
    {
      guint8 what = hp_reader_u8 (&reader);
      guint8 which = hp_reader_u8 (&reader);
      gsize length = MIN (hp_reader_u8 (&reader), hp_reader_left (&reader));

      hp_reader_copy (&reader, bytes, length);
      if (is_client)
        step_client (&world, what, which, bytes, length);
      else
        step_service (&world, what, which, bytes, length);
    }
  if (is_client)
    advance_client (&world, 100 * SECOND);
  else
    advance_service (&world, 300 * SECOND);
  hp_match_client_free (world.client);
  hp_match_service_free (world.service);
  for (guint i = 0; i < N_PEERS; i++)
    {
      hp_handshake_free (world.peers[i].handshake);
      hp_session_free (world.peers[i].session);
    }
  return 0;
}
