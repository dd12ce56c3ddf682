/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(HP_INSIDE) && !defined(HP_COMPILATION)
#error "Only <hole-punch/hole-punch.h> can be included directly."
#endif

#include <hole-punch/hp-types.h>

G_BEGIN_DECLS

#define HP_TYPE_REGISTRATION (hp_registration_get_type ())
HP_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (HpRegistration, hp_registration, HP, REGISTRATION,
                      GObject)

HP_AVAILABLE_IN_ALL
HpRegistration *hp_registration_new (const char *id, const char *fingerprint);
HP_AVAILABLE_IN_ALL
const char *hp_registration_get_id (HpRegistration *self);
HP_AVAILABLE_IN_ALL
const char *hp_registration_get_fingerprint (HpRegistration *self);
HP_AVAILABLE_IN_ALL
GSocketAddress *hp_registration_get_address (HpRegistration *self);
HP_AVAILABLE_IN_ALL
const char *hp_registration_get_server (HpRegistration *self);

G_END_DECLS
