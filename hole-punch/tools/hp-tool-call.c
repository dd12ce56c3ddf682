/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/tools/hp-tool-call.h"

/* A match server lets a peer ask about once a second. */
#define RETRY_DELAY (1 * G_TIME_SPAN_SECOND)
#define MAX_RETRY_DELAY (3 * G_TIME_SPAN_SECOND)
#define MAX_QUICK_RETRIES 10

static void ask (HpToolCall *self);

static gboolean
on_retry (gpointer user_data)
{
  HpToolCall *self = user_data;

  hp_tool_clear_source (&self->retry_source);
  if (!self->run->is_ending)
    ask (self);
  return G_SOURCE_REMOVE;
}

static gboolean
can_pass (const GError *error)
{
  return g_error_matches (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_UNKNOWN_ID)
         || g_error_matches (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_RATE_LIMITED)
         || g_error_matches (error, HP_PUNCH_ERROR, HP_PUNCH_ERROR_UNREACHABLE);
}

static void
fail (HpToolCall *self, GError *error)
{
  g_autoptr (GError) own_error = NULL;

  /* That nobody is there says more than that the time is over. */
  if (self->run->is_late && self->error != NULL)
    {
      hp_tool_run_fail (self->run, self->error);
      return;
    }
  if (self->run->is_late)
    {
      own_error = g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                               "“%s” was not reached in time", self->target);
      error = own_error;
    }
  hp_tool_run_fail (self->run, error);
}

static void
retry (HpToolCall *self, GError *error)
{
  gint64 delay = self->n_failures++ < MAX_QUICK_RETRIES ? RETRY_DELAY
                                                        : MAX_RETRY_DELAY;

  if (hp_tool_run_get_time_left (self->run) == 0)
    {
      fail (self, error);
      return;
    }
  g_clear_error (&self->error);
  self->error = g_error_copy (error);
  self->retry_source = hp_tool_add_timeout (
      "hole-punch-retry", MIN (delay, hp_tool_run_get_time_left (self->run)),
      on_retry, self);
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  HpToolCall *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (HpConnection)
      connection = hp_peer_connect_finish (HP_PEER (source), result, &error);

  if (self->run->is_ending)
    return;
  if (connection != NULL)
    {
      hp_tool_run_stop_deadline (self->run);
      self->called (connection, self->user_data);
    }
  else if (can_pass (error))
    {
      retry (self, error);
    }
  else
    {
      fail (self, error);
    }
}

static void
ask (HpToolCall *self)
{
  hp_peer_connect_async (self->run->peer, self->target, self->run->cancellable,
                         on_connected, self);
}

void
hp_tool_call_begin (HpToolCall *self, HpToolRun *run, const char *target,
                    HpToolCalled called, gpointer user_data)
{
  *self = (HpToolCall){
    .run = run,
    .target = target,
    .called = called,
    .user_data = user_data,
  };
  ask (self);
}

void
hp_tool_call_clear (HpToolCall *self)
{
  hp_tool_clear_source (&self->retry_source);
  g_clear_error (&self->error);
}
