/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The endpoint's inside, shared by its life (hp-endpoint.c) and its dispatch
 * (hp-endpoint-dispatch.c). */

#pragma once

#include "hole-punch/base/hp-rate-limiter.h"
#include "hole-punch/engine/hp-deadline-heap.h"
#include "hole-punch/engine/hp-send-batch.h"
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

/* What the kernel did not take: one batch, or two when a pull gave something
 * that did not go with the rest */
typedef struct
{
  HpOutgoing outgoing; /* what is left of it */
  gsize segment;
  guint8 bytes[];
} HpKept;

struct _HpEndpoint
{
  gatomicrefcount references;
  GMainContext *context;
  GSource *source;
  HpUdpSocket *socket;
  HpAddress address;
  gboolean has_ipv6;
  HpStrayFunc stray;
  gpointer user_data;
  gboolean is_closed;
  gboolean is_dispatching;
  gboolean is_receiving; /* the socket is in use */
  guint hurried_in; /* turn of the source: somebody was in a hurry */
  gboolean answers_unknown;
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
  GQueue kept; /* HpKept: what could not be sent yet */

  HpRateLimiter *unknown_answers;
  HpRateLimiter *unknown_hints;
  HpRateLimiter *unknown_hints_together;
  HpEndpointStatistics statistics;
};

/* The GSource's callback; @endpoint is the HpEndpoint */
void hp_endpoint_dispatch (gpointer endpoint, guint64 readable,
                           guint64 writable);
void hp_endpoint_touch (HpEndpoint *self, HpParty *party);
void hp_endpoint_untouch (HpEndpoint *self, HpParty *party);
/* Something is kept until the kernel takes it */
gboolean hp_endpoint_is_blocked (const HpEndpoint *self);
/* Datagrams of @segment bytes; see hp_udp_socket_send_segments() */
HpSendResult hp_endpoint_transmit (HpEndpoint *self, HpOutgoing *outgoing,
                                   gsize segment);
/* What a party that goes still had to say, as far as the kernel takes it;
 * FALSE: it went already, meanwhile */
gboolean hp_endpoint_flush (HpEndpoint *self, HpParty *party);
