/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* RELAY_REQUEST: what lets a peer in at a TURN server. Only passed on: whoever
 * runs the service knows the secret, the time of day and whom it trusts. */

#include "hole-punch/engine/hp-match-service-private.h"

#include <string.h>

/* Around the entries of RELAYS: its type and three numbers; around an entry:
 * the lengths of its three texts */
#define RELAYS_OVERHEAD (2 + 3 * 8)
#define RELAY_OVERHEAD (3 * 2)
#define RELAYS_SPACE                                                          \
  (HP_OUTBOX_DATAGRAM_SIZE - HP_DATA_OVERHEAD - RELAYS_OVERHEAD)

void
hp_match_service_receive_relay_request (HpMatchService *self,
                                        HpMatchSession *session,
                                        const HpFrame *frame, gint64 now)
{
  guint64 request = frame->relay_request.request;
  HpServiceEvent *event;

  if (((guint32) request != session->relay_request
       && !hp_rate_limiter_take (self->relays_of_identity,
                                 session->public_key, HP_KEY_SIZE, now))
      || !hp_rate_limiter_take_address (self->relays_of_prefix,
                                        &session->route.remote, now))
    {
      self->statistics.dropped_rate_limited++;
      hp_match_service_send_refused (self, session, request,
                                     HP_REFUSED_RATE_LIMITED, now);
      return;
    }
  session->relay_request = request;
  event = hp_match_service_add_event (self, HP_SERVICE_EVENT_RELAYS);
  event->handle = hp_match_session_get_index (session);
  event->request = request;
  event->is_known = session->is_known;
  event->address = session->route.remote;
  memcpy (event->public_key, session->public_key, HP_KEY_SIZE);
  if (session->presence != NULL)
    g_strlcpy (event->id, session->presence->id, sizeof event->id);
}

static HpBytes
to_bytes (const char *text)
{
  return (HpBytes){ (const guint8 *) text, strlen (text) };
}

/* As many as fit one datagram */
static void
fill_relays (HpFrame *frame, const HpMatchRelays *relays)
{
  gsize size = 0;

  for (guint i = 0; i < MIN (relays->n_relays, HP_MAX_RELAYS); i++)
    {
      HpWireRelay relay = { to_bytes (relays->uris[i]),
                            to_bytes (relays->username),
                            to_bytes (relays->password) };

      size += RELAY_OVERHEAD + relay.uri.length + relay.username.length
              + relay.password.length;
      if (size > RELAYS_SPACE)
        return;
      frame->relays.relays[frame->relays.n_relays++] = relay;
    }
}

void
hp_match_service_answer_relays (HpMatchService *self, guint64 handle,
                                guint64 request, const HpMatchRelays *relays,
                                gint64 now)
{
  HpMatchSession *session = hp_match_sessions_find (&self->sessions, handle);
  HpFrame frame = { .type = HP_FRAME_RELAYS };

  if (session == NULL || session->state != HP_MATCH_SESSION_CONFIRMED)
    return;
  if (relays == NULL)
    {
      self->statistics.refused++;
      hp_match_service_send_refused (self, session, request,
                                     HP_REFUSED_POLICY, now);
      return;
    }
  frame.relays.request = request;
  frame.relays.lifetime = relays->lifetime;
  fill_relays (&frame, relays);
  hp_match_service_send_frame (self, session, &frame, now);
}
