/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <glib.h>
#include <locale.h>
#include <stdlib.h>

#include "hole-punch/tools/hp-tool-commands.h"
#include "hole-punch/tools/hp-tool-options.h"
#include "hole-punch/tools/hp-tool-output.h"

#define USAGE_WIDTH 14

typedef struct
{
  const char *name;
  const char *parameters;
  const char *summary;
  int (*run) (int argc, char **argv);
} Command;

static const Command commands[] = {
  { "serve", "", "Run a match server, where peers find each other",
    hp_tool_serve },
  { "listen", "ID", "Receive files and messages under an id", hp_tool_listen },
  { "send", "ID FILE…", "Send files to whoever listens under an id",
    hp_tool_send },
  { "ping", "ID", "Measure how long messages take there and back",
    hp_tool_ping },
  { "speed", "ID", "Measure how fast bytes get there", hp_tool_speed },
  { "check", "", "Tell what this network is good for", hp_tool_check },
  { "identity", "", "Show the fingerprint of an identity", hp_tool_identity },
};

static char *
make_help (void)
{
  GString *help = g_string_new ("Usage:\n"
                                "  hole-punch COMMAND [OPTION…]\n\n"
                                "Files and messages straight from peer to "
                                "peer, encrypted, through NATs\n\n"
                                "Commands:\n");

  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    {
      g_autofree char *usage = g_strdup_printf ("%s %s", commands[i].name,
                                                commands[i].parameters);
      int padding = USAGE_WIDTH - g_utf8_strlen (usage, -1);

      g_string_append_printf (help, "  %s%*s  %s\n", usage, MAX (padding, 0),
                              "", commands[i].summary);
    }
  g_string_append (help, "\nOptions:\n"
                         "  -h, --help     Show this help\n"
                         "  --version      Print the version\n\n"
                         "“hole-punch COMMAND --help” shows the options of a "
                         "command. See also hole-punch(1).\n");
  return g_string_free (help, FALSE);
}

static int
print_help (void)
{
  g_autofree char *help = make_help ();

  return hp_tool_output_line (help) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
fail (const char *what, const char *word)
{
  g_autofree char *line = g_strdup_printf (
      "hole-punch: %s%s\nTry “hole-punch --help”.\n", what, word);

  hp_tool_output_problem (line);
  return HP_TOOL_EXIT_USAGE;
}

int
main (int argc, char **argv)
{
  const char *word = argc > 1 ? argv[1] : NULL;

  /* Not the numbers of the locale: programs read them. */
  setlocale (LC_CTYPE, "");
  g_set_application_name ("hole-punch");
  if (word == NULL)
    return fail ("Missing: COMMAND", "");
  if (g_str_equal (word, "--help") || g_str_equal (word, "-h")
      || g_str_equal (word, "help"))
    return print_help ();
  if (g_str_equal (word, "--version"))
    return hp_tool_options_print_version ();
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    {
      if (g_str_equal (word, commands[i].name))
        return commands[i].run (argc - 1, argv + 1);
    }
  return fail (*word == '-' ? "Unknown option " : "Unknown command ", word);
}
