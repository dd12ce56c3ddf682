/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "test-utils.h"

#include <string.h>

static void
answer (HpPeer *callee, HpConnection *sender, GBytes *message,
        gpointer user_data)
{
  g_autoptr (GBytes) text = g_bytes_new_static ("callee got you", 14);
  g_autoptr (GError) error = NULL;

  hp_connection_send_message (sender, text, &error);
  g_assert_no_error (error);
}

/* What the README begins with */
static void
test_quick_start (void)
{
  HpMatchServer *server = test_server_new (NULL);
  HpPeer *callee = test_peer_new_started (server, "wq");
  HpPeer *caller = test_peer_new (server, NULL);
  g_autofree char *eights = g_strnfill (10240, 8);
  g_autoptr (GBytes) message = g_bytes_new (eights, 10240);
  g_autoptr (GBytes) expected = g_bytes_new_static ("callee got you", 14);
  GError *error = NULL;
  TestCounter at_callee, at_caller;

  test_counter_init (&at_callee);
  test_counter_init (&at_caller);
  g_signal_connect (callee, "message-received", G_CALLBACK (answer), NULL);
  g_signal_connect (callee, "message-received",
                    G_CALLBACK (test_counter_on_message), &at_callee);
  g_signal_connect (caller, "message-received",
                    G_CALLBACK (test_counter_on_message), &at_caller);

  await_send_to (caller, "wq", message, &error);
  g_assert_no_error (error);
  AWAIT (at_caller.n == 1);
  g_assert_cmpuint (at_callee.n, ==, 1);
  g_assert_true (g_bytes_equal (at_callee.messages->pdata[0], message));
  g_assert_true (g_bytes_equal (at_caller.messages->pdata[0], expected));

  test_peer_free (caller);
  test_peer_free (callee);
  test_counter_clear (&at_callee);
  test_counter_clear (&at_caller);
  test_server_free (server);
}

static void
on_resolved (HpPeer *peer, HpConnection *connection, gpointer counter)
{
  ((TestCounter *) counter)->n++;
  g_assert_cmpint (hp_connection_get_state (connection), ==,
                   HP_CONNECTION_STATE_CONNECTED);
}

static void
on_connection_closed (HpPeer *peer, HpConnection *connection, gpointer counter)
{
  ((TestCounter *) counter)->n++;
  g_assert_cmpint (hp_connection_get_state (connection), ==,
                   HP_CONNECTION_STATE_CLOSED);
}

static void
on_closed (HpConnection *connection, const GError *error, gpointer counter)
{
  ((TestCounter *) counter)->n++;
  g_assert_null (error);
}

static void
check_addresses (HpConnection *one, HpConnection *other)
{
  GSocketAddress *local = hp_connection_get_local_address (one);
  GSocketAddress *remote = hp_connection_get_remote_address (other);

  g_assert_cmpint (
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (local)), ==,
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (remote)));
  g_assert_true (g_inet_address_equal (
      g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (local)),
      g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (remote))));
}

static void
test_connection (void)
{
  HpMatchServer *server = test_server_new (NULL);
  HpPeer *callee = test_peer_new_started (server, "wq");
  HpPeer *caller = test_peer_new_started (server, "caller");
  g_autoptr (GBytes) message = test_bytes_new (5000, 1);
  g_autoptr (HpConnection) connection = NULL;
  g_autoptr (HpConnection) same = NULL;
  g_autoptr (HpConnection) other = NULL;
  g_autoptr (HpStatistics) statistics = NULL;
  g_autofree char *pinned = NULL;
  TestCounter resolved, resolved_there, closed, closed_there, ended;
  GError *error = NULL;

  test_counter_init (&resolved);
  test_counter_init (&resolved_there);
  test_counter_init (&closed);
  test_counter_init (&closed_there);
  test_counter_init (&ended);
  g_signal_connect (caller, "peer-resolved", G_CALLBACK (on_resolved),
                    &resolved);
  g_signal_connect (callee, "peer-resolved", G_CALLBACK (on_resolved),
                    &resolved_there);
  g_signal_connect (caller, "connection-closed",
                    G_CALLBACK (on_connection_closed), &closed);
  g_signal_connect (callee, "connection-closed",
                    G_CALLBACK (on_connection_closed), &closed_there);

  hp_peer_set_max_datagram_size (caller, 1024);
  connection = await_connect (caller, "wq", &error);
  g_assert_no_error (error);
  other = g_object_ref (await_connection (callee, caller));
  g_assert_cmpuint (resolved.n, ==, 1);
  g_assert_cmpuint (resolved_there.n, ==, 1);
  g_signal_connect (other, "closed", G_CALLBACK (on_closed), &ended);

  g_assert_cmpstr (hp_connection_get_remote_id (connection), ==, "wq");
  g_assert_cmpstr (hp_connection_get_remote_id (other), ==, "caller");
  g_assert_cmpstr (hp_connection_get_fingerprint (connection), ==,
                   test_peer_get_fingerprint (callee));
  g_assert_cmpstr (hp_connection_get_fingerprint (other), ==,
                   test_peer_get_fingerprint (caller));
  g_assert_cmpint (hp_connection_get_path (connection), ==, HP_PATH_KIND_LAN);
  g_assert_cmpint (hp_connection_get_path (other), ==, HP_PATH_KIND_LAN);
  g_assert_cmpint (hp_connection_get_setup_time (connection), >, 0);
  g_assert_cmpint (hp_connection_get_setup_time (other), >, 0);
  g_assert_cmpuint (hp_connection_get_datagram_size (connection), ==, 1024);
  check_addresses (connection, other);
  check_addresses (other, connection);

  /* The same target, the same identity: the same connection */
  same = await_connect (caller, "wq", &error);
  g_assert_no_error (error);
  g_assert_true (same == connection);
  g_clear_object (&same);
  pinned = g_strdup_printf ("wq@%s", test_peer_get_fingerprint (callee));
  same = await_connect (caller, pinned, &error);
  g_assert_no_error (error);
  g_assert_true (same == connection);

  await_send (connection, message, &error);
  g_assert_no_error (error);
  g_assert_cmpint (hp_connection_get_round_trip_time (connection), >, 0);
  g_assert_cmpuint (hp_connection_get_queued_bytes (connection), ==, 0);
  statistics = hp_connection_get_statistics (connection);
  g_assert_cmpuint (hp_statistics_get_messages_sent (statistics), ==, 1);
  g_assert_cmpuint (hp_statistics_get_bytes_sent (statistics), ==, 5000);
  g_assert_cmpuint (hp_statistics_get_datagrams_sent (statistics), >=, 5);

  await_close_connection (connection);
  g_assert_cmpuint (closed.n, ==, 1);
  g_assert_cmpuint (g_list_model_get_n_items (hp_peer_get_connections (caller)),
                    ==, 0);
  AWAIT (closed_there.n == 1);
  g_assert_cmpuint (ended.n, ==, 1);
  g_assert_cmpint (hp_connection_get_path (other), ==, HP_PATH_KIND_NONE);
  g_assert_false (hp_connection_send_message (connection, message, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  await_send (connection, message, &error);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  await_close_connection (connection);
  g_clear_object (&statistics);
  statistics = hp_connection_get_statistics (connection);
  g_assert_cmpuint (hp_statistics_get_messages_sent (statistics), ==, 1);

  g_clear_object (&same);
  test_peer_free (caller);
  test_peer_free (callee);
  test_server_free (server);
  g_assert_finalize_object (g_steal_pointer (&connection));
  g_assert_finalize_object (g_steal_pointer (&other));
  test_counter_clear (&resolved);
  test_counter_clear (&resolved_there);
  test_counter_clear (&closed);
  test_counter_clear (&closed_there);
  test_counter_clear (&ended);
}

/* Properties */

static guint n_warnings;

static GLogWriterOutput
count_warnings (GLogLevelFlags level, const GLogField *fields, gsize n_fields,
                gpointer user_data)
{
  if ((level & G_LOG_LEVEL_MASK) == G_LOG_LEVEL_WARNING)
    {
      n_warnings++;
      return G_LOG_WRITER_HANDLED;
    }
  return g_log_writer_default (level, fields, n_fields, user_data);
}

static void
check_default (HpPeer *peer, const char *name, guint64 expected)
{
  g_auto (GValue) value = G_VALUE_INIT;
  g_auto (GValue) number = G_VALUE_INIT;

  g_object_get_property (G_OBJECT (peer), name, &value);
  g_value_init (&number, G_TYPE_UINT64);
  g_assert_true (g_value_transform (&value, &number));
  g_assert_cmpuint (g_value_get_uint64 (&number), ==, expected);
}

/* Notified once when it changes, and not when it does not */
static void
check_setting (HpPeer *peer, const char *name, guint64 other)
{
  g_autofree char *signal = g_strconcat ("notify::", name, NULL);
  g_auto (GValue) number = G_VALUE_INIT;
  GParamSpec *pspec = g_object_class_find_property (G_OBJECT_GET_CLASS (peer),
                                                    name);
  g_auto (GValue) value = G_VALUE_INIT;
  TestCounter counter = { 0 };
  gulong handler;

  handler = g_signal_connect (peer, signal, G_CALLBACK (test_counter_on_notify),
                              &counter);
  g_value_init (&number, G_TYPE_UINT64);
  g_value_set_uint64 (&number, other);
  g_value_init (&value, pspec->value_type);
  g_assert_true (g_value_transform (&number, &value));
  g_object_set_property (G_OBJECT (peer), name, &value);
  g_assert_cmpuint (counter.n, ==, 1);
  check_default (peer, name, other);
  g_object_set_property (G_OBJECT (peer), name, &value);
  g_assert_cmpuint (counter.n, ==, 1);
  g_signal_handler_disconnect (peer, handler);
}

static void
test_properties (void)
{
  HpPeer *peer = hp_peer_new (NULL, NULL);
  g_autoptr (HpIdentity) identity = hp_identity_new ();
  TestCounter counter = { 0 };

  check_default (peer, "port", 0);
  check_default (peer, "datagram-size", 1024);
  check_default (peer, "max-datagram-size", 0);
  check_default (peer, "max-message-size", 64 * 1024 * 1024);
  check_default (peer, "max-receive-window", 40 * 1024 * 1024);
  check_default (peer, "keepalive-interval", 15);
  check_default (peer, "connect-timeout", 20);
  check_default (peer, "max-nat-entries", 512);
  check_default (peer, "direct-calls", FALSE);
  check_default (peer, "port-mapping", TRUE);
  g_assert_false (hp_peer_get_registered (peer));
  g_assert_null (hp_peer_get_local_address (peer));
  g_assert_null (hp_peer_get_public_address (peer));
  g_assert_nonnull (hp_peer_get_identity (peer));
  g_assert_true (g_list_model_get_item_type (hp_peer_get_connections (peer))
                 == HP_TYPE_CONNECTION);

  check_setting (peer, "port", 40000);
  check_setting (peer, "datagram-size", 1200);
  check_setting (peer, "max-datagram-size", 1300);
  check_setting (peer, "max-message-size", 1000);
  check_setting (peer, "max-receive-window", 65536);
  check_setting (peer, "keepalive-interval", 2);
  check_setting (peer, "connect-timeout", 3);
  check_setting (peer, "max-nat-entries", 600);
  hp_peer_set_max_nat_entries (peer, 512);
  check_setting (peer, "direct-calls", TRUE);
  check_setting (peer, "port-mapping", FALSE);

  g_signal_connect (peer, "notify::id", G_CALLBACK (test_counter_on_notify),
                    &counter);
  hp_peer_set_id (peer, "");
  g_assert_null (hp_peer_get_id (peer));
  g_assert_cmpuint (counter.n, ==, 0);
  hp_peer_set_id (peer, "wq");
  hp_peer_set_id (peer, "wq");
  g_assert_cmpstr (hp_peer_get_id (peer), ==, "wq");
  g_assert_cmpuint (counter.n, ==, 1);
  hp_peer_set_match_server (peer, "example.org");
  g_assert_cmpstr (hp_peer_get_match_server (peer), ==, "example.org");
  hp_peer_set_identity (peer, identity);
  g_assert_true (hp_peer_get_identity (peer) == identity);
  g_assert_finalize_object (peer);
}

/* What the bindings make without asking: nothing crashes */
static void
test_bare_objects (void)
{
  HpConnection *connection = g_object_new (HP_TYPE_CONNECTION, NULL);
  g_autoptr (GBytes) message = test_bytes_new (10, 1);
  g_autoptr (HpStatistics) statistics = NULL;
  g_autofree GParamSpec **properties = NULL;
  GError *error = NULL;
  guint n;

  properties = g_object_class_list_properties (G_OBJECT_GET_CLASS (connection),
                                               &n);
  for (guint i = 0; i < n; i++)
    {
      g_auto (GValue) value = G_VALUE_INIT;

      g_object_get_property (G_OBJECT (connection), properties[i]->name,
                             &value);
    }
  g_assert_cmpint (hp_connection_get_state (connection), ==,
                   HP_CONNECTION_STATE_CLOSED);
  g_assert_cmpuint (hp_connection_get_datagram_size (connection), ==, 0);
  g_assert_false (hp_connection_send_message (connection, message, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  await_send (connection, message, &error);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  await_close_connection (connection);
  g_assert_finalize_object (connection);
}

static void
test_while_started (void)
{
  HpMatchServer *server = test_server_new (NULL);
  HpPeer *peer = test_peer_new_started (server, "wq");
  HpPeer *caller = test_peer_new_started (server, NULL);
  g_autoptr (HpIdentity) identity = hp_identity_new ();
  g_autoptr (HpConnection) connection = NULL;
  GError *error = NULL;

  g_assert_true (hp_peer_get_registered (peer));
  g_assert_false (hp_peer_get_registered (caller));
  g_assert_nonnull (hp_peer_get_local_address (peer));
  AWAIT (hp_peer_get_public_address (peer) != NULL);
  g_assert_cmpint (g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (
                       hp_peer_get_public_address (peer))),
                   ==,
                   g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (
                       hp_peer_get_local_address (peer))));

  /* What cannot change says so, and does not */
  n_warnings = 0;
  hp_peer_set_port (peer, 4);
  g_assert_cmpuint (n_warnings, ==, 1);
  g_assert_cmpuint (hp_peer_get_port (peer), ==, 0);
  hp_peer_set_identity (peer, identity);
  g_assert_cmpuint (n_warnings, ==, 2);
  g_assert_false (hp_peer_get_identity (peer) == identity);
  hp_peer_set_id (peer, "not\nan id");
  g_assert_cmpuint (n_warnings, ==, 3);
  g_assert_cmpstr (hp_peer_get_id (peer), ==, "wq");
  hp_peer_set_match_server (peer, "ftp://example.org");
  g_assert_cmpuint (n_warnings, ==, 4);

  /* The id can */
  hp_peer_set_id (peer, "other");
  AWAIT (hp_peer_get_registered (peer));
  connection = await_connect (caller, "other", &error);
  g_assert_no_error (error);
  g_clear_object (&connection);

  hp_peer_set_id (peer, NULL);
  AWAIT (!hp_peer_get_registered (peer));
  hp_peer_set_id (peer, "third");
  AWAIT (hp_peer_get_registered (peer));

  /* And the server */
  hp_peer_set_match_server (peer, NULL);
  g_assert_false (hp_peer_get_registered (peer));
  hp_peer_set_match_server (peer, hp_peer_get_match_server (caller));
  AWAIT (hp_peer_get_registered (peer));

  test_peer_free (caller);
  test_peer_free (peer);
  test_server_free (server);
}

static void
test_start_twice (void)
{
  HpMatchServer *server = test_server_new (NULL);
  HpPeer *peer = test_peer_new (server, "wq");
  g_auto (TestResult) first = { 0 };
  g_auto (TestResult) second = { 0 };
  g_auto (TestResult) closed = { 0 };
  g_auto (TestResult) refused = { 0 };
  GError *error = NULL;

  hp_peer_start_async (peer, NULL, test_result_take, &first);
  hp_peer_start_async (peer, NULL, test_result_take, &second);
  AWAIT (first.result != NULL && second.result != NULL);
  g_assert_true (hp_peer_start_finish (peer, first.result, &error));
  g_assert_true (hp_peer_start_finish (peer, second.result, &error));
  await_start (peer, &error);
  g_assert_no_error (error);

  /* While it closes it is told clearly; after that it starts again */
  hp_peer_close_async (peer, NULL, test_result_take, &closed);
  hp_peer_start_async (peer, NULL, test_result_take, &refused);
  AWAIT (closed.result != NULL && refused.result != NULL);
  g_assert_false (hp_peer_start_finish (peer, refused.result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_null (hp_peer_get_local_address (peer));
  g_assert_false (hp_peer_get_registered (peer));
  await_start (peer, &error);
  g_assert_no_error (error);
  g_assert_true (hp_peer_get_registered (peer));

  g_clear_object (&first.result);
  g_clear_object (&second.result);
  g_clear_object (&closed.result);
  g_clear_object (&refused.result);
  test_peer_free (peer);
  test_server_free (server);
}

static void
check_start_fails (HpPeer *peer, GQuark domain, int code)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (await_start (peer, &error));
  g_assert_error (error, domain, code);
  g_assert_null (hp_peer_get_local_address (peer));
}

static void
test_start_fails (void)
{
  HpMatchServer *server = test_server_new (NULL);
  HpPeer *holder = test_peer_new_started (server, "wq");
  HpPeer *peer = test_peer_new (server, "wq");
  g_autofree char *name = test_server_get_name (server);
  g_autofree char *wrong = NULL;
  g_autofree char *right = NULL;
  g_autoptr (HpIdentity) other = hp_identity_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (TestResult) result = { 0 };
  GError *error = NULL;

  check_start_fails (peer, HP_PUNCH_ERROR, HP_PUNCH_ERROR_ID_TAKEN);
  hp_peer_set_id (peer, "not\nan id");
  check_start_fails (peer, HP_PUNCH_ERROR, HP_PUNCH_ERROR_INVALID_TARGET);
  hp_peer_set_id (peer, "free");

  hp_peer_set_match_server (peer, "a host with spaces");
  check_start_fails (peer, HP_PUNCH_ERROR, HP_PUNCH_ERROR_MATCH_SERVER);
  hp_peer_set_match_server (peer, "nowhere.invalid");
  check_start_fails (peer, HP_PUNCH_ERROR, HP_PUNCH_ERROR_MATCH_SERVER);

  wrong = g_strdup_printf ("holepunch://%s@%s",
                           hp_identity_get_fingerprint (other), name);
  hp_peer_set_match_server (peer, wrong);
  check_start_fails (peer, HP_PUNCH_ERROR, HP_PUNCH_ERROR_IDENTITY_MISMATCH);
  right = g_strdup_printf (
      "holepunch://%s@%s",
      hp_identity_get_fingerprint (hp_match_server_get_identity (server)),
      name);
  hp_peer_set_match_server (peer, right);
  await_start (peer, &error);
  g_assert_no_error (error);
  await_close (peer);

  /* Nobody there */
  hp_peer_set_match_server (peer, "127.0.0.1:1");
  hp_peer_set_connect_timeout (peer, 1);
  check_start_fails (peer, HP_PUNCH_ERROR, HP_PUNCH_ERROR_MATCH_SERVER);
  hp_peer_start_async (peer, cancellable, test_result_take, &result);
  g_cancellable_cancel (cancellable);
  AWAIT (result.result != NULL);
  g_assert_false (hp_peer_start_finish (peer, result.result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  AWAIT (hp_peer_get_local_address (peer) == NULL);

  /* A port that is not free */
  hp_peer_set_port (
      peer, g_inet_socket_address_get_port (
                G_INET_SOCKET_ADDRESS (hp_peer_get_local_address (holder))));
  check_start_fails (peer, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);

  g_clear_object (&result.result);
  g_assert_finalize_object (peer);
  test_peer_free (holder);
  test_server_free (server);
}

static void
test_datagram_size (void)
{
  const guint sizes[] = { 512, 600, 1200, 8000 };
  HpMatchServer *server = test_server_new (NULL);
  HpPeer *callee = test_peer_new_started (server, "wq");
  g_autoptr (GBytes) message = test_bytes_new (100000, 1);

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      HpPeer *caller = test_peer_new (server, NULL);
      g_autoptr (HpConnection) connection = NULL;
      GError *error = NULL;

      hp_peer_set_datagram_size (caller, sizes[i]);
      hp_peer_set_max_datagram_size (caller, sizes[i]);
      connection = await_connect (caller, "wq", &error);
      g_assert_no_error (error);
      await_send (connection, message, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (hp_connection_get_datagram_size (connection), ==,
                        sizes[i]);
      test_peer_free (caller);
    }
  test_peer_free (callee);
  test_server_free (server);
}

static void
on_notify (GObject *object, GParamSpec *spec, gpointer count)
{
  (*(guint *) count)++;
}

/* Larger datagrams where the interface takes them: 65,536 bytes with headers
 * of IPv6, or a little more by IPv4 */
static void
test_datagram_size_found (void)
{
  const guint limits[][2] = { { 0, 65488 }, { 1400, 1400 }, { 512, 1024 } };
  HpMatchServer *server = test_server_new (NULL);
  HpPeer *callee = test_peer_new_started (server, "wq");
  g_autoptr (GBytes) message = test_bytes_new (100000, 1);

  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    {
      HpPeer *caller = test_peer_new (server, NULL);
      g_autoptr (HpConnection) connection = NULL;
      guint n_notified = 0;
      GError *error = NULL;

      hp_peer_set_max_datagram_size (caller, limits[i][0]);
      connection = await_connect (caller, "wq", &error);
      g_assert_no_error (error);
      await_time (100);
      g_assert_cmpuint (hp_connection_get_datagram_size (connection), ==,
                        1024);
      g_signal_connect (connection, "notify::datagram-size",
                        G_CALLBACK (on_notify), &n_notified);
      await_send (connection, message, &error);
      g_assert_no_error (error);
      AWAIT (hp_connection_get_datagram_size (connection) >= limits[i][1]);
      AWAIT (n_notified == (limits[i][1] != 1024));
      for (guint n = 0; n < 10; n++)
        {
          await_send (connection, message, &error);
          g_assert_no_error (error);
        }
      if (limits[i][0] != 0)
        g_assert_cmpuint (hp_connection_get_datagram_size (connection), ==,
                          limits[i][1]);
      test_peer_free (caller);
    }
  test_peer_free (callee);
  test_server_free (server);
}

/* A class of one's own */

typedef struct
{
  HpPeer parent_instance;
  guint n_messages, n_resolved, n_closed;
} OwnPeer;

typedef struct
{
  HpPeerClass parent_class;
} OwnPeerClass;

static GType own_peer_get_type (void);
G_DEFINE_TYPE (OwnPeer, own_peer, HP_TYPE_PEER)

static void
own_peer_message_received (HpPeer *peer, HpConnection *connection,
                           GBytes *message)
{
  ((OwnPeer *) peer)->n_messages++;
}

static void
own_peer_resolved (HpPeer *peer, HpConnection *connection)
{
  ((OwnPeer *) peer)->n_resolved++;
}

static void
own_peer_connection_closed (HpPeer *peer, HpConnection *connection)
{
  ((OwnPeer *) peer)->n_closed++;
}

static void
own_peer_class_init (OwnPeerClass *klass)
{
  HpPeerClass *peer_class = HP_PEER_CLASS (klass);

  peer_class->message_received = own_peer_message_received;
  peer_class->peer_resolved = own_peer_resolved;
  peer_class->connection_closed = own_peer_connection_closed;
}

static void
own_peer_init (OwnPeer *self)
{
}

static void
test_derived (void)
{
  HpMatchServer *server = test_server_new (NULL);
  g_autofree char *name = test_server_get_name (server);
  OwnPeer *own = g_object_new (own_peer_get_type (), "id", "wq", "match-server",
                               name, NULL);
  HpPeer *caller = test_peer_new (server, NULL);
  g_autoptr (GBytes) message = test_bytes_new (10, 1);
  GError *error = NULL;

  await_start (HP_PEER (own), &error);
  g_assert_no_error (error);
  await_send_to (caller, "wq", message, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (own->n_messages, ==, 1);
  g_assert_cmpuint (own->n_resolved, ==, 1);
  test_peer_free (caller);
  AWAIT (own->n_closed == 1);
  test_peer_free (HP_PEER (own));
  test_server_free (server);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR);
  g_log_set_writer_func (count_warnings, NULL, NULL);

  g_test_add_func ("/peer/quick-start", test_quick_start);
  g_test_add_func ("/peer/connection", test_connection);
  g_test_add_func ("/peer/properties", test_properties);
  g_test_add_func ("/peer/bare-objects", test_bare_objects);
  g_test_add_func ("/peer/while-started", test_while_started);
  g_test_add_func ("/peer/start-twice", test_start_twice);
  g_test_add_func ("/peer/start-fails", test_start_fails);
  g_test_add_func ("/peer/datagram-size", test_datagram_size);
  g_test_add_func ("/peer/datagram-size-found", test_datagram_size_found);
  g_test_add_func ("/peer/derived", test_derived);
  return g_test_run ();
}
