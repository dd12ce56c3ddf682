/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Answers GET /metrics by HTTP. */

#pragma once

#include <hole-punch/hole-punch.h>

typedef struct _HpToolExporter HpToolExporter;

/* @address: "HOST:PORT", or a port of the loopback interface; a name can only
 * be localhost. In the thread-default main context. */
HpToolExporter *hp_tool_exporter_new (const char *address,
                                      HpMatchServer *server, GError **error);
/* At once; NULL is fine */
void hp_tool_exporter_free (HpToolExporter *self);
/* Where it is asked */
const char *hp_tool_exporter_get_uri (HpToolExporter *self);
