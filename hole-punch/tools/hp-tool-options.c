/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-options.h"

#include <hole-punch/hole-punch.h>
#include <stdlib.h>

#include "hole-punch/tools/hp-tool-output.h"

#define DEFAULT_TIMEOUT 10
#define MAX_TIMEOUT 3600
#define MATCH_SERVER_VARIABLE "HOLE_PUNCH_MATCH_SERVER"
/* Where a password is not seen in the list of processes */
#define TURN_VARIABLE "HOLE_PUNCH_TURN"

int
hp_tool_options_fail (const HpToolOptions *self, const char *format, ...)
{
  g_autofree char *what = NULL;
  g_autofree char *line = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  line = g_strdup_printf ("hole-punch %s: %s\n"
                          "Try “hole-punch %s --help”.\n",
                          self->command, what, self->command);
  hp_tool_output_problem (line);
  return HP_TOOL_EXIT_USAGE;
}

int
hp_tool_options_print_version (void)
{
  g_autofree char *line = g_strdup_printf ("hole-punch %d.%d.%d\n",
                                           HP_MAJOR_VERSION, HP_MINOR_VERSION,
                                           HP_MICRO_VERSION);

  return hp_tool_output_line (line) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static GOptionContext *
make_context (HpToolOptions *self)
{
  const GOptionEntry peer_entries[] = {
    { "match-server", 'm', 0, G_OPTION_ARG_FILENAME, &self->match_server,
      "The match server (or " MATCH_SERVER_VARIABLE " in the environment)",
      "HOST[:PORT]" },
    { "timeout", 't', 0, G_OPTION_ARG_DOUBLE, &self->seconds,
      "Give up after so long (10)", "SECONDS" },
    { "turn", 0, 0, G_OPTION_ARG_STRING, &self->turn,
      "TURN servers to relay (or " TURN_VARIABLE " in the environment)",
      "turn:USER:PASSWORD@HOST" },
    { "relay-policy", 0, 0, G_OPTION_ARG_STRING, &self->policy,
      "direct-only, allow-relay (the default) or relay-only", "POLICY" },
    { "no-port-mapping", 0, 0, G_OPTION_ARG_NONE, &self->no_port_mapping,
      "Do not ask the gateway for a port", NULL },
    G_OPTION_ENTRY_NULL,
  };
  const GOptionEntry common_entries[] = {
    { "identity", 'i', 0, G_OPTION_ARG_FILENAME, &self->identity,
      "The key pair to use, made and saved there if there is none", "FILE" },
    { "json", 'j', 0, G_OPTION_ARG_NONE, &self->json,
      "Print JSON, one object a line", NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &self->version, "Print the version",
      NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &self->arguments,
      NULL, NULL },
    G_OPTION_ENTRY_NULL,
  };
  GOptionContext *context = g_option_context_new (self->parameters);
  g_autofree char *name = g_strconcat ("hole-punch ", self->command, NULL);

  g_set_prgname (name);
  g_option_context_set_summary (context, self->summary);
  g_option_context_set_description (context, "See also hole-punch(1).");
  g_option_context_set_strict_posix (context, FALSE);
  if (self->is_peer)
    g_option_context_add_main_entries (context, peer_entries, NULL);
  if (self->entries != NULL)
    g_option_context_add_main_entries (context, self->entries, NULL);
  g_option_context_add_main_entries (context, common_entries, NULL);
  return context;
}

static gboolean
parse_policy (HpToolOptions *self)
{
  g_autoptr (GEnumClass) values = g_type_class_ref (HP_TYPE_RELAY_POLICY);
  const GEnumValue *value;

  self->relay_policy = HP_RELAY_POLICY_ALLOW_RELAY;
  if (self->policy == NULL)
    return TRUE;
  value = g_enum_get_value_by_nick (values, self->policy);
  if (value != NULL)
    self->relay_policy = value->value;
  return value != NULL;
}

static int
check (HpToolOptions *self)
{
  guint n_arguments = g_strv_length (self->arguments);

  if (n_arguments < self->min_arguments)
    return hp_tool_options_fail (self, "Missing: %s", self->parameters);
  if (n_arguments > self->max_arguments)
    return hp_tool_options_fail (self, "“%s” is one argument too many",
                                 self->arguments[self->max_arguments]);
  if (n_arguments > 0 && *self->arguments[0] == '\0')
    return hp_tool_options_fail (self, "The id must not be empty");
  if (!(self->seconds > 0 && self->seconds <= MAX_TIMEOUT))
    return hp_tool_options_fail (self,
                                 "--timeout must be above 0, and at most 3600");
  self->timeout = self->seconds * G_TIME_SPAN_SECOND;
  if (!parse_policy (self))
    return hp_tool_options_fail (self, "“%s” is no relay policy",
                                 self->policy);
  if (self->is_peer && self->turn == NULL)
    self->turn = g_strdup (g_getenv (TURN_VARIABLE));
  if (self->is_peer && self->match_server == NULL)
    self->match_server = g_strdup (g_getenv (MATCH_SERVER_VARIABLE));
  if (self->is_peer
      && (self->match_server == NULL || *self->match_server == '\0'))
    return hp_tool_options_fail (
        self, "Which match server? Give --match-server HOST[:PORT]; "
              "“hole-punch serve” runs one");
  return -1;
}

int
hp_tool_options_parse (HpToolOptions *self, int argc, char **argv)
{
  g_autoptr (GOptionContext) context = NULL;
  g_autoptr (GError) error = NULL;

  self->seconds = DEFAULT_TIMEOUT;
  context = make_context (self);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    return hp_tool_options_fail (self, "%s", error->message);
  if (self->version)
    return hp_tool_options_print_version ();
  if (self->arguments == NULL)
    self->arguments = g_new0 (char *, 1);
  return check (self);
}

void
hp_tool_options_clear (HpToolOptions *self)
{
  g_clear_pointer (&self->arguments, g_strfreev);
  g_clear_pointer (&self->match_server, g_free);
  g_clear_pointer (&self->identity, g_free);
  g_clear_pointer (&self->turn, g_free);
  g_clear_pointer (&self->policy, g_free);
}
