/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The match service's inside, shared by its conductor (hp-match-service.c),
 * registering (hp-match-registering.c), introducing
 * (hp-match-introducing.c), relays (hp-match-relaying.c), knocking
 * (hp-match-knocking.c), limits (hp-match-limiting.c) and what it tells
 * (hp-match-events.c).
 */

#pragma once

#include "hole-punch/base/hp-rate-limiter.h"
#include "hole-punch/engine/hp-match-asks.h"
#include "hole-punch/engine/hp-match-networks.h"
#include "hole-punch/engine/hp-match-presences.h"
#include "hole-punch/engine/hp-match-questions.h"
#include "hole-punch/engine/hp-match-service.h"
#include "hole-punch/engine/hp-outbox.h"

/* A holder of an ephemeral id that somebody else wants has so long to show
 * that it is there */
#define HP_MATCH_CHALLENGE_TIMEOUT (3 * G_TIME_SPAN_SECOND)

/* Of an ASK, that are passed on: as many as an honest caller makes while it is
 * remembered */
#define HP_MATCH_MAX_REPEATS 40

/* How long it takes there and back, as it was lately */
typedef struct
{
  char server[HP_MATCH_SERVER_NAME_MAX_SIZE + 1];
  gint64 round_trip; /* µs; 0: not known */
} HpMatchWay;

#define HP_MATCH_WAYS 64

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
  guint8 review; /* as it was when it came */
  guint flags;
  char id[HP_ID_MAX_SIZE + 1];
  HpAddress network; /* counts as registered from there; NONE: it does not */
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
  guint n_elsewhere; /* peers of other workers */

  HpMatchSessions sessions;
  HpMatchPresences presences;
  HpMatchNetworks networks; /* where presences and claims are from */
  HpMatchAsks asks;   /* of callers here */
  HpMatchAsks visits; /* of callers elsewhere, for callees here */
  HpMatchWay ways[HP_MATCH_WAYS]; /* to other servers, by a hash of the name */
  HpMatchQuestions questions;
  GQueue challenges; /* HpMatchClaim, by challenged_at */
  HpOutbox outbox;
  GQueue initiations; /* that wait for their turn */
  guint n_pulled;     /* since the last one had it */
  GQueue events, unused_events; /* hp-match-events.c */
  GList *taken_event; /* the last one */

  guint n_buckets; /* of each limiter */
  HpRateLimiter *handshakes;         /* of a prefix */
  HpRateLimiter *handshakes_together;
  HpRateLimiter *registers;          /* of an identity */
  HpRateLimiter *new_ids;            /* of a prefix */
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
/* What @session has said of its NATs just now */
void hp_match_service_note_nat (HpMatchSession *session, const HpNatFacts *nat,
                                gint64 now);
/* Ends session, presence and claim */
void hp_match_service_drop_session (HpMatchService *self,
                                    HpMatchSession *session, gint64 now);

/* hp-match-events.c */

/* An event to be filled by the caller, already in the queue */
HpServiceEvent *hp_match_service_add_event (HpMatchService *self,
                                            HpServiceEventType type);
/* A message for the service at @place */
void hp_match_service_forward (HpMatchService *self,
                               const HpMatchPlace *place, const guint8 *bytes,
                               gsize length);
/* ARRIVED or LEFT */
void hp_match_service_tell_whereabouts (HpMatchService *self,
                                        HpServiceEventType type,
                                        const HpMatchSession *session);
void hp_match_service_clear_events (HpMatchService *self);

/* hp-match-limiting.c */

/* As the config says */
void hp_match_service_set_limits (HpMatchService *self);
void hp_match_service_free_limits (HpMatchService *self);
gboolean hp_match_service_admit_handshake (HpMatchService *self,
                                           const HpAddress *address,
                                           gint64 now);
/* Another id: it may stay its owner's for long, present or not. */
gboolean hp_match_service_admit_id (HpMatchService *self,
                                    const HpAddress *address, gint64 now);
/* For one more registration */
gboolean hp_match_service_has_network_room (HpMatchService *self,
                                            const HpAddress *address);

/* hp-match-handshaking.c */

void hp_match_service_receive_initiation (HpMatchService *self,
                                          const HpDatagram *datagram,
                                          gint64 now);
/* The one that has waited for longest: there must be one */
void hp_match_service_answer_initiation (HpMatchService *self, gint64 now);
void hp_match_service_clear_initiations (HpMatchService *self);

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
/* Its presence, if any, is now that of @session, which is newer. */
void hp_match_service_inherit_presence (HpMatchService *self,
                                        HpMatchSession *older,
                                        HpMatchSession *session);
/* The session is elsewhere now, and what is registered with it. */
void hp_match_service_move_session (HpMatchService *self,
                                    HpMatchSession *session,
                                    const HpRoute *route);
/* EXPIRED, and RELEASE if the holder was ephemeral */
void hp_match_service_end_presence (HpMatchService *self,
                                    HpMatchSession *session);
/* EXPIRED only, and that only for the directory: the holder is at another
 * place, and the id still its own */
void hp_match_service_move_presence (HpMatchService *self,
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
                                    const guint8 *holder,
                                    const HpMatchPlace *place,
                                    HpRefusedCode code, gint64 now);
void hp_match_service_ask_authorized (HpMatchService *self, HpMatchAsk *ask,
                                      gboolean allow, gint64 now);
void hp_match_service_expire_asks (HpMatchService *self, gint64 now);
void hp_match_service_look_up (HpMatchService *self, HpMatchAsk *ask,
                               gint64 now);
/* Both of asks and visits: */
gboolean hp_match_service_has_room (HpMatchService *self, HpMatchAsks *asks);
HpMatchSession *hp_match_service_find_callee (HpMatchService *self,
                                              const HpMatchAsk *ask);
/* Whether that callee may be, and knows of it now */
void hp_match_service_meet (HpMatchService *self, HpMatchAsk *ask,
                            HpMatchSession *callee, gint64 now);
void hp_match_service_introduce (HpMatchService *self, HpMatchAsk *ask,
                                 gint64 now);
void hp_match_service_refuse_ask (HpMatchService *self, HpMatchAsk *ask,
                                  HpRefusedCode code, gint64 now);

/* hp-match-telling.c */

/* INTRODUCE and ANSWER, to whom it is for, if that is here */
void hp_match_service_send_introduce (HpMatchService *self, HpMatchAsk *ask,
                                      gint64 now);
void hp_match_service_send_answer (HpMatchService *self, HpMatchAsk *ask,
                                   gint64 now);
/* The same for another place to go on from: with all candidates. FALSE: whom
 * it is about is not here any more. */
gboolean hp_match_service_describe (HpMatchService *self, HpMatchAsk *ask,
                                    HpFrame *frame, gint64 now);

/* hp-match-forwarding.c */

/* The callee of @ask is at @place */
void hp_match_service_call (HpMatchService *self, HpMatchAsk *ask,
                            const guint8 *callee, const HpMatchPlace *place,
                            gint64 now);
void hp_match_service_send_call (HpMatchService *self, HpMatchAsk *ask,
                                 gint64 now);
/* What has become of a visit, to the caller's service */
void hp_match_service_send_outcome (HpMatchService *self, HpMatchAsk *visit,
                                    gint64 now);

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
