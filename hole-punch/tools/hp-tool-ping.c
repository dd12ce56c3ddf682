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
#include "hole-punch/tools/hp-tool-protocol.h"
#include "hole-punch/tools/hp-tool-text.h"

#define DEFAULT_COUNT 4
#define DEFAULT_INTERVAL 1
#define MIN_INTERVAL 0.01
#define MAX_INTERVAL 3600
#define DEFAULT_SIZE 56

typedef struct
{
  guint64 sequence;
  gint64 sent_at;
} Pending;

typedef struct
{
  HpToolRun run;
  HpToolCall call;
  HpConnection *connection;
  int count; /* 0: until it is ended */
  double interval;
  int size;
  guint8 *payload;

  GQueue pending; /* of Pending, oldest first */
  guint64 n_sent;
  guint64 n_received;
  guint64 n_lost;
  gint64 min;
  gint64 max;
  gint64 sum;
  gint64 due_at; /* the next one */
  GSource *tick;
  GSource *patience; /* with the oldest */
} Pinger;

static void
tell_statistics_json (Pinger *self)
{
  GString *json = hp_tool_events_json ("statistics", self->connection);
  gboolean any = self->n_received > 0;

  hp_tool_json_add_number (json, "sent", self->n_sent);
  hp_tool_json_add_number (json, "received", self->n_received);
  hp_tool_json_add_number (json, "lost", self->n_lost);
  hp_tool_json_add_milliseconds (json, "minimum", any ? self->min : -1);
  hp_tool_json_add_milliseconds (
      json, "average", any ? self->sum / (gint64) self->n_received : -1);
  hp_tool_json_add_milliseconds (json, "maximum", any ? self->max : -1);
  hp_tool_run_print (&self->run, hp_tool_json_finish (json));
}

static void
tell_statistics (Pinger *self)
{
  GString *text;

  if (self->connection == NULL || self->n_sent == 0)
    return;
  if (self->run.options->json)
    {
      tell_statistics_json (self);
      return;
    }
  text = g_string_new (NULL);
  g_string_append_printf (text,
                          "%" G_GUINT64_FORMAT " sent, %" G_GUINT64_FORMAT
                          " answered, %" G_GUINT64_FORMAT " lost",
                          self->n_sent, self->n_received, self->n_lost);
  if (self->n_received > 0)
    {
      g_autofree char *min = hp_tool_text_duration (self->min);
      g_autofree char *average = hp_tool_text_duration (
          self->sum / (gint64) self->n_received);
      g_autofree char *max = hp_tool_text_duration (self->max);

      g_string_append_printf (text, "; min/avg/max %s/%s/%s", min, average,
                              max);
    }
  g_string_append_c (text, '\n');
  hp_tool_run_print (&self->run, g_string_free (text, FALSE));
}

/* Those on their way when a signal comes are not lost; but --count was not
 * reached. */
static void
finish (Pinger *self, gboolean is_stopped)
{
  gboolean is_done = self->n_lost == 0 && (!is_stopped || self->count == 0);

  tell_statistics (self);
  hp_tool_run_end (&self->run, is_done ? EXIT_SUCCESS : EXIT_FAILURE);
}

static void
on_stop (HpToolRun *run, gpointer user_data)
{
  finish (user_data, TRUE);
}

static gboolean
finish_if_done (Pinger *self)
{
  if (self->count == 0 || self->n_sent < (guint64) self->count
      || self->pending.length > 0)
    return FALSE;
  finish (self, FALSE);
  return TRUE;
}

/* Lost ones */

static void
tell_lost (Pinger *self, guint64 sequence)
{
  if (self->run.options->json)
    {
      GString *json = hp_tool_events_json ("lost", self->connection);

      hp_tool_json_add_number (json, "sequence", sequence);
      hp_tool_run_print (&self->run, hp_tool_json_finish (json));
    }
  else
    {
      hp_tool_run_print (&self->run,
                         g_strdup_printf ("no answer to ping %" G_GUINT64_FORMAT
                                          "\n",
                                          sequence));
    }
}

static gboolean on_impatient (gpointer user_data);

static void
arm_patience (Pinger *self)
{
  const Pending *oldest = g_queue_peek_head (&self->pending);

  hp_tool_clear_source (&self->patience);
  if (oldest != NULL && !self->run.is_ending)
    self->patience = hp_tool_add_timeout (
        "hole-punch-patience",
        oldest->sent_at + self->run.options->timeout - g_get_monotonic_time (),
        on_impatient, self);
}

static gboolean
on_impatient (gpointer user_data)
{
  Pinger *self = user_data;
  Pending *oldest = g_queue_pop_head (&self->pending);

  self->n_lost++;
  tell_lost (self, oldest->sequence);
  g_free (oldest);
  if (!finish_if_done (self))
    arm_patience (self);
  return G_SOURCE_REMOVE;
}

/* Pings */

static void
send_ping (Pinger *self)
{
  HpToolRecord ping = {
    .type = HP_TOOL_RECORD_PING,
    .sequence = ++self->n_sent,
    .bytes = self->payload,
    .length = self->size,
  };
  g_autoptr (GBytes) bytes = hp_tool_message_write (&ping);
  Pending *pending = g_new (Pending, 1);

  pending->sequence = ping.sequence;
  pending->sent_at = g_get_monotonic_time ();
  g_queue_push_tail (&self->pending, pending);
  if (self->patience == NULL)
    arm_patience (self);
  /* Where there is no room it is lost, as it is on a full line. */
  hp_connection_send_message_full (self->connection, bytes,
                                   HP_MESSAGE_FLAGS_UNRELIABLE, 0, NULL);
}

/* From the time it was due, so that delays do not add up */
static gboolean
on_tick (gpointer user_data)
{
  Pinger *self = user_data;
  gint64 now = g_get_monotonic_time ();

  hp_tool_clear_source (&self->tick);
  self->due_at = MAX (
      self->due_at + (gint64) (self->interval * G_TIME_SPAN_SECOND), now);
  if (self->count == 0 || self->n_sent + 1 < (guint64) self->count)
    self->tick = hp_tool_add_timeout ("hole-punch-tick", self->due_at - now,
                                      on_tick, self);
  send_ping (self);
  return G_SOURCE_REMOVE;
}

/* Pongs */

static void
tell_pong (Pinger *self, const HpToolRecord *pong, gint64 time)
{
  if (self->run.options->json)
    {
      GString *json = hp_tool_events_json ("pong", self->connection);

      hp_tool_json_add_number (json, "sequence", pong->sequence);
      hp_tool_json_add_milliseconds (json, "milliseconds", time);
      hp_tool_json_add_number (json, "bytes", pong->length);
      hp_tool_run_print (&self->run, hp_tool_json_finish (json));
    }
  else
    {
      g_autofree char *name = hp_tool_events_name (self->connection);
      g_autofree char *duration = hp_tool_text_duration (time);

      hp_tool_run_print (
          &self->run,
          g_strdup_printf ("%" G_GSIZE_FORMAT
                           " bytes from %s: ping %" G_GUINT64_FORMAT ", %s\n",
                           pong->length, name, pong->sequence, duration));
    }
}

static GList *
find_pending (Pinger *self, guint64 sequence)
{
  for (GList *l = self->pending.head; l != NULL; l = l->next)
    {
      if (((Pending *) l->data)->sequence == sequence)
        return l;
    }
  return NULL;
}

/* One that comes twice, or too late, or is not as it was sent, counts for
 * nothing. */
static void
on_pong (Pinger *self, const HpToolRecord *pong)
{
  gint64 now = g_get_monotonic_time ();
  GList *link = find_pending (self, pong->sequence);
  gint64 time;

  if (link == NULL || pong->length != (gsize) self->size
      || memcmp (pong->bytes, self->payload, self->size) != 0)
    return;
  time = now - ((Pending *) link->data)->sent_at;
  g_free (link->data);
  g_queue_delete_link (&self->pending, link);
  self->min = self->n_received == 0 ? time : MIN (self->min, time);
  self->max = MAX (self->max, time);
  self->sum += time;
  self->n_received++;
  tell_pong (self, pong, time);
  if (!finish_if_done (self))
    arm_patience (self);
}

static void
on_message (HpConnection *connection, GBytes *bytes, Pinger *self)
{
  HpToolRecord message;

  if (self->run.is_ending)
    return;
  switch (hp_tool_message_parse (&message, bytes))
    {
    case HP_TOOL_PARSE_OK:
      if (message.type == HP_TOOL_RECORD_PONG)
        on_pong (self, &message);
      break;
    case HP_TOOL_PARSE_PLAIN:
      hp_tool_events_message (&self->run, connection, bytes);
      break;
    case HP_TOOL_PARSE_MALFORMED:
      break;
    }
}

static void
on_closed (HpConnection *connection, const GError *error, Pinger *self)
{
  g_autoptr (GError) own_error = NULL;

  if (self->run.is_ending)
    return;
  own_error = error != NULL
                  ? g_error_copy (error)
                  : g_error_new (G_IO_ERROR, G_IO_ERROR_CLOSED,
                                 "The other side closed the connection");
  tell_statistics (self);
  hp_tool_run_fail (&self->run, own_error);
}

static void
on_called (HpConnection *connection, gpointer user_data)
{
  Pinger *self = user_data;

  self->connection = g_object_ref (connection);
  g_signal_connect (connection, "message-received", G_CALLBACK (on_message),
                    self);
  g_signal_connect (connection, "closed", G_CALLBACK (on_closed), self);
  self->due_at = g_get_monotonic_time ();
  self->tick = hp_tool_add_timeout ("hole-punch-tick", 0, on_tick, self);
}

static void
on_started (HpToolRun *run, gpointer user_data)
{
  Pinger *self = user_data;

  hp_tool_call_begin (&self->call, run, run->options->arguments[0], on_called,
                      self);
}

static void
clear (Pinger *self)
{
  hp_tool_clear_source (&self->tick);
  hp_tool_clear_source (&self->patience);
  hp_tool_call_clear (&self->call);
  if (self->connection != NULL)
    g_signal_handlers_disconnect_by_data (self->connection, self);
  g_clear_object (&self->connection);
  hp_tool_run_clear (&self->run);
  g_queue_clear_full (&self->pending, g_free);
  g_free (self->payload);
}

static int
ping (Pinger *self, const HpToolOptions *options)
{
  int status = EXIT_FAILURE;

  self->payload = g_malloc (MAX (self->size, 1));
  for (int i = 0; i < self->size; i++)
    self->payload[i] = i & 0xff;
  hp_tool_run_init (&self->run, options, EXIT_FAILURE, on_stop, self);
  if (hp_tool_run_make_peer (&self->run, NULL))
    {
      hp_tool_events_watch (&self->run);
      hp_tool_run_start (&self->run, on_started);
      status = hp_tool_run_wait (&self->run);
    }
  clear (self);
  return status;
}

static int
check (const Pinger *self, const HpToolOptions *options)
{
  if (self->count < 0)
    return hp_tool_options_fail (options, "--count must not be below 0");
  if (!(self->interval >= MIN_INTERVAL && self->interval <= MAX_INTERVAL))
    return hp_tool_options_fail (options,
                                 "--interval must be from 0.01 to 3600");
  if (self->size < 0 || self->size > HP_TOOL_PAYLOAD_MAX)
    return hp_tool_options_fail (options, "--size must be from 0 to %d",
                                 HP_TOOL_PAYLOAD_MAX);
  return -1;
}

int
hp_tool_ping (int argc, char **argv)
{
  Pinger self = {
    .count = DEFAULT_COUNT,
    .interval = DEFAULT_INTERVAL,
    .size = DEFAULT_SIZE,
  };
  const GOptionEntry entries[] = {
    { "count", 'c', 0, G_OPTION_ARG_INT, &self.count,
      "How many pings; 0: until it is ended (4)", "NUMBER" },
    { "interval", 'n', 0, G_OPTION_ARG_DOUBLE, &self.interval,
      "From one ping to the next (1)", "SECONDS" },
    { "size", 's', 0, G_OPTION_ARG_INT, &self.size,
      "How many bytes a ping carries (56)", "BYTES" },
    G_OPTION_ENTRY_NULL,
  };
  HpToolOptions options = {
    .command = "ping",
    .parameters = "ID",
    .summary = "Measures how long messages to “hole-punch listen” take there "
               "and back.\nID may also be a fingerprint, or id@fingerprint.",
    .entries = entries,
    .min_arguments = 1,
    .max_arguments = 1,
    .is_peer = TRUE,
  };
  int status = hp_tool_options_parse (&options, argc, argv);

  if (status == -1)
    status = check (&self, &options);
  if (status == -1)
    status = ping (&self, &options);
  hp_tool_options_clear (&options);
  return status;
}
