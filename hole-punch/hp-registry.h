/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(HP_INSIDE) && !defined(HP_COMPILATION)
#error "Only <hole-punch/hole-punch.h> can be included directly."
#endif

#include <hole-punch/hp-registration.h>
#include <hole-punch/hp-registry-request.h>

G_BEGIN_DECLS

#define HP_TYPE_REGISTRY (hp_registry_get_type ())
HP_AVAILABLE_IN_ALL
G_DECLARE_INTERFACE (HpRegistry, hp_registry, HP, REGISTRY, GObject)

/**
 * HpRegistryInterface:
 * @parent_iface: the parent interface
 * @claim: the identity of the request wants its id, for its lifetime; answer
 *   with whoever holds the id then (the claimer, or the one before it)
 * @lookup: answer with whoever holds the id, or %NULL
 * @release: the identity gives its id up; answer with %NULL
 * @lookup_key: answer with where the identity of the fingerprint is
 *   (#HpRegistration:server), or %NULL
 * @post: hand the message to the match server that is named; answer with %NULL
 *   when it is on its way
 * @dup_server_name: the name that this match server has among all that share
 *   the registry, a string of its own; %NULL if none share it. Asked for when a
 *   server starts
 *
 * What a registry implements. Each function gets a request, and answers it now
 * or later by hp_registry_request_return_registration() or
 * hp_registry_request_return_error(). The last three are for a registry that
 * several match servers share; such a one also emits
 * #HpRegistry::message-received.
 *
 * Since: 1.0
 */
struct _HpRegistryInterface
{
  GTypeInterface parent_iface;

  void (*claim) (HpRegistry *self, HpRegistryRequest *request);
  void (*lookup) (HpRegistry *self, HpRegistryRequest *request);
  void (*release) (HpRegistry *self, HpRegistryRequest *request);

  void (*lookup_key) (HpRegistry *self, HpRegistryRequest *request);
  void (*post) (HpRegistry *self, HpRegistryRequest *request);
  char *(*dup_server_name) (HpRegistry *self);

  /*< private >*/
  gpointer padding[2];
};

HP_AVAILABLE_IN_ALL
void hp_registry_claim_async (HpRegistry *self, const char *id,
                              const char *fingerprint, gint64 lifetime,
                              gboolean ephemeral, GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data);
HP_AVAILABLE_IN_ALL
HpRegistration *hp_registry_claim_finish (HpRegistry *self,
                                          GAsyncResult *result,
                                          GError **error);
HP_AVAILABLE_IN_ALL
void hp_registry_lookup_async (HpRegistry *self, const char *id,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data);
HP_AVAILABLE_IN_ALL
HpRegistration *hp_registry_lookup_finish (HpRegistry *self,
                                           GAsyncResult *result,
                                           GError **error);
HP_AVAILABLE_IN_ALL
void hp_registry_release_async (HpRegistry *self, const char *id,
                                const char *fingerprint,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data);
HP_AVAILABLE_IN_ALL
gboolean hp_registry_release_finish (HpRegistry *self, GAsyncResult *result,
                                     GError **error);
HP_AVAILABLE_IN_ALL
void hp_registry_lookup_key_async (HpRegistry *self, const char *fingerprint,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data);
HP_AVAILABLE_IN_ALL
HpRegistration *hp_registry_lookup_key_finish (HpRegistry *self,
                                               GAsyncResult *result,
                                               GError **error);
HP_AVAILABLE_IN_ALL
void hp_registry_post_async (HpRegistry *self, const char *server,
                             GBytes *message, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data);
HP_AVAILABLE_IN_ALL
gboolean hp_registry_post_finish (HpRegistry *self, GAsyncResult *result,
                                  GError **error);
HP_AVAILABLE_IN_ALL
const char *hp_registry_get_server_name (HpRegistry *self);

G_END_DECLS
