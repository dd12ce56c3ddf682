/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What single steps of a datagram's way cost, each called on its own, its data
 * in the cache. A case runs batches, whose preparation is not counted, for so
 * long that the clock does not matter.
 */

#include "hole-punch/secure/hp-session.h"
#include "hole-punch/transport/hp-ack-tracker.h"
#include "hole-punch/transport/hp-loss.h"
#include "hole-punch/transport/hp-reassembler.h"
#include "hole-punch/wire/hp-frame.h"

#include "bench-common.h"

#include <string.h>

#define BATCH 256
#define MAX_DATAGRAM 65507
#define CASE_TIME (50 * G_TIME_SPAN_MILLISECOND)
#define NOW G_TIME_SPAN_SECOND
/* Of a message in a datagram of 1024 bytes */
#define CHUNK 980

typedef struct
{
  gint64 total, start; /* µs */
  guint64 operations;
} Clock;

static void
clock_start (Clock *self)
{
  self->start = g_get_monotonic_time ();
}

static void
clock_stop (Clock *self, guint operations)
{
  self->total += g_get_monotonic_time () - self->start;
  self->operations += operations;
}

typedef struct
{
  const char *name;
  void (*run_batch) (Clock *clock, gsize size, guint variant);
  gsize size;
  guint variant;
} Case;

static guint8 packets[BATCH][2048];
static guint8 large_packet[MAX_DATAGRAM];
static const guint8 key[HP_KEY_SIZE] = { 1, 2, 3 };
static guint64 aead_number;

static void
run_aead_seal (Clock *clock, gsize size, guint suite)
{
  g_autoptr (HpAead) aead = hp_aead_new (suite, key);
  guint8 *bytes = size > sizeof packets[0] ? large_packet : packets[0];

  clock_start (clock);
  for (guint i = 0; i < BATCH; i++)
    hp_aead_seal (aead, aead_number++, NULL, 0, bytes, size - HP_TAG_SIZE,
                  bytes);
  clock_stop (clock, BATCH);
}

static void
run_session_seal (Clock *clock, gsize size, guint suite)
{
  g_autoptr (HpSession) session = hp_session_new (
      suite, TRUE, key, key, 1, 2, HP_REPLAY_WINDOW_PEER, NOW);

  clock_start (clock);
  for (guint i = 0; i < BATCH; i++)
    hp_session_seal (session, packets[i], size - HP_DATA_OVERHEAD, NOW);
  clock_stop (clock, BATCH);
}

static void
run_session_open (Clock *clock, gsize size, guint suite)
{
  g_autoptr (HpSession) from = hp_session_new (suite, TRUE, key, key, 1, 2,
                                               HP_REPLAY_WINDOW_PEER, NOW);
  g_autoptr (HpSession) to = hp_session_new (suite, FALSE, key, key, 2, 1,
                                             HP_REPLAY_WINDOW_PEER, NOW);

  for (guint i = 0; i < BATCH; i++)
    hp_session_seal (from, packets[i], size - HP_DATA_OVERHEAD, NOW);
  clock_start (clock);
  for (guint i = 0; i < BATCH; i++)
    {
      guint64 number;
      guint8 *plain;
      gsize plain_length;

      if (hp_session_open (to, packets[i], size, NOW, &number, &plain,
                           &plain_length)
          != HP_OPEN_OK)
        g_error ("what was sealed does not open");
    }
  clock_stop (clock, BATCH);
}

static HpFrame
get_chunk (gsize size)
{
  return (HpFrame) {
    .type = HP_FRAME_CHUNK,
    .chunk = {
      .stream = HP_STREAM_NUMBER (77, HP_STREAM_ORDERED),
      .offset = 123456,
      .bytes = { large_packet, size },
    },
  };
}

static HpFrame
get_ack (guint n_ranges)
{
  HpFrame frame = {
    .type = HP_FRAME_ACK,
    .ack = { .largest = 1000000, .delay = 100, .n_ranges = n_ranges },
  };

  for (guint i = 0; i < n_ranges; i++)
    frame.ack.ranges[i]
        = (HpRange) { 1000000 - i * 10 - 5, 1000001 - i * 10 };
  return frame;
}

static void
write_frames (Clock *clock, const HpFrame *frame)
{
  clock_start (clock);
  for (guint i = 0; i < BATCH; i++)
    {
      HpWriter writer;

      hp_writer_init (&writer, packets[i], sizeof packets[i]);
      hp_frame_write (frame, &writer);
      if (!hp_writer_ok (&writer))
        g_error ("a frame does not fit");
    }
  clock_stop (clock, BATCH);
}

static void
parse_frames (Clock *clock, const HpFrame *frame)
{
  guint8 bytes[2048];
  HpWriter writer;

  hp_writer_init (&writer, bytes, sizeof bytes);
  hp_frame_write (frame, &writer);
  clock_start (clock);
  for (guint i = 0; i < BATCH; i++)
    {
      HpReader reader;
      HpFrame parsed;

      hp_reader_init (&reader, bytes, writer.offset);
      if (!hp_frame_parse (&parsed, &reader))
        g_error ("what was written does not parse");
    }
  clock_stop (clock, BATCH);
}

static void
run_write_chunk (Clock *clock, gsize size, guint variant)
{
  HpFrame frame = get_chunk (size);

  write_frames (clock, &frame);
}

static void
run_parse_chunk (Clock *clock, gsize size, guint variant)
{
  HpFrame frame = get_chunk (size);

  parse_frames (clock, &frame);
}

static void
run_write_ack (Clock *clock, gsize size, guint n_ranges)
{
  HpFrame frame = get_ack (n_ranges);

  write_frames (clock, &frame);
}

static void
run_parse_ack (Clock *clock, gsize size, guint n_ranges)
{
  HpFrame frame = get_ack (n_ranges);

  parse_frames (clock, &frame);
}

/* One of @gap numbers is missing; an ACK for each 64 packets */
static void
run_ack_tracker (Clock *clock, gsize size, guint gap)
{
  HpAckTracker tracker;
  HpAckFrame ack;

  hp_ack_tracker_init (&tracker);
  clock_start (clock);
  for (guint i = 0; i < BATCH; i++)
    {
      if (gap == 0 || i % gap != gap - 1)
        hp_ack_tracker_received (&tracker, i, TRUE, HP_ECN_NOT_ECT, NOW + i);
      if (i % 64 == 63)
        {
          hp_ack_tracker_fill (&tracker, &ack, HP_MAX_ACK_RANGES, NOW + i);
          hp_ack_tracker_sent (&tracker);
        }
    }
  clock_stop (clock, BATCH);
  hp_ack_tracker_clear (&tracker);
}

static void
on_settled (gpointer n_settled, const HpSentPacket *packet)
{
  (*(guint *) n_settled)++;
}

static void
on_persistent (gpointer user_data)
{
}

static const HpLossObserver observer = {
  .acked = on_settled,
  .lost = on_settled,
  .persistent = on_persistent,
};

/* Packets go out, and an ACK for each 64 comes; one of @gap is lost */
static void
run_loss (Clock *clock, gsize size, guint gap)
{
  guint n_settled = 0;
  HpLoss loss;
  HpRtt round_trip;
  HpAckTracker tracker;

  hp_rtt_init (&round_trip);
  hp_loss_init (&loss, &observer, &n_settled, &round_trip);
  hp_ack_tracker_init (&tracker);
  for (guint i = 0; i < BATCH; i += 64)
    {
      HpAckFrame ack;

      for (guint j = i; j < i + 64; j++)
        if (gap == 0 || j % gap != gap - 1)
          hp_ack_tracker_received (&tracker, j, TRUE, HP_ECN_NOT_ECT, NOW + j);
      hp_ack_tracker_fill (&tracker, &ack, HP_MAX_ACK_RANGES, NOW + i);
      clock_start (clock);
      for (guint j = i; j < i + 64; j++)
        {
          hp_sent_ring_add_record (&loss.ring, HP_RECORD_MAX_DATA, NULL, j, 0);
          hp_loss_sent (&loss, j, 1024, NOW + j);
        }
      if (!hp_loss_acknowledge (&loss, &ack, NOW + i + 1000))
        g_error ("an ACK brought no news");
      clock_stop (clock, 64);
    }
  if (n_settled < BATCH - 64)
    g_error ("only %u packets were settled", n_settled);
  hp_ack_tracker_clear (&tracker);
  hp_loss_clear (&loss);
}

/* A message of BATCH chunks; of each @group, the last comes first */
static void
run_reassembler (Clock *clock, gsize size, guint group)
{
  g_autoptr (GBytes) message = NULL;
  HpReassembler reassembler;

  hp_reassembler_init (&reassembler, BENCH_MIB);
  clock_start (clock);
  for (guint i = 0; i < BATCH; i++)
    {
      guint at = i - i % group + group - 1 - i % group;
      HpChunkFrame chunk = {
        .offset = at * size,
        .fin = at == BATCH - 1,
        .total = at == 0 ? BATCH * size : 0,
        .bytes = { large_packet, size },
      };

      if (!hp_reassembler_check (&reassembler, &chunk))
        g_error ("a chunk was refused");
      hp_reassembler_learn_total (&reassembler, &chunk);
      if (!hp_reassembler_add (&reassembler, &chunk))
        g_error ("a chunk was not taken");
    }
  message = hp_reassembler_take (&reassembler);
  clock_stop (clock, BATCH);
  hp_reassembler_clear (&reassembler);
}

#define AES HP_SUITE_AES_GCM
#define CHACHA HP_SUITE_CHACHA_POLY

static const Case cases[] = {
  { "AES-256-GCM, seal, 1024 B", run_aead_seal, 1024, AES },
  { "AES-256-GCM, seal, 1472 B", run_aead_seal, 1472, AES },
  { "AES-256-GCM, seal, 65507 B", run_aead_seal, 65507, AES },
  { "ChaCha20-Poly1305, seal, 1024 B", run_aead_seal, 1024, CHACHA },
  { "session, seal, 1024 B", run_session_seal, 1024, AES },
  { "session, seal, 64 B", run_session_seal, 64, AES },
  { "session, open, 1024 B", run_session_open, 1024, AES },
  { "session, open, 64 B", run_session_open, 64, AES },
  { "CHUNK of 980 B, write", run_write_chunk, CHUNK, 0 },
  { "CHUNK of 980 B, parse", run_parse_chunk, CHUNK, 0 },
  { "ACK of 1 range, write", run_write_ack, 0, 1 },
  { "ACK of 1 range, parse", run_parse_ack, 0, 1 },
  { "ACK of 64 ranges, write", run_write_ack, 0, 64 },
  { "ACK of 64 ranges, parse", run_parse_ack, 0, 64 },
  { "packet noted as received", run_ack_tracker, 0, 0 },
  { "packet noted as received, 1 of 10 missing", run_ack_tracker, 0, 10 },
  { "packet sent and acknowledged", run_loss, 0, 0 },
  { "packet sent and acknowledged, 1 of 10 lost", run_loss, 0, 10 },
  { "chunk of 980 B put into a message", run_reassembler, CHUNK, 1 },
  { "chunk of 980 B put in, every 4 in reverse", run_reassembler, CHUNK, 4 },
};

/* {name: {ns: …, size: …}, …} */
int
main (void)
{
  BenchJson all;

  bench_json_begin (&all);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *figures = NULL;
      Clock warm_up = { 0 }, clock = { 0 };
      BenchJson json;

      cases[i].run_batch (&warm_up, cases[i].size, cases[i].variant);
      while (clock.total < CASE_TIME)
        cases[i].run_batch (&clock, cases[i].size, cases[i].variant);
      bench_json_begin (&json);
      bench_json_add_number (&json, "ns",
                             clock.total * 1e3 / clock.operations);
      bench_json_add_number (&json, "size", cases[i].size);
      figures = bench_json_end (&json);
      bench_json_add_object (&all, cases[i].name, figures);
    }
  bench_json_print (&all);
  return 0;
}
