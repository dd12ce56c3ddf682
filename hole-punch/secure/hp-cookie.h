/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Stateless proofs of address: cookies, and tokens of paths.
 *
 * A cookie is HMAC-SHA256 (secret, address), cut to 16 bytes, under a secret
 * that rotates; the previous one is still accepted. The secrets come from a
 * seed and the time alone, so that those who have both in common take each
 * other's proofs.
 */

#pragma once

#include "hole-punch/secure/hp-crypto.h"
#include "hole-punch/secure/hp-handshake.h"

#define HP_COOKIE_ROTATION (120 * G_TIME_SPAN_SECOND)

typedef struct
{
  guint8 seed[HP_KEY_SIZE];
  guint8 secrets[2][HP_KEY_SIZE]; /* the present one and the one before */
  gint64 epoch; /* how many HP_COOKIE_ROTATIONs from the clock's zero */
  gint64 clock; /* added to the time */
} HpCookieJar;

/* With a seed of its own */
void hp_cookie_jar_init (HpCookieJar *self, const HpRandom *random,
                         gint64 now);
void hp_cookie_jar_init_shared (HpCookieJar *self,
                                const guint8 seed[HP_KEY_SIZE], gint64 now);
void hp_cookie_jar_clear (HpCookieJar *self); /* wipes */
/* Rotates when due; call it before the others */
/* @clock is added to the time that it is told, for those who have the seed in
 * common, but not the clock */
void hp_cookie_jar_set_clock (HpCookieJar *self, gint64 clock, gint64 now);
void hp_cookie_jar_rotate (HpCookieJar *self, gint64 now);
void hp_cookie_jar_create (const HpCookieJar *self, const HpAddress *address,
                           guint8 cookie[HP_COOKIE_SIZE]);
gboolean hp_cookie_jar_check (const HpCookieJar *self,
                              const HpAddress *address,
                              const guint8 cookie[HP_COOKIE_SIZE])
    G_GNUC_WARN_UNUSED_RESULT;
/* Which of the (two) cookies for @address is the ticket of @initiation;
 * HP_HANDSHAKE_WRONG_TICKET if neither */
HpHandshakeVerdict
hp_cookie_jar_check_initiation (const HpCookieJar *self,
                                const HpAddress *address,
                                const HpInitiation *initiation,
                                const guint8 *bytes, guint16 suites,
                                HpTicket *ticket) G_GNUC_WARN_UNUSED_RESULT;
/* Challenge of a session's new address, stateless: a MAC over index and
 * address, cut to 8 bytes */
void hp_cookie_jar_create_token (const HpCookieJar *self, guint32 index,
                                 const HpAddress *address,
                                 guint8 token[HP_TOKEN_SIZE]);
gboolean hp_cookie_jar_check_token (const HpCookieJar *self, guint32 index,
                                    const HpAddress *address,
                                    const guint8 token[HP_TOKEN_SIZE])
    G_GNUC_WARN_UNUSED_RESULT;

/* HELLO's proof that its sender knows the receiver's public key:
 * HMAC-SHA256 (SHA-256 ("hole-punch hello" ‖ public key), bytes before),
 * cut to 16. */
void hp_hello_create_proof (const guint8 public_key[HP_KEY_SIZE],
                            const guint8 *bytes, gsize length,
                            guint8 proof[HP_MAC_SIZE]);
gboolean hp_hello_check_proof (const guint8 public_key[HP_KEY_SIZE],
                               const HpHello *hello, const guint8 *bytes)
    G_GNUC_WARN_UNUSED_RESULT;

/* The ticket of an introduction, without state: from the server's own secret
 * and (caller, callee, request number) */
void hp_ticket_derive (HpTicket *ticket,
                       const guint8 server_secret[HP_KEY_SIZE],
                       const guint8 caller[HP_KEY_SIZE],
                       const guint8 callee[HP_KEY_SIZE], guint64 request);
