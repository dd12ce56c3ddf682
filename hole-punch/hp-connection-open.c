/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-connection-private.h"

#include "hole-punch/io/hp-clock.h"

/**
 * hp_connection_open_stream_async:
 * @self: a #HpConnection
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the stream is open, or failed
 * @user_data: data for @callback
 *
 * Opens a stream of bytes, both ways, to the other peer, which hears of it by
 * #HpConnection::stream-opened. That takes no round trip: what is written goes
 * with it. While the connection is connecting, the stream waits.
 *
 * Since: 1.0
 */
void
hp_connection_open_stream_async (HpConnection *self, GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (HP_IS_CONNECTION (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, hp_connection_open_stream_async);
  if (g_task_return_error_if_cancelled (task))
    return;
  if (self->close_error != NULL)
    g_task_return_error (task, g_error_copy (self->close_error));
  else if (self->line == NULL)
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CLOSED,
                             "The connection is closed");
  else
    hp_streams_open (&self->streams, g_steal_pointer (&task), hp_clock_now ());
}

/**
 * hp_connection_open_stream_finish:
 * @self: a #HpConnection
 * @result: the #GAsyncResult of the callback
 * @error: return location for an error
 *
 * Ends hp_connection_open_stream_async().
 *
 * Errors: %G_IO_ERROR_CANCELLED, and what ended the connection if it ended
 * before: %G_IO_ERROR_CLOSED when one of the sides closed it, or the error of
 * #HpConnection::closed.
 *
 * Returns: (transfer full): a stream, which is given up when its last reference
 *   is dropped before it was closed; %NULL on failure
 *
 * Since: 1.0
 */
HpStream *
hp_connection_open_stream_finish (HpConnection *self, GAsyncResult *result,
                                  GError **error)
{
  g_return_val_if_fail (HP_IS_CONNECTION (self), NULL);
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (
      g_async_result_is_tagged (result, hp_connection_open_stream_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
