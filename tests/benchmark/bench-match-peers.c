/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "bench-match-peers.h"

#include "bench-common.h"

#include <string.h>

/* What a client pads a PING to, so that the answer is no longer */
#define PING_SIZE 16
/* µs, as a peer would tell it */
#define ROUND_TRIP 20000

void
bench_match_peers_init (BenchMatchPeers *self, BenchNet *net, guint32 n,
                        guint64 seed)
{
  *self = (BenchMatchPeers){
    .net = net,
    .peers = g_new0 (BenchMatchPeer, n),
    .n = n,
    .seed = seed,
    .ciphers = hp_session_ciphers_new (),
  };
}

void
bench_match_peers_clear (BenchMatchPeers *self)
{
  for (guint32 i = 0; i < self->n; i++)
    {
      g_clear_pointer (&self->peers[i].handshake, hp_handshake_free);
      g_clear_pointer (&self->peers[i].session, hp_session_free);
    }
  g_free (self->peers);
  hp_session_ciphers_free (self->ciphers);
}

static void
make_identity (const BenchMatchPeers *self, guint32 number, HpKeyPair *pair)
{
  guint64 source[] = { self->seed, number };

  hp_crypto_sha256 (pair->private_key, source, sizeof source);
  hp_crypto_derive_public_key (pair);
}

/* Sending */

void
bench_match_peers_connect (BenchMatchPeers *self, guint32 number)
{
  HpHello hello = { .version = HP_PROTOCOL_VERSION };
  HpWriter writer;

  memcpy (hello.transaction, &number, sizeof number);
  hp_writer_init (&writer, bench_net_begin (self->net, number),
                  BENCH_NET_SIZE);
  hp_packet_write_hello (&hello, &writer);
  bench_net_end (self->net, writer.offset);
}

static void
initiate (BenchMatchPeers *self, guint32 number, const HpCookiePacket *cookie)
{
  BenchMatchPeer *peer = self->peers + number;
  guint8 token[HP_TOKEN_SIZE] = { 0 };
  guint8 *bytes;
  HpKeyPair pair;
  HpTicket ticket;

  memcpy (self->server_key, cookie->public_key, HP_KEY_SIZE);
  make_identity (self, number, &pair);
  hp_ticket_init (&ticket, 0, cookie->cookie, HP_COOKIE_SIZE);
  g_clear_pointer (&peer->handshake, hp_handshake_free);
  peer->handshake = hp_handshake_new (
      hp_crypto_choose_suite (hp_crypto_get_suites (), cookie->suites),
      &ticket, &pair, self->server_key, number + 1, NULL, 0,
      &hp_crypto_random);
  bytes = bench_net_begin (self->net, number);
  bench_net_end (self->net,
                 hp_handshake_write_initiation (peer->handshake, token, bytes,
                                                BENCH_NET_SIZE));
}

static void
send_frame (BenchMatchPeers *self, guint32 number, const HpFrame *frame,
            gsize pad_to)
{
  guint8 *bytes = bench_net_begin (self->net, number);
  HpWriter writer;

  hp_writer_init (&writer, bytes + HP_DATA_HEADER_SIZE,
                  BENCH_NET_SIZE - HP_DATA_OVERHEAD);
  hp_frame_write (frame, &writer);
  if (writer.offset < pad_to)
    hp_writer_zeros (&writer, pad_to - writer.offset);
  bench_net_end (self->net, hp_session_seal (self->peers[number].session,
                                             bytes, writer.offset,
                                             g_get_monotonic_time ()));
}

void
bench_match_peers_ping (BenchMatchPeers *self, guint32 number)
{
  send_frame (self, number, &(HpFrame){ .type = HP_FRAME_PING }, PING_SIZE);
}

void
bench_match_peers_register (BenchMatchPeers *self, guint32 number)
{
  HpFrame frame = { .type = HP_FRAME_REGISTER };
  char id[32];

  frame.reg.request = ++self->peers[number].request;
  frame.reg.flags = number % 2 == 0 ? HP_REGISTER_OPEN : 0;
  frame.reg.suites = hp_crypto_get_suites ();
  frame.reg.id = (HpBytes){ (const guint8 *) id,
                            g_snprintf (id, sizeof id, "peer %u", number) };
  send_frame (self, number, &frame, PING_SIZE);
}

static void
add_candidates (HpWireCandidates *candidates, guint32 number)
{
  candidates->n_candidates = 1;
  candidates->candidates[0] = (HpWireCandidate){
    .address = { .family = HP_ADDRESS_IPV4,
                 .port = 4222,
                 .ip = { 192, 168, number >> 8 & 0xff, number & 0xff } },
    .kind = HP_CANDIDATE_HOST,
  };
}

void
bench_match_peers_ask (BenchMatchPeers *self, guint32 number, guint32 target)
{
  HpFrame frame = { .type = HP_FRAME_ASK };
  char id[32];

  frame.ask.request = ++self->peers[number].request;
  frame.ask.target = (HpBytes){ (const guint8 *) id,
                                g_snprintf (id, sizeof id, "peer %u",
                                            target) };
  frame.ask.suites = hp_crypto_get_suites ();
  frame.ask.round_trip = ROUND_TRIP;
  add_candidates (&frame.ask.candidates, number);
  send_frame (self, number, &frame, 0);
}

static void
reply (BenchMatchPeers *self, guint32 number, guint64 ticket_number)
{
  HpFrame frame = { .type = HP_FRAME_REPLY };

  frame.reply.ticket_number = ticket_number;
  frame.reply.accept = TRUE;
  frame.reply.suites = hp_crypto_get_suites ();
  frame.reply.round_trip = ROUND_TRIP;
  add_candidates (&frame.reply.candidates, number);
  send_frame (self, number, &frame, 0);
}

/* Receiving */

static void
receive_cookie (BenchMatchPeers *self, const guint8 *bytes, gsize length)
{
  HpCookiePacket cookie;
  guint32 number;

  if (!hp_packet_parse_cookie (&cookie, bytes, length))
    {
      self->strange++;
      return;
    }
  memcpy (&number, cookie.transaction, sizeof number);
  if (number < self->n)
    initiate (self, number, &cookie);
  else
    self->strange++;
}

static void
receive_response (BenchMatchPeers *self, guint32 number, const guint8 *bytes,
                  gsize length)
{
  BenchMatchPeer *peer = self->peers + number;
  HpSession *session = NULL;
  HpHandshakeResult result;

  if (peer->handshake == NULL
      || hp_handshake_consume_response (peer->handshake, bytes, length,
                                        HP_REPLAY_WINDOW_SERVER,
                                        g_get_monotonic_time (), &result,
                                        &session)
             != HP_HANDSHAKE_OK)
    {
      self->strange++;
      return;
    }
  g_clear_pointer (&peer->handshake, hp_handshake_free);
  g_clear_pointer (&peer->session, hp_session_free);
  peer->session = session;
  hp_session_share_ciphers (session, self->ciphers);
  bench_match_peers_ping (self, number);
}

static void
receive_frame (BenchMatchPeers *self, guint32 number, const HpFrame *frame)
{
  guint64 request = self->peers[number].request;

  switch (frame->type)
    {
    case HP_FRAME_OBSERVED:
      self->done (self->user_data, number, BENCH_MATCH_ANSWER);
      break;
    case HP_FRAME_REGISTERED:
      if (frame->registered.request == request)
        self->done (self->user_data, number, BENCH_MATCH_ANSWER);
      break;
    case HP_FRAME_ANSWER:
      if (frame->introduction.request == request)
        self->done (self->user_data, number, BENCH_MATCH_ANSWER);
      break;
    case HP_FRAME_REFUSED:
      if (frame->refused.request == request)
        self->done (self->user_data, number, BENCH_MATCH_REFUSED);
      break;
    case HP_FRAME_INTRODUCE:
      self->introductions++;
      if ((frame->introduction.flags & HP_INTRODUCE_NEEDS_REPLY) != 0)
        reply (self, number, frame->introduction.ticket.number);
      break;
    default:
      self->strange++;
      break;
    }
}

static void
receive_data (BenchMatchPeers *self, guint32 number, guint8 *bytes,
              gsize length)
{
  BenchMatchPeer *peer = self->peers + number;
  HpReader reader;
  HpFrame frame;
  gsize plain_length;
  guint8 *plain;
  guint64 packet;

  if (peer->session == NULL
      || hp_session_open (peer->session, bytes, length,
                          g_get_monotonic_time (), &packet, &plain,
                          &plain_length)
             != HP_OPEN_OK)
    {
      self->strange++;
      return;
    }
  hp_reader_init (&reader, plain, plain_length);
  if (hp_frame_parse (&frame, &reader))
    receive_frame (self, number, &frame);
  else
    self->strange++;
}

void
bench_match_peers_receive (gpointer peers, guint8 *bytes, gsize length)
{
  BenchMatchPeers *self = peers;
  guint32 index;

  if (length > 0 && bytes[0] == HP_PACKET_COOKIE)
    receive_cookie (self, bytes, length);
  else if (!hp_packet_get_receiver (bytes, length, &index) || index == 0
           || index > self->n)
    self->strange++;
  else if (bytes[0] == HP_PACKET_RESPONSE)
    receive_response (self, index - 1, bytes, length);
  else
    receive_data (self, index - 1, bytes, length);
}
