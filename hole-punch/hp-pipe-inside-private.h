/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the two files of a pipe share:
 *
 *   hp-pipe.c       what goes in and comes out at both ends
 *   hp-pipe-wait.c  those who wait for it, in threads and in main contexts
 */

#pragma once

#include "hole-punch/hp-pipe-private.h"

typedef enum
{
  HP_PIPE_FINISH = 1 << 0,
  HP_PIPE_RESET = 1 << 1,
  HP_PIPE_STOP = 1 << 2,
  HP_PIPE_WEIGHT = 1 << 3,
} HpPipeFlags;

struct _HpPipe
{
  gatomicrefcount references;
  HpPipeGate *gate; /* NULL: none */
  gpointer lane;    /* the connection's */

  GMutex lock; /* for all that follows */
  GCond conditions[HP_PIPE_N_CONDITIONS];
  guint n_blocked[HP_PIPE_N_CONDITIONS]; /* threads */
  GSList *waiting[HP_PIPE_N_CONDITIONS]; /* their sources */
  gboolean is_pushed;                    /* the gate knows of orders */
  HpPipeFlags orders;
  guint weight;

  GQueue received;   /* GBytes */
  gsize head_offset; /* of the first one, what was read */
  gsize readable;
  gsize consumed; /* not told yet */
  gboolean at_end, input_closed;
  GError *input_error;

  GQueue written; /* GBytes, not taken yet */
  guint8 *tail;   /* after them: small writes */
  gsize tail_length;
  gsize buffered; /* all that was written and has not arrived */
  gsize bound;
  gboolean output_closed, sent;
  gboolean is_abandoned;
  GError *output_error;
};

/* With the lock: ends a change by letting it go; whoever waited for what holds
 * now is woken */
void hp_pipe_unlock_and_wake (HpPipe *self);
/* With the lock: there is room to write */
gboolean hp_pipe_has_room (const HpPipe *self);
