/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* DATA, in and out: path frames are the link's, all others the transport's. */

#include "hole-punch/link/hp-link-private.h"

#include <string.h>

#define NEVER G_MAXINT64
/* Of an unproven path's budget: what is kept for challenges and answers */
#define UNPROVEN_RESERVE 4
/* Without any hint RFC 9002 begins with a third of a second */
#define MAX_SUGGESTED (333 * G_TIME_SPAN_MILLISECOND)
/* Packets from one number that is left out to the next */
#define SKIP_MIN 256
#define SKIP_SPREAD 4096
#define CLOSE_COPIES 3
#define CLOSE_MORE 20
#define CLOSE_GAP (100 * G_TIME_SPAN_MILLISECOND)

/* Out */

gboolean
hp_link_may_use_transport (const HpLink *self)
{
  return self->session != NULL && self->path != NULL
         && (self->state == HP_LINK_READY
             || self->state == HP_LINK_CONNECTING)
         && (self->path->is_proven || self->path->unproven_left > 0)
         && hp_path_get_allowance (self->path) > HP_DATA_OVERHEAD;
}

static gboolean
wants_probe (const HpPath *path, gint64 now)
{
  return path->n_answers > 0 || path->challenge_at <= now;
}

static void
write_token (HpWriter *writer, HpFrameType type,
             const guint8 token[HP_TOKEN_SIZE])
{
  HpFrame frame = { .type = type };

  memcpy (frame.token, token, HP_TOKEN_SIZE);
  hp_frame_write (&frame, writer);
}

static void
write_answers (HpPath *path, HpWriter *writer)
{
  guint i;

  for (i = 0; i < path->n_answers; i++)
    write_token (writer, HP_FRAME_PATH_RESPONSE, path->answers[i]);
  path->n_answers = 0;
}

static void
write_challenge (HpLink *self, HpPath *path, HpWriter *writer, gint64 now)
{
  guint8 token[HP_TOKEN_SIZE];

  hp_path_create_token (path, &self->config.random, now, token);
  write_token (writer, HP_FRAME_PATH_CHALLENGE, token);
}

/* The room for plaintext in a datagram of up to @size bytes, to be sealed */
static gboolean
begin_packet (const HpOutgoing *outgoing, gsize size, HpWriter *writer)
{
  size = MIN (size, outgoing->capacity);
  if (size <= HP_DATA_OVERHEAD)
    return FALSE;
  hp_writer_init (writer, outgoing->bytes + HP_DATA_HEADER_SIZE,
                  size - HP_DATA_OVERHEAD);
  return TRUE;
}

static void
end_packet (HpLink *self, HpPath *path, HpOutgoing *outgoing,
            gsize plain_length, gint64 now)
{
  outgoing->route = path->route;
  outgoing->length = hp_session_seal (self->session, outgoing->bytes,
                                      plain_length, now);
  hp_path_sent (path, outgoing->length);
}

gboolean
hp_link_write_check (HpLink *self, HpPath *path, HpOutgoing *outgoing,
                     gint64 now)
{
  HpWriter writer;

  if (!begin_packet (outgoing, hp_link_get_base_size (self), &writer))
    return FALSE;
  write_answers (path, &writer);
  write_challenge (self, path, &writer, now);
  if (path->is_proven)
    hp_link_challenge_sent (self, path, now);
  end_packet (self, path, outgoing, writer.offset, now);
  return TRUE;
}

/* On a path that is not in use: nothing but probing frames */
static gboolean
pull_probe (HpLink *self, HpOutgoing *outgoing, gint64 now)
{
  guint i;

  for (i = 0; i < self->paths->len; i++)
    {
      HpPath *path = self->paths->pdata[i];
      HpWriter writer;

      if (path == self->path || !wants_probe (path, now))
        continue;
      if (!hp_path_spend (path))
        {
          path->n_answers = 0;
          path->challenge_at = NEVER;
          continue;
        }
      if (!begin_packet (outgoing, hp_link_get_base_size (self), &writer))
        return FALSE;
      write_answers (path, &writer);
      if (path->challenge_at <= now)
        {
          write_challenge (self, path, &writer, now);
          hp_link_challenge_sent (self, path, now);
        }
      end_packet (self, path, outgoing, writer.offset, now);
      return TRUE;
    }
  return FALSE;
}

/* The frames of the path in use that come before the transport's */
static void
write_path_frames (HpLink *self, HpWriter *writer, gint64 now)
{
  HpPath *path = self->path;
  gboolean is_answering = path->n_answers > 0;

  write_answers (path, writer);
  if (path->has_echo && !self->is_heard)
    write_token (writer, HP_FRAME_PATH_RESPONSE, path->echo);
  if (!hp_link_is_consent_due (self, is_answering, now))
    return;

  write_challenge (self, path, writer, now);
  hp_link_challenge_sent (self, path, now);
  /* So that it is no probe, and the responder follows us to a new address
   * even when we have nothing to say */
  if (hp_link_is_initiator (self) && self->state != HP_LINK_SILENT)
    hp_transport_ping (self->transport);
}

/* Now and then a number is left out, so that who acknowledges what did not come
 * is found out (RFC 9000, section 21.4): not so often that the ACKs, which tell
 * of each gap, become much larger. */
static void
skip_number (HpLink *self)
{
  guint64 number = hp_session_get_next_number (self->session);
  guint16 more;

  if (number < self->skip_at)
    return;
  if (self->skip_at > 0)
    {
      hp_transport_skip_number (self->transport, number);
      hp_session_skip_number (self->session);
    }
  hp_random_fill (&self->config.random, &more, sizeof more);
  self->skip_at = number + SKIP_MIN + more % SKIP_SPREAD;
}

static gboolean
write_transport (HpLink *self, HpOutgoing *outgoing, HpWriter *before,
                 gint64 now)
{
  gboolean ack_only = !self->path->is_proven
                      && self->path->unproven_left <= UNPROVEN_RESERVE;
  gsize size = HP_DATA_OVERHEAD + before->offset;
  gsize allowance = hp_path_get_allowance (self->path);
  HpWriter writer;

  /* What tells of the path does not go with a probe that may be too large. */
  if (before->offset > 0)
    allowance = MIN (allowance, hp_link_get_datagram_size (self));
  /* Whoever is at the other end may have used another's address. */
  if (!hp_link_may_use_transport (self) || allowance <= size)
    return FALSE;
  hp_writer_init (&writer, before->data + before->offset,
                  MIN (hp_writer_left (before), allowance - size));
  hp_transport_allow_marks (self->transport, self->path->is_proven);
  skip_number (self);
  if (!hp_transport_write_packet (
          self->transport, &writer,
          hp_session_get_next_number (self->session),
          size, ack_only, now))
    return FALSE;
  outgoing->is_alone = hp_transport_goes_alone (self->transport);
  if (hp_transport_is_marked (self->transport))
    outgoing->ecn = HP_ECN_ECT_0;
  before->offset += writer.offset;
  return TRUE;
}

/* What has come with a challenge is acknowledged with its answer. */
static void
add_early_ack (HpLink *self, HpWriter *writer, gint64 now)
{
  HpWriter usual = *writer;

  if (!self->path->is_proven || !hp_link_may_use_transport (self))
    return;
  usual.capacity = MIN (usual.capacity, hp_link_get_base_size (self)
                                            - HP_DATA_OVERHEAD);
  if (usual.offset >= usual.capacity)
    return;
  hp_transport_write_early_ack (self->transport, &usual, now);
  writer->offset = usual.offset;
}

static gboolean
pull_in_use (HpLink *self, HpOutgoing *outgoing, gint64 now)
{
  HpPath *path = self->path;
  gboolean probe = wants_probe (path, now);
  HpWriter writer;

  if (!path->is_proven && path->unproven_left == 0)
    {
      path->n_answers = 0;
      path->challenge_at = NEVER;
      return FALSE;
    }
  /* Found out for less than by trying: what has come mostly asks for nothing
   * but to be delivered. */
  if (!probe && hp_transport_is_idle (self->transport, now))
    return FALSE;
  if (!begin_packet (outgoing, HP_DATAGRAM_SIZE_MAX, &writer))
    return FALSE;
  write_path_frames (self, &writer, now);
  if (!write_transport (self, outgoing, &writer, now))
    {
      if (!probe)
        return FALSE;
      add_early_ack (self, &writer, now);
    }
  if (!hp_path_spend (path))
    return FALSE;
  end_packet (self, path, outgoing, writer.offset, now);
  /* Whatever else may have something to say was asked before this; but a
   * challenge can make others due */
  outgoing->is_last = !probe && path->is_proven
                      && hp_link_may_use_transport (self)
                      && hp_transport_is_idle (self->transport, now);
  return TRUE;
}

gboolean
hp_link_pull_data (HpLink *self, HpOutgoing *outgoing, gint64 now)
{
  if (self->session == NULL)
    return FALSE;
  return pull_probe (self, outgoing, now)
         || (self->path != NULL && pull_in_use (self, outgoing, now));
}

void
hp_link_send_control (HpLink *self, const HpFrame *frame)
{
  guint8 buffer[1000];
  g_autoptr (GBytes) bytes = NULL;
  HpWriter writer;

  hp_writer_init (&writer, buffer, sizeof buffer);
  hp_frame_write (frame, &writer);
  g_assert (hp_writer_ok (&writer));
  bytes = g_bytes_new (buffer, writer.offset);
  hp_transport_send_control (self->transport, bytes);
}

void
hp_link_offer_candidates (HpLink *self, const HpWireCandidates *candidates,
                          gint64 now)
{
  HpFrame frame = { .type = HP_FRAME_CANDIDATES, .candidates = *candidates };

  if (self->state != HP_LINK_CLOSED && candidates->n_candidates > 0)
    hp_link_send_control (self, &frame);
}

/* CLOSE */

static void
begin_close (HpLink *self, guint64 code, const char *reason)
{
  if (self->session == NULL || self->path == NULL)
    return;
  self->closes_left = CLOSE_COPIES;
  self->closes_more = CLOSE_MORE;
  self->close_code = code;
  self->close_reason = g_strndup (reason != NULL ? reason : "",
                                  HP_MAX_REASON_SIZE);
}

void
hp_link_close (HpLink *self, HpCloseCode code, const char *reason, gint64 now)
{
  if (self->state == HP_LINK_CLOSED)
    return;
  begin_close (self, code, reason);
  hp_link_shut (self, HP_LINK_CLOSED_LOCALLY, code);
}

static void
break_off (HpLink *self, const char *reason)
{
  begin_close (self, HP_CLOSE_PROTOCOL, reason);
  hp_link_shut (self, HP_LINK_CLOSED_PROTOCOL, HP_CLOSE_PROTOCOL);
}

/* What arrived was delivered: its sender shall not be told otherwise */
static void
write_last_ack (HpLink *self, HpWriter *writer, gint64 now)
{
  const gsize close_size = 1 + 8 + 2 + HP_MAX_REASON_SIZE;
  HpWriter before = *writer;

  if (hp_writer_left (writer) <= close_size)
    return;
  before.capacity -= close_size;
  hp_transport_write_last_ack (self->transport, &before, now);
  writer->offset = before.offset;
}

gboolean
hp_link_pull_close (HpLink *self, HpOutgoing *outgoing, gint64 now)
{
  HpFrame frame = { .type = HP_FRAME_CLOSE };
  HpWriter writer;

  if (self->closes_left == 0)
    return FALSE;
  self->closes_left--;
  frame.close.code = self->close_code;
  frame.close.reason.data = (const guint8 *) self->close_reason;
  frame.close.reason.length = strlen (self->close_reason);
  if (!begin_packet (outgoing, hp_link_get_datagram_size (self), &writer)
      || !hp_path_spend (self->path))
    return FALSE;
  write_last_ack (self, &writer, now);
  hp_frame_write (&frame, &writer);
  end_packet (self, self->path, outgoing, writer.offset, now);
  self->close_again_at = now + CLOSE_GAP;
  return TRUE;
}

/* The other side has not heard of it */
static void
close_again (HpLink *self, gint64 now)
{
  if (self->closes_more == 0 || now < self->close_again_at)
    return;
  self->closes_more--;
  self->closes_left = 1;
}

/* In */

static void
take_path_response (HpLink *self, HpPath *path,
                    const guint8 token[HP_TOKEN_SIZE], gint64 now)
{
  guint8 own[HP_TOKEN_SIZE];
  gint64 age;

  if (hp_path_consume_token (path, token, now))
    {
      hp_link_path_answered (self, path, now);
      return;
    }
  /* Whoever had it may be elsewhere by now: it proves as long as the RESPONSE
   * is kept */
  age = hp_link_get_response_age (self, now);
  if (hp_link_is_initiator (self) || path->is_proven || age < 0)
    return;
  hp_link_create_own_token (self, &path->route, own);
  if (!hp_crypto_equal (own, token, HP_TOKEN_SIZE))
    return;
  hp_path_prove (path, now);
  hp_link_path_answered (self, path, now);
  /* At most: the RESPONSE may have been sent more than once */
  if (path == self->path)
    hp_transport_suggest_round_trip (self->transport,
                                     MIN (age, MAX_SUGGESTED), now);
}

/* FALSE: the other side broke the protocol */
static gboolean
take_frame (HpLink *self, HpPath *path, const HpFrame *frame, guint64 number,
            gint64 now)
{
  switch ((HpFrameType) frame->type)
    {
    case HP_FRAME_PADDING:
    case HP_FRAME_PING:
      return TRUE;
    case HP_FRAME_CLOSE:
      hp_link_shut (self, HP_LINK_CLOSED_BY_REMOTE, frame->close.code);
      return TRUE;
    case HP_FRAME_PATH_CHALLENGE:
      hp_path_queue_answer (path, frame->token);
      return TRUE;
    case HP_FRAME_PATH_RESPONSE:
      take_path_response (self, path, frame->token, now);
      return TRUE;
    case HP_FRAME_CANDIDATES:
      hp_link_receive_candidates (self, &frame->candidates, now);
      return TRUE;
    case HP_FRAME_NAT:
      hp_link_receive_nat (self, &frame->nat, now);
      return TRUE;
    case HP_FRAME_ACK:
    case HP_FRAME_ACK_ECN:
      return frame->ack.largest < hp_session_get_next_number (self->session)
             && hp_transport_receive_frame (self->transport, frame, number,
                                            now);
    case HP_FRAME_CHUNK:
    case HP_FRAME_CHUNK_FIN:
    case HP_FRAME_RESET:
    case HP_FRAME_STOP:
    case HP_FRAME_MAX_DATA:
    case HP_FRAME_MAX_STREAM_DATA:
    case HP_FRAME_MAX_STREAMS:
      return hp_transport_receive_frame (self->transport, frame, number, now);
    case HP_FRAME_REGISTER:
    case HP_FRAME_REGISTERED:
    case HP_FRAME_REFUSED:
    case HP_FRAME_UNREGISTER:
    case HP_FRAME_ASK:
    case HP_FRAME_REPLY:
    case HP_FRAME_ANSWER:
    case HP_FRAME_INTRODUCE:
    case HP_FRAME_OBSERVED:
    case HP_FRAME_RELAY_REQUEST:
    case HP_FRAME_RELAYS:
    case HP_FRAME_KNOCK:
    case HP_FRAME_KNOCKED:
      return FALSE;
    }
  return FALSE;
}

static void
take_frames (HpLink *self, HpPath *path, const guint8 *plain, gsize length,
             guint64 number, HpEcn ecn, gint64 now)
{
  gboolean is_probe = TRUE;
  gboolean ack_eliciting = FALSE;
  HpReader reader;

  hp_reader_init (&reader, plain, length);
  while (hp_reader_left (&reader) > 0 && self->state != HP_LINK_CLOSED)
    {
      HpFrame frame;

      if (!hp_frame_parse (&frame, &reader))
        {
          break_off (self, "malformed frame");
          return;
        }
      is_probe = is_probe && hp_frame_is_probing (frame.type);
      ack_eliciting = ack_eliciting || hp_frame_is_ack_eliciting (frame.type);
      if (!take_frame (self, path, &frame, number, now))
        {
          break_off (self, "unexpected frame");
          return;
        }
    }
  if (self->state == HP_LINK_CLOSED)
    return;
  hp_transport_packet_received (self->transport, number, ack_eliciting, ecn,
                                now);
  hp_link_path_heard (self, path, number, is_probe, now);
}

/* What does not open is spoiled, since it is opened in place: kept for the
 * case, a rare one, that it is the other one's */
static HpOpenVerdict
open_answered (HpLink *self, const HpDatagram *datagram, gint64 now,
               guint64 *number, guint8 **plain, gsize *plain_length)
{
  g_autofree guint8 *copy = g_memdup2 (datagram->bytes, datagram->length);
  guint i;

  for (i = 0; i < HP_LINK_MAX_ANSWERED; i++)
    {
      HpLinkAnswered *answered = &self->answered[i];

      if (answered->session == NULL)
        continue;
      memcpy (datagram->bytes, copy, datagram->length);
      if (hp_session_open (answered->session, datagram->bytes,
                           datagram->length, now, number, plain, plain_length)
          != HP_OPEN_OK)
        continue;
      hp_link_adopt_answered (self, answered);
      return HP_OPEN_OK;
    }
  return HP_OPEN_FORGED;
}

static gboolean
open_packet (HpLink *self, const HpDatagram *datagram, gint64 now,
             guint64 *number, guint8 **plain, gsize *plain_length)
{
  HpOpenVerdict verdict = HP_OPEN_FORGED;
  HpDataHeader header;

  if (!hp_packet_parse_data (&header, datagram->bytes, datagram->length))
    {
      self->statistics.dropped_malformed++;
      return FALSE;
    }
  if (self->session != NULL
      && hp_session_get_local_index (self->session) == header.receiver_index)
    verdict = hp_session_open (self->session, datagram->bytes,
                               datagram->length, now, number, plain,
                               plain_length);
  else if (self->session == NULL && !self->awaits_accept
           && header.receiver_index == self->config.index + 1)
    verdict = open_answered (self, datagram, now, number, plain,
                             plain_length);

  switch (verdict)
    {
    case HP_OPEN_OK:
      return TRUE;
    case HP_OPEN_FORGED:
      self->statistics.dropped_forged++;
      return FALSE;
    case HP_OPEN_REPLAYED:
      self->statistics.dropped_replayed++;
      return FALSE;
    case HP_OPEN_EXHAUSTED:
      if (self->state != HP_LINK_CLOSED)
        break_off (self, "too many forged packets");
      return FALSE;
    }
  return FALSE;
}

void
hp_link_receive_data (HpLink *self, const HpDatagram *datagram, gint64 now)
{
  gsize plain_length;
  guint64 number;
  guint8 *plain;
  HpPath *path;

  if (!open_packet (self, datagram, now, &number, &plain, &plain_length))
    return;
  if (self->state == HP_LINK_CLOSED)
    {
      close_again (self, now);
      return;
    }

  self->is_heard = TRUE;
  self->confirm_at = NEVER;
  path = hp_link_ensure_path (self, &datagram->route);
  hp_path_heard (path, datagram->length);
  take_frames (self, path, plain, plain_length, number, datagram->ecn, now);
  hp_session_set_key_grace (
      self->session, 3 * hp_transport_get_probe_timeout (self->transport));
}
