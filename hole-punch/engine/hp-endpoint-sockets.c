/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What datagrams leave by and come to: sockets, and carriers that pass for
 * one. */

#include "hole-punch/engine/hp-endpoint-private.h"

#include "hole-punch/io/hp-clock.h"
#include "hole-punch/io/hp-udp-source.h"

#include <string.h>

/* Datagrams of one socket before it is the next one's turn, and sockets asked
 * for at a time */
#define QUOTA 64
#define MAX_READY 64

static HpEndpointSocket *
find_socket (HpEndpoint *self, guint number)
{
  if (number == 0)
    return &self->main;
  return g_hash_table_lookup (self->further, GUINT_TO_POINTER (number));
}

static void
set_wants_writable (HpEndpoint *self, HpEndpointSocket *socket, gboolean want)
{
  int fd = hp_udp_socket_get_fd (socket->socket);

  if (socket == &self->main)
    hp_udp_source_want_writable (self->source, fd, want);
  else
    hp_udp_set_want_writable (self->set, fd, socket->number, want);
}

/* What could not be done before may be done now. */
static void
go_on (HpEndpoint *self)
{
  if (!self->is_closed && !self->is_dispatching && self->touched.head != NULL
      && !hp_endpoint_is_blocked (self))
    hp_udp_source_set_deadline (self->source, 0);
}

/* Sending */

gboolean
hp_endpoint_is_blocked (const HpEndpoint *self)
{
  return self->n_blocked > 0;
}

static HpSendResult
transmit (HpEndpoint *self, HpEndpointSocket *socket, HpOutgoing *outgoing,
          gsize segment)
{
  gsize before = outgoing->length;
  gsize sent = before;
  HpSendResult result
      = hp_udp_socket_send_segments (socket->socket, outgoing, segment);

  switch (result)
    {
    case HP_SEND_OK:
      break;
    case HP_SEND_FAILED:
      self->statistics.send_failures++;
      return result;
    case HP_SEND_BLOCKED:
      sent = before - outgoing->length;
      break;
    }
  self->statistics.datagrams_sent += (sent + segment - 1) / segment;
  self->statistics.bytes_sent += sent;
  return result;
}

static void
keep (HpEndpoint *self, HpEndpointSocket *socket, const HpOutgoing *outgoing,
      gsize segment)
{
  HpKept *kept = g_malloc (sizeof *kept + outgoing->length);

  memcpy (kept->bytes, outgoing->bytes, outgoing->length);
  kept->outgoing = *outgoing;
  kept->outgoing.bytes = kept->bytes;
  kept->segment = segment;
  if (socket->kept.head == NULL)
    {
      self->n_blocked++;
      set_wants_writable (self, socket, TRUE);
    }
  g_queue_push_tail (&socket->kept, kept);
}

static void
forget_kept (HpEndpoint *self, HpEndpointSocket *socket)
{
  if (socket->kept.head == NULL)
    return;
  g_queue_clear_full (&socket->kept, g_free);
  self->n_blocked--;
}

void
hp_endpoint_send_kept (HpEndpoint *self, HpEndpointSocket *socket)
{
  HpKept *kept;

  if (socket->kept.head == NULL)
    return;
  while ((kept = g_queue_peek_head (&socket->kept)) != NULL)
    {
      if (transmit (self, socket, &kept->outgoing, kept->segment)
          == HP_SEND_BLOCKED)
        return;
      g_free (g_queue_pop_head (&socket->kept));
    }
  self->n_blocked--;
  set_wants_writable (self, socket, FALSE);
}

static HpEndpointSocket *
find_blocked (HpEndpoint *self)
{
  HpEndpointSocket *socket;
  GHashTableIter iter;

  if (self->main.kept.head != NULL)
    return &self->main;
  g_hash_table_iter_init (&iter, self->further);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &socket))
    if (socket->kept.head != NULL)
      return socket;
  return NULL;
}

gboolean
hp_endpoint_unblock (HpEndpoint *self)
{
  HpEndpointSocket *socket;
  gint64 until;

  if (!hp_endpoint_is_blocked (self) || self->patience == 0)
    return !hp_endpoint_is_blocked (self);
  until = hp_clock_now () + self->patience;
  while (self->patience > 0 && (socket = find_blocked (self)) != NULL)
    {
      if (hp_udp_socket_await_writable (socket->socket, self->patience))
        hp_endpoint_send_kept (self, socket);
      self->patience = MAX (until - hp_clock_now (), 0);
    }
  return !hp_endpoint_is_blocked (self);
}

/* The carrier may be removed with each datagram. */
static void
send_by_carrier (HpEndpoint *self, const HpOutgoing *outgoing, gsize segment)
{
  gpointer number = GUINT_TO_POINTER (outgoing->route.socket);
  HpOutgoing each = *outgoing;
  HpCarrier *carrier;

  for (gsize left = outgoing->length; left > 0; left -= each.length)
    {
      each.length = MIN (left, segment);
      carrier = g_hash_table_lookup (self->carriers, number);
      if (carrier == NULL)
        {
          self->statistics.dropped_closed_socket
              += (left + segment - 1) / segment;
          return;
        }
      self->n_in_carriers++;
      carrier->klass->send (carrier, &each, self->now);
      self->n_in_carriers--;
      each.bytes += each.length;
    }
}

void
hp_endpoint_send_segments (HpEndpoint *self, HpOutgoing *outgoing,
                           gsize segment)
{
  HpEndpointSocket *socket = find_socket (self, outgoing->route.socket);

  if (socket == NULL)
    send_by_carrier (self, outgoing, segment);
  else if (socket->kept.head != NULL
           || transmit (self, socket, outgoing, segment) == HP_SEND_BLOCKED)
    keep (self, socket, outgoing, segment);
}

/* How many of the first ones went in one call: all by one socket */
static guint
transmit_runs (HpEndpoint *self, const HpUdpRun *runs, guint n)
{
  guint number = runs->all.route.socket;
  HpEndpointSocket *socket = find_socket (self, number);
  guint together = 1;
  guint sent;

  while (together < n && runs[together].all.route.socket == number)
    together++;
  if (together == 1 || socket == NULL || socket->kept.head != NULL)
    return 0;
  sent = hp_udp_socket_send_runs (socket->socket, runs, together);
  for (guint i = 0; i < sent; i++)
    {
      gsize length = runs[i].all.length;

      self->statistics.datagrams_sent
          += (length + runs[i].segment - 1) / runs[i].segment;
      self->statistics.bytes_sent += length;
    }
  return sent;
}

void
hp_endpoint_send_runs (HpEndpoint *self, HpUdpRun *runs, guint n)
{
  guint done;

  for (guint i = 0; i < n && !self->is_closed; i += done)
    {
      done = transmit_runs (self, runs + i, n - i);
      if (done > 0)
        continue;
      hp_endpoint_send_segments (self, &runs[i].all, runs[i].segment);
      done = 1;
    }
}

void
hp_endpoint_send (HpEndpoint *self, const HpOutgoing *outgoing)
{
  HpOutgoing copy = *outgoing;
  HpEndpointSocket *socket;

  if (self->is_closed || copy.length == 0)
    return;
  socket = find_socket (self, copy.route.socket);
  if (socket == NULL)
    {
      send_by_carrier (self, &copy, copy.length);
    }
  else if (hp_udp_socket_send (socket->socket, &copy) == HP_SEND_OK)
    {
      self->statistics.datagrams_sent++;
      self->statistics.bytes_sent += copy.length;
    }
  else
    {
      self->statistics.send_failures++;
    }
}

/* Receiving */

static void
take_from_further (gpointer user_data, const HpDatagram *datagram)
{
  HpEndpoint *self = user_data;

  if (!self->receiving->is_closed)
    hp_endpoint_take (self, datagram);
}

static void
free_socket (HpEndpointSocket *socket)
{
  hp_udp_socket_free (socket->socket);
  g_free (socket);
}

static guint
receive_from_further (HpEndpoint *self, HpEndpointSocket *socket)
{
  guint received;

  self->receiving = socket;
  received = hp_udp_socket_receive (socket->socket, QUOTA, take_from_further,
                                    self);
  self->receiving = NULL;
  if (socket->is_closed)
    free_socket (socket);
  return received;
}

/* What is left in a socket, or in those that were not told of, shows again. */
gboolean
hp_endpoint_receive_from_further (HpEndpoint *self, guint most, gint64 until)
{
  HpUdpReady ready[MAX_READY];
  guint n = hp_udp_set_ask (self->set, ready, MAX_READY);
  guint received = 0;

  for (guint i = 0; i < n; i++)
    {
      HpEndpointSocket *socket
          = g_hash_table_lookup (self->further,
                                 GUINT_TO_POINTER (ready[i].number));

      /* Closed by what came to the ones before */
      if (socket == NULL)
        continue;
      if (ready[i].is_writable)
        hp_endpoint_send_kept (self, socket);
      if (!ready[i].is_readable)
        continue;
      received += receive_from_further (self, socket);
      self->now = hp_clock_now ();
      if (self->is_closed)
        return TRUE;
      if (received >= most || self->now >= until)
        return FALSE;
    }
  return n < MAX_READY;
}

void
hp_endpoint_inject (HpEndpoint *self, const HpDatagram *datagram)
{
  if (self->is_closed)
    return;
  /* In the middle of something else: as lost as any datagram may be. */
  if (self->receiving == NULL
      && (self->is_dispatching || self->calls != NULL
          || self->n_in_carriers > 0))
    {
      self->statistics.dropped_unclaimed++;
      return;
    }
  if (!self->is_dispatching)
    self->now = hp_clock_now ();
  hp_endpoint_take (self, datagram);
  go_on (self);
}

/* Opening and closing */

static gboolean
ensure_set (HpEndpoint *self, GError **error)
{
  if (self->set != NULL)
    return TRUE;
  self->set = hp_udp_set_new (error);
  if (self->set == NULL)
    return FALSE;
  hp_udp_source_add (self->source, hp_udp_set_get_fd (self->set));
  return TRUE;
}

/* Whoever binds to one address, such as a tunnel's, wants nothing to leave by
 * another. NULL: any; (transfer full) */
static char *
get_own_ip (HpEndpoint *self)
{
  g_autoptr (GSocketAddress) own
      = hp_address_to_socket_address (&self->address);

  if (hp_address_get_scope (&self->address) == HP_SCOPE_INVALID)
    return NULL;
  return g_inet_address_to_string (
      g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (own)));
}

/* Takes over @socket if it does */
static gboolean
add_socket (HpEndpoint *self, HpUdpSocket *socket, GError **error)
{
  guint number = hp_udp_socket_get_number (socket);
  HpEndpointSocket *further;

  if (!ensure_set (self, error)
      || !hp_udp_set_add (self->set, hp_udp_socket_get_fd (socket), number,
                          error))
    return FALSE;
  further = g_new0 (HpEndpointSocket, 1);
  further->number = self->last_number = number;
  further->socket = socket;
  g_hash_table_insert (self->further, GUINT_TO_POINTER (number), further);
  return TRUE;
}

guint
hp_endpoint_open_socket (HpEndpoint *self, const char *address, guint16 port,
                         GError **error)
{
  g_autofree char *own_ip = address == NULL ? get_own_ip (self) : NULL;
  g_autoptr (HpUdpSocket) socket = NULL;
  guint number = self->last_number + 1;

  if (self->is_closed)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED,
                           "the endpoint is closed");
      return 0;
    }
  socket = hp_udp_socket_new_beside (self->main.socket,
                                     address != NULL ? address : own_ip, port,
                                     number, error);
  if (socket == NULL || !add_socket (self, socket, error))
    return 0;
  socket = NULL;
  return number;
}

gboolean
hp_endpoint_share_further (HpEndpoint *self, HpEndpoint *first, guint share,
                           guint n_shares, GError **error)
{
  for (guint number = 1; number <= first->last_number; number++)
    {
      HpEndpointSocket *theirs = find_socket (first, number);
      g_autoptr (HpUdpSocket) socket = NULL;

      if (theirs == NULL)
        continue;
      socket = hp_udp_socket_new_sharing_beside (
          theirs->socket, share, n_shares, self->main.socket, error);
      if (socket == NULL || !add_socket (self, socket, error))
        return FALSE;
      socket = NULL;
    }
  return TRUE;
}

void
hp_endpoint_close_socket (HpEndpoint *self, guint number)
{
  HpEndpointSocket *socket
      = g_hash_table_lookup (self->further, GUINT_TO_POINTER (number));

  if (socket == NULL)
    return;
  g_hash_table_remove (self->further, GUINT_TO_POINTER (number));
  hp_udp_set_remove (self->set, hp_udp_socket_get_fd (socket->socket));
  forget_kept (self, socket);
  if (socket == self->receiving)
    socket->is_closed = TRUE;
  else
    free_socket (socket);
  go_on (self);
}

gboolean
hp_endpoint_get_socket_address (HpEndpoint *self, guint number,
                                HpAddress *address)
{
  HpEndpointSocket *socket = find_socket (self, number);

  if (socket == NULL || socket->socket == NULL)
    return FALSE;
  *address = *hp_udp_socket_get_address (socket->socket);
  return TRUE;
}

gsize
hp_endpoint_get_interface_size (HpEndpoint *self, const HpRoute *route)
{
  HpEndpointSocket *socket = find_socket (self, route->socket);

  if (socket == NULL || self->is_closed)
    return 0;
  return hp_udp_socket_get_interface_size (socket->socket, &route->remote);
}

guint
hp_endpoint_add_carrier (HpEndpoint *self, HpCarrier *carrier,
                         const HpCarrierClass *klass)
{
  g_assert (!self->is_closed && carrier->endpoint == NULL);

  *carrier = (HpCarrier){ klass, self, ++self->last_number };
  g_hash_table_insert (self->carriers, GUINT_TO_POINTER (carrier->number),
                       carrier);
  return carrier->number;
}

void
hp_endpoint_remove_carrier (HpEndpoint *self, HpCarrier *carrier)
{
  if (carrier->endpoint == NULL)
    return;
  g_assert (carrier->endpoint == self);

  g_hash_table_remove (self->carriers, GUINT_TO_POINTER (carrier->number));
  carrier->endpoint = NULL;
}

/* NULL: none is left */
static gpointer
pick (GHashTable *table)
{
  GHashTableIter iter;
  gpointer value = NULL;

  g_hash_table_iter_init (&iter, table);
  g_hash_table_iter_next (&iter, NULL, &value);
  return value;
}

void
hp_endpoint_close_sockets (HpEndpoint *self)
{
  HpEndpointSocket *socket;
  HpCarrier *carrier;

  forget_kept (self, &self->main);
  while ((socket = pick (self->further)) != NULL)
    hp_endpoint_close_socket (self, socket->number);
  while ((carrier = pick (self->carriers)) != NULL)
    hp_endpoint_remove_carrier (self, carrier);
  g_clear_pointer (&self->set, hp_udp_set_free);
  if (self->receiving != &self->main)
    g_clear_pointer (&self->main.socket, hp_udp_socket_free);
}
