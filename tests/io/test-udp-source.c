/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/io/hp-clock.h"
#include "hole-punch/io/hp-udp-source.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct
{
  GMainContext *context;
  GSource *source;
  int fds[2][2]; /* two pairs of connected datagram sockets */
  guint calls;
  guint64 readable;
  guint64 writable;
  gint64 called_at;
} Fixture;

static void
on_source (gpointer user_data, guint64 readable, guint64 writable)
{
  Fixture *fixture = user_data;
  char byte;

  fixture->calls++;
  fixture->readable |= readable;
  fixture->writable |= writable;
  fixture->called_at = hp_clock_now ();
  for (guint i = 0; i < 2; i++)
    if (readable & (1u << i))
      g_assert_cmpint (read (fixture->fds[i][0], &byte, 1), ==, 1);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  memset (fixture, 0, sizeof *fixture);
  fixture->context = g_main_context_new ();
  fixture->source = hp_udp_source_new (on_source, fixture);
  for (guint i = 0; i < 2; i++)
    {
      g_assert_cmpint (socketpair (AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0,
                                   fixture->fds[i]), ==, 0);
      hp_udp_source_add (fixture->source, fixture->fds[i][0]);
    }
  g_source_attach (fixture->source, fixture->context);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_source_destroy (fixture->source);
  g_source_unref (fixture->source);
  g_main_context_unref (fixture->context);
  for (guint i = 0; i < 4; i++)
    close (fixture->fds[i / 2][i % 2]);
}

static void
test_readable (Fixture *fixture, gconstpointer data)
{
  g_assert_false (g_main_context_iteration (fixture->context, FALSE));
  g_assert_cmpint (write (fixture->fds[1][1], "x", 1), ==, 1);
  g_assert_true (g_main_context_iteration (fixture->context, FALSE));
  g_assert_cmpuint (fixture->readable, ==, 2);
  g_assert_cmpuint (fixture->writable, ==, 0);
  g_assert_cmpint (write (fixture->fds[0][1], "x", 1), ==, 1);
  g_assert_true (g_main_context_iteration (fixture->context, FALSE));
  g_assert_cmpuint (fixture->readable, ==, 3);
  g_assert_false (g_main_context_iteration (fixture->context, FALSE));
  g_assert_cmpuint (fixture->calls, ==, 2);
}

static void
test_writable (Fixture *fixture, gconstpointer data)
{
  hp_udp_source_want_writable (fixture->source, fixture->fds[1][0], TRUE);
  g_assert_true (g_main_context_iteration (fixture->context, FALSE));
  g_assert_cmpuint (fixture->writable, ==, 2);
  g_assert_cmpuint (fixture->readable, ==, 0);
  hp_udp_source_want_writable (fixture->source, fixture->fds[1][0], FALSE);
  g_assert_false (g_main_context_iteration (fixture->context, FALSE));
}

static void
test_deadline (Fixture *fixture, gconstpointer data)
{
  gint64 deadline = hp_clock_now () + 30000;

  hp_udp_source_set_deadline (fixture->source, deadline);
  g_assert_false (g_main_context_iteration (fixture->context, FALSE));
  while (fixture->calls == 0)
    g_main_context_iteration (fixture->context, TRUE);
  g_assert_cmpint (fixture->called_at, >=, deadline - 100);
  /* Late by the scheduler's mood, but not by orders of magnitude. */
  g_assert_cmpint (fixture->called_at, <, deadline + G_USEC_PER_SEC);
  /* It is over: one deadline, one call. */
  while (hp_clock_now () < deadline + 1000)
    g_usleep (100);
  while (g_main_context_iteration (fixture->context, FALSE))
    ;
  fixture->calls = 0;
  g_assert_false (g_main_context_iteration (fixture->context, FALSE));
  g_assert_cmpuint (fixture->calls, ==, 0);
}

static void
test_deadline_at_once_and_never (Fixture *fixture, gconstpointer data)
{
  hp_udp_source_set_deadline (fixture->source, 0);
  g_assert_true (g_main_context_iteration (fixture->context, FALSE));
  g_assert_cmpuint (fixture->calls, ==, 1);
  hp_udp_source_set_deadline (fixture->source, 0);
  hp_udp_source_set_deadline (fixture->source, G_MAXINT64);
  g_assert_false (g_main_context_iteration (fixture->context, FALSE));
  g_assert_cmpuint (fixture->calls, ==, 1);
}

static void
test_clock (void)
{
  gint64 before = hp_clock_now ();
  gint64 monotonic = g_get_monotonic_time ();

  /* It includes suspends, so it is never behind the other clock. */
  g_assert_cmpint (before, >=, monotonic - G_USEC_PER_SEC);
  g_usleep (2000);
  g_assert_cmpint (hp_clock_now (), >=, before + 2000);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func)                                                       \
  g_test_add ("/udp-source/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("readable", test_readable);
  ADD ("writable", test_writable);
  ADD ("deadline", test_deadline);
  ADD ("at-once-and-never", test_deadline_at_once_and_never);
  g_test_add_func ("/clock", test_clock);
  return g_test_run ();
}
