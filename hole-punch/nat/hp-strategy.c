/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/nat/hp-strategy.h"

#include "hole-punch/nat/hp-port-prediction.h"

#define MS G_TIME_SPAN_MILLISECOND

/* It leaves a home's NAT and dies at the next router */
#define OPENER_TTL 2
/* Sockets have to be opened; both sides' starts differ a little */
#define OPENING_TIME (60 * MS)
/* So that what one pass has brought is seen before the next one */
#define ANSWER_TIME (150 * MS)

/* A few mappings in a row are easier to hit than one */
#define SEQUENTIAL_SOCKETS 12
#define SEQUENTIAL_STRIDE 3
#define MAX_WINDOW 96
#define MAX_AIMED 256
#define MAX_BLOCK_PROBES 256

/* Opening and aiming */

static void
append_pass (HpVolleyPlan *plan, gint64 at, guint ttl)
{
  g_assert (plan->n_passes < HP_MAX_PASSES);
  plan->passes[plan->n_passes].at = at;
  plan->passes[plan->n_passes].ttl = ttl;
  plan->n_passes++;
}

/* The times of both sides fit together: @n_opened and @n_aimed are no more
 * than what both know of each other */
static void
plan_passes (const HpAim *aim, HpVolleyPlan *plan, guint n_opened,
             guint n_aimed)
{
  gint64 opening = n_opened * HP_PROBE_PACE;
  gint64 aiming = n_aimed * HP_PROBE_PACE;
  gint64 aimed_at = opening + OPENING_TIME;
  gint64 again_at = aimed_at + aiming + ANSWER_TIME;

  if (aim->opens)
    {
      append_pass (plan, 0, OPENER_TTL);
      append_pass (plan, again_at, 0);
      plan->n_probes = n_opened;
      plan->own_sockets = TRUE;
      plan->n_ports = 1;
    }
  else
    {
      append_pass (plan, aimed_at, 0);
      append_pass (plan, again_at + opening + ANSWER_TIME, 0);
      plan->n_probes = n_aimed;
      plan->n_ports = n_aimed;
    }
}

static guint16
get_permuted_port (const HpAim *aim, const HpVolleyPlan *plan, guint index)
{
  if (aim->opens)
    return aim->observed.port;
  return plan->first_port
         + hp_port_permute (index, plan->n_candidates, aim->seed);
}

static gboolean
plan_birthday (const HpAim *aim, HpVolleyPlan *plan)
{
  guint count = hp_port_odds_to_count (HP_N_NAT_PORTS);

  plan_passes (aim, plan, count, count);
  plan->first_port = HP_FIRST_NAT_PORT;
  plan->n_candidates = HP_N_NAT_PORTS;
  plan->n_opposite = count;
  plan->minimum = count / 4;
  return TRUE;
}

static gboolean
plan_block (const HpAim *aim, HpVolleyPlan *plan)
{
  const HpNatFacts *opener = aim->opens ? &aim->local : &aim->remote;
  guint count;

  if (!hp_port_get_block (opener, &plan->first_port, &plan->n_candidates))
    return FALSE;
  count = MIN (hp_port_odds_to_count (plan->n_candidates), MAX_BLOCK_PROBES);
  plan_passes (aim, plan, count, count);
  plan->n_opposite = count;
  plan->minimum = count / 4;
  return TRUE;
}

/* Sequential: a window around where the opener's ports are by now */

static gboolean
plan_sequential (const HpAim *aim, HpVolleyPlan *plan)
{
  gint first, last, n, middle;

  plan_passes (aim, plan, SEQUENTIAL_SOCKETS, MAX_AIMED);
  plan->minimum = 4;
  if (aim->opens)
    return TRUE;
  if (aim->remote.port == 0)
    return FALSE;

  hp_port_predict_window (&aim->remote, aim->elapsed, SEQUENTIAL_SOCKETS,
                          &first, &last);
  n = last - first + 1;
  plan->stride = n <= MAX_WINDOW ? 1 : SEQUENTIAL_STRIDE;
  n = (n + plan->stride - 1) / plan->stride;
  /* What is known is too old for a window: the likelier half of it */
  if (n > MAX_AIMED)
    {
      middle = (first + last) / 2;
      first = middle - MAX_AIMED / 2 * plan->stride;
      n = MAX_AIMED;
    }
  plan->first_index = first;
  plan->n_probes = plan->n_ports = n;
  return TRUE;
}

/* From the middle outwards */
static guint16
get_window_port (const HpAim *aim, const HpVolleyPlan *plan, guint index)
{
  gint middle = (plan->n_ports - 1) / 2;
  gint offset = index % 2 == 1 ? (gint) (index + 1) / 2
                               : -(gint) (index / 2);

  if (aim->opens)
    return aim->observed.port;
  return hp_port_predict (&aim->remote,
                          plan->first_index
                              + (middle + offset) * plan->stride);
}

/* Both sequential. Our probe a leaves from the a-th port of ours and aims at
 * one of theirs, and so does their probe b. With both NATs a few mappings
 * further (δ, ε) than was reckoned, one side's aim going up by one with each
 * probe and the other's by two meet exactly once: at b = δ + ε, whatever δ and
 * ε are. So a few dozen probes do it, instead of every combination. Where a
 * NAT gives all ports of one host one mapping, both go up by one.
 *
 *     ours    a → theirs c + a           (tie)
 *     theirs  b → ours   d + 2b */
static gboolean
plan_pair (const HpAim *aim, HpVolleyPlan *plan)
{
  gboolean by_port
      = aim->local.mapping == HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT
        && aim->remote.mapping == HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT;
  gint first, last, own_first, own_last;
  guint i;

  if (aim->remote.port == 0)
    return FALSE;
  hp_port_predict_window (&aim->remote, aim->elapsed, 0, &first, &last);
  hp_port_predict_window (&aim->local, aim->elapsed, 0, &own_first,
                          &own_last);
  plan->n_probes = (own_last - own_first) + 2 * (last - first) + 16;
  plan->n_probes = plan->n_ports = MIN (plan->n_probes, MAX_AIMED);
  plan->minimum = 16;
  plan->first_index = first;
  plan->stride = by_port && !aim->opens ? 2 : 1;

  append_pass (plan, 0, OPENER_TTL);
  for (i = 0; i < 3; i++)
    append_pass (plan, (i + 1) * plan->n_probes * HP_PROBE_PACE
                           + OPENING_TIME + i * ANSWER_TIME, 0);
  return TRUE;
}

static guint16
get_pair_port (const HpAim *aim, const HpVolleyPlan *plan, guint index)
{
  return hp_port_predict (&aim->remote,
                          plan->first_index + (gint) index * plan->stride);
}

/* Fresh: both NATs keep the port of a socket, so both ports are known; the
 * openers as always, the checks as always, but so much later that who has heard
 * of it late has opened, too: the checks of before may have come early */
static gboolean
plan_fresh (const HpAim *aim, HpVolleyPlan *plan)
{
  static const guint16 times[] = { 250, 283, 316, 383, 516, 783 }; /* ms */
  guint i;

  if (aim->fresh_local == 0 || aim->fresh_remote == 0)
    return FALSE;
  append_pass (plan, 0, OPENER_TTL);
  append_pass (plan, 20 * MS, 2 * OPENER_TTL);
  for (i = 0; i < G_N_ELEMENTS (times); i++)
    append_pass (plan, times[i] * MS, 0);
  plan->n_probes = plan->n_ports = plan->minimum = 1;
  plan->own_sockets = TRUE;
  plan->local_port = aim->fresh_local;
  return TRUE;
}

static guint16
get_fresh_port (const HpAim *aim, const HpVolleyPlan *plan, guint index)
{
  return aim->fresh_remote;
}

static const HpStrategy strategies[] = {
  { HP_RUNG_FRESH, plan_fresh, get_fresh_port },
  { HP_RUNG_SEQUENTIAL, plan_sequential, get_window_port },
  { HP_RUNG_BLOCK, plan_block, get_permuted_port },
  { HP_RUNG_BIRTHDAY, plan_birthday, get_permuted_port },
  { HP_RUNG_PAIR, plan_pair, get_pair_port },
};

const HpStrategy *
hp_strategy_get (HpRung rung)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (strategies); i++)
    if (strategies[i].rung == rung)
      return &strategies[i];
  return NULL;
}

gdouble
hp_volley_plan_get_odds (const HpVolleyPlan *plan, guint n)
{
  if (plan->n_candidates == 0)
    return 0;
  return hp_port_odds (n, plan->n_opposite, plan->n_candidates);
}
