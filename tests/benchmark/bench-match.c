/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Load for a match server. Does what it reads from its standard input, a line
 * an order, and answers each by a line of JSON:
 *
 *   connect first=0 count=10000 window=256
 *   ping count=10000 seconds=2 window=1024
 *   ask count=10000 seconds=2 rate=5000
 *
 * See bench-match-load.h for what they mean.
 */

#include "bench-match-load.h"

#include <stdio.h>
#include <string.h>

typedef struct
{
  char *to;
  char *first; /* of the addresses */
  int n_addresses;
  int step;
  int peers;
  int pid; /* of the server */
  gint64 seed;
} Settings;

static const char *const kinds[] = { "connect", "register", "ping", "ask",
                                     "ask-reply", "mixed", "stun", "echo",
                                     NULL };

static BenchLoadKind
find_kind (const char *name)
{
  for (guint i = 0; kinds[i] != NULL; i++)
    if (strcmp (kinds[i], name) == 0)
      return i;
  g_error ("No such order: %s", name);
}

static void
read_word (BenchLoadOrder *order, const char *word)
{
  const char *value = strchr (word, '=');
  double number;

  if (value == NULL)
    g_error ("NAME=NUMBER is wanted, not %s", word);
  number = g_ascii_strtod (value + 1, NULL);
  if (g_str_has_prefix (word, "first="))
    order->first = number;
  else if (g_str_has_prefix (word, "count="))
    order->count = number;
  else if (g_str_has_prefix (word, "seconds="))
    order->seconds = number;
  else if (g_str_has_prefix (word, "window="))
    order->window = number;
  else if (g_str_has_prefix (word, "rate="))
    order->rate = number;
  else if (g_str_has_prefix (word, "size="))
    order->size = number;
  else
    g_error ("No such word: %s", word);
}

static void
read_order (BenchLoad *load, const char *line, BenchLoadOrder *order)
{
  g_auto (GStrv) words = g_strsplit (line, " ", 0);

  *order = (BenchLoadOrder){ .count = load->peers.n, .window = 256,
                             .size = 45 };
  order->kind = find_kind (words[0]);
  for (guint i = 1; words[i] != NULL; i++)
    read_word (order, words[i]);
  if (order->count == 0 || order->first + order->count > load->peers.n
      || order->size < 20 || order->size > BENCH_NET_SIZE)
    g_error ("Too many peers, or too large: %s", line);
}

static void
obey (const Settings *settings)
{
  BenchRange range = bench_net_parse_range (
      settings->first, settings->n_addresses, settings->step);
  g_autofree char *line = NULL;
  BenchLoadOrder order;
  BenchLoad load = { 0 };
  size_t size = 0;

  load.net = bench_net_new (settings->to, &range);
  if (clock_getcpuclockid (settings->pid, &load.server_clock) != 0)
    g_error ("--pid: the server's process is wanted");
  bench_match_peers_init (&load.peers, load.net, settings->peers,
                          settings->seed);
  while (getline (&line, &size, stdin) > 0)
    {
      g_autofree char *json = NULL;

      read_order (&load, g_strchomp (line), &order);
      json = bench_load_run (&load, &order);
      g_print ("%s\n", json);
      fflush (stdout);
    }
  bench_match_peers_clear (&load.peers);
  bench_net_free (load.net);
}

int
main (int argc, char **argv)
{
  Settings settings = { .n_addresses = 1 << 22, .step = 1, .peers = 10000 };
  const GOptionEntry entries[] = {
    { "to", 0, 0, G_OPTION_ARG_STRING, &settings.to, "The server",
      "HOST:PORT" },
    { "pid", 0, 0, G_OPTION_ARG_INT, &settings.pid, "Its process", "PID" },
    { "peers", 0, 0, G_OPTION_ARG_INT, &settings.peers, "How many at most",
      "N" },
    { "first", 0, 0, G_OPTION_ARG_STRING, &settings.first,
      "The first peer's address (127.1.0.0)", "ADDRESS" },
    { "addresses", 0, 0, G_OPTION_ARG_INT, &settings.n_addresses,
      "How many addresses they have", "N" },
    { "step", 0, 0, G_OPTION_ARG_INT, &settings.step,
      "From one address to the next (1)", "N" },
    { "seed", 0, 0, G_OPTION_ARG_INT64, &settings.seed,
      "Other identities with every one", "N" },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  settings.first = g_strdup ("127.1.0.0");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    g_error ("%s", error->message);
  obey (&settings);
  g_free (settings.first);
  g_free (settings.to);
  return 0;
}
