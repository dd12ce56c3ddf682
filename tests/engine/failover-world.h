/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Several match servers behind one name, and very many clients: an invented
 * clock, everybody 20 ms from everybody, nothing lost but by servers that are
 * down. What the servers and clients do is counted by the 100 ms.
 */

#pragma once

#include "match-world.h"

#define TOWN_SERVERS 3
#define TOWN_LATENCY (20 * MS)
#define TOWN_SLOT (100 * MS)
#define TOWN_SLOTS 6000

typedef enum
{
  TOWN_UP,
  TOWN_DOWN, /* hears nothing */
  TOWN_BUSY, /* hears HELLO and DATA, but makes no handshake */
} TownMood;

typedef struct
{
  HpMatchService *service;
  HpMatchServiceConfig config;
  HpAddress address;
  TownMood mood;
  guint64 hellos; /* that came, whatever became of them */
  guint64 initiations;
} TownServer;

typedef struct
{
  HpMatchClient *client;
  HpAddress address; /* its relay has the next port */
  gint64 deadline;
  guint n_lost;
  gint64 answered_at; /* of the last ASK; 0: not */
} TownClient;

typedef struct
{
  World base; /* its chance and its configuration only */
  gint64 start;
  gint64 now;
  GQueue flying;
  TownServer servers[TOWN_SERVERS];
  guint n_clients;
  TownClient *clients;
  GHashTable *by_address;
  guint handshakes[TOWN_SLOTS]; /* of all servers, since the last mark */
  guint registrations[TOWN_SLOTS];
  gint64 marked_at;
} Town;

/* @same_prefix: all clients come from one /24 */
void town_set_up (Town *town, guint n_clients, gboolean same_prefix,
                  guint max_handshakes_per_second);
void town_tear_down (Town *town);
/* All clients are told the servers, and register "c0", "c1", … */
void town_connect (Town *town, const guint *servers, guint n_servers);
void town_run (Town *town, gint64 duration);
/* Gives how long it took until all are registered; fails after @timeout */
gint64 town_await_registered (Town *town, gint64 timeout);
guint town_count_registered (Town *town);
/* Those whose session is with that server */
guint town_count_at (Town *town, guint server);
gboolean town_is_at (Town *town, guint client, guint server);
/* From now on, by the 100 ms */
void town_mark (Town *town);
guint town_peak (const guint *slots);
/* With all it had forgotten; it is up */
void town_restart (Town *town, guint server);
/* Says CLOSE to all, and is down */
void town_drain (Town *town, guint server);
