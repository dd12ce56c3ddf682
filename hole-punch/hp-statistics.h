/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(HP_INSIDE) && !defined(HP_COMPILATION)
#error "Only <hole-punch/hole-punch.h> can be included directly."
#endif

#include <hole-punch/hp-types.h>

G_BEGIN_DECLS

#define HP_TYPE_STATISTICS (hp_statistics_get_type ())
HP_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (HpStatistics, hp_statistics, HP, STATISTICS, GObject)

HP_AVAILABLE_IN_ALL
guint64 hp_statistics_get_bytes_sent (HpStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_statistics_get_bytes_received (HpStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_statistics_get_bytes_resent (HpStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_statistics_get_messages_sent (HpStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_statistics_get_messages_received (HpStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_statistics_get_datagrams_sent (HpStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_statistics_get_datagrams_received (HpStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_statistics_get_datagrams_lost (HpStatistics *self);
HP_AVAILABLE_IN_ALL
guint64 hp_statistics_get_datagrams_dropped (HpStatistics *self);
HP_AVAILABLE_IN_ALL
char *hp_statistics_to_string (HpStatistics *self);

G_END_DECLS
