/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The command line of a subcommand. */

#pragma once

#include <gio/gio.h>

#define HP_TOOL_EXIT_USAGE 2

typedef struct
{
  /* What may be given: set by the subcommand */
  const char *command;    /* "send" */
  const char *parameters; /* "ID FILE…" */
  const char *summary;
  const GOptionEntry *entries;
  guint min_arguments;
  guint max_arguments;
  gboolean is_peer; /* has --match-server and --timeout */

  /* What was given */
  char **arguments; /* never NULL */
  char *match_server;
  char *identity; /* NULL: none */
  gint64 timeout; /* µs */
  char *turn;     /* NULL: the match server's, if it has any */
  int relay_policy; /* HpRelayPolicy */
  gboolean no_port_mapping;
  gboolean json;
  /* While it is parsed */
  double seconds;
  char *policy;
  gboolean version;
} HpToolOptions;

/* The exit status to end with, or -1 to go on */
int hp_tool_options_parse (HpToolOptions *self, int argc, char **argv);
/* Says what is wrong with the command line, and gives the exit status */
int hp_tool_options_fail (const HpToolOptions *self, const char *format, ...)
    G_GNUC_PRINTF (2, 3);
void hp_tool_options_clear (HpToolOptions *self);
/* On standard output; the exit status */
int hp_tool_options_print_version (void);
