/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A link between two TUN devices, with the delay, rate, queue, losses and so
 * on that are asked for; see knobs.c for the words.
 *
 *     emulator --left NAMESPACE:DEVICE --right NAMESPACE:DEVICE
 *              [--both KNOBS] [--there KNOBS] [--back KNOBS] [--seed NUMBER]
 *
 * "There" is from left to right.  Without --right, what leaves through the
 * left device comes back into it.  Prints "ready", and then obeys the lines
 * that it reads, with one line for each:
 *
 *     both KNOBS, there KNOBS, back KNOBS     changes the link: "ok"
 *     statistics                              as JSON
 *     forget                                  begins to count anew: "ok"
 *
 * SIGUSR1 prints the statistics too.  At the end of its input, or upon SIGTERM
 * or SIGINT, it prints them and ends. */

#include "lane.h"
#include "tun.h"

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
#define BATCH 128

enum { THERE, BACK, DIRECTIONS };

typedef struct
{
  char *where[DIRECTIONS]; /* left, right */
  char *knobs[3];          /* both, there, back */
  int seed;
} Options;

typedef struct
{
  PacketPool pool;
  Tun *tuns[DIRECTIONS]; /* the one that each direction comes from */
  int n_tuns;
  Lane *lanes[DIRECTIONS];
  int signals;
  GString *input;
  gboolean ended;
} Emulator;

static gint64
get_now (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

/* ---- packets ---- */

/* What has come, into the lanes; whether there was any. */
static gboolean
read_packets (Emulator *self)
{
  gboolean moved = FALSE;

  for (int i = 0; i < self->n_tuns; i++)
    for (guint n = 0; n < BATCH; n++)
      {
        PacketList packets = { .first = NULL };
        Packet *packet;

        if (!tun_read (self->tuns[i], &packets))
          break;
        while ((packet = packet_list_pop (&packets)) != NULL)
          lane_offer (self->lanes[i], packet, get_now ());
        moved = TRUE;
      }
  return moved;
}

/* What is due, out of them; whether there was any. */
static gboolean
write_packets (Emulator *self)
{
  gboolean moved = FALSE;
  gint64 now = get_now ();

  for (int i = 0; i < self->n_tuns; i++)
    {
      PacketList packets = { .first = NULL };
      Packet *packet;

      while ((packet = lane_take (self->lanes[i], now)) != NULL)
        packet_list_append (&packets, packet);
      moved |= packets.first != NULL;
      tun_write (self->tuns[self->n_tuns - 1 - i], &packets);
    }
  return moved;
}

/* ---- commands ---- */

static void
print_statistics (Emulator *self)
{
  static const char *names[] = { "there", "back" };
  g_autoptr (GString) json = g_string_new ("{");

  for (int i = 0; i < self->n_tuns; i++)
    {
      g_string_append_printf (json, "%s\"%s\": ", i > 0 ? ", " : "",
                              names[i]);
      lane_write_statistics (self->lanes[i], json);
    }
  g_print ("%s}\n", json->str);
}

/* Changes the directions that @which names; FALSE if it names none or the
 * knobs are wrong. */
static gboolean
turn_knobs (Emulator *self, const char *which, const char *text,
            char **problem)
{
  gboolean there = g_str_equal (which, "there");
  gboolean back = g_str_equal (which, "back");

  if (g_str_equal (which, "both"))
    there = back = TRUE;
  if (!there && !back)
    {
      *problem = g_strdup_printf ("not understood: %s", which);
      return FALSE;
    }
  return (!there || knobs_parse (lane_get_knobs (self->lanes[THERE]), text,
                                 problem))
         && (!back || knobs_parse (lane_get_knobs (self->lanes[BACK]), text,
                                   problem));
}

static void
obey (Emulator *self, const char *line)
{
  g_auto (GStrv) words = g_strsplit (line, " ", 2);
  g_autofree char *problem = NULL;

  if (words[0] == NULL)
    return;
  if (g_str_equal (line, "statistics"))
    {
      print_statistics (self);
      return;
    }
  if (g_str_equal (line, "forget"))
    for (int i = 0; i < DIRECTIONS; i++)
      lane_forget_statistics (self->lanes[i]);
  else
    turn_knobs (self, words[0], words[1] != NULL ? words[1] : "", &problem);
  g_print ("%s\n", problem != NULL ? problem : "ok");
}

static void
read_commands (Emulator *self)
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
      obey (self, self->input->str);
      g_string_erase (self->input, 0, end + 1 - self->input->str);
    }
}

static void
read_signal (Emulator *self)
{
  struct signalfd_siginfo info;

  if (read (self->signals, &info, sizeof info) != sizeof info)
    return;
  if (info.ssi_signo == SIGUSR1)
    print_statistics (self);
  else
    self->ended = TRUE;
}

/* ---- the loop ---- */

static void
wait_until (Emulator *self, gint64 deadline)
{
  struct pollfd fds[] = {
    { .fd = STDIN_FILENO, .events = POLLIN },
    { .fd = self->signals, .events = POLLIN },
    { .fd = tun_get_fd (self->tuns[0]), .events = POLLIN },
    { .fd = tun_get_fd (self->tuns[self->n_tuns - 1]), .events = POLLIN },
  };
  gint64 wait = CLAMP (deadline - get_now (), 0,
                       G_GINT64_CONSTANT (3600000000000));
  struct timespec timeout = { wait / 1000000000, wait % 1000000000 };

  if (ppoll (fds, G_N_ELEMENTS (fds), &timeout, NULL) <= 0)
    return;
  if (fds[0].revents != 0)
    read_commands (self);
  if (fds[1].revents != 0)
    read_signal (self);
}

static void
run (Emulator *self)
{
  while (!self->ended)
    {
      gint64 deadline = G_MAXINT64, began = get_now ();

      gboolean moved = read_packets (self);

      if (write_packets (self) || moved)
        {
          gint64 rest = began + TICK - get_now ();
          struct timespec pause = { 0, rest };

          if (rest > 0)
            nanosleep (&pause, NULL);
          deadline = 0;
        }
      else
        for (int i = 0; i < self->n_tuns; i++)
          deadline = MIN (deadline, lane_get_deadline (self->lanes[i]));
      wait_until (self, deadline);
    }
}

/* An emulator that waits for its turn emulates a link that stutters. */
static void
ask_for_precedence (void)
{
  struct sched_param parameters = { .sched_priority = 1 };

  prctl (PR_SET_TIMERSLACK, 1);
  sched_setscheduler (0, SCHED_RR, &parameters);
}

static int
open_signals (void)
{
  sigset_t set;

  sigemptyset (&set);
  sigaddset (&set, SIGUSR1);
  sigaddset (&set, SIGTERM);
  sigaddset (&set, SIGINT);
  sigprocmask (SIG_BLOCK, &set, NULL);
  return signalfd (-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static gboolean
set_up (Emulator *self, const Options *options, char **problem)
{
  static const char *which[] = { "both", "there", "back" };
  const Knobs none = { 0 };

  for (int i = 0; i < DIRECTIONS; i++)
    self->lanes[i] = lane_new (&none, &self->pool, 2 * options->seed + i);
  for (guint i = 0; i < G_N_ELEMENTS (which); i++)
    if (options->knobs[i] != NULL
        && !turn_knobs (self, which[i], options->knobs[i], problem))
      return FALSE;
  if (options->where[0] == NULL)
    {
      *problem = g_strdup ("--left is missing");
      return FALSE;
    }
  for (; self->n_tuns < DIRECTIONS && options->where[self->n_tuns] != NULL;
       self->n_tuns++)
    {
      Tun *tun = tun_open (options->where[self->n_tuns], &self->pool, problem);

      if (tun == NULL)
        return FALSE;
      self->tuns[self->n_tuns] = tun;
    }
  return TRUE;
}

static void
clear (Emulator *self, Options *options)
{
  for (int i = 0; i < self->n_tuns; i++)
    tun_free (self->tuns[i]);
  for (int i = 0; i < DIRECTIONS; i++)
    g_clear_pointer (&self->lanes[i], lane_free);
  packet_pool_clear (&self->pool);
  close (self->signals);
  g_string_free (self->input, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (options->where); i++)
    g_free (options->where[i]);
  for (guint i = 0; i < G_N_ELEMENTS (options->knobs); i++)
    g_free (options->knobs[i]);
}

int
main (int argc, char **argv)
{
  Options options = { .seed = 1 };
  const GOptionEntry entries[] = {
    { "left", 0, 0, G_OPTION_ARG_STRING, &options.where[0], "One end",
      "NAMESPACE:DEVICE" },
    { "right", 0, 0, G_OPTION_ARG_STRING, &options.where[1], "The other end",
      "NAMESPACE:DEVICE" },
    { "both", 0, 0, G_OPTION_ARG_STRING, &options.knobs[0],
      "What the link is like both ways", "KNOBS" },
    { "there", 0, 0, G_OPTION_ARG_STRING, &options.knobs[1],
      "… from left to right", "KNOBS" },
    { "back", 0, 0, G_OPTION_ARG_STRING, &options.knobs[2],
      "… from right to left", "KNOBS" },
    { "seed", 0, 0, G_OPTION_ARG_INT, &options.seed,
      "Repeats the same chances", "NUMBER" },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *problem = NULL;
  Emulator self = { .input = g_string_new (NULL) };

  g_option_context_add_main_entries (context, entries, NULL);
  self.signals = open_signals ();
  if (!g_option_context_parse (context, &argc, &argv, &error))
    problem = g_strdup (error->message);
  else if (set_up (&self, &options, &problem))
    {
      ask_for_precedence ();
      g_print ("ready\n");
      run (&self);
      print_statistics (&self);
    }
  if (problem != NULL)
    g_printerr ("emulator: %s\n", problem);
  clear (&self, &options);
  return problem != NULL ? 1 : 0;
}
