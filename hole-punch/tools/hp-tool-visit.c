/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-visit.h"

#include <string.h>

#include "hole-punch/tools/hp-tool-events.h"
#include "hole-punch/tools/hp-tool-problem.h"
#include "hole-punch/tools/hp-tool-records.h"

void
hp_tool_visit_begin (HpToolVisit *self, HpToolRun *run, HpStream *stream)
{
  *self = (HpToolVisit){
    .run = run,
    .stream = g_object_ref (stream),
    .connection = g_object_ref (hp_stream_get_connection (stream)),
  };
  hp_tool_run_hold (run);
}

void
hp_tool_visit_end (HpToolVisit *self)
{
  g_clear_object (&self->stream);
  g_clear_object (&self->connection);
  hp_tool_run_release (self->run);
}

GInputStream *
hp_tool_visit_get_input (const HpToolVisit *self)
{
  return g_io_stream_get_input_stream (G_IO_STREAM (self->stream));
}

void
hp_tool_visit_read (HpToolVisit *self, GAsyncReadyCallback callback,
                    gpointer user_data)
{
  hp_tool_records_read_async (hp_tool_visit_get_input (self),
                              self->run->cancellable, callback, user_data);
}

void
hp_tool_visit_write (HpToolVisit *self, const HpToolRecord *record,
                     GAsyncReadyCallback callback, gpointer user_data)
{
  hp_tool_records_write_async (
      g_io_stream_get_output_stream (G_IO_STREAM (self->stream)), record,
      self->run->cancellable, callback, user_data);
}

static void
on_refused_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  HpToolVisit *self = user_data;

  /* If it failed, nobody is there who could be told. */
  g_io_stream_close_finish (G_IO_STREAM (source), result, NULL);
  hp_tool_visit_end (self);
  g_free (self);
}

static void
on_refused (GObject *source, GAsyncResult *result, gpointer user_data)
{
  HpToolVisit *self = user_data;

  hp_tool_records_write_finish (G_OUTPUT_STREAM (source), result, NULL);
  g_io_stream_close_async (G_IO_STREAM (self->stream), G_PRIORITY_DEFAULT,
                           self->run->cancellable, on_refused_closed, self);
}

void
hp_tool_visit_refuse (HpToolVisit *self, const GError *error)
{
  /* It is the other's memory, and this goes on for a while. */
  HpToolVisit *refused = g_memdup2 (self, sizeof *self);
  HpToolRecord failed = {
    .type = HP_TOOL_RECORD_FAILED,
    /* Of errors here the code is enough; paths are nobody's business. */
    .bytes = (const guint8 *) hp_tool_problem_get_code (error),
  };

  failed.length = strlen ((const char *) failed.bytes);
  hp_tool_events_problem (self->run, self->connection, error);
  *self = (HpToolVisit){ 0 };
  hp_tool_visit_write (refused, &failed, on_refused, refused);
}

void
hp_tool_connection_break (HpToolRun *run, HpConnection *connection,
                          const char *what)
{
  g_autoptr (GError) error = NULL;

  /* Only the first thing that it broke is told. */
  if (run->is_ending
      || hp_connection_get_state (connection) == HP_CONNECTION_STATE_CLOSED)
    return;
  error = g_error_new (G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                       "broke the protocol: %s", what);
  hp_tool_events_problem (run, connection, error);
  hp_connection_close_async (connection, NULL, NULL, NULL);
}
