/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-busy-poll.h"

#define MAX_DOUBLINGS 8

static guint
get_patience (const HpBusyPoll *self)
{
  guint doublings = 2 * MIN (self->n_failed, MAX_DOUBLINGS / 2);

  return MIN (HP_BUSY_POLL_MIN_PATIENCE << doublings,
              HP_BUSY_POLL_MAX_PATIENCE);
}

static guint
get_max_vain (const HpBusyPoll *self)
{
  guint doublings = MIN (self->n_failed, MAX_DOUBLINGS);

  return MIN (HP_BUSY_POLL_MIN_VAIN << doublings, HP_BUSY_POLL_MAX_VAIN);
}

static void
begin_round (HpBusyPoll *self)
{
  self->n_left = 4 * get_max_vain (self);
  self->n_vain = 0;
  self->n_quick = 0;
}

static void
judge (HpBusyPoll *self, gboolean has_come)
{
  gboolean was_long = !self->is_awake;

  self->is_awake = has_come;
  self->n_vain += !has_come;
  self->n_left--;
  if (self->n_vain > get_max_vain (self) || (was_long && !has_come))
    {
      self->n_left = 0;
      self->n_failed++;
    }
  else if (self->n_left == 0)
    {
      self->n_failed = 0;
      begin_round (self);
    }
}

gint64
hp_busy_poll_asked (HpBusyPoll *self, guint turn, gint64 now)
{
  if (self->until > now)
    return self->until;
  if (self->until != 0)
    judge (self, FALSE);
  self->asked_at = now;
  self->asked_in = turn;
  self->until = 0;
  if (self->n_left > 0)
    self->until = now
                  + (self->is_awake ? HP_BUSY_POLL_SHORT : HP_BUSY_POLL_LONG);
  return self->until;
}

void
hp_busy_poll_heard (HpBusyPoll *self, guint turn, gint64 now)
{
  gboolean is_quick
      = self->asked_at != 0 && now - self->asked_at <= HP_BUSY_POLL_QUICK;

  if (self->until != 0 && turn - self->asked_in > 1)
    judge (self, now <= self->until);
  self->asked_at = self->until = 0;
  if (self->n_left > 0)
    return;
  self->n_quick = is_quick ? self->n_quick + 1 : 0;
  if (self->n_quick >= get_patience (self))
    begin_round (self);
}
