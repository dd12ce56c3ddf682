/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "flow-lab.h"

#include <string.h>

#define MAX_FLOWS 8

typedef enum
{
  EVENT_ARRIVAL,
  EVENT_ACK,
  EVENT_SENDER,
  EVENT_RECEIVER,
} EventType;

typedef struct
{
  gint64 when;
  guint64 order;
  EventType type;
  guint flow;
  guint64 number;
  gboolean is_marked;
  HpAckFrame *ack;
  guint64 n_marked;
} Event;

struct _FlowLab
{
  FlowLink link;
  gint64 now;
  guint64 state;
  GArray *heap;
  guint64 n_events;
  gint64 busy_until;
  guint n_flows;
  Flow flows[MAX_FLOWS];
  guint64 before[MAX_FLOWS];
  gint64 measured;
  /* Since the measurement began */
  guint64 n_queued, n_dropped;
  gint64 waited, longest;
};

/* splitmix64 */
static guint64
next_random (FlowLab *self)
{
  guint64 z = self->state += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

  z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static gboolean
chance (FlowLab *self, double probability)
{
  return (next_random (self) >> 11) * 0x1p-53 < probability;
}

static gboolean
is_before (const Event *a, const Event *b)
{
  return a->when != b->when ? a->when < b->when : a->order < b->order;
}

static void
push (FlowLab *self, Event event)
{
  Event *heap;
  guint at = self->heap->len;

  event.order = self->n_events++;
  g_array_append_val (self->heap, event);
  heap = &g_array_index (self->heap, Event, 0);
  for (; at > 0 && is_before (&event, &heap[(at - 1) / 2]); at = (at - 1) / 2)
    heap[at] = heap[(at - 1) / 2];
  heap[at] = event;
}

static Event
pop (FlowLab *self)
{
  Event *heap = &g_array_index (self->heap, Event, 0);
  guint length = self->heap->len - 1;
  Event first = heap[0];
  Event moved = heap[length];
  guint at = 0;

  for (;;)
    {
      guint child = 2 * at + 1;

      if (child >= length)
        break;
      if (child + 1 < length && is_before (&heap[child + 1], &heap[child]))
        child++;
      if (!is_before (&heap[child], &moved))
        break;
      heap[at] = heap[child];
      at = child;
    }
  heap[at] = moved;
  g_array_set_size (self->heap, length);
  return first;
}

static void
on_acked (gpointer user_data, const HpSentPacket *packet)
{
  Flow *flow = user_data;

  hp_path_control_acked (&flow->path, packet, flow->lab->now);
}

static void
on_lost (gpointer user_data, const HpSentPacket *packet)
{
  Flow *flow = user_data;

  flow->n_lost++;
  hp_path_control_lost (&flow->path, packet, flow->lab->now);
}

static void
on_spurious (gpointer user_data, const HpSentPacket *packet)
{
  Flow *flow = user_data;

  flow->n_spurious++;
  hp_path_control_spurious (&flow->path, packet, flow->lab->now);
}

static void
on_persistent (gpointer user_data)
{
  Flow *flow = user_data;

  hp_path_control_persistent (&flow->path, flow->lab->now);
}

static const HpLossObserver observer = {
  .acked = on_acked,
  .lost = on_lost,
  .spurious = on_spurious,
  .persistent = on_persistent,
};

/* When the datagram leaves the queue; -1: it is dropped */
static gint64
enqueue (FlowLab *self, gboolean *is_marked)
{
  gint64 start = MAX (self->busy_until, self->now);
  gint64 waiting = start - self->now;
  double queued = (double) waiting * self->link.rate / G_TIME_SPAN_SECOND;

  if (queued + FLOW_LAB_DATAGRAM
      > MAX (self->link.queue, FLOW_LAB_DATAGRAM))
    {
      self->n_dropped++;
      return -1;
    }
  *is_marked = self->link.marks && queued > self->link.queue / 2.;
  self->n_queued++;
  self->waited += waiting;
  self->longest = MAX (self->longest, waiting);
  self->busy_until = start
                     + FLOW_LAB_DATAGRAM * G_TIME_SPAN_SECOND
                           / self->link.rate;
  return self->busy_until;
}

static void
transmit (Flow *flow)
{
  FlowLab *self = flow->lab;
  gboolean is_marked = FALSE;
  HpSentPacket *packet = hp_loss_sent (&flow->loss, flow->next_number,
                                       FLOW_LAB_DATAGRAM, self->now);
  gint64 when;

  hp_path_control_sent (&flow->path, packet, self->now);
  flow->n_sent++;
  flow->source_sent += FLOW_LAB_DATAGRAM;
  when = enqueue (self, &is_marked);
  if (when >= 0 && !chance (self, self->link.loss))
    push (self, (Event){
                    .when = when + self->link.delay
                            + (gint64) (next_random (self)
                                        % (self->link.jitter + 1)),
                    .type = EVENT_ARRIVAL,
                    .flow = flow->index,
                    .number = flow->next_number,
                    .is_marked = is_marked,
                });
  flow->next_number++;
}

static gboolean
has_content (const Flow *flow)
{
  guint64 made;

  if (!flow->is_active)
    return FALSE;
  if (flow->source_rate == 0)
    return TRUE;
  made = (guint64) (flow->lab->now - flow->source_since) * flow->source_rate
         / G_TIME_SPAN_SECOND;
  return flow->source_sent + FLOW_LAB_DATAGRAM <= made;
}

static void
arm (FlowLab *self, const Flow *flow, EventType type, gint64 *armed_at,
     gint64 deadline)
{
  deadline = MAX (deadline, self->now + 1);
  if (deadline >= *armed_at || deadline == G_MAXINT64)
    return;
  *armed_at = deadline;
  push (self, (Event){ .when = deadline, .type = type,
                       .flow = flow->index });
}

static void
pump (Flow *flow)
{
  FlowLab *self = flow->lab;
  gint64 deadline;

  if (hp_loss_expire (&flow->loss, self->now))
    flow->n_probes = 1;
  hp_path_control_update_pacer (&flow->path, self->now);
  for (; flow->n_probes > 0; flow->n_probes--)
    transmit (flow);
  while (hp_path_control_has_window (&flow->path)
         && hp_pacer_get_time (&flow->path.pacer, self->now) <= self->now)
    {
      if (!has_content (flow))
        {
          hp_path_control_app_limited (&flow->path, self->now);
          break;
        }
      transmit (flow);
    }
  deadline = hp_loss_get_deadline (&flow->loss);
  if (hp_path_control_has_window (&flow->path) && has_content (flow))
    deadline = MIN (deadline,
                    hp_pacer_get_time (&flow->path.pacer, self->now));
  if (flow->is_active && flow->source_rate > 0)
    deadline = MIN (deadline,
                    self->now
                        + FLOW_LAB_DATAGRAM * G_TIME_SPAN_SECOND
                              / (gint64) flow->source_rate);
  arm (self, flow, EVENT_SENDER, &flow->armed_at, deadline);
}

static void
acknowledge (Flow *flow)
{
  FlowLab *self = flow->lab;
  HpAckFrame *ack;

  if (!hp_ack_tracker_has_news (&flow->acks)
      || !hp_ack_tracker_is_due (&flow->acks))
    return;
  ack = g_new (HpAckFrame, 1);
  hp_ack_tracker_fill (&flow->acks, ack, HP_MAX_ACK_RANGES, self->now);
  hp_ack_tracker_sent (&flow->acks);
  flow->n_acks++;
  if (chance (self, self->link.loss))
    {
      g_free (ack);
      return;
    }
  push (self, (Event){ .when = self->now + self->link.delay,
                       .type = EVENT_ACK, .flow = flow->index, .ack = ack,
                       .n_marked = flow->n_marked });
  flow->n_marked = 0;
}

static void
handle_arrival (Flow *flow, const Event *event)
{
  FlowLab *self = flow->lab;

  flow->received += FLOW_LAB_DATAGRAM;
  flow->n_marked += event->is_marked;
  hp_ack_tracker_received (&flow->acks, event->number, TRUE, HP_ECN_NOT_ECT,
                           self->now);
  acknowledge (flow);
  arm (self, flow, EVENT_RECEIVER, &flow->acks_armed_at,
       flow->acks.deadline);
}

static void
handle_ack (Flow *flow, const Event *event)
{
  FlowLab *self = flow->lab;

  if (hp_loss_acknowledge (&flow->loss, event->ack, self->now))
    {
      if (event->n_marked > 0)
        hp_path_control_congestion_experienced (
            &flow->path, event->n_marked,
            self->now - flow->path.round_trip.latest, self->now);
      hp_path_control_ack_end (&flow->path, self->now);
      /* The receiver knows it of its own packets. */
      hp_ack_tracker_set_round_trip (&flow->acks,
                                     flow->path.round_trip.smoothed);
    }
  g_free (event->ack);
  pump (flow);
}

static void
handle (FlowLab *self, const Event *event)
{
  Flow *flow = &self->flows[event->flow];

  switch (event->type)
    {
    case EVENT_ARRIVAL:
      handle_arrival (flow, event);
      break;
    case EVENT_ACK:
      handle_ack (flow, event);
      break;
    case EVENT_SENDER:
      if (self->now < flow->armed_at)
        break;
      flow->armed_at = G_MAXINT64;
      pump (flow);
      break;
    case EVENT_RECEIVER:
      if (self->now < flow->acks_armed_at)
        break;
      flow->acks_armed_at = G_MAXINT64;
      hp_ack_tracker_expire (&flow->acks, self->now);
      acknowledge (flow);
      arm (self, flow, EVENT_RECEIVER, &flow->acks_armed_at,
           flow->acks.deadline);
      break;
    }
}

FlowLab *
flow_lab_new (guint64 seed, const FlowLink *link)
{
  FlowLab *self = g_new0 (FlowLab, 1);

  self->link = *link;
  self->now = G_TIME_SPAN_HOUR;
  self->state = seed;
  self->heap = g_array_new (FALSE, FALSE, sizeof (Event));
  return self;
}

void
flow_lab_free (FlowLab *self)
{
  for (guint i = 0; i < self->heap->len; i++)
    {
      const Event *event = &g_array_index (self->heap, Event, i);

      if (event->type == EVENT_ACK)
        g_free (event->ack);
    }
  for (guint i = 0; i < self->n_flows; i++)
    {
      hp_loss_clear (&self->flows[i].loss);
      hp_path_control_clear (&self->flows[i].path);
      hp_ack_tracker_clear (&self->flows[i].acks);
    }
  g_array_unref (self->heap);
  g_free (self);
}

FlowLink *
flow_lab_get_link (FlowLab *self)
{
  return &self->link;
}

gint64
flow_lab_get_now (const FlowLab *self)
{
  return self->now;
}

Flow *
flow_lab_add (FlowLab *self, const HpCongestionClass *class)
{
  Flow *flow = &self->flows[self->n_flows];

  g_assert (self->n_flows < MAX_FLOWS);
  flow->lab = self;
  flow->index = self->n_flows++;
  flow->is_active = TRUE;
  flow->armed_at = flow->acks_armed_at = G_MAXINT64;
  /* Two at the same moment are not made by life. */
  self->now += next_random (self) % 5000;
  flow->source_since = self->now;
  hp_path_control_init (&flow->path, class, FLOW_LAB_DATAGRAM, self->now);
  hp_loss_init (&flow->loss, &observer, flow, &flow->path.round_trip);
  flow->loss.max_ack_delay = HP_MAX_ACK_DELAY;
  hp_ack_tracker_init (&flow->acks);
  pump (flow);
  return flow;
}

void
flow_lab_set_source (Flow *flow, guint64 rate)
{
  flow->source_rate = rate;
  flow->source_since = flow->lab->now;
  flow->source_sent = 0;
  pump (flow);
}

void
flow_lab_stop (Flow *flow)
{
  flow->is_active = FALSE;
}

void
flow_lab_run (FlowLab *self, gint64 duration)
{
  gint64 end = self->now + duration;

  while (self->heap->len > 0
         && g_array_index (self->heap, Event, 0).when <= end)
    {
      Event event = pop (self);

      self->now = MAX (self->now, event.when);
      handle (self, &event);
    }
  self->now = end;
}

double
flow_lab_measure (FlowLab *self, gint64 duration)
{
  double sum = 0;

  for (guint i = 0; i < self->n_flows; i++)
    self->before[i] = self->flows[i].received;
  self->n_queued = self->n_dropped = 0;
  self->waited = self->longest = 0;
  self->measured = duration;
  flow_lab_run (self, duration);
  for (guint i = 0; i < self->n_flows; i++)
    sum += flow_lab_get_share (&self->flows[i]);
  return sum;
}

double
flow_lab_get_waiting (const FlowLab *self)
{
  return self->waited / (double) MAX (self->n_queued, 1);
}

gint64
flow_lab_get_longest (const FlowLab *self)
{
  return self->longest;
}

double
flow_lab_get_share (const Flow *flow)
{
  return (flow->received - flow->lab->before[flow->index])
         * (double) G_TIME_SPAN_SECOND / flow->lab->measured;
}

double
flow_lab_get_dropped (const FlowLab *self)
{
  return self->n_dropped / (double) MAX (self->n_dropped + self->n_queued, 1);
}
