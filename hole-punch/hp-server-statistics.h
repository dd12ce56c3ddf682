/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(HP_INSIDE) && !defined(HP_COMPILATION)
#error "Only <hole-punch/hole-punch.h> can be included directly."
#endif

#include <hole-punch/hp-types.h>

G_BEGIN_DECLS

#define HP_TYPE_SERVER_STATISTICS (hp_server_statistics_get_type ())
HP_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (HpServerStatistics, hp_server_statistics, HP,
                      SERVER_STATISTICS, GObject)

HP_AVAILABLE_IN_ALL
guint64 hp_server_statistics_get_peers (HpServerStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_server_statistics_get_registrations (HpServerStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_server_statistics_get_workers (HpServerStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_server_statistics_get_handshakes (HpServerStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_server_statistics_get_registers (HpServerStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_server_statistics_get_keepalives (HpServerStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_server_statistics_get_asks (HpServerStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_server_statistics_get_introductions (HpServerStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_server_statistics_get_forwarded (HpServerStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_server_statistics_get_refused (HpServerStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_server_statistics_get_cookies (HpServerStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_server_statistics_get_stun_answers (HpServerStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_server_statistics_get_datagrams_received (HpServerStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_server_statistics_get_datagrams_sent (HpServerStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_server_statistics_get_bytes_received (HpServerStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_server_statistics_get_bytes_sent (HpServerStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_server_statistics_get_send_failures (HpServerStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_server_statistics_get_datagrams_dropped (HpServerStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_server_statistics_get_dropped_malformed (HpServerStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_server_statistics_get_dropped_ticket (HpServerStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_server_statistics_get_dropped_forged (HpServerStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_server_statistics_get_dropped_replayed (HpServerStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_server_statistics_get_dropped_unknown (HpServerStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_server_statistics_get_dropped_rate_limited (
    HpServerStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_server_statistics_get_dropped_full (HpServerStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_server_statistics_get_registry_failures (HpServerStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_server_statistics_get_unclaimed_refreshes (
    HpServerStatistics *self);
HP_AVAILABLE_IN_ALL
gboolean hp_server_statistics_get_registry_healthy (HpServerStatistics *self);
HP_AVAILABLE_IN_ALL
char *hp_server_statistics_to_string (HpServerStatistics *self);

G_END_DECLS
