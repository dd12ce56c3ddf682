/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdlib.h>

#include "hole-punch/tools/hp-tool-commands.h"
#include "hole-punch/tools/hp-tool-events.h"
#include "hole-punch/tools/hp-tool-host.h"
#include "hole-punch/tools/hp-tool-problem.h"
#include "hole-punch/tools/hp-tool-store.h"

/* Acknowledgements are delayed by 25 ms; who sent the last message shall have
 * its one before the connection is closed. */
#define LINGER (200 * G_TIME_SPAN_MILLISECOND)

typedef struct
{
  HpToolRun run;
  HpToolHost host;
  gboolean once;
  gboolean no_speed;
  GSource *linger_source;
} Listener;

static gboolean
on_lingered (gpointer user_data)
{
  Listener *self = user_data;

  hp_tool_clear_source (&self->linger_source);
  hp_tool_run_end (&self->run, EXIT_SUCCESS);
  return G_SOURCE_REMOVE;
}

static void
on_done (gpointer user_data)
{
  Listener *self = user_data;

  if (self->once && self->linger_source == NULL && !self->run.is_ending)
    self->linger_source = hp_tool_add_timeout ("hole-punch-linger", LINGER,
                                               on_lingered, self);
}

/* That it is registered hp_tool_events_watch() tells. */
static void
on_started (HpToolRun *run, gpointer user_data)
{
  hp_tool_run_stop_deadline (run);
}

static int
listen (Listener *self, const HpToolOptions *options, const char *directory)
{
  g_autoptr (HpToolStore) store = NULL;
  g_autoptr (GError) error = NULL;
  int status = EXIT_FAILURE;

  store = hp_tool_store_new (directory, &error);
  if (store == NULL)
    {
      hp_tool_problem_print (error, options->json);
      return EXIT_FAILURE;
    }
  hp_tool_run_init (&self->run, options, EXIT_SUCCESS, NULL, self);
  hp_tool_host_init (&self->host, &self->run, store, self->no_speed, on_done,
                     self);
  if (hp_tool_run_make_peer (&self->run, options->arguments[0]))
    {
      hp_tool_events_watch (&self->run);
      hp_tool_host_watch (&self->host);
      hp_tool_run_start (&self->run, on_started);
      status = hp_tool_run_wait (&self->run);
    }
  hp_tool_clear_source (&self->linger_source);
  hp_tool_run_clear (&self->run);
  return status;
}

int
hp_tool_listen (int argc, char **argv)
{
  Listener self = { 0 };
  g_autofree char *directory = NULL;
  const GOptionEntry entries[] = {
    { "directory", 'd', 0, G_OPTION_ARG_FILENAME, &directory,
      "Where received files go (here)", "DIRECTORY" },
    { "once", '1', 0, G_OPTION_ARG_NONE, &self.once,
      "End after the first file or message", NULL },
    { "no-speed", 0, 0, G_OPTION_ARG_NONE, &self.no_speed,
      "Refuse speed tests", NULL },
    G_OPTION_ENTRY_NULL,
  };
  HpToolOptions options = {
    .command = "listen",
    .parameters = "ID",
    .summary = "Receives files and messages under an id, and answers pings and "
               "speed tests.",
    .entries = entries,
    .min_arguments = 1,
    .max_arguments = 1,
    .is_peer = TRUE,
  };
  int status = hp_tool_options_parse (&options, argc, argv);

  if (status == -1)
    status = listen (&self, &options, directory != NULL ? directory : ".");
  hp_tool_options_clear (&options);
  return status;
}
