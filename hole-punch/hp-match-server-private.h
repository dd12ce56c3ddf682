/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The inside of HpMatchServer, shared by the class (hp-match-server.c), its
 * properties (hp-match-server-properties.c), its limits
 * (hp-match-server-limits.c), and what serves to get through NATs
 * (hp-match-server-network.c). */

#pragma once

#include "hole-punch/engine/hp-match-service.h"
#include "hole-punch/hp-match-run-private.h"
#include "hole-punch/hp-match-server.h"

typedef enum
{
  HP_MATCH_SERVER_PROP_LISTEN_ADDRESS = 1,
  HP_MATCH_SERVER_PROP_PORT,
  HP_MATCH_SERVER_PROP_IDENTITY,
  HP_MATCH_SERVER_PROP_REGISTRY,
  HP_MATCH_SERVER_PROP_WORKERS,
  HP_MATCH_SERVER_PROP_REGISTRATION_LIFETIME,
  HP_MATCH_SERVER_PROP_MAX_PEERS,
  HP_MATCH_SERVER_PROP_MAX_HANDSHAKES_PER_SECOND,
  HP_MATCH_SERVER_PROP_MAX_ASKS_PER_MINUTE,
  HP_MATCH_SERVER_PROP_MAX_TOTAL_HANDSHAKES_PER_SECOND,
  HP_MATCH_SERVER_PROP_MAX_REGISTRATIONS_PER_NETWORK,
  HP_MATCH_SERVER_PROP_MAX_STUN_PER_SECOND,
  HP_MATCH_SERVER_PROP_SECOND_PORT,
  HP_MATCH_SERVER_PROP_SECOND_ADDRESS,
  HP_MATCH_SERVER_PROP_TURN_SERVERS,
  HP_MATCH_SERVER_PROP_TURN_SECRET,
  HP_MATCH_SERVER_PROP_TURN_LIFETIME,
  HP_MATCH_SERVER_PROP_LOCAL_ADDRESS,
  HP_MATCH_SERVER_PROP_STATISTICS,
} HpMatchServerProperty;

#define HP_MATCH_SERVER_N_PROPERTIES (HP_MATCH_SERVER_PROP_STATISTICS + 1)

#define HP_MAX_REGISTRATION_LIFETIME (24 * 60 * 60)
#define HP_MAX_MAX_PEERS 10000000
#define HP_MAX_RATE 1000000
#define HP_MIN_TURN_LIFETIME 60
#define HP_MAX_TURN_LIFETIME (7 * 24 * 60 * 60)

typedef struct
{
  char *listen_address; /* NULL: any */
  guint port;           /* as it was set; 0: any free one */
  int second_port;      /* as it was set; 0: any free one, -1: none */
  char *second_address; /* NULL: none */
  guint n_workers;      /* as it was set; 0: as many as processors */
  char **turn_servers;  /* never NULL */
  char *turn_secret;
  guint turn_lifetime; /* seconds */
  HpIdentity *identity;
  HpRegistry *registry;
  HpMatchLimits limits;
  HpMatchRun *run;               /* NULL: not running; holds a reference */
  GSocketAddress *local_address; /* NULL: not running */
  HpServerStatisticsValues last_statistics; /* of the last run */
} HpMatchServerPrivate;

HpMatchServerPrivate *hp_match_server_get_private (HpMatchServer *self);
void hp_match_server_notify (HpMatchServer *self,
                             HpMatchServerProperty property);
/* Says so when it may not be changed now. */
gboolean hp_match_server_may_change (HpMatchServer *self,
                                     HpMatchServerProperty property);
/* What is limited: its properties, called by the others */
void hp_match_server_install_limits (GParamSpec **properties);
void hp_match_server_init_limits (HpMatchServerPrivate *priv);
guint *hp_match_server_get_limit (HpMatchServerPrivate *priv,
                                  HpMatchServerProperty property);
/* May change at any time */
void hp_match_server_set_limit (HpMatchServer *self,
                                HpMatchServerProperty property, guint value);
/* What serves to get through NATs: its properties, called by the others */
void hp_match_server_install_network (GParamSpec **properties);
void hp_match_server_init_network (HpMatchServerPrivate *priv);
void hp_match_server_clear_network (HpMatchServerPrivate *priv);
gboolean hp_match_server_check_relays (HpMatchServerPrivate *priv,
                                       GError **error);
/* Called by the class */
void hp_match_server_install_properties (GObjectClass *object_class);
void hp_match_server_init_properties (HpMatchServerPrivate *priv);
