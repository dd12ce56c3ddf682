/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/secure/hp-crypto.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <nettle/curve25519.h>
#include <nettle/gcm.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <string.h>

#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#define NONCE_SIZE 12

G_STATIC_ASSERT (HP_KEY_SIZE == CURVE25519_SIZE);
G_STATIC_ASSERT (HP_HASH_SIZE == SHA256_DIGEST_SIZE);

struct _HpAead
{
  gnutls_aead_cipher_hd_t handle;
  HpSuite suite; /* decides the nonce's byte order */
  struct gcm_aes256_ctx *gcm; /* instead of @handle, for changing keys */
};

static void
fill_random (gpointer user_data, guint8 *bytes, gsize length)
{
  /* A generator that fails leaves keys that are known: there is no going on. */
  if (length > 0 && gnutls_rnd (GNUTLS_RND_KEY, bytes, length) < 0)
    g_error ("No random bytes to be had");
}

const HpRandom hp_crypto_random = { fill_random, NULL };

static gboolean
has_aes_instructions (void)
{
#if defined(__x86_64__) || defined(__i386__)
  return __builtin_cpu_supports ("aes") && __builtin_cpu_supports ("pclmul");
#elif defined(__aarch64__) && defined(__linux__)
  unsigned long needed = HWCAP_AES | HWCAP_PMULL;

  return (getauxval (AT_HWCAP) & needed) == needed;
#elif defined(__aarch64__) && defined(__APPLE__)
  return TRUE;
#else
  return FALSE;
#endif
}

guint16
hp_crypto_get_suites (void)
{
  guint16 suites = HP_SUITE_BIT (HP_SUITE_CHACHA_POLY);

  if (has_aes_instructions ())
    suites |= HP_SUITE_BIT (HP_SUITE_AES_GCM);
  return suites;
}

guint8
hp_crypto_choose_suite (guint16 ours, guint16 theirs)
{
  guint16 common = ours & theirs;

  if (common & HP_SUITE_BIT (HP_SUITE_AES_GCM))
    return HP_SUITE_AES_GCM;
  if (common & HP_SUITE_BIT (HP_SUITE_CHACHA_POLY))
    return HP_SUITE_CHACHA_POLY;
  return 0;
}

void
hp_crypto_wipe (gpointer bytes, gsize length)
{
  if (length > 0)
    gnutls_memset (bytes, 0, length);
}

gboolean
hp_crypto_equal (gconstpointer a, gconstpointer b, gsize length)
{
  return memeql_sec (a, b, length) != 0;
}

void
hp_crypto_generate_key_pair (HpKeyPair *pair, const HpRandom *random)
{
  hp_random_fill (random, pair->private_key, sizeof pair->private_key);
  hp_crypto_derive_public_key (pair);
}

void
hp_crypto_derive_public_key (HpKeyPair *pair)
{
  curve25519_mul_g (pair->public_key, pair->private_key);
}

gboolean
hp_crypto_x25519 (guint8 shared[HP_KEY_SIZE],
                  const guint8 private_key[HP_KEY_SIZE],
                  const guint8 public_key[HP_KEY_SIZE])
{
  static const guint8 zeros[HP_KEY_SIZE];

  curve25519_mul (shared, private_key, public_key);
  return !hp_crypto_equal (shared, zeros, sizeof zeros);
}

void
hp_crypto_sha256 (guint8 digest[HP_HASH_SIZE], gconstpointer data,
                  gsize length)
{
  HpHashPart part = { data, length };

  hp_crypto_sha256_parts (digest, &part, 1);
}

void
hp_crypto_sha256_parts (guint8 digest[HP_HASH_SIZE], const HpHashPart *parts,
                        gsize n_parts)
{
  struct sha256_ctx context;

  sha256_init (&context);
  for (gsize i = 0; i < n_parts; i++)
    if (parts[i].length > 0)
      sha256_update (&context, parts[i].length, parts[i].data);
  sha256_digest (&context, HP_HASH_SIZE, digest);
  hp_crypto_wipe (&context, sizeof context);
}

void
hp_crypto_hmac (guint8 digest[HP_HASH_SIZE], gconstpointer key,
                gsize key_length, const HpHashPart *parts, gsize n_parts)
{
  struct hmac_sha256_ctx context;

  hmac_sha256_set_key (&context, key_length, key);
  for (gsize i = 0; i < n_parts; i++)
    if (parts[i].length > 0)
      hmac_sha256_update (&context, parts[i].length, parts[i].data);
  hmac_sha256_digest (&context, HP_HASH_SIZE, digest);
  hp_crypto_wipe (&context, sizeof context);
}

static gnutls_cipher_algorithm_t
get_algorithm (HpSuite suite)
{
  switch (suite)
    {
    case HP_SUITE_AES_GCM:
      return GNUTLS_CIPHER_AES_256_GCM;
    case HP_SUITE_CHACHA_POLY:
      return GNUTLS_CIPHER_CHACHA20_POLY1305;
    }
  g_assert_not_reached ();
}

static gnutls_datum_t
key_datum (const guint8 key[HP_KEY_SIZE])
{
  return (gnutls_datum_t){ (unsigned char *) key, HP_KEY_SIZE };
}

static void
init_handle (HpAead *self, const guint8 key[HP_KEY_SIZE])
{
  gnutls_datum_t datum = key_datum (key);
  int result = gnutls_aead_cipher_init (&self->handle,
                                        get_algorithm (self->suite), &datum);

  if (result < 0)
    g_error ("No cipher for suite %u: %s", self->suite,
             gnutls_strerror (result));
}

HpAead *
hp_aead_new (HpSuite suite, const guint8 key[HP_KEY_SIZE])
{
  HpAead *self = g_new0 (HpAead, 1);

  self->suite = suite;
  init_handle (self, key);
  return self;
}

/* For AES-GCM on x86 gnutls_aead_cipher_set_key() (3.7.9) makes wrong tags: it
 * computes GHASH's key from what the key before left behind instead of from
 * zeros. Nettle's takes 270 ns to set a key and seal 24 bytes, GnuTLS' with a
 * new handle each time 420 ns and four allocations; of large packets GnuTLS
 * makes more. */
HpAead *
hp_aead_new_changing (HpSuite suite)
{
  static const guint8 zeros[HP_KEY_SIZE];
  HpAead *self;

  if (suite != HP_SUITE_AES_GCM)
    return hp_aead_new (suite, zeros);
  self = g_new0 (HpAead, 1);
  self->suite = suite;
  self->gcm = g_new0 (struct gcm_aes256_ctx, 1);
  return self;
}

void
hp_aead_set_key (HpAead *self, const guint8 key[HP_KEY_SIZE])
{
  gnutls_datum_t datum = key_datum (key);

  if (self->gcm != NULL)
    {
      gcm_aes256_set_key (self->gcm, key);
      return;
    }
  if (self->suite == HP_SUITE_CHACHA_POLY
      && gnutls_aead_cipher_set_key (self->handle, &datum) == 0)
    return;
  gnutls_aead_cipher_deinit (self->handle);
  init_handle (self, key);
}

/* GnuTLS wipes what it frees. */
void
hp_aead_free (HpAead *self)
{
  if (self == NULL)
    return;
  if (self->gcm != NULL)
    hp_crypto_wipe (self->gcm, sizeof *self->gcm);
  else
    gnutls_aead_cipher_deinit (self->handle);
  g_free (self->gcm);
  g_free (self);
}

static void
write_nonce (const HpAead *self, guint64 number, guint8 nonce[NONCE_SIZE])
{
  memset (nonce, 0, 4);
  number = self->suite == HP_SUITE_AES_GCM ? GUINT64_TO_BE (number)
                                           : GUINT64_TO_LE (number);
  memcpy (nonce + 4, &number, sizeof number);
}

static void
begin_gcm (HpAead *self, const guint8 nonce[NONCE_SIZE], gconstpointer ad,
           gsize ad_length)
{
  gcm_aes256_set_iv (self->gcm, NONCE_SIZE, nonce);
  gcm_aes256_update (self->gcm, ad_length, ad);
}

static gboolean
open_gcm (HpAead *self, const guint8 *from, gsize length, guint8 *to)
{
  guint8 tag[HP_TAG_SIZE];
  guint8 expected[HP_TAG_SIZE];

  memcpy (tag, from + length, sizeof tag);
  if (length > 0)
    gcm_aes256_decrypt (self->gcm, length, to, from);
  gcm_aes256_digest (self->gcm, sizeof expected, expected);
  return hp_crypto_equal (tag, expected, sizeof tag);
}

void
hp_aead_seal (HpAead *self, guint64 number, gconstpointer ad, gsize ad_length,
              const guint8 *from, gsize length, guint8 *to)
{
  guint8 nonce[NONCE_SIZE];
  size_t sealed = length + HP_TAG_SIZE;
  int result;

  write_nonce (self, number, nonce);
  if (self->gcm != NULL)
    {
      begin_gcm (self, nonce, ad, ad_length);
      if (length > 0)
        gcm_aes256_encrypt (self->gcm, length, to, from);
      gcm_aes256_digest (self->gcm, HP_TAG_SIZE, to + length);
      return;
    }
  result = gnutls_aead_cipher_encrypt (self->handle, nonce, sizeof nonce, ad,
                                       ad_length, HP_TAG_SIZE,
                                       length > 0 ? from : to, length, to,
                                       &sealed);
  if (result < 0 || sealed != length + HP_TAG_SIZE)
    g_error ("Sealing failed: %s", gnutls_strerror (result));
}

gboolean
hp_aead_open (HpAead *self, guint64 number, gconstpointer ad, gsize ad_length,
              const guint8 *from, gsize length, guint8 *to)
{
  guint8 nonce[NONCE_SIZE];
  guint8 nothing;
  size_t opened;

  if (length < HP_TAG_SIZE)
    return FALSE;
  opened = length - HP_TAG_SIZE;
  write_nonce (self, number, nonce);
  if (self->gcm != NULL)
    {
      begin_gcm (self, nonce, ad, ad_length);
      return open_gcm (self, from, opened, to);
    }
  return gnutls_aead_cipher_decrypt (self->handle, nonce, sizeof nonce, ad,
                                     ad_length, HP_TAG_SIZE, from, length,
                                     opened > 0 ? to : &nothing, &opened)
             >= 0
         && opened == length - HP_TAG_SIZE;
}
