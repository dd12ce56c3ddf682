/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/nat/hp-turn-client.h"

#include <string.h>

#include "hole-punch/nat/hp-turn-peers.h"

#define NEVER G_MAXINT64
/* How often one question is asked again because of its nonce */
#define MAX_RENEWALS 3
/* A server may say what it likes, within bounds (seconds) */
#define MIN_LIFETIME 4
#define MAX_LIFETIME 86400

struct _HpTurnClient
{
  HpTurnClientConfig config;
  char *username;
  char *password;
  HpTurnCredentials credentials;
  HpTurnClientState state;
  HpTurnFailure failure;
  guint code;
  HpTurnTransaction transaction; /* Allocate, Refresh */
  gboolean is_inquiring; /* so is the transaction */
  gboolean cleared; /* an earlier allocation, from the same port */
  gboolean says_goodbye;
  gint64 round_trip;
  guint32 lifetime; /* as the server gave it last, seconds */
  gint64 refresh_at;
  gint64 sent_at;   /* anything */
  gint64 silent_at; /* when data first went out unanswered, NEVER: it did not */
  HpAddress relayed, alternate;
  HpTurnPeers peers;
};

/* Life */

HpTurnClient *
hp_turn_client_new (const HpTurnClientConfig *config)
{
  HpTurnClient *self = g_new0 (HpTurnClient, 1);

  self->config = *config;
  self->username = g_strdup (config->username);
  self->password = g_strdup (config->password);
  self->credentials.username = self->username;
  self->credentials.password = self->password;
  self->round_trip = -1;
  self->refresh_at = NEVER;
  self->silent_at = NEVER;
  return self;
}

void
hp_turn_client_free (HpTurnClient *self)
{
  if (self == NULL)
    return;
  g_free (self->username);
  g_free (self->password);
  g_free (self);
}

static gint64
get_interval (const HpTurnClient *self)
{
  if (self->config.is_stream)
    return 0;
  if (self->round_trip < 0)
    return HP_TURN_FIRST_INTERVAL;
  return MAX (2 * self->round_trip, HP_TURN_MIN_INTERVAL);
}

static void
ask (HpTurnClient *self, HpTurnMethod method, guint32 lifetime, gint64 now)
{
  HpTurnRequest request = { .method = method, .family = self->config.family,
                            .lifetime = lifetime };

  hp_turn_transaction_start (&self->transaction, &request,
                             get_interval (self), &self->config.random, now);
}

void
hp_turn_client_inquire (HpTurnClient *self, gint64 now)
{
  g_assert (self->state == HP_TURN_CLIENT_IDLE);

  self->is_inquiring = TRUE;
  ask (self, HP_TURN_REFRESH, 0, now);
}

void
hp_turn_client_start (HpTurnClient *self, gint64 now)
{
  g_assert (self->state == HP_TURN_CLIENT_IDLE);

  self->state = HP_TURN_CLIENT_ALLOCATING;
  /* What is on its way comes sooner than what would be asked now. */
  if (self->is_inquiring && self->transaction.n_sent == 1)
    return;
  self->is_inquiring = FALSE;
  ask (self, HP_TURN_ALLOCATE, self->config.lifetime, now);
}

static void
stop (HpTurnClient *self, HpTurnClientState state)
{
  self->state = state;
  self->is_inquiring = FALSE;
  hp_turn_transaction_stop (&self->transaction);
  self->refresh_at = NEVER;
  self->silent_at = NEVER;
  self->peers.n_permissions = 0;
  self->peers.n_channels = 0;
}

static void
fail (HpTurnClient *self, HpTurnFailure failure, guint code)
{
  stop (self, HP_TURN_CLIENT_FAILED);
  self->failure = failure;
  self->code = code;
}

void
hp_turn_client_close (HpTurnClient *self, gint64 now)
{
  gboolean is_known = self->state == HP_TURN_CLIENT_READY
                      || (self->state == HP_TURN_CLIENT_ALLOCATING
                          && self->credentials.realm[0] != '\0');

  stop (self, HP_TURN_CLIENT_CLOSED);
  if (is_known)
    {
      ask (self, HP_TURN_REFRESH, 0, now);
      self->says_goodbye = TRUE;
    }
}

/* Answers */

static void
measure (HpTurnClient *self, const HpTurnTransaction *transaction, gint64 now)
{
  if (transaction->sent_at == 0)
    return;
  if (self->round_trip < 0)
    self->round_trip = now - transaction->sent_at;
  else
    self->round_trip
        = (7 * self->round_trip + now - transaction->sent_at) / 8;
  self->peers.interval = get_interval (self);
}

static void
expect_lifetime (HpTurnClient *self, guint32 lifetime, gint64 now)
{
  gint64 microseconds;

  self->lifetime = CLAMP (lifetime, MIN_LIFETIME, MAX_LIFETIME);
  microseconds = self->lifetime * G_TIME_SPAN_SECOND;
  self->refresh_at
      = now + MAX (microseconds - HP_TURN_RENEWAL, microseconds / 2);
}

static void
allocated (HpTurnClient *self, const HpTurnAnswer *answer, gint64 now)
{
  if (!hp_address_is_usable (&answer->relayed) || answer->lifetime == 0)
    {
      fail (self, HP_TURN_FAILURE_REFUSED, 0);
      return;
    }
  hp_turn_transaction_stop (&self->transaction);
  self->state = HP_TURN_CLIENT_READY;
  self->relayed = answer->relayed;
  self->peers.interval = get_interval (self);
  expect_lifetime (self, answer->lifetime, now);
}

/* Of an allocation with our credentials that an earlier program, or the same
 * one before a loss, left there from this very port: it is ours to delete. */
static void
clear_earlier (HpTurnClient *self, guint code, gint64 now)
{
  if (self->cleared || self->credentials.realm[0] == '\0')
    {
      fail (self, HP_TURN_FAILURE_REFUSED, code);
      return;
    }
  self->cleared = TRUE;
  ask (self, HP_TURN_REFRESH, 0, now);
}

static void
allocation_refused (HpTurnClient *self, const HpTurnAnswer *answer,
                    gint64 now)
{
  switch (answer->code)
    {
    case HP_TURN_TRY_ALTERNATE:
      self->alternate = answer->alternate;
      fail (self,
            self->alternate.family == HP_ADDRESS_NONE
                ? HP_TURN_FAILURE_REFUSED
                : HP_TURN_FAILURE_ALTERNATE,
            answer->code);
      break;
    case HP_TURN_MISMATCH:
      clear_earlier (self, answer->code, now);
      break;
    case HP_TURN_UNAUTHORIZED:
    case HP_TURN_STALE_NONCE:
    case HP_TURN_WRONG_CREDENTIALS:
      fail (self, HP_TURN_FAILURE_CREDENTIALS, answer->code);
      break;
    case HP_TURN_QUOTA_REACHED:
    case HP_TURN_NO_CAPACITY:
      fail (self, HP_TURN_FAILURE_QUOTA, answer->code);
      break;
    default:
      fail (self, HP_TURN_FAILURE_REFUSED, answer->code);
      break;
    }
}

static gboolean
learn (HpTurnClient *self, const HpTurnAnswer *answer)
{
  if (answer->realm[0] == '\0' || answer->nonce[0] == '\0')
    return FALSE;
  memcpy (self->credentials.realm, answer->realm, HP_TURN_TEXT_SIZE);
  memcpy (self->credentials.nonce, answer->nonce, HP_TURN_TEXT_SIZE);
  return TRUE;
}

/* 401 begins it all; after that, for the same realm, it says that the
 * credentials are wrong. */
static gboolean
renew (HpTurnClient *self, HpTurnTransaction *transaction,
       const HpTurnAnswer *answer, gint64 now)
{
  gboolean is_new = strcmp (self->credentials.realm, answer->realm) != 0;

  if (transaction->n_renewed >= MAX_RENEWALS
      || !(answer->code == HP_TURN_STALE_NONCE
           || (answer->code == HP_TURN_UNAUTHORIZED && is_new))
      || !learn (self, answer))
    return FALSE;
  hp_turn_transaction_renew (transaction, &self->config.random, now);
  return TRUE;
}

/* What is known already is still good if it is not said anew. */
static void
answer_inquiry (HpTurnClient *self, const HpTurnAnswer *answer, gint64 now)
{
  (void) learn (self, answer);
  self->is_inquiring = FALSE;
  hp_turn_transaction_stop (&self->transaction);
  if (self->state == HP_TURN_CLIENT_ALLOCATING)
    ask (self, HP_TURN_ALLOCATE, self->config.lifetime, now);
}

static void
answer_main (HpTurnClient *self, const HpTurnAnswer *answer, gint64 now)
{
  gboolean refreshes = self->transaction.request.method == HP_TURN_REFRESH;

  if (self->is_inquiring)
    {
      answer_inquiry (self, answer, now);
      return;
    }
  if (renew (self, &self->transaction, answer, now))
    return;
  if (self->state == HP_TURN_CLIENT_ALLOCATING && refreshes)
    ask (self, HP_TURN_ALLOCATE, self->config.lifetime, now);
  else if (!refreshes && answer->code == 0)
    allocated (self, answer, now);
  else if (!refreshes)
    allocation_refused (self, answer, now);
  else if (answer->code != 0)
    fail (self, HP_TURN_FAILURE_LOST, answer->code);
  else
    {
      hp_turn_transaction_stop (&self->transaction);
      expect_lifetime (self, answer->lifetime, now);
    }
}

static void
answer_peers (HpTurnClient *self, HpTurnTransaction *transaction,
              HpTurnPermission *permission, HpTurnChannel *channel,
              const HpTurnAnswer *answer, gint64 now)
{
  if (renew (self, transaction, answer, now))
    return;
  if (answer->code == HP_TURN_MISMATCH)
    fail (self, HP_TURN_FAILURE_LOST, answer->code);
  else if (permission != NULL && answer->code == 0)
    hp_turn_permission_granted (permission, now);
  else if (permission != NULL)
    hp_turn_permission_refused (permission, now);
  else if (answer->code == 0)
    hp_turn_channel_bound (channel, now);
  else
    hp_turn_channel_refused (channel);
}

static HpTurnReceived
receive_answer (HpTurnClient *self, const guint8 *bytes, gsize length,
                gint64 now)
{
  guint8 id[HP_STUN_TRANSACTION_SIZE];
  HpTurnTransaction *transaction = NULL;
  HpTurnPermission *permission = NULL;
  HpTurnChannel *channel = NULL;
  HpTurnAnswer answer;

  if (!hp_turn_get_transaction (bytes, length, id))
    return HP_TURN_RECEIVED_NOTHING;
  if (hp_turn_transaction_has_id (&self->transaction, id))
    transaction = &self->transaction;
  else
    hp_turn_peers_find (&self->peers, id, &permission, &channel);
  if (permission != NULL)
    transaction = &permission->transaction;
  else if (channel != NULL)
    transaction = &channel->transaction;
  if (transaction == NULL
      || !hp_turn_consume_answer (&transaction->request, &self->credentials,
                                  bytes, length, &answer))
    return HP_TURN_RECEIVED_NOTHING;

  measure (self, transaction, now);
  if (transaction == &self->transaction)
    answer_main (self, &answer, now);
  else
    answer_peers (self, transaction, permission, channel, &answer, now);
  return HP_TURN_RECEIVED_ANSWER;
}

static HpTurnReceived
receive_data (HpTurnClient *self, guint8 *bytes, gsize length, gint64 now,
              HpAddress *peer, guint8 **data, gsize *data_length)
{
  const HpAddress *of_channel;
  guint16 channel;

  if (hp_turn_consume_channel_data (bytes, length, &channel, data,
                                    data_length))
    {
      of_channel = hp_turn_peers_find_number (&self->peers, channel);
      if (of_channel == NULL)
        return HP_TURN_RECEIVED_NOTHING;
      *peer = *of_channel;
      return HP_TURN_RECEIVED_DATA;
    }
  if (!hp_turn_consume_data (bytes, length, peer, data, data_length))
    return HP_TURN_RECEIVED_NOTHING;
  hp_turn_peers_heard (&self->peers, peer, &self->config.random, now);
  return HP_TURN_RECEIVED_DATA;
}

HpTurnReceived
hp_turn_client_receive (HpTurnClient *self, guint8 *bytes, gsize length,
                        gint64 now, HpAddress *peer, guint8 **data,
                        gsize *data_length)
{
  HpTurnReceived received = HP_TURN_RECEIVED_NOTHING;

  if (self->state == HP_TURN_CLIENT_READY)
    received = receive_data (self, bytes, length, now, peer, data,
                             data_length);
  if (received == HP_TURN_RECEIVED_NOTHING
      && (self->state == HP_TURN_CLIENT_READY
          || self->state == HP_TURN_CLIENT_ALLOCATING || self->is_inquiring))
    received = receive_answer (self, bytes, length, now);
  if (received != HP_TURN_RECEIVED_NOTHING)
    self->silent_at = NEVER;
  return received;
}

/* Sending */

void
hp_turn_client_permit (HpTurnClient *self, const HpAddress *peer, gint64 now)
{
  if (self->state == HP_TURN_CLIENT_READY
      && peer->family == self->relayed.family)
    (void) hp_turn_peers_permit (&self->peers, peer, &self->config.random,
                                 now);
}

static HpTurnTransaction *
find_due (HpTurnClient *self, gint64 now)
{
  if (hp_turn_transaction_is_due (&self->transaction, now))
    return &self->transaction;
  return hp_turn_peers_next (&self->peers, now);
}

gsize
hp_turn_client_pull (HpTurnClient *self, guint8 *buffer, gsize capacity,
                     gint64 now)
{
  HpTurnTransaction *transaction = find_due (self, now);
  gsize length;

  g_assert (capacity >= HP_TURN_REQUEST_MAX_SIZE);

  if (transaction == NULL)
    return 0;
  length = hp_turn_create_request (&transaction->request, &self->credentials,
                                   buffer, capacity);
  if (length == 0)
    {
      /* A user name that no server can have given */
      fail (self, HP_TURN_FAILURE_CREDENTIALS, 0);
      return 0;
    }
  hp_turn_transaction_sent (transaction, now);
  self->sent_at = now;
  if (self->says_goodbye)
    hp_turn_transaction_stop (transaction);
  return length;
}

gsize
hp_turn_client_wrap (HpTurnClient *self, const HpAddress *peer,
                     const guint8 *data, gsize data_length, guint8 *buffer,
                     gsize capacity, gint64 now)
{
  guint8 id[HP_STUN_TRANSACTION_SIZE];
  HpTurnChannel *channel;

  if (self->state != HP_TURN_CLIENT_READY
      || peer->family != self->relayed.family)
    return 0;
  channel = hp_turn_peers_use (&self->peers, peer, now);
  if (channel == NULL
      && !hp_turn_peers_permit (&self->peers, peer, &self->config.random,
                                now))
    return 0;
  self->sent_at = now;
  self->silent_at = MIN (self->silent_at, now);
  if (channel != NULL)
    return hp_turn_create_channel_data (channel->number, data, data_length,
                                        self->config.is_stream, buffer,
                                        capacity);
  hp_random_fill (&self->config.random, id, sizeof id);
  return hp_turn_create_send (id, peer, data, data_length, buffer, capacity);
}

/* Time */

static gint64
get_refresh_time (const HpTurnClient *self)
{
  gint64 time = self->refresh_at;

  if (self->state != HP_TURN_CLIENT_READY || self->transaction.is_active)
    return NEVER;
  if (!self->config.is_stream)
    time = MIN (time, self->sent_at + HP_TURN_KEEPALIVE);
  if (self->silent_at != NEVER)
    time = MIN (time, self->silent_at + HP_TURN_SILENCE);
  return time;
}

gint64
hp_turn_client_get_deadline (const HpTurnClient *self)
{
  gint64 deadline = hp_turn_transaction_get_deadline (&self->transaction);

  deadline = MIN (deadline, get_refresh_time (self));
  return MIN (deadline, hp_turn_peers_get_deadline (&self->peers));
}

void
hp_turn_client_expire (HpTurnClient *self, gint64 now)
{
  if (hp_turn_transaction_is_over (&self->transaction, now))
    {
      if (self->state == HP_TURN_CLIENT_IDLE)
        hp_turn_transaction_stop (&self->transaction);
      else
        fail (self, HP_TURN_FAILURE_SILENCE, 0);
    }
  if (get_refresh_time (self) <= now)
    {
      self->silent_at = NEVER;
      ask (self, HP_TURN_REFRESH, self->lifetime, now);
    }
  hp_turn_peers_expire (&self->peers, &self->config.random, now);
}

/* How it stands */

HpTurnClientState
hp_turn_client_get_state (const HpTurnClient *self)
{
  return self->state;
}

HpTurnFailure
hp_turn_client_get_failure (const HpTurnClient *self)
{
  return self->failure;
}

gboolean
hp_turn_client_is_inquiring (const HpTurnClient *self)
{
  return self->is_inquiring;
}

guint
hp_turn_client_get_code (const HpTurnClient *self)
{
  return self->code;
}

const HpAddress *
hp_turn_client_get_relayed (const HpTurnClient *self)
{
  return &self->relayed;
}

const HpAddress *
hp_turn_client_get_alternate (const HpTurnClient *self)
{
  return &self->alternate;
}

gint64
hp_turn_client_get_round_trip (const HpTurnClient *self)
{
  return self->round_trip;
}
