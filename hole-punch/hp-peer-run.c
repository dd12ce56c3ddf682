/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-peer-private.h"

#include <string.h>

#include "hole-punch/hp-identity-private.h"
#include "hole-punch/hp-peer-call-private.h"
#include "hole-punch/hp-peer-links-private.h"
#include "hole-punch/hp-peer-mapping-private.h"
#include "hole-punch/hp-peer-match-private.h"
#include "hole-punch/hp-peer-nat-private.h"
#include "hole-punch/hp-peer-relay-private.h"
#include "hole-punch/hp-peer-report-private.h"
#include "hole-punch/hp-peer-visitors-private.h"
#include "hole-punch/hp-punch-error.h"
#include "hole-punch/io/hp-clock.h"

/* Sources */

GSource *
hp_peer_add_timeout (HpPeer *self, guint milliseconds, const char *name,
                     GSourceFunc func, gpointer user_data)
{
  GSource *source = g_timeout_source_new (milliseconds);

  g_source_set_static_name (source, name);
  g_source_set_callback (source, func, user_data, NULL);
  g_source_attach (source, hp_peer_get_private (self)->context);
  return source;
}

void
hp_peer_clear_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

/* Presence */

static void
update_public_address (HpPeer *self)
{
  HpPeerPrivate *priv = hp_peer_get_private (self);
  HpAddress observed = { 0 };

  for (guint i = 0; i < priv->matches->len; i++)
    {
      HpPeerMatch *match = priv->matches->pdata[i];
      const HpAddress *address = hp_match_client_get_observed (match->client);

      if (address != NULL && observed.family == HP_ADDRESS_NONE)
        observed = *address;
    }
  if (hp_address_equal (&observed, &priv->observed))
    return;
  priv->observed = observed;
  g_clear_object (&priv->public_address);
  priv->public_address = hp_address_to_socket_address (&observed);
  g_object_notify (G_OBJECT (self), "public-address");
}

void
hp_peer_update_presence (HpPeer *self)
{
  HpPeerPrivate *priv = hp_peer_get_private (self);
  gboolean registered = FALSE;

  g_object_freeze_notify (G_OBJECT (self));
  for (guint i = 0; i < priv->matches->len; i++)
    {
      HpPeerMatch *match = priv->matches->pdata[i];

      registered |= priv->id != NULL
                    && hp_match_client_is_registered (match->client);
    }
  if (registered != priv->registered)
    {
      priv->registered = registered;
      g_object_notify (G_OBJECT (self), "registered");
    }
  update_public_address (self);
  g_object_thaw_notify (G_OBJECT (self));
}

static void
set_local_address (HpPeer *self, const HpAddress *address)
{
  HpPeerPrivate *priv = hp_peer_get_private (self);

  g_clear_object (&priv->local_address);
  if (address != NULL)
    priv->local_address = hp_address_to_socket_address (address);
  g_object_notify (G_OBJECT (self), "local-address");
}

/* The end */

static gboolean
on_finish (gpointer user_data)
{
  HpPeer *self = user_data;
  HpPeerPrivate *priv = hp_peer_get_private (self);
  g_autoptr (GError) error = g_steal_pointer (&priv->stop_error);
  GList *close_tasks = g_steal_pointer (&priv->close_tasks);

  hp_peer_clear_source (&priv->finish_source);
  g_clear_pointer (&priv->endpoint, hp_endpoint_unref);
  g_clear_pointer (&priv->matches, g_ptr_array_unref);
  g_clear_pointer (&priv->calls, g_ptr_array_unref);
  g_clear_pointer (&priv->visitors, g_ptr_array_unref);
  g_clear_pointer (&priv->links, g_ptr_array_unref);
  g_clear_pointer (&priv->settled, g_array_unref);
  g_clear_pointer (&priv->context, g_main_context_unref);
  hp_cookie_jar_clear (&priv->cookie_jar);
  priv->state = HP_PEER_IDLE;

  hp_waiters_return (&priv->starting, NULL, error);
  set_local_address (self, NULL);
  hp_peer_nat_forget (self);
  for (GList *l = close_tasks; l != NULL; l = l->next)
    {
      g_autoptr (GTask) task = l->data;

      g_task_return_boolean (task, TRUE);
    }
  g_list_free (close_tasks);
  /* What hp_peer_begin() took */
  g_object_unref (self);
  return G_SOURCE_REMOVE;
}

void
hp_peer_links_gone (HpPeer *self)
{
  HpPeerPrivate *priv = hp_peer_get_private (self);

  if (priv->state != HP_PEER_CLOSING || priv->finish_source != NULL
      || !hp_peer_mapping_is_gone (self))
    return;
  priv->finish_source = g_idle_source_new ();
  g_source_set_priority (priv->finish_source, G_PRIORITY_DEFAULT);
  g_source_set_static_name (priv->finish_source, "hp-peer-finish");
  g_source_set_callback (priv->finish_source, on_finish, self, NULL);
  g_source_attach (priv->finish_source, priv->context);
}

static void
tell_failure (HpPeer *self)
{
  GPtrArray *attempts = g_ptr_array_new_with_free_func (g_free);

  hp_peer_attempts_add_servers (self, attempts);
  hp_peer_report_failure (self, attempts);
}

/* @error: why it could not start */
static void
stop (HpPeer *self, const GError *error)
{
  HpPeerPrivate *priv = hp_peer_get_private (self);

  if (!hp_peer_is_active (self))
    return;
  priv->state = HP_PEER_CLOSING;
  priv->stop_error = error != NULL ? g_error_copy (error)
                                   : g_error_new (G_IO_ERROR, G_IO_ERROR_CLOSED,
                                                  "The peer was closed");

  /* So that the callbacks find it */
  if (error != NULL)
    tell_failure (self);
  hp_peer_unwatch_network (self);
  hp_peer_clear_source (&priv->start_timeout);
  hp_peer_clear_source (&priv->linger_source);
  hp_peer_calls_end (self, &priv->starting);
  g_ptr_array_set_size (priv->visitors, 0);
  hp_peer_links_close_all (self);
  for (guint i = 0; i < priv->matches->len; i++)
    hp_peer_match_stop (priv->matches->pdata[i]);
  g_ptr_array_set_size (priv->matches, 0);
  hp_peer_nat_stop (self);
  g_clear_pointer (&priv->relay, hp_peer_relay_free);
  hp_endpoint_close (priv->endpoint);
  g_queue_clear_full (&priv->lingering,
                      (GDestroyNotify) hp_connection_line_free);
  hp_peer_mapping_stop (self);
  if (priv->links->len == 0)
    hp_peer_links_gone (self);
  hp_peer_update_presence (self);
  if (error != NULL)
    g_object_notify (G_OBJECT (self), "network-report");
}

/* The beginning */

gboolean
hp_peer_is_active (HpPeer *self)
{
  HpPeerState state = hp_peer_get_private (self)->state;

  return state == HP_PEER_STARTING || state == HP_PEER_STARTED;
}

static gboolean
on_stray (gpointer user_data, const HpDatagram *datagram, gint64 now)
{
  HpPeer *self = user_data;
  HpPeerPrivate *priv = hp_peer_get_private (self);

  if (datagram->length == 0)
    return FALSE;
  if (hp_peer_relay_receive (self, datagram, now)
      || hp_peer_nat_receive (self, datagram, now))
    return TRUE;
  if (datagram->bytes[0] != HP_PACKET_COOKIE)
    return hp_peer_visitors_receive (self, datagram, now);

  for (guint i = 0; i < priv->matches->len; i++)
    {
      if (hp_peer_match_receive (priv->matches->pdata[i], datagram, now))
        return TRUE;
    }
  return hp_peer_calls_receive (self, datagram, now);
}

static void
on_start_deserted (gpointer user_data)
{
  HpPeer *self = user_data;
  HpPeerPrivate *priv = hp_peer_get_private (self);

  if (priv->state == HP_PEER_STARTING && priv->calls->len == 0)
    stop (self, NULL);
}

static gboolean
on_start_timeout (gpointer user_data)
{
  HpPeer *self = user_data;
  HpPeerPrivate *priv = hp_peer_get_private (self);
  g_autoptr (GError) error = NULL;
  const GError *relay;

  hp_peer_clear_source (&priv->start_timeout);
  for (guint i = 0; i < priv->matches->len && error == NULL; i++)
    {
      HpPeerMatch *match = priv->matches->pdata[i];

      if (match->error != NULL)
        error = g_error_copy (match->error);
    }
  relay = hp_peer_relay_get_error (self);
  if (error == NULL)
    error = g_error_new (HP_PUNCH_ERROR, HP_PUNCH_ERROR_MATCH_SERVER,
                         "The match server does not answer%s%s",
                         relay != NULL ? "; through a relay: " : "",
                         relay != NULL ? relay->message : "");
  stop (self, error);
  return G_SOURCE_REMOVE;
}

void
hp_peer_check_started (HpPeer *self)
{
  HpPeerPrivate *priv = hp_peer_get_private (self);
  gboolean is_usable = priv->matches->len == 0;
  const GError *error = NULL;
  guint n_failed = 0;

  if (priv->state != HP_PEER_STARTING)
    return;

  for (guint i = 0; i < priv->matches->len; i++)
    {
      HpPeerMatch *match = priv->matches->pdata[i];

      is_usable |= hp_peer_match_is_usable (match);
      if (match->error == NULL)
        continue;
      n_failed++;
      if (error == NULL)
        error = match->error;
    }

  if (is_usable)
    {
      priv->state = HP_PEER_STARTED;
      hp_peer_clear_source (&priv->start_timeout);
      hp_waiters_return (&priv->starting, NULL, NULL);
      hp_peer_calls_begin (self);
    }
  else if (n_failed == priv->matches->len && !priv->is_scout)
    {
      stop (self, error);
    }
}

static GPtrArray *
new_matches (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) hp_peer_match_unref);
}

static void
add_matches (HpPeer *self, GPtrArray *names)
{
  HpPeerPrivate *priv = hp_peer_get_private (self);

  while (names->len > 0)
    g_ptr_array_add (
        priv->matches,
        hp_peer_match_new (self, g_ptr_array_steal_index (names, 0)));
}

void
hp_peer_replace_matches (HpPeer *self, GPtrArray *names)
{
  HpPeerPrivate *priv = hp_peer_get_private (self);
  g_autoptr (GPtrArray) stopped = priv->matches;

  priv->matches = new_matches ();
  for (guint i = 0; i < stopped->len; i++)
    hp_peer_match_stop (stopped->pdata[i]);
  add_matches (self, names);
  for (guint i = 0; i < stopped->len; i++)
    hp_peer_calls_forget (self, stopped->pdata[i]);
  hp_peer_check_started (self);
  hp_peer_update_presence (self);
}

static HpEndpoint *
bind_endpoint (HpPeer *self, GError **error)
{
  HpPeerPrivate *priv = hp_peer_get_private (self);
  HpEndpoint *endpoint = hp_endpoint_new (NULL, priv->port, on_stray, self,
                                          error);

  if (endpoint == NULL)
    return NULL;
  hp_endpoint_set_answer_unknown (endpoint, TRUE);
  hp_endpoint_set_busy_polling (endpoint, TRUE);
  return endpoint;
}

gboolean
hp_peer_begin (HpPeer *self, GError **error)
{
  HpPeerPrivate *priv = hp_peer_get_private (self);
  g_autoptr (GPtrArray) names = NULL;
  g_autoptr (GPtrArray) stun_servers = NULL;

  g_assert (priv->state == HP_PEER_IDLE);
  if (priv->id != NULL && !hp_id_is_valid (priv->id, strlen (priv->id)))
    {
      g_set_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_INVALID_TARGET,
                   "“%s” cannot be an id", priv->id);
      return FALSE;
    }
  names = hp_server_names_parse (priv->match_server, error);
  if (names == NULL)
    return FALSE;
  stun_servers = hp_stun_servers_parse (priv->stun_servers, error);
  if (stun_servers == NULL)
    return FALSE;
  priv->relay = hp_peer_relay_new (self, error);
  if (priv->relay == NULL)
    return FALSE;
  priv->endpoint = bind_endpoint (self, error);
  if (priv->endpoint == NULL)
    {
      g_clear_pointer (&priv->relay, hp_peer_relay_free);
      return FALSE;
    }

  priv->context = g_main_context_ref_thread_default ();
  priv->state = HP_PEER_STARTING;
  hp_waiters_init (&priv->starting, on_start_deserted, self);
  priv->matches = new_matches ();
  priv->calls = hp_peer_calls_new ();
  priv->visitors = hp_peer_visitors_new ();
  priv->links = hp_peer_links_new ();
  priv->settled = hp_peer_visitors_new_settled ();
  hp_cookie_jar_init (&priv->cookie_jar, &hp_crypto_random, hp_clock_now ());
  /* Until it is closed; on_finish() gives it back */
  g_object_ref (self);
  hp_peer_watch_network (self);
  if (!priv->is_scout)
    priv->start_timeout = hp_peer_add_timeout (
        self, priv->connect_timeout * 1000, "hp-peer-start", on_start_timeout,
        self);
  hp_peer_nat_start (self, stun_servers);
  add_matches (self, names);
  hp_peer_relay_begin (self);
  set_local_address (self, hp_endpoint_get_address (priv->endpoint));
  hp_peer_check_started (self);
  return TRUE;
}

/**
 * hp_peer_start_async:
 * @self: a #HpPeer
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the peer has started, or cannot
 * @user_data: data for @callback
 *
 * Binds the peer's port, finds its match servers, and registers
 * #HpPeer:id if it is set. It is done when a match server has confirmed the
 * registration; without an id, when a match server answers; without a match
 * server, at once. From then on the peer goes on by itself: it registers again
 * when a match server was restarted, and looks for new paths when the network
 * changes.
 *
 * The thread-default #GMainContext of this call is where the peer works and
 * emits its signals from. A started peer holds a reference to itself until
 * hp_peer_close_async(). Starting a started peer does nothing; a closed peer
 * can be started again.
 *
 * Since: 1.0
 */
void
hp_peer_start_async (HpPeer *self, GCancellable *cancellable,
                     GAsyncReadyCallback callback, gpointer user_data)
{
  HpPeerPrivate *priv;
  g_autoptr (GTask) task = NULL;
  GError *error = NULL;

  g_return_if_fail (HP_IS_PEER (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  priv = hp_peer_get_private (self);
  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, hp_peer_start_async);
  if (g_task_return_error_if_cancelled (task))
    return;

  switch (priv->state)
    {
    case HP_PEER_IDLE:
      if (!hp_peer_begin (self, &error))
        {
          g_task_return_error (task, error);
          return;
        }
      break;
    case HP_PEER_STARTING:
    case HP_PEER_STARTED:
      break;
    case HP_PEER_CLOSING:
      g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CLOSED,
                               "The peer is being closed");
      return;
    }

  if (priv->state == HP_PEER_STARTED)
    g_task_return_boolean (task, TRUE);
  else
    hp_waiters_add (&priv->starting, g_steal_pointer (&task));
}

/**
 * hp_peer_start_finish:
 * @self: a #HpPeer
 * @result: the #GAsyncResult of the callback
 * @error: return location for an error
 *
 * Ends hp_peer_start_async(). After an error the peer is as it was before, and
 * may be started again.
 *
 * Errors: %HP_PUNCH_ERROR_ID_TAKEN, %HP_PUNCH_ERROR_REFUSED,
 * %HP_PUNCH_ERROR_RATE_LIMITED; %HP_PUNCH_ERROR_MATCH_SERVER when no match
 * server can be found or answers within #HpPeer:connect-timeout;
 * %HP_PUNCH_ERROR_IDENTITY_MISMATCH when it has another key than it should;
 * %HP_PUNCH_ERROR_INVALID_TARGET when #HpPeer:id cannot be one; a #GIOErrorEnum
 * such as %G_IO_ERROR_ADDRESS_IN_USE when the port cannot be bound;
 * %G_IO_ERROR_CANCELLED; %G_IO_ERROR_CLOSED when the peer was closed meanwhile.
 *
 * Returns: %TRUE if the peer has started
 *
 * Since: 1.0
 */
gboolean
hp_peer_start_finish (HpPeer *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (HP_IS_PEER (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, hp_peer_start_async),
                        FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * hp_peer_close_async:
 * @self: a #HpPeer
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the peer is closed
 * @user_data: data for @callback
 *
 * Closes all connections, gives up the registration, and lets go of the port.
 * Whoever waits for a call or a message gets %G_IO_ERROR_CLOSED. The peer may
 * be closed from any of its callbacks; closing cannot be cancelled. Closing a
 * peer that is not started does nothing.
 *
 * Since: 1.0
 */
void
hp_peer_close_async (HpPeer *self, GCancellable *cancellable,
                     GAsyncReadyCallback callback, gpointer user_data)
{
  HpPeerPrivate *priv;
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (HP_IS_PEER (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  priv = hp_peer_get_private (self);
  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, hp_peer_close_async);
  if (priv->state == HP_PEER_IDLE)
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  priv->close_tasks = g_list_append (priv->close_tasks,
                                     g_steal_pointer (&task));
  stop (self, NULL);
}

/**
 * hp_peer_close_finish:
 * @self: a #HpPeer
 * @result: the #GAsyncResult of the callback
 * @error: return location for an error
 *
 * Ends hp_peer_close_async(). The only error is %G_IO_ERROR_CANCELLED, and even
 * then the peer is closed.
 *
 * Returns: %TRUE if the peer is closed
 *
 * Since: 1.0
 */
gboolean
hp_peer_close_finish (HpPeer *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (HP_IS_PEER (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, hp_peer_close_async),
                        FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
