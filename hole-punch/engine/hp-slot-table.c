/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-slot-table.h"

#define MIN_CELLS 8

static guint32
get_slot (guint32 cell)
{
  return cell & HP_SLOT_MAX;
}

static guint32
get_tag (guint64 hash)
{
  return (guint32) (hash >> 48 & 0xff) << 24;
}

static HpSlotPart *
get_part (const HpSlotTable *self, guint64 hash)
{
  return (HpSlotPart *) &self->parts[hash >> 56];
}

void
hp_slot_table_init (HpSlotTable *self, HpSlotHash hash, HpSlotHasKey has_key,
                    gpointer owner)
{
  *self = (HpSlotTable){ .hash = hash, .has_key = has_key, .owner = owner };
}

void
hp_slot_table_clear (HpSlotTable *self)
{
  for (guint i = 0; i < HP_SLOT_TABLE_PARTS; i++)
    {
      g_free (self->parts[i].cells);
      self->parts[i] = (HpSlotPart){ 0 };
    }
  self->count = 0;
}

guint32
hp_slot_table_find (const HpSlotTable *self, guint64 hash, gconstpointer key)
{
  const HpSlotPart *part = get_part (self, hash);
  guint32 mask = part->n_cells - 1;
  guint32 cell;

  if (part->n_used == 0)
    return 0;
  for (guint32 i = hash & mask; (cell = part->cells[i]) != 0;
       i = (i + 1) & mask)
    if ((cell & ~HP_SLOT_MAX) == get_tag (hash)
        && self->has_key (self->owner, get_slot (cell), key))
      return get_slot (cell);
  return 0;
}

static void
put (HpSlotPart *part, guint64 hash, guint32 slot)
{
  guint32 mask = part->n_cells - 1;
  guint32 i = hash & mask;

  while (part->cells[i] != 0)
    i = (i + 1) & mask;
  part->cells[i] = get_tag (hash) | slot;
}

static void
resize (HpSlotTable *self, HpSlotPart *part, guint32 n_cells)
{
  HpSlotPart resized = { .n_cells = n_cells, .n_used = part->n_used };

  if (n_cells > 0)
    resized.cells = g_new0 (guint32, n_cells);
  for (guint32 i = 0; i < part->n_cells; i++)
    {
      guint32 slot = get_slot (part->cells[i]);

      if (part->cells[i] != 0)
        put (&resized, self->hash (self->owner, slot), slot);
    }
  g_free (part->cells);
  *part = resized;
}

void
hp_slot_table_insert (HpSlotTable *self, guint32 slot)
{
  guint64 hash = self->hash (self->owner, slot);
  HpSlotPart *part = get_part (self, hash);

  g_assert (slot > 0 && slot <= HP_SLOT_MAX);

  if ((part->n_used + 1) * 8 > part->n_cells * 7)
    resize (self, part, MAX (2 * part->n_cells, MIN_CELLS));
  put (part, hash, slot);
  part->n_used++;
  self->count++;
}

/* Whatever would not be found any more when cell @hole is free moves there. */
static void
close_hole (HpSlotTable *self, HpSlotPart *part, guint32 hole)
{
  guint32 mask = part->n_cells - 1;

  for (guint32 i = (hole + 1) & mask; part->cells[i] != 0; i = (i + 1) & mask)
    {
      guint32 home
          = self->hash (self->owner, get_slot (part->cells[i])) & mask;

      if (((i - home) & mask) < ((i - hole) & mask))
        continue;
      part->cells[hole] = part->cells[i];
      hole = i;
    }
  part->cells[hole] = 0;
}

void
hp_slot_table_remove (HpSlotTable *self, guint32 slot)
{
  guint64 hash = self->hash (self->owner, slot);
  HpSlotPart *part = get_part (self, hash);
  guint32 mask = part->n_cells - 1;
  guint32 i = hash & mask;

  while (get_slot (part->cells[i]) != slot)
    {
      g_assert (part->cells[i] != 0);
      i = (i + 1) & mask;
    }
  close_hole (self, part, i);
  part->n_used--;
  self->count--;
  if (part->n_used == 0)
    resize (self, part, 0);
  else if (part->n_cells > MIN_CELLS && part->n_used * 8 < part->n_cells)
    resize (self, part, part->n_cells / 2);
}

gsize
hp_slot_table_get_bytes (const HpSlotTable *self)
{
  gsize bytes = 0;

  for (guint i = 0; i < HP_SLOT_TABLE_PARTS; i++)
    bytes += self->parts[i].n_cells * sizeof (guint32);
  return bytes;
}
