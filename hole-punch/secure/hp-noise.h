/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The IK handshake of The Noise Protocol Framework, revision 34, and nothing
 * besides: no datagrams, tickets or versions, so that it can be compared with
 * any other implementation.
 *
 * Every step is computed on a copy and committed at success only: after a
 * message that does not verify, the state takes the right one as before.
 */

#pragma once

#include "hole-punch/secure/hp-crypto.h"

typedef struct
{
  HpSuite suite;
  gboolean is_initiator;
  /* SymmetricState and its CipherState (sections 5.1, 5.2) */
  guint8 chaining_key[HP_HASH_SIZE];
  guint8 hash[HP_HASH_SIZE];
  guint8 key[HP_KEY_SIZE];
  guint64 nonce;
  /* HandshakeState (section 5.3) */
  HpKeyPair local_static;                /* s */
  HpKeyPair local_ephemeral;             /* e */
  guint8 remote_static[HP_KEY_SIZE];     /* rs */
  guint8 remote_ephemeral[HP_KEY_SIZE];  /* re */
} HpNoise;

/* @remote_public: of the responder, NULL on the responder itself */
void hp_noise_init (HpNoise *self, HpSuite suite, gconstpointer prologue,
                    gsize prologue_length, const HpKeyPair *local,
                    const guint8 *remote_public);
void hp_noise_clear (HpNoise *self); /* wipes */

/* Message 1 takes @length + HP_NOISE_1_OVERHEAD bytes, message 2
 * @length + HP_NOISE_2_OVERHEAD. They fail at a Diffie-Hellman result of
 * zeros, which a remote key of small order gives. */
gboolean hp_noise_write_1 (HpNoise *self, const HpRandom *random,
                           const guint8 *payload, gsize length,
                           guint8 *message) G_GNUC_WARN_UNUSED_RESULT;
gboolean hp_noise_write_2 (HpNoise *self, const HpRandom *random,
                           const guint8 *payload, gsize length,
                           guint8 *message) G_GNUC_WARN_UNUSED_RESULT;
/* @length: of the whole message; @payload has room for the rest of it */
gboolean hp_noise_read_1 (HpNoise *self, const guint8 *message, gsize length,
                          guint8 *payload) G_GNUC_WARN_UNUSED_RESULT;
gboolean hp_noise_read_2 (HpNoise *self, const guint8 *message, gsize length,
                          guint8 *payload) G_GNUC_WARN_UNUSED_RESULT;

/* After message 2. The initiator sends with @first, the responder with
 * @second. */
void hp_noise_split (const HpNoise *self, guint8 first[HP_KEY_SIZE],
                     guint8 second[HP_KEY_SIZE]);

/* REKEY (section 4.2): the key that follows the one @aead holds */
void hp_noise_rekey (HpAead *aead, guint8 next[HP_KEY_SIZE]);
