/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Questions that were put to the registry or the application and wait for an
 * answer; each has a deadline. */

#pragma once

#include <glib.h>

#define HP_MATCH_QUESTION_TIMEOUT (5 * G_TIME_SPAN_SECOND)

typedef enum
{
  HP_MATCH_QUESTION_CLAIM,                  /* subject: HpMatchClaim */
  HP_MATCH_QUESTION_AUTHORIZE_REGISTRATION, /* the same */
  HP_MATCH_QUESTION_LOOKUP,                 /* subject: HpMatchAsk */
  HP_MATCH_QUESTION_CALL,                   /* the same; to another place */
  HP_MATCH_QUESTION_AUTHORIZE_INTRODUCTION, /* the same */
} HpMatchQuestionKind;

typedef struct
{
  guint64 handle;
  HpMatchQuestionKind kind;
  gpointer subject;
  gint64 deadline;
  GList link;
} HpMatchQuestion;

typedef struct
{
  GHashTable *by_handle;
  GQueue queue; /* by deadline */
  guint64 last_handle;
} HpMatchQuestions;

void hp_match_questions_init (HpMatchQuestions *self);
void hp_match_questions_clear (HpMatchQuestions *self);
/* Gives its handle, never 0 */
guint64 hp_match_questions_add (HpMatchQuestions *self,
                                HpMatchQuestionKind kind, gpointer subject,
                                gint64 now);
/* NULL: unknown, answered already, or too late */
HpMatchQuestion *hp_match_questions_find (const HpMatchQuestions *self,
                                          guint64 handle);
/* Does nothing for a handle that is not there */
void hp_match_questions_remove (HpMatchQuestions *self, guint64 handle);
HpMatchQuestion *hp_match_questions_oldest (const HpMatchQuestions *self);
