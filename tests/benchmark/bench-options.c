/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "bench-options.h"

#include <stdlib.h>

#include "bench-common.h"

static BenchOptions options = {
  .message_size = BENCH_MESSAGE_SIZE,
  .seconds = 2,
  .queue = 16 * BENCH_MIB,
  .count = 2000,
};

static const GOptionEntry entries[] = {
  { "listen", 0, 0, G_OPTION_ARG_STRING, &options.listen,
    "serve: the address to bind (127.0.0.1; our peer binds all)", "IP" },
  { "port", 0, 0, G_OPTION_ARG_INT, &options.port, "Port to bind", "N" },
  { "once", 0, 0, G_OPTION_ARG_NONE, &options.once,
    "serve: end when the first caller has gone", NULL },
  { "to", 0, 0, G_OPTION_ARG_STRING, &options.to, "Whom to call",
    "HOST:PORT" },
  { "fingerprint", 0, 0, G_OPTION_ARG_STRING, &options.fingerprint,
    "Who that is, as it said when it was ready", "TEXT" },
  { "mode", 0, 0, G_OPTION_ARG_STRING, &options.mode,
    "Which way, of a program that has several", "NAME" },
  { "datagram-size", 0, 0, G_OPTION_ARG_INT, &options.datagram_size,
    "HpPeer:datagram-size", "BYTES" },
  { "max-datagram-size", 0, 0, G_OPTION_ARG_INT, &options.max_datagram_size,
    "HpPeer:max-datagram-size", "BYTES" },
  { "message-size", 0, 0, G_OPTION_ARG_INT, &options.message_size,
    "Bytes of a bulk message (1 MiB)", "BYTES" },
  { "mebibytes", 0, 0, G_OPTION_ARG_INT, &options.mebibytes,
    "bulk: how much to send, instead of how long", "N" },
  { "seconds", 0, 0, G_OPTION_ARG_DOUBLE, &options.seconds,
    "bulk: how long to send (2)", "S" },
  { "warm-up", 0, 0, G_OPTION_ARG_DOUBLE, &options.warm_up,
    "bulk: seconds before that, not counted", "S" },
  { "queue", 0, 0, G_OPTION_ARG_INT, &options.queue,
    "Bytes that are not acknowledged at a time (16 MiB)", "BYTES" },
  { "unordered", 0, 0, G_OPTION_ARG_NONE, &options.unordered,
    "bulk: unordered messages", NULL },
  { "stream", 0, 0, G_OPTION_ARG_NONE, &options.stream,
    "bulk: through a stream; only with --mebibytes", NULL },
  { "count", 0, 0, G_OPTION_ARG_INT, &options.count,
    "latency: pings; hold: connections", "N" },
  { "interval", 0, 0, G_OPTION_ARG_INT, &options.interval,
    "latency: from a pong to the next ping (0)", "MICROSECONDS" },
  { "load", 0, 0, G_OPTION_ARG_NONE, &options.load,
    "latency: among bulk on the same connection", NULL },
  { NULL, 0, 0, 0, NULL, NULL, NULL },
};

int
bench_run (int argc, char **argv, const BenchCommand *commands)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("COMMAND");
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    g_error ("%s", error->message);
  for (guint i = 0; argc == 2 && commands[i].name != NULL; i++)
    {
      if (g_str_equal (argv[1], commands[i].name))
        {
          commands[i].run (&options);
          return EXIT_SUCCESS;
        }
    }
  g_printerr ("The commands:");
  for (guint i = 0; commands[i].name != NULL; i++)
    g_printerr (" %s", commands[i].name);
  g_printerr ("\n");
  return EXIT_FAILURE;
}
