/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/nat/hp-volley.h"

#include <string.h>

#define NEVER G_MAXINT64
/* What is late is made up for by so many at once, at most */
#define MAX_BURST 4

static gint64
get_pass_time (const HpVolley *self, guint pass, gint64 now)
{
  if (pass >= self->plan.n_passes)
    return NEVER;
  return MAX (self->begins_at + self->plan.passes[pass].at, now);
}

/* Openers begin at once: what is open earlier can be hit earlier */
static void
schedule_first (HpVolley *self, gint64 now)
{
  if (self->n_wanted > 0)
    self->probe_at = NEVER;
  else if (self->plan.passes[0].at == 0)
    self->probe_at = now;
  else
    self->probe_at = get_pass_time (self, 0, now);
}

HpVolleyVerdict
hp_volley_begin (HpVolley *self, HpRung rung, const HpAim *aim,
                 HpNatBudget *budget, gint64 begins_at, gint64 now)
{
  const HpStrategy *strategy = hp_strategy_get (rung);
  HpVolleyPlan plan = { 0 };

  g_assert (strategy != NULL && self->strategy == NULL);

  if (!strategy->plan (aim, &plan))
    return HP_VOLLEY_NOTHING_KNOWN;
  self->n_paid = budget == NULL
                     ? plan.n_probes
                     : hp_nat_budget_take_some (budget, plan.n_probes,
                                                plan.minimum, now);
  if (self->n_paid == 0)
    return HP_VOLLEY_NO_BUDGET;

  self->strategy = strategy;
  self->aim = *aim;
  self->plan = plan;
  self->budget = budget;
  self->begins_at = begins_at;
  self->n_wanted = plan.own_sockets ? self->n_paid : 0;
  schedule_first (self, now);
  return HP_VOLLEY_READY;
}

void
hp_volley_end (HpVolley *self)
{
  if (self->budget != NULL)
    hp_nat_budget_give_back (self->budget, self->n_paid - self->n_made);
  self->n_paid = self->n_made;
  self->n_wanted = 0;
  self->probe_at = NEVER;
}

void
hp_volley_clear (HpVolley *self)
{
  hp_volley_end (self);
  g_clear_pointer (&self->sockets, g_array_unref);
  memset (self, 0, sizeof *self);
}

void
hp_volley_pause (HpVolley *self, gint64 until)
{
  if (self->probe_at != NEVER)
    self->probe_at = MAX (self->probe_at, until);
}

void
hp_volley_add_sockets (HpVolley *self, const guint *numbers, guint n,
                       gint64 now)
{
  gboolean is_all = n < self->n_wanted;

  g_assert (n <= self->n_wanted);

  if (self->sockets == NULL)
    self->sockets = g_array_new (FALSE, FALSE, sizeof (guint));
  g_array_append_vals (self->sockets, numbers, n);
  self->n_wanted = is_all ? 0 : self->n_wanted - n;
  if (self->n_wanted > 0)
    return;
  if (self->sockets->len > 0)
    schedule_first (self, now);
  else
    self->probe_at = NEVER;
}

static guint
get_n_probes (const HpVolley *self)
{
  return self->plan.own_sockets ? self->sockets->len : self->n_paid;
}

static void
schedule_next (HpVolley *self, gint64 now)
{
  self->probe_at = MAX (self->probe_at + HP_PROBE_PACE,
                        now - (MAX_BURST - 1) * HP_PROBE_PACE);
  if (++self->index < get_n_probes (self))
    return;
  self->index = 0;
  self->pass++;
  self->probe_at = get_pass_time (self, self->pass, self->probe_at);
}

gboolean
hp_volley_next (HpVolley *self, gint64 now, HpPunch *punch)
{
  if (self->strategy == NULL || self->probe_at > now)
    return FALSE;

  memset (punch, 0, sizeof *punch);
  punch->route.remote = self->aim.observed;
  punch->route.remote.port
      = self->strategy->get_port (&self->aim, &self->plan, self->index);
  if (self->plan.own_sockets)
    punch->route.socket = g_array_index (self->sockets, guint, self->index);
  punch->kind = HP_CANDIDATE_SERVER_REFLEXIVE;
  punch->ttl = self->plan.passes[self->pass].ttl;
  punch->is_probe = TRUE;

  self->n_made = MAX (self->n_made, self->index + 1);
  schedule_next (self, now);
  return TRUE;
}

gint64
hp_volley_get_deadline (const HpVolley *self)
{
  return self->strategy != NULL ? self->probe_at : NEVER;
}
