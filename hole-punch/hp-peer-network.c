/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-peer-links-private.h"
#include "hole-punch/hp-peer-mapping-private.h"
#include "hole-punch/hp-peer-match-private.h"
#include "hole-punch/hp-peer-nat-private.h"
#include "hole-punch/io/hp-interfaces.h"
#include "hole-punch/nat/hp-candidate.h"
#include "hole-punch/hp-peer-relay-private.h"

/* The monitor is one for the process and tells of changes in
 * whatever thread made it first: what it tells is carried over to the peer's
 * context, several changes in a row as one. */

typedef struct
{
  GWeakRef peer;
  GMainContext *context;
  int is_pending; /* atomic */
  gulong handler;
} NetworkWatch;

static void
watch_clear (gpointer data)
{
  NetworkWatch *watch = data;

  g_weak_ref_clear (&watch->peer);
  g_main_context_unref (watch->context);
}

static void
watch_unref (gpointer data)
{
  g_atomic_rc_box_release_full (data, watch_clear);
}

static void
watch_closure_notify (gpointer data, GClosure *closure)
{
  watch_unref (data);
}

static gboolean
on_network_told (gpointer user_data)
{
  NetworkWatch *watch = user_data;
  g_autoptr (HpPeer) peer = g_weak_ref_get (&watch->peer);
  HpPeerPrivate *priv;

  g_atomic_int_set (&watch->is_pending, 0);
  if (peer == NULL || !hp_peer_is_active (peer))
    return G_SOURCE_REMOVE;
  priv = hp_peer_get_private (peer);
  if (priv->network_watch != watch)
    return G_SOURCE_REMOVE;

  for (guint i = 0; i < priv->matches->len; i++)
    hp_peer_match_network_changed (priv->matches->pdata[i]);
  hp_peer_nat_network_changed (peer);
  hp_peer_relay_prepare (peer);
  hp_peer_links_network_changed (peer);
  /* Last: what it tells may be answered by closing the peer */
  hp_peer_mapping_network_changed (peer);
  return G_SOURCE_REMOVE;
}

static void
on_network_changed (GNetworkMonitor *monitor, gboolean is_available,
                    gpointer user_data)
{
  NetworkWatch *watch = user_data;
  g_autoptr (GSource) source = NULL;

  if (!g_atomic_int_compare_and_exchange (&watch->is_pending, 0, 1))
    return;
  source = g_idle_source_new ();
  g_source_set_static_name (source, "hp-peer-network");
  g_source_set_callback (source, on_network_told,
                         g_atomic_rc_box_acquire (watch), watch_unref);
  g_source_attach (source, watch->context);
}

void
hp_peer_watch_network (HpPeer *self)
{
  HpPeerPrivate *priv = hp_peer_get_private (self);
  NetworkWatch *watch = g_atomic_rc_box_new0 (NetworkWatch);

  g_weak_ref_init (&watch->peer, self);
  watch->context = g_main_context_ref (priv->context);
  watch->handler = g_signal_connect_data (
      g_network_monitor_get_default (), "network-changed",
      G_CALLBACK (on_network_changed), g_atomic_rc_box_acquire (watch),
      watch_closure_notify, 0);
  priv->network_watch = watch;
}

void
hp_peer_unwatch_network (HpPeer *self)
{
  HpPeerPrivate *priv = hp_peer_get_private (self);
  NetworkWatch *watch = g_steal_pointer (&priv->network_watch);

  g_signal_handler_disconnect (g_network_monitor_get_default (),
                               watch->handler);
  watch_unref (watch);
}

void
hp_peer_list_candidates (HpPeer *self, HpWireCandidates *candidates)
{
  HpEndpoint *endpoint = hp_peer_get_private (self)->endpoint;
  const HpAddress *mapped = hp_peer_mapping_get_candidate (self);
  HpAddress addresses[HP_MAX_HOST_CANDIDATES];
  guint n;

  candidates->n_candidates = 0;
  if (mapped != NULL)
    hp_candidates_add (candidates, mapped, HP_CANDIDATE_MAPPED, NULL);
  n = hp_interfaces_list (addresses, G_N_ELEMENTS (addresses),
                          hp_endpoint_get_address (endpoint)->port,
                          hp_endpoint_has_ipv6 (endpoint));
  for (guint i = 0; i < n; i++)
    hp_candidates_add (candidates, &addresses[i], HP_CANDIDATE_HOST, NULL);
}
