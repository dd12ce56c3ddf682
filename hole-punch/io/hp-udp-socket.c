/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/io/hp-udp-socket-private.h"

#include "hole-punch/io/hp-udp-steering.h"

#include <errno.h>
#include <netinet/udp.h>

/* A whole datagram, and a step that lets the buffers begin in different lines
 * of the processor's cache */
#define BUFFER_SIZE (65536 + 1152)
/* UDP payload over IPv4; more needs jumbograms (RFC 2675) */
#define MAX_DATAGRAM_SIZE 65507
/* An IP header without options, and UDP's */
#define IPV4_HEADERS (20 + 8)
#define IPV6_HEADERS (40 + 8)
/* Asked for; the system's limit (net.core.rmem_max) may give less */
#define KERNEL_BUFFER_SIZE (4 * 1024 * 1024)
/* Of one batch, about; see adapt_wanted() */
#define RECEIVE_SIZE (192 * 1024)
#define LARGE_SIZE 4096
/* Single datagrams till one more is asked for */
#define MAX_SINGLE 8
/* Errors in a row that are passed over before waiting for the next wake-up */
#define MAX_ERRORS 8

/* Nothing of ours is to be fragmented, nor is what ICMP says of the path to be
 * believed: larger datagrams than the path carries shall be lost, so that their
 * sender finds out (RFC 8899, section 4.5). */
static void
set_unfragmented (HpUdpSocket *self)
{
  g_socket_set_option (self->socket, IPPROTO_IP, IP_MTU_DISCOVER,
                       IP_PMTUDISC_PROBE, NULL);
  if (self->is_ipv6)
    g_socket_set_option (self->socket, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
                         IPV6_PMTUDISC_PROBE, NULL);
}

/* Of IPv4 datagrams on a dual-stack socket it is IPv4's option that counts. */
static void
ask_for_marks (HpUdpSocket *self)
{
  g_socket_set_option (self->socket, IPPROTO_IP, IP_RECVTOS, 1, NULL);
  if (self->is_ipv6)
    g_socket_set_option (self->socket, IPPROTO_IPV6, IPV6_RECVTCLASS, 1,
                         NULL);
}

static gboolean
set_options (HpUdpSocket *self, gboolean is_dual_stack, GError **error)
{
  g_socket_set_blocking (self->socket, FALSE);
  /* Not to have them is no reason to fail. */
  g_socket_set_option (self->socket, SOL_SOCKET, SO_RCVBUF,
                       KERNEL_BUFFER_SIZE, NULL);
  g_socket_set_option (self->socket, SOL_SOCKET, SO_SNDBUF,
                       KERNEL_BUFFER_SIZE, NULL);
  g_socket_set_option (self->socket, IPPROTO_UDP, UDP_GRO, 1, NULL);
  set_unfragmented (self);
  ask_for_marks (self);
  if (self->is_ipv6)
    return g_socket_set_option (self->socket, IPPROTO_IPV6, IPV6_V6ONLY,
                                !is_dual_stack, error)
           && g_socket_set_option (self->socket, IPPROTO_IPV6,
                                   IPV6_RECVPKTINFO, 1, error);
  return g_socket_set_option (self->socket, IPPROTO_IP, IP_PKTINFO, 1, error);
}

static gboolean
bind_socket (HpUdpSocket *self, GInetAddress *inet, guint16 port,
             gboolean is_dual_stack, GError **error)
{
  g_autoptr (GSocketAddress) wanted = g_inet_socket_address_new (inet, port);
  g_autoptr (GSocketAddress) bound = NULL;
  GSocketFamily family = g_inet_address_get_family (inet);

  g_clear_object (&self->socket);
  self->is_ipv6 = family == G_SOCKET_FAMILY_IPV6;
  self->is_dual_stack = is_dual_stack;
  self->socket = g_socket_new (family, G_SOCKET_TYPE_DATAGRAM,
                               G_SOCKET_PROTOCOL_UDP, error);
  if (self->socket == NULL || !set_options (self, is_dual_stack, error)
      || !g_socket_bind (self->socket, wanted, self->is_sharing, error))
    return FALSE;
  self->fd = g_socket_get_fd (self->socket);
  bound = g_socket_get_local_address (self->socket, error);
  return bound != NULL
         && hp_address_from_socket_address (&self->address, bound);
}

static gboolean
bind_any (HpUdpSocket *self, guint16 port, GError **error)
{
  g_autoptr (GInetAddress) ipv6 = NULL;
  g_autoptr (GInetAddress) ipv4 = NULL;
  g_autoptr (GError) ipv6_error = NULL;

  ipv6 = g_inet_address_new_any (G_SOCKET_FAMILY_IPV6);
  if (bind_socket (self, ipv6, port, TRUE, &ipv6_error))
    return TRUE;
  if (g_error_matches (ipv6_error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE))
    {
      g_propagate_error (error, g_steal_pointer (&ipv6_error));
      return FALSE;
    }
  ipv4 = g_inet_address_new_any (G_SOCKET_FAMILY_IPV4);
  return bind_socket (self, ipv4, port, FALSE, error);
}

static gboolean
bind_to (HpUdpSocket *self, const char *address, guint16 port, GError **error)
{
  g_autoptr (GInetAddress) inet = g_inet_address_new_from_string (address);

  if (inet == NULL)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                   "“%s” is not an IP address", address);
      return FALSE;
    }
  if (g_inet_address_get_is_any (inet)
      && g_inet_address_get_family (inet) == G_SOCKET_FAMILY_IPV6)
    return bind_any (self, port, error);
  return bind_socket (self, inet, port, FALSE, error);
}

static HpUdpBuffers *
new_buffers (void)
{
  HpUdpBuffers *buffers = g_new0 (HpUdpBuffers, 1);

  buffers->references = 1;
  buffers->bytes = g_malloc ((gsize) HP_UDP_BATCH * BUFFER_SIZE);
  for (guint i = 0; i < HP_UDP_BATCH; i++)
    {
      buffers->vectors[i] = (struct iovec){
        .iov_base = buffers->bytes + (gsize) i * BUFFER_SIZE,
        .iov_len = MAX_DATAGRAM_SIZE,
      };
      buffers->messages[i].msg_hdr = (struct msghdr){
        .msg_name = buffers->senders + i,
        .msg_iov = buffers->vectors + i,
        .msg_iovlen = 1,
        .msg_control = buffers->infos + i,
      };
    }
  return buffers;
}

static void
unref_buffers (HpUdpBuffers *buffers)
{
  if (--buffers->references > 0)
    return;
  g_free (buffers->bytes);
  g_free (buffers);
}

static HpUdpSocket *
open_socket (const char *address, guint16 port, guint number, GError **error)
{
  g_autoptr (HpUdpSocket) self = g_new0 (HpUdpSocket, 1);

  self->number = number;
  if (address != NULL ? !bind_to (self, address, port, error)
                      : !bind_any (self, port, error))
    return NULL;
  return g_steal_pointer (&self);
}

HpUdpSocket *
hp_udp_socket_new (const char *address, guint16 port, guint number,
                   GError **error)
{
  HpUdpSocket *self = open_socket (address, port, number, error);

  if (self == NULL)
    return NULL;
  self->has_segments = hp_udp_socket_probe_segments (self);
  self->buffers = new_buffers ();
  self->n_wanted = HP_UDP_BATCH;
  return self;
}

static void
become_beside (HpUdpSocket *self, const HpUdpSocket *other)
{
  self->has_segments = other->has_segments;
  self->buffers = other->buffers;
  self->buffers->references++;
  /* Of many sockets most get a single datagram, or none. */
  self->n_wanted = 1;
}

HpUdpSocket *
hp_udp_socket_new_beside (const HpUdpSocket *other, const char *address,
                          guint16 port, guint number, GError **error)
{
  HpUdpSocket *self = open_socket (address, port, number, error);

  if (self == NULL)
    return NULL;
  become_beside (self, other);
  return self;
}

/* Whoever comes next may have the port, too. */
static gboolean
allow_sharing (HpUdpSocket *self, GError **error)
{
  const int yes = 1;

  if (setsockopt (self->fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) == 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
               "the system lets no second socket have the port "
               "(SO_REUSEPORT: %s): use a single one",
               g_strerror (errno));
  return FALSE;
}

/* The first one is bound alone, so that whoever else has the port is in the
 * way, and lets others in only then. */
static HpUdpSocket *
open_sharing (HpUdpSocket *first, guint share, guint n_shares, guint number,
              GError **error)
{
  g_autoptr (HpUdpSocket) self = g_new0 (HpUdpSocket, 1);
  g_autoptr (GSocketAddress) wanted
      = hp_address_to_socket_address (&first->address);
  GInetAddress *inet
      = g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (wanted));

  g_assert (share >= 1 && share < n_shares);

  self->number = number;
  self->is_sharing = TRUE;
  if ((share == 1 && !allow_sharing (first, error))
      || !bind_socket (self, inet, first->address.port,
                       first->is_dual_stack, error)
      || (share == 1 && !hp_udp_steering_attach (self->fd, n_shares, error)))
    return NULL;
  return g_steal_pointer (&self);
}

HpUdpSocket *
hp_udp_socket_new_sharing (HpUdpSocket *first, guint share, guint n_shares,
                           guint number, GError **error)
{
  HpUdpSocket *self = open_sharing (first, share, n_shares, number, error);

  if (self == NULL)
    return NULL;
  self->has_segments = first->has_segments;
  self->buffers = new_buffers ();
  self->n_wanted = HP_UDP_BATCH;
  return self;
}

HpUdpSocket *
hp_udp_socket_new_sharing_beside (HpUdpSocket *first, guint share,
                                  guint n_shares, const HpUdpSocket *other,
                                  GError **error)
{
  HpUdpSocket *self
      = open_sharing (first, share, n_shares, first->number, error);

  if (self == NULL)
    return NULL;
  become_beside (self, other);
  return self;
}

void
hp_udp_socket_free (HpUdpSocket *self)
{
  if (self == NULL)
    return;
  if (self->socket != NULL)
    g_socket_close (self->socket, NULL);
  g_clear_object (&self->socket);
  g_clear_pointer (&self->buffers, unref_buffers);
  g_free (self);
}

int
hp_udp_socket_get_fd (const HpUdpSocket *self)
{
  return self->fd;
}

guint
hp_udp_socket_get_number (const HpUdpSocket *self)
{
  return self->number;
}

const HpAddress *
hp_udp_socket_get_address (const HpUdpSocket *self)
{
  return &self->address;
}

static gsize
get_buffer_size (const HpUdpSocket *self, int option)
{
  int size = 0;

  if (!g_socket_get_option (self->socket, SOL_SOCKET, option, &size, NULL))
    return 0;
  /* What Linux tells is twice what it was asked for: the half is for its own
   * overhead (socket(7)). */
  return MAX (size, 0) / 2;
}

gsize
hp_udp_socket_get_receive_buffer (const HpUdpSocket *self)
{
  return get_buffer_size (self, SO_RCVBUF);
}

gsize
hp_udp_socket_get_send_buffer (const HpUdpSocket *self)
{
  return get_buffer_size (self, SO_SNDBUF);
}

gboolean
hp_udp_socket_has_ipv6 (const HpUdpSocket *self)
{
  return self->is_ipv6;
}

/* Connecting a UDP socket sends nothing; it asks for the route. */
static GSocket *
ask_route (HpUdpSocket *self, const HpAddress *remote)
{
  g_autoptr (GSocketAddress) address = hp_address_to_socket_address (remote);
  g_autoptr (GSocket) probe = NULL;

  if (address == NULL
      || (remote->family == HP_ADDRESS_IPV6 && !self->is_ipv6))
    return NULL;
  probe = g_socket_new (g_socket_address_get_family (address),
                        G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
  if (probe == NULL || !g_socket_connect (probe, address, NULL, NULL))
    return NULL;
  return g_steal_pointer (&probe);
}

gsize
hp_udp_socket_get_interface_size (HpUdpSocket *self, const HpAddress *remote)
{
  g_autoptr (GSocket) probe = ask_route (self, remote);
  gboolean is_ipv6 = remote->family == HP_ADDRESS_IPV6;
  int headers = is_ipv6 ? IPV6_HEADERS : IPV4_HEADERS;
  int mtu = 0;

  if (probe == NULL
      || !g_socket_get_option (probe, is_ipv6 ? IPPROTO_IPV6 : IPPROTO_IP,
                               is_ipv6 ? IPV6_MTU : IP_MTU, &mtu, NULL)
      || mtu <= headers)
    return 0;
  return MIN (mtu - headers, MAX_DATAGRAM_SIZE);
}

gboolean
hp_udp_socket_get_source (HpUdpSocket *self, const HpAddress *remote,
                          HpAddress *source)
{
  g_autoptr (GSocketAddress) local = NULL;
  g_autoptr (GSocket) probe = NULL;

  if (hp_address_get_scope (&self->address) != HP_SCOPE_INVALID)
    {
      *source = self->address;
      return remote->family == self->address.family;
    }
  probe = ask_route (self, remote);
  if (probe == NULL)
    return FALSE;
  local = g_socket_get_local_address (probe, NULL);
  if (local == NULL || !hp_address_from_socket_address (source, local))
    return FALSE;
  source->port = self->address.port;
  return hp_address_get_scope (source) != HP_SCOPE_INVALID;
}

static guint
give_segments (HpUdpSocket *self, guint i, const HpDatagram *each,
               gsize segment, HpDatagramFunc func, gpointer user_data)
{
  guint8 *bytes = self->buffers->vectors[i].iov_base;
  gsize left = self->buffers->messages[i].msg_len;
  guint count = 0;

  /* An empty datagram is one, too. */
  do
    {
      HpDatagram datagram = *each;

      datagram.bytes = bytes;
      datagram.length = MIN (left, segment);
      bytes += datagram.length;
      left -= datagram.length;
      func (user_data, &datagram);
      count++;
    }
  while (left > 0);
  return count;
}

static guint
take_message (HpUdpSocket *self, guint i, HpDatagramFunc func,
              gpointer user_data)
{
  HpDatagram each = { .route.socket = self->number };
  struct msghdr *message = &self->buffers->messages[i].msg_hdr;
  gsize segment = MAX_DATAGRAM_SIZE;

  if (!hp_address_from_native (&each.route.remote, message->msg_name,
                               message->msg_namelen)
      || (message->msg_flags & MSG_TRUNC) != 0)
    return 1;
  hp_packet_info_read (message, &each, &segment);
  if (each.route.local.family != HP_ADDRESS_NONE)
    each.route.local.port = self->address.port;
  return give_segments (self, i, &each, segment, func, user_data);
}

static gsize
get_size (const HpUdpSocket *self, guint n)
{
  gsize size = 0;

  for (guint i = 0; i < n; i++)
    size += self->buffers->messages[i].msg_len;
  return size;
}

/* How many buffers the next call is given. Large messages: as many as hold
 * RECEIVE_SIZE, since what one call copies is read again while the processor's
 * cache has it. Small ones: as many as came, or twice as many if that was all
 * there was room for. And a single one now and then, such as a request or its
 * answer, comes alone: the kernel fills what buffers are left by looking once
 * more, in vain. */
static void
adapt_wanted (HpUdpSocket *self, guint wanted, guint n, gsize size)
{
  gsize average = size / n;

  if (average >= LARGE_SIZE)
    self->n_wanted = CLAMP (RECEIVE_SIZE / average, 2, HP_UDP_BATCH);
  else if (n < wanted)
    self->n_wanted = n;
  else if (n > 1 || ++self->n_single % MAX_SINGLE == 0)
    self->n_wanted = CLAMP (2 * n, self->n_wanted, HP_UDP_BATCH);
}

/* How many messages came; negative: an error. Not through GSocket, which makes
 * and frees an object of each control message: with what finds their type, a
 * seventh of all the instructions that a small message and its answer cost. */
static int
receive_messages (HpUdpSocket *self, guint wanted)
{
  struct mmsghdr *messages = self->buffers->messages;

  for (guint i = 0; i < wanted; i++)
    {
      messages[i].msg_hdr.msg_namelen = sizeof self->buffers->senders[i];
      messages[i].msg_hdr.msg_controllen = sizeof self->buffers->infos[i];
    }
  return recvmmsg (hp_udp_socket_get_fd (self), messages, wanted, 0, NULL);
}

guint
hp_udp_socket_receive (HpUdpSocket *self, guint most, HpDatagramFunc func,
                       gpointer user_data)
{
  guint received = 0;
  gsize received_size = 0;
  guint errors = 0;

  self->is_drained = FALSE;
  while (received < most && received_size < RECEIVE_SIZE)
    {
      guint wanted = MIN (most - received, self->n_wanted);
      int n = receive_messages (self, wanted);

      if (n <= 0)
        {
          /* Linux reports ICMP errors of what was sent before on the next
           * call; they say nothing about the socket. */
          self->is_drained = errno == EAGAIN || ++errors == MAX_ERRORS;
        }
      else
        {
          gsize size = get_size (self, n);

          adapt_wanted (self, wanted, n, size);
          received_size += size;
          for (int i = 0; i < n; i++)
            received += take_message (self, i, func, user_data);
          self->is_drained = n < (int) wanted || wanted == 1;
        }
      if (self->is_drained)
        break;
    }
  return received;
}

gboolean
hp_udp_socket_is_drained (const HpUdpSocket *self)
{
  return self->is_drained;
}
