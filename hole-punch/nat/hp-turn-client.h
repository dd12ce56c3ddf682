/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One allocation at a TURN server (RFC 8656): asked for, kept, and given back.
 *
 *   IDLE ── start ──▸ ALLOCATING ── Allocate succeeds ──▸ READY
 *                       │    401: realm and nonce           │
 *                       │    438: another nonce             │ 437: it is gone
 *                       ▾                                   ▾
 *                     FAILED ◂──────────────────────────────┘
 *   any ── close ──▸ CLOSED, with a Refresh of lifetime 0
 *
 * While IDLE it can inquire: a request that changes nothing (a Refresh of
 * lifetime 0) has the server tell its realm and a nonce, which saves the
 * allocation that comes soon after it a round trip.
 *
 * While READY it is refreshed a good while before it would expire; over UDP
 * also whenever nothing was sent for HP_TURN_KEEPALIVE, since a NAT may forget
 * us sooner, and soon after data went out and nothing at all came back, to
 * learn whether the server still knows us.
 *
 * A permission (per host, 5 minutes) is asked for with the first data to there,
 * or before; data may follow in the same flight. A peer that answers gets a
 * channel (10 minutes), whose data costs 4 bytes instead of 36. Both are
 * renewed for as long as they are used.
 *
 * No I/O and no clock. It is used once: for another allocation make another
 * one.
 */

#pragma once

#include "hole-punch/nat/hp-turn-transaction.h"

#define HP_TURN_KEEPALIVE (20 * G_TIME_SPAN_SECOND)
/* Data sent and nothing heard for so long: ask the server */
#define HP_TURN_SILENCE (2 * G_TIME_SPAN_SECOND)
/* RFC 8656, sections 9 and 12, and how much earlier they are renewed */
#define HP_TURN_PERMISSION_LIFETIME (300 * G_TIME_SPAN_SECOND)
#define HP_TURN_CHANNEL_LIFETIME (600 * G_TIME_SPAN_SECOND)
#define HP_TURN_RENEWAL (60 * G_TIME_SPAN_SECOND)
/* Neither sent to nor permitted again for so long: let it expire */
#define HP_TURN_DISUSE (300 * G_TIME_SPAN_SECOND)
#define HP_TURN_MAX_PERMISSIONS 64
#define HP_TURN_MAX_CHANNELS 32

typedef enum
{
  HP_TURN_CLIENT_IDLE,
  HP_TURN_CLIENT_ALLOCATING,
  HP_TURN_CLIENT_READY,
  HP_TURN_CLIENT_FAILED,
  HP_TURN_CLIENT_CLOSED,
} HpTurnClientState;

/* What to do about it */
typedef enum
{
  HP_TURN_FAILURE_NONE,
  HP_TURN_FAILURE_SILENCE,     /* no answer: try another transport or server */
  HP_TURN_FAILURE_CREDENTIALS, /* get others */
  HP_TURN_FAILURE_QUOTA,       /* try another server, or later */
  HP_TURN_FAILURE_ALTERNATE,   /* try hp_turn_client_get_alternate() */
  HP_TURN_FAILURE_LOST,        /* the server has forgotten us: allocate anew */
  HP_TURN_FAILURE_REFUSED,     /* try another server */
} HpTurnFailure;

typedef enum
{
  HP_TURN_RECEIVED_NOTHING, /* not for us, or nonsense */
  HP_TURN_RECEIVED_ANSWER,
  HP_TURN_RECEIVED_DATA,
} HpTurnReceived;

typedef struct
{
  gboolean is_stream; /* neither repeats nor keepalives; data is padded */
  const char *username; /* copied */
  const char *password;
  guint8 family;    /* HpAddressFamily of the relayed address */
  guint32 lifetime; /* to ask for, seconds; 0: the server's choice */
  HpRandom random;
} HpTurnClientConfig;

typedef struct _HpTurnClient HpTurnClient;

HpTurnClient *hp_turn_client_new (const HpTurnClientConfig *config);
void hp_turn_client_free (HpTurnClient *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HpTurnClient, hp_turn_client_free)

/* While IDLE, as often as one likes */
void hp_turn_client_inquire (HpTurnClient *self, gint64 now);
void hp_turn_client_start (HpTurnClient *self, gint64 now);
/* Gives the allocation back: pull until FALSE, then free */
void hp_turn_client_close (HpTurnClient *self, gint64 now);

/* Datagrams of @peer's host shall come through, and ours go there. Nothing
 * happens unless it is READY and @peer has the family of its address. */
void hp_turn_client_permit (HpTurnClient *self, const HpAddress *peer,
                            gint64 now);

/* A datagram, or a message of the stream; @peer and @data for DATA only, the
 * latter inside @bytes */
HpTurnReceived hp_turn_client_receive (HpTurnClient *self, guint8 *bytes,
                                       gsize length, gint64 now,
                                       HpAddress *peer, guint8 **data,
                                       gsize *data_length);
/* The next request that is due; its length, 0: none. @capacity is
 * HP_TURN_REQUEST_MAX_SIZE at least. */
gsize hp_turn_client_pull (HpTurnClient *self, guint8 *buffer, gsize capacity,
                           gint64 now);
/* What to send to the server to have @data sent to @peer, for which it
 * permits it if need be: pull first. Its length; 0: it cannot be sent. */
gsize hp_turn_client_wrap (HpTurnClient *self, const HpAddress *peer,
                           const guint8 *data, gsize data_length,
                           guint8 *buffer, gsize capacity, gint64 now);
gint64 hp_turn_client_get_deadline (const HpTurnClient *self);
void hp_turn_client_expire (HpTurnClient *self, gint64 now);

HpTurnClientState hp_turn_client_get_state (const HpTurnClient *self);
HpTurnFailure hp_turn_client_get_failure (const HpTurnClient *self);
/* An inquiry has begun that was not answered so far */
gboolean hp_turn_client_is_inquiring (const HpTurnClient *self);
/* The error code that the server gave, 0: none */
guint hp_turn_client_get_code (const HpTurnClient *self);
/* Once READY */
const HpAddress *hp_turn_client_get_relayed (const HpTurnClient *self);
const HpAddress *hp_turn_client_get_alternate (const HpTurnClient *self);
/* µs, -1: not measured */
gint64 hp_turn_client_get_round_trip (const HpTurnClient *self);
