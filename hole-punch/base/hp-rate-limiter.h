/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* So many tokens an interval for each source, in a table of a fixed size:
 * nothing is allocated for a source, and a flood of sources costs no memory.
 *
 * A bucket is one time stamp (GCRA, the continuous-state leaky bucket of
 * ITU-T I.371): when it will be full again. A source that finds no bucket of
 * its own takes over the fullest of its set and what that one still lacks, so
 * that changing sources never gives more than the table's buckets together; nor
 * do many honest sources get more: there must be buckets enough for them.
 *
 * Eight bytes a bucket, so that they can be many: the time is in 2^24ths of
 * what it takes to fill one, and wraps every 256 of these. A bucket left alone
 * for just so long lacks once more what it lacked then, and fills again.
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
/* By hp_address_get_prefix() */
gboolean hp_rate_limiter_take_address (HpRateLimiter *self,
                                       const HpAddress *address, gint64 now)
    G_GNUC_WARN_UNUSED_RESULT;
