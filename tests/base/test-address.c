/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/base/hp-address.h"

#include <netinet/in.h>
#include <string.h>

static HpAddress
parse (const char *text)
{
  HpAddress address;

  g_test_message ("%s", text);
  g_assert_true (hp_address_parse (&address, text));
  return address;
}

static void
test_scopes (void)
{
  static const struct
  {
    const char *text;
    HpAddressScope scope;
  } cases[] = {
    { "127.0.0.1:1", HP_SCOPE_LOOPBACK },
    { "127.255.255.255:1", HP_SCOPE_LOOPBACK },
    { "0.0.0.0:1", HP_SCOPE_INVALID },
    { "0.1.2.3:1", HP_SCOPE_INVALID },
    { "224.0.0.1:1", HP_SCOPE_INVALID },
    { "239.255.255.255:1", HP_SCOPE_INVALID },
    { "240.0.0.1:1", HP_SCOPE_INVALID },
    { "255.255.255.255:1", HP_SCOPE_INVALID },
    { "169.254.0.1:1", HP_SCOPE_LINK },
    { "169.253.255.255:1", HP_SCOPE_GLOBAL },
    { "10.0.0.0:1", HP_SCOPE_PRIVATE },
    { "9.255.255.255:1", HP_SCOPE_GLOBAL },
    { "11.0.0.0:1", HP_SCOPE_GLOBAL },
    { "172.15.255.255:1", HP_SCOPE_GLOBAL },
    { "172.16.0.0:1", HP_SCOPE_PRIVATE },
    { "172.31.255.255:1", HP_SCOPE_PRIVATE },
    { "172.32.0.0:1", HP_SCOPE_GLOBAL },
    { "192.168.255.1:1", HP_SCOPE_PRIVATE },
    { "192.167.255.1:1", HP_SCOPE_GLOBAL },
    { "100.63.255.255:1", HP_SCOPE_GLOBAL },
    { "100.64.0.0:1", HP_SCOPE_CARRIER },
    { "100.127.255.255:1", HP_SCOPE_CARRIER },
    { "100.128.0.0:1", HP_SCOPE_GLOBAL },
    { "8.8.8.8:1", HP_SCOPE_GLOBAL },
    { "[::]:1", HP_SCOPE_INVALID },
    { "[::1]:1", HP_SCOPE_LOOPBACK },
    { "[::2]:1", HP_SCOPE_INVALID },
    { "[ff02::1]:1", HP_SCOPE_INVALID },
    { "[fe80::1]:1", HP_SCOPE_LINK },
    { "[febf::1]:1", HP_SCOPE_LINK },
    { "[fec0::1]:1", HP_SCOPE_GLOBAL },
    { "[fc00::1]:1", HP_SCOPE_PRIVATE },
    { "[fdff::1]:1", HP_SCOPE_PRIVATE },
    { "[fe00::1]:1", HP_SCOPE_GLOBAL },
    { "[2001:db8::1]:1", HP_SCOPE_GLOBAL },
    /* Scopes of what a dual-stack socket shows for IPv4 */
    { "[::ffff:10.1.2.3]:1", HP_SCOPE_PRIVATE },
    { "[::ffff:8.8.8.8]:1", HP_SCOPE_GLOBAL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      HpAddress address = parse (cases[i].text);
      HpAddressScope scope = hp_address_get_scope (&address);

      g_assert_cmpint (scope, ==, cases[i].scope);
      g_assert_cmpint (hp_address_is_private (&address), ==,
                       scope != HP_SCOPE_GLOBAL
                           && scope != HP_SCOPE_INVALID);
      g_assert_cmpint (hp_address_is_usable (&address), ==,
                       scope != HP_SCOPE_INVALID);
      address.port = 0;
      g_assert_false (hp_address_is_usable (&address));
    }
}

static void
test_none (void)
{
  HpAddress address = { 0 };
  g_autofree char *text = hp_address_to_string (&address);

  g_assert_cmpint (hp_address_get_scope (&address), ==, HP_SCOPE_INVALID);
  g_assert_false (hp_address_is_usable (&address));
  g_assert_null (hp_address_to_socket_address (&address));
  g_assert_cmpstr (text, ==, "none");
}

static void
test_text (void)
{
  static const char *good[] = {
    "192.0.2.1:4222",
    "255.255.255.255:65535",
    "[2001:db8::1]:4222",
    "[::1]:1",
  };
  static const char *bad[] = {
    "",
    ":",
    ":4222",
    "192.0.2.1",
    "192.0.2.1:",
    "192.0.2.1:65536",
    "192.0.2.1:-1",
    "192.0.2.1:+1",
    "192.0.2.1: 1",
    "192.0.2.1:1x",
    "192.0.2:1",
    "192.0.2.256:1",
    "2001:db8::1:4222",
    "[2001:db8::1]",
    "[2001:db8::1]4222",
    "[2001:db8::1:4222",
    "2001:db8::1]:4222",
    "[]:4222",
    "[:1",
    "match.example.org:4222",
    "[2001:db8::1%]:4222",
  };

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      HpAddress address = parse (good[i]);
      g_autofree char *text = hp_address_to_string (&address);

      g_assert_cmpstr (text, ==, good[i]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      HpAddress address;

      g_test_message ("%s", bad[i]);
      g_assert_false (hp_address_parse (&address, bad[i]));
      g_assert_cmpint (address.family, ==, HP_ADDRESS_NONE);
    }
}

static void
test_mapped (void)
{
  HpAddress mapped = parse ("[::ffff:192.0.2.1]:4222");
  HpAddress plain = parse ("192.0.2.1:4222");
  struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
                              .sin6_port = g_htons (4222) };
  HpAddress native;

  g_assert_cmpint (mapped.family, ==, HP_ADDRESS_IPV4);
  g_assert_true (hp_address_equal (&mapped, &plain));
  g_assert_cmpuint (hp_address_hash (&mapped), ==, hp_address_hash (&plain));

  memcpy (&in6.sin6_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02\x01", 16);
  g_assert_true (hp_address_from_native (&native, &in6, sizeof in6));
  g_assert_true (hp_address_equal (&native, &plain));
}

static void
test_native (void)
{
  struct sockaddr_in in = { .sin_family = AF_INET,
                            .sin_port = g_htons (4222),
                            .sin_addr = { g_htonl (0xc0000201) } };
  struct sockaddr_in6 native;
  HpAddress address;
  HpAddress back;
  HpAddress expected = parse ("192.0.2.1:4222");

  g_assert_true (hp_address_from_native (&address, &in, sizeof in));
  g_assert_true (hp_address_equal (&address, &expected));
  g_assert_cmpuint (hp_address_to_native (&address, &native), ==, sizeof in);
  g_assert_true (hp_address_from_native (&back, &native, sizeof in));
  g_assert_true (hp_address_equal (&back, &expected));
  for (gsize size = 0; size < sizeof in; size++)
    g_assert_false (hp_address_from_native (&address, &in, size));
  in.sin_family = AF_UNIX;
  g_assert_false (hp_address_from_native (&address, &in, sizeof in));
  g_assert_cmpint (address.family, ==, HP_ADDRESS_NONE);
  g_assert_cmpuint (hp_address_to_native (&address, &native), ==, 0);
}

/* Only a link-local address keeps its interface. */
static void
test_interface_scope (void)
{
  struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
                              .sin6_port = g_htons (7),
                              .sin6_scope_id = 3 };
  HpAddress one;
  HpAddress other;
  g_autoptr (GSocketAddress) socket_address = NULL;
  struct sockaddr_in6 native;
  HpAddress back;

  memcpy (&in6.sin6_addr, "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
  g_assert_true (hp_address_from_native (&one, &in6, sizeof in6));
  g_assert_cmpuint (one.scope_id, ==, 3);
  in6.sin6_scope_id = 4;
  g_assert_true (hp_address_from_native (&other, &in6, sizeof in6));
  g_assert_false (hp_address_equal (&one, &other));
  g_assert_false (hp_address_same_host (&one, &other));

  socket_address = hp_address_to_socket_address (&one);
  g_assert_true (hp_address_from_socket_address (&back, socket_address));
  g_assert_true (hp_address_equal (&one, &back));
  g_assert_cmpuint (hp_address_to_native (&one, &native), ==, sizeof native);
  g_assert_cmpuint (native.sin6_scope_id, ==, 3);
  g_assert_true (hp_address_from_native (&back, &native, sizeof native));
  g_assert_true (hp_address_equal (&one, &back));

  memcpy (&in6.sin6_addr, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
  g_assert_true (hp_address_from_native (&one, &in6, sizeof in6));
  g_assert_cmpuint (one.scope_id, ==, 0);
}

static void
test_comparisons (void)
{
  HpAddress address = parse ("192.0.2.1:4222");
  HpAddress same = parse ("192.0.2.1:4222");
  HpAddress port = parse ("192.0.2.1:4223");
  HpAddress host = parse ("192.0.2.2:4222");
  /* The same first four bytes */
  HpAddress family = parse ("[c000:201::]:4222");
  HpRoute a = { 1, address, port };
  HpRoute b = { 1, port, port };

  g_assert_true (hp_address_equal (&address, &same));
  g_assert_cmpuint (hp_address_hash (&address), ==, hp_address_hash (&same));
  g_assert_false (hp_address_equal (&address, &port));
  g_assert_false (hp_address_equal (&address, &host));
  g_assert_false (hp_address_equal (&address, &family));
  g_assert_true (hp_address_same_host (&address, &port));
  g_assert_false (hp_address_same_host (&address, &host));
  g_assert_false (hp_address_same_host (&address, &family));

  /* The local port of a route may be unknown; all else must match. */
  g_assert_true (hp_route_equal (&a, &b));
  b.local = host;
  g_assert_false (hp_route_equal (&a, &b));
  b = (HpRoute){ 1, address, address };
  g_assert_false (hp_route_equal (&a, &b));
  b = (HpRoute){ 2, address, port };
  g_assert_false (hp_route_equal (&a, &b));
}

static void
test_wire (void)
{
  static const struct
  {
    const char *text;
    gsize size;
    const char *bytes;
  } cases[] = {
    { NULL, 1, "\0" },
    { "192.0.2.1:4222", 7, "\x04\x10\x7e\xc0\x00\x02\x01" },
    { "[2001:db8::7]:65535", 19,
      "\x06\xff\xff\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      HpAddress address = { 0 };
      HpAddress back;
      guint8 buffer[HP_ADDRESS_MAX_WIRE_SIZE];
      HpWriter writer;
      HpReader reader;

      if (cases[i].text != NULL)
        address = parse (cases[i].text);
      hp_writer_init (&writer, buffer, sizeof buffer);
      hp_address_write (&address, &writer);
      g_assert_true (hp_writer_ok (&writer));
      g_assert_cmpmem (buffer, writer.offset, cases[i].bytes, cases[i].size);

      hp_reader_init (&reader, buffer, cases[i].size);
      hp_address_read (&back, &reader);
      g_assert_true (hp_reader_done (&reader));
      g_assert_true (hp_address_equal (&back, &address));

      for (gsize size = 0; size < cases[i].size; size++)
        {
          hp_reader_init (&reader, buffer, size);
          hp_address_read (&back, &reader);
          g_assert_false (hp_reader_ok (&reader));
        }
    }
}

static void
test_wire_refused (void)
{
  guint8 bytes[19] = { 0 };
  HpAddress address;
  HpReader reader;

  for (guint family = 0; family <= G_MAXUINT8; family++)
    {
      bytes[0] = family;
      hp_reader_init (&reader, bytes, sizeof bytes);
      hp_address_read (&address, &reader);
      g_assert_cmpint (hp_reader_ok (&reader), ==,
                       family == 0 || family == 4 || family == 6);
    }

  /* IPv4 must come as IPv4. */
  bytes[0] = HP_ADDRESS_IPV6;
  memset (bytes + 13, 0xff, 2);
  hp_reader_init (&reader, bytes, sizeof bytes);
  hp_address_read (&address, &reader);
  g_assert_false (hp_reader_ok (&reader));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/address/scopes", test_scopes);
  g_test_add_func ("/address/none", test_none);
  g_test_add_func ("/address/text", test_text);
  g_test_add_func ("/address/mapped", test_mapped);
  g_test_add_func ("/address/native", test_native);
  g_test_add_func ("/address/interface-scope", test_interface_scope);
  g_test_add_func ("/address/comparisons", test_comparisons);
  g_test_add_func ("/address/wire", test_wire);
  g_test_add_func ("/address/wire-refused", test_wire_refused);
  return g_test_run ();
}
