/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/base/hp-ranges.h"

#include <string.h>

void
hp_ranges_clear (HpRanges *self)
{
  g_clear_pointer (&self->ranges, g_free);
  self->n_ranges = self->allocated = 0;
}

/* Index of the first range whose end is at or after @number */
static guint
find_range (const HpRanges *self, guint64 number)
{
  guint low = 0;
  guint high = self->n_ranges;

  /* Nearly always the last one: packets come in order. */
  if (high > 0 && self->ranges[high - 1].end < number)
    return high;
  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (self->ranges[middle].end < number)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

static void
insert_range (HpRanges *self, guint at, guint64 start, guint64 end)
{
  if (self->n_ranges == self->allocated)
    {
      self->allocated = MAX (4, self->allocated * 2);
      self->ranges = g_renew (HpRange, self->ranges, self->allocated);
    }
  memmove (self->ranges + at + 1, self->ranges + at,
           (self->n_ranges - at) * sizeof (HpRange));
  self->ranges[at] = (HpRange){ start, end };
  self->n_ranges++;
}

static void
delete_ranges (HpRanges *self, guint at, guint count)
{
  if (count == 0)
    return;
  memmove (self->ranges + at, self->ranges + at + count,
           (self->n_ranges - at - count) * sizeof (HpRange));
  self->n_ranges -= count;
}

guint64
hp_ranges_add (HpRanges *self, guint64 start, guint64 end)
{
  guint first;
  guint last;
  guint64 covered = 0;
  guint64 wanted = end - start;

  g_assert (start <= end);
  if (start == end)
    return 0;
  /* Nearly always: what comes next, at the end of all */
  if (self->n_ranges > 0 && self->ranges[self->n_ranges - 1].end == start)
    {
      self->ranges[self->n_ranges - 1].end = end;
      return wanted;
    }

  first = find_range (self, start);
  for (last = first;
       last < self->n_ranges && self->ranges[last].start <= end; last++)
    {
      guint64 low = MAX (self->ranges[last].start, start);
      guint64 high = MIN (self->ranges[last].end, end);

      if (high > low)
        covered += high - low;
    }
  if (last == first)
    {
      insert_range (self, first, start, end);
      return wanted;
    }
  /* Join all that touch into the first of them. */
  self->ranges[first].start = MIN (self->ranges[first].start, start);
  self->ranges[first].end = MAX (self->ranges[last - 1].end, end);
  delete_ranges (self, first + 1, last - first - 1);
  return wanted - covered;
}

void
hp_ranges_remove (HpRanges *self, guint64 start, guint64 end)
{
  guint at;

  g_assert (start <= end);
  if (start == end)
    return;

  at = find_range (self, start + 1);
  if (at < self->n_ranges && self->ranges[at].start < start)
    {
      guint64 old_end = self->ranges[at].end;

      self->ranges[at].end = start;
      at++;
      if (old_end > end)
        {
          insert_range (self, at, end, old_end);
          return;
        }
    }
  while (at < self->n_ranges && self->ranges[at].end <= end)
    delete_ranges (self, at, 1);
  if (at < self->n_ranges && self->ranges[at].start < end)
    self->ranges[at].start = end;
}

gboolean
hp_ranges_contains (const HpRanges *self, guint64 number)
{
  /* An exclusive end cannot take in the last number of all. */
  return number < G_MAXUINT64 && hp_ranges_covers (self, number, number + 1);
}

gboolean
hp_ranges_covers (const HpRanges *self, guint64 start, guint64 end)
{
  guint at;

  if (start >= end)
    return TRUE;
  at = find_range (self, end);
  return at < self->n_ranges && self->ranges[at].start <= start;
}

guint64
hp_ranges_first_missing (const HpRanges *self, guint64 from)
{
  guint at;

  if (from == G_MAXUINT64)
    return from;
  at = find_range (self, from + 1);
  if (at < self->n_ranges && self->ranges[at].start <= from)
    return self->ranges[at].end;
  return from;
}

void
hp_ranges_keep_highest (HpRanges *self, guint most)
{
  if (self->n_ranges > most)
    delete_ranges (self, 0, self->n_ranges - most);
}

guint64
hp_ranges_total (const HpRanges *self)
{
  guint64 total = 0;

  for (guint i = 0; i < self->n_ranges; i++)
    total += self->ranges[i].end - self->ranges[i].start;
  return total;
}
