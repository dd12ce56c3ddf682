/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Datagrams of one size and mark that leave by one route, gathered while they
 * are pulled, so that they go through the kernel together.
 */

#pragma once

#include "hole-punch/base/hp-outgoing.h"

typedef struct
{
  HpOutgoing all; /* the bytes of all of them; of length 0: empty */
  gsize segment;  /* the size of each; the last one may be shorter */
  guint8 *buffer;
} HpSendBatch;

void hp_send_batch_init (HpSendBatch *self);
void hp_send_batch_clear (HpSendBatch *self);
gboolean hp_send_batch_is_empty (const HpSendBatch *self);
/* Nothing of what may be expected next fits */
gboolean hp_send_batch_is_full (const HpSendBatch *self);
/* Where the next datagram may be written to, whatever it will be */
void hp_send_batch_prepare (HpSendBatch *self, HpOutgoing *next);
/* FALSE: it does not go with the others; send them, then begin with it */
gboolean hp_send_batch_join (HpSendBatch *self, const HpOutgoing *next);
void hp_send_batch_begin (HpSendBatch *self, const HpOutgoing *first);
void hp_send_batch_empty (HpSendBatch *self);
