/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-match-greeting.h"

#include <string.h>

/* RFC 8305's Connection Attempt Delay, shorter: a HELLO costs little */
#define STAGGER (50 * G_TIME_SPAN_MILLISECOND)
#define PROVE_TIMEOUT (2 * G_TIME_SPAN_SECOND)
/* A server's cookie is good for one rotation of its secret at least. */
#define PROOF_LIFETIME HP_COOKIE_ROTATION

/* The families in turn, each in the order given */
static guint
interleave (HpAddress *sorted, const HpAddress *addresses, guint n)
{
  guint8 family = n > 0 ? addresses[0].family : HP_ADDRESS_NONE;
  gboolean taken[HP_MATCH_MAX_ADDRESSES] = { FALSE };
  guint count = 0;

  n = MIN (n, HP_MATCH_MAX_ADDRESSES);
  while (count < n)
    {
      guint choice = n;

      for (guint i = 0; i < n; i++)
        if (!taken[i] && (choice == n || (addresses[i].family == family
                                          && addresses[choice].family
                                                 != family)))
          choice = i;
      taken[choice] = TRUE;
      sorted[count++] = addresses[choice];
      family = addresses[choice].family == HP_ADDRESS_IPV4 ? HP_ADDRESS_IPV6
                                                           : HP_ADDRESS_IPV4;
    }
  return count;
}

void
hp_match_greeting_set_addresses (HpMatchGreeting *self,
                                 const HpAddress *addresses, guint n,
                                 const HpRandom *random)
{
  HpAddress sorted[HP_MATCH_MAX_ADDRESSES];

  self->n_greeters = interleave (sorted, addresses, n);
  for (guint i = 0; i < self->n_greeters; i++)
    hp_greeter_init (self->greeters + i, &(HpRoute){ .remote = sorted[i] },
                     NULL, random, G_MAXINT64);
  hp_greeter_stop (&self->relay_greeter);
  self->prove_until = G_MAXINT64;
}

gboolean
hp_match_greeting_has_address (const HpMatchGreeting *self,
                               const HpAddress *address)
{
  for (guint i = 0; i < self->n_greeters; i++)
    if (hp_address_equal (&self->greeters[i].route.remote, address))
      return TRUE;
  return FALSE;
}

/* To the first address that the relay reaches; FALSE: there is none */
static gboolean
start_relay (HpMatchGreeting *self, const HpRandom *random, gint64 now)
{
  for (guint i = 0; i < self->n_greeters && self->relay_socket != 0; i++)
    if (self->greeters[i].route.remote.family == self->relay_address.family)
      {
        HpRoute route = { .socket = self->relay_socket,
                          .remote = self->greeters[i].route.remote };

        hp_greeter_init (&self->relay_greeter, &route, NULL, random, now);
        return TRUE;
      }
  return FALSE;
}

void
hp_match_greeting_set_relay (HpMatchGreeting *self, guint socket,
                             const HpAddress *address, const HpRandom *random,
                             gint64 now)
{
  hp_greeter_stop (&self->relay_greeter);
  self->relay.is_known = FALSE;
  self->relay_socket = socket;
  self->relay_address = address != NULL ? *address : (HpAddress){ 0 };
  if (start_relay (self, random, now)
      && self->server_family != HP_ADDRESS_NONE)
    self->prove_until = now + PROVE_TIMEOUT;
}

/* Whether no other way than the relay is to be seen by the server */
static gboolean
is_hidden (const HpMatchGreeting *self)
{
  return self->relay_only
         && (self->relay_socket != 0 || !self->asks_for_relays);
}

void
hp_match_greeting_start (HpMatchGreeting *self, const HpRandom *random,
                         gint64 now)
{
  self->server_family = HP_ADDRESS_NONE;
  self->by_relay = FALSE;
  self->prove_until = G_MAXINT64;
  for (guint i = 0; i < self->n_greeters && !is_hidden (self); i++)
    hp_greeter_start (self->greeters + i, random, now + i * STAGGER);
  (void) start_relay (self, random, now);
}

void
hp_match_greeting_stop (HpMatchGreeting *self)
{
  for (guint i = 0; i < self->n_greeters; i++)
    hp_greeter_stop (self->greeters + i);
  hp_greeter_stop (&self->relay_greeter);
  self->prove_until = G_MAXINT64;
}

void
hp_match_greeting_settle (HpMatchGreeting *self, const HpRoute *route,
                          gint64 now)
{
  self->by_relay = route->socket != 0;
  self->server_family = route->remote.family;
  if (self->by_relay)
    hp_greeter_stop (&self->relay_greeter);
  /* Through a relay, it goes on trying to do without. */
  for (guint i = 0; i < self->n_greeters && !self->by_relay; i++)
    if (self->greeters[i].route.remote.family == route->remote.family)
      hp_greeter_stop (self->greeters + i);
  self->prove_until = now + PROVE_TIMEOUT;
}

void
hp_match_greeting_prove (HpMatchGreeting *self, const HpRandom *random,
                         gint64 now)
{
  guint started = 0;

  if (self->prove_until != G_MAXINT64)
    return;
  for (guint i = 0; i < self->n_greeters && !is_hidden (self); i++)
    if (self->by_relay
        || self->greeters[i].route.remote.family != self->server_family)
      hp_greeter_start (self->greeters + i, random,
                        now + started++ * STAGGER);
  if (!self->by_relay && start_relay (self, random, now))
    started++;
  self->prove_until = started > 0 ? now + PROVE_TIMEOUT : G_MAXINT64;
}

HpGreeter *
hp_match_greeting_receive (HpMatchGreeting *self, const HpDatagram *datagram,
                           gint64 now, HpCookiePacket *cookie,
                           gint64 *round_trip)
{
  for (guint i = 0; i < self->n_greeters; i++)
    if (hp_greeter_receive (self->greeters + i, datagram, now, cookie,
                            round_trip))
      return self->greeters + i;
  if (self->relay_socket != 0
      && hp_greeter_receive (&self->relay_greeter, datagram, now, cookie,
                             round_trip))
    return &self->relay_greeter;
  return NULL;
}

void
hp_match_greeting_take_proof (HpMatchGreeting *self, const HpGreeter *greeter,
                              const HpCookiePacket *cookie, gint64 now)
{
  HpMatchProof *proof = NULL;

  if (greeter == &self->relay_greeter)
    proof = &self->relay;
  else if (cookie->observed.family == HP_ADDRESS_IPV4)
    proof = &self->ipv4;
  else if (cookie->observed.family == HP_ADDRESS_IPV6)
    proof = &self->ipv6;
  else
    return;
  proof->is_known = TRUE;
  proof->observed = cookie->observed;
  memcpy (proof->proof, cookie->cookie, HP_PROOF_SIZE);
  proof->proven_at = now;
}

static void
add_proof (const HpMatchProof *proof, HpCandidateKind kind,
           HpWireCandidates *candidates, gint64 now)
{
  if (proof->is_known && proof->proven_at + PROOF_LIFETIME > now)
    hp_candidates_add (candidates, &proof->observed, kind, proof->proof);
}

void
hp_match_greeting_add_candidates (const HpMatchGreeting *self,
                                  HpWireCandidates *candidates, gint64 now)
{
  /* What the server sees anyway needs no proof. */
  if (!self->relay_only && self->server_family != HP_ADDRESS_IPV4)
    add_proof (&self->ipv4, HP_CANDIDATE_SERVER_REFLEXIVE, candidates, now);
  if (!self->relay_only && self->server_family != HP_ADDRESS_IPV6)
    add_proof (&self->ipv6, HP_CANDIDATE_SERVER_REFLEXIVE, candidates, now);
  if (!self->by_relay)
    add_proof (&self->relay, HP_CANDIDATE_RELAYED, candidates, now);
  else if (self->relay_socket != 0)
    hp_candidates_add (candidates, &self->relay_address, HP_CANDIDATE_RELAYED,
                       NULL);
}

gboolean
hp_match_greeting_pull (HpMatchGreeting *self, HpOutgoing *outgoing,
                        gint64 now)
{
  for (guint i = 0; i < self->n_greeters; i++)
    if (hp_greeter_pull (self->greeters + i, outgoing, now))
      return TRUE;
  return self->relay_socket != 0
         && hp_greeter_pull (&self->relay_greeter, outgoing, now);
}

gint64
hp_match_greeting_get_deadline (const HpMatchGreeting *self)
{
  gint64 deadline = self->prove_until;

  for (guint i = 0; i < self->n_greeters; i++)
    deadline = MIN (deadline, self->greeters[i].next_at);
  if (self->relay_socket != 0)
    deadline = MIN (deadline, self->relay_greeter.next_at);
  return deadline;
}

void
hp_match_greeting_expire (HpMatchGreeting *self, gint64 now)
{
  if (self->prove_until <= now)
    hp_match_greeting_stop (self);
}
