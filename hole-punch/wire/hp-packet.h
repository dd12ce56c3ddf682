/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Outer datagrams: every type, size and limit of the protocol's outside.
 *
 * The first byte tells what a datagram is (RFC 7983 leaves these to us):
 *
 *   HELLO       B0 | version 1 | 0 2 | transaction 8 | proof 16 | zeros
 *               (128 bytes at least)
 *   COOKIE      B1 | version 1 | suites 2 | transaction 8 | cookie 16 |
 *               has key 1 | public key 32 or none | observed address
 *   INITIATION  B2 | version 1 | suite 1 | 0 1 | sender 4 | ticket number 8 |
 *               Noise message 1 (ephemeral 32, static 48, parameters n + 16) |
 *               path token 8 | MAC 16
 *   RESPONSE    B3 | version 1 | suite 1 | 0 1 | sender 4 | receiver 4 |
 *               Noise message 2 (ephemeral 32, parameters n + 16) |
 *               echoed path token 8 | own path token 8 | MAC 16
 *   DATA        B4 or B5 (key phase 0, 1) | receiver 4 | packet number 8 |
 *               ciphertext | tag 16
 *   PROBE       B6 | version 1 | 0 2 | ticket number 8 | MAC 16
 *   UNKNOWN     B7 | 0 3 | receiver 4 | packet number 8   (of the DATA)
 *
 * MAC is HMAC-SHA256 (ticket secret, role ‖ all bytes before), cut to 16.
 * The part of an INITIATION before its path token is the same on every path;
 * so is the part of the RESPONSE to it. The tokens are of one path each: an
 * INITIATION's token coming back proves that path to the initiator, and the
 * RESPONSE's own token, which comes back in a PATH_RESPONSE frame of the first
 * DATA, proves it to the responder: no further round trip.
 */

#pragma once

#include "hole-punch/base/hp-address.h"
#include "hole-punch/base/hp-cursor.h"

#define HP_PROTOCOL_VERSION 1

#define HP_KEY_SIZE 32
#define HP_TAG_SIZE 16
#define HP_MAC_SIZE 16
#define HP_COOKIE_SIZE 16
#define HP_TOKEN_SIZE 8
#define HP_TRANSACTION_SIZE 8

#define HP_HELLO_MIN_SIZE 128
#define HP_DATA_HEADER_SIZE 13
#define HP_DATA_OVERHEAD (HP_DATA_HEADER_SIZE + HP_TAG_SIZE)
#define HP_PROBE_SIZE 28
#define HP_UNKNOWN_SIZE 16
#define HP_NOISE_1_OVERHEAD (32 + 48 + 16)
#define HP_NOISE_2_OVERHEAD (32 + 16)
#define HP_MAX_PARAMETERS_SIZE 128
#define HP_INITIATION_TRAILER_SIZE (HP_TOKEN_SIZE + HP_MAC_SIZE)
#define HP_RESPONSE_TRAILER_SIZE (2 * HP_TOKEN_SIZE + HP_MAC_SIZE)
#define HP_INITIATION_MAX_SIZE                                                \
  (16 + HP_NOISE_1_OVERHEAD + HP_MAX_PARAMETERS_SIZE                          \
   + HP_INITIATION_TRAILER_SIZE)
#define HP_RESPONSE_MAX_SIZE                                                  \
  (12 + HP_NOISE_2_OVERHEAD + HP_MAX_PARAMETERS_SIZE                          \
   + HP_RESPONSE_TRAILER_SIZE)

/* UDP payload: the smallest we work with, the seed's default, the largest */
#define HP_DATAGRAM_SIZE_MIN 512
#define HP_DATAGRAM_SIZE_DEFAULT 1024
#define HP_DATAGRAM_SIZE_MAX 65507

typedef enum
{
  HP_PACKET_HELLO = 0xb0,
  HP_PACKET_COOKIE = 0xb1,
  HP_PACKET_INITIATION = 0xb2,
  HP_PACKET_RESPONSE = 0xb3,
  HP_PACKET_DATA_0 = 0xb4,
  HP_PACKET_DATA_1 = 0xb5,
  HP_PACKET_PROBE = 0xb6,
  HP_PACKET_UNKNOWN = 0xb7,
} HpPacketType;

typedef enum
{
  HP_PACKET_CLASS_STUN,  /* 0x00-0x03 */
  HP_PACKET_CLASS_TURN,  /* 0x40-0x4f */
  HP_PACKET_CLASS_OURS,  /* 0xb0-0xb7 */
  HP_PACKET_CLASS_OTHER, /* dropped, counted, never answered */
} HpPacketClass;

/* Cipher suites; on the wire also as bits, 1 << suite, in COOKIE and frames */
typedef enum
{
  HP_SUITE_AES_GCM = 1,         /* Noise_IK_25519_AESGCM_SHA256 */
  HP_SUITE_CHACHA_POLY = 2,     /* Noise_IK_25519_ChaChaPoly_SHA256 */
} HpSuite;

#define HP_SUITE_BIT(suite) (1u << (suite))

typedef struct
{
  guint8 version;
  guint8 transaction[HP_TRANSACTION_SIZE];
  guint8 proof[HP_MAC_SIZE]; /* zeros to a server whose key is not known */
  gsize mac_length;          /* the bytes that @proof covers */
} HpHello;

typedef struct
{
  guint8 version;
  guint16 suites;
  guint8 transaction[HP_TRANSACTION_SIZE];
  guint8 cookie[HP_COOKIE_SIZE];
  gboolean has_public_key;
  guint8 public_key[HP_KEY_SIZE];
  HpAddress observed;
} HpCookiePacket;

/* Pointers point into the datagram */
typedef struct
{
  guint8 version;
  guint8 suite; /* not checked to be known */
  guint32 sender_index;
  guint64 ticket_number; /* 0: the secret is a cookie */
  const guint8 *noise;
  gsize noise_length;
  gsize core_length; /* the part that is the same on every path */
  guint8 token[HP_TOKEN_SIZE];
  gsize mac_length;
  guint8 mac[HP_MAC_SIZE];
} HpInitiation;

typedef struct
{
  guint8 version;
  guint8 suite;
  guint32 sender_index;
  guint32 receiver_index;
  const guint8 *noise;
  gsize noise_length;
  gsize core_length;
  guint8 echoed_token[HP_TOKEN_SIZE];
  guint8 own_token[HP_TOKEN_SIZE];
  gsize mac_length;
  guint8 mac[HP_MAC_SIZE];
} HpResponse;

typedef struct
{
  guint8 key_phase; /* 0 or 1 */
  guint32 receiver_index;
  guint64 number;
} HpDataHeader;

typedef struct
{
  guint8 version;
  guint64 ticket_number;
  gsize mac_length;
  guint8 mac[HP_MAC_SIZE];
} HpProbe;

typedef struct
{
  guint32 receiver_index;
  guint64 number;
} HpUnknown;

HpPacketClass hp_packet_classify (const guint8 *bytes, gsize length);

/* Parsers: FALSE for anything malformed. A version other than ours parses as
 * far as this version's shape goes; it is the caller who refuses it. Sizes
 * beyond the limits above are malformed. */
gboolean hp_packet_parse_hello (HpHello *self, const guint8 *bytes,
                                gsize length) G_GNUC_WARN_UNUSED_RESULT;
gboolean hp_packet_parse_cookie (HpCookiePacket *self, const guint8 *bytes,
                                 gsize length) G_GNUC_WARN_UNUSED_RESULT;
gboolean hp_packet_parse_initiation (HpInitiation *self, const guint8 *bytes,
                                     gsize length) G_GNUC_WARN_UNUSED_RESULT;
gboolean hp_packet_parse_response (HpResponse *self, const guint8 *bytes,
                                   gsize length) G_GNUC_WARN_UNUSED_RESULT;
gboolean hp_packet_parse_data (HpDataHeader *self, const guint8 *bytes,
                               gsize length) G_GNUC_WARN_UNUSED_RESULT;
gboolean hp_packet_parse_probe (HpProbe *self, const guint8 *bytes,
                                gsize length) G_GNUC_WARN_UNUSED_RESULT;
gboolean hp_packet_parse_unknown (HpUnknown *self, const guint8 *bytes,
                                  gsize length) G_GNUC_WARN_UNUSED_RESULT;
/* The session index of a RESPONSE or DATA, without parsing all of it */
gboolean hp_packet_get_receiver (const guint8 *bytes, gsize length,
                                 guint32 *index) G_GNUC_WARN_UNUSED_RESULT;

/* Writers. Those of packets with a MAC write all before it; the caller then
 * computes the MAC over what is written and appends it. */
void hp_packet_write_hello (const HpHello *self, HpWriter *writer);
void hp_packet_write_cookie (const HpCookiePacket *self, HpWriter *writer);
/* Writes up to the Noise message, which the caller appends, then the token */
void hp_packet_write_initiation_header (const HpInitiation *self,
                                        HpWriter *writer);
void hp_packet_write_response_header (const HpResponse *self,
                                      HpWriter *writer);
void hp_packet_write_data_header (const HpDataHeader *self, HpWriter *writer);
void hp_packet_write_probe_header (const HpProbe *self, HpWriter *writer);
void hp_packet_write_unknown (const HpUnknown *self, HpWriter *writer);
