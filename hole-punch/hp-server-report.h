/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(HP_INSIDE) && !defined(HP_COMPILATION)
#error "Only <hole-punch/hole-punch.h> can be included directly."
#endif

#include <hole-punch/hp-enums.h>
#include <hole-punch/hp-types.h>

G_BEGIN_DECLS

#define HP_TYPE_SERVER_REPORT (hp_server_report_get_type ())
HP_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (HpServerReport, hp_server_report, HP, SERVER_REPORT,
                      GObject)

HP_AVAILABLE_IN_ALL
HpServerKind hp_server_report_get_kind (HpServerReport *self);
HP_AVAILABLE_IN_ALL
const char *hp_server_report_get_name (HpServerReport *self);
HP_AVAILABLE_IN_ALL
GSocketAddress *hp_server_report_get_address (HpServerReport *self);
HP_AVAILABLE_IN_ALL
const char *hp_server_report_get_transport (HpServerReport *self);
HP_AVAILABLE_IN_ALL
gboolean hp_server_report_get_reachable (HpServerReport *self);
HP_AVAILABLE_IN_ALL
gint64 hp_server_report_get_round_trip_time (HpServerReport *self);
HP_AVAILABLE_IN_ALL
const char *hp_server_report_get_problem (HpServerReport *self);
HP_AVAILABLE_IN_ALL
char *hp_server_report_to_string (HpServerReport *self);

G_END_DECLS
