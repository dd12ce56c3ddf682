/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Load: requests in flight, how many at a time or how many a second, and what
 * became of them.
 */

#pragma once

#include "bench-common.h"
#include "bench-match-peers.h"

/* A request that is not answered for so long is lost, µs; longer where each of
 * the peers is to have its turn */
#define BENCH_LOAD_PATIENCE G_USEC_PER_SEC
#define BENCH_LOAD_LONG_PATIENCE (5 * G_USEC_PER_SEC)

typedef enum
{
  BENCH_LOAD_CONNECT,
  BENCH_LOAD_REGISTER,
  BENCH_LOAD_PING,
  BENCH_LOAD_ASK,       /* for one that is registered open */
  BENCH_LOAD_ASK_REPLY, /* for one that has to say yes */
  BENCH_LOAD_MIXED,     /* PING and ASK by turns */
  BENCH_LOAD_STUN,      /* Binding, of any server */
  BENCH_LOAD_ECHO,      /* datagrams of @size, of whoever returns them */
} BenchLoadKind;

/* Either each of the peers from @first on once, or as long as @seconds. */
typedef struct
{
  BenchLoadKind kind;
  guint32 first, count;
  double seconds;
  guint32 window; /* in flight at a time; */
  double rate;    /* or, if not 0, sent a second, whatever becomes of them */
  gsize size;
} BenchLoadOrder;

typedef struct
{
  BenchNet *net;
  BenchMatchPeers peers;
  clockid_t server_clock; /* its processor time */
  guint32 n_connected;
} BenchLoad;

/* Gives the figures as JSON. */
char *bench_load_run (BenchLoad *self, const BenchLoadOrder *order);
