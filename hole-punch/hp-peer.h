/* SPDX-FileCopyrightText: 2026 The hole-punch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined(HP_INSIDE) && !defined(HP_COMPILATION)
#error "Only <hole-punch/hole-punch.h> can be included directly."
#endif

#include <hole-punch/hp-authorization.h>
#include <hole-punch/hp-connection.h>
#include <hole-punch/hp-identity.h>

G_BEGIN_DECLS

#define HP_TYPE_PEER (hp_peer_get_type ())
HP_AVAILABLE_IN_ALL
G_DECLARE_DERIVABLE_TYPE (HpPeer, hp_peer, HP, PEER, GObject)

/**
 * HpPeerClass:
 * @parent_class: the parent class
 * @message_received: default handler of #HpPeer::message-received
 * @peer_resolved: default handler of #HpPeer::peer-resolved
 * @connection_closed: default handler of #HpPeer::connection-closed
 * @stream_opened: default handler of #HpPeer::stream-opened
 *
 * The class of #HpPeer.
 *
 * Since: 1.0
 */
struct _HpPeerClass
{
  GObjectClass parent_class;

  void (*message_received) (HpPeer *self, HpConnection *connection,
                            GBytes *message);
  void (*peer_resolved) (HpPeer *self, HpConnection *connection);
  void (*connection_closed) (HpPeer *self, HpConnection *connection);
  void (*stream_opened) (HpPeer *self, HpConnection *connection,
                         HpStream *stream);

  /*< private >*/
  gpointer padding[8];
};

HP_AVAILABLE_IN_ALL
HpPeer *hp_peer_new (const char *id, const char *match_server);

HP_AVAILABLE_IN_ALL
const char *hp_peer_get_id (HpPeer *self);
HP_AVAILABLE_IN_ALL
void hp_peer_set_id (HpPeer *self, const char *id);
HP_AVAILABLE_IN_ALL
const char *hp_peer_get_match_server (HpPeer *self);
HP_AVAILABLE_IN_ALL
void hp_peer_set_match_server (HpPeer *self, const char *match_server);
HP_AVAILABLE_IN_ALL
const char *hp_peer_get_stun_servers (HpPeer *self);
HP_AVAILABLE_IN_ALL
void hp_peer_set_stun_servers (HpPeer *self, const char *stun_servers);
HP_AVAILABLE_IN_ALL
HpIdentity *hp_peer_get_identity (HpPeer *self);
HP_AVAILABLE_IN_ALL
void hp_peer_set_identity (HpPeer *self, HpIdentity *identity);
HP_AVAILABLE_IN_ALL
guint hp_peer_get_port (HpPeer *self);
HP_AVAILABLE_IN_ALL
void hp_peer_set_port (HpPeer *self, guint port);
HP_AVAILABLE_IN_ALL
guint hp_peer_get_datagram_size (HpPeer *self);
HP_AVAILABLE_IN_ALL
void hp_peer_set_datagram_size (HpPeer *self, guint datagram_size);
HP_AVAILABLE_IN_ALL
guint hp_peer_get_max_datagram_size (HpPeer *self);
HP_AVAILABLE_IN_ALL
void hp_peer_set_max_datagram_size (HpPeer *self, guint max_datagram_size);
HP_AVAILABLE_IN_ALL
guint64 hp_peer_get_max_message_size (HpPeer *self);
HP_AVAILABLE_IN_ALL
void hp_peer_set_max_message_size (HpPeer *self, guint64 max_message_size);
HP_AVAILABLE_IN_ALL
guint64 hp_peer_get_max_receive_window (HpPeer *self);
HP_AVAILABLE_IN_ALL
void hp_peer_set_max_receive_window (HpPeer *self, guint64 max_receive_window);
HP_AVAILABLE_IN_ALL
guint hp_peer_get_keepalive_interval (HpPeer *self);
HP_AVAILABLE_IN_ALL
void hp_peer_set_keepalive_interval (HpPeer *self, guint seconds);
HP_AVAILABLE_IN_ALL
guint hp_peer_get_connect_timeout (HpPeer *self);
HP_AVAILABLE_IN_ALL
void hp_peer_set_connect_timeout (HpPeer *self, guint seconds);
HP_AVAILABLE_IN_ALL
guint hp_peer_get_max_nat_entries (HpPeer *self);
HP_AVAILABLE_IN_ALL
void hp_peer_set_max_nat_entries (HpPeer *self, guint max_nat_entries);
HP_AVAILABLE_IN_ALL
gboolean hp_peer_get_direct_calls (HpPeer *self);
HP_AVAILABLE_IN_ALL
void hp_peer_set_direct_calls (HpPeer *self, gboolean direct_calls);
HP_AVAILABLE_IN_ALL
gboolean hp_peer_get_port_mapping (HpPeer *self);
HP_AVAILABLE_IN_ALL
void hp_peer_set_port_mapping (HpPeer *self, gboolean port_mapping);
HP_AVAILABLE_IN_ALL
const char *hp_peer_get_turn_servers (HpPeer *self);
HP_AVAILABLE_IN_ALL
void hp_peer_set_turn_servers (HpPeer *self, const char *turn_servers);
HP_AVAILABLE_IN_ALL
HpRelayPolicy hp_peer_get_relay_policy (HpPeer *self);
HP_AVAILABLE_IN_ALL
void hp_peer_set_relay_policy (HpPeer *self, HpRelayPolicy policy);
HP_AVAILABLE_IN_ALL
GTlsDatabase *hp_peer_get_turn_tls_database (HpPeer *self);
HP_AVAILABLE_IN_ALL
void hp_peer_set_turn_tls_database (HpPeer *self, GTlsDatabase *database);
HP_AVAILABLE_IN_ALL
gboolean hp_peer_get_registered (HpPeer *self);
HP_AVAILABLE_IN_ALL
GSocketAddress *hp_peer_get_local_address (HpPeer *self);
HP_AVAILABLE_IN_ALL
GSocketAddress *hp_peer_get_public_address (HpPeer *self);
HP_AVAILABLE_IN_ALL
GSocketAddress *hp_peer_get_mapped_address (HpPeer *self);
HP_AVAILABLE_IN_ALL
HpNatInfo *hp_peer_get_nat (HpPeer *self);
HP_AVAILABLE_IN_ALL
HpNetworkReport *hp_peer_get_network_report (HpPeer *self);
HP_AVAILABLE_IN_ALL
GListModel *hp_peer_get_connections (HpPeer *self);

HP_AVAILABLE_IN_ALL
void hp_peer_start_async (HpPeer *self, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data);
HP_AVAILABLE_IN_ALL
gboolean hp_peer_start_finish (HpPeer *self, GAsyncResult *result,
                               GError **error);
HP_AVAILABLE_IN_ALL
void hp_peer_close_async (HpPeer *self, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data);
HP_AVAILABLE_IN_ALL
gboolean hp_peer_close_finish (HpPeer *self, GAsyncResult *result,
                               GError **error);
HP_AVAILABLE_IN_ALL
void hp_peer_connect_async (HpPeer *self, const char *target,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data);
HP_AVAILABLE_IN_ALL
HpConnection *hp_peer_connect_finish (HpPeer *self, GAsyncResult *result,
                                      GError **error);
HP_AVAILABLE_IN_ALL
void hp_peer_connect_to_address_async (HpPeer *self, GSocketAddress *address,
                                       const char *fingerprint,
                                       GCancellable *cancellable,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data);
HP_AVAILABLE_IN_ALL
HpConnection *hp_peer_connect_to_address_finish (HpPeer *self,
                                                 GAsyncResult *result,
                                                 GError **error);
HP_AVAILABLE_IN_ALL
void hp_peer_send_message_async (HpPeer *self, const char *target,
                                 GBytes *message, GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);
HP_AVAILABLE_IN_ALL
gboolean hp_peer_send_message_finish (HpPeer *self, GAsyncResult *result,
                                      GError **error);
HP_AVAILABLE_IN_ALL
void hp_peer_check_network_async (HpPeer *self, GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data);
HP_AVAILABLE_IN_ALL
HpNetworkReport *hp_peer_check_network_finish (HpPeer *self,
                                               GAsyncResult *result,
                                               GError **error);

G_END_DECLS
