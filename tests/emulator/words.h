/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

/* Words like "delay=25ms loss=1%", and the values in them. */

typedef struct
{
  const char *suffix;
  double factor;
} Unit;

extern const Unit time_units[]; /* in ns */
extern const Unit count_units[];

typedef gboolean (*WordFunc) (gpointer user, const char *name,
                              const char *value);

gboolean words_parse (const char *text, WordFunc take, gpointer user,
                      char **problem);
gboolean words_parse_number (const char *text, const Unit *units, double max,
                             double *number);
gboolean words_parse_time (const char *text, gint64 *time);
gboolean words_parse_count (const char *text, guint max, guint *count);
gboolean words_parse_choice (const char *text, const char *const *choices,
                             guint *choice);
gboolean words_parse_boolean (const char *text, gboolean *yes);
