/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a match service has to say to whoever runs it. */

#include "hole-punch/engine/hp-match-service-private.h"

#include <string.h>

/* Kept for the next ones */
#define MAX_UNUSED 64

typedef struct
{
  GList link;
  HpServiceEvent event;
} Item;

static Item *
new_item (HpMatchService *self, gsize message_length)
{
  GList *link = message_length == 0
                    ? g_queue_pop_head_link (&self->unused_events)
                    : NULL;
  Item *item = link != NULL ? link->data
                            : g_malloc (sizeof *item + message_length);

  item->link = (GList){ .data = item };
  item->event = (HpServiceEvent){ 0 };
  g_queue_push_tail_link (&self->events, &item->link);
  return item;
}

HpServiceEvent *
hp_match_service_add_event (HpMatchService *self, HpServiceEventType type)
{
  HpServiceEvent *event = &new_item (self, 0)->event;

  event->type = type;
  return event;
}

void
hp_match_service_forward (HpMatchService *self, const HpMatchPlace *place,
                          const guint8 *bytes, gsize length)
{
  Item *item = new_item (self, length);

  item->event.type = HP_SERVICE_EVENT_FORWARD;
  item->event.place = *place;
  item->event.message = memcpy (item + 1, bytes, length);
  item->event.length = length;
  self->statistics.forwarded++;
}

static void
put_away (HpMatchService *self, GList *link)
{
  Item *item = link->data;

  if (item->event.message == NULL && self->unused_events.length < MAX_UNUSED)
    g_queue_push_head_link (&self->unused_events, link);
  else
    g_free (item);
}

gboolean
hp_match_service_next_event (HpMatchService *self, HpServiceEvent *event)
{
  /* Kept as long as its message may be read */
  if (self->taken_event != NULL)
    put_away (self, self->taken_event);
  self->taken_event = g_queue_pop_head_link (&self->events);
  if (self->taken_event == NULL)
    return FALSE;
  *event = ((Item *) self->taken_event->data)->event;
  return TRUE;
}

static void
clear_queue (GQueue *queue)
{
  GList *link;

  while ((link = g_queue_pop_head_link (queue)) != NULL)
    g_free (link->data);
}

void
hp_match_service_clear_events (HpMatchService *self)
{
  clear_queue (&self->events);
  clear_queue (&self->unused_events);
  if (self->taken_event != NULL)
    g_free (self->taken_event->data);
  self->taken_event = NULL;
}
