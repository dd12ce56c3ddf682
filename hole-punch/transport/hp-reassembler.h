/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One message coming in: its bytes at their places in one buffer, which
 * becomes the message's GBytes without a copy.
 *
 * The buffer is never larger than the limit, whatever total is claimed.
 */

#pragma once

#include "hole-punch/wire/hp-frame.h"

#define HP_TOTAL_UNKNOWN G_MAXUINT64

typedef struct
{
  guint8 *buffer;
  gsize allocated;
  HpRanges received;
  guint64 total;   /* of the whole message, or HP_TOTAL_UNKNOWN */
  guint64 highest; /* end of what has been received */
  guint64 n_received;
  guint64 limit;   /* what the sender may send up to */
} HpReassembler;

void hp_reassembler_init (HpReassembler *self, guint64 limit);
void hp_reassembler_clear (HpReassembler *self);
/* FALSE, with nothing changed, when @chunk contradicts an earlier one in its
 * total or goes beyond that or beyond the limit */
gboolean hp_reassembler_check (const HpReassembler *self,
                               const HpChunkFrame *chunk)
    G_GNUC_WARN_UNUSED_RESULT;
/* Takes the total that a checked @chunk tells, if it does */
void hp_reassembler_learn_total (HpReassembler *self,
                                 const HpChunkFrame *chunk);
/* The bytes of a checked @chunk. FALSE when they contradict earlier ones, or
 * leave more holes than losses do. */
gboolean hp_reassembler_add (HpReassembler *self, const HpChunkFrame *chunk)
    G_GNUC_WARN_UNUSED_RESULT;
/* Makes room for the whole of a message whose total is known. FALSE: there is
 * not so much memory. */
gboolean hp_reassembler_raise_limit (HpReassembler *self)
    G_GNUC_WARN_UNUSED_RESULT;
gboolean hp_reassembler_is_complete (const HpReassembler *self);
/* The complete message; the reassembler is empty then */
GBytes *hp_reassembler_take (HpReassembler *self);
