/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-match-directory.h"

#include "hole-punch/wire/hp-packet.h"

#include <string.h>

/* What a hash is used for, from its upper bits to its lower ones, so that none
 * says anything of another:
 *
 *   16 home | 8 table | 32 slot | 8 nothing; here is the worker's number, plus
 *   one, in a slot
 */
#define HOME_SHIFT 48
#define TABLE_SHIFT 40
#define SLOT_SHIFT 8
#define WORKER_MASK 0xff

#define MIN_SLOTS 8

HpMatchDirectory *
hp_match_directory_new (void)
{
  return g_new0 (HpMatchDirectory, 1);
}

void
hp_match_directory_free (HpMatchDirectory *self)
{
  if (self == NULL)
    return;
  for (guint i = 0; i < HP_MATCH_DIRECTORY_TABLES; i++)
    g_free (self->tables[i].slots);
  g_free (self);
}

guint64
hp_match_directory_hash_id (const HpSipKey *secret, const char *id)
{
  return hp_siphash (secret, id, strlen (id));
}

guint64
hp_match_directory_hash_key (const HpSipKey *secret, const guint8 *public_key)
{
  HpSipKey own = *secret;

  own.words[1] = ~own.words[1];
  return hp_siphash (&own, public_key, HP_KEY_SIZE);
}

guint
hp_match_directory_get_home (guint64 hash, guint n_workers)
{
  return (hash >> HOME_SHIFT) * n_workers >> (64 - HOME_SHIFT);
}

static guint
get_slot (const HpMatchDirectoryTable *table, guint64 entry)
{
  return entry >> SLOT_SHIFT & (table->n_slots - 1);
}

static gboolean
is_same (guint64 entry, guint64 hash)
{
  return ((entry ^ hash) & ~(guint64) WORKER_MASK) == 0;
}

/* Where it is, or the free slot where it would be */
static guint64 *
probe (const HpMatchDirectoryTable *table, guint64 hash)
{
  guint i = get_slot (table, hash);

  while (table->slots[i] != 0 && !is_same (table->slots[i], hash))
    i = (i + 1) & (table->n_slots - 1);
  return table->slots + i;
}

static void
resize (HpMatchDirectoryTable *table, guint n_slots)
{
  HpMatchDirectoryTable larger = { g_new0 (guint64, n_slots), n_slots,
                                   table->n_used };

  for (guint i = 0; i < table->n_slots; i++)
    if (table->slots[i] != 0)
      *probe (&larger, table->slots[i]) = table->slots[i];
  g_free (table->slots);
  *table = larger;
}

static HpMatchDirectoryTable *
get_table (HpMatchDirectory *self, guint64 hash)
{
  return self->tables + (hash >> TABLE_SHIFT) % HP_MATCH_DIRECTORY_TABLES;
}

static guint
get_worker (guint64 entry)
{
  return (entry & WORKER_MASK) - 1;
}

guint
hp_match_directory_set (HpMatchDirectory *self, guint64 hash, guint worker)
{
  HpMatchDirectoryTable *table = get_table (self, hash);
  guint before = HP_MATCH_NOWHERE;
  guint64 *slot;

  g_assert (worker < WORKER_MASK);

  if (table->n_used >= table->n_slots / 8 * 7)
    resize (table, MAX (2 * table->n_slots, MIN_SLOTS));
  slot = probe (table, hash);
  if (*slot != 0)
    before = get_worker (*slot);
  else
    {
      table->n_used++;
      self->n_names++;
    }
  *slot = (hash & ~(guint64) WORKER_MASK) | (worker + 1);
  return before;
}

/* Those behind that would be in the gap move up, so that no search ends before
 * them (Knuth, 6.4, algorithm R). */
static void
close_gap (HpMatchDirectoryTable *table, guint gap)
{
  guint mask = table->n_slots - 1;

  for (guint i = (gap + 1) & mask; table->slots[i] != 0; i = (i + 1) & mask)
    {
      guint wanted = get_slot (table, table->slots[i]);

      if (((i - wanted) & mask) < ((i - gap) & mask))
        continue;
      table->slots[gap] = table->slots[i];
      gap = i;
    }
  table->slots[gap] = 0;
}

static void
shrink (HpMatchDirectoryTable *table)
{
  if (table->n_used == 0)
    {
      g_clear_pointer (&table->slots, g_free);
      table->n_slots = 0;
    }
  else if (table->n_slots > MIN_SLOTS && table->n_used < table->n_slots / 8)
    {
      resize (table, table->n_slots / 2);
    }
}

void
hp_match_directory_unset (HpMatchDirectory *self, guint64 hash, guint worker)
{
  HpMatchDirectoryTable *table = get_table (self, hash);
  guint64 *slot;

  if (table->n_slots == 0)
    return;
  slot = probe (table, hash);
  if (*slot == 0 || get_worker (*slot) != worker)
    return;
  close_gap (table, slot - table->slots);
  table->n_used--;
  self->n_names--;
  shrink (table);
}

guint
hp_match_directory_find (const HpMatchDirectory *self, guint64 hash)
{
  const HpMatchDirectoryTable *table
      = get_table ((HpMatchDirectory *) self, hash);
  guint64 entry = table->n_slots > 0 ? *probe (table, hash) : 0;

  return entry != 0 ? get_worker (entry) : HP_MATCH_NOWHERE;
}

gsize
hp_match_directory_get_size (const HpMatchDirectory *self)
{
  gsize size = sizeof *self;

  for (guint i = 0; i < HP_MATCH_DIRECTORY_TABLES; i++)
    size += self->tables[i].n_slots * sizeof (guint64);
  return size;
}
