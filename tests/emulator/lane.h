/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "knobs.h"
#include "packet.h"

/* One direction of an emulated link, without I/O and without a clock:
 *
 *        lane_offer ()                                       lane_take ()
 *           ──▸ [ queue: drop-tail ] ──▸ wire at its rate ──▸ delay ──▸
 *                   │         │                  │
 *                too large   full               loss
 *
 * A packet occupies the wire for its size divided by the rate, then it is lost
 * or not; so loss costs rate, as on a real wire.  The times are exact whenever
 * the functions are called, as long as packets are offered when they come. */
typedef struct _Lane Lane;

Lane *lane_new (const Knobs *knobs, PacketPool *pool, guint32 seed);
void lane_free (Lane *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Lane, lane_free)

Knobs *lane_get_knobs (Lane *self);

void lane_offer (Lane *self, Packet *packet, gint64 now);
Packet *lane_take (Lane *self, gint64 now);
gint64 lane_get_deadline (Lane *self);

void lane_forget_statistics (Lane *self);
void lane_write_statistics (Lane *self, GString *json);
