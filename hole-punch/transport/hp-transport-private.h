/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the two halves of the conductor share: hp-transport.c is its outside
 * and hears, hp-transport-write.c composes packets.
 */

#pragma once

#include "hole-punch/transport/hp-ack-tracker.h"
#include "hole-punch/transport/hp-control-queue.h"
#include "hole-punch/transport/hp-loss.h"
#include "hole-punch/transport/hp-path-control.h"
#include "hole-punch/transport/hp-receive-queue.h"
#include "hole-punch/transport/hp-send-queue.h"
#include "hole-punch/transport/hp-transport.h"

/* Packets in flight, however large the window and small the packets */
#define HP_SENT_RING_MAX (1 << 17)

struct _HpTransport
{
  HpTransportConfig config;
  gint64 now; /* of the call we are in */
  gboolean started; /* the other side's parameters are known */

  HpPathControl path;
  HpLoss loss;
  HpAckTracker acks;
  HpSendQueue sending;
  HpReceiveQueue receiving;
  HpControlQueue control;
  GQueue events;

  guint n_probes; /* packets to go out whatever window and pacer say */
  gboolean wants_ping;
  gboolean wants_pull; /* taking an event has freed what is to be told */
  gint64 waiting_since;
  HpTransportStatistics statistics;
};

/* Something ack-eliciting is there to be sent */
gboolean hp_transport_has_content (const HpTransport *self);
