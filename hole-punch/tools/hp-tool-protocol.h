/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The messages by which `hole-punch` talks to `hole-punch`;
 * docs/tool-protocol.md tells the whole story.
 *
 *   sender                  listener
 *     │ ── OFFER ─────────────▸ │  number, size, name
 *     │ ◂───────────── ACCEPT ─ │
 *     │ ── DATA … ────────────▸ │  in order, at most 1 MiB each
 *     │ ── END ───────────────▸ │  SHA-256
 *     │ ◂───────────── STORED ─ │  or FAILED, at any time after OFFER
 *
 * PING is answered by PONG. Any other message is somebody else's, and plain.
 */

#pragma once

#include <gio/gio.h>

#define HP_TOOL_DATA_MAX (1024 * 1024)
#define HP_TOOL_NAME_MAX 1024
#define HP_TOOL_REASON_MAX 512
#define HP_TOOL_DIGEST_SIZE 32

typedef enum
{
  HP_TOOL_MESSAGE_OFFER = 1,
  HP_TOOL_MESSAGE_ACCEPT,
  HP_TOOL_MESSAGE_DATA,
  HP_TOOL_MESSAGE_END,
  HP_TOOL_MESSAGE_STORED,
  HP_TOOL_MESSAGE_FAILED,
  HP_TOOL_MESSAGE_PING,
  HP_TOOL_MESSAGE_PONG,
} HpToolMessageType;

typedef struct
{
  HpToolMessageType type;
  guint32 transfer; /* not of PING and PONG */
  guint64 number;   /* OFFER: size; DATA: offset; PING, PONG: sequence */
  /* The rest: a name, file data, a digest, a reason, or anything. Not owned */
  const guint8 *bytes;
  gsize length;
} HpToolMessage;

typedef enum
{
  HP_TOOL_PARSE_OK,
  HP_TOOL_PARSE_PLAIN,
  HP_TOOL_PARSE_MALFORMED,
} HpToolParse;

/* Of HP_TOOL_PARSE_OK all lengths are within their limits. */
HpToolParse hp_tool_message_parse (HpToolMessage *self,
                                   GBytes *message) G_GNUC_WARN_UNUSED_RESULT;
GBytes *hp_tool_message_write (const HpToolMessage *self);
