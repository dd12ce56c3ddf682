/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What workers want to know of the registry. Its answers may come late, when
 * the run has stopped, and then are nobody's. */

#include "hole-punch/hp-match-run-inside-private.h"

#include <string.h>

#include "hole-punch/hp-identity-private.h"
#include "hole-punch/hp-memory-registry-private.h"
#include "hole-punch/hp-punch-error.h"
#include "hole-punch/io/hp-clock.h"

/* An id stays its owner's for so long after it was last there. */
#define OWNERSHIP_LIFETIME (30 * 24 * 60 * 60) /* seconds */
#define RECOVERY (2 * G_TIME_SPAN_SECOND)

HpMatchRunQuestion *
hp_match_run_question_new (HpMatchRun *run, const HpMatchWorker *worker,
                           const HpServiceEvent *event)
{
  HpMatchRunQuestion *question = g_new (HpMatchRunQuestion, 1);

  question->run = hp_match_run_ref (run);
  question->worker = worker->number;
  question->handle = event->handle;
  return question;
}

void
hp_match_run_question_free (gpointer data)
{
  HpMatchRunQuestion *question = data;

  hp_match_run_unref (question->run);
  g_free (question);
}

/* TEMPORARY for all that is not an answer */
static HpRefusedCode
get_refused_code (const GError *error)
{
  if (error == NULL)
    return 0;
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

/* Some answers may be good while others are not: it works again when there has
 * been nothing but good ones for a while. */
void
hp_match_run_note_registry (HpMatchRun *self, const GError *error)
{
  gboolean fails = get_refused_code (error) == HP_REFUSED_TEMPORARY;
  gint64 now = hp_clock_now ();

  if (self->is_stopped)
    return;
  if (fails)
    {
      self->registry_failures++;
      self->registry_failed_at = now;
    }
  if (fails == self->registry_fails
      || (!fails && now - self->registry_failed_at < RECOVERY))
    return;
  self->registry_fails = fails;
  if (fails)
    g_message ("The registry %s fails, peers have to try again: %s",
               G_OBJECT_TYPE_NAME (self->registry), error->message);
  else
    g_message ("The registry %s works again",
               G_OBJECT_TYPE_NAME (self->registry));
}

/* FALSE: nobody, or @error is set */
static gboolean
get_holder (HpRegistration *registration, guint8 key[HP_KEY_SIZE],
            GError **error)
{
  const char *fingerprint
      = registration != NULL ? hp_registration_get_fingerprint (registration)
                             : NULL;

  if (registration == NULL || *error != NULL)
    return FALSE;
  if (fingerprint != NULL && hp_fingerprint_parse (fingerprint, key))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               "“%s” is not a fingerprint",
               fingerprint != NULL ? fingerprint : "");
  return FALSE;
}

/* Claims */

static void
on_claimed (GObject *registry, GAsyncResult *result, gpointer user_data)
{
  HpMatchRunQuestion *question = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (HpRegistration) holder
      = hp_registry_claim_finish (HP_REGISTRY (registry), result, &error);
  guint8 key[HP_KEY_SIZE];
  gboolean is_held = get_holder (holder, key, &error);

  hp_match_run_note_registry (question->run, error);
  hp_match_run_order (question->run, question->worker,
                      hp_match_order_new_answer (question->handle,
                                                 is_held ? key : NULL,
                                                 get_refused_code (error)));
  hp_match_run_question_free (question);
}

/* The usual registry needs no request to be asked: a tenth of the time */
static void
claim_now (HpMatchRun *self, const HpMatchWorker *worker,
           const HpServiceEvent *event, gint64 lifetime)
{
  guint8 holder[HP_KEY_SIZE];
  guint code = hp_memory_registry_claim_now (
      HP_MEMORY_REGISTRY (self->registry), event->id, event->public_key,
      lifetime, event->ephemeral, holder);

  hp_match_run_order (self, worker->number,
                      hp_match_order_new_answer (
                          event->handle, code == 0 ? holder : NULL, code));
}

void
hp_match_run_claim (HpMatchRun *self, HpMatchWorker *worker,
                    const HpServiceEvent *event)
{
  gint64 lifetime = self->registration_lifetime;
  char fingerprint[HP_FINGERPRINT_LENGTH + 1];

  if (!event->ephemeral)
    lifetime += OWNERSHIP_LIFETIME;
  if (HP_IS_MEMORY_REGISTRY (self->registry))
    {
      claim_now (self, worker, event, lifetime);
      return;
    }
  hp_fingerprint_format (fingerprint, event->public_key);
  hp_registry_claim_async (self->registry, event->id, fingerprint, lifetime,
                           event->ephemeral, self->cancellable, on_claimed,
                           hp_match_run_question_new (self, worker, event));
}

void
hp_match_run_release (HpMatchRun *self, const HpServiceEvent *event)
{
  char fingerprint[HP_FINGERPRINT_LENGTH + 1];

  if (HP_IS_MEMORY_REGISTRY (self->registry))
    {
      hp_memory_registry_release_now (HP_MEMORY_REGISTRY (self->registry),
                                      event->id, event->public_key);
      return;
    }
  hp_fingerprint_format (fingerprint, event->public_key);
  hp_registry_release_async (self->registry, event->id, fingerprint,
                             self->cancellable, NULL, NULL);
}

/* Lookups */

/* Another server than this one; FALSE: none, or not told */
static gboolean
get_place (HpMatchRun *self, HpRegistration *holder, HpMatchPlace *place)
{
  const char *server = hp_registration_get_server (holder);

  if (server == NULL || self->server_name == NULL
      || strcmp (server, self->server_name) == 0)
    return FALSE;
  *place = (HpMatchPlace){ .worker = HP_MATCH_ANY_WORKER };
  return *server != '\0'
         && g_strlcpy (place->server, server, sizeof place->server)
                < sizeof place->server;
}

/* Takes over @question, @holder and @error. Whoever is at this server would
 * have been found. */
static void
answer_lookup (HpMatchRunQuestion *question, HpRegistration *holder,
               GError *error)
{
  HpMatchRun *run = question->run;
  guint8 key[HP_KEY_SIZE];
  gboolean is_held = get_holder (holder, key, &error);
  HpMatchPlace place;
  gboolean is_elsewhere = is_held && get_place (run, holder, &place);

  hp_match_run_note_registry (run, error);
  hp_match_run_order (run, question->worker,
                      hp_match_order_new_lookup_answer (
                          question->handle, is_held ? key : NULL,
                          is_elsewhere ? &place : NULL,
                          get_refused_code (error)));
  g_clear_object (&holder);
  g_clear_error (&error);
  hp_match_run_question_free (question);
}

static void
on_looked_up (GObject *registry, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  HpRegistration *holder
      = hp_registry_lookup_finish (HP_REGISTRY (registry), result, &error);

  answer_lookup (user_data, holder, error);
}

/* A registry that knows no keys knows nobody by them. */
static void
on_key_looked_up (GObject *registry, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  HpRegistration *holder
      = hp_registry_lookup_key_finish (HP_REGISTRY (registry), result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED))
    g_clear_error (&error);
  answer_lookup (user_data, holder, error);
}

static void
look_up_key (HpMatchRun *self, HpMatchWorker *worker,
             const HpServiceEvent *event)
{
  char fingerprint[HP_FINGERPRINT_LENGTH + 1];

  if (self->server_name == NULL)
    {
      hp_match_run_order (self, worker->number,
                          hp_match_order_new_lookup_answer (event->handle,
                                                            NULL, NULL, 0));
      return;
    }
  hp_fingerprint_format (fingerprint, event->callee_key);
  hp_registry_lookup_key_async (
      self->registry, fingerprint, self->cancellable, on_key_looked_up,
      hp_match_run_question_new (self, worker, event));
}

static void
look_up_now (HpMatchRun *self, const HpMatchWorker *worker,
             const HpServiceEvent *event)
{
  guint8 holder[HP_KEY_SIZE];
  gboolean is_held = hp_memory_registry_lookup_now (
      HP_MEMORY_REGISTRY (self->registry), event->id, holder);

  hp_match_run_order (self, worker->number,
                      hp_match_order_new_lookup_answer (
                          event->handle, is_held ? holder : NULL, NULL, 0));
}

void
hp_match_run_look_up (HpMatchRun *self, HpMatchWorker *worker,
                      const HpServiceEvent *event)
{
  if (event->by_key)
    look_up_key (self, worker, event);
  else if (HP_IS_MEMORY_REGISTRY (self->registry))
    look_up_now (self, worker, event);
  else
    hp_registry_lookup_async (self->registry, event->id, self->cancellable,
                              on_looked_up,
                              hp_match_run_question_new (self, worker, event));
}
