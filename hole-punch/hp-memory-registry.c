/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-memory-registry-inside-private.h"

#include "hole-punch/hp-identity-private.h"
#include "hole-punch/hp-punch-error.h"
#include "hole-punch/io/hp-clock.h"

/**
 * SECTION:hp-memory-registry
 * @title: HpMemoryRegistry
 * @short_description: A registry in the memory of the program
 *
 * The registry of a match server that is given no other one.
 *
 * One that was made by hp_memory_registry_new() forgets everything when the
 * program ends: an id then belongs to the first identity that registers it
 * again. hp_memory_registry_open() makes one that keeps the ids of identities
 * that come back in a file, so that they are theirs when the server is started
 * again, too:
 *
 * |[<!-- language="C" -->
 * registry = hp_memory_registry_open ("/var/lib/match-server/ids", &error);
 * if (registry == NULL)
 *   return FALSE;
 * hp_match_server_set_registry (server, HP_REGISTRY (registry));
 * ]|
 *
 * It is for one thread, the one of the match server. Ids that are over are
 * cleared away whenever it is used, which needs no main loop; the file is
 * written in the background, which does.
 */

/**
 * HpMemoryRegistry:
 *
 * A #HpRegistry in the memory of the program.
 *
 * Since: 1.0
 */

#define DEFAULT_MAX_SIZE 1000000
/* Removed when the size is asked for, which takes milliseconds */
#define MAX_EXPIRED 10000

static void hp_memory_registry_iface_init (HpRegistryInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (
    HpMemoryRegistry, hp_memory_registry, G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (HP_TYPE_REGISTRY, hp_memory_registry_iface_init))

typedef enum
{
  PROP_SIZE = 1,
  PROP_MAX_SIZE,
  PROP_FILENAME,
} HpMemoryRegistryProperty;

static GParamSpec *properties[PROP_FILENAME + 1];

void
hp_memory_registry_notify_size (HpMemoryRegistry *self)
{
  guint size = hp_id_table_get_size (self->table);

  if (size == self->notified_size)
    return;
  self->notified_size = size;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_SIZE]);
}

/* As a registry */

static void
return_holder (HpRegistryRequest *request, const guint8 holder[HP_KEY_SIZE])
{
  char fingerprint[HP_FINGERPRINT_LENGTH + 1];
  g_autoptr (HpRegistration) registration = NULL;

  hp_fingerprint_format (fingerprint, holder);
  registration = hp_registration_new (hp_registry_request_get_id (request),
                                      fingerprint);
  hp_registry_request_return_registration (request, registration);
}

static void
return_refusal (HpMemoryRegistry *self, HpRegistryRequest *request,
                guint refused)
{
  g_autoptr (GError) error = NULL;

  if (refused == HP_REFUSED_RATE_LIMITED)
    error = g_error_new (HP_PUNCH_ERROR, HP_PUNCH_ERROR_RATE_LIMITED,
                         "The registry is full (%u ids). Ask again later.",
                         self->max_size);
  else
    error = g_error_new (G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                         "“%s” cannot be an id",
                         hp_registry_request_get_id (request));
  hp_registry_request_return_error (request, error);
}

static void
hp_memory_registry_claim (HpRegistry *registry, HpRegistryRequest *request)
{
  HpMemoryRegistry *self = HP_MEMORY_REGISTRY (registry);
  const char *fingerprint = hp_registry_request_get_fingerprint (request);
  g_autoptr (GError) error = NULL;
  guint8 key[HP_KEY_SIZE];
  guint refused;

  if (!hp_fingerprint_parse (fingerprint, key))
    {
      error = g_error_new (G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                           "“%s” is not a fingerprint", fingerprint);
      hp_registry_request_return_error (request, error);
      return;
    }
  refused = hp_memory_registry_claim_now (
      self, hp_registry_request_get_id (request), key,
      hp_registry_request_get_lifetime (request),
      hp_registry_request_get_ephemeral (request), key);
  if (refused == 0)
    return_holder (request, key);
  else
    return_refusal (self, request, refused);
}

static void
hp_memory_registry_lookup (HpRegistry *registry, HpRegistryRequest *request)
{
  guint8 holder[HP_KEY_SIZE];

  if (hp_memory_registry_lookup_now (HP_MEMORY_REGISTRY (registry),
                                     hp_registry_request_get_id (request),
                                     holder))
    return_holder (request, holder);
  else
    hp_registry_request_return_registration (request, NULL);
}

static void
hp_memory_registry_release (HpRegistry *registry, HpRegistryRequest *request)
{
  guint8 key[HP_KEY_SIZE];

  if (hp_fingerprint_parse (hp_registry_request_get_fingerprint (request),
                            key))
    hp_memory_registry_release_now (HP_MEMORY_REGISTRY (registry),
                                    hp_registry_request_get_id (request),
                                    key);
  hp_registry_request_return_registration (request, NULL);
}

static void
hp_memory_registry_iface_init (HpRegistryInterface *iface)
{
  iface->claim = hp_memory_registry_claim;
  iface->lookup = hp_memory_registry_lookup;
  iface->release = hp_memory_registry_release;
}

static void
hp_memory_registry_finalize (GObject *object)
{
  HpMemoryRegistry *self = HP_MEMORY_REGISTRY (object);

  /* Which may ask for all that is in the table */
  if (self->file != NULL)
    hp_registry_file_close (self->file);
  hp_id_table_free (self->table);
  G_OBJECT_CLASS (hp_memory_registry_parent_class)->finalize (object);
}

static void
hp_memory_registry_get_property (GObject *object, guint property_id,
                                 GValue *value, GParamSpec *pspec)
{
  HpMemoryRegistry *self = HP_MEMORY_REGISTRY (object);

  switch ((HpMemoryRegistryProperty) property_id)
    {
    case PROP_SIZE:
      g_value_set_uint (value, hp_memory_registry_get_size (self));
      break;
    case PROP_MAX_SIZE:
      g_value_set_uint (value, self->max_size);
      break;
    case PROP_FILENAME:
      g_value_set_string (value, hp_memory_registry_get_filename (self));
      break;
    }
}

static void
hp_memory_registry_set_property (GObject *object, guint property_id,
                                 const GValue *value, GParamSpec *pspec)
{
  HpMemoryRegistry *self = HP_MEMORY_REGISTRY (object);

  switch ((HpMemoryRegistryProperty) property_id)
    {
    case PROP_MAX_SIZE:
      hp_memory_registry_set_max_size (self, g_value_get_uint (value));
      break;
    case PROP_SIZE:
    case PROP_FILENAME:
      g_assert_not_reached ();
    }
}

static void
hp_memory_registry_class_init (HpMemoryRegistryClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = hp_memory_registry_finalize;
  object_class->get_property = hp_memory_registry_get_property;
  object_class->set_property = hp_memory_registry_set_property;

  /**
   * HpMemoryRegistry:size:
   *
   * The number of ids that belong to somebody, present or not. Notified when
   * the registry is used; that time has made it less is not. When very many are
   * over at once, some of them count until they are cleared away.
   *
   * Since: 1.0
   */
  properties[PROP_SIZE] = g_param_spec_uint (
      "size", "Size", "Number of ids", 0, G_MAXUINT, 0,
      G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  /**
   * HpMemoryRegistry:max-size:
   *
   * The most ids to keep, to bound memory: one takes some 80 bytes. When there
   * are that many, further ones are refused with %HP_PUNCH_ERROR_RATE_LIMITED
   * until some are over; none is dropped for another.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_SIZE] = g_param_spec_uint (
      "max-size", "Max size", "Most ids to keep", 1, G_MAXUINT,
      DEFAULT_MAX_SIZE,
      G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  /**
   * HpMemoryRegistry:filename: (type filename)
   *
   * The file that hp_memory_registry_open() was given, or %NULL.
   *
   * Since: 1.0
   */
  properties[PROP_FILENAME] = g_param_spec_string (
      "filename", "Filename", "File that keeps the ids", NULL,
      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
hp_memory_registry_init (HpMemoryRegistry *self)
{
  HpSipKey key;

  hp_random_fill (&hp_crypto_random, &key, sizeof key);
  self->table = hp_id_table_new (&key);
  self->max_size = DEFAULT_MAX_SIZE;
  self->clock = hp_clock_now;
  self->wall_clock = g_get_real_time;
}

void
hp_memory_registry_set_clock (HpMemoryRegistry *self, HpClockFunc clock)
{
  self->clock = clock;
}

/**
 * hp_memory_registry_new:
 *
 * Makes an empty registry.
 *
 * Returns: (transfer full): a new #HpMemoryRegistry
 *
 * Since: 1.0
 */
HpMemoryRegistry *
hp_memory_registry_new (void)
{
  return g_object_new (HP_TYPE_MEMORY_REGISTRY, NULL);
}

/**
 * hp_memory_registry_open:
 * @filename: (type filename): the file, which is made if it is not there
 * @error: return location for a #GError
 *
 * Makes a registry with the ids that are in a file, and keeps them there: those
 * of identities that come back, each with its owner and until when it is the
 * owner's. What changes is written in the background, after a second or so, in
 * the thread-default main context of now; what is left is written when the
 * registry is freed. Only its owner can read the file (mode 0600). It may be
 * read and copied at any time, with all but what is yet to be written; it may
 * be changed or deleted while no match server uses it.
 *
 * When the file cannot be written later, because the disk is full, say, the
 * registry goes on without it, tells that in the log, and tries again each
 * minute until everything is in the file.
 *
 * Fails with a #GFileError when the file cannot be opened,
 * with %G_IO_ERROR_BUSY when another registry uses it, and with
 * %G_IO_ERROR_INVALID_DATA when it is a file of another kind. A damaged line is
 * passed over, and told in the log.
 *
 * Returns: (transfer full): a new #HpMemoryRegistry, or %NULL with @error set
 *
 * Since: 1.0
 */
HpMemoryRegistry *
hp_memory_registry_open (const char *filename, GError **error)
{
  g_return_val_if_fail (filename != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return hp_memory_registry_open_with_clocks (filename, hp_clock_now,
                                              g_get_real_time, error);
}

/**
 * hp_memory_registry_get_filename:
 * @self: a #HpMemoryRegistry
 *
 * Gets #HpMemoryRegistry:filename.
 *
 * Returns: (type filename) (nullable): the name of a file, or %NULL
 *
 * Since: 1.0
 */
const char *
hp_memory_registry_get_filename (HpMemoryRegistry *self)
{
  g_return_val_if_fail (HP_IS_MEMORY_REGISTRY (self), NULL);

  return self->file != NULL ? hp_registry_file_get_name (self->file) : NULL;
}

/**
 * hp_memory_registry_get_size:
 * @self: a #HpMemoryRegistry
 *
 * Gets #HpMemoryRegistry:size.
 *
 * Returns: a number of ids
 *
 * Since: 1.0
 */
guint
hp_memory_registry_get_size (HpMemoryRegistry *self)
{
  g_return_val_if_fail (HP_IS_MEMORY_REGISTRY (self), 0);

  hp_memory_registry_remove_expired (self, MAX_EXPIRED);
  return hp_id_table_get_size (self->table);
}

/**
 * hp_memory_registry_get_max_size:
 * @self: a #HpMemoryRegistry
 *
 * Gets #HpMemoryRegistry:max-size.
 *
 * Returns: a number of ids
 *
 * Since: 1.0
 */
guint
hp_memory_registry_get_max_size (HpMemoryRegistry *self)
{
  g_return_val_if_fail (HP_IS_MEMORY_REGISTRY (self), 0);

  return self->max_size;
}

/**
 * hp_memory_registry_set_max_size:
 * @self: a #HpMemoryRegistry
 * @max_size: a number of ids, at least 1
 *
 * Sets #HpMemoryRegistry:max-size. Ids that are there already stay.
 *
 * Since: 1.0
 */
void
hp_memory_registry_set_max_size (HpMemoryRegistry *self, guint max_size)
{
  g_return_if_fail (HP_IS_MEMORY_REGISTRY (self));
  g_return_if_fail (max_size > 0);

  if (max_size == self->max_size)
    return;
  self->max_size = max_size;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_MAX_SIZE]);
}
