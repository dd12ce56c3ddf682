/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(HP_INSIDE) && !defined(HP_COMPILATION)
#error "Only <hole-punch/hole-punch.h> can be included directly."
#endif

#include <hole-punch/hp-registration.h>

G_BEGIN_DECLS

#define HP_TYPE_REGISTRY_REQUEST (hp_registry_request_get_type ())
HP_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (HpRegistryRequest, hp_registry_request, HP,
                      REGISTRY_REQUEST, GObject)

HP_AVAILABLE_IN_ALL
const char *hp_registry_request_get_id (HpRegistryRequest *self);
HP_AVAILABLE_IN_ALL
const char *hp_registry_request_get_fingerprint (HpRegistryRequest *self);
HP_AVAILABLE_IN_ALL
gint64 hp_registry_request_get_lifetime (HpRegistryRequest *self);
HP_AVAILABLE_IN_ALL
gboolean hp_registry_request_get_ephemeral (HpRegistryRequest *self);
HP_AVAILABLE_IN_ALL
const char *hp_registry_request_get_server (HpRegistryRequest *self);
HP_AVAILABLE_IN_ALL
GBytes *hp_registry_request_get_message (HpRegistryRequest *self);
HP_AVAILABLE_IN_ALL
void hp_registry_request_return_registration (HpRegistryRequest *self,
                                              HpRegistration *registration);
HP_AVAILABLE_IN_ALL
void hp_registry_request_return_error (HpRegistryRequest *self,
                                       const GError *error);

G_END_DECLS
