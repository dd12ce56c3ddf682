/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "bench-match-net.h"

#include "bench-common.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define BATCH 64
#define KERNEL_BUFFER_SIZE (64 * BENCH_MIB)

typedef union
{
  struct cmsghdr alignment;
  guint8 bytes[CMSG_SPACE (sizeof (struct in_pktinfo))];
} Info;

typedef struct
{
  struct mmsghdr messages[BATCH];
  struct iovec vectors[BATCH];
  Info infos[BATCH];
  guint8 bytes[BATCH][BENCH_NET_SIZE];
} Batch;

struct _BenchNet
{
  int fd;
  struct sockaddr_in server;
  BenchRange range;
  guint n; /* in the batch to be sent */
  Batch out;
  Batch in;
};

BenchRange
bench_net_parse_range (const char *first, guint n, guint step)
{
  g_autoptr (GInetAddress) inet
      = first != NULL ? g_inet_address_new_from_string (first) : NULL;
  guint32 address;

  if (inet == NULL
      || g_inet_address_get_family (inet) != G_SOCKET_FAMILY_IPV4 || n == 0)
    g_error ("--first: an IPv4 address is wanted");
  memcpy (&address, g_inet_address_to_bytes (inet), sizeof address);
  return (BenchRange){ g_ntohl (address), n, step };
}

static void
prepare_batches (BenchNet *self)
{
  for (guint i = 0; i < BATCH; i++)
    {
      struct msghdr *out = &self->out.messages[i].msg_hdr;
      struct msghdr *in = &self->in.messages[i].msg_hdr;
      struct cmsghdr *info = &self->out.infos[i].alignment;

      self->out.vectors[i].iov_base = self->out.bytes[i];
      self->in.vectors[i] = (struct iovec){ self->in.bytes[i],
                                            BENCH_NET_SIZE };
      *in = (struct msghdr){ .msg_iov = self->in.vectors + i,
                             .msg_iovlen = 1 };
      *out = (struct msghdr){
        .msg_name = &self->server,
        .msg_namelen = sizeof self->server,
        .msg_iov = self->out.vectors + i,
        .msg_iovlen = 1,
        .msg_control = info,
        .msg_controllen = sizeof self->out.infos[i],
      };
      info->cmsg_level = IPPROTO_IP;
      info->cmsg_type = IP_PKTINFO;
      info->cmsg_len = CMSG_LEN (sizeof (struct in_pktinfo));
    }
}

static void
set_buffer (int fd, int force, int usual)
{
  int size = KERNEL_BUFFER_SIZE;

  /* Beyond the system's limit as root only */
  if (setsockopt (fd, SOL_SOCKET, force, &size, sizeof size) != 0
      && setsockopt (fd, SOL_SOCKET, usual, &size, sizeof size) != 0)
    g_error ("setsockopt: %s", g_strerror (errno));
}

BenchNet *
bench_net_new (const char *server, const BenchRange *range)
{
  g_autoptr (GSocketAddress) address = bench_parse_address (server);
  struct sockaddr_in any = { .sin_family = AF_INET };
  BenchNet *self = g_new0 (BenchNet, 1);

  self->range = *range;
  if (!g_socket_address_to_native (address, &self->server,
                                   sizeof self->server, NULL))
    g_error ("%s is not an IPv4 address", server);
  self->fd = socket (AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (self->fd < 0 || bind (self->fd, (struct sockaddr *) &any, sizeof any))
    g_error ("socket: %s", g_strerror (errno));
  set_buffer (self->fd, SO_RCVBUFFORCE, SO_RCVBUF);
  set_buffer (self->fd, SO_SNDBUFFORCE, SO_SNDBUF);
  prepare_batches (self);
  /* Short waits are to be as short as asked for. */
  prctl (PR_SET_TIMERSLACK, 1000UL);
  return self;
}

void
bench_net_free (BenchNet *self)
{
  close (self->fd);
  g_free (self);
}

guint8 *
bench_net_begin (BenchNet *self, guint64 number)
{
  struct in_pktinfo info = { 0 };

  if (self->n == BATCH)
    bench_net_flush (self);
  info.ipi_spec_dst.s_addr = htonl (
      self->range.first + number % self->range.n * self->range.step);
  memcpy (CMSG_DATA (&self->out.infos[self->n].alignment), &info,
          sizeof info);
  return self->out.bytes[self->n];
}

void
bench_net_end (BenchNet *self, gsize length)
{
  self->out.vectors[self->n++].iov_len = length;
}

void
bench_net_flush (BenchNet *self)
{
  struct pollfd writable = { self->fd, POLLOUT, 0 };

  for (guint done = 0; done < self->n;)
    {
      int sent = sendmmsg (self->fd, self->out.messages + done,
                           self->n - done, 0);

      if (sent > 0)
        done += sent;
      else if (errno == EAGAIN)
        poll (&writable, 1, 100);
      else if (errno != ECONNREFUSED)
        g_error ("sendmmsg: %s", g_strerror (errno));
    }
  self->n = 0;
}

guint
bench_net_receive (BenchNet *self, BenchNetFunc func, gpointer user_data)
{
  int n = recvmmsg (self->fd, self->in.messages, BATCH, 0, NULL);

  for (int i = 0; i < n; i++)
    func (user_data, self->in.bytes[i], self->in.messages[i].msg_len);
  return MAX (n, 0);
}

void
bench_net_wait (BenchNet *self, gint64 timeout)
{
  struct pollfd readable = { self->fd, POLLIN, 0 };
  struct timespec time = { timeout / G_USEC_PER_SEC,
                           timeout % G_USEC_PER_SEC * 1000 };

  ppoll (&readable, 1, &time, NULL);
}
