/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What comes to the server's port: HELLO and STUN, answered without state;
 * and the DATA of sessions.
 */

#include "hole-punch/engine/hp-match-service-private.h"

#include "hole-punch/wire/hp-stun.h"

#include <string.h>

static void
send_observed (HpMatchService *self, HpMatchSession *session, gint64 now)
{
  HpFrame frame = { .type = HP_FRAME_OBSERVED };

  frame.observed.address = session->route.remote;
  hp_match_service_send_frame (self, session, &frame, now);
}

/* Without a session: HELLO, STUN, DATA of an unknown index */

/* Room for an answer to a stranger, of whom there may be many: half of the
 * outbox is for those who have a session. */
static HpOutboxItem *
add_answer (HpMatchService *self, const HpRoute *route)
{
  HpOutboxItem *item = hp_outbox_is_half_full (&self->outbox)
                           ? NULL
                           : hp_outbox_add (&self->outbox, route);

  if (item == NULL)
    self->statistics.dropped_full++;
  return item;
}

static void
receive_hello (HpMatchService *self, const HpDatagram *datagram)
{
  HpCookiePacket cookie = {
    .version = HP_PROTOCOL_VERSION,
    .suites = self->config.suites,
    .has_public_key = TRUE,
    .observed = datagram->route.remote,
  };
  HpOutboxItem *item;
  HpWriter writer;
  HpHello hello;

  if (!hp_packet_parse_hello (&hello, datagram->bytes, datagram->length))
    {
      self->statistics.dropped_malformed++;
      return;
    }
  item = add_answer (self, &datagram->route);
  if (item == NULL)
    return;
  memcpy (cookie.transaction, hello.transaction, HP_TRANSACTION_SIZE);
  memcpy (cookie.public_key, self->config.local.public_key, HP_KEY_SIZE);
  hp_cookie_jar_create (&self->jar, &datagram->route.remote, cookie.cookie);
  hp_writer_init (&writer, item->bytes, sizeof item->bytes);
  hp_packet_write_cookie (&cookie, &writer);
  item->length = writer.offset;
  self->statistics.cookies++;
}

/* Out of a buffer, since it may turn out that nothing is to be said */
static void
send_bytes (HpMatchService *self, const HpRoute *route, const guint8 *bytes,
            gsize length)
{
  HpOutboxItem *item = add_answer (self, route);

  if (item == NULL)
    return;
  memcpy (item->bytes, bytes, length);
  item->length = length;
}

/* Of the pair of hosts the one that was not asked, if it is known and of this
 * family; else the one that was. The other port in any case. */
static gboolean
get_other_address (const HpMatchPlaces *places, const HpAddress *asked,
                   HpAddress *other)
{
  const HpAddress *host = &places->hosts[1];

  if (places->ports[1] == 0 || asked->family == HP_ADDRESS_NONE)
    return FALSE;
  *other = *asked;
  if (hp_address_same_host (host, asked))
    host = &places->hosts[0];
  if (host->family == asked->family)
    *other = *host;
  other->port = places->ports[asked->port != places->ports[1]];
  return TRUE;
}

static void
receive_stun (HpMatchService *self, const HpDatagram *datagram, gint64 now)
{
  guint8 bytes[HP_STUN_MAX_SIZE];
  gboolean has_other;
  HpAddress other;
  gsize length;

  if (!hp_rate_limiter_take_address (self->stun, &datagram->route.remote, now))
    {
      self->statistics.dropped_rate_limited++;
      return;
    }
  has_other = get_other_address (&self->places, &datagram->route.local,
                                 &other);
  length = hp_stun_create_response (datagram->bytes, datagram->length,
                                    &datagram->route.remote,
                                    has_other ? &other : NULL, bytes,
                                    sizeof bytes);
  if (length == 0)
    {
      self->statistics.dropped_malformed++;
      return;
    }
  send_bytes (self, &datagram->route, bytes, length);
  self->statistics.stun_answers++;
}

static void
answer_unknown (HpMatchService *self, const HpDatagram *datagram,
                const HpDataHeader *header, gint64 now)
{
  guint8 bytes[HP_UNKNOWN_SIZE];
  HpUnknown unknown = { header->receiver_index, header->number };
  HpWriter writer;

  self->statistics.dropped_unknown++;
  if (!hp_rate_limiter_take_address (self->unknown, &datagram->route.remote,
                                     now))
    return;
  hp_writer_init (&writer, bytes, sizeof bytes);
  hp_packet_write_unknown (&unknown, &writer);
  send_bytes (self, &datagram->route, bytes, writer.offset);
}

/* DATA */

static void
confirm (HpMatchService *self, HpMatchSession *session, gint64 now)
{
  HpMatchSession *older;

  session->round_trip = CLAMP (now - session->beginning->responded_at, 0,
                               HP_MATCH_MAX_ROUND_TRIP);
  older = hp_match_sessions_confirm (&self->sessions, session, now);
  hp_match_service_tell_whereabouts (self, HP_SERVICE_EVENT_ARRIVED, session);
  if (older == NULL)
    return;
  /* Being present is of the identity, not of the session. */
  hp_match_service_inherit_presence (self, older, session);
  session->is_known = older->is_known;
  if (older->claim != NULL)
    hp_match_service_cancel_claim (self, older->claim);
  hp_match_service_send_close (self, older, HP_CLOSE_REPLACED, now);
}

/* It may have moved there, or somebody may only have copied the packet. */
static void
challenge_address (HpMatchService *self, HpMatchSession *session,
                   const HpDatagram *datagram, gint64 now)
{
  HpFrame frame = { .type = HP_FRAME_PATH_CHALLENGE };

  /* Never more than came from there */
  if (datagram->length < HP_DATA_OVERHEAD + 1 + HP_TOKEN_SIZE)
    return;
  hp_cookie_jar_create_token (&self->jar,
                              hp_match_session_get_index (session),
                              &datagram->route.remote, frame.token);
  hp_match_service_send_to (self, session, &datagram->route, &frame, now);
}

static void
receive_path_response (HpMatchService *self, HpMatchSession *session,
                       const HpDatagram *datagram, guint64 number,
                       const HpFrame *frame, gint64 now)
{
  gint32 ahead = (guint32) number - session->route_number;

  if (ahead < 0
      || hp_address_equal (&session->route.remote, &datagram->route.remote)
      || !hp_cookie_jar_check_token (&self->jar,
                                     hp_match_session_get_index (session),
                                     &datagram->route.remote, frame->token))
    return;
  hp_match_service_move_session (self, session, &datagram->route);
  session->route_number = number;
  send_observed (self, session, now);
}

/* FALSE: the session is gone, or is to be closed. */
static gboolean
receive_frame (HpMatchService *self, HpMatchSession *session,
               const HpDatagram *datagram, guint64 number,
               const HpFrame *frame, gint64 now)
{
  switch (frame->type)
    {
    case HP_FRAME_PADDING:
    case HP_FRAME_ACK:
    case HP_FRAME_ACK_ECN:
      return TRUE;
    case HP_FRAME_PING:
      self->statistics.keepalives++;
      send_observed (self, session, now);
      return TRUE;
    case HP_FRAME_PATH_RESPONSE:
      receive_path_response (self, session, datagram, number, frame, now);
      return TRUE;
    case HP_FRAME_REGISTER:
      hp_match_service_receive_register (self, session, frame, now);
      return TRUE;
    case HP_FRAME_UNREGISTER:
      hp_match_service_receive_unregister (self, session, frame, now);
      return TRUE;
    case HP_FRAME_ASK:
      hp_match_service_receive_ask (self, session, frame, now);
      return TRUE;
    case HP_FRAME_REPLY:
      hp_match_service_receive_reply (self, session, frame, now);
      return TRUE;
    case HP_FRAME_RELAY_REQUEST:
      hp_match_service_receive_relay_request (self, session, frame, now);
      return TRUE;
    case HP_FRAME_KNOCK:
      hp_match_service_receive_knock (self, session, &datagram->route, frame,
                                      now);
      return TRUE;
    case HP_FRAME_CLOSE:
      hp_match_service_drop_session (self, session, now);
      return FALSE;
    default:
      self->statistics.dropped_malformed++;
      hp_match_service_send_close (self, session, HP_CLOSE_PROTOCOL, now);
      hp_match_service_drop_session (self, session, now);
      return FALSE;
    }
}

static void
receive_frames (HpMatchService *self, HpMatchSession *session,
                const HpDatagram *datagram, guint64 number,
                const guint8 *plain, gsize length, gint64 now)
{
  HpReader reader;
  HpFrame frame;

  hp_reader_init (&reader, plain, length);
  while (hp_reader_left (&reader) > 0)
    {
      if (!hp_frame_parse (&frame, &reader))
        {
          self->statistics.dropped_malformed++;
          hp_match_service_send_close (self, session, HP_CLOSE_PROTOCOL, now);
          hp_match_service_drop_session (self, session, now);
          return;
        }
      if (!receive_frame (self, session, datagram, number, &frame, now))
        return;
    }
}

static void
receive_opened (HpMatchService *self, HpMatchSession *session,
                const HpDatagram *datagram, guint64 number,
                const guint8 *plain, gsize length, gint64 now)
{
  if (session->state == HP_MATCH_SESSION_REPLACED)
    {
      hp_match_service_send_close (self, session, HP_CLOSE_REPLACED, now);
      return;
    }
  if (session->state == HP_MATCH_SESSION_UNCONFIRMED)
    confirm (self, session, now);
  else
    hp_match_sessions_heard (&self->sessions, session, now);
  if (session->presence != NULL && session->presence->n_challengers > 0)
    hp_match_service_settle_challenges (self, session->presence, now);
  if (!hp_address_equal (&session->route.remote, &datagram->route.remote))
    challenge_address (self, session, datagram, now);
  receive_frames (self, session, datagram, number, plain, length, now);
}

static void
receive_data (HpMatchService *self, const HpDatagram *datagram, gint64 now)
{
  HpMatchSession *session;
  HpDataHeader header;
  guint64 number;
  guint8 *plain;
  gsize length;

  if (!hp_packet_parse_data (&header, datagram->bytes, datagram->length))
    {
      self->statistics.dropped_malformed++;
      return;
    }
  session = hp_match_sessions_find (&self->sessions, header.receiver_index);
  if (session == NULL)
    {
      answer_unknown (self, datagram, &header, now);
      return;
    }
  switch (hp_session_open (hp_match_session_get_secure (session),
                           datagram->bytes, datagram->length, now, &number,
                           &plain, &length))
    {
    case HP_OPEN_OK:
      receive_opened (self, session, datagram, number, plain, length, now);
      break;
    case HP_OPEN_FORGED:
    case HP_OPEN_EXHAUSTED: /* its client will want another one */
      self->statistics.dropped_forged++;
      break;
    case HP_OPEN_REPLAYED:
      self->statistics.dropped_replayed++;
      break;
    }
}

static void
receive_ours (HpMatchService *self, const HpDatagram *datagram, gint64 now)
{
  switch ((HpPacketType) datagram->bytes[0])
    {
    case HP_PACKET_HELLO:
      receive_hello (self, datagram);
      break;
    case HP_PACKET_INITIATION:
      hp_match_service_receive_initiation (self, datagram, now);
      break;
    case HP_PACKET_DATA_0:
    case HP_PACKET_DATA_1:
      receive_data (self, datagram, now);
      break;
    case HP_PACKET_COOKIE:
    case HP_PACKET_RESPONSE:
    case HP_PACKET_PROBE:
    case HP_PACKET_UNKNOWN:
      self->statistics.dropped_malformed++;
      break;
    }
}

void
hp_match_service_receive (HpMatchService *self, const HpDatagram *datagram,
                          gint64 now)
{
  if (self->is_closing)
    return;
  hp_cookie_jar_rotate (&self->jar, now);
  switch (hp_packet_classify (datagram->bytes, datagram->length))
    {
    case HP_PACKET_CLASS_OURS:
      receive_ours (self, datagram, now);
      break;
    case HP_PACKET_CLASS_STUN:
      receive_stun (self, datagram, now);
      break;
    case HP_PACKET_CLASS_TURN:
    case HP_PACKET_CLASS_OTHER:
      self->statistics.dropped_malformed++;
      break;
    }
}
