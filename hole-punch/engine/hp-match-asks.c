/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-match-asks.h"

#include <string.h>

#define KEY_SIZE (sizeof ((HpMatchAsk *) NULL)->key)

G_STATIC_ASSERT (sizeof ((HpMatchAsk *) NULL)->key
                 == HP_KEY_SIZE + sizeof (guint64));

static guint
hash_key (gconstpointer key)
{
  const HpMatchAsk *ask = key;
  guint hash;

  memcpy (&hash, ask->key.caller, sizeof hash);
  return hash ^ g_int64_hash (&ask->key.request);
}

static gboolean
equal_key (gconstpointer a, gconstpointer b)
{
  return memcmp (&((const HpMatchAsk *) a)->key,
                 &((const HpMatchAsk *) b)->key, KEY_SIZE) == 0;
}

void
hp_match_asks_init (HpMatchAsks *self)
{
  self->by_key = g_hash_table_new (hash_key, equal_key);
  self->by_ticket = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_queue_init (&self->queue);
}

static void
free_ask (HpMatchAsk *ask)
{
  hp_crypto_wipe (&ask->ticket, sizeof ask->ticket);
  g_free (ask->from_callee);
  g_free (ask);
}

void
hp_match_asks_clear (HpMatchAsks *self)
{
  GList *link;

  g_clear_pointer (&self->by_key, g_hash_table_unref);
  g_clear_pointer (&self->by_ticket, g_hash_table_unref);
  while ((link = g_queue_pop_head_link (&self->queue)) != NULL)
    free_ask (link->data);
}

guint
hp_match_asks_count (const HpMatchAsks *self)
{
  return self->queue.length;
}

HpMatchAsk *
hp_match_asks_find (const HpMatchAsks *self, const guint8 caller[HP_KEY_SIZE],
                    guint64 request)
{
  HpMatchAsk wanted;

  memcpy (wanted.key.caller, caller, HP_KEY_SIZE);
  wanted.key.request = request;
  return g_hash_table_lookup (self->by_key, &wanted);
}

HpMatchAsk *
hp_match_asks_find_ticket (const HpMatchAsks *self, guint64 number)
{
  return g_hash_table_lookup (self->by_ticket, &number);
}

HpMatchAsk *
hp_match_asks_add (HpMatchAsks *self, const guint8 caller[HP_KEY_SIZE],
                   guint64 request, gint64 now)
{
  HpMatchAsk *ask = g_new0 (HpMatchAsk, 1);

  memcpy (ask->key.caller, caller, HP_KEY_SIZE);
  ask->key.request = request;
  ask->asked_at = ask->repeated_at = now;
  ask->link.data = ask;
  g_assert (!g_hash_table_contains (self->by_key, ask));
  g_hash_table_add (self->by_key, ask);
  g_queue_push_tail_link (&self->queue, &ask->link);
  return ask;
}

gboolean
hp_match_asks_set_ticket (HpMatchAsks *self, HpMatchAsk *ask,
                          const HpTicket *ticket)
{
  if (hp_match_asks_find_ticket (self, ticket->number) != NULL)
    return FALSE;
  ask->ticket = *ticket;
  ask->has_ticket = TRUE;
  g_hash_table_insert (self->by_ticket, &ask->ticket.number, ask);
  return TRUE;
}

void
hp_match_asks_remove (HpMatchAsks *self, HpMatchAsk *ask)
{
  if (ask->has_ticket)
    g_hash_table_remove (self->by_ticket, &ask->ticket.number);
  g_hash_table_remove (self->by_key, ask);
  g_queue_unlink (&self->queue, &ask->link);
  free_ask (ask);
}

HpMatchAsk *
hp_match_asks_oldest (const HpMatchAsks *self)
{
  return g_queue_peek_head ((GQueue *) &self->queue);
}
