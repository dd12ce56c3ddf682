/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Who is present at a match server under which id. Ownership of an id is the
 * registry's business and outlives this. */

#pragma once

#include "hole-punch/engine/hp-match-sessions.h"

struct _HpMatchPresence
{
  HpMatchTicks refreshed_at;
  guint32 holder; /* slot of its session, whose @presence this is */
  guint32 previous, next; /* slots */
  guint8 flags;         /* HP_REGISTER_… */
  guint8 n_challengers; /* who wait whether its holder still answers */
  guint8 review;        /* in which it was authorized */
  char id[];
};

typedef struct
{
  HpMatchSessions *sessions;
  HpSipKey key;
  HpSlotTable by_id; /* of holders */
  HpMatchQueue queue; /* of holders, by refreshed_at: the next to expire first
                       */
} HpMatchPresences;

void hp_match_presences_init (HpMatchPresences *self,
                              HpMatchSessions *sessions,
                              const HpRandom *random);
/* Before the sessions are cleared */
void hp_match_presences_clear (HpMatchPresences *self);
guint hp_match_presences_count (const HpMatchPresences *self);
HpMatchPresence *hp_match_presences_find (const HpMatchPresences *self,
                                          const char *id);
HpMatchSession *hp_match_presences_get_holder (const HpMatchPresences *self,
                                               const HpMatchPresence *presence);
/* @id must not be there yet, nor may @holder have a presence. */
HpMatchPresence *hp_match_presences_add (HpMatchPresences *self,
                                         HpMatchSession *holder,
                                         const char *id, guint flags,
                                         gint64 now);
void hp_match_presences_refresh (HpMatchPresences *self,
                                 HpMatchPresence *presence, guint flags,
                                 gint64 now);
/* The presence of @from, if any, is now that of @to, which has none. */
void hp_match_presences_move (HpMatchPresences *self, HpMatchSession *from,
                              HpMatchSession *to);
/* Its holder has none any more. */
void hp_match_presences_remove (HpMatchPresences *self,
                                HpMatchPresence *presence);
/* Refreshed longest ago, or NULL */
HpMatchPresence *hp_match_presences_oldest (const HpMatchPresences *self);
/* When that is @lifetime µs ago; G_MAXINT64 if there is none */
gint64 hp_match_presences_get_deadline (const HpMatchPresences *self,
                                        gint64 lifetime);
