/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Sorted, disjoint, non-touching ranges of numbers: received packets,
 * acknowledged and missing bytes.
 */

#pragma once

#include <glib.h>

/* From @start up to, not including, @end */
typedef struct
{
  guint64 start;
  guint64 end;
} HpRange;

typedef struct
{
  HpRange *ranges; /* ascending */
  guint n_ranges;
  guint allocated;
} HpRanges;

#define HP_RANGES_INIT { NULL, 0, 0 }

void hp_ranges_clear (HpRanges *self);
/* Adds [@start, @end); gives how many of its numbers were new */
guint64 hp_ranges_add (HpRanges *self, guint64 start, guint64 end);
void hp_ranges_remove (HpRanges *self, guint64 start, guint64 end);
gboolean hp_ranges_contains (const HpRanges *self, guint64 number);
/* Whether all of [@start, @end) is in */
gboolean hp_ranges_covers (const HpRanges *self, guint64 start, guint64 end);
/* The first number at or after @from that is not in */
guint64 hp_ranges_first_missing (const HpRanges *self, guint64 from);
/* Keeps the @most highest ranges, to bound memory */
void hp_ranges_keep_highest (HpRanges *self, guint most);
guint64 hp_ranges_total (const HpRanges *self);
