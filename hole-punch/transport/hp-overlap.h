/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Where a stretch of bytes meets sorted ranges */

#pragma once

#include "hole-punch/base/hp-ranges.h"

/* Index of the first range that ends after @number; n_ranges if none does */
static inline guint
hp_overlap_find (const HpRanges *ranges, guint64 number)
{
  guint low = 0;
  guint high = ranges->n_ranges;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (ranges->ranges[middle].end <= number)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}
