/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A congestion controller: a small vtable, one per algorithm. One instance a
 * path. All sizes in bytes, all times in µs.
 *
 * A call per packet costs, so a controller that wants none leaves on_acked
 * NULL, and learns all from on_ack_end.
 */

#pragma once

#include <glib.h>

typedef struct _HpCongestion HpCongestion;

typedef struct
{
  guint64 number;
  gsize size;
  gint64 sent_at;
  gboolean app_limited; /* the sender had nothing more to send */
  gsize in_flight;      /* when it was sent, with it */
  gsize lost;           /* from when it was sent up to now, with it */
} HpSentInfo;

/* What an ACK says of the path, over the round trip that its newest packet
 * took (draft-ietf-ccwg-bbr, section 4.1) */
typedef struct
{
  guint64 delivered;       /* up to now */
  guint64 prior_delivered; /* when the newest packet was sent */
  guint64 rate;            /* bytes per second, 0: no sample */
  gboolean app_limited;    /* the sender had nothing more to send then */
  gsize in_flight;         /* when the newest packet was sent, with it */
  gsize lost;              /* since then */
  /* Since the last sample */
  gsize newly_acked;
  guint n_acked;
  guint n_lost;
} HpRateSample;

typedef struct
{
  gint64 round_trip;      /* of this ACK's largest packet, or -1 */
  gint64 min_round_trip;
  gint64 smoothed_round_trip;
  gsize bytes_in_flight;  /* after the ACK or loss */
  gsize datagram_size;
  gint64 now;
} HpCongestionContext;

typedef struct
{
  const char *name;
  HpCongestion *(*create) (gsize datagram_size, gint64 now);
  void (*free) (HpCongestion *self);
  /* All but get_window and get_pacing_rate may be NULL. */
  /* A packet is sent with nothing else in flight. */
  void (*on_restart) (HpCongestion *self, gboolean app_limited,
                      const HpCongestionContext *context);
  void (*on_acked) (HpCongestion *self, const HpSentInfo *packet,
                    const HpCongestionContext *context);
  void (*on_lost) (HpCongestion *self, const HpSentInfo *packet,
                   const HpCongestionContext *context);
  /* All packets of an ACK, and what it showed to be lost, are told. */
  void (*on_ack_end) (HpCongestion *self, const HpRateSample *sample,
                      const HpCongestionContext *context);
  /* A packet that was told as lost had arrived nonetheless. */
  void (*on_spurious) (HpCongestion *self, const HpSentInfo *packet,
                       const HpCongestionContext *context);
  /* @n_marked packets were marked by ECN; the newest acknowledged one was sent
   * at @sent_at (RFC 9002, section 7.1). Before on_ack_end. */
  void (*on_congestion_experienced) (HpCongestion *self, guint64 n_marked,
                                     gint64 sent_at,
                                     const HpCongestionContext *context);
  /* RFC 9002, section 7.6 */
  void (*on_persistent) (HpCongestion *self,
                         const HpCongestionContext *context);
  gsize (*get_window) (const HpCongestion *self);
  /* Bytes per second, 0: derive it from the window and the round trip */
  guint64 (*get_pacing_rate) (const HpCongestion *self);
} HpCongestionClass;

/* After BBRv3: the default */
extern const HpCongestionClass hp_congestion_bbr;
/* The simple reference */
extern const HpCongestionClass hp_congestion_new_reno;
