/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* STUN Binding requests under way: each is sent until it is answered, by the
 * timers of RFC 8489, section 6.2.1, in small. No I/O.
 *
 * A repeated request has another transaction, so that an answer tells which
 * of them it is to: when that is not the first, it is not known when the NAT
 * made the mapping.
 */

#pragma once

#include "hole-punch/base/hp-outgoing.h"
#include "hole-punch/base/hp-random.h"
#include "hole-punch/wire/hp-stun.h"

#define HP_NAT_MAX_QUESTIONS 48
#define HP_NAT_QUESTION_REPEATS 4
/* The first repetition comes after so long, then twice as long each */
#define HP_NAT_QUESTION_INTERVAL (250 * G_TIME_SPAN_MILLISECOND)

typedef enum
{
  HP_NAT_QUESTION_SERVER,
  HP_NAT_QUESTION_HAIRPIN, /* answered by coming in at another socket */
} HpNatQuestionKind;

typedef struct
{
  gboolean is_open; /* neither answered nor given up */
  HpNatQuestionKind kind;
  guint round; /* of the asker's, so that it can wait for some only */
  guint socket;
  HpAddress to;
  gboolean is_new; /* nothing went there from this socket before */
  guint8 transaction[HP_STUN_TRANSACTION_SIZE]; /* of the last one sent, whose
                                                   last byte counts them */
  guint n_sent;
  gint64 asked_at; /* first; no two are asked in the same microsecond */
  gint64 due_at; /* to be sent again, or given up */
} HpNatQuestion;

typedef struct
{
  HpRandom random;
  gint64 last_asked_at;
  HpNatQuestion questions[HP_NAT_MAX_QUESTIONS];
} HpNatQuestions;

void hp_nat_questions_init (HpNatQuestions *self, const HpRandom *random);
/* Forgets all */
void hp_nat_questions_clear (HpNatQuestions *self);
/* FALSE: too many */
gboolean hp_nat_questions_ask (HpNatQuestions *self, HpNatQuestionKind kind,
                               guint round, guint socket,
                               const HpAddress *to, gboolean is_new,
                               gint64 now);
gboolean hp_nat_questions_pull (HpNatQuestions *self, HpOutgoing *outgoing,
                                gint64 now);
/* The question that @datagram answers, not open any more, and valid until the
 * next call: @mapped and @other as told; @was_first: to what was sent first.
 * NULL: it answers none of them. */
const HpNatQuestion *hp_nat_questions_receive (HpNatQuestions *self,
                                               const HpDatagram *datagram,
                                               HpAddress *mapped,
                                               HpAddress *other,
                                               gboolean *was_first);
/* Gives up those whose time is up */
void hp_nat_questions_expire (HpNatQuestions *self, gint64 now);
gint64 hp_nat_questions_get_deadline (const HpNatQuestions *self);
guint hp_nat_questions_count_open (const HpNatQuestions *self, guint round);
