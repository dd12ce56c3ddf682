/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The progress bar of one file, on a terminal; of one whose size is not known
 * just figures. */

#pragma once

#include "hole-punch/tools/hp-tool-rate.h"

typedef struct
{
  const char *name; /* may be shown */
  guint64 size; /* or HP_TOOL_SIZE_UNKNOWN */
  gint64 shown_at;
  HpToolRate rate;
} HpToolProgress;

void hp_tool_progress_begin (HpToolProgress *self, const char *name,
                             guint64 size, gint64 now);
/* Several times a second at most it shows how much is @done */
void hp_tool_progress_update (HpToolProgress *self, guint64 done, gint64 now);
/* The bar as it is @width columns wide */
char *hp_tool_progress_format (const HpToolProgress *self, guint64 done,
                               guint width);
