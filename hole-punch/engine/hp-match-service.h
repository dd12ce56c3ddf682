/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The match server's protocol: sessions, presences, introductions. No I/O, no
 * clock: datagrams in and out, questions to a registry out as events and its
 * answers in, so that client and server can be run against each other in
 * memory.
 *
 * Nothing is kept before a cookie has come back. A session has no transport:
 * no acknowledgements and no retransmission; every request is idempotent and
 * repeated by the client. All tables are bounded, all limits count what they
 * drop.
 *
 *   PING         → OBSERVED. From a new address also → PATH_CHALLENGE, sent
 *                  there; its PATH_RESPONSE lets the server follow, and it
 *                  says OBSERVED. Nothing else is ever sent to an address that
 *                  is not proven, and that only if it is no larger than what
 *                  came from there.
 *   REGISTER     → REGISTERED or REFUSED
 *   UNREGISTER   → REGISTERED with a lifetime of 0
 *   ASK          → INTRODUCE to the callee and, if it is registered open,
 *                  ANSWER; else ANSWER or REFUSED after the callee's REPLY, and
 *                  with the ANSWER a second INTRODUCE to the callee, without
 *                  HP_INTRODUCE_NEEDS_REPLY: the start that both have in
 *                  common, and what acknowledges the REPLY.
 *   REPLY        also to an INTRODUCE that needs none: then it only tells of
 *                  the callee's candidates and NATs, which a further ANSWER
 *                  passes on.
 *   RELAY_REQUEST → RELAYS or REFUSED
 *   KNOCK        → STUN Binding indications to an address of the peer's that
 *                  has a proof, from where it says; KNOCKED
 *   CLOSE        ends session and presence.
 *
 * Where a callee is not here, the service asks for the place that it is at
 * (LOOKUP), and has messages carried there (FORWARD): of such an introduction
 * the caller's service sends the ANSWER, the callee's the INTRODUCE, since
 * only the address that a NAT has seen may send there. See
 * hp-match-forwarding.c.
 *
 * The service PINGs the holder of an ephemeral id when somebody else wants it;
 * any packet of its own shows that it is there, and a client answers a PING by
 * a PING.
 */

#pragma once

#include "hole-punch/base/hp-outgoing.h"
#include "hole-punch/nat/hp-candidate.h"
#include "hole-punch/secure/hp-cookie.h"

/* Bytes of UTF-8 */
#define HP_MATCH_SERVER_NAME_MAX_SIZE 64
/* Threads of one server, each with a service */
#define HP_MATCH_MAX_WORKERS 64
#define HP_MATCH_ANY_WORKER 0xffff
#define HP_MATCH_MESSAGE_MAX_SIZE 1200

/* Another service: opaque to this one, which only gives it back */
typedef struct
{
  char server[HP_MATCH_SERVER_NAME_MAX_SIZE + 1]; /* "": this process */
  guint16 worker; /* HP_MATCH_ANY_WORKER: whichever has the callee */
} HpMatchPlace;

typedef struct
{
  HpKeyPair local;
  guint16 suites;
  HpRandom random;
  gint64 registration_lifetime;  /* µs of presence without a refresh; 120 s */
  guint8 review; /* with another one, who is registered is authorized anew, at
                    its next refresh */
  guint max_peers;               /* sessions; beyond it no handshake */
  guint n_workers;               /* that share them about equally; 0: one */
  guint max_handshakes_per_second; /* from one prefix (/24, /48) */
  guint max_asks_per_minute;     /* of one identity; and 10 times that of one
                                    prefix */
  guint max_stun_per_second;     /* to one prefix */
  guint max_total_handshakes_per_second; /* of all together; 0: any number */
  guint max_registrations_per_network;   /* ids present at a time, of one
                                            prefix; 0: any number */
  guint8 worker;      /* the lowest byte of all session indices */
  guint8 cookie_seed[HP_KEY_SIZE]; /* one for all workers of a server, and all
                                      servers behind one name: each takes the
                                      others' proofs */
  gint64 cookie_clock; /* added to the time: what they have in common */
} HpMatchServiceConfig;

typedef enum
{
  /* Questions: answered by the functions below with the event's handle, at
   * once or later; each has a deadline of 5 s, then TEMPORARY */
  HP_SERVICE_EVENT_CLAIM,  /* handle, id, public_key, ephemeral: who holds
                              it? */
  HP_SERVICE_EVENT_LOOKUP, /* handle, id, or (by_key) callee_key: where is
                              it? Not here. Answered by
                              hp_match_service_answer_lookup() */
  HP_SERVICE_EVENT_RELEASE,/* id, public_key; no answer */
  HP_SERVICE_EVENT_AUTHORIZE_REGISTRATION, /* handle, id, public_key */
  HP_SERVICE_EVENT_AUTHORIZE_INTRODUCTION, /* handle, caller (public_key,
                              id), wanted_id */
  /* A question without a deadline, answered at once or not at all */
  HP_SERVICE_EVENT_RELAYS,     /* handle, request, public_key, id, address,
                                  is_known: what lets it in at a relay? */
  /* Tidings */
  HP_SERVICE_EVENT_REGISTERED, /* id, public_key, address, first_time */
  HP_SERVICE_EVENT_EXPIRED,    /* id, public_key: gone, or unregistered */
  HP_SERVICE_EVENT_INTRODUCED, /* caller: public_key, id, address; wanted_id,
                                  callee_key; at the caller's service only */
  HP_SERVICE_EVENT_ARRIVED,    /* public_key: has a (newer) session here */
  HP_SERVICE_EVENT_LEFT,       /* public_key: has none here any more. Not told
                                  of what a newer one has replaced, be it here
                                  or elsewhere */
  /* To be carried, as it is; may be lost, doubled or late */
  HP_SERVICE_EVENT_FORWARD,    /* place, message, length */
} HpServiceEventType;

typedef struct
{
  HpServiceEventType type;
  guint64 handle;
  char id[HP_ID_MAX_SIZE + 1];
  char wanted_id[HP_ID_MAX_SIZE + 1]; /* "" if asked by key */
  guint8 public_key[HP_KEY_SIZE];
  guint8 callee_key[HP_KEY_SIZE];
  gboolean ephemeral;
  gboolean first_time; /* not a refresh */
  gboolean is_known;   /* has been granted an id, or an introduction */
  gboolean by_key;     /* LOOKUP */
  gboolean replaced;   /* EXPIRED: its holder is at another place now. Only the
                          directory is told, no application. */
  guint64 request;
  HpAddress address;
  HpMatchPlace place;
  const guint8 *message; /* valid until the next event is taken */
  gsize length;          /* at most HP_MATCH_MESSAGE_MAX_SIZE */
} HpServiceEvent;

typedef struct
{
  guint64 peers, registrations; /* now */
  guint64 handshakes, registers, asks, introductions, keepalives,
      stun_answers, cookies,    /* so far */
      forwarded,                /* messages to other places */
      registry_failures,        /* no answer, or TEMPORARY */
      unclaimed_refreshes;      /* granted nevertheless */
  guint64 dropped_malformed, dropped_ticket, dropped_forged,
      dropped_replayed, dropped_unknown, dropped_rate_limited, dropped_full,
      refused; /* requests, not repeats of them */
} HpServiceStatistics;

typedef struct _HpMatchService HpMatchService;

HpMatchService *hp_match_service_new (const HpMatchServiceConfig *config,
                                      gint64 now);
void hp_match_service_free (HpMatchService *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpMatchService, hp_match_service_free)
void hp_match_service_set_config (HpMatchService *self,
                                  const HpMatchServiceConfig *config);

/* Peers that other workers have: max_peers is the limit of all together. At
 * first none */
void hp_match_service_set_peers_elsewhere (HpMatchService *self,
                                           guint n_peers);

/* Whether AUTHORIZE_… questions are asked (else all are allowed) */
void hp_match_service_set_asks_registration (HpMatchService *self,
                                             gboolean asks);
void hp_match_service_set_asks_introduction (HpMatchService *self,
                                             gboolean asks);

/* TURN servers, and what lets a peer in there for some time */
typedef struct
{
  guint lifetime; /* seconds */
  guint n_relays;
  const char *uris[HP_MAX_RELAYS];
  const char *username;
  const char *password;
} HpMatchRelays;

/* Where the server can be asked by STUN: at two ports, and perhaps two IP
 * addresses. What is not known, or not there, is NONE or 0. */
typedef struct
{
  HpAddress hosts[2];
  guint16 ports[2];
  guint second_sockets[2]; /* numbers of those at the second port, of each
                              host */
} HpMatchPlaces;

/* Told in answers to STUN (OTHER-ADDRESS, RFC 5780); without a second port
 * nothing is told. */
void hp_match_service_set_places (HpMatchService *self,
                                  const HpMatchPlaces *places);

/* Everything that comes to the server's port: HELLO, INITIATION, DATA, STUN.
 * Unknown handles and late answers are passed over. */
void hp_match_service_receive (HpMatchService *self,
                               const HpDatagram *datagram, gint64 now);
/* @holder: the key of whoever holds the id, with the registry's @code when it
 * failed (0: it did not) */
void hp_match_service_answer_claim (HpMatchService *self, guint64 handle,
                                    const guint8 *holder, HpRefusedCode code,
                                    gint64 now);
/* @holder: the callee's key where that is known; @place: where it is, NULL
 * nowhere (unless it is here by now); @code as above */
void hp_match_service_answer_lookup (HpMatchService *self, guint64 handle,
                                     const guint8 *holder,
                                     const HpMatchPlace *place,
                                     HpRefusedCode code, gint64 now);
/* The message of a FORWARD event of the service at @from */
void hp_match_service_receive_message (HpMatchService *self,
                                       const HpMatchPlace *from,
                                       const guint8 *bytes, gsize length,
                                       gint64 now);
/* Whoever has @public_key has a newer session at another place: the one here,
 * if any, ends as when a newer one here replaces it. */
void hp_match_service_replace_session (HpMatchService *self,
                                       const guint8 public_key[HP_KEY_SIZE],
                                       gint64 now);
void hp_match_service_authorize (HpMatchService *self, guint64 handle,
                                 gboolean allow, gint64 now);

/* @relays NULL: it gets none, and is told that */
void hp_match_service_answer_relays (HpMatchService *self, guint64 handle,
                                     guint64 request,
                                     const HpMatchRelays *relays, gint64 now);

gboolean hp_match_service_pull (HpMatchService *self, HpOutgoing *outgoing,
                                gint64 now);
gint64 hp_match_service_get_deadline (const HpMatchService *self);
void hp_match_service_expire (HpMatchService *self, gint64 now);
gboolean hp_match_service_next_event (HpMatchService *self,
                                      HpServiceEvent *event);
/* Tells every peer CLOSE (going away) */
void hp_match_service_close (HpMatchService *self, gint64 now);
void hp_match_service_get_statistics (const HpMatchService *self,
                                      HpServiceStatistics *statistics);
