/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-congestion.h"

#define SIZE 1000

typedef struct
{
  const HpCongestionClass *class;
  HpCongestion *congestion;
  HpCongestionContext context;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  self->class = &hp_congestion_new_reno;
  self->congestion = self->class->create (SIZE, 0);
  self->context = (HpCongestionContext){ .datagram_size = SIZE };
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  self->class->free (self->congestion);
}

static gsize
window (Fixture *self)
{
  return self->class->get_window (self->congestion);
}

static void
acked (Fixture *self, gint64 sent_at, gboolean app_limited)
{
  HpSentInfo packet
      = { .size = SIZE, .sent_at = sent_at, .app_limited = app_limited };

  self->class->on_acked (self->congestion, &packet, &self->context);
}

static void
lost (Fixture *self, gint64 sent_at, gint64 now)
{
  HpSentInfo packet = { .size = SIZE, .sent_at = sent_at };

  self->context.now = now;
  self->class->on_lost (self->congestion, &packet, &self->context);
}

static gsize
get_initial_window (gsize datagram_size)
{
  HpCongestion *congestion = hp_congestion_new_reno.create (datagram_size, 0);
  gsize initial = hp_congestion_new_reno.get_window (congestion);

  hp_congestion_new_reno.free (congestion);
  return initial;
}

static void
test_initial (Fixture *self, gconstpointer data)
{
  g_assert_cmpuint (get_initial_window (1024), ==, 10240);
  g_assert_cmpuint (get_initial_window (1500), ==, 14720);
  g_assert_cmpuint (get_initial_window (9000), ==, 18000);
  g_assert_cmpuint (self->class->get_pacing_rate (self->congestion), ==, 0);
}

static void
test_slow_start (Fixture *self, gconstpointer data)
{
  for (guint i = 0; i < 10; i++)
    acked (self, 5, FALSE);
  g_assert_cmpuint (window (self), ==, 20 * SIZE);
  for (guint i = 0; i < 10; i++)
    acked (self, 6, TRUE);
  g_assert_cmpuint (window (self), ==, 20 * SIZE);
}

static void
test_recovery (Fixture *self, gconstpointer data)
{
  lost (self, 10, 100);
  g_assert_cmpuint (window (self), ==, 5 * SIZE);
  /* What was sent before is of the same event; its ACKs widen nothing. */
  lost (self, 20, 110);
  lost (self, 100, 110);
  acked (self, 50, FALSE);
  g_assert_cmpuint (window (self), ==, 5 * SIZE);
  lost (self, 101, 200);
  g_assert_cmpuint (window (self), ==, 5 * SIZE / 2);
}

static void
test_avoidance (Fixture *self, gconstpointer data)
{
  lost (self, 10, 100);
  for (guint i = 0; i < 4; i++)
    acked (self, 150, FALSE);
  g_assert_cmpuint (window (self), ==, 5 * SIZE);
  acked (self, 150, FALSE);
  g_assert_cmpuint (window (self), ==, 6 * SIZE);
  for (guint i = 0; i < 6; i++)
    acked (self, 160, FALSE);
  g_assert_cmpuint (window (self), ==, 7 * SIZE);
}

static void
test_minimum (Fixture *self, gconstpointer data)
{
  for (guint i = 0; i < 10; i++)
    lost (self, 1000 * i, 1000 * i + 500);
  g_assert_cmpuint (window (self), ==, 2 * SIZE);
}

static void
test_persistent (Fixture *self, gconstpointer data)
{
  for (guint i = 0; i < 30; i++)
    acked (self, 5, FALSE);
  lost (self, 10, 100);
  g_assert_cmpuint (window (self), ==, 20 * SIZE);
  self->class->on_persistent (self->congestion, &self->context);
  g_assert_cmpuint (window (self), ==, 2 * SIZE);
  /* Slow start up to where the loss was met */
  for (guint i = 0; i < 18; i++)
    acked (self, 50, FALSE);
  g_assert_cmpuint (window (self), ==, 20 * SIZE);
  acked (self, 50, FALSE);
  g_assert_cmpuint (window (self), ==, 20 * SIZE);
}

#define ADD(name, function)                                                   \
  g_test_add ("/transport/new-reno/" name, Fixture, NULL, set_up, function,   \
              tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("initial", test_initial);
  ADD ("slow-start", test_slow_start);
  ADD ("recovery", test_recovery);
  ADD ("avoidance", test_avoidance);
  ADD ("minimum", test_minimum);
  ADD ("persistent", test_persistent);
  return g_test_run ();
}
