/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-ack-tracker.h"

void
hp_ack_tracker_init (HpAckTracker *self)
{
  *self = (HpAckTracker){ .deadline = G_MAXINT64 };
}

void
hp_ack_tracker_clear (HpAckTracker *self)
{
  hp_ranges_clear (&self->received);
}

void
hp_ack_tracker_received (HpAckTracker *self, guint64 number,
                         gboolean ack_eliciting, gint64 now)
{
  if (self->received.n_ranges == 0 || number > self->largest)
    {
      self->largest = number;
      self->largest_at = now;
    }
  if (hp_ranges_add (&self->received, number, number + 1) == 0)
    return;
  hp_ranges_keep_highest (&self->received, HP_MAX_ACK_RANGES);
  if (!ack_eliciting)
    return;

  self->unreported++;
  /* Section 13.2.1: at once when it comes late, or leaves a gap before it */
  if (number < self->next_eliciting
      || !hp_ranges_covers (&self->received, self->next_eliciting, number)
      || self->unreported >= HP_ACK_EVERY)
    self->due = TRUE;
  else
    self->deadline = MIN (self->deadline, now + HP_MAX_ACK_DELAY);
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
