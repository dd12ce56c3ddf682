/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A match server's sessions: by their index, and, once mutual, by whom they
 * are with; at most one with each identity.
 *
 *   UNCONFIRMED ── a DATA opened ──▸ CONFIRMED ── a newer one with the same
 *        │                            │           identity ──▸ REPLACED
 *        └── 10 s ──▸ gone ◂── silent ┴──────────────── 60 s ──────┘
 */

#pragma once

#include "hole-punch/engine/hp-match-presences.h"
#include "hole-punch/secure/hp-handshake.h"

typedef struct _HpMatchClaim HpMatchClaim;

typedef enum
{
  HP_MATCH_SESSION_UNCONFIRMED, /* sends nothing but its RESPONSE */
  HP_MATCH_SESSION_CONFIRMED,
  HP_MATCH_SESSION_REPLACED, /* only says so when it is talked to */
} HpMatchSessionState;

#define HP_MATCH_SESSION_STATES 3

typedef struct
{
  HpMatchSessionState state;
  guint32 index; /* ours */
  guint8 public_key[HP_KEY_SIZE];
  HpSession *session;
  HpKeptResponse *kept; /* only while unconfirmed */
  HpRoute route;
  guint64 route_number; /* of the packet that proved it */
  gint64 changed_at;    /* its state; if confirmed, when last heard of */
  gint64 responded_at;
  gint64 round_trip; /* µs: RESPONSE to the first DATA, or as it told us */
  guint16 suites;    /* as told by REGISTER, ASK or REPLY; 0: not yet */
  HpNatFacts nat;    /* likewise */
  gint64 nat_at;     /* when they were told */
  gboolean is_known; /* has been granted an id, or an introduction */
  guint64 register_request; /* the highest; lower ones are ignored */
  guint8 register_code;     /* what it was answered: HpRefusedCode, or 0 */
  gboolean register_done;
  guint64 ask_request; /* the highest */
  guint64 relay_request; /* the last one */
  HpMatchPresence *presence;
  HpMatchClaim *claim; /* a REGISTER under way */
  GList link;
} HpMatchSession;

typedef struct
{
  GHashTable *by_index;
  GHashTable *by_identity;   /* confirmed ones */
  GHashTable *by_initiation; /* unconfirmed ones, by the hash of that */
  GQueue queues[HP_MATCH_SESSION_STATES]; /* by changed_at */
} HpMatchSessions;

void hp_match_sessions_init (HpMatchSessions *self);
void hp_match_sessions_clear (HpMatchSessions *self);
guint hp_match_sessions_count (const HpMatchSessions *self);
guint32 hp_match_sessions_allocate_index (const HpMatchSessions *self,
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
/* The one that has been in @state for longest, or NULL */
HpMatchSession *hp_match_sessions_oldest (const HpMatchSessions *self,
                                          HpMatchSessionState state);
