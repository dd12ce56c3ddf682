/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One attempt to reach another peer, for everybody who wants to reach it.
 *
 *   STARTING ─▸ ASKING ── ANSWER ──┬────────────────▸ LINKING ── READY ─▸ done
 *                 ▴                ▾                     ▴
 *                 └── too old ── DECIDING (handler) ─────┘
 *
 * A direct call asks the peer itself, by HELLO, and links at its COOKIE. A
 * recovery has nobody waiting: it looks for a new path for a connection that
 * has fallen silent.
 */

#pragma once

#include "hole-punch/hp-peer-links-private.h"
#include "hole-punch/hp-peer-match-private.h"
#include "hole-punch/hp-peer-target-private.h"
#include "hole-punch/hp-peer-waiters-private.h"
#include "hole-punch/link/hp-greeter.h"

typedef enum
{
  HP_PEER_CALL_STARTING,
  HP_PEER_CALL_ASKING,
  HP_PEER_CALL_DECIDING,
  HP_PEER_CALL_LINKING,
} HpPeerCallState;

/* A question to one server */
typedef struct
{
  HpPeerMatch *match;
  guint64 request;
  gboolean is_refused;
} HpPeerAsk;

typedef struct
{
  HpPeer *peer; /* not owned: there are no calls when it is idle */
  HpPeerCallState state;
  HpPeerTarget target;
  HpWaiters waiters;
  gint64 asked_at;
  GSource *timeout;

  /* hp-peer-asking.c */
  GArray *asks; /* HpPeerAsk */
  GSource *next_source;
  GError *refusal; /* the most telling one so far */
  HpMatchIntroduction introduction;
  HpPeerAsk answered; /* the ask that won; match NULL: none yet */
  guint64 question;
  gboolean is_decided; /* the application let decided_key in */
  guint8 decided_key[HP_KEY_SIZE];

  HpConnection *connection; /* the one in the making, or to be recovered */
  gboolean recovers;
  GSource *give_up_source; /* an interrupted connection is not waited for */
  gboolean has_given_up;

  /* A direct call */
  gboolean is_direct;
  HpAddress address;
  HpGreeter greeter;
  HpParty greeter_party;
} HpPeerCall;

/* An empty array of them; (transfer full) */
GPtrArray *hp_peer_calls_new (void);
/* Those of now, not owned, to go over while some of them may end */
GPtrArray *hp_peer_calls_list (HpPeer *peer);
/* Take over @task, and what is in @target; the peer is active */
void hp_peer_call_target (HpPeer *peer, HpPeerTarget *target, GTask *task);
void hp_peer_call_address (HpPeer *peer, HpPeerTarget *target,
                           const HpAddress *address, GTask *task);
void hp_peer_call_recover (HpPeer *peer, HpConnection *connection);

/* The peer has started */
void hp_peer_calls_begin (HpPeer *peer);
/* All end; who waits for them is moved to @waiters */
void hp_peer_calls_end (HpPeer *peer, HpWaiters *waiters);
/* Whether we are calling this identity, with the user's consent */
gboolean hp_peer_calls_include (HpPeer *peer, const guint8 *key);

/* What match servers tell */
void hp_peer_calls_answered (HpPeer *peer, HpPeerMatch *match, guint64 request,
                             const HpMatchIntroduction *introduction);
void hp_peer_calls_refused (HpPeer *peer, HpPeerMatch *match, guint64 request,
                            HpRefusedCode code);
/* A server is not to be asked any more */
void hp_peer_calls_forget (HpPeer *peer, HpPeerMatch *match);
gboolean hp_peer_calls_receive (HpPeer *peer, const HpDatagram *datagram,
                                gint64 now);
void hp_peer_calls_decided (HpPeer *peer, guint64 question, gboolean allowed);

/* What connections tell: @connection has a path (again), or has ended */
void hp_peer_calls_reached (HpPeer *peer, HpConnection *connection);
void hp_peer_calls_lost (HpPeer *peer, HpConnection *connection,
                         const HpLinkEvent *event);

/* hp-peer-call.c, for hp-peer-asking.c: each may free @call */
void hp_peer_call_fail (HpPeerCall *call, const GError *error);
void hp_peer_call_link (HpPeerCall *call);
/* Counts anew */
void hp_peer_call_set_timeout (HpPeerCall *call);

/* hp-peer-asking.c, for hp-peer-call.c; the first may free @call */
void hp_peer_call_ask (HpPeerCall *call);
void hp_peer_call_stop_asking (HpPeerCall *call);
void hp_peer_call_greet (HpPeerCall *call);
/* An error for a call whose time is up; (transfer full) */
GError *hp_peer_call_describe_silence (HpPeerCall *call);
