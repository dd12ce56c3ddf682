/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-path-control.h"

static void
start (HpPathControl *self, gsize datagram_size, gint64 now)
{
  self->congestion = self->class->create (datagram_size, now);
  self->datagram_size = datagram_size;
  hp_rtt_init (&self->round_trip);
  hp_pacer_init (&self->pacer, datagram_size, now);
  self->in_flight = 0;
  self->delivered = 0;
  self->delivered_at = now;
  self->app_limited_before = 0;
  hp_path_control_update_pacer (self, now);
}

void
hp_path_control_init (HpPathControl *self, const HpCongestionClass *class,
                      gsize datagram_size, gint64 now)
{
  *self = (HpPathControl){ .class = class };
  start (self, datagram_size, now);
}

void
hp_path_control_clear (HpPathControl *self)
{
  g_clear_pointer (&self->congestion, self->class->free);
}

gboolean
hp_path_control_set (HpPathControl *self, guint path, gsize datagram_size,
                     gint64 now)
{
  if (path == self->path)
    {
      self->datagram_size = datagram_size;
      hp_path_control_update_pacer (self, now);
      return FALSE;
    }
  hp_path_control_clear (self);
  self->path = path;
  self->epoch++;
  start (self, datagram_size, now);
  return TRUE;
}

static void
describe (const HpPathControl *self, const HpSentPacket *packet, gint64 now,
          HpSentInfo *info, HpCongestionContext *context)
{
  *info = (HpSentInfo){
    .number = packet->number,
    .size = packet->size,
    .sent_at = packet->sent_at,
    .app_limited = packet->ordinal < self->app_limited_before,
    .delivered = packet->delivered,
    .delivered_at = packet->delivered_at,
  };
  *context = (HpCongestionContext){
    .round_trip = self->round_trip.latest,
    .min_round_trip = self->round_trip.minimum,
    .smoothed_round_trip = self->round_trip.smoothed,
    .bytes_in_flight = self->in_flight,
    .datagram_size = self->datagram_size,
    .now = now,
  };
}

gboolean
hp_path_control_has_window (const HpPathControl *self)
{
  return self->in_flight + self->datagram_size
         <= self->class->get_window (self->congestion);
}

void
hp_path_control_app_limited (HpPathControl *self, guint64 before)
{
  self->app_limited_before = before;
}

void
hp_path_control_sent (HpPathControl *self, HpSentPacket *packet, gint64 now)
{
  HpSentInfo info;
  HpCongestionContext context;

  packet->delivered = self->delivered;
  packet->delivered_at = self->delivered_at;
  self->in_flight += packet->size;
  describe (self, packet, now, &info, &context);
  self->class->on_sent (self->congestion, &info, &context);
  hp_pacer_sent (&self->pacer, packet->size, now);
}

void
hp_path_control_acked (HpPathControl *self, const HpSentPacket *packet,
                       gint64 now)
{
  HpSentInfo info;
  HpCongestionContext context;

  if (packet->path_epoch != self->epoch)
    return;
  self->in_flight -= packet->size;
  self->delivered += packet->size;
  self->delivered_at = now;
  describe (self, packet, now, &info, &context);
  self->class->on_acked (self->congestion, &info, &context);
}

void
hp_path_control_lost (HpPathControl *self, const HpSentPacket *packet,
                      gint64 now)
{
  HpSentInfo info;
  HpCongestionContext context;

  if (packet->path_epoch != self->epoch)
    return;
  self->in_flight -= packet->size;
  describe (self, packet, now, &info, &context);
  self->class->on_lost (self->congestion, &info, &context);
}

void
hp_path_control_persistent (HpPathControl *self, gint64 now)
{
  HpSentPacket none = { 0 };
  HpSentInfo info;
  HpCongestionContext context;

  describe (self, &none, now, &info, &context);
  self->class->on_persistent (self->congestion, &context);
}

void
hp_path_control_update_pacer (HpPathControl *self, gint64 now)
{
  guint64 rate = self->class->get_pacing_rate (self->congestion);

  if (rate == 0)
    rate = hp_pacer_derive_rate (self->class->get_window (self->congestion),
                                 self->round_trip.smoothed);
  hp_pacer_set_rate (&self->pacer, rate, self->datagram_size, now);
}
