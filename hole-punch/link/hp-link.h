/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One remote peer: session, transport, paths and puncher together. Still no
 * I/O and no clock: datagrams go in by hp_link_receive(), come out by
 * hp_link_pull(), happenings by hp_link_next_event(), and the time of the next
 * hp_link_expire() by hp_link_get_deadline(). After any other call, pull until
 * FALSE, take the events, ask for the deadline.
 *
 *   NEW ── introduce ──▸ CONNECTING ── first path proven ──▸ READY
 *                            │                              ▴    │ path silent
 *                            │ time is up                   │    ▾
 *                            ▾                  path proven └─ SILENT
 *                          CLOSED ◂── close, CLOSE, time is up ──┘
 *
 * Two handshakes may be under way at once (simultaneous calls): the one that
 * we initiate has the session index config.index, the one that we respond to
 * config.index + 1 (config.index is even). The side with the larger public key
 * ignores the other's INITIATION while its own is pending; the smaller
 * answers, and drops its own at the first DATA.
 */

#pragma once

#include "hole-punch/base/hp-outgoing.h"
#include "hole-punch/link/hp-path.h"
#include "hole-punch/nat/hp-puncher.h"
#include "hole-punch/secure/hp-handshake.h"
#include "hole-punch/transport/hp-transport.h"

/* Consent freshness (RFC 7675): a challenge every 5 s with jitter; no answer
 * for 30 s: nothing is sent there any more */
#define HP_CONSENT_INTERVAL (5 * G_TIME_SPAN_SECOND)
#define HP_CONSENT_EXPIRY (30 * G_TIME_SPAN_SECOND)
/* A link whose path is silent gives up after so long */
#define HP_LINK_SILENT_TIMEOUT (60 * G_TIME_SPAN_SECOND)

typedef enum
{
  HP_LINK_NEW,
  HP_LINK_CONNECTING,
  HP_LINK_READY,
  HP_LINK_SILENT, /* connected, but no path answers: wants an introduction */
  HP_LINK_CLOSED,
} HpLinkState;

typedef struct
{
  HpKeyPair local;
  gboolean has_remote_public; /* FALSE only for a direct call to us */
  guint8 remote_public[HP_KEY_SIZE];
  guint32 index; /* even; index + 1 is the link's too */
  guint16 suites;
  gsize datagram_size;     /* to begin with */
  gsize max_datagram_size; /* to try; what we can receive is always the
                              maximum */
  guint64 max_message_size;
  guint64 max_receive_window; /* 0: the transport's default */
  gsize receive_buffer;      /* of the socket; 0: unknown */
  gint64 keepalive_interval; /* µs; the challenges' interval is no longer */
  HpNatBudget *budget;       /* shared; may be NULL */
  gboolean relay_only;       /* no other path than by a carrier of ours */
  HpRandom random;
} HpLinkConfig;

typedef struct
{
  HpTicket ticket;
  gboolean is_caller;  /* we asked: we initiate */
  guint16 suites;      /* of the other side */
  gint64 start_at;     /* the synchronised start */
  /* FALSE: a direct call, no openers and no PROBEs */
  gboolean punch;
  HpWireCandidates candidates; /* of the other side */
  HpAddress observed; /* the other side as the match server sees it; NONE: not
                         told */
  HpNatFacts nat;     /* of the other side */
  /* The application wants this peer: dear methods are allowed */
  gboolean may_spray;
  gboolean by_relay; /* no UDP of ours seems to get out but through a relay */
} HpIntroduction;

typedef enum
{
  HP_LINK_EVENT_IDENTIFIED, /* direct call to us: the caller's key is known;
                               nothing is answered before hp_link_accept() */
  HP_LINK_EVENT_CONFIRMED,  /* the session is mutual: replace older ones */
  HP_LINK_EVENT_READY,      /* the first path is proven */
  HP_LINK_EVENT_PATH,       /* another path is used, or one again after
                               silence, or failing */
  HP_LINK_EVENT_FAILING,    /* the path does not answer while something waits:
                               ask for an introduction, before it is silent; if
                               it answers after all, PATH tells so */
  HP_LINK_EVENT_SILENT,     /* no path answers: ask for an introduction */
  HP_LINK_EVENT_MESSAGE,
  HP_LINK_EVENT_DELIVERED,
  HP_LINK_EVENT_FAILED,     /* of a sent message */
  HP_LINK_EVENT_STREAM,     /* one of the transport's events of byte streams */
  HP_LINK_EVENT_RELAYED,    /* in use is a relayed path, and it is time to try
                               direct ones: ask for an introduction */
  HP_LINK_EVENT_CLOSED,     /* always the last one */
} HpLinkEventType;

typedef enum
{
  HP_LINK_CLOSED_LOCALLY,
  HP_LINK_CLOSED_BY_REMOTE,   /* code is its CLOSE's */
  HP_LINK_CLOSED_UNREACHABLE, /* no path found in time */
  HP_LINK_CLOSED_SILENT,      /* was ready, no path any more */
  HP_LINK_CLOSED_PROTOCOL,    /* the other side broke the protocol */
} HpLinkClosedBy;

typedef struct
{
  HpLinkEventType type;
  HpTransportEvent transport; /* MESSAGE, DELIVERED, FAILED, STREAM */
  HpLinkClosedBy closed_by;   /* CLOSED */
  guint64 close_code;
} HpLinkEvent;

typedef struct
{
  guint64 dropped_malformed, dropped_forged, dropped_replayed,
      dropped_ticket; /* of datagrams that came in */
  HpTransportStatistics transport;
} HpLinkStatistics;

typedef struct _HpLink HpLink;

HpLink *hp_link_new (const HpLinkConfig *config, gint64 now);
void hp_link_free (HpLink *self); /* wipes */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpLink, hp_link_free)

/* A new link starts connecting; one that is connecting takes a further ticket
 * (repeats of one ticket only bring new candidates); one that has a session
 * looks for new paths over the same session. */
void hp_link_introduce (HpLink *self, const HpIntroduction *introduction,
                        gint64 now);
/* Whether this INITIATION or PROBE's ticket number is one of the link's */
gboolean hp_link_has_ticket (const HpLink *self, guint64 number);
/* The number of the one that the session was made with; 0: there is none */
guint64 hp_link_get_session_ticket (const HpLink *self);
/* After HP_LINK_EVENT_IDENTIFIED */
void hp_link_accept (HpLink *self, gint64 now);
/* Addresses of ours to tell the other side inside the session */
void hp_link_offer_candidates (HpLink *self,
                               const HpWireCandidates *candidates,
                               gint64 now);
/* What is known of our NAT, with every change */
void hp_link_set_nat (HpLink *self, const HpNatFacts *local, gint64 now);
/* What was tried since the last introduction, and how it ended, a line each;
 * kept after the end: (transfer full) */
char *hp_link_describe_attempts (const HpLink *self);
/* What the interface that the route in use leaves by carries, UDP payload
 * bytes: larger datagrams than at first are tried when it is known. To be told
 * after READY and each PATH. */
void hp_link_set_interface_size (HpLink *self, gsize size, gint64 now);
/* The network changed: the path is proven again at once. @moved: it would be
 * from another address of ours, which the other side's NAT does not know and
 * should not hear of before an introduction. */
void hp_link_check_paths (HpLink *self, gboolean moved, gint64 now);
/* Sockets besides the main one, number 0. The owner opens as many as are wanted
 * (after every pull the number may have grown), hands in their numbers (@n less
 * than wanted: there are no more to be had), and closes those that are given
 * back; those that it still has when it frees the link are its to close. A path
 * whose socket is given back is gone. */
guint hp_link_get_wanted_sockets (const HpLink *self);
/* … at which local port; 0: any */
guint16 hp_link_get_wanted_port (const HpLink *self);
void hp_link_add_sockets (HpLink *self, const guint *numbers, guint n,
                          gint64 now);
gboolean hp_link_next_surplus_socket (HpLink *self, guint *number);
/* A carrier of ours: the other side is tried through it as well. Removed: no
 * path leaves by it any more. */
void hp_link_add_relay (HpLink *self, guint number, gint64 now);
void hp_link_remove_relay (HpLink *self, guint number, gint64 now);
/* Sends CLOSE (more than once, unacknowledged), and is CLOSED at once */
void hp_link_close (HpLink *self, HpCloseCode code, const char *reason,
                    gint64 now);

/* INITIATION, RESPONSE, DATA, PROBE, and UNKNOWN if its index is the
 * session's remote one */
void hp_link_receive (HpLink *self, const HpDatagram *datagram, gint64 now);
gboolean hp_link_pull (HpLink *self, HpOutgoing *outgoing, gint64 now);
gint64 hp_link_get_deadline (const HpLink *self, gint64 now);
void hp_link_expire (HpLink *self, gint64 now);
gboolean hp_link_next_event (HpLink *self, HpLinkEvent *event);
gboolean hp_link_has_event (const HpLink *self);

/* Messages may be queued from the start; see hp_transport_send_message() */
guint64 hp_link_send_message (HpLink *self, HpStreamKind kind, GBytes *bytes,
                              gint64 expires_at, gint64 now);
void hp_link_cancel_message (HpLink *self, guint64 stream, gint64 now);
gboolean hp_link_can_queue (const HpLink *self, gsize length);
gsize hp_link_get_queued_bytes (const HpLink *self);

/* Byte streams, once the link has been READY: the transport's functions do
 * all. After any of them, pull. NULL before. After CLOSED, what had come can
 * still be read; nothing else has an effect. */
HpTransport *hp_link_get_stream_transport (HpLink *self);

HpLinkState hp_link_get_state (const HpLink *self);
/* NULL until it is known: a direct call to us */
const guint8 *hp_link_get_remote_public (const HpLink *self);
/* NULL while there is none */
const HpRoute *hp_link_get_route (const HpLink *self);
/* Of the path in use; HP_PATH_RELAYED while there is none */
HpPathRank hp_link_get_path_rank (const HpLink *self);
/* µs of the path in use, -1 unknown */
gint64 hp_link_get_round_trip (const HpLink *self);
/* Of the path in use: what it was found to carry so far */
gsize hp_link_get_datagram_size (const HpLink *self);
/* The other side's limit, 0 while not known */
guint64 hp_link_get_remote_max_message_size (const HpLink *self);
void hp_link_get_statistics (const HpLink *self, HpLinkStatistics *statistics);
/* For tests */
void hp_link_update_keys (HpLink *self, gint64 now);
