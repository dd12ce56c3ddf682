/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "wire-check.h"
#include "wire-samples.h"

#include <string.h>

/* A sample by its name, which must be there */
static void
get_sample (HpSample *sample, const char *name)
{
  for (guint i = 0; i < hp_samples_get_count (); i++)
    {
      hp_samples_get (i, sample);
      if (sample->kind == HP_SAMPLE_PACKET && g_str_equal (sample->name, name))
        return;
    }
  g_assert_not_reached ();
}

static void
test_classify (void)
{
  for (guint first = 0; first <= G_MAXUINT8; first++)
    {
      guint8 byte = first;
      HpPacketClass class = hp_packet_classify (&byte, 1);

      if (first <= 3)
        g_assert_cmpint (class, ==, HP_PACKET_CLASS_STUN);
      else if (first >= 0x40 && first <= 0x4f)
        g_assert_cmpint (class, ==, HP_PACKET_CLASS_TURN);
      else if (first >= 0xb0 && first <= 0xb7)
        g_assert_cmpint (class, ==, HP_PACKET_CLASS_OURS);
      else
        g_assert_cmpint (class, ==, HP_PACKET_CLASS_OTHER);
    }
  g_assert_cmpint (hp_packet_classify (NULL, 0), ==, HP_PACKET_CLASS_OTHER);
}

static void
test_hello (void)
{
  HpSample sample;
  HpHello hello;

  get_sample (&sample, "hello");
  g_assert_cmpuint (sample.length, ==, HP_HELLO_MIN_SIZE);
  g_assert_true (
      hp_packet_parse_hello (&hello, sample.bytes, sample.length));
  g_assert_cmpuint (hello.version, ==, HP_PROTOCOL_VERSION);
  g_assert_cmpuint (hello.mac_length, ==, 12);
  g_assert_cmpmem (hello.transaction, 8, sample.bytes + 4, 8);
  g_assert_cmpmem (hello.proof, 16, sample.bytes + 12, 16);

  /* Longer is fine, and what it is padded with is ignored; shorter is not. */
  memset (sample.bytes + 28, 0xff, 200);
  g_assert_true (hp_packet_parse_hello (&hello, sample.bytes, 228));
  for (gsize length = 0; length < HP_HELLO_MIN_SIZE; length++)
    g_assert_false (hp_packet_parse_hello (&hello, sample.bytes, length));
}

static void
test_cookie (void)
{
  HpSample sample;
  HpCookiePacket cookie;

  get_sample (&sample, "cookie");
  g_assert_cmpuint (sample.length, ==, 68);
  g_assert_true (
      hp_packet_parse_cookie (&cookie, sample.bytes, sample.length));
  g_assert_cmpuint (cookie.version, ==, HP_PROTOCOL_VERSION);
  g_assert_cmpuint (cookie.suites, ==, 6);
  g_assert_true (cookie.has_public_key);
  g_assert_cmpmem (cookie.cookie, 16, sample.bytes + 12, 16);
  g_assert_cmpmem (cookie.public_key, 32, sample.bytes + 29, 32);
  g_assert_cmpuint (cookie.observed.port, ==, 40000);

  /* A boolean is 0 or 1, and there is nothing after the address. */
  sample.bytes[28] = 2;
  g_assert_false (
      hp_packet_parse_cookie (&cookie, sample.bytes, sample.length));
  sample.bytes[28] = 1;
  g_assert_false (
      hp_packet_parse_cookie (&cookie, sample.bytes, sample.length + 1));

  get_sample (&sample, "cookie-of-peer");
  g_assert_true (
      hp_packet_parse_cookie (&cookie, sample.bytes, sample.length));
  g_assert_false (cookie.has_public_key);
  g_assert_cmpuint (cookie.observed.family, ==, HP_ADDRESS_IPV6);
}

/* The largest COOKIE is no longer than the smallest HELLO. */
static void
test_cookie_does_not_amplify (void)
{
  HpCookiePacket cookie = { .has_public_key = TRUE,
                            .observed = { .family = HP_ADDRESS_IPV6 } };
  guint8 buffer[HP_HELLO_MIN_SIZE];
  HpWriter writer;

  hp_writer_init (&writer, buffer, sizeof buffer);
  hp_packet_write_cookie (&cookie, &writer);
  g_assert_true (hp_writer_ok (&writer));
}

static void
test_initiation (void)
{
  HpSample sample;
  HpInitiation initiation;

  get_sample (&sample, "initiation");
  g_assert_true (hp_packet_parse_initiation (&initiation, sample.bytes,
                                             sample.length));
  g_assert_cmpuint (initiation.version, ==, HP_PROTOCOL_VERSION);
  g_assert_cmpuint (initiation.suite, ==, HP_SUITE_CHACHA_POLY);
  g_assert_cmpuint (initiation.sender_index, ==, 0x01020304);
  g_assert_cmphex (initiation.ticket_number, ==,
                   G_GUINT64_CONSTANT (0xa0a1a2a3a4a5a6a7));
  g_assert_true (initiation.noise == sample.bytes + 16);
  g_assert_cmpuint (initiation.noise_length, ==, HP_NOISE_1_OVERHEAD + 8);
  g_assert_cmpuint (initiation.core_length, ==, 16 + 96 + 8);
  g_assert_cmpuint (initiation.mac_length, ==, sample.length - 16);
  g_assert_cmpuint (initiation.token[0], ==, 0xc0);
  g_assert_cmpuint (initiation.mac[0], ==, 0xe0);
}

static void
test_response (void)
{
  HpSample sample;
  HpResponse response;
  guint32 receiver;

  get_sample (&sample, "response");
  g_assert_true (
      hp_packet_parse_response (&response, sample.bytes, sample.length));
  g_assert_cmpuint (response.version, ==, HP_PROTOCOL_VERSION);
  g_assert_cmpuint (response.suite, ==, HP_SUITE_CHACHA_POLY);
  g_assert_cmpuint (response.sender_index, ==, 0x05060708);
  g_assert_cmpuint (response.receiver_index, ==, 0x01020304);
  g_assert_true (response.noise == sample.bytes + 12);
  g_assert_cmpuint (response.noise_length, ==, HP_NOISE_2_OVERHEAD + 8);
  g_assert_cmpuint (response.core_length, ==, 12 + 48 + 8);
  g_assert_cmpuint (response.mac_length, ==, sample.length - 16);
  g_assert_cmpuint (response.echoed_token[0], ==, 0xc0);
  g_assert_cmpuint (response.own_token[0], ==, 0xc8);
  g_assert_cmpuint (response.mac[0], ==, 0xe0);

  g_assert_true (
      hp_packet_get_receiver (sample.bytes, sample.length, &receiver));
  g_assert_cmpuint (receiver, ==, 0x01020304);
  g_assert_false (hp_packet_get_receiver (sample.bytes, 11, &receiver));
}

/* Of the smallest and largest size, and one byte beyond either */
static void
test_handshake_sizes (void)
{
  guint8 bytes[HP_INITIATION_MAX_SIZE + 1] = { HP_PACKET_INITIATION };
  HpInitiation initiation;
  HpResponse response;

  for (gsize length = 0; length <= sizeof bytes; length++)
    g_assert_cmpint (hp_packet_parse_initiation (&initiation, bytes, length),
                     ==, length >= 136 && length <= 264);
  bytes[0] = HP_PACKET_RESPONSE;
  for (gsize length = 0; length <= sizeof bytes; length++)
    g_assert_cmpint (hp_packet_parse_response (&response, bytes, length), ==,
                     length >= 92 && length <= 220);
}

static void
test_data (void)
{
  for (guint phase = 0; phase <= 1; phase++)
    {
      HpSample sample;
      HpDataHeader data;
      guint32 receiver;

      get_sample (&sample, phase == 0 ? "data-0" : "data-1");
      g_assert_true (
          hp_packet_parse_data (&data, sample.bytes, sample.length));
      g_assert_cmpuint (data.key_phase, ==, phase);
      g_assert_cmpuint (data.receiver_index, ==, 0x05060708);
      g_assert_cmphex (data.number, ==, 0x1122334455667788);
      g_assert_true (
          hp_packet_get_receiver (sample.bytes, sample.length, &receiver));
      g_assert_cmpuint (receiver, ==, 0x05060708);

      g_assert_true (
          hp_packet_parse_data (&data, sample.bytes, HP_DATA_OVERHEAD));
      g_assert_false (
          hp_packet_parse_data (&data, sample.bytes, HP_DATA_OVERHEAD - 1));
      /* The largest number, and one that no ACK could name */
      memset (sample.bytes + 5, 0xff, 8);
      sample.bytes[5] = 0x3f;
      sample.bytes[12] = 0xfe;
      g_assert_true (
          hp_packet_parse_data (&data, sample.bytes, sample.length));
      g_assert_cmphex (data.number, ==, HP_VARINT_MAX - 1);
      sample.bytes[12] = 0xff;
      g_assert_false (
          hp_packet_parse_data (&data, sample.bytes, sample.length));
    }
}

static void
test_probe (void)
{
  HpSample sample;
  HpProbe probe;

  get_sample (&sample, "probe");
  g_assert_cmpuint (sample.length, ==, HP_PROBE_SIZE);
  g_assert_true (
      hp_packet_parse_probe (&probe, sample.bytes, sample.length));
  g_assert_cmpuint (probe.version, ==, HP_PROTOCOL_VERSION);
  g_assert_cmphex (probe.ticket_number, ==,
                   G_GUINT64_CONSTANT (0xa0a1a2a3a4a5a6a7));
  g_assert_cmpuint (probe.mac_length, ==, 12);
  g_assert_cmpuint (probe.mac[15], ==, 0xef);
  g_assert_false (
      hp_packet_parse_probe (&probe, sample.bytes, sample.length - 1));
  g_assert_false (
      hp_packet_parse_probe (&probe, sample.bytes, sample.length + 1));
}

static void
test_unknown (void)
{
  HpSample sample;
  HpUnknown unknown;
  guint32 receiver;

  get_sample (&sample, "unknown");
  g_assert_cmpuint (sample.length, ==, HP_UNKNOWN_SIZE);
  /* Smaller than any DATA, so that it never amplifies */
  g_assert_cmpuint (sample.length, <, HP_DATA_OVERHEAD);
  g_assert_true (
      hp_packet_parse_unknown (&unknown, sample.bytes, sample.length));
  g_assert_cmpuint (unknown.receiver_index, ==, 0x05060708);
  g_assert_cmphex (unknown.number, ==, 0x1122334455667788);
  g_assert_false (
      hp_packet_parse_unknown (&unknown, sample.bytes, sample.length - 1));
  g_assert_false (
      hp_packet_parse_unknown (&unknown, sample.bytes, sample.length + 1));
  g_assert_false (
      hp_packet_get_receiver (sample.bytes, sample.length, &receiver));
}

/* Written as zeros, ignored when read */
static void
test_reserved (void)
{
  static const struct
  {
    const char *name;
    gsize from;
    gsize to;
  } reserved[] = {
    { "hello", 2, 4 },   { "initiation", 3, 4 }, { "response", 3, 4 },
    { "probe", 2, 4 },   { "unknown", 1, 4 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (reserved); i++)
    for (gsize at = reserved[i].from; at < reserved[i].to; at++)
      {
        HpSample sample;

        get_sample (&sample, reserved[i].name);
        g_assert_cmpuint (sample.bytes[at], ==, 0);
        sample.bytes[at] = 0xff;
        g_assert_true (hp_check_packet (sample.bytes, sample.length));
      }
}

/* A parser takes its own type of datagram only. */
static void
test_types (void)
{
  guint8 bytes[256] = { 0 };
  HpHello hello;
  HpCookiePacket cookie;
  HpInitiation initiation;
  HpResponse response;
  HpDataHeader data;
  HpProbe probe;
  HpUnknown unknown;

  for (guint type = 0; type <= G_MAXUINT8; type++)
    {
      bytes[0] = type;
      g_assert_cmpint (hp_packet_parse_hello (&hello, bytes, 128), ==,
                       type == 0xb0);
      g_assert_cmpint (hp_packet_parse_cookie (&cookie, bytes, 30), ==,
                       type == 0xb1);
      g_assert_cmpint (hp_packet_parse_initiation (&initiation, bytes, 150),
                       ==, type == 0xb2);
      g_assert_cmpint (hp_packet_parse_response (&response, bytes, 150), ==,
                       type == 0xb3);
      g_assert_cmpint (hp_packet_parse_data (&data, bytes, 150), ==,
                       type == 0xb4 || type == 0xb5);
      g_assert_cmpint (hp_packet_parse_probe (&probe, bytes, 28), ==,
                       type == 0xb6);
      g_assert_cmpint (hp_packet_parse_unknown (&unknown, bytes, 16), ==,
                       type == 0xb7);
    }
}

/* Another version parses as this one does: refusing it is not for here. */
static void
test_other_version (void)
{
  static const char *names[]
      = { "hello", "cookie", "initiation", "response", "probe" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      HpSample sample;

      get_sample (&sample, names[i]);
      sample.bytes[1] = 77;
      g_assert_true (hp_check_packet (sample.bytes, sample.length));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/packet/classify", test_classify);
  g_test_add_func ("/packet/hello", test_hello);
  g_test_add_func ("/packet/cookie", test_cookie);
  g_test_add_func ("/packet/cookie/does-not-amplify",
                   test_cookie_does_not_amplify);
  g_test_add_func ("/packet/initiation", test_initiation);
  g_test_add_func ("/packet/response", test_response);
  g_test_add_func ("/packet/handshake-sizes", test_handshake_sizes);
  g_test_add_func ("/packet/data", test_data);
  g_test_add_func ("/packet/probe", test_probe);
  g_test_add_func ("/packet/unknown", test_unknown);
  g_test_add_func ("/packet/reserved", test_reserved);
  g_test_add_func ("/packet/types", test_types);
  g_test_add_func ("/packet/other-version", test_other_version);
  return g_test_run ();
}
