/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-rate.h"

#define DISTANCE (250 * G_TIME_SPAN_MILLISECOND)
/* Below a byte a second nothing is left to hope for. */
#define MIN_RATE 1

void
hp_tool_rate_init (HpToolRate *self, gint64 now)
{
  *self = (HpToolRate){ .latest.time = now };
  self->samples[0] = self->latest;
  self->n_samples = 1;
}

void
hp_tool_rate_update (HpToolRate *self, guint64 done, gint64 now)
{
  guint last = (self->oldest + self->n_samples - 1) % HP_TOOL_RATE_SAMPLES;

  self->latest = (HpToolRateSample){ .time = now, .done = done };
  if (now - self->samples[last].time < DISTANCE)
    return;
  self->samples[(last + 1) % HP_TOOL_RATE_SAMPLES] = self->latest;
  if (self->n_samples < HP_TOOL_RATE_SAMPLES)
    self->n_samples++;
  else
    self->oldest = (self->oldest + 1) % HP_TOOL_RATE_SAMPLES;
}

double
hp_tool_rate_get (const HpToolRate *self)
{
  const HpToolRateSample *oldest = &self->samples[self->oldest];
  gint64 time = self->latest.time - oldest->time;

  if (time <= 0 || self->latest.done <= oldest->done)
    return 0;
  return (self->latest.done - oldest->done) * (double) G_TIME_SPAN_SECOND
         / time;
}

gint64
hp_tool_rate_get_time_left (const HpToolRate *self, guint64 size)
{
  double rate = hp_tool_rate_get (self);
  double left;

  if (self->latest.done >= size)
    return 0;
  if (rate < MIN_RATE)
    return -1;
  left = (size - self->latest.done) / rate * G_TIME_SPAN_SECOND;
  return left < (double) G_MAXINT64 ? (gint64) left : -1;
}
