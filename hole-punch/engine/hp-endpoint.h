/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The sockets of one node and everything that talks through them.
 *
 * Parties (links, match clients, a match service) are state machines without
 * I/O; the endpoint gives each the datagrams that are its own (by session
 * index, by ticket number), sends what they pull, and keeps one deadline
 * armed for all of them. It lives in one GMainContext, has one GSource however
 * many parties there are, and calls parties only from that source's dispatch:
 * whoever changes a party from outside says hp_endpoint_wake().
 *
 * A dispatch: receive a bounded batch → expire what is due → for each party
 * that was touched: pull and send until nothing is left (bounded; the rest in
 * the next dispatch), then its events. A party may be removed, and the
 * endpoint closed, from inside any of its own callbacks.
 */

#pragma once

#include <gio/gio.h>

#include "hole-punch/base/hp-outgoing.h"
#include "hole-punch/base/hp-random.h"

typedef struct _HpEndpoint HpEndpoint;
typedef struct _HpParty HpParty;

typedef struct
{
  const char *name;
  void (*receive) (HpParty *party, const HpDatagram *datagram, gint64 now);
  gboolean (*pull) (HpParty *party, HpOutgoing *outgoing, gint64 now);
  gint64 (*get_deadline) (HpParty *party, gint64 now);
  /* Now and then also too early: when it has got another deadline since the
   * endpoint last asked for it. */
  void (*expire) (HpParty *party, gint64 now);
  /* All state machines have been fed: tell the world. May do anything. */
  void (*deliver) (HpParty *party, gint64 now);
} HpPartyClass;

/* Ticket numbers of one party; a further one pushes out the oldest */
#define HP_PARTY_MAX_TICKETS 8

/* Embedded in its owner; the members belong to the endpoint */
struct _HpParty
{
  const HpPartyClass *klass;
  HpEndpoint *endpoint; /* NULL: not added, or removed */
  guint32 index;        /* even; index + 1 is the party's too; 0: none */
  guint position;       /* among the endpoint's parties */
  gint64 deadline;
  guint heap_position;  /* among the deadlines; 0: none */
  GList touched_link;
  gboolean is_touched;
  guint64 tickets[HP_PARTY_MAX_TICKETS];
  guint n_tickets; /* ever; they go round in @tickets */
};

typedef struct
{
  guint64 datagrams_sent, datagrams_received, bytes_sent, bytes_received;
  guint64 dropped_unknown_type, dropped_unknown_index, dropped_unclaimed,
      dropped_rate_limited, send_failures;
  /* To be sent by a socket or a carrier that was closed */
  guint64 dropped_closed_socket;
} HpEndpointStatistics;

/* Datagrams that belong to no party by index or ticket: HELLO, COOKIE, STUN,
 * INITIATION and PROBE with an unknown ticket, RESPONSE and DATA with an
 * unknown index. TRUE if it was somebody's. Called from the source's dispatch
 * as parties are. UNKNOWN is given to every party's receive() (rate-limited).
 */
typedef gboolean (*HpStrayFunc) (gpointer user_data,
                                 const HpDatagram *datagram, gint64 now);

/* Binds in the caller's thread-default context; see hp_udp_socket_new() */
HpEndpoint *hp_endpoint_new (const char *address, guint16 port,
                             HpStrayFunc stray, gpointer user_data,
                             GError **error);
/* The same, for another thread: all its sockets are at the addresses of those
 * that @first has by now, and have the same numbers. Of @n_shares endpoints it
 * gets what hp-udp-steering.h says is for @share, from 1 on; @first is 0. In
 * that order, in one thread, before any of them is dispatched. NOT_SUPPORTED:
 * the system has no such thing. */
HpEndpoint *hp_endpoint_new_sharing (HpEndpoint *first, guint share,
                                     guint n_shares, HpStrayFunc stray,
                                     gpointer user_data, GError **error);
HpEndpoint *hp_endpoint_ref (HpEndpoint *self);
void hp_endpoint_unref (HpEndpoint *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpEndpoint, hp_endpoint_unref)
/* Destroys source and sockets; parties are removed, stray is not called any
 * more. What parties still had to send is pulled and sent before, with at most
 * 2 s of waiting where the kernel does not take it. */
void hp_endpoint_close (HpEndpoint *self);

const HpAddress *hp_endpoint_get_address (const HpEndpoint *self);
gboolean hp_endpoint_has_ipv6 (const HpEndpoint *self);
/* The address that a datagram to @remote would leave from */
gboolean hp_endpoint_get_source (HpEndpoint *self, const HpAddress *remote,
                                 HpAddress *source);
/* UDP payload that the interface carries by which @route leaves; 0: not known,
 * as with a carrier's */
gsize hp_endpoint_get_interface_size (HpEndpoint *self, const HpRoute *route);
GMainContext *hp_endpoint_get_context (HpEndpoint *self);

/* What the kernel holds for it while nobody reads, bytes; 0: unknown */
gsize hp_endpoint_get_receive_buffer (const HpEndpoint *self);

/* Further sockets, hundreds if need be. HpRoute.socket is the number of the one
 * that a datagram came to, or is to leave by: 0 is the socket that the endpoint
 * was made with. A number is never used again. */

/* Bound as in hp_udp_socket_new(), NULL: to the address that socket 0 is bound
 * to; its number, 0: failed */
guint hp_endpoint_open_socket (HpEndpoint *self, const char *address,
                               guint16 port, GError **error);
/* At once, with what the kernel has not yet taken. Not socket 0; nothing is
 * done for one that is closed already. */
void hp_endpoint_close_socket (HpEndpoint *self, guint number);
/* What it is bound to; FALSE: closed, or a carrier */
gboolean hp_endpoint_get_socket_address (HpEndpoint *self, guint number,
                                         HpAddress *address);

/* A socket that is none: what is sent by it goes through a relay, and what
 * comes through the relay is injected. */
typedef struct _HpCarrier HpCarrier;

typedef struct
{
  const char *name;
  /* One datagram of whoever has pulled it: not to be kept longer than this,
   * nothing to be injected here; hp_endpoint_send() is fine. */
  void (*send) (HpCarrier *carrier, const HpOutgoing *outgoing, gint64 now);
} HpCarrierClass;

/* Embedded in its owner; the members belong to the endpoint */
struct _HpCarrier
{
  const HpCarrierClass *klass;
  HpEndpoint *endpoint; /* NULL: not added, removed, or the endpoint closed */
  guint number;
};

/* Its number among the sockets */
guint hp_endpoint_add_carrier (HpEndpoint *self, HpCarrier *carrier,
                               const HpCarrierClass *klass);
void hp_endpoint_remove_carrier (HpEndpoint *self, HpCarrier *carrier);
/* A datagram that came through a carrier, whose number its route tells, goes
 * the way of any other; the bytes may be changed. From where datagrams come in:
 * a party's receive(), stray(), or a source of the caller's own in the same
 * context. */
void hp_endpoint_inject (HpEndpoint *self, const HpDatagram *datagram);

/* A fresh, random, even session index, not 0 */
guint32 hp_endpoint_allocate_index (HpEndpoint *self);
/* @index 0: receives nothing by index */
void hp_endpoint_add_party (HpEndpoint *self, HpParty *party,
                            const HpPartyClass *klass, guint32 index);
/* Sends what it still has to send first; forgets its tickets */
void hp_endpoint_remove_party (HpEndpoint *self, HpParty *party);
/* INITIATION and PROBE with this ticket number are @party's */
void hp_endpoint_add_ticket (HpEndpoint *self, HpParty *party,
                             guint64 number);
/* @party has something to send, to tell, or a new deadline */
void hp_endpoint_wake (HpEndpoint *self, HpParty *party);
/* The same, and what it has to send first in a turn of the main loop goes at
 * once, if it can; what follows in that turn goes together. The party is not
 * told to deliver. Inside of its deliver(), too: an answer; else callbacks are
 * no place to hurry. */
void hp_endpoint_hurry (HpEndpoint *self, HpParty *party);
/* Sends one datagram now, by any socket, besides all parties (a COOKIE,
 * UNKNOWN, STUN) */
void hp_endpoint_send (HpEndpoint *self, const HpOutgoing *outgoing);
/* DATA with an unknown index that stray() does not claim is answered by
 * UNKNOWN (rate-limited); not at first */
void hp_endpoint_set_answer_unknown (HpEndpoint *self, gboolean answer);
/* What else is in its context has the same priority, and is to keep it: it does
 * not step back when it is busy; not at first */
void hp_endpoint_set_steadfast (HpEndpoint *self, gboolean is_steadfast);
/* After a small answer it may stay awake for a moment, to see what comes of it:
 * see hp-busy-poll.h. For whoever talks with few; not at first */
void hp_endpoint_set_busy_polling (HpEndpoint *self, gboolean is_busy_polling);
const HpEndpointStatistics *hp_endpoint_get_statistics (const HpEndpoint *self);
