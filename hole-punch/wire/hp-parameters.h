/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Transport parameters: what each side of a session tells the other inside
 * the handshake. A run of (id, length, value), all varints; unknown ids are
 * passed over, so that later versions can add.
 */

#pragma once

#include "hole-punch/base/hp-cursor.h"

typedef struct
{
  guint64 max_datagram_size; /* UDP payload we can receive; default 65507 */
  guint64 max_message_size;  /* largest message we take; default 0: none */
  guint64 max_data;          /* connection credit to begin with; 0 */
  guint64 max_stream_data;   /* credit of each new stream; 65536 */
  guint64 max_ack_delay;     /* µs; default 25000 */
  guint64 idle_timeout;      /* ms; 0: none */
  guint64 max_streams;       /* byte streams it may open to begin with; 0 */
  guint64 receive_buffer;    /* of the socket, bytes; 0: unknown */
} HpParameters;

#define HP_PARAMETERS_INIT                                                    \
  { .max_datagram_size = 65507, .max_stream_data = 65536,                     \
    .max_ack_delay = 25000 }

/* Larger ones are refused: 2^24 µs are 16.8 s, 2^32 ms are 49 days. */
#define HP_MAX_ACK_DELAY_LIMIT ((G_GUINT64_CONSTANT (1) << 24) - 1)
#define HP_IDLE_TIMEOUT_LIMIT ((G_GUINT64_CONSTANT (1) << 32) - 1)

/* FALSE when malformed, a parameter comes twice or has an impossible value */
gboolean hp_parameters_parse (HpParameters *self, const guint8 *bytes,
                              gsize length) G_GNUC_WARN_UNUSED_RESULT;
/* Leaves out what has its default value */
void hp_parameters_write (const HpParameters *self, HpWriter *writer);
