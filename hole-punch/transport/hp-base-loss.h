/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What share of its packets a path loses whoever sends how much: a bad radio
 * link, not a full queue.
 *
 * BBRv3 backs off from more than 2 % of loss, and from any when it is not
 * probing, so that it would starve on a path that loses 5 % by itself. Here
 * losses up to a base rate are not held against the sender. It is measured, not
 * assumed:
 *
 *  - only in rounds that give no sign of a queue (their shortest round trip is
 *    about the path's minimum, and those with losses are as long as the others)
 *    and in which the sender does not press: it sends at no more than the
 *    estimated bandwidth and has about the bandwidth-delay product in flight,
 *    or the bandwidth still grew with what it sent (Startup). A queue that
 *    drops is full, so its losses come with long round trips; a queue too short
 *    to be noticed, or a policer, drops what is above its rate, and that is not
 *    sent then;
 *  - over a thousand packets at a time, and the least of such samples during
 *    this and the last probing cycle counts: loss that comes and goes is
 *    congestion, that of others, too;
 *  - forgotten after a few cycles without a sample;
 *  - never more than HP_BASE_LOSS_MAX. So even where all of this is deceived a
 *    sender causes less loss than one that does not mind any, as BBRv1.
 */

#pragma once

#include <glib.h>

#define HP_BASE_LOSS_MAX 0.08

typedef struct
{
  guint64 n_acked; /* of the sample that is being taken */
  guint64 n_lost;
  double current;  /* the least of this cycle, of the last; -1: none */
  double last;
  guint age;       /* cycles without a sample */
} HpBaseLoss;

void hp_base_loss_init (HpBaseLoss *self);
/* A round trip without a queue, in which the sender did not press */
void hp_base_loss_add (HpBaseLoss *self, guint n_acked, guint n_lost);
/* Another probing cycle begins. */
void hp_base_loss_advance (HpBaseLoss *self);
/* 0 to HP_BASE_LOSS_MAX */
double hp_base_loss_get (const HpBaseLoss *self);
/* Whether @n_lost of @n packets are more than the base rate and @allowed
 * besides explain, chance not being blamed either (three standard
 * deviations) */
gboolean hp_base_loss_is_exceeded (const HpBaseLoss *self, double n,
                                   double n_lost, double allowed);
/* The same with the greatest base rate there may be: while it is not known */
gboolean hp_base_loss_is_hopeless (double n, double n_lost, double allowed);
