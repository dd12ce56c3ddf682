/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A NAT as Linux makes it: a flow for each remote address, which keeps the
 * inside's port where it can. With @trap, a packet from outside that finds no
 * flow takes its tuple, and the inside's own packet to there is then given
 * another port (the early-knock trap).
 */

#pragma once

#include "hole-punch/base/hp-address.h"

typedef struct _SimWorld SimWorld;

typedef enum
{
  SIM_OPEN,               /* no translation, no filter */
  SIM_FIREWALL,           /* no translation, answers only */
  SIM_FULL_CONE,          /* same port for all, anybody may answer */
  SIM_ADDRESS_RESTRICTED, /* same port for all, any port of who was sent to */
  SIM_PORT_RESTRICTED,    /* same port for all, only who was sent to */
  SIM_SYMMETRIC,          /* a random port each, only who was sent to */
  SIM_SEQUENTIAL,         /* symmetric, the next port each */
  SIM_BLOCK,              /* symmetric, any port of a block each */
  SIM_N_KINDS,
} SimNatKind;

/* A port each for each remote address */
gboolean sim_nat_kind_is_symmetric (SimNatKind kind);

typedef struct
{
  HpAddress inside;
  HpAddress remote;
  guint16 port; /* outside */
  gint64 created_at, used_at;
} SimFlow;

typedef struct
{
  SimNatKind kind;
  gboolean trap;
  gint64 delay;             /* of what leaves by it, besides the network's */
  HpAddress public_address; /* its port is 0 */
  GArray *flows;            /* SimFlow */
  GArray *taken;            /* SimFlow: tuples that belong to the NAT itself */
  GHashTable *ports;        /* inside port → outside port, after a flush */
  gboolean remaps;          /* each inside gets a random port, even if it is one
                               for all remotes */
  /* Of mappings, 0: for ever; a dead one's inside gets a new port if remaps */
  gint64 idle_lifetime, absolute_lifetime;
  guint16 next_port, step;  /* SEQUENTIAL */
  guint foreign;            /* … others' mappings per second */
  gint64 stepped_at;
  guint16 first_port, n_ports; /* BLOCK */
  guint n_entries;          /* flows ever made */
} SimNat;

SimNat *sim_nat_new (SimNatKind kind, gboolean trap,
                     const char *public_address); /* NULL: none */
void sim_nat_free (SimNat *self);

gboolean sim_nat_is_translating (const SimNat *self);
/* The outside port of what @inside sends to @remote */
guint16 sim_nat_translate_out (SimNat *self, SimWorld *world,
                               const HpAddress *inside,
                               const HpAddress *remote);
/* The inside that a packet to @to is for; FALSE: nobody gets it */
gboolean sim_nat_translate_in (SimNat *self, SimWorld *world,
                               const HpAddress *from, const HpAddress *to,
                               HpAddress *inside);
/* All flows are forgotten; with @new_ports the same insides get other outside
 * ports from now on */
void sim_nat_flush (SimNat *self, SimWorld *world, gboolean new_ports);
