/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Streams over a network that loses, repeats and reorders datagrams: a relay
 * between the two peers, of which each takes it for the other one
 *
 *   caller ◂──▸ relay, which is seeded ◂──▸ callee
 */

#include <string.h>

#include "stream-world.h"

#define MIB (1024 * 1024)
#define DATAGRAM 2048

typedef struct
{
  GSocket *socket;
  GSource *source;
  GSocketAddress *callee, *caller;
  GRand *rand;
  guint8 kept[DATAGRAM]; /* one that others overtake */
  gssize kept_length;
  gboolean kept_is_for_callee;
  double loss;
  guint n_lost, n_passed;
} Relay;

static void
relay_send (Relay *self, const guint8 *bytes, gssize length,
            gboolean is_for_callee)
{
  g_socket_send_to (self->socket,
                    is_for_callee ? self->callee : self->caller,
                    (const char *) bytes, length, NULL, NULL);
  self->n_passed++;
}

static gboolean
is_same (GSocketAddress *a, GSocketAddress *b)
{
  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (a))
         == g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (b));
}

static void
relay_pass (Relay *self, const guint8 *bytes, gssize length,
            gboolean is_for_callee)
{
  double dice = g_rand_double (self->rand);

  if (dice < self->loss)
    {
      self->n_lost++;
      return;
    }
  if (dice < self->loss + 0.02 && self->kept_length == 0)
    {
      memcpy (self->kept, bytes, length);
      self->kept_length = length;
      self->kept_is_for_callee = is_for_callee;
      return;
    }
  relay_send (self, bytes, length, is_for_callee);
  if (dice > 0.99)
    relay_send (self, bytes, length, is_for_callee);
  if (self->kept_length > 0 && dice > 0.6)
    {
      relay_send (self, self->kept, self->kept_length,
                  self->kept_is_for_callee);
      self->kept_length = 0;
    }
}

static gboolean
on_relay_readable (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  Relay *self = user_data;
  guint8 bytes[DATAGRAM];

  for (guint i = 0; i < 64; i++)
    {
      g_autoptr (GSocketAddress) from = NULL;
      gssize n = g_socket_receive_from (socket, &from, (char *) bytes,
                                        sizeof bytes, NULL, NULL);

      if (n < 0)
        break;
      if (!is_same (from, self->callee) && self->caller == NULL)
        self->caller = g_object_ref (from);
      relay_pass (self, bytes, n, !is_same (from, self->callee));
    }
  return G_SOURCE_CONTINUE;
}

static void
relay_set_up (Relay *self, HpPeer *callee, double loss, guint32 seed)
{
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new_from_string (
      "127.0.0.1", 0);
  GError *error = NULL;

  *self = (Relay){ .loss = loss, .rand = g_rand_new_with_seed (seed) };
  self->callee = test_peer_get_address (callee, "127.0.0.1");
  self->socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM,
                               G_SOCKET_PROTOCOL_UDP, &error);
  g_assert_no_error (error);
  g_socket_set_blocking (self->socket, FALSE);
  g_socket_bind (self->socket, any, FALSE, &error);
  g_assert_no_error (error);
  self->source = g_socket_create_source (self->socket, G_IO_IN, NULL);
  g_source_set_callback (self->source, G_SOURCE_FUNC (on_relay_readable), self,
                         NULL);
  g_source_attach (self->source, NULL);
}

static void
relay_tear_down (Relay *self)
{
  g_source_destroy (self->source);
  g_source_unref (self->source);
  g_object_unref (self->socket);
  g_object_unref (self->callee);
  g_clear_object (&self->caller);
  g_rand_free (self->rand);
}

/* There and back */
static void
talk (HpConnection *connection, World *world, gsize size)
{
  g_autoptr (GBytes) sent = test_bytes_new (size, 1);
  g_autoptr (GBytes) received = NULL;
  g_autoptr (HpStream) near = NULL;
  g_autoptr (HpStream) far = NULL;
  g_autoptr (GInputStream) memory = g_memory_input_stream_new_from_bytes (sent);
  g_auto (TestResult) asking = { 0 };
  g_auto (TestResult) echoing = { 0 };
  GError *error = NULL;

  near = await_open (connection, &error);
  g_assert_no_error (error);
  far = await_opened (world);
  g_output_stream_splice_async (
      g_io_stream_get_output_stream (G_IO_STREAM (near)), memory,
      G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, G_PRIORITY_DEFAULT, NULL,
      test_result_take, &asking);
  g_output_stream_splice_async (
      g_io_stream_get_output_stream (G_IO_STREAM (far)),
      g_io_stream_get_input_stream (G_IO_STREAM (far)),
      G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, G_PRIORITY_DEFAULT, NULL,
      test_result_take, &echoing);
  received = await_read_all (g_io_stream_get_input_stream (G_IO_STREAM (near)),
                             &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (received, NULL),
                   g_bytes_get_size (received), g_bytes_get_data (sent, NULL),
                   size);
  AWAIT (asking.result != NULL && echoing.result != NULL);
}

static void
test_lossy (World *world, gconstpointer data)
{
  const double losses[] = { 0.01, 0.05, 0.2 };

  hp_peer_set_direct_calls (world->callee, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (losses); i++)
    {
      HpPeer *caller = hp_peer_new (NULL, NULL);
      g_autoptr (HpConnection) connection = NULL;
      g_autoptr (GSocketAddress) address = NULL;
      GError *error = NULL;
      Relay relay;

      relay_set_up (&relay, world->callee, losses[i], i);
      address = g_socket_get_local_address (relay.socket, NULL);
      connection = await_connect_to_address (
          caller, address, test_peer_get_fingerprint (world->callee), &error);
      g_assert_no_error (error);
      talk (connection, world, 0);
      talk (connection, world, 100);
      talk (connection, world, MIB);
      g_test_message ("%u datagrams passed on, %u lost", relay.n_passed,
                      relay.n_lost);
      g_assert_cmpuint (relay.n_lost, >, 0);
      g_clear_object (&connection);
      test_peer_free (caller);
      relay_tear_down (&relay);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/stream-lossy/talk", World, NULL, world_set_up, test_lossy,
              world_tear_down);
  return g_test_run ();
}
