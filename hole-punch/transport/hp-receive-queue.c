/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-receive-queue.h"

#include "hole-punch/transport/hp-transport.h"

/* What every stream is charged: for being open, and for its FIN */
#define BASE_COST (HP_STREAM_OPEN_COST + 1)

static void
free_stream (gpointer data)
{
  HpReceiveStream *stream = data;

  hp_reassembler_clear (&stream->assembler);
  g_free (stream);
}

void
hp_receive_queue_init (HpReceiveQueue *self, guint64 window,
                       guint64 max_message_size,
                       void (*deliver) (gpointer, const HpReceivedMessage *),
                       gpointer user_data)
{
  *self = (HpReceiveQueue){
    .deliver = deliver,
    .user_data = user_data,
    .max_message_size = max_message_size,
    .streams = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL,
                                      free_stream),
  };
  hp_receive_credit_init (&self->credit,
                          window != 0 ? window : HP_RECEIVE_WINDOW_DEFAULT,
                          BASE_COST
                              + MIN (max_message_size,
                                     HP_STREAM_INITIAL_CREDIT),
                          0);
  self->pool.size = max_message_size;
}

void
hp_receive_queue_clear (HpReceiveQueue *self)
{
  g_clear_pointer (&self->streams, g_hash_table_unref);
  for (guint i = 0; i < HP_N_RECEIVE_KINDS; i++)
    hp_ranges_clear (&self->kinds[i].finished);
}

static HpReceiveStream *
lookup (HpReceiveQueue *self, guint64 number)
{
  if (self->recent == NULL || self->recent->number != number)
    self->recent = g_hash_table_lookup (self->streams, &number);
  return self->recent;
}

static gboolean
is_ordered (const HpReceiveStream *stream)
{
  return HP_STREAM_KIND (stream->number) == HP_STREAM_ORDERED;
}

/* One of the three kinds of message, numbered as those are */
static gboolean
is_message (guint64 number)
{
  HpStreamKind kind = HP_STREAM_KIND (number);

  return kind < HP_N_RECEIVE_KINDS
         && HP_STREAM_NUMBER (HP_STREAM_SEQUENCE (number), kind) == number;
}

static gboolean
is_finished (const HpReceiveQueue *self, guint64 number)
{
  return hp_ranges_contains (&self->kinds[HP_STREAM_KIND (number)].finished,
                             HP_STREAM_SEQUENCE (number));
}

/* Charges for a stream and all that its number opens */
static gboolean
open_up_to (HpReceiveQueue *self, guint64 number)
{
  HpReceiveKind *kind = &self->kinds[HP_STREAM_KIND (number)];
  guint64 sequence = HP_STREAM_SEQUENCE (number);
  guint64 n_new;

  if (sequence < kind->n_opened)
    return TRUE;
  n_new = sequence + 1 - kind->n_opened;
  if (n_new > self->credit.told / BASE_COST
      || !hp_receive_credit_charge (&self->credit, n_new * BASE_COST))
    return FALSE;
  kind->n_opened += n_new;
  return TRUE;
}

static HpReceiveStream *
create_stream (HpReceiveQueue *self, guint64 number)
{
  HpReceiveStream *stream = g_new0 (HpReceiveStream, 1);

  stream->number = number;
  stream->charged = BASE_COST;
  stream->grant_link.data = stream->news_link.data = stream;
  hp_reassembler_init (&stream->assembler, HP_STREAM_INITIAL_CREDIT);
  g_hash_table_insert (self->streams, &stream->number, stream);
  return stream;
}

static void
leave_lists (HpReceiveQueue *self, HpReceiveStream *stream)
{
  if (stream->in_grants)
    g_queue_unlink (&self->grants, &stream->grant_link);
  if (stream->in_news)
    g_queue_unlink (&self->news, &stream->news_link);
  stream->in_grants = stream->in_news = FALSE;
}

static void
finish_number (HpReceiveQueue *self, guint64 number)
{
  guint64 sequence = HP_STREAM_SEQUENCE (number);

  hp_ranges_add (&self->kinds[HP_STREAM_KIND (number)].finished, sequence,
                 sequence + 1);
}

/* Nothing more of it matters; frees @stream */
static void
finish (HpReceiveQueue *self, HpReceiveStream *stream)
{
  guint64 number = stream->number;

  leave_lists (self, stream);
  finish_number (self, number);
  if (self->recent == stream)
    self->recent = NULL;
  g_hash_table_remove (self->streams, &number);
}

static void
tell_news (HpReceiveQueue *self, HpReceiveStream *stream)
{
  if (stream->in_news)
    return;
  g_queue_push_tail_link (&self->news, &stream->news_link);
  stream->in_news = TRUE;
}

static void
join_grants (HpReceiveQueue *self, HpReceiveStream *stream)
{
  g_queue_push_tail_link (&self->grants, &stream->grant_link);
  stream->in_grants = TRUE;
}

/* The total is known, and it may be sent in full */
static gboolean
is_granted (const HpReceiveStream *stream)
{
  return stream->assembler.total <= stream->assembler.limit;
}

static void
deliver (HpReceiveQueue *self, HpReceiveStream *stream)
{
  HpReceivedMessage message = {
    .number = stream->number,
    .charged = stream->charged,
    .pooled = stream->pooled,
  };

  message.bytes = hp_reassembler_take (&stream->assembler);
  finish (self, stream);
  self->deliver (self->user_data, &message);
}

/* Ordered messages whose turn has come. Of one that was reset or refused its
 * sender has been told, or told us. */
static void
deliver_ordered (HpReceiveQueue *self)
{
  const HpRanges *finished = &self->kinds[HP_STREAM_ORDERED].finished;

  for (;;)
    {
      HpReceiveStream *stream;

      self->next_delivered
          = hp_ranges_first_missing (finished, self->next_delivered);
      stream = lookup (self, HP_STREAM_NUMBER (self->next_delivered,
                                               HP_STREAM_ORDERED));
      if (stream == NULL || stream->state == HP_RECEIVE_ACTIVE)
        break;
      if (stream->state == HP_RECEIVE_COMPLETE)
        deliver (self, stream);
      self->next_delivered++;
    }
}

static void
refuse (HpReceiveQueue *self, HpReceiveStream *stream)
{
  leave_lists (self, stream);
  self->memory -= stream->assembler.allocated;
  hp_reassembler_clear (&stream->assembler);
  stream->state = HP_RECEIVE_REFUSED;
  tell_news (self, stream);
  if (is_ordered (stream))
    deliver_ordered (self);
}

/* Puts the first ordered message that is not granted in line for it: only
 * then is nothing before it that could need the pool. */
static void
line_up_ordered (HpReceiveQueue *self)
{
  const HpRanges *finished = &self->kinds[HP_STREAM_ORDERED].finished;

  for (;; self->next_granted++)
    {
      HpReceiveStream *stream;

      self->next_granted
          = hp_ranges_first_missing (finished, self->next_granted);
      stream = lookup (self, HP_STREAM_NUMBER (self->next_granted,
                                               HP_STREAM_ORDERED));
      if (stream == NULL)
        break;
      if (stream->state == HP_RECEIVE_REFUSED || is_granted (stream))
        continue;
      if (stream->assembler.total != HP_TOTAL_UNKNOWN && !stream->in_grants)
        join_grants (self, stream);
      break;
    }
}

static void
grant (HpReceiveQueue *self)
{
  HpReceiveStream *stream;

  line_up_ordered (self);
  /* Strictly the oldest first, or a large one might wait for ever. */
  while ((stream = g_queue_peek_head (&self->grants)))
    {
      HpReassembler *assembler = &stream->assembler;
      guint64 rest = assembler->total - assembler->limit;
      gsize before = assembler->allocated;

      if (!hp_receive_pool_take (&self->pool, rest))
        break;
      if (hp_reassembler_raise_limit (assembler))
        {
          self->memory += assembler->allocated - before;
          stream->pooled = rest;
          leave_lists (self, stream);
          tell_news (self, stream);
        }
      else
        {
          hp_receive_pool_return (&self->pool, rest);
          refuse (self, stream);
        }
      line_up_ordered (self);
    }
}

/* What a stream costs of the connection's credit: all of its first bytes as
 * soon as the total is known, since the sender has set credit aside for them
 * before it opened the stream. */
static gboolean
charge (HpReceiveQueue *self, HpReceiveStream *stream, guint64 end)
{
  guint64 total = stream->assembler.total;
  guint64 cost = BASE_COST
                 + MIN (total == HP_TOTAL_UNKNOWN ? end : total,
                        HP_STREAM_INITIAL_CREDIT);

  if (cost <= stream->charged)
    return TRUE;
  if (!hp_receive_credit_charge (&self->credit, cost - stream->charged))
    return FALSE;
  stream->charged = cost;
  return TRUE;
}

static gboolean
add_bytes (HpReceiveQueue *self, HpReceiveStream *stream,
           const HpChunkFrame *chunk)
{
  HpReassembler *assembler = &stream->assembler;
  gsize allocated = assembler->allocated;
  guint64 n_received = assembler->n_received;
  gboolean agreed = hp_reassembler_add (assembler, chunk);

  self->memory += assembler->allocated - allocated;
  self->bytes_received += assembler->n_received - n_received;
  return agreed;
}

static gboolean
receive_into (HpReceiveQueue *self, HpReceiveStream *stream,
              const HpChunkFrame *chunk)
{
  HpReassembler *assembler = &stream->assembler;
  gboolean had_total = assembler->total != HP_TOTAL_UNKNOWN;
  gboolean learned;

  if (!hp_reassembler_check (assembler, chunk))
    return FALSE;
  hp_reassembler_learn_total (assembler, chunk);
  learned = !had_total && assembler->total != HP_TOTAL_UNKNOWN;
  if (!charge (self, stream, chunk->offset + chunk->bytes.length))
    return FALSE;
  if (learned && assembler->total > self->max_message_size)
    refuse (self, stream);
  if (stream->state != HP_RECEIVE_REFUSED
      && !add_bytes (self, stream, chunk))
    return FALSE;

  if (learned && stream->state == HP_RECEIVE_ACTIVE && !is_granted (stream)
      && !is_ordered (stream))
    join_grants (self, stream);
  if (stream->state == HP_RECEIVE_ACTIVE
      && hp_reassembler_is_complete (assembler))
    {
      stream->state = HP_RECEIVE_COMPLETE;
      if (is_ordered (stream))
        deliver_ordered (self);
      else
        deliver (self, stream);
    }
  if (learned)
    grant (self);
  return TRUE;
}

/* Most messages are small and come in one piece */
static gboolean
is_whole (const HpReceiveQueue *self, const HpChunkFrame *chunk)
{
  return chunk->offset == 0 && chunk->fin
         && chunk->total == chunk->bytes.length
         && chunk->total <= MIN (self->max_message_size,
                                 HP_STREAM_INITIAL_CREDIT)
         && (HP_STREAM_KIND (chunk->stream) != HP_STREAM_ORDERED
             || HP_STREAM_SEQUENCE (chunk->stream) == self->next_delivered);
}

/* … and need no stream to be put together in. FALSE: there is no credit */
static gboolean
receive_whole (HpReceiveQueue *self, const HpChunkFrame *chunk)
{
  gsize length = chunk->bytes.length;
  HpReceivedMessage message = {
    .number = chunk->stream,
    .charged = BASE_COST + length,
  };

  if (!hp_receive_credit_charge (&self->credit, length))
    return FALSE;
  message.bytes = g_bytes_new (chunk->bytes.data, length);
  self->memory += length;
  self->bytes_received += length;
  finish_number (self, chunk->stream);
  self->deliver (self->user_data, &message);
  if (HP_STREAM_KIND (chunk->stream) == HP_STREAM_ORDERED)
    {
      deliver_ordered (self);
      grant (self);
    }
  return TRUE;
}

gboolean
hp_receive_queue_chunk (HpReceiveQueue *self, const HpChunkFrame *chunk)
{
  HpReceiveStream *stream;

  if (!is_message (chunk->stream))
    return FALSE;
  stream = lookup (self, chunk->stream);
  if (stream == NULL)
    {
      if (is_finished (self, chunk->stream))
        return TRUE;
      if (!open_up_to (self, chunk->stream))
        return FALSE;
      if (is_whole (self, chunk))
        return receive_whole (self, chunk);
      stream = create_stream (self, chunk->stream);
    }
  return receive_into (self, stream, chunk);
}

static gboolean
is_possible_final_size (const HpReceiveStream *stream, guint64 final_size)
{
  const HpReassembler *assembler = &stream->assembler;

  if (stream->state == HP_RECEIVE_COMPLETE)
    return final_size == assembler->total;
  return final_size >= assembler->highest && final_size <= assembler->limit
         && final_size <= assembler->total;
}

/* Counts just the bytes that were sent, as the sender does from now on. */
static gboolean
settle (HpReceiveQueue *self, guint64 charged, guint64 final_size)
{
  guint64 cost = BASE_COST + MIN (final_size, HP_STREAM_INITIAL_CREDIT);

  if (cost < charged)
    hp_receive_credit_discharge (&self->credit, charged - cost);
  else if (!hp_receive_credit_charge (&self->credit, cost - charged))
    return FALSE;
  hp_receive_credit_consume (&self->credit, cost);
  return TRUE;
}

gboolean
hp_receive_queue_reset (HpReceiveQueue *self, guint64 number,
                        guint64 final_size)
{
  HpReceiveStream *stream;

  if (!is_message (number))
    return FALSE;
  stream = lookup (self, number);
  if (stream != NULL)
    {
      if (!is_possible_final_size (stream, final_size))
        return FALSE;
      /* Too late: it only waits for its turn. */
      if (stream->state == HP_RECEIVE_COMPLETE)
        return TRUE;
      if (!settle (self, stream->charged, final_size))
        return FALSE;
      hp_receive_pool_return (&self->pool, stream->pooled);
      self->memory -= stream->assembler.allocated;
      finish (self, stream);
    }
  else
    {
      if (is_finished (self, number))
        return TRUE;
      if (final_size > HP_STREAM_INITIAL_CREDIT || !open_up_to (self, number)
          || !settle (self, BASE_COST, final_size))
        return FALSE;
      finish_number (self, number);
    }
  if (HP_STREAM_KIND (number) == HP_STREAM_ORDERED)
    deliver_ordered (self);
  grant (self);
  return TRUE;
}

void
hp_receive_queue_consume (HpReceiveQueue *self,
                          const HpReceivedMessage *message)
{
  self->memory -= g_bytes_get_size (message->bytes);
  hp_receive_credit_consume (&self->credit, message->charged);
  if (message->pooled == 0)
    return;
  hp_receive_credit_add_taken (&self->credit, message->pooled);
  hp_receive_pool_return (&self->pool, message->pooled);
  grant (self);
}

HpReceiveStream *
hp_receive_queue_next_news (HpReceiveQueue *self)
{
  return g_queue_peek_head (&self->news);
}

void
hp_receive_queue_news_sent (HpReceiveQueue *self, HpReceiveStream *stream)
{
  g_queue_unlink (&self->news, &stream->news_link);
  stream->in_news = FALSE;
}

void
hp_receive_queue_news_lost (HpReceiveQueue *self, guint64 number)
{
  HpReceiveStream *stream = lookup (self, number);

  if (stream != NULL && stream->state != HP_RECEIVE_COMPLETE)
    tell_news (self, stream);
}
