/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Ids and their holders, many of them in little memory, and no operation that
 * takes long because there are many:
 *
 * - An entry is one piece with its id and key in it, 72 bytes for an id of 12,
 *   from chunks of 64 KiB of pieces of one size; it never moves, and is named
 *   by 32 bits.
 * - The table is hashed linearly (Litwin, VLDB 1980): each new entry splits one
 *   bucket, so it grows by one bucket at a time.
 * - What is claimed for the same time is over in the order in which it was
 *   claimed: a queue for each lifetime, of which there are few, and a heap of
 *   the queues.
 */

#pragma once

#include "hole-punch/base/hp-siphash.h"
#include "hole-punch/secure/hp-crypto.h"

#define HP_ID_TABLE_MAX_ID_SIZE 255

typedef struct _HpIdTable HpIdTable;

/* Names an entry until that is removed; 0: none */
typedef guint32 HpIdRef;

typedef struct
{
  HpIdRef chain;          /* the next one of the bucket, or of the free ones */
  HpIdRef next, previous; /* of the queue */
  guint16 stored_day;     /* the registry's own */
  guint8 id_length;       /* 0: not an id, free or the head of a queue */
  gint64 expires_at;
  guint8 holder[HP_KEY_SIZE];
  char id[]; /* with a zero at its end */
} HpIdEntry;

typedef struct
{
  guint chunk;
  guint piece;
} HpIdCursor;

/* @key: random */
HpIdTable *hp_id_table_new (const HpSipKey *key);
void hp_id_table_free (HpIdTable *self);
guint hp_id_table_get_size (HpIdTable *self);
HpIdEntry *hp_id_table_get (HpIdTable *self, HpIdRef ref);

HpIdRef hp_id_table_find (HpIdTable *self, const char *id, guint length);
/* @id, of 1 to HP_ID_TABLE_MAX_ID_SIZE bytes, must not be there. It is in no
 * queue yet. 0: there is no room for more, at 32 GiB */
HpIdRef hp_id_table_add (HpIdTable *self, const char *id, guint length);
void hp_id_table_remove (HpIdTable *self, HpIdRef ref);

/* To the end of the queue of that @lifetime, whose unit does not matter. Those
 * of one queue must expire one after the other. */
void hp_id_table_set_expiry (HpIdTable *self, HpIdRef ref, gint64 expires_at,
                             gint64 lifetime);
/* Puts all that are in no queue yet into the one of @lifetime, sorted. */
void hp_id_table_sort_rest (HpIdTable *self, gint64 lifetime);
/* One that is over, to be removed, or 0 */
HpIdRef hp_id_table_find_expired (HpIdTable *self, gint64 now);

/* All that are there from the first to the last call, in any order; and maybe
 * some of the others. Begins with a cursor of zeros. Looks at no more than
 * @n_pieces, and takes off what it did; 0 and some left: there are no more. */
HpIdRef hp_id_table_next (HpIdTable *self, HpIdCursor *cursor,
                          guint *n_pieces);
