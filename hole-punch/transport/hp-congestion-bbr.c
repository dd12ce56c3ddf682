/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A model-based controller after BBRv3 (draft-ietf-ccwg-bbr-04): it estimates
 * the bandwidth and the shortest round trip of a path, sends at that bandwidth
 * and keeps about their product in flight. So it neither needs losses to find
 * its rate nor fills queues. Where it differs from the draft:
 *
 *  - a loss that the path has by itself does not count (hp-base-loss.h);
 *  - signals of loss are gathered by the same rounds as all else;
 *  - while no queue is to be seen, only what no path loses by itself ends
 *    Startup or a probe;
 *  - a probe goes on for as long as it brings a tenth more a round;
 *  - a queue that stands ends Startup, or a probe that made it, as soon as a
 *    round has brought nothing; and one that comes up in CRUISE is drained;
 *  - small datagrams begin with as many bytes as large ones;
 *  - the empty queue need not be forced by ProbeRTT where it is seen anyway;
 *  - on a path of no length the window suits hosts (hp-congestion-bbr-model.c).
 */

#include "hole-punch/transport/hp-congestion-bbr.h"

/* What ten datagrams of Ethernet's size are (RFC 6928). Smaller ones are no
 * larger a burst for being more, and 10 KiB are to arrive at once even so. */
#define INITIAL_BYTES 14720
#define INITIAL_DATAGRAMS 16
#define PACING_MARGIN 0.99
#define STARTUP_PACING_GAIN 2.77 /* 4 ln 2 */
#define FULL_GROWTH 1.25
/* The draft has the same here; but sending at 1.25 of the bandwidth, less the
 * margin, never brings so much, and every probe would end after three rounds.
 */
#define UP_GROWTH 1.1
#define FULL_ROUNDS 3
#define STARTUP_LOSSES 6
/* Of a bandwidth-delay product: with such a queue one round tells that there
 * is no more to be had. */
#define STARTUP_QUEUE 0.25
/* What is seen of a queue is a round trip old: from its beginning on the window
 * does not grow to twice the product. */
#define STARTUP_QUEUE_MIN 0.06
#define STARTUP_QUEUED_WINDOW 1.75
#define PROBE_RTT_DURATION (200 * G_TIME_SPAN_MILLISECOND)
#define QUANTUM_MAX 65536

/* Section 5.1.1 */
static const struct
{
  double pacing;
  double window;
} gains[] = {
  [HP_BBR_STARTUP] = { STARTUP_PACING_GAIN, 2 },
  [HP_BBR_DRAIN] = { 0.5, 2 },
  [HP_BBR_DOWN] = { 0.9, 2 },
  [HP_BBR_CRUISE] = { 1, 2 },
  [HP_BBR_REFILL] = { 1, 2 },
  [HP_BBR_UP] = { 1.25, 2.25 },
  [HP_BBR_PROBE_RTT] = { 1, 0.5 },
};

static HpCongestion *
bbr_create (gsize datagram_size, gint64 now)
{
  HpCongestion *self = g_new0 (HpCongestion, 1);

  self->datagram_size = datagram_size;
  /* RFC 9002, section 7.2 */
  self->initial_window
      = MIN (INITIAL_DATAGRAMS * datagram_size,
             MAX (INITIAL_BYTES, 2 * datagram_size));
  self->window = self->prior_window = self->initial_window;
  self->random = now;
  self->min_round_trip = self->probe_round_trip = HP_BBR_NEVER;
  self->min_round_trip_at = self->probe_round_trip_at = now;
  self->extra_since = now;
  self->inflight_long = HP_BBR_UNBOUNDED;
  self->cycle_at = now;
  self->probe_rtt_done_at = HP_BBR_NEVER;
  hp_base_loss_init (&self->base_loss);
  hp_bbr_reset_lately (self, now);
  hp_bbr_reset_round_signals (self);
  hp_bbr_reset_short_term (self);
  return self;
}

static void
bbr_free (HpCongestion *self)
{
  g_free (self);
}

/* Section 5.3.1.2: three rounds without a quarter more */
static void
check_full (HpCongestion *self, const HpRateSample *sample)
{
  double growth = self->state == HP_BBR_UP ? UP_GROWTH : FULL_GROWTH;

  if (self->is_full_now || !self->is_round_start || sample->app_limited)
    return;
  if (self->bandwidth_latest >= growth * self->full_bandwidth)
    {
      hp_bbr_reset_full (self);
      self->full_bandwidth = self->bandwidth_latest;
      return;
    }
  self->is_full_now = ++self->full_count >= FULL_ROUNDS;
  if (self->is_full_now)
    self->is_full = TRUE;
}

static gboolean
is_startup_too_high (const HpCongestion *self)
{
  double n = self->round_acked + self->round_lost;

  /* Losses must go on for a full round after the one they began in. */
  return self->is_round_marked
         || (self->was_loss_in_round && self->round_lost >= STARTUP_LOSSES
             && hp_bbr_is_excessive (self, n, self->round_lost,
                                     self->drops_queued));
}

/* Section 5.3.1.3 */
static void
check_startup_loss (HpCongestion *self)
{
  if (self->is_full || !self->is_round_start || !is_startup_too_high (self))
    return;
  self->is_full = TRUE;
  self->inflight_long
      = MAX (hp_bbr_get_bdp (self, self->max_bandwidth, 1),
             self->inflight_latest);
}

/* One round that brings nothing is enough where a queue tells why. */
static void
check_startup_queue (HpCongestion *self)
{
  if (self->full_count > 0
      && hp_bbr_is_queue_standing (self, self->min_round_trip,
                                   STARTUP_QUEUE))
    self->is_full = TRUE;
}

static void
check_startup_and_drain (HpCongestion *self,
                         const HpCongestionContext *context)
{
  if (self->state == HP_BBR_STARTUP)
    {
      check_startup_loss (self);
      check_startup_queue (self);
      if (self->is_full)
        self->state = HP_BBR_DRAIN;
    }
  if (self->state == HP_BBR_DRAIN
      && context->bytes_in_flight
             <= hp_bbr_get_bdp (self, self->max_bandwidth, 1))
    hp_bbr_start_down (self, context->now);
}

static gsize
get_probe_rtt_window (const HpCongestion *self)
{
  return MAX (hp_bbr_get_bdp (self, self->bandwidth,
                              gains[HP_BBR_PROBE_RTT].window),
              hp_bbr_get_min_window (self));
}

static void
exit_probe_rtt (HpCongestion *self, gint64 now)
{
  self->probe_round_trip_at = now;
  self->window = MAX (self->window, self->prior_window);
  hp_bbr_reset_short_term (self);
  if (!self->is_full)
    {
      self->state = HP_BBR_STARTUP;
      return;
    }
  hp_bbr_start_down (self, now);
  hp_bbr_start_cruise (self);
}

static void
handle_probe_rtt (HpCongestion *self, const HpCongestionContext *context)
{
  self->limited_until = self->delivered + context->bytes_in_flight;
  if (self->probe_rtt_done_at == HP_BBR_NEVER)
    {
      if (context->bytes_in_flight > get_probe_rtt_window (self))
        return;
      self->probe_rtt_done_at = context->now + PROBE_RTT_DURATION;
      self->is_probe_rtt_round_done = FALSE;
      hp_bbr_start_round (self);
      return;
    }
  if (self->is_round_start)
    self->is_probe_rtt_round_done = TRUE;
  if (self->is_probe_rtt_round_done && context->now > self->probe_rtt_done_at)
    exit_probe_rtt (self, context->now);
}

/* Section 5.3.4. @is_due: the shortest round trip has not been seen for long */
static void
check_probe_rtt (HpCongestion *self, gboolean is_due,
                 const HpCongestionContext *context)
{
  if (self->state != HP_BBR_PROBE_RTT && is_due && !self->is_idle_restart)
    {
      self->prior_window = self->window;
      self->state = HP_BBR_PROBE_RTT;
      self->probe_rtt_done_at = HP_BBR_NEVER;
      self->ack_phase = HP_BBR_ACKS_PROBE_STOPPING;
      hp_bbr_start_round (self);
    }
  if (self->state == HP_BBR_PROBE_RTT)
    handle_probe_rtt (self, context);
  self->is_idle_restart = FALSE;
}

/* Section 5.6.2 */
static void
set_pacing_rate (HpCongestion *self, double gain,
                 const HpCongestionContext *context)
{
  guint64 rate = gain * self->bandwidth * PACING_MARGIN;

  if (self->pacing_rate == 0)
    self->pacing_rate = STARTUP_PACING_GAIN * self->initial_window
                        * G_TIME_SPAN_SECOND
                        / MAX (context->smoothed_round_trip, 1);
  if (self->is_full || rate > self->pacing_rate)
    self->pacing_rate = MAX (rate, 1);
}

/* Section 5.6.4.2 */
static gsize
get_max_inflight (const HpCongestion *self)
{
  gsize quantum = MIN (self->pacing_rate / 1000, QUANTUM_MAX);
  gsize most;

  /* A queue bridges what comes late, too. */
  if (self->state == HP_BBR_STARTUP
      && hp_bbr_is_queue_standing (self, self->min_round_trip,
                                   STARTUP_QUEUE_MIN))
    most = hp_bbr_get_bdp (self, self->bandwidth, STARTUP_QUEUED_WINDOW);
  else
    most = hp_bbr_get_bdp (self, self->bandwidth, gains[self->state].window)
           + self->extra_acked;
  most = MAX (most, 3 * quantum);
  most = MAX (most, hp_bbr_get_min_window (self));
  return self->state == HP_BBR_UP ? most + 2 * self->datagram_size : most;
}

/* Section 5.6.4.6 */
static void
bound_window (HpCongestion *self)
{
  gsize most = HP_BBR_UNBOUNDED;

  if (hp_bbr_is_cycling (self) && self->state != HP_BBR_CRUISE)
    most = self->inflight_long;
  else if (self->state == HP_BBR_PROBE_RTT || self->state == HP_BBR_CRUISE)
    most = hp_bbr_get_headroom (self);
  most = MIN (most, self->inflight_short);
  if (self->state == HP_BBR_PROBE_RTT)
    most = MIN (most, get_probe_rtt_window (self));
  self->window
      = MIN (self->window, MAX (most, hp_bbr_get_min_window (self)));
}

static void
set_window (HpCongestion *self, const HpRateSample *sample)
{
  gsize most = get_max_inflight (self);

  if (self->is_full)
    self->window = MIN (self->window + sample->newly_acked, most);
  else if (self->window < most || sample->delivered < self->initial_window)
    self->window += sample->newly_acked;
  self->window = MAX (self->window, hp_bbr_get_min_window (self));
  bound_window (self);
}

static void
bbr_on_ack_end (HpCongestion *self, const HpRateSample *ack,
                const HpCongestionContext *context)
{
  HpRateSample sample = *ack;
  gboolean is_round_trip_due;

  self->datagram_size = context->datagram_size;
  sample.app_limited |= sample.prior_delivered < self->limited_until;
  is_round_trip_due = hp_bbr_is_round_trip_due (self, context->now);
  hp_bbr_update_model (self, &sample, context);
  check_full (self, &sample);
  check_startup_and_drain (self, context);
  hp_bbr_update_cycle (self, &sample, context);
  hp_bbr_update_min_round_trip (self, context);
  check_probe_rtt (self, is_round_trip_due, context);
  if (self->is_round_start)
    hp_bbr_end_round (self, &sample);
  hp_bbr_bound_bandwidth (self);
  set_pacing_rate (self, gains[self->state].pacing, context);
  set_window (self, &sample);
}

/* Section 5.4.1 */
static void
bbr_on_restart (HpCongestion *self, gboolean app_limited,
                const HpCongestionContext *context)
{
  if (!app_limited)
    return;
  self->is_idle_restart = TRUE;
  self->extra_since = context->now;
  self->extra_delivered = 0;
  hp_bbr_reset_lately (self, context->now);
  if (hp_bbr_is_cycling (self))
    set_pacing_rate (self, 1, context);
  else if (self->state == HP_BBR_PROBE_RTT
           && context->now > self->probe_rtt_done_at)
    exit_probe_rtt (self, context->now);
}

static void
save (HpCongestion *self, guint64 number)
{
  self->undo = (HpBbrUndo){
    .since = number,
    .state = self->state,
    .bandwidth_short = self->bandwidth_short,
    .inflight_short = self->inflight_short,
    .inflight_long = self->inflight_long,
  };
}

/* Section 5.5.10.2: what was in flight when it became too much */
static gsize
get_inflight_at_loss (const HpCongestion *self, const HpSentInfo *packet)
{
  double allowed
      = HP_BBR_LOSS_THRESHOLD + hp_base_loss_get (&self->base_loss);
  double before = packet->in_flight - packet->size;
  double lost = MAX ((double) packet->lost - packet->size, 0);

  return before + MAX (allowed * before - lost, 0) / (1 - allowed);
}

static void
bbr_on_lost (HpCongestion *self, const HpSentInfo *packet,
             const HpCongestionContext *context)
{
  if (!self->is_loss_in_round)
    save (self, packet->number);
  self->is_loss_in_round = TRUE;
  self->undo.n_lost++;
  if (context->round_trip >= 0)
    {
      self->loss_trips.sum += context->round_trip;
      self->loss_trips.n++;
    }
  if (self->has_probe_samples
      && hp_bbr_is_too_high (self, packet->lost, packet->in_flight,
                             context->round_trip))
    hp_bbr_handle_too_high (self, get_inflight_at_loss (self, packet),
                            packet->app_limited, context->now);
}

/* All that was lost since the state was saved has come: as if nothing had
 * been */
static void
bbr_on_spurious (HpCongestion *self, const HpSentInfo *packet,
                 const HpCongestionContext *context)
{
  const HpBbrUndo *undo = &self->undo;

  if (self->round_lost > 0)
    self->round_lost--;
  if (packet->number < undo->since || undo->n_lost == 0
      || --self->undo.n_lost > 0)
    return;
  self->bandwidth_short = MAX (self->bandwidth_short, undo->bandwidth_short);
  self->inflight_short = MAX (self->inflight_short, undo->inflight_short);
  self->inflight_long = MAX (self->inflight_long, undo->inflight_long);
  hp_bbr_bound_bandwidth (self);
  if (self->state == undo->state || self->state == HP_BBR_PROBE_RTT)
    return;
  if (undo->state == HP_BBR_STARTUP)
    {
      hp_bbr_reset_full (self);
      self->is_full = FALSE;
      self->state = HP_BBR_STARTUP;
    }
  else if (undo->state == HP_BBR_UP)
    hp_bbr_start_up (self, context->now);
}

/* As losses beyond all that the path could have by itself (RFC 9002, section
 * 7.1); a mark is never by chance. */
static void
bbr_on_congestion_experienced (HpCongestion *self, guint64 n_marked,
                               gint64 sent_at,
                               const HpCongestionContext *context)
{
  self->is_round_marked = TRUE;
  if (self->has_probe_samples)
    hp_bbr_handle_too_high (self, context->bytes_in_flight, FALSE,
                            context->now);
}

static void
bbr_on_persistent (HpCongestion *self, const HpCongestionContext *context)
{
  self->window = hp_bbr_get_min_window (self);
}

static gsize
bbr_get_window (const HpCongestion *self)
{
  return self->window;
}

static guint64
bbr_get_pacing_rate (const HpCongestion *self)
{
  return self->pacing_rate;
}

const HpCongestionClass hp_congestion_bbr = {
  .name = "bbr",
  .create = bbr_create,
  .free = bbr_free,
  .on_restart = bbr_on_restart,
  .on_lost = bbr_on_lost,
  .on_ack_end = bbr_on_ack_end,
  .on_spurious = bbr_on_spurious,
  .on_congestion_experienced = bbr_on_congestion_experienced,
  .on_persistent = bbr_on_persistent,
  .get_window = bbr_get_window,
  .get_pacing_rate = bbr_get_pacing_rate,
};
