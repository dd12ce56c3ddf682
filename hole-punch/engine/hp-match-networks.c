/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-match-networks.h"

#define MIN_CELLS 4

void
hp_match_networks_init (HpMatchNetworks *self, const HpRandom *random)
{
  *self = (HpMatchNetworks){ 0 };
  self->key.words[0] = hp_random_u64 (random);
  self->key.words[1] = hp_random_u64 (random);
}

void
hp_match_networks_clear (HpMatchNetworks *self)
{
  for (guint i = 0; i < HP_MATCH_NETWORK_PARTS; i++)
    g_clear_pointer (&self->parts[i].cells, g_free);
}

static HpMatchNetworkPart *
find_part (const HpMatchNetworks *self, const HpAddress *address,
           guint32 *tag)
{
  guint8 prefix[HP_ADDRESS_PREFIX_SIZE];
  gsize size = hp_address_get_prefix (address, prefix);
  guint64 hash = hp_siphash (&self->key, prefix, size);

  *tag = hash;
  return (HpMatchNetworkPart *) &self->parts[hash >> 56];
}

/* Its cell, or the free one where it would be; not of an empty part */
static HpMatchNetwork *
find_cell (const HpMatchNetworkPart *part, guint32 tag)
{
  guint32 mask = part->n_cells - 1;
  guint32 i = tag & mask;

  while (part->cells[i].count != 0 && part->cells[i].tag != tag)
    i = (i + 1) & mask;
  return part->cells + i;
}

guint
hp_match_networks_get (const HpMatchNetworks *self, const HpAddress *address)
{
  guint32 tag;
  const HpMatchNetworkPart *part = find_part (self, address, &tag);

  return part->n_used > 0 ? find_cell (part, tag)->count : 0;
}

static void
resize (HpMatchNetworkPart *part, guint32 n_cells)
{
  HpMatchNetworkPart resized = { .n_cells = n_cells, .n_used = part->n_used };

  if (n_cells > 0)
    resized.cells = g_new0 (HpMatchNetwork, n_cells);
  for (guint32 i = 0; i < part->n_cells; i++)
    if (part->cells[i].count != 0)
      *find_cell (&resized, part->cells[i].tag) = part->cells[i];
  g_free (part->cells);
  *part = resized;
}

void
hp_match_networks_add (HpMatchNetworks *self, const HpAddress *address)
{
  guint32 tag;
  HpMatchNetworkPart *part = find_part (self, address, &tag);
  HpMatchNetwork *cell;

  if ((part->n_used + 1) * 8 > part->n_cells * 7)
    resize (part, MAX (2 * part->n_cells, MIN_CELLS));
  cell = find_cell (part, tag);
  if (cell->count == 0)
    part->n_used++;
  cell->tag = tag;
  cell->count++;
}

/* Whatever would not be found any more when cell @hole is free moves there. */
static void
close_hole (HpMatchNetworkPart *part, guint32 hole)
{
  guint32 mask = part->n_cells - 1;

  for (guint32 i = (hole + 1) & mask; part->cells[i].count != 0;
       i = (i + 1) & mask)
    {
      guint32 home = part->cells[i].tag & mask;

      if (((i - home) & mask) < ((i - hole) & mask))
        continue;
      part->cells[hole] = part->cells[i];
      hole = i;
    }
  part->cells[hole] = (HpMatchNetwork){ 0 };
}

void
hp_match_networks_remove (HpMatchNetworks *self, const HpAddress *address)
{
  guint32 tag;
  HpMatchNetworkPart *part = find_part (self, address, &tag);
  HpMatchNetwork *cell;

  g_assert (part->n_used > 0);
  cell = find_cell (part, tag);
  g_assert (cell->count > 0);
  if (--cell->count > 0)
    return;
  close_hole (part, cell - part->cells);
  part->n_used--;
  if (part->n_used == 0)
    resize (part, 0);
  else if (part->n_cells > MIN_CELLS && part->n_used * 8 < part->n_cells)
    resize (part, part->n_cells / 2);
}

guint
hp_match_networks_count (const HpMatchNetworks *self)
{
  guint count = 0;

  for (guint i = 0; i < HP_MATCH_NETWORK_PARTS; i++)
    count += self->parts[i].n_used;
  return count;
}

gsize
hp_match_networks_get_bytes (const HpMatchNetworks *self)
{
  gsize bytes = 0;

  for (guint i = 0; i < HP_MATCH_NETWORK_PARTS; i++)
    bytes += self->parts[i].n_cells * sizeof (HpMatchNetwork);
  return bytes;
}
