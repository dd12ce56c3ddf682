/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdlib.h>

#include "hole-punch/tools/hp-tool-call.h"
#include "hole-punch/tools/hp-tool-commands.h"
#include "hole-punch/tools/hp-tool-events.h"
#include "hole-punch/tools/hp-tool-json.h"
#include "hole-punch/tools/hp-tool-output.h"
#include "hole-punch/tools/hp-tool-problem.h"
#include "hole-punch/tools/hp-tool-progress.h"
#include "hole-punch/tools/hp-tool-text.h"
#include "hole-punch/tools/hp-tool-upload.h"

#define BAR_INTERVAL (100 * G_TIME_SPAN_MILLISECOND)

typedef struct
{
  HpToolRun run;
  HpToolCall call;
  HpConnection *connection;
  char *sent_name; /* of --name; NULL: the file's */
  char **files;
  guint n_files;
  guint index;

  /* The file at hand */
  HpToolUpload upload;
  char *bar_name;
  gint64 began_at;
  HpToolProgress progress;
  GSource *bar;
} Sender;

/* The bar goes on when nothing else does: its rate falls then. */
static gboolean
on_bar (gpointer user_data)
{
  Sender *self = user_data;

  hp_tool_clear_source (&self->bar);
  self->bar = hp_tool_add_timeout ("hole-punch-bar", BAR_INTERVAL, on_bar,
                                   self);
  hp_tool_progress_update (&self->progress,
                           hp_tool_upload_get_done (&self->upload),
                           g_get_monotonic_time ());
  return G_SOURCE_REMOVE;
}

static void
begin_bar (Sender *self, const char *name)
{
  if (self->run.options->json || !hp_tool_output_has_bar ())
    return;
  self->bar_name = hp_tool_text_safe (name, -1);
  hp_tool_progress_begin (&self->progress, self->bar_name,
                          hp_tool_source_get_size (self->upload.source),
                          self->began_at);
  self->bar = hp_tool_add_timeout ("hole-punch-bar", BAR_INTERVAL, on_bar,
                                   self);
}

static void
clear_file (Sender *self)
{
  hp_tool_clear_source (&self->bar);
  g_clear_pointer (&self->bar_name, g_free);
  hp_tool_upload_clear (&self->upload);
}

/* What the other side is to call it, and what it is called here */
static const char *
get_name (const char *filename)
{
  return g_str_equal (filename, HP_TOOL_STANDARD_INPUT) ? "stdin" : filename;
}

static void
next_file (Sender *self)
{
  const char *filename;
  g_autofree char *own_name = NULL;
  g_autofree char *shown_name = NULL;
  HpToolSource *source;
  g_autoptr (GError) error = NULL;

  clear_file (self);
  if (self->index == self->n_files)
    {
      hp_tool_run_end (&self->run, EXIT_SUCCESS);
      return;
    }
  filename = self->files[self->index];
  source = hp_tool_source_open (filename, &error);
  if (source == NULL)
    {
      hp_tool_run_fail (&self->run, error);
      return;
    }
  own_name = g_path_get_basename (get_name (filename));
  shown_name = hp_tool_text_safe (get_name (filename), -1);
  self->began_at = g_get_monotonic_time ();
  hp_tool_upload_begin (&self->upload, &self->run, self->connection, source,
                        shown_name,
                        self->sent_name != NULL ? self->sent_name : own_name);
  begin_bar (self, own_name);
}

static void
tell_sent (Sender *self)
{
  HpToolRun *run = &self->run;
  HpToolSource *source = self->upload.source;
  guint64 size = hp_tool_source_get_offset (source);
  gint64 took = g_get_monotonic_time () - self->began_at;

  if (run->options->json)
    {
      GString *json = hp_tool_events_json ("file", self->connection);
      /* Asking for the text closes it. */
      g_autoptr (GChecksum)
          checksum = g_checksum_copy (hp_tool_source_get_checksum (source));

      hp_tool_json_add_string (json, "name", self->files[self->index]);
      hp_tool_json_add_number (json, "bytes", size);
      hp_tool_json_add_string (json, "sha256",
                               g_checksum_get_string (checksum));
      hp_tool_json_add_milliseconds (json, "milliseconds", took);
      hp_tool_run_print (run, hp_tool_json_finish (json));
    }
  else
    {
      g_autofree char *text = hp_tool_text_size (size);
      g_autofree char *rate = hp_tool_text_size (size * 1e6 / MAX (took, 1));
      g_autofree char *duration = hp_tool_text_duration (took);

      hp_tool_run_print (run, g_strdup_printf ("Sent %s (%s) in %s (%s/s)\n",
                                               self->upload.shown_name, text,
                                               duration, rate));
    }
}

static void
on_done (gpointer user_data)
{
  Sender *self = user_data;

  tell_sent (self);
  self->index++;
  next_file (self);
}

static void
on_message (HpConnection *connection, GBytes *bytes, Sender *self)
{
  HpToolRecord message;

  if (!self->run.is_ending
      && hp_tool_message_parse (&message, bytes) == HP_TOOL_PARSE_PLAIN)
    hp_tool_events_message (&self->run, connection, bytes);
}

static void
on_closed (HpConnection *connection, const GError *error, Sender *self)
{
  g_autofree char *name = hp_tool_events_name (connection);
  g_autoptr (GError) own_error = NULL;

  if (error == NULL)
    own_error = g_error_new (G_IO_ERROR, G_IO_ERROR_CLOSED,
                             "%s closed the connection", name);
  hp_tool_run_fail (&self->run, error != NULL ? error : own_error);
}

static void
on_called (HpConnection *connection, gpointer user_data)
{
  Sender *self = user_data;

  self->connection = g_object_ref (connection);
  g_signal_connect (connection, "message-received", G_CALLBACK (on_message),
                    self);
  g_signal_connect (connection, "closed", G_CALLBACK (on_closed), self);
  next_file (self);
}

static void
on_started (HpToolRun *run, gpointer user_data)
{
  Sender *self = user_data;

  hp_tool_call_begin (&self->call, run, run->options->arguments[0], on_called,
                      self);
}

/* Better now than after the first gigabyte */
static gboolean
check_files (Sender *self, GError **error)
{
  for (guint i = 0; i < self->n_files; i++)
    {
      HpToolSource *source = hp_tool_source_open (self->files[i], error);

      if (source == NULL)
        return FALSE;
      g_object_unref (source);
    }
  return TRUE;
}

static int
send_files (Sender *self, const HpToolOptions *options)
{
  g_autoptr (GError) error = NULL;
  int status = EXIT_FAILURE;

  self->files = options->arguments + 1;
  self->n_files = g_strv_length (self->files);
  if (!check_files (self, &error))
    {
      hp_tool_problem_print (error, options->json);
      return EXIT_FAILURE;
    }
  self->upload.done = on_done;
  self->upload.user_data = self;
  hp_tool_run_init (&self->run, options, EXIT_FAILURE, NULL, self);
  if (hp_tool_run_make_peer (&self->run, NULL))
    {
      hp_tool_events_watch (&self->run);
      hp_tool_run_start (&self->run, on_started);
      status = hp_tool_run_wait (&self->run);
    }
  clear_file (self);
  hp_tool_call_clear (&self->call);
  if (self->connection != NULL)
    g_signal_handlers_disconnect_by_data (self->connection, self);
  g_clear_object (&self->connection);
  hp_tool_run_clear (&self->run);
  return status;
}

static int
check (const Sender *self, const HpToolOptions *options)
{
  char **files = options->arguments + 1;
  guint n_inputs = 0;

  for (guint i = 0; files[i] != NULL; i++)
    n_inputs += g_str_equal (files[i], HP_TOOL_STANDARD_INPUT);
  if (n_inputs > 1)
    return hp_tool_options_fail (options,
                                 "Standard input can be sent only once");
  if (self->sent_name != NULL && (*self->sent_name == '\0' || files[1] != NULL))
    return hp_tool_options_fail (options,
                                 "--name is for one file, and not empty");
  return -1;
}

int
hp_tool_send (int argc, char **argv)
{
  Sender self = { 0 };
  const GOptionEntry entries[] = {
    { "name", 'n', 0, G_OPTION_ARG_FILENAME, &self.sent_name,
      "Send the file under another name", "NAME" },
    G_OPTION_ENTRY_NULL,
  };
  HpToolOptions options = {
    .command = "send",
    .parameters = "ID FILE…",
    .summary = "Sends files to whoever listens under an id. ID may also be a "
               "fingerprint,\nor id@fingerprint. FILE - is standard input.",
    .entries = entries,
    .min_arguments = 2,
    .max_arguments = G_MAXUINT,
    .is_peer = TRUE,
  };
  int status = hp_tool_options_parse (&options, argc, argv);

  if (status == -1)
    status = check (&self, &options);
  if (status == -1)
    status = send_files (&self, &options);
  g_free (self.sent_name);
  hp_tool_options_clear (&options);
  return status;
}
