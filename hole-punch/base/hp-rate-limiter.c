/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/base/hp-rate-limiter.h"

#include <string.h>

/* Buckets that a source may be in */
#define WAYS 4

typedef struct
{
  guint64 tag;    /* hash of the source; 0: nobody's yet */
  gint64 full_at; /* at or before now: full */
} Bucket;

struct _HpRateLimiter
{
  gint64 emission; /* µs that one token takes; 0: there are none */
  gint64 depth;    /* µs that all tokens take */
  guint64 seed;
  guint n_sets; /* a power of two */
  Bucket *buckets;
};

HpRateLimiter *
hp_rate_limiter_new (guint tokens, gint64 interval, guint n_buckets,
                     guint64 seed)
{
  HpRateLimiter *self = g_new0 (HpRateLimiter, 1);

  self->seed = seed;
  self->n_sets = 1;
  while (self->n_sets * WAYS < n_buckets)
    self->n_sets *= 2;
  self->buckets = g_new0 (Bucket, (gsize) self->n_sets * WAYS);
  for (guint i = 0; i < self->n_sets * WAYS; i++)
    self->buckets[i].full_at = G_MININT64;
  hp_rate_limiter_set_rate (self, tokens, interval);
  return self;
}

void
hp_rate_limiter_free (HpRateLimiter *self)
{
  if (self == NULL)
    return;
  g_free (self->buckets);
  g_free (self);
}

void
hp_rate_limiter_set_rate (HpRateLimiter *self, guint tokens, gint64 interval)
{
  g_assert (interval > 0);

  self->emission = tokens > 0 ? MAX (interval / tokens, 1) : 0;
  self->depth = self->emission * tokens;
}

/* The finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) */
static guint64
mix (guint64 value)
{
  value ^= value >> 30;
  value *= G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  value ^= value >> 27;
  value *= G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return value ^ value >> 31;
}

static guint64
hash_key (const HpRateLimiter *self, gconstpointer key, gsize length)
{
  const guint8 *bytes = key;
  guint64 hash = mix (self->seed ^ length);

  while (length > 0)
    {
      gsize step = MIN (length, sizeof (guint64));
      guint64 word = 0;

      memcpy (&word, bytes, step);
      hash = mix (hash ^ word) + self->seed;
      bytes += step;
      length -= step;
    }
  hash = mix (hash);
  return hash != 0 ? hash : 1;
}

static Bucket *
find_bucket (HpRateLimiter *self, guint64 tag)
{
  Bucket *set = self->buckets + (tag & (self->n_sets - 1)) * WAYS;
  Bucket *fullest = set;

  for (guint i = 0; i < WAYS; i++)
    {
      if (set[i].tag == tag)
        return set + i;
      if (set[i].full_at < fullest->full_at)
        fullest = set + i;
    }
  fullest->tag = tag;
  return fullest;
}

gboolean
hp_rate_limiter_take (HpRateLimiter *self, gconstpointer key, gsize length,
                      gint64 now)
{
  Bucket *bucket;
  gint64 full_at;

  if (self->emission == 0)
    return FALSE;
  bucket = find_bucket (self, hash_key (self, key, length));
  full_at = MAX (bucket->full_at, now) + self->emission;
  if (full_at - now > self->depth)
    return FALSE;
  bucket->full_at = full_at;
  return TRUE;
}

gboolean
hp_rate_limiter_take_address (HpRateLimiter *self, const HpAddress *address,
                              gint64 now)
{
  guint8 prefix[7] = { address->family };
  gsize size = address->family == HP_ADDRESS_IPV6 ? 6 : 3;

  memcpy (prefix + 1, address->ip, size);
  return hp_rate_limiter_take (self, prefix, 1 + size, now);
}
