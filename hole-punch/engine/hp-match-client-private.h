/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The match client's inside, shared by its states (hp-match-client.c) and what
 * comes from the server (hp-match-client-receive.c). */

#pragma once

#include "hole-punch/engine/hp-match-greeting.h"
#include "hole-punch/engine/hp-match-requests.h"
#include "hole-punch/nat/hp-candidate.h"

typedef enum
{
  HP_MATCH_IDLE,
  HP_MATCH_GREETING,
  HP_MATCH_SHAKING,
  HP_MATCH_CONNECTED,
  HP_MATCH_RESTING,
  HP_MATCH_CLOSED,
} HpMatchState;

struct _HpMatchClient
{
  HpMatchClientConfig config;
  HpMatchState state;
  GQueue events; /* HpMatchEvent */
  HpMatchGreeting greeting;
  HpMatchRequests requests;
  HpWireCandidates hosts;
  HpNatFacts nat; /* as of @nat_at */
  gint64 nat_at;
  gint64 rest_until;
  gboolean has_server_key; /* pinned, or of the first session */
  guint8 server_key[HP_KEY_SIZE];
  gboolean told_wrong_key; /* in this round of greetings */

  /* SHAKING */
  HpHandshake *handshake;
  guint8 handshake_key[HP_KEY_SIZE];
  HpRoute handshake_route; /* its socket is 0, or the relay's */
  guint8 handshake_token[HP_TOKEN_SIZE];
  gint64 handshake_at; /* when the INITIATION is to be sent (again) */
  gint64 handshake_interval;
  gint64 handshake_until;
  guint failures; /* handshakes and short sessions in a row */

  /* The session: of CONNECTED, or an old one that may come back */
  HpSession *session;
  HpRoute route; /* to the server; its socket as above */
  gint64 lost_at;  /* then the old one is given up */
  gint64 connected_at;
  gint64 heard_at;
  gint64 ping_at;
  gint64 phase; /* of the regular PINGs, until the first one */
  gint64 pinged_at; /* of the only PING that waits; 0: none, or several */
  gint64 kept_at;   /* of the last regular PING */
  guint unanswered; /* PINGs since anything was heard */
  guint patience;   /* so many of them */
  gint64 hinted_at; /* by an UNKNOWN */
  gint64 round_trip;
  gboolean has_observed;
  HpAddress observed;
  gboolean has_challenge;
  guint8 challenge[HP_TOKEN_SIZE];
  guint farewells; /* CLOSEs still to be sent */
  gboolean has_knock; /* to be sent */
  HpFrame knock;

  /* Relays that the server lends */
  guint64 relay_request; /* its number, 0: not asked */
  gint64 relay_request_at; /* when it is to be sent (again), NEVER: not */
  gint64 relay_request_interval;
  HpLentRelays relays;
};

/* hp-match-client.c */

/* An event to be filled by the caller, already in the queue */
HpMatchEvent *hp_match_client_add_event (HpMatchClient *self,
                                         HpMatchEventType type);
void hp_match_client_greet (HpMatchClient *self, gint64 now);
/* FALSE: no cipher suite in common */
gboolean hp_match_client_shake (HpMatchClient *self,
                                const HpCookiePacket *cookie,
                                const HpRoute *route, gint64 now);
/* Takes @session */
void hp_match_client_connected (HpMatchClient *self, HpSession *session,
                                gint64 now);
/* Greets once @until is there; the session is over */
void hp_match_client_rest (HpMatchClient *self, gint64 until);
/* An authentic packet came in the session */
void hp_match_client_heard (HpMatchClient *self, gint64 now);
/* PING at once, and be less patient about the answer */
void hp_match_client_hurry (HpMatchClient *self, gint64 now);
void hp_match_client_set_observed (HpMatchClient *self,
                                   const HpAddress *observed);
void hp_match_client_measured (HpMatchClient *self, gint64 round_trip);

/* hp-match-client-leaving.c */

/* The server sent a CLOSE: greets again in a while, or not at all */
void hp_match_client_dismissed (HpMatchClient *self, HpCloseCode code,
                                gint64 now);
/* A COOKIE, but no RESPONSE */
void hp_match_client_handshake_failed (HpMatchClient *self, gint64 now);
/* PINGs unanswered */
void hp_match_client_silent (HpMatchClient *self, gint64 now);

/* hp-match-client-knock.c */

void hp_match_client_write_knock (HpMatchClient *self, HpWriter *writer);
void hp_match_client_receive_knocked (HpMatchClient *self,
                                      const HpFrame *frame);

/* hp-match-client-relay.c */

/* Nothing but the question for relays may be said to the server, and that we
 * are not to be found: it sees where we are */
gboolean hp_match_client_is_held (const HpMatchClient *self);
void hp_match_client_write_relay_request (HpMatchClient *self,
                                          HpWriter *writer, gint64 now);
void hp_match_client_receive_relays (HpMatchClient *self,
                                     const HpFrame *frame, gint64 now);
/* FALSE: it is something else that was refused */
gboolean hp_match_client_relays_refused (HpMatchClient *self,
                                         guint64 request);

/* hp-match-client.c */
/* What to tell of our NATs */
void hp_match_client_get_nat (const HpMatchClient *self, HpNatFacts *nat,
                              gint64 now);
/* What to tell of our addresses */
void hp_match_client_get_candidates (HpMatchClient *self,
                                     HpWireCandidates *candidates,
                                     gint64 now);
