/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How byte streams share a connection, and how their windows grow, by the
 * invented clock.
 */

#include "transport-peer.h"

#define MS G_TIME_SPAN_MILLISECOND
#define PIECE 65536
#define N_STREAMS 8

typedef struct
{
  guint64 number;
  gboolean is_endless; /* more is written as it is acknowledged */
  guint64 n_read;
} Flow;

typedef struct
{
  SimulatedNetwork *network;
  TransportPeer *peers[2];
  Flow flows[N_STREAMS];
  guint n_flows;
  gboolean is_unread; /* the receiver's user is away */
  guint64 n_messages;
  guint n_opened;
} Fixture;

static gint64
get_now (const Fixture *self)
{
  return simulated_network_get_now (self->network);
}

static Flow *
find (Fixture *self, guint64 number)
{
  for (guint i = 0; i < self->n_flows; i++)
    if (self->flows[i].number == number)
      return &self->flows[i];
  return NULL;
}

/* Zeros, without memory for each of them */
static void
write_zeros (Fixture *self, guint64 stream, guint64 length)
{
  static const guint8 zeros[PIECE];

  while (length > 0)
    {
      gsize size = MIN (length, PIECE);
      g_autoptr (GBytes) bytes = g_bytes_new_static (zeros, size);

      hp_transport_stream_write (self->peers[0]->transport, stream, bytes,
                                 get_now (self));
      length -= size;
    }
}

static void
read_all (Fixture *self, guint64 number)
{
  HpTransport *transport = self->peers[1]->transport;
  gboolean at_end;
  GBytes *bytes;
  Flow *flow;

  if (self->is_unread)
    return;
  flow = find (self, number);
  while ((bytes = hp_transport_stream_read (transport, number, &at_end)))
    {
      flow->n_read += g_bytes_get_size (bytes);
      hp_transport_stream_consume (transport, number, g_bytes_get_size (bytes),
                                   get_now (self));
      g_bytes_unref (bytes);
    }
}

static void
on_received (TransportPeer *peer, const HpTransportEvent *event)
{
  Fixture *self = peer->user_data;

  if (event->type == HP_TRANSPORT_EVENT_STREAM_READABLE)
    read_all (self, event->stream);
  else if (event->type == HP_TRANSPORT_EVENT_STREAM_OPENED)
    {
      self->n_opened++;
      hp_transport_stream_finish (peer->transport, event->stream,
                                  get_now (self));
    }
  else if (event->type == HP_TRANSPORT_EVENT_MESSAGE)
    self->n_messages++;
}

static void
on_sent (TransportPeer *peer, const HpTransportEvent *event)
{
  Fixture *self = peer->user_data;
  const Flow *flow = find (self, event->stream);
  gboolean at_end;

  if (event->type == HP_TRANSPORT_EVENT_STREAM_ACKED && flow != NULL
      && flow->is_endless)
    write_zeros (self, event->stream, event->length);
  else if (event->type == HP_TRANSPORT_EVENT_STREAM_READABLE)
    g_assert_null (hp_transport_stream_read (peer->transport, event->stream,
                                             &at_end));
}

static void
set_up_with (Fixture *self, const SimulatedLink *link,
             const HpTransportConfig *config)
{
  *self = (Fixture){ .network = simulated_network_new (1) };
  simulated_network_set_default_link (self->network, link);
  for (guint i = 0; i < 2; i++)
    {
      HpAddress address = simulated_address (1 + i, 4222);

      self->peers[i] = transport_peer_new (self->network, &address, config);
      self->peers[i]->user_data = self;
    }
  self->peers[0]->on_event = on_sent;
  self->peers[1]->on_event = on_received;
  transport_peer_introduce (self->peers[0], self->peers[1]);
}

static void
set_up (Fixture *self, const SimulatedLink *link)
{
  HpTransportConfig config
      = { .max_message_size = HP_MAX_MESSAGE_SIZE_DEFAULT };

  set_up_with (self, link, &config);
}

static void
tear_down (Fixture *self)
{
  simulated_network_free (self->network);
  transport_peer_free (self->peers[0]);
  transport_peer_free (self->peers[1]);
}

static void
run (Fixture *self, gint64 duration)
{
  simulated_network_run (self->network, get_now (self) + duration);
}

/* @length G_MAXUINT64: as much as there is room for, for ever */
static Flow *
begin (Fixture *self, guint64 length, guint weight)
{
  HpTransport *transport = self->peers[0]->transport;
  Flow *flow = &self->flows[self->n_flows++];

  g_assert_cmpuint (self->n_flows, <=, N_STREAMS);
  flow->number = hp_transport_open_stream (transport, get_now (self));
  flow->is_endless = length == G_MAXUINT64;
  hp_transport_stream_set_weight (transport, flow->number, weight);
  write_zeros (self, flow->number, MIN (length, 64 << 20));
  if (!flow->is_endless)
    hp_transport_stream_finish (transport, flow->number, get_now (self));
  transport_peer_pump (self->peers[0]);
  return flow;
}

static void
send_message (Fixture *self, HpStreamKind kind, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (size), size);

  transport_peer_send (self->peers[0], kind, bytes, 0);
  transport_peer_pump (self->peers[0]);
}

static guint64
get_window (const Fixture *self, const Flow *flow)
{
  HpByteStream *stream = hp_byte_streams_lookup (
      &self->peers[1]->transport->streams, flow->number);

  return stream->reader.credit.window;
}

/* A window grows to twice what the path holds, and not much beyond. */
static void
test_tuning (void)
{
  const guint64 rate = 12500000;
  const guint64 delay_product = rate / 20;
  const SimulatedLink link
      = { .delay = 25 * MS, .rate = rate, .queue = delay_product };
  Fixture self;
  Flow *flow;
  guint64 before;

  set_up (&self, &link);
  flow = begin (&self, G_MAXUINT64, HP_STREAM_WEIGHT_DEFAULT);
  g_assert_null (hp_byte_streams_lookup (&self.peers[1]->transport->streams,
                                         flow->number));
  run (&self, 4 * G_TIME_SPAN_SECOND);
  g_assert_cmpuint (get_window (&self, flow), >=, 2 * delay_product);
  g_assert_cmpuint (get_window (&self, flow), <=, 16 * delay_product);
  before = flow->n_read;
  run (&self, 4 * G_TIME_SPAN_SECOND);
  g_assert_cmpuint (flow->n_read - before, >, 4 * rate * 85 / 100);
  tear_down (&self);
}

/* The default lets one stream fill 1 Gbit/s over 50 ms. */
static void
test_gigabit (void)
{
  const guint64 rate = 125000000;
  const SimulatedLink link
      = { .delay = 25 * MS, .rate = rate, .queue = rate / 20 };
  Fixture self;
  Flow *flow;
  guint64 before;

  set_up (&self, &link);
  transport_peer_set_path (self.peers[0], 1, 9000);
  flow = begin (&self, G_MAXUINT64, HP_STREAM_WEIGHT_DEFAULT);
  run (&self, 2 * G_TIME_SPAN_SECOND);
  g_assert_cmpuint (get_window (&self, flow), >=, rate / 10);
  before = flow->n_read;
  run (&self, 2 * G_TIME_SPAN_SECOND);
  g_test_message ("%.1f MB/s", (flow->n_read - before) / 2e6);
  g_assert_cmpuint (flow->n_read - before, >, 2 * rate * 85 / 100);
  tear_down (&self);
}

/* And so it does for messages, though each of these waits for a grant. */
static void
test_gigabit_messages (void)
{
  static const guint8 zeros[500000];
  const guint64 rate = 125000000;
  const SimulatedLink link
      = { .delay = 25 * MS, .rate = rate, .queue = rate / 20 };
  g_autoptr (GBytes) bytes = g_bytes_new_static (zeros, sizeof zeros);
  guint64 before;
  Fixture self;

  set_up (&self, &link);
  transport_peer_set_path (self.peers[0], 1, 9000);
  for (guint i = 0; i < 1100; i++)
    hp_transport_send_message (self.peers[0]->transport, HP_STREAM_ORDERED,
                               bytes, 0, get_now (&self));
  transport_peer_pump (self.peers[0]);
  run (&self, 2 * G_TIME_SPAN_SECOND);
  before = self.n_messages;
  run (&self, 2 * G_TIME_SPAN_SECOND);
  g_test_message ("%.1f MB/s", (self.n_messages - before) * sizeof zeros / 2e6);
  g_assert_cmpuint ((self.n_messages - before) * sizeof zeros, >,
                    2 * rate * 85 / 100);
  tear_down (&self);
}

/* A sender that does not fill its window is given no larger one. */
static void
test_no_tuning (void)
{
  const SimulatedLink slow
      = { .delay = 1 * MS, .rate = 100000, .queue = 20000 };
  Fixture self;
  Flow *flow;

  set_up (&self, &slow);
  flow = begin (&self, G_MAXUINT64, HP_STREAM_WEIGHT_DEFAULT);
  run (&self, 20 * G_TIME_SPAN_SECOND);
  g_assert_cmpuint (flow->n_read, >, 1500000);
  g_assert_cmpuint (get_window (&self, flow), <=, 8 * HP_BYTE_WINDOW);
  tear_down (&self);
}

/* Nobody reads: no more than the window is held, and all goes on after. */
static void
test_unread (void)
{
  const SimulatedLink link = { .delay = 10 * MS };
  HpTransport *transport;
  Fixture self;
  Flow *flow;

  set_up (&self, &link);
  transport = self.peers[1]->transport;
  self.is_unread = TRUE;
  flow = begin (&self, 1 << 20, HP_STREAM_WEIGHT_DEFAULT);
  run (&self, 10 * G_TIME_SPAN_SECOND);
  g_assert_cmpuint (hp_transport_get_receive_memory (transport), ==,
                    HP_BYTE_WINDOW);
  g_assert_cmpuint (get_window (&self, flow), ==, HP_BYTE_WINDOW);
  self.is_unread = FALSE;
  read_all (&self, flow->number);
  transport_peer_pump (self.peers[1]);
  run (&self, 10 * G_TIME_SPAN_SECOND);
  g_assert_cmpuint (flow->n_read, ==, 1 << 20);
  transport_peer_assert_idle (self.peers[1]);
  tear_down (&self);
}

/* The pool is shared: whoever comes later gets some of it, and those that have
 * much give back. */
static void
test_pool (void)
{
  const SimulatedLink wide = { .delay = 100 * MS };
  HpTransportConfig config = { .receive_window = 1,
                               .max_receive_window = 1 << 20 };
  const HpReceivePool *pool;
  Fixture self;
  guint64 windows[3];

  set_up_with (&self, &wide, &config);
  pool = &self.peers[1]->transport->pool;
  begin (&self, G_MAXUINT64, HP_STREAM_WEIGHT_DEFAULT);
  run (&self, 10 * G_TIME_SPAN_SECOND);
  g_assert_cmpuint (get_window (&self, &self.flows[0]), >,
                    pool->size * 78 / 100);
  begin (&self, G_MAXUINT64, HP_STREAM_WEIGHT_DEFAULT);
  begin (&self, G_MAXUINT64, HP_STREAM_WEIGHT_DEFAULT);
  run (&self, 30 * G_TIME_SPAN_SECOND);
  for (guint i = 0; i < 3; i++)
    windows[i] = get_window (&self, &self.flows[i]) - HP_BYTE_WINDOW;
  g_test_message ("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
                  " %" G_GUINT64_FORMAT,
                  windows[0], windows[1], windows[2]);
  /* 4/13 each */
  for (guint i = 0; i < 3; i++)
    {
      g_assert_cmpuint (windows[i], >, pool->size * 25 / 100);
      g_assert_cmpuint (windows[i], <, pool->size * 36 / 100);
    }
  g_assert_cmpuint (pool->used, ==, windows[0] + windows[1] + windows[2]);
  tear_down (&self);
}

/* So does the credit of messages, where there are many of them. */
static void
test_messages (void)
{
  const SimulatedLink link
      = { .delay = 25 * MS, .rate = 125000000, .queue = 6250000 };
  const HpReceiveCredit *credit;
  Fixture self;

  set_up (&self, &link);
  transport_peer_set_path (self.peers[0], 1, 9000);
  credit = &self.peers[1]->transport->receiving.credit;
  for (guint i = 0; i < 4000; i++)
    send_message (&self, HP_STREAM_ORDERED, 60000);
  run (&self, 10 * G_TIME_SPAN_SECOND);
  g_assert_cmpuint (self.n_messages, ==, 4000);
  g_assert_cmpuint (credit->window, >, 12500000);
  tear_down (&self);
}

/* Shares are those of the weights, whatever else there is. */
static void
test_weights (void)
{
  const guint64 rate = 1250000;
  const SimulatedLink link
      = { .delay = 10 * MS, .rate = rate, .queue = rate / 50 };
  static const guint weights[] = { 1, 4, 16, 64 };
  guint64 before[4];
  guint64 total = 0;
  Fixture self;

  set_up (&self, &link);
  for (guint i = 0; i < 4; i++)
    begin (&self, G_MAXUINT64, weights[i]);
  run (&self, 5 * G_TIME_SPAN_SECOND);
  for (guint i = 0; i < 4; i++)
    before[i] = self.flows[i].n_read;
  run (&self, 40 * G_TIME_SPAN_SECOND);
  for (guint i = 0; i < 4; i++)
    total += self.flows[i].n_read - before[i];
  g_assert_cmpuint (total, >, 40 * rate * 80 / 100);
  for (guint i = 0; i < 4; i++)
    {
      double share = (self.flows[i].n_read - before[i]) / (double) total;
      double fair = weights[i] / 85.0;

      g_test_message ("weight %u: %.4f of all", weights[i], share);
      g_assert_cmpfloat (share, >, 0.9 * fair);
      g_assert_cmpfloat (share, <, 1.1 * fair);
    }
  tear_down (&self);
}

/* The time that a message takes to leave; it is first in line. */
static gint64
time_leaving (Fixture *self, HpStreamKind kind)
{
  HpSendQueue *queue = &self->peers[0]->transport->sending;
  g_autoptr (GBytes) bytes = g_bytes_new_static ("", 1);
  gint64 queued_at = get_now (self);
  guint64 handle = transport_peer_send (self->peers[0], kind, bytes, 0);
  const HpSendStream *stream = g_hash_table_lookup (queue->by_handle, &handle);

  g_assert_true (hp_send_schedule_next (&queue->schedule) == stream);
  transport_peer_pump (self->peers[0]);
  while (stream->fresh == 0)
    g_assert_true (simulated_network_step (self->network, G_MAXINT64));
  return get_now (self) - queued_at;
}

/* It leaves in the next packet that is not for what was lost, beside streams of
 * the greatest weight and large messages, even at 1 Mbit/s, where each packet
 * takes 8 ms. */
static void
test_small_message (HpStreamKind kind)
{
  const guint64 rate = 125000;
  const SimulatedLink link = { .delay = 20 * MS, .rate = rate, .queue = 8192 };
  Fixture self;
  gint64 sum = 0;

  set_up (&self, &link);
  for (guint i = 0; i < 4; i++)
    begin (&self, G_MAXUINT64, HP_STREAM_WEIGHT_MAX);
  for (guint i = 0; i < 4; i++)
    send_message (&self, HP_STREAM_UNORDERED, 8 << 20);
  run (&self, 10 * G_TIME_SPAN_SECOND);
  for (guint i = 0; i < 50; i++)
    {
      sum += time_leaving (&self, kind);
      run (&self, 200 * MS + i * 777);
    }
  g_test_message ("left after %.1f ms", sum / 50 / 1000.0);
  g_assert_cmpint (sum / 50, <, 25 * MS);
  tear_down (&self);
}

static void
test_small_messages (void)
{
  test_small_message (HP_STREAM_ORDERED);
  test_small_message (HP_STREAM_UNORDERED);
  test_small_message (HP_STREAM_UNRELIABLE);
}

/* One that says nothing is heard of, whatever is lost. */
static void
test_announcement (void)
{
  const SimulatedLink link = { .delay = 10 * MS };
  Fixture self;

  set_up (&self, &link);
  simulated_network_add_outage (self.network, get_now (&self),
                                get_now (&self) + 500 * MS);
  begin (&self, G_MAXUINT64, HP_STREAM_WEIGHT_DEFAULT);
  hp_transport_open_stream (self.peers[0]->transport, get_now (&self));
  transport_peer_pump (self.peers[0]);
  run (&self, 10 * G_TIME_SPAN_SECOND);
  g_assert_cmpuint (self.n_opened, ==, 2);
  tear_down (&self);

  set_up (&self, &link);
  simulated_network_add_outage (self.network, get_now (&self),
                                get_now (&self) + 500 * MS);
  hp_transport_open_stream (self.peers[0]->transport, get_now (&self));
  transport_peer_pump (self.peers[0]);
  run (&self, 10 * G_TIME_SPAN_SECOND);
  g_assert_cmpuint (self.n_opened, ==, 1);
  tear_down (&self);
}

/* Of more than may be open at once the others wait their turn. */
static void
test_many (void)
{
  const SimulatedLink link = { .delay = 10 * MS, .loss = 0.3 };
  g_autoptr (GBytes) bytes = g_bytes_new_static ("hello", 5);
  HpTransport *transport;
  Fixture self;
  guint64 first = 0;

  set_up (&self, &link);
  transport = self.peers[0]->transport;
  self.is_unread = TRUE;
  for (guint i = 0; i < 2000; i++)
    {
      guint64 number = hp_transport_open_stream (transport, get_now (&self));

      if (i == 0)
        first = number;
      g_assert_cmpuint (number, ==, first + 8 * i);
      hp_transport_stream_write (transport, number, bytes, get_now (&self));
      hp_transport_stream_finish (transport, number, get_now (&self));
      hp_transport_stream_stop (self.peers[0]->transport, number,
                                HP_RESET_CANCELLED, get_now (&self));
    }
  transport_peer_pump (self.peers[0]);
  run (&self, 60 * G_TIME_SPAN_SECOND);
  /* The other side reads nothing. */
  g_assert_cmpuint (self.n_opened, ==, HP_MAX_STREAMS);
  g_assert_cmpuint (
      g_hash_table_size (self.peers[1]->transport->streams.table), ==,
      HP_MAX_STREAMS);
  /* Of the first of them nothing that is said comes through at once. */
  simulated_network_add_outage (self.network, get_now (&self),
                                get_now (&self) + HP_MAX_STREAMS * 100 * MS);
  for (guint i = 0; i < 2000; i++)
    {
      if (i == HP_MAX_STREAMS)
        run (&self, 5 * G_TIME_SPAN_MINUTE);
      hp_transport_stream_stop (self.peers[1]->transport, first + 8 * i,
                                HP_RESET_CANCELLED, get_now (&self));
      transport_peer_pump (self.peers[1]);
      run (&self, 100 * MS);
    }
  run (&self, G_TIME_SPAN_MINUTE);
  g_assert_cmpuint (self.n_opened, ==, 2000);
  transport_peer_assert_idle (self.peers[0]);
  transport_peer_assert_idle (self.peers[1]);
  tear_down (&self);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/transport/stream-flow/tuning", test_tuning);
  g_test_add_func ("/transport/stream-flow/gigabit", test_gigabit);
  g_test_add_func ("/transport/stream-flow/gigabit-messages",
                   test_gigabit_messages);
  g_test_add_func ("/transport/stream-flow/no-tuning", test_no_tuning);
  g_test_add_func ("/transport/stream-flow/unread", test_unread);
  g_test_add_func ("/transport/stream-flow/pool", test_pool);
  g_test_add_func ("/transport/stream-flow/messages", test_messages);
  g_test_add_func ("/transport/stream-flow/weights", test_weights);
  g_test_add_func ("/transport/stream-flow/small-messages",
                   test_small_messages);
  g_test_add_func ("/transport/stream-flow/announcement", test_announcement);
  g_test_add_func ("/transport/stream-flow/many", test_many);
  return g_test_run ();
}
