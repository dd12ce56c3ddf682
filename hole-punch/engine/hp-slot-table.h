/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A hash table of numbers of slots: the slot itself has the key. Five to nine
 * bytes for each, in 256 parts that grow (and shrink) one at a time, so that no
 * insertion has to wait for a million others.
 *
 *   hash:  part (8) │ tag (8) │ … │ home (as many bits as the part has)
 *   cell:  tag (8) │ slot (24); 0: free
 *
 * Linear probing; what is removed is filled from behind, so that nothing is
 * left of it. Seven of eight cells whose tag differs are passed over without a
 * look at the slot.
 */

#pragma once

#include <glib.h>

#define HP_SLOT_MAX 0xffffff
#define HP_SLOT_TABLE_PARTS 256

/* The hash of the key that is in @slot; the same as long as it is in the
 * table */
typedef guint64 (*HpSlotHash) (gpointer owner, guint32 slot);
typedef gboolean (*HpSlotHasKey) (gpointer owner, guint32 slot,
                                  gconstpointer key);

typedef struct
{
  guint32 *cells; /* NULL: none yet */
  guint32 n_cells; /* 0 or a power of two */
  guint32 n_used;
} HpSlotPart;

typedef struct
{
  HpSlotHash hash;
  HpSlotHasKey has_key;
  gpointer owner;
  guint count;
  HpSlotPart parts[HP_SLOT_TABLE_PARTS];
} HpSlotTable;

void hp_slot_table_init (HpSlotTable *self, HpSlotHash hash,
                         HpSlotHasKey has_key, gpointer owner);
void hp_slot_table_clear (HpSlotTable *self);
/* 0: there is none */
guint32 hp_slot_table_find (const HpSlotTable *self, guint64 hash,
                            gconstpointer key);
/* @slot is 1 … HP_SLOT_MAX; its key must not be there yet */
void hp_slot_table_insert (HpSlotTable *self, guint32 slot);
/* It must be there. */
void hp_slot_table_remove (HpSlotTable *self, guint32 slot);
/* What is allocated for it */
gsize hp_slot_table_get_bytes (const HpSlotTable *self);
