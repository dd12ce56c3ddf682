/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What bounds a receiver's memory: credit, a window that slides as what came
 * in is consumed (for the connection's messages, and for each byte stream),
 * and pools that such windows and large messages draw from.
 *
 * A window grows to between 3 and 6 times what is consumed in a round trip: for
 * what is on its way, for the news of what was consumed, and for what has come
 * behind a datagram that got lost and is sent again. So its sender need not
 * wait for it. All windows share the pool that they grow from by one rule: what
 * a window has of it is at most four times what is still free. So one that is
 * alone gets four fifths, two get four ninths each, and there is always
 * something left for another; one that has more than that, as others came,
 * gives back while it is consumed.
 */

#pragma once

#include <glib.h>

#define HP_RECEIVE_WINDOW_DEFAULT (4 * 1024 * 1024)

typedef struct
{
  guint64 size;
  guint64 used;
} HpReceivePool;

typedef struct
{
  guint64 window;
  guint64 base;     /* the window to begin with: not from the pool */
  guint64 needed;   /* that must fit whatever has not been told yet */
  guint64 charged;  /* used by the other side, ever */
  guint64 consumed; /* of that, given back */
  guint64 told;     /* the maximum that the other side may know */
  gboolean lost;    /* but does not */
  gint64 measured_at; /* since when it is measured … */
  guint64 taken;      /* … how much is consumed, of the pool too */
} HpReceiveCredit;

/* FALSE: there is not so much left */
gboolean hp_receive_pool_take (HpReceivePool *self, guint64 amount);
void hp_receive_pool_return (HpReceivePool *self, guint64 amount);

/* @window: never less than @needed */
void hp_receive_credit_init (HpReceiveCredit *self, guint64 window,
                             guint64 needed, gint64 now);
/* FALSE: more than was granted */
gboolean hp_receive_credit_charge (HpReceiveCredit *self, guint64 amount)
    G_GNUC_WARN_UNUSED_RESULT;
/* It turned out to be less */
void hp_receive_credit_discharge (HpReceiveCredit *self, guint64 amount);
void hp_receive_credit_consume (HpReceiveCredit *self, guint64 amount);
/* So much besides, which needed no credit */
void hp_receive_credit_add_taken (HpReceiveCredit *self, guint64 amount);
/* Time for a MAX_DATA or MAX_STREAM_DATA: a quarter of the window is news.
 * Asked several times for each packet. */
static inline gboolean
hp_receive_credit_is_due (const HpReceiveCredit *self)
{
  /* What is not told must never keep the costliest message waiting. */
  guint64 step = MIN (self->window / 4, self->window - self->needed);

  return self->lost
         || self->consumed + self->window - self->told >= MAX (step, 1);
}
/* Before it is told: the window's size by what was consumed lately */
void hp_receive_credit_tune (HpReceiveCredit *self, HpReceivePool *pool,
                             gint64 round_trip, gint64 now);
/* What to tell now */
guint64 hp_receive_credit_get_maximum (const HpReceiveCredit *self);
guint64 hp_receive_credit_tell (HpReceiveCredit *self);
/* The frame that told @told got lost */
void hp_receive_credit_lost (HpReceiveCredit *self, guint64 told);
/* There is no window any more. */
void hp_receive_credit_end (HpReceiveCredit *self, HpReceivePool *pool);
