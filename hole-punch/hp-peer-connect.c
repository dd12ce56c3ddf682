/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-peer-private.h"

#include <string.h>

#include "hole-punch/hp-identity-private.h"
#include "hole-punch/hp-peer-call-private.h"
#include "hole-punch/hp-peer-links-private.h"
#include "hole-punch/hp-punch-error.h"

static HpConnection *
find_open (HpPeer *self, const HpPeerTarget *target)
{
  HpPeerLink *link;

  if (!hp_peer_is_active (self))
    return NULL;
  link = target->has_key ? hp_peer_links_find_open (self, target->key)
                         : hp_peer_links_find_open_id (self, target->id);
  /* An interrupted one has to be found again first, or to be replaced */
  if (link == NULL
      || hp_connection_get_state (link->connection)
             == HP_CONNECTION_STATE_INTERRUPTED)
    return NULL;
  return link->connection;
}

static gboolean
is_self (HpPeer *self, const HpPeerTarget *target)
{
  HpPeerPrivate *priv = hp_peer_get_private (self);
  const HpKeyPair *local = hp_identity_get_key_pair (priv->identity);

  return target->has_key
             ? memcmp (local->public_key, target->key, HP_KEY_SIZE) == 0
             : g_strcmp0 (target->id, priv->id) == 0;
}

static gboolean
check_target (HpPeer *self, const HpPeerTarget *target, GError **error)
{
  if (!is_self (self, target))
    return TRUE;
  g_set_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_INVALID_TARGET,
               "“%s” is this peer itself", target->text);
  return FALSE;
}

static gboolean
ensure_active (HpPeer *self, GError **error)
{
  switch (hp_peer_get_private (self)->state)
    {
    case HP_PEER_IDLE:
      return hp_peer_begin (self, error);
    case HP_PEER_STARTING:
    case HP_PEER_STARTED:
      return TRUE;
    case HP_PEER_CLOSING:
      break;
    }
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED,
                       "The peer is being closed");
  return FALSE;
}

/* Takes over @task, and what is in @target */
static void
connect_to (HpPeer *self, HpPeerTarget *target, const HpAddress *address,
            GTask *task)
{
  g_autoptr (GTask) owned = task;
  HpConnection *open;
  GError *error = NULL;

  if (!check_target (self, target, &error) || !ensure_active (self, &error))
    {
      g_task_return_error (task, error);
      hp_peer_target_clear (target);
      return;
    }
  /* A handler of one of the peer's notifications closed it */
  if (!hp_peer_is_active (self))
    {
      g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CLOSED,
                               "The peer was closed");
      hp_peer_target_clear (target);
      return;
    }

  open = find_open (self, target);
  if (open != NULL)
    {
      g_task_return_pointer (task, g_object_ref (open), g_object_unref);
      hp_peer_target_clear (target);
    }
  else if (address != NULL)
    hp_peer_call_address (self, target, address, g_steal_pointer (&owned));
  else
    hp_peer_call_target (self, target, g_steal_pointer (&owned));
}

/**
 * hp_peer_connect_async:
 * @self: a #HpPeer
 * @target: whom to call: an id, a fingerprint, or `id@fingerprint`
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the other peer is reached, or cannot be
 * @user_data: data for @callback
 *
 * Finds a way to another peer. The peer is started first if need be, in the
 * context of this call. All match servers are asked, and the first that knows
 * the target wins; then both peers open their NATs for each other.
 *
 * A target with a fingerprint is safe even from a lying match server: nobody
 * but the holder of that key is talked to. With an id alone the match server
 * says whose key it is; a handler of #HpPeer::authorize-peer can then look at
 * it before anything is sent.
 *
 * If there is an open connection to the target already, it is what
 * hp_peer_connect_finish() gives; calls of one target that are under way at the
 * same time give the same connection.
 *
 * The first message of a new connection is not delivered before @callback has
 * run, so that a handler that is connected there misses none.
 *
 * Since: 1.0
 */
void
hp_peer_connect_async (HpPeer *self, const char *target,
                       GCancellable *cancellable, GAsyncReadyCallback callback,
                       gpointer user_data)
{
  HpPeerTarget parsed;
  g_autoptr (GTask) task = NULL;
  GError *error = NULL;

  g_return_if_fail (HP_IS_PEER (self));
  g_return_if_fail (target != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, hp_peer_connect_async);
  if (g_task_return_error_if_cancelled (task))
    return;
  if (!hp_peer_target_parse (&parsed, target, &error))
    g_task_return_error (task, error);
  else
    connect_to (self, &parsed, NULL, g_steal_pointer (&task));
}

/**
 * hp_peer_connect_finish:
 * @self: a #HpPeer
 * @result: the #GAsyncResult of the callback
 * @error: return location for an error
 *
 * Ends hp_peer_connect_async().
 *
 * Errors: %HP_PUNCH_ERROR_INVALID_TARGET; %HP_PUNCH_ERROR_UNKNOWN_ID when the
 * target is not there or does not want to talk to this peer;
 * %HP_PUNCH_ERROR_IDENTITY_MISMATCH when somebody else holds the id;
 * %HP_PUNCH_ERROR_UNREACHABLE when no path was found within
 * #HpPeer:connect-timeout, and the message says what was tried;
 * %HP_PUNCH_ERROR_MATCH_SERVER when there is none or none answers;
 * %HP_PUNCH_ERROR_DENIED when a handler of #HpPeer::authorize-peer of this peer
 * said no; %HP_PUNCH_ERROR_RATE_LIMITED; %G_IO_ERROR_CANCELLED;
 * %G_IO_ERROR_CLOSED when the peer was closed; and the errors of
 * hp_peer_start_finish().
 *
 * Returns: (transfer full): the connection
 *
 * Since: 1.0
 */
HpConnection *
hp_peer_connect_finish (HpPeer *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (HP_IS_PEER (self), NULL);
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (
      g_async_result_is_tagged (result, hp_peer_connect_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

static gboolean
parse_direct (HpPeerTarget *parsed, HpAddress *to, const char *fingerprint,
              GSocketAddress *address, GError **error)
{
  if (!hp_address_from_socket_address (to, address)
      || !hp_address_is_usable (to))
    {
      g_set_error_literal (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_INVALID_TARGET,
                           "Not an address to call");
      return FALSE;
    }
  if (!hp_fingerprint_parse (fingerprint, parsed->key))
    {
      g_set_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_INVALID_TARGET,
                   "“%s” is not a fingerprint", fingerprint);
      return FALSE;
    }
  return hp_peer_target_parse (parsed, fingerprint, error);
}

/**
 * hp_peer_connect_to_address_async:
 * @self: a #HpPeer
 * @address: where the other peer is
 * @fingerprint: who it is
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the other peer is reached, or cannot be
 * @user_data: data for @callback
 *
 * Connects to a peer whose address is known, without a match server: on the
 * same network, or where a port was opened by hand. No NAT is opened for it,
 * and the other peer must have set #HpPeer:direct-calls. The peer is started
 * first if need be.
 *
 * Since: 1.0
 */
void
hp_peer_connect_to_address_async (HpPeer *self, GSocketAddress *address,
                                  const char *fingerprint,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  HpPeerTarget parsed;
  HpAddress to;
  g_autoptr (GTask) task = NULL;
  GError *error = NULL;

  g_return_if_fail (HP_IS_PEER (self));
  g_return_if_fail (G_IS_SOCKET_ADDRESS (address));
  g_return_if_fail (fingerprint != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, hp_peer_connect_to_address_async);
  if (g_task_return_error_if_cancelled (task))
    return;
  if (hp_peer_get_relay_policy (self) == HP_RELAY_POLICY_RELAY_ONLY)
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                             "A direct call would tell this peer's address");
  else if (!parse_direct (&parsed, &to, fingerprint, address, &error))
    g_task_return_error (task, error);
  else
    connect_to (self, &parsed, &to, g_steal_pointer (&task));
}

/**
 * hp_peer_connect_to_address_finish:
 * @self: a #HpPeer
 * @result: the #GAsyncResult of the callback
 * @error: return location for an error
 *
 * Ends hp_peer_connect_to_address_async().
 *
 * Errors: %HP_PUNCH_ERROR_INVALID_TARGET; %HP_PUNCH_ERROR_UNREACHABLE when the
 * address does not answer within #HpPeer:connect-timeout, which is also what
 * a refusal looks like; %G_IO_ERROR_NOT_SUPPORTED with
 * %HP_RELAY_POLICY_RELAY_ONLY; %G_IO_ERROR_CANCELLED; %G_IO_ERROR_CLOSED when
 * the peer was closed; and the errors of hp_peer_start_finish().
 *
 * Returns: (transfer full): the connection
 *
 * Since: 1.0
 */
HpConnection *
hp_peer_connect_to_address_finish (HpPeer *self, GAsyncResult *result,
                                   GError **error)
{
  g_return_val_if_fail (HP_IS_PEER (self), NULL);
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (
      g_async_result_is_tagged (result, hp_peer_connect_to_address_async),
      NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/* One message */

static void
on_sent (GObject *connection, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;

  if (hp_connection_send_message_finish (HP_CONNECTION (connection), result,
                                         &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
on_connected (GObject *self, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GMainContext *context = g_task_get_context (task);
  g_autoptr (HpConnection) connection = NULL;
  GError *error = NULL;

  connection = hp_peer_connect_finish (HP_PEER (self), result, &error);
  if (connection == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  g_main_context_push_thread_default (context);
  hp_connection_send_message_async (connection, g_task_get_task_data (task),
                                    g_task_get_cancellable (task), on_sent,
                                    g_object_ref (task));
  g_main_context_pop_thread_default (context);
}

/**
 * hp_peer_send_message_async:
 * @self: a #HpPeer
 * @target: to whom: an id, a fingerprint, or `id@fingerprint`
 * @message: what to send
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the message was acknowledged, or
 *   failed
 * @user_data: data for @callback
 *
 * Sends one message: connects as hp_peer_connect_async() does, which starts the
 * peer if need be and finds a connection that is there already, then sends as
 * hp_connection_send_message_async() does. Messages to one target arrive in
 * the order of sending. The connection stays open.
 *
 * Since: 1.0
 */
void
hp_peer_send_message_async (HpPeer *self, const char *target, GBytes *message,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (HP_IS_PEER (self));
  g_return_if_fail (target != NULL);
  g_return_if_fail (message != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, hp_peer_send_message_async);
  g_task_set_task_data (task, g_bytes_ref (message),
                        (GDestroyNotify) g_bytes_unref);
  hp_peer_connect_async (self, target, cancellable, on_connected,
                         g_steal_pointer (&task));
}

/**
 * hp_peer_send_message_finish:
 * @self: a #HpPeer
 * @result: the #GAsyncResult of the callback
 * @error: return location for an error
 *
 * Ends hp_peer_send_message_async(). Its errors are those of
 * hp_peer_connect_finish() and hp_connection_send_message_finish().
 *
 * Returns: %TRUE if the other side has received all of the message
 *
 * Since: 1.0
 */
gboolean
hp_peer_send_message_finish (HpPeer *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (HP_IS_PEER (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (
      g_async_result_is_tagged (result, hp_peer_send_message_async), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
