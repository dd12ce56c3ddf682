/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/link/hp-link-private.h"

#include <string.h>

#define NEVER G_MAXINT64
/* No timer is as late by itself: time was counted, and we were not running */
#define SUSPENDED (5 * G_TIME_SPAN_SECOND)
/* The SILENT event again: the owner asks for another introduction */
#define SILENT_EVENT_INTERVAL (5 * G_TIME_SPAN_SECOND)

HpLink *
hp_link_new (const HpLinkConfig *config, gint64 now)
{
  HpTransportConfig transport = {
    .max_message_size = config->max_message_size,
    .max_receive_window = config->max_receive_window,
    .receive_buffer = config->receive_buffer,
  };
  HpLink *self;

  g_assert (config->index % 2 == 0);
  g_assert (config->datagram_size >= HP_DATAGRAM_SIZE_MIN);

  self = g_new0 (HpLink, 1);
  self->config = *config;
  self->state = HP_LINK_NEW;
  hp_random_fill (&config->random, self->path_secret,
                  sizeof self->path_secret);
  self->connect_until = NEVER;
  self->confirm_at = NEVER;
  self->grace_until = NEVER;
  self->silent_event_at = NEVER;
  self->transport = hp_transport_new (&transport, now);
  self->puncher = hp_puncher_new (config->budget);
  self->kept = g_array_new (FALSE, FALSE, sizeof (guint));
  self->surplus = g_array_new (FALSE, FALSE, sizeof (guint));
  self->direct_at = NEVER;
  self->paths = g_ptr_array_new_with_free_func ((GDestroyNotify) hp_path_free);
  g_queue_init (&self->events);
  return self;
}

void
hp_link_free (HpLink *self)
{
  hp_link_end_handshakes (self);
  g_clear_pointer (&self->session, hp_session_free);
  hp_transport_free (self->transport);
  hp_puncher_free (self->puncher);
  g_ptr_array_unref (self->paths);
  g_array_unref (self->kept);
  g_array_unref (self->surplus);
  g_queue_clear_full (&self->events, g_free);
  g_free (self->close_reason);
  hp_crypto_wipe (self, sizeof *self);
  g_free (self);
}

void
hp_link_emit (HpLink *self, HpLinkEventType type)
{
  HpLinkEvent *event = g_new0 (HpLinkEvent, 1);

  event->type = type;
  g_queue_push_tail (&self->events, event);
}

void
hp_link_set_state (HpLink *self, HpLinkState state, gint64 now)
{
  HpLinkState before = self->state;

  if (state == before)
    return;
  self->state = state;

  switch (state)
    {
    case HP_LINK_NEW:
      g_assert_not_reached ();
    case HP_LINK_CONNECTING:
      break;
    case HP_LINK_READY:
      hp_link_emit (self, before == HP_LINK_CONNECTING ? HP_LINK_EVENT_READY
                                                       : HP_LINK_EVENT_PATH);
      break;
    case HP_LINK_SILENT:
      self->silent_since = now;
      self->silent_event_at = now + SILENT_EVENT_INTERVAL;
      hp_link_emit (self, HP_LINK_EVENT_SILENT);
      break;
    case HP_LINK_CLOSED:
      hp_puncher_stop (self->puncher);
      hp_link_end_handshakes (self);
      break;
    }
}

void
hp_link_shut (HpLink *self, HpLinkClosedBy closed_by, guint64 code)
{
  if (self->state == HP_LINK_CLOSED)
    return;
  self->has_closed_event = TRUE;
  self->closed_event.type = HP_LINK_EVENT_CLOSED;
  self->closed_event.closed_by = closed_by;
  self->closed_event.close_code = code;
  hp_link_set_state (self, HP_LINK_CLOSED, 0);
}

gboolean
hp_link_is_initiator (const HpLink *self)
{
  return self->session != NULL && hp_session_is_initiator (self->session);
}

void
hp_link_receive (HpLink *self, const HpDatagram *datagram, gint64 now)
{
  if (datagram->length == 0)
    return;
  /* Whoever has guessed where we are is not told that it is so. */
  if (self->config.relay_only
      && !hp_link_is_relay (self, datagram->route.socket))
    return;

  switch (datagram->bytes[0])
    {
    case HP_PACKET_INITIATION:
      hp_link_receive_initiation (self, datagram, now);
      break;
    case HP_PACKET_RESPONSE:
      hp_link_receive_response (self, datagram, now);
      break;
    case HP_PACKET_DATA_0:
    case HP_PACKET_DATA_1:
      hp_link_receive_data (self, datagram, now);
      break;
    case HP_PACKET_PROBE:
      hp_link_receive_probe (self, datagram, now);
      break;
    case HP_PACKET_UNKNOWN:
      hp_link_receive_unknown (self, datagram, now);
      break;
    default:
      self->statistics.dropped_malformed++;
      break;
    }
}

gboolean
hp_link_pull (HpLink *self, HpOutgoing *outgoing, gint64 now)
{
  outgoing->ttl = 0;
  outgoing->is_alone = FALSE;
  outgoing->is_last = FALSE;
  outgoing->ecn = HP_ECN_NOT_ECT;
  if (self->state == HP_LINK_CLOSED)
    return hp_link_pull_close (self, outgoing, now);
  return hp_link_pull_response (self, outgoing, now)
         || hp_link_pull_punch (self, outgoing, now)
         || hp_link_pull_data (self, outgoing, now);
}

/* While nothing can be sent the transport's timers only end what expires */
static gint64
get_transport_deadline (const HpLink *self, gint64 now)
{
  return hp_link_may_use_transport (self)
             ? hp_transport_get_deadline (self->transport, now)
             : hp_transport_get_expiry (self->transport);
}

gint64
hp_link_get_deadline (const HpLink *self, gint64 now)
{
  gint64 deadline, handshake, puncher, paths;

  if (self->state == HP_LINK_CLOSED)
    return NEVER;
  deadline = get_transport_deadline (self, now);
  handshake = hp_link_get_handshake_deadline (self);
  puncher = hp_puncher_get_deadline (self->puncher);
  paths = hp_link_get_paths_deadline (self);
  deadline = MIN (MIN (deadline, handshake), MIN (puncher, paths));
  if (self->state == HP_LINK_SILENT)
    {
      deadline = MIN (deadline, self->silent_event_at);
      deadline = MIN (deadline, self->silent_since + HP_LINK_SILENT_TIMEOUT);
    }
  return deadline;
}

static void
expire_silence (HpLink *self, gint64 now)
{
  if (self->state != HP_LINK_SILENT)
    return;
  if (now >= self->silent_since + HP_LINK_SILENT_TIMEOUT)
    {
      hp_link_shut (self, HP_LINK_CLOSED_SILENT, 0);
      return;
    }
  if (now >= self->silent_event_at)
    {
      self->silent_event_at = now + SILENT_EVENT_INTERVAL;
      hp_link_emit (self, HP_LINK_EVENT_SILENT);
    }
}

void
hp_link_expire (HpLink *self, gint64 now)
{
  if (self->state == HP_LINK_CLOSED)
    return;
  if (self->session != NULL
      && now - hp_link_get_deadline (self, now) >= SUSPENDED)
    hp_link_wake_paths (self, now);
  hp_link_expire_handshake (self, now);
  if (self->state != HP_LINK_CLOSED)
    hp_link_expire_paths (self, now);
  expire_silence (self, now);
  if (self->state != HP_LINK_CLOSED
      && now >= get_transport_deadline (self, now))
    hp_transport_expire (self->transport, now);
}

static gboolean
next_transport_event (HpLink *self, HpLinkEvent *event)
{
  memset (event, 0, sizeof *event);
  if (!hp_transport_next_event (self->transport, &event->transport))
    return FALSE;

  switch (event->transport.type)
    {
    case HP_TRANSPORT_EVENT_MESSAGE:
      event->type = HP_LINK_EVENT_MESSAGE;
      break;
    case HP_TRANSPORT_EVENT_DELIVERED:
      event->type = HP_LINK_EVENT_DELIVERED;
      break;
    case HP_TRANSPORT_EVENT_FAILED:
      event->type = HP_LINK_EVENT_FAILED;
      break;
    case HP_TRANSPORT_EVENT_STREAM_OPENED:
    case HP_TRANSPORT_EVENT_STREAM_READABLE:
    case HP_TRANSPORT_EVENT_STREAM_ACKED:
    case HP_TRANSPORT_EVENT_STREAM_SENT:
    case HP_TRANSPORT_EVENT_STREAM_RESET:
    case HP_TRANSPORT_EVENT_STREAM_STOPPED:
    case HP_TRANSPORT_EVENT_STREAM_ENDED:
      event->type = HP_LINK_EVENT_STREAM;
      break;
    }
  return TRUE;
}

gboolean
hp_link_next_event (HpLink *self, HpLinkEvent *event)
{
  HpLinkEvent *first = g_queue_pop_head (&self->events);

  if (first != NULL)
    {
      *event = *first;
      g_free (first);
      return TRUE;
    }
  if (next_transport_event (self, event))
    return TRUE;
  if (self->has_closed_event)
    {
      self->has_closed_event = FALSE;
      *event = self->closed_event;
      return TRUE;
    }
  return FALSE;
}

gboolean
hp_link_has_event (const HpLink *self)
{
  return self->events.length > 0 || self->has_closed_event
         || hp_transport_has_event (self->transport);
}

guint64
hp_link_send_message (HpLink *self, HpStreamKind kind, GBytes *bytes,
                      gint64 expires_at, gint64 now)
{
  return hp_transport_send_message (self->transport, kind, bytes, expires_at,
                                    now);
}

void
hp_link_cancel_message (HpLink *self, guint64 stream, gint64 now)
{
  hp_transport_cancel_message (self->transport, stream, now);
}

gboolean
hp_link_can_queue (const HpLink *self, gsize length)
{
  return hp_transport_can_queue (self->transport, length);
}

gsize
hp_link_get_queued_bytes (const HpLink *self)
{
  return hp_transport_get_queued_bytes (self->transport);
}

HpTransport *
hp_link_get_stream_transport (HpLink *self)
{
  return self->session != NULL && self->state >= HP_LINK_READY
             ? self->transport
             : NULL;
}

HpLinkState
hp_link_get_state (const HpLink *self)
{
  return self->state;
}

const guint8 *
hp_link_get_remote_public (const HpLink *self)
{
  return self->config.has_remote_public ? self->config.remote_public : NULL;
}

const HpRoute *
hp_link_get_route (const HpLink *self)
{
  return self->path != NULL ? &self->path->route : NULL;
}

HpPathRank
hp_link_get_path_rank (const HpLink *self)
{
  return self->path != NULL ? self->path->rank : HP_PATH_RELAYED;
}

gint64
hp_link_get_round_trip (const HpLink *self)
{
  gint64 round_trip = -1;

  if (self->session != NULL)
    round_trip = hp_transport_get_round_trip (self->transport);
  if (round_trip < 0 && self->path != NULL)
    round_trip = self->path->round_trip;
  return round_trip;
}

gsize
hp_link_get_datagram_size (const HpLink *self)
{
  if (self->transport_path != 0)
    return hp_transport_get_datagram_size (self->transport);
  return hp_link_get_base_size (self);
}

guint64
hp_link_get_remote_max_message_size (const HpLink *self)
{
  return self->session != NULL ? self->remote_parameters.max_message_size : 0;
}

void
hp_link_get_statistics (const HpLink *self, HpLinkStatistics *statistics)
{
  *statistics = self->statistics;
  hp_transport_get_statistics (self->transport, &statistics->transport);
}

void
hp_link_update_keys (HpLink *self, gint64 now)
{
  if (self->session != NULL)
    hp_session_update_keys (self->session, now);
}
