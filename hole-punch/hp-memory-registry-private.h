/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "hole-punch/hp-memory-registry.h"

/* In µs; tests bring their own */
typedef gint64 (*HpClockFunc) (void);

void hp_memory_registry_set_clock (HpMemoryRegistry *self, HpClockFunc clock);
