/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-redis-registry-private.h"

#include "hole-punch/engine/hp-match-service.h"
#include "hole-punch/secure/hp-crypto.h"

#include <string.h>

/**
 * SECTION:hp-redis-registry
 * @title: HpRedisRegistry
 * @short_description: A registry that several match servers share in Redis
 *
 * Match servers whose #HpMatchServer:registry is an #HpRedisRegistry of the
 * same Redis database find each other's peers: a peer of one is introduced to
 * peers of all. Ids stay with their owners, whichever server these come to, and
 * when servers restart.
 *
 * |[<!-- language="Python" -->
 * server = HolePunch.MatchServer(
 *     registry=HolePunch.RedisRegistry(uri='redis://:secret@example.org'))
 * ]|
 *
 * It connects when it is made, from the default context of the thread that
 * makes it, which must be that of the match server; nothing it does blocks.
 * There is a connection for commands and one for messages from other servers.
 * When they are lost, it connects again by itself, asking for the address of
 * Redis anew. Until then every request fails at once, and every request that
 * gets no answer within #HpRedisRegistry:timeout fails then; a match server
 * goes on with the peers that it has.
 *
 * An error that is told is %G_IO_ERROR_TIMED_OUT, %G_IO_ERROR_BUSY (more than
 * #HpRedisRegistry:max-in-flight at a time, or Redis is starting),
 * %G_IO_ERROR_PERMISSION_DENIED (password, or access control list),
 * %G_IO_ERROR_NO_SPACE (Redis is out of memory), %G_IO_ERROR_READ_ONLY (a
 * replica), %G_IO_ERROR_NOT_SUPPORTED (built without Redis),
 * %G_IO_ERROR_INVALID_ARGUMENT (#HpRedisRegistry:uri or another property is
 * malformed), or whatever GIO says of the connection.
 *
 * A user of Redis with an access control list needs the commands AUTH, CLIENT
 * SETNAME, DEL, EVAL, EVALSHA, GET, PEXPIRE, PING, PTTL, PUBLISH, SELECT, SET
 * and SUBSCRIBE, the keys `hole-punch:*` and the channels `hole-punch:*`. Of
 * Redis Cluster it speaks to one node only, so there is to be a proxy before
 * it.
 */

/**
 * HpRedisRegistry:
 *
 * A #HpRegistry that several match servers share in Redis.
 *
 * Since: 1.0
 */

#define DEFAULT_KEY_PREFIX "hole-punch"
#define DEFAULT_TIMEOUT 3000
#define DEFAULT_MAX_IN_FLIGHT 10000
#define DEFAULT_PRESENCE_LIFETIME 180

static void hp_redis_registry_iface_init (HpRegistryInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (
    HpRedisRegistry, hp_redis_registry, G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (HP_TYPE_REGISTRY, hp_redis_registry_iface_init))

typedef enum
{
  PROP_URI = 1,
  PROP_KEY_PREFIX,
  PROP_SERVER_NAME,
  PROP_TIMEOUT,
  PROP_CONNECTED,
  PROP_MAX_IN_FLIGHT,
  PROP_PRESENCE_LIFETIME,
} HpRedisRegistryProperty;

static GParamSpec *properties[PROP_PRESENCE_LIFETIME + 1];

/* Requests */

static void
handle (HpRegistry *registry, HpRedisQuestion question,
        HpRegistryRequest *request)
{
  HpRedisRegistry *self = HP_REDIS_REGISTRY (registry);

  if (self->store != NULL)
    hp_redis_store_handle (self->store, question, request);
  else
    hp_registry_request_return_error (request, self->error);
}

static void
hp_redis_registry_claim (HpRegistry *registry, HpRegistryRequest *request)
{
  handle (registry, HP_REDIS_CLAIM, request);
}

static void
hp_redis_registry_lookup (HpRegistry *registry, HpRegistryRequest *request)
{
  handle (registry, HP_REDIS_LOOKUP, request);
}

static void
hp_redis_registry_release (HpRegistry *registry, HpRegistryRequest *request)
{
  handle (registry, HP_REDIS_RELEASE, request);
}

static void
hp_redis_registry_lookup_key (HpRegistry *registry, HpRegistryRequest *request)
{
  handle (registry, HP_REDIS_LOOKUP_KEY, request);
}

static void
hp_redis_registry_post (HpRegistry *registry, HpRegistryRequest *request)
{
  handle (registry, HP_REDIS_POST, request);
}

static char *
hp_redis_registry_dup_server_name (HpRegistry *registry)
{
  return g_strdup (HP_REDIS_REGISTRY (registry)->server_name);
}

static void
hp_redis_registry_iface_init (HpRegistryInterface *iface)
{
  iface->claim = hp_redis_registry_claim;
  iface->lookup = hp_redis_registry_lookup;
  iface->release = hp_redis_registry_release;
  iface->lookup_key = hp_redis_registry_lookup_key;
  iface->post = hp_redis_registry_post;
  iface->dup_server_name = hp_redis_registry_dup_server_name;
}

/* The store's tidings */

static void
on_connected_changed (gpointer owner)
{
  g_object_notify_by_pspec (owner, properties[PROP_CONNECTED]);
}

static void
on_received (gpointer owner, const void *bytes, gsize length)
{
  g_autoptr (GBytes) message = g_bytes_new (bytes, length);

  g_signal_emit_by_name (owner, "message-received", message);
}

static const HpRedisStoreHooks store_hooks = {
  .connected_changed = on_connected_changed,
  .received = on_received,
};

/* Life */

static gboolean
is_plain (const char *text)
{
  for (; *text != '\0'; text++)
    if (!g_ascii_isgraph (*text))
      return FALSE;
  return TRUE;
}

static HpRedisStore *
open_store (HpRedisRegistry *self, GError **error)
{
  const HpRedisStoreConfig config = {
    .uri = self->uri,
    .key_prefix = self->key_prefix,
    .server_name = self->server_name,
    .timeout = self->timeout,
  };

  if (self->uri == NULL)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                 "HpRedisRegistry:uri, the address of Redis, is not set");
  else if (strlen (self->server_name) > HP_MATCH_SERVER_NAME_MAX_SIZE
           || *self->server_name == '\0' || !is_plain (self->server_name))
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                 "“%s” is not a server name: 1 to %d printable ASCII "
                 "characters and no space",
                 self->server_name, HP_MATCH_SERVER_NAME_MAX_SIZE);
  else if (*self->key_prefix == '\0' || !is_plain (self->key_prefix))
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                 "“%s” is not a key prefix: printable ASCII characters and no "
                 "space",
                 self->key_prefix);
  else
    return hp_redis_store_new (&config, &self->limits, &store_hooks, self,
                               error);
  return NULL;
}

static void
hp_redis_registry_constructed (GObject *object)
{
  HpRedisRegistry *self = HP_REDIS_REGISTRY (object);

  G_OBJECT_CLASS (hp_redis_registry_parent_class)->constructed (object);
  if (self->key_prefix == NULL)
    self->key_prefix = g_strdup (DEFAULT_KEY_PREFIX);
  if (self->server_name == NULL)
    self->server_name
        = g_strdup_printf ("%08x%08x", g_random_int (), g_random_int ());
  self->store = open_store (self, &self->error);
}

static void
hp_redis_registry_dispose (GObject *object)
{
  HpRedisRegistry *self = HP_REDIS_REGISTRY (object);

  if (self->error == NULL)
    self->error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CLOSED,
                                       "The registry is closed");
  g_clear_pointer (&self->store, hp_redis_store_close);
  G_OBJECT_CLASS (hp_redis_registry_parent_class)->dispose (object);
}

static void
hp_redis_registry_finalize (GObject *object)
{
  HpRedisRegistry *self = HP_REDIS_REGISTRY (object);

  /* There may be a password in it. */
  if (self->uri != NULL)
    hp_crypto_wipe (self->uri, strlen (self->uri));
  g_free (self->uri);
  g_free (self->key_prefix);
  g_free (self->server_name);
  g_clear_error (&self->error);
  G_OBJECT_CLASS (hp_redis_registry_parent_class)->finalize (object);
}

static void
hp_redis_registry_get_property (GObject *object, guint property_id,
                                GValue *value, GParamSpec *pspec)
{
  HpRedisRegistry *self = HP_REDIS_REGISTRY (object);

  switch ((HpRedisRegistryProperty) property_id)
    {
    case PROP_URI:
      g_value_set_string (value, self->uri);
      break;
    case PROP_KEY_PREFIX:
      g_value_set_string (value, self->key_prefix);
      break;
    case PROP_SERVER_NAME:
      g_value_set_string (value, self->server_name);
      break;
    case PROP_TIMEOUT:
      g_value_set_uint (value, self->timeout);
      break;
    case PROP_CONNECTED:
      g_value_set_boolean (value, hp_redis_registry_get_connected (self));
      break;
    case PROP_MAX_IN_FLIGHT:
      g_value_set_uint (value, self->limits.max_in_flight);
      break;
    case PROP_PRESENCE_LIFETIME:
      g_value_set_uint (value, self->limits.presence_lifetime);
      break;
    }
}

static void
hp_redis_registry_set_property (GObject *object, guint property_id,
                                const GValue *value, GParamSpec *pspec)
{
  HpRedisRegistry *self = HP_REDIS_REGISTRY (object);

  switch ((HpRedisRegistryProperty) property_id)
    {
    case PROP_URI:
      self->uri = g_value_dup_string (value);
      break;
    case PROP_KEY_PREFIX:
      self->key_prefix = g_value_dup_string (value);
      break;
    case PROP_SERVER_NAME:
      self->server_name = g_value_dup_string (value);
      break;
    case PROP_TIMEOUT:
      self->timeout = g_value_get_uint (value);
      break;
    case PROP_MAX_IN_FLIGHT:
      hp_redis_registry_set_max_in_flight (self, g_value_get_uint (value));
      break;
    case PROP_PRESENCE_LIFETIME:
      hp_redis_registry_set_presence_lifetime (self, g_value_get_uint (value));
      break;
    case PROP_CONNECTED:
      g_assert_not_reached ();
    }
}

static void
install_settings (GObjectClass *object_class)
{
  const GParamFlags once = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY
                           | G_PARAM_STATIC_STRINGS;

  /**
   * HpRedisRegistry:uri:
   *
   * Where Redis is: `redis://[[user]:password@]host[:port][/database]`, the
   * same with `rediss://` for TLS, or
   * `unix://[[user]:password@]/path[?db=database]`. Special characters in user
   * and password are written as in all URIs: `%40` for `@`. TLS is that of GIO
   * (glib-networking), which trusts whom g_tls_backend_get_default_database()
   * does: the system's certificate authorities.
   *
   * Since: 1.0
   */
  properties[PROP_URI]
      = g_param_spec_string ("uri", "URI", "Where Redis is", NULL, once);
  /**
   * HpRedisRegistry:key-prefix:
   *
   * What all keys and channels in Redis begin with, before a colon. Match
   * servers share what has the same prefix.
   *
   * Since: 1.0
   */
  properties[PROP_KEY_PREFIX]
      = g_param_spec_string ("key-prefix", "Key prefix",
                             "Beginning of all keys", DEFAULT_KEY_PREFIX,
                             once);
  /**
   * HpRedisRegistry:server-name:
   *
   * The name of this match server, which no other one of the same Redis may
   * have; a random one unless set. At most 64 printable ASCII characters
   * without a space.
   *
   * Since: 1.0
   */
  properties[PROP_SERVER_NAME]
      = g_param_spec_string ("server-name", "Server name",
                             "Name of this match server", NULL, once);
  /**
   * HpRedisRegistry:timeout:
   *
   * How long Redis may take for an answer, in milliseconds. After that the
   * request fails; when there is no answer at all for twice as long, the
   * connection is made anew.
   *
   * Since: 1.0
   */
  properties[PROP_TIMEOUT] = g_param_spec_uint (
      "timeout", "Timeout", "Milliseconds to wait for an answer", 1, 60000,
      DEFAULT_TIMEOUT, once);
}

static void
hp_redis_registry_class_init (HpRedisRegistryClass *klass)
{
  const GParamFlags changeable = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY
                                 | G_PARAM_STATIC_STRINGS;
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->constructed = hp_redis_registry_constructed;
  object_class->dispose = hp_redis_registry_dispose;
  object_class->finalize = hp_redis_registry_finalize;
  object_class->get_property = hp_redis_registry_get_property;
  object_class->set_property = hp_redis_registry_set_property;

  install_settings (object_class);
  /**
   * HpRedisRegistry:connected:
   *
   * Whether Redis answers, and messages from other match servers arrive.
   *
   * Since: 1.0
   */
  properties[PROP_CONNECTED] = g_param_spec_boolean (
      "connected", "Connected", "Whether Redis answers", FALSE,
      G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  /**
   * HpRedisRegistry:max-in-flight:
   *
   * The most requests to Redis that have no answer yet, to bound memory.
   * Further ones fail at once with %G_IO_ERROR_BUSY.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_IN_FLIGHT] = g_param_spec_uint (
      "max-in-flight", "Max in flight", "Most requests without an answer", 1,
      G_MAXUINT, DEFAULT_MAX_IN_FLIGHT, changeable);
  /**
   * HpRedisRegistry:presence-lifetime:
   *
   * For how many seconds after its last claim a peer counts as present at the
   * server that it registered with. Not less than
   * #HpMatchServer:registration-lifetime, which it can be bound to by
   * g_object_bind_property(). A server that ended without a word
   * has its peers looked for in vain for so long, unless they come back to
   * another one.
   *
   * Since: 1.0
   */
  properties[PROP_PRESENCE_LIFETIME] = g_param_spec_uint (
      "presence-lifetime", "Presence lifetime",
      "Seconds that a peer counts as present", 1, G_MAXUINT,
      DEFAULT_PRESENCE_LIFETIME, changeable);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
hp_redis_registry_init (HpRedisRegistry *self)
{
  self->limits.max_in_flight = DEFAULT_MAX_IN_FLIGHT;
  self->limits.presence_lifetime = DEFAULT_PRESENCE_LIFETIME;
}

/**
 * hp_redis_registry_new:
 * @uri: where Redis is: see #HpRedisRegistry:uri
 *
 * Makes a registry in Redis, and begins to connect. That never fails; if it
 * does not work out, requests do.
 *
 * Returns: (transfer full): a new #HpRedisRegistry
 *
 * Since: 1.0
 */
HpRedisRegistry *
hp_redis_registry_new (const char *uri)
{
  g_return_val_if_fail (uri != NULL, NULL);

  return g_object_new (HP_TYPE_REDIS_REGISTRY, "uri", uri, NULL);
}
