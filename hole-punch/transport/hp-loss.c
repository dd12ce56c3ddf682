/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-loss.h"

#define PERSISTENT_TIMEOUTS 3 /* RFC 9002, section 7.6.1 */
#define BACKOFF_MAX 16
/* RFC 8985, section 6.2: after so many round trips with losses and none of them
 * spurious there is no patience any more; more than a round trip it never is.
 */
#define PATIENCE_ROUNDS 16
#define PATIENCE_MAX 16
/* Packets in the ring, beyond which no lost ones are kept */
#define KEPT_MAX (1 << 16)

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
    .patience_since = G_MININT64,
    .patient_since = G_MININT64,
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
  self->next_number = number + 1;
  self->n_outstanding++;
  self->timer_since = now;
  return packet;
}

static gint64
get_loss_delay (const HpLoss *self)
{
  const HpRtt *round_trip = self->round_trip;

  return hp_rtt_get_loss_delay (round_trip)
         + MIN (self->patience * MAX (round_trip->minimum, 0) / 4,
                round_trip->smoothed);
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

/* Section 7.6.2: packets are passed in order here, so that one acknowledged
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
  if (packet->path_epoch != self->path_epoch || packet->is_mtu_probe
      || packet->sent_at <= self->round_trip->first_sample_at)
    return;
  if (self->lost_since < 0)
    self->lost_since = packet->sent_at;
  self->lost_until = packet->sent_at;
}

/* The cursor goes on to the next outstanding packet. */
static void
advance (HpLoss *self)
{
  HpSentRing *ring = &self->ring;

  for (; self->first_outstanding < ring->tail; self->first_outstanding++)
    {
      const HpSentPacket *packet
          = hp_sent_ring_get (ring, self->first_outstanding);

      if (packet->state == HP_SENT_OUTSTANDING)
        break;
      extend_lost_run (self, packet);
    }
}

/* What is lost may be acknowledged yet, for another round trip or so. */
static void
drop_settled (HpLoss *self, gint64 now)
{
  HpSentRing *ring = &self->ring;
  gint64 keep = 2 * self->round_trip->smoothed + get_loss_delay (self);

  while (ring->head < self->first_outstanding)
    {
      const HpSentPacket *packet = hp_sent_ring_get (ring, ring->head);

      if (packet->state == HP_SENT_LOST && self->n_outstanding > 0
          && hp_sent_ring_get_length (ring) < KEPT_MAX
          && packet->sent_at + keep > now)
        break;
      hp_sent_ring_pop (ring);
    }
}

static void
lose_patience (HpLoss *self, const HpSentPacket *packet, gint64 now)
{
  if (self->patience == 0 || packet->sent_at <= self->patient_since)
    return;
  self->patient_since = now;
  if (++self->n_patient >= PATIENCE_ROUNDS)
    self->patience = 0;
}

/* Both thresholds are met by the oldest first: behind one that is not lost
 * none is. */
static void
detect_lost (HpLoss *self, gint64 now)
{
  HpSentRing *ring = &self->ring;
  gint64 delay = get_loss_delay (self);

  self->loss_time = G_MAXINT64;
  for (advance (self); self->first_outstanding < self->after_acked;
       advance (self))
    {
      HpSentPacket *packet = hp_sent_ring_get (ring, self->first_outstanding);
      guint64 later = self->after_acked - 1 - self->first_outstanding;

      if ((self->is_reordering || later < HP_PACKET_THRESHOLD)
          && packet->sent_at + delay > now)
        {
          self->loss_time = packet->sent_at + delay;
          break;
        }
      packet->state = HP_SENT_LOST;
      self->n_outstanding--;
      self->observer->lost (self->user_data, packet);
      lose_patience (self, packet, now);
    }
  drop_settled (self, now);
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

/* RFC 8985, section 6.2: a step more for each round trip with such a packet */
static void
take_spurious (HpLoss *self, HpSentPacket *packet, gint64 now)
{
  packet->state = HP_SENT_ACKED;
  if (packet->path_epoch == self->path_epoch)
    {
      self->is_reordering = TRUE;
      self->n_patient = 0;
      self->patient_since = now;
      if (packet->sent_at > self->patience_since)
        {
          self->patience = MIN (self->patience + 1, PATIENCE_MAX);
          self->patience_since = now;
        }
    }
  if (self->observer->spurious != NULL)
    self->observer->spurious (self->user_data, packet);
}

/* @was_after: where the acknowledged ones ended before this ACK */
static gboolean
acknowledge_range (HpLoss *self, guint64 start, guint64 end,
                   guint64 was_after, gint64 now)
{
  HpSentRing *ring = &self->ring;
  gboolean any = FALSE;

  for (guint64 at = hp_sent_ring_find (ring, start); at < ring->tail; at++)
    {
      HpSentPacket *packet = hp_sent_ring_get (ring, at);

      if (packet->number >= end)
        break;
      if (packet->state == HP_SENT_LOST)
        take_spurious (self, packet, now);
      if (packet->state != HP_SENT_OUTSTANDING)
        continue;
      if (at < was_after && packet->path_epoch == self->path_epoch)
        self->is_reordering = TRUE;
      packet->state = HP_SENT_ACKED;
      self->n_outstanding--;
      self->after_acked = MAX (self->after_acked, at + 1);
      any = TRUE;
      self->observer->acked (self->user_data, packet);
    }
  return any;
}

/* An ACK repeats what the ones before it said: all that they did not is taken,
 * so that the cost is that of the packets it is news of. */
static gboolean
acknowledge_news (HpLoss *self, const HpRange *range, guint *known,
                  guint64 was_after, gint64 now)
{
  guint64 end = range->end;
  gboolean any = FALSE;

  while (end > range->start)
    {
      guint64 from = range->start;

      while (*known < self->n_known && self->known[*known].start >= end)
        ++*known;
      if (*known < self->n_known && self->known[*known].end > from)
        {
          const HpRange *told = &self->known[*known];

          if (told->end < end
              && acknowledge_range (self, told->end, end, was_after, now))
            any = TRUE;
          end = told->start;
          continue;
        }
      if (acknowledge_range (self, from, end, was_after, now))
        any = TRUE;
      break;
    }
  return any;
}

/* Nothing of numbers not used yet: an ACK of them is no news of what they will
 * be. */
static void
remember (HpLoss *self, const HpAckFrame *ack)
{
  /* An older one that was overtaken says less. */
  if (self->n_known > 0 && ack->largest + 1 < self->known[0].end)
    return;
  self->n_known = 0;
  for (guint i = 0; i < ack->n_ranges; i++)
    if (ack->ranges[i].start < self->next_number)
      self->known[self->n_known++] = (HpRange){
        ack->ranges[i].start, MIN (ack->ranges[i].end, self->next_number)
      };
}

gboolean
hp_loss_acknowledge (HpLoss *self, const HpAckFrame *ack, gint64 now)
{
  guint64 was_after = self->after_acked;
  guint known = 0;
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
      if (acknowledge_news (self, &ack->ranges[i], &known, was_after, now))
        any = TRUE;
    }
  remember (self, ack);
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
  self->is_reordering = FALSE;
  self->patience = 0;
  self->patience_since = G_MININT64;
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
  return hp_sent_ring_get (&self->ring, self->first_outstanding);
}
