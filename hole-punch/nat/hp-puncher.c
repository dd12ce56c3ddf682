/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/nat/hp-puncher.h"

#include "hole-punch/nat/hp-check-list.h"
#include "hole-punch/nat/hp-climb.h"

/* What a candidate that comes late gets at least */
#define LATE_ROUND (2 * G_TIME_SPAN_SECOND)
#define NEVER G_MAXINT64

struct _HpPuncher
{
  gboolean is_running;
  gint64 until;
  gint64 now; /* of the latest call that told it */
  HpCheckList checks;
  HpClimb climb;
};

HpPuncher *
hp_puncher_new (HpNatBudget *budget)
{
  HpPuncher *self = g_new0 (HpPuncher, 1);

  self->checks.budget = budget;
  hp_climb_init (&self->climb, budget);
  return self;
}

void
hp_puncher_free (HpPuncher *self)
{
  hp_check_list_clear (&self->checks);
  hp_climb_clear (&self->climb);
  g_free (self);
}

void
hp_puncher_start (HpPuncher *self, const HpPunchPlan *plan, gint64 now)
{
  HpPunchPlan started = *plan;

  started.start_at = MAX (plan->start_at, now);
  self->now = now;
  self->until = started.start_at + HP_PUNCH_TIMEOUT;
  self->checks.openers = plan->openers;
  self->checks.relay_only = plan->relay_only;
  self->checks.by_relay = plan->by_relay;
  self->checks.start_at = started.start_at;
  hp_check_list_begin (&self->checks, &plan->candidates, self->is_running,
                       now);
  self->is_running = TRUE;
  hp_climb_start (&self->climb, &started, now);
}

void
hp_puncher_set_facts (HpPuncher *self, const HpNatFacts *local,
                      const HpNatFacts *remote, gint64 now)
{
  HpClimb *climb = &self->climb;

  self->now = now;
  if (!self->is_running)
    return;
  if (local != NULL)
    climb->plan.local = *local;
  if (remote != NULL)
    {
      climb->plan.remote = *remote;
      climb->facts_at = now;
    }
  hp_climb_replan (climb, now);
}

void
hp_puncher_allow_spray (HpPuncher *self, gint64 now)
{
  self->now = now;
  if (!self->is_running || self->climb.plan.may_spray)
    return;
  self->climb.plan.may_spray = TRUE;
  hp_climb_replan (&self->climb, now);
}

/* A round for what comes unasked: with neither openers nor ladder */
static void
start_late (HpPuncher *self, gint64 now)
{
  static const HpWireCandidates none;

  self->is_running = TRUE;
  self->until = now + HP_PUNCH_TIMEOUT;
  self->checks.openers = FALSE;
  self->checks.start_at = now;
  hp_check_list_begin (&self->checks, &none, FALSE, now);
}

void
hp_puncher_add (HpPuncher *self, const HpRoute *route, HpCandidateKind kind,
                gint64 now)
{
  self->now = now;
  if (!self->is_running)
    start_late (self, now);
  if (kind == HP_CANDIDATE_PEER_REFLEXIVE)
    hp_climb_heard (&self->climb, route, now);
  if (hp_check_list_add (&self->checks, route, kind, now))
    self->until = MAX (self->until, now + LATE_ROUND);
}

void
hp_puncher_remove (HpPuncher *self, const HpRoute *route)
{
  if (hp_check_list_remove (&self->checks, route))
    hp_climb_finish (&self->climb, HP_PUNCH_SUCCEEDED, self->now);
}

gboolean
hp_puncher_may_be_relayed (const HpPuncher *self, const HpRoute *route)
{
  return hp_check_list_may_be_relayed (&self->checks, route);
}

static void
end (HpPuncher *self, HpPunchOutcome outcome)
{
  self->is_running = FALSE;
  hp_check_list_clear (&self->checks);
  hp_climb_finish (&self->climb, outcome, self->now);
  hp_climb_release (&self->climb);
}

void
hp_puncher_stop (HpPuncher *self)
{
  end (self, HP_PUNCH_STOPPED);
}

gboolean
hp_puncher_is_running (const HpPuncher *self)
{
  return self->is_running;
}

void
hp_puncher_add_relay (HpPuncher *self, guint number, gint64 now)
{
  self->now = now;
  if (hp_check_list_add_relay (&self->checks, number, now))
    self->until = MAX (self->until, now + LATE_ROUND);
}

void
hp_puncher_remove_relay (HpPuncher *self, guint number)
{
  hp_check_list_remove_relay (&self->checks, number);
}

gboolean
hp_puncher_is_relay (const HpPuncher *self, guint number)
{
  return hp_check_list_is_relay (&self->checks, number);
}

/* Extra sockets */

guint
hp_puncher_get_wanted_sockets (const HpPuncher *self)
{
  return self->climb.volley.n_wanted;
}

guint16
hp_puncher_get_wanted_port (const HpPuncher *self)
{
  return self->climb.volley.plan.local_port;
}

void
hp_puncher_add_sockets (HpPuncher *self, const guint *numbers, guint n,
                        gint64 now)
{
  self->now = now;
  hp_climb_add_sockets (&self->climb, numbers, n, now);
}

void
hp_puncher_keep_socket (HpPuncher *self, guint number)
{
  hp_climb_keep_socket (&self->climb, number);
}

gboolean
hp_puncher_next_surplus (HpPuncher *self, guint *number)
{
  return hp_climb_next_surplus (&self->climb, number);
}

/* Punches */

gboolean
hp_puncher_next (HpPuncher *self, gint64 now, HpPunch *punch)
{
  self->now = now;
  if (self->is_running && now >= self->until)
    end (self, HP_PUNCH_UNANSWERED);
  if (!self->is_running)
    return FALSE;
  return hp_check_list_next (&self->checks, now, punch)
         || hp_climb_next (&self->climb, now, punch);
}

gint64
hp_puncher_get_deadline (const HpPuncher *self)
{
  if (!self->is_running)
    return NEVER;
  return MIN (self->until,
              MIN (hp_check_list_get_deadline (&self->checks),
                   hp_climb_get_deadline (&self->climb)));
}

/* The report */

const HpPunchAttempt *
hp_puncher_get_attempts (const HpPuncher *self, guint *n_attempts)
{
  *n_attempts = self->climb.n_attempts;
  return self->climb.attempts;
}

static const char *
get_outcome_text (HpPunchOutcome outcome)
{
  switch (outcome)
    {
    case HP_PUNCH_ONGOING:
      return "under way";
    case HP_PUNCH_SUCCEEDED:
      return "a direct path was found";
    case HP_PUNCH_UNANSWERED:
      return "nothing was answered";
    case HP_PUNCH_STOPPED:
      return "stopped before its time";
    case HP_PUNCH_NO_BUDGET:
      return "not tried, since too few NAT entries are left of the budget";
    case HP_PUNCH_NO_SOCKETS:
      return "not tried, since no more sockets could be opened";
    case HP_PUNCH_NOT_WANTED:
      return "not tried for a peer that has not been accepted";
    case HP_PUNCH_NO_ADDRESS:
      return "not tried, since the other side's address or ports are not known";
    }
  return "";
}

static void
describe_attempt (const HpPunchAttempt *attempt, GString *text)
{
  if (text->len > 0)
    g_string_append_c (text, '\n');
  g_string_append (text, hp_rung_get_name (attempt->rung));
  if (attempt->n_sockets > 1)
    g_string_append_printf (text, ", from %u sockets", attempt->n_sockets);
  if (attempt->n_ports > 1)
    g_string_append_printf (text, ", to %u ports", attempt->n_ports);
  if (attempt->odds > 0)
    g_string_append_printf (text, ", odds %.0f %%", 100 * attempt->odds);
  g_string_append_printf (text, ": %s", get_outcome_text (attempt->outcome));
}

char *
hp_puncher_describe (const HpPuncher *self)
{
  GString *text = g_string_new (NULL);
  guint i;

  for (i = 0; i < self->climb.n_attempts; i++)
    describe_attempt (&self->climb.attempts[i], text);
  return g_string_free (text, FALSE);
}
