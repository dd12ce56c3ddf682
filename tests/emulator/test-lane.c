/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "histogram.h"
#include "lane.h"

#include <string.h>

#define MS G_GINT64_CONSTANT (1000000)

typedef struct
{
  PacketPool pool;
  Lane *lane;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer text)
{
  g_autofree char *problem = NULL;
  Knobs knobs = { 0 };

  g_assert_true (knobs_parse (&knobs, text, &problem));
  fixture->lane = lane_new (&knobs, &fixture->pool, 7);
}

static void
tear_down (Fixture *fixture, gconstpointer text)
{
  lane_free (fixture->lane);
  packet_pool_clear (&fixture->pool);
}

/* Numbers packets in their last bytes. */
static void
offer (Fixture *fixture, gsize size, guint32 number, gint64 now)
{
  Packet *packet = packet_new (&fixture->pool, size);

  memset (packet->data, 0, size);
  packet->data[0] = 0x45;
  memcpy (packet->data + size - 4, &number, 4);
  lane_offer (fixture->lane, packet, now);
}

static gboolean
take (Fixture *fixture, gint64 now, guint32 *number)
{
  Packet *packet = lane_take (fixture->lane, now);

  *number = 0;
  if (packet == NULL)
    return FALSE;
  memcpy (number, packet->data + packet->size - 4, 4);
  packet_free (&fixture->pool, packet);
  return TRUE;
}

/* Takes @number at exactly @due. */
static void
assert_comes (Fixture *fixture, guint32 number, gint64 due)
{
  guint32 taken;

  g_assert_cmpint (lane_get_deadline (fixture->lane), <=, due);
  g_assert_false (take (fixture, due - 1, &taken));
  g_assert_cmpint (lane_get_deadline (fixture->lane), ==, due);
  g_assert_true (take (fixture, due, &taken));
  g_assert_cmpuint (taken, ==, number);
}

static guint64
get_counter (Fixture *fixture, const char *name)
{
  g_autofree char *wanted = g_strdup_printf ("\"%s\": ", name);
  g_autoptr (GString) json = g_string_new (NULL);
  const char *found;

  lane_write_statistics (fixture->lane, json);
  found = strstr (json->str, wanted);
  g_assert_nonnull (found);
  return g_ascii_strtoull (found + strlen (wanted), NULL, 10);
}

static void
test_delay (Fixture *fixture, gconstpointer text)
{
  g_assert_cmpint (lane_get_deadline (fixture->lane), ==, G_MAXINT64);
  offer (fixture, 100, 1, 5 * MS);
  offer (fixture, 1500, 2, 6 * MS);
  assert_comes (fixture, 1, 30 * MS);
  assert_comes (fixture, 2, 31 * MS);
  g_assert_cmpint (lane_get_deadline (fixture->lane), ==, G_MAXINT64);
}

/* 1250 bytes at 10 Mbit/s are 1 ms; a wire that was idle saves nothing up. */
static void
test_rate (Fixture *fixture, gconstpointer text)
{
  for (guint i = 1; i <= 100; i++)
    offer (fixture, 1250, i, 0);
  for (guint i = 1; i <= 100; i++)
    assert_comes (fixture, i, (10 + i) * MS);
  offer (fixture, 125, 101, 500 * MS);
  offer (fixture, 1250, 102, 500 * MS);
  assert_comes (fixture, 101, 510 * MS + MS / 10);
  assert_comes (fixture, 102, 511 * MS + MS / 10);
}

/* Taking late changes nothing of the times that follow. */
static void
test_late (Fixture *fixture, gconstpointer text)
{
  guint32 number;

  for (guint i = 1; i <= 50; i++)
    offer (fixture, 1250, i, 0);
  for (guint i = 1; i <= 40; i++)
    g_assert_true (take (fixture, 50 * MS, &number));
  g_assert_false (take (fixture, 50 * MS, &number));
  assert_comes (fixture, 41, 51 * MS);
}

/* The second packet is on the wire when this becomes slower, and the first
 * under way when it becomes shorter. */
static void
test_change (Fixture *fixture, gconstpointer text)
{
  guint32 number;

  offer (fixture, 1250, 1, 0);
  offer (fixture, 1250, 2, 0);
  g_assert_false (take (fixture, 3 * MS / 2, &number));
  lane_get_knobs (fixture->lane)->rate = 1000000;
  lane_get_knobs (fixture->lane)->delay = 5 * MS;
  assert_comes (fixture, 1, 11 * MS);
  assert_comes (fixture, 2, 16 * MS);
}

static void
test_queue (Fixture *fixture, gconstpointer text)
{
  guint32 number;

  for (guint i = 1; i <= 15; i++)
    offer (fixture, 1250, i, 0);
  g_assert_cmpuint (get_counter (fixture, "queue-full"), ==, 5);
  /* When one has gone, there is room for one. */
  for (guint i = 16; i <= 18; i++)
    offer (fixture, 1250, i, MS);
  g_assert_cmpuint (get_counter (fixture, "queue-full"), ==, 7);
  g_assert_cmpuint (get_counter (fixture, "queue-bytes-max"), ==, 12500);
  for (guint i = 1; i <= 11; i++)
    {
      g_assert_true (take (fixture, i * MS, &number));
      g_assert_cmpuint (number, ==, i <= 10 ? i : 16);
    }
  g_assert_false (take (fixture, 1000 * MS, &number));
}

/* Offers many with nothing in their way; how many came, and how many of those
 * that did not were preceded by one that did (runs). */
static guint
count_arrivals (Fixture *fixture, guint n, guint *runs)
{
  guint32 number, expected = 0;
  guint arrived = 0;

  *runs = 0;
  for (guint i = 0; i < n; i++)
    {
      offer (fixture, 100, i, i);
      while (take (fixture, i, &number))
        {
          *runs += number > expected;
          expected = number + 1;
          arrived++;
        }
    }
  return arrived;
}

/* The standard deviation is 31. */
static void
test_loss (Fixture *fixture, gconstpointer text)
{
  guint runs, arrived = count_arrivals (fixture, 100000, &runs);

  g_assert_cmpuint (arrived, >, 99000 - 150);
  g_assert_cmpuint (arrived, <, 99000 + 150);
  g_assert_cmpuint (get_counter (fixture, "lost"), ==, 100000 - arrived);
  /* At random, only one in a hundred follows another. */
  g_assert_cmpuint (runs, >, (100000 - arrived) * 97 / 100);
}

static void
test_bursts (Fixture *fixture, gconstpointer text)
{
  guint runs, lost = 1000000 - count_arrivals (fixture, 1000000, &runs);

  g_assert_cmpfloat_with_epsilon (lost / 1e6, 0.02, 0.002);
  g_assert_cmpfloat_with_epsilon ((double) lost / runs, 8, 0.5);
}

static void
test_lost_occupies (Fixture *fixture, gconstpointer text)
{
  guint32 number;

  offer (fixture, 1250, 1, 0);
  g_assert_false (take (fixture, 100, &number));
  lane_get_knobs (fixture->lane)->loss = 1;
  offer (fixture, 1250, 2, 100);
  g_assert_false (take (fixture, MS, &number));
  lane_get_knobs (fixture->lane)->loss = 0;
  offer (fixture, 1250, 3, MS);
  g_assert_cmpuint (get_counter (fixture, "lost"), ==, 1);
  assert_comes (fixture, 2, 2 * MS);
  assert_comes (fixture, 3, 3 * MS);
}

static void
test_reorder (Fixture *fixture, gconstpointer text)
{
  guint overtaken = 0;
  guint32 number, highest = 0;
  gint64 now;

  for (guint i = 1; i <= 10000; i++)
    offer (fixture, 100, i, i * MS);
  for (guint i = 1; i <= 10000; i++)
    {
      now = lane_get_deadline (fixture->lane);
      g_assert_true (take (fixture, now, &number));
      /* 20 ms, and 5 ms more for some; one comes each millisecond. */
      if (number < highest)
        {
          g_assert_cmpint (now, ==, (number + 25) * MS);
          overtaken++;
        }
      else
        g_assert_true (now == (number + 20) * MS || now == (number + 25) * MS);
      highest = MAX (highest, number);
    }
  g_assert_cmpuint (get_counter (fixture, "reordered"), >, 900);
  g_assert_cmpuint (get_counter (fixture, "reordered"), <, 1100);
  g_assert_cmpuint (overtaken, >, 900);
}

static void
test_duplicate (Fixture *fixture, gconstpointer text)
{
  guint32 number, before = 0;
  guint twice = 0, all = 0;

  for (guint i = 1; i <= 10000; i++)
    offer (fixture, 100, i, 0);
  for (; take (fixture, 0, &number); all++)
    {
      g_assert_cmpuint (number, >=, before);
      twice += number == before;
      before = number;
    }
  g_assert_cmpuint (all, ==, 10000 + twice);
  g_assert_cmpuint (twice, >, 4700);
  g_assert_cmpuint (twice, <, 5300);
}

static void
test_jitter (Fixture *fixture, gconstpointer text)
{
  gint64 now, latest = 0, earliest = G_MAXINT64;
  guint32 number;

  for (guint i = 1; i <= 1000; i++)
    offer (fixture, 100, i, i * 10 * MS);
  for (guint i = 1; i <= 1000; i++)
    {
      now = lane_get_deadline (fixture->lane);
      g_assert_true (take (fixture, now, &number));
      g_assert_cmpuint (number, ==, i);
      now -= i * 10 * MS;
      latest = MAX (latest, now);
      earliest = MIN (earliest, now);
    }
  g_assert_cmpint (earliest, >=, 20 * MS);
  g_assert_cmpint (earliest, <, 21 * MS);
  g_assert_cmpint (latest, >, 49 * MS);
  g_assert_cmpint (latest, <, 50 * MS);
}

/* The one's complement sum of a correct IPv4 header */
static guint
sum_header (const guint8 *header)
{
  guint sum = 0;

  for (guint i = 0; i < 20; i += 2)
    sum += header[i] << 8 | header[i + 1];
  return (sum & 0xffff) + (sum >> 16);
}

/* Offers an IPv4 header with @ecn; what its bits are when it comes. */
static guint
pass_ecn (Fixture *fixture, guint ecn, gint64 now)
{
  Packet *packet = packet_new (&fixture->pool, 1250);
  guint sum;

  memset (packet->data, 0, packet->size);
  memcpy (packet->data, "\x45\0\4\xe2\x12\x34\x40\0\x40\x11\0\0"
                        "\x0a\x09\0\1\x0a\x09\0\2", 20);
  packet->data[1] = 0xb8 | ecn;
  sum = ~sum_header (packet->data) & 0xffff;
  packet->data[10] = sum >> 8;
  packet->data[11] = sum & 0xff;
  lane_offer (fixture->lane, packet, now);
  packet = lane_take (fixture->lane, G_MAXINT64 / 2);
  g_assert_nonnull (packet);
  g_assert_cmpuint (sum_header (packet->data), ==, 0xffff);
  g_assert_cmpuint (packet->data[1] >> 2, ==, 0xb8 >> 2);
  ecn = packet->data[1] & 3;
  packet_free (&fixture->pool, packet);
  return ecn;
}

static void
test_ecn (Fixture *fixture, gconstpointer text)
{
  static const guint codes[] = { 0, 1, 2, 3 };

  for (guint i = 0; i < G_N_ELEMENTS (codes); i++)
    g_assert_cmpuint (pass_ecn (fixture, codes[i], i * MS), ==, codes[i]);
  g_assert_cmpuint (get_counter (fixture, "marked"), ==, 0);
  lane_get_knobs (fixture->lane)->ecn_bytes = 2500;
  for (guint i = 0; i < 2; i++)
    offer (fixture, 1250, i, 100 * MS);
  for (guint i = 0; i < 2; i++)
    {
      Packet *packet = packet_new (&fixture->pool, 1250);

      memset (packet->data, 0, packet->size);
      packet->data[0] = 0x45;
      packet->data[1] = i == 0 ? 2 : 0;
      lane_offer (fixture->lane, packet, 100 * MS);
    }
  for (guint i = 0; i < 4; i++)
    {
      Packet *packet = lane_take (fixture->lane, 200 * MS);

      /* Only the third found so much before it and understands. */
      g_assert_cmpuint (packet->data[1], ==, i == 2 ? 3 : 0);
      packet_free (&fixture->pool, packet);
    }
  g_assert_cmpuint (get_counter (fixture, "marked"), ==, 1);
}

static void
test_mark (void)
{
  PacketPool pool = { NULL };
  Packet *packet = packet_new (&pool, 40);

  memset (packet->data, 0, 40);
  packet->data[0] = 0x6f;
  packet->data[1] = 0x10; /* ECT (1), in IPv6 */
  g_assert_true (packet_mark_congestion (packet));
  g_assert_cmpuint (packet->data[0], ==, 0x6f);
  g_assert_cmpuint (packet->data[1], ==, 0x30);
  packet->data[1] = 0x0f;
  g_assert_false (packet_mark_congestion (packet));

  /* The sum of ones' complement has two zeros (RFC 1624). */
  for (guint i = 0; i < 0x10000; i++)
    {
      guint8 *header = packet->data;
      guint sum;

      memset (header, 0, 20);
      header[0] = 0x45;
      header[1] = 1;
      header[4] = i >> 8;
      header[5] = i & 0xff;
      sum = ~sum_header (header) & 0xffff;
      header[10] = sum >> 8;
      header[11] = sum & 0xff;
      g_assert_true (packet_mark_congestion (packet));
      g_assert_cmpuint (sum_header (header), ==, 0xffff);
    }
  packet_free (&pool, packet);
  packet_pool_clear (&pool);
}

static void
test_mtu (Fixture *fixture, gconstpointer text)
{
  offer (fixture, 1300, 1, 0);
  offer (fixture, 1301, 2, 0);
  g_assert_cmpuint (get_counter (fixture, "too-large"), ==, 1);
  assert_comes (fixture, 1, 0);
}

/* The same seed, the same fate. */
static void
test_repeatable (Fixture *fixture, gconstpointer text)
{
  Fixture other = { .lane = NULL };
  guint32 number, number_other;
  gboolean taken;

  set_up (&other, text);
  for (guint i = 0; i < 10000; i++)
    {
      offer (fixture, 100, i, i);
      offer (&other, 100, i, i);
    }
  for (;;)
    {
      gint64 now = lane_get_deadline (fixture->lane);

      g_assert_cmpint (now, ==, lane_get_deadline (other.lane));
      if (now == G_MAXINT64)
        break;
      taken = take (fixture, now, &number);
      g_assert_cmpint (taken, ==, take (&other, now, &number_other));
      if (taken)
        g_assert_cmpuint (number, ==, number_other);
    }
  tear_down (&other, text);
}

static void
test_knobs (void)
{
  static const char *const wrong[] = {
    "delay", "delay=", "delay=5", "delay=-5ms", "delay=5 ms", "rate=1T",
    "loss=101%", "loss=x", "queue=5q", "quue=5", "delay=1ms,rate=1M",
    "loss=nan",
  };
  g_autofree char *problem = NULL;
  Knobs knobs = { .delay = 17 }, before;

  g_assert_true (knobs_parse (&knobs,
                              "rate=2.5M queue=40ms ecn=1ms jitter=3us "
                              "loss=0.5% burst=3 reorder=2 mtu=1400",
                              &problem));
  g_assert_cmpint (knobs.delay, ==, 17);
  g_assert_cmpuint (knobs.rate, ==, 2500000);
  g_assert_cmpuint (knobs.queue_bytes, ==, 12500);
  g_assert_cmpuint (knobs.ecn_bytes, ==, 312);
  g_assert_cmpint (knobs.jitter, ==, 3000);
  g_assert_cmpfloat (knobs.loss, ==, 0.005);
  g_assert_cmpfloat (knobs.burst, ==, 3);
  g_assert_cmpfloat (knobs.reorder, ==, 0.02);
  g_assert_cmpuint (knobs.mtu, ==, 1400);
  g_assert_true (knobs_parse (&knobs, "queue=70p", &problem));
  g_assert_cmpuint (knobs.queue_bytes, ==, 0);
  g_assert_cmpuint (knobs.queue_packets, ==, 70);
  before = knobs;
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autofree char *text = g_strdup_printf ("rate=5M %s", wrong[i]);

      g_assert_false (knobs_parse (&knobs, text, &problem));
      g_assert_nonnull (problem);
      g_clear_pointer (&problem, g_free);
      g_assert_cmpmem (&knobs, sizeof knobs, &before, sizeof before);
    }
}

static void
test_histogram (void)
{
  g_autofree Histogram *histogram = g_new0 (Histogram, 1);

  for (gint64 i = 1; i <= 1000; i++)
    histogram_add (histogram, i * MS);
  g_assert_cmpfloat_with_epsilon (histogram_get (histogram, 0.5), 500 * MS,
                                  17 * MS);
  g_assert_cmpfloat_with_epsilon (histogram_get (histogram, 0.99), 990 * MS,
                                  33 * MS);
  g_assert_cmpint (histogram->max, ==, 1000 * MS);
  memset (histogram, 0, sizeof *histogram);
  histogram_add (histogram, G_MAXINT64);
  histogram_add (histogram, -1);
  histogram_add (histogram, 31);
  g_assert_cmpint (histogram_get (histogram, 0.5), ==, 31);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    const char *knobs;
    void (*test) (Fixture *, gconstpointer);
  } tests[] = {
    { "/lane/delay", "delay=25ms", test_delay },
    { "/lane/rate", "rate=10M delay=10ms", test_rate },
    { "/lane/late", "rate=10M delay=10ms", test_late },
    { "/lane/change", "rate=10M delay=10ms", test_change },
    { "/lane/queue/packets", "rate=10M queue=10p", test_queue },
    { "/lane/queue/bytes", "rate=10M queue=12500", test_queue },
    { "/lane/queue/time", "rate=10M queue=10ms", test_queue },
    { "/lane/loss", "loss=1%", test_loss },
    { "/lane/bursts", "loss=2% burst=8", test_bursts },
    { "/lane/lost-occupies", "rate=10M loss=100%", test_lost_occupies },
    { "/lane/reorder", "delay=20ms reorder=10% reorder-delay=5ms",
      test_reorder },
    { "/lane/duplicate", "duplicate=50%", test_duplicate },
    { "/lane/jitter", "delay=20ms jitter=30ms", test_jitter },
    { "/lane/ecn", "rate=10M", test_ecn },
    { "/lane/mtu", "mtu=1300", test_mtu },
    { "/lane/repeatable",
      "delay=20ms jitter=30ms loss=5% burst=2 duplicate=5% reorder=5% "
      "reorder-delay=1ms rate=1G",
      test_repeatable },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, tests[i].knobs, set_up, tests[i].test,
                tear_down);
  g_test_add_func ("/packet/mark", test_mark);
  g_test_add_func ("/knobs", test_knobs);
  g_test_add_func ("/histogram", test_histogram);
  return g_test_run ();
}
