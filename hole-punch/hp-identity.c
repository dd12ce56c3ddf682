/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-identity-private.h"

#include "hole-punch/hp-punch-error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/**
 * SECTION:hp-identity
 * @title: HpIdentity
 * @short_description: A key pair that says who a node is
 *
 * Every peer and every match server has an identity: an X25519 key pair. The
 * public key, written as a fingerprint of 52 letters and digits, is the node's
 * true name, and what a connection is encrypted for; an id is just a handy name
 * that a match server keeps for a fingerprint.
 *
 * A new #HpIdentity has fresh keys, which are gone when the program ends. To be
 * the same node again, and to keep an id, save the identity with
 * hp_identity_save() and load it with hp_identity_load():
 *
 * |[<!-- language="C" -->
 * identity = hp_identity_load (filename, &error);
 * if (g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
 *   {
 *     g_clear_error (&error);
 *     identity = hp_identity_new ();
 *     hp_identity_save (identity, filename, &error);
 *   }
 * ]|
 *
 * The file holds the private key: whoever can read it can be this node. It is
 * written for its owner only; files with wider permissions are loaded
 * nevertheless, so keep an eye on copies.
 *
 * One identity may serve several objects, one after another; two nodes that run
 * at a time should not share one, since each would end the connections of the
 * other. Private keys are wiped from memory when the object is freed.
 */

/**
 * HpIdentity:
 *
 * The key pair of a node.
 *
 * Since: 1.0
 */

struct _HpIdentity
{
  GObject parent_instance;

  HpKeyPair pair;
  char fingerprint[HP_FINGERPRINT_LENGTH + 1];
  GBytes *public_key;
  gboolean is_persistent;
};

G_DEFINE_FINAL_TYPE (HpIdentity, hp_identity, G_TYPE_OBJECT)

typedef enum
{
  PROP_FINGERPRINT = 1,
  PROP_PUBLIC_KEY,
} HpIdentityProperty;

static GParamSpec *properties[PROP_PUBLIC_KEY + 1];

/* The file, byte for byte: three lines, the keys in the form of fingerprints.
 * The public key is there to find damage (and for people to read). */
#define HEADER_START "hole-punch identity "
#define HEADER HEADER_START "1\n"
#define PUBLIC_LABEL "fingerprint "
#define PRIVATE_LABEL "private-key "
#define FILE_SIZE                                                             \
  (strlen (HEADER) + strlen (PUBLIC_LABEL) + strlen (PRIVATE_LABEL)           \
   + 2 * (HP_FINGERPRINT_LENGTH + 1))
#define FILE_MAX_SIZE 256

static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";

void
hp_fingerprint_format (char *text, const guint8 public_key[HP_KEY_SIZE])
{
  guint bits = 0;
  guint n_bits = 0;

  for (guint i = 0; i < HP_KEY_SIZE; i++)
    {
      bits = (bits << 8 | public_key[i]) & 0xfff;
      for (n_bits += 8; n_bits >= 5; n_bits -= 5)
        *text++ = base32[bits >> (n_bits - 5) & 31];
    }
  *text++ = base32[bits << (5 - n_bits) & 31];
  *text = '\0';
}

gboolean
hp_fingerprint_parse (const char *text, guint8 public_key[HP_KEY_SIZE])
{
  guint bits = 0;
  guint n_bits = 0;
  guint n_bytes = 0;

  if (strnlen (text, HP_FINGERPRINT_LENGTH + 1) != HP_FINGERPRINT_LENGTH)
    return FALSE;
  for (guint i = 0; i < HP_FINGERPRINT_LENGTH; i++)
    {
      const char *digit = memchr (base32, text[i], strlen (base32));

      if (digit == NULL)
        return FALSE;
      bits = (bits << 5 | (digit - base32)) & 0xfff;
      n_bits += 5;
      if (n_bits >= 8)
        {
          n_bits -= 8;
          public_key[n_bytes++] = bits >> n_bits & 0xff;
        }
    }
  /* The bits after the 256th must be zero, or a key had many names. */
  return (bits & ((1u << n_bits) - 1)) == 0;
}

static void
set_pair (HpIdentity *self, const HpKeyPair *pair)
{
  self->pair = *pair;
  hp_fingerprint_format (self->fingerprint, self->pair.public_key);
  g_clear_pointer (&self->public_key, g_bytes_unref);
  self->public_key = g_bytes_new (self->pair.public_key, HP_KEY_SIZE);
}

/* Here and not in hp_identity_new(), which other languages do not call. */
static void
hp_identity_constructed (GObject *object)
{
  HpKeyPair pair;

  G_OBJECT_CLASS (hp_identity_parent_class)->constructed (object);
  hp_crypto_generate_key_pair (&pair, &hp_crypto_random);
  set_pair (HP_IDENTITY (object), &pair);
  hp_crypto_wipe (&pair, sizeof pair);
}

static void
hp_identity_finalize (GObject *object)
{
  HpIdentity *self = HP_IDENTITY (object);

  hp_crypto_wipe (&self->pair, sizeof self->pair);
  g_bytes_unref (self->public_key);
  G_OBJECT_CLASS (hp_identity_parent_class)->finalize (object);
}

static void
hp_identity_get_property (GObject *object, guint property_id, GValue *value,
                          GParamSpec *pspec)
{
  HpIdentity *self = HP_IDENTITY (object);

  switch ((HpIdentityProperty) property_id)
    {
    case PROP_FINGERPRINT:
      g_value_set_string (value, self->fingerprint);
      break;
    case PROP_PUBLIC_KEY:
      g_value_set_boxed (value, self->public_key);
      break;
    }
}

static void
hp_identity_class_init (HpIdentityClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->constructed = hp_identity_constructed;
  object_class->finalize = hp_identity_finalize;
  object_class->get_property = hp_identity_get_property;

  /**
   * HpIdentity:fingerprint:
   *
   * The public key in base32 (RFC 4648), lower case, without padding: 52 of the
   * characters a to z and 2 to 7. A key has one fingerprint, and a fingerprint
   * is the whole key, so they can be compared as strings, told by phone, and
   * called: see hp_peer_connect_async().
   *
   * Since: 1.0
   */
  properties[PROP_FINGERPRINT] = g_param_spec_string (
      "fingerprint", "Fingerprint", "The public key in base32", NULL,
      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * HpIdentity:public-key:
   *
   * The public key, 32 bytes.
   *
   * Since: 1.0
   */
  properties[PROP_PUBLIC_KEY] = g_param_spec_boxed (
      "public-key", "Public key", "The public key, 32 bytes", G_TYPE_BYTES,
      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
hp_identity_init (HpIdentity *self)
{
}

/* Fills @text with at most @size bytes of the file and gives how many, or -1.
 * Not g_file_get_contents(), which waits for a FIFO's writer, reads devices
 * without end, and leaves copies of the key in freed memory. */
static gssize
read_file (const char *filename, char *text, gsize size, GError **error)
{
  gsize length = 0;
  gssize got;
  int saved_errno;
  g_autofree char *name = g_filename_display_name (filename);
  int fd = open (filename, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

  if (fd == -1)
    {
      saved_errno = errno;
      g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (saved_errno),
                   "Cannot open the identity “%s”: %s", name,
                   g_strerror (saved_errno));
      return -1;
    }
  do
    {
      got = read (fd, text + length, size - length);
      if (got > 0)
        length += got;
    }
  while ((got > 0 && length < size) || (got == -1 && errno == EINTR));
  saved_errno = errno;
  close (fd);
  if (got == -1)
    {
      g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (saved_errno),
                   "Cannot read the identity “%s”: %s", name,
                   g_strerror (saved_errno));
      return -1;
    }
  return length;
}

static const char *
parse_line (const char *text, const char *label, guint8 key[HP_KEY_SIZE])
{
  char value[HP_FINGERPRINT_LENGTH + 1] = { 0 };
  gboolean is_good;

  if (!g_str_has_prefix (text, label))
    return NULL;
  text += strlen (label);
  memcpy (value, text, strnlen (text, HP_FINGERPRINT_LENGTH));
  is_good = hp_fingerprint_parse (value, key)
            && text[HP_FINGERPRINT_LENGTH] == '\n';
  hp_crypto_wipe (value, sizeof value);
  return is_good ? text + HP_FINGERPRINT_LENGTH + 1 : NULL;
}

/* What is wrong with it, or NULL */
static const char *
parse_file (const char *text, gsize length, HpKeyPair *pair)
{
  guint8 public_key[HP_KEY_SIZE];

  if (!g_str_has_prefix (text, HEADER_START))
    return "it is another kind of file";
  if (!g_str_has_prefix (text, HEADER))
    return "it was written by a later version of this library";
  text = parse_line (text + strlen (HEADER), PUBLIC_LABEL, public_key);
  if (text != NULL)
    text = parse_line (text, PRIVATE_LABEL, pair->private_key);
  if (text == NULL || length != FILE_SIZE)
    return "it is damaged";
  hp_crypto_derive_public_key (pair);
  if (memcmp (pair->public_key, public_key, HP_KEY_SIZE) != 0)
    return "it is damaged: its two keys do not belong together";
  return NULL;
}

const HpKeyPair *
hp_identity_get_key_pair (HpIdentity *self)
{
  g_assert (HP_IS_IDENTITY (self));
  return &self->pair;
}

gboolean
hp_identity_is_persistent (HpIdentity *self)
{
  g_assert (HP_IS_IDENTITY (self));
  return self->is_persistent;
}

/**
 * hp_identity_new:
 *
 * Makes an identity with new keys.
 *
 * Returns: (transfer full): a new #HpIdentity
 *
 * Since: 1.0
 */
HpIdentity *
hp_identity_new (void)
{
  return g_object_new (HP_TYPE_IDENTITY, NULL);
}

/**
 * hp_identity_load:
 * @filename: (type filename): a file that hp_identity_save() has written
 * @error: return location for a #GError
 *
 * Loads an identity from a file.
 *
 * Fails with a #GFileError when the file cannot be read
 * (%G_FILE_ERROR_NOENT: there is none yet, make an identity and save it), and
 * with %HP_PUNCH_ERROR_INVALID_IDENTITY when it holds no identity, or a damaged
 * one: then restore it from a copy. A new identity has another fingerprint, and
 * cannot take over the ids of the old one before they expire.
 *
 * Returns: (transfer full): a new #HpIdentity, or %NULL with @error set
 *
 * Since: 1.0
 */
HpIdentity *
hp_identity_load (const char *filename, GError **error)
{
  HpIdentity *self = NULL;
  HpKeyPair pair = { { 0 }, { 0 } };
  char text[FILE_MAX_SIZE + 1] = { 0 };
  const char *problem;
  gssize length;

  g_return_val_if_fail (filename != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  length = read_file (filename, text, FILE_MAX_SIZE, error);
  if (length == -1)
    return NULL;
  problem = parse_file (text, length, &pair);
  if (problem == NULL)
    {
      self = hp_identity_new ();
      set_pair (self, &pair);
      self->is_persistent = TRUE;
    }
  else
    {
      g_autofree char *name = g_filename_display_name (filename);

      g_set_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_INVALID_IDENTITY,
                   "The file “%s” holds no identity: %s. Restore it from a "
                   "copy, or put it aside and make a new identity, which will "
                   "have another fingerprint.",
                   name, problem);
    }
  hp_crypto_wipe (&pair, sizeof pair);
  hp_crypto_wipe (text, sizeof text);
  return self;
}

/**
 * hp_identity_save:
 * @self: a #HpIdentity
 * @filename: (type filename): where to save it; a file that is there is
 *   replaced
 * @error: return location for a #GError
 *
 * Saves an identity to a file that only its owner can read (mode 0600). The
 * file is replaced as a whole or, with a #GFileError, not at all. The folder
 * must be there.
 *
 * Ids that a peer registers with an identity that was saved or loaded stay its
 * own for days when it is away; those of other identities are free again soon.
 *
 * Returns: %TRUE if it was saved, %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
hp_identity_save (HpIdentity *self, const char *filename, GError **error)
{
  char private_key[HP_FINGERPRINT_LENGTH + 1];
  char text[FILE_MAX_SIZE];
  gboolean is_saved;

  g_return_val_if_fail (HP_IS_IDENTITY (self), FALSE);
  g_return_val_if_fail (filename != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  hp_fingerprint_format (private_key, self->pair.private_key);
  g_snprintf (text, sizeof text,
              HEADER PUBLIC_LABEL "%s\n" PRIVATE_LABEL "%s\n",
              self->fingerprint, private_key);
  is_saved = g_file_set_contents_full (
      filename, text, FILE_SIZE,
      G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600,
      error);
  hp_crypto_wipe (private_key, sizeof private_key);
  hp_crypto_wipe (text, sizeof text);
  if (is_saved)
    self->is_persistent = TRUE;
  return is_saved;
}

/**
 * hp_identity_get_fingerprint:
 * @self: a #HpIdentity
 *
 * Gets #HpIdentity:fingerprint.
 *
 * Returns: (transfer none): 52 characters
 *
 * Since: 1.0
 */
const char *
hp_identity_get_fingerprint (HpIdentity *self)
{
  g_return_val_if_fail (HP_IS_IDENTITY (self), NULL);

  return self->fingerprint;
}

/**
 * hp_identity_get_public_key:
 * @self: a #HpIdentity
 *
 * Gets #HpIdentity:public-key.
 *
 * Returns: (transfer none): 32 bytes
 *
 * Since: 1.0
 */
GBytes *
hp_identity_get_public_key (HpIdentity *self)
{
  g_return_val_if_fail (HP_IS_IDENTITY (self), NULL);

  return self->public_key;
}
