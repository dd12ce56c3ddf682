/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How fast messages pass, by the invented clock: a protocol that is correct
 * but slow would pass all other tests.
 */

#include "transport-peer.h"

#include <math.h>

#define RATE 12500000 /* bytes per second: 100 Mbit/s */
#define ONE_WAY (25 * G_TIME_SPAN_MILLISECOND)
#define BANDWIDTH_DELAY (RATE / 20)

typedef struct
{
  SimulatedNetwork *network;
  TransportPeer *peers[2];
  guint64 bytes_received;
  guint n_received;
  gint64 small_at; /* when a message of up to 10 bytes came in */
  gint64 last_at;
  guint n_delivered;
  gint64 delivered_at;
} Fixture;

static void
on_received (TransportPeer *peer, const HpTransportEvent *event)
{
  Fixture *self = peer->user_data;
  gsize size;

  if (event->type != HP_TRANSPORT_EVENT_MESSAGE)
    return;
  size = g_bytes_get_size (event->message);
  self->bytes_received += size;
  self->n_received++;
  self->last_at = simulated_network_get_now (self->network);
  if (size <= 10)
    self->small_at = self->last_at;
}

static void
on_sent (TransportPeer *peer, const HpTransportEvent *event)
{
  Fixture *self = peer->user_data;

  g_assert_cmpint (event->type, ==, HP_TRANSPORT_EVENT_DELIVERED);
  self->n_delivered++;
  self->delivered_at = simulated_network_get_now (self->network);
}

static void
set_up (Fixture *self, const SimulatedLink *link)
{
  HpTransportConfig config
      = { .max_message_size = HP_MAX_MESSAGE_SIZE_DEFAULT };

  *self = (Fixture){ .network = simulated_network_new (1) };
  simulated_network_set_default_link (self->network, link);
  for (guint i = 0; i < 2; i++)
    {
      HpAddress address = simulated_address (1 + i, 4222);

      self->peers[i] = transport_peer_new (self->network, &address, &config);
      self->peers[i]->user_data = self;
    }
  self->peers[0]->on_event = on_sent;
  self->peers[1]->on_event = on_received;
  transport_peer_introduce (self->peers[0], self->peers[1]);
}

static void
tear_down (Fixture *self)
{
  simulated_network_free (self->network);
  for (guint i = 0; i < 2; i++)
    {
      transport_peer_assert_idle (self->peers[i]);
      transport_peer_free (self->peers[i]);
    }
}

static void
send_zeros (Fixture *self, HpStreamKind kind, gsize size, guint count)
{
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (size), size);

  for (guint i = 0; i < count; i++)
    transport_peer_send (self->peers[0], kind, bytes, 0);
  transport_peer_pump (self->peers[0]);
}

/* Bytes of messages per second of invented time */
static double
run (Fixture *self)
{
  gint64 start = simulated_network_get_now (self->network);
  guint64 before = self->bytes_received;
  double goodput;
  HpTransportStatistics statistics;

  simulated_network_run (self->network, start + G_TIME_SPAN_HOUR);
  goodput = (self->bytes_received - before) * 1e6 / (self->last_at - start);
  hp_transport_get_statistics (self->peers[0]->transport, &statistics);
  g_test_message ("%.0f bytes per second, %" G_GUINT64_FORMAT
                  " packets, %" G_GUINT64_FORMAT " lost, %" G_GUINT64_FORMAT
                  " bytes resent, window %" G_GUINT64_FORMAT,
                  goodput, statistics.packets_sent, statistics.packets_lost,
                  statistics.bytes_resent, statistics.congestion_window);
  return goodput;
}

static const SimulatedLink clean
    = { .delay = ONE_WAY, .rate = RATE, .queue = BANDWIDTH_DELAY };

static void
test_large (void)
{
  Fixture self;

  set_up (&self, &clean);
  send_zeros (&self, HP_STREAM_UNORDERED, 64 << 20, 1);
  g_assert_cmpfloat (run (&self), >, 0.85 * RATE);
  tear_down (&self);
}

static void
test_many (void)
{
  Fixture self;

  set_up (&self, &clean);
  send_zeros (&self, HP_STREAM_ORDERED, 1000, 40000);
  g_assert_cmpfloat (run (&self), >, 0.8 * RATE);
  g_assert_cmpuint (self.n_delivered, ==, 40000);
  tear_down (&self);
}

static void
test_medium (void)
{
  Fixture self;

  set_up (&self, &clean);
  send_zeros (&self, HP_STREAM_ORDERED, 300000, 150);
  g_assert_cmpfloat (run (&self), >, 0.8 * RATE);
  tear_down (&self);
}

/* Many times of what a window that shrinks by each loss would carry: a window
 * of packets, or nearly, per loss is the model of Mathis and others. */
static void
test_random_loss (void)
{
  const double loss = 0.01;
  const SimulatedLink lossy
      = { .delay = ONE_WAY, .rate = RATE, .queue = BANDWIDTH_DELAY,
          .loss = loss };
  double model = HP_DATAGRAM_SIZE_DEFAULT * 1.22
                 / (2 * ONE_WAY / 1e6 * sqrt (loss));
  Fixture self;

  set_up (&self, &lossy);
  send_zeros (&self, HP_STREAM_UNORDERED, 4 << 20, 1);
  g_assert_cmpfloat (run (&self), >, 15 * model);
  tear_down (&self);
}

/* Reordering within the time threshold must not look like congestion. */
static void
test_jitter (void)
{
  const SimulatedLink jittery
      = { .delay = ONE_WAY, .jitter = 500, .rate = RATE,
          .queue = BANDWIDTH_DELAY };
  Fixture self;

  set_up (&self, &jittery);
  send_zeros (&self, HP_STREAM_UNORDERED, 4 << 20, 1);
  g_assert_cmpfloat (run (&self), >, 0.4 * RATE);
  tear_down (&self);
}

/* The time a message of 10 bytes takes beside one of 32 MiB, once
 * the window has found its size */
static gint64
time_small_one (HpStreamKind large, HpStreamKind small)
{
  Fixture self;
  gint64 sent_at;
  gint64 took;

  set_up (&self, &clean);
  send_zeros (&self, large, 32 << 20, 1);
  simulated_network_run (self.network,
                         simulated_network_get_now (self.network)
                             + G_TIME_SPAN_SECOND);
  sent_at = simulated_network_get_now (self.network);
  send_zeros (&self, small, 10, 1);
  run (&self);
  g_assert_cmpuint (self.n_received, ==, 2);
  took = self.small_at - sent_at;
  tear_down (&self);
  return took;
}

static void
test_fairness (void)
{
  for (HpStreamKind large = HP_STREAM_ORDERED;
       large <= HP_STREAM_UNORDERED; large++)
    for (HpStreamKind small = HP_STREAM_ORDERED;
         small <= HP_STREAM_UNRELIABLE; small++)
      {
        if (large == HP_STREAM_ORDERED && small == HP_STREAM_ORDERED)
          continue;
        /* One way, a full queue (as long as two ways), and a window's
         * worth of waiting after a loss */
        g_assert_cmpint (time_small_one (large, small), <,
                         6 * ONE_WAY + 2 * ONE_WAY);
      }
}

/* Neither do many large ones, with many ordered ones waiting behind one. */
static void
test_fairness_backlog (void)
{
  Fixture self;
  gint64 sent_at;

  set_up (&self, &clean);
  send_zeros (&self, HP_STREAM_UNORDERED, 1 << 20, 100);
  send_zeros (&self, HP_STREAM_ORDERED, 8 << 20, 2);
  send_zeros (&self, HP_STREAM_ORDERED, 60000, 200);
  simulated_network_run (self.network,
                         simulated_network_get_now (self.network)
                             + 2 * G_TIME_SPAN_SECOND);
  sent_at = simulated_network_get_now (self.network);
  send_zeros (&self, HP_STREAM_UNORDERED, 10, 1);
  run (&self);
  g_assert_cmpuint (self.n_received, ==, 303);
  g_assert_cmpint (self.small_at - sent_at, <, 8 * ONE_WAY);
  tear_down (&self);
}

/* The first message on a new path, of which nothing is known: in one flight, or
 * in those that a window doubled by each round trip takes; the search for larger
 * datagrams does not delay it. */
static gint64
time_first_one (gsize size, gsize largest, gint64 one_way)
{
  const SimulatedLink link = { .delay = one_way };
  Fixture self;
  gint64 sent_at;

  set_up (&self, &link);
  for (guint i = 0; i < 2; i++)
    hp_transport_allow_size (self.peers[i]->transport, largest,
                             simulated_network_get_now (self.network));
  sent_at = simulated_network_get_now (self.network);
  send_zeros (&self, HP_STREAM_ORDERED, size, 1);
  run (&self);
  g_assert_cmpuint (self.bytes_received, ==, size);
  tear_down (&self);
  g_test_message ("%" G_GSIZE_FORMAT " bytes in datagrams of up to "
                  "%" G_GSIZE_FORMAT ": %.1f round trips",
                  size, largest, (self.last_at - sent_at) / (2. * one_way));
  return self.last_at - sent_at;
}

static void
test_first_message (void)
{
  const gsize sizes[] = { 1024, 1472, 8972 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (gint64 one_way = 100; one_way < G_TIME_SPAN_SECOND; one_way *= 10)
      {
        gint64 hosts = G_TIME_SPAN_MILLISECOND;

        g_assert_cmpint (time_first_one (10240, sizes[i], one_way), <=,
                         one_way);
        /* 14 KiB, 28 and the rest, paced: 2.5 round trips are the least */
        g_assert_cmpint (time_first_one (65536, sizes[i], one_way), <,
                         2 * one_way * 33 / 10 + hosts);
      }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/transport/goodput/large", test_large);
  g_test_add_func ("/transport/goodput/many", test_many);
  g_test_add_func ("/transport/goodput/medium", test_medium);
  g_test_add_func ("/transport/goodput/random-loss", test_random_loss);
  g_test_add_func ("/transport/goodput/jitter", test_jitter);
  g_test_add_func ("/transport/goodput/fairness", test_fairness);
  g_test_add_func ("/transport/goodput/fairness-backlog",
                   test_fairness_backlog);
  g_test_add_func ("/transport/goodput/first-message", test_first_message);
  return g_test_run ();
}
