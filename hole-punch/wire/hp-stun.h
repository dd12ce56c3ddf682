/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* STUN Binding (RFC 8489), by libnice's codec: the only file that includes a
 * STUN library's headers is hp-stun.c.
 */

#pragma once

#include "hole-punch/base/hp-address.h"

#define HP_STUN_TRANSACTION_SIZE 12
#define HP_STUN_MAX_SIZE 548

/* A Binding request; gives its length, 0 if it does not fit */
gsize
hp_stun_create_request (const guint8 transaction[HP_STUN_TRANSACTION_SIZE],
                        guint8 *buffer, gsize capacity);
/* The XOR-MAPPED-ADDRESS of a success response to our @transaction */
gboolean
hp_stun_consume_response (const guint8 transaction[HP_STUN_TRANSACTION_SIZE],
                          const guint8 *bytes, gsize length, HpAddress *mapped)
    G_GNUC_WARN_UNUSED_RESULT;
/* The same, and where else the server can be asked (OTHER-ADDRESS, RFC 5780):
 * NONE if it does not say */
gboolean hp_stun_consume_answer (
    const guint8 transaction[HP_STUN_TRANSACTION_SIZE], const guint8 *bytes,
    gsize length, HpAddress *mapped, HpAddress *other)
    G_GNUC_WARN_UNUSED_RESULT;
/* A Binding indication, which nobody answers; gives its length, 0 if it does
 * not fit */
gsize
hp_stun_create_indication (const guint8 transaction[HP_STUN_TRANSACTION_SIZE],
                           guint8 *buffer, gsize capacity);
/* Gives its transaction */
gboolean
hp_stun_consume_indication (guint8 transaction[HP_STUN_TRANSACTION_SIZE],
                            const guint8 *bytes, gsize length)
    G_GNUC_WARN_UNUSED_RESULT;
/* The server's side: a response to a Binding request that came from @from,
 * with XOR-MAPPED-ADDRESS and, if @other is not NULL, OTHER-ADDRESS (RFC 5780);
 * error 420 for CHANGE-REQUEST and other unknown required attributes. Gives
 * its length; 0: not a well-formed Binding request, answer nothing. */
gsize hp_stun_create_response (const guint8 *request, gsize request_length,
                               const HpAddress *from, const HpAddress *other,
                               guint8 *buffer, gsize capacity);
