/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the three parts of the controller share. Sections are those of
 * draft-ietf-ccwg-bbr-04.
 *
 *   hp-congestion-bbr.c        the states but ProbeBW, what follows for rate
 *                              and window, the vtable
 *   hp-congestion-bbr-model.c  what the path is taken to be
 *   hp-congestion-bbr-probe.c  ProbeBW: when to ask for more
 */

#pragma once

#include "hole-punch/transport/hp-base-loss.h"
#include "hole-punch/transport/hp-congestion.h"

#define HP_BBR_NEVER G_MAXINT64
#define HP_BBR_UNBOUNDED G_MAXSIZE
#define HP_BBR_LOSS_THRESHOLD 0.02
#define HP_BBR_BETA 0.7
#define HP_BBR_MAX_BANDWIDTH_CYCLES 2
#define HP_BBR_MAX_EXTRA_ROUNDS 10

typedef enum
{
  HP_BBR_STARTUP,
  HP_BBR_DRAIN,
  HP_BBR_DOWN,
  HP_BBR_CRUISE,
  HP_BBR_REFILL,
  HP_BBR_UP,
  HP_BBR_PROBE_RTT,
} HpBbrState;

/* Which of what was sent the ACKs are about */
typedef enum
{
  HP_BBR_ACKS_INIT,
  HP_BBR_ACKS_REFILLING,
  HP_BBR_ACKS_PROBE_STARTING,
  HP_BBR_ACKS_PROBE_FEEDBACK,
  HP_BBR_ACKS_PROBE_STOPPING,
} HpBbrAckPhase;

typedef struct
{
  gint64 sum;
  guint n;
} HpBbrMean;

/* What a loss changes, should it turn out to be none */
typedef struct
{
  guint64 since; /* number of the first one lost */
  guint n_lost;  /* not come back yet */
  HpBbrState state;
  guint64 bandwidth_short;
  gsize inflight_short;
  gsize inflight_long;
} HpBbrUndo;

struct _HpCongestion
{
  HpBbrState state;
  gsize window;
  guint64 pacing_rate; /* 0: not known yet */
  guint64 random;
  gsize datagram_size;
  gsize initial_window;
  gsize prior_window; /* to come back to after ProbeRTT */
  gboolean is_idle_restart;
  guint64 limited_until; /* delivered: samples up to then say little */

  /* Round trips, counted by packets (section 5.5.1) */
  guint64 delivered;
  guint64 next_round_delivered;
  gboolean is_round_start;
  gint64 round_shortest;  /* round trip in this round */
  HpBbrMean round_trips;
  HpBbrMean loss_trips;   /* of those ACKs that showed losses */
  guint round_acked;      /* packets */
  guint round_lost;
  gsize round_most;       /* in flight */
  gboolean is_round_marked; /* by ECN */
  gboolean is_loss_in_round;
  gboolean was_loss_in_round; /* the last one */
  gboolean has_queue;     /* all through the last round */
  gboolean drops_queued;  /* losses came when there was a queue */

  /* The path (sections 5.5.2 to 5.5.9) */
  guint64 bandwidth;      /* what is believed now */
  guint64 max_bandwidth;
  guint64 bandwidths[HP_BBR_MAX_BANDWIDTH_CYCLES]; /* the most of a cycle */
  guint64 cycle_count;
  gint64 min_round_trip;
  gint64 min_round_trip_at;
  gint64 probe_round_trip; /* the least since the last ProbeRTT */
  gint64 probe_round_trip_at;
  HpBaseLoss base_loss;
  gsize extra_acked;      /* how much more than by bandwidth comes at once */
  gsize extra[2];         /* the most of some rounds */
  guint64 extra_rounds;
  gint64 extra_since;
  gsize extra_delivered;

  /* The shortest round trip of some ACKs: these, and those before them. Jitter
   * makes single ones long, a queue all of them. */
  gint64 lately_shortest[2];
  gint64 lately_since;
  guint n_lately;

  /* Bounds by loss (section 5.5.10) */
  guint64 bandwidth_latest;
  gsize inflight_latest;
  guint64 bandwidth_short;
  gsize inflight_short;
  gsize inflight_long;
  HpBbrUndo undo;

  /* Whether more is to be had (section 5.3.1.2) */
  gboolean is_full;       /* for good */
  gboolean is_full_now;   /* of this probe */
  guint64 full_bandwidth;
  guint full_count;

  /* ProbeBW (section 5.3.3) */
  HpBbrAckPhase ack_phase;
  gboolean has_probe_samples;
  gint64 cycle_at;
  gint64 probe_wait;
  guint64 rounds_since_probe;
  guint up_rounds;
  gint64 up_shortest;     /* round trip in the round before it */
  gint64 cruise_shortest; /* lately, when it began */
  gsize up_acked;
  gsize up_per_datagram;  /* bytes acknowledged for one datagram more */

  gint64 probe_rtt_done_at;
  gboolean is_probe_rtt_round_done;
};

/* The model */
void hp_bbr_start_round (HpCongestion *self);
gint64 hp_bbr_get_lately_shortest (const HpCongestion *self);
/* Beyond @round_trip all that came lately waited longer than @part of the
 * path's own length. */
gboolean hp_bbr_is_queue_standing (const HpCongestion *self,
                                   gint64 round_trip, double part);
void hp_bbr_update_model (HpCongestion *self, const HpRateSample *sample,
                          const HpCongestionContext *context);
gboolean hp_bbr_is_round_trip_due (const HpCongestion *self, gint64 now);
void hp_bbr_update_min_round_trip (HpCongestion *self,
                                   const HpCongestionContext *context);
/* When all that looks at the round is done */
void hp_bbr_end_round (HpCongestion *self, const HpRateSample *sample);
void hp_bbr_reset_full (HpCongestion *self);
void hp_bbr_reset_lately (HpCongestion *self, gint64 now);
void hp_bbr_reset_round_signals (HpCongestion *self);
void hp_bbr_reset_short_term (HpCongestion *self);
void hp_bbr_bound_bandwidth (HpCongestion *self);
gsize hp_bbr_get_bdp (const HpCongestion *self, guint64 bandwidth,
                      double gain);
gsize hp_bbr_get_min_window (const HpCongestion *self);
gsize hp_bbr_get_headroom (const HpCongestion *self);
/* The bandwidth-delay product, or the window if that is less */
gsize hp_bbr_get_target (const HpCongestion *self);
/* Whether the loss of @n_lost of @n packets is the path's complaint that too
 * much is in flight. Where no queue is to be seen that takes more than a path
 * could lose by itself: a full one would be. */
gboolean hp_bbr_is_excessive (const HpCongestion *self, double n,
                              double n_lost, gboolean has_queue);
gboolean hp_bbr_is_too_high (const HpCongestion *self, gsize lost,
                             gsize in_flight, gint64 round_trip);

/* ProbeBW */
gboolean hp_bbr_is_cycling (const HpCongestion *self);
void hp_bbr_start_down (HpCongestion *self, gint64 now);
void hp_bbr_start_cruise (HpCongestion *self);
void hp_bbr_start_up (HpCongestion *self, gint64 now);
void hp_bbr_update_cycle (HpCongestion *self, const HpRateSample *sample,
                          const HpCongestionContext *context);
/* Too much is in flight, of which @in_flight was not yet too much. */
void hp_bbr_handle_too_high (HpCongestion *self, gsize in_flight,
                             gboolean app_limited, gint64 now);
