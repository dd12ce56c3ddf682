/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The connections of a peer: open ones, which the user sees, and those in the
 * making, which may come to nothing without anybody's being told.
 */

#pragma once

#include "hole-punch/hp-peer-private.h"

/* What the peer notes of one connection */
typedef struct
{
  HpPeer *peer; /* not owned: the connection holds it */
  HpConnection *connection;
  gboolean is_open;     /* was ready: the user knows it */
  gboolean is_visited;  /* the other side called (too) */
  gboolean is_stranger; /* … without our knowing it */
  HpAddress from;       /* of a stranger, or of a direct call */
  /* A direct call to us */
  gboolean is_direct;
  guint32 remote_index; /* its INITIATION's sender */
  guint64 question;     /* may it come in? 0: not asked */
} HpPeerLink;

typedef struct
{
  const guint8 *key;     /* NULL: a direct call to us, not known yet */
  const char *remote_id; /* NULL: none */
  gint64 asked_at;
  gboolean is_stranger;  /* who calls us without our knowing it */
} HpPeerLinkName;

/* An empty array of them; (transfer full) */
GPtrArray *hp_peer_links_new (void);
HpPeerLink *hp_peer_links_add (HpPeer *peer, const HpPeerLinkName *name,
                               gint64 now);
/* Hands an introduction to the connection's link */
void hp_peer_links_introduce (HpPeerLink *link,
                              const HpIntroduction *introduction, gint64 now);

/* NULL: there is none. An open one is not closing. */
HpPeerLink *hp_peer_links_find_open (HpPeer *peer, const guint8 *key);
HpPeerLink *hp_peer_links_find_open_id (HpPeer *peer, const char *id);
HpPeerLink *hp_peer_links_find_pending (HpPeer *peer, const guint8 *key);
HpPeerLink *hp_peer_links_find_ticket (HpPeer *peer, guint64 number);
HpPeerLink *hp_peer_links_find_direct (HpPeer *peer, const HpAddress *from,
                                       guint32 remote_index);
HpPeerLink *hp_peer_links_find (HpPeer *peer, HpConnection *connection);

/* Strangers in the making, all of them and those of @from's prefix */
void hp_peer_links_count_strangers (HpPeer *peer, const HpAddress *from,
                                    guint *all, guint *of_prefix);
gboolean hp_peer_links_same_prefix (const HpAddress *a, const HpAddress *b);

void hp_peer_links_close_all (HpPeer *peer);
void hp_peer_links_network_changed (HpPeer *peer);
/* There are others than before */
void hp_peer_links_offer_candidates (HpPeer *peer);
/* What is known of our NAT, and the carriers of our relays: for all
 * connections, those to come too */
void hp_peer_links_set_nat (HpPeer *peer, const HpNatFacts *nat);
void hp_peer_links_add_relay (HpPeer *peer, guint number);
void hp_peer_links_remove_relay (HpPeer *peer, guint number);
/* An introduction, as a link takes it */
void hp_peer_links_convert (HpIntroduction *introduction,
                            const HpMatchIntroduction *match,
                            gboolean is_caller);

/* Shared by all peers of the process */
HpNatBudget *hp_peer_links_get_budget (void);
guint hp_peer_links_get_max_nat_entries (void);
void hp_peer_links_set_max_nat_entries (guint max_nat_entries);
