/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hole-punch/hp-enums.h"

G_DEFINE_ENUM_TYPE (
    HpPathKind, hp_path_kind,
    G_DEFINE_ENUM_VALUE (HP_PATH_KIND_NONE, "none"),
    G_DEFINE_ENUM_VALUE (HP_PATH_KIND_LAN, "lan"),
    G_DEFINE_ENUM_VALUE (HP_PATH_KIND_DIRECT, "direct"),
    G_DEFINE_ENUM_VALUE (HP_PATH_KIND_MAPPED, "mapped"),
    G_DEFINE_ENUM_VALUE (HP_PATH_KIND_RELAYED, "relayed"))

G_DEFINE_ENUM_TYPE (
    HpConnectionState, hp_connection_state,
    G_DEFINE_ENUM_VALUE (HP_CONNECTION_STATE_CONNECTING, "connecting"),
    G_DEFINE_ENUM_VALUE (HP_CONNECTION_STATE_CONNECTED, "connected"),
    G_DEFINE_ENUM_VALUE (HP_CONNECTION_STATE_INTERRUPTED, "interrupted"),
    G_DEFINE_ENUM_VALUE (HP_CONNECTION_STATE_CLOSED, "closed"))

G_DEFINE_FLAGS_TYPE (
    HpMessageFlags, hp_message_flags,
    G_DEFINE_ENUM_VALUE (HP_MESSAGE_FLAGS_NONE, "none"),
    G_DEFINE_ENUM_VALUE (HP_MESSAGE_FLAGS_UNORDERED, "unordered"),
    G_DEFINE_ENUM_VALUE (HP_MESSAGE_FLAGS_UNRELIABLE, "unreliable"))
