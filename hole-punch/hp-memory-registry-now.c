/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Whose ids are, in memory and in the file */

#include "hole-punch/hp-memory-registry-inside-private.h"

#include <string.h>

#define LIFETIME_LIMIT (G_GINT64_CONSTANT (100) * 365 * 24 * 60 * 60)
#define DAY (24 * 60 * 60)
/* Of ids that are over, removed at each use, which takes microseconds */
#define FEW 64
/* Looked at for the file, at a time, which takes some 0.3 ms */
#define PIECES_AT_A_TIME 1024
/* No lifetime: what the file has told is in one queue. */
#define LOADED (-1)

/* The file */

/* When the ownership ends, in seconds of the wall clock */
static gint64
get_end (HpMemoryRegistry *self, const HpIdEntry *entry, gint64 now)
{
  return (self->wall_clock () + entry->expires_at - now) / G_USEC_PER_SEC;
}

/* The day of that end, as far as the file is concerned. It is another hour for
 * each key at which the day begins: what is refreshed all the time is written
 * once a day, but not all of it at midnight. Never 0. */
static guint16
get_day (const HpIdEntry *entry, gint64 end)
{
  guint32 phase;

  memcpy (&phase, entry->holder, sizeof phase);
  return CLAMP ((end + phase % DAY) / DAY, 1, G_MAXUINT16);
}

static void
store (HpMemoryRegistry *self, HpIdEntry *entry, gint64 now)
{
  gint64 end;
  guint16 day;

  if (self->file == NULL)
    return;
  end = get_end (self, entry, now);
  day = get_day (entry, end);
  if (day == entry->stored_day)
    return;
  self->n_stored += entry->stored_day == 0;
  entry->stored_day = day;
  hp_registry_file_add (self->file, entry->id, entry->id_length,
                        entry->holder, end);
}

static void
unstore (HpMemoryRegistry *self, HpIdEntry *entry)
{
  if (entry->stored_day == 0)
    return;
  self->n_stored--;
  entry->stored_day = 0;
  hp_registry_file_add (self->file, entry->id, entry->id_length,
                        entry->holder, 0);
}

static void
remove_entry (HpMemoryRegistry *self, HpIdRef ref)
{
  self->n_stored -= hp_id_table_get (self->table, ref)->stored_day != 0;
  hp_id_table_remove (self->table, ref);
}

static void
load (gpointer user_data, const char *id, gsize length,
      const guint8 key[HP_KEY_SIZE], gint64 end)
{
  HpMemoryRegistry *self = user_data;
  HpIdRef ref = hp_id_table_find (self->table, id, length);
  /* It may have been refreshed for a day without a line. */
  gint64 left = end + DAY - self->wall_clock () / G_USEC_PER_SEC;
  HpIdEntry *entry;

  if (end == 0 || left <= 0)
    {
      if (ref != 0)
        remove_entry (self, ref);
      return;
    }
  if (ref == 0)
    ref = hp_id_table_add (self->table, id, length);
  if (ref == 0)
    return;
  entry = hp_id_table_get (self->table, ref);
  memcpy (entry->holder, key, HP_KEY_SIZE);
  entry->expires_at
      = self->clock () + MIN (left, LIFETIME_LIMIT) * G_USEC_PER_SEC;
  self->n_stored += entry->stored_day == 0;
  entry->stored_day = get_day (entry, end);
}

static guint
count_stored (gpointer user_data)
{
  return ((HpMemoryRegistry *) user_data)->n_stored;
}

static gboolean
tell_some (gpointer user_data, gboolean restart)
{
  HpMemoryRegistry *self = user_data;
  gint64 now = self->clock ();
  guint n_pieces = PIECES_AT_A_TIME;
  HpIdRef ref;

  if (restart)
    self->cursor = (HpIdCursor){ 0, 0 };
  while ((ref = hp_id_table_next (self->table, &self->cursor, &n_pieces))
         != 0)
    {
      HpIdEntry *entry = hp_id_table_get (self->table, ref);
      gint64 end = get_end (self, entry, now);

      if (entry->stored_day == 0 || entry->expires_at <= now)
        continue;
      entry->stored_day = get_day (entry, end);
      hp_registry_file_tell (self->file, entry->id, entry->id_length,
                             entry->holder, end);
    }
  return n_pieces == 0;
}

static const HpRegistryFileClass file_class = {
  .load = load,
  .count = count_stored,
  .tell_some = tell_some,
};

/* Ids */

static void
remove_expired (HpMemoryRegistry *self, gint64 now, guint max)
{
  HpIdRef ref;

  while (max-- > 0 && (ref = hp_id_table_find_expired (self->table, now)) != 0)
    remove_entry (self, ref);
}

void
hp_memory_registry_remove_expired (HpMemoryRegistry *self, guint max)
{
  remove_expired (self, self->clock (), max);
}

/* 0: nobody's */
static HpIdRef
find (HpMemoryRegistry *self, const char *id, gint64 now)
{
  gsize length = strlen (id);
  HpIdRef ref;

  remove_expired (self, now, FEW);
  if (length == 0 || length > HP_ID_TABLE_MAX_ID_SIZE)
    return 0;
  ref = hp_id_table_find (self->table, id, length);
  if (ref == 0 || hp_id_table_get (self->table, ref)->expires_at > now)
    return ref;
  remove_entry (self, ref);
  return 0;
}

/* NULL with @refused set if it cannot be */
static HpIdEntry *
claim (HpMemoryRegistry *self, const char *id, const guint8 key[HP_KEY_SIZE],
       gint64 lifetime, gboolean ephemeral, guint *refused)
{
  gint64 now = self->clock ();
  gint64 duration = MIN (lifetime, LIFETIME_LIMIT) * G_USEC_PER_SEC;
  HpIdRef ref = find (self, id, now);
  HpIdEntry *entry;

  if (ref == 0)
    {
      gsize length = strlen (id);

      *refused = HP_REFUSED_INVALID;
      if (length == 0 || length > HP_ID_TABLE_MAX_ID_SIZE)
        return NULL;
      *refused = HP_REFUSED_RATE_LIMITED;
      if (hp_id_table_get_size (self->table) >= self->max_size)
        return NULL;
      ref = hp_id_table_add (self->table, id, length);
      if (ref == 0)
        return NULL;
      memcpy (hp_id_table_get (self->table, ref)->holder, key, HP_KEY_SIZE);
    }
  entry = hp_id_table_get (self->table, ref);
  if (memcmp (entry->holder, key, HP_KEY_SIZE) != 0)
    return entry;
  hp_id_table_set_expiry (self->table, ref, now + duration, duration);
  if (ephemeral)
    unstore (self, entry);
  else
    store (self, entry, now);
  return entry;
}

guint
hp_memory_registry_claim_now (HpMemoryRegistry *self, const char *id,
                              const guint8 key[HP_KEY_SIZE], gint64 lifetime,
                              gboolean ephemeral, guint8 holder[HP_KEY_SIZE])
{
  guint refused = 0;
  HpIdEntry *entry = claim (self, id, key, lifetime, ephemeral, &refused);

  if (entry != NULL)
    memcpy (holder, entry->holder, HP_KEY_SIZE);
  hp_memory_registry_notify_size (self);
  return entry != NULL ? 0 : refused;
}

gboolean
hp_memory_registry_lookup_now (HpMemoryRegistry *self, const char *id,
                               guint8 holder[HP_KEY_SIZE])
{
  HpIdRef ref = find (self, id, self->clock ());

  if (ref != 0)
    memcpy (holder, hp_id_table_get (self->table, ref)->holder, HP_KEY_SIZE);
  hp_memory_registry_notify_size (self);
  return ref != 0;
}

void
hp_memory_registry_release_now (HpMemoryRegistry *self, const char *id,
                                const guint8 key[HP_KEY_SIZE])
{
  HpIdRef ref = find (self, id, self->clock ());
  HpIdEntry *entry = ref != 0 ? hp_id_table_get (self->table, ref) : NULL;

  if (entry != NULL && memcmp (entry->holder, key, HP_KEY_SIZE) == 0)
    {
      unstore (self, entry);
      remove_entry (self, ref);
    }
  hp_memory_registry_notify_size (self);
}

HpMemoryRegistry *
hp_memory_registry_open_with_clocks (const char *filename, HpClockFunc clock,
                                     HpClockFunc wall_clock, GError **error)
{
  HpMemoryRegistry *self = hp_memory_registry_new ();

  self->clock = clock;
  self->wall_clock = wall_clock;
  self->file = hp_registry_file_open (filename, &file_class, self, error);
  if (self->file == NULL)
    {
      g_object_unref (self);
      return NULL;
    }
  hp_id_table_sort_rest (self->table, LOADED);
  self->notified_size = hp_id_table_get_size (self->table);
  return self;
}

HpRegistryFile *
hp_memory_registry_get_file (HpMemoryRegistry *self)
{
  return self->file;
}
