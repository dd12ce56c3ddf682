/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Many IPv4 addresses behind one socket: datagrams leave from any of them
 * (IP_PKTINFO) and in batches (sendmmsg(2)); what is answered comes back to the
 * same socket. All of 127.0.0.0/8 is ours without more; of other networks after
 * `ip route add local NETWORK dev lo`.
 */

#pragma once

#include <gio/gio.h>

#define BENCH_NET_SIZE 1200

typedef struct _BenchNet BenchNet;
typedef void (*BenchNetFunc) (gpointer user_data, guint8 *bytes,
                              gsize length);

/* Where the addresses begin, how many there are, how far apart */
typedef struct
{
  guint32 first; /* host order */
  guint32 n;
  guint32 step;
} BenchRange;

/* @first: an IPv4 address */
BenchRange bench_net_parse_range (const char *first, guint n, guint step);

/* @server: HOST:PORT */
BenchNet *bench_net_new (const char *server, const BenchRange *range);
void bench_net_free (BenchNet *self);
/* Room for a datagram from address @number, modulo the range; then how long it
 * has become. Goes when a batch is full, or is flushed. */
guint8 *bench_net_begin (BenchNet *self, guint64 number);
void bench_net_end (BenchNet *self, gsize length);
void bench_net_flush (BenchNet *self);
/* What is there, a batch at most; how many */
guint bench_net_receive (BenchNet *self, BenchNetFunc func,
                         gpointer user_data);
/* Until something is there, or @timeout (µs) is over */
void bench_net_wait (BenchNet *self, gint64 timeout);
