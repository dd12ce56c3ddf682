/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The pattern, as The Noise Protocol Framework writes it (section 7.5):
 *
 *   IK:
 *     <- s
 *     ...
 *     -> e, es, s, ss     [payload]     hp_noise_write_1, hp_noise_read_1
 *     <- e, ee, se        [payload]     hp_noise_write_2, hp_noise_read_2
 *
 * as Noise_IK_25519_AESGCM_SHA256 or Noise_IK_25519_ChaChaPoly_SHA256. A
 * comment marks each token below.
 */

#include "hole-punch/secure/hp-noise.h"

#include <string.h>

/* The nonce that only REKEY uses */
#define REKEY_NONCE G_MAXUINT64

G_STATIC_ASSERT (HP_NOISE_1_OVERHEAD
                 == 2 * HP_KEY_SIZE + 2 * HP_TAG_SIZE);
G_STATIC_ASSERT (HP_NOISE_2_OVERHEAD == HP_KEY_SIZE + HP_TAG_SIZE);

/* Names are padded with zeros, not hashed, up to HASHLEN bytes (section 5.2,
 * InitializeSymmetric); the second one is just as long. */
static const char *
get_protocol_name (HpSuite suite)
{
  switch (suite)
    {
    case HP_SUITE_AES_GCM:
      return "Noise_IK_25519_AESGCM_SHA256";
    case HP_SUITE_CHACHA_POLY:
      return "Noise_IK_25519_ChaChaPoly_SHA256";
    }
  g_assert_not_reached ();
}

/* HKDF with two outputs (section 4.3) */
static void
derive (guint8 first[HP_HASH_SIZE], guint8 second[HP_HASH_SIZE],
        const guint8 chaining_key[HP_HASH_SIZE], const guint8 *material,
        gsize length)
{
  static const guint8 one = 1, two = 2;
  guint8 temporary[HP_HASH_SIZE];
  guint8 output[HP_HASH_SIZE];
  const HpHashPart input = { material, length };
  const HpHashPart first_parts[] = { { &one, 1 } };
  const HpHashPart second_parts[] = { { output, sizeof output }, { &two, 1 } };

  hp_crypto_hmac (temporary, chaining_key, HP_HASH_SIZE, &input, 1);
  hp_crypto_hmac (output, temporary, sizeof temporary, first_parts, 1);
  hp_crypto_hmac (second, temporary, sizeof temporary, second_parts, 2);
  memcpy (first, output, sizeof output);
  hp_crypto_wipe (temporary, sizeof temporary);
  hp_crypto_wipe (output, sizeof output);
}

static void
mix_hash (HpNoise *self, const guint8 *data, gsize length)
{
  const HpHashPart parts[]
      = { { self->hash, sizeof self->hash }, { data, length } };

  hp_crypto_sha256_parts (self->hash, parts, G_N_ELEMENTS (parts));
}

static gboolean
mix_dh (HpNoise *self, const HpKeyPair *pair, const guint8 *public_key)
{
  guint8 shared[HP_KEY_SIZE];
  gboolean ok = hp_crypto_x25519 (shared, pair->private_key, public_key);

  if (ok)
    derive (self->chaining_key, self->key, self->chaining_key, shared,
            sizeof shared);
  self->nonce = 0;
  hp_crypto_wipe (shared, sizeof shared);
  return ok;
}

static void
encrypt_and_hash (HpNoise *self, const guint8 *plain, gsize length, guint8 *to)
{
  g_autoptr (HpAead) aead = hp_aead_new (self->suite, self->key);

  hp_aead_seal (aead, self->nonce++, self->hash, sizeof self->hash, plain,
                length, to);
  mix_hash (self, to, length + HP_TAG_SIZE);
}

static gboolean
decrypt_and_hash (HpNoise *self, const guint8 *sealed, gsize length,
                  guint8 *to)
{
  g_autoptr (HpAead) aead = hp_aead_new (self->suite, self->key);

  if (!hp_aead_open (aead, self->nonce++, self->hash, sizeof self->hash,
                     sealed, length, to))
    return FALSE;
  mix_hash (self, sealed, length);
  return TRUE;
}

static gboolean
commit (HpNoise *self, HpNoise *copy, gboolean ok)
{
  if (ok)
    *self = *copy;
  hp_noise_clear (copy);
  return ok;
}

void
hp_noise_init (HpNoise *self, HpSuite suite, gconstpointer prologue,
               gsize prologue_length, const HpKeyPair *local,
               const guint8 *remote_public)
{
  const char *name = get_protocol_name (suite);

  memset (self, 0, sizeof *self);
  self->suite = suite;
  self->is_initiator = remote_public != NULL;
  self->local_static = *local;
  if (remote_public != NULL)
    memcpy (self->remote_static, remote_public, HP_KEY_SIZE);

  g_assert (strlen (name) <= sizeof self->hash);
  memcpy (self->hash, name, strlen (name));
  memcpy (self->chaining_key, self->hash, sizeof self->hash);
  mix_hash (self, prologue, prologue_length);
  /* <- s */
  mix_hash (self,
            self->is_initiator ? self->remote_static : local->public_key,
            HP_KEY_SIZE);
}

void
hp_noise_clear (HpNoise *self)
{
  hp_crypto_wipe (self, sizeof *self);
}

/* e: ours, made afresh */
static void
write_ephemeral (HpNoise *self, const HpRandom *random, guint8 *message)
{
  hp_crypto_generate_key_pair (&self->local_ephemeral, random);
  memcpy (message, self->local_ephemeral.public_key, HP_KEY_SIZE);
  mix_hash (self, message, HP_KEY_SIZE);
}

/* e: theirs */
static void
read_ephemeral (HpNoise *self, const guint8 *message)
{
  memcpy (self->remote_ephemeral, message, HP_KEY_SIZE);
  mix_hash (self, message, HP_KEY_SIZE);
}

gboolean
hp_noise_write_1 (HpNoise *self, const HpRandom *random, const guint8 *payload,
                  gsize length, guint8 *message)
{
  HpNoise copy = *self;

  g_assert (self->is_initiator);
  /* e */
  write_ephemeral (&copy, random, message);
  message += HP_KEY_SIZE;
  /* es */
  if (!mix_dh (&copy, &copy.local_ephemeral, copy.remote_static))
    return commit (self, &copy, FALSE);
  /* s */
  encrypt_and_hash (&copy, copy.local_static.public_key, HP_KEY_SIZE, message);
  message += HP_KEY_SIZE + HP_TAG_SIZE;
  /* ss */
  if (!mix_dh (&copy, &copy.local_static, copy.remote_static))
    return commit (self, &copy, FALSE);
  /* payload */
  encrypt_and_hash (&copy, payload, length, message);
  return commit (self, &copy, TRUE);
}

gboolean
hp_noise_read_1 (HpNoise *self, const guint8 *message, gsize length,
                 guint8 *payload)
{
  HpNoise copy = *self;

  g_assert (!self->is_initiator);
  if (length < HP_NOISE_1_OVERHEAD)
    return commit (self, &copy, FALSE);
  length -= HP_NOISE_1_OVERHEAD;
  /* e */
  read_ephemeral (&copy, message);
  message += HP_KEY_SIZE;
  /* es */
  if (!mix_dh (&copy, &copy.local_static, copy.remote_ephemeral))
    return commit (self, &copy, FALSE);
  /* s */
  if (!decrypt_and_hash (&copy, message, HP_KEY_SIZE + HP_TAG_SIZE,
                         copy.remote_static))
    return commit (self, &copy, FALSE);
  message += HP_KEY_SIZE + HP_TAG_SIZE;
  /* ss */
  if (!mix_dh (&copy, &copy.local_static, copy.remote_static))
    return commit (self, &copy, FALSE);
  /* payload */
  return commit (self, &copy,
                 decrypt_and_hash (&copy, message, length + HP_TAG_SIZE,
                                   payload));
}

gboolean
hp_noise_write_2 (HpNoise *self, const HpRandom *random, const guint8 *payload,
                  gsize length, guint8 *message)
{
  HpNoise copy = *self;

  g_assert (!self->is_initiator);
  /* e */
  write_ephemeral (&copy, random, message);
  message += HP_KEY_SIZE;
  /* ee, se */
  if (!mix_dh (&copy, &copy.local_ephemeral, copy.remote_ephemeral)
      || !mix_dh (&copy, &copy.local_ephemeral, copy.remote_static))
    return commit (self, &copy, FALSE);
  /* payload */
  encrypt_and_hash (&copy, payload, length, message);
  return commit (self, &copy, TRUE);
}

gboolean
hp_noise_read_2 (HpNoise *self, const guint8 *message, gsize length,
                 guint8 *payload)
{
  HpNoise copy = *self;

  g_assert (self->is_initiator);
  if (length < HP_NOISE_2_OVERHEAD)
    return commit (self, &copy, FALSE);
  length -= HP_NOISE_2_OVERHEAD;
  /* e */
  read_ephemeral (&copy, message);
  message += HP_KEY_SIZE;
  /* ee, se */
  if (!mix_dh (&copy, &copy.local_ephemeral, copy.remote_ephemeral)
      || !mix_dh (&copy, &copy.local_static, copy.remote_ephemeral))
    return commit (self, &copy, FALSE);
  /* payload */
  return commit (self, &copy,
                 decrypt_and_hash (&copy, message, length + HP_TAG_SIZE,
                                   payload));
}

void
hp_noise_split (const HpNoise *self, guint8 first[HP_KEY_SIZE],
                guint8 second[HP_KEY_SIZE])
{
  derive (first, second, self->chaining_key, NULL, 0);
}

void
hp_noise_rekey (HpAead *aead, guint8 next[HP_KEY_SIZE])
{
  static const guint8 zeros[HP_KEY_SIZE];
  guint8 sealed[HP_KEY_SIZE + HP_TAG_SIZE];

  hp_aead_seal (aead, REKEY_NONCE, NULL, 0, zeros, sizeof zeros, sealed);
  memcpy (next, sealed, HP_KEY_SIZE);
  hp_crypto_wipe (sealed, sizeof sealed);
}
