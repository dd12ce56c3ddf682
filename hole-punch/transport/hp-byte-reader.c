/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-byte-reader.h"

#include <string.h>

#include "hole-punch/transport/hp-overlap.h"

/* As for messages: more holes, or between smaller crumbs, than losses make
 * would only cost more than was granted. */
#define MAX_RANGES 32768
#define FREE_RANGES 256
#define MIN_RANGE_SIZE 16 /* on average */

void
hp_byte_reader_init (HpByteReader *self, gint64 now)
{
  *self = (HpByteReader){ .total = HP_BYTE_TOTAL_UNKNOWN };
  hp_receive_credit_init (&self->credit, HP_BYTE_WINDOW, 0, now);
}

static void
release_block (gpointer block)
{
  if (block != NULL)
    g_atomic_rc_box_release (block);
}

void
hp_byte_reader_clear (HpByteReader *self)
{
  g_clear_pointer (&self->blocks, g_ptr_array_unref);
  hp_ranges_clear (&self->received);
  self->memory = 0;
}

static guint8 *
ensure_block (HpByteReader *self, guint64 offset)
{
  guint at = offset / HP_BYTE_BLOCK_SIZE - self->first_block;

  if (self->blocks == NULL)
    self->blocks = g_ptr_array_new_with_free_func (release_block);
  if (self->blocks->len <= at)
    g_ptr_array_set_size (self->blocks, at + 1);
  if (self->blocks->pdata[at] == NULL)
    {
      /* The reader's GBytes may be let go of in any thread. */
      self->blocks->pdata[at] = g_atomic_rc_box_alloc (HP_BYTE_BLOCK_SIZE);
      self->memory += HP_BYTE_BLOCK_SIZE;
    }
  return self->blocks->pdata[at];
}

/* What came before must be the same bytes now. */
static gboolean
agrees (const HpByteReader *self, guint64 start, guint64 end,
        const guint8 *place, const guint8 *bytes)
{
  const HpRanges *received = &self->received;

  for (guint i = hp_overlap_find (received, start);
       i < received->n_ranges && received->ranges[i].start < end; i++)
    {
      gsize low = MAX (received->ranges[i].start, start) - start;
      gsize high = MIN (received->ranges[i].end, end) - start;

      if (memcmp (place + low, bytes + low, high - low) != 0)
        return FALSE;
    }
  return TRUE;
}

static gboolean
copy_in (HpByteReader *self, guint64 start, guint64 end, const guint8 *bytes,
         gboolean overlaps)
{
  while (start < end)
    {
      guint64 at = start % HP_BYTE_BLOCK_SIZE;
      guint64 stop = MIN (end, start - at + HP_BYTE_BLOCK_SIZE);
      guint8 *place = ensure_block (self, start) + at;

      if (overlaps && !agrees (self, start, stop, place, bytes))
        return FALSE;
      memcpy (place, bytes, stop - start);
      bytes += stop - start;
      start = stop;
    }
  return TRUE;
}

static gboolean
is_crumbled (const HpByteReader *self)
{
  guint n_ranges = self->received.n_ranges;

  return n_ranges > FREE_RANGES
         && (n_ranges > MAX_RANGES
             || n_ranges
                    > (self->credit.charged - self->read) / MIN_RANGE_SIZE);
}

static gboolean
check_total (const HpByteReader *self, const HpChunkFrame *chunk, guint64 end)
{
  if (self->total != HP_BYTE_TOTAL_UNKNOWN)
    return chunk->fin ? end == self->total : end <= self->total;
  return !chunk->fin || end >= self->credit.charged;
}

gboolean
hp_byte_reader_add (HpByteReader *self, const HpChunkFrame *chunk)
{
  guint64 end = chunk->offset + chunk->bytes.length;
  /* What was read may be the user's in another thread, and is left alone. */
  guint64 start = MAX (chunk->offset, self->read);
  gboolean overlaps = start < self->credit.charged;

  if (!check_total (self, chunk, end)
      || (end > self->credit.charged
          && !hp_receive_credit_charge (&self->credit,
                                        end - self->credit.charged)))
    return FALSE;
  if (chunk->fin)
    self->total = end;
  if (start >= end)
    return TRUE;
  if (!copy_in (self, start, end,
                chunk->bytes.data + (start - chunk->offset), overlaps))
    return FALSE;
  self->n_received += hp_ranges_add (&self->received, start, end);
  return !is_crumbled (self);
}

gboolean
hp_byte_reader_is_final (const HpByteReader *self, guint64 final_size)
{
  if (self->total != HP_BYTE_TOTAL_UNKNOWN)
    return final_size == self->total;
  return final_size >= self->credit.charged && final_size <= self->credit.told;
}

gboolean
hp_byte_reader_is_complete (const HpByteReader *self)
{
  return self->n_received == self->total;
}

gboolean
hp_byte_reader_is_readable (const HpByteReader *self)
{
  return hp_byte_reader_is_at_end (self)
         || hp_ranges_contains (&self->received, self->read);
}

gboolean
hp_byte_reader_is_at_end (const HpByteReader *self)
{
  return self->read == self->total;
}

GBytes *
hp_byte_reader_read (HpByteReader *self)
{
  guint64 end = hp_ranges_first_missing (&self->received, self->read);
  gsize at = self->read % HP_BYTE_BLOCK_SIZE;
  gsize length = MIN (end - self->read, HP_BYTE_BLOCK_SIZE - at);
  guint8 *block;

  if (length == 0)
    return NULL;
  block = self->blocks->pdata[0];
  self->read += length;
  if (self->read % HP_BYTE_BLOCK_SIZE == 0)
    {
      self->blocks->pdata[0] = NULL;
      g_ptr_array_remove_index (self->blocks, 0);
      self->first_block++;
    }
  else
    g_atomic_rc_box_acquire (block);
  return g_bytes_new_with_free_func (block + at, length, release_block, block);
}

void
hp_byte_reader_consume (HpByteReader *self, gsize length)
{
  guint64 before = self->credit.consumed;
  guint64 after = before + MIN (length, self->read - before);

  hp_receive_credit_consume (&self->credit, after - before);
  self->memory -= (after / HP_BYTE_BLOCK_SIZE - before / HP_BYTE_BLOCK_SIZE)
                  * HP_BYTE_BLOCK_SIZE;
}
