/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-connection-sends-private.h"

#include "hole-punch/hp-punch-error.h"
#include "hole-punch/io/hp-clock.h"

typedef struct
{
  HpSends *sends;
  GTask *task;
  GSource *cancel_source; /* NULL: cannot be cancelled */
  gboolean is_queued;     /* else it waits */
  guint64 stream;         /* when queued */
  GList waiting_link;     /* when waiting */
  GBytes *message;
  HpStreamKind kind;
  gint64 expires_at;
} HpSend;

static HpStreamKind
kind_from_flags (HpMessageFlags flags)
{
  if (flags & HP_MESSAGE_FLAGS_UNRELIABLE)
    return HP_STREAM_UNRELIABLE;
  return flags & HP_MESSAGE_FLAGS_UNORDERED ? HP_STREAM_UNORDERED
                                            : HP_STREAM_ORDERED;
}

static gint64
get_expiry (const HpOutbound *outbound, gint64 now)
{
  if (!(outbound->flags & HP_MESSAGE_FLAGS_UNRELIABLE)
      || outbound->lifetime == 0 || outbound->lifetime > G_MAXINT64 - now)
    return 0;
  return now + outbound->lifetime;
}

void
hp_sends_init (HpSends *self, HpLink *link, GMainContext *context,
               HpSendsWake wake, gpointer user_data)
{
  *self = (HpSends){
    .link = link, .context = context, .wake = wake, .user_data = user_data
  };
  self->queued = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_queue_init (&self->waiting);
}

void
hp_sends_clear (HpSends *self)
{
  if (self->queued == NULL)
    return;
  g_assert (g_hash_table_size (self->queued) == 0);
  g_assert (self->waiting.length == 0);
  g_clear_pointer (&self->queued, g_hash_table_unref);
}

/* A message larger than the whole queue goes when the queue is empty */
static gboolean
has_room (const HpSends *self, gsize length)
{
  return hp_link_can_queue (self->link, length)
         || hp_link_get_queued_bytes (self->link) == 0;
}

gboolean
hp_sends_post (HpSends *self, const HpOutbound *outbound, gint64 now,
               GError **error)
{
  if (self->waiting.length > 0
      || !has_room (self, g_bytes_get_size (outbound->message)))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK,
                           "The queue of messages is full");
      return FALSE;
    }
  hp_link_send_message (self->link, kind_from_flags (outbound->flags),
                        outbound->message, get_expiry (outbound, now), now);
  return TRUE;
}

/* Out of the list or table; whoever calls it returns the task */
static void
take (HpSend *send)
{
  HpSends *sends = send->sends;

  if (send->is_queued)
    {
      g_hash_table_remove (sends->queued, &send->stream);
    }
  else
    {
      g_queue_unlink (&sends->waiting, &send->waiting_link);
      sends->waiting_bytes -= g_bytes_get_size (send->message);
    }
  if (send->cancel_source != NULL)
    {
      g_source_destroy (send->cancel_source);
      g_clear_pointer (&send->cancel_source, g_source_unref);
    }
  g_clear_pointer (&send->message, g_bytes_unref);
}

static GTask *
finish (HpSend *send)
{
  GTask *task = send->task;

  g_free (send);
  return task;
}

static void
queue (HpSend *send, gint64 now)
{
  HpSends *sends = send->sends;

  send->stream = hp_link_send_message (sends->link, send->kind, send->message,
                                       send->expires_at, now);
  send->is_queued = TRUE;
  g_hash_table_insert (sends->queued, &send->stream, send);
}

static gboolean
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  HpSend *send = user_data;
  HpSends *sends = send->sends;
  g_autoptr (GTask) task = NULL;

  if (send->is_queued)
    {
      hp_link_cancel_message (sends->link, send->stream, hp_clock_now ());
      sends->wake (sends->user_data);
    }
  take (send);
  task = finish (send);
  g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                           "The message was cancelled");
  return G_SOURCE_REMOVE;
}

void
hp_sends_add (HpSends *self, const HpOutbound *outbound, GTask *task,
              gint64 now)
{
  GCancellable *cancellable = g_task_get_cancellable (task);
  gsize length = g_bytes_get_size (outbound->message);
  HpSend *send = g_new0 (HpSend, 1);

  send->sends = self;
  send->task = task;
  send->message = g_bytes_ref (outbound->message);
  send->kind = kind_from_flags (outbound->flags);
  send->expires_at = get_expiry (outbound, now);
  send->waiting_link.data = send;

  if (cancellable != NULL)
    {
      send->cancel_source = g_cancellable_source_new (cancellable);
      g_source_set_static_name (send->cancel_source, "hp-send-cancelled");
      g_source_set_callback (send->cancel_source, G_SOURCE_FUNC (on_cancelled),
                             send, NULL);
      g_source_attach (send->cancel_source, self->context);
    }

  if (self->waiting.length == 0 && has_room (self, length))
    {
      queue (send, now);
      return;
    }
  g_queue_push_tail_link (&self->waiting, &send->waiting_link);
  self->waiting_bytes += length;
}

gboolean
hp_sends_pump (HpSends *self, gint64 now)
{
  gboolean any = FALSE;

  while (self->waiting.length > 0)
    {
      HpSend *send = g_queue_peek_head (&self->waiting);
      gsize length = g_bytes_get_size (send->message);

      if (!has_room (self, length))
        break;
      g_queue_pop_head_link (&self->waiting);
      self->waiting_bytes -= length;
      queue (send, now);
      any = TRUE;
    }
  return any;
}

static void
return_failure (GTask *task, HpSendFailure failure)
{
  switch (failure)
    {
    case HP_SEND_FAILED_EXPIRED:
      g_task_return_new_error (task, HP_PUNCH_ERROR, HP_PUNCH_ERROR_EXPIRED,
                               "The message was lost, or too late");
      break;
    case HP_SEND_FAILED_CANCELLED:
      g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                               "The message was cancelled");
      break;
    case HP_SEND_FAILED_TOO_LARGE:
      g_task_return_new_error (
          task, HP_PUNCH_ERROR, HP_PUNCH_ERROR_MESSAGE_TOO_LARGE,
          "The message is larger than the other side takes");
      break;
    case HP_SEND_FAILED_STOPPED:
      g_task_return_new_error (task, HP_PUNCH_ERROR,
                               HP_PUNCH_ERROR_MESSAGE_TOO_LARGE,
                               "The other side did not take the message");
      break;
    }
}

void
hp_sends_handle (HpSends *self, const HpTransportEvent *event)
{
  HpSend *send = g_hash_table_lookup (self->queued, &event->stream);
  g_autoptr (GTask) task = NULL;

  /* Nobody waits for it, or it was cancelled meanwhile */
  if (send == NULL)
    return;
  take (send);
  task = finish (send);
  if (event->type == HP_TRANSPORT_EVENT_DELIVERED)
    g_task_return_boolean (task, TRUE);
  else
    return_failure (task, event->failure);
}

GList *
hp_sends_take_all (HpSends *self)
{
  GList *taken = NULL;
  g_autoptr (GList) queued = NULL;
  HpSend *send;

  if (self->queued == NULL)
    return NULL;
  queued = g_hash_table_get_values (self->queued);
  for (GList *l = queued; l != NULL; l = l->next)
    {
      take (l->data);
      taken = g_list_prepend (taken, finish (l->data));
    }
  while ((send = g_queue_peek_head (&self->waiting)) != NULL)
    {
      take (send);
      taken = g_list_prepend (taken, finish (send));
    }
  return g_list_reverse (taken);
}

void
hp_sends_fail (GList *taken, const GError *error)
{
  for (GList *l = taken; l != NULL; l = l->next)
    {
      g_autoptr (GTask) task = l->data;

      g_task_return_error (task, g_error_copy (error));
    }
  g_list_free (taken);
}

gsize
hp_sends_get_bytes (const HpSends *self)
{
  return hp_link_get_queued_bytes (self->link) + self->waiting_bytes;
}
