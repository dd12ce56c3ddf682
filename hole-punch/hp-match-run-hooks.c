/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the application is asked, and told */

#include "hole-punch/hp-match-run-inside-private.h"

#include "hole-punch/hp-authorization-private.h"
#include "hole-punch/hp-identity-private.h"
#include "hole-punch/hp-registration-private.h"
#include "hole-punch/io/hp-clock.h"

/* Less than the service waits, so that what nobody answers reads as denied */
#define AUTHORIZATION_TIMEOUT (4 * G_TIME_SPAN_SECOND)

/* Authorizations */

typedef struct
{
  HpMatchOrder order;
  guint64 handle;
  gboolean allowed;
} Decision;

static void
obey_decision (HpMatchWorker *self, HpMatchOrder *order)
{
  Decision *decision = (Decision *) order;

  hp_match_service_authorize (self->service, decision->handle,
                              decision->allowed, hp_clock_now ());
  hp_match_worker_wake (self);
}

static void
on_authorized (gboolean allowed, gpointer user_data)
{
  HpMatchRunQuestion *question = user_data;
  Decision *decision = hp_match_order_new (sizeof *decision, obey_decision);

  decision->handle = question->handle;
  decision->allowed = allowed;
  hp_match_run_order (question->run, question->worker, &decision->order);
}

void
hp_match_run_authorize (HpMatchRun *self, HpMatchWorker *worker,
                        const HpServiceEvent *event,
                        HpMatchPermission permission)
{
  HpMatchRunQuestion *question
      = hp_match_run_question_new (self, worker, event);
  g_autoptr (HpAuthorization) authorization = NULL;
  char fingerprint[HP_FINGERPRINT_LENGTH + 1];

  if (!self->hooks->wants_to_answer (self->owner, permission))
    {
      on_authorized (TRUE, question);
      hp_match_run_question_free (question);
      return;
    }
  hp_fingerprint_format (fingerprint, event->public_key);
  authorization = hp_authorization_new_private (
      *event->id != '\0' ? event->id : NULL, fingerprint,
      *event->wanted_id != '\0' ? event->wanted_id : NULL, self->context,
      AUTHORIZATION_TIMEOUT, on_authorized, question,
      hp_match_run_question_free);
  self->hooks->authorize (self->owner, permission, authorization);
}

/* Tidings */

/* To find out takes longer than to tell nobody: once a batch is enough. */
static gboolean
is_listening (HpMatchRun *self, HpMatchTiding tiding)
{
  guint bit = 1u << tiding;

  if ((self->asked & bit) == 0)
    {
      self->asked |= bit;
      if (self->hooks->is_listening (self->owner, tiding))
        self->listening |= bit;
      else
        self->listening &= ~bit;
    }
  return (self->listening & bit) != 0;
}

static void
tell_introduced (HpMatchRun *self, const HpServiceEvent *event,
                 HpRegistration *caller)
{
  char fingerprint[HP_FINGERPRINT_LENGTH + 1];
  g_autoptr (HpRegistration) callee = NULL;

  hp_fingerprint_format (fingerprint, event->callee_key);
  callee = hp_registration_new_private (event->wanted_id, fingerprint, NULL);
  self->hooks->introduced (self->owner, caller, callee);
}

static HpMatchTiding
get_tiding (const HpServiceEvent *event)
{
  if (event->type == HP_SERVICE_EVENT_INTRODUCED)
    return HP_MATCH_TIDING_INTRODUCED;
  return event->type == HP_SERVICE_EVENT_EXPIRED ? HP_MATCH_TIDING_EXPIRED
                                                 : HP_MATCH_TIDING_REGISTERED;
}

void
hp_match_run_tell (HpMatchRun *self, const HpServiceEvent *event)
{
  const HpAddress *address = event->address.family != HP_ADDRESS_NONE
                                 ? &event->address
                                 : NULL;
  HpMatchTiding tiding = get_tiding (event);
  char fingerprint[HP_FINGERPRINT_LENGTH + 1];
  g_autoptr (HpRegistration) peer = NULL;

  if (!is_listening (self, tiding))
    return;
  hp_fingerprint_format (fingerprint, event->public_key);
  peer = hp_registration_new_private (event->id, fingerprint, address);
  switch (tiding)
    {
    case HP_MATCH_TIDING_REGISTERED:
      self->hooks->registered (self->owner, peer);
      break;
    case HP_MATCH_TIDING_EXPIRED:
      self->hooks->expired (self->owner, peer);
      break;
    case HP_MATCH_TIDING_INTRODUCED:
      tell_introduced (self, event, peer);
      break;
    }
}
