/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-match-questions.h"

void
hp_match_questions_init (HpMatchQuestions *self)
{
  self->by_handle = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_queue_init (&self->queue);
}

void
hp_match_questions_clear (HpMatchQuestions *self)
{
  GList *link;

  g_clear_pointer (&self->by_handle, g_hash_table_unref);
  while ((link = g_queue_pop_head_link (&self->queue)) != NULL)
    g_free (link->data);
}

guint64
hp_match_questions_add (HpMatchQuestions *self, HpMatchQuestionKind kind,
                        gpointer subject, gint64 now)
{
  HpMatchQuestion *question = g_new0 (HpMatchQuestion, 1);

  question->handle = ++self->last_handle;
  question->kind = kind;
  question->subject = subject;
  question->deadline = now + HP_MATCH_QUESTION_TIMEOUT;
  question->link.data = question;
  g_hash_table_insert (self->by_handle, &question->handle, question);
  g_queue_push_tail_link (&self->queue, &question->link);
  return question->handle;
}

HpMatchQuestion *
hp_match_questions_find (const HpMatchQuestions *self, guint64 handle)
{
  return g_hash_table_lookup (self->by_handle, &handle);
}

void
hp_match_questions_remove (HpMatchQuestions *self, guint64 handle)
{
  HpMatchQuestion *question = hp_match_questions_find (self, handle);

  if (question == NULL)
    return;
  g_hash_table_remove (self->by_handle, &handle);
  g_queue_unlink (&self->queue, &question->link);
  g_free (question);
}

HpMatchQuestion *
hp_match_questions_oldest (const HpMatchQuestions *self)
{
  return g_queue_peek_head ((GQueue *) &self->queue);
}
