/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-nat-discovery-private.h"

#include <string.h>

/* Two runs are so far apart: every one makes entries in NATs */
#define RUN_INTERVAL (10 * G_TIME_SPAN_SECOND)
#define SAMPLE_INTERVAL (500 * G_TIME_SPAN_MILLISECOND)

static HpNatDiscovery *
discovery_of (HpParty *party)
{
  /* Its first member */
  return (HpNatDiscovery *) party;
}

static void
wake (HpNatDiscovery *self)
{
  if (self->party.endpoint != NULL)
    hp_endpoint_wake (self->endpoint, &self->party);
}

/* Sockets */

void
hp_nat_discovery_close_sockets (HpNatDiscovery *self)
{
  for (guint i = 0; i < self->n_sockets; i++)
    hp_endpoint_close_socket (self->endpoint, self->sockets[i]);
  self->n_sockets = 0;
}

void
hp_nat_discovery_stop_trial (HpNatDiscovery *self, HpNatTrial *trial)
{
  if (trial->socket != 0)
    hp_endpoint_close_socket (self->endpoint, trial->socket);
  hp_nat_trial_stop (trial);
}

gboolean
hp_nat_discovery_may_make_entry (HpNatDiscovery *self, gint64 now)
{
  return self->budget == NULL || hp_nat_budget_take (self->budget, 1, now);
}

void
hp_nat_discovery_ask (HpNatDiscovery *self, guint socket,
                      const HpAddress *server, gboolean is_new, gint64 now)
{
  if (is_new && !hp_nat_discovery_may_make_entry (self, now))
    return;
  (void) hp_nat_questions_ask (&self->questions, HP_NAT_QUESTION_SERVER,
                               self->step, socket, server, is_new, now);
}

guint
hp_nat_discovery_open_fresh (HpNatDiscovery *self, gint64 now)
{
  guint socket = 0;

  if (self->n_sockets < HP_NAT_MAX_SOCKETS
      && hp_nat_discovery_may_make_entry (self, now))
    socket = hp_endpoint_open_socket (self->endpoint, NULL, 0, NULL);
  if (socket != 0)
    self->sockets[self->n_sockets++] = socket;
  return socket;
}

static gboolean
ask_fresh (HpNatDiscovery *self, gint64 now)
{
  guint socket = hp_nat_discovery_open_fresh (self, now);

  return socket != 0
         && hp_nat_questions_ask (&self->questions, HP_NAT_QUESTION_SERVER,
                                  self->step, socket, &self->main, TRUE, now);
}

/* What it is bound to, as @server would see it without a NAT */
static gboolean
get_local (HpNatDiscovery *self, guint socket, const HpAddress *server,
           HpAddress *local)
{
  HpAddress bound = *hp_endpoint_get_address (self->endpoint);

  if ((socket != 0
       && !hp_endpoint_get_socket_address (self->endpoint, socket, &bound))
      || !hp_endpoint_get_source (self->endpoint, server, local))
    return FALSE;
  local->port = bound.port;
  return TRUE;
}

/* Telling */

void
hp_nat_discovery_judge (HpNatDiscovery *self, gint64 now)
{
  HpNatFacts facts = self->facts;

  if (self->samples.n_samples == 0)
    return;
  hp_nat_samples_judge (&self->samples, &facts, now);
  self->has_news |= !self->is_known || facts.port != self->facts.port
                    || !hp_nat_facts_same_kind (&facts, &self->facts);
  self->facts = facts;
  self->facts_at = now;
  self->is_known = TRUE;
}

void
hp_nat_discovery_set_hairpin (HpNatDiscovery *self, HpWireHairpin hairpin)
{
  self->has_news |= self->facts.hairpin != hairpin;
  self->facts.hairpin = hairpin;
}

/* Answers */

static void
take_answer (HpNatDiscovery *self, const HpNatQuestion *question,
             const HpAddress *mapped, const HpAddress *other,
             gboolean was_first, gint64 now)
{
  HpNatSample sample = { .socket = question->socket,
                         .server = question->to,
                         .mapped = *mapped,
                         .mapped_at = question->asked_at,
                         .is_new = question->is_new && was_first };

  if (!get_local (self, question->socket, &question->to, &sample.local))
    return;
  /* It was there before those that are made by this question's like */
  if (!question->is_new)
    sample.mapped_at--;
  hp_nat_samples_add (&self->samples, &sample);
  if (question->socket == 0)
    hp_nat_discovery_take_server (self, &question->to, mapped, other);
}

gboolean
hp_nat_discovery_receive (HpNatDiscovery *self, const HpDatagram *datagram,
                          gint64 now)
{
  const HpNatQuestion *question;
  HpAddress mapped;
  HpAddress other;
  gboolean was_first;

  if (hp_nat_trial_receive (&self->filtering, datagram, now)
      || hp_nat_trial_receive (&self->silence, datagram, now))
    {
      wake (self);
      return TRUE;
    }
  question = hp_nat_questions_receive (&self->questions, datagram, &mapped,
                                       &other, &was_first);
  if (question == NULL)
    return FALSE;
  if (question->kind == HP_NAT_QUESTION_HAIRPIN)
    hp_nat_discovery_set_hairpin (self, HP_WIRE_HAIRPIN_YES);
  else
    take_answer (self, question, &mapped, &other, was_first, now);
  wake (self);
  return TRUE;
}

/* The party */

static void
discovery_receive (HpParty *party, const HpDatagram *datagram, gint64 now)
{
  /* UNKNOWN, which is nothing to it */
}

static gboolean
discovery_pull (HpParty *party, HpOutgoing *outgoing, gint64 now)
{
  HpNatDiscovery *self = discovery_of (party);

  return hp_nat_questions_pull (&self->questions, outgoing, now)
         || hp_nat_trial_pull (&self->filtering, outgoing, now)
         || hp_nat_trial_pull (&self->silence, outgoing, now);
}

static gint64
discovery_get_deadline (HpParty *party, gint64 now)
{
  const HpNatDiscovery *self = discovery_of (party);
  gint64 deadline = MIN (self->restart_at, self->tell_at);

  deadline = MIN (deadline, hp_nat_trial_get_deadline (&self->filtering));
  deadline = MIN (deadline, hp_nat_trial_get_deadline (&self->silence));
  if (self->fresh_left > 0)
    deadline = MIN (deadline, self->fresh_at);
  return MIN (deadline, hp_nat_questions_get_deadline (&self->questions));
}

static void
discovery_expire (HpParty *party, gint64 now)
{
  HpNatDiscovery *self = discovery_of (party);

  hp_nat_questions_expire (&self->questions, now);
  if (self->restart_at <= now)
    hp_nat_discovery_begin (self, now);
  if (self->fresh_left > 0 && self->fresh_at <= now)
    {
      self->fresh_left--;
      self->fresh_at = now + self->pace;
      if (ask_fresh (self, now))
        hp_nat_discovery_begin_filtering (self, now);
      else
        self->fresh_left = 0;
    }
  if (self->tell_at <= now)
    {
      self->tell_at = HP_NAT_NEVER;
      hp_nat_discovery_judge (self, now);
    }
}

static void
discovery_deliver (HpParty *party, gint64 now)
{
  HpNatDiscovery *self = discovery_of (party);

  hp_nat_discovery_advance (self, now);
  hp_nat_discovery_advance_trials (self, now);
  if (!self->has_news)
    return;
  self->has_news = FALSE;
  self->changed (self->user_data, now);
}

static const HpPartyClass discovery_class = {
  .name = "nat-discovery",
  .receive = discovery_receive,
  .pull = discovery_pull,
  .get_deadline = discovery_get_deadline,
  .expire = discovery_expire,
  .deliver = discovery_deliver,
};

HpNatDiscovery *
hp_nat_discovery_new (HpEndpoint *endpoint, HpNatBudget *budget,
                      const HpRandom *random, HpNatChangedFunc changed,
                      gpointer user_data)
{
  HpNatDiscovery *self = g_new0 (HpNatDiscovery, 1);

  self->endpoint = hp_endpoint_ref (endpoint);
  self->budget = budget;
  self->changed = changed;
  self->user_data = user_data;
  self->tell_at = HP_NAT_NEVER;
  self->restart_at = HP_NAT_NEVER;
  hp_nat_questions_init (&self->questions, random);
  hp_nat_trial_init (&self->filtering, random);
  hp_nat_trial_init (&self->silence, random);
  hp_endpoint_add_party (endpoint, &self->party, &discovery_class, 0);
  return self;
}

void
hp_nat_discovery_free (HpNatDiscovery *self)
{
  if (self == NULL)
    return;
  hp_nat_questions_clear (&self->questions);
  if (self->party.endpoint != NULL)
    hp_endpoint_remove_party (self->endpoint, &self->party);
  hp_nat_discovery_close_sockets (self);
  hp_nat_discovery_stop_trial (self, &self->filtering);
  hp_nat_discovery_stop_trial (self, &self->silence);
  hp_endpoint_unref (self->endpoint);
  g_free (self);
}

/* From outside */

void
hp_nat_discovery_set_knock (HpNatDiscovery *self, HpNatKnockFunc knock)
{
  self->knock = knock;
}

void
hp_nat_discovery_set_servers (HpNatDiscovery *self, const HpAddress *servers,
                              guint n, guint n_known, gint64 now)
{
  HpAddress old[HP_NAT_MAX_SERVERS];
  guint n_old = self->n_servers;
  gboolean other_main;

  memcpy (old, self->servers, sizeof old);
  self->n_servers = 0;
  self->n_known = 0;
  for (guint i = 0; i < n && self->n_servers < HP_NAT_MAX_SERVERS; i++)
    if (servers[i].family == servers[0].family)
      {
        self->n_known += i < n_known;
        self->servers[self->n_servers++] = servers[i];
      }
  other_main = self->n_servers > 0
               && (n_old == 0
                   || !hp_address_equal (&old[0], &self->servers[0]));
  if (other_main)
    {
      hp_nat_discovery_restart (self, now);
      return;
    }
  for (guint i = 0; i < self->n_servers && self->step != HP_NAT_STEP_IDLE; i++)
    {
      gboolean is_old = FALSE;

      for (guint k = 0; k < n_old; k++)
        is_old |= hp_address_equal (&old[k], &self->servers[i]);
      if (!is_old)
        hp_nat_discovery_ask (self, 0, &self->servers[i], i >= self->n_known,
                              now);
    }
  wake (self);
}

void
hp_nat_discovery_restart (HpNatDiscovery *self, gint64 now)
{
  self->restart_at = self->began_at == 0
                         ? now
                         : MAX (now, self->began_at + RUN_INTERVAL);
  wake (self);
}

void
hp_nat_discovery_observed (HpNatDiscovery *self, const HpAddress *observed,
                           gint64 now)
{
  if (self->step > HP_NAT_STEP_LOOK
      && !hp_address_same_host (observed, &self->mapped))
    hp_nat_discovery_restart (self, now);
}

void
hp_nat_discovery_sample (HpNatDiscovery *self, gint64 now)
{
  /* It was just about to ask, for the drift */
  if (self->step == HP_NAT_STEP_DRIFT && self->fresh_left > 0)
    {
      self->fresh_at = MIN (self->fresh_at, now);
      wake (self);
      return;
    }
  if (self->step != HP_NAT_STEP_DONE
      || self->facts.allocation != HP_WIRE_ALLOCATION_SEQUENTIAL
      || (self->sampled_at != 0 && now - self->sampled_at < SAMPLE_INTERVAL))
    return;
  self->sampled_at = now;
  (void) ask_fresh (self, now);
  wake (self);
}

void
hp_nat_discovery_knocked (HpNatDiscovery *self,
                          const guint8 transaction[HP_STUN_TRANSACTION_SIZE],
                          guint64 flags, gint64 now)
{
  hp_nat_trial_knocked (&self->filtering, transaction, flags, now);
  hp_nat_trial_knocked (&self->silence, transaction, flags, now);
  wake (self);
}

gboolean
hp_nat_discovery_get_facts (const HpNatDiscovery *self, HpNatFacts *facts,
                            gint64 now)
{
  *facts = self->facts;
  hp_nat_facts_grow_older (facts, now - self->facts_at);
  return self->is_known;
}

const HpAddress *
hp_nat_discovery_get_mapped (const HpNatDiscovery *self)
{
  return self->mapped.family != HP_ADDRESS_NONE ? &self->mapped : NULL;
}

guint
hp_nat_discovery_get_lifetime (const HpNatDiscovery *self)
{
  return self->lifetime;
}

gboolean
hp_nat_discovery_is_done (const HpNatDiscovery *self)
{
  return self->step == HP_NAT_STEP_DONE && self->fresh_left == 0
         && self->filtering.socket == 0
         && hp_nat_questions_count_open (&self->questions, HP_NAT_STEP_DONE)
                == 0;
}
