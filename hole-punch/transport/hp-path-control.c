/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-path-control.h"

/* Linux gives a socket so much that asks for nothing. */
#define RECEIVE_BUFFER_DEFAULT (208 * 1024)
/* Less is not believed: it would make the bursts useless. */
#define RECEIVE_BUFFER_MIN (64 * 1024)
/* Nor is more, which no system gives: the pacer counts in parts of bytes. */
#define RECEIVE_BUFFER_MAX (1024 * 1024 * 1024)

static void
start (HpPathControl *self, gsize datagram_size, gint64 now)
{
  self->congestion = self->class->create (datagram_size, now);
  self->datagram_size = datagram_size;
  hp_rtt_init (&self->round_trip);
  hp_pacer_init (&self->pacer, datagram_size, now);
  hp_pacer_set_burst_max (&self->pacer, self->receive_buffer / 4);
  hp_pacer_set_initial_window (&self->pacer,
                               self->class->get_window (self->congestion));
  hp_delivery_rate_init (&self->delivery, now);
  self->in_flight = 0;
  self->probe_excess = 0;
  self->app_limited_before = 0;
  hp_path_control_update_pacer (self, now);
}

void
hp_path_control_init (HpPathControl *self, const HpCongestionClass *class,
                      gsize datagram_size, gint64 now)
{
  *self = (HpPathControl){
    .class = class,
    .receive_buffer = RECEIVE_BUFFER_DEFAULT,
  };
  start (self, datagram_size, now);
}

void
hp_path_control_clear (HpPathControl *self)
{
  g_clear_pointer (&self->congestion, self->class->free);
}

void
hp_path_control_set_receive_buffer (HpPathControl *self, guint64 bytes)
{
  self->receive_buffer
      = bytes == 0 ? RECEIVE_BUFFER_DEFAULT
                   : CLAMP (bytes, RECEIVE_BUFFER_MIN, RECEIVE_BUFFER_MAX);
  hp_pacer_set_burst_max (&self->pacer, self->receive_buffer / 4);
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

void
hp_path_control_renew (HpPathControl *self, gsize datagram_size, gint64 now)
{
  HpRtt round_trip = self->round_trip;

  hp_path_control_clear (self);
  self->epoch++;
  start (self, datagram_size, now);
  self->round_trip = round_trip;
  hp_path_control_update_pacer (self, now);
}

/* A probe may fill the window all by itself. It is not to stop all else until
 * its ACK, a delayed one, has come: it counts as one of the usual size. */
static void
add_to_flight (HpPathControl *self, const HpSentPacket *packet)
{
  self->in_flight += packet->size;
  if (packet->is_mtu_probe && packet->size > self->datagram_size
      && packet->size + self->datagram_size > self->window)
    self->probe_excess = packet->size - self->datagram_size;
}

static void
take_from_flight (HpPathControl *self, const HpSentPacket *packet)
{
  self->in_flight -= packet->size;
  if (packet->is_mtu_probe)
    self->probe_excess = 0;
}

static HpSentInfo
describe (const HpPathControl *self, const HpSentPacket *packet)
{
  return (HpSentInfo){
    .number = packet->number,
    .size = packet->size,
    .sent_at = packet->sent_at,
    .app_limited = packet->number < self->app_limited_before,
    .in_flight = packet->in_flight,
    .lost = hp_delivery_rate_lost_since (&self->delivery, packet),
  };
}

static HpCongestionContext
get_context (const HpPathControl *self, gint64 now)
{
  return (HpCongestionContext){
    .round_trip = self->round_trip.adjusted,
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
  /* A window that was fitting may be less than one of the larger datagrams
   * that the path turned out to carry. */
  return self->in_flight == 0
         || self->in_flight - self->probe_excess + self->datagram_size
                <= self->window;
}

void
hp_path_control_app_limited (HpPathControl *self, gint64 now)
{
  hp_pacer_set_awaited (&self->pacer, FALSE, now);
  self->app_limited_before = self->next_number;
  hp_delivery_rate_app_limited (&self->delivery, self->in_flight);
}

void
hp_path_control_sent (HpPathControl *self, HpSentPacket *packet, gint64 now)
{
  if (self->in_flight == 0 && self->class->on_restart != NULL)
    {
      HpCongestionContext context = get_context (self, now);

      self->class->on_restart (self->congestion,
                               self->delivery.app_limited_until != 0,
                               &context);
      hp_path_control_update_pacer (self, now);
    }
  hp_delivery_rate_sent (&self->delivery, packet, self->in_flight);
  add_to_flight (self, packet);
  self->is_blocked |= !hp_path_control_has_window (self);
  self->next_number = packet->number + 1;
  hp_pacer_sent (&self->pacer, packet->size, now);
}

void
hp_path_control_acked (HpPathControl *self, const HpSentPacket *packet,
                       gint64 now)
{
  HpCongestionContext context;
  HpSentInfo info;

  if (packet->path_epoch != self->epoch)
    return;
  take_from_flight (self, packet);
  hp_delivery_rate_acked (&self->delivery, packet, now);
  if (self->class->on_acked == NULL)
    return;
  info = describe (self, packet);
  context = get_context (self, now);
  self->class->on_acked (self->congestion, &info, &context);
}

void
hp_path_control_lost (HpPathControl *self, const HpSentPacket *packet,
                      gint64 now)
{
  HpCongestionContext context;
  HpSentInfo info;

  if (packet->path_epoch != self->epoch)
    return;
  take_from_flight (self, packet);
  /* RFC 9000, section 14.4 */
  if (packet->is_mtu_probe)
    return;
  hp_delivery_rate_lost (&self->delivery, packet);
  if (self->class->on_lost == NULL)
    return;
  info = describe (self, packet);
  context = get_context (self, now);
  self->class->on_lost (self->congestion, &info, &context);
}

void
hp_path_control_spurious (HpPathControl *self, const HpSentPacket *packet,
                          gint64 now)
{
  HpCongestionContext context;
  HpSentInfo info;

  if (packet->path_epoch != self->epoch || packet->is_mtu_probe)
    return;
  hp_delivery_rate_spurious (&self->delivery, packet);
  if (self->class->on_spurious == NULL)
    return;
  info = describe (self, packet);
  context = get_context (self, now);
  self->class->on_spurious (self->congestion, &info, &context);
}

void
hp_path_control_congestion_experienced (HpPathControl *self, guint64 n_marked,
                                        gint64 sent_at, gint64 now)
{
  HpCongestionContext context = get_context (self, now);

  if (self->class->on_congestion_experienced != NULL)
    self->class->on_congestion_experienced (self->congestion, n_marked,
                                            sent_at, &context);
}

void
hp_path_control_ack_end (HpPathControl *self, gint64 now)
{
  HpRateSample sample;

  if (self->is_blocked && self->in_flight > 0)
    hp_pacer_forfeit (&self->pacer, now);
  self->is_blocked = FALSE;
  if (hp_delivery_rate_end (&self->delivery, self->round_trip.minimum,
                            &sample)
      && self->class->on_ack_end != NULL)
    {
      HpCongestionContext context = get_context (self, now);

      self->class->on_ack_end (self->congestion, &sample, &context);
    }
  self->round_trip.adjusted = -1;
  hp_path_control_update_pacer (self, now);
}

void
hp_path_control_persistent (HpPathControl *self, gint64 now)
{
  HpCongestionContext context = get_context (self, now);

  if (self->class->on_persistent != NULL)
    self->class->on_persistent (self->congestion, &context);
}

void
hp_path_control_update_pacer (HpPathControl *self, gint64 now)
{
  guint64 rate = self->class->get_pacing_rate (self->congestion);

  self->window = self->class->get_window (self->congestion);
  if (rate == 0)
    rate = hp_pacer_derive_rate (self->window, self->round_trip.smoothed);
  hp_pacer_set_rate (&self->pacer, rate, self->datagram_size, now);
  self->is_blocked |= !hp_path_control_has_window (self);
}
