/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The test vectors in docs/protocol.md are what this code writes, all of
 * them, and there are no others.
 *
 * They stand in blocks that open with ```vectors: a name at the start of a
 * line, then hex; a line that begins with a space goes on with the hex.
 */

#include "wire-check.h"
#include "wire-samples.h"

#include <string.h>

/* Name to GString of hex */
static GHashTable *
read_vectors (void)
{
  GHashTable *vectors = g_hash_table_new_full (g_str_hash, g_str_equal,
                                               g_free, g_free);
  g_autofree char *path = g_test_build_filename (
      G_TEST_DIST, "..", "docs", "protocol.md", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) lines = NULL;
  g_autofree char *name = NULL;
  gboolean inside = FALSE;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      gsize name_length = strcspn (lines[i], " ");
      const char *old;

      if (g_str_has_prefix (lines[i], "```"))
        inside = g_str_equal (lines[i], "```vectors");
      else if (inside && lines[i][0] != '\0')
        {
          if (name_length > 0)
            {
              g_free (name);
              name = g_strndup (lines[i], name_length);
              g_assert_false (g_hash_table_contains (vectors, name));
            }
          g_assert_nonnull (name);
          old = g_hash_table_lookup (vectors, name);
          g_hash_table_replace (vectors, g_strdup (name),
                                g_strconcat (old != NULL ? old : "",
                                             lines[i] + name_length, NULL));
        }
    }
  return vectors;
}

static char *
to_hex (const guint8 *bytes, gsize length)
{
  GString *hex = g_string_new (NULL);

  for (gsize i = 0; i < length; i++)
    g_string_append_printf (hex, "%02x", bytes[i]);
  return g_string_free (hex, FALSE);
}

static void
test_vectors (void)
{
  g_autoptr (GHashTable) vectors = read_vectors ();

  for (guint i = 0; i < hp_samples_get_count (); i++)
    {
      HpSample sample;
      g_autofree char *written = NULL;
      g_autofree char *documented = NULL;
      g_autoptr (GBytes) bytes = NULL;
      const char *hex;

      hp_samples_get (i, &sample);
      g_test_message ("%s", sample.name);
      hex = g_hash_table_lookup (vectors, sample.name);
      g_assert_nonnull (hex);
      bytes = hp_unhex (hex);
      written = to_hex (sample.bytes, sample.length);
      documented = to_hex (g_bytes_get_data (bytes, NULL),
                           g_bytes_get_size (bytes));
      g_assert_cmpstr (documented, ==, written);
      g_hash_table_remove (vectors, sample.name);
    }
  g_assert_cmpuint (g_hash_table_size (vectors), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vectors/documented", test_vectors);
  return g_test_run ();
}
