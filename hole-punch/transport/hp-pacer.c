/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-pacer.h"

#define TOKEN G_TIME_SPAN_SECOND /* of one byte: µs × bytes per second */
#define MAX_RATE G_GUINT64_CONSTANT (1000000000000)
/* A timer that comes late by so much costs no throughput. */
#define TIMER_SLACK (2 * G_TIME_SPAN_MILLISECOND)
/* On a busy machine whoever waits for the next datagram's time gets the
 * processor some slices of its scheduler later, over and over. That is to cost
 * no throughput either, nor to be taken for the path's. */
#define CATCH_UP (8 * G_TIME_SPAN_MILLISECOND)
#define QUANTUM (G_TIME_SPAN_MILLISECOND / 2)
/* Datagrams: what the ACK of two lets go while the window grows */
#define FORFEIT_KEEPS 4

static gint64
get_capacity (const HpPacer *self)
{
  gint64 burst = MAX (HP_PACER_BURST * self->datagram_size, self->burst_min)
                 * (gint64) TOKEN;

  burst = MAX (burst, (gint64) self->rate
                          * (self->is_awaited ? CATCH_UP : TIMER_SLACK));
  if (self->burst_max == 0)
    return burst;
  return MIN (burst, (gint64) MAX (self->burst_max, 2 * self->datagram_size)
                         * TOKEN);
}

static gint64
get_tokens (const HpPacer *self, gint64 now)
{
  gint64 capacity = get_capacity (self);
  gint64 missing = capacity - self->tokens;
  gint64 elapsed = MAX (now - self->refilled_at, 0);
  gint64 rate = self->rate;

  /* However long that was, nothing overflows. */
  if (missing <= 0 || elapsed > missing / rate)
    return capacity;
  return self->tokens + elapsed * rate;
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

void
hp_pacer_set_initial_window (HpPacer *self, gsize window)
{
  self->burst_min = window;
  self->tokens = get_capacity (self);
}

void
hp_pacer_set_burst_max (HpPacer *self, gsize burst_max)
{
  self->burst_max = burst_max;
}

static gint64
get_quantum (const HpPacer *self)
{
  return MIN ((gint64) self->rate * QUANTUM, get_capacity (self) / 2);
}

void
hp_pacer_forfeit (HpPacer *self, gint64 now)
{
  gint64 least = FORFEIT_KEEPS * (gint64) self->datagram_size * TOKEN;

  refill (self, now);
  self->tokens = MIN (self->tokens, MAX (get_quantum (self), least));
  self->is_awaited = FALSE;
}

void
hp_pacer_set_awaited (HpPacer *self, gboolean is_awaited, gint64 now)
{
  if (self->is_awaited == is_awaited)
    return;
  refill (self, now);
  self->is_awaited = is_awaited;
}

gint64
hp_pacer_get_time (const HpPacer *self, gint64 now)
{
  gint64 tokens = get_tokens (self, now);
  gint64 datagram = (gint64) self->datagram_size * TOKEN;
  gint64 rate = self->rate;

  if (tokens >= datagram)
    return now;
  return now
         + (MAX (get_quantum (self), datagram) - tokens + rate - 1) / rate;
}

void
hp_pacer_sent (HpPacer *self, gsize size, gint64 now)
{
  refill (self, now);
  self->tokens -= (gint64) size * TOKEN;
}
