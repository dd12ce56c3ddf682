/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What comes from the match server: COOKIE, RESPONSE, UNKNOWN, and the frames
 * of the session.
 */

#include "hole-punch/engine/hp-match-client-private.h"

#include <string.h>

/* A server with another key may only be one that somebody slipped in, and one
 * that we have no suite in common with may be updated: try again, not too
 * often. */
#define COOKIE_RETRY (4 * G_TIME_SPAN_SECOND)
/* UNKNOWN is heeded so often */
#define HINT_INTERVAL G_TIME_SPAN_SECOND
/* How often an acceptance and a refusal are said; then when asked again */
#define ACCEPTANCES 5
#define REFUSALS 2

/* Without a session */

static gboolean
is_right_key (const HpMatchClient *self, const HpCookiePacket *cookie)
{
  return cookie->has_public_key
         && (!self->has_server_key
             || memcmp (cookie->public_key, self->server_key, HP_KEY_SIZE)
                    == 0);
}

static gboolean
receive_cookie (HpMatchClient *self, const HpDatagram *datagram, gint64 now)
{
  HpCookiePacket cookie;
  gint64 round_trip;
  HpGreeter *greeter = hp_match_greeting_receive (
      &self->greeting, datagram, now, &cookie, &round_trip);

  if (greeter == NULL)
    return FALSE;
  if (!is_right_key (self, &cookie))
    {
      hp_greeter_start (greeter, &self->config.random, now + COOKIE_RETRY);
      if (!self->told_wrong_key && self->state == HP_MATCH_GREETING)
        {
          self->told_wrong_key = TRUE;
          hp_match_client_add_event (self, HP_MATCH_EVENT_WRONG_KEY);
        }
      return TRUE;
    }
  if (self->state == HP_MATCH_GREETING)
    {
      /* It may be farther than the one before. */
      if (!hp_address_equal (&greeter->route.remote, &self->route.remote))
        self->round_trip = -1;
      hp_match_client_measured (self, round_trip);
      if (!hp_match_client_shake (self, &cookie, &greeter->route, now))
        hp_greeter_start (greeter, &self->config.random, now + COOKIE_RETRY);
    }
  else if (self->state == HP_MATCH_CONNECTED && self->route.socket != 0
           && greeter->route.socket == 0)
    {
      /* UDP gets out after all. */
      (void) hp_match_client_shake (self, &cookie, &greeter->route, now);
    }
  /* Before the first session the key is not known to be the server's own; the
   * one that we shake hands with now is. */
  if (self->has_server_key
      || memcmp (cookie.public_key, self->handshake_key, HP_KEY_SIZE) == 0)
    hp_match_greeting_take_proof (&self->greeting, greeter, &cookie, now);
  /* A relay is news to those whom an introduction concerns just now. */
  if (greeter->route.socket != 0)
    hp_match_requests_tell_nat (&self->requests, FALSE, now);
  return TRUE;
}

static gboolean
receive_response (HpMatchClient *self, const HpDatagram *datagram, gint64 now)
{
  HpHandshakeResult result;
  HpSession *session = NULL;
  guint32 index;

  if (!hp_packet_get_receiver (datagram->bytes, datagram->length, &index)
      || index / 2 != self->config.index / 2)
    return FALSE;
  if (self->state != HP_MATCH_SHAKING
      || index != hp_handshake_get_local_index (self->handshake))
    return TRUE;
  if (hp_handshake_consume_response (self->handshake, datagram->bytes,
                                     datagram->length, HP_REPLAY_WINDOW_SERVER,
                                     now, &result, &session)
      == HP_HANDSHAKE_OK)
    hp_match_client_connected (self, session, now);
  return TRUE;
}

/* Anybody may say so: only a reason to look. */
static gboolean
receive_unknown (HpMatchClient *self, const HpDatagram *datagram, gint64 now)
{
  HpUnknown unknown;

  if (self->session == NULL
      || !hp_packet_parse_unknown (&unknown, datagram->bytes,
                                   datagram->length)
      || unknown.receiver_index
             != hp_session_get_remote_index (self->session)
      || !hp_address_equal (&datagram->route.remote, &self->route.remote))
    return FALSE;
  if (unknown.number < hp_session_get_next_number (self->session)
      && (self->hinted_at == 0 || now - self->hinted_at >= HINT_INTERVAL))
    {
      self->hinted_at = now;
      hp_match_client_hurry (self, now);
      self->patience = MIN (self->patience, MAX (self->unanswered, 1));
    }
  return TRUE;
}

/* Introductions */

static void
copy_id (char to[HP_ID_MAX_SIZE + 1], const HpBytes *from)
{
  if (from->length > 0)
    memcpy (to, from->data, from->length);
  to[from->length] = '\0';
}

/* The server told both in the same instant, and each hears of it half its own
 * round trip later: from then on until half the longer one has passed. */
static gint64
compute_start (const HpMatchClient *self, guint64 other_round_trip, gint64 now)
{
  gint64 own = MAX (self->round_trip, 0);
  gint64 other = MIN (other_round_trip, 3 * G_TIME_SPAN_SECOND);

  return now + MAX (other - own, 0) / 2;
}

static void
fill_introduction (HpMatchClient *self, HpMatchIntroduction *to,
                   const HpFrame *frame, gint64 now)
{
  memcpy (to->public_key, frame->introduction.public_key, HP_KEY_SIZE);
  copy_id (to->id, &frame->introduction.id);
  copy_id (to->wanted_id, &frame->introduction.wanted_id);
  to->suites = frame->introduction.suites;
  hp_ticket_init (&to->ticket, frame->introduction.ticket.number,
                  frame->introduction.ticket.secret, HP_TICKET_SECRET_SIZE);
  to->needs_reply
      = (frame->introduction.flags & HP_INTRODUCE_NEEDS_REPLY) != 0;
  to->start_at = compute_start (self, frame->introduction.round_trip, now);
  to->observed = frame->introduction.observed;
  to->nat = frame->introduction.nat;
  to->candidates = frame->introduction.candidates;
}

static gboolean
has_same_candidates (const HpWireCandidates *a, const HpWireCandidates *b)
{
  if (a->n_candidates != b->n_candidates)
    return FALSE;
  for (guint i = 0; i < a->n_candidates; i++)
    if (a->candidates[i].kind != b->candidates[i].kind
        || !hp_address_equal (&a->candidates[i].address,
                              &b->candidates[i].address))
      return FALSE;
  return TRUE;
}

static gboolean
has_same_nat (const HpNatFacts *a, const HpNatFacts *b)
{
  return hp_nat_facts_same_kind (a, b) && a->port == b->port;
}

static void
receive_answer (HpMatchClient *self, const HpFrame *frame, gint64 now)
{
  guint64 number = frame->introduction.ticket.number;
  HpMatchQuery *query = hp_match_requests_find_query (
      &self->requests, frame->introduction.request);
  HpMatchEvent *event;
  gboolean is_repeated;

  if (query == NULL
      || (query->by_key
          && memcmp (query->public_key, frame->introduction.public_key,
                     HP_KEY_SIZE) != 0))
    return;
  is_repeated = query->is_answered && query->ticket_number == number;
  if (is_repeated
      && has_same_candidates (&query->candidates,
                              &frame->introduction.candidates)
      && has_same_nat (&query->nat, &frame->introduction.nat))
    return;
  query->is_answered = TRUE;
  query->ticket_number = number;
  query->candidates = frame->introduction.candidates;
  query->nat = frame->introduction.nat;
  event = hp_match_client_add_event (self, HP_MATCH_EVENT_ANSWER);
  event->request = query->request;
  fill_introduction (self, &event->introduction, frame, now);
  event->introduction.repeated = is_repeated;
}

/* An INTRODUCE that needs no REPLY gets one all the same if we have addresses
 * that the server cannot see: it tells the caller of them. */
static void
tell_candidates (HpMatchClient *self, HpMatchIncoming *incoming, gint64 now)
{
  HpWireCandidates candidates;

  hp_match_client_get_candidates (self, &candidates, now);
  if (candidates.n_candidates > 0)
    hp_match_requests_reply (incoming, TRUE, 1, now);
}

static void
answer_introduction (HpMatchClient *self, HpMatchIncoming *incoming,
                     gboolean needs_reply, gint64 now)
{
  if (needs_reply)
    {
      incoming->needed_reply = TRUE;
      if (incoming->is_decided)
        hp_match_requests_reply (incoming, incoming->accept, 1, now);
    }
  else if (incoming->needed_reply)
    {
      /* Our REPLY was heard. */
      hp_match_requests_reply (incoming, TRUE, 0, now);
    }
  else
    {
      tell_candidates (self, incoming, now);
    }
}

static void
receive_introduce (HpMatchClient *self, const HpFrame *frame, gint64 now)
{
  guint64 number = frame->introduction.ticket.number;
  HpMatchIncoming *incoming
      = hp_match_requests_find_incoming (&self->requests, number);
  HpMatchEvent *event
      = hp_match_client_add_event (self, HP_MATCH_EVENT_INTRODUCED);

  fill_introduction (self, &event->introduction, frame, now);
  event->introduction.repeated = incoming != NULL;
  if (incoming == NULL)
    incoming = hp_match_requests_add_incoming (&self->requests, number);
  incoming->came_at = now;
  answer_introduction (self, incoming, event->introduction.needs_reply, now);
}

void
hp_match_client_reply (HpMatchClient *self, guint64 ticket_number,
                       gboolean accept, gint64 now)
{
  HpMatchIncoming *incoming
      = hp_match_requests_find_incoming (&self->requests, ticket_number);

  if (incoming != NULL && incoming->needed_reply && !incoming->is_decided)
    hp_match_requests_reply (incoming, accept,
                             accept ? ACCEPTANCES : REFUSALS, now);
}

/* Answers */

static void
receive_registered (HpMatchClient *self, const HpFrame *frame, gint64 now)
{
  gint64 lifetime
      = MIN (frame->registered.lifetime, 7 * 86400) * G_USEC_PER_SEC;

  if (hp_match_requests_registered (&self->requests,
                                    frame->registered.request, lifetime, now))
    hp_match_client_add_event (self, HP_MATCH_EVENT_REGISTERED);
  hp_match_client_set_observed (self, &frame->registered.observed);
}

static void
receive_refused (HpMatchClient *self, const HpFrame *frame, gint64 now)
{
  guint64 request = frame->refused.request;
  HpMatchQuery *query
      = hp_match_requests_find_query (&self->requests, request);
  HpMatchEvent *event;

  if (hp_match_client_relays_refused (self, request))
    return;
  if (query != NULL && !query->is_answered)
    {
      event = hp_match_client_add_event (self, HP_MATCH_EVENT_ASK_REFUSED);
      hp_match_requests_remove_query (&self->requests, query);
    }
  else if (query == NULL
           && hp_match_requests_refused (&self->requests, request,
                                         frame->refused.code, now))
    {
      event = hp_match_client_add_event (
          self, HP_MATCH_EVENT_REGISTRATION_REFUSED);
    }
  else
    {
      return;
    }
  event->request = request;
  event->code = frame->refused.code;
}

static void
receive_observed (HpMatchClient *self, const HpFrame *frame, gint64 now)
{
  if (self->pinged_at != 0)
    hp_match_client_measured (self, now - self->pinged_at);
  self->pinged_at = 0;
  hp_match_client_set_observed (self, &frame->observed.address);
}

/* FALSE: nothing more of this packet counts. */
static gboolean
receive_frame (HpMatchClient *self, const HpFrame *frame, gint64 now)
{
  switch (frame->type)
    {
    case HP_FRAME_PING:
      self->ping_at = now;
      return TRUE;
    case HP_FRAME_CLOSE:
      hp_match_client_dismissed (self, frame->close.code, now);
      return FALSE;
    case HP_FRAME_PATH_CHALLENGE:
      self->has_challenge = TRUE;
      memcpy (self->challenge, frame->token, HP_TOKEN_SIZE);
      return TRUE;
    case HP_FRAME_REGISTERED:
      receive_registered (self, frame, now);
      return TRUE;
    case HP_FRAME_REFUSED:
      receive_refused (self, frame, now);
      return TRUE;
    case HP_FRAME_ANSWER:
      receive_answer (self, frame, now);
      return TRUE;
    case HP_FRAME_INTRODUCE:
      receive_introduce (self, frame, now);
      return TRUE;
    case HP_FRAME_OBSERVED:
      receive_observed (self, frame, now);
      return TRUE;
    case HP_FRAME_RELAYS:
      hp_match_client_receive_relays (self, frame, now);
      return TRUE;
    case HP_FRAME_KNOCKED:
      hp_match_client_receive_knocked (self, frame);
      return TRUE;
    default:
      /* Of a peer, or of a later server: not for us. */
      return TRUE;
    }
}

static gboolean
receive_data (HpMatchClient *self, const HpDatagram *datagram, gint64 now)
{
  HpReader reader;
  HpFrame frame;
  guint64 number;
  guint8 *plain;
  gsize length;
  guint32 index;

  if (!hp_packet_get_receiver (datagram->bytes, datagram->length, &index)
      || index / 2 != self->config.index / 2)
    return FALSE;
  if (self->session == NULL || self->state == HP_MATCH_CLOSED
      || index != hp_session_get_local_index (self->session)
      || hp_session_open (self->session, datagram->bytes, datagram->length,
                          now, &number, &plain, &length) != HP_OPEN_OK)
    return TRUE;
  hp_match_client_heard (self, now);
  hp_reader_init (&reader, plain, length);
  while (hp_reader_left (&reader) > 0)
    if (!hp_frame_parse (&frame, &reader)
        || !receive_frame (self, &frame, now))
      break;
  return TRUE;
}

gboolean
hp_match_client_receive (HpMatchClient *self, const HpDatagram *datagram,
                         gint64 now)
{
  if (hp_packet_classify (datagram->bytes, datagram->length)
      != HP_PACKET_CLASS_OURS)
    return FALSE;
  switch ((HpPacketType) datagram->bytes[0])
    {
    case HP_PACKET_COOKIE:
      return receive_cookie (self, datagram, now);
    case HP_PACKET_RESPONSE:
      return receive_response (self, datagram, now);
    case HP_PACKET_DATA_0:
    case HP_PACKET_DATA_1:
      return receive_data (self, datagram, now);
    case HP_PACKET_UNKNOWN:
      return receive_unknown (self, datagram, now);
    case HP_PACKET_HELLO:
    case HP_PACKET_INITIATION:
    case HP_PACKET_PROBE:
      break;
    }
  return FALSE;
}
