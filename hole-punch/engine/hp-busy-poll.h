/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* When to look out for an answer for a moment before one sleeps.
 *
 * To sleep and to be woken takes 20 to 40 µs of each way of a small message,
 * and half as much of the processor's time. Whoever waits for something that
 * comes sooner had better look for it all the while, but nobody knows
 * beforehand what comes when. To look out for as long as a sleep costs (SHORT),
 * and only then to sleep, takes at most twice what the best choice does (A.
 * Karlin, K. Li, M. Manasse, S. Owicki: Empirical Studies of Competitive
 * Spinning for a Shared-Memory Multiprocessor, SOSP 1991). Linux does so for
 * sockets where the network card can be asked (SO_BUSY_POLL, socket(7)), and
 * KVM for idle processors (halt polling).
 *
 *   asleep ── PATIENCE quick answers in a row ──▸ rounds of 4 × VAIN looks
 *     ▴                                       │
 *     └────────── a LONG one, or more than VAIN of a round, in vain
 *
 * A look takes SHORT at most; after one in vain, and at first, LONG, since the
 * other side may have to be woken. Thereafter it is awake, if it does the same
 * and talks by turns with us, and answers within a few µs. If a LONG one is in
 * vain, the other side may need the processor that we look with. With each
 * round that fails PATIENCE is four times as long, so that it costs nothing
 * worth mentioning where it is of no use: with one processor for both, or where
 * something else comes soon after what is said. VAIN doubles: a round is longer
 * than the last one, by whose end the two sides may be out of step. Over the
 * internet no answer is quick; nor in a large transfer, where each
 * acknowledgement that nobody answers begins the row anew.
 */

#pragma once

#include <glib.h>

/* µs. QUICK: with a sleep of either side, which LONG has to outlast */
#define HP_BUSY_POLL_QUICK 200
#define HP_BUSY_POLL_LONG 200
#define HP_BUSY_POLL_SHORT 20
/* At first, and at most */
#define HP_BUSY_POLL_MIN_VAIN 4
#define HP_BUSY_POLL_MAX_VAIN 32
#define HP_BUSY_POLL_MIN_PATIENCE 16
#define HP_BUSY_POLL_MAX_PATIENCE 4096

/* Turns are those of hp_udp_source_get_turn(). All zeros: asleep, as at first
 */
typedef struct
{
  gint64 asked_at; /* the last time without a look; 0: not since it heard */
  gint64 until;    /* of this look; 0: there is none */
  guint asked_in;  /* turn */
  guint n_quick;   /* answers in a row */
  guint n_failed;  /* rounds in a row */
  guint n_left;    /* looks of this round; 0: asleep */
  guint n_vain;    /* of this round */
  gboolean is_awake; /* the other side: the last look was not in vain */
} HpBusyPoll;

/* Something was said; until when to look for an answer, 0: not at all. The same
 * look goes on if it is not over. */
gint64 hp_busy_poll_asked (HpBusyPoll *self, guint turn, gint64 now);
/* Something was heard. If it was there in the next turn already, that one need
 * not have looked. */
void hp_busy_poll_heard (HpBusyPoll *self, guint turn, gint64 now);
