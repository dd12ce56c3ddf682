/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-output.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEFAULT_WIDTH 80
/* ECMA-48: to the first column, erase the line */
#define ERASE "\r\033[K"

static gboolean bar_is_shown;

gboolean
hp_tool_output_line (const char *line)
{
  hp_tool_output_set_bar (NULL);
  return fputs (line, stdout) != EOF && fflush (stdout) == 0;
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
