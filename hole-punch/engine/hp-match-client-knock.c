/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A match client has its server knock at an address of ours. */

#include "hole-punch/engine/hp-match-client-private.h"

#include <string.h>

gboolean
hp_match_client_ask_knock (HpMatchClient *self, const HpFrame *knock)
{
  g_assert (knock->type == HP_FRAME_KNOCK);

  if (self->state != HP_MATCH_CONNECTED || hp_match_client_is_held (self)
      || self->has_knock)
    return FALSE;
  self->has_knock = TRUE;
  self->knock = *knock;
  return TRUE;
}

void
hp_match_client_write_knock (HpMatchClient *self, HpWriter *writer)
{
  if (self->has_knock && !hp_match_client_is_held (self))
    hp_frame_write (&self->knock, writer);
  self->has_knock = FALSE;
}

void
hp_match_client_receive_knocked (HpMatchClient *self, const HpFrame *frame)
{
  HpMatchEvent *event
      = hp_match_client_add_event (self, HP_MATCH_EVENT_KNOCKED);

  event->knocked_from = frame->knocked.flags;
  memcpy (event->transaction, frame->knocked.transaction,
          HP_STUN_TRANSACTION_SIZE);
}
