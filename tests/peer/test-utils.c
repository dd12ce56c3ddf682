/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "test-utils.h"

#include <string.h>

#define PATIENCE 30 /* s */

static gboolean
on_watchdog (gpointer what)
{
  g_error ("waited in vain for: %s", (const char *) what);
  return G_SOURCE_REMOVE;
}

GSource *
await_begin (const char *what)
{
  GSource *source = g_timeout_source_new_seconds (PATIENCE);

  g_source_set_callback (source, on_watchdog, (gpointer) what, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  return source;
}

void
await_end (GSource *watchdog)
{
  g_source_destroy (watchdog);
  g_source_unref (watchdog);
}

static gboolean
on_time (gpointer is_over)
{
  *(gboolean *) is_over = TRUE;
  return G_SOURCE_REMOVE;
}

void
await_time (guint milliseconds)
{
  g_autoptr (GSource) source = g_timeout_source_new (milliseconds);
  gboolean is_over = FALSE;

  g_source_set_callback (source, on_time, &is_over, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  AWAIT (is_over);
}

HpMatchServer *
test_server_new (const char *address)
{
  HpMatchServer *server = hp_match_server_new (0);
  GError *error = NULL;

  hp_match_server_set_listen_address (server,
                                      address != NULL ? address : "127.0.0.1");
  hp_match_server_start (server, &error);
  g_assert_no_error (error);
  return server;
}

guint
test_server_get_port (HpMatchServer *server)
{
  GSocketAddress *address = hp_match_server_get_local_address (server);

  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
}

char *
test_server_get_name (HpMatchServer *server)
{
  const char *host = hp_match_server_get_listen_address (server);

  return g_strdup_printf (strchr (host, ':') != NULL ? "[%s]:%u" : "%s:%u",
                          host, test_server_get_port (server));
}

void
test_server_free (HpMatchServer *server)
{
  hp_match_server_stop (server);
  while (g_main_context_iteration (g_main_context_get_thread_default (), FALSE))
    ;
  g_assert_finalize_object (server);
}

HpPeer *
test_peer_new (HpMatchServer *server, const char *id)
{
  g_autofree char *name = server != NULL ? test_server_get_name (server) : NULL;

  return hp_peer_new (id, name);
}

HpPeer *
test_peer_new_started (HpMatchServer *server, const char *id)
{
  HpPeer *peer = test_peer_new (server, id);
  GError *error = NULL;

  await_start (peer, &error);
  g_assert_no_error (error);
  return peer;
}

void
test_peer_free (HpPeer *peer)
{
  await_close (peer);
  /* What is still on its way back to a callback holds a reference */
  while (g_main_context_iteration (g_main_context_get_thread_default (), FALSE))
    ;
  g_assert_finalize_object (peer);
}

GSocketAddress *
test_peer_get_address (HpPeer *peer, const char *ip)
{
  GSocketAddress *local = hp_peer_get_local_address (peer);

  return g_inet_socket_address_new_from_string (
      ip, g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (local)));
}

const char *
test_peer_get_fingerprint (HpPeer *peer)
{
  return hp_identity_get_fingerprint (hp_peer_get_identity (peer));
}

void
test_result_take (GObject *source, GAsyncResult *result, gpointer test_result)
{
  TestResult *self = test_result;

  self->n_calls++;
  g_set_object (&self->result, result);
}

void
test_result_clear (TestResult *self)
{
  g_clear_object (&self->result);
}

gboolean
await_start (HpPeer *peer, GError **error)
{
  g_auto (TestResult) result = { 0 };

  hp_peer_start_async (peer, NULL, test_result_take, &result);
  AWAIT (result.result != NULL);
  return hp_peer_start_finish (peer, result.result, error);
}

void
await_close (HpPeer *peer)
{
  g_auto (TestResult) result = { 0 };
  GError *error = NULL;

  hp_peer_close_async (peer, NULL, test_result_take, &result);
  AWAIT (result.result != NULL);
  hp_peer_close_finish (peer, result.result, &error);
  g_assert_no_error (error);
}

HpConnection *
await_connect (HpPeer *peer, const char *target, GError **error)
{
  g_auto (TestResult) result = { 0 };

  hp_peer_connect_async (peer, target, NULL, test_result_take, &result);
  AWAIT (result.result != NULL);
  return hp_peer_connect_finish (peer, result.result, error);
}

HpConnection *
await_connect_to_address (HpPeer *peer, GSocketAddress *address,
                          const char *fingerprint, GError **error)
{
  g_auto (TestResult) result = { 0 };

  hp_peer_connect_to_address_async (peer, address, fingerprint, NULL,
                                    test_result_take, &result);
  AWAIT (result.result != NULL);
  return hp_peer_connect_to_address_finish (peer, result.result, error);
}

gboolean
await_send (HpConnection *connection, GBytes *message, GError **error)
{
  g_auto (TestResult) result = { 0 };

  hp_connection_send_message_async (connection, message, NULL, test_result_take,
                                    &result);
  AWAIT (result.result != NULL);
  return hp_connection_send_message_finish (connection, result.result, error);
}

gboolean
await_send_full (HpConnection *connection, GBytes *message,
                 HpMessageFlags flags, gint64 lifetime, GError **error)
{
  g_auto (TestResult) result = { 0 };

  hp_connection_send_message_full_async (connection, message, flags, lifetime,
                                         NULL, test_result_take, &result);
  AWAIT (result.result != NULL);
  return hp_connection_send_message_full_finish (connection, result.result,
                                                 error);
}

gboolean
await_send_to (HpPeer *peer, const char *target, GBytes *message,
               GError **error)
{
  g_auto (TestResult) result = { 0 };

  hp_peer_send_message_async (peer, target, message, NULL, test_result_take,
                              &result);
  AWAIT (result.result != NULL);
  return hp_peer_send_message_finish (peer, result.result, error);
}

void
await_close_connection (HpConnection *connection)
{
  g_auto (TestResult) result = { 0 };
  GError *error = NULL;

  hp_connection_close_async (connection, NULL, test_result_take, &result);
  AWAIT (result.result != NULL);
  hp_connection_close_finish (connection, result.result, &error);
  g_assert_no_error (error);
}

static HpConnection *
find_connection (HpPeer *peer, const char *fingerprint)
{
  GListModel *connections = hp_peer_get_connections (peer);

  for (guint i = 0; i < g_list_model_get_n_items (connections); i++)
    {
      g_autoptr (HpConnection)
          connection = g_list_model_get_item (connections, i);

      if (g_strcmp0 (hp_connection_get_fingerprint (connection), fingerprint)
          == 0)
        return connection;
    }
  return NULL;
}

HpConnection *
await_connection (HpPeer *peer, HpPeer *other)
{
  const char *fingerprint = test_peer_get_fingerprint (other);

  AWAIT (find_connection (peer, fingerprint) != NULL);
  return find_connection (peer, fingerprint);
}

void
test_counter_init (TestCounter *self)
{
  self->n = 0;
  self->messages = g_ptr_array_new_with_free_func (
      (GDestroyNotify) g_bytes_unref);
}

void
test_counter_clear (TestCounter *self)
{
  g_clear_pointer (&self->messages, g_ptr_array_unref);
}

void
test_counter_on_message (HpPeer *peer, HpConnection *connection,
                         GBytes *message, gpointer counter)
{
  TestCounter *self = counter;

  self->n++;
  g_ptr_array_add (self->messages, g_bytes_ref (message));
}

void
test_counter_on_notify (GObject *object, GParamSpec *pspec, gpointer counter)
{
  ((TestCounter *) counter)->n++;
}

GBytes *
test_bytes_new (gsize size, guint8 seed)
{
  guint8 *bytes = g_malloc (MAX (size, 1));

  for (gsize i = 0; i < size; i++)
    bytes[i] = (guint8) (seed + i * 7 + (i >> 8) * 13);
  return g_bytes_new_take (bytes, size);
}

guint
test_count_descriptors (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  g_assert_nonnull (dir);
  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}
