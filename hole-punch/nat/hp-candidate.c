/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/nat/hp-candidate.h"

#include <string.h>

gboolean
hp_candidates_contain (const HpWireCandidates *self, const HpAddress *address)
{
  guint i;

  for (i = 0; i < self->n_candidates; i++)
    if (hp_address_equal (&self->candidates[i].address, address))
      return TRUE;
  return FALSE;
}

gboolean
hp_candidates_add (HpWireCandidates *self, const HpAddress *address,
                   HpCandidateKind kind, const guint8 *proof)
{
  HpWireCandidate *candidate;

  if (hp_candidates_contain (self, address))
    return TRUE;
  if (self->n_candidates >= G_N_ELEMENTS (self->candidates))
    return FALSE;

  candidate = &self->candidates[self->n_candidates++];
  memset (candidate, 0, sizeof *candidate);
  candidate->address = *address;
  candidate->kind = kind;
  candidate->has_proof = proof != NULL;
  if (proof != NULL)
    memcpy (candidate->proof, proof, HP_PROOF_SIZE);
  return TRUE;
}

/* Loopback never passes: it names the receiver, not the sender */
/* A port of the very host that the server sees, as its NAT has granted it: the
 * server cannot be shown that it works, but it is not a stranger's. */
static gboolean
is_own_mapping (const HpWireCandidate *offered, const HpAddress *observed)
{
  return offered->kind == HP_CANDIDATE_MAPPED
         && hp_address_get_scope (&offered->address) == HP_SCOPE_GLOBAL
         && hp_address_same_host (&offered->address, observed);
}

static gboolean
may_pass (const HpWireCandidate *offered, gboolean same_network,
          HpProofCheck check, gpointer user_data)
{
  if (!hp_address_is_usable (&offered->address))
    return FALSE;

  switch (hp_address_get_scope (&offered->address))
    {
    case HP_SCOPE_GLOBAL:
      return offered->has_proof
             && check (user_data, &offered->address, offered->proof);
    case HP_SCOPE_LINK:
    case HP_SCOPE_PRIVATE:
    case HP_SCOPE_CARRIER:
      return same_network;
    case HP_SCOPE_LOOPBACK:
    case HP_SCOPE_INVALID:
      return FALSE;
    }
  return FALSE;
}

/* A client that comes to the server through its relay says so. */
static HpCandidateKind
get_observed_kind (const HpWireCandidates *offered, const HpAddress *observed)
{
  for (guint i = 0; i < offered->n_candidates; i++)
    if (offered->candidates[i].kind == HP_CANDIDATE_RELAYED
        && hp_address_equal (&offered->candidates[i].address, observed))
      return HP_CANDIDATE_RELAYED;
  return HP_CANDIDATE_SERVER_REFLEXIVE;
}

void
hp_candidates_filter (HpWireCandidates *passed,
                      const HpWireCandidates *offered,
                      const HpAddress *observed, gboolean same_network,
                      HpProofCheck check, gpointer user_data)
{
  guint n_private = 0;
  guint n_unproven = 0;
  guint i;

  memset (passed, 0, sizeof *passed);
  hp_candidates_add (passed, observed, get_observed_kind (offered, observed),
                     NULL);

  for (i = 0; i < offered->n_candidates; i++)
    {
      const HpWireCandidate *candidate = &offered->candidates[i];
      gboolean is_private = hp_address_is_private (&candidate->address);
      gboolean is_own = is_own_mapping (candidate, observed);

      if ((is_private && n_private >= HP_MAX_HOST_CANDIDATES)
          || hp_candidates_contain (passed, &candidate->address))
        continue;
      if (is_own && hp_address_is_usable (&candidate->address)
          && n_unproven < HP_MAX_UNPROVEN_MAPPED)
        n_unproven++;
      else if (!may_pass (candidate, same_network, check, user_data))
        continue;
      if (hp_candidates_add (passed, &candidate->address, candidate->kind,
                             NULL)
          && is_private)
        n_private++;
    }
}

gboolean
hp_candidates_same_network (const HpAddress *a, const HpAddress *b)
{
  if (a->family != b->family)
    return FALSE;
  if (a->family == HP_ADDRESS_IPV6)
    return memcmp (a->ip, b->ip, 8) == 0;
  return a->family == HP_ADDRESS_IPV4 && memcmp (a->ip, b->ip, 4) == 0;
}

guint
hp_candidate_get_rank (const HpWireCandidate *self)
{
  switch ((HpCandidateKind) self->kind)
    {
    case HP_CANDIDATE_HOST:
      return 0;
    case HP_CANDIDATE_SERVER_REFLEXIVE:
    case HP_CANDIDATE_PEER_REFLEXIVE:
      return 1;
    case HP_CANDIDATE_MAPPED:
      return 2;
    case HP_CANDIDATE_RELAYED:
      return 3;
    }
  return 4;
}
