/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Deadlines of many parties, the earliest first: a binary heap that allocates
 * nothing for a change (there is one for nearly every packet).
 */

#pragma once

#include "hole-punch/engine/hp-endpoint.h"

typedef struct
{
  GPtrArray *parties; /* element 0 is unused: the children of n are 2n, 2n+1 */
} HpDeadlineHeap;

void hp_deadline_heap_init (HpDeadlineHeap *self);
void hp_deadline_heap_clear (HpDeadlineHeap *self);
/* Puts @party in, moves it, or (G_MAXINT64) takes it out */
void hp_deadline_heap_set (HpDeadlineHeap *self, HpParty *party,
                           gint64 deadline);
/* The party with the earliest deadline, or NULL */
HpParty *hp_deadline_heap_peek (const HpDeadlineHeap *self);
