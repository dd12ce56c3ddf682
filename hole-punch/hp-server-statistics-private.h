/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "hole-punch/hp-server-statistics.h"

/* Each is a property of the same name; see there */
typedef struct
{
  guint64 peers;
  guint64 registrations;
  guint64 workers;
  guint64 handshakes;
  guint64 registers;
  guint64 keepalives;
  guint64 asks;
  guint64 introductions;
  guint64 forwarded;
  guint64 refused;
  guint64 cookies;
  guint64 stun_answers;
  guint64 datagrams_received;
  guint64 datagrams_sent;
  guint64 bytes_received;
  guint64 bytes_sent;
  guint64 send_failures;
  guint64 datagrams_dropped;
  guint64 dropped_malformed;
  guint64 dropped_ticket;
  guint64 dropped_forged;
  guint64 dropped_replayed;
  guint64 dropped_unknown;
  guint64 dropped_rate_limited;
  guint64 dropped_full;
  guint64 registry_failures;
  guint64 unclaimed_refreshes;
  gboolean registry_healthy;
} HpServerStatisticsValues;

struct _HpServerStatistics
{
  GObject parent_instance;

  HpServerStatisticsValues values;
};

HpServerStatistics *hp_server_statistics_new_private (
    const HpServerStatisticsValues *values);
