/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Peers of a match server, a million if need be: each but its session's keys
 * and a few numbers. Nobody repeats anything: who drives them counts what is
 * lost.
 *
 * A peer's number is its address, its identity, its id, its session's index (+
 * 1) and the transaction of its HELLO, so that nothing has to be looked up.
 * Those with even numbers are registered open; those with odd ones are asked
 * before they are introduced.
 */

#pragma once

#include "bench-match-net.h"

#include "hole-punch/secure/hp-handshake.h"
#include "hole-punch/wire/hp-frame.h"

typedef struct
{
  HpHandshake *handshake; /* under way */
  HpSession *session;
  gint64 asked_at; /* of the request under way; 0: none */
  guint32 request;
} BenchMatchPeer;

typedef enum
{
  BENCH_MATCH_ANSWER,  /* what @number had asked for */
  BENCH_MATCH_REFUSED, /* of that it wants nothing to know */
} BenchMatchOutcome;

typedef struct
{
  BenchNet *net;
  BenchMatchPeer *peers;
  guint32 n;
  guint64 seed; /* other identities with every one */
  void (*done) (gpointer user_data, guint32 number,
                BenchMatchOutcome outcome);
  gpointer user_data;

  HpSessionCiphers *ciphers;
  guint8 server_key[HP_KEY_SIZE];
  guint64 introductions; /* that callees were told of */
  guint64 strange; /* datagrams that do not belong here */
} BenchMatchPeers;

void bench_match_peers_init (BenchMatchPeers *self, BenchNet *net, guint32 n,
                             guint64 seed);
void bench_match_peers_clear (BenchMatchPeers *self);
/* HELLO, and whatever follows until the session is there and confirmed by a
 * first PING; in place of the session that there may be */
void bench_match_peers_connect (BenchMatchPeers *self, guint32 number);
void bench_match_peers_register (BenchMatchPeers *self, guint32 number);
void bench_match_peers_ping (BenchMatchPeers *self, guint32 number);
/* Asks for the id of peer @target; a callee that is asked says yes. */
void bench_match_peers_ask (BenchMatchPeers *self, guint32 number,
                            guint32 target);
/* A BenchNetFunc */
void bench_match_peers_receive (gpointer peers, guint8 *bytes, gsize length);
