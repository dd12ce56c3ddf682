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

#define HP_TYPE_NAT_INFO (hp_nat_info_get_type ())
HP_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (HpNatInfo, hp_nat_info, HP, NAT_INFO, GObject)

HP_AVAILABLE_IN_ALL
HpNatMapping hp_nat_info_get_mapping (HpNatInfo *self);
HP_AVAILABLE_IN_ALL
HpNatFiltering hp_nat_info_get_filtering (HpNatInfo *self);
HP_AVAILABLE_IN_ALL
HpNatAllocation hp_nat_info_get_allocation (HpNatInfo *self);
HP_AVAILABLE_IN_ALL
int hp_nat_info_get_step (HpNatInfo *self);
HP_AVAILABLE_IN_ALL
guint hp_nat_info_get_drift (HpNatInfo *self);
HP_AVAILABLE_IN_ALL
guint hp_nat_info_get_first_port (HpNatInfo *self);
HP_AVAILABLE_IN_ALL
guint hp_nat_info_get_last_port (HpNatInfo *self);
HP_AVAILABLE_IN_ALL
HpNatHairpin hp_nat_info_get_hairpin (HpNatInfo *self);
HP_AVAILABLE_IN_ALL
guint hp_nat_info_get_mapping_lifetime (HpNatInfo *self);
HP_AVAILABLE_IN_ALL
GSocketAddress *hp_nat_info_get_public_address (HpNatInfo *self);
HP_AVAILABLE_IN_ALL
char *hp_nat_info_to_string (HpNatInfo *self);

G_END_DECLS
