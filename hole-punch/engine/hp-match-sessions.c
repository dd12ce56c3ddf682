/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-match-sessions.h"

#include <string.h>

G_STATIC_ASSERT (HP_HASH_SIZE == HP_KEY_SIZE);

/* Whoever chooses keys to fall together must make a key pair for each try;
 * the table is bounded, so that this is not worth more. */
static guint
hash_32_bytes (gconstpointer key)
{
  guint hash;

  memcpy (&hash, key, sizeof hash);
  return hash;
}

static gboolean
equal_32_bytes (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, 32) == 0;
}

void
hp_match_sessions_init (HpMatchSessions *self)
{
  self->by_index = g_hash_table_new (NULL, NULL);
  self->by_identity = g_hash_table_new (hash_32_bytes, equal_32_bytes);
  self->by_initiation = g_hash_table_new (hash_32_bytes, equal_32_bytes);
  for (guint i = 0; i < HP_MATCH_SESSION_STATES; i++)
    g_queue_init (&self->queues[i]);
}

static void
free_kept (HpMatchSession *session)
{
  if (session->kept != NULL)
    hp_crypto_wipe (session->kept, sizeof *session->kept);
  g_clear_pointer (&session->kept, g_free);
}

static void
free_session (HpMatchSession *session)
{
  free_kept (session);
  hp_session_free (session->session);
  g_free (session);
}

void
hp_match_sessions_clear (HpMatchSessions *self)
{
  for (guint i = 0; i < HP_MATCH_SESSION_STATES; i++)
    {
      GList *link;

      while ((link = g_queue_pop_head_link (&self->queues[i])) != NULL)
        free_session (link->data);
    }
  g_clear_pointer (&self->by_index, g_hash_table_unref);
  g_clear_pointer (&self->by_identity, g_hash_table_unref);
  g_clear_pointer (&self->by_initiation, g_hash_table_unref);
}

guint
hp_match_sessions_count (const HpMatchSessions *self)
{
  return g_hash_table_size (self->by_index);
}

guint32
hp_match_sessions_allocate_index (const HpMatchSessions *self,
                                  const HpRandom *random)
{
  for (;;)
    {
      guint32 index = hp_random_u64 (random) & G_MAXUINT32;

      if (index != 0 && hp_match_sessions_find (self, index) == NULL)
        return index;
    }
}

static void
set_state (HpMatchSessions *self, HpMatchSession *session,
           HpMatchSessionState state, gint64 now)
{
  g_queue_unlink (&self->queues[session->state], &session->link);
  session->state = state;
  session->changed_at = now;
  g_queue_push_tail_link (&self->queues[state], &session->link);
}

HpMatchSession *
hp_match_sessions_add (HpMatchSessions *self, HpSession *session,
                       const guint8 public_key[HP_KEY_SIZE],
                       const HpKeptResponse *kept, const HpRoute *route,
                       gint64 now)
{
  HpMatchSession *added = g_new0 (HpMatchSession, 1);

  added->index = hp_session_get_local_index (session);
  added->session = session;
  memcpy (added->public_key, public_key, HP_KEY_SIZE);
  added->kept = g_memdup2 (kept, sizeof *kept);
  added->route = *route;
  added->changed_at = now;
  added->link.data = added;
  g_hash_table_insert (self->by_index, GUINT_TO_POINTER (added->index),
                       added);
  g_hash_table_insert (self->by_initiation, added->kept->initiation_hash,
                       added);
  g_queue_push_tail_link (&self->queues[HP_MATCH_SESSION_UNCONFIRMED],
                          &added->link);
  return added;
}

HpMatchSession *
hp_match_sessions_confirm (HpMatchSessions *self, HpMatchSession *session,
                           gint64 now)
{
  HpMatchSession *older
      = hp_match_sessions_find_identity (self, session->public_key);

  g_assert (session->state == HP_MATCH_SESSION_UNCONFIRMED);

  if (older != NULL)
    {
      g_hash_table_remove (self->by_identity, older->public_key);
      set_state (self, older, HP_MATCH_SESSION_REPLACED, now);
    }
  g_hash_table_remove (self->by_initiation, session->kept->initiation_hash);
  free_kept (session);
  g_hash_table_insert (self->by_identity, session->public_key, session);
  set_state (self, session, HP_MATCH_SESSION_CONFIRMED, now);
  return older;
}

void
hp_match_sessions_heard (HpMatchSessions *self, HpMatchSession *session,
                         gint64 now)
{
  set_state (self, session, session->state, now);
}

void
hp_match_sessions_remove (HpMatchSessions *self, HpMatchSession *session)
{
  g_assert (session->presence == NULL && session->claim == NULL);

  g_hash_table_remove (self->by_index, GUINT_TO_POINTER (session->index));
  switch (session->state)
    {
    case HP_MATCH_SESSION_UNCONFIRMED:
      g_hash_table_remove (self->by_initiation,
                           session->kept->initiation_hash);
      break;
    case HP_MATCH_SESSION_CONFIRMED:
      g_hash_table_remove (self->by_identity, session->public_key);
      break;
    case HP_MATCH_SESSION_REPLACED:
      break;
    }
  g_queue_unlink (&self->queues[session->state], &session->link);
  free_session (session);
}

HpMatchSession *
hp_match_sessions_find (const HpMatchSessions *self, guint32 index)
{
  return g_hash_table_lookup (self->by_index, GUINT_TO_POINTER (index));
}

HpMatchSession *
hp_match_sessions_find_identity (const HpMatchSessions *self,
                                 const guint8 public_key[HP_KEY_SIZE])
{
  return g_hash_table_lookup (self->by_identity, public_key);
}

HpMatchSession *
hp_match_sessions_find_initiation (const HpMatchSessions *self,
                                   const guint8 hash[HP_HASH_SIZE])
{
  return g_hash_table_lookup (self->by_initiation, hash);
}

HpMatchSession *
hp_match_sessions_oldest (const HpMatchSessions *self,
                          HpMatchSessionState state)
{
  return g_queue_peek_head ((GQueue *) &self->queues[state]);
}
