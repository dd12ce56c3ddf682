/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One message, or our half of a byte stream, on its way out: what of it was
 * never sent, is lost, or has arrived.
 *
 * Offsets are of its bytes and one virtual byte behind them, the FIN, so that
 * an empty message has something to lose and to resend, too. The chunk that
 * ends where the message ends always carries the FIN. A byte stream has its FIN
 * when it is finished; until then its length grows, and a new one that says
 * nothing yet is announced by an empty chunk.
 */

#pragma once

#include "hole-punch/transport/hp-send-buffer.h"
#include "hole-punch/wire/hp-frame.h"

typedef enum
{
  HP_SEND_WAITING, /* nobody on the other side knows of it */
  HP_SEND_OPEN,    /* has a number and connection credit */
  HP_SEND_RESET,   /* failed; until the other side has the RESET */
  HP_SEND_ENDED,
} HpSendState;

/* Where a flow stands */
typedef enum
{
  HP_FLOW_IDLE,     /* nothing in it may be sent */
  HP_FLOW_ROTATING, /* takes turns with the others */
  HP_FLOW_WAITING,  /* in line for connection credit to open its head */
  HP_FLOW_GATED,    /* its head would hold too much of that credit */
  HP_N_FLOW_PLACES,
} HpFlowPlace;

/* Streams that take turns as one, each in full before the next */
typedef struct
{
  GQueue streams; /* with never-sent bytes that may be sent; not opened yet */
  GList link;     /* in the queue of its place */
  HpFlowPlace place;
  guint64 turn; /* in virtual time: the lowest goes next */
  guint weight;
} HpSendFlow;

typedef struct
{
  guint n_references;
  guint64 handle; /* what the user knows it by */
  guint64 number; /* on the wire, once open */
  HpStreamKind kind;
  HpSendState state;

  GBytes *bytes; /* of a message; NULL once ended */
  HpSendBuffer buffer; /* of a byte stream */
  guint64 length;
  gboolean finished; /* there is a FIN behind @length */
  gboolean must_announce;
  gboolean is_known; /* the other side has acknowledged something of it */
  guint64 released;  /* before this all has arrived */
  guint64 fresh; /* what was never sent starts here */
  guint64 limit; /* the stream's own credit */
  guint64 n_acked; /* bytes, without the FIN */
  gboolean is_acked_at_once; /* in a single piece: @acked has nothing */
  HpRanges acked;
  HpRanges lost;

  guint64 cost;  /* connection credit taken */
  guint64 reset_code;
  guint64 final_size;
  gint64 expires_at; /* 0: never */
  GSequenceIter *expiry;

  HpSendFlow *flow;
  HpSendFlow own_flow; /* of a large message that waits for no other */
  GList flow_link;
  GList lost_link;
  GList reset_link;
  GList order_link;
  gboolean in_flow;
  gboolean in_lost;
  gboolean in_reset;
} HpSendStream;

typedef struct
{
  HpSendStream *stream;
  const guint8 *data;
  gsize length;
  guint64 start;
  guint64 end; /* with the FIN's virtual byte, if it is there */
  gboolean fin;
  gboolean is_lost; /* sent before */
} HpSendChunk;

HpSendStream *hp_send_stream_new (guint64 handle, HpStreamKind kind,
                                  GBytes *bytes, gint64 expires_at);
/* Our half of a byte stream */
HpSendStream *hp_send_stream_new_bytes (guint64 number);
HpSendStream *hp_send_stream_ref (HpSendStream *self);
void hp_send_stream_unref (HpSendStream *self);
/* Lets go of the user's bytes */
void hp_send_stream_drop_bytes (HpSendStream *self);
/* Of a byte stream */
void hp_send_stream_append (HpSendStream *self, GBytes *bytes);

/* Something never sent is within the stream's credit */
gboolean hp_send_stream_has_fresh (const HpSendStream *self);
/* Picks lost bytes, or else fresh ones, that fit in @room bytes of a packet.
 * FALSE: there are none, or the room is too small to be worth it. */
gboolean hp_send_stream_pick (HpSendStream *self, gboolean lost, gsize room,
                              HpSendChunk *chunk);
void hp_send_stream_take (HpSendStream *self, const HpSendChunk *chunk);
/* How many of the bytes (the FIN is none) were new */
guint64 hp_send_stream_acked (HpSendStream *self, guint64 start, guint64 end);
gboolean hp_send_stream_is_acked (const HpSendStream *self);
void hp_send_stream_lost (HpSendStream *self, guint64 start, guint64 end);
