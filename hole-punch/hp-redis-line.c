/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-redis-line-private.h"

#include <string.h>

#define MIN_DELAY (50 * G_TIME_SPAN_MILLISECOND)
#define MAX_DELAY (5 * G_TIME_SPAN_SECOND)
#define MAX_DOUBLINGS 7

struct _HpRedisLine
{
  const HpRedisUri *uri;
  GMainContext *context;
  gint64 timeout;
  char *client_name;
  char *channel;
  const HpRedisLineHooks *hooks; /* NULL: freed */
  gpointer owner;

  HpRedisConnection *connection; /* NULL: waits for the next attempt */
  GSource *retry;                /* that */
  guint failures;                /* in a row */
  gint64 up_since;               /* 0: not up */
  GError *error;                 /* NULL: up, or coming up for the first time */
};

static void open_connection (HpRedisLine *self);

static void
clear_line (gpointer data)
{
  HpRedisLine *self = data;

  g_assert (self->connection == NULL && self->retry == NULL);
  g_free (self->client_name);
  g_free (self->channel);
  g_clear_error (&self->error);
  g_main_context_unref (self->context);
}

static void
unref_line (HpRedisLine *self)
{
  g_rc_box_release_full (self, clear_line);
}

static gboolean
on_retry (gpointer user_data)
{
  HpRedisLine *self = user_data;

  g_clear_pointer (&self->retry, g_source_unref);
  open_connection (self);
  return G_SOURCE_REMOVE;
}

/* A connection that was up for long, and broke, is tried again at once; one
 * that breaks again and again ever more seldom. */
static gint64
get_delay (HpRedisLine *self)
{
  gint64 now = g_get_monotonic_time ();
  gint64 delay;

  if (self->up_since != 0 && now - self->up_since >= MAX_DELAY)
    self->failures = 0;
  delay = MIN (MIN_DELAY << MIN (self->failures, MAX_DOUBLINGS), MAX_DELAY);
  self->failures++;
  return delay * g_random_double_range (0.5, 1);
}

static void
schedule_retry (HpRedisLine *self)
{
  gint64 delay = get_delay (self) / G_TIME_SPAN_MILLISECOND;

  g_debug ("Redis, %s: %s; again in %" G_GINT64_FORMAT " ms",
           self->channel != NULL ? "subscription" : "commands",
           self->error->message, delay);
  self->retry = g_timeout_source_new (delay);
  g_source_set_static_name (self->retry, "hp-redis-retry");
  g_source_set_callback (self->retry, on_retry, self, NULL);
  g_source_attach (self->retry, self->context);
}

void
hp_redis_line_restart (HpRedisLine *self, const GError *reason)
{
  HpRedisConnection *connection = g_steal_pointer (&self->connection);
  gboolean was_up = self->up_since != 0;

  if (connection == NULL)
    return;
  g_rc_box_acquire (self);
  g_clear_error (&self->error);
  self->error = g_error_copy (reason);
  schedule_retry (self);
  self->up_since = 0;
  /* Who is called back by these may free the line. */
  hp_redis_connection_close (connection, reason);
  if (was_up && self->hooks != NULL)
    self->hooks->changed (self->owner);
  unref_line (self);
}

static void
on_failed (gpointer owner, const GError *error)
{
  hp_redis_line_restart (owner, error);
}

static void
on_received (gpointer owner, const void *bytes, gsize length)
{
  HpRedisLine *self = owner;

  self->hooks->received (self->owner, bytes, length);
}

static const HpRedisConnectionHooks connection_hooks = {
  .failed = on_failed,
  .received = on_received,
};

/* Introduction */

/* Whether it went well; FALSE also when the connection is given up already */
static gboolean
check_introduction (HpRedisLine *self, const HpRedisReply *reply,
                    const GError *error,
                    GError *(*error_from_text) (const char *text))
{
  const char *text
      = reply != NULL ? hp_redis_reply_get_error (reply) : NULL;
  g_autoptr (GError) own_error = NULL;

  if (self->connection == NULL)
    return FALSE;
  if (text != NULL)
    {
      own_error = error_from_text (text);
      g_prefix_error (&own_error, "%s: ", self->uri->label);
      error = own_error;
    }
  if (error != NULL)
    hp_redis_line_restart (self, error);
  return error == NULL;
}

static void
on_let_in (const HpRedisReply *reply, const GError *error, gpointer user_data)
{
  HpRedisLine *self = user_data;

  check_introduction (self, reply, error, hp_redis_error_from_secret_text);
  unref_line (self);
}

static void
on_introduced (const HpRedisReply *reply, const GError *error,
               gpointer user_data)
{
  HpRedisLine *self = user_data;

  check_introduction (self, reply, error, hp_redis_error_from_text);
  unref_line (self);
}

static void
on_ready (const HpRedisReply *reply, const GError *error, gpointer user_data)
{
  HpRedisLine *self = user_data;

  if (check_introduction (self, reply, error, hp_redis_error_from_text))
    {
      g_clear_error (&self->error);
      self->up_since = g_get_monotonic_time ();
      self->hooks->changed (self->owner);
    }
  unref_line (self);
}

/* @func: NULL: it does not matter whether Redis lets it */
static void
introduce (HpRedisLine *self, HpRedisReplyFunc func, const char *const *texts)
{
  HpRedisWord words[3];
  guint n_words = 0;

  for (; texts[n_words] != NULL; n_words++)
    words[n_words] = (HpRedisWord){ texts[n_words], strlen (texts[n_words]) };
  hp_redis_connection_send (self->connection, n_words, words, func,
                            func != NULL ? g_rc_box_acquire (self) : NULL);
}

#define INTRODUCE(self, func, ...) \
  introduce (self, func, (const char *const[]){ __VA_ARGS__, NULL })

static void
open_connection (HpRedisLine *self)
{
  const HpRedisUri *uri = self->uri;
  char database[16];

  self->connection = hp_redis_connection_new (
      uri, self->context, self->timeout, &connection_hooks, self);
  if (uri->user != NULL)
    INTRODUCE (self, on_let_in, "AUTH", uri->user, uri->password);
  else if (uri->password != NULL)
    INTRODUCE (self, on_let_in, "AUTH", uri->password);
  if (uri->database != 0)
    {
      g_snprintf (database, sizeof database, "%u", uri->database);
      INTRODUCE (self, on_introduced, "SELECT", database);
    }
  INTRODUCE (self, NULL, "CLIENT", "SETNAME", self->client_name);
  if (self->channel != NULL)
    INTRODUCE (self, on_ready, "SUBSCRIBE", self->channel);
  else
    INTRODUCE (self, on_ready, "PING");
}

/* Use */

gboolean
hp_redis_line_is_up (HpRedisLine *self)
{
  return self->up_since != 0;
}

const GError *
hp_redis_line_get_error (HpRedisLine *self)
{
  return self->error;
}

void
hp_redis_line_send (HpRedisLine *self, guint n_words,
                    const HpRedisWord words[], HpRedisReplyFunc func,
                    gpointer user_data)
{
  g_assert (self->error == NULL);
  hp_redis_connection_send (self->connection, n_words, words, func, user_data);
}

guint
hp_redis_line_get_waiting (HpRedisLine *self)
{
  return self->connection != NULL
             ? hp_redis_connection_get_waiting (self->connection)
             : 0;
}

/* Life */

HpRedisLine *
hp_redis_line_new (const HpRedisUri *uri, GMainContext *context,
                   gint64 timeout, const char *client_name,
                   const char *channel, const HpRedisLineHooks *hooks,
                   gpointer owner)
{
  HpRedisLine *self = g_rc_box_new0 (HpRedisLine);

  self->uri = uri;
  self->context = g_main_context_ref (context);
  self->timeout = timeout;
  self->client_name = g_strdup (client_name);
  self->channel = g_strdup (channel);
  self->hooks = hooks;
  self->owner = owner;
  open_connection (self);
  return self;
}

void
hp_redis_line_free (HpRedisLine *self)
{
  HpRedisConnection *connection = g_steal_pointer (&self->connection);
  g_autoptr (GError) closed = g_error_new_literal (
      G_IO_ERROR, G_IO_ERROR_CLOSED, "The registry is closed");

  self->hooks = NULL;
  if (self->retry != NULL)
    g_source_destroy (self->retry);
  g_clear_pointer (&self->retry, g_source_unref);
  if (connection != NULL)
    hp_redis_connection_close (connection, closed);
  unref_line (self);
}
