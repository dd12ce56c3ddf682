/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdlib.h>

#include "hole-punch/tools/hp-tool-commands.h"
#include "hole-punch/tools/hp-tool-json.h"
#include "hole-punch/tools/hp-tool-problem.h"
#include "hole-punch/tools/hp-tool-run.h"
#include "hole-punch/tools/hp-tool-text.h"

/* Besides EXIT_SUCCESS, EXIT_FAILURE and HP_TOOL_EXIT_USAGE */
#define EXIT_RELAYED 3
#define EXIT_NONE 4

typedef struct
{
  HpToolRun run;
  char *stun_servers;
  GSource *deadline;
} Checker;

static int
get_status (HpProspects prospects)
{
  switch (prospects)
    {
    case HP_PROSPECTS_ALMOST_ALL:
    case HP_PROSPECTS_MANY:
      return EXIT_SUCCESS;
    case HP_PROSPECTS_RELAYED:
      return EXIT_RELAYED;
    case HP_PROSPECTS_NONE:
      return EXIT_NONE;
    case HP_PROSPECTS_UNKNOWN:
      break;
    }
  return EXIT_FAILURE;
}

/* JSON */

static void
add_enum (GString *json, const char *name, GType type, int value)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (type);

  hp_tool_json_add_string (json, name,
                           g_enum_get_value (klass, value)->value_nick);
}

static void
add_address (GString *json, const char *name, GSocketAddress *address)
{
  g_autofree char *text = hp_tool_text_address (address);

  hp_tool_json_add_string (json, name, text);
}

static void
tell_servers (Checker *self, GListModel *servers)
{
  for (guint i = 0; i < g_list_model_get_n_items (servers); i++)
    {
      g_autoptr (HpServerReport) server = g_list_model_get_item (servers, i);
      GString *json = hp_tool_json_new ("server");

      add_enum (json, "kind", HP_TYPE_SERVER_KIND,
                hp_server_report_get_kind (server));
      hp_tool_json_add_string (json, "name",
                               hp_server_report_get_name (server));
      add_address (json, "address", hp_server_report_get_address (server));
      hp_tool_json_add_string (json, "transport",
                               hp_server_report_get_transport (server));
      hp_tool_json_add_boolean (json, "reachable",
                                hp_server_report_get_reachable (server));
      hp_tool_json_add_milliseconds (
          json, "milliseconds", hp_server_report_get_round_trip_time (server));
      hp_tool_json_add_string (json, "problem",
                               hp_server_report_get_problem (server));
      hp_tool_run_print (&self->run, hp_tool_json_finish (json));
    }
}

static void
add_nat (GString *json, HpNatInfo *nat)
{
  g_autoptr (HpNatInfo) known = nat != NULL
                                    ? g_object_ref (nat)
                                    : g_object_new (HP_TYPE_NAT_INFO, NULL);

  add_enum (json, "mapping", HP_TYPE_NAT_MAPPING,
            hp_nat_info_get_mapping (known));
  add_enum (json, "filtering", HP_TYPE_NAT_FILTERING,
            hp_nat_info_get_filtering (known));
  add_enum (json, "allocation", HP_TYPE_NAT_ALLOCATION,
            hp_nat_info_get_allocation (known));
  hp_tool_json_add_number (json, "step", hp_nat_info_get_step (known));
  hp_tool_json_add_number (json, "drift", hp_nat_info_get_drift (known));
  hp_tool_json_add_number (json, "first-port",
                           hp_nat_info_get_first_port (known));
  hp_tool_json_add_number (json, "last-port",
                           hp_nat_info_get_last_port (known));
  add_enum (json, "hairpin", HP_TYPE_NAT_HAIRPIN,
            hp_nat_info_get_hairpin (known));
}

static void
tell_json (Checker *self, HpNetworkReport *report)
{
  GString *json;

  tell_servers (self, hp_network_report_get_match_servers (report));
  tell_servers (self, hp_network_report_get_stun_servers (report));
  tell_servers (self, hp_network_report_get_relays (report));

  json = hp_tool_json_new ("network");
  add_enum (json, "prospects", HP_TYPE_PROSPECTS,
            hp_network_report_get_prospects (report));
  hp_tool_json_add_string (json, "summary",
                           hp_network_report_get_summary (report));
  hp_tool_json_add_boolean (json, "udp-blocked",
                            hp_network_report_get_udp_blocked (report));
  hp_tool_json_add_boolean (json, "ipv6",
                            hp_network_report_get_has_ipv6 (report));
  hp_tool_json_add_strings (json, "public-addresses",
                            hp_network_report_get_public_addresses (report));
  hp_tool_json_add_strings (json, "local-addresses",
                            hp_network_report_get_local_addresses (report));
  add_nat (json, hp_network_report_get_nat (report));
  hp_tool_json_add_string (json, "port-mapping",
                           hp_network_report_get_port_mapping (report));
  add_address (json, "mapped-address",
               hp_network_report_get_mapped_address (report));
  hp_tool_run_print (&self->run, hp_tool_json_finish (json));
}

/* Text */

static void
tell_text (Checker *self, HpNetworkReport *report)
{
  g_autofree char *text = hp_network_report_to_string (report);
  g_auto (GStrv) lines = g_strsplit (g_strchomp (text), "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_autofree char *line = hp_tool_text_safe (lines[i], -1);

      hp_tool_run_print (&self->run, g_strconcat (line, "\n", NULL));
    }
}

static void
on_checked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Checker *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (HpNetworkReport) report
      = hp_peer_check_network_finish (HP_PEER (source), result, &error);

  if (self->run.is_late)
    {
      g_clear_error (&error);
      error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                                   "The time was too short");
    }
  if (report == NULL)
    {
      hp_tool_run_fail (&self->run, error);
    }
  else
    {
      if (self->run.options->json)
        tell_json (self, report);
      else
        tell_text (self, report);
      hp_tool_run_end (&self->run,
                       get_status (hp_network_report_get_prospects (report)));
    }
  hp_tool_run_release (&self->run);
}

static gboolean
on_late (gpointer user_data)
{
  Checker *self = user_data;

  hp_tool_clear_source (&self->deadline);
  self->run.is_late = TRUE;
  g_cancellable_cancel (self->run.cancellable);
  return G_SOURCE_REMOVE;
}

static int
check (Checker *self, const HpToolOptions *options)
{
  int status = EXIT_FAILURE;

  hp_tool_run_init (&self->run, options, EXIT_FAILURE, NULL, NULL);
  if (hp_tool_run_make_peer (&self->run, NULL))
    {
      hp_peer_set_stun_servers (self->run.peer, self->stun_servers);
      self->deadline = hp_tool_add_timeout ("hole-punch-deadline",
                                            options->timeout, on_late, self);
      hp_tool_run_hold (&self->run);
      hp_peer_check_network_async (self->run.peer, self->run.cancellable,
                                   on_checked, self);
      status = hp_tool_run_wait (&self->run);
    }
  hp_tool_clear_source (&self->deadline);
  hp_tool_run_clear (&self->run);
  return status;
}

int
hp_tool_check (int argc, char **argv)
{
  Checker self = { 0 };
  const GOptionEntry entries[] = {
    { "stun-servers", 's', 0, G_OPTION_ARG_STRING, &self.stun_servers,
      "Servers that tell what they see, besides the match server",
      "HOST[:PORT],…" },
    G_OPTION_ENTRY_NULL,
  };
  HpToolOptions options = {
    .command = "check",
    .summary = "Tells what this network is good for: which servers answer, "
               "what the NAT is\nlike, and with whom connections can be made.",
    .entries = entries,
    .is_peer = TRUE,
  };
  int status = hp_tool_options_parse (&options, argc, argv);

  if (status == -1)
    status = check (&self, &options);
  hp_tool_options_clear (&options);
  g_free (self.stun_servers);
  return status;
}
