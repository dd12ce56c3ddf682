/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "bench-peer.h"

static const BenchCommand commands[] = {
  { "serve", bench_serve },     { "bulk", bench_bulk },
  { "latency", bench_latency }, { "query", bench_query },
  { "hold", bench_hold },       { NULL, NULL },
};

HpPeer *
bench_peer_new (const BenchOptions *self)
{
  HpPeer *peer = hp_peer_new (NULL, NULL);

  if (self->port != 0)
    hp_peer_set_port (peer, self->port);
  if (self->datagram_size != 0)
    hp_peer_set_datagram_size (peer, self->datagram_size);
  if (self->max_datagram_size != 0)
    hp_peer_set_max_datagram_size (peer, self->max_datagram_size);
  hp_peer_set_direct_calls (peer, TRUE);
  return peer;
}

void
bench_peer_add_figures (BenchJson *json, HpConnection *connection,
                        double cpu_seconds)
{
  HpStatistics *statistics = hp_connection_get_statistics (connection);

  bench_json_add_number (json, "cpu_seconds", cpu_seconds);
  bench_json_add_number (json, "longest_turn_us", bench_get_longest_turn ());
  bench_json_add_number (json, "datagram_size",
                         hp_connection_get_datagram_size (connection));
  bench_json_add_number (json, "rtt_us",
                         hp_connection_get_round_trip_time (connection));
  bench_json_add_number (json, "datagrams_sent",
                         hp_statistics_get_datagrams_sent (statistics));
  bench_json_add_number (json, "datagrams_received",
                         hp_statistics_get_datagrams_received (statistics));
  bench_json_add_number (json, "datagrams_lost",
                         hp_statistics_get_datagrams_lost (statistics));
  bench_json_add_number (json, "datagrams_dropped",
                         hp_statistics_get_datagrams_dropped (statistics));
  bench_json_add_number (json, "bytes_resent",
                         hp_statistics_get_bytes_resent (statistics));
}

int
main (int argc, char **argv)
{
  return bench_run (argc, argv, commands);
}
