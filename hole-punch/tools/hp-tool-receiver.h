/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The listener's side of files: each comes on a stream of its own, any number
 * at a time, and is written while it comes.
 *
 *   OFFER ─▸ ACCEPT ─▸ bytes ─▸ END ─▸ STORED, and the end of the stream
 *     │                  │        │ wrong hash
 *     │                  │ disk full
 *     └──────────────────┴────────┴──▸ FAILED, and the end of the stream
 *
 * Of a stream that ends before its time nothing stays behind.
 */

#pragma once

#include "hole-punch/tools/hp-tool-protocol.h"
#include "hole-punch/tools/hp-tool-run.h"
#include "hole-punch/tools/hp-tool-store.h"

typedef struct _HpToolReceiver HpToolReceiver;

struct _HpToolReceiver
{
  HpToolRun *run;
  HpToolStore *store;
  /* A file was stored, and the sender knows it */
  void (*done) (gpointer user_data);
  gpointer user_data;
  guint n_transfers;
};

void hp_tool_receiver_init (HpToolReceiver *self, HpToolRun *run,
                            HpToolStore *store,
                            void (*done) (gpointer user_data),
                            gpointer user_data);
/* For a stream that began with an OFFER. @self outlives the run's holds. */
void hp_tool_receiver_take (HpToolReceiver *self, HpStream *stream,
                            const HpToolRecord *offer);
