/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Around the README's D-Bus from peer to peer: two peers, a stream, and the
 * other end of the bus. */

#include <hole-punch/hole-punch.h>

static GMainLoop *loop;

static void
on_bus (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusConnection) bus = g_dbus_connection_new_finish (result,
                                                                  &error);

  g_assert_no_error (error);
  g_print ("the bus is there\n");
  g_main_loop_quit (loop);
}

static void
on_opened (GObject *connection, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HpStream) stream = hp_connection_open_stream_finish (
      HP_CONNECTION (connection), result, &error);

  g_assert_no_error (error);
  README
}

static void
on_connected (GObject *peer, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HpConnection) connection = hp_peer_connect_finish (HP_PEER (peer),
                                                                result, &error);

  g_assert_no_error (error);
  hp_connection_open_stream_async (connection, NULL, on_opened, NULL);
}

static void
on_started (GObject *callee, GAsyncResult *result, gpointer caller)
{
  g_autoptr (GError) error = NULL;

  hp_peer_start_finish (HP_PEER (callee), result, &error);
  g_assert_no_error (error);
  hp_peer_connect_async (caller, "bus", NULL, on_connected, NULL);
}

static void
on_served (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  *(GDBusConnection **) user_data = g_dbus_connection_new_finish (result,
                                                                  &error);
  g_assert_no_error (error);
}

static void
on_stream (HpPeer *peer, HpConnection *connection, HpStream *stream,
           gpointer user_data)
{
  g_autofree char *guid = g_dbus_generate_guid ();

  g_dbus_connection_new (
      G_IO_STREAM (stream), guid,
      G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER
          | G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_ALLOW_ANONYMOUS,
      NULL, NULL, on_served, user_data);
}

int
main (void)
{
  g_autoptr (GDBusConnection) served = NULL;
  g_autoptr (HpPeer) callee = hp_peer_new ("bus", "match.example.org");
  g_autoptr (HpPeer) caller = hp_peer_new (NULL, "match.example.org");

  loop = g_main_loop_new (NULL, FALSE);
  g_signal_connect (callee, "stream-opened", G_CALLBACK (on_stream), &served);
  hp_peer_start_async (callee, NULL, on_started, caller);
  g_main_loop_run (loop);
  g_main_loop_unref (loop);
}
