/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/link/hp-path.h"

#include <string.h>

#include "hole-punch/secure/hp-crypto.h"

/* Sent for each byte that came, by a path that is not proven */
#define UNPROVEN_FACTOR 3
/* A round trip is clearly shorter by this, and by a quarter */
#define ROUND_TRIP_MARGIN (5 * G_TIME_SPAN_MILLISECOND)

HpPath *
hp_path_new (const HpRoute *route, HpPathRank rank, guint id)
{
  HpPath *self = g_new0 (HpPath, 1);

  self->route = *route;
  self->rank = rank;
  self->id = id;
  self->unproven_left = HP_UNPROVEN_DATAGRAMS;
  self->round_trip = -1;
  self->challenge_at = G_MAXINT64;
  return self;
}

void
hp_path_free (HpPath *self)
{
  g_free (self);
}

gboolean
hp_path_matches (const HpPath *self, const HpRoute *route)
{
  return self->route.socket == route->socket
         && hp_address_equal (&self->route.remote, &route->remote)
         && (self->route.local.family == HP_ADDRESS_NONE
             || route->local.family == HP_ADDRESS_NONE
             || hp_address_same_host (&self->route.local, &route->local));
}

void
hp_path_create_token (HpPath *self, const HpRandom *random, gint64 now,
                      guint8 token[HP_TOKEN_SIZE])
{
  HpPathToken *slot = &self->tokens[self->n_tokens++ % HP_PATH_TOKENS];

  hp_random_fill (random, slot->token, HP_TOKEN_SIZE);
  slot->sent_at = now;
  memcpy (token, slot->token, HP_TOKEN_SIZE);
}

gint64
hp_path_get_token_time (const HpPath *self)
{
  if (self->n_tokens == 0)
    return 0;
  return self->tokens[(self->n_tokens - 1) % HP_PATH_TOKENS].sent_at;
}

static void
measure (HpPath *self, gint64 sample)
{
  if (self->round_trip < 0)
    self->round_trip = sample;
  else
    self->round_trip = (7 * self->round_trip + sample) / 8;
}

gboolean
hp_path_consume_token (HpPath *self, const guint8 token[HP_TOKEN_SIZE],
                       gint64 now)
{
  guint n = MIN (self->n_tokens, HP_PATH_TOKENS);
  gint64 sent_at;
  guint i;

  for (i = 0; i < n; i++)
    if (hp_crypto_equal (self->tokens[i].token, token, HP_TOKEN_SIZE))
      break;
  if (i == n)
    return FALSE;

  sent_at = self->tokens[i].sent_at;
  /* Copies of it say nothing new: each consent takes a token of its own (RFC
   * 7675, section 5.1) */
  if (self->is_proven && sent_at <= self->answered_sent_at)
    return TRUE;
  measure (self, now - sent_at);
  self->answered_sent_at = MAX (self->answered_sent_at, sent_at);
  hp_path_prove (self, now);
  return TRUE;
}

void
hp_path_prove (HpPath *self, gint64 now)
{
  self->is_proven = TRUE;
  self->answered_at = now;
  self->n_unanswered = 0;
  self->unanswered_since = 0;
}

void
hp_path_doubt (HpPath *self)
{
  self->is_proven = FALSE;
  self->unproven_left = HP_UNPROVEN_DATAGRAMS;
  self->heard_bytes = 0;
  self->sent_bytes = 0;
  self->n_unanswered = 0;
  self->unanswered_since = 0;
}

/* The newest ones matter when there are too many */
void
hp_path_queue_answer (HpPath *self, const guint8 token[HP_TOKEN_SIZE])
{
  guint i;

  for (i = 0; i < self->n_answers; i++)
    if (memcmp (self->answers[i], token, HP_TOKEN_SIZE) == 0)
      return;
  if (self->n_answers == HP_PATH_ANSWERS)
    {
      memmove (self->answers[0], self->answers[1],
               (HP_PATH_ANSWERS - 1) * HP_TOKEN_SIZE);
      self->n_answers--;
    }
  memcpy (self->answers[self->n_answers++], token, HP_TOKEN_SIZE);
}

void
hp_path_heard (HpPath *self, gsize length)
{
  if (!self->is_proven)
    self->heard_bytes += length;
}

void
hp_path_sent (HpPath *self, gsize length)
{
  if (!self->is_proven)
    self->sent_bytes += length;
}

gsize
hp_path_get_allowance (const HpPath *self)
{
  guint64 most = UNPROVEN_FACTOR * self->heard_bytes;

  if (self->is_proven)
    return G_MAXSIZE;
  return most > self->sent_bytes ? most - self->sent_bytes : 0;
}

gboolean
hp_path_spend (HpPath *self)
{
  if (self->is_proven)
    return TRUE;
  if (self->unproven_left == 0)
    return FALSE;
  self->unproven_left--;
  return TRUE;
}

gboolean
hp_path_is_better (const HpPath *self, const HpPath *than)
{
  if (self->rank != than->rank)
    return self->rank < than->rank;
  if (self->round_trip < 0 || than->round_trip < 0)
    return FALSE;
  return self->round_trip + MAX (ROUND_TRIP_MARGIN, than->round_trip / 4)
         < than->round_trip;
}
