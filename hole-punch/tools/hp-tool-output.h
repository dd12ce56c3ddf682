/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Standard output and standard error. Lines are flushed one by one, so that a
 * program which reads them through a pipe has each at once; the progress bar
 * steps aside for them.
 */

#pragma once

#include <gio/gio.h>

/* @line ends in a newline. FALSE: nobody reads it any more, or it cannot be
 * written, which standard error then tells */
gboolean hp_tool_output_line (const char *line);
/* Same, on standard error */
void hp_tool_output_problem (const char *line);
/* Standard error is a terminal */
gboolean hp_tool_output_has_bar (void);
/* The width of that terminal, in columns */
guint hp_tool_output_get_width (void);
/* NULL: hides it */
void hp_tool_output_set_bar (const char *bar);
