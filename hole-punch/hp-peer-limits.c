/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The settings of #HpPeer that bound what a connection holds */

#include "hole-punch/hp-peer-private.h"

static void
set_uint64 (HpPeer *self, guint64 *setting, guint64 value,
            const char *property)
{
  if (*setting == value)
    return;
  *setting = value;
  g_object_notify (G_OBJECT (self), property);
}

/**
 * hp_peer_get_max_message_size:
 * @self: a #HpPeer
 *
 * Gets #HpPeer:max-message-size.
 *
 * Returns: bytes
 *
 * Since: 1.0
 */
guint64
hp_peer_get_max_message_size (HpPeer *self)
{
  g_return_val_if_fail (HP_IS_PEER (self), 0);

  return hp_peer_get_private (self)->max_message_size;
}

/**
 * hp_peer_set_max_message_size:
 * @self: a #HpPeer
 * @max_message_size: bytes, at most 1 GiB
 *
 * Sets #HpPeer:max-message-size, for connections yet to come.
 *
 * Since: 1.0
 */
void
hp_peer_set_max_message_size (HpPeer *self, guint64 max_message_size)
{
  HpPeerPrivate *priv;

  g_return_if_fail (HP_IS_PEER (self));
  g_return_if_fail (max_message_size >= 1
                    && max_message_size <= HP_MAX_MESSAGE_SIZE_LIMIT);

  priv = hp_peer_get_private (self);
  set_uint64 (self, &priv->max_message_size, max_message_size,
              "max-message-size");
}

/**
 * hp_peer_get_max_receive_window:
 * @self: a #HpPeer
 *
 * Gets #HpPeer:max-receive-window.
 *
 * Returns: bytes
 *
 * Since: 1.0
 */
guint64
hp_peer_get_max_receive_window (HpPeer *self)
{
  g_return_val_if_fail (HP_IS_PEER (self), 0);

  return hp_peer_get_private (self)->max_receive_window;
}

/**
 * hp_peer_set_max_receive_window:
 * @self: a #HpPeer
 * @max_receive_window: bytes, 64 KiB to 4 GiB
 *
 * Sets #HpPeer:max-receive-window, for connections yet to come.
 *
 * Since: 1.0
 */
void
hp_peer_set_max_receive_window (HpPeer *self, guint64 max_receive_window)
{
  HpPeerPrivate *priv;

  g_return_if_fail (HP_IS_PEER (self));
  g_return_if_fail (max_receive_window >= HP_MIN_RECEIVE_WINDOW
                    && max_receive_window <= HP_MAX_RECEIVE_WINDOW_LIMIT);

  priv = hp_peer_get_private (self);
  set_uint64 (self, &priv->max_receive_window, max_receive_window,
              "max-receive-window");
}
