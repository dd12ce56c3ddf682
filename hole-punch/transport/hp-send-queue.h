/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Messages on their way out, from being queued to the one end that each of
 * them has, and our halves of byte streams, from being opened: what is lost is
 * sent again before anything new.
 */

#pragma once

#include "hole-punch/transport/hp-send-schedule.h"
#include "hole-punch/transport/hp-transport.h"

typedef struct
{
  void (*delivered) (gpointer user_data, guint64 handle);
  void (*failed) (gpointer user_data, guint64 handle, HpSendFailure failure);
  /* Of a byte stream: @length more bytes have arrived, without a gap */
  void (*bytes_acked) (gpointer user_data, guint64 number, guint64 length);
  /* All of it, or its RESET, has */
  void (*bytes_ended) (gpointer user_data, guint64 number,
                       gboolean was_reset);
} HpSendObserver;

typedef struct
{
  const HpSendObserver *observer;
  gpointer user_data;
  HpSendSchedule schedule;
  gboolean started;
  guint64 max_message_size; /* the other side's */
  guint64 n_added;
  GHashTable *by_handle; /* owns the streams */
  GQueue lost;           /* with bytes to send again */
  GQueue resets;         /* whose RESET is to be sent */
  GSequence *expiries;
  guint64 queued_bytes;  /* of messages, neither acknowledged nor failed */
} HpSendQueue;

void hp_send_queue_init (HpSendQueue *self, const HpSendObserver *observer,
                         gpointer user_data);
void hp_send_queue_clear (HpSendQueue *self);
void hp_send_queue_start (HpSendQueue *self, const HpParameters *theirs);

/* The handle */
guint64 hp_send_queue_add (HpSendQueue *self, HpStreamKind kind, GBytes *bytes,
                           gint64 expires_at);
void hp_send_queue_cancel (HpSendQueue *self, guint64 handle);
/* Our half of a byte stream: the other side lets us send up to @limit.
 * @announce: it does not know of the stream yet. */
void hp_send_queue_open_bytes (HpSendQueue *self, HpSendStream *stream,
                               guint64 limit, gboolean announce);
void hp_send_queue_write (HpSendQueue *self, HpSendStream *stream,
                          GBytes *bytes);
void hp_send_queue_finish (HpSendQueue *self, HpSendStream *stream);
void hp_send_queue_reset (HpSendQueue *self, HpSendStream *stream,
                          guint64 code);
void hp_send_queue_raise_limit (HpSendQueue *self, HpSendStream *stream,
                                guint64 limit);
/* Messages, and RESETs of failed ones, that are not over */
guint hp_send_queue_get_n_streams (const HpSendQueue *self);
/* G_MAXINT64: nothing expires */
gint64 hp_send_queue_get_expiry (const HpSendQueue *self);
void hp_send_queue_expire (HpSendQueue *self, gint64 now);

/* What the other side says of streams. FALSE: it broke the protocol */
gboolean hp_send_queue_receive_stop (HpSendQueue *self, guint64 number,
                                     guint64 code) G_GNUC_WARN_UNUSED_RESULT;
gboolean hp_send_queue_receive_max (HpSendQueue *self, guint64 number,
                                    guint64 limit) G_GNUC_WARN_UNUSED_RESULT;

/* The stream whose RESET goes next, or NULL */
HpSendStream *hp_send_queue_next_reset (HpSendQueue *self);
void hp_send_queue_reset_sent (HpSendQueue *self, HpSendStream *stream);
/* The chunk that goes next, if one fits in @room bytes */
gboolean hp_send_queue_next_chunk (HpSendQueue *self, gsize room,
                                   HpSendChunk *chunk);
/* It took @size bytes of the packet */
void hp_send_queue_chunk_sent (HpSendQueue *self, const HpSendChunk *chunk,
                               gsize size);
/* Something could be sent, given a window */
gboolean hp_send_queue_has_more (const HpSendQueue *self);

/* The fate of what was sent */
void hp_send_queue_chunk_acked (HpSendQueue *self, HpSendStream *stream,
                                guint64 start, guint64 end);
void hp_send_queue_chunk_lost (HpSendQueue *self, HpSendStream *stream,
                               guint64 start, guint64 end);
/* Perhaps lost: a reliable one is sent again */
void hp_send_queue_chunk_probe (HpSendQueue *self, HpSendStream *stream,
                                guint64 start, guint64 end);
void hp_send_queue_reset_acked (HpSendQueue *self, HpSendStream *stream);
void hp_send_queue_reset_lost (HpSendQueue *self, HpSendStream *stream);
