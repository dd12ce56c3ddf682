/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/base/hp-rate-limiter.h"

#include <string.h>

#define SECOND G_USEC_PER_SEC

static guint
take_all (HpRateLimiter *limiter, const char *key, gint64 now)
{
  guint taken = 0;

  while (taken < 100000
         && hp_rate_limiter_take (limiter, key, strlen (key), now))
    taken++;
  return taken;
}

static void
test_rate (void)
{
  g_autoptr (HpRateLimiter) limiter
      = hp_rate_limiter_new (10, SECOND, 64, 42);
  gint64 now = 5 * SECOND;

  g_assert_cmpuint (take_all (limiter, "a", now), ==, 10);
  g_assert_cmpuint (take_all (limiter, "b", now), ==, 10);
  g_assert_cmpuint (take_all (limiter, "a", now + SECOND / 10), ==, 1);
  g_assert_cmpuint (take_all (limiter, "a", now + SECOND), ==, 9);
  /* No more than the bucket holds, however long the rest was. */
  g_assert_cmpuint (take_all (limiter, "a", now + 1000 * SECOND), ==, 10);
  hp_rate_limiter_set_rate (limiter, 20, SECOND);
  g_assert_cmpuint (take_all (limiter, "c", now), ==, 20);
  hp_rate_limiter_set_rate (limiter, 0, SECOND);
  g_assert_cmpuint (take_all (limiter, "d", now), ==, 0);
}

static void
test_negative_time (void)
{
  g_autoptr (HpRateLimiter) limiter = hp_rate_limiter_new (3, SECOND, 4, 1);

  g_assert_cmpuint (take_all (limiter, "a", -100 * SECOND), ==, 3);
  g_assert_cmpuint (take_all (limiter, "a", 0), ==, 3);
}

static gboolean
take_address (HpRateLimiter *limiter, const char *text)
{
  HpAddress address;

  g_assert_true (hp_address_parse (&address, text));
  return hp_rate_limiter_take_address (limiter, &address, SECOND);
}

static void
test_prefixes (void)
{
  g_autoptr (HpRateLimiter) limiter
      = hp_rate_limiter_new (1, SECOND, 1024, 7);

  g_assert_true (take_address (limiter, "192.0.2.1:1"));
  g_assert_false (take_address (limiter, "192.0.2.200:2"));
  g_assert_true (take_address (limiter, "192.0.3.1:1"));
  g_assert_true (take_address (limiter, "[2001:db8:1::1]:1"));
  g_assert_false (take_address (limiter, "[2001:db8:1:ffff::2]:1"));
  g_assert_true (take_address (limiter, "[2001:db8:2::1]:1"));
}

/* However many sources somebody has: never more than all buckets together. */
static void
test_bound (void)
{
  g_autoptr (HpRateLimiter) limiter
      = hp_rate_limiter_new (10, SECOND, 64, 99);
  guint taken = 0;

  for (guint32 i = 0; i < 100000; i++)
    taken += hp_rate_limiter_take (limiter, &i, sizeof i, SECOND);
  g_assert_cmpuint (taken, <=, 640);
  g_assert_cmpuint (taken, >, 600);
}

/* Another seed puts sources elsewhere. */
static void
test_seed (void)
{
  guint different = 0;

  for (guint32 seed = 0; seed < 64; seed++)
    {
      g_autoptr (HpRateLimiter) limiter
          = hp_rate_limiter_new (1, SECOND, 32, seed);
      guint taken = 0;

      for (guint32 i = 0; i < 20; i++)
        taken += hp_rate_limiter_take (limiter, &i, sizeof i, 0);
      different += taken < 20;
    }
  g_assert_cmpuint (different, >, 0);
  g_assert_cmpuint (different, <, 64);
}

/* However long a source keeps silent, it may go on, though the time of its
 * bucket wraps; only when it comes back just then it is early. */
static void
test_silence (void)
{
  g_autoptr (HpRateLimiter) limiter = hp_rate_limiter_new (10, SECOND, 4, 3);
  gint64 now = 12345;
  guint refused = 0;

  for (guint i = 0; i < 20000; i++)
    {
      guint taken = take_all (limiter, "a", now);

      g_assert_cmpuint (taken, <=, 10);
      if (taken != 10)
        {
          refused++;
          now += SECOND;
          g_assert_cmpuint (take_all (limiter, "a", now), ==, 10);
        }
      now += SECOND + i * SECOND / 7;
    }
  g_assert_cmpuint (refused, <=, 20000 / 200);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rate-limiter/rate", test_rate);
  g_test_add_func ("/rate-limiter/negative-time", test_negative_time);
  g_test_add_func ("/rate-limiter/prefixes", test_prefixes);
  g_test_add_func ("/rate-limiter/bound", test_bound);
  g_test_add_func ("/rate-limiter/seed", test_seed);
  g_test_add_func ("/rate-limiter/silence", test_silence);
  return g_test_run ();
}
