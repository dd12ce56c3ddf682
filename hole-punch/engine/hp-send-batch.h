/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Datagrams gathered while they are pulled, so that they go through the kernel
 * together: those of one size and mark that leave by one route are a run, the
 * last one of it may be shorter. A peer in the middle of a transfer has a run
 * of many; a match server many runs of one.
 */

#pragma once

#include "hole-punch/io/hp-udp-socket.h"

typedef struct
{
  HpUdpRun runs[HP_UDP_MAX_RUNS]; /* in the order of their bytes */
  guint n;
  gsize size; /* of all of them */
  guint8 *buffer;
} HpSendBatch;

void hp_send_batch_init (HpSendBatch *self);
void hp_send_batch_clear (HpSendBatch *self);
gboolean hp_send_batch_is_empty (const HpSendBatch *self);
/* To be sent before anything more is prepared */
gboolean hp_send_batch_is_full (const HpSendBatch *self);
/* Where the next datagram is to be written to, whatever it will be; then it may
 * be added */
void hp_send_batch_prepare (HpSendBatch *self, HpOutgoing *next);
void hp_send_batch_add (HpSendBatch *self, const HpOutgoing *next);
void hp_send_batch_empty (HpSendBatch *self);
