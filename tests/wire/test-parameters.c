/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/wire/hp-parameters.h"

#include "hole-punch/wire/hp-packet.h"
#include "wire-check.h"

static gboolean
parse (HpParameters *parameters, const char *hex)
{
  g_autoptr (GBytes) bytes = hp_unhex (hex);
  gsize length;
  const guint8 *data = g_bytes_get_data (bytes, &length);

  return hp_parameters_parse (parameters, data, length);
}

static void
test_defaults (void)
{
  HpParameters expected = HP_PARAMETERS_INIT;
  HpParameters parameters;
  HpWriter writer;
  guint8 buffer[1];

  g_assert_true (parse (&parameters, ""));
  g_assert_cmpmem (&parameters, sizeof parameters, &expected,
                   sizeof expected);
  hp_writer_init (&writer, buffer, sizeof buffer);
  hp_parameters_write (&expected, &writer);
  g_assert_cmpuint (writer.offset, ==, 0);
}

static void
test_round_trip (void)
{
  for (guint i = 0; i < 1000; i++)
    {
      HpParameters parameters
          = { g_test_rand_int_range (512, 65508),
              (guint64) (guint32) g_test_rand_int ()
                  << g_test_rand_int_range (0, 30),
              (guint64) (guint32) g_test_rand_int ()
                  << g_test_rand_int_range (0, 30),
              (guint64) (guint32) g_test_rand_int ()
                  << g_test_rand_int_range (0, 30),
              g_test_rand_int_range (0, 1 << 24),
              (guint32) g_test_rand_int (), (guint32) g_test_rand_int (),
              (guint32) g_test_rand_int () };
      HpParameters again;
      guint8 buffer[HP_MAX_PARAMETERS_SIZE];
      HpWriter writer;

      hp_writer_init (&writer, buffer, sizeof buffer);
      hp_parameters_write (&parameters, &writer);
      g_assert_true (hp_writer_ok (&writer));
      g_assert_true (hp_parameters_parse (&again, buffer, writer.offset));
      g_assert_cmpmem (&parameters, sizeof parameters, &again,
                       sizeof again);
    }
}

/* Each with its largest value: all fit with room to spare. */
static void
test_largest (void)
{
  HpParameters parameters
      = { HP_DATAGRAM_SIZE_MAX - 1, HP_VARINT_MAX, HP_VARINT_MAX,
          HP_VARINT_MAX, HP_MAX_ACK_DELAY_LIMIT, HP_IDLE_TIMEOUT_LIMIT,
          HP_VARINT_MAX >> 3, HP_VARINT_MAX };
  guint8 buffer[HP_MAX_PARAMETERS_SIZE];
  HpWriter writer;

  hp_writer_init (&writer, buffer, sizeof buffer);
  hp_parameters_write (&parameters, &writer);
  g_assert_true (hp_writer_ok (&writer));
  g_assert_true (hp_check_parameters (buffer, writer.offset));
}

static void
test_unknown_ids (void)
{
  HpParameters parameters;

  /* 3e: three bytes; a four-byte id: nothing; then one that we know */
  g_assert_true (parse (&parameters, "3e 03 aabbcc 80ffffff 00 02 01 05"));
  g_assert_cmpuint (parameters.max_message_size, ==, 5);
  g_assert_cmpuint (parameters.max_ack_delay, ==, 25000);
}

static void
test_malformed (void)
{
  static const char *cases[] = {
    "02",              /* no length */
    "02 01",           /* no value */
    "02 02 05",        /* value cut */
    "02 00",           /* an empty value */
    "02 02 05 00",     /* a value that does not fill its length */
    "02 01 40",        /* a varint that runs past its length */
    "02 01 05 02",     /* cut in the second */
    "02 01 05 02 01 05",       /* twice */
    "3e 00 3e 00",             /* twice, even if unknown */
    "01 02 41ff",              /* datagram size 511 */
    "01 04 8000ffe4",          /* 65508 */
    "05 04 81000000",          /* ACK delay 2^24 µs */
    "06 08 c000000100000000",  /* idle timeout 2^32 ms */
    "07 08 e000000000000000",  /* more streams than there are numbers */
    "02 ffffffffffffffff 00",  /* a length beyond everything */
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      HpParameters parameters;

      g_test_message ("%s", cases[i]);
      g_assert_false (parse (&parameters, cases[i]));
    }
}

static void
test_bounds (void)
{
  HpParameters parameters;

  g_assert_true (parse (&parameters, "01 02 4200"));
  g_assert_cmpuint (parameters.max_datagram_size, ==, 512);
  g_assert_true (parse (&parameters, "01 04 8000ffe3"));
  g_assert_cmpuint (parameters.max_datagram_size, ==, 65507);
  g_assert_true (parse (&parameters, "05 04 80ffffff"));
  g_assert_true (parse (&parameters, "06 08 c0000000ffffffff"));
  g_assert_true (parse (&parameters, "07 08 c7ffffffffffffff"));
}

/* As many as there can be: all ids of one byte that need no value */
static void
test_most (void)
{
  guint8 bytes[HP_MAX_PARAMETERS_SIZE + 1] = { 0 };
  HpParameters parameters;
  gsize length = 0;

  for (guint id = 0; id < 64; id++)
    if (id < 0x01 || id > 0x08)
      {
        bytes[length] = id;
        length += 2;
      }
  g_assert_true (hp_parameters_parse (&parameters, bytes, length));
}

static void
test_too_long (void)
{
  guint8 bytes[HP_MAX_PARAMETERS_SIZE + 1] = { 0x3e, 0x40 };
  HpParameters parameters;

  bytes[2] = HP_MAX_PARAMETERS_SIZE - 3;
  g_assert_true (
      hp_parameters_parse (&parameters, bytes, HP_MAX_PARAMETERS_SIZE));
  bytes[2]++;
  g_assert_false (
      hp_parameters_parse (&parameters, bytes, HP_MAX_PARAMETERS_SIZE + 1));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/parameters/defaults", test_defaults);
  g_test_add_func ("/parameters/round-trip", test_round_trip);
  g_test_add_func ("/parameters/largest", test_largest);
  g_test_add_func ("/parameters/unknown-ids", test_unknown_ids);
  g_test_add_func ("/parameters/malformed", test_malformed);
  g_test_add_func ("/parameters/bounds", test_bounds);
  g_test_add_func ("/parameters/most", test_most);
  g_test_add_func ("/parameters/too-long", test_too_long);
  return g_test_run ();
}
