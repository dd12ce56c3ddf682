/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A peer that is who it says it is, and means no good; and what is to go on
 * while nobody can be reached.
 */

#include "hole-punch/link/hp-link-private.h"
#include "link-pair.h"

#include <string.h>

static void
send_with_lifetime (Node *self, gint64 lifetime)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static ("12345678", 8);
  gint64 now = self->pair->world->now;
  guint64 *stream = g_new (guint64, 1);

  *stream = hp_link_send_message (self->link, HP_STREAM_UNRELIABLE, bytes,
                                  now + lifetime, now);
  g_hash_table_insert (self->expected, stream, GSIZE_TO_POINTER (1));
  node_pump (self);
}

/* A message's lifetime ends in time, whether it could be sent or not */
static void
test_expiry_silent (void)
{
  g_autoptr (Pair) pair = pair_new (1, SIM_OPEN, SIM_OPEN);

  pair_connect (pair);
  pair->b.host->is_cut = TRUE;
  pair_run_for (pair, 15 * SECOND);
  g_assert_cmpint (hp_link_get_state (pair->a.link), ==, HP_LINK_SILENT);
  send_with_lifetime (&pair->a, 300 * MS);
  pair_run_for (pair, 299 * MS);
  g_assert_cmpuint (pair->a.n_failed, ==, 0);
  pair_run_for (pair, 2 * MS);
  g_assert_cmpuint (pair->a.n_failed, ==, 1);
}

static void
test_expiry_early (void)
{
  g_autoptr (Pair) pair = pair_new (2, SIM_OPEN, SIM_OPEN);

  send_with_lifetime (&pair->a, 300 * MS);
  pair->b.host->is_cut = TRUE;
  pair_introduce (pair, &pair->a, NULL);
  pair_run_for (pair, 301 * MS);
  g_assert_cmpuint (pair->a.n_failed, ==, 1);
  g_assert_cmpint (hp_link_get_state (pair->a.link), ==, HP_LINK_CONNECTING);
}

typedef struct
{
  Pair *pair;
  HpAddress victim;
  guint64 n_in, n_out; /* bytes in the victim's name, and to the victim */
} Spoof;

static gboolean
spoof (gpointer user_data, SimHost *from, const HpOutgoing *outgoing)
{
  Spoof *self = user_data;
  HpDatagram datagram = { .length = outgoing->length };
  guint8 copy[HP_DATAGRAM_SIZE_MAX];

  if (from == self->pair->b.host)
    {
      if (memcmp (outgoing->route.remote.ip, self->victim.ip, 3) == 0)
        self->n_out += outgoing->length;
      return TRUE;
    }
  memcpy (copy, outgoing->bytes, outgoing->length);
  datagram.bytes = copy;
  datagram.route.remote = self->victim;
  self->n_in += outgoing->length;
  self->pair->b.host->receive (&self->pair->b, &datagram);
  return FALSE;
}

/* The caller has the callee send it much, in the name of others: they get
 * three times what was sent in their name, and a few challenges */
static void
test_bounce (gconstpointer data)
{
  gboolean one_host = GPOINTER_TO_INT (data);
  g_autoptr (Pair) pair = pair_new (3, SIM_OPEN, SIM_OPEN);
  Spoof self = { .pair = pair };
  guint i;

  pair_connect (pair);
  pair_run_for (pair, 5 * SECOND);
  node_send (&pair->b, HP_STREAM_UNORDERED, 4 << 20);
  node_pump (&pair->b);
  pair_run_for (pair, 100 * MS);

  g_assert_true (hp_address_parse (&self.victim, "192.0.2.1:53"));
  pair->world->filter = spoof;
  pair->world->filter_data = &self;
  for (i = 0; i < 40; i++)
    {
      if (one_host)
        self.victim.port++;
      else
        self.victim.ip[3]++;
      node_send (&pair->a, HP_STREAM_UNORDERED, 8);
      node_pump (&pair->a);
      pair_run_for (pair, 20 * MS);
    }
  g_assert_cmpuint (self.n_in, >, 1000);
  g_assert_cmpuint (self.n_out, >, 1000);
  g_assert_cmpuint (self.n_out, <=, 6 * self.n_in);
}

static gboolean
keep_token (gpointer user_data, SimHost *from, const HpOutgoing *outgoing)
{
  HpResponse response;

  if (hp_packet_parse_response (&response, outgoing->bytes, outgoing->length))
    memcpy (user_data, response.own_token, HP_TOKEN_SIZE);
  return TRUE;
}

/* The token of a RESPONSE proves where that was received, then; not for ever
 * to whoever keeps it */
static void
test_old_token (void)
{
  g_autoptr (Pair) pair = pair_new (4, SIM_OPEN, SIM_OPEN);
  guint8 token[HP_TOKEN_SIZE] = { 0 };
  guint8 packet[HP_DATAGRAM_SIZE_DEFAULT];
  HpDatagram datagram = { .bytes = packet };
  HpPath *path;

  pair->world->filter = keep_token;
  pair->world->filter_data = token;
  pair_connect (pair);
  datagram.route.remote = pair->a.host->addresses[0];
  sim_host_move (pair->a.host, pair->nat_a, "198.18.7.7:4222");
  hp_link_check_paths (pair->a.link, FALSE, pair->world->now);
  node_pump (&pair->a);
  pair_run_for (pair, 50 * SECOND);
  node_assert_route (&pair->b, "198.18.7.7:4222");
  g_assert_null (hp_link_find_path (pair->b.link, &datagram.route));

  packet[HP_DATA_HEADER_SIZE] = HP_FRAME_PATH_RESPONSE;
  memcpy (packet + HP_DATA_HEADER_SIZE + 1, token, HP_TOKEN_SIZE);
  datagram.length = hp_session_seal (pair->a.link->session, packet,
                                     1 + HP_TOKEN_SIZE, pair->world->now);
  hp_link_receive (pair->b.link, &datagram, pair->world->now);
  path = hp_link_find_path (pair->b.link, &datagram.route);
  g_assert_nonnull (path);
  g_assert_false (path->is_proven);
}

static gboolean
count_responses (gpointer user_data, SimHost *from, const HpOutgoing *outgoing)
{
  guint *n_responses = user_data;

  *n_responses += outgoing->bytes[0] == HP_PACKET_RESPONSE;
  return TRUE;
}

/* Public-key operations for a few INITIATIONs, not for any number */
static void
test_many_initiations (void)
{
  g_autoptr (Pair) pair = pair_new (5, SIM_OPEN, SIM_OPEN);
  HpIntroduction introduction = { .suites = hp_crypto_get_suites (),
                                  .start_at = pair->world->now,
                                  .punch = TRUE };
  guint8 secret[HP_TICKET_SECRET_SIZE] = { 7 };
  guint8 token[HP_TOKEN_SIZE] = { 0 };
  guint8 parameters[1];
  guint n_responses = 0;
  guint i;

  hp_ticket_init (&introduction.ticket, 5, secret, sizeof secret);
  node_introduce (&pair->b, &introduction);
  pair->world->filter = count_responses;
  pair->world->filter_data = &n_responses;
  for (i = 0; i < 200; i++)
    {
      g_autoptr (HpHandshake) handshake = hp_handshake_new (
          HP_SUITE_CHACHA_POLY, &introduction.ticket, &pair->a.keys,
          pair->b.keys.public_key, 2 * i, parameters, 0,
          &pair->world->random);
      guint8 bytes[HP_INITIATION_MAX_SIZE];
      HpDatagram datagram = { .bytes = bytes };

      datagram.length = hp_handshake_write_initiation (handshake, token, bytes,
                                                       sizeof bytes);
      datagram.route.remote = pair->a.host->addresses[0];
      pair->b.host->receive (&pair->b, &datagram);
    }
  g_assert_cmpuint (n_responses, >=, 1);
  g_assert_cmpuint (n_responses, <=, 8);
}

/* Who has tried so often to guess a tag is not to succeed in the end. */
static void
test_exhausted (void)
{
  g_autoptr (Pair) pair = pair_new (6, SIM_OPEN, SIM_OPEN);
  HpLinkStatistics statistics;
  guint i;

  pair_connect (pair);
  hp_session_set_max_forged (pair->b.link->session, 5);
  for (i = 0; i < 6; i++)
    {
      guint8 packet[HP_DATA_OVERHEAD + 8] = { 0 };
      HpDatagram datagram = { .bytes = packet };

      g_assert_cmpint (hp_link_get_state (pair->b.link), ==, HP_LINK_READY);
      datagram.route = *hp_link_get_route (pair->b.link);
      datagram.length = hp_session_seal (pair->a.link->session, packet, 8,
                                         pair->world->now);
      packet[HP_DATA_HEADER_SIZE] ^= 1;
      hp_link_receive (pair->b.link, &datagram, pair->world->now);
    }
  g_assert_cmpint (hp_link_get_state (pair->b.link), ==, HP_LINK_CLOSED);
  hp_link_get_statistics (pair->b.link, &statistics);
  g_assert_cmpuint (statistics.dropped_forged, ==, 5);
  /* And tells the other one */
  node_pump (&pair->b);
  pair_run_for (pair, 1 * SECOND);
  g_assert_cmpint (hp_link_get_state (pair->a.link), ==, HP_LINK_CLOSED);
}

/* Numbers that are left out */

typedef struct
{
  SimHost *from;
  guint64 next;
  guint64 n_skipped, newest; /* numbers that were left out */
} Numbers;

static gboolean
count_numbers (gpointer user_data, SimHost *from, const HpOutgoing *outgoing)
{
  Numbers *self = user_data;
  HpDataHeader header;

  if (from != self->from
      || !hp_packet_parse_data (&header, outgoing->bytes, outgoing->length))
    return TRUE;
  g_assert_cmpuint (header.number, >=, self->next);
  /* Never two beside each other */
  g_assert_cmpuint (header.number, <=, self->next + 1);
  if (header.number > self->next)
    {
      self->n_skipped++;
      self->newest = self->next;
    }
  self->next = header.number + 1;
  return TRUE;
}

static void
transfer_and_count (Pair *pair, Numbers *numbers)
{
  numbers->from = pair->a.host;
  pair->world->filter = count_numbers;
  pair->world->filter_data = numbers;
  pair_connect (pair);
  for (guint i = 0; i < 30 || numbers->next < numbers->newest + 20; i++)
    {
      node_send (&pair->a, HP_STREAM_ORDERED, i < 30 ? 500000 : 1000);
      g_assert_true (pair_run_until_delivered (pair, 30 * SECOND));
    }
  node_assert_received_all (&pair->b);
}

/* An honest peer does not even notice */
static void
test_skipped_numbers (void)
{
  g_autoptr (Pair) pair = pair_new (5, SIM_OPEN, SIM_OPEN);
  Numbers numbers = { 0 };

  transfer_and_count (pair, &numbers);
  /* One in a few thousand packets */
  g_assert_cmpuint (numbers.n_skipped, >, numbers.next / 8192);
  g_assert_cmpuint (numbers.n_skipped, <, numbers.next / 256);
  g_assert_cmpint (hp_link_get_state (pair->a.link), ==, HP_LINK_READY);
}

/* Whoever acknowledges blindly, to be sent more, is found out */
static void
test_pretended_number (void)
{
  g_autoptr (Pair) pair = pair_new (5, SIM_OPEN, SIM_OPEN);
  Numbers numbers = { 0 };

  transfer_and_count (pair, &numbers);
  g_assert_cmpuint (numbers.n_skipped, >, 0);
  hp_transport_packet_received (pair->b.link->transport, numbers.newest, TRUE,
                                HP_ECN_NOT_ECT, pair->world->now);
  node_send (&pair->a, HP_STREAM_ORDERED, 3000);
  node_pump (&pair->a);
  pair_run_for (pair, SECOND);
  g_assert_cmpint (pair->a.closed_by, ==, HP_LINK_CLOSED_PROTOCOL);
  g_assert_cmpint (pair->b.closed_by, ==, HP_LINK_CLOSED_BY_REMOTE);
  g_assert_cmpuint (pair->b.close_code, ==, HP_CLOSE_PROTOCOL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/link/hostile/expiry-silent", test_expiry_silent);
  g_test_add_func ("/link/hostile/expiry-early", test_expiry_early);
  g_test_add_data_func ("/link/hostile/bounce/hosts", GINT_TO_POINTER (FALSE),
                        test_bounce);
  g_test_add_data_func ("/link/hostile/bounce/ports", GINT_TO_POINTER (TRUE),
                        test_bounce);
  g_test_add_func ("/link/hostile/old-token", test_old_token);
  g_test_add_func ("/link/hostile/many-initiations", test_many_initiations);
  g_test_add_func ("/link/hostile/exhausted", test_exhausted);
  g_test_add_func ("/link/hostile/skipped-numbers", test_skipped_numbers);
  g_test_add_func ("/link/hostile/pretended-number", test_pretended_number);
  return g_test_run ();
}
