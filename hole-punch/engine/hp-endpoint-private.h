/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The endpoint's inside, shared by its life (hp-endpoint.c), its sockets
 * (hp-endpoint-sockets.c), its dispatch (hp-endpoint-dispatch.c), and whose
 * what comes in is (hp-endpoint-receive.c). */

#pragma once

#include "hole-punch/base/hp-rate-limiter.h"
#include "hole-punch/engine/hp-busy-poll.h"
#include "hole-punch/engine/hp-deadline-heap.h"
#include "hole-punch/engine/hp-endpoint.h"
#include "hole-punch/engine/hp-send-batch.h"
#include "hole-punch/io/hp-udp-set.h"
#include "hole-punch/io/hp-udp-socket.h"

/* A party's callback that is running: tells whether the party is still there
 * when it returns */
typedef struct _HpCall HpCall;
struct _HpCall
{
  HpParty *party; /* NULL: removed meanwhile */
  gboolean is_pull;
  HpCall *outer;
};

/* What the kernel did not take: what goes one way of a batch */
typedef struct
{
  HpOutgoing outgoing; /* what is left of it */
  gsize segment;
  guint8 bytes[];
} HpKept;

typedef struct
{
  guint number;
  HpUdpSocket *socket;
  GQueue kept; /* HpKept: what could not be sent yet */
  gboolean is_closed; /* while it is received from: to be freed then */
} HpEndpointSocket;

/* What the source tells of, in the order of adding */
#define HP_ENDPOINT_MAIN (1 << 0)
#define HP_ENDPOINT_FURTHER (1 << 1)

struct _HpEndpoint
{
  gatomicrefcount references;
  GMainContext *context;
  GSource *source;
  HpEndpointSocket main; /* socket 0 */
  GHashTable *further;   /* number → HpEndpointSocket */
  HpUdpSet *set;         /* of the further ones; NULL: there was none yet */
  GHashTable *carriers;  /* number → HpCarrier */
  guint last_number;
  guint n_blocked; /* sockets that keep something */
  gint64 patience; /* µs to wait yet for what is kept; 0 unless closing */
  HpAddress address;
  gboolean has_ipv6;
  HpStrayFunc stray;
  gpointer user_data;
  gboolean is_closed;
  gboolean is_dispatching;
  HpEndpointSocket *receiving; /* the one in use; NULL: none */
  guint receive_quota; /* of socket 0, before the clock is looked at */
  guint n_in_carriers; /* sends that are running */
  guint hurried_in; /* turn of the source: somebody was in a hurry */
  gboolean answers_unknown;
  gboolean is_steadfast;
  gboolean is_busy_polling;
  HpBusyPoll busy_poll;
  guint lulls; /* dispatches in a row that left nothing over */
  gint64 now; /* of what is being done */

  GPtrArray *parties;
  GHashTable *by_index;  /* index / 2 → HpParty */
  HpParty *last_party;   /* found by index last; NULL: none */
  GHashTable *by_ticket; /* guint64 in the party → HpParty */
  HpDeadlineHeap deadlines;
  GQueue touched;
  HpCall *calls;

  HpSendBatch batch;

  HpRateLimiter *unknown_answers;
  HpRateLimiter *unknown_hints;
  HpRateLimiter *unknown_hints_together;
  HpEndpointStatistics statistics;
};

/* The GSource's callback; @endpoint is the HpEndpoint */
void hp_endpoint_dispatch (gpointer endpoint, guint64 readable,
                           guint64 writable);
/* A datagram that came in; @endpoint is the HpEndpoint */
void hp_endpoint_take (gpointer endpoint, const HpDatagram *datagram);
/* Around each callback of a party; FALSE: the party is gone */
void hp_endpoint_enter (HpEndpoint *self, HpCall *call, HpParty *party,
                        gboolean is_pull);
gboolean hp_endpoint_leave (HpEndpoint *self, HpCall *call);
void hp_endpoint_touch (HpEndpoint *self, HpParty *party);
void hp_endpoint_untouch (HpEndpoint *self, HpParty *party);
/* What a party that goes still had to say, as far as the kernel takes it, for
 * which it waits while the endpoint is closing; FALSE: it went already,
 * meanwhile */
gboolean hp_endpoint_flush (HpEndpoint *self, HpParty *party);

/* Something is kept until the kernel takes it: no party is asked for more.
 * They cannot know by which socket the next one will leave. */
gboolean hp_endpoint_is_blocked (const HpEndpoint *self);
/* Waits for that while there is patience, which it takes from; FALSE: it is
 * blocked still */
gboolean hp_endpoint_unblock (HpEndpoint *self);
/* Datagrams of @segment bytes; see hp_udp_socket_send_segments(). What does
 * not go yet is kept. */
void hp_endpoint_send_segments (HpEndpoint *self, HpOutgoing *outgoing,
                                gsize segment);
/* The same of many, which may go by several sockets */
void hp_endpoint_send_runs (HpEndpoint *self, HpUdpRun *runs, guint n);
void hp_endpoint_send_kept (HpEndpoint *self, HpEndpointSocket *socket);
/* A turn of the sockets that have something, within these bounds; FALSE:
 * something may be left */
gboolean hp_endpoint_receive_from_further (HpEndpoint *self, guint most,
                                           gint64 until);
/* All of @first's, with their numbers */
gboolean hp_endpoint_share_further (HpEndpoint *self, HpEndpoint *first,
                                    guint share, guint n_shares,
                                    GError **error);
void hp_endpoint_close_sockets (HpEndpoint *self);
