/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How many registrations each network has, a network being what one customer
 * usually has: /24 of IPv4, /48 of IPv6. Exact but for one network in a million
 * that is taken for another; eight to eighteen bytes for each that has any, in
 * 256 parts that grow and shrink one at a time.
 */

#pragma once

#include "hole-punch/base/hp-address.h"
#include "hole-punch/base/hp-random.h"
#include "hole-punch/base/hp-siphash.h"

#define HP_MATCH_NETWORK_PARTS 256

typedef struct
{
  guint32 tag; /* of the network; its lowest bits say where it should be */
  guint32 count; /* 0: free */
} HpMatchNetwork;

typedef struct
{
  HpMatchNetwork *cells; /* NULL: none yet */
  guint32 n_cells; /* 0 or a power of two */
  guint32 n_used;
} HpMatchNetworkPart;

typedef struct
{
  HpSipKey key;
  HpMatchNetworkPart parts[HP_MATCH_NETWORK_PARTS];
} HpMatchNetworks;

void hp_match_networks_init (HpMatchNetworks *self, const HpRandom *random);
void hp_match_networks_clear (HpMatchNetworks *self);
guint hp_match_networks_get (const HpMatchNetworks *self,
                             const HpAddress *address);
void hp_match_networks_add (HpMatchNetworks *self, const HpAddress *address);
/* What was added before */
void hp_match_networks_remove (HpMatchNetworks *self,
                               const HpAddress *address);
/* How many have any, and what is allocated for them */
guint hp_match_networks_count (const HpMatchNetworks *self);
gsize hp_match_networks_get_bytes (const HpMatchNetworks *self);
