/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A budget of NAT entries that punching may create, shared by a whole
 * process: home routers have been killed by punching. A token bucket: so many
 * entries, refilled slowly.
 */

#pragma once

#include <glib.h>

#define HP_NAT_BUDGET_DEFAULT 512
/* Full again after so long (µs): what most NATs keep a UDP mapping (RFC 4787,
 * REQ-5: two minutes at least) */
#define HP_NAT_BUDGET_REFILL (120 * G_TIME_SPAN_SECOND)
/* No refill for so long after many were taken at once: within one attempt there
 * are never more entries than the maximum */
#define HP_NAT_BUDGET_HOLD (10 * G_TIME_SPAN_SECOND)
/* Never taken by many at once: for the checks of candidates */
#define HP_NAT_BUDGET_RESERVE 8

typedef struct _HpNatBudget HpNatBudget;

struct _HpNatBudget
{
  guint maximum;
  gdouble available; /* of a share less than 0: it had more than its half */
  gint64 refilled_at;
  gint64 claimed_until; /* shares are kept to their half */
  HpNatBudget *whole;   /* that this is a share of, NULL: it is a whole one */
};

/* After hp_nat_budget_init() a budget may be used by several threads */
void hp_nat_budget_init (HpNatBudget *self, guint maximum, gint64 now);
/* For those who must not use up what others need: what is taken from it is
 * taken from @whole, too, and is no more than half of that once somebody has
 * asked @whole for many (and until all is full again) */
void hp_nat_budget_init_share (HpNatBudget *self, HpNatBudget *whole,
                               gint64 now);
void hp_nat_budget_set_maximum (HpNatBudget *self, guint maximum, gint64 now);
guint hp_nat_budget_get_maximum (const HpNatBudget *self);
/* Takes @entries, or nothing and FALSE */
gboolean hp_nat_budget_take (HpNatBudget *self, guint entries, gint64 now)
    G_GNUC_WARN_UNUSED_RESULT;
/* Takes as many as there are up to @wanted, but for the reserve, and gives how
 * many; none (0) if there are fewer than @minimum */
guint hp_nat_budget_take_some (HpNatBudget *self, guint wanted, guint minimum,
                               gint64 now) G_GNUC_WARN_UNUSED_RESULT;
/* Taken, but not made after all */
void hp_nat_budget_give_back (HpNatBudget *self, guint entries);
