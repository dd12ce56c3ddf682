/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-sent-ring.h"

#include <string.h>

#define FIRST_CAPACITY 64

void
hp_sent_ring_clear (HpSentRing *self)
{
  g_free (self->packets);
  g_free (self->records);
  *self = (HpSentRing){ 0 };
}

gsize
hp_sent_ring_get_length (const HpSentRing *self)
{
  return self->tail - self->head;
}

/* Doubles a ring: an entry keeps its ordinal, its slot changes. */
static gpointer
grow (gpointer old, gsize *capacity, gsize entry, guint64 head, guint64 tail)
{
  gsize doubled = *capacity == 0 ? FIRST_CAPACITY : 2 * *capacity;
  guint8 *grown = g_malloc_n (doubled, entry);

  for (guint64 i = head; i < tail; i++)
    memcpy (grown + (i & (doubled - 1)) * entry,
            (guint8 *) old + (i & (*capacity - 1)) * entry, entry);
  g_free (old);
  *capacity = doubled;
  return grown;
}

void
hp_sent_ring_add_record (HpSentRing *self, HpRecordType type, gpointer object,
                         guint64 start, guint64 end)
{
  if (self->record_tail - self->record_head == self->record_capacity)
    self->records = grow (self->records, &self->record_capacity,
                          sizeof (HpRecord), self->record_head,
                          self->record_tail);
  self->records[self->record_tail++ & (self->record_capacity - 1)]
      = (HpRecord){ type, object, start, end };
}

gboolean
hp_sent_ring_has_new_records (const HpSentRing *self)
{
  return self->record_tail > self->record_mark;
}

HpSentPacket *
hp_sent_ring_push (HpSentRing *self, guint64 number)
{
  HpSentPacket *packet;

  if (self->tail - self->head == self->capacity)
    self->packets = grow (self->packets, &self->capacity,
                          sizeof (HpSentPacket), self->head, self->tail);
  packet = &self->packets[self->tail & (self->capacity - 1)];
  *packet = (HpSentPacket){
    .number = number,
    .first_record = self->record_mark,
    .n_records = self->record_tail - self->record_mark,
  };
  self->record_mark = self->record_tail;
  self->tail++;
  return packet;
}

void
hp_sent_ring_pop (HpSentRing *self)
{
  g_assert (self->head < self->tail);
  self->record_head += hp_sent_ring_get (self, self->head)->n_records;
  self->head++;
}

HpSentPacket *
hp_sent_ring_get (const HpSentRing *self, guint64 ordinal)
{
  g_assert (ordinal >= self->head && ordinal < self->tail);
  return &self->packets[ordinal & (self->capacity - 1)];
}

HpRecord *
hp_sent_ring_get_record (const HpSentRing *self, const HpSentPacket *packet,
                         guint i)
{
  g_assert (i < packet->n_records);
  return &self->records[(packet->first_record + i)
                        & (self->record_capacity - 1)];
}

guint64
hp_sent_ring_find (const HpSentRing *self, guint64 number)
{
  guint64 low = self->head;
  guint64 high = self->tail;
  guint64 last;

  if (low == high)
    return high;
  last = hp_sent_ring_get (self, high - 1)->number;
  if (number > last)
    return high;
  /* Mostly there are no gaps from there on; never can it be before. */
  if (last - number < high - low)
    {
      low = high - 1 - (last - number);
      if (hp_sent_ring_get (self, low)->number == number)
        return low;
    }
  while (low < high)
    {
      guint64 middle = low + (high - low) / 2;

      if (hp_sent_ring_get (self, middle)->number < number)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}
