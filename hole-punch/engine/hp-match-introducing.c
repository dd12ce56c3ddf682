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
#define MAX_REPEATS 40
/* A larger one would only let the other side wait before it starts. */
#define MAX_ROUND_TRIP (3 * G_TIME_SPAN_SECOND)
/* An introduction holds candidates: bound its memory */
#define MIN_ASKS 1024
#define MAX_ASKS 16384

static HpMatchSession *
find_session (HpMatchService *self, const guint8 public_key[HP_KEY_SIZE])
{
  return hp_match_sessions_find_identity (&self->sessions, public_key);
}

static void
read_offer (HpMatchOffer *offer, guint16 suites, guint64 round_trip,
            const HpNatFacts *nat, const HpWireCandidates *candidates,
            gint64 now)
{
  /* Whole, so that two offers can be compared */
  memset (offer, 0, sizeof *offer);
  offer->suites = suites;
  offer->round_trip = MIN (round_trip, MAX_ROUND_TRIP);
  offer->nat = *nat;
  offer->nat_at = now;
  offer->candidates.n_candidates = candidates->n_candidates;
  for (guint i = 0; i < candidates->n_candidates; i++)
    {
      const HpWireCandidate *from = candidates->candidates + i;
      HpWireCandidate *to = offer->candidates.candidates + i;

      to->address = from->address;
      to->kind = from->kind;
      to->has_proof = from->has_proof;
      if (from->has_proof)
        memcpy (to->proof, from->proof, HP_PROOF_SIZE);
    }
}

/* A refusal is remembered, so that repeats read alike without any question. */
static void
refuse (HpMatchService *self, HpMatchAsk *ask, HpRefusedCode code, gint64 now)
{
  HpMatchSession *caller = find_session (self, ask->key.caller);

  hp_match_questions_remove (&self->questions, ask->handle);
  ask->handle = 0;
  ask->state = HP_MATCH_ASK_REFUSED;
  ask->code = code;
  self->statistics.refused++;
  if (caller != NULL)
    hp_match_service_send_refused (self, caller, ask->key.request, code, now);
}

/* Telling */

static gboolean
check_proof (gpointer user_data, const HpAddress *address,
             const guint8 proof[HP_PROOF_SIZE])
{
  return hp_cookie_jar_check (user_data, address, proof);
}

static void
copy_id (HpBytes *to, const char *id)
{
  to->data = (const guint8 *) id;
  to->length = strlen (id);
}

/* What all introductions have in common: @about is told to @to. */
static void
fill_introduction (HpMatchService *self, HpFrame *frame, HpMatchAsk *ask,
                   HpMatchSession *about, const HpMatchOffer *offer,
                   HpMatchSession *to, gint64 now)
{
  static const HpWireCandidates none = { 0 };
  const HpAddress *observed = &about->route.remote;

  memcpy (frame->introduction.public_key, about->public_key, HP_KEY_SIZE);
  copy_id (&frame->introduction.id,
           about->presence != NULL ? about->presence->id : "");
  frame->introduction.suites = offer != NULL ? offer->suites : about->suites;
  frame->introduction.round_trip
      = offer != NULL ? offer->round_trip : about->round_trip;
  frame->introduction.nat = offer != NULL ? offer->nat : about->nat;
  hp_nat_facts_grow_older (
      &frame->introduction.nat,
      now - (offer != NULL ? offer->nat_at : about->nat_at));
  frame->introduction.ticket.number = ask->ticket.number;
  memcpy (frame->introduction.ticket.secret, ask->ticket.secret,
          HP_TICKET_SECRET_SIZE);
  frame->introduction.observed = *observed;
  hp_candidates_filter (
      &frame->introduction.candidates,
      offer != NULL ? &offer->candidates : &none, observed,
      hp_candidates_same_network (observed, &to->route.remote), check_proof,
      &self->jar);
}

static void
send_introduce (HpMatchService *self, HpMatchAsk *ask, gint64 now)
{
  HpMatchSession *caller = find_session (self, ask->key.caller);
  HpMatchSession *callee = find_session (self, ask->callee);
  HpFrame frame = { .type = HP_FRAME_INTRODUCE };

  if (caller == NULL || callee == NULL)
    return;
  if (ask->state == HP_MATCH_ASK_WAITING)
    frame.introduction.flags = HP_INTRODUCE_NEEDS_REPLY;
  fill_introduction (self, &frame, ask, caller, &ask->from_caller, callee,
                     now);
  copy_id (&frame.introduction.wanted_id, ask->wanted_id);
  hp_match_service_send_frame (self, callee, &frame, now);
}

static void
send_answer (HpMatchService *self, HpMatchAsk *ask, gint64 now)
{
  HpMatchSession *caller = find_session (self, ask->key.caller);
  HpMatchSession *callee = find_session (self, ask->callee);
  HpFrame frame = { .type = HP_FRAME_ANSWER };

  if (caller == NULL || callee == NULL)
    return;
  frame.introduction.request = ask->key.request;
  fill_introduction (self, &frame, ask, callee, ask->from_callee, caller,
                     now);
  hp_match_service_send_frame (self, caller, &frame, now);
}

/* Both learn of each other in the same instant. Were only one of the two lost,
 * the other side would knock early at a NAT that is not open yet, and spoil its
 * mapping: so each is sent twice. */
static void
introduce (HpMatchService *self, HpMatchAsk *ask, gint64 now)
{
  HpMatchSession *caller = find_session (self, ask->key.caller);
  HpServiceEvent *event;

  ask->state = HP_MATCH_ASK_ANSWERED;
  for (guint i = 0; i < 2; i++)
    {
      send_answer (self, ask, now);
      send_introduce (self, ask, now);
    }
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

/* Deciding */

static void
resolve (HpMatchService *self, HpMatchAsk *ask, const guint8 *holder,
         gint64 now)
{
  HpMatchSession *callee = find_session (self, holder);
  HpTicket ticket;

  if (callee == NULL || memcmp (ask->key.caller, holder, HP_KEY_SIZE) == 0
      || (!ask->by_key
          && (callee->presence == NULL
              || strcmp (callee->presence->id, ask->wanted_id) != 0)))
    {
      refuse (self, ask, HP_REFUSED_UNKNOWN_ID, now);
      return;
    }
  memcpy (ask->callee, holder, HP_KEY_SIZE);
  hp_ticket_derive (&ticket, self->ticket_secret, ask->key.caller, holder,
                    ask->key.request);
  if (!hp_match_asks_set_ticket (&self->asks, ask, &ticket))
    {
      refuse (self, ask, HP_REFUSED_TEMPORARY, now);
      return;
    }
  ask->is_open = callee->presence != NULL
                 && (callee->presence->flags & HP_REGISTER_OPEN) != 0;
  ask->state = HP_MATCH_ASK_WAITING;
  if (ask->is_open)
    introduce (self, ask, now);
  else
    send_introduce (self, ask, now);
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
  if (ask->by_key)
    memcpy (event->callee_key, ask->callee, HP_KEY_SIZE);
  if (caller != NULL)
    event->address = caller->route.remote;
}

static void
look_up (HpMatchService *self, HpMatchAsk *ask, gint64 now)
{
  guint8 callee[HP_KEY_SIZE];

  ask->state = HP_MATCH_ASK_LOOKING_UP;
  if (ask->by_key)
    {
      memcpy (callee, ask->callee, HP_KEY_SIZE);
      resolve (self, ask, callee, now);
    }
  else
    {
      put_question (self, ask, HP_MATCH_QUESTION_LOOKUP,
                    HP_SERVICE_EVENT_LOOKUP, now);
    }
}

void
hp_match_service_ask_authorized (HpMatchService *self, HpMatchAsk *ask,
                                 gboolean allow, gint64 now)
{
  ask->handle = 0;
  if (allow)
    look_up (self, ask, now);
  else
    refuse (self, ask, HP_REFUSED_POLICY, now);
}

void
hp_match_service_ask_answered (HpMatchService *self, HpMatchAsk *ask,
                               const guint8 *holder, HpRefusedCode code,
                               gint64 now)
{
  ask->handle = 0;
  if (code != 0)
    refuse (self, ask, code, now);
  else if (holder == NULL)
    refuse (self, ask, HP_REFUSED_UNKNOWN_ID, now);
  else
    resolve (self, ask, holder, now);
}

/* Requests */

/* A repeat costs the callee an INTRODUCE, too: no more of them than an honest
 * caller sends in the time that it is remembered. */
static gboolean
may_repeat (HpMatchService *self, HpMatchAsk *ask, gint64 now)
{
  if (ask->repeats >= MAX_REPEATS || now - ask->repeated_at < REPEAT_INTERVAL)
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
    case HP_MATCH_ASK_WAITING:
      send_introduce (self, ask, now);
      break;
    case HP_MATCH_ASK_ANSWERED:
      send_answer (self, ask, now);
      send_introduce (self, ask, now);
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
  guint most = CLAMP (self->config.max_peers, MIN_ASKS, MAX_ASKS);

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
  if (hp_match_asks_count (&self->asks) >= most)
    {
      self->statistics.dropped_full++;
      hp_match_service_send_refused (self, session, request,
                                     HP_REFUSED_TEMPORARY, now);
      return FALSE;
    }
  return TRUE;
}

static void
begin (HpMatchService *self, HpMatchSession *session, const HpFrame *frame,
       gint64 now)
{
  HpMatchAsk *ask = hp_match_asks_add (&self->asks, session->public_key,
                                       frame->ask.request, now);

  session->ask_request = MAX (session->ask_request, frame->ask.request);
  self->statistics.asks++;
  read_offer (&ask->from_caller, frame->ask.suites, frame->ask.round_trip,
              &frame->ask.nat, &frame->ask.candidates, now);
  ask->by_key = frame->ask.by_key;
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
      look_up (self, ask, now);
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
      read_offer (&ask->from_caller, frame->ask.suites, frame->ask.round_trip,
                  &frame->ask.nat, &frame->ask.candidates, now);
      repeat (self, session, ask, now);
    }
  else if (request + REQUEST_WINDOW > session->ask_request
           && admit (self, session, request, now))
    {
      begin (self, session, frame, now);
    }
}

/* Of facts that a repeat gives again only their age differs. */
static gboolean
are_new_facts (const HpNatFacts *facts, const HpNatFacts *before)
{
  return !hp_nat_facts_same_kind (facts, before)
         || facts->port != before->port;
}

/* The callee's candidates and facts: to be told again if they are new. */
static gboolean
take_reply (HpMatchAsk *ask, const HpFrame *frame, gint64 now)
{
  HpMatchOffer offer;

  read_offer (&offer, frame->reply.suites, frame->reply.round_trip,
              &frame->reply.nat, &frame->reply.candidates, now);
  if (ask->from_callee != NULL
      && !are_new_facts (&offer.nat, &ask->from_callee->nat)
      && memcmp (&ask->from_callee->candidates, &offer.candidates,
                 sizeof offer.candidates) == 0)
    return FALSE;
  g_free (ask->from_callee);
  ask->from_callee = g_memdup2 (&offer, sizeof offer);
  return TRUE;
}

void
hp_match_service_receive_reply (HpMatchService *self, HpMatchSession *session,
                                const HpFrame *frame, gint64 now)
{
  HpMatchAsk *ask
      = hp_match_asks_find_ticket (&self->asks, frame->reply.ticket_number);

  if (ask == NULL
      || memcmp (ask->callee, session->public_key, HP_KEY_SIZE) != 0)
    return;
  session->suites = frame->reply.suites;
  hp_match_service_note_nat (session, &frame->reply.nat, now);
  if (ask->state == HP_MATCH_ASK_WAITING && !frame->reply.accept)
    {
      refuse (self, ask, HP_REFUSED_UNKNOWN_ID, now);
    }
  else if (ask->state == HP_MATCH_ASK_WAITING)
    {
      take_reply (ask, frame, now);
      introduce (self, ask, now);
    }
  else if (ask->state == HP_MATCH_ASK_ANSWERED && frame->reply.accept)
    {
      if (take_reply (ask, frame, now))
        send_answer (self, ask, now);
      /* Repeated, because the second INTRODUCE was lost */
      if (!ask->is_open)
        send_introduce (self, ask, now);
    }
}

void
hp_match_service_expire_asks (HpMatchService *self, gint64 now)
{
  HpMatchAsk *ask;

  while ((ask = hp_match_asks_oldest (&self->asks)) != NULL
         && ask->asked_at + HP_MATCH_ASK_LIFETIME <= now)
    {
      if (ask->state == HP_MATCH_ASK_WAITING)
        refuse (self, ask, HP_REFUSED_UNKNOWN_ID, now);
      hp_match_questions_remove (&self->questions, ask->handle);
      hp_match_asks_remove (&self->asks, ask);
    }
}
