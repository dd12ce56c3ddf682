/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-question-private.h"

struct _HpQuestion
{
  GSource source;

  gpointer data; /* atomic; NULL: answered */
  int is_dropped; /* atomic */
  GCancellable *cancellable;
  HpQuestionEndFunc end;
  GDestroyNotify destroy;
};

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  HpQuestion *self = (HpQuestion *) source;
  gpointer data = g_atomic_pointer_exchange (&self->data, NULL);

  if (data == NULL)
    return G_SOURCE_REMOVE;
  if (g_cancellable_is_cancelled (self->cancellable))
    self->end (data, HP_QUESTION_CANCELLED);
  else if (g_atomic_int_get (&self->is_dropped))
    self->end (data, HP_QUESTION_DROPPED);
  else
    self->end (data, HP_QUESTION_TIMED_OUT);
  return G_SOURCE_REMOVE;
}

static void
finalize (GSource *source)
{
  HpQuestion *self = (HpQuestion *) source;
  gpointer data = g_atomic_pointer_exchange (&self->data, NULL);

  if (data != NULL)
    self->destroy (data);
  g_clear_object (&self->cancellable);
}

static GSourceFuncs source_funcs = {
  .dispatch = dispatch,
  .finalize = finalize,
};

HpQuestion *
hp_question_new (const char *name, GMainContext *context, gint64 timeout,
                 GCancellable *cancellable, gpointer data,
                 HpQuestionEndFunc end, GDestroyNotify destroy)
{
  GSource *source = g_source_new (&source_funcs, sizeof (HpQuestion));
  HpQuestion *self = (HpQuestion *) source;

  g_assert (data != NULL && end != NULL && destroy != NULL);
  self->data = data;
  self->is_dropped = FALSE;
  self->end = end;
  self->destroy = destroy;
  g_set_object (&self->cancellable, cancellable);
  g_source_set_static_name (source, name);
  g_source_set_ready_time (source, g_get_monotonic_time () + timeout);
  if (cancellable != NULL)
    {
      g_autoptr (GSource) child = g_cancellable_source_new (cancellable);

      g_source_set_dummy_callback (child);
      g_source_add_child_source (source, child);
    }
  g_source_attach (source, context);
  return self;
}

gpointer
hp_question_take (HpQuestion *self)
{
  gpointer data = g_atomic_pointer_exchange (&self->data, NULL);

  if (data != NULL)
    g_source_destroy (&self->source);
  return data;
}

void
hp_question_drop (HpQuestion *self)
{
  g_atomic_int_set (&self->is_dropped, TRUE);
  if (g_atomic_pointer_get (&self->data) != NULL)
    g_source_set_ready_time (&self->source, 0);
  g_source_unref (&self->source);
}
