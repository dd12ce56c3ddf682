/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-peer-links-private.h"

#include <string.h>

#include "hole-punch/hp-identity-private.h"
#include "hole-punch/hp-peer-call-private.h"
#include "hole-punch/hp-peer-relay-private.h"
#include "hole-punch/hp-peer-nat-private.h"
#include "hole-punch/hp-peer-visitors-private.h"
#include "hole-punch/hp-punch-error.h"
#include "hole-punch/io/hp-clock.h"

/* Milliseconds that a closed link goes on answering with CLOSE */
#define LINGER_TIME 3000

/* The budget */

typedef struct
{
  HpNatBudget all;
  HpNatBudget strangers; /* a share, so that they do not use up all */
} Budgets;

static Budgets *
get_budgets (void)
{
  static Budgets budgets;
  static gsize is_ready = 0;

  if (g_once_init_enter (&is_ready))
    {
      gint64 now = hp_clock_now ();

      hp_nat_budget_init (&budgets.all, HP_NAT_BUDGET_DEFAULT, now);
      hp_nat_budget_init_share (&budgets.strangers, &budgets.all, now);
      g_once_init_leave (&is_ready, 1);
    }
  return &budgets;
}

HpNatBudget *
hp_peer_links_get_budget (void)
{
  return &get_budgets ()->all;
}

guint
hp_peer_links_get_max_nat_entries (void)
{
  return hp_nat_budget_get_maximum (hp_peer_links_get_budget ());
}

void
hp_peer_links_set_max_nat_entries (guint max_nat_entries)
{
  hp_nat_budget_set_maximum (hp_peer_links_get_budget (), max_nat_entries,
                             hp_clock_now ());
}

/* Finding */

static const guint8 *
get_key (const HpPeerLink *link)
{
  HpLink *state = hp_connection_get_link (link->connection);

  return state != NULL ? hp_link_get_remote_public (state) : NULL;
}

static gboolean
is_closing (const HpPeerLink *link)
{
  return hp_connection_get_close_error (link->connection) != NULL;
}

static HpPeerLink *
find_key (HpPeer *peer, const guint8 *key, gboolean is_open)
{
  GPtrArray *links = hp_peer_get_private (peer)->links;

  for (guint i = 0; i < links->len; i++)
    {
      HpPeerLink *link = links->pdata[i];
      const guint8 *its = get_key (link);

      if (link->is_open == is_open && !is_closing (link) && its != NULL
          && memcmp (its, key, HP_KEY_SIZE) == 0)
        return link;
    }
  return NULL;
}

HpPeerLink *
hp_peer_links_find_open (HpPeer *peer, const guint8 *key)
{
  return find_key (peer, key, TRUE);
}

HpPeerLink *
hp_peer_links_find_pending (HpPeer *peer, const guint8 *key)
{
  return find_key (peer, key, FALSE);
}

HpPeerLink *
hp_peer_links_find_open_id (HpPeer *peer, const char *id)
{
  GPtrArray *links = hp_peer_get_private (peer)->links;

  for (guint i = 0; i < links->len; i++)
    {
      HpPeerLink *link = links->pdata[i];

      if (link->is_open && !is_closing (link)
          && g_strcmp0 (hp_connection_get_remote_id (link->connection), id)
                 == 0)
        return link;
    }
  return NULL;
}

/* Of two, the newer one: the endpoint gives it what comes with the ticket, and
 * a repeated introduction must not turn that round */
HpPeerLink *
hp_peer_links_find_ticket (HpPeer *peer, guint64 number)
{
  GPtrArray *links = hp_peer_get_private (peer)->links;

  for (guint i = links->len; i-- > 0;)
    {
      HpPeerLink *link = links->pdata[i];

      if (!is_closing (link)
          && hp_link_has_ticket (hp_connection_get_link (link->connection),
                                 number))
        return link;
    }
  return NULL;
}

HpPeerLink *
hp_peer_links_find_direct (HpPeer *peer, const HpAddress *from,
                           guint32 remote_index)
{
  GPtrArray *links = hp_peer_get_private (peer)->links;

  for (guint i = 0; i < links->len; i++)
    {
      HpPeerLink *link = links->pdata[i];

      if (link->is_direct && !is_closing (link)
          && link->remote_index == remote_index
          && hp_address_equal (&link->from, from))
        return link;
    }
  return NULL;
}

HpPeerLink *
hp_peer_links_find (HpPeer *peer, HpConnection *connection)
{
  GPtrArray *links = hp_peer_get_private (peer)->links;

  for (guint i = 0; i < links->len; i++)
    {
      HpPeerLink *link = links->pdata[i];

      if (link->connection == connection)
        return link;
    }
  return NULL;
}

/* What one customer usually has: /24 of IPv4, /48 of IPv6 */
gboolean
hp_peer_links_same_prefix (const HpAddress *a, const HpAddress *b)
{
  return a->family == b->family
         && memcmp (a->ip, b->ip, a->family == HP_ADDRESS_IPV4 ? 3 : 6) == 0;
}

void
hp_peer_links_count_strangers (HpPeer *peer, const HpAddress *from, guint *all,
                               guint *of_prefix)
{
  GPtrArray *links = hp_peer_get_private (peer)->links;

  for (guint i = 0; i < links->len; i++)
    {
      HpPeerLink *link = links->pdata[i];

      if (!link->is_stranger || link->is_open || is_closing (link))
        continue;
      (*all)++;
      if (hp_peer_links_same_prefix (&link->from, from))
        (*of_prefix)++;
    }
}

/* What connections tell */

/* The session is mutual: the other peer has begun anew, or two calls met */
static void
replace_older (HpPeerLink *link)
{
  HpPeerLink *older;

  while (!link->is_open
         && (older = hp_peer_links_find_open (link->peer, get_key (link)))
                != NULL)
    {
      g_autoptr (GError) error = g_error_new (
          HP_PUNCH_ERROR, HP_PUNCH_ERROR_REPLACED,
          "A newer connection with the same identity took the "
          "place of this one");

      hp_connection_close_private (older->connection, HP_CLOSE_REPLACED, error);
    }
}

/* Inside of the session private addresses may be told to anybody */
static void
offer_candidates (HpPeerLink *link)
{
  HpWireCandidates candidates;

  if (hp_peer_relay_is_only (link->peer))
    return;
  hp_peer_list_candidates (link->peer, &candidates);
  hp_link_offer_candidates (hp_connection_get_link (link->connection),
                            &candidates, hp_clock_now ());
  hp_connection_wake (link->connection);
}

static void
handle_ready (HpPeerLink *link)
{
  g_autoptr (HpPeer) peer = g_object_ref (link->peer);
  HpConnection *connection = link->connection;

  replace_older (link);
  link->is_open = TRUE;
  if (hp_connection_get_path (connection) != HP_PATH_KIND_LAN)
    offer_candidates (link);
  hp_peer_calls_reached (peer, connection);
  g_list_store_append (hp_peer_get_private (peer)->connections, connection);
  if (hp_connection_get_close_error (connection) == NULL)
    hp_peer_emit_resolved (peer, connection);
}

static gboolean
on_lingered (gpointer user_data)
{
  HpPeerPrivate *priv = hp_peer_get_private (user_data);

  hp_peer_clear_source (&priv->linger_source);
  g_queue_clear_full (&priv->lingering,
                      (GDestroyNotify) hp_connection_line_free);
  return G_SOURCE_REMOVE;
}

/* Whoever did not hear the CLOSE goes on sending: it hears it again. One
 * source for all, so that some linger shorter than others. */
static void
linger (HpPeerLink *link)
{
  HpPeerPrivate *priv = hp_peer_get_private (link->peer);

  if (!hp_peer_is_active (link->peer))
    return;
  g_queue_push_tail (&priv->lingering,
                     hp_connection_steal_line (link->connection));
  if (priv->linger_source == NULL)
    priv->linger_source = hp_peer_add_timeout (
        link->peer, LINGER_TIME, "hp-peer-linger", on_lingered, link->peer);
}

static void
link_free (gpointer data)
{
  HpPeerLink *link = data;

  g_object_unref (link->connection);
  g_free (link);
}

static void
handle_closed (HpPeerLink *link, const HpLinkEvent *event)
{
  HpPeer *peer = link->peer;
  HpPeerPrivate *priv = hp_peer_get_private (peer);
  g_autoptr (HpConnection) connection = g_object_ref (link->connection);
  gboolean was_open = link->is_open;
  guint position;

  linger (link);
  g_ptr_array_remove (priv->links, link);
  hp_peer_calls_lost (peer, connection, event);

  if (was_open)
    {
      if (g_list_store_find (priv->connections, connection, &position))
        g_list_store_remove (priv->connections, position);
      hp_peer_emit_connection_closed (peer, connection);
    }
  if (priv->links->len == 0)
    hp_peer_links_gone (peer);
}

static void
on_event (HpConnection *connection, const HpLinkEvent *event,
          gpointer user_data)
{
  HpPeerLink *link = user_data;

  switch (event->type)
    {
    case HP_LINK_EVENT_IDENTIFIED:
      hp_peer_visitors_identified (link);
      break;
    case HP_LINK_EVENT_CONFIRMED:
      replace_older (link);
      break;
    case HP_LINK_EVENT_READY:
      handle_ready (link);
      break;
    case HP_LINK_EVENT_PATH:
      hp_peer_calls_reached (link->peer, connection);
      break;
    case HP_LINK_EVENT_FAILING:
    case HP_LINK_EVENT_SILENT:
    case HP_LINK_EVENT_RELAYED:
      hp_peer_call_recover (link->peer, connection);
      break;
    case HP_LINK_EVENT_CLOSED:
      handle_closed (link, event);
      break;
    case HP_LINK_EVENT_MESSAGE:
    case HP_LINK_EVENT_DELIVERED:
    case HP_LINK_EVENT_FAILED:
    case HP_LINK_EVENT_STREAM:
      g_assert_not_reached ();
    }
}

static void
on_message (HpConnection *connection, GBytes *message, gpointer user_data)
{
  HpPeerLink *link = user_data;

  hp_peer_emit_message (link->peer, connection, message);
}

static void
on_stream (HpConnection *connection, HpStream *stream, gpointer user_data)
{
  HpPeerLink *link = user_data;

  hp_peer_emit_stream (link->peer, connection, stream);
}

static const HpConnectionHooks hooks = {
  .event = on_event,
  .message = on_message,
  .stream = on_stream,
};

/* Making */

GPtrArray *
hp_peer_links_new (void)
{
  return g_ptr_array_new_with_free_func (link_free);
}

/* With what the peer has found out before there was the link */
static void
equip (HpPeerLink *link, gint64 now)
{
  HpLink *state = hp_connection_get_link (link->connection);
  const HpRelay *relay = hp_peer_relay_get_ready (link->peer);
  HpNatFacts nat;

  /* With its age as of now */
  if (!hp_peer_relay_is_only (link->peer)
      && hp_peer_nat_get_facts (link->peer, &nat, now))
    hp_link_set_nat (state, &nat, now);
  if (relay != NULL)
    hp_link_add_relay (state, hp_relay_get_number (relay), now);
}

HpPeerLink *
hp_peer_links_add (HpPeer *peer, const HpPeerLinkName *name, gint64 now)
{
  HpPeerPrivate *priv = hp_peer_get_private (peer);
  HpPeerLink *link = g_new0 (HpPeerLink, 1);
  HpLinkConfig config = {
    .local = *hp_identity_get_key_pair (priv->identity),
    .has_remote_public = name->key != NULL,
    .index = hp_endpoint_allocate_index (priv->endpoint),
    .suites = hp_crypto_get_suites (),
    .datagram_size = priv->datagram_size,
    .max_datagram_size = priv->max_datagram_size != 0
                             ? priv->max_datagram_size
                             : HP_DATAGRAM_SIZE_MAX,
    .max_message_size = priv->max_message_size,
    .max_receive_window = priv->max_receive_window,
    .receive_buffer = hp_endpoint_get_receive_buffer (priv->endpoint),
    .keepalive_interval = priv->keepalive_interval * G_TIME_SPAN_SECOND,
    .budget = name->is_stranger ? &get_budgets ()->strangers
                                : &get_budgets ()->all,
    .relay_only = hp_peer_relay_is_only (peer),
    .random = hp_crypto_random,
  };

  if (name->key != NULL)
    memcpy (config.remote_public, name->key, HP_KEY_SIZE);
  link->peer = peer;
  link->is_stranger = name->is_stranger;
  link->connection = hp_connection_new_private (
      G_OBJECT (peer), priv->endpoint, config.index, hp_link_new (&config, now),
      name->remote_id, name->asked_at, &hooks, link);
  hp_crypto_wipe (&config.local, sizeof config.local);
  g_ptr_array_add (priv->links, link);
  equip (link, now);
  return link;
}

void
hp_peer_links_set_nat (HpPeer *peer, const HpNatFacts *nat)
{
  HpPeerPrivate *priv = hp_peer_get_private (peer);

  if (hp_peer_relay_is_only (peer))
    return;
  for (guint i = 0; i < priv->links->len; i++)
    {
      HpPeerLink *link = priv->links->pdata[i];

      if (is_closing (link))
        continue;
      hp_link_set_nat (hp_connection_get_link (link->connection), nat,
                       hp_clock_now ());
      hp_connection_wake (link->connection);
    }
}

void
hp_peer_links_add_relay (HpPeer *peer, guint number)
{
  HpPeerPrivate *priv = hp_peer_get_private (peer);

  for (guint i = 0; i < priv->links->len; i++)
    {
      HpPeerLink *link = priv->links->pdata[i];

      if (is_closing (link) || link->is_direct)
        continue;
      hp_link_add_relay (hp_connection_get_link (link->connection), number,
                         hp_clock_now ());
      hp_connection_wake (link->connection);
    }
}

void
hp_peer_links_remove_relay (HpPeer *peer, guint number)
{
  HpPeerPrivate *priv = hp_peer_get_private (peer);

  for (guint i = 0; i < priv->links->len; i++)
    {
      HpPeerLink *link = priv->links->pdata[i];

      if (is_closing (link))
        continue;
      hp_link_remove_relay (hp_connection_get_link (link->connection), number,
                            hp_clock_now ());
      hp_connection_wake (link->connection);
    }
}

void
hp_peer_links_convert (HpIntroduction *introduction,
                       const HpMatchIntroduction *match, gboolean is_caller)
{
  *introduction = (HpIntroduction){
    .ticket = match->ticket,
    .is_caller = is_caller,
    .suites = match->suites,
    .start_at = match->start_at,
    .punch = TRUE,
    .nat = match->nat,
    .candidates = match->candidates,
    .observed = match->observed,
    .may_spray = TRUE,
  };
  if (hp_address_is_usable (&match->observed))
    hp_candidates_add (&introduction->candidates, &match->observed,
                       HP_CANDIDATE_SERVER_REFLEXIVE, NULL);
}

void
hp_peer_links_introduce (HpPeerLink *link, const HpIntroduction *introduction,
                         gint64 now)
{
  HpConnection *connection = link->connection;
  HpIntroduction known = *introduction;

  if (is_closing (link))
    return;
  if (introduction->punch)
    {
      hp_peer_relay_need (link->peer);
      hp_peer_relay_permit (link->peer, &introduction->candidates);
    }
  known.by_relay = hp_peer_relay_is_relied_on (link->peer);
  hp_link_introduce (hp_connection_get_link (connection), &known, now);
  /* A cookie's ticket has no number: its INITIATIONs find their link by
   * address and index */
  if (introduction->ticket.number != 0)
    hp_endpoint_add_ticket (hp_peer_get_private (link->peer)->endpoint,
                            hp_connection_get_party (connection),
                            introduction->ticket.number);
  hp_connection_wake (connection);
}

void
hp_peer_links_close_all (HpPeer *peer)
{
  HpPeerPrivate *priv = hp_peer_get_private (peer);

  for (guint i = 0; i < priv->links->len; i++)
    {
      HpPeerLink *link = priv->links->pdata[i];

      hp_connection_close_private (link->connection, HP_CLOSE_GOING_AWAY, NULL);
    }
}

void
hp_peer_links_offer_candidates (HpPeer *peer)
{
  GPtrArray *links = hp_peer_get_private (peer)->links;

  for (guint i = 0; i < links->len; i++)
    {
      HpPeerLink *link = links->pdata[i];

      if (link->is_open && !is_closing (link))
        offer_candidates (link);
    }
}

void
hp_peer_links_network_changed (HpPeer *peer)
{
  HpPeerPrivate *priv = hp_peer_get_private (peer);

  for (guint i = 0; i < priv->links->len; i++)
    {
      HpPeerLink *link = priv->links->pdata[i];

      if (is_closing (link))
        continue;
      hp_link_check_paths (hp_connection_get_link (link->connection),
                           hp_connection_has_moved (link->connection),
                           hp_clock_now ());
      if (link->is_open)
        offer_candidates (link);
      hp_connection_wake (link->connection);
    }
}
