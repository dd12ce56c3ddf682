/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A strategy's probes under way: paid for beforehand, paced, in passes. */

#pragma once

#include "hole-punch/nat/hp-nat-budget.h"
#include "hole-punch/nat/hp-punch.h"
#include "hole-punch/nat/hp-strategy.h"

typedef enum
{
  HP_VOLLEY_READY,
  HP_VOLLEY_NOTHING_KNOWN, /* the strategy has nothing to go by */
  HP_VOLLEY_NO_BUDGET,
} HpVolleyVerdict;

typedef struct
{
  const HpStrategy *strategy; /* NULL: there is no volley */
  HpAim aim;
  HpVolleyPlan plan;
  HpNatBudget *budget; /* NULL: unlimited */
  gint64 begins_at;
  guint n_paid;
  guint n_made;        /* entries in our NAT */
  GArray *sockets;     /* numbers of those got; NULL: none */
  guint n_wanted;      /* still */
  guint pass, index;   /* the next probe */
  gint64 probe_at;     /* when that is due; NEVER: all are sent */
} HpVolley;

/* @begins_at is the step's begin for both sides; @self is all zero */
HpVolleyVerdict hp_volley_begin (HpVolley *self, HpRung rung,
                                 const HpAim *aim, HpNatBudget *budget,
                                 gint64 begins_at, gint64 now);
/* Gives back what was paid and not used; the sockets stay */
void hp_volley_end (HpVolley *self);
/* All of it; @self is all zero then */
void hp_volley_clear (HpVolley *self);
/* Nothing is sent before @until */
void hp_volley_pause (HpVolley *self, gint64 until);
/* @n < n_wanted: no more are to be had */
void hp_volley_add_sockets (HpVolley *self, const guint *numbers, guint n,
                            gint64 now);
gboolean hp_volley_next (HpVolley *self, gint64 now, HpPunch *punch);
gint64 hp_volley_get_deadline (const HpVolley *self);
