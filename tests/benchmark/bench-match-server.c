/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A match server whose limits are out of the way, unless --limits leaves them
 * as they are. On SIGTERM it prints what it has counted, and ends. */

#include "bench-common.h"

#include "hole-punch/hole-punch.h"

#include <glib-unix.h>

#define MANY 1000000

typedef struct
{
  char *listen;
  int workers;
  int registration_lifetime;
  gboolean limits;
} Settings;

/* All rates as high as they go; what the library has besides is found. */
static void
raise_limits (HpMatchServer *server)
{
  g_autofree GParamSpec **specs = NULL;
  guint n;

  specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (server), &n);
  for (guint i = 0; i < n; i++)
    if (g_str_has_prefix (specs[i]->name, "max-")
        && G_IS_PARAM_SPEC_UINT (specs[i]))
      g_object_set (server, specs[i]->name,
                    G_PARAM_SPEC_UINT (specs[i])->maximum, NULL);
}

static HpMatchServer *
make_server (const Settings *settings)
{
  HpMatchServer *server = hp_match_server_new (0);
  GObjectClass *klass = G_OBJECT_GET_CLASS (server);

  if (!settings->limits)
    raise_limits (server);
  hp_match_server_set_max_peers (server, 2 * MANY);
  hp_match_server_set_registration_lifetime (server,
                                             settings->registration_lifetime);
  hp_match_server_set_listen_address (server, settings->listen);
  if (settings->workers > 0)
    {
      if (g_object_class_find_property (klass, "workers") == NULL)
        g_error ("This server has no workers");
      g_object_set (server, "workers", settings->workers, NULL);
    }
  return server;
}

static gboolean
on_signal (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_CONTINUE;
}

static void
print_statistics (HpMatchServer *server)
{
  g_autoptr (HpServerStatistics) statistics
      = hp_match_server_get_statistics (server);
  g_autofree GParamSpec **specs = NULL;
  BenchJson json;
  guint n;

  specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (statistics),
                                          &n);
  bench_json_begin (&json);
  for (guint i = 0; i < n; i++)
    if (G_IS_PARAM_SPEC_UINT64 (specs[i]))
      {
        guint64 value;

        g_object_get (statistics, specs[i]->name, &value, NULL);
        bench_json_add_number (&json, specs[i]->name, value);
      }
  bench_json_print (&json);
}

static void
serve (const Settings *settings)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (HpMatchServer) server = make_server (settings);
  g_autoptr (GError) error = NULL;

  g_unix_signal_add (SIGTERM, on_signal, loop);
  if (!hp_match_server_start (server, &error))
    g_error ("%s", error->message);
  bench_print_ready (hp_match_server_get_port (server), NULL);
  g_main_loop_run (loop);
  print_statistics (server);
}

int
main (int argc, char **argv)
{
  Settings settings = { .registration_lifetime = 24 * 60 * 60 };
  const GOptionEntry entries[] = {
    { "listen", 0, 0, G_OPTION_ARG_STRING, &settings.listen,
      "Only at this address", "ADDRESS" },
    { "workers", 0, 0, G_OPTION_ARG_INT, &settings.workers,
      "In so many threads", "N" },
    { "registration-lifetime", 0, 0, G_OPTION_ARG_INT,
      &settings.registration_lifetime, "Seconds", "N" },
    { "limits", 0, 0, G_OPTION_ARG_NONE, &settings.limits,
      "The usual limits", NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    g_error ("%s", error->message);
  serve (&settings);
  g_free (settings.listen);
  return 0;
}
