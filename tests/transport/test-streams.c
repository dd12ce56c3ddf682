/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Byte streams over bad networks, all of it decided by a seed: who opens how
 * many, what is written in which pieces, which halves are finished, reset or
 * stopped, how slowly they are read. Each seed is a test; --seed N runs that
 * one alone and tells what happens.
 */

#include "seeds.h"
#include "transport-peer.h"

#include <string.h>

#define N_SEEDS 320
#define TIME_LIMIT (60 * G_TIME_SPAN_MINUTE)
#define LONGEST 400000
#define PERIOD 65521

typedef struct _Side Side;

typedef struct
{
  SimulatedNetwork *network;
  Side *sides[2];
  gboolean verbose;
} Scenario;

struct _Side
{
  Scenario *scenario;
  Side *other;
  const char *name;
  TransportPeer *peer;
  HpTransportConfig config;
  guint64 receive_window;
  GHashTable *streams; /* by number, of Stream */
  guint n_to_open;
  guint n_ended;
};

/* One side's view of a stream: what it writes, what it reads */
typedef struct
{
  Side *side;
  guint64 number;

  guint64 total;      /* of our half */
  guint64 reset_at;   /* G_MAXUINT64: it is finished properly */
  guint64 written;
  guint64 n_acked;
  gboolean is_finished;
  gboolean is_reset;
  gboolean is_sent;
  gboolean is_stopped; /* by the other side */

  guint64 stop_at; /* we read no further; G_MAXUINT64: we do */
  guint64 n_read;
  gboolean is_slow;
  guint64 to_consume;
  gboolean is_at_end;
  gboolean has_stopped;
  gboolean was_reset;

  gboolean has_ended;
} Stream;

static guint64
below (Scenario *self, guint64 limit)
{
  return simulated_network_random (self->network, limit);
}

static gboolean
chance (Scenario *self, double probability)
{
  return simulated_network_chance (self->network, probability);
}

static gint64
get_now (const Side *side)
{
  return simulated_network_get_now (side->scenario->network);
}

static void G_GNUC_PRINTF (2, 3)
say (const Stream *stream, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  if (!stream->side->scenario->verbose)
    return;
  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_printerr ("%12.6f %s %" G_GUINT64_FORMAT " %s\n",
              (get_now (stream->side) - G_TIME_SPAN_HOUR) / 1e6,
              stream->side->name, stream->number, text);
}

/* What side @name writes to stream @number from @offset on: PERIOD bytes at
 * most are side by side */
static const guint8 *
bytes_at (const char *name, guint64 number, guint64 offset)
{
  static guint8 bytes[2 * PERIOD];
  static guint n_made;

  for (guint i = n_made; i < 2 * PERIOD; i = ++n_made)
    bytes[i] = (i % PERIOD + 1) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) >> 56;
  return bytes + (offset + number * 1009 + name[0] * 7919) % PERIOD;
}

static guint64
choose_length (Scenario *self)
{
  static const guint64 edges[]
      = { 0, 0, 1, 16383, 16384, 16385, 32768, 65536, 65537 };

  switch (below (self, 5))
    {
    case 0:
      return edges[below (self, G_N_ELEMENTS (edges))];
    case 1:
      return below (self, LONGEST);
    default:
      return below (self, 5000);
    }
}

static void write_some (gpointer data);

static Stream *
stream_new (Side *side, guint64 number)
{
  Scenario *self = side->scenario;
  Stream *stream = g_new0 (Stream, 1);

  stream->side = side;
  stream->number = number;
  stream->total = choose_length (self);
  stream->reset_at = G_MAXUINT64;
  if (chance (self, 0.15))
    stream->reset_at = below (self, stream->total + 1);
  stream->stop_at = G_MAXUINT64;
  if (chance (self, 0.15))
    stream->stop_at = below (self, 2) ? 0 : below (self, LONGEST);
  stream->is_slow = chance (self, 0.2);
  g_assert_true (g_hash_table_insert (side->streams, &stream->number, stream));
  say (stream, "writes %" G_GUINT64_FORMAT, stream->total);
  if (chance (self, 0.3))
    hp_transport_stream_set_weight (side->peer->transport, number,
                                    1 + below (self, 256));
  simulated_network_call_at (self->network,
                             get_now (side) + below (self, 100000), write_some,
                             stream);
  return stream;
}

static GBytes *
make_piece (const Stream *stream, gsize size)
{
  return g_bytes_new (bytes_at (stream->side->name, stream->number,
                                stream->written),
                      size);
}

static void
write_some (gpointer data)
{
  Stream *stream = data;
  Side *side = stream->side;
  Scenario *self = side->scenario;
  HpTransport *transport = side->peer->transport;
  gint64 now = get_now (side);

  for (guint i = 1 + below (self, 5); i > 0; i--)
    {
      guint64 left = MIN (stream->total, stream->reset_at) - stream->written;
      gsize most = chance (self, 0.3) ? PERIOD : 2000;
      gsize size = below (self, most);
      g_autoptr (GBytes) bytes = NULL;

      size = MIN (size, left);
      bytes = make_piece (stream, size);
      hp_transport_stream_write (transport, stream->number, bytes, now);
      stream->written += size;
    }
  if (stream->written == stream->reset_at)
    {
      say (stream, "reset at %" G_GUINT64_FORMAT, stream->written);
      stream->is_reset = TRUE;
      hp_transport_stream_reset (transport, stream->number,
                                 HP_RESET_CANCELLED, now);
    }
  else if (stream->written == stream->total)
    {
      stream->is_finished = TRUE;
      hp_transport_stream_finish (transport, stream->number, now);
    }
  else if (!stream->is_stopped)
    simulated_network_call_at (
        self->network, now + below (self, chance (self, 0.1) ? 500000 : 2000),
        write_some, stream);
  transport_peer_pump (side->peer);
}

static void
consume_slowly (gpointer data)
{
  Stream *stream = data;
  Side *side = stream->side;
  gsize size = 1 + below (side->scenario, 20000);

  size = MIN (size, stream->to_consume);
  stream->to_consume -= size;
  hp_transport_stream_consume (side->peer->transport, stream->number, size,
                               get_now (side));
  if (stream->to_consume > 0)
    simulated_network_call_at (side->scenario->network,
                               get_now (side) + below (side->scenario, 100000),
                               consume_slowly, stream);
  transport_peer_pump (side->peer);
}

static void
take_bytes (Stream *stream, GBytes *bytes)
{
  Side *side = stream->side;
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  g_assert_cmpuint (size, >, 0);
  g_assert_false (stream->has_stopped);
  g_assert_cmpmem (
      data, size,
      bytes_at (side->other->name, stream->number, stream->n_read), size);
  stream->n_read += size;
  if (!stream->is_slow)
    {
      hp_transport_stream_consume (side->peer->transport, stream->number, size,
                                   get_now (side));
      return;
    }
  if (stream->to_consume == 0)
    simulated_network_call_at (side->scenario->network,
                               get_now (side) + below (side->scenario, 100000),
                               consume_slowly, stream);
  stream->to_consume += size;
}

static void
stop_reading (Stream *stream)
{
  say (stream, "stops at %" G_GUINT64_FORMAT, stream->n_read);
  stream->has_stopped = TRUE;
  hp_transport_stream_stop (stream->side->peer->transport, stream->number,
                            HP_RESET_TOO_LARGE, get_now (stream->side));
}

static void
read_all (Stream *stream)
{
  HpTransport *transport = stream->side->peer->transport;
  gboolean at_end = FALSE;
  GBytes *bytes;

  while (stream->n_read < stream->stop_at
         && (bytes = hp_transport_stream_read (transport, stream->number,
                                               &at_end)))
    {
      g_assert_false (at_end);
      take_bytes (stream, bytes);
      g_bytes_unref (bytes);
    }
  if (stream->n_read >= stream->stop_at && !stream->has_stopped)
    stop_reading (stream);
  stream->is_at_end = stream->is_at_end || at_end;
}

static void
on_ended (Stream *stream)
{
  gboolean at_end;

  g_assert_false (stream->has_ended);
  g_assert_true (stream->is_sent || stream->is_reset || stream->is_stopped);
  g_assert_true (stream->is_at_end || stream->has_stopped
                 || stream->was_reset);
  stream->has_ended = TRUE;
  stream->side->n_ended++;
  /* Its number means nothing any more. */
  g_assert_null (hp_transport_stream_read (stream->side->peer->transport,
                                           stream->number, &at_end));
  g_assert_false (at_end);
}

static void
on_event (TransportPeer *peer, const HpTransportEvent *event)
{
  Side *side = peer->user_data;
  Stream *stream = g_hash_table_lookup (side->streams, &event->stream);

  if (event->type == HP_TRANSPORT_EVENT_STREAM_OPENED)
    {
      g_assert_null (stream);
      stream = stream_new (side, event->stream);
      if (stream->stop_at == 0)
        stop_reading (stream);
      return;
    }
  g_assert_nonnull (stream);
  g_assert_false (stream->has_ended);
  switch (event->type)
    {
    case HP_TRANSPORT_EVENT_STREAM_READABLE:
      read_all (stream);
      break;
    case HP_TRANSPORT_EVENT_STREAM_ACKED:
      g_assert_cmpuint (event->length, >, 0);
      stream->n_acked += event->length;
      g_assert_cmpuint (stream->n_acked, <=, stream->written);
      break;
    case HP_TRANSPORT_EVENT_STREAM_SENT:
      g_assert_true (stream->is_finished);
      g_assert_cmpuint (stream->n_acked, ==, stream->total);
      stream->is_sent = TRUE;
      break;
    case HP_TRANSPORT_EVENT_STREAM_RESET:
      g_assert_false (stream->is_at_end);
      stream->was_reset = TRUE;
      break;
    case HP_TRANSPORT_EVENT_STREAM_STOPPED:
      g_assert_cmpuint (event->code, ==, HP_RESET_TOO_LARGE);
      stream->is_stopped = TRUE;
      break;
    case HP_TRANSPORT_EVENT_STREAM_ENDED:
      say (stream, "ended");
      on_ended (stream);
      break;
    case HP_TRANSPORT_EVENT_MESSAGE:
    case HP_TRANSPORT_EVENT_DELIVERED:
    case HP_TRANSPORT_EVENT_FAILED:
    case HP_TRANSPORT_EVENT_STREAM_OPENED:
    default:
      g_assert_not_reached ();
    }
}

static void
open_one (gpointer data)
{
  Side *side = data;
  guint64 number = hp_transport_open_stream (side->peer->transport,
                                             get_now (side));
  Stream *stream = stream_new (side, number);

  /* Whoever opens it is to be heard, even if it says nothing for now. */
  if (stream->stop_at == 0)
    stop_reading (stream);
  transport_peer_pump (side->peer);
}

static void
choose_link (Scenario *self, SimulatedLink *link)
{
  *link = (SimulatedLink){ .delay = below (self, 60000) };
  if (chance (self, 0.5))
    link->loss = below (self, 3) ? 0.02 : 0.15;
  if (chance (self, 0.4))
    link->jitter = below (self, 20000);
  if (chance (self, 0.4))
    {
      link->reordering = 0.1;
      link->reordering_delay = below (self, 50000);
    }
  if (chance (self, 0.3))
    link->duplication = 0.1;
  if (chance (self, 0.2))
    link->corruption = 0.02;
  if (chance (self, 0.4))
    {
      link->rate = 50000 + below (self, 5000000);
      link->queue = 20000 + below (self, 200000);
    }
}

static Side *
side_new (Scenario *self, guint number)
{
  static const guint64 max_windows[] = { 1, 200000, 0, 0 };
  HpAddress address = simulated_address (1 + number, 4222);
  Side *side = g_new0 (Side, 1);

  side->scenario = self;
  side->name = number == 0 ? "A" : "B";
  side->streams
      = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
  side->config.receive_window = 1;
  side->config.max_receive_window
      = max_windows[below (self, G_N_ELEMENTS (max_windows))];
  side->n_to_open = below (self, 8) ? below (self, 12) : below (self, 700);
  side->peer = transport_peer_new (self->network, &address, &side->config);
  side->peer->on_event = on_event;
  side->peer->user_data = side;
  side->peer->takes_numbers = chance (self, 0.5);
  return side;
}

static void
side_free (Side *side)
{
  transport_peer_free (side->peer);
  g_hash_table_unref (side->streams);
  g_free (side);
}

/* What docs and header say of memory */
static void
check_memory (const Side *side)
{
  const HpTransport *transport = side->peer->transport;
  gsize bound = g_hash_table_size (transport->streams.table)
                    * (HP_BYTE_WINDOW + HP_BYTE_BLOCK_SIZE)
                + transport->pool.size;

  g_assert_cmpuint (hp_transport_get_receive_memory (transport), <=, bound);
  g_assert_cmpuint (transport->pool.used, <=, transport->pool.size);
}

static void
check_half (const Stream *writer, const Stream *reader)
{
  g_assert_cmpuint (reader->n_read, <=, writer->written);
  if (reader->is_at_end)
    {
      g_assert_true (writer->is_finished);
      g_assert_cmpuint (reader->n_read, ==, writer->total);
      g_assert_true (writer->is_sent || writer->is_stopped);
    }
  if (reader->was_reset)
    g_assert_true (writer->is_reset);
  if (writer->is_stopped)
    g_assert_true (reader->has_stopped);
  /* Whoever wants it all gets it. */
  if (reader->stop_at == G_MAXUINT64 && writer->is_finished)
    g_assert_true (reader->is_at_end && writer->is_sent);
}

static void
check_end (const Side *side)
{
  guint n = side->n_to_open + side->other->n_to_open;
  GHashTableIter iter;
  gpointer value;

  g_assert_cmpuint (g_hash_table_size (side->streams), ==, n);
  g_assert_cmpuint (side->n_ended, ==, n);
  g_hash_table_iter_init (&iter, side->streams);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Stream *ours = value;
      const Stream *theirs
          = g_hash_table_lookup (side->other->streams, &ours->number);

      check_half (ours, theirs);
    }
  transport_peer_assert_idle (side->peer);
}

static guint64
run_scenario (guint64 seed, gboolean verbose)
{
  Scenario self = { .verbose = verbose };
  SimulatedLink link;
  gint64 start;
  guint64 trace;

  self.network = simulated_network_new (seed);
  simulated_network_set_verbose (self.network, verbose);
  start = simulated_network_get_now (self.network);
  choose_link (&self, &link);
  simulated_network_set_default_link (self.network, &link);
  for (guint i = 0; i < 2; i++)
    self.sides[i] = side_new (&self, i);
  transport_peer_introduce (self.sides[0]->peer, self.sides[1]->peer);
  for (guint i = 0; i < 2; i++)
    {
      self.sides[i]->other = self.sides[1 - i];
      for (guint j = 0; j < self.sides[i]->n_to_open; j++)
        simulated_network_call_at (self.network,
                                   start + below (&self, 1000000), open_one,
                                   self.sides[i]);
    }

  /* Until nothing is left to happen: no timer of an idle transport runs. */
  while (simulated_network_step (self.network, start + TIME_LIMIT))
    {
      check_memory (self.sides[0]);
      check_memory (self.sides[1]);
    }
  check_end (self.sides[0]);
  check_end (self.sides[1]);

  trace = simulated_network_get_trace (self.network);
  simulated_network_free (self.network);
  side_free (self.sides[0]);
  side_free (self.sides[1]);
  return trace;
}

int
main (int argc, char **argv)
{
  static const Seeds seeds = { "/transport/streams/", N_SEEDS, run_scenario };

  return seeds_main (&seeds, argc, argv);
}
