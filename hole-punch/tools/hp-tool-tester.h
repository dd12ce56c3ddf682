/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The listener's side of speed tests. One at a time, so that they do not
 * disturb each other, and none longer than a minute; whoever does not come to
 * its end is forgotten.
 *
 *   TEST ─▸ ACCEPT ─▸ as many streams with LOAD ─▸ REPORT
 *     │                 │        each second TICK
 *     └───▸ FAILED ◂────┘ too late
 */

#pragma once

#include "hole-punch/tools/hp-tool-protocol.h"
#include "hole-punch/tools/hp-tool-run.h"

typedef struct
{
  HpToolRun *run;
  gboolean is_refusing;
  gpointer test; /* the one that is under way */
} HpToolTester;

void hp_tool_tester_init (HpToolTester *self, HpToolRun *run,
                          gboolean is_refusing);
/* For streams that began with these records. @self outlives the run's holds. */
void hp_tool_tester_begin (HpToolTester *self, HpStream *stream,
                           const HpToolRecord *test);
void hp_tool_tester_load (HpToolTester *self, HpStream *stream,
                          const HpToolRecord *load);
