/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "segments.h"

#include <netinet/in.h>
#include <string.h>

#define MAX_SIZE 70000
#define FIN 0x01
#define PSH 0x08
#define ACK 0x10
#define CWR 0x80

static guint
get_16 (const guint8 *bytes)
{
  return bytes[0] << 8 | bytes[1];
}

static void
put_16 (guint8 *bytes, guint value)
{
  bytes[0] = value >> 8;
  bytes[1] = value & 0xff;
}

static guint
add_up (const guint8 *bytes, gsize size)
{
  guint sum = 0;

  for (gsize i = 0; i < size; i += 2)
    sum += get_16 (bytes + i);
  sum = (sum & 0xffff) + (sum >> 16);
  return (sum & 0xffff) + (sum >> 16);
}

typedef struct
{
  gboolean ipv6;
  guint8 protocol;
  gsize transport, payload; /* offsets */
} Kind;

static const Kind kinds[] = {
  { FALSE, IPPROTO_TCP, 20, 52 },
  { TRUE, IPPROTO_TCP, 40, 72 },
  { FALSE, IPPROTO_UDP, 20, 28 },
  { TRUE, IPPROTO_UDP, 40, 48 },
};

/* What is in all headers the same, however long the packet is; then what
 * belongs to @size. */
static void
write_headers (const Kind *kind, guint8 *data, gsize size, guint8 flags)
{
  guint8 *transport = data + kind->transport;
  gsize rest = size - kind->transport;
  guint sum = rest + kind->protocol;

  for (gsize i = 0; i < kind->payload; i++)
    data[i] = i * 7 + 1;
  if (kind->ipv6)
    {
      data[0] = 0x60;
      data[6] = kind->protocol;
      put_16 (data + 4, rest);
      sum += add_up (data + 8, 32);
    }
  else
    {
      data[0] = 0x45;
      put_16 (data + 2, size);
      data[6] = 0x40;
      data[7] = 0;
      data[9] = kind->protocol;
      put_16 (data + 10, 0);
      put_16 (data + 10, ~add_up (data, 20));
      sum += add_up (data + 12, 8);
    }
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  if (kind->protocol == IPPROTO_TCP)
    {
      /* A sequence number that overflows on the way */
      memcpy (transport + 4, "\xff\xff\xf0\x00", 4);
      transport[12] = 8 << 4;
      transport[13] = flags;
    }
  else
    put_16 (transport + 4, rest);
  put_16 (transport + (kind->protocol == IPPROTO_TCP ? 16 : 6), sum);
}

static struct virtio_net_hdr
describe (const Kind *kind, guint piece)
{
  struct virtio_net_hdr offload = {
    .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
    .gso_type = kind->protocol == IPPROTO_UDP ? 5 /* UDP_L4 */
                : kind->ipv6                  ? VIRTIO_NET_HDR_GSO_TCPV6
                                              : VIRTIO_NET_HDR_GSO_TCPV4,
    .hdr_len = kind->payload,
    .gso_size = piece,
    .csum_start = kind->transport,
    .csum_offset = kind->protocol == IPPROTO_TCP ? 16 : 6,
  };

  return offload;
}

static gsize
make_whole (const Kind *kind, guint8 *data, gsize payload, guint8 flags)
{
  gsize size = kind->payload + payload;

  for (gsize i = kind->payload; i < size; i++)
    data[i] = g_test_rand_int ();
  write_headers (kind, data, size, flags);
  return size;
}

/* A packet is what the kernel would have made of its part of the whole. */
static void
check_cut (const Kind *kind, const guint8 *whole, gsize size, guint piece,
           guint8 flags, const PacketList *packets)
{
  gsize offset = 0;
  guint index = 0;

  for (const Packet *packet = packets->first; packet != NULL;
       packet = packet->next, index++)
    {
      gsize length = packet->size - kind->payload;
      guint8 expected[120];
      guint32 sequence = 0xfffff000 + offset;
      gboolean is_last = offset + length == size - kind->payload;

      g_assert_cmpuint (length, ==,
                        MIN (piece, size - kind->payload - offset));
      g_assert_cmpmem (packet->data + kind->payload, length,
                       whole + kind->payload + offset, length);
      write_headers (kind, expected, packet->size, flags);
      if (!kind->ipv6)
        {
          put_16 (expected + 4, get_16 (expected + 4) + index);
          put_16 (expected + 10, 0);
          put_16 (expected + 10, ~add_up (expected, 20));
          g_assert_cmpuint (add_up (packet->data, 20), ==, 0xffff);
        }
      if (kind->protocol == IPPROTO_TCP)
        {
          sequence = GUINT32_TO_BE (sequence);
          memcpy (expected + kind->transport + 4, &sequence, 4);
          expected[kind->transport + 13]
              = (flags & ACK) | (index == 0 ? flags & CWR : 0)
                | (is_last ? flags & (PSH | FIN) : 0);
        }
      g_assert_cmpmem (packet->data, kind->payload, expected, kind->payload);
      g_assert_cmpuint (packet->offload.gso_type, ==, 0);
      g_assert_cmpuint (packet->offload.flags, ==,
                        VIRTIO_NET_HDR_F_NEEDS_CSUM);
      offset += length;
    }
  g_assert_cmpuint (offset, ==, size - kind->payload);
}

static gsize
flatten (const Segments *segments, guint8 *data)
{
  gsize size = 0;

  for (guint i = 1; i < segments->n_parts; i++)
    {
      memcpy (data + size, segments->parts[i].iov_base,
              segments->parts[i].iov_len);
      size += segments->parts[i].iov_len;
    }
  return size;
}

static void
free_all (PacketPool *pool, PacketList *packets)
{
  Packet *packet;

  while ((packet = packet_list_pop (packets)) != NULL)
    packet_free (pool, packet);
}

/* What is cut and joined again is what it was. */
static void
test_round_trip (gconstpointer data)
{
  const Kind *kind = data;
  g_autofree guint8 *whole = g_malloc (MAX_SIZE);
  g_autofree guint8 *joined = g_malloc (MAX_SIZE);
  static const gsize payloads[] = { 1, 999, 1000, 1001, 5000, 40001, 60000 };
  static const guint8 flag_sets[] = { ACK, ACK | PSH };
  PacketPool pool = { NULL };

  for (guint i = 0; i < G_N_ELEMENTS (payloads); i++)
    for (guint f = 0; f < G_N_ELEMENTS (flag_sets); f++)
      {
        struct virtio_net_hdr offload = describe (kind, 1000);
        gsize size = make_whole (kind, whole, payloads[i], flag_sets[f]);
        guint wanted = (payloads[i] + 999) / 1000;
        PacketList packets = { .first = NULL };
        Segments segments;

        segments_cut (&offload, whole, size, &pool, &packets);
        check_cut (kind, whole, size, 1000, flag_sets[f], &packets);
        g_assert_cmpuint (segments_join (&segments, packets.first), ==, wanted);
        g_assert_cmpuint (flatten (&segments, joined), ==, size);
        g_assert_cmpmem (joined, size, whole, size);
        if (wanted > 1)
          g_assert_cmpmem (&segments.offload, sizeof offload, &offload,
                           sizeof offload);
        free_all (&pool, &packets);
      }
  packet_pool_clear (&pool);
}

static void
test_last_flags (void)
{
  const Kind *kind = &kinds[0];
  g_autofree guint8 *whole = g_malloc (MAX_SIZE);
  struct virtio_net_hdr offload = describe (kind, 1000);
  const guint8 flags = ACK | PSH | FIN | CWR;
  gsize size = make_whole (kind, whole, 3500, flags);
  PacketList packets = { .first = NULL };
  PacketPool pool = { NULL };
  Segments segments;

  segments_cut (&offload, whole, size, &pool, &packets);
  check_cut (kind, whole, size, 1000, flags, &packets);
  /* The first says something of its own. */
  g_assert_cmpuint (segments_join (&segments, packets.first), ==, 1);
  g_assert_cmpuint (segments.offload.gso_type, ==, 0);
  /* And so does the last. */
  g_assert_cmpuint (segments_join (&segments, packets.first->next), ==, 2);
  free_all (&pool, &packets);
  packet_pool_clear (&pool);
}

/* The kernel names as headers what lies in a row in its memory, which may be
 * more than one packet has; no device would take such a packet. */
static void
test_long_headers (void)
{
  const Kind *kind = &kinds[2];
  g_autofree guint8 *whole = g_malloc (MAX_SIZE);
  struct virtio_net_hdr offload = describe (kind, 1000);
  gsize size = make_whole (kind, whole, 2000, ACK);
  PacketList packets = { .first = NULL };
  PacketPool pool = { NULL };
  Segments segments;

  offload.hdr_len = size;
  segments_cut (&offload, whole, size, &pool, &packets);
  packets.first->next->data[1] ^= 4; /* else they would go together */
  g_assert_cmpuint (segments_join (&segments, packets.first), ==, 1);
  g_assert_cmpuint (segments.offload.hdr_len, <=, packets.first->size);
  free_all (&pool, &packets);
  packet_pool_clear (&pool);
}

/* A push ends what is handed over together, and is not lost. */
static void
test_pushed (void)
{
  const Kind *kind = &kinds[0];
  g_autofree guint8 *whole = g_malloc (MAX_SIZE);
  struct virtio_net_hdr offload = describe (kind, 1000);
  gsize size = make_whole (kind, whole, 4000, ACK);
  PacketList packets = { .first = NULL };
  PacketPool pool = { NULL };
  Segments segments;

  segments_cut (&offload, whole, size, &pool, &packets);
  packets.first->next->data[kind->transport + 13] |= PSH;
  g_assert_cmpuint (segments_join (&segments, packets.first), ==, 2);
  g_assert_cmpuint (segments.header[kind->transport + 13], ==, ACK | PSH);
  free_all (&pool, &packets);
  packet_pool_clear (&pool);
}

/* How many of three packets go together when the second one's byte at @offset
 * is another. */
static guint
join_changed (const Kind *kind, gsize offset)
{
  g_autofree guint8 *whole = g_malloc (MAX_SIZE);
  struct virtio_net_hdr offload = describe (kind, 1000);
  gsize size = make_whole (kind, whole, 3000, ACK);
  PacketList packets = { .first = NULL };
  PacketPool pool = { NULL };
  Segments segments;
  guint n;

  segments_cut (&offload, whole, size, &pool, &packets);
  packets.first->next->data[offset] ^= 1;
  n = segments_join (&segments, packets.first);
  free_all (&pool, &packets);
  packet_pool_clear (&pool);
  return n;
}

/* Whatever differs keeps them apart, but for what belongs to each packet. */
static void
test_apart (gconstpointer data)
{
  const Kind *kind = data;
  const gsize t = kind->transport;

  for (gsize offset = 0; offset < kind->payload; offset++)
    {
      gboolean own
          = kind->ipv6 ? offset == 4 || offset == 5
                       : (offset >= 2 && offset <= 5)
                             || offset == 10 || offset == 11;

      if (kind->protocol == IPPROTO_TCP)
        own |= offset == t + 16 || offset == t + 17;
      else
        own |= offset >= t + 4;
      g_assert_cmpuint (join_changed (kind, offset), ==, own ? 3 : 1);
    }
  g_assert_cmpuint (join_changed (kind, kind->payload), ==, 3);
}

/* A sum that is there already is not to be thrown away. */
static void
test_summed (void)
{
  const Kind *kind = &kinds[2];
  g_autofree guint8 *whole = g_malloc (MAX_SIZE);
  struct virtio_net_hdr offload = describe (kind, 1000);
  gsize size = make_whole (kind, whole, 3000, ACK);
  PacketList packets = { .first = NULL };
  PacketPool pool = { NULL };
  Segments segments;

  segments_cut (&offload, whole, size, &pool, &packets);
  for (Packet *packet = packets.first; packet != NULL; packet = packet->next)
    packet->offload.flags = 0;
  g_assert_cmpuint (segments_join (&segments, packets.first), ==, 1);
  g_assert_cmpuint (segments.n_parts, ==, 2);
  free_all (&pool, &packets);
  packet_pool_clear (&pool);
}

/* Whatever is not understood passes as it is. */
static void
test_others (void)
{
  static const guint8 ping[] = "\x45\0\0\x1c\0\0\0\0\x40\x01\0\0"
                               "\x0a\x09\0\1\x0a\x09\0\2\x08\0\0\0\0\0\0\0";
  struct virtio_net_hdr offload = { 0 };
  PacketPool pool = { NULL };

  for (gsize size = 1; size < sizeof ping; size++)
    {
      PacketList packets = { .first = NULL };
      Segments segments;

      segments_cut (&offload, ping, size, &pool, &packets);
      g_assert_cmpmem (packets.first->data, packets.first->size, ping, size);
      g_assert_cmpuint (segments_join (&segments, packets.first), ==, 1);
      free_all (&pool, &packets);
    }
  packet_pool_clear (&pool);
}

int
main (int argc, char **argv)
{
  static const char *const names[] = { "tcp4", "tcp6", "udp4", "udp6" };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *round = g_strdup_printf ("/segments/round-trip/%s",
                                                names[i]);
      g_autofree char *apart = g_strdup_printf ("/segments/apart/%s",
                                                names[i]);

      g_test_add_data_func (round, &kinds[i], test_round_trip);
      g_test_add_data_func (apart, &kinds[i], test_apart);
    }
  g_test_add_func ("/segments/last-flags", test_last_flags);
  g_test_add_func ("/segments/long-headers", test_long_headers);
  g_test_add_func ("/segments/pushed", test_pushed);
  g_test_add_func ("/segments/summed", test_summed);
  g_test_add_func ("/segments/others", test_others);
  return g_test_run ();
}
