/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "hole-punch/base/hp-address.h"
#include "hole-punch/hp-registration.h"

/* @id: NULL or "": none. @address: NULL: not known */
HpRegistration *hp_registration_new_private (const char *id,
                                             const char *fingerprint,
                                             const HpAddress *address);
