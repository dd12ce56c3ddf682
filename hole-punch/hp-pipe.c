/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-pipe-inside-private.h"

#include <string.h>

/* Writes smaller than this are gathered */
#define SMALL_WRITE 4096
#define TAIL_SIZE (4 * SMALL_WRITE)
/* Received pieces that are together no larger are put into one: each costs some
 * hundred bytes, however few the other side sends in it. */
#define SMALL_PIECE 1024
/* Pieces that one look under the lock takes for a read */
#define MAX_PARTS 32
#define WEIGHT_DEFAULT 16

HpPipe *
hp_pipe_new (HpPipeGate *gate)
{
  HpPipe *self = g_new0 (HpPipe, 1);

  g_atomic_ref_count_init (&self->references);
  g_mutex_init (&self->lock);
  for (guint i = 0; i < HP_PIPE_N_CONDITIONS; i++)
    g_cond_init (self->conditions + i);
  g_queue_init (&self->received);
  g_queue_init (&self->written);
  self->bound = HP_PIPE_BOUND;
  self->weight = WEIGHT_DEFAULT;
  if (gate != NULL)
    {
      self->gate = hp_pipe_gate_ref (gate);
    }
  else
    {
      self->input_error = g_error_new (G_IO_ERROR, G_IO_ERROR_CLOSED,
                                       "The stream has no connection");
      self->output_error = g_error_copy (self->input_error);
    }
  return self;
}

HpPipe *
hp_pipe_ref (HpPipe *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

static void
clear_queue (GQueue *queue)
{
  g_queue_clear_full (queue, (GDestroyNotify) g_bytes_unref);
}

void
hp_pipe_unref (HpPipe *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  for (guint i = 0; i < HP_PIPE_N_CONDITIONS; i++)
    {
      g_assert (self->waiting[i] == NULL && self->n_blocked[i] == 0);
      g_cond_clear (self->conditions + i);
    }
  clear_queue (&self->received);
  clear_queue (&self->written);
  g_free (self->tail);
  g_clear_error (&self->input_error);
  g_clear_error (&self->output_error);
  g_clear_pointer (&self->gate, hp_pipe_gate_unref);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* Any thread: what is given back is GIO's */

/* With the lock */
static void
give_order (HpPipe *self, HpPipeFlags orders)
{
  self->orders |= orders;
  if (self->is_pushed || self->gate == NULL)
    return;
  self->is_pushed = TRUE;
  hp_pipe_gate_push (self->gate, self);
}

typedef struct
{
  GBytes *bytes; /* (transfer full) */
  gsize offset, length;
} Part;

/* With the lock: references to what is to be copied without it */
static guint
take_parts (HpPipe *self, Part *parts, gsize count)
{
  guint n = 0;

  while (n < MAX_PARTS && count > 0 && self->readable > 0)
    {
      Part *part = parts + n++;
      GBytes *head = g_queue_peek_head (&self->received);
      gsize rest = g_bytes_get_size (head) - self->head_offset;

      part->offset = self->head_offset;
      part->length = MIN (rest, count);
      if (part->length == rest)
        {
          part->bytes = g_queue_pop_head (&self->received);
          self->head_offset = 0;
        }
      else
        {
          part->bytes = g_bytes_ref (head);
          self->head_offset += part->length;
        }
      count -= part->length;
      self->readable -= part->length;
      self->consumed += part->length;
    }
  if (self->consumed >= HP_PIPE_CONSUME_STEP
      || (self->at_end && self->readable == 0 && self->consumed > 0))
    give_order (self, 0);
  return n;
}

/* With the lock: of this side's making */
static void
set_closed (const HpPipe *self, GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED,
                       self->is_abandoned
                           ? "The stream was given up: nobody held it any more"
                           : "The stream is closed");
}

/* With the lock */
static gssize
tell_unreadable (const HpPipe *self, GError **error)
{
  if (self->input_closed)
    set_closed (self, error);
  else if (self->at_end)
    return 0;
  else if (self->input_error != NULL)
    g_propagate_error (error, g_error_copy (self->input_error));
  else
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK,
                         "There is nothing to be read yet");
  return -1;
}

gssize
hp_pipe_read (HpPipe *self, void *buffer, gsize count, GError **error)
{
  guint8 *to = buffer;
  gsize done = 0;
  guint n;

  do
    {
      Part parts[MAX_PARTS];

      g_mutex_lock (&self->lock);
      n = take_parts (self, parts, count - done);
      if (n == 0 && done == 0 && count > 0)
        {
          gssize result = tell_unreadable (self, error);

          g_mutex_unlock (&self->lock);
          return result;
        }
      g_mutex_unlock (&self->lock);

      for (guint i = 0; i < n; i++)
        {
          const guint8 *from = g_bytes_get_data (parts[i].bytes, NULL);

          memcpy (to + done, from + parts[i].offset, parts[i].length);
          done += parts[i].length;
          g_bytes_unref (parts[i].bytes);
        }
    }
  while (n == MAX_PARTS);
  return (gssize) done;
}

/* With the lock, before writing */
static gboolean
check_open (HpPipe *self, GError **error)
{
  if (self->output_error != NULL)
    {
      g_propagate_error (error, g_error_copy (self->output_error));
      /* What cannot be written any more is what the other side has missed. */
      self->sent = FALSE;
    }
  else if (self->output_closed)
    set_closed (self, error);
  return self->output_error == NULL && !self->output_closed;
}

/* With the lock */
static gboolean
check_writable (HpPipe *self, GError **error)
{
  if (!check_open (self, error))
    return FALSE;
  if (hp_pipe_has_room (self))
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK,
                       "There is no room to write yet");
  return FALSE;
}

/* With the lock: small writes as bytes of their own */
static void
close_tail (HpPipe *self)
{
  if (self->tail_length == 0)
    return;
  if (self->tail_length < TAIL_SIZE / 2)
    self->tail = g_realloc (self->tail, self->tail_length);
  g_queue_push_tail (&self->written,
                     g_bytes_new_take (g_steal_pointer (&self->tail),
                                       self->tail_length));
  self->tail_length = 0;
}

/* With the lock */
static void
write_small (HpPipe *self, const void *buffer, gsize count)
{
  if (self->tail_length + count > TAIL_SIZE)
    close_tail (self);
  if (self->tail == NULL)
    self->tail = g_malloc (TAIL_SIZE);
  memcpy (self->tail + self->tail_length, buffer, count);
  self->tail_length += count;
}

/* With the lock */
static void
append (HpPipe *self, GQueue *segments)
{
  GBytes *bytes;

  close_tail (self);
  while ((bytes = g_queue_pop_head (segments)) != NULL)
    g_queue_push_tail (&self->written, bytes);
}

/* With the lock, which is let go while it copies; meanwhile another thread may
 * have ended the output. */
static gboolean
write_large (HpPipe *self, const guint8 *buffer, gsize count, GError **error)
{
  gboolean goes_on;
  GQueue segments = G_QUEUE_INIT;

  g_mutex_unlock (&self->lock);
  for (gsize done = 0; done < count; done += HP_PIPE_SEGMENT)
    g_queue_push_tail (&segments,
                       g_bytes_new (buffer + done,
                                    MIN (count - done, HP_PIPE_SEGMENT)));
  g_mutex_lock (&self->lock);
  goes_on = check_open (self, error);
  if (goes_on)
    append (self, &segments);
  clear_queue (&segments);
  return goes_on;
}

/* With the lock: what there is room for */
static gssize
write_some (HpPipe *self, const void *buffer, gsize count, GError **error)
{
  count = MIN (count, self->bound - self->buffered);
  if (count == 0)
    return 0;
  if (count < SMALL_WRITE)
    write_small (self, buffer, count);
  else if (!write_large (self, buffer, count, error))
    return -1;
  self->buffered += count;
  give_order (self, 0);
  return (gssize) count;
}

gssize
hp_pipe_write (HpPipe *self, const void *buffer, gsize count, GError **error)
{
  gssize n = -1;

  g_mutex_lock (&self->lock);
  if (check_writable (self, error))
    n = write_some (self, buffer, count, error);
  g_mutex_unlock (&self->lock);
  return n;
}

gboolean
hp_pipe_write_bytes (HpPipe *self, GBytes *bytes, GError **error)
{
  gboolean can_write;

  g_mutex_lock (&self->lock);
  can_write = check_writable (self, error);
  if (can_write && g_bytes_get_size (bytes) > 0)
    {
      close_tail (self);
      self->buffered += g_bytes_get_size (bytes);
      g_queue_push_tail (&self->written, g_bytes_ref (bytes));
      give_order (self, 0);
    }
  g_mutex_unlock (&self->lock);
  return can_write;
}

void
hp_pipe_close_output (HpPipe *self)
{
  g_mutex_lock (&self->lock);
  if (!self->output_closed && self->output_error == NULL)
    {
      self->output_closed = TRUE;
      give_order (self, HP_PIPE_FINISH);
    }
  hp_pipe_unlock_and_wake (self);
}

/* With the lock */
static void
stop_input (HpPipe *self)
{
  if (self->input_closed)
    return;
  self->input_closed = TRUE;
  self->consumed += self->readable;
  self->readable = 0;
  self->head_offset = 0;
  clear_queue (&self->received);
  give_order (self,
              self->at_end || self->input_error != NULL ? 0 : HP_PIPE_STOP);
}

void
hp_pipe_close_input (HpPipe *self)
{
  g_mutex_lock (&self->lock);
  stop_input (self);
  hp_pipe_unlock_and_wake (self);
}

/* With the lock: the output will not go on. (transfer full) */
static void
fail_output (HpPipe *self, GError *error)
{
  if (self->output_error != NULL)
    {
      g_error_free (error);
      return;
    }
  self->output_error = error;
  clear_queue (&self->written);
  g_clear_pointer (&self->tail, g_free);
  self->tail_length = 0;
}

void
hp_pipe_abandon (HpPipe *self)
{
  g_mutex_lock (&self->lock);
  if (!self->output_closed || !self->input_closed)
    self->is_abandoned = TRUE;
  stop_input (self);
  if (!self->output_closed && self->output_error == NULL)
    {
      GError *error = NULL;

      set_closed (self, &error);
      fail_output (self, error);
      give_order (self, HP_PIPE_RESET);
    }
  hp_pipe_unlock_and_wake (self);
}

guint
hp_pipe_get_weight (HpPipe *self)
{
  guint weight;

  g_mutex_lock (&self->lock);
  weight = self->weight;
  g_mutex_unlock (&self->lock);
  return weight;
}

gboolean
hp_pipe_set_weight (HpPipe *self, guint weight)
{
  gboolean changed;

  g_mutex_lock (&self->lock);
  changed = self->weight != weight;
  self->weight = weight;
  if (changed)
    give_order (self, HP_PIPE_WEIGHT);
  g_mutex_unlock (&self->lock);
  return changed;
}

gboolean
hp_pipe_get_output_error (HpPipe *self, GError **error)
{
  gboolean failed;

  g_mutex_lock (&self->lock);
  failed = self->output_error != NULL && !self->sent;
  if (failed)
    g_propagate_error (error, g_error_copy (self->output_error));
  g_mutex_unlock (&self->lock);
  return failed;
}

/* The connection's thread */

void
hp_pipe_take_orders (HpPipe *self, HpPipeOrders *orders)
{
  g_mutex_lock (&self->lock);
  close_tail (self);
  *orders = (HpPipeOrders){
    .written = self->written,
    .consumed = self->consumed,
    .weight = self->orders & HP_PIPE_WEIGHT ? self->weight : 0,
    .finish = (self->orders & HP_PIPE_FINISH) != 0,
    .reset = (self->orders & HP_PIPE_RESET) != 0,
    .stop = (self->orders & HP_PIPE_STOP) != 0,
  };
  g_queue_init (&self->written);
  self->consumed = 0;
  self->orders = 0;
  self->is_pushed = FALSE;
  g_mutex_unlock (&self->lock);
}

/* With the lock; (transfer full). The first one keeps its offset. */
static void
add_received (HpPipe *self, GBytes *bytes)
{
  GBytes *last = g_queue_peek_tail (&self->received);
  gsize size, last_size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  const guint8 *last_data;
  guint8 *both;

  self->readable += size;
  if (last == NULL || g_bytes_get_size (last) + size > SMALL_PIECE)
    {
      g_queue_push_tail (&self->received, bytes);
      return;
    }
  last_data = g_bytes_get_data (last, &last_size);
  both = g_malloc (last_size + size);
  memcpy (both, last_data, last_size);
  memcpy (both + last_size, data, size);
  self->received.tail->data = g_bytes_new_take (both, last_size + size);
  g_bytes_unref (last);
  g_bytes_unref (bytes);
}

/* With the lock */
static void
take_received (HpPipe *self, HpPipeNews *news)
{
  GBytes *bytes;

  while ((bytes = g_queue_pop_head (&news->received)) != NULL)
    {
      gsize size = g_bytes_get_size (bytes);

      if (self->input_closed)
        self->consumed += size;
      if (size == 0 || self->input_closed)
        {
          g_bytes_unref (bytes);
          continue;
        }
      add_received (self, bytes);
    }
  if (news->at_end)
    self->at_end = TRUE;
  /* Nobody will read more of it, and so say that it was consumed. */
  if ((self->at_end || self->input_closed) && self->readable == 0
      && self->consumed > 0)
    give_order (self, 0);
}

/* With the lock. A stream that is over gives room for another one: kept, the
 * bytes of any number of them would add up. */
static void
drop_received (HpPipe *self)
{
  g_queue_clear_full (&self->received, (GDestroyNotify) g_bytes_unref);
  self->head_offset = self->readable = 0;
}

void
hp_pipe_tell (HpPipe *self, HpPipeNews *news)
{
  g_mutex_lock (&self->lock);
  take_received (self, news);
  if (news->reset && !self->at_end)
    drop_received (self);
  if (news->input_error != NULL && !self->at_end && self->input_error == NULL)
    self->input_error = g_steal_pointer (&news->input_error);
  self->buffered -= MIN (news->acked, self->buffered);
  if (news->bound != 0)
    self->bound = news->bound;
  /* Whoever stopped reading after the last byte has missed nothing. */
  if (self->output_error == NULL
      && (news->sent || (news->stopped && self->buffered == 0)))
    self->sent = TRUE;
  if (news->output_error != NULL)
    fail_output (self, g_steal_pointer (&news->output_error));
  hp_pipe_unlock_and_wake (self);
  g_clear_error (&news->input_error);
  *news = (HpPipeNews){ .received = G_QUEUE_INIT };
}

gpointer
hp_pipe_get_lane (HpPipe *self)
{
  return self->lane;
}

void
hp_pipe_set_lane (HpPipe *self, gpointer lane)
{
  self->lane = lane;
}
