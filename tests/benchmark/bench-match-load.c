/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "bench-match-load.h"

#include <string.h>
#include <time.h>

/* Far more than are in flight, of a power of two */
#define MAX_FLYING (1u << 21)
/* Peers are taken in an order that no cache foresees. */
#define STRIDE G_GUINT64_CONSTANT (2654435761)
/* Durations that are kept, for the percentiles */
#define MAX_DURATIONS (1u << 20)
#define STUN_HEADER_SIZE 20

typedef struct
{
  guint32 number;
  gint64 asked_at;
} Flying;

typedef struct
{
  BenchLoad *load;
  const BenchLoadOrder *order;
  Flying *flying;
  guint64 head, tail; /* of the ring */
  guint32 in_flight;
  guint64 next, most; /* requests */
  guint64 busy; /* peers that had one under way, or no session */
  guint64 answered, refused, lost;
  gint64 started_at, ends_at, answered_at;
  BenchDurations durations;
} Run;

static double
get_server_seconds (BenchLoad *self)
{
  struct timespec time;

  if (clock_gettime (self->server_clock, &time) != 0)
    g_error ("The server is gone");
  return time.tv_sec + time.tv_nsec / 1e9;
}

/* Requests */

/* STUN (RFC 8489, section 5) and echo: the number is in the transaction. */
static void
send_stun (BenchLoad *self, guint32 number)
{
  static const guint8 header[] = { 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42 };
  guint8 *bytes = bench_net_begin (self->net, number);

  memset (bytes, 0, STUN_HEADER_SIZE);
  memcpy (bytes, header, sizeof header);
  memcpy (bytes + sizeof header, &number, sizeof number);
  bench_net_end (self->net, STUN_HEADER_SIZE);
}

static void
send_echo (BenchLoad *self, guint32 number, gsize size)
{
  guint8 *bytes = bench_net_begin (self->net, number);

  memset (bytes, 0, size);
  memcpy (bytes + 8, &number, sizeof number);
  bench_net_end (self->net, size);
}

/* One of them whose number is @odd, or not */
static guint32
choose_target (Run *run, gboolean odd)
{
  const BenchLoadOrder *order = run->order;
  guint64 any = order->first
                + (run->next * STRIDE + order->count / 3) % order->count;

  return (any & ~G_GUINT64_CONSTANT (1)) | odd;
}

static void
send_request (Run *run, guint32 number)
{
  BenchMatchPeers *peers = &run->load->peers;

  switch (run->order->kind)
    {
    case BENCH_LOAD_CONNECT:
      bench_match_peers_connect (peers, number);
      break;
    case BENCH_LOAD_REGISTER:
      bench_match_peers_register (peers, number);
      break;
    case BENCH_LOAD_PING:
      bench_match_peers_ping (peers, number);
      break;
    case BENCH_LOAD_ASK:
    case BENCH_LOAD_ASK_REPLY:
      bench_match_peers_ask (
          peers, number,
          choose_target (run, run->order->kind == BENCH_LOAD_ASK_REPLY));
      break;
    case BENCH_LOAD_MIXED:
      if (run->next % 2 == 0)
        bench_match_peers_ping (peers, number);
      else
        bench_match_peers_ask (peers, number, choose_target (run, FALSE));
      break;
    case BENCH_LOAD_STUN:
      send_stun (run->load, number);
      break;
    case BENCH_LOAD_ECHO:
      send_echo (run->load, number, run->order->size);
      break;
    }
}

static gboolean
goes_in_order (const BenchLoadOrder *order)
{
  return order->seconds == 0;
}

/* Or does not want one. Who has one is not connected again for order's sake. */
static gboolean
has_its_session (const Run *run, const BenchMatchPeer *peer)
{
  switch (run->order->kind)
    {
    case BENCH_LOAD_CONNECT:
      return peer->session == NULL || !goes_in_order (run->order);
    case BENCH_LOAD_STUN:
    case BENCH_LOAD_ECHO:
      return TRUE;
    case BENCH_LOAD_REGISTER:
    case BENCH_LOAD_PING:
    case BENCH_LOAD_ASK:
    case BENCH_LOAD_ASK_REPLY:
    case BENCH_LOAD_MIXED:
      break;
    }
  return peer->session != NULL;
}

/* @due: when it was to be sent; what it waits for us counts, too. */
static void
send_next (Run *run, gint64 due)
{
  const BenchLoadOrder *order = run->order;
  guint64 step = goes_in_order (order) ? run->next : run->next * STRIDE;
  guint32 number = order->first + step % order->count;
  BenchMatchPeer *peer = run->load->peers.peers + number;

  if (peer->asked_at != 0 || !has_its_session (run, peer))
    {
      run->next++;
      run->busy++;
      return;
    }
  peer->asked_at = due;
  run->flying[run->tail++ % MAX_FLYING] = (Flying){ number, due };
  run->in_flight++;
  send_request (run, number);
  run->next++;
}

/* Answers */

static void
on_done (gpointer user_data, guint32 number, BenchMatchOutcome outcome)
{
  Run *run = user_data;
  BenchMatchPeer *peer = run->load->peers.peers + number;
  gint64 now = g_get_monotonic_time ();

  if (peer->asked_at == 0)
    return;
  if (outcome == BENCH_MATCH_REFUSED)
    run->refused++;
  else
    run->answered++;
  if (run->durations.values->len < MAX_DURATIONS)
    bench_durations_add (&run->durations, now - peer->asked_at);
  peer->asked_at = 0;
  run->in_flight--;
  run->answered_at = now;
}

static void
receive_numbered (gpointer user_data, guint8 *bytes, gsize length)
{
  Run *run = user_data;
  guint32 number;

  if (length < STUN_HEADER_SIZE)
    return;
  memcpy (&number, bytes + 8, sizeof number);
  if (number < run->load->peers.n)
    on_done (run, number, BENCH_MATCH_ANSWER);
}

static void
receive (Run *run)
{
  gboolean is_numbered = run->order->kind == BENCH_LOAD_STUN
                         || run->order->kind == BENCH_LOAD_ECHO;

  if (is_numbered)
    bench_net_receive (run->load->net, receive_numbered, run);
  else
    bench_net_receive (run->load->net, bench_match_peers_receive,
                       &run->load->peers);
}

static void
give_up_old (Run *run, gint64 now)
{
  gint64 patience = goes_in_order (run->order) ? BENCH_LOAD_LONG_PATIENCE
                                               : BENCH_LOAD_PATIENCE;

  for (; run->head < run->tail; run->head++)
    {
      const Flying *oldest = run->flying + run->head % MAX_FLYING;
      BenchMatchPeer *peer = run->load->peers.peers + oldest->number;

      if (peer->asked_at != oldest->asked_at)
        continue;
      if (oldest->asked_at + patience > now
          && run->tail - run->head < MAX_FLYING)
        return;
      run->lost++;
      run->in_flight--;
      peer->asked_at = 0;
    }
}

/* The run */

static guint64
get_due (const Run *run, gint64 now)
{
  if (run->order->rate == 0)
    return run->next + run->order->window - MIN (run->in_flight,
                                                 run->order->window);
  return MIN (now, run->ends_at) - run->started_at > 0
             ? (MIN (now, run->ends_at) - run->started_at)
                   * run->order->rate / G_USEC_PER_SEC
             : 0;
}

/* A batch at a time, so that answers do not pile up meanwhile */
static void
send_due (Run *run, gint64 now)
{
  guint64 due = MIN (get_due (run, now), run->most);
  double rate = run->order->rate;

  if (now >= run->ends_at)
    return;
  for (guint i = 0; i < 64 && run->next < due; i++)
    send_next (run, rate == 0 ? now
                              : run->started_at
                                    + run->next * G_USEC_PER_SEC / rate);
  bench_net_flush (run->load->net);
}

static void
go (Run *run)
{
  gint64 now = g_get_monotonic_time ();

  while ((now < run->ends_at && run->next < run->most) || run->in_flight > 0)
    {
      send_due (run, now);
      receive (run);
      bench_net_flush (run->load->net);
      now = g_get_monotonic_time ();
      give_up_old (run, now);
      if (now >= run->ends_at || MIN (get_due (run, now), run->most)
                                     <= run->next)
        bench_net_wait (run->load->net, run->order->rate == 0 ? 1000 : 50);
    }
}

static char *
make_json (Run *run, double server_seconds, double own_seconds)
{
  double seconds = MAX (run->answered_at - run->started_at, 1) / 1e6;
  guint64 n = run->answered;
  g_autofree char *latency = NULL;
  BenchJson durations, json;

  bench_json_begin (&durations);
  bench_json_add_durations (&durations, &run->durations);
  latency = bench_json_end (&durations);
  bench_json_begin (&json);
  bench_json_add_number (&json, "requests", run->next - run->busy);
  bench_json_add_number (&json, "answered", run->answered);
  bench_json_add_number (&json, "refused", run->refused);
  bench_json_add_number (&json, "lost", run->lost);
  bench_json_add_number (&json, "introductions",
                         run->load->peers.introductions);
  bench_json_add_number (&json, "strange", run->load->peers.strange);
  bench_json_add_number (&json, "seconds", seconds);
  bench_json_add_number (&json, "rate", n / seconds);
  bench_json_add_number (&json, "server_seconds", server_seconds);
  bench_json_add_number (&json, "own_seconds", own_seconds);
  bench_json_add_number (&json, "per_core", n / MAX (server_seconds, 1e-6));
  bench_json_add_number (&json, "cpu_us",
                         server_seconds * 1e6 / MAX (n, 1));
  bench_json_add_object (&json, "latency", latency);
  return bench_json_end (&json);
}

char *
bench_load_run (BenchLoad *self, const BenchLoadOrder *order)
{
  double server_seconds = get_server_seconds (self);
  double own_seconds = bench_get_cpu_seconds ();
  Run run = { .load = self, .order = order };
  char *json;

  run.flying = g_new (Flying, MAX_FLYING);
  bench_durations_init (&run.durations);
  run.started_at = run.answered_at = g_get_monotonic_time ();
  run.most = goes_in_order (order) ? order->count : G_MAXUINT64;
  run.ends_at = goes_in_order (order)
                    ? G_MAXINT64
                    : run.started_at + order->seconds * G_USEC_PER_SEC;
  self->peers.done = on_done;
  self->peers.user_data = &run;
  self->peers.introductions = self->peers.strange = 0;
  go (&run);
  json = make_json (&run, get_server_seconds (self) - server_seconds,
                    bench_get_cpu_seconds () - own_seconds);
  bench_durations_clear (&run.durations);
  g_free (run.flying);
  return json;
}
