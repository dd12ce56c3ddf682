/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* HpIdentity: fingerprints, and files whole and damaged */

#include "hole-punch/hp-identity-private.h"
#include "hole-punch/hp-punch-error.h"

#include "objects-test.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

/* Alice's keys of RFC 7748, section 6.1 */
#define ALICE "quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzva"
#define ALICE_PRIVATE "o4dw2cttdcsx2pawyfzfdmtgixpuyl4h5pajskvro752khnzfqva"
#define ALICE_FILE                                                            \
  "hole-punch identity 1\n"                                                   \
  "fingerprint " ALICE "\n"                                                   \
  "private-key " ALICE_PRIVATE "\n"

void __real_hp_crypto_wipe (gpointer bytes, gsize length);
void __wrap_hp_crypto_wipe (gpointer bytes, gsize length);

static gconstpointer wiped;
static gsize wiped_length;

void
__wrap_hp_crypto_wipe (gpointer bytes, gsize length)
{
  wiped = bytes;
  wiped_length = length;
  __real_hp_crypto_wipe (bytes, length);
}

typedef struct
{
  char *folder;
  char *filename;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->folder = g_dir_make_tmp ("hole-punch-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->filename = g_build_filename (fixture->folder, "identity", NULL);
}

/* Nothing else must have been left in the folder. */
static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_remove (fixture->filename);
  g_assert_cmpint (g_rmdir (fixture->folder), ==, 0);
  g_free (fixture->folder);
  g_free (fixture->filename);
}

static void
write_file (Fixture *fixture, const char *text, gssize length)
{
  g_autoptr (GError) error = NULL;

  g_file_set_contents (fixture->filename, text, length, &error);
  g_assert_no_error (error);
}

/* The library does not say which file was refused but by its name. */
static void
assert_refused (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (hp_identity_load (fixture->filename, &error));
  g_assert_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_INVALID_IDENTITY);
  g_assert_nonnull (strstr (error->message, fixture->filename));
}

static void
test_new (void)
{
  HpIdentity *identity = hp_identity_new ();
  HpIdentity *other = g_object_new (HP_TYPE_IDENTITY, NULL);
  g_autofree char *fingerprint = NULL;
  g_autoptr (GBytes) public_key = NULL;
  guint8 parsed[HP_KEY_SIZE];
  HpKeyPair pair = *hp_identity_get_key_pair (identity);

  g_object_get (identity, "fingerprint", &fingerprint, "public-key",
                &public_key, NULL);
  g_assert_cmpstr (fingerprint, ==, hp_identity_get_fingerprint (identity));
  g_assert_true (public_key == hp_identity_get_public_key (identity));
  g_assert_cmpuint (strlen (fingerprint), ==, HP_FINGERPRINT_LENGTH);
  g_assert_true (hp_fingerprint_parse (fingerprint, parsed));
  g_assert_cmpmem (parsed, HP_KEY_SIZE, g_bytes_get_data (public_key, NULL),
                   g_bytes_get_size (public_key));
  hp_crypto_derive_public_key (&pair);
  g_assert_cmpmem (parsed, HP_KEY_SIZE, pair.public_key, HP_KEY_SIZE);
  g_assert_cmpstr (hp_identity_get_fingerprint (other), !=, fingerprint);
  g_assert_false (hp_identity_is_persistent (identity));

  g_clear_pointer (&public_key, g_bytes_unref);
  g_assert_finalize_object (identity);
  g_assert_finalize_object (other);
}

static void
test_wiped (void)
{
  HpIdentity *identity = hp_identity_new ();
  const HpKeyPair *pair = hp_identity_get_key_pair (identity);

  wiped = NULL;
  g_assert_finalize_object (identity);
  g_assert_true (wiped == pair);
  g_assert_cmpuint (wiped_length, ==, sizeof *pair);
}

static void
test_vectors (void)
{
  guint8 key[HP_KEY_SIZE] = { 0 };
  guint8 parsed[HP_KEY_SIZE];
  char text[HP_FINGERPRINT_LENGTH + 1];

  hp_fingerprint_format (text, key);
  g_assert_cmpstr (text, ==,
                   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
  memset (key, 0xff, sizeof key);
  hp_fingerprint_format (text, key);
  g_assert_cmpstr (text, ==,
                   "777777777777777777777777777777777777777777777777777q");
  for (guint i = 0; i < HP_KEY_SIZE; i++)
    key[i] = i;
  hp_fingerprint_format (text, key);
  g_assert_cmpstr (text, ==,
                   "aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypq");
  g_assert_true (hp_fingerprint_parse (text, parsed));
  g_assert_cmpmem (parsed, HP_KEY_SIZE, key, HP_KEY_SIZE);
}

static void
test_round_trip (void)
{
  for (guint i = 0; i < 1000; i++)
    {
      guint8 key[HP_KEY_SIZE];
      guint8 parsed[HP_KEY_SIZE];
      char text[HP_FINGERPRINT_LENGTH + 1];

      for (guint j = 0; j < HP_KEY_SIZE; j++)
        key[j] = g_test_rand_int_range (0, 256);
      hp_fingerprint_format (text, key);
      g_assert_cmpuint (strlen (text), ==, HP_FINGERPRINT_LENGTH);
      g_assert_true (hp_fingerprint_parse (text, parsed));
      g_assert_cmpmem (parsed, HP_KEY_SIZE, key, HP_KEY_SIZE);
    }
}

static void
test_not_canonical (void)
{
  static const char *const texts[] = {
    "",
    "a",
    "quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzv",
    (ALICE "a"),
    (ALICE "===="),
    (ALICE "\n"),
    (" " ALICE),
    /* One bit more than a key has */
    "quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzvb",
    "quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzvi",
    "quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzv7",
    /* Digits of other alphabets */
    "Quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzva",
    "QUQPACMJGCTVI5ELPXOLIPXXLIG36OQNEY4BV5HLUSUY5KU3JZVA",
    "0uqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzva",
    "1uqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzva",
    "quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzv8",
    "quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jz\xc3\xa4",
  };
  guint8 key[HP_KEY_SIZE];

  g_assert_true (hp_fingerprint_parse (ALICE, key));
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_assert_false (hp_fingerprint_parse (texts[i], key));
}

static void
test_save_and_load (Fixture *fixture, gconstpointer data)
{
  HpIdentity *identity = hp_identity_new ();
  HpIdentity *loaded;
  g_autoptr (GError) error = NULL;
  GStatBuf status;

  g_assert_true (hp_identity_save (identity, fixture->filename, &error));
  g_assert_no_error (error);
  g_assert_true (hp_identity_is_persistent (identity));
  g_assert_cmpint (g_stat (fixture->filename, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 07777, ==, 0600);

  loaded = hp_identity_load (fixture->filename, &error);
  g_assert_no_error (error);
  g_assert_true (hp_identity_is_persistent (loaded));
  g_assert_cmpmem (hp_identity_get_key_pair (loaded), sizeof (HpKeyPair),
                   hp_identity_get_key_pair (identity), sizeof (HpKeyPair));
  g_assert_cmpstr (hp_identity_get_fingerprint (loaded), ==,
                   hp_identity_get_fingerprint (identity));
  g_assert_true (
      g_bytes_equal (hp_identity_get_public_key (loaded),
                     hp_identity_get_public_key (identity)));
  g_assert_finalize_object (identity);
  g_assert_finalize_object (loaded);
}

/* The file's form is a promise: old files must be readable for ever. */
static void
test_known_file (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HpIdentity) identity = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  write_file (fixture, ALICE_FILE, -1);
  identity = hp_identity_load (fixture->filename, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (hp_identity_get_fingerprint (identity), ==, ALICE);

  g_assert_true (hp_identity_save (identity, fixture->filename, &error));
  g_assert_true (g_file_get_contents (fixture->filename, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, ALICE_FILE);
}

/* Whatever the mode was, and the umask is: afterwards it is the owner's. */
static void
test_replaces (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HpIdentity) identity = hp_identity_new ();
  g_autoptr (HpIdentity) loaded = NULL;
  g_autoptr (GError) error = NULL;
  mode_t old_umask = umask (0);
  GStatBuf status;

  write_file (fixture, "something else", -1);
  g_assert_cmpint (g_chmod (fixture->filename, 0666), ==, 0);
  g_assert_true (hp_identity_save (identity, fixture->filename, &error));
  umask (old_umask);
  g_assert_no_error (error);
  g_assert_cmpint (g_stat (fixture->filename, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 07777, ==, 0600);

  /* Too wide, but not for us to refuse */
  g_assert_cmpint (g_chmod (fixture->filename, 0644), ==, 0);
  loaded = hp_identity_load (fixture->filename, &error);
  g_assert_no_error (error);
  g_assert_nonnull (loaded);
}

static void
test_cannot_save (Fixture *fixture, gconstpointer data)
{
  HpIdentity *identity = hp_identity_new ();
  g_autofree char *filename
      = g_build_filename (fixture->folder, "missing", "identity", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_false (hp_identity_save (identity, filename, &error));
  g_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
  g_assert_false (hp_identity_is_persistent (identity));
  g_clear_error (&error);

  /* A folder is not replaced. */
  g_assert_false (hp_identity_save (identity, fixture->folder, &error));
  g_assert_nonnull (error);
  g_assert_cmpint (error->domain, ==, G_FILE_ERROR);
  g_assert_false (hp_identity_is_persistent (identity));
  g_assert_finalize_object (identity);
}

static void
test_cannot_read (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (hp_identity_load (fixture->filename, &error));
  g_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
  g_assert_nonnull (strstr (error->message, fixture->filename));
  g_clear_error (&error);

  g_assert_null (hp_identity_load (fixture->folder, &error));
  g_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_ISDIR);
  g_clear_error (&error);

  g_assert_null (hp_identity_load ("/dev/zero", &error));
  g_assert_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_INVALID_IDENTITY);
  g_clear_error (&error);

  /* Nobody writes to it: it must not be waited for. */
  g_assert_cmpint (mkfifo (fixture->filename, 0600), ==, 0);
  assert_refused (fixture);
}

static void
test_damaged (Fixture *fixture, gconstpointer data)
{
  static const char *const texts[] = {
    "",
    "\n",
    "hole-punch identity",
    "hole-punch identity 1\n",
    "hole-punch identity 2\n"
    "fingerprint " ALICE "\n"
    "private-key " ALICE_PRIVATE "\n",
    "-----BEGIN OPENSSH PRIVATE KEY-----\n",
    (" " ALICE_FILE),
    (ALICE_FILE "\n"),
    (ALICE_FILE ALICE_FILE),
    /* The lines exchanged, the keys exchanged, one twice, one missing */
    "hole-punch identity 1\n"
    "private-key " ALICE_PRIVATE "\n"
    "fingerprint " ALICE "\n",
    "hole-punch identity 1\n"
    "fingerprint " ALICE_PRIVATE "\n"
    "private-key " ALICE "\n",
    "hole-punch identity 1\n"
    "fingerprint " ALICE "\n"
    "private-key " ALICE "\n",
    "hole-punch identity 1\n"
    "fingerprint " ALICE "\n",
    "hole-punch identity 1\r\n"
    "fingerprint " ALICE "\r\n"
    "private-key " ALICE_PRIVATE "\r\n",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      write_file (fixture, texts[i], -1);
      assert_refused (fixture);
    }
  /* A zero in it, and one too many */
  write_file (fixture, ALICE_FILE, sizeof ALICE_FILE);
  assert_refused (fixture);
}

static void
test_truncated (Fixture *fixture, gconstpointer data)
{
  for (gsize length = 0; length < strlen (ALICE_FILE); length++)
    {
      write_file (fixture, ALICE_FILE, length);
      assert_refused (fixture);
    }
}

/* A damaged file must not turn into another identity. */
static void
test_changed (Fixture *fixture, gconstpointer data)
{
  guint n_same = 0;

  for (gsize i = 0; i < strlen (ALICE_FILE); i++)
    {
      g_autofree char *text = g_strdup (ALICE_FILE);
      g_autoptr (GError) error = NULL;
      g_autoptr (HpIdentity) identity = NULL;

      text[i] = text[i] == 'a' ? 'b' : 'a';
      write_file (fixture, text, -1);
      identity = hp_identity_load (fixture->filename, &error);
      if (identity == NULL)
        {
          g_assert_error (error, HP_PUNCH_ERROR,
                          HP_PUNCH_ERROR_INVALID_IDENTITY);
          continue;
        }
      /* X25519 ignores five bits of a private key (RFC 7748, section 5). */
      g_assert_cmpstr (hp_identity_get_fingerprint (identity), ==, ALICE);
      n_same++;
    }
  g_assert_cmpuint (n_same, <=, 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, func)                                                       \
  g_test_add ("/identity/" name, Fixture, NULL, set_up, func, tear_down)

  g_test_add_func ("/identity/new", test_new);
  g_test_add_func ("/identity/wiped", test_wiped);
  g_test_add_func ("/identity/fingerprint/vectors", test_vectors);
  g_test_add_func ("/identity/fingerprint/round-trip", test_round_trip);
  g_test_add_func ("/identity/fingerprint/not-canonical", test_not_canonical);
  ADD ("save-and-load", test_save_and_load);
  ADD ("known-file", test_known_file);
  ADD ("replaces", test_replaces);
  ADD ("cannot-save", test_cannot_save);
  ADD ("cannot-read", test_cannot_read);
  ADD ("damaged", test_damaged);
  ADD ("truncated", test_truncated);
  ADD ("changed", test_changed);
  return g_test_run ();
}
