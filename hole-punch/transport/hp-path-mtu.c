/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/transport/hp-path-mtu.h"

#include "hole-punch/wire/hp-packet.h"

#define NEVER G_MAXINT64
/* Between two sizes whose difference is less, nothing is tried */
#define STEP_MIN 16
#define STEP_PART 50
/* A datagram this near to the size is a full one */
#define FULL_MARGIN 64
/* Large packets that did not arrive, and times that small ones did in between,
 * until the path is thought to carry no large ones any more. An outage makes
 * one such round, chance at a loss of 30 % a run of so many in 170,000. */
#define BLACK_HOLE_LOST 10
#define BLACK_HOLE_ROUNDS 3

/* Payloads of the MTUs that links have, by IPv4 (28 bytes of headers) and by
 * IPv6 (48): 1280 of IPv6, 1400 of mobile networks, 1420 of WireGuard, 1480 of
 * tunnels, 1492 of PPPoE, 1500 of Ethernet, 9000 of jumbo frames. */
static const guint16 common_sizes[] = {
  1232, 1252, 1352, 1372, 1392, 1432, 1444, 1452, 1464, 1472, 8952, 8972,
};

/* From the present size up */
static void
search (HpPathMtu *self)
{
  self->barred = 0;
  self->n_lost = 0;
  self->raise_at = NEVER;
  self->trying = self->maximum > self->size ? self->maximum : 0;
}

void
hp_path_mtu_init (HpPathMtu *self, gsize base)
{
  *self = (HpPathMtu){
    .base = base,
    .size = base,
    .maximum = base,
    .raise_at = NEVER,
  };
}

void
hp_path_mtu_may_try (HpPathMtu *self, gsize maximum)
{
  maximum = MAX (maximum, self->base);
  if (maximum == self->maximum)
    return;
  self->maximum = maximum;
  self->size = MIN (self->size, maximum);
  search (self);
}

/* Between @self->size, which is good, and @self->barred; when they are near,
 * that one again, until it was lost often enough; then 0 */
static gsize
choose (const HpPathMtu *self)
{
  guint first = 0;
  guint last;
  gsize gap = self->barred - self->size;

  while (first < G_N_ELEMENTS (common_sizes)
         && common_sizes[first] <= self->size)
    first++;
  last = first;
  while (last < G_N_ELEMENTS (common_sizes)
         && common_sizes[last] < self->barred)
    last++;
  if (first < last)
    return common_sizes[first + (last - first) / 2];
  if (gap > MAX (STEP_MIN, self->size / STEP_PART))
    return self->size + gap / 2;
  return self->n_lost < HP_PATH_MTU_MAX_PROBES ? self->barred : 0;
}

static void
go_on (HpPathMtu *self, gint64 now)
{
  self->trying = choose (self);
  if (self->trying == 0)
    self->raise_at = now + HP_PATH_MTU_RAISE_INTERVAL;
}

gsize
hp_path_mtu_get_probe (const HpPathMtu *self, gint64 now)
{
  if (!self->is_wanted || self->under_way != 0)
    return 0;
  return now >= self->raise_at ? self->maximum : self->trying;
}

void
hp_path_mtu_probe_sent (HpPathMtu *self)
{
  if (self->trying == 0)
    search (self);
  self->under_way = self->trying;
  self->is_wanted = FALSE;
}

gboolean
hp_path_mtu_probe_acked (HpPathMtu *self, gint64 now)
{
  gsize size = self->under_way;

  self->under_way = 0;
  /* The limits may be others than when it was sent. */
  if (size <= self->size || size > self->maximum)
    return FALSE;
  self->size = size;
  self->run_size = 0;
  if (self->barred <= size)
    search (self);
  else
    go_on (self, now);
  return TRUE;
}

void
hp_path_mtu_probe_lost (HpPathMtu *self, gint64 now)
{
  gsize size = self->under_way;

  self->under_way = 0;
  if (size != self->trying)
    return;
  if (size != self->barred)
    self->n_lost = 0;
  self->n_lost++;
  self->barred = size;
  go_on (self, now);
}

static gboolean
is_full (const HpPathMtu *self, gsize size)
{
  return size + FULL_MARGIN >= self->size;
}

void
hp_path_mtu_sent (HpPathMtu *self, gsize size)
{
  if (is_full (self, size))
    self->is_wanted = TRUE;
}

gsize
hp_path_mtu_get_fallback (const HpPathMtu *self)
{
  gsize safe = MIN (self->base, HP_PATH_MTU_BASE);

  return self->size > safe ? safe : MIN (self->size, HP_DATAGRAM_SIZE_MIN);
}

void
hp_path_mtu_acked (HpPathMtu *self, guint64 number, gsize size)
{
  if (is_full (self, size))
    self->full_acked = MAX (self->full_acked, number + 1);
  else if (self->run_size == 0 || size < self->run_size)
    self->small_acked = MAX (self->small_acked, number + 1);
  if (self->run_size != 0 && size >= self->run_size
      && number > self->run_start)
    self->run_size = 0;
}

gboolean
hp_path_mtu_lost (HpPathMtu *self, guint64 number, gsize size)
{
  gsize fallback = hp_path_mtu_get_fallback (self);

  if (size <= fallback || number < self->full_acked)
    return FALSE;
  if (self->run_size == 0)
    {
      self->run_size = size;
      self->run_start = number;
      self->run_lost = 0;
      self->run_rounds = 0;
      self->run_round_end = 0;
    }
  self->run_size = MIN (self->run_size, size);
  self->run_lost++;
  if (number >= self->run_round_end && number < self->small_acked)
    {
      self->run_rounds++;
      self->run_round_end = self->small_acked;
    }
  if (self->run_lost < BLACK_HOLE_LOST || self->run_rounds < BLACK_HOLE_ROUNDS)
    return FALSE;
  self->run_size = 0;
  self->under_way = 0;
  self->size = fallback;
  search (self);
  return TRUE;
}
