/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Introductions under way or just made, so that a repeated ASK asks nobody
 * twice and says the same again: by caller and request number, and by ticket
 * number for the callee's REPLY. */

#pragma once

#include "hole-punch/secure/hp-cookie.h"
#include "hole-punch/wire/hp-frame.h"

typedef enum
{
  HP_MATCH_ASK_AUTHORIZING, /* the server's application decides */
  HP_MATCH_ASK_LOOKING_UP,  /* the registry is asked who holds the id */
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

typedef struct
{
  struct
  {
    guint8 caller[HP_KEY_SIZE];
    guint64 request;
  } key;
  HpMatchAskState state;
  HpRefusedCode code; /* REFUSED */
  guint64 handle;     /* of its question; 0: none */
  gboolean by_key;
  char wanted_id[HP_ID_MAX_SIZE + 1]; /* "" if by key */
  guint8 callee[HP_KEY_SIZE];         /* once known */
  gboolean is_open;                   /* the callee needs no REPLY */
  HpTicket ticket;
  gboolean has_ticket;
  gint64 asked_at;
  gint64 repeated_at;
  guint repeats; /* that were passed on */
  HpMatchOffer from_caller;
  HpMatchOffer *from_callee; /* NULL before a REPLY */
  GList link;
} HpMatchAsk;

typedef struct
{
  GHashTable *by_key;
  GHashTable *by_ticket;
  GQueue queue; /* by asked_at */
} HpMatchAsks;

void hp_match_asks_init (HpMatchAsks *self);
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
void hp_match_asks_remove (HpMatchAsks *self, HpMatchAsk *ask);
HpMatchAsk *hp_match_asks_oldest (const HpMatchAsks *self);
