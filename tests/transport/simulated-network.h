/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A network with an invented clock: carries opaque datagrams between
 * endpoints, loses, delays, reorders, doubles and damages them by a seed. The
 * same seed and the same calls give the same run.
 *
 *   send -> translate -> outage? -> queue, rate -> loss -> delay -> receive
 */

#pragma once

#include "hole-punch/base/hp-address.h"
#include "hole-punch/base/hp-random.h"

/* One direction between two addresses */
typedef struct
{
  gint64 delay;         /* µs */
  gint64 jitter;        /* up to so much more, for each by itself */
  double loss;          /* probabilities, 0 to 1 */
  double duplication;
  double corruption;    /* a byte changes */
  double reordering;    /* comes later by up to reordering_delay */
  gint64 reordering_delay;
  guint64 rate;         /* bytes per second, 0: no limit */
  gsize queue;          /* bytes that may wait for their turn at that rate */
  gsize mtu;            /* larger datagrams vanish; 0: none is too large */
  gsize ecn;            /* CE instead of ECT above so many waiting; 0: never */
  gboolean bleaches;    /* takes marks away */
  gboolean drops_marked;
} SimulatedLink;

typedef struct
{
  guint64 n_sent, n_lost, n_delivered, n_duplicated, n_corrupted;
  guint64 n_overflowed; /* queue full */
  guint64 n_too_large;
  guint64 n_marked;     /* became CE */
  guint64 n_unreachable; /* nobody at that address, or translated away */
  guint64 bytes_delivered;
} SimulatedCounters;

typedef struct _SimulatedNetwork SimulatedNetwork;

/* @bytes may be changed */
typedef void (*SimulatedReceive) (gpointer user_data, const HpAddress *from,
                                  const HpAddress *to, guint8 *bytes,
                                  gsize length, HpEcn ecn);
typedef void (*SimulatedCall) (gpointer user_data);
/* A NAT or a rebinding: changes the addresses of a datagram as it is sent, or
 * drops it by FALSE */
typedef gboolean (*SimulatedTranslate) (gpointer user_data, HpAddress *from,
                                        HpAddress *to);

SimulatedNetwork *simulated_network_new (guint64 seed);
void simulated_network_free (SimulatedNetwork *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SimulatedNetwork, simulated_network_free)

gint64 simulated_network_get_now (const SimulatedNetwork *self);
/* Of the network's seed: for all that a test decides by chance */
guint64 simulated_network_random (SimulatedNetwork *self, guint64 below);
gboolean simulated_network_chance (SimulatedNetwork *self,
                                   double probability);
const HpRandom *simulated_network_get_random (SimulatedNetwork *self);

void simulated_network_add_endpoint (SimulatedNetwork *self,
                                     const HpAddress *address,
                                     SimulatedReceive receive,
                                     gpointer user_data);
void simulated_network_remove_endpoint (SimulatedNetwork *self,
                                        const HpAddress *address);
/* What is on its way to @from is lost. */
void simulated_network_move_endpoint (SimulatedNetwork *self,
                                      const HpAddress *from,
                                      const HpAddress *to);
void simulated_network_set_translate (SimulatedNetwork *self,
                                      SimulatedTranslate translate,
                                      gpointer user_data);

/* For all pairs of addresses that have none of their own */
void simulated_network_set_default_link (SimulatedNetwork *self,
                                         const SimulatedLink *link);
void simulated_network_set_link (SimulatedNetwork *self, const HpAddress *from,
                                 const HpAddress *to,
                                 const SimulatedLink *link);
/* Nothing at all passes from @start until @end, times of this clock. */
void simulated_network_add_outage (SimulatedNetwork *self, gint64 start,
                                   gint64 end);

void simulated_network_send (SimulatedNetwork *self, const HpAddress *from,
                             const HpAddress *to, gconstpointer bytes,
                             gsize length, HpEcn ecn);
void simulated_network_call_at (SimulatedNetwork *self, gint64 when,
                                SimulatedCall call, gpointer user_data);

/* Runs the next event; FALSE when there is none until @limit. */
gboolean simulated_network_step (SimulatedNetwork *self, gint64 limit);
/* Runs until @limit, or until nothing is left to happen. */
void simulated_network_run (SimulatedNetwork *self, gint64 limit);

/* Over all that was delivered, and when */
guint64 simulated_network_get_trace (const SimulatedNetwork *self);
const SimulatedCounters *
simulated_network_get_counters (const SimulatedNetwork *self);
/* Says each delivery and loss on standard error */
void simulated_network_set_verbose (SimulatedNetwork *self, gboolean verbose);

/* 192.0.2.@host:@port, for brevity */
HpAddress simulated_address (guint8 host, guint16 port);
