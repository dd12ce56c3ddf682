/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-peer-relay-private.h"

#include "hole-punch/hp-peer-links-private.h"
#include "hole-punch/hp-peer-match-private.h"
#include "hole-punch/hp-peer-nat-private.h"
#include "hole-punch/io/hp-clock.h"

/* Milliseconds: until a match server that does not answer is tried through a
 * relay; between two looks whether the relay is needed */
#define PATIENCE 2000
#define TICK 10000
/* Milliseconds between two inquiries. A server forgets us soon if there is no
 * allocation; coturn, after 60 s: this is good nearly always. */
#define INQUIRY 31000
/* µs that a server's address is taken to be what it was */
#define PREPARED (600 * G_TIME_SPAN_SECOND)
/* µs that an unneeded one is kept */
#define KEPT (60 * G_TIME_SPAN_SECOND)
/* … and between two questions for relays to be lent */
#define MIN_ASKED (30 * G_TIME_SPAN_SECOND)
/* Seconds, of trying again, doubling */
#define FIRST_RETRY 2
#define LAST_RETRY 120
/* µs that a relay has to last for to have worked */
#define WORKED (10 * G_TIME_SPAN_SECOND)
/* Addresses that are to be let in, of introductions not older than this */
#define MAX_WANTED 64
#define WANTED_AGE (30 * G_TIME_SPAN_SECOND)

typedef struct
{
  HpAddress address;
  gint64 at;
} Wanted;

struct _HpPeerRelay
{
  HpPeer *peer; /* not owned */
  HpRelay *relay; /* NULL: none, nor under way */
  guint number;   /* of the carrier; 0: not ready */
  HpRelay *prepared; /* the next one, NULL: unknown whose */
  gint64 prepared_until; /* then it is too old */
  GSource *inquiry_source;
  GPtrArray *lent; /* HpRelayServer, of a match server */
  gint64 lent_at, lent_until;
  gboolean is_wanted; /* as soon as there are servers */
  gint64 needed_at;
  Wanted wanted[MAX_WANTED]; /* a ring */
  guint n_wanted; /* ever */
  gint64 ready_at;
  GSource *patience_source;
  GSource *tick_source;
  GSource *retry_source;
  guint retry_delay;
  GError *error;
};

static HpPeerRelay *
get_relay (HpPeer *peer)
{
  return hp_peer_get_private (peer)->relay;
}

gboolean
hp_peer_relay_is_only (HpPeer *peer)
{
  return hp_peer_get_private (peer)->relay_policy
         == HP_RELAY_POLICY_RELAY_ONLY;
}

gboolean
hp_peer_relay_has_servers (HpPeer *peer)
{
  return hp_peer_get_private (peer)->turn_servers != NULL;
}

static gboolean
is_forbidden (HpPeer *peer)
{
  return hp_peer_get_private (peer)->relay_policy
         == HP_RELAY_POLICY_DIRECT_ONLY;
}

/* Servers */

static void
forget_lent (HpPeerRelay *self)
{
  g_ptr_array_set_size (self->lent, 0);
}

static void
request_lent (HpPeerRelay *self)
{
  HpPeerPrivate *priv = hp_peer_get_private (self->peer);

  if (hp_clock_now () < self->lent_at + MIN_ASKED)
    return;
  for (guint i = 0; i < priv->matches->len; i++)
    hp_peer_match_request_relays (priv->matches->pdata[i]);
}

/* The user's own before those that are lent; (transfer full) */
static GPtrArray *
list_servers (HpPeerRelay *self)
{
  HpPeerPrivate *priv = hp_peer_get_private (self->peer);
  GPtrArray *servers = hp_relay_servers_parse (priv->turn_servers, NULL);

  if (servers == NULL)
    servers = hp_relay_servers_new ();
  if (self->lent->len > 0 && hp_clock_now () >= self->lent_until)
    forget_lent (self);
  for (guint i = 0; i < self->lent->len; i++)
    g_ptr_array_add (servers, hp_relay_server_copy (self->lent->pdata[i]));
  hp_relay_servers_sort (servers);
  return servers;
}

/* The same, and has those that are lent renewed in time */
static GPtrArray *
collect_servers (HpPeerRelay *self)
{
  HpPeerPrivate *priv = hp_peer_get_private (self->peer);
  gint64 now = hp_clock_now ();
  GPtrArray *servers = list_servers (self);

  if (priv->turn_servers == NULL
      && now >= self->lent_at + (self->lent_until - self->lent_at) / 2)
    request_lent (self);
  return servers;
}

/* Telling of it */

static void
permit_wanted (HpPeerRelay *self)
{
  gint64 now = hp_clock_now ();

  for (guint i = 0; i < MIN (self->n_wanted, MAX_WANTED); i++)
    if (now - self->wanted[i].at < WANTED_AGE)
      hp_relay_permit (self->relay, &self->wanted[i].address);
}

/* Inside of the session no proof is asked for. */
static void
offer (HpPeerRelay *self)
{
  GPtrArray *links = hp_peer_get_private (self->peer)->links;
  HpWireCandidates candidates = { 0 };

  hp_candidates_add (&candidates, hp_relay_get_address (self->relay),
                     HP_CANDIDATE_RELAYED, NULL);
  for (guint i = 0; i < links->len; i++)
    {
      HpPeerLink *link = links->pdata[i];

      if (!link->is_open
          || hp_connection_get_close_error (link->connection) != NULL)
        continue;
      hp_link_offer_candidates (hp_connection_get_link (link->connection),
                                &candidates, hp_clock_now ());
      hp_connection_wake (link->connection);
    }
}

static void
announce (HpPeerRelay *self)
{
  HpPeerPrivate *priv = hp_peer_get_private (self->peer);

  self->number = hp_relay_get_number (self->relay);
  self->ready_at = hp_clock_now ();
  g_clear_error (&self->error);
  permit_wanted (self);
  for (guint i = 0; i < priv->matches->len; i++)
    hp_peer_match_add_relay (priv->matches->pdata[i], self->number,
                             hp_relay_get_address (self->relay));
  hp_peer_links_add_relay (self->peer, self->number);
  offer (self);
}

static void
withdraw (HpPeerRelay *self)
{
  HpPeerPrivate *priv = hp_peer_get_private (self->peer);
  guint number = self->number;

  self->number = 0;
  hp_peer_clear_source (&self->tick_source);
  if (number == 0 || !hp_peer_is_active (self->peer))
    return;
  for (guint i = 0; i < priv->matches->len; i++)
    hp_peer_match_remove_relay (priv->matches->pdata[i], number);
  hp_peer_links_remove_relay (self->peer, number);
}

/* Having one */

static gboolean
uses_relay (HpPeerRelay *self, HpPeerLink *link)
{
  HpConnection *connection = link->connection;

  if (hp_connection_get_close_error (connection) != NULL)
    return FALSE;
  return !link->is_open
         || hp_connection_get_state (connection)
                != HP_CONNECTION_STATE_CONNECTED
         || hp_connection_get_path (connection) == HP_PATH_KIND_RELAYED;
}

gboolean
hp_peer_relay_is_relied_on (HpPeer *peer)
{
  HpPeerPrivate *priv = hp_peer_get_private (peer);
  gboolean is_relied_on = FALSE;

  for (guint i = 0; i < priv->matches->len; i++)
    {
      HpMatchClient *client = ((HpPeerMatch *) priv->matches->pdata[i])->client;

      if (!hp_match_client_is_connected (client))
        continue;
      if (hp_match_client_get_socket (client) == 0)
        return FALSE;
      is_relied_on = TRUE;
    }
  return is_relied_on;
}

static gboolean
is_needed (HpPeerRelay *self)
{
  HpPeerPrivate *priv = hp_peer_get_private (self->peer);
  gboolean is_needed = hp_peer_relay_is_only (self->peer)
                       || priv->calls->len > 0 || priv->visitors->len > 0;

  for (guint i = 0; i < priv->matches->len; i++)
    {
      HpPeerMatch *match = priv->matches->pdata[i];

      is_needed |= self->number != 0
                   && hp_match_client_get_socket (match->client)
                          == self->number;
    }
  for (guint i = 0; i < priv->links->len; i++)
    is_needed |= uses_relay (self, priv->links->pdata[i]);
  return is_needed;
}

static gboolean
on_tick (gpointer user_data)
{
  HpPeerRelay *self = user_data;
  gint64 now = hp_clock_now ();

  if (is_needed (self))
    self->needed_at = now;
  if (now - self->needed_at < KEPT)
    return G_SOURCE_CONTINUE;
  withdraw (self);
  g_clear_pointer (&self->relay, hp_relay_close);
  hp_peer_relay_prepare (self->peer);
  return G_SOURCE_REMOVE;
}

static gboolean
on_retry (gpointer user_data)
{
  HpPeerRelay *self = user_data;

  hp_peer_clear_source (&self->retry_source);
  if (is_needed (self) || hp_clock_now () - self->needed_at < KEPT)
    hp_peer_relay_need (self->peer);
  return G_SOURCE_REMOVE;
}

/* One that worked for a while is had again at once; where none could be had, or
 * is lost as soon as it is there, it is tried again later and later. */
static void
handle_failed (HpPeerRelay *self)
{
  const GError *error = hp_relay_get_error (self->relay);
  gboolean has_worked = self->number != 0
                        && hp_clock_now () - self->ready_at >= WORKED;
  guint delay = has_worked ? 0 : self->retry_delay;

  g_clear_error (&self->error);
  self->error = error != NULL ? g_error_copy (error) : NULL;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
    forget_lent (self);
  withdraw (self);
  g_clear_pointer (&self->relay, hp_relay_close);
  self->retry_delay
      = has_worked ? FIRST_RETRY : MIN (2 * self->retry_delay, LAST_RETRY);
  hp_peer_clear_source (&self->retry_source);
  self->retry_source
      = hp_peer_add_timeout (self->peer, delay * 1000, "hp-peer-relay-retry",
                             on_retry, self);
}

static void
on_changed (HpRelay *relay, gpointer user_data)
{
  HpPeerRelay *self = user_data;

  switch (hp_relay_get_state (relay))
    {
    case HP_RELAY_WAITING:
    case HP_RELAY_TRYING:
      break;
    case HP_RELAY_READY:
      announce (self);
      break;
    case HP_RELAY_FAILED:
      handle_failed (self);
      break;
    }
}

static void
make_ready (HpPeerRelay *self)
{
  HpPeerPrivate *priv = hp_peer_get_private (self->peer);
  g_autoptr (GPtrArray) servers = NULL;
  gint64 now = hp_clock_now ();
  HpRelayConfig config;

  if (self->prepared != NULL && now < self->prepared_until)
    return;
  g_clear_pointer (&self->prepared, hp_relay_close);
  servers = collect_servers (self);
  if (servers->len == 0)
    return;

  config = (HpRelayConfig){
    .endpoint = priv->endpoint,
    .servers = servers,
    .database = priv->turn_tls_database,
    .changed = on_changed,
    .user_data = self,
  };
  self->prepared = hp_relay_new (&config);
  self->prepared_until = now + PREPARED;
  if (self->lent->len > 0)
    self->prepared_until = MIN (self->prepared_until, self->lent_until);
}

/* Whether a direct path is likely to be had only after a while, if at all */
static gboolean
is_hard (HpPeerRelay *self)
{
  HpNatFacts facts;

  return hp_peer_nat_get_facts (self->peer, &facts, hp_clock_now ())
         && hp_nat_facts_is_dependent (&facts);
}

static gboolean
on_inquiry (gpointer user_data)
{
  HpPeerRelay *self = user_data;

  if (!is_hard (self))
    {
      hp_peer_clear_source (&self->inquiry_source);
      return G_SOURCE_REMOVE;
    }
  if (self->relay != NULL)
    return G_SOURCE_CONTINUE;
  make_ready (self);
  if (self->prepared != NULL)
    hp_relay_inquire (self->prepared);
  return G_SOURCE_CONTINUE;
}

void
hp_peer_relay_prepare (HpPeer *peer)
{
  HpPeerRelay *self = get_relay (peer);

  if (self == NULL || is_forbidden (peer) || !hp_peer_is_active (peer))
    return;
  g_clear_pointer (&self->prepared, hp_relay_close);
  if (self->relay == NULL)
    make_ready (self);
  /* Without anybody to ask it would only be one source more in each iteration
   * of the main loop. */
  if (self->inquiry_source == NULL
      && (self->relay != NULL || self->prepared != NULL))
    self->inquiry_source
        = hp_peer_add_timeout (peer, INQUIRY, "hp-peer-relay-inquiry",
                               on_inquiry, self);
}

void
hp_peer_relay_need (HpPeer *peer)
{
  HpPeerRelay *self = get_relay (peer);

  if (self == NULL || is_forbidden (peer) || !hp_peer_is_active (peer))
    return;
  self->needed_at = hp_clock_now ();
  if (self->relay != NULL || self->retry_source != NULL)
    return;
  make_ready (self);
  self->is_wanted = self->prepared == NULL;
  if (self->prepared == NULL)
    return;

  self->relay = g_steal_pointer (&self->prepared);
  hp_relay_start (self->relay);
  hp_peer_clear_source (&self->tick_source);
  self->tick_source
      = hp_peer_add_timeout (peer, TICK, "hp-peer-relay", on_tick, self);
}

void
hp_peer_relay_permit (HpPeer *peer, const HpWireCandidates *candidates)
{
  HpPeerRelay *self = get_relay (peer);

  if (self == NULL || is_forbidden (peer))
    return;
  for (guint i = 0; i < candidates->n_candidates; i++)
    {
      Wanted *wanted = self->wanted + self->n_wanted++ % MAX_WANTED;

      *wanted = (Wanted){ candidates->candidates[i].address,
                          hp_clock_now () };
      if (self->number != 0)
        hp_relay_permit (self->relay, &wanted->address);
    }
}

GPtrArray *
hp_peer_relay_list_servers (HpPeer *peer)
{
  HpPeerRelay *self = get_relay (peer);

  return self != NULL && !is_forbidden (peer) ? list_servers (self)
                                              : hp_relay_servers_new ();
}

const HpRelay *
hp_peer_relay_get_ready (HpPeer *peer)
{
  HpPeerRelay *self = get_relay (peer);

  return self != NULL && self->number != 0 ? self->relay : NULL;
}

const GError *
hp_peer_relay_get_error (HpPeer *peer)
{
  HpPeerRelay *self = get_relay (peer);

  return self != NULL ? self->error : NULL;
}

gboolean
hp_peer_relay_receive (HpPeer *peer, const HpDatagram *datagram, gint64 now)
{
  HpPeerRelay *self = get_relay (peer);

  if (self == NULL)
    return FALSE;
  return (self->relay != NULL
          && hp_relay_receive (self->relay, datagram, now))
         || (self->prepared != NULL
             && hp_relay_receive (self->prepared, datagram, now));
}

/* Match servers */

static gboolean
on_impatient (gpointer user_data)
{
  HpPeerRelay *self = user_data;
  HpPeerPrivate *priv = hp_peer_get_private (self->peer);
  gboolean is_connected = priv->matches->len == 0;

  hp_peer_clear_source (&self->patience_source);
  for (guint i = 0; i < priv->matches->len; i++)
    {
      HpPeerMatch *match = priv->matches->pdata[i];

      is_connected |= hp_match_client_is_connected (match->client);
    }
  if (!is_connected)
    hp_peer_relay_need (self->peer);
  return G_SOURCE_REMOVE;
}

void
hp_peer_relay_match_lost (HpPeer *peer)
{
  HpPeerRelay *self = get_relay (peer);

  if (self == NULL || is_forbidden (peer) || self->patience_source != NULL)
    return;
  self->patience_source
      = hp_peer_add_timeout (peer, PATIENCE, "hp-peer-relay-patience",
                             on_impatient, self);
}

/* While there is time, so that a call need not wait for them */
void
hp_peer_relay_match_connected (HpPeer *peer, HpMatchClient *client)
{
  HpPeerRelay *self = get_relay (peer);

  if (self == NULL || is_forbidden (peer) || hp_peer_relay_has_servers (peer)
      || hp_clock_now () < self->lent_until)
    return;
  hp_match_client_request_relays (client, hp_clock_now ());
}

void
hp_peer_relay_lent (HpPeer *peer, const HpLentRelays *relays)
{
  HpPeerRelay *self = get_relay (peer);

  if (self == NULL || relays->n_relays == 0)
    return;
  forget_lent (self);
  for (guint i = 0; i < relays->n_relays; i++)
    (void) hp_relay_servers_add (self->lent, relays->relays[i].uri,
                                 relays->relays[i].username,
                                 relays->relays[i].password);
  self->lent_at = hp_clock_now ();
  self->lent_until = self->lent_at
                     + MIN (relays->lifetime, 7 * 86400) * G_TIME_SPAN_SECOND;
  hp_peer_relay_prepare (peer);
  if (self->is_wanted || hp_peer_relay_is_only (peer))
    hp_peer_relay_need (peer);
}

void
hp_peer_relay_equip (HpPeer *peer, HpMatchClient *client)
{
  HpPeerRelay *self = get_relay (peer);

  if (self != NULL && self->number != 0)
    hp_match_client_add_relay (client, self->number,
                               hp_relay_get_address (self->relay),
                               hp_clock_now ());
}

/* Life */

HpPeerRelay *
hp_peer_relay_new (HpPeer *peer, GError **error)
{
  HpPeerPrivate *priv = hp_peer_get_private (peer);
  g_autoptr (GPtrArray)
      servers = hp_relay_servers_parse (priv->turn_servers, error);
  HpPeerRelay *self;

  if (servers == NULL)
    return NULL;
  self = g_new0 (HpPeerRelay, 1);
  self->peer = peer;
  self->lent = hp_relay_servers_new ();
  self->retry_delay = FIRST_RETRY;
  return self;
}

void
hp_peer_relay_begin (HpPeer *peer)
{
  hp_peer_relay_prepare (peer);
  if (hp_peer_relay_is_only (peer))
    hp_peer_relay_need (peer);
  /* As if they had been there */
  if (hp_peer_get_private (peer)->matches->len > 0)
    hp_peer_relay_match_lost (peer);
}

void
hp_peer_relay_free (HpPeerRelay *self)
{
  hp_peer_clear_source (&self->patience_source);
  hp_peer_clear_source (&self->tick_source);
  hp_peer_clear_source (&self->retry_source);
  hp_peer_clear_source (&self->inquiry_source);
  g_clear_pointer (&self->prepared, hp_relay_close);
  g_clear_pointer (&self->relay, hp_relay_close);
  g_ptr_array_unref (self->lent);
  g_clear_error (&self->error);
  g_free (self);
}
