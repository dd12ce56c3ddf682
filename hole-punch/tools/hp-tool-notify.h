/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Tells the service manager how it goes: sd_notify(3), which is a line or two
 * to a socket. Without such a manager, which is NULL, nothing is told. */

#pragma once

#include <gio/gio.h>

typedef struct _HpToolNotify HpToolNotify;

/* By the environment: NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID */
HpToolNotify *hp_tool_notify_new (void);
void hp_tool_notify_free (HpToolNotify *self);
/* From now on the watchdog is fed by the thread's main context. */
void hp_tool_notify_ready (HpToolNotify *self, const char *status);
/* hp_tool_notify_ready() ends it. */
void hp_tool_notify_reloading (HpToolNotify *self);
void hp_tool_notify_stopping (HpToolNotify *self);
/* What people are shown; the same twice is said once */
void hp_tool_notify_status (HpToolNotify *self, const char *status);
