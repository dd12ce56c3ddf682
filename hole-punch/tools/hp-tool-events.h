/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What listen, send and ping have in common to tell: each event is a line, of
 * JSON or of words.
 */

#pragma once

#include "hole-punch/tools/hp-tool-run.h"

/* From now on tells of the peer's registration, its connections, their paths
 * and ends */
void hp_tool_events_watch (HpToolRun *run);
/* A message that is not one of this tool's */
void hp_tool_events_message (HpToolRun *run, HpConnection *connection,
                             GBytes *message);
/* A JSON object about a connection: with "remote-id" and "fingerprint" */
GString *hp_tool_events_json (const char *event, HpConnection *connection);
/* The other side's id, or else its fingerprint; may be shown */
char *hp_tool_events_name (HpConnection *connection);
/* Something went wrong with it, and the run goes on */
void hp_tool_events_problem (HpToolRun *run, HpConnection *connection,
                             const GError *error);
