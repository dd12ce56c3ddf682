/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* HELLO until a COOKIE comes: how a node begins with a match server, and with
 * a peer in a direct call; and how it has an address of its own proven (a
 * server's COOKIE for that address is the proof of a candidate). No I/O, no
 * clock: one greeter greets one address.
 */

#pragma once

#include "hole-punch/base/hp-outgoing.h"
#include "hole-punch/secure/hp-cookie.h"

typedef struct
{
  HpRoute route;
  guint8 transaction[HP_TRANSACTION_SIZE];
  gboolean has_remote_public; /* proves that we know it (direct calls) */
  guint8 remote_public[HP_KEY_SIZE];
  gint64 next_at;  /* when to send (again); G_MAXINT64: not running */
  gint64 interval; /* 250 ms, doubling to 4 s */
  gint64 sent_at;
} HpGreeter;

void hp_greeter_init (HpGreeter *self, const HpRoute *route,
                      const guint8 *remote_public, /* (nullable) */
                      const HpRandom *random, gint64 now);
/* Begins a new exchange (a fresh transaction) at @at */
void hp_greeter_start (HpGreeter *self, const HpRandom *random, gint64 at);
/* A COOKIE is likely to be there after @interval, if less than the first one:
 * then it repeats sooner */
void hp_greeter_hurry (HpGreeter *self, gint64 interval);
void hp_greeter_stop (HpGreeter *self);
gboolean hp_greeter_pull (HpGreeter *self, HpOutgoing *outgoing, gint64 now);
/* A COOKIE with our transaction, from where we sent to: gives it and the round
 * trip (µs), and stops. FALSE: not ours. */
gboolean hp_greeter_receive (HpGreeter *self, const HpDatagram *datagram,
                             gint64 now, HpCookiePacket *cookie,
                             gint64 *round_trip) G_GNUC_WARN_UNUSED_RESULT;
