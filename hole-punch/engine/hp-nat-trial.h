/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Whom a NAT lets in at a fresh socket, tried out with a match server's help:
 *
 *   socket  ── HELLO ──▸ server
 *           ◂─ COOKIE ──            proves the socket's public address
 *              (a silence)
 *   session ── KNOCK ──▸ server     "knock there, from here and from there"
 *           ◂─ KNOCKED ──           it did
 *   socket  ◂─ Binding indication   or the NAT has kept it out
 *
 * The socket has never sent to the server's other port and host, whatever the
 * others have. Nothing that comes means a lot, so the knocks are repeated, and
 * those that the server did not tell of do not count. No I/O.
 */

#pragma once

#include "hole-punch/link/hp-greeter.h"
#include "hole-punch/wire/hp-frame.h"

#define HP_NAT_TRIAL_MAX_KNOCKS 6

typedef struct
{
  HpRandom random;
  guint socket; /* 0: no trial under way */
  guint flags;  /* HP_KNOCK_…: from where */
  gint64 silence;
  HpGreeter greeter;
  HpFrame knock;
  guint n_knocks; /* asked for; the transaction's last byte counts them */
  gint64 due_at;  /* the next one, or the end */
  guint heard[HP_NAT_TRIAL_MAX_KNOCKS]; /* whether the server told of it */
  guint n_heard;
  gint64 heard_at; /* the last time */
  guint made;      /* HP_KNOCK_…: what the server said that it did */
  guint passed;    /* HP_KNOCK_…: what came in */
} HpNatTrial;

typedef enum
{
  HP_NAT_TRIAL_OPEN,    /* not over yet */
  HP_NAT_TRIAL_CERTAIN, /* what did not pass was kept out */
  HP_NAT_TRIAL_UNCERTAIN,
} HpNatTrialState;

void hp_nat_trial_init (HpNatTrial *self, const HpRandom *random);
/* @socket: a fresh one, that may have sent to @server and nowhere else */
void hp_nat_trial_begin (HpNatTrial *self, guint socket,
                         const HpAddress *server, guint flags, gint64 silence,
                         gint64 now);
void hp_nat_trial_stop (HpNatTrial *self);
gboolean hp_nat_trial_pull (HpNatTrial *self, HpOutgoing *outgoing,
                            gint64 now);
/* TRUE: it was for it */
gboolean hp_nat_trial_receive (HpNatTrial *self, const HpDatagram *datagram,
                               gint64 now);
/* The KNOCK that is due; NULL: none. Valid until the next call */
const HpFrame *hp_nat_trial_next_knock (HpNatTrial *self, gint64 now);
/* The server's KNOCKED */
void hp_nat_trial_knocked (HpNatTrial *self,
                           const guint8 transaction[HP_STUN_TRANSACTION_SIZE],
                           guint64 flags, gint64 now);
HpNatTrialState hp_nat_trial_get_state (const HpNatTrial *self, gint64 now);
gint64 hp_nat_trial_get_deadline (const HpNatTrial *self);
