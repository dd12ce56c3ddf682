/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-pipe-private.h"

struct _HpPipeGate
{
  gatomicrefcount references;
  GMainContext *context;
  GThread *thread;
  HpPipeGateWake wake;
  gpointer user_data;

  GMutex lock;
  GQueue waiting;  /* HpPipe */
  GSource *source; /* NULL: closed */
};

static gboolean
gate_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  g_source_set_ready_time (source, -1);
  return callback != NULL ? callback (user_data) : G_SOURCE_CONTINUE;
}

static GSourceFuncs gate_funcs = { .dispatch = gate_dispatch };

static gboolean
on_woken (gpointer user_data)
{
  HpPipeGate *self = user_data;

  self->wake (self->user_data);
  return G_SOURCE_CONTINUE;
}

HpPipeGate *
hp_pipe_gate_new (GMainContext *context, HpPipeGateWake wake,
                  gpointer user_data)
{
  HpPipeGate *self = g_new0 (HpPipeGate, 1);

  g_atomic_ref_count_init (&self->references);
  self->context = g_main_context_ref (context);
  self->thread = g_thread_self ();
  self->wake = wake;
  self->user_data = user_data;
  g_mutex_init (&self->lock);
  g_queue_init (&self->waiting);
  self->source = g_source_new (&gate_funcs, sizeof (GSource));
  g_source_set_static_name (self->source, "hp-pipe-gate");
  g_source_set_callback (self->source, on_woken, self, NULL);
  g_source_attach (self->source, context);
  return self;
}

HpPipeGate *
hp_pipe_gate_ref (HpPipeGate *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
hp_pipe_gate_unref (HpPipeGate *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_assert (self->source == NULL && self->waiting.length == 0);
  g_mutex_clear (&self->lock);
  g_main_context_unref (self->context);
  g_free (self);
}

void
hp_pipe_gate_close (HpPipeGate *self)
{
  GQueue waiting;

  g_mutex_lock (&self->lock);
  waiting = self->waiting;
  g_queue_init (&self->waiting);
  g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
  g_mutex_unlock (&self->lock);
  g_queue_clear_full (&waiting, (GDestroyNotify) hp_pipe_unref);
}

HpPipe *
hp_pipe_gate_pop (HpPipeGate *self)
{
  HpPipe *pipe;

  g_mutex_lock (&self->lock);
  pipe = g_queue_pop_head (&self->waiting);
  g_mutex_unlock (&self->lock);
  return pipe;
}

void
hp_pipe_gate_push (HpPipeGate *self, HpPipe *pipe)
{
  gboolean is_first, is_owner;

  g_mutex_lock (&self->lock);
  if (self->source == NULL)
    {
      g_mutex_unlock (&self->lock);
      return;
    }
  is_first = self->waiting.length == 0;
  g_queue_push_tail (&self->waiting, hp_pipe_ref (pipe));
  is_owner = is_first && g_main_context_is_owner (self->context);
  if (is_first && !is_owner)
    g_source_set_ready_time (self->source, 0);
  g_mutex_unlock (&self->lock);

  /* Nobody else closes the gate meanwhile: that is for this thread. */
  if (is_owner)
    self->wake (self->user_data);
}

gboolean
hp_pipe_gate_is_here (HpPipeGate *self)
{
  return self->thread == g_thread_self ()
         || g_main_context_is_owner (self->context);
}
