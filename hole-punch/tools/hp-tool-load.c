/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-load.h"

#include <sys/resource.h>

#define PIECE_SIZE (256 * 1024)
#define TICK G_TIME_SPAN_SECOND

/* A stream with one operation on it, whose callback is all that frees it */
typedef struct
{
  HpToolLoad *load; /* NULL: cleared */
  HpToolRun *run;
  GCancellable *cancellable;
  HpStream *stream;
  guint8 *piece;
} Pump;

static void pump (Pump *self);

/* Time */

static void
tell_tick (HpToolLoad *self, gint64 now)
{
  gint64 time = now - self->ticked_at;
  guint64 bytes = self->bytes - self->ticked_bytes;

  self->ticked_at = now;
  self->ticked_bytes = self->bytes;
  if (self->tick != NULL && time > 0)
    self->tick (time, bytes, self->user_data);
}

static void
end (HpToolLoad *self, gint64 now)
{
  if (self->ended_at != 0)
    return;
  hp_tool_clear_source (&self->timer);
  self->ended_at = now;
  if (!self->is_sender)
    tell_tick (self, now);
  self->ended (self->user_data);
}

static void arm_timer (HpToolLoad *self, gint64 now);

static gboolean
on_timer (gpointer user_data)
{
  HpToolLoad *self = user_data;
  gint64 now = g_get_monotonic_time ();

  hp_tool_clear_source (&self->timer);
  if (now - self->began_at >= self->duration)
    {
      end (self, now);
    }
  else
    {
      tell_tick (self, now);
      arm_timer (self, now);
    }
  return G_SOURCE_REMOVE;
}

/* Ticks are due at whole seconds, so that delays do not add up. */
static void
arm_timer (HpToolLoad *self, gint64 now)
{
  gint64 elapsed = now - self->began_at;
  gint64 due = self->duration;

  if (!self->is_sender)
    due = MIN (due, (elapsed / TICK + 1) * TICK);
  self->timer = hp_tool_add_timeout ("hole-punch-load", due - elapsed, on_timer,
                                     self);
}

static void
begin (HpToolLoad *self)
{
  self->began_at = g_get_monotonic_time ();
  self->ticked_at = self->began_at;
  arm_timer (self, self->began_at);
}

/* Streams */

static void
free_pump (Pump *self)
{
  hp_tool_run_release (self->run);
  /* Not closed: what is still queued shall not come any more. */
  g_object_unref (self->stream);
  g_object_unref (self->cancellable);
  g_free (self->piece);
  g_free (self);
}

/* Its stream has ended, or the test has. */
static void
on_over (Pump *self)
{
  HpToolLoad *load = self->load;

  free_pump (self);
  if (load == NULL)
    return;
  load->n_over++;
  if (load->n_over == load->n_streams)
    end (load, g_get_monotonic_time ());
}

static void
on_filled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Pump *self = user_data;
  gssize length = g_output_stream_write_finish (G_OUTPUT_STREAM (source),
                                                result, NULL);

  if (g_cancellable_is_cancelled (self->cancellable))
    self->load = NULL;
  if (length <= 0 || self->load == NULL || self->load->ended_at != 0)
    {
      on_over (self);
      return;
    }
  self->load->bytes += length;
  pump (self);
}

static void
on_emptied (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Pump *self = user_data;
  gssize length = g_input_stream_read_finish (G_INPUT_STREAM (source), result,
                                              NULL);

  if (g_cancellable_is_cancelled (self->cancellable))
    self->load = NULL;
  if (length <= 0 || self->load == NULL || self->load->ended_at != 0)
    {
      on_over (self);
      return;
    }
  if (self->load->began_at == 0)
    begin (self->load);
  self->load->bytes += length;
  pump (self);
}

static void
pump (Pump *self)
{
  GIOStream *stream = G_IO_STREAM (self->stream);

  if (self->load->is_sender)
    g_output_stream_write_async (g_io_stream_get_output_stream (stream),
                                 self->piece, PIECE_SIZE, G_PRIORITY_DEFAULT,
                                 self->cancellable, on_filled, self);
  else
    g_input_stream_read_async (g_io_stream_get_input_stream (stream),
                               self->piece, PIECE_SIZE, G_PRIORITY_DEFAULT,
                               self->cancellable, on_emptied, self);
}

void
hp_tool_load_add (HpToolLoad *self, HpStream *stream)
{
  Pump *added;

  if (self->n_added == self->n_streams || self->ended_at != 0)
    return;
  self->n_added++;
  added = g_new (Pump, 1);
  *added = (Pump){
    .load = self,
    .run = self->run,
    .cancellable = g_object_ref (self->cancellable),
    .stream = g_object_ref (stream),
    .piece = g_malloc0 (PIECE_SIZE),
  };
  hp_tool_run_hold (self->run);
  if (self->is_sender && self->began_at == 0)
    begin (self);
  pump (added);
}

void
hp_tool_load_init (HpToolLoad *self, HpToolRun *run, gboolean is_sender,
                   guint n_streams, gint64 duration, gpointer user_data)
{
  *self = (HpToolLoad){
    .run = run,
    .is_sender = is_sender,
    .n_streams = n_streams,
    .duration = duration,
    .user_data = user_data,
    .cancellable = g_cancellable_new (),
  };
}

void
hp_tool_load_clear (HpToolLoad *self)
{
  hp_tool_clear_source (&self->timer);
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
}

/* Reports */

static gint64
get_cpu_time (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * G_TIME_SPAN_SECOND
         + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

void
hp_tool_load_count (HpConnection *connection, HpToolReport *report)
{
  g_autoptr (HpStatistics)
      statistics = hp_connection_get_statistics (connection);

  *report = (HpToolReport){
    .cpu = get_cpu_time (),
    .datagrams_sent = hp_statistics_get_datagrams_sent (statistics),
    .datagrams_lost = hp_statistics_get_datagrams_lost (statistics),
    .datagram_size = hp_connection_get_datagram_size (connection),
  };
}

void
hp_tool_load_report (const HpToolLoad *self, HpConnection *connection,
                     const HpToolReport *began, HpToolReport *report)
{
  gint64 ended_at = self->ended_at != 0 ? self->ended_at
                                        : g_get_monotonic_time ();

  hp_tool_load_count (connection, report);
  report->cpu -= began->cpu;
  report->datagrams_sent -= began->datagrams_sent;
  report->datagrams_lost -= began->datagrams_lost;
  report->bytes = self->bytes;
  report->microseconds = self->began_at != 0 ? ended_at - self->began_at : 0;
}
