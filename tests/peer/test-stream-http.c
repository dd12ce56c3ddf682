/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* HTTP/1.1 from peer to peer. The server is libsoup's, straight on the streams;
 * so is the client, which knows only of TCP: a local port leads it into a
 * stream for each of its connections.
 *
 *   SoupSession ── TCP on the loopback ── a stream ── SoupServer
 */

#include <libsoup/soup.h>

#include "stream-world.h"

#define MIB (1024 * 1024)

typedef struct
{
  World world;
  SoupServer *server;
  GSocketService *service;
  char *uri;
  guint n_streams, n_over;
} Fixture;

static void
on_request (SoupServer *server, SoupServerMessage *message, const char *path,
            GHashTable *query, gpointer user_data)
{
  SoupMessageBody *body = soup_server_message_get_request_body (message);
  g_autoptr (GBytes) request = soup_message_body_flatten (body);
  gsize size = query != NULL ? g_ascii_strtoull (
                   g_hash_table_lookup (query, "size"), NULL, 10)
                             : 0;
  g_autoptr (GBytes) answer = NULL;

  if (g_str_equal (soup_server_message_get_method (message), "GET"))
    answer = test_bytes_new (size, 3);
  else
    answer = g_bytes_ref (request);
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  if (g_bytes_get_size (answer) > 0)
    soup_message_body_append_bytes (
        soup_server_message_get_response_body (message), answer);
}

static void
on_served (HpPeer *peer, HpConnection *connection, HpStream *stream,
           gpointer user_data)
{
  Fixture *self = user_data;
  GError *error = NULL;

  self->n_streams++;
  soup_server_accept_iostream (
      self->server, G_IO_STREAM (stream),
      hp_connection_get_local_address (connection),
      hp_connection_get_remote_address (connection), &error);
  g_assert_no_error (error);
}

static void
on_spliced (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *self = user_data;

  /* Either side may have hung up while the other one was sending. */
  g_io_stream_splice_finish (result, NULL);
  self->n_over++;
}

static gboolean
on_incoming (GSocketService *service, GSocketConnection *tcp, GObject *source,
             gpointer user_data)
{
  Fixture *self = user_data;
  g_autoptr (HpStream) stream = NULL;
  GError *error = NULL;

  stream = await_open (self->world.near, &error);
  g_assert_no_error (error);
  g_io_stream_splice_async (G_IO_STREAM (tcp), G_IO_STREAM (stream),
                            G_IO_STREAM_SPLICE_CLOSE_STREAM1
                                | G_IO_STREAM_SPLICE_CLOSE_STREAM2
                                | G_IO_STREAM_SPLICE_WAIT_FOR_BOTH,
                            G_PRIORITY_DEFAULT, NULL, on_spliced, self);
  return TRUE;
}

static void
set_up (Fixture *self, gconstpointer data)
{
  guint16 port;
  GError *error = NULL;

  world_set_up (&self->world, data);
  g_signal_handlers_disconnect_by_data (self->world.callee, &self->world);
  self->server = soup_server_new ("server-header", "hole-punch-test ", NULL);
  soup_server_add_handler (self->server, NULL, on_request, self, NULL);
  g_signal_connect (self->world.callee, "stream-opened",
                    G_CALLBACK (on_served), self);

  self->service = g_socket_service_new ();
  port = g_socket_listener_add_any_inet_port (
      G_SOCKET_LISTENER (self->service), NULL, &error);
  g_assert_no_error (error);
  g_signal_connect (self->service, "incoming", G_CALLBACK (on_incoming), self);
  self->uri = g_strdup_printf ("http://127.0.0.1:%u/", port);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  g_socket_service_stop (self->service);
  g_socket_listener_close (G_SOCKET_LISTENER (self->service));
  g_object_unref (self->service);
  soup_server_disconnect (self->server);
  AWAIT (self->n_over == self->n_streams);
  g_object_unref (self->server);
  await_time (20);
  world_tear_down (&self->world, data);
  g_free (self->uri);
}

static GBytes *
await_answer (SoupSession *session, SoupMessage *message)
{
  g_auto (TestResult) result = { 0 };
  GBytes *body;
  GError *error = NULL;

  soup_session_send_and_read_async (session, message, G_PRIORITY_DEFAULT, NULL,
                                    test_result_take, &result);
  AWAIT (result.result != NULL);
  body = soup_session_send_and_read_finish (session, result.result, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (soup_message_get_status (message), ==, SOUP_STATUS_OK);
  g_assert_cmpint (soup_message_get_http_version (message), ==, SOUP_HTTP_1_1);
  g_assert_true (g_str_has_prefix (
      soup_message_headers_get_one (soup_message_get_response_headers (message),
                                    "Server"),
      "hole-punch-test libsoup/3"));
  return body;
}

static void
test_requests (Fixture *self, gconstpointer data)
{
  const gsize sizes[] = { 0, 1, 1000, 100000, 5 * MIB };
  g_autoptr (SoupSession) session = soup_session_new ();

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree char *uri = g_strdup_printf ("%s?size=%" G_GSIZE_FORMAT,
                                              self->uri, sizes[i]);
      g_autoptr (SoupMessage) get = soup_message_new ("GET", uri);
      g_autoptr (SoupMessage) post = soup_message_new ("POST", self->uri);
      g_autoptr (GBytes) expected = test_bytes_new (sizes[i], 3);
      g_autoptr (GBytes) got = NULL;
      g_autoptr (GBytes) posted = NULL;

      got = await_answer (session, get);
      g_assert_true (g_bytes_equal (got, expected));
      soup_message_set_request_body_from_bytes (
          post, "application/octet-stream", expected);
      posted = await_answer (session, post);
      g_assert_true (g_bytes_equal (posted, expected));
    }
  /* Without a socket of its own SoupServer does not keep them alive. */
  g_assert_cmpuint (self->n_streams, >=, 1);
  soup_session_abort (session);
}

/* Up to eight at once */
static void
test_parallel (Fixture *self, gconstpointer data)
{
  g_autoptr (SoupSession) session
      = soup_session_new_with_options ("max-conns-per-host", 8, NULL);
  g_autofree char *uri = g_strdup_printf ("%s?size=%u", self->uri, MIB);
  g_autoptr (GBytes) expected = test_bytes_new (MIB, 3);
  TestResult results[16] = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    {
      g_autoptr (SoupMessage) get = soup_message_new ("GET", uri);

      soup_session_send_and_read_async (session, get, G_PRIORITY_DEFAULT, NULL,
                                        test_result_take, results + i);
    }
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    {
      g_autoptr (GBytes) got = NULL;
      GError *error = NULL;

      AWAIT (results[i].result != NULL);
      got = soup_session_send_and_read_finish (session, results[i].result,
                                               &error);
      g_assert_no_error (error);
      g_assert_true (g_bytes_equal (got, expected));
      test_result_clear (results + i);
    }
  g_assert_cmpuint (self->n_streams, >=, 8);
  soup_session_abort (session);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/stream-http/requests", Fixture, NULL, set_up, test_requests,
              tear_down);
  g_test_add ("/stream-http/parallel", Fixture, NULL, set_up, test_parallel,
              tear_down);
  return g_test_run ();
}
