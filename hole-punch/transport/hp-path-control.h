/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How fast one path may be used: its round trip, congestion window, pacer and
 * datagram size. All of it starts afresh on another path (RFC 9000, section
 * 9.4).
 */

#pragma once

#include "hole-punch/transport/hp-congestion.h"
#include "hole-punch/transport/hp-pacer.h"
#include "hole-punch/transport/hp-rtt.h"
#include "hole-punch/transport/hp-sent-ring.h"

typedef struct
{
  const HpCongestionClass *class;
  HpCongestion *congestion;
  HpRtt round_trip;
  HpPacer pacer;
  guint path;
  guint32 epoch; /* counts the paths so far, should one be taken again */
  gsize datagram_size;
  gsize in_flight;
  guint64 delivered;          /* bytes acknowledged */
  gint64 delivered_at;
  guint64 app_limited_before; /* ordinals up to here left the window unused */
} HpPathControl;

void hp_path_control_init (HpPathControl *self, const HpCongestionClass *class,
                           gsize datagram_size, gint64 now);
void hp_path_control_clear (HpPathControl *self);
/* TRUE if that is another path; else only the size changes. */
gboolean hp_path_control_set (HpPathControl *self, guint path,
                              gsize datagram_size, gint64 now);
gboolean hp_path_control_has_window (const HpPathControl *self);
/* There was a window, and nothing to send: acknowledgements of packets before
 * ordinal @before do not widen it. */
void hp_path_control_app_limited (HpPathControl *self, guint64 before);
void hp_path_control_sent (HpPathControl *self, HpSentPacket *packet,
                           gint64 now);
/* Both pass over packets of earlier paths. */
void hp_path_control_acked (HpPathControl *self, const HpSentPacket *packet,
                            gint64 now);
void hp_path_control_lost (HpPathControl *self, const HpSentPacket *packet,
                           gint64 now);
void hp_path_control_persistent (HpPathControl *self, gint64 now);
/* Tells the pacer what window and round trip became */
void hp_path_control_update_pacer (HpPathControl *self, gint64 now);
