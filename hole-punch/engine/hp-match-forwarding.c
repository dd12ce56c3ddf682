/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* An introduction between two services, each of which only ever sends to its
 * own peers:
 *
 *   caller          its service             callee's service         callee
 *     │── ASK ─────────▸│                          │                    │
 *     │            LOOKUP: where?                  │                    │
 *     │                 │── CALL ─────────────────▸│── INTRODUCE ──────▸│
 *     │                 │◂───────────────── RINGING│◂──────────── REPLY │
 *     │◂─────── ANSWER ─│◂──────────────── ACCEPTED│── INTRODUCE ──────▸│
 *
 * or GONE, if the callee is not there (any more): then it is asked anew where
 * it is.
 *
 * Messages may be lost. Nothing but a repeated ASK repeats a CALL; each CALL
 * earns the callee an INTRODUCE, as a repeated ASK does here, and is answered
 * by what has become of the visit so far. Without any answer within a
 * question's deadline the ask is refused as TEMPORARY; after RINGING it waits
 * as long as for a callee here.
 *
 * The ticket is the callee's service's: it knows both keys, its REPLYs name
 * it, and it stays the same when the caller comes by another service.
 *
 * That both sides begin at one moment, the caller counts as farther away by
 * the way between the services, there and back, as it was measured lately.
 */

#include "hole-punch/engine/hp-match-message.h"
#include "hole-punch/engine/hp-match-service-private.h"

#include <string.h>

/* An ask is looked up so often: a directory may be behind */
#define MAX_LOOKUPS 3
/* Longer takes only who is in trouble */
#define MAX_WAY G_TIME_SPAN_SECOND

static void
forward (HpMatchService *self, const HpMatchPlace *place,
         const HpMatchMessage *message)
{
  guint8 bytes[HP_MATCH_MESSAGE_MAX_SIZE];

  hp_match_service_forward (
      self, place, bytes,
      hp_match_message_write (message, bytes, sizeof bytes));
}

/* Told by its service; a copy, as it came with the message */
static void
set_remote (HpMatchRemote *self, const HpMatchPlace *from,
            const HpMatchOffer *offer, const HpFrame *frame)
{
  const HpBytes *id = &frame->introduction.id;

  memset (self, 0, sizeof *self);
  self->place = *from;
  if (id->length > 0)
    memcpy (self->id, id->data, id->length);
  self->observed = frame->introduction.observed;
  self->offer = *offer;
}

static void
read_offer (HpMatchOffer *offer, HpFrame *frame, gint64 now)
{
  HpWireCandidates *candidates = &frame->introduction.candidates;

  /* Their proofs were taken off where they were checked. */
  for (guint i = 0; i < candidates->n_candidates; i++)
    candidates->candidates[i].has_proof = TRUE;
  hp_match_offer_set (offer, frame->introduction.suites,
                      frame->introduction.round_trip,
                      &frame->introduction.nat, candidates, now);
}

/* The way between the services */

static HpMatchWay *
get_way (HpMatchService *self, const HpMatchPlace *place)
{
  HpMatchWay *way
      = self->ways + g_str_hash (place->server) % HP_MATCH_WAYS;

  if (strcmp (way->server, place->server) != 0)
    {
      memcpy (way->server, place->server, sizeof way->server);
      way->round_trip = 0;
    }
  return way;
}

static void
measure_way (HpMatchService *self, const HpMatchPlace *from,
             const HpMatchMessage *outcome, gint64 now)
{
  HpMatchWay *way = get_way (self, from);
  gint64 sample = CLAMP (now - (gint64) outcome->time, 1, MAX_WAY);

  if (outcome->time == 0)
    return;
  way->round_trip
      = way->round_trip == 0 ? sample : (3 * way->round_trip + sample) / 4;
}

/* The caller's service: calling */

void
hp_match_service_send_call (HpMatchService *self, HpMatchAsk *ask, gint64 now)
{
  HpMatchMessage message = {
    .type = HP_MATCH_MESSAGE_CALL,
    .request = ask->key.request,
    .time = now,
    .has_callee = ask->has_callee,
    .frame = { .type = HP_FRAME_INTRODUCE },
  };

  if (!hp_match_service_describe (self, ask, &message.frame, now))
    return;
  message.frame.introduction.round_trip += ask->way;
  memcpy (message.caller, ask->key.caller, HP_KEY_SIZE);
  memcpy (message.callee, ask->callee, HP_KEY_SIZE);
  forward (self, &ask->remote->place, &message);
}

void
hp_match_service_call (HpMatchService *self, HpMatchAsk *ask,
                       const guint8 *callee, const HpMatchPlace *place,
                       gint64 now)
{
  ask->is_call = TRUE;
  ask->remote = g_new0 (HpMatchRemote, 1);
  ask->remote->place = *place;
  if (callee != NULL)
    {
      ask->has_callee = TRUE;
      memcpy (ask->callee, callee, HP_KEY_SIZE);
    }
  ask->state = HP_MATCH_ASK_CALLING;
  ask->call_time = now;
  ask->way = get_way (self, place)->round_trip;
  ask->handle = hp_match_questions_add (&self->questions,
                                        HP_MATCH_QUESTION_CALL, ask, now);
  hp_match_service_send_call (self, ask, now);
}

/* The place has answered the CALL, whatever it says. */
static void
end_calling (HpMatchService *self, HpMatchAsk *ask, const HpMatchPlace *from)
{
  if (ask->state != HP_MATCH_ASK_CALLING)
    return;
  hp_match_questions_remove (&self->questions, ask->handle);
  ask->handle = 0;
  ask->remote->place = *from;
  ask->state = HP_MATCH_ASK_WAITING;
}

static void
receive_gone (HpMatchService *self, HpMatchAsk *ask, gint64 now)
{
  if (ask->state != HP_MATCH_ASK_WAITING)
    return;
  if (ask->lookups >= MAX_LOOKUPS)
    {
      hp_match_service_refuse_ask (self, ask, HP_REFUSED_UNKNOWN_ID, now);
      return;
    }
  g_clear_pointer (&ask->remote, g_free);
  ask->is_call = FALSE;
  ask->has_callee = ask->by_key;
  hp_match_service_look_up (self, ask, now);
}

static gboolean
is_of_callee (const HpMatchAsk *ask, const HpFrame *frame)
{
  const guint8 *callee = frame->introduction.public_key;

  return (!ask->has_callee || memcmp (ask->callee, callee, HP_KEY_SIZE) == 0)
         && memcmp (ask->key.caller, callee, HP_KEY_SIZE) != 0;
}

static void
receive_accepted (HpMatchService *self, HpMatchAsk *ask,
                  const HpMatchPlace *from, HpFrame *frame, gint64 now)
{
  HpMatchOffer offer;
  gboolean is_news;

  read_offer (&offer, frame, now);
  is_news = hp_match_offer_is_news (&offer, &ask->remote->offer)
            || ask->ticket.number != frame->introduction.ticket.number;
  set_remote (ask->remote, from, &offer, frame);
  ask->ticket.number = frame->introduction.ticket.number;
  memcpy (ask->ticket.secret, frame->introduction.ticket.secret,
          HP_TICKET_SECRET_SIZE);
  ask->has_callee = TRUE;
  memcpy (ask->callee, frame->introduction.public_key, HP_KEY_SIZE);
  if (ask->state == HP_MATCH_ASK_WAITING)
    hp_match_service_introduce (self, ask, now);
  else if (is_news)
    hp_match_service_send_answer (self, ask, now);
}

static void
receive_outcome (HpMatchService *self, const HpMatchPlace *from,
                 HpMatchMessage *message, gint64 now)
{
  HpMatchAsk *ask = hp_match_asks_find (&self->asks, message->caller,
                                        message->request);

  /* Late, or never asked, or of another place, or about somebody else */
  if (ask == NULL || !ask->is_call || ask->state == HP_MATCH_ASK_REFUSED
      || (message->type == HP_MATCH_MESSAGE_GONE
          && message->time < ask->call_time)
      || (message->type == HP_MATCH_MESSAGE_ACCEPTED
          && !is_of_callee (ask, &message->frame)))
    return;
  measure_way (self, from, message, now);
  end_calling (self, ask, from);
  if (message->type == HP_MATCH_MESSAGE_ACCEPTED)
    receive_accepted (self, ask, from, &message->frame, now);
  else if (message->type == HP_MATCH_MESSAGE_GONE)
    receive_gone (self, ask, now);
  else if (message->type == HP_MATCH_MESSAGE_REFUSED
           && ask->state == HP_MATCH_ASK_WAITING)
    hp_match_service_refuse_ask (self, ask, message->code, now);
}

/* The callee's service: visits */

/* Without a visit that remembers it */
static void
send_away (HpMatchService *self, const HpMatchPlace *place,
           const HpMatchMessage *call, HpMatchMessageType type,
           HpRefusedCode code)
{
  HpMatchMessage message = {
    .type = type,
    .request = call->request,
    .time = call->time,
    .code = code,
  };

  memcpy (message.caller, call->caller, HP_KEY_SIZE);
  forward (self, place, &message);
}

void
hp_match_service_send_outcome (HpMatchService *self, HpMatchAsk *visit,
                               gint64 now)
{
  HpMatchMessage message = {
    .type = HP_MATCH_MESSAGE_RINGING,
    .request = visit->key.request,
    .time = visit->call_time,
    .frame = { .type = HP_FRAME_ANSWER },
    .code = visit->code,
  };

  if (visit->state == HP_MATCH_ASK_ANSWERED)
    message.type = HP_MATCH_MESSAGE_ACCEPTED;
  else if (visit->state == HP_MATCH_ASK_REFUSED)
    message.type = HP_MATCH_MESSAGE_REFUSED;
  if (message.type == HP_MATCH_MESSAGE_ACCEPTED
      && !hp_match_service_describe (self, visit, &message.frame, now))
    return;
  memcpy (message.caller, visit->key.caller, HP_KEY_SIZE);
  forward (self, &visit->remote->place, &message);
}

static HpMatchAsk *
add_visit (HpMatchService *self, const HpMatchMessage *call, gint64 now)
{
  HpMatchAsk *visit = hp_match_asks_add (&self->visits, call->caller,
                                         call->request, now);
  const HpBytes *wanted_id = &call->frame.introduction.wanted_id;

  visit->is_visit = TRUE;
  visit->state = HP_MATCH_ASK_LOOKING_UP;
  visit->by_key = wanted_id->length == 0;
  if (!visit->by_key)
    memcpy (visit->wanted_id, wanted_id->data, wanted_id->length);
  visit->has_callee = call->has_callee;
  if (call->has_callee)
    memcpy (visit->callee, call->callee, HP_KEY_SIZE);
  visit->remote = g_new0 (HpMatchRemote, 1);
  return visit;
}

static void
begin_visit (HpMatchService *self, const HpMatchPlace *from,
             HpMatchMessage *call, gint64 now)
{
  HpMatchSession *callee;
  HpMatchOffer offer;
  HpMatchAsk *visit;

  if (!hp_match_service_has_room (self, &self->visits))
    {
      self->statistics.dropped_full++;
      send_away (self, from, call, HP_MATCH_MESSAGE_REFUSED,
                 HP_REFUSED_TEMPORARY);
      return;
    }
  visit = add_visit (self, call, now);
  callee = hp_match_service_find_callee (self, visit);
  if (callee == NULL)
    {
      hp_match_asks_remove (&self->visits, visit);
      send_away (self, from, call, HP_MATCH_MESSAGE_GONE, 0);
      return;
    }
  read_offer (&offer, &call->frame, now);
  set_remote (visit->remote, from, &offer, &call->frame);
  visit->call_time = call->time;
  hp_match_service_meet (self, visit, callee, now);
  visit->call_time = 0;
}

static void
repeat_visit (HpMatchService *self, HpMatchAsk *visit,
              const HpMatchPlace *from, HpMatchMessage *call, gint64 now)
{
  HpMatchOffer offer;

  /* Its caller's service sees to the interval. */
  if (visit->repeats >= HP_MATCH_MAX_REPEATS)
    {
      self->statistics.dropped_rate_limited++;
      return;
    }
  visit->repeats++;
  read_offer (&offer, &call->frame, now);
  set_remote (visit->remote, from, &offer, &call->frame);
  if (visit->state != HP_MATCH_ASK_REFUSED)
    hp_match_service_send_introduce (self, visit, now);
  visit->call_time = call->time;
  hp_match_service_send_outcome (self, visit, now);
  visit->call_time = 0;
}

static void
receive_call (HpMatchService *self, const HpMatchPlace *from,
              HpMatchMessage *call, gint64 now)
{
  HpMatchAsk *visit = hp_match_asks_find (&self->visits, call->caller,
                                          call->request);

  /* To be told anything it would have to be here. */
  if (visit != NULL && visit->state != HP_MATCH_ASK_REFUSED
      && hp_match_sessions_find_identity (&self->sessions, visit->callee)
             == NULL)
    {
      hp_match_asks_remove (&self->visits, visit);
      visit = NULL;
    }
  if (visit == NULL)
    begin_visit (self, from, call, now);
  else
    repeat_visit (self, visit, from, call, now);
}

void
hp_match_service_receive_message (HpMatchService *self,
                                  const HpMatchPlace *from,
                                  const guint8 *bytes, gsize length,
                                  gint64 now)
{
  HpMatchMessage message;

  if (self->is_closing)
    return;
  hp_cookie_jar_rotate (&self->jar, now);
  if (!hp_match_message_parse (&message, bytes, length))
    self->statistics.dropped_malformed++;
  else if (message.type == HP_MATCH_MESSAGE_CALL)
    receive_call (self, from, &message, now);
  else
    receive_outcome (self, from, &message, now);
}
