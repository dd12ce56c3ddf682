/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a listener does with all that comes in: messages are pings or plain
 * ones; a stream's first record says whether it brings a file or belongs to a
 * speed test. What breaks the protocol ends the connection.
 */

#pragma once

#include "hole-punch/tools/hp-tool-receiver.h"
#include "hole-punch/tools/hp-tool-run.h"
#include "hole-punch/tools/hp-tool-tester.h"

typedef struct _HpToolHost HpToolHost;

struct _HpToolHost
{
  HpToolRun *run;
  HpToolReceiver receiver;
  HpToolTester tester;
  /* A message was shown, or a file stored and the sender knows it */
  void (*done) (gpointer user_data);
  gpointer user_data;
};

void hp_tool_host_init (HpToolHost *self, HpToolRun *run, HpToolStore *store,
                        gboolean refuses_tests,
                        void (*done) (gpointer user_data), gpointer user_data);
/* Takes all that comes to the run's peer from now on */
void hp_tool_host_watch (HpToolHost *self);
