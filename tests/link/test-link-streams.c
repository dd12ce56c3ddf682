/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Byte streams of a link: both sides open them, whoever called, and they go on
 * over whatever path there is.
 */

#include "link-pair.h"

#include <string.h>

#define LENGTH 400000
#define N_STREAMS 3 /* of each side */

/* One node's view of a stream */
typedef struct
{
  guint64 number;
  guint64 n_read;
  guint64 n_acked;
  gboolean is_at_end;
  gboolean is_sent;
  gboolean has_ended;
} Seen;

typedef struct
{
  Seen streams[2 * N_STREAMS];
  guint n_streams;
  gboolean is_away; /* does not read */
} View;

typedef struct
{
  Pair *pair;
  View views[2];
} Fixture;

static Seen *
find (View *view, guint64 number)
{
  for (guint i = 0; i < view->n_streams; i++)
    if (view->streams[i].number == number)
      return &view->streams[i];
  return NULL;
}

static guint8
byte_at (const Node *writer, guint64 number, guint64 offset)
{
  return (offset * 31 + number * 7 + writer->name[0]) ^ (offset >> 8);
}

/* All there is to say, in pieces of odd sizes */
static void
begin (Node *node, guint64 number)
{
  HpTransport *transport = hp_link_get_stream_transport (node->link);
  View *view = node->user_data;
  gint64 now = node->pair->world->now;

  g_assert_cmpuint (view->n_streams, <, 2 * N_STREAMS);
  view->streams[view->n_streams++].number = number;
  for (guint64 at = 0; at < LENGTH;)
    {
      gsize size = MIN (1 + at * 7 % 30000, LENGTH - at);
      guint8 *bytes = g_malloc (size);
      g_autoptr (GBytes) piece = g_bytes_new_take (bytes, size);

      for (gsize i = 0; i < size; i++)
        bytes[i] = byte_at (node, number, at + i);
      hp_transport_stream_write (transport, number, piece, now);
      at += size;
    }
  hp_transport_stream_finish (transport, number, now);
}

static void
read_all (Node *node, Seen *seen)
{
  HpTransport *transport = hp_link_get_stream_transport (node->link);
  const Node *writer = pair_get_other (node->pair, node);
  gboolean at_end;
  GBytes *bytes;

  while ((bytes = hp_transport_stream_read (transport, seen->number, &at_end)))
    {
      gsize size;
      const guint8 *data = g_bytes_get_data (bytes, &size);

      for (gsize i = 0; i < size; i++)
        g_assert_cmpint (data[i], ==,
                         byte_at (writer, seen->number, seen->n_read + i));
      seen->n_read += size;
      hp_transport_stream_consume (transport, seen->number, size,
                                   node->pair->world->now);
      g_bytes_unref (bytes);
    }
  seen->is_at_end = at_end;
}

static void
on_stream (Node *node, const HpTransportEvent *event)
{
  View *view = node->user_data;
  Seen *seen = find (view, event->stream);

  if (event->type == HP_TRANSPORT_EVENT_STREAM_OPENED)
    {
      g_assert_null (seen);
      begin (node, event->stream);
      return;
    }
  g_assert_nonnull (seen);
  if (event->type == HP_TRANSPORT_EVENT_STREAM_READABLE)
    {
      if (!view->is_away)
        read_all (node, seen);
    }
  else if (event->type == HP_TRANSPORT_EVENT_STREAM_ACKED)
    seen->n_acked += event->length;
  else if (event->type == HP_TRANSPORT_EVENT_STREAM_SENT)
    seen->is_sent = TRUE;
  else if (event->type == HP_TRANSPORT_EVENT_STREAM_ENDED)
    seen->has_ended = TRUE;
  else
    g_assert_not_reached ();
}

static void
set_up (Fixture *self, gconstpointer data)
{
  self->pair = pair_new (11, SIM_PORT_RESTRICTED, SIM_FULL_CONE);
  self->pair->a.on_stream = self->pair->b.on_stream = on_stream;
  self->pair->a.user_data = &self->views[0];
  self->pair->b.user_data = &self->views[1];
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  pair_free (self->pair);
}

static void
open_some (Node *node)
{
  HpTransport *transport = hp_link_get_stream_transport (node->link);

  for (guint i = 0; i < N_STREAMS; i++)
    begin (node,
           hp_transport_open_stream (transport, node->pair->world->now));
  node_pump (node);
}

static gboolean
is_over (const View *view)
{
  for (guint i = 0; i < view->n_streams; i++)
    if (!view->streams[i].has_ended)
      return FALSE;
  return view->n_streams == 2 * N_STREAMS;
}

static void
run_until_over (Fixture *self, gint64 time)
{
  gint64 until = self->pair->world->now + time;

  while (self->pair->world->now < until
         && !(is_over (&self->views[0]) && is_over (&self->views[1])))
    pair_run_for (self->pair, 10 * MS);
  for (guint i = 0; i < 2; i++)
    {
      g_assert_true (is_over (&self->views[i]));
      for (guint j = 0; j < 2 * N_STREAMS; j++)
        {
          const Seen *seen = &self->views[i].streams[j];

          g_assert_true (seen->is_at_end && seen->is_sent);
          g_assert_cmpuint (seen->n_read, ==, LENGTH);
          g_assert_cmpuint (seen->n_acked, ==, LENGTH);
        }
    }
}

static void
connect_as (Fixture *self, Node *caller)
{
  g_assert_null (hp_link_get_stream_transport (caller->link));
  pair_introduce (self->pair, caller, NULL);
  g_assert_true (pair_run_until_ready (self->pair, 10 * SECOND));
}

/* Both open theirs at once, and neither takes the other's for its own. */
static void
test_both_ways (Fixture *self, gconstpointer data)
{
  connect_as (self, data != NULL ? &self->pair->b : &self->pair->a);
  open_some (&self->pair->a);
  open_some (&self->pair->b);
  run_until_over (self, 60 * SECOND);
}

/* Each of them initiates, and one of the handshakes gives way. */
static void
test_simultaneous (Fixture *self, gconstpointer data)
{
  pair_introduce (self->pair, &self->pair->a, NULL);
  pair_introduce (self->pair, &self->pair->b, NULL);
  g_assert_true (pair_run_until_ready (self->pair, 10 * SECOND));
  open_some (&self->pair->a);
  open_some (&self->pair->b);
  run_until_over (self, 60 * SECOND);
}

/* The host moves to another network in the middle, after that its NAT forgets
 * all, and a new introduction has to find it. */
static void
test_path_change (Fixture *self, gconstpointer data)
{
  Pair *pair = self->pair;
  SimNat *elsewhere;

  connect_as (self, &pair->a);
  open_some (&pair->a);
  open_some (&pair->b);
  pair_run_for (pair, 150 * MS);
  g_assert_false (is_over (&self->views[0]));
  elsewhere = sim_world_add_nat (pair->world, SIM_FULL_CONE, FALSE,
                                 "203.0.113.77:0");
  sim_host_move (pair->a.host, elsewhere, "192.168.77.9:4222");
  hp_link_check_paths (pair->a.link, FALSE, pair->world->now);
  node_pump (&pair->a);
  pair_run_for (pair, 200 * MS);
  g_assert_false (is_over (&self->views[0]));
  sim_nat_flush (pair->nat_b, pair->world, TRUE);
  sim_nat_flush (elsewhere, pair->world, TRUE);
  pair_run_for (pair, 3 * SECOND);
  pair_introduce (pair, &pair->a, NULL);
  run_until_over (self, 120 * SECOND);
  g_assert_cmpuint (pair->a.n_confirmed, ==, 1);
  g_assert_cmpuint (pair->a.n_ready, ==, 1);
  g_assert_cmpuint (pair->a.n_closed, ==, 0);
}

/* What had come before the end can be read after it; nothing else happens. */
static void
test_closed (Fixture *self, gconstpointer data)
{
  Pair *pair = self->pair;
  View *view = &self->views[1];
  g_autoptr (GBytes) bytes = g_bytes_new_static ("x", 1);
  HpTransport *transport;

  view->is_away = TRUE;
  connect_as (self, &pair->a);
  open_some (&pair->a);
  pair_run_for (pair, 5 * SECOND);
  hp_link_close (pair->a.link, HP_CLOSE_NORMAL, "", pair->world->now);
  node_pump (&pair->a);
  pair_run_for (pair, 5 * SECOND);
  g_assert_cmpuint (pair->b.n_closed, ==, 1);

  transport = hp_link_get_stream_transport (pair->b.link);
  for (guint i = 0; i < N_STREAMS; i++)
    {
      read_all (&pair->b, &view->streams[i]);
      /* The window that nobody has moved on */
      g_assert_cmpuint (view->streams[i].n_read, ==, 16384);
      g_assert_false (view->streams[i].is_at_end);
      hp_transport_stream_write (transport, view->streams[i].number, bytes,
                                 pair->world->now);
    }
  pair->b.n_pulled = 0;
  node_pump (&pair->b);
  pair_run_for (pair, 60 * SECOND);
  g_assert_cmpuint (pair->b.n_pulled, ==, 0);
}

#define ADD(name, data, function)                                             \
  g_test_add ("/link-streams/" name, Fixture, data, set_up, function,         \
              tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("both-ways/initiator-first", NULL, test_both_ways);
  ADD ("both-ways/responder-first", "b", test_both_ways);
  ADD ("simultaneous", NULL, test_simultaneous);
  ADD ("path-change", NULL, test_path_change);
  ADD ("closed", NULL, test_closed);
  return g_test_run ();
}
