/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "hole-punch/hp-authorization.h"

/* Called exactly once: from allow() or deny(), or, denying, from an idle of
 * @context when the object is dropped or its deadline is over. */
typedef void (*HpAuthorizationFunc) (gboolean allowed, gpointer user_data);

/* @context: (transfer none) where the deadline runs. @deadline: µs from now */
HpAuthorization *hp_authorization_new_private (
    const char *id, const char *fingerprint, const char *wanted_id,
    GMainContext *context, gint64 deadline, HpAuthorizationFunc func,
    gpointer user_data, GDestroyNotify destroy);
