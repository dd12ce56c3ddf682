/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the default controller makes of paths, alone and among others: rates,
 * waiting, shares. All by an invented clock, each with several seeds.
 */

#include "congestion-cubic.h"
#include "flow-lab.h"

#define MS FLOW_LAB_MS
#define SECOND G_TIME_SPAN_SECOND
#define MBIT G_GUINT64_CONSTANT (125000)

/* @queue: in bandwidth-delay products */
static FlowLink
make_link (guint64 mbit, gint64 round_trip, double loss, double queue)
{
  guint64 rate = mbit * MBIT;

  return (FlowLink){
    .rate = rate,
    .queue = queue * rate * round_trip / SECOND,
    .delay = round_trip / 2,
    .loss = loss,
  };
}

static double
get_jain (Flow **flows, guint n)
{
  double sum = 0;
  double squares = 0;

  for (guint i = 0; i < n; i++)
    {
      double share = flow_lab_get_share (flows[i]);

      sum += share;
      squares += share * share;
    }
  return sum * sum / (n * squares);
}

/* What is asked of a rate at a loss: share of what could arrive at all */
static void
check_goodput (guint64 mbit, double loss, double queue, double share,
               guint n_seeds)
{
  for (guint64 seed = 1; seed <= n_seeds; seed++)
    {
      FlowLink link = make_link (mbit, 50 * MS, loss, queue);
      g_autoptr (FlowLab) lab = flow_lab_new (seed, &link);
      double rate;

      flow_lab_add (lab, &hp_congestion_bbr);
      flow_lab_run (lab, 2 * SECOND);
      rate = flow_lab_measure (lab, 5 * SECOND) / MBIT;
      g_test_message ("%" G_GUINT64_FORMAT " Mbit/s, loss %g: %.1f, waiting "
                      "%.1f ms",
                      mbit, loss, rate, flow_lab_get_waiting (lab) / MS);
      g_assert_cmpfloat (rate, >, share * mbit * (1 - loss));
      g_assert_cmpfloat (flow_lab_get_waiting (lab), <, 15 * MS);
    }
}

static void
test_goodput (void)
{
  check_goodput (100, 0, 1, 0.98, 8);
  check_goodput (100, 0.01, 1, 0.92, 8);
  check_goodput (100, 0.05, 1, 0.80, 8);
  check_goodput (10, 0.01, 1, 0.90, 8);
  check_goodput (10, 0.05, 1, 0.80, 8);
}

static void
test_goodput_fast (void)
{
  check_goodput (1000, 0, 1, 0.98, 1);
  check_goodput (1000, 0.01, 1, 0.90, 2);
  check_goodput (1000, 0.05, 1, 0.50, 3);
}

static void
test_goodput_shallow (void)
{
  check_goodput (100, 0, 0.1, 0.85, 4);
  check_goodput (100, 0.05, 0.1, 0.80, 4);
  check_goodput (100, 0, 0.02, 0.90, 4);
}

/* However much room the queue has, no more than a bandwidth-delay product
 * waits in it, and mostly much less. */
static void
check_bufferbloat (guint64 seed, guint64 mbit, double queue)
{
  FlowLink link = make_link (mbit, 50 * MS, 0, queue);
  g_autoptr (FlowLab) lab = flow_lab_new (seed, &link);

  flow_lab_add (lab, &hp_congestion_bbr);
  flow_lab_measure (lab, 2 * SECOND);
  g_assert_cmpint (flow_lab_get_longest (lab), <, 50 * MS);
  g_assert_cmpfloat (flow_lab_get_dropped (lab), <, 0.001);
  flow_lab_measure (lab, 10 * SECOND);
  g_test_message ("%" G_GUINT64_FORMAT " Mbit/s: %.1f ms at most, %.1f in the "
                  "mean",
                  mbit, flow_lab_get_longest (lab) / (double) MS,
                  flow_lab_get_waiting (lab) / MS);
  g_assert_cmpint (flow_lab_get_longest (lab), <, 36 * MS);
  g_assert_cmpfloat (flow_lab_get_waiting (lab), <, 5 * MS);
  g_assert_cmpfloat (flow_lab_get_dropped (lab), ==, 0);
}

static void
test_bufferbloat (void)
{
  for (guint64 seed = 1; seed <= 4; seed++)
    {
      check_bufferbloat (seed, 100, 1);
      check_bufferbloat (seed, 100, 10);
    }
  check_bufferbloat (1, 1000, 10);
}

/* Shares over twenty seconds: nearly equal in the mean, and none starves. */
static void
check_fairness (guint n, double queue, double loss)
{
  double mean = 0;

  for (guint64 seed = 1; seed <= 4; seed++)
    {
      FlowLink link = make_link (100, 50 * MS, loss, queue);
      g_autoptr (FlowLab) lab = flow_lab_new (seed, &link);
      Flow *flows[4];
      double rate;
      double jain;

      for (guint i = 0; i < n; i++)
        flows[i] = flow_lab_add (lab, &hp_congestion_bbr);
      flow_lab_run (lab, 15 * SECOND);
      rate = flow_lab_measure (lab, 20 * SECOND) / MBIT;
      jain = get_jain (flows, n);
      g_test_message ("%u flows, queue %g, loss %g: %.1f Mbit/s, Jain %.3f, "
                      "dropped %.4f",
                      n, queue, loss, rate, jain,
                      flow_lab_get_dropped (lab));
      g_assert_cmpfloat (jain, >, 0.75);
      g_assert_cmpfloat (rate, >, 90 * (1 - loss));
      g_assert_cmpfloat (flow_lab_get_dropped (lab), <, 0.03);
      mean += jain / 4;
    }
  g_assert_cmpfloat (mean, >, 0.9);
}

static void
test_fairness (void)
{
  for (guint n = 2; n <= 4; n += 2)
    {
      check_fairness (n, 0.1, 0);
      check_fairness (n, 0.3, 0);
      check_fairness (n, 1, 0);
      check_fairness (n, 4, 0);
      check_fairness (n, 1, 0.02);
    }
}

/* One that comes late gets its share from one that had all, and gives it back
 * when it goes. */
static void
test_late_comer (void)
{
  double mean = 0;

  for (guint64 seed = 1; seed <= 8; seed++)
    {
      FlowLink link = make_link (100, 50 * MS, 0, seed % 2 ? 1 : 0.3);
      g_autoptr (FlowLab) lab = flow_lab_new (seed, &link);
      Flow *flows[2];

      flows[0] = flow_lab_add (lab, &hp_congestion_bbr);
      flow_lab_run (lab, 10 * SECOND);
      flows[1] = flow_lab_add (lab, &hp_congestion_bbr);
      flow_lab_run (lab, 20 * SECOND);
      flow_lab_measure (lab, 15 * SECOND);
      g_test_message ("%.1f and %.1f Mbit/s",
                      flow_lab_get_share (flows[0]) / MBIT,
                      flow_lab_get_share (flows[1]) / MBIT);
      g_assert_cmpfloat (flow_lab_get_share (flows[1]), >, 20 * MBIT);
      mean += get_jain (flows, 2) / 8;
      flow_lab_stop (flows[1]);
      flow_lab_run (lab, 8 * SECOND);
      flow_lab_measure (lab, 5 * SECOND);
      g_assert_cmpfloat (flow_lab_get_share (flows[0]), >, 90 * MBIT);
    }
  g_assert_cmpfloat (mean, >, 0.9);
}

/* A loss-based flow lives beside one. Its least share is that beside the plain
 * draft, which yields more only in deep queues. */
static void
check_beside (const HpCongestionClass *class, double queue, double least,
              double most)
{
  double share = 0;

  for (guint64 seed = 1; seed <= 3; seed++)
    {
      FlowLink link = make_link (100, 50 * MS, 0, queue);
      g_autoptr (FlowLab) lab = flow_lab_new (seed, &link);
      Flow *other = flow_lab_add (lab, class);

      flow_lab_add (lab, &hp_congestion_bbr);
      flow_lab_run (lab, 10 * SECOND);
      flow_lab_measure (lab, 40 * SECOND);
      share += flow_lab_get_share (other) / MBIT / 3;
    }
  g_test_message ("%s, queue %g: has %.1f of 100 Mbit/s", class->name, queue,
                  share);
  g_assert_cmpfloat (share, >, least);
  g_assert_cmpfloat (share, <, most);
}

static void
test_cubic (void)
{
  check_beside (&congestion_cubic, 0.3, 4, 60);
  check_beside (&congestion_cubic, 1, 10, 60);
  check_beside (&congestion_cubic, 2, 25, 70);
  check_beside (&congestion_cubic, 8, 25, 85);
}

/* Bandwidth that goes away, and comes */
static void
test_rate_steps (void)
{
  for (guint64 seed = 1; seed <= 6; seed++)
    {
      double loss = seed % 2 ? 0 : 0.03;
      FlowLink link = make_link (100, 50 * MS, loss, 1);
      g_autoptr (FlowLab) lab = flow_lab_new (seed, &link);
      Flow *flow = flow_lab_add (lab, &hp_congestion_bbr);

      flow_lab_run (lab, 5 * SECOND);
      flow_lab_get_link (lab)->rate = 20 * MBIT;
      flow_lab_get_link (lab)->queue = 125000;
      /* It does not press against what is not there any more. */
      flow_lab_run (lab, SECOND);
      flow_lab_measure (lab, 3 * SECOND);
      g_assert_cmpfloat (flow_lab_get_dropped (lab), <, 0.2);
      flow_lab_run (lab, 3 * SECOND);
      g_assert_cmpfloat (flow_lab_measure (lab, 4 * SECOND), >, 17 * MBIT);
      g_assert_cmpfloat (flow_lab_get_waiting (lab), <, 30 * MS);
      g_assert_cmpfloat (flow_lab_get_dropped (lab), <, 0.03);
      flow_lab_get_link (lab)->rate = 100 * MBIT;
      flow_lab_get_link (lab)->queue = 625000;
      flow_lab_run (lab, 8 * SECOND);
      g_assert_cmpfloat (flow_lab_measure (lab, 4 * SECOND), >, 85 * MBIT);
      g_assert_cmpuint (flow->n_spurious, ==, 0);
    }
}

static void
test_jitter (void)
{
  static const gint64 jitters[] = { 500, 5 * MS, 20 * MS };

  for (guint64 seed = 1; seed <= 2; seed++)
    for (guint i = 0; i < G_N_ELEMENTS (jitters); i++)
      {
        FlowLink link = make_link (100, 50 * MS, seed == 1 ? 0 : 0.02, 1);
        g_autoptr (FlowLab) lab = NULL;
        Flow *flow;

        link.jitter = jitters[i];
        lab = flow_lab_new (seed, &link);
        flow = flow_lab_add (lab, &hp_congestion_bbr);
        flow_lab_run (lab, 2 * SECOND);
        g_assert_cmpfloat (flow_lab_measure (lab, 5 * SECOND), >,
                           80 * MBIT);
        g_test_message ("jitter %" G_GINT64_FORMAT ": %" G_GUINT64_FORMAT
                        " of %" G_GUINT64_FORMAT " taken for lost",
                        link.jitter, flow->n_spurious, flow->n_sent);
        g_assert_cmpuint (flow->n_spurious * 200, <, flow->n_sent);
      }
}

/* Nothing arrives for a while; it goes on as before. */
static void
test_outage (void)
{
  for (guint64 seed = 1; seed <= 4; seed++)
    {
      FlowLink link = make_link (100, 50 * MS, 0, 1);
      g_autoptr (FlowLab) lab = flow_lab_new (seed, &link);

      flow_lab_add (lab, &hp_congestion_bbr);
      flow_lab_run (lab, 5 * SECOND);
      flow_lab_get_link (lab)->loss = 1;
      flow_lab_run (lab, seed * SECOND / 4);
      flow_lab_get_link (lab)->loss = 0;
      flow_lab_run (lab, 3 * SECOND);
      g_assert_cmpfloat (flow_lab_measure (lab, 3 * SECOND), >, 90 * MBIT);
    }
}

/* Losses come in bursts, as by a radio link's fading. */
static void
test_loss_bursts (void)
{
  FlowLink link = make_link (100, 50 * MS, 0, 1);
  g_autoptr (FlowLab) lab = flow_lab_new (1, &link);
  double sum = 0;

  flow_lab_add (lab, &hp_congestion_bbr);
  flow_lab_run (lab, 2 * SECOND);
  for (guint i = 0; i < 20; i++)
    {
      flow_lab_get_link (lab)->loss = 0.5;
      sum += flow_lab_measure (lab, 10 * MS) * 10 / 500;
      flow_lab_get_link (lab)->loss = 0;
      sum += flow_lab_measure (lab, 490 * MS) * 490 / 500;
    }
  g_test_message ("%.1f Mbit/s", sum / 20 / MBIT);
  g_assert_cmpfloat (sum / 20, >, 75 * MBIT);
}

/* An application that has little to send does not make the estimate small, nor
 * the window useless when it has more. */
static void
test_app_limited (void)
{
  FlowLink link = make_link (100, 50 * MS, 0, 1);
  g_autoptr (FlowLab) lab = flow_lab_new (1, &link);
  Flow *flow = flow_lab_add (lab, &hp_congestion_bbr);
  double rate;

  flow_lab_run (lab, 3 * SECOND);
  flow_lab_set_source (flow, 2 * MBIT);
  rate = flow_lab_measure (lab, 4 * SECOND);
  g_assert_cmpfloat (rate, >, 1.9 * MBIT);
  g_assert_cmpfloat (rate, <, 4.5 * MBIT); /* what was in flight, too */
  rate = flow_lab_measure (lab, 10 * SECOND);
  g_assert_cmpfloat (rate, >, 1.9 * MBIT);
  flow_lab_set_source (flow, 0);
  flow_lab_run (lab, 200 * MS);
  rate = flow_lab_measure (lab, SECOND);
  g_test_message ("%.1f Mbit/s after a pause", rate / MBIT);
  g_assert_cmpfloat (rate, >, 80 * MBIT);
}

/* Marks instead of drops: the queue stays at where they begin. */
static void
test_marks (void)
{
  static const HpCongestionClass *classes[]
      = { &hp_congestion_bbr, &hp_congestion_new_reno };

  for (guint i = 0; i < G_N_ELEMENTS (classes); i++)
    {
      FlowLink link = make_link (100, 50 * MS, 0, 0.8);
      g_autoptr (FlowLab) lab = NULL;
      Flow *flow;

      link.marks = TRUE;
      lab = flow_lab_new (1, &link);
      flow = flow_lab_add (lab, classes[i]);
      flow_lab_run (lab, 5 * SECOND);
      flow->n_lost = 0;
      g_assert_cmpfloat (flow_lab_measure (lab, 10 * SECOND), >, 85 * MBIT);
      g_assert_cmpfloat (flow_lab_get_dropped (lab), ==, 0);
      g_assert_cmpint (flow_lab_get_longest (lab), <, 38 * MS);
      g_assert_cmpuint (flow->n_lost, ==, 0);
    }
}

/* A path without length: the window still keeps two hosts busy. */
static void
test_no_length (void)
{
  FlowLink link = make_link (4000, 60, 0, 1);
  g_autoptr (FlowLab) lab = NULL;
  Flow *flow;

  link.queue = 400 * 1024;
  lab = flow_lab_new (1, &link);
  flow = flow_lab_add (lab, &hp_congestion_bbr);
  flow_lab_run (lab, SECOND / 2);
  g_assert_cmpfloat (flow_lab_measure (lab, SECOND / 2), >, 3600 * MBIT);
  g_assert_cmpuint (flow->path.window, >=, 256 * 1024);
  g_assert_cmpint (flow_lab_get_longest (lab), <, MS);
}

/* Few ACKs at speed, all of them at a slow pace */
static void
test_ack_rate (void)
{
  static const struct
  {
    guint64 mbit;
    guint64 at_least; /* packets for an ACK */
    guint64 at_most;
  } paces[] = { { 1, 1, 3 }, { 100, 8, 16 }, { 1000, 12, 16 } };

  for (guint i = 0; i < G_N_ELEMENTS (paces); i++)
    {
      FlowLink link = make_link (paces[i].mbit, 50 * MS, 0, 2);
      g_autoptr (FlowLab) lab = flow_lab_new (1, &link);
      Flow *flow = flow_lab_add (lab, &hp_congestion_bbr);

      flow_lab_run (lab, 3 * SECOND);
      g_assert_cmpuint (flow->n_sent / flow->n_acks, >=, paces[i].at_least);
      g_assert_cmpuint (flow->n_sent / flow->n_acks, <=, paces[i].at_most);
    }
}

/* The same seed, the same run */
static void
test_repeatable (void)
{
  double rates[2];

  for (guint i = 0; i < 2; i++)
    {
      FlowLink link = make_link (50, 30 * MS, 0.02, 1);
      g_autoptr (FlowLab) lab = flow_lab_new (7, &link);

      flow_lab_add (lab, &hp_congestion_bbr);
      flow_lab_add (lab, &congestion_cubic);
      rates[i] = flow_lab_measure (lab, 3 * SECOND);
    }
  g_assert_cmpfloat (rates[0], ==, rates[1]);
}

#define ADD(name, function)                                                   \
  g_test_add_func ("/transport/congestion/" name, function)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("goodput", test_goodput);
  ADD ("goodput-fast", test_goodput_fast);
  ADD ("goodput-shallow", test_goodput_shallow);
  ADD ("bufferbloat", test_bufferbloat);
  ADD ("fairness", test_fairness);
  ADD ("late-comer", test_late_comer);
  ADD ("cubic", test_cubic);
  ADD ("rate-steps", test_rate_steps);
  ADD ("jitter", test_jitter);
  ADD ("outage", test_outage);
  ADD ("loss-bursts", test_loss_bursts);
  ADD ("app-limited", test_app_limited);
  ADD ("marks", test_marks);
  ADD ("no-length", test_no_length);
  ADD ("ack-rate", test_ack_rate);
  ADD ("repeatable", test_repeatable);
  return g_test_run ();
}
