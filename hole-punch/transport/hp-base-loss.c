/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-base-loss.h"

/* Packets; the first sample is taken sooner, since there is nothing yet. */
#define FIRST_SAMPLE 200
#define SAMPLE 1000
#define MAX_AGE 8
#define NONE -1.0

void
hp_base_loss_init (HpBaseLoss *self)
{
  *self = (HpBaseLoss){ .current = NONE, .last = NONE };
}

void
hp_base_loss_add (HpBaseLoss *self, guint n_acked, guint n_lost)
{
  gboolean is_first = self->current < 0 && self->last < 0;
  guint64 n;
  double rate;

  self->n_acked += n_acked;
  self->n_lost += n_lost;
  n = self->n_acked + self->n_lost;
  if (n < (is_first ? FIRST_SAMPLE : SAMPLE))
    return;
  rate = self->n_lost / (double) n;
  self->current = self->current < 0 ? rate : MIN (self->current, rate);
  self->age = 0;
  self->n_acked = self->n_lost = 0;
}

void
hp_base_loss_advance (HpBaseLoss *self)
{
  if (self->current >= 0)
    {
      self->last = self->current;
      self->current = NONE;
    }
  else if (self->age++ >= MAX_AGE)
    self->last = NONE;
}

double
hp_base_loss_get (const HpBaseLoss *self)
{
  double least = self->last;

  if (least < 0 || (self->current >= 0 && self->current < least))
    least = self->current;
  return CLAMP (least, 0, HP_BASE_LOSS_MAX);
}

static gboolean
is_more_than (double base, double n, double n_lost, double allowed)
{
  double expected = n * base;
  double excess = n_lost - expected - n * allowed;

  return excess > 0 && excess * excess > 3 * 3 * expected;
}

gboolean
hp_base_loss_is_exceeded (const HpBaseLoss *self, double n, double n_lost,
                          double allowed)
{
  return is_more_than (hp_base_loss_get (self), n, n_lost, allowed);
}

gboolean
hp_base_loss_is_hopeless (double n, double n_lost, double allowed)
{
  return is_more_than (HP_BASE_LOSS_MAX, n, n_lost, allowed);
}
