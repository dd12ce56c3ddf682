/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The limit: returns every datagram to where it came from, from where it went
 * to (IP_PKTINFO), and does nothing else. By recvmmsg(2) and sendmmsg(2), or
 * by GSocket's calls for the same, to see what those cost; or one by one.
 */

#include "bench-common.h"

#include <gio/gnetworking.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH 64
#define SIZE 2048

static guint8 buffers[BATCH][SIZE];

static GSocket *
open_socket (const char *address)
{
  g_autoptr (GInetAddress) inet = g_inet_address_new_from_string (address);
  g_autoptr (GSocketAddress) wanted = NULL;
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GError) error = NULL;
  GSocket *socket;

  socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM,
                         G_SOCKET_PROTOCOL_UDP, &error);
  if (inet == NULL || socket == NULL)
    g_error ("No socket at %s", address);
  wanted = g_inet_socket_address_new (inet, 0);
  g_socket_set_blocking (socket, FALSE);
  g_socket_set_option (socket, SOL_SOCKET, SO_RCVBUF, 4 * BENCH_MIB, NULL);
  g_socket_set_option (socket, SOL_SOCKET, SO_SNDBUF, 4 * BENCH_MIB, NULL);
  if (!g_socket_set_option (socket, IPPROTO_IP, IP_PKTINFO, 1, &error)
      || !g_socket_bind (socket, wanted, FALSE, &error))
    g_error ("%s", error->message);
  bound = g_socket_get_local_address (socket, NULL);
  bench_print_ready (
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound)), NULL);
  return socket;
}

/* The system's calls. What came tells where from and where to: it goes back
 * with the same control message, whose address ipi_spec_dst is filled in
 * already (ip(7)). */

typedef union
{
  struct cmsghdr alignment;
  guint8 bytes[CMSG_SPACE (sizeof (struct in_pktinfo))];
} Info;

static struct mmsghdr messages[BATCH];
static struct iovec vectors[BATCH];
static struct sockaddr_in senders[BATCH];
static Info infos[BATCH];

static int
receive (int fd, guint most)
{
  for (guint i = 0; i < most; i++)
    {
      vectors[i] = (struct iovec){ buffers[i], SIZE };
      messages[i].msg_hdr = (struct msghdr){
        .msg_name = senders + i,
        .msg_namelen = sizeof senders[i],
        .msg_iov = vectors + i,
        .msg_iovlen = 1,
        .msg_control = infos + i,
        .msg_controllen = sizeof infos[i],
      };
    }
  return recvmmsg (fd, messages, most, 0, NULL);
}

static void
echo_by_system (GSocket *socket, guint most)
{
  int fd = g_socket_get_fd (socket);
  struct pollfd readable = { fd, POLLIN, 0 };

  for (;;)
    {
      int n = receive (fd, most);

      if (n <= 0)
        {
          poll (&readable, 1, -1);
          continue;
        }
      for (int i = 0; i < n; i++)
        {
          struct in_pktinfo *info = (gpointer) CMSG_DATA (&infos[i].alignment);

          info->ipi_ifindex = 0;
          vectors[i].iov_len = messages[i].msg_len;
        }
      for (int sent = 0, more; sent < n; sent += MAX (more, 1))
        more = sendmmsg (fd, messages + sent, n - sent, 0);
    }
}

/* GSocket's. It gives objects for what came with each message; the answer
 * needs one of its own only for control messages, which GIO knows no class
 * for on the way out: left out here, to its favour. */

static void
answer_by_glib (GSocket *socket, GInputMessage *in,
                GSocketControlMessage ***controls, guint *n_controls, int n)
{
  GOutputMessage out[BATCH];
  GOutputVector out_vectors[BATCH];
  GSocketAddress **addresses[BATCH];

  for (int i = 0; i < n; i++)
    {
      addresses[i] = in[i].address;
      out_vectors[i]
          = (GOutputVector){ in[i].vectors->buffer, in[i].bytes_received };
      out[i] = (GOutputMessage){ *addresses[i], out_vectors + i, 1, 0, NULL,
                                 0 };
    }
  for (int sent = 0, more; sent < n; sent += MAX (more, 1))
    more = g_socket_send_messages (socket, out + sent, n - sent, 0, NULL,
                                   NULL);
  for (int i = 0; i < n; i++)
    {
      g_object_unref (*addresses[i]);
      for (guint j = 0; j < n_controls[i]; j++)
        g_object_unref (controls[i][j]);
      g_free (controls[i]);
    }
}

static void
echo_by_glib (GSocket *socket, guint most)
{
  GSocketControlMessage **controls[BATCH];
  GSocketAddress *addresses[BATCH];
  GInputVector in_vectors[BATCH];
  GInputMessage in[BATCH];
  guint n_controls[BATCH];

  for (;;)
    {
      int n;

      for (guint i = 0; i < most; i++)
        {
          addresses[i] = NULL;
          controls[i] = NULL;
          n_controls[i] = 0;
          in_vectors[i] = (GInputVector){ buffers[i], SIZE };
          in[i] = (GInputMessage){ addresses + i, in_vectors + i, 1,     0,
                                   0,             controls + i,   n_controls
                                                                      + i };
        }
      n = g_socket_receive_messages (socket, in, most, 0, NULL, NULL);
      if (n > 0)
        answer_by_glib (socket, in, controls, n_controls, n);
      else
        g_socket_condition_wait (socket, G_IO_IN, NULL, NULL);
    }
}

int
main (int argc, char **argv)
{
  g_autofree char *listen = NULL;
  g_autofree char *mode = NULL;
  const GOptionEntry entries[] = {
    { "listen", 0, 0, G_OPTION_ARG_STRING, &listen, "At this address",
      "ADDRESS" },
    { "mode", 0, 0, G_OPTION_ARG_STRING, &mode, "How", "batch|glib|single" },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    g_error ("%s", error->message);
  socket = open_socket (listen != NULL ? listen : "0.0.0.0");
  if (g_strcmp0 (mode, "glib") == 0)
    echo_by_glib (socket, BATCH);
  else
    echo_by_system (socket, g_strcmp0 (mode, "single") == 0 ? 1 : BATCH);
  return 0;
}
