/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-nat-trial.h"

#include <string.h>

#define NEVER G_MAXINT64
#define COUNTER (HP_STUN_TRANSACTION_SIZE - 1)
/* A server that does not even send a COOKIE */
#define GREETING_TIME (4 * G_TIME_SPAN_SECOND)
/* The knocks that it takes to be certain, if the server tells of all … */
#define ENOUGH 3
#define INTERVAL (100 * G_TIME_SPAN_MILLISECOND)
/* … and those instead of which it did not tell of */
#define LATE_INTERVAL (400 * G_TIME_SPAN_MILLISECOND)
/* KNOCKED and a knock leave together. */
#define OVERTAKING (150 * G_TIME_SPAN_MILLISECOND)

void
hp_nat_trial_init (HpNatTrial *self, const HpRandom *random)
{
  memset (self, 0, sizeof *self);
  self->random = *random;
  hp_nat_trial_stop (self);
}

void
hp_nat_trial_stop (HpNatTrial *self)
{
  self->socket = 0;
  self->due_at = NEVER;
  hp_greeter_stop (&self->greeter);
}

void
hp_nat_trial_begin (HpNatTrial *self, guint socket, const HpAddress *server,
                    guint flags, gint64 silence, gint64 now)
{
  HpRoute route = { .socket = socket, .remote = *server };
  HpRandom random = self->random;

  g_assert (socket != 0);

  hp_nat_trial_init (self, &random);
  self->socket = socket;
  self->flags = flags;
  self->silence = silence;
  hp_greeter_init (&self->greeter, &route, NULL, &random, now);
  self->due_at = now + GREETING_TIME;
}

static gboolean
is_greeting (const HpNatTrial *self)
{
  return self->greeter.next_at != NEVER;
}

gboolean
hp_nat_trial_pull (HpNatTrial *self, HpOutgoing *outgoing, gint64 now)
{
  return self->socket != 0 && hp_greeter_pull (&self->greeter, outgoing, now);
}

static void
take_cookie (HpNatTrial *self, const HpCookiePacket *cookie, gint64 now)
{
  if (!hp_address_is_usable (&cookie->observed))
    {
      self->n_knocks = HP_NAT_TRIAL_MAX_KNOCKS;
      self->due_at = now;
      return;
    }
  self->knock.type = HP_FRAME_KNOCK;
  self->knock.knock.address = cookie->observed;
  self->knock.knock.flags = self->flags;
  memcpy (self->knock.knock.proof, cookie->cookie, HP_PROOF_SIZE);
  hp_random_fill (&self->random, self->knock.knock.transaction,
                  HP_STUN_TRANSACTION_SIZE);
  self->due_at = now + self->silence;
}

/* One that was asked for? */
static gboolean
is_ours (const HpNatTrial *self, const guint8 *transaction)
{
  return transaction[COUNTER] < self->n_knocks
         && memcmp (transaction, self->knock.knock.transaction, COUNTER) == 0;
}

/* What it shows is where it came from; a server that stands behind a NAT of
 * its own may seem to have one address. */
static guint
get_source (const HpNatTrial *self, const HpAddress *from)
{
  const HpAddress *server = &self->greeter.route.remote;

  if (hp_address_equal (from, server))
    return HP_KNOCK_SAME;
  return hp_address_same_host (from, server) ? HP_KNOCK_OTHER_PORT
                                             : HP_KNOCK_OTHER_HOST;
}

gboolean
hp_nat_trial_receive (HpNatTrial *self, const HpDatagram *datagram, gint64 now)
{
  guint8 transaction[HP_STUN_TRANSACTION_SIZE];
  HpCookiePacket cookie;
  gint64 round_trip;

  if (self->socket == 0 || datagram->route.socket != self->socket)
    return FALSE;
  if (hp_greeter_receive (&self->greeter, datagram, now, &cookie,
                          &round_trip))
    {
      take_cookie (self, &cookie, now);
      return TRUE;
    }
  if (self->n_knocks == 0
      || !hp_stun_consume_indication (transaction, datagram->bytes,
                                      datagram->length)
      || !is_ours (self, transaction))
    return FALSE;
  self->passed |= get_source (self, &datagram->route.remote);
  return TRUE;
}

const HpFrame *
hp_nat_trial_next_knock (HpNatTrial *self, gint64 now)
{
  if (self->socket == 0 || is_greeting (self) || self->due_at > now
      || self->n_knocks == HP_NAT_TRIAL_MAX_KNOCKS)
    return NULL;
  self->knock.knock.transaction[COUNTER] = self->n_knocks++;
  self->due_at
      = now + (self->n_knocks < ENOUGH ? INTERVAL : LATE_INTERVAL);
  return &self->knock;
}

void
hp_nat_trial_knocked (HpNatTrial *self,
                      const guint8 transaction[HP_STUN_TRANSACTION_SIZE],
                      guint64 flags, gint64 now)
{
  if (self->socket == 0 || !is_ours (self, transaction)
      || self->heard[transaction[COUNTER]] || self->n_heard == ENOUGH)
    return;
  self->heard[transaction[COUNTER]] = TRUE;
  self->n_heard++;
  self->heard_at = now;
  self->made |= flags & self->flags;
  if (self->n_heard == ENOUGH)
    self->due_at = now + OVERTAKING;
}

/* What passes from the farthest place would from the others. */
static gboolean
has_passed_all (const HpNatTrial *self)
{
  guint tried = self->n_heard > 0 ? self->made : self->flags;

  return 2 * self->passed > tried;
}

HpNatTrialState
hp_nat_trial_get_state (const HpNatTrial *self, gint64 now)
{
  if (self->socket == 0)
    return HP_NAT_TRIAL_UNCERTAIN;
  if (has_passed_all (self))
    return HP_NAT_TRIAL_CERTAIN;
  if (self->n_heard > 0 && self->made == 0)
    return HP_NAT_TRIAL_UNCERTAIN;
  if (self->n_heard >= ENOUGH)
    return now >= self->heard_at + OVERTAKING ? HP_NAT_TRIAL_CERTAIN
                                              : HP_NAT_TRIAL_OPEN;
  return self->due_at <= now
                 && (is_greeting (self)
                     || self->n_knocks == HP_NAT_TRIAL_MAX_KNOCKS)
             ? HP_NAT_TRIAL_UNCERTAIN
             : HP_NAT_TRIAL_OPEN;
}

gint64
hp_nat_trial_get_deadline (const HpNatTrial *self)
{
  gint64 deadline = self->due_at;

  if (self->socket == 0)
    return NEVER;
  if (is_greeting (self))
    deadline = MIN (deadline, self->greeter.next_at);
  return deadline;
}
