/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "simulated-network.h"

#include <string.h>

#define TRACED_BYTES 64

typedef struct
{
  gint64 when;
  guint64 order; /* of two at the same time */
  SimulatedCall call; /* or NULL: a datagram */
  gpointer user_data;
  HpAddress from;
  HpAddress to;
  HpEcn ecn;
  gsize length;
  guint8 bytes[];
} Event;

typedef struct
{
  HpAddress from;
  HpAddress to;
  SimulatedLink link;
  gint64 busy_until; /* its queue is empty then */
} Direction;

typedef struct
{
  HpAddress address;
  SimulatedReceive receive;
  gpointer user_data;
} Endpoint;

typedef struct
{
  gint64 start;
  gint64 end;
} Outage;

struct _SimulatedNetwork
{
  gint64 now;
  guint64 state; /* of the generator */
  HpRandom random;
  GPtrArray *heap; /* of Event, the earliest first */
  guint64 n_events;
  SimulatedLink default_link;
  GHashTable *directions; /* Direction, by its addresses */
  GHashTable *endpoints;  /* Endpoint, by its address */
  GArray *outages;
  SimulatedTranslate translate;
  gpointer translate_data;
  SimulatedCounters counters;
  guint64 trace;
  gboolean verbose;
};

/* splitmix64 */
static guint64
next_random (SimulatedNetwork *self)
{
  guint64 z = self->state += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

  z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static void
fill_random (gpointer user_data, guint8 *bytes, gsize length)
{
  for (gsize i = 0; i < length; i++)
    bytes[i] = next_random (user_data) & 0xff;
}

static guint
direction_hash (gconstpointer key)
{
  const Direction *direction = key;

  return hp_address_hash (&direction->from) * 31
         + hp_address_hash (&direction->to);
}

static gboolean
direction_equal (gconstpointer a, gconstpointer b)
{
  const Direction *left = a;
  const Direction *right = b;

  return hp_address_equal (&left->from, &right->from)
         && hp_address_equal (&left->to, &right->to);
}

SimulatedNetwork *
simulated_network_new (guint64 seed)
{
  SimulatedNetwork *self = g_new0 (SimulatedNetwork, 1);

  self->now = G_TIME_SPAN_HOUR;
  self->state = seed;
  self->random = (HpRandom){ fill_random, self };
  self->heap = g_ptr_array_new_with_free_func (g_free);
  self->directions
      = g_hash_table_new_full (direction_hash, direction_equal, g_free, NULL);
  self->endpoints = g_hash_table_new_full (hp_address_hash, hp_address_equal,
                                           g_free, NULL);
  self->outages = g_array_new (FALSE, FALSE, sizeof (Outage));
  return self;
}

void
simulated_network_free (SimulatedNetwork *self)
{
  g_ptr_array_unref (self->heap);
  g_hash_table_unref (self->directions);
  g_hash_table_unref (self->endpoints);
  g_array_unref (self->outages);
  g_free (self);
}

gint64
simulated_network_get_now (const SimulatedNetwork *self)
{
  return self->now;
}

guint64
simulated_network_random (SimulatedNetwork *self, guint64 below)
{
  return below == 0 ? 0 : next_random (self) % below;
}

gboolean
simulated_network_chance (SimulatedNetwork *self, double probability)
{
  /* One number is drawn in any case: a run depends less on its settings. */
  return (next_random (self) >> 11) * 0x1p-53 < probability;
}

const HpRandom *
simulated_network_get_random (SimulatedNetwork *self)
{
  return &self->random;
}

static gboolean
is_before (const Event *a, const Event *b)
{
  return a->when != b->when ? a->when < b->when : a->order < b->order;
}

static void
swap (gpointer *heap, guint a, guint b)
{
  gpointer kept = heap[a];

  heap[a] = heap[b];
  heap[b] = kept;
}

static void
push_event (SimulatedNetwork *self, Event *event)
{
  gpointer *heap;
  guint at = self->heap->len;

  event->order = self->n_events++;
  g_ptr_array_add (self->heap, event);
  heap = self->heap->pdata;
  for (; at > 0 && is_before (heap[at], heap[(at - 1) / 2]);
       at = (at - 1) / 2)
    swap (heap, at, (at - 1) / 2);
}

static Event *
pop_event (SimulatedNetwork *self)
{
  gpointer *heap = self->heap->pdata;
  guint length = self->heap->len - 1;
  guint at = 0;

  swap (heap, 0, length);
  for (;;)
    {
      guint least = at;

      for (guint child = 2 * at + 1; child <= 2 * at + 2 && child < length;
           child++)
        if (is_before (heap[child], heap[least]))
          least = child;
      if (least == at)
        break;
      swap (heap, at, least);
      at = least;
    }
  return g_ptr_array_steal_index (self->heap, length);
}

void
simulated_network_add_endpoint (SimulatedNetwork *self,
                                const HpAddress *address,
                                SimulatedReceive receive, gpointer user_data)
{
  Endpoint *endpoint = g_new (Endpoint, 1);

  *endpoint = (Endpoint){ *address, receive, user_data };
  g_hash_table_add (self->endpoints, endpoint);
}

void
simulated_network_remove_endpoint (SimulatedNetwork *self,
                                   const HpAddress *address)
{
  g_hash_table_remove (self->endpoints, address);
}

void
simulated_network_move_endpoint (SimulatedNetwork *self, const HpAddress *from,
                                 const HpAddress *to)
{
  const Endpoint *old = g_hash_table_lookup (self->endpoints, from);

  g_assert_nonnull (old);
  simulated_network_add_endpoint (self, to, old->receive, old->user_data);
  simulated_network_remove_endpoint (self, from);
}

void
simulated_network_set_translate (SimulatedNetwork *self,
                                 SimulatedTranslate translate,
                                 gpointer user_data)
{
  self->translate = translate;
  self->translate_data = user_data;
}

void
simulated_network_set_default_link (SimulatedNetwork *self,
                                    const SimulatedLink *link)
{
  self->default_link = *link;
  g_hash_table_remove_all (self->directions);
}

static Direction *
get_direction (SimulatedNetwork *self, const HpAddress *from,
               const HpAddress *to)
{
  Direction wanted = { .from = *from, .to = *to };
  Direction *direction = g_hash_table_lookup (self->directions, &wanted);

  if (direction == NULL)
    {
      direction = g_new (Direction, 1);
      *direction = wanted;
      direction->link = self->default_link;
      g_hash_table_add (self->directions, direction);
    }
  return direction;
}

void
simulated_network_set_link (SimulatedNetwork *self, const HpAddress *from,
                            const HpAddress *to, const SimulatedLink *link)
{
  get_direction (self, from, to)->link = *link;
}

void
simulated_network_add_outage (SimulatedNetwork *self, gint64 start, gint64 end)
{
  Outage outage = { start, end };

  g_array_append_val (self->outages, outage);
}

static gboolean
is_out (const SimulatedNetwork *self)
{
  for (guint i = 0; i < self->outages->len; i++)
    {
      const Outage *outage = &g_array_index (self->outages, Outage, i);

      if (self->now >= outage->start && self->now < outage->end)
        return TRUE;
    }
  return FALSE;
}

static void
say (const SimulatedNetwork *self, const char *what, const HpAddress *from,
     const HpAddress *to, gsize length)
{
  g_autofree char *source = NULL;
  g_autofree char *destination = NULL;

  if (!self->verbose)
    return;
  source = hp_address_to_string (from);
  destination = hp_address_to_string (to);
  g_printerr ("%12.6f %-10s %s -> %s %" G_GSIZE_FORMAT "\n",
              (self->now - G_TIME_SPAN_HOUR) / 1e6, what, source, destination,
              length);
}

/* When the datagram leaves the queue; -1: no room in it */
static gint64
enqueue (SimulatedNetwork *self, Direction *direction, gsize length)
{
  const SimulatedLink *link = &direction->link;
  gint64 start = MAX (direction->busy_until, self->now);
  guint64 waiting;

  if (link->rate == 0)
    return self->now;
  waiting = (guint64) (start - self->now) * link->rate / G_TIME_SPAN_SECOND;
  if (waiting + length > MAX (link->queue, length))
    return -1;
  direction->busy_until
      = start
        + (gint64) ((length * G_TIME_SPAN_SECOND + link->rate - 1)
                    / link->rate);
  return direction->busy_until;
}

/* As the queue makes it, of which the datagram is the last one */
static HpEcn
mark (SimulatedNetwork *self, const Direction *direction, HpEcn ecn)
{
  const SimulatedLink *link = &direction->link;
  guint64 waiting = (guint64) MAX (direction->busy_until - self->now, 0)
                    * link->rate / G_TIME_SPAN_SECOND;

  if (link->bleaches || ecn == HP_ECN_NOT_ECT)
    return HP_ECN_NOT_ECT;
  if (link->ecn == 0 || waiting <= link->ecn)
    return ecn;
  self->counters.n_marked++;
  return HP_ECN_CE;
}

static void
depart (SimulatedNetwork *self, const SimulatedLink *link, gint64 when,
        const HpAddress *from, const HpAddress *to, gconstpointer bytes,
        gsize length, HpEcn ecn)
{
  Event *event = g_malloc (sizeof (Event) + length);

  *event
      = (Event){ .from = *from, .to = *to, .ecn = ecn, .length = length };
  memcpy (event->bytes, bytes, length);
  event->when
      = when + link->delay + simulated_network_random (self, link->jitter + 1);
  if (simulated_network_chance (self, link->reordering))
    event->when
        += simulated_network_random (self, link->reordering_delay + 1);
  if (simulated_network_chance (self, link->corruption) && length > 0)
    {
      event->bytes[simulated_network_random (self, length)]
          ^= 1 + simulated_network_random (self, 255);
      self->counters.n_corrupted++;
    }
  push_event (self, event);
}

void
simulated_network_send (SimulatedNetwork *self, const HpAddress *from,
                        const HpAddress *to, gconstpointer bytes, gsize length,
                        HpEcn ecn)
{
  HpAddress source = *from;
  HpAddress destination = *to;
  Direction *direction;
  gint64 when;

  self->counters.n_sent++;
  if (self->translate != NULL
      && !self->translate (self->translate_data, &source, &destination))
    {
      self->counters.n_unreachable++;
      say (self, "barred", from, to, length);
      return;
    }
  direction = get_direction (self, &source, &destination);
  if (direction->link.mtu != 0 && length > direction->link.mtu)
    {
      self->counters.n_too_large++;
      say (self, "too large", &source, &destination, length);
      return;
    }
  when = enqueue (self, direction, length);
  if (when < 0)
    {
      self->counters.n_overflowed++;
      say (self, "overflow", &source, &destination, length);
      return;
    }
  ecn = mark (self, direction, ecn);
  if (is_out (self)
      || simulated_network_chance (self, direction->link.loss)
      || (direction->link.drops_marked && ecn != HP_ECN_NOT_ECT))
    {
      self->counters.n_lost++;
      say (self, "lost", &source, &destination, length);
      return;
    }
  depart (self, &direction->link, when, &source, &destination, bytes, length,
          ecn);
  if (simulated_network_chance (self, direction->link.duplication))
    {
      self->counters.n_duplicated++;
      depart (self, &direction->link, when, &source, &destination, bytes,
              length, ecn);
    }
}

void
simulated_network_call_at (SimulatedNetwork *self, gint64 when,
                           SimulatedCall call, gpointer user_data)
{
  Event *event = g_new0 (Event, 1);

  event->when = MAX (when, self->now);
  event->call = call;
  event->user_data = user_data;
  push_event (self, event);
}

/* FNV-1a, eight bytes a step */
static void
trace (SimulatedNetwork *self, guint64 value)
{
  self->trace = (self->trace ^ value) * G_GUINT64_CONSTANT (0x100000001b3);
  self->trace ^= self->trace >> 29;
}

static void
arrive (SimulatedNetwork *self, Event *event)
{
  const Endpoint *found = g_hash_table_lookup (self->endpoints, &event->to);
  Endpoint endpoint;

  if (found == NULL)
    {
      self->counters.n_unreachable++;
      say (self, "nobody", &event->from, &event->to, event->length);
      return;
    }
  endpoint = *found; /* it may remove or move itself */
  trace (self, event->when);
  trace (self, event->length);
  for (gsize i = 0; i < MIN (event->length, TRACED_BYTES); i++)
    trace (self, event->bytes[i]);
  self->counters.n_delivered++;
  self->counters.bytes_delivered += event->length;
  say (self, "arrives", &event->from, &event->to, event->length);
  endpoint.receive (endpoint.user_data, &event->from, &event->to,
                    event->bytes, event->length, event->ecn);
}

gboolean
simulated_network_step (SimulatedNetwork *self, gint64 limit)
{
  g_autofree Event *event = NULL;

  if (self->heap->len == 0
      || ((Event *) self->heap->pdata[0])->when > limit)
    return FALSE;
  event = pop_event (self);
  self->now = event->when;
  if (event->call != NULL)
    event->call (event->user_data);
  else
    arrive (self, event);
  return TRUE;
}

void
simulated_network_run (SimulatedNetwork *self, gint64 limit)
{
  while (simulated_network_step (self, limit))
    ;
}

guint64
simulated_network_get_trace (const SimulatedNetwork *self)
{
  return self->trace;
}

const SimulatedCounters *
simulated_network_get_counters (const SimulatedNetwork *self)
{
  return &self->counters;
}

void
simulated_network_set_verbose (SimulatedNetwork *self, gboolean verbose)
{
  self->verbose = verbose;
}

HpAddress
simulated_address (guint8 host, guint16 port)
{
  return (HpAddress){
    .family = HP_ADDRESS_IPV4,
    .port = port,
    .ip = { 192, 0, 2, host },
  };
}
