/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What `hole-punch` says to `hole-punch`; docs/tool-protocol.md tells the whole
 * story.
 *
 *   sender           one stream            listener
 *     │ ── OFFER ───────────────────────────▸ │  size, name
 *     │ ◂─────────────────────────── ACCEPT ─ │
 *     │ ── the file's bytes ────────────────▸ │
 *     │ ── END ─────────────────────────────▸ │  SHA-256
 *     │ ◂─────────────────────────── STORED ─ │
 *
 *   tester                                 listener
 *     │ ── TEST ────────────────────────────▸ │  a stream of its own
 *     │ ◂─────────────────────────── ACCEPT ─ │
 *     │ ── LOAD, bytes ─────────────────────▸ │  on several others; the bytes
 *     │ ◂────────────────────────────  TICK ─ │  go to the left if it is so
 *     │ ◂─────────────────────────── REPORT ─ │  wished
 *
 * FAILED may come at any time from a listener. PING and PONG are messages; any
 * other message is somebody else's, and plain.
 */

#pragma once

#include <gio/gio.h>

#define HP_TOOL_PAYLOAD_MAX (1024 * 1024)
/* Of a file whose end nobody knows before it comes */
#define HP_TOOL_SIZE_UNKNOWN G_MAXUINT64
#define HP_TOOL_NAME_MAX 1024
#define HP_TOOL_REASON_MAX 512
#define HP_TOOL_DIGEST_SIZE 32
#define HP_TOOL_TEST_MILLISECONDS_MAX 60000
#define HP_TOOL_TEST_STREAMS_MAX 64

typedef enum
{
  HP_TOOL_RECORD_OFFER = 1,
  HP_TOOL_RECORD_ACCEPT,
  HP_TOOL_RECORD_END,
  HP_TOOL_RECORD_STORED,
  HP_TOOL_RECORD_FAILED,
  HP_TOOL_RECORD_TEST,
  HP_TOOL_RECORD_LOAD,
  HP_TOOL_RECORD_TICK,
  HP_TOOL_RECORD_REPORT,
  HP_TOOL_RECORD_PING,
  HP_TOOL_RECORD_PONG,
} HpToolRecordType;

#define HP_TOOL_MAX_NUMBERS 6

/* What was seen of a speed test where its bytes came in, and what it took */
typedef struct
{
  guint64 bytes;        /* 0 of who sent them */
  guint64 microseconds; /* from the first one on */
  guint64 cpu;          /* µs of the processors */
  guint64 datagrams_sent;
  guint64 datagrams_lost; /* of these */
  guint64 datagram_size;
} HpToolReport;

typedef struct
{
  HpToolRecordType type;
  union
  {
    guint64 numbers[HP_TOOL_MAX_NUMBERS];
    guint64 size; /* OFFER */
    struct
    {
      guint64 run;
      guint64 milliseconds;
      guint64 n_streams;
      guint64 is_reverse; /* from the listener */
    } test;
    guint64 run; /* LOAD */
    struct
    {
      guint64 bytes;
      guint64 microseconds;
    } tick;
    HpToolReport report;
    guint64 sequence; /* PING, PONG */
  };
  /* The rest: a name, a digest, a reason, or anything. Not owned */
  const guint8 *bytes;
  gsize length;
} HpToolRecord;

typedef enum
{
  HP_TOOL_PARSE_OK,
  HP_TOOL_PARSE_PLAIN,
  HP_TOOL_PARSE_MALFORMED,
} HpToolParse;

/* Of HP_TOOL_PARSE_OK all lengths and numbers are within their limits. */
HpToolParse hp_tool_message_parse (HpToolRecord *self,
                                   GBytes *message) G_GNUC_WARN_UNUSED_RESULT;
GBytes *hp_tool_message_write (const HpToolRecord *self);

/* On streams a record is not alone: its type and length come first. */
#define HP_TOOL_HEADER_SIZE 11
#define HP_TOOL_END_SIZE (HP_TOOL_HEADER_SIZE + HP_TOOL_DIGEST_SIZE)

typedef struct
{
  HpToolRecordType type;
  gsize length; /* of the body */
} HpToolHeader;

gboolean
hp_tool_header_parse (HpToolHeader *self,
                      const guint8 bytes[HP_TOOL_HEADER_SIZE])
    G_GNUC_WARN_UNUSED_RESULT;
/* @body: header->length bytes */
gboolean hp_tool_record_parse (HpToolRecord *self, const HpToolHeader *header,
                               const guint8 *body) G_GNUC_WARN_UNUSED_RESULT;
GBytes *hp_tool_record_write (const HpToolRecord *self);
