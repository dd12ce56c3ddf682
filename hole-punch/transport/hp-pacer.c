/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-pacer.h"

#define TOKEN G_TIME_SPAN_SECOND /* of one byte: µs × bytes per second */
#define MAX_RATE G_GUINT64_CONSTANT (1000000000000)
/* A timer that comes late by so much costs no throughput. */
#define TIMER_SLACK (2 * G_TIME_SPAN_MILLISECOND)

static gint64
get_capacity (const HpPacer *self)
{
  gint64 burst = HP_PACER_BURST * (gint64) self->datagram_size * TOKEN;

  return MAX (burst, (gint64) self->rate * TIMER_SLACK);
}

static gint64
get_tokens (const HpPacer *self, gint64 now)
{
  gint64 elapsed = CLAMP (now - self->refilled_at, 0, G_TIME_SPAN_SECOND);

  return MIN (self->tokens + elapsed * (gint64) self->rate,
              get_capacity (self));
}

static void
refill (HpPacer *self, gint64 now)
{
  self->tokens = get_tokens (self, now);
  self->refilled_at = MAX (self->refilled_at, now);
}

void
hp_pacer_init (HpPacer *self, gsize datagram_size, gint64 now)
{
  *self = (HpPacer){
    .rate = 1,
    .datagram_size = datagram_size,
    .refilled_at = now,
  };
  self->tokens = get_capacity (self);
}

guint64
hp_pacer_derive_rate (gsize window, gint64 round_trip)
{
  /* Gain 5/4 */
  return (guint64) window * (G_TIME_SPAN_SECOND / 4 * 5)
         / (guint64) MAX (round_trip, 1);
}

void
hp_pacer_set_rate (HpPacer *self, guint64 rate, gsize datagram_size,
                   gint64 now)
{
  refill (self, now);
  self->rate = CLAMP (rate, 1, MAX_RATE);
  self->datagram_size = datagram_size;
}

gint64
hp_pacer_get_time (const HpPacer *self, gint64 now)
{
  gint64 needed = (gint64) self->datagram_size * TOKEN - get_tokens (self, now);
  gint64 rate = self->rate;

  return needed <= 0 ? now : now + (needed + rate - 1) / rate;
}

void
hp_pacer_sent (HpPacer *self, gsize size, gint64 now)
{
  refill (self, now);
  self->tokens -= (gint64) size * TOKEN;
}
