/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The listener's side of the tool's messages: takes files in and answers
 * pings. One transfer at a time on a connection, any number of connections.
 *
 *           OFFER: ACCEPT              END: STORED
 *   idle ────────────────▸ receiving ────────────────▸ idle
 *     ▴                        │ disk full, wrong hash: FAILED
 *     └────────────────────────┘ the connection ends: nothing stays behind
 *
 * What breaks the protocol ends the connection.
 */

#pragma once

#include "hole-punch/tools/hp-tool-run.h"
#include "hole-punch/tools/hp-tool-store.h"

typedef struct _HpToolReceiver HpToolReceiver;

struct _HpToolReceiver
{
  HpToolRun *run;
  HpToolStore *store;
  /* A message was shown, or a file stored and the sender knows it */
  void (*done) (HpToolReceiver *self);
  guint n_transfers;
};

void hp_tool_receiver_init (HpToolReceiver *self, HpToolRun *run,
                            HpToolStore *store,
                            void (*done) (HpToolReceiver *self));
/* Takes all messages of the run's peer from now on */
void hp_tool_receiver_watch (HpToolReceiver *self);
