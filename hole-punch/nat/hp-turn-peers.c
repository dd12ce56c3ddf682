/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/nat/hp-turn-peers.h"

#include <string.h>

#define NEVER G_MAXINT64
/* Used so lately, a permission does not give way to another one: consent is
 * asked for more often (RFC 7675), and no introduction's checks last longer */
#define BUSY (10 * G_TIME_SPAN_SECOND)
/* A refused host may be asked for again */
#define REFUSAL_LIFETIME (60 * G_TIME_SPAN_SECOND)

/* Permissions */

static HpTurnPermission *
find_permission (HpTurnPeers *self, const HpAddress *peer)
{
  for (guint i = 0; i < self->n_permissions; i++)
    if (hp_address_same_host (&self->permissions[i].host, peer))
      return self->permissions + i;
  return NULL;
}

static void
ask_permission (HpTurnPeers *self, HpTurnPermission *permission,
                const HpRandom *random, gint64 now)
{
  HpTurnRequest request
      = { .method = HP_TURN_CREATE_PERMISSION, .peer = permission->host };

  hp_turn_transaction_start (&permission->transaction, &request,
                             self->interval, random, now);
  permission->renew_at = NEVER;
}

/* Data in a channel does not look its permission up. */
static gint64
get_used_at (const HpTurnPeers *self, const HpTurnPermission *permission)
{
  gint64 used_at = permission->used_at;

  for (guint i = 0; i < self->n_channels; i++)
    if (hp_address_same_host (&self->channels[i].peer, &permission->host))
      used_at = MAX (used_at, self->channels[i].used_at);
  return used_at;
}

/* Strangers' candidates, too, are permitted: they must not keep others out
 * till they expire. NULL: all are in use */
static HpTurnPermission *
add_permission (HpTurnPeers *self, gint64 now)
{
  HpTurnPermission *oldest = self->permissions;

  if (self->n_permissions < HP_TURN_MAX_PERMISSIONS)
    return self->permissions + self->n_permissions++;
  for (guint i = 1; i < self->n_permissions; i++)
    if (get_used_at (self, self->permissions + i) < get_used_at (self, oldest))
      oldest = self->permissions + i;
  return now - get_used_at (self, oldest) >= BUSY ? oldest : NULL;
}

gboolean
hp_turn_peers_permit (HpTurnPeers *self, const HpAddress *peer,
                      const HpRandom *random, gint64 now)
{
  HpTurnPermission *permission = find_permission (self, peer);

  if (permission == NULL)
    {
      permission = add_permission (self, now);
      if (permission == NULL)
        return FALSE;
      *permission = (HpTurnPermission){ .host = *peer };
    }
  permission->used_at = now;
  if (permission->refused_at != 0
      && now - permission->refused_at < REFUSAL_LIFETIME)
    return FALSE;
  if (!permission->is_granted && !permission->transaction.is_active)
    ask_permission (self, permission, random, now);
  return TRUE;
}

void
hp_turn_permission_granted (HpTurnPermission *self, gint64 now)
{
  hp_turn_transaction_stop (&self->transaction);
  self->is_granted = TRUE;
  self->refused_at = 0;
  self->renew_at = now + HP_TURN_PERMISSION_LIFETIME - HP_TURN_RENEWAL;
}

void
hp_turn_permission_refused (HpTurnPermission *self, gint64 now)
{
  hp_turn_transaction_stop (&self->transaction);
  self->is_granted = FALSE;
  self->refused_at = now;
  self->renew_at = NEVER;
}

/* Channels */

static HpTurnChannel *
find_channel (HpTurnPeers *self, const HpAddress *peer)
{
  for (guint i = 0; i < self->n_channels; i++)
    if (hp_address_equal (&self->channels[i].peer, peer))
      return self->channels + i;
  return NULL;
}

/* One that has no number yet gives way to a newer one. */
static HpTurnChannel *
add_channel (HpTurnPeers *self)
{
  HpTurnChannel *oldest = NULL;

  if (self->n_channels < HP_TURN_MAX_CHANNELS)
    return self->channels + self->n_channels++;
  for (guint i = 0; i < self->n_channels; i++)
    if (self->channels[i].number == 0
        && (oldest == NULL || self->channels[i].used_at < oldest->used_at))
      oldest = self->channels + i;
  return oldest;
}

HpTurnChannel *
hp_turn_peers_use (HpTurnPeers *self, const HpAddress *peer, gint64 now)
{
  HpTurnChannel *channel = find_channel (self, peer);

  if (channel == NULL)
    {
      channel = add_channel (self);
      if (channel == NULL)
        return NULL;
      *channel = (HpTurnChannel){ .peer = *peer, .renew_at = NEVER,
                                  .expires_at = NEVER };
    }
  channel->used_at = now;
  return channel->is_bound && now < channel->expires_at ? channel : NULL;
}

static void
bind_channel (HpTurnPeers *self, HpTurnChannel *channel,
              const HpRandom *random, gint64 now)
{
  HpTurnRequest request = { .method = HP_TURN_CHANNEL_BIND,
                            .channel = channel->number,
                            .peer = channel->peer };

  hp_turn_transaction_start (&channel->transaction, &request, self->interval,
                             random, now);
  channel->renew_at = NEVER;
}

void
hp_turn_peers_heard (HpTurnPeers *self, const HpAddress *peer,
                     const HpRandom *random, gint64 now)
{
  HpTurnChannel *channel = find_channel (self, peer);

  if (channel == NULL || channel->number != 0)
    return;
  /* A number must not be bound to another peer until 5 minutes after its
   * binding is over (RFC 8656, section 12): each is given out only once. */
  if (self->n_numbers > HP_TURN_LAST_CHANNEL - HP_TURN_FIRST_CHANNEL)
    return;
  channel->number = HP_TURN_FIRST_CHANNEL + self->n_numbers++;
  bind_channel (self, channel, random, now);
}

const HpAddress *
hp_turn_peers_find_number (const HpTurnPeers *self, guint16 number)
{
  for (guint i = 0; i < self->n_channels; i++)
    if (self->channels[i].number == number)
      return &self->channels[i].peer;
  return NULL;
}

void
hp_turn_channel_bound (HpTurnChannel *self, gint64 now)
{
  hp_turn_transaction_stop (&self->transaction);
  self->is_bound = TRUE;
  self->expires_at = now + HP_TURN_CHANNEL_LIFETIME;
  self->renew_at = self->expires_at - HP_TURN_RENEWAL;
}

void
hp_turn_channel_refused (HpTurnChannel *self)
{
  hp_turn_transaction_stop (&self->transaction);
  self->is_bound = FALSE;
  self->renew_at = NEVER;
}

/* All of them */

void
hp_turn_peers_find (HpTurnPeers *self, const guint8 *transaction,
                    HpTurnPermission **permission, HpTurnChannel **channel)
{
  *permission = NULL;
  *channel = NULL;
  for (guint i = 0; i < self->n_permissions; i++)
    if (hp_turn_transaction_has_id (&self->permissions[i].transaction,
                                    transaction))
      *permission = self->permissions + i;
  for (guint i = 0; i < self->n_channels; i++)
    if (hp_turn_transaction_has_id (&self->channels[i].transaction,
                                    transaction))
      *channel = self->channels + i;
}

HpTurnTransaction *
hp_turn_peers_next (HpTurnPeers *self, gint64 now)
{
  for (guint i = 0; i < self->n_permissions; i++)
    if (hp_turn_transaction_is_due (&self->permissions[i].transaction, now))
      return &self->permissions[i].transaction;
  for (guint i = 0; i < self->n_channels; i++)
    if (hp_turn_transaction_is_due (&self->channels[i].transaction, now))
      return &self->channels[i].transaction;
  return NULL;
}

/* FALSE: it goes */
static gboolean
expire_permission (HpTurnPeers *self, HpTurnPermission *permission,
                   const HpRandom *random, gint64 now)
{
  gboolean is_used
      = now - get_used_at (self, permission) < HP_TURN_DISUSE;

  if (hp_turn_transaction_is_over (&permission->transaction, now))
    hp_turn_permission_refused (permission, now);
  if (permission->renew_at <= now)
    {
      if (!is_used)
        return FALSE;
      ask_permission (self, permission, random, now);
    }
  return permission->refused_at == 0
         || now - permission->refused_at < REFUSAL_LIFETIME;
}

static gboolean
expire_channel (HpTurnPeers *self, HpTurnChannel *channel,
                const HpRandom *random, gint64 now)
{
  if (hp_turn_transaction_is_over (&channel->transaction, now))
    hp_turn_channel_refused (channel);
  if (channel->renew_at <= now && now - channel->used_at < HP_TURN_DISUSE)
    bind_channel (self, channel, random, now);
  else if (channel->renew_at <= now)
    channel->renew_at = NEVER;
  return channel->expires_at > now;
}

void
hp_turn_peers_expire (HpTurnPeers *self, const HpRandom *random, gint64 now)
{
  guint i = 0;

  while (i < self->n_permissions)
    if (expire_permission (self, self->permissions + i, random, now))
      i++;
    else
      self->permissions[i] = self->permissions[--self->n_permissions];
  i = 0;
  while (i < self->n_channels)
    if (expire_channel (self, self->channels + i, random, now))
      i++;
    else
      self->channels[i] = self->channels[--self->n_channels];
}

gint64
hp_turn_peers_get_deadline (const HpTurnPeers *self)
{
  gint64 deadline = NEVER;

  for (guint i = 0; i < self->n_permissions; i++)
    {
      const HpTurnPermission *permission = self->permissions + i;

      deadline = MIN (deadline, permission->renew_at);
      deadline = MIN (deadline, hp_turn_transaction_get_deadline (
                                    &permission->transaction));
      if (permission->refused_at != 0)
        deadline = MIN (deadline, permission->refused_at + REFUSAL_LIFETIME);
    }
  for (guint i = 0; i < self->n_channels; i++)
    {
      const HpTurnChannel *channel = self->channels + i;

      deadline = MIN (deadline, MIN (channel->renew_at, channel->expires_at));
      deadline = MIN (deadline, hp_turn_transaction_get_deadline (
                                    &channel->transaction));
    }
  return deadline;
}
