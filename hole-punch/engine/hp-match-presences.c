/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-match-presences.h"

#include <string.h>

void
hp_match_presences_init (HpMatchPresences *self)
{
  self->by_id = g_hash_table_new (g_str_hash, g_str_equal);
  g_queue_init (&self->queue);
}

void
hp_match_presences_clear (HpMatchPresences *self)
{
  GList *link;

  while ((link = g_queue_pop_head_link (&self->queue)) != NULL)
    g_free (link->data);
  g_clear_pointer (&self->by_id, g_hash_table_unref);
}

guint
hp_match_presences_count (const HpMatchPresences *self)
{
  return self->queue.length;
}

HpMatchPresence *
hp_match_presences_find (const HpMatchPresences *self, const char *id)
{
  return g_hash_table_lookup (self->by_id, id);
}

HpMatchPresence *
hp_match_presences_add (HpMatchPresences *self, const char *id,
                        const guint8 public_key[HP_KEY_SIZE], guint flags,
                        gint64 now)
{
  HpMatchPresence *presence = g_new0 (HpMatchPresence, 1);

  g_assert (hp_match_presences_find (self, id) == NULL);

  g_strlcpy (presence->id, id, sizeof presence->id);
  memcpy (presence->public_key, public_key, HP_KEY_SIZE);
  presence->flags = flags;
  presence->refreshed_at = now;
  presence->link.data = presence;
  g_hash_table_insert (self->by_id, presence->id, presence);
  g_queue_push_tail_link (&self->queue, &presence->link);
  return presence;
}

void
hp_match_presences_refresh (HpMatchPresences *self, HpMatchPresence *presence,
                            guint flags, gint64 now)
{
  presence->flags = flags;
  presence->refreshed_at = now;
  g_queue_unlink (&self->queue, &presence->link);
  g_queue_push_tail_link (&self->queue, &presence->link);
}

void
hp_match_presences_remove (HpMatchPresences *self, HpMatchPresence *presence)
{
  g_hash_table_remove (self->by_id, presence->id);
  g_queue_unlink (&self->queue, &presence->link);
  g_free (presence);
}

HpMatchPresence *
hp_match_presences_oldest (const HpMatchPresences *self)
{
  return g_queue_peek_head ((GQueue *) &self->queue);
}
