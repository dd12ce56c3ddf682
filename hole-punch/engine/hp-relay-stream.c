/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-relay-stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "hole-punch/wire/hp-turn.h"

/* Of one message: ChannelData of a whole datagram */
#define INPUT_SIZE (HP_TURN_CHANNEL_HEADER_SIZE + 65536 + 4)
/* Seconds that connecting may take, TLS's handshake included: GSocketClient's
 * own timeout does not bound that */
#define CONNECT_TIMEOUT 8
/* Read at a time before it is others' turn */
#define READ_QUOTA (64 * 1024)

struct _HpRelayStream
{
  GMainContext *context;
  GCancellable *cancellable;
  GTlsDatabase *database;
  GSocketConnection *connection; /* NULL: not open */
  const HpRelayStreamEvents *events; /* NULL: closed, or failed */
  gpointer user_data;
  GSource *late_source; /* while connecting */
  GSource *read_source;
  GSource *write_source; /* NULL: the network takes what there is */
  GByteArray *output;
  gsize written; /* of @output */
  gsize received; /* in @input */
  guint8 input[INPUT_SIZE];
};

static void
clear_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
stream_clear (gpointer data)
{
  HpRelayStream *self = data;

  clear_source (&self->late_source);
  clear_source (&self->read_source);
  clear_source (&self->write_source);
  g_clear_object (&self->connection);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->database);
  g_byte_array_unref (self->output);
  g_main_context_unref (self->context);
}

static void
stream_unref (HpRelayStream *self)
{
  g_rc_box_release_full (self, stream_clear);
}

static void
fail (HpRelayStream *self, const GError *error)
{
  const HpRelayStreamEvents *events = g_steal_pointer (&self->events);

  clear_source (&self->late_source);
  clear_source (&self->read_source);
  clear_source (&self->write_source);
  if (events != NULL)
    events->failed (self->user_data, error);
}

/* Writing */

static gboolean
on_writable (GObject *stream, gpointer user_data)
{
  HpRelayStream *self = user_data;

  clear_source (&self->write_source);
  hp_relay_stream_flush (self);
  return G_SOURCE_REMOVE;
}

static void
await_writable (HpRelayStream *self)
{
  GOutputStream *stream
      = g_io_stream_get_output_stream (G_IO_STREAM (self->connection));

  if (self->write_source != NULL)
    return;
  self->write_source = g_pollable_output_stream_create_source (
      G_POLLABLE_OUTPUT_STREAM (stream), self->cancellable);
  g_source_set_static_name (self->write_source, "hp-relay-write");
  g_source_set_callback (self->write_source, G_SOURCE_FUNC (on_writable),
                         self, NULL);
  g_source_attach (self->write_source, self->context);
}

/* FALSE: the connection is lost */
static gboolean
write_some (HpRelayStream *self, gboolean *blocked, GError **error)
{
  GOutputStream *stream
      = g_io_stream_get_output_stream (G_IO_STREAM (self->connection));
  g_autoptr (GError) problem = NULL;
  gssize n = g_pollable_output_stream_write_nonblocking (
      G_POLLABLE_OUTPUT_STREAM (stream), self->output->data + self->written,
      self->output->len - self->written, self->cancellable, &problem);

  *blocked = g_error_matches (problem, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  if (n > 0)
    self->written += n;
  if (n >= 0 || *blocked)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

static gboolean
write_all (HpRelayStream *self, gboolean *blocked, GError **error)
{
  *blocked = FALSE;
  while (self->written < self->output->len && !*blocked)
    if (!write_some (self, blocked, error))
      return FALSE;
  /* TLS wants the same bytes again after it has blocked, though they may lie
   * elsewhere. */
  if (self->written > 0)
    g_byte_array_remove_range (self->output, 0, self->written);
  self->written = 0;
  return TRUE;
}

/* What goes wrong is told by the source, in a turn of its own: whoever flushes
 * may be in the middle of something. */
void
hp_relay_stream_flush (HpRelayStream *self)
{
  g_autoptr (GError) error = NULL;
  gboolean blocked = FALSE;

  if (self->connection == NULL || self->events == NULL
      || self->write_source != NULL)
    return;
  if (!write_all (self, &blocked, &error))
    g_debug ("Writing to the relay failed: %s", error->message);
  else if (blocked)
    await_writable (self);
}

gboolean
hp_relay_stream_send (HpRelayStream *self, const guint8 *bytes, gsize length)
{
  if (self->connection == NULL
      || self->output->len + length > HP_RELAY_QUEUE_SIZE)
    return FALSE;
  g_byte_array_append (self->output, bytes, length);
  return TRUE;
}

/* Reading */

/* FALSE: what comes is no TURN */
static gboolean
take_frames (HpRelayStream *self)
{
  gsize offset = 0;
  gsize size;

  while (self->events != NULL && offset < self->received)
    switch (hp_turn_find_frame (self->input + offset, self->received - offset,
                                &size))
      {
      case HP_TURN_FRAME_WHOLE:
        self->events->received (self->user_data, self->input + offset, size);
        offset += size;
        break;
      case HP_TURN_FRAME_PART:
        memmove (self->input, self->input + offset, self->received - offset);
        self->received -= offset;
        return self->received < INPUT_SIZE;
      case HP_TURN_FRAME_BAD:
        return FALSE;
      }
  self->received = 0;
  return TRUE;
}

static gssize
read_some (HpRelayStream *self, GPollableInputStream *stream, GError **error)
{
  gssize n = g_pollable_input_stream_read_nonblocking (
      stream, self->input + self->received, INPUT_SIZE - self->received,
      self->cancellable, error);

  if (n > 0)
    self->received += n;
  if (n == 0)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED,
                         "the relay has closed the connection");
  else if (n > 0 && !take_frames (self))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                           "the relay does not speak TURN");
      return -1;
    }
  return n;
}

static gboolean
on_readable (GObject *stream, gpointer user_data)
{
  HpRelayStream *self = g_rc_box_acquire (user_data);
  g_autoptr (GError) error = NULL;
  gsize quota = READ_QUOTA;
  gssize n;

  do
    {
      n = read_some (self, G_POLLABLE_INPUT_STREAM (stream), &error);
      quota -= CLAMP (n, 0, (gssize) quota);
    }
  while (n > 0 && quota > 0 && self->events != NULL);
  if (error != NULL
      && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    fail (self, error);
  stream_unref (self);
  return G_SOURCE_CONTINUE;
}

/* Opening and closing */

static gboolean
on_late (gpointer user_data)
{
  HpRelayStream *self = g_rc_box_acquire (user_data);
  g_autoptr (GError) error
      = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                             "it does not answer");

  g_cancellable_cancel (self->cancellable);
  fail (self, error);
  stream_unref (self);
  return G_SOURCE_REMOVE;
}

static void
await_connection (HpRelayStream *self)
{
  self->late_source = g_timeout_source_new_seconds (CONNECT_TIMEOUT);
  g_source_set_static_name (self->late_source, "hp-relay-late");
  g_source_set_callback (self->late_source, on_late, self, NULL);
  g_source_attach (self->late_source, self->context);
}

static void
on_connected (GObject *client, GAsyncResult *result, gpointer user_data)
{
  HpRelayStream *self = user_data;
  g_autoptr (GError) error = NULL;
  GInputStream *stream;

  self->connection = g_socket_client_connect_finish (G_SOCKET_CLIENT (client),
                                                     result, &error);
  clear_source (&self->late_source);
  if (self->events == NULL || self->connection == NULL)
    {
      if (self->events != NULL)
        fail (self, error);
      stream_unref (self);
      return;
    }
  /* Datagrams do not wait for each other. */
  g_socket_set_option (g_socket_connection_get_socket (self->connection),
                       IPPROTO_TCP, TCP_NODELAY, TRUE, NULL);
  stream = g_io_stream_get_input_stream (G_IO_STREAM (self->connection));
  self->read_source = g_pollable_input_stream_create_source (
      G_POLLABLE_INPUT_STREAM (stream), self->cancellable);
  g_source_set_static_name (self->read_source, "hp-relay-read");
  g_source_set_callback (self->read_source, G_SOURCE_FUNC (on_readable), self,
                         NULL);
  g_source_attach (self->read_source, self->context);
  self->events->opened (self->user_data);
  stream_unref (self);
}

static void
on_client_event (GSocketClient *client, GSocketClientEvent event,
                 GSocketConnectable *connectable, GIOStream *connection,
                 gpointer user_data)
{
  HpRelayStream *self = user_data;

  if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING && self->database != NULL)
    g_tls_connection_set_database (G_TLS_CONNECTION (connection),
                                   self->database);
}

HpRelayStream *
hp_relay_stream_new (GMainContext *context, const HpRelayServer *server,
                     GTlsDatabase *database,
                     const HpRelayStreamEvents *events, gpointer user_data)
{
  HpRelayStream *self = g_rc_box_new0 (HpRelayStream);
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnectable)
      address = g_network_address_new (server->host, server->port);

  self->context = g_main_context_ref (context);
  self->cancellable = g_cancellable_new ();
  self->output = g_byte_array_new ();
  self->events = events;
  self->user_data = user_data;
  g_set_object (&self->database, database);
  g_socket_client_set_tls (client, server->transport == HP_RELAY_TLS);
  /* The client lives as long as the connecting, which holds us. */
  g_signal_connect (client, "event", G_CALLBACK (on_client_event), self);
  /* A context can be iterated without being anybody's default */
  g_main_context_push_thread_default (context);
  g_socket_client_connect_async (client, address, self->cancellable,
                                 on_connected, g_rc_box_acquire (self));
  g_main_context_pop_thread_default (context);
  await_connection (self);
  return self;
}

gboolean
hp_relay_stream_is_open (const HpRelayStream *self)
{
  return self->connection != NULL && self->events != NULL;
}

void
hp_relay_stream_close (HpRelayStream *self)
{
  gboolean blocked;

  if (hp_relay_stream_is_open (self) && self->write_source == NULL)
    (void) write_all (self, &blocked, NULL);
  self->events = NULL;
  clear_source (&self->late_source);
  clear_source (&self->read_source);
  clear_source (&self->write_source);
  g_cancellable_cancel (self->cancellable);
  if (self->connection != NULL)
    {
      g_main_context_push_thread_default (self->context);
      g_io_stream_close_async (G_IO_STREAM (self->connection),
                               G_PRIORITY_DEFAULT, NULL, NULL, NULL);
      g_main_context_pop_thread_default (self->context);
    }
  stream_unref (self);
}
