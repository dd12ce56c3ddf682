/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "lane.h"

#include "histogram.h"

#include <string.h>

typedef struct
{
  guint64 packets_in, bytes_in;
  guint64 packets_out, bytes_out;
  guint64 too_large, queue_full, lost;
  guint64 marked, reordered, duplicated;
  guint64 queue_bytes_max;
  Histogram queue_delay; /* from coming to being on the wire */
  Histogram lateness;    /* from being due to being taken */
} Statistics;

struct _Lane
{
  Knobs knobs;
  PacketPool *pool;
  GRand *random;
  gboolean in_burst;

  PacketList queue;
  guint64 queued_bytes, queued_packets;
  gint64 wire_free;

  GPtrArray *under_way; /* a heap by (due, number) */
  gint64 last_due;
  guint64 next_number;

  Statistics statistics;
};

/* ---- packets under way: the first due on top ---- */

static gboolean
is_before (const Packet *a, const Packet *b)
{
  return a->due != b->due ? a->due < b->due : a->number < b->number;
}

static void
heap_push (GPtrArray *heap, Packet *packet)
{
  guint i = heap->len;

  g_ptr_array_add (heap, packet);
  while (i > 0 && is_before (packet, heap->pdata[(i - 1) / 2]))
    {
      heap->pdata[i] = heap->pdata[(i - 1) / 2];
      i = (i - 1) / 2;
    }
  heap->pdata[i] = packet;
}

static Packet *
heap_pop (GPtrArray *heap)
{
  Packet *top = heap->pdata[0];
  Packet *moved = heap->pdata[heap->len - 1];
  guint i = 0, child;

  g_ptr_array_set_size (heap, heap->len - 1);
  while ((child = 2 * i + 1) < heap->len)
    {
      if (child + 1 < heap->len
          && is_before (heap->pdata[child + 1], heap->pdata[child]))
        child++;
      if (!is_before (heap->pdata[child], moved))
        break;
      heap->pdata[i] = heap->pdata[child];
      i = child;
    }
  if (heap->len > 0)
    heap->pdata[i] = moved;
  return top;
}

/* ---- the lane ---- */

Lane *
lane_new (const Knobs *knobs, PacketPool *pool, guint32 seed)
{
  Lane *self = g_new0 (Lane, 1);

  self->knobs = *knobs;
  self->pool = pool;
  self->random = g_rand_new_with_seed (seed);
  self->under_way = g_ptr_array_new ();
  return self;
}

void
lane_free (Lane *self)
{
  Packet *packet;

  while ((packet = packet_list_pop (&self->queue)) != NULL)
    packet_free (self->pool, packet);
  while (self->under_way->len > 0)
    packet_free (self->pool, heap_pop (self->under_way));
  g_ptr_array_unref (self->under_way);
  g_rand_free (self->random);
  g_free (self);
}

/* May be changed at any time; a packet that is on the wire already arrives as
 * if it had not been. */
Knobs *
lane_get_knobs (Lane *self)
{
  return &self->knobs;
}

static gboolean
happens (Lane *self, double probability)
{
  return probability > 0 && g_rand_double (self->random) < probability;
}

/* Gilbert's model: a good state, and a bad one in which everything is lost.
 * It is left with probability 1 / burst, and entered so often that the mean is
 * as asked. */
static gboolean
is_lost (Lane *self)
{
  double loss = self->knobs.loss, burst = self->knobs.burst;

  if (burst <= 1 || loss >= 1)
    return happens (self, loss);
  if (self->in_burst)
    self->in_burst = !happens (self, 1 / burst);
  else
    self->in_burst = happens (self, loss / (1 - loss) / burst);
  return self->in_burst;
}

static void
send_off (Lane *self, Packet *packet, gint64 sent)
{
  packet->due = sent + self->knobs.delay;
  packet->number = self->next_number++;
  if (self->knobs.jitter > 0)
    packet->due += g_rand_double (self->random) * self->knobs.jitter;
  if (happens (self, self->knobs.reorder))
    {
      packet->due += self->knobs.reorder_delay;
      self->statistics.reordered++;
    }
  else
    {
      packet->due = MAX (packet->due, self->last_due);
      self->last_due = packet->due;
    }
  heap_push (self->under_way, packet);
}

/* When the first packet of the queue has left the wire's near end. */
static gint64
first_finishes (Lane *self, gint64 *starts)
{
  const Packet *first = self->queue.first;
  guint64 rate = self->knobs.rate;

  *starts = MAX (first->arrived, self->wire_free);
  if (rate == 0)
    return *starts;
  return *starts + (first->size * 8 * G_GUINT64_CONSTANT (1000000000)
                    + rate / 2) / rate;
}

/* All that the wire has done until @now. */
static void
advance (Lane *self, gint64 now)
{
  gint64 starts, finishes;
  Packet *packet;

  while (self->queue.first != NULL
         && (finishes = first_finishes (self, &starts)) <= now)
    {
      packet = packet_list_pop (&self->queue);
      self->queued_bytes -= packet->size;
      self->queued_packets--;
      self->wire_free = finishes;
      histogram_add (&self->statistics.queue_delay,
                     starts - packet->arrived);
      if (is_lost (self))
        {
          self->statistics.lost++;
          packet_free (self->pool, packet);
          continue;
        }
      if (happens (self, self->knobs.duplicate))
        {
          send_off (self, packet_copy (self->pool, packet), finishes);
          self->statistics.duplicated++;
        }
      send_off (self, packet, finishes);
    }
}

static gboolean
has_room (Lane *self, const Packet *packet)
{
  const Knobs *knobs = &self->knobs;

  if (knobs->queue_packets > 0 && self->queued_packets >= knobs->queue_packets)
    return FALSE;
  return knobs->queue_bytes == 0
         || self->queued_bytes + packet->size <= knobs->queue_bytes;
}

/* Takes @packet, which comes @now: not before any that came already. */
void
lane_offer (Lane *self, Packet *packet, gint64 now)
{
  const Knobs *knobs = &self->knobs;
  Statistics *statistics = &self->statistics;

  advance (self, now);
  statistics->packets_in++;
  statistics->bytes_in += packet->size;
  if (knobs->mtu > 0 && packet->size > knobs->mtu)
    {
      statistics->too_large++;
      packet_free (self->pool, packet);
      return;
    }
  if (!has_room (self, packet))
    {
      statistics->queue_full++;
      packet_free (self->pool, packet);
      return;
    }
  if (knobs->ecn_bytes > 0 && self->queued_bytes >= knobs->ecn_bytes
      && packet_mark_congestion (packet))
    statistics->marked++;
  packet->arrived = now;
  packet_list_append (&self->queue, packet);
  self->queued_packets++;
  self->queued_bytes += packet->size;
  statistics->queue_bytes_max
      = MAX (statistics->queue_bytes_max, self->queued_bytes);
}

/* The next packet that has arrived at the other end by @now, or %NULL. */
Packet *
lane_take (Lane *self, gint64 now)
{
  Packet *packet;

  advance (self, now);
  if (self->under_way->len == 0)
    return NULL;
  packet = self->under_way->pdata[0];
  if (packet->due > now)
    return NULL;
  self->statistics.packets_out++;
  self->statistics.bytes_out += packet->size;
  histogram_add (&self->statistics.lateness, now - packet->due);
  return heap_pop (self->under_way);
}

/* When to take again at the latest; %G_MAXINT64 for never. */
gint64
lane_get_deadline (Lane *self)
{
  gint64 deadline = G_MAXINT64, starts;

  if (self->under_way->len > 0)
    deadline = ((Packet *) self->under_way->pdata[0])->due;
  if (self->queue.first != NULL)
    deadline = MIN (deadline,
                    first_finishes (self, &starts) + self->knobs.delay);
  return deadline;
}

void
lane_forget_statistics (Lane *self)
{
  memset (&self->statistics, 0, sizeof self->statistics);
}

/* As a JSON object. */
void
lane_write_statistics (Lane *self, GString *json)
{
  const Statistics *statistics = &self->statistics;
  const struct
  {
    const char *name;
    guint64 value;
  } counters[] = {
    { "packets-in", statistics->packets_in },
    { "bytes-in", statistics->bytes_in },
    { "packets-out", statistics->packets_out },
    { "bytes-out", statistics->bytes_out },
    { "too-large", statistics->too_large },
    { "queue-full", statistics->queue_full },
    { "lost", statistics->lost },
    { "marked", statistics->marked },
    { "reordered", statistics->reordered },
    { "duplicated", statistics->duplicated },
    { "queue-bytes-max", statistics->queue_bytes_max },
  };

  g_string_append_c (json, '{');
  for (guint i = 0; i < G_N_ELEMENTS (counters); i++)
    g_string_append_printf (json, "\"%s\": %" G_GUINT64_FORMAT ", ",
                            counters[i].name, counters[i].value);
  g_string_append (json, "\"queue-delay-ms\": ");
  histogram_write (&statistics->queue_delay, json);
  g_string_append (json, ", \"lateness-ms\": ");
  histogram_write (&statistics->lateness, json);
  g_string_append_c (json, '}');
}
