/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/io/hp-udp-socket.h"

#include "hole-punch/io/hp-packet-info.h"

#include <netinet/in.h>
#include <netinet/udp.h>

/* Buffers filled by the kernel in one call; each may hold several datagrams */
#define BATCH 16
/* A whole datagram, and a step that lets the buffers begin in different lines
 * of the processor's cache. Only pages that datagrams touch are resident. */
#define BUFFER_SIZE (65536 + 1152)
/* UDP payload over IPv4; more needs jumbograms (RFC 2675) */
#define MAX_DATAGRAM_SIZE 65507
/* Asked for; the system's limit (net.core.rmem_max) may give less */
#define KERNEL_BUFFER_SIZE (4 * 1024 * 1024)
/* Segmentation that failed so often in a row, while the same datagrams went one
 * by one, is not tried any more. */
#define MAX_SEGMENT_FAILURES 4
/* Errors in a row that are passed over before waiting for the next wake-up */
#define MAX_ERRORS 8

struct _HpUdpSocket
{
  GSocket *socket;
  guint number;
  gboolean is_ipv6;
  guint segment_failures; /* in a row */
  HpAddress address;      /* bound to */

  guint8 *buffers;
  GInputVector vectors[BATCH];
  GInputMessage messages[BATCH];
  GSocketAddress *senders[BATCH];
  GSocketControlMessage **controls[BATCH];
  guint n_controls[BATCH];

  /* What the last datagram needed: the next one nearly always the same */
  HpAddress remote;
  GSocketAddress *remote_address;
  HpAddress local;
  GSocketControlMessage *local_info;
};

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
  self->socket = g_socket_new (family, G_SOCKET_TYPE_DATAGRAM,
                               G_SOCKET_PROTOCOL_UDP, error);
  if (self->socket == NULL || !set_options (self, is_dual_stack, error)
      || !g_socket_bind (self->socket, wanted, FALSE, error))
    return FALSE;
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

static void
prepare_messages (HpUdpSocket *self)
{
  self->buffers = g_malloc ((gsize) BATCH * BUFFER_SIZE);
  for (guint i = 0; i < BATCH; i++)
    {
      self->vectors[i].buffer = self->buffers + (gsize) i * BUFFER_SIZE;
      self->vectors[i].size = MAX_DATAGRAM_SIZE;
      self->messages[i] = (GInputMessage){
        .address = &self->senders[i],
        .vectors = &self->vectors[i],
        .num_vectors = 1,
        .control_messages = &self->controls[i],
        .num_control_messages = &self->n_controls[i],
      };
    }
}

HpUdpSocket *
hp_udp_socket_new (const char *address, guint16 port, guint number,
                   GError **error)
{
  g_autoptr (HpUdpSocket) self = g_new0 (HpUdpSocket, 1);

  /* GSocket finds the kinds of control messages among registered types. */
  g_type_ensure (HP_TYPE_PACKET_INFO);
  self->number = number;
  if (address != NULL ? !bind_to (self, address, port, error)
                      : !bind_any (self, port, error))
    return NULL;
  prepare_messages (self);
  return g_steal_pointer (&self);
}

void
hp_udp_socket_free (HpUdpSocket *self)
{
  if (self == NULL)
    return;
  if (self->socket != NULL)
    g_socket_close (self->socket, NULL);
  g_clear_object (&self->socket);
  g_clear_object (&self->remote_address);
  g_clear_object (&self->local_info);
  g_free (self->buffers);
  g_free (self);
}

int
hp_udp_socket_get_fd (const HpUdpSocket *self)
{
  return g_socket_get_fd (self->socket);
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

gboolean
hp_udp_socket_has_ipv6 (const HpUdpSocket *self)
{
  return self->is_ipv6;
}

gboolean
hp_udp_socket_get_source (HpUdpSocket *self, const HpAddress *remote,
                          HpAddress *source)
{
  g_autoptr (GSocketAddress) address = hp_address_to_socket_address (remote);
  g_autoptr (GSocketAddress) local = NULL;
  g_autoptr (GSocket) probe = NULL;

  if (hp_address_get_scope (&self->address) != HP_SCOPE_INVALID)
    {
      *source = self->address;
      return remote->family == self->address.family;
    }
  if (address == NULL
      || (remote->family == HP_ADDRESS_IPV6 && !self->is_ipv6))
    return FALSE;
  /* Connecting a UDP socket sends nothing; it asks for the route. */
  probe = g_socket_new (g_socket_address_get_family (address),
                        G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
  if (probe == NULL || !g_socket_connect (probe, address, NULL, NULL))
    return FALSE;
  local = g_socket_get_local_address (probe, NULL);
  if (local == NULL || !hp_address_from_socket_address (source, local))
    return FALSE;
  source->port = self->address.port;
  return hp_address_get_scope (source) != HP_SCOPE_INVALID;
}

/* Takes message @i's control messages and frees them; @segment stays as it is
 * if the message is one datagram */
static void
take_controls (HpUdpSocket *self, guint i, HpAddress *local, gsize *segment)
{
  for (guint k = 0; k < self->n_controls[i]; k++)
    {
      GSocketControlMessage *message = self->controls[i][k];

      if (HP_IS_PACKET_INFO (message)
          && !hp_packet_info_get_segment (HP_PACKET_INFO (message), segment)
          && hp_packet_info_get_local (HP_PACKET_INFO (message), local))
        local->port = self->address.port;
      g_object_unref (message);
    }
  g_clear_pointer (&self->controls[i], g_free);
  self->n_controls[i] = 0;
}

static guint
give_segments (HpUdpSocket *self, guint i, const HpRoute *route,
               gsize segment, HpDatagramFunc func, gpointer user_data)
{
  guint8 *bytes = self->vectors[i].buffer;
  gsize left = self->messages[i].bytes_received;
  guint count = 0;

  /* An empty datagram is one, too. */
  do
    {
      HpDatagram datagram = { *route, bytes, MIN (left, segment) };

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
  HpRoute route = { .socket = self->number };
  gsize segment = MAX_DATAGRAM_SIZE;
  gboolean has_sender = FALSE;

  take_controls (self, i, &route.local, &segment);
  if (self->senders[i] != NULL)
    has_sender
        = hp_address_from_socket_address (&route.remote, self->senders[i]);
  g_clear_object (&self->senders[i]);
  if (!has_sender || (self->messages[i].flags & MSG_TRUNC) != 0)
    return 1;
  return give_segments (self, i, &route, segment, func, user_data);
}

guint
hp_udp_socket_receive (HpUdpSocket *self, guint most, HpDatagramFunc func,
                       gpointer user_data)
{
  guint received = 0;
  guint errors = 0;

  while (received < most)
    {
      guint wanted = MIN (most - received, BATCH);
      g_autoptr (GError) error = NULL;
      int n = g_socket_receive_messages (self->socket, self->messages, wanted,
                                         0, NULL, &error);

      if (n < 0)
        {
          /* Linux reports ICMP errors of what was sent before on the next
           * call; they say nothing about the socket. */
          if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)
              || ++errors == MAX_ERRORS)
            break;
          continue;
        }
      for (int i = 0; i < n; i++)
        received += take_message (self, i, func, user_data);
      if (n < (int) wanted)
        break;
    }
  return received;
}

static GSocketAddress *
get_remote_address (HpUdpSocket *self, const HpAddress *remote)
{
  if (self->remote_address == NULL
      || !hp_address_equal (&self->remote, remote))
    {
      g_clear_object (&self->remote_address);
      self->remote = *remote;
      self->remote_address = hp_address_to_socket_address (remote);
    }
  return self->remote_address;
}

static GSocketControlMessage *
get_local_info (HpUdpSocket *self, const HpAddress *local)
{
  if (self->local_info == NULL || !hp_address_same_host (&self->local, local))
    {
      g_clear_object (&self->local_info);
      self->local = *local;
      self->local_info = hp_packet_info_new_source (local, self->is_ipv6);
    }
  return self->local_info;
}

/* @segment: 0 for a single datagram */
static GPollableReturn
send_once (HpUdpSocket *self, const HpOutgoing *outgoing, gboolean with_local,
           gsize segment)
{
  const HpRoute *route = &outgoing->route;
  GOutputVector vector = { outgoing->bytes, outgoing->length };
  g_autoptr (GSocketControlMessage) ttl = NULL;
  g_autoptr (GSocketControlMessage) segments = NULL;
  GSocketControlMessage *messages[3];
  int n_messages = 0;

  if (with_local)
    messages[n_messages++] = get_local_info (self, &route->local);
  if (outgoing->ttl != 0)
    messages[n_messages++] = ttl = hp_packet_info_new_ttl (
        outgoing->ttl, (HpAddressFamily) route->remote.family);
  if (segment != 0)
    messages[n_messages++] = segments = hp_packet_info_new_segment (segment);
  return g_socket_send_message_with_timeout (
      self->socket, get_remote_address (self, &route->remote), &vector, 1,
      messages, n_messages, G_SOCKET_MSG_NONE, 0, NULL, NULL, NULL);
}

/* A pair of families that this socket can send between; and an unspecified
 * address is none to leave from. */
static gboolean
can_leave_from (HpUdpSocket *self, const HpRoute *route)
{
  return route->local.family == route->remote.family
         && (self->is_ipv6 || route->local.family == HP_ADDRESS_IPV4)
         && hp_address_get_scope (&route->local) != HP_SCOPE_INVALID;
}

static gboolean
can_send_to (HpUdpSocket *self, const HpAddress *remote)
{
  return remote->family == HP_ADDRESS_IPV4
         || (remote->family == HP_ADDRESS_IPV6 && self->is_ipv6);
}

HpSendResult
hp_udp_socket_send (HpUdpSocket *self, const HpOutgoing *outgoing)
{
  gboolean with_local = can_leave_from (self, &outgoing->route);

  if (!can_send_to (self, &outgoing->route.remote))
    return HP_SEND_FAILED;
  for (guint attempt = 0; attempt < 2; attempt++)
    switch (send_once (self, outgoing, with_local, 0))
      {
      case G_POLLABLE_RETURN_OK:
        return HP_SEND_OK;
      case G_POLLABLE_RETURN_WOULD_BLOCK:
        return HP_SEND_BLOCKED;
      case G_POLLABLE_RETURN_FAILED:
      default:
        /* Once more: it may have been an error of an earlier datagram, or our
         * address went away and the system knows a better one. */
        with_local = FALSE;
        break;
      }
  return HP_SEND_FAILED;
}

/* One after the other */
static HpSendResult
send_each (HpUdpSocket *self, HpOutgoing *outgoing, gsize segment)
{
  gsize left = outgoing->length;
  HpSendResult result = HP_SEND_OK;

  while (left > 0)
    {
      outgoing->length = MIN (left, segment);
      switch (hp_udp_socket_send (self, outgoing))
        {
        case HP_SEND_OK:
          break;
        case HP_SEND_FAILED:
          result = HP_SEND_FAILED;
          break;
        case HP_SEND_BLOCKED:
          outgoing->length = left;
          return HP_SEND_BLOCKED;
        }
      outgoing->bytes += outgoing->length;
      left -= outgoing->length;
    }
  return result;
}

static GPollableReturn
send_together (HpUdpSocket *self, const HpOutgoing *outgoing, gsize segment)
{
  gboolean with_local = can_leave_from (self, &outgoing->route);
  GPollableReturn result
      = send_once (self, outgoing, with_local, segment);

  /* As in hp_udp_socket_send(): our address may have gone away. */
  if (result == G_POLLABLE_RETURN_FAILED && with_local)
    result = send_once (self, outgoing, FALSE, segment);
  return result;
}

HpSendResult
hp_udp_socket_send_segments (HpUdpSocket *self, HpOutgoing *outgoing,
                             gsize segment)
{
  HpSendResult result;

  g_assert (outgoing->length <= HP_UDP_MAX_SEGMENTS_SIZE
            || outgoing->length <= segment);

  if (outgoing->length <= segment
      || self->segment_failures >= MAX_SEGMENT_FAILURES
      || !can_send_to (self, &outgoing->route.remote))
    return send_each (self, outgoing, segment);
  switch (send_together (self, outgoing, segment))
    {
    case G_POLLABLE_RETURN_OK:
      self->segment_failures = 0;
      return HP_SEND_OK;
    case G_POLLABLE_RETURN_WOULD_BLOCK:
      return HP_SEND_BLOCKED;
    case G_POLLABLE_RETURN_FAILED:
    default:
      break;
    }
  /* An old kernel, a device without checksum offload, segments larger than the
   * path takes in one piece: or nothing goes there at all. */
  result = send_each (self, outgoing, segment);
  if (result == HP_SEND_OK)
    self->segment_failures++;
  return result;
}
