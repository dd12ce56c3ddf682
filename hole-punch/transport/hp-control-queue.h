/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Frames of other floors, opaque here: sent until acknowledged */

#pragma once

#include <glib.h>

#define HP_CONTROL_MAX_SIZE 1000

typedef struct
{
  guint n_references;
  GBytes *frame;
  GList link;
  gboolean is_queued;
  gboolean is_acked;
} HpControl;

typedef struct
{
  GQueue queue; /* to be sent, (again) */
} HpControlQueue;

void hp_control_queue_clear (HpControlQueue *self);
void hp_control_queue_add (HpControlQueue *self, GBytes *frame);
/* The first that fits in @room, or NULL */
HpControl *hp_control_queue_next (HpControlQueue *self, gsize room);
/* A reference for its record of being sent */
HpControl *hp_control_queue_sent (HpControlQueue *self, HpControl *control);
void hp_control_queue_acked (HpControlQueue *self, HpControl *control);
void hp_control_queue_lost (HpControlQueue *self, HpControl *control);
void hp_control_unref (HpControl *self);
