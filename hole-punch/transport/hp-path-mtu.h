/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How large a datagram one path carries, found by trying (DPLPMTUD: RFC 8899;
 * RFC 9000, section 14.3). Nothing is believed but what arrives: no ICMP.
 *
 *            may_try             a probe arrived, or was lost
 *   BASE ───────────────▸ SEARCHING ◂──╮   the next size
 *     ▴                     │   ▴  ╰───╯
 *     │ black hole          ▾   │ after ten minutes, if not at the maximum
 *     ╰──────────────────── COMPLETE
 *
 * The maximum is tried first, since it is what nearly all paths carry; then
 * the sizes of common links, by halves; then what is between two of them. A
 * size that was lost once is passed over at first: only the one that the search
 * ends below is tried three times. One probe is under way at a time, and only
 * while full datagrams are sent: who sends little needs no larger ones.
 *
 * A black hole is a path that carries less than it did: small packets arrive,
 * and time and again the large ones sent after them do not. Sizes are bytes of
 * UDP payload.
 */

#pragma once

#include <glib.h>

#define HP_PATH_MTU_MAX_PROBES 3
#define HP_PATH_MTU_RAISE_INTERVAL (600 * G_TIME_SPAN_SECOND)
/* BASE_PLPMTU: what nearly all paths carry (RFC 8899, section 5.1.2) */
#define HP_PATH_MTU_BASE 1200

typedef struct
{
  gsize base;    /* to begin with */
  gsize size;    /* of datagrams now */
  gsize maximum; /* at most; at @size there is nothing to try */

  gsize barred;    /* the smallest size that was tried in vain; 0: none */
  guint n_lost;    /* probes of that size */
  gsize trying;    /* the size of the next probe; 0: the search is over */
  gsize under_way; /* the size of the one that is; 0: none */
  gboolean is_wanted; /* a full datagram was sent since the last probe */
  gint64 raise_at;    /* search again; G_MAXINT64: not needed */

  /* A run of lost large packets, none of which was followed by one that
   * arrived: suspected of a black hole */
  gsize run_size;        /* the smallest of them; 0: no run */
  guint64 run_start;     /* the first one's number */
  guint run_lost;        /* how many */
  guint run_rounds;      /* times that a small one arrived, after large ones */
  guint64 run_round_end; /* packets from here on are of the next round */
  guint64 small_acked;   /* the last small one that arrived, plus one */
  guint64 full_acked;    /* the last full one */
} HpPathMtu;

/* A new path; @base bytes, without a search */
void hp_path_mtu_init (HpPathMtu *self, gsize base);
/* The path is proven, and nothing forbids datagrams up to @maximum. */
void hp_path_mtu_may_try (HpPathMtu *self, gsize maximum);

/* The size of a probe to be sent now, 0: none */
gsize hp_path_mtu_get_probe (const HpPathMtu *self, gint64 now);
void hp_path_mtu_probe_sent (HpPathMtu *self);
/* What became of it; TRUE: hp_path_mtu.size is another one now */
gboolean hp_path_mtu_probe_acked (HpPathMtu *self, gint64 now)
    G_GNUC_WARN_UNUSED_RESULT;
void hp_path_mtu_probe_lost (HpPathMtu *self, gint64 now);

/* Of all other packets of this path that are to be acknowledged. */
void hp_path_mtu_sent (HpPathMtu *self, gsize size);
void hp_path_mtu_acked (HpPathMtu *self, guint64 number, gsize size);
/* TRUE: it was a black hole, hp_path_mtu.size is smaller now */
gboolean hp_path_mtu_lost (HpPathMtu *self, guint64 number, gsize size)
    G_GNUC_WARN_UNUSED_RESULT;
/* What a black hole would make the size: a packet of at most this tells whether
 * the path still lives */
gsize hp_path_mtu_get_fallback (const HpPathMtu *self);
