/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Hosts behind NATs behind a lossy network, with an invented clock:
 *
 *   host ── LAN ── NAT ───────── network ───────── NAT ── LAN ── host
 *          1 hop        hops, delay, jitter, loss …
 *
 * A NAT is as Linux makes it: a flow for each remote address, which keeps the
 * inside's port where it can. With @trap, a packet from outside that finds no
 * flow takes its tuple, and the inside's own packet to there is then given
 * another port (the early-knock trap).
 */

#pragma once

#include "hole-punch/base/hp-outgoing.h"
#include "hole-punch/base/hp-random.h"

typedef enum
{
  SIM_OPEN,               /* no translation, no filter */
  SIM_FIREWALL,           /* no translation, answers only */
  SIM_FULL_CONE,          /* same port for all, anybody may answer */
  SIM_ADDRESS_RESTRICTED, /* same port for all, any port of who was sent to */
  SIM_PORT_RESTRICTED,    /* same port for all, only who was sent to */
  SIM_SYMMETRIC,          /* a random port each, only who was sent to */
  SIM_N_KINDS,
} SimNatKind;

typedef struct
{
  HpAddress inside;
  HpAddress remote;
  guint16 port; /* outside */
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
} SimNat;

typedef struct
{
  gint64 delay;  /* one way, µs */
  gint64 jitter; /* up to so much more: reorders */
  gdouble loss, duplication, corruption;
  guint hops;    /* between two NATs */
} SimQuality;

typedef struct _SimWorld SimWorld;
typedef struct _SimHost SimHost;

/* What arrives; @bytes may be changed */
typedef void (*SimReceive) (gpointer user_data, const HpDatagram *datagram);
/* FALSE: the network loses it. What leaves the host, before any NAT. */
typedef gboolean (*SimFilter) (gpointer user_data, SimHost *from,
                               const HpOutgoing *outgoing);

struct _SimHost
{
  SimWorld *world;
  guint n_addresses;
  HpAddress addresses[2]; /* inside; at most one of each family */
  SimNat *nats[2];
  gboolean is_cut; /* nothing in, nothing out */
  SimReceive receive;
  gpointer user_data;
};

struct _SimWorld
{
  gint64 now;
  guint64 random_state;
  HpRandom random; /* of this world: for all that is in it */
  SimQuality quality;
  SimFilter filter;
  gpointer filter_data;
  GPtrArray *hosts;
  GPtrArray *nats;
  GQueue queue; /* of packets under way, by time */
  guint64 n_sent, n_delivered, n_dropped;
  guint64 trace; /* a hash of all that was sent */
  gboolean verbose;
};

SimWorld *sim_world_new (guint64 seed);
void sim_world_free (SimWorld *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SimWorld, sim_world_free)

SimNat *sim_world_add_nat (SimWorld *self, SimNatKind kind, gboolean trap,
                           const char *public_address);
SimHost *sim_world_add_host (SimWorld *self, SimNat *nat,
                             const char *inside_address);
/* A second address, of the other family */
void sim_host_add_address (SimHost *self, SimNat *nat,
                           const char *inside_address);
/* Moves to another network */
void sim_host_move (SimHost *self, SimNat *nat, const char *inside_address);

void sim_host_send (SimHost *self, const HpOutgoing *outgoing);
/* How a server at @server would see this host: makes a flow to it */
gboolean sim_host_observe (SimHost *self, const HpAddress *server,
                           HpAddress *observed);

/* All flows are forgotten; with @new_ports the same insides get other outside
 * ports from now on */
void sim_nat_flush (SimNat *self, SimWorld *world, gboolean new_ports);

/* When the next packet arrives, G_MAXINT64: none is under way */
gint64 sim_world_get_next (const SimWorld *self);
/* Delivers all that arrives until @self->now */
void sim_world_deliver (SimWorld *self);
/* From 0 to 1 */
gdouble sim_world_chance (SimWorld *self);
