/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The quick start, in C:
 *
 *   quick-start server [PORT]
 *   quick-start callee ID SERVER
 *   quick-start caller ID SERVER [COUNT]
 *
 * The server introduces peers to each other. The callee registers an id and
 * answers every message. The caller asks for that id, and sends it 10 KiB
 * COUNT times (5; 0: until it is interrupted). SERVER is HOST or HOST:PORT.
 */

#include <glib-unix.h>
#include <hole-punch/hole-punch.h>
#include <locale.h>
#include <stdlib.h>

typedef struct
{
  GMainLoop *loop;
  HpPeer *peer;
  gboolean finishing;
  int status;

  /* Of the caller */
  const char *target;
  GBytes *message;
  gboolean endless;
  guint left;
  gint64 sent_at;
  gint64 found_at;
} QuickStart;

static char *
to_string (GSocketAddress *address)
{
  return g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (address));
}

static void
on_peer_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  QuickStart *self = user_data;

  hp_peer_close_finish (self->peer, result, NULL);
  g_main_loop_quit (self->loop);
}

static void
finish (QuickStart *self, int status)
{
  if (self->finishing)
    return;
  self->finishing = TRUE;
  self->status = status;
  hp_peer_close_async (self->peer, NULL, on_peer_closed, self);
}

static void
fail (QuickStart *self, const char *message)
{
  if (!self->finishing)
    g_printerr ("quick-start: %s\n", message);
  finish (self, 1);
}

static gboolean
on_interrupt (gpointer user_data)
{
  finish (user_data, 0);
  return G_SOURCE_REMOVE;
}

/* The server */

static void
on_registered (HpMatchServer *server, HpRegistration *peer, gpointer user_data)
{
  g_autofree char *address = to_string (hp_registration_get_address (peer));

  g_print ("server: %s is at %s\n", hp_registration_get_id (peer), address);
}

static void
on_introduced (HpMatchServer *server, HpRegistration *caller,
               HpRegistration *callee, gpointer user_data)
{
  g_autofree char *address = to_string (hp_registration_get_address (caller));

  g_print ("server: introduced %s to %s\n", address,
           hp_registration_get_id (callee));
}

static gboolean
on_server_interrupt (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static int
run_server (guint port)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (HpMatchServer) server = hp_match_server_new (port);
  g_autoptr (GError) error = NULL;
  GSocketAddress *address;

  g_signal_connect (server, "peer-registered", G_CALLBACK (on_registered),
                    NULL);
  g_signal_connect (server, "introduced", G_CALLBACK (on_introduced), NULL);
  if (!hp_match_server_start (server, &error))
    {
      g_printerr ("quick-start: %s\n", error->message);
      return 1;
    }
  address = hp_match_server_get_local_address (server);
  g_print ("server: listening on port %u\n",
           g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)));
  g_unix_signal_add (SIGINT, on_server_interrupt, loop);
  g_main_loop_run (loop);
  hp_match_server_stop (server);
  return 0;
}

/* The callee */

static void
on_callee_started (GObject *source, GAsyncResult *result, gpointer user_data)
{
  QuickStart *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *address = NULL;

  if (!hp_peer_start_finish (self->peer, result, &error))
    {
      fail (self, error->message);
      return;
    }
  address = to_string (hp_peer_get_public_address (self->peer));
  g_print ("callee: registered as %s, seen at %s\n",
           hp_peer_get_id (self->peer), address);
}

static void
on_caller_resolved (HpPeer *peer, HpConnection *caller, gpointer user_data)
{
  g_autofree char *address
      = to_string (hp_connection_get_remote_address (caller));

  g_print ("callee: found %s after %.1f ms\n", address,
           hp_connection_get_setup_time (caller) / 1000.0);
}

static void
on_call (HpPeer *peer, HpConnection *caller, GBytes *message,
         gpointer user_data)
{
  g_autoptr (GBytes) answer = g_bytes_new_static ("callee got you", 14);
  g_autoptr (GError) error = NULL;

  g_print ("callee: got %" G_GSIZE_FORMAT " bytes\n",
           g_bytes_get_size (message));
  if (!hp_connection_send_message (caller, answer, &error))
    g_printerr ("quick-start: %s\n", error->message);
}

static void
start_callee (QuickStart *self)
{
  g_signal_connect (self->peer, "peer-resolved",
                    G_CALLBACK (on_caller_resolved), self);
  g_signal_connect (self->peer, "message-received", G_CALLBACK (on_call),
                    self);
  hp_peer_start_async (self->peer, NULL, on_callee_started, self);
}

/* The caller */

static void
on_sent (GObject *source, GAsyncResult *result, gpointer user_data)
{
  QuickStart *self = user_data;
  g_autoptr (GError) error = NULL;

  if (!hp_peer_send_message_finish (self->peer, result, &error))
    fail (self, error->message);
}

/* The first time, this finds the callee too. */
static void
send_message (QuickStart *self)
{
  self->sent_at = g_get_monotonic_time ();
  hp_peer_send_message_async (self->peer, self->target, self->message, NULL,
                              on_sent, self);
}

static void
on_callee_resolved (HpPeer *peer, HpConnection *callee, gpointer user_data)
{
  QuickStart *self = user_data;
  g_autofree char *address
      = to_string (hp_connection_get_remote_address (callee));

  self->found_at = g_get_monotonic_time ();
  g_print ("caller: found %s at %s after %.1f ms\n", self->target, address,
           hp_connection_get_setup_time (callee) / 1000.0);
}

static void
on_answer (HpPeer *peer, HpConnection *callee, GBytes *answer,
           gpointer user_data)
{
  QuickStart *self = user_data;
  gint64 now = g_get_monotonic_time ();

  g_print ("caller: sent %" G_GSIZE_FORMAT " bytes, got \"%.*s\" back "
           "in %.1f ms",
           g_bytes_get_size (self->message), (int) g_bytes_get_size (answer),
           (const char *) g_bytes_get_data (answer, NULL),
           (now - self->sent_at) / 1000.0);
  if (self->found_at > self->sent_at)
    g_print (", %.1f ms of them since %s was found",
             (now - self->found_at) / 1000.0, self->target);
  g_print ("\n");
  if (self->endless || --self->left > 0)
    send_message (self);
  else
    finish (self, 0);
}

static void
on_callee_gone (HpPeer *peer, HpConnection *callee, gpointer user_data)
{
  fail (user_data, "the callee has gone");
}

static void
start_caller (QuickStart *self, const char *target, guint count)
{
  guint8 *eights = g_malloc (10 * 1024);

  memset (eights, 8, 10 * 1024);
  self->message = g_bytes_new_take (eights, 10 * 1024);
  self->target = target;
  self->endless = count == 0;
  self->left = count;
  g_signal_connect (self->peer, "peer-resolved",
                    G_CALLBACK (on_callee_resolved), self);
  g_signal_connect (self->peer, "message-received", G_CALLBACK (on_answer),
                    self);
  g_signal_connect (self->peer, "connection-closed",
                    G_CALLBACK (on_callee_gone), self);
  send_message (self);
}

static int
run_peer (gboolean is_callee, const char *id, const char *server, guint count)
{
  QuickStart self = { 0 };

  self.loop = g_main_loop_new (NULL, FALSE);
  self.peer = hp_peer_new (is_callee ? id : NULL, server);
  g_unix_signal_add (SIGINT, on_interrupt, &self);
  if (is_callee)
    start_callee (&self);
  else
    start_caller (&self, id, count);
  g_main_loop_run (self.loop);

  g_signal_handlers_disconnect_by_data (self.peer, &self);
  g_clear_object (&self.peer);
  g_clear_pointer (&self.message, g_bytes_unref);
  g_clear_pointer (&self.loop, g_main_loop_unref);
  return self.status;
}

int
main (int argc, char *argv[])
{
  const char *role = argc > 1 ? argv[1] : "";

  setlocale (LC_ALL, "");
  if (g_str_equal (role, "server") && argc <= 3)
    return run_server (argc > 2 ? atoi (argv[2]) : HP_DEFAULT_PORT);
  if (g_str_equal (role, "callee") && argc == 4)
    return run_peer (TRUE, argv[2], argv[3], 0);
  if (g_str_equal (role, "caller") && (argc == 4 || argc == 5))
    return run_peer (FALSE, argv[2], argv[3], argc > 4 ? atoi (argv[4]) : 5);
  g_printerr ("usage: quick-start server [PORT]\n"
              "       quick-start callee ID SERVER\n"
              "       quick-start caller ID SERVER [COUNT]\n");
  return 2;
}
