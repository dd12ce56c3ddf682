/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* When to send what where, so that both NATs open.
 *
 *   at once     low-TTL openers to every public candidate: they leave our own
 *               NAT and die before the other's, so that no early knock spoils
 *               its mapping. First with TTL 2, a moment later with TTL 4 (a
 *               carrier's NAT over the home's).
 *   start_at    both sides together: full-TTL checks to every candidate at 0,
 *               33, 66, 133, 266, 533 ms, then every second, until told to stop
 *               or the time is up. Private candidates first, without openers.
 *   heard       a packet from a candidate tells that its NAT is open to us: it
 *               is checked at once (the triggered check of RFC 8445, section
 *               7.3.1.4), a few times at most.
 *
 * It knows neither packets nor sessions: it says which punch is due, the link
 * decides what bytes that is (INITIATION, PROBE, or DATA with PATH_CHALLENGE).
 */

#pragma once

#include "hole-punch/nat/hp-candidate.h"
#include "hole-punch/nat/hp-nat-budget.h"

#define HP_PUNCH_TIMEOUT (10 * G_TIME_SPAN_SECOND)

typedef struct _HpPuncher HpPuncher;

typedef struct
{
  HpRoute route;
  HpCandidateKind kind;
  guint ttl; /* 0: the system's; else an opener, which is always a PROBE */
} HpPunch;

/* @budget is shared and outlives it; NULL: unlimited */
HpPuncher *hp_puncher_new (HpNatBudget *budget);
void hp_puncher_free (HpPuncher *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpPuncher, hp_puncher_free)

/* Begins (again): openers (if @openers, and start_at is still to come) from
 * @now on, checks from @start_at until @start_at + HP_PUNCH_TIMEOUT. Forgets
 * earlier candidates. */
void hp_puncher_start (HpPuncher *self, const HpWireCandidates *candidates,
                       gboolean openers, gint64 start_at, gint64 now);
/* Found or trickled while running (or starts a round just for it); at most
 * HP_MAX_PEER_REFLEXIVE peer-reflexive ones, whose packets have come in by
 * our NAT, so that they cost no budget. One that is there already is checked
 * at once if it was heard (@kind is peer-reflexive). */
void hp_puncher_add (HpPuncher *self, const HpRoute *route,
                     HpCandidateKind kind, gint64 now);
/* The address is done with: a path there is proven */
void hp_puncher_remove (HpPuncher *self, const HpRoute *route);
void hp_puncher_stop (HpPuncher *self);
gboolean hp_puncher_is_running (const HpPuncher *self);

/* The next punch that is due, FALSE if none is */
gboolean hp_puncher_next (HpPuncher *self, gint64 now, HpPunch *punch);
/* G_MAXINT64: never */
gint64 hp_puncher_get_deadline (const HpPuncher *self);
