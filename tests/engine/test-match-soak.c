/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a match service needs for each peer, and that it stays so: hours of
 * people who come, register, move, ask for each other, are replaced and go, in
 * seconds. `meson test --benchmark match-soak` does the same with millions.
 */

#include "match-crowd.h"

#include <malloc.h>
#include <string.h>

/* Allocations by anyone in this process */

static guint64 n_allocations;

#if defined(__SANITIZE_ADDRESS__)
#define CAN_COUNT 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CAN_COUNT 0
#endif
#endif
#ifndef CAN_COUNT
#define CAN_COUNT 1

extern void *__libc_malloc (size_t size);
extern void *__libc_calloc (size_t n, size_t size);
extern void *__libc_realloc (void *memory, size_t size);
extern void *__libc_memalign (size_t alignment, size_t size);
void *malloc (size_t size);
void *calloc (size_t n, size_t size);
void *realloc (void *memory, size_t size);
void *memalign (size_t alignment, size_t size);
void *aligned_alloc (size_t alignment, size_t size);
int posix_memalign (void **memory, size_t alignment, size_t size);

void *
malloc (size_t size)
{
  n_allocations++;
  return __libc_malloc (size);
}

void *
calloc (size_t n, size_t size)
{
  n_allocations++;
  return __libc_calloc (n, size);
}

void *
realloc (void *memory, size_t size)
{
  n_allocations++;
  return __libc_realloc (memory, size);
}

void *
memalign (size_t alignment, size_t size)
{
  n_allocations++;
  return __libc_memalign (alignment, size);
}

void *
aligned_alloc (size_t alignment, size_t size)
{
  return memalign (alignment, size);
}

int
posix_memalign (void **memory, size_t alignment, size_t size)
{
  *memory = memalign (alignment, size);
  return *memory != NULL ? 0 : 12;
}
#endif

/* The heap's bytes, with what malloc() itself adds */
static gsize
measure_heap (void)
{
  struct mallinfo2 info = mallinfo2 ();

  return info.uordblks + info.hblkhd;
}

/* The slots come from the system: those that have been used at all */
static gsize
get_slot_bytes (const HpMatchSlots *slots)
{
  gsize n = slots->chunks->len * HP_MATCH_CHUNK_SLOTS - slots->n_fresh;

  return n * slots->slot_bytes;
}

static void
make_id (char *id, guint number)
{
  g_snprintf (id, HP_ID_MAX_SIZE + 1, "peer-%07u.example", number);
}

/* Memory */

static gsize
get_table_bytes (const HpMatchService *service)
{
  return hp_slot_table_get_bytes (&service->sessions.by_identity)
         + hp_slot_table_get_bytes (&service->sessions.by_initiation)
         + hp_slot_table_get_bytes (&service->presences.by_id)
         + hp_match_networks_get_bytes (&service->networks);
}

static void
report_parts (const Crowd *crowd)
{
  gdouble n = crowd->n_people;
  gsize secure = hp_session_get_bytes (HP_REPLAY_WINDOW_SERVER);

  g_test_message ("session %" G_GSIZE_FORMAT ", its keys and window %"
                  G_GSIZE_FORMAT ", tables %.1f, id of %zu bytes and what "
                  "belongs to it %zu",
                  sizeof (HpMatchSession), secure,
                  get_table_bytes (crowd->service) / n,
                  strlen (crowd->people[0].id),
                  malloc_usable_size (
                      hp_match_presences_oldest (&crowd->service->presences))
                      + 8);
}

static void
measure_memory (guint n_people, gsize most)
{
  gsize empty = measure_heap () + n_people * sizeof (Person);
  gdouble fixed, bytes;
  Crowd crowd;

  crowd_set_up (&crowd, n_people, HP_SUITE_CHACHA_POLY);
  fixed = measure_heap () - empty;
  for (guint i = 0; i < n_people; i++)
    {
      Person *person = crowd.people + i;
      char id[HP_ID_MAX_SIZE + 1];

      crowd_connect (&crowd, person);
      make_id (id, i);
      crowd_register (&crowd, person, id, 0);
      g_clear_pointer (&person->session, hp_session_free);
    }
  g_assert_cmpuint (crowd.registered, ==, n_people);
  g_assert_cmpuint (hp_match_presences_count (&crowd.service->presences), ==,
                    n_people);
  bytes = (measure_heap () - empty - fixed
           + get_slot_bytes (&crowd.service->sessions.slots))
          / n_people;
  g_test_message ("%u registered: %.1f bytes each, and %.1f of what is there "
                  "without them",
                  n_people, bytes, fixed / n_people);
  report_parts (&crowd);
  g_assert_cmpfloat (bytes, <=, most);
  crowd_tear_down (&crowd);
}

static void
test_memory (void)
{
  if (!CAN_COUNT)
    {
      g_test_skip ("The sanitizer has its own malloc()");
      return;
    }
  measure_memory (10000, 380);
}

static void
test_memory_of_many (void)
{
  measure_memory (100000, 380);
  measure_memory (1000000, 380);
}

/* The keepalive's way, there and back */

static void
test_allocations (gconstpointer data)
{
  HpSuite suite = GPOINTER_TO_UINT (data);
  guint64 allocated = 0;
  Crowd crowd;

  if (!CAN_COUNT)
    {
      g_test_skip ("The sanitizer has its own malloc()");
      return;
    }
  crowd_set_up (&crowd, 200, suite);
  for (guint i = 0; i < crowd.n_people; i++)
    crowd_connect (&crowd, crowd.people + i);
  for (guint round = 0; round < 12; round++)
    {
      /* Warm at first: buffers that are kept are made. */
      if (round == 2)
        allocated = n_allocations;
      for (guint i = 0; i < crowd.n_people; i++)
        crowd_ping (&crowd, crowd.people + i);
      crowd_advance (&crowd, 15 * SECOND);
    }
  allocated = n_allocations - allocated;
  g_assert_cmpuint (crowd.observed, ==, 13 * crowd.n_people);
  g_assert_cmpuint (allocated, ==, 0);
  /* That it counts at all */
  g_free (g_malloc (1));
  g_assert_cmpuint (n_allocations, >, allocated);
  /* From elsewhere, challenged, and there */
  for (guint round = 0; round < 2; round++)
    {
      allocated = n_allocations;
      for (guint i = 0; i < crowd.n_people; i++)
        crowd_roam (&crowd, crowd.people + i);
    }
  g_assert_cmpuint (crowd.moved, >=, 2 * crowd.n_people);
  g_assert_cmpuint (n_allocations - allocated, ==, 0);
  crowd_tear_down (&crowd);
}

/* Indexes */

/* Whoever takes a slot over gets another index; the one before is nobody's. */
static void
test_indexes (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  Crowd crowd;

  crowd_set_up (&crowd, 1, HP_SUITE_CHACHA_POLY);
  for (guint i = 0; i < 40; i++)
    {
      HpMatchSessions *sessions = &crowd.service->sessions;
      guint32 index;

      crowd_connect (&crowd, crowd.people);
      index = hp_session_get_remote_index (crowd.people->session);
      g_assert_true (g_hash_table_add (seen, GUINT_TO_POINTER (index)));
      g_assert_nonnull (hp_match_sessions_find (sessions, index));
      g_assert_null (hp_match_sessions_find (sessions, index ^ 0xff));
      g_assert_null (hp_match_sessions_find (sessions, index ^ 0x100));
      crowd_leave (&crowd, crowd.people);
      g_assert_null (hp_match_sessions_find (sessions, index));
      g_assert_null (hp_match_sessions_find (sessions, index ^ 0xff));
      g_assert_cmpuint (hp_match_sessions_count (sessions), ==, 0);
    }
  crowd_tear_down (&crowd);
}

/* The soak */

/* Everybody does something every 20 seconds on average. */
#define PACE (20 * SECOND)

static void
act (Crowd *crowd, Person *person)
{
  const Person *other
      = crowd->people
        + g_rand_int_range (crowd->chance, 0, crowd->n_people);
  guint what = g_rand_int_range (crowd->chance, 0, 100);
  char id[HP_ID_MAX_SIZE + 1];

  make_id (id, person->number + (what % 5 == 0 ? crowd->n_people : 0));
  if (person->session == NULL && what < 2)
    crowd_shake_hands (crowd, person);
  else if (person->session == NULL)
    crowd_connect (crowd, person);
  else if (what < 40)
    crowd_ping (crowd, person);
  else if (what < 65)
    crowd_register (crowd, person, id,
                    what % 4 == 0 ? HP_REGISTER_OPEN : HP_REGISTER_EPHEMERAL);
  else if (what < 75)
    crowd_roam (crowd, person);
  else if (what < 85)
    crowd_ask (crowd, person, other->id[0] != '\0' ? other->id : id);
  else if (what < 88 && person->id[0] != '\0')
    crowd_unregister (crowd, person);
  else if (what < 92)
    crowd_connect (crowd, person); /* and so replaces itself */
  else if (what < 95)
    crowd_leave (crowd, person);
  else
    crowd_forget (person); /* without a word */
}

static void
assert_empty (Crowd *crowd)
{
  const HpMatchService *service = crowd->service;

  g_assert_cmpint (hp_match_service_get_deadline (service), ==, G_MAXINT64);
  g_assert_cmpuint (hp_match_sessions_count (&service->sessions), ==, 0);
  g_assert_cmpuint (hp_match_presences_count (&service->presences), ==, 0);
  g_assert_cmpuint (hp_match_networks_count (&service->networks), ==, 0);
  g_assert_cmpuint (hp_match_asks_count (&service->asks), ==, 0);
  g_assert_cmpuint (get_table_bytes (service), ==, 0);
  g_assert_cmpuint (service->events.length, ==, 0);
  g_assert_cmpuint (service->challenges.length, ==, 0);
}

static void
report (const Crowd *crowd, gint64 started_at)
{
  HpServiceStatistics statistics;

  hp_match_service_get_statistics (crowd->service, &statistics);
  g_test_message ("%.1f hours: %" G_GUINT64_FORMAT " registrations, %"
                  G_GUINT64_FORMAT " keepalives, %" G_GUINT64_FORMAT
                  " moves, %" G_GUINT64_FORMAT " asks, %" G_GUINT64_FORMAT
                  " introductions, %" G_GUINT64_FORMAT " replaced, %"
                  G_GUINT64_FORMAT " handshakes",
                  (crowd->now - started_at) / (3600.0 * SECOND),
                  statistics.registers, statistics.keepalives, crowd->moved,
                  statistics.asks, statistics.introductions, crowd->replaced,
                  statistics.handshakes);
  g_assert_cmpuint (statistics.registers, >, 0);
  g_assert_cmpuint (statistics.introductions, >, 0);
  g_assert_cmpuint (statistics.handshakes, >, 0);
  g_assert_cmpuint (statistics.unclaimed_refreshes, >, 0);
  g_assert_cmpuint (statistics.dropped_malformed, ==, 0);
  g_assert_cmpuint (crowd->moved, >, 0);
}

/* The first third warms up; then no tenth of the time may need more than those
 * before, but for a few percent of chance. */
static void
soak (guint n_people, guint64 n_actions)
{
  gsize most = 0;
  gsize most_before = 0;
  Crowd crowd;
  gint64 started_at;

  crowd_set_up (&crowd, n_people, HP_SUITE_CHACHA_POLY);
  crowd.failure_percent = 5;
  crowd.silence_percent = 1;
  started_at = crowd.now;
  for (guint64 i = 0; i < n_actions; i++)
    {
      act (&crowd, crowd.people
                       + g_rand_int_range (crowd.chance, 0, n_people));
      crowd_advance (&crowd, PACE / n_people);
      if (i % 100 != 0)
        continue;
      most = MAX (most, measure_heap ());
      if (i < n_actions / 3)
        most_before = most;
    }
  report (&crowd, started_at);
  g_test_message ("heap: at most %" G_GSIZE_FORMAT " bytes, %" G_GSIZE_FORMAT
                  " in the first third",
                  most, most_before);
  if (CAN_COUNT)
    g_assert_cmpfloat (most, <=, most_before * 1.03);
  for (guint i = 0; i < n_people; i++)
    crowd_forget (crowd.people + i);
  crowd_advance (&crowd, 300 * SECOND);
  assert_empty (&crowd);
  crowd_tear_down (&crowd);
}

static void
test_soak (void)
{
  soak (800, 60000);
}

static void
test_long_soak (void)
{
  soak (5000, 10000000);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  if (g_test_perf ())
    {
      g_test_add_func ("/match-soak/memory-of-many", test_memory_of_many);
      g_test_add_func ("/match-soak/long", test_long_soak);
      return g_test_run ();
    }
  g_test_add_func ("/match-soak/memory", test_memory);
  g_test_add_data_func ("/match-soak/allocations/chacha-poly",
                        GUINT_TO_POINTER (HP_SUITE_CHACHA_POLY),
                        test_allocations);
  g_test_add_data_func ("/match-soak/allocations/aes-gcm",
                        GUINT_TO_POINTER (HP_SUITE_AES_GCM),
                        test_allocations);
  g_test_add_func ("/match-soak/indexes", test_indexes);
  g_test_add_func ("/match-soak/hours", test_soak);
  return g_test_run ();
}
