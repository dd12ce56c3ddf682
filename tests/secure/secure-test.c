/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tests/secure/secure-test.h"

#include <string.h>

const HpSuite secure_test_suites[2]
    = { HP_SUITE_AES_GCM, HP_SUITE_CHACHA_POLY };

static void
fill_from_seed (gpointer user_data, guint8 *bytes, gsize length)
{
  guint64 *seed = user_data;

  for (gsize i = 0; i < length; i++)
    {
      *seed = *seed * G_GUINT64_CONSTANT (6364136223846793005)
              + G_GUINT64_CONSTANT (1442695040888963407);
      bytes[i] = *seed >> 56;
    }
}

HpRandom
secure_test_random (guint64 *seed)
{
  return (HpRandom){ fill_from_seed, seed };
}

static void
fill_fixed (gpointer user_data, guint8 *bytes, gsize length)
{
  g_assert_cmpuint (length, ==, HP_KEY_SIZE);
  memcpy (bytes, user_data, length);
}

HpRandom
secure_test_fixed_random (guint8 bytes[HP_KEY_SIZE])
{
  return (HpRandom){ fill_fixed, bytes };
}

gsize
secure_test_unhex (const char *hex, guint8 *bytes, gsize capacity)
{
  gsize length = strlen (hex) / 2;

  g_assert_cmpuint (strlen (hex) % 2, ==, 0);
  g_assert_cmpuint (length, <=, capacity);
  for (gsize i = 0; i < length; i++)
    {
      int high = g_ascii_xdigit_value (hex[2 * i]);
      int low = g_ascii_xdigit_value (hex[2 * i + 1]);

      g_assert_true (high >= 0 && low >= 0);
      bytes[i] = high << 4 | low;
    }
  return length;
}

void
secure_test_assert_hex (gconstpointer bytes, gsize length, const char *hex)
{
  const guint8 *data = bytes;
  g_autoptr (GString) string = g_string_sized_new (2 * length);

  for (gsize i = 0; i < length; i++)
    g_string_append_printf (string, "%02x", data[i]);
  g_assert_cmpstr (string->str, ==, hex);
}
