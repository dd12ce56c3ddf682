/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A link's life: handshake, messages, close. NATs: test-link-nat.c */

#include "link-pair.h"

#include <string.h>

/* One way 25 ms, the start 10 ms after the introduction arrives at 25 ms */
#define START (35 * MS)
#define ROUND_TRIP (50 * MS)

static void
test_connect (void)
{
  g_autoptr (Pair) pair = pair_new (1, SIM_OPEN, SIM_OPEN);
  gint64 begin = pair->world->now;

  g_assert_cmpint (hp_link_get_state (pair->a.link), ==, HP_LINK_NEW);
  g_assert_null (hp_link_get_route (pair->a.link));
  pair_connect (pair);

  /* The caller is ready after one round trip, the callee half a one later */
  g_assert_cmpint (pair->a.ready_at - begin, ==, START + ROUND_TRIP);
  g_assert_cmpint (pair->b.ready_at - begin, ==, START + ROUND_TRIP * 3 / 2);
  node_assert_route (&pair->a, "198.18.2.2:4333");
  node_assert_route (&pair->b, "198.18.1.2:4222");
  g_assert_cmpint (hp_link_get_round_trip (pair->a.link), ==, ROUND_TRIP);
  g_assert_cmpuint (hp_link_get_remote_max_message_size (pair->a.link), ==,
                    HP_MAX_MESSAGE_SIZE_DEFAULT);

  /* Nothing happens by itself later */
  pair_run_for (pair, 120 * SECOND);
  g_assert_cmpuint (pair->a.n_silent + pair->b.n_silent, ==, 0);
  g_assert_cmpuint (pair->a.n_path + pair->b.n_path, ==, 0);
  g_assert_cmpint (hp_link_get_state (pair->a.link), ==, HP_LINK_READY);
}

/* Messages that wait go with the first DATA: half a round trip after READY
 * the callee has the caller's */
static void
test_first_messages (void)
{
  g_autoptr (Pair) pair = pair_new (2, SIM_OPEN, SIM_OPEN);

  node_send (&pair->a, HP_STREAM_ORDERED, 100);
  node_send (&pair->b, HP_STREAM_ORDERED, 100);
  pair_connect (pair);
  g_assert_cmpuint (pair->b.n_received, ==, 1);
  g_assert_true (pair_run_until_delivered (pair, 2 * ROUND_TRIP));
  node_assert_received_all (&pair->a);
  node_assert_received_all (&pair->b);
}

static void
test_messages (void)
{
  g_autoptr (Pair) pair = pair_new (3, SIM_OPEN, SIM_OPEN);
  guint i;

  pair_connect (pair);
  for (i = 0; i < 100; i++)
    {
      node_send (&pair->a, i % 2, 10 + i * 100);
      node_send (&pair->b, i % 2, 10 + i * 50);
    }
  node_send (&pair->a, HP_STREAM_ORDERED, 1024 * 1024);
  g_assert_true (pair_run_until_delivered (pair, 60 * SECOND));
  node_assert_received_all (&pair->a);
  node_assert_received_all (&pair->b);
  g_assert_cmpuint (hp_link_get_queued_bytes (pair->a.link), ==, 0);
}

/* A message in both ways at every moment while the keys change */
static void
test_key_update (void)
{
  g_autoptr (Pair) pair = pair_new (4, SIM_OPEN, SIM_OPEN);
  HpLinkStatistics statistics;
  guint i;

  pair->world->quality.jitter = 30 * MS;
  pair_connect (pair);
  for (i = 0; i < 40; i++)
    {
      node_send (&pair->a, HP_STREAM_ORDERED, 5000);
      node_send (&pair->b, HP_STREAM_ORDERED, 5000);
      if (i % 10 == 5)
        hp_link_update_keys (pair->a.link, pair->world->now);
      if (i % 20 == 6)
        hp_link_update_keys (pair->b.link, pair->world->now);
      node_pump (&pair->a);
      node_pump (&pair->b);
      pair_run_for (pair, 50 * MS);
    }
  g_assert_true (pair_run_until_delivered (pair, 10 * SECOND));
  node_assert_received_all (&pair->a);
  node_assert_received_all (&pair->b);
  hp_link_get_statistics (pair->b.link, &statistics);
  g_assert_cmpuint (statistics.dropped_forged, ==, 0);
}

static void
test_close (gconstpointer data)
{
  gboolean by_callee = GPOINTER_TO_INT (data);
  g_autoptr (Pair) pair = pair_new (5, SIM_OPEN, SIM_OPEN);
  Node *closer = by_callee ? &pair->b : &pair->a;
  Node *other = pair_get_other (pair, closer);
  guint before;

  pair_connect (pair);
  before = closer->n_pulled;
  hp_link_close (closer->link, HP_CLOSE_GOING_AWAY, "bye", pair->world->now);
  g_assert_cmpint (hp_link_get_state (closer->link), ==, HP_LINK_CLOSED);
  node_pump (closer);
  g_assert_cmpuint (closer->n_pulled - before, ==, 3);
  g_assert_cmpuint (closer->n_closed, ==, 1);
  g_assert_cmpint (closer->closed_by, ==, HP_LINK_CLOSED_LOCALLY);

  pair_run_for (pair, 60 * SECOND);
  g_assert_cmpuint (other->n_closed, ==, 1);
  g_assert_cmpint (other->closed_by, ==, HP_LINK_CLOSED_BY_REMOTE);
  g_assert_cmpuint (other->close_code, ==, HP_CLOSE_GOING_AWAY);
  g_assert_cmpint (hp_link_get_deadline (other->link, pair->world->now), ==,
                   G_MAXINT64);
}

/* What had arrived when the other side closed was delivered, and its sender
 * is told so, however late an acknowledgement would have been sent */
static void
test_close_acknowledges (void)
{
  g_autoptr (Pair) pair = pair_new (15, SIM_OPEN, SIM_OPEN);
  gint64 end;

  pair_connect (pair);
  pair_run_for (pair, SECOND);
  node_send (&pair->a, HP_STREAM_ORDERED, 100);
  node_pump (&pair->a);
  end = pair->world->now + SECOND;
  while (pair->b.n_received == 0 && pair->world->now < end)
    pair_run_for (pair, MS);
  g_assert_cmpuint (pair->b.n_received, ==, 1);
  g_assert_cmpuint (pair->a.n_delivered, ==, 0);

  hp_link_close (pair->b.link, HP_CLOSE_NORMAL, NULL, pair->world->now);
  node_pump (&pair->b);
  pair_run_for (pair, 5 * SECOND);
  g_assert_cmpuint (pair->a.n_closed, ==, 1);
  g_assert_cmpuint (pair->a.n_delivered, ==, 1);
}

static gboolean
drop_all (gpointer user_data, SimHost *from, const HpOutgoing *outgoing)
{
  return from != user_data;
}

/* All copies of the CLOSE are lost: DATA that still comes is answered by
 * another one, not more often than the copies' gap */
static void
test_close_again (void)
{
  g_autoptr (Pair) pair = pair_new (6, SIM_OPEN, SIM_OPEN);
  guint before, i;

  pair_connect (pair);
  pair->world->filter = drop_all;
  pair->world->filter_data = pair->a.host;
  hp_link_close (pair->a.link, HP_CLOSE_NORMAL, NULL, pair->world->now);
  node_pump (&pair->a);
  before = pair->a.n_pulled;
  for (i = 0; i < 20; i++)
    {
      node_send (&pair->b, HP_STREAM_UNORDERED, 500);
      node_pump (&pair->b);
      pair_run_for (pair, 10 * MS);
    }
  g_assert_cmpuint (pair->a.n_pulled - before, >=, 1);
  g_assert_cmpuint (pair->a.n_pulled - before, <=, 3);

  pair->world->filter = NULL;
  pair_run_for (pair, 2 * SECOND);
  g_assert_cmpint (pair->b.closed_by, ==, HP_LINK_CLOSED_BY_REMOTE);
}

static void
test_close_early (void)
{
  g_autoptr (Pair) pair = pair_new (7, SIM_OPEN, SIM_OPEN);

  hp_link_close (pair->a.link, HP_CLOSE_NORMAL, NULL, pair->world->now);
  node_pump (&pair->a);
  pair_introduce (pair, &pair->a, NULL);
  pair_run_for (pair, 30 * SECOND);
  g_assert_cmpuint (pair->a.n_pulled, ==, 0);
  g_assert_cmpuint (pair->a.n_closed, ==, 1);
  g_assert_cmpint (pair->b.closed_by, ==, HP_LINK_CLOSED_UNREACHABLE);
}

static void
test_unreachable (void)
{
  g_autoptr (Pair) pair = pair_new (8, SIM_OPEN, SIM_OPEN);
  gint64 begin = pair->world->now;

  pair->b.host->is_cut = TRUE;
  pair_introduce (pair, &pair->a, NULL);
  pair_run_for (pair, 60 * SECOND);
  g_assert_cmpint (pair->a.closed_by, ==, HP_LINK_CLOSED_UNREACHABLE);
  g_assert_cmpint (pair->a.closed_at - begin, ==, START + HP_PUNCH_TIMEOUT);
  g_assert_cmpuint (pair->a.n_confirmed, ==, 0);
}

/* Both call at once: one session, and the one of the larger key */
static void
test_simultaneous (gconstpointer data)
{
  gint64 late = GPOINTER_TO_INT (data) * MS;
  guint64 seed;

  for (seed = 1; seed <= 20; seed++)
    {
      g_autoptr (Pair) pair = pair_new (seed, SIM_PORT_RESTRICTED,
                                        SIM_PORT_RESTRICTED);

      node_send (&pair->a, HP_STREAM_ORDERED, 3000);
      node_send (&pair->b, HP_STREAM_ORDERED, 3000);
      pair_introduce (pair, &pair->a, NULL);
      pair_run_for (pair, late);
      pair_introduce (pair, &pair->b, NULL);
      g_assert_true (pair_run_until_ready (pair, 10 * SECOND));
      g_assert_true (pair_run_until_delivered (pair, 5 * SECOND));
      pair_run_for (pair, 20 * SECOND);
      g_assert_cmpuint (pair->a.n_confirmed, ==, 1);
      g_assert_cmpuint (pair->b.n_confirmed, ==, 1);
      g_assert_cmpint (hp_link_get_state (pair->a.link), ==, HP_LINK_READY);
      g_assert_cmpint (hp_link_get_state (pair->b.link), ==, HP_LINK_READY);
      node_assert_received_all (&pair->a);
      node_assert_received_all (&pair->b);
    }
}

static void
test_wrong_secret (void)
{
  g_autoptr (Pair) pair = pair_new (9, SIM_OPEN, SIM_OPEN);
  Script script = { .lead = 10 * MS, .wrong_secret_b = TRUE };
  HpLinkStatistics statistics;

  pair_introduce (pair, &pair->a, &script);
  pair_run_for (pair, 30 * SECOND);
  g_assert_cmpint (pair->a.closed_by, ==, HP_LINK_CLOSED_UNREACHABLE);
  g_assert_cmpint (pair->b.closed_by, ==, HP_LINK_CLOSED_UNREACHABLE);
  hp_link_get_statistics (pair->b.link, &statistics);
  g_assert_cmpuint (statistics.dropped_ticket, >, 10);
}

/* The server named another key to the callee than the caller has, or to the
 * caller than the callee has */
static void
test_wrong_identity (gconstpointer data)
{
  gboolean to_caller = GPOINTER_TO_INT (data);
  g_autoptr (Pair) pair = pair_new (10, SIM_OPEN, SIM_OPEN);
  HpLinkStatistics statistics;
  HpKeyPair other;

  hp_crypto_generate_key_pair (&other, &pair->world->random);
  node_renew (to_caller ? &pair->a : &pair->b, other.public_key);
  pair_introduce (pair, &pair->a, NULL);
  pair_run_for (pair, 30 * SECOND);
  g_assert_cmpint (pair->a.closed_by, ==, HP_LINK_CLOSED_UNREACHABLE);
  g_assert_cmpint (pair->b.closed_by, ==, HP_LINK_CLOSED_UNREACHABLE);
  g_assert_cmpuint (pair->a.n_confirmed + pair->b.n_confirmed, ==, 0);
  hp_link_get_statistics (pair->b.link, &statistics);
  g_assert_cmpuint (statistics.dropped_forged, >, 5);
}

/* Direct calls: no punching, a cookie for a ticket, the callee learns who
 * calls and answers nothing before it has accepted */
static void
test_direct (void)
{
  g_autoptr (Pair) pair = pair_new (11, SIM_OPEN, SIM_OPEN);
  HpIntroduction introduction = { .suites = hp_crypto_get_suites () };
  guint8 cookie[HP_COOKIE_SIZE] = { 1, 2, 3 };

  node_renew (&pair->b, NULL);
  hp_ticket_init (&introduction.ticket, 0, cookie, sizeof cookie);
  introduction.start_at = pair->world->now;
  node_introduce (&pair->b, &introduction);
  introduction.is_caller = TRUE;
  hp_candidates_add (&introduction.candidates, &pair->b.host->addresses[0],
                     HP_CANDIDATE_HOST, NULL);
  node_introduce (&pair->a, &introduction);

  pair_run_for (pair, 300 * MS);
  g_assert_cmpuint (pair->b.n_identified, ==, 1);
  g_assert_cmpuint (pair->b.n_pulled, ==, 0);
  g_assert_cmpmem (hp_link_get_remote_public (pair->b.link), HP_KEY_SIZE,
                   pair->a.keys.public_key, HP_KEY_SIZE);
  hp_link_accept (pair->b.link, pair->world->now);
  node_pump (&pair->b);
  g_assert_true (pair_run_until_ready (pair, SECOND));
  node_send (&pair->b, HP_STREAM_ORDERED, 20);
  g_assert_true (pair_run_until_delivered (pair, SECOND));
}

typedef struct
{
  guint8 bytes[HP_INITIATION_MAX_SIZE];
  gsize length;
} Kept;

static gboolean
keep_initiation (gpointer user_data, SimHost *from, const HpOutgoing *outgoing)
{
  Kept *kept = user_data;

  if (outgoing->bytes[0] == HP_PACKET_INITIATION)
    {
      memcpy (kept->bytes, outgoing->bytes, outgoing->length);
      kept->length = outgoing->length;
    }
  return TRUE;
}

/* A recorded INITIATION from elsewhere and everywhere, at once and later: the
 * session goes on, and never is more than one datagram sent for it */
static void
test_replayed_initiation (void)
{
  g_autoptr (Pair) pair = pair_new (12, SIM_OPEN, SIM_OPEN);
  Kept kept = { .length = 0 };
  guint i;

  pair->world->filter = keep_initiation;
  pair->world->filter_data = &kept;
  pair_connect (pair);
  g_assert_cmpuint (kept.length, >, 0);

  for (i = 0; i < 200; i++)
    {
      HpDatagram datagram = { .length = kept.length };
      guint8 copy[HP_INITIATION_MAX_SIZE];
      guint before = pair->b.n_pulled;
      g_autofree char *from = g_strdup_printf ("192.0.2.%u:9", i % 100);

      memcpy (copy, kept.bytes, kept.length);
      datagram.bytes = copy;
      g_assert_true (hp_address_parse (&datagram.route.remote, from));
      pair->b.host->receive (&pair->b, &datagram);
      g_assert_cmpuint (pair->b.n_pulled - before, <=, 1);
      pair_run_for (pair, 20 * MS);
    }
  g_assert_cmpuint (pair->b.n_confirmed, ==, 1);
  g_assert_cmpuint (pair->a.n_silent + pair->b.n_silent, ==, 0);
  node_assert_route (&pair->b, "198.18.1.2:4222");
  node_send (&pair->a, HP_STREAM_ORDERED, 5000);
  node_send (&pair->b, HP_STREAM_ORDERED, 5000);
  g_assert_true (pair_run_until_delivered (pair, SECOND));
}

static gboolean
drop_data_of (gpointer user_data, SimHost *from, const HpOutgoing *outgoing)
{
  return from != user_data
         || (outgoing->bytes[0] != HP_PACKET_DATA_0
             && outgoing->bytes[0] != HP_PACKET_DATA_1);
}

/* Before a DATA has opened the responder sends RESPONSEs and PROBEs, and takes
 * nothing for granted */
static void
test_responder_waits (void)
{
  g_autoptr (Pair) pair = pair_new (13, SIM_OPEN, SIM_OPEN);

  pair->world->filter = drop_data_of;
  pair->world->filter_data = pair->a.host;
  node_send (&pair->b, HP_STREAM_ORDERED, 10);
  pair_introduce (pair, &pair->a, NULL);
  pair_run_for (pair, 2 * SECOND);
  g_assert_cmpuint (pair->a.n_ready, ==, 1);
  g_assert_cmpuint (pair->b.n_confirmed, ==, 0);
  g_assert_cmpuint (pair->a.n_received, ==, 0);

  /* The first DATA is repeated: within a second it is heard */
  pair->world->filter = NULL;
  g_assert_true (pair_run_until_ready (pair, 4 * SECOND));
  g_assert_true (pair_run_until_delivered (pair, SECOND));
}

/* The first DATA is lost; the next comes long before the transport's first
 * timeout, a second */
static gboolean
drop_first_data (gpointer user_data, SimHost *from, const HpOutgoing *outgoing)
{
  guint *n_dropped = user_data;

  return outgoing->bytes[0] != HP_PACKET_DATA_0 || (*n_dropped)++ > 0;
}

static void
test_first_data_lost (void)
{
  g_autoptr (Pair) pair = pair_new (18, SIM_OPEN, SIM_OPEN);
  gint64 begin = pair->world->now;
  guint n_dropped = 0;

  pair->world->filter = drop_first_data;
  pair->world->filter_data = &n_dropped;
  pair_connect (pair);
  g_assert_cmpint (pair->b.ready_at - begin, <=,
                   START + ROUND_TRIP * 3 / 2 + 2 * ROUND_TRIP + 10 * MS);
}

/* The other side has forgotten its session, and says so */
static void
answer_unknown (gpointer user_data, const HpDatagram *datagram)
{
  Node *self = user_data;
  guint8 bytes[HP_UNKNOWN_SIZE];
  HpOutgoing outgoing = { .bytes = bytes, .capacity = sizeof bytes };
  HpDataHeader header;
  HpUnknown unknown;
  HpWriter writer;

  if (!hp_packet_parse_data (&header, datagram->bytes, datagram->length))
    return;
  unknown.receiver_index = header.receiver_index;
  unknown.number = header.number;
  hp_writer_init (&writer, bytes, sizeof bytes);
  hp_packet_write_unknown (&unknown, &writer);
  outgoing.length = writer.offset;
  outgoing.route.remote = datagram->route.remote;
  sim_host_send (self->host, &outgoing);
}

static void
test_forgotten (void)
{
  g_autoptr (Pair) pair = pair_new (19, SIM_OPEN, SIM_OPEN);
  gint64 begin;
  guint before;

  pair_connect (pair);
  pair_run_for (pair, SECOND);
  /* The responder, who says nothing that would wait for an acknowledgement:
   * but for the hints it would take two and a half seconds */
  pair->a.host->receive = answer_unknown;
  begin = pair->world->now;
  before = pair->b.n_pulled;
  hp_link_check_paths (pair->b.link, FALSE, pair->world->now);
  node_pump (&pair->b);
  pair_run_for (pair, 2 * SECOND);
  g_assert_cmpuint (pair->b.n_silent, ==, 1);
  g_assert_cmpint (pair->b.silent_at - begin, <=, 1300 * MS);
  /* The hints made no storm */
  g_assert_cmpuint (pair->b.n_pulled - before, <=, 15);
}

static void
test_unknown (void)
{
  g_autoptr (Pair) pair = pair_new (14, SIM_OPEN, SIM_OPEN);
  HpUnknown unknown = { .number = 1 };
  guint8 bytes[HP_UNKNOWN_SIZE];
  HpDatagram datagram = { .bytes = bytes, .length = sizeof bytes };
  gint64 begin;
  HpWriter writer;
  guint i, before;

  pair_connect (pair);
  pair_run_for (pair, SECOND);
  datagram.route.remote = pair->b.host->addresses[0];

  /* Forged ones: at most a challenge each quarter of a second */
  before = pair->a.n_pulled;
  for (i = 0; i < 1000; i++)
    {
      unknown.receiver_index = i;
      hp_writer_init (&writer, bytes, sizeof bytes);
      hp_packet_write_unknown (&unknown, &writer);
      pair->a.host->receive (&pair->a, &datagram);
    }
  g_assert_cmpuint (pair->a.n_pulled, ==, before);

  /* The other side has forgotten all: its link is gone, a new one knows
   * nothing of the session */
  node_renew (&pair->b, pair->a.keys.public_key);
  hp_link_check_paths (pair->a.link, FALSE, pair->world->now);
  node_pump (&pair->a);
  begin = pair->world->now;
  pair_run_for (pair, 4 * SECOND);
  g_assert_cmpuint (pair->a.n_silent, >=, 1);
  g_assert_cmpint (pair->a.silent_at - begin, <=, 3 * SECOND);
}

static HpSession *
become (Pair *pair, Node *node)
{
  /* A session of the test's own in the place of the callee */
  HpIntroduction introduction = { .suites = hp_crypto_get_suites (),
                                  .is_caller = TRUE,
                                  .start_at = pair->world->now };
  guint8 secret[HP_TICKET_SECRET_SIZE] = { 7 };
  guint8 buffer[HP_DATAGRAM_SIZE_MAX];
  HpOutgoing outgoing = { .bytes = buffer, .capacity = sizeof buffer };
  HpDatagram datagram = { 0 };
  HpInitiation initiation;
  HpHandshakeResult result;
  HpKeptResponse kept;
  HpSession *session = NULL;
  guint8 remote[HP_KEY_SIZE];
  guint8 parameters[HP_MAX_PARAMETERS_SIZE];
  HpParameters ours = HP_PARAMETERS_INIT;
  HpWriter writer;
  guint8 response[HP_RESPONSE_MAX_SIZE];
  guint8 token[HP_TOKEN_SIZE] = { 9 };

  hp_ticket_init (&introduction.ticket, 5, secret, sizeof secret);
  hp_candidates_add (&introduction.candidates, &pair->b.host->addresses[0],
                     HP_CANDIDATE_HOST, NULL);
  hp_link_introduce (node->link, &introduction, pair->world->now);
  g_assert_true (hp_link_pull (node->link, &outgoing, pair->world->now));
  g_assert_true (hp_packet_parse_initiation (&initiation, buffer,
                                             outgoing.length));
  ours.max_data = 1 << 20;
  hp_writer_init (&writer, parameters, sizeof parameters);
  hp_parameters_write (&ours, &writer);
  g_assert_cmpint (
      hp_handshake_respond (&initiation, buffer, &introduction.ticket,
                            &pair->b.keys, pair->a.keys.public_key, 1234,
                            parameters, writer.offset, HP_REPLAY_WINDOW_PEER,
                            &pair->world->random, pair->world->now, remote,
                            &result, &kept, &session),
      ==, HP_HANDSHAKE_OK);
  datagram.bytes = response;
  datagram.length = hp_handshake_write_response (&kept, initiation.token,
                                                 token, response,
                                                 sizeof response);
  datagram.route = outgoing.route;
  hp_link_receive (node->link, &datagram, pair->world->now);
  node_pump (node);
  g_assert_cmpuint (node->n_ready, ==, 1);
  return session;
}

/* Frames of the match server, and an ACK for what was never sent, end it */
static void
forge (Pair *pair, HpSession *session, const guint8 *plain, gsize length)
{
  guint8 packet[1500];
  HpDatagram datagram = { .bytes = packet };

  memcpy (packet + HP_DATA_HEADER_SIZE, plain, length);
  datagram.length = hp_session_seal (session, packet, length,
                                     pair->world->now);
  datagram.route.remote = pair->b.host->addresses[0];
  pair->a.host->receive (&pair->a, &datagram);
}

static void
test_protocol (gconstpointer data)
{
  static const struct
  {
    guint8 plain[16];
    gsize length;
    gboolean is_good;
  } cases[] = {
    { { HP_FRAME_PING }, 1, TRUE },
    { { 0 }, 0, TRUE },
    { { HP_FRAME_ACK, 0, 0, 0, 0 }, 5, TRUE },
    /* Beyond the largest number sent */
    { { HP_FRAME_ACK, 0x3f, 0, 0, 0 }, 5, FALSE },
    /* Of no known type, cut short, for the match server */
    { { 0x3f }, 1, FALSE },
    { { HP_FRAME_PING, HP_FRAME_PATH_CHALLENGE, 1, 2 }, 4, FALSE },
    { { HP_FRAME_UNREGISTER, 1, 2, 'i', 'd' }, 5, FALSE },
    { { HP_FRAME_REFUSED, 1, 1 }, 3, FALSE },
    { { HP_FRAME_OBSERVED, 4, 1, 2, 192, 0, 2, 1 }, 8, FALSE },
  };
  guint i = GPOINTER_TO_UINT (data);
  g_autoptr (Pair) pair = pair_new (15, SIM_OPEN, SIM_OPEN);
  g_autoptr (HpSession) session = NULL;

  if (i >= G_N_ELEMENTS (cases))
    return;
  pair->b.host->receive = NULL;
  session = become (pair, &pair->a);
  forge (pair, session, cases[i].plain, cases[i].length);
  if (cases[i].is_good)
    {
      g_assert_cmpuint (pair->a.n_closed, ==, 0);
      return;
    }
  g_assert_cmpuint (pair->a.n_closed, ==, 1);
  g_assert_cmpint (pair->a.closed_by, ==, HP_LINK_CLOSED_PROTOCOL);
}

/* Hands an INITIATION with @ticket to one that has a session: it stays */
static void
test_second_session (void)
{
  g_autoptr (Pair) pair = pair_new (16, SIM_OPEN, SIM_OPEN);
  g_autoptr (HpLink) rival = NULL;

  pair_connect (pair);
  /* A new link at a's, with a new introduction, calls b's established one */
  rival = g_steal_pointer (&pair->a.link);
  node_renew (&pair->a, pair->b.keys.public_key);
  pair->a.n_confirmed = pair->a.n_ready = 0;
  pair_introduce (pair, &pair->a, NULL);
  pair_run_for (pair, 3 * SECOND);
  g_assert_cmpuint (pair->a.n_confirmed, ==, 0);
  g_assert_cmpuint (pair->b.n_confirmed, ==, 1);
}

static void
test_has_ticket (void)
{
  g_autoptr (Pair) pair = pair_new (17, SIM_OPEN, SIM_OPEN);

  g_assert_false (hp_link_has_ticket (pair->a.link, 1));
  pair_connect (pair);
  g_assert_true (hp_link_has_ticket (pair->a.link, 1));
  g_assert_true (hp_link_has_ticket (pair->b.link, 1));
  g_assert_false (hp_link_has_ticket (pair->b.link, 2));
}

/* Another introduction leaves it as it is */
static void
test_session_ticket (void)
{
  g_autoptr (Pair) pair = pair_new (18, SIM_OPEN, SIM_OPEN);

  g_assert_cmpuint (hp_link_get_session_ticket (pair->a.link), ==, 0);
  pair_connect (pair);
  g_assert_cmpuint (hp_link_get_session_ticket (pair->a.link), ==, 1);
  g_assert_cmpuint (hp_link_get_session_ticket (pair->b.link), ==, 1);
  pair_introduce (pair, &pair->a, NULL);
  pair_run_for (pair, SECOND);
  g_assert_true (hp_link_has_ticket (pair->b.link, 2));
  g_assert_cmpuint (hp_link_get_session_ticket (pair->a.link), ==, 1);
  g_assert_cmpuint (hp_link_get_session_ticket (pair->b.link), ==, 1);
}

int
main (int argc, char **argv)
{
  guint i;

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/link/connect", test_connect);
  g_test_add_func ("/link/first-messages", test_first_messages);
  g_test_add_func ("/link/messages", test_messages);
  g_test_add_func ("/link/key-update", test_key_update);
  g_test_add_data_func ("/link/close/by-caller", GINT_TO_POINTER (FALSE),
                        test_close);
  g_test_add_data_func ("/link/close/by-callee", GINT_TO_POINTER (TRUE),
                        test_close);
  g_test_add_func ("/link/close/again", test_close_again);
  g_test_add_func ("/link/close-acknowledges", test_close_acknowledges);
  g_test_add_func ("/link/close/early", test_close_early);
  g_test_add_func ("/link/unreachable", test_unreachable);
  for (i = 0; i <= 120; i += 20)
    {
      g_autofree char *name = g_strdup_printf ("/link/simultaneous/%u", i);

      g_test_add_data_func (name, GINT_TO_POINTER (i), test_simultaneous);
    }
  g_test_add_func ("/link/wrong-secret", test_wrong_secret);
  g_test_add_data_func ("/link/wrong-identity/of-caller",
                        GINT_TO_POINTER (FALSE), test_wrong_identity);
  g_test_add_data_func ("/link/wrong-identity/of-callee",
                        GINT_TO_POINTER (TRUE), test_wrong_identity);
  g_test_add_func ("/link/direct", test_direct);
  g_test_add_func ("/link/replayed-initiation", test_replayed_initiation);
  g_test_add_func ("/link/responder-waits", test_responder_waits);
  g_test_add_func ("/link/first-data-lost", test_first_data_lost);
  g_test_add_func ("/link/unknown", test_unknown);
  g_test_add_func ("/link/forgotten", test_forgotten);
  for (i = 0; i < 9; i++)
    {
      g_autofree char *name = g_strdup_printf ("/link/protocol/%u", i);

      g_test_add_data_func (name, GUINT_TO_POINTER (i), test_protocol);
    }
  g_test_add_func ("/link/second-session", test_second_session);
  g_test_add_func ("/link/has-ticket", test_has_ticket);
  g_test_add_func ("/link/session-ticket", test_session_ticket);
  return g_test_run ();
}
