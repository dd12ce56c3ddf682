/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Inner frames: the plaintext of DATA is a run of them. One codec for peers
 * and match servers.
 *
 * A frame is a type (one varint, always one byte long here) and its fields,
 * all counts and lengths varints. Byte strings are a length and the bytes.
 */

#pragma once

#include "hole-punch/base/hp-address.h"
#include "hole-punch/base/hp-cursor.h"
#include "hole-punch/base/hp-ranges.h"
#include "hole-punch/wire/hp-nat-facts.h"
#include "hole-punch/wire/hp-packet.h"
#include "hole-punch/wire/hp-stun.h"

#define HP_ID_MAX_SIZE 64            /* bytes of UTF-8 */
#define HP_MAX_CANDIDATES 16         /* in one frame */
#define HP_MAX_ACK_RANGES 64         /* sent, and read; further ones ignored */
#define HP_MAX_REASON_SIZE 256       /* of CLOSE */
#define HP_MAX_RELAYS 4              /* in one frame */
#define HP_RELAY_TEXT_MAX_SIZE 255   /* bytes of UTF-8 */
#define HP_TICKET_SECRET_SIZE 32
#define HP_PROOF_SIZE HP_COOKIE_SIZE

typedef enum
{
  HP_FRAME_PADDING = 0x00,
  HP_FRAME_PING = 0x01,
  HP_FRAME_ACK = 0x02,
  HP_FRAME_CLOSE = 0x03,
  HP_FRAME_ACK_ECN = 0x04, /* an ACK with counts of marks */
  HP_FRAME_CHUNK = 0x08, /* and 0x09 with FIN */
  HP_FRAME_CHUNK_FIN = 0x09,
  HP_FRAME_RESET = 0x10,
  HP_FRAME_STOP = 0x11,
  HP_FRAME_MAX_DATA = 0x12,
  HP_FRAME_MAX_STREAM_DATA = 0x13,
  HP_FRAME_MAX_STREAMS = 0x14,
  HP_FRAME_PATH_CHALLENGE = 0x18,
  HP_FRAME_PATH_RESPONSE = 0x19,
  HP_FRAME_CANDIDATES = 0x1a,
  HP_FRAME_NAT = 0x1b,
  HP_FRAME_REGISTER = 0x20,
  HP_FRAME_REGISTERED = 0x21,
  HP_FRAME_REFUSED = 0x22,
  HP_FRAME_UNREGISTER = 0x23,
  HP_FRAME_ASK = 0x24,
  HP_FRAME_REPLY = 0x25,
  HP_FRAME_ANSWER = 0x26,
  HP_FRAME_INTRODUCE = 0x27,
  HP_FRAME_OBSERVED = 0x28,
  HP_FRAME_RELAY_REQUEST = 0x29,
  HP_FRAME_RELAYS = 0x2a,
  HP_FRAME_KNOCK = 0x2b,
  HP_FRAME_KNOCKED = 0x2c,
} HpFrameType;

/* Codes of CLOSE */
typedef enum
{
  HP_CLOSE_NORMAL = 0,
  HP_CLOSE_PROTOCOL = 1,  /* the other side broke the protocol */
  HP_CLOSE_REPLACED = 2,  /* a newer session with this identity */
  HP_CLOSE_DENIED = 3,    /* the application did not want this peer */
  HP_CLOSE_GOING_AWAY = 4,
} HpCloseCode;

/* Codes of REFUSED: why a request to the match server failed */
typedef enum
{
  HP_REFUSED_UNKNOWN_ID = 1, /* not there, or its holder said no: alike */
  HP_REFUSED_ID_TAKEN = 2,
  HP_REFUSED_POLICY = 3,
  HP_REFUSED_RATE_LIMITED = 4,
  HP_REFUSED_INVALID = 5,   /* of a shape that no server takes */
  HP_REFUSED_TEMPORARY = 6, /* registry not to be reached: ask again later */
} HpRefusedCode;

/* Codes of RESET and STOP */
typedef enum
{
  HP_RESET_CANCELLED = 0,
  HP_RESET_EXPIRED = 1,   /* an unreliable message's lifetime, or a loss */
  HP_RESET_TOO_LARGE = 2,
} HpResetCode;

/* The low bits of a stream number: kind (2 bits), for byte streams also who
 * opened it (1 bit: by the responder of the session). The rest counts up from
 * zero for each kind and opener. */
typedef enum
{
  HP_STREAM_ORDERED = 0,
  HP_STREAM_UNORDERED = 1,
  HP_STREAM_UNRELIABLE = 2,
  HP_STREAM_BYTES = 3,
} HpStreamKind;

#define HP_STREAM_KIND(number) ((HpStreamKind) ((number) &3))
#define HP_STREAM_SEQUENCE(number) ((number) >> 3)
#define HP_STREAM_NUMBER(sequence, kind) ((guint64) (sequence) << 3 | (kind))

typedef enum
{
  HP_CANDIDATE_HOST = 0,
  HP_CANDIDATE_SERVER_REFLEXIVE = 1,
  HP_CANDIDATE_PEER_REFLEXIVE = 2,
  HP_CANDIDATE_MAPPED = 3,  /* by PCP, NAT-PMP or UPnP */
  HP_CANDIDATE_RELAYED = 4,
} HpCandidateKind;

typedef struct
{
  HpAddress address;
  guint8 kind;       /* HpCandidateKind */
  gboolean has_proof;
  guint8 proof[HP_PROOF_SIZE]; /* the match server's cookie for the address */
} HpWireCandidate;

typedef struct
{
  guint n_candidates;
  HpWireCandidate candidates[HP_MAX_CANDIDATES];
} HpWireCandidates;

/* A byte string inside the datagram */
typedef struct
{
  const guint8 *data;
  gsize length;
} HpBytes;

typedef struct
{
  guint64 number;
  guint8 secret[HP_TICKET_SECRET_SIZE];
} HpWireTicket;

/* Packets that came with each mark, in all the session (RFC 9000, section
 * 13.4.1) */
typedef struct
{
  guint64 ect_0;
  guint64 ect_1;
  guint64 ce;
} HpMarks;

typedef struct
{
  guint64 largest;
  guint64 delay; /* µs between receiving @largest and sending this */
  guint n_ranges;
  HpRange ranges[HP_MAX_ACK_RANGES]; /* descending, ends exclusive */
  gboolean has_marks;
  HpMarks marks;
} HpAckFrame;

typedef struct
{
  guint64 stream;
  guint64 offset;
  gboolean fin;
  /* Total length of a message: only (and always) at offset 0 of a stream
   * that is not HP_STREAM_BYTES */
  guint64 total;
  HpBytes bytes;
} HpChunkFrame;

/* One TURN server, and what lets a peer in; none is empty but perhaps the
 * username and the password, where the server asks for none */
typedef struct
{
  HpBytes uri;      /* "turn:…" or "turns:…" (RFC 7065) */
  HpBytes username;
  HpBytes password;
} HpWireRelay;

/* Registration flags */
#define HP_REGISTER_OPEN 1      /* introduce without asking the holder */
#define HP_REGISTER_EPHEMERAL 2 /* the key will not come back: no ownership */

/* INTRODUCE and ANSWER flags */
#define HP_INTRODUCE_NEEDS_REPLY 1 /* nobody is told before the REPLY */

/* Where a match server knocks from, KNOCK and KNOCKED flags; a NAT that lets
 * one in lets in those before it as well */
#define HP_KNOCK_SAME 1       /* the place that was asked */
#define HP_KNOCK_OTHER_PORT 2 /* another port of that host */
#define HP_KNOCK_OTHER_HOST 4

typedef struct
{
  guint8 type; /* HpFrameType; CHUNK_FIN is given as CHUNK with .fin, ACK_ECN
                  as ACK with .has_marks */
  union
  {
    guint64 padding_length; /* PADDING: a run of them is one */
    HpAckFrame ack;
    struct
    {
      guint64 code; /* HpCloseCode */
      HpBytes reason; /* UTF-8, unchecked */
    } close;
    HpChunkFrame chunk;
    struct
    {
      guint64 stream;
      guint64 code; /* HpResetCode */
      guint64 final_size; /* RESET only: bytes sent, without the FIN's one */
    } reset; /* RESET and STOP */
    struct
    {
      guint64 stream; /* MAX_STREAM_DATA only */
      guint64 maximum;
    } max; /* MAX_DATA, MAX_STREAM_DATA and MAX_STREAMS */
    guint8 token[HP_TOKEN_SIZE]; /* PATH_CHALLENGE, PATH_RESPONSE */
    HpWireCandidates candidates; /* CANDIDATES, without proofs */
    HpNatFacts nat;              /* NAT: of the sender */
    struct
    {
      guint64 request; /* request numbers rise, lower ones are ignored */
      guint64 flags;   /* HP_REGISTER_… */
      guint16 suites;
      HpNatFacts nat;  /* for the ANSWERs of an open registration */
      HpBytes id;
    } reg; /* REGISTER; UNREGISTER has only request and id */
    struct
    {
      guint64 request;
      guint64 lifetime; /* seconds */
      HpAddress observed;
    } registered;
    struct
    {
      guint64 request;
      guint64 code; /* HpRefusedCode */
    } refused; /* for REGISTER and ASK alike */
    struct
    {
      guint64 request;
      /* Exactly one of the two: an id, or (length 32) a public key */
      gboolean by_key;
      HpBytes target;
      guint16 suites;
      guint64 round_trip; /* µs, to the server */
      HpNatFacts nat;
      HpWireCandidates candidates;
    } ask;
    struct
    {
      guint64 ticket_number; /* of the INTRODUCE */
      gboolean accept;
      guint16 suites;
      guint64 round_trip;
      HpNatFacts nat;
      HpWireCandidates candidates;
    } reply;
    struct
    {
      guint64 request;      /* ANSWER: of the ASK; INTRODUCE: 0 */
      guint64 flags;        /* HP_INTRODUCE_… */
      guint8 public_key[HP_KEY_SIZE]; /* of the other peer */
      HpBytes id;           /* of the other peer, or empty */
      HpBytes wanted_id;    /* INTRODUCE: what was asked for, empty if by key */
      guint16 suites;
      guint64 round_trip;   /* of the other peer to the server, µs */
      HpWireTicket ticket;
      HpAddress observed;   /* of the other peer by the server, or NONE */
      HpNatFacts nat;       /* of the other peer */
      HpWireCandidates candidates; /* the other peer's, already checked */
    } introduction; /* ANSWER and INTRODUCE */
    struct
    {
      HpAddress address;
    } observed;
    struct
    {
      guint64 request;
    } relay_request;
    struct
    {
      guint64 request;
      guint64 lifetime; /* of the credentials, seconds */
      guint n_relays;
      HpWireRelay relays[HP_MAX_RELAYS];
    } relays;
    struct
    {
      HpAddress address; /* of the sender's, where to knock */
      guint8 proof[HP_PROOF_SIZE]; /* the match server's cookie for it */
      guint64 flags;               /* HP_KNOCK_…: where from */
      guint8 transaction[HP_STUN_TRANSACTION_SIZE]; /* of the STUN Binding
                                                       indication to come */
    } knock;
    struct
    {
      guint64 flags; /* HP_KNOCK_…: done */
      guint8 transaction[HP_STUN_TRANSACTION_SIZE];
    } knocked;
  };
} HpFrame;

/* Reads the next frame; FALSE when malformed, of an unknown type, or beyond a
 * limit: the session is to be closed, since the packet was authentic. Call it
 * while hp_reader_left () is not 0. */
gboolean hp_frame_parse (HpFrame *self, HpReader *reader)
    G_GNUC_WARN_UNUSED_RESULT;
/* Writes one frame; fails @writer when it does not fit (then roll back to
 * where it stood). */
void hp_frame_write (const HpFrame *self, HpWriter *writer);

/* Bytes of a CHUNK frame besides its data, for at most @data_length of them */
gsize hp_frame_chunk_overhead (guint64 stream, guint64 offset, guint64 total,
                               gsize data_length);

/* Only such frames: the packet proves a path, carries nothing, and does not
 * make the receiver follow it to a new path (RFC 9000, section 9.1) */
gboolean hp_frame_is_probing (guint8 type);
/* The packet is to be acknowledged: all but PADDING, ACK, CLOSE and the two
 * PATH ones, which have answers of their own */
gboolean hp_frame_is_ack_eliciting (guint8 type);

/* 1 to 64 bytes of UTF-8 without control characters, not of the form of a
 * fingerprint (52 lower-case base32 characters), nor ending in @ and one */
gboolean hp_id_is_valid (const char *id, gsize length)
    G_GNUC_WARN_UNUSED_RESULT;
