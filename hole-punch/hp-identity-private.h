/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "hole-punch/hp-identity.h"
#include "hole-punch/secure/hp-crypto.h"

/* 52 characters, without the terminating zero */
#define HP_FINGERPRINT_LENGTH 52

/* RFC 4648 base32, lower case, no padding; canonical: 256 bits are 51.2
 * characters, so the last one is a or q. @text has room for 53. */
void hp_fingerprint_format (char *text, const guint8 public_key[HP_KEY_SIZE]);
/* FALSE unless @text is exactly what hp_fingerprint_format() gives */
gboolean hp_fingerprint_parse (const char *text,
                               guint8 public_key[HP_KEY_SIZE]);

const HpKeyPair *hp_identity_get_key_pair (HpIdentity *self);
/* Was loaded or saved: the key will come back, ids may belong to it */
gboolean hp_identity_is_persistent (HpIdentity *self);
