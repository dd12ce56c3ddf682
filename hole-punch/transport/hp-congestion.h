/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A congestion controller: a small vtable, one file per algorithm. One
 * instance a path. All sizes in bytes, all times in µs.
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
  guint64 delivered;    /* of the path when it was sent, for rate samples */
  gint64 delivered_at;
} HpSentInfo;

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
  void (*on_sent) (HpCongestion *self, const HpSentInfo *packet,
                   const HpCongestionContext *context);
  void (*on_acked) (HpCongestion *self, const HpSentInfo *packet,
                    const HpCongestionContext *context);
  void (*on_lost) (HpCongestion *self, const HpSentInfo *packet,
                   const HpCongestionContext *context);
  /* RFC 9002, section 7.6 */
  void (*on_persistent) (HpCongestion *self,
                         const HpCongestionContext *context);
  gsize (*get_window) (const HpCongestion *self);
  /* Bytes per second, 0: derive it from the window and the round trip */
  guint64 (*get_pacing_rate) (const HpCongestion *self);
} HpCongestionClass;

extern const HpCongestionClass hp_congestion_new_reno;
