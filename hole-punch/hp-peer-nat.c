/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-peer-nat-private.h"

#include <string.h>

#include "hole-punch/engine/hp-nat-discovery.h"
#include "hole-punch/hp-nat-info-private.h"
#include "hole-punch/hp-peer-links-private.h"
#include "hole-punch/hp-peer-match-private.h"
#include "hole-punch/hp-punch-error.h"
#include "hole-punch/io/hp-clock.h"

#define STUN_PORT 3478 /* RFC 8489, section 12 */
#define MAX_STUN_SERVERS 3

struct _HpPeerNat
{
  HpPeer *peer; /* not owned */
  HpNatDiscovery *discovery;
  GPtrArray *names;          /* GNetworkAddress, still to be resolved or not */
  GCancellable *resolving;
  HpAddress stun_servers[MAX_STUN_SERVERS]; /* NONE: not resolved */
};

/* Names */

GPtrArray *
hp_stun_servers_parse (const char *text, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_object_unref);
  g_auto (GStrv) parts = g_strsplit (text != NULL ? text : "", ",", -1);

  for (guint i = 0; parts[i] != NULL; i++)
    {
      GSocketConnectable *name;
      GError *cause = NULL;

      g_strstrip (parts[i]);
      if (parts[i][0] == '\0')
        continue;
      name = g_network_address_parse (parts[i], STUN_PORT, &cause);
      if (name == NULL)
        {
          g_set_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_INVALID_TARGET,
                       "“%s” names no STUN server: %s", parts[i],
                       cause->message);
          g_error_free (cause);
          return NULL;
        }
      g_ptr_array_add (names, name);
    }
  if (names->len > MAX_STUN_SERVERS)
    {
      g_set_error (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_INVALID_TARGET,
                   "More than %d STUN servers", MAX_STUN_SERVERS);
      return NULL;
    }
  return g_steal_pointer (&names);
}

typedef struct
{
  HpPeerNat *nat; /* gone if cancelled */
  GCancellable *cancellable;
  guint position;
  guint16 port;
} Lookup;

static void
take_address (Lookup *lookup, GList *found)
{
  HpAddress *server = &lookup->nat->stun_servers[lookup->position];

  /* With IPv4 there is more to be found out. */
  for (GList *l = found; l != NULL; l = l->next)
    {
      g_autoptr (GSocketAddress)
          address = g_inet_socket_address_new (l->data, lookup->port);
      HpAddress next;

      if (hp_address_from_socket_address (&next, address)
          && hp_address_is_usable (&next)
          && (server->family == HP_ADDRESS_NONE
              || next.family == HP_ADDRESS_IPV4))
        *server = next;
      if (server->family == HP_ADDRESS_IPV4)
        break;
    }
}

static void
on_resolved (GObject *resolver, GAsyncResult *result, gpointer user_data)
{
  g_autofree Lookup *lookup = user_data;
  g_autoptr (GCancellable) cancellable = lookup->cancellable;
  GList *found = g_resolver_lookup_by_name_finish (G_RESOLVER (resolver),
                                                   result, NULL);

  if (!g_cancellable_is_cancelled (cancellable))
    {
      take_address (lookup, found);
      hp_peer_nat_update_servers (lookup->nat->peer);
    }
  g_resolver_free_addresses (found);
}

/* Again: what was found before does until it is found anew. */
static void
resolve (HpPeerNat *self)
{
  HpPeerPrivate *priv = hp_peer_get_private (self->peer);
  g_autoptr (GResolver) resolver = g_resolver_get_default ();

  if (self->resolving != NULL)
    g_cancellable_cancel (self->resolving);
  g_clear_object (&self->resolving);
  self->resolving = g_cancellable_new ();
  g_main_context_push_thread_default (priv->context);
  for (guint i = 0; i < self->names->len; i++)
    {
      GNetworkAddress *name = self->names->pdata[i];
      Lookup *lookup = g_new0 (Lookup, 1);

      lookup->nat = self;
      lookup->cancellable = g_object_ref (self->resolving);
      lookup->position = i;
      lookup->port = g_network_address_get_port (name);
      g_resolver_lookup_by_name_async (
          resolver, g_network_address_get_hostname (name), self->resolving,
          on_resolved, lookup);
    }
  g_main_context_pop_thread_default (priv->context);
}

/* Telling */

static void
set_info (HpPeer *peer, HpNatInfo *info)
{
  HpPeerPrivate *priv = hp_peer_get_private (peer);

  if (info == priv->nat_info
      || (info != NULL && priv->nat_info != NULL
          && hp_nat_info_equal (info, priv->nat_info)))
    return;
  g_set_object (&priv->nat_info, info);
  g_object_notify (G_OBJECT (peer), "nat");
}

static void
tell_match (HpPeerMatch *match, const HpNatFacts *facts, gint64 now)
{
  hp_match_client_set_nat (match->client, facts, now);
  hp_endpoint_wake (hp_peer_get_private (match->peer)->endpoint,
                    &match->party);
}

static void
on_changed (gpointer user_data, gint64 now)
{
  HpPeerNat *self = user_data;
  HpPeer *peer = self->peer;
  HpPeerPrivate *priv = hp_peer_get_private (peer);
  g_autoptr (HpNatInfo) info = NULL;
  HpNatFacts facts;
  gboolean is_known
      = hp_nat_discovery_get_facts (self->discovery, &facts, now);

  for (guint i = 0; i < priv->matches->len; i++)
    tell_match (priv->matches->pdata[i], &facts, now);
  hp_peer_links_set_nat (peer, &facts);
  if (is_known)
    info = hp_nat_info_new (&facts,
                            hp_nat_discovery_get_lifetime (self->discovery),
                            hp_nat_discovery_get_mapped (self->discovery));
  /* Last: a handler may close the peer */
  set_info (peer, info);
}

/* Whom to ask */

static gboolean
ask_knock (gpointer user_data, const HpAddress *server, const HpFrame *knock,
           gint64 now)
{
  HpPeerNat *self = user_data;
  HpPeerPrivate *priv = hp_peer_get_private (self->peer);

  for (guint i = 0; i < priv->matches->len; i++)
    {
      HpPeerMatch *match = priv->matches->pdata[i];

      if (!hp_match_client_is_connected (match->client)
          || !hp_address_equal (hp_match_client_get_server (match->client),
                                server)
          || !hp_match_client_ask_knock (match->client, knock))
        continue;
      hp_endpoint_wake (priv->endpoint, &match->party);
      return TRUE;
    }
  return FALSE;
}

void
hp_peer_nat_update_servers (HpPeer *peer)
{
  HpPeerPrivate *priv = hp_peer_get_private (peer);
  HpPeerNat *self = priv->nat;
  HpAddress servers[HP_NAT_MAX_SERVERS];
  gint64 now = hp_clock_now ();
  guint n = 0;
  guint n_known;

  /* Whoever shows nobody its addresses has no use for what NATs do to them */
  if (self == NULL || priv->relay_policy == HP_RELAY_POLICY_RELAY_ONLY)
    return;
  for (guint i = 0; i < priv->matches->len && n < HP_NAT_MAX_SERVERS; i++)
    {
      HpPeerMatch *match = priv->matches->pdata[i];

      if (hp_match_client_is_connected (match->client)
          && hp_match_client_get_socket (match->client) == 0)
        servers[n++] = *hp_match_client_get_server (match->client);
    }
  /* STUN servers are there to be compared with */
  if (n == 0 && priv->matches->len > 0)
    return;
  n_known = n;
  for (guint i = 0; i < MAX_STUN_SERVERS && n < HP_NAT_MAX_SERVERS; i++)
    if (self->stun_servers[i].family != HP_ADDRESS_NONE)
      servers[n++] = self->stun_servers[i];
  hp_nat_discovery_set_servers (self->discovery, servers, n, n_known, now);
}

void
hp_peer_nat_set_stun_servers (HpPeer *peer, GPtrArray *stun_servers)
{
  HpPeerNat *self = hp_peer_get_private (peer)->nat;

  g_ptr_array_unref (self->names);
  self->names = g_ptr_array_ref (stun_servers);
  memset (self->stun_servers, 0, sizeof self->stun_servers);
  resolve (self);
}

void
hp_peer_nat_start (HpPeer *peer, GPtrArray *stun_servers)
{
  HpPeerPrivate *priv = hp_peer_get_private (peer);
  HpPeerNat *self = g_new0 (HpPeerNat, 1);

  self->peer = peer;
  self->names = g_ptr_array_ref (stun_servers);
  self->discovery = hp_nat_discovery_new (priv->endpoint,
                                          hp_peer_links_get_budget (),
                                          &hp_crypto_random, on_changed, self);
  hp_nat_discovery_set_knock (self->discovery, ask_knock);
  priv->nat = self;
  resolve (self);
}

void
hp_peer_nat_stop (HpPeer *peer)
{
  HpPeerNat *self = g_steal_pointer (&hp_peer_get_private (peer)->nat);

  if (self->resolving != NULL)
    g_cancellable_cancel (self->resolving);
  g_clear_object (&self->resolving);
  hp_nat_discovery_free (self->discovery);
  g_ptr_array_unref (self->names);
  g_free (self);
}

void
hp_peer_nat_forget (HpPeer *peer)
{
  set_info (peer, NULL);
}

void
hp_peer_nat_network_changed (HpPeer *peer)
{
  HpPeerNat *self = hp_peer_get_private (peer)->nat;

  resolve (self);
  hp_nat_discovery_restart (self->discovery, hp_clock_now ());
}

void
hp_peer_nat_observed (HpPeer *peer, const HpAddress *observed)
{
  HpPeerNat *self = hp_peer_get_private (peer)->nat;

  if (self != NULL)
    hp_nat_discovery_observed (self->discovery, observed, hp_clock_now ());
}

void
hp_peer_nat_sample (HpPeer *peer)
{
  HpPeerNat *self = hp_peer_get_private (peer)->nat;

  if (self != NULL)
    hp_nat_discovery_sample (self->discovery, hp_clock_now ());
}

void
hp_peer_nat_knocked (HpPeer *peer,
                     const guint8 transaction[HP_STUN_TRANSACTION_SIZE],
                     guint64 flags, gint64 now)
{
  HpPeerNat *self = hp_peer_get_private (peer)->nat;

  if (self != NULL)
    hp_nat_discovery_knocked (self->discovery, transaction, flags, now);
}

gboolean
hp_peer_nat_receive (HpPeer *peer, const HpDatagram *datagram, gint64 now)
{
  HpPeerNat *self = hp_peer_get_private (peer)->nat;

  return self != NULL
         && hp_nat_discovery_receive (self->discovery, datagram, now);
}

gboolean
hp_peer_nat_get_facts (HpPeer *peer, HpNatFacts *facts, gint64 now)
{
  HpPeerNat *self = hp_peer_get_private (peer)->nat;

  memset (facts, 0, sizeof *facts);
  return self != NULL
         && hp_nat_discovery_get_facts (self->discovery, facts, now);
}

gboolean
hp_peer_nat_get_stun_server (HpPeer *peer, guint i, char **name,
                             HpAddress *address)
{
  HpPeerNat *self = hp_peer_get_private (peer)->nat;

  if (self == NULL || i >= self->names->len)
    return FALSE;
  *name = g_socket_connectable_to_string (self->names->pdata[i]);
  *address = self->stun_servers[i];
  return TRUE;
}

gboolean
hp_peer_nat_is_done (HpPeer *peer)
{
  HpPeerNat *self = hp_peer_get_private (peer)->nat;

  return self == NULL || hp_nat_discovery_is_done (self->discovery);
}

/**
 * hp_peer_get_stun_servers:
 * @self: a #HpPeer
 *
 * Gets #HpPeer:stun-servers.
 *
 * Returns: (transfer none) (nullable): one or several STUN servers
 *
 * Since: 1.0
 */
const char *
hp_peer_get_stun_servers (HpPeer *self)
{
  g_return_val_if_fail (HP_IS_PEER (self), NULL);

  return hp_peer_get_private (self)->stun_servers;
}

/**
 * hp_peer_set_stun_servers:
 * @self: a #HpPeer
 * @stun_servers: (nullable): one or several STUN servers, %NULL or the empty
 *   string for none
 *
 * Sets #HpPeer:stun-servers. While the peer is started, a text that names no
 * STUN server is refused with a warning; before, it makes
 * hp_peer_start_async() fail.
 *
 * Since: 1.0
 */
void
hp_peer_set_stun_servers (HpPeer *self, const char *stun_servers)
{
  HpPeerPrivate *priv;
  g_autoptr (GPtrArray) names = NULL;
  g_autoptr (GError) error = NULL;

  g_return_if_fail (HP_IS_PEER (self));

  priv = hp_peer_get_private (self);
  if (stun_servers != NULL && stun_servers[0] == '\0')
    stun_servers = NULL;
  if (g_strcmp0 (priv->stun_servers, stun_servers) == 0)
    return;
  names = hp_stun_servers_parse (stun_servers, &error);
  if (priv->nat != NULL && names == NULL)
    {
      g_warning ("HpPeer:stun-servers: %s", error->message);
      return;
    }

  g_free (priv->stun_servers);
  priv->stun_servers = g_strdup (stun_servers);
  g_object_notify (G_OBJECT (self), "stun-servers");
  if (priv->nat != NULL && names != NULL)
    hp_peer_nat_set_stun_servers (self, names);
}

/**
 * hp_peer_get_nat:
 * @self: a #HpPeer
 *
 * Gets #HpPeer:nat.
 *
 * Returns: (transfer none) (nullable): what is known, or %NULL
 *
 * Since: 1.0
 */
HpNatInfo *
hp_peer_get_nat (HpPeer *self)
{
  g_return_val_if_fail (HP_IS_PEER (self), NULL);

  return hp_peer_get_private (self)->nat_info;
}
