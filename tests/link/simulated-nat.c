/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "simulated-nat.h"

#include <string.h>

#define LAN_DELAY 1000

typedef struct
{
  gint64 at;
  SimHost *to;    /* within a LAN; NULL: across the network */
  HpAddress from; /* as the network sees it */
  HpAddress remote;
  guint8 ecn;
  gsize length;
  guint8 bytes[];
} Packet;

/* splitmix64 */
static guint64
next_random (SimWorld *self)
{
  guint64 z = self->random_state += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

  z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static void
fill_random (gpointer user_data, guint8 *bytes, gsize length)
{
  while (length > 0)
    {
      guint64 value = next_random (user_data);
      gsize n = MIN (length, sizeof value);

      memcpy (bytes, &value, n);
      bytes += n;
      length -= n;
    }
}

gdouble
sim_world_chance (SimWorld *self)
{
  return (next_random (self) >> 11) / 9007199254740992.0;
}

static void
free_host (gpointer host)
{
  g_free (host);
}

static void
free_nat (gpointer data)
{
  SimNat *nat = data;

  g_array_unref (nat->flows);
  g_array_unref (nat->taken);
  g_hash_table_unref (nat->ports);
  g_free (nat);
}

SimWorld *
sim_world_new (guint64 seed)
{
  SimWorld *self = g_new0 (SimWorld, 1);

  self->now = G_TIME_SPAN_SECOND;
  self->random_state = seed;
  self->random.fill = fill_random;
  self->random.user_data = self;
  self->quality.delay = 25 * G_TIME_SPAN_MILLISECOND;
  self->quality.hops = 8;
  self->verbose = g_getenv ("SIMULATED_VERBOSE") != NULL;
  self->hosts = g_ptr_array_new_with_free_func (free_host);
  self->nats = g_ptr_array_new_with_free_func (free_nat);
  g_queue_init (&self->queue);
  return self;
}

void
sim_world_free (SimWorld *self)
{
  g_queue_clear_full (&self->queue, g_free);
  g_ptr_array_unref (self->hosts);
  g_ptr_array_unref (self->nats);
  g_free (self);
}

static HpAddress
parse (const char *text)
{
  HpAddress address;

  g_assert_true (hp_address_parse (&address, text));
  return address;
}

SimNat *
sim_world_add_nat (SimWorld *self, SimNatKind kind, gboolean trap,
                   const char *public_address)
{
  SimNat *nat = g_new0 (SimNat, 1);

  nat->kind = kind;
  nat->trap = trap;
  if (public_address != NULL)
    nat->public_address = parse (public_address);
  nat->flows = g_array_new (FALSE, FALSE, sizeof (SimFlow));
  nat->taken = g_array_new (FALSE, FALSE, sizeof (SimFlow));
  nat->ports = g_hash_table_new (NULL, NULL);
  g_ptr_array_add (self->nats, nat);
  return nat;
}

SimHost *
sim_world_add_host (SimWorld *self, SimNat *nat, const char *inside_address)
{
  SimHost *host = g_new0 (SimHost, 1);

  host->world = self;
  g_ptr_array_add (self->hosts, host);
  sim_host_add_address (host, nat, inside_address);
  return host;
}

void
sim_host_add_address (SimHost *self, SimNat *nat, const char *inside_address)
{
  self->addresses[self->n_addresses] = parse (inside_address);
  self->nats[self->n_addresses++] = nat;
}

void
sim_host_move (SimHost *self, SimNat *nat, const char *inside_address)
{
  self->n_addresses = 0;
  sim_host_add_address (self, nat, inside_address);
}

/* NAT */

static gboolean
is_translating (const SimNat *self)
{
  return self->kind != SIM_OPEN && self->kind != SIM_FIREWALL;
}

static gboolean
is_taken (const SimNat *self, const HpAddress *remote, guint16 port)
{
  guint i;

  for (i = 0; i < self->taken->len; i++)
    {
      const SimFlow *flow = &g_array_index (self->taken, SimFlow, i);

      if (flow->port == port && hp_address_equal (&flow->remote, remote))
        return TRUE;
    }
  return FALSE;
}

static guint16
choose_port (SimNat *self, SimWorld *world, const HpAddress *inside,
             const HpAddress *remote)
{
  gpointer changed = g_hash_table_lookup (self->ports,
                                          GUINT_TO_POINTER (inside->port));
  guint16 port = changed != NULL ? GPOINTER_TO_UINT (changed) : inside->port;

  if (self->kind == SIM_SYMMETRIC
      || (self->trap && is_taken (self, remote, port)))
    port = 20000 + next_random (world) % 40000;
  return port;
}

static guint16
translate_out (SimNat *self, SimWorld *world, const HpAddress *inside,
               const HpAddress *remote)
{
  SimFlow flow = { .inside = *inside, .remote = *remote };
  guint i;

  for (i = 0; i < self->flows->len; i++)
    {
      const SimFlow *known = &g_array_index (self->flows, SimFlow, i);

      if (hp_address_equal (&known->inside, inside)
          && hp_address_equal (&known->remote, remote))
        return known->port;
    }
  flow.port = choose_port (self, world, inside, remote);
  g_array_append_val (self->flows, flow);
  return flow.port;
}

static gboolean
lets_in (const SimNat *self, const SimFlow *flow, const HpAddress *from)
{
  switch (self->kind)
    {
    case SIM_OPEN:
    case SIM_FULL_CONE:
      return TRUE;
    case SIM_ADDRESS_RESTRICTED:
      return hp_address_same_host (&flow->remote, from);
    case SIM_FIREWALL:
    case SIM_PORT_RESTRICTED:
    case SIM_SYMMETRIC:
      return hp_address_equal (&flow->remote, from);
    case SIM_N_KINDS:
      break;
    }
  g_assert_not_reached ();
}

/* The inside that a packet from @from to @port is for */
static gboolean
translate_in (SimNat *self, const HpAddress *from, const HpAddress *to,
              HpAddress *inside)
{
  SimFlow knock = { .remote = *from, .port = to->port };
  guint i;

  for (i = 0; i < self->flows->len; i++)
    {
      const SimFlow *flow = &g_array_index (self->flows, SimFlow, i);

      if (flow->port == to->port && lets_in (self, flow, from)
          && (is_translating (self) || hp_address_equal (&flow->inside, to)))
        {
          *inside = flow->inside;
          return TRUE;
        }
    }
  if (self->trap && !is_taken (self, from, to->port))
    g_array_append_val (self->taken, knock);
  return FALSE;
}

void
sim_nat_flush (SimNat *self, SimWorld *world, gboolean new_ports)
{
  guint i;

  if (new_ports && is_translating (self))
    for (i = 0; i < self->flows->len; i++)
      {
        guint port = g_array_index (self->flows, SimFlow, i).inside.port;

        g_hash_table_insert (
            self->ports, GUINT_TO_POINTER (port),
            GUINT_TO_POINTER (20000 + next_random (world) % 40000));
      }
  g_array_set_size (self->flows, 0);
  g_array_set_size (self->taken, 0);
}

/* Hosts */

static int
find_source (const SimHost *self, const HpAddress *remote)
{
  guint i;

  for (i = 0; i < self->n_addresses; i++)
    if (self->addresses[i].family == remote->family)
      return i;
  return -1;
}

static HpAddress
leave (SimHost *self, guint which, const HpAddress *remote)
{
  SimNat *nat = self->nats[which];
  HpAddress source = self->addresses[which];

  if (nat->kind == SIM_OPEN)
    return source;
  source.port = translate_out (nat, self->world, &self->addresses[which],
                               remote);
  if (is_translating (nat))
    {
      guint16 port = source.port;

      source = nat->public_address;
      source.port = port;
    }
  return source;
}

gboolean
sim_host_observe (SimHost *self, const HpAddress *server, HpAddress *observed)
{
  int which = find_source (self, server);

  if (which < 0)
    return FALSE;
  *observed = leave (self, which, server);
  return TRUE;
}

static void
note (SimWorld *self, const HpAddress *from, const HpOutgoing *outgoing)
{
  gsize i;

  self->n_sent++;
  self->trace ^= self->now ^ ((guint64) outgoing->ttl << 40);
  self->trace *= G_GUINT64_CONSTANT (0x100000001b3);
  for (i = 0; i < outgoing->length; i++)
    self->trace = (self->trace ^ outgoing->bytes[i])
                  * G_GUINT64_CONSTANT (0x100000001b3);

  if (self->verbose)
    {
      g_autofree char *source = hp_address_to_string (from);
      g_autofree char *to = hp_address_to_string (&outgoing->route.remote);

      g_test_message ("%9.3f %s > %s %02x %" G_GSIZE_FORMAT "%s",
                      self->now / 1000.0, source, to, outgoing->bytes[0],
                      outgoing->length, outgoing->ttl != 0 ? " opener" : "");
    }
}

static int
compare_packets (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const Packet *left = a;
  const Packet *right = b;

  return left->at < right->at ? -1 : left->at > right->at;
}

static void
enqueue (SimWorld *self, SimHost *to, const HpAddress *from,
         const HpOutgoing *outgoing, gint64 delay)
{
  const SimQuality *quality = &self->quality;
  Packet *packet = g_malloc (sizeof (Packet) + outgoing->length);
  GList *after = self->queue.tail;

  packet->at = self->now + LAN_DELAY;
  if (to == NULL)
    packet->at = self->now + quality->delay + delay
                 + (gint64) (sim_world_chance (self) * quality->jitter);
  packet->to = to;
  packet->from = *from;
  packet->remote = outgoing->route.remote;
  packet->ecn = outgoing->ecn;
  packet->length = outgoing->length;
  memcpy (packet->bytes, outgoing->bytes, outgoing->length);
  if (sim_world_chance (self) < quality->corruption)
    packet->bytes[next_random (self) % packet->length]
        ^= 1 << (next_random (self) % 8);

  while (after != NULL && compare_packets (after->data, packet, NULL) > 0)
    after = after->prev;
  if (after != NULL)
    g_queue_insert_after (&self->queue, after, packet);
  else
    g_queue_push_head (&self->queue, packet);
}

/* A host of the same LAN that has this inside address */
static SimHost *
find_neighbour (SimHost *self, SimNat *nat, const HpAddress *remote)
{
  guint i, j;

  for (i = 0; i < self->world->hosts->len; i++)
    {
      SimHost *host = self->world->hosts->pdata[i];

      for (j = 0; j < host->n_addresses; j++)
        if (host->nats[j] == nat && is_translating (nat)
            && hp_address_equal (&host->addresses[j], remote))
          return host;
    }
  return NULL;
}

void
sim_host_send (SimHost *self, const HpOutgoing *outgoing)
{
  SimWorld *world = self->world;
  const HpAddress *remote = &outgoing->route.remote;
  int which = find_source (self, remote);
  SimHost *neighbour;
  HpAddress from;

  if (which < 0)
    return;
  note (world, &self->addresses[which], outgoing);
  if (self->is_cut
      || (world->filter != NULL
          && !world->filter (world->filter_data, self, outgoing)))
    return;

  neighbour = find_neighbour (self, self->nats[which], remote);
  if (neighbour != NULL)
    {
      enqueue (world, neighbour, &self->addresses[which], outgoing, 0);
      return;
    }
  if (outgoing->ttl == 1)
    return;
  from = leave (self, which, remote);
  /* What it costs is a flow in the own NAT; then it dies on the way */
  if ((outgoing->ttl != 0 && outgoing->ttl <= world->quality.hops)
      || (hp_address_is_private (remote) && is_translating (self->nats[which]))
      || sim_world_chance (world) < world->quality.loss)
    {
      world->n_dropped++;
      return;
    }
  enqueue (world, NULL, &from, outgoing, self->nats[which]->delay);
  if (sim_world_chance (world) < world->quality.duplication)
    enqueue (world, NULL, &from, outgoing, self->nats[which]->delay);
}

static SimHost *
find_inside (SimWorld *self, SimNat *nat, const HpAddress *inside, guint *which)
{
  guint i, j;

  for (i = 0; i < self->hosts->len; i++)
    {
      SimHost *host = self->hosts->pdata[i];

      for (j = 0; j < host->n_addresses; j++)
        if (host->nats[j] == nat
            && hp_address_equal (&host->addresses[j], inside))
          {
            *which = j;
            return host;
          }
    }
  return NULL;
}

/* Through the NAT at the far end */
static SimHost *
arrive (SimWorld *self, Packet *packet, guint *which)
{
  guint i;

  for (i = 0; i < self->nats->len; i++)
    {
      SimNat *nat = self->nats->pdata[i];
      HpAddress inside = packet->remote;
      SimHost *host;

      if (is_translating (nat)
              ? !hp_address_same_host (&nat->public_address, &packet->remote)
              : find_inside (self, nat, &packet->remote, which) == NULL)
        continue;
      if (nat->kind != SIM_OPEN
          && !translate_in (nat, &packet->from, &packet->remote, &inside))
        return NULL;
      host = find_inside (self, nat, &inside, which);
      return host;
    }
  return NULL;
}

static void
hand_over (SimWorld *self, Packet *packet)
{
  HpDatagram datagram = { .bytes = packet->bytes,
                          .length = packet->length,
                          .ecn = packet->ecn };
  SimHost *host = packet->to;
  guint which = 0;

  if (host == NULL)
    host = arrive (self, packet, &which);
  if (host == NULL || host->is_cut || host->receive == NULL)
    {
      self->n_dropped++;
      if (self->verbose)
        g_test_message ("%9.3f filtered", self->now / 1000.0);
      return;
    }
  self->n_delivered++;
  datagram.route.local = host->addresses[which];
  datagram.route.remote = packet->from;
  host->receive (host->user_data, &datagram);
}

gint64
sim_world_get_next (const SimWorld *self)
{
  const Packet *first = g_queue_peek_head ((GQueue *) &self->queue);

  return first != NULL ? first->at : G_MAXINT64;
}

void
sim_world_deliver (SimWorld *self)
{
  while (sim_world_get_next (self) <= self->now)
    {
      Packet *packet = g_queue_pop_head (&self->queue);

      hand_over (self, packet);
      g_free (packet);
    }
}
