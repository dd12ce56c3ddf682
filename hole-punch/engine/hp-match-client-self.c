/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a match client tells of us: where we may be reached, and our NATs */

#include "hole-punch/engine/hp-match-client-private.h"

void
hp_match_client_set_candidates (HpMatchClient *self,
                                const HpWireCandidates *hosts)
{
  self->hosts = *hosts;
}

void
hp_match_client_tell_candidates (HpMatchClient *self, gint64 now)
{
  hp_match_requests_tell_nat (&self->requests, FALSE, now);
}

void
hp_match_client_set_nat (HpMatchClient *self, const HpNatFacts *nat,
                         gint64 now)
{
  gboolean same_kind = hp_nat_facts_same_kind (nat, &self->nat);
  gboolean same_port = nat->port == self->nat.port;

  self->nat = *nat;
  self->nat_at = now;
  if (!same_kind || !same_port)
    hp_match_requests_tell_nat (&self->requests, !same_kind, now);
}

void
hp_match_client_get_nat (const HpMatchClient *self, HpNatFacts *nat,
                         gint64 now)
{
  *nat = self->greeting.relay_only ? (HpNatFacts){ 0 } : self->nat;
  hp_nat_facts_grow_older (nat, now - self->nat_at);
}

void
hp_match_client_get_candidates (HpMatchClient *self,
                                HpWireCandidates *candidates, gint64 now)
{
  candidates->n_candidates = 0;
  /* The proven ones first: they are few, and the list is bounded. */
  hp_match_greeting_add_candidates (&self->greeting, candidates, now);
  for (guint i = 0;
       i < self->hosts.n_candidates && !self->greeting.relay_only; i++)
    {
      const HpWireCandidate *host = self->hosts.candidates + i;

      hp_candidates_add (candidates, &host->address, host->kind,
                         host->has_proof ? host->proof : NULL);
    }
}
