/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Datagrams that wait to be pulled: of a bounded number, in buffers that are
 * used again. */

#pragma once

#include "hole-punch/base/hp-outgoing.h"

/* All that a match server and its clients send fits */
#define HP_OUTBOX_DATAGRAM_SIZE 1200

typedef struct
{
  GList link;
  HpRoute route;
  gsize length;
  guint8 bytes[HP_OUTBOX_DATAGRAM_SIZE];
} HpOutboxItem;

typedef struct
{
  GQueue waiting;
  GQueue unused;
  guint most;
} HpOutbox;

void hp_outbox_init (HpOutbox *self, guint most);
void hp_outbox_clear (HpOutbox *self);
/* Room for a datagram, to be filled at once; NULL: too many are waiting */
HpOutboxItem *hp_outbox_add (HpOutbox *self, const HpRoute *route);
gboolean hp_outbox_pull (HpOutbox *self, HpOutgoing *outgoing);
