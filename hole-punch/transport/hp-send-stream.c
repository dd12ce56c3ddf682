/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-send-stream.h"

#include "hole-punch/transport/hp-overlap.h"

/* Fewer bytes than this are not split off to fill up a packet. */
#define MIN_PIECE 32

HpSendStream *
hp_send_stream_new (guint64 handle, HpStreamKind kind, GBytes *bytes,
                    gint64 expires_at)
{
  HpSendStream *self = g_new0 (HpSendStream, 1);
  gsize length;

  self->n_references = 1;
  self->handle = handle;
  self->kind = kind;
  self->state = HP_SEND_WAITING;
  self->bytes = g_bytes_ref (bytes);
  self->data = g_bytes_get_data (bytes, &length);
  self->length = length;
  self->expires_at = expires_at;
  self->flow_link.data = self->lost_link.data = self;
  self->reset_link.data = self->order_link.data = self;
  self->own_flow.link.data = &self->own_flow;
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
  self->data = NULL;
}

static guint64
get_fresh_end (const HpSendStream *self)
{
  return self->limit >= self->length ? self->length + 1 : self->limit;
}

gboolean
hp_send_stream_has_fresh (const HpSendStream *self)
{
  return self->fresh < get_fresh_end (self);
}

gboolean
hp_send_stream_pick (HpSendStream *self, gboolean lost, gsize room,
                     HpSendChunk *chunk)
{
  guint64 start = lost ? self->lost.ranges[0].start : self->fresh;
  guint64 end = lost ? self->lost.ranges[0].end : get_fresh_end (self);
  guint64 length = MIN (end, self->length) - start;
  gsize overhead = hp_frame_chunk_overhead (self->number, start, self->length,
                                            MIN (length, room));

  if (room < overhead || room - overhead < MIN (length, MIN_PIECE))
    return FALSE;
  length = MIN (length, room - overhead);
  chunk->stream = self;
  chunk->start = start;
  chunk->fin = start + length == self->length;
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
    self->fresh = chunk->end;
}

guint64
hp_send_stream_acked (HpSendStream *self, guint64 start, guint64 end)
{
  gboolean had_fin = hp_ranges_contains (&self->acked, self->length);
  guint64 added = hp_ranges_add (&self->acked, start, end);

  hp_ranges_remove (&self->lost, start, end);
  if (end == self->length + 1 && !had_fin)
    added--;
  self->n_acked += added;
  return added;
}

gboolean
hp_send_stream_is_acked (const HpSendStream *self)
{
  return hp_ranges_covers (&self->acked, 0, self->length + 1);
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
