/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One file to a listener, on a stream of its own.
 *
 *   OPENING ─▸ OFFERED ── ACCEPT ─▸ SENDING ── all read ─▸ ENDED ── STORED ─▸
 *
 * What goes wrong fails the run.
 */

#pragma once

#include "hole-punch/tools/hp-tool-protocol.h"
#include "hole-punch/tools/hp-tool-run.h"
#include "hole-punch/tools/hp-tool-source.h"

typedef enum
{
  HP_TOOL_UPLOAD_IDLE,
  HP_TOOL_UPLOAD_OPENING,
  HP_TOOL_UPLOAD_OFFERED,
  HP_TOOL_UPLOAD_SENDING,
  HP_TOOL_UPLOAD_ENDED,
} HpToolUploadState;

typedef struct
{
  HpToolRun *run;
  HpConnection *connection;
  HpToolSource *source;
  char *shown_name; /* its path */
  char *sent_name;
  /* The other side has confirmed that it has it, whole */
  void (*done) (gpointer user_data);
  gpointer user_data;

  HpToolUploadState state;
  HpStream *stream;
  guint64 sent_before; /* by the connection */
  guint8 digest[HP_TOOL_DIGEST_SIZE];
  gboolean is_broken; /* writing failed: reading will tell why */
  GSource *patience;
} HpToolUpload;

/* Takes over @source. @self outlives the run's holds. */
void hp_tool_upload_begin (HpToolUpload *self, HpToolRun *run,
                           HpConnection *connection, HpToolSource *source,
                           const char *shown_name, const char *sent_name);
/* How many bytes have been sent, and not only been taken by the stream: on a
 * slow line that makes a difference. */
guint64 hp_tool_upload_get_done (HpToolUpload *self);
/* When it is done, or at the end of the run */
void hp_tool_upload_clear (HpToolUpload *self);
