/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The way up the ladder: which rung is under way, its volley and sockets, and
 * what came of those before. */

#pragma once

#include "hole-punch/nat/hp-punch.h"
#include "hole-punch/nat/hp-volley.h"

/* A rung may be begun again when the facts change */
#define HP_CLIMB_MAX_ATTEMPTS (2 * HP_LADDER_MAX_STEPS)

typedef struct
{
  HpNatBudget *budget; /* NULL: unlimited */
  HpPunchPlan plan;
  gint64 facts_at;     /* when the remote ones came */
  HpLadder ladder;     /* no steps: nothing to climb */
  guint step;          /* under way; n_steps: at the end */
  gboolean is_begun;   /* that step is */
  HpVolley volley;
  guint n_pauses;
  guint n_replans;     /* since the start */
  guint n_started;     /* a number of the volley, over all ladders */
  GArray *kept;        /* sockets (guint) that paths lead through */
  GArray *surplus;     /* those to be closed */
  HpPunchAttempt attempts[HP_CLIMB_MAX_ATTEMPTS];
  guint n_attempts;
} HpClimb;

void hp_climb_init (HpClimb *self, HpNatBudget *budget);
void hp_climb_clear (HpClimb *self);

/* At the foot of the ladder; a volley under way toward the same address goes
 * on, if the ladder is the same */
void hp_climb_start (HpClimb *self, const HpPunchPlan *plan, gint64 now);
/* With plan.local, remote or may_spray changed */
void hp_climb_replan (HpClimb *self, gint64 now);
/* The rung under way ends with @outcome, and there is no further one. Its
 * sockets stay until hp_climb_release(): more of them may have been hit. */
void hp_climb_finish (HpClimb *self, HpPunchOutcome outcome, gint64 now);
void hp_climb_release (HpClimb *self);
/* The other side was heard by @route: is that it? */
void hp_climb_heard (HpClimb *self, const HpRoute *route, gint64 now);

void hp_climb_add_sockets (HpClimb *self, const guint *numbers, guint n,
                           gint64 now);
void hp_climb_keep_socket (HpClimb *self, guint number);
gboolean hp_climb_next_surplus (HpClimb *self, guint *number);

gboolean hp_climb_next (HpClimb *self, gint64 now, HpPunch *punch);
gint64 hp_climb_get_deadline (const HpClimb *self);
