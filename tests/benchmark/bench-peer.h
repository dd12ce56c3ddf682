/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Our library, through its public interface.
 *
 * The caller directs; the first byte of a message says what it is. Orders and
 * pings are unordered, so that they are not held up by the bulk:
 *
 *   caller                                   callee (`serve`)
 *     ├── BEGIN ────────────────────────────────▸│  the count begins anew
 *     │◂─────────────────────────────── BEGIN ───┤
 *     ├── BULK BULK BULK … ─────────────────────▸│  counted, as is what comes
 *     │                                          │  through a stream
 *     ├── PING ─────────────────────────────────▸│
 *     │◂──────────────────────────────── PING ───┤  sent back as it came
 *     ├── REPORT ───────────────────────────────▸│
 *     │◂───────────────────── REPORT, figures ───┤  JSON, as the callee saw it
 */

#pragma once

#include <hole-punch/hole-punch.h>

#include "bench-common.h"
#include "bench-options.h"

#define BENCH_BEGIN 'B'
#define BENCH_BULK 'D'
#define BENCH_PING 'P'
#define BENCH_REPORT 'R'

/* What one caller has sent since its last BEGIN */
typedef struct
{
  gint64 begin; /* of the count */
  gint64 first; /* when the first MiB had come, 0: not yet */
  gint64 last;  /* when bulk came */
  guint64 bytes;
  guint64 messages;
  double cpu;
} BenchCount;

BenchCount *bench_get_count (HpConnection *connection);
void bench_count_bulk (BenchCount *self, gsize size);
/* Counts what comes, as if it were messages, and closes at the end */
void bench_read_stream (HpConnection *connection, HpStream *stream);
/* Sends so much through a stream; returns when all of it has been read */
void bench_write_stream (HpConnection *connection, GBytes *piece,
                         guint64 size);

HpPeer *bench_peer_new (const BenchOptions *options);
/* What a process and its connection have been through, for either side */
void bench_peer_add_figures (BenchJson *json, HpConnection *connection,
                             double cpu_seconds);

void bench_serve (const BenchOptions *options);
void bench_bulk (const BenchOptions *options);
void bench_latency (const BenchOptions *options);
/* Prints the callee's figures of this moment */
void bench_query (const BenchOptions *options);
/* Holds many idle connections until it is ended */
void bench_hold (const BenchOptions *options);
