/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-tester.h"

#include "hole-punch/tools/hp-tool-events.h"
#include "hole-punch/tools/hp-tool-json.h"
#include "hole-punch/tools/hp-tool-load.h"
#include "hole-punch/tools/hp-tool-records.h"
#include "hole-punch/tools/hp-tool-text.h"
#include "hole-punch/tools/hp-tool-visit.h"

/* Longer than its duration: for its streams to come, and for a silent line */
#define GRACE (10 * G_TIME_SPAN_SECOND)

/* It is the receiver's clock that counts; who sends goes on for so long, unless
 * the receiver has had enough before. */
#define MARGIN (1 * G_TIME_SPAN_SECOND)

/* Its own stream is always being read, and sometimes written to: two operations
 * at a time. It is freed when both are over. */
typedef struct
{
  HpToolVisit visit;
  HpToolTester *tester;
  guint64 number;
  gboolean is_reverse;
  gboolean is_under_way;
  HpToolLoad load;
  HpToolReport began; /* counters, as they were then */
  GSource *deadline;

  gboolean is_read; /* to its end */
  gboolean is_writing;
  GQueue outbox; /* of HpToolRecord */
} Test;

/* The next one may begin. */
static void
leave (Test *self)
{
  if (!self->is_under_way)
    return;
  self->is_under_way = FALSE;
  self->tester->test = NULL;
  hp_tool_clear_source (&self->deadline);
  hp_tool_load_clear (&self->load);
}

static void
free_if_over (Test *self)
{
  if (!self->is_read || self->is_writing)
    return;
  leave (self);
  hp_tool_visit_end (&self->visit);
  g_queue_clear_full (&self->outbox, g_free);
  g_free (self);
}

/* Records to the tester, one after the other */

static void write_next (Test *self);

static void
on_written (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Test *self = user_data;

  self->is_writing = FALSE;
  /* Why it failed, reading finds out, too. */
  if (hp_tool_records_write_finish (G_OUTPUT_STREAM (source), result, NULL))
    write_next (self);
  free_if_over (self);
}

static void
write_next (Test *self)
{
  g_autofree HpToolRecord *record = NULL;

  if (self->is_writing || self->is_read)
    return;
  record = g_queue_pop_head (&self->outbox);
  if (record == NULL)
    return;
  self->is_writing = TRUE;
  hp_tool_visit_write (&self->visit, record, on_written, self);
}

static void
tell (Test *self, const HpToolRecord *record)
{
  g_queue_push_tail (&self->outbox, g_memdup2 (record, sizeof *record));
  write_next (self);
}

/* The load */

static void
on_tick (gint64 microseconds, guint64 bytes, gpointer user_data)
{
  Test *self = user_data;

  tell (self, &(HpToolRecord){
                  .type = HP_TOOL_RECORD_TICK,
                  .tick = { .bytes = bytes, .microseconds = microseconds },
              });
}

/* Whose line it is shall know what it was used for. */
static void
show (Test *self, const HpToolReport *report)
{
  HpToolRun *run = self->visit.run;

  if (run->options->json)
    {
      GString *json = hp_tool_events_json ("tested", self->visit.connection);

      hp_tool_json_add_boolean (json, "reverse", self->is_reverse);
      hp_tool_json_add_number (json, "bytes", report->bytes);
      hp_tool_json_add_milliseconds (json, "milliseconds",
                                     report->microseconds);
      hp_tool_run_print (run, hp_tool_json_finish (json));
    }
  else
    {
      g_autofree char *name = hp_tool_events_name (self->visit.connection);
      g_autofree char *size = hp_tool_text_size (report->bytes);
      g_autofree char *time = hp_tool_text_duration (report->microseconds);

      hp_tool_run_print (run, g_strdup_printf ("%s: tested the speed: %s %s in "
                                               "%s\n",
                                               name,
                                               self->is_reverse ? "was sent"
                                                                : "sent",
                                               size, time));
    }
}

static void
on_ended (gpointer user_data)
{
  Test *self = user_data;
  HpToolRecord record = { .type = HP_TOOL_RECORD_REPORT };

  hp_tool_load_report (&self->load, self->visit.connection, &self->began,
                       &record.report);
  tell (self, &record);
  leave (self);
  if (!self->visit.run->is_ending)
    show (self, &record.report);
}

static gboolean
on_late (gpointer user_data)
{
  Test *self = user_data;
  HpToolRecord failed = {
    .type = HP_TOOL_RECORD_FAILED,
    .bytes = (const guint8 *) "timed-out",
    .length = sizeof "timed-out" - 1,
  };

  tell (self, &failed);
  leave (self);
  return G_SOURCE_REMOVE;
}

void
hp_tool_tester_load (HpToolTester *self, HpStream *stream,
                     const HpToolRecord *load)
{
  Test *test = self->test;

  /* One that comes too late, or is one too many, is given up. */
  if (test != NULL && test->number == load->run
      && test->visit.connection == hp_stream_get_connection (stream))
    hp_tool_load_add (&test->load, stream);
}

/* TEST */

static void
on_over (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Test *self = user_data;
  HpToolRecord record;
  g_autoptr (GBytes) bytes = hp_tool_records_read_finish (
      G_INPUT_STREAM (source), result, &record, NULL);

  self->is_read = TRUE;
  if (bytes != NULL)
    hp_tool_connection_break (self->visit.run, self->visit.connection,
                              "more than one question on a stream");
  leave (self);
  free_if_over (self);
}

static void
accept_test (Test *self, const HpToolRecord *record)
{
  gint64 duration = record->test.milliseconds * G_TIME_SPAN_MILLISECOND;

  self->tester->test = self;
  self->is_under_way = TRUE;
  hp_tool_load_init (&self->load, self->visit.run, self->is_reverse,
                     record->test.n_streams,
                     self->is_reverse ? duration + MARGIN : duration, self);
  self->load.tick = on_tick;
  self->load.ended = on_ended;
  self->deadline = hp_tool_add_timeout ("hole-punch-test", duration + GRACE,
                                        on_late, self);
  hp_tool_load_count (self->visit.connection, &self->began);
  /* What is told of the load shall not wait behind it. */
  hp_stream_set_weight (self->visit.stream, 256);
  tell (self, &(HpToolRecord){ .type = HP_TOOL_RECORD_ACCEPT });
}

static void
refuse (HpToolTester *self, HpStream *stream, int code, const char *why)
{
  HpToolVisit visit;
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, code, why);

  hp_tool_visit_begin (&visit, self->run, stream);
  hp_tool_visit_refuse (&visit, error);
}

void
hp_tool_tester_begin (HpToolTester *self, HpStream *stream,
                      const HpToolRecord *record)
{
  Test *test;

  if (self->is_refusing)
    {
      refuse (self, stream, G_IO_ERROR_PERMISSION_DENIED,
              "Speed tests are refused");
      return;
    }
  if (self->test != NULL)
    {
      refuse (self, stream, G_IO_ERROR_BUSY,
              "Another speed test is under way");
      return;
    }
  test = g_new0 (Test, 1);
  hp_tool_visit_begin (&test->visit, self->run, stream);
  test->tester = self;
  test->number = record->test.run;
  test->is_reverse = record->test.is_reverse;
  g_queue_init (&test->outbox);
  accept_test (test, record);
  hp_tool_visit_read (&test->visit, on_over, test);
}

void
hp_tool_tester_init (HpToolTester *self, HpToolRun *run, gboolean is_refusing)
{
  *self = (HpToolTester){ .run = run, .is_refusing = is_refusing };
}
