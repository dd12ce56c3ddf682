/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What answers of STUN servers say together about the NATs on the way: how
 * they map (the same socket toward several servers) and how they choose ports
 * (several sockets). No I/O; who asks is the engine's business.
 */

#pragma once

#include "hole-punch/base/hp-address.h"
#include "hole-punch/wire/hp-nat-facts.h"

#define HP_NAT_MAX_SAMPLES 48 /* the newest count */
/* So many tell where a block of ports begins and ends */
#define HP_NAT_BLOCK_SAMPLES 16

typedef struct
{
  guint socket;      /* which of ours asked */
  HpAddress local;   /* its address and port */
  HpAddress server;  /* whom it asked … */
  HpAddress mapped;  /* … and as what it was seen there */
  /* When the mapping was made, as well as it is known: when the first request
   * went out that can have made it */
  gint64 mapped_at;
  /* FALSE: it may have been made before or after @mapped_at, since requests
   * were lost, or the socket had been in use for long */
  gboolean is_new;
} HpNatSample;

typedef struct
{
  guint n_samples;
  HpNatSample samples[HP_NAT_MAX_SAMPLES];
} HpNatSamples;

void hp_nat_samples_clear (HpNatSamples *self);
/* Takes the place of an earlier one of the same socket and server */
void hp_nat_samples_add (HpNatSamples *self, const HpNatSample *sample);
/* All but filtering and hairpin, which answers to what one has asked do not
 * show: they are left as they are. The age is as of @now. */
void hp_nat_samples_judge (const HpNatSamples *self, HpNatFacts *facts,
                           gint64 now);
