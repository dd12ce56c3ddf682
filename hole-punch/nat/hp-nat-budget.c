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

  if (elapsed <= 0)
    return;
  self->refilled_at = now;
  self->available
      += (gdouble) self->maximum * elapsed / HP_NAT_BUDGET_REFILL;
  self->available = MIN (self->available, (gdouble) self->maximum);
}

void
hp_nat_budget_init (HpNatBudget *self, guint maximum, gint64 now)
{
  self->maximum = maximum;
  self->available = maximum;
  self->refilled_at = now;
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
  is_enough = self->available >= entries;
  if (is_enough)
    self->available -= entries;
  g_mutex_unlock (&mutex);
  return is_enough;
}
