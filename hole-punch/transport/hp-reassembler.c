/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-reassembler.h"

#include <string.h>

#include "hole-punch/base/hp-buffer.h"
#include "hole-punch/transport/hp-overlap.h"

/* While the total is not known; what a stream is charged for being open */
#define FIRST_ALLOCATION 256

/* Holes come from packets that are late or lost, so there are as many as
 * fit in a window, with a packet's worth between them. More, or between
 * crumbs, would only make us remember and move about more than was granted. */
#define MAX_RANGES 32768
#define FREE_RANGES 256
#define MIN_RANGE_SIZE 16 /* on average */

void
hp_reassembler_init (HpReassembler *self, guint64 limit)
{
  *self = (HpReassembler){ .total = HP_TOTAL_UNKNOWN, .limit = limit };
}

void
hp_reassembler_clear (HpReassembler *self)
{
  g_clear_pointer (&self->buffer, hp_buffer_free);
  self->allocated = 0;
  hp_ranges_clear (&self->received);
}

static guint64
get_told_total (const HpChunkFrame *chunk)
{
  if (chunk->offset == 0)
    return chunk->total;
  if (chunk->fin)
    return chunk->offset + chunk->bytes.length;
  return HP_TOTAL_UNKNOWN;
}

gboolean
hp_reassembler_check (const HpReassembler *self, const HpChunkFrame *chunk)
{
  guint64 end = chunk->offset + chunk->bytes.length;
  guint64 told = get_told_total (chunk);
  guint64 total = self->total;

  if (total == HP_TOTAL_UNKNOWN)
    total = told;
  else if (told != HP_TOTAL_UNKNOWN && told != total)
    return FALSE;
  if (total != HP_TOTAL_UNKNOWN
      && (end > total || self->highest > total
          || (chunk->fin && end != total)))
    return FALSE;
  return end <= self->limit;
}

static gboolean
resize (HpReassembler *self, gsize size)
{
  guint8 *resized;

  if (size == self->allocated)
    return TRUE;
  resized = hp_buffer_resize (self->buffer,
                              MIN (self->highest, self->allocated), size);
  if (resized == NULL)
    return FALSE;
  self->buffer = resized;
  self->allocated = size;
  return TRUE;
}

void
hp_reassembler_learn_total (HpReassembler *self, const HpChunkFrame *chunk)
{
  if (self->total == HP_TOTAL_UNKNOWN)
    self->total = get_told_total (chunk);
}

static void
make_room (HpReassembler *self, guint64 end)
{
  gsize size;

  if (self->total != HP_TOTAL_UNKNOWN)
    size = MIN (self->total, self->limit);
  else if (end <= self->allocated)
    return;
  else
    {
      size = MAX (self->allocated, FIRST_ALLOCATION);
      while (size < end)
        size *= 2;
      size = MIN (size, self->limit);
    }
  /* At most a stream's first credit: not worth going on without */
  if (!resize (self, size))
    g_error ("Out of memory: %" G_GSIZE_FORMAT " bytes", size);
}

/* What came before must be the same bytes now (a chunk may have been cut
 * another way when it was sent again). */
static gboolean
agrees (const HpReassembler *self, guint64 start, guint64 end,
        const guint8 *bytes)
{
  const HpRanges *received = &self->received;

  for (guint i = hp_overlap_find (received, start);
       i < received->n_ranges && received->ranges[i].start < end; i++)
    {
      guint64 low = MAX (received->ranges[i].start, start);
      guint64 high = MIN (received->ranges[i].end, end);

      if (memcmp (self->buffer + low, bytes + (low - start), high - low) != 0)
        return FALSE;
    }
  return TRUE;
}

static gboolean
is_crumbled (const HpReassembler *self)
{
  guint n_ranges = self->received.n_ranges;

  return n_ranges > FREE_RANGES
         && (n_ranges > MAX_RANGES
             || n_ranges > self->n_received / MIN_RANGE_SIZE);
}

gboolean
hp_reassembler_add (HpReassembler *self, const HpChunkFrame *chunk)
{
  guint64 start = chunk->offset;
  guint64 end = start + chunk->bytes.length;

  make_room (self, end);
  if (start == end)
    return TRUE;
  if (start < self->highest && !agrees (self, start, end, chunk->bytes.data))
    return FALSE;
  memcpy (self->buffer + start, chunk->bytes.data, end - start);
  self->n_received += hp_ranges_add (&self->received, start, end);
  self->highest = MAX (self->highest, end);
  return !is_crumbled (self);
}

gboolean
hp_reassembler_raise_limit (HpReassembler *self)
{
  g_assert (self->total != HP_TOTAL_UNKNOWN);
  if (!resize (self, self->total))
    return FALSE;
  self->limit = self->total;
  return TRUE;
}

gboolean
hp_reassembler_is_complete (const HpReassembler *self)
{
  return self->total != HP_TOTAL_UNKNOWN
         && self->n_received == self->total;
}

GBytes *
hp_reassembler_take (HpReassembler *self)
{
  GBytes *message = hp_buffer_to_bytes (g_steal_pointer (&self->buffer),
                                        self->total);

  hp_reassembler_clear (self);
  return message;
}
