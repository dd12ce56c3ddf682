/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* All byte streams of a connection, ours and the other side's: numbers, which
 * are open, and what happens to their halves.
 *
 * Each has a half that goes out, in the send queue, and one that comes in. Both
 * sides number what they open, from zero and without gaps; a number seen opens
 * all below it. How many may be open at once the other side says (MAX_STREAMS,
 * cumulative); what is more waits for its turn, with what is written to it.
 *
 * A stream is over when both halves are: ours when all was acknowledged, or its
 * RESET was; theirs when it was read to its end and consumed, was reset, or,
 * when we have stopped it, as soon as its final size is known. Only then
 * another may be opened in its place.
 */

#pragma once

#include "hole-punch/transport/hp-byte-reader.h"
#include "hole-punch/transport/hp-send-queue.h"
#include "hole-punch/transport/hp-transport.h"

/* Open at once, of each side's */
#define HP_MAX_STREAMS 512

typedef struct
{
  guint64 number;
  HpSendStream *sending;
  HpByteReader reader;
  gboolean ending; /* of ours that waits: to be reset once it is open … */
  guint64 reset_code; /* … with this */
  gboolean is_announced_readable;
  gboolean is_end_read;
  gboolean is_stopped; /* by us */
  guint64 stop_code;
  gboolean is_received; /* their half is over */
  gboolean is_sent;     /* ours is */
  GList news_link;
  gboolean in_news;
  HpTransportEvent *acked; /* not taken yet: more is added to it */
} HpByteStream;

/* @value: of ACKED the length, of RESET and STOPPED the code */
typedef void (*HpByteEvent) (gpointer user_data, HpByteStream *stream,
                             HpTransportEventType type, guint64 value);

typedef struct
{
  HpSendQueue *sending;
  HpReceivePool *pool; /* for windows to grow */
  HpByteEvent event;
  gpointer user_data;
  guint64 opener; /* the bit of those that we open */
  guint64 n_created; /* ours, numbered … */
  guint64 n_opened;  /* … and of these, opened */
  guint64 max_opened;
  guint64 initial_limit;
  HpReceiveCredit streams; /* theirs, counted */
  GHashTable *table; /* by number, owned: all but those that are over */
  HpByteStream *recent; /* the last one looked up */
  GQueue news; /* those of which a MAX_STREAM_DATA or STOP is due */
  gsize memory;
  guint64 bytes_received;
} HpByteStreams;

void hp_byte_streams_init (HpByteStreams *self, HpSendQueue *sending,
                           HpReceivePool *pool, HpByteEvent event,
                           gpointer user_data);
void hp_byte_streams_clear (HpByteStreams *self);
void hp_byte_streams_start (HpByteStreams *self, gboolean is_responder,
                            const HpParameters *theirs);
/* NULL: it is over, or was never there */
HpByteStream *hp_byte_streams_lookup (HpByteStreams *self, guint64 number);

/* Our user */
HpByteStream *hp_byte_streams_open (HpByteStreams *self, gint64 now);
void hp_byte_streams_write (HpByteStreams *self, HpByteStream *stream,
                            GBytes *bytes);
void hp_byte_streams_finish (HpByteStreams *self, HpByteStream *stream);
void hp_byte_streams_reset (HpByteStreams *self, HpByteStream *stream,
                            guint64 code);
void hp_byte_streams_stop (HpByteStreams *self, HpByteStream *stream,
                           guint64 code);
GBytes *hp_byte_streams_read (HpByteStreams *self, HpByteStream *stream,
                              gboolean *at_end);
void hp_byte_streams_consume (HpByteStreams *self, HpByteStream *stream,
                              gsize length, gint64 round_trip, gint64 now);

/* The other side. FALSE: it broke the protocol */
gboolean hp_byte_streams_receive_chunk (HpByteStreams *self,
                                        const HpChunkFrame *chunk, gint64 now)
    G_GNUC_WARN_UNUSED_RESULT;
gboolean hp_byte_streams_receive_reset (HpByteStreams *self, guint64 number,
                                        guint64 code, guint64 final_size,
                                        gint64 now)
    G_GNUC_WARN_UNUSED_RESULT;
gboolean hp_byte_streams_receive_stop (HpByteStreams *self, guint64 number,
                                       guint64 code, gint64 now)
    G_GNUC_WARN_UNUSED_RESULT;
gboolean hp_byte_streams_receive_max (HpByteStreams *self, guint64 number,
                                      guint64 limit, gint64 now)
    G_GNUC_WARN_UNUSED_RESULT;
void hp_byte_streams_receive_max_streams (HpByteStreams *self,
                                          guint64 maximum);

/* What the send queue says of our half */
void hp_byte_streams_bytes_acked (HpByteStreams *self, guint64 number,
                                  guint64 length);
void hp_byte_streams_bytes_ended (HpByteStreams *self, guint64 number,
                                  gboolean was_reset);

/* The stream of which a STOP (if it is stopped) or else a MAX_STREAM_DATA is to
 * be sent, or NULL */
HpByteStream *hp_byte_streams_next_news (HpByteStreams *self);
void hp_byte_streams_news_sent (HpByteStreams *self, HpByteStream *stream);
/* It got lost: again, if it is news still */
void hp_byte_streams_news_lost (HpByteStreams *self, guint64 number);
