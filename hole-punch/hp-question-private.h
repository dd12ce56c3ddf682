/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A question that is answered exactly once: by whoever takes it, or by itself,
 * from the context it was made for, when it is dropped, its deadline is over,
 * or it is cancelled.
 *
 *            ┌── take ─────────────▸ the taker has the data, and answers
 *   pending ─┤
 *            └── drop, deadline, ──▸ end (data, why), from the context
 *                cancellable
 *
 * Garbage collectors drop objects at any moment, from any thread: dropping
 * does no more than to make a source ready.
 */

#pragma once

#include <gio/gio.h>

typedef enum
{
  HP_QUESTION_TIMED_OUT,
  HP_QUESTION_DROPPED,
  HP_QUESTION_CANCELLED,
} HpQuestionEnd;

typedef struct _HpQuestion HpQuestion;

/* (transfer full) of the data */
typedef void (*HpQuestionEndFunc) (gpointer data, HpQuestionEnd why);

/* @data: not NULL; given to @end or to the taker, or else (when the context
 * went away first) destroyed by @destroy. @timeout: µs from now. @context,
 * @cancellable: may be NULL. */
HpQuestion *hp_question_new (const char *name, GMainContext *context,
                             gint64 timeout, GCancellable *cancellable,
                             gpointer data, HpQuestionEndFunc end,
                             GDestroyNotify destroy);
/* The data (transfer full), once; NULL: already answered */
gpointer hp_question_take (HpQuestion *self);
/* Gives up the reference; one that nobody has taken ends */
void hp_question_drop (HpQuestion *self);
