/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "test-utils.h"

#include <string.h>

typedef struct
{
  HpMatchServer *server;
  HpPeer *callee, *caller;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  self->server = test_server_new (NULL);
  self->callee = test_peer_new_started (self->server, "wq");
  self->caller = test_peer_new_started (self->server, NULL);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  test_peer_free (self->caller);
  test_peer_free (self->callee);
  test_server_free (self->server);
}

static void
check_fails (HpPeer *caller, const char *target, GQuark domain, int code)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) message = test_bytes_new (10, 1);

  g_test_message ("%s", target);
  g_assert_null (await_connect (caller, target, &error));
  g_assert_error (error, domain, code);
  g_assert_nonnull (error->message);
  g_clear_error (&error);
  g_assert_false (await_send_to (caller, target, message, &error));
  g_assert_error (error, domain, code);
}

static void
check_talks (HpPeer *caller, const char *target)
{
  g_autoptr (GBytes) message = test_bytes_new (5000, 1);
  GError *error = NULL;

  g_assert_true (await_send_to (caller, target, message, &error));
  g_assert_no_error (error);
}

static void
test_failures (Fixture *self, gconstpointer data)
{
  g_autoptr (HpIdentity) other = hp_identity_new ();
  g_autofree char *wrong = g_strdup_printf (
      "wq@%s", hp_identity_get_fingerprint (other));
  g_autofree char *right = g_strdup_printf (
      "wq@%s", test_peer_get_fingerprint (self->callee));
  HpPeer *lonely = hp_peer_new (NULL, NULL);

  check_fails (self->caller, "nobody", HP_PUNCH_ERROR,
               HP_PUNCH_ERROR_UNKNOWN_ID);
  check_fails (self->caller, hp_identity_get_fingerprint (other),
               HP_PUNCH_ERROR, HP_PUNCH_ERROR_UNKNOWN_ID);
  check_fails (self->caller, "", HP_PUNCH_ERROR, HP_PUNCH_ERROR_INVALID_TARGET);
  check_fails (self->caller, "line\nbreak", HP_PUNCH_ERROR,
               HP_PUNCH_ERROR_INVALID_TARGET);
  check_fails (self->caller, wrong, HP_PUNCH_ERROR,
               HP_PUNCH_ERROR_IDENTITY_MISMATCH);
  check_fails (self->caller, test_peer_get_fingerprint (self->caller),
               HP_PUNCH_ERROR, HP_PUNCH_ERROR_INVALID_TARGET);
  check_fails (self->callee, "wq", HP_PUNCH_ERROR,
               HP_PUNCH_ERROR_INVALID_TARGET);
  check_fails (lonely, "wq", HP_PUNCH_ERROR, HP_PUNCH_ERROR_MATCH_SERVER);
  test_peer_free (lonely);
  check_talks (self->caller, right);
}

static void
test_by_fingerprint (Fixture *self, gconstpointer data)
{
  check_talks (self->caller, test_peer_get_fingerprint (self->callee));
}

/* A peer without an id is not to be called by strangers */
static void
test_no_id (Fixture *self, gconstpointer data)
{
  hp_peer_set_connect_timeout (self->callee, 2);
  check_fails (self->callee, test_peer_get_fingerprint (self->caller),
               HP_PUNCH_ERROR, HP_PUNCH_ERROR_UNKNOWN_ID);
}

static void
test_shared (Fixture *self, gconstpointer data)
{
  TestResult results[5] = { { NULL, 0 } };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (HpConnection) first = NULL;
  GError *error = NULL;

  /* One that gives up does not end it for the others */
  for (guint i = 0; i < 5; i++)
    hp_peer_connect_async (self->caller, "wq", i == 2 ? cancellable : NULL,
                           test_result_take, &results[i]);
  g_cancellable_cancel (cancellable);
  for (guint i = 0; i < 5; i++)
    AWAIT (results[i].result != NULL);

  first = hp_peer_connect_finish (self->caller, results[0].result, &error);
  g_assert_no_error (error);
  for (guint i = 1; i < 5; i++)
    {
      g_autoptr (HpConnection) connection = NULL;

      connection = hp_peer_connect_finish (self->caller, results[i].result,
                                           &error);
      if (i == 2)
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      else
        g_assert_true (connection == first);
      g_clear_error (&error);
      g_assert_cmpuint (results[i].n_calls, ==, 1);
    }
  for (guint i = 0; i < 5; i++)
    test_result_clear (&results[i]);
  g_assert_cmpuint (
      g_list_model_get_n_items (hp_peer_get_connections (self->caller)), ==, 1);
}

static void
test_cancel (Fixture *self, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (TestResult) result = { 0 };
  GError *error = NULL;

  hp_peer_connect_async (self->caller, "wq", cancellable, test_result_take,
                         &result);
  g_cancellable_cancel (cancellable);
  AWAIT (result.result != NULL);
  g_assert_null (hp_peer_connect_finish (self->caller, result.result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_clear_object (&result.result);
  /* Nothing of it is left in the way */
  check_talks (self->caller, "wq");
}

/* A callee whose program hangs: it is registered, and does not answer */
static void
test_unreachable (Fixture *self, gconstpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autofree char *port = NULL;
  HpPeer *hanging;
  const char *const *attempts;
  GError *error = NULL;

  g_main_context_push_thread_default (context);
  hanging = test_peer_new (self->server, "hanging");
  hp_peer_start_async (hanging, NULL, NULL, NULL);
  while (!hp_peer_get_registered (hanging))
    {
      g_main_context_iteration (context, FALSE);
      g_main_context_iteration (NULL, FALSE);
    }
  g_main_context_pop_thread_default (context);

  port = g_strdup_printf (
      ":%u", g_inet_socket_address_get_port (
                 G_INET_SOCKET_ADDRESS (hp_peer_get_local_address (hanging))));
  hp_peer_set_connect_timeout (self->caller, 1);
  g_assert_null (await_connect (self->caller, "hanging", &error));
  g_assert_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_UNREACHABLE);
  /* What was tried */
  g_assert_nonnull (strstr (error->message, port));
  g_assert_nonnull (strstr (error->message, ". Straight: "));
  g_assert_nonnull (strstr (error->message, ". No relay: none is known."));
  g_assert_nonnull (strstr (error->message, " NAT here: none; there: "));
  attempts = hp_network_report_get_attempts (
      hp_peer_get_network_report (self->caller));
  g_assert_nonnull (strstr (attempts[0], port));
  g_assert_cmpuint (g_strv_length ((char **) attempts), >=, 4);
  g_clear_error (&error);

  g_main_context_push_thread_default (context);
  test_peer_free (hanging);
  g_main_context_pop_thread_default (context);
}

static void
test_no_server (Fixture *self, gconstpointer data)
{
  hp_match_server_stop (self->server);
  hp_peer_set_connect_timeout (self->caller, 1);
  check_fails (self->caller, "wq", HP_PUNCH_ERROR, HP_PUNCH_ERROR_MATCH_SERVER);
}

static void
test_direct (Fixture *self, gconstpointer data)
{
  g_autoptr (GSocketAddress)
      address = test_peer_get_address (self->callee, "127.0.0.1");
  const char *fingerprint = test_peer_get_fingerprint (self->callee);
  HpPeer *lonely = hp_peer_new (NULL, NULL);
  g_autoptr (HpIdentity) other = hp_identity_new ();
  g_autoptr (HpConnection) connection = NULL;
  g_autoptr (HpConnection) there = NULL;
  g_autoptr (GBytes) message = test_bytes_new (100000, 1);
  GError *error = NULL;

  /* Not answered unless it is wanted, nor to whoever does not know the key */
  hp_peer_set_connect_timeout (lonely, 1);
  g_assert_null (
      await_connect_to_address (lonely, address, fingerprint, &error));
  g_assert_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_UNREACHABLE);
  g_clear_error (&error);
  hp_peer_set_direct_calls (self->callee, TRUE);
  g_assert_null (await_connect_to_address (
      lonely, address, hp_identity_get_fingerprint (other), &error));
  g_assert_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_UNREACHABLE);
  g_clear_error (&error);
  g_assert_null (await_connect_to_address (lonely, address, "wq", &error));
  g_assert_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_INVALID_TARGET);
  g_clear_error (&error);

  connection = await_connect_to_address (lonely, address, fingerprint, &error);
  g_assert_no_error (error);
  g_assert_null (hp_connection_get_remote_id (connection));
  g_assert_cmpstr (hp_connection_get_fingerprint (connection), ==, fingerprint);
  await_send (connection, message, &error);
  g_assert_no_error (error);
  there = g_object_ref (await_connection (self->callee, lonely));
  g_assert_cmpstr (hp_connection_get_fingerprint (there), ==,
                   test_peer_get_fingerprint (lonely));
  await_send (there, message, &error);
  g_assert_no_error (error);
  test_peer_free (lonely);
}

/* Both call each other at the same time: each has one connection in the end,
 * and whoever waits gets it */
static void
test_simultaneous (Fixture *self, gconstpointer data)
{
  HpPeer *left = test_peer_new_started (self->server, "left");
  HpPeer *right = test_peer_new_started (self->server, "right");

  for (guint i = 0; i < 5; i++)
    {
      g_auto (TestResult) at_left = { 0 };
      g_auto (TestResult) at_right = { 0 };
      g_autoptr (HpConnection) of_left = NULL;
      g_autoptr (HpConnection) of_right = NULL;
      g_autoptr (GBytes) message = test_bytes_new (30000, i);
      GError *error = NULL;

      hp_peer_connect_async (left, "right", NULL, test_result_take, &at_left);
      hp_peer_connect_async (right, "left", NULL, test_result_take, &at_right);
      AWAIT (at_left.result != NULL && at_right.result != NULL);
      of_left = hp_peer_connect_finish (left, at_left.result, &error);
      g_assert_no_error (error);
      of_right = hp_peer_connect_finish (right, at_right.result, &error);
      g_assert_no_error (error);
      await_time (100);
      g_assert_cmpuint (
          g_list_model_get_n_items (hp_peer_get_connections (left)), ==, 1);
      g_assert_cmpuint (
          g_list_model_get_n_items (hp_peer_get_connections (right)), ==, 1);
      g_assert_true (await_send (of_left, message, &error));
      g_assert_no_error (error);
      g_assert_true (await_send (of_right, message, &error));
      g_assert_no_error (error);

      await_close_connection (of_left);
      AWAIT (hp_connection_get_state (of_right) == HP_CONNECTION_STATE_CLOSED);
      g_clear_object (&at_left.result);
      g_clear_object (&at_right.result);
      await_time (20);
    }
  test_peer_free (left);
  test_peer_free (right);
}

static void
test_many (Fixture *self, gconstpointer data)
{
  enum
  {
    N = 30
  };
  HpPeer *callers[N];
  TestResult results[N] = { { NULL, 0 } };
  g_autoptr (GBytes) message = test_bytes_new (2000, 1);
  TestCounter received;

  test_counter_init (&received);
  g_signal_connect (self->callee, "message-received",
                    G_CALLBACK (test_counter_on_message), &received);
  for (guint i = 0; i < N; i++)
    {
      callers[i] = test_peer_new (self->server, NULL);
      hp_peer_send_message_async (callers[i], "wq", message, NULL,
                                  test_result_take, &results[i]);
    }
  for (guint i = 0; i < N; i++)
    {
      GError *error = NULL;

      AWAIT (results[i].result != NULL);
      hp_peer_send_message_finish (callers[i], results[i].result, &error);
      g_assert_no_error (error);
      test_result_clear (&results[i]);
    }
  g_assert_cmpuint (received.n, ==, N);
  for (guint i = 0; i < N; i++)
    test_peer_free (callers[i]);
  AWAIT (g_list_model_get_n_items (hp_peer_get_connections (self->callee))
         == 0);
  g_signal_handlers_disconnect_by_data (self->callee, &received);
  test_counter_clear (&received);
}

static void
test_ipv6 (void)
{
  HpMatchServer *server = test_server_new ("::1");
  HpPeer *callee = test_peer_new_started (server, "wq");
  HpPeer *caller = test_peer_new (server, NULL);
  HpConnection *connection;
  GSocketAddress *remote;

  check_talks (caller, "wq");
  connection = await_connection (caller, callee);
  remote = hp_connection_get_remote_address (connection);
  g_assert_cmpint (g_socket_address_get_family (remote), ==,
                   G_SOCKET_FAMILY_IPV6);
  g_assert_cmpint (hp_connection_get_path (connection), ==, HP_PATH_KIND_LAN);
  test_peer_free (caller);
  test_peer_free (callee);
  test_server_free (server);
}

/* A callee registers with all its servers, a caller asks all of its own; one
 * that is dead, or does not know the target, is no harm */
static void
test_several_servers (void)
{
  HpMatchServer *one = test_server_new (NULL);
  HpMatchServer *two = test_server_new (NULL);
  g_autofree char *name_one = test_server_get_name (one);
  g_autofree char *name_two = test_server_get_name (two);
  g_autofree char *both = g_strdup_printf ("%s, %s", name_one, name_two);
  g_autofree char *dead = g_strdup_printf ("127.0.0.1:1,%s", name_two);
  HpPeer *callee = hp_peer_new ("wq", both);
  HpPeer *at_two = hp_peer_new ("two", name_two);
  HpPeer *caller = hp_peer_new (NULL, both);
  HpPeer *second = hp_peer_new (NULL, dead);
  GError *error = NULL;

  await_start (callee, &error);
  g_assert_no_error (error);
  await_start (at_two, &error);
  g_assert_no_error (error);
  await_time (200);
  check_talks (caller, "wq");
  check_talks (caller, "two");
  check_talks (second, "wq");
  check_fails (caller, "nobody", HP_PUNCH_ERROR, HP_PUNCH_ERROR_UNKNOWN_ID);

  test_peer_free (caller);
  test_peer_free (second);
  test_peer_free (callee);
  test_peer_free (at_two);
  test_server_free (one);
  test_server_free (two);
}

/* The server comes back: everybody is there again within a keepalive interval,
 * and connections have not noticed */
static void
test_server_restart (Fixture *self, gconstpointer data)
{
  g_autoptr (HpConnection) connection = NULL;
  HpPeer *later;
  GError *error = NULL;
  guint port = test_server_get_port (self->server);

  hp_peer_set_keepalive_interval (self->callee, 1);
  connection = await_connect (self->caller, "wq", &error);
  g_assert_no_error (error);

  hp_match_server_stop (self->server);
  AWAIT (!hp_peer_get_registered (self->callee));
  hp_match_server_set_port (self->server, port);
  hp_match_server_start (self->server, &error);
  g_assert_no_error (error);
  AWAIT (hp_peer_get_registered (self->callee));

  later = test_peer_new (self->server, NULL);
  check_talks (later, "wq");
  test_peer_free (later);
  g_assert_cmpint (hp_connection_get_state (connection), ==,
                   HP_CONNECTION_STATE_CONNECTED);
  check_talks (self->caller, "wq");
}

static void
on_closed (HpConnection *connection, const GError *error, gpointer kept)
{
  g_assert_null (*(GError **) kept);
  g_assert_nonnull (error);
  *(GError **) kept = g_error_copy (error);
}

/* A peer whose program crashed (here: is not run any more) comes back with its
 * identity, and calls: its new connection takes the place of the old one */
static void
test_replaced (Fixture *self, gconstpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (HpIdentity) identity = hp_identity_new ();
  g_autoptr (HpConnection) old = NULL;
  g_autoptr (GBytes) message = test_bytes_new (100, 1);
  g_autofree char *name = test_server_get_name (self->server);
  g_auto (TestResult) opened = { 0 };
  HpPeer *before, *after;
  GError *closed = NULL;
  GError *error = NULL;

  before = g_object_new (HP_TYPE_PEER, "match-server", name, "identity",
                         identity, NULL);
  g_main_context_push_thread_default (context);
  hp_peer_connect_async (before, "wq", NULL, NULL, NULL);
  g_main_context_pop_thread_default (context);
  while (g_list_model_get_n_items (hp_peer_get_connections (before)) == 0
         || g_list_model_get_n_items (hp_peer_get_connections (self->callee))
                == 0)
    {
      g_main_context_iteration (context, FALSE);
      g_main_context_iteration (NULL, FALSE);
    }
  old = g_object_ref (await_connection (self->callee, before));
  g_signal_connect (old, "closed", G_CALLBACK (on_closed), &closed);

  after = g_object_new (HP_TYPE_PEER, "match-server", name, "identity",
                        identity, NULL);
  await_send_to (after, "wq", message, &error);
  g_assert_no_error (error);
  AWAIT (closed != NULL);
  g_assert_error (closed, HP_PUNCH_ERROR, HP_PUNCH_ERROR_REPLACED);
  g_clear_error (&closed);
  hp_connection_open_stream_async (old, NULL, test_result_take, &opened);
  AWAIT (opened.result != NULL);
  g_assert_null (
      hp_connection_open_stream_finish (old, opened.result, &error));
  g_assert_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_REPLACED);
  g_clear_error (&error);
  await_send (old, message, &error);
  g_assert_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_REPLACED);
  g_clear_error (&error);
  g_assert_false (hp_connection_send_message (old, message, &error));
  g_assert_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_REPLACED);
  g_clear_error (&error);
  g_assert_cmpuint (
      g_list_model_get_n_items (hp_peer_get_connections (self->callee)), ==, 1);

  /* And the old one hears of it, if it is still there */
  while (g_list_model_get_n_items (hp_peer_get_connections (before)) > 0)
    {
      g_main_context_iteration (context, FALSE);
      g_main_context_iteration (NULL, FALSE);
    }
  test_peer_free (after);
  g_main_context_push_thread_default (context);
  test_peer_free (before);
  g_main_context_pop_thread_default (context);
}

/* The newer one is introduced while the callee waits for the older one's first
 * DATA, now and then, and then both have the same link. */
static void
test_replaced_at_once (Fixture *self, gconstpointer data)
{
  g_autofree char *name = test_server_get_name (self->server);

  for (guint i = 0; i < 20; i++)
    {
      g_autoptr (HpIdentity) identity = hp_identity_new ();
      HpPeer *peers[2];

      for (guint j = 0; j < G_N_ELEMENTS (peers); j++)
        {
          g_autoptr (HpConnection) connection = NULL;
          GError *error = NULL;

          peers[j] = g_object_new (HP_TYPE_PEER, "match-server", name,
                                   "identity", identity, NULL);
          connection = await_connect (peers[j], "wq", &error);
          g_assert_no_error (error);
        }
      AWAIT (g_list_model_get_n_items (hp_peer_get_connections (peers[0]))
             == 0);
      g_assert_cmpuint (
          g_list_model_get_n_items (hp_peer_get_connections (peers[1])), ==, 1);
      for (guint j = 0; j < G_N_ELEMENTS (peers); j++)
        test_peer_free (peers[j]);
    }
}

/* The other side is not run for a while: the connection is interrupted, keeps
 * what is sent meanwhile, and goes on by itself */
static void
test_interrupted (Fixture *self, gconstpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (HpConnection) connection = NULL;
  g_autoptr (GBytes) message = test_bytes_new (100000, 1);
  g_auto (TestResult) result = { 0 };
  g_auto (TestResult) sent = { 0 };
  TestCounter received;
  HpPeer *sleeper;
  GError *error = NULL;

  test_counter_init (&received);
  hp_peer_set_keepalive_interval (self->caller, 1);
  sleeper = test_peer_new (self->server, "sleeper");
  g_signal_connect (sleeper, "message-received",
                    G_CALLBACK (test_counter_on_message), &received);
  g_main_context_push_thread_default (context);
  hp_peer_start_async (sleeper, NULL, NULL, NULL);
  g_main_context_pop_thread_default (context);
  while (!hp_peer_get_registered (sleeper))
    {
      g_main_context_iteration (context, FALSE);
      g_main_context_iteration (NULL, FALSE);
    }
  hp_peer_connect_async (self->caller, "sleeper", NULL, test_result_take,
                         &result);
  while (result.result == NULL
         || g_list_model_get_n_items (hp_peer_get_connections (sleeper)) == 0)
    {
      g_main_context_iteration (context, FALSE);
      g_main_context_iteration (NULL, FALSE);
    }
  connection = hp_peer_connect_finish (self->caller, result.result, &error);
  g_assert_no_error (error);

  AWAIT (hp_connection_get_state (connection)
         == HP_CONNECTION_STATE_INTERRUPTED);
  hp_connection_send_message_async (connection, message, NULL, test_result_take,
                                    &sent);
  await_time (500);
  g_assert_null (sent.result);
  while (sent.result == NULL
         || hp_connection_get_state (connection)
                != HP_CONNECTION_STATE_CONNECTED)
    {
      g_main_context_iteration (context, FALSE);
      g_main_context_iteration (NULL, FALSE);
    }
  g_assert_true (
      hp_connection_send_message_finish (connection, sent.result, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (received.n, ==, 1);
  g_assert_true (g_bytes_equal (received.messages->pdata[0], message));
  g_assert_cmpuint (
      g_list_model_get_n_items (hp_peer_get_connections (sleeper)), ==, 1);

  g_clear_object (&result.result);
  g_clear_object (&sent.result);
  g_main_context_push_thread_default (context);
  test_peer_free (sleeper);
  g_main_context_pop_thread_default (context);
  test_counter_clear (&received);
}

/* The callee crashed and came back; the caller has not noticed yet: once its
 * connection is interrupted a new call makes a new one */
static void
test_call_after_crash (Fixture *self, gconstpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (HpIdentity) identity = hp_identity_new ();
  g_autoptr (HpConnection) old = NULL;
  g_autofree char *name = test_server_get_name (self->server);
  g_autofree char *target = g_strdup (hp_identity_get_fingerprint (identity));
  g_auto (TestResult) result = { 0 };
  HpPeer *before, *after;
  GError *error = NULL;

  hp_peer_set_keepalive_interval (self->caller, 1);
  before = g_object_new (HP_TYPE_PEER, "id", "back", "match-server", name,
                         "identity", identity, NULL);
  g_main_context_push_thread_default (context);
  hp_peer_start_async (before, NULL, NULL, NULL);
  g_main_context_pop_thread_default (context);
  while (!hp_peer_get_registered (before))
    {
      g_main_context_iteration (context, FALSE);
      g_main_context_iteration (NULL, FALSE);
    }
  hp_peer_connect_async (self->caller, "back", NULL, test_result_take, &result);
  while (result.result == NULL
         || g_list_model_get_n_items (hp_peer_get_connections (before)) == 0)
    {
      g_main_context_iteration (context, FALSE);
      g_main_context_iteration (NULL, FALSE);
    }
  old = hp_peer_connect_finish (self->caller, result.result, &error);
  g_assert_no_error (error);

  after = g_object_new (HP_TYPE_PEER, "id", "back", "match-server", name,
                        "identity", identity, NULL);
  await_start (after, &error);
  g_assert_no_error (error);
  AWAIT (hp_connection_get_state (old) != HP_CONNECTION_STATE_CONNECTED);
  check_talks (self->caller, target);
  AWAIT (hp_connection_get_state (old) == HP_CONNECTION_STATE_CLOSED);
  await_connection (after, self->caller);

  g_clear_object (&result.result);
  test_peer_free (after);
  g_main_context_push_thread_default (context);
  test_peer_free (before);
  g_main_context_pop_thread_default (context);
}

/* Threads */

typedef struct
{
  HpPeer *peer;
  const char *match_server;
  guint n;     /* messages received */
  int is_done; /* atomic */
} Echo;

static void
echo (HpPeer *peer, HpConnection *connection, GBytes *message, gpointer data)
{
  Echo *self = data;

  self->n++;
  hp_connection_send_message (connection, message, NULL);
}

static gpointer
run_echo (gpointer data)
{
  Echo *self = data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  GError *error = NULL;

  g_main_context_push_thread_default (context);
  self->peer = hp_peer_new ("threaded", self->match_server);
  g_signal_connect (self->peer, "message-received", G_CALLBACK (echo), self);
  await_start (self->peer, &error);
  g_assert_no_error (error);
  g_atomic_int_set (&self->is_done, 1);
  while (g_atomic_int_get (&self->is_done) != 2)
    await_time (20);
  test_peer_free (self->peer);
  g_main_context_pop_thread_default (context);
  return NULL;
}

static void
test_threads (Fixture *self, gconstpointer data)
{
  g_autofree char *name = test_server_get_name (self->server);
  Echo other = { .match_server = name };
  g_autoptr (GBytes) message = test_bytes_new (50000, 1);
  GThread *thread;
  TestCounter received;

  test_counter_init (&received);
  g_signal_connect (self->caller, "message-received",
                    G_CALLBACK (test_counter_on_message), &received);
  thread = g_thread_new ("other", run_echo, &other);
  while (g_atomic_int_get (&other.is_done) == 0)
    await_time (20);
  for (guint i = 0; i < 50; i++)
    {
      GError *error = NULL;

      await_send_to (self->caller, "threaded", message, &error);
      g_assert_no_error (error);
    }
  AWAIT (received.n == 50);
  g_atomic_int_set (&other.is_done, 2);
  g_thread_join (thread);
  g_assert_cmpuint (other.n, ==, 50);
  g_signal_handlers_disconnect_by_data (self->caller, &received);
  test_counter_clear (&received);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(path, func)                                                        \
  g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  ADD ("/calls/failures", test_failures);
  ADD ("/calls/by-fingerprint", test_by_fingerprint);
  ADD ("/calls/no-id", test_no_id);
  ADD ("/calls/shared", test_shared);
  ADD ("/calls/cancel", test_cancel);
  ADD ("/calls/unreachable", test_unreachable);
  ADD ("/calls/no-server", test_no_server);
  ADD ("/calls/direct", test_direct);
  ADD ("/calls/simultaneous", test_simultaneous);
  ADD ("/calls/many", test_many);
  g_test_add_func ("/calls/ipv6", test_ipv6);
  g_test_add_func ("/calls/several-servers", test_several_servers);
  ADD ("/calls/server-restart", test_server_restart);
  ADD ("/calls/replaced", test_replaced);
  ADD ("/calls/replaced-at-once", test_replaced_at_once);
  ADD ("/calls/interrupted", test_interrupted);
  ADD ("/calls/after-crash", test_call_after_crash);
  ADD ("/calls/threads", test_threads);
#undef ADD
  return g_test_run ();
}
