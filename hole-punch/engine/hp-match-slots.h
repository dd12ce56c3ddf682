/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Where a match server's sessions are: slots of one size, in chunks of 32768.
 *
 *   slot:   chunk (9) │ place in it (15)
 *   index:  name of the chunk (9) │ place in it (15) │ worker (8)
 *
 * An index finds its slot without a table of all of them, yet is not the
 * slot's number: each chunk has several names, by chance, and a slot that is
 * used again goes by the next one. So it is long until a number that an earlier
 * peer still sends to means another one.
 *
 * Chunks are never given back: what was needed once will be needed again. Each
 * is 10 MiB, which are used as they are needed; all but the first one by 2 MiB,
 * in huge pages. Without those a request of one of a million peers takes a
 * third longer than of one of ten thousand, only to find its session in memory.
 */

#pragma once

#include <glib.h>

#include "hole-punch/base/hp-random.h"

#define HP_MATCH_CHUNK_SLOTS 32768
#define HP_MATCH_CHUNK_NAMES 512

typedef struct _HpMatchChunk HpMatchChunk;

/* What every slot begins with */
typedef struct
{
  guint32 index;
  guint32 next; /* slot; of the free ones, else of whoever has it */
} HpMatchSlot;

typedef struct
{
  gsize slot_bytes;
  guint8 worker;
  guint most;         /* slots that are expected to be needed */
  GPtrArray *chunks;  /* HpMatchChunk */
  HpMatchChunk *by_name[HP_MATCH_CHUNK_NAMES];
  guint n_names;      /* in use */
  guint n_fresh;      /* slots of the last chunk that nobody had yet */
  guint32 first_free, last_free; /* the longest free is used first */
  guint count;        /* in use */
} HpMatchSlots;

void hp_match_slots_init (HpMatchSlots *self, gsize slot_bytes, guint8 worker);
void hp_match_slots_clear (HpMatchSlots *self);
/* How many names a chunk is given from now on depends on it: few if there will
 * be many chunks */
void hp_match_slots_expect (HpMatchSlots *self, guint most);
/* The index of the slot that is taken next; 0: there is none, or no memory */
guint32 hp_match_slots_get_next (HpMatchSlots *self, const HpRandom *random);
/* All zeros but for @index, which was given just now */
gpointer hp_match_slots_take (HpMatchSlots *self, guint32 index);
void hp_match_slots_give_back (HpMatchSlots *self, gpointer slot);
/* NULL: nobody's index. It may be that of an earlier user. */
gpointer hp_match_slots_find (const HpMatchSlots *self, guint32 index);
gpointer hp_match_slots_get (const HpMatchSlots *self, guint32 number);
guint32 hp_match_slots_get_number (const HpMatchSlots *self,
                                   gconstpointer slot);
