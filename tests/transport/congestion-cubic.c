/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "congestion-cubic.h"

#include <math.h>

#define C 0.4
#define BETA 0.7

struct _HpCongestion
{
  double window; /* datagrams */
  double threshold;
  double most;   /* the window at the last reduction */
  double at_epoch;
  gint64 epoch;  /* of this growth, 0: none yet */
  gint64 recovery_since;
  gsize datagram_size;
};

static HpCongestion *
cubic_create (gsize datagram_size, gint64 now)
{
  HpCongestion *self = g_new0 (HpCongestion, 1);

  self->window = 10;
  self->threshold = G_MAXDOUBLE;
  self->recovery_since = G_MININT64;
  self->datagram_size = datagram_size;
  return self;
}

static void
cubic_free (HpCongestion *self)
{
  g_free (self);
}

static void
cubic_on_acked (HpCongestion *self, const HpSentInfo *packet,
                const HpCongestionContext *context)
{
  double round_trip = context->smoothed_round_trip / 1e6;
  double target;
  double k;

  if (packet->app_limited || packet->sent_at <= self->recovery_since)
    return;
  if (self->window < self->threshold)
    {
      self->window++;
      return;
    }
  if (self->epoch == 0)
    {
      self->epoch = context->now;
      self->at_epoch = self->window;
    }
  k = cbrt (MAX (self->most - self->at_epoch, 0) / C);
  target = self->most
           + C * pow ((context->now - self->epoch) / 1e6 + round_trip - k, 3);
  target = CLAMP (target, self->window, 1.5 * self->window);
  self->window += (target - self->window) / self->window;
}

static void
cubic_on_lost (HpCongestion *self, const HpSentInfo *packet,
               const HpCongestionContext *context)
{
  if (packet->sent_at <= self->recovery_since)
    return;
  self->recovery_since = context->now;
  self->most = self->window;
  self->window = MAX (self->window * BETA, 2);
  self->threshold = self->window;
  self->epoch = 0;
}

static void
cubic_on_persistent (HpCongestion *self, const HpCongestionContext *context)
{
  self->window = 2;
  self->epoch = 0;
}

static gsize
cubic_get_window (const HpCongestion *self)
{
  return self->window * self->datagram_size;
}

static guint64
cubic_get_pacing_rate (const HpCongestion *self)
{
  return 0;
}

const HpCongestionClass congestion_cubic = {
  .name = "cubic",
  .create = cubic_create,
  .free = cubic_free,
  .on_acked = cubic_on_acked,
  .on_lost = cubic_on_lost,
  .on_persistent = cubic_on_persistent,
  .get_window = cubic_get_window,
  .get_pacing_rate = cubic_get_pacing_rate,
};
