/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Runs a fuzz target without libFuzzer, with any compiler:
 *
 *   fuzz-NAME [--seed=N] [--runs=N] [--seconds=N] FILE or DIRECTORY…
 *
 * Feeds every seed as it is, then mutations of seeds: the same --seed and the
 * same files give the same inputs. --runs=0 only feeds the files.
 */

#include <glib.h>
#include <string.h>

#include "fuzz.h"

#define INPUT_MAX_SIZE 4096

typedef struct
{
  GRand *random;
  GPtrArray *seeds; /* GBytes */
  guint8 input[INPUT_MAX_SIZE];
  gsize length;
} Driver;

static int option_seed = 0;
static int option_runs = 1000000;
static int option_seconds = 3;

static const GOptionEntry options[] = {
  { "seed", 0, 0, G_OPTION_ARG_INT, &option_seed, "Random seed", "N" },
  { "runs", 0, 0, G_OPTION_ARG_INT, &option_runs, "Most mutations", "N" },
  { "seconds", 0, 0, G_OPTION_ARG_INT, &option_seconds, "Most time", "N" },
  G_OPTION_ENTRY_NULL,
};

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static void
load (Driver *self, const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  g_autoptr (GPtrArray) names = NULL;
  const char *name;
  char *contents;
  gsize length;

  if (dir == NULL)
    {
      if (g_file_get_contents (path, &contents, &length, NULL))
        g_ptr_array_add (self->seeds, g_bytes_new_take (contents, length));
      return;
    }
  names = g_ptr_array_new_with_free_func (g_free);
  while ((name = g_dir_read_name (dir)) != NULL)
    g_ptr_array_add (names, g_build_filename (path, name, NULL));
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++)
    load (self, names->pdata[i]);
}

/* In memory of just its size, for the address sanitizer */
static void
feed (const guint8 *bytes, gsize length)
{
  guint8 *copy = g_malloc (MAX (length, 1));

  if (length > 0)
    memcpy (copy, bytes, length);
  LLVMFuzzerTestOneInput (copy, length);
  g_free (copy);
}

static guint8
random_byte (Driver *self)
{
  static const guint8 edges[]
      = { 0x00, 0x01, 0x02, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xff };

  if (g_rand_boolean (self->random))
    return edges[g_rand_int_range (self->random, 0, sizeof edges)];
  return g_rand_int_range (self->random, 0, 256);
}

/* Moves the rest to make room for, or to take out, some bytes */
static void
resize_at (Driver *self, gsize at, gsize count, gboolean insert)
{
  if (insert && self->length + count <= sizeof self->input)
    {
      memmove (self->input + at + count, self->input + at,
               self->length - at);
      for (gsize i = 0; i < count; i++)
        self->input[at + i] = random_byte (self);
      self->length += count;
    }
  else if (!insert && at + count <= self->length)
    {
      memmove (self->input + at, self->input + at + count,
               self->length - at - count);
      self->length -= count;
    }
}

static void
append_seed (Driver *self)
{
  guint which = g_rand_int_range (self->random, 0, self->seeds->len);
  gsize length;
  const guint8 *bytes = g_bytes_get_data (self->seeds->pdata[which], &length);

  length = MIN (length, sizeof self->input - self->length);
  if (length > 0)
    memcpy (self->input + self->length, bytes, length);
  self->length += length;
}

static void
mutate (Driver *self)
{
  gsize at = g_rand_int_range (self->random, 0, self->length + 1);
  gsize count = g_rand_int_range (self->random, 1, 5);

  switch (g_rand_int_range (self->random, 0, 6))
    {
    case 0:
      if (at < self->length)
        self->input[at] ^= 1 << g_rand_int_range (self->random, 0, 8);
      break;
    case 1:
      for (; at < self->length && count > 0; at++, count--)
        self->input[at] = random_byte (self);
      break;
    case 2:
      resize_at (self, at, count, TRUE);
      break;
    case 3:
      resize_at (self, at, count, FALSE);
      break;
    case 4:
      if (g_rand_int_range (self->random, 0, 4) == 0)
        self->length = at;
      break;
    default:
      if (g_rand_int_range (self->random, 0, 4) == 0)
        append_seed (self);
      break;
    }
}

static void
run (Driver *self)
{
  gint64 end = g_get_monotonic_time () + option_seconds * G_TIME_SPAN_SECOND;
  int done = 0;

  for (guint i = 0; i < self->seeds->len; i++)
    {
      gsize length;
      const guint8 *bytes = g_bytes_get_data (self->seeds->pdata[i], &length);

      feed (bytes, length);
    }
  for (; done < option_runs && g_get_monotonic_time () < end; done++)
    {
      self->length = 0;
      append_seed (self);
      for (int n = g_rand_int_range (self->random, 1, 8); n > 0; n--)
        mutate (self);
      feed (self->input, self->length);
    }
  g_print ("%u seeds, %d mutations\n", self->seeds->len, done);
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("FILE…");
  g_autoptr (GError) error = NULL;
  Driver self = { 0 };

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      g_printerr ("%s\n", error->message);
      return 2;
    }
  if (option_seed == 0)
    option_seed = g_random_int_range (1, G_MAXINT);
  /* Said first, so that it can be seen when the target crashes */
  g_print ("--seed=%d\n", option_seed);

  self.random = g_rand_new_with_seed (option_seed);
  self.seeds
      = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  for (int i = 1; i < argc; i++)
    load (&self, argv[i]);
  if (self.seeds->len == 0)
    g_ptr_array_add (self.seeds, g_bytes_new (NULL, 0));
  run (&self);
  g_ptr_array_unref (self.seeds);
  g_rand_free (self.random);
  return 0;
}
