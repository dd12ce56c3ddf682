/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Messages on their way in: credit, order, grants to large ones.
 *
 * A sequence number seen opens all below it of its kind: senders number
 * messages as they open them. So what is finished stays a few ranges, as each
 * hole in them has cost its sender the price of an open stream.
 */

#pragma once

#include "hole-punch/transport/hp-reassembler.h"
#include "hole-punch/transport/hp-receive-credit.h"

#define HP_N_RECEIVE_KINDS 3

typedef enum
{
  HP_RECEIVE_ACTIVE,
  HP_RECEIVE_COMPLETE, /* ordered, and another comes before */
  HP_RECEIVE_REFUSED,  /* until the other side resets it */
} HpReceiveState;

typedef struct
{
  guint64 number;
  HpReceiveState state;
  HpReassembler assembler;
  guint64 charged; /* connection credit */
  guint64 pooled;  /* of the pool for large messages */
  GList grant_link;
  GList news_link;
  gboolean in_grants;
  gboolean in_news;
} HpReceiveStream;

/* A whole message; hp_receive_queue_consume() gives back what it holds. */
typedef struct
{
  guint64 number;
  GBytes *bytes;
  guint64 charged;
  guint64 pooled;
} HpReceivedMessage;

typedef struct
{
  guint64 n_opened;
  HpRanges finished;
} HpReceiveKind;

typedef struct
{
  void (*deliver) (gpointer user_data, const HpReceivedMessage *message);
  gpointer user_data;
  guint64 max_message_size;
  HpReceiveCredit credit;
  HpReceivePool pool; /* for large messages */
  HpReceiveKind kinds[HP_N_RECEIVE_KINDS];
  GHashTable *streams;    /* by number, owned */
  HpReceiveStream *recent; /* the last one looked up */
  guint64 next_delivered; /* ordered sequence numbers */
  guint64 next_granted;
  GQueue grants;          /* waiting for the pool, oldest first */
  GQueue news;            /* the other side is to hear of them */
  gsize memory;           /* buffers, and messages not consumed */
  guint64 bytes_received;
} HpReceiveQueue;

void hp_receive_queue_init (HpReceiveQueue *self, guint64 window,
                            guint64 max_message_size,
                            void (*deliver) (gpointer,
                                             const HpReceivedMessage *),
                            gpointer user_data);
void hp_receive_queue_clear (HpReceiveQueue *self);
/* FALSE: the other side broke the protocol */
gboolean hp_receive_queue_chunk (HpReceiveQueue *self,
                                 const HpChunkFrame *chunk)
    G_GNUC_WARN_UNUSED_RESULT;
gboolean hp_receive_queue_reset (HpReceiveQueue *self, guint64 number,
                                 guint64 final_size)
    G_GNUC_WARN_UNUSED_RESULT;
/* The user has taken the message. */
void hp_receive_queue_consume (HpReceiveQueue *self,
                               const HpReceivedMessage *message);

/* The stream for which a STOP (if it is refused) or a MAX_STREAM_DATA is to
 * be sent, or NULL */
HpReceiveStream *hp_receive_queue_next_news (HpReceiveQueue *self);
void hp_receive_queue_news_sent (HpReceiveQueue *self,
                                 HpReceiveStream *stream);
/* It got lost: again, if it is news still */
void hp_receive_queue_news_lost (HpReceiveQueue *self, guint64 number);
