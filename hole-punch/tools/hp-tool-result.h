/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a speed test has found, and how it is told. */

#pragma once

#include "hole-punch/tools/hp-tool-protocol.h"
#include "hole-punch/tools/hp-tool-run.h"
#include "hole-punch/tools/hp-tool-samples.h"

typedef struct
{
  gboolean is_reverse;
  guint n_streams;
  HpToolReport here;
  HpToolReport there;
  guint64 best; /* bytes a second, in the best second */
  guint n_pings;
  HpToolSamples *times; /* of those that were answered */
} HpToolResult;

/* Bytes a second */
guint64 hp_tool_result_get_rate (guint64 bytes, gint64 microseconds);
/* A whole second counts for the best one */
void hp_tool_result_add_tick (HpToolResult *self, guint64 bytes,
                              gint64 microseconds);
/* µs of all processors of both sides for 10^9 bytes; -1: cannot be told */
gint64 hp_tool_result_get_cpu (const HpToolResult *self);
/* The side that the bytes came in at, and the other one */
const HpToolReport *hp_tool_result_get_receiver (const HpToolResult *self);
const HpToolReport *hp_tool_result_get_sender (const HpToolResult *self);

void hp_tool_result_tell_tick (HpToolRun *run, HpConnection *connection,
                               guint64 bytes, gint64 microseconds);
void hp_tool_result_tell (HpToolResult *self, HpToolRun *run,
                          HpConnection *connection);
