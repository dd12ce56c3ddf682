/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Hosts behind NATs behind a lossy network, with an invented clock:
 *
 *   host ── LAN ── NAT ───────── network ───────── NAT ── LAN ── host
 *          1 hop        hops, delay, jitter, loss …
 *
 * A host may have further sockets, each with a port of its own, and relays:
 * what it sends by one comes from the relay's address, as what is sent there
 * comes to it.
 */

#pragma once

#include "hole-punch/base/hp-outgoing.h"
#include "hole-punch/base/hp-random.h"
#include "simulated-nat.h"

#define SIM_MAX_RELAYS 2

typedef struct
{
  guint socket;
  HpAddress address;
  gint64 delay; /* between the host and the relay, besides the network's */
} SimRelay;

typedef struct
{
  gint64 delay;  /* one way, µs */
  gint64 jitter; /* up to so much more: reorders */
  gdouble loss, duplication, corruption;
  guint hops;    /* between two NATs */
} SimQuality;

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
  GHashTable *sockets; /* number → port; the main one is not there */
  guint n_sockets;     /* ever opened */
  SimRelay relays[SIM_MAX_RELAYS];
  guint n_relays;
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

/* Its number, above 0 and never used again. @port 0: any */
guint sim_host_open_socket (SimHost *self, guint16 port);
void sim_host_close_socket (SimHost *self, guint number);
/* A socket that is a relay's */
guint sim_host_add_relay (SimHost *self, const char *relayed, gint64 delay);

void sim_host_send (SimHost *self, const HpOutgoing *outgoing);
/* How a server at @server would see this host: makes a flow to it */
gboolean sim_host_observe (SimHost *self, const HpAddress *server,
                           HpAddress *observed);

/* When the next packet arrives, G_MAXINT64: none is under way */
gint64 sim_world_get_next (const SimWorld *self);
/* Delivers all that arrives until @self->now */
void sim_world_deliver (SimWorld *self);
guint64 sim_world_next_random (SimWorld *self);
/* From 0 to 1 */
gdouble sim_world_chance (SimWorld *self);
