/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Those who call us, by an introduction of a match server or directly: may
 * they come in? Also the questions themselves, which calls of ours put too.
 *
 *   INTRODUCED ──▸ known ───────────────────────────────▸ link
 *       │           ▴
 *       ├─ handler ─┴▸ question ── allow ──▸ REPLY yes ── INTRODUCED ─▸ link
 *       │                  └────── deny ───▸ REPLY no
 *       └─ too many strangers: dropped
 */

#pragma once

#include "hole-punch/hp-peer-links-private.h"
#include "hole-punch/hp-peer-match-private.h"

void hp_peer_visitors_introduced (HpPeer *peer, HpPeerMatch *match,
                                  const HpMatchIntroduction *introduction,
                                  gint64 now);
/* A direct call to us has told who it is */
void hp_peer_visitors_identified (HpPeerLink *link);
/* HELLO, and INITIATION with ticket number 0; TRUE if it was for us */
gboolean hp_peer_visitors_receive (HpPeer *peer, const HpDatagram *datagram,
                                   gint64 now);
/* An empty array of them; (transfer full) */
GPtrArray *hp_peer_visitors_new (void);
GArray *hp_peer_visitors_new_settled (void);

typedef struct
{
  const char *id; /* NULL: none */
  const guint8 *key;
  const char *wanted_id; /* NULL: none */
} HpPeerQuestion;

/* A number for a question that is going to be asked */
guint64 hp_peer_questions_next (HpPeer *peer);
/* Asks the application; the answer goes to whoever has the number, perhaps
 * before this returns */
void hp_peer_questions_ask (HpPeer *peer, guint64 number,
                            const HpPeerQuestion *question);
