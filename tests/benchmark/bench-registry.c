/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What an id costs a match server's own registry:
 *
 *     bench-registry [IDS [FILE]]
 *
 * grows a registry to a million ids of 12 characters, or IDS, uses it in other
 * ways, and lets them all expire. With FILE, which is overwritten, it keeps
 * them there, and loads them again. One figure a line: its name and its value.
 */

#include "hole-punch/hp-identity-private.h"
#include "hole-punch/hp-memory-registry-private.h"
#include "hole-punch/io/hp-clock.h"

#include <glib/gstdio.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define PRIME 2654435761u
#define LIFETIME (G_GINT64_CONSTANT (30) * 24 * 60 * 60)

static gint64 skipped;

static gint64
get_now (void)
{
  return hp_clock_now () + skipped;
}

static gint64
get_wall_now (void)
{
  return g_get_real_time () + skipped;
}

/* CLOCK_THREAD_CPUTIME_ID for what takes longest, since it must not be that
 * another program ran meanwhile; it is slow, and no good for short times. */
static gint64
get_nanoseconds (clockid_t clock)
{
  struct timespec time;

  clock_gettime (clock, &time);
  return time.tv_sec * G_GINT64_CONSTANT (1000000000) + time.tv_nsec;
}

static gsize
get_memory (void)
{
  struct mallinfo2 info = mallinfo2 ();

  return info.uordblks + info.hblkhd;
}

static void
make_id (char id[16], guint8 key[HP_KEY_SIZE], guint i)
{
  g_snprintf (id, 16, "id%010u", i * PRIME);
  memset (key, 0, HP_KEY_SIZE);
  memcpy (key, &i, sizeof i);
}

typedef void (*Use) (HpMemoryRegistry *registry, const char *id,
                     const guint8 *key);

static void
claim (HpMemoryRegistry *registry, const char *id, const guint8 *key)
{
  guint8 holder[HP_KEY_SIZE];

  if (hp_memory_registry_claim_now (registry, id, key, LIFETIME, FALSE,
                                    holder)
      != 0)
    g_error ("%s was not claimed", id);
}

static void
look_up (HpMemoryRegistry *registry, const char *id, const guint8 *key)
{
  guint8 holder[HP_KEY_SIZE];

  if (!hp_memory_registry_lookup_now (registry, id, holder))
    g_error ("%s is not there", id);
}

static void
on_claimed (GObject *registry, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (HpRegistration) holder
      = hp_registry_claim_finish (HP_REGISTRY (registry), result, NULL);
  guint8 key[HP_KEY_SIZE];

  if (!hp_fingerprint_parse (hp_registration_get_fingerprint (holder), key))
    g_error ("an id was not claimed");
}

/* As any registry is asked */
static void
claim_as_task (HpMemoryRegistry *registry, const char *id, const guint8 *key)
{
  char fingerprint[HP_FINGERPRINT_LENGTH + 1];

  hp_fingerprint_format (fingerprint, key);
  hp_registry_claim_async (HP_REGISTRY (registry), id, fingerprint, LIFETIME,
                           FALSE, NULL, on_claimed, NULL);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
measure (HpMemoryRegistry *registry, const char *name, guint n, guint n_ids,
         Use use)
{
  gint64 longest = 0;
  gint64 total = 0;

  for (guint i = 0; i < n; i++)
    {
      guint8 key[HP_KEY_SIZE];
      char id[16];
      gint64 cpu_start;
      gint64 start;

      /* Not in the order in which they came */
      make_id (id, key, n == n_ids ? i : (guint64) i * PRIME % n_ids);
      cpu_start = get_nanoseconds (CLOCK_THREAD_CPUTIME_ID);
      start = get_nanoseconds (CLOCK_MONOTONIC);
      use (registry, id, key);
      total += get_nanoseconds (CLOCK_MONOTONIC) - start;
      longest = MAX (longest, get_nanoseconds (CLOCK_THREAD_CPUTIME_ID)
                                  - cpu_start);
    }
  g_print ("%s-ns %.0f\n%s-longest-us %.1f\n", name, (double) total / n, name,
           longest / 1000.0);
}

static void
expire (HpMemoryRegistry *registry)
{
  gint64 longest = 0;
  gint64 begun = get_nanoseconds (CLOCK_MONOTONIC);
  guint size = hp_memory_registry_get_size (registry);
  guint8 holder[HP_KEY_SIZE];

  skipped += (LIFETIME + 1) * G_USEC_PER_SEC;
  for (guint left = size; left > 0;)
    {
      gint64 start = get_nanoseconds (CLOCK_THREAD_CPUTIME_ID);

      if (hp_memory_registry_lookup_now (registry, "nobody", holder))
        g_error ("nobody is there");
      longest = MAX (longest,
                     get_nanoseconds (CLOCK_THREAD_CPUTIME_ID) - start);
      g_object_get (registry, "size", &left, NULL);
    }
  g_print ("expire-ns %.0f\nexpire-longest-us %.1f\n",
           (double) (get_nanoseconds (CLOCK_MONOTONIC) - begun) / size,
           longest / 1000.0);
}

/* Until everything is in the file; the longest that the main loop was held */
static void
settle (HpMemoryRegistry *registry, const char *name)
{
  gint64 longest = 0;
  gint64 begun = get_nanoseconds (CLOCK_MONOTONIC);

  while (!hp_registry_file_is_idle (hp_memory_registry_get_file (registry)))
    {
      GMainContext *context = g_main_context_default ();
      GPollFD fds[16];
      int priority;
      int timeout;
      int n;
      gint64 start;

      if (!g_main_context_acquire (context))
        g_error ("the context is another's");
      (void) g_main_context_prepare (context, &priority);
      n = g_main_context_query (context, priority, &timeout, fds, 16);
      g_poll (fds, n, timeout);
      start = get_nanoseconds (CLOCK_THREAD_CPUTIME_ID);
      if (g_main_context_check (context, priority, fds, n))
        g_main_context_dispatch (context);
      longest = MAX (longest,
                     get_nanoseconds (CLOCK_THREAD_CPUTIME_ID) - start);
      g_main_context_release (context);
    }
  g_print ("%s-s %.2f\n%s-longest-us %.1f\n", name,
           (get_nanoseconds (CLOCK_MONOTONIC) - begun) / 1e9, name,
           longest / 1000.0);
}

static HpMemoryRegistry *
open_file (const char *filename)
{
  g_autoptr (GError) error = NULL;
  HpMemoryRegistry *registry = hp_memory_registry_open_with_clocks (
      filename, get_now, get_wall_now, &error);

  if (registry == NULL)
    g_error ("%s", error->message);
  return registry;
}

static void
measure_file (HpMemoryRegistry **registry, const char *filename, guint n)
{
  struct stat status;
  gint64 start;

  settle (*registry, "flush");
  g_clear_object (registry);
  if (g_stat (filename, &status) == 0)
    g_print ("file-bytes %.1f\n", (double) status.st_size / n);
  start = get_nanoseconds (CLOCK_MONOTONIC);
  *registry = open_file (filename);
  g_print ("load-s %.2f\n", (get_nanoseconds (CLOCK_MONOTONIC) - start) / 1e9);
  if (hp_memory_registry_get_size (*registry) != n)
    g_error ("ids were lost");
  /* A day later everything is claimed anew, twice: time for a new file */
  for (guint i = 0; i < 2; i++)
    {
      skipped += 25 * 60 * 60 * G_TIME_SPAN_SECOND;
      measure (*registry, "next-day", n, n, claim);
      settle (*registry, "rewrite");
    }
  if (g_stat (filename, &status) == 0)
    g_print ("rewritten-file-bytes %.1f\n", (double) status.st_size / n);
}

int
main (int argc, char **argv)
{
  guint n = argc > 1 ? atoi (argv[1]) : 1000000;
  const char *filename = argc > 2 ? argv[2] : NULL;
  HpMemoryRegistry *registry;
  gsize before;

  if (filename != NULL)
    g_remove (filename);
  registry = filename != NULL ? open_file (filename)
                              : hp_memory_registry_new ();
  hp_memory_registry_set_clock (registry, get_now);
  hp_memory_registry_set_max_size (registry, MAX (n, 1));
  before = get_memory ();
  measure (registry, "first-claim", n, n, claim);
  g_print ("ids %u\nbytes %.1f\n", n, (double) (get_memory () - before) / n);
  if (filename != NULL)
    measure_file (&registry, filename, n);
  measure (registry, "claim-again", n, n, claim);
  measure (registry, "lookup", MIN (n, 500000), n, look_up);
  measure (registry, "claim-by-task", MIN (n, 100000), n, claim_as_task);
  expire (registry);
  g_object_unref (registry);
  return 0;
}
