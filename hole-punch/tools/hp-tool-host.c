/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-host.h"

#include "hole-punch/tools/hp-tool-events.h"
#include "hole-punch/tools/hp-tool-records.h"
#include "hole-punch/tools/hp-tool-visit.h"

/* Messages */

/* A pong for which there is no room is lost, as it is on a full line. */
static void
on_ping (HpConnection *connection, const HpToolRecord *ping)
{
  HpToolRecord pong = *ping;
  g_autoptr (GBytes) bytes = NULL;

  pong.type = HP_TOOL_RECORD_PONG;
  bytes = hp_tool_message_write (&pong);
  hp_connection_send_message_full (connection, bytes,
                                   HP_MESSAGE_FLAGS_UNRELIABLE, 0, NULL);
}

static void
on_message (HpPeer *peer, HpConnection *connection, GBytes *bytes,
            HpToolHost *self)
{
  HpToolRecord record;

  if (self->run->is_ending)
    return;
  switch (hp_tool_message_parse (&record, bytes))
    {
    case HP_TOOL_PARSE_OK:
      if (record.type == HP_TOOL_RECORD_PING)
        on_ping (connection, &record);
      else
        hp_tool_connection_break (self->run, connection,
                                  "an answer to no question");
      break;
    case HP_TOOL_PARSE_PLAIN:
      hp_tool_events_message (self->run, connection, bytes);
      self->done (self->user_data);
      break;
    case HP_TOOL_PARSE_MALFORMED:
      hp_tool_connection_break (self->run, connection, "a malformed message");
      break;
    }
}

/* Streams */

/* One of which it is not known yet what it is for */
typedef struct
{
  HpToolVisit visit;
  HpToolHost *host;
} Newcomer;

static void
dispatch (HpToolHost *self, HpStream *stream, const HpToolRecord *record)
{
  switch (record->type)
    {
    case HP_TOOL_RECORD_OFFER:
      hp_tool_receiver_take (&self->receiver, stream, record);
      break;
    case HP_TOOL_RECORD_TEST:
      hp_tool_tester_begin (&self->tester, stream, record);
      break;
    case HP_TOOL_RECORD_LOAD:
      hp_tool_tester_load (&self->tester, stream, record);
      break;
    case HP_TOOL_RECORD_ACCEPT:
    case HP_TOOL_RECORD_END:
    case HP_TOOL_RECORD_STORED:
    case HP_TOOL_RECORD_FAILED:
    case HP_TOOL_RECORD_TICK:
    case HP_TOOL_RECORD_REPORT:
    case HP_TOOL_RECORD_PING:
    case HP_TOOL_RECORD_PONG:
      hp_tool_connection_break (self->run, hp_stream_get_connection (stream),
                                "a stream that nobody knows what it is for");
      break;
    }
}

static void
on_first_record (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Newcomer *newcomer = user_data;
  HpToolHost *self = newcomer->host;
  HpToolVisit *visit = &newcomer->visit;
  HpToolRecord record;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = hp_tool_records_read_finish (
      G_INPUT_STREAM (source), result, &record, &error);

  if (bytes != NULL && !self->run->is_ending)
    {
      dispatch (self, visit->stream, &record);
    }
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA))
    {
      hp_tool_connection_break (self->run, visit->connection,
                                "a stream that is none of hole-punch");
    }
  hp_tool_visit_end (visit);
  g_free (newcomer);
}

static void
on_stream (HpPeer *peer, HpConnection *connection, HpStream *stream,
           HpToolHost *self)
{
  Newcomer *newcomer;

  if (self->run->is_ending)
    return;
  newcomer = g_new0 (Newcomer, 1);
  newcomer->host = self;
  hp_tool_visit_begin (&newcomer->visit, self->run, stream);
  hp_tool_visit_read (&newcomer->visit, on_first_record, newcomer);
}

void
hp_tool_host_init (HpToolHost *self, HpToolRun *run, HpToolStore *store,
                   gboolean refuses_tests, void (*done) (gpointer user_data),
                   gpointer user_data)
{
  *self = (HpToolHost){ .run = run, .done = done, .user_data = user_data };
  hp_tool_receiver_init (&self->receiver, run, store, done, user_data);
  hp_tool_tester_init (&self->tester, run, refuses_tests);
}

void
hp_tool_host_watch (HpToolHost *self)
{
  g_signal_connect (self->run->peer, "message-received",
                    G_CALLBACK (on_message), self);
  g_signal_connect (self->run->peer, "stream-opened", G_CALLBACK (on_stream),
                    self);
}
