/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Spreads packets over the round trip (RFC 9002, section 7.7): a token bucket
 * that starts full.
 */

#pragma once

#include <glib.h>

#define HP_PACER_BURST 10 /* datagrams */

typedef struct
{
  guint64 rate; /* bytes per second */
  gsize datagram_size;
  gint64 tokens; /* millionths of a byte; below zero after a probe */
  gint64 refilled_at;
} HpPacer;

void hp_pacer_init (HpPacer *self, gsize datagram_size, gint64 now);
/* From a window and a round trip, with the gain of section 7.7 */
guint64 hp_pacer_derive_rate (gsize window, gint64 round_trip);
void hp_pacer_set_rate (HpPacer *self, guint64 rate, gsize datagram_size,
                        gint64 now);
/* When a full datagram may go: not after @now, if at once */
gint64 hp_pacer_get_time (const HpPacer *self, gint64 now);
void hp_pacer_sent (HpPacer *self, gsize size, gint64 now);
