/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The packets in flight, oldest first, and what each of them carried.
 *
 * Packets and records are two rings that grow by doubling, so that a packet
 * allocates nothing; a packet's records lie side by side in theirs:
 *
 *   packets  head [ 7 | 9 | 10 | 14 ] tail          by ordinal
 *                   |   |
 *   records  head [ aa b   cccc  d  ] tail
 *
 * An ordinal counts the packets of this ring; packet numbers have gaps, as
 * they are shared with packets that are not in it.
 */

#pragma once

#include <glib.h>

typedef enum
{
  HP_RECORD_CHUNK,           /* object: the stream; from start to end */
  HP_RECORD_RESET,           /* object: the stream */
  HP_RECORD_CONTROL,         /* object: the control frame */
  HP_RECORD_STOP,            /* start: stream number */
  HP_RECORD_MAX_DATA,        /* start: the maximum told */
  HP_RECORD_MAX_STREAM_DATA, /* start: stream number */
  HP_RECORD_MAX_STREAMS,     /* start: the maximum told */
} HpRecordType;

typedef struct
{
  HpRecordType type;
  gpointer object; /* a reference of its own */
  guint64 start;
  guint64 end;
} HpRecord;

typedef enum
{
  HP_SENT_OUTSTANDING,
  HP_SENT_ACKED,
  HP_SENT_LOST,
} HpSentState;

/* A cache line */
typedef struct
{
  guint64 number;
  gint64 sent_at;
  guint64 largest_reported; /* of its ACK frame */
  /* For hp-delivery-rate, how it was when this was sent */
  guint64 delivered;
  guint32 delivered_ago;  /* µs before sent_at */
  guint32 first_sent_ago;
  guint32 lost;           /* modulo 2^32 */
  guint32 in_flight;      /* with this */
  guint32 first_record;   /* modulo 2^32 */
  guint16 n_records;
  guint16 size;           /* of the datagram */
  guint32 path_epoch;     /* which of the paths so far */
  guint8 state;           /* HpSentState */
  guint8 has_ack : 1;
  guint8 is_app_limited : 1;
  guint8 is_marked : 1;    /* by ECN */
  guint8 is_mtu_probe : 1; /* its loss tells of its size, not of congestion */
} HpSentPacket;

typedef struct
{
  HpSentPacket *packets;
  gsize capacity; /* a power of two, or 0 */
  guint64 head;
  guint64 tail;
  HpRecord *records;
  gsize record_capacity;
  guint64 record_head;
  guint64 record_tail;
  guint64 record_mark; /* first record of the packet being composed */
} HpSentRing;

void hp_sent_ring_clear (HpSentRing *self);
gsize hp_sent_ring_get_length (const HpSentRing *self);
/* A record of the packet being composed */
void hp_sent_ring_add_record (HpSentRing *self, HpRecordType type,
                              gpointer object, guint64 start, guint64 end);
gboolean hp_sent_ring_has_new_records (const HpSentRing *self);
/* The packet being composed, at the tail; @number is above all before it */
HpSentPacket *hp_sent_ring_push (HpSentRing *self, guint64 number);
/* Drops the head */
void hp_sent_ring_pop (HpSentRing *self);
HpSentPacket *hp_sent_ring_get (const HpSentRing *self, guint64 ordinal);
HpRecord *hp_sent_ring_get_record (const HpSentRing *self,
                                   const HpSentPacket *packet, guint i);
/* Ordinal of the first packet whose number is @number or above */
guint64 hp_sent_ring_find (const HpSentRing *self, guint64 number);
