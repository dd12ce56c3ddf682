/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(HP_INSIDE) && !defined(HP_COMPILATION)
#error "Only <hole-punch/hole-punch.h> can be included directly."
#endif

#include <hole-punch/hp-types.h>

G_BEGIN_DECLS

#define HP_TYPE_AUTHORIZATION (hp_authorization_get_type ())
HP_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (HpAuthorization, hp_authorization, HP, AUTHORIZATION,
                      GObject)

HP_AVAILABLE_IN_ALL
const char *hp_authorization_get_id (HpAuthorization *self);
HP_AVAILABLE_IN_ALL
const char *hp_authorization_get_fingerprint (HpAuthorization *self);
HP_AVAILABLE_IN_ALL
const char *hp_authorization_get_wanted_id (HpAuthorization *self);
HP_AVAILABLE_IN_ALL
void hp_authorization_allow (HpAuthorization *self);
HP_AVAILABLE_IN_ALL
void hp_authorization_deny (HpAuthorization *self);

G_END_DECLS
