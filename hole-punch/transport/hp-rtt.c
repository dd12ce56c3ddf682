/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-rtt.h"

void
hp_rtt_init (HpRtt *self)
{
  *self = (HpRtt){
    .latest = -1,
    .adjusted = -1,
    .minimum = -1,
    .smoothed = HP_RTT_INITIAL,
    .variation = HP_RTT_INITIAL / 2,
    .first_sample_at = G_MAXINT64,
  };
}

gboolean
hp_rtt_is_measured (const HpRtt *self)
{
  return self->latest >= 0;
}

void
hp_rtt_suggest (HpRtt *self, gint64 round_trip)
{
  if (hp_rtt_is_measured (self))
    return;
  self->smoothed = MAX (round_trip, HP_RTT_GRANULARITY);
  self->variation = self->smoothed / 2;
}

void
hp_rtt_add_sample (HpRtt *self, gint64 sample, guint64 ack_delay,
                   gint64 max_ack_delay, gint64 now)
{
  gint64 delay = MIN (ack_delay, (guint64) max_ack_delay);
  gint64 adjusted;

  sample = MAX (sample, 1);
  self->latest = sample;
  if (self->minimum < 0)
    {
      self->minimum = sample;
      self->adjusted = sample;
      self->smoothed = sample;
      self->variation = sample / 2;
      self->first_sample_at = now;
      return;
    }

  self->minimum = MIN (self->minimum, sample);
  /* A claimed delay never takes the sample below the minimum. */
  adjusted = sample >= self->minimum + delay ? sample - delay : sample;
  self->adjusted = adjusted;
  self->variation
      = (3 * self->variation + ABS (self->smoothed - adjusted)) / 4;
  self->smoothed = (7 * self->smoothed + adjusted) / 8;
}

gint64
hp_rtt_get_loss_delay (const HpRtt *self)
{
  gint64 longest = MAX (self->latest, self->smoothed);

  return MAX (longest + longest / 8, HP_RTT_GRANULARITY);
}

gint64
hp_rtt_get_probe_timeout (const HpRtt *self, gint64 max_ack_delay)
{
  return self->smoothed + MAX (4 * self->variation, HP_RTT_GRANULARITY)
         + max_ack_delay;
}
