/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A match server, its clients and a registry in memory: an invented clock, an
 * invented network that loses and delays by a seeded chance.
 *
 *    clients ──▸ (loss, latency) ──▸ service ──▸ registry (a hash table)
 *       ▴────────────────────────────────┘
 */

#pragma once

#include "hole-punch/engine/hp-match-client.h"
#include "hole-punch/engine/hp-match-service.h"

#define MS G_TIME_SPAN_MILLISECOND
#define SECOND G_TIME_SPAN_SECOND
#define MAX_CLIENTS 8

typedef enum
{
  REGISTRY_ANSWERS,
  REGISTRY_FAILS,
  REGISTRY_SILENT,
} RegistryMood;

typedef struct
{
  gint64 at; /* when it is answered */
  HpServiceEvent event;
} WorldQuestion;

typedef struct _World World;

typedef struct
{
  HpMatchClient *client;
  HpMatchClientConfig config;
  World *world;
  HpAddress address;      /* as the server sees it; another family's below */
  HpAddress address_ipv6;
  gint64 latency;         /* one way */
  gboolean is_cut_off;
  gboolean is_deaf;       /* sends, but nothing arrives */
  GArray *events;         /* HpMatchEvent */
  guint64 sent, received; /* datagrams */
} WorldClient;

typedef struct
{
  gint64 at;
  guint64 order;
  gboolean to_server;
  HpAddress from;
  HpAddress to;
  gsize length;
  guint8 bytes[1500];
} Flying;

/* Called for all that is sent; gives whether it may go on */
typedef gboolean (*WorldTap) (gpointer user_data, const Flying *datagram);

/* Called for each event; gives whether it is done with */
typedef gboolean (*WorldEventFunc) (World *world, const HpServiceEvent *event);

struct _World
{
  gint64 now;
  GRand *chance;
  HpRandom random;
  guint loss_percent;
  gint64 jitter;
  guint64 order;
  GSequence *flying;
  WorldTap tap;
  gpointer tap_data;
  WorldEventFunc on_event;
  gpointer on_event_data;

  HpMatchServiceConfig config;
  HpMatchService *service;
  HpAddress server;
  HpAddress server_ipv6;
  GArray *events; /* HpServiceEvent */
  GHashTable *registry;
  GHashTable *ephemeral; /* ids in it that are */
  RegistryMood mood;
  gint64 registry_delay;
  GArray *waiting; /* WorldQuestion, if the registry has a delay */
  gboolean denies;
  const HpMatchRelays *relays; /* NULL: refused */
  gboolean service_is_down; /* nothing reaches it */

  WorldClient clients[MAX_CLIENTS];
  guint n_clients;
};

void world_set_up (World *world, guint32 seed);
void world_tear_down (World *world);
HpAddress make_address (const char *text);
/* A client at 198.51.100.(number + 1), 20 ms away */
WorldClient *world_add_client (World *world);
void world_connect (World *world, WorldClient *client);
void world_restart_service (World *world, gboolean with_new_key);
void world_run (World *world, gint64 duration);
/* Gives whether it came within @timeout */
gboolean world_await_event (World *world, WorldClient *client,
                            HpMatchEventType type, gint64 timeout);
gboolean world_await_registered (World *world, WorldClient *client,
                                 gint64 timeout);
/* Someone's datagram to the server, now, without loss */
void world_inject (World *world, const HpAddress *from, const guint8 *bytes,
                   gsize length);

guint client_count (WorldClient *client, HpMatchEventType type);
/* The last one, or NULL */
HpMatchEvent *client_find (WorldClient *client, HpMatchEventType type);
void client_forget (WorldClient *client);
guint world_count (World *world, HpServiceEventType type);
HpServiceEvent *world_find (World *world, HpServiceEventType type);
HpServiceStatistics world_statistics (World *world);

/* Set up as usual; they fail the test when that takes too long. */
WorldClient *world_add_registered (World *world, const char *id, guint flags);
WorldClient *world_add_connected (World *world);
guint64 world_ask (World *world, WorldClient *caller, const char *id);
void world_assert_refused (World *world, WorldClient *caller, guint64 request,
                           HpRefusedCode code);
void assert_key (const guint8 *key, WorldClient *client);
void assert_same_ticket (const HpMatchEvent *a, const HpMatchEvent *b);

/* Of the datagrams to @to; as the world's tap, which lets all pass */
typedef struct
{
  gsize largest;
  gsize smallest;
  HpAddress to;
} WorldSizes;

gboolean world_measure (gpointer sizes, const Flying *flying);
