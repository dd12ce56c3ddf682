/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <stdlib.h>

#include "hole-punch/tools/hp-tool-call.h"
#include "hole-punch/tools/hp-tool-commands.h"
#include "hole-punch/tools/hp-tool-events.h"
#include "hole-punch/tools/hp-tool-load.h"
#include "hole-punch/tools/hp-tool-probes.h"
#include "hole-punch/tools/hp-tool-records.h"
#include "hole-punch/tools/hp-tool-result.h"
#include "hole-punch/tools/hp-tool-text.h"

#define DEFAULT_SECONDS 5
#define MIN_SECONDS 0.1
/* More for the result than the listener gives itself for the test */
#define GRACE (12 * G_TIME_SPAN_SECOND)
/* The only test on this connection; the listener may see others. */
#define RUN_NUMBER 1

/*   asking ── ACCEPT ──▸ loading ── REPORT, own end ──▸ told
 */
typedef struct
{
  HpToolRun run;
  HpToolCall call;
  HpConnection *connection;
  double seconds;
  gboolean is_reverse;
  int n_streams;

  HpStream *control;
  gboolean is_accepted;
  gboolean is_reported;
  gboolean is_load_over;
  GSource *patience;
  HpToolLoad load;
  HpToolProbes probes;
  HpToolReport began; /* counters, as they were then */
  HpToolResult result;
} Speed;

static void
fail (Speed *self, int code, const char *what)
{
  g_autofree char *name = hp_tool_events_name (self->connection);
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, code, "%s %s", name,
                                          what);

  hp_tool_run_fail (&self->run, error);
}

/* Of what a connection that has ended does to its streams nobody need be told:
 * the run is told of the end itself. */
static gboolean
is_over (Speed *self)
{
  return self->run.is_ending
         || hp_connection_get_state (self->connection)
                == HP_CONNECTION_STATE_CLOSED;
}

static gboolean
on_impatient (gpointer user_data)
{
  Speed *self = user_data;

  if (self->is_accepted)
    fail (self, G_IO_ERROR_TIMED_OUT,
          "took part in the speed test, but did not report its result in time");
  else
    fail (self, G_IO_ERROR_TIMED_OUT,
          "does not say whether it takes speed tests; is it “hole-punch "
          "listen”?");
  return G_SOURCE_REMOVE;
}

static void
be_patient (Speed *self, gint64 patience)
{
  hp_tool_clear_source (&self->patience);
  self->patience = hp_tool_add_timeout ("hole-punch-patience", patience,
                                        on_impatient, self);
}

/* The end */

static void
finish_if_done (Speed *self)
{
  HpToolResult *result = &self->result;

  /* Who sends is told by the receiver; who receives has both to wait for. */
  if (!self->is_reported || (self->is_reverse && !self->is_load_over)
      || self->run.is_ending)
    return;
  hp_tool_probes_stop (&self->probes);
  result->is_reverse = self->is_reverse;
  result->n_streams = self->n_streams;
  result->n_pings = hp_tool_probes_count (&self->probes);
  result->times = &self->probes.times;
  hp_tool_load_report (&self->load, self->connection, &self->began,
                       &result->here);
  if (hp_tool_result_get_receiver (result)->bytes == 0)
    {
      fail (self, G_IO_ERROR_FAILED,
            self->is_reverse
                ? "was reached, but none of the bytes it sent arrived here"
                : "was reached, but none of the bytes sent to it arrived");
      return;
    }
  hp_tool_load_clear (&self->load);
  hp_tool_result_tell (result, &self->run, self->connection);
  hp_tool_run_end (&self->run, EXIT_SUCCESS);
}

/* The load */

static void
on_tick (gint64 microseconds, guint64 bytes, gpointer user_data)
{
  Speed *self = user_data;

  if (self->run.is_ending)
    return;
  hp_tool_result_add_tick (&self->result, bytes, microseconds);
  hp_tool_result_tell_tick (&self->run, self->connection, bytes, microseconds);
}

static void
on_load_over (gpointer user_data)
{
  Speed *self = user_data;

  self->is_load_over = TRUE;
  hp_tool_probes_stop (&self->probes);
  finish_if_done (self);
}

static void
on_load_written (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (HpStream) stream = user_data;
  Speed *self = g_object_get_data (G_OBJECT (stream), "hp-tool-speed");

  hp_tool_run_release (&self->run);
  /* A stream that fails fails with its connection, or is missed. */
  if (hp_tool_records_write_finish (G_OUTPUT_STREAM (source), result, NULL)
      && !self->run.is_ending)
    hp_tool_load_add (&self->load, stream);
}

static void
on_load_opened (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Speed *self = user_data;
  HpToolRecord record = { .type = HP_TOOL_RECORD_LOAD, .run = RUN_NUMBER };
  g_autoptr (GError) error = NULL;
  HpStream *stream = hp_connection_open_stream_finish (HP_CONNECTION (source),
                                                       result, &error);

  hp_tool_run_release (&self->run);
  if (stream == NULL)
    {
      if (!is_over (self))
        hp_tool_run_fail (&self->run, error);
      return;
    }
  g_object_set_data (G_OBJECT (stream), "hp-tool-speed", self);
  hp_tool_run_hold (&self->run);
  hp_tool_records_write_async (
      g_io_stream_get_output_stream (G_IO_STREAM (stream)), &record,
      self->run.cancellable, on_load_written, stream);
}

static void
begin_load (Speed *self)
{
  gint64 duration = self->seconds * G_TIME_SPAN_SECOND;

  self->is_accepted = TRUE;
  be_patient (self, duration + GRACE);
  /* It is the receiver's clock that counts; who sends goes on until then. */
  hp_tool_load_init (&self->load, &self->run, !self->is_reverse,
                     self->n_streams,
                     self->is_reverse ? duration : duration + GRACE, self);
  self->load.ended = on_load_over;
  if (self->is_reverse)
    self->load.tick = on_tick;
  hp_tool_load_count (self->connection, &self->began);
  hp_tool_probes_begin (&self->probes, self->connection);
  for (int i = 0; i < self->n_streams; i++)
    {
      hp_tool_run_hold (&self->run);
      hp_connection_open_stream_async (self->connection, self->run.cancellable,
                                       on_load_opened, self);
    }
}

/* Answers */

static void read_answer (Speed *self);

/* The words of docs/tool-protocol.md as sentences */
static void
on_failed (Speed *self, const HpToolRecord *failed)
{
  static const struct
  {
    const char *reason;
    int code;
    const char *what;
  } known[] = {
    { "permission-denied", G_IO_ERROR_PERMISSION_DENIED,
      "takes no speed tests: it runs with --no-speed" },
    { "busy", G_IO_ERROR_BUSY,
      "is busy with another speed test, which takes a minute at most; try "
      "again then" },
    { "timed-out", G_IO_ERROR_TIMED_OUT,
      "ended the speed test, which was not over in time" },
  };
  g_autofree char *reason = hp_tool_text_safe (
      failed->length > 0 ? (const char *) failed->bytes : "", failed->length);
  g_autofree char *what = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    {
      if (g_str_equal (reason, known[i].reason))
        {
          fail (self, known[i].code, known[i].what);
          return;
        }
    }
  what = g_strdup_printf ("does not do the speed test, and says why: %s",
                          reason);
  fail (self, G_IO_ERROR_FAILED, what);
}

static void
dispatch (Speed *self, const HpToolRecord *answer)
{
  if (answer->type == HP_TOOL_RECORD_FAILED)
    {
      on_failed (self, answer);
      return;
    }
  if (answer->type == HP_TOOL_RECORD_ACCEPT && !self->is_accepted)
    {
      begin_load (self);
    }
  else if (answer->type == HP_TOOL_RECORD_TICK && self->is_accepted
           && !self->is_reverse && !self->is_reported)
    {
      on_tick (answer->tick.microseconds, answer->tick.bytes, self);
    }
  else if (answer->type == HP_TOOL_RECORD_REPORT && self->is_accepted
           && !self->is_reported)
    {
      self->is_reported = TRUE;
      self->result.there = answer->report;
      finish_if_done (self);
    }
  else
    {
      fail (self, G_IO_ERROR_INVALID_DATA, "broke the protocol");
      return;
    }
  read_answer (self);
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Speed *self = user_data;
  HpToolRecord answer;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = hp_tool_records_read_finish (
      G_INPUT_STREAM (source), result, &answer, &error);

  hp_tool_run_release (&self->run);
  if (is_over (self))
    return;
  if (bytes != NULL)
    dispatch (self, &answer);
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA))
    fail (self, G_IO_ERROR_INVALID_DATA, "broke the protocol");
  else if (!self->is_accepted)
    fail (self, G_IO_ERROR_CLOSED,
          "does not take speed tests; is it “hole-punch listen”?");
  else if (!self->is_reported)
    fail (self, G_IO_ERROR_CLOSED, "gave up the speed test halfway");
}

static void
read_answer (Speed *self)
{
  hp_tool_run_hold (&self->run);
  hp_tool_records_read_async (
      g_io_stream_get_input_stream (G_IO_STREAM (self->control)),
      self->run.cancellable, on_answer, self);
}

/* The question */

static void
on_test_written (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Speed *self = user_data;

  /* Why it failed, reading finds out, too. */
  hp_tool_records_write_finish (G_OUTPUT_STREAM (source), result, NULL);
  hp_tool_run_release (&self->run);
  if (!self->run.is_ending)
    read_answer (self);
}

static void
on_opened (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Speed *self = user_data;
  HpToolRecord test = {
    .type = HP_TOOL_RECORD_TEST,
    .test = {
      .run = RUN_NUMBER,
      .milliseconds = self->seconds * 1000,
      .n_streams = self->n_streams,
      .is_reverse = self->is_reverse,
    },
  };
  g_autoptr (GError) error = NULL;

  self->control = hp_connection_open_stream_finish (HP_CONNECTION (source),
                                                    result, &error);
  hp_tool_run_release (&self->run);
  if (self->control == NULL)
    {
      if (!is_over (self))
        hp_tool_run_fail (&self->run, error);
      return;
    }
  hp_tool_run_hold (&self->run);
  hp_tool_records_write_async (
      g_io_stream_get_output_stream (G_IO_STREAM (self->control)), &test,
      self->run.cancellable, on_test_written, self);
}

static void
on_message (HpConnection *connection, GBytes *bytes, Speed *self)
{
  HpToolRecord message;

  if (self->run.is_ending)
    return;
  switch (hp_tool_message_parse (&message, bytes))
    {
    case HP_TOOL_PARSE_OK:
      if (message.type == HP_TOOL_RECORD_PONG)
        hp_tool_probes_receive (&self->probes, &message);
      break;
    case HP_TOOL_PARSE_PLAIN:
      hp_tool_events_message (&self->run, connection, bytes);
      break;
    case HP_TOOL_PARSE_MALFORMED:
      break;
    }
}

static void
on_closed (HpConnection *connection, const GError *error, Speed *self)
{
  if (error != NULL)
    hp_tool_run_fail (&self->run, error);
  else
    fail (self, G_IO_ERROR_CLOSED, "closed the connection");
}

static void
on_called (HpConnection *connection, gpointer user_data)
{
  Speed *self = user_data;

  self->connection = g_object_ref (connection);
  g_signal_connect (connection, "message-received", G_CALLBACK (on_message),
                    self);
  g_signal_connect (connection, "closed", G_CALLBACK (on_closed), self);
  be_patient (self, self->run.options->timeout);
  hp_tool_run_hold (&self->run);
  hp_connection_open_stream_async (connection, self->run.cancellable,
                                   on_opened, self);
}

static void
on_started (HpToolRun *run, gpointer user_data)
{
  Speed *self = user_data;

  hp_tool_call_begin (&self->call, run, run->options->arguments[0], on_called,
                      self);
}

static int
measure (Speed *self, const HpToolOptions *options)
{
  int status = EXIT_FAILURE;

  hp_tool_run_init (&self->run, options, EXIT_FAILURE, NULL, self);
  if (hp_tool_run_make_peer (&self->run, NULL))
    {
      hp_tool_events_watch (&self->run);
      hp_tool_run_start (&self->run, on_started);
      status = hp_tool_run_wait (&self->run);
    }
  hp_tool_clear_source (&self->patience);
  hp_tool_load_clear (&self->load);
  hp_tool_probes_clear (&self->probes);
  hp_tool_call_clear (&self->call);
  if (self->connection != NULL)
    g_signal_handlers_disconnect_by_data (self->connection, self);
  g_clear_object (&self->control);
  g_clear_object (&self->connection);
  hp_tool_run_clear (&self->run);
  return status;
}

static int
check (const Speed *self, const HpToolOptions *options)
{
  if (!(self->seconds >= MIN_SECONDS
        && self->seconds * 1000 <= HP_TOOL_TEST_MILLISECONDS_MAX))
    return hp_tool_options_fail (options, "--seconds must be from 0.1 to 60");
  if (self->n_streams < 1 || self->n_streams > HP_TOOL_TEST_STREAMS_MAX)
    return hp_tool_options_fail (options, "--streams must be from 1 to %d",
                                 HP_TOOL_TEST_STREAMS_MAX);
  return -1;
}

int
hp_tool_speed (int argc, char **argv)
{
  Speed self = { .seconds = DEFAULT_SECONDS, .n_streams = 1 };
  const GOptionEntry entries[] = {
    { "seconds", 's', 0, G_OPTION_ARG_DOUBLE, &self.seconds,
      "How long, at most 60 (5)", "SECONDS" },
    { "reverse", 'r', 0, G_OPTION_ARG_NONE, &self.is_reverse,
      "From there to here", NULL },
    { "streams", 'n', 0, G_OPTION_ARG_INT, &self.n_streams,
      "How many streams at a time, at most 64 (1)", "NUMBER" },
    G_OPTION_ENTRY_NULL,
  };
  HpToolOptions options = {
    .command = "speed",
    .parameters = "ID",
    .summary = "Measures how fast bytes get to “hole-punch listen”, what that "
               "costs, and how\nlong small messages take meanwhile. ID may "
               "also be a fingerprint, or\nid@fingerprint.",
    .entries = entries,
    .min_arguments = 1,
    .max_arguments = 1,
    .is_peer = TRUE,
  };
  int status = hp_tool_options_parse (&options, argc, argv);

  if (status == -1)
    status = check (&self, &options);
  if (status == -1)
    status = measure (&self, &options);
  hp_tool_options_clear (&options);
  return status;
}
