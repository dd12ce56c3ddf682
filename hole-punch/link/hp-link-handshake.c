/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* From a ticket to a session. The caller:
 *
 *   INITIATION (same core, a token for each path) ──▸
 *                             ◂── RESPONSE (that token, one of its own)
 *   session mutual, path proven: READY
 *   DATA (PATH_RESPONSE with that one, PING, messages) ──▸
 *                                        session mutual, path proven: READY
 *
 * Until then the callee sends PROBEs, which open its NAT, and RESPONSEs, one
 * for each INITIATION that came; nothing else.
 */

#include "hole-punch/link/hp-link-private.h"

#include <string.h>

#define NEVER G_MAXINT64
/* The first DATA is repeated, until something comes back, after 1.5 round
 * trips and a moment (an acknowledgement's delay), then ever slower */
#define CONFIRM_DELAY (30 * G_TIME_SPAN_MILLISECOND)
#define CONFIRM_MAX G_TIME_SPAN_SECOND

static gsize
write_parameters (HpLink *self, guint8 buffer[HP_MAX_PARAMETERS_SIZE])
{
  HpParameters ours = HP_PARAMETERS_INIT;
  HpWriter writer;

  hp_transport_get_parameters (self->transport, &ours);
  ours.max_datagram_size = HP_DATAGRAM_SIZE_MAX;
  ours.idle_timeout = 0;
  hp_writer_init (&writer, buffer, HP_MAX_PARAMETERS_SIZE);
  hp_parameters_write (&ours, &writer);
  g_assert (hp_writer_ok (&writer));
  return writer.offset;
}

static void
clear_initiating (HpLink *self)
{
  g_clear_pointer (&self->initiating.handshake, hp_handshake_free);
  hp_crypto_wipe (&self->initiating, sizeof self->initiating);
}

static void
clear_answered (HpLinkAnswered *answered)
{
  g_clear_pointer (&answered->session, hp_session_free);
  hp_crypto_wipe (answered, sizeof *answered);
}

static void
clear_all_answered (HpLink *self)
{
  guint i;

  for (i = 0; i < HP_LINK_MAX_ANSWERED; i++)
    clear_answered (&self->answered[i]);
  self->n_responses = 0;
}

void
hp_link_end_handshakes (HpLink *self)
{
  clear_initiating (self);
  clear_all_answered (self);
}

void
hp_link_initiate (HpLink *self, const HpIntroduction *introduction)
{
  guint8 suite = hp_crypto_choose_suite (self->config.suites,
                                         introduction->suites);
  guint8 parameters[HP_MAX_PARAMETERS_SIZE];
  gsize length = write_parameters (self, parameters);

  clear_initiating (self);
  if (suite == 0)
    return;
  self->initiating.ticket = introduction->ticket;
  self->initiating.until = introduction->start_at + HP_PUNCH_TIMEOUT;
  self->initiating.handshake = hp_handshake_new (
      suite, &introduction->ticket, &self->config.local,
      self->config.remote_public, self->config.index, parameters, length,
      &self->config.random);
}

/* Answering */

void
hp_link_create_own_token (const HpLink *self, const HpRoute *route,
                          guint8 token[HP_TOKEN_SIZE])
{
  guint8 digest[HP_HASH_SIZE];
  guint8 bytes[4 + HP_ADDRESS_MAX_WIRE_SIZE];
  HpHashPart part = { bytes, 0 };
  HpWriter writer;

  hp_writer_init (&writer, bytes, sizeof bytes);
  hp_writer_u32 (&writer, route->socket);
  hp_address_write (&route->remote, &writer);
  part.length = writer.offset;
  hp_crypto_hmac (digest, self->path_secret, sizeof self->path_secret, &part,
                  1);
  memcpy (token, digest, HP_TOKEN_SIZE);
}

static void
queue_response (HpLink *self, const HpLinkResponse *response)
{
  if (self->n_responses < HP_LINK_MAX_RESPONSES)
    self->responses[self->n_responses++] = *response;
}

gboolean
hp_link_pull_response (HpLink *self, HpOutgoing *outgoing, gint64 now)
{
  HpLinkAnswered *answered;
  HpLinkResponse response;
  guint8 token[HP_TOKEN_SIZE];

  if (self->n_responses == 0)
    return FALSE;
  response = self->responses[0];
  self->n_responses--;
  memmove (&self->responses[0], &self->responses[1],
           self->n_responses * sizeof response);

  answered = &self->answered[response.which];
  if (answered->responded_at == 0)
    answered->responded_at = now;
  hp_link_create_own_token (self, &response.route, token);
  outgoing->route = response.route;
  outgoing->length = hp_handshake_write_response (
      &answered->response, response.token, token, outgoing->bytes,
      outgoing->capacity);
  return outgoing->length > 0;
}

/* The introduction in which the other side is the caller and whose ticket
 * lets this INITIATION in */
static const HpIntroduction *
find_ticket (HpLink *self, const HpInitiation *initiation,
             const guint8 *bytes)
{
  guint i;

  for (i = self->n_introductions; i-- > 0;)
    {
      const HpIntroduction *introduction = &self->introductions[i];

      if (!introduction->is_caller
          && introduction->ticket.number == initiation->ticket_number
          && hp_handshake_check_initiation (initiation, bytes,
                                            &introduction->ticket,
                                            self->config.suites)
                 == HP_HANDSHAKE_OK)
        return introduction;
    }
  return NULL;
}

/* Simultaneous calls: the side with the larger key has its own way */
static gboolean
is_to_be_answered (const HpLink *self)
{
  if (self->state != HP_LINK_CONNECTING || self->session != NULL)
    return FALSE;
  return self->initiating.handshake == NULL
         || memcmp (self->config.local.public_key,
                    self->config.remote_public, HP_KEY_SIZE)
                < 0;
}

gboolean
hp_link_has_answered (const HpLink *self)
{
  guint i;

  for (i = 0; i < HP_LINK_MAX_ANSWERED; i++)
    if (self->answered[i].session != NULL)
      return TRUE;
  return FALSE;
}

static int
find_answered (const HpLink *self, const HpInitiation *initiation,
               const guint8 *bytes)
{
  guint i;

  for (i = 0; i < HP_LINK_MAX_ANSWERED; i++)
    if (self->answered[i].has_response
        && hp_handshake_is_repeated (&self->answered[i].response, initiation,
                                     bytes))
      return i;
  return -1;
}

static void
identify (HpLink *self, const guint8 remote_public[HP_KEY_SIZE])
{
  if (self->config.has_remote_public)
    return;
  memcpy (self->config.remote_public, remote_public, HP_KEY_SIZE);
  self->config.has_remote_public = TRUE;
  self->awaits_accept = TRUE;
  hp_link_emit (self, HP_LINK_EVENT_IDENTIFIED);
}

/* What of the responses waits to be sent belongs to one that is given up */
static HpLinkAnswered *
take_slot (HpLink *self, guint *which)
{
  *which = self->next_answered;
  self->next_answered = (self->next_answered + 1) % HP_LINK_MAX_ANSWERED;
  self->n_responses = 0;
  clear_answered (&self->answered[*which]);
  return &self->answered[*which];
}

static gboolean
answer (HpLink *self, const HpInitiation *initiation, const guint8 *bytes,
        const HpTicket *ticket, guint *which, gint64 now)
{
  guint8 remote_public[HP_KEY_SIZE];
  guint8 parameters[HP_MAX_PARAMETERS_SIZE];
  gsize length = write_parameters (self, parameters);
  HpHandshakeResult result;
  HpLinkAnswered fresh = { .has_response = TRUE,
                           .ticket_number = ticket->number,
                           .parameters = HP_PARAMETERS_INIT };

  if (hp_handshake_respond (
          initiation, bytes, ticket, &self->config.local,
          self->config.has_remote_public ? self->config.remote_public : NULL,
          self->config.index + 1, parameters, length, HP_REPLAY_WINDOW_PEER,
          &self->config.random, now, remote_public, &result, &fresh.response,
          &fresh.session)
      != HP_HANDSHAKE_OK)
    return FALSE;
  if (!hp_parameters_parse (&fresh.parameters, result.parameters,
                            result.parameters_length))
    {
      clear_answered (&fresh);
      return FALSE;
    }

  *take_slot (self, which) = fresh;
  hp_crypto_wipe (&fresh, sizeof fresh);
  identify (self, remote_public);
  return TRUE;
}

void
hp_link_receive_initiation (HpLink *self, const HpDatagram *datagram,
                            gint64 now)
{
  HpLinkResponse response = { .route = datagram->route };
  const HpIntroduction *introduction;
  HpInitiation initiation;
  int which;

  if (!hp_packet_parse_initiation (&initiation, datagram->bytes,
                                   datagram->length))
    {
      self->statistics.dropped_malformed++;
      return;
    }
  if (self->state == HP_LINK_CLOSED)
    return;
  introduction = find_ticket (self, &initiation, datagram->bytes);
  if (introduction == NULL)
    {
      self->statistics.dropped_ticket++;
      return;
    }

  which = find_answered (self, &initiation, datagram->bytes);
  if (which >= 0)
    response.which = which;
  else if (!is_to_be_answered (self))
    {
      hp_link_add_peer_reflexive (self, introduction, &datagram->route,
                                  now);
      return;
    }
  else if (self->n_attempts++ >= HP_LINK_MAX_ATTEMPTS
           || !answer (self, &initiation, datagram->bytes,
                       &introduction->ticket, &response.which, now))
    {
      self->statistics.dropped_forged++;
      return;
    }

  memcpy (response.token, initiation.token, HP_TOKEN_SIZE);
  if (self->awaits_accept)
    self->held = response;
  else
    queue_response (self, &response);
}

void
hp_link_accept (HpLink *self, gint64 now)
{
  if (!self->awaits_accept || self->state != HP_LINK_CONNECTING)
    return;
  self->awaits_accept = FALSE;
  self->connect_until = MAX (self->connect_until, now + HP_PUNCH_TIMEOUT);
  queue_response (self, &self->held);
}

/* Confirming */

static void
confirm (HpLink *self, HpSession *session, guint64 ticket_number,
         const HpParameters *theirs)
{
  self->session = session;
  self->session_ticket = ticket_number;
  self->remote_parameters = *theirs;
  hp_transport_set_remote_parameters (self->transport, theirs);
  hp_link_emit (self, HP_LINK_EVENT_CONFIRMED);
}

void
hp_link_adopt_answered (HpLink *self, HpLinkAnswered *answered)
{
  guint i;

  clear_initiating (self);
  self->is_heard = TRUE;
  hp_transport_set_responder (self->transport);
  confirm (self, g_steal_pointer (&answered->session),
           answered->ticket_number, &answered->parameters);
  for (i = 0; i < HP_LINK_MAX_ANSWERED; i++)
    if (&self->answered[i] != answered)
      clear_answered (&self->answered[i]);
  self->n_responses = 0;
}

gint64
hp_link_get_response_age (const HpLink *self, gint64 now)
{
  guint i;

  for (i = 0; i < HP_LINK_MAX_ANSWERED; i++)
    if (self->answered[i].responded_at != 0)
      return now - self->answered[i].responded_at;
  return -1;
}

/* The first DATA at once, and until something comes back */
static void
begin_confirming (HpLink *self, HpPath *path, gint64 now)
{
  gint64 round_trip = path->round_trip >= 0 ? path->round_trip
                                            : G_TIME_SPAN_SECOND / 5;

  hp_transport_ping (self->transport);
  self->confirm_interval = round_trip * 3 / 2 + CONFIRM_DELAY;
  self->confirm_at = now + self->confirm_interval;
}

static void
take_response_tokens (HpLink *self, const HpDatagram *datagram,
                      const HpHandshakeResult *result, gint64 now)
{
  HpPath *path = hp_link_ensure_path (self, &datagram->route);
  gboolean is_first = self->path == NULL;

  hp_path_heard (path, datagram->length);
  if (hp_path_consume_token (path, result->echoed_token, now))
    hp_link_path_answered (self, path, now);
  else if (is_first)
    hp_link_use_path (self, path, now);
  else if (!path->is_proven)
    hp_link_challenge (self, path, now);

  if (is_first)
    begin_confirming (self, path, now);
  if (path != self->path)
    hp_path_queue_answer (path, result->own_token);
  else if (!self->is_heard)
    {
      path->has_echo = TRUE;
      memcpy (path->echo, result->own_token, HP_TOKEN_SIZE);
    }
}

static gboolean
consume_response (HpLink *self, const HpDatagram *datagram,
                  HpHandshakeResult *result, gint64 now)
{
  HpParameters theirs = HP_PARAMETERS_INIT;
  HpSession *session = NULL;

  if (hp_handshake_consume_response (self->initiating.handshake,
                                     datagram->bytes, datagram->length,
                                     HP_REPLAY_WINDOW_PEER, now, result,
                                     &session)
      != HP_HANDSHAKE_OK)
    return FALSE;
  if (!hp_parameters_parse (&theirs, result->parameters,
                            result->parameters_length))
    {
      hp_session_free (session);
      clear_initiating (self);
      return FALSE;
    }
  clear_all_answered (self);
  confirm (self, session, self->initiating.ticket.number, &theirs);
  return TRUE;
}

void
hp_link_receive_response (HpLink *self, const HpDatagram *datagram, gint64 now)
{
  HpHandshakeResult result;
  gboolean is_good;

  if (self->initiating.handshake == NULL || self->state == HP_LINK_CLOSED)
    return;
  if (self->session == NULL)
    is_good = consume_response (self, datagram, &result, now);
  else
    is_good = hp_handshake_check_repeated_response (
                  self->initiating.handshake, datagram->bytes,
                  datagram->length, &result)
              == HP_HANDSHAKE_OK;

  if (is_good)
    take_response_tokens (self, datagram, &result, now);
  else
    self->statistics.dropped_forged++;
}

/* Time */

gint64
hp_link_get_handshake_deadline (const HpLink *self)
{
  gint64 deadline = self->confirm_at;

  if (self->state == HP_LINK_CONNECTING)
    deadline = MIN (deadline, self->connect_until);
  if (self->initiating.handshake != NULL && self->session == NULL)
    deadline = MIN (deadline, self->initiating.until);
  return deadline;
}

void
hp_link_expire_handshake (HpLink *self, gint64 now)
{
  if (self->state == HP_LINK_CONNECTING && now >= self->connect_until)
    {
      hp_link_shut (self, HP_LINK_CLOSED_UNREACHABLE, 0);
      return;
    }
  if (self->session == NULL && self->initiating.handshake != NULL
      && now >= self->initiating.until)
    clear_initiating (self);
  if (now >= self->confirm_at)
    {
      hp_transport_ping (self->transport);
      self->confirm_interval = MIN (2 * self->confirm_interval, CONFIRM_MAX);
      self->confirm_at = now + self->confirm_interval;
    }
}
