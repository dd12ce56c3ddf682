/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* NewReno as RFC 9002, section 7 and appendix B, has it */

#include "hole-punch/transport/hp-congestion.h"

#define INITIAL_DATAGRAMS 10
#define INITIAL_BYTES 14720
#define MINIMUM_DATAGRAMS 2

struct _HpCongestion
{
  gsize window;
  gsize threshold;       /* slow start ends here */
  gsize acked;           /* in avoidance, towards the next datagram more */
  gint64 recovery_since; /* what was sent up to then reduces no more */
};

static HpCongestion *
new_reno_create (gsize datagram_size, gint64 now)
{
  HpCongestion *self = g_new0 (HpCongestion, 1);

  /* Section 7.2 */
  self->window = MIN (INITIAL_DATAGRAMS * datagram_size,
                      MAX (INITIAL_BYTES, MINIMUM_DATAGRAMS * datagram_size));
  self->threshold = G_MAXSIZE;
  self->recovery_since = G_MININT64;
  return self;
}

static void
new_reno_free (HpCongestion *self)
{
  g_free (self);
}

static void
new_reno_on_acked (HpCongestion *self, const HpSentInfo *packet,
                   const HpCongestionContext *context)
{
  /* Section 7.8: a window that is not used says nothing of the path. */
  if (packet->app_limited || packet->sent_at <= self->recovery_since)
    return;
  if (self->window < self->threshold)
    {
      self->window += packet->size;
      return;
    }
  self->acked += packet->size;
  if (self->acked >= self->window)
    {
      self->acked -= self->window;
      self->window += context->datagram_size;
    }
}

static void
reduce (HpCongestion *self, gint64 sent_at, const HpCongestionContext *context)
{
  if (sent_at <= self->recovery_since)
    return;
  self->recovery_since = context->now;
  self->window = MAX (self->window / 2,
                      MINIMUM_DATAGRAMS * context->datagram_size);
  self->threshold = self->window;
  self->acked = 0;
}

static void
new_reno_on_lost (HpCongestion *self, const HpSentInfo *packet,
                  const HpCongestionContext *context)
{
  reduce (self, packet->sent_at, context);
}

/* Section 7.1: as a loss */
static void
new_reno_on_congestion_experienced (HpCongestion *self, guint64 n_marked,
                                    gint64 sent_at,
                                    const HpCongestionContext *context)
{
  reduce (self, sent_at, context);
}

static void
new_reno_on_persistent (HpCongestion *self, const HpCongestionContext *context)
{
  self->window = MINIMUM_DATAGRAMS * context->datagram_size;
  self->acked = 0;
  self->recovery_since = G_MININT64;
}

static gsize
new_reno_get_window (const HpCongestion *self)
{
  return self->window;
}

static guint64
new_reno_get_pacing_rate (const HpCongestion *self)
{
  return 0;
}

const HpCongestionClass hp_congestion_new_reno = {
  .name = "new-reno",
  .create = new_reno_create,
  .free = new_reno_free,
  .on_acked = new_reno_on_acked,
  .on_lost = new_reno_on_lost,
  .on_congestion_experienced = new_reno_on_congestion_experienced,
  .on_persistent = new_reno_on_persistent,
  .get_window = new_reno_get_window,
  .get_pacing_rate = new_reno_get_pacing_rate,
};
