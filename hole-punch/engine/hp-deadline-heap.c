/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-deadline-heap.h"

void
hp_deadline_heap_init (HpDeadlineHeap *self)
{
  self->parties = g_ptr_array_new ();
  g_ptr_array_add (self->parties, NULL);
}

void
hp_deadline_heap_clear (HpDeadlineHeap *self)
{
  g_clear_pointer (&self->parties, g_ptr_array_unref);
}

static HpParty *
get (const HpDeadlineHeap *self, guint position)
{
  return g_ptr_array_index (self->parties, position);
}

static void
put (HpDeadlineHeap *self, guint position, HpParty *party)
{
  g_ptr_array_index (self->parties, position) = party;
  party->heap_position = position;
}

static void
sift_up (HpDeadlineHeap *self, HpParty *party)
{
  guint position = party->heap_position;

  while (position > 1 && get (self, position / 2)->deadline > party->deadline)
    {
      put (self, position, get (self, position / 2));
      position /= 2;
    }
  put (self, position, party);
}

static void
sift_down (HpDeadlineHeap *self, HpParty *party)
{
  guint position = party->heap_position;

  for (;;)
    {
      guint child = 2 * position;

      if (child + 1 < self->parties->len
          && get (self, child + 1)->deadline < get (self, child)->deadline)
        child++;
      if (child >= self->parties->len
          || get (self, child)->deadline >= party->deadline)
        break;
      put (self, position, get (self, child));
      position = child;
    }
  put (self, position, party);
}

static void
take_out (HpDeadlineHeap *self, HpParty *party)
{
  guint position = party->heap_position;
  HpParty *last = get (self, self->parties->len - 1);

  g_ptr_array_set_size (self->parties, self->parties->len - 1);
  party->heap_position = 0;
  if (last == party)
    return;
  put (self, position, last);
  sift_up (self, last);
  sift_down (self, last);
}

void
hp_deadline_heap_set (HpDeadlineHeap *self, HpParty *party, gint64 deadline)
{
  gint64 before = party->deadline;

  party->deadline = deadline;
  if (deadline == G_MAXINT64)
    {
      if (party->heap_position != 0)
        take_out (self, party);
      return;
    }
  if (party->heap_position == 0)
    {
      g_ptr_array_add (self->parties, party);
      party->heap_position = self->parties->len - 1;
      sift_up (self, party);
    }
  else if (deadline < before)
    {
      sift_up (self, party);
    }
  else if (deadline > before)
    {
      sift_down (self, party);
    }
}

HpParty *
hp_deadline_heap_peek (const HpDeadlineHeap *self)
{
  return self->parties->len > 1 ? get (self, 1) : NULL;
}
