/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(HP_INSIDE) && !defined(HP_COMPILATION)
#error "Only <hole-punch/hole-punch.h> can be included directly."
#endif

#include <hole-punch/hp-nat-info.h>
#include <hole-punch/hp-server-report.h>

G_BEGIN_DECLS

#define HP_TYPE_NETWORK_REPORT (hp_network_report_get_type ())
HP_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (HpNetworkReport, hp_network_report, HP, NETWORK_REPORT,
                      GObject)

HP_AVAILABLE_IN_ALL
HpProspects hp_network_report_get_prospects (HpNetworkReport *self);
HP_AVAILABLE_IN_ALL
const char *hp_network_report_get_summary (HpNetworkReport *self);
HP_AVAILABLE_IN_ALL
HpNatInfo *hp_network_report_get_nat (HpNetworkReport *self);
HP_AVAILABLE_IN_ALL
HpNatHairpin hp_network_report_get_hairpin (HpNetworkReport *self);
HP_AVAILABLE_IN_ALL
gboolean hp_network_report_get_udp_blocked (HpNetworkReport *self);
HP_AVAILABLE_IN_ALL
gboolean hp_network_report_get_has_ipv6 (HpNetworkReport *self);
HP_AVAILABLE_IN_ALL
const char *const *
hp_network_report_get_public_addresses (HpNetworkReport *self);
HP_AVAILABLE_IN_ALL
const char *const *
hp_network_report_get_local_addresses (HpNetworkReport *self);
HP_AVAILABLE_IN_ALL
const char *hp_network_report_get_port_mapping (HpNetworkReport *self);
HP_AVAILABLE_IN_ALL
GSocketAddress *hp_network_report_get_mapped_address (HpNetworkReport *self);
HP_AVAILABLE_IN_ALL
GListModel *hp_network_report_get_match_servers (HpNetworkReport *self);
HP_AVAILABLE_IN_ALL
GListModel *hp_network_report_get_stun_servers (HpNetworkReport *self);
HP_AVAILABLE_IN_ALL
GListModel *hp_network_report_get_relays (HpNetworkReport *self);
HP_AVAILABLE_IN_ALL
const char *const *hp_network_report_get_attempts (HpNetworkReport *self);
HP_AVAILABLE_IN_ALL
char *hp_network_report_to_string (HpNetworkReport *self);

G_END_DECLS
