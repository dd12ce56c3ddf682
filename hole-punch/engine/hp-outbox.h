/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Datagrams that wait to be pulled: of a bounded number, one behind the other
 * in chunks that are used again, so that those of a turn, which are small, stay
 * in the processor's cache. */

#pragma once

#include "hole-punch/base/hp-outgoing.h"

/* All that a match server sends fits */
#define HP_OUTBOX_DATAGRAM_SIZE 1200

typedef struct
{
  HpRoute route;
  gsize length;
  guint8 bytes[HP_OUTBOX_DATAGRAM_SIZE];
} HpOutboxItem;

typedef struct
{
  GQueue chunks; /* the first is pulled from, the last added to */
  GList *unused; /* a chunk, kept for the next; NULL: none */
  guint n;       /* waiting */
  guint most;
} HpOutbox;

void hp_outbox_init (HpOutbox *self, guint most);
void hp_outbox_clear (HpOutbox *self);
/* Room for a datagram, to be filled before anything else is done with the
 * outbox; NULL: too many are waiting */
HpOutboxItem *hp_outbox_add (HpOutbox *self, const HpRoute *route);
gboolean hp_outbox_is_half_full (const HpOutbox *self);
gboolean hp_outbox_pull (HpOutbox *self, HpOutgoing *outgoing);
