/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-match-directory.h"
#include "hole-punch/wire/hp-packet.h"

static const HpSipKey secret = { { 0x0123456789abcdef, 0xfedcba9876543210 } };

static guint64
hash_number (guint64 number)
{
  return hp_siphash (&secret, &number, sizeof number);
}

static void
test_set_and_unset (void)
{
  g_autoptr (HpMatchDirectory) directory = hp_match_directory_new ();
  guint64 hash = hp_match_directory_hash_id (&secret, "wq");

  g_assert_cmpuint (hp_match_directory_find (directory, hash), ==,
                    HP_MATCH_NOWHERE);
  hp_match_directory_unset (directory, hash, 3);
  g_assert_cmpuint (hp_match_directory_set (directory, hash, 3), ==,
                    HP_MATCH_NOWHERE);
  g_assert_cmpuint (hp_match_directory_find (directory, hash), ==, 3);
  /* It has moved; whoever had it says late that it is gone. */
  g_assert_cmpuint (hp_match_directory_set (directory, hash, 63), ==, 3);
  hp_match_directory_unset (directory, hash, 3);
  g_assert_cmpuint (hp_match_directory_find (directory, hash), ==, 63);
  g_assert_cmpuint (hp_match_directory_set (directory, hash, 0), ==, 63);
  g_assert_cmpuint (directory->n_names, ==, 1);
  hp_match_directory_unset (directory, hash, 0);
  g_assert_cmpuint (hp_match_directory_find (directory, hash), ==,
                    HP_MATCH_NOWHERE);
  g_assert_cmpuint (directory->n_names, ==, 0);
}

/* Ids are not keys, and another secret is another hash. */
static void
test_hashes (void)
{
  const HpSipKey other = { { 1, 2 } };
  char id[HP_KEY_SIZE + 1] = "an id of as many bytes as a key!";

  g_assert_cmpuint (hp_match_directory_hash_id (&secret, id), !=,
                    hp_match_directory_hash_key (&secret, (guint8 *) id));
  g_assert_cmpuint (hp_match_directory_hash_id (&secret, id), !=,
                    hp_match_directory_hash_id (&other, id));
  g_assert_cmpuint (hp_match_directory_hash_key (&secret, (guint8 *) id), !=,
                    hp_match_directory_hash_key (&other, (guint8 *) id));
}

static void
test_homes (void)
{
  for (guint n_workers = 1; n_workers <= 64; n_workers *= 4)
    {
      guint counts[64] = { 0 };

      for (guint i = 0; i < 64000; i++)
        {
          guint home = hp_match_directory_get_home (hash_number (i),
                                                    n_workers);

          g_assert_cmpuint (home, <, n_workers);
          counts[home]++;
        }
      for (guint i = 0; i < n_workers; i++)
        {
          g_assert_cmpuint (counts[i], >, 64000 / n_workers * 8 / 10);
          g_assert_cmpuint (counts[i], <, 64000 / n_workers * 12 / 10);
        }
    }
}

/* Against a hash table, with names that come, move and go at random */
static void
test_model (void)
{
  g_autoptr (HpMatchDirectory) directory = hp_match_directory_new ();
  g_autoptr (GHashTable) model = g_hash_table_new (NULL, NULL);
  guint most = 0;

  for (guint step = 0; step < 1000000; step++)
    {
      /* Many names for a while, then few, then many */
      gboolean grows = step / 100000 % 2 == 0;
      guint name = g_test_rand_int_range (0, 40000);
      guint worker = g_test_rand_int_range (0, 64);
      guint64 hash = hash_number (name);
      guint before = GPOINTER_TO_UINT (
          g_hash_table_lookup (model, GUINT_TO_POINTER (name)));

      g_assert_cmpuint (hp_match_directory_find (directory, hash), ==,
                        before - 1);
      if (g_test_rand_int_range (0, 10) < (grows ? 8 : 1))
        {
          g_assert_cmpuint (hp_match_directory_set (directory, hash, worker),
                            ==, before - 1);
          g_hash_table_insert (model, GUINT_TO_POINTER (name),
                               GUINT_TO_POINTER (worker + 1));
        }
      else if (before != 0)
        {
          hp_match_directory_unset (directory, hash, before - 1);
          g_hash_table_remove (model, GUINT_TO_POINTER (name));
        }
      g_assert_cmpuint (directory->n_names, ==, g_hash_table_size (model));
      most = MAX (most, directory->n_names);
    }
  g_assert_cmpuint (most, >, 20000);
  for (guint name = 0; name < 40000; name++)
    for (guint worker = 0; worker < 64; worker++)
      hp_match_directory_unset (directory, hash_number (name), worker);
  g_assert_cmpuint (directory->n_names, ==, 0);
  g_assert_cmpuint (hp_match_directory_get_size (directory), ==,
                    sizeof *directory);
}

/* Two names a peer, within 40 bytes whatever their number */
static void
test_size (void)
{
  g_autoptr (HpMatchDirectory) directory = hp_match_directory_new ();
  gsize largest = 0;

  for (guint i = 0; i < 2000000; i++)
    {
      hp_match_directory_set (directory, hash_number (i), i % 4);
      if (i < 100000)
        continue;
      largest = MAX (largest, 2 * hp_match_directory_get_size (directory)
                                  * 100 / (i + 1));
    }
  g_test_message ("%" G_GSIZE_FORMAT " hundredths of a byte a peer at most",
                  largest);
  g_assert_cmpuint (largest, <=, 4000);
  for (guint i = 0; i < 2000000; i++)
    g_assert_cmpuint (hp_match_directory_find (directory, hash_number (i)), ==,
                      i % 4);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/match-directory/set-and-unset", test_set_and_unset);
  g_test_add_func ("/match-directory/hashes", test_hashes);
  g_test_add_func ("/match-directory/homes", test_homes);
  g_test_add_func ("/match-directory/model", test_model);
  g_test_add_func ("/match-directory/size", test_size);
  return g_test_run ();
}
