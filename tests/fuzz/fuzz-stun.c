/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "fuzz.h"
#include "wire-check.h"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  (void) hp_check_stun (data, size);
  return 0;
}
