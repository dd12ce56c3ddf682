/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A datagram arrives with the mark that it was sent with, and the next one with
 * its own: alone and with others, where the kernel can segment and where not.
 */

#include "hole-punch/io/hp-udp-socket.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>

#define SEGMENT 1000
#define N_SEGMENTS 20

gboolean __real_g_socket_get_option (GSocket *socket, int level, int name,
                                     int *value, GError **error);
gboolean __wrap_g_socket_get_option (GSocket *socket, int level, int name,
                                     int *value, GError **error);

static gboolean is_old_kernel;

gboolean
__wrap_g_socket_get_option (GSocket *socket, int level, int name, int *value,
                            GError **error)
{
  if (is_old_kernel && level == IPPROTO_UDP && name == UDP_SEGMENT)
    return FALSE;
  return __real_g_socket_get_option (socket, level, name, value, error);
}

ssize_t __real_sendmsg (int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg (int fd, const struct msghdr *message, int flags);

static guint n_sent;
static guint n_sent_with_messages;

ssize_t
__wrap_sendmsg (int fd, const struct msghdr *message, int flags)
{
  n_sent++;
  n_sent_with_messages += message->msg_controllen > 0;
  return __real_sendmsg (fd, message, flags);
}

typedef struct
{
  guint n;
  guint with[4]; /* each mark */
  HpRoute back;
} Received;

static void
on_datagram (gpointer user_data, const HpDatagram *datagram)
{
  Received *received = user_data;

  g_assert_cmpuint (datagram->ecn, <, 4);
  received->n++;
  received->with[datagram->ecn]++;
  received->back = datagram->route;
}

static void
await (HpUdpSocket *socket, guint n, Received *received)
{
  struct pollfd fd = { .fd = hp_udp_socket_get_fd (socket), .events = POLLIN };

  *received = (Received){ 0 };
  while (received->n < n && poll (&fd, 1, 5000) == 1)
    hp_udp_socket_receive (socket, 64, on_datagram, received);
  g_assert_cmpuint (received->n, ==, n);
}

static HpUdpSocket *
open_socket (const char *address)
{
  g_autoptr (GError) error = NULL;
  HpUdpSocket *socket = hp_udp_socket_new (address, 0, 0, &error);

  g_assert_no_error (error);
  return socket;
}

/* By @route, or back by what came along it */
static void
check_route (HpUdpSocket *from, HpUdpSocket *to, const HpRoute *route,
             HpRoute *back)
{
  guint8 bytes[N_SEGMENTS * SEGMENT] = { 0 };

  for (guint ecn = 0; ecn < 4; ecn++)
    for (guint n = 1; n <= N_SEGMENTS; n += N_SEGMENTS - 1)
      {
        HpOutgoing outgoing = { .route = *route,
                                .ecn = ecn,
                                .bytes = bytes,
                                .length = n * SEGMENT };
        Received received;

        g_assert_cmpint (
            hp_udp_socket_send_segments (from, &outgoing, SEGMENT), ==,
            HP_SEND_OK);
        await (to, n, &received);
        g_assert_cmpuint (received.with[ecn], ==, n);
        *back = received.back;
      }
}

static void
check (const char *from_address, const char *to_address, const char *host)
{
  g_autoptr (HpUdpSocket) from = open_socket (from_address);
  g_autoptr (HpUdpSocket) to = open_socket (to_address);
  g_autofree char *text = g_strdup_printf (
      "%s:%u", host, hp_udp_socket_get_address (to)->port);
  HpRoute route = { 0 };
  HpRoute back;

  g_assert_true (hp_address_parse (&route.remote, text));
  check_route (from, to, &route, &back);
  check_route (to, from, &back, &route);
}

/* Also one that comes between others, to another family */
static void
check_mixed (void)
{
  static const HpEcn marks[] = { HP_ECN_ECT_0, HP_ECN_NOT_ECT, HP_ECN_ECT_0,
                                 HP_ECN_CE, HP_ECN_ECT_0, HP_ECN_ECT_1 };
  g_autoptr (HpUdpSocket) from = open_socket (NULL);
  g_autoptr (HpUdpSocket) to = open_socket (NULL);
  guint16 port = hp_udp_socket_get_address (to)->port;
  g_autofree char *four = g_strdup_printf ("127.0.0.1:%u", port);
  g_autofree char *six = g_strdup_printf ("[::1]:%u", port);
  Received received;

  for (guint i = 0; i < G_N_ELEMENTS (marks); i++)
    {
      HpOutgoing outgoing = { .bytes = (guint8 *) "x", .length = 1 };

      outgoing.ecn = marks[i];
      g_assert_true (
          hp_address_parse (&outgoing.route.remote, i % 3 ? six : four));
      g_assert_cmpint (hp_udp_socket_send (from, &outgoing), ==, HP_SEND_OK);
    }
  await (to, G_N_ELEMENTS (marks), &received);
  g_assert_cmpuint (received.with[HP_ECN_NOT_ECT], ==, 1);
  g_assert_cmpuint (received.with[HP_ECN_ECT_0], ==, 3);
  g_assert_cmpuint (received.with[HP_ECN_ECT_1], ==, 1);
  g_assert_cmpuint (received.with[HP_ECN_CE], ==, 1);
}

static guint
count_receivable (HpUdpSocket *from, HpUdpSocket *to, const HpRoute *route,
                  HpEcn ecn)
{
  HpOutgoing outgoing = {
    .route = *route, .ecn = ecn, .bytes = (guint8 *) "x", .length = 1
  };
  Received received;

  g_assert_cmpint (hp_udp_socket_send (from, &outgoing), ==, HP_SEND_OK);
  await (to, 1, &received);
  return received.with[ecn];
}

/* One that is asked for often becomes the socket's own: the next other one is
 * right nevertheless. */
static void
check_usual (const char *host)
{
  static const HpEcn marks[] = { HP_ECN_ECT_0, HP_ECN_NOT_ECT, HP_ECN_CE };
  g_autoptr (HpUdpSocket) from = open_socket (NULL);
  g_autoptr (HpUdpSocket) to = open_socket (NULL);
  g_autofree char *text = g_strdup_printf (
      "%s:%u", host, hp_udp_socket_get_address (to)->port);
  HpRoute route = { 0 };

  g_assert_true (hp_address_parse (&route.remote, text));
  n_sent = n_sent_with_messages = 0;
  for (guint i = 0; i < 5 * G_N_ELEMENTS (marks); i++)
    {
      HpEcn usual = marks[i % G_N_ELEMENTS (marks)];

      for (guint k = 0; k < 40; k++)
        g_assert_cmpuint (count_receivable (from, to, &route, usual), ==, 1);
      for (guint ecn = 0; ecn < 4; ecn++)
        g_assert_cmpuint (count_receivable (from, to, &route, (HpEcn) ecn), ==,
                          1);
    }
  g_assert_cmpuint (n_sent_with_messages, <, n_sent / 2);
}

#define N_RUNS 40

static void
on_run (gpointer user_data, const HpDatagram *datagram)
{
  guint8 *marks = user_data;

  g_assert_cmpuint (datagram->length, ==, 1);
  g_assert_cmpuint (datagram->bytes[0], <, N_RUNS);
  marks[datagram->bytes[0]] = datagram->ecn;
}

/* As an endpoint sends them */
static void
send_runs (HpUdpSocket *from, const HpUdpRun *runs)
{
  guint sent = 0;
  guint calls = 0;

  while (sent < N_RUNS)
    {
      guint n = hp_udp_socket_send_runs (from, runs + sent, N_RUNS - sent);

      g_assert_cmpuint (n, >, 0);
      sent += n;
      calls++;
    }
  /* A new mark for the socket is worth a call, no more. */
  g_assert_cmpuint (calls, <=, 3);
}

/* Among those that go in one call some of which make their mark the socket's
 * own: the others, before them, keep theirs. */
static void
check_runs (const char *host)
{
  g_autoptr (HpUdpSocket) from = open_socket (NULL);
  g_autoptr (HpUdpSocket) to = open_socket (NULL);
  g_autofree char *text = g_strdup_printf (
      "%s:%u", host, hp_udp_socket_get_address (to)->port);
  struct pollfd fd = { .fd = hp_udp_socket_get_fd (to), .events = POLLIN };
  HpAddress remote;

  g_assert_true (hp_address_parse (&remote, text));
  for (guint n_others = 0; n_others < N_RUNS; n_others++)
    {
      HpEcn other = n_others % 3 == 0 ? HP_ECN_ECT_0 : HP_ECN_NOT_ECT;
      HpEcn own = n_others % 3 == 1 ? HP_ECN_ECT_0 : HP_ECN_CE;
      HpUdpRun runs[N_RUNS] = { 0 };
      guint8 bytes[N_RUNS];
      guint8 marks[N_RUNS];
      guint received = 0;

      memset (marks, 0xff, sizeof marks);
      for (guint i = 0; i < N_RUNS; i++)
        {
          bytes[i] = i;
          runs[i].segment = runs[i].all.length = 1;
          runs[i].all.bytes = bytes + i;
          runs[i].all.route.remote = remote;
          runs[i].all.ecn = i < n_others ? other : own;
        }
      send_runs (from, runs);
      while (received < N_RUNS && poll (&fd, 1, 5000) == 1)
        received += hp_udp_socket_receive (to, 64, on_run, marks);
      g_assert_cmpuint (received, ==, N_RUNS);
      for (guint i = 0; i < N_RUNS; i++)
        g_assert_cmpuint (marks[i], ==, runs[i].all.ecn);
    }
}

static gboolean
has_ipv6 (void)
{
  g_autoptr (HpUdpSocket) socket = hp_udp_socket_new ("::1", 0, 0, NULL);

  return socket != NULL;
}

static void
test_marks (gconstpointer is_old)
{
  is_old_kernel = GPOINTER_TO_INT (is_old);
  check ("127.0.0.1", "127.0.0.1", "127.0.0.1");
  if (!has_ipv6 ())
    {
      g_test_skip ("no IPv6 loopback here");
      return;
    }
  check ("::1", "::1", "[::1]");
  check (NULL, NULL, "127.0.0.1");
  check (NULL, NULL, "[::1]");
  check ("127.0.0.1", NULL, "127.0.0.1");
  check_mixed ();
  check_usual ("127.0.0.1");
  check_usual ("[::1]");
  check_runs ("127.0.0.1");
  check_runs ("[::1]");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/udp-ecn/segments", GINT_TO_POINTER (FALSE),
                        test_marks);
  g_test_add_data_func ("/udp-ecn/one-by-one", GINT_TO_POINTER (TRUE),
                        test_marks);
  return g_test_run ();
}
