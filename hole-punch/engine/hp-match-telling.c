/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What is told of one side of an introduction to the other: INTRODUCE and
 * ANSWER.
 *
 * Who decides what of it passes: of addresses with a proof, the service that
 * gave the proof, which is the one of whoever offers them; of private ones,
 * the service of whoever is told, which knows both observed addresses.
 */

#include "hole-punch/engine/hp-match-service-private.h"

#include <string.h>

/* One side, be it here or at another place */
typedef struct
{
  const guint8 *public_key;
  const char *id;
  const HpAddress *observed;
  guint16 suites;
  gint64 round_trip;
  const HpNatFacts *nat;
  gint64 nat_at;
  const HpWireCandidates *candidates;
  HpProofCheck check;
} Side;

static gboolean
check_proof (gpointer user_data, const HpAddress *address,
             const guint8 proof[HP_PROOF_SIZE])
{
  return hp_cookie_jar_check (user_data, address, proof);
}

static gboolean
was_checked (gpointer user_data, const HpAddress *address,
             const guint8 proof[HP_PROOF_SIZE])
{
  return TRUE;
}

static void
set_offer (Side *side, const HpMatchOffer *offer)
{
  side->suites = offer->suites;
  side->round_trip = offer->round_trip;
  side->nat = &offer->nat;
  side->nat_at = offer->nat_at;
  side->candidates = &offer->candidates;
}

/* @offer NULL: it has said no more than when it registered. */
static gboolean
look_here (HpMatchService *self, const guint8 *public_key,
           const HpMatchOffer *offer, Side *side)
{
  static const HpWireCandidates none = { 0 };
  const HpMatchSession *session
      = hp_match_sessions_find_identity (&self->sessions, public_key);

  if (session == NULL)
    return FALSE;
  side->public_key = public_key;
  side->id = session->presence != NULL ? session->presence->id : "";
  side->observed = &session->route.remote;
  side->check = check_proof;
  side->suites = session->suites;
  side->round_trip = session->round_trip;
  side->nat = &session->nat;
  side->nat_at = hp_match_sessions_get_nat_at (&self->sessions, session);
  side->candidates = &none;
  if (offer != NULL)
    set_offer (side, offer);
  return TRUE;
}

static gboolean
look_there (const HpMatchRemote *remote, const guint8 *public_key, Side *side)
{
  side->public_key = public_key;
  side->id = remote->id;
  side->observed = &remote->observed;
  side->check = was_checked;
  set_offer (side, &remote->offer);
  return TRUE;
}

static gboolean
get_caller (HpMatchService *self, const HpMatchAsk *ask, Side *side)
{
  return ask->is_visit
             ? look_there (ask->remote, ask->key.caller, side)
             : look_here (self, ask->key.caller, &ask->from_caller, side);
}

static gboolean
get_callee (HpMatchService *self, const HpMatchAsk *ask, Side *side)
{
  return ask->is_call
             ? look_there (ask->remote, ask->callee, side)
             : look_here (self, ask->callee, ask->from_callee, side);
}

static void
copy_id (HpBytes *to, const char *id)
{
  to->data = (const guint8 *) id;
  to->length = strlen (id);
}

/* @about is told to whoever is seen at @to (NULL: to another service). */
static void
fill (HpMatchService *self, const HpMatchAsk *ask, HpFrame *frame,
      const Side *about, const HpAddress *to, gint64 now)
{
  memcpy (frame->introduction.public_key, about->public_key, HP_KEY_SIZE);
  copy_id (&frame->introduction.id, about->id);
  if (frame->type == HP_FRAME_INTRODUCE)
    copy_id (&frame->introduction.wanted_id, ask->wanted_id);
  else
    frame->introduction.request = ask->key.request;
  frame->introduction.suites = about->suites;
  frame->introduction.round_trip = about->round_trip;
  frame->introduction.nat = *about->nat;
  hp_nat_facts_grow_older (&frame->introduction.nat, now - about->nat_at);
  frame->introduction.ticket.number = ask->ticket.number;
  memcpy (frame->introduction.ticket.secret, ask->ticket.secret,
          HP_TICKET_SECRET_SIZE);
  frame->introduction.observed = *about->observed;
  hp_candidates_filter (
      &frame->introduction.candidates, about->candidates, about->observed,
      to == NULL || hp_candidates_same_network (about->observed, to),
      about->check, &self->jar);
}

gboolean
hp_match_service_describe (HpMatchService *self, HpMatchAsk *ask,
                           HpFrame *frame, gint64 now)
{
  Side about;

  if (!(frame->type == HP_FRAME_INTRODUCE ? get_caller (self, ask, &about)
                                          : get_callee (self, ask, &about)))
    return FALSE;
  fill (self, ask, frame, &about, NULL, now);
  return TRUE;
}

void
hp_match_service_send_introduce (HpMatchService *self, HpMatchAsk *ask,
                                 gint64 now)
{
  HpMatchSession *callee
      = hp_match_sessions_find_identity (&self->sessions, ask->callee);
  HpFrame frame = { .type = HP_FRAME_INTRODUCE };
  Side caller;

  if (callee == NULL || !get_caller (self, ask, &caller))
    return;
  if (ask->state == HP_MATCH_ASK_WAITING)
    frame.introduction.flags = HP_INTRODUCE_NEEDS_REPLY;
  fill (self, ask, &frame, &caller, &callee->route.remote, now);
  hp_match_service_send_frame (self, callee, &frame, now);
}

void
hp_match_service_send_answer (HpMatchService *self, HpMatchAsk *ask,
                              gint64 now)
{
  HpMatchSession *caller
      = hp_match_sessions_find_identity (&self->sessions, ask->key.caller);
  HpFrame frame = { .type = HP_FRAME_ANSWER };
  Side callee;

  if (caller == NULL || !get_callee (self, ask, &callee))
    return;
  fill (self, ask, &frame, &callee, &caller->route.remote, now);
  /* This comes later than the INTRODUCE by half of the way. */
  frame.introduction.round_trip
      -= MIN (frame.introduction.round_trip, ask->way);
  hp_match_service_send_frame (self, caller, &frame, now);
}
