/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "loop.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

/* Rounds in which something was done are at least this far apart, in ns: at
 * 1 Gbit/s that is 8 packets of 1500 bytes, and without it each would cost a
 * round of its own. */
#define TICK 100000

typedef struct
{
  const LoopHandlers *handlers;
  gpointer user;
  GArray *polled; /* struct pollfd: the input, the signals, then all others */
  GString *input;
  gboolean ended;
} Loop;

gint64
loop_get_now (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

static void
read_commands (Loop *self)
{
  char buffer[512], *end;
  gssize size = read (STDIN_FILENO, buffer, sizeof buffer);

  if (size <= 0)
    {
      self->ended = size == 0 || errno != EINTR;
      return;
    }
  g_string_append_len (self->input, buffer, size);
  while ((end = strchr (self->input->str, '\n')) != NULL)
    {
      *end = '\0';
      self->handlers->obey (self->user, self->input->str);
      g_string_erase (self->input, 0, end + 1 - self->input->str);
    }
}

static void
read_signal (Loop *self, int signals)
{
  struct signalfd_siginfo info;

  if (read (signals, &info, sizeof info) != sizeof info)
    return;
  if (info.ssi_signo == SIGUSR1)
    self->handlers->print_statistics (self->user);
  else if (info.ssi_signo == SIGHUP)
    self->handlers->reboot (self->user);
  else
    self->ended = TRUE;
}

static void
wait_until (Loop *self, gint64 deadline)
{
  struct pollfd *polled = (gpointer) self->polled->data;
  gint64 wait = CLAMP (deadline - loop_get_now (), 0,
                       G_GINT64_CONSTANT (3600000000000));
  struct timespec timeout = { wait / 1000000000, wait % 1000000000 };

  if (ppoll (polled, self->polled->len, &timeout, NULL) <= 0)
    return;
  if (polled[0].revents != 0)
    read_commands (self);
  if (polled[1].revents != 0)
    read_signal (self, polled[1].fd);
}

/* One that waits for its turn emulates a link that stutters. */
static void
ask_for_precedence (void)
{
  struct sched_param parameters = { .sched_priority = 1 };

  prctl (PR_SET_TIMERSLACK, 1);
  sched_setscheduler (0, SCHED_RR, &parameters);
}

static int
open_signals (const LoopHandlers *handlers)
{
  sigset_t set;

  sigemptyset (&set);
  sigaddset (&set, SIGUSR1);
  sigaddset (&set, SIGTERM);
  sigaddset (&set, SIGINT);
  if (handlers->reboot != NULL)
    sigaddset (&set, SIGHUP);
  sigprocmask (SIG_BLOCK, &set, NULL);
  return signalfd (-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void
add_descriptor (Loop *self, int fd)
{
  struct pollfd polled = { .fd = fd, .events = POLLIN };

  g_array_append_val (self->polled, polled);
}

static void
move_and_wait (Loop *self)
{
  gint64 began = loop_get_now ();

  if (self->handlers->move (self->user))
    {
      gint64 rest = began + TICK - loop_get_now ();
      struct timespec pause = { 0, rest };

      if (rest > 0)
        nanosleep (&pause, NULL);
      wait_until (self, 0);
    }
  else
    wait_until (self, self->handlers->get_deadline (self->user));
}

/* Says "ready" and runs; @descriptors are those that packets come from. */
void
loop_run (const LoopHandlers *handlers, gpointer user,
          const GArray *descriptors)
{
  int signals = open_signals (handlers);
  Loop self = {
    .handlers = handlers,
    .user = user,
    .polled = g_array_new (FALSE, FALSE, sizeof (struct pollfd)),
    .input = g_string_new (NULL),
  };

  add_descriptor (&self, STDIN_FILENO);
  add_descriptor (&self, signals);
  for (guint i = 0; i < descriptors->len; i++)
    add_descriptor (&self, g_array_index (descriptors, int, i));
  ask_for_precedence ();
  g_print ("ready\n");
  while (!self.ended)
    move_and_wait (&self);
  handlers->print_statistics (user);
  close (signals);
  g_array_unref (self.polled);
  g_string_free (self.input, TRUE);
}
