/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-nat-discovery-private.h"

#include <string.h>

/* In the first look, and when ports tell nothing yet */
#define FIRST_SOCKETS 4
#define MORE_SOCKETS (HP_NAT_BLOCK_SAMPLES - FIRST_SOCKETS)
/* Far enough apart that they do not overtake each other */
#define FIRST_PACE (15 * G_TIME_SPAN_MILLISECOND)
#define MORE_PACE (40 * G_TIME_SPAN_MILLISECOND)
/* What is known is told when a step takes longer than so */
#define PATIENCE (400 * G_TIME_SPAN_MILLISECOND)
#define DRIFT_PAUSE G_USEC_PER_SEC
/* Silences that a mapping has to outlive, one after the other, in seconds. The
 * last is nearly what RFC 4787 asks for (REQ-5), and as long as the server's
 * cookie is good for. */
static const guint silences[] = { 20, 35, 65, 115 };

static void
begin_fresh (HpNatDiscovery *self, guint n, gint64 pace, gint64 at)
{
  self->fresh_left = n;
  self->fresh_at = at;
  self->pace = pace;
}

static void
set_step (HpNatDiscovery *self, HpNatStep step, gint64 now)
{
  self->step = step;
  self->tell_at = now + PATIENCE;
  if (step == HP_NAT_STEP_IDLE || step == HP_NAT_STEP_DONE)
    self->tell_at = HP_NAT_NEVER;
}

static void
look (HpNatDiscovery *self, gint64 now)
{
  set_step (self, HP_NAT_STEP_LOOK, now);
  for (guint i = 0; i < self->n_servers; i++)
    hp_nat_discovery_ask (self, 0, &self->servers[i], i >= self->n_known, now);
}

void
hp_nat_discovery_begin (HpNatDiscovery *self, gint64 now)
{
  self->restart_at = HP_NAT_NEVER;
  hp_nat_discovery_close_sockets (self);
  hp_nat_discovery_stop_trial (self, &self->filtering);
  hp_nat_discovery_stop_trial (self, &self->silence);
  self->lifetime = 0;
  self->wants_filtering = FALSE;
  hp_nat_questions_clear (&self->questions);
  hp_nat_samples_clear (&self->samples);
  self->main.family = HP_ADDRESS_NONE;
  self->other.family = HP_ADDRESS_NONE;
  self->fresh_left = 0;
  self->facts.hairpin = HP_WIRE_HAIRPIN_UNKNOWN;
  self->facts.filtering = HP_WIRE_FILTERING_UNKNOWN;
  if (self->n_servers == 0)
    {
      set_step (self, HP_NAT_STEP_IDLE, now);
      return;
    }
  self->began_at = now;
  look (self, now);
}

/* A server behind a NAT of its own tells of an address that only it can
 * reach; the port is right all the same. */
static void
set_other (HpNatDiscovery *self, const HpAddress *other)
{
  self->other = *other;
  if (hp_address_is_private (other) && !hp_address_is_private (&self->main))
    {
      self->other = self->main;
      self->other.port = other->port;
    }
  if (other->family != self->main.family
      || hp_address_equal (&self->other, &self->main))
    self->other.family = HP_ADDRESS_NONE;
}

static void
compare (HpNatDiscovery *self, gint64 now)
{
  set_step (self, HP_NAT_STEP_COMPARE, now);
  if (self->other.family != HP_ADDRESS_NONE)
    {
      HpAddress other_port = self->main;

      other_port.port = self->other.port;
      hp_nat_discovery_ask (self, 0, &self->other, TRUE, now);
      /* Its other address has another port, too: port and address each */
      if (!hp_address_equal (&other_port, &self->other)
          && other_port.port != self->main.port)
        hp_nat_discovery_ask (self, 0, &other_port, TRUE, now);
    }
  begin_fresh (self, FIRST_SOCKETS, FIRST_PACE, now + FIRST_PACE);
  self->wants_filtering = TRUE;
}

static const HpNatSample *
find_sample (HpNatDiscovery *self, guint socket)
{
  for (guint i = 0; i < self->samples.n_samples; i++)
    if (self->samples.samples[i].socket == socket)
      return &self->samples.samples[i];
  return NULL;
}

/* Two fresh sockets, each to the other's mapping: what comes in has to pass
 * the filter as well, which lets in whom one has sent to. */
static gboolean
ask_hairpin (HpNatDiscovery *self, gint64 now)
{
  const HpNatSample *samples[2];
  guint n = 0;

  for (guint i = 0; i < self->n_sockets && n < 2; i++)
    {
      samples[n] = find_sample (self, self->sockets[i]);
      n += samples[n] != NULL;
    }
  if (n < 2
      || !hp_address_same_host (&samples[0]->mapped, &samples[1]->mapped)
      || !hp_nat_discovery_may_make_entry (self, now)
      || !hp_nat_discovery_may_make_entry (self, now))
    return FALSE;
  set_step (self, HP_NAT_STEP_HAIRPIN, now);
  for (guint i = 0; i < 2; i++)
    (void) hp_nat_questions_ask (&self->questions, HP_NAT_QUESTION_HAIRPIN,
                                 self->step, samples[i]->socket,
                                 &samples[1 - i]->mapped, TRUE, now);
  return TRUE;
}

/* Only a match server does, and it has the second port for it. */
static gboolean
can_knock (const HpNatDiscovery *self)
{
  return self->knock != NULL && self->n_known > 0
         && hp_address_equal (&self->main, &self->servers[0])
         && self->other.family != HP_ADDRESS_NONE;
}

static gboolean
needs_more (const HpNatDiscovery *self)
{
  return hp_nat_facts_is_dependent (&self->facts)
         && (self->facts.allocation == HP_WIRE_ALLOCATION_UNKNOWN
             || self->facts.allocation == HP_WIRE_ALLOCATION_BLOCK
             || self->facts.allocation == HP_WIRE_ALLOCATION_RANDOM);
}

static void
begin_silence (HpNatDiscovery *self, guint socket, gint64 now)
{
  hp_nat_trial_begin (&self->silence, socket, &self->main, HP_KNOCK_SAME,
                      silences[self->n_silences] * G_USEC_PER_SEC, now);
}

static void
finish (HpNatDiscovery *self, gint64 now)
{
  set_step (self, HP_NAT_STEP_DONE, now);
  self->n_silences = 0;
  if (self->n_sockets > 0 && can_knock (self))
    begin_silence (self, self->sockets[--self->n_sockets], now);
  hp_nat_discovery_close_sockets (self);
}

static void
choose_after_compare (HpNatDiscovery *self, gint64 now)
{
  if (needs_more (self))
    {
      set_step (self, HP_NAT_STEP_MORE, now);
      begin_fresh (self, MORE_SOCKETS, MORE_PACE, now);
    }
  else if (self->facts.allocation == HP_WIRE_ALLOCATION_SEQUENTIAL)
    {
      set_step (self, HP_NAT_STEP_DRIFT, now);
      begin_fresh (self, 1, 0, now + DRIFT_PAUSE);
    }
  else
    {
      finish (self, now);
    }
}

/* Nobody answers: what was true may not be so any more. */
static void
give_up (HpNatDiscovery *self, gint64 now)
{
  set_step (self, HP_NAT_STEP_IDLE, now);
  self->has_news |= self->is_known;
  self->is_known = FALSE;
  memset (&self->facts, 0, sizeof self->facts);
  memset (&self->mapped, 0, sizeof self->mapped);
}

/* All questions of a step have been answered or given up. */
static void
next_step (HpNatDiscovery *self, gint64 now)
{
  hp_nat_discovery_judge (self, now);
  switch (self->step)
    {
    case HP_NAT_STEP_IDLE:
      break;
    case HP_NAT_STEP_LOOK:
      if (self->main.family == HP_ADDRESS_NONE)
        give_up (self, now);
      else if (self->facts.mapping == HP_WIRE_MAPPING_NONE)
        {
          /* There may be a firewall. */
          finish (self, now);
          self->wants_filtering = TRUE;
          if (can_knock (self)
              && hp_nat_discovery_open_fresh (self, now) != 0)
            hp_nat_discovery_begin_filtering (self, now);
        }
      else
        {
          /* Too little to be told yet */
          self->is_known = FALSE;
          self->has_news = FALSE;
          compare (self, now);
        }
      break;
    case HP_NAT_STEP_COMPARE:
      if (!ask_hairpin (self, now))
        choose_after_compare (self, now);
      break;
    case HP_NAT_STEP_HAIRPIN:
      /* A NAT that maps each destination anew filters what the other side
       * sends from elsewhere: then silence says nothing. */
      if (self->facts.hairpin == HP_WIRE_HAIRPIN_UNKNOWN
          && !hp_nat_facts_is_dependent (&self->facts))
        hp_nat_discovery_set_hairpin (self, HP_WIRE_HAIRPIN_NO);
      choose_after_compare (self, now);
      break;
    case HP_NAT_STEP_MORE:
    case HP_NAT_STEP_DRIFT:
      finish (self, now);
      break;
    case HP_NAT_STEP_DONE:
      /* A fresh sample on demand */
      hp_nat_discovery_close_sockets (self);
      break;
    }
}

/* The first server's answer is worth waiting for; that of others comes when it
 * comes. */
static gboolean
is_over (const HpNatDiscovery *self, gint64 now)
{
  if (self->fresh_left == 0
      && hp_nat_questions_count_open (&self->questions, self->step) == 0)
    return TRUE;
  return self->step == HP_NAT_STEP_LOOK && self->main.family != HP_ADDRESS_NONE
         && (hp_address_equal (&self->main, &self->servers[0])
             || now - self->began_at >= PATIENCE);
}

void
hp_nat_discovery_advance (HpNatDiscovery *self, gint64 now)
{
  HpNatStep step;

  do
    {
      step = self->step;
      if (is_over (self, now))
        next_step (self, now);
    }
  while (self->step != step);
}

/* Trials */

void
hp_nat_discovery_begin_filtering (HpNatDiscovery *self, gint64 now)
{
  if (!self->wants_filtering || !can_knock (self))
    return;
  self->wants_filtering = FALSE;
  hp_nat_trial_begin (&self->filtering, self->sockets[--self->n_sockets],
                      &self->main,
                      HP_KNOCK_OTHER_PORT | HP_KNOCK_OTHER_HOST, 0, now);
}

/* A server with one host tells less: what it does not tell is taken to be the
 * stricter. */
static void
judge_filtering (HpNatDiscovery *self, HpNatTrialState state)
{
  HpWireFiltering filtering = HP_WIRE_FILTERING_UNKNOWN;

  if ((self->filtering.passed & HP_KNOCK_OTHER_HOST) != 0)
    filtering = HP_WIRE_FILTERING_ENDPOINT_INDEPENDENT;
  else if ((self->filtering.passed & HP_KNOCK_OTHER_PORT) != 0)
    filtering = HP_WIRE_FILTERING_ADDRESS_DEPENDENT;
  else if (state == HP_NAT_TRIAL_CERTAIN
           && (self->filtering.made & HP_KNOCK_OTHER_PORT) != 0)
    filtering = HP_WIRE_FILTERING_ADDRESS_AND_PORT_DEPENDENT;
  hp_nat_discovery_stop_trial (self, &self->filtering);
  self->has_news |= self->is_known && self->facts.filtering != filtering;
  self->facts.filtering = filtering;
}

/* What it outlived may be followed by a longer one. */
static void
judge_silence (HpNatDiscovery *self, gint64 now)
{
  if (self->silence.passed == 0)
    {
      hp_nat_discovery_stop_trial (self, &self->silence);
      return;
    }
  self->lifetime = silences[self->n_silences++];
  self->has_news = TRUE;
  if (self->n_silences == G_N_ELEMENTS (silences))
    hp_nat_discovery_stop_trial (self, &self->silence);
  else
    begin_silence (self, self->silence.socket, now);
}

static void
knock (HpNatDiscovery *self, HpNatTrial *trial, gint64 now)
{
  const HpFrame *frame = hp_nat_trial_next_knock (trial, now);

  if (frame != NULL)
    (void) self->knock (self->user_data, &self->main, frame, now);
}

void
hp_nat_discovery_advance_trials (HpNatDiscovery *self, gint64 now)
{
  HpNatTrialState state = hp_nat_trial_get_state (&self->filtering, now);

  if (self->filtering.socket != 0 && state != HP_NAT_TRIAL_OPEN)
    judge_filtering (self, state);
  if (self->silence.socket != 0
      && hp_nat_trial_get_state (&self->silence, now) != HP_NAT_TRIAL_OPEN)
    judge_silence (self, now);
  knock (self, &self->filtering, now);
  knock (self, &self->silence, now);
}

static gboolean
is_main (const HpNatDiscovery *self, const HpAddress *server)
{
  for (guint i = 0; i < self->n_servers; i++)
    {
      if (hp_address_equal (&self->servers[i], server))
        return TRUE;
      /* One that is before it has answered already */
      if (hp_address_equal (&self->servers[i], &self->main))
        return FALSE;
    }
  return FALSE;
}

void
hp_nat_discovery_take_server (HpNatDiscovery *self, const HpAddress *server,
                              const HpAddress *mapped,
                              const HpAddress *other)
{
  if (self->step != HP_NAT_STEP_LOOK || !is_main (self, server))
    return;
  self->main = *server;
  self->mapped = *mapped;
  set_other (self, other);
}
