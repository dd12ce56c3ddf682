/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-peer-waiters-private.h"

typedef struct
{
  HpWaiters *waiters;
  GTask *task;
  GSource *cancel_source; /* NULL: cannot be cancelled */
} Waiter;

typedef struct
{
  GTask *task;
  HpConnection *connection;
  GError *error;
} Outcome;

void
hp_waiters_init (HpWaiters *self, void (*deserted) (gpointer user_data),
                 gpointer user_data)
{
  g_queue_init (&self->waiters);
  self->deserted = deserted;
  self->user_data = user_data;
}

static GTask *
waiter_free (Waiter *waiter)
{
  GTask *task = waiter->task;

  if (waiter->cancel_source != NULL)
    {
      g_source_destroy (waiter->cancel_source);
      g_source_unref (waiter->cancel_source);
    }
  g_free (waiter);
  return task;
}

static gboolean
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  Waiter *waiter = user_data;
  HpWaiters *self = waiter->waiters;
  g_autoptr (GTask) task = NULL;
  g_autoptr (GObject)
      owner = g_object_ref (g_task_get_source_object (waiter->task));

  g_queue_remove (&self->waiters, waiter);
  task = waiter_free (waiter);
  if (g_queue_is_empty (&self->waiters))
    self->deserted (self->user_data);
  g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                           "The operation was cancelled");
  return G_SOURCE_REMOVE;
}

void
hp_waiters_add (HpWaiters *self, GTask *task)
{
  GCancellable *cancellable = g_task_get_cancellable (task);
  Waiter *waiter = g_new0 (Waiter, 1);

  waiter->waiters = self;
  waiter->task = task;
  if (cancellable != NULL)
    {
      waiter->cancel_source = g_cancellable_source_new (cancellable);
      g_source_set_static_name (waiter->cancel_source, "hp-waiter-cancelled");
      g_source_set_callback (waiter->cancel_source,
                             G_SOURCE_FUNC (on_cancelled), waiter, NULL);
      g_source_attach (waiter->cancel_source, g_task_get_context (task));
    }
  g_queue_push_tail (&self->waiters, waiter);
}

gboolean
hp_waiters_is_empty (const HpWaiters *self)
{
  return self->waiters.length == 0;
}

void
hp_waiters_move (HpWaiters *self, HpWaiters *from)
{
  Waiter *waiter;

  while ((waiter = g_queue_pop_head (&from->waiters)) != NULL)
    {
      waiter->waiters = self;
      g_queue_push_tail (&self->waiters, waiter);
    }
}

static void
outcome_free (gpointer data)
{
  Outcome *outcome = data;

  g_object_unref (outcome->task);
  g_clear_object (&outcome->connection);
  g_clear_error (&outcome->error);
  g_free (outcome);
}

static void
on_completed (GTask *task, GParamSpec *pspec, HpConnection *connection)
{
  hp_connection_release (connection);
}

static gboolean
on_outcome (gpointer user_data)
{
  Outcome *outcome = user_data;
  HpConnection *connection = outcome->connection;

  if (connection != NULL)
    g_signal_connect_object (outcome->task, "notify::completed",
                             G_CALLBACK (on_completed), connection, 0);

  if (outcome->error != NULL)
    g_task_return_error (outcome->task, g_steal_pointer (&outcome->error));
  else if (connection != NULL)
    g_task_return_pointer (outcome->task, g_object_ref (connection),
                           g_object_unref);
  else
    g_task_return_boolean (outcome->task, TRUE);
  return G_SOURCE_REMOVE;
}

static void
return_later (GTask *task, HpConnection *connection, const GError *error)
{
  g_autoptr (GSource) source = g_idle_source_new ();
  Outcome *outcome = g_new0 (Outcome, 1);

  outcome->task = task;
  if (error != NULL)
    outcome->error = g_error_copy (error);
  else if (connection != NULL)
    outcome->connection = g_object_ref (connection);
  if (outcome->connection != NULL)
    hp_connection_hold (connection);

  g_source_set_priority (source, g_task_get_priority (task));
  g_source_set_static_name (source, "hp-peer-outcome");
  g_source_set_callback (source, on_outcome, outcome, outcome_free);
  g_source_attach (source, g_task_get_context (task));
}

void
hp_waiters_return (HpWaiters *self, HpConnection *connection,
                   const GError *error)
{
  Waiter *waiter;

  while ((waiter = g_queue_pop_head (&self->waiters)) != NULL)
    return_later (waiter_free (waiter), connection, error);
}
