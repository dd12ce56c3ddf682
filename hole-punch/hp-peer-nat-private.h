/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a started peer knows of its NATs: whom the discovery asks, and who is
 * told of what it finds.
 */

#pragma once

#include "hole-punch/hp-peer-private.h"

typedef struct _HpPeerNat HpPeerNat;

/* host, host:port or [address]:port, separated by commas; (transfer full)
 * (element-type GNetworkAddress); @text may be NULL */
GPtrArray *hp_stun_servers_parse (const char *text, GError **error);

/* While the peer is active only. @stun_servers as of hp_stun_servers_parse() */
void hp_peer_nat_start (HpPeer *peer, GPtrArray *stun_servers);
void hp_peer_nat_stop (HpPeer *peer);
/* After it: what is known holds no more */
void hp_peer_nat_forget (HpPeer *peer);
void hp_peer_nat_set_stun_servers (HpPeer *peer, GPtrArray *stun_servers);
/* A match server let us in, or ours are others */
void hp_peer_nat_update_servers (HpPeer *peer);
void hp_peer_nat_network_changed (HpPeer *peer);
/* A match server sees us as another address */
void hp_peer_nat_observed (HpPeer *peer, const HpAddress *observed);
/* The STUN server number @i of HpPeer:stun-servers; (transfer full) @name;
 * @address is NONE while it is not resolved. FALSE: there is none. */
gboolean hp_peer_nat_get_stun_server (HpPeer *peer, guint i, char **name,
                                      HpAddress *address);
/* Nothing is being found out just now */
gboolean hp_peer_nat_is_done (HpPeer *peer);
/* Others are about to be told of our ports */
void hp_peer_nat_sample (HpPeer *peer);
/* A match server has knocked (HP_KNOCK_…) */
void hp_peer_nat_knocked (HpPeer *peer,
                          const guint8 transaction[HP_STUN_TRANSACTION_SIZE],
                          guint64 flags, gint64 now);
/* TRUE: it was an answer to a question of ours */
gboolean hp_peer_nat_receive (HpPeer *peer, const HpDatagram *datagram,
                              gint64 now);
/* FALSE: nothing is known (all zeros); the age is as of @now */
gboolean hp_peer_nat_get_facts (HpPeer *peer, HpNatFacts *facts, gint64 now);
