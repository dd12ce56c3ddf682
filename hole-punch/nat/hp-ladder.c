/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/nat/hp-ladder.h"

#include <string.h>

#define MS G_TIME_SPAN_MILLISECOND

/* What costs many entries waits for the checks: ten of them, spread over more
 * than a long round trip. A fresh socket costs one: it is soon tried beside
 * them, since an early knock may have spoiled the mapping. */
#define STRAIGHT_TIME (2000 * MS)
#define BEFORE_FRESH_TIME (400 * MS)
#define FRESH_TIME (2800 * MS)
#define DIAL_TIME (1500 * MS)
/* It is not known whether dialling can work: not long in the way of what does.
 */
#define UNCERTAIN_DIAL_TIME (500 * MS)

static const struct
{
  const char *name;
  gint64 lasts; /* of those whose time is always the same */
} rungs[HP_N_RUNGS] = {
  [HP_RUNG_STRAIGHT] = { "straight", STRAIGHT_TIME },
  [HP_RUNG_DIAL] = { "dial", DIAL_TIME },
  [HP_RUNG_FRESH] = { "fresh socket", FRESH_TIME },
  [HP_RUNG_SEQUENTIAL] = { "port prediction", 1500 * MS },
  [HP_RUNG_BLOCK] = { "port block", 1800 * MS },
  [HP_RUNG_BIRTHDAY] = { "birthday", 4500 * MS },
  [HP_RUNG_PAIR] = { "mutual port prediction", 2500 * MS },
};

const char *
hp_rung_get_name (HpRung rung)
{
  g_assert (rung < HP_N_RUNGS);
  return rungs[rung].name;
}

/* Lets in what comes from a port that was not sent to */
static gboolean
is_blind_to_ports (const HpNatFacts *facts)
{
  return facts->filtering == HP_WIRE_FILTERING_ENDPOINT_INDEPENDENT
         || facts->filtering == HP_WIRE_FILTERING_ADDRESS_DEPENDENT;
}

/* The aimer's port is known to nobody: it must pass the opener's NAT all the
 * same, and so must the opener's answer the aimer's: from the same mapping, or
 * from any */
static gboolean
can_be_hit (const HpNatFacts *opener, const HpNatFacts *aimer)
{
  return is_blind_to_ports (opener)
         && (opener->mapping == HP_WIRE_MAPPING_ADDRESS_DEPENDENT
             || is_blind_to_ports (aimer));
}

static gboolean
may_be_dependent (const HpNatFacts *facts)
{
  return facts->mapping == HP_WIRE_MAPPING_PORT_INDEPENDENT;
}

/* Higher: its ports cost less to find */
static guint
get_predictability (const HpNatFacts *facts)
{
  switch ((HpWireAllocation) facts->allocation)
    {
    case HP_WIRE_ALLOCATION_SEQUENTIAL:
      return 2;
    case HP_WIRE_ALLOCATION_BLOCK:
      return 1;
    case HP_WIRE_ALLOCATION_UNKNOWN:
    case HP_WIRE_ALLOCATION_PRESERVED:
    case HP_WIRE_ALLOCATION_RANDOM:
      return 0;
    }
  return 0;
}

/* Both sides come to opposite results */
static gboolean
is_local_easier (const HpNatFacts *local, const HpNatFacts *remote,
                 gboolean tie)
{
  guint here = get_predictability (local);
  guint there = get_predictability (remote);

  return here != there ? here > there : tie;
}

static void
append (HpLadder *self, HpRung rung, gboolean opens, gint64 lasts)
{
  HpLadderStep *step;

  g_assert (self->n_steps < HP_LADDER_MAX_STEPS);
  step = &self->steps[self->n_steps];
  step->rung = rung;
  step->opens = opens;
  step->at = hp_ladder_get_end (self);
  step->lasts = lasts;
  self->n_steps++;
}

/* The aimer looks for the opener's port where it can be foretold */
static void
append_prediction (HpLadder *self, const HpNatFacts *opener, gboolean opens)
{
  if (opener->allocation == HP_WIRE_ALLOCATION_SEQUENTIAL)
    append (self, HP_RUNG_SEQUENTIAL, opens,
            rungs[HP_RUNG_SEQUENTIAL].lasts);
  else if (opener->allocation == HP_WIRE_ALLOCATION_BLOCK)
    append (self, HP_RUNG_BLOCK, opens, rungs[HP_RUNG_BLOCK].lasts);
}

/* And then everywhere */
static void
append_aiming (HpLadder *self, const HpNatFacts *opener, gboolean opens)
{
  append_prediction (self, opener, opens);
  append (self, HP_RUNG_BIRTHDAY, opens, rungs[HP_RUNG_BIRTHDAY].lasts);
}

static gboolean
may_keep_ports (const HpNatFacts *facts)
{
  return facts->mapping == HP_WIRE_MAPPING_NONE
         || facts->allocation == HP_WIRE_ALLOCATION_PRESERVED
         || facts->allocation == HP_WIRE_ALLOCATION_UNKNOWN;
}

/* Where there is a NAT that could have been knocked at */
static gboolean
is_fresh_worth_it (const HpNatFacts *local, const HpNatFacts *remote)
{
  return may_keep_ports (local) && may_keep_ports (remote)
         && (local->mapping != HP_WIRE_MAPPING_NONE
             || remote->mapping != HP_WIRE_MAPPING_NONE);
}

static void
choose_for_independent (HpLadder *self, const HpNatFacts *local,
                        const HpNatFacts *remote, gboolean tie)
{
  gboolean here = may_be_dependent (local);
  gboolean there = may_be_dependent (remote);
  gboolean opens;

  if (is_fresh_worth_it (local, remote))
    {
      append (self, HP_RUNG_STRAIGHT, tie, BEFORE_FRESH_TIME);
      append (self, HP_RUNG_FRESH, tie, rungs[HP_RUNG_FRESH].lasts);
    }
  else
    append (self, HP_RUNG_STRAIGHT, tie, rungs[HP_RUNG_STRAIGHT].lasts);
  if (!here && !there)
    return;

  /* Then it was not as independent as it looked. If neither is sure, it is more
   * likely that nobody is there: not worth hundreds of entries. */
  opens = here && there ? is_local_easier (local, remote, tie) : here;
  if (here && there)
    append_prediction (self, opens ? local : remote, opens);
  else
    append_aiming (self, opens ? local : remote, opens);
}

static void
choose_for_one (HpLadder *self, const HpNatFacts *opener,
                const HpNatFacts *aimer, gboolean opens)
{
  if (is_blind_to_ports (aimer))
    append (self, HP_RUNG_DIAL, opens, DIAL_TIME);
  else if (aimer->filtering == HP_WIRE_FILTERING_UNKNOWN)
    append (self, HP_RUNG_DIAL, opens, UNCERTAIN_DIAL_TIME);
  append_aiming (self, opener, opens);
}

static void
choose_for_dependent (HpLadder *self, const HpNatFacts *local,
                      const HpNatFacts *remote, gboolean tie)
{
  gboolean here = can_be_hit (local, remote);
  gboolean there = can_be_hit (remote, local);
  gboolean opens;

  if (here || there)
    {
      opens = here && there ? is_local_easier (local, remote, tie) : here;
      append_aiming (self, opens ? local : remote, opens);
    }
  else if (local->allocation == HP_WIRE_ALLOCATION_SEQUENTIAL
           && remote->allocation == HP_WIRE_ALLOCATION_SEQUENTIAL)
    append (self, HP_RUNG_PAIR, tie, rungs[HP_RUNG_PAIR].lasts);
  else
    append (self, HP_RUNG_STRAIGHT, tie, rungs[HP_RUNG_STRAIGHT].lasts);
}

void
hp_ladder_choose (HpLadder *self, const HpNatFacts *local,
                  const HpNatFacts *remote, gboolean tie)
{
  gboolean here = hp_nat_facts_is_dependent (local);
  gboolean there = hp_nat_facts_is_dependent (remote);

  memset (self, 0, sizeof *self);
  tie = tie != FALSE;
  if (here && there)
    choose_for_dependent (self, local, remote, tie);
  else if (here)
    choose_for_one (self, local, remote, TRUE);
  else if (there)
    choose_for_one (self, remote, local, FALSE);
  else
    choose_for_independent (self, local, remote, tie);
}

gint64
hp_ladder_get_end (const HpLadder *self)
{
  const HpLadderStep *last;

  if (self->n_steps == 0)
    return 0;
  last = &self->steps[self->n_steps - 1];
  return last->at + last->lasts;
}
