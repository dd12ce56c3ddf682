/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One path of a link: a socket of ours and a remote address. It is proven by
 * a token that was sent on it alone and came back; until then only a few
 * datagrams go there (protocol: "Matching and punching", 6).
 *
 * The tokens are those of PATH_CHALLENGE frames, and of INITIATIONs, which
 * come back in the RESPONSE.
 */

#pragma once

#include "hole-punch/base/hp-address.h"
#include "hole-punch/base/hp-random.h"
#include "hole-punch/wire/hp-frame.h"

/* Datagrams that may go to a path before it is proven */
#define HP_UNPROVEN_DATAGRAMS 10
/* Tokens under way that are still known: a second's worth at a loss of many
 * over a long round trip */
#define HP_PATH_TOKENS 16
#define HP_PATH_ANSWERS 4

typedef struct
{
  guint8 token[HP_TOKEN_SIZE];
  gint64 sent_at;
} HpPathToken;

/* Lower is better */
typedef enum
{
  HP_PATH_LAN,
  HP_PATH_DIRECT,
  HP_PATH_MAPPED,  /* to a port that a router was asked to map */
  HP_PATH_RELAYED, /* by a carrier of ours, or to the other side's relay */
} HpPathRank;

typedef struct
{
  HpRoute route; /* its local address is NONE where any of ours will do */
  guint id;      /* to the transport: the same for all ports of one host */
  HpPathRank rank;

  gboolean is_proven;
  guint unproven_left;   /* datagrams that may still go to it unproven */
  guint64 heard_bytes;   /* in datagrams, while it is not proven */
  guint64 sent_bytes;
  gint64 answered_at;    /* when the last token came back; 0: never */
  gint64 answered_sent_at; /* when that one had been sent */
  gint64 round_trip;     /* smoothed, µs; -1: not measured */

  HpPathToken tokens[HP_PATH_TOKENS];
  guint n_tokens; /* ever sent */

  gint64 challenge_at;     /* the next one; G_MAXINT64: none by itself */
  guint n_unanswered;      /* challenges since the last answer … */
  gint64 unanswered_since; /* … and when the first of them went; 0: none */

  guint8 answers[HP_PATH_ANSWERS][HP_TOKEN_SIZE]; /* PATH_RESPONSEs to send */
  guint n_answers;

  gboolean has_echo; /* the RESPONSE's own token: in every first DATA */
  guint8 echo[HP_TOKEN_SIZE];

  /* The other side's packets began to come from here: is it moving? 0: no */
  gint64 appeared_at;
} HpPath;

HpPath *hp_path_new (const HpRoute *route, HpPathRank rank, guint id);
void hp_path_free (HpPath *self);

/* Whether a datagram that came by @route came by this path */
gboolean hp_path_matches (const HpPath *self, const HpRoute *route);

/* A fresh token, remembered as sent on this path at @now */
void hp_path_create_token (HpPath *self, const HpRandom *random, gint64 now,
                           guint8 token[HP_TOKEN_SIZE]);
/* When the last one was sent; 0: never */
gint64 hp_path_get_token_time (const HpPath *self);
/* A token that came back on this path: FALSE if it was none of its own; else
 * the path is proven and has its round trip */
gboolean hp_path_consume_token (HpPath *self,
                                const guint8 token[HP_TOKEN_SIZE], gint64 now)
    G_GNUC_WARN_UNUSED_RESULT;
/* The proof came another way (a stateless token) */
void hp_path_prove (HpPath *self, gint64 now);
/* It has to be proven again, as if it were new */
void hp_path_doubt (HpPath *self);
void hp_path_queue_answer (HpPath *self, const guint8 token[HP_TOKEN_SIZE]);

/* A datagram of @length bytes came from there, or went there */
void hp_path_heard (HpPath *self, gsize length);
void hp_path_sent (HpPath *self, gsize length);
/* Bytes that may go there: three times what came from there (RFC 9000,
 * section 8.1), any number once it is proven */
gsize hp_path_get_allowance (const HpPath *self);
/* Counts a datagram that goes there; FALSE: none may any more */
gboolean hp_path_spend (HpPath *self) G_GNUC_WARN_UNUSED_RESULT;

/* By rank, then by a clearly shorter round trip */
gboolean hp_path_is_better (const HpPath *self, const HpPath *than);
