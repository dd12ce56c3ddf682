/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-registry.h"

#include "hole-punch/hp-registry-request-private.h"

/**
 * SECTION:hp-registry
 * @title: HpRegistry
 * @short_description: Where a match server keeps who holds which id
 *
 * A match server asks its registry who owns an id. #HpMemoryRegistry is the one
 * that is used unless #HpMatchServer:registry says otherwise. Another one may
 * keep ids in a database, share them among several match servers, or know
 * beforehand who is who; it can be written in any language, by implementing
 * this interface: functions that get a #HpRegistryRequest and answer it when
 * they can. One that is not implemented answers %G_IO_ERROR_NOT_SUPPORTED.
 *
 * |[<!-- language="Python" -->
 * class Staff(GObject.Object, HolePunch.Registry):
 *     def do_lookup(self, request):
 *         id = request.props.id
 *         request.return_registration(
 *             HolePunch.Registration(id=id, fingerprint=staff[id]))
 *     do_claim = do_lookup
 * ]|
 *
 * A registry keeps who *owns* an id, which outlives the peer's presence. Who is
 * there, and at which address, only the match server knows.
 *
 * Several match servers can share one: each has an object of its own, with a
 * name (#HpRegistryInterface.dup_server_name()), and the objects have their
 * store in common, as those of #HpRedisRegistry do. A claim then also says that
 * the peer is at this server, a lookup answers with the server where it is
 * (#HpRegistration:server), by its id or by its fingerprint
 * (#HpRegistryInterface.lookup_key()), and the servers introduce the peers of
 * each other by messages: #HpRegistryInterface.post(), and at the other one
 * #HpRegistry::message-received.
 *
 * The functions run in the thread of the match server, and should not block it.
 */

/**
 * HpRegistry:
 *
 * Where a match server keeps who holds which id.
 *
 * Since: 1.0
 */

G_DEFINE_INTERFACE (HpRegistry, hp_registry, G_TYPE_OBJECT)

static void
answer_not_supported (HpRegistry *self, HpRegistryRequest *request)
{
  g_autoptr (GError) error
      = g_error_new (G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                     "%s does not support this", G_OBJECT_TYPE_NAME (self));

  hp_registry_request_return_error (request, error);
}

static char *
dup_no_server_name (HpRegistry *self)
{
  return NULL;
}

/* So that a class of another language that implements a part does not crash */
static void
hp_registry_default_init (HpRegistryInterface *iface)
{
  iface->claim = answer_not_supported;
  iface->lookup = answer_not_supported;
  iface->release = answer_not_supported;
  iface->lookup_key = answer_not_supported;
  iface->post = answer_not_supported;
  iface->dup_server_name = dup_no_server_name;

  /**
   * HpRegistry::message-received:
   * @self: the registry
   * @message: the message
   *
   * Another match server has posted a message to this one. A registry emits
   * this in the thread of its match server.
   *
   * Since: 1.0
   */
  g_signal_new ("message-received", HP_TYPE_REGISTRY, G_SIGNAL_RUN_LAST, 0,
                NULL, NULL, g_cclosure_marshal_VOID__BOXED, G_TYPE_NONE, 1,
                G_TYPE_BYTES);
}

static HpRegistryRequest *
make_request (HpRegistry *self, const HpRegistryQuery *query,
              GCancellable *cancellable, GAsyncReadyCallback callback,
              gpointer user_data, gpointer tag)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, tag);
  return hp_registry_request_new_private (task, query,
                                          HP_REGISTRY_REQUEST_TIMEOUT);
}

/* Of a request that is answered with nothing but that it is done */
static gboolean
finish_without_answer (GAsyncResult *result, GError **error)
{
  g_autoptr (HpRegistration) holder = NULL;
  GError *own_error = NULL;

  holder = g_task_propagate_pointer (G_TASK (result), &own_error);
  if (own_error == NULL)
    return TRUE;
  g_propagate_error (error, own_error);
  return FALSE;
}

/**
 * hp_registry_claim_async:
 * @self: a #HpRegistry
 * @id: the id that is claimed
 * @fingerprint: the fingerprint of the identity that claims it
 * @lifetime: for how many seconds; more than 0
 * @ephemeral: whether the identity is one that will not come back
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when there is an answer
 * @user_data: for @callback
 *
 * Claims an id that nobody holds, or holds it for longer. An id that somebody
 * else holds stays as it is; hp_registry_claim_finish() tells who that is.
 *
 * Since: 1.0
 */
void
hp_registry_claim_async (HpRegistry *self, const char *id,
                         const char *fingerprint, gint64 lifetime,
                         gboolean ephemeral, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data)
{
  const HpRegistryQuery query = {
    .id = id,
    .fingerprint = fingerprint,
    .lifetime = lifetime,
    .ephemeral = ephemeral,
  };
  g_autoptr (HpRegistryRequest) request = NULL;

  g_return_if_fail (HP_IS_REGISTRY (self));
  g_return_if_fail (id != NULL && fingerprint != NULL && lifetime > 0);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  request = make_request (self, &query, cancellable, callback, user_data,
                          hp_registry_claim_async);
  HP_REGISTRY_GET_IFACE (self)->claim (self, request);
}

/**
 * hp_registry_claim_finish:
 * @self: a #HpRegistry
 * @result: the result that the callback was given
 * @error: return location for a #GError
 *
 * Finishes hp_registry_claim_async(). Fails with %G_IO_ERROR_TIMED_OUT when the
 * registry does not answer within ten seconds, and with whatever error the
 * registry gives: %HP_PUNCH_ERROR_RATE_LIMITED when it is full.
 *
 * Returns: (transfer full): who holds the id now, the claimer or
 *   somebody else; %NULL with @error set
 *
 * Since: 1.0
 */
HpRegistration *
hp_registry_claim_finish (HpRegistry *self, GAsyncResult *result,
                          GError **error)
{
  HpRegistration *holder;
  GError *own_error = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result,
                                                  hp_registry_claim_async),
                        NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  holder = g_task_propagate_pointer (G_TASK (result), &own_error);
  if (holder == NULL && own_error == NULL)
    own_error = g_error_new (G_IO_ERROR, G_IO_ERROR_FAILED,
                             "%s did not say who holds the id",
                             G_OBJECT_TYPE_NAME (self));
  if (own_error != NULL)
    g_propagate_error (error, own_error);
  return holder;
}

/**
 * hp_registry_lookup_async:
 * @self: a #HpRegistry
 * @id: the id that is looked up
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when there is an answer
 * @user_data: for @callback
 *
 * Asks who holds an id.
 *
 * Since: 1.0
 */
void
hp_registry_lookup_async (HpRegistry *self, const char *id,
                          GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  const HpRegistryQuery query = { .id = id };
  g_autoptr (HpRegistryRequest) request = NULL;

  g_return_if_fail (HP_IS_REGISTRY (self));
  g_return_if_fail (id != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  request = make_request (self, &query, cancellable, callback, user_data,
                          hp_registry_lookup_async);
  HP_REGISTRY_GET_IFACE (self)->lookup (self, request);
}

/**
 * hp_registry_lookup_finish:
 * @self: a #HpRegistry
 * @result: the result that the callback was given
 * @error: return location for a #GError
 *
 * Finishes hp_registry_lookup_async(). Fails with %G_IO_ERROR_TIMED_OUT when
 * the registry does not answer within ten seconds, and with whatever error the
 * registry gives.
 *
 * Returns: (transfer full) (nullable): who holds the id, %NULL if nobody does,
 *   and %NULL with @error set if it cannot be told
 *
 * Since: 1.0
 */
HpRegistration *
hp_registry_lookup_finish (HpRegistry *self, GAsyncResult *result,
                           GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result,
                                                  hp_registry_lookup_async),
                        NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * hp_registry_release_async:
 * @self: a #HpRegistry
 * @id: the id that is given up
 * @fingerprint: the fingerprint of the identity that held it
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async) (nullable): called when there is an answer
 * @user_data: for @callback
 *
 * Gives an id up. An id that somebody else holds stays as it is.
 *
 * Since: 1.0
 */
void
hp_registry_release_async (HpRegistry *self, const char *id,
                           const char *fingerprint, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  const HpRegistryQuery query = { .id = id, .fingerprint = fingerprint };
  g_autoptr (HpRegistryRequest) request = NULL;

  g_return_if_fail (HP_IS_REGISTRY (self));
  g_return_if_fail (id != NULL && fingerprint != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  request = make_request (self, &query, cancellable, callback, user_data,
                          hp_registry_release_async);
  HP_REGISTRY_GET_IFACE (self)->release (self, request);
}

/**
 * hp_registry_release_finish:
 * @self: a #HpRegistry
 * @result: the result that the callback was given
 * @error: return location for a #GError
 *
 * Finishes hp_registry_release_async(). Fails with %G_IO_ERROR_TIMED_OUT when
 * the registry does not answer within ten seconds, and with whatever error the
 * registry gives.
 *
 * Returns: %TRUE if the id does not belong to the identity any more, %FALSE
 *   with @error set
 *
 * Since: 1.0
 */
gboolean
hp_registry_release_finish (HpRegistry *self, GAsyncResult *result,
                            GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result,
                                                  hp_registry_release_async),
                        FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return finish_without_answer (result, error);
}

/**
 * hp_registry_lookup_key_async:
 * @self: a #HpRegistry
 * @fingerprint: the fingerprint of an identity
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when there is an answer
 * @user_data: for @callback
 *
 * Asks at which match server an identity is connected.
 *
 * Since: 1.0
 */
void
hp_registry_lookup_key_async (HpRegistry *self, const char *fingerprint,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data)
{
  const HpRegistryQuery query = { .fingerprint = fingerprint };
  g_autoptr (HpRegistryRequest) request = NULL;

  g_return_if_fail (HP_IS_REGISTRY (self));
  g_return_if_fail (fingerprint != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  request = make_request (self, &query, cancellable, callback, user_data,
                          hp_registry_lookup_key_async);
  HP_REGISTRY_GET_IFACE (self)->lookup_key (self, request);
}

/**
 * hp_registry_lookup_key_finish:
 * @self: a #HpRegistry
 * @result: the result that the callback was given
 * @error: return location for a #GError
 *
 * Finishes hp_registry_lookup_key_async(). Fails with
 * %G_IO_ERROR_NOT_SUPPORTED when the registry is not one that match servers
 * share, with %G_IO_ERROR_TIMED_OUT when it does not answer within ten seconds,
 * and with whatever error the registry gives.
 *
 * Returns: (transfer full) (nullable): the identity, and where it is; %NULL if
 *   it is nowhere, and %NULL with @error set if it cannot be told
 *
 * Since: 1.0
 */
HpRegistration *
hp_registry_lookup_key_finish (HpRegistry *self, GAsyncResult *result,
                               GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (
      g_async_result_is_tagged (result, hp_registry_lookup_key_async), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * hp_registry_post_async:
 * @self: a #HpRegistry
 * @server: the name of another match server
 * @message: what to hand to it
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async) (nullable): called when there is an answer
 * @user_data: for @callback
 *
 * Posts a message to another match server that shares the registry, where
 * #HpRegistry::message-received is emitted. It may get lost on the way.
 *
 * Since: 1.0
 */
void
hp_registry_post_async (HpRegistry *self, const char *server, GBytes *message,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user_data)
{
  const HpRegistryQuery query = { .server = server, .message = message };
  g_autoptr (HpRegistryRequest) request = NULL;

  g_return_if_fail (HP_IS_REGISTRY (self));
  g_return_if_fail (server != NULL && message != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  request = make_request (self, &query, cancellable, callback, user_data,
                          hp_registry_post_async);
  HP_REGISTRY_GET_IFACE (self)->post (self, request);
}

/**
 * hp_registry_post_finish:
 * @self: a #HpRegistry
 * @result: the result that the callback was given
 * @error: return location for a #GError
 *
 * Finishes hp_registry_post_async(). Fails with %G_IO_ERROR_NOT_FOUND when
 * there is no match server of that name (any more), with
 * %G_IO_ERROR_NOT_SUPPORTED when the registry is not one that match servers
 * share, with %G_IO_ERROR_TIMED_OUT when it does not answer within ten seconds,
 * and with whatever error the registry gives.
 *
 * Returns: %TRUE if the message is on its way, %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
hp_registry_post_finish (HpRegistry *self, GAsyncResult *result,
                         GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result,
                                                  hp_registry_post_async),
                        FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return finish_without_answer (result, error);
}

/**
 * hp_registry_get_server_name:
 * @self: a #HpRegistry
 *
 * Gets the name that the match server has that uses this registry, among all
 * that share it.
 *
 * Returns: (transfer none) (nullable): a name, which stays valid; %NULL if the
 *   registry is not one that match servers share
 *
 * Since: 1.0
 */
const char *
hp_registry_get_server_name (HpRegistry *self)
{
  g_autofree char *name = NULL;

  g_return_val_if_fail (HP_IS_REGISTRY (self), NULL);

  /* A binding can hand out only a copy; there are but few names. */
  name = HP_REGISTRY_GET_IFACE (self)->dup_server_name (self);
  return g_intern_string (name);
}
