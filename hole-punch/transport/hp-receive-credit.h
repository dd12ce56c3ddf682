/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The two pools that bound a receiver's memory: the connection's credit, and
 * the one for what is beyond the first bytes of large messages.
 */

#pragma once

#include <glib.h>

#define HP_RECEIVE_WINDOW_DEFAULT (4 * 1024 * 1024)

typedef struct
{
  guint64 window;
  guint64 step;     /* credit to give back before it is worth a frame */
  guint64 charged;  /* used by the other side, ever */
  guint64 consumed; /* of that, given back */
  guint64 told;     /* the maximum that the other side may know */
  gboolean lost;    /* but does not */
  guint64 pool;     /* for large messages */
  guint64 pool_used;
} HpReceiveCredit;

/* @window 0: the default; never less than what one message may need */
void hp_receive_credit_init (HpReceiveCredit *self, guint64 window,
                             guint64 max_message_size);
/* FALSE: more than was granted */
gboolean hp_receive_credit_charge (HpReceiveCredit *self, guint64 amount)
    G_GNUC_WARN_UNUSED_RESULT;
/* It turned out to be less */
void hp_receive_credit_discharge (HpReceiveCredit *self, guint64 amount);
void hp_receive_credit_consume (HpReceiveCredit *self, guint64 amount);
/* Time for a MAX_DATA */
gboolean hp_receive_credit_is_due (const HpReceiveCredit *self);
guint64 hp_receive_credit_tell (HpReceiveCredit *self);
/* The MAX_DATA that told @told got lost */
void hp_receive_credit_lost (HpReceiveCredit *self, guint64 told);

gboolean hp_receive_credit_take_pool (HpReceiveCredit *self, guint64 amount);
void hp_receive_credit_return_pool (HpReceiveCredit *self, guint64 amount);
