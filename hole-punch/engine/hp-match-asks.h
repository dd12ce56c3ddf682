/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Introductions under way or just made, so that a repeated ASK asks nobody
 * twice and says the same again: by caller and request number, and by ticket
 * number for the callee's REPLY.
 *
 *   AUTHORIZING ─▸ LOOKING_UP ─▸ (CALLING ─▸) WAITING ─▸ ANSWERED │ settled:
 *        └─────────────┴─────────────┴───────────┴─────▸ REFUSED  │ may go
 *
 * One introduction between two services is an ask at the caller's and a visit
 * at the callee's.
 */

#pragma once

#include "hole-punch/base/hp-siphash.h"
#include "hole-punch/engine/hp-match-service.h"
#include "hole-punch/secure/hp-cookie.h"
#include "hole-punch/wire/hp-frame.h"

/* How long a callee may take to REPLY, and repeats of an ASK are known as such
 */
#define HP_MATCH_ASK_LIFETIME (30 * G_TIME_SPAN_SECOND)

typedef enum
{
  HP_MATCH_ASK_AUTHORIZING, /* the server's application decides */
  HP_MATCH_ASK_LOOKING_UP,  /* it is asked where the callee is */
  HP_MATCH_ASK_CALLING,     /* the callee's service was sent a CALL */
  HP_MATCH_ASK_WAITING,     /* for the callee's REPLY */
  HP_MATCH_ASK_ANSWERED,
  HP_MATCH_ASK_REFUSED,
} HpMatchAskState;

/* Of one side: to be told to the other */
typedef struct
{
  guint16 suites;
  gint64 round_trip;            /* µs, to the server */
  HpNatFacts nat;
  gint64 nat_at;               /* when they were told */
  HpWireCandidates candidates; /* as offered, with their proofs */
} HpMatchOffer;

/* The side that is at another place, as its service tells of it */
typedef struct
{
  HpMatchPlace place;
  char id[HP_ID_MAX_SIZE + 1];
  HpAddress observed;
  HpMatchOffer offer; /* proofs have been checked there */
} HpMatchRemote;

typedef struct
{
  struct
  {
    guint8 caller[HP_KEY_SIZE];
    guint64 request;
  } key;
  guint hash; /* of that */
  HpMatchAskState state;
  HpRefusedCode code; /* REFUSED */
  guint64 handle;     /* of its question; 0: none */
  guint lookups;      /* so far */
  gboolean is_visit;  /* the caller is at another place */
  gboolean is_call;   /* the callee is */
  gboolean by_key;
  char wanted_id[HP_ID_MAX_SIZE + 1]; /* "" if by key */
  gboolean has_callee;                /* it is known whose key it is: */
  guint8 callee[HP_KEY_SIZE];
  gboolean is_open;                   /* the callee needs no REPLY */
  HpTicket ticket;
  gboolean has_ticket; /* by which it can be found: the callee is here */
  gint64 changed_at; /* asked, or settled */
  gint64 repeated_at;
  guint repeats; /* that were passed on */
  gint64 replied_at;
  guint replies; /* of the callee, after the first */
  HpMatchOffer from_caller; /* not of a visit */
  HpMatchOffer *from_callee; /* NULL before a REPLY, or if it is elsewhere */
  guint64 call_time; /* of the first CALL to this place; a visit's: of the one
                        that is answered now, 0: none */
  gint64 way;       /* µs to the callee's service and back, as was reckoned
                       with in the CALL */
  HpMatchRemote *remote; /* a visit's caller, or the callee; NULL: all here */
  GList link;
} HpMatchAsk;

typedef struct
{
  HpSipKey secret; /* callers choose their keys and requests */
  GHashTable *by_key;
  GHashTable *by_ticket;
  GQueue pending, settled; /* by changed_at */
} HpMatchAsks;

void hp_match_asks_init (HpMatchAsks *self, const HpRandom *random);
void hp_match_asks_clear (HpMatchAsks *self);
guint hp_match_asks_count (const HpMatchAsks *self);
HpMatchAsk *hp_match_asks_find (const HpMatchAsks *self,
                                const guint8 caller[HP_KEY_SIZE],
                                guint64 request);
HpMatchAsk *hp_match_asks_find_ticket (const HpMatchAsks *self,
                                       guint64 number);
/* Must not be there yet */
HpMatchAsk *hp_match_asks_add (HpMatchAsks *self,
                               const guint8 caller[HP_KEY_SIZE],
                               guint64 request, gint64 now);
/* FALSE: its number is another one's; it has no ticket then */
gboolean hp_match_asks_set_ticket (HpMatchAsks *self, HpMatchAsk *ask,
                                   const HpTicket *ticket);
/* It has just been answered or refused: from now on it is only remembered. */
void hp_match_asks_settle (HpMatchAsks *self, HpMatchAsk *ask,
                           HpMatchAskState state, gint64 now);
void hp_match_asks_remove (HpMatchAsks *self, HpMatchAsk *ask);
/* For one more where @most fit: the one that was settled first is forgotten,
 * which costs no more than that a repeat of it reads like a new one, with the
 * same ticket. FALSE: all are pending. */
gboolean hp_match_asks_make_room (HpMatchAsks *self, guint most);
/* One whose lifetime is over, or NULL */
HpMatchAsk *hp_match_asks_find_expired (const HpMatchAsks *self, gint64 now);
gint64 hp_match_asks_get_deadline (const HpMatchAsks *self);

/* What a side said just now */
void hp_match_offer_set (HpMatchOffer *self, guint16 suites,
                         guint64 round_trip, const HpNatFacts *nat,
                         const HpWireCandidates *candidates, gint64 now);
/* Other candidates, or other facts but for their age */
gboolean hp_match_offer_is_news (const HpMatchOffer *self,
                                 const HpMatchOffer *before);
