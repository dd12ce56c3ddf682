/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The half of a byte stream that comes in: blocks that are filled in any order
 * and handed out in theirs, without a copy.
 *
 *   consumed    read        contiguous       highest        told
 *      ▾          ▾             ▾               ▾             ▾
 *      | held by  | to be read  |  . holes .  . |  may come   |
 *      | the user [ block ][ block ][      ][ block ]
 *
 * Credit is a window that slides as the user consumes.
 */

#pragma once

#include "hole-punch/transport/hp-receive-credit.h"
#include "hole-punch/wire/hp-frame.h"

#define HP_BYTE_BLOCK_SIZE 16384
/* The window to begin with */
#define HP_BYTE_WINDOW 16384

typedef struct
{
  GPtrArray *blocks; /* from the one that is read; NULL: nothing came yet */
  guint64 first_block;
  HpRanges received;
  guint64 total; /* HP_BYTE_TOTAL_UNKNOWN until the FIN */
  guint64 read;
  HpReceiveCredit credit; /* charged: the highest offset */
  gsize memory;           /* of blocks, until all of one is consumed */
  guint64 n_received;
} HpByteReader;

#define HP_BYTE_TOTAL_UNKNOWN G_MAXUINT64

void hp_byte_reader_init (HpByteReader *self, gint64 now);
void hp_byte_reader_clear (HpByteReader *self);
/* FALSE: it goes beyond the credit, or contradicts what came before. */
gboolean hp_byte_reader_add (HpByteReader *self, const HpChunkFrame *chunk)
    G_GNUC_WARN_UNUSED_RESULT;
/* What a RESET tells. FALSE: it cannot be */
gboolean hp_byte_reader_is_final (const HpByteReader *self,
                                  guint64 final_size)
    G_GNUC_WARN_UNUSED_RESULT;
/* All has come, and the end */
gboolean hp_byte_reader_is_complete (const HpByteReader *self);
/* There is something to read, if only the end */
gboolean hp_byte_reader_is_readable (const HpByteReader *self);
/* NULL: nothing now */
GBytes *hp_byte_reader_read (HpByteReader *self);
gboolean hp_byte_reader_is_at_end (const HpByteReader *self);
/* At most what was read */
void hp_byte_reader_consume (HpByteReader *self, gsize length);
