/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-send-batch.h"

#include "hole-punch/io/hp-udp-socket.h"
#include "hole-punch/wire/hp-packet.h"

#include <string.h>

#define LARGE 2048

void
hp_send_batch_init (HpSendBatch *self)
{
  memset (self, 0, sizeof *self);
  /* Room for a full batch, which one datagram alone may be, and behind it for
   * any other one */
  self->buffer = g_malloc (2 * HP_DATAGRAM_SIZE_MAX);
}

void
hp_send_batch_clear (HpSendBatch *self)
{
  g_clear_pointer (&self->buffer, g_free);
}

gboolean
hp_send_batch_is_empty (const HpSendBatch *self)
{
  return self->all.length == 0;
}

gboolean
hp_send_batch_is_full (const HpSendBatch *self)
{
  /* Behind few large ones there is room for a small one that may follow. */
  return !hp_send_batch_is_empty (self)
         && (self->all.length / self->segment >= HP_UDP_MAX_SEGMENTS
             || self->all.length + MIN (self->segment, LARGE)
                    > HP_UDP_MAX_SEGMENTS_SIZE);
}

void
hp_send_batch_prepare (HpSendBatch *self, HpOutgoing *next)
{
  *next = (HpOutgoing){
    .bytes = self->buffer + self->all.length,
    .capacity = HP_DATAGRAM_SIZE_MAX,
  };
}

gboolean
hp_send_batch_join (HpSendBatch *self, const HpOutgoing *next)
{
  if (hp_send_batch_is_empty (self))
    {
      hp_send_batch_begin (self, next);
      return TRUE;
    }
  /* Only the last one may be shorter. */
  if (next->length > self->segment || next->ttl != 0 || self->all.ttl != 0
      || next->is_alone || self->all.is_alone || next->ecn != self->all.ecn
      || self->all.length % self->segment != 0
      || self->all.length / self->segment >= HP_UDP_MAX_SEGMENTS
      || self->all.length + next->length > HP_UDP_MAX_SEGMENTS_SIZE
      || !hp_route_equal (&next->route, &self->all.route))
    return FALSE;
  self->all.length += next->length;
  return TRUE;
}

void
hp_send_batch_begin (HpSendBatch *self, const HpOutgoing *first)
{
  memmove (self->buffer, first->bytes, first->length);
  self->all = *first;
  self->all.bytes = self->buffer;
  self->segment = first->length;
}

void
hp_send_batch_empty (HpSendBatch *self)
{
  self->all.length = 0;
}
