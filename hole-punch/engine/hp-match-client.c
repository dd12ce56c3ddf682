/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-match-client-private.h"

#include <string.h>

#define NEVER G_MAXINT64
/* Of a DATA that fits every path (HP_DATAGRAM_SIZE_DEFAULT) */
#define PLAIN_SIZE (HP_DATAGRAM_SIZE_DEFAULT - HP_DATA_OVERHEAD)
/* No DATA is smaller, so that the server may answer one from a new address by
 * a PATH_CHALLENGE, which must not be larger than what it answers */
#define MIN_PLAIN_SIZE 16

#define HANDSHAKE_TIMEOUT (3 * G_TIME_SPAN_SECOND)
#define FIRST_INTERVAL (250 * G_TIME_SPAN_MILLISECOND)
#define LAST_INTERVAL G_TIME_SPAN_SECOND
/* An old session may be heard of again for so long */
#define LOST_TIMEOUT (2 * G_TIME_SPAN_SECOND)
/* Requests and no sign of life for so long: PING */
#define SILENCE (2 * G_TIME_SPAN_SECOND)
/* PINGs unanswered before the handshake begins anew: 1.75 s after the first of
 * them. With one datagram in a hundred lost each way, of 100,000 keepalives
 * one costs a handshake that was not needed. */
#define PATIENCE 3
#define FAREWELLS 2

HpMatchEvent *
hp_match_client_add_event (HpMatchClient *self, HpMatchEventType type)
{
  HpMatchEvent *event = g_new0 (HpMatchEvent, 1);

  event->type = type;
  g_queue_push_tail (&self->events, event);
  return event;
}

gboolean
hp_match_client_next_event (HpMatchClient *self, HpMatchEvent *event)
{
  g_autofree HpMatchEvent *next = g_queue_pop_head (&self->events);

  if (next == NULL)
    return FALSE;
  *event = *next;
  hp_crypto_wipe (next, sizeof *next);
  return TRUE;
}

/* Life */

HpMatchClient *
hp_match_client_new (const HpMatchClientConfig *config)
{
  HpMatchClient *self = g_new0 (HpMatchClient, 1);

  g_assert (config->index % 2 == 0);

  self->config = *config;
  self->has_server_key = config->has_server_key;
  memcpy (self->server_key, config->server_key, HP_KEY_SIZE);
  self->round_trip = -1;
  self->lost_at = NEVER;
  self->rest_until = NEVER;
  self->relay_request_at = NEVER;
  hp_match_requests_init (&self->requests, &config->random);
  hp_match_greeting_set_addresses (&self->greeting, NULL, 0, &config->random);
  return self;
}

static void
end_handshake (HpMatchClient *self)
{
  g_clear_pointer (&self->handshake, hp_handshake_free);
}

static void
end_session (HpMatchClient *self)
{
  g_clear_pointer (&self->session, hp_session_free);
  self->lost_at = NEVER;
  self->has_challenge = FALSE;
}

void
hp_match_client_free (HpMatchClient *self)
{
  if (self == NULL)
    return;
  end_handshake (self);
  end_session (self);
  hp_match_requests_clear (&self->requests);
  g_queue_clear_full (&self->events, g_free);
  hp_crypto_wipe (self, sizeof *self);
  g_free (self);
}

/* States */

static void
set_state (HpMatchClient *self, HpMatchState state)
{
  if (self->state == HP_MATCH_SHAKING)
    end_handshake (self);
  self->state = state;
}

void
hp_match_client_greet (HpMatchClient *self, gint64 now)
{
  if (self->state == HP_MATCH_CONNECTED)
    self->lost_at = now + LOST_TIMEOUT;
  if (self->state != HP_MATCH_SHAKING)
    self->told_wrong_key = FALSE;
  set_state (self, HP_MATCH_GREETING);
  hp_match_greeting_start (&self->greeting, &self->config.random, now);
}

gboolean
hp_match_client_shake (HpMatchClient *self, const HpCookiePacket *cookie,
                       const HpRoute *route, gint64 now)
{
  guint8 suite
      = hp_crypto_choose_suite (self->config.suites, cookie->suites);
  guint32 index = self->config.index;
  HpTicket ticket;

  if (suite == 0)
    return FALSE;
  if (self->session != NULL
      && hp_session_get_local_index (self->session) == index)
    index++;
  set_state (self, HP_MATCH_SHAKING);
  hp_match_greeting_settle (&self->greeting, route, now);
  hp_ticket_init (&ticket, 0, cookie->cookie, HP_COOKIE_SIZE);
  self->handshake = hp_handshake_new (
      suite, &ticket, &self->config.local, cookie->public_key, index, NULL, 0,
      &self->config.random);
  memcpy (self->handshake_key, cookie->public_key, HP_KEY_SIZE);
  self->handshake_route = *route;
  hp_random_fill (&self->config.random, self->handshake_token, HP_TOKEN_SIZE);
  self->handshake_at = now;
  self->handshake_interval = FIRST_INTERVAL;
  self->handshake_until = now + HANDSHAKE_TIMEOUT;
  return TRUE;
}

void
hp_match_client_connected (HpMatchClient *self, HpSession *session,
                           gint64 now)
{
  end_session (self);
  self->session = session;
  self->route = self->handshake_route;
  self->has_server_key = TRUE;
  memcpy (self->server_key, self->handshake_key, HP_KEY_SIZE);
  set_state (self, HP_MATCH_CONNECTED);
  self->connected_at = now;
  self->heard_at = now;
  self->unanswered = 0;
  self->patience = PATIENCE;
  self->hinted_at = 0;
  /* Those who have come at the same time, after the server's restart, are not
   * to notice the next one at the same time. The first regular PING is not to
   * follow at once, either. */
  self->phase = hp_random_u64 (&self->config.random)
                % (self->config.keepalive_interval * 7 / 8 + 1);
  /* The first DATA, at once: only it makes the session mutual. */
  self->ping_at = now;
  hp_match_requests_restart (&self->requests, now);
  if (hp_match_client_is_held (self))
    hp_match_requests_hold (&self->requests, now);
  hp_match_client_add_event (self, HP_MATCH_EVENT_CONNECTED);
}

void
hp_match_client_rest (HpMatchClient *self, gint64 until)
{
  end_session (self);
  set_state (self, HP_MATCH_RESTING);
  hp_match_greeting_stop (&self->greeting);
  self->rest_until = until;
}

/* Jitter, so that clients of a server that was away do not march in step */
static gint64
get_keepalive_time (HpMatchClient *self)
{
  gint64 interval = self->config.keepalive_interval;

  return self->kept_at + interval
         - (gint64) (hp_random_u64 (&self->config.random)
                     % (interval / 10 + 1));
}

void
hp_match_client_heard (HpMatchClient *self, gint64 now)
{
  self->heard_at = now;
  if (self->unanswered > 0 || self->state != HP_MATCH_CONNECTED)
    self->ping_at = get_keepalive_time (self);
  self->unanswered = 0;
  self->patience = PATIENCE;
  self->lost_at = NEVER;
  if (self->state == HP_MATCH_GREETING || self->state == HP_MATCH_SHAKING)
    {
      /* It is back before a new one was made. */
      set_state (self, HP_MATCH_CONNECTED);
      hp_match_greeting_settle (&self->greeting, &self->route, now);
    }
}

void
hp_match_client_hurry (HpMatchClient *self, gint64 now)
{
  if (self->state == HP_MATCH_CONNECTED && self->unanswered == 0)
    self->ping_at = now;
}

void
hp_match_client_set_observed (HpMatchClient *self, const HpAddress *observed)
{
  if (observed->family == HP_ADDRESS_NONE
      || (self->has_observed && hp_address_equal (&self->observed, observed)))
    return;
  self->has_observed = TRUE;
  self->observed = *observed;
  hp_match_client_add_event (self, HP_MATCH_EVENT_OBSERVED);
}

/* RFC 6298's smoothing */
void
hp_match_client_measured (HpMatchClient *self, gint64 round_trip)
{
  if (self->round_trip < 0)
    self->round_trip = round_trip;
  else
    self->round_trip = (7 * self->round_trip + round_trip) / 8;
}

/* What the user wants */

void
hp_match_client_set_addresses (HpMatchClient *self,
                               const HpAddress *addresses, guint n,
                               gint64 now)
{
  if (self->state == HP_MATCH_CLOSED)
    return;
  hp_match_greeting_set_addresses (&self->greeting, addresses, n,
                                   &self->config.random);
  if (self->state != HP_MATCH_CONNECTED)
    {
      hp_match_client_greet (self, now);
    }
  else
    {
      hp_match_greeting_settle (&self->greeting, &self->route, now);
      if (!hp_match_greeting_has_address (&self->greeting,
                                          &self->route.remote))
        hp_match_client_hurry (self, now);
    }
}

void
hp_match_client_set_keepalive_interval (HpMatchClient *self, gint64 interval,
                                        gint64 now)
{
  self->config.keepalive_interval = interval;
  if (self->state == HP_MATCH_CONNECTED && self->unanswered == 0)
    self->ping_at = MAX (get_keepalive_time (self), now);
}

void
hp_match_client_register (HpMatchClient *self, const char *id, guint flags,
                          gint64 now)
{
  g_assert (id == NULL || hp_id_is_valid (id, strlen (id)));

  hp_match_requests_register (&self->requests, id, flags, now);
}

guint64
hp_match_client_ask (HpMatchClient *self, const char *id,
                     const guint8 *public_key, gint64 now)
{
  g_assert ((id != NULL) != (public_key != NULL));
  g_assert (id == NULL || hp_id_is_valid (id, strlen (id)));

  return hp_match_requests_ask (&self->requests, id, public_key, now)
      ->request;
}

void
hp_match_client_stop_asking (HpMatchClient *self, guint64 request)
{
  HpMatchQuery *query
      = hp_match_requests_find_query (&self->requests, request);

  if (query != NULL)
    hp_match_requests_remove_query (&self->requests, query);
}

void
hp_match_client_check (HpMatchClient *self, gint64 now)
{
  switch (self->state)
    {
    case HP_MATCH_CONNECTED:
      hp_match_client_hurry (self, now);
      break;
    case HP_MATCH_GREETING:
    case HP_MATCH_SHAKING:
    case HP_MATCH_RESTING:
      hp_match_client_greet (self, now);
      break;
    case HP_MATCH_IDLE:
    case HP_MATCH_CLOSED:
      break;
    }
}

void
hp_match_client_close (HpMatchClient *self, gint64 now)
{
  set_state (self, HP_MATCH_CLOSED);
  hp_match_greeting_stop (&self->greeting);
  self->farewells = self->session != NULL ? FAREWELLS : 0;
}

/* Sending */

static gboolean
pull_initiation (HpMatchClient *self, HpOutgoing *outgoing, gint64 now)
{
  if (self->state != HP_MATCH_SHAKING || self->handshake_at > now)
    return FALSE;
  outgoing->route = self->handshake_route;
  outgoing->ttl = 0;
  outgoing->length = hp_handshake_write_initiation (
      self->handshake, self->handshake_token, outgoing->bytes,
      outgoing->capacity);
  self->handshake_at
      = now + self->handshake_interval * 3 / 4
        + hp_random_u64 (&self->config.random)
              % (self->handshake_interval / 2 + 1);
  self->handshake_interval
      = MIN (2 * self->handshake_interval, LAST_INTERVAL);
  return TRUE;
}

static void
write_ping (HpMatchClient *self, HpWriter *writer, gint64 now)
{
  gint64 interval = self->round_trip < 0
                        ? FIRST_INTERVAL
                        : MAX (self->round_trip * 3 / 2, FIRST_INTERVAL);

  hp_frame_write (&(HpFrame){ .type = HP_FRAME_PING }, writer);
  if (self->unanswered == 0)
    {
      self->kept_at = now - self->phase;
      self->phase = 0;
      hp_match_greeting_prove (&self->greeting, &self->config.random, now);
    }
  interval <<= MIN (self->unanswered, 4);
  self->unanswered++;
  /* Which of several an answer is for cannot be told (Karn). */
  self->pinged_at = self->unanswered == 1 ? now : 0;
  self->ping_at = now + MIN (interval, LAST_INTERVAL);
}

static gboolean
is_ping_due (const HpMatchClient *self, gint64 now)
{
  return self->ping_at <= now && self->unanswered < self->patience;
}

static gboolean
write_frames (HpMatchClient *self, HpWriter *writer, gint64 now)
{
  HpWireCandidates candidates;
  HpMatchSelf about = { .suites = self->config.suites,
                        .round_trip = self->round_trip,
                        .candidates = &candidates,
                        .is_held = hp_match_client_is_held (self) };
  gboolean wrote;

  if (self->has_challenge)
    {
      HpFrame frame = { .type = HP_FRAME_PATH_RESPONSE };

      memcpy (frame.token, self->challenge, HP_TOKEN_SIZE);
      hp_frame_write (&frame, writer);
      self->has_challenge = FALSE;
    }
  hp_match_client_get_candidates (self, &candidates, now);
  hp_match_client_get_nat (self, &about.nat, now);
  hp_match_client_write_relay_request (self, writer, now);
  hp_match_client_write_knock (self, writer);
  wrote = hp_match_requests_write (&self->requests, &about, writer, now);
  if (wrote && self->unanswered == 0 && now - self->heard_at > SILENCE)
    self->ping_at = MIN (self->ping_at, now);
  if (is_ping_due (self, now))
    write_ping (self, writer, now);
  return writer->offset > 0;
}

static void
seal (HpMatchClient *self, HpOutgoing *outgoing, HpWriter *writer, gint64 now)
{
  if (writer->offset < MIN_PLAIN_SIZE)
    hp_writer_zeros (writer, MIN_PLAIN_SIZE - writer->offset);
  outgoing->route = self->route;
  outgoing->ttl = 0;
  outgoing->length = hp_session_seal (self->session, outgoing->bytes,
                                      writer->offset, now);
}

static gboolean
pull_farewell (HpMatchClient *self, HpOutgoing *outgoing, gint64 now)
{
  HpFrame frame = { .type = HP_FRAME_CLOSE };
  HpWriter writer;

  if (self->farewells == 0)
    return FALSE;
  self->farewells--;
  hp_writer_init (&writer, outgoing->bytes + HP_DATA_HEADER_SIZE, PLAIN_SIZE);
  hp_match_requests_write_unregister (&self->requests, &writer);
  frame.close.code = HP_CLOSE_NORMAL;
  hp_frame_write (&frame, &writer);
  seal (self, outgoing, &writer, now);
  return TRUE;
}

static gboolean
pull_data (HpMatchClient *self, HpOutgoing *outgoing, gint64 now)
{
  HpWriter writer;

  if (self->state != HP_MATCH_CONNECTED)
    return FALSE;
  hp_writer_init (&writer, outgoing->bytes + HP_DATA_HEADER_SIZE, PLAIN_SIZE);
  if (!write_frames (self, &writer, now))
    return FALSE;
  seal (self, outgoing, &writer, now);
  return TRUE;
}

gboolean
hp_match_client_pull (HpMatchClient *self, HpOutgoing *outgoing, gint64 now)
{
  g_assert (outgoing->capacity >= HP_DATAGRAM_SIZE_DEFAULT);

  return pull_farewell (self, outgoing, now)
         || pull_data (self, outgoing, now)
         || pull_initiation (self, outgoing, now)
         || hp_match_greeting_pull (&self->greeting, outgoing,
                                    &self->config.random, now);
}

/* Time */

gint64
hp_match_client_get_deadline (const HpMatchClient *self)
{
  gint64 deadline = MIN (self->lost_at,
                         hp_match_greeting_get_deadline (&self->greeting));

  switch (self->state)
    {
    case HP_MATCH_SHAKING:
      deadline = MIN (deadline,
                      MIN (self->handshake_at, self->handshake_until));
      break;
    case HP_MATCH_CONNECTED:
      if (self->has_challenge || self->has_knock)
        return 0;
      deadline = MIN (deadline, self->ping_at);
      deadline = MIN (deadline, self->relay_request_at);
      deadline = MIN (deadline,
                      hp_match_requests_get_deadline (
                          &self->requests, hp_match_client_is_held (self)));
      break;
    case HP_MATCH_RESTING:
      deadline = MIN (deadline, self->rest_until);
      break;
    case HP_MATCH_CLOSED:
      return self->farewells > 0 ? 0 : NEVER;
    case HP_MATCH_IDLE:
    case HP_MATCH_GREETING:
      break;
    }
  return deadline;
}

void
hp_match_client_expire (HpMatchClient *self, gint64 now)
{
  hp_match_greeting_expire (&self->greeting, now);
  if (self->lost_at <= now)
    {
      end_session (self);
      hp_match_client_add_event (self, HP_MATCH_EVENT_LOST);
    }
  switch (self->state)
    {
    case HP_MATCH_SHAKING:
      if (self->handshake_until <= now)
        hp_match_client_handshake_failed (self, now);
      break;
    case HP_MATCH_CONNECTED:
      if (self->ping_at <= now && self->unanswered >= self->patience)
        hp_match_client_silent (self, now);
      break;
    case HP_MATCH_RESTING:
      if (self->rest_until <= now)
        hp_match_client_greet (self, now);
      break;
    case HP_MATCH_IDLE:
    case HP_MATCH_GREETING:
    case HP_MATCH_CLOSED:
      break;
    }
}

/* How it stands */

gboolean
hp_match_client_is_connected (const HpMatchClient *self)
{
  return self->state == HP_MATCH_CONNECTED;
}

gboolean
hp_match_client_is_seeking (const HpMatchClient *self)
{
  return self->state == HP_MATCH_GREETING || self->state == HP_MATCH_SHAKING
         || (self->state == HP_MATCH_RESTING && self->rest_until != NEVER);
}

gboolean
hp_match_client_is_registered (const HpMatchClient *self)
{
  return self->state == HP_MATCH_CONNECTED
         && self->requests.registration.is_registered;
}

const HpAddress *
hp_match_client_get_observed (const HpMatchClient *self)
{
  return self->has_observed ? &self->observed : NULL;
}

const HpAddress *
hp_match_client_get_server (const HpMatchClient *self)
{
  return self->session != NULL ? &self->route.remote : NULL;
}

gint64
hp_match_client_get_round_trip (const HpMatchClient *self)
{
  return self->round_trip;
}
