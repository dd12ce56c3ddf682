/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A peer's half of matching: its session with one match server. No I/O, no
 * clock; a party of the peer's endpoint.
 *
 *   IDLE ── addresses ──▸ GREETING ── COOKIE ──▸ SHAKING ── RESPONSE ──┐
 *                          ▴   ▴ ▴                  │                  ▾
 *            time is up ── │ ──│─┘                  │              CONNECTED
 *   RESTING ───────────────┘   └────── PINGs unanswered ───────────────┤
 *      ▴  ▴                                         │                  │
 *      │  └─────────── no answer ───────────────────┘                  │
 *      └────────────────────────── CLOSE ──────────────────────────────┘
 *
 * HELLO goes to all the addresses of the server, in an order left to chance but
 * the families in turn, 50 ms apart (RFC 8305 in small); the first COOKIE wins
 * the session; the other family's COOKIE proves our address of that family, and
 * is refreshed with every keepalive. Requests are repeated until they are
 * answered (1.5 round trips, doubling to 1 s). A PING every keepalive interval,
 * answered by OBSERVED; unanswered, it is repeated faster, and then the
 * handshake begins anew beside the old session (which is back if it is heard of
 * before); after it everything registered is registered again. UNKNOWN only
 * hurries the PING, and the handshake if that is not answered either. The
 * server's PING is answered by a PING, its PATH_CHALLENGE by the PATH_RESPONSE.
 *
 * CLOSE makes it rest, as does a COOKIE without a RESPONSE: a time left to
 * chance, the longer the more often it comes to that in a row, before it greets
 * again (hp-match-client-leaving.c); but if a newer session with our identity
 * has taken its place, until it is told to go on
 * (hp_match_client_set_addresses(), hp_match_client_check()), so that two
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
                                there are other candidates or NAT facts */
  HP_MATCH_EVENT_INTRODUCED, /* introduction, once per ticket number; repeats
                                of it (they tell of new candidates or NAT
                                facts, or that our REPLY was heard) have
                                .repeated */
  HP_MATCH_EVENT_OBSERVED,   /* our public address is new or changed */
  HP_MATCH_EVENT_LOST,       /* no answer any more; it goes on trying */
  HP_MATCH_EVENT_RELAYS,     /* see hp_match_client_get_relays() */
  HP_MATCH_EVENT_KNOCKED,    /* transaction, knocked_from */
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
  HpNatFacts nat; /* the other peer's, as of when it was told */
  HpWireCandidates candidates;
} HpMatchIntroduction;

/* TURN servers that the match server lends, and what lets us in */
typedef struct
{
  guint64 lifetime; /* of the credentials, seconds */
  guint n_relays;
  struct
  {
    char uri[HP_RELAY_TEXT_MAX_SIZE + 1];
    char username[HP_RELAY_TEXT_MAX_SIZE + 1];
    char password[HP_RELAY_TEXT_MAX_SIZE + 1];
  } relays[HP_MAX_RELAYS];
} HpLentRelays;

typedef struct
{
  HpMatchEventType type;
  guint64 request;
  HpRefusedCode code;
  guint8 transaction[HP_STUN_TRANSACTION_SIZE];
  guint64 knocked_from; /* HP_KNOCK_… */
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
/* Our addresses besides the observed one (host, mapped), told with every
 * ASK and REPLY; those with proofs are added by the client itself */
void hp_match_client_set_candidates (HpMatchClient *self,
                                     const HpWireCandidates *hosts);
/* They are others than before: whoever is introduced to us just now is told at
 * once */
void hp_match_client_tell_candidates (HpMatchClient *self, gint64 now);
/* What is known of our NATs, with REGISTER, ASK and REPLY from now on: another
 * kind or port is told at once to those who are introduced to us just now.
 * The facts' age is as of @now. */
void hp_match_client_set_nat (HpMatchClient *self, const HpNatFacts *nat,
                              gint64 now);
/* A relay of ours: the endpoint's socket @socket, which others see as @relayed.
 * The server is greeted through it as well: its COOKIE makes a candidate of it,
 * and, where no other way gets out, the session itself goes through it. */
void hp_match_client_add_relay (HpMatchClient *self, guint socket,
                                const HpAddress *relayed, gint64 now);
void hp_match_client_remove_relay (HpMatchClient *self, guint socket,
                                   gint64 now);
/* Tell nobody our addresses: the server is asked for nothing but relays before
 * it can be asked through one, and without a relay it is not greeted at all
 * unless @asks_for_relays */
void hp_match_client_set_relay_only (HpMatchClient *self, gboolean relay_only,
                                     gboolean asks_for_relays, gint64 now);
/* Asks the server for relays, until it answers (HP_MATCH_EVENT_RELAYS) */
void hp_match_client_request_relays (HpMatchClient *self, gint64 now);
const HpLentRelays *hp_match_client_get_relays (const HpMatchClient *self);
/* Has the server knock, as the frame KNOCK says, once (HP_MATCH_EVENT_KNOCKED
 * if that is heard). FALSE: not possible just now */
gboolean hp_match_client_ask_knock (HpMatchClient *self, const HpFrame *knock);
/* The number of the relay that the session goes through; 0: it goes straight,
 * or there is none */
guint hp_match_client_get_socket (const HpMatchClient *self);
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
/* It tries, or will try, to be */
gboolean hp_match_client_is_seeking (const HpMatchClient *self);
gboolean hp_match_client_is_registered (const HpMatchClient *self);
/* As the server sees us; NULL while not known */
const HpAddress *hp_match_client_get_observed (const HpMatchClient *self);
/* The same, of one family, by the session itself or by a proof; FALSE: not
 * known, or only as what a relay is seen */
gboolean hp_match_client_get_public (const HpMatchClient *self,
                                     HpAddressFamily family,
                                     HpAddress *address);
const HpAddress *hp_match_client_get_server (const HpMatchClient *self);
gint64 hp_match_client_get_round_trip (const HpMatchClient *self);
