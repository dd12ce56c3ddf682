/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-send-schedule.h"

#include "hole-punch/transport/hp-transport.h"

#define TINY 1024
/* Streams in a flow that are kept in order when they are granted more: whoever
 * grants it to them singly and by the thousand is not to cost time. */
#define MAX_SORTED 16

/* Shared flows: ordered, then tiny and small ones of the other two kinds */
#define ORDERED_FLOW 0
#define TINY_FLOW(kind) (2 * (kind) -1)
#define SMALL_FLOW(kind) (2 * (kind))

void
hp_send_schedule_init (HpSendSchedule *self)
{
  *self = (HpSendSchedule){
    .initial_limit = HP_STREAM_INITIAL_CREDIT,
    .by_number = g_hash_table_new (g_int64_hash, g_int64_equal),
    .turn = 1,
  };
  for (guint i = 0; i < HP_N_SHARED_FLOWS; i++)
    {
      self->flows[i].link.data = &self->flows[i];
      self->flows[i].weight = HP_STREAM_WEIGHT_DEFAULT;
    }
}

void
hp_send_schedule_clear (HpSendSchedule *self)
{
  GList *link;

  while ((link = g_queue_pop_head_link (&self->ordered)))
    hp_send_stream_unref (link->data);
  g_clear_pointer (&self->by_number, g_hash_table_unref);
}

static guint64
get_cost (const HpSendSchedule *self, const HpSendStream *stream)
{
  return HP_STREAM_OPEN_COST + 1 + MIN (stream->length, self->initial_limit);
}

static gboolean
is_large (const HpSendSchedule *self, const HpSendStream *stream)
{
  return stream->length > self->initial_limit;
}

/* One may always open; deadlock is none, as those before it will end. */
static gboolean
is_gated (const HpSendSchedule *self, const HpSendStream *stream)
{
  guint64 cost = get_cost (self, stream);

  if (stream->kind == HP_STREAM_ORDERED)
    return self->n_ordered_large > 0
           && self->ordered_cost + cost > self->window / 2;
  return is_large (self, stream) && self->large_cost > 0
         && self->large_cost + cost > self->window / 4;
}

static void
open_stream (HpSendSchedule *self, HpSendStream *stream)
{
  stream->cost = get_cost (self, stream);
  self->used += stream->cost;
  stream->number = HP_STREAM_NUMBER (self->n_opened[stream->kind]++,
                                     stream->kind);
  stream->limit = self->initial_limit;
  stream->state = HP_SEND_OPEN;
  g_hash_table_insert (self->by_number, &stream->number, stream);
  if (stream->kind == HP_STREAM_ORDERED)
    {
      hp_send_stream_ref (stream);
      g_queue_push_tail_link (&self->ordered, &stream->order_link);
      self->ordered_cost += stream->cost;
      if (is_large (self, stream))
        self->n_ordered_large++;
    }
  else if (is_large (self, stream))
    self->large_cost += stream->cost;
}

static gboolean
is_later (const GList *link, const HpSendFlow *flow)
{
  return ((HpSendFlow *) link->data)->turn > flow->turn;
}

static void
rotate (HpSendSchedule *self, HpSendFlow *flow)
{
  GQueue *rotating = &self->places[HP_FLOW_ROTATING];
  GList *after = rotating->tail;

  while (after != NULL && is_later (after, flow))
    after = after->prev;
  if (after != NULL)
    g_queue_insert_after_link (rotating, after, &flow->link);
  else
    g_queue_push_head_link (rotating, &flow->link);
}

static void
move_flow (HpSendSchedule *self, HpSendFlow *flow, HpFlowPlace place)
{
  if (flow->place == place)
    return;
  if (flow->place != HP_FLOW_IDLE)
    g_queue_unlink (&self->places[flow->place], &flow->link);
  flow->place = place;
  if (place == HP_FLOW_ROTATING)
    {
      /* Before those whose turn it is as well: they had one. */
      flow->turn = MAX (flow->turn, self->turn - 1);
      rotate (self, flow);
    }
  else if (place != HP_FLOW_IDLE)
    g_queue_push_tail_link (&self->places[place], &flow->link);
}

static gboolean
can_open (const HpSendSchedule *self, const HpSendFlow *flow,
          const HpSendStream *stream)
{
  const HpSendFlow *first
      = g_queue_peek_head ((GQueue *) &self->places[HP_FLOW_WAITING]);

  return (first == NULL || first == flow)
         && self->used + get_cost (self, stream) <= self->max_data;
}

/* Puts a flow where its head belongs */
static void
place_flow (HpSendSchedule *self, HpSendFlow *flow)
{
  HpSendStream *head = g_queue_peek_head (&flow->streams);

  if (head != NULL && head->state == HP_SEND_WAITING
      && !is_gated (self, head) && can_open (self, flow, head))
    open_stream (self, head);

  if (head == NULL)
    move_flow (self, flow, HP_FLOW_IDLE);
  else if (head->state == HP_SEND_OPEN)
    move_flow (self, flow, HP_FLOW_ROTATING);
  else if (is_gated (self, head))
    move_flow (self, flow, HP_FLOW_GATED);
  else
    move_flow (self, flow, HP_FLOW_WAITING);
}

static void
open_gate (HpSendSchedule *self)
{
  GList *next;

  for (GList *l = self->places[HP_FLOW_GATED].head; l != NULL; l = next)
    {
      HpSendFlow *flow = l->data;

      next = l->next;
      place_flow (self, flow);
      /* The ordered flow has a gate of its own, all others share one. */
      if (flow->place == HP_FLOW_GATED && flow != &self->flows[ORDERED_FLOW])
        break;
    }
}

static void
spend_credit (HpSendSchedule *self)
{
  HpSendFlow *flow;

  while ((flow = g_queue_peek_head (&self->places[HP_FLOW_WAITING])))
    {
      place_flow (self, flow);
      if (flow->place == HP_FLOW_WAITING)
        break;
    }
}

void
hp_send_schedule_start (HpSendSchedule *self, guint64 max_data,
                        guint64 initial_limit)
{
  self->initial_limit = initial_limit;
  hp_send_schedule_raise_max_data (self, max_data);
}

void
hp_send_schedule_raise_max_data (HpSendSchedule *self, guint64 max_data)
{
  self->max_data = MAX (self->max_data, max_data);
  self->window = MAX (self->window, self->max_data - self->ended);
  spend_credit (self);
}

HpSendStream *
hp_send_schedule_lookup (HpSendSchedule *self, guint64 number)
{
  return g_hash_table_lookup (self->by_number, &number);
}

gboolean
hp_send_schedule_was_opened (const HpSendSchedule *self, guint64 number)
{
  HpStreamKind kind = HP_STREAM_KIND (number);

  return kind < HP_N_MESSAGE_KINDS
         && HP_STREAM_SEQUENCE (number) < self->n_opened[kind]
         && HP_STREAM_NUMBER (HP_STREAM_SEQUENCE (number), kind) == number;
}

void
hp_send_schedule_add (HpSendSchedule *self, HpSendStream *stream)
{
  if (stream->kind == HP_STREAM_ORDERED)
    stream->flow = &self->flows[ORDERED_FLOW];
  else if (stream->length > HP_STREAM_INITIAL_CREDIT)
    stream->flow = &stream->own_flow;
  else
    stream->flow = &self->flows[stream->length > TINY
                                    ? SMALL_FLOW (stream->kind)
                                    : TINY_FLOW (stream->kind)];
  g_queue_push_tail_link (&stream->flow->streams, &stream->flow_link);
  stream->in_flow = TRUE;
  place_flow (self, stream->flow);
}

void
hp_send_schedule_remove (HpSendSchedule *self, HpSendStream *stream)
{
  if (!stream->in_flow)
    return;
  g_queue_unlink (&stream->flow->streams, &stream->flow_link);
  stream->in_flow = FALSE;
  place_flow (self, stream->flow);
  spend_credit (self);
}

void
hp_send_schedule_raise_limit (HpSendSchedule *self, HpSendStream *stream,
                              guint64 limit)
{
  GList *before;
  guint n = 0;

  stream->limit = MAX (stream->limit, limit);
  if (stream->state != HP_SEND_OPEN || stream->in_flow
      || !hp_send_stream_has_fresh (stream))
    return;

  /* Behind those that were opened before it, and granted too */
  for (before = stream->flow->streams.head; before != NULL && n < MAX_SORTED;
       before = before->next, n++)
    {
      const HpSendStream *other = before->data;

      if (other->state != HP_SEND_OPEN || other->number > stream->number)
        break;
    }
  if (before != NULL)
    g_queue_insert_before_link (&stream->flow->streams, before,
                                &stream->flow_link);
  else
    g_queue_push_tail_link (&stream->flow->streams, &stream->flow_link);
  stream->in_flow = TRUE;
  place_flow (self, stream->flow);
  spend_credit (self);
}

void
hp_send_schedule_refresh (HpSendSchedule *self, HpSendStream *stream)
{
  if (stream->state != HP_SEND_OPEN || stream->in_flow
      || !hp_send_stream_has_fresh (stream))
    return;
  g_queue_push_tail_link (&stream->flow->streams, &stream->flow_link);
  stream->in_flow = TRUE;
  place_flow (self, stream->flow);
}

static void
pop_ordered (HpSendSchedule *self)
{
  HpSendStream *stream;

  while ((stream = g_queue_peek_head (&self->ordered))
         && stream->state == HP_SEND_ENDED)
    {
      self->ordered_cost -= stream->cost;
      if (is_large (self, stream))
        self->n_ordered_large--;
      g_queue_unlink (&self->ordered, &stream->order_link);
      hp_send_stream_unref (stream);
    }
}

void
hp_send_schedule_ended (HpSendSchedule *self, HpSendStream *stream)
{
  gboolean was_reset = stream->state == HP_SEND_RESET;

  /* Of a message that was not sent in full the other side counts only what
   * was, and does so from the RESET on: not before it has that. */
  if (was_reset && stream->kind != HP_STREAM_BYTES)
    {
      guint64 counted = HP_STREAM_OPEN_COST + 1
                        + MIN (stream->final_size, self->initial_limit);

      self->used -= stream->cost - counted;
      self->ended += counted;
    }
  else
    self->ended += stream->cost;
  stream->state = HP_SEND_ENDED;
  g_hash_table_remove (self->by_number, &stream->number);
  if (stream->kind == HP_STREAM_ORDERED)
    pop_ordered (self);
  else if (is_large (self, stream))
    self->large_cost -= stream->cost;
  open_gate (self);
  spend_credit (self);
}

HpSendStream *
hp_send_schedule_next (HpSendSchedule *self)
{
  HpSendFlow *flow = g_queue_peek_head (&self->places[HP_FLOW_ROTATING]);

  return flow == NULL ? NULL : g_queue_peek_head (&flow->streams);
}

gboolean
hp_send_schedule_has_next (const HpSendSchedule *self)
{
  return self->places[HP_FLOW_ROTATING].length > 0;
}

void
hp_send_schedule_sent (HpSendSchedule *self, HpSendStream *stream, gsize size)
{
  GQueue *rotating = &self->places[HP_FLOW_ROTATING];
  HpSendFlow *flow = stream->flow;

  self->turn = MAX (self->turn, flow->turn);
  flow->turn += size * HP_STREAM_WEIGHT_MAX / flow->weight;
  if (flow->link.next != NULL && !is_later (flow->link.next, flow))
    {
      g_queue_unlink (rotating, &flow->link);
      rotate (self, flow);
    }
  if (!hp_send_stream_has_fresh (stream))
    hp_send_schedule_remove (self, stream);
}
