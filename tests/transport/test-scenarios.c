/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Two transports over bad networks, all of it decided by a seed: what is sent,
 * cancelled, lost, when the path changes or nothing passes. Each seed is a
 * test; --seed N runs that one alone and tells what happens.
 */

#include "seeds.h"
#include "transport-peer.h"

#include <string.h>

#define N_SEEDS 480
#define TIME_LIMIT (30 * G_TIME_SPAN_MINUTE)
/* One seed of so many sends a message of the default's full size. */
#define HUGE_EVERY 150

typedef struct
{
  guint64 handle;
  HpStreamKind kind;
  GBytes *bytes;
  gboolean is_cancelled; /* perhaps too late */
  gboolean is_too_large;
  gboolean has_ended;
  gboolean is_delivered;
} Sent;

/* Messages of one kind and content cannot be told apart. */
typedef struct
{
  guint n_sent;
  guint n_delivered;
  guint n_received;
} Copies;

typedef struct _Side Side;

typedef struct
{
  SimulatedNetwork *network;
  Side *sides[2];
  guint64 next_id;
  gboolean is_huge;
  gboolean is_marked; /* by ECN, as far as the links let it */
  gboolean verbose;
} Scenario;

struct _Side
{
  Scenario *scenario;
  Side *other;
  const char *name;
  TransportPeer *peer;
  HpTransportConfig config;
  guint64 receive_window;
  GPtrArray *sent;         /* of Sent */
  GHashTable *by_handle;
  GHashTable *copies[3];   /* GBytes to Copies, by kind */
  GPtrArray *ordered;      /* of Sent, in their order */
  guint next_ordered;      /* of them, for the other side to receive */
  guint n_to_send;
  guint n_ended;
  guint n_controls;
};

/* One thing that will happen */
typedef struct
{
  Side *side;
  Sent *sent; /* to cancel */
  HpStreamKind kind;
  gsize size;
  gint64 lifetime;
  gint64 cancel_after; /* -1: never */
  SimulatedLink link;
  gsize datagram_size;
  guint path;
} Plan;

static guint64
below (Scenario *self, guint64 limit)
{
  return simulated_network_random (self->network, limit);
}

static gboolean
chance (Scenario *self, double probability)
{
  return simulated_network_chance (self->network, probability);
}

static void G_GNUC_PRINTF (2, 3)
say (const Side *side, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  if (!side->scenario->verbose)
    return;
  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_printerr ("%12.6f %s %s\n",
              (simulated_network_get_now (side->scenario->network)
               - G_TIME_SPAN_HOUR)
                  / 1e6,
              side->name, text);
}

static void
sent_free (gpointer data)
{
  Sent *sent = data;

  g_bytes_unref (sent->bytes);
  g_free (sent);
}

/* Starts with its id where that fits, so that nearly all differ */
static GBytes *
make_message (Scenario *self, gsize size)
{
  guint64 id = ++self->next_id;
  guint64 word = id;
  guint8 *bytes = g_malloc (size);

  for (gsize at = 0; at < size; at += sizeof word)
    {
      memcpy (bytes + at, &word, MIN (sizeof word, size - at));
      word = (word ^ id) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) + at;
    }
  return g_bytes_new_take (bytes, size);
}

static Copies *
get_copies (Side *side, HpStreamKind kind, GBytes *bytes)
{
  Copies *copies = g_hash_table_lookup (side->copies[kind], bytes);

  if (copies == NULL)
    {
      copies = g_new0 (Copies, 1);
      g_hash_table_insert (side->copies[kind], g_bytes_ref (bytes), copies);
    }
  return copies;
}

static void
cancel (gpointer user_data)
{
  g_autofree Plan *plan = user_data;
  Side *side = plan->side;

  if (plan->sent->has_ended)
    return;
  say (side, "cancels %" G_GUINT64_FORMAT, plan->sent->handle);
  plan->sent->is_cancelled = TRUE;
  hp_transport_cancel_message (side->peer->transport, plan->sent->handle,
                               simulated_network_get_now (
                                   side->scenario->network));
  transport_peer_pump (side->peer);
}

static void
send (gpointer user_data)
{
  g_autofree Plan *plan = user_data;
  Side *side = plan->side;
  Scenario *self = side->scenario;
  Sent *sent = g_new0 (Sent, 1);

  sent->kind = plan->kind;
  sent->bytes = make_message (self, plan->size);
  sent->is_too_large = plan->size > side->other->config.max_message_size;
  sent->handle = transport_peer_send (side->peer, plan->kind, sent->bytes,
                                      plan->lifetime);
  say (side, "sends %" G_GUINT64_FORMAT ": kind %d, %" G_GSIZE_FORMAT " bytes",
       sent->handle, plan->kind, plan->size);
  g_ptr_array_add (side->sent, sent);
  g_assert_true (g_hash_table_insert (side->by_handle, &sent->handle, sent));
  get_copies (side, sent->kind, sent->bytes)->n_sent++;
  if (sent->kind == HP_STREAM_ORDERED)
    g_ptr_array_add (side->ordered, sent);
  if (plan->cancel_after >= 0)
    {
      Plan *later = g_new0 (Plan, 1);

      later->side = side;
      later->sent = sent;
      simulated_network_call_at (
          self->network,
          simulated_network_get_now (self->network) + plan->cancel_after,
          cancel, later);
    }
  transport_peer_pump (side->peer);
}

/* Of ordered messages only failed ones may be passed over. */
static void
check_order (Side *sender, GBytes *message)
{
  for (;;)
    {
      const Sent *next;

      g_assert_cmpuint (sender->next_ordered, <, sender->ordered->len);
      next = sender->ordered->pdata[sender->next_ordered++];
      if (g_bytes_equal (next->bytes, message))
        return;
      g_assert_true (next->is_cancelled || next->is_too_large);
    }
}

static void
on_message (Side *side, const HpTransportEvent *event)
{
  HpStreamKind kind = HP_STREAM_KIND (event->stream);
  Copies *copies;

  say (side, "receives kind %d, %" G_GSIZE_FORMAT " bytes", kind,
       g_bytes_get_size (event->message));
  g_assert_cmpuint (g_bytes_get_size (event->message), <=,
                    side->config.max_message_size);
  copies = g_hash_table_lookup (side->other->copies[kind], event->message);
  g_assert_nonnull (copies);
  copies->n_received++;
  g_assert_cmpuint (copies->n_received, <=, copies->n_sent);
  if (kind == HP_STREAM_ORDERED)
    check_order (side->other, event->message);
}

static void
on_end (Side *side, const HpTransportEvent *event)
{
  Sent *sent = g_hash_table_lookup (side->by_handle, &event->stream);

  g_assert_nonnull (sent);
  g_assert_false (sent->has_ended);
  sent->has_ended = TRUE;
  side->n_ended++;
  if (event->type == HP_TRANSPORT_EVENT_DELIVERED)
    {
      say (side, "delivered %" G_GUINT64_FORMAT, event->stream);
      g_assert_false (sent->is_too_large);
      sent->is_delivered = TRUE;
      get_copies (side, sent->kind, sent->bytes)->n_delivered++;
      return;
    }
  say (side, "failed %" G_GUINT64_FORMAT ": %d", event->stream,
       event->failure);
  if (sent->is_too_large)
    g_assert_cmpint (event->failure, ==, HP_SEND_FAILED_TOO_LARGE);
  else if (event->failure == HP_SEND_FAILED_CANCELLED)
    g_assert_true (sent->is_cancelled);
  else
    {
      g_assert_cmpint (event->failure, ==, HP_SEND_FAILED_EXPIRED);
      g_assert_cmpint (sent->kind, ==, HP_STREAM_UNRELIABLE);
    }
}

static void
on_event (TransportPeer *peer, const HpTransportEvent *event)
{
  Side *side = peer->user_data;

  if (event->type == HP_TRANSPORT_EVENT_MESSAGE)
    on_message (side, event);
  else
    on_end (side, event);
}

static void
pause_side (gpointer user_data)
{
  g_autofree Plan *plan = user_data;
  Side *side = plan->side;

  say (side, "takes nothing for %" G_GINT64_FORMAT " ms",
       plan->lifetime / 1000);
  side->peer->paused_until
      = simulated_network_get_now (side->scenario->network) + plan->lifetime;
  transport_peer_pump (side->peer);
}

/* Both ways get another link; this side at least knows of it. */
static void
change_path (gpointer user_data)
{
  g_autofree Plan *plan = user_data;
  Side *side = plan->side;
  Scenario *self = side->scenario;

  say (side, "changes to path %u, datagrams of %" G_GSIZE_FORMAT, plan->path,
       plan->datagram_size);
  simulated_network_set_link (self->network, &side->peer->address,
                              &side->other->peer->address, &plan->link);
  simulated_network_set_link (self->network, &side->other->peer->address,
                              &side->peer->address, &plan->link);
  transport_peer_set_path (side->peer, plan->path, plan->datagram_size);
  if (self->is_marked)
    hp_transport_allow_marks (side->peer->transport, TRUE);
  transport_peer_pump (side->peer);
}

/* The side's address changes under it: what is under way to it is lost. */
static void
rebind (gpointer user_data)
{
  g_autofree Plan *plan = user_data;
  Side *side = plan->side;
  HpAddress address = side->peer->address;

  address.port++;
  say (side, "is rebound to port %u", address.port);
  simulated_network_move_endpoint (side->scenario->network,
                                   &side->peer->address, &address);
  side->peer->address = address;
  side->other->peer->remote = address;
}

static void
choose_link (Scenario *self, SimulatedLink *link)
{
  static const guint64 rates[] = { 0, 0, 50000, 200000, 1000000, 12500000 };
  static const double losses[] = { 0, 0, 0.001, 0.01, 0.05, 0.2 };

  *link = (SimulatedLink){
    .delay = below (self, 2) ? below (self, 20000) : below (self, 200000),
    .jitter = chance (self, 0.4) ? below (self, 30000) : 0,
    .loss = losses[below (self, G_N_ELEMENTS (losses))],
    .duplication = chance (self, 0.3) ? 0.03 : 0,
    .corruption = chance (self, 0.2) ? 0.02 : 0,
    .reordering = chance (self, 0.3) ? 0.1 : 0,
    .reordering_delay = 50000,
    .rate = rates[below (self, G_N_ELEMENTS (rates))],
    .queue = 4000 + below (self, 100000),
  };
  if (self->is_marked)
    {
      link->ecn = link->queue / 4;
      link->bleaches = link->delay % 4 == 0;
      link->drops_marked = link->delay % 4 == 1;
    }
  if (!self->is_huge)
    return;
  link->delay = MIN (link->delay, 20000);
  link->jitter = link->reordering = 0;
  link->loss = MIN (link->loss, 0.001);
  link->rate = 12500000;
  link->queue = 300000;
}

static void
choose_config (Scenario *self, HpTransportConfig *config)
{
  static const guint64 largest[]
      = { 0, 1000, 65535, 65536, 65537, 70000, 200000, 1 << 20, 1 << 22 };
  static const guint64 windows[] = { 1, 1, 100000, 300000, 0, 0 };
  static const guint64 max_windows[] = { 1, 400000, 6000000, 0 };

  *config = (HpTransportConfig){
    .max_message_size = largest[below (self, G_N_ELEMENTS (largest))],
    .receive_window = windows[below (self, G_N_ELEMENTS (windows))],
    .max_receive_window
    = max_windows[below (self, G_N_ELEMENTS (max_windows))],
  };
  if (self->is_huge)
    config->max_message_size = HP_MAX_MESSAGE_SIZE_DEFAULT;
}

static gsize
choose_size (Scenario *self, gsize most, gsize *budget)
{
  static const gsize edges[] = { 0, 1, 65535, 65536, 65537, 65600 };
  gsize size;

  switch (below (self, 12))
    {
    case 0:
      size = edges[below (self, G_N_ELEMENTS (edges))];
      break;
    case 1:
      size = most;
      break;
    case 2:
      size = most + 1;
      break;
    case 3:
    case 4:
      size = below (self, most + 1);
      break;
    case 5:
    case 6:
      size = below (self, 70000);
      break;
    default:
      size = below (self, below (self, 2) ? 40 : 3000);
      break;
    }
  if (size > *budget)
    size = below (self, 100);
  *budget -= MIN (size, *budget);
  return size;
}

static gint64
choose_time (Scenario *self, gint64 most)
{
  return simulated_network_get_now (self->network) + below (self, most + 1);
}

static void
plan_messages (Scenario *self, Side *side)
{
  gsize most = side->other->config.max_message_size;
  gsize budget = below (self, 4) ? 600000 : 6000000;
  gint64 period = below (self, 3) ? below (self, 2000000) : 0;
  guint only = below (self, 8); /* some runs have but one kind */
  gboolean is_hungry = chance (self, 0.2); /* and some mostly large ones */

  side->n_to_send = below (self, 4) ? below (self, 40) : below (self, 400);
  for (guint i = 0; i < side->n_to_send; i++)
    {
      Plan *plan = g_new0 (Plan, 1);

      plan->side = side;
      plan->kind = only < 3 ? only : below (self, 3);
      plan->size = choose_size (self, most, &budget);
      if (is_hungry && budget > most && chance (self, 0.8))
        {
          plan->size = most - below (self, MIN (most, 50));
          budget -= plan->size;
        }
      if (self->is_huge && i == side->n_to_send / 2)
        plan->size = most;
      if (plan->kind == HP_STREAM_UNRELIABLE && chance (self, 0.5))
        plan->lifetime = 1 + below (self, 500000);
      plan->cancel_after = -1;
      /* Those too small for an id must not be taken for one another. */
      if (plan->size >= sizeof (guint64) && chance (self, 0.1))
        plan->cancel_after = below (self, 400000);
      simulated_network_call_at (self->network, choose_time (self, period),
                                 send, plan);
    }
}

static void
plan_trouble (Scenario *self, Side *side)
{
  static const gsize sizes[] = { 512, 1024, 1200, 1452, 9000 };

  for (guint i = below (self, 3) == 0 ? below (self, 4) : 0; i > 0; i--)
    {
      Plan *plan = g_new0 (Plan, 1);

      plan->side = side;
      plan->path = i;
      plan->datagram_size = sizes[below (self, G_N_ELEMENTS (sizes))];
      choose_link (self, &plan->link);
      simulated_network_call_at (self->network, choose_time (self, 3000000),
                                 change_path, plan);
    }
  if (chance (self, 0.15))
    {
      Plan *plan = g_new0 (Plan, 1);

      plan->side = side;
      simulated_network_call_at (self->network, choose_time (self, 2000000),
                                 rebind, plan);
    }
  if (chance (self, 0.25))
    {
      Plan *plan = g_new0 (Plan, 1);

      plan->side = side;
      plan->lifetime = below (self, 3000000);
      simulated_network_call_at (self->network, choose_time (self, 1000000),
                                 pause_side, plan);
    }
}

static Side *
side_new (Scenario *self, guint number)
{
  Side *side = g_new0 (Side, 1);

  side->scenario = self;
  side->name = number == 0 ? "A" : "B";
  side->sent = g_ptr_array_new_with_free_func (sent_free);
  side->ordered = g_ptr_array_new ();
  side->by_handle = g_hash_table_new (g_int64_hash, g_int64_equal);
  for (guint kind = 0; kind < 3; kind++)
    side->copies[kind]
        = g_hash_table_new_full (g_bytes_hash, g_bytes_equal,
                                 (GDestroyNotify) g_bytes_unref, g_free);
  choose_config (self, &side->config);
  return side;
}

static void
side_connect (Side *side, guint number)
{
  Scenario *self = side->scenario;
  HpAddress address = simulated_address (1 + number, 4222);

  side->peer = transport_peer_new (self->network, &address, &side->config);
  side->peer->on_event = on_event;
  side->peer->user_data = side;
  side->peer->takes_numbers = chance (self, 0.5);
  if (self->is_marked)
    hp_transport_allow_marks (side->peer->transport, TRUE);
  side->receive_window = side->peer->transport->receiving.credit.window
                         + side->peer->transport->pool.size;
}

static void
side_free (Side *side)
{
  transport_peer_free (side->peer);
  for (guint kind = 0; kind < 3; kind++)
    g_hash_table_unref (side->copies[kind]);
  g_hash_table_unref (side->by_handle);
  g_ptr_array_unref (side->ordered);
  g_ptr_array_unref (side->sent);
  g_free (side);
}

static void
check_memory (const Side *side)
{
  /* Bytes whose message's total is not known yet may take twice their room. */
  gsize bound = 2 * side->receive_window + side->config.max_message_size;

  g_assert_cmpuint (hp_transport_get_receive_memory (side->peer->transport),
                    <=, bound);
  g_assert_cmpuint (side->peer->transport->loss.ring.capacity, <=, 1 << 14);
}

static void
check_end (Side *side)
{
  GHashTableIter iter;
  gpointer value;

  g_assert_cmpuint (side->sent->len, ==, side->n_to_send);
  g_assert_cmpuint (side->n_ended, ==, side->n_to_send);
  for (guint i = 0; i < side->sent->len; i++)
    {
      const Sent *sent = side->sent->pdata[i];

      g_assert_true (sent->has_ended);
      if (sent->kind != HP_STREAM_UNRELIABLE && !sent->is_cancelled)
        g_assert_true (sent->is_delivered || sent->is_too_large);
    }
  for (guint kind = 0; kind < 3; kind++)
    {
      g_hash_table_iter_init (&iter, side->copies[kind]);
      while (g_hash_table_iter_next (&iter, NULL, &value))
        {
          const Copies *copies = value;

          g_assert_cmpuint (copies->n_received, >=, copies->n_delivered);
        }
    }
  transport_peer_assert_idle (side->peer);
  /* What one side counts as used the other has given back. */
  g_assert_cmpuint (
      side->peer->transport->sending.schedule.used, ==,
      side->other->peer->transport->receiving.credit.consumed);
}

static guint64
run_scenario (guint64 seed, gboolean verbose)
{
  Scenario self
      = { .is_huge = seed % HUGE_EVERY == 0,
          .is_marked = seed % 2 == 1,
          .verbose = verbose };
  SimulatedLink link;
  gint64 start;
  guint64 trace;

  self.network = simulated_network_new (seed);
  simulated_network_set_verbose (self.network, verbose);
  start = simulated_network_get_now (self.network);
  choose_link (&self, &link);
  simulated_network_set_default_link (self.network, &link);
  for (guint i = 0; i < 2; i++)
    self.sides[i] = side_new (&self, i);
  for (guint i = 0; i < 2; i++)
    {
      self.sides[i]->other = self.sides[1 - i];
      side_connect (self.sides[i], i);
    }
  for (guint i = 0; i < 2; i++)
    {
      plan_messages (&self, self.sides[i]);
      plan_trouble (&self, self.sides[i]);
    }
  for (guint i = chance (&self, 0.25) ? 1 + below (&self, 2) : 0; i > 0; i--)
    {
      gint64 from = choose_time (&self, 3000000);

      simulated_network_add_outage (self.network, from,
                                    from + below (&self, 20000000));
    }
  transport_peer_introduce (self.sides[0]->peer, self.sides[1]->peer);

  /* Until nothing is left to happen: no timer of an idle transport runs. */
  while (simulated_network_step (self.network, start + TIME_LIMIT))
    {
      check_memory (self.sides[0]);
      check_memory (self.sides[1]);
    }
  check_end (self.sides[0]);
  check_end (self.sides[1]);

  trace = simulated_network_get_trace (self.network);
  simulated_network_free (self.network);
  side_free (self.sides[0]);
  side_free (self.sides[1]);
  return trace;
}

int
main (int argc, char **argv)
{
  static const Seeds seeds = { "/transport/scenario/", N_SEEDS, run_scenario };

  return seeds_main (&seeds, argc, argv);
}
