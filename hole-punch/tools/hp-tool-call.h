/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Reaching another peer: the match server is found, then the peer asked for
 * until it is there or the time is over.
 */

#pragma once

#include "hole-punch/tools/hp-tool-run.h"

typedef struct _HpToolCall HpToolCall;

/* Once; (transfer none) */
typedef void (*HpToolCalled) (HpConnection *connection, gpointer user_data);

struct _HpToolCall
{
  HpToolRun *run;
  const char *target;
  HpToolCalled called;
  gpointer user_data;
  GSource *retry_source;
  guint n_failures;
  GError *error; /* the last one */
};

/* For @run's started; a call that fails ends the run */
void hp_tool_call_begin (HpToolCall *self, HpToolRun *run, const char *target,
                         HpToolCalled called, gpointer user_data);
void hp_tool_call_clear (HpToolCall *self);
