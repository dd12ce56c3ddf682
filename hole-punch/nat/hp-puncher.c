/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/nat/hp-puncher.h"

#include <string.h>

/* The second opener, and how long a check heard of is not repeated */
#define OPENER_GAP (20 * G_TIME_SPAN_MILLISECOND)
#define TRIGGER_GAP (20 * G_TIME_SPAN_MILLISECOND)
#define MAX_TRIGGERED 8
/* When the budget is empty */
#define BUDGET_RETRY G_TIME_SPAN_SECOND
/* What a candidate that comes late gets at least */
#define LATE_ROUND (2 * G_TIME_SPAN_SECOND)
#define MAX_TARGETS (2 * HP_MAX_CANDIDATES + HP_MAX_PEER_REFLEXIVE)
#define NEVER G_MAXINT64

static const guint8 opener_ttls[] = { 2, 4 };
static const guint16 check_times[] = { 0, 33, 66, 133, 266, 533 }; /* ms */

typedef struct
{
  HpRoute route;
  HpCandidateKind kind;
  guint rank;
  gboolean paid;       /* its NAT entry is taken from the budget */
  guint n_openers;     /* sent */
  gint64 opener_at;    /* the next one, NEVER */
  gint64 checks_from;  /* when its check number 0 is due */
  gint64 check_at;     /* the next one */
  gint64 checked_at;   /* the last one; 0: none */
  guint n_triggered;
} Target;

struct _HpPuncher
{
  HpNatBudget *budget;
  gboolean is_running;
  gboolean openers;
  gint64 start_at;
  gint64 until;
  guint n_targets;
  Target targets[MAX_TARGETS];
};

HpPuncher *
hp_puncher_new (HpNatBudget *budget)
{
  HpPuncher *self = g_new0 (HpPuncher, 1);

  self->budget = budget;
  return self;
}

void
hp_puncher_free (HpPuncher *self)
{
  g_free (self);
}

/* Which of our addresses it was does not matter here: checks are sent from
 * whichever the system chooses */
static Target *
find_target (HpPuncher *self, const HpRoute *route)
{
  guint i;

  for (i = 0; i < self->n_targets; i++)
    if (self->targets[i].route.socket == route->socket
        && hp_address_equal (&self->targets[i].route.remote, &route->remote))
      return &self->targets[i];
  return NULL;
}

static gboolean
is_punchable (const HpAddress *address)
{
  if (!hp_address_is_usable (address)
      || hp_address_get_scope (address) == HP_SCOPE_INVALID)
    return FALSE;
  /* An IPv6 link-local address means nothing without its interface */
  return address->family != HP_ADDRESS_IPV6 || address->scope_id != 0
         || hp_address_get_scope (address) != HP_SCOPE_LINK;
}

static gboolean
wants_openers (const HpPuncher *self, const Target *target)
{
  return self->openers && target->kind != HP_CANDIDATE_PEER_REFLEXIVE
         && target->kind != HP_CANDIDATE_RELAYED
         && !hp_address_is_private (&target->route.remote);
}

static void
append_target (HpPuncher *self, const HpRoute *route, HpCandidateKind kind,
               gint64 checks_from, gint64 now)
{
  HpWireCandidate candidate = { .kind = kind };
  Target *target = &self->targets[self->n_targets++];

  memset (target, 0, sizeof *target);
  target->route = *route;
  target->kind = kind;
  target->rank = hp_candidate_get_rank (&candidate);
  target->paid = kind == HP_CANDIDATE_PEER_REFLEXIVE;
  target->checks_from = checks_from;
  target->check_at = checks_from;
  target->opener_at = NEVER;
  if (checks_from > now && wants_openers (self, target))
    target->opener_at = now;
}

void
hp_puncher_start (HpPuncher *self, const HpWireCandidates *candidates,
                  gboolean openers, gint64 start_at, gint64 now)
{
  Target earlier[MAX_TARGETS];
  guint n_earlier = self->is_running ? self->n_targets : 0;
  guint i, j;

  memcpy (earlier, self->targets, n_earlier * sizeof (Target));
  self->n_targets = 0;
  self->is_running = TRUE;
  self->openers = openers;
  self->start_at = MAX (start_at, now);
  self->until = self->start_at + HP_PUNCH_TIMEOUT;

  for (i = 0; i < candidates->n_candidates; i++)
    {
      HpRoute route = { .remote = candidates->candidates[i].address };

      if (is_punchable (&route.remote) && find_target (self, &route) == NULL)
        append_target (self, &route, candidates->candidates[i].kind,
                       self->start_at, now);
    }

  /* What the running round has paid for is there in the NAT */
  for (i = 0; i < n_earlier; i++)
    for (j = 0; j < self->n_targets; j++)
      if (earlier[i].paid
          && hp_route_equal (&earlier[i].route, &self->targets[j].route))
        self->targets[j].paid = TRUE;
}

static guint
count_kind (const HpPuncher *self, HpCandidateKind kind)
{
  guint count = 0;
  guint i;

  for (i = 0; i < self->n_targets; i++)
    count += self->targets[i].kind == kind;
  return count;
}

static void
trigger (Target *target, gint64 now)
{
  target->paid = TRUE;
  if (target->n_triggered >= MAX_TRIGGERED
      || (target->checked_at != 0 && now - target->checked_at < TRIGGER_GAP))
    return;
  target->n_triggered++;
  target->opener_at = NEVER;
  target->checks_from = MIN (target->checks_from, now);
  target->check_at = MIN (target->check_at, now);
}

void
hp_puncher_add (HpPuncher *self, const HpRoute *route, HpCandidateKind kind,
                gint64 now)
{
  gboolean is_reflexive = kind == HP_CANDIDATE_PEER_REFLEXIVE;
  Target *known;

  if (!is_punchable (&route->remote))
    return;
  if (!self->is_running)
    {
      self->n_targets = 0;
      self->is_running = TRUE;
      self->openers = FALSE;
      self->start_at = now;
      self->until = now + HP_PUNCH_TIMEOUT;
    }

  known = find_target (self, route);
  if (known != NULL)
    {
      if (is_reflexive)
        trigger (known, now);
      return;
    }
  if (self->n_targets >= MAX_TARGETS
      || (is_reflexive && count_kind (self, kind) >= HP_MAX_PEER_REFLEXIVE))
    return;

  append_target (self, route, kind,
                 is_reflexive ? now : MAX (self->start_at, now), now);
  self->until = MAX (self->until, now + LATE_ROUND);
}

void
hp_puncher_remove (HpPuncher *self, const HpRoute *route)
{
  Target *target = find_target (self, route);

  if (target == NULL)
    return;
  target->opener_at = NEVER;
  target->check_at = NEVER;
  target->n_triggered = MAX_TRIGGERED;
}

void
hp_puncher_stop (HpPuncher *self)
{
  self->is_running = FALSE;
  self->n_targets = 0;
}

gboolean
hp_puncher_is_running (const HpPuncher *self)
{
  return self->is_running;
}

/* The first check of the schedule that is still to come; what a late caller
 * has missed is not made up for in a burst */
static gint64
get_next_check (const Target *target, gint64 now)
{
  gint64 elapsed = (now - target->checks_from) / G_TIME_SPAN_MILLISECOND;
  gint64 last = check_times[G_N_ELEMENTS (check_times) - 1];
  guint i;

  for (i = 0; i < G_N_ELEMENTS (check_times); i++)
    if (check_times[i] > elapsed)
      return target->checks_from + check_times[i] * G_TIME_SPAN_MILLISECOND;
  return target->checks_from
         + (last + ((elapsed - last) / 1000 + 1) * 1000)
               * G_TIME_SPAN_MILLISECOND;
}

/* Openers before checks, private candidates before public ones */
static gboolean
is_before (const Target *a, const Target *b, gint64 now)
{
  gboolean a_opens = a->opener_at <= now;
  gboolean b_opens = b->opener_at <= now;

  if (a_opens != b_opens)
    return a_opens;
  return a->rank < b->rank;
}

static Target *
find_due (HpPuncher *self, gint64 now)
{
  Target *best = NULL;
  guint i;

  for (i = 0; i < self->n_targets; i++)
    {
      Target *target = &self->targets[i];

      if (MIN (target->opener_at, target->check_at) > now)
        continue;
      if (best == NULL || is_before (target, best, now))
        best = target;
    }
  return best;
}

static gboolean
pay (HpPuncher *self, Target *target, gint64 now)
{
  if (!target->paid)
    target->paid = self->budget == NULL
                   || hp_nat_budget_take (self->budget, 1, now);
  return target->paid;
}

static void
punch_target (Target *target, gint64 now, HpPunch *punch)
{
  punch->route = target->route;
  punch->kind = target->kind;
  punch->ttl = 0;

  if (target->opener_at <= now && target->check_at > now)
    {
      punch->ttl = opener_ttls[target->n_openers++];
      target->opener_at = now + OPENER_GAP;
      if (target->n_openers >= G_N_ELEMENTS (opener_ttls)
          || target->opener_at >= target->check_at)
        target->opener_at = NEVER;
      return;
    }

  target->opener_at = NEVER;
  target->checked_at = now;
  target->check_at = get_next_check (target, now);
}

gboolean
hp_puncher_next (HpPuncher *self, gint64 now, HpPunch *punch)
{
  Target *target;

  if (self->is_running && now >= self->until)
    hp_puncher_stop (self);
  if (!self->is_running)
    return FALSE;

  while ((target = find_due (self, now)) != NULL)
    {
      if (pay (self, target, now))
        {
          punch_target (target, now, punch);
          return TRUE;
        }
      target->opener_at = NEVER;
      target->check_at = MAX (target->check_at, now + BUDGET_RETRY);
    }
  return FALSE;
}

gint64
hp_puncher_get_deadline (const HpPuncher *self)
{
  gint64 deadline = self->until;
  guint i;

  if (!self->is_running)
    return NEVER;
  for (i = 0; i < self->n_targets; i++)
    deadline = MIN (deadline, MIN (self->targets[i].opener_at,
                                   self->targets[i].check_at));
  return deadline;
}
