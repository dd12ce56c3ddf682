/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-delivery-rate.h"

void
hp_delivery_rate_init (HpDeliveryRate *self, gint64 now)
{
  *self = (HpDeliveryRate){ .delivered_at = now, .first_sent_at = now };
}

static guint32
get_ago (gint64 now, gint64 then)
{
  return CLAMP (now - then, 0, G_MAXUINT32);
}

/* Section 4.1.2.2 */
void
hp_delivery_rate_sent (HpDeliveryRate *self, HpSentPacket *packet,
                       gsize in_flight)
{
  gint64 now = packet->sent_at;

  /* A pause is none of the path's. */
  if (in_flight == 0)
    self->first_sent_at = self->delivered_at = now;
  packet->delivered = self->delivered;
  packet->delivered_ago = get_ago (now, self->delivered_at);
  packet->first_sent_ago = get_ago (now, self->first_sent_at);
  packet->lost = self->lost;
  packet->in_flight = MIN (in_flight + packet->size, G_MAXUINT32);
  packet->is_app_limited = self->app_limited_until != 0;
}

/* Section 4.1.2.3 */
void
hp_delivery_rate_acked (HpDeliveryRate *self, const HpSentPacket *packet,
                        gint64 now)
{
  self->delivered += packet->size;
  self->delivered_at = now;
  self->newly_acked += packet->size;
  self->n_acked++;
  if (self->has_newest && packet->number < self->newest.number)
    return;
  self->has_newest = TRUE;
  self->newest = *packet;
  self->first_sent_at = packet->sent_at;
}

void
hp_delivery_rate_lost (HpDeliveryRate *self, const HpSentPacket *packet)
{
  self->lost += packet->size;
  self->n_lost++;
}

void
hp_delivery_rate_spurious (HpDeliveryRate *self, const HpSentPacket *packet)
{
  self->delivered += packet->size;
  self->newly_acked += packet->size;
  self->n_acked++;
  self->lost -= packet->size;
  if (self->n_lost > 0)
    self->n_lost--;
}

gsize
hp_delivery_rate_lost_since (const HpDeliveryRate *self,
                             const HpSentPacket *packet)
{
  gint32 lost = (guint32) self->lost - packet->lost;

  /* Below zero: losses from before that turned out to be none */
  return MAX (lost, 0);
}

void
hp_delivery_rate_app_limited (HpDeliveryRate *self, gsize in_flight)
{
  self->app_limited_until = MAX (self->delivered + in_flight, 1);
}

gboolean
hp_delivery_rate_end (HpDeliveryRate *self, gint64 min_round_trip,
                      HpRateSample *sample)
{
  const HpSentPacket *newest = &self->newest;
  gint64 interval;

  if (self->app_limited_until != 0
      && self->delivered > self->app_limited_until)
    self->app_limited_until = 0;
  if (!self->has_newest)
    return FALSE;
  interval = MAX (newest->first_sent_ago,
                  self->delivered_at - newest->sent_at
                      + newest->delivered_ago);
  *sample = (HpRateSample){
    .delivered = self->delivered,
    .prior_delivered = newest->delivered,
    .app_limited = newest->is_app_limited,
    .in_flight = newest->in_flight,
    .lost = hp_delivery_rate_lost_since (self, newest),
    .newly_acked = self->newly_acked,
    .n_acked = self->n_acked,
    .n_lost = self->n_lost,
  };
  /* Faster than the path can answer: ACKs were held up and came in a bunch. */
  if (interval > 0 && interval >= min_round_trip)
    sample->rate = (self->delivered - newest->delivered) * G_TIME_SPAN_SECOND
                   / interval;
  self->has_newest = FALSE;
  self->newly_acked = 0;
  self->n_acked = 0;
  self->n_lost = 0;
  return TRUE;
}
