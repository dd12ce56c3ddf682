/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "headers.h"
#include "nat-rules.h"

/* What a NAT remembers, without packets and without a clock:
 *
 *     mapping   an inner endpoint has this outer endpoint, for all remote
 *               endpoints that look alike to the rule in force
 *     entry     the inner endpoint has sent to this remote endpoint: what a
 *               router has room for so and so many of
 *
 * A mapping lives as long as packets refresh it, and its entries no longer. */
typedef struct _NatTable NatTable;

/* Why a packet goes no further. */
typedef enum
{
  NAT_FOUND,
  NAT_NO_MAPPING,
  NAT_FILTERED,
  NAT_PORT_TAKEN, /* by what had come unasked */
  NAT_NO_PORT,
  NAT_TABLE_FULL,
} NatAnswer;

NatTable *nat_table_new (const NatRules *rules, guint32 seed);
void nat_table_free (NatTable *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NatTable, nat_table_free)

void nat_table_set_address (NatTable *self, const Endpoint *address);
const Endpoint *nat_table_get_address (const NatTable *self);
void nat_table_clear (NatTable *self);

NatAnswer nat_table_send (NatTable *self, const Headers *packet,
                          Endpoint *outside, gint64 now);
NatAnswer nat_table_receive (NatTable *self, const Headers *packet,
                             const Endpoint *remote, Endpoint *inside,
                             gint64 now);
gboolean nat_table_find_outside (NatTable *self, PacketKind kind,
                                 const Endpoint *inside,
                                 const Endpoint *remote, Endpoint *outside,
                                 gint64 now);
gboolean nat_table_find_inside (NatTable *self, PacketKind kind,
                                const Endpoint *outside,
                                const Endpoint *remote, Endpoint *inside,
                                gint64 now);

void nat_table_forget_statistics (NatTable *self);
void nat_table_write_statistics (NatTable *self, GString *json, gint64 now);
