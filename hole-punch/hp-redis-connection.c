/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-redis-connection-private.h"

#include <gio/gnetworking.h>
#include <gio/gunixsocketaddress.h>
#include <hiredis/hiredis.h>

#include <string.h>

#define HEARTBEAT (15 * G_TIME_SPAN_SECOND)
#define READ_SIZE 16384
/* So that a flood of replies does not keep the main loop from all else */
#define MAX_READS 8
/* Nothing that the registry asks for is as large. */
#define MAX_REPLY_SIZE (1024 * 1024)
#define MAX_WORDS 10

struct _HpRedisConnection
{
  const HpRedisUri *uri;
  GMainContext *context;
  gint64 timeout;
  const HpRedisConnectionHooks *hooks; /* NULL: it is over */
  gpointer owner;

  GCancellable *cancellable; /* of connecting */
  GSocketConnection *stream; /* NULL: not connected yet */
  GSource *input;
  GSource *output; /* NULL: nothing to write, or not connected yet */
  GSource *timer;
  gint64 timer_at;
  gint64 heard_at;

  GByteArray *unwritten;
  guint written; /* of that */
  redisReader *reader;
  GQueue waiting;     /* Waiting, the oldest first */
  GList *next_expiry; /* of it, the first that is not past its deadline */
};

typedef struct
{
  HpRedisReplyFunc func; /* NULL: nobody cares (any more) */
  gpointer user_data;
  gint64 sent_at;
} Waiting;

static void
clear_source (GSource **source)
{
  if (*source != NULL)
    g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
clear_connection (gpointer data)
{
  HpRedisConnection *self = data;

  g_assert (self->hooks == NULL && g_queue_is_empty (&self->waiting));
  g_byte_array_unref (self->unwritten);
  redisReaderFree (self->reader);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->stream);
  g_main_context_unref (self->context);
}

static void
unref_connection (gpointer data)
{
  g_rc_box_release_full (data, clear_connection);
}

/* Whoever waits */

static void
answer_next (HpRedisConnection *self, const HpRedisReply *reply,
             const GError *error)
{
  GList *link = g_queue_peek_head_link (&self->waiting);
  Waiting *waiting = link->data;

  if (link == self->next_expiry)
    self->next_expiry = link->next;
  g_queue_delete_link (&self->waiting, link);
  if (waiting->func != NULL)
    waiting->func (reply, error, waiting->user_data);
  g_slice_free (Waiting, waiting);
}

/* Nothing happens any more; who waits is told. */
static void
stop (HpRedisConnection *self, gboolean has_failed, const GError *error)
{
  const HpRedisConnectionHooks *hooks = g_steal_pointer (&self->hooks);

  if (hooks == NULL)
    return;
  g_rc_box_acquire (self);
  g_cancellable_cancel (self->cancellable);
  clear_source (&self->input);
  clear_source (&self->output);
  clear_source (&self->timer);
  if (self->stream != NULL)
    g_io_stream_close_async (G_IO_STREAM (self->stream), G_PRIORITY_DEFAULT,
                             NULL, NULL, NULL);
  if (has_failed)
    hooks->failed (self->owner, error);
  while (!g_queue_is_empty (&self->waiting))
    answer_next (self, NULL, error);
  unref_connection (self);
}

static void
fail (HpRedisConnection *self, GError *reason)
{
  g_autoptr (GError) error = reason;

  g_prefix_error (&error, "%s: ", self->uri->label);
  stop (self, TRUE, error);
}

static void
fail_with (HpRedisConnection *self, GIOErrorEnum code, const char *message)
{
  fail (self, g_error_new_literal (G_IO_ERROR, code, message));
}

/* Time */

static void
set_timer (HpRedisConnection *self, gint64 at)
{
  if (self->timer_at == at)
    return;
  self->timer_at = at;
  g_source_set_ready_time (self->timer, at);
}

static gint64
get_deadline (HpRedisConnection *self)
{
  const Waiting *oldest = g_queue_peek_head (&self->waiting);
  const Waiting *next
      = self->next_expiry != NULL ? self->next_expiry->data : NULL;
  gint64 stalled_at;

  if (oldest == NULL)
    return self->heard_at + HEARTBEAT;
  stalled_at = oldest->sent_at + 2 * self->timeout;
  return next != NULL ? MIN (next->sent_at + self->timeout, stalled_at)
                      : stalled_at;
}

static void
expire (HpRedisConnection *self, gint64 now)
{
  g_autoptr (GError) error = NULL;

  while (self->next_expiry != NULL)
    {
      Waiting *waiting = self->next_expiry->data;
      HpRedisReplyFunc func = waiting->func;

      if (waiting->sent_at + self->timeout > now)
        return;
      self->next_expiry = self->next_expiry->next;
      waiting->func = NULL;
      if (error == NULL)
        error = g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                             "%s: Redis did not answer in time",
                             self->uri->label);
      if (func != NULL)
        func (NULL, error, waiting->user_data);
    }
}

static void
watch (HpRedisConnection *self, gint64 now)
{
  static const HpRedisWord ping = { "PING", 4 };
  const Waiting *oldest;

  expire (self, now);
  if (self->hooks == NULL)
    return;
  oldest = g_queue_peek_head (&self->waiting);
  if (oldest == NULL && now >= self->heard_at + HEARTBEAT)
    hp_redis_connection_send (self, 1, &ping, NULL, NULL);
  else if (oldest != NULL && now >= oldest->sent_at + 2 * self->timeout)
    fail_with (self, G_IO_ERROR_TIMED_OUT, "Redis does not answer");
  if (self->hooks != NULL)
    set_timer (self, get_deadline (self));
}

/* With the context pushed, since who is called back may ask for more, and is to
 * be answered there */
static gboolean
run_in_context (HpRedisConnection *self,
                void (*function) (HpRedisConnection *self, gint64 now))
{
  g_autoptr (GMainContext) context = g_main_context_ref (self->context);

  g_rc_box_acquire (self);
  g_main_context_push_thread_default (context);
  function (self, g_get_monotonic_time ());
  g_main_context_pop_thread_default (context);
  unref_connection (self);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_timer (gpointer user_data)
{
  HpRedisConnection *self = user_data;

  self->timer_at = -1;
  g_source_set_ready_time (self->timer, -1);
  return run_in_context (self, watch);
}

static gboolean
dispatch_timer (GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

static GSourceFuncs timer_funcs = { .dispatch = dispatch_timer };

/* Replies */

static const HpRedisReply *
get_message (const HpRedisReply *reply)
{
  const HpRedisReply *kind = hp_redis_reply_get_element (reply, 0);
  const char *text
      = kind != NULL ? hp_redis_reply_get_text (kind, NULL) : NULL;

  if (text == NULL || !g_str_equal (text, "message"))
    return NULL;
  return hp_redis_reply_get_element (reply, 2);
}

static void
handle_reply (HpRedisConnection *self, const HpRedisReply *reply)
{
  const HpRedisReply *message = get_message (reply);
  const char *bytes;
  gsize length;

  if (message != NULL)
    {
      bytes = hp_redis_reply_get_text (message, &length);
      if (bytes != NULL)
        self->hooks->received (self->owner, bytes, length);
    }
  else if (!g_queue_is_empty (&self->waiting))
    answer_next (self, reply, NULL);
  else if (hp_redis_reply_get_error (reply) != NULL)
    fail (self, hp_redis_error_from_text (hp_redis_reply_get_error (reply)));
  else
    fail_with (self, G_IO_ERROR_INVALID_DATA, "A reply to no question");
}

static void
handle_replies (HpRedisConnection *self)
{
  while (self->hooks != NULL)
    {
      void *reply = NULL;

      if (redisReaderGetReply (self->reader, &reply) != REDIS_OK)
        {
          fail_with (self, G_IO_ERROR_INVALID_DATA,
                     "What answers there is no Redis");
          return;
        }
      if (reply == NULL)
        {
          if (self->reader->len - self->reader->pos > MAX_REPLY_SIZE)
            fail_with (self, G_IO_ERROR_INVALID_DATA, "A reply is too large");
          return;
        }
      handle_reply (self, reply);
      freeReplyObject (reply);
    }
}

static void
read_some (HpRedisConnection *self, gint64 now)
{
  GPollableInputStream *input = G_POLLABLE_INPUT_STREAM (
      g_io_stream_get_input_stream (G_IO_STREAM (self->stream)));

  self->heard_at = now;
  for (guint i = 0; i < MAX_READS && self->hooks != NULL; i++)
    {
      char bytes[READ_SIZE];
      GError *error = NULL;
      gssize length = g_pollable_input_stream_read_nonblocking (
          input, bytes, sizeof bytes, NULL, &error);

      if (length > 0)
        {
          redisReaderFeed (self->reader, bytes, length);
          handle_replies (self);
        }
      else if (length == 0)
        fail_with (self, G_IO_ERROR_CONNECTION_CLOSED,
                   "Redis closed the connection");
      else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        {
          g_error_free (error);
          return;
        }
      else
        fail (self, error);
      /* TLS hands out a record at a time. */
      if (self->hooks == NULL
          || (length < (gssize) sizeof bytes && !self->uri->uses_tls))
        return;
    }
}

static gboolean
on_readable (GObject *stream, gpointer user_data)
{
  return run_in_context (user_data, read_some);
}

/* Words */

/* While Redis is slower than what is asked of it, nothing but this ever makes
 * the array shorter. From the half on, so that a byte is moved once at most on
 * the average. */
static void
drop_written (HpRedisConnection *self)
{
  if (self->written <= self->unwritten->len / 2)
    return;
  g_byte_array_remove_range (self->unwritten, 0, self->written);
  self->written = 0;
}

static void
write_some (HpRedisConnection *self, gint64 now)
{
  GPollableOutputStream *output = G_POLLABLE_OUTPUT_STREAM (
      g_io_stream_get_output_stream (G_IO_STREAM (self->stream)));

  while (self->written < self->unwritten->len)
    {
      GError *error = NULL;
      gssize length = g_pollable_output_stream_write_nonblocking (
          output, self->unwritten->data + self->written,
          self->unwritten->len - self->written, NULL, &error);

      if (length >= 0)
        self->written += length;
      else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        {
          g_error_free (error);
          drop_written (self);
          return;
        }
      else
        {
          fail (self, error);
          return;
        }
    }
  g_byte_array_set_size (self->unwritten, 0);
  self->written = 0;
  clear_source (&self->output);
}

static gboolean
on_writable (GObject *stream, gpointer user_data)
{
  return run_in_context (user_data, write_some);
}

/* In the next turn of the main loop, so that all that is sent in this one goes
 * out at once */
static void
write_soon (HpRedisConnection *self)
{
  if (self->stream == NULL || self->output != NULL
      || self->unwritten->len == 0)
    return;
  self->output = g_pollable_output_stream_create_source (
      G_POLLABLE_OUTPUT_STREAM (
          g_io_stream_get_output_stream (G_IO_STREAM (self->stream))),
      NULL);
  g_source_set_static_name (self->output, "hp-redis-output");
  g_source_set_callback (self->output, G_SOURCE_FUNC (on_writable), self,
                         NULL);
  g_source_attach (self->output, self->context);
}

static void
append_words (HpRedisConnection *self, guint n_words,
              const HpRedisWord words[])
{
  const char *starts[MAX_WORDS];
  size_t lengths[MAX_WORDS];
  char *command = NULL;
  gint64 length;

  g_assert (n_words <= MAX_WORDS);
  for (guint i = 0; i < n_words; i++)
    {
      starts[i] = words[i].bytes;
      lengths[i] = words[i].length;
    }
  length = redisFormatCommandArgv (&command, n_words, starts, lengths);
  g_assert (length > 0);
  g_byte_array_append (self->unwritten, (guint8 *) command, length);
  redisFreeCommand (command);
}

void
hp_redis_connection_send (HpRedisConnection *self, guint n_words,
                          const HpRedisWord words[], HpRedisReplyFunc func,
                          gpointer user_data)
{
  Waiting *waiting = g_slice_new (Waiting);

  g_assert (self->hooks != NULL);
  waiting->func = func;
  waiting->user_data = user_data;
  waiting->sent_at = g_get_monotonic_time ();
  g_queue_push_tail (&self->waiting, waiting);
  if (self->next_expiry == NULL)
    self->next_expiry = g_queue_peek_tail_link (&self->waiting);
  if (self->timer_at == -1 || self->timer_at > waiting->sent_at + self->timeout)
    set_timer (self, waiting->sent_at + self->timeout);
  append_words (self, n_words, words);
  write_soon (self);
}

guint
hp_redis_connection_get_waiting (HpRedisConnection *self)
{
  return self->waiting.length;
}

/* Life */

static void
start_reading (HpRedisConnection *self)
{
  GSocket *socket = g_socket_connection_get_socket (self->stream);

  g_socket_set_keepalive (socket, TRUE);
  if (g_socket_get_family (socket) != G_SOCKET_FAMILY_UNIX)
    g_socket_set_option (socket, IPPROTO_TCP, TCP_NODELAY, 1, NULL);
  self->input = g_pollable_input_stream_create_source (
      G_POLLABLE_INPUT_STREAM (
          g_io_stream_get_input_stream (G_IO_STREAM (self->stream))),
      NULL);
  g_source_set_static_name (self->input, "hp-redis-input");
  g_source_set_callback (self->input, G_SOURCE_FUNC (on_readable), self, NULL);
  g_source_attach (self->input, self->context);
  write_soon (self);
}

static void
on_connected (GObject *client, GAsyncResult *result, gpointer user_data)
{
  HpRedisConnection *self = user_data;
  GError *error = NULL;
  GSocketConnection *stream = g_socket_client_connect_finish (
      G_SOCKET_CLIENT (client), result, &error);

  if (self->hooks == NULL)
    {
      g_clear_object (&stream);
      g_clear_error (&error);
    }
  else if (stream == NULL)
    fail (self, error);
  else
    {
      self->stream = stream;
      start_reading (self);
    }
  unref_connection (self);
}

static void
connect_to (HpRedisConnection *self)
{
  g_autoptr (GSocketClient) client = g_object_new (
      G_TYPE_SOCKET_CLIENT, "enable-proxy", FALSE, "tls", self->uri->uses_tls,
      NULL);
  g_autoptr (GSocketConnectable) target = NULL;

  if (self->uri->path != NULL)
    target = G_SOCKET_CONNECTABLE (
        g_unix_socket_address_new (self->uri->path));
  else
    target = g_network_address_new (self->uri->host, self->uri->port);
  g_main_context_push_thread_default (self->context);
  g_socket_client_connect_async (client, target, self->cancellable,
                                 on_connected, g_rc_box_acquire (self));
  g_main_context_pop_thread_default (self->context);
}

HpRedisConnection *
hp_redis_connection_new (const HpRedisUri *uri, GMainContext *context,
                         gint64 timeout, const HpRedisConnectionHooks *hooks,
                         gpointer owner)
{
  HpRedisConnection *self = g_rc_box_new0 (HpRedisConnection);

  self->uri = uri;
  self->context = g_main_context_ref (context);
  self->timeout = timeout;
  self->hooks = hooks;
  self->owner = owner;
  self->cancellable = g_cancellable_new ();
  self->unwritten = g_byte_array_new ();
  self->reader = redisReaderCreate ();
  self->timer_at = -1;
  self->heard_at = g_get_monotonic_time ();
  g_queue_init (&self->waiting);
  self->timer = g_source_new (&timer_funcs, sizeof (GSource));
  g_source_set_static_name (self->timer, "hp-redis-timer");
  g_source_set_callback (self->timer, on_timer, self, NULL);
  g_source_attach (self->timer, context);
  connect_to (self);
  return self;
}

void
hp_redis_connection_close (HpRedisConnection *self, const GError *reason)
{
  stop (self, FALSE, reason);
  unref_connection (self);
}
