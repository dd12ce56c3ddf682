/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/secure/hp-noise.h"
#include "tests/secure/secure-test.h"

#include <string.h>

#define MAX_MESSAGE 256

/* The vectors of the Cacophony project (vectors/cacophony.txt): the same keys
 * and payloads for both suites */
static const char prologue[] = "John Galt";
static const char initiator_static[]
    = "e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1";
static const char initiator_ephemeral[]
    = "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a";
static const char responder_static[]
    = "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893";
static const char responder_ephemeral[]
    = "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b";
static const char responder_public[]
    = "31e0303fd6418d2f8c0e78b91f22e8caed0fbe48656dcf4767e4834f701b8f62";
static const char *payloads[6] = {
  "Ludwig von Mises",  "Murray Rothbard",         "F. A. Hayek",
  "Carl Menger",       "Jean-Baptiste Say",       "Eugen B\xf6hm von Bawerk",
};

static const struct
{
  HpSuite suite;
  const char *handshake_hash;
  const char *messages[6];
} vectors[2] = {
  { HP_SUITE_AES_GCM,
    "669c8640d9e42a3cda2f232f78597ceefb01daa6e3df81181ccce6fc6b5026bf",
    { "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944"
      "4e417bc55c7a8166c993356c1be41ef67818a292426f301556c7f26b21d25ddb"
      "097153891a9a956cff47b83e63ad8d701c1342c209cff1ca5ecd43402762ac24"
      "9e3bd3a4c0a145fe07cb5dae28ea13a3",
      "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843"
      "af2ccf9972e22afc67aeafcd25162f7f98c363b7762e3e4cb7d272e39f27a5",
      "66acfc92e3197de166809e6d4d5d003dcc819a84bc3522ca53c9d9",
      "71f89aa6533a6de70b0826864dd75f60806ee40170c16290189eb3",
      "4795a3423550c8bf00386bd496a3e2c76c10669d2a75ab8f79b5094c5412a257"
      "05",
      "aa0bb39097555c918e40be82abc2b909eb79d9eb87adb07e268fc37323a6cf90"
      "4fd01fb391" } },
  { HP_SUITE_CHACHA_POLY,
    "0b0f68fb0c27e03ce9b97565995ed4838cc0581b762ef72b062f6a546419fad7",
    { "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944"
      "718da798efbcd91528520204f904b9bd6c7413dccdc214d951e15253e39987f1"
      "8146e8cd0873654207148333479d4d16c289f0294b29960a72f48e0b7bba2e89"
      "083169825e59642148d492020664ccf7",
      "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843"
      "5361e70b2ed446e6c9ec387d1d6b3b840f194e373979d241b203c4acafccf5",
      "050e9f3c8fac16b68dbce8f8c4bfbf6617c897f9ada4aa29aa19c8",
      "344233a6cabb7141d80f3da2fedc311d9646bbb0f505afe403a667",
      "62cdeeb172ad7ade7aa7d9e069da5790f12331bfa00177787a1d0810c67dc3b2"
      "b4",
      "029bead1b40992327044d409d9a1f3ad8f36c3c452775d557e18bbeb2e8dfcea"
      "d32d514024" } },
};

typedef struct
{
  HpNoise initiator;
  HpNoise responder;
  guint8 message_1[MAX_MESSAGE];
  gsize length_1;
  guint8 message_2[MAX_MESSAGE];
  gsize length_2;
} Handshake;

static void
get_key_pair (const char *private_hex, HpKeyPair *pair)
{
  secure_test_unhex (private_hex, pair->private_key, HP_KEY_SIZE);
  hp_crypto_derive_public_key (pair);
}

static const guint8 *
get_payload (guint i, gsize *length)
{
  *length = strlen (payloads[i]);
  return (const guint8 *) payloads[i];
}

static void
handshake_init (Handshake *self, HpSuite suite)
{
  HpKeyPair initiator, responder;

  get_key_pair (initiator_static, &initiator);
  get_key_pair (responder_static, &responder);
  secure_test_assert_hex (responder.public_key, HP_KEY_SIZE,
                          responder_public);
  hp_noise_init (&self->initiator, suite, prologue, strlen (prologue),
                 &initiator, responder.public_key);
  hp_noise_init (&self->responder, suite, prologue, strlen (prologue),
                 &responder, NULL);
}

static void
write_message_1 (Handshake *self)
{
  guint8 ephemeral[HP_KEY_SIZE];
  HpRandom random = secure_test_fixed_random (ephemeral);
  gsize length;
  const guint8 *payload = get_payload (0, &length);

  secure_test_unhex (initiator_ephemeral, ephemeral, sizeof ephemeral);
  g_assert_true (hp_noise_write_1 (&self->initiator, &random, payload, length,
                                   self->message_1));
  self->length_1 = length + HP_NOISE_1_OVERHEAD;
}

static void
read_message_1 (Handshake *self)
{
  guint8 read[MAX_MESSAGE];
  gsize length;
  const guint8 *payload = get_payload (0, &length);

  g_assert_true (hp_noise_read_1 (&self->responder, self->message_1,
                                  self->length_1, read));
  g_assert_cmpmem (read, self->length_1 - HP_NOISE_1_OVERHEAD, payload,
                   length);
  g_assert_cmpmem (self->responder.remote_static, HP_KEY_SIZE,
                   self->initiator.local_static.public_key, HP_KEY_SIZE);
}

static void
write_message_2 (Handshake *self)
{
  guint8 ephemeral[HP_KEY_SIZE];
  HpRandom random = secure_test_fixed_random (ephemeral);
  gsize length;
  const guint8 *payload = get_payload (1, &length);

  secure_test_unhex (responder_ephemeral, ephemeral, sizeof ephemeral);
  g_assert_true (hp_noise_write_2 (&self->responder, &random, payload, length,
                                   self->message_2));
  self->length_2 = length + HP_NOISE_2_OVERHEAD;
}

static void
read_message_2 (Handshake *self)
{
  guint8 read[MAX_MESSAGE];
  gsize length;
  const guint8 *payload = get_payload (1, &length);

  g_assert_true (hp_noise_read_2 (&self->initiator, self->message_2,
                                  self->length_2, read));
  g_assert_cmpmem (read, self->length_2 - HP_NOISE_2_OVERHEAD, payload,
                   length);
}

static void
test_vectors (gconstpointer user_data)
{
  const gsize which = GPOINTER_TO_SIZE (user_data);
  const HpSuite suite = vectors[which].suite;
  Handshake handshake;
  guint8 keys[2][HP_KEY_SIZE], other_keys[2][HP_KEY_SIZE];

  handshake_init (&handshake, suite);
  write_message_1 (&handshake);
  secure_test_assert_hex (handshake.message_1, handshake.length_1,
                          vectors[which].messages[0]);
  read_message_1 (&handshake);
  write_message_2 (&handshake);
  secure_test_assert_hex (handshake.message_2, handshake.length_2,
                          vectors[which].messages[1]);
  read_message_2 (&handshake);
  secure_test_assert_hex (handshake.initiator.hash, HP_HASH_SIZE,
                          vectors[which].handshake_hash);
  secure_test_assert_hex (handshake.responder.hash, HP_HASH_SIZE,
                          vectors[which].handshake_hash);

  hp_noise_split (&handshake.initiator, keys[0], keys[1]);
  hp_noise_split (&handshake.responder, other_keys[0], other_keys[1]);
  g_assert_cmpmem (keys, sizeof keys, other_keys, sizeof other_keys);
  for (guint i = 2; i < 6; i++)
    {
      g_autoptr (HpAead) aead = hp_aead_new (suite, keys[i % 2]);
      guint8 sealed[MAX_MESSAGE];
      gsize length;
      const guint8 *payload = get_payload (i, &length);

      hp_aead_seal (aead, (i - 2) / 2, NULL, 0, payload, length, sealed);
      secure_test_assert_hex (sealed, length + HP_TAG_SIZE,
                              vectors[which].messages[i]);
    }
  hp_noise_clear (&handshake.initiator);
  g_assert_cmpuint (handshake.initiator.local_static.private_key[0], ==, 0);
}

/* Whatever is wrong, nothing changes and the right message still works. */
static void
test_tampered (gconstpointer user_data)
{
  const gsize which = GPOINTER_TO_SIZE (user_data);
  Handshake handshake;
  HpNoise before;
  guint8 read[MAX_MESSAGE];

  handshake_init (&handshake, vectors[which].suite);
  write_message_1 (&handshake);
  before = handshake.responder;
  for (gsize bit = 0; bit < 8 * handshake.length_1; bit++)
    {
      /* X25519 does not look at the ephemeral key's top bit, the hash does. */
      handshake.message_1[bit / 8] ^= 1 << bit % 8;
      g_assert_false (hp_noise_read_1 (&handshake.responder,
                                       handshake.message_1,
                                       handshake.length_1, read));
      handshake.message_1[bit / 8] ^= 1 << bit % 8;
    }
  for (gsize length = 0; length < handshake.length_1; length++)
    g_assert_false (hp_noise_read_1 (&handshake.responder,
                                     handshake.message_1, length, read));
  g_assert_cmpmem (&before, sizeof before, &handshake.responder,
                   sizeof before);
  read_message_1 (&handshake);

  write_message_2 (&handshake);
  before = handshake.initiator;
  for (gsize bit = 0; bit < 8 * handshake.length_2; bit++)
    {
      handshake.message_2[bit / 8] ^= 1 << bit % 8;
      g_assert_false (hp_noise_read_2 (&handshake.initiator,
                                       handshake.message_2,
                                       handshake.length_2, read));
      handshake.message_2[bit / 8] ^= 1 << bit % 8;
    }
  for (gsize length = 0; length < handshake.length_2; length++)
    g_assert_false (hp_noise_read_2 (&handshake.initiator,
                                     handshake.message_2, length, read));
  g_assert_cmpmem (&before, sizeof before, &handshake.initiator,
                   sizeof before);
  read_message_2 (&handshake);
}

/* A key of small order, wherever it comes from, ends the handshake. */
static void
test_small_order (void)
{
  Handshake handshake;
  HpKeyPair local;
  HpNoise noise;
  const guint8 zeros[HP_KEY_SIZE] = { 0 };
  guint8 message[MAX_MESSAGE], read[MAX_MESSAGE];

  get_key_pair (initiator_static, &local);
  hp_noise_init (&noise, HP_SUITE_CHACHA_POLY, NULL, 0, &local, zeros);
  g_assert_false (hp_noise_write_1 (&noise, &hp_crypto_random, NULL, 0,
                                    message));

  handshake_init (&handshake, HP_SUITE_CHACHA_POLY);
  write_message_1 (&handshake);
  memcpy (message, handshake.message_1, handshake.length_1);
  memset (message, 0, HP_KEY_SIZE);
  g_assert_false (hp_noise_read_1 (&handshake.responder, message,
                                   handshake.length_1, read));
  read_message_1 (&handshake);
  write_message_2 (&handshake);
  memcpy (message, handshake.message_2, handshake.length_2);
  memset (message, 0, HP_KEY_SIZE);
  g_assert_false (hp_noise_read_2 (&handshake.initiator, message,
                                   handshake.length_2, read));
  /* An authentic initiator with such a static key */
  memset (handshake.responder.remote_static, 0, HP_KEY_SIZE);
  g_assert_false (hp_noise_write_2 (&handshake.responder, &hp_crypto_random,
                                    NULL, 0, message));
}

static void
test_prologue (void)
{
  Handshake handshake;
  HpKeyPair responder;
  guint8 read[MAX_MESSAGE];

  handshake_init (&handshake, HP_SUITE_AES_GCM);
  write_message_1 (&handshake);
  get_key_pair (responder_static, &responder);
  hp_noise_init (&handshake.responder, HP_SUITE_AES_GCM, "John Gald", 9,
                 &responder, NULL);
  g_assert_false (hp_noise_read_1 (&handshake.responder, handshake.message_1,
                                   handshake.length_1, read));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/noise/vectors/aes-gcm", GSIZE_TO_POINTER (0),
                        test_vectors);
  g_test_add_data_func ("/noise/vectors/chacha-poly", GSIZE_TO_POINTER (1),
                        test_vectors);
  g_test_add_data_func ("/noise/tampered/aes-gcm", GSIZE_TO_POINTER (0),
                        test_tampered);
  g_test_add_data_func ("/noise/tampered/chacha-poly", GSIZE_TO_POINTER (1),
                        test_tampered);
  g_test_add_func ("/noise/small-order", test_small_order);
  g_test_add_func ("/noise/prologue", test_prologue);
  return g_test_run ();
}
