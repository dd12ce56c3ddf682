/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a peer knows of the NATs between it and its match server, as it tells
 * the other side, so that both choose the same way through them. The words
 * are those of RFC 4787.
 */

#pragma once

#include "hole-punch/base/hp-cursor.h"

/* Which external address a socket's datagrams have */
typedef enum
{
  HP_WIRE_MAPPING_UNKNOWN = 0,
  HP_WIRE_MAPPING_NONE = 1,             /* its own: there is no NAT */
  /* The same toward two ports of one host: endpoint-independent or
   * address-dependent, which cannot be told without a second host */
  HP_WIRE_MAPPING_PORT_INDEPENDENT = 2,
  HP_WIRE_MAPPING_ENDPOINT_INDEPENDENT = 3,
  HP_WIRE_MAPPING_ADDRESS_DEPENDENT = 4,
  HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT = 5,
} HpWireMapping;

/* Who may send to a mapping */
typedef enum
{
  HP_WIRE_FILTERING_UNKNOWN = 0,
  HP_WIRE_FILTERING_ENDPOINT_INDEPENDENT = 1, /* anybody */
  HP_WIRE_FILTERING_ADDRESS_DEPENDENT = 2,    /* hosts that were sent to */
  HP_WIRE_FILTERING_ADDRESS_AND_PORT_DEPENDENT = 3,
} HpWireFiltering;

/* Which external port a new mapping gets */
typedef enum
{
  HP_WIRE_ALLOCATION_UNKNOWN = 0,
  HP_WIRE_ALLOCATION_PRESERVED = 1,  /* that of the socket */
  HP_WIRE_ALLOCATION_SEQUENTIAL = 2, /* that of the one before, and a step */
  HP_WIRE_ALLOCATION_BLOCK = 3,      /* any out of a few */
  HP_WIRE_ALLOCATION_RANDOM = 4,
} HpWireAllocation;

typedef enum
{
  HP_WIRE_HAIRPIN_UNKNOWN = 0,
  HP_WIRE_HAIRPIN_NO = 1,
  HP_WIRE_HAIRPIN_YES = 2,
} HpWireHairpin;

/* All zeros: nothing is known. A NAT can map one socket endpoint-independently
 * and give sequential ports to new ones, so each fact stands by itself. */
typedef struct
{
  guint8 mapping;    /* HpWireMapping */
  guint8 filtering;  /* HpWireFiltering */
  guint8 allocation; /* HpWireAllocation */
  guint8 hairpin;    /* HpWireHairpin */
  gint16 step;       /* SEQUENTIAL: between two mappings; else 0 */
  guint16 drift;     /* SEQUENTIAL: mappings of others per second */
  guint16 port;      /* external, of the newest mapping seen; 0: none */
  guint32 age;       /* ms since @port was seen, when told */
  guint16 first_port; /* BLOCK: its ports; else the lowest and the highest
                         seen; both 0: none */
  guint16 last_port;
} HpNatFacts;

#define HP_NAT_FACTS_MAX_WIRE_SIZE 22

void hp_nat_facts_write (const HpNatFacts *self, HpWriter *writer);
/* Fails @reader on what no peer means */
void hp_nat_facts_read (HpNatFacts *self, HpReader *reader);

/* @elapsed µs went by since they were told */
void hp_nat_facts_grow_older (HpNatFacts *self, gint64 elapsed);
/* The same kind of NAT: all but what changes with every mapping, which is
 * @port, @age, @drift and the ports seen */
gboolean hp_nat_facts_same_kind (const HpNatFacts *a, const HpNatFacts *b);

/* It may have another external port toward another peer than toward the match
 * server */
gboolean hp_nat_facts_is_dependent (const HpNatFacts *self);
