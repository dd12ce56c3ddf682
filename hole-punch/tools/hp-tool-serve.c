/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <hole-punch/hole-punch.h>
#include <stdlib.h>

#include "hole-punch/tools/hp-tool-commands.h"
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

  if (run->options->json)
    {
      GString *json = hp_tool_json_new ("listening");

      hp_tool_json_add_string (json, "address", address);
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

static HpMatchServer *
make_server (const HpToolOptions *options, guint port,
             const char *listen_address, GError **error)
{
  g_autofree char *filename = NULL;
  g_autoptr (HpIdentity) identity = NULL;

  filename = hp_tool_identity_get_filename (options, error);
  if (filename == NULL)
    return NULL;
  identity = hp_tool_open_identity (filename, NULL, error);
  if (identity == NULL)
    return NULL;
  return g_object_new (HP_TYPE_MATCH_SERVER, "port", port, "listen-address",
                       listen_address, "identity", identity, NULL);
}

int
hp_tool_serve (int argc, char **argv)
{
  int port = HP_DEFAULT_PORT;
  g_autofree char *listen_address = NULL;
  const GOptionEntry entries[] = {
    { "port", 'p', 0, G_OPTION_ARG_INT, &port,
      "The UDP port to listen on; 0: any free one (4222)", "PORT" },
    { "listen-address", 'l', 0, G_OPTION_ARG_FILENAME, &listen_address,
      "The IP address to listen on (all)", "ADDRESS" },
    G_OPTION_ENTRY_NULL,
  };
  HpToolOptions options = {
    .command = "serve",
    .summary = "Runs a match server, where peers find each other.",
    .entries = entries,
  };
  g_autoptr (HpMatchServer) server = NULL;
  g_autoptr (GError) error = NULL;
  int status = hp_tool_options_parse (&options, argc, argv);

  if (status == -1 && (port < 0 || port > G_MAXUINT16))
    status = hp_tool_options_fail (&options, "--port must be from 0 to 65535");
  if (status == -1 && listen_address != NULL
      && !g_hostname_is_ip_address (listen_address))
    status = hp_tool_options_fail (
        &options, "--listen-address must be an IP address of this machine");
  if (status == -1)
    {
      server = make_server (&options, port, listen_address, &error);
      if (server == NULL)
        {
          hp_tool_problem_print (error, options.json);
          status = EXIT_FAILURE;
        }
      else
        {
          status = run_server (&options, server);
        }
    }
  hp_tool_options_clear (&options);
  return status;
}
