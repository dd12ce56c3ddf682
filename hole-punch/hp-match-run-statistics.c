/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-match-run-inside-private.h"

void
hp_match_run_add_statistics (HpServerStatisticsValues *values,
                             const HpServiceStatistics *inner,
                             const HpEndpointStatistics *outer)
{
  const guint64 malformed
      = inner->dropped_malformed + outer->dropped_unknown_type;
  const guint64 unknown = inner->dropped_unknown
                          + outer->dropped_unknown_index
                          + outer->dropped_unclaimed;
  const guint64 rate_limited
      = inner->dropped_rate_limited + outer->dropped_rate_limited;

  values->workers++;
  values->peers += inner->peers;
  values->registrations += inner->registrations;
  values->handshakes += inner->handshakes;
  values->registers += inner->registers;
  values->keepalives += inner->keepalives;
  values->asks += inner->asks;
  values->introductions += inner->introductions;
  values->forwarded += inner->forwarded;
  values->refused += inner->refused;
  values->unclaimed_refreshes += inner->unclaimed_refreshes;
  values->cookies += inner->cookies;
  values->stun_answers += inner->stun_answers;
  values->datagrams_received += outer->datagrams_received;
  values->datagrams_sent += outer->datagrams_sent;
  values->bytes_received += outer->bytes_received;
  values->bytes_sent += outer->bytes_sent;
  values->send_failures += outer->send_failures;
  values->dropped_malformed += malformed;
  values->dropped_ticket += inner->dropped_ticket;
  values->dropped_forged += inner->dropped_forged;
  values->dropped_replayed += inner->dropped_replayed;
  values->dropped_unknown += unknown;
  values->dropped_rate_limited += rate_limited;
  values->dropped_full += inner->dropped_full;
  values->datagrams_dropped += malformed + inner->dropped_ticket
                               + inner->dropped_forged
                               + inner->dropped_replayed + unknown
                               + rate_limited + inner->dropped_full;
}
