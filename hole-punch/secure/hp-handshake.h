/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* From nothing to a session: INITIATION, RESPONSE, ticket checks, PROBE.
 *
 * Both sides compute on copies and commit at success only: a datagram that
 * does not verify changes nothing.
 */

#pragma once

#include "hole-punch/secure/hp-session.h"

/* What lets a handshake in before any public-key operation: to a match server
 * (and in a direct call) number 0 and the cookie as secret, between peers both
 * come from the introduction. */
typedef struct
{
  guint64 number;
  guint8 secret[32];
  gsize secret_length; /* 16 (cookie) or 32 */
} HpTicket;

void hp_ticket_init (HpTicket *self, guint64 number, const guint8 *secret,
                     gsize secret_length);

typedef enum
{
  HP_HANDSHAKE_OK,
  HP_HANDSHAKE_MALFORMED,
  HP_HANDSHAKE_WRONG_TICKET,
  HP_HANDSHAKE_WRONG_VERSION, /* or suite */
  HP_HANDSHAKE_WRONG_IDENTITY,
  HP_HANDSHAKE_FORGED, /* Noise did not verify */
} HpHandshakeVerdict;

/* The initiator's half */

typedef struct _HpHandshake HpHandshake;

/* Computes the INITIATION's core once; @parameters are the bytes of
 * hp_parameters_write(). NULL: @remote_public is no usable key (of small
 * order: only a lying server names such). */
HpHandshake *hp_handshake_new (HpSuite suite, const HpTicket *ticket,
                               const HpKeyPair *local,
                               const guint8 remote_public[HP_KEY_SIZE],
                               guint32 local_index, const guint8 *parameters,
                               gsize parameters_length,
                               const HpRandom *random);
void hp_handshake_free (HpHandshake *self); /* wipes */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpHandshake, hp_handshake_free)
guint32 hp_handshake_get_local_index (const HpHandshake *self);
/* The same core, the @token of this path, and the MAC. The length, at most
 * HP_INITIATION_MAX_SIZE. */
gsize hp_handshake_write_initiation (const HpHandshake *self,
                                     const guint8 token[HP_TOKEN_SIZE],
                                     guint8 *buffer, gsize capacity);

typedef struct
{
  guint8 echoed_token[HP_TOKEN_SIZE]; /* to be compared by the caller */
  guint8 own_token[HP_TOKEN_SIZE];    /* to be answered by a PATH_RESPONSE */
  guint8 parameters[HP_MAX_PARAMETERS_SIZE];
  gsize parameters_length;
} HpHandshakeResult;

/* At HP_HANDSHAKE_OK @session is the new session, and the handshake is of no
 * further use but for verifying repeated RESPONSEs (see below); otherwise it
 * waits on as before. */
HpHandshakeVerdict
hp_handshake_consume_response (HpHandshake *self, const guint8 *bytes,
                               gsize length, guint replay_window, gint64 now,
                               HpHandshakeResult *result, HpSession **session)
    G_GNUC_WARN_UNUSED_RESULT;
/* A further copy of the RESPONSE, by another path: only its MAC, and that it
 * is the one consumed, is checked and its tokens given. */
HpHandshakeVerdict
hp_handshake_check_repeated_response (const HpHandshake *self,
                                      const guint8 *bytes, gsize length,
                                      HpHandshakeResult *result)
    G_GNUC_WARN_UNUSED_RESULT;

/* The responder's half: one INITIATION has exactly one RESPONSE. */

typedef struct
{
  guint8 initiation_hash[HP_HASH_SIZE]; /* SHA-256 of the INITIATION's core */
  guint8 core[HP_RESPONSE_MAX_SIZE];    /* the RESPONSE's, to be repeated */
  gsize core_length;
  HpTicket ticket;
} HpKeptResponse;

/* Checks version, suite (one of @suites) and MAC only */
HpHandshakeVerdict
hp_handshake_check_initiation (const HpInitiation *initiation,
                               const guint8 *bytes, const HpTicket *ticket,
                               guint16 suites) G_GNUC_WARN_UNUSED_RESULT;
/* Whether @kept answers this very INITIATION already */
gboolean hp_handshake_is_repeated (const HpKeptResponse *kept,
                                   const HpInitiation *initiation,
                                   const guint8 *bytes);
/* After hp_handshake_check_initiation(). @expected_public may be NULL: any
 * identity. Gives the remote's key and parameters (result->parameters), the
 * response to keep, and the session; at another verdict it changes none of
 * them. An INITIATION shorter than its RESPONSE would be is malformed. */
HpHandshakeVerdict
hp_handshake_respond (const HpInitiation *initiation, const guint8 *bytes,
                      const HpTicket *ticket, const HpKeyPair *local,
                      const guint8 *expected_public, guint32 local_index,
                      const guint8 *parameters, gsize parameters_length,
                      guint replay_window, const HpRandom *random, gint64 now,
                      guint8 remote_public[HP_KEY_SIZE],
                      HpHandshakeResult *result, HpKeptResponse *kept,
                      HpSession **session) G_GNUC_WARN_UNUSED_RESULT;
/* The kept core, the INITIATION's token echoed, our own token of this path,
 * and the MAC. */
gsize hp_handshake_write_response (const HpKeptResponse *kept,
                                   const guint8 echoed_token[HP_TOKEN_SIZE],
                                   const guint8 own_token[HP_TOKEN_SIZE],
                                   guint8 *buffer, gsize capacity);

/* PROBE: opens a NAT, and tells the other side of an address.
 * @from_initiator: who the sender is in the ticket's introduction (the
 * caller), so that a PROBE sent back does not verify. */
gsize hp_probe_write (const HpTicket *ticket, gboolean from_initiator,
                      guint8 *buffer, gsize capacity);
gboolean hp_probe_check (const HpProbe *probe, const guint8 *bytes,
                         const HpTicket *ticket, gboolean from_initiator)
    G_GNUC_WARN_UNUSED_RESULT;
