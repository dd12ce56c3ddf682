/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "headers.h"
#include "nat-rules.h"

/* Which outer port a new mapping gets. */
typedef struct _NatPorts NatPorts;

typedef gboolean (*NatPortIsFree) (gpointer user, guint16 port);

NatPorts *nat_ports_new (const NatRules *rules, guint32 seed);
void nat_ports_free (NatPorts *self);
void nat_ports_clear (NatPorts *self);

guint16 nat_ports_choose (NatPorts *self, PortChoice choice,
                          const Endpoint *inside, gint64 now,
                          NatPortIsFree is_free, gpointer user);
