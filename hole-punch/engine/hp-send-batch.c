/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/engine/hp-send-batch.h"

#include "hole-punch/wire/hp-packet.h"

#define LARGE 2048

void
hp_send_batch_init (HpSendBatch *self)
{
  hp_send_batch_empty (self);
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
  return self->n == 0;
}

gboolean
hp_send_batch_is_full (const HpSendBatch *self)
{
  const HpUdpRun *last = self->runs + self->n - 1;

  if (self->n == 0)
    return FALSE;
  /* Behind few large ones there is room for a small one that may follow. */
  return self->n == HP_UDP_MAX_RUNS
         || last->all.length / last->segment >= HP_UDP_MAX_SEGMENTS
         || self->size + MIN (last->segment, LARGE) > HP_UDP_MAX_SEGMENTS_SIZE;
}

void
hp_send_batch_prepare (HpSendBatch *self, HpOutgoing *next)
{
  *next = (HpOutgoing){
    .bytes = self->buffer + self->size,
    .capacity = HP_DATAGRAM_SIZE_MAX,
  };
}

static gboolean
join (HpUdpRun *run, const HpOutgoing *next)
{
  HpOutgoing *all = &run->all;

  /* Only the last one may be shorter. */
  if (next->length > run->segment || next->ttl != 0 || all->ttl != 0
      || next->is_alone || all->is_alone || next->ecn != all->ecn
      || all->length % run->segment != 0
      || all->length / run->segment >= HP_UDP_MAX_SEGMENTS
      || all->length + next->length > HP_UDP_MAX_SEGMENTS_SIZE
      || !hp_route_equal (&next->route, &all->route))
    return FALSE;
  all->length += next->length;
  return TRUE;
}

void
hp_send_batch_add (HpSendBatch *self, const HpOutgoing *next)
{
  g_assert (next->bytes == self->buffer + self->size
            && self->n < HP_UDP_MAX_RUNS);

  if (self->n == 0 || !join (self->runs + self->n - 1, next))
    self->runs[self->n++] = (HpUdpRun){ *next, next->length };
  self->size += next->length;
}

void
hp_send_batch_empty (HpSendBatch *self)
{
  self->n = 0;
  self->size = 0;
}
