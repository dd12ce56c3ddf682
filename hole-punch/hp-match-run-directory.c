/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Which worker has whom. A name, be it an id or a key, has a home among the
 * workers, and that one knows.
 *
 *   caller's              home of the name             callee's
 *      │                         │ ◂── it is here ──────── │
 *      │ where is it? ─────────▸ │                         │
 *      │ ◂────────── with you, … │                         │
 *      │                         │                         │
 *      │ CALL, by FORWARD ──────────────────────────────▸  │
 *      │                         │                         │
 *
 * Whom no worker has, the home asks the owner for in the caller's name, who
 * asks the registry.
 */

#include "hole-punch/hp-match-run-inside-private.h"

#include "hole-punch/engine/hp-match-message.h"
#include "hole-punch/io/hp-clock.h"

#include <string.h>

static void
send_or_drop (HpMatchWorker *self, guint other, HpMatchOrder *order)
{
  HpMatchRun *run = self->run;

  if (other != self->number
      && !hp_mailbox_has_room (run->workers[other].mailbox))
    {
      self->n_dropped++;
      hp_match_order_free (order);
    }
  else
    hp_match_worker_order (self, other, order);
}

static guint
get_home (HpMatchRun *run, guint64 hash)
{
  return hp_match_directory_get_home (hash, run->n_workers);
}

/* Who is where */

typedef struct
{
  HpMatchOrder order;
  guint64 hash;
  guint worker;
  gboolean is_there;
  gboolean has_key;
  guint8 public_key[HP_KEY_SIZE];
} Note;

typedef struct
{
  HpMatchOrder order;
  guint8 public_key[HP_KEY_SIZE];
} Replacement;

static void
obey_replace (HpMatchWorker *self, HpMatchOrder *order)
{
  hp_match_service_replace_session (
      self->service, ((Replacement *) order)->public_key, hp_clock_now ());
  hp_match_worker_wake (self);
}

/* There is one session for each identity. */
static void
replace (HpMatchWorker *self, guint other, const guint8 *public_key)
{
  Replacement *replacement
      = hp_match_order_new (sizeof *replacement, obey_replace);

  memcpy (replacement->public_key, public_key, HP_KEY_SIZE);
  hp_match_worker_order (self, other, &replacement->order);
}

static void
obey_note (HpMatchWorker *self, HpMatchOrder *order)
{
  Note *note = (Note *) order;
  guint before;

  if (!note->is_there)
    {
      hp_match_directory_unset (self->directory, note->hash, note->worker);
      return;
    }
  before = hp_match_directory_set (self->directory, note->hash, note->worker);
  if (note->has_key && before != HP_MATCH_NOWHERE && before != note->worker)
    replace (self, before, note->public_key);
}

void
hp_match_worker_note_in_directory (HpMatchWorker *self,
                                   const HpServiceEvent *event)
{
  HpMatchRun *run = self->run;
  gboolean has_key = event->type == HP_SERVICE_EVENT_ARRIVED
                     || event->type == HP_SERVICE_EVENT_LEFT;
  Note *note;

  if (run->mailbox == NULL
      || (event->type == HP_SERVICE_EVENT_REGISTERED && !event->first_time))
    return;
  note = hp_match_order_new (sizeof *note, obey_note);
  note->worker = self->number;
  note->is_there = event->type == HP_SERVICE_EVENT_ARRIVED
                   || event->type == HP_SERVICE_EVENT_REGISTERED;
  note->has_key = has_key;
  memcpy (note->public_key, event->public_key, HP_KEY_SIZE);
  note->hash
      = has_key ? hp_match_directory_hash_key (&run->directory_secret,
                                               event->public_key)
                : hp_match_directory_hash_id (&run->directory_secret,
                                              event->id);
  hp_match_worker_order (self, get_home (run, note->hash), &note->order);
}

/* Where is it? With the asker itself, if it came there in the meantime */

typedef struct
{
  HpMatchOrder order;
  guint asker;
  HpServiceEvent event; /* a LOOKUP */
  guint64 hash;
} Search;

static void
answer_search (HpMatchWorker *self, const Search *search, guint worker)
{
  const HpMatchPlace place = { .worker = worker };

  hp_match_worker_order (
      self, search->asker,
      hp_match_order_new_lookup_answer (
          search->event.handle, NULL,
          worker != search->asker ? &place : NULL, 0));
}

static void
obey_search (HpMatchWorker *self, HpMatchOrder *order)
{
  Search *search = (Search *) order;
  guint worker = hp_match_directory_find (self->directory, search->hash);

  if (worker != HP_MATCH_NOWHERE)
    answer_search (self, search, worker);
  else
    hp_match_worker_report (self, self->run->workers + search->asker,
                            &search->event);
}

void
hp_match_worker_look_up (HpMatchWorker *self, const HpServiceEvent *event)
{
  HpMatchRun *run = self->run;
  Search *search;

  if (run->mailbox == NULL)
    {
      hp_match_worker_report (self, self, event);
      return;
    }
  search = hp_match_order_new (sizeof *search, obey_search);
  search->asker = self->number;
  search->event = *event;
  search->hash
      = event->by_key ? hp_match_directory_hash_key (&run->directory_secret,
                                                     event->callee_key)
                      : hp_match_directory_hash_id (&run->directory_secret,
                                                    event->id);
  send_or_drop (self, get_home (run, search->hash), &search->order);
}

/* Messages */

gboolean
hp_match_worker_forward (HpMatchWorker *self, const HpServiceEvent *event)
{
  const HpMatchPlace here = { .worker = self->number };

  if (*event->place.server != '\0')
    return FALSE;
  if (event->place.worker < self->run->n_workers)
    send_or_drop (self, event->place.worker,
                  hp_match_order_new_message (&here, event->message,
                                              event->length));
  return TRUE;
}

/* At the home of the callee; the message is behind it */
typedef struct
{
  HpMatchOrder order;
  guint64 hash;
  HpMatchOrder *message;
} Route;

static void
clear_route (HpMatchOrder *order)
{
  g_clear_pointer (&((Route *) order)->message, hp_match_order_free);
}

/* Whom nobody has is not here either: whoever asked is told. */
static void
obey_route (HpMatchWorker *self, HpMatchOrder *order)
{
  Route *route = (Route *) order;
  guint worker = hp_match_directory_find (self->directory, route->hash);

  if (worker == HP_MATCH_NOWHERE)
    worker = self->number;
  send_or_drop (self, worker, g_steal_pointer (&route->message));
}

/* FALSE: it is about nobody */
static gboolean
hash_callee (HpMatchRun *self, const guint8 *bytes, gsize length,
             guint64 *hash)
{
  char id[HP_ID_MAX_SIZE + 1] = "";
  HpMatchMessage message;
  const HpBytes *wanted;

  if (!hp_match_message_parse (&message, bytes, length)
      || message.type != HP_MATCH_MESSAGE_CALL)
    return FALSE;
  wanted = &message.frame.introduction.wanted_id;
  if (message.has_callee)
    *hash = hp_match_directory_hash_key (&self->directory_secret,
                                         message.callee);
  else
    *hash = hp_match_directory_hash_id (
        &self->directory_secret, memcpy (id, wanted->data, wanted->length));
  return TRUE;
}

void
hp_match_run_route (HpMatchRun *self, const HpMatchPlace *from,
                    const guint8 *bytes, gsize length)
{
  HpMatchOrder *message = hp_match_order_new_message (from, bytes, length);
  guint64 hash;
  Route *route;

  if (self->mailbox == NULL || !hash_callee (self, bytes, length, &hash))
    {
      hp_match_run_order (self, 0, message);
      return;
    }
  route = hp_match_order_new (sizeof *route, obey_route);
  route->order.clear = clear_route;
  route->message = message;
  route->hash = hash;
  hp_match_run_order (self, get_home (self, hash), &route->order);
}
