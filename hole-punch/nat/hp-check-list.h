/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The other side's candidates, each with its openers and its schedule of
 * checks (see hp-puncher.h): from the main socket, and from each relay of
 * ours. */

#pragma once

#include "hole-punch/nat/hp-candidate.h"
#include "hole-punch/nat/hp-nat-budget.h"
#include "hole-punch/nat/hp-punch.h"

/* What goes through a relay comes so much later (µs), unless nothing else is
 * there: a direct way that exists is to be found first */
#define HP_RELAY_DELAY (100 * G_TIME_SPAN_MILLISECOND)

typedef struct
{
  HpNatBudget *budget; /* NULL: unlimited */
  gboolean openers;
  gboolean relay_only;
  gboolean by_relay;  /* they do not wait */
  gint64 start_at;
  HpWireCandidates candidates; /* those that a relay can reach */
  guint relays[HP_PUNCH_MAX_RELAYS]; /* numbers of the carriers */
  guint n_relays;
  GArray *checks; /* HpCheck; NULL: none */
} HpCheckList;

void hp_check_list_clear (HpCheckList *self);
/* Forgets all but the relays, and what @continues in the NAT: entries that are
 * paid for */
void hp_check_list_begin (HpCheckList *self,
                          const HpWireCandidates *candidates,
                          gboolean continues, gint64 now);
/* See hp_puncher_add() */
gboolean hp_check_list_add (HpCheckList *self, const HpRoute *route,
                            HpCandidateKind kind, gint64 now);
/* FALSE: there was none of this route, or its path leads through a relay, or
 * it may do so */
gboolean hp_check_list_remove (HpCheckList *self, const HpRoute *route);
gboolean hp_check_list_may_be_relayed (const HpCheckList *self,
                                       const HpRoute *route);
gboolean hp_check_list_add_relay (HpCheckList *self, guint number,
                                  gint64 now);
void hp_check_list_remove_relay (HpCheckList *self, guint number);
gboolean hp_check_list_is_relay (const HpCheckList *self, guint number);

gboolean hp_check_list_next (HpCheckList *self, gint64 now, HpPunch *punch);
gint64 hp_check_list_get_deadline (const HpCheckList *self);
