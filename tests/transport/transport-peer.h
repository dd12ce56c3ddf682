/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A transport on the simulated network, with the least that a link does for
 * it: packet numbers (with gaps, some taken by packets of its own), a
 * checksum in place of the seal, a replay window, the armed deadline.
 *
 * A datagram is number 8 | checksum 8 | frames.
 */

#pragma once

#include "hole-punch/transport/hp-transport-private.h"
#include "simulated-network.h"

#define TRANSPORT_PEER_OVERHEAD 16
#define TRANSPORT_PEER_REPLAY_WINDOW 8192

typedef struct _TransportPeer TransportPeer;

struct _TransportPeer
{
  SimulatedNetwork *network;
  HpTransport *transport;
  HpAddress address;
  HpAddress remote;
  gsize datagram_size;
  guint64 next_number;
  gboolean takes_numbers; /* gaps, and packets of the link's own */
  gint64 armed_at;
  guint64 highest; /* received, plus one */
  gboolean seen[TRANSPORT_PEER_REPLAY_WINDOW];
  gint64 paused_until; /* events are left lying */
  void (*on_frame) (TransportPeer *self, HpFrame *frame); /* may change it */
  void (*on_event) (TransportPeer *self, const HpTransportEvent *event);
  gpointer user_data;
};

TransportPeer *transport_peer_new (SimulatedNetwork *network,
                                   const HpAddress *address,
                                   const HpTransportConfig *config);
void transport_peer_free (TransportPeer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TransportPeer, transport_peer_free)
/* Tells each the other's parameters, as bytes. */
void transport_peer_introduce (TransportPeer *a, TransportPeer *b);
guint64 transport_peer_send (TransportPeer *self, HpStreamKind kind,
                             GBytes *bytes, gint64 lifetime);
void transport_peer_set_path (TransportPeer *self, guint path,
                              gsize datagram_size);
/* After anything that gives the transport something to do */
void transport_peer_pump (TransportPeer *self);
/* Nothing waits, nothing is held */
void transport_peer_assert_idle (TransportPeer *self);
