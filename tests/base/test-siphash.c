/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/base/hp-siphash.h"

/* 00 01 … 0f */
static const HpSipKey counting = { { G_GUINT64_CONSTANT (0x0706050403020100),
                                     G_GUINT64_CONSTANT (
                                         0x0f0e0d0c0b0a0908) } };

/* The paper's appendix A, and the first of the authors' list of vectors */
static void
test_vectors (void)
{
  guint8 message[15];

  for (guint i = 0; i < sizeof message; i++)
    message[i] = i;
  g_assert_cmphex (hp_siphash (&counting, message, 15), ==,
                   G_GUINT64_CONSTANT (0xa129ca6149be45e5));
  g_assert_cmphex (hp_siphash (&counting, message, 0), ==,
                   G_GUINT64_CONSTANT (0x726fdb47dd0e0e31));
  g_assert_cmphex (hp_siphash (&counting, message, 1), ==,
                   G_GUINT64_CONSTANT (0x74f839c593dc67fd));
  g_assert_cmphex (hp_siphash (&counting, message, 8), ==,
                   G_GUINT64_CONSTANT (0x93f5f5799a932462));
}

/* Every byte and the length count, wherever the bytes are. */
static void
test_sensitive (void)
{
  guint8 message[33] = { 0 };

  for (guint length = 0; length <= 32; length++)
    {
      guint64 hash = hp_siphash (&counting, message, length);

      g_assert_cmphex (hp_siphash (&counting, message, length + 1), !=, hash);
      g_assert_cmphex (hp_siphash (&counting, message + 1, length), ==, hash);
      for (guint i = 0; i < length; i++)
        {
          message[i] = 0x80;
          g_assert_cmphex (hp_siphash (&counting, message, length), !=, hash);
          message[i] = 0;
        }
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/siphash/vectors", test_vectors);
  g_test_add_func ("/siphash/sensitive", test_sensitive);
  return g_test_run ();
}
