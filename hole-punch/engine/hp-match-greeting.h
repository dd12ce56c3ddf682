/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A match client's HELLOs: to all the server's addresses, the families in turn
 * (RFC 8305 in small), until one has answered; after that one to the family
 * that lost, whose COOKIE proves our address of that family.
 *
 * Several addresses of one family are several servers, as good as each other:
 * which of them is first is left to chance, so that every server gets its
 * share. One that was found wanting is asked last, and not before some time has
 * passed while there are others.
 *
 * One more goes through a relay, if there is one: its COOKIE proves the relayed
 * address, and where no UDP gets out it may be the only one.
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

/* One address of the server's */
typedef struct
{
  HpGreeter greeter;
  gint64 shunned_until; /* in favour of the others */
} HpMatchTarget;

typedef struct
{
  guint n_targets;
  HpMatchTarget targets[HP_MATCH_MAX_ADDRESSES]; /* in the order of asking */
  guint8 server_family; /* that of the session; HP_ADDRESS_NONE: none won yet */
  gint64 prove_until;   /* a HELLO for a proof is given up then */
  HpMatchProof ipv4;
  HpMatchProof ipv6;
  gboolean by_relay;  /* the session goes through the relay */
  gboolean relay_only; /* the server shall see nothing but the relay … */
  gboolean asks_for_relays; /* … unless it is to be had from the server */
  guint relay_socket;  /* 0: there is none */
  HpAddress relay_address; /* as others see it */
  HpGreeter relay_greeter;
  guint relay_turn; /* which of the targets it is that is greeted through it */
  HpMatchProof relay;
} HpMatchGreeting;

/* Stops; greets nobody before it is started */
void hp_match_greeting_set_addresses (HpMatchGreeting *self,
                                      const HpAddress *addresses, guint n,
                                      const HpRandom *random);
gboolean hp_match_greeting_has_address (const HpMatchGreeting *self,
                                        const HpAddress *address);
/* Another server than the one at @address: one of its family, since the other
 * family's is likely to be the same one, and not shunned at @now */
gboolean hp_match_greeting_has_other (const HpMatchGreeting *self,
                                      const HpAddress *address, gint64 now);
/* For the next start */
void hp_match_greeting_put_first (HpMatchGreeting *self,
                                  const HpAddress *address);
void hp_match_greeting_put_last (HpMatchGreeting *self,
                                 const HpAddress *address,
                                 gint64 shunned_until);
void hp_match_greeting_start (HpMatchGreeting *self, const HpRandom *random,
                              gint64 now);
/* The server has won by @route: only what it does not prove goes on */
void hp_match_greeting_settle (HpMatchGreeting *self, const HpRoute *route,
                               gint64 now);
void hp_match_greeting_stop (HpMatchGreeting *self);
/* Another relay; @socket 0: none any more. It is greeted through at once. */
void hp_match_greeting_set_relay (HpMatchGreeting *self, guint socket,
                                  const HpAddress *address,
                                  const HpRandom *random, gint64 now);
/* Has our other addresses proven again, unless that is under way */
void hp_match_greeting_prove (HpMatchGreeting *self, const HpRandom *random,
                              gint64 now);
/* A COOKIE for one of the greeters, which stops; NULL: not ours */
HpGreeter *hp_match_greeting_receive (HpMatchGreeting *self,
                                      const HpDatagram *datagram, gint64 now,
                                      HpCookiePacket *cookie,
                                      gint64 *round_trip);
/* The COOKIE that @greeter got is of the session's own server: its proof is
 * good */
void hp_match_greeting_take_proof (HpMatchGreeting *self,
                                   const HpGreeter *greeter,
                                   const HpCookiePacket *cookie, gint64 now);
/* Adds our proven addresses, but not that of the session's own family, which
 * the server sees itself; if that is the relay's, it is told so */
void hp_match_greeting_add_candidates (const HpMatchGreeting *self,
                                       HpWireCandidates *candidates,
                                       gint64 now);
gboolean hp_match_greeting_pull (HpMatchGreeting *self, HpOutgoing *outgoing,
                                 const HpRandom *random, gint64 now);
gint64 hp_match_greeting_get_deadline (const HpMatchGreeting *self);
void hp_match_greeting_expire (HpMatchGreeting *self, gint64 now);
