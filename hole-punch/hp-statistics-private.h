/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "hole-punch/hp-statistics.h"

typedef struct
{
  guint64 bytes_sent;
  guint64 bytes_received;
  guint64 bytes_resent;
  guint64 messages_sent;
  guint64 messages_received;
  guint64 datagrams_sent;
  guint64 datagrams_received;
  guint64 datagrams_lost;
  guint64 datagrams_dropped;
} HpStatisticsValues;

HpStatistics *hp_statistics_new_private (const HpStatisticsValues *values);
