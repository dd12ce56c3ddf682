/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A port of the gateway's that leads to a started peer, asked for once there is
 * reason to think that there is a NAT: a match server sees another address than
 * ours, or is in the Internet while our own address is private.
 */

#pragma once

#include "hole-punch/hp-peer-private.h"

/* A match server was found, or sees us */
void hp_peer_mapping_consider (HpPeer *peer);
void hp_peer_mapping_network_changed (HpPeer *peer);
/* A match server sees us as another address than before */
void hp_peer_mapping_check (HpPeer *peer);
/* Has the mapping removed; the peer is not closed before
 * hp_peer_mapping_is_gone(), which hp_peer_links_gone() is told of */
void hp_peer_mapping_stop (HpPeer *peer);
gboolean hp_peer_mapping_is_gone (HpPeer *peer);

/* What may be told to others; NULL: none, or it is no way in from the
 * Internet, as there is a further NAT */
const HpAddress *hp_peer_mapping_get_candidate (HpPeer *peer);
/* What the gateway gave, wherever that may be; NULL: nothing */
const HpAddress *hp_peer_port_mapping_get_external (HpPeer *peer);
/* "pcp", "nat-pmp" or "upnp"; NULL: none */
const char *hp_peer_port_mapping_get_protocol (HpPeer *peer);
