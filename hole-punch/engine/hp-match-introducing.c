/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* ASK: authorize → look up → INTRODUCE and ANSWER, with the callee's REPLY in
 * between unless it is registered open.
 *
 * The application is asked before the registry, so that its refusal tells
 * nothing about the id; all that comes after reads like an unknown id.
 */

#include "hole-punch/engine/hp-match-service-private.h"

#include <string.h>

/* ASKs of one session may overtake each other by so many numbers. */
#define REQUEST_WINDOW 64
/* An honest caller repeats after 50 ms at the soonest, then more slowly, and
 * every second in the end. */
#define REPEAT_INTERVAL (25 * G_TIME_SPAN_MILLISECOND)
/* A callee may have news in quick succession. */
#define REPLIES_AT_ONCE 8
/* An introduction holds candidates: bound its memory */
#define MIN_ASKS 1024
#define MAX_ASKS 16384

static HpMatchSession *
find_session (HpMatchService *self, const guint8 public_key[HP_KEY_SIZE])
{
  return hp_match_sessions_find_identity (&self->sessions, public_key);
}

static HpMatchAsks *
get_table (HpMatchService *self, const HpMatchAsk *ask)
{
  return ask->is_visit ? &self->visits : &self->asks;
}

gboolean
hp_match_service_has_room (HpMatchService *self, HpMatchAsks *asks)
{
  return hp_match_asks_make_room (
      asks, CLAMP (self->config.max_peers, MIN_ASKS, MAX_ASKS));
}

/* A refusal is remembered, so that repeats read alike without any question. */
void
hp_match_service_refuse_ask (HpMatchService *self, HpMatchAsk *ask,
                             HpRefusedCode code, gint64 now)
{
  HpMatchSession *caller = find_session (self, ask->key.caller);

  hp_match_questions_remove (&self->questions, ask->handle);
  ask->handle = 0;
  ask->code = code;
  hp_match_asks_settle (get_table (self, ask), ask, HP_MATCH_ASK_REFUSED, now);
  if (ask->is_visit)
    {
      hp_match_service_send_outcome (self, ask, now);
      return;
    }
  self->statistics.refused++;
  if (caller != NULL)
    hp_match_service_send_refused (self, caller, ask->key.request, code, now);
}

/* Telling */

static void
tell_introduced (HpMatchService *self, const HpMatchAsk *ask)
{
  HpMatchSession *caller = find_session (self, ask->key.caller);
  HpServiceEvent *event;

  self->statistics.introductions++;
  if (caller == NULL)
    return;
  caller->is_known = TRUE;
  event = hp_match_service_add_event (self, HP_SERVICE_EVENT_INTRODUCED);
  memcpy (event->public_key, caller->public_key, HP_KEY_SIZE);
  memcpy (event->callee_key, ask->callee, HP_KEY_SIZE);
  event->address = caller->route.remote;
  if (caller->presence != NULL)
    g_strlcpy (event->id, caller->presence->id, sizeof event->id);
  g_strlcpy (event->wanted_id, ask->wanted_id, sizeof event->wanted_id);
}

/* To the caller, or its service */
static void
answer (HpMatchService *self, HpMatchAsk *ask, gint64 now)
{
  if (ask->is_visit)
    hp_match_service_send_outcome (self, ask, now);
  else
    hp_match_service_send_answer (self, ask, now);
}

/* To the callee, or its service */
static void
announce (HpMatchService *self, HpMatchAsk *ask, gint64 now)
{
  if (ask->is_call)
    hp_match_service_send_call (self, ask, now);
  else
    hp_match_service_send_introduce (self, ask, now);
}

/* Both learn of each other in the same instant. Were only one of the two lost,
 * the other side would knock early at a NAT that is not open yet, and spoil its
 * mapping: so each is sent twice. Whoever is at another place is told by its
 * service. */
void
hp_match_service_introduce (HpMatchService *self, HpMatchAsk *ask, gint64 now)
{
  hp_match_asks_settle (get_table (self, ask), ask, HP_MATCH_ASK_ANSWERED,
                        now);
  if (ask->is_visit)
    hp_match_service_send_outcome (self, ask, now);
  else
    tell_introduced (self, ask);
  /* The same twice in a row leaves as one. */
  for (guint i = 0; i < 2 && !ask->is_visit; i++)
    hp_match_service_send_answer (self, ask, now);
  for (guint i = 0; i < 2 && !ask->is_call; i++)
    hp_match_service_send_introduce (self, ask, now);
}

/* Deciding */

HpMatchSession *
hp_match_service_find_callee (HpMatchService *self, const HpMatchAsk *ask)
{
  const HpMatchPresence *presence;
  HpMatchSession *holder;

  if (ask->by_key)
    return find_session (self, ask->callee);
  presence = hp_match_presences_find (&self->presences, ask->wanted_id);
  if (presence == NULL)
    return NULL;
  holder = hp_match_presences_get_holder (&self->presences, presence);
  if (ask->has_callee
      && memcmp (holder->public_key, ask->callee, HP_KEY_SIZE) != 0)
    return NULL;
  return holder;
}

void
hp_match_service_meet (HpMatchService *self, HpMatchAsk *ask,
                       HpMatchSession *callee, gint64 now)
{
  HpTicket ticket;

  if (memcmp (ask->key.caller, callee->public_key, HP_KEY_SIZE) == 0)
    {
      hp_match_service_refuse_ask (self, ask, HP_REFUSED_UNKNOWN_ID, now);
      return;
    }
  ask->has_callee = TRUE;
  memcpy (ask->callee, callee->public_key, HP_KEY_SIZE);
  hp_ticket_derive (&ticket, self->ticket_secret, ask->key.caller,
                    callee->public_key, ask->key.request);
  if (!hp_match_asks_set_ticket (get_table (self, ask), ask, &ticket))
    {
      hp_match_service_refuse_ask (self, ask, HP_REFUSED_TEMPORARY, now);
      return;
    }
  ask->is_open = callee->presence != NULL
                 && (callee->presence->flags & HP_REGISTER_OPEN) != 0;
  ask->state = HP_MATCH_ASK_WAITING;
  if (ask->is_open)
    {
      hp_match_service_introduce (self, ask, now);
      return;
    }
  hp_match_service_send_introduce (self, ask, now);
  if (ask->is_visit)
    hp_match_service_send_outcome (self, ask, now);
}

static void
put_question (HpMatchService *self, HpMatchAsk *ask, HpMatchQuestionKind kind,
              HpServiceEventType type, gint64 now)
{
  HpMatchSession *caller = find_session (self, ask->key.caller);
  HpServiceEvent *event = hp_match_service_add_event (self, type);

  ask->handle = hp_match_questions_add (&self->questions, kind, ask, now);
  event->handle = ask->handle;
  memcpy (event->public_key, ask->key.caller, HP_KEY_SIZE);
  g_strlcpy (event->wanted_id, ask->wanted_id, sizeof event->wanted_id);
  if (kind == HP_MATCH_QUESTION_LOOKUP)
    g_strlcpy (event->id, ask->wanted_id, sizeof event->id);
  else if (caller != NULL && caller->presence != NULL)
    g_strlcpy (event->id, caller->presence->id, sizeof event->id);
  event->by_key = ask->by_key;
  if (ask->by_key)
    memcpy (event->callee_key, ask->callee, HP_KEY_SIZE);
  if (caller != NULL)
    event->address = caller->route.remote;
}

/* Nobody is asked where whoever is here is. */
void
hp_match_service_look_up (HpMatchService *self, HpMatchAsk *ask, gint64 now)
{
  HpMatchSession *callee = hp_match_service_find_callee (self, ask);

  ask->lookups++;
  ask->state = HP_MATCH_ASK_LOOKING_UP;
  if (callee != NULL)
    hp_match_service_meet (self, ask, callee, now);
  else
    put_question (self, ask, HP_MATCH_QUESTION_LOOKUP,
                  HP_SERVICE_EVENT_LOOKUP, now);
}

void
hp_match_service_ask_authorized (HpMatchService *self, HpMatchAsk *ask,
                                 gboolean allow, gint64 now)
{
  ask->handle = 0;
  if (allow)
    hp_match_service_look_up (self, ask, now);
  else
    hp_match_service_refuse_ask (self, ask, HP_REFUSED_POLICY, now);
}

void
hp_match_service_ask_answered (HpMatchService *self, HpMatchAsk *ask,
                               const guint8 *holder, const HpMatchPlace *place,
                               HpRefusedCode code, gint64 now)
{
  HpMatchSession *callee = hp_match_service_find_callee (self, ask);

  ask->handle = 0;
  if (code != 0)
    hp_match_service_refuse_ask (self, ask, code, now);
  else if (callee != NULL)
    hp_match_service_meet (self, ask, callee, now);
  else if (place == NULL
           || (holder != NULL
               && memcmp (holder, ask->key.caller, HP_KEY_SIZE) == 0))
    hp_match_service_refuse_ask (self, ask, HP_REFUSED_UNKNOWN_ID, now);
  else
    hp_match_service_call (self, ask, holder, place, now);
}

/* Requests */

/* A repeat costs the callee an INTRODUCE, too: no more of them than an honest
 * caller sends in the time that it is remembered. */
static gboolean
may_repeat (HpMatchService *self, HpMatchAsk *ask, gint64 now)
{
  if (ask->repeats >= HP_MATCH_MAX_REPEATS
      || now - ask->repeated_at < REPEAT_INTERVAL)
    {
      self->statistics.dropped_rate_limited++;
      return FALSE;
    }
  ask->repeats++;
  ask->repeated_at = now;
  return TRUE;
}

static void
repeat (HpMatchService *self, HpMatchSession *session, HpMatchAsk *ask,
        gint64 now)
{
  switch (ask->state)
    {
    case HP_MATCH_ASK_AUTHORIZING:
    case HP_MATCH_ASK_LOOKING_UP:
      break;
    case HP_MATCH_ASK_CALLING:
    case HP_MATCH_ASK_WAITING:
      announce (self, ask, now);
      break;
    case HP_MATCH_ASK_ANSWERED:
      hp_match_service_send_answer (self, ask, now);
      announce (self, ask, now);
      break;
    case HP_MATCH_ASK_REFUSED:
      hp_match_service_send_refused (self, session, ask->key.request,
                                     ask->code, now);
      break;
    }
}

/* Within the limits; a limit is told, since the caller can do something
 * about it, but costs no memory. */
static gboolean
admit (HpMatchService *self, HpMatchSession *session, guint64 request,
       gint64 now)
{
  if (!hp_rate_limiter_take (self->asks_of_identity, session->public_key,
                             HP_KEY_SIZE, now)
      || !hp_rate_limiter_take_address (self->asks_of_prefix,
                                        &session->route.remote, now))
    {
      self->statistics.dropped_rate_limited++;
      hp_match_service_send_refused (self, session, request,
                                     HP_REFUSED_RATE_LIMITED, now);
      return FALSE;
    }
  if (!hp_match_service_has_room (self, &self->asks))
    {
      self->statistics.dropped_full++;
      hp_match_service_send_refused (self, session, request,
                                     HP_REFUSED_TEMPORARY, now);
      return FALSE;
    }
  return TRUE;
}

static void
read_ask_offer (HpMatchOffer *offer, const HpFrame *frame, gint64 now)
{
  hp_match_offer_set (offer, frame->ask.suites, frame->ask.round_trip,
                      &frame->ask.nat, &frame->ask.candidates, now);
}

static void
begin (HpMatchService *self, HpMatchSession *session, const HpFrame *frame,
       gint64 now)
{
  HpMatchAsk *ask = hp_match_asks_add (&self->asks, session->public_key,
                                       frame->ask.request, now);

  session->ask_request = MAX (session->ask_request, frame->ask.request);
  self->statistics.asks++;
  read_ask_offer (&ask->from_caller, frame, now);
  ask->by_key = ask->has_callee = frame->ask.by_key;
  if (ask->by_key)
    memcpy (ask->callee, frame->ask.target.data, HP_KEY_SIZE);
  else
    memcpy (ask->wanted_id, frame->ask.target.data, frame->ask.target.length);
  if (self->asks_introduction)
    {
      ask->state = HP_MATCH_ASK_AUTHORIZING;
      put_question (self, ask, HP_MATCH_QUESTION_AUTHORIZE_INTRODUCTION,
                    HP_SERVICE_EVENT_AUTHORIZE_INTRODUCTION, now);
    }
  else
    {
      hp_match_service_look_up (self, ask, now);
    }
}

void
hp_match_service_receive_ask (HpMatchService *self, HpMatchSession *session,
                              const HpFrame *frame, gint64 now)
{
  guint64 request = frame->ask.request;
  HpMatchAsk *ask
      = hp_match_asks_find (&self->asks, session->public_key, request);

  session->suites = frame->ask.suites;
  hp_match_service_note_nat (session, &frame->ask.nat, now);
  if (ask != NULL)
    {
      if (!may_repeat (self, ask, now))
        return;
      read_ask_offer (&ask->from_caller, frame, now);
      repeat (self, session, ask, now);
    }
  else if (request + REQUEST_WINDOW > session->ask_request
           && admit (self, session, request, now))
    {
      begin (self, session, frame, now);
    }
}

/* The callee's candidates and facts: to be told again if they are new. */
static gboolean
take_reply (HpMatchAsk *ask, const HpFrame *frame, gint64 now)
{
  HpMatchOffer offer;

  hp_match_offer_set (&offer, frame->reply.suites, frame->reply.round_trip,
                      &frame->reply.nat, &frame->reply.candidates, now);
  if (ask->from_callee != NULL
      && !hp_match_offer_is_news (&offer, ask->from_callee))
    return FALSE;
  g_free (ask->from_callee);
  ask->from_callee = g_memdup2 (&offer, sizeof offer);
  return TRUE;
}

/* Each may cost the caller an ANSWER, and the way there a message. An honest
 * callee has news a few times, when it looks at its NAT and finds a relay. */
static gboolean
may_tell_again (HpMatchService *self, HpMatchAsk *ask, gint64 now)
{
  if (ask->replies >= HP_MATCH_MAX_REPEATS
      || (ask->replies >= REPLIES_AT_ONCE
          && now - ask->replied_at < REPEAT_INTERVAL))
    {
      self->statistics.dropped_rate_limited++;
      return FALSE;
    }
  ask->replies++;
  ask->replied_at = now;
  return TRUE;
}

static void
receive_decision (HpMatchService *self, HpMatchAsk *ask, const HpFrame *frame,
                  gint64 now)
{
  if (ask->state == HP_MATCH_ASK_WAITING && !frame->reply.accept)
    {
      hp_match_service_refuse_ask (self, ask, HP_REFUSED_UNKNOWN_ID, now);
    }
  else if (ask->state == HP_MATCH_ASK_WAITING)
    {
      take_reply (ask, frame, now);
      hp_match_service_introduce (self, ask, now);
    }
  else if (ask->state == HP_MATCH_ASK_ANSWERED && frame->reply.accept
           && may_tell_again (self, ask, now))
    {
      if (take_reply (ask, frame, now))
        answer (self, ask, now);
      /* Repeated, because the second INTRODUCE was lost */
      if (!ask->is_open)
        hp_match_service_send_introduce (self, ask, now);
    }
}

/* The same ticket may be of an ask and of a visit: its caller has come here. */
void
hp_match_service_receive_reply (HpMatchService *self, HpMatchSession *session,
                                const HpFrame *frame, gint64 now)
{
  HpMatchAsks *tables[] = { &self->asks, &self->visits };

  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    {
      HpMatchAsk *ask = hp_match_asks_find_ticket (
          tables[i], frame->reply.ticket_number);

      if (ask == NULL
          || memcmp (ask->callee, session->public_key, HP_KEY_SIZE) != 0)
        continue;
      session->suites = frame->reply.suites;
      hp_match_service_note_nat (session, &frame->reply.nat, now);
      receive_decision (self, ask, frame, now);
    }
}

void
hp_match_service_expire_asks (HpMatchService *self, gint64 now)
{
  HpMatchAsk *ask;

  while ((ask = hp_match_asks_find_expired (&self->asks, now)) != NULL)
    {
      if (ask->state == HP_MATCH_ASK_WAITING)
        hp_match_service_refuse_ask (self, ask, HP_REFUSED_UNKNOWN_ID, now);
      hp_match_questions_remove (&self->questions, ask->handle);
      hp_match_asks_remove (&self->asks, ask);
    }
  /* Their callers' services know by themselves when to give up. */
  while ((ask = hp_match_asks_find_expired (&self->visits, now)) != NULL)
    hp_match_asks_remove (&self->visits, ask);
}
