/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The primitives against published vectors. */

#include "hole-punch/secure/hp-crypto.h"
#include "tests/secure/secure-test.h"

#include <string.h>

/* RFC 7748, section 5.2, and section 6.1 with the base point */
static const struct
{
  const char *scalar, *point, *result;
} x25519_vectors[] = {
  { "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
    "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
    "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552" },
  { "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
    "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
    "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957" },
  { "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
    "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
    "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742" },
  { "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
    "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742" },
};

static void
test_x25519 (void)
{
  guint8 scalar[HP_KEY_SIZE], point[HP_KEY_SIZE], result[HP_KEY_SIZE];

  for (gsize i = 0; i < G_N_ELEMENTS (x25519_vectors); i++)
    {
      secure_test_unhex (x25519_vectors[i].scalar, scalar, sizeof scalar);
      secure_test_unhex (x25519_vectors[i].point, point, sizeof point);
      g_assert_true (hp_crypto_x25519 (result, scalar, point));
      secure_test_assert_hex (result, sizeof result,
                              x25519_vectors[i].result);
    }
}

static void
test_x25519_iterated (void)
{
  guint8 scalar[HP_KEY_SIZE] = { 9 };
  guint8 point[HP_KEY_SIZE] = { 9 };

  for (guint i = 1; i <= 1000; i++)
    {
      guint8 result[HP_KEY_SIZE];

      g_assert_true (hp_crypto_x25519 (result, scalar, point));
      memcpy (point, scalar, sizeof point);
      memcpy (scalar, result, sizeof scalar);
      if (i == 1)
        secure_test_assert_hex (scalar, sizeof scalar,
                                "422c8e7a6227d7bca1350b3e2bb7279f"
                                "7897b87bb6854b783c60e80311ae3079");
    }
  secure_test_assert_hex (scalar, sizeof scalar,
                          "684cf59ba83309552800ef566f2f4d3c"
                          "1c3887c49360e3875f2eb94d99532c51");
}

static void
test_key_pair (void)
{
  HpKeyPair pair, other;
  guint8 scalar[HP_KEY_SIZE];
  HpRandom random = secure_test_fixed_random (scalar);

  secure_test_unhex (x25519_vectors[2].scalar, scalar, sizeof scalar);
  hp_crypto_generate_key_pair (&pair, &random);
  secure_test_assert_hex (pair.private_key, HP_KEY_SIZE,
                          x25519_vectors[2].scalar);
  secure_test_assert_hex (pair.public_key, HP_KEY_SIZE,
                          x25519_vectors[3].point);

  hp_crypto_generate_key_pair (&pair, &hp_crypto_random);
  hp_crypto_generate_key_pair (&other, &hp_crypto_random);
  g_assert_cmpint (memcmp (pair.private_key, other.private_key, HP_KEY_SIZE),
                   !=, 0);
  g_assert_cmpint (memcmp (pair.public_key, other.public_key, HP_KEY_SIZE),
                   !=, 0);
}

/* Every point of small order, canonical or not: each gives zeros */
static void
test_small_order (void)
{
  static const char *points[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    /* The top bit counts for nothing (RFC 7748, section 5). */
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0100000000000000000000000000000000000000000000000000000000000080",
  };
  guint8 scalar[HP_KEY_SIZE], result[HP_KEY_SIZE], point[HP_KEY_SIZE];

  secure_test_unhex (x25519_vectors[0].scalar, scalar, sizeof scalar);
  for (gsize i = 0; i < G_N_ELEMENTS (points); i++)
    {
      secure_test_unhex (points[i], point, sizeof point);
      g_assert_false (hp_crypto_x25519 (result, scalar, point));
    }
}

static void
test_sha256 (void)
{
  g_autofree char *million = g_strnfill (1000000, 'a');
  guint8 digest[HP_HASH_SIZE];
  HpHashPart parts[] = { { "a", 1 }, { NULL, 0 }, { "bc", 2 } };

  hp_crypto_sha256 (digest, NULL, 0);
  secure_test_assert_hex (digest, sizeof digest,
                          "e3b0c44298fc1c149afbf4c8996fb924"
                          "27ae41e4649b934ca495991b7852b855");
  hp_crypto_sha256_parts (digest, parts, G_N_ELEMENTS (parts));
  secure_test_assert_hex (digest, sizeof digest,
                          "ba7816bf8f01cfea414140de5dae2223"
                          "b00361a396177a9cb410ff61f20015ad");
  hp_crypto_sha256 (digest,
                    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmno"
                    "mnopnopq",
                    56);
  secure_test_assert_hex (digest, sizeof digest,
                          "248d6a61d20638b8e5c026930c3e6039"
                          "a33ce45964ff2167f6ecedd419db06c1");
  hp_crypto_sha256 (digest, million, 1000000);
  secure_test_assert_hex (digest, sizeof digest,
                          "cdc76e5c9914fb9281a1c7e284d73e67"
                          "f1809a48a497200e046d39ccc7112cd0");
}

static void
assert_hmac (guint8 key_byte, gsize key_length, const char *data,
             gsize data_length, const char *expected)
{
  guint8 key[131];
  guint8 digest[HP_HASH_SIZE];
  gsize half = data_length / 2;
  HpHashPart parts[] = { { data, half }, { data + half, data_length - half } };

  memset (key, key_byte, sizeof key);
  hp_crypto_hmac (digest, key, key_length, parts, G_N_ELEMENTS (parts));
  secure_test_assert_hex (digest, sizeof digest, expected);
}

/* RFC 4231, section 4 */
static void
test_hmac (void)
{
  static const char large_key[]
      = "Test Using Larger Than Block-Size Key - Hash Key First";
  static const char large_both[]
      = "This is a test using a larger than block-size key and a larger than "
        "block-size data. The key needs to be hashed before being used by the "
        "HMAC algorithm.";
  g_autofree char *dd = g_strnfill (50, '\xdd');
  guint8 digest[HP_HASH_SIZE];
  HpHashPart part = { "what do ya want for nothing?", 28 };

  assert_hmac (0x0b, 20, "Hi There", 8,
               "b0344c61d8db38535ca8afceaf0bf12b"
               "881dc200c9833da726e9376c2e32cff7");
  hp_crypto_hmac (digest, "Jefe", 4, &part, 1);
  secure_test_assert_hex (digest, sizeof digest,
                          "5bdcc146bf60754e6a042426089575c7"
                          "5a003f089d2739839dec58b964ec3843");
  assert_hmac (0xaa, 20, dd, 50,
               "773ea91e36800e46854db8ebd09181a7"
               "2959098b3ef8c122d9635514ced565fe");
  assert_hmac (0xaa, 131, large_key, strlen (large_key),
               "60e431591ee0b67f0d8a26aacbf5b77f"
               "8e0bc6213728c5140546040f0ee37f54");
  assert_hmac (0xaa, 131, large_both, strlen (large_both),
               "9b09ffa71b942fcb27635fbcd5b0e944"
               "bfdc63644f0713938a7f51535c3a35e2");
}

/* RFC 8439, appendix A.5: its nonce is our number 0x0807060504030201 */
static void
test_chacha_poly (void)
{
  static const char plain[]
      = "Internet-Drafts are draft documents valid for a maximum of six "
        "months and may be updated, replaced, or obsoleted by other documents "
        "at any time. It is inappropriate to use Internet-Drafts as reference "
        "material or to cite them other than as /\xe2\x80\x9cwork in "
        "progress./\xe2\x80\x9d";
  static const char sealed_hex[]
      = "64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb2"
        "4c6cfc18755d43eea09ee94e382d26b0bdb7b73c321b0100d4f03b7f355894cf"
        "332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f982b1ff37c855"
        "9797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4"
        "b9166c767b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523e"
        "af4534d7f83fa1155b0047718cbc546a0d072b04b3564eea1b422273f548271a"
        "0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097a10"
        "49e617d91d361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29"
        "a6ad5cb4022b02709beead9d67890cbb22392336fea1851f38";
  const guint64 number = G_GUINT64_CONSTANT (0x0807060504030201);
  guint8 key[HP_KEY_SIZE], ad[12], sealed[300], opened[300];
  gsize length;
  g_autoptr (HpAead) aead = NULL;

  secure_test_unhex ("1c9240a5eb55d38af333888604f6b5f0"
                     "473917c1402b80099dca5cbc207075c0",
                     key, sizeof key);
  secure_test_unhex ("f33388860000000000004e91", ad, sizeof ad);
  aead = hp_aead_new (HP_SUITE_CHACHA_POLY, key);
  hp_aead_seal (aead, number, ad, sizeof ad, (const guint8 *) plain,
                strlen (plain), sealed);
  secure_test_assert_hex (sealed, strlen (plain) + HP_TAG_SIZE, sealed_hex);
  length = secure_test_unhex (sealed_hex, sealed, sizeof sealed);
  g_assert_true (hp_aead_open (aead, number, ad, sizeof ad, sealed, length,
                               opened));
  g_assert_cmpmem (opened, length - HP_TAG_SIZE, plain, strlen (plain));
}

/* Test cases 13 and 14 of the GCM specification that NIST SP 800-38D names.
 * (The order of a nonce's bytes shows in the Noise vectors.) */
static void
test_aes_gcm (void)
{
  const guint8 zeros[HP_KEY_SIZE] = { 0 };
  guint8 sealed[32];
  g_autoptr (HpAead) aead = hp_aead_new (HP_SUITE_AES_GCM, zeros);

  hp_aead_seal (aead, 0, NULL, 0, NULL, 0, sealed);
  secure_test_assert_hex (sealed, 16, "530f8afbc74536b9a963b4f1c4cb738b");
  hp_aead_seal (aead, 0, NULL, 0, zeros, 16, sealed);
  secure_test_assert_hex (sealed, 32,
                          "cea7403d4d606b6e074ec5d3baf39d18"
                          "d0d1c8a799996bf0265b98b5d48ab919");
}

static void
test_aead_in_place (gconstpointer user_data)
{
  const HpSuite *suite = user_data;
  guint64 seed = *suite;
  HpRandom random = secure_test_random (&seed);
  guint8 key[HP_KEY_SIZE];
  guint8 plain[1500], apart[1516], in_place[1516];
  g_autoptr (HpAead) aead = NULL;

  hp_random_fill (&random, key, sizeof key);
  aead = hp_aead_new (*suite, key);
  for (gsize length = 0; length <= sizeof plain; length += length < 40 ? 1 : 73)
    {
      hp_random_fill (&random, plain, length);
      memcpy (in_place, plain, length);
      hp_aead_seal (aead, length, "ad", 2, plain, length, apart);
      hp_aead_seal (aead, length, "ad", 2, in_place, length, in_place);
      g_assert_cmpmem (apart, length + HP_TAG_SIZE, in_place,
                       length + HP_TAG_SIZE);
      g_assert_true (hp_aead_open (aead, length, "ad", 2, in_place,
                                   length + HP_TAG_SIZE, in_place));
      g_assert_cmpmem (plain, length, in_place, length);
    }
}

static void
test_aead_forged (gconstpointer user_data)
{
  const HpSuite *suite = user_data;
  const guint8 key[HP_KEY_SIZE] = { 1, 2, 3 };
  const guint8 other_key[HP_KEY_SIZE] = { 1, 2, 4 };
  guint8 sealed[48], opened[48];
  g_autoptr (HpAead) aead = hp_aead_new (*suite, key);

  hp_aead_seal (aead, 7, "ad", 2, key, 32, sealed);
  for (gsize bit = 0; bit < 8 * sizeof sealed; bit++)
    {
      sealed[bit / 8] ^= 1 << bit % 8;
      g_assert_false (hp_aead_open (aead, 7, "ad", 2, sealed, 48, opened));
      sealed[bit / 8] ^= 1 << bit % 8;
    }
  for (gsize length = 0; length < sizeof sealed; length++)
    g_assert_false (hp_aead_open (aead, 7, "ad", 2, sealed, length, opened));
  g_assert_false (hp_aead_open (aead, 8, "ad", 2, sealed, 48, opened));
  g_assert_false (hp_aead_open (aead, 7, "aD", 2, sealed, 48, opened));
  g_assert_false (hp_aead_open (aead, 7, "ad", 1, sealed, 48, opened));
  hp_aead_set_key (aead, other_key);
  g_assert_false (hp_aead_open (aead, 7, "ad", 2, sealed, 48, opened));
  hp_aead_set_key (aead, key);
  g_assert_true (hp_aead_open (aead, 7, "ad", 2, sealed, 48, opened));
  g_assert_cmpmem (opened, 32, key, 32);
}

/* One whose key changes makes the same of everything as one that keeps it. */
static void
test_aead_changing (gconstpointer user_data)
{
  const HpSuite *suite = user_data;
  g_autoptr (HpAead) changing = hp_aead_new_changing (*suite);
  guint8 plain[100] = "plain", sealed[2][100 + HP_TAG_SIZE], opened[100];

  for (guint i = 0; i < 100; i++)
    {
      guint8 key[HP_KEY_SIZE] = { i };
      g_autoptr (HpAead) own = hp_aead_new (*suite, key);

      hp_aead_set_key (changing, key);
      hp_aead_seal (own, 1000 - i, "ad", i % 3, plain, i, sealed[0]);
      hp_aead_seal (changing, 1000 - i, "ad", i % 3, plain, i, sealed[1]);
      g_assert_cmpmem (sealed[0], i + HP_TAG_SIZE, sealed[1],
                       i + HP_TAG_SIZE);
      g_assert_true (hp_aead_open (changing, 1000 - i, "ad", i % 3,
                                   sealed[0], i + HP_TAG_SIZE, opened));
      g_assert_cmpmem (opened, i, plain, i);
      sealed[0][g_test_rand_int_range (0, i + HP_TAG_SIZE)] ^= 1;
      g_assert_false (hp_aead_open (changing, 1000 - i, "ad", i % 3,
                                    sealed[0], i + HP_TAG_SIZE, opened));
      g_assert_false (hp_aead_open (changing, 1000 - i, "ad", i % 3,
                                    sealed[1], HP_TAG_SIZE - 1, opened));
    }
}

static void
test_suites (void)
{
  const guint16 aes = HP_SUITE_BIT (HP_SUITE_AES_GCM);
  const guint16 chacha = HP_SUITE_BIT (HP_SUITE_CHACHA_POLY);

  g_assert_cmpuint (hp_crypto_get_suites () & chacha, ==, chacha);
  g_assert_cmpuint (hp_crypto_get_suites () & ~(aes | chacha), ==, 0);
  g_assert_cmpuint (hp_crypto_choose_suite (aes | chacha, aes | chacha), ==,
                    HP_SUITE_AES_GCM);
  g_assert_cmpuint (hp_crypto_choose_suite (aes | chacha, chacha), ==,
                    HP_SUITE_CHACHA_POLY);
  g_assert_cmpuint (hp_crypto_choose_suite (chacha, aes | chacha), ==,
                    HP_SUITE_CHACHA_POLY);
  g_assert_cmpuint (hp_crypto_choose_suite (aes, chacha), ==, 0);
  g_assert_cmpuint (hp_crypto_choose_suite (0xfff9, 0xfff9), ==, 0);
}

static void
test_wipe_and_equal (void)
{
  guint8 bytes[] = { 1, 2, 3, 4 };
  const guint8 wiped[] = { 1, 0, 0, 4 };

  hp_crypto_wipe (bytes + 1, 2);
  g_assert_cmpmem (bytes, 4, wiped, 4);
  g_assert_true (hp_crypto_equal (bytes, wiped, 4));
  bytes[3] = 5;
  g_assert_false (hp_crypto_equal (bytes, wiped, 4));
  g_assert_true (hp_crypto_equal (bytes, wiped, 3));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/crypto/x25519", test_x25519);
  g_test_add_func ("/crypto/x25519/iterated", test_x25519_iterated);
  g_test_add_func ("/crypto/x25519/small-order", test_small_order);
  g_test_add_func ("/crypto/key-pair", test_key_pair);
  g_test_add_func ("/crypto/sha256", test_sha256);
  g_test_add_func ("/crypto/hmac", test_hmac);
  g_test_add_func ("/crypto/chacha-poly", test_chacha_poly);
  g_test_add_func ("/crypto/aes-gcm", test_aes_gcm);
  g_test_add_data_func ("/crypto/aead/in-place/aes-gcm",
                        &secure_test_suites[0], test_aead_in_place);
  g_test_add_data_func ("/crypto/aead/in-place/chacha-poly",
                        &secure_test_suites[1], test_aead_in_place);
  g_test_add_data_func ("/crypto/aead/forged/aes-gcm", &secure_test_suites[0],
                        test_aead_forged);
  g_test_add_data_func ("/crypto/aead/forged/chacha-poly",
                        &secure_test_suites[1], test_aead_forged);
  g_test_add_data_func ("/crypto/aead-changing/aes-gcm",
                        &secure_test_suites[0], test_aead_changing);
  g_test_add_data_func ("/crypto/aead-changing/chacha-poly",
                        &secure_test_suites[1], test_aead_changing);
  g_test_add_func ("/crypto/suites", test_suites);
  g_test_add_func ("/crypto/wipe-and-equal", test_wipe_and_equal);
  return g_test_run ();
}
