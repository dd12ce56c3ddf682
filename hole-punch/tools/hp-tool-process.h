/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What this process takes, as the kernel tells it. */

#pragma once

#include <glib.h>

/* Bytes of memory that it has now; 0: not known */
guint64 hp_tool_process_get_resident_memory (void);
/* µs of processor time so far, of all its threads */
gint64 hp_tool_process_get_cpu_time (void);
/* Seconds since 1970-01-01; the same each time */
gint64 hp_tool_process_get_start_time (void);
