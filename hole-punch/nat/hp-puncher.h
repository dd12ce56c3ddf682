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
 *               or the time is up. Private candidates first, without openers;
 *               what goes through a relay 100 ms later.
 *   beside it   the ladder (hp-ladder.h): the methods for two NATs that need
 *               more than that, one after the other, each only once.
 *   heard       a packet from a candidate tells that its NAT is open to us: it
 *               is checked at once (the triggered check of RFC 8445, section
 *               7.3.1.4), a few times at most; the ladder waits meanwhile.
 *
 * It knows neither packets nor sessions: it says which punch is due, the link
 * decides what bytes that is (INITIATION, PROBE, or DATA with PATH_CHALLENGE).
 *
 * Every new pair of a socket and a remote address is an entry in our NAT. It is
 * taken from the budget before anything is sent there.
 */

#pragma once

#include "hole-punch/nat/hp-candidate.h"
#include "hole-punch/nat/hp-nat-budget.h"
#include "hole-punch/nat/hp-punch.h"

#define HP_PUNCH_TIMEOUT (10 * G_TIME_SPAN_SECOND)

typedef struct _HpPuncher HpPuncher;

/* @budget is shared and outlives it; NULL: unlimited */
HpPuncher *hp_puncher_new (HpNatBudget *budget);
void hp_puncher_free (HpPuncher *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpPuncher, hp_puncher_free)

/* Begins (again): openers (if plan.openers, and start_at is still to come)
 * from @now on, checks and the ladder from start_at until start_at +
 * HP_PUNCH_TIMEOUT. Forgets earlier candidates and attempts, but not the
 * carriers. A volley of the ladder that is under way toward the same address
 * goes on. */
void hp_puncher_start (HpPuncher *self, const HpPunchPlan *plan, gint64 now);
/* Fresher ones; NULL: unchanged. The rest of the ladder may change. */
void hp_puncher_set_facts (HpPuncher *self, const HpNatFacts *local,
                           const HpNatFacts *remote, gint64 now);
/* The application wants this peer: as plan.may_spray */
void hp_puncher_allow_spray (HpPuncher *self, gint64 now);
/* Found or trickled while running (or starts a round just for it); at most
 * HP_MAX_PEER_REFLEXIVE peer-reflexive ones, whose packets have come in by
 * our NAT, so that they cost no budget. One that is there already is checked
 * at once if it was heard (@kind is peer-reflexive). */
void hp_puncher_add (HpPuncher *self, const HpRoute *route,
                     HpCandidateKind kind, gint64 now);
/* The address is done with: a path there is proven. If it is surely a direct
 * one, the ladder ends. */
void hp_puncher_remove (HpPuncher *self, const HpRoute *route);
/* It does, or it comes from a host that nobody has told of: a relay of the
 * other side's can be heard before it is told */
gboolean hp_puncher_may_be_relayed (const HpPuncher *self,
                                    const HpRoute *route);
void hp_puncher_stop (HpPuncher *self);
gboolean hp_puncher_is_running (const HpPuncher *self);

/* A carrier of ours is ready: checks go from it as well. They come at no NAT
 * entry; private addresses are nothing to a relay and are left out. */
void hp_puncher_add_relay (HpPuncher *self, guint number, gint64 now);
void hp_puncher_remove_relay (HpPuncher *self, guint number);
gboolean hp_puncher_is_relay (const HpPuncher *self, guint number);

/* Extra sockets, opened only for the ladder: how many it wants beyond those it
 * has, and at which local port (0: any) */
guint hp_puncher_get_wanted_sockets (const HpPuncher *self);
guint16 hp_puncher_get_wanted_port (const HpPuncher *self);
/* @n < wanted: no more are to be had */
void hp_puncher_add_sockets (HpPuncher *self, const guint *numbers, guint n,
                             gint64 now);
/* A path is proven there: it is no surplus any more */
void hp_puncher_keep_socket (HpPuncher *self, guint number);
/* One that is to be closed */
gboolean hp_puncher_next_surplus (HpPuncher *self, guint *number);

/* The next punch that is due, FALSE if none is */
gboolean hp_puncher_next (HpPuncher *self, gint64 now, HpPunch *punch);
/* G_MAXINT64: never */
gint64 hp_puncher_get_deadline (const HpPuncher *self);

/* What was tried since the last start; stays after the end */
const HpPunchAttempt *hp_puncher_get_attempts (const HpPuncher *self,
                                               guint *n_attempts);
/* The same as text, a line each: (transfer full) */
char *hp_puncher_describe (const HpPuncher *self);
