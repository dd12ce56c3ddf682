/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/nat/hp-nat-budget.h"

/* One for all budgets: there is one in a process, and it is touched a few times
 * for each connection that is made */
static GMutex mutex;

static void
refill (HpNatBudget *self, gint64 now)
{
  gint64 elapsed = now - self->refilled_at;

  if (self->whole != NULL)
    {
      refill (self->whole, now);
      self->maximum = self->whole->maximum / 2;
    }
  if (elapsed <= 0)
    return;
  self->refilled_at = now;
  self->available
      += (gdouble) self->maximum * elapsed / HP_NAT_BUDGET_REFILL;
  self->available = MIN (self->available, (gdouble) self->maximum);
}

/* That may be taken, but for the last @reserve of all */
static gdouble
get_available (const HpNatBudget *self, guint reserve, gint64 now)
{
  const HpNatBudget *whole = self->whole != NULL ? self->whole : self;
  gdouble available = whole->available - reserve;

  if (now < whole->claimed_until)
    available = MIN (available, self->available);
  return MAX (available, 0.0);
}

static void
spend (HpNatBudget *self, guint entries)
{
  self->available -= entries;
  if (self->whole != NULL)
    self->whole->available -= entries;
}

/* What was made meanwhile is there until it is over */
static void
hold (HpNatBudget *self, gint64 now)
{
  self->refilled_at = now + HP_NAT_BUDGET_HOLD;
  if (self->whole != NULL)
    self->whole->refilled_at = now + HP_NAT_BUDGET_HOLD;
}

void
hp_nat_budget_init (HpNatBudget *self, guint maximum, gint64 now)
{
  *self = (HpNatBudget){ .maximum = maximum,
                         .available = maximum,
                         .refilled_at = now };
}

void
hp_nat_budget_init_share (HpNatBudget *self, HpNatBudget *whole, gint64 now)
{
  hp_nat_budget_init (self, hp_nat_budget_get_maximum (whole) / 2, now);
  self->whole = whole;
}

/* What has been spent stays spent: the entries are there in the NAT */
void
hp_nat_budget_set_maximum (HpNatBudget *self, guint maximum, gint64 now)
{
  gdouble spent;

  g_mutex_lock (&mutex);
  refill (self, now);
  spent = self->maximum - self->available;
  self->maximum = maximum;
  self->available = MAX (maximum - spent, 0.0);
  g_mutex_unlock (&mutex);
}

guint
hp_nat_budget_get_maximum (const HpNatBudget *self)
{
  guint maximum;

  g_mutex_lock (&mutex);
  maximum = self->maximum;
  g_mutex_unlock (&mutex);
  return maximum;
}

gboolean
hp_nat_budget_take (HpNatBudget *self, guint entries, gint64 now)
{
  gboolean is_enough;

  g_mutex_lock (&mutex);
  refill (self, now);
  is_enough = get_available (self, 0, now) >= entries;
  if (is_enough)
    spend (self, entries);
  g_mutex_unlock (&mutex);
  return is_enough;
}

guint
hp_nat_budget_take_some (HpNatBudget *self, guint wanted, guint minimum,
                         gint64 now)
{
  gdouble available;
  guint taken;

  g_mutex_lock (&mutex);
  refill (self, now);
  if (self->whole == NULL)
    self->claimed_until = now + HP_NAT_BUDGET_REFILL;
  available = get_available (self, HP_NAT_BUDGET_RESERVE, now);
  taken = (guint) MIN (available, (gdouble) wanted);
  if (taken < minimum)
    taken = 0;
  spend (self, taken);
  if (taken > 0)
    hold (self, now);
  g_mutex_unlock (&mutex);
  return taken;
}

static void
give_back (HpNatBudget *self, guint entries)
{
  self->available = MIN (self->available + entries, (gdouble) self->maximum);
}

void
hp_nat_budget_give_back (HpNatBudget *self, guint entries)
{
  g_mutex_lock (&mutex);
  give_back (self, entries);
  if (self->whole != NULL)
    give_back (self->whole, entries);
  g_mutex_unlock (&mutex);
}
