/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-match-slots.h"

#include <string.h>
#include <sys/mman.h>

#define MAX_NAMES 64
#define PLACE_BITS 15
#define HUGE_PAGE_SIZE (2 * 1024 * 1024)
#define PLACE_MASK (HP_MATCH_CHUNK_SLOTS - 1)

G_STATIC_ASSERT (HP_MATCH_CHUNK_SLOTS == 1 << PLACE_BITS);

struct _HpMatchChunk
{
  guint number;
  guint n_names;
  guint16 names[MAX_NAMES];
  guint8 *bytes;
};

void
hp_match_slots_init (HpMatchSlots *self, gsize slot_bytes, guint8 worker)
{
  *self = (HpMatchSlots){ .slot_bytes = slot_bytes, .worker = worker };
  self->chunks = g_ptr_array_new ();
  /* Number 0 is nobody's, nor is name 0, so that no index is. */
  self->n_names = 1;
}

/* Whole huge pages: so kernels since 6.7 begin them at one. */
static gsize
get_chunk_size (const HpMatchSlots *self)
{
  gsize size = HP_MATCH_CHUNK_SLOTS * self->slot_bytes;

  return (size + HUGE_PAGE_SIZE - 1) & ~(gsize) (HUGE_PAGE_SIZE - 1);
}

/* All zeros, and there only once it is touched; NULL: there is no memory */
static gpointer
map_chunk (const HpMatchSlots *self)
{
  gsize size = get_chunk_size (self);
  gpointer bytes = mmap (NULL, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

  if (bytes == MAP_FAILED)
    return NULL;
  /* Not for whoever has few peers. A kernel without huge pages does without. */
  if (self->chunks->len > 0)
    (void) madvise (bytes, size, MADV_HUGEPAGE);
  return bytes;
}

void
hp_match_slots_clear (HpMatchSlots *self)
{
  for (guint i = 0; i < self->chunks->len; i++)
    {
      HpMatchChunk *chunk = self->chunks->pdata[i];

      munmap (chunk->bytes, get_chunk_size (self));
      g_free (chunk);
    }
  g_clear_pointer (&self->chunks, g_ptr_array_unref);
}

void
hp_match_slots_expect (HpMatchSlots *self, guint most)
{
  self->most = most;
}

static HpMatchChunk *
get_chunk (const HpMatchSlots *self, guint32 index)
{
  return self->by_name[index >> (PLACE_BITS + 8)];
}

static guint
get_place (guint32 index)
{
  return index >> 8 & PLACE_MASK;
}

static HpMatchSlot *
get_slot (const HpMatchSlots *self, const HpMatchChunk *chunk, guint place)
{
  gpointer slot = chunk->bytes + place * self->slot_bytes;

  return slot;
}

gpointer
hp_match_slots_get (const HpMatchSlots *self, guint32 number)
{
  return get_slot (self, self->chunks->pdata[number >> PLACE_BITS],
                   number & PLACE_MASK);
}

guint32
hp_match_slots_get_number (const HpMatchSlots *self, gconstpointer slot)
{
  guint32 index = ((const HpMatchSlot *) slot)->index;

  return get_chunk (self, index)->number << PLACE_BITS | get_place (index);
}

/* A free slot keeps its index, as that of no worker here, to go on from. */
static guint32
mark_free (guint32 index)
{
  return index ^ 0xff;
}

gpointer
hp_match_slots_find (const HpMatchSlots *self, guint32 index)
{
  const HpMatchChunk *chunk = get_chunk (self, index);
  HpMatchSlot *slot;

  if (chunk == NULL || (index & 0xff) != self->worker)
    return NULL;
  slot = get_slot (self, chunk, get_place (index));
  return slot->index == index ? slot : NULL;
}

/* Half of the names stay free for chunks that nobody expected. */
static guint
count_names (const HpMatchSlots *self)
{
  guint chunks = self->most / HP_MATCH_CHUNK_SLOTS + 1;
  guint names = CLAMP (HP_MATCH_CHUNK_NAMES / (2 * chunks), 1, MAX_NAMES);

  return MIN (names, HP_MATCH_CHUNK_NAMES - self->n_names);
}

static gboolean
add_chunk (HpMatchSlots *self, const HpRandom *random)
{
  guint n_names = count_names (self);
  guint8 *bytes = n_names > 0 ? map_chunk (self) : NULL;
  HpMatchChunk *chunk;

  if (bytes == NULL)
    return FALSE;
  chunk = g_new0 (HpMatchChunk, 1);
  chunk->number = self->chunks->len;
  chunk->bytes = bytes;
  while (chunk->n_names < n_names)
    {
      guint name = hp_random_u64 (random) % HP_MATCH_CHUNK_NAMES;

      if (name == 0 || self->by_name[name] != NULL)
        continue;
      self->by_name[name] = chunk;
      chunk->names[chunk->n_names++] = name;
    }
  self->n_names += n_names;
  self->n_fresh = HP_MATCH_CHUNK_SLOTS;
  /* Slot 0 means none. */
  if (chunk->number == 0)
    self->n_fresh--;
  g_ptr_array_add (self->chunks, chunk);
  return TRUE;
}

static guint32
make_index (const HpMatchSlots *self, const HpMatchChunk *chunk, guint place,
            guint turn)
{
  return (guint32) chunk->names[turn % chunk->n_names] << (PLACE_BITS + 8)
         | place << 8 | self->worker;
}

/* The name after the one that it had */
static guint32
get_next_index (const HpMatchSlots *self, const HpMatchSlot *slot)
{
  const HpMatchChunk *chunk = get_chunk (self, slot->index);
  guint turn = 0;

  while (chunk->names[turn] != slot->index >> (PLACE_BITS + 8))
    turn++;
  return make_index (self, chunk, get_place (slot->index), turn + 1);
}

guint32
hp_match_slots_get_next (HpMatchSlots *self, const HpRandom *random)
{
  const HpMatchChunk *chunk;
  guint place;

  if (self->first_free != 0)
    return get_next_index (self,
                           hp_match_slots_get (self, self->first_free));
  if (self->n_fresh == 0 && !add_chunk (self, random))
    return 0;
  chunk = self->chunks->pdata[self->chunks->len - 1];
  place = HP_MATCH_CHUNK_SLOTS - self->n_fresh;
  return make_index (self, chunk, place, hp_random_u64 (random));
}

gpointer
hp_match_slots_take (HpMatchSlots *self, guint32 index)
{
  const HpMatchChunk *chunk = get_chunk (self, index);
  HpMatchSlot *slot = get_slot (self, chunk, get_place (index));

  if (self->first_free != 0)
    {
      g_assert (slot == hp_match_slots_get (self, self->first_free));
      self->first_free = slot->next;
    }
  else
    {
      g_assert (get_place (index) == HP_MATCH_CHUNK_SLOTS - self->n_fresh);
      self->n_fresh--;
    }
  if (self->first_free == 0)
    self->last_free = 0;
  slot->index = index;
  slot->next = 0;
  self->count++;
  return slot;
}

void
hp_match_slots_give_back (HpMatchSlots *self, gpointer slot)
{
  HpMatchSlot *freed = slot;
  guint32 number = hp_match_slots_get_number (self, slot);
  guint32 index = freed->index;

  memset (slot, 0, self->slot_bytes);
  freed->index = mark_free (index);
  if (self->last_free != 0)
    ((HpMatchSlot *) hp_match_slots_get (self, self->last_free))->next
        = number;
  else
    self->first_free = number;
  self->last_free = number;
  self->count--;
}
