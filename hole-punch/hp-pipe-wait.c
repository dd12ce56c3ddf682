/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-pipe-inside-private.h"

typedef struct
{
  GSource source;
  HpPipe *pipe;
  HpPipeCondition condition;
  gboolean is_waiting; /* in the pipe's list; under its lock */
} PipeSource;

/* Conditions */

/* A quarter of the bound at least, so that nobody is woken for each datagram */
gboolean
hp_pipe_has_room (const HpPipe *self)
{
  return self->buffered <= self->bound - self->bound / 4;
}

static gboolean
holds (const HpPipe *self, HpPipeCondition condition)
{
  switch (condition)
    {
    case HP_PIPE_READABLE:
      return self->readable > 0 || self->at_end || self->input_closed
             || self->input_error != NULL;
    case HP_PIPE_WRITABLE:
      return hp_pipe_has_room (self) || self->output_closed
             || self->output_error != NULL;
    case HP_PIPE_SENT:
      return self->sent || self->output_error != NULL;
    }
  g_assert_not_reached ();
}

/* Ends a change: whoever waited for what holds now is woken. Outside of the
 * lock, since a source's last reference may be one of the pipe's last. */
void
hp_pipe_unlock_and_wake (HpPipe *self)
{
  GSList *woken = NULL;

  for (guint i = 0; i < HP_PIPE_N_CONDITIONS; i++)
    {
      if ((self->waiting[i] == NULL && self->n_blocked[i] == 0)
          || !holds (self, i))
        continue;
      if (self->n_blocked[i] > 0)
        g_cond_broadcast (self->conditions + i);
      for (GSList *l = self->waiting[i]; l != NULL; l = l->next)
        ((PipeSource *) l->data)->is_waiting = FALSE;
      woken = g_slist_concat (g_steal_pointer (&self->waiting[i]), woken);
    }
  g_mutex_unlock (&self->lock);

  for (GSList *l = woken; l != NULL; l = l->next)
    {
      if (!g_source_is_destroyed (l->data))
        g_source_set_ready_time (l->data, 0);
      g_source_unref (l->data);
    }
  g_slist_free (woken);
}

/* Those that were destroyed while they waited */
static GSList *
take_destroyed (GSList **list)
{
  GSList *taken = NULL;

  for (GSList *l = *list; l != NULL;)
    {
      GSList *next = l->next;

      if (g_source_is_destroyed (l->data))
        {
          *list = g_slist_remove_link (*list, l);
          taken = g_slist_concat (l, taken);
        }
      l = next;
    }
  return taken;
}

static gboolean
check_source (HpPipe *self, PipeSource *source)
{
  GSList **list = self->waiting + source->condition;
  GSList *destroyed = NULL;
  gboolean is_ready;

  g_mutex_lock (&self->lock);
  is_ready = holds (self, source->condition);
  if (!is_ready && !source->is_waiting)
    {
      destroyed = take_destroyed (list);
      source->is_waiting = TRUE;
      *list = g_slist_prepend (*list, g_source_ref (&source->source));
    }
  g_mutex_unlock (&self->lock);
  g_slist_free_full (destroyed, (GDestroyNotify) g_source_unref);
  return is_ready;
}

gboolean
hp_pipe_is_ready (HpPipe *self, HpPipeCondition condition)
{
  gboolean is_ready;

  g_mutex_lock (&self->lock);
  is_ready = holds (self, condition);
  g_mutex_unlock (&self->lock);
  return is_ready;
}

gboolean
hp_pipe_can_wait (HpPipe *self)
{
  return self->gate == NULL || !hp_pipe_gate_is_here (self->gate);
}

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  HpPipe *self = user_data;

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < HP_PIPE_N_CONDITIONS; i++)
    g_cond_broadcast (self->conditions + i);
  g_mutex_unlock (&self->lock);
}

gboolean
hp_pipe_wait (HpPipe *self, HpPipeCondition condition,
              GCancellable *cancellable, GError **error)
{
  gulong handler = 0;

  if (!hp_pipe_can_wait (self))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK,
                           "This thread runs the peer and may not be blocked: "
                           "use the asynchronous functions, or another thread");
      return FALSE;
    }
  if (cancellable != NULL)
    handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled),
                                     self, NULL);
  g_mutex_lock (&self->lock);
  self->n_blocked[condition]++;
  while (!holds (self, condition)
         && !g_cancellable_is_cancelled (cancellable))
    g_cond_wait (self->conditions + condition, &self->lock);
  self->n_blocked[condition]--;
  g_mutex_unlock (&self->lock);
  g_cancellable_disconnect (cancellable, handler);
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

/* The source */

static gboolean
pipe_source_prepare (GSource *source, int *timeout)
{
  PipeSource *self = (PipeSource *) source;

  *timeout = -1;
  return check_source (self->pipe, self);
}

static gboolean
pipe_source_check (GSource *source)
{
  PipeSource *self = (PipeSource *) source;

  return check_source (self->pipe, self);
}

static gboolean
pipe_source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  /* If it is woken just before this, prepare () sees why. */
  g_source_set_ready_time (source, -1);
  return callback != NULL ? callback (user_data) : G_SOURCE_CONTINUE;
}

static void
pipe_source_finalize (GSource *source)
{
  hp_pipe_unref (((PipeSource *) source)->pipe);
}

/* A child of a GPollable source has a closure for its callback. */
static gboolean
call_closure (gpointer closure)
{
  g_auto (GValue) result = G_VALUE_INIT;

  g_value_init (&result, G_TYPE_BOOLEAN);
  g_closure_invoke (closure, &result, 0, NULL, NULL);
  return g_value_get_boolean (&result);
}

static GSourceFuncs pipe_source_funcs = {
  .prepare = pipe_source_prepare,
  .check = pipe_source_check,
  .dispatch = pipe_source_dispatch,
  .finalize = pipe_source_finalize,
  .closure_callback = call_closure,
  .closure_marshal = (GSourceDummyMarshal) g_cclosure_marshal_generic,
};

GSource *
hp_pipe_create_source (HpPipe *self, HpPipeCondition condition)
{
  GSource *source = g_source_new (&pipe_source_funcs, sizeof (PipeSource));
  PipeSource *pipe_source = (PipeSource *) source;

  g_source_set_static_name (source, "hp-stream");
  pipe_source->pipe = hp_pipe_ref (self);
  pipe_source->condition = condition;
  return source;
}
