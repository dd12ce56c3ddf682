/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-match-run-inside-private.h"

#include "hole-punch/hp-identity-private.h"
#include "hole-punch/io/hp-clock.h"

#include <string.h>

/* Questions of the workers that wait for the owner; what is over it is asked
 * again by whoever wants to know */
#define MAX_WAITING 65536
/* How long statistics are waited for */
#define COUNT_TIMEOUT (500 * G_TIME_SPAN_MILLISECOND)

HpMatchRun *
hp_match_run_ref (HpMatchRun *self)
{
  return g_atomic_rc_box_acquire (self);
}

/* Events */

/* What is asked from here is to be answered here, even if the owner's thread
 * iterates the context without having pushed it. */
void
hp_match_run_begin_batch (HpMatchRun *self)
{
  g_main_context_push_thread_default (self->context);
  self->asked = 0;
}

void
hp_match_run_end_batch (HpMatchRun *self)
{
  g_main_context_pop_thread_default (self->context);
}

void
hp_match_run_handle_event (HpMatchRun *self, HpMatchWorker *worker,
                           const HpServiceEvent *event)
{
  switch (event->type)
    {
    case HP_SERVICE_EVENT_CLAIM:
      hp_match_run_claim (self, worker, event);
      break;
    case HP_SERVICE_EVENT_LOOKUP:
      hp_match_run_look_up (self, worker, event);
      break;
    case HP_SERVICE_EVENT_RELEASE:
      hp_match_run_release (self, event);
      break;
    case HP_SERVICE_EVENT_AUTHORIZE_REGISTRATION:
      hp_match_run_authorize (self, worker, event,
                              HP_MATCH_PERMISSION_REGISTRATION);
      break;
    case HP_SERVICE_EVENT_AUTHORIZE_INTRODUCTION:
      hp_match_run_authorize (self, worker, event,
                              HP_MATCH_PERMISSION_INTRODUCTION);
      break;
    case HP_SERVICE_EVENT_RELAYS:
      hp_match_run_answer_relays (self, worker, event);
      break;
    case HP_SERVICE_EVENT_REGISTERED:
    case HP_SERVICE_EVENT_EXPIRED:
    case HP_SERVICE_EVENT_INTRODUCED:
      hp_match_run_tell (self, event);
      break;
    case HP_SERVICE_EVENT_FORWARD:
      hp_match_run_post (self, worker, event);
      break;
    case HP_SERVICE_EVENT_ARRIVED:
    case HP_SERVICE_EVENT_LEFT:
      /* The directory's, among the workers */
      break;
    }
}

/* The owner's mailbox */

static void
begin_reports (gpointer user_data)
{
  hp_match_run_begin_batch (hp_match_run_ref (user_data));
}

static void
receive_report (gpointer user_data, HpMail *mail)
{
  HpMatchReport *report = (HpMatchReport *) mail;

  hp_match_run_handle_event (user_data, report->worker, &report->event);
  g_free (report);
}

static void
end_reports (gpointer user_data)
{
  hp_match_run_end_batch (user_data);
  hp_match_run_unref (user_data);
}

static const HpMailReceiver report_receiver
    = { begin_reports, receive_report, end_reports };

/* Life */

static gboolean
open_places (HpMatchRun *self, const HpMatchListen *listen, GError **error)
{
  return hp_match_run_open_first (self, listen, error)
         && hp_match_run_open_second (self, listen, error)
         && hp_match_run_open_sharing (self, error);
}

static void
init_workers (HpMatchRun *self, guint n_workers)
{
  self->n_workers = n_workers;
  self->workers = g_new0 (HpMatchWorker, n_workers);
  for (guint i = 0; i < n_workers; i++)
    {
      self->workers[i].run = self;
      self->workers[i].number = i;
      if (n_workers > 1)
        hp_match_worker_open_mailbox (self->workers + i);
    }
  if (n_workers > 1)
    /* Whatever else is in the owner's context has its turn first. */
    self->mailbox
        = hp_mailbox_new (self->context, G_PRIORITY_DEFAULT_IDLE, MAX_WAITING,
                          &report_receiver, self, g_free);
}

static void
start_workers (HpMatchRun *self, const HpMatchLimits *limits)
{
  for (guint i = 0; i < self->n_workers; i++)
    hp_match_worker_init (self->workers + i, limits);
  if (self->mailbox == NULL)
    return;
  for (guint i = 0; i < self->n_workers; i++)
    hp_match_worker_start (self->workers + i);
}

/* Servers behind one name have one identity, and may have nothing else in
 * common: a peer that has its IPv6 address proven by one of them may have its
 * session with another. */
static void
share_proofs (HpMatchRun *self)
{
  static const char label[] = "hole-punch cookie seed";
  const HpHashPart part = { label, strlen (label) };

  hp_crypto_hmac (self->cookie_seed, self->local.private_key, HP_KEY_SIZE,
                  &part, 1);
  self->cookie_clock = g_get_real_time () - hp_clock_now ();
}

static HpMatchRun *
run_new (HpIdentity *identity, HpRegistry *registry,
         const HpMatchLimits *limits, const HpMatchRunHooks *hooks,
         gpointer owner)
{
  HpMatchRun *self = g_atomic_rc_box_new0 (HpMatchRun);

  self->context = g_main_context_ref_thread_default ();
  self->local = *hp_identity_get_key_pair (identity);
  share_proofs (self);
  hp_random_fill (&hp_crypto_random, &self->directory_secret,
                  sizeof self->directory_secret);
  self->registration_lifetime = limits->registration_lifetime;
  self->registry = g_object_ref (registry);
  self->server_name = hp_registry_get_server_name (registry);
  self->cancellable = g_cancellable_new ();
  self->hooks = hooks;
  self->owner = owner;
  return self;
}

HpMatchRun *
hp_match_run_new (const HpMatchListen *listen, HpIdentity *identity,
                  HpRegistry *registry, const HpMatchLimits *limits,
                  const HpMatchRunHooks *hooks, gpointer owner, GError **error)
{
  guint n_workers = listen->n_workers != 0
                        ? listen->n_workers
                        : MIN (g_get_num_processors (), HP_MATCH_MAX_WORKERS);
  HpMatchRun *self = run_new (identity, registry, limits, hooks, owner);
  HpMatchListen single = *listen;
  GError *reason = NULL;

  init_workers (self, n_workers);
  if (open_places (self, listen, &reason))
    {
      start_workers (self, limits);
      hp_match_run_listen_to_servers (self);
      return self;
    }
  hp_match_run_unref (self);
  if (listen->n_workers == 0 && n_workers > 1
      && g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED))
    {
      g_error_free (reason);
      single.n_workers = 1;
      return hp_match_run_new (&single, identity, registry, limits, hooks,
                               owner, error);
    }
  g_propagate_error (error, reason);
  return NULL;
}

static void
clear_run (gpointer data)
{
  HpMatchRun *self = data;

  hp_match_run_stop (self);
  hp_match_run_forget_relays (self);
  hp_crypto_wipe (&self->local, sizeof self->local);
  hp_crypto_wipe (self->cookie_seed, sizeof self->cookie_seed);
  g_free (self->workers);
  g_clear_pointer (&self->mailbox, hp_mailbox_unref);
  g_clear_object (&self->registry);
  g_clear_object (&self->cancellable);
  g_main_context_unref (self->context);
}

void
hp_match_run_unref (HpMatchRun *self)
{
  g_atomic_rc_box_release_full (self, clear_run);
}

/* Each says goodbye to its peers by itself, all at the same time. */
static void
join_threads (HpMatchRun *self)
{
  for (guint i = 0; i < self->n_workers; i++)
    if (self->workers[i].thread != NULL)
      hp_match_worker_quit (self->workers + i);
  for (guint i = 0; i < self->n_workers; i++)
    g_clear_pointer (&self->workers[i].thread, g_thread_join);
}

static void
add_counts (HpMatchRun *self, HpServerStatisticsValues *values)
{
  *values = (HpServerStatisticsValues){
    .registry_failures = self->registry_failures,
    .registry_healthy = !self->registry_fails,
  };
  for (guint i = 0; i < self->n_workers; i++)
    hp_match_run_add_statistics (values, &self->workers[i].counts.inner,
                                 &self->workers[i].counts.outer);
}

void
hp_match_run_stop (HpMatchRun *self)
{
  if (self->is_stopped)
    return;
  self->is_stopped = TRUE;
  g_cancellable_cancel (self->cancellable);
  g_clear_signal_handler (&self->message_handler, self->registry);
  join_threads (self);
  /* Of a single worker, or what has not been started */
  for (guint i = 0; i < self->n_workers; i++)
    hp_match_worker_end (self->workers + i);
  for (guint i = 0; i < self->n_workers; i++)
    hp_match_worker_clear (self->workers + i);
  if (self->mailbox != NULL)
    hp_mailbox_close (self->mailbox);
  add_counts (self, &self->statistics);
}

/* What all are told */

typedef struct
{
  HpMatchOrder order;
  HpMatchLimits limits;
} LimitsOrder;

static void
obey_limits (HpMatchWorker *self, HpMatchOrder *order)
{
  hp_match_worker_set_limits (self, &((LimitsOrder *) order)->limits);
}

void
hp_match_run_set_limits (HpMatchRun *self, const HpMatchLimits *limits)
{
  self->registration_lifetime = limits->registration_lifetime;
  for (guint i = 0; i < self->n_workers; i++)
    {
      LimitsOrder *order = hp_match_order_new (sizeof *order, obey_limits);

      order->limits = *limits;
      hp_match_run_order (self, i, &order->order);
    }
}

const HpAddress *
hp_match_run_get_address (HpMatchRun *self)
{
  return &self->address;
}

/* Statistics */

/* What several workers fill in, each its own. The lock is only for who waits.
 */
typedef struct
{
  GMutex lock;
  GCond filled;
  int n_missing; /* atomic */
  HpMatchCounts counts[HP_MATCH_MAX_WORKERS];
  int is_there[HP_MATCH_MAX_WORKERS]; /* atomic */
} Census;

typedef struct
{
  HpMatchOrder order;
  Census *census; /* a reference */
} CensusOrder;

static void
clear_census (gpointer data)
{
  Census *census = data;

  g_mutex_clear (&census->lock);
  g_cond_clear (&census->filled);
}

static void
release_census (Census *census)
{
  g_atomic_rc_box_release_full (census, clear_census);
}

static void
obey_count (HpMatchWorker *self, HpMatchOrder *order)
{
  Census *census = ((CensusOrder *) order)->census;

  hp_match_worker_count (self, census->counts + self->number);
  g_atomic_int_set (&census->is_there[self->number], TRUE);
  if (!g_atomic_int_dec_and_test (&census->n_missing))
    return;
  g_mutex_lock (&census->lock);
  g_cond_signal (&census->filled);
  g_mutex_unlock (&census->lock);
}

static void
clear_census_order (HpMatchOrder *order)
{
  release_census (((CensusOrder *) order)->census);
}

static void
await_census (HpMatchRun *self, Census *census)
{
  gint64 end = g_get_monotonic_time () + COUNT_TIMEOUT;

  g_mutex_lock (&census->lock);
  while (g_atomic_int_get (&census->n_missing) > 0
         && g_cond_wait_until (&census->filled, &census->lock, end))
    ;
  g_mutex_unlock (&census->lock);
  for (guint i = 0; i < self->n_workers; i++)
    if (g_atomic_int_get (&census->is_there[i]))
      self->workers[i].counts = census->counts[i];
}

static void
count_all (HpMatchRun *self)
{
  Census *census = g_atomic_rc_box_new0 (Census);

  g_mutex_init (&census->lock);
  g_cond_init (&census->filled);
  census->n_missing = self->n_workers;
  for (guint i = 0; i < self->n_workers; i++)
    {
      CensusOrder *order = hp_match_order_new (sizeof *order, obey_count);

      order->order.clear = clear_census_order;
      order->census = g_atomic_rc_box_acquire (census);
      hp_match_run_order (self, i, &order->order);
    }
  await_census (self, census);
  release_census (census);
}

void
hp_match_run_get_statistics (HpMatchRun *self,
                             HpServerStatisticsValues *values)
{
  if (self->is_stopped)
    {
      *values = self->statistics;
      return;
    }
  count_all (self);
  add_counts (self, values);
}
