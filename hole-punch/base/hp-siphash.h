/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* SipHash-2-4 (Aumasson and Bernstein, INDOCRYPT 2012), the hash for tables
 * whose keys strangers choose: without the secret nobody can find two that
 * collide.
 */

#pragma once

#include <glib.h>

typedef struct
{
  guint64 words[2]; /* of 16 bytes, little-endian */
} HpSipKey;

guint64 hp_siphash (const HpSipKey *key, gconstpointer data, gsize length);
