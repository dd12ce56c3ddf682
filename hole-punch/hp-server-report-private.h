/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "hole-punch/base/hp-address.h"
#include "hole-punch/hp-server-report.h"

/* All is copied */
typedef struct
{
  HpServerKind kind;
  const char *name;
  HpAddress address;     /* NONE: not known */
  const char *transport; /* "UDP" … */
  gboolean reachable;
  gint64 round_trip_time; /* µs, -1: not measured */
  const char *problem;    /* NULL: none is known */
} HpServerReportValues;

HpServerReport *hp_server_report_new (const HpServerReportValues *values);
