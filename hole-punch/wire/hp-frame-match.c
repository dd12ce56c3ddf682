/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The frames between a peer and its match server, in the notation of
 * hp-frame.c. A proof is one byte, 0 or 1, and if 1 the proof itself, [16].
 *
 *   20 REGISTER    request n | flags n | suites 2 | NAT facts | id "…"
 *   21 REGISTERED  request n | lifetime n | observed address
 *   22 REFUSED     request n | code n
 *   23 UNREGISTER  request n | id "…"
 *   24 ASK         request n | by key 1 | target "…" | suites 2 |
 *                  round trip n | NAT facts |
 *                  count n | count × (kind 1 | address | proof)
 *   25 REPLY       ticket number 8 | accept 1 | suites 2 | round trip n |
 *                  NAT facts | count n | count × (kind 1 | address | proof)
 *   26 ANSWER      request n | flags n | public key [32] | id "…" |
 *                  suites 2 | round trip n | ticket number 8 |
 *                  ticket secret [32] | observed address or NONE |
 *                  NAT facts | count n | count × (kind 1 | address)
 *   27 INTRODUCE   as ANSWER, but without request, and after id:
 *                  wanted id "…"
 *   28 OBSERVED    address
 *   29 RELAY_REQUEST  request n
 *   2a RELAYS      request n | lifetime n | count n |
 *                  count × (URI "…" | username "…" | password "…")
 *   2b KNOCK       address | proof [16] | flags n | transaction [12]
 *   2c KNOCKED     flags n | transaction [12]
 *
 * NAT facts are those of hp-nat-facts.c.
 *
 * The ids of REGISTER, UNREGISTER and ASK must be valid; the two that tell of
 * a peer may be empty as well.
 */

#include "hole-punch/wire/hp-frame-private.h"

#include <string.h>

#define FINGERPRINT_LENGTH 52

static gboolean
is_fingerprint (const char *text, gsize length)
{
  if (length != FINGERPRINT_LENGTH)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_islower (text[i]) && !(text[i] >= '2' && text[i] <= '7'))
      return FALSE;
  return TRUE;
}

/* Every target must mean one thing: neither a fingerprint by itself nor
 * id@fingerprint can be an id. */
static gboolean
looks_like_other_target (const char *id, gsize length)
{
  if (length > FINGERPRINT_LENGTH
      && id[length - FINGERPRINT_LENGTH - 1] == '@')
    {
      id += length - FINGERPRINT_LENGTH;
      length = FINGERPRINT_LENGTH;
    }
  return is_fingerprint (id, length);
}

gboolean
hp_id_is_valid (const char *id, gsize length)
{
  if (length == 0 || length > HP_ID_MAX_SIZE
      || !g_utf8_validate_len (id, length, NULL)
      || looks_like_other_target (id, length))
    return FALSE;
  for (const char *c = id; c < id + length; c = g_utf8_next_char (c))
    if (g_unichar_type (g_utf8_get_char (c)) == G_UNICODE_CONTROL)
      return FALSE;
  return TRUE;
}

static void
read_id (HpBytes *self, HpReader *reader)
{
  hp_frame_read_bytes (self, reader, HP_ID_MAX_SIZE);
  if (self->data == NULL
      || !hp_id_is_valid ((const char *) self->data, self->length))
    reader->failed = TRUE;
}

static void
read_id_or_none (HpBytes *self, HpReader *reader)
{
  hp_frame_read_bytes (self, reader, HP_ID_MAX_SIZE);
  if (self->length > 0
      && !hp_id_is_valid ((const char *) self->data, self->length))
    reader->failed = TRUE;
}

static void
read_ask (HpFrame *self, HpReader *reader)
{
  self->ask.request = hp_reader_varint (reader);
  self->ask.by_key = hp_frame_read_boolean (reader);
  if (self->ask.by_key)
    {
      hp_frame_read_bytes (&self->ask.target, reader, HP_KEY_SIZE);
      if (self->ask.target.length != HP_KEY_SIZE)
        reader->failed = TRUE;
    }
  else
    {
      read_id (&self->ask.target, reader);
    }
  self->ask.suites = hp_reader_u16 (reader);
  self->ask.round_trip = hp_reader_varint (reader);
  hp_nat_facts_read (&self->ask.nat, reader);
  hp_frame_read_candidates (&self->ask.candidates, reader, TRUE);
}

static void
write_ask (const HpFrame *self, HpWriter *writer)
{
  g_assert (!self->ask.by_key || self->ask.target.length == HP_KEY_SIZE);

  hp_writer_varint (writer, self->ask.request);
  hp_writer_u8 (writer, self->ask.by_key ? 1 : 0);
  hp_frame_write_bytes (&self->ask.target, writer);
  hp_writer_u16 (writer, self->ask.suites);
  hp_writer_varint (writer, self->ask.round_trip);
  hp_nat_facts_write (&self->ask.nat, writer);
  hp_frame_write_candidates (&self->ask.candidates, writer, TRUE);
}

static void
read_reply (HpFrame *self, HpReader *reader)
{
  self->reply.ticket_number = hp_reader_u64 (reader);
  self->reply.accept = hp_frame_read_boolean (reader);
  self->reply.suites = hp_reader_u16 (reader);
  self->reply.round_trip = hp_reader_varint (reader);
  hp_nat_facts_read (&self->reply.nat, reader);
  hp_frame_read_candidates (&self->reply.candidates, reader, TRUE);
}

static void
write_reply (const HpFrame *self, HpWriter *writer)
{
  hp_writer_u64 (writer, self->reply.ticket_number);
  hp_writer_u8 (writer, self->reply.accept ? 1 : 0);
  hp_writer_u16 (writer, self->reply.suites);
  hp_writer_varint (writer, self->reply.round_trip);
  hp_nat_facts_write (&self->reply.nat, writer);
  hp_frame_write_candidates (&self->reply.candidates, writer, TRUE);
}

static void
read_introduction (HpFrame *self, HpReader *reader)
{
  gboolean is_answer = self->type == HP_FRAME_ANSWER;

  self->introduction.request = is_answer ? hp_reader_varint (reader) : 0;
  self->introduction.flags = hp_reader_varint (reader);
  hp_reader_copy (reader, self->introduction.public_key, HP_KEY_SIZE);
  read_id_or_none (&self->introduction.id, reader);
  if (is_answer)
    self->introduction.wanted_id = (HpBytes){ NULL, 0 };
  else
    read_id_or_none (&self->introduction.wanted_id, reader);
  self->introduction.suites = hp_reader_u16 (reader);
  self->introduction.round_trip = hp_reader_varint (reader);
  self->introduction.ticket.number = hp_reader_u64 (reader);
  hp_reader_copy (reader, self->introduction.ticket.secret,
                  HP_TICKET_SECRET_SIZE);
  hp_address_read (&self->introduction.observed, reader);
  hp_nat_facts_read (&self->introduction.nat, reader);
  hp_frame_read_candidates (&self->introduction.candidates, reader, FALSE);
}

static void
write_introduction (const HpFrame *self, HpWriter *writer)
{
  if (self->type == HP_FRAME_ANSWER)
    hp_writer_varint (writer, self->introduction.request);
  hp_writer_varint (writer, self->introduction.flags);
  hp_writer_bytes (writer, self->introduction.public_key, HP_KEY_SIZE);
  hp_frame_write_bytes (&self->introduction.id, writer);
  if (self->type == HP_FRAME_INTRODUCE)
    hp_frame_write_bytes (&self->introduction.wanted_id, writer);
  hp_writer_u16 (writer, self->introduction.suites);
  hp_writer_varint (writer, self->introduction.round_trip);
  hp_writer_u64 (writer, self->introduction.ticket.number);
  hp_writer_bytes (writer, self->introduction.ticket.secret,
                   HP_TICKET_SECRET_SIZE);
  hp_address_write (&self->introduction.observed, writer);
  hp_nat_facts_write (&self->introduction.nat, writer);
  hp_frame_write_candidates (&self->introduction.candidates, writer, FALSE);
}

static void
read_relay_text (HpBytes *self, HpReader *reader)
{
  hp_frame_read_bytes (self, reader, HP_RELAY_TEXT_MAX_SIZE);
  /* Without NULs, so that it can be a string */
  if (self->length > 0
      && !g_utf8_validate_len ((const char *) self->data, self->length, NULL))
    reader->failed = TRUE;
}

static void
read_relays (HpFrame *self, HpReader *reader)
{
  guint64 count;

  self->relays.request = hp_reader_varint (reader);
  self->relays.lifetime = hp_reader_varint (reader);
  count = hp_reader_varint (reader);
  self->relays.n_relays = 0;
  if (count > HP_MAX_RELAYS)
    {
      reader->failed = TRUE;
      return;
    }
  for (; self->relays.n_relays < count; self->relays.n_relays++)
    {
      HpWireRelay *relay = &self->relays.relays[self->relays.n_relays];

      read_relay_text (&relay->uri, reader);
      read_relay_text (&relay->username, reader);
      read_relay_text (&relay->password, reader);
      if (relay->uri.length == 0)
        reader->failed = TRUE;
    }
}

static void
write_relays (const HpFrame *self, HpWriter *writer)
{
  g_assert (self->relays.n_relays <= HP_MAX_RELAYS);

  hp_writer_varint (writer, self->relays.request);
  hp_writer_varint (writer, self->relays.lifetime);
  hp_writer_varint (writer, self->relays.n_relays);
  for (guint i = 0; i < self->relays.n_relays; i++)
    {
      hp_frame_write_bytes (&self->relays.relays[i].uri, writer);
      hp_frame_write_bytes (&self->relays.relays[i].username, writer);
      hp_frame_write_bytes (&self->relays.relays[i].password, writer);
    }
}

gboolean
hp_frame_read_match (HpFrame *self, HpReader *reader)
{
  switch (self->type)
    {
    case HP_FRAME_REGISTER:
      self->reg.request = hp_reader_varint (reader);
      self->reg.flags = hp_reader_varint (reader);
      self->reg.suites = hp_reader_u16 (reader);
      hp_nat_facts_read (&self->reg.nat, reader);
      read_id (&self->reg.id, reader);
      return TRUE;
    case HP_FRAME_REGISTERED:
      self->registered.request = hp_reader_varint (reader);
      self->registered.lifetime = hp_reader_varint (reader);
      hp_frame_read_address (&self->registered.observed, reader);
      return TRUE;
    case HP_FRAME_REFUSED:
      self->refused.request = hp_reader_varint (reader);
      self->refused.code = hp_reader_varint (reader);
      return TRUE;
    case HP_FRAME_UNREGISTER:
      self->reg.request = hp_reader_varint (reader);
      self->reg.flags = 0;
      self->reg.suites = 0;
      self->reg.nat = (HpNatFacts){ 0 };
      read_id (&self->reg.id, reader);
      return TRUE;
    case HP_FRAME_ASK:
      read_ask (self, reader);
      return TRUE;
    case HP_FRAME_REPLY:
      read_reply (self, reader);
      return TRUE;
    case HP_FRAME_ANSWER:
    case HP_FRAME_INTRODUCE:
      read_introduction (self, reader);
      return TRUE;
    case HP_FRAME_OBSERVED:
      hp_frame_read_address (&self->observed.address, reader);
      return TRUE;
    case HP_FRAME_RELAY_REQUEST:
      self->relay_request.request = hp_reader_varint (reader);
      return TRUE;
    case HP_FRAME_RELAYS:
      read_relays (self, reader);
      return TRUE;
    case HP_FRAME_KNOCK:
      hp_frame_read_address (&self->knock.address, reader);
      hp_reader_copy (reader, self->knock.proof, HP_PROOF_SIZE);
      self->knock.flags = hp_reader_varint (reader);
      hp_reader_copy (reader, self->knock.transaction,
                      HP_STUN_TRANSACTION_SIZE);
      return TRUE;
    case HP_FRAME_KNOCKED:
      self->knocked.flags = hp_reader_varint (reader);
      hp_reader_copy (reader, self->knocked.transaction,
                      HP_STUN_TRANSACTION_SIZE);
      return TRUE;
    default:
      return FALSE;
    }
}

gboolean
hp_frame_write_match (const HpFrame *self, HpWriter *writer)
{
  switch (self->type)
    {
    case HP_FRAME_REGISTER:
      hp_writer_varint (writer, self->reg.request);
      hp_writer_varint (writer, self->reg.flags);
      hp_writer_u16 (writer, self->reg.suites);
      hp_nat_facts_write (&self->reg.nat, writer);
      hp_frame_write_bytes (&self->reg.id, writer);
      return TRUE;
    case HP_FRAME_REGISTERED:
      hp_writer_varint (writer, self->registered.request);
      hp_writer_varint (writer, self->registered.lifetime);
      hp_address_write (&self->registered.observed, writer);
      return TRUE;
    case HP_FRAME_REFUSED:
      hp_writer_varint (writer, self->refused.request);
      hp_writer_varint (writer, self->refused.code);
      return TRUE;
    case HP_FRAME_UNREGISTER:
      hp_writer_varint (writer, self->reg.request);
      hp_frame_write_bytes (&self->reg.id, writer);
      return TRUE;
    case HP_FRAME_ASK:
      write_ask (self, writer);
      return TRUE;
    case HP_FRAME_REPLY:
      write_reply (self, writer);
      return TRUE;
    case HP_FRAME_ANSWER:
    case HP_FRAME_INTRODUCE:
      write_introduction (self, writer);
      return TRUE;
    case HP_FRAME_OBSERVED:
      hp_address_write (&self->observed.address, writer);
      return TRUE;
    case HP_FRAME_RELAY_REQUEST:
      hp_writer_varint (writer, self->relay_request.request);
      return TRUE;
    case HP_FRAME_RELAYS:
      write_relays (self, writer);
      return TRUE;
    case HP_FRAME_KNOCK:
      hp_address_write (&self->knock.address, writer);
      hp_writer_bytes (writer, self->knock.proof, HP_PROOF_SIZE);
      hp_writer_varint (writer, self->knock.flags);
      hp_writer_bytes (writer, self->knock.transaction,
                       HP_STUN_TRANSACTION_SIZE);
      return TRUE;
    case HP_FRAME_KNOCKED:
      hp_writer_varint (writer, self->knocked.flags);
      hp_writer_bytes (writer, self->knocked.transaction,
                       HP_STUN_TRANSACTION_SIZE);
      return TRUE;
    default:
      return FALSE;
    }
}
