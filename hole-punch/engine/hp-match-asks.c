/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-match-asks.h"

#include <string.h>

/* A larger one would only let the other side wait before it starts. */
#define MAX_ROUND_TRIP (3 * G_TIME_SPAN_SECOND)

#define KEY_SIZE (sizeof ((HpMatchAsk *) NULL)->key)

G_STATIC_ASSERT (sizeof ((HpMatchAsk *) NULL)->key
                 == HP_KEY_SIZE + sizeof (guint64));

static guint
get_hash (gconstpointer key)
{
  return ((const HpMatchAsk *) key)->hash;
}

static void
set_key (const HpMatchAsks *self, HpMatchAsk *ask,
         const guint8 caller[HP_KEY_SIZE], guint64 request)
{
  memcpy (ask->key.caller, caller, HP_KEY_SIZE);
  ask->key.request = request;
  ask->hash = hp_siphash (&self->secret, &ask->key, KEY_SIZE);
}

static gboolean
equal_key (gconstpointer a, gconstpointer b)
{
  return memcmp (&((const HpMatchAsk *) a)->key,
                 &((const HpMatchAsk *) b)->key, KEY_SIZE) == 0;
}

void
hp_match_asks_init (HpMatchAsks *self, const HpRandom *random)
{
  hp_random_fill (random, &self->secret, sizeof self->secret);
  self->by_key = g_hash_table_new (get_hash, equal_key);
  self->by_ticket = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_queue_init (&self->pending);
  g_queue_init (&self->settled);
}

static void
free_ask (HpMatchAsk *ask)
{
  hp_crypto_wipe (&ask->ticket, sizeof ask->ticket);
  g_free (ask->from_callee);
  g_free (ask->remote);
  g_free (ask);
}

void
hp_match_asks_clear (HpMatchAsks *self)
{
  GList *link;

  g_clear_pointer (&self->by_key, g_hash_table_unref);
  g_clear_pointer (&self->by_ticket, g_hash_table_unref);
  while ((link = g_queue_pop_head_link (&self->pending)) != NULL
         || (link = g_queue_pop_head_link (&self->settled)) != NULL)
    free_ask (link->data);
}

guint
hp_match_asks_count (const HpMatchAsks *self)
{
  return self->pending.length + self->settled.length;
}

HpMatchAsk *
hp_match_asks_find (const HpMatchAsks *self, const guint8 caller[HP_KEY_SIZE],
                    guint64 request)
{
  HpMatchAsk wanted;

  set_key (self, &wanted, caller, request);
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

  set_key (self, ask, caller, request);
  ask->changed_at = ask->repeated_at = now;
  ask->link.data = ask;
  g_assert (!g_hash_table_contains (self->by_key, ask));
  g_hash_table_add (self->by_key, ask);
  g_queue_push_tail_link (&self->pending, &ask->link);
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

static GQueue *
get_queue (HpMatchAsks *self, const HpMatchAsk *ask)
{
  return ask->state >= HP_MATCH_ASK_ANSWERED ? &self->settled
                                             : &self->pending;
}

void
hp_match_asks_settle (HpMatchAsks *self, HpMatchAsk *ask,
                      HpMatchAskState state, gint64 now)
{
  g_assert (state >= HP_MATCH_ASK_ANSWERED);

  g_queue_unlink (get_queue (self, ask), &ask->link);
  ask->state = state;
  ask->changed_at = now;
  ask->repeats = 0;
  g_queue_push_tail_link (&self->settled, &ask->link);
}

void
hp_match_asks_remove (HpMatchAsks *self, HpMatchAsk *ask)
{
  if (ask->has_ticket)
    g_hash_table_remove (self->by_ticket, &ask->ticket.number);
  g_hash_table_remove (self->by_key, ask);
  g_queue_unlink (get_queue (self, ask), &ask->link);
  free_ask (ask);
}

gboolean
hp_match_asks_make_room (HpMatchAsks *self, guint most)
{
  HpMatchAsk *oldest = g_queue_peek_head (&self->settled);

  if (hp_match_asks_count (self) < most)
    return TRUE;
  if (oldest == NULL)
    return FALSE;
  hp_match_asks_remove (self, oldest);
  return TRUE;
}

HpMatchAsk *
hp_match_asks_find_expired (const HpMatchAsks *self, gint64 now)
{
  const GQueue *queues[] = { &self->pending, &self->settled };

  for (guint i = 0; i < G_N_ELEMENTS (queues); i++)
    {
      HpMatchAsk *ask = g_queue_peek_head ((GQueue *) queues[i]);

      if (ask != NULL && ask->changed_at + HP_MATCH_ASK_LIFETIME <= now)
        return ask;
    }
  return NULL;
}

gint64
hp_match_asks_get_deadline (const HpMatchAsks *self)
{
  const HpMatchAsk *pending = g_queue_peek_head ((GQueue *) &self->pending);
  const HpMatchAsk *settled = g_queue_peek_head ((GQueue *) &self->settled);
  gint64 since = G_MAXINT64;

  if (pending != NULL)
    since = pending->changed_at;
  if (settled != NULL)
    since = MIN (since, settled->changed_at);
  return since == G_MAXINT64 ? since : since + HP_MATCH_ASK_LIFETIME;
}

/* Offers */

void
hp_match_offer_set (HpMatchOffer *self, guint16 suites, guint64 round_trip,
                    const HpNatFacts *nat, const HpWireCandidates *candidates,
                    gint64 now)
{
  /* Whole, so that two offers can be compared */
  memset (self, 0, sizeof *self);
  self->suites = suites;
  self->round_trip = MIN (round_trip, MAX_ROUND_TRIP);
  self->nat = *nat;
  self->nat_at = now;
  self->candidates.n_candidates = candidates->n_candidates;
  for (guint i = 0; i < candidates->n_candidates; i++)
    {
      const HpWireCandidate *from = candidates->candidates + i;
      HpWireCandidate *to = self->candidates.candidates + i;

      to->address = from->address;
      to->kind = from->kind;
      to->has_proof = from->has_proof;
      if (from->has_proof)
        memcpy (to->proof, from->proof, HP_PROOF_SIZE);
    }
}

gboolean
hp_match_offer_is_news (const HpMatchOffer *self, const HpMatchOffer *before)
{
  return !hp_nat_facts_same_kind (&self->nat, &before->nat)
         || self->nat.port != before->nat.port
         || memcmp (&self->candidates, &before->candidates,
                    sizeof self->candidates) != 0;
}
