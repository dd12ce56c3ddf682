/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-peer-match-private.h"

#include <string.h>

#include "hole-punch/hp-identity-private.h"
#include "hole-punch/hp-peer-call-private.h"
#include "hole-punch/hp-peer-mapping-private.h"
#include "hole-punch/hp-peer-nat-private.h"
#include "hole-punch/hp-peer-relay-private.h"
#include "hole-punch/hp-peer-visitors-private.h"
#include "hole-punch/hp-punch-error.h"
#include "hole-punch/io/hp-clock.h"

/* Seconds; of resolving the name again, while it has no address or no address
 * answers, doubling: what a name's addresses are is changed within a minute,
 * where that is prepared for (the time to live of its records) */
#define FIRST_RETRY 2
#define LAST_RETRY 64
/* Of a name's addresses so many are looked at */
#define MAX_FOUND 64

static HpPeerMatch *
match_of (HpParty *party)
{
  /* Its first member */
  return (HpPeerMatch *) party;
}

static void
match_wake (HpPeerMatch *self)
{
  hp_endpoint_wake (hp_peer_get_private (self->peer)->endpoint, &self->party);
}

static void
match_fail (HpPeerMatch *self, GError *error)
{
  g_clear_error (&self->error);
  self->error = error;
  hp_peer_check_started (self->peer);
}

/* The name */

static void match_resolve (HpPeerMatch *self);

static gboolean
on_retry (gpointer user_data)
{
  HpPeerMatch *self = user_data;

  hp_peer_clear_source (&self->retry_source);
  if (self->n_addresses > 0 && !hp_match_client_is_seeking (self->client))
    return G_SOURCE_REMOVE;
  self->is_retrying = TRUE;
  match_resolve (self);
  return G_SOURCE_REMOVE;
}

static void
retry_later (HpPeerMatch *self)
{
  guint milliseconds = 750 + hp_random_u64 (&hp_crypto_random) % 500;

  hp_peer_clear_source (&self->retry_source);
  self->retry_source
      = hp_peer_add_timeout (self->peer, self->retry_delay * milliseconds,
                             "hp-match-resolve", on_retry, self);
  self->retry_delay = MIN (2 * self->retry_delay, LAST_RETRY);
}

static guint
collect_addresses (HpPeerMatch *self, GList *found,
                   HpAddress addresses[MAX_FOUND])
{
  HpEndpoint *endpoint = hp_peer_get_private (self->peer)->endpoint;
  guint n = 0;

  for (GList *l = found; l != NULL && n < MAX_FOUND; l = l->next)
    {
      g_autoptr (GSocketAddress)
          address = g_inet_socket_address_new (l->data, self->name->port);

      if (hp_address_from_socket_address (&addresses[n], address)
          && hp_address_is_usable (&addresses[n])
          && (addresses[n].family == HP_ADDRESS_IPV4
              || hp_endpoint_has_ipv6 (endpoint)))
        n++;
    }
  return n;
}

static gboolean
is_known (HpPeerMatch *self, const HpAddress *address)
{
  for (guint i = 0; i < self->n_addresses; i++)
    {
      if (hp_address_equal (address, &self->addresses[i]))
        return TRUE;
    }
  return FALSE;
}

/* Of more than can be used, those in use and, by chance, others; others only
 * if those in use have been tried in vain. The first one stays: its family is
 * preferred. */
static guint
choose_addresses (HpPeerMatch *self, HpAddress *addresses, guint n)
{
  guint n_chosen = 0;

  if (n <= HP_MATCH_MAX_ADDRESSES)
    return n;
  for (guint i = 0; i < n && !self->is_retrying; i++)
    {
      HpAddress known = addresses[i];

      if (!is_known (self, &known))
        continue;
      addresses[i] = addresses[n_chosen];
      addresses[n_chosen++] = known;
    }
  for (guint i = MAX (n_chosen, 1); i < HP_MATCH_MAX_ADDRESSES; i++)
    {
      guint k = i + hp_random_u64 (&hp_crypto_random) % (n - i);
      HpAddress chosen = addresses[k];

      addresses[k] = addresses[i];
      addresses[i] = chosen;
    }
  return HP_MATCH_MAX_ADDRESSES;
}

/* Many servers give their addresses in another order each time */
static gboolean
has_addresses (HpPeerMatch *self, const HpAddress *addresses, guint n)
{
  guint n_found = 0;

  for (guint i = 0; i < n; i++)
    n_found += is_known (self, &addresses[i]);
  return n == self->n_addresses && n_found == n;
}

/* Told again, the client would go on even if it rests because another program
 * has taken this identity's place */
static void
set_addresses (HpPeerMatch *self, const HpAddress *addresses, guint n)
{
  if (has_addresses (self, addresses, n))
    return;
  self->n_addresses = n;
  memcpy (self->addresses, addresses, n * sizeof *addresses);
  hp_match_client_set_addresses (self->client, addresses, n, hp_clock_now ());
  match_wake (self);
  hp_peer_mapping_consider (self->peer);
}

static void
on_resolved (GObject *resolver, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (HpPeerMatch) self = user_data;
  g_autoptr (GError) error = NULL;
  HpAddress addresses[MAX_FOUND];
  GList *found;
  guint n;

  found = g_resolver_lookup_by_name_finish (G_RESOLVER (resolver), result,
                                            &error);
  if (self->peer == NULL)
    {
      g_resolver_free_addresses (found);
      return;
    }
  g_clear_object (&self->resolving);

  n = collect_addresses (self, found, addresses);
  g_resolver_free_addresses (found);
  if (n > 0)
    set_addresses (self, addresses, choose_addresses (self, addresses, n));
  if (n == 0 || hp_match_client_is_seeking (self->client))
    retry_later (self);
  if (n > 0)
    return;
  match_fail (self, g_error_new (HP_PUNCH_ERROR, HP_PUNCH_ERROR_MATCH_SERVER,
                                 "The match server “%s” cannot be found: %s",
                                 self->name->host,
                                 error != NULL ? error->message
                                               : "it has no address for us"));
}

static void
match_resolve (HpPeerMatch *self)
{
  HpPeerPrivate *priv = hp_peer_get_private (self->peer);
  g_autoptr (GResolver) resolver = NULL;

  if (self->resolving != NULL)
    return;
  self->resolving = g_cancellable_new ();
  resolver = g_resolver_get_default ();
  /* A context can be iterated without being anybody's default */
  g_main_context_push_thread_default (priv->context);
  g_resolver_lookup_by_name_async (resolver, self->name->host, self->resolving,
                                   on_resolved, hp_peer_match_ref (self));
  g_main_context_pop_thread_default (priv->context);
}

/* What the client tells */

static GError *
error_from_refusal (HpPeerMatch *self, HpRefusedCode code)
{
  const char *id = hp_peer_get_private (self->peer)->id;

  switch (code)
    {
    case HP_REFUSED_ID_TAKEN:
      return g_error_new (HP_PUNCH_ERROR, HP_PUNCH_ERROR_ID_TAKEN,
                          "The id “%s” belongs to another identity", id);
    case HP_REFUSED_RATE_LIMITED:
      return g_error_new (HP_PUNCH_ERROR, HP_PUNCH_ERROR_RATE_LIMITED,
                          "Too many registrations; try again later");
    case HP_REFUSED_INVALID:
      return g_error_new (HP_PUNCH_ERROR, HP_PUNCH_ERROR_INVALID_TARGET,
                          "The match server does not take the id “%s”", id);
    case HP_REFUSED_TEMPORARY:
      return g_error_new (HP_PUNCH_ERROR, HP_PUNCH_ERROR_MATCH_SERVER,
                          "The match server cannot register anybody now");
    case HP_REFUSED_UNKNOWN_ID:
    case HP_REFUSED_POLICY:
    default:
      return g_error_new (HP_PUNCH_ERROR, HP_PUNCH_ERROR_REFUSED,
                          "The match server does not allow the id “%s”", id);
    }
}

static void
handle_refused (HpPeerMatch *self, HpRefusedCode code)
{
  hp_peer_update_presence (self->peer);
  /* What passes is tried again by the client */
  if (self->peer != NULL && code != HP_REFUSED_TEMPORARY)
    match_fail (self, error_from_refusal (self, code));
}

static void
handle_registered (HpPeerMatch *self)
{
  g_clear_error (&self->error);
  /* A handler of authorize-peer came or went since */
  if (self->registers_open == hp_peer_has_authorizer (self->peer))
    hp_peer_match_register (self);
  hp_peer_check_started (self->peer);
  if (self->peer != NULL)
    hp_peer_update_presence (self->peer);
}

/* It may be a new client, while the NATs are known already */
static void
tell_nat (HpPeerMatch *self, gint64 now)
{
  HpNatFacts facts;

  if (hp_peer_nat_get_facts (self->peer, &facts, now))
    hp_match_client_set_nat (self->client, &facts, now);
}

static void
handle_observed (HpPeerMatch *self, HpPeer *peer)
{
  const HpAddress *observed = hp_match_client_get_observed (self->client);

  hp_peer_nat_observed (peer, observed);
  hp_peer_mapping_consider (peer);
  if (self->observed.family != HP_ADDRESS_NONE)
    hp_peer_mapping_check (peer);
  self->observed = *observed;
}

static void
handle_event (HpPeerMatch *self, HpPeer *peer, const HpMatchEvent *event,
              gint64 now)
{
  switch (event->type)
    {
    case HP_MATCH_EVENT_CONNECTED:
      hp_peer_clear_source (&self->retry_source);
      self->retry_delay = FIRST_RETRY;
      self->is_retrying = FALSE;
      if (hp_peer_get_private (peer)->id == NULL)
        g_clear_error (&self->error);
      tell_nat (self, now);
      hp_peer_nat_update_servers (peer);
      hp_peer_relay_match_connected (peer, self->client);
      hp_peer_check_started (peer);
      break;
    case HP_MATCH_EVENT_REGISTERED:
      handle_registered (self);
      break;
    case HP_MATCH_EVENT_REGISTRATION_REFUSED:
      handle_refused (self, event->code);
      break;
    case HP_MATCH_EVENT_ASK_REFUSED:
      hp_peer_calls_refused (peer, self, event->request, event->code);
      break;
    case HP_MATCH_EVENT_ANSWER:
      hp_peer_calls_answered (peer, self, event->request, &event->introduction);
      break;
    case HP_MATCH_EVENT_INTRODUCED:
      hp_peer_nat_sample (peer);
      hp_peer_visitors_introduced (peer, self, &event->introduction, now);
      break;
    case HP_MATCH_EVENT_OBSERVED:
      handle_observed (self, peer);
      hp_peer_update_presence (peer);
      break;
    case HP_MATCH_EVENT_LOST:
      /* It may have moved */
      match_resolve (self);
      hp_peer_relay_match_lost (peer);
      hp_peer_update_presence (peer);
      break;
    case HP_MATCH_EVENT_RELAYS:
      hp_peer_relay_lent (peer, hp_match_client_get_relays (self->client));
      break;
    case HP_MATCH_EVENT_KNOCKED:
      hp_peer_nat_knocked (peer, event->transaction, event->knocked_from, now);
      break;
    case HP_MATCH_EVENT_WRONG_KEY:
      match_fail (self,
                  g_error_new (HP_PUNCH_ERROR, HP_PUNCH_ERROR_IDENTITY_MISMATCH,
                               "The match server “%s” has another key than it "
                               "should",
                               self->name->host));
      break;
    }
}

/* The party */

static void
match_receive (HpParty *party, const HpDatagram *datagram, gint64 now)
{
  (void) hp_match_client_receive (match_of (party)->client, datagram, now);
}

static gboolean
match_pull (HpParty *party, HpOutgoing *outgoing, gint64 now)
{
  return hp_match_client_pull (match_of (party)->client, outgoing, now);
}

static gint64
match_get_deadline (HpParty *party, gint64 now)
{
  return hp_match_client_get_deadline (match_of (party)->client);
}

static void
match_expire (HpParty *party, gint64 now)
{
  hp_match_client_expire (match_of (party)->client, now);
}

static void
match_deliver (HpParty *party, gint64 now)
{
  g_autoptr (HpPeerMatch) self = hp_peer_match_ref (match_of (party));
  g_autoptr (HpPeer) peer = g_object_ref (self->peer);
  HpMatchEvent event;

  while (self->peer != NULL
         && hp_match_client_next_event (self->client, &event))
    handle_event (self, peer, &event, now);
}

static const HpPartyClass match_class = {
  .name = "match-client",
  .receive = match_receive,
  .pull = match_pull,
  .get_deadline = match_get_deadline,
  .expire = match_expire,
  .deliver = match_deliver,
};

static void
set_candidates (HpPeerMatch *self)
{
  HpWireCandidates candidates;

  hp_peer_list_candidates (self->peer, &candidates);
  hp_match_client_set_candidates (self->client, &candidates);
}

HpPeerMatch *
hp_peer_match_new (HpPeer *peer, HpServerName *name)
{
  HpPeerPrivate *priv = hp_peer_get_private (peer);
  HpPeerMatch *self = g_rc_box_new0 (HpPeerMatch);
  HpMatchClientConfig config = {
    .local = *hp_identity_get_key_pair (priv->identity),
    .has_server_key = name->has_key,
    .index = hp_endpoint_allocate_index (priv->endpoint),
    .suites = hp_crypto_get_suites (),
    .keepalive_interval = priv->keepalive_interval * G_TIME_SPAN_SECOND,
    .random = hp_crypto_random,
  };

  if (name->has_key)
    memcpy (config.server_key, name->key, HP_KEY_SIZE);
  self->peer = peer;
  self->name = name;
  self->retry_delay = FIRST_RETRY;
  self->client = hp_match_client_new (&config);
  hp_crypto_wipe (&config.local, sizeof config.local);
  hp_endpoint_add_party (priv->endpoint, &self->party, &match_class,
                         config.index);
  set_candidates (self);
  hp_match_client_set_relay_only (self->client, hp_peer_relay_is_only (peer),
                                  !hp_peer_relay_has_servers (peer),
                                  hp_clock_now ());
  hp_peer_relay_equip (peer, self->client);
  if (priv->id != NULL)
    hp_peer_match_register (self);
  match_resolve (self);
  return self;
}

HpPeerMatch *
hp_peer_match_ref (HpPeerMatch *self)
{
  return g_rc_box_acquire (self);
}

static void
match_clear (gpointer data)
{
  HpPeerMatch *self = data;

  hp_server_name_free (self->name);
  hp_match_client_free (self->client);
  g_clear_error (&self->error);
}

void
hp_peer_match_unref (HpPeerMatch *self)
{
  g_rc_box_release_full (self, match_clear);
}

void
hp_peer_match_stop (HpPeerMatch *self)
{
  HpEndpoint *endpoint = hp_peer_get_private (self->peer)->endpoint;

  hp_peer_clear_source (&self->retry_source);
  if (self->resolving != NULL)
    g_cancellable_cancel (self->resolving);
  g_clear_object (&self->resolving);

  hp_match_client_close (self->client, hp_clock_now ());
  hp_endpoint_remove_party (endpoint, &self->party);
  self->peer = NULL;
}

gboolean
hp_peer_match_is_usable (HpPeerMatch *self)
{
  return hp_peer_get_private (self->peer)->id != NULL
             ? hp_match_client_is_registered (self->client)
             : hp_match_client_is_connected (self->client);
}

void
hp_peer_match_register (HpPeerMatch *self)
{
  HpPeerPrivate *priv = hp_peer_get_private (self->peer);
  guint flags = 0;

  self->registers_open = !hp_peer_has_authorizer (self->peer);
  if (self->registers_open)
    flags |= HP_REGISTER_OPEN;
  if (!hp_identity_is_persistent (priv->identity))
    flags |= HP_REGISTER_EPHEMERAL;
  hp_match_client_register (self->client, priv->id, flags, hp_clock_now ());
  match_wake (self);
}

void
hp_peer_match_set_keepalive_interval (HpPeerMatch *self, guint seconds)
{
  hp_match_client_set_keepalive_interval (
      self->client, seconds * G_TIME_SPAN_SECOND, hp_clock_now ());
  match_wake (self);
}

void
hp_peer_match_network_changed (HpPeerMatch *self)
{
  set_candidates (self);
  hp_match_client_check (self->client, hp_clock_now ());
  if (self->retry_source != NULL)
    {
      hp_peer_clear_source (&self->retry_source);
      match_resolve (self);
    }
  match_wake (self);
}

void
hp_peer_match_tell_candidates (HpPeerMatch *self)
{
  set_candidates (self);
  hp_match_client_tell_candidates (self->client, hp_clock_now ());
  match_wake (self);
}

guint64
hp_peer_match_ask (HpPeerMatch *self, const char *id, const guint8 *key)
{
  guint64 request;

  set_candidates (self);
  hp_peer_nat_sample (self->peer);
  request = hp_match_client_ask (self->client, id, key, hp_clock_now ());
  match_wake (self);
  return request;
}

void
hp_peer_match_stop_asking (HpPeerMatch *self, guint64 request)
{
  if (self->peer == NULL)
    return;
  hp_match_client_stop_asking (self->client, request);
  match_wake (self);
}

void
hp_peer_match_reply (HpPeerMatch *self, const HpMatchIntroduction *introduction,
                     gboolean accept)
{
  if (self->peer == NULL || !introduction->needs_reply)
    return;
  hp_match_client_reply (self->client, introduction->ticket.number, accept,
                         hp_clock_now ());
  match_wake (self);
}

void
hp_peer_match_add_relay (HpPeerMatch *self, guint socket,
                         const HpAddress *relayed)
{
  hp_match_client_add_relay (self->client, socket, relayed, hp_clock_now ());
  match_wake (self);
}

void
hp_peer_match_remove_relay (HpPeerMatch *self, guint socket)
{
  hp_match_client_remove_relay (self->client, socket, hp_clock_now ());
  match_wake (self);
}

void
hp_peer_match_request_relays (HpPeerMatch *self)
{
  hp_match_client_request_relays (self->client, hp_clock_now ());
  match_wake (self);
}

gboolean
hp_peer_match_receive (HpPeerMatch *self, const HpDatagram *datagram,
                       gint64 now)
{
  if (!hp_match_client_receive (self->client, datagram, now))
    return FALSE;
  match_wake (self);
  return TRUE;
}
