/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-nat-questions.h"

#include <string.h>

#define COUNTER (HP_STUN_TRANSACTION_SIZE - 1)
/* A STUN message's type, length and magic cookie (RFC 8489, section 5) */
#define TRANSACTION_OFFSET 8
/* Both ways of a hairpin are short. */
#define HAIRPIN_INTERVAL (50 * G_TIME_SPAN_MILLISECOND)
#define HAIRPIN_REPEATS 3

void
hp_nat_questions_init (HpNatQuestions *self, const HpRandom *random)
{
  memset (self, 0, sizeof *self);
  self->random = *random;
}

void
hp_nat_questions_clear (HpNatQuestions *self)
{
  memset (self->questions, 0, sizeof self->questions);
}

gboolean
hp_nat_questions_ask (HpNatQuestions *self, HpNatQuestionKind kind,
                      guint round, guint socket, const HpAddress *to,
                      gboolean is_new, gint64 now)
{
  for (guint i = 0; i < HP_NAT_MAX_QUESTIONS; i++)
    {
      HpNatQuestion *question = &self->questions[i];

      if (question->is_open)
        continue;
      *question = (HpNatQuestion){ .is_open = TRUE,
                                   .kind = kind,
                                   .round = round,
                                   .socket = socket,
                                   .to = *to,
                                   .is_new = is_new,
                                   .asked_at = now,
                                   .due_at = now };
      hp_random_fill (&self->random, question->transaction,
                      HP_STUN_TRANSACTION_SIZE);
      question->transaction[COUNTER] = 0;
      return TRUE;
    }
  return FALSE;
}

static gboolean
is_last (const HpNatQuestion *question)
{
  return question->n_sent >= (question->kind == HP_NAT_QUESTION_HAIRPIN
                                  ? HAIRPIN_REPEATS
                                  : HP_NAT_QUESTION_REPEATS);
}

static void
sent (HpNatQuestions *self, HpNatQuestion *question, gint64 now)
{
  if (question->n_sent == 0)
    {
      question->asked_at = MAX (now, self->last_asked_at + 1);
      self->last_asked_at = question->asked_at;
    }
  question->due_at
      = now
        + (question->kind == HP_NAT_QUESTION_HAIRPIN
               ? HAIRPIN_INTERVAL
               : HP_NAT_QUESTION_INTERVAL << MIN (question->n_sent, 2));
  question->n_sent++;
}

gboolean
hp_nat_questions_pull (HpNatQuestions *self, HpOutgoing *outgoing, gint64 now)
{
  for (guint i = 0; i < HP_NAT_MAX_QUESTIONS; i++)
    {
      HpNatQuestion *question = &self->questions[i];

      if (!question->is_open || question->due_at > now || is_last (question))
        continue;
      question->transaction[COUNTER] = question->n_sent;
      outgoing->length = hp_stun_create_request (
          question->transaction, outgoing->bytes, outgoing->capacity);
      outgoing->route = (HpRoute){ .socket = question->socket,
                                   .remote = question->to };
      outgoing->ttl = 0;
      outgoing->is_alone = FALSE;
      outgoing->ecn = HP_ECN_NOT_ECT;
      sent (self, question, now);
      return outgoing->length > 0;
    }
  return FALSE;
}

/* Apart from the counter */
static HpNatQuestion *
find_transaction (HpNatQuestions *self, const guint8 *transaction)
{
  for (guint i = 0; i < HP_NAT_MAX_QUESTIONS; i++)
    if (self->questions[i].is_open && self->questions[i].n_sent > 0
        && memcmp (self->questions[i].transaction, transaction, COUNTER) == 0
        && transaction[COUNTER] < self->questions[i].n_sent)
      return &self->questions[i];
  return NULL;
}

static gboolean
is_answer (const HpNatQuestion *question, const HpDatagram *datagram,
           const guint8 *transaction, HpAddress *mapped, HpAddress *other)
{
  switch (question->kind)
    {
    case HP_NAT_QUESTION_SERVER:
      return datagram->route.socket == question->socket
             && hp_address_equal (&datagram->route.remote, &question->to)
             && hp_stun_consume_answer (transaction, datagram->bytes,
                                        datagram->length, mapped, other);
    case HP_NAT_QUESTION_HAIRPIN:
      memset (mapped, 0, sizeof *mapped);
      memset (other, 0, sizeof *other);
      return datagram->route.socket != question->socket;
    }
  return FALSE;
}

const HpNatQuestion *
hp_nat_questions_receive (HpNatQuestions *self, const HpDatagram *datagram,
                          HpAddress *mapped, HpAddress *other,
                          gboolean *was_first)
{
  const guint8 *transaction = datagram->bytes + TRANSACTION_OFFSET;
  HpNatQuestion *question;

  if (datagram->length < TRANSACTION_OFFSET + HP_STUN_TRANSACTION_SIZE)
    return NULL;
  question = find_transaction (self, transaction);
  if (question == NULL
      || !is_answer (question, datagram, transaction, mapped, other))
    return NULL;
  question->is_open = FALSE;
  *was_first = transaction[COUNTER] == 0;
  return question;
}

void
hp_nat_questions_expire (HpNatQuestions *self, gint64 now)
{
  for (guint i = 0; i < HP_NAT_MAX_QUESTIONS; i++)
    if (self->questions[i].is_open && self->questions[i].due_at <= now
        && is_last (&self->questions[i]))
      self->questions[i].is_open = FALSE;
}

gint64
hp_nat_questions_get_deadline (const HpNatQuestions *self)
{
  gint64 deadline = G_MAXINT64;

  for (guint i = 0; i < HP_NAT_MAX_QUESTIONS; i++)
    if (self->questions[i].is_open)
      deadline = MIN (deadline, self->questions[i].due_at);
  return deadline;
}

guint
hp_nat_questions_count_open (const HpNatQuestions *self, guint round)
{
  guint n = 0;

  for (guint i = 0; i < HP_NAT_MAX_QUESTIONS; i++)
    n += self->questions[i].is_open && self->questions[i].round == round;
  return n;
}
