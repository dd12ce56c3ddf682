/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Records to and from a stream, each whole. */

#pragma once

#include "hole-punch/tools/hp-tool-protocol.h"

void hp_tool_records_read_async (GInputStream *stream,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);
/* The bytes that @record points to, or NULL: with %G_IO_ERROR_CLOSED when the
 * stream ended before it, %G_IO_ERROR_PARTIAL_INPUT when it ended within,
 * %G_IO_ERROR_INVALID_DATA when it is none */
GBytes *hp_tool_records_read_finish (GInputStream *stream, GAsyncResult *result,
                                     HpToolRecord *record, GError **error);

void hp_tool_records_write_async (GOutputStream *stream,
                                  const HpToolRecord *record,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data);
gboolean hp_tool_records_write_finish (GOutputStream *stream,
                                       GAsyncResult *result, GError **error);
