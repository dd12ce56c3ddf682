/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Small pings, many a second, beside whatever else the connection carries: what
 * a call would feel of it. They are unreliable messages, as a call's are.
 */

#pragma once

#include <hole-punch/hole-punch.h>

#include "hole-punch/tools/hp-tool-protocol.h"
#include "hole-punch/tools/hp-tool-samples.h"

typedef struct
{
  HpConnection *connection;
  GArray *sent_at; /* of gint64, by sequence; -1: answered */
  HpToolSamples times;
  GSource *tick;
} HpToolProbes;

void hp_tool_probes_begin (HpToolProbes *self, HpConnection *connection);
/* No further ones; answers still count */
void hp_tool_probes_stop (HpToolProbes *self);
void hp_tool_probes_receive (HpToolProbes *self, const HpToolRecord *pong);
guint hp_tool_probes_count (const HpToolProbes *self);
void hp_tool_probes_clear (HpToolProbes *self);
