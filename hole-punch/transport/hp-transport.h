/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The conductor of transport/: messages and bytes in, frames out, and back.
 *
 * No I/O and no clock: packets are pulled from it by the link, which seals
 * and sends them, and what comes in is pushed into it frame by frame. Every
 * time is a gint64 of µs handed in. Everything a user sends is a stream of
 * chunks (protocol: one mechanism splits, reassembles, resends): messages go
 * one way, byte streams both.
 *
 * Credit of messages. Two pools bound the receiver's memory by what it granted:
 *  - the connection's credit (MAX_DATA, cumulative) is used up by every message
 *    by 256 bytes for being open, 1 for its FIN, and its first 64 KiB, all of
 *    that from when its total is known;
 *  - bytes past a message's first 64 KiB are granted by MAX_STREAM_DATA from
 *    the large-message pool (max_message_size), and only when all the rest of
 *    the message fits, oldest first; an ordered message only when all before
 *    it have been opened and granted (else a later one could hold the pool
 *    that the earlier one needs).
 * Credit comes back when a message is consumed (delivered as an event), reset
 * or refused; of a reset one only what its final size says counts as used, for
 * the sender once its RESET is acknowledged. A sender takes credit for all
 * of a stream's first 64 KiB before it opens it, and numbers messages as it
 * opens them: a sequence number opens all below it.
 *
 * Credit of byte streams. Their number is bounded by MAX_STREAMS: 512 of the
 * other side's may be open at once. Each half has a window of its own that
 * slides as its reader consumes (MAX_STREAM_DATA); all begin with 16 KiB. They
 * take nothing of the connection's credit, so that neither keeps the other
 * waiting.
 *
 * The connection's window and those of byte streams grow as what they let in is
 * consumed in less than three round trips, all of them from one pool: what
 * max_receive_window is above the connection's first window. See
 * hp-receive-credit.h for how they share it.
 *
 * So what was received and not taken yet is never more than
 *    the connection's window (twice that, while totals are not known)
 *  + what the windows of byte streams have of the pool
 *  + max_message_size, for large messages
 *  + 16 KiB, and a block of as much, for each byte stream that is open.
 */

#pragma once

#include <glib.h>

#include "hole-punch/base/hp-cursor.h"
#include "hole-punch/transport/hp-congestion.h"
#include "hole-punch/wire/hp-frame.h"
#include "hole-punch/wire/hp-parameters.h"

#define HP_STREAM_OPEN_COST 256
#define HP_STREAM_INITIAL_CREDIT 65536
#define HP_STREAM_WEIGHT_DEFAULT 16
#define HP_STREAM_WEIGHT_MAX 256
#define HP_MAX_MESSAGE_SIZE_DEFAULT (64 * 1024 * 1024)
#define HP_MAX_MESSAGE_SIZE_LIMIT (1024 * 1024 * 1024)
/* 1 Gbit/s and 50 ms are twice 6.25 MB, which are four fifths of all but what
 * messages have to begin with. */
#define HP_MAX_RECEIVE_WINDOW_DEFAULT (40 * 1024 * 1024)
#define HP_MAX_RECEIVE_WINDOW_LIMIT (G_GUINT64_CONSTANT (1) << 32)
#define HP_MIN_RECEIVE_WINDOW 65536

typedef struct _HpTransport HpTransport;

typedef struct
{
  guint64 max_message_size; /* largest we take from the other side */
  guint64 receive_window;   /* connection credit to begin with, bytes; 0:
                               4 MiB, or the maximum if that is less; at least
                               what one message needs */
  guint64 max_receive_window; /* to which that and the windows of byte streams
                                 may grow, together; 0: 40 MiB */
  guint64 max_queued;       /* bytes waiting or unacknowledged before
                               can_queue() says no; 0: 64 MiB */
  gsize receive_buffer;     /* of our socket; 0: unknown */
  const HpCongestionClass *congestion; /* NULL: after BBRv3 */
} HpTransportConfig;

typedef enum
{
  HP_TRANSPORT_EVENT_MESSAGE,   /* received, whole */
  HP_TRANSPORT_EVENT_DELIVERED, /* a sent message was acknowledged, all of it */
  HP_TRANSPORT_EVENT_FAILED,    /* a sent message will not be delivered */
  /* Of byte streams */
  HP_TRANSPORT_EVENT_STREAM_OPENED,   /* by the other side */
  HP_TRANSPORT_EVENT_STREAM_READABLE, /* bytes, or the end, are there to be
                                         read; again only after reading has
                                         given NULL */
  HP_TRANSPORT_EVENT_STREAM_ACKED,    /* @length bytes written by us arrived */
  HP_TRANSPORT_EVENT_STREAM_SENT,     /* all of ours and its end arrived */
  HP_TRANSPORT_EVENT_STREAM_RESET,    /* the other side gave up writing */
  HP_TRANSPORT_EVENT_STREAM_STOPPED,  /* the other side does not read it: what
                                         was not acknowledged is given up */
  HP_TRANSPORT_EVENT_STREAM_ENDED,    /* both halves are over: the number means
                                         nothing any more */
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
  guint64 length;        /* STREAM_ACKED */
  guint64 code;          /* STREAM_RESET, STREAM_STOPPED: HpResetCode */
} HpTransportEvent;

typedef struct
{
  guint64 packets_sent, packets_received, packets_lost;
  guint64 packets_marked; /* of those sent: congestion experienced */
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
void hp_transport_set_responder (HpTransport *self); /* of the session */
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
/* Byte streams, two-way; once the other side's parameters are known. The
 * other side hears of a new one even if nothing is written. Every function
 * passes over a stream that has ended, or whose half is over. More than the
 * other side takes at once wait, with all that is done to them, and are heard
 * of in their order. */
guint64 hp_transport_open_stream (HpTransport *self, gint64 now);
/* Share of the connection when several streams and messages have something to
 * send, 1 to 256; HP_STREAM_WEIGHT_DEFAULT is what messages have */
void hp_transport_stream_set_weight (HpTransport *self, guint64 stream,
                                     guint weight);
/* @bytes are referenced until acknowledged, or given up */
void hp_transport_stream_write (HpTransport *self, guint64 stream,
                                GBytes *bytes, gint64 now);
/* The end, after all that was written */
void hp_transport_stream_finish (HpTransport *self, guint64 stream,
                                 gint64 now);
/* What is not acknowledged yet is given up. */
void hp_transport_stream_reset (HpTransport *self, guint64 stream,
                                HpResetCode code, gint64 now);
/* Nothing more will be read. */
void hp_transport_stream_stop (HpTransport *self, guint64 stream,
                               HpResetCode code, gint64 now);
/* The next bytes in order (transfer full); NULL: none now, or, with @at_end,
 * never any more, as all was read that the other side wrote and finished. (Not
 * so if it was reset or stopped.) Does not give credit: what was read and is
 * still held by the reader counts as memory. */
GBytes *hp_transport_stream_read (HpTransport *self, guint64 stream,
                                  gboolean *at_end);
/* The user has taken @length of the bytes read. A stream does not end before
 * all are, unless it was stopped. */
void hp_transport_stream_consume (HpTransport *self, guint64 stream,
                                  gsize length, gint64 now);
/* Bytes of messages queued and not yet acknowledged */
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
/* No packet carries @number: who acknowledges it, as it is among the last four
 * such, breaks the protocol, to be sent more than the path bears (RFC 9000,
 * section 21.4). */
void hp_transport_skip_number (HpTransport *self, guint64 number);
/* No further packet would be written now: found out for less than by trying.
 * It is noted that what is sent is limited by what there is to say. */
gboolean hp_transport_is_idle (HpTransport *self, gint64 now);
/* Before a CLOSE: an ACK of whatever was not acknowledged yet, if it fits, so
 * that the other side knows what arrived. May be called again for each copy. */
void hp_transport_write_last_ack (HpTransport *self, HpWriter *writer,
                                  gint64 now);
/* Into a packet that goes anyway, but not for us: an ACK that could still have
 * waited, if it fits. @writer: at most a datagram of the usual size */
void hp_transport_write_early_ack (HpTransport *self, HpWriter *writer,
                                   gint64 now);
/* Makes the next packet carry an ack-eliciting frame, a PING if nothing else */
void hp_transport_ping (HpTransport *self);

/* Receiving: each transport frame of a packet, then once the packet itself.
 * FALSE: the other side broke the protocol; close the session. */
gboolean hp_transport_receive_frame (HpTransport *self, const HpFrame *frame,
                                     guint64 number, gint64 now)
    G_GNUC_WARN_UNUSED_RESULT;
void hp_transport_packet_received (HpTransport *self, guint64 number,
                                   gboolean ack_eliciting, HpEcn ecn,
                                   gint64 now);

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

/* The current path is proven, and nothing forbids datagrams of up to @maximum
 * bytes on it: whether it carries them is found out, when there is much to be
 * sent. At most the size that the path was set with: nothing is tried. */
void hp_transport_allow_size (HpTransport *self, gsize maximum, gint64 now);
/* While the current path is proven packets may be marked ECT(0) as long as that
 * does no harm. Whether the one written last is to be */
void hp_transport_allow_marks (HpTransport *self, gboolean may_mark);
gboolean hp_transport_is_marked (const HpTransport *self);
/* Whether the packet written last may be lost for its size alone, or is to
 * arrive where such ones do not: it is not to share what becomes of others */
gboolean hp_transport_goes_alone (const HpTransport *self);
/* The largest datagram that data is put into now; a probe is larger, and is
 * written only into a writer that has room for it */
gsize hp_transport_get_datagram_size (const HpTransport *self);

/* What a PATH_CHALLENGE has measured of the current path: where to begin from
 * until an acknowledgement tells better (RFC 9002, section 6.2.2) */
void hp_transport_suggest_round_trip (HpTransport *self, gint64 round_trip,
                                      gint64 now);

gboolean hp_transport_next_event (HpTransport *self, HpTransportEvent *event);
gboolean hp_transport_has_event (const HpTransport *self);

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
