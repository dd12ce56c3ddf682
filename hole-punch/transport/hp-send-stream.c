/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-send-stream.h"

#include "hole-punch/transport/hp-overlap.h"
#include "hole-punch/transport/hp-transport.h"

/* Fewer bytes than this are not split off to fill up a packet. */
#define MIN_PIECE 32

static HpSendStream *
create (guint64 handle, HpStreamKind kind)
{
  HpSendStream *self = g_new (HpSendStream, 1);

  /* Not g_new0(): glibc's calloc() does not take what was just freed from where
   * malloc() does, and takes four times as long. */
  *self = (HpSendStream){ 0 };
  self->n_references = 1;
  self->handle = handle;
  self->kind = kind;
  self->state = HP_SEND_WAITING;
  self->flow_link.data = self->lost_link.data = self;
  self->reset_link.data = self->order_link.data = self;
  self->own_flow.link.data = &self->own_flow;
  self->own_flow.weight = HP_STREAM_WEIGHT_DEFAULT;
  return self;
}

HpSendStream *
hp_send_stream_new (guint64 handle, HpStreamKind kind, GBytes *bytes,
                    gint64 expires_at)
{
  HpSendStream *self = create (handle, kind);

  self->bytes = g_bytes_ref (bytes);
  self->length = g_bytes_get_size (bytes);
  self->finished = TRUE;
  self->expires_at = expires_at;
  return self;
}

HpSendStream *
hp_send_stream_new_bytes (guint64 number)
{
  HpSendStream *self = create (number, HP_STREAM_BYTES);

  self->number = number;
  self->flow = &self->own_flow;
  return self;
}

HpSendStream *
hp_send_stream_ref (HpSendStream *self)
{
  self->n_references++;
  return self;
}

void
hp_send_stream_unref (HpSendStream *self)
{
  if (--self->n_references > 0)
    return;
  hp_send_stream_drop_bytes (self);
  hp_ranges_clear (&self->acked);
  hp_ranges_clear (&self->lost);
  g_free (self);
}

void
hp_send_stream_drop_bytes (HpSendStream *self)
{
  g_clear_pointer (&self->bytes, g_bytes_unref);
  hp_send_buffer_clear (&self->buffer);
}

void
hp_send_stream_append (HpSendStream *self, GBytes *bytes)
{
  hp_send_buffer_append (&self->buffer, bytes, self->length);
  self->length += g_bytes_get_size (bytes);
}

/* What was sent is there until it is acknowledged. */
static const guint8 *
get_data (HpSendStream *self, guint64 start, guint64 *length)
{
  const guint8 *data;

  if (self->kind == HP_STREAM_BYTES)
    return hp_send_buffer_get (&self->buffer, start, length);
  data = g_bytes_get_data (self->bytes, NULL);
  *length = self->length - start;
  return data + start;
}

static guint64
get_fresh_end (const HpSendStream *self)
{
  if (self->limit < self->length)
    return self->limit;
  return self->length + (self->finished ? 1 : 0);
}

gboolean
hp_send_stream_has_fresh (const HpSendStream *self)
{
  return self->must_announce || self->fresh < get_fresh_end (self);
}

gboolean
hp_send_stream_pick (HpSendStream *self, gboolean lost, gsize room,
                     HpSendChunk *chunk)
{
  guint64 start = lost ? self->lost.ranges[0].start : self->fresh;
  guint64 end = lost ? self->lost.ranges[0].end : get_fresh_end (self);
  guint64 length = MIN (end, self->length) - start;
  guint64 together = 0;
  gsize overhead;

  chunk->data = length > 0 ? get_data (self, start, &together) : NULL;
  length = MIN (length, together);
  overhead = hp_frame_chunk_overhead (self->number, start, self->length,
                                      MIN (length, room));
  if (room < overhead || room - overhead < MIN (length, MIN_PIECE))
    return FALSE;
  length = MIN (length, room - overhead);
  chunk->stream = self;
  chunk->start = start;
  chunk->length = length;
  chunk->fin = self->finished && start + length == self->length;
  chunk->end = start + length + (chunk->fin ? 1 : 0);
  chunk->is_lost = lost;
  return TRUE;
}

void
hp_send_stream_take (HpSendStream *self, const HpSendChunk *chunk)
{
  if (chunk->is_lost)
    hp_ranges_remove (&self->lost, chunk->start, chunk->end);
  else
    {
      self->fresh = chunk->end;
      self->must_announce = FALSE;
    }
}

guint64
hp_send_stream_acked (HpSendStream *self, guint64 start, guint64 end)
{
  gboolean had_fin;
  guint64 added;

  /* Nearly every message that fits in a packet; it is over with that. */
  if (self->kind != HP_STREAM_BYTES && start == 0 && end == self->length + 1
      && self->acked.n_ranges == 0)
    {
      self->is_acked_at_once = TRUE;
      self->n_acked = self->length;
      return self->length;
    }
  had_fin = self->finished && hp_ranges_contains (&self->acked, self->length);
  added = hp_ranges_add (&self->acked, start, end);
  hp_ranges_remove (&self->lost, start, end);
  if (end == self->length + 1 && !had_fin)
    added--;
  self->n_acked += added;
  return added;
}

gboolean
hp_send_stream_is_acked (const HpSendStream *self)
{
  return self->is_acked_at_once
         || (self->finished
             && hp_ranges_covers (&self->acked, 0, self->length + 1));
}

void
hp_send_stream_lost (HpSendStream *self, guint64 start, guint64 end)
{
  guint at = hp_overlap_find (&self->acked, start);

  hp_ranges_add (&self->lost, start, end);
  for (; at < self->acked.n_ranges && self->acked.ranges[at].start < end; at++)
    hp_ranges_remove (&self->lost, self->acked.ranges[at].start,
                      self->acked.ranges[at].end);
}
