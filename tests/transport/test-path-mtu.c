/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-path-mtu.h"

#include "transport-peer.h"

#include <string.h>

#define MS G_TIME_SPAN_MILLISECOND
#define SECOND G_TIME_SPAN_SECOND

/* The machine alone, on a path that is a number */

typedef struct
{
  HpPathMtu mtu;
  gsize carries; /* by the path */
  guint64 number;
  guint n_probes;
  gsize largest; /* of the probes */
  gint64 now;
} Path;

static void
path_init (Path *self, gsize base, gsize maximum, gsize carries)
{
  *self = (Path){ .carries = carries };
  hp_path_mtu_init (&self->mtu, base);
  hp_path_mtu_may_try (&self->mtu, maximum);
}

/* A packet of data that arrives, or not */
static void
path_send (Path *self, gsize size)
{
  guint64 number = self->number++;

  hp_path_mtu_sent (&self->mtu, size);
  if (size <= self->carries)
    hp_path_mtu_acked (&self->mtu, number, size);
  else if (hp_path_mtu_lost (&self->mtu, number, size))
    g_assert_cmpuint (self->mtu.size, <, size);
}

/* FALSE: none is due */
static gboolean
path_probe (Path *self)
{
  gsize size = hp_path_mtu_get_probe (&self->mtu, self->now);

  if (size == 0)
    return FALSE;
  g_assert_cmpuint (size, >, self->mtu.size);
  g_assert_cmpuint (size, <=, self->mtu.maximum);
  hp_path_mtu_probe_sent (&self->mtu);
  g_assert_cmpuint (hp_path_mtu_get_probe (&self->mtu, self->now), ==, 0);
  self->n_probes++;
  self->largest = MAX (self->largest, size);
  if (size > self->carries)
    hp_path_mtu_probe_lost (&self->mtu, self->now);
  else if (hp_path_mtu_probe_acked (&self->mtu, self->now))
    g_assert_cmpuint (self->mtu.size, ==, size);
  return TRUE;
}

static void
path_search (Path *self)
{
  do
    path_send (self, self->mtu.size);
  while (path_probe (self));
}

/* On nearly all paths the interface says it. */
static void
test_maximum (void)
{
  const gsize maxima[] = { 1025, 1452, 1472, 8972, 65488, 65507 };

  for (guint i = 0; i < G_N_ELEMENTS (maxima); i++)
    {
      Path path;

      path_init (&path, 1024, maxima[i], maxima[i]);
      path_search (&path);
      g_assert_cmpuint (path.mtu.size, ==, maxima[i]);
      g_assert_cmpuint (path.n_probes, ==, 1);
      path.now += 2 * HP_PATH_MTU_RAISE_INTERVAL;
      path_search (&path);
      g_assert_cmpuint (path.n_probes, ==, 1);
    }
}

/* Whatever a path carries is found, but for a fiftieth. */
static void
test_search (void)
{
  const gsize maxima[] = { 1472, 8972, 65507 };
  guint most = 0;

  for (guint i = 0; i < G_N_ELEMENTS (maxima); i++)
    for (gsize carries = 1024; carries <= maxima[i];
         carries += 1 + carries / 300)
      {
        Path path;

        path_init (&path, 1024, maxima[i], carries);
        path_search (&path);
        g_assert_cmpuint (path.mtu.size, <=, carries);
        g_assert_cmpuint (path.mtu.size + MAX (16, carries / 50) + 1, >=,
                          carries);
        g_assert_cmpuint (path.n_probes, <=, i == 0 ? 11 : 15);
        most = MAX (most, path.n_probes);
      }
  g_test_message ("at most %u probes", most);
}

static void
test_common_sizes (void)
{
  const gsize sizes[] = { 1232, 1252, 1372, 1392, 1444, 1452, 1464, 1472 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      Path path;

      path_init (&path, 1024, 8972, sizes[i]);
      path_search (&path);
      g_assert_cmpuint (path.mtu.size, ==, sizes[i]);
      path_init (&path, 1024, 1472, sizes[i]);
      path_search (&path);
      g_assert_cmpuint (path.mtu.size, ==, sizes[i]);
      g_assert_cmpuint (path.n_probes, <=, 9);
    }
}

static void
test_off (void)
{
  Path path;

  path_init (&path, 1024, 1024, 1500);
  path_search (&path);
  g_assert_cmpuint (path.n_probes, ==, 0);
  hp_path_mtu_may_try (&path.mtu, 600);
  path_search (&path);
  g_assert_cmpuint (path.mtu.size, ==, 1024);
  g_assert_cmpuint (path.n_probes, ==, 0);
}

static void
test_needs_reason (void)
{
  Path path;

  path_init (&path, 1024, 1472, 1472);
  g_assert_false (path_probe (&path));
  path_send (&path, 500);
  g_assert_false (path_probe (&path));
  path_send (&path, 1000);
  g_assert_true (path_probe (&path));
  g_assert_cmpuint (path.mtu.size, ==, 1472);
}

/* A probe or two that are lost for other reasons mean nothing. */
static void
test_lost_probes (void)
{
  Path path;

  path_init (&path, 1024, 1472, 1472);
  for (guint i = 0; i < 2; i++)
    {
      path_send (&path, 1024);
      g_assert_cmpuint (hp_path_mtu_get_probe (&path.mtu, 0), ==,
                        i == 0 ? 1472 : 1392);
      hp_path_mtu_probe_sent (&path.mtu);
      hp_path_mtu_probe_lost (&path.mtu, 0);
    }
  path_search (&path);
  g_assert_cmpuint (path.mtu.size, ==, 1472);
  g_assert_cmpuint (path.n_probes, <=, 6);

  /* The one below which the search would end is tried three times. */
  path_init (&path, 1024, 1040, 1040);
  for (guint i = 0; i < 3; i++)
    {
      path_send (&path, 1024);
      g_assert_cmpuint (hp_path_mtu_get_probe (&path.mtu, 0), ==, 1040);
      hp_path_mtu_probe_sent (&path.mtu);
      hp_path_mtu_probe_lost (&path.mtu, 0);
    }
  path_search (&path);
  g_assert_cmpuint (path.mtu.size, ==, 1024);
  g_assert_cmpuint (path.n_probes, ==, 0);
}

static void
test_raise (void)
{
  Path path;

  path_init (&path, 1024, 1472, 1372);
  path_search (&path);
  g_assert_cmpuint (path.mtu.size, ==, 1372);

  path.carries = 1472;
  path.now += HP_PATH_MTU_RAISE_INTERVAL - 1;
  path_search (&path);
  g_assert_cmpuint (path.mtu.size, ==, 1372);
  path.now++;
  path_search (&path);
  g_assert_cmpuint (path.mtu.size, ==, 1472);
}

/* Another limit, while a probe of the old one is under way */
static void
test_limit_changes (void)
{
  Path path;

  path_init (&path, 1024, 8972, 8972);
  path_send (&path, 1024);
  hp_path_mtu_probe_sent (&path.mtu);
  hp_path_mtu_may_try (&path.mtu, 1472);
  g_assert_false (hp_path_mtu_probe_acked (&path.mtu, 0));
  path_search (&path);
  g_assert_cmpuint (path.mtu.size, ==, 1472);
  hp_path_mtu_may_try (&path.mtu, 1300);
  g_assert_cmpuint (path.mtu.size, ==, 1300);
  hp_path_mtu_may_try (&path.mtu, 1472);
  path_search (&path);
  g_assert_cmpuint (path.mtu.size, ==, 1472);
}

static void
test_black_hole (void)
{
  const struct
  {
    gsize base, found, carries, fallback;
  } cases[] = {
    { 1024, 1472, 1372, 1024 },   { 1024, 1472, 1100, 1024 },
    { 1400, 1472, 1372, 1200 },   { 1472, 1472, 1372, 1200 },
    { 1024, 65507, 1472, 1024 },  { 1024, 1024, 700, 512 },
    { 1472, 1472, 1472, 1200 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gsize found = cases[i].found;
      Path path;

      path_init (&path, cases[i].base, found, found);
      path_search (&path);
      g_assert_cmpuint (path.mtu.size, ==, found);
      g_assert_cmpuint (hp_path_mtu_get_fallback (&path.mtu), ==,
                        cases[i].fallback);
      path.carries = cases[i].carries < found ? cases[i].carries : 1300;
      for (guint n = 0; n < 3; n++)
        {
          guint64 lost = path.number;

          g_assert_cmpuint (path.mtu.size, ==, found);
          path.number += 4;
          path_send (&path, 100);
          g_assert_false (hp_path_mtu_lost (&path.mtu, lost, found));
          g_assert_cmpint (hp_path_mtu_lost (&path.mtu, lost + 1, found), ==,
                           n == 2);
          if (n == 2)
            break;
          g_assert_false (hp_path_mtu_lost (&path.mtu, lost + 2, found));
          g_assert_false (hp_path_mtu_lost (&path.mtu, lost + 3, found));
        }
      g_assert_cmpuint (path.mtu.size, ==, cases[i].fallback);
      path_search (&path);
      g_assert_cmpuint (path.mtu.size, <=, path.carries);
      g_assert_cmpuint (path.mtu.size + 40, >=, path.carries);
    }
}

/* All is lost for a while, then only large packets by chance */
static void
test_no_black_hole (void)
{
  Path path;

  path_init (&path, 1024, 1472, 1472);
  path_search (&path);
  for (guint round = 0; round < 10; round++)
    {
      path.carries = 0;
      for (guint i = 0; i < 50; i++)
        path_send (&path, 1472);
      path.carries = 1472;
      path_send (&path, 100);
      g_assert_false (hp_path_mtu_lost (&path.mtu, path.number - 2, 1472));
      path_send (&path, 100);
      path_send (&path, round % 2 == 0 ? 1472 : 1440);
      /* Not after what is found to be lost only now */
      g_assert_false (hp_path_mtu_lost (&path.mtu, path.number - 5, 1472));
    }
  g_assert_cmpuint (path.mtu.size, ==, 1472);

  /* Smaller ones that do arrive are no sign of a black hole when lost. */
  for (guint round = 0; round < 10; round++)
    {
      path.carries = 0;
      path_send (&path, 600);
      path.carries = 1472;
      path_send (&path, 100);
      g_assert_false (hp_path_mtu_lost (&path.mtu, path.number - 2, 600));
    }
  g_assert_cmpuint (path.mtu.size, ==, 1472);
}

/* In the network */

typedef struct
{
  SimulatedNetwork *network;
  SimulatedLink link;
  const HpCongestionClass *congestion; /* NULL: the default */
  TransportPeer *sender;
  TransportPeer *receiver;
  gsize left; /* bytes yet to be sent */
  guint n_waiting;
  guint n_received;
  guint64 n_large; /* datagrams above 1,024 bytes */
} Fixture;

static void
on_event (TransportPeer *peer, const HpTransportEvent *event)
{
  Fixture *self = peer->user_data;

  if (event->type == HP_TRANSPORT_EVENT_DELIVERED)
    self->n_waiting--;
  else if (event->type == HP_TRANSPORT_EVENT_MESSAGE)
    self->n_received++;
}

static void
fixture_connect (Fixture *self, guint64 seed, gsize base, gsize maximum)
{
  const HpTransportConfig config = { .max_message_size = 16 * 1024 * 1024,
                                     .congestion = self->congestion };
  HpAddress left = simulated_address (1, 1000);
  HpAddress right = simulated_address (2, 2000);
  gint64 now;

  self->network = simulated_network_new (seed);
  simulated_network_set_default_link (self->network, &self->link);
  self->sender = transport_peer_new (self->network, &left, &config);
  self->receiver = transport_peer_new (self->network, &right, &config);
  self->sender->user_data = self->receiver->user_data = self;
  self->sender->on_event = self->receiver->on_event = on_event;
  transport_peer_introduce (self->sender, self->receiver);
  transport_peer_set_path (self->sender, 1, base);
  transport_peer_set_path (self->receiver, 1, base);
  now = simulated_network_get_now (self->network);
  self->sender->datagram_size = HP_DATAGRAM_SIZE_MAX;
  hp_transport_allow_size (self->sender->transport, maximum, now);
}

static void
fixture_disconnect (Fixture *self)
{
  transport_peer_free (self->sender);
  transport_peer_free (self->receiver);
  simulated_network_free (self->network);
}

static gsize
fixture_get_size (Fixture *self)
{
  return hp_transport_get_datagram_size (self->sender->transport);
}

static void
fixture_set_mtu (Fixture *self, gsize mtu)
{
  self->link.mtu = mtu;
  simulated_network_set_default_link (self->network, &self->link);
}

static void
fixture_send (Fixture *self, gsize length)
{
  g_autoptr (GBytes) message = g_bytes_new_take (g_malloc0 (length), length);

  transport_peer_send (self->sender, HP_STREAM_ORDERED, message, 0);
  self->n_waiting++;
  transport_peer_pump (self->sender);
}

/* Until all is delivered; gives the time it took */
static gint64
fixture_finish (Fixture *self, gint64 patience)
{
  gint64 start = simulated_network_get_now (self->network);
  gsize size = fixture_get_size (self);

  while (self->n_waiting > 0
         && simulated_network_step (self->network, start + patience))
    if (size != fixture_get_size (self))
      {
        size = fixture_get_size (self);
        g_test_message ("%6" G_GINT64_FORMAT " ms: %zu",
                        (simulated_network_get_now (self->network) - start)
                            / MS,
                        size);
      }
  g_assert_cmpuint (self->n_waiting, ==, 0);
  return simulated_network_get_now (self->network) - start;
}

static void
test_network_good (void)
{
  const gsize maxima[] = { 1472, 8972, 65507 };

  for (guint i = 0; i < G_N_ELEMENTS (maxima); i++)
    {
      Fixture self = { .link = { .delay = 10 * MS } };

      fixture_connect (&self, 1, 1024, maxima[i]);
      fixture_send (&self, 3000);
      fixture_finish (&self, SECOND);
      /* Before a round trip is over after the first full datagram */
      simulated_network_run (self.network,
                             simulated_network_get_now (self.network)
                                 + 60 * MS);
      g_assert_cmpuint (fixture_get_size (&self), ==, maxima[i]);
      fixture_send (&self, 1000000);
      fixture_finish (&self, 10 * SECOND);
      transport_peer_assert_idle (self.sender);
      fixture_disconnect (&self);
    }
}

/* While the large probe that fills the window waits for its ACK, which is a
 * delayed one, all else goes on. */
static void
test_network_no_pause (void)
{
  Fixture self = { .link = { .delay = 100 /* µs */ } };
  gint64 start;

  fixture_connect (&self, 1, 1024, 65507);
  start = simulated_network_get_now (self.network);
  fixture_send (&self, 1024 * 1024);
  while (self.n_received == 0
         && simulated_network_step (self.network, start + SECOND))
    ;
  g_assert_cmpint (simulated_network_get_now (self.network) - start, <,
                   HP_MAX_ACK_DELAY / 2);
  g_assert_cmpuint (fixture_get_size (&self), ==, 65507);
  fixture_finish (&self, SECOND);
  fixture_disconnect (&self);
}

static void
test_network_off (void)
{
  Fixture self = { .link = { .delay = 10 * MS, .mtu = 1024 } };
  const SimulatedCounters *counters;

  fixture_connect (&self, 1, 1024, 1024);
  counters = simulated_network_get_counters (self.network);
  fixture_send (&self, 3000000);
  fixture_finish (&self, 20 * SECOND);
  g_assert_cmpuint (counters->n_too_large, ==, 0);
  g_assert_cmpuint (counters->n_lost, ==, 0);
  fixture_disconnect (&self);
}

/* Probes alone are lost on a path that carries less: nothing is sent again, no
 * window shrinks. */
static void
test_network_narrow (void)
{
  const gsize mtus[] = { 1024, 1232, 1300, 1372, 1464 };

  for (guint i = 0; i < 2 * G_N_ELEMENTS (mtus); i++)
    {
      gsize mtu = mtus[i / 2];
      Fixture self = { .link = { .delay = 10 * MS, .mtu = mtu } };
      HpTransportStatistics statistics;
      gint64 took;

      if (i % 2 == 0)
        self.congestion = &hp_congestion_new_reno;
      fixture_connect (&self, 1, 1024, 1472);
      fixture_send (&self, 4000000);
      took = fixture_finish (&self, 20 * SECOND);
      hp_transport_get_statistics (self.sender->transport, &statistics);
      g_test_message ("%zu: %zu in %" G_GINT64_FORMAT " ms", mtu,
                      fixture_get_size (&self), took / 1000);
      g_assert_cmpuint (fixture_get_size (&self), <=, mtu);
      g_assert_cmpuint (fixture_get_size (&self) + 30, >=, mtu);
      g_assert_cmpuint (statistics.packets_lost, ==, 0);
      g_assert_cmpuint (statistics.bytes_resent, ==, 0);
      /* As fast as where nothing is lost */
      g_assert_cmpint (took, <, 300 * MS);
      g_assert_cmpuint (
          simulated_network_get_counters (self.network)->n_too_large, <=, 20);
      fixture_disconnect (&self);
    }
}

static void
test_network_loss (void)
{
  guint n_exact = 0;
  guint64 seed;

  for (seed = 1; seed <= 20; seed++)
    {
      Fixture self = { .link = { .delay = 10 * MS, .jitter = 2 * MS,
                                 .loss = 0.05, .mtu = 1372 } };

      fixture_connect (&self, seed, 1024, 1472);
      fixture_send (&self, 2000000);
      fixture_finish (&self, 120 * SECOND);
      g_assert_cmpuint (fixture_get_size (&self), <=, 1372);
      g_assert_cmpuint (fixture_get_size (&self), >=, 1024);
      n_exact += fixture_get_size (&self) == 1372;
      fixture_disconnect (&self);
    }
  g_assert_cmpuint (n_exact, >=, 18);
}

/* The path carries less of a sudden, in the middle of a transfer. */
static void
fall (gsize base, gsize maximum, gsize before, gsize after, double loss)
{
  Fixture self = { .link = { .delay = 25 * MS, .mtu = before,
                             .rate = 2000000, .queue = 200000 } };
  gint64 took;

  fixture_connect (&self, 3, base, maximum);
  fixture_send (&self, 1000000);
  fixture_finish (&self, 20 * SECOND);
  g_assert_cmpuint (fixture_get_size (&self), ==, MIN (maximum, before));

  fixture_send (&self, 4000000);
  simulated_network_run (self.network,
                         simulated_network_get_now (self.network) + 200 * MS);
  g_assert_cmpuint (self.n_waiting, ==, 1);
  self.link.loss = loss;
  fixture_set_mtu (&self, after);
  took = fixture_finish (&self, 60 * SECOND);
  g_test_message ("%zu to %zu: %zu, %" G_GINT64_FORMAT " ms", before, after,
                  fixture_get_size (&self), took / 1000);
  g_assert_cmpuint (fixture_get_size (&self), <=, after);
  g_assert_cmpuint (fixture_get_size (&self) + after / 40, >=, after);
  g_assert_cmpuint (self.n_received, ==, 2);
  transport_peer_assert_idle (self.sender);
  fixture_disconnect (&self);
}

static void
test_network_fall (void)
{
  fall (1024, 1472, 1472, 1372, 0);
  fall (1024, 1472, 1472, 1272, 0);
  fall (1024, 1472, 1372, 1272, 0.01);
  fall (1472, 1472, 1472, 1372, 0);
  fall (1024, 8972, 8972, 1472, 0);
  fall (1024, 1024, 1024, 900, 0);
}

/* Datagrams that are too large from the beginning */
static void
test_network_base_too_large (void)
{
  Fixture self = { .link = { .delay = 25 * MS, .mtu = 1372 } };
  gint64 took;

  fixture_connect (&self, 1, 1472, 1472);
  fixture_send (&self, 1000000);
  took = fixture_finish (&self, 60 * SECOND);
  g_test_message ("%" G_GINT64_FORMAT " ms", took / 1000);
  g_assert_cmpuint (fixture_get_size (&self), ==, 1372);
  fixture_disconnect (&self);
}

/* Outages and losses are none of the size's business. */
static void
test_network_outage (void)
{
  guint64 seed;

  for (seed = 1; seed <= 20; seed++)
    {
      Fixture self = { .link = { .delay = 25 * MS, .mtu = 1472 } };
      gint64 now;

      fixture_connect (&self, seed, 1024, 1472);
      fixture_send (&self, 200000);
      fixture_finish (&self, 20 * SECOND);
      now = simulated_network_get_now (self.network);
      for (guint i = 1; i < 8; i++)
        simulated_network_add_outage (self.network, now + i * SECOND,
                                      now + i * SECOND + i * 70 * MS);
      self.link.loss = 0.02 * (seed % 4);
      self.link.rate = 1000000;
      self.link.queue = 50000;
      fixture_set_mtu (&self, 1472);
      fixture_send (&self, 6000000);
      while (self.n_waiting > 0
             && simulated_network_step (self.network, now + 300 * SECOND))
        g_assert_cmpuint (fixture_get_size (&self), ==, 1472);
      fixture_finish (&self, SECOND);
      fixture_disconnect (&self);
    }
}

static void
test_network_path_change (void)
{
  Fixture self = { .link = { .delay = 10 * MS, .mtu = 1472 } };
  gint64 now;

  fixture_connect (&self, 1, 1024, 1472);
  self.link.rate = 2000000;
  self.link.queue = 200000;
  fixture_set_mtu (&self, 1472);
  fixture_send (&self, 4000000);
  simulated_network_run (self.network,
                         simulated_network_get_now (self.network) + 100 * MS);
  g_assert_cmpuint (fixture_get_size (&self), ==, 1472);

  fixture_set_mtu (&self, 1100);
  now = simulated_network_get_now (self.network);
  hp_transport_set_path (self.sender->transport, 2, 1024, now);
  g_assert_cmpuint (fixture_get_size (&self), ==, 1024);
  transport_peer_pump (self.sender);
  fixture_finish (&self, 20 * SECOND);
  /* Not proven: nothing was tried */
  g_assert_cmpuint (fixture_get_size (&self), ==, 1024);
  fixture_disconnect (&self);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/transport/path-mtu/maximum", test_maximum);
  g_test_add_func ("/transport/path-mtu/search", test_search);
  g_test_add_func ("/transport/path-mtu/common-sizes", test_common_sizes);
  g_test_add_func ("/transport/path-mtu/off", test_off);
  g_test_add_func ("/transport/path-mtu/needs-reason", test_needs_reason);
  g_test_add_func ("/transport/path-mtu/lost-probes", test_lost_probes);
  g_test_add_func ("/transport/path-mtu/raise", test_raise);
  g_test_add_func ("/transport/path-mtu/limit-changes", test_limit_changes);
  g_test_add_func ("/transport/path-mtu/black-hole", test_black_hole);
  g_test_add_func ("/transport/path-mtu/no-black-hole", test_no_black_hole);
  g_test_add_func ("/transport/path-mtu/network/good", test_network_good);
  g_test_add_func ("/transport/path-mtu/network/no-pause",
                   test_network_no_pause);
  g_test_add_func ("/transport/path-mtu/network/off", test_network_off);
  g_test_add_func ("/transport/path-mtu/network/narrow", test_network_narrow);
  g_test_add_func ("/transport/path-mtu/network/loss", test_network_loss);
  g_test_add_func ("/transport/path-mtu/network/fall", test_network_fall);
  g_test_add_func ("/transport/path-mtu/network/base-too-large",
                   test_network_base_too_large);
  g_test_add_func ("/transport/path-mtu/network/outage", test_network_outage);
  g_test_add_func ("/transport/path-mtu/network/path-change",
                   test_network_path_change);
  return g_test_run ();
}
