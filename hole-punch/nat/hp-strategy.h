/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What one rung of the ladder does, as a plan of probes that are numbered: how
 * many, from how many sockets, to which port each, in which passes. Nothing is
 * kept for each of them; hp-volley.h sends them.
 *
 *   opener   ──TTL 2──▸            ──▸ ──▸ ──▸
 *   aimer                ──▸ ──▸ ──▸            ──▸ ──▸ ──▸
 *
 * First the opener's mappings, by probes that die on the way: had the aimer's
 * come first, the opener's NAT might avoid those very ports. Then the aimer's,
 * and both once more for what was lost, and for an opener behind two NATs,
 * whose first probes died before the second one. */

#pragma once

#include "hole-punch/base/hp-address.h"
#include "hole-punch/nat/hp-ladder.h"

/* Between two probes (µs): a home router takes a thousand new flows in a
 * second */
#define HP_PROBE_PACE G_TIME_SPAN_MILLISECOND
#define HP_MAX_PASSES 8

/* What a strategy goes by */
typedef struct
{
  gboolean opens;
  HpNatFacts local, remote;
  gint64 elapsed;     /* µs since the remote facts were told */
  HpAddress observed; /* the other side */
  guint16 fresh_local, fresh_remote;
  guint64 seed;
} HpAim;

typedef struct
{
  gint64 at; /* µs after the step's begin; the first pass is never waited
                with by an opener */
  guint ttl;
} HpPass;

typedef struct
{
  guint n_probes;       /* each an entry in our NAT */
  guint minimum;        /* fewer are not worth beginning */
  gboolean own_sockets; /* each from a socket of its own; else from the main
                           one */
  guint16 local_port;   /* of these sockets, 0: any */
  guint n_ports;        /* of the other side's that are aimed at */
  guint n_passes;
  HpPass passes[HP_MAX_PASSES];
  /* For the strategy itself and the odds */
  guint16 first_port;
  guint n_candidates, n_opposite;
  gint first_index, stride;
} HpVolleyPlan;

typedef struct
{
  HpRung rung;
  /* FALSE: nothing is known to go by */
  gboolean (*plan) (const HpAim *aim, HpVolleyPlan *plan);
  guint16 (*get_port) (const HpAim *aim, const HpVolleyPlan *plan,
                       guint index);
} HpStrategy;

/* NULL: the checks of the candidates do it */
const HpStrategy *hp_strategy_get (HpRung rung);

/* Of @n probes by this plan; 0: cannot be reckoned */
gdouble hp_volley_plan_get_odds (const HpVolleyPlan *plan, guint n);
