/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-serving.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdlib.h>

#include "hole-punch/tools/hp-tool-exporter.h"
#include "hole-punch/tools/hp-tool-identity.h"
#include "hole-punch/tools/hp-tool-notify.h"
#include "hole-punch/tools/hp-tool-problem.h"
#include "hole-punch/tools/hp-tool-registry.h"
#include "hole-punch/tools/hp-tool-run.h"
#include "hole-punch/tools/hp-tool-tidings.h"

/* How often it is looked whether there is something to say */
#define TICK (5 * G_TIME_SPAN_SECOND)
/* Limits that are hit are said as a sum, no more often. */
#define COMPLAINT_INTERVAL G_TIME_SPAN_MINUTE
/* Of a registry in memory */
#define IDS_PER_PEER 4
#define MIN_MAX_SIZE 1000000

typedef struct
{
  const HpToolServingSettings *settings;
  HpToolConfig *started; /* what it was started with */
  HpToolConfig *config;  /* as of now, may be the same */
  HpMatchServer *server;
  HpToolRun run;
  HpToolTidings tidings;
  HpToolExporter *exporter; /* NULL: none */
  HpToolNotify *notify;     /* NULL: nobody to tell */
  GSource *hangup;
  GSource *tick;
  gint64 complained_at; /* 0: never */
  guint64 complained_rate_limited, complained_full;
} Serving;

HpToolConfig *
hp_tool_serving_read_config (const HpToolServingSettings *settings,
                             GError **error)
{
  return hp_tool_config_new (settings->filename, settings->given, error);
}

static void
clear_config (Serving *self)
{
  if (self->config != self->started)
    g_clear_pointer (&self->config, hp_tool_config_free);
}

/* Ids of those who are away are to have room, too. */
static gboolean
to_max_size (GBinding *binding, const GValue *max_peers, GValue *max_size,
             gpointer user_data)
{
  g_value_set_uint (max_size,
                    MAX (IDS_PER_PEER * g_value_get_uint (max_peers),
                         MIN_MAX_SIZE));
  return TRUE;
}

static gboolean
make_server (Serving *self, GError **error)
{
  HpToolConfig *config = self->config;
  g_autoptr (HpIdentity) identity = NULL;
  g_autoptr (HpRegistry) registry = NULL;
  g_autofree char *filename
      = hp_tool_identity_get_filename (self->settings->options, error);

  if (filename == NULL)
    return FALSE;
  identity = hp_tool_open_identity (filename, NULL, error);
  if (identity == NULL)
    return FALSE;
  registry = hp_tool_registry_new (config, error);
  if (registry == NULL)
    return FALSE;
  self->server = g_object_new (HP_TYPE_MATCH_SERVER, "identity", identity,
                               "registry", registry, NULL);
  /* Other servers are to find who is registered here for as long as it is. */
  if (HP_IS_REDIS_REGISTRY (registry))
    g_object_bind_property (self->server, "registration-lifetime", registry,
                            "presence-lifetime", G_BINDING_SYNC_CREATE);
  else if (HP_IS_MEMORY_REGISTRY (registry))
    g_object_bind_property_full (self->server, "max-peers", registry,
                                 "max-size", G_BINDING_SYNC_CREATE,
                                 to_max_size, NULL, NULL, NULL);
  hp_tool_config_set_all (config, self->server);
  return TRUE;
}

/* One that is described wrongly only says so when it is asked; one that cannot
 * be reached may be there later. */
static void
on_registry_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Serving *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (HpRegistration) holder
      = hp_registry_lookup_finish (HP_REGISTRY (source), result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT)
      || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED))
    {
      g_prefix_error_literal (&error, "registry: ");
      hp_tool_run_fail (&self->run, error);
    }
  else if (error != NULL && !self->run.is_ending)
    {
      hp_tool_log (G_LOG_LEVEL_WARNING, "HP_EVENT", "registry", "MESSAGE",
                   "The registry does not answer yet: %s", error->message);
    }
  hp_tool_run_release (&self->run);
}

static void
ask_registry (Serving *self)
{
  hp_tool_run_hold (&self->run);
  hp_registry_lookup_async (hp_match_server_get_registry (self->server), "?",
                            self->run.cancellable, on_registry_answer, self);
}

/* What it has to say now and then */

static char *
format_status (HpServerStatistics *statistics)
{
  return g_strdup_printf (
      "%" G_GUINT64_FORMAT " peers, %" G_GUINT64_FORMAT " registered%s",
      hp_server_statistics_get_peers (statistics),
      hp_server_statistics_get_registrations (statistics),
      hp_server_statistics_get_registry_healthy (statistics)
          ? ""
          : ", the registry fails");
}

static void
tell_status (Serving *self, HpServerStatistics *statistics)
{
  g_autofree char *status = NULL;

  if (self->notify == NULL)
    return;
  status = format_status (statistics);
  hp_tool_notify_status (self->notify, status);
}

static void
complain (Serving *self, HpServerStatistics *statistics)
{
  const gint64 now = g_get_monotonic_time ();
  const guint64 rate_limited
      = hp_server_statistics_get_dropped_rate_limited (statistics);
  const guint64 full = hp_server_statistics_get_dropped_full (statistics);
  const guint64 more_limited = rate_limited - self->complained_rate_limited;
  const guint64 more_full = full - self->complained_full;
  g_autofree char *limited_text = NULL;
  g_autofree char *full_text = NULL;

  if ((more_limited == 0 && more_full == 0)
      || (self->complained_at != 0
          && now - self->complained_at < COMPLAINT_INTERVAL))
    return;
  self->complained_at = now;
  self->complained_rate_limited = rate_limited;
  self->complained_full = full;
  limited_text = g_strdup_printf ("%" G_GUINT64_FORMAT, more_limited);
  full_text = g_strdup_printf ("%" G_GUINT64_FORMAT, more_full);
  hp_tool_log (HP_TOOL_LOG_NOTICE, "HP_EVENT", "limits", "HP_RATE_LIMITED",
               limited_text, "HP_FULL", full_text, "MESSAGE",
               "Not served: %s requests over a limit, %s for which there was "
               "no room",
               limited_text, full_text);
}

static gboolean
on_tick (gpointer user_data)
{
  Serving *self = user_data;
  g_autoptr (HpServerStatistics) statistics
      = hp_match_server_get_statistics (self->server);

  tell_status (self, statistics);
  complain (self, statistics);
  hp_tool_clear_source (&self->tick);
  self->tick = hp_tool_add_timeout ("hole-punch-tick", TICK, on_tick, self);
  return G_SOURCE_REMOVE;
}

static void
tell_ready (Serving *self)
{
  g_autoptr (HpServerStatistics) statistics
      = hp_match_server_get_statistics (self->server);
  g_autofree char *status = format_status (statistics);

  hp_tool_notify_ready (self->notify, status);
}

/* Reloading */

static void
reopen_exporter (Serving *self)
{
  g_autoptr (GError) error = NULL;

  self->exporter = hp_tool_exporter_new (self->config->metrics, self->server,
                                         &error);
  if (self->exporter == NULL)
    hp_tool_log (G_LOG_LEVEL_WARNING, "HP_EVENT", "metrics", "MESSAGE", "%s",
                 error->message);
}

/* The old one goes when the new one is there, or before if it is what stands
 * in the way: with the same port at another address. If the new one cannot be,
 * all stays. */
static HpToolExporter *
open_exporter (Serving *self, const char *metrics, GError **error)
{
  g_autoptr (GError) problem = NULL;
  HpToolExporter *exporter
      = hp_tool_exporter_new (metrics, self->server, &problem);

  if (exporter != NULL)
    return exporter;
  if (self->exporter == NULL
      || !g_error_matches (problem, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE))
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return NULL;
    }
  g_clear_pointer (&self->exporter, hp_tool_exporter_free);
  exporter = hp_tool_exporter_new (metrics, self->server, error);
  if (exporter == NULL)
    reopen_exporter (self);
  return exporter;
}

static gboolean
replace_exporter (Serving *self, const HpToolConfig *config, GError **error)
{
  const gboolean is_open = self->exporter != NULL;
  HpToolExporter *exporter = NULL;

  if (is_open == (config->metrics != NULL)
      && g_strcmp0 (config->metrics, self->config->metrics) == 0)
    return TRUE;
  if (config->metrics != NULL)
    {
      exporter = open_exporter (self, config->metrics, error);
      if (exporter == NULL)
        return FALSE;
    }
  hp_tool_exporter_free (self->exporter);
  self->exporter = exporter;
  return TRUE;
}

static void
use_config (Serving *self, HpToolConfig *config)
{
  g_autoptr (GPtrArray) changed = g_ptr_array_new ();
  g_autoptr (GPtrArray) kept = g_ptr_array_new ();

  hp_tool_config_apply (config, self->config, self->started, self->server,
                        changed, kept);
  hp_tool_policy_detach (self->config->policy, self->server);
  hp_tool_policy_attach (config->policy, self->server);
  hp_match_server_review_registrations (self->server);
  hp_tool_tidings_set_log (&self->tidings, config->log,
                           config->log_addresses);
  hp_tool_tidings_reloaded (&self->tidings, changed, kept);
}

static void
reload (Serving *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HpToolConfig) config
      = hp_tool_serving_read_config (self->settings, &error);

  if (config == NULL || !replace_exporter (self, config, &error))
    {
      hp_tool_tidings_reload_failed (&self->tidings, error);
      return;
    }
  use_config (self, config);
  clear_config (self);
  self->config = g_steal_pointer (&config);
}

static gboolean
on_hangup (gpointer user_data)
{
  Serving *self = user_data;

  if (self->run.is_ending)
    return G_SOURCE_CONTINUE;
  hp_tool_notify_reloading (self->notify);
  reload (self);
  tell_ready (self);
  return G_SOURCE_CONTINUE;
}

/* Without a file there is nothing to read again: then it means, as usual, that
 * the terminal is gone. */
static void
watch_hangup (Serving *self)
{
  if (self->settings->filename == NULL)
    return;
  self->hangup = g_unix_signal_source_new (SIGHUP);
  g_source_set_static_name (self->hangup, "hole-punch-hangup");
  g_source_set_callback (self->hangup, on_hangup, self, NULL);
  g_source_attach (self->hangup, NULL);
}

/* Ending */

static void
stop (HpToolRun *run, gpointer user_data)
{
  Serving *self = user_data;

  /* The second one, even if many peers are still being told */
  signal (SIGINT, SIG_DFL);
  signal (SIGTERM, SIG_DFL);
  hp_tool_notify_stopping (self->notify);
  g_clear_pointer (&self->exporter, hp_tool_exporter_free);
  hp_match_server_stop (self->server);
  hp_tool_tidings_stopped (&self->tidings);
  hp_tool_run_end (run, EXIT_SUCCESS);
}

/* Life */

static gboolean
start (Serving *self, GError **error)
{
  HpToolConfig *config = self->config;

  hp_tool_tidings_set_log (&self->tidings, config->log,
                           config->log_addresses);
  hp_tool_policy_attach (config->policy, self->server);
  if (config->metrics != NULL)
    {
      self->exporter
          = hp_tool_exporter_new (config->metrics, self->server, error);
      if (self->exporter == NULL)
        return FALSE;
    }
  return hp_match_server_start (self->server, error);
}

static int
serve (Serving *self)
{
  g_autoptr (GError) error = NULL;

  if (!start (self, &error))
    {
      hp_tool_problem_print (error, self->settings->options->json);
      return EXIT_FAILURE;
    }
  hp_tool_tidings_started (&self->tidings,
                           self->exporter != NULL
                               ? hp_tool_exporter_get_uri (self->exporter)
                               : NULL);
  self->notify = hp_tool_notify_new ();
  tell_ready (self);
  ask_registry (self);
  self->tick = hp_tool_add_timeout ("hole-punch-tick", TICK, on_tick, self);
  return hp_tool_run_wait (&self->run);
}

static int
run (Serving *self)
{
  int status;

  hp_tool_run_init (&self->run, self->settings->options, EXIT_SUCCESS, stop,
                    self);
  watch_hangup (self);
  hp_tool_tidings_init (&self->tidings, &self->run, self->server,
                        self->settings->is_verbose);
  status = serve (self);
  hp_tool_clear_source (&self->tick);
  hp_tool_clear_source (&self->hangup);
  hp_tool_notify_free (self->notify);
  hp_tool_exporter_free (self->exporter);
  hp_match_server_stop (self->server);
  hp_tool_policy_detach (self->config->policy, self->server);
  hp_tool_tidings_clear (&self->tidings);
  hp_tool_run_clear (&self->run);
  return status;
}

int
hp_tool_serving_run (const HpToolServingSettings *settings)
{
  Serving self = { .settings = settings };
  int status = EXIT_FAILURE;
  g_autoptr (GError) error = NULL;

  self.started = hp_tool_serving_read_config (settings, &error);
  self.config = self.started;
  if (self.config != NULL && make_server (&self, &error))
    status = run (&self);
  else
    hp_tool_problem_print (error, settings->options->json);
  g_clear_object (&self.server);
  clear_config (&self);
  g_clear_pointer (&self.started, hp_tool_config_free);
  return status;
}
