/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-connection-private.h"

#include <string.h>

#include "hole-punch/hp-identity-private.h"
#include "hole-punch/hp-punch-error.h"
#include "hole-punch/io/hp-clock.h"

static HpConnectionLine *
line_of (HpParty *party)
{
  return (gpointer) ((char *) party
                     - G_STRUCT_OFFSET (HpConnectionLine, party));
}

static void
set_state (HpConnection *self, HpConnectionState state)
{
  if (self->state == state)
    return;
  self->state = state;
  g_object_notify (G_OBJECT (self), "state");
}

/* The end */

static GError *
error_from_close_code (guint64 code)
{
  switch (code)
    {
    case HP_CLOSE_NORMAL:
    case HP_CLOSE_GOING_AWAY:
      return g_error_new (G_IO_ERROR, G_IO_ERROR_CLOSED,
                          "The other peer closed the connection");
    case HP_CLOSE_REPLACED:
      return g_error_new (HP_PUNCH_ERROR, HP_PUNCH_ERROR_REPLACED,
                          "A newer connection with the same identity took the "
                          "place of this one");
    case HP_CLOSE_DENIED:
      return g_error_new (HP_PUNCH_ERROR, HP_PUNCH_ERROR_DENIED,
                          "The other peer did not let this one in");
    case HP_CLOSE_PROTOCOL:
    default:
      return g_error_new (HP_PUNCH_ERROR, HP_PUNCH_ERROR_PROTOCOL,
                          "The other peer complained about the protocol");
    }
}

static GError *
error_from_event (const HpLinkEvent *event)
{
  switch (event->closed_by)
    {
    case HP_LINK_CLOSED_BY_REMOTE:
      return error_from_close_code (event->close_code);
    case HP_LINK_CLOSED_UNREACHABLE:
      return g_error_new (HP_PUNCH_ERROR, HP_PUNCH_ERROR_UNREACHABLE,
                          "No path to the other peer was found");
    case HP_LINK_CLOSED_SILENT:
      return g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                          "The other peer does not answer any more");
    case HP_LINK_CLOSED_PROTOCOL:
      return g_error_new (HP_PUNCH_ERROR, HP_PUNCH_ERROR_PROTOCOL,
                          "The other peer broke the protocol");
    case HP_LINK_CLOSED_LOCALLY:
      return g_error_new (G_IO_ERROR, G_IO_ERROR_CLOSED,
                          "The connection was closed");
    }
  g_assert_not_reached ();
}

static gboolean
may_tell (const HpConnection *self)
{
  return self->n_holds == 0 && self->state != HP_CONNECTION_STATE_CONNECTING;
}

/* @message: (transfer full) */
static void
tell_message (HpConnection *self, GBytes *message)
{
  hp_connection_emit_message (self, message);
  self->hooks.message (self, message, self->user_data);
  g_bytes_unref (message);
}

static void
flush_inbox (HpConnection *self)
{
  while (may_tell (self) && self->inbox.length > 0)
    tell_message (self, g_queue_pop_head (&self->inbox));
}

static void
take_message (HpConnection *self, GBytes *message)
{
  if (may_tell (self) && self->inbox.length == 0)
    tell_message (self, message);
  else
    g_queue_push_tail (&self->inbox, message);
}

/* Streams that the other side opened, held back as messages are. One that
 * nobody has taken by then is given up. */
static void
announce_streams (HpConnection *self)
{
  HpStream *stream;

  while (may_tell (self)
         && (stream = hp_streams_pop_announced (&self->streams)) != NULL)
    {
      hp_connection_emit_stream (self, stream);
      self->hooks.stream (self, stream, self->user_data);
      g_object_unref (stream);
    }
}

static void
clear_inbox (HpConnection *self)
{
  hp_streams_clear_announced (&self->streams);
  g_queue_clear_full (&self->inbox, (GDestroyNotify) g_bytes_unref);
}

static void
return_close_tasks (HpConnection *self)
{
  GList *tasks = g_steal_pointer (&self->close_tasks);

  for (GList *l = tasks; l != NULL; l = l->next)
    {
      g_autoptr (GTask) task = l->data;

      g_task_return_boolean (task, TRUE);
    }
  g_list_free (tasks);
}

/* Everybody who waits is told, each once */
static void
tell_end (HpConnection *self)
{
  GError *error = self->close_error;
  g_autoptr (GObject) peer = NULL;

  if (self->setup_time >= 0)
    {
      flush_inbox (self);
      announce_streams (self);
    }
  clear_inbox (self);
  hp_streams_end (&self->streams, error);
  hp_sends_fail (hp_sends_take_all (&self->sends), error);
  hp_connection_set_path (self, HP_PATH_KIND_NONE);
  g_object_notify (G_OBJECT (self), "state");
  hp_connection_emit_closed (
      self,
      g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CLOSED) ? NULL : error);
  self->hooks.event (self, &self->close_event, self->user_data);
  if (self->line != NULL)
    hp_connection_line_free (hp_connection_steal_line (self));
  return_close_tasks (self);
  peer = g_steal_pointer (&self->peer);
}

static gboolean
on_close_told (gpointer user_data)
{
  HpConnection *self = user_data;

  g_clear_pointer (&self->close_source, g_source_unref);
  if (self->n_holds > 0)
    self->close_waits = TRUE;
  else
    tell_end (self);
  return G_SOURCE_REMOVE;
}

static GSource *
attach_idle (HpConnection *self, const char *name, GSourceFunc func)
{
  GSource *source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_static_name (source, name);
  g_source_set_callback (source, func, g_object_ref (self), g_object_unref);
  g_source_attach (source, self->sends.context);
  return source;
}

static void
begin_end (HpConnection *self, const HpLinkEvent *event, GError *error)
{
  self->close_error = error;
  self->close_event = *event;
  self->state = HP_CONNECTION_STATE_CLOSED;
  self->line->connection = NULL;
  self->close_source = attach_idle (self, "hp-connection-closed",
                                    on_close_told);
}

void
hp_connection_close_private (HpConnection *self, HpCloseCode code,
                             const GError *error)
{
  HpLinkEvent event = { .type = HP_LINK_EVENT_CLOSED,
                        .closed_by = HP_LINK_CLOSED_LOCALLY,
                        .close_code = code };

  if (self->close_error != NULL || self->line == NULL)
    return;
  hp_link_close (self->line->link, code, "", hp_clock_now ());
  hp_connection_wake (self);
  clear_inbox (self);
  begin_end (self, &event,
             error != NULL ? g_error_copy (error) : error_from_event (&event));
}

/* The line: a link as a party */

static void
line_receive (HpParty *party, const HpDatagram *datagram, gint64 now)
{
  hp_link_receive (line_of (party)->link, datagram, now);
}

static gboolean
line_pull (HpParty *party, HpOutgoing *outgoing, gint64 now)
{
  HpConnectionLine *line = line_of (party);

  if (line->connection != NULL)
    hp_streams_serve (&line->connection->streams, now);
  return hp_link_pull (line->link, outgoing, now);
}

static gint64
line_get_deadline (HpParty *party, gint64 now)
{
  return hp_link_get_deadline (line_of (party)->link, now);
}

static void
line_expire (HpParty *party, gint64 now)
{
  hp_link_expire (line_of (party)->link, now);
}

static void
set_fingerprint (HpConnection *self)
{
  const guint8 *key = hp_link_get_remote_public (self->line->link);

  if (key == NULL || self->fingerprint != NULL)
    return;
  self->fingerprint = g_malloc0 (HP_FINGERPRINT_LENGTH + 1);
  hp_fingerprint_format (self->fingerprint, key);
}

static void
handle_event (HpConnection *self, const HpLinkEvent *event, gint64 now)
{
  switch (event->type)
    {
    case HP_LINK_EVENT_MESSAGE:
      take_message (self, event->transport.message);
      return;
    case HP_LINK_EVENT_DELIVERED:
    case HP_LINK_EVENT_FAILED:
      hp_sends_handle (&self->sends, &event->transport);
      return;
    case HP_LINK_EVENT_STREAM:
      hp_streams_handle (&self->streams, &event->transport);
      return;
    case HP_LINK_EVENT_CLOSED:
      begin_end (self, event, error_from_event (event));
      return;
    case HP_LINK_EVENT_READY:
      hp_connection_update_interface (self, now);
      self->setup_time = now - self->asked_at;
      g_object_notify (G_OBJECT (self), "setup-time");
      hp_connection_update_route (self);
      set_state (self, HP_CONNECTION_STATE_CONNECTED);
      break;
    case HP_LINK_EVENT_PATH:
      hp_connection_update_interface (self, now);
      hp_connection_update_route (self);
      set_state (self, HP_CONNECTION_STATE_CONNECTED);
      break;
    case HP_LINK_EVENT_SILENT:
      set_state (self, HP_CONNECTION_STATE_INTERRUPTED);
      break;
    case HP_LINK_EVENT_IDENTIFIED:
      set_fingerprint (self);
      break;
    case HP_LINK_EVENT_CONFIRMED:
    case HP_LINK_EVENT_FAILING:
    case HP_LINK_EVENT_RELAYED:
      break;
    }
  /* A handler of one of the notifications may have closed it */
  if (self->close_error == NULL)
    self->hooks.event (self, event, self->user_data);
  flush_inbox (self);
  if (self->close_error == NULL)
    hp_streams_ready (&self->streams, now);
}

/* What nobody is there for any more */
static void
drain (HpLink *link)
{
  HpLinkEvent event;

  while (hp_link_next_event (link, &event))
    {
      if (event.type == HP_LINK_EVENT_MESSAGE)
        g_bytes_unref (event.transport.message);
    }
}

static void
line_deliver (HpParty *party, gint64 now)
{
  HpConnectionLine *line = line_of (party);
  g_autoptr (HpConnection) self = NULL;
  HpLinkEvent event;

  hp_connection_line_serve_sockets (line, now);
  if (line->connection == NULL)
    {
      drain (line->link);
      return;
    }

  /* Any handler may close the connection, and a main loop inside of one even
   * end it: the line is not to be touched after that */
  self = g_object_ref (line->connection);
  while (self->close_error == NULL
         && hp_link_next_event (self->line->link, &event))
    handle_event (self, &event, now);
  hp_streams_flush (&self->streams);
  announce_streams (self);
  if (self->close_error == NULL && hp_sends_pump (&self->sends, now))
    hp_connection_wake (self);
  if (self->close_error == NULL)
    hp_connection_update_datagram_size (self);
  if (self->close_error == NULL)
    hp_connection_update_figures (self, now);
}

static const HpPartyClass line_class = {
  .name = "connection",
  .receive = line_receive,
  .pull = line_pull,
  .get_deadline = line_get_deadline,
  .expire = line_expire,
  .deliver = line_deliver,
};

void
hp_connection_line_free (HpConnectionLine *self)
{
  if (self->party.endpoint != NULL)
    hp_endpoint_remove_party (self->endpoint, &self->party);
  hp_connection_line_close_sockets (self);
  g_array_unref (self->sockets);
  drain (self->link);
  hp_link_free (self->link);
  hp_endpoint_unref (self->endpoint);
  g_free (self);
}

HpConnectionLine *
hp_connection_steal_line (HpConnection *self)
{
  hp_link_get_statistics (self->line->link, &self->statistics);
  self->attempts = hp_link_describe_attempts (self->line->link);
  return g_steal_pointer (&self->line);
}

/* Life */

static void
wake_for_sends (gpointer user_data)
{
  hp_connection_wake (user_data);
}

HpConnection *
hp_connection_new_private (GObject *peer, HpEndpoint *endpoint, guint32 index,
                           HpLink *link, const char *remote_id, gint64 asked_at,
                           const HpConnectionHooks *hooks, gpointer user_data)
{
  HpConnection *self = g_object_new (HP_TYPE_CONNECTION, NULL);
  HpConnectionLine *line = g_new0 (HpConnectionLine, 1);

  line->endpoint = hp_endpoint_ref (endpoint);
  line->link = link;
  line->connection = self;
  line->sockets = g_array_new (FALSE, FALSE, sizeof (guint));
  self->line = line;
  self->peer = g_object_ref (peer);
  self->hooks = *hooks;
  self->user_data = user_data;
  self->remote_id = g_strdup (remote_id);
  self->asked_at = asked_at;
  self->setup_time = -1;
  self->round_trip_time = -1;
  self->state = HP_CONNECTION_STATE_CONNECTING;
  set_fingerprint (self);
  hp_sends_init (&self->sends, link, hp_endpoint_get_context (endpoint),
                 wake_for_sends, self);
  hp_streams_init (&self->streams, self, link,
                   hp_endpoint_get_context (endpoint), hp_connection_wake);
  hp_endpoint_add_party (endpoint, &line->party, &line_class, index);
  return self;
}

char *
hp_connection_describe_attempts (HpConnection *self)
{
  return self->line != NULL ? hp_link_describe_attempts (self->line->link)
                            : g_strdup (self->attempts);
}

HpLink *
hp_connection_get_link (HpConnection *self)
{
  return self->line != NULL ? self->line->link : NULL;
}

HpParty *
hp_connection_get_party (HpConnection *self)
{
  return self->line != NULL ? &self->line->party : NULL;
}

void
hp_connection_set_remote_id (HpConnection *self, const char *remote_id)
{
  if (g_strcmp0 (self->remote_id, remote_id) == 0)
    return;
  g_free (self->remote_id);
  self->remote_id = g_strdup (remote_id);
  g_object_notify (G_OBJECT (self), "remote-id");
}

void
hp_connection_wake (HpConnection *self)
{
  if (self->line != NULL && self->line->party.endpoint != NULL)
    hp_endpoint_wake (self->line->endpoint, &self->line->party);
}

const GError *
hp_connection_get_close_error (HpConnection *self)
{
  return self->close_error;
}

void
hp_connection_hold (HpConnection *self)
{
  self->n_holds++;
}

static gboolean
on_released (gpointer user_data)
{
  HpConnection *self = user_data;

  self->n_holds--;
  if (self->close_waits && self->n_holds == 0)
    {
      tell_end (self);
    }
  else
    {
      flush_inbox (self);
      announce_streams (self);
    }
  return G_SOURCE_REMOVE;
}

static gboolean
on_first_turn (gpointer user_data)
{
  g_source_unref (
      attach_idle (user_data, "hp-connection-released", on_released));
  return G_SOURCE_REMOVE;
}

void
hp_connection_release (HpConnection *self)
{
  g_source_unref (attach_idle (self, "hp-connection-release", on_first_turn));
}
