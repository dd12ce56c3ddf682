/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A match server's sessions: by their index, and, once mutual, by whom they
 * are with; at most one with each identity.
 *
 *   UNCONFIRMED ── a DATA opened ──▸ CONFIRMED ── a newer one with the same
 *        │                            │           identity ──▸ REPLACED
 *        └── 10 s ──▸ gone ◂── silent ┴──────────────── 60 s ──────┘
 *
 * There may be millions: so each is one block of some 300 bytes, its secure
 * session included, and what few of them have at a time is elsewhere.
 */

#pragma once

#include "hole-punch/base/hp-siphash.h"
#include "hole-punch/engine/hp-match-slots.h"
#include "hole-punch/engine/hp-slot-table.h"
#include "hole-punch/secure/hp-handshake.h"
#include "hole-punch/wire/hp-frame.h"

typedef struct _HpMatchClaim HpMatchClaim;
typedef struct _HpMatchPresence HpMatchPresence;

typedef enum
{
  HP_MATCH_SESSION_UNCONFIRMED, /* sends its RESPONSE, and a last CLOSE */
  HP_MATCH_SESSION_CONFIRMED,
  HP_MATCH_SESSION_REPLACED, /* only says so when it is talked to */
} HpMatchSessionState;

#define HP_MATCH_SESSION_STATES 3

/* Only while unconfirmed */
typedef struct
{
  HpKeptResponse kept;
  gint64 responded_at;
} HpMatchBeginning;

/* Times in 32 bits, of 16 ms each: they wrap in two years, and none is kept so
 * long but by peers that go on sending all the while. */
#define HP_MATCH_TICK_BITS 14
typedef guint32 HpMatchTicks;

/* Its secure session follows it. */
typedef struct
{
  HpMatchSlot slot; /* @next: in the queue of its state */
  guint32 previous;
  HpMatchTicks changed_at; /* its state; if confirmed, when last heard of */
  guint8 public_key[HP_KEY_SIZE];
  struct
  {
    HpAddress remote;
  } route; /* hp_match_sessions_get_route() */
  guint16 place;  /* the rest of it */
  guint16 suites; /* as told by REGISTER, ASK or REPLY; 0: not yet */
  HpNatFacts nat; /* likewise */
  HpMatchTicks nat_at; /* when they were told */
  guint32 route_number; /* of the packet that proved it: its lower half */
  guint32 round_trip : 24; /* µs: RESPONSE to the first DATA, or as it told us
                            */
  guint32 state : 2;       /* HpMatchSessionState */
  guint32 is_known : 1;    /* has been granted an id, or an introduction */
  guint32 register_done : 1;
  guint32 register_code : 4; /* what it was answered: HpRefusedCode, or 0 */
  guint32 relay_request;     /* the last one's lower half */
  guint64 register_request; /* the highest; lower ones are ignored */
  guint64 ask_request;      /* the highest */
  HpMatchPresence *presence;
  union
  {
    HpMatchBeginning *beginning; /* unconfirmed */
    HpMatchClaim *claim;         /* else: a REGISTER under way */
  };
} HpMatchSession;

#define HP_MATCH_MAX_ROUND_TRIP ((1 << 24) - 1)

typedef struct
{
  guint32 first, last; /* slots; 0: empty */
  guint length;
} HpMatchQueue;

typedef struct
{
  HpMatchSlots slots;
  HpSessionCiphers *ciphers; /* of all of them by turns */
  HpSipKey key;              /* of the tables' hashes */
  HpSlotTable by_identity;   /* confirmed ones */
  HpSlotTable by_initiation; /* unconfirmed ones, by the hash of that */
  HpMatchQueue queues[HP_MATCH_SESSION_STATES]; /* by changed_at */
  GArray *places; /* HpRoute, without remote: those of all routes */
  gint64 now;     /* when last told */
} HpMatchSessions;

void hp_match_sessions_init (HpMatchSessions *self, guint8 worker,
                             const HpRandom *random, gint64 now);
void hp_match_sessions_clear (HpMatchSessions *self);
guint hp_match_sessions_count (const HpMatchSessions *self);
guint hp_match_sessions_count_state (const HpMatchSessions *self,
                                     HpMatchSessionState state);
/* Good for the next hp_match_sessions_add(); 0: there is no room */
guint32 hp_match_sessions_allocate_index (HpMatchSessions *self,
                                          const HpRandom *random);
/* A new, unconfirmed one; takes @session and copies @kept */
HpMatchSession *hp_match_sessions_add (HpMatchSessions *self,
                                       HpSession *session,
                                       const guint8 public_key[HP_KEY_SIZE],
                                       const HpKeptResponse *kept,
                                       const HpRoute *route, gint64 now);
/* Gives the one that it replaces, or NULL */
HpMatchSession *hp_match_sessions_confirm (HpMatchSessions *self,
                                           HpMatchSession *session,
                                           gint64 now);
/* A newer one with its identity is elsewhere */
void hp_match_sessions_replace (HpMatchSessions *self,
                                HpMatchSession *session, gint64 now);
void hp_match_sessions_heard (HpMatchSessions *self, HpMatchSession *session,
                              gint64 now);
/* Frees it; its presence and claim must be gone */
void hp_match_sessions_remove (HpMatchSessions *self, HpMatchSession *session);
HpMatchSession *hp_match_sessions_find (const HpMatchSessions *self,
                                        guint32 index);
HpMatchSession *
hp_match_sessions_find_identity (const HpMatchSessions *self,
                                 const guint8 public_key[HP_KEY_SIZE]);
HpMatchSession *
hp_match_sessions_find_initiation (const HpMatchSessions *self,
                                   const guint8 hash[HP_HASH_SIZE]);
/* The one that has been in @state for longest, or NULL; and the next one */
HpMatchSession *hp_match_sessions_oldest (const HpMatchSessions *self,
                                          HpMatchSessionState state);
HpMatchSession *hp_match_sessions_next (const HpMatchSessions *self,
                                        const HpMatchSession *session);
/* When that one has been in its state for @timeout µs; G_MAXINT64 for none */
gint64 hp_match_sessions_get_deadline (const HpMatchSessions *self,
                                       HpMatchSessionState state,
                                       gint64 timeout);

HpSession *hp_match_session_get_secure (HpMatchSession *session);
guint32 hp_match_session_get_index (const HpMatchSession *session);
void hp_match_sessions_get_route (const HpMatchSessions *self,
                                  const HpMatchSession *session,
                                  HpRoute *route);
void hp_match_sessions_set_route (HpMatchSessions *self,
                                  HpMatchSession *session,
                                  const HpRoute *route);
void hp_match_session_set_nat (HpMatchSession *session, const HpNatFacts *nat,
                               gint64 now);
gint64 hp_match_sessions_get_nat_at (const HpMatchSessions *self,
                                     const HpMatchSession *session);

/* The next one of all at or after @time; and back: @now is near it */
HpMatchTicks hp_match_ticks (gint64 time);
gint64 hp_match_ticks_to_time (HpMatchTicks ticks, gint64 now);
