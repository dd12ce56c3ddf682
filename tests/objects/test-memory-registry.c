/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* HpMemoryRegistry, with an invented clock */

#include "hole-punch/hp-identity-private.h"
#include "hole-punch/hp-memory-registry-private.h"
#include "hole-punch/hp-punch-error.h"

#include "objects-test.h"

#include <malloc.h>
#include <string.h>

static gint64 now;

static gint64
get_now (void)
{
  return now;
}

typedef struct
{
  HpMemoryRegistry *registry;
  char keys[3][HP_FINGERPRINT_LENGTH + 1];
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  now = 1000;
  fixture->registry = hp_memory_registry_new ();
  hp_memory_registry_set_clock (fixture->registry, get_now);
  for (guint i = 0; i < G_N_ELEMENTS (fixture->keys); i++)
    {
      guint8 key[HP_KEY_SIZE] = { 0x80, i };

      hp_fingerprint_format (fixture->keys[i], key);
    }
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_assert_finalize_object (fixture->registry);
}

static void
forward (guint seconds)
{
  now += seconds * G_USEC_PER_SEC;
}

/* Who holds the id then: the number of a key, -1 for an error */
static int
finish_claim (Fixture *fixture, GAsyncResult *result, GError **error)
{
  g_autoptr (HpRegistration) holder = hp_registry_claim_finish (
      HP_REGISTRY (fixture->registry), result, error);

  for (guint i = 0; holder != NULL && i < G_N_ELEMENTS (fixture->keys); i++)
    if (strcmp (fixture->keys[i], hp_registration_get_fingerprint (holder))
        == 0)
      return i;
  g_assert_null (holder);
  return -1;
}

static int
claim_full (Fixture *fixture, const char *id, const char *fingerprint,
            gint64 lifetime, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  hp_registry_claim_async (HP_REGISTRY (fixture->registry), id, fingerprint,
                           lifetime, FALSE, NULL, objects_test_keep_result,
                           &result);
  await (result != NULL);
  return finish_claim (fixture, result, error);
}

static int
claim (Fixture *fixture, const char *id, guint key, gint64 lifetime)
{
  g_autoptr (GError) error = NULL;
  int holder
      = claim_full (fixture, id, fixture->keys[key], lifetime, &error);

  g_assert_no_error (error);
  return holder;
}

/* The number of a key, -1 for nobody */
static int
lookup (Fixture *fixture, const char *id)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (HpRegistration) holder = NULL;
  g_autoptr (GError) error = NULL;

  hp_registry_lookup_async (HP_REGISTRY (fixture->registry), id, NULL,
                            objects_test_keep_result, &result);
  await (result != NULL);
  holder = hp_registry_lookup_finish (HP_REGISTRY (fixture->registry), result,
                                      &error);
  g_assert_no_error (error);
  if (holder == NULL)
    return -1;
  g_assert_cmpstr (hp_registration_get_id (holder), ==, id);
  for (guint i = 0; i < G_N_ELEMENTS (fixture->keys); i++)
    if (strcmp (fixture->keys[i], hp_registration_get_fingerprint (holder))
        == 0)
      return i;
  g_assert_not_reached ();
}

static void
release (Fixture *fixture, const char *id, const char *fingerprint)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  hp_registry_release_async (HP_REGISTRY (fixture->registry), id, fingerprint,
                             NULL, objects_test_keep_result, &result);
  await (result != NULL);
  g_assert_true (hp_registry_release_finish (HP_REGISTRY (fixture->registry),
                                             result, &error));
  g_assert_no_error (error);
}

static void
test_claim (Fixture *fixture, gconstpointer data)
{
  g_assert_cmpint (lookup (fixture, "wq"), ==, -1);
  g_assert_cmpint (claim (fixture, "wq", 0, 100), ==, 0);
  g_assert_cmpint (lookup (fixture, "wq"), ==, 0);
  /* Another key does not get it, and changes nothing. */
  g_assert_cmpint (claim (fixture, "wq", 1, 1000), ==, 0);
  g_assert_cmpint (lookup (fixture, "wq"), ==, 0);
  g_assert_cmpint (lookup (fixture, "wq2"), ==, -1);
  g_assert_cmpint (claim (fixture, "wq2", 0, 100), ==, 0);
  g_assert_cmpuint (hp_memory_registry_get_size (fixture->registry), ==, 2);
}

static void
test_expiry (Fixture *fixture, gconstpointer data)
{
  g_assert_cmpint (claim (fixture, "wq", 0, 100), ==, 0);
  forward (99);
  g_assert_cmpint (lookup (fixture, "wq"), ==, 0);
  g_assert_cmpint (claim (fixture, "wq", 1, 1000), ==, 0);
  forward (1);
  g_assert_cmpuint (hp_memory_registry_get_size (fixture->registry), ==, 0);
  g_assert_cmpint (lookup (fixture, "wq"), ==, -1);
  g_assert_cmpint (claim (fixture, "wq", 1, 100), ==, 1);
}

static void
test_refresh (Fixture *fixture, gconstpointer data)
{
  g_assert_cmpint (claim (fixture, "wq", 0, 100), ==, 0);
  g_assert_cmpint (claim (fixture, "other", 1, 150), ==, 1);
  forward (60);
  g_assert_cmpint (claim (fixture, "wq", 0, 100), ==, 0);
  forward (60);
  g_assert_cmpint (lookup (fixture, "wq"), ==, 0);
  g_assert_cmpint (lookup (fixture, "other"), ==, 1);
  forward (30);
  g_assert_cmpint (lookup (fixture, "other"), ==, -1);
  g_assert_cmpint (lookup (fixture, "wq"), ==, 0);
  forward (10);
  g_assert_cmpint (lookup (fixture, "wq"), ==, -1);
}

static void
test_release (Fixture *fixture, gconstpointer data)
{
  g_assert_cmpint (claim (fixture, "wq", 0, 100), ==, 0);
  release (fixture, "wq", fixture->keys[1]);
  release (fixture, "wq", "not a fingerprint");
  release (fixture, "nobody's", fixture->keys[0]);
  g_assert_cmpint (lookup (fixture, "wq"), ==, 0);
  release (fixture, "wq", fixture->keys[0]);
  g_assert_cmpint (lookup (fixture, "wq"), ==, -1);
  g_assert_cmpint (claim (fixture, "wq", 1, 100), ==, 1);
}

static void
test_max_size (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  hp_memory_registry_set_max_size (fixture->registry, 2);
  g_assert_cmpint (claim (fixture, "a", 0, 100), ==, 0);
  g_assert_cmpint (claim (fixture, "b", 0, 200), ==, 0);
  g_assert_cmpint (
      claim_full (fixture, "c", fixture->keys[1], 100, &error), ==, -1);
  g_assert_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_RATE_LIMITED);
  g_clear_error (&error);
  /* Those that are there can stay, and be asked for. */
  g_assert_cmpint (claim (fixture, "a", 0, 100), ==, 0);
  g_assert_cmpint (claim (fixture, "b", 1, 100), ==, 0);
  forward (100);
  g_assert_cmpint (claim (fixture, "c", 1, 100), ==, 1);
  g_assert_cmpint (lookup (fixture, "b"), ==, 0);

  hp_memory_registry_set_max_size (fixture->registry, 1);
  g_assert_cmpuint (hp_memory_registry_get_size (fixture->registry), ==, 2);
  g_assert_cmpint (
      claim_full (fixture, "d", fixture->keys[1], 100, &error), ==, -1);
  g_assert_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_RATE_LIMITED);
}

static void
test_invalid (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (claim_full (fixture, "wq", "nonsense", 100, &error), ==,
                   -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_assert_cmpint (lookup (fixture, "wq"), ==, -1);
}

static void
test_for_ever (Fixture *fixture, gconstpointer data)
{
  now = G_MAXINT64 / 4;
  g_assert_cmpint (claim (fixture, "wq", 0, G_MAXINT64), ==, 0);
  forward (365 * 24 * 60 * 60 / 12);
  g_assert_cmpint (claim (fixture, "wq", 1, 1), ==, 0);
}

static void
test_notify (Fixture *fixture, gconstpointer data)
{
  guint n_size = 0;
  guint n_max_size = 0;
  guint size = 0;
  guint max_size = 0;

  objects_test_count_notify (fixture->registry, "size", &n_size);
  objects_test_count_notify (fixture->registry, "max-size", &n_max_size);
  claim (fixture, "wq", 0, 100);
  g_assert_cmpuint (n_size, ==, 1);
  claim (fixture, "wq", 0, 100);
  claim (fixture, "wq", 1, 100);
  lookup (fixture, "wq");
  g_assert_cmpuint (n_size, ==, 1);
  claim (fixture, "other", 0, 50);
  g_assert_cmpuint (n_size, ==, 2);
  forward (50);
  lookup (fixture, "nobody");
  g_assert_cmpuint (n_size, ==, 3);
  release (fixture, "wq", fixture->keys[0]);
  g_assert_cmpuint (n_size, ==, 4);

  g_object_set (fixture->registry, "max-size", 7, NULL);
  g_object_set (fixture->registry, "max-size", 7, NULL);
  g_assert_cmpuint (n_max_size, ==, 1);
  g_assert_cmpuint (hp_memory_registry_get_max_size (fixture->registry), ==,
                    7);
  claim (fixture, "wq", 0, 100);
  g_object_get (fixture->registry, "size", &size, "max-size", &max_size, NULL);
  g_assert_cmpuint (size, ==, 1);
  g_assert_cmpuint (max_size, ==, 7);
}

/* Against a model that is too simple to be wrong */
#define MODEL_IDS 40

typedef struct
{
  int holder;
  gint64 expires_at;
} ModelEntry;

static guint
count_model (const ModelEntry *model)
{
  guint n = 0;

  for (guint i = 0; i < MODEL_IDS; i++)
    n += model[i].expires_at > now;
  return n;
}

static void
test_model (Fixture *fixture, gconstpointer data)
{
  ModelEntry model[MODEL_IDS] = { { 0, 0 } };

  for (guint step = 0; step < 20000; step++)
    {
      guint number = g_test_rand_int_range (0, MODEL_IDS);
      int key = g_test_rand_int_range (0, 3);
      gint64 lifetime = g_test_rand_int_range (1, 60);
      ModelEntry *entry = model + number;
      gboolean is_free = entry->expires_at <= now;
      g_autofree char *id = g_strdup_printf ("id %u", number);

      switch (g_test_rand_int_range (0, 4))
        {
        case 0:
          if (is_free || entry->holder == key)
            *entry = (ModelEntry){ key, now + lifetime * G_USEC_PER_SEC };
          g_assert_cmpint (claim (fixture, id, key, lifetime), ==,
                           entry->holder);
          break;
        case 1:
          g_assert_cmpint (lookup (fixture, id), ==,
                           is_free ? -1 : entry->holder);
          break;
        case 2:
          if (entry->holder == key)
            entry->expires_at = 0;
          release (fixture, id, fixture->keys[key]);
          break;
        default:
          forward (g_test_rand_int_range (0, 3));
        }
      g_assert_cmpuint (hp_memory_registry_get_size (fixture->registry), ==,
                        count_model (model));
    }
}

/* Many at once: must not take longer for each than few do */
static void
test_many (Fixture *fixture, gconstpointer data)
{
  const guint n = 100000;
  guint n_done = 0;

  for (guint i = 0; i < n; i++)
    {
      char id[16];

      g_snprintf (id, sizeof id, "%u", i * 2654435761u);
      hp_registry_claim_async (HP_REGISTRY (fixture->registry), id,
                               fixture->keys[0], 1 + i % 1000, FALSE, NULL,
                               NULL, NULL);
    }
  g_assert_cmpuint (hp_memory_registry_get_size (fixture->registry), ==, n);
  for (guint i = 1; i <= 1000; i++)
    {
      forward (1);
      n_done += n / 1000;
      g_assert_cmpuint (hp_memory_registry_get_size (fixture->registry), ==,
                        n - n_done);
    }
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
test_at_once (Fixture *fixture, gconstpointer data)
{
  const guint8 keys[2][HP_KEY_SIZE] = { { 0x80, 0 }, { 0x80, 1 } };
  guint8 holder[HP_KEY_SIZE];

  g_assert_false (
      hp_memory_registry_lookup_now (fixture->registry, "wq", holder));
  g_assert_cmpuint (hp_memory_registry_claim_now (fixture->registry, "wq",
                                                  keys[1], 100, FALSE, holder),
                    ==, 0);
  g_assert_cmpmem (holder, HP_KEY_SIZE, keys[1], HP_KEY_SIZE);
  /* It is the same as what a request does. */
  g_assert_cmpint (lookup (fixture, "wq"), ==, 1);
  g_assert_cmpint (claim (fixture, "other", 0, 100), ==, 0);
  g_assert_cmpuint (hp_memory_registry_claim_now (fixture->registry, "other",
                                                  keys[1], 100, FALSE, holder),
                    ==, 0);
  g_assert_cmpmem (holder, HP_KEY_SIZE, keys[0], HP_KEY_SIZE);
  hp_memory_registry_release_now (fixture->registry, "wq", keys[0]);
  g_assert_true (
      hp_memory_registry_lookup_now (fixture->registry, "wq", holder));
  hp_memory_registry_release_now (fixture->registry, "wq", keys[1]);
  g_assert_cmpint (lookup (fixture, "wq"), ==, -1);
  hp_memory_registry_set_max_size (fixture->registry, 1);
  g_assert_cmpuint (hp_memory_registry_claim_now (fixture->registry, "third",
                                                  keys[0], 100, FALSE, holder),
                    ==, HP_REFUSED_RATE_LIMITED);
  forward (100);
  g_assert_false (
      hp_memory_registry_lookup_now (fixture->registry, "other", holder));
}

static void
lookup_nobody (Fixture *fixture)
{
  guint8 holder[HP_KEY_SIZE];

  g_assert_false (
      hp_memory_registry_lookup_now (fixture->registry, "nobody", holder));
}

static gsize
get_memory (void)
{
  struct mallinfo2 info = mallinfo2 ();

  return info.uordblks + info.hblkhd;
}

static void
claim_many (Fixture *fixture, int width, guint n)
{
  guint8 key[HP_KEY_SIZE] = { 0 };

  for (guint i = 0; i < n; i++)
    {
      char id[65];

      g_snprintf (id, sizeof id, "%0*u", width, i);
      memcpy (key, &i, sizeof i);
      g_assert_cmpuint (hp_memory_registry_claim_now (fixture->registry, id,
                                                      key, 1 + i % 3, TRUE,
                                                      key),
                        ==, 0);
    }
}

/* What an id takes at most, and that it is given back, and that ids of another
 * length use it */
static void
test_memory (Fixture *fixture, gconstpointer data)
{
  const guint n = 200000;
  gsize before = get_memory ();

  if (before == 0)
    {
      g_test_skip ("Needs malloc() of the GNU C library");
      return;
    }
  for (guint round = 0; round < 3; round++)
    {
      claim_many (fixture, round == 1 ? 64 : 12, n);
      g_assert_cmpuint (hp_memory_registry_get_size (fixture->registry), ==,
                        n);
      g_assert_cmpuint (get_memory () - before, <,
                        n * (round == 1 ? 150 : 110));
      forward (3);
      /* By and by */
      for (guint i = 0; i < n / 10; i++)
        lookup_nobody (fixture);
      g_assert_cmpuint (hp_memory_registry_get_size (fixture->registry), ==,
                        0);
      g_assert_cmpuint (get_memory () - before, <, 500000);
    }
}

/* Many that are over at once are gone at once, for whoever asks for them,
 * though some of them may still take room. */
static void
test_over_at_once (Fixture *fixture, gconstpointer data)
{
  const guint n = 30000;
  guint8 key[HP_KEY_SIZE] = { 0 };

  hp_memory_registry_set_max_size (fixture->registry, n);
  claim_many (fixture, 1, n);
  forward (3);
  for (guint i = n - 1; i > n - 100; i--)
    {
      char id[16];

      g_snprintf (id, sizeof id, "%u", i);
      g_assert_false (
          hp_memory_registry_lookup_now (fixture->registry, id, key));
    }
  g_assert_cmpuint (hp_memory_registry_claim_now (fixture->registry, "new",
                                                  key, 1000, TRUE, key),
                    ==, 0);
  for (guint i = 0; i < 3; i++)
    hp_memory_registry_get_size (fixture->registry);
  g_assert_cmpuint (hp_memory_registry_get_size (fixture->registry), ==, 1);
}

/* The clock it has by itself goes on. */
static void
test_own_clock (void)
{
  Fixture fixture = { .registry = hp_memory_registry_new () };
  guint8 key[HP_KEY_SIZE] = { 1 };

  hp_fingerprint_format (fixture.keys[0], key);
  g_assert_cmpint (claim (&fixture, "wq", 0, 1), ==, 0);
  g_assert_cmpuint (hp_memory_registry_get_size (fixture.registry), ==, 1);
  objects_test_settle (1050);
  g_assert_cmpuint (hp_memory_registry_get_size (fixture.registry), ==, 0);
  g_assert_finalize_object (fixture.registry);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, func)                                                       \
  g_test_add ("/memory-registry/" name, Fixture, NULL, set_up, func,          \
              tear_down)

  ADD ("claim", test_claim);
  ADD ("expiry", test_expiry);
  ADD ("refresh", test_refresh);
  ADD ("release", test_release);
  ADD ("max-size", test_max_size);
  ADD ("invalid", test_invalid);
  ADD ("for-ever", test_for_ever);
  ADD ("notify", test_notify);
  ADD ("model", test_model);
  ADD ("many", test_many);
  ADD ("at-once", test_at_once);
  ADD ("memory", test_memory);
  ADD ("over-at-once", test_over_at_once);
  g_test_add_func ("/memory-registry/own-clock", test_own_clock);
  return g_test_run ();
}
