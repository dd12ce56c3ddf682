/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(HP_INSIDE) && !defined(HP_COMPILATION)
#error "Only <hole-punch/hole-punch.h> can be included directly."
#endif

#include <hole-punch/hp-types.h>

G_BEGIN_DECLS

/**
 * HP_DEFAULT_PORT:
 *
 * The UDP port of a match server unless another one is given.
 *
 * Since: 1.0
 */
#define HP_DEFAULT_PORT 4222

/**
 * SECTION:hp-enums
 * @title: Enumerations
 * @short_description: Kinds of paths, states, flags of messages
 *
 * Values that several classes share.
 */

/**
 * HpPathKind:
 * @HP_PATH_KIND_NONE: there is no path (yet, or any more)
 * @HP_PATH_KIND_LAN: both peers are on one network, or one machine
 * @HP_PATH_KIND_DIRECT: through the NATs, straight to the other peer
 * @HP_PATH_KIND_MAPPED: through a port that a router was asked to map
 * @HP_PATH_KIND_RELAYED: through a relay
 *
 * How datagrams reach the other peer. In the order of preference.
 *
 * Since: 1.0
 */
typedef enum
{
  HP_PATH_KIND_NONE,
  HP_PATH_KIND_LAN,
  HP_PATH_KIND_DIRECT,
  HP_PATH_KIND_MAPPED,
  HP_PATH_KIND_RELAYED,
} HpPathKind;

#define HP_TYPE_PATH_KIND (hp_path_kind_get_type ())
HP_AVAILABLE_IN_ALL
GType hp_path_kind_get_type (void) G_GNUC_CONST;

/**
 * HpConnectionState:
 * @HP_CONNECTION_STATE_CONNECTING: no path to the peer has been found yet
 * @HP_CONNECTION_STATE_CONNECTED: messages flow
 * @HP_CONNECTION_STATE_INTERRUPTED: the path fell silent and another one is
 *   looked for; messages are kept and go on by themselves
 * @HP_CONNECTION_STATE_CLOSED: the connection has ended
 *
 * What a connection is doing.
 *
 * Since: 1.0
 */
typedef enum
{
  HP_CONNECTION_STATE_CONNECTING,
  HP_CONNECTION_STATE_CONNECTED,
  HP_CONNECTION_STATE_INTERRUPTED,
  HP_CONNECTION_STATE_CLOSED,
} HpConnectionState;

#define HP_TYPE_CONNECTION_STATE (hp_connection_state_get_type ())
HP_AVAILABLE_IN_ALL
GType hp_connection_state_get_type (void) G_GNUC_CONST;

/**
 * HpMessageFlags:
 * @HP_MESSAGE_FLAGS_NONE: reliable, and delivered in the order of sending
 * @HP_MESSAGE_FLAGS_UNORDERED: reliable, but delivered as soon as it is whole
 * @HP_MESSAGE_FLAGS_UNRELIABLE: sent once, never again, delivered as soon as it
 *   is whole, or not at all
 *
 * How a message is to be delivered.
 *
 * Since: 1.0
 */
typedef enum /*< flags >*/
{
  HP_MESSAGE_FLAGS_NONE = 0,
  HP_MESSAGE_FLAGS_UNORDERED = 1 << 0,
  HP_MESSAGE_FLAGS_UNRELIABLE = 1 << 1,
} HpMessageFlags;

#define HP_TYPE_MESSAGE_FLAGS (hp_message_flags_get_type ())
HP_AVAILABLE_IN_ALL
GType hp_message_flags_get_type (void) G_GNUC_CONST;

G_END_DECLS
