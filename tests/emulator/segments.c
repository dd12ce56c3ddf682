/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "segments.h"

#include <netinet/in.h>
#include <string.h>

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

#define IPV6_HEADER 40
#define UDP_HEADER 8
#define TCP_FIN 0x01
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_CWR 0x80

/* Where things are in a packet. */
typedef struct
{
  gboolean ipv6;
  guint8 protocol;
  gsize transport; /* offset of the TCP or UDP header */
  gsize payload;
} Layout;

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

static guint32
get_32 (const guint8 *bytes)
{
  return (guint32) get_16 (bytes) << 16 | get_16 (bytes + 2);
}

static void
set_32 (guint8 *bytes, guint32 value)
{
  set_16 (bytes, value >> 16);
  set_16 (bytes + 2, value & 0xffff);
}

/* FALSE for what is neither TCP nor UDP, in one piece, without IP options. */
static gboolean
find_layout (Layout *layout, const guint8 *data, gsize size)
{
  gsize transport_header = UDP_HEADER;

  if (size < IPV6_HEADER)
    return FALSE;
  layout->ipv6 = data[0] >> 4 == 6;
  layout->protocol = layout->ipv6 ? data[6] : data[9];
  layout->transport = layout->ipv6 ? IPV6_HEADER : 20;
  if (!layout->ipv6 && (data[0] != 0x45 || (get_16 (data + 6) & 0x3fff) != 0))
    return FALSE;
  if (layout->protocol == IPPROTO_TCP && size > layout->transport + 12)
    transport_header = (data[layout->transport + 12] >> 4) * 4;
  else if (layout->protocol != IPPROTO_UDP)
    return FALSE;
  layout->payload = layout->transport + transport_header;
  return layout->payload <= size && layout->payload <= SEGMENTS_HEADER;
}

static guint32
sum_up (guint32 sum, const guint8 *bytes, gsize size)
{
  for (gsize i = 0; i < size; i += 2)
    sum += get_16 (bytes + i);
  return sum;
}

static guint16
fold (guint32 sum)
{
  sum = (sum & 0xffff) + (sum >> 16);
  return (sum & 0xffff) + (sum >> 16);
}

/* Says in all headers that the packet has @size bytes.  The transport's
 * checksum becomes the pseudo header's, as the kernel wants it where the rest
 * is left to do. */
static void
set_size (const Layout *layout, guint8 *header, gsize size)
{
  guint8 *transport = header + layout->transport;
  gsize transport_size = size - layout->transport;
  guint32 sum = transport_size + layout->protocol;

  if (layout->ipv6)
    {
      set_16 (header + 4, transport_size);
      sum = sum_up (sum, header + 8, 32);
    }
  else
    {
      set_16 (header + 2, size);
      set_16 (header + 10, 0);
      set_16 (header + 10, ~fold (sum_up (0, header, 20)));
      sum = sum_up (sum, header + 12, 8);
    }
  if (layout->protocol == IPPROTO_UDP)
    set_16 (transport + 4, transport_size);
  set_16 (transport + (layout->protocol == IPPROTO_UDP ? 6 : 16), fold (sum));
}

/* The @index-th packet's own header, of one copied from the whole. */
static void
set_index (const Layout *layout, guint8 *header, guint index, gsize offset,
           gboolean is_last)
{
  guint8 *transport = header + layout->transport;

  if (!layout->ipv6)
    set_16 (header + 4, get_16 (header + 4) + index);
  if (layout->protocol != IPPROTO_TCP)
    return;
  set_32 (transport + 4, get_32 (transport + 4) + offset);
  if (index > 0)
    transport[13] &= ~TCP_CWR;
  if (!is_last)
    transport[13] &= ~(TCP_FIN | TCP_PSH);
}

static Packet *
copy_whole (const struct virtio_net_hdr *offload, const guint8 *data,
            gsize size, PacketPool *pool)
{
  Packet *packet = packet_new (pool, size);

  packet->offload = *offload;
  memcpy (packet->data, data, size);
  return packet;
}

/* Appends the packets that @data stands for to @packets. */
void
segments_cut (const struct virtio_net_hdr *offload, const guint8 *data,
              gsize size, PacketPool *pool, PacketList *packets)
{
  struct virtio_net_hdr single = *offload;
  gsize payload_size, piece = offload->gso_size;
  Layout layout;

  single.gso_type = VIRTIO_NET_HDR_GSO_NONE;
  single.gso_size = 0;
  /* Of the whole; a device refuses a packet that is said to be shorter than
   * its headers. */
  single.hdr_len = 0;
  if (offload->gso_type == VIRTIO_NET_HDR_GSO_NONE || piece == 0
      || !find_layout (&layout, data, size))
    {
      packet_list_append (packets, copy_whole (&single, data, size, pool));
      return;
    }
  payload_size = size - layout.payload;
  for (gsize offset = 0; offset < payload_size; offset += piece)
    {
      gsize length = MIN (piece, payload_size - offset);
      Packet *packet = packet_new (pool, layout.payload + length);

      packet->offload = single;
      memcpy (packet->data, data, layout.payload);
      memcpy (packet->data + layout.payload, data + layout.payload + offset,
              length);
      set_index (&layout, packet->data, offset / piece, offset,
                 offset + length == payload_size);
      set_size (&layout, packet->data, packet->size);
      packet_list_append (packets, packet);
    }
}

/* ---- joining ---- */

static gboolean
can_begin (const Layout *layout, const Packet *packet)
{
  return (packet->offload.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0
         && packet->size > layout->payload
         && (layout->protocol == IPPROTO_UDP
             || packet->data[layout->transport + 13] == TCP_ACK);
}

/* Whether @packet's headers are as @first's, but for what differs by its place
 * in a row: size, checksum, identification, sequence number, push. */
static gboolean
is_alike (const Layout *layout, const Packet *first, const Packet *packet,
          gsize offset)
{
  const guint8 *a = first->data, *b = packet->data;
  const gsize t = layout->transport;

  if (packet->size <= layout->payload || packet->size > first->size
      || memcmp (&packet->offload, &first->offload, sizeof first->offload) != 0)
    return FALSE;
  if (layout->ipv6 ? memcmp (a, b, 4) != 0 || memcmp (a + 6, b + 6, 34) != 0
                   : memcmp (a, b, 2) != 0 || memcmp (a + 6, b + 6, 4) != 0
                         || memcmp (a + 12, b + 12, 8) != 0)
    return FALSE;
  if (memcmp (a + t, b + t, 4) != 0) /* the ports */
    return FALSE;
  if (layout->protocol == IPPROTO_UDP)
    return TRUE;
  return get_32 (b + t + 4) == (guint32) (get_32 (a + t + 4) + offset)
         && memcmp (a + t + 8, b + t + 8, 5) == 0
         && (b[t + 13] & ~TCP_PSH) == TCP_ACK
         && memcmp (a + t + 14, b + t + 14, 2) == 0
         && memcmp (a + t + 18, b + t + 18, layout->payload - t - 18) == 0;
}

static void
set_offload (Segments *self, const Layout *layout, const Packet *first)
{
  if (layout->protocol == IPPROTO_UDP)
    self->offload.gso_type = VIRTIO_NET_HDR_GSO_UDP_L4;
  else if (layout->ipv6)
    self->offload.gso_type = VIRTIO_NET_HDR_GSO_TCPV6;
  else
    self->offload.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
  self->offload.gso_size = first->size - layout->payload;
  self->offload.hdr_len = layout->payload;
}

static void
add_part (Segments *self, const void *bytes, gsize size)
{
  self->parts[self->n_parts++] = (struct iovec) { (void *) bytes, size };
}

static gboolean
is_pushed (const Layout *layout, const Packet *packet)
{
  return layout->protocol == IPPROTO_TCP
         && (packet->data[layout->transport + 13] & TCP_PSH) != 0;
}

/* How many packets, from @first on, may be handed over together: all of the
 * same size but the last, which may be smaller. */
static guint
count_alike (const Layout *layout, const Packet *first, gsize *size)
{
  const Packet *packet = first;
  guint n = 1;

  *size = first->size;
  while (packet->size == first->size && !is_pushed (layout, packet)
         && n < SEGMENTS_MAX && (packet = packet->next) != NULL
         && *size + packet->size - layout->payload < SEGMENTS_LARGEST
         && is_alike (layout, first, packet, *size - layout->payload))
    {
      *size += packet->size - layout->payload;
      n++;
    }
  return n;
}

/* Makes @self of @first and those after it that go with it; returns how many
 * these are.  They stay the caller's, and must live as long as @self is
 * used. */
guint
segments_join (Segments *self, const Packet *first)
{
  const Packet *packet = first;
  Layout layout;
  gsize size;
  guint n = 1;

  self->offload = first->offload;
  self->n_parts = 0;
  add_part (self, &self->offload, sizeof self->offload);
  if (find_layout (&layout, first->data, first->size)
      && can_begin (&layout, first))
    n = count_alike (&layout, first, &size);
  if (n == 1)
    {
      add_part (self, first->data, first->size);
      return n;
    }
  memcpy (self->header, first->data, layout.payload);
  set_size (&layout, self->header, size);
  set_offload (self, &layout, first);
  add_part (self, self->header, layout.payload);
  for (guint i = 0; i < n; i++, packet = packet->next)
    {
      add_part (self, packet->data + layout.payload,
                packet->size - layout.payload);
      /* The last one's push is the whole's. */
      if (is_pushed (&layout, packet))
        self->header[layout.transport + 13] |= TCP_PSH;
    }
  return n;
}
