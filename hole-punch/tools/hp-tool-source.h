/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A file to be sent: read once, piece by piece, hashed on the way. */

#pragma once

#include <gio/gio.h>

typedef struct
{
  int fd;
  guint64 size; /* as it was when it was opened */
  guint64 offset;
  GChecksum *checksum;
} HpToolSource;

/* Only regular files: the size is told beforehand */
HpToolSource *hp_tool_source_open (const char *filename, GError **error);
void hp_tool_source_free (HpToolSource *self);
/* The next bytes, at most @size; how many, or -1 when the file cannot be read
 * or has become shorter. 0: the end */
gssize hp_tool_source_read (HpToolSource *self, guint8 *buffer, gsize size,
                            GError **error);
