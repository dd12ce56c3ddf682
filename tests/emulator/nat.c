/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A router with a NAT between TUN devices; what it does is said in words, see
 * nat-rules.c, and so is what the line outside of it is like, see knobs.c.
 *
 *     nat --lan NAMESPACE:DEVICE… --wan NAMESPACE:DEVICE --address ADDRESS
 *         [--inside PREFIX…] [--rules RULES] [--both KNOBS] [--out KNOBS]
 *         [--in KNOBS] [--seed NUMBER]
 *
 *     host ── lan ─┐                       ┌─── out ──▸
 *                  ├─ translator ─ lanes ──┤            wan ── internet
 *     host ── lan ─┘                       └◂── in ────
 *
 * Devices inside are learned from what they send; what goes to a host that has
 * sent nothing yet goes to all.  Prints "ready", and then obeys the lines that
 * it reads, with one line for each:
 *
 *     rules RULES                           changes them: "ok"
 *     both KNOBS, out KNOBS, in KNOBS       changes the line: "ok"
 *     reboot [ADDRESS]                      forgets all mappings, and has
 *                                           another address then: "ok"
 *     statistics                            as JSON
 *     forget                                begins to count anew: "ok"
 *
 * SIGHUP reboots it, and SIGUSR1 prints the statistics.  At the end of its
 * input, or upon SIGTERM or SIGINT, it prints them and ends. */

#include "headers.h"
#include "lane.h"
#include "loop.h"
#include "translator.h"
#include "tun.h"

#include <string.h>

#define BATCH 128

enum { OUT, IN, DIRECTIONS };

typedef struct
{
  char **lans;
  char *wan;
  char *address;
  char **inside;
  char *rules;
  char *knobs[3]; /* both, out, in */
  int seed;
} Options;

typedef struct
{
  PacketPool pool;
  GPtrArray *lans; /* Tun */
  Tun *wan;
  GHashTable *places; /* address, as bytes → its device's number */
  Translator *translator;
  Lane *lanes[DIRECTIONS];
} Router;

/* ---- packets ---- */

static GBytes *
get_address (const Packet *packet, gboolean of_source)
{
  gboolean ipv6 = packet->size > 0 && packet->data[0] >> 4 == 6;
  gsize size = ipv6 ? 16 : 4;
  gsize offset = (ipv6 ? 8 : 12) + (of_source ? 0 : size);

  if (packet->size < offset + size)
    return NULL;
  return g_bytes_new (packet->data + offset, size);
}

static void
learn (Router *self, const Packet *packet, guint device)
{
  g_autoptr (GBytes) source = NULL;

  if (self->lans->len > 1 && (source = get_address (packet, TRUE)) != NULL)
    g_hash_table_insert (self->places, g_steal_pointer (&source),
                         GUINT_TO_POINTER (device));
}

static void
write_to (Router *self, Tun *tun, Packet *packet)
{
  PacketList packets = { .first = NULL };

  packet_list_append (&packets, packet);
  tun_write (tun, &packets);
}

/* A packet from inside never returns to where it came from. */
static void
write_inside (Router *self, Packet *packet)
{
  g_autoptr (GBytes) destination = get_address (packet, FALSE);
  gpointer device = NULL;

  if (self->lans->len == 1
      || (destination != NULL
          && g_hash_table_lookup_extended (self->places, destination, NULL,
                                           &device)))
    {
      write_to (self, self->lans->pdata[GPOINTER_TO_UINT (device)], packet);
      return;
    }
  for (guint i = 0; i < self->lans->len; i++)
    write_to (self, self->lans->pdata[i], packet_copy (&self->pool, packet));
  packet_free (&self->pool, packet);
}

static void
read_inside (Router *self, Packet *packet, guint device)
{
  gint64 now = loop_get_now ();

  learn (self, packet, device);
  switch (translator_send (self->translator, packet, now))
    {
    case TRANSLATOR_PASSED:
      lane_offer (self->lanes[OUT], packet, now);
      break;
    case TRANSLATOR_TURNED:
      write_inside (self, packet);
      break;
    case TRANSLATOR_DROPPED:
      packet_free (&self->pool, packet);
      break;
    }
}

/* What has come from inside through the translator, and what has come from
 * outside into its lane; whether there was any. */
static gboolean
read_packets (Router *self)
{
  gboolean moved = FALSE;
  Packet *packet;

  for (guint i = 0; i < self->lans->len; i++)
    for (guint n = 0; n < BATCH; n++)
      {
        PacketList packets = { .first = NULL };

        if (!tun_read (self->lans->pdata[i], &packets))
          break;
        while ((packet = packet_list_pop (&packets)) != NULL)
          read_inside (self, packet, i);
        moved = TRUE;
      }
  for (guint n = 0; n < BATCH; n++)
    {
      PacketList packets = { .first = NULL };

      if (!tun_read (self->wan, &packets))
        break;
      while ((packet = packet_list_pop (&packets)) != NULL)
        lane_offer (self->lanes[IN], packet, loop_get_now ());
      moved = TRUE;
    }
  return moved;
}

/* What is due, out of the lanes; whether there was any. */
static gboolean
write_packets (Router *self)
{
  PacketList out = { .first = NULL }, in = { .first = NULL };
  gint64 now = loop_get_now ();
  gboolean moved;
  Packet *packet;

  while ((packet = lane_take (self->lanes[OUT], now)) != NULL)
    packet_list_append (&out, packet);
  moved = out.first != NULL;
  tun_write (self->wan, &out);
  while ((packet = lane_take (self->lanes[IN], now)) != NULL)
    {
      moved = TRUE;
      if (translator_receive (self->translator, packet, now)
          == TRANSLATOR_DROPPED)
        packet_free (&self->pool, packet);
      else if (self->lans->len == 1)
        packet_list_append (&in, packet);
      else
        write_inside (self, packet);
    }
  if (in.first != NULL)
    tun_write (self->lans->pdata[0], &in);
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
  Router *self = user;

  return MIN (lane_get_deadline (self->lanes[OUT]),
              lane_get_deadline (self->lanes[IN]));
}

/* ---- commands ---- */

static void
print_statistics (gpointer user)
{
  Router *self = user;
  g_autoptr (GString) json = g_string_new ("{");

  translator_write_statistics (self->translator, json, loop_get_now ());
  g_string_append (json, ", \"out\": ");
  lane_write_statistics (self->lanes[OUT], json);
  g_string_append (json, ", \"in\": ");
  lane_write_statistics (self->lanes[IN], json);
  g_print ("%s}\n", json->str);
}

static void
forget (Router *self)
{
  translator_forget_statistics (self->translator);
  for (int i = 0; i < DIRECTIONS; i++)
    lane_forget_statistics (self->lanes[i]);
}

static void
reboot (gpointer user)
{
  Router *self = user;

  translator_reboot (self->translator);
}

static gboolean
turn_knobs (Router *self, const char *which, const char *text, char **problem)
{
  gboolean both = g_str_equal (which, "both");

  if (!both && !g_str_equal (which, "out") && !g_str_equal (which, "in"))
    {
      *problem = g_strdup_printf ("not understood: %s", which);
      return FALSE;
    }
  return ((!both && !g_str_equal (which, "out"))
          || knobs_parse (lane_get_knobs (self->lanes[OUT]), text, problem))
         && ((!both && !g_str_equal (which, "in"))
             || knobs_parse (lane_get_knobs (self->lanes[IN]), text,
                             problem));
}

static gboolean
set_address (Router *self, const char *address, char **problem)
{
  if (translator_set_address (self->translator, address))
    return TRUE;
  *problem = g_strdup_printf ("not an address: %s", address);
  return FALSE;
}

static void
obey (gpointer user, const char *line)
{
  Router *self = user;
  g_auto (GStrv) words = g_strsplit (line, " ", 2);
  g_autofree char *problem = NULL;
  const char *rest;

  if (words[0] == NULL)
    return;
  rest = words[1] != NULL ? words[1] : "";
  if (g_str_equal (line, "statistics"))
    {
      print_statistics (self);
      return;
    }
  if (g_str_equal (line, "forget"))
    forget (self);
  else if (g_str_equal (words[0], "rules"))
    nat_rules_parse (translator_get_rules (self->translator), rest, &problem);
  else if (!g_str_equal (words[0], "reboot"))
    turn_knobs (self, words[0], rest, &problem);
  else if (*rest == '\0' || set_address (self, rest, &problem))
    reboot (self);
  g_print ("%s\n", problem != NULL ? problem : "ok");
}

/* ---- the program ---- */

static gboolean
open_devices (Router *self, const Options *options, char **problem)
{
  for (char **lan = options->lans; lan != NULL && *lan != NULL; lan++)
    {
      Tun *tun = tun_open (*lan, &self->pool, problem);

      if (tun == NULL)
        return FALSE;
      g_ptr_array_add (self->lans, tun);
    }
  if (self->lans->len == 0 || options->wan == NULL)
    {
      *problem = g_strdup ("--lan or --wan is missing");
      return FALSE;
    }
  self->wan = tun_open (options->wan, &self->pool, problem);
  return self->wan != NULL;
}

static gboolean
set_up (Router *self, const Options *options, char **problem)
{
  static const char *const which[] = { "both", "out", "in" };
  const Knobs none = { 0 };
  NatRules rules;

  nat_rules_init (&rules);
  if (options->rules != NULL
      && !nat_rules_parse (&rules, options->rules, problem))
    return FALSE;
  self->translator = translator_new (&rules, options->seed);
  for (int i = 0; i < DIRECTIONS; i++)
    self->lanes[i] = lane_new (&none, &self->pool, 2 * options->seed + i);
  for (guint i = 0; i < G_N_ELEMENTS (which); i++)
    if (options->knobs[i] != NULL
        && !turn_knobs (self, which[i], options->knobs[i], problem))
      return FALSE;
  if (options->address != NULL
      && !set_address (self, options->address, problem))
    return FALSE;
  for (char **inside = options->inside; inside != NULL && *inside != NULL;
       inside++)
    if (!translator_add_inside (self->translator, *inside))
      {
        *problem = g_strdup_printf ("not a prefix: %s", *inside);
        return FALSE;
      }
  return open_devices (self, options, problem);
}

static void
run (Router *self)
{
  static const LoopHandlers handlers = {
    .move = move,
    .get_deadline = get_deadline,
    .obey = obey,
    .print_statistics = print_statistics,
    .reboot = reboot,
  };
  g_autoptr (GArray) descriptors = g_array_new (FALSE, FALSE, sizeof (int));
  int fd = tun_get_fd (self->wan);

  g_array_append_val (descriptors, fd);
  for (guint i = 0; i < self->lans->len; i++)
    {
      fd = tun_get_fd (self->lans->pdata[i]);
      g_array_append_val (descriptors, fd);
    }
  loop_run (&handlers, self, descriptors);
}

static void
clear (Router *self, Options *options)
{
  g_clear_pointer (&self->translator, translator_free);
  for (int i = 0; i < DIRECTIONS; i++)
    g_clear_pointer (&self->lanes[i], lane_free);
  g_ptr_array_unref (self->lans);
  g_clear_pointer (&self->wan, tun_free);
  g_hash_table_unref (self->places);
  packet_pool_clear (&self->pool);
  g_strfreev (options->lans);
  g_strfreev (options->inside);
  g_free (options->wan);
  g_free (options->address);
  g_free (options->rules);
  for (guint i = 0; i < G_N_ELEMENTS (options->knobs); i++)
    g_free (options->knobs[i]);
}

int
main (int argc, char **argv)
{
  Options options = { .seed = 1 };
  const GOptionEntry entries[] = {
    { "lan", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.lans,
      "A device inside", "NAMESPACE:DEVICE" },
    { "wan", 0, 0, G_OPTION_ARG_STRING, &options.wan, "The one outside",
      "NAMESPACE:DEVICE" },
    { "address", 0, 0, G_OPTION_ARG_STRING, &options.address,
      "The outer address", "ADDRESS" },
    { "inside", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.inside,
      "Addresses of the inside", "PREFIX" },
    { "rules", 0, 0, G_OPTION_ARG_STRING, &options.rules,
      "How it maps and filters", "RULES" },
    { "both", 0, 0, G_OPTION_ARG_STRING, &options.knobs[0],
      "What the line outside is like both ways", "KNOBS" },
    { "out", 0, 0, G_OPTION_ARG_STRING, &options.knobs[1], "… outwards",
      "KNOBS" },
    { "in", 0, 0, G_OPTION_ARG_STRING, &options.knobs[2], "… inwards",
      "KNOBS" },
    { "seed", 0, 0, G_OPTION_ARG_INT, &options.seed,
      "Repeats the same chances", "NUMBER" },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *problem = NULL;
  Router self = {
    .lans = g_ptr_array_new_with_free_func ((GDestroyNotify) tun_free),
    .places = g_hash_table_new_full (g_bytes_hash, g_bytes_equal,
                                     (GDestroyNotify) g_bytes_unref, NULL),
  };

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    problem = g_strdup (error->message);
  else if (set_up (&self, &options, &problem))
    run (&self);
  if (problem != NULL)
    g_printerr ("nat: %s\n", problem);
  clear (&self, &options);
  return problem != NULL ? 1 : 0;
}
