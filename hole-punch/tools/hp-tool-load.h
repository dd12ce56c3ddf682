/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One side of a speed test: fills some streams, or empties them and counts. Who
 * empties them measures; its clock runs from the first byte that came in, each
 * second is told, and after the test's duration all is counted. What came in
 * later is of no interest, so that nothing waits for full queues.
 *
 *   sender     ├── fills ─────────────────┤ duration
 *   receiver      ├── counts ────────────────┤ the same, a path's delay later
 */

#pragma once

#include "hole-punch/tools/hp-tool-protocol.h"
#include "hole-punch/tools/hp-tool-run.h"

typedef struct _HpToolLoad HpToolLoad;

struct _HpToolLoad
{
  HpToolRun *run;
  gboolean is_sender;
  guint n_streams; /* that are to come; who has seen them all end is done */
  gint64 duration;
  /* Of a receiver: so much came in since the last tick. May be NULL */
  void (*tick) (gint64 microseconds, guint64 bytes, gpointer user_data);
  /* Once: the time is over, or all streams have ended before */
  void (*ended) (gpointer user_data);
  gpointer user_data;

  GCancellable *cancellable;
  GSource *timer;
  guint n_added;
  guint n_over;
  gint64 began_at; /* 0: not yet */
  gint64 ended_at; /* 0: not yet */
  guint64 bytes;
  gint64 ticked_at;
  guint64 ticked_bytes;
};

void hp_tool_load_init (HpToolLoad *self, HpToolRun *run, gboolean is_sender,
                        guint n_streams, gint64 duration, gpointer user_data);
/* The streams that were added are given up. */
void hp_tool_load_clear (HpToolLoad *self);
/* Unless there are enough, or it has ended */
void hp_tool_load_add (HpToolLoad *self, HpStream *stream);
/* All counters, as they are now */
void hp_tool_load_count (HpConnection *connection, HpToolReport *report);
/* What has become of it since they were @began */
void hp_tool_load_report (const HpToolLoad *self, HpConnection *connection,
                          const HpToolReport *began, HpToolReport *report);
