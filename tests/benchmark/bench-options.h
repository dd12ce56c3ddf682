/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The command line, alike for our library and those beside it; a program
 * passes over what has no meaning for it. All can
 *
 *   serve     print "READY port fingerprint", and then be the other side
 *   bulk      send much, print figures
 *   latency   send small messages to and fro, print percentiles
 */

#pragma once

#include <glib.h>

typedef struct
{
  char *listen; /* serve: IP address */
  int port;
  gboolean once; /* serve: until the first caller has gone */

  char *to;          /* HOST:PORT */
  char *fingerprint; /* of the callee */
  char *mode;        /* where a program has several ways */

  /* Of our peer; 0: the library's default */
  int datagram_size, max_datagram_size;

  int message_size;
  int mebibytes;  /* bulk: so much, or, if 0, */
  double seconds; /* as long as this */
  double warm_up; /* seconds that do not count, before */
  int queue;      /* bytes that are on their way at a time */
  gboolean unordered;
  gboolean stream; /* bulk of so many MiB: through a stream */
  int count;     /* of pings, of connections */
  int interval;  /* µs from a pong to the next ping */
  gboolean load; /* latency: among bulk of the same connection */
} BenchOptions;

typedef struct
{
  const char *name;
  void (*run) (const BenchOptions *options);
} BenchCommand;

/* Runs what the command line says; @commands end with one without a name. The
 * result is for main() to return. */
int bench_run (int argc, char **argv, const BenchCommand *commands);
