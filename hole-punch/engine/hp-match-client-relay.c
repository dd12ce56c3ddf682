/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A match client and relays: those that the server lends, and the one that it
 * is reached through.
 */

#include "hole-punch/engine/hp-match-client-private.h"

#include <string.h>

#define NEVER G_MAXINT64
#define FIRST_INTERVAL (250 * G_TIME_SPAN_MILLISECOND)
#define LAST_INTERVAL (4 * G_TIME_SPAN_SECOND)

/* The relay that we are reached through */

void
hp_match_client_add_relay (HpMatchClient *self, guint socket,
                           const HpAddress *relayed, gint64 now)
{
  hp_match_greeting_set_relay (&self->greeting, 0, NULL,
                               &self->config.random, now);
  if (self->state == HP_MATCH_CLOSED)
    return;
  hp_match_greeting_set_relay (&self->greeting, socket, relayed,
                               &self->config.random, now);
  /* It is not much farther than the server itself, there and back twice. */
  if (self->round_trip >= 0)
    hp_greeter_hurry (&self->greeting.relay_greeter, 3 * self->round_trip);
  if (self->greeting.relay_only && self->greeting.n_targets > 0)
    hp_match_client_greet (self, now);
}

void
hp_match_client_remove_relay (HpMatchClient *self, guint socket, gint64 now)
{
  gboolean was_used
      = (self->state == HP_MATCH_CONNECTED && self->route.socket == socket)
        || (self->state == HP_MATCH_SHAKING
            && self->handshake_route.socket == socket);

  if (self->greeting.relay_socket != socket)
    return;
  hp_match_greeting_set_relay (&self->greeting, 0, NULL,
                               &self->config.random, now);
  if (was_used)
    hp_match_client_greet (self, now);
}

void
hp_match_client_set_relay_only (HpMatchClient *self, gboolean relay_only,
                                gboolean asks_for_relays, gint64 now)
{
  if (self->greeting.relay_only == relay_only
      && self->greeting.asks_for_relays == asks_for_relays)
    return;
  self->greeting.relay_only = relay_only;
  self->greeting.asks_for_relays = asks_for_relays;
  if (self->state == HP_MATCH_GREETING || self->state == HP_MATCH_SHAKING
      || (self->state == HP_MATCH_CONNECTED && relay_only
          && self->route.socket == 0))
    hp_match_client_greet (self, now);
}

gboolean
hp_match_client_is_held (const HpMatchClient *self)
{
  return self->greeting.relay_only && self->route.socket == 0;
}

guint
hp_match_client_get_socket (const HpMatchClient *self)
{
  return self->session != NULL ? self->route.socket : 0;
}

gboolean
hp_match_client_get_public (const HpMatchClient *self, HpAddressFamily family,
                            HpAddress *address)
{
  const HpMatchProof *proof = family == HP_ADDRESS_IPV4 ? &self->greeting.ipv4
                                                        : &self->greeting.ipv6;

  if (self->session != NULL && self->has_observed && self->route.socket == 0
      && self->observed.family == family)
    *address = self->observed;
  else if (proof->is_known)
    *address = proof->observed;
  else
    return FALSE;
  return TRUE;
}

/* Relays that the server lends */

void
hp_match_client_request_relays (HpMatchClient *self, gint64 now)
{
  if (self->relay_request_at != NEVER)
    return;
  self->relay_request = 0;
  self->relay_request_at = now;
  self->relay_request_interval = FIRST_INTERVAL;
}

/* Lower numbers than the last one are ignored, and limits count numbers: the
 * same one again only if there was none since. */
void
hp_match_client_write_relay_request (HpMatchClient *self, HpWriter *writer,
                                     gint64 now)
{
  HpFrame frame = { .type = HP_FRAME_RELAY_REQUEST };

  if (self->relay_request_at > now)
    return;
  if (self->relay_request == 0
      || self->relay_request != self->requests.last_request)
    self->relay_request = ++self->requests.last_request;
  frame.relay_request.request = self->relay_request;
  hp_frame_write (&frame, writer);
  self->relay_request_at = now + self->relay_request_interval;
  self->relay_request_interval
      = MIN (2 * self->relay_request_interval, LAST_INTERVAL);
}

static void
copy_text (char to[HP_RELAY_TEXT_MAX_SIZE + 1], const HpBytes *from)
{
  gsize length = MIN (from->length, HP_RELAY_TEXT_MAX_SIZE);

  if (length > 0)
    memcpy (to, from->data, length);
  to[length] = '\0';
}

void
hp_match_client_receive_relays (HpMatchClient *self, const HpFrame *frame,
                                gint64 now)
{
  HpLentRelays *relays = &self->relays;

  if (self->relay_request_at == NEVER || self->relay_request == 0
      || frame->relays.request > self->relay_request)
    return;
  self->relay_request_at = NEVER;
  relays->lifetime = frame->relays.lifetime;
  relays->n_relays = frame->relays.n_relays;
  for (guint i = 0; i < relays->n_relays; i++)
    {
      copy_text (relays->relays[i].uri, &frame->relays.relays[i].uri);
      copy_text (relays->relays[i].username,
                 &frame->relays.relays[i].username);
      copy_text (relays->relays[i].password,
                 &frame->relays.relays[i].password);
    }
  hp_match_client_add_event (self, HP_MATCH_EVENT_RELAYS);
}

gboolean
hp_match_client_relays_refused (HpMatchClient *self, guint64 request)
{
  if (self->relay_request_at == NEVER || self->relay_request == 0
      || request != self->relay_request)
    return FALSE;
  self->relay_request_at = NEVER;
  self->relays.n_relays = 0;
  hp_match_client_add_event (self, HP_MATCH_EVENT_RELAYS);
  return TRUE;
}

const HpLentRelays *
hp_match_client_get_relays (const HpMatchClient *self)
{
  return &self->relays;
}
