/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* TURN (RFC 8656): a client's requests and their answers, and the two ways in
 * which data goes through a relay. By libnice's STUN codec, as hp-stun.
 *
 * Long-term credentials (RFC 8489, section 9.2): the first request carries
 * none, the server's 401 tells its realm and a nonce, and every later request
 * carries both, the user's name and MESSAGE-INTEGRITY.
 *
 * Data goes in a Send or Data indication (36 bytes more for IPv4), or, once a
 * channel is bound, in ChannelData:
 *
 *    0                   1                   2                   3
 *   |         Channel Number        |            Length             |
 *   |   Application Data …, over a stream padded to 4 bytes         |
 */

#pragma once

#include "hole-punch/wire/hp-stun.h"

/* The names of RFC 8489, section 14, in UTF-8 with the final NUL */
#define HP_TURN_TEXT_SIZE 764
#define HP_TURN_REQUEST_MAX_SIZE 2560
/* What an answer may be long: the server's texts are in it */
#define HP_TURN_ANSWER_MAX_SIZE 4096
#define HP_TURN_CHANNEL_HEADER_SIZE 4
/* Header, XOR-PEER-ADDRESS (IPv6), DATA and its padding */
#define HP_TURN_INDICATION_OVERHEAD (20 + 24 + 4 + 3)
/* RFC 8656, section 12 */
#define HP_TURN_FIRST_CHANNEL 0x4000
#define HP_TURN_LAST_CHANNEL 0x4fff

typedef enum
{
  HP_TURN_ALLOCATE = 0x003,
  HP_TURN_REFRESH = 0x004,
  HP_TURN_CREATE_PERMISSION = 0x008,
  HP_TURN_CHANNEL_BIND = 0x009,
} HpTurnMethod;

/* RFC 8489, section 14.8; RFC 8656, section 19 */
typedef enum
{
  HP_TURN_TRY_ALTERNATE = 300,
  HP_TURN_BAD_REQUEST = 400,
  HP_TURN_UNAUTHORIZED = 401,
  HP_TURN_FORBIDDEN = 403,
  HP_TURN_MISMATCH = 437,
  HP_TURN_STALE_NONCE = 438,
  HP_TURN_WRONG_CREDENTIALS = 441,
  HP_TURN_QUOTA_REACHED = 486,
  HP_TURN_NO_CAPACITY = 508,
} HpTurnCode;

typedef struct
{
  const char *username; /* the user's, who keeps them */
  const char *password;
  char realm[HP_TURN_TEXT_SIZE]; /* the server's; "": not told yet */
  char nonce[HP_TURN_TEXT_SIZE];
} HpTurnCredentials;

typedef struct
{
  HpTurnMethod method;
  guint8 transaction[HP_STUN_TRANSACTION_SIZE];
  guint8 family;    /* ALLOCATE: HpAddressFamily of the relayed address */
  guint32 lifetime; /* ALLOCATE, REFRESH: seconds; ALLOCATE 0: not said */
  guint16 channel;  /* CHANNEL_BIND */
  HpAddress peer;   /* CREATE_PERMISSION, CHANNEL_BIND */
} HpTurnRequest;

typedef struct
{
  gboolean is_authentic; /* its MESSAGE-INTEGRITY is right */
  guint code;            /* 0: success; else HpTurnCode, or another */
  guint32 lifetime;      /* seconds, 0: none told */
  HpAddress relayed;     /* of ALLOCATE, NONE if there is none */
  HpAddress mapped;      /* we, as the server sees us */
  HpAddress alternate;   /* of TRY_ALTERNATE */
  char realm[HP_TURN_TEXT_SIZE]; /* "": none */
  char nonce[HP_TURN_TEXT_SIZE];
} HpTurnAnswer;

/* Credentials without a realm are left out. Gives its length, 0 if it does not
 * fit. */
gsize hp_turn_create_request (const HpTurnRequest *request,
                              const HpTurnCredentials *credentials,
                              guint8 *buffer, gsize capacity);
/* What a success or error answers; FALSE: it is none */
gboolean
hp_turn_get_transaction (const guint8 *bytes, gsize length,
                         guint8 transaction[HP_STUN_TRANSACTION_SIZE]);
/* The answer to @request, which went out with @credentials. FALSE: not that,
 * malformed, or not authentic. Only those errors that a server cannot sign,
 * since there is no common secret yet (400, 401, 438, and 300), may lack
 * authenticity. */
gboolean hp_turn_consume_answer (const HpTurnRequest *request,
                                 const HpTurnCredentials *credentials,
                                 const guint8 *bytes, gsize length,
                                 HpTurnAnswer *answer)
    G_GNUC_WARN_UNUSED_RESULT;

/* A Send indication; gives its length, 0 if it does not fit */
gsize hp_turn_create_send (
    const guint8 transaction[HP_STUN_TRANSACTION_SIZE], const HpAddress *peer,
    const guint8 *data, gsize data_length, guint8 *buffer, gsize capacity);
/* A Data indication: @data points into @bytes */
gboolean hp_turn_consume_data (guint8 *bytes, gsize length, HpAddress *peer,
                               guint8 **data, gsize *data_length)
    G_GNUC_WARN_UNUSED_RESULT;

/* ChannelData; @pads: over a stream. Gives its length, 0 if it does not fit. */
gsize hp_turn_create_channel_data (guint16 channel, const guint8 *data,
                                   gsize data_length, gboolean pads,
                                   guint8 *buffer, gsize capacity);
gboolean hp_turn_consume_channel_data (guint8 *bytes, gsize length,
                                       guint16 *channel, guint8 **data,
                                       gsize *data_length)
    G_GNUC_WARN_UNUSED_RESULT;

/* How long the message is that a stream goes on with, its padding included. */
typedef enum
{
  HP_TURN_FRAME_WHOLE,
  HP_TURN_FRAME_PART, /* more has to come */
  HP_TURN_FRAME_BAD,  /* neither STUN nor ChannelData: the stream is lost */
} HpTurnFrame;
HpTurnFrame hp_turn_find_frame (const guint8 *bytes, gsize length,
                                gsize *frame_length)
    G_GNUC_WARN_UNUSED_RESULT;
