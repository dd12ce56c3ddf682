/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-match-presences.h"

#include <string.h>

static HpMatchPresence *
get_presence (const HpMatchPresences *self, guint32 slot)
{
  HpMatchSession *holder;

  if (slot == 0)
    return NULL;
  holder = hp_match_slots_get (&self->sessions->slots, slot);
  return holder->presence;
}

static guint64
hash_id (gpointer owner, guint32 slot)
{
  const HpMatchPresences *self = owner;
  const char *id = get_presence (self, slot)->id;

  return hp_siphash (&self->key, id, strlen (id));
}

static gboolean
has_id (gpointer owner, guint32 slot, gconstpointer id)
{
  return strcmp (get_presence (owner, slot)->id, id) == 0;
}

void
hp_match_presences_init (HpMatchPresences *self, HpMatchSessions *sessions,
                         const HpRandom *random)
{
  *self = (HpMatchPresences){ .sessions = sessions };
  self->key.words[0] = hp_random_u64 (random);
  self->key.words[1] = hp_random_u64 (random);
  hp_slot_table_init (&self->by_id, hash_id, has_id, self);
}

void
hp_match_presences_clear (HpMatchPresences *self)
{
  HpMatchPresence *presence;

  while ((presence = hp_match_presences_oldest (self)) != NULL)
    hp_match_presences_remove (self, presence);
  hp_slot_table_clear (&self->by_id);
}

guint
hp_match_presences_count (const HpMatchPresences *self)
{
  return self->queue.length;
}

HpMatchPresence *
hp_match_presences_find (const HpMatchPresences *self, const char *id)
{
  guint64 hash = hp_siphash (&self->key, id, strlen (id));

  return get_presence (self, hp_slot_table_find (&self->by_id, hash, id));
}

HpMatchSession *
hp_match_presences_get_holder (const HpMatchPresences *self,
                               const HpMatchPresence *presence)
{
  return hp_match_slots_get (&self->sessions->slots, presence->holder);
}

/* The queue: who comes last was refreshed last. */

static void
leave_queue (HpMatchPresences *self, HpMatchPresence *presence)
{
  HpMatchPresence *previous = get_presence (self, presence->previous);
  HpMatchPresence *next = get_presence (self, presence->next);

  if (previous != NULL)
    previous->next = presence->next;
  else
    self->queue.first = presence->next;
  if (next != NULL)
    next->previous = presence->previous;
  else
    self->queue.last = presence->previous;
  self->queue.length--;
}

static void
enter_queue (HpMatchPresences *self, HpMatchPresence *presence, gint64 now)
{
  self->sessions->now = now;
  presence->refreshed_at = hp_match_ticks (now);
  presence->previous = self->queue.last;
  presence->next = 0;
  if (self->queue.last != 0)
    get_presence (self, self->queue.last)->next = presence->holder;
  else
    self->queue.first = presence->holder;
  self->queue.last = presence->holder;
  self->queue.length++;
}

HpMatchPresence *
hp_match_presences_add (HpMatchPresences *self, HpMatchSession *holder,
                        const char *id, guint flags, gint64 now)
{
  gsize id_size = strlen (id) + 1;
  HpMatchPresence *presence
      = g_malloc (G_STRUCT_OFFSET (HpMatchPresence, id) + id_size);

  g_assert (hp_match_presences_find (self, id) == NULL);
  g_assert (holder->presence == NULL);

  presence->holder
      = hp_match_slots_get_number (&self->sessions->slots, holder);
  presence->flags = flags;
  presence->n_challengers = 0;
  presence->review = 0;
  memcpy (presence->id, id, id_size);
  holder->presence = presence;
  enter_queue (self, presence, now);
  hp_slot_table_insert (&self->by_id, presence->holder);
  return presence;
}

void
hp_match_presences_refresh (HpMatchPresences *self, HpMatchPresence *presence,
                            guint flags, gint64 now)
{
  presence->flags = flags;
  leave_queue (self, presence);
  enter_queue (self, presence, now);
}

void
hp_match_presences_move (HpMatchPresences *self, HpMatchSession *from,
                         HpMatchSession *to)
{
  HpMatchPresence *presence = from->presence;
  HpMatchPresence *previous;
  HpMatchPresence *next;
  guint32 slot;

  if (presence == NULL)
    return;
  slot = hp_match_slots_get_number (&self->sessions->slots, to);
  previous = get_presence (self, presence->previous);
  next = get_presence (self, presence->next);
  hp_slot_table_remove (&self->by_id, presence->holder);
  presence->holder = slot;
  *(previous != NULL ? &previous->next : &self->queue.first) = slot;
  *(next != NULL ? &next->previous : &self->queue.last) = slot;
  from->presence = NULL;
  to->presence = presence;
  hp_slot_table_insert (&self->by_id, slot);
}

void
hp_match_presences_remove (HpMatchPresences *self, HpMatchPresence *presence)
{
  hp_slot_table_remove (&self->by_id, presence->holder);
  leave_queue (self, presence);
  hp_match_presences_get_holder (self, presence)->presence = NULL;
  g_free (presence);
}

HpMatchPresence *
hp_match_presences_oldest (const HpMatchPresences *self)
{
  return get_presence (self, self->queue.first);
}

gint64
hp_match_presences_get_deadline (const HpMatchPresences *self,
                                 gint64 lifetime)
{
  const HpMatchPresence *oldest = hp_match_presences_oldest (self);

  if (oldest == NULL)
    return G_MAXINT64;
  return hp_match_ticks_to_time (oldest->refreshed_at, self->sessions->now)
         + lifetime;
}
