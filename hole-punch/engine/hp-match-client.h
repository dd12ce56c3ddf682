/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A peer's half of matching: its session with one match server. No I/O, no
 * clock; a party of the peer's endpoint.
 *
 *   IDLE ── addresses ──▸ GREETING ── COOKIE ──▸ SHAKING ── RESPONSE ──┐
 *                          ▴   ▴ ▴                  │                  ▾
 *            time is up ── │ ──│─┴──── no answer ───┘              CONNECTED
 *   RESTING ───────────────┘   └────── PINGs unanswered ───────────────┤
 *      ▴                                                               │
 *      └────────────────────────── CLOSE ──────────────────────────────┘
 *
 * HELLO goes to all the addresses of the server, the families in turn 50 ms
 * apart (RFC 8305 in small); the first COOKIE wins the session; the other
 * family's COOKIE proves our address of that family, and is refreshed with
 * every keepalive. Requests are repeated until they are answered (1.5 round
 * trips, doubling to 1 s). A PING every keepalive interval, answered by
 * OBSERVED; unanswered, it is repeated faster, and then the handshake begins
 * anew beside the old session (which is back if it is heard of before); after
 * it everything registered is registered again. UNKNOWN only hurries the PING.
 * The server's PING is answered by a PING, its PATH_CHALLENGE by the
 * PATH_RESPONSE.
 *
 * CLOSE makes it rest: a moment, with jitter, before it greets again; but if a
 * newer session with our identity has taken its place, until it is told to go
 * on (hp_match_client_set_addresses(), hp_match_client_check()), so that two
 * programs with one identity do not displace each other for ever.
 */

#pragma once

#include "hole-punch/base/hp-outgoing.h"
#include "hole-punch/link/hp-greeter.h"
#include "hole-punch/secure/hp-handshake.h"
#include "hole-punch/wire/hp-frame.h"

#define HP_MATCH_MAX_ADDRESSES 8

typedef enum
{
  HP_MATCH_EVENT_CONNECTED,  /* (again) a session with the server */
  HP_MATCH_EVENT_REGISTERED, /* every time it was confirmed */
  HP_MATCH_EVENT_REGISTRATION_REFUSED, /* code */
  HP_MATCH_EVENT_ASK_REFUSED,          /* request, code */
  HP_MATCH_EVENT_ANSWER,     /* request, introduction; again, .repeated, when
                                there are other candidates */
  HP_MATCH_EVENT_INTRODUCED, /* introduction, once per ticket number; repeats
                                of it (they tell of new candidates, or that
                                our REPLY was heard) have .repeated */
  HP_MATCH_EVENT_OBSERVED,   /* our public address is new or changed */
  HP_MATCH_EVENT_LOST,       /* no answer any more; it goes on trying */
  HP_MATCH_EVENT_WRONG_KEY,  /* the server's key is not the pinned or the
                                first-seen one: refused; it goes on trying */
} HpMatchEventType;

/* An ANSWER or INTRODUCE, copied */
typedef struct
{
  gboolean repeated;
  gboolean needs_reply;
  guint8 public_key[HP_KEY_SIZE];
  char id[HP_ID_MAX_SIZE + 1];        /* of the other peer, "" if none */
  char wanted_id[HP_ID_MAX_SIZE + 1]; /* INTRODUCE: what was asked for, ""
                                         if by key */
  guint16 suites;
  HpTicket ticket;
  gint64 start_at; /* the synchronised start, from both round trips */
  HpAddress observed;
  HpWireCandidates candidates;
} HpMatchIntroduction;

typedef struct
{
  HpMatchEventType type;
  guint64 request;
  HpRefusedCode code;
  HpMatchIntroduction introduction;
} HpMatchEvent;

typedef struct
{
  HpKeyPair local;
  gboolean has_server_key; /* pinned */
  guint8 server_key[HP_KEY_SIZE];
  guint32 index; /* even; successive sessions use index and index + 1 in turn */
  guint16 suites;
  gint64 keepalive_interval; /* µs */
  HpRandom random;
} HpMatchClientConfig;

typedef struct _HpMatchClient HpMatchClient;

HpMatchClient *hp_match_client_new (const HpMatchClientConfig *config);
void hp_match_client_free (HpMatchClient *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpMatchClient, hp_match_client_free)

/* The server's addresses (again: they changed, or the network did) */
void hp_match_client_set_addresses (HpMatchClient *self,
                                    const HpAddress *addresses, guint n,
                                    gint64 now);
void hp_match_client_set_keepalive_interval (HpMatchClient *self,
                                             gint64 interval, gint64 now);
/* One id at a time; @id NULL: unregister. @flags: HP_REGISTER_… */
void hp_match_client_register (HpMatchClient *self, const char *id,
                               guint flags, gint64 now);
/* Our addresses besides the observed one (host candidates), told with every
 * ASK and REPLY; those with proofs are added by the client itself */
void hp_match_client_set_candidates (HpMatchClient *self,
                                     const HpWireCandidates *hosts);
/* Asks until ANSWER or ASK_REFUSED comes, and goes on repeating after an
 * ANSWER (a lost INTRODUCE heals) until hp_match_client_stop_asking(). Gives
 * the request's number. Exactly one of @id and @public_key. */
guint64 hp_match_client_ask (HpMatchClient *self, const char *id,
                             const guint8 *public_key, gint64 now);
void hp_match_client_stop_asking (HpMatchClient *self, guint64 request);
/* Answers an INTRODUCE that needs it, repeated until the server has understood:
 * after an acceptance INTRODUCED comes once more, .repeated and without
 * .needs_reply, with the start_at that both sides have in common */
void hp_match_client_reply (HpMatchClient *self, guint64 ticket_number,
                            gboolean accept, gint64 now);
/* The network changed: PING at once */
void hp_match_client_check (HpMatchClient *self, gint64 now);
/* Unregisters, says CLOSE; pull until FALSE, then free */
void hp_match_client_close (HpMatchClient *self, gint64 now);

/* DATA and RESPONSE of its index, UNKNOWN, and any COOKIE; TRUE if it was its
 * own */
gboolean hp_match_client_receive (HpMatchClient *self,
                                  const HpDatagram *datagram, gint64 now);
gboolean hp_match_client_pull (HpMatchClient *self, HpOutgoing *outgoing,
                               gint64 now);
gint64 hp_match_client_get_deadline (const HpMatchClient *self);
void hp_match_client_expire (HpMatchClient *self, gint64 now);
gboolean hp_match_client_next_event (HpMatchClient *self,
                                     HpMatchEvent *event);

gboolean hp_match_client_is_connected (const HpMatchClient *self);
gboolean hp_match_client_is_registered (const HpMatchClient *self);
/* As the server sees us; NULL while not known */
const HpAddress *hp_match_client_get_observed (const HpMatchClient *self);
const HpAddress *hp_match_client_get_server (const HpMatchClient *self);
gint64 hp_match_client_get_round_trip (const HpMatchClient *self);
