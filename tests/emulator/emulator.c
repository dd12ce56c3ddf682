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
#include "loop.h"
#include "tun.h"

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
} Emulator;

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
          lane_offer (self->lanes[i], packet, loop_get_now ());
        moved = TRUE;
      }
  return moved;
}

/* What is due, out of them; whether there was any. */
static gboolean
write_packets (Emulator *self)
{
  gboolean moved = FALSE;
  gint64 now = loop_get_now ();

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

static gboolean
move (gpointer user)
{
  gboolean moved = read_packets (user);

  return write_packets (user) || moved;
}

static gint64
get_deadline (gpointer user)
{
  Emulator *self = user;
  gint64 deadline = G_MAXINT64;

  for (int i = 0; i < self->n_tuns; i++)
    deadline = MIN (deadline, lane_get_deadline (self->lanes[i]));
  return deadline;
}

/* ---- commands ---- */

static void
print_statistics (gpointer user)
{
  Emulator *self = user;
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
obey (gpointer user, const char *line)
{
  Emulator *self = user;
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

/* ---- the program ---- */

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
  for (guint i = 0; i < G_N_ELEMENTS (options->where); i++)
    g_free (options->where[i]);
  for (guint i = 0; i < G_N_ELEMENTS (options->knobs); i++)
    g_free (options->knobs[i]);
}

static void
run (Emulator *self)
{
  static const LoopHandlers handlers = {
    .move = move,
    .get_deadline = get_deadline,
    .obey = obey,
    .print_statistics = print_statistics,
  };
  g_autoptr (GArray) descriptors = g_array_new (FALSE, FALSE, sizeof (int));

  for (int i = 0; i < self->n_tuns; i++)
    {
      int fd = tun_get_fd (self->tuns[i]);

      g_array_append_val (descriptors, fd);
    }
  loop_run (&handlers, self, descriptors);
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
  Emulator self = { .n_tuns = 0 };

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    problem = g_strdup (error->message);
  else if (set_up (&self, &options, &problem))
    run (&self);
  if (problem != NULL)
    g_printerr ("emulator: %s\n", problem);
  clear (&self, &options);
  return problem != NULL ? 1 : 0;
}
