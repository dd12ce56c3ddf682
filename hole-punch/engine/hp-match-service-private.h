/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The match service's inside, shared by its conductor (hp-match-service.c),
 * registering (hp-match-registering.c), introducing
 * (hp-match-introducing.c), relays (hp-match-relaying.c) and knocking
 * (hp-match-knocking.c).
 */

#pragma once

#include "hole-punch/base/hp-rate-limiter.h"
#include "hole-punch/engine/hp-match-asks.h"
#include "hole-punch/engine/hp-match-questions.h"
#include "hole-punch/engine/hp-match-service.h"
#include "hole-punch/engine/hp-match-sessions.h"
#include "hole-punch/engine/hp-outbox.h"

/* A holder of an ephemeral id that somebody else wants has so long to show
 * that it is there */
#define HP_MATCH_CHALLENGE_TIMEOUT (3 * G_TIME_SPAN_SECOND)
/* How long a callee may take to REPLY, and repeats of an ASK are known as such
 */
#define HP_MATCH_ASK_LIFETIME (30 * G_TIME_SPAN_SECOND)

typedef enum
{
  HP_MATCH_CLAIM_AUTHORIZING, /* the application decides */
  HP_MATCH_CLAIM_CLAIMING,    /* the registry is asked */
  HP_MATCH_CLAIM_CHALLENGING, /* the ephemeral holder is PINGed */
} HpMatchClaimState;

/* A REGISTER under way */
struct _HpMatchClaim
{
  HpMatchSession *session;
  HpMatchClaimState state;
  guint64 request;
  guint flags;
  char id[HP_ID_MAX_SIZE + 1];
  guint64 handle; /* of its question; 0: none */
  gint64 challenged_at;
  guint pings;
  GList link; /* among the challenges */
};

struct _HpMatchService
{
  HpMatchServiceConfig config;
  HpCookieJar jar;
  guint8 ticket_secret[HP_KEY_SIZE];
  HpMatchPlaces places;
  gboolean asks_registration;
  gboolean asks_introduction;
  gboolean is_closing;

  HpSessionCiphers *ciphers; /* of all sessions by turns */
  HpMatchSessions sessions;
  HpMatchPresences presences;
  HpMatchAsks asks;
  HpMatchQuestions questions;
  GQueue challenges; /* HpMatchClaim, by challenged_at */
  HpOutbox outbox;
  GQueue events; /* HpServiceEvent */

  HpRateLimiter *handshakes;         /* of a prefix */
  HpRateLimiter *registers;          /* of an identity */
  HpRateLimiter *asks_of_identity;
  HpRateLimiter *asks_of_prefix;
  HpRateLimiter *relays_of_identity;
  HpRateLimiter *relays_of_prefix;
  HpRateLimiter *knocks_of_identity;
  HpRateLimiter *knocks_to_prefix;
  HpRateLimiter *stun;               /* to a prefix */
  HpRateLimiter *unknown;            /* to a prefix */
  HpServiceStatistics statistics;
};

/* hp-match-service.c */

/* Seals @frame; a full outbox is like a loss on the network. */
void hp_match_service_send_to (HpMatchService *self, HpMatchSession *session,
                               const HpRoute *route, const HpFrame *frame,
                               gint64 now);
/* To where the session is proven to be */
void hp_match_service_send_frame (HpMatchService *self,
                                  HpMatchSession *session,
                                  const HpFrame *frame, gint64 now);
void hp_match_service_send_refused (HpMatchService *self,
                                    HpMatchSession *session, guint64 request,
                                    HpRefusedCode code, gint64 now);
void hp_match_service_send_close (HpMatchService *self,
                                  HpMatchSession *session, HpCloseCode code,
                                  gint64 now);
/* An event to be filled by the caller, already in the queue */
HpServiceEvent *hp_match_service_add_event (HpMatchService *self,
                                            HpServiceEventType type);
/* What @session has said of its NATs just now */
void hp_match_service_note_nat (HpMatchSession *session, const HpNatFacts *nat,
                                gint64 now);
/* Ends session, presence and claim */
void hp_match_service_drop_session (HpMatchService *self,
                                    HpMatchSession *session, gint64 now);

/* hp-match-registering.c */

void hp_match_service_receive_register (HpMatchService *self,
                                        HpMatchSession *session,
                                        const HpFrame *frame, gint64 now);
void hp_match_service_receive_unregister (HpMatchService *self,
                                          HpMatchSession *session,
                                          const HpFrame *frame, gint64 now);
void hp_match_service_claim_answered (HpMatchService *self,
                                      HpMatchClaim *claim,
                                      const guint8 *holder,
                                      HpRefusedCode code, gint64 now);
void hp_match_service_claim_authorized (HpMatchService *self,
                                        HpMatchClaim *claim, gboolean allow,
                                        gint64 now);
/* The session's REGISTER is forgotten, without an answer */
void hp_match_service_cancel_claim (HpMatchService *self, HpMatchClaim *claim);
/* EXPIRED, and RELEASE if the holder was ephemeral */
void hp_match_service_end_presence (HpMatchService *self,
                                    HpMatchSession *session);
/* The holder of a challenged id was heard of */
void hp_match_service_settle_challenges (HpMatchService *self,
                                         HpMatchPresence *presence,
                                         gint64 now);
void hp_match_service_expire_challenges (HpMatchService *self, gint64 now);
gint64 hp_match_service_get_challenge_deadline (const HpMatchService *self);
void hp_match_service_expire_presences (HpMatchService *self, gint64 now);

/* hp-match-introducing.c */

void hp_match_service_receive_ask (HpMatchService *self,
                                   HpMatchSession *session,
                                   const HpFrame *frame, gint64 now);
void hp_match_service_receive_reply (HpMatchService *self,
                                     HpMatchSession *session,
                                     const HpFrame *frame, gint64 now);
void hp_match_service_ask_answered (HpMatchService *self, HpMatchAsk *ask,
                                    const guint8 *holder, HpRefusedCode code,
                                    gint64 now);
void hp_match_service_ask_authorized (HpMatchService *self, HpMatchAsk *ask,
                                      gboolean allow, gint64 now);
void hp_match_service_expire_asks (HpMatchService *self, gint64 now);

/* hp-match-relaying.c */

void hp_match_service_receive_relay_request (HpMatchService *self,
                                             HpMatchSession *session,
                                             const HpFrame *frame,
                                             gint64 now);

/* hp-match-knocking.c */

/* @asked: where the KNOCK came from and to */
void hp_match_service_receive_knock (HpMatchService *self,
                                     HpMatchSession *session,
                                     const HpRoute *asked,
                                     const HpFrame *frame, gint64 now);
