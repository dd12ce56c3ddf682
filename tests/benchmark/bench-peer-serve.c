/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "bench-peer.h"

#include <glib-unix.h>

typedef struct
{
  const BenchOptions *options;
  GMainLoop *loop;
  HpPeer *peer;
} Server;

static void
count_begin (BenchCount *self)
{
  *self = (BenchCount) {
    .begin = g_get_monotonic_time (),
    .last = g_get_monotonic_time (),
    .cpu = bench_get_cpu_seconds (),
  };
  bench_reset_turns ();
}

BenchCount *
bench_get_count (HpConnection *connection)
{
  BenchCount *count = g_object_get_data (G_OBJECT (connection), "count");

  if (count == NULL)
    {
      count = g_new (BenchCount, 1);
      count_begin (count);
      g_object_set_data_full (G_OBJECT (connection), "count", count, g_free);
    }
  return count;
}

void
bench_count_bulk (BenchCount *self, gsize size)
{
  /* Not for small messages, whose round trips it would lengthen */
  bench_watch_turns ();
  self->bytes += size;
  self->messages++;
  self->last = g_get_monotonic_time ();
  if (self->bytes >= BENCH_MIB && self->first == 0)
    self->first = self->last;
}

static void
answer (HpConnection *connection, GBytes *message)
{
  g_autoptr (GError) error = NULL;

  if (!hp_connection_send_message_full (connection, message,
                                        HP_MESSAGE_FLAGS_UNORDERED, 0, &error))
    g_warning ("an answer was not sent: %s", error->message);
}

static void
report (Server *self, HpConnection *connection, BenchCount *count)
{
  gint64 now = g_get_monotonic_time ();
  g_autofree char *figures = NULL;
  g_autofree char *text = NULL;
  g_autoptr (GBytes) message = NULL;
  BenchJson json;

  bench_json_begin (&json);
  bench_json_add_number (&json, "bytes", count->bytes);
  bench_json_add_number (&json, "messages", count->messages);
  bench_json_add_number (&json, "seconds", (now - count->begin) / 1e6);
  if (count->first != 0)
    bench_json_add_number (&json, "seconds_to_first",
                           (count->first - count->begin) / 1e6);
  bench_json_add_number (&json, "seconds_to_last",
                         (count->last - count->begin) / 1e6);
  bench_peer_add_figures (&json, connection,
                          bench_get_cpu_seconds () - count->cpu);
  bench_json_add_number (
      &json, "connections",
      g_list_model_get_n_items (hp_peer_get_connections (self->peer)));
  bench_json_add_number (&json, "sources", bench_count_sources (NULL));
  bench_json_add_number (&json, "private_bytes", bench_get_private_memory ());
  bench_json_add_number (&json, "process_cpu_seconds",
                         bench_get_cpu_seconds ());
  figures = bench_json_end (&json);
  text = g_strdup_printf ("%c%s", BENCH_REPORT, figures);
  message = g_bytes_new (text, strlen (text));
  answer (connection, message);
}

static void
on_message (HpPeer *peer, HpConnection *connection, GBytes *message,
            gpointer user_data)
{
  BenchCount *count = bench_get_count (connection);
  gsize size;
  const char *bytes = g_bytes_get_data (message, &size);

  switch (size > 0 ? bytes[0] : 0)
    {
    case BENCH_BEGIN:
      count_begin (count);
      answer (connection, message);
      break;
    case BENCH_BULK:
      bench_count_bulk (count, size);
      break;
    case BENCH_PING:
      answer (connection, message);
      break;
    case BENCH_REPORT:
      report (user_data, connection, count);
      break;
    default:
      g_error ("a message that the benchmark does not send");
    }
}

static void
on_stream_opened (HpPeer *peer, HpConnection *connection, HpStream *stream,
                  gpointer user_data)
{
  bench_read_stream (connection, stream);
}

static void
on_closed (HpPeer *peer, HpConnection *connection, gpointer user_data)
{
  Server *self = user_data;

  if (self->options->once)
    g_main_loop_quit (self->loop);
}

static void
on_started (GObject *peer, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  HpIdentity *identity = hp_peer_get_identity (HP_PEER (peer));
  GSocketAddress *address;

  if (!hp_peer_start_finish (HP_PEER (peer), result, &error))
    g_error ("%s", error->message);
  address = hp_peer_get_local_address (HP_PEER (peer));
  bench_print_ready (
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)),
      hp_identity_get_fingerprint (identity));
}

static gboolean
on_signal (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_CONTINUE;
}

void
bench_serve (const BenchOptions *options)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (HpPeer) peer = bench_peer_new (options);
  Server self = { options, loop, peer };

  bench_raise_descriptor_limit ();
  g_unix_signal_add (SIGTERM, on_signal, loop);
  g_unix_signal_add (SIGINT, on_signal, loop);
  g_signal_connect (peer, "message-received", G_CALLBACK (on_message), &self);
  g_signal_connect (peer, "stream-opened", G_CALLBACK (on_stream_opened), NULL);
  g_signal_connect (peer, "connection-closed", G_CALLBACK (on_closed), &self);
  hp_peer_start_async (peer, NULL, on_started, NULL);
  g_main_loop_run (loop);
}
