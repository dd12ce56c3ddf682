/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-tidings.h"

#include <unistd.h>

#include "hole-punch/tools/hp-tool-json.h"
#include "hole-punch/tools/hp-tool-problem.h"
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
format_registration (HpRegistration *registration, gboolean with_address)
{
  const char *id = hp_registration_get_id (registration);
  g_autofree char *name = hp_tool_text_safe (
      id != NULL ? id : hp_registration_get_fingerprint (registration), -1);
  g_autofree char *address = NULL;

  if (with_address)
    address = hp_tool_text_address (
        hp_registration_get_address (registration));
  return address != NULL ? g_strdup_printf ("%s (%s)", name, address)
                         : g_steal_pointer (&name);
}

/* A field, unless it is not known or not to be seen */
static void
add_field (GVariantDict *fields, const char *key, const char *value)
{
  g_autofree char *safe = NULL;

  if (value == NULL)
    return;
  safe = hp_tool_text_safe (value, -1);
  g_variant_dict_insert (fields, key, "s", safe);
}

static void
log_peer (HpToolTidings *self, const char *event, const char *message,
          HpRegistration *registration, HpRegistration *caller)
{
  GVariantDict fields;
  g_autofree char *address = NULL;
  g_autoptr (GVariant) all = NULL;

  g_variant_dict_init (&fields, NULL);
  g_variant_dict_insert (&fields, "CODE_FILE", "s", __FILE__);
  g_variant_dict_insert (&fields, "CODE_FUNC", "s", G_STRFUNC);
  g_variant_dict_insert (&fields, "MESSAGE", "s", message);
  g_variant_dict_insert (&fields, "HP_EVENT", "s", event);
  add_field (&fields, "HP_ID", hp_registration_get_id (registration));
  add_field (&fields, "HP_FINGERPRINT",
             hp_registration_get_fingerprint (registration));
  if (caller != NULL)
    add_field (&fields, "HP_CALLER",
               hp_registration_get_fingerprint (caller));
  if (self->log_addresses)
    address = hp_tool_text_address (hp_registration_get_address (
        caller != NULL ? caller : registration));
  add_field (&fields, "HP_ADDRESS", address);
  all = g_variant_ref_sink (g_variant_dict_end (&fields));
  g_log_variant (HP_TOOL_LOG_DOMAIN, HP_TOOL_LOG_PEER, all);
}

static void
tell (HpToolTidings *self, const char *event, const char *words,
      HpRegistration *registration)
{
  g_autofree char *name = NULL;
  g_autofree char *message = NULL;

  if (self->run->options->json)
    {
      GString *json = hp_tool_json_new (event);

      add_registration (json, registration);
      hp_tool_run_print (self->run, hp_tool_json_finish (json));
      return;
    }
  name = format_registration (registration,
                              self->in_words || self->log_addresses);
  message = g_strdup_printf ("%s: %s", words, name);
  if (self->in_words)
    hp_tool_run_print (self->run, g_strconcat (message, "\n", NULL));
  else
    log_peer (self, event, message, registration, NULL);
}

static void
on_registered (HpMatchServer *server, HpRegistration *registration,
               HpToolTidings *self)
{
  tell (self, "peer-registered", "Registered", registration);
}

static void
on_expired (HpMatchServer *server, HpRegistration *registration,
            HpToolTidings *self)
{
  tell (self, "peer-expired", "Gone", registration);
}

static void
on_introduced (HpMatchServer *server, HpRegistration *caller,
               HpRegistration *callee, HpToolTidings *self)
{
  const gboolean with_addresses = self->in_words || self->log_addresses;
  g_autofree char *caller_name = NULL;
  g_autofree char *callee_name = NULL;
  g_autofree char *message = NULL;

  if (self->run->options->json)
    {
      GString *json = hp_tool_json_new ("introduced");

      hp_tool_json_add_string (json, "caller",
                               hp_registration_get_fingerprint (caller));
      add_registration (json, callee);
      hp_tool_run_print (self->run, hp_tool_json_finish (json));
      return;
    }
  caller_name = format_registration (caller, with_addresses);
  callee_name = format_registration (callee, with_addresses);
  message = g_strdup_printf ("Introduced: %s to %s", caller_name, callee_name);
  if (self->in_words)
    hp_tool_run_print (self->run, g_strconcat (message, "\n", NULL));
  else
    log_peer (self, "introduced", message, callee, caller);
}

static void
disconnect_handlers (HpToolTidings *self)
{
  g_signal_handlers_disconnect_by_data (self->server, self);
  self->has_handlers = FALSE;
}

/* Each costs something for each peer: only while somebody wants to know. */
static void
connect_handlers (HpToolTidings *self)
{
  g_signal_connect (self->server, "peer-registered",
                    G_CALLBACK (on_registered), self);
  g_signal_connect (self->server, "peer-expired", G_CALLBACK (on_expired),
                    self);
  g_signal_connect (self->server, "introduced", G_CALLBACK (on_introduced),
                    self);
  self->has_handlers = TRUE;
}

void
hp_tool_tidings_init (HpToolTidings *self, HpToolRun *run,
                      HpMatchServer *server, gboolean is_verbose)
{
  *self = (HpToolTidings){
    .run = run,
    .server = server,
    .in_words = !run->options->json
                && (isatty (STDOUT_FILENO)
                    || (is_verbose && !hp_tool_log_is_journal ())),
  };
}

void
hp_tool_tidings_clear (HpToolTidings *self)
{
  disconnect_handlers (self);
}

void
hp_tool_tidings_set_log (HpToolTidings *self, HpToolLogLevel level,
                         gboolean addresses)
{
  const gboolean wants_peers = self->run->options->json || self->in_words
                               || level == HP_TOOL_LOG_PEERS;

  hp_tool_log_set_level (level);
  self->log_addresses = addresses;
  if (wants_peers && !self->has_handlers)
    connect_handlers (self);
  else if (!wants_peers && self->has_handlers)
    disconnect_handlers (self);
}

static void
print_started (HpToolTidings *self, const char *address,
               const char *fingerprint, int second_port, const char *metrics)
{
  hp_tool_run_print (
      self->run,
      g_strdup_printf ("The match server listens on %s\n"
                       "Fingerprint: %s\n"
                       "Peers find it by --match-server "
                       "holepunch://%s@HOST:%u\n",
                       address, fingerprint, fingerprint,
                       hp_match_server_get_port (self->server)));
  if (second_port > 0)
    hp_tool_run_print (self->run, g_strdup_printf (
        "Port %d answers STUN: let it through your firewall, too\n",
        second_port));
  if (metrics != NULL)
    hp_tool_run_print (self->run, g_strdup_printf ("Metrics: %s\n", metrics));
}

void
hp_tool_tidings_started (HpToolTidings *self, const char *metrics)
{
  g_autofree char *address = hp_tool_text_address (
      hp_match_server_get_local_address (self->server));
  const char *fingerprint = hp_identity_get_fingerprint (
      hp_match_server_get_identity (self->server));
  int second_port = hp_match_server_get_second_port (self->server);

  if (self->run->options->json)
    {
      GString *json = hp_tool_json_new ("listening");

      hp_tool_json_add_string (json, "address", address);
      if (second_port > 0)
        hp_tool_json_add_number (json, "second-port", second_port);
      hp_tool_json_add_string (json, "fingerprint", fingerprint);
      if (metrics != NULL)
        hp_tool_json_add_string (json, "metrics", metrics);
      hp_tool_run_print (self->run, hp_tool_json_finish (json));
    }
  else if (self->in_words)
    {
      print_started (self, address, fingerprint, second_port, metrics);
    }
  else
    {
      hp_tool_log (HP_TOOL_LOG_NOTICE, "HP_EVENT", "started", "HP_FINGERPRINT",
                   fingerprint, "HP_LISTEN_ADDRESS", address, "HP_METRICS",
                   metrics != NULL ? metrics : "", "MESSAGE",
                   "The match server %s listens on %s", fingerprint, address);
    }
}

static char *
join (GPtrArray *names)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) list = NULL;

  for (guint i = 0; i < names->len; i++)
    g_strv_builder_add (builder, names->pdata[i]);
  list = g_strv_builder_end (builder);
  return g_strjoinv (", ", list);
}

void
hp_tool_tidings_reloaded (HpToolTidings *self, GPtrArray *changed,
                          GPtrArray *kept)
{
  g_autofree char *changed_names = join (changed);
  g_autofree char *kept_names = join (kept);

  if (self->run->options->json)
    {
      GString *json = hp_tool_json_new ("reloaded");

      g_ptr_array_add (changed, NULL);
      g_ptr_array_add (kept, NULL);
      hp_tool_json_add_strings (json, "changed",
                                (const char *const *) changed->pdata);
      hp_tool_json_add_strings (json, "kept",
                                (const char *const *) kept->pdata);
      hp_tool_run_print (self->run, hp_tool_json_finish (json));
      return;
    }
  hp_tool_log (HP_TOOL_LOG_NOTICE, "HP_EVENT", "reloaded", "HP_CHANGED",
               changed_names, "MESSAGE",
               "The configuration was loaded again%s%s",
               changed->len > 0 ? ", changed: " : "", changed_names);
  if (kept->len > 0)
    hp_tool_log (G_LOG_LEVEL_WARNING, "HP_EVENT", "kept", "HP_KEPT",
                 kept_names, "MESSAGE",
                 "Not changed before the server is started again: %s",
                 kept_names);
}

void
hp_tool_tidings_reload_failed (HpToolTidings *self, const GError *error)
{
  if (self->run->options->json)
    hp_tool_problem_print (error, TRUE);
  else
    hp_tool_log (G_LOG_LEVEL_WARNING, "HP_EVENT", "reload-failed", "MESSAGE",
                 "The configuration stays as it was: %s", error->message);
}

void
hp_tool_tidings_stopped (HpToolTidings *self)
{
  if (!self->run->options->json && !self->in_words)
    hp_tool_log (HP_TOOL_LOG_NOTICE, "HP_EVENT", "stopped", "MESSAGE",
                 "The match server has ended, its peers were told");
}
