/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-receive-credit.h"

/* A window may have so many times what is left in the pool. */
#define POOL_SHARE 4
#define ROUND_TRIPS 3.0
/* Shorter round trips are shorter than what a busy reader takes to come by */
#define MIN_ROUND_TRIP G_TIME_SPAN_MILLISECOND

gboolean
hp_receive_pool_take (HpReceivePool *self, guint64 amount)
{
  if (amount > self->size - self->used)
    return FALSE;
  self->used += amount;
  return TRUE;
}

void
hp_receive_pool_return (HpReceivePool *self, guint64 amount)
{
  g_assert (amount <= self->used);
  self->used -= amount;
}

void
hp_receive_credit_init (HpReceiveCredit *self, guint64 window, guint64 needed,
                        gint64 now)
{
  window = MAX (window, needed);
  *self = (HpReceiveCredit){
    .window = window,
    .base = window,
    .needed = needed,
    .told = window,
    .measured_at = now,
  };
}

gboolean
hp_receive_credit_charge (HpReceiveCredit *self, guint64 amount)
{
  if (amount > self->told - self->charged)
    return FALSE;
  self->charged += amount;
  return TRUE;
}

void
hp_receive_credit_discharge (HpReceiveCredit *self, guint64 amount)
{
  g_assert (amount <= self->charged - self->consumed);
  self->charged -= amount;
}

void
hp_receive_credit_consume (HpReceiveCredit *self, guint64 amount)
{
  self->consumed += amount;
  self->taken += amount;
  g_assert (self->consumed <= self->charged);
}

void
hp_receive_credit_add_taken (HpReceiveCredit *self, guint64 amount)
{
  self->taken += amount;
}

void
hp_receive_credit_tune (HpReceiveCredit *self, HpReceivePool *pool,
                        gint64 round_trip, gint64 now)
{
  guint64 extra = self->window - self->base;
  guint64 most = POOL_SHARE * (pool->size - pool->used);
  guint64 taken = self->taken;
  double elapsed = now - self->measured_at;
  guint64 change;

  if (extra > most)
    {
      change = MIN ((extra - most) / (POOL_SHARE + 1),
                    hp_receive_credit_get_maximum (self) - self->told);
      self->window -= change;
      hp_receive_pool_return (pool, change);
      return;
    }

  if (taken < self->window / 2)
    return;
  self->taken = 0;
  self->measured_at = now;
  /* A whole window in less than that many round trips? */
  if (elapsed * self->window
      >= ROUND_TRIPS * MAX (round_trip, MIN_ROUND_TRIP) * taken)
    return;
  change = MIN (self->window, (most - extra) / (POOL_SHARE + 1));
  self->window += change;
  pool->used += change;
}

guint64
hp_receive_credit_get_maximum (const HpReceiveCredit *self)
{
  return self->consumed + self->window;
}

guint64
hp_receive_credit_tell (HpReceiveCredit *self)
{
  self->told = hp_receive_credit_get_maximum (self);
  self->lost = FALSE;
  return self->told;
}

void
hp_receive_credit_lost (HpReceiveCredit *self, guint64 told)
{
  /* A later one says more. */
  if (told == self->told)
    self->lost = TRUE;
}

void
hp_receive_credit_end (HpReceiveCredit *self, HpReceivePool *pool)
{
  hp_receive_pool_return (pool, self->window - self->base);
  self->window = self->base;
}
