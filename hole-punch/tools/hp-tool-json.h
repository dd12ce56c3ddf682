/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Writes the lines that --json prints: one object a line, its first member is
 * "event". There is nothing to read JSON with, and no need to.
 */

#pragma once

#include <gio/gio.h>

GString *hp_tool_json_new (const char *event);
/* @value: NULL is null; what is not UTF-8 gets replacement characters */
void hp_tool_json_add_string (GString *self, const char *name,
                              const char *value);
/* An array of them */
void hp_tool_json_add_strings (GString *self, const char *name,
                               const char *const *values);
void hp_tool_json_add_number (GString *self, const char *name, gint64 value);
/* From microseconds; negative: not known, null */
void hp_tool_json_add_milliseconds (GString *self, const char *name,
                                    gint64 microseconds);
void hp_tool_json_add_boolean (GString *self, const char *name, gboolean value);
/* The line with its end; frees @self */
char *hp_tool_json_finish (GString *self);
