/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Peers that talk through a real TURN server. */

#include "test-utils.h"

#include <string.h>

#include "tests/punch/scripted-turn.h"
#include "turn-server.h"

#define MIB (1024 * 1024)

typedef struct
{
  TurnServer *turn;
  HpMatchServer *server;
} World;

static void
set_up (World *self, gconstpointer data)
{
  self->turn = turn_server_new (NULL);
  self->server = test_server_new (NULL);
}

static void
tear_down (World *self, gconstpointer data)
{
  test_server_free (self->server);
  turn_server_free (self->turn);
}

static char *
get_uri (World *self, const char *scheme, const char *rest)
{
  return g_strdup_printf ("%s:%s:%s@localhost:%u%s", scheme, TURN_USER,
                          TURN_PASSWORD_ESCAPED,
                          g_str_equal (scheme, "turns")
                              ? turn_server_get_tls_port (self->turn)
                              : turn_server_get_port (self->turn),
                          rest);
}

static GTlsDatabase *
get_database (void)
{
  g_autofree char *path
      = g_test_build_filename (G_TEST_DIST, "peer", "relay-certificate.pem",
                                 NULL);
  GError *error = NULL;
  GTlsDatabase *database = g_tls_file_database_new (path, &error);

  g_assert_no_error (error);
  return database;
}

static HpPeer *
new_relayed (World *self, const char *id, const char *turn_servers)
{
  HpPeer *peer = test_peer_new (self->server, id);
  g_autoptr (GTlsDatabase) database = get_database ();

  hp_peer_set_turn_servers (peer, turn_servers);
  hp_peer_set_turn_tls_database (peer, database);
  hp_peer_set_relay_policy (peer, HP_RELAY_POLICY_RELAY_ONLY);
  return peer;
}

static void
await_start_well (HpPeer *peer)
{
  GError *error = NULL;

  await_start (peer, &error);
  g_assert_no_error (error);
}

/* 1 MiB there and back, and it went through the relay */
static void
exchange (HpPeer *callee, HpPeer *caller)
{
  g_autoptr (GBytes) there = test_bytes_new (MIB, 1);
  g_autoptr (GBytes) back = test_bytes_new (MIB, 2);
  TestCounter at_callee, at_caller;
  HpConnection *connection, *other;
  GError *error = NULL;

  test_counter_init (&at_callee);
  test_counter_init (&at_caller);
  g_signal_connect (callee, "message-received",
                    G_CALLBACK (test_counter_on_message), &at_callee);
  g_signal_connect (caller, "message-received",
                    G_CALLBACK (test_counter_on_message), &at_caller);
  connection = await_connect (caller, "wq", &error);
  g_assert_no_error (error);
  other = await_connection (callee, caller);
  g_assert_cmpint (hp_connection_get_path (connection), ==,
                   HP_PATH_KIND_RELAYED);
  g_assert_cmpint (hp_connection_get_path (other), ==, HP_PATH_KIND_RELAYED);

  await_send (connection, there, &error);
  g_assert_no_error (error);
  await_send (other, back, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (at_callee.n, ==, 1);
  g_assert_cmpuint (at_caller.n, ==, 1);
  g_assert_true (g_bytes_equal (at_callee.messages->pdata[0], there));
  g_assert_true (g_bytes_equal (at_caller.messages->pdata[0], back));
  g_assert_cmpint (hp_connection_get_path (connection), ==,
                   HP_PATH_KIND_RELAYED);
  g_object_unref (connection);
  g_signal_handlers_disconnect_by_data (callee, &at_callee);
  g_signal_handlers_disconnect_by_data (caller, &at_caller);
  test_counter_clear (&at_callee);
  test_counter_clear (&at_caller);
}

typedef struct
{
  const char *scheme, *rest;
} Kind;

static const Kind udp = { "turn", "?transport=udp" };
static const Kind tcp = { "turn", "?transport=tcp" };
static const Kind tls = { "turns", "" };

static void
test_relayed (World *self, gconstpointer data)
{
  const Kind *kind = data;
  g_autofree char *uri = get_uri (self, kind->scheme, kind->rest);
  HpPeer *callee = new_relayed (self, "wq", uri);
  HpPeer *caller = new_relayed (self, NULL, uri);

  await_start_well (callee);
  exchange (callee, caller);
  test_peer_free (caller);
  test_peer_free (callee);
}

/* What coturn calls use-auth-secret: the match server makes the credentials. */
static void
test_lent (void)
{
  const char *const arguments[] = { "--use-auth-secret",
                                    "--static-auth-secret", TURN_SECRET,
                                    NULL };
  TurnServer *turn = turn_server_new (arguments);
  HpMatchServer *server = hp_match_server_new (0);
  g_autofree char *uri
      = g_strdup_printf ("turn:127.0.0.1:%u", turn_server_get_port (turn));
  const char *const uris[] = { uri, NULL };
  World world = { turn, server };
  HpPeer *callee, *caller;
  GError *error = NULL;

  hp_match_server_set_listen_address (server, "127.0.0.1");
  hp_match_server_set_turn_servers (server, uris);
  hp_match_server_set_turn_secret (server, TURN_SECRET);
  hp_match_server_start (server, &error);
  g_assert_no_error (error);
  callee = new_relayed (&world, "wq", NULL);
  caller = new_relayed (&world, NULL, NULL);
  await_start_well (callee);
  exchange (callee, caller);
  test_peer_free (caller);
  test_peer_free (callee);
  test_server_free (server);
  turn_server_free (turn);
}

/* The server by IPv6, the relayed address of IPv4 all the same */
static void
test_ipv6_server (void)
{
  const char *const arguments[]
      = { "--user", TURN_USER ":" TURN_PASSWORD, "--listening-ip", "::1",
          NULL };
  TurnServer *turn = turn_server_new (arguments);
  World world = { turn, test_server_new (NULL) };
  g_autofree char *uri = g_strdup_printf (
      "turn:%s:%s@[::1]:%u?transport=udp", TURN_USER, TURN_PASSWORD_ESCAPED,
      turn_server_get_port (turn));
  HpPeer *callee = new_relayed (&world, "wq", uri);
  HpPeer *caller = new_relayed (&world, NULL, uri);

  await_start_well (callee);
  exchange (callee, caller);
  test_peer_free (caller);
  test_peer_free (callee);
  tear_down (&world, NULL);
}

/* One that fails at once is not waited for, as one that is silent would be:
 * for eight seconds */
static void
test_next_server (World *self, gconstpointer data)
{
  g_autofree char *good = get_uri (self, "turn", "?transport=tcp");
  g_autofree char *uris
      = g_strdup_printf ("turn:nobody:x@127.0.0.1:9?transport=tcp, %s", good);
  HpPeer *peer = new_relayed (self, "wq", uris);
  gint64 began = g_get_monotonic_time ();

  await_start_well (peer);
  g_assert_cmpint (g_get_monotonic_time () - began, <, 4 * G_USEC_PER_SEC);
  test_peer_free (peer);
}

static void
expect_no_start (World *self, const char *turn_servers, GTlsDatabase *database,
                 guint timeout)
{
  HpPeer *peer = test_peer_new (self->server, "wq");
  GError *error = NULL;

  hp_peer_set_turn_servers (peer, turn_servers);
  hp_peer_set_turn_tls_database (peer, database);
  hp_peer_set_relay_policy (peer, HP_RELAY_POLICY_RELAY_ONLY);
  hp_peer_set_connect_timeout (peer, timeout);
  g_assert_false (await_start (peer, &error));
  g_assert_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_MATCH_SERVER);
  g_assert_nonnull (strstr (error->message, "relay localhost"));
  g_clear_error (&error);
  test_peer_free (peer);
}

/* A server that is none: it gives an allocation and hangs up at once, or takes
 * the connection and never says a word */
typedef struct
{
  GSocketService *service;
  guint16 port;
  gboolean is_mute;
  int n_connections;
  GCancellable *end;
} Odd;

static gboolean
on_odd_connection (GThreadedSocketService *service,
                   GSocketConnection *connection, GObject *source,
                   gpointer user_data)
{
  Odd *self = user_data;
  GIOStream *stream = G_IO_STREAM (connection);
  /* It may outlive the test for a moment. */
  g_autoptr (GCancellable) end_of_test = g_object_ref (self->end);
  ScriptedTurn turn;

  g_atomic_int_inc (&self->n_connections);
  scripted_turn_init (&turn);
  while (turn.n_allocates == 0)
    {
      guint8 request[HP_TURN_REQUEST_MAX_SIZE], answer[512];
      gssize n = g_input_stream_read (g_io_stream_get_input_stream (stream),
                                      request, sizeof request, end_of_test,
                                      NULL);

      if (n <= 0)
        break;
      if (!self->is_mute)
        g_output_stream_write_all (
            g_io_stream_get_output_stream (stream), answer,
            scripted_turn_answer (&turn, request, n, answer, sizeof answer),
            NULL, end_of_test, NULL);
    }
  /* Time for it to be used */
  g_usleep (20000);
  return TRUE;
}

static void
odd_start (Odd *self)
{
  GError *error = NULL;

  self->end = g_cancellable_new ();
  self->service = g_threaded_socket_service_new (8);
  g_signal_connect (self->service, "run", G_CALLBACK (on_odd_connection),
                    self);
  self->port = g_socket_listener_add_any_inet_port (
      G_SOCKET_LISTENER (self->service), NULL, &error);
  g_assert_no_error (error);
}

static void
odd_stop (Odd *self)
{
  g_cancellable_cancel (self->end);
  g_socket_service_stop (self->service);
  g_socket_listener_close (G_SOCKET_LISTENER (self->service));
  g_clear_object (&self->service);
  g_clear_object (&self->end);
}

/* One that is lost as soon as it is had is not asked for again and again. */
static void
test_flapping (World *self, gconstpointer data)
{
  Odd odd = { .is_mute = FALSE };
  g_autofree char *uris = NULL;
  HpPeer *peer;

  odd_start (&odd);
  uris = g_strdup_printf ("turn:" SCRIPT_USER ":" SCRIPT_PASSWORD
                          "@127.0.0.1:%u?transport=tcp", odd.port);
  peer = new_relayed (self, "wq", uris);
  hp_peer_start_async (peer, NULL, NULL, NULL);
  await_time (1500);
  g_assert_cmpint (g_atomic_int_get (&odd.n_connections), ==, 1);
  test_peer_free (peer);
  odd_stop (&odd);
}

/* Not even TLS begins: it is given up all the same. */
static void
test_mute (World *self, gconstpointer data)
{
  Odd odd = { .is_mute = TRUE };
  g_autofree char *uris = NULL;

  odd_start (&odd);
  uris = g_strdup_printf ("turns:u:p@localhost:%u", odd.port);
  expect_no_start (self, uris, NULL, 12);
  odd_stop (&odd);
}

/* Before there is need of a relay it is asked what that will need to know, and
 * nothing else. */
static void
test_prepared (World *self, gconstpointer data)
{
  g_autofree char *uri = get_uri (self, "turn", "?transport=udp");
  HpPeer *peer = test_peer_new (self->server, "wq");

  hp_peer_set_turn_servers (peer, uri);
  await_start_well (peer);
  g_assert_cmpuint (turn_server_count (self->turn, "error 401"), ==, 1);
  g_assert_cmpuint (turn_server_count (self->turn, "ALLOCATE processed"), ==,
                    0);
  test_peer_free (peer);

  peer = test_peer_new (self->server, "wq");
  hp_peer_set_turn_servers (peer, uri);
  hp_peer_set_relay_policy (peer, HP_RELAY_POLICY_DIRECT_ONLY);
  await_start_well (peer);
  await_time (500);
  g_assert_cmpuint (turn_server_count (self->turn, "error 401"), ==, 1);
  test_peer_free (peer);
}

/* All is given back, nothing is left to expire */
static void
test_given_back (World *self, gconstpointer data)
{
  g_autofree char *uri = get_uri (self, "turn", "?transport=udp");
  HpPeer *peer = new_relayed (self, "wq", uri);

  await_start_well (peer);
  test_peer_free (peer);
  g_assert_cmpuint (
      turn_server_count (self->turn, "refreshed, realm=<example.org>, "
                                     "username=<" TURN_USER ">, lifetime=0"),
      ==, 1);
}

static void
test_not_let_in (World *self, gconstpointer data)
{
  g_autofree char *stranger
      = g_strdup_printf ("turn:nobody:x@localhost:%u?transport=tcp",
                         turn_server_get_port (self->turn));
  g_autofree char *uri = get_uri (self, "turns", "");

  expect_no_start (self, stranger, NULL, 2);
  /* Nobody vouches for its certificate. */
  expect_no_start (self, uri, NULL, 2);
}

/* UDP has no connection that would tell: the allocation is found to be gone,
 * and another one is made, while the connection lives on. */
static void
test_restarted (World *self, gconstpointer data)
{
  const Kind *kind = data;
  g_autofree char *uri = get_uri (self, kind->scheme, kind->rest);
  HpPeer *callee = new_relayed (self, "wq", uri);
  HpPeer *caller = new_relayed (self, NULL, uri);
  g_autoptr (GBytes) message = test_bytes_new (10240, 3);
  HpConnection *connection;
  GError *error = NULL;

  await_start_well (callee);
  connection = await_connect (caller, "wq", &error);
  g_assert_no_error (error);
  turn_server_stop (self->turn);
  await_time (500);
  turn_server_start (self->turn);
  await_send (connection, message, &error);
  g_assert_no_error (error);
  g_object_unref (connection);
  test_peer_free (caller);
  test_peer_free (callee);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add ("/relay/udp", World, &udp, set_up, test_relayed, tear_down);
  g_test_add ("/relay/tcp", World, &tcp, set_up, test_relayed, tear_down);
  g_test_add ("/relay/tls", World, &tls, set_up, test_relayed, tear_down);
  g_test_add_func ("/relay/lent", test_lent);
  g_test_add_func ("/relay/ipv6-server", test_ipv6_server);
  g_test_add ("/relay/next-server", World, NULL, set_up, test_next_server,
              tear_down);
  g_test_add ("/relay/flapping", World, NULL, set_up, test_flapping,
              tear_down);
  g_test_add ("/relay/mute", World, NULL, set_up, test_mute, tear_down);
  g_test_add ("/relay/prepared", World, NULL, set_up, test_prepared,
              tear_down);
  g_test_add ("/relay/given-back", World, NULL, set_up, test_given_back,
              tear_down);
  g_test_add ("/relay/not-let-in", World, NULL, set_up, test_not_let_in,
              tear_down);
  g_test_add ("/relay/restarted/udp", World, &udp, set_up, test_restarted,
              tear_down);
  g_test_add ("/relay/restarted/tcp", World, &tcp, set_up, test_restarted,
              tear_down);

  return g_test_run ();
}
