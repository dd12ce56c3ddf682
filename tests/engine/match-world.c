/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "match-world.h"

#include <string.h>

static void
fill_random (gpointer user_data, guint8 *bytes, gsize length)
{
  for (gsize i = 0; i < length; i++)
    bytes[i] = g_rand_int_range (user_data, 0, 256);
}

HpAddress
make_address (const char *text)
{
  HpAddress address;

  g_assert_true (hp_address_parse (&address, text));
  return address;
}

static int
compare_flying (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const Flying *left = a;
  const Flying *right = b;

  if (left->at != right->at)
    return left->at < right->at ? -1 : 1;
  return left->order < right->order ? -1 : left->order > right->order;
}

void
world_set_up (World *world, guint32 seed)
{
  memset (world, 0, sizeof *world);
  world->now = 1000 * SECOND;
  world->chance = g_rand_new_with_seed (seed);
  world->random = (HpRandom){ fill_random, world->chance };
  world->flying = g_sequence_new (g_free);
  world->server = make_address ("192.0.2.1:4222");
  world->server_ipv6 = make_address ("[2001:db8::1]:4222");
  world->events = g_array_new (FALSE, FALSE, sizeof (HpServiceEvent));
  world->waiting = g_array_new (FALSE, FALSE, sizeof (WorldQuestion));
  world->registry
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  world->ephemeral
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  world->config = (HpMatchServiceConfig){
    .suites = HP_SUITE_BIT (HP_SUITE_CHACHA_POLY),
    .random = world->random,
    .registration_lifetime = 120 * SECOND,
    .max_peers = 100,
    .max_handshakes_per_second = 50,
    .max_asks_per_minute = 60,
    .max_stun_per_second = 5,
  };
  hp_crypto_generate_key_pair (&world->config.local, &world->random);
  world->service = hp_match_service_new (&world->config, world->now);
}

void
world_tear_down (World *world)
{
  for (guint i = 0; i < world->n_clients; i++)
    {
      hp_match_client_free (world->clients[i].client);
      g_array_unref (world->clients[i].events);
    }
  hp_match_service_free (world->service);
  g_array_unref (world->events);
  g_array_unref (world->waiting);
  g_hash_table_unref (world->registry);
  g_hash_table_unref (world->ephemeral);
  g_sequence_free (world->flying);
  g_rand_free (world->chance);
}

WorldClient *
world_add_client (World *world)
{
  WorldClient *client = world->clients + world->n_clients;
  g_autofree char *ipv4
      = g_strdup_printf ("198.51.100.%u:40000", world->n_clients + 1);
  g_autofree char *ipv6
      = g_strdup_printf ("[2001:db8:%x::9]:40000", world->n_clients + 0x10);

  g_assert_cmpuint (world->n_clients, <, MAX_CLIENTS);
  client->world = world;
  client->address = make_address (ipv4);
  client->address_ipv6 = make_address (ipv6);
  client->latency = 20 * MS;
  client->events = g_array_new (FALSE, FALSE, sizeof (HpMatchEvent));
  client->config = (HpMatchClientConfig){
    .index = 1000 + 2 * world->n_clients,
    .suites = HP_SUITE_BIT (HP_SUITE_CHACHA_POLY),
    .keepalive_interval = 15 * SECOND,
    .random = world->random,
  };
  hp_crypto_generate_key_pair (&client->config.local, &world->random);
  client->client = hp_match_client_new (&client->config);
  world->n_clients++;
  return client;
}

void
world_connect (World *world, WorldClient *client)
{
  hp_match_client_set_addresses (client->client, &world->server, 1,
                                 world->now);
}

void
world_restart_service (World *world, gboolean with_new_key)
{
  hp_match_service_free (world->service);
  if (with_new_key)
    hp_crypto_generate_key_pair (&world->config.local, &world->random);
  g_array_set_size (world->waiting, 0);
  world->service = hp_match_service_new (&world->config, world->now);
}

static void
launch (World *world, gboolean to_server, const HpAddress *from,
        const HpAddress *to, gint64 latency, const HpOutgoing *outgoing)
{
  Flying *flying = g_new0 (Flying, 1);

  g_assert_cmpuint (outgoing->length, <=, sizeof flying->bytes);
  flying->to_server = to_server;
  flying->from = *from;
  flying->to = *to;
  flying->order = ++world->order;
  flying->length = outgoing->length;
  memcpy (flying->bytes, outgoing->bytes, outgoing->length);
  flying->at = world->now + latency;
  if (world->jitter > 0)
    flying->at += g_rand_int_range (world->chance, 0, world->jitter);
  if ((world->tap != NULL && !world->tap (world->tap_data, flying))
      || (guint) g_rand_int_range (world->chance, 0, 100)
             < world->loss_percent)
    g_free (flying);
  else
    g_sequence_insert_sorted (world->flying, flying, compare_flying, NULL);
}

static WorldClient *
find_client (World *world, const HpAddress *address)
{
  for (guint i = 0; i < world->n_clients; i++)
    if (hp_address_equal (&world->clients[i].address, address)
        || hp_address_equal (&world->clients[i].address_ipv6, address))
      return world->clients + i;
  return NULL;
}

/* The registry: claim, lookup, release */

static void
pass_on (World *world, const HpServiceEvent *event, const guint8 *holder,
         HpRefusedCode code)
{
  if (event->type == HP_SERVICE_EVENT_CLAIM)
    hp_match_service_answer_claim (world->service, event->handle, holder, code,
                                   world->now);
  else
    hp_match_service_answer_lookup (world->service, event->handle, holder,
                                    NULL, code, world->now);
}

static void
answer (World *world, const HpServiceEvent *event)
{
  const guint8 *holder = NULL;
  const char *id = event->id;

  if (world->mood == REGISTRY_SILENT)
    return;
  if (world->mood == REGISTRY_FAILS)
    {
      pass_on (world, event, NULL, HP_REFUSED_TEMPORARY);
      return;
    }
  if (event->type == HP_SERVICE_EVENT_CLAIM
      && !g_hash_table_contains (world->registry, id))
    {
      g_hash_table_insert (world->registry, g_strdup (id),
                           g_memdup2 (event->public_key, HP_KEY_SIZE));
      if (event->ephemeral)
        g_hash_table_add (world->ephemeral, g_strdup (id));
    }
  holder = g_hash_table_lookup (world->registry, id);
  pass_on (world, event, holder, 0);
}

static void
ask_registry (World *world, const HpServiceEvent *event)
{
  WorldQuestion question = { world->now + world->registry_delay, *event };

  if (world->registry_delay == 0)
    answer (world, event);
  else
    g_array_append_val (world->waiting, question);
}

static void
release (World *world, const HpServiceEvent *event)
{
  const guint8 *holder = g_hash_table_lookup (world->registry, event->id);

  /* The service releases what is ephemeral, and only what is its own. */
  g_assert_nonnull (holder);
  g_assert_cmpmem (holder, HP_KEY_SIZE, event->public_key, HP_KEY_SIZE);
  g_assert_true (g_hash_table_contains (world->ephemeral, event->id));
  g_hash_table_remove (world->registry, event->id);
  g_hash_table_remove (world->ephemeral, event->id);
}

static void
take_event (World *world, HpServiceEvent *event)
{
  g_array_append_val (world->events, *event);
  if (world->on_event != NULL && world->on_event (world, event))
    return;
  switch (event->type)
    {
    case HP_SERVICE_EVENT_CLAIM:
    case HP_SERVICE_EVENT_LOOKUP:
      ask_registry (world, event);
      break;
    case HP_SERVICE_EVENT_RELEASE:
      release (world, event);
      break;
    case HP_SERVICE_EVENT_AUTHORIZE_REGISTRATION:
    case HP_SERVICE_EVENT_AUTHORIZE_INTRODUCTION:
      hp_match_service_authorize (world->service, event->handle,
                                  !world->denies, world->now);
      break;
    case HP_SERVICE_EVENT_RELAYS:
      hp_match_service_answer_relays (world->service, event->handle,
                                      event->request, world->relays,
                                      world->now);
      break;
    case HP_SERVICE_EVENT_REGISTERED:
    case HP_SERVICE_EVENT_EXPIRED:
    case HP_SERVICE_EVENT_INTRODUCED:
    case HP_SERVICE_EVENT_ARRIVED:
    case HP_SERVICE_EVENT_LEFT:
    case HP_SERVICE_EVENT_FORWARD:
      break;
    }
}

static gint64
get_waiting_deadline (World *world)
{
  if (world->waiting->len == 0)
    return G_MAXINT64;
  return g_array_index (world->waiting, WorldQuestion, 0).at;
}

static void
pump_service (World *world)
{
  guint8 bytes[HP_DATAGRAM_SIZE_DEFAULT + 200];
  HpServiceEvent event;
  HpOutgoing outgoing;

  while (get_waiting_deadline (world) <= world->now)
    {
      event = g_array_index (world->waiting, WorldQuestion, 0).event;
      g_array_remove_index (world->waiting, 0);
      answer (world, &event);
    }
  if (hp_match_service_get_deadline (world->service) <= world->now)
    hp_match_service_expire (world->service, world->now);
  while (hp_match_service_next_event (world->service, &event))
    take_event (world, &event);
  for (;;)
    {
      WorldClient *client;

      outgoing = (HpOutgoing){ .bytes = bytes, .capacity = sizeof bytes };
      if (!hp_match_service_pull (world->service, &outgoing, world->now))
        break;
      client = find_client (world, &outgoing.route.remote);
      launch (world, FALSE, &outgoing.route.local, &outgoing.route.remote,
              client != NULL ? client->latency : MS, &outgoing);
    }
}

static void
pump_client (World *world, WorldClient *client)
{
  guint8 bytes[HP_DATAGRAM_SIZE_DEFAULT];
  HpMatchEvent event;
  HpOutgoing outgoing;

  if (hp_match_client_get_deadline (client->client) <= world->now)
    hp_match_client_expire (client->client, world->now);
  for (;;)
    {
      gboolean is_ipv6;

      outgoing = (HpOutgoing){ .bytes = bytes, .capacity = sizeof bytes };
      if (!hp_match_client_pull (client->client, &outgoing, world->now))
        break;
      is_ipv6 = outgoing.route.remote.family == HP_ADDRESS_IPV6;
      client->sent++;
      if (!client->is_cut_off)
        launch (world, TRUE,
                is_ipv6 ? &client->address_ipv6 : &client->address,
                &outgoing.route.remote, client->latency, &outgoing);
    }
  while (hp_match_client_next_event (client->client, &event))
    g_array_append_val (client->events, event);
}

static void
land (World *world, Flying *flying)
{
  HpDatagram datagram = { .route = { 0, flying->to, flying->from },
                          .bytes = flying->bytes,
                          .length = flying->length };
  WorldClient *client = find_client (world, &flying->to);

  if (flying->to_server)
    {
      if (!world->service_is_down)
        hp_match_service_receive (world->service, &datagram, world->now);
    }
  else if (client != NULL && !client->is_cut_off && !client->is_deaf)
    {
      client->received++;
      hp_match_client_receive (client->client, &datagram, world->now);
    }
}

static gint64
get_next_time (World *world)
{
  gint64 next = MIN (hp_match_service_get_deadline (world->service),
                     get_waiting_deadline (world));
  GSequenceIter *first = g_sequence_get_begin_iter (world->flying);

  for (guint i = 0; i < world->n_clients; i++)
    next = MIN (next,
                hp_match_client_get_deadline (world->clients[i].client));
  if (!g_sequence_iter_is_end (first))
    next = MIN (next, ((Flying *) g_sequence_get (first))->at);
  return MAX (next, world->now);
}

static void
land_due (World *world)
{
  GSequenceIter *first;

  while (!g_sequence_iter_is_end (
             first = g_sequence_get_begin_iter (world->flying))
         && ((Flying *) g_sequence_get (first))->at <= world->now)
    {
      g_autofree Flying *flying
          = g_memdup2 (g_sequence_get (first), sizeof *flying);

      g_sequence_remove (first);
      land (world, flying);
    }
}

/* One instant: all that is due now, until nothing more happens */
static void
step (World *world)
{
  land_due (world);
  pump_service (world);
  for (guint i = 0; i < world->n_clients; i++)
    pump_client (world, world->clients + i);
}

void
world_run (World *world, gint64 duration)
{
  gint64 end = world->now + duration;
  guint same_instant = 0;

  for (;;)
    {
      gint64 next;

      step (world);
      next = get_next_time (world);
      if (next > end)
        break;
      /* A deadline in the past for ever would be a busy loop. */
      same_instant = next == world->now ? same_instant + 1 : 0;
      g_assert_cmpuint (same_instant, <, 1000);
      world->now = next;
    }
  world->now = end;
}

gboolean
world_await_event (World *world, WorldClient *client, HpMatchEventType type,
                   gint64 timeout)
{
  gint64 end = world->now + timeout;

  world_run (world, 0);
  while (client_find (client, type) == NULL && world->now < end)
    world_run (world, 10 * MS);
  return client_find (client, type) != NULL;
}

gboolean
world_await_registered (World *world, WorldClient *client, gint64 timeout)
{
  gint64 end = world->now + timeout;

  while (!hp_match_client_is_registered (client->client) && world->now < end)
    world_run (world, 10 * MS);
  return hp_match_client_is_registered (client->client);
}

void
world_inject (World *world, const HpAddress *from, const guint8 *bytes,
              gsize length)
{
  g_autofree guint8 *copy = g_memdup2 (bytes, length);
  HpDatagram datagram
      = { .route = { 0, world->server, *from },
          .bytes = copy,
          .length = length };

  hp_match_service_receive (world->service, &datagram, world->now);
  world_run (world, 0);
}

guint
client_count (WorldClient *client, HpMatchEventType type)
{
  guint count = 0;

  for (guint i = 0; i < client->events->len; i++)
    count += g_array_index (client->events, HpMatchEvent, i).type == type;
  return count;
}

HpMatchEvent *
client_find (WorldClient *client, HpMatchEventType type)
{
  for (guint i = client->events->len; i > 0; i--)
    {
      HpMatchEvent *event
          = &g_array_index (client->events, HpMatchEvent, i - 1);

      if (event->type == type)
        return event;
    }
  return NULL;
}

void
client_forget (WorldClient *client)
{
  g_array_set_size (client->events, 0);
}

guint
world_count (World *world, HpServiceEventType type)
{
  guint count = 0;

  for (guint i = 0; i < world->events->len; i++)
    count += g_array_index (world->events, HpServiceEvent, i).type == type;
  return count;
}

HpServiceEvent *
world_find (World *world, HpServiceEventType type)
{
  for (guint i = world->events->len; i > 0; i--)
    {
      HpServiceEvent *event
          = &g_array_index (world->events, HpServiceEvent, i - 1);

      if (event->type == type)
        return event;
    }
  return NULL;
}

HpServiceStatistics
world_statistics (World *world)
{
  HpServiceStatistics statistics;

  hp_match_service_get_statistics (world->service, &statistics);
  return statistics;
}

WorldClient *
world_add_registered (World *world, const char *id, guint flags)
{
  WorldClient *client = world_add_client (world);

  world_connect (world, client);
  hp_match_client_register (client->client, id, flags, world->now);
  g_assert_true (world_await_registered (world, client, 2 * SECOND));
  return client;
}

WorldClient *
world_add_connected (World *world)
{
  WorldClient *client = world_add_client (world);

  world_connect (world, client);
  g_assert_true (world_await_event (world, client, HP_MATCH_EVENT_CONNECTED,
                                    2 * SECOND));
  return client;
}

guint64
world_ask (World *world, WorldClient *caller, const char *id)
{
  return hp_match_client_ask (caller->client, id, NULL, world->now);
}

void
world_assert_refused (World *world, WorldClient *caller, guint64 request,
                HpRefusedCode code)
{
  HpMatchEvent *event;

  g_assert_true (world_await_event (world, caller, HP_MATCH_EVENT_ASK_REFUSED,
                                    40 * SECOND));
  event = client_find (caller, HP_MATCH_EVENT_ASK_REFUSED);
  g_assert_cmpuint (event->request, ==, request);
  g_assert_cmpint (event->code, ==, code);
}

void
assert_key (const guint8 *key, WorldClient *client)
{
  g_assert_cmpmem (key, HP_KEY_SIZE, client->config.local.public_key,
                   HP_KEY_SIZE);
}

void
assert_same_ticket (const HpMatchEvent *a, const HpMatchEvent *b)
{
  g_assert_cmpuint (a->introduction.ticket.number, ==,
                    b->introduction.ticket.number);
  g_assert_cmpuint (a->introduction.ticket.secret_length, ==, 32);
  g_assert_cmpmem (a->introduction.ticket.secret, 32,
                   b->introduction.ticket.secret, 32);
}

gboolean
world_measure (gpointer user_data, const Flying *flying)
{
  WorldSizes *sizes = user_data;

  if (!hp_address_equal (&flying->to, &sizes->to))
    return TRUE;
  sizes->largest = MAX (sizes->largest, flying->length);
  sizes->smallest = MIN (sizes->smallest, flying->length);
  return TRUE;
}
