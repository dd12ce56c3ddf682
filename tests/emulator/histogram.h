/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

/* Durations in nanoseconds, counted in buckets about 3 % wide. */

#define HISTOGRAM_STEPS 32
#define HISTOGRAM_BUCKETS (HISTOGRAM_STEPS * 44)

typedef struct
{
  guint64 count;
  guint64 sum;
  gint64 max;
  guint64 buckets[HISTOGRAM_BUCKETS];
} Histogram;

void histogram_add (Histogram *self, gint64 value);
gint64 histogram_get (const Histogram *self, double part);
void histogram_write (const Histogram *self, GString *json);
