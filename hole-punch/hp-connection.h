/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(HP_INSIDE) && !defined(HP_COMPILATION)
#error "Only <hole-punch/hole-punch.h> can be included directly."
#endif

#include <hole-punch/hp-enums.h>
#include <hole-punch/hp-statistics.h>

G_BEGIN_DECLS

#define HP_TYPE_CONNECTION (hp_connection_get_type ())
HP_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (HpConnection, hp_connection, HP, CONNECTION, GObject)

HP_AVAILABLE_IN_ALL
const char *hp_connection_get_remote_id (HpConnection *self);
HP_AVAILABLE_IN_ALL
const char *hp_connection_get_fingerprint (HpConnection *self);
HP_AVAILABLE_IN_ALL
GSocketAddress *hp_connection_get_local_address (HpConnection *self);
HP_AVAILABLE_IN_ALL
GSocketAddress *hp_connection_get_remote_address (HpConnection *self);
HP_AVAILABLE_IN_ALL
HpPathKind hp_connection_get_path (HpConnection *self);
HP_AVAILABLE_IN_ALL
HpConnectionState hp_connection_get_state (HpConnection *self);
HP_AVAILABLE_IN_ALL
gint64 hp_connection_get_round_trip_time (HpConnection *self);
HP_AVAILABLE_IN_ALL
gint64 hp_connection_get_setup_time (HpConnection *self);
HP_AVAILABLE_IN_ALL
guint hp_connection_get_datagram_size (HpConnection *self);
HP_AVAILABLE_IN_ALL
guint64 hp_connection_get_queued_bytes (HpConnection *self);
HP_AVAILABLE_IN_ALL
HpStatistics *hp_connection_get_statistics (HpConnection *self);

HP_AVAILABLE_IN_ALL
gboolean hp_connection_send_message (HpConnection *self, GBytes *message,
                                     GError **error);
HP_AVAILABLE_IN_ALL
void hp_connection_send_message_async (HpConnection *self, GBytes *message,
                                       GCancellable *cancellable,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data);
HP_AVAILABLE_IN_ALL
gboolean hp_connection_send_message_finish (HpConnection *self,
                                            GAsyncResult *result,
                                            GError **error);
HP_AVAILABLE_IN_ALL
gboolean hp_connection_send_message_full (HpConnection *self, GBytes *message,
                                          HpMessageFlags flags,
                                          gint64 lifetime, GError **error);
HP_AVAILABLE_IN_ALL
void hp_connection_send_message_full_async (
    HpConnection *self, GBytes *message, HpMessageFlags flags, gint64 lifetime,
    GCancellable *cancellable, GAsyncReadyCallback callback,
    gpointer user_data);
HP_AVAILABLE_IN_ALL
gboolean hp_connection_send_message_full_finish (HpConnection *self,
                                                 GAsyncResult *result,
                                                 GError **error);
HP_AVAILABLE_IN_ALL
void hp_connection_open_stream_async (HpConnection *self,
                                      GCancellable *cancellable,
                                      GAsyncReadyCallback callback,
                                      gpointer user_data);
HP_AVAILABLE_IN_ALL
HpStream *hp_connection_open_stream_finish (HpConnection *self,
                                            GAsyncResult *result,
                                            GError **error);
HP_AVAILABLE_IN_ALL
void hp_connection_close_async (HpConnection *self, GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data);
HP_AVAILABLE_IN_ALL
gboolean hp_connection_close_finish (HpConnection *self, GAsyncResult *result,
                                     GError **error);

G_END_DECLS
