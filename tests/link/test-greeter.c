/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/link/hp-greeter.h"

#include <string.h>

#define MS G_TIME_SPAN_MILLISECOND

static void
fill (gpointer user_data, guint8 *bytes, gsize length)
{
  guint8 *next = user_data;

  while (length-- > 0)
    *bytes++ = (*next)++;
}

typedef struct
{
  guint8 next;
  HpRandom random;
  HpRoute route;
  HpGreeter greeter;
  guint8 buffer[1500];
  HpOutgoing outgoing;
} Fixture;

static void
set_up (Fixture *self, const guint8 *remote_public)
{
  memset (self, 0, sizeof *self);
  self->next = 1;
  self->random = (HpRandom){ fill, &self->next };
  self->outgoing.bytes = self->buffer;
  self->outgoing.capacity = sizeof self->buffer;
  self->route.socket = 2;
  g_assert_true (hp_address_parse (&self->route.remote, "192.0.2.1:4222"));
  hp_greeter_init (&self->greeter, &self->route, remote_public,
                   &self->random, 0);
}

static gboolean
answer (Fixture *self, const HpCookiePacket *packet, const HpRoute *route,
        gint64 now, gint64 *round_trip)
{
  guint8 bytes[HP_HELLO_MIN_SIZE];
  HpDatagram datagram = { .route = *route, .bytes = bytes };
  HpCookiePacket cookie;
  HpWriter writer;

  hp_writer_init (&writer, bytes, sizeof bytes);
  hp_packet_write_cookie (packet, &writer);
  g_assert_true (hp_writer_ok (&writer));
  datagram.length = writer.offset;
  return hp_greeter_receive (&self->greeter, &datagram, now, &cookie,
                             round_trip);
}

/* 250 ms, doubling to 4 s */
static void
test_schedule (void)
{
  static const int times[] = { 0, 250, 750, 1750, 3750, 7750, 11750 };
  Fixture self;
  guint i;

  set_up (&self, NULL);
  for (i = 0; i < G_N_ELEMENTS (times); i++)
    {
      HpHello hello;

      g_assert_cmpint (self.greeter.next_at, ==, times[i] * MS);
      g_assert_false (hp_greeter_pull (&self.greeter, &self.outgoing,
                                       times[i] * MS - 1));
      g_assert_true (hp_greeter_pull (&self.greeter, &self.outgoing,
                                      times[i] * MS));
      g_assert_cmpuint (self.outgoing.length, ==, HP_HELLO_MIN_SIZE);
      g_assert_true (hp_route_equal (&self.outgoing.route, &self.route));
      g_assert_true (hp_packet_parse_hello (&hello, self.buffer,
                                            self.outgoing.length));
      g_assert_cmpmem (hello.transaction, HP_TRANSACTION_SIZE,
                       self.greeter.transaction, HP_TRANSACTION_SIZE);
    }
  self.outgoing.capacity = HP_HELLO_MIN_SIZE - 1;
  g_assert_false (hp_greeter_pull (&self.greeter, &self.outgoing,
                                   G_MAXINT64 - 1));
}

static void
test_answer (void)
{
  Fixture self;
  HpCookiePacket packet = { .version = HP_PROTOCOL_VERSION };
  HpRoute other;
  gint64 round_trip = 0;

  set_up (&self, NULL);
  memcpy (packet.transaction, self.greeter.transaction, HP_TRANSACTION_SIZE);
  packet.observed = self.route.remote;

  /* Before anything was sent nothing can be an answer */
  g_assert_false (answer (&self, &packet, &self.route, 1, &round_trip));
  g_assert_true (hp_greeter_pull (&self.greeter, &self.outgoing, 10 * MS));

  other = self.route;
  other.remote.port++;
  g_assert_false (answer (&self, &packet, &other, 30 * MS, &round_trip));
  other = self.route;
  other.socket++;
  g_assert_false (answer (&self, &packet, &other, 30 * MS, &round_trip));
  packet.version++;
  g_assert_false (answer (&self, &packet, &self.route, 30 * MS, &round_trip));
  packet.version--;
  packet.transaction[3] ^= 1;
  g_assert_false (answer (&self, &packet, &self.route, 30 * MS, &round_trip));
  packet.transaction[3] ^= 1;

  g_assert_true (answer (&self, &packet, &self.route, 30 * MS, &round_trip));
  g_assert_cmpint (round_trip, ==, 20 * MS);
  g_assert_cmpint (self.greeter.next_at, ==, G_MAXINT64);
  g_assert_false (answer (&self, &packet, &self.route, 31 * MS, &round_trip));
  g_assert_false (hp_greeter_pull (&self.greeter, &self.outgoing,
                                   1000 * MS));

  /* A new exchange has a transaction of its own */
  hp_greeter_start (&self.greeter, &self.random, 2000 * MS);
  g_assert_true (hp_greeter_pull (&self.greeter, &self.outgoing, 2000 * MS));
  g_assert_false (
      answer (&self, &packet, &self.route, 2010 * MS, &round_trip));
}

static void
test_proof (void)
{
  guint8 key[HP_KEY_SIZE] = { 1, 2, 3 };
  guint8 other[HP_KEY_SIZE] = { 1, 2, 4 };
  Fixture self;
  HpHello hello;

  set_up (&self, key);
  g_assert_true (hp_greeter_pull (&self.greeter, &self.outgoing, 0));
  g_assert_true (hp_packet_parse_hello (&hello, self.buffer,
                                        self.outgoing.length));
  g_assert_true (hp_hello_check_proof (key, &hello, self.buffer));
  g_assert_false (hp_hello_check_proof (other, &hello, self.buffer));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/greeter/schedule", test_schedule);
  g_test_add_func ("/greeter/answer", test_answer);
  g_test_add_func ("/greeter/proof", test_proof);
  return g_test_run ();
}
