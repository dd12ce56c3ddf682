/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The controller from the inside: its states and what it believes, on paths
 * that are known exactly.
 */

#include "congestion-cubic.h"
#include "flow-lab.h"
#include "hole-punch/transport/hp-congestion-bbr.h"

#define MS FLOW_LAB_MS
#define SECOND G_TIME_SPAN_SECOND
#define RATE 12500000
#define PRODUCT (RATE / 20)

typedef struct
{
  FlowLab *lab;
  Flow *flow;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  FlowLink link = { .rate = RATE, .queue = PRODUCT, .delay = 25 * MS };

  self->lab = flow_lab_new (3, &link);
  self->flow = flow_lab_add (self->lab, &hp_congestion_bbr);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  flow_lab_free (self->lab);
}

static HpCongestion *
get (Fixture *self)
{
  return self->flow->path.congestion;
}

/* Goes on until the state; how long that took */
static gint64
run_until (Fixture *self, HpBbrState state, gint64 most)
{
  gint64 start = flow_lab_get_now (self->lab);

  while (get (self)->state != state)
    {
      flow_lab_run (self->lab, MS);
      g_assert_cmpint (flow_lab_get_now (self->lab) - start, <=, most);
    }
  return flow_lab_get_now (self->lab) - start;
}

static void
assert_near (double value, double expected, double share)
{
  g_assert_cmpfloat (value, >, expected * (1 - share));
  g_assert_cmpfloat (value, <, expected * (1 + share));
}

static void
test_startup (Fixture *self, gconstpointer data)
{
  g_assert_cmpint (get (self)->state, ==, HP_BBR_STARTUP);
  g_assert_cmpuint (get (self)->pacing_rate, ==, 0);
  run_until (self, HP_BBR_DRAIN, SECOND);
  assert_near (get (self)->max_bandwidth, RATE, 0.02);
  assert_near (get (self)->min_round_trip, 50 * MS, 0.01);
  assert_near (get (self)->pacing_rate, 0.5 * 0.99 * RATE, 0.05);
  run_until (self, HP_BBR_CRUISE, SECOND / 2);
  /* The queue is empty again. */
  g_assert_cmpuint (self->flow->path.in_flight, <=, 1.02 * PRODUCT);
  assert_near (get (self)->pacing_rate, 0.99 * RATE, 0.02);
}

static void
test_cycle (Fixture *self, gconstpointer data)
{
  run_until (self, HP_BBR_CRUISE, 2 * SECOND);
  for (guint i = 0; i < 5; i++)
    {
      gint64 waited = run_until (self, HP_BBR_REFILL, 4 * SECOND);

      /* Two to three seconds from the last DOWN, or 63 round trips */
      g_assert_cmpint (waited, >, 3 * SECOND / 2);
      g_assert_cmpint (waited, <, 3200 * MS);
      run_until (self, HP_BBR_UP, 60 * MS);
      assert_near (get (self)->pacing_rate, 1.25 * 0.99 * RATE, 0.02);
      g_assert_cmpint (run_until (self, HP_BBR_DOWN, SECOND), >, 100 * MS);
      assert_near (get (self)->pacing_rate, 0.9 * 0.99 * RATE, 0.02);
      run_until (self, HP_BBR_CRUISE, SECOND);
      assert_near (get (self)->max_bandwidth, RATE, 0.02);
    }
}

/* What it thinks too much of the path by does not become a queue. */
static void
test_cruise_queue (Fixture *self, gconstpointer data)
{
  HpCongestion *bbr;

  run_until (self, HP_BBR_UP, 6 * SECOND);
  run_until (self, HP_BBR_CRUISE, SECOND);
  bbr = get (self);
  bbr->bandwidths[bbr->cycle_count % HP_BBR_MAX_BANDWIDTH_CYCLES]
      = bbr->max_bandwidth = 1.08 * RATE;
  flow_lab_measure (self->lab, 3 * SECOND / 2);
  g_assert_cmpint (flow_lab_get_longest (self->lab), <, 20 * MS);
  g_assert_cmpint (bbr->state, !=, HP_BBR_UP);
  assert_near (bbr->bandwidth, RATE, 0.02);
  /* Until the next probe */
  run_until (self, HP_BBR_UP, 2 * SECOND);
  g_assert_cmpuint (bbr->bandwidth_short, ==, G_MAXUINT64);
}

/* Alone it sees the empty queue often enough not to stop for it. */
static void
test_no_probe_rtt (Fixture *self, gconstpointer data)
{
  for (guint i = 0; i < 2000; i++)
    {
      flow_lab_run (self->lab, 10 * MS);
      g_assert_cmpint (get (self)->state, !=, HP_BBR_PROBE_RTT);
    }
}

/* Beside one that fills the queue it has to, for 200 ms and a round trip. */
static void
test_probe_rtt (Fixture *self, gconstpointer data)
{
  flow_lab_get_link (self->lab)->queue = 6 * PRODUCT;
  flow_lab_add (self->lab, &congestion_cubic);
  for (guint i = 0; i < 2; i++)
    {
      gint64 took;

      run_until (self, HP_BBR_PROBE_RTT, 20 * SECOND);
      flow_lab_run (self->lab, 100 * MS);
      g_assert_cmpuint (
          get (self)->window, <=,
          MAX (hp_bbr_get_bdp (get (self), get (self)->bandwidth, 0.5),
               hp_bbr_get_min_window (get (self))));
      took = run_until (self, HP_BBR_CRUISE, 2 * SECOND);
      g_assert_cmpint (took, >, 100 * MS);
    }
}

/* The path is longer from now on. */
static void
test_longer_path (Fixture *self, gconstpointer data)
{
  flow_lab_run (self->lab, 3 * SECOND);
  flow_lab_get_link (self->lab)->delay = 50 * MS;
  flow_lab_run (self->lab, 20 * SECOND);
  assert_near (get (self)->min_round_trip, 100 * MS, 0.02);
  g_assert_cmpfloat (flow_lab_measure (self->lab, 2 * SECOND), >,
                     0.95 * RATE);
}

static void
test_base_loss (Fixture *self, gconstpointer data)
{
  flow_lab_get_link (self->lab)->loss = 0.04;
  flow_lab_run (self->lab, 6 * SECOND);
  assert_near (hp_base_loss_get (&get (self)->base_loss), 0.035, 0.25);
  g_assert_cmpfloat (get (self)->bandwidth, >, 0.9 * RATE);
  /* Never more than the most, and then it does reduce. */
  flow_lab_get_link (self->lab)->loss = 0.3;
  flow_lab_run (self->lab, 6 * SECOND);
  g_assert_cmpfloat (hp_base_loss_get (&get (self)->base_loss), <=,
                     HP_BASE_LOSS_MAX);
  g_assert_cmpfloat (get (self)->bandwidth, <, 0.5 * RATE);
}

/* What a full queue drops is not the path's own loss. */
static void
test_base_loss_congestion (Fixture *self, gconstpointer data)
{
  flow_lab_get_link (self->lab)->queue = PRODUCT / 10;
  for (guint i = 0; i < 3; i++)
    flow_lab_add (self->lab, &hp_congestion_bbr);
  for (guint i = 0; i < 40; i++)
    {
      flow_lab_run (self->lab, SECOND / 2);
      g_assert_cmpfloat (hp_base_loss_get (&get (self)->base_loss), <, 0.01);
    }
}

static void
tell (Fixture *self, guint64 number, gboolean spurious)
{
  HpSentInfo info = { .number = number, .size = 1400,
                      .in_flight = PRODUCT, .lost = 1400 };
  HpCongestionContext context = {
    .round_trip = -1,
    .datagram_size = 1400,
    .bytes_in_flight = PRODUCT,
    .now = flow_lab_get_now (self->lab),
  };

  if (spurious)
    hp_congestion_bbr.on_spurious (get (self), &info, &context);
  else
    hp_congestion_bbr.on_lost (get (self), &info, &context);
}

/* All that was lost came after all: the bounds are as before. */
static void
test_undo (Fixture *self, gconstpointer data)
{
  gsize bound;

  run_until (self, HP_BBR_CRUISE, 2 * SECOND);
  bound = get (self)->inflight_long;
  tell (self, 1 << 20, FALSE);
  tell (self, (1 << 20) + 1, FALSE);
  get (self)->inflight_long = PRODUCT / 2;
  get (self)->inflight_short = PRODUCT / 2;
  get (self)->bandwidth_short = RATE / 2;
  /* One from before says nothing of them. */
  tell (self, 1, TRUE);
  tell (self, 1 << 20, TRUE);
  g_assert_cmpuint (get (self)->inflight_long, ==, PRODUCT / 2);
  tell (self, (1 << 20) + 1, TRUE);
  g_assert_cmpuint (get (self)->inflight_long, ==, bound);
  g_assert_cmpuint (get (self)->inflight_short, ==, HP_BBR_UNBOUNDED);
  g_assert_cmpuint (get (self)->bandwidth, ==, get (self)->max_bandwidth);
}

static void
test_marks (Fixture *self, gconstpointer data)
{
  HpCongestionContext context = {
    .round_trip = 50 * MS,
    .datagram_size = 1400,
    .bytes_in_flight = PRODUCT,
  };

  run_until (self, HP_BBR_UP, 6 * SECOND);
  context.now = flow_lab_get_now (self->lab);
  hp_congestion_bbr.on_congestion_experienced (get (self), 1, 0, &context);
  g_assert_cmpint (get (self)->state, ==, HP_BBR_DOWN);
  g_assert_cmpuint (get (self)->inflight_long, <=, 1.1 * PRODUCT);
  run_until (self, HP_BBR_CRUISE, 10 * SECOND);
  flow_lab_run (self->lab, 200 * MS);
  hp_congestion_bbr.on_congestion_experienced (get (self), 1, 0, &context);
  flow_lab_run (self->lab, 100 * MS);
  g_assert_cmpuint (get (self)->bandwidth_short, <, G_MAXUINT64);
}

static void
test_persistent (Fixture *self, gconstpointer data)
{
  HpCongestionContext context = { .datagram_size = 1400 };

  flow_lab_run (self->lab, 2 * SECOND);
  hp_congestion_bbr.on_persistent (get (self), &context);
  g_assert_cmpuint (hp_congestion_bbr.get_window (get (self)), ==, 4 * 1400);
  /* It grows back by what arrives. */
  flow_lab_run (self->lab, SECOND);
  g_assert_cmpuint (hp_congestion_bbr.get_window (get (self)), >, PRODUCT);
}

/* After a pause it goes on at the rate that it knew, not in a burst. */
static void
test_restart (Fixture *self, gconstpointer data)
{
  flow_lab_run (self->lab, 2 * SECOND);
  flow_lab_set_source (self->flow, 1);
  flow_lab_run (self->lab, SECOND);
  g_assert_cmpuint (self->flow->path.in_flight, ==, 0);
  flow_lab_run (self->lab, SECOND);
  flow_lab_set_source (self->flow, 0);
  flow_lab_measure (self->lab, 70 * MS);
  g_assert_cmpint (flow_lab_get_longest (self->lab), <, 5 * MS);
  flow_lab_measure (self->lab, 300 * MS);
  g_assert_cmpfloat (flow_lab_get_share (self->flow), >, 0.9 * RATE);
}

/* Another path: nothing of the old one is believed. */
static void
test_new_path (Fixture *self, gconstpointer data)
{
  flow_lab_run (self->lab, 2 * SECOND);
  g_assert_true (hp_path_control_set (&self->flow->path, 1,
                                      FLOW_LAB_DATAGRAM,
                                      flow_lab_get_now (self->lab)));
  hp_loss_set_path (&self->flow->loss, self->flow->path.epoch);
  g_assert_cmpint (get (self)->state, ==, HP_BBR_STARTUP);
  g_assert_cmpuint (get (self)->max_bandwidth, ==, 0);
  flow_lab_get_link (self->lab)->rate = RATE / 10;
  flow_lab_get_link (self->lab)->queue = PRODUCT / 10;
  flow_lab_run (self->lab, 3 * SECOND);
  g_assert_cmpfloat (flow_lab_measure (self->lab, 3 * SECOND), >,
                     0.09 * RATE);
  assert_near (get (self)->max_bandwidth, RATE / 10, 0.05);
}

#define ADD(name, function)                                                   \
  g_test_add ("/transport/bbr/" name, Fixture, NULL, set_up, function,        \
              tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("startup", test_startup);
  ADD ("cycle", test_cycle);
  ADD ("cruise-queue", test_cruise_queue);
  ADD ("no-probe-rtt", test_no_probe_rtt);
  ADD ("probe-rtt", test_probe_rtt);
  ADD ("longer-path", test_longer_path);
  ADD ("base-loss", test_base_loss);
  ADD ("base-loss-congestion", test_base_loss_congestion);
  ADD ("undo", test_undo);
  ADD ("marks", test_marks);
  ADD ("persistent", test_persistent);
  ADD ("restart", test_restart);
  ADD ("new-path", test_new_path);
  return g_test_run ();
}
