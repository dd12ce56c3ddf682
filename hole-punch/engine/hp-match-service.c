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
#define LIMITER_BUCKETS 4096
#define REGISTERS_PER_MINUTE 30
#define UNKNOWN_PER_SECOND 10
#define RELAYS_PER_MINUTE 10
/* Six at most for each time a peer looks at its NAT */
#define KNOCKS_PER_MINUTE 30

HpServiceEvent *
hp_match_service_add_event (HpMatchService *self, HpServiceEventType type)
{
  HpServiceEvent *event = g_new0 (HpServiceEvent, 1);

  event->type = type;
  g_queue_push_tail (&self->events, event);
  return event;
}

gboolean
hp_match_service_next_event (HpMatchService *self, HpServiceEvent *event)
{
  g_autofree HpServiceEvent *next = g_queue_pop_head (&self->events);

  if (next == NULL)
    return FALSE;
  *event = *next;
  return TRUE;
}

/* Life */

static HpRateLimiter *
new_limiter (HpMatchService *self)
{
  /* hp_match_service_set_config() gives the rate. */
  return hp_rate_limiter_new (0, G_USEC_PER_SEC, LIMITER_BUCKETS,
                              hp_random_u64 (&self->config.random));
}

HpMatchService *
hp_match_service_new (const HpMatchServiceConfig *config, gint64 now)
{
  HpMatchService *self = g_new0 (HpMatchService, 1);

  self->config = *config;
  hp_cookie_jar_init (&self->jar, &config->random, now);
  hp_random_fill (&config->random, self->ticket_secret, HP_KEY_SIZE);
  self->ciphers = hp_session_ciphers_new ();
  hp_match_sessions_init (&self->sessions);
  hp_match_presences_init (&self->presences);
  hp_match_asks_init (&self->asks);
  hp_match_questions_init (&self->questions);
  hp_outbox_init (&self->outbox, MAX_OUTBOX);
  self->handshakes = new_limiter (self);
  self->registers = new_limiter (self);
  self->asks_of_identity = new_limiter (self);
  self->asks_of_prefix = new_limiter (self);
  self->relays_of_identity = new_limiter (self);
  self->relays_of_prefix = new_limiter (self);
  self->knocks_of_identity = new_limiter (self);
  self->knocks_to_prefix = new_limiter (self);
  self->stun = new_limiter (self);
  self->unknown = new_limiter (self);
  hp_match_service_set_config (self, config);
  return self;
}

void
hp_match_service_set_config (HpMatchService *self,
                             const HpMatchServiceConfig *config)
{
  const gint64 minute = 60 * G_USEC_PER_SEC;

  self->config = *config;
  hp_rate_limiter_set_rate (self->handshakes,
                            config->max_handshakes_per_second,
                            G_USEC_PER_SEC);
  hp_rate_limiter_set_rate (self->registers, REGISTERS_PER_MINUTE, minute);
  hp_rate_limiter_set_rate (self->asks_of_identity,
                            config->max_asks_per_minute, minute);
  hp_rate_limiter_set_rate (self->asks_of_prefix,
                            10 * config->max_asks_per_minute, minute);
  hp_rate_limiter_set_rate (self->relays_of_identity, RELAYS_PER_MINUTE,
                            minute);
  hp_rate_limiter_set_rate (self->relays_of_prefix, 10 * RELAYS_PER_MINUTE,
                            minute);
  hp_rate_limiter_set_rate (self->knocks_of_identity, KNOCKS_PER_MINUTE,
                            minute);
  hp_rate_limiter_set_rate (self->knocks_to_prefix, 10 * KNOCKS_PER_MINUTE,
                            minute);
  hp_rate_limiter_set_rate (self->stun, config->max_stun_per_second,
                            G_USEC_PER_SEC);
  hp_rate_limiter_set_rate (self->unknown, UNKNOWN_PER_SECOND,
                            G_USEC_PER_SEC);
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

static void
free_claims (HpMatchService *self)
{
  GHashTableIter iter;
  gpointer session;

  g_hash_table_iter_init (&iter, self->sessions.by_index);
  while (g_hash_table_iter_next (&iter, NULL, &session))
    g_free (((HpMatchSession *) session)->claim);
}

void
hp_match_service_free (HpMatchService *self)
{
  if (self == NULL)
    return;
  free_claims (self);
  hp_match_questions_clear (&self->questions);
  hp_match_asks_clear (&self->asks);
  hp_match_presences_clear (&self->presences);
  hp_match_sessions_clear (&self->sessions);
  hp_session_ciphers_free (self->ciphers);
  hp_outbox_clear (&self->outbox);
  g_queue_clear_full (&self->events, g_free);
  hp_rate_limiter_free (self->handshakes);
  hp_rate_limiter_free (self->registers);
  hp_rate_limiter_free (self->asks_of_identity);
  hp_rate_limiter_free (self->asks_of_prefix);
  hp_rate_limiter_free (self->relays_of_identity);
  hp_rate_limiter_free (self->relays_of_prefix);
  hp_rate_limiter_free (self->knocks_of_identity);
  hp_rate_limiter_free (self->knocks_to_prefix);
  hp_rate_limiter_free (self->stun);
  hp_rate_limiter_free (self->unknown);
  hp_cookie_jar_clear (&self->jar);
  hp_crypto_wipe (self, sizeof *self);
  g_free (self);
}

void
hp_match_service_note_nat (HpMatchSession *session, const HpNatFacts *nat,
                           gint64 now)
{
  session->nat = *nat;
  session->nat_at = now;
}

void
hp_match_service_drop_session (HpMatchService *self, HpMatchSession *session,
                               gint64 now)
{
  if (session->claim != NULL)
    hp_match_service_cancel_claim (self, session->claim);
  hp_match_service_end_presence (self, session);
  hp_match_sessions_remove (&self->sessions, session);
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
  item->length = hp_session_seal (session->session, item->bytes,
                                  writer.offset, now);
}

void
hp_match_service_send_frame (HpMatchService *self, HpMatchSession *session,
                             const HpFrame *frame, gint64 now)
{
  hp_match_service_send_to (self, session, &session->route, frame, now);
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
                 const guint8 *holder, HpRefusedCode code, gint64 now)
{
  HpMatchQuestion answered = *question;

  hp_match_questions_remove (&self->questions, answered.handle);
  switch (answered.kind)
    {
    case HP_MATCH_QUESTION_CLAIM:
    case HP_MATCH_QUESTION_AUTHORIZE_REGISTRATION:
      hp_match_service_claim_answered (self, answered.subject, holder, code,
                                       now);
      break;
    case HP_MATCH_QUESTION_LOOKUP:
    case HP_MATCH_QUESTION_AUTHORIZE_INTRODUCTION:
      hp_match_service_ask_answered (self, answered.subject, holder, code,
                                     now);
      break;
    }
}

void
hp_match_service_answer (HpMatchService *self, guint64 handle,
                         const guint8 *holder, HpRefusedCode code, gint64 now)
{
  HpMatchQuestion *question
      = hp_match_questions_find (&self->questions, handle);

  if (question != NULL
      && (question->kind == HP_MATCH_QUESTION_CLAIM
          || question->kind == HP_MATCH_QUESTION_LOOKUP))
    answer_question (self, question, holder, code, now);
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
  HpMatchPresence *presence = hp_match_presences_oldest (&self->presences);
  HpMatchQuestion *question = hp_match_questions_oldest (&self->questions);
  HpMatchAsk *ask = hp_match_asks_oldest (&self->asks);

  for (guint state = 0; state < HP_MATCH_SESSION_STATES; state++)
    {
      HpMatchSession *session
          = hp_match_sessions_oldest (&self->sessions, state);

      if (session != NULL)
        deadline = MIN (deadline, session->changed_at
                                      + get_session_timeout (self, state));
    }
  if (presence != NULL)
    deadline = MIN (deadline, presence->refreshed_at
                                  + self->config.registration_lifetime);
  if (question != NULL)
    deadline = MIN (deadline, question->deadline);
  if (ask != NULL)
    deadline = MIN (deadline, ask->asked_at + HP_MATCH_ASK_LIFETIME);
  return deadline;
}

void
hp_match_service_expire (HpMatchService *self, gint64 now)
{
  HpMatchQuestion *question;

  hp_cookie_jar_rotate (&self->jar, &self->config.random, now);
  while ((question = hp_match_questions_oldest (&self->questions)) != NULL
         && question->deadline <= now)
    answer_question (self, question, NULL, HP_REFUSED_TEMPORARY, now);
  hp_match_service_expire_challenges (self, now);
  hp_match_service_expire_asks (self, now);
  hp_match_service_expire_presences (self, now);
  for (guint state = 0; state < HP_MATCH_SESSION_STATES; state++)
    {
      HpMatchSession *session;

      while ((session = hp_match_sessions_oldest (&self->sessions, state))
                 != NULL
             && session->changed_at + get_session_timeout (self, state)
                    <= now)
        hp_match_service_drop_session (self, session, now);
    }
}

void
hp_match_service_close (HpMatchService *self, gint64 now)
{
  self->is_closing = TRUE;
}

/* The farewells are many: each is written when there is room for it. */
static gboolean
write_farewell (HpMatchService *self, gint64 now)
{
  HpMatchSession *session = hp_match_sessions_oldest (
      &self->sessions, HP_MATCH_SESSION_CONFIRMED);

  if (!self->is_closing || session == NULL)
    return FALSE;
  hp_match_service_send_close (self, session, HP_CLOSE_GOING_AWAY, now);
  hp_match_service_drop_session (self, session, now);
  return TRUE;
}

gboolean
hp_match_service_pull (HpMatchService *self, HpOutgoing *outgoing, gint64 now)
{
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
      = self->sessions.queues[HP_MATCH_SESSION_CONFIRMED].length;
  statistics->registrations = hp_match_presences_count (&self->presences);
}
