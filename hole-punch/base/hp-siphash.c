/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/base/hp-siphash.h"

#include <string.h>

static inline guint64
rotate (guint64 value, guint bits)
{
  return value << bits | value >> (64 - bits);
}

/* The paper, section 2.3 */
static inline void
do_rounds (guint64 v[4], guint n)
{
  while (n-- > 0)
    {
      v[0] += v[1];
      v[2] += v[3];
      v[1] = rotate (v[1], 13) ^ v[0];
      v[3] = rotate (v[3], 16) ^ v[2];
      v[0] = rotate (v[0], 32);
      v[2] += v[1];
      v[0] += v[3];
      v[1] = rotate (v[1], 17) ^ v[2];
      v[3] = rotate (v[3], 21) ^ v[0];
      v[2] = rotate (v[2], 32);
    }
}

guint64
hp_siphash (const HpSipKey *key, gconstpointer data, gsize length)
{
  const guint8 *bytes = data;
  const guint8 *end = bytes + length / 8 * 8;
  guint64 word = 0;
  guint64 v[4] = {
    key->words[0] ^ G_GUINT64_CONSTANT (0x736f6d6570736575),
    key->words[1] ^ G_GUINT64_CONSTANT (0x646f72616e646f6d),
    key->words[0] ^ G_GUINT64_CONSTANT (0x6c7967656e657261),
    key->words[1] ^ G_GUINT64_CONSTANT (0x7465646279746573),
  };

  for (; bytes < end; bytes += 8)
    {
      memcpy (&word, bytes, 8);
      word = GUINT64_FROM_LE (word);
      v[3] ^= word;
      do_rounds (v, 2);
      v[0] ^= word;
    }
  word = (guint64) length << 56;
  for (guint i = 0; i < length % 8; i++)
    word |= (guint64) bytes[i] << (8 * i);
  v[3] ^= word;
  do_rounds (v, 2);
  v[0] ^= word;
  v[2] ^= 0xff;
  do_rounds (v, 4);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}
