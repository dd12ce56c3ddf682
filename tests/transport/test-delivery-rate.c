/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-delivery-rate.h"

#define MS G_TIME_SPAN_MILLISECOND

typedef struct
{
  HpDeliveryRate rate;
  HpSentPacket packets[64];
  guint64 next;
  gsize in_flight;
  HpRateSample sample;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  hp_delivery_rate_init (&self->rate, 0);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
}

static void
sent (Fixture *self, gint64 now)
{
  HpSentPacket *packet = &self->packets[self->next];

  *packet = (HpSentPacket){
    .number = self->next++, .size = 1000, .sent_at = now
  };
  hp_delivery_rate_sent (&self->rate, packet, self->in_flight);
  self->in_flight += 1000;
}

static void
acked (Fixture *self, guint64 number, gint64 now)
{
  hp_delivery_rate_acked (&self->rate, &self->packets[number], now);
  self->in_flight -= 1000;
}

static gboolean
end (Fixture *self)
{
  return hp_delivery_rate_end (&self->rate, 50 * MS, &self->sample);
}

static void
test_steady (Fixture *self, gconstpointer data)
{
  /* 1000 bytes a millisecond, 50 ms away */
  for (guint i = 0; i < 60; i++)
    {
      sent (self, i * MS);
      if (i < 50)
        continue;
      acked (self, i - 50, i * MS);
      g_assert_true (end (self));
    }
  g_assert_cmpuint (self->sample.prior_delivered, ==, 0);
  /* 10 packets came within the 50 ms that the tenth was on its way and the
   * 9 ms before it since the first one */
  g_assert_cmpuint (self->sample.rate, ==, 10000 * 1000 / 59);
  g_assert_cmpuint (self->sample.in_flight, ==, 10000);
  g_assert_cmpuint (self->sample.newly_acked, ==, 1000);
  g_assert_false (end (self));
}

/* ACKs that come in a bunch do not make it faster than it was sent. */
static void
test_bunch (Fixture *self, gconstpointer data)
{
  for (guint i = 0; i < 40; i++)
    sent (self, i * 2 * MS);
  acked (self, 0, 90 * MS);
  g_assert_true (end (self));
  for (guint i = 1; i < 40; i++)
    acked (self, i, 140 * MS);
  g_assert_true (end (self));
  g_assert_cmpuint (self->sample.n_acked, ==, 39);
  /* 78 ms of sending; but 140 of delivering */
  g_assert_cmpuint (self->sample.rate, ==, 40000 * 1000 / 140);
}

/* Less than a round trip is no time to measure a rate in. */
static void
test_short (Fixture *self, gconstpointer data)
{
  sent (self, 0);
  acked (self, 0, 20 * MS);
  g_assert_true (end (self));
  g_assert_cmpuint (self->sample.rate, ==, 0);
}

/* A pause is not the path's. */
static void
test_idle (Fixture *self, gconstpointer data)
{
  sent (self, 0);
  acked (self, 0, 50 * MS);
  g_assert_true (end (self));
  sent (self, 10000 * MS);
  sent (self, 10000 * MS);
  acked (self, 1, 10050 * MS);
  acked (self, 2, 10050 * MS);
  g_assert_true (end (self));
  g_assert_cmpuint (self->sample.rate, ==, 2000 * 1000 / 50);
}

static void
test_app_limited (Fixture *self, gconstpointer data)
{
  sent (self, 0);
  hp_delivery_rate_app_limited (&self->rate, self->in_flight);
  sent (self, MS);
  acked (self, 0, 50 * MS);
  g_assert_true (end (self));
  g_assert_false (self->sample.app_limited);
  sent (self, 50 * MS);
  acked (self, 1, 51 * MS);
  g_assert_true (end (self));
  g_assert_true (self->sample.app_limited);
  /* More has been delivered than was in flight then. */
  sent (self, 51 * MS);
  acked (self, 2, 100 * MS);
  acked (self, 3, 101 * MS);
  g_assert_true (end (self));
  g_assert_false (self->sample.app_limited);
}

static void
test_lost (Fixture *self, gconstpointer data)
{
  for (guint i = 0; i < 10; i++)
    sent (self, i * MS);
  hp_delivery_rate_lost (&self->rate, &self->packets[0]);
  hp_delivery_rate_lost (&self->rate, &self->packets[1]);
  acked (self, 9, 60 * MS);
  g_assert_true (end (self));
  g_assert_cmpuint (self->sample.lost, ==, 2000);
  g_assert_cmpuint (self->sample.n_lost, ==, 2);
  g_assert_cmpuint (
      hp_delivery_rate_lost_since (&self->rate, &self->packets[5]), ==, 2000);
  hp_delivery_rate_spurious (&self->rate, &self->packets[1]);
  g_assert_cmpuint (
      hp_delivery_rate_lost_since (&self->rate, &self->packets[5]), ==, 1000);
  sent (self, 60 * MS);
  acked (self, 10, 120 * MS);
  g_assert_true (end (self));
  g_assert_cmpuint (self->sample.delivered, ==, 3000);
  g_assert_cmpuint (self->sample.newly_acked, ==, 2000);
  g_assert_cmpuint (self->sample.lost, ==, 0);
}

static void
test_size (void)
{
  /* A window of a hundred thousand of them is walked through. */
  g_assert_cmpuint (sizeof (HpSentPacket), <=, 64);
}

#define ADD(name, function)                                                   \
  g_test_add ("/transport/delivery-rate/" name, Fixture, NULL, set_up,        \
              function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("steady", test_steady);
  ADD ("bunch", test_bunch);
  ADD ("short", test_short);
  ADD ("idle", test_idle);
  ADD ("app-limited", test_app_limited);
  ADD ("lost", test_lost);
  g_test_add_func ("/transport/delivery-rate/size", test_size);
  return g_test_run ();
}
