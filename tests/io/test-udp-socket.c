/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/io/hp-udp-socket.h"

#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct
{
  guint n;
  HpRoute route;     /* of the last one */
  gsize length;
  guint8 first_byte;
  guint sum; /* of the first bytes */
} Received;

static void
on_datagram (gpointer user_data, const HpDatagram *datagram)
{
  Received *received = user_data;

  received->n++;
  received->route = datagram->route;
  received->length = datagram->length;
  received->first_byte = datagram->length > 0 ? datagram->bytes[0] : 0;
  received->sum += received->first_byte;
  /* The bytes may be changed in place. */
  memset (datagram->bytes, 0xff, datagram->length);
}

static HpUdpSocket *
open_socket (const char *address, guint number)
{
  g_autoptr (GError) error = NULL;
  HpUdpSocket *socket = hp_udp_socket_new (address, 0, number, &error);

  g_assert_no_error (error);
  g_assert_nonnull (socket);
  return socket;
}

static HpAddress
make_address (const char *ip, guint16 port)
{
  g_autofree char *text
      = g_strdup_printf (strchr (ip, ':') ? "[%s]:%u" : "%s:%u", ip, port);
  HpAddress address;

  g_assert_true (hp_address_parse (&address, text));
  return address;
}

static guint16
get_port (HpUdpSocket *socket)
{
  return hp_udp_socket_get_address (socket)->port;
}

static HpSendResult
send_bytes (HpUdpSocket *socket, const HpRoute *route, const char *bytes,
            gsize length, guint ttl)
{
  HpOutgoing outgoing = { .route = *route, .ttl = ttl,
                          .bytes = (guint8 *) bytes, .length = length };

  return hp_udp_socket_send (socket, &outgoing);
}

static HpSendResult
send_to (HpUdpSocket *socket, const char *ip, guint16 port, const char *text)
{
  HpRoute route = { .remote = make_address (ip, port) };

  return send_bytes (socket, &route, text, strlen (text), 0);
}

static gboolean
await (HpUdpSocket *socket)
{
  struct pollfd fd = { .fd = hp_udp_socket_get_fd (socket), .events = POLLIN };

  return poll (&fd, 1, 5000) == 1;
}

static void
assert_host (const HpAddress *address, const char *ip)
{
  HpAddress wanted = make_address (ip, 1);

  g_assert_true (hp_address_same_host (address, &wanted));
}

static gboolean
skip_without_ipv6 (void)
{
  g_autoptr (HpUdpSocket) socket = hp_udp_socket_new ("::1", 0, 0, NULL);

  if (socket == NULL)
    g_test_skip ("no IPv6 loopback here");
  return socket == NULL;
}

static void
test_bind (void)
{
  g_autoptr (HpUdpSocket) any = open_socket (NULL, 7);
  g_autoptr (HpUdpSocket) bound = open_socket ("127.0.0.1", 0);
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (hp_udp_socket_get_number (any), ==, 7);
  g_assert_cmpuint (get_port (any), !=, 0);
  g_assert_cmpint (hp_address_get_scope (hp_udp_socket_get_address (any)), ==,
                   HP_SCOPE_INVALID);
  assert_host (hp_udp_socket_get_address (bound), "127.0.0.1");
  g_assert_false (hp_udp_socket_has_ipv6 (bound));

  g_assert_null (hp_udp_socket_new (NULL, get_port (any), 0, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
  g_clear_error (&error);
  g_assert_null (hp_udp_socket_new ("not an address", 0, 0, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
}

static void
test_ipv4 (void)
{
  g_autoptr (HpUdpSocket) from = open_socket ("127.0.0.1", 0);
  g_autoptr (HpUdpSocket) to = open_socket ("127.0.0.1", 3);
  Received received = { 0 };

  g_assert_cmpuint (hp_udp_socket_receive (to, 8, on_datagram, &received), ==,
                    0);
  g_assert_cmpint (send_to (from, "127.0.0.1", get_port (to), "abc"), ==,
                   HP_SEND_OK);
  g_assert_true (await (to));
  g_assert_cmpuint (hp_udp_socket_receive (to, 8, on_datagram, &received), ==,
                    1);
  g_assert_cmpuint (received.n, ==, 1);
  g_assert_cmpuint (received.length, ==, 3);
  g_assert_cmpuint (received.first_byte, ==, 'a');
  g_assert_cmpuint (received.route.socket, ==, 3);
  assert_host (&received.route.local, "127.0.0.1");
  g_assert_cmpuint (received.route.local.port, ==, get_port (to));
  g_assert_true (hp_address_equal (&received.route.remote,
                                   hp_udp_socket_get_address (from)));
  /* IPv6 cannot leave from an IPv4 socket. */
  g_assert_cmpint (send_to (from, "::1", get_port (to), "abc"), ==,
                   HP_SEND_FAILED);
}

static void
test_ipv6 (void)
{
  g_autoptr (HpUdpSocket) from = NULL;
  g_autoptr (HpUdpSocket) to = NULL;
  Received received = { 0 };

  if (skip_without_ipv6 ())
    return;
  from = open_socket ("::1", 0);
  to = open_socket ("::1", 0);
  g_assert_true (hp_udp_socket_has_ipv6 (to));
  g_assert_cmpint (send_to (from, "::1", get_port (to), "x"), ==, HP_SEND_OK);
  g_assert_true (await (to));
  hp_udp_socket_receive (to, 8, on_datagram, &received);
  g_assert_cmpuint (received.n, ==, 1);
  assert_host (&received.route.local, "::1");
  g_assert_true (hp_address_equal (&received.route.remote,
                                   hp_udp_socket_get_address (from)));
}

/* One socket, both families; IPv4 is IPv4, never mapped. */
static void
test_dual_stack (void)
{
  g_autoptr (HpUdpSocket) dual = NULL;
  g_autoptr (HpUdpSocket) four = NULL;
  g_autoptr (HpUdpSocket) six = NULL;
  Received received = { 0 };

  if (skip_without_ipv6 ())
    return;
  dual = open_socket (NULL, 0);
  four = open_socket ("127.0.0.1", 0);
  six = open_socket ("::1", 0);
  g_assert_true (hp_udp_socket_has_ipv6 (dual));

  g_assert_cmpint (send_to (four, "127.0.0.1", get_port (dual), "4"), ==,
                   HP_SEND_OK);
  g_assert_true (await (dual));
  hp_udp_socket_receive (dual, 1, on_datagram, &received);
  g_assert_cmpuint (received.first_byte, ==, '4');
  assert_host (&received.route.local, "127.0.0.1");
  assert_host (&received.route.remote, "127.0.0.1");
  g_assert_cmpint (send_bytes (dual, &received.route, "re", 2, 0), ==,
                   HP_SEND_OK);
  g_assert_true (await (four));
  hp_udp_socket_receive (four, 1, on_datagram, &received);
  g_assert_cmpuint (received.route.remote.port, ==, get_port (dual));

  g_assert_cmpint (send_to (six, "::1", get_port (dual), "6"), ==,
                   HP_SEND_OK);
  g_assert_true (await (dual));
  hp_udp_socket_receive (dual, 1, on_datagram, &received);
  g_assert_cmpuint (received.first_byte, ==, '6');
  assert_host (&received.route.local, "::1");
  g_assert_cmpint (send_bytes (dual, &received.route, "re", 2, 0), ==,
                   HP_SEND_OK);
  g_assert_true (await (six));
  g_assert_cmpuint (hp_udp_socket_receive (six, 1, on_datagram, &received),
                    ==, 1);
}

/* A reply leaves from the address that the request came to, on either kind of
 * socket. */
static void
check_reply_address (const char *address)
{
  g_autoptr (HpUdpSocket) server = open_socket (address, 0);
  g_autoptr (HpUdpSocket) client = open_socket ("127.0.0.1", 0);
  Received received = { 0 };

  g_assert_cmpint (send_to (client, "127.0.0.2", get_port (server), "?"), ==,
                   HP_SEND_OK);
  g_assert_true (await (server));
  hp_udp_socket_receive (server, 1, on_datagram, &received);
  assert_host (&received.route.local, "127.0.0.2");
  g_assert_cmpint (send_bytes (server, &received.route, "!", 1, 0), ==,
                   HP_SEND_OK);
  g_assert_true (await (client));
  hp_udp_socket_receive (client, 1, on_datagram, &received);
  assert_host (&received.route.remote, "127.0.0.2");

  /* An address that is not ours any more: the system chooses. */
  received.route.local = make_address ("203.0.113.77", get_port (client));
  received.route.remote.ip[3] = 1;
  g_assert_cmpint (send_bytes (client, &received.route, "!", 1, 0), ==,
                   HP_SEND_OK);
  g_assert_true (await (server));
}

static void
test_reply_address (void)
{
  check_reply_address ("0.0.0.0");
  check_reply_address (NULL);
}

static int
receive_ttl (int fd, int level, int type)
{
  char byte;
  union
  {
    char bytes[CMSG_SPACE (sizeof (int))];
    struct cmsghdr align;
  } control;
  struct iovec vector = { &byte, 1 };
  struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof control };
  struct cmsghdr *header;
  int ttl = -1;

  g_assert_cmpint (recvmsg (fd, &message, 0), ==, 1);
  header = CMSG_FIRSTHDR (&message);
  g_assert_nonnull (header);
  g_assert_cmpint (header->cmsg_level, ==, level);
  g_assert_cmpint (header->cmsg_type, ==, type);
  memcpy (&ttl, CMSG_DATA (header), sizeof ttl);
  return ttl;
}

static int
open_ttl_receiver (int family, guint16 *port)
{
  struct sockaddr_storage native = { .ss_family = family };
  socklen_t length = sizeof native;
  HpAddress address;
  int one = 1;
  int fd = socket (family, SOCK_DGRAM, 0);

  if (family == AF_INET6)
    ((struct sockaddr_in6 *) &native)->sin6_addr = in6addr_loopback;
  else
    ((struct sockaddr_in *) &native)->sin_addr.s_addr
        = htonl (INADDR_LOOPBACK);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &native, length), ==, 0);
  g_assert_cmpint (getsockname (fd, (struct sockaddr *) &native, &length), ==,
                   0);
  if (family == AF_INET6)
    setsockopt (fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &one, sizeof one);
  else
    setsockopt (fd, IPPROTO_IP, IP_RECVTTL, &one, sizeof one);
  g_assert_true (hp_address_from_native (&address, &native, length));
  *port = address.port;
  return fd;
}

/* The TTL is of one datagram only: the next one has the system's. */
static void
check_ttl (const char *from_address, const char *to, int family)
{
  g_autoptr (HpUdpSocket) from = open_socket (from_address, 0);
  gboolean is_ipv6 = family == AF_INET6;
  int level = is_ipv6 ? IPPROTO_IPV6 : IPPROTO_IP;
  int type = is_ipv6 ? IPV6_HOPLIMIT : IP_TTL;
  HpRoute route = { 0 };
  guint16 port;
  int fd = open_ttl_receiver (family, &port);

  route.remote = make_address (to, port);
  for (guint with_local = 0; with_local <= 1; with_local++)
    {
      if (with_local)
        route.local = make_address (to, 0);
      g_assert_cmpint (send_bytes (from, &route, "a", 1, 3), ==, HP_SEND_OK);
      g_assert_cmpint (send_bytes (from, &route, "b", 1, 0), ==, HP_SEND_OK);
      g_assert_cmpint (receive_ttl (fd, level, type), ==, 3);
      g_assert_cmpint (receive_ttl (fd, level, type), >, 3);
    }
  close (fd);
}

static void
test_ttl (void)
{
  check_ttl ("127.0.0.1", "127.0.0.1", AF_INET);
  if (skip_without_ipv6 ())
    return;
  check_ttl (NULL, "127.0.0.1", AF_INET);
  check_ttl (NULL, "::1", AF_INET6);
}

static void
test_batches (void)
{
  g_autoptr (HpUdpSocket) from = open_socket ("127.0.0.1", 0);
  g_autoptr (HpUdpSocket) to = open_socket (NULL, 0);
  Received received = { 0 };
  guint n;

  for (guint i = 1; i <= 100; i++)
    {
      char byte = i;
      HpRoute route = { .remote = make_address ("127.0.0.1", get_port (to)) };

      g_assert_cmpint (send_bytes (from, &route, &byte, 1, 0), ==,
                       HP_SEND_OK);
    }
  g_assert_true (await (to));
  n = hp_udp_socket_receive (to, 5, on_datagram, &received);
  g_assert_cmpuint (n, ==, 5);
  g_assert_cmpuint (received.sum, ==, 1 + 2 + 3 + 4 + 5);
  n = hp_udp_socket_receive (to, 64, on_datagram, &received);
  g_assert_cmpuint (n, ==, 64);
  n = hp_udp_socket_receive (to, 64, on_datagram, &received);
  g_assert_cmpuint (n, ==, 31);
  g_assert_cmpuint (received.sum, ==, 100 * 101 / 2);
  g_assert_cmpuint (hp_udp_socket_receive (to, 64, on_datagram, &received), ==,
                    0);
}

static void
test_sizes (void)
{
  g_autoptr (HpUdpSocket) from = open_socket ("127.0.0.1", 0);
  g_autoptr (HpUdpSocket) to = open_socket ("127.0.0.1", 0);
  g_autofree char *bytes = g_malloc0 (65508);
  HpRoute route = { .remote = make_address ("127.0.0.1", get_port (to)) };
  Received received = { 0 };

  g_assert_cmpint (send_bytes (from, &route, bytes, 65507, 0), ==,
                   HP_SEND_OK);
  g_assert_true (await (to));
  hp_udp_socket_receive (to, 1, on_datagram, &received);
  g_assert_cmpuint (received.length, ==, 65507);
  g_assert_cmpint (send_bytes (from, &route, bytes, 65508, 0), ==,
                   HP_SEND_FAILED);
  g_assert_cmpint (send_bytes (from, &route, bytes, 0, 0), ==, HP_SEND_OK);
  g_assert_true (await (to));
  hp_udp_socket_receive (to, 1, on_datagram, &received);
  g_assert_cmpuint (received.n, ==, 2);
  g_assert_cmpuint (received.length, ==, 0);
}

typedef struct
{
  guint n;
  gsize sizes[80];
} Segments;

static void
on_segment (gpointer user_data, const HpDatagram *datagram)
{
  Segments *segments = user_data;

  g_assert_cmpuint (segments->n, <, G_N_ELEMENTS (segments->sizes));
  for (gsize i = 0; i < datagram->length; i++)
    g_assert_cmpuint (datagram->bytes[i], ==, segments->n);
  segments->sizes[segments->n++] = datagram->length;
}

/* Several go together and come apart again, whether the kernel does it or
 * not. */
static void
check_segments (const char *from_address, const char *to_address,
                const char *to_ip)
{
  g_autoptr (HpUdpSocket) from = open_socket (from_address, 0);
  g_autoptr (HpUdpSocket) to = open_socket (to_address, 0);
  static const gsize sizes[] = { 1, 2, 1000, 1024, 1400, 30000 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint n = 1; n <= 64 && n * sizes[i] < 65000; n += 3)
      for (gsize last = 1; last <= sizes[i]; last += sizes[i] / 2 + 1)
        {
          gsize length = (n - 1) * sizes[i] + last;
          g_autofree guint8 *bytes = g_malloc (length);
          HpOutgoing outgoing = { .bytes = bytes, .length = length };
          Segments segments = { 0 };

          for (gsize k = 0; k < length; k++)
            bytes[k] = k / sizes[i];
          outgoing.route.remote = make_address (to_ip, get_port (to));
          g_assert_cmpint (
              hp_udp_socket_send_segments (from, &outgoing, sizes[i]), ==,
              HP_SEND_OK);
          while (segments.n < n && await (to))
            hp_udp_socket_receive (to, 64, on_segment, &segments);
          g_assert_cmpuint (segments.n, ==, n);
          for (guint k = 0; k + 1 < n; k++)
            g_assert_cmpuint (segments.sizes[k], ==, sizes[i]);
          g_assert_cmpuint (segments.sizes[n - 1], ==, last);
        }
}

static void
test_segments (void)
{
  check_segments ("127.0.0.1", NULL, "127.0.0.1");
  if (skip_without_ipv6 ())
    return;
  check_segments (NULL, "127.0.0.1", "127.0.0.1");
  check_segments (NULL, NULL, "::1");
}

/* What is sent to a closed port comes back as an ICMP error; the socket goes
 * on. IP_RECVERR makes Linux report it on a socket that is not connected. */
static void
test_icmp_errors (void)
{
  g_autoptr (HpUdpSocket) socket = open_socket ("127.0.0.1", 0);
  g_autoptr (HpUdpSocket) other = open_socket ("127.0.0.1", 0);
  g_autoptr (HpUdpSocket) gone = open_socket ("127.0.0.1", 0);
  guint16 closed_port = get_port (gone);
  Received received = { 0 };
  int one = 1;

  g_clear_pointer (&gone, hp_udp_socket_free);
  setsockopt (hp_udp_socket_get_fd (socket), IPPROTO_IP, IP_RECVERR, &one,
              sizeof one);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpint (send_to (socket, "127.0.0.1", closed_port, "x"), ==,
                     HP_SEND_OK);
  g_assert_cmpint (send_to (other, "127.0.0.1", get_port (socket), "y"), ==,
                   HP_SEND_OK);
  g_assert_true (await (socket));
  g_assert_cmpuint (hp_udp_socket_receive (socket, 8, on_datagram, &received),
                    ==, 1);
  g_assert_cmpuint (received.first_byte, ==, 'y');
}

static void
test_get_source (void)
{
  g_autoptr (HpUdpSocket) any = open_socket (NULL, 0);
  g_autoptr (HpUdpSocket) bound = open_socket ("127.0.0.3", 0);
  HpAddress remote = make_address ("127.0.0.9", 9);
  HpAddress source;

  g_assert_true (hp_udp_socket_get_source (any, &remote, &source));
  assert_host (&source, "127.0.0.1");
  g_assert_cmpuint (source.port, ==, get_port (any));
  g_assert_true (hp_udp_socket_get_source (bound, &remote, &source));
  assert_host (&source, "127.0.0.3");
  g_assert_cmpuint (source.port, ==, get_port (bound));
  remote = make_address ("::1", 9);
  g_assert_false (hp_udp_socket_get_source (bound, &remote, &source));
}

/* Of the loopback, which carries 65,536 bytes */
static void
test_interface_size (void)
{
  g_autoptr (HpUdpSocket) any = open_socket (NULL, 1);
  g_autoptr (HpUdpSocket) ipv4 = open_socket ("127.0.0.1", 1);
  HpAddress to_ipv4 = make_address ("127.0.0.1", 4222);
  HpAddress to_ipv6 = make_address ("::1", 4222);
  HpAddress nowhere = { 0 };

  g_assert_cmpuint (hp_udp_socket_get_interface_size (any, &to_ipv4), ==,
                    65507);
  g_assert_cmpuint (hp_udp_socket_get_interface_size (ipv4, &to_ipv4), ==,
                    65507);
  g_assert_cmpuint (hp_udp_socket_get_interface_size (ipv4, &to_ipv6), ==, 0);
  g_assert_cmpuint (hp_udp_socket_get_interface_size (any, &nowhere), ==, 0);
  if (hp_udp_socket_has_ipv6 (any))
    g_assert_cmpuint (hp_udp_socket_get_interface_size (any, &to_ipv6), ==,
                      65536 - 48);
}

static int
get_option (HpUdpSocket *socket, int level, int name)
{
  socklen_t size = sizeof (int);
  int value;

  g_assert_cmpint (getsockopt (hp_udp_socket_get_fd (socket), level, name,
                               &value, &size),
                   ==, 0);
  return value;
}

static void
test_unfragmented (void)
{
  g_autoptr (HpUdpSocket) any = open_socket (NULL, 1);
  g_autoptr (HpUdpSocket) ipv4 = open_socket ("127.0.0.1", 1);

  g_assert_cmpint (get_option (any, IPPROTO_IP, IP_MTU_DISCOVER), ==,
                   IP_PMTUDISC_PROBE);
  g_assert_cmpint (get_option (ipv4, IPPROTO_IP, IP_MTU_DISCOVER), ==,
                   IP_PMTUDISC_PROBE);
  if (hp_udp_socket_has_ipv6 (any))
    g_assert_cmpint (get_option (any, IPPROTO_IPV6, IPV6_MTU_DISCOVER), ==,
                     IPV6_PMTUDISC_PROBE);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/udp-socket/bind", test_bind);
  g_test_add_func ("/udp-socket/ipv4", test_ipv4);
  g_test_add_func ("/udp-socket/ipv6", test_ipv6);
  g_test_add_func ("/udp-socket/dual-stack", test_dual_stack);
  g_test_add_func ("/udp-socket/reply-address", test_reply_address);
  g_test_add_func ("/udp-socket/ttl", test_ttl);
  g_test_add_func ("/udp-socket/batches", test_batches);
  g_test_add_func ("/udp-socket/sizes", test_sizes);
  g_test_add_func ("/udp-socket/segments", test_segments);
  g_test_add_func ("/udp-socket/icmp-errors", test_icmp_errors);
  g_test_add_func ("/udp-socket/get-source", test_get_source);
  g_test_add_func ("/udp-socket/interface-size", test_interface_size);
  g_test_add_func ("/udp-socket/unfragmented", test_unfragmented);
  return g_test_run ();
}
