/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A relay: an allocation at one of several TURN servers, as a carrier of the
 * endpoint. What is sent with its number goes through the server, and what
 * comes through the server is injected with that number.
 *
 *   party ──▸ endpoint ──▸ carrier ──▸ TURN client ──▸ main socket, or stream
 *     ▴                                     │
 *     └──────────────── inject ◂────────────┘
 *
 * The servers are tried in their order (UDP, TCP, TLS), each HP_RELAY_STAGGER
 * after the one before unless that has failed sooner (RFC 8305 in small); the
 * first that gives an allocation is kept, the others are told goodbye. It is
 * used once: a relay that is lost is closed, and another one made.
 *
 * It waits for its start. Until then nothing is allocated, but if the first
 * server is one for UDP, it is looked up and asked for what the allocation will
 * need to know.
 */

#pragma once

#include "hole-punch/engine/hp-endpoint.h"
#include "hole-punch/engine/hp-relay-server.h"

#define HP_RELAY_STAGGER (500 * G_TIME_SPAN_MILLISECOND)

typedef enum
{
  HP_RELAY_WAITING,
  HP_RELAY_TRYING,
  HP_RELAY_READY,
  HP_RELAY_FAILED,
} HpRelayState;

typedef struct _HpRelay HpRelay;

/* The state is another one. From the endpoint's dispatch; may close it. */
typedef void (*HpRelayFunc) (HpRelay *relay, gpointer user_data);

typedef struct
{
  HpEndpoint *endpoint;
  GPtrArray *servers;     /* HpRelayServer, in the order of trying; copied */
  GTlsDatabase *database; /* whom to trust; NULL: whom the system trusts */
  guint32 lifetime;       /* to ask for, seconds; 0: the server's choice */
  HpRelayFunc changed;
  gpointer user_data;
} HpRelayConfig;

HpRelay *hp_relay_new (const HpRelayConfig *config);
/* WAITING: what the server said may be out of date by now */
void hp_relay_inquire (HpRelay *self);
/* WAITING: now it is needed */
void hp_relay_start (HpRelay *self);
/* Gives the allocation back; nobody is told any more. Frees @self, unless it is
 * just calling somebody. */
void hp_relay_close (HpRelay *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpRelay, hp_relay_close)

/* A datagram that came to the endpoint's main socket: TRUE if it is a TURN
 * server's, for this relay. It may close it. */
gboolean hp_relay_receive (HpRelay *self, const HpDatagram *datagram,
                           gint64 now);
/* Datagrams from @peer's host shall come through; what we send to it lets it
 * in, too, later */
void hp_relay_permit (HpRelay *self, const HpAddress *peer);

HpRelayState hp_relay_get_state (const HpRelay *self);
/* While READY: as a socket, and as others see it */
guint hp_relay_get_number (const HpRelay *self);
const HpAddress *hp_relay_get_address (const HpRelay *self);
HpRelayTransport hp_relay_get_transport (const HpRelay *self);
const HpRelayServer *hp_relay_get_server (const HpRelay *self);
gint64 hp_relay_get_round_trip (const HpRelay *self); /* µs, or -1 */
/* Why there is none (now FAILED, or those that failed so far); NULL: nothing
 * speaks against it */
const GError *hp_relay_get_error (const HpRelay *self);
