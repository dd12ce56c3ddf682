/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-send-queue.h"

void
hp_send_queue_init (HpSendQueue *self, const HpSendObserver *observer,
                    gpointer user_data)
{
  *self = (HpSendQueue){
    .observer = observer,
    .user_data = user_data,
    .by_handle
    = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL,
                             (GDestroyNotify) hp_send_stream_unref),
    .expiries = g_sequence_new (NULL),
  };
  hp_send_schedule_init (&self->schedule);
}

void
hp_send_queue_clear (HpSendQueue *self)
{
  hp_send_schedule_clear (&self->schedule);
  g_clear_pointer (&self->expiries, g_sequence_free);
  g_clear_pointer (&self->by_handle, g_hash_table_unref);
}

static void
leave_lost (HpSendQueue *self, HpSendStream *stream)
{
  if (!stream->in_lost)
    return;
  g_queue_unlink (&self->lost, &stream->lost_link);
  stream->in_lost = FALSE;
}

static void
join_resets (HpSendQueue *self, HpSendStream *stream)
{
  if (stream->in_reset)
    return;
  g_queue_push_tail_link (&self->resets, &stream->reset_link);
  stream->in_reset = TRUE;
}

/* The message is over for the user; the stream may live on as a RESET. */
static void
let_go (HpSendQueue *self, HpSendStream *stream)
{
  hp_send_schedule_remove (&self->schedule, stream);
  leave_lost (self, stream);
  g_clear_pointer (&stream->expiry, g_sequence_remove);
  if (stream->kind != HP_STREAM_BYTES)
    self->queued_bytes -= stream->length - stream->n_acked;
  hp_send_stream_drop_bytes (stream);
}

static void
begin_reset (HpSendQueue *self, HpSendStream *stream, guint64 code)
{
  stream->state = HP_SEND_RESET;
  stream->reset_code = code;
  stream->final_size = MIN (stream->fresh, stream->length);
  join_resets (self, stream);
}

static void
fail (HpSendQueue *self, HpSendStream *stream, HpSendFailure failure,
      HpResetCode code)
{
  guint64 handle = stream->handle;

  if (stream->state != HP_SEND_WAITING && stream->state != HP_SEND_OPEN)
    return;
  let_go (self, stream);
  if (stream->state == HP_SEND_OPEN)
    begin_reset (self, stream, code);
  else
    {
      stream->state = HP_SEND_ENDED;
      g_hash_table_remove (self->by_handle, &handle);
    }
  self->observer->failed (self->user_data, handle, failure);
}

static gboolean
is_too_large (const HpSendQueue *self, guint64 length)
{
  /* A stream that has no credit to begin with cannot even be announced. */
  return length > self->max_message_size
         || (length > 0 && self->schedule.initial_limit == 0);
}

static int
compare_handles (gconstpointer a, gconstpointer b)
{
  const HpSendStream *left = *(HpSendStream *const *) a;
  const HpSendStream *right = *(HpSendStream *const *) b;

  return left->handle < right->handle ? -1 : 1;
}

void
hp_send_queue_start (HpSendQueue *self, const HpParameters *theirs)
{
  g_autoptr (GPtrArray) refused = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer value;

  self->started = TRUE;
  self->max_message_size = theirs->max_message_size;
  self->schedule.initial_limit = theirs->max_stream_data;
  g_hash_table_iter_init (&iter, self->by_handle);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (is_too_large (self, ((HpSendStream *) value)->length))
      g_ptr_array_add (refused, value);
  g_ptr_array_sort (refused, compare_handles);
  for (guint i = 0; i < refused->len; i++)
    fail (self, refused->pdata[i], HP_SEND_FAILED_TOO_LARGE,
          HP_RESET_TOO_LARGE);
  hp_send_schedule_start (&self->schedule, theirs->max_data,
                          theirs->max_stream_data);
}

static int
compare_expiries (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const HpSendStream *left = a;
  const HpSendStream *right = b;

  if (left->expires_at != right->expires_at)
    return left->expires_at < right->expires_at ? -1 : 1;
  return left->handle < right->handle ? -1 : 1;
}

guint64
hp_send_queue_add (HpSendQueue *self, HpStreamKind kind, GBytes *bytes,
                   gint64 expires_at)
{
  guint64 handle = HP_STREAM_NUMBER (self->n_added++, kind);
  HpSendStream *stream;

  if (self->started && is_too_large (self, g_bytes_get_size (bytes)))
    {
      self->observer->failed (self->user_data, handle,
                              HP_SEND_FAILED_TOO_LARGE);
      return handle;
    }
  stream = hp_send_stream_new (handle, kind, bytes, expires_at);
  g_hash_table_insert (self->by_handle, &stream->handle, stream);
  self->queued_bytes += stream->length;
  if (expires_at != 0 && kind == HP_STREAM_UNRELIABLE)
    stream->expiry = g_sequence_insert_sorted (self->expiries, stream,
                                               compare_expiries, NULL);
  hp_send_schedule_add (&self->schedule, stream);
  return handle;
}

void
hp_send_queue_cancel (HpSendQueue *self, guint64 handle)
{
  HpSendStream *stream = g_hash_table_lookup (self->by_handle, &handle);

  if (stream != NULL)
    fail (self, stream, HP_SEND_FAILED_CANCELLED, HP_RESET_CANCELLED);
}

void
hp_send_queue_open_bytes (HpSendQueue *self, HpSendStream *stream,
                          guint64 limit, gboolean announce)
{
  stream->state = HP_SEND_OPEN;
  stream->limit = limit;
  stream->must_announce = announce;
  hp_send_schedule_refresh (&self->schedule, stream);
}

void
hp_send_queue_write (HpSendQueue *self, HpSendStream *stream, GBytes *bytes)
{
  hp_send_stream_append (stream, bytes);
  hp_send_schedule_refresh (&self->schedule, stream);
}

void
hp_send_queue_finish (HpSendQueue *self, HpSendStream *stream)
{
  stream->finished = TRUE;
  hp_send_schedule_refresh (&self->schedule, stream);
}

void
hp_send_queue_reset (HpSendQueue *self, HpSendStream *stream, guint64 code)
{
  g_assert (stream->state == HP_SEND_OPEN);
  let_go (self, stream);
  begin_reset (self, stream, code);
}

void
hp_send_queue_raise_limit (HpSendQueue *self, HpSendStream *stream,
                           guint64 limit)
{
  stream->limit = MAX (stream->limit, limit);
  hp_send_schedule_refresh (&self->schedule, stream);
}

guint
hp_send_queue_get_n_streams (const HpSendQueue *self)
{
  return g_hash_table_size (self->by_handle);
}

gint64
hp_send_queue_get_expiry (const HpSendQueue *self)
{
  GSequenceIter *first = g_sequence_get_begin_iter (self->expiries);

  if (g_sequence_iter_is_end (first))
    return G_MAXINT64;
  return ((HpSendStream *) g_sequence_get (first))->expires_at;
}

void
hp_send_queue_expire (HpSendQueue *self, gint64 now)
{
  while (hp_send_queue_get_expiry (self) <= now)
    fail (self, g_sequence_get (g_sequence_get_begin_iter (self->expiries)),
          HP_SEND_FAILED_EXPIRED, HP_RESET_EXPIRED);
}

gboolean
hp_send_queue_receive_stop (HpSendQueue *self, guint64 number, guint64 code)
{
  HpSendStream *stream = hp_send_schedule_lookup (&self->schedule, number);

  if (stream == NULL)
    return hp_send_schedule_was_opened (&self->schedule, number);
  fail (self, stream,
        code == HP_RESET_TOO_LARGE ? HP_SEND_FAILED_TOO_LARGE
                                   : HP_SEND_FAILED_STOPPED,
        (HpResetCode) MIN (code, HP_RESET_TOO_LARGE));
  return TRUE;
}

gboolean
hp_send_queue_receive_max (HpSendQueue *self, guint64 number, guint64 limit)
{
  HpSendStream *stream = hp_send_schedule_lookup (&self->schedule, number);

  if (stream == NULL)
    return hp_send_schedule_was_opened (&self->schedule, number);
  hp_send_schedule_raise_limit (&self->schedule, stream, limit);
  return TRUE;
}

HpSendStream *
hp_send_queue_next_reset (HpSendQueue *self)
{
  return g_queue_peek_head (&self->resets);
}

void
hp_send_queue_reset_sent (HpSendQueue *self, HpSendStream *stream)
{
  g_queue_unlink (&self->resets, &stream->reset_link);
  stream->in_reset = FALSE;
}

gboolean
hp_send_queue_next_chunk (HpSendQueue *self, gsize room, HpSendChunk *chunk)
{
  HpSendStream *stream = g_queue_peek_head (&self->lost);

  if (stream != NULL)
    return hp_send_stream_pick (stream, TRUE, room, chunk);
  stream = hp_send_schedule_next (&self->schedule);
  return stream != NULL && hp_send_stream_pick (stream, FALSE, room, chunk);
}

void
hp_send_queue_chunk_sent (HpSendQueue *self, const HpSendChunk *chunk,
                          gsize size)
{
  HpSendStream *stream = chunk->stream;

  hp_send_stream_take (stream, chunk);
  if (!chunk->is_lost)
    hp_send_schedule_sent (&self->schedule, stream, size);
  else if (stream->lost.n_ranges == 0)
    leave_lost (self, stream);
}

gboolean
hp_send_queue_has_more (const HpSendQueue *self)
{
  return self->lost.length > 0 || self->resets.length > 0
         || hp_send_schedule_has_next (&self->schedule);
}

static void
bytes_acked (HpSendQueue *self, HpSendStream *stream)
{
  guint64 before = stream->released;

  stream->released = MIN (hp_ranges_first_missing (&stream->acked, before),
                          stream->length);
  if (stream->released == before)
    return;
  hp_send_buffer_release (&stream->buffer, stream->released);
  self->observer->bytes_acked (self->user_data, stream->handle,
                               stream->released - before);
}

void
hp_send_queue_chunk_acked (HpSendQueue *self, HpSendStream *stream,
                           guint64 start, guint64 end)
{
  guint64 handle = stream->handle;
  guint64 n_acked;

  if (stream->state != HP_SEND_OPEN)
    return;
  stream->is_known = TRUE;
  n_acked = hp_send_stream_acked (stream, start, end);
  if (stream->lost.n_ranges == 0)
    leave_lost (self, stream);
  if (stream->kind == HP_STREAM_BYTES)
    bytes_acked (self, stream);
  else
    self->queued_bytes -= n_acked;
  if (!hp_send_stream_is_acked (stream))
    return;

  let_go (self, stream);
  hp_send_schedule_ended (&self->schedule, stream);
  if (stream->kind == HP_STREAM_BYTES)
    {
      self->observer->bytes_ended (self->user_data, handle, FALSE);
      return;
    }
  g_hash_table_remove (self->by_handle, &handle);
  self->observer->delivered (self->user_data, handle);
}

void
hp_send_queue_chunk_lost (HpSendQueue *self, HpSendStream *stream,
                          guint64 start, guint64 end)
{
  if (stream->state == HP_SEND_OPEN && stream->kind == HP_STREAM_UNRELIABLE)
    fail (self, stream, HP_SEND_FAILED_EXPIRED, HP_RESET_EXPIRED);
  else
    hp_send_queue_chunk_probe (self, stream, start, end);
}

void
hp_send_queue_chunk_probe (HpSendQueue *self, HpSendStream *stream,
                           guint64 start, guint64 end)
{
  if (stream->state != HP_SEND_OPEN || stream->kind == HP_STREAM_UNRELIABLE)
    return;
  hp_send_stream_lost (stream, start, end);
  /* The announcement: needed as long as nothing else says it */
  if (start == end && stream->fresh == 0 && !stream->is_known)
    {
      stream->must_announce = TRUE;
      hp_send_schedule_refresh (&self->schedule, stream);
    }
  if (stream->lost.n_ranges == 0 || stream->in_lost)
    return;
  g_queue_push_tail_link (&self->lost, &stream->lost_link);
  stream->in_lost = TRUE;
}

void
hp_send_queue_reset_acked (HpSendQueue *self, HpSendStream *stream)
{
  guint64 handle = stream->handle;

  if (stream->state != HP_SEND_RESET)
    return;
  if (stream->in_reset)
    hp_send_queue_reset_sent (self, stream);
  hp_send_schedule_ended (&self->schedule, stream);
  if (stream->kind == HP_STREAM_BYTES)
    self->observer->bytes_ended (self->user_data, handle, TRUE);
  else
    g_hash_table_remove (self->by_handle, &handle);
}

void
hp_send_queue_reset_lost (HpSendQueue *self, HpSendStream *stream)
{
  if (stream->state == HP_SEND_RESET)
    join_resets (self, stream);
}
