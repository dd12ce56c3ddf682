/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A transport whose packets the test reads, and writes the answers to. */

#pragma once

#include "hole-punch/transport/hp-transport-private.h"

#define MS G_TIME_SPAN_MILLISECOND
#define OVERHEAD 29
#define SIZE 1024

typedef struct
{
  HpTransport *transport;
  guint64 number; /* of the next packet */
  gint64 now;
  guint8 packet[HP_DATAGRAM_SIZE_MAX];
  gsize length;
} Conductor;

void conductor_set_up (Conductor *self, gconstpointer data);
void conductor_tear_down (Conductor *self, gconstpointer data);

/* FALSE: there is nothing to send, or it may not */
gboolean conductor_write_packet (Conductor *self, gsize size,
                                 gboolean ack_only);
/* The types of the frames of the next packet, in hexadecimal; NULL: none */
const char *conductor_next (Conductor *self);
/* Sends all that may be sent now; how many packets */
guint conductor_flush (Conductor *self);

void conductor_receive (Conductor *self, const HpFrame *frame, guint64 number);
void conductor_receive_ping (Conductor *self, guint64 number);
void conductor_receive_ack (Conductor *self, guint64 first, guint64 last);

guint64 conductor_send_message (Conductor *self, HpStreamKind kind, gsize size);
void conductor_send_control (Conductor *self, gsize size);

void conductor_assert_event (Conductor *self, HpTransportEventType type,
                             guint64 stream);
void conductor_assert_no_event (Conductor *self);
