/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-connection-private.h"

#include "hole-punch/hp-statistics-private.h"

/**
 * hp_connection_get_remote_id:
 * @self: a #HpConnection
 *
 * Gets #HpConnection:remote-id.
 *
 * Returns: (transfer none) (nullable): an id
 *
 * Since: 1.0
 */
const char *
hp_connection_get_remote_id (HpConnection *self)
{
  g_return_val_if_fail (HP_IS_CONNECTION (self), NULL);

  return self->remote_id;
}

/**
 * hp_connection_get_fingerprint:
 * @self: a #HpConnection
 *
 * Gets #HpConnection:fingerprint.
 *
 * Returns: (transfer none) (nullable): a fingerprint; %NULL only of an object
 *   that no #HpPeer has handed out
 *
 * Since: 1.0
 */
const char *
hp_connection_get_fingerprint (HpConnection *self)
{
  g_return_val_if_fail (HP_IS_CONNECTION (self), NULL);

  return self->fingerprint;
}

/**
 * hp_connection_get_local_address:
 * @self: a #HpConnection
 *
 * Gets #HpConnection:local-address.
 *
 * Returns: (transfer none) (nullable): an address
 *
 * Since: 1.0
 */
GSocketAddress *
hp_connection_get_local_address (HpConnection *self)
{
  g_return_val_if_fail (HP_IS_CONNECTION (self), NULL);

  return self->local_address;
}

/**
 * hp_connection_get_remote_address:
 * @self: a #HpConnection
 *
 * Gets #HpConnection:remote-address.
 *
 * Returns: (transfer none) (nullable): an address
 *
 * Since: 1.0
 */
GSocketAddress *
hp_connection_get_remote_address (HpConnection *self)
{
  g_return_val_if_fail (HP_IS_CONNECTION (self), NULL);

  return self->remote_address;
}

/**
 * hp_connection_get_path:
 * @self: a #HpConnection
 *
 * Gets #HpConnection:path.
 *
 * Returns: a kind of path
 *
 * Since: 1.0
 */
HpPathKind
hp_connection_get_path (HpConnection *self)
{
  g_return_val_if_fail (HP_IS_CONNECTION (self), HP_PATH_KIND_NONE);

  return self->path;
}

/**
 * hp_connection_get_state:
 * @self: a #HpConnection
 *
 * Gets #HpConnection:state.
 *
 * Returns: a state
 *
 * Since: 1.0
 */
HpConnectionState
hp_connection_get_state (HpConnection *self)
{
  g_return_val_if_fail (HP_IS_CONNECTION (self), HP_CONNECTION_STATE_CLOSED);

  return self->state;
}

/**
 * hp_connection_get_round_trip_time:
 * @self: a #HpConnection
 *
 * Gets #HpConnection:round-trip-time.
 *
 * Returns: microseconds, or -1
 *
 * Since: 1.0
 */
gint64
hp_connection_get_round_trip_time (HpConnection *self)
{
  g_return_val_if_fail (HP_IS_CONNECTION (self), -1);

  return self->line != NULL ? hp_link_get_round_trip (self->line->link)
                            : self->round_trip_time;
}

/**
 * hp_connection_get_setup_time:
 * @self: a #HpConnection
 *
 * Gets #HpConnection:setup-time.
 *
 * Returns: microseconds, or -1
 *
 * Since: 1.0
 */
gint64
hp_connection_get_setup_time (HpConnection *self)
{
  g_return_val_if_fail (HP_IS_CONNECTION (self), -1);

  return self->setup_time;
}

/**
 * hp_connection_get_datagram_size:
 * @self: a #HpConnection
 *
 * Gets #HpConnection:datagram-size.
 *
 * Returns: bytes of UDP payload
 *
 * Since: 1.0
 */
guint
hp_connection_get_datagram_size (HpConnection *self)
{
  g_return_val_if_fail (HP_IS_CONNECTION (self), 0);

  return self->line != NULL ? hp_link_get_datagram_size (self->line->link)
                            : self->datagram_size;
}

/**
 * hp_connection_get_queued_bytes:
 * @self: a #HpConnection
 *
 * Gets #HpConnection:queued-bytes.
 *
 * Returns: bytes; 0 once the connection has ended
 *
 * Since: 1.0
 */
guint64
hp_connection_get_queued_bytes (HpConnection *self)
{
  g_return_val_if_fail (HP_IS_CONNECTION (self), 0);

  return self->line != NULL && self->close_error == NULL
             ? hp_sends_get_bytes (&self->sends)
             : 0;
}

/**
 * hp_connection_get_statistics:
 * @self: a #HpConnection
 *
 * Gets #HpConnection:statistics.
 *
 * Returns: (transfer full): a snapshot of what was done so far
 *
 * Since: 1.0
 */
HpStatistics *
hp_connection_get_statistics (HpConnection *self)
{
  HpLinkStatistics now;
  HpStatisticsValues values;

  g_return_val_if_fail (HP_IS_CONNECTION (self), NULL);

  now = self->statistics;
  if (self->line != NULL)
    hp_link_get_statistics (self->line->link, &now);

  values = (HpStatisticsValues){
    .bytes_sent = now.transport.bytes_sent,
    .bytes_received = now.transport.bytes_received,
    .bytes_resent = now.transport.bytes_resent,
    .messages_sent = now.transport.messages_sent,
    .messages_received = now.transport.messages_received,
    .datagrams_sent = now.transport.packets_sent,
    .datagrams_received = now.transport.packets_received,
    .datagrams_lost = now.transport.packets_lost,
    .datagrams_dropped = now.dropped_malformed + now.dropped_forged
                         + now.dropped_replayed + now.dropped_ticket,
  };
  return hp_statistics_new_private (&values);
}
