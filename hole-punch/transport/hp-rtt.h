/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Round-trip time of one path (RFC 9002, section 5) and the periods that
 * follow from it. All in µs.
 */

#pragma once

#include <glib.h>

#define HP_RTT_INITIAL (333 * G_TIME_SPAN_MILLISECOND)
#define HP_RTT_GRANULARITY G_TIME_SPAN_MILLISECOND

typedef struct
{
  gint64 latest;          /* -1: no sample yet */
  gint64 adjusted;        /* that without the delay of the ACK; -1: was used */
  gint64 minimum;         /* -1: no sample yet */
  gint64 smoothed;
  gint64 variation;
  gint64 first_sample_at; /* G_MAXINT64: no sample yet */
} HpRtt;

void hp_rtt_init (HpRtt *self);
gboolean hp_rtt_is_measured (const HpRtt *self);
/* Something else than an acknowledgement has measured the path (RFC 9002,
 * section 6.2.2): where to begin from, until a sample tells better */
void hp_rtt_suggest (HpRtt *self, gint64 round_trip);
/* @ack_delay is what the other side says, not to be believed beyond
 * @max_ack_delay */
void hp_rtt_add_sample (HpRtt *self, gint64 sample, guint64 ack_delay,
                        gint64 max_ack_delay, gint64 now);
/* Section 6.1.2: a packet older than this is lost once a later one was
 * acknowledged */
gint64 hp_rtt_get_loss_delay (const HpRtt *self);
/* Section 6.2.1, without backoff */
gint64 hp_rtt_get_probe_timeout (const HpRtt *self, gint64 max_ack_delay);
