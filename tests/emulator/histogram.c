/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "histogram.h"

/* The first HISTOGRAM_STEPS buckets count single nanoseconds; from there on
 * each doubling has as many, evenly spaced. */
static guint
bucket_of (guint64 value)
{
  guint doubling, bucket;

  if (value < HISTOGRAM_STEPS)
    return value;
  doubling = 63 - __builtin_clzll (value / HISTOGRAM_STEPS);
  bucket = (doubling + 1) * HISTOGRAM_STEPS
           + (value >> doubling) - HISTOGRAM_STEPS;
  return MIN (bucket, HISTOGRAM_BUCKETS - 1);
}

static gint64
value_of (guint bucket)
{
  if (bucket < HISTOGRAM_STEPS)
    return bucket;
  return (gint64) (HISTOGRAM_STEPS + bucket % HISTOGRAM_STEPS)
         << (bucket / HISTOGRAM_STEPS - 1);
}

void
histogram_add (Histogram *self, gint64 value)
{
  value = MAX (value, 0);
  self->count++;
  self->sum += value;
  self->max = MAX (self->max, value);
  self->buckets[bucket_of (value)]++;
}

/* The duration that @part (0 to 1) of all do not exceed, to 3 %. */
gint64
histogram_get (const Histogram *self, double part)
{
  guint64 wanted = part * self->count, seen = 0;

  for (guint i = 0; i < HISTOGRAM_BUCKETS; i++)
    {
      seen += self->buckets[i];
      if (seen > wanted)
        return value_of (i);
    }
  return self->max;
}

static void
write_ms (GString *json, const char *name, double nanoseconds)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  g_ascii_formatd (number, sizeof number, "%.4f", nanoseconds / 1e6);
  g_string_append_printf (json, "%s\"%s\": %s",
                          g_str_has_suffix (json->str, "{") ? "" : ", ",
                          name, number);
}

/* As a JSON object, in milliseconds. */
void
histogram_write (const Histogram *self, GString *json)
{
  g_string_append_c (json, '{');
  write_ms (json, "mean",
            self->count > 0 ? (double) self->sum / self->count : 0);
  write_ms (json, "p50", histogram_get (self, 0.5));
  write_ms (json, "p95", histogram_get (self, 0.95));
  write_ms (json, "p99", histogram_get (self, 0.99));
  write_ms (json, "max", self->max);
  g_string_append_c (json, '}');
}
