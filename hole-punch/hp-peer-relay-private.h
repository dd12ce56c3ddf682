/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A peer's relay: allocated when there is need of one, at the user's TURN
 * servers or at those that a match server lends; told to the connections, to
 * the match servers, and by those to whom we call; given back some time after
 * nobody needs it any more. What the allocation will need to know is asked
 * beforehand, so that a call need not wait for it.
 *
 * There is need of one while a connection is being made or looks for a path,
 * and while no match server can be reached without it; with relay-only, always.
 */

#pragma once

#include "hole-punch/engine/hp-relay.h"
#include "hole-punch/hp-peer-private.h"

/* NULL, with a warning-like @error: the turn-servers make no sense */
HpPeerRelay *hp_peer_relay_new (HpPeer *peer, GError **error);
/* The peer has begun: its endpoint is there */
void hp_peer_relay_begin (HpPeer *peer);
/* What still goes through it, went before */
void hp_peer_relay_free (HpPeerRelay *self);

/* Who relays, or how we are seen, may be another one now: asks again what a
 * relay will need to know */
void hp_peer_relay_prepare (HpPeer *peer);
/* Somebody is being called, or calls: a relay may be needed soon */
void hp_peer_relay_need (HpPeer *peer);
/* The other side may send to us from there */
void hp_peer_relay_permit (HpPeer *peer, const HpWireCandidates *candidates);
/* No match server is reached but through it */
gboolean hp_peer_relay_is_relied_on (HpPeer *peer);
/* Only through relays, whatever comes */
gboolean hp_peer_relay_is_only (HpPeer *peer);
/* TRUE: there are TURN servers of the user's own */
gboolean hp_peer_relay_has_servers (HpPeer *peer);
/* Why there is none at present, NULL: nothing speaks against it */
const GError *hp_peer_relay_get_error (HpPeer *peer);

/* All servers that may be used, of HpRelayServer; (transfer full) */
GPtrArray *hp_peer_relay_list_servers (HpPeer *peer);
/* The one that lets us in at present; NULL: none does */
const HpRelay *hp_peer_relay_get_ready (HpPeer *peer);

/* hp-peer-match.c: a match server has let us in, has gone, has answered */
void hp_peer_relay_match_connected (HpPeer *peer, HpMatchClient *client);
void hp_peer_relay_match_lost (HpPeer *peer);
void hp_peer_relay_lent (HpPeer *peer, const HpLentRelays *relays);
/* A new match server is told of the relay, if there is one */
void hp_peer_relay_equip (HpPeer *peer, HpMatchClient *client);

/* Through the endpoint's main socket: TRUE if it is the TURN server's */
gboolean hp_peer_relay_receive (HpPeer *peer, const HpDatagram *datagram,
                                gint64 now);
