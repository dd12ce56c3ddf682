/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* ProbeBW (section 5.3.3): most of the time at the rate that is known, leaving
 * some room to others, now and then faster for as long as that brings more.
 *
 *   DOWN ──▸ CRUISE ──▸ REFILL ──▸ UP ──▸ DOWN
 */

#include "hole-punch/transport/hp-congestion-bbr.h"

#define PROBE_WAIT (2 * G_TIME_SPAN_SECOND)
#define PROBE_WAIT_SPREAD G_TIME_SPAN_SECOND
/* As often as a Reno flow would have grown back (section 5.3.3.5) */
#define RENO_ROUNDS_MAX 63
#define UP_ROUNDS_MAX 30
/* Of a bandwidth-delay product: the queue that a probe may make */
#define UP_QUEUE 0.2
/* The same, that comes up while nothing is asked for */
#define CRUISE_QUEUE 0.15
#define CRUISE_SHARE 0.9
#define BOUND_GAIN 2 /* a queue of one bandwidth-delay product */

gboolean
hp_bbr_is_cycling (const HpCongestion *self)
{
  return self->state == HP_BBR_DOWN || self->state == HP_BBR_CRUISE
         || self->state == HP_BBR_REFILL || self->state == HP_BBR_UP;
}

/* splitmix64, stirred by when it is asked: flows must not probe all at once */
static guint64
next_random (HpCongestion *self, gint64 now)
{
  guint64 z = self->random += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) + now;

  z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ (z >> 31);
}

void
hp_bbr_start_down (HpCongestion *self, gint64 now)
{
  guint64 random = next_random (self, now);

  hp_bbr_reset_round_signals (self);
  self->up_per_datagram = HP_BBR_UNBOUNDED;
  self->rounds_since_probe = random & 1;
  self->probe_wait = PROBE_WAIT + (random >> 1) % PROBE_WAIT_SPREAD;
  self->cycle_at = now;
  self->ack_phase = HP_BBR_ACKS_PROBE_STOPPING;
  hp_bbr_start_round (self);
  self->state = HP_BBR_DOWN;
}

void
hp_bbr_start_cruise (HpCongestion *self)
{
  self->state = HP_BBR_CRUISE;
  self->cruise_shortest
      = MAX (hp_bbr_get_lately_shortest (self), self->min_round_trip);
}

/* Hosts that are busy hear of much at once, which makes the estimate some
 * hundredths too high: at that rate the queue would grow for seconds. What
 * arrived lately is believed until the next probe. When much less arrives it is
 * others who fill the queue: they are not to be given way to. */
static void
check_cruise_queue (HpCongestion *self, const HpRateSample *sample)
{
  if (sample->app_limited
      || self->bandwidth_latest < CRUISE_SHARE * self->bandwidth
      || !hp_bbr_is_queue_standing (self, self->cruise_shortest, CRUISE_QUEUE))
    return;
  self->bandwidth_short = MIN (self->bandwidth_latest, self->bandwidth_short);
  self->state = HP_BBR_DOWN;
}

static void
start_refill (HpCongestion *self)
{
  hp_bbr_reset_short_term (self);
  self->up_rounds = 0;
  self->up_acked = 0;
  self->ack_phase = HP_BBR_ACKS_REFILLING;
  hp_bbr_start_round (self);
  self->state = HP_BBR_REFILL;
}

static void
raise_slope (HpCongestion *self)
{
  self->up_per_datagram
      = MAX (self->window >> self->up_rounds, self->datagram_size);
  self->up_rounds = MIN (self->up_rounds + 1, UP_ROUNDS_MAX);
}

void
hp_bbr_start_up (HpCongestion *self, gint64 now)
{
  self->ack_phase = HP_BBR_ACKS_PROBE_STARTING;
  hp_bbr_start_round (self);
  hp_bbr_reset_full (self);
  self->full_bandwidth = self->bandwidth_latest;
  self->up_shortest = self->round_shortest;
  self->cycle_at = now;
  self->state = HP_BBR_UP;
  raise_slope (self);
}

void
hp_bbr_handle_too_high (HpCongestion *self, gsize in_flight,
                        gboolean app_limited, gint64 now)
{
  self->has_probe_samples = FALSE;
  if (!app_limited)
    self->inflight_long
        = MAX (in_flight, HP_BBR_BETA * hp_bbr_get_target (self));
  if (self->state == HP_BBR_UP)
    hp_bbr_start_down (self, now);
}

static gboolean
is_window_limited (const HpCongestion *self, const HpRateSample *sample,
                   const HpCongestionContext *context)
{
  return context->bytes_in_flight + sample->newly_acked
             + 2 * self->datagram_size
         >= self->window;
}

/* The bound goes up by one datagram, then two, four … a round trip. */
static void
raise_inflight_long (HpCongestion *self, const HpRateSample *sample,
                     const HpCongestionContext *context)
{
  gsize n;

  if (!is_window_limited (self, sample, context)
      || self->window < self->inflight_long)
    return;
  self->up_acked += sample->newly_acked;
  n = self->up_acked / self->up_per_datagram;
  self->up_acked -= n * self->up_per_datagram;
  self->inflight_long += n * self->datagram_size;
  if (self->is_round_start)
    raise_slope (self);
}

static void
advance_ack_phase (HpCongestion *self, const HpRateSample *sample)
{
  if (!self->is_round_start)
    return;
  if (self->ack_phase == HP_BBR_ACKS_PROBE_STARTING)
    self->ack_phase = HP_BBR_ACKS_PROBE_FEEDBACK;
  if (self->ack_phase != HP_BBR_ACKS_PROBE_STOPPING)
    return;
  self->has_probe_samples = FALSE;
  self->ack_phase = HP_BBR_ACKS_INIT;
  if (!hp_bbr_is_cycling (self))
    return;
  hp_base_loss_advance (&self->base_loss);
  if (!sample->app_limited)
    {
      self->cycle_count++;
      self->bandwidths[self->cycle_count % HP_BBR_MAX_BANDWIDTH_CYCLES] = 0;
    }
}

/* Section 5.5.10.2 */
static void
adapt_upper_bounds (HpCongestion *self, const HpRateSample *sample,
                    const HpCongestionContext *context)
{
  advance_ack_phase (self, sample);
  if (hp_bbr_is_too_high (self, sample->lost, sample->in_flight,
                          context->round_trip))
    {
      if (self->has_probe_samples)
        hp_bbr_handle_too_high (self, sample->in_flight, sample->app_limited,
                                context->now);
      return;
    }
  if (self->inflight_long == HP_BBR_UNBOUNDED)
    return;
  self->inflight_long = MAX (self->inflight_long, sample->in_flight);
  if (self->state == HP_BBR_UP)
    raise_inflight_long (self, sample, context);
}

static gboolean
is_time_to_probe (HpCongestion *self, gint64 now)
{
  guint64 rounds = hp_bbr_get_target (self) / self->datagram_size;

  if (now <= self->cycle_at + self->probe_wait
      && self->rounds_since_probe < MIN (rounds, RENO_ROUNDS_MAX))
    return FALSE;
  start_refill (self);
  return TRUE;
}

static gboolean
is_time_to_cruise (const HpCongestion *self, gsize in_flight)
{
  return in_flight <= hp_bbr_get_headroom (self)
         && in_flight <= hp_bbr_get_bdp (self, self->max_bandwidth, 1);
}

static gboolean
is_time_to_go_down (HpCongestion *self, const HpRateSample *sample,
                    const HpCongestionContext *context)
{
  /* What is not delivered faster makes a queue: nothing else is to come. */
  if (self->full_count > 0
      && hp_bbr_is_queue_standing (self, self->up_shortest, UP_QUEUE))
    return TRUE;
  /* It may be the bound that holds the bandwidth down; but not when that lets
   * a queue stand, as the draft would go on to fill. */
  if (!is_window_limited (self, sample, context)
      || self->window < self->inflight_long
      || self->inflight_long
             > hp_bbr_get_bdp (self, self->max_bandwidth, BOUND_GAIN))
    return self->is_full_now;
  hp_bbr_reset_full (self);
  self->full_bandwidth = sample->rate;
  return FALSE;
}

void
hp_bbr_update_cycle (HpCongestion *self, const HpRateSample *sample,
                     const HpCongestionContext *context)
{
  if (!self->is_full)
    return;
  adapt_upper_bounds (self, sample, context);
  switch (self->state)
    {
    case HP_BBR_DOWN:
      if (!is_time_to_probe (self, context->now)
          && is_time_to_cruise (self, context->bytes_in_flight))
        hp_bbr_start_cruise (self);
      break;
    case HP_BBR_CRUISE:
      if (!is_time_to_probe (self, context->now))
        check_cruise_queue (self, sample);
      break;
    case HP_BBR_REFILL:
      if (self->is_round_start)
        {
          self->has_probe_samples = TRUE;
          hp_bbr_start_up (self, context->now);
        }
      break;
    case HP_BBR_UP:
      if (is_time_to_go_down (self, sample, context))
        hp_bbr_start_down (self, context->now);
      break;
    case HP_BBR_STARTUP:
    case HP_BBR_DRAIN:
    case HP_BBR_PROBE_RTT:
      break;
    }
}
