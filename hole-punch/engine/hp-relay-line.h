/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One way to one TURN server: a TURN client and what carries it, the endpoint's
 * main socket or a stream. It lives in its owner's party.
 */

#pragma once

#include "hole-punch/engine/hp-endpoint.h"
#include "hole-punch/engine/hp-relay-server.h"
#include "hole-punch/nat/hp-turn-client.h"

typedef struct _HpRelayLine HpRelayLine;

typedef struct
{
  HpEndpoint *endpoint;
  HpParty *party;         /* woken when there is something to do */
  GTlsDatabase *database; /* NULL: the system's */
  guint32 lifetime;       /* to ask for, seconds; 0: the server's choice */
  /* Data that came through; the line may be freed by it */
  void (*received) (gpointer user_data, HpRelayLine *line,
                    const HpAddress *peer, guint8 *data, gsize length);
  /* UDP: the server's name has an address of the other family, too */
  void (*found) (gpointer user_data, HpRelayLine *line,
                 const HpAddress *address);
  gpointer user_data;
} HpRelayLineOwner;

/* Over UDP it looks the server up and inquires, and waits for its start; a
 * stream begins at once. */
HpRelayLine *hp_relay_line_new (const HpRelayServer *server,
                                const HpRelayLineOwner *owner);
/* UDP: once; before, hp_relay_line_inquire() learns the server's mind anew,
 * unless it has said nothing so far */
void hp_relay_line_start (HpRelayLine *self, gint64 now);
void hp_relay_line_inquire (HpRelayLine *self, gint64 now);
/* Has the allocation given back, as far as the network takes it by the next
 * pull; nothing comes any more */
void hp_relay_line_close (HpRelayLine *self, gint64 now);
void hp_relay_line_unref (HpRelayLine *self);

/* TRUE: it came from this server, for this client */
gboolean hp_relay_line_receive (HpRelayLine *self, const HpDatagram *datagram,
                                gint64 now);
void hp_relay_line_send (HpRelayLine *self, const HpOutgoing *outgoing,
                         gint64 now);
void hp_relay_line_permit (HpRelayLine *self, const HpAddress *peer,
                           gint64 now);
/* Over UDP the next datagram; over a stream what is queued is written, and it
 * gives FALSE */
gboolean hp_relay_line_pull (HpRelayLine *self, HpOutgoing *outgoing,
                             gint64 now);
gint64 hp_relay_line_get_deadline (const HpRelayLine *self);
void hp_relay_line_expire (HpRelayLine *self, gint64 now);

const HpRelayServer *hp_relay_line_get_server (const HpRelayLine *self);
const HpTurnClient *hp_relay_line_get_client (const HpRelayLine *self);
/* Why it has failed; NULL: it has not */
const GError *hp_relay_line_get_error (HpRelayLine *self);
