/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a registry in Redis costs a match server:
 *
 *     bench-redis URI [IDS [DEPTH]]
 *
 * claims a hundred thousand ids, or IDS, claims them again (refreshes), looks
 * them up, and posts as many messages to itself, with a hundred requests, or
 * DEPTH, under way. For each a line: requests a second, microseconds of this
 * process's own processor time per request, and the latencies below which half
 * and 99 of 100 are, in milliseconds. To be run by hand; what Redis spends,
 * `redis-cli info commandstats` tells.
 */

#include "hole-punch/hole-punch.h"

#include <stdlib.h>
#include <time.h>

#define LIFETIME (30 * 24 * 60 * 60)
#define MESSAGE_SIZE 250

typedef enum
{
  CLAIM,
  LOOKUP,
  POST,
} Kind;

typedef struct
{
  HpRegistry *registry;
  Kind kind;
  guint n_ids;
  guint started;
  guint done;
  gint64 *latencies;
} Bench;

static void start (Bench *bench);

typedef struct
{
  Bench *bench;
  gint64 started_at;
} Request;

static void
on_answer (GObject *object, GAsyncResult *result, gpointer user_data)
{
  Request *request = user_data;
  Bench *bench = request->bench;
  g_autoptr (HpRegistration) holder = NULL;
  GError *error = NULL;

  if (bench->kind == CLAIM)
    holder = hp_registry_claim_finish (bench->registry, result, &error);
  else if (bench->kind == LOOKUP)
    holder = hp_registry_lookup_finish (bench->registry, result, &error);
  else
    hp_registry_post_finish (bench->registry, result, &error);
  if (error != NULL)
    g_error ("%s", error->message);
  bench->latencies[bench->done++]
      = g_get_monotonic_time () - request->started_at;
  g_free (request);
  if (bench->started < bench->n_ids)
    start (bench);
}

/* The number in base 32, and all else the same */
static void
make_fingerprint (char fingerprint[53], guint number)
{
  static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";

  for (guint i = 0; i < 52; i++, number >>= 5)
    fingerprint[i] = digits[number & 31];
  fingerprint[52] = '\0';
}

static void
start (Bench *bench)
{
  static const guint8 bytes[MESSAGE_SIZE];
  g_autoptr (GBytes) message = g_bytes_new_static (bytes, sizeof bytes);
  Request *request = g_new0 (Request, 1);
  guint number = bench->started++;
  char fingerprint[53];
  char id[16];

  request->bench = bench;
  request->started_at = g_get_monotonic_time ();
  g_snprintf (id, sizeof id, "id-%09u", number);
  make_fingerprint (fingerprint, number);
  if (bench->kind == CLAIM)
    hp_registry_claim_async (bench->registry, id, fingerprint, LIFETIME, FALSE,
                             NULL, on_answer, request);
  else if (bench->kind == LOOKUP)
    hp_registry_lookup_async (bench->registry, id, NULL, on_answer, request);
  else
    hp_registry_post_async (bench->registry,
                            hp_registry_get_server_name (bench->registry),
                            message, NULL, on_answer, request);
}

static int
compare (const void *a, const void *b)
{
  gint64 left = *(const gint64 *) a;
  gint64 right = *(const gint64 *) b;

  return (left > right) - (left < right);
}

static void
run (Bench *bench, Kind kind, guint depth, const char *name)
{
  gint64 began_at = g_get_monotonic_time ();
  clock_t used = clock ();
  gint64 took;

  bench->kind = kind;
  bench->started = 0;
  bench->done = 0;
  for (guint i = 0; i < MIN (depth, bench->n_ids); i++)
    start (bench);
  while (bench->done < bench->n_ids)
    g_main_context_iteration (NULL, TRUE);
  took = g_get_monotonic_time () - began_at;
  used = clock () - used;
  qsort (bench->latencies, bench->n_ids, sizeof (gint64), compare);
  g_print ("%-9s %8.0f /s  %5.2f us  %7.2f ms  %7.2f ms\n", name,
           1e6 * bench->n_ids / took,
           1e6 * used / CLOCKS_PER_SEC / bench->n_ids,
           bench->latencies[bench->n_ids / 2] / 1e3,
           bench->latencies[(guint64) bench->n_ids * 99 / 100] / 1e3);
}

int
main (int argc, char *argv[])
{
  g_autoptr (HpRedisRegistry) registry = NULL;
  guint n_ids = argc > 2 ? atoi (argv[2]) : 100000;
  guint depth = argc > 3 ? atoi (argv[3]) : 100;
  Bench bench = { .n_ids = n_ids };

  if (argc < 2 || n_ids == 0 || depth == 0)
    {
      g_printerr ("bench-redis URI [IDS [DEPTH]]\n");
      return 2;
    }
  registry = hp_redis_registry_new (argv[1]);
  while (!hp_redis_registry_get_connected (registry))
    g_main_context_iteration (NULL, TRUE);
  bench.registry = HP_REGISTRY (registry);
  bench.latencies = g_new (gint64, n_ids);
  run (&bench, CLAIM, depth, "claims");
  run (&bench, CLAIM, depth, "refreshes");
  run (&bench, LOOKUP, depth, "lookups");
  run (&bench, POST, depth, "posts");
  g_free (bench.latencies);
  return 0;
}
