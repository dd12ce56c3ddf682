/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Flows that share one bottleneck, by an invented clock: the transport's
 * congestion control, loss detection, pacing and acknowledging, without frames
 * and bytes, so that seconds of a gigabit take but moments.
 *
 *   flow ─▸ queue, rate ─▸ loss ─▸ delay, jitter ─▸ receiver ─▸ delay ─▸ flow
 */

#pragma once

#include "hole-punch/transport/hp-ack-tracker.h"
#include "hole-punch/transport/hp-loss.h"
#include "hole-punch/transport/hp-path-control.h"

#define FLOW_LAB_DATAGRAM 1400
#define FLOW_LAB_MS G_TIME_SPAN_MILLISECOND

/* May be changed at any time */
typedef struct
{
  guint64 rate; /* bytes per second */
  gsize queue;  /* bytes */
  gint64 delay; /* one way, µs */
  gint64 jitter;
  double loss;  /* both ways */
  gboolean marks; /* by ECN instead of dropping, from half a queue on */
} FlowLink;

typedef struct _FlowLab FlowLab;
typedef struct _Flow Flow;

struct _Flow
{
  FlowLab *lab;
  guint index;
  HpPathControl path;
  HpLoss loss;
  HpAckTracker acks;
  guint64 next_number;
  guint n_probes;
  gboolean is_active;
  guint64 source_rate;
  gint64 source_since;
  guint64 source_sent;
  gint64 armed_at;
  gint64 acks_armed_at;
  guint64 n_sent, n_lost, n_spurious, n_acks;
  guint64 n_marked;    /* since the last ACK */
  guint64 received;    /* bytes, of different packets */
};

FlowLab *flow_lab_new (guint64 seed, const FlowLink *link);
void flow_lab_free (FlowLab *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FlowLab, flow_lab_free)
FlowLink *flow_lab_get_link (FlowLab *self);
gint64 flow_lab_get_now (const FlowLab *self);
/* One that begins at once; stays the lab's */
Flow *flow_lab_add (FlowLab *self, const HpCongestionClass *class);
/* What its application has from now on, bytes per second; 0: plenty */
void flow_lab_set_source (Flow *flow, guint64 rate);
void flow_lab_stop (Flow *flow);
void flow_lab_run (FlowLab *self, gint64 duration);
/* Runs, and gives bytes per second received by all in that time */
double flow_lab_measure (FlowLab *self, gint64 duration);
/* Mean waiting in the queue in that time, µs */
double flow_lab_get_waiting (const FlowLab *self);
/* Of that, the most */
gint64 flow_lab_get_longest (const FlowLab *self);
/* What a flow received in the last flow_lab_measure(), bytes per second */
double flow_lab_get_share (const Flow *flow);
/* Share of packets that the queue dropped then */
double flow_lab_get_dropped (const FlowLab *self);
