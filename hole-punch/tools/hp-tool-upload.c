/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-upload.h"

#include <string.h>

#include "hole-punch/tools/hp-tool-events.h"
#include "hole-punch/tools/hp-tool-records.h"
#include "hole-punch/tools/hp-tool-text.h"

/* A slow disk may have much to write before it can confirm */
#define MIN_STORE_PATIENCE (30 * G_TIME_SPAN_SECOND)

static void read_answer (HpToolUpload *self);
static void wait_for_answer (HpToolUpload *self, gint64 patience);

/* Failing */

static void
fail (HpToolUpload *self, int code, const char *why)
{
  g_autofree char *name = hp_tool_events_name (self->connection);
  g_autoptr (GError)
      error = g_error_new (G_IO_ERROR, code, "“%s” was not sent: %s %s",
                           self->shown_name, name, why);

  hp_tool_run_fail (self->run, error);
}

static void
fail_with (HpToolUpload *self, const GError *error)
{
  g_autoptr (GError) prefixed = g_error_copy (error);

  g_prefix_error (&prefixed, "“%s” was not sent: ", self->shown_name);
  hp_tool_run_fail (self->run, prefixed);
}

static gboolean
on_impatient (gpointer user_data)
{
  HpToolUpload *self = user_data;

  hp_tool_clear_source (&self->patience);
  /* It cannot answer, nor is it known to be gone. */
  if (hp_connection_get_state (self->connection)
      == HP_CONNECTION_STATE_INTERRUPTED)
    wait_for_answer (self, self->run->options->timeout);
  else if (self->state == HP_TOOL_UPLOAD_ENDED)
    fail (self, G_IO_ERROR_TIMED_OUT, "does not confirm that it has it");
  else if (self->is_broken)
    fail (self, G_IO_ERROR_CLOSED, "gave it up");
  else
    fail (self, G_IO_ERROR_TIMED_OUT,
          "does not say whether it takes files; is it “hole-punch listen”?");
  return G_SOURCE_REMOVE;
}

static void
wait_for_answer (HpToolUpload *self, gint64 patience)
{
  hp_tool_clear_source (&self->patience);
  self->patience = hp_tool_add_timeout ("hole-punch-patience", patience,
                                        on_impatient, self);
}

/* Whoever gives up a stream has said why, which comes in, or has closed the
 * connection, of which the run is told. */
static void
note_broken (HpToolUpload *self)
{
  if (self->run->is_ending || self->is_broken)
    return;
  self->is_broken = TRUE;
  wait_for_answer (self, self->run->options->timeout);
}

/* END */

static void
on_all_sent (GObject *source, GAsyncResult *result, gpointer user_data)
{
  HpToolUpload *self = user_data;
  gboolean is_good = g_output_stream_close_finish (G_OUTPUT_STREAM (source),
                                                   result, NULL);

  hp_tool_run_release (self->run);
  /* It may have been confirmed before. */
  if (self->run->is_ending || self->state != HP_TOOL_UPLOAD_ENDED)
    return;
  if (is_good)
    wait_for_answer (self,
                     MAX (self->run->options->timeout, MIN_STORE_PATIENCE));
  else
    note_broken (self);
}

static void
on_end_written (GObject *source, GAsyncResult *result, gpointer user_data)
{
  HpToolUpload *self = user_data;

  /* Why it failed, closing finds out, too. */
  hp_tool_records_write_finish (G_OUTPUT_STREAM (source), result, NULL);
  g_output_stream_close_async (G_OUTPUT_STREAM (source), G_PRIORITY_DEFAULT,
                               self->run->cancellable, on_all_sent, self);
}

static void
write_end (HpToolUpload *self)
{
  HpToolRecord end = {
    .type = HP_TOOL_RECORD_END,
    .bytes = self->digest,
    .length = sizeof self->digest,
  };
  gsize size = sizeof self->digest;
  g_autoptr (GChecksum)
      copy = g_checksum_copy (hp_tool_source_get_checksum (self->source));

  g_checksum_get_digest (copy, self->digest, &size);
  self->state = HP_TOOL_UPLOAD_ENDED;
  hp_tool_run_hold (self->run);
  hp_tool_records_write_async (
      g_io_stream_get_output_stream (G_IO_STREAM (self->stream)), &end,
      self->run->cancellable, on_end_written, self);
}

/* The file's bytes */

static void
on_spliced (GObject *source, GAsyncResult *result, gpointer user_data)
{
  HpToolUpload *self = user_data;
  g_autoptr (GError) error = NULL;
  gssize length = g_output_stream_splice_finish (G_OUTPUT_STREAM (source),
                                                 result, &error);

  hp_tool_run_release (self->run);
  if (self->run->is_ending)
    return;
  if (length != -1)
    write_end (self);
  else if (hp_tool_source_has_failed (self->source))
    fail_with (self, error);
  else
    note_broken (self);
}

static void
on_accept (HpToolUpload *self)
{
  hp_tool_clear_source (&self->patience);
  self->state = HP_TOOL_UPLOAD_SENDING;
  hp_tool_run_hold (self->run);
  g_output_stream_splice_async (
      g_io_stream_get_output_stream (G_IO_STREAM (self->stream)),
      G_INPUT_STREAM (self->source), G_OUTPUT_STREAM_SPLICE_NONE,
      G_PRIORITY_DEFAULT, self->run->cancellable, on_spliced, self);
  read_answer (self);
}

/* Answers */

static void
on_failed (HpToolUpload *self, const HpToolRecord *failed)
{
  g_autofree char *reason = hp_tool_text_safe (
      failed->length > 0 ? (const char *) failed->bytes : "", failed->length);
  g_autofree char *why = g_strdup_printf ("could not store it (%s)", reason);

  fail (self, G_IO_ERROR_FAILED, why);
}

static void
dispatch (HpToolUpload *self, const HpToolRecord *answer)
{
  if (answer->type == HP_TOOL_RECORD_FAILED)
    {
      on_failed (self, answer);
    }
  else if (answer->type == HP_TOOL_RECORD_ACCEPT
           && self->state == HP_TOOL_UPLOAD_OFFERED)
    {
      on_accept (self);
    }
  else if (answer->type == HP_TOOL_RECORD_STORED
           && self->state == HP_TOOL_UPLOAD_ENDED
           && memcmp (answer->bytes, self->digest, sizeof self->digest) == 0)
    {
      hp_tool_clear_source (&self->patience);
      self->state = HP_TOOL_UPLOAD_IDLE;
      self->done (self->user_data);
    }
  else
    {
      fail (self, G_IO_ERROR_INVALID_DATA, "broke the protocol");
    }
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  HpToolUpload *self = user_data;
  HpToolRecord answer;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = hp_tool_records_read_finish (
      G_INPUT_STREAM (source), result, &answer, &error);

  hp_tool_run_release (self->run);
  /* That the connection has ended the run is told, with the reason. */
  if (self->run->is_ending
      || (bytes == NULL
          && hp_connection_get_state (self->connection)
                 == HP_CONNECTION_STATE_CLOSED))
    return;
  if (bytes != NULL)
    dispatch (self, &answer);
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA))
    fail (self, G_IO_ERROR_INVALID_DATA, "broke the protocol");
  else if (self->state == HP_TOOL_UPLOAD_OFFERED)
    fail (self, G_IO_ERROR_CLOSED,
          "does not take files; is it “hole-punch listen”?");
  else
    fail (self, G_IO_ERROR_CLOSED, "gave it up");
}

static void
read_answer (HpToolUpload *self)
{
  hp_tool_run_hold (self->run);
  hp_tool_records_read_async (
      g_io_stream_get_input_stream (G_IO_STREAM (self->stream)),
      self->run->cancellable, on_answer, self);
}

/* OFFER */

static void
on_offer_written (GObject *source, GAsyncResult *result, gpointer user_data)
{
  HpToolUpload *self = user_data;
  gboolean is_good = hp_tool_records_write_finish (G_OUTPUT_STREAM (source),
                                                   result, NULL);

  hp_tool_run_release (self->run);
  if (self->run->is_ending)
    return;
  if (!is_good)
    note_broken (self);
  read_answer (self);
}

static void
on_opened (GObject *source, GAsyncResult *result, gpointer user_data)
{
  HpToolUpload *self = user_data;
  HpToolRecord offer = { .type = HP_TOOL_RECORD_OFFER };
  g_autoptr (GError) error = NULL;
  HpStream *stream = hp_connection_open_stream_finish (HP_CONNECTION (source),
                                                       result, &error);

  hp_tool_run_release (self->run);
  if (stream == NULL)
    {
      if (hp_connection_get_state (self->connection)
          != HP_CONNECTION_STATE_CLOSED)
        fail_with (self, error);
      return;
    }
  self->stream = stream;
  self->state = HP_TOOL_UPLOAD_OFFERED;
  offer.size = hp_tool_source_get_size (self->source);
  offer.bytes = (const guint8 *) self->sent_name;
  offer.length = MIN (strlen (self->sent_name), HP_TOOL_NAME_MAX);
  hp_tool_run_hold (self->run);
  hp_tool_records_write_async (
      g_io_stream_get_output_stream (G_IO_STREAM (stream)), &offer,
      self->run->cancellable, on_offer_written, self);
}

/* What was sent again counts once. */
static guint64
get_sent (HpConnection *connection)
{
  g_autoptr (HpStatistics)
      statistics = hp_connection_get_statistics (connection);

  return hp_statistics_get_bytes_sent (statistics);
}

void
hp_tool_upload_begin (HpToolUpload *self, HpToolRun *run,
                      HpConnection *connection, HpToolSource *source,
                      const char *shown_name, const char *sent_name)
{
  self->run = run;
  self->connection = connection;
  self->source = source;
  self->shown_name = g_strdup (shown_name);
  self->sent_name = g_strdup (sent_name);
  self->sent_before = get_sent (connection);
  self->is_broken = FALSE;
  self->state = HP_TOOL_UPLOAD_OPENING;
  wait_for_answer (self, run->options->timeout);
  hp_tool_run_hold (run);
  hp_connection_open_stream_async (connection, run->cancellable, on_opened,
                                   self);
}

guint64
hp_tool_upload_get_done (HpToolUpload *self)
{
  guint64 read = hp_tool_source_get_offset (self->source);
  guint64 sent = get_sent (self->connection) - self->sent_before;

  return MIN (read, sent);
}

void
hp_tool_upload_clear (HpToolUpload *self)
{
  hp_tool_clear_source (&self->patience);
  g_clear_object (&self->stream);
  g_clear_object (&self->source);
  g_clear_pointer (&self->shown_name, g_free);
  g_clear_pointer (&self->sent_name, g_free);
  self->state = HP_TOOL_UPLOAD_IDLE;
}
