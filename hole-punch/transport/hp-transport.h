/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The conductor of transport/: messages in, frames out, and back.
 *
 * No I/O and no clock: packets are pulled from it by the link, which seals
 * and sends them, and what comes in is pushed into it frame by frame. Every
 * time is a gint64 of µs handed in. Everything a user sends is a stream of
 * chunks (protocol: one mechanism splits, reassembles, resends). Streams of
 * HP_STREAM_BYTES are not opened by this version; a frame of one breaks the
 * protocol.
 *
 * Credit. Two pools bound the receiver's memory by what it granted:
 *  - the connection's credit (MAX_DATA, cumulative) is used up by every stream
 *    by 256 bytes for being open, 1 for its FIN, and its first 64 KiB, all of
 *    that from when its total is known;
 *  - bytes past a stream's first 64 KiB are granted by MAX_STREAM_DATA from
 *    the large-message pool (max_message_size), and only when all the rest of
 *    the message fits, oldest first; an ordered message only when all before
 *    it have been opened and granted (else a later one could hold the pool
 *    that the earlier one needs).
 * Credit comes back when a message is consumed (delivered as an event), reset
 * or refused; of a reset one only what its final size says counts as used, for
 * the sender once its RESET is acknowledged. A sender takes credit for all
 * of a stream's first 64 KiB before it opens it, and numbers streams as it
 * opens them: a sequence number opens all below it.
 */

#pragma once

#include <glib.h>

#include "hole-punch/base/hp-cursor.h"
#include "hole-punch/transport/hp-congestion.h"
#include "hole-punch/wire/hp-frame.h"
#include "hole-punch/wire/hp-parameters.h"

#define HP_STREAM_OPEN_COST 256
#define HP_STREAM_INITIAL_CREDIT 65536
#define HP_MAX_MESSAGE_SIZE_DEFAULT (64 * 1024 * 1024)
#define HP_MAX_MESSAGE_SIZE_LIMIT (1024 * 1024 * 1024)

typedef struct _HpTransport HpTransport;

typedef struct
{
  guint64 max_message_size; /* largest we take from the other side */
  guint64 receive_window;   /* connection credit, bytes; 0: 4 MiB; at least
                               what one message needs */
  guint64 max_queued;       /* bytes waiting or unacknowledged before
                               can_queue() says no; 0: 64 MiB */
  const HpCongestionClass *congestion; /* NULL: NewReno */
} HpTransportConfig;

typedef enum
{
  HP_TRANSPORT_EVENT_MESSAGE,   /* received, whole */
  HP_TRANSPORT_EVENT_DELIVERED, /* a sent message was acknowledged, all of it */
  HP_TRANSPORT_EVENT_FAILED,    /* a sent message will not be delivered */
} HpTransportEventType;

typedef enum
{
  HP_SEND_FAILED_EXPIRED,   /* unreliable: lifetime over, or lost */
  HP_SEND_FAILED_CANCELLED, /* by hp_transport_cancel_message() */
  HP_SEND_FAILED_TOO_LARGE, /* the other side's max_message_size */
  HP_SEND_FAILED_STOPPED,   /* the other side did not want it */
} HpSendFailure;

typedef struct
{
  HpTransportEventType type;
  guint64 stream;        /* MESSAGE: the other side's number, which tells its
                            kind; else what hp_transport_send_message() gave */
  GBytes *message;       /* MESSAGE: (transfer full) */
  HpSendFailure failure; /* FAILED */
} HpTransportEvent;

typedef struct
{
  guint64 packets_sent, packets_received, packets_lost;
  guint64 bytes_sent, bytes_received;       /* of messages, first time only */
  guint64 bytes_resent;
  guint64 messages_sent, messages_received; /* delivered */
  guint64 congestion_window, bytes_in_flight;
} HpTransportStatistics;

HpTransport *hp_transport_new (const HpTransportConfig *config, gint64 now);
void hp_transport_free (HpTransport *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpTransport, hp_transport_free)

/* Ours, to be told in the handshake (fills all but max_datagram_size and
 * idle_timeout); and the other side's, once known. Nothing is sent before
 * the latter. */
void hp_transport_get_parameters (HpTransport *self, HpParameters *ours);
void hp_transport_set_remote_parameters (HpTransport *self,
                                         const HpParameters *theirs);

/* Sending. @bytes is referenced until the message has ended by exactly one
 * DELIVERED or FAILED event. @expires_at: for unreliable messages, 0 never.
 * Gives what the message is known by here; its stream on the wire gets its
 * number when it is opened. */
guint64 hp_transport_send_message (HpTransport *self, HpStreamKind kind,
                                   GBytes *bytes, gint64 expires_at,
                                   gint64 now);
void hp_transport_cancel_message (HpTransport *self, guint64 stream,
                                  gint64 now);
/* A frame of another floor (at most 1,000 bytes), sent reliably */
void hp_transport_send_control (HpTransport *self, GBytes *frame);
/* User bytes queued and not yet acknowledged */
gsize hp_transport_get_queued_bytes (const HpTransport *self);
/* Always when nothing is queued; 256 bytes count for each message besides. */
gboolean hp_transport_can_queue (const HpTransport *self, gsize length);

/* Fills @writer (a packet's plaintext room) with frames for packet @number and
 * remembers it as sent on the current path. FALSE: nothing to send now.
 * @overhead: bytes of the datagram besides the plaintext, for the congestion
 * controller's count. @ack_only: write an ACK at most (a path not proven yet
 * has run out of its budget). */
gboolean hp_transport_write_packet (HpTransport *self, HpWriter *writer,
                                    guint64 number, gsize overhead,
                                    gboolean ack_only, gint64 now);
/* Before a CLOSE: an ACK of whatever was not acknowledged yet, if it fits, so
 * that the other side knows what arrived. May be called again for each copy. */
void hp_transport_write_last_ack (HpTransport *self, HpWriter *writer,
                                  gint64 now);
/* Makes the next packet carry an ack-eliciting frame, a PING if nothing else */
void hp_transport_ping (HpTransport *self);

/* Receiving: each transport frame of a packet, then once the packet itself.
 * FALSE: the other side broke the protocol; close the session. */
gboolean hp_transport_receive_frame (HpTransport *self, const HpFrame *frame,
                                     guint64 number, gint64 now)
    G_GNUC_WARN_UNUSED_RESULT;
void hp_transport_packet_received (HpTransport *self, guint64 number,
                                   gboolean ack_eliciting, gint64 now);

/* When hp_transport_expire() wants to be called; G_MAXINT64: never. Includes
 * the time at which the pacer lets the next packet go and delayed ACKs, but
 * not what may be sent now: pull packets after whatever you do here. (But for
 * taking events: what they free is due at once.) */
gint64 hp_transport_get_deadline (const HpTransport *self, gint64 now);
/* Of that, when the next message's lifetime ends: it does so even while nothing
 * can be sent */
gint64 hp_transport_get_expiry (const HpTransport *self);
void hp_transport_expire (HpTransport *self, gint64 now);

/* A new path starts afresh: round-trip time, loss thresholds, congestion
 * state, datagram size; what was lost on an old one is resent and reduces
 * nothing. @datagram_size: UDP payload bytes. */
void hp_transport_set_path (HpTransport *self, guint path,
                            gsize datagram_size, gint64 now);

/* What a PATH_CHALLENGE has measured of the current path: where to begin from
 * until an acknowledgement tells better (RFC 9002, section 6.2.2) */
void hp_transport_suggest_round_trip (HpTransport *self, gint64 round_trip,
                                      gint64 now);

gboolean hp_transport_next_event (HpTransport *self, HpTransportEvent *event);

/* Of the current path, µs; -1: not measured yet */
gint64 hp_transport_get_round_trip (const HpTransport *self);
/* Probe timeout of RFC 9002, µs */
gint64 hp_transport_get_probe_timeout (const HpTransport *self);
/* When the other side last acknowledged something new, or, if later, when
 * something ack-eliciting was sent with nothing else waiting; 0: nothing
 * waits for an acknowledgement */
gint64 hp_transport_get_waiting_since (const HpTransport *self);
void hp_transport_get_statistics (const HpTransport *self,
                                  HpTransportStatistics *statistics);
/* Bytes of memory held for receiving, for the tests' bound */
gsize hp_transport_get_receive_memory (const HpTransport *self);
