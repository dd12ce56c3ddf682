/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The frames that peers exchange. n is a varint, [8] that many bytes, "…" a
 * byte string (a length n and so many bytes), address as hp_address_write()
 * makes it (family 1, port 2, IP 4 or 16).
 *
 *   00 PADDING          (a run of zero bytes is one frame)
 *   01 PING
 *   02 ACK              largest n | delay n | further ranges n | first n |
 *                       further ranges × (gap n | size n)
 *   03 CLOSE            code n | reason "…"
 *   04 ACK_ECN          as ACK, then ECT(0) n | ECT(1) n | CE n
 *   08 CHUNK            stream n | offset n | total n, at offset 0 of a
 *   09 CHUNK with FIN     message only | bytes "…"
 *   10 RESET            stream n | code n | final size n
 *   11 STOP             stream n | code n
 *   12 MAX_DATA         maximum n
 *   13 MAX_STREAM_DATA  stream n | maximum n
 *   14 MAX_STREAMS      maximum n
 *   18 PATH_CHALLENGE   token [8]
 *   19 PATH_RESPONSE    token [8]
 *   1a CANDIDATES       count n | count × (kind 1 | address)
 *   1b NAT              NAT facts (hp-nat-facts.c)
 *   20 to 2c            hp-frame-match.c
 *
 * The ranges of an ACK go down from the largest, as in RFC 9000, section
 * 19.3.1: the first covers @first numbers below the largest as well; a
 * further one begins gap + 2 below the smallest number of the one before (so
 * that two ranges never touch) and covers size + 1 numbers.
 */

#include "hole-punch/wire/hp-frame-private.h"

#include <string.h>

gboolean
hp_frame_read_boolean (HpReader *reader)
{
  guint8 value = hp_reader_u8 (reader);

  if (value > 1)
    reader->failed = TRUE;
  return value == 1;
}

void
hp_frame_read_bytes (HpBytes *self, HpReader *reader, gsize most)
{
  guint64 length = hp_reader_varint (reader);

  if (length > most)
    reader->failed = TRUE;
  self->data = hp_reader_bytes (reader, length);
  self->length = self->data != NULL ? length : 0;
}

void
hp_frame_write_bytes (const HpBytes *self, HpWriter *writer)
{
  hp_writer_varint (writer, self->length);
  hp_writer_bytes (writer, self->data, self->length);
}

void
hp_frame_read_address (HpAddress *self, HpReader *reader)
{
  hp_address_read (self, reader);
  if (self->family == HP_ADDRESS_NONE)
    reader->failed = TRUE;
}

static void
read_candidate (HpWireCandidate *self, HpReader *reader,
                gboolean with_proofs)
{
  self->kind = hp_reader_u8 (reader);
  if (self->kind > HP_CANDIDATE_RELAYED)
    reader->failed = TRUE;
  hp_frame_read_address (&self->address, reader);
  self->has_proof = with_proofs && hp_frame_read_boolean (reader);
  if (self->has_proof)
    hp_reader_copy (reader, self->proof, HP_PROOF_SIZE);
  else
    memset (self->proof, 0, HP_PROOF_SIZE);
}

void
hp_frame_read_candidates (HpWireCandidates *self, HpReader *reader,
                          gboolean with_proofs)
{
  guint64 count = hp_reader_varint (reader);

  self->n_candidates = 0;
  if (count > HP_MAX_CANDIDATES)
    {
      reader->failed = TRUE;
      return;
    }
  for (self->n_candidates = 0; self->n_candidates < count;
       self->n_candidates++)
    read_candidate (&self->candidates[self->n_candidates], reader,
                    with_proofs);
}

void
hp_frame_write_candidates (const HpWireCandidates *self, HpWriter *writer,
                           gboolean with_proofs)
{
  g_assert (self->n_candidates <= HP_MAX_CANDIDATES);

  hp_writer_varint (writer, self->n_candidates);
  for (guint i = 0; i < self->n_candidates; i++)
    {
      const HpWireCandidate *candidate = &self->candidates[i];

      hp_writer_u8 (writer, candidate->kind);
      hp_address_write (&candidate->address, writer);
      if (!with_proofs)
        continue;
      hp_writer_u8 (writer, candidate->has_proof ? 1 : 0);
      if (candidate->has_proof)
        hp_writer_bytes (writer, candidate->proof, HP_PROOF_SIZE);
    }
}

/* A message's number has the opener's bit zero: it is one-way, its sender is
 * who opened it, and a second number for the same message must not be. */
static guint64
read_stream (HpReader *reader)
{
  guint64 stream = hp_reader_varint (reader);

  if (HP_STREAM_KIND (stream) != HP_STREAM_BYTES && (stream & 4) != 0)
    reader->failed = TRUE;
  return stream;
}

static gboolean
has_total (guint64 stream, guint64 offset)
{
  return offset == 0 && HP_STREAM_KIND (stream) != HP_STREAM_BYTES;
}

static void
read_ack (HpAckFrame *self, HpReader *reader)
{
  guint64 further;
  guint64 end;
  guint64 size;

  self->largest = hp_reader_varint (reader);
  self->delay = hp_reader_varint (reader);
  further = hp_reader_varint (reader);
  end = self->largest + 1;
  size = hp_reader_varint (reader) + 1;
  self->n_ranges = 0;
  /* Each range takes bytes, so the reader's end bounds the loop. */
  for (; hp_reader_ok (reader); further--)
    {
      guint64 gap;

      if (size > end)
        {
          reader->failed = TRUE;
          return;
        }
      if (self->n_ranges < HP_MAX_ACK_RANGES)
        self->ranges[self->n_ranges++] = (HpRange){ end - size, end };
      if (further == 0)
        return;
      gap = hp_reader_varint (reader) + 1;
      end -= size;
      if (gap > end)
        {
          reader->failed = TRUE;
          return;
        }
      end -= gap;
      size = hp_reader_varint (reader) + 1;
    }
}

static void
write_ack (const HpAckFrame *self, HpWriter *writer)
{
  g_assert (self->n_ranges >= 1 && self->n_ranges <= HP_MAX_ACK_RANGES);
  g_assert (self->ranges[0].end == self->largest + 1);

  hp_writer_varint (writer, self->largest);
  hp_writer_varint (writer, self->delay);
  hp_writer_varint (writer, self->n_ranges - 1);
  for (guint i = 0; i < self->n_ranges; i++)
    {
      const HpRange *range = &self->ranges[i];

      g_assert (range->start < range->end);
      if (i > 0)
        {
          g_assert (range->end < self->ranges[i - 1].start);
          hp_writer_varint (writer,
                            self->ranges[i - 1].start - range->end - 1);
        }
      hp_writer_varint (writer, range->end - range->start - 1);
    }
}

static void
read_marks (HpAckFrame *self, HpReader *reader)
{
  self->marks.ect_0 = hp_reader_varint (reader);
  self->marks.ect_1 = hp_reader_varint (reader);
  self->marks.ce = hp_reader_varint (reader);
}

static void
write_marks (const HpAckFrame *self, HpWriter *writer)
{
  hp_writer_varint (writer, self->marks.ect_0);
  hp_writer_varint (writer, self->marks.ect_1);
  hp_writer_varint (writer, self->marks.ce);
}

static void
read_chunk (HpChunkFrame *self, HpReader *reader, gboolean fin)
{
  guint64 end;

  self->fin = fin;
  self->stream = read_stream (reader);
  self->offset = hp_reader_varint (reader);
  self->total = 0;
  if (has_total (self->stream, self->offset))
    self->total = hp_reader_varint (reader);
  hp_frame_read_bytes (&self->bytes, reader, HP_DATAGRAM_SIZE_MAX);

  /* No offset is beyond 2^62 - 1 (RFC 9000, section 19.8). */
  end = self->offset + self->bytes.length;
  if (end > HP_VARINT_MAX)
    reader->failed = TRUE;
  /* What the chunk itself shows to be wrong about the total */
  if (has_total (self->stream, self->offset)
      && (end > self->total || (fin && end != self->total)))
    reader->failed = TRUE;
}

static void
write_chunk (const HpChunkFrame *self, HpWriter *writer)
{
  hp_writer_varint (writer, self->stream);
  hp_writer_varint (writer, self->offset);
  if (has_total (self->stream, self->offset))
    hp_writer_varint (writer, self->total);
  hp_frame_write_bytes (&self->bytes, writer);
}

gsize
hp_frame_chunk_overhead (guint64 stream, guint64 offset, guint64 total,
                         gsize data_length)
{
  gsize size = 1 + hp_varint_size (stream) + hp_varint_size (offset)
               + hp_varint_size (data_length);

  if (has_total (stream, offset))
    size += hp_varint_size (total);
  return size;
}

/* FALSE: not a frame of peers */
static gboolean
read_fields (HpFrame *self, HpReader *reader)
{
  switch (self->type)
    {
    case HP_FRAME_PADDING:
      self->padding_length = 1 + hp_reader_skip (reader, HP_FRAME_PADDING);
      return TRUE;
    case HP_FRAME_PING:
      return TRUE;
    case HP_FRAME_ACK:
    case HP_FRAME_ACK_ECN:
      read_ack (&self->ack, reader);
      self->ack.has_marks = self->type == HP_FRAME_ACK_ECN;
      if (self->ack.has_marks)
        read_marks (&self->ack, reader);
      self->type = HP_FRAME_ACK;
      return TRUE;
    case HP_FRAME_CLOSE:
      self->close.code = hp_reader_varint (reader);
      hp_frame_read_bytes (&self->close.reason, reader, HP_MAX_REASON_SIZE);
      return TRUE;
    case HP_FRAME_CHUNK:
    case HP_FRAME_CHUNK_FIN:
      read_chunk (&self->chunk, reader, self->type == HP_FRAME_CHUNK_FIN);
      self->type = HP_FRAME_CHUNK;
      return TRUE;
    case HP_FRAME_RESET:
    case HP_FRAME_STOP:
      self->reset.stream = read_stream (reader);
      self->reset.code = hp_reader_varint (reader);
      self->reset.final_size
          = self->type == HP_FRAME_RESET ? hp_reader_varint (reader) : 0;
      return TRUE;
    case HP_FRAME_MAX_DATA:
    case HP_FRAME_MAX_STREAM_DATA:
    case HP_FRAME_MAX_STREAMS:
      self->max.stream
          = self->type == HP_FRAME_MAX_STREAM_DATA ? read_stream (reader) : 0;
      self->max.maximum = hp_reader_varint (reader);
      return TRUE;
    case HP_FRAME_PATH_CHALLENGE:
    case HP_FRAME_PATH_RESPONSE:
      hp_reader_copy (reader, self->token, HP_TOKEN_SIZE);
      return TRUE;
    case HP_FRAME_CANDIDATES:
      hp_frame_read_candidates (&self->candidates, reader, FALSE);
      return TRUE;
    case HP_FRAME_NAT:
      hp_nat_facts_read (&self->nat, reader);
      return TRUE;
    default:
      return FALSE;
    }
}

gboolean
hp_frame_parse (HpFrame *self, HpReader *reader)
{
  self->type = hp_reader_u8 (reader);
  if (!read_fields (self, reader) && !hp_frame_read_match (self, reader))
    reader->failed = TRUE;
  return hp_reader_ok (reader);
}

static gboolean
write_fields (const HpFrame *self, HpWriter *writer)
{
  switch (self->type)
    {
    case HP_FRAME_PADDING:
      hp_writer_zeros (writer, self->padding_length - 1);
      return TRUE;
    case HP_FRAME_PING:
      return TRUE;
    case HP_FRAME_ACK:
      write_ack (&self->ack, writer);
      if (self->ack.has_marks)
        write_marks (&self->ack, writer);
      return TRUE;
    case HP_FRAME_CLOSE:
      g_assert (self->close.reason.length <= HP_MAX_REASON_SIZE);
      hp_writer_varint (writer, self->close.code);
      hp_frame_write_bytes (&self->close.reason, writer);
      return TRUE;
    case HP_FRAME_CHUNK:
      write_chunk (&self->chunk, writer);
      return TRUE;
    case HP_FRAME_RESET:
    case HP_FRAME_STOP:
      hp_writer_varint (writer, self->reset.stream);
      hp_writer_varint (writer, self->reset.code);
      if (self->type == HP_FRAME_RESET)
        hp_writer_varint (writer, self->reset.final_size);
      return TRUE;
    case HP_FRAME_MAX_DATA:
    case HP_FRAME_MAX_STREAM_DATA:
    case HP_FRAME_MAX_STREAMS:
      if (self->type == HP_FRAME_MAX_STREAM_DATA)
        hp_writer_varint (writer, self->max.stream);
      hp_writer_varint (writer, self->max.maximum);
      return TRUE;
    case HP_FRAME_PATH_CHALLENGE:
    case HP_FRAME_PATH_RESPONSE:
      hp_writer_bytes (writer, self->token, HP_TOKEN_SIZE);
      return TRUE;
    case HP_FRAME_CANDIDATES:
      hp_frame_write_candidates (&self->candidates, writer, FALSE);
      return TRUE;
    case HP_FRAME_NAT:
      hp_nat_facts_write (&self->nat, writer);
      return TRUE;
    default:
      return FALSE;
    }
}

void
hp_frame_write (const HpFrame *self, HpWriter *writer)
{
  guint8 type = self->type;

  g_assert (type != HP_FRAME_PADDING || self->padding_length > 0);

  if (type == HP_FRAME_CHUNK && self->chunk.fin)
    type = HP_FRAME_CHUNK_FIN;
  if (type == HP_FRAME_ACK && self->ack.has_marks)
    type = HP_FRAME_ACK_ECN;
  hp_writer_u8 (writer, type);
  if (!write_fields (self, writer) && !hp_frame_write_match (self, writer))
    g_assert_not_reached ();
}

gboolean
hp_frame_is_probing (guint8 type)
{
  return type == HP_FRAME_PADDING || type == HP_FRAME_PATH_CHALLENGE
         || type == HP_FRAME_PATH_RESPONSE;
}

gboolean
hp_frame_is_ack_eliciting (guint8 type)
{
  return type != HP_FRAME_ACK && type != HP_FRAME_ACK_ECN
         && type != HP_FRAME_CLOSE && !hp_frame_is_probing (type);
}
