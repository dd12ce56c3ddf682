/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A port of the gateway's that leads to ours: by PCP or NAT-PMP, and by UPnP
 * where the gateway answers neither.
 *
 * The default route's gateway is asked from a socket of its own, connected to
 * it, so that nobody else can answer; a second one hears the announcements of
 * a gateway that was restarted. UPnP is tried once half a second has passed
 * without a mapping, and given up again if the gateway answers after all. All
 * of it in the context it was made in; not a party of the endpoint, so that it
 * can outlive it by as long as it takes to have the mapping removed.
 */

#pragma once

#include "hole-punch/base/hp-address.h"
#include "hole-punch/base/hp-random.h"

typedef struct _HpPortMapping HpPortMapping;

typedef struct
{
  GMainContext *context;
  guint16 port;      /* ours, to be mapped */
  HpAddress gateway; /* NONE: the default route's */
  HpRandom random;
  gboolean with_upnp;
  /* hp_port_mapping_get_external() has changed; may do anything */
  void (*changed) (gpointer user_data);
  /* Once after hp_port_mapping_close(); to be freed then, or before */
  void (*closed) (gpointer user_data);
  gpointer user_data;
} HpPortMappingConfig;

HpPortMapping *hp_port_mapping_new (const HpPortMappingConfig *config);
void hp_port_mapping_free (HpPortMapping *self);
/* The network has changed: perhaps there is another gateway */
void hp_port_mapping_network_changed (HpPortMapping *self);
/* We are seen as somebody else: is the mapping still there? */
void hp_port_mapping_check (HpPortMapping *self);
/* Has the mapping removed; no longer than a third of a second until closed(),
 * which comes from the context */
void hp_port_mapping_close (HpPortMapping *self);

/* NULL: none. It may be a private one: then there is another NAT. */
const HpAddress *hp_port_mapping_get_external (const HpPortMapping *self);
/* "pcp", "nat-pmp" or "upnp"; NULL: none */
const char *hp_port_mapping_get_protocol (const HpPortMapping *self);
