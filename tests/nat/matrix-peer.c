/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One end of a pair in the matrix of NATs, for matrix.py. Reads lines, writes
 * lines:
 *
 *   ◂ started                 the match server has let us in
 *   ◂ nat MAPPING ALLOCATION FILTERING  what our NAT is taken for
 *   ▸ connect ID              the clock starts
 *   ◂ usable MS PATH          connect_async () has completed
 *   ◂ echo MS                 a message has gone there and come back
 *   ◂ path MS PATH            another path is used
 *   ◂ failed MS WHY
 *   ▸ end of file             leave
 *
 * Messages that come in are sent back.
 */

#include <gio/gunixinputstream.h>
#include <hole-punch/hole-punch.h>
#include <stdio.h>
#include <string.h>

typedef struct
{
  HpPeer *peer;
  GMainLoop *loop;
  HpConnection *called; /* by us */
  gint64 asked_at;
} MatrixPeer;

static double
get_milliseconds (const MatrixPeer *self)
{
  return (g_get_monotonic_time () - self->asked_at) / 1e3;
}

G_GNUC_PRINTF (1, 2) static void
tell (const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  vprintf (format, arguments);
  va_end (arguments);
  putchar ('\n');
  fflush (stdout);
}

static const char *
get_nick (GType type, int value)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (type);

  return g_enum_get_value (klass, value)->value_nick;
}

static const char *
get_path (HpConnection *connection)
{
  return get_nick (HP_TYPE_PATH_KIND, hp_connection_get_path (connection));
}

static void
on_nat (HpPeer *peer, GParamSpec *pspec, gpointer user_data)
{
  HpNatInfo *nat = hp_peer_get_nat (peer);

  if (nat != NULL)
    tell ("nat %s %s %s",
          get_nick (HP_TYPE_NAT_MAPPING, hp_nat_info_get_mapping (nat)),
          get_nick (HP_TYPE_NAT_ALLOCATION, hp_nat_info_get_allocation (nat)),
          get_nick (HP_TYPE_NAT_FILTERING, hp_nat_info_get_filtering (nat)));
}

static void
on_message (HpPeer *peer, HpConnection *connection, GBytes *message,
            gpointer user_data)
{
  MatrixPeer *self = user_data;

  if (connection == self->called)
    tell ("echo %.1f", get_milliseconds (self));
  else
    hp_connection_send_message (connection, message, NULL);
}

static void
on_path (HpConnection *connection, GParamSpec *pspec, gpointer user_data)
{
  tell ("path %.1f %s", get_milliseconds (user_data), get_path (connection));
}

static void
on_connected (GObject *object, GAsyncResult *result, gpointer user_data)
{
  MatrixPeer *self = user_data;
  g_autoptr (GBytes) message = g_bytes_new_static ("ping", 4);
  g_autoptr (GError) error = NULL;

  self->called = hp_peer_connect_finish (HP_PEER (object), result, &error);
  if (self->called == NULL)
    {
      g_strdelimit (error->message, "\n", ' ');
      tell ("failed %.1f %s", get_milliseconds (self), error->message);
      return;
    }
  tell ("usable %.1f %s", get_milliseconds (self), get_path (self->called));
  g_signal_connect (self->called, "notify::path", G_CALLBACK (on_path), self);
  hp_connection_send_message (self->called, message, NULL);
}

static void
on_line (GObject *object, GAsyncResult *result, gpointer user_data)
{
  MatrixPeer *self = user_data;
  GDataInputStream *input = G_DATA_INPUT_STREAM (object);
  g_autofree char *line
      = g_data_input_stream_read_line_finish (input, result, NULL, NULL);

  if (line == NULL)
    {
      g_main_loop_quit (self->loop);
      return;
    }
  if (g_str_has_prefix (line, "connect "))
    {
      self->asked_at = g_get_monotonic_time ();
      hp_peer_connect_async (self->peer, line + strlen ("connect "), NULL,
                             on_connected, self);
    }
  g_data_input_stream_read_line_async (input, G_PRIORITY_DEFAULT, NULL,
                                       on_line, self);
}

static void
on_started (GObject *object, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  if (!hp_peer_start_finish (HP_PEER (object), result, &error))
    g_error ("%s", error->message);
  tell ("started");
}

int
main (int argc, char **argv)
{
  g_autofree char *server = NULL, *id = NULL, *turn = NULL;
  const GOptionEntry entries[] = {
    { "server", 0, 0, G_OPTION_ARG_STRING, &server, "Match server", "SERVER" },
    { "id", 0, 0, G_OPTION_ARG_STRING, &id, "Our id", "ID" },
    { "turn", 0, 0, G_OPTION_ARG_STRING, &turn, "TURN server", "URI" },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) options = g_option_context_new (NULL);
  g_autoptr (GInputStream) lines = g_unix_input_stream_new (0, FALSE);
  g_autoptr (GDataInputStream) input = g_data_input_stream_new (lines);
  g_autoptr (GError) error = NULL;
  MatrixPeer self = { .loop = NULL };

  g_option_context_add_main_entries (options, entries, NULL);
  if (!g_option_context_parse (options, &argc, &argv, &error))
    g_error ("%s", error->message);
  self.loop = g_main_loop_new (NULL, FALSE);
  self.peer = hp_peer_new (id, server);
  if (turn != NULL)
    hp_peer_set_turn_servers (self.peer, turn);
  g_signal_connect (self.peer, "message-received", G_CALLBACK (on_message),
                    &self);
  g_signal_connect (self.peer, "notify::nat", G_CALLBACK (on_nat), NULL);
  hp_peer_start_async (self.peer, NULL, on_started, NULL);
  g_data_input_stream_read_line_async (input, G_PRIORITY_DEFAULT, NULL,
                                       on_line, &self);
  g_main_loop_run (self.loop);
  return 0;
}
