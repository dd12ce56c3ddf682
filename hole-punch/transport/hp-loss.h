/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Which packets arrived, which are lost, and when to ask (RFC 9002, section
 * 6 and 7.6). What that means for streams and windows is for the observer.
 *
 * What is lost stays in the ring for a while: if it is acknowledged after all,
 * the path reorders, and more patience is needed (RFC 9002, section 6.1, allows
 * it; RFC 8985, section 6.2, is the model). Once packets have come out of order
 * their number says nothing any more, only time does.
 *
 * Only ack-eliciting packets are kept, and the packet threshold counts
 * only those: numbers are shared with packets sent by others, by other paths.
 */

#pragma once

#include "hole-punch/transport/hp-rtt.h"
#include "hole-punch/transport/hp-sent-ring.h"
#include "hole-punch/wire/hp-frame.h"

#define HP_PACKET_THRESHOLD 3
/* A probe at least so often, however long nothing was heard: the rate that
 * RFC 8085, section 3.1.3, allows to those who know nothing of the path */
#define HP_PROBE_PERIOD_MAX (3 * G_TIME_SPAN_SECOND)

typedef struct
{
  void (*acked) (gpointer user_data, const HpSentPacket *packet);
  void (*lost) (gpointer user_data, const HpSentPacket *packet);
  /* One told as lost is acknowledged: its records are gone. May be NULL */
  void (*spurious) (gpointer user_data, const HpSentPacket *packet);
  /* All that was sent over a long period on the present path is lost */
  void (*persistent) (gpointer user_data);
} HpLossObserver;

typedef struct
{
  const HpLossObserver *observer;
  gpointer user_data;
  HpSentRing ring;
  HpRtt *round_trip;       /* of the present path */
  guint32 path_epoch;
  gint64 max_ack_delay;    /* the other side's */
  guint64 next_number;     /* after the last one sent */
  guint64 n_outstanding;
  guint64 first_outstanding; /* ordinal; those before it are settled */
  guint64 after_acked;     /* ordinal after the largest acknowledged one */
  gint64 loss_time;        /* when a packet becomes lost, G_MAXINT64: never */
  gint64 timer_since;      /* last packet sent, or timeout */
  guint n_probes;          /* timeouts in a row */
  gint64 lost_since;       /* of the run of lost packets that ends at the */
  gint64 lost_until;       /* first outstanding one: sending times, -1: none */
  /* Of the newest ACK: what later ones say again is not looked at again. */
  guint n_known;
  HpRange known[HP_MAX_ACK_RANGES];
  /* Reordering on the present path */
  gboolean is_reordering;  /* packets were acknowledged out of order */
  guint patience;          /* steps of waiting longer, of min_rtt / 4 each */
  gint64 patience_since;   /* one step more a round trip at most */
  guint n_patient;         /* round trips with losses since then */
  gint64 patient_since;
} HpLoss;

void hp_loss_init (HpLoss *self, const HpLossObserver *observer,
                   gpointer user_data, HpRtt *round_trip);
void hp_loss_clear (HpLoss *self);
/* The records added to the ring were sent in packet @number. */
HpSentPacket *hp_loss_sent (HpLoss *self, guint64 number, gsize size,
                            gint64 now);
/* Whether it acknowledges something new. Numbers that are not in the ring
 * are passed over. */
gboolean hp_loss_acknowledge (HpLoss *self, const HpAckFrame *ack, gint64 now);
/* From now on packets go another way, whose round trip is measured afresh. */
void hp_loss_set_path (HpLoss *self, guint32 path_epoch);
gint64 hp_loss_get_deadline (const HpLoss *self);
/* Whether a probe is due */
gboolean hp_loss_expire (HpLoss *self, gint64 now);
/* The oldest packet without an acknowledgement, or NULL */
const HpSentPacket *hp_loss_get_oldest (const HpLoss *self);
