/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-ack-tracker.h"

#define ACKS_PER_ROUND_TRIP 8

void
hp_ack_tracker_init (HpAckTracker *self)
{
  *self = (HpAckTracker){
    .every = HP_ACK_EVERY,
    .interval = G_TIME_SPAN_MILLISECOND,
    .deadline = G_MAXINT64,
  };
}

void
hp_ack_tracker_clear (HpAckTracker *self)
{
  hp_ranges_clear (&self->received);
}

void
hp_ack_tracker_set_round_trip (HpAckTracker *self, gint64 round_trip)
{
  self->interval = CLAMP (round_trip / ACKS_PER_ROUND_TRIP,
                          G_TIME_SPAN_MILLISECOND, HP_MAX_ACK_DELAY);
}

/* How many come in an interval */
static void
count (HpAckTracker *self, gint64 now)
{
  gint64 elapsed = now - self->counted_since;

  if (elapsed >= self->interval)
    {
      gint64 every = self->counted * self->interval / elapsed;

      self->every = CLAMP (every, HP_ACK_EVERY, HP_ACK_EVERY_MAX);
      self->counted = 0;
      self->counted_since = now;
    }
  self->counted++;
}

/* TRUE if that shall be heard of at once (section 13.2.1): of a run of CE the
 * first one */
static gboolean
count_mark (HpAckTracker *self, HpEcn ecn)
{
  gboolean was_marked = self->is_marked;

  self->marks.ect_0 += ecn == HP_ECN_ECT_0;
  self->marks.ect_1 += ecn == HP_ECN_ECT_1;
  self->marks.ce += ecn == HP_ECN_CE;
  self->is_marked = ecn == HP_ECN_CE;
  return self->is_marked && !was_marked;
}

void
hp_ack_tracker_received (HpAckTracker *self, guint64 number,
                         gboolean ack_eliciting, HpEcn ecn, gint64 now)
{
  gboolean is_urgent;

  if (self->received.n_ranges == 0 || number > self->largest)
    {
      self->largest = number;
      self->largest_at = now;
    }
  if (hp_ranges_add (&self->received, number, number + 1) == 0)
    return;
  hp_ranges_keep_highest (&self->received, HP_MAX_ACK_RANGES);
  is_urgent = count_mark (self, ecn);
  if (!ack_eliciting)
    return;

  self->unreported++;
  count (self, now);
  /* Section 13.2.1: at once when it comes late, or leaves a gap before it */
  if (number < self->next_eliciting
      || !hp_ranges_covers (&self->received, self->next_eliciting, number)
      || self->unreported >= self->every || is_urgent)
    self->due = TRUE;
  else
    self->deadline = MIN (self->deadline,
                          now
                              + (self->every > HP_ACK_EVERY
                                     ? self->interval
                                     : HP_MAX_ACK_DELAY));
  self->next_eliciting = MAX (self->next_eliciting, number + 1);
}

void
hp_ack_tracker_expire (HpAckTracker *self, gint64 now)
{
  if (self->deadline > now)
    return;
  self->due = TRUE;
  self->deadline = G_MAXINT64;
}

gboolean
hp_ack_tracker_has_news (const HpAckTracker *self)
{
  return self->unreported > 0;
}

gboolean
hp_ack_tracker_is_due (const HpAckTracker *self)
{
  return self->due;
}

void
hp_ack_tracker_fill (const HpAckTracker *self, HpAckFrame *ack,
                     guint max_ranges, gint64 now)
{
  const HpRanges *received = &self->received;

  g_assert (received->n_ranges > 0);
  ack->largest = self->largest;
  ack->delay = MAX (now - self->largest_at, 0);
  ack->n_ranges = MIN (received->n_ranges, MIN (max_ranges, HP_MAX_ACK_RANGES));
  for (guint i = 0; i < ack->n_ranges; i++)
    ack->ranges[i] = received->ranges[received->n_ranges - 1 - i];
  ack->marks = self->marks;
  ack->has_marks
      = self->marks.ect_0 + self->marks.ect_1 + self->marks.ce > 0;
}

void
hp_ack_tracker_sent (HpAckTracker *self)
{
  self->unreported = 0;
  self->due = FALSE;
  self->deadline = G_MAXINT64;
}

void
hp_ack_tracker_confirmed (HpAckTracker *self, guint64 largest)
{
  /* Never all of them: an ACK names one number at least. */
  hp_ranges_remove (&self->received, 0, MIN (largest, self->largest));
}
