/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-send-queue.h"

#include <string.h>

#define ROOM 1000

typedef struct
{
  HpSendQueue queue;
  GString *told; /* "d8 f16:1 ": delivered 8; failed 16, as the enum has it */
} Fixture;

static void
on_delivered (gpointer user_data, guint64 handle)
{
  Fixture *self = user_data;

  g_string_append_printf (self->told, "d%" G_GUINT64_FORMAT " ", handle);
}

static void
on_failed (gpointer user_data, guint64 handle, HpSendFailure failure)
{
  Fixture *self = user_data;

  g_string_append_printf (self->told, "f%" G_GUINT64_FORMAT ":%d ", handle,
                          failure);
}

static const HpSendObserver observer = {
  .delivered = on_delivered,
  .failed = on_failed,
};

static void
set_up (Fixture *self, gconstpointer data)
{
  hp_send_queue_init (&self->queue, &observer, self);
  self->told = g_string_new (NULL);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  hp_send_queue_clear (&self->queue);
  g_string_free (self->told, TRUE);
}

static void
assert_told (Fixture *self, const char *expected)
{
  g_assert_cmpstr (self->told->str, ==, expected);
  g_string_truncate (self->told, 0);
}

static void
start (Fixture *self, guint64 max_data, guint64 max_message_size)
{
  HpParameters theirs = HP_PARAMETERS_INIT;

  theirs.max_data = max_data;
  theirs.max_message_size = max_message_size;
  hp_send_queue_start (&self->queue, &theirs);
}

static guint64
add (Fixture *self, HpStreamKind kind, gsize size, gint64 expires_at)
{
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (size), size);

  return hp_send_queue_add (&self->queue, kind, bytes, expires_at);
}

/* The next chunk, as a packet of its own; FALSE: there is none */
static gboolean
next (Fixture *self, HpSendChunk *chunk)
{
  if (!hp_send_queue_next_chunk (&self->queue, ROOM, chunk))
    return FALSE;
  hp_send_stream_ref (chunk->stream);
  hp_send_queue_chunk_sent (&self->queue, chunk,
                            chunk->end - chunk->start + 8);
  return TRUE;
}

static void
acked (Fixture *self, const HpSendChunk *chunk)
{
  hp_send_queue_chunk_acked (&self->queue, chunk->stream, chunk->start,
                             chunk->end);
}

static void
lost (Fixture *self, const HpSendChunk *chunk)
{
  hp_send_queue_chunk_lost (&self->queue, chunk->stream, chunk->start,
                            chunk->end);
}

static void
forget (const HpSendChunk *chunk)
{
  hp_send_stream_unref (chunk->stream);
}

/* Sends all that may be sent, all of it is acknowledged; how many chunks */
static guint
flush (Fixture *self)
{
  HpSendChunk chunk;
  guint n = 0;

  for (; next (self, &chunk); n++)
    {
      acked (self, &chunk);
      forget (&chunk);
    }
  return n;
}

static void
test_split (Fixture *self, gconstpointer data)
{
  HpSendChunk chunks[3];

  g_assert_cmpuint (add (self, HP_STREAM_ORDERED, 2500, 0), ==, 0);
  g_assert_false (next (self, &chunks[0])); /* not started */
  start (self, 1 << 20, 1 << 20);
  for (guint i = 0; i < 3; i++)
    g_assert_true (next (self, &chunks[i]));
  g_assert_false (hp_send_queue_has_more (&self->queue));
  g_assert_cmpuint (chunks[0].start, ==, 0);
  g_assert_cmpuint (chunks[1].start, ==, chunks[0].end);
  g_assert_cmpuint (chunks[2].start, ==, chunks[1].end);
  g_assert_false (chunks[1].fin);
  g_assert_true (chunks[2].fin);
  g_assert_cmpuint (chunks[2].end, ==, 2501);

  acked (self, &chunks[2]);
  acked (self, &chunks[0]);
  acked (self, &chunks[0]);
  g_assert_cmpuint (self->queue.queued_bytes, ==,
                    chunks[1].end - chunks[1].start);
  assert_told (self, "");
  acked (self, &chunks[1]);
  assert_told (self, "d0 ");
  acked (self, &chunks[1]);
  lost (self, &chunks[1]);
  assert_told (self, "");
  g_assert_cmpuint (self->queue.queued_bytes, ==, 0);
  for (guint i = 0; i < 3; i++)
    forget (&chunks[i]);
}

static void
test_resend (Fixture *self, gconstpointer data)
{
  HpSendChunk first;
  HpSendChunk second;
  HpSendChunk again;

  start (self, 1 << 20, 1 << 20);
  add (self, HP_STREAM_UNORDERED, 1500, 0);
  g_assert_true (next (self, &first));
  g_assert_true (next (self, &second));
  add (self, HP_STREAM_UNORDERED, 500, 0);
  lost (self, &first);
  lost (self, &first);
  /* Before anything new, and cut as it fits now */
  g_assert_true (hp_send_queue_next_chunk (&self->queue, 300, &again));
  g_assert_true (again.is_lost);
  g_assert_cmpuint (again.start, ==, 0);
  g_assert_cmpuint (again.end, <, 300);
  g_assert_true (next (self, &again));
  g_assert_cmpuint (again.end, ==, first.end);
  /* The first copy comes late: what was lost of it is not any more. */
  lost (self, &again);
  acked (self, &first);
  acked (self, &second);
  assert_told (self, "d1 ");
  forget (&first);
  forget (&second);
  forget (&again);
  g_assert_cmpuint (flush (self), ==, 1);
  assert_told (self, "d9 ");
}

/* Of two copies one arrived: what that was is not lost with the other. */
static void
test_lost_copy (Fixture *self, gconstpointer data)
{
  HpSendChunk first;
  HpSendChunk copy;

  start (self, 1 << 20, 1 << 20);
  add (self, HP_STREAM_UNORDERED, 5000, 0);
  g_assert_true (next (self, &first));
  hp_send_queue_chunk_probe (&self->queue, first.stream, first.start,
                             first.end);
  g_assert_true (hp_send_queue_next_chunk (&self->queue, 300, &copy));
  hp_send_stream_ref (copy.stream);
  hp_send_queue_chunk_sent (&self->queue, &copy, 300);
  acked (self, &copy);
  lost (self, &first);
  g_assert_cmpuint (first.stream->lost.n_ranges, ==, 1);
  g_assert_cmpuint (first.stream->lost.ranges[0].start, ==, copy.end);
  g_assert_cmpuint (first.stream->lost.ranges[0].end, ==, first.end);
  forget (&first);
  forget (&copy);
  flush (self);
  assert_told (self, "d1 ");
}

static void
test_empty (Fixture *self, gconstpointer data)
{
  HpSendChunk chunk;
  HpSendChunk again;

  start (self, 257, 0);
  add (self, HP_STREAM_ORDERED, 0, 0);
  g_assert_true (next (self, &chunk));
  g_assert_true (chunk.fin);
  g_assert_cmpuint (chunk.end, ==, 1);
  lost (self, &chunk);
  g_assert_true (next (self, &again));
  g_assert_true (again.fin);
  g_assert_cmpuint (again.end, ==, 1);
  acked (self, &again);
  assert_told (self, "d0 ");
  forget (&chunk);
  forget (&again);
}

static void
test_unreliable (Fixture *self, gconstpointer data)
{
  HpSendChunk chunk;
  HpSendStream *reset;

  start (self, 1 << 20, 1 << 20);
  add (self, HP_STREAM_UNRELIABLE, 1500, 0);
  g_assert_true (next (self, &chunk));
  /* A timeout does not send it again; a loss ends it. */
  hp_send_queue_chunk_probe (&self->queue, chunk.stream, chunk.start,
                             chunk.end);
  g_assert_cmpuint (self->queue.lost.length, ==, 0);
  lost (self, &chunk);
  assert_told (self, "f2:0 ");
  lost (self, &chunk);
  acked (self, &chunk);
  assert_told (self, "");
  g_assert_cmpuint (flush (self), ==, 0);
  reset = hp_send_queue_next_reset (&self->queue);
  g_assert_nonnull (reset);
  g_assert_cmpuint (reset->final_size, ==, chunk.end);
  g_assert_cmpuint (reset->reset_code, ==, HP_RESET_EXPIRED);
  hp_send_queue_reset_sent (&self->queue, reset);
  g_assert_null (hp_send_queue_next_reset (&self->queue));
  hp_send_queue_reset_lost (&self->queue, reset);
  g_assert_true (hp_send_queue_next_reset (&self->queue) == reset);
  hp_send_queue_reset_acked (&self->queue, reset);
  g_assert_null (hp_send_queue_next_reset (&self->queue));
  g_assert_cmpuint (hp_send_queue_get_n_streams (&self->queue), ==, 0);
  g_assert_cmpuint (self->queue.schedule.used, ==, 257 + chunk.end);
  forget (&chunk);
}

static void
test_expiry (Fixture *self, gconstpointer data)
{
  add (self, HP_STREAM_UNRELIABLE, 10, 300);
  add (self, HP_STREAM_UNRELIABLE, 10, 100);
  add (self, HP_STREAM_UNRELIABLE, 10, 100);
  add (self, HP_STREAM_UNRELIABLE, 10, 0);
  add (self, HP_STREAM_ORDERED, 10, 50); /* has no lifetime */
  g_assert_cmpint (hp_send_queue_get_expiry (&self->queue), ==, 100);
  hp_send_queue_expire (&self->queue, 99);
  assert_told (self, "");
  hp_send_queue_expire (&self->queue, 100);
  assert_told (self, "f10:0 f18:0 ");
  g_assert_cmpint (hp_send_queue_get_expiry (&self->queue), ==, 300);
  start (self, 1 << 20, 1 << 20);
  /* Those that were never opened are as if they had never been. */
  g_assert_cmpuint (flush (self), ==, 3);
  g_assert_cmpuint (self->queue.schedule.used, ==, 3 * 267);
  g_assert_cmpint (hp_send_queue_get_expiry (&self->queue), ==, G_MAXINT64);
  g_string_truncate (self->told, 0);
  hp_send_queue_expire (&self->queue, 1000);
  assert_told (self, "");
}

static void
test_cancel (Fixture *self, gconstpointer data)
{
  HpSendChunk chunk;

  start (self, 1 << 20, 1 << 20);
  add (self, HP_STREAM_ORDERED, 3000, 0);
  add (self, HP_STREAM_ORDERED, 10, 0);
  g_assert_true (next (self, &chunk));
  hp_send_queue_cancel (&self->queue, 0);
  assert_told (self, "f0:1 ");
  hp_send_queue_cancel (&self->queue, 0);
  hp_send_queue_cancel (&self->queue, 12345);
  acked (self, &chunk);
  assert_told (self, "");
  g_assert_cmpuint (hp_send_queue_next_reset (&self->queue)->final_size, ==,
                    chunk.end);
  forget (&chunk);
  g_assert_cmpuint (flush (self), ==, 1);
  assert_told (self, "d8 ");
  hp_send_queue_cancel (&self->queue, 8);
  assert_told (self, "");
}

static void
test_too_large (Fixture *self, gconstpointer data)
{
  add (self, HP_STREAM_ORDERED, 1001, 0);
  add (self, HP_STREAM_UNORDERED, 1000, 0);
  add (self, HP_STREAM_UNRELIABLE, 70000, 0);
  start (self, 1 << 20, 1000);
  assert_told (self, "f0:2 f18:2 ");
  add (self, HP_STREAM_ORDERED, 1001, 0);
  assert_told (self, "f24:2 ");
  g_assert_cmpuint (self->queue.queued_bytes, ==, 1000);
  g_assert_cmpuint (flush (self), ==, 2);
  assert_told (self, "d9 ");
}

static void
test_stop (Fixture *self, gconstpointer data)
{
  HpSendChunk chunk;

  start (self, 1 << 20, 1 << 20);
  /* Never opened, no message, nobody's number */
  g_assert_false (hp_send_queue_receive_stop (&self->queue, 0, 0));
  g_assert_false (hp_send_queue_receive_stop (&self->queue, 3, 0));
  add (self, HP_STREAM_ORDERED, 100000, 0);
  add (self, HP_STREAM_ORDERED, 10, 0);
  g_assert_true (next (self, &chunk));
  g_assert_false (hp_send_queue_receive_stop (&self->queue, 4, 0));
  g_assert_false (hp_send_queue_receive_stop (&self->queue, 16, 0));
  g_assert_true (hp_send_queue_receive_stop (&self->queue, 0,
                                             HP_RESET_TOO_LARGE));
  assert_told (self, "f0:2 ");
  g_assert_true (hp_send_queue_receive_stop (&self->queue, 0, 0));
  forget (&chunk);
  flush (self);
  assert_told (self, "d8 ");
  g_assert_true (hp_send_queue_receive_stop (&self->queue, 8, 0));
  assert_told (self, "");
}

static void
test_grant (Fixture *self, gconstpointer data)
{
  guint first;

  start (self, 1 << 20, 1 << 20);
  add (self, HP_STREAM_ORDERED, 200000, 0);
  first = flush (self);
  g_assert_cmpuint (self->queue.queued_bytes, ==, 200000 - 65536);
  g_assert_true (hp_send_queue_receive_max (&self->queue, 0, 65536));
  g_assert_cmpuint (flush (self), ==, 0);
  g_assert_true (hp_send_queue_receive_max (&self->queue, 0, 65537));
  g_assert_cmpuint (flush (self), ==, 1);
  g_assert_true (hp_send_queue_receive_max (&self->queue, 0, 200000));
  g_assert_cmpuint (flush (self), >, first);
  assert_told (self, "d0 ");
  g_assert_true (hp_send_queue_receive_max (&self->queue, 0, 300000));
  g_assert_false (hp_send_queue_receive_max (&self->queue, 8, 300000));
  g_assert_false (hp_send_queue_receive_max (&self->queue, 1, 300000));
}

/* Opening waits for all that the message needs, and in line. */
static void
test_credit (Fixture *self, gconstpointer data)
{
  HpSendSchedule *schedule = &self->queue.schedule;

  start (self, 66000, 1 << 20);
  add (self, HP_STREAM_ORDERED, 60000, 0);
  add (self, HP_STREAM_ORDERED, 50000, 0);
  g_assert_cmpuint (schedule->used, ==, 60257);
  flush (self);
  assert_told (self, "d0 ");
  /* 5,743 are left: enough for this one, but it comes later. */
  add (self, HP_STREAM_UNORDERED, 10, 0);
  g_assert_cmpuint (flush (self), ==, 0);
  hp_send_schedule_raise_max_data (schedule, 110513);
  g_assert_cmpuint (flush (self), ==, 0);
  hp_send_schedule_raise_max_data (schedule, 110514);
  g_assert_cmpuint (flush (self), >, 50);
  assert_told (self, "d8 ");
  hp_send_schedule_raise_max_data (schedule, 110514 + 267);
  g_assert_cmpuint (flush (self), ==, 1);
  assert_told (self, "d17 ");
  /* Credit is never taken back. */
  hp_send_schedule_raise_max_data (schedule, 5);
  g_assert_cmpuint (schedule->max_data, ==, 110514 + 267);
}

/* A message that gives up its place in the line lets the others through. */
static void
test_credit_cancel (Fixture *self, gconstpointer data)
{
  start (self, 1000, 1 << 20);
  add (self, HP_STREAM_ORDERED, 60000, 0);
  add (self, HP_STREAM_UNORDERED, 10, 0);
  g_assert_cmpuint (flush (self), ==, 0);
  hp_send_queue_cancel (&self->queue, 0);
  assert_told (self, "f0:1 ");
  g_assert_null (hp_send_queue_next_reset (&self->queue));
  g_assert_cmpuint (flush (self), ==, 1);
  assert_told (self, "d9 ");
}

/* Many large ones leave most of the credit to others, and all go in turn. */
static void
test_gate (Fixture *self, gconstpointer data)
{
  HpSendSchedule *schedule = &self->queue.schedule;

  start (self, 1 << 20, 1 << 20);
  for (guint i = 0; i < 20; i++)
    add (self, HP_STREAM_UNORDERED, 100000, 0);
  for (guint i = 0; i < 20; i++)
    add (self, HP_STREAM_ORDERED, i == 0 ? 100000 : 60000, 0);
  flush (self);
  g_assert_cmpuint (schedule->used, <=, (1 << 20) / 4 * 3);
  g_assert_cmpuint (schedule->used, >, (1 << 20) / 2);
  g_string_truncate (self->told, 0);
  add (self, HP_STREAM_UNORDERED, 1000, 0);
  add (self, HP_STREAM_UNRELIABLE, 30000, 0);
  flush (self);
  assert_told (self, "d321 d330 ");

  hp_send_schedule_raise_max_data (schedule, G_MAXUINT64 / 2);
  flush (self);
  /* The small one has a number among them. */
  for (guint i = 0; i < 21; i++)
    {
      g_assert_true (hp_send_queue_receive_max (
          &self->queue, HP_STREAM_NUMBER (i, HP_STREAM_UNORDERED),
          100000));
      flush (self);
    }
  g_assert_true (hp_send_queue_receive_max (&self->queue, 0, 100000));
  flush (self);
  g_assert_cmpuint (self->queue.queued_bytes, ==, 0);
  g_assert_cmpuint (schedule->large_cost, ==, 0);
  g_assert_cmpuint (schedule->ordered_cost, ==, 0);
  g_assert_cmpuint (hp_send_queue_get_n_streams (&self->queue), ==, 0);
}

/* Flows share alike, whatever the sizes of their messages. */
static void
test_turns (Fixture *self, gconstpointer data)
{
  guint64 bytes[3] = { 0 };

  start (self, 64 << 20, 64 << 20);
  add (self, HP_STREAM_ORDERED, 60000, 0);
  for (guint i = 0; i < 1000; i++)
    add (self, HP_STREAM_UNRELIABLE, 90, 0);
  add (self, HP_STREAM_UNORDERED, 65536, 0);
  for (guint i = 0; i < 300; i++)
    {
      HpSendChunk chunk;

      g_assert_true (next (self, &chunk));
      bytes[chunk.stream->kind] += chunk.end - chunk.start;
      forget (&chunk);
    }
  for (guint i = 0; i < 3; i++)
    for (guint j = 0; j < 3; j++)
      g_assert_cmpuint (bytes[i], <, bytes[j] + 2 * 2048);
}

#define ADD(name, function)                                                   \
  g_test_add ("/transport/send-queue/" name, Fixture, NULL, set_up,           \
              function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("split", test_split);
  ADD ("resend", test_resend);
  ADD ("lost-copy", test_lost_copy);
  ADD ("empty", test_empty);
  ADD ("unreliable", test_unreliable);
  ADD ("expiry", test_expiry);
  ADD ("cancel", test_cancel);
  ADD ("too-large", test_too_large);
  ADD ("stop", test_stop);
  ADD ("grant", test_grant);
  ADD ("credit", test_credit);
  ADD ("credit-cancel", test_credit_cancel);
  ADD ("gate", test_gate);
  ADD ("turns", test_turns);
  return g_test_run ();
}
