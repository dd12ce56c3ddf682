/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Finds out what NATs are between an endpoint and the Internet, by asking
 * STUN servers: its match servers, and others if there are any.
 *
 *   socket 0 ──▸ all servers        as what are we seen, and where else can
 *        │                          they be asked?
 *        │ the same address as our own: no NAT, and done
 *        ▾
 *   socket 0 ──▸ the other port (and address) of the first server
 *   4 fresh sockets ──▸ the first server         one after the other
 *        │                                       ──▸ two of them to the other's
 *        │                                           mapping: hairpin
 *        │                                       ◂── knocks at one: filtering
 *        ├── ports preserved, or the same ─▸ done
 *        ├── one after the other ──▸ 1 more, a second later: how busy is it?
 *        └── any ──▸ 12 more: are they all out of one block?
 *
 * Every fresh pair of socket and server is an entry in a NAT: about six, for a
 * symmetric one about twenty, taken from the budget; without budget less is
 * found out.
 *
 * Filtering is tried out beside all this, even without a NAT, since there may
 * be a firewall; then, for minutes, how long a mapping lives in silence
 * (hp-nat-trial.h).
 *
 * A party of its endpoint. Answers come in as strays:
 * hp_nat_discovery_receive().
 */

#pragma once

#include "hole-punch/base/hp-random.h"
#include "hole-punch/engine/hp-endpoint.h"
#include "hole-punch/nat/hp-nat-budget.h"
#include "hole-punch/wire/hp-frame.h"

#define HP_NAT_MAX_SERVERS 4

typedef struct _HpNatDiscovery HpNatDiscovery;

/* There are other facts than before. From the endpoint's dispatch; may do
 * anything, freeing the discovery included. */
typedef void (*HpNatChangedFunc) (gpointer user_data, gint64 now);

/* Asks @server for what the frame KNOCK says; FALSE: we have no session with
 * it */
typedef gboolean (*HpNatKnockFunc) (gpointer user_data,
                                    const HpAddress *server,
                                    const HpFrame *knock, gint64 now);

/* @budget may be NULL */
HpNatDiscovery *hp_nat_discovery_new (HpEndpoint *endpoint,
                                      HpNatBudget *budget,
                                      const HpRandom *random,
                                      HpNatChangedFunc changed,
                                      gpointer user_data);
void hp_nat_discovery_free (HpNatDiscovery *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpNatDiscovery, hp_nat_discovery_free)

/* Without it, neither filtering nor lifetimes are found out. */
void hp_nat_discovery_set_knock (HpNatDiscovery *self, HpNatKnockFunc knock);

/* Whom to ask, the most important first; with the first @n_known of them we
 * talk already. Another first one begins it all anew. Those of another family
 * than the first are of no use. */
void hp_nat_discovery_set_servers (HpNatDiscovery *self,
                                   const HpAddress *servers, guint n,
                                   guint n_known, gint64 now);
/* The network may be another one now: forgets all and begins anew, soon */
void hp_nat_discovery_restart (HpNatDiscovery *self, gint64 now);
/* As what the first server sees socket 0 at present: when the host is another
 * one it begins anew */
void hp_nat_discovery_observed (HpNatDiscovery *self,
                                const HpAddress *observed, gint64 now);
/* Somebody is about to aim at a port of ours: where ports come in sequence, it
 * asks for the present one, with a fresh socket */
void hp_nat_discovery_sample (HpNatDiscovery *self, gint64 now);
/* TRUE: it was an answer */
gboolean hp_nat_discovery_receive (HpNatDiscovery *self,
                                   const HpDatagram *datagram, gint64 now);

/* A server has answered a KNOCK */
void hp_nat_discovery_knocked (
    HpNatDiscovery *self, const guint8 transaction[HP_STUN_TRANSACTION_SIZE],
    guint64 flags, gint64 now);

/* FALSE: nothing is known; the age is as of @now */
gboolean hp_nat_discovery_get_facts (const HpNatDiscovery *self,
                                     HpNatFacts *facts, gint64 now);
/* As what the first server saw socket 0; NULL: not known */
const HpAddress *
hp_nat_discovery_get_mapped (const HpNatDiscovery *self);
/* The silence, in seconds, that a mapping is known to have outlived; 0: not
 * known */
guint hp_nat_discovery_get_lifetime (const HpNatDiscovery *self);
/* Nothing is being asked just now; a mapping may be left in silence */
gboolean hp_nat_discovery_is_done (const HpNatDiscovery *self);
