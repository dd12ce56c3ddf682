/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "seeds.h"

/* Of so many, one is run twice. */
#define TRACED_TWICE_EVERY 8

static const Seeds *seeds;
static guint64 verbose_seed;

static void
test_seed (gconstpointer data)
{
  guint64 seed = GPOINTER_TO_UINT (data);
  guint64 trace = seeds->run (seed, seed == verbose_seed);

  if (seed % TRACED_TWICE_EVERY == 0)
    g_assert_cmpuint (trace, ==, seeds->run (seed, FALSE));
}

/* Takes "--seed N" out, as g_test_init() has an option of that name. */
static guint64
take_seed (int *argc, char **argv)
{
  guint64 seed = 0;
  int kept = 1;

  for (int i = 1; i < *argc; i++)
    if (g_str_equal (argv[i], "--seed") && i + 1 < *argc)
      seed = g_ascii_strtoull (argv[++i], NULL, 10);
    else
      argv[kept++] = argv[i];
  *argc = kept;
  argv[kept] = NULL;
  return seed;
}

static void
add_seed (guint64 seed)
{
  g_autofree char *path
      = g_strdup_printf ("%s%" G_GUINT64_FORMAT, seeds->path, seed);

  g_test_add_data_func (path, GUINT_TO_POINTER (seed), test_seed);
}

int
seeds_main (const Seeds *self, int argc, char **argv)
{
  seeds = self;
  verbose_seed = take_seed (&argc, argv);
  g_test_init (&argc, &argv, NULL);
  if (verbose_seed != 0)
    add_seed (verbose_seed);
  else
    for (guint64 seed = 1; seed <= self->n_seeds; seed++)
      add_seed (seed);
  return g_test_run ();
}
