/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Sockets that share a port: which one the kernel gives a datagram to. */

#include "hole-punch/io/hp-udp-socket.h"
#include "hole-punch/io/hp-udp-steering.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_SHARES 8
#define NOBODY G_MAXUINT

/* What the system refuses; 0: nothing */
static int refused_option;

int __real_setsockopt (int fd, int level, int name, const void *value,
                       socklen_t length);
int __wrap_setsockopt (int fd, int level, int name, const void *value,
                       socklen_t length);

int
__wrap_setsockopt (int fd, int level, int name, const void *value,
                   socklen_t length)
{
  if (level == SOL_SOCKET && refused_option != 0 && name == refused_option)
    {
      errno = ENOPROTOOPT;
      return -1;
    }
  return __real_setsockopt (fd, level, name, value, length);
}

typedef struct
{
  guint n_shares;
  HpUdpSocket *sockets[MAX_SHARES];
} Port;

static void
open_port (Port *port, const char *address, guint n_shares)
{
  g_autoptr (GError) error = NULL;

  port->n_shares = n_shares;
  port->sockets[0] = hp_udp_socket_new (address, 0, 0, &error);
  g_assert_no_error (error);
  for (guint i = 1; i < n_shares; i++)
    {
      port->sockets[i] = hp_udp_socket_new_sharing (port->sockets[0], i,
                                                    n_shares, 0, &error);
      g_assert_no_error (error);
      g_assert_true (
          hp_address_equal (hp_udp_socket_get_address (port->sockets[i]),
                            hp_udp_socket_get_address (port->sockets[0])));
    }
}

static void
close_port (Port *port)
{
  for (guint i = 0; i < port->n_shares; i++)
    hp_udp_socket_free (port->sockets[i]);
}

static void
count (gpointer user_data, const HpDatagram *datagram)
{
  (*(guint *) user_data)++;
}

/* Whose the one datagram is that comes */
static guint
await_share (Port *port)
{
  struct pollfd fds[MAX_SHARES];
  guint share = NOBODY;
  guint n = 0;

  for (guint i = 0; i < port->n_shares; i++)
    fds[i] = (struct pollfd){ hp_udp_socket_get_fd (port->sockets[i]), POLLIN,
                              0 };
  if (poll (fds, port->n_shares, 2000) <= 0)
    return NOBODY;
  for (guint i = 0; i < port->n_shares; i++)
    {
      guint before = n;

      hp_udp_socket_receive (port->sockets[i], 8, count, &n);
      if (n > before)
        share = i;
    }
  g_assert_cmpuint (n, ==, 1);
  return share;
}

static guint
send_from (Port *port, const char *from, const char *to, const guint8 *bytes,
           gsize length)
{
  g_autofree char *text = NULL;
  struct sockaddr_in6 native;
  HpAddress address;
  gsize size;
  int fd;

  text = g_strdup_printf (strchr (from, ':') ? "[%s]:0" : "%s:0", from);
  g_assert_true (hp_address_parse (&address, text));
  size = hp_address_to_native (&address, &native);
  fd = socket (strchr (from, ':') ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
  g_assert_cmpint (fd, >=, 0);
  /* Also from addresses that are not ours */
  if (strchr (from, ':'))
    setsockopt (fd, IPPROTO_IPV6, IPV6_FREEBIND, &(int){ 1 }, sizeof (int));
  if (bind (fd, (struct sockaddr *) &native, size) != 0)
    {
      close (fd);
      return NOBODY;
    }
  g_free (text);
  text = g_strdup_printf (
      strchr (to, ':') ? "[%s]:%u" : "%s:%u", to,
      hp_udp_socket_get_address (port->sockets[0])->port);
  g_assert_true (hp_address_parse (&address, text));
  size = hp_address_to_native (&address, &native);
  g_assert_cmpint (sendto (fd, bytes, length, 0, (struct sockaddr *) &native,
                           size),
                   ==, length);
  close (fd);
  return await_share (port);
}

/* DATA goes to the share that its index names, wherever it comes from. */
static void
check_indices (Port *port, const char *from, const char *to)
{
  for (guint type = 0xb4; type <= 0xb5; type++)
    for (guint index = 0; index < port->n_shares; index++)
      {
        guint8 bytes[29] = { type, 0x12, 0x34, 0x56, index };

        g_assert_cmpuint (send_from (port, from, to, bytes, sizeof bytes), ==,
                          index);
      }
}

static void
test_indices (gconstpointer data)
{
  Port port;

  open_port (&port, NULL, GPOINTER_TO_UINT (data));
  check_indices (&port, "127.0.0.1", "127.0.0.1");
  check_indices (&port, "127.9.8.7", "127.0.0.1");
  if (hp_udp_socket_has_ipv6 (port.sockets[0]))
    check_indices (&port, "::1", "::1");
  close_port (&port);
}

static guint
predict (const char *ip, guint n_shares)
{
  g_autofree char *text
      = g_strdup_printf (strchr (ip, ':') ? "[%s]:1" : "%s:1", ip);
  HpAddress address;

  g_assert_true (hp_address_parse (&address, text));
  return hp_udp_steering_get_share (&address, n_shares);
}

/* A network's are together, whatever they send and from whatever port; networks
 * are spread. */
static void
test_networks (gconstpointer data)
{
  static const guint8 kinds[] = { 0x00, 0xb0, 0xb2, 0xb3, 0xb6, 0xb7, 0xff };
  guint n_shares = GPOINTER_TO_UINT (data);
  guint counts[MAX_SHARES] = { 0 };
  Port port;

  open_port (&port, "0.0.0.0", n_shares);
  for (guint network = 0; network < 64; network++)
    {
      g_autofree char *one = g_strdup_printf ("127.5.%u.1", network);
      g_autofree char *other = g_strdup_printf ("127.5.%u.254", network);
      guint8 bytes[128] = { kinds[network % G_N_ELEMENTS (kinds)], 1, 2, 3,
                            network };
      guint share = predict (one, n_shares);

      g_assert_cmpuint (predict (other, n_shares), ==, share);
      g_assert_cmpuint (
          send_from (&port, one, "127.0.0.1", bytes, sizeof bytes), ==, share);
      bytes[0] = 0xb0;
      g_assert_cmpuint (
          send_from (&port, other, "127.0.0.1", bytes, sizeof bytes), ==,
          share);
      counts[share]++;
    }
  for (guint i = 0; i < n_shares; i++)
    g_assert_cmpuint (counts[i], >=, 64 / n_shares / 3);
  close_port (&port);
}

static void
test_ipv6_networks (void)
{
  guint8 bytes[128] = { 0xb0 };
  guint counts[4] = { 0 };
  Port port;

  open_port (&port, NULL, 4);
  if (!hp_udp_socket_has_ipv6 (port.sockets[0]))
    {
      g_test_skip ("no IPv6 here");
      close_port (&port);
      return;
    }
  for (guint i = 0; i < 64; i++)
    {
      g_autofree char *one = g_strdup_printf ("2001:db8:%x::1", i);
      g_autofree char *other = g_strdup_printf ("2001:db8:%x:ff::2", i);
      guint share = predict (one, 4);

      g_assert_cmpuint (predict (other, 4), ==, share);
      g_assert_cmpuint (send_from (&port, one, "::1", bytes, sizeof bytes), ==,
                        share);
      g_assert_cmpuint (send_from (&port, other, "::1", bytes, sizeof bytes),
                        ==, share);
      counts[share]++;
    }
  for (guint i = 0; i < 4; i++)
    g_assert_cmpuint (counts[i], >=, 64 / 4 / 3);
  /* One network's are together in IPv4, too, on a socket for both. */
  g_assert_cmpuint (
      send_from (&port, "127.5.6.7", "127.0.0.1", bytes, sizeof bytes), ==,
      predict ("127.5.6.1", 4));
  close_port (&port);
}

/* Too short for what the program reads: somebody's all the same */
static void
test_short (void)
{
  static const guint8 data[] = { 0xb4, 0, 0, 0 };
  Port port;

  open_port (&port, "127.0.0.1", 4);
  g_assert_cmpuint (send_from (&port, "127.0.0.1", "127.0.0.1", data, 4), ==,
                    0);
  g_assert_cmpuint (send_from (&port, "127.0.0.1", "127.0.0.1", data, 0), ==,
                    0);
  close_port (&port);
}

/* Several of one server are no excuse for another server. */
static void
test_exclusive (void)
{
  g_autoptr (GError) error = NULL;
  Port port;

  open_port (&port, "127.0.0.1", 3);
  g_assert_null (hp_udp_socket_new (
      "127.0.0.1", hp_udp_socket_get_address (port.sockets[0])->port, 0,
      &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
  close_port (&port);
}

/* Further sockets of a thread: its number, its buffers */
static void
test_beside (void)
{
  g_autoptr (GError) error = NULL;
  HpUdpSocket *own;
  Port port;

  open_port (&port, "127.0.0.1", 1);
  own = hp_udp_socket_new ("127.0.0.1", 0, 0, &error);
  g_assert_no_error (error);
  port.sockets[1] = hp_udp_socket_new_sharing_beside (port.sockets[0], 1, 2,
                                                      own, &error);
  g_assert_no_error (error);
  port.n_shares = 2;
  check_indices (&port, "127.0.0.1", "127.0.0.1");
  close_port (&port);
  hp_udp_socket_free (own);
}

static void
test_not_supported (gconstpointer data)
{
  g_autoptr (HpUdpSocket) first = NULL;
  g_autoptr (GError) error = NULL;

  first = hp_udp_socket_new ("127.0.0.1", 0, 0, &error);
  g_assert_no_error (error);
  refused_option = GPOINTER_TO_INT (data);
  g_assert_null (hp_udp_socket_new_sharing (first, 1, 2, 0, &error));
  refused_option = 0;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  g_assert_nonnull (strstr (error->message, "single"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_data_func ("/udp-steering/indices/2", GUINT_TO_POINTER (2),
                        test_indices);
  g_test_add_data_func ("/udp-steering/indices/7", GUINT_TO_POINTER (7),
                        test_indices);
  g_test_add_data_func ("/udp-steering/networks/2", GUINT_TO_POINTER (2),
                        test_networks);
  g_test_add_data_func ("/udp-steering/networks/7", GUINT_TO_POINTER (7),
                        test_networks);
  g_test_add_func ("/udp-steering/ipv6-networks", test_ipv6_networks);
  g_test_add_func ("/udp-steering/short", test_short);
  g_test_add_func ("/udp-steering/exclusive", test_exclusive);
  g_test_add_func ("/udp-steering/beside", test_beside);
  g_test_add_data_func ("/udp-steering/not-supported/program",
                        GINT_TO_POINTER (SO_ATTACH_REUSEPORT_CBPF),
                        test_not_supported);
  g_test_add_data_func ("/udp-steering/not-supported/port",
                        GINT_TO_POINTER (SO_REUSEPORT), test_not_supported);
  return g_test_run ();
}
