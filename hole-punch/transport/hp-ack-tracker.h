/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Which packets came in, and when they are to be acknowledged (RFC 9000,
 * section 13.2).
 *
 * Every second packet is, in a slow flow. In a fast one that is more than the
 * sender needs and both pay for (draft-ietf-quic-ack-frequency, section 1.1):
 * there it is some eight times a round trip, every 16 packets at least.
 */

#pragma once

#include "hole-punch/wire/hp-frame.h"

#define HP_MAX_ACK_DELAY (25 * G_TIME_SPAN_MILLISECOND)
/* Ack-eliciting packets after which an ACK goes out at once: in a slow flow,
 * and in the fastest */
#define HP_ACK_EVERY 2
#define HP_ACK_EVERY_MAX 16

typedef struct
{
  HpRanges received;
  guint64 largest;
  gint64 largest_at;
  guint64 next_eliciting; /* after the largest ack-eliciting one */
  guint unreported;       /* ack-eliciting ones since the last ACK */
  guint every;            /* of them an ACK is due */
  gint64 interval;        /* in which so many came */
  gint64 counted_since;
  guint counted;
  HpMarks marks;          /* of all that came */
  gboolean is_marked;     /* the last one came with CE */
  gboolean due;           /* an ACK goes out even alone */
  gint64 deadline;        /* when it becomes due, G_MAXINT64: never */
} HpAckTracker;

void hp_ack_tracker_init (HpAckTracker *self);
void hp_ack_tracker_clear (HpAckTracker *self);
void hp_ack_tracker_received (HpAckTracker *self, guint64 number,
                              gboolean ack_eliciting, HpEcn ecn, gint64 now);
/* How long the path is, once that is known */
void hp_ack_tracker_set_round_trip (HpAckTracker *self, gint64 round_trip);
void hp_ack_tracker_expire (HpAckTracker *self, gint64 now);
/* Something ack-eliciting has not been reported: an ACK is worth sending
 * along; and: it is to be sent even in a packet of its own */
gboolean hp_ack_tracker_has_news (const HpAckTracker *self);
gboolean hp_ack_tracker_is_due (const HpAckTracker *self);
/* Only when something has been received */
void hp_ack_tracker_fill (const HpAckTracker *self, HpAckFrame *ack,
                          guint max_ranges, gint64 now);
/* An ACK went out */
void hp_ack_tracker_sent (HpAckTracker *self);
/* The other side has an ACK of ours with this largest number: what is below
 * needs no more reporting (section 13.2.4). */
void hp_ack_tracker_confirmed (HpAckTracker *self, guint64 largest);
