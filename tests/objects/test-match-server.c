/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* HpMatchServer without peers: properties, starting and stopping. What it does
 * for peers is in test-matching.c. */

#include "hole-punch/hp-identity-private.h"
#include "hole-punch/hp-match-server.h"
#include "hole-punch/hp-memory-registry.h"

#include "objects-test.h"

#include <string.h>

static HpMatchServer *
new_server (void)
{
  return g_object_new (HP_TYPE_MATCH_SERVER, "port", 0, "listen-address",
                       "127.0.0.1", NULL);
}

static void
start (HpMatchServer *server)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (hp_match_server_start (server, &error));
  g_assert_no_error (error);
}

static void
test_defaults (void)
{
  HpMatchServer *server = g_object_new (HP_TYPE_MATCH_SERVER, NULL);
  g_autoptr (HpServerStatistics) statistics
      = hp_match_server_get_statistics (server);

  g_assert_null (hp_match_server_get_listen_address (server));
  g_assert_cmpuint (hp_match_server_get_port (server), ==, 4222);
  g_assert_null (hp_match_server_get_identity (server));
  g_assert_null (hp_match_server_get_registry (server));
  g_assert_cmpuint (hp_match_server_get_registration_lifetime (server), ==,
                    120);
  g_assert_cmpuint (hp_match_server_get_max_peers (server), ==, 100000);
  g_assert_cmpuint (hp_match_server_get_max_handshakes_per_second (server),
                    ==, 100);
  g_assert_cmpuint (hp_match_server_get_max_asks_per_minute (server), ==, 60);
  g_assert_cmpuint (
      hp_match_server_get_max_total_handshakes_per_second (server), ==, 2000);
  g_assert_cmpuint (
      hp_match_server_get_max_registrations_per_network (server), ==, 10000);
  g_assert_cmpuint (hp_match_server_get_max_stun_per_second (server), ==, 400);
  g_assert_null (hp_match_server_get_local_address (server));
  g_assert_cmpuint (
      hp_server_statistics_get_datagrams_received (statistics), ==, 0);
  g_assert_cmpuint (hp_server_statistics_get_workers (statistics), ==, 0);
  g_assert_true (hp_server_statistics_get_registry_healthy (statistics));
  hp_match_server_stop (server);
  g_assert_finalize_object (server);

  server = hp_match_server_new (4711);
  g_assert_cmpuint (hp_match_server_get_port (server), ==, 4711);
  g_assert_finalize_object (server);
}

static void
test_limits (void)
{
  static const char *const names[]
      = { "port", "registration-lifetime", "max-peers",
          "max-handshakes-per-second", "max-asks-per-minute",
          "max-total-handshakes-per-second", "max-registrations-per-network",
          "max-stun-per-second" };
  HpMatchServer *server = hp_match_server_new (0);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      guint n = 0;
      guint value = 0;

      objects_test_count_notify (server, names[i], &n);
      g_object_set (server, names[i], 17, NULL);
      g_object_set (server, names[i], 17, NULL);
      g_assert_cmpuint (n, ==, 1);
      g_object_get (server, names[i], &value, NULL);
      g_assert_cmpuint (value, ==, 17);
      g_object_set (server, names[i], 18, NULL);
      g_assert_cmpuint (n, ==, 2);
    }
  g_assert_cmpuint (hp_match_server_get_port (server), ==, 18);
  g_assert_cmpuint (hp_match_server_get_registration_lifetime (server), ==,
                    18);
  g_assert_cmpuint (hp_match_server_get_max_peers (server), ==, 18);
  g_assert_cmpuint (hp_match_server_get_max_handshakes_per_second (server),
                    ==, 18);
  g_assert_cmpuint (hp_match_server_get_max_asks_per_minute (server), ==, 18);
  g_assert_cmpuint (
      hp_match_server_get_max_total_handshakes_per_second (server), ==, 18);
  g_assert_cmpuint (
      hp_match_server_get_max_registrations_per_network (server), ==, 18);
  g_assert_cmpuint (hp_match_server_get_max_stun_per_second (server), ==, 18);
  g_assert_finalize_object (server);
}

static void
test_objects (void)
{
  HpMatchServer *server = hp_match_server_new (0);
  HpIdentity *identity = hp_identity_new ();
  HpMemoryRegistry *registry = hp_memory_registry_new ();
  g_autoptr (HpIdentity) got_identity = NULL;
  g_autoptr (HpRegistry) got_registry = NULL;
  g_autofree char *listen_address = NULL;
  guint n = 0;

  objects_test_count_notify (server, "identity", &n);
  objects_test_count_notify (server, "registry", &n);
  objects_test_count_notify (server, "listen-address", &n);
  for (guint i = 0; i < 2; i++)
    g_object_set (server, "identity", identity, "registry", registry,
                  "listen-address", "127.0.0.1", NULL);
  g_assert_cmpuint (n, ==, 3);
  g_object_get (server, "identity", &got_identity, "registry", &got_registry,
                "listen-address", &listen_address, NULL);
  g_assert_true (got_identity == identity);
  g_assert_true (got_registry == HP_REGISTRY (registry));
  g_assert_cmpstr (listen_address, ==, "127.0.0.1");
  g_assert_true (hp_match_server_get_identity (server) == identity);
  g_assert_true (hp_match_server_get_registry (server)
                 == HP_REGISTRY (registry));

  hp_match_server_set_identity (server, NULL);
  hp_match_server_set_registry (server, NULL);
  hp_match_server_set_listen_address (server, NULL);
  g_assert_cmpuint (n, ==, 6);
  g_assert_null (hp_match_server_get_identity (server));
  g_assert_null (hp_match_server_get_registry (server));
  g_assert_null (hp_match_server_get_listen_address (server));

  g_clear_object (&got_identity);
  g_clear_object (&got_registry);
  g_assert_finalize_object (server);
  g_assert_finalize_object (identity);
  g_assert_finalize_object (registry);
}

static void
test_start_and_stop (void)
{
  HpMatchServer *server = new_server ();
  g_autoptr (GSocketAddress) address = NULL;
  HpIdentity *identity;
  HpRegistry *registry;
  guint n = 0;
  guint port;

  objects_test_count_notify (server, "port", &n);
  objects_test_count_notify (server, "local-address", &n);
  objects_test_count_notify (server, "identity", &n);
  objects_test_count_notify (server, "registry", &n);
  start (server);
  g_assert_cmpuint (n, ==, 4);
  port = hp_match_server_get_port (server);
  g_assert_cmpuint (port, !=, 0);
  g_object_get (server, "local-address", &address, NULL);
  g_assert_cmpuint (
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)), ==,
      port);
  g_assert_true (address == hp_match_server_get_local_address (server));
  identity = hp_match_server_get_identity (server);
  registry = hp_match_server_get_registry (server);
  g_assert_true (HP_IS_IDENTITY (identity));
  g_assert_true (HP_IS_MEMORY_REGISTRY (registry));
  /* It is running: nothing happens. */
  start (server);
  g_assert_cmpuint (n, ==, 4);

  hp_match_server_stop (server);
  g_assert_cmpuint (n, ==, 6);
  g_assert_cmpuint (hp_match_server_get_port (server), ==, 0);
  g_assert_null (hp_match_server_get_local_address (server));
  hp_match_server_stop (server);
  g_assert_cmpuint (n, ==, 6);

  /* Who it is and who owns which id stays. */
  start (server);
  g_assert_cmpuint (n, ==, 8);
  g_assert_true (hp_match_server_get_identity (server) == identity);
  g_assert_true (hp_match_server_get_registry (server) == registry);
  hp_match_server_stop (server);
  g_clear_object (&address);
  g_assert_finalize_object (server);
}

static void
test_restart_on_port (void)
{
  HpMatchServer *server = new_server ();
  guint port;
  guint n = 0;

  start (server);
  port = hp_match_server_get_port (server);
  hp_match_server_stop (server);
  hp_match_server_set_port (server, port);
  objects_test_count_notify (server, "port", &n);
  for (guint i = 0; i < 20; i++)
    {
      start (server);
      g_assert_cmpuint (hp_match_server_get_port (server), ==, port);
      hp_match_server_stop (server);
    }
  g_assert_cmpuint (n, ==, 0);
  g_assert_finalize_object (server);
}

/* It must say which port, and be none the worse for it. */
static void
test_port_in_use (void)
{
  HpMatchServer *first = new_server ();
  HpMatchServer *second = new_server ();
  g_autoptr (GError) error = NULL;
  g_autofree char *port = NULL;
  guint n = 0;

  start (first);
  hp_match_server_set_port (second, hp_match_server_get_port (first));
  port = g_strdup_printf ("port %u", hp_match_server_get_port (first));
  objects_test_count_notify (second, "identity", &n);
  objects_test_count_notify (second, "local-address", &n);
  g_assert_false (hp_match_server_start (second, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
  g_assert_nonnull (strstr (error->message, port));
  g_assert_nonnull (strstr (error->message, "127.0.0.1"));
  g_assert_false (hp_match_server_start (second, NULL));
  g_assert_cmpuint (n, ==, 0);
  g_assert_null (hp_match_server_get_local_address (second));

  hp_match_server_stop (first);
  start (second);
  g_assert_cmpuint (n, ==, 2);
  hp_match_server_stop (second);
  g_assert_finalize_object (first);
  g_assert_finalize_object (second);
}

static void
test_invalid_address (gconstpointer data)
{
  HpMatchServer *server = hp_match_server_new (0);
  g_autoptr (GError) error = NULL;

  hp_match_server_set_listen_address (server, data);
  g_assert_false (hp_match_server_start (server, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (error->message, data));
  g_assert_finalize_object (server);
}

static void
test_two_servers (void)
{
  HpMatchServer *first = new_server ();
  HpMatchServer *second = new_server ();

  start (first);
  start (second);
  g_assert_cmpuint (hp_match_server_get_port (first), !=,
                    hp_match_server_get_port (second));
  g_assert_cmpstr (
      hp_identity_get_fingerprint (hp_match_server_get_identity (first)), !=,
      hp_identity_get_fingerprint (hp_match_server_get_identity (second)));
  hp_match_server_stop (first);
  hp_match_server_stop (second);
  g_assert_finalize_object (first);
  g_assert_finalize_object (second);
}

static void
on_notify_stop (HpMatchServer *server, GParamSpec *pspec, gpointer user_data)
{
  if (hp_match_server_get_local_address (server) != NULL)
    hp_match_server_stop (server);
}

static void
test_stop_in_notify (void)
{
  HpMatchServer *server = new_server ();
  gulong handler = g_signal_connect (server, "notify::local-address",
                                     G_CALLBACK (on_notify_stop), NULL);

  start (server);
  g_assert_null (hp_match_server_get_local_address (server));
  g_signal_handler_disconnect (server, handler);
  start (server);
  g_assert_nonnull (hp_match_server_get_local_address (server));
  hp_match_server_stop (server);
  g_assert_finalize_object (server);
}

static void
on_notify_drop (HpMatchServer *server, GParamSpec *pspec, gpointer user_data)
{
  if (hp_match_server_get_local_address (server) == NULL)
    return;
  hp_match_server_stop (server);
  g_object_unref (server);
}

/* The handler drops the last reference while start() runs. */
static void
test_drop_in_notify (void)
{
  HpMatchServer *server = new_server ();

  g_object_add_weak_pointer (G_OBJECT (server), (gpointer *) &server);
  g_signal_connect (server, "notify::local-address",
                    G_CALLBACK (on_notify_drop), NULL);
  start (server);
  g_assert_null (server);
}

static void
test_holds_itself (void)
{
  HpMatchServer *server = new_server ();
  gpointer weak = server;

  g_object_add_weak_pointer (G_OBJECT (server), &weak);
  start (server);
  g_object_unref (server);
  objects_test_settle (20);
  g_assert_nonnull (weak);
  hp_match_server_stop (server);
  g_assert_null (weak);
}

static void
test_dispose (void)
{
  HpMatchServer *server = new_server ();
  HpMatchServer *other = new_server ();

  start (server);
  hp_match_server_set_port (other, hp_match_server_get_port (server));
  g_object_run_dispose (G_OBJECT (server));
  g_assert_null (hp_match_server_get_local_address (server));
  start (other);
  hp_match_server_stop (server);
  hp_match_server_stop (other);
  g_assert_finalize_object (server);
  g_assert_finalize_object (other);
}

/* While it runs these are refused, by a critical: fatal here */

static void
test_refused (gconstpointer data)
{
  const char *property = data;
  g_autofree char *pattern = NULL;

  if (g_test_subprocess ())
    {
      g_autoptr (HpMatchServer) server = new_server ();
      g_autoptr (HpIdentity) identity = hp_identity_new ();
      g_autoptr (HpMemoryRegistry) registry = hp_memory_registry_new ();

      start (server);
      /* What it is already is no change. */
      g_object_set (server, "port", hp_match_server_get_port (server),
                    "listen-address", "127.0.0.1", "identity",
                    hp_match_server_get_identity (server), "registry",
                    hp_match_server_get_registry (server), NULL);
      if (strcmp (property, "port") == 0)
        hp_match_server_set_port (server, 0);
      else if (strcmp (property, "listen-address") == 0)
        hp_match_server_set_listen_address (server, NULL);
      else if (strcmp (property, "identity") == 0)
        hp_match_server_set_identity (server, identity);
      else
        hp_match_server_set_registry (server, HP_REGISTRY (registry));
      return;
    }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  pattern = g_strdup_printf ("*HpMatchServer:%s cannot be changed*",
                             property);
  g_test_trap_assert_stderr (pattern);
}

static void
test_change_limits (void)
{
  HpMatchServer *server = new_server ();
  guint n = 0;

  start (server);
  objects_test_count_notify (server, "max-peers", &n);
  hp_match_server_set_registration_lifetime (server, 30);
  hp_match_server_set_max_peers (server, 10);
  hp_match_server_set_max_handshakes_per_second (server, 10);
  hp_match_server_set_max_asks_per_minute (server, 10);
  g_assert_cmpuint (n, ==, 1);
  objects_test_settle (20);
  hp_match_server_stop (server);
  g_assert_cmpuint (hp_match_server_get_max_peers (server), ==, 10);
  g_assert_finalize_object (server);
}

/* Raw datagrams */

static GSocket *
new_socket (HpMatchServer *server)
{
  g_autoptr (GError) error = NULL;
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM,
                                  G_SOCKET_PROTOCOL_UDP, &error);

  g_assert_no_error (error);
  g_socket_set_blocking (socket, FALSE);
  g_assert_true (g_socket_connect (
      socket, hp_match_server_get_local_address (server), NULL, &error));
  return socket;
}

static void
say_hello (GSocket *socket)
{
  guint8 bytes[HP_HELLO_MIN_SIZE] = { 0 };
  HpHello hello = { .version = HP_PROTOCOL_VERSION };
  g_autoptr (GError) error = NULL;
  HpWriter writer;

  hp_writer_init (&writer, bytes, sizeof bytes);
  hp_packet_write_hello (&hello, &writer);
  g_assert_cmpint (g_socket_send (socket, (char *) bytes, sizeof bytes, NULL,
                                  &error),
                   ==, sizeof bytes);
}

/* The server's fingerprint, from its COOKIE */
static void
receive_cookie (GSocket *socket, GMainContext *context,
                char fingerprint[HP_FINGERPRINT_LENGTH + 1])
{
  gint64 end = g_get_monotonic_time () + 20 * G_TIME_SPAN_SECOND;
  HpCookiePacket cookie;
  guint8 bytes[512];
  gssize length;

  while ((length = g_socket_receive (socket, (char *) bytes, sizeof bytes,
                                     NULL, NULL))
         <= 0)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      if (!g_main_context_iteration (context, FALSE))
        g_usleep (1000);
    }
  g_assert_true (hp_packet_parse_cookie (&cookie, bytes, length));
  g_assert_true (cookie.has_public_key);
  hp_fingerprint_format (fingerprint, cookie.public_key);
}

static guint64
get_number (HpMatchServer *server, const char *property)
{
  g_autoptr (HpServerStatistics) statistics = NULL;
  guint64 number = 0;

  g_object_get (server, "statistics", &statistics, NULL);
  g_object_get (statistics, property, &number, NULL);
  return number;
}

static void
test_statistics (void)
{
  HpMatchServer *server = new_server ();
  g_autoptr (GSocket) socket = NULL;
  char fingerprint[HP_FINGERPRINT_LENGTH + 1];

  start (server);
  g_assert_cmpuint (get_number (server, "datagrams-received"), ==, 0);
  socket = new_socket (server);
  say_hello (socket);
  receive_cookie (socket, NULL, fingerprint);
  g_assert_cmpstr (
      fingerprint, ==,
      hp_identity_get_fingerprint (hp_match_server_get_identity (server)));
  g_assert_cmpuint (get_number (server, "datagrams-received"), ==, 1);
  g_assert_cmpuint (get_number (server, "datagrams-sent"), ==, 1);
  g_assert_cmpuint (get_number (server, "datagrams-dropped"), ==, 0);

  g_assert_cmpint (g_socket_send (socket, "garbage", 7, NULL, NULL), ==, 7);
  await (get_number (server, "datagrams-received") == 2);
  g_assert_cmpuint (get_number (server, "datagrams-dropped"), ==, 1);

  /* The last word of a run stays to be read, until the next run. */
  hp_match_server_stop (server);
  g_assert_cmpuint (get_number (server, "datagrams-received"), ==, 2);
  g_assert_cmpuint (get_number (server, "datagrams-dropped"), ==, 1);
  g_assert_cmpuint (get_number (server, "peers"), ==, 0);
  start (server);
  g_assert_cmpuint (get_number (server, "datagrams-received"), ==, 0);
  hp_match_server_stop (server);
  g_assert_finalize_object (server);
}

/* It lives in the context that is the thread-default one at its start. */
static void
test_context (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  HpMatchServer *server = new_server ();
  g_autoptr (GSocket) socket = NULL;
  char fingerprint[HP_FINGERPRINT_LENGTH + 1];

  g_main_context_push_thread_default (context);
  start (server);
  g_main_context_pop_thread_default (context);
  socket = new_socket (server);
  say_hello (socket);
  objects_test_settle (50);
  g_assert_cmpuint (get_number (server, "datagrams-received"), ==, 0);
  receive_cookie (socket, context, fingerprint);
  g_assert_cmpuint (get_number (server, "datagrams-received"), ==, 1);
  hp_match_server_stop (server);
  g_assert_finalize_object (server);
}

/* As IPv4 and IPv6 both, when no address is given */
static void
test_any_address (void)
{
  HpMatchServer *server = hp_match_server_new (0);
  GInetSocketAddress *address;

  start (server);
  address = G_INET_SOCKET_ADDRESS (hp_match_server_get_local_address (server));
  g_assert_true (g_inet_address_get_is_any (
      g_inet_socket_address_get_address (address)));
  g_assert_cmpuint (g_inet_socket_address_get_port (address), ==,
                    hp_match_server_get_port (server));
  hp_match_server_stop (server);
  g_assert_finalize_object (server);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/match-server/defaults", test_defaults);
  g_test_add_func ("/match-server/limits", test_limits);
  g_test_add_func ("/match-server/objects", test_objects);
  g_test_add_func ("/match-server/start-and-stop", test_start_and_stop);
  g_test_add_func ("/match-server/restart-on-port", test_restart_on_port);
  g_test_add_func ("/match-server/port-in-use", test_port_in_use);
  g_test_add_data_func ("/match-server/invalid-address/name", "localhost",
                        test_invalid_address);
  g_test_add_data_func ("/match-server/invalid-address/empty", "",
                        test_invalid_address);
  g_test_add_func ("/match-server/two-servers", test_two_servers);
  g_test_add_func ("/match-server/stop-in-notify", test_stop_in_notify);
  g_test_add_func ("/match-server/drop-in-notify", test_drop_in_notify);
  g_test_add_func ("/match-server/holds-itself", test_holds_itself);
  g_test_add_func ("/match-server/dispose", test_dispose);
  g_test_add_data_func ("/match-server/refused/port", "port", test_refused);
  g_test_add_data_func ("/match-server/refused/listen-address",
                        "listen-address", test_refused);
  g_test_add_data_func ("/match-server/refused/identity", "identity",
                        test_refused);
  g_test_add_data_func ("/match-server/refused/registry", "registry",
                        test_refused);
  g_test_add_func ("/match-server/change-limits", test_change_limits);
  g_test_add_func ("/match-server/statistics", test_statistics);
  g_test_add_func ("/match-server/context", test_context);
  g_test_add_func ("/match-server/any-address", test_any_address);
  return g_test_run ();
}
