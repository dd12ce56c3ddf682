/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Marked packets: which are, on paths of all sorts, and what is made of what
 * the other side counted.
 */

#include "hole-punch/transport/hp-path-ecn.h"
#include "transport-peer.h"

#define MS G_TIME_SPAN_MILLISECOND
#define RATE 2500000 /* bytes per second: 20 Mbit/s */
#define DELAY (20 * MS)
#define BDP (RATE * 2 * DELAY / G_TIME_SPAN_SECOND)

/* The state machine by itself */

typedef struct
{
  HpPathEcn ecn;
  guint64 number;  /* of the next packet */
  guint32 epoch;
  HpMarks counted; /* as the other side would say */
} Fixture;

static gboolean
send_one (Fixture *self)
{
  gboolean is_wanted = hp_path_ecn_is_wanted (&self->ecn, TRUE, self->epoch,
                                              self->number);

  if (is_wanted)
    hp_path_ecn_sent (&self->ecn);
  self->number++;
  return is_wanted;
}

static guint
send_many (Fixture *self, guint n)
{
  guint marked = 0;

  for (guint i = 0; i < n; i++)
    marked += send_one (self);
  return marked;
}

static HpSentPacket
describe (const Fixture *self, gboolean is_marked)
{
  return (HpSentPacket){ .number = self->number,
                         .path_epoch = self->epoch,
                         .is_marked = is_marked };
}

static void
arrive (Fixture *self, gboolean is_marked, guint n)
{
  HpSentPacket packet = describe (self, is_marked);

  for (guint i = 0; i < n; i++)
    hp_path_ecn_acked (&self->ecn, &packet);
}

static void
lose (Fixture *self, guint n)
{
  HpSentPacket packet = describe (self, TRUE);

  for (guint i = 0; i < n; i++)
    hp_path_ecn_lost (&self->ecn, &packet);
}

static guint64
take (Fixture *self)
{
  HpAckFrame ack = { .largest = self->number, .has_marks = TRUE,
                     .marks = self->counted };

  return hp_path_ecn_take (&self->ecn, &ack);
}

static void
assert_state (Fixture *self, HpPathEcnState state)
{
  g_assert_cmpint (self->ecn.state, ==, state);
}

/* Ten marked ones, and one of them arrived */
static void
make_capable (Fixture *self)
{
  g_assert_cmpuint (send_many (self, HP_PATH_ECN_TESTS), ==,
                    HP_PATH_ECN_TESTS);
  arrive (self, TRUE, 1);
  self->counted.ect_0 += 1;
  g_assert_cmpuint (take (self), ==, 0);
  assert_state (self, HP_PATH_ECN_CAPABLE);
}

static void
test_testing (Fixture *self, gconstpointer data)
{
  g_assert_cmpuint (send_many (self, 30), ==, HP_PATH_ECN_TESTS);
  assert_state (self, HP_PATH_ECN_TESTING);
  arrive (self, TRUE, 3);
  self->counted = (HpMarks){ .ect_0 = 2, .ce = 1 };
  g_assert_cmpuint (take (self), ==, 1);
  assert_state (self, HP_PATH_ECN_CAPABLE);
  g_assert_cmpuint (send_many (self, 30), ==, 30);
}

static void
test_not_counted (Fixture *self, gconstpointer data)
{
  HpAckFrame ack = { .largest = 9 };

  send_many (self, 10);
  arrive (self, TRUE, 1);
  g_assert_cmpuint (hp_path_ecn_take (&self->ecn, &ack), ==, 0);
  assert_state (self, HP_PATH_ECN_FAILED);
  g_assert_false (send_one (self));
}

/* Two arrived, one was counted: the other's mark was taken away. */
static void
test_too_few (Fixture *self, gconstpointer data)
{
  make_capable (self);
  arrive (self, TRUE, 2);
  self->counted.ect_0++;
  self->number++;
  g_assert_cmpuint (take (self), ==, 0);
  assert_state (self, HP_PATH_ECN_FAILED);
}

static void
test_shrinking (Fixture *self, gconstpointer data)
{
  make_capable (self);
  self->counted.ect_0--;
  self->counted.ce++;
  self->number++;
  g_assert_cmpuint (take (self), ==, 0);
  assert_state (self, HP_PATH_ECN_FAILED);
}

static void
test_other_mark (Fixture *self, gconstpointer data)
{
  make_capable (self);
  arrive (self, TRUE, 1);
  self->counted.ect_0++;
  self->counted.ect_1++;
  self->number++;
  g_assert_cmpuint (take (self), ==, 0);
  assert_state (self, HP_PATH_ECN_FAILED);
}

static void
test_lies (Fixture *self, gconstpointer data)
{
  static const HpMarks lies[] = {
    { .ce = HP_PATH_ECN_TESTS + 1 },
    { .ect_0 = 1, .ce = HP_PATH_ECN_TESTS },
    { .ce = HP_VARINT_MAX },
    { .ect_0 = HP_VARINT_MAX, .ce = HP_VARINT_MAX },
    { .ect_0 = HP_VARINT_MAX, .ect_1 = HP_VARINT_MAX, .ce = HP_VARINT_MAX },
  };

  for (guint i = 0; i < G_N_ELEMENTS (lies); i++)
    {
      *self = (Fixture){ 0 };
      make_capable (self);
      arrive (self, TRUE, 1);
      self->counted = lies[i];
      self->number++;
      g_assert_cmpuint (take (self), ==, 0);
      assert_state (self, HP_PATH_ECN_FAILED);
    }
}

/* It was sent before the last one, and says less. */
static void
test_overtaken (Fixture *self, gconstpointer data)
{
  HpAckFrame old = { .largest = 2 };

  make_capable (self);
  arrive (self, TRUE, 1);
  g_assert_cmpuint (hp_path_ecn_take (&self->ecn, &old), ==, 0);
  assert_state (self, HP_PATH_ECN_CAPABLE);
  /* Nor does what it acknowledged count for the next one. */
  self->number++;
  g_assert_cmpuint (take (self), ==, 0);
  assert_state (self, HP_PATH_ECN_CAPABLE);
}

static void
test_marked_lost (Fixture *self, gconstpointer data)
{
  send_many (self, 30);
  lose (self, HP_PATH_ECN_MAX_LOST);
  arrive (self, FALSE, HP_PATH_ECN_MAX_UNMARKED - 1);
  assert_state (self, HP_PATH_ECN_TESTING);
  /* One arrives: they were lost for another reason. */
  arrive (self, TRUE, 1);
  arrive (self, FALSE, 100);
  lose (self, HP_PATH_ECN_MAX_LOST - 1);
  arrive (self, FALSE, 100);
  assert_state (self, HP_PATH_ECN_TESTING);
  lose (self, 1);
  arrive (self, FALSE, HP_PATH_ECN_MAX_UNMARKED - 1);
  assert_state (self, HP_PATH_ECN_TESTING);
  arrive (self, FALSE, 1);
  assert_state (self, HP_PATH_ECN_FAILED);
}

/* What was sent on the old path says nothing about the new one. */
static void
test_new_path (Fixture *self, gconstpointer data)
{
  HpSentPacket old = { .is_marked = TRUE };
  HpSentPacket plain = { 0 };

  make_capable (self);
  self->epoch++;
  g_assert_cmpuint (send_many (self, 30), ==, HP_PATH_ECN_TESTS);
  assert_state (self, HP_PATH_ECN_TESTING);
  for (guint i = 0; i < 9; i++)
    {
      hp_path_ecn_acked (&self->ecn, &old);
      hp_path_ecn_lost (&self->ecn, &old);
      hp_path_ecn_acked (&self->ecn, &plain);
    }
  /* Those that came late were marked on their way. */
  self->counted.ce = 9;
  g_assert_cmpuint (take (self), ==, 0);
  assert_state (self, HP_PATH_ECN_TESTING);
  arrive (self, TRUE, 1);
  self->number++;
  self->counted.ect_0++;
  g_assert_cmpuint (take (self), ==, 0);
  assert_state (self, HP_PATH_ECN_CAPABLE);
}

static void
test_failure_is_of_a_path (Fixture *self, gconstpointer data)
{
  make_capable (self);
  arrive (self, TRUE, 1);
  self->number++;
  (void) take (self);
  assert_state (self, HP_PATH_ECN_FAILED);
  self->epoch++;
  make_capable (self);
}

static void
doubt (Fixture *self)
{
  g_assert_false (hp_path_ecn_is_wanted (&self->ecn, FALSE, self->epoch,
                                         self->number));
}

/* While it was not proven nothing was marked on it. */
static void
test_doubted_path (Fixture *self, gconstpointer data)
{
  make_capable (self);
  arrive (self, TRUE, 1);
  self->number++;
  (void) take (self);
  assert_state (self, HP_PATH_ECN_FAILED);
  doubt (self);
  assert_state (self, HP_PATH_ECN_FAILED);
  g_assert_true (hp_path_ecn_is_wanted (&self->ecn, TRUE, self->epoch,
                                        self->number));
  assert_state (self, HP_PATH_ECN_TESTING);
  make_capable (self);
  doubt (self);
}

/* What died with a NAT's mapping says nothing of the marks, nor does what came
 * through while it was not proven. */
static void
test_lost_before (Fixture *self, gconstpointer data)
{
  HpSentPacket marked, plain;

  make_capable (self);
  marked = describe (self, TRUE);
  g_assert_true (send_one (self));
  doubt (self);
  plain = describe (self, FALSE);
  self->number++;
  g_assert_true (send_one (self));
  for (guint i = 0; i < HP_PATH_ECN_MAX_LOST; i++)
    hp_path_ecn_lost (&self->ecn, &marked);
  for (guint i = 0; i < HP_PATH_ECN_MAX_UNMARKED; i++)
    hp_path_ecn_acked (&self->ecn, &plain);
  assert_state (self, HP_PATH_ECN_TESTING);
}

/* Two transports and a network */

typedef struct
{
  SimulatedNetwork *network;
  TransportPeer *peers[2];
  guint n_delivered;
  gint64 round_trips; /* of all frames that came, together */
  guint n_frames;
} World;

static void
on_event (TransportPeer *peer, const HpTransportEvent *event)
{
  World *self = peer->user_data;

  self->n_delivered += event->type == HP_TRANSPORT_EVENT_DELIVERED;
}

static void
on_frame (TransportPeer *peer, HpFrame *frame)
{
  World *self = peer->user_data;

  if (peer != self->peers[0])
    return;
  self->round_trips += peer->transport->path.round_trip.latest;
  self->n_frames++;
}

static void
world_init (World *self, const HpCongestionClass *congestion,
            const SimulatedLink *link)
{
  HpTransportConfig config
      = { .max_message_size = 1 << 20, .congestion = congestion };
  HpAddress addresses[2]
      = { simulated_address (1, 1000), simulated_address (2, 2000) };

  *self = (World){ .network = simulated_network_new (7) };
  simulated_network_set_default_link (self->network, link);
  for (guint i = 0; i < 2; i++)
    {
      self->peers[i]
          = transport_peer_new (self->network, &addresses[i], &config);
      self->peers[i]->on_event = on_event;
      self->peers[i]->on_frame = on_frame;
      self->peers[i]->user_data = self;
      hp_transport_allow_marks (self->peers[i]->transport, TRUE);
    }
  transport_peer_introduce (self->peers[0], self->peers[1]);
}

static void
world_clear (World *self)
{
  for (guint i = 0; i < 2; i++)
    transport_peer_free (self->peers[i]);
  simulated_network_free (self->network);
}

/* @mebibytes from the first to the second, all of them */
static void
transfer (World *self, guint mebibytes)
{
  g_autoptr (GBytes) bytes
      = g_bytes_new_take (g_malloc0 (1 << 20), 1 << 20);
  gint64 limit
      = simulated_network_get_now (self->network) + G_TIME_SPAN_MINUTE;
  guint wanted = self->n_delivered + mebibytes;

  for (guint i = 0; i < mebibytes; i++)
    transport_peer_send (self->peers[0], HP_STREAM_UNORDERED, bytes, 0);
  transport_peer_pump (self->peers[0]);
  while (self->n_delivered < wanted
         && simulated_network_step (self->network, limit))
    ;
  g_assert_cmpuint (self->n_delivered, ==, wanted);
}

static HpTransportStatistics
get_statistics (World *self)
{
  HpTransportStatistics statistics;

  hp_transport_get_statistics (self->peers[0]->transport, &statistics);
  return statistics;
}

static HpPathEcnState
get_state (World *self)
{
  return self->peers[0]->transport->ecn.state;
}

static SimulatedLink
make_link (void)
{
  return (SimulatedLink){ .rate = RATE, .queue = BDP, .delay = DELAY };
}

/* A queue that marks loses nothing, and stays short. */
static void
test_marking_queue (gconstpointer congestion)
{
  SimulatedLink link = make_link ();
  HpTransportStatistics statistics;
  gint64 without;
  World world;

  link.queue = 4 * BDP;
  world_init (&world, congestion, &link);
  transfer (&world, 8);
  without = world.round_trips / world.n_frames;
  world_clear (&world);

  link.ecn = BDP / 2;
  world_init (&world, congestion, &link);
  transfer (&world, 8);
  statistics = get_statistics (&world);
  g_assert_cmpint (get_state (&world), ==, HP_PATH_ECN_CAPABLE);
  g_assert_cmpuint (statistics.packets_marked, >, 0);
  g_assert_cmpuint (statistics.packets_marked, ==,
                    simulated_network_get_counters (world.network)->n_marked);
  g_assert_cmpuint (statistics.packets_lost, ==, 0);
  g_assert_cmpint (world.round_trips / world.n_frames, <, without);
  world_clear (&world);
}

static void
test_bleaching (void)
{
  SimulatedLink link = make_link ();
  World world;

  link.bleaches = TRUE;
  link.ecn = BDP / 4;
  world_init (&world, NULL, &link);
  transfer (&world, 2);
  g_assert_cmpint (get_state (&world), ==, HP_PATH_ECN_FAILED);
  g_assert_cmpuint (get_statistics (&world).packets_marked, ==, 0);
  world_clear (&world);
}

/* The first packets are lost, all of them, and then no more. */
static void
test_marked_dropped (void)
{
  SimulatedLink link = make_link ();
  HpTransportStatistics statistics;
  World world;

  link.queue = 10 * BDP;
  link.drops_marked = TRUE;
  world_init (&world, NULL, &link);
  transfer (&world, 2);
  statistics = get_statistics (&world);
  g_assert_cmpint (get_state (&world), ==, HP_PATH_ECN_FAILED);
  g_assert_cmpuint (statistics.packets_lost, <=, HP_PATH_ECN_TESTS);
  world_clear (&world);
}

/* So does a path that carried them before; the other way round, too. */
static void
test_marked_dropped_later (void)
{
  SimulatedLink link = make_link ();
  gint64 since;
  World world;

  world_init (&world, NULL, &link);
  transfer (&world, 1);
  g_assert_cmpint (get_state (&world), ==, HP_PATH_ECN_CAPABLE);
  link.drops_marked = TRUE;
  simulated_network_set_default_link (world.network, &link);
  since = simulated_network_get_now (world.network);
  transfer (&world, 1);
  g_assert_cmpint (get_state (&world), ==, HP_PATH_ECN_FAILED);
  g_assert_cmpint (simulated_network_get_now (world.network) - since, <,
                   4 * G_TIME_SPAN_SECOND);
  world_clear (&world);
}

/* Another path, another try */
static void
test_change_of_path (void)
{
  SimulatedLink link = make_link ();
  World world;

  link.bleaches = TRUE;
  world_init (&world, NULL, &link);
  transfer (&world, 1);
  g_assert_cmpint (get_state (&world), ==, HP_PATH_ECN_FAILED);

  link.bleaches = FALSE;
  simulated_network_set_default_link (world.network, &link);
  transport_peer_set_path (world.peers[0], 5, HP_DATAGRAM_SIZE_DEFAULT);
  transfer (&world, 1);
  /* It is not proven yet. */
  g_assert_cmpuint (world.peers[0]->transport->ecn.n_sent, ==,
                    HP_PATH_ECN_TESTS);
  hp_transport_allow_marks (world.peers[0]->transport, TRUE);
  transfer (&world, 1);
  g_assert_cmpint (get_state (&world), ==, HP_PATH_ECN_CAPABLE);
  g_assert_cmpuint (world.peers[0]->transport->ecn.n_sent, >, 100);
  world_clear (&world);
}

static void
lie (TransportPeer *peer, HpFrame *frame)
{
  World *self = peer->user_data;

  if (frame->type != HP_FRAME_ACK || peer != self->peers[0])
    return;
  frame->ack.has_marks = TRUE;
  frame->ack.marks.ce = frame->ack.largest * 1000;
}

/* Who says that all was marked, and more, gains no more than by losses. */
static void
test_lying_peer (gconstpointer congestion)
{
  SimulatedLink link = make_link ();
  gint64 begun;
  gint64 honest;
  World world;

  link.ecn = BDP / 4;
  world_init (&world, congestion, &link);
  begun = simulated_network_get_now (world.network);
  transfer (&world, 4);
  honest = simulated_network_get_now (world.network) - begun;
  world_clear (&world);

  world_init (&world, congestion, &link);
  world.peers[0]->on_frame = lie;
  begun = simulated_network_get_now (world.network);
  transfer (&world, 4);
  g_assert_cmpint (get_state (&world), ==, HP_PATH_ECN_FAILED);
  g_assert_cmpuint (get_statistics (&world).packets_marked, ==, 0);
  g_assert_cmpint (simulated_network_get_now (world.network) - begun, >,
                   honest / 2);
  world_clear (&world);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*test) (Fixture *self, gconstpointer data);
  } tests[] = {
    { "/path-ecn/testing", test_testing },
    { "/path-ecn/not-counted", test_not_counted },
    { "/path-ecn/too-few", test_too_few },
    { "/path-ecn/shrinking", test_shrinking },
    { "/path-ecn/other-mark", test_other_mark },
    { "/path-ecn/lies", test_lies },
    { "/path-ecn/overtaken", test_overtaken },
    { "/path-ecn/marked-lost", test_marked_lost },
    { "/path-ecn/new-path", test_new_path },
    { "/path-ecn/failure-is-of-a-path", test_failure_is_of_a_path },
    { "/path-ecn/doubted-path", test_doubted_path },
    { "/path-ecn/lost-before", test_lost_before },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, NULL, tests[i].test, NULL);
  g_test_add_data_func ("/path-ecn/marking-queue/bbr", &hp_congestion_bbr,
                        test_marking_queue);
  g_test_add_data_func ("/path-ecn/marking-queue/new-reno",
                        &hp_congestion_new_reno, test_marking_queue);
  g_test_add_func ("/path-ecn/bleaching", test_bleaching);
  g_test_add_func ("/path-ecn/marked-dropped", test_marked_dropped);
  g_test_add_func ("/path-ecn/marked-dropped-later",
                   test_marked_dropped_later);
  g_test_add_func ("/path-ecn/change-of-path", test_change_of_path);
  g_test_add_data_func ("/path-ecn/lying-peer/bbr", &hp_congestion_bbr,
                        test_lying_peer);
  g_test_add_data_func ("/path-ecn/lying-peer/new-reno",
                        &hp_congestion_new_reno, test_lying_peer);
  return g_test_run ();
}
