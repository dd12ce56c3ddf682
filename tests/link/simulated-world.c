/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "simulated-world.h"

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
guint64
sim_world_next_random (SimWorld *self)
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
      guint64 value = sim_world_next_random (user_data);
      gsize n = MIN (length, sizeof value);

      memcpy (bytes, &value, n);
      bytes += n;
      length -= n;
    }
}

gdouble
sim_world_chance (SimWorld *self)
{
  return (sim_world_next_random (self) >> 11) / 9007199254740992.0;
}

static void
free_host (gpointer data)
{
  SimHost *host = data;

  g_hash_table_unref (host->sockets);
  g_free (host);
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
  self->nats = g_ptr_array_new_with_free_func (
      (GDestroyNotify) sim_nat_free);
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
  SimNat *nat = sim_nat_new (kind, trap, public_address);

  g_ptr_array_add (self->nats, nat);
  return nat;
}

SimHost *
sim_world_add_host (SimWorld *self, SimNat *nat, const char *inside_address)
{
  SimHost *host = g_new0 (SimHost, 1);

  host->world = self;
  host->sockets = g_hash_table_new (NULL, NULL);
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

guint
sim_host_open_socket (SimHost *self, guint16 port)
{
  guint number = ++self->n_sockets;

  g_hash_table_insert (self->sockets, GUINT_TO_POINTER (number),
                       GUINT_TO_POINTER (port != 0 ? port : 5000 + number));
  return number;
}

void
sim_host_close_socket (SimHost *self, guint number)
{
  g_assert_true (
      g_hash_table_remove (self->sockets, GUINT_TO_POINTER (number)));
}

guint
sim_host_add_relay (SimHost *self, const char *relayed, gint64 delay)
{
  SimRelay *relay = &self->relays[self->n_relays++];

  relay->socket = ++self->n_sockets;
  relay->address = parse (relayed);
  relay->delay = delay;
  return relay->socket;
}

static const SimRelay *
find_relay (const SimHost *self, guint socket)
{
  guint i;

  for (i = 0; i < self->n_relays; i++)
    if (self->relays[i].socket == socket)
      return &self->relays[i];
  return NULL;
}

/* Where a socket's datagrams come from, inside; FALSE: it is closed */
static gboolean
get_inside (const SimHost *self, guint which, guint socket, HpAddress *inside)
{
  gpointer port;

  *inside = self->addresses[which];
  if (socket == 0)
    return TRUE;
  port = g_hash_table_lookup (self->sockets, GUINT_TO_POINTER (socket));
  inside->port = GPOINTER_TO_UINT (port);
  return port != NULL;
}

/* Whether it has @inside, and by which socket */
static gboolean
has_inside (const SimHost *self, guint which, const HpAddress *inside,
            guint *socket)
{
  GHashTableIter iter;
  gpointer number, port;

  *socket = 0;
  if (hp_address_equal (&self->addresses[which], inside))
    return TRUE;
  if (!hp_address_same_host (&self->addresses[which], inside))
    return FALSE;
  g_hash_table_iter_init (&iter, self->sockets);
  while (g_hash_table_iter_next (&iter, &number, &port))
    if (GPOINTER_TO_UINT (port) == inside->port)
      {
        *socket = GPOINTER_TO_UINT (number);
        return TRUE;
      }
  return FALSE;
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
leave (SimHost *self, guint which, const HpAddress *inside,
       const HpAddress *remote)
{
  SimNat *nat = self->nats[which];
  HpAddress source = *inside;

  if (nat->kind == SIM_OPEN)
    return source;
  source.port = sim_nat_translate_out (nat, self->world, inside, remote);
  if (sim_nat_is_translating (nat))
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
  *observed = leave (self, which, &self->addresses[which], server);
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
    packet->bytes[sim_world_next_random (self) % packet->length]
        ^= 1 << (sim_world_next_random (self) % 8);

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
  guint socket;
  guint i, j;

  for (i = 0; i < self->world->hosts->len; i++)
    {
      SimHost *host = self->world->hosts->pdata[i];

      for (j = 0; j < host->n_addresses; j++)
        if (host->nats[j] == nat && sim_nat_is_translating (nat)
            && has_inside (host, j, remote, &socket))
          return host;
    }
  return NULL;
}

/* Across the network, where much may happen to it */
static void
cross (SimWorld *world, const HpAddress *from, const HpOutgoing *outgoing,
       gint64 delay)
{
  if (sim_world_chance (world) < world->quality.loss)
    {
      world->n_dropped++;
      return;
    }
  enqueue (world, NULL, from, outgoing, delay);
  if (sim_world_chance (world) < world->quality.duplication)
    enqueue (world, NULL, from, outgoing, delay);
}

static void
send_inside (SimHost *self, guint which, const HpAddress *inside,
             const HpOutgoing *outgoing)
{
  SimWorld *world = self->world;
  SimNat *nat = self->nats[which];
  const HpAddress *remote = &outgoing->route.remote;
  SimHost *neighbour = find_neighbour (self, nat, remote);
  HpAddress from;

  if (neighbour != NULL)
    {
      enqueue (world, neighbour, inside, outgoing, 0);
      return;
    }
  if (outgoing->ttl == 1)
    return;
  from = leave (self, which, inside, remote);
  /* What it costs is a flow in the own NAT; then it dies on the way */
  if ((outgoing->ttl != 0 && outgoing->ttl <= world->quality.hops)
      || (hp_address_is_private (remote) && sim_nat_is_translating (nat)))
    world->n_dropped++;
  else
    cross (world, &from, outgoing, nat->delay);
}

void
sim_host_send (SimHost *self, const HpOutgoing *outgoing)
{
  SimWorld *world = self->world;
  const HpAddress *remote = &outgoing->route.remote;
  const SimRelay *relay = find_relay (self, outgoing->route.socket);
  int which = find_source (self, remote);
  HpAddress inside;

  if (which < 0)
    return;
  note (world, &self->addresses[which], outgoing);
  if (self->is_cut
      || (world->filter != NULL
          && !world->filter (world->filter_data, self, outgoing)))
    return;
  if (relay != NULL)
    cross (world, &relay->address, outgoing, relay->delay);
  else if (get_inside (self, which, outgoing->route.socket, &inside))
    send_inside (self, which, &inside, outgoing);
  else
    world->n_dropped++;
}

static SimHost *
find_inside (SimWorld *self, SimNat *nat, const HpAddress *inside,
             guint *which, guint *socket)
{
  guint i, j;

  for (i = 0; i < self->hosts->len; i++)
    {
      SimHost *host = self->hosts->pdata[i];

      for (j = 0; j < host->n_addresses; j++)
        if (host->nats[j] == nat && has_inside (host, j, inside, socket))
          {
            *which = j;
            return host;
          }
    }
  return NULL;
}

static SimHost *
find_relayed (SimWorld *self, const HpAddress *address, guint *socket)
{
  guint i, j;

  for (i = 0; i < self->hosts->len; i++)
    {
      SimHost *host = self->hosts->pdata[i];

      for (j = 0; j < host->n_relays; j++)
        if (hp_address_equal (&host->relays[j].address, address))
          {
            *socket = host->relays[j].socket;
            return host;
          }
    }
  return NULL;
}

/* Through the NAT at the far end, or the relay */
static SimHost *
arrive (SimWorld *self, Packet *packet, guint *which, guint *socket)
{
  SimHost *relayed = find_relayed (self, &packet->remote, socket);
  guint i;

  if (relayed != NULL)
    return relayed;

  for (i = 0; i < self->nats->len; i++)
    {
      SimNat *nat = self->nats->pdata[i];
      HpAddress inside = packet->remote;
      SimHost *host;

      if (sim_nat_is_translating (nat)
              ? !hp_address_same_host (&nat->public_address, &packet->remote)
              : find_inside (self, nat, &packet->remote, which, socket)
                    == NULL)
        continue;
      if (nat->kind != SIM_OPEN
          && !sim_nat_translate_in (nat, self, &packet->from, &packet->remote,
                                    &inside))
        return NULL;
      host = find_inside (self, nat, &inside, which, socket);
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
  guint socket = 0;
  guint which = 0;

  if (host == NULL)
    host = arrive (self, packet, &which, &socket);
  else
    has_inside (host, 0, &packet->remote, &socket);
  if (host == NULL || host->is_cut || host->receive == NULL)
    {
      self->n_dropped++;
      if (self->verbose)
        g_test_message ("%9.3f filtered", self->now / 1000.0);
      return;
    }
  self->n_delivered++;
  datagram.route.local = host->addresses[which];
  datagram.route.socket = socket;
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
