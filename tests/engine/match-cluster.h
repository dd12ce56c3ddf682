/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Several match services, each with clients of its own, that carry each
 * other's messages by an invented, lossy way, and a directory of who is at
 * which, kept by nothing but the services' tidings.
 *
 *   clients ──▸ service 0 ──▸ (loss, latency) ──▸ service 1 ◂── clients
 *                   └──▸ directory ◂──┘
 */

#pragma once

#include "raw-peer.h"

#define MAX_PLACES 3

typedef struct
{
  gint64 at;
  guint from, to;
  gsize length;
  guint8 *bytes;
} Letter;

typedef struct
{
  gint64 now;
  guint n_places;
  World worlds[MAX_PLACES]; /* a place each */
  gboolean is_dead[MAX_PLACES]; /* no message arrives */
  guint loss_percent;       /* of messages */
  gint64 latency;           /* of them */
  GQueue letters;           /* Letter */
  GHashTable *ids;          /* of all: id → place + 1 */
  GHashTable *keys;         /* public key → place + 1 */
  gboolean tells_holder;    /* LOOKUP is answered with a key as well */
  gboolean is_down;         /* LOOKUP fails */
  guint sent[6];            /* messages, by type */
  Letter *last;             /* a copy of the last that was sent */
} Cluster;

Cluster *cluster_new (guint n_places, guint32 seed);
void cluster_free (Cluster *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Cluster, cluster_free)

/* Their proofs and tickets are as those of one server's workers. Before any
 * client comes to a place. */
void cluster_share_seed (Cluster *self);
void cluster_run (Cluster *self, gint64 duration);
gboolean cluster_await (Cluster *self, WorldClient *client,
                        HpMatchEventType type, gint64 timeout);
/* At 198.51.(100 + place).(number + 1) */
WorldClient *cluster_add_client (Cluster *self, guint place);
WorldClient *cluster_add_connected (Cluster *self, guint place);
WorldClient *cluster_add_registered (Cluster *self, guint place,
                                     const char *id, guint flags);
guint64 cluster_ask (WorldClient *caller, const char *id);
void cluster_assert_refused (Cluster *self, WorldClient *caller,
                             guint64 request, HpRefusedCode code);
/* As if from another place, at once */
void cluster_deliver (Cluster *self, guint from, guint to,
                      const guint8 *bytes, gsize length);
