/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "redis-test.h"

#include <glib/gstdio.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

/* Redis */

static guint16
find_free_port (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();

  return g_socket_listener_add_any_inet_port (listener, NULL, NULL);
}

static gboolean
answers (TestRedis *self)
{
  redisContext *context = redisConnectUnix (self->socket);
  redisReply *reply = NULL;
  gboolean result;

  if (context != NULL && context->err == 0)
    reply = redisCommand (context, "PING");
  /* Be it that it wants a password */
  result = reply != NULL
           && (reply->type != REDIS_REPLY_ERROR
               || !g_str_has_prefix (reply->str, "LOADING"));
  if (reply != NULL)
    freeReplyObject (reply);
  if (context != NULL)
    redisFree (context);
  return result;
}

/* It goes with the test, even if that fails. */
static void
set_up_child (gpointer user_data)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

void
test_redis_start (TestRedis *self, const char *const *arguments)
{
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE
                                   | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  gint64 deadline = g_get_monotonic_time () + 20 * G_TIME_SPAN_SECOND;

  g_assert_null (self->process);
  g_ptr_array_add (words, g_strdup ("redis-server"));
  g_ptr_array_add (words, g_strdup ("--port"));
  g_ptr_array_add (words, g_strdup_printf ("%u", self->port));
  g_ptr_array_add (words, g_strdup ("--bind"));
  g_ptr_array_add (words, g_strdup ("127.0.0.1"));
  g_ptr_array_add (words, g_strdup ("--unixsocket"));
  g_ptr_array_add (words, g_strdup (self->socket));
  g_ptr_array_add (words, g_strdup ("--dir"));
  g_ptr_array_add (words, g_strdup (self->directory));
  g_ptr_array_add (words, g_strdup ("--save"));
  g_ptr_array_add (words, g_strdup (""));
  for (guint i = 0; arguments != NULL && arguments[i] != NULL; i++)
    g_ptr_array_add (words, g_strdup (arguments[i]));
  g_ptr_array_add (words, NULL);
  g_subprocess_launcher_set_child_setup (launcher, set_up_child, NULL, NULL);
  self->process = g_subprocess_launcher_spawnv (
      launcher, (const char *const *) words->pdata, &error);
  g_assert_no_error (error);
  while (!answers (self))
    {
      g_assert_cmpint (g_get_monotonic_time (), <, deadline);
      g_usleep (10 * 1000);
    }
}

TestRedis *
test_redis_new (const char *const *arguments)
{
  g_autofree char *program = g_find_program_in_path ("redis-server");
  TestRedis *self;

  if (program == NULL)
    {
      g_test_skip ("there is no redis-server here");
      return NULL;
    }
  self = g_new0 (TestRedis, 1);
  self->directory = g_dir_make_tmp ("hole-punch-redis-XXXXXX", NULL);
  self->socket = g_build_filename (self->directory, "redis.sock", NULL);
  self->port = find_free_port ();
  test_redis_start (self, arguments);
  return self;
}

static gboolean
is_stopped (const char *pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%s/stat", pid);
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return strstr (text, ") T ") != NULL;
}

/* Not by g_subprocess_send_signal(), which does it later */
void
test_redis_signal (TestRedis *self, int signal)
{
  const char *pid = g_subprocess_get_identifier (self->process);

  g_assert_cmpint (kill (atoi (pid), signal), ==, 0);
  while (signal == SIGSTOP && !is_stopped (pid))
    g_usleep (1000);
}

void
test_redis_kill (TestRedis *self)
{
  if (self->process == NULL)
    return;
  test_redis_signal (self, SIGKILL);
  g_subprocess_wait (self->process, NULL, NULL);
  g_clear_object (&self->process);
}

void
test_redis_free (TestRedis *self)
{
  g_autoptr (GDir) directory = NULL;
  const char *name;

  test_redis_kill (self);
  directory = g_dir_open (self->directory, 0, NULL);
  while ((name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *path = g_build_filename (self->directory, name, NULL);

      g_remove (path);
    }
  g_rmdir (self->directory);
  g_free (self->directory);
  g_free (self->socket);
  g_free (self);
}

static void
append_reply (GString *text, const redisReply *reply)
{
  switch (reply->type)
    {
    case REDIS_REPLY_INTEGER:
      g_string_append_printf (text, "%lld", reply->integer);
      break;
    case REDIS_REPLY_ARRAY:
      for (gsize i = 0; i < reply->elements; i++)
        {
          if (i > 0)
            g_string_append_c (text, ' ');
          append_reply (text, reply->element[i]);
        }
      break;
    case REDIS_REPLY_NIL:
      break;
    default:
      g_string_append_len (text, reply->str, reply->len);
    }
}

char *
test_redis_ask (TestRedis *self, const char *command)
{
  redisContext *context = redisConnectUnix (self->socket);
  g_auto (GStrv) words = g_strsplit (command, " ", -1);
  GString *text = g_string_new (NULL);
  redisReply *reply;

  g_assert_cmpint (context->err, ==, 0);
  reply = redisCommandArgv (context, g_strv_length (words),
                            (const char **) words, NULL);
  g_assert_nonnull (reply);
  append_reply (text, reply);
  if (reply->type == REDIS_REPLY_ERROR)
    g_error ("%s: %s", command, text->str);
  freeReplyObject (reply);
  redisFree (context);
  return g_string_free (text, FALSE);
}

void
test_redis_tell (TestRedis *self, const char *command)
{
  g_free (test_redis_ask (self, command));
}

char *
test_redis_uri (TestRedis *self)
{
  return g_strdup_printf ("unix://%s", self->socket);
}

HpRedisRegistry *
test_redis_registry (TestRedis *self, const char *name)
{
  g_autofree char *uri = test_redis_uri (self);

  return g_object_new (HP_TYPE_REDIS_REGISTRY, "uri", uri, "server-name", name,
                       "timeout", 400, NULL);
}

/* Questions */

void
test_fingerprint (TestFingerprint fingerprint, guint8 number)
{
  guint8 key[HP_KEY_SIZE] = { 0x80, number };

  hp_fingerprint_format (fingerprint, key);
}

const char *
test_show_error (const GError *error)
{
  static char text[100];

  g_snprintf (text, sizeof text, "%s %d", g_quark_to_string (error->domain),
              error->code);
  if (error->domain == G_IO_ERROR)
    {
      g_autoptr (GEnumClass) codes
          = g_type_class_ref (G_TYPE_IO_ERROR_ENUM);

      g_snprintf (text, sizeof text, "%s",
                  g_enum_get_value (codes, error->code)->value_nick);
    }
  return text;
}

/* Takes over both */
const char *
test_show_holder (HpRegistration *holder, GError *error)
{
  static char text[200];
  guint8 key[HP_KEY_SIZE];

  if (error != NULL)
    {
      g_test_message ("%s", error->message);
      g_strlcpy (text, test_show_error (error), sizeof text);
      g_error_free (error);
    }
  else if (holder == NULL)
    g_strlcpy (text, "nobody", sizeof text);
  else
    {
      const char *server = hp_registration_get_server (holder);

      g_assert_true (hp_fingerprint_parse (
          hp_registration_get_fingerprint (holder), key));
      g_snprintf (text, sizeof text, "%u@%s", key[1],
                  server != NULL ? server : "");
      g_object_unref (holder);
    }
  return text;
}

const char *
test_claim (HpRedisRegistry *registry, const char *id, guint8 number,
            guint lifetime, gboolean ephemeral)
{
  g_autoptr (GAsyncResult) result = NULL;
  HpRegistration *holder;
  GError *error = NULL;
  TestFingerprint key;

  test_fingerprint (key, number);
  hp_registry_claim_async (HP_REGISTRY (registry), id, key, lifetime,
                           ephemeral, NULL, objects_test_keep_result, &result);
  await (result != NULL);
  holder = hp_registry_claim_finish (HP_REGISTRY (registry), result, &error);
  return test_show_holder (holder, error);
}

const char *
test_lookup (HpRedisRegistry *registry, const char *id)
{
  g_autoptr (GAsyncResult) result = NULL;
  HpRegistration *holder;
  GError *error = NULL;

  hp_registry_lookup_async (HP_REGISTRY (registry), id, NULL,
                            objects_test_keep_result, &result);
  await (result != NULL);
  holder = hp_registry_lookup_finish (HP_REGISTRY (registry), result, &error);
  g_assert_true (holder == NULL
                 || g_str_equal (hp_registration_get_id (holder), id));
  return test_show_holder (holder, error);
}

const char *
test_lookup_key (HpRedisRegistry *registry, guint8 number)
{
  g_autoptr (GAsyncResult) result = NULL;
  HpRegistration *holder;
  GError *error = NULL;
  TestFingerprint key;

  test_fingerprint (key, number);
  hp_registry_lookup_key_async (HP_REGISTRY (registry), key, NULL,
                                objects_test_keep_result, &result);
  await (result != NULL);
  holder
      = hp_registry_lookup_key_finish (HP_REGISTRY (registry), result, &error);
  return test_show_holder (holder, error);
}

static const char *
show_done (gboolean is_done, GError *error)
{
  g_autoptr (GError) own_error = error;

  g_assert_true (is_done == (error == NULL));
  return is_done ? "done" : test_show_error (error);
}

const char *
test_release (HpRedisRegistry *registry, const char *id, guint8 number)
{
  g_autoptr (GAsyncResult) result = NULL;
  gboolean is_done;
  GError *error = NULL;
  TestFingerprint key;

  test_fingerprint (key, number);
  hp_registry_release_async (HP_REGISTRY (registry), id, key, NULL,
                             objects_test_keep_result, &result);
  await (result != NULL);
  is_done
      = hp_registry_release_finish (HP_REGISTRY (registry), result, &error);
  return show_done (is_done, error);
}

const char *
test_post (HpRedisRegistry *registry, const char *server, const char *message)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new (message, strlen (message));
  gboolean is_done;
  GError *error = NULL;

  hp_registry_post_async (HP_REGISTRY (registry), server, bytes, NULL,
                          objects_test_keep_result, &result);
  await (result != NULL);
  is_done = hp_registry_post_finish (HP_REGISTRY (registry), result, &error);
  return show_done (is_done, error);
}
