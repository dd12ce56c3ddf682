/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "match-cluster.h"

#include "hole-punch/engine/hp-match-message.h"

#include <string.h>

#define STEP MS

static void
letter_free (gpointer data)
{
  Letter *letter = data;

  if (letter != NULL)
    g_free (letter->bytes);
  g_free (letter);
}

static Letter *
letter_new (Cluster *self, guint from, guint to, const guint8 *bytes,
            gsize length)
{
  Letter *letter = g_new0 (Letter, 1);

  letter->at = self->now + self->latency;
  letter->from = from;
  letter->to = to;
  letter->length = length;
  /* As it is, so that the sanitizer sees a step past its end */
  letter->bytes = g_memdup2 (bytes, length);
  return letter;
}

/* The directory */

static char *
get_name (const guint8 *public_key)
{
  return g_base64_encode (public_key, HP_KEY_SIZE);
}

static void
set (GHashTable *table, const char *name, guint place)
{
  g_hash_table_insert (table, g_strdup (name), GUINT_TO_POINTER (place + 1));
}

/* Another place may have it by now. */
static void
unset (GHashTable *table, const char *name, guint place)
{
  if (g_hash_table_lookup (table, name) == GUINT_TO_POINTER (place + 1))
    g_hash_table_remove (table, name);
}

static void
arrive (Cluster *self, const HpServiceEvent *event, guint place)
{
  g_autofree char *name = get_name (event->public_key);
  guint before = GPOINTER_TO_UINT (g_hash_table_lookup (self->keys, name));

  set (self->keys, name, place);
  if (before != 0 && before != place + 1)
    hp_match_service_replace_session (self->worlds[before - 1].service,
                                      event->public_key, self->now);
}

static void
leave (Cluster *self, const HpServiceEvent *event, guint place)
{
  g_autofree char *name = get_name (event->public_key);

  unset (self->keys, name, place);
}

static void
look_up (Cluster *self, World *world, const HpServiceEvent *event)
{
  g_autofree char *name = event->by_key ? get_name (event->callee_key)
                                        : g_strdup (event->id);
  guint found = GPOINTER_TO_UINT (g_hash_table_lookup (
      event->by_key ? self->keys : self->ids, name));
  HpMatchPlace place = { .worker = found - 1 };
  const guint8 *holder = NULL;

  g_assert_true (event->by_key == (event->id[0] == '\0'));
  if (self->tells_holder && found != 0 && !event->by_key)
    holder = g_hash_table_lookup (self->worlds[found - 1].registry, name);
  hp_match_service_answer_lookup (
      world->service, event->handle, self->is_down ? NULL : holder,
      self->is_down || found == 0 ? NULL : &place,
      self->is_down ? HP_REFUSED_TEMPORARY : 0, self->now);
}

static void
carry (Cluster *self, const HpServiceEvent *event, guint from)
{
  Letter *letter = letter_new (self, from, event->place.worker,
                               event->message, event->length);

  g_assert_cmpuint (event->length, <=, HP_MATCH_MESSAGE_MAX_SIZE);
  g_assert_cmpuint (event->place.worker, <, self->n_places);
  g_assert_cmpuint (event->place.worker, !=, from);
  self->sent[MIN (event->message[1], G_N_ELEMENTS (self->sent) - 1)]++;
  letter_free (self->last);
  self->last = letter_new (self, from, letter->to, letter->bytes,
                           letter->length);
  if ((guint) g_rand_int_range (self->worlds[0].chance, 0, 100)
      < self->loss_percent)
    letter_free (letter);
  else
    g_queue_push_tail (&self->letters, letter);
}

static gboolean
on_event (World *world, const HpServiceEvent *event)
{
  Cluster *self = world->on_event_data;
  guint place = world - self->worlds;

  if (event->type == HP_SERVICE_EVENT_LOOKUP)
    look_up (self, world, event);
  else if (event->type == HP_SERVICE_EVENT_FORWARD)
    carry (self, event, place);
  else if (event->type == HP_SERVICE_EVENT_REGISTERED)
    set (self->ids, event->id, place);
  else if (event->type == HP_SERVICE_EVENT_EXPIRED)
    unset (self->ids, event->id, place);
  else if (event->type == HP_SERVICE_EVENT_ARRIVED)
    arrive (self, event, place);
  else if (event->type == HP_SERVICE_EVENT_LEFT)
    leave (self, event, place);
  else
    return FALSE;
  return TRUE;
}

/* Life */

Cluster *
cluster_new (guint n_places, guint32 seed)
{
  Cluster *self = g_new0 (Cluster, 1);

  g_assert_cmpuint (n_places, <=, MAX_PLACES);
  self->n_places = n_places;
  self->latency = 2 * MS;
  self->ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->keys = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < n_places; i++)
    {
      world_set_up (self->worlds + i, seed + i);
      self->worlds[i].on_event = on_event;
      self->worlds[i].on_event_data = self;
    }
  self->now = self->worlds[0].now;
  return self;
}

void
cluster_share_seed (Cluster *self)
{
  for (guint i = 0; i < self->n_places; i++)
    {
      World *world = self->worlds + i;

      memset (world->config.cookie_seed, 7, HP_KEY_SIZE);
      world->config.worker = i;
      if (world->n_clients == 0)
        world_restart_service (world, FALSE);
    }
}

void
cluster_free (Cluster *self)
{
  for (guint i = 0; i < self->n_places; i++)
    world_tear_down (self->worlds + i);
  g_queue_clear_full (&self->letters, letter_free);
  letter_free (self->last);
  g_hash_table_unref (self->ids);
  g_hash_table_unref (self->keys);
  g_free (self);
}

void
cluster_deliver (Cluster *self, guint from, guint to, const guint8 *bytes,
                 gsize length)
{
  HpMatchPlace place = { .worker = from };
  World *world = self->worlds + to;

  hp_match_service_receive_message (world->service, &place, bytes, length,
                                    self->now);
}

static void
deliver_due (Cluster *self)
{
  Letter *letter;

  while ((letter = g_queue_peek_head (&self->letters)) != NULL
         && letter->at <= self->now)
    {
      g_queue_pop_head (&self->letters);
      if (!self->is_dead[letter->to])
        cluster_deliver (self, letter->from, letter->to, letter->bytes,
                         letter->length);
      letter_free (letter);
    }
}

void
cluster_run (Cluster *self, gint64 duration)
{
  gint64 end = self->now + duration;

  for (;;)
    {
      deliver_due (self);
      for (guint i = 0; i < self->n_places; i++)
        {
          g_assert_cmpint (self->worlds[i].now, <=, self->now);
          world_run (self->worlds + i, self->now - self->worlds[i].now);
        }
      if (self->now >= end)
        break;
      self->now += STEP;
    }
}

gboolean
cluster_await (Cluster *self, WorldClient *client, HpMatchEventType type,
               gint64 timeout)
{
  gint64 end = self->now + timeout;

  cluster_run (self, 0);
  while (client_find (client, type) == NULL && self->now < end)
    cluster_run (self, STEP);
  return client_find (client, type) != NULL;
}

WorldClient *
cluster_add_client (Cluster *self, guint place)
{
  WorldClient *client = world_add_client (self->worlds + place);

  client->address.ip[2] += place;
  client->address_ipv6.ip[6] = 1 + place;
  return client;
}

WorldClient *
cluster_add_connected (Cluster *self, guint place)
{
  WorldClient *client = cluster_add_client (self, place);

  world_connect (client->world, client);
  g_assert_true (cluster_await (self, client, HP_MATCH_EVENT_CONNECTED,
                                2 * SECOND));
  /* Its service learns of it, too. */
  cluster_run (self, 100 * MS);
  return client;
}

WorldClient *
cluster_add_registered (Cluster *self, guint place, const char *id,
                        guint flags)
{
  WorldClient *client = cluster_add_client (self, place);

  world_connect (client->world, client);
  hp_match_client_register (client->client, id, flags, self->now);
  g_assert_true (cluster_await (self, client, HP_MATCH_EVENT_REGISTERED,
                                2 * SECOND));
  return client;
}

guint64
cluster_ask (WorldClient *caller, const char *id)
{
  return world_ask (caller->world, caller, id);
}

void
cluster_assert_refused (Cluster *self, WorldClient *caller, guint64 request,
                        HpRefusedCode code)
{
  HpMatchEvent *event;

  g_assert_true (cluster_await (self, caller, HP_MATCH_EVENT_ASK_REFUSED,
                                40 * SECOND));
  event = client_find (caller, HP_MATCH_EVENT_ASK_REFUSED);
  g_assert_cmpuint (event->request, ==, request);
  g_assert_cmpint (event->code, ==, code);
}
