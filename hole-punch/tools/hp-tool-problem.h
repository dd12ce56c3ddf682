/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How an error is told: what it is, and what can be done about it. */

#pragma once

#include <gio/gio.h>

/* "unknown-id", "timed-out": HpPunchError or GIOErrorEnum, in lower case */
const char *hp_tool_problem_get_code (const GError *error);
/* NULL: the message says it all */
const char *hp_tool_problem_get_hint (const GError *error);
/* As JSON on standard output, or else in words on standard error */
void hp_tool_problem_print (const GError *error, gboolean json);
