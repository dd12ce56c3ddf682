/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Candidates: addresses at which a peer may be reached, and the rules of who
 * is told which.
 */

#pragma once

#include "hole-punch/base/hp-address.h"
#include "hole-punch/wire/hp-frame.h"

/* Private ones that one peer may offer, and peer-reflexive ones that an
 * introduction may add */
#define HP_MAX_HOST_CANDIDATES 8
#define HP_MAX_PEER_REFLEXIVE 8
/* Mapped ports without a proof that one peer may offer */
#define HP_MAX_UNPROVEN_MAPPED 2

/* Adds @address unless it is there or the list is full; gives whether it is
 * there now. @proof may be NULL. */
gboolean hp_candidates_add (HpWireCandidates *self, const HpAddress *address,
                            HpCandidateKind kind, const guint8 *proof);
gboolean hp_candidates_contain (const HpWireCandidates *self,
                                const HpAddress *address);

/* What of @offered the match server passes on: the address it sees itself
 * (@observed, always first; relayed if it is offered as that), public ones
 * whose proof @check accepts, mapped ports of the host that it sees, few,
 * without a proof (nothing can be sent from there, and nobody else is hit), and
 * private ones only if @same_network (both sides have the same public address).
 * Proofs are taken off. */
typedef gboolean (*HpProofCheck) (gpointer user_data,
                                  const HpAddress *address,
                                  const guint8 proof[HP_PROOF_SIZE]);
void hp_candidates_filter (HpWireCandidates *passed,
                           const HpWireCandidates *offered,
                           const HpAddress *observed, gboolean same_network,
                           HpProofCheck check, gpointer user_data);

/* Whether two sides sit behind one NAT or on one network: the same public
 * IPv4 address, or the same IPv6 /64 */
gboolean hp_candidates_same_network (const HpAddress *a, const HpAddress *b);

/* Lower is tried first: host, then reflexive, then the rest */
guint hp_candidate_get_rank (const HpWireCandidate *self);
