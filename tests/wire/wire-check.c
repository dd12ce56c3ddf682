/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "wire-check.h"

#include "hole-punch/wire/hp-packet.h"
#include "hole-punch/wire/hp-parameters.h"
#include "hole-punch/wire/hp-stun.h"

#include <string.h>

GBytes *
hp_unhex (const char *text)
{
  GByteArray *bytes = g_byte_array_new ();

  while (*text != '\0')
    {
      guint8 byte;

      if (g_ascii_isspace (*text))
        {
          text++;
          continue;
        }
      g_assert_true (g_ascii_isxdigit (text[0])
                     && g_ascii_isxdigit (text[1]));
      byte = g_ascii_xdigit_value (text[0]) << 4
             | g_ascii_xdigit_value (text[1]);
      g_byte_array_append (bytes, &byte, 1);
      text += 2;
    }
  return g_byte_array_free_to_bytes (bytes);
}

static gboolean
bytes_equal (const HpBytes *a, const HpBytes *b)
{
  return a->length == b->length
         && (a->length == 0 || memcmp (a->data, b->data, a->length) == 0);
}

static gboolean
candidates_equal (const HpWireCandidates *a, const HpWireCandidates *b)
{
  if (a->n_candidates != b->n_candidates)
    return FALSE;
  for (guint i = 0; i < a->n_candidates; i++)
    {
      const HpWireCandidate *left = &a->candidates[i];
      const HpWireCandidate *right = &b->candidates[i];

      if (!hp_address_equal (&left->address, &right->address)
          || left->kind != right->kind
          || left->has_proof != right->has_proof
          || memcmp (left->proof, right->proof, HP_PROOF_SIZE) != 0)
        return FALSE;
    }
  return TRUE;
}

static gboolean
nats_equal (const HpNatFacts *a, const HpNatFacts *b)
{
  return hp_nat_facts_same_kind (a, b) && a->drift == b->drift
         && a->port == b->port && a->age == b->age
         && a->first_port == b->first_port && a->last_port == b->last_port;
}

static gboolean
relays_equal (const HpFrame *a, const HpFrame *b)
{
  if (a->relays.request != b->relays.request
      || a->relays.lifetime != b->relays.lifetime
      || a->relays.n_relays != b->relays.n_relays)
    return FALSE;
  for (guint i = 0; i < a->relays.n_relays; i++)
    {
      const HpWireRelay *left = &a->relays.relays[i];
      const HpWireRelay *right = &b->relays.relays[i];

      if (!bytes_equal (&left->uri, &right->uri)
          || !bytes_equal (&left->username, &right->username)
          || !bytes_equal (&left->password, &right->password))
        return FALSE;
    }
  return TRUE;
}

static gboolean
acks_equal (const HpAckFrame *a, const HpAckFrame *b)
{
  return a->largest == b->largest && a->delay == b->delay
         && a->n_ranges == b->n_ranges
         && memcmp (a->ranges, b->ranges, a->n_ranges * sizeof (HpRange))
                == 0
         && a->has_marks == b->has_marks
         && (!a->has_marks
             || memcmp (&a->marks, &b->marks, sizeof a->marks) == 0);
}

static gboolean
chunks_equal (const HpChunkFrame *a, const HpChunkFrame *b)
{
  return a->stream == b->stream && a->offset == b->offset && a->fin == b->fin
         && a->total == b->total && bytes_equal (&a->bytes, &b->bytes);
}

static gboolean
match_frames_equal (const HpFrame *a, const HpFrame *b)
{
  switch (a->type)
    {
    case HP_FRAME_REGISTER:
    case HP_FRAME_UNREGISTER:
      return a->reg.request == b->reg.request && a->reg.flags == b->reg.flags
             && a->reg.suites == b->reg.suites
             && nats_equal (&a->reg.nat, &b->reg.nat)
             && bytes_equal (&a->reg.id, &b->reg.id);
    case HP_FRAME_REGISTERED:
      return a->registered.request == b->registered.request
             && a->registered.lifetime == b->registered.lifetime
             && hp_address_equal (&a->registered.observed,
                                  &b->registered.observed);
    case HP_FRAME_REFUSED:
      return a->refused.request == b->refused.request
             && a->refused.code == b->refused.code;
    case HP_FRAME_ASK:
      return a->ask.request == b->ask.request
             && a->ask.by_key == b->ask.by_key
             && bytes_equal (&a->ask.target, &b->ask.target)
             && a->ask.suites == b->ask.suites
             && a->ask.round_trip == b->ask.round_trip
             && nats_equal (&a->ask.nat, &b->ask.nat)
             && candidates_equal (&a->ask.candidates, &b->ask.candidates);
    case HP_FRAME_REPLY:
      return a->reply.ticket_number == b->reply.ticket_number
             && a->reply.accept == b->reply.accept
             && a->reply.suites == b->reply.suites
             && a->reply.round_trip == b->reply.round_trip
             && nats_equal (&a->reply.nat, &b->reply.nat)
             && candidates_equal (&a->reply.candidates,
                                  &b->reply.candidates);
    case HP_FRAME_ANSWER:
    case HP_FRAME_INTRODUCE:
      return a->introduction.request == b->introduction.request
             && a->introduction.flags == b->introduction.flags
             && memcmp (a->introduction.public_key,
                        b->introduction.public_key, HP_KEY_SIZE)
                    == 0
             && bytes_equal (&a->introduction.id, &b->introduction.id)
             && bytes_equal (&a->introduction.wanted_id,
                             &b->introduction.wanted_id)
             && a->introduction.suites == b->introduction.suites
             && a->introduction.round_trip == b->introduction.round_trip
             && a->introduction.ticket.number
                    == b->introduction.ticket.number
             && memcmp (a->introduction.ticket.secret,
                        b->introduction.ticket.secret, HP_TICKET_SECRET_SIZE)
                    == 0
             && hp_address_equal (&a->introduction.observed,
                                  &b->introduction.observed)
             && nats_equal (&a->introduction.nat, &b->introduction.nat)
             && candidates_equal (&a->introduction.candidates,
                                  &b->introduction.candidates);
    case HP_FRAME_OBSERVED:
      return hp_address_equal (&a->observed.address, &b->observed.address);
    case HP_FRAME_RELAY_REQUEST:
      return a->relay_request.request == b->relay_request.request;
    case HP_FRAME_RELAYS:
      return relays_equal (a, b);
    case HP_FRAME_KNOCK:
      return hp_address_equal (&a->knock.address, &b->knock.address)
             && memcmp (a->knock.proof, b->knock.proof, HP_PROOF_SIZE) == 0
             && a->knock.flags == b->knock.flags
             && memcmp (a->knock.transaction, b->knock.transaction,
                        HP_STUN_TRANSACTION_SIZE)
                    == 0;
    case HP_FRAME_KNOCKED:
      return a->knocked.flags == b->knocked.flags
             && memcmp (a->knocked.transaction, b->knocked.transaction,
                        HP_STUN_TRANSACTION_SIZE)
                    == 0;
    default:
      g_assert_not_reached ();
    }
}

gboolean
hp_frames_equal (const HpFrame *a, const HpFrame *b)
{
  if (a->type != b->type)
    return FALSE;
  switch (a->type)
    {
    case HP_FRAME_PADDING:
      return a->padding_length == b->padding_length;
    case HP_FRAME_PING:
      return TRUE;
    case HP_FRAME_ACK:
    case HP_FRAME_ACK_ECN:
      return acks_equal (&a->ack, &b->ack);
    case HP_FRAME_CLOSE:
      return a->close.code == b->close.code
             && bytes_equal (&a->close.reason, &b->close.reason);
    case HP_FRAME_CHUNK:
      return chunks_equal (&a->chunk, &b->chunk);
    case HP_FRAME_RESET:
    case HP_FRAME_STOP:
      return a->reset.stream == b->reset.stream
             && a->reset.code == b->reset.code
             && a->reset.final_size == b->reset.final_size;
    case HP_FRAME_MAX_DATA:
    case HP_FRAME_MAX_STREAM_DATA:
    case HP_FRAME_MAX_STREAMS:
      return a->max.stream == b->max.stream
             && a->max.maximum == b->max.maximum;
    case HP_FRAME_PATH_CHALLENGE:
    case HP_FRAME_PATH_RESPONSE:
      return memcmp (a->token, b->token, HP_TOKEN_SIZE) == 0;
    case HP_FRAME_CANDIDATES:
      return candidates_equal (&a->candidates, &b->candidates);
    case HP_FRAME_NAT:
      return nats_equal (&a->nat, &b->nat);
    default:
      return match_frames_equal (a, b);
    }
}

static void
check_frame (const HpFrame *frame, gsize size)
{
  g_autofree guint8 *buffer = g_malloc (size);
  HpFrame again;
  HpWriter writer;
  HpReader reader;

  /* What the codec writes is never longer than what it read. */
  hp_writer_init (&writer, buffer, size);
  hp_frame_write (frame, &writer);
  g_assert_true (hp_writer_ok (&writer));

  memset (&again, 0x55, sizeof again);
  hp_reader_init (&reader, buffer, writer.offset);
  g_assert_true (hp_frame_parse (&again, &reader));
  g_assert_true (hp_reader_done (&reader));
  g_assert_true (hp_frames_equal (frame, &again));
}

gboolean
hp_check_frames (const guint8 *bytes, gsize length)
{
  HpReader reader;

  hp_reader_init (&reader, bytes, length);
  while (hp_reader_left (&reader) > 0)
    {
      gsize start = reader.offset;
      HpFrame frame;

      /* So that a field that is left unset shows */
      memset (&frame, 0xaa, sizeof frame);
      if (!hp_frame_parse (&frame, &reader))
        return FALSE;
      g_assert_cmpuint (reader.offset, >, start);
      check_frame (&frame, reader.offset - start);
    }
  return TRUE;
}

/* Writes what a datagram parses to; FALSE if it does not parse */
static gboolean
rewrite_packet (const guint8 *bytes, gsize length, HpWriter *writer)
{
  HpHello hello;
  HpCookiePacket cookie;
  HpInitiation initiation;
  HpResponse response;
  HpDataHeader data;
  HpProbe probe;
  HpUnknown unknown;

  switch (bytes[0])
    {
    case HP_PACKET_HELLO:
      if (!hp_packet_parse_hello (&hello, bytes, length))
        return FALSE;
      g_assert_cmpuint (hello.mac_length, ==, 12);
      hp_packet_write_hello (&hello, writer);
      hp_writer_zeros (writer, length - HP_HELLO_MIN_SIZE);
      return TRUE;
    case HP_PACKET_COOKIE:
      if (!hp_packet_parse_cookie (&cookie, bytes, length))
        return FALSE;
      hp_packet_write_cookie (&cookie, writer);
      return TRUE;
    case HP_PACKET_INITIATION:
      if (!hp_packet_parse_initiation (&initiation, bytes, length))
        return FALSE;
      hp_packet_write_initiation_header (&initiation, writer);
      hp_writer_bytes (writer, initiation.noise, initiation.noise_length);
      g_assert_cmpuint (writer->offset, ==, initiation.core_length);
      hp_writer_bytes (writer, initiation.token, HP_TOKEN_SIZE);
      g_assert_cmpuint (writer->offset, ==, initiation.mac_length);
      hp_writer_bytes (writer, initiation.mac, HP_MAC_SIZE);
      return TRUE;
    case HP_PACKET_RESPONSE:
      if (!hp_packet_parse_response (&response, bytes, length))
        return FALSE;
      hp_packet_write_response_header (&response, writer);
      hp_writer_bytes (writer, response.noise, response.noise_length);
      g_assert_cmpuint (writer->offset, ==, response.core_length);
      hp_writer_bytes (writer, response.echoed_token, HP_TOKEN_SIZE);
      hp_writer_bytes (writer, response.own_token, HP_TOKEN_SIZE);
      g_assert_cmpuint (writer->offset, ==, response.mac_length);
      hp_writer_bytes (writer, response.mac, HP_MAC_SIZE);
      return TRUE;
    case HP_PACKET_DATA_0:
    case HP_PACKET_DATA_1:
      if (!hp_packet_parse_data (&data, bytes, length))
        return FALSE;
      hp_packet_write_data_header (&data, writer);
      hp_writer_bytes (writer, bytes + HP_DATA_HEADER_SIZE,
                       length - HP_DATA_HEADER_SIZE);
      return TRUE;
    case HP_PACKET_PROBE:
      if (!hp_packet_parse_probe (&probe, bytes, length))
        return FALSE;
      hp_packet_write_probe_header (&probe, writer);
      g_assert_cmpuint (writer->offset, ==, probe.mac_length);
      hp_writer_bytes (writer, probe.mac, HP_MAC_SIZE);
      return TRUE;
    case HP_PACKET_UNKNOWN:
      if (!hp_packet_parse_unknown (&unknown, bytes, length))
        return FALSE;
      hp_packet_write_unknown (&unknown, writer);
      return TRUE;
    default:
      return FALSE;
    }
}

/* Zeroes what is ignored at reading */
static void
clear_reserved (guint8 *bytes, gsize length)
{
  switch (bytes[0])
    {
    case HP_PACKET_HELLO:
      memset (bytes + 2, 0, 2);
      memset (bytes + 28, 0, length - 28);
      break;
    case HP_PACKET_INITIATION:
    case HP_PACKET_RESPONSE:
      bytes[3] = 0;
      break;
    case HP_PACKET_PROBE:
      memset (bytes + 2, 0, 2);
      break;
    case HP_PACKET_UNKNOWN:
      memset (bytes + 1, 0, 3);
      break;
    default:
      break;
    }
}

gboolean
hp_check_packet (const guint8 *bytes, gsize length)
{
  g_autofree guint8 *copy = NULL;
  g_autofree guint8 *buffer = NULL;
  HpPacketClass class = hp_packet_classify (bytes, length);
  HpWriter writer;
  guint32 receiver;

  if (hp_packet_get_receiver (bytes, length, &receiver))
    g_assert_cmpint (class, ==, HP_PACKET_CLASS_OURS);
  if (length == 0)
    return FALSE;
  buffer = g_malloc (length);
  hp_writer_init (&writer, buffer, length);
  if (!rewrite_packet (bytes, length, &writer))
    return FALSE;

  g_assert_cmpint (class, ==, HP_PACKET_CLASS_OURS);
  g_assert_true (hp_writer_ok (&writer));
  copy = g_memdup2 (bytes, length);
  clear_reserved (copy, length);
  g_assert_cmpmem (buffer, writer.offset, copy, length);
  return TRUE;
}

gboolean
hp_check_parameters (const guint8 *bytes, gsize length)
{
  HpParameters parameters;
  HpParameters again;
  guint8 buffer[HP_MAX_PARAMETERS_SIZE];
  HpWriter writer;

  memset (&parameters, 0xaa, sizeof parameters);
  if (!hp_parameters_parse (&parameters, bytes, length))
    return FALSE;
  hp_writer_init (&writer, buffer, sizeof buffer);
  hp_parameters_write (&parameters, &writer);
  g_assert_true (hp_writer_ok (&writer));
  g_assert_cmpuint (writer.offset, <=, length);
  g_assert_true (hp_parameters_parse (&again, buffer, writer.offset));
  g_assert_cmpmem (&parameters, sizeof parameters, &again, sizeof again);
  return TRUE;
}

gboolean
hp_check_stun (const guint8 *bytes, gsize length)
{
  static const HpAddress from
      = { .family = HP_ADDRESS_IPV4, .port = 7, .ip = { 192, 0, 2, 1 } };
  guint8 transaction[HP_STUN_TRANSACTION_SIZE] = { 0 };
  guint8 response[HP_STUN_MAX_SIZE];
  HpAddress mapped;
  gsize size;

  /* Its own transaction, if it has one, so that the rest is looked at */
  if (length >= 20)
    memcpy (transaction, bytes + 8, sizeof transaction);
  if (hp_stun_consume_response (transaction, bytes, length, &mapped))
    {
      g_assert_true (hp_address_is_usable (&mapped));
      return TRUE;
    }
  if (hp_stun_consume_indication (transaction, bytes, length))
    {
      size = hp_stun_create_indication (transaction, response,
                                        sizeof response);
      g_assert_cmpuint (size, ==, 20);
      /* All but the length of its attributes */
      g_assert_cmpmem (bytes, 2, response, 2);
      g_assert_cmpmem (bytes + 4, 16, response + 4, 16);
      return TRUE;
    }
  size = hp_stun_create_response (bytes, length, &from, &from, response,
                                  sizeof response);
  g_assert_cmpuint (size, <=, sizeof response);
  if (size == 0)
    return FALSE;
  if (hp_stun_consume_response (transaction, response, size, &mapped))
    g_assert_true (hp_address_equal (&mapped, &from));
  return TRUE;
}
