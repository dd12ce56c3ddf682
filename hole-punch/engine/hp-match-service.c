/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-match-service-private.h"

#include <string.h>

/* How long a session lives that was never used, that is silent (or longer:
 * the lifetime of a registration), that a newer one replaced */
#define UNCONFIRMED_TIMEOUT (10 * G_TIME_SPAN_SECOND)
#define SILENT_TIMEOUT (120 * G_TIME_SPAN_SECOND)
#define REPLACED_TIMEOUT (60 * G_TIME_SPAN_SECOND)

#define MAX_OUTBOX 4096
#define PULLS_PER_HANDSHAKE 256

/* Life */

/* Proofs that all services of a server take, and tickets that all give alike;
 * without a seed, that none but this one does */
static void
init_secrets (HpMatchService *self, gint64 now)
{
  static const guint8 none[HP_KEY_SIZE];
  static const char label[] = "hole-punch tickets";
  const HpHashPart part = { label, strlen (label) };
  const guint8 *seed = self->config.cookie_seed;

  if (memcmp (seed, none, sizeof none) == 0)
    {
      hp_cookie_jar_init (&self->jar, &self->config.random, now);
      hp_random_fill (&self->config.random, self->ticket_secret, HP_KEY_SIZE);
    }
  else
    {
      hp_cookie_jar_init_shared (&self->jar, seed, now);
      hp_cookie_jar_set_clock (&self->jar, self->config.cookie_clock, now);
      hp_crypto_hmac (self->ticket_secret, seed, HP_KEY_SIZE, &part, 1);
    }
}

HpMatchService *
hp_match_service_new (const HpMatchServiceConfig *config, gint64 now)
{
  HpMatchService *self = g_new0 (HpMatchService, 1);
  const HpRandom *random = &config->random;

  self->config = *config;
  init_secrets (self, now);
  hp_match_sessions_init (&self->sessions, config->worker, random, now);
  hp_match_presences_init (&self->presences, &self->sessions, random);
  hp_match_networks_init (&self->networks, random);
  hp_match_asks_init (&self->asks, &self->config.random);
  hp_match_asks_init (&self->visits, &self->config.random);
  hp_match_questions_init (&self->questions);
  hp_outbox_init (&self->outbox, MAX_OUTBOX);
  hp_match_service_set_config (self, config);
  return self;
}

void
hp_match_service_set_config (HpMatchService *self,
                             const HpMatchServiceConfig *config)
{
  self->config = *config;
  hp_match_slots_expect (&self->sessions.slots, config->max_peers);
  hp_match_service_set_limits (self);
}

void
hp_match_service_set_peers_elsewhere (HpMatchService *self, guint n_peers)
{
  self->n_elsewhere = n_peers;
}

void
hp_match_service_set_asks_registration (HpMatchService *self, gboolean asks)
{
  self->asks_registration = asks;
}

void
hp_match_service_set_asks_introduction (HpMatchService *self, gboolean asks)
{
  self->asks_introduction = asks;
}

void
hp_match_service_set_places (HpMatchService *self,
                             const HpMatchPlaces *places)
{
  self->places = *places;
}

/* Those that are confirmed only have any. */
static void
free_claims (HpMatchService *self)
{
  const HpMatchSessions *sessions = &self->sessions;

  for (HpMatchSession *session
       = hp_match_sessions_oldest (sessions, HP_MATCH_SESSION_CONFIRMED);
       session != NULL; session = hp_match_sessions_next (sessions, session))
    g_clear_pointer (&session->claim, g_free);
}

void
hp_match_service_free (HpMatchService *self)
{
  if (self == NULL)
    return;
  free_claims (self);
  hp_match_questions_clear (&self->questions);
  hp_match_asks_clear (&self->asks);
  hp_match_asks_clear (&self->visits);
  hp_match_presences_clear (&self->presences);
  hp_match_networks_clear (&self->networks);
  hp_match_sessions_clear (&self->sessions);
  hp_outbox_clear (&self->outbox);
  hp_match_service_clear_initiations (self);
  hp_match_service_clear_events (self);
  hp_match_service_free_limits (self);
  hp_cookie_jar_clear (&self->jar);
  hp_crypto_wipe (self, sizeof *self);
  g_free (self);
}

void
hp_match_service_note_nat (HpMatchSession *session, const HpNatFacts *nat,
                           gint64 now)
{
  hp_match_session_set_nat (session, nat, now);
}

void
hp_match_service_drop_session (HpMatchService *self, HpMatchSession *session,
                               gint64 now)
{
  if (session->state != HP_MATCH_SESSION_UNCONFIRMED
      && session->claim != NULL)
    hp_match_service_cancel_claim (self, session->claim);
  hp_match_service_end_presence (self, session);
  if (session->state == HP_MATCH_SESSION_CONFIRMED)
    hp_match_service_tell_whereabouts (self, HP_SERVICE_EVENT_LEFT, session);
  hp_match_sessions_remove (&self->sessions, session);
}

void
hp_match_service_tell_whereabouts (HpMatchService *self,
                                   HpServiceEventType type,
                                   const HpMatchSession *session)
{
  HpServiceEvent *event = hp_match_service_add_event (self, type);

  memcpy (event->public_key, session->public_key, HP_KEY_SIZE);
}

void
hp_match_service_replace_session (HpMatchService *self,
                                  const guint8 public_key[HP_KEY_SIZE],
                                  gint64 now)
{
  HpMatchSession *session
      = hp_match_sessions_find_identity (&self->sessions, public_key);

  if (session == NULL)
    return;
  if (session->claim != NULL)
    hp_match_service_cancel_claim (self, session->claim);
  hp_match_service_move_presence (self, session);
  hp_match_sessions_replace (&self->sessions, session, now);
  hp_match_service_send_close (self, session, HP_CLOSE_REPLACED, now);
}

/* Sending */

/* Seals @frame; the outbox being full is like a loss on the network. */
void
hp_match_service_send_to (HpMatchService *self, HpMatchSession *session,
                          const HpRoute *route, const HpFrame *frame,
                          gint64 now)
{
  HpOutboxItem *item = hp_outbox_add (&self->outbox, route);
  HpWriter writer;

  if (item == NULL)
    {
      self->statistics.dropped_full++;
      return;
    }
  hp_writer_init (&writer, item->bytes + HP_DATA_HEADER_SIZE,
                  sizeof item->bytes - HP_DATA_OVERHEAD);
  hp_frame_write (frame, &writer);
  g_assert (hp_writer_ok (&writer));
  item->length = hp_session_seal (hp_match_session_get_secure (session),
                                  item->bytes, writer.offset, now);
}

void
hp_match_service_send_frame (HpMatchService *self, HpMatchSession *session,
                             const HpFrame *frame, gint64 now)
{
  HpRoute route;

  hp_match_sessions_get_route (&self->sessions, session, &route);
  hp_match_service_send_to (self, session, &route, frame, now);
}

void
hp_match_service_send_refused (HpMatchService *self, HpMatchSession *session,
                               guint64 request, HpRefusedCode code,
                               gint64 now)
{
  HpFrame frame = { .type = HP_FRAME_REFUSED };

  frame.refused.request = request;
  frame.refused.code = code;
  hp_match_service_send_frame (self, session, &frame, now);
}

void
hp_match_service_send_close (HpMatchService *self, HpMatchSession *session,
                             HpCloseCode code, gint64 now)
{
  HpFrame frame = { .type = HP_FRAME_CLOSE };

  frame.close.code = code;
  hp_match_service_send_frame (self, session, &frame, now);
}

/* Answers from the registry and the application */

static void
answer_question (HpMatchService *self, HpMatchQuestion *question,
                 const guint8 *holder, const HpMatchPlace *place,
                 HpRefusedCode code, gint64 now)
{
  HpMatchQuestion answered = *question;

  if (code == HP_REFUSED_TEMPORARY
      && (answered.kind == HP_MATCH_QUESTION_CLAIM
          || answered.kind == HP_MATCH_QUESTION_LOOKUP))
    self->statistics.registry_failures++;
  hp_match_questions_remove (&self->questions, answered.handle);
  switch (answered.kind)
    {
    case HP_MATCH_QUESTION_CLAIM:
    case HP_MATCH_QUESTION_AUTHORIZE_REGISTRATION:
      hp_match_service_claim_answered (self, answered.subject, holder, code,
                                       now);
      break;
    case HP_MATCH_QUESTION_LOOKUP:
    case HP_MATCH_QUESTION_CALL:
    case HP_MATCH_QUESTION_AUTHORIZE_INTRODUCTION:
      hp_match_service_ask_answered (self, answered.subject, holder, place,
                                     code, now);
      break;
    }
}

void
hp_match_service_answer_claim (HpMatchService *self, guint64 handle,
                               const guint8 *holder, HpRefusedCode code,
                               gint64 now)
{
  HpMatchQuestion *question
      = hp_match_questions_find (&self->questions, handle);

  if (question != NULL && question->kind == HP_MATCH_QUESTION_CLAIM)
    answer_question (self, question, holder, NULL, code, now);
}

void
hp_match_service_answer_lookup (HpMatchService *self, guint64 handle,
                                const guint8 *holder,
                                const HpMatchPlace *place, HpRefusedCode code,
                                gint64 now)
{
  HpMatchQuestion *question
      = hp_match_questions_find (&self->questions, handle);

  if (question != NULL && question->kind == HP_MATCH_QUESTION_LOOKUP)
    answer_question (self, question, holder, place, code, now);
}

void
hp_match_service_authorize (HpMatchService *self, guint64 handle,
                            gboolean allow, gint64 now)
{
  HpMatchQuestion *question
      = hp_match_questions_find (&self->questions, handle);
  gpointer subject;

  if (question == NULL)
    return;
  subject = question->subject;
  if (question->kind == HP_MATCH_QUESTION_AUTHORIZE_REGISTRATION)
    {
      hp_match_questions_remove (&self->questions, handle);
      hp_match_service_claim_authorized (self, subject, allow, now);
    }
  else if (question->kind == HP_MATCH_QUESTION_AUTHORIZE_INTRODUCTION)
    {
      hp_match_questions_remove (&self->questions, handle);
      hp_match_service_ask_authorized (self, subject, allow, now);
    }
}

/* Time */

static gint64
get_session_timeout (const HpMatchService *self, HpMatchSessionState state)
{
  switch (state)
    {
    case HP_MATCH_SESSION_UNCONFIRMED:
      return UNCONFIRMED_TIMEOUT;
    case HP_MATCH_SESSION_CONFIRMED:
      return MAX (SILENT_TIMEOUT, self->config.registration_lifetime);
    case HP_MATCH_SESSION_REPLACED:
      break;
    }
  return REPLACED_TIMEOUT;
}

gint64
hp_match_service_get_deadline (const HpMatchService *self)
{
  gint64 deadline = hp_match_service_get_challenge_deadline (self);
  HpMatchQuestion *question = hp_match_questions_oldest (&self->questions);

  if (self->initiations.length > 0 && !self->is_closing)
    return 0;
  for (guint state = 0; state < HP_MATCH_SESSION_STATES; state++)
    deadline = MIN (deadline,
                    hp_match_sessions_get_deadline (
                        &self->sessions, state,
                        get_session_timeout (self, state)));
  deadline = MIN (deadline, hp_match_presences_get_deadline (
                                &self->presences,
                                self->config.registration_lifetime));
  if (question != NULL)
    deadline = MIN (deadline, question->deadline);
  deadline = MIN (deadline, hp_match_asks_get_deadline (&self->asks));
  return MIN (deadline, hp_match_asks_get_deadline (&self->visits));
}

void
hp_match_service_expire (HpMatchService *self, gint64 now)
{
  HpMatchQuestion *question;

  hp_cookie_jar_rotate (&self->jar, now);
  while ((question = hp_match_questions_oldest (&self->questions)) != NULL
         && question->deadline <= now)
    answer_question (self, question, NULL, NULL, HP_REFUSED_TEMPORARY, now);
  hp_match_service_expire_challenges (self, now);
  hp_match_service_expire_asks (self, now);
  hp_match_service_expire_presences (self, now);
  for (guint state = 0; state < HP_MATCH_SESSION_STATES; state++)
    while (hp_match_sessions_get_deadline (&self->sessions, state,
                                           get_session_timeout (self, state))
           <= now)
      hp_match_service_drop_session (
          self, hp_match_sessions_oldest (&self->sessions, state), now);
}

void
hp_match_service_close (HpMatchService *self, gint64 now)
{
  self->is_closing = TRUE;
}

/* The farewells are many: each is written when there is room for it. Who has
 * just come, and has said nothing yet, would take a silence for a loss. */
static gboolean
write_farewell (HpMatchService *self, gint64 now)
{
  HpMatchSession *session = hp_match_sessions_oldest (
      &self->sessions, HP_MATCH_SESSION_CONFIRMED);

  if (session == NULL)
    session = hp_match_sessions_oldest (&self->sessions,
                                        HP_MATCH_SESSION_UNCONFIRMED);
  if (!self->is_closing || session == NULL)
    return FALSE;
  hp_match_service_send_close (self, session, HP_CLOSE_GOING_AWAY, now);
  hp_match_service_drop_session (self, session, now);
  /* Nobody will take them: they would be as many as there are peers. */
  hp_match_service_clear_events (self);
  return TRUE;
}

/* When all else is said; in a flood, which leaves always something to be said,
 * after so many others */
static gboolean
is_handshakes_turn (HpMatchService *self)
{
  if (self->initiations.length == 0 || self->is_closing)
    return FALSE;
  if (self->outbox.n > 0 && ++self->n_pulled < PULLS_PER_HANDSHAKE)
    return FALSE;
  self->n_pulled = 0;
  return TRUE;
}

gboolean
hp_match_service_pull (HpMatchService *self, HpOutgoing *outgoing, gint64 now)
{
  if (is_handshakes_turn (self))
    {
      hp_match_service_answer_initiation (self, now);
      /* Others first: get_deadline() tells of the rest. */
      if (!hp_outbox_pull (&self->outbox, outgoing))
        return FALSE;
      outgoing->is_last = self->outbox.n == 0;
      return TRUE;
    }
  return hp_outbox_pull (&self->outbox, outgoing)
         || (write_farewell (self, now)
             && hp_outbox_pull (&self->outbox, outgoing));
}

void
hp_match_service_get_statistics (const HpMatchService *self,
                                 HpServiceStatistics *statistics)
{
  *statistics = self->statistics;
  statistics->peers
      = hp_match_sessions_count_state (&self->sessions,
                                       HP_MATCH_SESSION_CONFIRMED);
  statistics->registrations = hp_match_presences_count (&self->presences);
}
