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

typedef struct
{
  guint maximum;
  gdouble available;
  gint64 refilled_at;
} HpNatBudget;

/* After hp_nat_budget_init() a budget may be used by several threads */
void hp_nat_budget_init (HpNatBudget *self, guint maximum, gint64 now);
void hp_nat_budget_set_maximum (HpNatBudget *self, guint maximum, gint64 now);
guint hp_nat_budget_get_maximum (const HpNatBudget *self);
/* Takes @entries, or nothing and FALSE */
gboolean hp_nat_budget_take (HpNatBudget *self, guint entries, gint64 now)
    G_GNUC_WARN_UNUSED_RESULT;
