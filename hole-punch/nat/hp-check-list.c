/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/nat/hp-check-list.h"

#include <string.h>

/* The second opener, and how long a check heard of is not repeated */
#define OPENER_GAP (20 * G_TIME_SPAN_MILLISECOND)
#define TRIGGER_GAP (20 * G_TIME_SPAN_MILLISECOND)
#define MAX_TRIGGERED 8
/* When the budget is empty */
#define BUDGET_RETRY G_TIME_SPAN_SECOND
#define MAX_CHECKS \
  (2 * HP_MAX_CANDIDATES + HP_MAX_PEER_REFLEXIVE \
   + HP_PUNCH_MAX_RELAYS * HP_MAX_CANDIDATES)
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
} HpCheck;

static guint
get_n_checks (const HpCheckList *self)
{
  return self->checks != NULL ? self->checks->len : 0;
}

static HpCheck *
get_check (const HpCheckList *self, guint i)
{
  return &g_array_index (self->checks, HpCheck, i);
}

void
hp_check_list_clear (HpCheckList *self)
{
  g_clear_pointer (&self->checks, g_array_unref);
  self->candidates.n_candidates = 0;
}

/* Which of our addresses it was does not matter here: checks are sent from
 * whichever the system chooses */
static HpCheck *
find_check (const HpCheckList *self, const HpRoute *route)
{
  guint i;

  for (i = 0; i < get_n_checks (self); i++)
    {
      HpCheck *check = get_check (self, i);

      if (check->route.socket == route->socket
          && hp_address_equal (&check->route.remote, &route->remote))
        return check;
    }
  return NULL;
}

gboolean
hp_check_list_is_relay (const HpCheckList *self, guint number)
{
  guint i;

  for (i = 0; i < self->n_relays; i++)
    if (self->relays[i] == number)
      return TRUE;
  return FALSE;
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
wants_openers (const HpCheckList *self, const HpCheck *check)
{
  return self->openers && check->kind != HP_CANDIDATE_PEER_REFLEXIVE
         && check->kind != HP_CANDIDATE_RELAYED
         && !hp_address_is_private (&check->route.remote);
}

static void
append_check (HpCheckList *self, const HpRoute *route, HpCandidateKind kind,
              gint64 checks_from, gint64 now)
{
  gboolean by_relay = hp_check_list_is_relay (self, route->socket);
  HpWireCandidate candidate = { .kind = kind };
  HpCheck check = { 0 };

  check.route = *route;
  check.kind = by_relay ? HP_CANDIDATE_RELAYED : kind;
  check.rank = hp_candidate_get_rank (&candidate) + (by_relay ? 10 : 0);
  check.paid = by_relay || kind == HP_CANDIDATE_PEER_REFLEXIVE;
  check.checks_from = checks_from;
  check.check_at = checks_from;
  check.opener_at = NEVER;
  if (checks_from > now && wants_openers (self, &check))
    check.opener_at = now;
  if (self->checks == NULL)
    self->checks = g_array_new (FALSE, FALSE, sizeof (HpCheck));
  g_array_append_val (self->checks, check);
}

/* From the main socket, and by each relay */
static void
append_checks (HpCheckList *self, const HpAddress *remote,
               HpCandidateKind kind, gint64 now)
{
  gint64 delay = self->relay_only || self->by_relay ? 0 : HP_RELAY_DELAY;
  gint64 relayed_from = MAX (self->start_at + delay, now);
  HpRoute route = { .remote = *remote };
  HpCheck *known = find_check (self, &route);
  guint i;

  if (!is_punchable (remote))
    return;
  /* It was heard from before it was told that this is a relay */
  if (known != NULL && kind == HP_CANDIDATE_RELAYED)
    known->kind = kind;
  if (!self->relay_only && known == NULL
      && get_n_checks (self) < MAX_CHECKS)
    append_check (self, &route, kind,
                  kind == HP_CANDIDATE_RELAYED ? relayed_from
                                               : MAX (self->start_at, now),
                  now);
  if (kind == HP_CANDIDATE_HOST)
    return;

  hp_candidates_add (&self->candidates, remote, kind, NULL);
  for (i = 0; i < self->n_relays; i++)
    {
      route.socket = self->relays[i];
      if (find_check (self, &route) == NULL
          && get_n_checks (self) < MAX_CHECKS)
        append_check (self, &route, kind, relayed_from, now);
    }
}

static gboolean
has_direct (const HpWireCandidates *candidates)
{
  guint i;

  for (i = 0; i < candidates->n_candidates; i++)
    if (candidates->candidates[i].kind != HP_CANDIDATE_RELAYED)
      return TRUE;
  return FALSE;
}

void
hp_check_list_begin (HpCheckList *self, const HpWireCandidates *candidates,
                     gboolean continues, gint64 now)
{
  g_autoptr (GArray) earlier = g_steal_pointer (&self->checks);
  guint i;

  self->candidates.n_candidates = 0;
  if (candidates->n_candidates > 0 && !has_direct (candidates))
    self->by_relay = TRUE;
  for (i = 0; i < candidates->n_candidates; i++)
    append_checks (self, &candidates->candidates[i].address,
                   candidates->candidates[i].kind, now);

  for (i = 0; continues && earlier != NULL && i < earlier->len; i++)
    {
      const HpCheck *paid = &g_array_index (earlier, HpCheck, i);
      HpCheck *check = find_check (self, &paid->route);

      if (check != NULL && paid->paid)
        check->paid = TRUE;
    }
}

static guint
count_kind (const HpCheckList *self, HpCandidateKind kind)
{
  guint count = 0;
  guint i;

  for (i = 0; i < get_n_checks (self); i++)
    count += get_check (self, i)->kind == kind;
  return count;
}

static void
trigger (HpCheck *check, gint64 now)
{
  check->paid = TRUE;
  if (check->n_triggered >= MAX_TRIGGERED
      || (check->checked_at != 0 && now - check->checked_at < TRIGGER_GAP))
    return;
  check->n_triggered++;
  check->opener_at = NEVER;
  check->checks_from = MIN (check->checks_from, now);
  check->check_at = MIN (check->check_at, now);
}

/* Heard from @route: it alone is checked */
static gboolean
add_heard (HpCheckList *self, const HpRoute *route, gint64 now)
{
  HpCheck *known = find_check (self, route);

  if (self->relay_only && !hp_check_list_is_relay (self, route->socket))
    return FALSE;
  if (known != NULL)
    {
      trigger (known, now);
      return FALSE;
    }
  if (!is_punchable (&route->remote) || get_n_checks (self) >= MAX_CHECKS
      || count_kind (self, HP_CANDIDATE_PEER_REFLEXIVE)
             >= HP_MAX_PEER_REFLEXIVE)
    return FALSE;
  append_check (self, route, HP_CANDIDATE_PEER_REFLEXIVE, now, now);
  return TRUE;
}

gboolean
hp_check_list_add (HpCheckList *self, const HpRoute *route,
                   HpCandidateKind kind, gint64 now)
{
  guint n_before = get_n_checks (self);

  if (kind == HP_CANDIDATE_PEER_REFLEXIVE)
    return add_heard (self, route, now);
  append_checks (self, &route->remote, kind, now);
  return get_n_checks (self) > n_before;
}

/* What is heard from a host that nobody has told of may come through a relay
 * of the other side's, of which we are told only later */
gboolean
hp_check_list_may_be_relayed (const HpCheckList *self, const HpRoute *route)
{
  const HpCheck *check = find_check (self, route);
  guint i;

  if (check == NULL || check->kind != HP_CANDIDATE_PEER_REFLEXIVE
      || hp_address_is_private (&route->remote))
    return check != NULL && check->kind == HP_CANDIDATE_RELAYED;
  for (i = 0; i < get_n_checks (self); i++)
    {
      const HpCheck *told = get_check (self, i);

      if (told->kind != HP_CANDIDATE_PEER_REFLEXIVE
          && told->kind != HP_CANDIDATE_RELAYED
          && hp_address_same_host (&told->route.remote, &route->remote))
        return FALSE;
    }
  return TRUE;
}

gboolean
hp_check_list_remove (HpCheckList *self, const HpRoute *route)
{
  HpCheck *check = find_check (self, route);

  if (check == NULL)
    return FALSE;
  check->opener_at = NEVER;
  check->check_at = NEVER;
  check->n_triggered = MAX_TRIGGERED;
  return !hp_check_list_may_be_relayed (self, route);
}

gboolean
hp_check_list_add_relay (HpCheckList *self, guint number, gint64 now)
{
  HpWireCandidates candidates = self->candidates;
  guint i;

  if (self->n_relays >= HP_PUNCH_MAX_RELAYS
      || hp_check_list_is_relay (self, number))
    return FALSE;
  self->relays[self->n_relays++] = number;
  for (i = 0; i < candidates.n_candidates; i++)
    append_checks (self, &candidates.candidates[i].address,
                   candidates.candidates[i].kind, now);
  return candidates.n_candidates > 0;
}

void
hp_check_list_remove_relay (HpCheckList *self, guint number)
{
  guint i;

  for (i = self->n_relays; i-- > 0;)
    if (self->relays[i] == number)
      self->relays[i] = self->relays[--self->n_relays];
  for (i = get_n_checks (self); i-- > 0;)
    if (get_check (self, i)->route.socket == number)
      g_array_remove_index (self->checks, i);
}

/* The first check of the schedule that is still to come; what a late caller
 * has missed is not made up for in a burst */
static gint64
get_next_check (const HpCheck *check, gint64 now)
{
  gint64 elapsed = (now - check->checks_from) / G_TIME_SPAN_MILLISECOND;
  gint64 last = check_times[G_N_ELEMENTS (check_times) - 1];
  guint i;

  for (i = 0; i < G_N_ELEMENTS (check_times); i++)
    if (check_times[i] > elapsed)
      return check->checks_from + check_times[i] * G_TIME_SPAN_MILLISECOND;
  return check->checks_from
         + (last + ((elapsed - last) / 1000 + 1) * 1000)
               * G_TIME_SPAN_MILLISECOND;
}

/* Openers before checks, private candidates before public ones */
static gboolean
is_before (const HpCheck *a, const HpCheck *b, gint64 now)
{
  gboolean a_opens = a->opener_at <= now;
  gboolean b_opens = b->opener_at <= now;

  if (a_opens != b_opens)
    return a_opens;
  return a->rank < b->rank;
}

static HpCheck *
find_due (HpCheckList *self, gint64 now)
{
  HpCheck *best = NULL;
  guint i;

  for (i = 0; i < get_n_checks (self); i++)
    {
      HpCheck *check = get_check (self, i);

      if (MIN (check->opener_at, check->check_at) > now)
        continue;
      if (best == NULL || is_before (check, best, now))
        best = check;
    }
  return best;
}

static gboolean
pay (HpCheckList *self, HpCheck *check, gint64 now)
{
  if (!check->paid)
    check->paid = self->budget == NULL
                  || hp_nat_budget_take (self->budget, 1, now);
  return check->paid;
}

static void
punch_check (HpCheck *check, gint64 now, HpPunch *punch)
{
  punch->route = check->route;
  punch->kind = check->kind;
  punch->ttl = 0;
  punch->is_probe = FALSE;

  if (check->opener_at <= now && check->check_at > now)
    {
      punch->ttl = opener_ttls[check->n_openers++];
      punch->is_probe = TRUE;
      check->opener_at = now + OPENER_GAP;
      if (check->n_openers >= G_N_ELEMENTS (opener_ttls)
          || check->opener_at >= check->check_at)
        check->opener_at = NEVER;
      return;
    }

  check->opener_at = NEVER;
  check->checked_at = now;
  check->check_at = get_next_check (check, now);
}

gboolean
hp_check_list_next (HpCheckList *self, gint64 now, HpPunch *punch)
{
  HpCheck *check;

  while ((check = find_due (self, now)) != NULL)
    {
      if (pay (self, check, now))
        {
          punch_check (check, now, punch);
          return TRUE;
        }
      check->opener_at = NEVER;
      check->check_at = MAX (check->check_at, now + BUDGET_RETRY);
    }
  return FALSE;
}

gint64
hp_check_list_get_deadline (const HpCheckList *self)
{
  gint64 deadline = NEVER;
  guint i;

  for (i = 0; i < get_n_checks (self); i++)
    {
      const HpCheck *check = get_check (self, i);

      deadline = MIN (deadline, MIN (check->opener_at, check->check_at));
    }
  return deadline;
}
