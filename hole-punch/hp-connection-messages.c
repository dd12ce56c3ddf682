/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-connection-private.h"

#include "hole-punch/hp-punch-error.h"
#include "hole-punch/io/hp-clock.h"

static gboolean
check_outbound (HpConnection *self, const HpOutbound *outbound, GError **error)
{
  guint64 most;

  if (self->close_error != NULL)
    {
      g_propagate_error (error, g_error_copy (self->close_error));
      return FALSE;
    }
  /* An object that no peer has handed out */
  if (self->line == NULL)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED,
                           "The connection is closed");
      return FALSE;
    }

  most = hp_link_get_remote_max_message_size (self->line->link);
  if (most == 0)
    most = HP_MAX_MESSAGE_SIZE_LIMIT;
  if (g_bytes_get_size (outbound->message) > most)
    {
      g_set_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_MESSAGE_TOO_LARGE,
                   "A message of %" G_GSIZE_FORMAT
                   " bytes is larger than the %" G_GUINT64_FORMAT
                   " that the other side takes",
                   g_bytes_get_size (outbound->message), most);
      return FALSE;
    }
  return TRUE;
}

/* A turn of the main loop less until a message is on its way */
static void
hurry (HpConnection *self)
{
  HpConnectionLine *line = self->line;

  hp_endpoint_hurry (line->endpoint, &line->party);
  if (hp_link_has_event (line->link))
    hp_connection_wake (self);
}

static void
send_async (HpConnection *self, const HpOutbound *outbound,
            GCancellable *cancellable, gpointer tag,
            GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  GError *error = NULL;

  g_task_set_source_tag (task, tag);
  if (g_task_return_error_if_cancelled (task))
    return;
  if (!check_outbound (self, outbound, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  hp_sends_add (&self->sends, outbound, g_steal_pointer (&task),
                hp_clock_now ());
  hurry (self);
}

/**
 * hp_connection_send_message:
 * @self: a #HpConnection
 * @message: what to send
 * @error: return location for an error
 *
 * Queues a message that arrives exactly once and in the order of sending, and
 * does not wait. Whether it arrived, and when, only
 * hp_connection_send_message_async() tells.
 *
 * Errors: %G_IO_ERROR_WOULD_BLOCK when there is no room in the queue (wait
 * until #HpConnection:queued-bytes is lower, or use
 * hp_connection_send_message_async()), %HP_PUNCH_ERROR_MESSAGE_TOO_LARGE, and
 * once the connection has ended what ended it: see
 * hp_connection_send_message_finish().
 *
 * Returns: %TRUE if it was queued
 *
 * Since: 1.0
 */
gboolean
hp_connection_send_message (HpConnection *self, GBytes *message, GError **error)
{
  return hp_connection_send_message_full (self, message, HP_MESSAGE_FLAGS_NONE,
                                          0, error);
}

/**
 * hp_connection_send_message_async:
 * @self: a #HpConnection
 * @message: what to send
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the message was acknowledged, or
 *   failed
 * @user_data: data for @callback
 *
 * Sends a message that arrives exactly once and in the order of sending. When
 * the queue is full it waits until there is room. Cancelling takes the message
 * back if it has not arrived yet.
 *
 * Since: 1.0
 */
void
hp_connection_send_message_async (HpConnection *self, GBytes *message,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  HpOutbound outbound = { .message = message };

  g_return_if_fail (HP_IS_CONNECTION (self));
  g_return_if_fail (message != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  send_async (self, &outbound, cancellable, hp_connection_send_message_async,
              callback, user_data);
}

/**
 * hp_connection_send_message_finish:
 * @self: a #HpConnection
 * @result: the #GAsyncResult of the callback
 * @error: return location for an error
 *
 * Ends hp_connection_send_message_async().
 *
 * Errors: %G_IO_ERROR_CANCELLED, %HP_PUNCH_ERROR_MESSAGE_TOO_LARGE, and what
 * ended the connection if it ended before, or had already:
 * %G_IO_ERROR_CLOSED when one of the sides closed it, or the error of
 * #HpConnection::closed.
 *
 * Returns: %TRUE if the other side has received all of the message
 *
 * Since: 1.0
 */
gboolean
hp_connection_send_message_finish (HpConnection *self, GAsyncResult *result,
                                   GError **error)
{
  g_return_val_if_fail (HP_IS_CONNECTION (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (
      g_async_result_is_tagged (result, hp_connection_send_message_async),
      FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * hp_connection_send_message_full:
 * @self: a #HpConnection
 * @message: what to send
 * @flags: how it is to be delivered
 * @lifetime: microseconds after which an unreliable message is not worth
 *   sending any more; 0: no limit. Other messages have none.
 * @error: return location for an error
 *
 * As hp_connection_send_message(), with flags.
 *
 * Returns: %TRUE if it was queued
 *
 * Since: 1.0
 */
gboolean
hp_connection_send_message_full (HpConnection *self, GBytes *message,
                                 HpMessageFlags flags, gint64 lifetime,
                                 GError **error)
{
  HpOutbound outbound = { .message = message,
                          .flags = flags,
                          .lifetime = lifetime };

  g_return_val_if_fail (HP_IS_CONNECTION (self), FALSE);
  g_return_val_if_fail (message != NULL, FALSE);
  g_return_val_if_fail (lifetime >= 0, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!check_outbound (self, &outbound, error)
      || !hp_sends_post (&self->sends, &outbound, hp_clock_now (), error))
    return FALSE;
  hurry (self);
  return TRUE;
}

/**
 * hp_connection_send_message_full_async:
 * @self: a #HpConnection
 * @message: what to send
 * @flags: how it is to be delivered
 * @lifetime: microseconds after which an unreliable message is not worth
 *   sending any more; 0: no limit. Other messages have none.
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the message was acknowledged, or
 *   failed
 * @user_data: data for @callback
 *
 * As hp_connection_send_message_async(), with flags.
 *
 * Since: 1.0
 */
void
hp_connection_send_message_full_async (HpConnection *self, GBytes *message,
                                       HpMessageFlags flags, gint64 lifetime,
                                       GCancellable *cancellable,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data)
{
  HpOutbound outbound = { .message = message,
                          .flags = flags,
                          .lifetime = lifetime };

  g_return_if_fail (HP_IS_CONNECTION (self));
  g_return_if_fail (message != NULL);
  g_return_if_fail (lifetime >= 0);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  send_async (self, &outbound, cancellable,
              hp_connection_send_message_full_async, callback, user_data);
}

/**
 * hp_connection_send_message_full_finish:
 * @self: a #HpConnection
 * @result: the #GAsyncResult of the callback
 * @error: return location for an error
 *
 * Ends hp_connection_send_message_full_async(). Besides the errors of
 * hp_connection_send_message_finish() an unreliable message can fail with
 * %HP_PUNCH_ERROR_EXPIRED when it was lost or too late.
 *
 * Returns: %TRUE if the other side has received all of the message
 *
 * Since: 1.0
 */
gboolean
hp_connection_send_message_full_finish (HpConnection *self,
                                        GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (HP_IS_CONNECTION (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (
      g_async_result_is_tagged (result, hp_connection_send_message_full_async),
      FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * hp_connection_close_async:
 * @self: a #HpConnection
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the connection has ended
 * @user_data: data for @callback
 *
 * Ends the connection at once and tells the other peer. Messages that are still
 * queued are lost, and whoever waits for them gets %G_IO_ERROR_CLOSED: to be
 * sure that a message has arrived, wait for hp_connection_send_message_async()
 * first. The end itself cannot be cancelled.
 *
 * Since: 1.0
 */
void
hp_connection_close_async (HpConnection *self, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (HP_IS_CONNECTION (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, hp_connection_close_async);
  hp_connection_close_private (self, HP_CLOSE_NORMAL, NULL);
  if (self->line != NULL)
    self->close_tasks = g_list_append (self->close_tasks,
                                       g_steal_pointer (&task));
  else
    g_task_return_boolean (task, TRUE);
}

/**
 * hp_connection_close_finish:
 * @self: a #HpConnection
 * @result: the #GAsyncResult of the callback
 * @error: return location for an error
 *
 * Ends hp_connection_close_async(). The only error is %G_IO_ERROR_CANCELLED,
 * and even then the connection is closed.
 *
 * Returns: %TRUE if the connection has ended
 *
 * Since: 1.0
 */
gboolean
hp_connection_close_finish (HpConnection *self, GAsyncResult *result,
                            GError **error)
{
  g_return_val_if_fail (HP_IS_CONNECTION (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (
      g_async_result_is_tagged (result, hp_connection_close_async), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
