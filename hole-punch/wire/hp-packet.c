/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Every parser checks the whole size first, then reads without asking: all
 * parts of these datagrams are of fixed size but the Noise payloads, which
 * take what the fixed parts leave.
 */

#include "hole-punch/wire/hp-packet.h"

#include <string.h>

/* Where these packets hold what is read or written out of line */
#define HELLO_PROOF_OFFSET 12
#define RESPONSE_RECEIVER_OFFSET 8
#define DATA_RECEIVER_OFFSET 1

HpPacketClass
hp_packet_classify (const guint8 *bytes, gsize length)
{
  if (length == 0)
    return HP_PACKET_CLASS_OTHER;
  if (bytes[0] <= 0x03)
    return HP_PACKET_CLASS_STUN;
  if (bytes[0] >= 0x40 && bytes[0] <= 0x4f)
    return HP_PACKET_CLASS_TURN;
  if (bytes[0] >= HP_PACKET_HELLO && bytes[0] <= HP_PACKET_UNKNOWN)
    return HP_PACKET_CLASS_OURS;
  return HP_PACKET_CLASS_OTHER;
}

/* Starts to read a datagram that must have this type and a size in bounds */
static gboolean
open_packet (HpReader *reader, const guint8 *bytes, gsize length,
             HpPacketType type, gsize smallest, gsize largest)
{
  if (length < smallest || length > largest || bytes[0] != type)
    return FALSE;
  hp_reader_init (reader, bytes, length);
  return hp_reader_u8 (reader) == type;
}

static gboolean
read_boolean (HpReader *reader)
{
  guint8 value = hp_reader_u8 (reader);

  if (value > 1)
    reader->failed = TRUE;
  return value == 1;
}

gboolean
hp_packet_parse_hello (HpHello *self, const guint8 *bytes, gsize length)
{
  HpReader reader;

  if (!open_packet (&reader, bytes, length, HP_PACKET_HELLO,
                    HP_HELLO_MIN_SIZE, HP_DATAGRAM_SIZE_MAX))
    return FALSE;
  self->version = hp_reader_u8 (&reader);
  hp_reader_u16 (&reader);
  hp_reader_copy (&reader, self->transaction, HP_TRANSACTION_SIZE);
  self->mac_length = reader.offset;
  hp_reader_copy (&reader, self->proof, HP_MAC_SIZE);
  return hp_reader_ok (&reader);
}

gboolean
hp_packet_parse_cookie (HpCookiePacket *self, const guint8 *bytes,
                        gsize length)
{
  HpReader reader;

  /* Never longer than the HELLO that it answers */
  if (!open_packet (&reader, bytes, length, HP_PACKET_COOKIE, 1,
                    HP_HELLO_MIN_SIZE))
    return FALSE;
  self->version = hp_reader_u8 (&reader);
  self->suites = hp_reader_u16 (&reader);
  hp_reader_copy (&reader, self->transaction, HP_TRANSACTION_SIZE);
  hp_reader_copy (&reader, self->cookie, HP_COOKIE_SIZE);
  self->has_public_key = read_boolean (&reader);
  memset (self->public_key, 0, HP_KEY_SIZE);
  if (self->has_public_key)
    hp_reader_copy (&reader, self->public_key, HP_KEY_SIZE);
  hp_address_read (&self->observed, &reader);
  return hp_reader_done (&reader);
}

gboolean
hp_packet_parse_initiation (HpInitiation *self, const guint8 *bytes,
                            gsize length)
{
  HpReader reader;

  if (!open_packet (&reader, bytes, length, HP_PACKET_INITIATION,
                    HP_INITIATION_MAX_SIZE - HP_MAX_PARAMETERS_SIZE,
                    HP_INITIATION_MAX_SIZE))
    return FALSE;
  self->version = hp_reader_u8 (&reader);
  self->suite = hp_reader_u8 (&reader);
  hp_reader_u8 (&reader);
  self->sender_index = hp_reader_u32 (&reader);
  self->ticket_number = hp_reader_u64 (&reader);
  self->noise_length = length - reader.offset - HP_INITIATION_TRAILER_SIZE;
  self->noise = hp_reader_bytes (&reader, self->noise_length);
  self->core_length = reader.offset;
  hp_reader_copy (&reader, self->token, HP_TOKEN_SIZE);
  self->mac_length = reader.offset;
  hp_reader_copy (&reader, self->mac, HP_MAC_SIZE);
  return hp_reader_done (&reader);
}

gboolean
hp_packet_parse_response (HpResponse *self, const guint8 *bytes,
                          gsize length)
{
  HpReader reader;

  if (!open_packet (&reader, bytes, length, HP_PACKET_RESPONSE,
                    HP_RESPONSE_MAX_SIZE - HP_MAX_PARAMETERS_SIZE,
                    HP_RESPONSE_MAX_SIZE))
    return FALSE;
  self->version = hp_reader_u8 (&reader);
  self->suite = hp_reader_u8 (&reader);
  hp_reader_u8 (&reader);
  self->sender_index = hp_reader_u32 (&reader);
  self->receiver_index = hp_reader_u32 (&reader);
  self->noise_length = length - reader.offset - HP_RESPONSE_TRAILER_SIZE;
  self->noise = hp_reader_bytes (&reader, self->noise_length);
  self->core_length = reader.offset;
  hp_reader_copy (&reader, self->echoed_token, HP_TOKEN_SIZE);
  hp_reader_copy (&reader, self->own_token, HP_TOKEN_SIZE);
  self->mac_length = reader.offset;
  hp_reader_copy (&reader, self->mac, HP_MAC_SIZE);
  return hp_reader_done (&reader);
}

gboolean
hp_packet_parse_data (HpDataHeader *self, const guint8 *bytes, gsize length)
{
  HpReader reader;

  if (length < HP_DATA_OVERHEAD || length > HP_DATAGRAM_SIZE_MAX)
    return FALSE;
  hp_reader_init (&reader, bytes, length);
  switch (hp_reader_u8 (&reader))
    {
    case HP_PACKET_DATA_0:
      self->key_phase = 0;
      break;
    case HP_PACKET_DATA_1:
      self->key_phase = 1;
      break;
    default:
      return FALSE;
    }
  self->receiver_index = hp_reader_u32 (&reader);
  self->number = hp_reader_u64 (&reader);
  /* An ACK, whose numbers are varints, must be able to name it, and the end
   * of its range, too. */
  return hp_reader_ok (&reader) && self->number < HP_VARINT_MAX;
}

gboolean
hp_packet_parse_probe (HpProbe *self, const guint8 *bytes, gsize length)
{
  HpReader reader;

  if (!open_packet (&reader, bytes, length, HP_PACKET_PROBE, HP_PROBE_SIZE,
                    HP_PROBE_SIZE))
    return FALSE;
  self->version = hp_reader_u8 (&reader);
  hp_reader_u16 (&reader);
  self->ticket_number = hp_reader_u64 (&reader);
  self->mac_length = reader.offset;
  hp_reader_copy (&reader, self->mac, HP_MAC_SIZE);
  return hp_reader_done (&reader);
}

gboolean
hp_packet_parse_unknown (HpUnknown *self, const guint8 *bytes, gsize length)
{
  HpReader reader;

  if (!open_packet (&reader, bytes, length, HP_PACKET_UNKNOWN,
                    HP_UNKNOWN_SIZE, HP_UNKNOWN_SIZE))
    return FALSE;
  hp_reader_bytes (&reader, 3);
  self->receiver_index = hp_reader_u32 (&reader);
  self->number = hp_reader_u64 (&reader);
  return hp_reader_done (&reader) && self->number < HP_VARINT_MAX;
}

gboolean
hp_packet_get_receiver (const guint8 *bytes, gsize length, guint32 *index)
{
  HpReader reader;

  hp_reader_init (&reader, bytes, length);
  switch (hp_reader_u8 (&reader))
    {
    case HP_PACKET_RESPONSE:
      hp_reader_bytes (&reader, RESPONSE_RECEIVER_OFFSET - 1);
      break;
    case HP_PACKET_DATA_0:
    case HP_PACKET_DATA_1:
      hp_reader_bytes (&reader, DATA_RECEIVER_OFFSET - 1);
      break;
    default:
      return FALSE;
    }
  *index = hp_reader_u32 (&reader);
  return hp_reader_ok (&reader);
}

void
hp_packet_write_hello (const HpHello *self, HpWriter *writer)
{
  hp_writer_u8 (writer, HP_PACKET_HELLO);
  hp_writer_u8 (writer, self->version);
  hp_writer_zeros (writer, 2);
  hp_writer_bytes (writer, self->transaction, HP_TRANSACTION_SIZE);
  hp_writer_bytes (writer, self->proof, HP_MAC_SIZE);
  hp_writer_zeros (writer, HP_HELLO_MIN_SIZE - HELLO_PROOF_OFFSET
                               - HP_MAC_SIZE);
}

void
hp_packet_write_cookie (const HpCookiePacket *self, HpWriter *writer)
{
  hp_writer_u8 (writer, HP_PACKET_COOKIE);
  hp_writer_u8 (writer, self->version);
  hp_writer_u16 (writer, self->suites);
  hp_writer_bytes (writer, self->transaction, HP_TRANSACTION_SIZE);
  hp_writer_bytes (writer, self->cookie, HP_COOKIE_SIZE);
  hp_writer_u8 (writer, self->has_public_key ? 1 : 0);
  if (self->has_public_key)
    hp_writer_bytes (writer, self->public_key, HP_KEY_SIZE);
  hp_address_write (&self->observed, writer);
}

void
hp_packet_write_initiation_header (const HpInitiation *self,
                                   HpWriter *writer)
{
  hp_writer_u8 (writer, HP_PACKET_INITIATION);
  hp_writer_u8 (writer, self->version);
  hp_writer_u8 (writer, self->suite);
  hp_writer_zeros (writer, 1);
  hp_writer_u32 (writer, self->sender_index);
  hp_writer_u64 (writer, self->ticket_number);
}

void
hp_packet_write_response_header (const HpResponse *self, HpWriter *writer)
{
  hp_writer_u8 (writer, HP_PACKET_RESPONSE);
  hp_writer_u8 (writer, self->version);
  hp_writer_u8 (writer, self->suite);
  hp_writer_zeros (writer, 1);
  hp_writer_u32 (writer, self->sender_index);
  hp_writer_u32 (writer, self->receiver_index);
}

void
hp_packet_write_data_header (const HpDataHeader *self, HpWriter *writer)
{
  g_assert (self->key_phase <= 1);
  g_assert (self->number < HP_VARINT_MAX);

  hp_writer_u8 (writer, HP_PACKET_DATA_0 + self->key_phase);
  hp_writer_u32 (writer, self->receiver_index);
  hp_writer_u64 (writer, self->number);
}

void
hp_packet_write_probe_header (const HpProbe *self, HpWriter *writer)
{
  hp_writer_u8 (writer, HP_PACKET_PROBE);
  hp_writer_u8 (writer, self->version);
  hp_writer_zeros (writer, 2);
  hp_writer_u64 (writer, self->ticket_number);
}

void
hp_packet_write_unknown (const HpUnknown *self, HpWriter *writer)
{
  hp_writer_u8 (writer, HP_PACKET_UNKNOWN);
  hp_writer_zeros (writer, 3);
  hp_writer_u32 (writer, self->receiver_index);
  hp_writer_u64 (writer, self->number);
}
