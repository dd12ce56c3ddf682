/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* ENet with its defaults: reliable packets, in the clear. */

#include <enet/enet.h>
#include <string.h>

#include "bench-common.h"
#include "bench-options.h"

#define PATIENCE 10000 /* ms */
/* ENet looks at all that is queued each time: with more it gets slower. */
#define QUEUE (2 * BENCH_MIB)

static gint64 in_flight; /* bytes */

static void
init (void)
{
  if (enet_initialize () != 0)
    g_error ("ENet does not start");
}

static guint
get_port (ENetHost *host)
{
  ENetAddress address;

  if (enet_socket_get_address (host->socket, &address) != 0)
    g_error ("ENet's socket has no address");
  return address.port;
}

/* Large ones are counted, small ones are sent back. */
static void
serve (const BenchOptions *options)
{
  ENetAddress address = { .port = options->port };
  ENetHost *host;
  ENetEvent event;
  guint64 bytes = 0;
  gint64 start = 0, last = 0;
  double cpu = 0;
  BenchJson json;

  init ();
  enet_address_set_host_ip (
      &address, options->listen != NULL ? options->listen : "127.0.0.1");
  host = enet_host_create (&address, 4, 2, 0, 0);
  bench_print_ready (get_port (host), NULL);
  while (enet_host_service (host, &event, PATIENCE) >= 0
         && event.type != ENET_EVENT_TYPE_DISCONNECT)
    {
      if (event.type == ENET_EVENT_TYPE_CONNECT)
        {
          start = g_get_monotonic_time ();
          cpu = bench_get_cpu_seconds ();
        }
      if (event.type != ENET_EVENT_TYPE_RECEIVE)
        continue;
      last = g_get_monotonic_time ();
      bytes += event.packet->dataLength;
      if (event.packet->dataLength == BENCH_PING_SIZE)
        {
          enet_peer_send (event.peer, 0, event.packet);
          enet_host_flush (host);
        }
      else
        enet_packet_destroy (event.packet);
    }
  bench_json_begin (&json);
  bench_json_add_number (&json, "bytes", bytes);
  bench_json_add_number (&json, "seconds", (last - start) / 1e6);
  bench_json_add_number (&json, "cpu_seconds", bench_get_cpu_seconds () - cpu);
  bench_json_print (&json);
}

static ENetPeer *
call (const BenchOptions *options, ENetHost **host)
{
  g_autoptr (GSocketAddress) to = bench_parse_address (options->to);
  GInetSocketAddress *inet = G_INET_SOCKET_ADDRESS (to);
  g_autofree char *ip
      = g_inet_address_to_string (g_inet_socket_address_get_address (inet));
  ENetAddress address = { .port = g_inet_socket_address_get_port (inet) };
  ENetPeer *peer;
  ENetEvent event;

  init ();
  enet_address_set_host_ip (&address, ip);
  *host = enet_host_create (NULL, 1, 2, 0, 0);
  peer = enet_host_connect (*host, &address, 2, 0);
  if (enet_host_service (*host, &event, PATIENCE) <= 0
      || event.type != ENET_EVENT_TYPE_CONNECT)
    g_error ("ENet does not connect");
  return peer;
}

static void
hang_up (ENetHost *host, ENetPeer *peer)
{
  ENetEvent event;

  enet_peer_disconnect (peer, 0);
  while (enet_host_service (host, &event, PATIENCE) > 0
         && event.type != ENET_EVENT_TYPE_DISCONNECT)
    ;
}

static void
on_freed (ENetPacket *packet)
{
  in_flight -= packet->dataLength;
}

static void
bulk (const BenchOptions *options)
{
  ENetHost *host;
  ENetPeer *peer = call (options, &host);
  g_autofree guint8 *message = g_malloc0 (options->message_size);
  guint64 size = (guint64) MAX (options->mebibytes, 1) * BENCH_MIB, sent = 0;
  double cpu = bench_get_cpu_seconds ();
  BenchJson json;

  while (sent < size || in_flight > 0)
    {
      ENetEvent event;

      while (sent < size && in_flight < QUEUE)
        {
          ENetPacket *packet = enet_packet_create (
              message, options->message_size,
              ENET_PACKET_FLAG_RELIABLE | ENET_PACKET_FLAG_NO_ALLOCATE);

          packet->freeCallback = on_freed;
          in_flight += options->message_size;
          sent += options->message_size;
          if (enet_peer_send (peer, 0, packet) != 0)
            g_error ("ENet does not send");
        }
      if (enet_host_service (host, &event, 1) > 0
          && event.type == ENET_EVENT_TYPE_DISCONNECT)
        g_error ("ENet lost the connection");
    }
  bench_json_begin (&json);
  bench_json_add_number (&json, "cpu_seconds", bench_get_cpu_seconds () - cpu);
  bench_json_print (&json);
  hang_up (host, peer);
}

static void
latency (const BenchOptions *options)
{
  ENetHost *host;
  ENetPeer *peer = call (options, &host);
  const guint8 ping[BENCH_PING_SIZE] = { 0 };
  double cpu = bench_get_cpu_seconds ();
  BenchDurations pongs;
  BenchJson json;

  bench_durations_init (&pongs);
  for (guint i = 0; i < options->count; i++)
    {
      gint64 start = g_get_monotonic_time ();
      ENetEvent event;

      enet_peer_send (peer, 0,
                      enet_packet_create (ping, sizeof ping,
                                          ENET_PACKET_FLAG_RELIABLE));
      do
        if (enet_host_service (host, &event, PATIENCE) <= 0)
          g_error ("ENet brought nothing back");
      while (event.type != ENET_EVENT_TYPE_RECEIVE);
      bench_durations_add (&pongs, g_get_monotonic_time () - start);
      enet_packet_destroy (event.packet);
    }
  bench_json_begin (&json);
  bench_json_add_durations (&json, &pongs);
  bench_json_add_number (&json, "cpu_seconds", bench_get_cpu_seconds () - cpu);
  bench_json_print (&json);
  hang_up (host, peer);
}

int
main (int argc, char **argv)
{
  static const BenchCommand commands[] = {
    { "serve", serve },
    { "bulk", bulk },
    { "latency", latency },
    { NULL, NULL },
  };

  return bench_run (argc, argv, commands);
}
