/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-receive-credit.h"

#include "hole-punch/transport/hp-transport.h"

void
hp_receive_credit_init (HpReceiveCredit *self, guint64 window,
                        guint64 max_message_size)
{
  guint64 needed = HP_STREAM_OPEN_COST + 1
                   + MIN (max_message_size, HP_STREAM_INITIAL_CREDIT);

  if (window == 0)
    window = HP_RECEIVE_WINDOW_DEFAULT;
  window = MAX (window, needed);
  *self = (HpReceiveCredit){
    .window = window,
    /* What is not told must never keep the costliest message waiting. */
    .step = MAX (MIN (window / 4, window - needed), 1),
    .told = window,
    .pool = max_message_size,
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
  g_assert (self->consumed <= self->charged);
}

gboolean
hp_receive_credit_is_due (const HpReceiveCredit *self)
{
  return self->lost
         || self->consumed + self->window - self->told >= self->step;
}

guint64
hp_receive_credit_tell (HpReceiveCredit *self)
{
  self->told = self->consumed + self->window;
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

gboolean
hp_receive_credit_take_pool (HpReceiveCredit *self, guint64 amount)
{
  if (amount > self->pool - self->pool_used)
    return FALSE;
  self->pool_used += amount;
  return TRUE;
}

void
hp_receive_credit_return_pool (HpReceiveCredit *self, guint64 amount)
{
  g_assert (amount <= self->pool_used);
  self->pool_used -= amount;
}
