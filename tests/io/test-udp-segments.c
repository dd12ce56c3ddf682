/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How datagrams share the calls of the kernel, and what becomes of them when
 * they may not. The linker lets the system calls come here first (--wrap).
 */

#include "hole-punch/io/hp-udp-socket-private.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>

#define SEGMENT 1000

ssize_t __real_sendmsg (int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg (int fd, const struct msghdr *message, int flags);
int __real_sendmmsg (int fd, struct mmsghdr *messages, unsigned n, int flags);
int __wrap_sendmmsg (int fd, struct mmsghdr *messages, unsigned n, int flags);
int __real_recvmmsg (int fd, struct mmsghdr *messages, unsigned n, int flags,
                     struct timespec *timeout);
int __wrap_recvmmsg (int fd, struct mmsghdr *messages, unsigned n, int flags,
                     struct timespec *timeout);

static struct
{
  const char *refuses; /* the host to which segments fail; NULL: none */
  guint n_together;    /* calls with segments */
  guint n_single;
  guint n_batches;
  guint batch_takes; /* datagrams of a batch before it blocks; 0: all */
  gboolean blocks;   /* single ones, too */
  guint n_receives;
  guint n_buffers; /* of the last one */
} calls;

static gboolean
has_segments (const struct msghdr *message)
{
  struct msghdr copy = *message;

  for (struct cmsghdr *header = CMSG_FIRSTHDR (&copy); header != NULL;
       header = CMSG_NXTHDR (&copy, header))
    if (header->cmsg_level == IPPROTO_UDP && header->cmsg_type == UDP_SEGMENT)
      return TRUE;
  return FALSE;
}

static gboolean
is_refused (const struct msghdr *message)
{
  g_autofree char *text = NULL;
  HpAddress refused;
  HpAddress remote;

  if (calls.refuses == NULL)
    return FALSE;
  text = g_strdup_printf ("%s:0", calls.refuses);
  g_assert_true (hp_address_parse (&refused, text));
  g_assert_true (hp_address_from_native (&remote, message->msg_name,
                                         message->msg_namelen));
  return hp_address_same_host (&refused, &remote);
}

ssize_t
__wrap_sendmsg (int fd, const struct msghdr *message, int flags)
{
  if (has_segments (message))
    {
      calls.n_together++;
      if (is_refused (message))
        {
          errno = EIO;
          return -1;
        }
    }
  else
    {
      calls.n_single++;
      if (calls.blocks)
        {
          errno = EAGAIN;
          return -1;
        }
    }
  return __real_sendmsg (fd, message, flags);
}

int
__wrap_sendmmsg (int fd, struct mmsghdr *messages, unsigned n, int flags)
{
  calls.n_batches++;
  if (calls.blocks)
    {
      errno = EAGAIN;
      return -1;
    }
  if (calls.batch_takes > 0)
    {
      calls.blocks = TRUE;
      n = MIN (n, calls.batch_takes);
    }
  return __real_sendmmsg (fd, messages, n, flags);
}

int
__wrap_recvmmsg (int fd, struct mmsghdr *messages, unsigned n, int flags,
                 struct timespec *timeout)
{
  calls.n_receives++;
  calls.n_buffers = n;
  return __real_recvmmsg (fd, messages, n, flags, timeout);
}

typedef struct
{
  HpUdpSocket *from;
  HpUdpSocket *to;
  guint n; /* datagrams that came */
  guint8 bytes[60 * SEGMENT];
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  memset (&calls, 0, sizeof calls);
  self->from = hp_udp_socket_new (NULL, 0, 0, &error);
  g_assert_no_error (error);
  self->to = hp_udp_socket_new (NULL, 0, 0, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  hp_udp_socket_free (self->from);
  hp_udp_socket_free (self->to);
}

/* @n datagrams, the last one shorter */
static HpOutgoing
make_outgoing (Fixture *self, const char *host, guint n)
{
  g_autofree char *text = g_strdup_printf (
      "%s:%u", host, hp_udp_socket_get_address (self->to)->port);
  HpOutgoing outgoing = { .bytes = self->bytes,
                          .length = (n - 1) * SEGMENT + 5 };

  g_assert_true (hp_address_parse (&outgoing.route.remote, text));
  for (guint i = 0; i < n; i++)
    memset (self->bytes + i * SEGMENT, i, SEGMENT);
  return outgoing;
}

static void
on_datagram (gpointer user_data, const HpDatagram *datagram)
{
  Fixture *self = user_data;

  g_assert_cmpuint (datagram->length, ==,
                    self->n == 59 ? 5 : SEGMENT);
  g_assert_cmpuint (datagram->bytes[0], ==, self->n);
  g_assert_cmpuint (datagram->bytes[datagram->length - 1], ==, self->n);
  self->n++;
}

static void
assert_came (Fixture *self, guint n)
{
  struct pollfd fd
      = { .fd = hp_udp_socket_get_fd (self->to), .events = POLLIN };

  self->n = 0;
  while (self->n < n && poll (&fd, 1, 5000) == 1)
    hp_udp_socket_receive (self->to, 64, on_datagram, self);
  g_assert_cmpuint (self->n, ==, n);
  g_assert_cmpint (poll (&fd, 1, 0), ==, 0);
}

static void
send_all (Fixture *self, const char *host)
{
  HpOutgoing outgoing = make_outgoing (self, host, 60);

  g_assert_cmpint (
      hp_udp_socket_send_segments (self->from, &outgoing, SEGMENT), ==,
      HP_SEND_OK);
  assert_came (self, 60);
}

/* One call to send them all, and one to receive them */
static void
test_together (Fixture *self, gconstpointer data)
{
  if (!self->from->has_segments)
    {
      g_test_skip ("no UDP_SEGMENT here");
      return;
    }
  for (guint i = 0; i < 3; i++)
    send_all (self, "127.0.0.1");
  g_assert_cmpuint (calls.n_together, ==, 3);
  g_assert_cmpuint (calls.n_single + calls.n_batches, ==, 0);
  g_assert_cmpuint (calls.n_receives, ==, 3);
}

/* A kernel that knows nothing of segments */
static void
test_old_kernel (Fixture *self, gconstpointer data)
{
  self->from->has_segments = FALSE;
  for (guint i = 0; i < 3; i++)
    send_all (self, "127.0.0.1");
  g_assert_cmpuint (calls.n_together + calls.n_single, ==, 0);
  g_assert_cmpuint (calls.n_batches, ==, 3);
}

/* A host to which a device leads that cannot do it does not spoil it for
 * others, and is tried again after a while. */
static void
test_one_route (Fixture *self, gconstpointer data)
{
  guint n_together;

  self->from->has_segments = TRUE;
  calls.refuses = "127.0.0.2";
  for (guint i = 0; i < 10; i++)
    send_all (self, "127.0.0.2");
  g_assert_cmpuint (calls.n_together, ==, 4);
  g_assert_cmpuint (calls.n_batches, ==, 10);
  g_assert_cmpuint (calls.n_single, ==, 0);
  send_all (self, "127.0.0.1");
  g_assert_cmpuint (calls.n_together, ==, 5);
  g_assert_cmpuint (calls.n_batches, ==, 10);

  /* Now and then, in vain; and then not */
  for (guint i = 0; i < 10000; i++)
    send_all (self, "127.0.0.2");
  n_together = calls.n_together;
  g_assert_cmpuint (n_together, >=, 6);
  g_assert_cmpuint (n_together, <, 15);
  calls.refuses = NULL;
  for (guint i = 0; i < 5000; i++)
    send_all (self, "127.0.0.2");
  g_assert_cmpuint (calls.n_together, >, n_together + 500);
}

/* More hosts than are remembered */
static void
test_many_routes (Fixture *self, gconstpointer data)
{
  self->from->has_segments = TRUE;
  for (guint i = 0; i < 200; i++)
    {
      g_autofree char *host = g_strdup_printf ("127.0.1.%u", 1 + i / 10);

      calls.refuses = host;
      send_all (self, host);
    }
  g_assert_cmpuint (calls.n_together, ==, 4 * 20);
  calls.refuses = NULL;
}

/* The kernel takes some of a batch: what is left is told. */
static void
test_blocked (Fixture *self, gconstpointer data)
{
  HpOutgoing outgoing = make_outgoing (self, "127.0.0.1", 60);
  const guint8 *bytes = outgoing.bytes;
  gsize length = outgoing.length;

  self->from->has_segments = FALSE;
  calls.batch_takes = 7;
  g_assert_cmpint (
      hp_udp_socket_send_segments (self->from, &outgoing, SEGMENT), ==,
      HP_SEND_BLOCKED);
  g_assert_true (outgoing.bytes == bytes + 7 * SEGMENT);
  g_assert_cmpuint (outgoing.length, ==, length - 7 * SEGMENT);
  assert_came (self, 7);

  calls.batch_takes = 0;
  calls.blocks = FALSE;
  outgoing.bytes = self->bytes;
  outgoing.length = length;
  g_assert_cmpint (
      hp_udp_socket_send_segments (self->from, &outgoing, SEGMENT), ==,
      HP_SEND_OK);
  assert_came (self, 60);
}

/* Ten places; a datagram to each, two to the last */
static void
make_runs (Fixture *self, HpUdpRun runs[10])
{
  HpOutgoing outgoing = make_outgoing (self, "127.0.0.1", 60);

  for (guint i = 0; i < 10; i++)
    {
      g_autofree char *host = g_strdup_printf ("127.0.0.%u", i + 1);

      runs[i] = (HpUdpRun){ make_outgoing (self, host, 60), SEGMENT };
      runs[i].all.bytes = outgoing.bytes + i * SEGMENT;
      runs[i].all.length = i == 9 ? 2 * SEGMENT : SEGMENT;
    }
}

/* To many places in one call, and some several as one */
static void
test_many_ways (Fixture *self, gconstpointer data)
{
  HpUdpRun runs[10];

  make_runs (self, runs);
  self->from->has_segments = TRUE;
  g_assert_cmpuint (hp_udp_socket_send_runs (self->from, runs, 10), ==, 10);
  g_assert_cmpuint (calls.n_batches, ==, 1);
  g_assert_cmpuint (calls.n_single + calls.n_together, ==, 0);
  assert_came (self, 11);

  /* The kernel takes some. */
  calls.batch_takes = 4;
  g_assert_cmpuint (hp_udp_socket_send_runs (self->from, runs, 10), ==, 4);
  assert_came (self, 4);
  g_assert_cmpuint (hp_udp_socket_send_runs (self->from, runs, 10), ==, 0);
  calls.batch_takes = 0;
  calls.blocks = FALSE;

  /* What cannot go like that is left to another call. */
  runs[6].all.route.remote.family = HP_ADDRESS_NONE;
  g_assert_cmpuint (hp_udp_socket_send_runs (self->from, runs, 10), ==, 6);
  assert_came (self, 6);
  g_assert_cmpuint (hp_udp_socket_send_runs (self->from, runs + 6, 4), ==, 0);
  make_runs (self, runs);
  self->from->has_segments = FALSE;
  g_assert_cmpuint (hp_udp_socket_send_runs (self->from, runs, 10), ==, 9);
  assert_came (self, 9);
}

/* A host to which segments have failed is not tried in vain. */
static void
test_trouble_among_many (Fixture *self, gconstpointer data)
{
  HpUdpRun runs[10];

  self->from->has_segments = TRUE;
  calls.refuses = "127.0.0.10";
  send_all (self, "127.0.0.10");
  make_runs (self, runs);
  g_assert_cmpuint (hp_udp_socket_send_runs (self->from, runs, 10), ==, 9);
  assert_came (self, 9);
}

static void
take (gpointer user_data, const HpDatagram *datagram)
{
  (*(guint *) user_data)++;
}

static guint
pass (Fixture *self, guint n)
{
  HpOutgoing outgoing = make_outgoing (self, "127.0.0.1", 1);
  struct pollfd fd
      = { .fd = hp_udp_socket_get_fd (self->to), .events = POLLIN };
  guint received = 0;

  for (guint i = 0; i < n; i++)
    g_assert_cmpint (hp_udp_socket_send (self->from, &outgoing), ==,
                     HP_SEND_OK);
  while (received < n && poll (&fd, 1, 5000) == 1)
    hp_udp_socket_receive (self->to, 64, take, &received);
  return received;
}

/* Who is sent one datagram at a time asks for one; who is sent many for
 * many. */
static void
test_buffers (Fixture *self, gconstpointer data)
{
  guint n_single = 0;

  pass (self, 1);
  calls.n_receives = 0;
  for (guint i = 0; i < 100; i++)
    {
      g_assert_cmpuint (pass (self, 1), ==, 1);
      n_single += calls.n_buffers == 1;
    }
  g_assert_cmpuint (n_single, >, 80);
  g_assert_cmpuint (calls.n_receives, ==, 100);

  calls.n_receives = 0;
  g_assert_cmpuint (pass (self, 400), ==, 400);
  g_assert_cmpuint (calls.n_receives, <, 50);
  g_assert_cmpuint (calls.n_buffers, >, 1);
}

/* What was granted, which the system's limits may make less than was asked
 * for */
static void
test_kernel_buffers (Fixture *self, gconstpointer data)
{
  gsize granted = hp_udp_socket_get_receive_buffer (self->to);
  int size;
  socklen_t length = sizeof size;

  g_assert_cmpint (getsockopt (hp_udp_socket_get_fd (self->to), SOL_SOCKET,
                               SO_RCVBUF, &size, &length), ==, 0);
  g_assert_cmpuint (granted, ==, size / 2);
  g_assert_cmpuint (granted, <=, 4 * 1024 * 1024);
  g_assert_cmpuint (hp_udp_socket_get_send_buffer (self->to), >, 0);
  size = 100000;
  g_assert_cmpint (setsockopt (hp_udp_socket_get_fd (self->to), SOL_SOCKET,
                               SO_RCVBUF, &size, sizeof size), ==, 0);
  g_assert_cmpuint (hp_udp_socket_get_receive_buffer (self->to), ==, 100000);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func)                                                       \
  g_test_add ("/udp-segments/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("together", test_together);
  ADD ("old-kernel", test_old_kernel);
  ADD ("one-route", test_one_route);
  ADD ("many-routes", test_many_routes);
  ADD ("blocked", test_blocked);
  ADD ("many-ways", test_many_ways);
  ADD ("trouble-among-many", test_trouble_among_many);
  ADD ("buffers", test_buffers);
  ADD ("kernel-buffers", test_kernel_buffers);
  return g_test_run ();
}
