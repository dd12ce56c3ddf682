/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A file to be sent: read once, hashed on the way. It is as long as it was when
 * it was opened; becoming shorter is an error. Standard input is as long as it
 * goes on. As with any stream of a file, asynchronous reading happens in a
 * thread: disks can be slow, and hashing takes its time.
 */

#pragma once

#include "hole-punch/tools/hp-tool-protocol.h"

#define HP_TOOL_TYPE_SOURCE (hp_tool_source_get_type ())
G_DECLARE_FINAL_TYPE (HpToolSource, hp_tool_source, HP_TOOL, SOURCE,
                      GInputStream)

#define HP_TOOL_STANDARD_INPUT "-"

/* Regular files, whose size is told beforehand, and HP_TOOL_STANDARD_INPUT */
HpToolSource *hp_tool_source_open (const char *filename, GError **error);
/* HP_TOOL_SIZE_UNKNOWN of standard input */
guint64 hp_tool_source_get_size (HpToolSource *self);
/* How far it was read */
guint64 hp_tool_source_get_offset (HpToolSource *self);
/* It could not be read to its end, and that is the error. */
gboolean hp_tool_source_has_failed (HpToolSource *self);
/* SHA-256; while nobody reads */
const GChecksum *hp_tool_source_get_checksum (HpToolSource *self);
