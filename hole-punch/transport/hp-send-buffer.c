/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-send-buffer.h"

#include <string.h>

void
hp_send_buffer_clear (HpSendBuffer *self)
{
  for (guint i = self->first; i < self->n_pieces; i++)
    g_bytes_unref (self->pieces[i].bytes);
  g_free (self->pieces);
  *self = (HpSendBuffer){ 0 };
}

/* Room for one more: where released ones were, if they are half of all */
static void
make_room (HpSendBuffer *self)
{
  if (self->n_pieces < self->allocated)
    return;
  if (self->first > 0 && self->first >= self->allocated / 2)
    {
      self->n_pieces -= self->first;
      memmove (self->pieces, self->pieces + self->first,
               self->n_pieces * sizeof (HpSendPiece));
      self->recent -= self->first;
      self->first = 0;
      return;
    }
  self->allocated = MAX (4, 2 * self->allocated);
  self->pieces = g_renew (HpSendPiece, self->pieces, self->allocated);
}

void
hp_send_buffer_append (HpSendBuffer *self, GBytes *bytes, guint64 start)
{
  HpSendPiece *piece;
  gsize length;
  const guint8 *data = g_bytes_get_data (bytes, &length);

  if (length == 0)
    return;
  make_room (self);
  piece = &self->pieces[self->n_pieces++];
  *piece = (HpSendPiece){ g_bytes_ref (bytes), data, start, start + length };
}

void
hp_send_buffer_release (HpSendBuffer *self, guint64 end)
{
  while (self->first < self->n_pieces
         && self->pieces[self->first].end <= end)
    g_bytes_unref (self->pieces[self->first++].bytes);
  self->recent = MAX (self->recent, self->first);
}

static guint
find (const HpSendBuffer *self, guint64 offset)
{
  guint low = self->first;
  guint high = self->n_pieces - 1;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (self->pieces[middle].end <= offset)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

static gboolean
is_in (const HpSendBuffer *self, guint at, guint64 offset)
{
  return at < self->n_pieces && self->pieces[at].start <= offset
         && offset < self->pieces[at].end;
}

const guint8 *
hp_send_buffer_get (HpSendBuffer *self, guint64 offset, guint64 *length)
{
  const HpSendPiece *piece;

  /* Nearly always that of the last time, or the one behind it */
  if (!is_in (self, self->recent, offset))
    self->recent = is_in (self, self->recent + 1, offset)
                       ? self->recent + 1
                       : find (self, offset);
  piece = &self->pieces[self->recent];
  g_assert (is_in (self, self->recent, offset));
  *length = piece->end - offset;
  return piece->data + (offset - piece->start);
}
