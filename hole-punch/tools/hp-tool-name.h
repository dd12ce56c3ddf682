/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a file from the network may be called here. A name that came in is data,
 * not a path: of whatever it holds, one plain, visible file name is made.
 */

#pragma once

#include <gio/gio.h>

/* No longer than this, so that a number still fits in (NAME_MAX is 255) */
#define HP_TOOL_NAME_LENGTH 240

/* Never NULL or empty; UTF-8 */
char *hp_tool_name_clean (const guint8 *bytes, gsize length);
/* "name.ext" of 0, "name (1).ext" of 1 */
char *hp_tool_name_number (const char *name, guint number);
