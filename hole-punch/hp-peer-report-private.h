/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a peer can tell of its network, and of calls that failed. */

#pragma once

#include "hole-punch/hp-network-report-private.h"
#include "hole-punch/hp-peer-call-private.h"

/* What an active peer knows, without asking anybody; initialises @values. All
 * but STUN servers, and of relays no more than that one is in use. */
void hp_peer_report_collect (HpPeer *peer, HpNetworkReportValues *values);
/* HpPeer:network-report is another one; takes it over, and does not notify. */
void hp_peer_report_set (HpPeer *peer, HpNetworkReport *report);
/* … of a call that failed; @attempts are taken over, NULL: none */
void hp_peer_report_failure (HpPeer *peer, GPtrArray *attempts);
/* (transfer full), without the password */
char *hp_peer_report_name_relay (const HpRelayServer *server);

/* hp-peer-attempts.c: sentences (char *) of what a call has tried, and why each
 * came to nothing; (transfer full) */
GPtrArray *hp_peer_call_list_attempts (HpPeerCall *call);
/* Of its match servers that do not answer */
void hp_peer_attempts_add_servers (HpPeer *peer, GPtrArray *attempts);
