/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/base/hp-rate-limiter.h"

#include <string.h>

/* Buckets that a source may be in */
#define WAYS 4

typedef struct
{
  guint32 tag;     /* of the source's hash; 0: nobody's yet */
  guint32 full_at; /* in units; before now, or too far after it: full */
} Bucket;

/* How many units all tokens take, at most and nearly */
#define DEPTH (1 << 24)

struct _HpRateLimiter
{
  guint32 emission; /* units that one token takes; 0: there are none */
  guint32 depth;    /* units that all tokens take */
  gint64 interval;  /* µs of DEPTH units */
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
  g_assert (interval > 0 && interval < G_MAXINT64 / DEPTH);

  /* What is kept in the units of another interval has no meaning any more. */
  if (self->interval != 0 && self->interval != interval)
    memset (self->buckets, 0,
            (gsize) self->n_sets * WAYS * sizeof (Bucket));
  tokens = MIN (tokens, DEPTH);
  self->interval = interval;
  self->emission = tokens > 0 ? DEPTH / tokens : 0;
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
  return mix (hash);
}

/* Units that it lacks */
static guint32
get_debt (const HpRateLimiter *self, const Bucket *bucket, guint32 now)
{
  guint32 debt = bucket->full_at - now;

  return bucket->tag != 0 && debt <= self->depth ? debt : 0;
}

static Bucket *
find_bucket (HpRateLimiter *self, guint64 hash, guint32 now)
{
  Bucket *set = self->buckets + (hash & (self->n_sets - 1)) * WAYS;
  Bucket *fullest = set;
  guint32 tag = MAX (hash >> 32, 1);

  for (guint i = 0; i < WAYS; i++)
    {
      if (set[i].tag == tag)
        return set + i;
      if (get_debt (self, set + i, now) < get_debt (self, fullest, now))
        fullest = set + i;
    }
  fullest->full_at = now + get_debt (self, fullest, now);
  fullest->tag = tag;
  return fullest;
}

/* Modulo 2^32, and without an overflow on the way */
static guint32
to_units (const HpRateLimiter *self, gint64 now)
{
  gint64 intervals = now / self->interval;
  gint64 rest = now % self->interval;

  return (guint32) intervals * DEPTH
         + (guint32) (rest * DEPTH / self->interval);
}

gboolean
hp_rate_limiter_take (HpRateLimiter *self, gconstpointer key, gsize length,
                      gint64 now)
{
  guint32 units = to_units (self, now);
  Bucket *bucket;
  guint32 debt;

  if (self->emission == 0)
    return FALSE;
  bucket = find_bucket (self, hash_key (self, key, length), units);
  debt = get_debt (self, bucket, units) + self->emission;
  if (debt > self->depth)
    return FALSE;
  bucket->full_at = units + debt;
  return TRUE;
}

gboolean
hp_rate_limiter_take_address (HpRateLimiter *self, const HpAddress *address,
                              gint64 now)
{
  guint8 prefix[HP_ADDRESS_PREFIX_SIZE];
  gsize size = hp_address_get_prefix (address, prefix);

  return hp_rate_limiter_take (self, prefix, size, now);
}
