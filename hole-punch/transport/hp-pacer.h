/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Spreads packets over the round trip (RFC 9002, section 7.7): a token bucket
 * that starts full.
 *
 * Each time to wake up and to call the system costs, and many datagrams
 * at once are cheap: once the bucket is empty it is waited for half a
 * millisecond's worth.
 */

#pragma once

#include <glib.h>

#define HP_PACER_BURST 10 /* datagrams */

typedef struct
{
  guint64 rate; /* bytes per second */
  gsize datagram_size;
  gsize burst_min; /* bytes that may go at once, … */
  gsize burst_max; /* … not more than this; 0: no limit */
  gint64 tokens; /* millionths of a byte; below zero after a probe */
  gint64 refilled_at;
  gboolean is_awaited; /* by something to be sent */
} HpPacer;

void hp_pacer_init (HpPacer *self, gsize datagram_size, gint64 now);
/* From a window and a round trip, with the gain of section 7.7 */
guint64 hp_pacer_derive_rate (gsize window, gint64 round_trip);
void hp_pacer_set_rate (HpPacer *self, guint64 rate, gsize datagram_size,
                        gint64 now);
/* To begin with, and after a pause, a whole initial window may go at once
 * (RFC 9002, section 7.7). */
void hp_pacer_set_initial_window (HpPacer *self, gsize window);
/* No more at once than @burst_max, but two datagrams in any case */
void hp_pacer_set_burst_max (HpPacer *self, gsize burst_max);
/* It was the window that did not let anything go: what has been saved up
 * meanwhile would go in one burst, so only a quantum of it stays. */
void hp_pacer_forfeit (HpPacer *self, gint64 now);
/* Something waits for the pacer alone: what it comes too late for may be
 * caught up with. Or there is nothing to send any more. */
void hp_pacer_set_awaited (HpPacer *self, gboolean is_awaited, gint64 now);
/* When a full datagram may go: not after @now, if at once */
gint64 hp_pacer_get_time (const HpPacer *self, gint64 now);
void hp_pacer_sent (HpPacer *self, gsize size, gint64 now);
