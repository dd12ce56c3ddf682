/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a match service's peers may do in a time, and how many of them from one
 * network. All of it is bounded memory; what is over a limit is counted, and
 * told to nobody who has no session. */

#include "hole-punch/engine/hp-match-service-private.h"

#include <string.h>

#define REGISTERS_PER_MINUTE 30
/* For each registration that there may be: who comes back has it anew */
#define NEW_IDS_PER_HOUR 4
#define UNKNOWN_PER_SECOND 10
#define RELAYS_PER_MINUTE 10
/* Six at most for each time a peer looks at its NAT */
#define KNOCKS_PER_MINUTE 30

/* A bucket for so many peers: sixteen that register once a minute are far below
 * what one allows. */
#define PEERS_PER_BUCKET 16
#define MIN_BUCKETS 4096
#define MAX_BUCKETS (1 << 20)

typedef struct
{
  HpRateLimiter **limiter;
  guint tokens;
  gint64 interval;
} Limit;

#define N_LIMITS 12

static void
list_limits (HpMatchService *self, Limit limits[N_LIMITS])
{
  const HpMatchServiceConfig *config = &self->config;
  const gint64 second = G_USEC_PER_SEC;
  const gint64 minute = 60 * G_USEC_PER_SEC;
  const Limit all[N_LIMITS] = {
    { &self->handshakes, config->max_handshakes_per_second, second },
    { &self->handshakes_together, config->max_total_handshakes_per_second,
      second },
    { &self->registers, REGISTERS_PER_MINUTE, minute },
    { &self->new_ids,
      NEW_IDS_PER_HOUR * config->max_registrations_per_network, 60 * minute },
    { &self->asks_of_identity, config->max_asks_per_minute, minute },
    { &self->asks_of_prefix, 10 * config->max_asks_per_minute, minute },
    { &self->relays_of_identity, RELAYS_PER_MINUTE, minute },
    { &self->relays_of_prefix, 10 * RELAYS_PER_MINUTE, minute },
    { &self->knocks_of_identity, KNOCKS_PER_MINUTE, minute },
    { &self->knocks_to_prefix, 10 * KNOCKS_PER_MINUTE, minute },
    { &self->stun, config->max_stun_per_second, second },
    { &self->unknown, UNKNOWN_PER_SECOND, second },
  };

  memcpy (limits, all, sizeof all);
}

/* Tables of another size begin with nothing taken. */
void
hp_match_service_set_limits (HpMatchService *self)
{
  guint peers = self->config.max_peers / MAX (self->config.n_workers, 1);
  guint buckets
      = CLAMP (peers / PEERS_PER_BUCKET, MIN_BUCKETS, MAX_BUCKETS);
  Limit limits[N_LIMITS];

  list_limits (self, limits);
  if (buckets != self->n_buckets)
    hp_match_service_free_limits (self);
  self->n_buckets = buckets;
  for (guint i = 0; i < N_LIMITS; i++)
    {
      HpRateLimiter **limiter = limits[i].limiter;

      if (*limiter == NULL)
        *limiter = hp_rate_limiter_new (
            0, limits[i].interval,
            limiter == &self->handshakes_together ? 1 : buckets,
            hp_random_u64 (&self->config.random));
      hp_rate_limiter_set_rate (*limiter, limits[i].tokens,
                                limits[i].interval);
    }
}

void
hp_match_service_free_limits (HpMatchService *self)
{
  Limit limits[N_LIMITS];

  list_limits (self, limits);
  for (guint i = 0; i < N_LIMITS; i++)
    g_clear_pointer (limits[i].limiter, hp_rate_limiter_free);
}

/* The prefix first: who floods is to use up its own share only. */
gboolean
hp_match_service_admit_handshake (HpMatchService *self,
                                  const HpAddress *address, gint64 now)
{
  return hp_rate_limiter_take_address (self->handshakes, address, now)
         && (self->config.max_total_handshakes_per_second == 0
             || hp_rate_limiter_take (self->handshakes_together, "", 0, now));
}

gboolean
hp_match_service_has_network_room (HpMatchService *self,
                                   const HpAddress *address)
{
  guint most = self->config.max_registrations_per_network;

  return most == 0
         || hp_match_networks_get (&self->networks, address) < most;
}

gboolean
hp_match_service_admit_id (HpMatchService *self, const HpAddress *address,
                           gint64 now)
{
  return self->config.max_registrations_per_network == 0
         || hp_rate_limiter_take_address (self->new_ids, address, now);
}
