/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "wire-samples.h"

#include <string.h>

#define BYTES(text) { (const guint8 *) text, sizeof text - 1 }
#define IPV4(last, number)                                                    \
  { .family = HP_ADDRESS_IPV4, .port = number, .ip = { 192, 0, 2, last } }
#define IPV6(last, number)                                                    \
  { .family = HP_ADDRESS_IPV6, .port = number,                                \
    .ip = { 0x20, 0x01, 0x0d, 0xb8, [15] = last } }

/* 00 01 02 …, so that an offset that is off by some shows */
#define COUNT_8(from)                                                         \
  from, from + 1, from + 2, from + 3, from + 4, from + 5, from + 6, from + 7
#define COUNT_16(from) COUNT_8 (from), COUNT_8 (from + 8)
#define COUNT_12(from)                                                        \
  COUNT_8 (from), from + 8, from + 9, from + 10, from + 11
#define COUNT_32(from) COUNT_16 (from), COUNT_16 (from + 16)

#define CANDIDATES                                                            \
  {                                                                           \
    .n_candidates = 2, .candidates = {                                        \
      { .address = IPV4 (1, 4222), .kind = HP_CANDIDATE_HOST },               \
      { .address = IPV6 (2, 65535), .kind = HP_CANDIDATE_MAPPED },            \
    }                                                                         \
  }

#define PROVEN_CANDIDATES                                                     \
  {                                                                           \
    .n_candidates = 2, .candidates = {                                        \
      { .address = IPV4 (1, 4222), .kind = HP_CANDIDATE_HOST },               \
      { .address = IPV6 (2, 65535),                                           \
        .kind = HP_CANDIDATE_SERVER_REFLEXIVE,                                \
        .has_proof = TRUE,                                                    \
        .proof = { COUNT_16 (0x90) } },                                       \
    }                                                                         \
  }

/* A busy NAT that counts its ports up, asked a third of a second ago */
#define NAT_FACTS                                                             \
  {                                                                           \
    .mapping = HP_WIRE_MAPPING_ADDRESS_AND_PORT_DEPENDENT,                    \
    .filtering = HP_WIRE_FILTERING_ADDRESS_DEPENDENT,                         \
    .allocation = HP_WIRE_ALLOCATION_SEQUENTIAL,                              \
    .hairpin = HP_WIRE_HAIRPIN_NO, .step = -2, .drift = 50, .port = 40321,    \
    .age = 333, .first_port = 40289, .last_port = 40321                       \
  }

const HpFrameSample hp_frame_samples[] = {
  { "padding", { .type = HP_FRAME_PADDING, .padding_length = 3 } },
  { "ping", { .type = HP_FRAME_PING } },
  { "ack",
    { .type = HP_FRAME_ACK,
      .ack = { .largest = 9,
               .delay = 100,
               .n_ranges = 1,
               .ranges = { { 0, 10 } } } } },
  { "ack-ranges",
    { .type = HP_FRAME_ACK,
      .ack = { .largest = 1000,
               .delay = 25000,
               .n_ranges = 3,
               .ranges = { { 990, 1001 }, { 988, 989 }, { 0, 500 } } } } },
  { "ack-ecn",
    { .type = HP_FRAME_ACK,
      .ack = { .largest = 9,
               .delay = 100,
               .n_ranges = 1,
               .ranges = { { 0, 10 } },
               .has_marks = TRUE,
               .marks = { .ect_0 = 8, .ect_1 = 0, .ce = 300 } } } },
  { "close", { .type = HP_FRAME_CLOSE, .close = { .code = HP_CLOSE_NORMAL } } },
  { "close-reason",
    { .type = HP_FRAME_CLOSE,
      .close = { HP_CLOSE_GOING_AWAY, BYTES ("restart") } } },
  { "chunk-whole-message",
    { .type = HP_FRAME_CHUNK,
      .chunk = { .stream = HP_STREAM_NUMBER (5, HP_STREAM_ORDERED),
                 .fin = TRUE,
                 .total = 5,
                 .bytes = BYTES ("hello") } } },
  { "chunk-empty-message",
    { .type = HP_FRAME_CHUNK,
      .chunk = { .stream = HP_STREAM_NUMBER (0, HP_STREAM_UNRELIABLE),
                 .fin = TRUE } } },
  { "chunk-first",
    { .type = HP_FRAME_CHUNK,
      .chunk = { .stream = HP_STREAM_NUMBER (6, HP_STREAM_UNORDERED),
                 .total = 10240,
                 .bytes = BYTES ("first") } } },
  { "chunk-later",
    { .type = HP_FRAME_CHUNK,
      .chunk = { .stream = HP_STREAM_NUMBER (6, HP_STREAM_UNORDERED),
                 .offset = 5,
                 .bytes = BYTES ("second") } } },
  { "chunk-last",
    { .type = HP_FRAME_CHUNK,
      .chunk = { .stream = HP_STREAM_NUMBER (6, HP_STREAM_UNORDERED),
                 .offset = 10234,
                 .fin = TRUE,
                 .bytes = BYTES ("last 6") } } },
  { "chunk-byte-stream",
    { .type = HP_FRAME_CHUNK,
      .chunk = { .stream = HP_STREAM_NUMBER (0, HP_STREAM_BYTES) | 4,
                 .bytes = BYTES ("SSH-2.0-") } } },
  { "reset",
    { .type = HP_FRAME_RESET,
      .reset = { .stream = HP_STREAM_NUMBER (6, HP_STREAM_UNRELIABLE),
                 .code = HP_RESET_EXPIRED,
                 .final_size = 70000 } } },
  { "stop",
    { .type = HP_FRAME_STOP,
      .reset = { .stream = HP_STREAM_NUMBER (5, HP_STREAM_ORDERED),
                 .code = HP_RESET_TOO_LARGE } } },
  { "max-data",
    { .type = HP_FRAME_MAX_DATA, .max = { .maximum = 4194304 } } },
  { "max-stream-data",
    { .type = HP_FRAME_MAX_STREAM_DATA,
      .max = { HP_STREAM_NUMBER (5, HP_STREAM_ORDERED), 1048576 } } },
  { "max-streams",
    { .type = HP_FRAME_MAX_STREAMS, .max = { .maximum = 512 } } },
  { "path-challenge",
    { .type = HP_FRAME_PATH_CHALLENGE, .token = { COUNT_8 (0x10) } } },
  { "path-response",
    { .type = HP_FRAME_PATH_RESPONSE, .token = { COUNT_8 (0x10) } } },
  { "candidates",
    { .type = HP_FRAME_CANDIDATES, .candidates = CANDIDATES } },
  { "nat", { .type = HP_FRAME_NAT, .nat = NAT_FACTS } },
  { "nat-unknown", { .type = HP_FRAME_NAT } },
  { "register",
    { .type = HP_FRAME_REGISTER,
      .reg = { .request = 1,
               .flags = HP_REGISTER_OPEN | HP_REGISTER_EPHEMERAL,
               .suites = HP_SUITE_BIT (HP_SUITE_AES_GCM)
                         | HP_SUITE_BIT (HP_SUITE_CHACHA_POLY),
               .nat = { .mapping = HP_WIRE_MAPPING_NONE },
               .id = BYTES ("wq") } } },
  { "registered",
    { .type = HP_FRAME_REGISTERED,
      .registered = { 1, 120, IPV4 (77, 40000) } } },
  { "refused",
    { .type = HP_FRAME_REFUSED, .refused = { 2, HP_REFUSED_ID_TAKEN } } },
  { "unregister",
    { .type = HP_FRAME_UNREGISTER,
      .reg = { .request = 3, .id = BYTES ("wq") } } },
  { "ask-id",
    { .type = HP_FRAME_ASK,
      .ask = { .request = 300,
               .target = BYTES ("wq"),
               .suites = HP_SUITE_BIT (HP_SUITE_CHACHA_POLY),
               .round_trip = 20000,
               .nat = NAT_FACTS,
               .candidates = PROVEN_CANDIDATES } } },
  { "ask-key",
    { .type = HP_FRAME_ASK,
      .ask = { .request = 301,
               .by_key = TRUE,
               .target = BYTES ("\x20\x21\x22\x23\x24\x25\x26\x27"
                                "\x28\x29\x2a\x2b\x2c\x2d\x2e\x2f"
                                "\x30\x31\x32\x33\x34\x35\x36\x37"
                                "\x38\x39\x3a\x3b\x3c\x3d\x3e\x3f"),
               .suites = HP_SUITE_BIT (HP_SUITE_AES_GCM),
               .round_trip = 20000 } } },
  { "reply-accept",
    { .type = HP_FRAME_REPLY,
      .reply = { .ticket_number = G_GUINT64_CONSTANT (0xa0a1a2a3a4a5a6a7),
                 .accept = TRUE,
                 .suites = HP_SUITE_BIT (HP_SUITE_CHACHA_POLY),
                 .round_trip = 15000,
                 .nat = { .mapping = HP_WIRE_MAPPING_PORT_INDEPENDENT,
                          .allocation = HP_WIRE_ALLOCATION_BLOCK,
                          .port = 1040,
                          .first_port = 1024,
                          .last_port = 1535 },
                 .candidates = PROVEN_CANDIDATES } } },
  { "reply-refuse",
    { .type = HP_FRAME_REPLY,
      .reply = { .ticket_number = 7 } } },
  { "answer",
    { .type = HP_FRAME_ANSWER,
      .introduction = { .request = 300,
                        .public_key = { COUNT_32 (0x20) },
                        .id = BYTES ("wq"),
                        .suites = HP_SUITE_BIT (HP_SUITE_CHACHA_POLY),
                        .round_trip = 15000,
                        .ticket = { G_GUINT64_CONSTANT (0xa0a1a2a3a4a5a6a7),
                                    { COUNT_32 (0x40) } },
                        .observed = IPV4 (77, 40000),
                        .candidates = CANDIDATES } } },
  { "introduce-id",
    { .type = HP_FRAME_INTRODUCE,
      .introduction = { .flags = HP_INTRODUCE_NEEDS_REPLY,
                        .public_key = { COUNT_32 (0x60) },
                        .id = BYTES ("caller"),
                        .wanted_id = BYTES ("wq"),
                        .suites = HP_SUITE_BIT (HP_SUITE_CHACHA_POLY),
                        .round_trip = 20000,
                        .ticket = { G_GUINT64_CONSTANT (0xa0a1a2a3a4a5a6a7),
                                    { COUNT_32 (0x40) } },
                        .observed = IPV6 (9, 40001),
                        .nat = NAT_FACTS,
                        .candidates = CANDIDATES } } },
  { "introduce-key",
    { .type = HP_FRAME_INTRODUCE,
      .introduction = { .public_key = { COUNT_32 (0x60) },
                        .suites = HP_SUITE_BIT (HP_SUITE_AES_GCM),
                        .ticket = { 1, { COUNT_32 (0x40) } } } } },
  { "observed",
    { .type = HP_FRAME_OBSERVED, .observed = { IPV4 (78, 40001) } } },
  { "relay-request",
    { .type = HP_FRAME_RELAY_REQUEST, .relay_request = { 310 } } },
  { "relays",
    { .type = HP_FRAME_RELAYS,
      .relays = { .request = 310,
                  .lifetime = 3600,
                  .n_relays = 2,
                  .relays = { { BYTES ("turn:192.0.2.3"),
                                BYTES ("1790000000:wq"), BYTES ("c2VjcmV0") },
                              { BYTES ("turns:t.example:443"),
                                BYTES (""), BYTES ("") } } } } },
  { "relays-none",
    { .type = HP_FRAME_RELAYS, .relays = { .request = 311 } } },
  { "knock",
    { .type = HP_FRAME_KNOCK,
      .knock = { IPV4 (77, 40002), { COUNT_16 (0x90) },
                 HP_KNOCK_OTHER_PORT | HP_KNOCK_OTHER_HOST,
                 { COUNT_12 (0x10) } } } },
  { "knocked",
    { .type = HP_FRAME_KNOCKED,
      .knocked = { HP_KNOCK_OTHER_PORT, { COUNT_12 (0x10) } } } },
};

const guint hp_n_frame_samples = G_N_ELEMENTS (hp_frame_samples);

/* What stands for ciphertexts and MACs: their bytes mean nothing here. */
static void
write_count (HpWriter *writer, guint8 from, gsize length)
{
  for (gsize i = 0; i < length; i++)
    hp_writer_u8 (writer, from + i);
}

static void
write_hello (HpWriter *writer)
{
  HpHello hello = { .version = HP_PROTOCOL_VERSION,
                    .transaction = { COUNT_8 (0x10) },
                    .proof = { COUNT_16 (0x20) } };

  hp_packet_write_hello (&hello, writer);
}

static void
write_cookie (HpWriter *writer)
{
  HpCookiePacket cookie
      = { .version = HP_PROTOCOL_VERSION,
          .suites = HP_SUITE_BIT (HP_SUITE_AES_GCM)
                    | HP_SUITE_BIT (HP_SUITE_CHACHA_POLY),
          .transaction = { COUNT_8 (0x10) },
          .cookie = { COUNT_16 (0x20) },
          .has_public_key = TRUE,
          .public_key = { COUNT_32 (0x30) },
          .observed = IPV4 (77, 40000) };

  hp_packet_write_cookie (&cookie, writer);
}

static void
write_cookie_of_peer (HpWriter *writer)
{
  HpCookiePacket cookie = { .version = HP_PROTOCOL_VERSION,
                            .suites = HP_SUITE_BIT (HP_SUITE_CHACHA_POLY),
                            .transaction = { COUNT_8 (0x10) },
                            .cookie = { COUNT_16 (0x20) },
                            .observed = IPV6 (9, 40001) };

  hp_packet_write_cookie (&cookie, writer);
}

static void
write_initiation (HpWriter *writer)
{
  HpInitiation initiation
      = { .version = HP_PROTOCOL_VERSION,
          .suite = HP_SUITE_CHACHA_POLY,
          .sender_index = 0x01020304,
          .ticket_number = G_GUINT64_CONSTANT (0xa0a1a2a3a4a5a6a7) };

  hp_packet_write_initiation_header (&initiation, writer);
  write_count (writer, 0x10, HP_NOISE_1_OVERHEAD + 8);
  write_count (writer, 0xc0, HP_TOKEN_SIZE);
  write_count (writer, 0xe0, HP_MAC_SIZE);
}

static void
write_response (HpWriter *writer)
{
  HpResponse response = { .version = HP_PROTOCOL_VERSION,
                          .suite = HP_SUITE_CHACHA_POLY,
                          .sender_index = 0x05060708,
                          .receiver_index = 0x01020304 };

  hp_packet_write_response_header (&response, writer);
  write_count (writer, 0x10, HP_NOISE_2_OVERHEAD + 8);
  write_count (writer, 0xc0, 2 * HP_TOKEN_SIZE);
  write_count (writer, 0xe0, HP_MAC_SIZE);
}

static void
write_data (HpWriter *writer, guint8 key_phase)
{
  HpDataHeader data = { .key_phase = key_phase,
                        .receiver_index = 0x05060708,
                        .number = 0x1122334455667788 };

  hp_packet_write_data_header (&data, writer);
  write_count (writer, 0x10, 5 + HP_TAG_SIZE);
}

static void
write_data_0 (HpWriter *writer)
{
  write_data (writer, 0);
}

static void
write_data_1 (HpWriter *writer)
{
  write_data (writer, 1);
}

static void
write_probe (HpWriter *writer)
{
  HpProbe probe
      = { .version = HP_PROTOCOL_VERSION,
          .ticket_number = G_GUINT64_CONSTANT (0xa0a1a2a3a4a5a6a7) };

  hp_packet_write_probe_header (&probe, writer);
  write_count (writer, 0xe0, HP_MAC_SIZE);
}

static void
write_unknown (HpWriter *writer)
{
  HpUnknown unknown = { .receiver_index = 0x05060708,
                        .number = 0x1122334455667788 };

  hp_packet_write_unknown (&unknown, writer);
}

static void
write_default_parameters (HpWriter *writer)
{
  static const HpParameters parameters = HP_PARAMETERS_INIT;

  hp_parameters_write (&parameters, writer);
}

static void
write_parameters (HpWriter *writer)
{
  static const HpParameters parameters = { .max_datagram_size = 1472,
                                           .max_message_size = 1 << 26,
                                           .max_data = 4194304,
                                           .max_stream_data = 131072,
                                           .max_ack_delay = 10000,
                                           .idle_timeout = 30000 };

  hp_parameters_write (&parameters, writer);
}

static const struct
{
  HpSampleKind kind;
  const char *name;
  void (*write) (HpWriter *writer);
} others[] = {
  { HP_SAMPLE_PACKET, "hello", write_hello },
  { HP_SAMPLE_PACKET, "cookie", write_cookie },
  { HP_SAMPLE_PACKET, "cookie-of-peer", write_cookie_of_peer },
  { HP_SAMPLE_PACKET, "initiation", write_initiation },
  { HP_SAMPLE_PACKET, "response", write_response },
  { HP_SAMPLE_PACKET, "data-0", write_data_0 },
  { HP_SAMPLE_PACKET, "data-1", write_data_1 },
  { HP_SAMPLE_PACKET, "probe", write_probe },
  { HP_SAMPLE_PACKET, "unknown", write_unknown },
  { HP_SAMPLE_PARAMETERS, "default-parameters", write_default_parameters },
  { HP_SAMPLE_PARAMETERS, "parameters", write_parameters },
};

guint
hp_samples_get_count (void)
{
  return hp_n_frame_samples + G_N_ELEMENTS (others);
}

void
hp_samples_get (guint index, HpSample *sample)
{
  HpWriter writer;

  hp_writer_init (&writer, sample->bytes, sizeof sample->bytes);
  if (index < hp_n_frame_samples)
    {
      sample->kind = HP_SAMPLE_FRAME;
      sample->name = hp_frame_samples[index].name;
      hp_frame_write (&hp_frame_samples[index].frame, &writer);
    }
  else
    {
      sample->kind = others[index - hp_n_frame_samples].kind;
      sample->name = others[index - hp_n_frame_samples].name;
      others[index - hp_n_frame_samples].write (&writer);
    }
  g_assert_true (hp_writer_ok (&writer));
  sample->length = writer.offset;
}
