/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What packets tell of the path besides its speed: how large they may be, and
 * whether they may be marked.
 */

#include "hole-punch/transport/hp-transport-private.h"

static void
apply_size (HpTransport *self)
{
  hp_path_control_set (&self->path, self->path.path, self->mtu.size,
                       self->now);
}

static void
learn_size_from_acked (HpTransport *self, const HpSentPacket *packet)
{
  if (packet->path_epoch != self->path.epoch)
    return;
  if (!packet->is_mtu_probe)
    hp_path_mtu_acked (&self->mtu, packet->number, packet->size);
  else if (hp_path_mtu_probe_acked (&self->mtu, self->now))
    apply_size (self);
}

static void
learn_size_from_lost (HpTransport *self, const HpSentPacket *packet)
{
  if (packet->path_epoch != self->path.epoch)
    return;
  if (packet->is_mtu_probe)
    hp_path_mtu_probe_lost (&self->mtu, self->now);
  else if (hp_path_mtu_lost (&self->mtu, packet->number, packet->size))
    self->is_narrower = TRUE;
}

/* A path that carries less is another one: what its losses made of window and
 * rate was not congestion. */
void
hp_transport_take_narrower_path (HpTransport *self)
{
  if (!self->is_narrower)
    return;
  self->is_narrower = FALSE;
  hp_path_control_renew (&self->path, self->mtu.size, self->now);
  hp_loss_set_path (&self->loss, self->path.epoch);
}

void
hp_transport_path_acked (HpTransport *self, const HpSentPacket *packet)
{
  learn_size_from_acked (self, packet);
  hp_path_ecn_acked (&self->ecn, packet);
}

void
hp_transport_path_lost (HpTransport *self, const HpSentPacket *packet)
{
  learn_size_from_lost (self, packet);
  hp_path_ecn_lost (&self->ecn, packet);
}

void
hp_transport_take_marks (HpTransport *self, const HpAckFrame *ack)
{
  guint64 n_marked = hp_path_ecn_take (&self->ecn, ack);

  if (n_marked == 0)
    return;
  self->statistics.packets_marked += n_marked;
  hp_path_control_congestion_experienced (&self->path, n_marked,
                                          self->ecn.sent_at, self->now);
}

void
hp_transport_set_path (HpTransport *self, guint path, gsize datagram_size,
                       gint64 now)
{
  self->now = now;
  hp_path_mtu_init (&self->mtu, datagram_size);
  if (!hp_path_control_set (&self->path, path, datagram_size, now))
    return;
  self->may_mark = FALSE;
  hp_loss_set_path (&self->loss, self->path.epoch);
  /* One acknowledgement on the new path tells what the old one lost. */
  if (self->loss.n_outstanding > 0)
    self->n_probes = MAX (self->n_probes, 1);
}

void
hp_transport_allow_size (HpTransport *self, gsize maximum, gint64 now)
{
  self->now = now;
  hp_path_mtu_may_try (&self->mtu, maximum);
  apply_size (self);
}

void
hp_transport_allow_marks (HpTransport *self, gboolean may_mark)
{
  self->may_mark = may_mark;
}

gboolean
hp_transport_is_marked (const HpTransport *self)
{
  return self->is_marked;
}

gboolean
hp_transport_goes_alone (const HpTransport *self)
{
  return self->goes_alone;
}

gsize
hp_transport_get_datagram_size (const HpTransport *self)
{
  return self->mtu.size;
}

void
hp_transport_suggest_round_trip (HpTransport *self, gint64 round_trip,
                                 gint64 now)
{
  hp_rtt_suggest (&self->path.round_trip, round_trip);
  hp_ack_tracker_set_round_trip (&self->acks, self->path.round_trip.smoothed);
  hp_path_control_update_pacer (&self->path, now);
}
