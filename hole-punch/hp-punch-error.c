/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-punch-error.h"

/**
 * hp_punch_error_quark:
 *
 * Gives the quark of %HP_PUNCH_ERROR.
 *
 * Returns: the quark
 *
 * Since: 1.0
 */
G_DEFINE_QUARK (hp-punch-error-quark, hp_punch_error)

#define CODE(name, nick) G_DEFINE_ENUM_VALUE (HP_PUNCH_ERROR_##name, nick)

G_DEFINE_ENUM_TYPE (HpPunchError, hp_punch_error,
                    CODE (UNKNOWN_ID, "unknown-id"),
                    CODE (REFUSED, "refused"),
                    CODE (ID_TAKEN, "id-taken"),
                    CODE (UNREACHABLE, "unreachable"),
                    CODE (MATCH_SERVER, "match-server"),
                    CODE (MESSAGE_TOO_LARGE, "message-too-large"),
                    CODE (PROTOCOL, "protocol"),
                    CODE (IDENTITY_MISMATCH, "identity-mismatch"),
                    CODE (RATE_LIMITED, "rate-limited"),
                    CODE (INVALID_TARGET, "invalid-target"),
                    CODE (INVALID_IDENTITY, "invalid-identity"),
                    CODE (DENIED, "denied"),
                    CODE (REPLACED, "replaced"),
                    CODE (EXPIRED, "expired"))
