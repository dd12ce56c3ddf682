/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the tests of secure/ share: random bytes that are the same in every
 * run, and hexadecimal.
 */

#pragma once

#include "hole-punch/secure/hp-crypto.h"

extern const HpSuite secure_test_suites[2];

/* The same bytes for the same value of *@seed, which moves on */
HpRandom secure_test_random (guint64 *seed);
/* Gives the 32 @bytes again and again */
HpRandom secure_test_fixed_random (guint8 bytes[HP_KEY_SIZE]);

/* The number of bytes; @capacity must do */
gsize secure_test_unhex (const char *hex, guint8 *bytes, gsize capacity);
void secure_test_assert_hex (gconstpointer bytes, gsize length,
                             const char *hex);
