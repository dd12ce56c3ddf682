/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How fast a path delivers (draft-ietf-ccwg-bbr, section 4.1): each packet
 * takes along what had been delivered when it was sent; when it is
 * acknowledged, the difference over the time is a sample. The time is the
 * longer one of sending and of acknowledging that much, so that neither a burst
 * nor bunched ACKs look like bandwidth.
 */

#pragma once

#include "hole-punch/transport/hp-congestion.h"
#include "hole-punch/transport/hp-sent-ring.h"

typedef struct
{
  guint64 delivered; /* bytes acknowledged */
  gint64 delivered_at;
  gint64 first_sent_at; /* of what is being sampled, see section 4.1.2.1 */
  guint64 lost;         /* bytes */
  guint64 app_limited_until; /* that much delivered; 0: is not */
  /* The newest packet of the ACK being taken in */
  gboolean has_newest;
  HpSentPacket newest;
  gsize newly_acked;
  guint n_acked;
  guint n_lost;
} HpDeliveryRate;

void hp_delivery_rate_init (HpDeliveryRate *self, gint64 now);
/* Fills in what the packet takes along. @in_flight: without it */
void hp_delivery_rate_sent (HpDeliveryRate *self, HpSentPacket *packet,
                            gsize in_flight);
void hp_delivery_rate_acked (HpDeliveryRate *self, const HpSentPacket *packet,
                             gint64 now);
void hp_delivery_rate_lost (HpDeliveryRate *self, const HpSentPacket *packet);
/* A packet that had counted as lost has come. */
void hp_delivery_rate_spurious (HpDeliveryRate *self,
                                const HpSentPacket *packet);
/* Bytes lost since @packet was sent */
gsize hp_delivery_rate_lost_since (const HpDeliveryRate *self,
                                   const HpSentPacket *packet);
/* There was a window, and nothing to send. */
void hp_delivery_rate_app_limited (HpDeliveryRate *self, gsize in_flight);
/* The ACK is taken in. FALSE: it acknowledged nothing. A sample over less than
 * @min_round_trip has no rate. */
gboolean hp_delivery_rate_end (HpDeliveryRate *self, gint64 min_round_trip,
                               HpRateSample *sample);
