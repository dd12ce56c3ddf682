/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-run.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdlib.h>

#include "hole-punch/tools/hp-tool-output.h"
#include "hole-punch/tools/hp-tool-problem.h"

/* The peer knows best why it fails: it is given a little longer than we are */
#define GRACE (G_TIME_SPAN_SECOND / 2)

GSource *
hp_tool_add_timeout (const char *name, gint64 microseconds, GSourceFunc func,
                     gpointer user_data)
{
  GSource *source = g_timeout_source_new (G_MAXUINT);

  g_source_set_static_name (source, name);
  g_source_set_callback (source, func, user_data, NULL);
  g_source_set_ready_time (source,
                           g_get_monotonic_time () + MAX (microseconds, 0));
  g_source_attach (source, NULL);
  return source;
}

void
hp_tool_clear_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

HpIdentity *
hp_tool_open_identity (const char *filename, gboolean *is_new, GError **error)
{
  g_autoptr (HpIdentity) identity = NULL;
  g_autoptr (GError) local_error = NULL;

  identity = hp_identity_load (filename, &local_error);
  if (is_new != NULL)
    *is_new = identity == NULL;
  if (identity != NULL)
    return g_steal_pointer (&identity);
  if (!g_error_matches (local_error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return NULL;
    }
  identity = hp_identity_new ();
  if (!hp_identity_save (identity, filename, error))
    {
      g_prefix_error_literal (error, "The new identity cannot be saved: ");
      return NULL;
    }
  return g_steal_pointer (&identity);
}

static gboolean
on_signal (HpToolRun *self, int number)
{
  if (self->n_signals++ > 0)
    {
      signal (number, SIG_DFL);
      raise (number);
    }
  else if (!self->is_ending)
    {
      self->stop (self, self->user_data);
    }
  return G_SOURCE_CONTINUE;
}

static gboolean
on_interrupt (gpointer user_data)
{
  return on_signal (user_data, SIGINT);
}

static gboolean
on_terminate (gpointer user_data)
{
  return on_signal (user_data, SIGTERM);
}

static void
watch_signal (HpToolRun *self, int number, const char *name, GSourceFunc func)
{
  GSource *source = g_unix_signal_source_new (number);

  g_source_set_static_name (source, name);
  g_source_set_callback (source, func, self, NULL);
  g_source_attach (source, NULL);
  g_ptr_array_add (self->sources, source);
}

static void
end_with_status (HpToolRun *self, gpointer user_data)
{
  hp_tool_run_end (self, self->status);
}

void
hp_tool_run_init (HpToolRun *self, const HpToolOptions *options, int status,
                  HpToolStop stop, gpointer user_data)
{
  *self = (HpToolRun){
    .options = options,
    .cancellable = g_cancellable_new (),
    .loop = g_main_loop_new (NULL, FALSE),
    .sources = g_ptr_array_new_with_free_func ((GDestroyNotify) g_source_unref),
    .status = status,
    .stop = stop != NULL ? stop : end_with_status,
    .user_data = user_data,
  };
  watch_signal (self, SIGINT, "hole-punch-interrupt", on_interrupt);
  watch_signal (self, SIGTERM, "hole-punch-terminate", on_terminate);
}

gboolean
hp_tool_run_make_peer (HpToolRun *self, const char *id)
{
  const HpToolOptions *options = self->options;
  guint seconds;
  g_autoptr (HpIdentity) identity = NULL;
  g_autoptr (GError) error = NULL;

  identity = options->identity != NULL
                 ? hp_tool_open_identity (options->identity, NULL, &error)
                 : hp_identity_new ();
  if (identity == NULL)
    {
      hp_tool_problem_print (error, options->json);
      return FALSE;
    }
  seconds = (options->timeout + G_TIME_SPAN_SECOND - 1) / G_TIME_SPAN_SECOND;
  self->peer = g_object_new (HP_TYPE_PEER, "id", id, "match-server",
                             options->match_server, "identity", identity,
                             "connect-timeout", seconds, "turn-servers",
                             options->turn, "relay-policy",
                             options->relay_policy, "port-mapping",
                             !options->no_port_mapping, NULL);
  return TRUE;
}

static gboolean
on_late (gpointer user_data)
{
  HpToolRun *self = user_data;

  hp_tool_clear_source (&self->deadline);
  self->is_late = TRUE;
  g_cancellable_cancel (self->cancellable);
  return G_SOURCE_REMOVE;
}

static void
on_started (GObject *source, GAsyncResult *result, gpointer user_data)
{
  HpToolRun *self = user_data;
  g_autoptr (GError) error = NULL;

  if (hp_peer_start_finish (HP_PEER (source), result, &error))
    {
      if (!self->is_ending)
        self->started (self, self->user_data);
      return;
    }
  if (self->is_late)
    {
      g_clear_error (&error);
      error = g_error_new (HP_PUNCH_ERROR, HP_PUNCH_ERROR_MATCH_SERVER,
                           "The match server “%s” does not answer",
                           self->options->match_server);
    }
  hp_tool_run_fail (self, error);
}

void
hp_tool_run_start (HpToolRun *self, HpToolStarted started)
{
  self->started = started;
  self->deadline = hp_tool_add_timeout (
      "hole-punch-deadline", self->options->timeout + GRACE, on_late, self);
  hp_peer_start_async (self->peer, self->cancellable, on_started, self);
}

void
hp_tool_run_stop_deadline (HpToolRun *self)
{
  hp_tool_clear_source (&self->deadline);
}

gint64
hp_tool_run_get_time_left (HpToolRun *self)
{
  if (self->deadline == NULL)
    return 0;
  return MAX (g_source_get_ready_time (self->deadline) - GRACE
                  - g_get_monotonic_time (),
              0);
}

static void
on_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  HpToolRun *self = user_data;

  /* It cannot be cancelled, so it cannot fail. */
  hp_peer_close_finish (HP_PEER (source), result, NULL);
  g_main_loop_quit (self->loop);
}

void
hp_tool_run_end (HpToolRun *self, int status)
{
  if (self->is_ending)
    return;
  self->is_ending = TRUE;
  self->status = status;
  hp_tool_output_set_bar (NULL);
  hp_tool_clear_source (&self->deadline);
  g_cancellable_cancel (self->cancellable);
  if (self->peer != NULL)
    hp_peer_close_async (self->peer, NULL, on_closed, self);
  else
    g_main_loop_quit (self->loop);
}

void
hp_tool_run_fail (HpToolRun *self, const GError *error)
{
  if (self->is_ending)
    return;
  hp_tool_problem_print (error, self->options->json);
  hp_tool_run_end (self, EXIT_FAILURE);
}

void
hp_tool_run_print (HpToolRun *self, char *line)
{
  if (!hp_tool_output_line (line))
    hp_tool_run_end (self, EXIT_FAILURE);
  g_free (line);
}

void
hp_tool_run_hold (HpToolRun *self)
{
  self->n_holds++;
}

void
hp_tool_run_release (HpToolRun *self)
{
  g_assert (self->n_holds > 0);
  self->n_holds--;
}

int
hp_tool_run_wait (HpToolRun *self)
{
  /* A handler of notify::registered may have ended it before. */
  if (!self->is_ending || self->peer != NULL)
    g_main_loop_run (self->loop);
  while (self->n_holds > 0)
    g_main_context_iteration (NULL, TRUE);
  return self->status;
}

void
hp_tool_run_clear (HpToolRun *self)
{
  for (guint i = 0; i < self->sources->len; i++)
    g_source_destroy (self->sources->pdata[i]);
  g_ptr_array_unref (self->sources);
  hp_tool_clear_source (&self->deadline);
  g_clear_object (&self->peer);
  g_clear_object (&self->cancellable);
  g_main_loop_unref (self->loop);
}
