/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

/* What the programs here have in common: they move packets, obey the lines
 * that they read, and end with their input, or upon SIGTERM or SIGINT. */
typedef struct
{
  /* Moves what there is to be moved; whether there was any. */
  gboolean (*move) (gpointer user);
  /* When there will be, in ns; %G_MAXINT64 for who knows. */
  gint64 (*get_deadline) (gpointer user);
  void (*obey) (gpointer user, const char *line);
  void (*print_statistics) (gpointer user); /* upon SIGUSR1, and at the end */
  void (*reboot) (gpointer user);           /* upon SIGHUP; may be %NULL */
} LoopHandlers;

gint64 loop_get_now (void);
void loop_run (const LoopHandlers *handlers, gpointer user,
               const GArray *descriptors);
