/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The primitives: the only file that includes a crypto library's headers is
 * hp-crypto.c (GnuTLS for the AEADs, nettle for X25519, SHA-256 and HMAC).
 */

#pragma once

#include <glib.h>

#include "hole-punch/base/hp-random.h"
#include "hole-punch/wire/hp-packet.h"

#define HP_HASH_SIZE 32

/* A static or ephemeral X25519 key pair */
typedef struct
{
  guint8 private_key[HP_KEY_SIZE];
  guint8 public_key[HP_KEY_SIZE];
} HpKeyPair;

/* The system's generator, for the edge (the protocol is handed an HpRandom) */
extern const HpRandom hp_crypto_random;

/* Suites this machine should offer, as HP_SUITE_BIT()s. ChaCha20-Poly1305
 * always; AES-GCM only where the processor has AES instructions. */
guint16 hp_crypto_get_suites (void);
/* AES-GCM if both offer it, else ChaCha20-Poly1305, else 0 */
guint8 hp_crypto_choose_suite (guint16 ours, guint16 theirs);

/* Not left out by the compiler */
void hp_crypto_wipe (gpointer bytes, gsize length);
/* In a time that does not depend on the bytes */
gboolean hp_crypto_equal (gconstpointer a, gconstpointer b, gsize length)
    G_GNUC_WARN_UNUSED_RESULT;

void hp_crypto_generate_key_pair (HpKeyPair *pair, const HpRandom *random);
void hp_crypto_derive_public_key (HpKeyPair *pair);
/* FALSE for an all-zero result (RFC 7748, section 6.1): abort */
gboolean hp_crypto_x25519 (guint8 shared[HP_KEY_SIZE],
                           const guint8 private_key[HP_KEY_SIZE],
                           const guint8 public_key[HP_KEY_SIZE])
    G_GNUC_WARN_UNUSED_RESULT;

void hp_crypto_sha256 (guint8 digest[HP_HASH_SIZE], gconstpointer data,
                       gsize length);
typedef struct
{
  gconstpointer data;
  gsize length;
} HpHashPart;
/* Over the parts one after the other */
void hp_crypto_sha256_parts (guint8 digest[HP_HASH_SIZE],
                             const HpHashPart *parts, gsize n_parts);
void hp_crypto_hmac (guint8 digest[HP_HASH_SIZE], gconstpointer key,
                     gsize key_length, const HpHashPart *parts,
                     gsize n_parts);

/* One AEAD under one key. The nonce is a 64-bit number: four zero bytes, then
 * the number, little-endian for ChaChaPoly, big-endian for AESGCM (The Noise
 * Protocol Framework, revision 34, section 12). */
typedef struct _HpAead HpAead;

HpAead *hp_aead_new (HpSuite suite, const guint8 key[HP_KEY_SIZE]);
/* For a new key with every packet: hp_aead_set_key() is fast, and allocates
 * nothing. Of no use before the first one. */
HpAead *hp_aead_new_changing (HpSuite suite);
void hp_aead_set_key (HpAead *self, const guint8 key[HP_KEY_SIZE]);
void hp_aead_free (HpAead *self); /* wipes */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpAead, hp_aead_free)
/* Writes @length + 16 bytes to @to; @to may be @from (in place) */
void hp_aead_seal (HpAead *self, guint64 number, gconstpointer ad,
                   gsize ad_length, const guint8 *from, gsize length,
                   guint8 *to);
/* Takes @length bytes, tag included, writes @length - 16; may be in place.
 * FALSE leaves anything in @to. */
gboolean hp_aead_open (HpAead *self, guint64 number, gconstpointer ad,
                       gsize ad_length, const guint8 *from, gsize length,
                       guint8 *to) G_GNUC_WARN_UNUSED_RESULT;
