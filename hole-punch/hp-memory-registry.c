/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-memory-registry-private.h"

#include "hole-punch/hp-identity-private.h"
#include "hole-punch/hp-punch-error.h"
#include "hole-punch/io/hp-clock.h"

#include <string.h>

/**
 * SECTION:hp-memory-registry
 * @title: HpMemoryRegistry
 * @short_description: A registry in the memory of the program
 *
 * The registry of a match server that is given no other one. It forgets
 * everything when the program ends: an id then belongs to the first identity
 * that registers it again.
 *
 * It is for one thread, the one of the match server, and it needs no main loop:
 * ids that are over are cleared away whenever it is used.
 */

/**
 * HpMemoryRegistry:
 *
 * A #HpRegistry in the memory of the program.
 *
 * Since: 1.0
 */

#define DEFAULT_MAX_SIZE 1000000
#define LIFETIME_LIMIT (G_GINT64_CONSTANT (100) * 365 * 24 * 60 * 60)

struct _HpMemoryRegistry
{
  GObject parent_instance;

  /* Id -> Entry. No GHashTable: strangers choose the ids, and could choose ones
   * with one g_str_hash(). */
  GTree *entries;
  GSequence *by_expiry; /* of the same entries, the next to expire first */
  guint max_size;
  guint notified_size;
  HpClockFunc clock;
};

typedef struct
{
  char *id;
  guint8 holder[HP_KEY_SIZE];
  gint64 expires_at;
  GSequenceIter *place;
} Entry;

static void hp_memory_registry_iface_init (HpRegistryInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (
    HpMemoryRegistry, hp_memory_registry, G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (HP_TYPE_REGISTRY, hp_memory_registry_iface_init))

typedef enum
{
  PROP_SIZE = 1,
  PROP_MAX_SIZE,
} HpMemoryRegistryProperty;

static GParamSpec *properties[PROP_MAX_SIZE + 1];

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  g_sequence_remove (entry->place);
  g_free (entry->id);
  g_free (entry);
}

static int
compare_ids (gconstpointer a, gconstpointer b, gpointer user_data)
{
  return strcmp (a, b);
}

static int
compare_expiry (gconstpointer a, gconstpointer b, gpointer user_data)
{
  gint64 left = ((const Entry *) a)->expires_at;
  gint64 right = ((const Entry *) b)->expires_at;

  return (left > right) - (left < right);
}

static void
remove_expired (HpMemoryRegistry *self, gint64 now)
{
  while (!g_sequence_is_empty (self->by_expiry))
    {
      Entry *first
          = g_sequence_get (g_sequence_get_begin_iter (self->by_expiry));

      if (first->expires_at > now)
        return;
      g_tree_remove (self->entries, first->id);
    }
}

static void
notify_size (HpMemoryRegistry *self)
{
  guint size = g_tree_nnodes (self->entries);

  if (size == self->notified_size)
    return;
  self->notified_size = size;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_SIZE]);
}

static HpRegistration *
make_registration (const Entry *entry)
{
  char fingerprint[HP_FINGERPRINT_LENGTH + 1];

  hp_fingerprint_format (fingerprint, entry->holder);
  return hp_registration_new (entry->id, fingerprint);
}

/* NULL with @error set when there is no room */
static Entry *
add_entry (HpMemoryRegistry *self, const char *id,
           const guint8 holder[HP_KEY_SIZE], gint64 expires_at,
           GError **error)
{
  Entry *entry;

  if (g_tree_nnodes (self->entries) >= self->max_size)
    {
      g_set_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_RATE_LIMITED,
                   "The registry is full (%u ids). Ask again later.",
                   self->max_size);
      return NULL;
    }
  entry = g_new0 (Entry, 1);
  entry->id = g_strdup (id);
  memcpy (entry->holder, holder, HP_KEY_SIZE);
  entry->expires_at = expires_at;
  entry->place = g_sequence_insert_sorted (self->by_expiry, entry,
                                           compare_expiry, NULL);
  g_tree_insert (self->entries, entry->id, entry);
  return entry;
}

/* Makes the claimer the holder if nobody else is; gives the holder's entry. */
static Entry *
claim_entry (HpMemoryRegistry *self, HpRegistryRequest *request, gint64 now,
             GError **error)
{
  const char *id = hp_registry_request_get_id (request);
  const char *fingerprint = hp_registry_request_get_fingerprint (request);
  gint64 lifetime = hp_registry_request_get_lifetime (request);
  gint64 expires_at = now + MIN (lifetime, LIFETIME_LIMIT) * G_USEC_PER_SEC;
  guint8 key[HP_KEY_SIZE];
  Entry *entry = g_tree_lookup (self->entries, id);

  if (!hp_fingerprint_parse (fingerprint, key))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                   "“%s” is not a fingerprint", fingerprint);
      return NULL;
    }
  if (entry == NULL)
    return add_entry (self, id, key, expires_at, error);
  if (memcmp (entry->holder, key, HP_KEY_SIZE) == 0)
    {
      entry->expires_at = expires_at;
      g_sequence_sort_changed (entry->place, compare_expiry, NULL);
    }
  return entry;
}

static void
hp_memory_registry_claim (HpRegistry *registry, HpRegistryRequest *request)
{
  HpMemoryRegistry *self = HP_MEMORY_REGISTRY (registry);
  gint64 now = self->clock ();
  g_autoptr (GError) error = NULL;
  Entry *entry;

  remove_expired (self, now);
  entry = claim_entry (self, request, now, &error);
  if (entry != NULL)
    {
      g_autoptr (HpRegistration) holder = make_registration (entry);

      hp_registry_request_return_registration (request, holder);
    }
  else
    hp_registry_request_return_error (request, error);
  notify_size (self);
}

static void
hp_memory_registry_lookup (HpRegistry *registry, HpRegistryRequest *request)
{
  HpMemoryRegistry *self = HP_MEMORY_REGISTRY (registry);
  g_autoptr (HpRegistration) holder = NULL;
  Entry *entry;

  remove_expired (self, self->clock ());
  entry = g_tree_lookup (self->entries, hp_registry_request_get_id (request));
  if (entry != NULL)
    holder = make_registration (entry);
  hp_registry_request_return_registration (request, holder);
  notify_size (self);
}

static void
hp_memory_registry_release (HpRegistry *registry, HpRegistryRequest *request)
{
  HpMemoryRegistry *self = HP_MEMORY_REGISTRY (registry);
  const char *id = hp_registry_request_get_id (request);
  guint8 key[HP_KEY_SIZE];
  Entry *entry;

  remove_expired (self, self->clock ());
  entry = g_tree_lookup (self->entries, id);
  if (entry != NULL
      && hp_fingerprint_parse (hp_registry_request_get_fingerprint (request),
                               key)
      && memcmp (entry->holder, key, HP_KEY_SIZE) == 0)
    g_tree_remove (self->entries, id);
  hp_registry_request_return_registration (request, NULL);
  notify_size (self);
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

  g_tree_unref (self->entries);
  g_sequence_free (self->by_expiry);
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
   * the registry is used; that time has made it less is not.
   *
   * Since: 1.0
   */
  properties[PROP_SIZE] = g_param_spec_uint (
      "size", "Size", "Number of ids", 0, G_MAXUINT, 0,
      G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  /**
   * HpMemoryRegistry:max-size:
   *
   * The most ids to keep, to bound memory: one takes some 250 bytes. When there
   * are that many, further ones are refused with %HP_PUNCH_ERROR_RATE_LIMITED
   * until some are over; none is dropped for another.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_SIZE] = g_param_spec_uint (
      "max-size", "Max size", "Most ids to keep", 1, G_MAXUINT,
      DEFAULT_MAX_SIZE,
      G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties),
                                     properties);
}

static void
hp_memory_registry_init (HpMemoryRegistry *self)
{
  self->entries = g_tree_new_full (compare_ids, NULL, NULL, entry_free);
  self->by_expiry = g_sequence_new (NULL);
  self->max_size = DEFAULT_MAX_SIZE;
  self->clock = hp_clock_now;
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

  remove_expired (self, self->clock ());
  return g_tree_nnodes (self->entries);
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
