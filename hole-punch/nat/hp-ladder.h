/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The ladder: which methods two NATs are worth, in which order and when. Both
 * sides know both NATs' facts and the common start, and so come to the same
 * ladder without a word: what one side opens, the other aims at.
 *
 * A side whose mapping depends on the remote address ("dependent") does not
 * know its own port toward the other side. Such pairs have one side that opens
 * and one that aims: the opener makes one or many mappings toward the one
 * address of the other side that is known, the aimer sends to the ports at
 * which they may be. That works when the aimer's own port is known
 * (independent mapping), or when the opener's NAT does not look at it (it
 * filters by address at most) and the opener's answer, which then goes to
 * another port than its mapping was made for, still passes the aimer's: from
 * the same mapping (one for each address), or because that does not look at
 * ports either.
 *
 *   independent – independent   STRAIGHT, FRESH
 *   dependent – independent     DIAL if the latter does not look at ports;
 *                               SEQUENTIAL or BLOCK if the former is
 *                               predictable; BIRTHDAY
 *   dependent – dependent       the same where one can be hit like that; PAIR
 *                               if both are sequential; else nothing
 */

#pragma once

#include <glib.h>

#include "hole-punch/wire/hp-nat-facts.h"

typedef enum
{
  HP_RUNG_STRAIGHT,   /* checks of the candidates, synchronised */
  HP_RUNG_DIAL,       /* the same, when the opener's checks shall do it */
  HP_RUNG_FRESH,      /* a fresh socket each, at ports agreed on beforehand:
                         the first mapping may have been spoiled by an early
                         knock */
  HP_RUNG_SEQUENTIAL, /* the opener's next ports can be foretold */
  HP_RUNG_BLOCK,      /* they are out of a small block */
  HP_RUNG_BIRTHDAY,   /* they are anywhere: many sockets, many ports */
  HP_RUNG_PAIR,       /* both sides' next ports can be foretold */
  HP_N_RUNGS,
} HpRung;

typedef struct
{
  HpRung rung;
  gboolean opens; /* we do; else the other side does. PAIR and FRESH: one role
                     and the other */
  gint64 at;      /* µs after the common start */
  gint64 lasts;   /* µs; then the next one */
} HpLadderStep;

#define HP_LADDER_MAX_STEPS 4

typedef struct
{
  guint n_steps; /* at least one: STRAIGHT or DIAL */
  HpLadderStep steps[HP_LADDER_MAX_STEPS];
} HpLadder;

/* @tie is any bit that is the opposite on the other side. The other side's
 * ladder is the same one with @opens the other way round. */
void hp_ladder_choose (HpLadder *self, const HpNatFacts *local,
                       const HpNatFacts *remote, gboolean tie);
/* Of the last step */
gint64 hp_ladder_get_end (const HpLadder *self);

const char *hp_rung_get_name (HpRung rung);
