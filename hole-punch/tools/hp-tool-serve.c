/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <hole-punch/hole-punch.h>
#include <stdlib.h>

#include "hole-punch/tools/hp-tool-commands.h"
#include "hole-punch/tools/hp-tool-output.h"
#include "hole-punch/tools/hp-tool-problem.h"
#include "hole-punch/tools/hp-tool-serving.h"

/* What was given on the command line, which counts more than the file */
typedef struct
{
  char *config;
  int port; /* UNSET: not given; so all of them */
  char *listen_address;
  int second_port;
  char *second_address;
  int workers;
  char *registry;
  char *registry_file;
  char **turn_servers;
  char *turn_secret_file;
  char *metrics;
  gboolean verbose;
  gboolean print_config;
} Given;

#define UNSET G_MININT

static void
clear_given (Given *given)
{
  g_free (given->config);
  g_free (given->listen_address);
  g_free (given->second_address);
  g_free (given->registry);
  g_free (given->registry_file);
  g_strfreev (given->turn_servers);
  g_free (given->turn_secret_file);
  g_free (given->metrics);
}

static gboolean
is_in_range (int number, int least, int most)
{
  return number == UNSET || (number >= least && number <= most);
}

static gboolean
is_address (const char *address)
{
  return address == NULL || g_hostname_is_ip_address (address);
}

static int
get_max_workers (void)
{
  g_autoptr (GTypeClass) klass = g_type_class_ref (HP_TYPE_MATCH_SERVER);
  GParamSpec *pspec
      = g_object_class_find_property (G_OBJECT_CLASS (klass), "workers");

  return G_PARAM_SPEC_UINT (pspec)->maximum;
}

/* The exit status, or -1 to go on */
static int
check (const HpToolOptions *options, const Given *given)
{
  const int max_workers = get_max_workers ();

  if (!is_in_range (given->port, 0, G_MAXUINT16))
    return hp_tool_options_fail (options, "--port must be from 0 to 65535");
  if (!is_in_range (given->second_port, -1, G_MAXUINT16))
    return hp_tool_options_fail (options,
                                 "--second-port must be from -1 to 65535");
  if (!is_in_range (given->workers, 0, max_workers))
    return hp_tool_options_fail (options, "--workers must be from 0 to %d",
                                 max_workers);
  if (!is_address (given->listen_address))
    return hp_tool_options_fail (
        options, "--listen-address must be an IP address of this machine");
  if (!is_address (given->second_address))
    return hp_tool_options_fail (
        options, "--second-address must be an IP address of this machine");
  return -1;
}

static void
set_number (GKeyFile *file, const char *key, int number)
{
  if (number != UNSET)
    g_key_file_set_integer (file, HP_TOOL_CONFIG_GROUP, key, number);
}

static void
set_text (GKeyFile *file, const char *key, const char *text)
{
  if (text != NULL)
    g_key_file_set_string (file, HP_TOOL_CONFIG_GROUP, key, text);
}

/* From where we are, unlike in a file */
static void
set_filename (GKeyFile *file, const char *key, const char *filename)
{
  g_autofree char *whole
      = filename != NULL ? g_canonicalize_filename (filename, NULL) : NULL;

  set_text (file, key, whole);
}

static GKeyFile *
to_key_file (const Given *given)
{
  GKeyFile *file = g_key_file_new ();
  char **uris = given->turn_servers;

  set_number (file, "port", given->port);
  set_text (file, "listen-address", given->listen_address);
  set_number (file, "second-port", given->second_port);
  set_text (file, "second-address", given->second_address);
  set_number (file, "workers", given->workers);
  set_text (file, "registry", given->registry);
  set_filename (file, "registry-file", given->registry_file);
  if (uris != NULL)
    g_key_file_set_string_list (file, HP_TOOL_CONFIG_GROUP, "turn-servers",
                                (const char *const *) uris,
                                g_strv_length (uris));
  set_filename (file, "turn-secret-file", given->turn_secret_file);
  set_text (file, "metrics", given->metrics);
  if (given->verbose)
    set_text (file, "log", "peers");
  return file;
}

static int
print_config (const HpToolServingSettings *settings)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HpToolConfig) config
      = hp_tool_serving_read_config (settings, &error);
  g_autofree char *text = NULL;

  if (config == NULL)
    {
      hp_tool_problem_print (error, settings->options->json);
      return EXIT_FAILURE;
    }
  text = hp_tool_config_to_text (config);
  return hp_tool_output_line (text) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
serve (const HpToolOptions *options, const Given *given)
{
  g_autoptr (GKeyFile) file = to_key_file (given);
  const HpToolServingSettings settings = {
    .options = options,
    .filename = given->config,
    .given = file,
    .is_verbose = given->verbose,
  };

  if (given->print_config)
    return print_config (&settings);
  hp_tool_log_init ();
  return hp_tool_serving_run (&settings);
}

int
hp_tool_serve (int argc, char **argv)
{
  Given given = { .port = UNSET, .second_port = UNSET, .workers = UNSET };
  const GOptionEntry entries[] = {
    { "config", 'c', 0, G_OPTION_ARG_FILENAME, &given.config,
      "A file with settings; what is given here counts more", "FILE" },
    { "print-config", 0, 0, G_OPTION_ARG_NONE, &given.print_config,
      "Check the settings, print them, and end", NULL },
    { "port", 'p', 0, G_OPTION_ARG_INT, &given.port,
      "The UDP port to listen on; 0: any free one (4222)", "PORT" },
    { "listen-address", 'l', 0, G_OPTION_ARG_FILENAME, &given.listen_address,
      "The IP address to listen on (all)", "ADDRESS" },
    { "second-port", 0, 0, G_OPTION_ARG_INT, &given.second_port,
      "The UDP port that only answers STUN; -1: none (the next one)",
      "PORT" },
    { "second-address", 0, 0, G_OPTION_ARG_FILENAME, &given.second_address,
      "A second IP address, which answers STUN", "ADDRESS" },
    { "workers", 'w', 0, G_OPTION_ARG_INT, &given.workers,
      "How many threads serve; 0: one for each core (0)", "NUMBER" },
    { "registry", 0, 0, G_OPTION_ARG_STRING, &given.registry,
      "memory, or redis://HOST:PORT, which many servers share (memory)",
      "REGISTRY" },
    { "registry-file", 0, 0, G_OPTION_ARG_FILENAME, &given.registry_file,
      "Keeps there whose ids are whose, while the server is not running",
      "FILE" },
    { "turn-server", 0, 0, G_OPTION_ARG_STRING_ARRAY, &given.turn_servers,
      "A relay that peers may use; may be given several times", "URI" },
    { "turn-secret-file", 0, 0, G_OPTION_ARG_FILENAME,
      &given.turn_secret_file, "The secret shared with the relays", "FILE" },
    { "metrics", 0, 0, G_OPTION_ARG_STRING, &given.metrics,
      "Where to serve /metrics by HTTP, for Prometheus", "[ADDRESS:]PORT" },
    { "verbose", 'v', 0, G_OPTION_ARG_NONE, &given.verbose,
      "Tell who comes and goes, and meets whom", NULL },
    G_OPTION_ENTRY_NULL,
  };
  HpToolOptions options = {
    .command = "serve",
    .summary = "Runs a match server, where peers find each other.",
    .entries = entries,
  };
  int status = hp_tool_options_parse (&options, argc, argv);

  if (status == -1)
    status = check (&options, &given);
  if (status == -1)
    status = serve (&options, &given);
  clear_given (&given);
  hp_tool_options_clear (&options);
  return status;
}
