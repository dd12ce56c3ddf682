/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How fast something goes: over the last few seconds, so that it follows a line
 * that becomes slower, and does not jump either.
 */

#pragma once

#include <gio/gio.h>

/* A quarter of a second apart at least */
#define HP_TOOL_RATE_SAMPLES 16

typedef struct
{
  gint64 time;
  guint64 done;
} HpToolRateSample;

typedef struct
{
  HpToolRateSample samples[HP_TOOL_RATE_SAMPLES]; /* a ring */
  guint oldest;
  guint n_samples;
  HpToolRateSample latest;
} HpToolRate;

void hp_tool_rate_init (HpToolRate *self, gint64 now);
/* @done: in all */
void hp_tool_rate_update (HpToolRate *self, guint64 done, gint64 now);
/* A second */
double hp_tool_rate_get (const HpToolRate *self);
/* µs until @size is done; -1: it does not look like it */
gint64 hp_tool_rate_get_time_left (const HpToolRate *self, guint64 size);
