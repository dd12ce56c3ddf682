/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How fast one path may be used: its round trip, congestion window, pacer and
 * datagram size. All of it starts afresh on another path (RFC 9000, section
 * 9.4).
 */

#pragma once

#include "hole-punch/transport/hp-congestion.h"
#include "hole-punch/transport/hp-delivery-rate.h"
#include "hole-punch/transport/hp-pacer.h"
#include "hole-punch/transport/hp-rtt.h"
#include "hole-punch/transport/hp-sent-ring.h"

typedef struct
{
  const HpCongestionClass *class;
  HpCongestion *congestion;
  HpRtt round_trip;
  HpPacer pacer;
  gsize receive_buffer; /* of the other side's socket */
  guint path;
  guint32 epoch; /* counts the paths so far, should one be taken again */
  gsize datagram_size;
  gsize in_flight;
  gsize probe_excess; /* what an MTU probe in flight is larger than others */
  gboolean is_blocked;        /* by the window, since the last ACK */
  gsize window;               /* what the controller said last */
  HpDeliveryRate delivery;
  guint64 next_number;        /* after the last packet sent */
  guint64 app_limited_before; /* numbers up to here left the window unused */
} HpPathControl;

void hp_path_control_init (HpPathControl *self, const HpCongestionClass *class,
                           gsize datagram_size, gint64 now);
void hp_path_control_clear (HpPathControl *self);
/* That of the other side's socket, 0: it did not say. A quarter of it is sent
 * at once at most. */
void hp_path_control_set_receive_buffer (HpPathControl *self, guint64 bytes);
/* TRUE if that is another path; else only the size changes. */
gboolean hp_path_control_set (HpPathControl *self, guint path,
                              gsize datagram_size, gint64 now);
/* The same path became another one, but for its round trip. */
void hp_path_control_renew (HpPathControl *self, gsize datagram_size,
                            gint64 now);
gboolean hp_path_control_has_window (const HpPathControl *self);
/* There was a window, and nothing to send: acknowledgements of packets up to
 * now do not widen it, and those of the next ones do not tell how much the path
 * bears. */
void hp_path_control_app_limited (HpPathControl *self, gint64 now);
void hp_path_control_sent (HpPathControl *self, HpSentPacket *packet,
                           gint64 now);
/* All three pass over packets of earlier paths. */
void hp_path_control_acked (HpPathControl *self, const HpSentPacket *packet,
                            gint64 now);
void hp_path_control_lost (HpPathControl *self, const HpSentPacket *packet,
                           gint64 now);
/* It had been told as lost, and came all the same. */
void hp_path_control_spurious (HpPathControl *self,
                               const HpSentPacket *packet, gint64 now);
/* Of the packets acknowledged, whose newest was sent at @sent_at, @n_marked
 * were marked on their way (ECN); before hp_path_control_ack_end() */
void hp_path_control_congestion_experienced (HpPathControl *self,
                                             guint64 n_marked, gint64 sent_at,
                                             gint64 now);
/* All of an ACK is taken in. */
void hp_path_control_ack_end (HpPathControl *self, gint64 now);
void hp_path_control_persistent (HpPathControl *self, gint64 now);
/* Tells the pacer what window and round trip became */
void hp_path_control_update_pacer (HpPathControl *self, gint64 now);
