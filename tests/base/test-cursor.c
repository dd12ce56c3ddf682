/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/base/hp-cursor.h"

#include <string.h>

/* RFC 9000, appendix A.1 */
static const struct
{
  guint64 value;
  gsize size;
  guint8 bytes[8];
} varints[] = {
  { 151288809941952652, 8,
    { 0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c } },
  { 494878333, 4, { 0x9d, 0x7f, 0x3e, 0x7d } },
  { 15293, 2, { 0x7b, 0xbd } },
  { 37, 1, { 0x25 } },
};

static void
test_varint_vectors (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (varints); i++)
    {
      guint8 buffer[8];
      HpReader reader;
      HpWriter writer;

      hp_reader_init (&reader, varints[i].bytes, varints[i].size);
      g_assert_cmpuint (hp_reader_varint (&reader), ==, varints[i].value);
      g_assert_true (hp_reader_done (&reader));

      hp_writer_init (&writer, buffer, sizeof buffer);
      hp_writer_varint (&writer, varints[i].value);
      g_assert_true (hp_writer_ok (&writer));
      g_assert_cmpmem (buffer, writer.offset, varints[i].bytes,
                       varints[i].size);
      g_assert_cmpuint (hp_varint_size (varints[i].value), ==,
                        varints[i].size);
    }
}

/* A longer form than needed is read all the same (RFC 9000, section 16). */
static void
test_varint_long_form (void)
{
  HpReader reader;

  hp_reader_init (&reader, "\x40\x25", 2);
  g_assert_cmpuint (hp_reader_varint (&reader), ==, 37);
  g_assert_true (hp_reader_done (&reader));
}

static void
test_varint_bounds (void)
{
  static const struct
  {
    guint64 value;
    gsize size;
  } bounds[] = {
    { 0, 1 },
    { 63, 1 },
    { 64, 2 },
    { 16383, 2 },
    { 16384, 4 },
    { (1 << 30) - 1, 4 },
    { 1 << 30, 8 },
    { HP_VARINT_MAX, 8 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (bounds); i++)
    {
      guint8 buffer[8];
      HpReader reader;
      HpWriter writer;

      g_assert_cmpuint (hp_varint_size (bounds[i].value), ==,
                        bounds[i].size);
      hp_writer_init (&writer, buffer, sizeof buffer);
      hp_writer_varint (&writer, bounds[i].value);
      g_assert_cmpuint (writer.offset, ==, bounds[i].size);
      hp_reader_init (&reader, buffer, writer.offset);
      g_assert_cmpuint (hp_reader_varint (&reader), ==, bounds[i].value);
      g_assert_true (hp_reader_done (&reader));

      /* Cut anywhere, it is a failure and zero. */
      for (gsize size = 0; size < bounds[i].size; size++)
        {
          hp_reader_init (&reader, buffer, size);
          g_assert_cmpuint (hp_reader_varint (&reader), ==, 0);
          g_assert_false (hp_reader_ok (&reader));
        }
    }
}

static void
test_integers (void)
{
  static const guint8 expected[]
      = { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0,
          0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 'h',
          'p',  0,    0,    0 };
  guint8 buffer[sizeof expected];
  guint8 copy[2];
  HpReader reader;
  HpWriter writer;

  memset (buffer, 0xff, sizeof buffer);
  hp_writer_init (&writer, buffer, sizeof buffer);
  hp_writer_u8 (&writer, 0x12);
  hp_writer_u16 (&writer, 0x3456);
  hp_writer_u32 (&writer, 0x789abcde);
  hp_writer_u64 (&writer, G_GUINT64_CONSTANT (0xf00123456789abcd));
  hp_writer_bytes (&writer, "hp", 2);
  g_assert_cmpuint (hp_writer_left (&writer), ==, 3);
  hp_writer_zeros (&writer, 3);
  g_assert_true (hp_writer_ok (&writer));
  g_assert_cmpuint (hp_writer_left (&writer), ==, 0);
  g_assert_cmpmem (buffer, writer.offset, expected, sizeof expected);

  hp_reader_init (&reader, buffer, sizeof buffer);
  g_assert_cmpuint (hp_reader_u8 (&reader), ==, 0x12);
  g_assert_cmpuint (hp_reader_u16 (&reader), ==, 0x3456);
  g_assert_cmpuint (hp_reader_u32 (&reader), ==, 0x789abcde);
  g_assert_true (hp_reader_u64 (&reader)
                 == G_GUINT64_CONSTANT (0xf00123456789abcd));
  hp_reader_copy (&reader, copy, 2);
  g_assert_cmpmem (copy, 2, "hp", 2);
  g_assert_false (hp_reader_done (&reader));
  g_assert_cmpuint (hp_reader_left (&reader), ==, 3);
  g_assert_true (hp_reader_bytes (&reader, 3) == buffer + 17);
  g_assert_true (hp_reader_done (&reader));
}

/* After the first step past the end nothing works any more. */
static void
test_reader_sticky (void)
{
  static const guint8 bytes[] = { 1, 2, 3 };
  guint8 copy[4] = { 9, 9, 9, 9 };
  HpReader reader;

  hp_reader_init (&reader, bytes, sizeof bytes);
  g_assert_cmpuint (hp_reader_u8 (&reader), ==, 1);
  g_assert_cmpuint (hp_reader_u32 (&reader), ==, 0);
  g_assert_false (hp_reader_ok (&reader));
  g_assert_cmpuint (hp_reader_left (&reader), ==, 0);
  g_assert_cmpuint (hp_reader_u8 (&reader), ==, 0);
  g_assert_cmpuint (hp_reader_varint (&reader), ==, 0);
  g_assert_null (hp_reader_bytes (&reader, 0));
  g_assert_cmpuint (hp_reader_skip (&reader, 2), ==, 0);
  hp_reader_copy (&reader, copy, sizeof copy);
  g_assert_cmpmem (copy, 4, "\0\0\0\0", 4);
  g_assert_false (hp_reader_done (&reader));
}

static void
test_reader_huge_length (void)
{
  static const guint8 bytes[4] = { 0 };
  HpReader reader;

  hp_reader_init (&reader, bytes, sizeof bytes);
  hp_reader_u8 (&reader);
  g_assert_null (hp_reader_bytes (&reader, G_MAXUINT64));
  g_assert_false (hp_reader_ok (&reader));
  hp_reader_init (&reader, bytes, sizeof bytes);
  hp_reader_u8 (&reader);
  g_assert_null (hp_reader_bytes (&reader, G_MAXUINT64 - 1));
  g_assert_false (hp_reader_ok (&reader));
}

static void
test_reader_empty (void)
{
  HpReader reader;

  hp_reader_init (&reader, NULL, 0);
  g_assert_true (hp_reader_done (&reader));
  g_assert_nonnull (hp_reader_bytes (&reader, 0));
  g_assert_true (hp_reader_done (&reader));
  g_assert_cmpuint (hp_reader_u8 (&reader), ==, 0);
  g_assert_false (hp_reader_ok (&reader));
}

static void
test_reader_skip (void)
{
  static const guint8 bytes[] = { 0, 0, 7, 0 };
  HpReader reader;

  hp_reader_init (&reader, bytes, sizeof bytes);
  g_assert_cmpuint (hp_reader_skip (&reader, 7), ==, 0);
  g_assert_cmpuint (hp_reader_skip (&reader, 0), ==, 2);
  g_assert_cmpuint (hp_reader_u8 (&reader), ==, 7);
  g_assert_cmpuint (hp_reader_skip (&reader, 0), ==, 1);
  g_assert_cmpuint (hp_reader_skip (&reader, 0), ==, 0);
  g_assert_true (hp_reader_done (&reader));
}

/* Never a byte past the capacity, and nothing after the first failure */
static void
test_writer_sticky (void)
{
  guint8 buffer[5] = { 9, 9, 9, 9, 9 };
  HpWriter writer;

  hp_writer_init (&writer, buffer, 3);
  hp_writer_u16 (&writer, 0x0102);
  hp_writer_u16 (&writer, 0x0304);
  g_assert_false (hp_writer_ok (&writer));
  g_assert_cmpuint (hp_writer_left (&writer), ==, 0);
  hp_writer_u8 (&writer, 5);
  hp_writer_zeros (&writer, 1);
  hp_writer_bytes (&writer, "x", 1);
  g_assert_null (hp_writer_reserve (&writer, 0));
  g_assert_cmpuint (writer.offset, ==, 2);
  g_assert_cmpmem (buffer, 5, "\x01\x02\x09\x09\x09", 5);

  hp_writer_init (&writer, buffer, 3);
  hp_writer_u8 (&writer, 1);
  g_assert_null (hp_writer_reserve (&writer, G_MAXSIZE));
  g_assert_false (hp_writer_ok (&writer));
}

static void
test_writer_reserve (void)
{
  guint8 buffer[4] = { 0 };
  HpWriter writer;
  guint8 *room;

  hp_writer_init (&writer, buffer, sizeof buffer);
  hp_writer_u8 (&writer, 1);
  room = hp_writer_reserve (&writer, 2);
  g_assert_true (room == buffer + 1);
  memcpy (room, "ab", 2);
  hp_writer_u8 (&writer, 2);
  g_assert_true (hp_writer_ok (&writer));
  g_assert_cmpmem (buffer, 4, "\x01"
                              "ab\x02",
                   4);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cursor/varint/vectors", test_varint_vectors);
  g_test_add_func ("/cursor/varint/long-form", test_varint_long_form);
  g_test_add_func ("/cursor/varint/bounds", test_varint_bounds);
  g_test_add_func ("/cursor/integers", test_integers);
  g_test_add_func ("/cursor/reader/sticky", test_reader_sticky);
  g_test_add_func ("/cursor/reader/huge-length", test_reader_huge_length);
  g_test_add_func ("/cursor/reader/empty", test_reader_empty);
  g_test_add_func ("/cursor/reader/skip", test_reader_skip);
  g_test_add_func ("/cursor/writer/sticky", test_writer_sticky);
  g_test_add_func ("/cursor/writer/reserve", test_writer_reserve);
  return g_test_run ();
}
