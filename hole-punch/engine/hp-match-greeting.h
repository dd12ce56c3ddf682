/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A match client's HELLOs: to all the server's addresses, the families in turn
 * (RFC 8305 in small), until one has answered; after that one to the family
 * that lost, whose COOKIE proves our address of that family.
 */

#pragma once

#include "hole-punch/engine/hp-match-client.h"
#include "hole-punch/nat/hp-candidate.h"

typedef struct
{
  gboolean is_known;
  HpAddress observed;
  guint8 proof[HP_PROOF_SIZE]; /* the server's cookie for it */
  gint64 proven_at;
} HpMatchProof;

typedef struct
{
  guint n_greeters;
  HpGreeter greeters[HP_MATCH_MAX_ADDRESSES];
  guint8 server_family; /* that of the session; HP_ADDRESS_NONE: none won yet */
  gint64 prove_until;   /* a HELLO for a proof is given up then */
  HpMatchProof ipv4;
  HpMatchProof ipv6;
} HpMatchGreeting;

/* Stops; greets nobody before it is started */
void hp_match_greeting_set_addresses (HpMatchGreeting *self,
                                      const HpAddress *addresses, guint n,
                                      const HpRandom *random);
gboolean hp_match_greeting_has_address (const HpMatchGreeting *self,
                                        const HpAddress *address);
void hp_match_greeting_start (HpMatchGreeting *self, const HpRandom *random,
                              gint64 now);
/* The server at @server has won: only the other family goes on */
void hp_match_greeting_settle (HpMatchGreeting *self,
                               const HpAddress *server, gint64 now);
void hp_match_greeting_stop (HpMatchGreeting *self);
/* Has our address of the other family proven again, unless that is under way
 */
void hp_match_greeting_prove (HpMatchGreeting *self, const HpRandom *random,
                              gint64 now);
/* A COOKIE for one of the greeters, which stops; NULL: not ours */
HpGreeter *hp_match_greeting_receive (HpMatchGreeting *self,
                                      const HpDatagram *datagram, gint64 now,
                                      HpCookiePacket *cookie,
                                      gint64 *round_trip);
/* The COOKIE is of the session's own server: its proof is good */
void hp_match_greeting_take_proof (HpMatchGreeting *self,
                                   const HpCookiePacket *cookie, gint64 now);
/* Adds our proven addresses, but not that of the session's own family, which
 * the server sees itself */
void hp_match_greeting_add_candidates (const HpMatchGreeting *self,
                                       HpWireCandidates *candidates,
                                       gint64 now);
gboolean hp_match_greeting_pull (HpMatchGreeting *self, HpOutgoing *outgoing,
                                 gint64 now);
gint64 hp_match_greeting_get_deadline (const HpMatchGreeting *self);
void hp_match_greeting_expire (HpMatchGreeting *self, gint64 now);
