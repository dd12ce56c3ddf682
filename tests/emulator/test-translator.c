/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "headers.h"
#include "translator.h"

#include <netinet/in.h>
#include <string.h>

#define SECOND G_GINT64_CONSTANT (1000000000)
#define OWN "198.51.100.2"
#define HOST "10.1.0.2"
#define OTHER_HOST "10.1.0.3"
#define REMOTE "192.0.2.2"
#define REMOTE_2 "192.0.2.3"
#define HOST_6 "2001:db8:a::2"
#define REMOTE_6 "2001:db8:5::2"

typedef struct
{
  PacketPool pool;
  Translator *nat;
  gint64 now;
  guint8 ttl;         /* of the packets that are made */
  gboolean is_summed; /* else their checksums are left to do */
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer text)
{
  g_autofree char *problem = NULL;
  NatRules rules;

  nat_rules_init (&rules);
  g_assert_true (nat_rules_parse (&rules, text, &problem));
  fixture->nat = translator_new (&rules, 7);
  g_assert_true (translator_set_address (fixture->nat, OWN));
  g_assert_true (translator_add_inside (fixture->nat, "10.1.0.0/24"));
  fixture->now = SECOND;
  fixture->ttl = 64;
  fixture->is_summed = TRUE;
}

static void
tear_down (Fixture *fixture, gconstpointer text)
{
  translator_free (fixture->nat);
  packet_pool_clear (&fixture->pool);
}

/* ---- packets ---- */

static guint16
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

static guint16
add_up (const guint8 *bytes, gsize size, guint32 sum)
{
  for (gsize i = 0; i < size; i++)
    sum += i % 2 == 0 ? bytes[i] << 8 : bytes[i];
  while (sum > 0xffff)
    sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

static gsize
get_sum_offset (guint protocol)
{
  return protocol == IPPROTO_UDP ? 6 : protocol == IPPROTO_TCP ? 16 : 2;
}

static gboolean
is_ipv6 (const Packet *packet)
{
  return packet->data[0] >> 4 == 6;
}

static guint
get_protocol (const Packet *packet)
{
  return packet->data[is_ipv6 (packet) ? 6 : 9];
}

/* Of the transport, with the pseudo header where there is one. */
static guint16
add_up_transport (const Packet *packet)
{
  gsize header = is_ipv6 (packet) ? 40 : 20;
  gsize size = packet->size - header;
  guint sum = 0;

  if (get_protocol (packet) != IPPROTO_ICMP)
    sum = get_protocol (packet) + size
          + add_up (packet->data + (is_ipv6 (packet) ? 8 : 12),
                    is_ipv6 (packet) ? 32 : 8, 0);
  return add_up (packet->data + header, size, sum);
}

static Packet *
make_packet (Fixture *fixture, guint protocol, const char *source,
             const char *destination, gsize size)
{
  gboolean ipv6 = strchr (source, ':') != NULL;
  gsize header = ipv6 ? 40 : 20;
  Packet *packet = packet_new (&fixture->pool, header + size);
  guint8 *data = packet->data;
  Endpoint ends[2];

  memset (data, 0, packet->size);
  memset (&packet->offload, 0, sizeof packet->offload);
  g_assert_true (endpoint_parse_address (&ends[0], source));
  g_assert_true (endpoint_parse_address (&ends[1], destination));
  for (guint i = 0; i < 2; i++)
    memcpy (data + (ipv6 ? 8 + 16 * i : 12 + 4 * i),
            ends[i].address + (ipv6 ? 0 : 12), ipv6 ? 16 : 4);
  data[ipv6 ? 6 : 9] = protocol;
  data[ipv6 ? 7 : 8] = fixture->ttl;
  put_16 (data + (ipv6 ? 4 : 2), ipv6 ? size : packet->size);
  data[0] = ipv6 ? 0x60 : 0x45;
  if (!ipv6)
    put_16 (data + 10, ~add_up (data, 20, 0));
  return packet;
}

/* Writes the transport's checksum, or leaves it to do as the kernel does. */
static Packet *
finish (Fixture *fixture, Packet *packet)
{
  gsize header = is_ipv6 (packet) ? 40 : 20;
  guint8 *sum
      = packet->data + header + get_sum_offset (get_protocol (packet));

  if (fixture->is_summed)
    {
      put_16 (sum, ~add_up_transport (packet));
      return packet;
    }
  packet->offload.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
  put_16 (sum, add_up (packet->data + (is_ipv6 (packet) ? 8 : 12),
                       is_ipv6 (packet) ? 32 : 8,
                       get_protocol (packet) + packet->size - header));
  return packet;
}

static Packet *
make_ported (Fixture *fixture, guint protocol, const char *source,
             guint source_port, const char *destination, guint port)
{
  Packet *packet = make_packet (fixture, protocol, source, destination, 29);
  guint8 *transport = packet->data + (is_ipv6 (packet) ? 40 : 20);

  for (guint i = 20; i < 29; i++)
    transport[i] = 17 * i;
  put_16 (transport, source_port);
  put_16 (transport + 2, port);
  if (protocol == IPPROTO_UDP)
    put_16 (transport + 4, 29);
  return finish (fixture, packet);
}

/* Both checksums are right, and the packet has passed one hop. */
static void
check_packet (Fixture *fixture, const Packet *packet, guint hops)
{
  gboolean ipv6 = is_ipv6 (packet);
  gsize header = ipv6 ? 40 : 20;
  guint offset = header + get_sum_offset (get_protocol (packet));

  if (!ipv6)
    g_assert_cmpuint (add_up (packet->data, 20, 0), ==, 0xffff);
  g_assert_cmpuint (packet->data[ipv6 ? 7 : 8], ==, fixture->ttl - hops);
  if (fixture->is_summed || get_protocol (packet) == IPPROTO_ICMP)
    g_assert_cmpuint (add_up_transport (packet), ==, 0xffff);
  else
    g_assert_cmpuint (get_16 (packet->data + offset), ==,
                      add_up (packet->data + (ipv6 ? 8 : 12), ipv6 ? 32 : 8,
                              get_protocol (packet) + packet->size - header));
}

static void
assert_address (const Packet *packet, gboolean of_source, const char *text)
{
  gboolean ipv6 = is_ipv6 (packet);
  gsize size = ipv6 ? 16 : 4;
  Endpoint wanted;

  g_assert_true (endpoint_parse_address (&wanted, text));
  g_assert_cmpmem (packet->data + (ipv6 ? 8 : 12) + (of_source ? 0 : size),
                   size, wanted.address + (ipv6 ? 0 : 12), size);
}

/* ---- what goes through ---- */

/* The outer port of what is sent from HOST; 0 if it is not sent. */
static guint
send_by (Fixture *fixture, guint protocol, guint port, const char *remote,
         guint remote_port)
{
  Packet *packet
      = make_ported (fixture, protocol, HOST, port, remote, remote_port);
  guint outside = 0;

  if (translator_send (fixture->nat, packet, fixture->now)
      == TRANSLATOR_PASSED)
    {
      check_packet (fixture, packet, 1);
      assert_address (packet, TRUE, OWN);
      assert_address (packet, FALSE, remote);
      outside = get_16 (packet->data + 20);
      g_assert_cmpuint (get_16 (packet->data + 22), ==, remote_port);
    }
  packet_free (&fixture->pool, packet);
  return outside;
}

static guint
send_udp (Fixture *fixture, guint port, const char *remote, guint remote_port)
{
  return send_by (fixture, IPPROTO_UDP, port, remote, remote_port);
}

/* The inner port that gets what is received; 0 if nobody does. */
static guint
receive_by (Fixture *fixture, guint protocol, const char *remote,
            guint remote_port, guint port)
{
  Packet *packet
      = make_ported (fixture, protocol, remote, remote_port, OWN, port);
  guint inside = 0;

  if (translator_receive (fixture->nat, packet, fixture->now)
      == TRANSLATOR_PASSED)
    {
      check_packet (fixture, packet, 1);
      assert_address (packet, TRUE, remote);
      assert_address (packet, FALSE, HOST);
      g_assert_cmpuint (get_16 (packet->data + 20), ==, remote_port);
      inside = get_16 (packet->data + 22);
    }
  packet_free (&fixture->pool, packet);
  return inside;
}

static guint
receive_udp (Fixture *fixture, const char *remote, guint remote_port,
             guint port)
{
  return receive_by (fixture, IPPROTO_UDP, remote, remote_port, port);
}

static gint64
get_counter (Fixture *fixture, const char *name)
{
  g_autofree char *wanted = g_strdup_printf ("\"%s\": ", name);
  g_autoptr (GString) json = g_string_new (NULL);
  const char *found;

  translator_write_statistics (fixture->nat, json, fixture->now);
  found = strstr (json->str, wanted);
  return found != NULL
             ? g_ascii_strtoll (found + strlen (wanted), NULL, 10) : -1;
}

/* ---- mapping ---- */

/* What two more destinations see of a socket that the first one sees. */
static void
send_to_three (Fixture *fixture, guint ports[3])
{
  ports[0] = send_udp (fixture, 5000, REMOTE, 1000);
  ports[1] = send_udp (fixture, 5000, REMOTE, 1001);
  ports[2] = send_udp (fixture, 5000, REMOTE_2, 1000);
  /* The first one still is what it was. */
  g_assert_cmpuint (send_udp (fixture, 5000, REMOTE, 1000), ==, ports[0]);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpuint (ports[i], >=, 1024);
}

static void
test_mapping_endpoint (Fixture *fixture, gconstpointer text)
{
  guint ports[3];

  send_to_three (fixture, ports);
  g_assert_cmpuint (ports[0], !=, 5000);
  g_assert_cmpuint (ports[0], ==, ports[1]);
  g_assert_cmpuint (ports[0], ==, ports[2]);
  g_assert_cmpint (get_counter (fixture, "created"), ==, 3);
  g_assert_cmpint (get_counter (fixture, "mappings"), ==, 1);
}

static void
test_mapping_address (Fixture *fixture, gconstpointer text)
{
  guint ports[3];

  send_to_three (fixture, ports);
  g_assert_cmpuint (ports[0], ==, ports[1]);
  g_assert_cmpuint (ports[0], !=, ports[2]);
}

static void
test_mapping_address_port (Fixture *fixture, gconstpointer text)
{
  guint ports[3];

  send_to_three (fixture, ports);
  g_assert_cmpuint (ports[0], !=, ports[1]);
  g_assert_cmpuint (ports[0], !=, ports[2]);
  g_assert_cmpuint (ports[1], !=, ports[2]);
  g_assert_cmpint (get_counter (fixture, "mappings"), ==, 3);
}

/* ---- filtering ---- */

/* Whether the same one, another port of it and another address get through. */
static guint
receive_from_three (Fixture *fixture)
{
  guint port = send_udp (fixture, 5000, REMOTE, 1000);

  return (receive_udp (fixture, REMOTE, 1000, port) == 5000 ? 1 : 0)
         | (receive_udp (fixture, REMOTE, 1001, port) == 5000 ? 2 : 0)
         | (receive_udp (fixture, REMOTE_2, 1000, port) == 5000 ? 4 : 0);
}

static void
test_filtering_endpoint (Fixture *fixture, gconstpointer text)
{
  g_assert_cmpuint (receive_from_three (fixture), ==, 7);
  g_assert_cmpuint (receive_udp (fixture, REMOTE, 1000, 5001), ==, 0);
  g_assert_cmpint (get_counter (fixture, "no-mapping"), ==, 1);
  /* What came in made no entries. */
  g_assert_cmpint (get_counter (fixture, "created"), ==, 1);
}

static void
test_filtering_address (Fixture *fixture, gconstpointer text)
{
  g_assert_cmpuint (receive_from_three (fixture), ==, 3);
  g_assert_cmpint (get_counter (fixture, "filtered"), ==, 1);
}

static void
test_filtering_address_port (Fixture *fixture, gconstpointer text)
{
  g_assert_cmpuint (receive_from_three (fixture), ==, 1);
  g_assert_cmpint (get_counter (fixture, "filtered"), ==, 2);
}

/* A mapping of one destination is as loose as the filter says. */
static void
test_filtering_symmetric (Fixture *fixture, gconstpointer text)
{
  g_assert_cmpuint (receive_from_three (fixture), ==, 7);
}

/* ---- ports ---- */

static void
test_preserved (Fixture *fixture, gconstpointer text)
{
  Packet *packet;

  g_assert_cmpuint (send_udp (fixture, 5000, REMOTE, 1000), ==, 5000);
  /* Another host's is taken already. */
  packet = make_ported (fixture, IPPROTO_UDP, OTHER_HOST, 5000, REMOTE, 1001);
  g_assert_cmpuint (translator_send (fixture->nat, packet, fixture->now), ==,
                    TRANSLATOR_PASSED);
  g_assert_cmpuint (get_16 (packet->data + 20), !=, 5000);
  packet_free (&fixture->pool, packet);
}

/* Two hosts share a port as long as they talk to different ones. */
static void
test_overload (Fixture *fixture, gconstpointer text)
{
  Packet *packet;

  g_assert_cmpuint (send_udp (fixture, 5000, REMOTE, 1000), ==, 5000);
  packet = make_ported (fixture, IPPROTO_UDP, OTHER_HOST, 5000, REMOTE, 1001);
  g_assert_cmpuint (translator_send (fixture->nat, packet, fixture->now), ==,
                    TRANSLATOR_PASSED);
  g_assert_cmpuint (get_16 (packet->data + 20), ==, 5000);
  packet_free (&fixture->pool, packet);
  packet = make_ported (fixture, IPPROTO_UDP, OTHER_HOST, 5000, REMOTE, 1000);
  g_assert_cmpuint (translator_send (fixture->nat, packet, fixture->now), ==,
                    TRANSLATOR_PASSED);
  g_assert_cmpuint (get_16 (packet->data + 20), !=, 5000);
  packet_free (&fixture->pool, packet);
  g_assert_cmpuint (receive_udp (fixture, REMOTE, 1000, 5000), ==, 5000);
  packet = make_ported (fixture, IPPROTO_UDP, REMOTE, 1001, OWN, 5000);
  g_assert_cmpuint (translator_receive (fixture->nat, packet, fixture->now),
                    ==, TRANSLATOR_PASSED);
  assert_address (packet, FALSE, OTHER_HOST);
  packet_free (&fixture->pool, packet);
}

static void
test_sequential (Fixture *fixture, gconstpointer text)
{
  guint last = send_udp (fixture, 5000, REMOTE, 1000);

  for (guint i = 1; i < 100; i++)
    {
      guint port = send_udp (fixture, 5000, REMOTE, 1000 + i);

      /* Within 3000 to 3299 */
      g_assert_cmpuint (port, ==, last + 3 < 3300 ? last + 3 : last - 297);
      last = port;
    }
}

/* 50 a second take one each. */
static void
test_foreign (Fixture *fixture, gconstpointer text)
{
  guint first = send_udp (fixture, 5000, REMOTE, 1000), next;
  guint64 taken;

  fixture->now += 100 * SECOND / 1000;
  next = send_udp (fixture, 5000, REMOTE, 1001);
  for (guint i = 0; i < 20; i++)
    {
      fixture->now += SECOND;
      next = send_udp (fixture, 5000, REMOTE, 2000 + i);
    }
  taken = (next + 64512 - first) % 64512 - 21;
  g_assert_cmpuint (taken, >, 20.1 * 50 * 0.85);
  g_assert_cmpuint (taken, <, 20.1 * 50 * 1.15);
}

static void
test_random (Fixture *fixture, gconstpointer text)
{
  guint low = 0, high = 0;

  for (guint i = 0; i < 200; i++)
    {
      guint port = send_udp (fixture, 5000, REMOTE, 1000 + i);

      g_assert_cmpuint (port, >=, 1024);
      low += port < 32768;
      high += port >= 32768;
    }
  g_assert_cmpuint (low, >, 60);
  g_assert_cmpuint (high, >, 60);
}

static void
test_block (Fixture *fixture, gconstpointer text)
{
  gboolean taken[65536] = { FALSE };
  guint first, low, high;
  Packet *packet;

  first = low = high = send_udp (fixture, 5000, REMOTE, 1000);
  taken[first] = TRUE;
  for (guint i = 1; i < 32; i++)
    {
      guint port = send_udp (fixture, 5000, REMOTE, 1000 + i);

      g_assert_false (taken[port]);
      taken[port] = TRUE;
      low = MIN (low, port);
      high = MAX (high, port);
    }
  g_assert_cmpuint (high - low, ==, 31);
  g_assert_cmpuint (low % 32, ==, 0);
  g_assert_cmpuint (send_udp (fixture, 5000, REMOTE, 2000), ==, 0);
  g_assert_cmpint (get_counter (fixture, "no-port"), ==, 1);
  /* Another host has a block of its own. */
  packet = make_ported (fixture, IPPROTO_UDP, OTHER_HOST, 5000, REMOTE, 1001);
  g_assert_cmpuint (translator_send (fixture->nat, packet, fixture->now), ==,
                    TRANSLATOR_PASSED);
  g_assert_false (taken[get_16 (packet->data + 20)]);
  packet_free (&fixture->pool, packet);
}

/* ---- lifetimes and limits ---- */

static void
test_idle (Fixture *fixture, gconstpointer text)
{
  guint port = send_udp (fixture, 5000, REMOTE, 1000);

  for (guint i = 0; i < 5; i++)
    {
      fixture->now += 19 * SECOND;
      g_assert_cmpuint (receive_udp (fixture, REMOTE, 1000, port), ==, 5000);
    }
  fixture->now += 19 * SECOND;
  g_assert_cmpuint (send_udp (fixture, 5000, REMOTE, 1000), ==, port);
  fixture->now += 20 * SECOND;
  g_assert_cmpuint (receive_udp (fixture, REMOTE, 1000, port), ==, 0);
  g_assert_cmpint (get_counter (fixture, "now"), ==, 0);
  g_assert_cmpuint (send_udp (fixture, 5000, REMOTE, 1000), !=, port);
  g_assert_cmpint (get_counter (fixture, "created"), ==, 2);
}

/* Only what is sent keeps it. */
static void
test_outbound (Fixture *fixture, gconstpointer text)
{
  guint port = send_udp (fixture, 5000, REMOTE, 1000);

  fixture->now += 19 * SECOND;
  g_assert_cmpuint (receive_udp (fixture, REMOTE, 1000, port), ==, 5000);
  fixture->now += SECOND;
  g_assert_cmpuint (receive_udp (fixture, REMOTE, 1000, port), ==, 0);
}

/* Nothing keeps it. */
static void
test_absolute (Fixture *fixture, gconstpointer text)
{
  guint port = send_udp (fixture, 5000, REMOTE, 1000);

  for (guint i = 0; i < 49; i++)
    {
      fixture->now += SECOND;
      g_assert_cmpuint (send_udp (fixture, 5000, REMOTE, 1000), ==, port);
    }
  fixture->now += SECOND;
  g_assert_cmpuint (receive_udp (fixture, REMOTE, 1000, port), ==, 0);
  g_assert_cmpuint (send_udp (fixture, 5000, REMOTE, 1000), !=, port);
}

static void
test_limits (Fixture *fixture, gconstpointer text)
{
  for (guint i = 0; i < 20; i++)
    g_assert_cmpuint (send_udp (fixture, 5000, REMOTE, 1000 + i) != 0, ==,
                      i < 10);
  g_assert_cmpint (get_counter (fixture, "table-full"), ==, 10);
  g_assert_cmpint (get_counter (fixture, "peak"), ==, 10);
  fixture->now += 500 * SECOND;
  g_assert_cmpuint (send_udp (fixture, 5000, REMOTE, 3000), !=, 0);
}

static void
test_reboot (Fixture *fixture, gconstpointer text)
{
  guint port = send_udp (fixture, 5000, REMOTE, 1000);

  translator_reboot (fixture->nat);
  g_assert_cmpuint (receive_udp (fixture, REMOTE, 1000, port), ==, 0);
  g_assert_cmpuint (send_udp (fixture, 5000, REMOTE, 1000), !=, port);
  translator_forget_statistics (fixture->nat);
  g_assert_cmpint (get_counter (fixture, "created"), ==, 0);
  g_assert_cmpint (get_counter (fixture, "peak"), ==, 1);
}

/* The early-knock trap: what came unasked has the port. */
static void
test_trap (Fixture *fixture, gconstpointer text)
{
  guint port;

  g_assert_cmpuint (send_udp (fixture, 5000, REMOTE, 1000), ==, 5000);
  g_assert_cmpuint (receive_udp (fixture, REMOTE_2, 2000, 5000), ==, 0);
  port = send_udp (fixture, 5000, REMOTE_2, 2000);
  g_assert_cmpuint (port, !=, 5000);
  g_assert_cmpuint (port, !=, 0);
  g_assert_cmpuint (receive_udp (fixture, REMOTE_2, 2000, 5000), ==, 0);
  g_assert_cmpint (get_counter (fixture, "port-taken"), ==, 1);
  g_assert_cmpuint (receive_udp (fixture, REMOTE_2, 2000, port), ==, 5000);
  /* All others are as before. */
  g_assert_cmpuint (send_udp (fixture, 5000, REMOTE_2, 2001), ==, 5000);
  g_assert_cmpuint (receive_udp (fixture, REMOTE, 1000, 5000), ==, 5000);
}

static void
test_no_trap (Fixture *fixture, gconstpointer text)
{
  g_assert_cmpuint (receive_udp (fixture, REMOTE_2, 2000, 5000), ==, 0);
  g_assert_cmpuint (send_udp (fixture, 5000, REMOTE_2, 2000), ==, 5000);
}

/* ---- hops, blocks, hairpins ---- */

static void
test_ttl (Fixture *fixture, gconstpointer text)
{
  fixture->ttl = 1;
  g_assert_cmpuint (send_udp (fixture, 5000, REMOTE, 1000), ==, 0);
  g_assert_cmpint (get_counter (fixture, "ttl"), ==, 1);
  g_assert_cmpint (get_counter (fixture, "created"), ==, -1);
  fixture->ttl = 2;
  g_assert_cmpuint (send_udp (fixture, 5000, REMOTE, 1000), ==, 5000);
  g_assert_cmpuint (receive_udp (fixture, REMOTE, 1000, 5000), ==, 5000);
  fixture->ttl = 1;
  g_assert_cmpuint (receive_udp (fixture, REMOTE, 1000, 5000), ==, 0);
}

static void
test_blocked (Fixture *fixture, gconstpointer text)
{
  g_assert_cmpuint (send_udp (fixture, 5000, REMOTE, 1000), ==, 0);
  g_assert_cmpint (get_counter (fixture, "udp-blocked"), ==, 1);
  g_assert_cmpuint (send_by (fixture, IPPROTO_TCP, 5000, REMOTE, 443), ==,
                    5000);
  g_assert_cmpuint (receive_by (fixture, IPPROTO_TCP, REMOTE, 443, 5000), ==,
                    5000);
}

static Verdict
send_to_own (Fixture *fixture, guint port, Packet **sent)
{
  *sent = make_ported (fixture, IPPROTO_UDP, OTHER_HOST, 6000, OWN, port);
  return translator_send (fixture->nat, *sent, fixture->now);
}

static void
test_hairpin (Fixture *fixture, gconstpointer text)
{
  guint port = send_udp (fixture, 5000, REMOTE, 1000), other;
  Packet *packet;

  g_assert_cmpuint (send_to_own (fixture, port, &packet), ==,
                    TRANSLATOR_TURNED);
  check_packet (fixture, packet, 1);
  assert_address (packet, TRUE, OWN);
  assert_address (packet, FALSE, HOST);
  g_assert_cmpuint (get_16 (packet->data + 22), ==, 5000);
  other = get_16 (packet->data + 20);
  g_assert_cmpuint (other, !=, 6000);
  packet_free (&fixture->pool, packet);
  /* And back */
  packet = make_ported (fixture, IPPROTO_UDP, HOST, 5000, OWN, other);
  g_assert_cmpuint (translator_send (fixture->nat, packet, fixture->now), ==,
                    TRANSLATOR_TURNED);
  assert_address (packet, FALSE, OTHER_HOST);
  g_assert_cmpuint (get_16 (packet->data + 20), ==, port);
  g_assert_cmpuint (get_16 (packet->data + 22), ==, 6000);
  packet_free (&fixture->pool, packet);
}

static void
test_no_hairpin (Fixture *fixture, gconstpointer text)
{
  guint port = send_udp (fixture, 5000, REMOTE, 1000);
  Packet *packet;

  g_assert_cmpuint (send_to_own (fixture, port, &packet), ==,
                    TRANSLATOR_DROPPED);
  packet_free (&fixture->pool, packet);
  g_assert_cmpint (get_counter (fixture, "hairpin"), ==, 1);
}

/* Neighbours' packets are not touched. */
static void
test_inside (Fixture *fixture, gconstpointer text)
{
  Packet *packet
      = make_ported (fixture, IPPROTO_UDP, HOST, 5000, OTHER_HOST, 6000);

  g_assert_cmpuint (translator_send (fixture->nat, packet, fixture->now), ==,
                    TRANSLATOR_TURNED);
  check_packet (fixture, packet, 0);
  assert_address (packet, TRUE, HOST);
  packet_free (&fixture->pool, packet);
}

/* ---- other protocols ---- */

static void
test_checksums (Fixture *fixture, gconstpointer text)
{
  for (guint i = 0; i < 2000; i++)
    {
      guint protocol = i % 2 == 0 ? IPPROTO_UDP : IPPROTO_TCP;
      guint port = 1024 + i, outside;

      fixture->is_summed = i % 4 < 2;
      outside = send_by (fixture, protocol, port, REMOTE, 7 * i + 1);
      g_assert_cmpuint (outside, !=, 0);
      g_assert_cmpuint (receive_by (fixture, protocol, REMOTE, 7 * i + 1,
                                    outside),
                        ==, port);
    }
}

/* RFC 768: a UDP packet without a checksum stays so. */
static void
test_no_checksum (Fixture *fixture, gconstpointer text)
{
  Packet *packet
      = make_ported (fixture, IPPROTO_UDP, HOST, 5000, REMOTE, 1000);

  put_16 (packet->data + 26, 0);
  g_assert_cmpuint (translator_send (fixture->nat, packet, fixture->now), ==,
                    TRANSLATOR_PASSED);
  g_assert_cmpuint (get_16 (packet->data + 26), ==, 0);
  packet_free (&fixture->pool, packet);
}

static Packet *
make_echo (Fixture *fixture, guint type, const char *source,
           const char *destination, guint identifier)
{
  gboolean ipv6 = strchr (source, ':') != NULL;
  Packet *packet
      = make_packet (fixture, ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, source,
                     destination, 33);
  guint8 *icmp = packet->data + (ipv6 ? 40 : 20);

  icmp[0] = type;
  put_16 (icmp + 4, identifier);
  return finish (fixture, packet);
}

static void
test_echo (Fixture *fixture, gconstpointer text)
{
  Packet *packet = make_echo (fixture, 8, HOST, REMOTE, 77), *other;
  guint identifier;

  g_assert_cmpuint (translator_send (fixture->nat, packet, fixture->now), ==,
                    TRANSLATOR_PASSED);
  check_packet (fixture, packet, 1);
  assert_address (packet, TRUE, OWN);
  g_assert_cmpuint (get_16 (packet->data + 24), ==, 77);
  packet_free (&fixture->pool, packet);
  /* Another host with the same identifier */
  other = make_echo (fixture, 8, OTHER_HOST, REMOTE, 77);
  g_assert_cmpuint (translator_send (fixture->nat, other, fixture->now), ==,
                    TRANSLATOR_PASSED);
  check_packet (fixture, other, 1);
  identifier = get_16 (other->data + 24);
  g_assert_cmpuint (identifier, !=, 77);
  packet_free (&fixture->pool, other);
  packet = make_echo (fixture, 0, REMOTE, OWN, identifier);
  g_assert_cmpuint (translator_receive (fixture->nat, packet, fixture->now),
                    ==, TRANSLATOR_PASSED);
  check_packet (fixture, packet, 1);
  assert_address (packet, FALSE, OTHER_HOST);
  g_assert_cmpuint (get_16 (packet->data + 24), ==, 77);
  packet_free (&fixture->pool, packet);
}

/* An ICMP error of @type that quotes as much of @about as it must. */
static Packet *
make_error (Fixture *fixture, guint type, const char *source,
            const char *destination, const Packet *about)
{
  Packet *packet = make_packet (fixture, IPPROTO_ICMP, source, destination,
                                8 + 28);

  packet->data[20] = type;
  memcpy (packet->data + 28, about->data, 28);
  return finish (fixture, packet);
}

/* A hop in the middle says that the packet died there: the host learns it, and
 * nothing else happens. */
static void
test_error (Fixture *fixture, gconstpointer text)
{
  Packet *sent = make_ported (fixture, IPPROTO_UDP, HOST, 5000, REMOTE, 1000);
  Packet *original = packet_copy (&fixture->pool, sent);
  Packet *error;
  guint port;

  g_assert_cmpuint (translator_send (fixture->nat, sent, fixture->now), ==,
                    TRANSLATOR_PASSED);
  port = get_16 (sent->data + 20);
  error = make_error (fixture, 11, REMOTE_2, OWN, sent);
  g_assert_cmpuint (translator_receive (fixture->nat, error, fixture->now),
                    ==, TRANSLATOR_PASSED);
  check_packet (fixture, error, 1);
  assert_address (error, TRUE, REMOTE_2);
  assert_address (error, FALSE, HOST);
  /* What is quoted is what was sent, but for the hop. */
  original->data[8]--;
  put_16 (original->data + 10, 0);
  put_16 (original->data + 10, ~add_up (original->data, 20, 0));
  g_assert_cmpmem (error->data + 28, 28, original->data, 28);
  g_assert_cmpuint (receive_udp (fixture, REMOTE, 1000, port), ==, 5000);
  packet_free (&fixture->pool, error);
  /* One about a packet that was never sent */
  put_16 (sent->data + 20, port ^ 1);
  error = make_error (fixture, 11, REMOTE_2, OWN, sent);
  g_assert_cmpuint (translator_receive (fixture->nat, error, fixture->now),
                    ==, TRANSLATOR_DROPPED);
  g_assert_cmpint (get_counter (fixture, "unrelated-error"), ==, 1);
  packet_free (&fixture->pool, error);
  packet_free (&fixture->pool, original);
  packet_free (&fixture->pool, sent);
}

/* The host says that nobody listens at a port. */
static void
test_error_from_inside (Fixture *fixture, gconstpointer text)
{
  guint port = send_udp (fixture, 5000, REMOTE, 1000);
  Packet *received
      = make_ported (fixture, IPPROTO_UDP, REMOTE, 1000, OWN, port);
  Packet *error;

  g_assert_cmpuint (translator_receive (fixture->nat, received, fixture->now),
                    ==, TRANSLATOR_PASSED);
  error = make_error (fixture, 3, HOST, REMOTE, received);
  g_assert_cmpuint (translator_send (fixture->nat, error, fixture->now), ==,
                    TRANSLATOR_PASSED);
  check_packet (fixture, error, 1);
  assert_address (error, TRUE, OWN);
  assert_address (error, FALSE, REMOTE);
  g_assert_cmpuint (get_16 (error->data + 28 + 22), ==, port);
  g_assert_cmpuint (add_up (error->data + 28, 20, 0), ==, 0xffff);
  packet_free (&fixture->pool, error);
  packet_free (&fixture->pool, received);
}

/* ---- firewalls ---- */

static Verdict
pass_6 (Fixture *fixture, gboolean out, guint port, guint remote_port)
{
  Packet *packet
      = out ? make_ported (fixture, IPPROTO_UDP, HOST_6, port, REMOTE_6,
                           remote_port)
            : make_ported (fixture, IPPROTO_UDP, REMOTE_6, remote_port, HOST_6,
                           port);
  Verdict verdict
      = out ? translator_send (fixture->nat, packet, fixture->now)
            : translator_receive (fixture->nat, packet, fixture->now);

  if (verdict == TRANSLATOR_PASSED)
    {
      check_packet (fixture, packet, 1);
      assert_address (packet, out, HOST_6);
      assert_address (packet, !out, REMOTE_6);
      g_assert_cmpuint (get_16 (packet->data + (out ? 40 : 42)), ==, port);
    }
  packet_free (&fixture->pool, packet);
  return verdict;
}

/* IPv6 is let in where it was asked for, whatever the NAT does. */
static void
test_ipv6 (Fixture *fixture, gconstpointer text)
{
  g_assert_cmpuint (pass_6 (fixture, FALSE, 5000, 1000), ==,
                    TRANSLATOR_DROPPED);
  g_assert_cmpuint (pass_6 (fixture, TRUE, 5000, 1000), ==,
                    TRANSLATOR_PASSED);
  g_assert_cmpuint (pass_6 (fixture, FALSE, 5000, 1000), ==,
                    TRANSLATOR_PASSED);
  g_assert_cmpuint (pass_6 (fixture, FALSE, 5000, 1001), ==,
                    TRANSLATOR_DROPPED);
  g_assert_cmpuint (pass_6 (fixture, FALSE, 5001, 1000), ==,
                    TRANSLATOR_DROPPED);
}

static void
test_firewall (Fixture *fixture, gconstpointer text)
{
  Packet *packet
      = make_ported (fixture, IPPROTO_UDP, REMOTE, 1000, HOST, 5000);

  g_assert_cmpuint (translator_receive (fixture->nat, packet, fixture->now),
                    ==, TRANSLATOR_DROPPED);
  packet_free (&fixture->pool, packet);
  packet = make_ported (fixture, IPPROTO_UDP, HOST, 5000, REMOTE, 1000);
  g_assert_cmpuint (translator_send (fixture->nat, packet, fixture->now), ==,
                    TRANSLATOR_PASSED);
  check_packet (fixture, packet, 1);
  assert_address (packet, TRUE, HOST);
  packet_free (&fixture->pool, packet);
  packet = make_ported (fixture, IPPROTO_UDP, REMOTE, 1000, HOST, 5000);
  g_assert_cmpuint (translator_receive (fixture->nat, packet, fixture->now),
                    ==, TRANSLATOR_PASSED);
  assert_address (packet, FALSE, HOST);
  packet_free (&fixture->pool, packet);
}

static void
test_open (Fixture *fixture, gconstpointer text)
{
  Packet *packet
      = make_ported (fixture, IPPROTO_UDP, REMOTE, 1000, HOST, 5000);

  g_assert_cmpuint (translator_receive (fixture->nat, packet, fixture->now),
                    ==, TRANSLATOR_PASSED);
  check_packet (fixture, packet, 1);
  assert_address (packet, FALSE, HOST);
  packet_free (&fixture->pool, packet);
  g_assert_cmpuint (pass_6 (fixture, FALSE, 5000, 1000), ==,
                    TRANSLATOR_PASSED);
}

/* ---- nonsense ---- */

static void
test_broken (Fixture *fixture, gconstpointer text)
{
  for (guint i = 0; i < 20000; i++)
    {
      gsize size = g_test_rand_int_range (0, 90);
      Packet *packet = packet_new (&fixture->pool, size);

      memset (&packet->offload, 0, sizeof packet->offload);
      for (gsize at = 0; at < size; at++)
        packet->data[at] = g_test_rand_int ();
      if (size > 9)
        {
          static const guint8 protocols[] = { 1, 6, 17, 58 };
          guint8 protocol = protocols[g_test_rand_int_range (0, 4)];

          packet->data[0] = g_test_rand_bit () ? 0x45 : 0x60;
          packet->data[packet->data[0] == 0x45 ? 9 : 6] = protocol;
          packet->data[6] &= packet->data[0] == 0x45 ? 0x40 : 0xff;
          packet->data[7] = packet->data[0] == 0x45 ? 0 : 64;
        }
      if (g_test_rand_bit ())
        translator_send (fixture->nat, packet, fixture->now);
      else
        translator_receive (fixture->nat, packet, fixture->now);
      packet_free (&fixture->pool, packet);
    }
  g_assert_cmpint (get_counter (fixture, "malformed"), >, 1000);
}

static void
test_fragment (Fixture *fixture, gconstpointer text)
{
  Packet *packet
      = make_ported (fixture, IPPROTO_UDP, HOST, 5000, REMOTE, 1000);

  packet->data[7] = 20;
  g_assert_cmpuint (translator_send (fixture->nat, packet, fixture->now), ==,
                    TRANSLATOR_DROPPED);
  g_assert_cmpint (get_counter (fixture, "fragment"), ==, 1);
  packet_free (&fixture->pool, packet);
}

static void
test_not_ours (Fixture *fixture, gconstpointer text)
{
  Packet *packet
      = make_ported (fixture, IPPROTO_UDP, REMOTE, 1000, REMOTE_2, 5000);

  g_assert_cmpuint (translator_receive (fixture->nat, packet, fixture->now),
                    ==, TRANSLATOR_DROPPED);
  g_assert_cmpint (get_counter (fixture, "not-ours"), ==, 1);
  packet_free (&fixture->pool, packet);
}

/* ---- words ---- */

static void
test_words (void)
{
  static const char *const wrong[] = {
    "mapping",          "mapping=",        "mapping=symmetric",
    "filtering=port",   "ports=5",         "step=0",
    "step=-1",          "block=0",         "range=5",
    "range=9-5",        "range=0-5",       "range=1-65536",
    "lifetime=20",      "hairpin=maybe",   "refresh=inbound",
    "knock=who",        "foreign=x",       "max-entries=1x",
    "nonsense=1",       "udp=no nonsense",
  };
  NatRules rules, before;

  nat_rules_init (&rules);
  before = rules;
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autofree char *problem = NULL;

      g_assert_false (nat_rules_parse (&rules, wrong[i], &problem));
      g_assert_nonnull (problem);
      g_assert_cmpmem (&rules, sizeof rules, &before, sizeof before);
    }
}

static void
add (const char *name, const char *rules,
     void (*test) (Fixture *fixture, gconstpointer text))
{
  g_autofree char *path = g_strconcat ("/translator/", name, NULL);

  g_test_add (path, Fixture, rules, set_up, test, tear_down);
}

#define SYMMETRIC "mapping=address-and-port-dependent "

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("mapping/endpoint", "ports=random", test_mapping_endpoint);
  add ("mapping/address", "ports=random mapping=address-dependent",
       test_mapping_address);
  add ("mapping/address-port", SYMMETRIC "ports=random",
       test_mapping_address_port);
  add ("filtering/endpoint", "filtering=endpoint-independent",
       test_filtering_endpoint);
  add ("filtering/address", "filtering=address-dependent",
       test_filtering_address);
  add ("filtering/address-port", "", test_filtering_address_port);
  add ("filtering/symmetric", SYMMETRIC "filtering=endpoint-independent",
       test_filtering_symmetric);
  add ("ports/preserved", "", test_preserved);
  add ("ports/overload", "overload=yes", test_overload);
  add ("ports/sequential",
       SYMMETRIC "ports=sequential step=3 range=3000-3299", test_sequential);
  add ("ports/foreign", SYMMETRIC "ports=sequential foreign=50",
       test_foreign);
  add ("ports/random", SYMMETRIC "ports=random", test_random);
  add ("ports/block", SYMMETRIC "ports=block block=32", test_block);
  add ("lifetime/idle", "ports=random lifetime=20s", test_idle);
  add ("lifetime/outbound", "lifetime=20s refresh=outbound", test_outbound);
  add ("lifetime/absolute", "ports=random absolute=50s", test_absolute);
  add ("limits/mappings", SYMMETRIC "max-mappings=10", test_limits);
  add ("limits/entries", "max-entries=10", test_limits);
  add ("reboot", "ports=random", test_reboot);
  add ("knock/takes-port", "overload=yes knock=takes-port", test_trap);
  add ("knock/dropped", "", test_no_trap);
  add ("ttl", "", test_ttl);
  add ("udp-blocked", "udp=no", test_blocked);
  add ("hairpin/yes",
       "ports=random hairpin=yes filtering=endpoint-independent",
       test_hairpin);
  add ("hairpin/no", "", test_no_hairpin);
  add ("inside", "", test_inside);
  add ("checksums", "ports=random", test_checksums);
  add ("no-checksum", "ports=random", test_no_checksum);
  add ("icmp/echo", "", test_echo);
  add ("icmp/error", "ports=random", test_error);
  add ("icmp/error-from-inside", "ports=random", test_error_from_inside);
  add ("ipv6", "filtering=endpoint-independent", test_ipv6);
  add ("firewall", "mapping=none", test_firewall);
  add ("open", "mapping=none filtering=none", test_open);
  add ("broken", "filtering=endpoint-independent", test_broken);
  add ("fragment", "", test_fragment);
  add ("not-ours", "", test_not_ours);
  g_test_add_func ("/nat-rules/words", test_words);
  return g_test_run ();
}
