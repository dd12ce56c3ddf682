/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A worker: a service's protocol at an endpoint. Its events are the owner's
 * business, or other workers'; what they have to say are orders. */

#include "hole-punch/hp-match-run-inside-private.h"

#include "hole-punch/io/hp-clock.h"
#include "hole-punch/wire/hp-packet.h"

#include <string.h>

/* Mail for one worker that waits before what may be lost is */
#define MAX_WAITING 65536

/* Orders */

static void
obey (HpMatchWorker *self, HpMatchOrder *order)
{
  if (self->service != NULL)
    order->obey (self, order);
  hp_match_order_free (order);
}

void
hp_match_worker_wake (HpMatchWorker *self)
{
  if (self->endpoint != NULL)
    hp_endpoint_wake (self->endpoint, &self->party);
}

void
hp_match_worker_order (HpMatchWorker *self, guint other, HpMatchOrder *order)
{
  if (other == self->number)
    obey (self, order);
  else
    hp_mails_add (self->orders + other, &order->mail);
}

void
hp_match_run_order (HpMatchRun *self, guint worker, HpMatchOrder *order)
{
  if (self->is_stopped || worker >= self->n_workers)
    hp_match_order_free (order);
  else if (self->mailbox == NULL)
    obey (self->workers, order);
  else
    hp_mailbox_post (self->workers[worker].mailbox, &order->mail);
}

static void
send_mail (HpMatchWorker *self)
{
  HpMatchRun *run = self->run;

  if (run->mailbox == NULL)
    return;
  for (guint i = 0; i < run->n_workers; i++)
    hp_mailbox_post_all (run->workers[i].mailbox, self->orders + i);
  hp_mailbox_post_all (run->mailbox, &self->reports);
}

/* Limits */

static void
fill_config (HpMatchWorker *self, const HpMatchLimits *limits,
             HpMatchServiceConfig *config)
{
  *config = (HpMatchServiceConfig){
    .local = self->run->local,
    .suites = hp_crypto_get_suites (),
    .random = hp_crypto_random,
    .registration_lifetime
    = limits->registration_lifetime * G_TIME_SPAN_SECOND,
    .max_peers = limits->max_peers,
    .max_handshakes_per_second = limits->max_handshakes_per_second,
    .max_total_handshakes_per_second
    = limits->max_total_handshakes_per_second,
    .max_asks_per_minute = limits->max_asks_per_minute,
    .max_registrations_per_network = limits->max_registrations_per_network,
    .max_stun_per_second = limits->max_stun_per_second,
    .review = limits->review,
    .n_workers = self->run->n_workers,
    .worker = self->number,
    .cookie_clock = self->run->cookie_clock,
  };
  memcpy (config->cookie_seed, self->run->cookie_seed,
          sizeof config->cookie_seed);
}

void
hp_match_worker_set_limits (HpMatchWorker *self, const HpMatchLimits *limits)
{
  HpMatchServiceConfig config;

  fill_config (self, limits, &config);
  hp_match_service_set_config (self->service, &config);
  hp_crypto_wipe (&config, sizeof config);
  hp_match_worker_wake (self);
}

/* Events */

/* Of what may be dropped when the owner cannot keep up, since it has a deadline
 * or is lost now and then anyway */
static gboolean
may_be_dropped (HpServiceEventType type)
{
  switch (type)
    {
    case HP_SERVICE_EVENT_CLAIM:
    case HP_SERVICE_EVENT_LOOKUP:
    case HP_SERVICE_EVENT_AUTHORIZE_REGISTRATION:
    case HP_SERVICE_EVENT_AUTHORIZE_INTRODUCTION:
    case HP_SERVICE_EVENT_RELAYS:
    case HP_SERVICE_EVENT_FORWARD:
      return TRUE;
    case HP_SERVICE_EVENT_RELEASE:
    case HP_SERVICE_EVENT_REGISTERED:
    case HP_SERVICE_EVENT_EXPIRED:
    case HP_SERVICE_EVENT_INTRODUCED:
    case HP_SERVICE_EVENT_ARRIVED:
    case HP_SERVICE_EVENT_LEFT:
      break;
    }
  return FALSE;
}

void
hp_match_worker_report (HpMatchWorker *self, HpMatchWorker *about,
                        const HpServiceEvent *event)
{
  HpMatchRun *run = self->run;
  HpMatchReport *report;

  if (run->mailbox == NULL)
    {
      hp_match_run_handle_event (run, about, event);
      return;
    }
  if (may_be_dropped (event->type) && !hp_mailbox_has_room (run->mailbox))
    {
      self->n_dropped++;
      return;
    }
  report = g_malloc (sizeof *report + event->length);
  report->worker = about;
  report->event = *event;
  if (event->length > 0)
    memcpy (report->message, event->message, event->length);
  report->event.message = report->message;
  hp_mails_add (&self->reports, &report->mail);
}

static void
handle_event (HpMatchWorker *self, const HpServiceEvent *event)
{
  switch (event->type)
    {
    case HP_SERVICE_EVENT_CLAIM:
    case HP_SERVICE_EVENT_RELEASE:
    case HP_SERVICE_EVENT_AUTHORIZE_REGISTRATION:
    case HP_SERVICE_EVENT_AUTHORIZE_INTRODUCTION:
    case HP_SERVICE_EVENT_RELAYS:
    case HP_SERVICE_EVENT_INTRODUCED:
      hp_match_worker_report (self, self, event);
      break;
    case HP_SERVICE_EVENT_REGISTERED:
      hp_match_worker_note_in_directory (self, event);
      if (event->first_time)
        hp_match_worker_report (self, self, event);
      break;
    case HP_SERVICE_EVENT_EXPIRED:
      hp_match_worker_note_in_directory (self, event);
      if (!event->replaced)
        hp_match_worker_report (self, self, event);
      break;
    case HP_SERVICE_EVENT_ARRIVED:
    case HP_SERVICE_EVENT_LEFT:
      hp_match_worker_note_in_directory (self, event);
      break;
    case HP_SERVICE_EVENT_LOOKUP:
      hp_match_worker_look_up (self, event);
      break;
    case HP_SERVICE_EVENT_FORWARD:
      if (!hp_match_worker_forward (self, event))
        hp_match_worker_report (self, self, event);
      break;
    }
}

/* The endpoint's party, and all the strays */

static HpMatchWorker *
from_party (HpParty *party)
{
  G_STATIC_ASSERT (G_STRUCT_OFFSET (HpMatchWorker, party) == 0);
  return (HpMatchWorker *) party;
}

gboolean
hp_match_worker_receive_stray (gpointer worker, const HpDatagram *datagram,
                               gint64 now)
{
  HpMatchWorker *self = worker;

  if (datagram->route.socket != 0
      && hp_packet_classify (datagram->bytes, datagram->length)
             != HP_PACKET_CLASS_STUN)
    return FALSE;
  hp_match_service_receive (self->service, datagram, now);
  hp_match_worker_wake (self);
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
handle_events (HpMatchWorker *self)
{
  HpServiceEvent event;

  while (self->service != NULL
         && hp_match_service_next_event (self->service, &event))
    handle_event (self, &event);
}

/* The limit is that of all workers together, and may be exceeded by what they
 * let in at the same moment. */
static void
share_max_peers (HpMatchWorker *self)
{
  HpServiceStatistics statistics;
  guint others = 0;

  hp_match_service_get_statistics (self->service, &statistics);
  g_atomic_int_set (&self->n_peers, (int) statistics.peers);
  for (guint i = 0; i < self->run->n_workers; i++)
    if (i != self->number)
      others += g_atomic_int_get (&self->run->workers[i].n_peers);
  hp_match_service_set_peers_elsewhere (self->service, others);
}

static void
deliver (HpParty *party, gint64 now)
{
  HpMatchWorker *self = from_party (party);
  HpMatchRun *run = self->run;

  if (run->mailbox != NULL)
    {
      handle_events (self);
      share_max_peers (self);
      send_mail (self);
      return;
    }
  /* The owner's hooks may drop the run. */
  hp_match_run_ref (run);
  hp_match_run_begin_batch (run);
  handle_events (self);
  hp_match_run_end_batch (run);
  hp_match_run_unref (run);
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

void
hp_match_worker_init (HpMatchWorker *self, const HpMatchLimits *limits)
{
  HpMatchServiceConfig config;

  fill_config (self, limits, &config);
  self->service = hp_match_service_new (&config, hp_clock_now ());
  hp_crypto_wipe (&config, sizeof config);
  /* Always asked: handlers may come and go while it runs. */
  hp_match_service_set_asks_registration (self->service, TRUE);
  hp_match_service_set_asks_introduction (self->service, TRUE);
  hp_match_service_set_places (self->service, &self->run->places);
  /* Its mailbox is all there is beside it. */
  hp_endpoint_set_steadfast (self->endpoint, self->run->mailbox != NULL);
  hp_endpoint_add_party (self->endpoint, &self->party, &party_class, 0);
}

void
hp_match_worker_count (HpMatchWorker *self, HpMatchCounts *counts)
{
  hp_match_service_get_statistics (self->service, &counts->inner);
  counts->inner.dropped_full += self->n_dropped;
  counts->outer = *hp_endpoint_get_statistics (self->endpoint);
}

void
hp_match_worker_end (HpMatchWorker *self)
{
  if (self->endpoint == NULL)
    return;
  if (self->service != NULL)
    hp_match_service_close (self->service, hp_clock_now ());
  hp_endpoint_close (self->endpoint);
  if (self->service != NULL)
    hp_match_worker_count (self, &self->counts);
  g_clear_pointer (&self->service, hp_match_service_free);
  g_clear_pointer (&self->endpoint, hp_endpoint_unref);
}

static void
receive_order (gpointer user_data, HpMail *mail)
{
  obey (user_data, (HpMatchOrder *) mail);
}

static void
end_orders (gpointer user_data)
{
  send_mail (user_data);
}

static const HpMailReceiver order_receiver
    = { NULL, receive_order, end_orders };

static gpointer
work (gpointer data)
{
  HpMatchWorker *self = data;

  g_main_context_push_thread_default (self->context);
  while (!self->is_quitting)
    g_main_context_iteration (self->context, TRUE);
  hp_mailbox_close (self->mailbox);
  hp_match_worker_end (self);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

void
hp_match_worker_start (HpMatchWorker *self)
{
  g_autofree char *name = g_strdup_printf ("match-%u", self->number);

  self->thread = g_thread_new (name, work, self);
}

static void
obey_quit (HpMatchWorker *self, HpMatchOrder *order)
{
  self->is_quitting = TRUE;
}

void
hp_match_worker_quit (HpMatchWorker *self)
{
  HpMatchOrder *order = hp_match_order_new (sizeof *order, obey_quit);

  hp_mailbox_post (self->mailbox, &order->mail);
}

/* Before the thread is started, so that all know of all */
void
hp_match_worker_open_mailbox (HpMatchWorker *self)
{
  self->context = g_main_context_new ();
  self->mailbox
      = hp_mailbox_new (self->context, G_PRIORITY_DEFAULT, MAX_WAITING,
                        &order_receiver, self, hp_match_order_free);
  self->directory = hp_match_directory_new ();
}

void
hp_match_worker_clear (HpMatchWorker *self)
{
  g_clear_pointer (&self->mailbox, hp_mailbox_unref);
  g_clear_pointer (&self->directory, hp_match_directory_free);
  g_clear_pointer (&self->context, g_main_context_unref);
}
