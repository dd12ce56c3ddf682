/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-match-sessions.h"

#include <string.h>

/* A server has few sockets and addresses; whatever comes to further ones is
 * answered from any of the socket. */
#define MAX_PLACES 256

G_STATIC_ASSERT (HP_HASH_SIZE == HP_KEY_SIZE);
G_STATIC_ASSERT (sizeof (HpMatchSession) <= 144);
G_STATIC_ASSERT (sizeof (HpMatchSession) % sizeof (guint64) == 0);

/* Times */

HpMatchTicks
hp_match_ticks (gint64 time)
{
  return (time + (1 << HP_MATCH_TICK_BITS) - 1) >> HP_MATCH_TICK_BITS;
}

gint64
hp_match_ticks_to_time (HpMatchTicks ticks, gint64 now)
{
  gint64 present = now >> HP_MATCH_TICK_BITS;
  gint32 ago = (guint32) present - ticks;

  return (present - ago) * (1 << HP_MATCH_TICK_BITS);
}

/* Slots */

static HpMatchSession *
get_session (const HpMatchSessions *self, guint32 number)
{
  return number != 0 ? hp_match_slots_get (&self->slots, number) : NULL;
}

HpSession *
hp_match_session_get_secure (HpMatchSession *session)
{
  return (HpSession *) (session + 1);
}

guint32
hp_match_session_get_index (const HpMatchSession *session)
{
  return session->slot.index;
}

static guint64
hash_identity (gpointer owner, guint32 slot)
{
  const HpMatchSessions *self = owner;

  return hp_siphash (&self->key, get_session (self, slot)->public_key,
                     HP_KEY_SIZE);
}

static gboolean
has_identity (gpointer owner, guint32 slot, gconstpointer key)
{
  return memcmp (get_session (owner, slot)->public_key, key, HP_KEY_SIZE)
         == 0;
}

static guint64
hash_initiation (gpointer owner, guint32 slot)
{
  const HpMatchSessions *self = owner;

  return hp_siphash (&self->key,
                     get_session (self, slot)->beginning->kept.initiation_hash,
                     HP_HASH_SIZE);
}

static gboolean
has_initiation (gpointer owner, guint32 slot, gconstpointer key)
{
  return memcmp (get_session (owner, slot)->beginning->kept.initiation_hash,
                 key, HP_HASH_SIZE)
         == 0;
}

void
hp_match_sessions_init (HpMatchSessions *self, guint8 worker,
                        const HpRandom *random, gint64 now)
{
  memset (self, 0, sizeof *self);
  hp_match_slots_init (&self->slots,
                       sizeof (HpMatchSession)
                           + hp_session_get_bytes (HP_REPLAY_WINDOW_SERVER),
                       worker);
  self->ciphers = hp_session_ciphers_new ();
  self->key.words[0] = hp_random_u64 (random);
  self->key.words[1] = hp_random_u64 (random);
  hp_slot_table_init (&self->by_identity, hash_identity, has_identity, self);
  hp_slot_table_init (&self->by_initiation, hash_initiation, has_initiation,
                      self);
  self->places = g_array_new (FALSE, FALSE, sizeof (HpRoute));
  self->now = now;
}

static void
free_beginning (HpMatchSession *session)
{
  hp_crypto_wipe (session->beginning, sizeof *session->beginning);
  g_clear_pointer (&session->beginning, g_free);
}

static void
clear_session (HpMatchSession *session)
{
  if (session->state == HP_MATCH_SESSION_UNCONFIRMED)
    free_beginning (session);
  hp_session_clear (hp_match_session_get_secure (session));
}

void
hp_match_sessions_clear (HpMatchSessions *self)
{
  for (guint i = 0; i < HP_MATCH_SESSION_STATES; i++)
    for (HpMatchSession *session = hp_match_sessions_oldest (self, i);
         session != NULL; session = hp_match_sessions_next (self, session))
      clear_session (session);
  hp_slot_table_clear (&self->by_identity);
  hp_slot_table_clear (&self->by_initiation);
  hp_match_slots_clear (&self->slots);
  hp_session_ciphers_free (self->ciphers);
  g_clear_pointer (&self->places, g_array_unref);
}

guint
hp_match_sessions_count (const HpMatchSessions *self)
{
  return self->slots.count;
}

guint
hp_match_sessions_count_state (const HpMatchSessions *self,
                               HpMatchSessionState state)
{
  return self->queues[state].length;
}

guint32
hp_match_sessions_allocate_index (HpMatchSessions *self,
                                  const HpRandom *random)
{
  return hp_match_slots_get_next (&self->slots, random);
}

/* Queues: who comes last changed last. */

static void
leave_queue (HpMatchSessions *self, HpMatchSession *session)
{
  HpMatchQueue *queue = &self->queues[session->state];
  HpMatchSession *previous = get_session (self, session->previous);
  HpMatchSession *next = get_session (self, session->slot.next);

  if (previous != NULL)
    previous->slot.next = session->slot.next;
  else
    queue->first = session->slot.next;
  if (next != NULL)
    next->previous = session->previous;
  else
    queue->last = session->previous;
  queue->length--;
}

static void
enter_queue (HpMatchSessions *self, HpMatchSession *session,
             HpMatchSessionState state, gint64 now)
{
  HpMatchQueue *queue = &self->queues[state];
  guint32 number = hp_match_slots_get_number (&self->slots, session);

  self->now = now;
  session->state = state;
  session->changed_at = hp_match_ticks (now);
  session->previous = queue->last;
  session->slot.next = 0;
  if (queue->last != 0)
    get_session (self, queue->last)->slot.next = number;
  else
    queue->first = number;
  queue->last = number;
  queue->length++;
}

HpMatchSession *
hp_match_sessions_oldest (const HpMatchSessions *self,
                          HpMatchSessionState state)
{
  return get_session (self, self->queues[state].first);
}

HpMatchSession *
hp_match_sessions_next (const HpMatchSessions *self,
                        const HpMatchSession *session)
{
  return get_session (self, session->slot.next);
}

gint64
hp_match_sessions_get_deadline (const HpMatchSessions *self,
                                HpMatchSessionState state, gint64 timeout)
{
  const HpMatchSession *oldest = hp_match_sessions_oldest (self, state);

  if (oldest == NULL)
    return G_MAXINT64;
  return hp_match_ticks_to_time (oldest->changed_at, self->now) + timeout;
}

/* Life */

HpMatchSession *
hp_match_sessions_add (HpMatchSessions *self, HpSession *session,
                       const guint8 public_key[HP_KEY_SIZE],
                       const HpKeptResponse *kept, const HpRoute *route,
                       gint64 now)
{
  HpMatchSession *added
      = hp_match_slots_take (&self->slots,
                             hp_session_get_local_index (session));

  hp_session_share_ciphers (session, self->ciphers);
  hp_session_move (session, hp_match_session_get_secure (added));
  memcpy (added->public_key, public_key, HP_KEY_SIZE);
  added->beginning = g_new0 (HpMatchBeginning, 1);
  added->beginning->kept = *kept;
  hp_match_sessions_set_route (self, added, route);
  enter_queue (self, added, HP_MATCH_SESSION_UNCONFIRMED, now);
  hp_slot_table_insert (&self->by_initiation,
                        hp_match_slots_get_number (&self->slots, added));
  return added;
}

void
hp_match_sessions_replace (HpMatchSessions *self, HpMatchSession *session,
                           gint64 now)
{
  g_assert (session->state == HP_MATCH_SESSION_CONFIRMED);

  hp_slot_table_remove (&self->by_identity,
                        hp_match_slots_get_number (&self->slots, session));
  leave_queue (self, session);
  enter_queue (self, session, HP_MATCH_SESSION_REPLACED, now);
}

HpMatchSession *
hp_match_sessions_confirm (HpMatchSessions *self, HpMatchSession *session,
                           gint64 now)
{
  HpMatchSession *older
      = hp_match_sessions_find_identity (self, session->public_key);
  guint32 number = hp_match_slots_get_number (&self->slots, session);

  g_assert (session->state == HP_MATCH_SESSION_UNCONFIRMED);

  if (older != NULL)
    hp_match_sessions_replace (self, older, now);
  hp_slot_table_remove (&self->by_initiation, number);
  free_beginning (session);
  hp_slot_table_insert (&self->by_identity, number);
  leave_queue (self, session);
  enter_queue (self, session, HP_MATCH_SESSION_CONFIRMED, now);
  return older;
}

void
hp_match_sessions_heard (HpMatchSessions *self, HpMatchSession *session,
                         gint64 now)
{
  leave_queue (self, session);
  enter_queue (self, session, session->state, now);
}

void
hp_match_sessions_remove (HpMatchSessions *self, HpMatchSession *session)
{
  guint32 number = hp_match_slots_get_number (&self->slots, session);

  g_assert (session->presence == NULL);

  switch ((HpMatchSessionState) session->state)
    {
    case HP_MATCH_SESSION_UNCONFIRMED:
      hp_slot_table_remove (&self->by_initiation, number);
      break;
    case HP_MATCH_SESSION_CONFIRMED:
      hp_slot_table_remove (&self->by_identity, number);
      break;
    case HP_MATCH_SESSION_REPLACED:
      break;
    }
  leave_queue (self, session);
  clear_session (session);
  hp_match_slots_give_back (&self->slots, session);
}

/* Finding */

HpMatchSession *
hp_match_sessions_find (const HpMatchSessions *self, guint32 index)
{
  return hp_match_slots_find (&self->slots, index);
}

HpMatchSession *
hp_match_sessions_find_identity (const HpMatchSessions *self,
                                 const guint8 public_key[HP_KEY_SIZE])
{
  guint64 hash = hp_siphash (&self->key, public_key, HP_KEY_SIZE);

  return get_session (
      self, hp_slot_table_find (&self->by_identity, hash, public_key));
}

HpMatchSession *
hp_match_sessions_find_initiation (const HpMatchSessions *self,
                                   const guint8 hash[HP_HASH_SIZE])
{
  guint64 hash_of_hash = hp_siphash (&self->key, hash, HP_HASH_SIZE);

  return get_session (
      self, hp_slot_table_find (&self->by_initiation, hash_of_hash, hash));
}

/* What a session knows, packed */

static guint16
find_place (HpMatchSessions *self, const HpRoute *route)
{
  HpRoute place = { .socket = route->socket, .local = route->local };

  for (guint i = 0; i < self->places->len; i++)
    if (hp_route_equal (&g_array_index (self->places, HpRoute, i), &place))
      return i;
  if (self->places->len >= MAX_PLACES && place.local.family != HP_ADDRESS_NONE)
    {
      place.local = (HpAddress){ 0 };
      return find_place (self, &place);
    }
  g_assert (self->places->len < G_MAXUINT16);
  g_array_append_val (self->places, place);
  return self->places->len - 1;
}

void
hp_match_sessions_set_route (HpMatchSessions *self, HpMatchSession *session,
                             const HpRoute *route)
{
  session->route.remote = route->remote;
  session->place = find_place (self, route);
}

void
hp_match_sessions_get_route (const HpMatchSessions *self,
                             const HpMatchSession *session, HpRoute *route)
{
  *route = g_array_index (self->places, HpRoute, session->place);
  route->remote = session->route.remote;
}

/* The age takes what a time of so few bits leaves out. */
void
hp_match_session_set_nat (HpMatchSession *session, const HpNatFacts *nat,
                          gint64 now)
{
  gint64 early;

  session->nat = *nat;
  session->nat_at = hp_match_ticks (now);
  early = hp_match_ticks_to_time (session->nat_at, now) - now;
  hp_nat_facts_grow_older (&session->nat, early);
}

gint64
hp_match_sessions_get_nat_at (const HpMatchSessions *self,
                              const HpMatchSession *session)
{
  return hp_match_ticks_to_time (session->nat_at, self->now);
}
