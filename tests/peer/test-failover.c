/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Peers and names of match servers: what they resolve to changes, some of it
 * is dead, all of it goes away. How soon clients notice and how they spread is
 * in tests/engine/test-match-failover.c.
 */

#include <string.h>

#include "hole-punch/engine/hp-match-client.h"
#include "hole-punch/io/hp-clock.h"
#include "test-utils.h"

#define NAME "match.test"

/* A resolver that knows one name */

typedef struct
{
  GResolver parent_instance;
  const char *const *addresses;
  guint n_asked;
} TestResolver;

typedef GResolverClass TestResolverClass;

GType test_resolver_get_type (void);
G_DEFINE_TYPE (TestResolver, test_resolver, G_TYPE_RESOLVER)

static void
free_addresses (gpointer addresses)
{
  g_resolver_free_addresses (addresses);
}

static void
lookup_async (GResolver *resolver, const char *name, GCancellable *cancellable,
              GAsyncReadyCallback callback, gpointer user_data)
{
  TestResolver *self = (TestResolver *) resolver;
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  GList *found = NULL;

  g_assert_cmpstr (name, ==, NAME);
  self->n_asked++;
  for (guint i = 0; self->addresses[i] != NULL; i++)
    found = g_list_append (
        found, g_inet_address_new_from_string (self->addresses[i]));
  if (found != NULL)
    g_task_return_pointer (task, found, free_addresses);
  else
    g_task_return_new_error (task, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND,
                             "no such name");
}

static GList *
lookup_finish (GResolver *resolver, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
test_resolver_class_init (TestResolverClass *klass)
{
  klass->lookup_by_name_async = lookup_async;
  klass->lookup_by_name_finish = lookup_finish;
}

static void
test_resolver_init (TestResolver *self)
{
}

static TestResolver *resolver;

static void
set_addresses (const char *const *addresses)
{
  resolver->addresses = addresses;
  resolver->n_asked = 0;
}

/* With the identity that all servers of one name have, at one port */

static HpIdentity *identity;
static guint port;

static HpMatchServer *
server_new (const char *address)
{
  HpMatchServer *server = hp_match_server_new (port);
  GError *error = NULL;

  hp_match_server_set_identity (server, identity);
  hp_match_server_set_listen_address (server, address);
  hp_match_server_start (server, &error);
  g_assert_no_error (error);
  port = test_server_get_port (server);
  return server;
}

static HpPeer *
peer_new (const char *id)
{
  g_autofree char *name = g_strdup_printf (NAME ":%u", port);

  return hp_peer_new (id, name);
}

static HpPeer *
peer_new_started (const char *id)
{
  HpPeer *peer = peer_new (id);
  GError *error = NULL;

  await_start (peer, &error);
  g_assert_no_error (error);
  return peer;
}

static double
await_registered (HpPeer *peer, gboolean is_registered)
{
  gint64 began = g_get_monotonic_time ();

  AWAIT (hp_peer_get_registered (peer) == is_registered);
  return (g_get_monotonic_time () - began) / 1e6;
}

/* Nothing answers at what the name is; then it is another address. */
static void
test_name_changes_at_start (void)
{
  static const char *const before[] = { "127.0.0.9", NULL };
  static const char *const after[] = { "127.0.0.1", NULL };
  HpMatchServer *server = server_new ("127.0.0.1");
  g_auto (TestResult) started = { 0 };
  gint64 began = g_get_monotonic_time ();
  HpPeer *peer;

  set_addresses (before);
  peer = peer_new ("wq");
  hp_peer_start_async (peer, NULL, test_result_take, &started);
  await_time (500);
  g_assert_cmpuint (started.n_calls, ==, 0);
  set_addresses (after);
  AWAIT (started.n_calls == 1);
  g_assert_true (hp_peer_start_finish (peer, started.result, NULL));
  g_assert_cmpint (g_get_monotonic_time () - began, <, 5 * G_TIME_SPAN_SECOND);
  /* Once it has what it wants, it asks no more. */
  await_time (5000);
  g_assert_cmpuint (resolver->n_asked, ==, 1);
  test_result_clear (&started);
  test_peer_free (peer);
  test_server_free (server);
}

/* The server says good-bye, and is gone for good; a while later the name is
 * another address. */
static void
test_name_changes_later (void)
{
  static const char *const before[] = { "127.0.0.1", NULL };
  static const char *const after[] = { "127.0.0.2", NULL };
  HpMatchServer *server = server_new ("127.0.0.1");
  HpMatchServer *next;
  double took;
  HpPeer *peer;

  set_addresses (before);
  peer = peer_new_started ("wq");
  test_server_free (server);
  await_registered (peer, FALSE);
  await_time (3000);
  g_assert_cmpuint (resolver->n_asked, >=, 2);
  next = server_new ("127.0.0.2");
  set_addresses (after);
  took = await_registered (peer, TRUE);
  g_test_message ("registered %.1f s after the change", took);
  g_assert_cmpfloat (took, <, 8);
  test_peer_free (peer);
  test_server_free (next);
}

/* One of three is dead, another leaves: whoever was with it is with the third,
 * and two that talk do not notice. */
static void
test_three_addresses (void)
{
  static const char *const all[] = { "127.0.0.9", "127.0.0.1", "127.0.0.2",
                                     NULL };
  HpMatchServer *first = server_new ("127.0.0.1");
  HpMatchServer *second;
  g_autoptr (HpConnection) connection = NULL;
  g_autoptr (GBytes) message = test_bytes_new (1000, 1);
  GError *error = NULL;
  HpPeer *a, *b;
  double took;

  set_addresses (all);
  a = peer_new_started ("a");
  b = peer_new_started ("b");
  connection = await_connect (a, "b", &error);
  g_assert_no_error (error);
  second = server_new ("127.0.0.2");

  test_server_free (first);
  took = await_registered (a, FALSE) + await_registered (a, TRUE);
  took += await_registered (b, TRUE);
  g_test_message ("both are elsewhere after %.1f s", took);
  g_assert_cmpfloat (took, <, 3);
  g_assert_cmpint (hp_connection_get_state (connection), ==,
                   HP_CONNECTION_STATE_CONNECTED);
  g_assert_true (await_send (connection, message, &error));
  g_assert_no_error (error);
  test_peer_free (a);
  test_peer_free (b);
  test_server_free (second);
}

/* More addresses than are used at a time: seven of them dead, eight used */
static void
test_many_addresses (void)
{
  static const char *const many[]
      = { "127.0.1.1", "127.0.1.2", "127.0.1.3", "127.0.1.4", "127.0.1.5",
          "127.0.1.6", "127.0.1.7", "127.0.0.1", "127.0.0.2", NULL };
  HpMatchServer *first = server_new ("127.0.0.1");
  HpMatchServer *second = server_new ("127.0.0.2");
  HpPeer *peer;

  set_addresses (many);
  peer = peer_new_started ("wq");
  test_peer_free (peer);
  test_server_free (first);
  test_server_free (second);
}

/* A program with the same identity has taken the place: a name that changes
 * again and again is no reason to take it back. */
static void
test_replaced (void)
{
  static const char *const one[] = { "127.0.0.1", NULL };
  HpMatchServer *server = server_new ("127.0.0.1");
  HpPeer *older, *newer;

  set_addresses (one);
  older = peer_new_started ("wq");
  newer = peer_new ("wq");
  hp_peer_set_identity (newer, hp_peer_get_identity (older));
  g_assert_true (await_start (newer, NULL));
  await_registered (older, FALSE);
  await_time (4000);
  g_assert_false (hp_peer_get_registered (older));
  g_assert_true (hp_peer_get_registered (newer));
  /* Of both at their start, and of the older when it was displaced */
  g_assert_cmpuint (resolver->n_asked, ==, 3);
  test_peer_free (older);
  test_peer_free (newer);
  test_server_free (server);
}

/* What one server of a name has proven, the others take: the COOKIE is of one,
 * the handshake is made with the other. */

static void
send_all (GSocket *socket, HpMatchClient *client, GSocketAddress *first,
          GSocketAddress *second)
{
  guint8 bytes[HP_DATAGRAM_SIZE_DEFAULT];
  HpOutgoing outgoing = { .bytes = bytes, .capacity = sizeof bytes };
  gint64 now = hp_clock_now ();

  hp_match_client_expire (client, now);
  while (hp_match_client_pull (client, &outgoing, now))
    {
      GSocketAddress *to = bytes[0] == HP_PACKET_HELLO ? first : second;

      g_assert_cmpint (g_socket_send_to (socket, to, (const char *) bytes,
                                         outgoing.length, NULL, NULL),
                       >, 0);
    }
}

static void
receive_all (GSocket *socket, HpMatchClient *client, const HpAddress *from)
{
  guint8 bytes[2000];
  HpDatagram datagram = { .route = { .remote = *from }, .bytes = bytes };
  gssize length;

  while ((length = g_socket_receive (socket, (char *) bytes, sizeof bytes,
                                     NULL, NULL))
         > 0)
    {
      datagram.length = length;
      hp_match_client_receive (client, &datagram, hp_clock_now ());
    }
}

static void
test_proofs_are_shared (void)
{
  HpMatchServer *first = server_new ("127.0.0.1");
  HpMatchServer *second = server_new ("127.0.0.2");
  GSocketAddress *first_address = hp_match_server_get_local_address (first);
  GSocketAddress *second_address = hp_match_server_get_local_address (second);
  g_autoptr (GSocketAddress)
      any = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocket) socket
      = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM,
                      G_SOCKET_PROTOCOL_UDP, NULL);
  HpMatchClientConfig config = {
    .suites = hp_crypto_get_suites (),
    .keepalive_interval = 15 * G_TIME_SPAN_SECOND,
    .random = hp_crypto_random,
  };
  HpMatchClient *client;
  HpAddress address;

  g_assert_true (g_socket_bind (socket, any, FALSE, NULL));
  g_socket_set_blocking (socket, FALSE);
  hp_crypto_generate_key_pair (&config.local, &hp_crypto_random);
  client = hp_match_client_new (&config);
  g_assert_true (hp_address_from_socket_address (&address, second_address));
  hp_match_client_set_addresses (client, &address, 1, hp_clock_now ());
  for (guint i = 0; i < 40 && !hp_match_client_is_connected (client); i++)
    {
      send_all (socket, client, first_address, second_address);
      await_time (50);
      receive_all (socket, client, &address);
    }
  g_assert_true (hp_match_client_is_connected (client));
  hp_match_client_free (client);
  test_server_free (first);
  test_server_free (second);
}

int
main (int argc, char *argv[])
{
  int status;

  g_test_init (&argc, &argv, NULL);
  resolver = g_object_new (test_resolver_get_type (), NULL);
  g_resolver_set_default (G_RESOLVER (resolver));
  identity = hp_identity_new ();
  g_test_add_func ("/failover/name-changes-at-start",
                   test_name_changes_at_start);
  g_test_add_func ("/failover/name-changes-later", test_name_changes_later);
  g_test_add_func ("/failover/three-addresses", test_three_addresses);
  g_test_add_func ("/failover/many-addresses", test_many_addresses);
  g_test_add_func ("/failover/replaced", test_replaced);
  g_test_add_func ("/failover/proofs-are-shared", test_proofs_are_shared);
  status = g_test_run ();
  g_object_unref (identity);
  g_object_unref (resolver);
  return status;
}
