/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-identity.h"

#include <errno.h>
#include <hole-punch/hole-punch.h>
#include <stdlib.h>

#include "hole-punch/tools/hp-tool-commands.h"
#include "hole-punch/tools/hp-tool-json.h"
#include "hole-punch/tools/hp-tool-output.h"
#include "hole-punch/tools/hp-tool-problem.h"
#include "hole-punch/tools/hp-tool-run.h"

char *
hp_tool_identity_get_filename (const HpToolOptions *options, GError **error)
{
  g_autofree char *folder = NULL;

  if (options->identity != NULL)
    return g_strdup (options->identity);
  folder = g_build_filename (g_get_user_data_dir (), "hole-punch", NULL);
  if (g_mkdir_with_parents (folder, 0700) == -1)
    {
      int saved_errno = errno;
      g_autofree char *name = g_filename_display_name (folder);

      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved_errno),
                   "Cannot make the folder “%s”: %s; give --identity FILE",
                   name, g_strerror (saved_errno));
      return NULL;
    }
  return g_build_filename (folder, "match-server.identity", NULL);
}

static char *
format (const HpToolOptions *options, const char *filename,
        HpIdentity *identity, gboolean is_new)
{
  const char *fingerprint = hp_identity_get_fingerprint (identity);
  g_autofree char *name = g_filename_display_name (filename);
  GString *json;

  if (!options->json)
    return g_strdup_printf ("%s: %s%s\n", name, fingerprint,
                            is_new ? " (new)" : "");
  json = hp_tool_json_new ("identity");
  hp_tool_json_add_string (json, "file", name);
  hp_tool_json_add_string (json, "fingerprint", fingerprint);
  hp_tool_json_add_boolean (json, "new", is_new);
  return hp_tool_json_finish (json);
}

static int
show (const HpToolOptions *options)
{
  g_autofree char *filename = NULL;
  g_autofree char *line = NULL;
  g_autoptr (HpIdentity) identity = NULL;
  g_autoptr (GError) error = NULL;
  gboolean is_new = FALSE;

  filename = hp_tool_identity_get_filename (options, &error);
  if (filename != NULL)
    identity = hp_tool_open_identity (filename, &is_new, &error);
  if (identity == NULL)
    {
      hp_tool_problem_print (error, options->json);
      return EXIT_FAILURE;
    }
  line = format (options, filename, identity, is_new);
  return hp_tool_output_line (line) ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
hp_tool_identity (int argc, char **argv)
{
  HpToolOptions options = {
    .command = "identity",
    .summary = "Shows the fingerprint of an identity, which is made and saved "
               "if there is none.\nWithout --identity it is the one that "
               "“hole-punch serve” uses.",
  };
  int status = hp_tool_options_parse (&options, argc, argv);

  if (status == -1)
    status = show (&options);
  hp_tool_options_clear (&options);
  return status;
}
