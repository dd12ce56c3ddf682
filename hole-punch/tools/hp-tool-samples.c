/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-samples.h"

void
hp_tool_samples_add (HpToolSamples *self, gint64 value)
{
  if (self->values == NULL)
    self->values = g_array_new (FALSE, FALSE, sizeof value);
  g_array_append_val (self->values, value);
  self->is_sorted = FALSE;
}

guint
hp_tool_samples_count (const HpToolSamples *self)
{
  return self->values != NULL ? self->values->len : 0;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  gint64 left = *(const gint64 *) a;
  gint64 right = *(const gint64 *) b;

  return (left > right) - (left < right);
}

/* The nearest rank: a value that was measured, not one between two */
gint64
hp_tool_samples_get_percentile (HpToolSamples *self, guint percent)
{
  guint n = hp_tool_samples_count (self);
  guint rank = ((guint64) n * percent + 99) / 100;

  g_assert (percent >= 1 && percent <= 100);
  if (n == 0)
    return -1;
  if (!self->is_sorted)
    g_array_sort (self->values, compare);
  self->is_sorted = TRUE;
  return g_array_index (self->values, gint64, rank - 1);
}

void
hp_tool_samples_clear (HpToolSamples *self)
{
  g_clear_pointer (&self->values, g_array_unref);
}
