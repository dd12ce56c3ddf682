/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A line of a registry's file:
 *
 *     CHECK END FINGERPRINT ID
 *
 * CHECK is the lower half of SipHash-2-4, with a key of zeros, over all that
 * follows it, in 8 digits: against damage, not against people. In the id,
 * control characters and % are written as % and two digits.
 */

#pragma once

#include "hole-punch/secure/hp-crypto.h"

#define HP_REGISTRY_LINES_HEADER_START "hole-punch registry "
#define HP_REGISTRY_LINES_HEADER HP_REGISTRY_LINES_HEADER_START "1\n"
/* Of an id in a file, before it is written with % */
#define HP_REGISTRY_LINE_MAX_ID_SIZE 255

typedef struct
{
  gint64 end; /* seconds since 1970; 0: nobody's any more */
  guint8 key[HP_KEY_SIZE];
  char id[HP_REGISTRY_LINE_MAX_ID_SIZE + 1];
  gsize id_length;
} HpRegistryLine;

void hp_registry_line_append (GString *text, const char *id, gsize length,
                              const guint8 key[HP_KEY_SIZE], gint64 end);
/* @text: without the line's end. FALSE: it is damaged. */
gboolean hp_registry_line_parse (HpRegistryLine *line, const char *text,
                                 gsize length) G_GNUC_WARN_UNUSED_RESULT;
