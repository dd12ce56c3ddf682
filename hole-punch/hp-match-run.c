/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-match-run-inside-private.h"

#include "hole-punch/hp-authorization-private.h"
#include "hole-punch/hp-identity-private.h"
#include "hole-punch/hp-punch-error.h"
#include "hole-punch/hp-registration-private.h"
#include "hole-punch/io/hp-clock.h"
#include "hole-punch/wire/hp-packet.h"

/* An id stays its owner's for so long after it was last there. */
#define OWNERSHIP_LIFETIME (30 * 24 * 60 * 60) /* seconds */
/* Twenty peers that start at once behind one address, whose NAT gives every
 * one of 20 questions another port; the answers are hardly larger */
#define MAX_STUN_PER_SECOND 400
/* Less than the service waits, so that what nobody answers reads as denied */
#define AUTHORIZATION_TIMEOUT (4 * G_TIME_SPAN_SECOND)

/* A question of the service that somebody thinks about */
typedef struct
{
  HpMatchRun *run;
  guint64 handle;
} Question;

static HpMatchRun *
ref_run (HpMatchRun *self)
{
  return g_atomic_rc_box_acquire (self);
}

static Question *
question_new (HpMatchRun *run, guint64 handle)
{
  Question *question = g_new (Question, 1);

  question->run = ref_run (run);
  question->handle = handle;
  return question;
}

static void
question_free (gpointer data)
{
  Question *question = data;

  hp_match_run_unref (question->run);
  g_free (question);
}

/* The registry */

/* TEMPORARY for all that is not an answer */
static HpRefusedCode
get_refused_code (const GError *error)
{
  if (g_error_matches (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_REFUSED))
    return HP_REFUSED_POLICY;
  if (g_error_matches (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_ID_TAKEN))
    return HP_REFUSED_ID_TAKEN;
  if (g_error_matches (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_UNKNOWN_ID))
    return HP_REFUSED_UNKNOWN_ID;
  if (g_error_matches (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_RATE_LIMITED))
    return HP_REFUSED_RATE_LIMITED;
  return HP_REFUSED_TEMPORARY;
}

/* Tells the operator once when it begins to fail, and once when it ends. */
static void
note_registry_health (HpMatchRun *self, const GError *error)
{
  gboolean fails = error != NULL
                   && get_refused_code (error) == HP_REFUSED_TEMPORARY;

  if (fails == self->registry_fails)
    return;
  self->registry_fails = fails;
  if (fails)
    g_message ("The registry %s fails, peers have to try again: %s",
               G_OBJECT_TYPE_NAME (self->registry), error->message);
  else
    g_message ("The registry %s works again",
               G_OBJECT_TYPE_NAME (self->registry));
}

/* Takes over @holder and @error */
static void
on_registry_answer (Question *question, HpRegistration *holder, GError *error)
{
  HpMatchRun *self = question->run;
  const char *fingerprint
      = holder != NULL ? hp_registration_get_fingerprint (holder) : NULL;
  gint64 now = hp_clock_now ();
  guint8 key[HP_KEY_SIZE];

  if (holder != NULL
      && (fingerprint == NULL || !hp_fingerprint_parse (fingerprint, key)))
    error = g_error_new (G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                         "“%s” is not a fingerprint",
                         fingerprint != NULL ? fingerprint : "");
  if (self->service != NULL)
    {
      note_registry_health (self, error);
      if (error != NULL)
        hp_match_service_answer (self->service, question->handle, NULL,
                                 get_refused_code (error), now);
      else
        hp_match_service_answer (self->service, question->handle,
                                 holder != NULL ? key : NULL, 0, now);
      hp_endpoint_wake (self->endpoint, &self->party);
    }
  g_clear_object (&holder);
  g_clear_error (&error);
  question_free (question);
}

static void
on_claimed (GObject *registry, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  HpRegistration *holder
      = hp_registry_claim_finish (HP_REGISTRY (registry), result, &error);

  on_registry_answer (user_data, holder, error);
}

static void
on_looked_up (GObject *registry, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  HpRegistration *holder
      = hp_registry_lookup_finish (HP_REGISTRY (registry), result, &error);

  on_registry_answer (user_data, holder, error);
}

static void
claim (HpMatchRun *self, const HpServiceEvent *event, const char *fingerprint)
{
  gint64 lifetime = self->registration_lifetime;

  if (!event->ephemeral)
    lifetime += OWNERSHIP_LIFETIME;
  hp_registry_claim_async (self->registry, event->id, fingerprint, lifetime,
                           event->ephemeral, self->cancellable, on_claimed,
                           question_new (self, event->handle));
}

/* Authorizations */

static void
on_authorized (gboolean allowed, gpointer user_data)
{
  Question *question = user_data;
  HpMatchRun *self = question->run;

  if (self->service == NULL)
    return;
  hp_match_service_authorize (self->service, question->handle, allowed,
                              hp_clock_now ());
  hp_endpoint_wake (self->endpoint, &self->party);
}

static void
authorize (HpMatchRun *self, const HpServiceEvent *event,
           HpMatchPermission permission, const char *fingerprint)
{
  Question *question = question_new (self, event->handle);
  g_autoptr (HpAuthorization) authorization = NULL;

  if (!self->hooks->wants_to_answer (self->owner, permission))
    {
      on_authorized (TRUE, question);
      question_free (question);
      return;
    }
  authorization = hp_authorization_new_private (
      *event->id != '\0' ? event->id : NULL, fingerprint,
      *event->wanted_id != '\0' ? event->wanted_id : NULL,
      hp_endpoint_get_context (self->endpoint), AUTHORIZATION_TIMEOUT,
      on_authorized, question, question_free);
  self->hooks->authorize (self->owner, permission, authorization);
}

/* Tidings */

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

static void
tell (HpMatchRun *self, const HpServiceEvent *event, const char *fingerprint)
{
  const HpAddress *address = event->address.family != HP_ADDRESS_NONE
                                 ? &event->address
                                 : NULL;
  g_autoptr (HpRegistration) peer
      = hp_registration_new_private (event->id, fingerprint, address);

  if (event->type == HP_SERVICE_EVENT_INTRODUCED)
    tell_introduced (self, event, peer);
  else if (event->type == HP_SERVICE_EVENT_EXPIRED)
    self->hooks->expired (self->owner, peer);
  else if (event->first_time)
    self->hooks->registered (self->owner, peer);
}

static void
handle_event (HpMatchRun *self, const HpServiceEvent *event)
{
  char fingerprint[HP_FINGERPRINT_LENGTH + 1];

  hp_fingerprint_format (fingerprint, event->public_key);
  switch (event->type)
    {
    case HP_SERVICE_EVENT_CLAIM:
      claim (self, event, fingerprint);
      break;
    case HP_SERVICE_EVENT_LOOKUP:
      hp_registry_lookup_async (self->registry, event->id, self->cancellable,
                                on_looked_up,
                                question_new (self, event->handle));
      break;
    case HP_SERVICE_EVENT_RELEASE:
      hp_registry_release_async (self->registry, event->id, fingerprint,
                                 self->cancellable, NULL, NULL);
      break;
    case HP_SERVICE_EVENT_AUTHORIZE_REGISTRATION:
      authorize (self, event, HP_MATCH_PERMISSION_REGISTRATION, fingerprint);
      break;
    case HP_SERVICE_EVENT_AUTHORIZE_INTRODUCTION:
      authorize (self, event, HP_MATCH_PERMISSION_INTRODUCTION, fingerprint);
      break;
    case HP_SERVICE_EVENT_RELAYS:
      hp_match_run_answer_relays (self, event, fingerprint);
      break;
    case HP_SERVICE_EVENT_REGISTERED:
    case HP_SERVICE_EVENT_EXPIRED:
    case HP_SERVICE_EVENT_INTRODUCED:
      tell (self, event, fingerprint);
      break;
    }
}

/* The endpoint's party, and all the strays */

static HpMatchRun *
from_party (HpParty *party)
{
  G_STATIC_ASSERT (G_STRUCT_OFFSET (HpMatchRun, party) == 0);
  return (HpMatchRun *) party;
}

static gboolean
receive_stray (gpointer user_data, const HpDatagram *datagram, gint64 now)
{
  HpMatchRun *self = user_data;

  if (datagram->route.socket != 0
      && hp_packet_classify (datagram->bytes, datagram->length)
             != HP_PACKET_CLASS_STUN)
    return FALSE;
  hp_match_service_receive (self->service, datagram, now);
  hp_endpoint_wake (self->endpoint, &self->party);
  return TRUE;
}

static void
receive (HpParty *party, const HpDatagram *datagram, gint64 now)
{
  hp_match_service_receive (from_party (party)->service, datagram, now);
}

static gboolean
pull (HpParty *party, HpOutgoing *outgoing, gint64 now)
{
  return hp_match_service_pull (from_party (party)->service, outgoing, now);
}

static gint64
get_deadline (HpParty *party, gint64 now)
{
  return hp_match_service_get_deadline (from_party (party)->service);
}

static void
expire (HpParty *party, gint64 now)
{
  hp_match_service_expire (from_party (party)->service, now);
}

static void
deliver (HpParty *party, gint64 now)
{
  HpMatchRun *self = ref_run (from_party (party));
  g_autoptr (GMainContext) context
      = g_main_context_ref (hp_endpoint_get_context (self->endpoint));
  HpServiceEvent event;

  /* What is asked from here is to be answered here, even if the owner's thread
   * iterates the context without having pushed it. */
  g_main_context_push_thread_default (context);
  while (self->service != NULL
         && hp_match_service_next_event (self->service, &event))
    handle_event (self, &event);
  g_main_context_pop_thread_default (context);
  hp_match_run_unref (self);
}

static const HpPartyClass party_class = {
  .name = "match-server",
  .receive = receive,
  .pull = pull,
  .get_deadline = get_deadline,
  .expire = expire,
  .deliver = deliver,
};

/* Life */

static void
fill_config (HpMatchRun *self, const HpMatchLimits *limits,
             HpMatchServiceConfig *config)
{
  self->registration_lifetime = limits->registration_lifetime;
  *config = (HpMatchServiceConfig){
    .local = self->local,
    .suites = hp_crypto_get_suites (),
    .random = hp_crypto_random,
    .registration_lifetime
    = limits->registration_lifetime * G_TIME_SPAN_SECOND,
    .max_peers = limits->max_peers,
    .max_handshakes_per_second = limits->max_handshakes_per_second,
    .max_asks_per_minute = limits->max_asks_per_minute,
    .max_stun_per_second = MAX_STUN_PER_SECOND,
  };
}

HpMatchRun *
hp_match_run_new (const HpMatchListen *listen, HpIdentity *identity,
                  HpRegistry *registry, const HpMatchLimits *limits,
                  const HpMatchRunHooks *hooks, gpointer owner,
                  GError **error)
{
  HpMatchRun *self = g_atomic_rc_box_new0 (HpMatchRun);
  HpMatchServiceConfig config;

  self->endpoint
      = hp_match_run_open_endpoint (self, listen, receive_stray, error);
  if (self->endpoint == NULL)
    {
      g_atomic_rc_box_release (self);
      return NULL;
    }
  self->address = *hp_endpoint_get_address (self->endpoint);
  self->local = *hp_identity_get_key_pair (identity);
  self->registry = g_object_ref (registry);
  self->cancellable = g_cancellable_new ();
  self->hooks = hooks;
  self->owner = owner;
  fill_config (self, limits, &config);
  self->service = hp_match_service_new (&config, hp_clock_now ());
  hp_crypto_wipe (&config, sizeof config);
  /* Always asked: handlers may come and go while it runs. */
  hp_match_service_set_asks_registration (self->service, TRUE);
  hp_match_service_set_asks_introduction (self->service, TRUE);
  hp_endpoint_add_party (self->endpoint, &self->party, &party_class, 0);
  if (!hp_match_run_open_second (self, listen, error))
    g_clear_pointer (&self, hp_match_run_unref);
  return self;
}

static void
clear_run (gpointer data)
{
  HpMatchRun *self = data;

  hp_match_run_stop (self);
  hp_match_run_forget_relays (self);
  hp_crypto_wipe (&self->local, sizeof self->local);
  g_clear_object (&self->registry);
  g_clear_object (&self->cancellable);
}

void
hp_match_run_unref (HpMatchRun *self)
{
  g_atomic_rc_box_release_full (self, clear_run);
}

void
hp_match_run_stop (HpMatchRun *self)
{
  if (self->endpoint == NULL)
    return;
  g_cancellable_cancel (self->cancellable);
  hp_match_service_close (self->service, hp_clock_now ());
  hp_endpoint_close (self->endpoint);
  hp_match_run_get_statistics (self, &self->statistics);
  g_clear_pointer (&self->service, hp_match_service_free);
  g_clear_pointer (&self->endpoint, hp_endpoint_unref);
}

void
hp_match_run_set_limits (HpMatchRun *self, const HpMatchLimits *limits)
{
  HpMatchServiceConfig config;

  g_assert (self->service != NULL);
  fill_config (self, limits, &config);
  hp_match_service_set_config (self->service, &config);
  hp_crypto_wipe (&config, sizeof config);
  hp_endpoint_wake (self->endpoint, &self->party);
}

const HpAddress *
hp_match_run_get_address (HpMatchRun *self)
{
  return &self->address;
}

void
hp_match_run_get_statistics (HpMatchRun *self,
                             HpServerStatisticsValues *values)
{
  const HpEndpointStatistics *outer;
  HpServiceStatistics inner;

  if (self->service == NULL)
    {
      *values = self->statistics;
      return;
    }
  outer = hp_endpoint_get_statistics (self->endpoint);
  hp_match_service_get_statistics (self->service, &inner);
  *values = (HpServerStatisticsValues){
    .peers = inner.peers,
    .registrations = inner.registrations,
    .handshakes = inner.handshakes,
    .asks = inner.asks,
    .introductions = inner.introductions,
    .datagrams_received = outer->datagrams_received,
    .datagrams_sent = outer->datagrams_sent,
    .datagrams_dropped
    = outer->dropped_unknown_type + outer->dropped_unknown_index
      + outer->dropped_unclaimed + outer->dropped_rate_limited
      + inner.dropped_malformed + inner.dropped_ticket + inner.dropped_forged
      + inner.dropped_replayed + inner.dropped_unknown
      + inner.dropped_rate_limited + inner.dropped_full,
    .rate_limited = outer->dropped_rate_limited + inner.dropped_rate_limited,
  };
}
