/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib.h>

/* On what of the other end something depends, in the terms of RFC 4787. */
typedef enum
{
  DEPENDS_NONE, /* does not map, does not filter */
  DEPENDS_ENDPOINT_INDEPENDENT,
  DEPENDS_ADDRESS,
  DEPENDS_ADDRESS_AND_PORT,
} Dependence;

typedef enum
{
  PORTS_PRESERVED, /* the inner one, if it is free; else at random */
  PORTS_SEQUENTIAL,
  PORTS_RANDOM,
  PORTS_BLOCK, /* each host has some consecutive ones; at random in there */
} PortChoice;

/* How a NAT behaves. */
typedef struct
{
  guint mapping;   /* Dependence */
  guint filtering; /* Dependence */
  guint ports;     /* PortChoice */
  guint step;      /* between sequential ones */
  guint block;     /* how many a host has */
  guint first_port, last_port;
  gboolean overload; /* one port for several, to different destinations */
  double foreign;    /* how many mappings others make, each second */

  gboolean hairpin;
  gboolean udp; /* else it passes none */
  gboolean knock_takes; /* what comes unasked takes the port for its sender */

  gint64 lifetime;          /* without a packet, in ns */
  gint64 absolute_lifetime; /* whatever flows; 0: any */
  gboolean refresh_inbound; /* by what comes in, too */
  guint max_mappings;       /* ports in use; 0: all */
  guint max_entries; /* pairs of an inner and an outer endpoint; 0: any */
} NatRules;

void nat_rules_init (NatRules *rules);
gboolean nat_rules_parse (NatRules *rules, const char *text, char **problem);
