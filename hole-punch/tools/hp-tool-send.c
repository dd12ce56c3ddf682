/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdlib.h>
#include <string.h>

#include "hole-punch/tools/hp-tool-call.h"
#include "hole-punch/tools/hp-tool-commands.h"
#include "hole-punch/tools/hp-tool-events.h"
#include "hole-punch/tools/hp-tool-json.h"
#include "hole-punch/tools/hp-tool-problem.h"
#include "hole-punch/tools/hp-tool-progress.h"
#include "hole-punch/tools/hp-tool-protocol.h"
#include "hole-punch/tools/hp-tool-source.h"
#include "hole-punch/tools/hp-tool-text.h"

/* Data messages on their way at a time: all the memory a file takes */
#define WINDOW 4
/* A slow disk may have much to write before it can confirm */
#define MIN_STORE_PATIENCE (30 * G_TIME_SPAN_SECOND)

/*   OFFERED ── ACCEPT ──▸ SENDING ── all read ──▸ ENDED ── STORED ──▸ next
 */
typedef enum
{
  STATE_IDLE,
  STATE_OFFERED,
  STATE_SENDING,
  STATE_ENDED,
} State;

typedef struct
{
  HpToolRun run;
  HpToolCall call;
  HpConnection *connection;
  char *sent_name; /* of --name; NULL: the file's */
  guint8 *buffer;

  char **files;
  guint n_files;
  guint index; /* the transfer's number, too */

  /* The file at hand */
  State state;
  HpToolSource *source;
  char *shown_name; /* its path */
  char *bar_name;
  guint n_in_flight;
  guint64 n_acknowledged;
  gint64 began_at;
  HpToolProgress progress;
  GSource *patience;
} Sender;

static void next_file (Sender *self);
static void wait_for_answer (Sender *self, gint64 patience);

static void
fail (Sender *self, int code, const char *why)
{
  g_autofree char *name = hp_tool_events_name (self->connection);
  g_autoptr (GError)
      error = g_error_new (G_IO_ERROR, code, "“%s” was not sent: %s %s",
                           self->shown_name, name, why);

  hp_tool_run_fail (&self->run, error);
}

static gboolean
on_impatient (gpointer user_data)
{
  Sender *self = user_data;

  hp_tool_clear_source (&self->patience);
  /* It cannot answer, nor is it known to be gone. */
  if (hp_connection_get_state (self->connection)
      == HP_CONNECTION_STATE_INTERRUPTED)
    wait_for_answer (self, self->run.options->timeout);
  else if (self->state == STATE_OFFERED)
    fail (self, G_IO_ERROR_TIMED_OUT,
          "does not say whether it takes files; is it “hole-punch listen”?");
  else
    fail (self, G_IO_ERROR_TIMED_OUT, "does not confirm that it has it");
  return G_SOURCE_REMOVE;
}

static void
wait_for_answer (Sender *self, gint64 patience)
{
  hp_tool_clear_source (&self->patience);
  self->patience = hp_tool_add_timeout ("hole-punch-patience", patience,
                                        on_impatient, self);
}

static void
send_message (Sender *self, const HpToolMessage *message,
              GAsyncReadyCallback callback)
{
  g_autoptr (GBytes) bytes = hp_tool_message_write (message);

  hp_connection_send_message_async (self->connection, bytes, NULL, callback,
                                    self);
}

/* FALSE: it did not arrive, and the run is ending */
static gboolean
finish_message (Sender *self, GObject *source, GAsyncResult *result)
{
  g_autoptr (GError) error = NULL;

  if (hp_connection_send_message_finish (HP_CONNECTION (source), result,
                                         &error))
    return !self->run.is_ending;
  if (!self->run.is_ending)
    {
      g_prefix_error (&error, "“%s” was not sent: ", self->shown_name);
      hp_tool_run_fail (&self->run, error);
    }
  return FALSE;
}

/* END */

static void
on_end_sent (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Sender *self = user_data;

  /* It may have been confirmed before it was acknowledged. */
  if (finish_message (self, source, result) && self->state == STATE_ENDED
      && self->patience == NULL)
    wait_for_answer (self,
                     MAX (self->run.options->timeout, MIN_STORE_PATIENCE));
}

static void
get_digest (HpToolSource *source, guint8 digest[HP_TOOL_DIGEST_SIZE])
{
  gsize size = HP_TOOL_DIGEST_SIZE;
  g_autoptr (GChecksum) copy = g_checksum_copy (source->checksum);

  g_checksum_get_digest (copy, digest, &size);
}

static void
send_end (Sender *self)
{
  guint8 digest[HP_TOOL_DIGEST_SIZE];
  HpToolMessage end = {
    .type = HP_TOOL_MESSAGE_END,
    .transfer = self->index,
    .bytes = digest,
    .length = sizeof digest,
  };

  get_digest (self->source, digest);
  self->state = STATE_ENDED;
  send_message (self, &end, on_end_sent);
}

/* DATA */

static void on_data_sent (GObject *source, GAsyncResult *result,
                          gpointer user_data);

static void
send_data (Sender *self)
{
  while (!self->run.is_ending && self->state == STATE_SENDING
         && self->n_in_flight < WINDOW)
    {
      HpToolMessage data = {
        .type = HP_TOOL_MESSAGE_DATA,
        .transfer = self->index,
        .number = self->source->offset,
        .bytes = self->buffer,
      };
      g_autoptr (GError) error = NULL;
      gssize length = hp_tool_source_read (self->source, self->buffer,
                                           HP_TOOL_DATA_MAX, &error);

      if (length == -1)
        {
          g_prefix_error (&error, "“%s” was not sent: ", self->shown_name);
          hp_tool_run_fail (&self->run, error);
          return;
        }
      if (length == 0)
        {
          send_end (self);
          return;
        }
      data.length = length;
      self->n_in_flight++;
      send_message (self, &data, on_data_sent);
    }
}

static void
on_data_sent (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Sender *self = user_data;

  if (!finish_message (self, source, result))
    return;
  self->n_in_flight--;
  /* Only the last one is shorter. */
  self->n_acknowledged = MIN (self->n_acknowledged + HP_TOOL_DATA_MAX,
                              self->source->size);
  hp_tool_progress_update (&self->progress, self->n_acknowledged,
                           g_get_monotonic_time ());
  send_data (self);
}

/* OFFER */

static void
on_offer_sent (GObject *source, GAsyncResult *result, gpointer user_data)
{
  finish_message (user_data, source, result);
}

static void
send_offer (Sender *self, const char *filename)
{
  g_autofree char *own_name = g_path_get_basename (filename);
  const char *name = self->sent_name != NULL ? self->sent_name : own_name;
  HpToolMessage offer = {
    .type = HP_TOOL_MESSAGE_OFFER,
    .transfer = self->index,
    .number = self->source->size,
    .bytes = (const guint8 *) name,
    .length = MIN (strlen (name), HP_TOOL_NAME_MAX),
  };

  self->state = STATE_OFFERED;
  wait_for_answer (self, self->run.options->timeout);
  send_message (self, &offer, on_offer_sent);
}

static void
clear_file (Sender *self)
{
  hp_tool_clear_source (&self->patience);
  g_clear_pointer (&self->source, hp_tool_source_free);
  g_clear_pointer (&self->shown_name, g_free);
  g_clear_pointer (&self->bar_name, g_free);
  self->state = STATE_IDLE;
  self->n_in_flight = 0;
  self->n_acknowledged = 0;
}

static void
next_file (Sender *self)
{
  const char *filename;
  g_autofree char *base_name = NULL;
  g_autoptr (GError) error = NULL;

  clear_file (self);
  if (self->index == self->n_files)
    {
      hp_tool_run_end (&self->run, EXIT_SUCCESS);
      return;
    }
  filename = self->files[self->index];
  self->source = hp_tool_source_open (filename, &error);
  if (self->source == NULL)
    {
      hp_tool_run_fail (&self->run, error);
      return;
    }
  base_name = g_path_get_basename (filename);
  self->shown_name = hp_tool_text_safe (filename, -1);
  self->bar_name = hp_tool_text_safe (base_name, -1);
  self->began_at = g_get_monotonic_time ();
  if (!self->run.options->json)
    hp_tool_progress_begin (&self->progress, self->bar_name, self->source->size,
                            self->began_at);
  send_offer (self, filename);
}

/* Answers */

static void
tell_sent (Sender *self)
{
  HpToolRun *run = &self->run;
  guint64 size = self->source->size;
  gint64 took = g_get_monotonic_time () - self->began_at;

  if (run->options->json)
    {
      GString *json = hp_tool_events_json ("file", self->connection);

      hp_tool_json_add_string (json, "name", self->files[self->index]);
      hp_tool_json_add_number (json, "bytes", size);
      hp_tool_json_add_string (json, "sha256",
                               g_checksum_get_string (self->source->checksum));
      hp_tool_json_add_milliseconds (json, "milliseconds", took);
      hp_tool_run_print (run, hp_tool_json_finish (json));
    }
  else
    {
      g_autofree char *text = hp_tool_text_size (size);
      g_autofree char *rate = hp_tool_text_size (size * 1e6 / MAX (took, 1));
      g_autofree char *duration = hp_tool_text_duration (took);

      hp_tool_run_print (run, g_strdup_printf ("Sent %s (%s) in %s (%s/s)\n",
                                               self->shown_name, text, duration,
                                               rate));
    }
}

static void
on_accept (Sender *self)
{
  if (self->state != STATE_OFFERED)
    {
      fail (self, G_IO_ERROR_INVALID_DATA, "broke the protocol");
      return;
    }
  hp_tool_clear_source (&self->patience);
  self->state = STATE_SENDING;
  send_data (self);
}

static void
on_stored (Sender *self, const HpToolMessage *stored)
{
  guint8 digest[HP_TOOL_DIGEST_SIZE];

  if (self->state == STATE_ENDED)
    get_digest (self->source, digest);
  if (self->state != STATE_ENDED
      || memcmp (digest, stored->bytes, sizeof digest) != 0)
    {
      fail (self, G_IO_ERROR_INVALID_DATA, "broke the protocol");
      return;
    }
  tell_sent (self);
  self->index++;
  next_file (self);
}

static void
on_failed (Sender *self, const HpToolMessage *failed)
{
  g_autofree char *reason = hp_tool_text_safe ((const char *) failed->bytes,
                                               failed->length);
  g_autofree char *why = g_strdup_printf ("could not store it (%s)", reason);

  fail (self, G_IO_ERROR_FAILED, why);
}

static void
dispatch (Sender *self, const HpToolMessage *message)
{
  /* An answer to a transfer before, or a ping: this is no listener. */
  if (self->state == STATE_IDLE || message->transfer != self->index)
    return;
  switch (message->type)
    {
    case HP_TOOL_MESSAGE_ACCEPT:
      on_accept (self);
      break;
    case HP_TOOL_MESSAGE_STORED:
      on_stored (self, message);
      break;
    case HP_TOOL_MESSAGE_FAILED:
      on_failed (self, message);
      break;
    case HP_TOOL_MESSAGE_OFFER:
    case HP_TOOL_MESSAGE_DATA:
    case HP_TOOL_MESSAGE_END:
    case HP_TOOL_MESSAGE_PING:
    case HP_TOOL_MESSAGE_PONG:
      break;
    }
}

static void
on_message (HpConnection *connection, GBytes *bytes, Sender *self)
{
  HpToolMessage message;

  if (self->run.is_ending)
    return;
  switch (hp_tool_message_parse (&message, bytes))
    {
    case HP_TOOL_PARSE_OK:
      dispatch (self, &message);
      break;
    case HP_TOOL_PARSE_PLAIN:
      hp_tool_events_message (&self->run, connection, bytes);
      break;
    case HP_TOOL_PARSE_MALFORMED:
      fail (self, G_IO_ERROR_INVALID_DATA, "broke the protocol");
      break;
    }
}

static void
on_closed (HpConnection *connection, const GError *error, Sender *self)
{
  if (error != NULL)
    hp_tool_run_fail (&self->run, error);
  else if (!self->run.is_ending)
    fail (self, G_IO_ERROR_CLOSED, "closed the connection");
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
      hp_tool_source_free (source);
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
  self->buffer = g_malloc (HP_TOOL_DATA_MAX);
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
  g_free (self->buffer);
  return status;
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
               "fingerprint,\nor id@fingerprint.",
    .entries = entries,
    .min_arguments = 2,
    .max_arguments = G_MAXUINT,
    .is_peer = TRUE,
  };
  int status = hp_tool_options_parse (&options, argc, argv);

  if (status == -1 && self.sent_name != NULL
      && (*self.sent_name == '\0' || options.arguments[2] != NULL))
    status = hp_tool_options_fail (&options,
                                   "--name is for one file, and not empty");
  if (status == -1)
    status = send_files (&self, &options);
  g_free (self.sent_name);
  hp_tool_options_clear (&options);
  return status;
}
