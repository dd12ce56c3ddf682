/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Measured times, and how many of them were below what. */

#pragma once

#include <gio/gio.h>

typedef struct
{
  GArray *values; /* of gint64; NULL: none yet */
  gboolean is_sorted;
} HpToolSamples;

void hp_tool_samples_add (HpToolSamples *self, gint64 value);
guint hp_tool_samples_count (const HpToolSamples *self);
/* The least value that @percent (1 to 100) of all are not above; -1: there are
 * none */
gint64 hp_tool_samples_get_percentile (HpToolSamples *self, guint percent);
void hp_tool_samples_clear (HpToolSamples *self);
