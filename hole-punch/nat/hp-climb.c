/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/nat/hp-climb.h"

#include <string.h>

#define NEVER G_MAXINT64
/* How long a volley waits for the check of what was heard */
#define HEARD_PAUSE (400 * G_TIME_SPAN_MILLISECOND)
#define MAX_PAUSES 3
/* Each may begin a volley anew, with hundreds of sockets: the other side, which
 * tells its facts as often as it likes, is not to keep us busy with that */
#define MAX_REPLANS 16
/* Two introductions of one call start so close together at most */
#define SAME_START (2 * G_TIME_SPAN_SECOND)

void
hp_climb_init (HpClimb *self, HpNatBudget *budget)
{
  memset (self, 0, sizeof *self);
  self->budget = budget;
  self->kept = g_array_new (FALSE, FALSE, sizeof (guint));
  self->surplus = g_array_new (FALSE, FALSE, sizeof (guint));
}

void
hp_climb_clear (HpClimb *self)
{
  hp_volley_clear (&self->volley);
  g_clear_pointer (&self->kept, g_array_unref);
  g_clear_pointer (&self->surplus, g_array_unref);
}

/* Sockets */

static gboolean
remove_number (GArray *numbers, guint number)
{
  guint i;

  for (i = 0; i < numbers->len; i++)
    if (g_array_index (numbers, guint, i) == number)
      {
        g_array_remove_index_fast (numbers, i);
        return TRUE;
      }
  return FALSE;
}

void
hp_climb_keep_socket (HpClimb *self, guint number)
{
  remove_number (self->surplus, number);
  remove_number (self->kept, number);
  g_array_append_val (self->kept, number);
}

void
hp_climb_release (HpClimb *self)
{
  GArray *sockets = self->volley.sockets;
  guint i;

  for (i = 0; sockets != NULL && i < sockets->len; i++)
    {
      guint number = g_array_index (sockets, guint, i);

      if (!remove_number (self->kept, number))
        g_array_append_val (self->surplus, number);
    }
  g_array_set_size (self->kept, 0);
  hp_volley_clear (&self->volley);
}

gboolean
hp_climb_next_surplus (HpClimb *self, guint *number)
{
  guint n = self->surplus->len;

  if (n == 0)
    return FALSE;
  *number = g_array_index (self->surplus, guint, n - 1);
  g_array_set_size (self->surplus, n - 1);
  return TRUE;
}

/* Attempts */

static HpPunchAttempt *
get_attempt (HpClimb *self)
{
  return self->n_attempts > 0 ? &self->attempts[self->n_attempts - 1] : NULL;
}

static void
end_attempt (HpClimb *self, HpPunchOutcome outcome, gint64 now)
{
  HpPunchAttempt *attempt = get_attempt (self);

  hp_volley_end (&self->volley);
  if (attempt == NULL || attempt->outcome != HP_PUNCH_ONGOING)
    return;
  if (self->volley.strategy != NULL)
    attempt->n_entries = self->volley.n_made;
  attempt->outcome = outcome;
  attempt->ended_at = now;
}

static HpPunchAttempt *
append_attempt (HpClimb *self, const HpLadderStep *step, gint64 now)
{
  HpPunchAttempt *attempt;

  if (self->n_attempts == HP_CLIMB_MAX_ATTEMPTS)
    {
      self->n_attempts--;
      memmove (&self->attempts[0], &self->attempts[1],
               self->n_attempts * sizeof (HpPunchAttempt));
    }
  attempt = &self->attempts[self->n_attempts++];
  memset (attempt, 0, sizeof *attempt);
  attempt->rung = step->rung;
  attempt->opens = step->opens;
  attempt->began_at = now;
  return attempt;
}

/* Rungs */

static void
fill_aim (HpClimb *self, const HpLadderStep *step, HpAim *aim, gint64 now)
{
  memset (aim, 0, sizeof *aim);
  aim->opens = step->opens;
  aim->local = self->plan.local;
  aim->remote = self->plan.remote;
  aim->elapsed = now - self->facts_at + MAX (self->plan.round_trip, 0) / 2;
  aim->observed = self->plan.observed;
  aim->fresh_local = self->plan.fresh_local;
  aim->fresh_remote = self->plan.fresh_remote;
  /* Other ports the next time */
  aim->seed = (guint64) now * 31 + self->n_started++;
}

static void
begin_volley (HpClimb *self, const HpLadderStep *step, gint64 begins_at,
              gint64 now)
{
  HpPunchAttempt *attempt = get_attempt (self);
  HpAim aim;

  if (!hp_address_is_usable (&self->plan.observed))
    {
      end_attempt (self, HP_PUNCH_NO_ADDRESS, now);
      return;
    }
  if (!self->plan.may_spray && step->rung != HP_RUNG_FRESH)
    {
      end_attempt (self, HP_PUNCH_NOT_WANTED, now);
      return;
    }

  fill_aim (self, step, &aim, now);
  switch (hp_volley_begin (&self->volley, step->rung, &aim, self->budget,
                           begins_at, now))
    {
    case HP_VOLLEY_READY:
      attempt->n_ports = MIN (self->volley.plan.n_ports, self->volley.n_paid);
      attempt->odds
          = hp_volley_plan_get_odds (&self->volley.plan, self->volley.n_paid);
      break;
    case HP_VOLLEY_NOTHING_KNOWN:
      end_attempt (self, HP_PUNCH_NO_ADDRESS, now);
      break;
    case HP_VOLLEY_NO_BUDGET:
      end_attempt (self, HP_PUNCH_NO_BUDGET, now);
      break;
    }
}

static void
begin_step (HpClimb *self, gint64 now)
{
  const HpLadderStep *step = &self->ladder.steps[self->step];

  self->is_begun = TRUE;
  self->n_pauses = 0;
  append_attempt (self, step, now);
  if (hp_strategy_get (step->rung) != NULL)
    begin_volley (self, step, self->plan.start_at + step->at, now);
}

/* By the clock that both sides share, not by what happens here */
static void
climb (HpClimb *self, gint64 now)
{
  while (self->step < self->ladder.n_steps)
    {
      const HpLadderStep *step = &self->ladder.steps[self->step];

      if (now < self->plan.start_at + step->at + step->lasts)
        {
          if (!self->is_begun
              && (step->at == 0 || now >= self->plan.start_at + step->at))
            begin_step (self, now);
          return;
        }
      if (self->is_begun)
        end_attempt (self, HP_PUNCH_UNANSWERED, now);
      hp_climb_release (self);
      self->is_begun = FALSE;
      self->step++;
    }
}

static gboolean
same_ladder (const HpLadder *a, const HpLadder *b)
{
  guint i;

  if (a->n_steps != b->n_steps)
    return FALSE;
  for (i = 0; i < a->n_steps; i++)
    if (a->steps[i].rung != b->steps[i].rung
        || a->steps[i].opens != b->steps[i].opens)
      return FALSE;
  return TRUE;
}

static gboolean
goes_on (const HpClimb *self, const HpPunchPlan *plan,
         const HpLadder *ladder)
{
  return self->volley.strategy != NULL
         && self->step < self->ladder.n_steps
         && ABS (plan->start_at - self->plan.start_at) < SAME_START
         && hp_address_equal (&plan->observed, &self->plan.observed)
         && same_ladder (ladder, &self->ladder);
}

static void
choose_ladder (const HpPunchPlan *plan, HpLadder *ladder)
{
  hp_ladder_choose (ladder, &plan->local, &plan->remote, plan->is_caller);
}

void
hp_climb_start (HpClimb *self, const HpPunchPlan *plan, gint64 now)
{
  HpLadder ladder;

  choose_ladder (plan, &ladder);
  if (plan->relay_only)
    ladder.n_steps = 0;
  if (goes_on (self, plan, &ladder))
    return;

  hp_climb_release (self);
  self->n_attempts = 0;
  self->plan = *plan;
  self->facts_at = now;
  self->ladder = ladder;
  self->step = 0;
  self->is_begun = FALSE;
  self->n_replans = 0;
  climb (self, now);
}

/* It has not begun to aim: it may as well do so by what is known now */
static void
aim_anew (HpClimb *self, gint64 now)
{
  const HpLadderStep *step = &self->ladder.steps[self->step];

  if (self->volley.strategy == NULL || self->volley.plan.own_sockets
      || self->volley.n_made > 0)
    return;
  hp_volley_clear (&self->volley);
  begin_volley (self, step, self->plan.start_at + step->at, now);
}

static gboolean
is_ongoing (const HpClimb *self)
{
  return self->is_begun
         && self->attempts[self->n_attempts - 1].outcome == HP_PUNCH_ONGOING;
}

/* What is under way goes on if the other side, too, finds it there by what it
 * knows now */
void
hp_climb_replan (HpClimb *self, gint64 now)
{
  const HpLadderStep *step = &self->ladder.steps[self->step];
  HpLadderStep before;

  if (self->step >= self->ladder.n_steps || self->n_replans >= MAX_REPLANS)
    return;
  self->n_replans++;
  before = *step;
  choose_ladder (&self->plan, &self->ladder);
  if (is_ongoing (self) && self->step < self->ladder.n_steps
      && step->rung == before.rung && step->opens == before.opens
      && step->at == before.at)
    {
      aim_anew (self, now);
      return;
    }

  end_attempt (self, HP_PUNCH_STOPPED, now);
  hp_climb_release (self);
  self->step = 0;
  self->is_begun = FALSE;
  climb (self, now);
}

void
hp_climb_finish (HpClimb *self, HpPunchOutcome outcome, gint64 now)
{
  if (self->is_begun)
    end_attempt (self, outcome, now);
  self->step = self->ladder.n_steps;
  self->is_begun = FALSE;
}

void
hp_climb_heard (HpClimb *self, const HpRoute *route, gint64 now)
{
  if (self->volley.strategy == NULL || self->n_pauses >= MAX_PAUSES
      || !hp_address_same_host (&route->remote, &self->plan.observed))
    return;
  self->n_pauses++;
  hp_volley_pause (&self->volley, now + HEARD_PAUSE);
}

void
hp_climb_add_sockets (HpClimb *self, const guint *numbers, guint n,
                      gint64 now)
{
  guint n_taken = MIN (n, self->volley.n_wanted);
  HpPunchAttempt *attempt = get_attempt (self);

  g_array_append_vals (self->surplus, numbers + n_taken, n - n_taken);
  if (self->volley.n_wanted == 0)
    return;
  hp_volley_add_sockets (&self->volley, numbers, n_taken, now);
  attempt->n_sockets = self->volley.sockets->len;
  attempt->odds
      = hp_volley_plan_get_odds (&self->volley.plan, attempt->n_sockets);
  if (self->volley.n_wanted == 0 && attempt->n_sockets == 0)
    end_attempt (self, HP_PUNCH_NO_SOCKETS, now);
}

gboolean
hp_climb_next (HpClimb *self, gint64 now, HpPunch *punch)
{
  climb (self, now);
  return hp_volley_next (&self->volley, now, punch);
}

gint64
hp_climb_get_deadline (const HpClimb *self)
{
  const HpLadderStep *step = &self->ladder.steps[self->step];
  gint64 at;

  if (self->step >= self->ladder.n_steps)
    return NEVER;
  at = self->plan.start_at + step->at;
  if (!self->is_begun)
    return at;
  return MIN (at + step->lasts, hp_volley_get_deadline (&self->volley));
}
