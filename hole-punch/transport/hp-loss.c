/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-loss.h"

#define PERSISTENT_TIMEOUTS 3 /* RFC 9002, section 7.6.1 */
#define BACKOFF_MAX 16

void
hp_loss_init (HpLoss *self, const HpLossObserver *observer, gpointer user_data,
              HpRtt *round_trip)
{
  *self = (HpLoss){
    .observer = observer,
    .user_data = user_data,
    .round_trip = round_trip,
    .loss_time = G_MAXINT64,
    .lost_since = -1,
  };
}

void
hp_loss_clear (HpLoss *self)
{
  hp_sent_ring_clear (&self->ring);
}

HpSentPacket *
hp_loss_sent (HpLoss *self, guint64 number, gsize size, gint64 now)
{
  HpSentPacket *packet = hp_sent_ring_push (&self->ring, number);

  packet->sent_at = now;
  packet->size = size;
  packet->path_epoch = self->path_epoch;
  self->n_outstanding++;
  self->timer_since = now;
  return packet;
}

static void
detect_persistent (HpLoss *self)
{
  gint64 period;

  if (self->lost_since < 0)
    return;
  period = PERSISTENT_TIMEOUTS
           * hp_rtt_get_probe_timeout (self->round_trip, self->max_ack_delay);
  if (self->lost_until - self->lost_since <= period)
    return;
  self->lost_since = -1;
  self->observer->persistent (self->user_data);
}

/* Section 7.6.2: packets are settled in order here, so that one acknowledged
 * among the lost is seen. */
static void
extend_lost_run (HpLoss *self, const HpSentPacket *packet)
{
  if (packet->state == HP_SENT_ACKED)
    {
      detect_persistent (self);
      self->lost_since = -1;
      return;
    }
  /* Before the first sample nothing tells what a long period is. */
  if (packet->path_epoch != self->path_epoch
      || packet->sent_at <= self->round_trip->first_sample_at)
    return;
  if (self->lost_since < 0)
    self->lost_since = packet->sent_at;
  self->lost_until = packet->sent_at;
}

static void
drop_settled (HpLoss *self)
{
  HpSentRing *ring = &self->ring;

  while (ring->head < ring->tail)
    {
      const HpSentPacket *packet = hp_sent_ring_get (ring, ring->head);

      if (packet->state == HP_SENT_OUTSTANDING)
        break;
      extend_lost_run (self, packet);
      hp_sent_ring_pop (ring);
    }
}

static void
detect_lost (HpLoss *self, gint64 now)
{
  HpSentRing *ring = &self->ring;
  gint64 delay = hp_rtt_get_loss_delay (self->round_trip);

  self->loss_time = G_MAXINT64;
  for (guint64 at = ring->head; at < self->after_acked; at++)
    {
      HpSentPacket *packet = hp_sent_ring_get (ring, at);

      if (packet->state != HP_SENT_OUTSTANDING)
        continue;
      if (self->after_acked - 1 - at < HP_PACKET_THRESHOLD
          && packet->sent_at + delay > now)
        {
          self->loss_time = MIN (self->loss_time, packet->sent_at + delay);
          continue;
        }
      packet->state = HP_SENT_LOST;
      self->n_outstanding--;
      self->observer->lost (self->user_data, packet);
    }
  drop_settled (self);
  detect_persistent (self);
}

/* Section 5.1: from the largest of an ACK, if that is new */
static void
sample_round_trip (HpLoss *self, const HpAckFrame *ack, gint64 now)
{
  guint64 at = hp_sent_ring_find (&self->ring, ack->largest);
  const HpSentPacket *packet;

  if (at == self->ring.tail)
    return;
  packet = hp_sent_ring_get (&self->ring, at);
  if (packet->number == ack->largest && packet->state == HP_SENT_OUTSTANDING
      && packet->path_epoch == self->path_epoch)
    hp_rtt_add_sample (self->round_trip, now - packet->sent_at, ack->delay,
                       self->max_ack_delay, now);
}

static gboolean
acknowledge_range (HpLoss *self, const HpRange *range)
{
  HpSentRing *ring = &self->ring;
  gboolean any = FALSE;

  for (guint64 at = hp_sent_ring_find (ring, range->start); at < ring->tail;
       at++)
    {
      HpSentPacket *packet = hp_sent_ring_get (ring, at);

      if (packet->number >= range->end)
        break;
      if (packet->state != HP_SENT_OUTSTANDING)
        continue;
      packet->state = HP_SENT_ACKED;
      self->n_outstanding--;
      self->after_acked = MAX (self->after_acked, at + 1);
      any = TRUE;
      self->observer->acked (self->user_data, packet);
    }
  return any;
}

gboolean
hp_loss_acknowledge (HpLoss *self, const HpAckFrame *ack, gint64 now)
{
  gboolean any = FALSE;

  if (self->n_outstanding == 0)
    return FALSE;
  sample_round_trip (self, ack, now);
  for (guint i = 0; i < ack->n_ranges; i++)
    {
      /* Descending: all further ones are settled already. */
      if (self->ring.head == self->ring.tail
          || ack->ranges[i].end
                 <= hp_sent_ring_get (&self->ring, self->ring.head)->number)
        break;
      if (acknowledge_range (self, &ack->ranges[i]))
        any = TRUE;
    }
  if (!any)
    return FALSE;
  self->n_probes = 0;
  detect_lost (self, now);
  return TRUE;
}

void
hp_loss_set_path (HpLoss *self, guint32 path_epoch)
{
  self->path_epoch = path_epoch;
  self->n_probes = 0;
  self->lost_since = -1;
}

gint64
hp_loss_get_deadline (const HpLoss *self)
{
  gint64 timeout;
  gint64 longest;

  if (self->loss_time != G_MAXINT64)
    return self->loss_time;
  if (self->n_outstanding == 0)
    return G_MAXINT64;
  timeout = hp_rtt_get_probe_timeout (self->round_trip, self->max_ack_delay);
  longest = MAX (timeout, HP_PROBE_PERIOD_MAX);
  timeout <<= MIN (self->n_probes, BACKOFF_MAX);
  return self->timer_since + MIN (timeout, longest);
}

gboolean
hp_loss_expire (HpLoss *self, gint64 now)
{
  if (hp_loss_get_deadline (self) > now)
    return FALSE;
  if (self->loss_time != G_MAXINT64)
    {
      detect_lost (self, now);
      return FALSE;
    }
  /* Also when no probe can be sent the next timeout is a period away. */
  self->timer_since = now;
  self->n_probes++;
  return TRUE;
}

const HpSentPacket *
hp_loss_get_oldest (const HpLoss *self)
{
  if (self->n_outstanding == 0)
    return NULL;
  return hp_sent_ring_get (&self->ring, self->ring.head);
}
