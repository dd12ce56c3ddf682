/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the files of a link share:
 *
 *   hp-link.c            the whole: life, events, timers, pulling
 *   hp-link-introduce.c  introductions, candidates, punches, PROBE
 *   hp-link-handshake.c  INITIATION and RESPONSE
 *   hp-link-table.c      which paths and sockets there are
 *   hp-link-paths.c      which path is used
 *   hp-link-silence.c    when paths fall silent
 *   hp-link-data.c       DATA in and out, CLOSE
 */

#pragma once

#include "hole-punch/link/hp-link.h"
#include "hole-punch/link/hp-path.h"

#define HP_LINK_MAX_PATHS 32
#define HP_LINK_MAX_INTRODUCTIONS 4
#define HP_LINK_MAX_RESPONSES 8

/* INITIATIONs answered at a time: the caller may have gone on to a further
 * introduction while copies of the one before are under way, and only its
 * first DATA tells which of them it stays with */
#define HP_LINK_MAX_ANSWERED 2

/* Different INITIATIONs read for each introduction: an honest caller sends one,
 * and reading costs public-key operations */
#define HP_LINK_MAX_ATTEMPTS 8

/* A RESPONSE that is to be sent: one for each copy of the INITIATION */
typedef struct
{
  HpRoute route;
  guint which; /* of the answered */
  guint8 token[HP_TOKEN_SIZE]; /* of the INITIATION, to be echoed */
} HpLinkResponse;

/* Our own INITIATION, until its session is confirmed and the grace is over */
typedef struct
{
  HpHandshake *handshake; /* NULL: we initiate nothing */
  HpTicket ticket;
  gint64 until; /* then it is given up */
} HpLinkInitiating;

/* An INITIATION of the other side that we have answered */
typedef struct
{
  gboolean has_response;
  HpKeptResponse response;
  HpSession *session; /* until its first DATA has opened */
  guint64 ticket_number;
  HpParameters parameters;
  gint64 responded_at; /* first; 0: not yet */
} HpLinkAnswered;

struct _HpLink
{
  HpLinkConfig config;
  HpLinkState state;
  guint8 path_secret[HP_KEY_SIZE]; /* of the tokens in our RESPONSEs */

  HpIntroduction introductions[HP_LINK_MAX_INTRODUCTIONS]; /* newest last */
  guint n_introductions;
  gint64 connect_until;

  HpLinkInitiating initiating;
  HpLinkAnswered answered[HP_LINK_MAX_ANSWERED];
  guint n_attempts;       /* since the last introduction */
  guint next_answered;    /* the one to be given up for a further one */
  gboolean awaits_accept; /* a direct call: nothing is answered yet … */
  HpLinkResponse held;    /* … but this, when it is accepted */
  HpLinkResponse responses[HP_LINK_MAX_RESPONSES];
  guint n_responses;

  HpSession *session; /* the confirmed one */
  guint64 session_ticket;
  HpTransport *transport;
  HpParameters remote_parameters;
  gboolean is_heard; /* a DATA of the other side has opened */
  gint64 confirm_at; /* the initiator's first DATA again; G_MAXINT64: no */
  gint64 confirm_interval;

  HpPuncher *puncher;
  gint64 punched_from; /* when the puncher last began */
  gint64 grace_until;  /* then it stops; G_MAXINT64: it goes on */
  HpWireCandidates trickled; /* told inside the session, since then */

  HpNatFacts nat; /* ours; the other side's are the introductions' */
  HpNatFacts remote_nat;

  GArray *kept;    /* guint: further sockets that are a path's own */
  GArray *surplus; /* guint: … that are to be given back */
  gint64 direct_at; /* relayed: direct paths are tried again; G_MAXINT64: no */
  gint64 direct_interval;

  GPtrArray *paths; /* HpPath, owned */
  HpPath *path;     /* the one in use; NULL: none */
  gint64 path_since;
  gsize interface_size; /* of the path in use, 0: not told yet */
  guint next_path_id;
  guint transport_path;     /* the id that the transport knows; 0: none */
  guint64 followed_number;  /* highest packet that was no probe, plus one */
  gint64 heard_at;          /* something authentic came by the path in use */
  gboolean is_failing;      /* that was told, and nothing has answered since */
  gint64 failing_told_at;   /* 0: never */
  guint n_hints;            /* UNKNOWNs since */
  gint64 checked_at; /* there was a reason to ask all paths; 0: never */

  gint64 silent_since;
  gint64 silent_event_at; /* the next SILENT event */

  GQueue events; /* HpLinkEvent, but for the transport's and CLOSED */
  gboolean has_closed_event;
  HpLinkEvent closed_event;

  guint64 skip_at; /* from this packet number on one is left out; 0: not yet */
  guint closes_left; /* CLOSE datagrams to be sent now */
  guint closes_more; /* and how many, at most, for DATA that still comes */
  gint64 close_again_at;
  guint64 close_code;
  char *close_reason;

  HpLinkStatistics statistics;
};

/* hp-link.c */
void hp_link_set_state (HpLink *self, HpLinkState state, gint64 now);
void hp_link_emit (HpLink *self, HpLinkEventType type);
void hp_link_shut (HpLink *self, HpLinkClosedBy closed_by, guint64 code);
gboolean hp_link_is_initiator (const HpLink *self);

/* hp-link-introduce.c */
gboolean hp_link_pull_punch (HpLink *self, HpOutgoing *outgoing, gint64 now);
void hp_link_receive_probe (HpLink *self, const HpDatagram *datagram,
                            gint64 now);
/* The other side is heard from @route, without an answer to it: a RESPONSE
 * would open our NAT as well. In a direct call all that is needed comes by the
 * way of the INITIATION. */
void hp_link_add_peer_reflexive (HpLink *self,
                                 const HpIntroduction *introduction,
                                 const HpRoute *route, gint64 now);
/* Told inside the session */
void hp_link_receive_candidates (HpLink *self,
                                 const HpWireCandidates *candidates,
                                 gint64 now);
void hp_link_receive_nat (HpLink *self, const HpNatFacts *nat, gint64 now);

/* hp-link-handshake.c */
/* A handshake of our own, instead of the one before */
void hp_link_initiate (HpLink *self, const HpIntroduction *introduction);
gboolean hp_link_pull_response (HpLink *self, HpOutgoing *outgoing,
                                gint64 now);
void hp_link_receive_initiation (HpLink *self, const HpDatagram *datagram,
                                 gint64 now);
void hp_link_receive_response (HpLink *self, const HpDatagram *datagram,
                               gint64 now);
/* The token that our RESPONSE carries on @route */
void hp_link_create_own_token (const HpLink *self, const HpRoute *route,
                               guint8 token[HP_TOKEN_SIZE]);
/* There is one whose first DATA is awaited */
gboolean hp_link_has_answered (const HpLink *self);
/* That DATA has opened */
void hp_link_adopt_answered (HpLink *self, HpLinkAnswered *answered);
/* How long ago its RESPONSE went, -1: none has */
gint64 hp_link_get_response_age (const HpLink *self, gint64 now);
gint64 hp_link_get_handshake_deadline (const HpLink *self);
void hp_link_expire_handshake (HpLink *self, gint64 now);
void hp_link_end_handshakes (HpLink *self);

/* hp-link-table.c */
/* The socket is a carrier of ours */
gboolean hp_link_is_relay (const HpLink *self, guint number);
/* A path by it is worth having: it lives on until the last one is gone */
void hp_link_keep_socket (HpLink *self, guint number);
/* After something new was told of the other side's addresses */
void hp_link_rank_paths (HpLink *self, gint64 now);
HpPath *hp_link_find_path (HpLink *self, const HpRoute *route);
/* Makes it; when there are too many the least useful one goes */
HpPath *hp_link_ensure_path (HpLink *self, const HpRoute *route);
void hp_link_remove_path (HpLink *self, HpPath *path);

/* hp-link-paths.c */
/* What every path is taken to carry, until it was found to carry more */
gsize hp_link_get_base_size (const HpLink *self);
/* Sends to @path from now on */
void hp_link_use_path (HpLink *self, HpPath *path, gint64 now);
/* Challenges it with the next pull */
void hp_link_challenge (HpLink *self, HpPath *path, gint64 now);
/* … and all proven ones that are not in use */
void hp_link_challenge_spares (HpLink *self, gint64 now);
/* Time to challenge the path in use; a little early with an answer that goes
 * there anyway: the other side's consent is asked for about as often */
gboolean hp_link_is_consent_due (const HpLink *self, gboolean is_answering,
                                 gint64 now);
/* The path in use is another one, or is relayed after all */
void hp_link_plan_direct (HpLink *self, gint64 now);
/* Relayed, and direct_at has come */
void hp_link_try_direct (HpLink *self, gint64 now);
/* When @path is to be taken for failing: another that answers is used instead;
 * G_MAXINT64: not, as things are */
gint64 hp_link_get_failing_time (const HpPath *path);
/* All proven ones, by whatever address we have now */
void hp_link_ask_paths (HpLink *self, gint64 now);
/* Time went by that nobody has counted: the machine was suspended */
void hp_link_wake_paths (HpLink *self, gint64 now);
/* A challenge of @path has just been sent */
void hp_link_challenge_sent (HpLink *self, HpPath *path, gint64 now);
/* A token of @path came back */
void hp_link_path_answered (HpLink *self, HpPath *path, gint64 now);
/* An authentic packet came by @path */
void hp_link_path_heard (HpLink *self, HpPath *path, guint64 number,
                         gboolean is_probe, gint64 now);
void hp_link_receive_unknown (HpLink *self, const HpDatagram *datagram,
                              gint64 now);

/* hp-link-silence.c */
gint64 hp_link_get_paths_deadline (const HpLink *self);
void hp_link_expire_paths (HpLink *self, gint64 now);

/* hp-link-data.c */
/* A frame of the link's own, until it is acknowledged */
void hp_link_send_control (HpLink *self, const HpFrame *frame);
gboolean hp_link_may_use_transport (const HpLink *self);
gboolean hp_link_pull_data (HpLink *self, HpOutgoing *outgoing, gint64 now);
gboolean hp_link_pull_close (HpLink *self, HpOutgoing *outgoing, gint64 now);
/* A DATA with nothing but a challenge (and what answers are due), whatever is
 * left of the path's budget: the puncher has its own */
gboolean hp_link_write_check (HpLink *self, HpPath *path, HpOutgoing *outgoing,
                              gint64 now);
void hp_link_receive_data (HpLink *self, const HpDatagram *datagram,
                           gint64 now);
