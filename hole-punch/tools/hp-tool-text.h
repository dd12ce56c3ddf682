/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Texts for people: what came from the network is made harmless first. A
 * terminal obeys control characters, and a right-to-left mark can make
 * "exe.txt" of "txt.exe".
 */

#pragma once

#include <gio/gio.h>

/* As it may be shown on a line: control and format characters, and what is not
 * UTF-8, are replaced. @length: -1: up to the NUL */
char *hp_tool_text_safe (const char *text, gssize length);
/* Not to be shown, nor to be in the name of a file */
gboolean hp_tool_text_is_bad (gunichar c);
/* "192.0.2.1:4222", "[2001:db8::1]:4222"; NULL of NULL */
char *hp_tool_text_address (GSocketAddress *address);
/* "12.3 MB" */
char *hp_tool_text_size (guint64 bytes);
/* "0.412 ms", "1.3 s" */
char *hp_tool_text_duration (gint64 microseconds);
