/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* INITIATION. One takes sixty times as long as any other request (0.3 ms), and
 * a thousand may come at once: those whose cookie is right wait, and are
 * answered one at a time when nothing else is left to be said, so that whoever
 * has a session is served in between.
 */

#include "hole-punch/engine/hp-match-service-private.h"

#include <string.h>

/* As many as are answered before their senders repeat them */
#define MAX_WAITING 512

typedef struct
{
  GList link;
  HpRoute route;
  HpTicket ticket;
  gsize length;
  guint8 bytes[HP_INITIATION_MAX_SIZE];
} Waiting;

static void
send_response (HpMatchService *self, HpMatchSession *session,
               const HpInitiation *initiation, const HpRoute *route,
               gint64 now)
{
  guint8 token[HP_TOKEN_SIZE];
  HpOutboxItem *item = hp_outbox_add (&self->outbox, route);

  if (item == NULL)
    {
      self->statistics.dropped_full++;
      return;
    }
  hp_cookie_jar_create_token (&self->jar,
                              hp_match_session_get_index (session),
                              &route->remote, token);
  item->length = hp_handshake_write_response (
      &session->beginning->kept, initiation->token, token, item->bytes,
      sizeof item->bytes);
  session->beginning->responded_at = now;
}

/* Room for one more: at the cost of one that a newer one replaced, or that
 * never said anything */
static gboolean
make_room (HpMatchService *self, gint64 now)
{
  HpMatchSession *oldest;

  if (hp_match_sessions_count (&self->sessions) + self->n_elsewhere
      < self->config.max_peers)
    return TRUE;
  oldest = hp_match_sessions_oldest (&self->sessions,
                                     HP_MATCH_SESSION_REPLACED);
  if (oldest == NULL)
    oldest = hp_match_sessions_oldest (&self->sessions,
                                       HP_MATCH_SESSION_UNCONFIRMED);
  if (oldest == NULL)
    return FALSE;
  hp_match_service_drop_session (self, oldest, now);
  return TRUE;
}

static void
respond (HpMatchService *self, const Waiting *waiting,
         const HpInitiation *initiation, gint64 now)
{
  guint8 remote_public[HP_KEY_SIZE];
  HpHandshakeResult result;
  HpKeptResponse kept;
  HpSession *session = NULL;
  guint32 index;

  if (!make_room (self, now))
    {
      self->statistics.dropped_full++;
      return;
    }
  index = hp_match_sessions_allocate_index (&self->sessions,
                                            &self->config.random);
  if (index == 0)
    {
      self->statistics.dropped_full++;
      return;
    }
  if (hp_handshake_respond (initiation, waiting->bytes, &waiting->ticket,
                            &self->config.local, NULL, index, NULL, 0,
                            HP_REPLAY_WINDOW_SERVER, &self->config.random,
                            now, remote_public, &result, &kept, &session)
      != HP_HANDSHAKE_OK)
    {
      self->statistics.dropped_forged++;
      return;
    }
  self->statistics.handshakes++;
  send_response (self,
                 hp_match_sessions_add (&self->sessions, session,
                                        remote_public, &kept,
                                        &waiting->route, now),
                 initiation, &waiting->route, now);
  hp_crypto_wipe (&kept, sizeof kept);
}

static void
free_waiting (Waiting *waiting)
{
  hp_crypto_wipe (&waiting->ticket, sizeof waiting->ticket);
  g_free (waiting);
}

void
hp_match_service_clear_initiations (HpMatchService *self)
{
  GList *link;

  while ((link = g_queue_pop_head_link (&self->initiations)) != NULL)
    free_waiting (link->data);
}

static void
wait_for_turn (HpMatchService *self, const HpDatagram *datagram,
               const HpTicket *ticket)
{
  Waiting *waiting;

  if (self->initiations.length >= MAX_WAITING)
    {
      self->statistics.dropped_full++;
      return;
    }
  waiting = g_new (Waiting, 1);
  waiting->link = (GList){ .data = waiting };
  waiting->route = datagram->route;
  waiting->ticket = *ticket;
  waiting->length = datagram->length;
  memcpy (waiting->bytes, datagram->bytes, datagram->length);
  g_queue_push_tail_link (&self->initiations, &waiting->link);
}

/* The one of this very INITIATION; NULL: there is none yet */
static HpMatchSession *
find_session (HpMatchService *self, const guint8 *bytes,
              const HpInitiation *initiation)
{
  guint8 hash[HP_HASH_SIZE];

  hp_crypto_sha256 (hash, bytes, initiation->core_length);
  return hp_match_sessions_find_initiation (&self->sessions, hash);
}

void
hp_match_service_receive_initiation (HpMatchService *self,
                                     const HpDatagram *datagram, gint64 now)
{
  HpInitiation initiation;
  HpMatchSession *session;
  HpTicket ticket;

  if (!hp_packet_parse_initiation (&initiation, datagram->bytes,
                                   datagram->length))
    {
      self->statistics.dropped_malformed++;
      return;
    }
  if (initiation.ticket_number != 0
      || hp_cookie_jar_check_initiation (&self->jar, &datagram->route.remote,
                                         &initiation, datagram->bytes,
                                         self->config.suites, &ticket)
             != HP_HANDSHAKE_OK)
    {
      self->statistics.dropped_ticket++;
      return;
    }
  session = find_session (self, datagram->bytes, &initiation);
  if (session != NULL)
    send_response (self, session, &initiation, &datagram->route, now);
  else if (hp_match_service_admit_handshake (self, &datagram->route.remote,
                                             now))
    wait_for_turn (self, datagram, &ticket);
  else
    self->statistics.dropped_rate_limited++;
}

void
hp_match_service_answer_initiation (HpMatchService *self, gint64 now)
{
  Waiting *waiting = g_queue_pop_head_link (&self->initiations)->data;
  HpInitiation initiation;
  HpMatchSession *session;

  if (hp_packet_parse_initiation (&initiation, waiting->bytes,
                                  waiting->length))
    {
      /* It may have been repeated while it waited. */
      session = find_session (self, waiting->bytes, &initiation);
      if (session != NULL)
        send_response (self, session, &initiation, &waiting->route, now);
      else
        respond (self, waiting, &initiation, now);
    }
  free_waiting (waiting);
}
