/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* D-Bus from peer to peer: GDBusConnection over a stream. It reads and writes
 * in a thread of its own.
 */

#include "stream-world.h"

static const char introspection[]
    = "<node><interface name='org.example.Echo'>"
      "<method name='Reverse'><arg type='ay' direction='in'/>"
      "<arg type='ay' direction='out'/></method>"
      "<signal name='Called'><arg type='u'/></signal>"
      "</interface></node>";

typedef struct
{
  GDBusConnection *server, *client;
  Pair pair;
  guint n_signals;
  gsize signalled;
} Bus;

static void
on_method_call (GDBusConnection *connection, const char *sender,
                const char *path, const char *interface, const char *method,
                GVariant *parameters, GDBusMethodInvocation *invocation,
                gpointer user_data)
{
  g_autoptr (GVariant) argument = g_variant_get_child_value (parameters, 0);
  gsize n;
  const guint8 *bytes = g_variant_get_fixed_array (argument, &n, 1);
  g_autofree guint8 *reversed = g_malloc (MAX (n, 1));
  GError *error = NULL;

  for (gsize i = 0; i < n; i++)
    reversed[i] = bytes[n - 1 - i];
  g_dbus_connection_emit_signal (connection, NULL, path, interface, "Called",
                                 g_variant_new ("(u)", (guint32) n), &error);
  g_assert_no_error (error);
  g_dbus_method_invocation_return_value (
      invocation, g_variant_new ("(@ay)", g_variant_new_fixed_array (
                                              G_VARIANT_TYPE_BYTE, reversed, n,
                                              1)));
}

static const GDBusInterfaceVTable vtable = { .method_call = on_method_call };

static void
on_signal (GDBusConnection *connection, const char *sender, const char *path,
           const char *interface, const char *signal, GVariant *parameters,
           gpointer user_data)
{
  Bus *self = user_data;
  guint32 n;

  g_variant_get (parameters, "(u)", &n);
  self->n_signals++;
  self->signalled += n;
}

static GDBusConnection *
finish_connection (TestResult *result)
{
  GDBusConnection *connection;
  GError *error = NULL;

  AWAIT (result->result != NULL);
  connection = g_dbus_connection_new_finish (result->result, &error);
  g_assert_no_error (error);
  test_result_clear (result);
  return connection;
}

static void
bus_open (Bus *self, World *world)
{
  g_autofree char *guid = g_dbus_generate_guid ();
  TestResult server = { 0 }, client = { 0 };

  pair_open (&self->pair, world);
  g_dbus_connection_new (
      G_IO_STREAM (self->pair.far), guid,
      G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER
          | G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_ALLOW_ANONYMOUS,
      NULL, NULL, test_result_take, &server);
  g_dbus_connection_new (G_IO_STREAM (self->pair.near), NULL,
                         G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL,
                         NULL, test_result_take, &client);
  self->server = finish_connection (&server);
  self->client = finish_connection (&client);
  g_assert_cmpstr (g_dbus_connection_get_guid (self->client), ==, guid);
}

static void
check_reverse (Bus *self, gsize size)
{
  g_autoptr (GBytes) bytes = test_bytes_new (size, 5);
  const guint8 *data = g_bytes_get_data (bytes, NULL);
  g_auto (TestResult) result = { 0 };
  g_autoptr (GVariant) answer = NULL;
  g_autoptr (GVariant) child = NULL;
  const guint8 *reversed;
  gsize n;
  GError *error = NULL;

  g_dbus_connection_call (
      self->client, NULL, "/echo", "org.example.Echo", "Reverse",
      g_variant_new ("(@ay)", g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE,
                                                         data, size, 1)),
      G_VARIANT_TYPE ("(ay)"), G_DBUS_CALL_FLAGS_NONE, -1, NULL,
      test_result_take, &result);
  AWAIT (result.result != NULL);
  answer = g_dbus_connection_call_finish (self->client, result.result, &error);
  g_assert_no_error (error);
  child = g_variant_get_child_value (answer, 0);
  reversed = g_variant_get_fixed_array (child, &n, 1);
  g_assert_cmpuint (n, ==, size);
  for (gsize i = 0; i < n; i++)
    g_assert_cmpuint (reversed[i], ==, data[n - 1 - i]);
}

static void
test_call (World *world, gconstpointer data)
{
  const gsize sizes[] = { 0, 1, 1000, 100000, 20 * 1024 * 1024 };
  g_autoptr (GDBusNodeInfo) node = NULL;
  Bus bus = { 0 };
  g_auto (TestResult) closing = { 0 };
  gsize together = 0;
  GError *error = NULL;

  bus_open (&bus, world);
  node = g_dbus_node_info_new_for_xml (introspection, &error);
  g_assert_no_error (error);
  g_dbus_connection_register_object (bus.server, "/echo", node->interfaces[0],
                                     &vtable, NULL, NULL, &error);
  g_assert_no_error (error);
  g_dbus_connection_signal_subscribe (bus.client, NULL, "org.example.Echo",
                                      "Called", "/echo", NULL,
                                      G_DBUS_SIGNAL_FLAGS_NONE, on_signal, &bus,
                                      NULL);

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      check_reverse (&bus, sizes[i]);
      together += sizes[i];
    }
  AWAIT (bus.n_signals == G_N_ELEMENTS (sizes));
  g_assert_cmpuint (bus.signalled, ==, together);

  /* The other side notices that one of them closes. */
  g_dbus_connection_close (bus.client, NULL, test_result_take, &closing);
  AWAIT (closing.result != NULL && g_dbus_connection_is_closed (bus.server));
  g_dbus_connection_close_finish (bus.client, closing.result, &error);
  g_assert_no_error (error);
  test_result_clear (&closing);
  g_clear_object (&bus.client);
  g_clear_object (&bus.server);
  g_object_unref (bus.pair.near);
  g_object_unref (bus.pair.far);
  /* Its thread drops its last references in its own time. */
  await_time (50);
}

/* From another thread, blocking, while the peers' thread runs */
static void
call_in_thread (GTask *task, gpointer source, gpointer user_data,
                GCancellable *cancellable)
{
  GDBusConnection *client = user_data;
  GError *error = NULL;

  for (guint i = 0; i < 50; i++)
    {
      g_autoptr (GVariant) answer = g_dbus_connection_call_sync (
          client, NULL, "/", "org.freedesktop.DBus.Peer", "Ping", NULL, NULL,
          G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);

      g_assert_no_error (error);
      g_assert_nonnull (answer);
    }
  g_task_return_boolean (task, TRUE);
}

static void
test_call_in_thread (World *world, gconstpointer data)
{
  g_auto (TestResult) result = { 0 };
  g_autoptr (GTask) task = g_task_new (NULL, NULL, test_result_take, &result);
  Bus bus = { 0 };

  bus_open (&bus, world);
  g_task_set_task_data (task, bus.client, NULL);
  g_task_run_in_thread (task, call_in_thread);
  AWAIT (result.result != NULL);

  /* The connection is cut off: both know. */
  await_close_connection (world->near);
  AWAIT (g_dbus_connection_is_closed (bus.server)
         && g_dbus_connection_is_closed (bus.client));
  g_clear_object (&bus.client);
  g_clear_object (&bus.server);
  g_object_unref (bus.pair.near);
  g_object_unref (bus.pair.far);
  await_time (50);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/stream-dbus/call", World, NULL, world_set_up, test_call,
              world_tear_down);
  g_test_add ("/stream-dbus/call-in-thread", World, NULL, world_set_up,
              test_call_in_thread, world_tear_down);
  return g_test_run ();
}
