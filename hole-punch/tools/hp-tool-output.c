/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-output.h"

#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEFAULT_WIDTH 80
/* ECMA-48: to the first column, erase the line */
#define ERASE "\r\033[K"

static gboolean bar_is_shown;

/* Whoever closed the pipe has had enough and need not be told; a full disk is
 * another thing */
static void
tell_failure (int saved_errno)
{
  static gboolean is_told;

  if (saved_errno == EPIPE || is_told)
    return;
  is_told = TRUE;
  fprintf (stderr, "hole-punch: Cannot write to standard output: %s\n",
           g_strerror (saved_errno));
  fflush (stderr);
}

gboolean
hp_tool_output_line (const char *line)
{
  hp_tool_output_set_bar (NULL);
  if (fputs (line, stdout) != EOF && fflush (stdout) == 0)
    return TRUE;
  tell_failure (errno);
  return FALSE;
}

void
hp_tool_output_problem (const char *line)
{
  hp_tool_output_set_bar (NULL);
  fputs (line, stderr);
  fflush (stderr);
}

gboolean
hp_tool_output_has_bar (void)
{
  return isatty (STDERR_FILENO);
}

guint
hp_tool_output_get_width (void)
{
  struct winsize size;

  if (ioctl (STDERR_FILENO, TIOCGWINSZ, &size) == -1 || size.ws_col == 0)
    return DEFAULT_WIDTH;
  return size.ws_col;
}

void
hp_tool_output_set_bar (const char *bar)
{
  if (bar == NULL && !bar_is_shown)
    return;
  fprintf (stderr, ERASE "%s", bar != NULL ? bar : "");
  fflush (stderr);
  bar_is_shown = bar != NULL;
}
