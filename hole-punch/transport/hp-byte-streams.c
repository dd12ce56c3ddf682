/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-byte-streams.h"

#define OPENER_BIT 4

static void
free_stream (gpointer data)
{
  HpByteStream *stream = data;

  hp_byte_reader_clear (&stream->reader);
  hp_send_stream_unref (stream->sending);
  g_free (stream);
}

void
hp_byte_streams_init (HpByteStreams *self, HpSendQueue *sending,
                      HpReceivePool *pool, HpByteEvent event,
                      gpointer user_data)
{
  *self = (HpByteStreams){
    .sending = sending,
    .pool = pool,
    .event = event,
    .user_data = user_data,
    .table = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL,
                                    free_stream),
  };
  hp_receive_credit_init (&self->streams, HP_MAX_STREAMS, 0, 0);
}

void
hp_byte_streams_clear (HpByteStreams *self)
{
  g_clear_pointer (&self->table, g_hash_table_unref);
}

static HpByteStream *
create (HpByteStreams *self, guint64 number, gint64 now)
{
  HpByteStream *stream = g_new0 (HpByteStream, 1);

  stream->number = number;
  stream->sending = hp_send_stream_new_bytes (number);
  stream->news_link.data = stream;
  hp_byte_reader_init (&stream->reader, now);
  g_hash_table_insert (self->table, &stream->number, stream);
  return stream;
}

HpByteStream *
hp_byte_streams_lookup (HpByteStreams *self, guint64 number)
{
  if (self->recent == NULL || self->recent->number != number)
    self->recent = g_hash_table_lookup (self->table, &number);
  return self->recent;
}

static void
tell_news (HpByteStreams *self, HpByteStream *stream)
{
  if (stream->in_news)
    return;
  g_queue_push_tail_link (&self->news, &stream->news_link);
  stream->in_news = TRUE;
}

static void
leave_news (HpByteStreams *self, HpByteStream *stream)
{
  if (stream->in_news)
    g_queue_unlink (&self->news, &stream->news_link);
  stream->in_news = FALSE;
}

static gboolean
is_ours (const HpByteStreams *self, guint64 number)
{
  return (number & OPENER_BIT) == self->opener;
}

/* Frees it, if both halves are over */
static void
check_ended (HpByteStreams *self, HpByteStream *stream)
{
  if (!stream->is_received || !stream->is_sent)
    return;
  self->event (self->user_data, stream, HP_TRANSPORT_EVENT_STREAM_ENDED, 0);
  if (!is_ours (self, stream->number))
    hp_receive_credit_consume (&self->streams, 1);
  if (self->recent == stream)
    self->recent = NULL;
  g_hash_table_remove (self->table, &stream->number);
}

/* Nothing more of their half matters; may free @stream */
static void
end_received (HpByteStreams *self, HpByteStream *stream)
{
  if (stream->is_received)
    return;
  stream->is_received = TRUE;
  leave_news (self, stream);
  self->memory -= stream->reader.memory;
  hp_byte_reader_clear (&stream->reader);
  hp_receive_credit_end (&stream->reader.credit, self->pool);
  check_ended (self, stream);
}

/* Those that wait, as far as the other side lets us */
static void
open_waiting (HpByteStreams *self)
{
  while (self->n_opened < MIN (self->n_created, self->max_opened))
    {
      guint64 number = HP_STREAM_NUMBER (self->n_opened, HP_STREAM_BYTES)
                       | self->opener;
      HpByteStream *stream = hp_byte_streams_lookup (self, number);

      self->n_opened++;
      hp_send_queue_open_bytes (self->sending, stream->sending,
                                self->initial_limit, TRUE);
      if (stream->ending)
        hp_send_queue_reset (self->sending, stream->sending,
                             stream->reset_code);
      if (stream->is_stopped)
        tell_news (self, stream);
    }
}

void
hp_byte_streams_start (HpByteStreams *self, gboolean is_responder,
                       const HpParameters *theirs)
{
  self->opener = is_responder ? OPENER_BIT : 0;
  self->max_opened = theirs->max_streams;
  self->initial_limit = MIN (theirs->max_stream_data, HP_BYTE_WINDOW);
}

HpByteStream *
hp_byte_streams_open (HpByteStreams *self, gint64 now)
{
  HpByteStream *stream
      = create (self,
                HP_STREAM_NUMBER (self->n_created++, HP_STREAM_BYTES)
                    | self->opener,
                now);

  open_waiting (self);
  return stream;
}

static gboolean
may_write (const HpByteStream *stream)
{
  const HpSendStream *sending = stream->sending;

  return !stream->ending && !sending->finished
         && (sending->state == HP_SEND_WAITING
             || sending->state == HP_SEND_OPEN);
}

void
hp_byte_streams_write (HpByteStreams *self, HpByteStream *stream,
                       GBytes *bytes)
{
  if (may_write (stream))
    hp_send_queue_write (self->sending, stream->sending, bytes);
}

void
hp_byte_streams_finish (HpByteStreams *self, HpByteStream *stream)
{
  if (may_write (stream))
    hp_send_queue_finish (self->sending, stream->sending);
}

void
hp_byte_streams_reset (HpByteStreams *self, HpByteStream *stream, guint64 code)
{
  if (stream->sending->state == HP_SEND_OPEN)
    hp_send_queue_reset (self->sending, stream->sending, code);
  else if (stream->sending->state == HP_SEND_WAITING)
    {
      hp_send_stream_drop_bytes (stream->sending);
      stream->ending = TRUE;
      stream->reset_code = code;
    }
}

void
hp_byte_streams_stop (HpByteStreams *self, HpByteStream *stream, guint64 code)
{
  HpByteReader *reader = &stream->reader;

  if (stream->is_received || stream->is_stopped)
    return;
  stream->is_stopped = TRUE;
  stream->stop_code = code;
  if (reader->total != HP_BYTE_TOTAL_UNKNOWN)
    {
      end_received (self, stream);
      return;
    }
  self->memory -= reader->memory;
  hp_byte_reader_clear (reader);
  if (stream->sending->state != HP_SEND_WAITING)
    tell_news (self, stream);
}

/* May free @stream */
static void
check_read (HpByteStreams *self, HpByteStream *stream)
{
  if (stream->is_end_read
      && stream->reader.credit.consumed == stream->reader.total)
    end_received (self, stream);
}

GBytes *
hp_byte_streams_read (HpByteStreams *self, HpByteStream *stream,
                      gboolean *at_end)
{
  GBytes *bytes;

  *at_end = FALSE;
  if (stream->is_received || stream->is_stopped)
    return NULL;
  bytes = hp_byte_reader_read (&stream->reader);
  if (bytes != NULL)
    return bytes;
  stream->is_announced_readable = FALSE;
  stream->is_end_read = *at_end = hp_byte_reader_is_at_end (&stream->reader);
  check_read (self, stream);
  return NULL;
}

void
hp_byte_streams_consume (HpByteStreams *self, HpByteStream *stream,
                         gsize length, gint64 round_trip, gint64 now)
{
  HpByteReader *reader = &stream->reader;
  gsize memory = reader->memory;

  if (stream->is_received || stream->is_stopped)
    return;
  hp_byte_reader_consume (reader, length);
  self->memory -= memory - reader->memory;
  if (reader->total == HP_BYTE_TOTAL_UNKNOWN)
    {
      hp_receive_credit_tune (&reader->credit, self->pool, round_trip, now);
      if (hp_receive_credit_is_due (&reader->credit))
        tell_news (self, stream);
    }
  check_read (self, stream);
}

/* Opens what a number of theirs opens. @stream: NULL if it is over */
static gboolean
find (HpByteStreams *self, guint64 number, gint64 now, HpByteStream **stream)
{
  guint64 sequence = HP_STREAM_SEQUENCE (number);

  if (is_ours (self, number) && sequence >= self->n_opened)
    return FALSE;
  if (!is_ours (self, number) && sequence >= self->streams.told)
    return FALSE;
  while (!is_ours (self, number) && sequence >= self->streams.charged)
    {
      guint64 opened = HP_STREAM_NUMBER (self->streams.charged,
                                         HP_STREAM_BYTES)
                       | (self->opener ^ OPENER_BIT);
      HpByteStream *created = create (self, opened, now);

      self->streams.charged++;
      hp_send_queue_open_bytes (self->sending, created->sending,
                                self->initial_limit, FALSE);
      self->event (self->user_data, created,
                   HP_TRANSPORT_EVENT_STREAM_OPENED, 0);
    }
  *stream = hp_byte_streams_lookup (self, number);
  return TRUE;
}

/* What comes of one that nobody reads only tells how long it was. */
static gboolean
receive_stopped (HpByteStreams *self, HpByteStream *stream,
                 const HpChunkFrame *chunk)
{
  HpByteReader *reader = &stream->reader;
  guint64 end = chunk->offset + chunk->bytes.length;

  if (end > reader->credit.told
      || (chunk->fin && end < reader->credit.charged))
    return FALSE;
  reader->credit.charged = MAX (reader->credit.charged, end);
  if (chunk->fin)
    end_received (self, stream);
  return TRUE;
}

gboolean
hp_byte_streams_receive_chunk (HpByteStreams *self, const HpChunkFrame *chunk,
                               gint64 now)
{
  HpByteStream *stream;
  HpByteReader *reader;
  gsize memory;
  guint64 n_received;
  gboolean is_good;

  if (!find (self, chunk->stream, now, &stream))
    return FALSE;
  if (stream == NULL || stream->is_received)
    return TRUE;
  if (stream->is_stopped)
    return receive_stopped (self, stream, chunk);

  reader = &stream->reader;
  memory = reader->memory;
  n_received = reader->n_received;
  is_good = hp_byte_reader_add (reader, chunk);
  self->memory += reader->memory - memory;
  self->bytes_received += reader->n_received - n_received;
  if (!is_good)
    return FALSE;
  if (reader->total != HP_BYTE_TOTAL_UNKNOWN)
    leave_news (self, stream);
  if (!stream->is_announced_readable && hp_byte_reader_is_readable (reader))
    {
      stream->is_announced_readable = TRUE;
      self->event (self->user_data, stream,
                   HP_TRANSPORT_EVENT_STREAM_READABLE, 0);
    }
  return TRUE;
}

gboolean
hp_byte_streams_receive_reset (HpByteStreams *self, guint64 number,
                               guint64 code, guint64 final_size, gint64 now)
{
  HpByteStream *stream;

  if (!find (self, number, now, &stream))
    return FALSE;
  if (stream == NULL || stream->is_received)
    return TRUE;
  if (!hp_byte_reader_is_final (&stream->reader, final_size))
    return FALSE;
  /* Too late: all is there. */
  if (hp_byte_reader_is_complete (&stream->reader))
    return TRUE;
  if (!stream->is_stopped)
    self->event (self->user_data, stream, HP_TRANSPORT_EVENT_STREAM_RESET,
                 code);
  end_received (self, stream);
  return TRUE;
}

gboolean
hp_byte_streams_receive_stop (HpByteStreams *self, guint64 number,
                              guint64 code, gint64 now)
{
  HpByteStream *stream;

  if (!find (self, number, now, &stream))
    return FALSE;
  if (stream == NULL || stream->sending->state != HP_SEND_OPEN)
    return TRUE;
  hp_send_queue_reset (self->sending, stream->sending, code);
  self->event (self->user_data, stream, HP_TRANSPORT_EVENT_STREAM_STOPPED,
               code);
  return TRUE;
}

gboolean
hp_byte_streams_receive_max (HpByteStreams *self, guint64 number,
                             guint64 limit, gint64 now)
{
  HpByteStream *stream;

  if (!find (self, number, now, &stream))
    return FALSE;
  if (stream != NULL)
    hp_send_queue_raise_limit (self->sending, stream->sending, limit);
  return TRUE;
}

void
hp_byte_streams_receive_max_streams (HpByteStreams *self, guint64 maximum)
{
  self->max_opened = MAX (self->max_opened, maximum);
  open_waiting (self);
}

void
hp_byte_streams_bytes_acked (HpByteStreams *self, guint64 number,
                             guint64 length)
{
  HpByteStream *stream = hp_byte_streams_lookup (self, number);

  if (stream->acked != NULL)
    stream->acked->length += length;
  else
    self->event (self->user_data, stream, HP_TRANSPORT_EVENT_STREAM_ACKED,
                 length);
}

void
hp_byte_streams_bytes_ended (HpByteStreams *self, guint64 number,
                             gboolean was_reset)
{
  HpByteStream *stream = hp_byte_streams_lookup (self, number);

  if (!was_reset)
    self->event (self->user_data, stream, HP_TRANSPORT_EVENT_STREAM_SENT, 0);
  stream->is_sent = TRUE;
  check_ended (self, stream);
}

HpByteStream *
hp_byte_streams_next_news (HpByteStreams *self)
{
  return g_queue_peek_head (&self->news);
}

void
hp_byte_streams_news_sent (HpByteStreams *self, HpByteStream *stream)
{
  leave_news (self, stream);
  if (!stream->is_stopped)
    hp_receive_credit_tell (&stream->reader.credit);
}

void
hp_byte_streams_news_lost (HpByteStreams *self, guint64 number)
{
  HpByteStream *stream = hp_byte_streams_lookup (self, number);

  if (stream != NULL && !stream->is_received
      && (stream->is_stopped
          || stream->reader.total == HP_BYTE_TOTAL_UNKNOWN))
    tell_news (self, stream);
}
