/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(HP_INSIDE) && !defined(HP_COMPILATION)
#error "Only <hole-punch/hole-punch.h> can be included directly."
#endif

#include <hole-punch/hp-types.h>

G_BEGIN_DECLS

#define HP_TYPE_IDENTITY (hp_identity_get_type ())
HP_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (HpIdentity, hp_identity, HP, IDENTITY, GObject)

HP_AVAILABLE_IN_ALL
HpIdentity *hp_identity_new (void);
HP_AVAILABLE_IN_ALL
HpIdentity *hp_identity_load (const char *filename, GError **error);
HP_AVAILABLE_IN_ALL
gboolean hp_identity_save (HpIdentity *self, const char *filename,
                           GError **error);
HP_AVAILABLE_IN_ALL
const char *hp_identity_get_fingerprint (HpIdentity *self);
HP_AVAILABLE_IN_ALL
GBytes *hp_identity_get_public_key (HpIdentity *self);

G_END_DECLS
