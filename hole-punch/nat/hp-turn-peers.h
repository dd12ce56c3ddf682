/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Whom an allocation talks to: the hosts that are permitted, and the channels
 * of those peers that answered.
 */

#pragma once

#include "hole-punch/nat/hp-turn-client.h"

typedef struct
{
  HpAddress host; /* its port does not matter */
  gboolean is_granted;
  gint64 refused_at; /* 0: it was not */
  gint64 renew_at;
  gint64 used_at;
  HpTurnTransaction transaction;
} HpTurnPermission;

typedef struct
{
  HpAddress peer;
  guint16 number; /* 0: none yet */
  gboolean is_bound;
  gint64 renew_at;
  gint64 expires_at;
  gint64 used_at;
  HpTurnTransaction transaction;
} HpTurnChannel;

typedef struct
{
  guint n_permissions;
  HpTurnPermission permissions[HP_TURN_MAX_PERMISSIONS];
  guint n_channels;
  HpTurnChannel channels[HP_TURN_MAX_CHANNELS];
  guint n_numbers; /* ever given out */
  gint64 interval; /* of transactions, 0: over a stream */
} HpTurnPeers;

/* Notes that @peer's host is in use; FALSE: it is refused, or there are too
 * many. Asks for the permission if it is not there. */
gboolean hp_turn_peers_permit (HpTurnPeers *self, const HpAddress *peer,
                               const HpRandom *random, gint64 now);
/* Data goes to @peer: its channel, NULL: it has none that can be used */
HpTurnChannel *hp_turn_peers_use (HpTurnPeers *self, const HpAddress *peer,
                                  gint64 now);
/* Data came from @peer without a channel: one is bound, if data went there */
void hp_turn_peers_heard (HpTurnPeers *self, const HpAddress *peer,
                          const HpRandom *random, gint64 now);
const HpAddress *hp_turn_peers_find_number (const HpTurnPeers *self,
                                            guint16 number);

/* Whose transaction it is; both NULL: nobody's */
void hp_turn_peers_find (HpTurnPeers *self, const guint8 *transaction,
                         HpTurnPermission **permission,
                         HpTurnChannel **channel);
void hp_turn_permission_granted (HpTurnPermission *self, gint64 now);
void hp_turn_permission_refused (HpTurnPermission *self, gint64 now);
void hp_turn_channel_bound (HpTurnChannel *self, gint64 now);
/* It goes without */
void hp_turn_channel_refused (HpTurnChannel *self);

/* Permissions first: a channel needs one. NULL: none is due */
HpTurnTransaction *hp_turn_peers_next (HpTurnPeers *self, gint64 now);
void hp_turn_peers_expire (HpTurnPeers *self, const HpRandom *random,
                           gint64 now);
gint64 hp_turn_peers_get_deadline (const HpTurnPeers *self);
