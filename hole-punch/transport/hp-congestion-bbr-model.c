/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-congestion-bbr.h"

#define MIN_WINDOW_DATAGRAMS 4
#define HEADROOM 0.15
#define MIN_ROUND_TRIP_KEPT (10 * G_TIME_SPAN_SECOND)
#define SEEN_FRACTION 64
#define PROBE_RTT_INTERVAL (5 * G_TIME_SPAN_SECOND)

/* A round trip longer than the least by this is a queue's: anything less is
 * the hosts' unevenness. */
#define QUEUE_FRACTION 16
#define QUEUE_MIN G_TIME_SPAN_MILLISECOND

/* From so many ACKs one can tell (RFC 9406, section 4.2), if they are not all
 * those that a busy host took from its socket at once: they came over such a
 * part of the round trip. */
#define QUEUE_SAMPLES 8
#define QUEUE_TIME_FRACTION 8

/* Of bandwidth-delay products that are in flight when nobody presses */
#define SEDATE 1.25

/* Where the path has no length worth mentioning it is the two hosts' waking up
 * that the window has to bridge: below some 256 KiB each side sleeps while the
 * other works. So half a millisecond is counted at least, up to a product
 * that, doubled, is 320 KiB. It makes a queue of that half millisecond, or is
 * in the other side's socket buffer. */
#define HOST_DELAY 500
#define HOST_PRODUCT (160 * 1024)

gsize
hp_bbr_get_min_window (const HpCongestion *self)
{
  return MIN_WINDOW_DATAGRAMS * self->datagram_size;
}

/* Section 5.6.4.2 */
gsize
hp_bbr_get_bdp (const HpCongestion *self, guint64 bandwidth, double gain)
{
  double round_trip = self->min_round_trip;
  double product;

  if (self->min_round_trip == HP_BBR_NEVER)
    return gain * self->initial_window;
  product = bandwidth * round_trip / G_TIME_SPAN_SECOND;
  if (self->min_round_trip < HOST_DELAY)
    product = MAX (product,
                   MIN (bandwidth * (HOST_DELAY * 1e-6), HOST_PRODUCT));
  return gain * product;
}

gsize
hp_bbr_get_target (const HpCongestion *self)
{
  return MIN (hp_bbr_get_bdp (self, self->bandwidth, 1), self->window);
}

/* Room for others (section 5.3.3.2) */
gsize
hp_bbr_get_headroom (const HpCongestion *self)
{
  gsize headroom;

  if (self->inflight_long == HP_BBR_UNBOUNDED)
    return HP_BBR_UNBOUNDED;
  headroom = MAX (self->datagram_size, HEADROOM * self->inflight_long);
  if (headroom + hp_bbr_get_min_window (self) > self->inflight_long)
    return hp_bbr_get_min_window (self);
  return self->inflight_long - headroom;
}

static gint64
get_slack (const HpCongestion *self)
{
  return MAX (self->min_round_trip / QUEUE_FRACTION, QUEUE_MIN);
}

/* The longest round trip that is no queue's */
static gint64
get_unqueued (const HpCongestion *self)
{
  return self->min_round_trip == HP_BBR_NEVER
             ? HP_BBR_NEVER
             : self->min_round_trip + get_slack (self);
}

gint64
hp_bbr_get_lately_shortest (const HpCongestion *self)
{
  return MIN (self->lately_shortest[0], self->lately_shortest[1]);
}

gboolean
hp_bbr_is_queue_standing (const HpCongestion *self, gint64 round_trip,
                          double part)
{
  return hp_bbr_get_lately_shortest (self) - round_trip
         > MAX (self->min_round_trip * part, QUEUE_MIN);
}

gboolean
hp_bbr_is_excessive (const HpCongestion *self, double n, double n_lost,
                     gboolean has_queue)
{
  if (has_queue)
    return hp_base_loss_is_exceeded (&self->base_loss, n, n_lost,
                                     HP_BBR_LOSS_THRESHOLD);
  return hp_base_loss_is_hopeless (n, n_lost, HP_BBR_LOSS_THRESHOLD);
}

gboolean
hp_bbr_is_too_high (const HpCongestion *self, gsize lost, gsize in_flight,
                    gint64 round_trip)
{
  double size = self->datagram_size;
  gboolean is_short
      = round_trip >= 0 && round_trip <= get_unqueued (self);

  return hp_bbr_is_excessive (self, in_flight / size, lost / size, !is_short);
}

void
hp_bbr_start_round (HpCongestion *self)
{
  self->next_round_delivered = self->delivered;
}

void
hp_bbr_reset_full (HpCongestion *self)
{
  self->full_bandwidth = 0;
  self->full_count = 0;
  self->is_full_now = FALSE;
}

void
hp_bbr_reset_short_term (HpCongestion *self)
{
  self->bandwidth_short = G_MAXUINT64;
  self->inflight_short = HP_BBR_UNBOUNDED;
}

/* Until there are enough of them there is no queue. */
void
hp_bbr_reset_lately (HpCongestion *self, gint64 now)
{
  self->lately_shortest[0] = HP_BBR_NEVER;
  self->lately_shortest[1] = 0;
  self->lately_since = now;
  self->n_lately = 0;
}

static void
update_lately (HpCongestion *self, gint64 round_trip, gint64 now)
{
  if (self->n_lately >= QUEUE_SAMPLES
      && now - self->lately_since >= self->min_round_trip / QUEUE_TIME_FRACTION)
    {
      self->lately_shortest[1] = self->lately_shortest[0];
      self->lately_shortest[0] = HP_BBR_NEVER;
      self->lately_since = now;
      self->n_lately = 0;
    }
  self->lately_shortest[0] = MIN (self->lately_shortest[0], round_trip);
  self->n_lately++;
}

void
hp_bbr_reset_round_signals (HpCongestion *self)
{
  self->bandwidth_latest = 0;
  self->inflight_latest = 0;
  self->round_acked = 0;
  self->round_lost = 0;
  self->round_most = 0;
  self->is_round_marked = FALSE;
  self->is_loss_in_round = FALSE;
  self->round_trips = self->loss_trips = (HpBbrMean){ 0 };
  self->round_shortest = HP_BBR_NEVER;
}

void
hp_bbr_bound_bandwidth (HpCongestion *self)
{
  self->bandwidth = MIN (self->max_bandwidth, self->bandwidth_short);
}

/* Section 5.5.5: the most of this cycle and the one before */
static void
update_max_bandwidth (HpCongestion *self, const HpRateSample *sample)
{
  guint64 *most
      = &self->bandwidths[self->cycle_count % HP_BBR_MAX_BANDWIDTH_CYCLES];

  if (sample->rate == 0
      || (sample->rate < self->max_bandwidth && sample->app_limited))
    return;
  *most = MAX (*most, sample->rate);
  self->max_bandwidth = 0;
  for (guint i = 0; i < HP_BBR_MAX_BANDWIDTH_CYCLES; i++)
    self->max_bandwidth = MAX (self->max_bandwidth, self->bandwidths[i]);
}

/* What is lost in Drain was sent before it. */
static gboolean
is_probing (const HpCongestion *self)
{
  return self->state == HP_BBR_STARTUP || self->state == HP_BBR_DRAIN
         || self->state == HP_BBR_REFILL || self->state == HP_BBR_UP;
}

/* Section 5.5.10.3. The draft reduces by any loss; here, where nothing tells of
 * a queue, by what is more than the threshold and the path's own loss. */
static void
adapt_lower_bounds (HpCongestion *self)
{
  double n = self->round_acked + self->round_lost;
  double allowed = self->drops_queued ? 0 : HP_BBR_LOSS_THRESHOLD;

  if (is_probing (self)
      || !(self->is_round_marked
           || hp_base_loss_is_exceeded (&self->base_loss, n, self->round_lost,
                                        allowed)))
    return;
  if (self->bandwidth_short == G_MAXUINT64)
    self->bandwidth_short = self->max_bandwidth;
  if (self->inflight_short == HP_BBR_UNBOUNDED)
    self->inflight_short = self->window;
  self->bandwidth_short = MAX (self->bandwidth_latest,
                               HP_BBR_BETA * self->bandwidth_short);
  self->inflight_short
      = MAX (self->inflight_latest, HP_BBR_BETA * self->inflight_short);
}

/* Section 5.5.9: what is acknowledged at once beyond what the bandwidth
 * explains, the most of some rounds */
static void
update_extra_acked (HpCongestion *self, const HpRateSample *sample,
                    const HpCongestionContext *context)
{
  double elapsed = context->now - self->extra_since;
  /* In Startup more comes for the estimate being late. */
  guint64 bandwidth = self->is_full ? self->bandwidth : 2 * self->bandwidth;
  gsize expected = bandwidth * elapsed / G_TIME_SPAN_SECOND;
  guint64 rounds = self->is_full ? HP_BBR_MAX_EXTRA_ROUNDS / 2 : 1;

  if (self->extra_delivered <= expected)
    {
      self->extra_delivered = 0;
      self->extra_since = context->now;
      expected = 0;
    }
  self->extra_delivered += sample->newly_acked;
  if (self->is_round_start && ++self->extra_rounds >= rounds)
    {
      self->extra_rounds = 0;
      self->extra[1] = self->extra[0];
      self->extra[0] = 0;
    }
  self->extra[0] = MAX (self->extra[0], MIN (self->extra_delivered - expected,
                                             self->window));
  self->extra_acked = MAX (self->extra[0], self->extra[1]);
}

static gint64
get_mean (const HpBbrMean *mean)
{
  return mean->n == 0 ? 0 : mean->sum / mean->n;
}

/* A queue that fills and empties within a round is seen by what a loss comes
 * with: longer round trips than the others. Mere jitter is not. */
static void
judge_round (HpCongestion *self)
{
  self->has_queue = self->round_trips.n > 0
                    && self->round_shortest > get_unqueued (self);
  self->drops_queued
      = self->has_queue
        || get_mean (&self->loss_trips)
               > get_mean (&self->round_trips) + get_slack (self) / 4;
  adapt_lower_bounds (self);
}

void
hp_bbr_update_model (HpCongestion *self, const HpRateSample *sample,
                     const HpCongestionContext *context)
{
  self->delivered = sample->delivered;
  self->is_round_start = sample->prior_delivered >= self->next_round_delivered;
  if (self->is_round_start)
    {
      hp_bbr_start_round (self);
      self->rounds_since_probe++;
    }
  self->round_acked += sample->n_acked;
  self->round_lost += sample->n_lost;
  self->round_most = MAX (self->round_most, sample->in_flight);
  if (context->round_trip >= 0)
    {
      update_lately (self, context->round_trip, context->now);
      self->round_shortest = MIN (self->round_shortest, context->round_trip);
      self->round_trips.sum += context->round_trip;
      self->round_trips.n++;
    }
  self->bandwidth_latest = MAX (self->bandwidth_latest, sample->rate);
  self->inflight_latest
      = MAX (self->inflight_latest,
             sample->delivered - sample->prior_delivered);
  update_max_bandwidth (self, sample);
  if (self->is_round_start)
    judge_round (self);
  update_extra_acked (self, sample, context);
}

/* When what the ACKs tell is the path's own loss: see hp-base-loss.h */
static gboolean
is_sedate (const HpCongestion *self)
{
  if (self->has_queue || self->drops_queued || self->is_round_marked
      || self->round_most > hp_bbr_get_bdp (self, self->bandwidth, SEDATE)
                                + self->extra_acked)
    return FALSE;
  if (self->state == HP_BBR_STARTUP)
    return self->full_count == 0
           && self->round_lost
                  <= HP_BASE_LOSS_MAX * (self->round_acked + self->round_lost);
  return (self->state == HP_BBR_DOWN || self->state == HP_BBR_CRUISE)
         && self->ack_phase == HP_BBR_ACKS_INIT;
}

void
hp_bbr_end_round (HpCongestion *self, const HpRateSample *sample)
{
  if (is_sedate (self))
    hp_base_loss_add (&self->base_loss, self->round_acked, self->round_lost);
  self->was_loss_in_round = self->is_loss_in_round;
  hp_bbr_reset_round_signals (self);
  self->bandwidth_latest = sample->rate;
  self->inflight_latest = sample->delivered - sample->prior_delivered;
}

/* Section 5.5.7 */
gboolean
hp_bbr_is_round_trip_due (const HpCongestion *self, gint64 now)
{
  return now > self->probe_round_trip_at + PROBE_RTT_INTERVAL;
}

void
hp_bbr_update_min_round_trip (HpCongestion *self,
                              const HpCongestionContext *context)
{
  gint64 now = context->now;

  if (context->round_trip >= 0
      && (context->round_trip < self->probe_round_trip
          || hp_bbr_is_round_trip_due (self, now)))
    {
      self->probe_round_trip = context->round_trip;
      self->probe_round_trip_at = now;
    }
  /* Seen again: the queue is empty now and then without an effort. */
  else if (context->round_trip >= 0
           && context->round_trip <= self->min_round_trip
                                         + self->min_round_trip / SEEN_FRACTION)
    self->probe_round_trip_at = now;
  if (self->probe_round_trip < self->min_round_trip
      || now > self->min_round_trip_at + MIN_ROUND_TRIP_KEPT)
    {
      self->min_round_trip = self->probe_round_trip;
      self->min_round_trip_at = self->probe_round_trip_at;
    }
}
