/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One STUN request and its repeats (RFC 8489, section 6.2): over UDP at 0, 1,
 * 3, 7, 15, 31 and 63 times the interval, given up 16 intervals after the last;
 * over a stream once, given up after 39.5 s.
 */

#pragma once

#include "hole-punch/base/hp-random.h"
#include "hole-punch/wire/hp-turn.h"

/* RTO, until a round trip has been measured; then two of those, but no less
 * than the smallest */
#define HP_TURN_FIRST_INTERVAL (500 * G_TIME_SPAN_MILLISECOND)
#define HP_TURN_MIN_INTERVAL (100 * G_TIME_SPAN_MILLISECOND)
#define HP_TURN_MAX_SENDS 7           /* Rc */
#define HP_TURN_LAST_WAIT 16          /* Rm */
#define HP_TURN_STREAM_TIMEOUT (39500 * G_TIME_SPAN_MILLISECOND) /* Ti */

typedef struct
{
  gboolean is_active;
  HpTurnRequest request;
  gint64 interval; /* until the next repeat; 0: over a stream */
  gint64 first_interval;
  gint64 send_at;  /* G_MAXINT64: not again */
  gint64 give_up_at;
  gint64 sent_at; /* the only time; 0: none, or several (Karn) */
  guint n_sent;
  guint n_renewed; /* told to use another nonce */
} HpTurnTransaction;

/* @request's transaction id is drawn here. @interval 0: over a stream */
void hp_turn_transaction_start (HpTurnTransaction *self,
                                const HpTurnRequest *request, gint64 interval,
                                const HpRandom *random, gint64 now);
/* The same question anew: the server wants another nonce */
void hp_turn_transaction_renew (HpTurnTransaction *self,
                                const HpRandom *random, gint64 now);
void hp_turn_transaction_stop (HpTurnTransaction *self);
gboolean hp_turn_transaction_is_due (const HpTurnTransaction *self,
                                     gint64 now);
void hp_turn_transaction_sent (HpTurnTransaction *self, gint64 now);
gboolean hp_turn_transaction_is_over (const HpTurnTransaction *self,
                                      gint64 now);
gboolean hp_turn_transaction_has_id (const HpTurnTransaction *self,
                                     const guint8 *id);
gint64 hp_turn_transaction_get_deadline (const HpTurnTransaction *self);
