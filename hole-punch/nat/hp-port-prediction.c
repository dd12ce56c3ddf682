/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/nat/hp-port-prediction.h"

#include <math.h>

/* Mappings of its own that the other side may have made since, besides the
 * volley: checks of candidates, STUN */
#define OWN_MAPPINGS 10
/* How far off a measured drift may be */
#define DRIFT_ERROR 0.2
#define FEISTEL_ROUNDS 6

/* No port twice, no mapping on another's port: drawn without returning */
gdouble
hp_port_odds (guint n_opened, guint n_tried, guint n_ports)
{
  gdouble missed = 1;
  guint i;

  if (n_opened + n_tried > n_ports)
    return n_opened > 0 && n_tried > 0 ? 1 : 0;
  for (i = 0; i < n_opened; i++)
    missed *= 1 - (gdouble) n_tried / (n_ports - i);
  return 1 - missed;
}

guint
hp_port_odds_to_count (guint n_ports)
{
  guint low = 1, high = MAX (n_ports, 1);

  while (low < high)
    {
      guint middle = (low + high) / 2;

      if (hp_port_odds (middle, middle, n_ports) >= HP_PORT_ODDS)
        high = middle;
      else
        low = middle + 1;
    }
  return low;
}

static guint32
mix (guint64 value)
{
  /* Steele, Lea and Flood's SplitMix64 finaliser */
  value = (value ^ (value >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  value = (value ^ (value >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return (guint32) (value >> 31);
}

/* A Feistel network is a permutation of all 16-bit numbers; walking along its
 * cycles until one is below @n makes it one of 0 … n - 1, with no table */
guint
hp_port_permute (guint index, guint n, guint64 seed)
{
  guint value = index;
  guint round;

  g_assert (index < n && n <= 65536);

  do
    {
      guint left = value >> 8, right = value & 0xff;

      for (round = 0; round < FEISTEL_ROUNDS; round++)
        {
          guint next = left ^ (mix (seed + ((guint64) round << 8 | right)
                                               * 0x9e3779b97f4a7c15u)
                               & 0xff);

          left = right;
          right = next;
        }
      value = left << 8 | right;
    }
  while (value >= n);
  return value;
}

guint16
hp_port_predict (const HpNatFacts *facts, gint index)
{
  gint step = facts->step != 0 ? facts->step : 1;
  gint64 offset = (gint64) facts->port - HP_FIRST_NAT_PORT
                  + (gint64) step * index;

  offset %= HP_N_NAT_PORTS;
  if (offset < 0)
    offset += HP_N_NAT_PORTS;
  return HP_FIRST_NAT_PORT + offset;
}

void
hp_port_predict_window (const HpNatFacts *facts, gint64 elapsed, guint n,
                        gint *first, gint *last)
{
  gdouble seconds = facts->age / 1000.0
                    + MAX (elapsed, 0) / (gdouble) G_TIME_SPAN_SECOND;
  gdouble foreign = MIN (facts->drift * seconds, HP_N_NAT_PORTS);
  /* Three standard deviations of what comes at random, and the doubt about the
   * rate itself */
  gdouble doubt = 3 * sqrt (foreign) + DRIFT_ERROR * foreign;

  *first = 1 + (gint) floor (MAX (foreign - doubt, 0));
  *last = (gint) ceil (foreign + doubt) + OWN_MAPPINGS + n;
}

gboolean
hp_port_get_block (const HpNatFacts *facts, guint16 *first, guint *n)
{
  gint low = facts->first_port, high = facts->last_port;
  gint margin;

  if (low == 0 || high < low)
    return FALSE;
  margin = (high - low) / 16;
  low = MAX (low - margin, MIN (low, HP_FIRST_NAT_PORT));
  high = MIN (high + margin, 65535);
  *first = low;
  *n = high - low + 1;
  return TRUE;
}
