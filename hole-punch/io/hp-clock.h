/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* CLOCK_BOOTTIME, so that a suspend counts. The only clock that the protocol
 * is handed. */

#pragma once

#include <glib.h>

/* µs */
gint64 hp_clock_now (void);
