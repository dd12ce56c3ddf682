/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-server-statistics-private.h"

#define DEFINE_GETTER(member)                                                 \
  guint64 hp_server_statistics_get_##member (HpServerStatistics *self)        \
  {                                                                           \
    g_return_val_if_fail (HP_IS_SERVER_STATISTICS (self), 0);                 \
    return self->values.member;                                               \
  }

/**
 * hp_server_statistics_get_peers:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:peers.
 *
 * Returns: a number of peers
 *
 * Since: 1.0
 */
DEFINE_GETTER (peers)

/**
 * hp_server_statistics_get_registrations:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:registrations.
 *
 * Returns: a number of registrations
 *
 * Since: 1.0
 */
DEFINE_GETTER (registrations)

/**
 * hp_server_statistics_get_workers:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:workers.
 *
 * Returns: a number of threads
 *
 * Since: 1.0
 */
DEFINE_GETTER (workers)

/**
 * hp_server_statistics_get_handshakes:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:handshakes.
 *
 * Returns: a number of handshakes
 *
 * Since: 1.0
 */
DEFINE_GETTER (handshakes)

/**
 * hp_server_statistics_get_registers:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:registers.
 *
 * Returns: a number of requests
 *
 * Since: 1.0
 */
DEFINE_GETTER (registers)

/**
 * hp_server_statistics_get_keepalives:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:keepalives.
 *
 * Returns: a number of keepalives
 *
 * Since: 1.0
 */
DEFINE_GETTER (keepalives)

/**
 * hp_server_statistics_get_asks:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:asks.
 *
 * Returns: a number of asks
 *
 * Since: 1.0
 */
DEFINE_GETTER (asks)

/**
 * hp_server_statistics_get_introductions:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:introductions.
 *
 * Returns: a number of introductions
 *
 * Since: 1.0
 */
DEFINE_GETTER (introductions)

/**
 * hp_server_statistics_get_forwarded:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:forwarded.
 *
 * Returns: a number of messages
 *
 * Since: 1.0
 */
DEFINE_GETTER (forwarded)

/**
 * hp_server_statistics_get_refused:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:refused.
 *
 * Returns: a number of requests
 *
 * Since: 1.0
 */
DEFINE_GETTER (refused)

/**
 * hp_server_statistics_get_cookies:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:cookies.
 *
 * Returns: a number of cookies
 *
 * Since: 1.0
 */
DEFINE_GETTER (cookies)

/**
 * hp_server_statistics_get_stun_answers:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:stun-answers.
 *
 * Returns: a number of answers
 *
 * Since: 1.0
 */
DEFINE_GETTER (stun_answers)

/**
 * hp_server_statistics_get_datagrams_received:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:datagrams-received.
 *
 * Returns: a number of datagrams
 *
 * Since: 1.0
 */
DEFINE_GETTER (datagrams_received)

/**
 * hp_server_statistics_get_datagrams_sent:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:datagrams-sent.
 *
 * Returns: a number of datagrams
 *
 * Since: 1.0
 */
DEFINE_GETTER (datagrams_sent)

/**
 * hp_server_statistics_get_bytes_received:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:bytes-received.
 *
 * Returns: a number of bytes
 *
 * Since: 1.0
 */
DEFINE_GETTER (bytes_received)

/**
 * hp_server_statistics_get_bytes_sent:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:bytes-sent.
 *
 * Returns: a number of bytes
 *
 * Since: 1.0
 */
DEFINE_GETTER (bytes_sent)

/**
 * hp_server_statistics_get_send_failures:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:send-failures.
 *
 * Returns: a number of datagrams
 *
 * Since: 1.0
 */
DEFINE_GETTER (send_failures)

/**
 * hp_server_statistics_get_datagrams_dropped:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:datagrams-dropped.
 *
 * Returns: a number of datagrams
 *
 * Since: 1.0
 */
DEFINE_GETTER (datagrams_dropped)

/**
 * hp_server_statistics_get_dropped_malformed:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:dropped-malformed.
 *
 * Returns: a number of datagrams
 *
 * Since: 1.0
 */
DEFINE_GETTER (dropped_malformed)

/**
 * hp_server_statistics_get_dropped_ticket:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:dropped-ticket.
 *
 * Returns: a number of datagrams
 *
 * Since: 1.0
 */
DEFINE_GETTER (dropped_ticket)

/**
 * hp_server_statistics_get_dropped_forged:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:dropped-forged.
 *
 * Returns: a number of datagrams
 *
 * Since: 1.0
 */
DEFINE_GETTER (dropped_forged)

/**
 * hp_server_statistics_get_dropped_replayed:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:dropped-replayed.
 *
 * Returns: a number of datagrams
 *
 * Since: 1.0
 */
DEFINE_GETTER (dropped_replayed)

/**
 * hp_server_statistics_get_dropped_unknown:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:dropped-unknown.
 *
 * Returns: a number of datagrams
 *
 * Since: 1.0
 */
DEFINE_GETTER (dropped_unknown)

/**
 * hp_server_statistics_get_dropped_rate_limited:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:dropped-rate-limited.
 *
 * Returns: a number of datagrams
 *
 * Since: 1.0
 */
DEFINE_GETTER (dropped_rate_limited)

/**
 * hp_server_statistics_get_dropped_full:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:dropped-full.
 *
 * Returns: a number of datagrams
 *
 * Since: 1.0
 */
DEFINE_GETTER (dropped_full)

/**
 * hp_server_statistics_get_registry_failures:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:registry-failures.
 *
 * Returns: a number of questions
 *
 * Since: 1.0
 */
DEFINE_GETTER (registry_failures)

/**
 * hp_server_statistics_get_unclaimed_refreshes:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:unclaimed-refreshes.
 *
 * Returns: a number of questions
 *
 * Since: 1.0
 */
DEFINE_GETTER (unclaimed_refreshes)

/**
 * hp_server_statistics_get_registry_healthy:
 * @self: a #HpServerStatistics
 *
 * Gets #HpServerStatistics:registry-healthy.
 *
 * Returns: %TRUE if it works
 *
 * Since: 1.0
 */
gboolean
hp_server_statistics_get_registry_healthy (HpServerStatistics *self)
{
  g_return_val_if_fail (HP_IS_SERVER_STATISTICS (self), FALSE);

  return self->values.registry_healthy;
}
