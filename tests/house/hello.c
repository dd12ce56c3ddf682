/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A user's first program: a message from one peer to another, through a match
 * server, all in this process. */

#include <hole-punch/hole-punch.h>

#if !HP_CHECK_VERSION(1, 0, 0)
#error "too old"
#endif

static GMainLoop *loop;
static gboolean is_heard, is_acknowledged;

static void
quit_when_done (void)
{
  if (is_heard && is_acknowledged)
    g_main_loop_quit (loop);
}

static void
on_message (HpPeer *callee, HpConnection *caller, GBytes *message,
            gpointer user_data)
{
  g_assert_true (HP_IS_PEER (callee));
  g_assert_cmpmem (g_bytes_get_data (message, NULL),
                   g_bytes_get_size (message), "hello", 5);
  g_assert_cmpuint (strlen (hp_connection_get_fingerprint (caller)), ==, 52);
  is_heard = TRUE;
  quit_when_done ();
}

static void
on_sent (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;

  hp_peer_send_message_finish (HP_PEER (source), result, &error);
  g_assert_no_error (error);
  is_acknowledged = TRUE;
  quit_when_done ();
}

static void
on_started (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GBytes *message = g_bytes_new_static ("hello", 5);
  GError *error = NULL;

  hp_peer_start_finish (HP_PEER (source), result, &error);
  g_assert_no_error (error);
  hp_peer_send_message_async (HP_PEER (user_data), "wq", message, NULL,
                              on_sent, NULL);
  g_bytes_unref (message);
}

static void
on_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  hp_peer_close_finish (HP_PEER (source), result, NULL);
  g_main_loop_quit (loop);
}

static void
close_peer (HpPeer *peer)
{
  hp_peer_close_async (peer, NULL, on_closed, NULL);
  g_main_loop_run (loop);
  g_assert_finalize_object (peer);
}

int
main (void)
{
  HpMatchServer *server = hp_match_server_new (0);
  HpPeer *callee, *caller;
  GSocketAddress *address;
  GError *error = NULL;
  char *at;

  loop = g_main_loop_new (NULL, FALSE);
  hp_match_server_set_listen_address (server, "127.0.0.1");
  hp_match_server_start (server, &error);
  g_assert_no_error (error);
  address = hp_match_server_get_local_address (server);
  at = g_strdup_printf (
      "127.0.0.1:%u",
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)));

  callee = hp_peer_new ("wq", at);
  caller = hp_peer_new (NULL, at);
  g_signal_connect (callee, "message-received", G_CALLBACK (on_message), NULL);
  hp_peer_start_async (callee, NULL, on_started, caller);
  g_main_loop_run (loop);

  close_peer (caller);
  close_peer (callee);
  hp_match_server_stop (server);
  g_free (at);
  g_object_unref (server);
  g_main_loop_unref (loop);
  g_print ("hello from %d.%d.%d\n", HP_MAJOR_VERSION, HP_MINOR_VERSION,
           HP_MICRO_VERSION);
  return 0;
}
