/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <hole-punch/hole-punch.h>
#include <stdlib.h>

#include "hole-punch/tools/hp-tool-commands.h"
#include "hole-punch/tools/hp-tool-config.h"
#include "hole-punch/tools/hp-tool-identity.h"
#include "hole-punch/tools/hp-tool-json.h"
#include "hole-punch/tools/hp-tool-problem.h"
#include "hole-punch/tools/hp-tool-run.h"
#include "hole-punch/tools/hp-tool-text.h"

static void
add_registration (GString *json, HpRegistration *registration)
{
  g_autofree char *address = hp_tool_text_address (
      hp_registration_get_address (registration));

  hp_tool_json_add_string (json, "id", hp_registration_get_id (registration));
  hp_tool_json_add_string (json, "fingerprint",
                           hp_registration_get_fingerprint (registration));
  hp_tool_json_add_string (json, "address", address);
}

static char *
format_registration (HpRegistration *registration)
{
  const char *id = hp_registration_get_id (registration);
  g_autofree char *name = hp_tool_text_safe (
      id != NULL ? id : hp_registration_get_fingerprint (registration), -1);
  g_autofree char *address = hp_tool_text_address (
      hp_registration_get_address (registration));

  return address != NULL ? g_strdup_printf ("%s (%s)", name, address)
                         : g_steal_pointer (&name);
}

static void
tell (HpToolRun *run, const char *event, const char *words,
      HpRegistration *registration)
{
  g_autofree char *name = NULL;

  if (run->options->json)
    {
      GString *json = hp_tool_json_new (event);

      add_registration (json, registration);
      hp_tool_run_print (run, hp_tool_json_finish (json));
      return;
    }
  name = format_registration (registration);
  hp_tool_run_print (run, g_strdup_printf ("%s: %s\n", words, name));
}

static void
on_registered (HpMatchServer *server, HpRegistration *registration,
               HpToolRun *run)
{
  tell (run, "peer-registered", "Registered", registration);
}

static void
on_expired (HpMatchServer *server, HpRegistration *registration, HpToolRun *run)
{
  tell (run, "peer-expired", "Gone", registration);
}

static void
on_introduced (HpMatchServer *server, HpRegistration *caller,
               HpRegistration *callee, HpToolRun *run)
{
  g_autofree char *caller_name = NULL;
  g_autofree char *callee_name = NULL;

  if (run->options->json)
    {
      GString *json = hp_tool_json_new ("introduced");

      hp_tool_json_add_string (json, "caller",
                               hp_registration_get_fingerprint (caller));
      add_registration (json, callee);
      hp_tool_run_print (run, hp_tool_json_finish (json));
      return;
    }
  caller_name = format_registration (caller);
  callee_name = format_registration (callee);
  hp_tool_run_print (run, g_strdup_printf ("Introduced: %s to %s\n",
                                           caller_name, callee_name));
}

static void
tell_listening (HpToolRun *run, HpMatchServer *server)
{
  g_autofree char *address = hp_tool_text_address (
      hp_match_server_get_local_address (server));
  HpIdentity *identity = hp_match_server_get_identity (server);
  const char *fingerprint = hp_identity_get_fingerprint (identity);
  int second_port = hp_match_server_get_second_port (server);

  if (run->options->json)
    {
      GString *json = hp_tool_json_new ("listening");

      hp_tool_json_add_string (json, "address", address);
      if (second_port > 0)
        hp_tool_json_add_number (json, "second-port", second_port);
      hp_tool_json_add_string (json, "fingerprint", fingerprint);
      hp_tool_run_print (run, hp_tool_json_finish (json));
      return;
    }
  hp_tool_run_print (run, g_strdup_printf ("The match server listens on %s\n"
                                           "Fingerprint: %s\n"
                                           "Peers find it by --match-server "
                                           "holepunch://%s@HOST:%u\n",
                                           address, fingerprint, fingerprint,
                                           hp_match_server_get_port (server)));
  if (second_port > 0)
    hp_tool_run_print (run, g_strdup_printf (
        "Port %d answers STUN: let it through your firewall, too\n",
        second_port));
}

static int
run_server (HpToolOptions *options, HpMatchServer *server)
{
  HpToolRun run;
  int status = EXIT_FAILURE;
  g_autoptr (GError) error = NULL;

  hp_tool_run_init (&run, options, EXIT_SUCCESS, NULL, NULL);
  g_signal_connect (server, "peer-registered", G_CALLBACK (on_registered),
                    &run);
  g_signal_connect (server, "peer-expired", G_CALLBACK (on_expired), &run);
  g_signal_connect (server, "introduced", G_CALLBACK (on_introduced), &run);
  if (hp_match_server_start (server, &error))
    {
      tell_listening (&run, server);
      status = hp_tool_run_wait (&run);
      hp_match_server_stop (server);
    }
  else
    {
      hp_tool_problem_print (error, options->json);
    }
  g_signal_handlers_disconnect_by_data (server, &run);
  hp_tool_run_clear (&run);
  return status;
}

/* What was given on the command line, which counts more than the file */
typedef struct
{
  char *config;
  int port; /* UNSET: not given; so all of them */
  char *listen_address;
  int second_port;
  char *second_address;
  char **turn_servers;
  char *turn_secret_file;
} Settings;

#define UNSET G_MININT

static void
clear_settings (Settings *settings)
{
  g_free (settings->config);
  g_free (settings->listen_address);
  g_free (settings->second_address);
  g_strfreev (settings->turn_servers);
  g_free (settings->turn_secret_file);
}

static gboolean
is_port (int port, int least)
{
  return port == UNSET || (port >= least && port <= G_MAXUINT16);
}

static gboolean
is_address (const char *address)
{
  return address == NULL || g_hostname_is_ip_address (address);
}

/* The exit status, or -1 to go on */
static int
check (const HpToolOptions *options, const Settings *settings)
{
  if (!is_port (settings->port, 0))
    return hp_tool_options_fail (options, "--port must be from 0 to 65535");
  if (!is_port (settings->second_port, -1))
    return hp_tool_options_fail (options,
                                 "--second-port must be from -1 to 65535");
  if (!is_address (settings->listen_address))
    return hp_tool_options_fail (
        options, "--listen-address must be an IP address of this machine");
  if (!is_address (settings->second_address))
    return hp_tool_options_fail (
        options, "--second-address must be an IP address of this machine");
  return -1;
}

static gboolean
apply (const Settings *settings, HpMatchServer *server, GError **error)
{
  g_autofree char *secret = NULL;

  if (settings->config != NULL
      && !hp_tool_config_load (settings->config, server, error))
    return FALSE;
  if (settings->port != UNSET)
    hp_match_server_set_port (server, settings->port);
  if (settings->listen_address != NULL)
    hp_match_server_set_listen_address (server, settings->listen_address);
  if (settings->second_port != UNSET)
    hp_match_server_set_second_port (server, settings->second_port);
  if (settings->second_address != NULL)
    hp_match_server_set_second_address (server, settings->second_address);
  if (settings->turn_servers != NULL)
    hp_match_server_set_turn_servers (
        server, (const char *const *) settings->turn_servers);
  if (settings->turn_secret_file == NULL)
    return TRUE;
  secret = hp_tool_config_read_secret (settings->turn_secret_file, error);
  if (secret == NULL)
    return FALSE;
  hp_match_server_set_turn_secret (server, secret);
  return TRUE;
}

static HpMatchServer *
make_server (const HpToolOptions *options, const Settings *settings,
             GError **error)
{
  g_autofree char *filename = NULL;
  g_autoptr (HpIdentity) identity = NULL;
  g_autoptr (HpMatchServer) server = NULL;

  filename = hp_tool_identity_get_filename (options, error);
  if (filename == NULL)
    return NULL;
  identity = hp_tool_open_identity (filename, NULL, error);
  if (identity == NULL)
    return NULL;
  server = g_object_new (HP_TYPE_MATCH_SERVER, "identity", identity, NULL);
  if (!apply (settings, server, error))
    return NULL;
  return g_steal_pointer (&server);
}

static int
serve (HpToolOptions *options, const Settings *settings)
{
  g_autoptr (HpMatchServer) server = NULL;
  g_autoptr (GError) error = NULL;

  server = make_server (options, settings, &error);
  if (server != NULL)
    return run_server (options, server);
  hp_tool_problem_print (error, options->json);
  return EXIT_FAILURE;
}

int
hp_tool_serve (int argc, char **argv)
{
  Settings settings = { .port = UNSET, .second_port = UNSET };
  const GOptionEntry entries[] = {
    { "config", 'c', 0, G_OPTION_ARG_FILENAME, &settings.config,
      "A file with settings; what is given here counts more", "FILE" },
    { "port", 'p', 0, G_OPTION_ARG_INT, &settings.port,
      "The UDP port to listen on; 0: any free one (4222)", "PORT" },
    { "listen-address", 'l', 0, G_OPTION_ARG_FILENAME,
      &settings.listen_address, "The IP address to listen on (all)",
      "ADDRESS" },
    { "second-port", 0, 0, G_OPTION_ARG_INT, &settings.second_port,
      "The UDP port that only answers STUN; -1: none (the next one)",
      "PORT" },
    { "second-address", 0, 0, G_OPTION_ARG_FILENAME,
      &settings.second_address, "A second IP address, which answers STUN",
      "ADDRESS" },
    { "turn-server", 0, 0, G_OPTION_ARG_STRING_ARRAY, &settings.turn_servers,
      "A relay that peers may use; may be given several times", "URI" },
    { "turn-secret-file", 0, 0, G_OPTION_ARG_FILENAME,
      &settings.turn_secret_file, "The secret shared with the relays",
      "FILE" },
    G_OPTION_ENTRY_NULL,
  };
  HpToolOptions options = {
    .command = "serve",
    .summary = "Runs a match server, where peers find each other.",
    .entries = entries,
  };
  int status = hp_tool_options_parse (&options, argc, argv);

  if (status == -1)
    status = check (&options, &settings);
  if (status == -1)
    status = serve (&options, &settings);
  clear_settings (&settings);
  hp_tool_options_clear (&options);
  return status;
}
