/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A gateway of a few lines on the loopback. UPnP needs a real one: see
 * ../nat/test-port-mapping.py. */

#include "hole-punch/engine/hp-port-mapping.h"

#include "hole-punch/secure/hp-crypto.h"
#include "hole-punch/wire/hp-pcp.h"

#include <string.h>

#define PATIENCE (10 * G_TIME_SPAN_SECOND)

typedef struct
{
  GMainContext *context;
  GSocket *gateway;
  GSocket *stranger;
  GSource *source;
  gboolean is_silent;
  const char *host;
  guint n_asked;
  guint32 lifetime; /* asked for last */
  HpPortMapping *mapping;
  guint n_changed, n_closed;
  gboolean frees; /* in closed() */
} World;

static GSocket *
bind_socket (HpAddress *address)
{
  g_autoptr (GInetAddress) ip
      = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) wanted = g_inet_socket_address_new (ip, 0);
  g_autoptr (GSocketAddress) bound = NULL;
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM,
                                  G_SOCKET_PROTOCOL_UDP, NULL);

  g_assert_true (g_socket_bind (socket, wanted, FALSE, NULL));
  bound = g_socket_get_local_address (socket, NULL);
  g_assert_true (hp_address_from_socket_address (address, bound));
  return socket;
}

/* A PCP answer to PCP's MAP */
static void
answer (World *self, GSocket *from, GSocketAddress *to, guint8 request[60])
{
  guint8 bytes[60] = { 2, 0x81 };
  HpAddress host;

  g_assert_true (hp_address_parse (&host, self->host));
  memcpy (bytes + 4, request + 4, 4);       /* lifetime */
  bytes[11] = 1;                            /* epoch */
  memcpy (bytes + 24, request + 24, 18);    /* nonce … internal port */
  bytes[42] = 5000 >> 8;
  bytes[43] = 5000 & 0xff;
  memcpy (bytes + 44, request + 8, 12);    /* the prefix of IPv4 */
  memcpy (bytes + 56, host.ip, 4);
  g_assert_cmpint (g_socket_send_to (from, to, (char *) bytes, sizeof bytes,
                                     NULL, NULL),
                   ==, sizeof bytes);
}

static gboolean
on_request (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  World *self = user_data;
  g_autoptr (GSocketAddress) from = NULL;
  guint8 request[100];
  HpReader reader;

  g_assert_cmpint (g_socket_receive_from (socket, &from, (char *) request,
                                          sizeof request, NULL, NULL),
                   ==, 60);
  hp_reader_init (&reader, request + 4, 4);
  self->lifetime = hp_reader_u32 (&reader);
  self->n_asked++;
  answer (self, self->is_silent ? self->stranger : self->gateway, from,
          request);
  return G_SOURCE_CONTINUE;
}

static void
on_changed (gpointer user_data)
{
  World *self = user_data;

  self->n_changed++;
}

static void
on_closed (gpointer user_data)
{
  World *self = user_data;

  self->n_closed++;
  if (self->frees)
    g_clear_pointer (&self->mapping, hp_port_mapping_free);
}

static void
begin (World *self, gboolean is_silent)
{
  HpAddress unused;
  HpPortMappingConfig config = { .port = 4222,
                                 .random = hp_crypto_random,
                                 .changed = on_changed,
                                 .closed = on_closed,
                                 .user_data = self };

  memset (self, 0, sizeof *self);
  self->context = g_main_context_new ();
  self->is_silent = is_silent;
  self->host = "203.0.113.7:0";
  self->gateway = bind_socket (&config.gateway);
  self->stranger = bind_socket (&unused);
  self->source = g_socket_create_source (self->gateway, G_IO_IN, NULL);
  g_source_set_callback (self->source, G_SOURCE_FUNC (on_request), self, NULL);
  g_source_attach (self->source, self->context);
  config.context = self->context;
  self->mapping = hp_port_mapping_new (&config);
}

static void
end (World *self)
{
  g_clear_pointer (&self->mapping, hp_port_mapping_free);
  g_source_destroy (self->source);
  g_source_unref (self->source);
  g_object_unref (self->gateway);
  g_object_unref (self->stranger);
  g_main_context_unref (self->context);
}

static gboolean
on_wake (gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

/* Until @figure is not 0, or that long */
static void
wait (World *self, const guint *figure, gint64 time)
{
  g_autoptr (GSource) source = g_timeout_source_new (10);
  gint64 until = g_get_monotonic_time () + time;

  g_source_set_callback (source, on_wake, NULL, NULL);
  g_source_attach (source, self->context);
  while (*figure == 0 && g_get_monotonic_time () < until)
    g_main_context_iteration (self->context, TRUE);
  g_source_destroy (source);
}

static void
assert_external (World *self, const char *wanted, const char *protocol)
{
  const HpAddress *external = hp_port_mapping_get_external (self->mapping);
  g_autofree char *text
      = external != NULL ? hp_address_to_string (external) : NULL;

  g_assert_cmpstr (text, ==, wanted);
  g_assert_cmpstr (hp_port_mapping_get_protocol (self->mapping), ==, protocol);
}

static void
test_mapped (void)
{
  World world;

  begin (&world, FALSE);
  assert_external (&world, NULL, NULL);
  wait (&world, &world.n_changed, PATIENCE);
  assert_external (&world, "203.0.113.7:5000", "pcp");
  hp_port_mapping_close (world.mapping);
  assert_external (&world, NULL, NULL);
  wait (&world, &world.n_closed, PATIENCE);
  g_assert_cmpuint (world.lifetime, ==, 0);
  g_assert_cmpuint (world.n_asked, ==, 2);
  g_assert_cmpuint (world.n_changed, ==, 1);
  g_assert_cmpuint (world.n_closed, ==, 1);
  end (&world);
}

/* An answer that has all but the gateway's port */
static void
test_stranger (void)
{
  World world;
  guint never = 0;

  begin (&world, TRUE);
  wait (&world, &never, 200 * G_TIME_SPAN_MILLISECOND);
  g_assert_cmpuint (world.n_asked, ==, 1);
  g_assert_cmpuint (world.n_changed, ==, 0);
  assert_external (&world, NULL, NULL);
  end (&world);
}

/* A gateway that is gone does not hold us up for long */
static void
test_close_unheard (void)
{
  World world;
  gint64 before;
  gint64 took;

  begin (&world, FALSE);
  world.frees = TRUE;
  wait (&world, &world.n_changed, PATIENCE);
  world.is_silent = TRUE;
  before = g_get_monotonic_time ();
  hp_port_mapping_close (world.mapping);
  wait (&world, &world.n_closed, PATIENCE);
  took = g_get_monotonic_time () - before;
  g_assert_cmpuint (world.n_closed, ==, 1);
  g_assert_cmpint (took, >=, 290 * G_TIME_SPAN_MILLISECOND);
  g_assert_cmpint (took, <, 3 * G_TIME_SPAN_SECOND);
  g_assert_cmpuint (world.n_asked, ==, 3);
  end (&world);
}

/* Another address than before is told */
static void
test_check (void)
{
  World world;

  begin (&world, FALSE);
  wait (&world, &world.n_changed, PATIENCE);
  world.host = "203.0.113.8:0";
  world.n_changed = 0;
  hp_port_mapping_network_changed (world.mapping);
  wait (&world, &world.n_changed, PATIENCE);
  assert_external (&world, "203.0.113.8:5000", "pcp");
  g_assert_cmpuint (world.n_asked, ==, 2);
  end (&world);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/port-mapping/mapped", test_mapped);
  g_test_add_func ("/port-mapping/stranger", test_stranger);
  g_test_add_func ("/port-mapping/close-unheard", test_close_unheard);
  g_test_add_func ("/port-mapping/check", test_check);
  return g_test_run ();
}
