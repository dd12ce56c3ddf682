/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The numbers of a match server for a monitoring system, in one of two text
 * formats: OpenMetrics 1.0.0, and what Prometheus had before it (0.0.4). */

#pragma once

#include <hole-punch/hole-punch.h>

typedef enum
{
  HP_TOOL_METRICS_PROMETHEUS,
  HP_TOOL_METRICS_OPEN_METRICS,
} HpToolMetricsFormat;

char *hp_tool_metrics_to_text (HpMatchServer *server,
                               HpToolMetricsFormat format);
const char *hp_tool_metrics_get_content_type (HpToolMetricsFormat format);
