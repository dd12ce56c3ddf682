/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-outbox.h"

#include <string.h>

/* Buffers kept for the next ones */
#define MAX_UNUSED 64

void
hp_outbox_init (HpOutbox *self, guint most)
{
  g_queue_init (&self->waiting);
  g_queue_init (&self->unused);
  self->most = most;
}

static void
clear_queue (GQueue *queue)
{
  GList *link;

  while ((link = g_queue_pop_head_link (queue)) != NULL)
    g_free (link->data);
}

void
hp_outbox_clear (HpOutbox *self)
{
  clear_queue (&self->waiting);
  clear_queue (&self->unused);
}

HpOutboxItem *
hp_outbox_add (HpOutbox *self, const HpRoute *route)
{
  GList *link;
  HpOutboxItem *item;

  if (self->waiting.length >= self->most)
    return NULL;
  link = g_queue_pop_head_link (&self->unused);
  if (link != NULL)
    {
      item = link->data;
    }
  else
    {
      item = g_new (HpOutboxItem, 1);
      item->link = (GList){ .data = item };
    }
  item->route = *route;
  item->length = 0;
  g_queue_push_tail_link (&self->waiting, &item->link);
  return item;
}

gboolean
hp_outbox_pull (HpOutbox *self, HpOutgoing *outgoing)
{
  GList *link = g_queue_pop_head_link (&self->waiting);
  HpOutboxItem *item;

  if (link == NULL)
    return FALSE;
  item = link->data;
  g_assert (item->length <= outgoing->capacity);

  outgoing->route = item->route;
  outgoing->ttl = 0;
  outgoing->length = item->length;
  memcpy (outgoing->bytes, item->bytes, item->length);
  if (self->unused.length < MAX_UNUSED)
    g_queue_push_head_link (&self->unused, link);
  else
    g_free (item);
  return TRUE;
}
