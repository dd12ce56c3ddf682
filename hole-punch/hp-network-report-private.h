/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "hole-punch/hp-network-report.h"

struct _HpNetworkReport
{
  GObject parent_instance;

  HpProspects prospects;
  char *summary;
  HpNatInfo *nat;
  gboolean udp_blocked;
  gboolean udp_passes;
  gboolean has_ipv6;
  char **public_addresses;
  char **local_addresses;
  char *port_mapping;
  GSocketAddress *mapped_address;
  GListStore *match_servers;
  GListStore *stun_servers;
  GListStore *relays;
  char **attempts;
};

typedef struct
{
  HpRelayPolicy relay_policy;
  HpNatInfo *nat;               /* NULL: not known */
  GPtrArray *local_addresses;   /* char *, as the next two */
  GPtrArray *public_addresses;
  GPtrArray *attempts;
  char *port_mapping;           /* the protocol, NULL: there is none */
  GSocketAddress *mapped_address;
  GPtrArray *servers;           /* HpServerReport, of all kinds */
} HpNetworkReportValues;

/* hp-network-report-judge.c
 *
 * Empty; hp_network_report_new() takes over what is in it */
void hp_network_report_values_init (HpNetworkReportValues *values);
HpNetworkReport *hp_network_report_new (HpNetworkReportValues *values);
