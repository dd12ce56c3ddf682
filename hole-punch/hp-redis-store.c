/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Redis's own advice for keys is object-type:id, and a lifetime for all that
 * may be forgotten. With the prefix "hole-punch":
 *
 *   hole-punch:id:ID            "FINGERPRINT SERVER LIFETIME PRESENCE"
 *   hole-punch:key:FINGERPRINT  "SERVER"
 *   hole-punch:server:SERVER    a channel, not a key
 *
 * The first one says who owns an id, and where the owner is. It lives for
 * LIFETIME ms from the last claim: how long the id stays the owner's. Of these
 * only the first PRESENCE ms does the owner count as present; how much is over
 * shows in what is left of the key's time (PTTL), so that no two clocks are
 * compared. One key rather than two halves both the memory and the writing.
 *
 * The second one, for those who are called by fingerprint, lives for PRESENCE
 * ms.
 *
 * All that is asked of one id is in one key, hence in one slot of a Redis
 * Cluster, hence safe to ask by a script. No hash tag is needed for that; and
 * in an id "{", which would make one, and by which strangers could heap their
 * ids up in one slot, is written as "%7B".
 *
 * Operations on Redis:
 *
 *   claim, refresh   1 EVALSHA; in a cluster, where the two keys are not in one
 *                    slot, after it 1 SET, which the answer does not wait for
 *   lookup, release  1 EVALSHA
 *   lookup_key       1 GET
 *   post             1 PUBLISH
 *
 * An introduction between two servers thus takes one lookup and two or three
 * posts. A refresh that changes nothing sets the lifetime of the first key
 * (PEXPIRE) and writes the second one anew (SET); both go to replicas and to
 * the disk.
 *
 * The second key is only written for who has got the id. It is left to its
 * lifetime: whoever releases one id may have others.
 *
 * If Redis loses its data, presences are back after the next refresh; who owned
 * an id and is away may lose it to another one, so Redis should keep an
 * append-only file.
 */

#include "hole-punch/hp-redis-store-private.h"

#include "hole-punch/hp-identity-private.h"
#include "hole-punch/hp-redis-line-private.h"

#include <string.h>

/* 100 years: what Redis can add to its clock without overflow, and more than
 * anybody means */
#define LIFETIME_LIMIT (G_GINT64_CONSTANT (100) * 365 * 24 * 60 * 60)

struct _HpRedisStore
{
  HpRedisUri *uri;
  char *key_prefix;
  char *server_name;
  const HpRedisStoreLimits *limits;
  const HpRedisStoreHooks *hooks;
  gpointer owner;

  HpRedisLine *commands;     /* NULL: closed */
  HpRedisLine *subscription; /* NULL: closed */
  gboolean is_connected;     /* as it was told last */
  gboolean is_cluster;       /* two keys are not in one slot */
};

typedef struct
{
  HpRedisStore *store;
  HpRedisQuestion question;
  HpRegistryRequest *request;
  gboolean wants_source; /* of the script: Redis does not have it */
  gboolean was_split;
} Call;

typedef struct
{
  const char *source;
  char *digest;
} Script;

/* KEYS: the id's, and, unless it is a cluster, the fingerprint's. ARGV: the
 * value of the first, its lifetime, the value of the second, its lifetime.
 * Answers 1, or who has it and for how long. A value begins with 52 characters
 * of fingerprint and a space. */
static Script claim_script = {
  "local held = redis.call('GET', KEYS[1])\n"
  "if held == ARGV[1] then\n"
  "  redis.call('PEXPIRE', KEYS[1], ARGV[2])\n"
  "elseif held and string.sub(held, 1, 53) ~= string.sub(ARGV[1], 1, 53) then\n"
  "  return {held, redis.call('PTTL', KEYS[1])}\n"
  "else\n"
  "  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])\n"
  "end\n"
  "if KEYS[2] then\n"
  "  redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])\n"
  "end\n"
  "return 1\n",
  NULL,
};

static Script lookup_script = {
  "local held = redis.call('GET', KEYS[1])\n"
  "return held and {held, redis.call('PTTL', KEYS[1])}\n",
  NULL,
};

/* ARGV: the fingerprint, the server. Once the owner is at another server, which
 * this one may not know yet, it is no longer this one's to release. */
static Script release_script = {
  "local held = redis.call('GET', KEYS[1])\n"
  "local ours = ARGV[1] .. ' ' .. ARGV[2] .. ' '\n"
  "if held and string.sub(held, 1, #ours) == ours then\n"
  "  redis.call('DEL', KEYS[1])\n"
  "end\n"
  "return 1\n",
  NULL,
};

/* Redis names a script by its SHA-1. */
static gpointer
digest_scripts (gpointer data)
{
  Script *scripts[] = { &claim_script, &lookup_script, &release_script };

  for (guint i = 0; i < G_N_ELEMENTS (scripts); i++)
    scripts[i]->digest = g_compute_checksum_for_string (
        G_CHECKSUM_SHA1, scripts[i]->source, -1);
  return NULL;
}

static void
clear_store (gpointer data)
{
  HpRedisStore *self = data;

  g_assert (self->commands == NULL && self->subscription == NULL);
  g_clear_pointer (&self->uri, hp_redis_uri_free);
  g_free (self->key_prefix);
  g_free (self->server_name);
}

static void
unref_store (HpRedisStore *self)
{
  g_rc_box_release_full (self, clear_store);
}

static void
call_free (Call *call)
{
  unref_store (call->store);
  g_object_unref (call->request);
  g_free (call);
}

/* Words */

static HpRedisWord
word (const char *text)
{
  return (HpRedisWord){ text, strlen (text) };
}

static char *
make_key (HpRedisStore *self, const char *type, const char *name)
{
  GString *key = g_string_new (self->key_prefix);

  g_string_append_printf (key, ":%s:", type);
  for (; *name != '\0'; name++)
    if (strchr ("{}%", *name) != NULL)
      g_string_append_printf (key, "%%%02X", *name);
    else
      g_string_append_c (key, *name);
  return g_string_free (key, FALSE);
}

/* Both in seconds */

static gint64
get_lifetime (Call *call)
{
  return MIN (hp_registry_request_get_lifetime (call->request),
              LIFETIME_LIMIT);
}

static gint64
get_presence (Call *call)
{
  return MIN (call->store->limits->presence_lifetime, get_lifetime (call));
}

static gboolean
can_send (HpRedisStore *self)
{
  return self->commands != NULL
         && hp_redis_line_get_error (self->commands) == NULL;
}

/* Answers */

static void
fail_request (HpRegistryRequest *request, GIOErrorEnum code,
              const char *message)
{
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, code, message);

  hp_registry_request_return_error (request, error);
}

static void
answer (HpRegistryRequest *request, const char *id, const char *fingerprint,
        const char *server)
{
  g_autoptr (HpRegistration) registration
      = g_object_new (HP_TYPE_REGISTRATION, "id", id, "fingerprint",
                      fingerprint, "server", server, NULL);

  hp_registry_request_return_registration (request, registration);
}

/* @reply: a value, and the milliseconds that it still has */
static void
answer_value (HpRegistryRequest *request, const HpRedisReply *reply)
{
  const HpRedisReply *value = hp_redis_reply_get_element (reply, 0);
  const HpRedisReply *left = hp_redis_reply_get_element (reply, 1);
  const char *text
      = value != NULL ? hp_redis_reply_get_text (value, NULL) : NULL;
  g_auto (GStrv) parts = text != NULL ? g_strsplit (text, " ", 5) : NULL;
  gint64 lifetime;
  gint64 presence;

  if (parts == NULL || left == NULL || g_strv_length (parts) < 4)
    {
      fail_request (request, G_IO_ERROR_INVALID_DATA,
                    "In Redis there is something else than a registration");
      return;
    }
  lifetime = g_ascii_strtoll (parts[2], NULL, 10);
  presence = g_ascii_strtoll (parts[3], NULL, 10);
  answer (request, hp_registry_request_get_id (request), parts[0],
          lifetime - hp_redis_reply_get_integer (left) < presence ? parts[1]
                                                                  : NULL);
}

/* Where the owner is, unless the script has written that */
static void
set_place (Call *call)
{
  HpRedisStore *store = call->store;
  const char *fingerprint
      = hp_registry_request_get_fingerprint (call->request);
  g_autofree char *key = make_key (store, "key", fingerprint);
  g_autofree char *presence = g_strdup_printf (
      "%" G_GINT64_FORMAT, get_presence (call) * 1000);
  const HpRedisWord words[]
      = { word ("SET"), word (key), word (store->server_name), word ("PX"),
          word (presence) };

  if (call->was_split && can_send (store))
    hp_redis_line_send (store->commands, G_N_ELEMENTS (words), words, NULL,
                        NULL);
}

static void
answer_call (Call *call, const HpRedisReply *reply)
{
  HpRegistryRequest *request = call->request;
  const char *fingerprint = hp_registry_request_get_fingerprint (request);
  const char *text = hp_redis_reply_get_text (reply, NULL);

  switch (call->question)
    {
    case HP_REDIS_CLAIM:
      if (hp_redis_reply_get_integer (reply) == 1)
        {
          set_place (call);
          answer (request, hp_registry_request_get_id (request), fingerprint,
                  call->store->server_name);
        }
      else
        answer_value (request, reply);
      break;
    case HP_REDIS_LOOKUP:
      if (hp_redis_reply_get_element (reply, 0) != NULL)
        answer_value (request, reply);
      else
        hp_registry_request_return_registration (request, NULL);
      break;
    case HP_REDIS_RELEASE:
      hp_registry_request_return_registration (request, NULL);
      break;
    case HP_REDIS_LOOKUP_KEY:
      if (text != NULL)
        answer (request, NULL, fingerprint, text);
      else
        hp_registry_request_return_registration (request, NULL);
      break;
    case HP_REDIS_POST:
      if (hp_redis_reply_get_integer (reply) > 0)
        hp_registry_request_return_registration (request, NULL);
      else
        fail_request (request, G_IO_ERROR_NOT_FOUND,
                      "The other match server is gone");
      break;
    }
}

/* Calls */

static void send_call (Call *call);

static gboolean
send_again (Call *call)
{
  if (!can_send (call->store))
    return FALSE;
  send_call (call);
  return TRUE;
}

/* Whether it is answered, rather than asked in another way */
static gboolean
handle_error (Call *call, const char *text)
{
  HpRedisStore *store = call->store;
  HpRedisTrouble trouble = hp_redis_trouble_from_text (text);
  g_autoptr (GError) error = hp_redis_error_from_text (text);

  g_prefix_error (&error, "%s: ", store->uri->label);
  if (trouble == HP_REDIS_TROUBLE_NO_SCRIPT && !call->wants_source)
    {
      call->wants_source = TRUE;
      if (send_again (call))
        return FALSE;
    }
  if (trouble == HP_REDIS_TROUBLE_CROSS_SLOT && !call->was_split)
    {
      store->is_cluster = TRUE;
      if (send_again (call))
        return FALSE;
    }
  hp_registry_request_return_error (call->request, error);
  /* By its name the new primary is to be found. */
  if (trouble == HP_REDIS_TROUBLE_READ_ONLY && store->commands != NULL)
    hp_redis_line_restart (store->commands, error);
  return TRUE;
}

static void
on_reply (const HpRedisReply *reply, const GError *error, gpointer user_data)
{
  Call *call = user_data;
  const char *text
      = reply != NULL ? hp_redis_reply_get_error (reply) : NULL;

  if (error != NULL)
    hp_registry_request_return_error (call->request, error);
  else if (text == NULL)
    answer_call (call, reply);
  else if (!handle_error (call, text))
    return;
  call_free (call);
}

static void
send_script (Call *call, const Script *script, const char *n_keys,
             guint n_arguments, const char *const arguments[])
{
  HpRedisWord words[10];

  words[0] = word (call->wants_source ? "EVAL" : "EVALSHA");
  words[1] = word (call->wants_source ? script->source : script->digest);
  words[2] = word (n_keys);
  g_assert (n_arguments + 3 <= G_N_ELEMENTS (words));
  for (guint i = 0; i < n_arguments; i++)
    words[3 + i] = word (arguments[i]);
  hp_redis_line_send (call->store->commands, 3 + n_arguments, words, on_reply,
                      call);
}

static void
send_claim (Call *call, const char *id_key)
{
  HpRedisStore *store = call->store;
  const char *fingerprint
      = hp_registry_request_get_fingerprint (call->request);
  g_autofree char *lifetime = g_strdup_printf (
      "%" G_GINT64_FORMAT, get_lifetime (call) * 1000);
  g_autofree char *presence = g_strdup_printf (
      "%" G_GINT64_FORMAT, get_presence (call) * 1000);
  g_autofree char *value
      = g_strjoin (" ", fingerprint, store->server_name, lifetime, presence,
                   NULL);
  g_autofree char *key = make_key (store, "key", fingerprint);
  const char *const whole[]
      = { id_key, key, value, lifetime, store->server_name, presence };
  const char *const half[] = { id_key, value, lifetime };

  call->was_split = store->is_cluster;
  if (store->is_cluster)
    send_script (call, &claim_script, "1", G_N_ELEMENTS (half), half);
  else
    send_script (call, &claim_script, "2", G_N_ELEMENTS (whole), whole);
}

static void
send_post (Call *call)
{
  HpRedisStore *store = call->store;
  g_autofree char *channel = make_key (
      store, "server", hp_registry_request_get_server (call->request));
  HpRedisWord words[] = { word ("PUBLISH"), word (channel), { NULL, 0 } };

  words[2].bytes = g_bytes_get_data (
      hp_registry_request_get_message (call->request), &words[2].length);
  if (words[2].bytes == NULL)
    words[2].bytes = "";
  hp_redis_line_send (store->commands, G_N_ELEMENTS (words), words, on_reply,
                      call);
}

static void
send_call (Call *call)
{
  HpRedisStore *store = call->store;
  const char *id = hp_registry_request_get_id (call->request);
  const char *fingerprint
      = hp_registry_request_get_fingerprint (call->request);
  gboolean is_of_id = id != NULL;
  g_autofree char *key
      = is_of_id ? make_key (store, "id", id)
        : fingerprint != NULL ? make_key (store, "key", fingerprint)
                              : NULL;
  const char *const arguments[] = { key, fingerprint, store->server_name };
  const HpRedisWord get[] = { word ("GET"), word (key != NULL ? key : "") };

  switch (call->question)
    {
    case HP_REDIS_CLAIM:
      send_claim (call, key);
      break;
    case HP_REDIS_LOOKUP:
      send_script (call, &lookup_script, "1", 1, arguments);
      break;
    case HP_REDIS_RELEASE:
      send_script (call, &release_script, "1", 3, arguments);
      break;
    case HP_REDIS_LOOKUP_KEY:
      hp_redis_line_send (store->commands, 2, get, on_reply, call);
      break;
    case HP_REDIS_POST:
      send_post (call);
      break;
    }
}

static gboolean
is_well_formed (HpRedisQuestion question, HpRegistryRequest *request)
{
  guint8 key[HP_KEY_SIZE];

  return (question != HP_REDIS_CLAIM && question != HP_REDIS_RELEASE)
         || hp_fingerprint_parse (
             hp_registry_request_get_fingerprint (request), key);
}

void
hp_redis_store_handle (HpRedisStore *self, HpRedisQuestion question,
                       HpRegistryRequest *request)
{
  const GError *error = self->commands != NULL
                            ? hp_redis_line_get_error (self->commands)
                            : NULL;
  Call *call;

  if (self->commands == NULL)
    fail_request (request, G_IO_ERROR_CLOSED, "The registry is closed");
  else if (!is_well_formed (question, request))
    fail_request (request, G_IO_ERROR_INVALID_ARGUMENT,
                  "This is not a fingerprint");
  else if (error != NULL)
    hp_registry_request_return_error (request, error);
  else if (hp_redis_line_get_waiting (self->commands)
           >= self->limits->max_in_flight)
    fail_request (request, G_IO_ERROR_BUSY,
                  "Too many requests to Redis are under way");
  else
    {
      call = g_new0 (Call, 1);
      call->store = g_rc_box_acquire (self);
      call->question = question;
      call->request = g_object_ref (request);
      send_call (call);
    }
}

/* Lines */

gboolean
hp_redis_store_is_connected (HpRedisStore *self)
{
  return self->commands != NULL && hp_redis_line_is_up (self->commands)
         && hp_redis_line_is_up (self->subscription);
}

static void
on_changed (gpointer owner)
{
  HpRedisStore *self = owner;
  gboolean is_connected = hp_redis_store_is_connected (self);

  if (is_connected == self->is_connected)
    return;
  self->is_connected = is_connected;
  self->hooks->connected_changed (self->owner);
}

static void
on_received (gpointer owner, const void *bytes, gsize length)
{
  HpRedisStore *self = owner;

  self->hooks->received (self->owner, bytes, length);
}

static const HpRedisLineHooks line_hooks = {
  .changed = on_changed,
  .received = on_received,
};

static void
open_lines (HpRedisStore *self, guint timeout)
{
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();
  g_autofree char *client_name
      = g_strdup_printf ("hole-punch:%s", self->server_name);
  g_autofree char *channel = make_key (self, "server", self->server_name);

  self->commands = hp_redis_line_new (
      self->uri, context, timeout * G_TIME_SPAN_MILLISECOND, client_name, NULL,
      &line_hooks, self);
  self->subscription = hp_redis_line_new (
      self->uri, context, timeout * G_TIME_SPAN_MILLISECOND, client_name,
      channel, &line_hooks, self);
}

HpRedisStore *
hp_redis_store_new (const HpRedisStoreConfig *config,
                    const HpRedisStoreLimits *limits,
                    const HpRedisStoreHooks *hooks, gpointer owner,
                    GError **error)
{
  static GOnce once = G_ONCE_INIT;
  HpRedisUri *uri = hp_redis_uri_parse (config->uri, error);
  HpRedisStore *self;

  if (uri == NULL)
    return NULL;
  if (uri->uses_tls
      && !g_tls_backend_supports_tls (g_tls_backend_get_default ()))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                   "%s: GIO has no TLS here; install glib-networking",
                   uri->label);
      hp_redis_uri_free (uri);
      return NULL;
    }
  g_once (&once, digest_scripts, NULL);
  self = g_rc_box_new0 (HpRedisStore);
  self->uri = uri;
  self->key_prefix = g_strdup (config->key_prefix);
  self->server_name = g_strdup (config->server_name);
  self->limits = limits;
  self->hooks = hooks;
  self->owner = owner;
  open_lines (self, config->timeout);
  return self;
}

void
hp_redis_store_close (HpRedisStore *self)
{
  HpRedisLine *commands = g_steal_pointer (&self->commands);
  HpRedisLine *subscription = g_steal_pointer (&self->subscription);

  if (subscription != NULL)
    hp_redis_line_free (subscription);
  if (commands != NULL)
    hp_redis_line_free (commands);
  unref_store (self);
}
