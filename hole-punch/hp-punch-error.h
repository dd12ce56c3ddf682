/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(HP_INSIDE) && !defined(HP_COMPILATION)
#error "Only <hole-punch/hole-punch.h> can be included directly."
#endif

#include <hole-punch/hp-types.h>

G_BEGIN_DECLS

/**
 * SECTION:hp-punch-error
 * @title: Errors
 * @short_description: What can go wrong, and what to do then
 *
 * Errors that GIO has a code for are in the domain %G_IO_ERROR; all others that
 * this library reports are in the domain %HP_PUNCH_ERROR.
 */

/**
 * HP_PUNCH_ERROR:
 *
 * The error domain of this library; its codes are #HpPunchError.
 *
 * Since: 1.0
 */
#define HP_PUNCH_ERROR (hp_punch_error_quark ())

/**
 * HpPunchError:
 * @HP_PUNCH_ERROR_UNKNOWN_ID: nobody is registered under this id at the match
 *   server, or its holder does not want to talk to you; the two are not told
 *   apart. Check the id, ask again later.
 * @HP_PUNCH_ERROR_REFUSED: the match server's policy does not allow it. Ask its
 *   operator.
 * @HP_PUNCH_ERROR_ID_TAKEN: the id belongs to another identity. Choose another
 *   one, or use the identity it was first registered with.
 * @HP_PUNCH_ERROR_UNREACHABLE: the other peer is there, but no path to it was
 *   found; the message says what was tried.
 * @HP_PUNCH_ERROR_MATCH_SERVER: no match server is set, its name cannot be
 *   resolved, or it does not answer. Check #HpPeer:match-server and the
 *   network.
 * @HP_PUNCH_ERROR_MESSAGE_TOO_LARGE: the message is larger than the other
 *   side's #HpPeer:max-message-size. Send it in parts.
 * @HP_PUNCH_ERROR_PROTOCOL: the other side broke the protocol; the connection
 *   has ended. Both sides should be updated.
 * @HP_PUNCH_ERROR_IDENTITY_MISMATCH: the other side is not who it should be:
 *   its key is not the fingerprint that was asked for or is known from before.
 *   Do not go on before you know why.
 * @HP_PUNCH_ERROR_RATE_LIMITED: too many requests. Wait, then ask again.
 * @HP_PUNCH_ERROR_INVALID_TARGET: not an id, a fingerprint, or
 *   `id@fingerprint`.
 * @HP_PUNCH_ERROR_INVALID_IDENTITY: a file does not hold an identity.
 * @HP_PUNCH_ERROR_DENIED: the application (on either side) did not let the peer
 *   in.
 * @HP_PUNCH_ERROR_REPLACED: the other peer began anew with the same identity;
 *   its new connection takes the place of this one.
 * @HP_PUNCH_ERROR_EXPIRED: an unreliable message was lost, or too late to be
 *   sent.
 *
 * Errors of this library. What GIO has a code for is a #GIOErrorEnum:
 * %G_IO_ERROR_CANCELLED, %G_IO_ERROR_CLOSED, %G_IO_ERROR_WOULD_BLOCK,
 * %G_IO_ERROR_TIMED_OUT.
 *
 * Since: 1.0
 */
typedef enum
{
  HP_PUNCH_ERROR_UNKNOWN_ID,
  HP_PUNCH_ERROR_REFUSED,
  HP_PUNCH_ERROR_ID_TAKEN,
  HP_PUNCH_ERROR_UNREACHABLE,
  HP_PUNCH_ERROR_MATCH_SERVER,
  HP_PUNCH_ERROR_MESSAGE_TOO_LARGE,
  HP_PUNCH_ERROR_PROTOCOL,
  HP_PUNCH_ERROR_IDENTITY_MISMATCH,
  HP_PUNCH_ERROR_RATE_LIMITED,
  HP_PUNCH_ERROR_INVALID_TARGET,
  HP_PUNCH_ERROR_INVALID_IDENTITY,
  HP_PUNCH_ERROR_DENIED,
  HP_PUNCH_ERROR_REPLACED,
  HP_PUNCH_ERROR_EXPIRED,
} HpPunchError;

#define HP_TYPE_PUNCH_ERROR (hp_punch_error_get_type ())
HP_AVAILABLE_IN_ALL
GType hp_punch_error_get_type (void) G_GNUC_CONST;

HP_AVAILABLE_IN_ALL
GQuark hp_punch_error_quark (void);

G_END_DECLS
