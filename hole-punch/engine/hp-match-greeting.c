/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-match-greeting.h"

#include <string.h>

/* RFC 8305's Connection Attempt Delay, shorter: a HELLO costs little */
#define STAGGER (50 * G_TIME_SPAN_MILLISECOND)
#define PROVE_TIMEOUT (2 * G_TIME_SPAN_SECOND)
/* A relay's HELLO has been lost, or its destination does not answer */
#define RELAY_PATIENCE G_TIME_SPAN_SECOND
/* A server's cookie is good for one rotation of its secret at least. */
#define PROOF_LIFETIME HP_COOKIE_ROTATION

/* One of a name's servers is as good as another, and many resolvers give their
 * addresses in the same order to everybody (RFC 6724, section 6, rule 9). The
 * family that is first stays first. */
static void
shuffle (HpAddress *to, const HpAddress *addresses, guint n,
         const HpRandom *random)
{
  for (guint i = 0; i < n; i++)
    {
      guint k = hp_random_u64 (random) % (i + 1);

      to[i] = to[k];
      to[k] = addresses[i];
    }
  for (guint i = 1; i < n && to[0].family != addresses[0].family; i++)
    if (to[i].family == addresses[0].family)
      {
        HpAddress first = to[i];

        to[i] = to[0];
        to[0] = first;
      }
}

/* The families in turn, each in the order given */
static guint
interleave (HpAddress *sorted, const HpAddress *addresses, guint n)
{
  guint8 family = n > 0 ? addresses[0].family : HP_ADDRESS_NONE;
  gboolean taken[HP_MATCH_MAX_ADDRESSES] = { FALSE };
  guint count = 0;

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
  HpAddress shuffled[HP_MATCH_MAX_ADDRESSES];
  HpAddress sorted[HP_MATCH_MAX_ADDRESSES];

  n = MIN (n, HP_MATCH_MAX_ADDRESSES);
  shuffle (shuffled, addresses, n, random);
  self->n_targets = interleave (sorted, shuffled, n);
  self->relay_turn = 0;
  for (guint i = 0; i < self->n_targets; i++)
    {
      self->targets[i].shunned_until = 0;
      hp_greeter_init (&self->targets[i].greeter,
                       &(HpRoute){ .remote = sorted[i] }, NULL, random,
                       G_MAXINT64);
    }
  hp_greeter_stop (&self->relay_greeter);
  self->prove_until = G_MAXINT64;
}

gboolean
hp_match_greeting_has_address (const HpMatchGreeting *self,
                               const HpAddress *address)
{
  for (guint i = 0; i < self->n_targets; i++)
    if (hp_address_equal (&self->targets[i].greeter.route.remote, address))
      return TRUE;
  return FALSE;
}

gboolean
hp_match_greeting_has_other (const HpMatchGreeting *self,
                             const HpAddress *address, gint64 now)
{
  for (guint i = 0; i < self->n_targets; i++)
    {
      const HpAddress *other = &self->targets[i].greeter.route.remote;

      if (other->family == address->family
          && !hp_address_equal (other, address)
          && self->targets[i].shunned_until <= now)
        return TRUE;
    }
  return FALSE;
}

/* Takes the target of that address out of the row; FALSE: there is none */
static gboolean
take_out (HpMatchGreeting *self, const HpAddress *address, HpMatchTarget *taken)
{
  for (guint i = 0; i < self->n_targets; i++)
    {
      if (!hp_address_equal (&self->targets[i].greeter.route.remote, address))
        continue;
      *taken = self->targets[i];
      self->n_targets--;
      memmove (self->targets + i, self->targets + i + 1,
               (self->n_targets - i) * sizeof *self->targets);
      return TRUE;
    }
  return FALSE;
}

void
hp_match_greeting_put_first (HpMatchGreeting *self, const HpAddress *address)
{
  HpMatchTarget target;

  if (!take_out (self, address, &target))
    return;
  memmove (self->targets + 1, self->targets, self->n_targets * sizeof target);
  self->targets[0] = target;
  self->n_targets++;
  self->relay_turn = 0;
}

void
hp_match_greeting_put_last (HpMatchGreeting *self, const HpAddress *address,
                            gint64 shunned_until)
{
  HpMatchTarget target;

  if (!take_out (self, address, &target))
    return;
  target.shunned_until = shunned_until;
  self->targets[self->n_targets++] = target;
  self->relay_turn = 0;
}

/* To the address whose turn it is of those that the relay reaches; FALSE: there
 * is none */
static gboolean
start_relay (HpMatchGreeting *self, const HpRandom *random, gint64 now)
{
  for (guint i = 0; i < self->n_targets && self->relay_socket != 0; i++)
    {
      guint turn = (self->relay_turn + i) % self->n_targets;
      HpRoute route = { .socket = self->relay_socket,
                        .remote = self->targets[turn].greeter.route.remote };

      if (route.remote.family != self->relay_address.family)
        continue;
      self->relay_turn = turn;
      hp_greeter_init (&self->relay_greeter, &route, NULL, random, now);
      return TRUE;
    }
  return FALSE;
}

/* Another address gets its turn, if there is one, when this one has had its
 * chance and would be asked again */
static void
turn_relay (HpMatchGreeting *self, const HpRandom *random, gint64 now)
{
  HpGreeter before = self->relay_greeter;

  if (before.next_at > now || before.interval <= RELAY_PATIENCE)
    return;
  self->relay_turn++;
  if (start_relay (self, random, now)
      && !hp_address_equal (&before.route.remote,
                            &self->relay_greeter.route.remote))
    self->relay_greeter.interval = before.interval;
  else
    self->relay_greeter = before;
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
  gint64 earliest = G_MAXINT64;

  self->server_family = HP_ADDRESS_NONE;
  self->by_relay = FALSE;
  self->prove_until = G_MAXINT64;
  for (guint i = 0; i < self->n_targets; i++)
    earliest = MIN (earliest, self->targets[i].shunned_until);
  for (guint i = 0; i < self->n_targets && !is_hidden (self); i++)
    {
      /* There is no sense in shunning all of them. */
      gint64 shunned = self->targets[i].shunned_until - MAX (earliest - now, 0);

      hp_greeter_start (&self->targets[i].greeter, random,
                        MAX (now + i * STAGGER, shunned));
    }
  (void) start_relay (self, random, now);
}

void
hp_match_greeting_stop (HpMatchGreeting *self)
{
  for (guint i = 0; i < self->n_targets; i++)
    hp_greeter_stop (&self->targets[i].greeter);
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
  for (guint i = 0; i < self->n_targets && !self->by_relay; i++)
    if (self->targets[i].greeter.route.remote.family == route->remote.family)
      hp_greeter_stop (&self->targets[i].greeter);
  self->prove_until = now + PROVE_TIMEOUT;
}

void
hp_match_greeting_prove (HpMatchGreeting *self, const HpRandom *random,
                         gint64 now)
{
  guint started = 0;

  if (self->prove_until != G_MAXINT64)
    return;
  for (guint i = 0; i < self->n_targets && !is_hidden (self); i++)
    if (self->by_relay
        || self->targets[i].greeter.route.remote.family != self->server_family)
      hp_greeter_start (&self->targets[i].greeter, random,
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
  for (guint i = 0; i < self->n_targets; i++)
    if (hp_greeter_receive (&self->targets[i].greeter, datagram, now, cookie,
                            round_trip))
      return &self->targets[i].greeter;
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

/* Those who have lost their server at the same time shall not go on knocking
 * in step. */
static gboolean
pull (HpGreeter *greeter, HpOutgoing *outgoing, const HpRandom *random,
      gint64 now)
{
  gint64 interval;

  if (!hp_greeter_pull (greeter, outgoing, now))
    return FALSE;
  interval = greeter->next_at - now;
  greeter->next_at = now + interval * 3 / 4
                     + hp_random_u64 (random) % (interval / 2 + 1);
  return TRUE;
}

gboolean
hp_match_greeting_pull (HpMatchGreeting *self, HpOutgoing *outgoing,
                        const HpRandom *random, gint64 now)
{
  for (guint i = 0; i < self->n_targets; i++)
    if (pull (&self->targets[i].greeter, outgoing, random, now))
      return TRUE;
  if (self->relay_socket == 0)
    return FALSE;
  turn_relay (self, random, now);
  return pull (&self->relay_greeter, outgoing, random, now);
}

gint64
hp_match_greeting_get_deadline (const HpMatchGreeting *self)
{
  gint64 deadline = self->prove_until;

  for (guint i = 0; i < self->n_targets; i++)
    deadline = MIN (deadline, self->targets[i].greeter.next_at);
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
