/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "hole-punch/hp-server-statistics.h"

typedef struct
{
  guint64 peers;
  guint64 registrations;
  guint64 handshakes;
  guint64 asks;
  guint64 introductions;
  guint64 datagrams_received;
  guint64 datagrams_sent;
  guint64 datagrams_dropped;
  guint64 rate_limited;
} HpServerStatisticsValues;

HpServerStatistics *hp_server_statistics_new_private (
    const HpServerStatisticsValues *values);
