/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-control-queue.h"

/* The queue holds a reference to each in it, every record of having sent it
 * another. */

void
hp_control_unref (HpControl *self)
{
  if (--self->n_references > 0)
    return;
  g_bytes_unref (self->frame);
  g_free (self);
}

void
hp_control_queue_clear (HpControlQueue *self)
{
  GList *link;

  while ((link = g_queue_pop_head_link (&self->queue)))
    hp_control_unref (link->data);
}

static void
push (HpControlQueue *self, HpControl *control)
{
  control->n_references++;
  control->is_queued = TRUE;
  g_queue_push_tail_link (&self->queue, &control->link);
}

static void
withdraw (HpControlQueue *self, HpControl *control)
{
  g_queue_unlink (&self->queue, &control->link);
  control->is_queued = FALSE;
  hp_control_unref (control);
}

void
hp_control_queue_add (HpControlQueue *self, GBytes *frame)
{
  HpControl *control = g_new0 (HpControl, 1);

  control->frame = g_bytes_ref (frame);
  control->link.data = control;
  push (self, control);
}

HpControl *
hp_control_queue_next (HpControlQueue *self, gsize room)
{
  for (GList *l = self->queue.head; l != NULL; l = l->next)
    {
      HpControl *control = l->data;

      if (g_bytes_get_size (control->frame) <= room)
        return control;
    }
  return NULL;
}

HpControl *
hp_control_queue_sent (HpControlQueue *self, HpControl *control)
{
  control->n_references++;
  withdraw (self, control);
  return control;
}

void
hp_control_queue_acked (HpControlQueue *self, HpControl *control)
{
  control->is_acked = TRUE;
  if (control->is_queued)
    withdraw (self, control);
}

void
hp_control_queue_lost (HpControlQueue *self, HpControl *control)
{
  if (!control->is_acked && !control->is_queued)
    push (self, control);
}
