/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One match server of a peer: its name is resolved (again, when it goes
 * silent, and until one of its addresses answers), its client is a party of the
 * peer's endpoint, and what the client tells is handed to the calls and
 * visitors.
 */

#pragma once

#include "hole-punch/hp-peer-private.h"

typedef struct
{
  HpParty party;
  HpPeer *peer; /* not owned; NULL: stopped */
  HpServerName *name;
  HpMatchClient *client;
  HpAddress addresses[HP_MATCH_MAX_ADDRESSES]; /* as resolved last */
  guint n_addresses;
  HpAddress observed; /* our own, as told last */
  GCancellable *resolving; /* NULL: not at present */
  GSource *retry_source;
  guint retry_delay;       /* s */
  gboolean is_retrying;    /* none of the addresses has answered */
  gboolean registers_open; /* as the server was last told */
  GError *error;           /* NULL: nothing speaks against it so far */
} HpPeerMatch;

/* Takes over @name */
HpPeerMatch *hp_peer_match_new (HpPeer *peer, HpServerName *name);
HpPeerMatch *hp_peer_match_ref (HpPeerMatch *self);
void hp_peer_match_unref (HpPeerMatch *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpPeerMatch, hp_peer_match_unref)
/* Says good-bye to the server; does nothing more */
void hp_peer_match_stop (HpPeerMatch *self);

/* Lets us in: registered, or, without an id, with a session */
gboolean hp_peer_match_is_usable (HpPeerMatch *self);
/* Tells the server the peer's id and whether it is open */
void hp_peer_match_register (HpPeerMatch *self);
void hp_peer_match_set_keepalive_interval (HpPeerMatch *self, guint seconds);
void hp_peer_match_network_changed (HpPeerMatch *self);
/* There are others than before */
void hp_peer_match_tell_candidates (HpPeerMatch *self);
/* Exactly one of @id and @key; the request's number */
guint64 hp_peer_match_ask (HpPeerMatch *self, const char *id,
                           const guint8 *key);
void hp_peer_match_stop_asking (HpPeerMatch *self, guint64 request);
void hp_peer_match_reply (HpPeerMatch *self,
                          const HpMatchIntroduction *introduction,
                          gboolean accept);
/* hp-peer-relay.c: a relay of ours; relays of the server's */
void hp_peer_match_add_relay (HpPeerMatch *self, guint socket,
                              const HpAddress *relayed);
void hp_peer_match_remove_relay (HpPeerMatch *self, guint socket);
void hp_peer_match_request_relays (HpPeerMatch *self);
/* A COOKIE; TRUE if it was for this server */
gboolean hp_peer_match_receive (HpPeerMatch *self, const HpDatagram *datagram,
                                gint64 now);
