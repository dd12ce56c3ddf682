/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "wire-check.h"
#include "wire-samples.h"

#include <string.h>

static const guint8 types[] = {
  0x00, 0x01, 0x02, 0x03, 0x04, 0x08, 0x09, 0x10, 0x11, 0x12, 0x13, 0x14,
  0x18, 0x19, 0x1a, 0x1b, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27,
  0x28, 0x29, 0x2a, 0x2b, 0x2c,
};

/* In hex: mapping, filtering, allocation, hairpin; step, drift; port, age;
 * first and last port */
#define NO_NAT "00000000 00000000 000000 00000000"
#define FINGERPRINT "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst"

static gboolean
is_frame_type (guint8 type)
{
  return memchr (types, type, sizeof types) != NULL;
}

static void
test_samples_round_trip (void)
{
  gboolean seen[G_MAXUINT8 + 1] = { FALSE };

  for (guint i = 0; i < hp_n_frame_samples; i++)
    {
      const HpFrame *frame = &hp_frame_samples[i].frame;
      guint8 buffer[HP_SAMPLE_MAX_SIZE];
      HpFrame again;
      HpWriter writer;
      HpReader reader;

      g_test_message ("%s", hp_frame_samples[i].name);
      hp_writer_init (&writer, buffer, sizeof buffer);
      hp_frame_write (frame, &writer);
      g_assert_true (hp_writer_ok (&writer));
      seen[buffer[0]] = TRUE;
      memset (&again, 0xaa, sizeof again);
      hp_reader_init (&reader, buffer, writer.offset);
      g_assert_true (hp_frame_parse (&again, &reader));
      g_assert_true (hp_reader_done (&reader));
      g_assert_true (hp_frames_equal (frame, &again));
    }
  /* There is a sample of each. */
  for (guint type = 0; type <= G_MAXUINT8; type++)
    g_assert_cmpint (seen[type], ==, is_frame_type (type));
}

/* A writer without room fails, whatever room is missing, and writes nothing
 * past its end. */
static void
test_no_room (void)
{
  for (guint i = 0; i < hp_n_frame_samples; i++)
    {
      guint8 buffer[HP_SAMPLE_MAX_SIZE];
      HpWriter writer;
      gsize size;

      hp_writer_init (&writer, buffer, sizeof buffer);
      hp_frame_write (&hp_frame_samples[i].frame, &writer);
      size = writer.offset;
      for (gsize room = 0; room < size; room++)
        {
          memset (buffer, 0xee, sizeof buffer);
          hp_writer_init (&writer, buffer, room);
          hp_frame_write (&hp_frame_samples[i].frame, &writer);
          g_assert_false (hp_writer_ok (&writer));
          for (gsize at = room; at < sizeof buffer; at++)
            g_assert_cmpuint (buffer[at], ==, 0xee);
        }
    }
}

static void
test_run_of_frames (void)
{
  guint8 buffer[4096];
  HpWriter writer;
  HpReader reader;
  guint n_frames = 0;

  hp_writer_init (&writer, buffer, sizeof buffer);
  for (guint i = 0; i < hp_n_frame_samples; i++)
    hp_frame_write (&hp_frame_samples[i].frame, &writer);
  g_assert_true (hp_writer_ok (&writer));
  hp_reader_init (&reader, buffer, writer.offset);
  for (; hp_reader_left (&reader) > 0; n_frames++)
    {
      HpFrame frame;

      g_assert_true (hp_frame_parse (&frame, &reader));
      g_assert_true (
          hp_frames_equal (&frame, &hp_frame_samples[n_frames].frame));
    }
  g_assert_true (hp_reader_done (&reader));
  g_assert_cmpuint (n_frames, ==, hp_n_frame_samples);
}

static gboolean
parse_hex (HpFrame *frame, const char *hex, GBytes **bytes)
{
  HpReader reader;
  gsize length;
  const guint8 *data;

  *bytes = hp_unhex (hex);
  data = g_bytes_get_data (*bytes, &length);
  hp_reader_init (&reader, data, length);
  return hp_frame_parse (frame, &reader) && hp_reader_done (&reader);
}

static const struct
{
  const char *why;
  const char *hex;
} malformed[] = {
  { "ACK: first range longer than the largest allows", "02 05 00 00 06" },
  { "ACK: no range", "02 05 00 00" },
  { "ACK: a further range is missing", "02 05 00 01 00" },
  { "ACK: half of a further range", "02 05 00 01 00 00" },
  { "ACK: gap below zero", "02 05 00 01 00 05 00" },
  { "ACK: gap ends at zero, no room for a number", "02 05 00 01 00 04 00" },
  { "ACK: further range below zero", "02 05 00 01 00 02 02" },
  { "ACK: gap far below zero", "02 05 00 01 00 ffffffffffffffff 00" },
  { "ACK: endless ranges", "02 05 00 ffffffffffffffff 00" },
  { "ACK_ECN: no counts", "04 05 00 00 05" },
  { "ACK_ECN: a count is missing", "04 05 00 00 05 01 00" },
  { "ACK_ECN: half a count", "04 05 00 00 05 01 00 40" },
  { "CLOSE: reason cut", "03 00 02 61" },
  { "CLOSE: reason too long, not there", "03 00 4101 61" },
  { "CHUNK: bytes cut", "08 00 00 05 05 61" },
  { "CHUNK: no total", "08 00 00" },
  { "CHUNK: a message with the opener's bit", "08 04 00 01 01 61" },
  { "CHUNK: longer than the total", "08 00 00 01 02 6161" },
  { "CHUNK: FIN short of the total", "09 00 00 02 01 61" },
  { "CHUNK: FIN beyond the total", "09 00 00 01 02 6161" },
  { "CHUNK: an offset beyond 2^62", "08 00 ffffffffffffffff 01 61" },
  { "CHUNK: a byte stream's offset beyond 2^62",
    "08 03 ffffffffffffffff 01 61" },
  { "CHUNK: a length beyond everything",
    "08 03 00 ffffffffffffffff 61" },
  { "RESET: a message with the opener's bit", "10 05 00 00" },
  { "RESET: no final size", "10 01 00" },
  { "STOP: a message with the opener's bit", "11 06 00" },
  { "STOP: no code", "11 02" },
  { "MAX_DATA: empty", "12" },
  { "MAX_STREAM_DATA: a message with the opener's bit", "13 04 00" },
  { "MAX_STREAMS: empty", "14" },
  { "PATH_CHALLENGE: cut", "18 01020304050607" },
  { "PATH_RESPONSE: cut", "19 01020304050607" },
  { "CANDIDATES: fewer than counted", "1a 02 00 04 107e c0000201" },
  { "CANDIDATES: unknown kind", "1a 01 05 04 107e c0000201" },
  { "CANDIDATES: no address", "1a 01 00 00" },
  { "CANDIDATES: unknown family", "1a 01 00 05 107e c0000201" },
  { "CANDIDATES: IPv4 as IPv6",
    "1a 01 00 06 107e 00000000000000000000ffff c0000201" },
  { "REGISTER: empty id", "20 01 00 0006 " NO_NAT " 00" },
  { "REGISTER: control character", "20 01 00 0006 " NO_NAT " 02 6107" },
  { "REGISTER: DEL", "20 01 00 0006 " NO_NAT " 02 617f" },
  { "REGISTER: NUL", "20 01 00 0006 " NO_NAT " 02 6100" },
  { "REGISTER: control character of two bytes", "20 01 00 0006 " NO_NAT " 02 c285" },
  { "REGISTER: not UTF-8", "20 01 00 0006 " NO_NAT " 02 61ff" },
  { "REGISTER: UTF-8 cut", "20 01 00 0006 " NO_NAT " 02 61c3" },
  { "REGISTER: overlong UTF-8", "20 01 00 0006 " NO_NAT " 02 c1a1" },
  { "REGISTER: a surrogate", "20 01 00 0006 " NO_NAT " 03 eda080" },
  { "REGISTER: id cut", "20 01 00 0006 " NO_NAT " 03 6161" },
  { "REGISTERED: no address", "21 01 4078 00" },
  { "REFUSED: no code", "22 01" },
  { "UNREGISTER: empty id", "23 01 00" },
  { "ASK: by key is neither 0 nor 1", "24 01 02 02 7771 0004 00 " NO_NAT " 00" },
  { "ASK: an id for a key", "24 01 01 02 7771 0004 00 " NO_NAT " 00" },
  { "ASK: invalid id", "24 01 00 02 7707 0004 00 " NO_NAT " 00" },
  { "ASK: empty id", "24 01 00 00 0004 00 " NO_NAT " 00" },
  { "ASK: proof is neither 0 nor 1",
    "24 01 00 02 7771 0004 00 " NO_NAT " 01 00 04 107e c0000201 02" },
  { "ASK: proof cut",
    "24 01 00 02 7771 0004 00 " NO_NAT " 01 00 04 107e c0000201 01 0102" },
  { "REPLY: accept is neither 0 nor 1",
    "25 0000000000000001 02 0004 00 " NO_NAT " 00" },
  { "REPLY: cut", "25 0000000000000001 01 0004 00 " NO_NAT " " },
  { "OBSERVED: no address", "28 00" },
  { "NAT: cut", "1b 00000000 00000000 000000 000000" },
  { "NAT: unknown mapping", "1b 06000000 00000000 000000 00000000" },
  { "NAT: unknown filtering", "1b 00040000 00000000 000000 00000000" },
  { "NAT: unknown allocation", "1b 00000500 00000000 000000 00000000" },
  { "NAT: unknown hairpin", "1b 00000003 00000000 000000 00000000" },
  { "NAT: in sequence without a step",
    "1b 00000200 00000000 000000 00000000" },
  { "NAT: a step without a sequence",
    "1b 00000100 00010000 000000 00000000" },
  { "NAT: drift without a sequence",
    "1b 00000400 00000001 000000 00000000" },
  { "NAT: the age of no port", "1b 00000000 00000000 000001 00000000" },
  { "NAT: an age beyond 32 bits",
    "1b 00000000 00000000 1000c000000100000000 00000000" },
  { "NAT: ports from none", "1b 00000000 00000000 000000 00001000" },
  { "NAT: ports to none", "1b 00000000 00000000 000000 10000000" },
  { "NAT: ports that go down", "1b 00000000 00000000 000000 10010fff" },
  { "NAT: a block without ports", "1b 00000300 00000000 000000 00000000" },
  { "RELAY_REQUEST: empty", "29" },
  { "RELAYS: one too many",
    "2a 01 01 05 0161 00 00 0161 00 00 0161 00 00 0161 00 00 0161 00 00" },
  { "RELAYS: fewer than counted", "2a 01 01 02 0161 00 00" },
  { "RELAYS: no URI", "2a 01 01 01 00 0161 0161" },
  { "RELAYS: a NUL", "2a 01 01 01 026100 0161 0161" },
  { "RELAYS: no UTF-8", "2a 01 01 01 0161 01ff 0161" },
  { "KNOCK: no address",
    "2b 00 909192939495969798999a9b9c9d9e9f 06 101112131415161718191a1b" },
  { "KNOCK: cut",
    "2b 04 1000 c0000201 909192939495969798999a9b9c9d9e9f 06 10111213" },
  { "KNOCKED: cut", "2c 06 1011121314151617 18191a" },
  { "RELAYS: cut", "2a 01 01 01 0161 0161 0261" },
};

static void
test_malformed (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (malformed); i++)
    {
      g_autoptr (GBytes) bytes = NULL;
      HpFrame frame;

      g_test_message ("%s", malformed[i].why);
      g_assert_false (parse_hex (&frame, malformed[i].hex, &bytes));
    }
}

/* A type that is none ends the session, whatever follows it. */
static void
test_unknown_types (void)
{
  guint8 bytes[256] = { 0 };

  for (guint type = 0; type <= G_MAXUINT8; type++)
    {
      HpFrame frame;
      HpReader reader;

      bytes[0] = type;
      hp_reader_init (&reader, bytes, sizeof bytes);
      if (!is_frame_type (type))
        {
          g_assert_false (hp_frame_parse (&frame, &reader));
          g_assert_cmpuint (hp_reader_left (&reader), ==, 0);
        }
    }
}

static void
test_ack_layout (void)
{
  g_autoptr (GBytes) bytes = NULL;
  HpFrame frame;

  /* 1000 to 990, a gap of one, 988, a gap of 488, 499 to 0 */
  g_assert_true (parse_hex (
      &frame, "02 43e8 800061a8 02 0a 00 00 41e7 41f3", &bytes));
  g_assert_cmpuint (frame.ack.largest, ==, 1000);
  g_assert_cmpuint (frame.ack.delay, ==, 25000);
  g_assert_cmpuint (frame.ack.n_ranges, ==, 3);
  g_assert_cmpuint (frame.ack.ranges[0].start, ==, 990);
  g_assert_cmpuint (frame.ack.ranges[0].end, ==, 1001);
  g_assert_cmpuint (frame.ack.ranges[1].start, ==, 988);
  g_assert_cmpuint (frame.ack.ranges[1].end, ==, 989);
  g_assert_cmpuint (frame.ack.ranges[2].start, ==, 0);
  g_assert_cmpuint (frame.ack.ranges[2].end, ==, 500);
}

/* Ranges past the most that we keep are read over, but still checked. */
static void
test_ack_many_ranges (void)
{
  guint8 buffer[1024];
  HpWriter writer;
  HpReader reader;
  HpFrame frame;

  hp_writer_init (&writer, buffer, sizeof buffer);
  hp_writer_u8 (&writer, HP_FRAME_ACK);
  hp_writer_varint (&writer, 300);
  hp_writer_varint (&writer, 0);
  hp_writer_varint (&writer, 150);
  hp_writer_varint (&writer, 0);
  for (guint i = 0; i < 150; i++)
    {
      hp_writer_varint (&writer, 0);
      hp_writer_varint (&writer, 0);
    }
  hp_reader_init (&reader, buffer, writer.offset);
  g_assert_true (hp_frame_parse (&frame, &reader));
  g_assert_true (hp_reader_done (&reader));
  g_assert_cmpuint (frame.ack.n_ranges, ==, HP_MAX_ACK_RANGES);
  g_assert_cmpuint (frame.ack.ranges[HP_MAX_ACK_RANGES - 1].start, ==,
                    300 - 2 * (HP_MAX_ACK_RANGES - 1));
  g_assert_true (hp_check_frames (buffer, writer.offset));

  /* The last of them covers 0; one more number would be below it. */
  buffer[writer.offset - 1] = 1;
  hp_reader_init (&reader, buffer, writer.offset);
  g_assert_false (hp_frame_parse (&frame, &reader));
}

static void
test_ack_random (void)
{
  for (guint round = 0; round < 5000; round++)
    {
      HpFrame frame = { .type = HP_FRAME_ACK };
      HpFrame again;
      guint8 buffer[2048];
      HpWriter writer;
      HpReader reader;
      guint64 end = HP_VARINT_MAX - (guint32) g_test_rand_int () + 1;

      frame.ack.largest = end - 1;
      frame.ack.delay = (guint32) g_test_rand_int ();
      frame.ack.has_marks = g_test_rand_bit ();
      frame.ack.marks = (HpMarks){ (guint32) g_test_rand_int (),
                                   g_test_rand_bit (), HP_VARINT_MAX };
      frame.ack.n_ranges = g_test_rand_int_range (1, HP_MAX_ACK_RANGES + 1);
      for (guint i = 0; i < frame.ack.n_ranges; i++)
        {
          guint64 start = end - g_test_rand_int_range (1, 10000);

          frame.ack.ranges[i] = (HpRange){ start, end };
          end = start - g_test_rand_int_range (1, 1000);
        }
      hp_writer_init (&writer, buffer, sizeof buffer);
      hp_frame_write (&frame, &writer);
      g_assert_true (hp_writer_ok (&writer));
      hp_reader_init (&reader, buffer, writer.offset);
      g_assert_true (hp_frame_parse (&again, &reader));
      g_assert_true (hp_reader_done (&reader));
      g_assert_true (hp_frames_equal (&frame, &again));
    }
}

static void
test_chunk_overhead (void)
{
  static const guint8 data[20000];
  static const guint64 numbers[]
      = { 0, 1, 3, 7, 64, 66, 67, 16384, 16387, G_GUINT64_CONSTANT (1) << 40,
          (G_GUINT64_CONSTANT (1) << 40) + 3 };
  static const guint64 offsets[]
      = { 0, 1, 63, 64, 16384, G_GUINT64_CONSTANT (1) << 33 };
  static const gsize lengths[] = { 0, 1, 63, 64, 1000, 16384 };

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    for (guint j = 0; j < G_N_ELEMENTS (offsets); j++)
      for (guint k = 0; k < G_N_ELEMENTS (lengths); k++)
        {
          HpFrame frame = { .type = HP_FRAME_CHUNK,
                            .chunk = { .stream = numbers[i],
                                       .offset = offsets[j],
                                       .total = 123456,
                                       .bytes = { data, lengths[k] } } };
          guint8 buffer[sizeof data + 100];
          HpWriter writer;

          hp_writer_init (&writer, buffer, sizeof buffer);
          hp_frame_write (&frame, &writer);
          g_assert_true (hp_writer_ok (&writer));
          g_assert_cmpuint (
              hp_frame_chunk_overhead (numbers[i], offsets[j], 123456,
                                       lengths[k]),
              ==, writer.offset - lengths[k]);
        }
}

/* The last byte that a stream can have */
static void
test_chunk_last_offset (void)
{
  g_autoptr (GBytes) good = NULL;
  HpFrame frame;

  g_assert_true (
      parse_hex (&frame, "09 03 fffffffffffffffe 01 61", &good));
  g_assert_cmphex (frame.chunk.offset, ==, HP_VARINT_MAX - 1);
  g_assert_true (frame.chunk.fin);
}

static void
test_reason_limit (void)
{
  guint8 buffer[300];

  for (gsize length = HP_MAX_REASON_SIZE; length <= HP_MAX_REASON_SIZE + 1;
       length++)
    {
      HpWriter writer;
      HpReader reader;
      HpFrame frame;

      hp_writer_init (&writer, buffer, sizeof buffer);
      hp_writer_u8 (&writer, HP_FRAME_CLOSE);
      hp_writer_varint (&writer, 0);
      hp_writer_varint (&writer, length);
      hp_writer_zeros (&writer, length);
      hp_reader_init (&reader, buffer, writer.offset);
      g_assert_cmpint (hp_frame_parse (&frame, &reader), ==,
                       length == HP_MAX_REASON_SIZE);
    }
}

/* One more than fits, and all of them there */
static void
test_candidates_limit (void)
{
  for (guint count = HP_MAX_CANDIDATES; count <= HP_MAX_CANDIDATES + 1;
       count++)
    {
      guint8 buffer[512];
      HpFrame frame;
      HpWriter writer;
      HpReader reader;

      hp_writer_init (&writer, buffer, sizeof buffer);
      hp_writer_u8 (&writer, HP_FRAME_CANDIDATES);
      hp_writer_varint (&writer, count);
      for (guint i = 0; i < count; i++)
        hp_writer_bytes (&writer, "\x00\x04\x10\x7e\xc0\x00\x02\x01", 8);
      g_assert_true (hp_writer_ok (&writer));
      hp_reader_init (&reader, buffer, writer.offset);
      g_assert_cmpint (hp_frame_parse (&frame, &reader), ==,
                       count == HP_MAX_CANDIDATES);
    }
}

static void
fill_candidates (HpWireCandidates *candidates, guint count,
                 gboolean with_proofs)
{
  candidates->n_candidates = count;
  for (guint i = 0; i < count; i++)
    {
      HpWireCandidate *candidate = &candidates->candidates[i];

      memset (candidate, 0, sizeof *candidate);
      candidate->address.family = HP_ADDRESS_IPV6;
      candidate->address.port = 65535 - i;
      memset (candidate->address.ip, 0x20 + i, 16);
      candidate->kind = i % (HP_CANDIDATE_RELAYED + 1);
      candidate->has_proof = with_proofs;
      if (with_proofs)
        memset (candidate->proof, i, HP_PROOF_SIZE);
    }
}

/* The largest frames with the match server fit a datagram of default size. */
static void
test_largest_match_frames (void)
{
  static guint8 id[HP_ID_MAX_SIZE];
  HpFrame ask = { .type = HP_FRAME_ASK,
                  .ask = { .request = HP_VARINT_MAX,
                           .target = { id, sizeof id },
                           .round_trip = HP_VARINT_MAX,
                           .nat = { .port = 1, .age = G_MAXUINT32 } } };
  HpFrame introduce = { .type = HP_FRAME_INTRODUCE,
                        .introduction
                        = { .flags = 1,
                            .id = { id, sizeof id },
                            .wanted_id = { id, sizeof id },
                            .round_trip = HP_VARINT_MAX,
                            .nat = { .port = 1, .age = G_MAXUINT32 },
                            .observed = { .family = HP_ADDRESS_IPV6 } } };
  guint8 buffer[HP_DATAGRAM_SIZE_DEFAULT - HP_DATA_OVERHEAD];
  HpWriter writer;

  memset (id, 'i', sizeof id);
  fill_candidates (&ask.ask.candidates, HP_MAX_CANDIDATES, TRUE);
  hp_writer_init (&writer, buffer, sizeof buffer);
  hp_frame_write (&ask, &writer);
  g_assert_true (hp_writer_ok (&writer));
  g_assert_true (hp_check_frames (buffer, writer.offset));

  fill_candidates (&introduce.introduction.candidates, HP_MAX_CANDIDATES,
                   FALSE);
  hp_writer_init (&writer, buffer, sizeof buffer);
  hp_frame_write (&introduce, &writer);
  g_assert_true (hp_writer_ok (&writer));
  g_assert_true (hp_check_frames (buffer, writer.offset));
}

/* ANSWER and INTRODUCE show ids that are valid, or none. */
static void
test_introduction_ids (void)
{
  static const struct
  {
    const char *id;
    gsize length;
    gboolean valid;
  } ids[] = { { "wq", 2, TRUE }, { "", 0, TRUE }, { "w\n", 2, FALSE } };

  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    for (guint which = 0; which < 3; which++)
      {
        HpBytes id = { (const guint8 *) ids[i].id, ids[i].length };
        HpFrame frame = { .type = which == 0 ? HP_FRAME_ANSWER
                                             : HP_FRAME_INTRODUCE };
        HpFrame again;
        guint8 buffer[512];
        HpWriter writer;
        HpReader reader;

        if (which == 2)
          frame.introduction.wanted_id = id;
        else
          frame.introduction.id = id;
        hp_writer_init (&writer, buffer, sizeof buffer);
        hp_frame_write (&frame, &writer);
        g_assert_true (hp_writer_ok (&writer));
        hp_reader_init (&reader, buffer, writer.offset);
        g_assert_cmpint (hp_frame_parse (&again, &reader), ==, ids[i].valid);
      }
}

static void
test_nat_kinds (void)
{
  HpNatFacts facts = { .mapping = HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT,
                       .allocation = HP_WIRE_ALLOCATION_SEQUENTIAL,
                       .step = 1,
                       .drift = 3,
                       .port = 4000,
                       .age = 20,
                       .first_port = 3000,
                       .last_port = 4000 };
  HpNatFacts other = facts;

  other.port = 4010;
  other.drift = 7;
  other.last_port = 4010;
  g_assert_true (hp_nat_facts_same_kind (&facts, &other));
  other.allocation = HP_WIRE_ALLOCATION_BLOCK;
  g_assert_false (hp_nat_facts_same_kind (&facts, &other));
  facts.allocation = HP_WIRE_ALLOCATION_BLOCK;
  g_assert_false (hp_nat_facts_same_kind (&facts, &other));
  other.last_port = 4000;
  g_assert_true (hp_nat_facts_same_kind (&facts, &other));
  other.step = -1;
  g_assert_false (hp_nat_facts_same_kind (&facts, &other));

  g_assert_true (hp_nat_facts_is_dependent (&facts));
  facts.mapping = HP_WIRE_MAPPING_PORT_INDEPENDENT;
  g_assert_false (hp_nat_facts_is_dependent (&facts));
}

static void
test_nat_age (void)
{
  HpNatFacts facts = { .port = 4000, .age = 20 };

  hp_nat_facts_grow_older (&facts, 1500);
  g_assert_cmpuint (facts.age, ==, 21);
  hp_nat_facts_grow_older (&facts, -5000);
  g_assert_cmpuint (facts.age, ==, 21);
  hp_nat_facts_grow_older (&facts, G_MAXINT64);
  g_assert_cmpuint (facts.age, ==, G_MAXUINT32);

  /* No port has no age, which would be malformed. */
  facts = (HpNatFacts){ 0 };
  hp_nat_facts_grow_older (&facts, G_USEC_PER_SEC);
  g_assert_cmpuint (facts.age, ==, 0);
}

static void
test_probing_and_eliciting (void)
{
  for (guint i = 0; i < sizeof types; i++)
    {
      guint8 type = types[i];
      gboolean path = type == HP_FRAME_PATH_CHALLENGE
                      || type == HP_FRAME_PATH_RESPONSE;

      g_assert_cmpint (hp_frame_is_probing (type), ==,
                       path || type == HP_FRAME_PADDING);
      g_assert_cmpint (hp_frame_is_ack_eliciting (type), ==,
                       !path && type != HP_FRAME_PADDING
                           && type != HP_FRAME_ACK
                           && type != HP_FRAME_ACK_ECN
                           && type != HP_FRAME_CLOSE);
    }
}

static void
test_ids (void)
{
  static const struct
  {
    const char *id;
    gboolean valid;
  } ids[] = {
    { "wq", TRUE },
    { "w", TRUE },
    { "", FALSE },
    { "with space", TRUE },
    { "me@example.org", TRUE },
    { "zażółć gęślą jaźń", TRUE },
    { "\xf0\x9f\xa6\x8a", TRUE },
    { "tab\there", FALSE },
    { "line\n", FALSE },
    { "\x7f", FALSE },
    { "\xc2\x80", FALSE },
    { "\xc2\xa0", TRUE },
    { "\xff", FALSE },
    { FINGERPRINT, FALSE },
    { "a" FINGERPRINT, TRUE },
    { "@" FINGERPRINT, FALSE },
    { "wq@" FINGERPRINT, FALSE },
    { "a@b@" FINGERPRINT, FALSE },
    { "wq@a" FINGERPRINT, TRUE },
    /* Upper case, and digits that base32 does not have */
    { "Abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst", TRUE },
    { "1bcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst", TRUE },
    { "8bcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst", TRUE },
    /* 64 and 65 bytes */
    { "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
      TRUE },
    { "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0",
      FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    {
      g_autofree char *shown = g_strescape (ids[i].id, NULL);

      g_test_message ("%s", shown);
      g_assert_cmpint (hp_id_is_valid (ids[i].id, strlen (ids[i].id)), ==,
                       ids[i].valid);
    }
  g_assert_false (hp_id_is_valid ("a\0b", 3));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/frame/samples", test_samples_round_trip);
  g_test_add_func ("/frame/no-room", test_no_room);
  g_test_add_func ("/frame/run", test_run_of_frames);
  g_test_add_func ("/frame/malformed", test_malformed);
  g_test_add_func ("/frame/unknown-types", test_unknown_types);
  g_test_add_func ("/frame/ack/layout", test_ack_layout);
  g_test_add_func ("/frame/ack/many-ranges", test_ack_many_ranges);
  g_test_add_func ("/frame/ack/random", test_ack_random);
  g_test_add_func ("/frame/chunk/overhead", test_chunk_overhead);
  g_test_add_func ("/frame/chunk/last-offset", test_chunk_last_offset);
  g_test_add_func ("/frame/reason-limit", test_reason_limit);
  g_test_add_func ("/frame/candidates-limit", test_candidates_limit);
  g_test_add_func ("/frame/largest-match-frames", test_largest_match_frames);
  g_test_add_func ("/frame/introduction-ids", test_introduction_ids);
  g_test_add_func ("/frame/probing-and-eliciting",
                   test_probing_and_eliciting);
  g_test_add_func ("/frame/nat/kinds", test_nat_kinds);
  g_test_add_func ("/frame/nat/age", test_nat_age);
  g_test_add_func ("/frame/ids", test_ids);
  return g_test_run ();
}
