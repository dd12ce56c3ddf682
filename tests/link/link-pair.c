/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "link-pair.h"

#include <string.h>

typedef struct
{
  gint64 at;
  Node *to;
  HpIntroduction introduction;
} Introduced;

static void
finish_pair (Pair *self)
{
  g_assert_true (hp_address_parse (&self->server, "198.51.100.1:4222"));
  g_queue_init (&self->script);
  node_init (&self->a, self, "a");
  node_init (&self->b, self, "b");
  node_renew (&self->a, self->b.keys.public_key);
  node_renew (&self->b, self->a.keys.public_key);
}

Pair *
pair_new (guint64 seed, SimNatKind kind_a, SimNatKind kind_b)
{
  Pair *self = g_new0 (Pair, 1);
  SimWorld *world = self->world = sim_world_new (seed);
  gboolean plain_a = kind_a == SIM_OPEN || kind_a == SIM_FIREWALL;
  gboolean plain_b = kind_b == SIM_OPEN || kind_b == SIM_FIREWALL;

  self->nat_a = sim_world_add_nat (world, kind_a, TRUE,
                                   plain_a ? NULL : "203.0.113.1:0");
  self->nat_b = sim_world_add_nat (world, kind_b, TRUE,
                                   plain_b ? NULL : "203.0.113.2:0");
  self->a.host = sim_world_add_host (
      world, self->nat_a, plain_a ? "198.18.1.2:4222" : "192.168.1.2:4222");
  self->b.host = sim_world_add_host (
      world, self->nat_b, plain_b ? "198.18.2.2:4333" : "192.168.2.2:4333");
  finish_pair (self);
  return self;
}

Pair *
pair_new_same_lan (guint64 seed, SimNatKind kind)
{
  Pair *self = g_new0 (Pair, 1);
  SimWorld *world = self->world = sim_world_new (seed);

  self->nat_a = self->nat_b
      = sim_world_add_nat (world, kind, TRUE, "203.0.113.1:0");
  self->a.host = sim_world_add_host (world, self->nat_a, "192.168.1.2:4222");
  self->b.host = sim_world_add_host (world, self->nat_b, "192.168.1.3:4333");
  finish_pair (self);
  return self;
}

void
pair_free (Pair *self)
{
  g_queue_clear_full (&self->script, g_free);
  node_clear (&self->a);
  node_clear (&self->b);
  sim_world_free (self->world);
  g_free (self);
}

Node *
pair_get_other (Pair *self, Node *node)
{
  return node == &self->a ? &self->b : &self->a;
}

/* The match server */

static void
gather (Node *self, HpWireCandidates *candidates)
{
  guint i;

  memset (candidates, 0, sizeof *candidates);
  for (i = 0; i < self->host->n_addresses && !self->relay_only; i++)
    {
      HpAddress server = self->pair->server;
      HpAddress observed;

      if (self->host->addresses[i].family == HP_ADDRESS_IPV6)
        g_assert_true (hp_address_parse (&server, "[2001:db8:9::1]:4222"));
      if (sim_host_observe (self->host, &server, &observed))
        hp_candidates_add (candidates, &observed,
                           HP_CANDIDATE_SERVER_REFLEXIVE, NULL);
    }
  for (i = 0; i < self->host_candidates.n_candidates && !self->relay_only; i++)
    hp_candidates_add (candidates,
                       &self->host_candidates.candidates[i].address,
                       HP_CANDIDATE_HOST, NULL);
  for (i = 0; i < self->host->n_relays; i++)
    hp_candidates_add (candidates, &self->host->relays[i].address,
                       HP_CANDIDATE_RELAYED, NULL);
}

/* What a peer finds out about its NAT by asking its match server from a few
 * sockets; who may send to it cannot be found out that way */
static HpNatFacts
get_facts (const Node *self)
{
  const SimNat *nat = self->host->nats[0];
  HpNatFacts facts = { .mapping = HP_WIRE_MAPPING_ENDPOINT_INDEPENDENT,
                       .allocation = nat->remaps
                                         ? HP_WIRE_ALLOCATION_RANDOM
                                         : HP_WIRE_ALLOCATION_PRESERVED };

  switch (nat->kind)
    {
    case SIM_OPEN:
    case SIM_FIREWALL:
      facts.mapping = HP_WIRE_MAPPING_NONE;
      break;
    case SIM_FULL_CONE:
    case SIM_ADDRESS_RESTRICTED:
    case SIM_PORT_RESTRICTED:
      break;
    case SIM_SYMMETRIC:
      facts.mapping = HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT;
      facts.allocation = HP_WIRE_ALLOCATION_RANDOM;
      break;
    case SIM_SEQUENTIAL:
      facts.mapping = HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT;
      facts.allocation = HP_WIRE_ALLOCATION_SEQUENTIAL;
      facts.step = nat->step;
      facts.drift = nat->foreign;
      facts.port = nat->next_port;
      break;
    case SIM_BLOCK:
      facts.mapping = HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT;
      facts.allocation = HP_WIRE_ALLOCATION_BLOCK;
      facts.port = nat->first_port;
      facts.first_port = nat->first_port;
      facts.last_port = nat->first_port + nat->n_ports - 1;
      break;
    case SIM_N_KINDS:
      g_assert_not_reached ();
    }
  return facts;
}

static void
tell (Pair *self, Node *to, const HpIntroduction *introduction, gint64 at)
{
  Introduced *introduced = g_new0 (Introduced, 1);

  introduced->at = at;
  introduced->to = to;
  introduced->introduction = *introduction;
  gather (pair_get_other (self, to), &introduced->introduction.candidates);
  if (introduced->introduction.candidates.n_candidates > 0
      && !pair_get_other (self, to)->relay_only)
    introduced->introduction.observed
        = introduced->introduction.candidates.candidates[0].address;
  if (self->tells_nat)
    {
      HpNatFacts own = get_facts (to);

      introduced->introduction.nat = get_facts (pair_get_other (self, to));
      introduced->introduction.may_spray = TRUE;
      hp_link_set_nat (to->link, &own, self->world->now);
    }
  g_queue_push_tail (&self->script, introduced);
}

void
pair_introduce (Pair *self, Node *caller, const Script *script)
{
  static const Script plain = { .lead = 10 * MS };
  HpIntroduction introduction = {
    .suites = hp_crypto_get_suites (),
    .punch = TRUE,
  };
  guint8 secret[HP_TICKET_SECRET_SIZE];
  gint64 at = self->world->now + self->world->quality.delay;

  if (script == NULL)
    script = &plain;
  hp_random_fill (&self->world->random, secret, sizeof secret);
  hp_ticket_init (&introduction.ticket, ++self->next_ticket, secret,
                  sizeof secret);
  introduction.start_at = at + script->lead;
  introduction.is_caller = caller == &self->a;
  tell (self, &self->a, &introduction, at + script->late_a);

  introduction.start_at += script->skew_b;
  introduction.is_caller = caller == &self->b;
  if (script->wrong_secret_b)
    introduction.ticket.secret[0] ^= 1;
  tell (self, &self->b, &introduction, at + script->late_b);
}

static gint64
get_next_told (Pair *self)
{
  gint64 next = G_MAXINT64;
  GList *l;

  for (l = self->script.head; l != NULL; l = l->next)
    next = MIN (next, ((Introduced *) l->data)->at);
  return next;
}

static void
deliver_script (Pair *self)
{
  GList *l = self->script.head;

  while (l != NULL)
    {
      Introduced *introduced = l->data;
      GList *next = l->next;

      if (introduced->at <= self->world->now)
        {
          g_queue_delete_link (&self->script, l);
          node_introduce (introduced->to, &introduced->introduction);
          g_free (introduced);
        }
      l = next;
    }
}

/* Time */

static gint64
get_deadline (Node *self)
{
  return hp_link_get_deadline (self->link, self->pair->world->now);
}

/* The time that a link waited for has come, be it only that it may send now. A
 * timer may set off another one that is due already, but not for ever. */
static void
expire (Node *self)
{
  gint64 now = self->pair->world->now;
  guint n = 0;

  node_pump (self);
  while (get_deadline (self) <= now)
    {
      g_assert_cmpuint (++n, <=, 3);
      hp_link_expire (self->link, now);
      node_pump (self);
    }
}

/* One step to the next thing that happens, at @until at the latest */
static void
step (Pair *self, gint64 until)
{
  SimWorld *world = self->world;
  gint64 next = MIN (until, sim_world_get_next (world));
  gint64 next_a = get_deadline (&self->a);
  gint64 next_b = get_deadline (&self->b);

  next = MIN (next, get_next_told (self));
  next = MIN (next, MIN (next_a, next_b));
  world->now = MAX (world->now, next);

  sim_world_deliver (world);
  deliver_script (self);
  if (next_a <= world->now)
    expire (&self->a);
  if (next_b <= world->now)
    expire (&self->b);
}

void
pair_run_for (Pair *self, gint64 time)
{
  gint64 until = self->world->now + time;

  while (self->world->now < until)
    step (self, until);
}

static gboolean
is_ready (Node *self)
{
  return hp_link_get_state (self->link) == HP_LINK_READY;
}

gboolean
pair_run_until_ready (Pair *self, gint64 time)
{
  gint64 until = self->world->now + time;

  while (self->world->now < until
         && (!is_ready (&self->a) || !is_ready (&self->b)))
    step (self, until);
  return is_ready (&self->a) && is_ready (&self->b);
}

gboolean
pair_run_until_delivered (Pair *self, gint64 time)
{
  gint64 until = self->world->now + time;

  node_pump (&self->a);
  node_pump (&self->b);
  while (self->world->now < until
         && (g_hash_table_size (self->a.expected) > 0
             || g_hash_table_size (self->b.expected) > 0))
    step (self, until);
  return g_hash_table_size (self->a.expected) == 0
         && g_hash_table_size (self->b.expected) == 0;
}

void
pair_connect (Pair *self)
{
  pair_introduce (self, &self->a, NULL);
  g_assert_true (pair_run_until_ready (self, 10 * SECOND));
}
