/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* HpRedisRegistry when Redis does not work: slow, gone, back, not letting in,
 * full, a replica, a cluster, no Redis at all */

#include "hole-punch/hp-redis-reply-private.h"
#include "redis-test.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

/* As of test_redis_registry() */
#define TIMEOUT (400 * G_TIME_SPAN_MILLISECOND)

static HpRedisRegistry *G_GNUC_PRINTF (1, 2)
connect_to (const char *format, ...)
{
  g_autofree char *uri = NULL;
  va_list arguments;

  va_start (arguments, format);
  uri = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  return g_object_new (HP_TYPE_REDIS_REGISTRY, "uri", uri, "timeout", 400,
                       "server-name", "north", NULL);
}

static void
assert_works (HpRedisRegistry *registry)
{
  await (hp_redis_registry_get_connected (registry));
  g_assert_cmpstr (test_claim (registry, "works", 1, 9, FALSE), ==, "1@north");
  g_assert_cmpstr (test_post (registry, "north", "hello"), ==, "done");
}

/* Not let in */

static void
assert_denied (HpRedisRegistry *registry)
{
  g_assert_cmpstr (test_claim (registry, "wq", 1, 9, FALSE), ==,
                   "permission-denied");
  /* Known by now: at once */
  g_assert_cmpstr (test_lookup (registry, "wq"), ==, "permission-denied");
  g_assert_false (hp_redis_registry_get_connected (registry));
  g_assert_finalize_object (registry);
}

static void
test_password (void)
{
  static const char *const arguments[] = { "--requirepass", "p@ss", NULL };
  g_autoptr (TestRedis) redis = test_redis_new (arguments);
  HpRedisRegistry *registry;

  if (redis == NULL)
    return;
  registry = connect_to ("unix://:p%%40ss@%s", redis->socket);
  assert_works (registry);
  g_assert_finalize_object (registry);
  registry = connect_to ("redis://:p%%40ss@127.0.0.1:%u/1", redis->port);
  assert_works (registry);
  g_assert_finalize_object (registry);
  assert_denied (connect_to ("unix://%s", redis->socket));
  assert_denied (connect_to ("unix://:pass@%s", redis->socket));
  assert_denied (connect_to ("redis://me:p%%40ss@127.0.0.1:%u", redis->port));
}

/* Redis then repeats the arguments: what is told must not. */
static void
test_renamed_auth (void)
{
  static const char *const arguments[]
      = { "--rename-command", "AUTH", "LETMEIN", NULL };
  g_autoptr (TestRedis) redis = test_redis_new (arguments);
  g_autoptr (HpRedisRegistry) registry = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  if (redis == NULL)
    return;
  registry = connect_to ("unix://alice:geheim@%s", redis->socket);
  hp_registry_lookup_async (HP_REGISTRY (registry), "wq", NULL,
                            objects_test_keep_result, &result);
  await (result != NULL);
  g_assert_null (
      hp_registry_lookup_finish (HP_REGISTRY (registry), result, &error));
  g_test_message ("%s", error->message);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  g_assert_nonnull (strstr (error->message, "AUTH"));
  g_assert_null (strstr (error->message, "geheim"));
  g_assert_null (strstr (error->message, "alice"));
}

/* What the documentation of HpRedisRegistry says a user needs */
#define COMMANDS                                                              \
  "+auth +client|setname +del +eval +evalsha +get +pexpire +ping +pttl "      \
  "+publish +select +set +subscribe"

static void
test_user (void)
{
  g_autoptr (TestRedis) redis = test_redis_new (NULL);
  HpRedisRegistry *registry;

  if (redis == NULL)
    return;
  test_redis_tell (redis, "ACL SETUSER hp on >pw ~hole-punch:* &hole-punch:* "
                          "resetkeys ~hole-punch:* " COMMANDS);
  test_redis_tell (redis, "ACL SETUSER keyless on >pw &* " COMMANDS);
  test_redis_tell (redis, "ACL SETUSER deaf on >pw ~* resetchannels "
                          COMMANDS);
  registry = connect_to ("unix://hp:pw@%s?db=3", redis->socket);
  assert_works (registry);
  g_assert_cmpstr (test_lookup (registry, "works"), ==, "1@north");
  g_assert_cmpstr (test_lookup_key (registry, 1), ==, "1@north");
  g_assert_cmpstr (test_release (registry, "works", 1), ==, "done");
  g_assert_cmpstr (test_lookup (registry, "works"), ==, "nobody");
  g_assert_finalize_object (registry);

  registry = connect_to ("unix://keyless:pw@%s", redis->socket);
  await (hp_redis_registry_get_connected (registry));
  g_assert_cmpstr (test_claim (registry, "wq", 1, 9, FALSE), ==,
                   "permission-denied");
  g_assert_true (hp_redis_registry_get_connected (registry));
  g_assert_finalize_object (registry);

  registry = connect_to ("unix://deaf:pw@%s", redis->socket);
  g_assert_cmpstr (test_claim (registry, "wq", 1, 9, FALSE), ==, "1@north");
  objects_test_settle (100);
  g_assert_false (hp_redis_registry_get_connected (registry));
  g_assert_finalize_object (registry);
  assert_denied (connect_to ("unix://hp:px@%s", redis->socket));
}

/* Gone, and back */

static void
test_gone (void)
{
  g_autoptr (TestRedis) redis = test_redis_new (NULL);
  HpRedisRegistry *registry;
  guint changes = 0;

  if (redis == NULL)
    return;
  test_redis_kill (redis);
  registry = connect_to ("redis://127.0.0.1:%u", redis->port);
  objects_test_count_notify (registry, "connected", &changes);
  g_assert_cmpstr (test_claim (registry, "wq", 1, 9, FALSE), ==,
                   "connection-refused");
  g_assert_cmpstr (test_post (registry, "north", "?"), ==,
                   "connection-refused");
  objects_test_settle (300);
  g_assert_cmpuint (changes, ==, 0);
  test_redis_start (redis, NULL);
  assert_works (registry);
  g_assert_cmpuint (changes, ==, 1);

  test_redis_kill (redis);
  await (changes == 2);
  g_assert_false (hp_redis_registry_get_connected (registry));
  g_assert_cmpstr (test_lookup_key (registry, 1), !=, "1@north");
  g_assert_finalize_object (registry);

  registry = connect_to ("redis://no-such-host.invalid");
  g_assert_true (g_str_has_prefix (test_lookup (registry, "wq"),
                                   "g-resolver-error-quark"));
  g_assert_finalize_object (registry);
}

static void
test_restart (void)
{
  static const char *const with_data[] = { "--appendonly", "yes", NULL };
  g_autoptr (TestRedis) redis = test_redis_new (with_data);
  g_autoptr (HpRedisRegistry) registry = NULL;
  gint64 killed_at;

  if (redis == NULL)
    return;
  registry = test_redis_registry (redis, "north");
  assert_works (registry);
  g_assert_cmpstr (test_claim (registry, "wq", 1, 999, FALSE), ==, "1@north");
  objects_test_settle (1200); /* appendfsync everysec */
  test_redis_kill (redis);
  killed_at = g_get_monotonic_time ();
  test_redis_start (redis, with_data);
  await (!hp_redis_registry_get_connected (registry));
  assert_works (registry);
  g_test_message ("back after %" G_GINT64_FORMAT " ms",
                  (g_get_monotonic_time () - killed_at) / 1000);
  g_assert_cmpstr (test_claim (registry, "wq", 2, 999, FALSE), ==, "1@north");

  /* Now without: the next refresh brings it back. */
  test_redis_tell (redis, "FLUSHALL");
  test_redis_kill (redis);
  test_redis_start (redis, NULL);
  await (!hp_redis_registry_get_connected (registry));
  assert_works (registry);
  g_assert_cmpstr (test_lookup (registry, "wq"), ==, "nobody");
  g_assert_cmpstr (test_claim (registry, "wq", 1, 999, FALSE), ==, "1@north");
}

/* What is under way when the connection breaks gets an error at once. */
static void
test_broken (void)
{
  g_autoptr (TestRedis) redis = test_redis_new (NULL);
  g_autoptr (HpRedisRegistry) registry = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  gint64 start;

  if (redis == NULL)
    return;
  registry = test_redis_registry (redis, "north");
  assert_works (registry);
  test_redis_signal (redis, SIGSTOP);
  hp_registry_lookup_async (HP_REGISTRY (registry), "works", NULL,
                            objects_test_keep_result, &result);
  objects_test_settle (50);
  g_assert_null (result);
  start = g_get_monotonic_time ();
  test_redis_kill (redis);
  await (result != NULL);
  g_assert_cmpint (g_get_monotonic_time () - start, <, TIMEOUT / 2);
  g_assert_null (
      hp_registry_lookup_finish (HP_REGISTRY (registry), result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED);
}

static void
test_killed_subscription (void)
{
  g_autoptr (TestRedis) redis = test_redis_new (NULL);
  g_autoptr (HpRedisRegistry) registry = NULL;
  guint changes = 0;

  if (redis == NULL)
    return;
  registry = test_redis_registry (redis, "north");
  assert_works (registry);
  objects_test_count_notify (registry, "connected", &changes);
  test_redis_tell (redis, "CLIENT KILL TYPE pubsub");
  await (changes == 1);
  /* Commands go on. */
  g_assert_cmpstr (test_claim (registry, "wq", 1, 9, FALSE), ==, "1@north");
  assert_works (registry);
  g_assert_cmpuint (changes, ==, 2);
}

/* Slow */

static void
test_slow (void)
{
  g_autoptr (TestRedis) redis = test_redis_new (NULL);
  g_autoptr (HpRedisRegistry) registry = NULL;
  gint64 start;
  gint64 took;

  if (redis == NULL)
    return;
  registry = test_redis_registry (redis, "north");
  assert_works (registry);

  /* For a moment: the connection stays. */
  test_redis_signal (redis, SIGSTOP);
  start = g_get_monotonic_time ();
  g_assert_cmpstr (test_claim (registry, "wq", 1, 9, FALSE), ==, "timed-out");
  took = g_get_monotonic_time () - start;
  g_assert_cmpint (took, >=, TIMEOUT);
  g_assert_cmpint (took, <, 2 * TIMEOUT);
  test_redis_signal (redis, SIGCONT);
  g_assert_cmpstr (test_lookup (registry, "wq"), ==, "1@north");
  g_assert_true (hp_redis_registry_get_connected (registry));

  /* For long: it is given up; nobody waits longer than the timeout. */
  test_redis_signal (redis, SIGSTOP);
  for (guint i = 0; i < 10; i++)
    {
      start = g_get_monotonic_time ();
      g_assert_cmpstr (test_claim (registry, "sk", 2, 9, FALSE), ==,
                       "timed-out");
      g_assert_cmpint (g_get_monotonic_time () - start, <, 2 * TIMEOUT);
      objects_test_settle (100);
    }
  g_assert_false (hp_redis_registry_get_connected (registry));
  test_redis_signal (redis, SIGCONT);
  assert_works (registry);
}

#define N_LARGE 2500

static void
check_message (HpRegistry *registry, GBytes *message, gpointer user_data)
{
  guint *n_messages = user_data;
  const char *text = g_bytes_get_data (message, NULL);
  char number[8] = "";

  g_assert_cmpuint (g_bytes_get_size (message), ==, 1400);
  /* The message does not end in a zero. */
  memcpy (number, text, sizeof number - 1);
  g_assert_cmpint (atoi (number), ==, (int) *n_messages);
  g_assert_cmpint (text[1399], ==, 'x');
  (*n_messages)++;
}

/* Far more than fits into the socket: Redis takes it piece by piece, and all of
 * it arrives whole and in its order. */
static void
test_backlog (void)
{
  g_autoptr (TestRedis) redis = test_redis_new (NULL);
  g_autoptr (HpRedisRegistry) registry = NULL;
  guint n_messages = 0;

  if (redis == NULL)
    return;
  registry = connect_to ("unix://%s", redis->socket);
  await (hp_redis_registry_get_connected (registry));
  g_signal_connect (registry, "message-received", G_CALLBACK (check_message),
                    &n_messages);
  test_redis_signal (redis, SIGSTOP);
  for (guint i = 0; i < N_LARGE; i++)
    {
      char text[1401];
      g_autoptr (GBytes) message = NULL;

      memset (text, 'x', sizeof text);
      text[g_snprintf (text, sizeof text, "%u", i)] = ' ';
      message = g_bytes_new (text, 1400);
      hp_registry_post_async (HP_REGISTRY (registry), "north", message, NULL,
                              NULL, NULL);
    }
  objects_test_settle (20);
  test_redis_signal (redis, SIGCONT);
  await (n_messages == N_LARGE);
}

static void
count_done (GObject *registry, GAsyncResult *result, gpointer user_data)
{
  guint *counts = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (HpRegistration) holder = hp_registry_claim_finish (
      HP_REGISTRY (registry), result, &error);

  if (holder != NULL)
    counts[0]++;
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_BUSY))
    counts[1]++;
  else
    counts[2]++;
}

static void
test_max_in_flight (void)
{
  g_autoptr (TestRedis) redis = test_redis_new (NULL);
  g_autoptr (HpRedisRegistry) registry = NULL;
  guint counts[3] = { 0 };
  TestFingerprint key;

  if (redis == NULL)
    return;
  registry = test_redis_registry (redis, "north");
  assert_works (registry);
  hp_redis_registry_set_max_in_flight (registry, 10);
  test_fingerprint (key, 1);
  test_redis_signal (redis, SIGSTOP);
  for (guint i = 0; i < 25; i++)
    hp_registry_claim_async (HP_REGISTRY (registry), "wq", key, 9, FALSE, NULL,
                             count_done, counts);
  await (counts[1] == 15);
  g_assert_cmpuint (counts[0] + counts[2], ==, 0);
  test_redis_signal (redis, SIGCONT);
  await (counts[0] == 10);
  g_assert_cmpuint (counts[1], ==, 15);
  g_assert_cmpstr (test_claim (registry, "wq", 1, 9, FALSE), ==, "1@north");
}

/* The end of the registry */

static void
drop_registry (GObject *object, GAsyncResult *result, gpointer user_data)
{
  HpRedisRegistry **registry = user_data;

  objects_test_settle (0);
  if (*registry != NULL)
    g_object_run_dispose (G_OBJECT (*registry));
  g_clear_object (registry);
}

static void
test_dispose (void)
{
  g_autoptr (TestRedis) redis = test_redis_new (NULL);
  HpRedisRegistry *registry;
  gpointer weak;
  guint counts[3] = { 0 };
  TestFingerprint key;

  if (redis == NULL)
    return;
  test_fingerprint (key, 1);
  /* While it connects */
  g_assert_finalize_object (test_redis_registry (redis, "north"));

  /* With requests under way, that nobody will answer */
  registry = test_redis_registry (redis, "north");
  assert_works (registry);
  test_redis_signal (redis, SIGSTOP);
  for (guint i = 0; i < 10; i++)
    hp_registry_claim_async (HP_REGISTRY (registry), "wq", key, 9, FALSE, NULL,
                             count_done, counts);
  objects_test_settle (20);
  g_object_run_dispose (G_OBJECT (registry));
  await (counts[2] == 10);
  g_assert_cmpstr (test_lookup (registry, "wq"), ==, "closed");
  g_assert_finalize_object (registry);
  test_redis_signal (redis, SIGCONT);

  /* From a callback, with more under way */
  registry = test_redis_registry (redis, "north");
  assert_works (registry);
  weak = registry;
  g_object_add_weak_pointer (G_OBJECT (registry), &weak);
  for (guint i = 0; i < 10; i++)
    hp_registry_lookup_async (HP_REGISTRY (registry), "wq", NULL,
                              drop_registry, &registry);
  await (weak == NULL);

  /* From a notification of its own */
  registry = test_redis_registry (redis, "north");
  g_signal_connect (registry, "notify::connected",
                    G_CALLBACK (g_object_run_dispose), NULL);
  test_claim (registry, "wq", 1, 9, FALSE);
  objects_test_settle (50);
  g_assert_false (hp_redis_registry_get_connected (registry));
  g_assert_finalize_object (registry);
}

/* Redis says no */

static void
test_read_only (void)
{
  g_autoptr (TestRedis) redis = test_redis_new (NULL);
  g_autoptr (HpRedisRegistry) registry = NULL;
  guint changes = 0;

  if (redis == NULL)
    return;
  registry = test_redis_registry (redis, "north");
  assert_works (registry);
  objects_test_count_notify (registry, "connected", &changes);
  test_redis_tell (redis, "CONFIG SET replica-serve-stale-data yes");
  test_redis_tell (redis, "REPLICAOF 127.0.0.1 1");
  g_assert_cmpstr (test_claim (registry, "wq", 1, 9, FALSE), ==, "read-only");
  /* It looks for another one. */
  g_assert_cmpuint (changes, ==, 1);
  test_redis_tell (redis, "REPLICAOF NO ONE");
  assert_works (registry);
}

static void
test_out_of_memory (void)
{
  g_autoptr (TestRedis) redis = test_redis_new (NULL);
  g_autoptr (HpRedisRegistry) registry = NULL;

  if (redis == NULL)
    return;
  registry = test_redis_registry (redis, "north");
  assert_works (registry);
  test_redis_tell (redis, "CONFIG SET maxmemory 1");
  g_assert_cmpstr (test_claim (registry, "wq", 1, 9, FALSE), ==, "no-space");
  g_assert_true (hp_redis_registry_get_connected (registry));
  test_redis_tell (redis, "CONFIG SET maxmemory 0");
  g_assert_cmpstr (test_claim (registry, "wq", 1, 9, FALSE), ==, "1@north");
}

static void
test_cluster (void)
{
  static const char *const arguments[] = { "--cluster-enabled", "yes", NULL };
  g_autoptr (TestRedis) redis = test_redis_new (arguments);
  g_autoptr (HpRedisRegistry) registry = NULL;
  const char *holder;

  if (redis == NULL)
    return;
  registry = test_redis_registry (redis, "north");
  await (hp_redis_registry_get_connected (registry));
  g_assert_cmpstr (test_claim (registry, "wq", 1, 9, FALSE), ==,
                   "not-connected");
  test_redis_tell (redis, "CLUSTER ADDSLOTSRANGE 0 16383");
  while ((holder = test_claim (registry, "wq", 1, 9, FALSE)) != NULL
         && !g_str_equal (holder, "1@north"))
    {
      g_assert_cmpstr (holder, ==, "not-connected");
      objects_test_settle (50);
    }
  g_assert_cmpstr (test_claim (registry, "wq", 1, 9, FALSE), ==, "1@north");
  g_assert_cmpstr (test_claim (registry, "wq", 2, 9, FALSE), ==, "1@north");
  g_assert_cmpstr (test_lookup (registry, "wq"), ==, "1@north");
  g_assert_cmpstr (test_lookup_key (registry, 1), ==, "1@north");
  g_assert_cmpstr (test_lookup_key (registry, 2), ==, "nobody");
  g_assert_cmpstr (test_release (registry, "wq", 1), ==, "done");
}

static void
test_error_texts (void)
{
  static const struct
  {
    const char *text;
    GIOErrorEnum code;
    HpRedisTrouble trouble;
  } cases[] = {
    { "NOSCRIPT No matching script.", G_IO_ERROR_FAILED,
      HP_REDIS_TROUBLE_NO_SCRIPT },
    { "CROSSSLOT Keys in request don't hash", G_IO_ERROR_FAILED,
      HP_REDIS_TROUBLE_CROSS_SLOT },
    { "READONLY You can't write", G_IO_ERROR_READ_ONLY,
      HP_REDIS_TROUBLE_READ_ONLY },
    { "ERR Error running script (call to f_1): @user_script:6: @user_script: "
      "6: -READONLY You can't write against a read only replica.",
      G_IO_ERROR_READ_ONLY, HP_REDIS_TROUBLE_READ_ONLY },
    { "ERR Error running script: @user_script:6: -OOM command not allowed",
      G_IO_ERROR_NO_SPACE, 0 },
    { "OOM command not allowed", G_IO_ERROR_NO_SPACE, 0 },
    { "MOVED 3999 127.0.0.1:6381", G_IO_ERROR_FAILED, 0 },
    { "ASK 3999 127.0.0.1:6381", G_IO_ERROR_FAILED, 0 },
    { "CLUSTERDOWN The cluster is down", G_IO_ERROR_NOT_CONNECTED, 0 },
    { "LOADING Redis is loading the dataset", G_IO_ERROR_BUSY, 0 },
    { "BUSY Redis is busy running a script", G_IO_ERROR_BUSY, 0 },
    { "BUSYGROUP x", G_IO_ERROR_FAILED, 0 },
    { "ERR max number of clients reached", G_IO_ERROR_BUSY, 0 },
    { "NOAUTH Authentication required.", G_IO_ERROR_PERMISSION_DENIED, 0 },
    { "ERR a key with READONLY in it", G_IO_ERROR_FAILED, 0 },
    { "", G_IO_ERROR_FAILED, 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = hp_redis_error_from_text (cases[i].text);

      g_test_message ("%s", error->message);
      g_assert_error (error, G_IO_ERROR, (int) cases[i].code);
      g_assert_cmpint (hp_redis_trouble_from_text (cases[i].text), ==,
                       cases[i].trouble);
      g_clear_error (&error);
      error = hp_redis_error_from_secret_text (cases[i].text);
      if (cases[i].code != G_IO_ERROR_FAILED)
        g_assert_error (error, G_IO_ERROR, (int) cases[i].code);
      g_assert_true (*cases[i].text == '\0'
                     || strstr (error->message, cases[i].text) == NULL);
    }
}

/* No Redis */

static gboolean
on_incoming (GSocketService *service, GSocketConnection *connection,
             GObject *source, gpointer user_data)
{
  const char *greeting = user_data;
  GOutputStream *output
      = g_io_stream_get_output_stream (G_IO_STREAM (connection));

  g_output_stream_write_all (output, greeting, strlen (greeting), NULL, NULL,
                             NULL);
  return TRUE;
}

static void
test_no_redis (void)
{
  static const struct
  {
    const char *greeting;
    const char *error;
  } cases[] = {
    { "", "broken-pipe" },
    { "SSH-2.0-OpenSSH_9.2\r\n", "invalid-data" },
    { "-ERR max number of clients reached\r\n", "broken-pipe" },
    { "+OK\r\n+PONG\r\n+more\r\n+than\r\n+asked\r\n", "invalid-data" },
    { "*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n:1\r\n", "broken-pipe" },
    { "*-1\r\n$-1\r\n*0\r\n", "invalid-data" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GSocketService) service = g_socket_service_new ();
      guint16 port = g_socket_listener_add_any_inet_port (
          G_SOCKET_LISTENER (service), NULL, NULL);
      HpRedisRegistry *registry;

      g_test_message ("%s", cases[i].greeting);
      g_signal_connect (service, "incoming", G_CALLBACK (on_incoming),
                        (gpointer) cases[i].greeting);
      registry = connect_to ("redis://127.0.0.1:%u", port);
      g_assert_cmpstr (test_claim (registry, "wq", 1, 9, FALSE), ==,
                       cases[i].error);
      /* It tries again and again, and nothing is lost but time. */
      objects_test_settle (300);
      g_assert_cmpstr (test_claim (registry, "wq", 1, 9, FALSE), ==,
                       cases[i].error);
      g_assert_finalize_object (registry);
      g_socket_service_stop (service);
      g_socket_listener_close (G_SOCKET_LISTENER (service));
    }
}

/* TLS */

static gboolean
make_certificate (const char *key, const char *certificate)
{
  const char *const words[]
      = { "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
          "2", "-subj", "/CN=localhost", "-addext",
          "subjectAltName=DNS:localhost", "-keyout", key, "-out",
          certificate, NULL };
  g_autoptr (GSubprocess) process = g_subprocess_newv (
      words,
      G_SUBPROCESS_FLAGS_STDERR_SILENCE | G_SUBPROCESS_FLAGS_STDOUT_SILENCE,
      NULL);

  return process != NULL && g_subprocess_wait_check (process, NULL, NULL);
}

static void
test_tls (void)
{
  g_autofree char *directory = g_dir_make_tmp ("hole-punch-tls-XXXXXX", NULL);
  g_autofree char *key = g_build_filename (directory, "key.pem", NULL);
  g_autofree char *certificate = g_build_filename (directory, "c.pem", NULL);
  GTlsBackend *backend = g_tls_backend_get_default ();
  g_autoptr (GTlsDatabase) trusted = NULL;
  g_autoptr (TestRedis) redis = NULL;
  g_autofree char *command = NULL;
  guint port;
  HpRedisRegistry *registry;

  if (!g_tls_backend_supports_tls (backend)
      || !make_certificate (key, certificate))
    {
      g_test_skip ("there is no openssl, or no glib-networking, here");
      return;
    }
  redis = test_redis_new (NULL);
  if (redis == NULL)
    return;
  port = redis->port == 1024 ? 1025 : redis->port - 1;
  command = g_strdup_printf ("CONFIG SET tls-cert-file %s tls-key-file %s "
                             "tls-auth-clients no tls-port %u",
                             certificate, key, port);
  test_redis_tell (redis, command);
  /* Whom nobody vouches for */
  registry = connect_to ("rediss://localhost:%u", port);
  g_assert_true (g_str_has_prefix (test_lookup (registry, "wq"),
                                   "g-tls-error-quark"));
  g_assert_finalize_object (registry);

  trusted = g_tls_file_database_new (certificate, NULL);
  g_tls_backend_set_default_database (backend, trusted);
  registry = connect_to ("rediss://localhost:%u", port);
  assert_works (registry);
  g_assert_cmpstr (test_lookup (registry, "works"), ==, "1@north");
  g_assert_finalize_object (registry);
  g_tls_backend_set_default_database (backend, NULL);
  g_remove (key);
  g_remove (certificate);
  g_rmdir (directory);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/redis-failures/password", test_password);
  g_test_add_func ("/redis-failures/renamed-auth", test_renamed_auth);
  g_test_add_func ("/redis-failures/user", test_user);
  g_test_add_func ("/redis-failures/gone", test_gone);
  g_test_add_func ("/redis-failures/restart", test_restart);
  g_test_add_func ("/redis-failures/broken", test_broken);
  g_test_add_func ("/redis-failures/killed-subscription",
                   test_killed_subscription);
  g_test_add_func ("/redis-failures/slow", test_slow);
  g_test_add_func ("/redis-failures/backlog", test_backlog);
  g_test_add_func ("/redis-failures/max-in-flight", test_max_in_flight);
  g_test_add_func ("/redis-failures/dispose", test_dispose);
  g_test_add_func ("/redis-failures/read-only", test_read_only);
  g_test_add_func ("/redis-failures/out-of-memory", test_out_of_memory);
  g_test_add_func ("/redis-failures/cluster", test_cluster);
  g_test_add_func ("/redis-failures/error-texts", test_error_texts);
  g_test_add_func ("/redis-failures/no-redis", test_no_redis);
  g_test_add_func ("/redis-failures/tls", test_tls);

  return g_test_run ();
}
