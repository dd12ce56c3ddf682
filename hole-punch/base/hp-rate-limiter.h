/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* So many tokens an interval for each source, in a table of a fixed size:
 * nothing is allocated for a source, and a flood of sources costs no memory.
 *
 * A bucket is one time stamp (GCRA, the continuous-state leaky bucket of
 * ITU-T I.371): when it will be full again. A source that finds no bucket of
 * its own takes over the fullest of its set and what that one still lacks, so
 * that changing sources never gives more than the table's buckets together.
 */

#pragma once

#include "hole-punch/base/hp-address.h"

typedef struct _HpRateLimiter HpRateLimiter;

/* @tokens each @interval µs, and at most so many at once; 0: none ever.
 * @n_buckets is rounded up to a power of two; @seed: random, so that nobody
 * can aim at another's bucket. */
HpRateLimiter *hp_rate_limiter_new (guint tokens, gint64 interval,
                                    guint n_buckets, guint64 seed);
void hp_rate_limiter_free (HpRateLimiter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpRateLimiter, hp_rate_limiter_free)
void hp_rate_limiter_set_rate (HpRateLimiter *self, guint tokens,
                               gint64 interval);

gboolean hp_rate_limiter_take (HpRateLimiter *self, gconstpointer key,
                               gsize length, gint64 now)
    G_GNUC_WARN_UNUSED_RESULT;
/* By prefix: what one customer usually has, /24 of IPv4 and /48 of IPv6 */
gboolean hp_rate_limiter_take_address (HpRateLimiter *self,
                                       const HpAddress *address, gint64 now)
    G_GNUC_WARN_UNUSED_RESULT;
