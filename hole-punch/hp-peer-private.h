/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the files of a peer share:
 *
 *   hp-peer.c           the class: properties …
 *   hp-peer-signals.c   … signals …
 *   hp-peer-settings.c  … and the functions to set and get them
 *   hp-peer-run.c       starting, closing, and what goes on in between
 *   hp-peer-network.c   what happens when the network changes
 *   hp-peer-connect.c   its public functions to reach other peers
 *   hp-peer-call.c      one attempt to reach another peer …
 *   hp-peer-asking.c    … and its questions to the match servers
 *   hp-peer-visitors.c  those who call us
 *   hp-peer-links.c     its connections, those in the making too
 *   hp-peer-match.c     its match servers
 *   hp-peer-relay.c     its relay …
 *   hp-peer-turn.c      … and the properties of that
 *   hp-peer-nat.c       what it knows of its NATs
 *   hp-peer-mapping.c   its gateway's port
 *   hp-peer-check.c     what it can find out about its network …
 *   hp-peer-report.c    … and tell of it
 *   hp-peer-attempts.c  what a call that failed has tried
 *   hp-peer-target.c    the texts that name peers and servers
 *   hp-peer-waiters.c   tasks that wait for one outcome
 *
 * Everything happens in the context that the peer was started in. Signals may
 * be answered by anything, closing the peer included: whoever emits one looks
 * again at what it goes on with.
 */

#pragma once

#include "hole-punch/engine/hp-endpoint.h"
#include "hole-punch/engine/hp-match-client.h"
#include "hole-punch/engine/hp-port-mapping.h"
#include "hole-punch/engine/hp-relay-server.h"
#include "hole-punch/hp-connection-private.h"
#include "hole-punch/hp-peer-target-private.h"
#include "hole-punch/hp-peer-waiters-private.h"
#include "hole-punch/hp-authorization.h"
#include "hole-punch/hp-nat-info.h"
#include "hole-punch/hp-network-report.h"
#include "hole-punch/hp-peer.h"
#include "hole-punch/secure/hp-cookie.h"

#define HP_PEER_MAX_SECONDS 3600
#define HP_PEER_MAX_NAT_ENTRIES 65535

typedef enum
{
  HP_PEER_IDLE,
  HP_PEER_STARTING, /* bound; no match server has let us in yet */
  HP_PEER_STARTED,
  HP_PEER_CLOSING, /* the connections' ends are still to be told */
} HpPeerState;

typedef struct _HpPeerRelay HpPeerRelay;

typedef struct
{
  char *id;
  char *match_server;
  char *stun_servers;
  HpIdentity *identity;
  guint port;
  guint datagram_size;
  guint max_datagram_size;
  guint64 max_message_size;
  guint64 max_receive_window;
  guint keepalive_interval; /* s */
  guint connect_timeout;    /* s */
  gboolean direct_calls;
  gboolean port_mapping;
  char *turn_servers;
  HpRelayPolicy relay_policy;
  GTlsDatabase *turn_tls_database;

  gboolean is_scout; /* hp-peer-check.c: is not stopped by what fails */

  GListStore *connections; /* the open ones */

  HpPeerState state;
  /* While not idle */
  GMainContext *context;
  HpEndpoint *endpoint;
  HpCookieJar cookie_jar; /* for direct calls to us */
  GPtrArray *matches;     /* HpPeerMatch */
  GPtrArray *calls;       /* HpPeerCall */
  GPtrArray *visitors;    /* HpPeerVisitor */
  GPtrArray *links;       /* HpPeerLink, of the closing ones too */
  GQueue lingering;       /* closed lines that say CLOSE again */
  GSource *linger_source;
  guint64 last_question;
  GArray *settled; /* introductions that have had their answer */

  HpPeerRelay *relay;

  HpWaiters starting;
  GSource *start_timeout;
  GSource *finish_source;
  GError *stop_error; /* what pending tasks get when it is closed */
  GList *close_tasks;
  gpointer network_watch;
  struct _HpPeerNat *nat;
  HpPortMapping *mapping; /* NULL: not asked for */

  /* As last told by notify */
  gboolean registered;
  HpAddress observed;
  GSocketAddress *local_address, *public_address, *mapped_address;
  HpNatInfo *nat_info; /* NULL: not known */
  HpNetworkReport *network_report; /* NULL: none yet */
} HpPeerPrivate;

/* hp-peer.c */
HpPeerPrivate *hp_peer_get_private (HpPeer *self);

/* hp-peer-turn.c */
GParamSpec *hp_peer_turn_servers_spec (void);
GParamSpec *hp_peer_relay_policy_spec (void);
GParamSpec *hp_peer_turn_tls_database_spec (void);

/* hp-peer-mapping.c */
GParamSpec *hp_peer_port_mapping_spec (void);
GParamSpec *hp_peer_mapped_address_spec (void);

/* hp-peer-report.c */
GParamSpec *hp_peer_network_report_spec (void);

/* hp-peer-signals.c */
void hp_peer_install_signals (HpPeerClass *klass);
gboolean hp_peer_has_authorizer (HpPeer *self);
void hp_peer_emit_message (HpPeer *self, HpConnection *connection,
                           GBytes *message);
void hp_peer_emit_stream (HpPeer *self, HpConnection *connection,
                          HpStream *stream);
void hp_peer_emit_resolved (HpPeer *self, HpConnection *connection);
void hp_peer_emit_connection_closed (HpPeer *self, HpConnection *connection);
void hp_peer_emit_authorize (HpPeer *self, HpAuthorization *authorization);

/* hp-peer-run.c */
gboolean hp_peer_is_active (HpPeer *self); /* starting or started */
/* Binds and goes on by itself; fails only when nothing has begun */
gboolean hp_peer_begin (HpPeer *self, GError **error);
/* A match server let us in, or will not */
void hp_peer_check_started (HpPeer *self);
/* Notifies of registered and public-address if they changed */
void hp_peer_update_presence (HpPeer *self);
/* The match servers of the match-server property, anew */
void hp_peer_replace_matches (HpPeer *self, GPtrArray *names);
/* hp-peer-network.c: when the network changes, all paths are looked at again */
void hp_peer_watch_network (HpPeer *self);
void hp_peer_unwatch_network (HpPeer *self);
/* Where we may be reached as far as we know ourselves: by others on the same
 * network, and by the gateway's port */
void hp_peer_list_candidates (HpPeer *self, HpWireCandidates *candidates);

/* hp-peer-run.c */
/* The last connection's end has been told, or the mapping is gone */
void hp_peer_links_gone (HpPeer *self);
/* @func in @milliseconds, in the peer's context; (transfer full) */
GSource *hp_peer_add_timeout (HpPeer *self, guint milliseconds,
                              const char *name, GSourceFunc func,
                              gpointer user_data);
void hp_peer_clear_source (GSource **source);
