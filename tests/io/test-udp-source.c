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
  GMainContext *nested; /* to be run inside the call; NULL: none */
  guint iterations;     /* of it */
} Fixture;

static gboolean
on_time (gpointer is_over)
{
  *(gboolean *) is_over = TRUE;
  return G_SOURCE_REMOVE;
}

/* As a handler that shows a dialog does */
static void
run_nested (Fixture *fixture)
{
  g_autoptr (GSource) timeout = g_timeout_source_new (30);
  gboolean is_over = FALSE;

  g_source_set_callback (timeout, on_time, &is_over, NULL);
  g_source_attach (timeout, fixture->nested);
  while (!is_over)
    {
      g_main_context_iteration (fixture->nested, TRUE);
      fixture->iterations++;
    }
}

static void
on_source (gpointer user_data, guint64 readable, guint64 writable)
{
  Fixture *fixture = user_data;
  char byte;

  fixture->calls++;
  fixture->readable |= readable;
  fixture->writable |= writable;
  fixture->called_at = hp_clock_now ();
  if (fixture->nested != NULL)
    run_nested (fixture);
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

/* Finer than the milliseconds of poll(), which would be late by 600 µs. That
 * the machine has something else to do makes some late, not each of them. */
static void
test_fine_deadline (Fixture *fixture, gconstpointer data)
{
  gint64 least = G_MAXINT64;

  for (guint i = 1; i <= 50; i++)
    {
      gint64 deadline = hp_clock_now () + 400;

      hp_udp_source_set_deadline (fixture->source, deadline);
      while (fixture->calls < i)
        g_main_context_iteration (fixture->context, TRUE);
      g_assert_cmpint (fixture->called_at, >=, deadline);
      least = MIN (least, fixture->called_at - deadline);
    }
  g_assert_cmpint (least, <, 300);
}

/* A fine one that is put off, or taken back, leaves nothing that wakes us for
 * ever. */
static void
test_deadline_put_off (Fixture *fixture, gconstpointer data)
{
  gint64 start = hp_clock_now ();
  guint iterations;

  hp_udp_source_set_deadline (fixture->source, start + 2000);
  g_assert_false (g_main_context_iteration (fixture->context, FALSE));
  hp_udp_source_set_deadline (fixture->source, start + 30000);
  for (iterations = 0; fixture->called_at < start + 30000; iterations++)
    g_main_context_iteration (fixture->context, TRUE);
  g_assert_cmpuint (iterations, <, 10);

  hp_udp_source_set_deadline (fixture->source, hp_clock_now () + 2000);
  g_assert_false (g_main_context_iteration (fixture->context, FALSE));
  hp_udp_source_set_deadline (fixture->source, G_MAXINT64);
  g_usleep (4000);
  fixture->calls = 0;
  for (guint i = 0; i < 4; i++)
    g_main_context_iteration (fixture->context, FALSE);
  fixture->calls = 0;
  g_assert_false (g_main_context_iteration (fixture->context, FALSE));
  g_assert_cmpuint (fixture->calls, ==, 0);
}

static guint n_polled;

static int
count_polled (GPollFD *fds, guint n, int timeout)
{
  n_polled = n;
  return g_poll (fds, n, timeout);
}

/* What a fine one needs is not polled for ever, and is there again for the next
 * one. */
static void
test_fine_deadline_again (Fixture *fixture, gconstpointer data)
{
  guint n_before;

  g_main_context_set_poll_func (fixture->context, count_polled);
  g_main_context_iteration (fixture->context, FALSE);
  n_before = n_polled;
  for (guint i = 0; i < 3; i++)
    {
      test_fine_deadline (fixture, data);
      g_assert_cmpuint (n_polled, ==, n_before + 1);
      hp_udp_source_set_deadline (fixture->source,
                                  hp_clock_now () + G_TIME_SPAN_HOUR);
      for (guint k = 0; k < 1000; k++)
        g_main_context_iteration (fixture->context, FALSE);
      g_assert_cmpuint (n_polled, ==, n_before);
      fixture->calls = 0;
    }
}

/* A main loop inside the call: nothing is told there, nor is it kept busy. */
static void
test_nested (Fixture *fixture, gconstpointer data)
{
  hp_udp_source_set_deadline (fixture->source, hp_clock_now () + 500);
  while (fixture->calls == 0)
    g_main_context_iteration (fixture->context, TRUE);
  fixture->calls = 0;
  fixture->nested = fixture->context;
  g_assert_cmpint (write (fixture->fds[0][1], "x", 1), ==, 1);
  g_assert_cmpint (write (fixture->fds[0][1], "y", 1), ==, 1);
  hp_udp_source_set_deadline (fixture->source, hp_clock_now () + 1000);
  g_assert_true (g_main_context_iteration (fixture->context, FALSE));
  g_assert_cmpuint (fixture->calls, ==, 1);
  g_assert_cmpuint (fixture->iterations, <, 10);

  fixture->nested = NULL;
  g_assert_true (g_main_context_iteration (fixture->context, FALSE));
  g_assert_cmpuint (fixture->calls, ==, 2);
  while (g_main_context_iteration (fixture->context, FALSE))
    ;
  g_assert_cmpint (write (fixture->fds[0][1], "z", 1), ==, 1);
  fixture->calls = 0;
  g_assert_true (g_main_context_iteration (fixture->context, FALSE));
  g_assert_cmpuint (fixture->calls, ==, 1);
}

static guint polls_with_events;

static int
count_polls (GPollFD *fds, guint n_fds, int timeout)
{
  int n = g_poll (fds, n_fds, timeout);

  polls_with_events += n > 0;
  return n;
}

/* One datagram, or one wish, is one round of the main loop. */
static void
test_wakes_once (Fixture *fixture, gconstpointer data)
{
  g_main_context_set_poll_func (fixture->context, count_polls);
  while (g_main_context_iteration (fixture->context, FALSE))
    ;
  g_assert_true (g_main_context_acquire (fixture->context));
  polls_with_events = 0;
  for (guint i = 0; i < 10; i++)
    {
      g_assert_cmpint (write (fixture->fds[0][1], "x", 1), ==, 1);
      g_assert_true (g_main_context_iteration (fixture->context, FALSE));
      g_assert_false (g_main_context_iteration (fixture->context, FALSE));
      hp_udp_source_set_deadline (fixture->source, 0);
      g_assert_true (g_main_context_iteration (fixture->context, FALSE));
      g_assert_false (g_main_context_iteration (fixture->context, FALSE));
    }
  g_assert_cmpuint (polls_with_events, ==, 10);
  g_main_context_release (fixture->context);
}

/* Nor does a wish cost more while nobody runs the main loop: there is nobody to
 * be woken. */
static void
test_wakes_nobody (Fixture *fixture, gconstpointer data)
{
  g_main_context_set_poll_func (fixture->context, count_polls);
  while (g_main_context_iteration (fixture->context, FALSE))
    ;
  polls_with_events = 0;
  for (guint i = 0; i < 10; i++)
    {
      guint turn = hp_udp_source_get_turn (fixture->source);

      hp_udp_source_set_deadline (fixture->source, 0);
      g_assert_cmpuint (hp_udp_source_get_turn (fixture->source), ==, turn);
      g_assert_true (g_main_context_iteration (fixture->context, FALSE));
      g_assert_cmpuint (hp_udp_source_get_turn (fixture->source), !=, turn);
      g_assert_false (g_main_context_iteration (fixture->context, FALSE));
    }
  g_assert_cmpuint (fixture->calls, ==, 10);
  g_assert_cmpuint (polls_with_events, ==, 0);
}

static gpointer
wake_later (gpointer source)
{
  g_usleep (20000);
  hp_udp_source_set_deadline (source, 0);
  return NULL;
}

/* A waiting loop hears of it. */
static void
test_wakes_other_thread (Fixture *fixture, gconstpointer data)
{
  GThread *thread;

  while (g_main_context_iteration (fixture->context, FALSE))
    ;
  thread = g_thread_new ("waking", wake_later, fixture->source);
  while (fixture->calls == 0)
    g_main_context_iteration (fixture->context, TRUE);
  g_thread_join (thread);
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

static gboolean
on_idle (gpointer user_data)
{
  (*(guint *) user_data)++;
  return G_SOURCE_CONTINUE;
}

/* It does not sleep, and everybody has his turn. */
static void
test_awake (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GSource) idle = g_idle_source_new ();
  gint64 begun = hp_clock_now ();
  gint64 until = begun + 10 * G_TIME_SPAN_SECOND;
  guint idles = 0;

  /* The deadline is for one that does sleep. */
  hp_udp_source_set_deadline (fixture->source, until);
  hp_udp_source_stay_awake (fixture->source, until);
  for (guint i = 0; i < 1000 && fixture->calls == 0; i++)
    g_main_context_iteration (fixture->context, TRUE);
  g_assert_cmpuint (fixture->calls, ==, 0);

  g_source_set_callback (idle, on_idle, &idles, NULL);
  g_source_attach (idle, fixture->context);
  g_assert_cmpint (write (fixture->fds[0][1], "x", 1), ==, 1);
  while (idles == 0)
    g_main_context_iteration (fixture->context, TRUE);
  g_assert_cmpuint (fixture->calls, ==, 1);
  g_source_destroy (idle);

  /* A deadline ends it, and then it sleeps as ever. */
  begun = hp_clock_now ();
  hp_udp_source_set_deadline (fixture->source,
                              begun + 20 * G_TIME_SPAN_MILLISECOND);
  hp_udp_source_stay_awake (fixture->source,
                            begun + 10 * G_TIME_SPAN_MILLISECOND);
  while (fixture->calls == 1)
    g_main_context_iteration (fixture->context, TRUE);
  g_assert_cmpint (fixture->called_at - begun, >=,
                   20 * G_TIME_SPAN_MILLISECOND);
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
  ADD ("fine-deadline", test_fine_deadline);
  ADD ("fine-deadline-again", test_fine_deadline_again);
  ADD ("deadline-put-off", test_deadline_put_off);
  ADD ("at-once-and-never", test_deadline_at_once_and_never);
  ADD ("nested", test_nested);
  ADD ("wakes-once", test_wakes_once);
  ADD ("wakes-nobody", test_wakes_nobody);
  ADD ("wakes-other-thread", test_wakes_other_thread);
  ADD ("awake", test_awake);
  g_test_add_func ("/clock", test_clock);
  return g_test_run ();
}
