/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/wire/hp-stun.h"

#include "wire-check.h"

#include <string.h>

static const guint8 transaction[HP_STUN_TRANSACTION_SIZE]
    = { 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34,
        0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae };

/* RFC 5769, section 2.1: a request of ICE */
#define RFC_REQUEST                                                           \
  "00010058 2112a442 b7e7a701bc34d686fa87dfae"                                \
  "80220010 5354554e207465737420636c69656e74"                                 \
  "00240004 6e0001ff 80290008 932ff9b151263b36"                               \
  "00060009 6576746a3a68367659202020"                                         \
  "00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"                         \
  "80280004 e57a3bcf"
/* Section 2.2: a response with an IPv4 address */
#define RFC_RESPONSE_IPV4                                                     \
  "0101003c 2112a442 b7e7a701bc34d686fa87dfae"                                \
  "8022000b 7465737420766563746f7220 00200008 0001a147e112a643"               \
  "00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7"                         \
  "80280004 c07d4c96"
/* Section 2.3: the same with an IPv6 address */
#define RFC_RESPONSE_IPV6                                                     \
  "01010048 2112a442 b7e7a701bc34d686fa87dfae"                                \
  "8022000b 7465737420766563746f7220"                                         \
  "00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9"                         \
  "00080014 a382954e4be67bf11784c97c8292c275bfe3ed41"                         \
  "80280004 c8fb0b4c"
/* Section 2.4: a request with long-term credentials */
#define RFC_REQUEST_LONG_TERM                                                 \
  "00010060 2112a442 78ad3433c6ad72c029da412e"                                \
  "00060012 e3839ee38388e383aae38383e382afe382b9 0000"                        \
  "0015001c 662f2f3439396b3935346436 4f4c33346f4c39465354767936347341"        \
  "0014000b 6578616d706c652e6f726700"                                         \
  "00080014 f67024656dd64a3e02b8e0712e85c9a28ca89666"

#define HEADER "2112a442 b7e7a701bc34d686fa87dfae"

static HpAddress
parse_address (const char *text)
{
  HpAddress address;

  g_assert_true (hp_address_parse (&address, text));
  return address;
}

static gboolean
consume (const char *hex, HpAddress *mapped)
{
  g_autoptr (GBytes) bytes = hp_unhex (hex);
  gsize length;
  const guint8 *data = g_bytes_get_data (bytes, &length);

  return hp_stun_consume_response (transaction, data, length, mapped);
}

static gsize
respond (const char *hex, guint8 buffer[HP_STUN_MAX_SIZE])
{
  g_autoptr (GBytes) bytes = hp_unhex (hex);
  HpAddress from = parse_address ("192.0.2.1:32853");
  gsize length;
  const guint8 *data = g_bytes_get_data (bytes, &length);

  return hp_stun_create_response (data, length, &from, NULL, buffer,
                                  HP_STUN_MAX_SIZE);
}

static void
test_rfc_responses (void)
{
  HpAddress ipv4 = parse_address ("192.0.2.1:32853");
  HpAddress ipv6
      = parse_address ("[2001:db8:1234:5678:11:2233:4455:6677]:32853");
  HpAddress mapped;

  g_assert_true (consume (RFC_RESPONSE_IPV4, &mapped));
  g_assert_true (hp_address_equal (&mapped, &ipv4));
  g_assert_true (consume (RFC_RESPONSE_IPV6, &mapped));
  g_assert_true (hp_address_equal (&mapped, &ipv6));
}

static void
assert_error_420 (const guint8 *bytes, gsize length, const char *unknown_hex)
{
  g_autoptr (GBytes) unknown = hp_unhex (unknown_hex);
  HpReader reader;
  gboolean has_code = FALSE;
  gboolean has_unknown = FALSE;

  hp_reader_init (&reader, bytes, length);
  g_assert_cmphex (hp_reader_u16 (&reader), ==, 0x0111);
  g_assert_cmpuint (hp_reader_u16 (&reader), ==, length - 20);
  hp_reader_bytes (&reader, 16);
  while (hp_reader_left (&reader) > 0)
    {
      guint16 type = hp_reader_u16 (&reader);
      guint16 size = hp_reader_u16 (&reader);
      const guint8 *value = hp_reader_bytes (&reader, size);

      g_assert_nonnull (value);
      if (type == 0x0009)
        {
          g_assert_cmpmem (value, 4, "\0\0\4\x14", 4);
          has_code = TRUE;
        }
      else
        {
          g_assert_cmphex (type, ==, 0x000a);
          g_assert_cmpmem (value, size, g_bytes_get_data (unknown, NULL),
                           g_bytes_get_size (unknown));
          has_unknown = TRUE;
        }
      hp_reader_bytes (&reader, (4 - size % 4) % 4);
    }
  g_assert_true (hp_reader_done (&reader));
  g_assert_true (has_code && has_unknown);
}

/* Credentials are passed over, but PRIORITY must be understood, and is not. */
static void
test_rfc_requests (void)
{
  guint8 buffer[HP_STUN_MAX_SIZE];
  gsize length = respond (RFC_REQUEST, buffer);

  assert_error_420 (buffer, length, "0024");
  length = respond (RFC_REQUEST_LONG_TERM, buffer);
  g_assert_cmpuint (length, ==, 32);
  g_assert_cmpmem (buffer, 2, "\x01\x01", 2);
}

static void
test_request (void)
{
  g_autoptr (GBytes) expected = hp_unhex ("00010000" HEADER);
  guint8 buffer[20];
  gsize length
      = hp_stun_create_request (transaction, buffer, sizeof buffer);

  g_assert_cmpmem (buffer, length, g_bytes_get_data (expected, NULL), 20);
  for (gsize capacity = 0; capacity < 20; capacity++)
    g_assert_cmpuint (
        hp_stun_create_request (transaction, buffer, capacity), ==, 0);
}

static void
test_round_trip (void)
{
  static const char *froms[]
      = { "192.0.2.7:40000", "[2001:db8::99]:1", "10.255.0.33:65535" };
  static const char *others[]
      = { NULL, "192.0.2.8:4223", "[2001:db8::1]:4223" };
  guint8 request[20];

  g_assert_cmpuint (
      hp_stun_create_request (transaction, request, sizeof request), ==, 20);
  for (guint i = 0; i < G_N_ELEMENTS (froms); i++)
    for (guint j = 0; j < G_N_ELEMENTS (others); j++)
      {
        HpAddress from = parse_address (froms[i]);
        HpAddress other = { 0 };
        HpAddress mapped;
        guint8 response[HP_STUN_MAX_SIZE];
        gsize length;

        if (others[j] != NULL)
          other = parse_address (others[j]);
        length = hp_stun_create_response (request, sizeof request, &from,
                                          others[j] != NULL ? &other : NULL,
                                          response, sizeof response);
        g_assert_cmpuint (length, >=, 32);
        g_assert_true (hp_stun_consume_response (transaction, response,
                                                 length, &mapped));
        g_assert_true (hp_address_equal (&mapped, &from));
        /* Nor does a cut one pass, nor is one written without room. */
        for (gsize size = 0; size < length; size++)
          {
            g_assert_false (hp_stun_consume_response (transaction, response,
                                                      size, &mapped));
            g_assert_cmpuint (
                hp_stun_create_response (request, sizeof request, &from,
                                         others[j] != NULL ? &other : NULL,
                                         response, size),
                ==, 0);
          }
      }
}

/* XOR-MAPPED-ADDRESS and OTHER-ADDRESS, and nothing else that would make it
 * any larger */
static void
test_response_layout (void)
{
  g_autoptr (GBytes) expected
      = hp_unhex ("01010018" HEADER "00200008 0001a147e112a643"
                  "802c0008 0001107fc0000208");
  HpAddress from = parse_address ("192.0.2.1:32853");
  HpAddress other = parse_address ("192.0.2.8:4223");
  guint8 request[20];
  guint8 response[HP_STUN_MAX_SIZE];
  gsize length;

  hp_stun_create_request (transaction, request, sizeof request);
  length = hp_stun_create_response (request, sizeof request, &from, &other,
                                    response, sizeof response);
  g_assert_cmpmem (response, length, g_bytes_get_data (expected, NULL),
                   g_bytes_get_size (expected));
}

/* A client finds OTHER-ADDRESS, and does without. */
static void
test_other_address (void)
{
  HpAddress from = parse_address ("192.0.2.1:32853");
  HpAddress other = parse_address ("[2001:db8::7]:4223");
  guint8 request[20];
  guint8 response[HP_STUN_MAX_SIZE];
  HpAddress mapped;
  HpAddress found;
  gsize length;

  hp_stun_create_request (transaction, request, sizeof request);
  length = hp_stun_create_response (request, sizeof request, &from, &other,
                                    response, sizeof response);
  g_assert_true (hp_stun_consume_answer (transaction, response, length,
                                         &mapped, &found));
  g_assert_true (hp_address_equal (&mapped, &from));
  g_assert_true (hp_address_equal (&found, &other));

  length = hp_stun_create_response (request, sizeof request, &from, NULL,
                                    response, sizeof response);
  g_assert_true (hp_stun_consume_answer (transaction, response, length,
                                         &mapped, &found));
  g_assert_cmpuint (found.family, ==, HP_ADDRESS_NONE);

  /* Where nobody can be asked: port 0 */
  other.port = 0;
  length = hp_stun_create_response (request, sizeof request, &from, &other,
                                    response, sizeof response);
  g_assert_true (hp_stun_consume_answer (transaction, response, length,
                                         &mapped, &found));
  g_assert_cmpuint (found.family, ==, HP_ADDRESS_NONE);
}

static void
test_change_request (void)
{
  guint8 buffer[HP_STUN_MAX_SIZE];
  gsize length
      = respond ("00010008" HEADER "00030004 00000006", buffer);
  HpAddress mapped;

  assert_error_420 (buffer, length, "0003");
  g_assert_false (
      hp_stun_consume_response (transaction, buffer, length, &mapped));
}

static void
test_unknown_attributes (void)
{
  guint8 buffer[HP_STUN_MAX_SIZE];
  gsize length;

  /* RESPONSE-PORT (RFC 5780) would have us answer to another port. */
  length = respond ("00010010" HEADER "00270004 10000000 7fff0000 80ff0000",
                    buffer);
  assert_error_420 (buffer, length, "0027 7fff");
  /* What need not be understood is not. */
  length = respond ("0001000c" HEADER "80220003 61626300 c0010000", buffer);
  g_assert_cmpuint (length, ==, 32);
}

static void
test_not_requests (void)
{
  static const char *cases[] = {
    "",
    "00",
    "00010000 2112a442 b7e7a701bc34d686fa87df",       /* cut */
    "00010000 2112a443 b7e7a701bc34d686fa87dfae",     /* no cookie */
    "00010004" HEADER,                                /* cut attribute */
    "00010000" HEADER "00",                           /* trailing byte */
    "00010000" HEADER "80220000",                     /* more than told */
    "00010003" HEADER "802200",                       /* odd length */
    "00010004" HEADER "80220001",                     /* value past end */
    "00110000" HEADER,                                /* an indication */
    "01010000" HEADER,                                /* a response */
    "01110000" HEADER,                                /* an error */
    "00030000" HEADER,                                /* Allocate */
    "40010000" HEADER,                                /* not STUN */
  };
  guint8 buffer[HP_STUN_MAX_SIZE];

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_test_message ("%s", cases[i]);
      g_assert_cmpuint (respond (cases[i], buffer), ==, 0);
    }
}

static void
test_not_responses (void)
{
  static const char *cases[] = {
    "",
    "00010000" HEADER,
    /* no address */
    "01010000" HEADER,
    /* another transaction */
    "0101000c 2112a442 b7e7a701bc34d686fa87dfaf 00200008 0001a147e112a643",
    /* an error, another method, an indication */
    "0111000c" HEADER "00200008 0001a147e112a643",
    "0103000c" HEADER "00200008 0001a147e112a643",
    "0011000c" HEADER "00200008 0001a147e112a643",
    /* something that must be understood besides */
    "01010010" HEADER "00200008 0001a147e112a643 7fff0000",
    /* an unknown family, a size that is not the family's */
    "0101000c" HEADER "00200008 0003a147e112a643",
    "01010008" HEADER "00200004 0001a147",
    "0101000c" HEADER "00200008 0002a147e112a643",
    /* port 0; a multicast address, 224.0.0.1 */
    "0101000c" HEADER "00200008 00012112e112a643",
    "0101000c" HEADER "00200008 0001a147c112a443",
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      HpAddress mapped;

      g_test_message ("%s", cases[i]);
      g_assert_false (consume (cases[i], &mapped));
    }
}

/* What servers of RFC 3489 add must not make their response worthless. */
static void
test_old_server (void)
{
  HpAddress expected = parse_address ("192.0.2.1:32853");
  HpAddress mapped;

  g_assert_true (consume ("01010030" HEADER "00010008 00018055c0000201"
                          "00040008 00010d96c0000208"
                          "00050008 00010d97c0000209"
                          "00200008 0001a147e112a643",
                          &mapped));
  g_assert_true (hp_address_equal (&mapped, &expected));
}

static void
test_indication (void)
{
  static const char *others[] = {
    "00010000" HEADER, /* a request */
    "01010000" HEADER, /* a response */
    "00160000" HEADER, /* another indication (Send, RFC 8656) */
    "00110000 2112a443 b7e7a701bc34d686fa87dfae",
    "00110004" HEADER,
    "00110008" HEADER "00030004 00000006",
  };
  guint8 buffer[HP_STUN_MAX_SIZE];
  guint8 again[HP_STUN_TRANSACTION_SIZE];
  gsize length
      = hp_stun_create_indication (transaction, buffer, sizeof buffer);
  g_autoptr (GBytes) expected = hp_unhex ("00110000" HEADER);

  g_assert_cmpmem (buffer, length, g_bytes_get_data (expected, NULL),
                   g_bytes_get_size (expected));
  g_assert_true (hp_stun_consume_indication (again, buffer, length));
  g_assert_cmpmem (again, sizeof again, transaction, sizeof transaction);
  /* Nobody answers one. */
  g_assert_cmpuint (respond ("00110000" HEADER, buffer), ==, 0);
  g_assert_cmpuint (hp_stun_create_indication (transaction, buffer, 19), ==,
                    0);
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    {
      g_autoptr (GBytes) other = hp_unhex (others[i]);
      gsize size;
      const guint8 *bytes = g_bytes_get_data (other, &size);

      g_assert_false (hp_stun_consume_indication (again, bytes, size));
    }
}

static void
test_robustness (void)
{
  static const char *seeds[] = {
    RFC_REQUEST,
    RFC_RESPONSE_IPV4,
    RFC_RESPONSE_IPV6,
    RFC_REQUEST_LONG_TERM,
    /* One text each, which clang is told by the parentheses */
    ("00010008" HEADER "00030004 00000006"),
    ("00110000" HEADER),
  };

  for (guint i = 0; i < G_N_ELEMENTS (seeds); i++)
    {
      g_autoptr (GBytes) seed = hp_unhex (seeds[i]);
      gsize length;
      const guint8 *data = g_bytes_get_data (seed, &length);

      g_assert_true (hp_check_stun (data, length));
      for (gsize size = 0; size < length; size++)
        {
          g_autofree guint8 *cut = g_malloc (MAX (size, 1));

          memcpy (cut, data, size);
          g_assert_false (hp_check_stun (cut, size));
        }
      for (guint round = 0; round < 8 * length + 5000; round++)
        {
          g_autofree guint8 *copy = g_memdup2 (data, length);

          if (round < 8 * length)
            copy[round / 8] ^= 1 << round % 8;
          else
            for (guint n = g_test_rand_int_range (1, 6); n > 0; n--)
              copy[g_test_rand_int_range (0, length)]
                  = g_test_rand_int_range (0, 256);
          (void) hp_check_stun (copy, length);
        }
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/stun/rfc5769/responses", test_rfc_responses);
  g_test_add_func ("/stun/rfc5769/requests", test_rfc_requests);
  g_test_add_func ("/stun/request", test_request);
  g_test_add_func ("/stun/round-trip", test_round_trip);
  g_test_add_func ("/stun/response-layout", test_response_layout);
  g_test_add_func ("/stun/other-address", test_other_address);
  g_test_add_func ("/stun/change-request", test_change_request);
  g_test_add_func ("/stun/unknown-attributes", test_unknown_attributes);
  g_test_add_func ("/stun/not-requests", test_not_requests);
  g_test_add_func ("/stun/not-responses", test_not_responses);
  g_test_add_func ("/stun/old-server", test_old_server);
  g_test_add_func ("/stun/indication", test_indication);
  g_test_add_func ("/stun/robustness", test_robustness);
  return g_test_run ();
}
