/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/nat/hp-turn-transaction.h"

#include <string.h>

#define NEVER G_MAXINT64

static void
restart (HpTurnTransaction *self, const HpRandom *random, gint64 now)
{
  hp_random_fill (random, self->request.transaction,
                  sizeof self->request.transaction);
  self->is_active = TRUE;
  self->interval = self->first_interval;
  self->send_at = now;
  self->give_up_at = NEVER;
  self->sent_at = 0;
  self->n_sent = 0;
}

void
hp_turn_transaction_start (HpTurnTransaction *self,
                           const HpTurnRequest *request, gint64 interval,
                           const HpRandom *random, gint64 now)
{
  self->request = *request;
  self->first_interval = interval;
  self->n_renewed = 0;
  restart (self, random, now);
}

void
hp_turn_transaction_renew (HpTurnTransaction *self, const HpRandom *random,
                           gint64 now)
{
  self->n_renewed++;
  restart (self, random, now);
}

void
hp_turn_transaction_stop (HpTurnTransaction *self)
{
  self->is_active = FALSE;
}

gboolean
hp_turn_transaction_is_due (const HpTurnTransaction *self, gint64 now)
{
  return self->is_active && self->send_at <= now;
}

void
hp_turn_transaction_sent (HpTurnTransaction *self, gint64 now)
{
  self->n_sent++;
  self->sent_at = self->n_sent == 1 ? now : 0;
  self->send_at = NEVER;
  if (self->first_interval == 0)
    {
      self->give_up_at = now + HP_TURN_STREAM_TIMEOUT;
    }
  else if (self->n_sent >= HP_TURN_MAX_SENDS)
    {
      self->give_up_at = now + HP_TURN_LAST_WAIT * self->first_interval;
    }
  else
    {
      self->send_at = now + self->interval;
      self->interval *= 2;
    }
}

gboolean
hp_turn_transaction_is_over (const HpTurnTransaction *self, gint64 now)
{
  return self->is_active && self->give_up_at <= now;
}

gboolean
hp_turn_transaction_has_id (const HpTurnTransaction *self, const guint8 *id)
{
  return self->is_active
         && memcmp (self->request.transaction, id, HP_STUN_TRANSACTION_SIZE)
                == 0;
}

gint64
hp_turn_transaction_get_deadline (const HpTurnTransaction *self)
{
  return self->is_active ? MIN (self->send_at, self->give_up_at) : NEVER;
}
