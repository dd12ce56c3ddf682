/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A stream that somebody else opened, as the listener serves it. One operation
 * on it is under way at a time, whose callback either begins the next one or
 * ends the visit; that is all there is to lifetimes. An operation fails when
 * the stream, its connection or the run ends.
 */

#pragma once

#include "hole-punch/tools/hp-tool-protocol.h"
#include "hole-punch/tools/hp-tool-run.h"

typedef struct
{
  HpToolRun *run;
  HpStream *stream;
  HpConnection *connection; /* the stream's */
} HpToolVisit;

/* Holds the run until the end. A stream that is only left, not closed, is given
 * up. */
void hp_tool_visit_begin (HpToolVisit *self, HpToolRun *run, HpStream *stream);
void hp_tool_visit_end (HpToolVisit *self);
GInputStream *hp_tool_visit_get_input (const HpToolVisit *self);

/* For the next record, and one that is to be sent */
void hp_tool_visit_read (HpToolVisit *self, GAsyncReadyCallback callback,
                         gpointer user_data);
void hp_tool_visit_write (HpToolVisit *self, const HpToolRecord *record,
                          GAsyncReadyCallback callback, gpointer user_data);
/* Ends it by FAILED, with the error's code; the user is told, too. */
void hp_tool_visit_refuse (HpToolVisit *self, const GError *error);

/* What breaks the protocol ends the connection. */
void hp_tool_connection_break (HpToolRun *run, HpConnection *connection,
                               const char *what);
