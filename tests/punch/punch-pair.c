/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "punch-pair.h"

#include <math.h>
#include <string.h>

#define MS G_TIME_SPAN_MILLISECOND
#define DELAY (20 * MS)
#define MAIN_PORT 4222
#define SERVER_PORT 1
#define BEGIN (100 * G_TIME_SPAN_SECOND)

typedef enum
{
  PROBE,
  INITIATION,
  RESPONSE,
} Kind;

typedef struct
{
  gint64 at;
  guint to;            /* side */
  guint16 from, port;  /* external */
  Kind kind;
} Packet;

typedef struct
{
  HpPuncher *puncher;
  HpNatBudget budget;
  PairNatKind kind;
  HpAddress address;      /* public; port 0 */
  GHashTable *mappings;   /* socket << 16 | remote port or 0 → port */
  GHashTable *entries;    /* socket << 16 | remote port */
  GHashTable *owners;     /* port << 16 | remote port or 0 → socket + 1 */
  GHashTable *passes;     /* port << 16 | remote port that may come in */
  GHashTable *taken;      /* the same, lost to the NAT itself */
  GHashTable *ports;      /* of sockets: number → local port */
  guint n_sockets;        /* numbers given */
  guint n_open;
  gint next_port;
  gint64 foreign_at;
  guint n_sent;
} Side;

typedef struct
{
  const PairSettings *settings;
  GRand *random;
  gint64 now;
  Side sides[2];
  GQueue packets; /* Packet, by time */
  gboolean is_connected;
} World;

void
pair_tell_facts (const PairNatKind *kind, HpNatFacts *facts)
{
  memset (facts, 0, sizeof *facts);
  facts->mapping = kind->mapping;
  facts->filtering = kind->filtering;
  facts->allocation = kind->allocation;
  facts->step = kind->step;
  facts->drift = kind->drift;
  facts->first_port = kind->first_port;
  facts->last_port = kind->first_port + kind->block - (kind->block > 0);
}

/* NAT */

static guint
key (guint a, guint b)
{
  return a << 16 | b;
}

static gboolean
has (GHashTable *table, guint wanted)
{
  return g_hash_table_contains (table, GUINT_TO_POINTER (wanted));
}

static guint
find (GHashTable *table, guint wanted)
{
  return GPOINTER_TO_UINT (
      g_hash_table_lookup (table, GUINT_TO_POINTER (wanted)));
}

static void
put (GHashTable *table, guint at, guint value)
{
  g_hash_table_insert (table, GUINT_TO_POINTER (at),
                       GUINT_TO_POINTER (value));
}

static guint
wrap (gint port)
{
  while (port > 65535)
    port -= 64512;
  while (port < 1024)
    port += 64512;
  return port;
}

static void
let_foreigners_map (World *world, Side *side)
{
  while (side->kind.drift > 0 && side->foreign_at <= world->now)
    {
      side->next_port = wrap (side->next_port + side->kind.step);
      side->foreign_at
          += (gint64) (-log (1 - g_rand_double (world->random))
                       / side->kind.drift * G_TIME_SPAN_SECOND);
    }
}

static guint
draw_port (World *world, Side *side, guint socket)
{
  switch (side->kind.allocation)
    {
    case HP_WIRE_ALLOCATION_SEQUENTIAL:
      let_foreigners_map (world, side);
      side->next_port = wrap (side->next_port + side->kind.step);
      return side->next_port;
    case HP_WIRE_ALLOCATION_BLOCK:
      return side->kind.first_port
             + g_rand_int_range (world->random, 0, side->kind.block);
    case HP_WIRE_ALLOCATION_PRESERVED:
      return find (side->ports, socket);
    case HP_WIRE_ALLOCATION_UNKNOWN:
    case HP_WIRE_ALLOCATION_RANDOM:
      break;
    }
  return g_rand_int_range (world->random, 1024, 65536);
}

static guint
choose_port (World *world, Side *side, guint socket, guint remote)
{
  guint port = draw_port (world, side, socket);

  while (has (side->taken, key (port, remote))
         || (side->kind.allocation != HP_WIRE_ALLOCATION_PRESERVED
             && find (side->owners, port) != 0))
    port = side->kind.allocation == HP_WIRE_ALLOCATION_PRESERVED
               ? (guint) g_rand_int_range (world->random, 1024, 65536)
               : draw_port (world, side, socket);
  return port;
}

/* The external port from which @socket's packet to @remote leaves */
static guint
map_out (World *world, Side *side, guint socket, guint remote)
{
  gboolean by_port
      = side->kind.mapping == HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT;
  guint inside = key (socket, by_port || side->kind.trap ? remote : 0);
  guint port = find (side->mappings, inside);

  if (port == 0)
    {
      port = choose_port (world, side, socket, remote);
      put (side->mappings, inside, port);
      put (side->owners, port, socket + 1);
    }
  put (side->entries, key (socket, remote), 1);
  put (side->passes, key (port, remote), 1);
  return port;
}

/* The socket that a packet from @remote to @port reaches, or -1 */
static gint
map_in (Side *side, guint port, guint remote)
{
  guint owner = find (side->owners, port);

  if (owner != 0
      && (side->kind.filtering
              < HP_WIRE_FILTERING_ADDRESS_AND_PORT_DEPENDENT
          || has (side->passes, key (port, remote))))
    return owner - 1;
  if (side->kind.trap)
    put (side->taken, key (port, remote), 1);
  return -1;
}

/* Network */

static void
transmit (World *world, guint from, guint socket, guint16 remote, guint ttl,
          Kind kind)
{
  Side *side = &world->sides[from];
  Packet *packet;
  guint port;

  side->n_sent++;
  /* It dies before the outer one of two NATs */
  if (ttl > 0 && ttl <= side->kind.n_nats)
    return;
  port = map_out (world, side, socket, remote);
  if (ttl > 0 || g_rand_double (world->random) < world->settings->loss)
    return;

  packet = g_new (Packet, 1);
  packet->at = world->now + DELAY;
  packet->to = !from;
  packet->from = port;
  packet->port = remote;
  packet->kind = kind;
  g_queue_push_tail (&world->packets, packet);
}

static void
receive (World *world, const Packet *packet)
{
  Side *side = &world->sides[packet->to];
  gint socket = map_in (side, packet->port, packet->from);
  HpRoute route = { .remote = world->sides[!packet->to].address };

  if (socket < 0)
    return;
  route.remote.port = packet->from;
  route.socket = socket;
  hp_puncher_add (side->puncher, &route, HP_CANDIDATE_PEER_REFLEXIVE,
                  world->now);
  if (packet->kind == INITIATION)
    transmit (world, packet->to, socket, packet->from, 0, RESPONSE);
  if (packet->kind != RESPONSE || world->is_connected)
    return;
  world->is_connected = TRUE;
  if (socket > 0)
    hp_puncher_keep_socket (side->puncher, socket);
  hp_puncher_remove (side->puncher, &route);
}

static void
open_sockets (World *world, Side *side)
{
  guint wanted = hp_puncher_get_wanted_sockets (side->puncher);
  guint16 port = hp_puncher_get_wanted_port (side->puncher);
  guint limit = world->settings->sockets;
  guint numbers[600];
  guint n = wanted;
  guint i;

  if (wanted == 0)
    return;
  g_assert_cmpuint (wanted, <=, G_N_ELEMENTS (numbers));
  if (limit != 0)
    n = limit == G_MAXUINT ? 0 : MIN (n, limit);
  for (i = 0; i < n; i++)
    {
      numbers[i] = ++side->n_sockets;
      put (side->ports, numbers[i],
           port != 0 ? port : (guint) g_rand_int_range (world->random, 32768,
                                                        61000));
    }
  side->n_open += n;
  hp_puncher_add_sockets (side->puncher, numbers, n, world->now);
}

static gboolean
send_next (World *world, guint which, guint *n_probes)
{
  Side *side = &world->sides[which];
  HpPunch punch;

  open_sockets (world, side);
  if (!hp_puncher_next (side->puncher, world->now, &punch))
    return hp_puncher_get_wanted_sockets (side->puncher) > 0;

  g_assert_true (hp_address_same_host (&punch.route.remote,
                                       &world->sides[!which].address));
  *n_probes += punch.is_probe;
  transmit (world, which, punch.route.socket, punch.route.remote.port,
            punch.ttl, punch.is_probe || which == 1 ? PROBE : INITIATION);
  return TRUE;
}

/* Gives how many probes went at once */
static guint
poll_side (World *world, guint which)
{
  Side *side = &world->sides[which];
  guint n_probes = 0;
  guint number;

  while (send_next (world, which, &n_probes))
    continue;
  while (hp_puncher_next_surplus (side->puncher, &number))
    side->n_open--;
  return n_probes;
}

/* The whole */

static GHashTable *
new_table (void)
{
  return g_hash_table_new (NULL, NULL);
}

static void
side_init (World *world, Side *side, const PairNatKind *kind,
           const char *address)
{
  guint budget = world->settings->budget;

  side->kind = *kind;
  side->kind.n_nats = MAX (kind->n_nats, 1);
  side->kind.step = kind->step != 0 ? kind->step : 1;
  g_assert_true (hp_address_parse (&side->address, address));
  side->address.port = 0;
  hp_nat_budget_init (&side->budget,
                      budget != 0 ? budget : HP_NAT_BUDGET_DEFAULT, BEGIN);
  side->puncher = hp_puncher_new (&side->budget);
  side->mappings = new_table ();
  side->entries = new_table ();
  side->owners = new_table ();
  side->passes = new_table ();
  side->taken = new_table ();
  side->ports = new_table ();
  put (side->ports, 0, MAIN_PORT);
  side->next_port = g_rand_int_range (world->random, 1024, 65536);
}

static void
side_clear (Side *side)
{
  hp_puncher_free (side->puncher);
  g_hash_table_unref (side->mappings);
  g_hash_table_unref (side->entries);
  g_hash_table_unref (side->owners);
  g_hash_table_unref (side->passes);
  g_hash_table_unref (side->taken);
  g_hash_table_unref (side->ports);
}

static void
start_side (World *world, guint which, const HpNatFacts facts[2],
            const guint observed[2])
{
  const PairSettings *settings = world->settings;
  HpPunchPlan plan = {
    .openers = !settings->early_knock,
    .start_at = BEGIN + DELAY + (which == 1 ? settings->skew : 0),
    .is_caller = which == 0,
    .local = facts[which],
    .remote = facts[!which],
    .observed = world->sides[!which].address,
    .may_spray = which == 0 || settings->late == 0,
    .round_trip = 2 * DELAY,
  };

  plan.observed.port = observed[!which];
  if (settings->fresh != 0)
    {
      plan.fresh_local = settings->fresh + which;
      plan.fresh_remote = settings->fresh + !which;
    }
  hp_candidates_add (&plan.candidates, &plan.observed,
                     HP_CANDIDATE_SERVER_REFLEXIVE, NULL);
  if (settings->early_knock)
    plan.start_at = BEGIN + (which == 1 ? DELAY + 10 * MS : 0);
  hp_puncher_start (world->sides[which].puncher, &plan, BEGIN);
}

static void
start (World *world)
{
  HpNatFacts facts[2];
  guint observed[2];
  guint i;

  for (i = 0; i < 2; i++)
    {
      Side *side = &world->sides[i];

      pair_tell_facts (&side->kind, &facts[i]);
      facts[i].age = world->settings->age / MS;
      world->now = BEGIN - world->settings->age;
      side->foreign_at = world->now;
      observed[i] = map_out (world, side, 0, SERVER_PORT);
      facts[i].port = observed[i];
      g_hash_table_remove_all (side->entries);
      /* Toward the server's address, not the other side's */
      if (side->kind.mapping == HP_WIRE_MAPPING_ADDRESS_DEPENDENT)
        g_hash_table_remove_all (side->mappings);
    }
  world->now = BEGIN;
  for (i = 0; i < 2; i++)
    start_side (world, i, facts, observed);
}

static gint64
get_next_time (World *world)
{
  Packet *packet = g_queue_peek_head (&world->packets);
  gint64 next = MIN (hp_puncher_get_deadline (world->sides[0].puncher),
                     hp_puncher_get_deadline (world->sides[1].puncher));

  if (world->settings->late != 0
      && world->now < BEGIN + world->settings->late)
    next = MIN (next, BEGIN + world->settings->late);
  return packet != NULL ? MIN (next, packet->at) : next;
}

static void
deliver (World *world)
{
  Packet *packet;

  while ((packet = g_queue_peek_head (&world->packets)) != NULL
         && packet->at <= world->now)
    {
      g_queue_pop_head (&world->packets);
      receive (world, packet);
      g_free (packet);
    }
  if (world->settings->late != 0
      && world->now >= BEGIN + world->settings->late)
    hp_puncher_allow_spray (world->sides[1].puncher, world->now);
}

static void
finish (World *world, PairResult *result)
{
  const HpPunchAttempt *attempts;
  guint i, n, number;

  attempts = hp_puncher_get_attempts (world->sides[0].puncher, &n);
  result->rung = n > 0 ? attempts[n - 1].rung : HP_N_RUNGS;
  for (i = 0; i < 2; i++)
    {
      Side *side = &world->sides[i];

      hp_puncher_stop (side->puncher);
      while (hp_puncher_next_surplus (side->puncher, &number))
        side->n_open--;
      result->n_open[i] = side->n_open;
      result->n_entries[i] = g_hash_table_size (side->entries);
      result->n_sent[i] = side->n_sent;
      result->reports[i] = hp_puncher_describe (side->puncher);
    }
}

void
pair_run (const PairNatKind *caller, const PairNatKind *callee,
          const PairSettings *settings, PairResult *result)
{
  World world = { .settings = settings };
  gint64 next;
  guint i;

  memset (result, 0, sizeof *result);
  world.random = g_rand_new_with_seed (settings->random);
  side_init (&world, &world.sides[0], caller, "192.0.2.1:1");
  side_init (&world, &world.sides[1], callee, "198.51.100.2:1");
  start (&world);

  for (;;)
    {
      for (i = 0; i < 2; i++)
        {
          guint n_probes = poll_side (&world, i);

          result->most_in_burst = MAX (result->most_in_burst, n_probes);
        }
      next = get_next_time (&world);
      if (world.is_connected || next == G_MAXINT64)
        break;
      g_assert_cmpint (next, >, world.now);
      world.now = next;
      deliver (&world);
    }

  result->is_connected = world.is_connected;
  result->time = world.now - BEGIN;
  finish (&world, result);
  g_queue_clear_full (&world.packets, g_free);
  g_rand_free (world.random);
  side_clear (&world.sides[0]);
  side_clear (&world.sides[1]);
}

void
pair_result_clear (PairResult *self)
{
  g_free (self->reports[0]);
  g_free (self->reports[1]);
}
