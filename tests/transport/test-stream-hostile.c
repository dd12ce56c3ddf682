/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Byte streams with a peer that means nothing good: each way of breaking the
 * protocol is found, and whatever else it says, the transport keeps to the
 * memory that it granted.
 */

#include "hole-punch/transport/hp-transport-private.h"

#include <string.h>

#define N_RUNS 2000
#define N_FRAMES 500
#define MAX_WINDOW 300000

/* Ours is the responder's side: it opens those with the bit. */
#define OURS(sequence) (HP_STREAM_NUMBER (sequence, HP_STREAM_BYTES) | 4)
#define THEIRS(sequence) HP_STREAM_NUMBER (sequence, HP_STREAM_BYTES)

typedef struct
{
  HpTransport *transport;
  GRand *random;
  gint64 now;
  guint64 number;
  guint64 sent;
  guint8 *bytes;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  HpTransportConfig config = { .receive_window = 1,
                               .max_receive_window = MAX_WINDOW };
  HpParameters theirs = HP_PARAMETERS_INIT;

  theirs.max_streams = 5;
  self->now = G_TIME_SPAN_HOUR;
  self->number = self->sent = 0;
  self->bytes = g_malloc0 (70000);
  self->transport = hp_transport_new (&config, self->now);
  hp_transport_set_responder (self->transport);
  hp_transport_set_remote_parameters (self->transport, &theirs);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  g_clear_pointer (&self->transport, hp_transport_free);
  g_clear_pointer (&self->bytes, g_free);
}

static gboolean
hear (Fixture *self, const HpFrame *frame)
{
  gboolean is_good = hp_transport_receive_frame (self->transport, frame,
                                                 self->number, self->now);

  hp_transport_packet_received (self->transport, self->number++, TRUE,
                                HP_ECN_NOT_ECT, self->now);
  return is_good;
}

static gboolean
chunk (Fixture *self, guint64 stream, guint64 offset, const char *text,
       gsize length, gboolean fin)
{
  HpFrame frame = { .type = HP_FRAME_CHUNK };

  memset (self->bytes, 0, length);
  memcpy (self->bytes, text, MIN (length, strlen (text)));
  frame.chunk = (HpChunkFrame){ .stream = stream,
                                .offset = offset,
                                .fin = fin,
                                .bytes = { self->bytes, length } };
  return hear (self, &frame);
}

static gboolean
reset (Fixture *self, guint64 stream, guint64 final_size)
{
  HpFrame frame = { .type = HP_FRAME_RESET };

  frame.reset.stream = stream;
  frame.reset.final_size = final_size;
  return hear (self, &frame);
}

static gboolean
stop (Fixture *self, guint64 stream)
{
  HpFrame frame = { .type = HP_FRAME_STOP };

  frame.reset.stream = stream;
  return hear (self, &frame);
}

static gboolean
maximum (Fixture *self, HpFrameType type, guint64 stream, guint64 value)
{
  HpFrame frame = { .type = type };

  frame.max.stream = stream;
  frame.max.maximum = value;
  return hear (self, &frame);
}

static guint64
open_ours (Fixture *self)
{
  return hp_transport_open_stream (self->transport, self->now);
}

static gsize
read_some (Fixture *self, guint64 stream, gboolean *at_end)
{
  g_autoptr (GBytes) bytes
      = hp_transport_stream_read (self->transport, stream, at_end);

  return bytes != NULL ? g_bytes_get_size (bytes) : 0;
}

/* What is not there can neither be written, nor ended, nor granted. */
static void
test_unknown (Fixture *self, gconstpointer data)
{
  g_assert_false (chunk (self, OURS (0), 0, "", 0, FALSE));
  g_assert_false (reset (self, OURS (0), 0));
  g_assert_false (stop (self, OURS (0)));
  g_assert_false (maximum (self, HP_FRAME_MAX_STREAM_DATA, OURS (0), 1));
  g_assert_cmpuint (open_ours (self), ==, OURS (0));
  g_assert_true (chunk (self, OURS (0), 0, "", 0, FALSE));
  g_assert_true (maximum (self, HP_FRAME_MAX_STREAM_DATA, OURS (0), 1));
  g_assert_true (stop (self, OURS (0)));
  g_assert_true (reset (self, OURS (0), 0));
  g_assert_false (reset (self, OURS (1), 0));
  /* One that waits for its turn is not open yet. */
  for (guint i = 1; i < 10; i++)
    g_assert_cmpuint (open_ours (self), ==, OURS (i));
  g_assert_true (stop (self, OURS (4)));
  g_assert_false (stop (self, OURS (5)));
  g_assert_true (maximum (self, HP_FRAME_MAX_STREAMS, 0, 6));
  g_assert_true (stop (self, OURS (5)));
  g_assert_false (stop (self, OURS (6)));
  /* What they open they may also stop before they have said anything. */
  g_assert_true (stop (self, THEIRS (0)));
  g_assert_true (maximum (self, HP_FRAME_MAX_STREAM_DATA, THEIRS (1), 1));
}

/* A number opens all below it, and none is beyond what we told. */
static void
test_too_many (Fixture *self, gconstpointer data)
{
  guint64 last = HP_MAX_STREAMS - 1;

  g_assert_false (chunk (self, THEIRS (last + 1), 0, "", 0, FALSE));
  g_assert_false (reset (self, THEIRS (last + 1), 0));
  g_assert_false (stop (self, THEIRS (HP_VARINT_MAX >> 3)));
  g_assert_cmpuint (g_hash_table_size (self->transport->streams.table), ==,
                    0);
  g_assert_true (chunk (self, THEIRS (last), 0, "", 0, FALSE));
  g_assert_cmpuint (g_hash_table_size (self->transport->streams.table), ==,
                    last + 1);
  g_assert_true (chunk (self, THEIRS (0), 0, "", 0, FALSE));
  g_assert_false (chunk (self, THEIRS (last + 1), 0, "", 0, FALSE));
}

static void
test_window (Fixture *self, gconstpointer data)
{
  g_assert_true (chunk (self, THEIRS (0), HP_BYTE_WINDOW - 1, "", 1, FALSE));
  g_assert_false (chunk (self, THEIRS (0), HP_BYTE_WINDOW - 1, "", 2, FALSE));
  g_assert_false (chunk (self, THEIRS (0), HP_BYTE_WINDOW, "", 1, FALSE));
  g_assert_false (chunk (self, THEIRS (1), HP_VARINT_MAX - 1, "", 1, FALSE));
  g_assert_true (chunk (self, THEIRS (2), HP_BYTE_WINDOW, "", 0, FALSE));
  g_assert_false (reset (self, THEIRS (3), HP_BYTE_WINDOW + 1));
  g_assert_true (reset (self, THEIRS (4), HP_BYTE_WINDOW));
  /* One that nobody reads is bound by it, too. */
  hp_transport_stream_stop (self->transport, THEIRS (5), HP_RESET_CANCELLED,
                            self->now);
  g_assert_true (chunk (self, THEIRS (6), 0, "", 0, FALSE));
  hp_transport_stream_stop (self->transport, THEIRS (6), HP_RESET_CANCELLED,
                            self->now);
  g_assert_true (chunk (self, THEIRS (6), HP_BYTE_WINDOW - 9, "", 9, FALSE));
  g_assert_false (chunk (self, THEIRS (6), HP_BYTE_WINDOW, "", 9, FALSE));
}

static void
test_final_size (Fixture *self, gconstpointer data)
{
  g_assert_true (chunk (self, THEIRS (0), 0, "", 100, FALSE));
  g_assert_false (chunk (self, THEIRS (0), 0, "", 99, TRUE));
  g_assert_false (reset (self, THEIRS (0), 99));
  g_assert_true (chunk (self, THEIRS (0), 200, "", 10, TRUE));
  g_assert_false (chunk (self, THEIRS (0), 210, "", 1, FALSE));
  g_assert_false (chunk (self, THEIRS (0), 200, "", 11, TRUE));
  g_assert_false (chunk (self, THEIRS (0), 200, "", 9, TRUE));
  g_assert_false (reset (self, THEIRS (0), 209));
  g_assert_false (reset (self, THEIRS (0), 211));
  g_assert_true (chunk (self, THEIRS (0), 210, "", 0, TRUE));
  g_assert_true (reset (self, THEIRS (0), 210));
  /* It is over: nothing matters any more. */
  g_assert_true (reset (self, THEIRS (0), 7));

  g_assert_true (chunk (self, THEIRS (1), 50, "", 1, FALSE));
  hp_transport_stream_stop (self->transport, THEIRS (1), HP_RESET_CANCELLED,
                            self->now);
  g_assert_false (chunk (self, THEIRS (1), 0, "", 50, TRUE));
  g_assert_false (reset (self, THEIRS (1), 50));
}

static void
test_disagreement (Fixture *self, gconstpointer data)
{
  gboolean at_end;

  g_assert_true (chunk (self, THEIRS (0), 10, "abcdef", 6, FALSE));
  g_assert_true (chunk (self, THEIRS (0), 12, "cdefgh", 6, FALSE));
  g_assert_true (chunk (self, THEIRS (0), 8, "..ab", 4, FALSE));
  g_assert_false (chunk (self, THEIRS (0), 15, "F", 1, FALSE));
  g_assert_false (chunk (self, THEIRS (0), 17, "h", 2, FALSE)
                  && chunk (self, THEIRS (0), 18, "x", 1, FALSE));
  /* Beyond a block's border */
  g_assert_true (
      chunk (self, THEIRS (1), HP_BYTE_BLOCK_SIZE - 2, "ab", 2, FALSE));
  g_assert_false (
      chunk (self, THEIRS (1), HP_BYTE_BLOCK_SIZE - 3, "xaB", 3, FALSE));
  /* What was read is the user's, and cannot be compared any more. */
  g_assert_true (chunk (self, THEIRS (2), 0, "abc", 3, FALSE));
  g_assert_cmpuint (read_some (self, THEIRS (2), &at_end), ==, 3);
  g_assert_true (chunk (self, THEIRS (2), 0, "xyzd", 4, FALSE));
  g_assert_cmpuint (read_some (self, THEIRS (2), &at_end), ==, 1);
}

/* Holes between crumbs would cost more than their bytes. */
static void
test_crumbs (Fixture *self, gconstpointer data)
{
  gboolean is_good = TRUE;
  guint n = 0;

  for (; is_good && n < 5000; n++)
    is_good = chunk (self, THEIRS (0), 3 * n + 1, "", 1, FALSE);
  g_assert_false (is_good);
  g_assert_cmpuint (n, <, 1000);
}

/* Credit for a stream comes back when both halves are over, not before. */
static void
test_no_early_credit (Fixture *self, gconstpointer data)
{
  for (guint i = 0; i < HP_MAX_STREAMS; i++)
    {
      g_assert_true (reset (self, THEIRS (i), 0));
      g_assert_cmpuint (self->transport->streams.streams.consumed, ==, 0);
    }
  g_assert_false (reset (self, THEIRS (HP_MAX_STREAMS), 0));
}

/* And now anything */

static guint64
below (Fixture *self, guint limit)
{
  return limit == 0 ? 0 : g_rand_int (self->random) % limit;
}

static guint64
some_stream (Fixture *self, gboolean careless)
{
  if (careless && below (self, 3) == 0)
    return below (self, 2) ? OURS (below (self, 10))
                           : THEIRS (below (self, 1000));
  if (below (self, 3) == 0 && self->transport->streams.n_opened > 0)
    return OURS (below (self, self->transport->streams.n_opened));
  return THEIRS (below (self, 64));
}

/* Of most streams what they say keeps to credit and to one end. */
static gboolean
say_chunk (Fixture *self, guint64 number, gboolean careless)
{
  HpByteStream *stream
      = hp_byte_streams_lookup (&self->transport->streams, number);
  guint64 told
      = stream != NULL ? stream->reader.credit.told : HP_BYTE_WINDOW;
  guint64 total = 1 + number * 7919 % 200000;
  guint64 lowest = told > 2 * HP_BYTE_WINDOW ? told - 2 * HP_BYTE_WINDOW : 0;
  guint64 start = MIN (lowest + below (self, 3 * HP_BYTE_WINDOW), total);
  guint64 end = start + below (self, 3) * below (self, 4000);
  gboolean fin;

  if (careless)
    return chunk (self, number, below (self, 400000), "",
                  below (self, 60000), below (self, 2));
  if (below (self, 2))
    start = stream != NULL ? stream->reader.read : 0;
  end = MIN (MIN (end, told), total);
  start = MIN (start, end);
  fin = end == total;
  return chunk (self, number, start, "", end - start, fin);
}

static gboolean
say_reset (Fixture *self, guint64 number, gboolean careless)
{
  HpByteStream *stream
      = hp_byte_streams_lookup (&self->transport->streams, number);

  if (careless || stream == NULL)
    return reset (self, number, careless ? below (self, 300000) : 0);
  return reset (self, number,
                MIN (stream->reader.total, stream->reader.credit.charged));
}

static gboolean
say_something (Fixture *self, gboolean careless)
{
  guint64 number = some_stream (self, careless);

  switch (below (self, careless ? 8 : 40))
    {
    case 0:
      return say_reset (self, number, careless);
    case 1:
      return stop (self, number);
    case 2:
      return maximum (self, HP_FRAME_MAX_STREAM_DATA, number,
                      below (self, 100000));
    case 3:
      return maximum (self, HP_FRAME_MAX_STREAMS, 0, below (self, 20));
    default:
      return say_chunk (self, number, careless);
    }
}

static void
act (Fixture *self)
{
  guint64 number = some_stream (self, FALSE);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("hello", 5);
  gboolean at_end;

  switch (below (self, 12))
    {
    case 0:
      open_ours (self);
      break;
    case 1:
      hp_transport_stream_write (self->transport, number, bytes, self->now);
      break;
    case 2:
      if (below (self, 10) == 0)
        hp_transport_stream_reset (self->transport, number,
                                   HP_RESET_CANCELLED, self->now);
      break;
    case 3:
      if (below (self, 10) == 0)
        hp_transport_stream_stop (self->transport, number, HP_RESET_CANCELLED,
                                  self->now);
      break;
    case 4:
      hp_transport_stream_finish (self->transport, number, self->now);
      break;
    default:
      while (below (self, 10) > 0 && read_some (self, number, &at_end) > 0)
        ;
      hp_transport_stream_consume (self->transport, number,
                                   below (self, 40000), self->now);
    }
}

static void
write_packets (Fixture *self)
{
  guint8 buffer[HP_DATAGRAM_SIZE_DEFAULT];
  HpTransportEvent event;
  HpWriter writer;

  self->now += below (self, 30000);
  if (hp_transport_get_deadline (self->transport, self->now) <= self->now)
    hp_transport_expire (self->transport, self->now);
  for (guint i = 0; i < 3; i++)
    {
      hp_writer_init (&writer, buffer, sizeof buffer);
      if (hp_transport_write_packet (self->transport, &writer, self->sent, 10,
                                     FALSE, self->now))
        self->sent++;
    }
  while (below (self, 4) > 0
         && hp_transport_next_event (self->transport, &event))
    ;
}

static gboolean
acknowledge (Fixture *self)
{
  HpFrame frame = { .type = HP_FRAME_ACK };

  if (self->sent == 0)
    return TRUE;
  frame.ack = (HpAckFrame){ .largest = self->sent - 1, .n_ranges = 1 };
  frame.ack.ranges[0]
      = (HpRange){ self->sent - 1 - below (self, MIN (self->sent, 20)),
                   self->sent };
  return hear (self, &frame);
}

static void
check_memory (Fixture *self)
{
  const HpTransport *transport = self->transport;
  gsize bound = g_hash_table_size (transport->streams.table)
                    * (HP_BYTE_WINDOW + HP_BYTE_BLOCK_SIZE)
                + transport->pool.size;

  g_assert_cmpuint (hp_transport_get_receive_memory (transport), <=, bound);
  g_assert_cmpuint (transport->pool.used, <=, transport->pool.size);
  g_assert_cmpuint (g_hash_table_size (transport->streams.table), <=,
                    HP_MAX_STREAMS + transport->streams.n_created);
}

static gboolean
run (Fixture *self)
{
  guint care = 1 << below (self, 14);
  gboolean is_good = TRUE;

  set_up (self, NULL);
  for (guint i = 0; is_good && i < N_FRAMES; i++)
    {
      is_good = say_something (self, below (self, care) == 0)
                && (below (self, 3) > 0 || acknowledge (self));
      act (self);
      write_packets (self);
      check_memory (self);
    }
  tear_down (self, NULL);
  return is_good;
}

static void
test_anything (void)
{
  Fixture self = { .random = g_rand_new_with_seed (1) };
  guint n_whole = 0;

  for (guint i = 0; i < N_RUNS; i++)
    n_whole += run (&self);
  g_test_message ("%u of %u went on", n_whole, N_RUNS);
  /* Both are there to be tested. */
  g_assert_cmpuint (n_whole, >, N_RUNS / 20);
  g_assert_cmpuint (n_whole, <, N_RUNS - N_RUNS / 20);
  g_rand_free (self.random);
}

#define ADD(name, function)                                                   \
  g_test_add ("/transport/stream-hostile/" name, Fixture, NULL, set_up,       \
              function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("unknown", test_unknown);
  ADD ("too-many", test_too_many);
  ADD ("window", test_window);
  ADD ("final-size", test_final_size);
  ADD ("disagreement", test_disagreement);
  ADD ("crumbs", test_crumbs);
  ADD ("no-early-credit", test_no_early_credit);
  g_test_add_func ("/transport/stream-hostile/anything", test_anything);
  return g_test_run ();
}
