/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the parts of the conductor share: hp-transport.c is its outside and
 * hears, hp-transport-streams.c is what byte streams add to that,
 * hp-transport-path.c what is found out about the path, hp-transport-write.c
 * composes packets.
 */

#pragma once

#include "hole-punch/transport/hp-ack-tracker.h"
#include "hole-punch/transport/hp-byte-streams.h"
#include "hole-punch/transport/hp-control-queue.h"
#include "hole-punch/transport/hp-loss.h"
#include "hole-punch/transport/hp-path-control.h"
#include "hole-punch/transport/hp-path-ecn.h"
#include "hole-punch/transport/hp-path-mtu.h"
#include "hole-punch/transport/hp-receive-queue.h"
#include "hole-punch/transport/hp-send-queue.h"
#include "hole-punch/transport/hp-transport.h"

/* Packets in flight, however large the window and small the packets */
#define HP_SENT_RING_MAX (1 << 17)

#define HP_SKIPPED_NUMBERS 4

struct _HpTransport
{
  HpTransportConfig config;
  gint64 now; /* of the call we are in */
  gboolean started; /* the other side's parameters are known */
  gboolean is_responder;

  HpPathControl path;
  HpPathMtu mtu; /* of it */
  HpPathEcn ecn;
  HpLoss loss;
  HpAckTracker acks;
  HpSendQueue sending;
  HpReceiveQueue receiving;
  HpReceivePool pool; /* for windows to grow */
  HpByteStreams streams;
  HpControlQueue control;
  GQueue events;
  GQueue spare_events; /* what they are made of, to be used again */

  guint64 skipped[HP_SKIPPED_NUMBERS];
  guint n_skipped; /* ever */

  gboolean may_mark;   /* on this path */
  gboolean is_marked;  /* the packet written last */
  gboolean goes_alone;
  gboolean is_narrower; /* the path, and that was found out just now */
  guint n_probes; /* packets to go out whatever window and pacer say */
  gboolean wants_ping;
  gboolean wants_pull; /* taking an event has freed what is to be told */
  gint64 waiting_since;
  HpTransportStatistics statistics;
};

/* Valid until it is taken */
HpTransportEvent *hp_transport_push_event (HpTransport *self,
                                           HpTransportEventType type,
                                           guint64 stream);

/* What is found out about the path */
void hp_transport_path_acked (HpTransport *self, const HpSentPacket *packet);
void hp_transport_path_lost (HpTransport *self, const HpSentPacket *packet);
/* After all packets of an ACK: what it counted */
void hp_transport_take_marks (HpTransport *self, const HpAckFrame *ack);
/* After anything that may have told of lost packets */
void hp_transport_take_narrower_path (HpTransport *self);

/* What byte streams have to say */
void hp_transport_init_streams (HpTransport *self);
gboolean hp_transport_is_stream_frame (const HpFrame *frame);
gboolean hp_transport_receive_stream_frame (HpTransport *self,
                                            const HpFrame *frame,
                                            gint64 now)
    G_GNUC_WARN_UNUSED_RESULT;
void hp_transport_bytes_acked (gpointer user_data, guint64 number,
                               guint64 length);
void hp_transport_bytes_ended (gpointer user_data, guint64 number,
                               gboolean was_reset);

/* Something ack-eliciting is there to be sent */
gboolean hp_transport_has_content (const HpTransport *self);
