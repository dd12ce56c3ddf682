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

/* Messages: a number, then bytes that follow from it */

static GBytes *
create_message (guint64 number, gsize length)
{
  guint8 *data = g_malloc (MAX (length, sizeof number));
  gsize i;

  memcpy (data, &number, sizeof number);
  for (i = sizeof number; i < length; i++)
    data[i] = (number * 31 + i * 7 + (i >> 8)) & 0xff;
  return g_bytes_new_take (data, MAX (length, sizeof number));
}

static guint64
check_message (GBytes *message)
{
  gsize length;
  const guint8 *data = g_bytes_get_data (message, &length);
  guint64 number;
  g_autoptr (GBytes) expected = NULL;

  g_assert_cmpuint (length, >=, sizeof number);
  memcpy (&number, data, sizeof number);
  expected = create_message (number, length);
  g_assert_true (g_bytes_equal (message, expected));
  return number;
}

void
node_send (Node *self, HpStreamKind kind, gsize length)
{
  guint64 number = ++self->pair->next_message;
  g_autoptr (GBytes) bytes = create_message (number, length);
  guint64 *stream = g_new (guint64, 1);

  *stream = hp_link_send_message (self->link, kind, bytes, 0,
                                  self->pair->world->now);
  g_hash_table_insert (self->expected, stream, GSIZE_TO_POINTER (number));
  self->n_sent++;
}

static void
take_message (Node *self, GBytes *message)
{
  guint64 number = check_message (message);
  gpointer times = g_hash_table_lookup (self->received,
                                        GSIZE_TO_POINTER (number));

  /* Exactly once */
  g_assert_null (times);
  g_hash_table_insert (self->received, GSIZE_TO_POINTER (number),
                       GUINT_TO_POINTER (1));
  self->n_received++;
}

void
node_assert_received_all (Node *self)
{
  Node *other = pair_get_other (self->pair, self);

  g_assert_cmpuint (self->n_received, ==, other->n_sent);
  g_assert_cmpuint (other->n_delivered, ==, other->n_sent);
  g_assert_cmpuint (other->n_failed, ==, 0);
}

/* Events */

static void
say (Node *self, const char *what)
{
  if (self->pair->world->verbose)
    g_test_message ("%9.3f %s %s", self->pair->world->now / 1000.0,
                    self->name, what);
}

static void
take_event (Node *self, const HpLinkEvent *event)
{
  gint64 now = self->pair->world->now;

  /* Nothing comes after the end */
  g_assert_cmpuint (self->n_closed, ==, 0);
  switch (event->type)
    {
    case HP_LINK_EVENT_IDENTIFIED:
      self->n_identified++;
      break;
    case HP_LINK_EVENT_CONFIRMED:
      say (self, "confirmed");
      self->confirmed_at = now;
      self->n_confirmed++;
      break;
    case HP_LINK_EVENT_READY:
      say (self, "ready");
      hp_link_set_interface_size (self->link, self->interface_size, now);
      g_assert_cmpuint (self->n_confirmed, ==, 1);
      self->ready_at = now;
      self->n_ready++;
      break;
    case HP_LINK_EVENT_PATH:
      say (self, "path");
      hp_link_set_interface_size (self->link, self->interface_size, now);
      self->path_at = now;
      self->n_path++;
      break;
    case HP_LINK_EVENT_SILENT:
      say (self, "silent");
      if (self->silent_at == 0)
        self->silent_at = now;
      self->n_silent++;
      break;
    case HP_LINK_EVENT_MESSAGE:
      g_assert_cmpuint (self->n_confirmed, ==, 1);
      take_message (self, event->transport.message);
      g_bytes_unref (event->transport.message);
      break;
    case HP_LINK_EVENT_DELIVERED:
      g_assert_true (g_hash_table_remove (self->expected,
                                          &event->transport.stream));
      self->n_delivered++;
      break;
    case HP_LINK_EVENT_FAILED:
      g_assert_true (g_hash_table_remove (self->expected,
                                          &event->transport.stream));
      self->n_failed++;
      break;
    case HP_LINK_EVENT_STREAM:
      if (self->on_stream != NULL)
        self->on_stream (self, &event->transport);
      break;
    case HP_LINK_EVENT_CLOSED:
      say (self, "closed");
      self->n_closed++;
      self->closed_at = now;
      self->closed_by = event->closed_by;
      self->close_code = event->close_code;
      break;
    }
}

static gsize
get_base_size (const Node *self)
{
  return self->datagram_size != 0 ? self->datagram_size
                                  : HP_DATAGRAM_SIZE_DEFAULT;
}

void
node_pump (Node *self)
{
  gint64 now = self->pair->world->now;
  guint8 buffer[HP_DATAGRAM_SIZE_MAX];
  HpOutgoing outgoing = { .bytes = buffer, .capacity = sizeof buffer };
  HpLinkEvent event;
  guint n = 0;

  do
    {
      while (hp_link_pull (self->link, &outgoing, now))
        {
          g_assert_cmpuint (outgoing.length, <=,
                            MAX (self->max_datagram_size,
                                 get_base_size (self)));
          g_assert_cmpuint (++n, <, 20000);
          self->n_pulled++;
          sim_host_send (self->host, &outgoing);
        }
      while (hp_link_next_event (self->link, &event))
        take_event (self, &event);
    }
  while (hp_link_pull (self->link, &outgoing, now)
         && (sim_host_send (self->host, &outgoing), TRUE));
}

static void
on_receive (gpointer user_data, const HpDatagram *datagram)
{
  Node *self = user_data;

  hp_link_receive (self->link, datagram, self->pair->world->now);
  node_pump (self);
}

/* Pairs */

void
node_renew (Node *self, const guint8 *remote_public)
{
  SimWorld *world = self->pair->world;
  HpLinkConfig config = {
    .local = self->keys,
    .has_remote_public = remote_public != NULL,
    .suites = hp_crypto_get_suites (),
    .datagram_size = get_base_size (self),
    .max_datagram_size = self->max_datagram_size,
    .max_message_size = HP_MAX_MESSAGE_SIZE_DEFAULT,
    .keepalive_interval = 15 * SECOND,
    .random = world->random,
  };

  if (remote_public != NULL)
    memcpy (config.remote_public, remote_public, HP_KEY_SIZE);
  hp_random_fill (&world->random, &config.index, sizeof config.index);
  config.index &= ~1u;
  g_clear_pointer (&self->link, hp_link_free);
  self->link = hp_link_new (&config, world->now);
}

static void
init_node (Node *self, Pair *pair, const char *name)
{
  self->pair = pair;
  self->name = name;
  hp_crypto_generate_key_pair (&self->keys, &pair->world->random);
  self->expected = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free,
                                          NULL);
  self->received = g_hash_table_new (NULL, NULL);
  self->host->receive = on_receive;
  self->host->user_data = self;
}

static void
clear_node (Node *self)
{
  hp_link_free (self->link);
  g_hash_table_unref (self->expected);
  g_hash_table_unref (self->received);
}

static void
finish_pair (Pair *self)
{
  g_assert_true (hp_address_parse (&self->server, "198.51.100.1:4222"));
  g_queue_init (&self->script);
  init_node (&self->a, self, "a");
  init_node (&self->b, self, "b");
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
  clear_node (&self->a);
  clear_node (&self->b);
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
  for (i = 0; i < self->host->n_addresses; i++)
    {
      HpAddress server = self->pair->server;
      HpAddress observed;

      if (self->host->addresses[i].family == HP_ADDRESS_IPV6)
        g_assert_true (hp_address_parse (&server, "[2001:db8:9::1]:4222"));
      if (sim_host_observe (self->host, &server, &observed))
        hp_candidates_add (candidates, &observed,
                           HP_CANDIDATE_SERVER_REFLEXIVE, NULL);
    }
  for (i = 0; i < self->host_candidates.n_candidates; i++)
    hp_candidates_add (candidates,
                       &self->host_candidates.candidates[i].address,
                       HP_CANDIDATE_HOST, NULL);
}

static void
tell (Pair *self, Node *to, const HpIntroduction *introduction, gint64 at)
{
  Introduced *introduced = g_new0 (Introduced, 1);

  introduced->at = at;
  introduced->to = to;
  introduced->introduction = *introduction;
  gather (pair_get_other (self, to), &introduced->introduction.candidates);
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

void
node_introduce (Node *self, const HpIntroduction *introduction)
{
  hp_link_introduce (self->link, introduction, self->pair->world->now);
  node_pump (self);
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

/* A timer may set off another one that is due already, but not for ever */
static void
expire (Node *self)
{
  gint64 now = self->pair->world->now;
  guint n = 0;

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

  next = MIN (next, get_next_told (self));
  next = MIN (next, MIN (get_deadline (&self->a), get_deadline (&self->b)));
  world->now = MAX (world->now, next);

  sim_world_deliver (world);
  deliver_script (self);
  expire (&self->a);
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

void
node_assert_route (Node *self, const char *remote)
{
  const HpRoute *route = hp_link_get_route (self->link);
  g_autofree char *text = NULL;

  g_assert_nonnull (route);
  text = hp_address_to_string (&route->remote);
  g_assert_cmpstr (text, ==, remote);
}
