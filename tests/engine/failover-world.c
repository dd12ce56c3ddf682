/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "failover-world.h"

#include <string.h>

typedef struct
{
  gint64 at;
  HpAddress from;
  HpAddress to;
  gsize length;
  guint8 bytes[HP_DATAGRAM_SIZE_DEFAULT + 200];
} TownDatagram;

static void
add_client (Town *town, guint number, gboolean same_prefix)
{
  TownClient *client = town->clients + number;
  HpMatchClientConfig config = {
    .index = 1000 + 2 * number,
    .suites = HP_SUITE_BIT (HP_SUITE_CHACHA_POLY),
    .keepalive_interval = 15 * SECOND,
    .random = town->base.random,
  };

  client->address = make_address ("10.0.0.1:40000");
  if (same_prefix)
    {
      client->address.port += 2 * number;
    }
  else
    {
      client->address.ip[1] = number >> 8;
      client->address.ip[2] = number & 0xff;
    }
  hp_crypto_generate_key_pair (&config.local, &town->base.random);
  client->client = hp_match_client_new (&config);
  client->deadline = G_MAXINT64;
  g_hash_table_insert (town->by_address, &client->address, client);
}

void
town_set_up (Town *town, guint n_clients, gboolean same_prefix,
             guint max_handshakes_per_second)
{
  memset (town, 0, sizeof *town);
  world_set_up (&town->base, g_test_rand_int ());
  town->start = town->now = town->marked_at = town->base.now;
  g_queue_init (&town->flying);
  town->by_address = g_hash_table_new (hp_address_hash, hp_address_equal);
  for (guint i = 0; i < TOWN_SERVERS; i++)
    {
      TownServer *server = town->servers + i;

      server->config = town->base.config;
      server->config.max_peers = n_clients + 10;
      server->config.max_handshakes_per_second = max_handshakes_per_second;
      server->address = make_address ("192.0.2.1:4222");
      server->address.ip[3] += i;
      server->service = hp_match_service_new (&server->config, town->now);
    }
  town->n_clients = n_clients;
  town->clients = g_new0 (TownClient, n_clients);
  for (guint i = 0; i < n_clients; i++)
    add_client (town, i, same_prefix);
}

void
town_tear_down (Town *town)
{
  for (guint i = 0; i < TOWN_SERVERS; i++)
    hp_match_service_free (town->servers[i].service);
  for (guint i = 0; i < town->n_clients; i++)
    hp_match_client_free (town->clients[i].client);
  g_queue_clear_full (&town->flying, g_free);
  g_hash_table_unref (town->by_address);
  g_free (town->clients);
  world_tear_down (&town->base);
}

static guint
get_slot (Town *town)
{
  return MIN ((town->now - town->marked_at) / TOWN_SLOT, TOWN_SLOTS - 1);
}

static void
launch (Town *town, const HpAddress *from, const HpOutgoing *outgoing)
{
  TownDatagram *datagram = g_new (TownDatagram, 1);

  datagram->at = town->now + TOWN_LATENCY;
  datagram->from = *from;
  datagram->to = outgoing->route.remote;
  datagram->length = outgoing->length;
  memcpy (datagram->bytes, outgoing->bytes, outgoing->length);
  g_queue_push_tail (&town->flying, datagram);
}

/* The servers */

static void
pump_server (Town *town, TownServer *server)
{
  guint8 bytes[HP_DATAGRAM_SIZE_DEFAULT + 200];
  HpServiceEvent event;

  while (hp_match_service_next_event (server->service, &event))
    {
      if (event.type == HP_SERVICE_EVENT_CLAIM)
        hp_match_service_answer_claim (server->service, event.handle,
                                       event.public_key, 0, town->now);
      else if (event.type == HP_SERVICE_EVENT_REGISTERED && event.first_time)
        town->registrations[get_slot (town)]++;
    }
  for (;;)
    {
      HpOutgoing outgoing = { .bytes = bytes, .capacity = sizeof bytes };

      if (!hp_match_service_pull (server->service, &outgoing, town->now))
        break;
      if (server->mood != TOWN_DOWN)
        launch (town, &server->address, &outgoing);
    }
}

static void
server_receive (Town *town, TownServer *server, const HpDatagram *datagram)
{
  gboolean is_initiation = datagram->bytes[0] == HP_PACKET_INITIATION;
  HpServiceStatistics before, after;

  server->hellos += datagram->bytes[0] == HP_PACKET_HELLO;
  server->initiations += is_initiation;
  if (server->mood == TOWN_DOWN
      || (server->mood == TOWN_BUSY && is_initiation))
    return;
  hp_match_service_get_statistics (server->service, &before);
  hp_match_service_receive (server->service, datagram, town->now);
  hp_match_service_get_statistics (server->service, &after);
  town->handshakes[get_slot (town)] += after.handshakes - before.handshakes;
  pump_server (town, server);
}

void
town_restart (Town *town, guint server)
{
  TownServer *restarted = town->servers + server;

  hp_match_service_free (restarted->service);
  restarted->service = hp_match_service_new (&restarted->config, town->now);
  restarted->mood = TOWN_UP;
}

void
town_drain (Town *town, guint server)
{
  hp_match_service_close (town->servers[server].service, town->now);
  pump_server (town, town->servers + server);
  town->servers[server].mood = TOWN_DOWN;
}

/* The clients */

static void
pump_client (Town *town, TownClient *client)
{
  guint8 bytes[HP_DATAGRAM_SIZE_DEFAULT];
  HpMatchEvent event;

  if (hp_match_client_get_deadline (client->client) <= town->now)
    hp_match_client_expire (client->client, town->now);
  for (;;)
    {
      HpOutgoing outgoing = { .bytes = bytes, .capacity = sizeof bytes };
      HpAddress from = client->address;

      if (!hp_match_client_pull (client->client, &outgoing, town->now))
        break;
      from.port += outgoing.route.socket;
      launch (town, &from, &outgoing);
    }
  while (hp_match_client_next_event (client->client, &event))
    {
      client->n_lost += event.type == HP_MATCH_EVENT_LOST;
      if (event.type == HP_MATCH_EVENT_ANSWER)
        client->answered_at = town->now;
    }
  client->deadline = hp_match_client_get_deadline (client->client);
}

/* Socket 1 is its relay, with the next port */
static void
client_receive (Town *town, HpDatagram *datagram)
{
  HpAddress address = datagram->route.local;
  TownClient *client;

  client = g_hash_table_lookup (town->by_address, &address);
  if (client == NULL)
    {
      address.port--;
      datagram->route.socket = 1;
      client = g_hash_table_lookup (town->by_address, &address);
    }
  g_assert_nonnull (client);
  hp_match_client_receive (client->client, datagram, town->now);
  pump_client (town, client);
}

static void
land (Town *town, TownDatagram *flying)
{
  HpDatagram datagram = { .route = { 0, flying->to, flying->from },
                          .bytes = flying->bytes,
                          .length = flying->length };

  for (guint i = 0; i < TOWN_SERVERS; i++)
    if (hp_address_equal (&town->servers[i].address, &flying->to))
      {
        server_receive (town, town->servers + i, &datagram);
        return;
      }
  client_receive (town, &datagram);
}

/* One millisecond */
static void
step (Town *town)
{
  TownDatagram *first;

  while ((first = g_queue_peek_head (&town->flying)) != NULL
         && first->at <= town->now)
    {
      g_autofree TownDatagram *landing = g_queue_pop_head (&town->flying);

      land (town, landing);
    }
  for (guint i = 0; i < town->n_clients; i++)
    if (town->clients[i].deadline <= town->now)
      pump_client (town, town->clients + i);
  for (guint i = 0; i < TOWN_SERVERS; i++)
    if (hp_match_service_get_deadline (town->servers[i].service) <= town->now)
      {
        hp_match_service_expire (town->servers[i].service, town->now);
        pump_server (town, town->servers + i);
      }
}

void
town_run (Town *town, gint64 duration)
{
  gint64 end = town->now + duration;

  /* Something may have been wanted of them meanwhile. */
  for (guint i = 0; i < town->n_clients; i++)
    town->clients[i].deadline = 0;
  for (; town->now < end; town->now += MS)
    step (town);
}

void
town_connect (Town *town, const guint *servers, guint n_servers)
{
  HpAddress addresses[TOWN_SERVERS];

  for (guint i = 0; i < n_servers; i++)
    addresses[i] = town->servers[servers[i]].address;
  for (guint i = 0; i < town->n_clients; i++)
    {
      g_autofree char *id = g_strdup_printf ("c%u", i);

      hp_match_client_register (town->clients[i].client, id, HP_REGISTER_OPEN,
                                town->now);
      hp_match_client_set_addresses (town->clients[i].client, addresses,
                                     n_servers, town->now);
    }
}

guint
town_count_registered (Town *town)
{
  guint count = 0;

  for (guint i = 0; i < town->n_clients; i++)
    count += hp_match_client_is_registered (town->clients[i].client);
  return count;
}

gboolean
town_is_at (Town *town, guint client, guint server)
{
  HpMatchClient *its = town->clients[client].client;

  return hp_match_client_is_connected (its)
         && hp_address_equal (hp_match_client_get_server (its),
                              &town->servers[server].address);
}

guint
town_count_at (Town *town, guint server)
{
  guint count = 0;

  for (guint i = 0; i < town->n_clients; i++)
    count += town_is_at (town, i, server);
  return count;
}

gint64
town_await_registered (Town *town, gint64 timeout)
{
  gint64 began = town->now;

  while (town_count_registered (town) < town->n_clients)
    {
      g_assert_cmpint (town->now - began, <, timeout);
      town_run (town, 10 * MS);
    }
  return town->now - began;
}

void
town_mark (Town *town)
{
  memset (town->handshakes, 0, sizeof town->handshakes);
  memset (town->registrations, 0, sizeof town->registrations);
  town->marked_at = town->now;
}

guint
town_peak (const guint *slots)
{
  guint peak = 0;

  for (guint i = 0; i < TOWN_SLOTS; i++)
    peak = MAX (peak, slots[i]);
  return peak;
}
