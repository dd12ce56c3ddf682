/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "headers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define IPV4_HEADER 20
#define IPV6_HEADER 40
/* What an ICMP error quotes at least (RFC 792); enough for the ports. */
#define QUOTED 8

static const guint8 ipv4_prefix[12] = {
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff,
};

/* ---- endpoints ---- */

static void
read_address (Endpoint *endpoint, const guint8 *data, gboolean ipv6)
{
  if (ipv6)
    {
      memcpy (endpoint->address, data, 16);
      return;
    }
  memcpy (endpoint->address, ipv4_prefix, 12);
  memcpy (endpoint->address + 12, data, 4);
}

gboolean
endpoint_parse_address (Endpoint *self, const char *text)
{
  guint8 ipv4[4];

  memset (self, 0, sizeof *self);
  if (inet_pton (AF_INET, text, ipv4) == 1)
    read_address (self, ipv4, FALSE);
  else if (inet_pton (AF_INET6, text, self->address) != 1)
    return FALSE;
  return TRUE;
}

char *
endpoint_write_address (const Endpoint *self)
{
  char text[INET6_ADDRSTRLEN];
  gboolean ipv4 = memcmp (self->address, ipv4_prefix, 12) == 0;

  inet_ntop (ipv4 ? AF_INET : AF_INET6,
             ipv4 ? self->address + 12 : self->address, text, sizeof text);
  return g_strdup (text);
}

gboolean
endpoint_has_address_of (const Endpoint *self, const Endpoint *other)
{
  return memcmp (self->address, other->address, 16) == 0;
}

/* ---- reading ---- */

static guint16
get_16 (const guint8 *bytes)
{
  return bytes[0] << 8 | bytes[1];
}

static void
set_16 (guint8 *bytes, guint16 value)
{
  bytes[0] = value >> 8;
  bytes[1] = value & 0xff;
}

static PacketKind
get_icmp_kind (guint type)
{
  switch (type)
    {
    case 0: /* echo reply */
    case 8:
      return PACKET_ECHO;
    case 3:  /* destination unreachable, fragmentation needed */
    case 11: /* time exceeded */
    case 12: /* parameter problem */
      return PACKET_ERROR;
    default:
      return PACKET_OTHER;
    }
}

static PacketKind
get_icmpv6_kind (guint type)
{
  if (type == 128 || type == 129)
    return PACKET_ECHO;
  return type < 128 ? PACKET_ERROR : PACKET_OTHER;
}

/* Which ends of the packet the transport's ports belong to. */
static void
read_ports (Headers *self)
{
  const guint8 *transport = self->transport;

  self->source.port = self->destination.port = 0;
  if (self->kind == PACKET_UDP || self->kind == PACKET_TCP)
    {
      self->source.port = get_16 (transport);
      self->destination.port = get_16 (transport + 2);
    }
  else if (self->kind == PACKET_ECHO)
    {
      self->is_reply = transport[0] == 0 || transport[0] == 129;
      *(self->is_reply ? &self->destination.port : &self->source.port)
          = get_16 (transport + 4);
    }
}

static PacketKind
get_kind (Headers *self, guint protocol)
{
  if (self->transport_size < QUOTED)
    return PACKET_MALFORMED;
  if (protocol == IPPROTO_UDP)
    return PACKET_UDP;
  if (protocol == IPPROTO_TCP)
    return PACKET_TCP;
  if (!self->ipv6 && protocol == IPPROTO_ICMP)
    return get_icmp_kind (self->transport[0]);
  if (self->ipv6 && protocol == IPPROTO_ICMPV6)
    return get_icmpv6_kind (self->transport[0]);
  return PACKET_OTHER;
}

static void
parse (Headers *self, guint8 *data, gsize size)
{
  gsize header;
  guint protocol;

  self->kind = PACKET_MALFORMED;
  if (size < IPV4_HEADER)
    return;
  self->ip = data;
  self->ipv6 = data[0] >> 4 == 6;
  header = self->ipv6 ? IPV6_HEADER : (data[0] & 0xf) * 4;
  if ((!self->ipv6 && data[0] >> 4 != 4) || header < IPV4_HEADER
      || size < header)
    return;
  protocol = self->ipv6 ? data[6] : data[9];
  read_address (&self->source, data + (self->ipv6 ? 8 : 12), self->ipv6);
  read_address (&self->destination, data + (self->ipv6 ? 24 : 16),
                self->ipv6);
  if ((self->ipv6 && protocol == IPPROTO_FRAGMENT)
      || (!self->ipv6 && (get_16 (data + 6) & 0x3fff) != 0))
    {
      self->kind = PACKET_FRAGMENT;
      return;
    }
  self->transport = data + header;
  self->transport_size = size - header;
  self->kind = get_kind (self, protocol);
  if (self->kind != PACKET_MALFORMED)
    read_ports (self);
}

/* What cannot be parsed is of a kind of its own; only the packets of the first
 * three kinds have ports.  @is_summed: the transport's checksum is there. */
void
headers_parse (Headers *self, guint8 *data, gsize size, gboolean is_summed)
{
  memset (self, 0, sizeof *self);
  self->is_summed = is_summed;
  parse (self, data, size);
  /* The transport's checksum has to be within reach. */
  if (self->kind == PACKET_TCP && self->transport_size < 20)
    self->kind = PACKET_MALFORMED;
}

/* The packet that an ICMP error is about; little more than its ports is
 * there. */
gboolean
headers_parse_quoted (Headers *self, const Headers *outer)
{
  memset (self, 0, sizeof *self);
  self->is_summed = TRUE;
  parse (self, outer->transport + 8, outer->transport_size - 8);
  return self->kind <= PACKET_ECHO;
}

/* ---- rewriting ---- */

/* RFC 1624, equation 3, for the words of @size bytes that become others. */
static guint16
update_sum (guint16 checksum, const guint8 *before, const guint8 *after,
            gsize size)
{
  guint32 sum = ~checksum & 0xffff;

  for (gsize i = 0; i < size; i += 2)
    sum += (~get_16 (before + i) & 0xffff) + get_16 (after + i);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

static void
update_ip_sum (Headers *self, const guint8 *before, const guint8 *after,
               gsize size)
{
  if (!self->ipv6)
    set_16 (self->ip + 10, update_sum (get_16 (self->ip + 10), before, after,
                                       size));
}

/* Where the transport's checksum is, or %NULL: quoted packets may be cut off
 * before it. */
static guint8 *
find_transport_sum (Headers *self)
{
  gsize offset = self->kind == PACKET_UDP   ? 6
                 : self->kind == PACKET_TCP ? 16
                                            : 2;

  return offset + 2 <= self->transport_size ? self->transport + offset : NULL;
}

/* @pseudo: a part of the pseudo header, whose plain sum is what the kernel
 * writes where it leaves the rest to do. */
static void
update_transport_sum (Headers *self, const guint8 *before,
                      const guint8 *after, gsize size, gboolean pseudo)
{
  guint8 *field = find_transport_sum (self);
  guint16 sum;

  if (field == NULL)
    return;
  if (!self->is_summed)
    {
      if (pseudo)
        set_16 (field, ~update_sum (~get_16 (field), before, after, size));
      return;
    }
  /* RFC 768: none.  An ICMP sum is without a pseudo header. */
  if ((self->kind == PACKET_UDP && get_16 (field) == 0)
      || (self->kind == PACKET_ECHO && pseudo && !self->ipv6))
    return;
  sum = update_sum (get_16 (field), before, after, size);
  set_16 (field, self->kind == PACKET_UDP && sum == 0 ? 0xffff : sum);
}

static void
set_address (Headers *self, gsize offset, const Endpoint *endpoint)
{
  const guint8 *after = endpoint->address + (self->ipv6 ? 0 : 12);
  gsize size = self->ipv6 ? 16 : 4;

  update_ip_sum (self, self->ip + offset, after, size);
  if (self->kind <= PACKET_ECHO)
    update_transport_sum (self, self->ip + offset, after, size, TRUE);
  memcpy (self->ip + offset, after, size);
}

static void
set_port (Headers *self, gsize offset, guint16 port)
{
  guint8 after[2];

  set_16 (after, port);
  update_transport_sum (self, self->transport + offset, after, 2, FALSE);
  memcpy (self->transport + offset, after, 2);
}

void
headers_set_source (Headers *self, const Endpoint *source)
{
  set_address (self, self->ipv6 ? 8 : 12, source);
  if (self->kind == PACKET_UDP || self->kind == PACKET_TCP)
    set_port (self, 0, source->port);
  else if (self->kind == PACKET_ECHO && !self->is_reply)
    set_port (self, 4, source->port);
  self->source = *source;
}

void
headers_set_destination (Headers *self, const Endpoint *destination)
{
  set_address (self, self->ipv6 ? 24 : 16, destination);
  if (self->kind == PACKET_UDP || self->kind == PACKET_TCP)
    set_port (self, 2, destination->port);
  else if (self->kind == PACKET_ECHO && self->is_reply)
    set_port (self, 4, destination->port);
  self->destination = *destination;
}

/* An ICMPv4 error's checksum, after what it quotes was changed. */
void
headers_sum_error (Headers *self)
{
  guint32 sum = 0;

  if (self->ipv6)
    return;
  set_16 (self->transport + 2, 0);
  for (gsize i = 0; i + 1 < self->transport_size; i += 2)
    sum += get_16 (self->transport + i);
  if (self->transport_size % 2 != 0)
    sum += self->transport[self->transport_size - 1] << 8;
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  set_16 (self->transport + 2, ~sum & 0xffff);
}

/* Counts a hop; FALSE if the packet dies of it. */
gboolean
headers_pass_hop (Headers *self)
{
  guint8 *ttl = self->ip + (self->ipv6 ? 7 : 8);
  guint8 before[2], after[2];

  if (*ttl <= 1)
    return FALSE;
  memcpy (before, ttl, 2);
  memcpy (after, ttl, 2);
  after[0]--;
  if (!self->ipv6)
    update_ip_sum (self, before, after, 2);
  *ttl = after[0];
  return TRUE;
}

/* TCP's FIN or RST. */
gboolean
headers_end_connection (const Headers *self)
{
  return self->kind == PACKET_TCP && (self->transport[13] & 0x05) != 0;
}
