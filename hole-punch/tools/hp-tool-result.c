/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-result.h"

#include "hole-punch/tools/hp-tool-events.h"
#include "hole-punch/tools/hp-tool-json.h"
#include "hole-punch/tools/hp-tool-output.h"
#include "hole-punch/tools/hp-tool-text.h"

#define GIGABYTE 1e9
/* Timers are late, and the first byte was early. */
#define WHOLE_SECOND (G_TIME_SPAN_SECOND * 9 / 10)

guint64
hp_tool_result_get_rate (guint64 bytes, gint64 microseconds)
{
  double rate = (double) bytes * G_TIME_SPAN_SECOND / MAX (microseconds, 1);

  return rate < (double) G_MAXINT64 ? (guint64) rate : G_MAXINT64;
}

void
hp_tool_result_add_tick (HpToolResult *self, guint64 bytes, gint64 microseconds)
{
  if (microseconds >= WHOLE_SECOND)
    self->best = MAX (self->best,
                      hp_tool_result_get_rate (bytes, microseconds));
}

const HpToolReport *
hp_tool_result_get_receiver (const HpToolResult *self)
{
  return self->is_reverse ? &self->here : &self->there;
}

const HpToolReport *
hp_tool_result_get_sender (const HpToolResult *self)
{
  return self->is_reverse ? &self->there : &self->here;
}

gint64
hp_tool_result_get_cpu (const HpToolResult *self)
{
  guint64 bytes = hp_tool_result_get_receiver (self)->bytes;
  double cpu = ((double) self->here.cpu + self->there.cpu) * GIGABYTE
               / MAX (bytes, 1);

  return bytes > 0 && cpu < (double) G_MAXINT64 ? (gint64) cpu : -1;
}

/* As it goes */

void
hp_tool_result_tell_tick (HpToolRun *run, HpConnection *connection,
                          guint64 bytes, gint64 microseconds)
{
  guint64 rate = hp_tool_result_get_rate (bytes, microseconds);

  if (run->options->json)
    {
      GString *json = hp_tool_events_json ("interval", connection);

      hp_tool_json_add_number (json, "bytes", bytes);
      hp_tool_json_add_milliseconds (json, "milliseconds", microseconds);
      hp_tool_json_add_number (json, "bytes-per-second", rate);
      hp_tool_run_print (run, hp_tool_json_finish (json));
    }
  else if (hp_tool_output_has_bar ())
    {
      g_autofree char *name = hp_tool_events_name (connection);
      g_autofree char *text = hp_tool_text_size (rate);
      g_autofree char *bar = g_strdup_printf ("%s  %9s/s", name, text);

      hp_tool_output_set_bar (bar);
    }
}

/* At the end */

static void
tell_json (HpToolResult *self, HpToolRun *run, HpConnection *connection)
{
  const HpToolReport *receiver = hp_tool_result_get_receiver (self);
  const HpToolReport *sender = hp_tool_result_get_sender (self);
  guint64 rate = hp_tool_result_get_rate (receiver->bytes,
                                          receiver->microseconds);
  GString *json = hp_tool_events_json ("speed", connection);

  hp_tool_json_add_boolean (json, "reverse", self->is_reverse);
  hp_tool_json_add_number (json, "streams", self->n_streams);
  hp_tool_json_add_number (json, "bytes", receiver->bytes);
  hp_tool_json_add_milliseconds (json, "milliseconds", receiver->microseconds);
  hp_tool_json_add_number (json, "bytes-per-second", rate);
  hp_tool_json_add_number (json, "best-bytes-per-second",
                           MAX (self->best, rate));
  hp_tool_json_add_milliseconds (json, "cpu-milliseconds", self->here.cpu);
  hp_tool_json_add_milliseconds (json, "remote-cpu-milliseconds",
                                 self->there.cpu);
  hp_tool_json_add_milliseconds (json, "cpu-milliseconds-per-gigabyte",
                                 hp_tool_result_get_cpu (self));
  hp_tool_json_add_number (json, "datagram-size", sender->datagram_size);
  hp_tool_json_add_number (json, "datagrams-sent", sender->datagrams_sent);
  hp_tool_json_add_number (json, "datagrams-lost", sender->datagrams_lost);
  hp_tool_json_add_number (json, "pings-sent", self->n_pings);
  hp_tool_json_add_number (json, "pings-answered",
                           hp_tool_samples_count (self->times));
  hp_tool_json_add_milliseconds (
      json, "round-trip-50", hp_tool_samples_get_percentile (self->times, 50));
  hp_tool_json_add_milliseconds (
      json, "round-trip-90", hp_tool_samples_get_percentile (self->times, 90));
  hp_tool_json_add_milliseconds (
      json, "round-trip-99", hp_tool_samples_get_percentile (self->times, 99));
  hp_tool_run_print (run, hp_tool_json_finish (json));
}

static void
append_speed (GString *text, HpToolResult *self, HpConnection *connection)
{
  const HpToolReport *receiver = hp_tool_result_get_receiver (self);
  guint64 rate = hp_tool_result_get_rate (receiver->bytes,
                                          receiver->microseconds);
  g_autofree char *name = hp_tool_events_name (connection);
  g_autofree char *size = hp_tool_text_size (receiver->bytes);
  g_autofree char *time = hp_tool_text_duration (receiver->microseconds);
  g_autofree char *mean = hp_tool_text_size (rate);
  g_autofree char *best = hp_tool_text_size (MAX (self->best, rate));

  g_string_append_printf (text, "%s %s: %s in %s, %s/s; best second %s/s\n",
                          self->is_reverse ? "From" : "To", name, size, time,
                          mean, best);
}

static void
append_cost (GString *text, HpToolResult *self)
{
  const HpToolReport *sender = hp_tool_result_get_sender (self);
  gint64 cpu = hp_tool_result_get_cpu (self);
  g_autofree char *here = hp_tool_text_duration (self->here.cpu);
  g_autofree char *there = hp_tool_text_duration (self->there.cpu);
  g_autofree char *both = hp_tool_text_duration (MAX (cpu, 0));

  g_string_append_printf (text,
                          "Processors: %s here, %s there; %s for a gigabyte\n",
                          here, there, cpu >= 0 ? both : "-");
  g_string_append_printf (text,
                          "Datagrams: %" G_GUINT64_FORMAT
                          " of up to %" G_GUINT64_FORMAT
                          " bytes, %" G_GUINT64_FORMAT " lost\n",
                          sender->datagrams_sent, sender->datagram_size,
                          sender->datagrams_lost);
}

static void
append_round_trips (GString *text, HpToolResult *self)
{
  guint n_answered = hp_tool_samples_count (self->times);
  g_autofree char *half = hp_tool_text_duration (
      hp_tool_samples_get_percentile (self->times, 50));
  g_autofree char *most = hp_tool_text_duration (
      hp_tool_samples_get_percentile (self->times, 90));
  g_autofree char *nearly_all = hp_tool_text_duration (
      hp_tool_samples_get_percentile (self->times, 99));

  g_string_append_printf (text, "Round trip meanwhile: ");
  if (n_answered > 0)
    g_string_append_printf (text, "50 %% within %s, 90 %% %s, 99 %% %s; ", half,
                            most, nearly_all);
  g_string_append_printf (text, "%u of %u pings answered\n", n_answered,
                          self->n_pings);
}

void
hp_tool_result_tell (HpToolResult *self, HpToolRun *run,
                     HpConnection *connection)
{
  GString *text;

  if (run->options->json)
    {
      tell_json (self, run, connection);
      return;
    }
  text = g_string_new (NULL);
  append_speed (text, self, connection);
  append_cost (text, self);
  append_round_trips (text, self);
  hp_tool_run_print (run, g_string_free (text, FALSE));
}
