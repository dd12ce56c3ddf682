/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* KNOCK: what comes in at a peer's NAT. Only to an address for which the peer
 * has a cookie of ours, so that nobody can have others knocked at; and all the
 * knocks together are smaller than what asked for them. */

#include "hole-punch/engine/hp-match-service-private.h"

#include "hole-punch/wire/hp-stun.h"

#include <string.h>

/* Where to send from, if there is such a place: @flag is one of HP_KNOCK_… */
static gboolean
find_place (const HpMatchPlaces *places, const HpRoute *asked, guint flag,
            HpRoute *route)
{
  guint host = hp_address_same_host (&places->hosts[1], &asked->local);

  if (flag == HP_KNOCK_SAME)
    return TRUE;
  if (places->ports[1] == 0)
    return FALSE;
  if (flag == HP_KNOCK_OTHER_HOST)
    {
      host = 1 - host;
      if (places->hosts[host].family != asked->remote.family)
        return FALSE;
      route->local = places->hosts[host];
    }
  route->local.port = places->ports[1];
  route->socket = places->second_sockets[host];
  return TRUE;
}

/* FALSE: there is no such place, or nothing may leave any more */
static gboolean
knock (HpMatchService *self, const HpRoute *asked, const HpFrame *frame,
       guint flag)
{
  guint8 bytes[HP_STUN_MAX_SIZE];
  HpRoute route = *asked;
  HpOutboxItem *item;
  gsize length;

  route.remote = frame->knock.address;
  if (route.remote.family != asked->remote.family
      || !find_place (&self->places, asked, flag, &route))
    return FALSE;
  length = hp_stun_create_indication (frame->knock.transaction, bytes,
                                      sizeof bytes);
  item = length > 0 ? hp_outbox_add (&self->outbox, &route) : NULL;
  if (item == NULL)
    {
      self->statistics.dropped_full++;
      return FALSE;
    }
  memcpy (item->bytes, bytes, length);
  item->length = length;
  return TRUE;
}

void
hp_match_service_receive_knock (HpMatchService *self, HpMatchSession *session,
                                const HpRoute *asked, const HpFrame *frame,
                                gint64 now)
{
  HpFrame answer = { .type = HP_FRAME_KNOCKED };

  if (!hp_rate_limiter_take (self->knocks_of_identity, session->public_key,
                             HP_KEY_SIZE, now)
      || !hp_rate_limiter_take_address (self->knocks_to_prefix,
                                        &frame->knock.address, now))
    {
      self->statistics.dropped_rate_limited++;
      return;
    }
  if (hp_cookie_jar_check (&self->jar, &frame->knock.address,
                           frame->knock.proof))
    for (guint flag = HP_KNOCK_SAME; flag <= HP_KNOCK_OTHER_HOST; flag *= 2)
      if ((frame->knock.flags & flag) != 0
          && knock (self, asked, frame, flag))
        answer.knocked.flags |= flag;
  memcpy (answer.knocked.transaction, frame->knock.transaction,
          HP_STUN_TRANSACTION_SIZE);
  hp_match_service_send_frame (self, session, &answer, now);
}
