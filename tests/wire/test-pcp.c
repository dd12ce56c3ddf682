/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/wire/hp-pcp.h"

#include "wire-check.h"

#include <string.h>

static void
assert_bytes (const guint8 *bytes, gsize length, const char *hex)
{
  g_autoptr (GBytes) wanted = hp_unhex (hex);
  gsize size;
  const guint8 *data = g_bytes_get_data (wanted, &size);

  g_assert_cmpmem (bytes, length, data, size);
}

static gboolean
parse (HpPcpAnswer *answer, const char *hex)
{
  g_autoptr (GBytes) bytes = hp_unhex (hex);

  return hp_pcp_parse (answer, g_bytes_get_data (bytes, NULL),
                       g_bytes_get_size (bytes));
}

static void
assert_address (const HpAddress *address, const char *wanted)
{
  g_autofree char *text = hp_address_to_string (address);

  g_assert_cmpstr (text, ==, wanted);
}

static void
init_map (HpPcpMap *map)
{
  memset (map, 0, sizeof *map);
  g_assert_true (hp_address_parse (&map->client, "10.1.0.2:4222"));
  memcpy (map->nonce, "abcdefghijkl", HP_PCP_NONCE_SIZE);
  map->external.port = 5000;
  map->lifetime = 7200;
}

/* Field by field, from the drawings in RFC 6887, sections 7.1 and 11.1 */
static void
test_pcp_request (void)
{
  HpPcpMap map;
  guint8 bytes[HP_PCP_REQUEST_MAX_SIZE];

  init_map (&map);
  assert_bytes (bytes, hp_pcp_write_map (&map, bytes, sizeof bytes),
                "02 01 0000 00001c20"
                "00000000000000000000ffff0a010002"
                "6162636465666768696a6b6c 11 000000 107e 1388"
                "00000000000000000000ffff00000000");
  g_assert_true (hp_address_parse (&map.external, "203.0.113.7:9"));
  assert_bytes (bytes, hp_pcp_write_map (&map, bytes, sizeof bytes),
                "02 01 0000 00001c20"
                "00000000000000000000ffff0a010002"
                "6162636465666768696a6b6c 11 000000 107e 0009"
                "00000000000000000000ffffcb007107");
  for (gsize i = 0; i < HP_PCP_REQUEST_MAX_SIZE; i++)
    g_assert_cmpuint (hp_pcp_write_map (&map, bytes, i), ==, 0);
}

/* RFC 6886, sections 3.2 and 3.3 */
static void
test_nat_pmp_request (void)
{
  HpPcpMap map;
  guint8 bytes[HP_PCP_REQUEST_MAX_SIZE];

  init_map (&map);
  assert_bytes (bytes, hp_nat_pmp_write_address (bytes, sizeof bytes), "0000");
  assert_bytes (bytes, hp_nat_pmp_write_map (&map, bytes, sizeof bytes),
                "00 01 0000 107e 1388 00001c20");
  g_assert_cmpuint (hp_nat_pmp_write_map (&map, bytes, 11), ==, 0);
  g_assert_cmpuint (hp_nat_pmp_write_address (bytes, 1), ==, 0);
}

#define PCP_HEAD "02 81 00 00 00000e10 00000064 000000000000000000000000"
#define PCP_MAP "6162636465666768696a6b6c 11 000000 107e 1388"

static void
test_pcp_answer (void)
{
  HpPcpAnswer answer;

  g_assert_true (parse (&answer, PCP_HEAD PCP_MAP
                        "00000000000000000000ffffcb007107"));
  g_assert_cmpint (answer.version, ==, HP_PCP_VERSION_PCP);
  g_assert_cmpint (answer.opcode, ==, HP_PCP_MAP);
  g_assert_cmpuint (answer.result, ==, HP_PCP_SUCCESS);
  g_assert_cmpuint (answer.lifetime, ==, 3600);
  g_assert_cmpuint (answer.epoch, ==, 100);
  g_assert_cmpmem (answer.nonce, sizeof answer.nonce, "abcdefghijkl", 12);
  g_assert_cmpuint (answer.protocol, ==, HP_PCP_PROTOCOL_UDP);
  g_assert_cmpuint (answer.internal_port, ==, 4222);
  assert_address (&answer.external, "203.0.113.7:5000");
  /* IPv6, and an option that follows */
  g_assert_true (parse (&answer, PCP_HEAD PCP_MAP
                        "20010db8000000000000000000000007 80000000"));
  assert_address (&answer.external, "[2001:db8::7]:5000");
  /* A restart told of */
  g_assert_true (parse (&answer, "02 80 00 00 00000000 00000001"
                                 "000000000000000000000000"));
  g_assert_cmpint (answer.opcode, ==, HP_PCP_ANNOUNCE);
  g_assert_cmpuint (answer.epoch, ==, 1);
  /* A refusal by its head alone */
  g_assert_true (parse (&answer, "02 81 00 08 0000001e 00000064"
                                 "000000000000000000000000"));
  g_assert_cmpuint (answer.result, ==, 8);
  g_assert_cmpuint (answer.lifetime, ==, 30);
}

static void
test_nat_pmp_answer (void)
{
  HpPcpAnswer answer;

  g_assert_true (parse (&answer, "00 80 0000 00000064 cb007107"));
  g_assert_cmpint (answer.version, ==, HP_PCP_VERSION_NAT_PMP);
  g_assert_cmpint (answer.opcode, ==, HP_PCP_ADDRESS);
  g_assert_cmpuint (answer.epoch, ==, 100);
  assert_address (&answer.external, "203.0.113.7");
  g_assert_true (parse (&answer, "00 81 0000 00000065 107e 1388 00000e10"));
  g_assert_cmpint (answer.opcode, ==, HP_PCP_MAP);
  g_assert_cmpuint (answer.internal_port, ==, 4222);
  g_assert_cmpuint (answer.external.port, ==, 5000);
  g_assert_cmpuint (answer.lifetime, ==, 3600);
  g_assert_true (parse (&answer, "00 81 0001 00000065"));
  g_assert_cmpuint (answer.result, ==, HP_PCP_UNSUPPORTED_VERSION);
}

static void
test_wrong (void)
{
  static const char *const wrong[] = {
    "01 81 0000 00000065 107e 1388 00000e10", /* no such version */
    "00 01 0000 00000065 107e 1388 00000e10", /* a request */
    "00 82 0000 00000065 107e 1388 00000e10", /* TCP */
    "02 01 00 00 00000e10 00000064 000000000000000000000000" PCP_MAP
    "00000000000000000000ffffcb007107",
    "02 82 00 00 00000e10 00000064 000000000000000000000000" PCP_MAP
    "00000000000000000000ffffcb007107", /* PEER */
    PCP_HEAD PCP_MAP "00000000000000000000ffffcb007107 00",
    PCP_HEAD,
    "00 80 0000 00000064",
  };
  HpPcpAnswer answer;
  g_autofree guint8 *large = g_malloc0 (HP_PCP_ANSWER_MAX_SIZE + 4);

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    if (parse (&answer, wrong[i]))
      g_error ("taken: %s", wrong[i]);
  large[0] = 2;
  large[1] = 0x80;
  g_assert_true (hp_pcp_parse (&answer, large, HP_PCP_ANSWER_MAX_SIZE));
  g_assert_false (hp_pcp_parse (&answer, large, HP_PCP_ANSWER_MAX_SIZE + 4));
}

/* Cut off anywhere */
static void
test_short (void)
{
  static const char *const whole[] = {
    PCP_HEAD PCP_MAP "00000000000000000000ffffcb007107",
    "00 80 0000 00000064 cb007107",
    "00 81 0000 00000065 107e 1388 00000e10",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (whole); i++)
    {
      g_autoptr (GBytes) bytes = hp_unhex (whole[i]);
      gsize length = g_bytes_get_size (bytes);
      HpPcpAnswer answer;

      for (gsize k = 0; k < length; k++)
        {
          g_autofree guint8 *part
              = g_memdup2 (g_bytes_get_data (bytes, NULL), k);

          g_assert_false (hp_pcp_parse (&answer, part, k));
        }
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pcp/pcp-request", test_pcp_request);
  g_test_add_func ("/pcp/nat-pmp-request", test_nat_pmp_request);
  g_test_add_func ("/pcp/pcp-answer", test_pcp_answer);
  g_test_add_func ("/pcp/nat-pmp-answer", test_nat_pmp_answer);
  g_test_add_func ("/pcp/wrong", test_wrong);
  g_test_add_func ("/pcp/short", test_short);
  return g_test_run ();
}
