/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* HpRedisRegistry, with a real Redis that works: who owns what and is where,
 * and what is in Redis then */

#include "hole-punch/hp-redis-uri-private.h"
#include "redis-test.h"

#include <string.h>

typedef struct
{
  TestRedis *redis; /* NULL: skipped */
  HpRedisRegistry *north;
  HpRedisRegistry *south;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->redis = test_redis_new (NULL);
  if (fixture->redis == NULL)
    return;
  fixture->north = test_redis_registry (fixture->redis, "north");
  fixture->south = test_redis_registry (fixture->redis, "south");
  await (hp_redis_registry_get_connected (fixture->north)
         && hp_redis_registry_get_connected (fixture->south));
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  if (fixture->redis == NULL)
    return;
  g_assert_finalize_object (fixture->north);
  g_assert_finalize_object (fixture->south);
  test_redis_free (fixture->redis);
}

/* Ownership and presence */

static void
test_claims (Fixture *fixture, gconstpointer data)
{
  HpRedisRegistry *north = fixture->north;
  HpRedisRegistry *south = fixture->south;

  if (fixture->redis == NULL)
    return;
  g_assert_cmpstr (test_lookup (north, "wq"), ==, "nobody");
  g_assert_cmpstr (test_claim (north, "wq", 1, 100, FALSE), ==, "1@north");
  g_assert_cmpstr (test_claim (north, "wq", 1, 100, FALSE), ==, "1@north");
  g_assert_cmpstr (test_claim (north, "wq", 2, 100, FALSE), ==, "1@north");
  g_assert_cmpstr (test_claim (south, "wq", 2, 100, FALSE), ==, "1@north");
  g_assert_cmpstr (test_lookup (south, "wq"), ==, "1@north");
  g_assert_cmpstr (test_lookup (south, "w"), ==, "nobody");
  /* It moves. */
  g_assert_cmpstr (test_claim (south, "wq", 1, 100, FALSE), ==, "1@south");
  g_assert_cmpstr (test_lookup (north, "wq"), ==, "1@south");

  g_assert_cmpstr (test_release (north, "wq", 2), ==, "done");
  g_assert_cmpstr (test_lookup (north, "wq"), ==, "1@south");
  g_assert_cmpstr (test_release (south, "wq", 1), ==, "done");
  g_assert_cmpstr (test_lookup (north, "wq"), ==, "nobody");
  g_assert_cmpstr (test_release (north, "wq", 1), ==, "done");
  g_assert_cmpstr (test_claim (north, "wq", 2, 100, FALSE), ==, "2@north");
}

/* What one server releases of a peer that has gone to another one, because it
 * has not heard of it for long, stays with that other one. */
static void
test_moved (Fixture *fixture, gconstpointer data)
{
  HpRedisRegistry *north = fixture->north;
  HpRedisRegistry *south = fixture->south;

  if (fixture->redis == NULL)
    return;
  g_assert_cmpstr (test_claim (north, "wq", 1, 100, TRUE), ==, "1@north");
  g_assert_cmpstr (test_claim (south, "wq", 1, 100, TRUE), ==, "1@south");
  g_assert_cmpstr (test_release (north, "wq", 1), ==, "done");
  g_assert_cmpstr (test_lookup (north, "wq"), ==, "1@south");
  g_assert_cmpstr (test_lookup_key (north, 1), ==, "1@south");
  g_assert_cmpstr (test_claim (north, "wq", 2, 100, TRUE), ==, "1@south");
  /* Whose claim is lost is not told to be here. */
  g_assert_cmpstr (test_lookup_key (north, 2), ==, "nobody");
  g_assert_cmpstr (test_release (south, "wq", 1), ==, "done");
  g_assert_cmpstr (test_lookup (north, "wq"), ==, "nobody");
}

#define RACERS 300

typedef struct
{
  Fixture *fixture;
  guint8 number;
  char *holders[RACERS];
} Racer;

/* From a thread and a registry of its own */
static gpointer
race (gpointer data)
{
  Racer *racer = data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  HpRedisRegistry *registry;
  TestFingerprint key;

  test_fingerprint (key, racer->number);
  g_main_context_push_thread_default (context);
  registry = test_redis_registry (racer->fixture->redis, NULL);
  while (!hp_redis_registry_get_connected (registry))
    g_main_context_iteration (context, TRUE);
  for (guint i = 0; i < RACERS; i++)
    {
      g_autofree char *id = g_strdup_printf ("id-%u", i);
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (HpRegistration) holder = NULL;

      hp_registry_claim_async (HP_REGISTRY (registry), id, key, 100,
                               i % 3 == 0, NULL, objects_test_keep_result,
                               &result);
      while (result == NULL)
        g_main_context_iteration (context, TRUE);
      holder = hp_registry_claim_finish (HP_REGISTRY (registry), result, NULL);
      racer->holders[i]
          = g_strdup (hp_registration_get_fingerprint (holder));
    }
  g_assert_finalize_object (registry);
  g_main_context_pop_thread_default (context);
  return NULL;
}

static void
test_race (Fixture *fixture, gconstpointer data)
{
  Racer racers[2] = { { fixture, 0, { NULL } }, { fixture, 1, { NULL } } };
  GThread *threads[2];
  TestFingerprint key;
  guint won = 0;

  if (fixture->redis == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (racers); i++)
    threads[i] = g_thread_new ("racer", race, &racers[i]);
  for (guint i = 0; i < G_N_ELEMENTS (racers); i++)
    g_thread_join (threads[i]);
  test_fingerprint (key, 0);
  for (guint i = 0; i < RACERS; i++)
    {
      g_assert_cmpstr (racers[0].holders[i], ==, racers[1].holders[i]);
      won += g_str_equal (racers[0].holders[i], key);
      g_free (racers[0].holders[i]);
      g_free (racers[1].holders[i]);
    }
  g_test_message ("%u to %u", won, RACERS - won);
}

static void
test_ephemeral (Fixture *fixture, gconstpointer data)
{
  if (fixture->redis == NULL)
    return;
  g_assert_cmpstr (test_claim (fixture->north, "wq", 1, 1, TRUE), ==,
                   "1@north");
  g_assert_cmpstr (test_claim (fixture->south, "wq", 2, 9, TRUE), ==,
                   "1@north");
  g_assert_cmpstr (test_claim (fixture->south, "wq", 2, 9, FALSE), ==,
                   "1@north");
  objects_test_settle (1100);
  g_assert_cmpstr (test_lookup (fixture->north, "wq"), ==, "nobody");
  g_assert_cmpstr (test_claim (fixture->south, "wq", 2, 9, TRUE), ==,
                   "2@south");
}

static void
test_presence (Fixture *fixture, gconstpointer data)
{
  if (fixture->redis == NULL)
    return;
  hp_redis_registry_set_presence_lifetime (fixture->north, 1);
  g_assert_cmpstr (test_claim (fixture->north, "wq", 1, 100, FALSE), ==,
                   "1@north");
  g_assert_cmpstr (test_lookup (fixture->south, "wq"), ==, "1@north");
  g_assert_cmpstr (test_lookup_key (fixture->south, 1), ==, "1@north");
  objects_test_settle (600);
  g_assert_cmpstr (test_claim (fixture->north, "wq", 1, 100, FALSE), ==,
                   "1@north");
  objects_test_settle (600);
  g_assert_cmpstr (test_lookup (fixture->south, "wq"), ==, "1@north");
  g_assert_cmpstr (test_lookup_key (fixture->south, 1), ==, "1@north");
  objects_test_settle (500);
  /* Its owner still, who is not there */
  g_assert_cmpstr (test_lookup (fixture->south, "wq"), ==, "1@");
  g_assert_cmpstr (test_lookup_key (fixture->south, 1), ==, "nobody");
  g_assert_cmpstr (test_claim (fixture->south, "wq", 2, 100, FALSE), ==, "1@");
  g_assert_cmpstr (test_claim (fixture->south, "wq", 1, 100, FALSE), ==,
                   "1@south");
  g_assert_cmpstr (test_lookup_key (fixture->north, 1), ==, "1@south");
}

static void
test_strange_ids (Fixture *fixture, gconstpointer data)
{
  static const char *const ids[]
      = { "{a}b", "{a}c", "%7Ba}b", "a b", "a\nb", "Ünï", "*", "" };
  g_autofree char *count = NULL;

  if (fixture->redis == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    {
      g_autofree char *holder = g_strdup_printf ("%u@north", i);

      g_assert_cmpstr (test_claim (fixture->north, ids[i], i, 9, FALSE), ==,
                       holder);
    }
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    {
      g_autofree char *holder = g_strdup_printf ("%u@north", i);

      g_assert_cmpstr (test_lookup (fixture->south, ids[i]), ==, holder);
    }
  /* No hash tag, by which they would all be in one slot of a cluster */
  count = test_redis_ask (fixture->redis, "EXISTS hole-punch:id:%7Ba%7Db "
                                          "hole-punch:id:%257Ba%7Db");
  g_assert_cmpstr (count, ==, "2");
}

static void
test_malformed (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  if (fixture->redis == NULL)
    return;
  hp_registry_claim_async (HP_REGISTRY (fixture->north), "wq", "no key", 9,
                           FALSE, NULL, objects_test_keep_result, &result);
  await (result != NULL);
  g_assert_null (hp_registry_claim_finish (HP_REGISTRY (fixture->north),
                                           result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  test_redis_tell (fixture->redis, "SET hole-punch:id:x something");
  g_assert_cmpstr (test_lookup (fixture->north, "x"), ==, "invalid-data");
  g_assert_cmpstr (test_claim (fixture->north, "x", 1, 9, FALSE), ==,
                   "invalid-data");
  test_redis_tell (fixture->redis, "LPUSH hole-punch:id:y 1");
  g_assert_cmpstr (test_lookup (fixture->north, "y"), ==, "failed");
}

/* Messages */

static void
keep_message (HpRegistry *registry, GBytes *message, gpointer user_data)
{
  g_ptr_array_add (user_data, g_bytes_ref (message));
}

static void
test_posts (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) messages
      = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_autofree char *large = g_strnfill (1400, 'x');
  g_autoptr (GBytes) binary = g_bytes_new ("\0\r\n\xff\0", 5);
  g_autoptr (GAsyncResult) result = NULL;
  static const gsize lengths[] = { 5, 0, 1400, 5 };

  if (fixture->redis == NULL)
    return;
  g_assert_cmpstr (hp_registry_get_server_name (HP_REGISTRY (fixture->south)),
                   ==, "south");
  g_signal_connect (fixture->south, "message-received",
                    G_CALLBACK (keep_message), messages);
  g_assert_cmpstr (test_post (fixture->north, "south", "hello"), ==, "done");
  g_assert_cmpstr (test_post (fixture->north, "south", ""), ==, "done");
  g_assert_cmpstr (test_post (fixture->north, "south", large), ==, "done");
  g_assert_cmpstr (test_post (fixture->north, "north", "me"), ==, "done");
  g_assert_cmpstr (test_post (fixture->north, "west", "?"), ==, "not-found");
  hp_registry_post_async (HP_REGISTRY (fixture->south), "south", binary, NULL,
                          objects_test_keep_result, &result);
  await (messages->len == 4 && result != NULL);
  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    g_assert_cmpuint (g_bytes_get_size (messages->pdata[i]), ==, lengths[i]);
  g_assert_true (g_bytes_equal (messages->pdata[3], binary));
}

/* What is in Redis */

static void
test_keys (Fixture *fixture, gconstpointer data)
{
  TestFingerprint key;
  g_autofree char *key_key = NULL;
  g_autofree char *ask = NULL;
  g_autofree char *expected = NULL;
  g_autofree char *value = NULL;
  g_autofree char *place = NULL;
  g_autofree char *left = NULL;
  g_autofree char *size = NULL;
  g_autofree char *names = NULL;

  if (fixture->redis == NULL)
    return;
  test_fingerprint (key, 1);
  g_assert_cmpstr (test_claim (fixture->north, "wq", 1, 86400, FALSE), ==,
                   "1@north");
  value = test_redis_ask (fixture->redis, "GET hole-punch:id:wq");
  expected = g_strdup_printf ("%s north 86400000 180000", key);
  g_assert_cmpstr (value, ==, expected);
  left = test_redis_ask (fixture->redis, "TTL hole-punch:id:wq");
  g_assert_cmpint (atoi (left), >=, 86399);
  key_key = g_strdup_printf ("GET hole-punch:key:%s", key);
  place = test_redis_ask (fixture->redis, key_key);
  g_assert_cmpstr (place, ==, "north");
  g_clear_pointer (&left, g_free);
  ask = g_strdup_printf ("TTL hole-punch:key:%s", key);
  left = test_redis_ask (fixture->redis, ask);
  g_assert_cmpint (atoi (left), >=, 179);
  g_assert_cmpint (atoi (left), <=, 180);
  size = test_redis_ask (fixture->redis, "DBSIZE");
  g_assert_cmpstr (size, ==, "2");
  names = test_redis_ask (fixture->redis, "CLIENT LIST");
  g_assert_nonnull (strstr (names, "name=hole-punch:north"));
}

static guint
count_calls (TestRedis *redis, const char *command)
{
  g_autofree char *statistics
      = test_redis_ask (redis, "INFO commandstats");
  g_autofree char *name = g_strdup_printf ("cmdstat_%s:calls=", command);
  const char *line = strstr (statistics, name);

  return line != NULL ? atoi (line + strlen (name)) : 0;
}

/* The promise of hp-redis-store.c. Calls inside of a script are counted, too:
 * those are cheap. */
static void
test_operations (Fixture *fixture, gconstpointer data)
{
  if (fixture->redis == NULL)
    return;
  test_claim (fixture->north, "wq", 1, 100, FALSE);
  test_lookup (fixture->north, "wq");
  test_redis_tell (fixture->redis, "CONFIG RESETSTAT");
  for (guint i = 0; i < 10; i++)
    test_claim (fixture->north, "wq", 1, 100, FALSE);
  g_assert_cmpuint (count_calls (fixture->redis, "evalsha"), ==, 10);
  g_assert_cmpuint (count_calls (fixture->redis, "eval"), ==, 0);
  /* The id's value is not written again. */
  g_assert_cmpuint (count_calls (fixture->redis, "pexpire"), ==, 10);
  g_assert_cmpuint (count_calls (fixture->redis, "set"), ==, 10);
  test_lookup (fixture->south, "wq");
  g_assert_cmpuint (count_calls (fixture->redis, "evalsha"), ==, 11);
  test_lookup_key (fixture->south, 1);
  g_assert_cmpuint (count_calls (fixture->redis, "get"), ==, 12);
  test_post (fixture->south, "north", "hello");
  g_assert_cmpuint (count_calls (fixture->redis, "publish"), ==, 1);

  /* Redis has forgotten the scripts. */
  test_redis_tell (fixture->redis, "SCRIPT FLUSH");
  test_redis_tell (fixture->redis, "CONFIG RESETSTAT");
  g_assert_cmpstr (test_claim (fixture->north, "wq", 1, 100, FALSE), ==,
                   "1@north");
  g_assert_cmpstr (test_claim (fixture->north, "wq", 1, 100, FALSE), ==,
                   "1@north");
  g_assert_cmpuint (count_calls (fixture->redis, "eval"), ==, 1);
}

static void
test_prefix (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HpRedisRegistry) other = NULL;
  g_autofree char *uri = NULL;
  g_autofree char *size = NULL;

  if (fixture->redis == NULL)
    return;
  uri = test_redis_uri (fixture->redis);
  other = g_object_new (HP_TYPE_REDIS_REGISTRY, "uri", uri, "key-prefix",
                        "other", "server-name", "other", NULL);
  test_claim (fixture->north, "wq", 1, 9, FALSE);
  g_assert_cmpstr (test_claim (other, "wq", 2, 9, FALSE), ==, "2@other");
  g_assert_cmpstr (test_lookup (fixture->north, "wq"), ==, "1@north");
  g_assert_cmpstr (test_post (fixture->north, "other", "!"), ==, "not-found");
  size = test_redis_ask (fixture->redis, "EXISTS other:id:wq");
  g_assert_cmpstr (size, ==, "1");
}

/* Where Redis is */

static void
test_uris (void)
{
  static const struct
  {
    const char *text;
    const char *expected; /* NULL: malformed */
  } cases[] = {
    { "redis://localhost", "localhost 6379 (null) (null) (null) 0" },
    { "redis://h:7/3", "h 7 (null) (null) (null) 3" },
    { "redis://[::1]:7/", "::1 7 (null) (null) (null) 0" },
    { "rediss://:s%40t@h", "h 6379 (null) (null) s@t 0" },
    { "redis://me:pw@h/", "h 6379 (null) me pw 0" },
    { "unix:///run/r.sock", "(null) 0 /run/r.sock (null) (null) 0" },
    { "unix://me:pw@/r?db=2", "(null) 0 /r me pw 2" },
    { "", NULL },
    { "localhost", NULL },
    { "http://localhost", NULL },
    { "redis://", NULL },
    { "redis:///1", NULL },
    { "redis://me@h", NULL },
    { "redis://h/x", NULL },
    { "redis://h/-1", NULL },
    { "redis://h:0", NULL },
    { "redis://h:77777", NULL },
    { "redis://h?db=1", NULL },
    { "redis://h#x", NULL },
    { "unix://", NULL },
    { "unix:///", NULL },
    { "unix://h/r", NULL },
    { "unix:///r?x=1", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (HpRedisUri) uri = hp_redis_uri_parse (cases[i].text, &error);
      g_autofree char *text = NULL;

      g_test_message ("%s", cases[i].text);
      if (cases[i].expected == NULL)
        {
          g_assert_null (uri);
          g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
          continue;
        }
      g_assert_no_error (error);
      text = g_strdup_printf (
          "%s %u %s %s %s %u", uri->host != NULL ? uri->host : "(null)",
          uri->port, uri->path != NULL ? uri->path : "(null)",
          uri->user != NULL ? uri->user : "(null)",
          uri->password != NULL ? uri->password : "(null)", uri->database);
      g_assert_cmpstr (text, ==, cases[i].expected);
      g_assert_null (strstr (uri->label, "pw"));
      g_assert_null (strstr (uri->label, "s@t"));
      g_assert_true (uri->uses_tls
                     == g_str_has_prefix (cases[i].text, "rediss"));
    }
}

static void
assert_never (const char *first_property, const char *value,
              const char *second_property, const char *second_value)
{
  g_autoptr (HpRedisRegistry) registry = g_object_new (
      HP_TYPE_REDIS_REGISTRY, first_property, value, second_property,
      second_value, NULL);

  g_assert_cmpstr (test_claim (registry, "wq", 1, 9, FALSE), ==,
                   "invalid-argument");
  g_assert_cmpstr (test_lookup_key (registry, 1), ==, "invalid-argument");
  g_assert_false (hp_redis_registry_get_connected (registry));
}

static void
test_bad_settings (void)
{
  g_autofree char *long_name = g_strnfill (65, 'x');

  assert_never ("uri", NULL, "key-prefix", NULL);
  assert_never ("uri", "redis:/x", "key-prefix", NULL);
  assert_never ("uri", "redis://h", "key-prefix", "a b");
  assert_never ("uri", "redis://h", "key-prefix", "");
  assert_never ("uri", "redis://h", "server-name", "a b");
  assert_never ("uri", "redis://h", "server-name", "");
  assert_never ("uri", "redis://h", "server-name", long_name);
}

static void
test_ports (Fixture *fixture, gconstpointer data)
{
  g_autofree char *uri = NULL;
  g_autofree char *count = NULL;
  g_autoptr (HpRedisRegistry) registry = NULL;
  g_autoptr (HpRedisRegistry) other = NULL;

  if (fixture->redis == NULL)
    return;
  uri = g_strdup_printf ("redis://localhost:%u/5", fixture->redis->port);
  registry = hp_redis_registry_new (uri);
  other = hp_redis_registry_new (uri);
  g_assert_cmpstr (hp_redis_registry_get_server_name (registry), !=,
                   hp_redis_registry_get_server_name (other));
  /* Not connected yet: it waits for that. */
  g_assert_cmpstr (test_release (registry, "wq", 1), ==, "done");
  test_claim (registry, "wq", 1, 9, FALSE);
  g_assert_true (g_str_has_prefix (test_lookup (other, "wq"), "1@"));
  g_assert_cmpstr (test_lookup (fixture->north, "wq"), ==, "nobody");
  count = test_redis_ask (fixture->redis, "INFO keyspace");
  g_assert_nonnull (strstr (count, "db5:keys=2"));
}

#define FIXTURE_TEST(path, function)                                          \
  g_test_add (path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  FIXTURE_TEST ("/redis-registry/claims", test_claims);
  FIXTURE_TEST ("/redis-registry/moved", test_moved);
  FIXTURE_TEST ("/redis-registry/race", test_race);
  FIXTURE_TEST ("/redis-registry/ephemeral", test_ephemeral);
  FIXTURE_TEST ("/redis-registry/presence", test_presence);
  FIXTURE_TEST ("/redis-registry/strange-ids", test_strange_ids);
  FIXTURE_TEST ("/redis-registry/malformed", test_malformed);
  FIXTURE_TEST ("/redis-registry/posts", test_posts);
  FIXTURE_TEST ("/redis-registry/keys", test_keys);
  FIXTURE_TEST ("/redis-registry/operations", test_operations);
  FIXTURE_TEST ("/redis-registry/prefix", test_prefix);
  FIXTURE_TEST ("/redis-registry/ports", test_ports);
  g_test_add_func ("/redis-registry/uris", test_uris);
  g_test_add_func ("/redis-registry/bad-settings", test_bad_settings);

  return g_test_run ();
}
