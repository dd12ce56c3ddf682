/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Whose turn it is: which message may be opened, and which opened one sends
 * its next bytes.
 *
 * Flows take turns by start-time fair queueing (Goyal, Vin, Cheng): what a flow
 * sends moves its next turn on in virtual time, the less the greater its
 * weight; the flow with the lowest turn goes next, and one that had nothing to
 * send for a while goes at once, but gets no more for having waited. All
 * ordered messages are one flow, as they are delivered one after the other
 * anyway; of the others, each large one is a flow, and those of up to 1 KiB and
 * up to 64 KiB form one each; so is each byte stream. So nothing small waits
 * for anything large of another order.
 *
 *   message -> flow -+-> waiting -> rotating -> sent
 *                    +-> gated -----^
 *
 * Opening takes connection credit for all that needs no grant (the stream's
 * cost), so that what was opened can also be finished, and no number of
 * half-sent messages can hold each other up. Flows stand in line for credit,
 * one message of each at a time, first come first served. Messages that
 * must wait for a grant, or for an ordered message that does, may hold just a
 * part of the credit (the gate), so that the rest keeps going round.
 *
 * Numbers are given at opening: a message that fails before leaves no trace.
 * Byte streams are numbered and opened by others: here they only take turns.
 */

#pragma once

#include "hole-punch/transport/hp-send-stream.h"

#define HP_N_MESSAGE_KINDS 3
#define HP_N_SHARED_FLOWS 5

typedef struct
{
  guint64 ended;         /* credit that is the other side's again, or will be
                            as soon as its user takes what came */
  guint64 window;        /* the most credit that was left and held at once */
  guint64 max_data;      /* and up to now */
  guint64 used;
  guint64 initial_limit; /* credit of each new stream */
  guint64 n_opened[HP_N_MESSAGE_KINDS];
  GHashTable *by_number; /* open or reset */
  HpSendFlow flows[HP_N_SHARED_FLOWS];
  GQueue places[HP_N_FLOW_PLACES]; /* rotating ones by their turn */
  guint64 turn;                    /* virtual time: the last one's turn */
  GQueue ordered; /* open ones, those behind an unfinished one too */
  guint64 ordered_cost;
  guint n_ordered_large;
  guint64 large_cost; /* of large ones that are not ordered */
} HpSendSchedule;

void hp_send_schedule_init (HpSendSchedule *self);
void hp_send_schedule_clear (HpSendSchedule *self);
/* What the other side told in the handshake. Nothing opens before. */
void hp_send_schedule_start (HpSendSchedule *self, guint64 max_data,
                             guint64 initial_limit);
void hp_send_schedule_raise_max_data (HpSendSchedule *self, guint64 max_data);
HpSendStream *hp_send_schedule_lookup (HpSendSchedule *self, guint64 number);
gboolean hp_send_schedule_was_opened (const HpSendSchedule *self,
                                      guint64 number);

void hp_send_schedule_add (HpSendSchedule *self, HpSendStream *stream);
/* No more of it is to be sent */
void hp_send_schedule_remove (HpSendSchedule *self, HpSendStream *stream);
void hp_send_schedule_raise_limit (HpSendSchedule *self, HpSendStream *stream,
                                   guint64 limit);
/* There may be more of an open byte stream to send. */
void hp_send_schedule_refresh (HpSendSchedule *self, HpSendStream *stream);
/* The other side has all of an opened message, or its RESET */
void hp_send_schedule_ended (HpSendSchedule *self, HpSendStream *stream);

/* The stream to send fresh bytes of, or NULL */
HpSendStream *hp_send_schedule_next (HpSendSchedule *self);
gboolean hp_send_schedule_has_next (const HpSendSchedule *self);
void hp_send_schedule_sent (HpSendSchedule *self, HpSendStream *stream,
                            gsize size);
